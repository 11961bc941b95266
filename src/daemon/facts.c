/* SPDX-License-Identifier: Apache-2.0 */
/* What clients are told of how things stand, out of the maps and what the other roles have said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/engine.h"

/* A moment in both clocks, so that what expires can be told by the calendar. */
struct moment {
	int64_t monotonic_ns, wall_ns;
	uint64_t jiffies;
};

static struct moment now(const struct engine *engine)
{
	struct moment moment = { .monotonic_ns = role_monotonic_ns(), .wall_ns = role_wall_ns() };

	moment.jiffies = shield_jiffies_at(&engine->pace, moment.monotonic_ns);
	return moment;
}

static int64_t left_until(const struct engine *engine, const struct moment *moment, uint64_t jiffies)
{
	return shield_ns_until(&engine->pace, moment->monotonic_ns, jiffies);
}

static int64_t wall_of(const struct moment *moment, int64_t left_ns)
{
	return left_ns == INT64_MAX ? INT64_MAX : moment->wall_ns + left_ns;
}

/* ---- counters ---- */

static void add(const struct shield_count counts[SHIELD_REASONS], bool enforced, struct control_sums *sums)
{
	for (unsigned i = 0; i < SHIELD_REASONS; i++) {
		sums->packets += counts[i].packets;
		sums->octets += counts[i].octets;
		if (i <= SHIELD_PASS_LAST)
			continue;
		if (enforced) {
			sums->dropped += counts[i].packets;
			sums->dropped_octets += counts[i].octets;
		} else {
			sums->would_drop += counts[i].packets;
		}
	}
}

static uint64_t rate(uint64_t then, uint64_t since, int64_t elapsed_ns)
{
	double difference = since > then ? (double)(since - then) : 0;

	return (uint64_t)(difference * (double)NS_PER_S / (double)elapsed_ns + 0.5);
}

void facts_count(struct engine *engine)
{
	struct control_sums sums = { .packets = 0 };
	int64_t now_ns = role_monotonic_ns(), elapsed_ns = now_ns - engine->sums_ns;

	if (shield_read_counters(&engine->maps, engine->counters) != 0)
		return;
	for (unsigned i = 0; i < SHIELD_SERVICES_MAX; i++) {
		add(engine->counters[i].enforced, true, &sums);
		add(engine->counters[i].observed, false, &sums);
	}
	add(engine->nftables.counters.enforced, true, &sums);
	add(engine->nftables.counters.observed, false, &sums);
	if (engine->has_sums && elapsed_ns > 0) {
		engine->rates = (struct control_sums){
			.packets = rate(engine->sums.packets, sums.packets, elapsed_ns),
			.octets = rate(engine->sums.octets, sums.octets, elapsed_ns),
			.dropped = rate(engine->sums.dropped, sums.dropped, elapsed_ns),
			.dropped_octets = rate(engine->sums.dropped_octets, sums.dropped_octets, elapsed_ns),
			.would_drop = rate(engine->sums.would_drop, sums.would_drop, elapsed_ns),
		};
		engine->has_rates = true;
	}
	engine->sums = sums;
	engine->sums_ns = now_ns;
	engine->has_sums = true;
}

/* ---- rules, blocks, allowances ---- */

static void sum(const struct shield_count *count, struct shield_count *into)
{
	into->packets += count->packets;
	into->octets += count->octets;
}

/* What nftables has counted of the rule besides. */
static void add_nftables(const struct engine *engine, struct control_rule *rule)
{
	for (uint32_t i = 0; i < engine->nftables.rule_count; i++) {
		const struct message_counted_rule *counted = &engine->nftables.rules[i];

		if (counted->number != rule->told.number)
			continue;
		sum(&counted->matched, &rule->count.matched);
		sum(&counted->dropped, &rule->count.dropped);
	}
}

/* Rules in force with their counts: an array of *count that is the caller's, NULL where there is no memory. */
static struct control_rule *read_rules(const struct engine *engine, const struct moment *moment, unsigned *count)
{
	struct shield_rule_told *told = calloc(SHIELD_RULES_MAX, sizeof(*told));
	struct control_rule *rules = calloc(SHIELD_RULES_MAX, sizeof(*rules));

	*count = 0;
	if (!told || !rules || shield_read_rules(&engine->maps, moment->jiffies, told, count) != 0)
		*count = 0;
	for (unsigned i = 0; i < *count && rules; i++) {
		struct control_rule *rule = &rules[i];

		rule->told = told[i];
		if (shield_read_rule_count(&engine->maps, told[i].counter, &rule->count) != 0)
			memset(&rule->count, 0, sizeof(rule->count));
		add_nftables(engine, rule);
		rule->left_ns = left_until(engine, moment, told[i].expires);
		rule->expires_ns = wall_of(moment, rule->left_ns);
		rule->since_last_ns = -1;
		if (rule->count.last) /* of nftables it is not known */
			rule->since_last_ns = rule->count.last >= moment->jiffies
			                              ? 0
			                              : (int64_t)((moment->jiffies - rule->count.last) *
			                                          (uint64_t)NS_PER_S / engine->pace.hz);
		(void)journal_user(told[i].made_by, rule->made_by);
	}
	free(told);
	return rules;
}

static struct control_blocks count_blocks(const struct engine *engine)
{
	struct control_blocks blocks = { .listed = engine->listed.list.count };

	blocks_count(engine->blocks, &blocks.ipv4, &blocks.ipv6, &blocks.capacity);
	return blocks;
}

/* Entries are gathered up to a limit, and all are counted. */
struct gathering {
	const struct engine *engine;
	struct moment moment;
	struct control_entry *entries;
	unsigned limit, count, total;
	bool stops; /* once it is full */
};

static int gather(void *context, const struct prefix *prefix, uint64_t expires)
{
	struct gathering *gathering = context;

	gathering->total++;
	if (gathering->count == gathering->limit)
		return gathering->stops;
	if (gathering->entries) {
		struct control_entry *entry = &gathering->entries[gathering->count];

		entry->prefix = *prefix;
		entry->left_ns = left_until(gathering->engine, &gathering->moment, expires);
		entry->expires_ns = wall_of(&gathering->moment, entry->left_ns);
	}
	gathering->count++;
	return 0;
}

char *facts_rules(struct engine *engine, unsigned limit)
{
	struct moment moment = now(engine);
	struct gathering blocked = { .engine = engine, .moment = moment, .limit = limit, .stops = true };
	struct gathering allowed = { .engine = engine, .moment = moment, .limit = limit };
	struct control_list list = { .blocks = count_blocks(engine) };
	struct control_rule *rules = read_rules(engine, &moment, &list.rule_count);
	char *line = NULL;

	blocked.entries = calloc(limit + 1, sizeof(*blocked.entries));
	allowed.entries = calloc(limit + 1, sizeof(*allowed.entries));
	if (!rules || !blocked.entries || !allowed.entries)
		goto done;
	(void)blocks_each(engine->blocks, moment.jiffies, gather, &blocked);
	(void)shield_each_allowed(&engine->maps, moment.jiffies, gather, &allowed);
	list.rules = rules;
	list.blocked = blocked.entries;
	list.blocked_count = blocked.count;
	list.allowed = allowed.entries;
	list.allowed_count = allowed.count;
	list.allowed_total = allowed.total;
	list.truncated = blocked.total > blocked.count || allowed.total > allowed.count;
	line = control_format_list(&list);
done:
	free(blocked.entries);
	free(allowed.entries);
	free(rules);
	return line;
}

/* ---- status ---- */

static const char *hook_name(uint32_t hook)
{
	return hook == MESSAGE_HOOK_NFTABLES ? "nftables" : shield_hook_name((enum shield_hook)hook);
}

static void fill_ways(const struct engine *engine, const struct moment *moment, const struct shield_mode *mode,
                      struct control_status *status)
{
	for (unsigned i = 0; i < mode->guard_count && i < SHIELD_GUARD_MAX; i++) {
		const struct shield_guard *guard = &mode->guard[i];
		int64_t left_ns = left_until(engine, moment, guard->expires);

		if (left_ns == 0)
			continue;
		status->ways[status->way_count++] = (struct control_way){ .from = command_guard_prefix(guard),
			                                                  .port = guard->port,
			                                                  .left_ns = left_ns };
	}
}

/* Of the program and of nftables, which tells no services apart. */
static void read_counters(struct engine *engine)
{
	struct shield_counters *none = &engine->counters[SHIELD_SERVICE_NONE];

	(void)shield_read_counters(&engine->maps, engine->counters);
	for (unsigned i = 0; i < SHIELD_REASONS; i++) {
		sum(&engine->nftables.counters.enforced[i], &none->enforced[i]);
		sum(&engine->nftables.counters.observed[i], &none->observed[i]);
	}
}

static void fill_interfaces(const struct engine *engine, struct control_status *status)
{
	for (unsigned i = 0; i < engine->hook_count; i++) {
		struct control_interface *interface = &status->interfaces[status->interface_count++];

		memcpy(interface->name, engine->hooks[i].name, sizeof(interface->name));
		interface->hook = hook_name(engine->hooks[i].hook);
	}
}

static void fill_services(const struct engine *engine, struct control_status *status)
{
	for (unsigned i = 0; i < engine->config.service_count; i++) {
		struct control_service *service = &status->services[status->service_count++];

		memcpy(service->name, engine->config.services[i].name, sizeof(service->name));
		service->counters = &engine->counters[i];
	}
	status->services[status->service_count++].counters = &engine->counters[SHIELD_SERVICE_NONE];
}

static unsigned count_allowed(const struct engine *engine, const struct moment *moment)
{
	struct gathering allowed = { .engine = engine, .moment = *moment };

	(void)shield_each_allowed(&engine->maps, moment->jiffies, gather, &allowed);
	return allowed.total;
}

char *facts_status(struct engine *engine)
{
	static const char *const origins[] = { "new", "taken_over", "replaced" };
	struct moment moment = now(engine);
	struct control_status *status = calloc(1, sizeof(*status));
	struct control_rule *rules = status ? read_rules(engine, &moment, &status->rule_count) : NULL;
	struct shield_mode mode = { .enforce = false };
	char *line = NULL;

	if (!rules)
		goto done;
	(void)shield_read_mode(&engine->maps, moment.jiffies, &mode);
	(void)shield_read_totals(&engine->maps, &status->shield);
	(void)shield_count_cookies_lost(&engine->maps, moment.jiffies, &status->cookies_lost);
	read_counters(engine);
	status->pid = engine->roles.parent_pid;
	status->loader_pid = engine->roles.loader_pid;
	status->engine_pid = engine->roles.engine_pid;
	status->recorder_pid = engine->roles.recorder_pid;
	status->restarts = engine->roles.restarts;
	status->since_ns = engine->roles.since_ns;
	status->uptime_ns = moment.monotonic_ns - engine->roles.since_monotonic_ns;
	status->ready = true;
	status->mode.enforce = mode.enforce;
	status->mode.left_ns = mode.enforce ? left_until(engine, &moment, mode.until) : INT64_MAX;
	status->mode.until_ns = wall_of(&moment, status->mode.left_ns);
	status->origin = origins[engine->origin];
	fill_interfaces(engine, status);
	fill_services(engine, status);
	status->has_rates = engine->has_rates;
	status->rates = engine->rates;
	status->totals = engine->sums;
	status->blocks = count_blocks(engine);
	status->allowed = count_allowed(engine, &moment);
	status->rules = rules;
	fill_ways(engine, &moment, &mode, status);
	status->samples_taken = watch_taken(engine->watch);
	watch_facts(engine->watch, &status->live);
	status->live.dropped_left_out = engine->dropping.left_out;
	status->record_written = engine->journal.written;
	status->record_lost = engine->journal.lost;
	status->incidents_lost = engine->journal.incidents_lost;
	status->streams_cut = engine->journal.streams_cut;
	status->record_state = engine->journal.state;
	status->links = &engine->links;
	status->alert_targets = engine->config.alert_count;
	status->alerts = &engine->alerts.state;
	status->alerts_lost = engine->alerts.lost;
	line = control_format_status(status);
done:
	free(rules);
	free(status);
	return line;
}
