/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/standing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/prefix.h"
#include "cli/now.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/engine.h"
#include "daemon/mirror.h"
#include "shield/blocks.h"
#include "shield/maps.h"
#include "shield/nft.h"

/* All that is read, in one allocation. */
struct standing {
	struct shield *shield;
	const struct shield_maps *maps;
	struct shield_pace pace;
	int64_t monotonic_ns, wall_ns;
	uint64_t jiffies;
	struct control_status status;
	struct shield_counters counters[SHIELD_SERVICES_MAX];
	struct shield_rule_told told[SHIELD_RULES_MAX];
	struct control_rule rules[SHIELD_RULES_MAX];
	struct shield_interface interfaces[SHIELD_INTERFACES_MAX];
};

static int64_t left_ns(const struct standing *standing, uint64_t jiffies)
{
	return shield_ns_until(&standing->pace, standing->monotonic_ns, jiffies);
}

static int64_t wall_ns(const struct standing *standing, int64_t left)
{
	return left == INT64_MAX ? INT64_MAX : standing->wall_ns + left;
}

static int read_mode(struct standing *standing)
{
	struct control_status *status = &standing->status;
	struct shield_mode mode;
	int result = shield_read_mode(standing->maps, standing->jiffies, &mode);

	if (result)
		return result;
	status->mode.enforce = mode.enforce;
	status->mode.left_ns = mode.enforce ? left_ns(standing, mode.until) : INT64_MAX;
	status->mode.until_ns = wall_ns(standing, status->mode.left_ns);
	for (unsigned i = 0; i < mode.guard_count && i < SHIELD_GUARD_MAX; i++) {
		int64_t left = left_ns(standing, mode.guard[i].expires);

		if (left > 0)
			status->ways[status->way_count++] =
				(struct control_way){ .from = command_guard_prefix(&mode.guard[i]),
				                      .port = mode.guard[i].port,
				                      .left_ns = left };
	}
	return 0;
}

static int read_interfaces(struct standing *standing)
{
	struct control_status *status = &standing->status;
	int result = shield_interfaces(standing->shield, standing->interfaces, &status->interface_count);

	for (unsigned i = 0; !result && i < status->interface_count; i++) {
		(void)snprintf(status->interfaces[i].name, sizeof(status->interfaces[i].name), "%s",
		               standing->interfaces[i].name);
		status->interfaces[i].hook = shield_hook_name(standing->interfaces[i].hook);
	}
	return result;
}

/* Opens the table where there is one: NULL where there is none. */
static int open_table(const char *bpffs_dir, struct nft_shield **nft, struct shield_error *error)
{
	char name[NFT_NAME_MAX];
	bool there, was;
	int result;

	*nft = NULL;
	if (nft_shield_available() != 0)
		return 0;
	(void)mirror_name(bpffs_dir, name);
	result = nft_shield_open(name, SHIELD_BLOCK_CAPACITY_MIN, nft, &there, error);
	if (result) {
		*nft = NULL;
		return result;
	}
	if (there)
		return 0;
	/* It was made by opening it. */
	nft_shield_close(*nft);
	*nft = NULL;
	return nft_shield_remove(name, &was, error);
}

int standing_observe_tables(const char *bpffs_dir, bool *there, struct shield_error *error)
{
	struct nft_shield *nft;
	int result = open_table(bpffs_dir, &nft, error);

	*there = !result && nft;
	if (!*there)
		return result;
	result = nft_shield_set_mode(nft, false, INT64_MAX, error);
	nft_shield_close(nft);
	return result;
}

int standing_remove_tables(const char *bpffs_dir, bool *there, struct shield_error *error)
{
	char name[NFT_NAME_MAX];

	*there = false;
	return nft_shield_available() == 0 ? nft_shield_remove(mirror_name(bpffs_dir, name), there, error) : 0;
}

/* Interfaces that have the table instead are in no pin; that there are such is all that can be said. */
static void read_table(const char *bpffs_dir, struct control_status *status)
{
	struct shield_error unused;
	struct nft_shield *nft;

	if (status->interface_count == SHIELD_INTERFACES_MAX || open_table(bpffs_dir, &nft, &unused) != 0 || !nft)
		return;
	nft_shield_close(nft);
	status->interfaces[status->interface_count++] =
		(struct control_interface){ .name = "others", .hook = "nftables" };
}

static int read_rules(struct standing *standing)
{
	struct control_status *status = &standing->status;
	int result = shield_read_rules(standing->maps, standing->jiffies, standing->told, &status->rule_count);

	for (unsigned i = 0; !result && i < status->rule_count; i++) {
		struct control_rule *rule = &standing->rules[i];

		rule->told = standing->told[i];
		rule->left_ns = left_ns(standing, rule->told.expires);
		rule->expires_ns = wall_ns(standing, rule->left_ns);
		rule->since_last_ns = -1;
		(void)snprintf(rule->made_by, sizeof(rule->made_by), "%u", (unsigned)rule->told.made_by);
		result = shield_read_rule_count(standing->maps, rule->told.counter, &rule->count);
	}
	status->rules = standing->rules;
	return result;
}

static void add_counts(const struct shield_counters *counters, struct control_sums *sums)
{
	for (unsigned i = 0; i < SHIELD_REASONS; i++) {
		bool drops = i > SHIELD_PASS_LAST;

		sums->packets += counters->enforced[i].packets + counters->observed[i].packets;
		sums->octets += counters->enforced[i].octets + counters->observed[i].octets;
		sums->dropped += drops ? counters->enforced[i].packets : 0;
		sums->dropped_octets += drops ? counters->enforced[i].octets : 0;
		sums->would_drop += counters->observed[i].packets;
	}
}

static int read_counters(struct standing *standing, const struct config *config)
{
	struct control_status *status = &standing->status;
	int result = shield_read_counters(standing->maps, standing->counters);

	if (!result)
		result = shield_read_totals(standing->maps, &status->shield);
	for (unsigned i = 0; !result && i < SHIELD_SERVICES_MAX; i++)
		add_counts(&standing->counters[i], &status->totals);
	for (unsigned i = 0; !result && i < config->service_count; i++) {
		struct control_service *service = &status->services[status->service_count++];

		(void)snprintf(service->name, sizeof(service->name), "%s", config->services[i].name);
		service->counters = &standing->counters[i];
	}
	status->services[status->service_count++].counters = &standing->counters[SHIELD_SERVICE_NONE];
	return result;
}

static int count_one(void *context, const struct prefix *prefix, uint64_t expires)
{
	(void)prefix;
	(void)expires;
	++*(unsigned *)context;
	return 0;
}

static int read_lists(struct standing *standing)
{
	struct control_blocks *counts = &standing->status.blocks;
	struct blocks *blocks;
	int result = blocks_new(standing->maps, &blocks);

	if (result)
		return result;
	blocks_count(blocks, &counts->ipv4, &counts->ipv6, &counts->capacity);
	blocks_free(blocks);
	return shield_each_allowed(standing->maps, standing->jiffies, count_one, &standing->status.allowed);
}

static int read_all(struct standing *standing, const struct config *config)
{
	int result;

	standing->maps = shield_maps(standing->shield);
	standing->pace = shield_pace(standing->shield);
	standing->monotonic_ns = now_monotonic_ns();
	standing->wall_ns = now_wall_ns();
	standing->jiffies = shield_jiffies_at(&standing->pace, standing->monotonic_ns);
	standing->status.origin = "taken_over";
	standing->status.record_state = "";
	result = read_mode(standing);
	if (!result)
		result = read_interfaces(standing);
	if (!result)
		result = read_rules(standing);
	if (!result)
		result = read_counters(standing, config);
	return result ? result : read_lists(standing);
}

/* The daemon's line says {"ok":true,"result":...}. What nobody knows is null. */
static json_t *result_of(const struct standing *standing)
{
	static const char *const unknown[] = { "pid", "since", "uptime_s", "record", "roles" };
	char *line = control_format_status(&standing->status);
	json_t *answer = line ? json_loads(line, 0, NULL) : NULL;
	json_t *result = json_incref(json_object_get(answer, "result"));

	for (size_t i = 0; result && i < sizeof(unknown) / sizeof(unknown[0]); i++)
		(void)json_object_set_new(result, unknown[i], json_null());

	json_decref(answer);
	free(line);
	return result;
}

int standing_read(const char *bpffs_dir, const char *config, json_t **status, struct shield_error *error)
{
	struct config_errors *errors = calloc(1, sizeof(*errors)); /* both are large for a stack */
	struct standing *standing = calloc(1, sizeof(*standing));
	struct config configuration;
	int result = -ENOMEM;

	*error = (struct shield_error){ .message = "" };
	if (!errors || !standing)
		goto undo_memory;
	result = config_load(config, &configuration, errors);
	if (result)
		goto undo_memory;
	result = shield_open_pinned(bpffs_dir, &standing->shield, error);
	if (result)
		goto undo_configuration;
	result = read_all(standing, &configuration);
	read_table(bpffs_dir, &standing->status);
	shield_close(standing->shield);
	if (!result) {
		*status = result_of(standing);
		result = *status ? 0 : -ENOMEM;
	}
undo_configuration:
	config_fini(&configuration);
undo_memory:
	free(standing);
	free(errors);
	return result;
}
