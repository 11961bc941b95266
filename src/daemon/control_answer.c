/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the control socket answers, and what a request is in the record: objects of JSON, a line each (doc/control.md).
 */
#include "daemon/control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "detect/incident_id.h"
#include "tell/build.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define REAL_DIGITS 15 /* of seconds: milliseconds are as they were written */

/* Takes `object`, which may be NULL where memory ran out while it was made. */
static char *line_of(json_t *object)
{
	char *text =
		object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_DIGITS)) : NULL;
	size_t length = text ? strlen(text) : 0;
	char *line = text ? realloc(text, length + 2) : NULL;

	json_decref(object);
	if (!line) {
		free(text);
		return NULL;
	}
	line[length] = '\n';
	line[length + 1] = '\0';
	return line;
}

static char *answer(json_t *result)
{
	return line_of(result ? json_pack("{s:b,s:o}", "ok", 1, "result", result) : NULL);
}

/* What came from outside may be no UTF-8, which jansson refuses. */
static json_t *text_json(const char *text)
{
	json_t *string = json_string(text);
	char plain[1024];
	size_t length = 0;

	if (string)
		return string;
	for (; length < sizeof(plain) - 1 && text[length]; length++)
		plain[length] = (unsigned char)text[length] < 0x80 ? text[length] : '?';
	plain[length] = '\0';
	return json_string(plain);
}

static json_t *time_json(int64_t ns)
{
	return ns == INT64_MAX ? json_null() : build_time(ns);
}

static json_t *seconds_json(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	return ns == INT64_MAX ? json_null() : json_real((double)ms / 1000);
}

static json_t *count_json(uint64_t count)
{
	return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

static json_t *prefix_json(const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];

	return json_string(prefix_format(prefix, text));
}

static json_t *error_json(const struct control_error *error)
{
	return json_pack("{s:b,s:s,s:o,s:o,s:i}", "ok", 0, "where", error->where, "what", text_json(error->what),
	                 "hint", text_json(error->hint), "exit", error->exit);
}

char *control_format_error(const struct control_error *error)
{
	return line_of(error_json(error));
}

char *control_format_errors(const struct control_error *error, const struct config_errors *errors)
{
	json_t *object = error_json(error), *list = json_array();

	for (unsigned i = 0; i < errors->count; i++)
		(void)json_array_append_new(list, text_json(errors->lines[i]));
	(void)json_object_set_new(object, "errors", list);
	return line_of(object);
}

char *control_format_ping(void)
{
	return answer(json_pack("{s:s}", "version", HOLDFAST_VERSION));
}

char *control_format_tally(const char *done, const struct control_tally *tally)
{
	json_t *refusals = json_array();

	for (unsigned i = 0; i < tally->refusal_count; i++)
		(void)json_array_append_new(refusals, json_pack("{s:o,s:o,s:o}", "prefix",
		                                                prefix_json(&tally->refusals[i].prefix), "what",
		                                                text_json(tally->refusals[i].what), "hint",
		                                                text_json(tally->refusals[i].hint)));
	return answer(json_pack("{s:o,s:o,s:o,s:o}", done, count_json(tally->done), "refused",
	                        count_json(tally->refused), "expires", time_json(tally->expires_ns), "refusals",
	                        refusals));
}

static json_t *rule_name_json(uint32_t number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "r%" PRIu32, number);
	return json_string(text);
}

char *control_format_ruled(const struct control_ruled *ruled)
{
	char match[MATCH_TEXT_SIZE];
	json_t *numbers = json_array();

	for (unsigned i = 0; i < ruled->count; i++)
		(void)json_array_append_new(numbers, rule_name_json(ruled->numbers[i]));
	return answer(json_pack("{s:o,s:s,s:s,s:o}", "rules", numbers, "match",
	                        match_format(&ruled->rule->match, match), "action",
	                        rule_action_name(ruled->rule->action), "expires", time_json(ruled->expires_ns)));
}

char *control_format_released(bool block, bool allowance, bool rule)
{
	json_t *list = json_array();

	if (block)
		(void)json_array_append_new(list, json_string("block"));
	if (allowance)
		(void)json_array_append_new(list, json_string("allow"));
	if (rule)
		(void)json_array_append_new(list, json_string("rule"));
	return answer(json_pack("{s:o}", "released", list));
}

char *control_format_released_many(unsigned released, unsigned passed_over)
{
	return answer(json_pack("{s:o,s:o}", "prefixes", count_json(released), "passed_over", count_json(passed_over)));
}

static void add_mode(json_t *object, const struct control_mode *mode)
{
	(void)json_object_set_new(object, "mode", json_string(mode->enforce ? "enforce" : "observe"));
	(void)json_object_set_new(object, "enforce_until", time_json(mode->enforce ? mode->until_ns : INT64_MAX));
	(void)json_object_set_new(object, "enforce_left_s", seconds_json(mode->enforce ? mode->left_ns : INT64_MAX));
}

char *control_format_mode(const struct control_mode *mode)
{
	json_t *object = json_object();

	add_mode(object, mode);
	return answer(object);
}

char *control_format_reloaded(const char (*notes)[CONFIG_ERROR_SIZE], unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, text_json(notes[i]));
	return answer(json_pack("{s:b,s:o}", "reloaded", 1, "notes", list));
}

char *control_format_tested(const char *said)
{
	return answer(json_pack("{s:b,s:o}", "sent", 1, "said", text_json(said)));
}

static json_t *counted_json(const struct shield_count *count)
{
	return json_pack("{s:o,s:o}", "packets", count_json(count->packets), "octets", count_json(count->octets));
}

static json_t *rule_json(const struct control_rule *rule)
{
	const struct shield_rule_told *told = &rule->told;
	char match[MATCH_TEXT_SIZE];
	json_t *object = json_object();

	(void)json_object_set_new(object, "id", rule_name_json(told->number));
	(void)json_object_set_new(object, "scope", prefix_json(&told->rule.scope));
	(void)json_object_set_new(object, "match", json_string(match_format(&told->rule.match, match)));
	(void)json_object_set_new(object, "action", json_string(rule_action_name(told->rule.action)));
	(void)json_object_set_new(object, "rate_pps",
	                          told->rule.action == RULE_RATE_LIMIT ? count_json(told->rule.rate_pps) : json_null());
	(void)json_object_set_new(object, "shadow", json_boolean(told->shadow));
	(void)json_object_set_new(object, "unless_known", json_boolean(told->known));
	(void)json_object_set_new(object, "each_source", json_boolean(told->each));
	(void)json_object_set_new(object, "source_pps", told->source_pps ? count_json(told->source_pps) : json_null());
	(void)json_object_set_new(object, "reason", text_json(told->reason));
	(void)json_object_set_new(object, "made", time_json(told->made_ns));
	(void)json_object_set_new(object, "made_by", text_json(rule->made_by));
	(void)json_object_set_new(object, "expires", time_json(rule->expires_ns));
	(void)json_object_set_new(object, "left_s", seconds_json(rule->left_ns));
	(void)json_object_set_new(object, "matched", counted_json(&rule->count.matched));
	(void)json_object_set_new(object, "dropped", counted_json(&rule->count.dropped));
	(void)json_object_set_new(object, "last_s",
	                          rule->since_last_ns < 0 ? json_null() : seconds_json(rule->since_last_ns));
	return object;
}

static json_t *rules_json(const struct control_rule *rules, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, rule_json(&rules[i]));
	return list;
}

static json_t *blocks_json(const struct control_blocks *blocks)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "ipv4", count_json(blocks->ipv4), "ipv6", count_json(blocks->ipv6),
	                 "capacity", count_json(blocks->capacity), "listed", count_json(blocks->listed));
}

static json_t *entries_json(const struct control_entry *entries, unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "prefix", prefix_json(&entries[i].prefix),
		                                            "expires", time_json(entries[i].expires_ns), "left_s",
		                                            seconds_json(entries[i].left_ns)));
	return list;
}

char *control_format_list(const struct control_list *list)
{
	return answer(json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "rules", rules_json(list->rules, list->rule_count),
	                        "blocks", blocks_json(&list->blocks), "blocked",
	                        entries_json(list->blocked, list->blocked_count), "allowed",
	                        entries_json(list->allowed, list->allowed_count), "allowed_count",
	                        count_json(list->allowed_total), "truncated", list->truncated ? 1 : 0));
}

static json_t *counts_json(const struct shield_count counts[SHIELD_REASONS])
{
	json_t *object = json_object();

	for (unsigned i = 0; i < SHIELD_REASONS; i++)
		if (counts[i].packets)
			(void)json_object_set_new(object, shield_reason_name((enum shield_reason)i),
			                          counted_json(&counts[i]));
	return object;
}

static json_t *sums_json(const struct control_sums *sums)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "packets", count_json(sums->packets), "octets",
	                 count_json(sums->octets), "dropped", count_json(sums->dropped), "dropped_octets",
	                 count_json(sums->dropped_octets), "would_drop", count_json(sums->would_drop));
}

static json_t *services_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->service_count; i++) {
		const struct control_service *service = &status->services[i];

		(void)json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "name",
		                                            service->name[0] ? text_json(service->name) : json_null(),
		                                            "enforced", counts_json(service->counters->enforced),
		                                            "observed", counts_json(service->counters->observed)));
	}
	return list;
}

static json_t *interfaces_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->interface_count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:s}", "name", text_json(status->interfaces[i].name),
		                                            "hook", status->interfaces[i].hook));
	return list;
}

static json_t *ways_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < status->way_count; i++)
		(void)json_array_append_new(list, json_pack("{s:o,s:i,s:o}", "from", prefix_json(&status->ways[i].from),
		                                            "port", (int)status->ways[i].port, "left_s",
		                                            seconds_json(status->ways[i].left_ns)));
	return list;
}

static json_t *links_json(const struct control_status *status)
{
	json_t *list = json_array();

	for (unsigned i = 0; status->links && i < status->links->count; i++) {
		const struct link_state *link = &status->links->states[i];
		bool known = link->has_rates;

		(void)json_array_append_new(
			list,
			json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "name", text_json(link->latest.name), "speed_mbps",
		                  link->latest.speed_mbps ? count_json(link->latest.speed_mbps) : json_null(), "rx_bps",
		                  known ? count_json(link->bps) : json_null(), "rx_pps",
		                  known ? count_json(link->pps) : json_null(), "rx_drops_pps",
		                  known ? count_json(link->lost_pps) : json_null(), "percent",
		                  link->percent >= 0 ? json_integer(link->percent) : json_null(), "full", link->full));
	}
	return list;
}

static json_t *attack_rule_json(const struct control_attack_rule *rule)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{ "matched", rule->matched },
		{ "dropped", rule->dropped },
		{ "spared", rule->spared },
		{ "answered", rule->answered },
		{ "probes", rule->probes },
		{ "completed", rule->completed },
		{ "known", rule->known },
		{ "known_lost", rule->known_lost },
		{ "baseline_samples", rule->baseline_samples },
		{ "verified_hits", rule->verified_hits },
		{ "verified_samples", rule->verified_samples },
	};
	char match[MATCH_TEXT_SIZE];
	json_t *object =
		json_pack("{s:o,s:s,s:s,s:o,s:s,s:o,s:o}", "id",
	                  rule->number ? rule_name_json(rule->number) : json_null(), "state", rule->state, "match",
	                  match_format(&rule->rule->match, match), "scope", prefix_json(&rule->rule->scope), "action",
	                  rule_action_name(rule->rule->action), "why", text_json(rule->why), "bound_ppm",
	                  rule->has_bound ? count_json(rule->bound_ppm) : json_null());

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		(void)json_object_set_new(object, counts[i].name, count_json(counts[i].count));
	(void)json_object_set_new(object, "fallback", json_boolean(rule->fallback));
	(void)json_object_set_new(object, "unless_known", json_boolean(rule->knows));
	(void)json_object_set_new(object, "each_source", json_boolean(rule->each));
	(void)json_object_set_new(object, "source_pps", rule->source_pps ? count_json(rule->source_pps) : json_null());
	return object;
}

static json_t *attacks_json(const struct control_live *live)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < live->attack_count; i++) {
		const struct control_attack *attack = &live->attacks[i];
		json_t *object = json_object(), *rules = json_array();
		char id[INCIDENT_ID_SIZE];

		incident_id_format(attack->id, id);
		for (unsigned k = 0; k < attack->rule_count; k++)
			(void)json_array_append_new(rules, attack_rule_json(&live->rules[attack->first_rule + k]));
		(void)json_object_set_new(object, "id", json_string(id));
		(void)json_object_set_new(object, "service",
		                          attack->service ? text_json(attack->service) : json_null());
		(void)json_object_set_new(object, "target", prefix_json(&attack->target));
		(void)json_object_set_new(object, "vector", json_string(attack->vector));
		(void)json_object_set_new(object, "began", time_json(attack->began_ns));
		(void)json_object_set_new(object, "age_s", seconds_json(attack->age_ns));
		(void)json_object_set_new(object, "pps", count_json(attack->pps));
		(void)json_object_set_new(object, "bps", count_json(attack->bps));
		(void)json_object_set_new(object, "passing_ppm", count_json(attack->passing_ppm));
		(void)json_object_set_new(object, "over", json_boolean(attack->over));
		(void)json_object_set_new(object, "advice", attack->advice ? text_json(attack->advice) : json_null());
		(void)json_object_set_new(object, "fallback", json_string(fallback_state_name(attack->fallback)));
		(void)json_object_set_new(object, "rules", rules);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *alerts_json(const struct control_status *status)
{
	const struct message_alerted *alerts = status->alerts;

	if (!alerts || status->alert_targets == 0)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "targets", count_json(status->alert_targets), "sent",
	                 count_json(alerts->sent), "failed", count_json(alerts->failed), "queued",
	                 count_json(alerts->queued), "unsaid", count_json(alerts->unsaid + status->alerts_lost),
	                 "state", text_json(alerts->state));
}

static json_t *limits_json(const struct control_live *live)
{
	const struct {
		const char *name;
		uint64_t count;
	} limits[] = {
		{ "rules_refused", live->rules_refused },
		{ "bans_pushed_out", live->bans_pushed_out },
		{ "no_memory", live->no_memory },
		{ "sources_uncounted", live->sources_uncounted },
		{ "outbox_lost", live->outbox_lost },
		{ "streams_cut", live->streams_cut },
		{ "dropped_left_out", live->dropped_left_out },
		{ "dropped_refused", live->dropped_refused },
		{ "attempts_refused", live->attempts_refused },
		{ "signals_lost", live->signals_lost },
	};
	json_t *object = json_object();

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)json_object_set_new(object, limits[i].name, count_json(limits[i].count));
	return object;
}

static void add_live(json_t *object, const struct control_live *live)
{
	(void)json_object_set_new(object, "attacks", attacks_json(live));
	(void)json_object_set_new(object, "users",
	                          json_pack("{s:o,s:o,s:o}", "answered_pps", count_json(live->answered_pps), "lost_ppm",
	                                    live->has_lost ? count_json(live->lost_ppm) : json_null(), "handshakes_pps",
	                                    count_json(live->handshakes_pps)));
	(void)json_object_set_new(object, "engine",
	                          json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "generation",
	                                    count_json(live->generation), "warm", json_boolean(live->warm),
	                                    "samples_pps", count_json(live->samples_pps), "lag_ms",
	                                    count_json((uint64_t)live->lag_ns / NS_PER_MS), "baseline_s",
	                                    count_json((uint64_t)live->learned_ns / NS_PER_S), "undecodable",
	                                    count_json(live->undecodable), "strays", count_json(live->strays), "limits",
	                                    limits_json(live)));
}

char *control_format_status(const struct control_status *status)
{
	json_t *object = json_object();

	(void)json_object_set_new(object, "version", json_string(HOLDFAST_VERSION));
	(void)json_object_set_new(object, "pid", count_json(status->pid));
	(void)json_object_set_new(object, "since", time_json(status->since_ns));
	(void)json_object_set_new(object, "uptime_s", seconds_json(status->uptime_ns));
	(void)json_object_set_new(object, "ready", json_boolean(status->ready));
	add_mode(object, &status->mode);
	(void)json_object_set_new(object, "origin", json_string(status->origin));
	(void)json_object_set_new(object, "interfaces", interfaces_json(status));
	(void)json_object_set_new(object, "services", services_json(status));
	(void)json_object_set_new(object, "rates", status->has_rates ? sums_json(&status->rates) : json_null());
	(void)json_object_set_new(object, "totals", sums_json(&status->totals));
	(void)json_object_set_new(object, "blocks", blocks_json(&status->blocks));
	(void)json_object_set_new(object, "allowed", count_json(status->allowed));
	(void)json_object_set_new(object, "rules", rules_json(status->rules, status->rule_count));
	(void)json_object_set_new(object, "ways_in", ways_json(status));
	add_live(object, &status->live);
	(void)json_object_set_new(object, "samples",
	                          json_pack("{s:o,s:o,s:o}", "taken", count_json(status->samples_taken), "lost",
	                                    count_json(status->shield.samples_lost), "interval",
	                                    count_json(status->shield.arriving.interval)));
	(void)json_object_set_new(object, "flows_full", count_json(status->shield.flows_full));
	(void)json_object_set_new(object, "cookies_lost", count_json(status->cookies_lost));
	(void)json_object_set_new(
		object, "record",
		json_pack("{s:o,s:o,s:o,s:o,s:o}", "written", count_json(status->record_written), "lost",
	                  count_json(status->record_lost), "state", text_json(status->record_state), "incidents_lost",
	                  count_json(status->incidents_lost), "streams_cut", count_json(status->streams_cut)));
	(void)json_object_set_new(object, "links", links_json(status));
	(void)json_object_set_new(object, "alerts", alerts_json(status));
	(void)json_object_set_new(object, "roles",
	                          json_pack("{s:o,s:o,s:o,s:o,s:o}", "parent", count_json(status->pid), "loader",
	                                    count_json(status->loader_pid), "engine", count_json(status->engine_pid),
	                                    "recorder", count_json(status->recorder_pid), "restarts",
	                                    count_json(status->restarts)));
	return answer(object);
}

/* ---- the record ---- */

char *control_format_arguments(const struct control_request *request)
{
	json_t *object = json_object();
	char match[MATCH_TEXT_SIZE];
	char *text;

	if (request->for_ns)
		(void)json_object_set_new(object, "for_s", count_json((uint64_t)(request->for_ns / NS_PER_S)));
	if (request->confirm_ns)
		(void)json_object_set_new(object, "confirm_s", count_json((uint64_t)(request->confirm_ns / NS_PER_S)));
	if (request->reason[0])
		(void)json_object_set_new(object, "reason", text_json(request->reason));
	if (request->has_rule) {
		(void)json_object_set_new(object, "match", json_string(match_format(&request->rule.match, match)));
		(void)json_object_set_new(object, "action", json_string(rule_action_name(request->rule.action)));
	}
	if (request->has_scope)
		(void)json_object_set_new(object, "scope", prefix_json(&request->rule.scope));
	if (request->rule.rate_pps)
		(void)json_object_set_new(object, "rate_pps", count_json(request->rule.rate_pps));
	if (request->shadow)
		(void)json_object_set_new(object, "shadow", json_true());
	text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(object);
	return text;
}
