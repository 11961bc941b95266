/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysis as one JSON object, schema "holdfast.analysis/1": others build on its names and order, so one may add to
 * them and must not rename. Rates are per second: the largest count in 100 ms, times ten. Shares are 0..1. What is not
 * known is null.
 *
 * The same analysis always gives the same octets: shares are made from integers.
 */
#include "tell/analysis.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/share.h"
#include "detect/incident_id.h"
#include "measure/slot.h"
#include "tell/account.h"
#include "tell/build.h"
#include "tell/limits.h"
#include "tell/trace_json.h"
#include "tell/words.h"

#define RULE_NAME_SIZE 16

static json_t *rate(uint64_t n, uint64_t by)
{
	return build_integer(account_times(n, by));
}

static json_t *fraction(uint64_t ppm)
{
	return json_real((double)ppm / PPM);
}

/* To four decimals, to the nearest; null where there is nothing to share. */
static json_t *fraction_of(uint64_t part, uint64_t whole)
{
	uint64_t ppm = share_ppm(part, whole);

	return whole ? fraction((ppm + 50) / 100 * 100) : json_null();
}

static json_t *string(const char *text)
{
	return build_text(text, SIZE_MAX);
}

static void set_where_any(struct build *b, json_t *object, const char *key, uint64_t n)
{
	if (n)
		build_set(b, object, key, build_integer(n));
}

static json_t *limits_json(struct build *b, const struct engine_totals *totals)
{
	json_t *object = json_object();

	for (size_t i = 0; i < limits_count; i++)
		set_where_any(b, object, limits_known[i].key, limits_hit(&limits_known[i], totals));
	return object;
}

static json_t *input_json(struct build *b, const struct analysis_input *input, const struct engine_totals *totals)
{
	json_t *object = json_object(), *files = json_array(), *reasons = json_object();

	for (size_t i = 0; i < input->files_count; i++)
		build_append(b, files, string(input->files[i]));
	build_set(b, object, "files", files);
	build_set(b, object, "packets", build_integer(input->packets));
	build_set(b, object, "bytes", build_integer(input->bytes));
	build_set(b, object, "first", input->has_time ? build_time(input->first.ns) : json_null());
	build_set(b, object, "last", input->has_time ? build_time(input->last.ns) : json_null());
	build_set(b, object, "undecodable", build_integer(input->undecodable));
	build_set(b, object, "truncated", json_boolean(input->truncated));
	build_set(b, object, "out_of_order", build_integer(input->out_of_order));
	for (unsigned i = DECODE_LINK_UNKNOWN; i < DECODE_RESULTS; i++)
		set_where_any(b, reasons, decode_result_name((enum decode_result)i), input->by_reason[i]);
	build_set(b, object, "undecodable_by_reason", reasons);
	build_set(b, object, "not_ip", build_integer(input->by_reason[DECODE_ARP] + input->by_reason[DECODE_NOT_IP]));
	build_set(b, object, "clock_jumps", build_integer(totals->clock_jumps));
	build_set(b, object, "limits_hit", limits_json(b, totals));
	build_set(b, object, "error", string(input->error));
	return object;
}

static json_t *target_json(struct build *b, const struct analysis_input *input, const struct finding *finding)
{
	json_t *object = json_object(), *ports = json_array();
	char text[PREFIX_TEXT_SIZE];
	const char *service = input->service_of ? input->service_of(input->service_context, finding) : NULL;

	build_set(b, object, "scope", json_string(prefix_format(&finding->incident->scope, text)));
	build_set(b, object, "service", string(service));
	build_set(b, object, "destinations", build_integer(finding->destinations));
	for (uint32_t i = 0; i < finding->ports_count && i < FINDING_PORTS_MAX; i++)
		build_append(b, ports, build_integer(finding->ports[i]));
	build_set(b, object, "ports", ports);
	return object;
}

static json_t *waves_json(struct build *b, const struct incident *incident)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < incident->waves_count && i < INCIDENT_WAVES_MAX; i++) {
		const struct wave *wave = &incident->waves[i];
		json_t *object = json_object();

		build_set(b, object, "began", build_time(wave->began.ns));
		build_set(b, object, "ended", wave->open ? json_null() : build_time(wave->ended.ns));
		build_set(b, object, "peak_pps", rate(wave->peak_packets, SLOTS_PER_SECOND));
		build_set(b, object, "peak_bps", rate(wave->peak_bytes, SLOTS_PER_SECOND * WORDS_BITS_PER_OCTET));
		build_set(b, object, "packets", build_integer(wave->packets));
		build_set(b, object, "bytes", build_integer(wave->bytes));
		build_append(b, array, object);
	}
	return array;
}

static json_t *evidence_json(struct build *b, const struct http_facts *facts)
{
	char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE];
	unsigned count = http_facts_tell(facts, lines);
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		build_append(b, array, string(lines[i]));
	return array;
}

static json_t *vectors_json(struct build *b, const struct incident *incident)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < incident->parts_count && i < INCIDENT_PARTS_MAX; i++) {
		const struct vector *vector = vector_get(incident->parts[i].kind);
		const struct window *window = incident->parts[i].window;
		json_t *object = json_object();

		build_set(b, object, "name", string(vector->name));
		build_set(b, object, "packets", build_integer(window->packets));
		build_set(b, object, "bytes", build_integer(window->bytes));
		build_set(b, object, "share", fraction_of(window->packets, incident->packets));
		build_set(b, object, "title", string(vector->title));
		build_set(b, object, "bytes_share", fraction_of(window->bytes, incident->bytes));
		build_set(b, object, "explanation", string(vector->explanation));
		if (vector->class == VECTOR_APPLICATION)
			build_set(b, object, "evidence", evidence_json(b, &incident->parts[i].http));
		build_append(b, array, object);
	}
	return array;
}

static json_t *shape_json(struct build *b, const struct finding *finding)
{
	const struct {
		bool is;
		const char *name;
	} shapes[] = {
		{ finding->carpet, "carpet" },
		{ finding->pulse, "pulse" },
		{ finding->burst, "burst" },
		{ finding->multi_vector, "multi_vector" },
	};
	json_t *array = json_array();

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].is)
			build_append(b, array, json_string(shapes[i].name));
	return array;
}

static json_t *sources_json(struct build *b, const struct finding *finding)
{
	const struct spoofing *spoofing = &finding->spoofing;
	const struct incident *incident = finding->incident;
	json_t *object = json_object(), *verdict = json_object(), *reasons = json_array();

	build_set(b, object, "estimate", build_integer(finding->sources));
	build_set(b, object, "relative_error", fraction(finding->sources_error_ppm));
	build_set(b, verdict, "verdict", json_string(spoofing_verdict_name(spoofing->verdict)));
	for (uint32_t i = 0; i < spoofing->reasons_count && i < SPOOFING_REASONS_MAX; i++)
		build_append(b, reasons, string(spoofing->reasons[i]));
	build_set(b, verdict, "reasons", reasons);
	if (incident->parts_count) /* it is about the largest part */
		build_set(b, verdict, "vector", string(vector_get(incident->parts[0].kind)->name));
	build_set(b, object, "spoofing", verdict);
	if (spoofing->verdict == SPOOFING_SPOOFED)
		build_set(b, object, "note", json_string("the estimate counts forged addresses, not devices"));
	return object;
}

static json_t *families_json(struct build *b, const struct finding *finding)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < finding->families_count && i < FINDING_FAMILIES_MAX; i++) {
		const struct finding_family *family = &finding->families[i];
		json_t *object = json_object();

		build_set(b, object, "name", string(family->name));
		build_set(b, object, "packets", build_integer(family->packets));
		build_set(b, object, "mark", string(family->mark));
		build_set(b, object, "consistent_with", string(family->name));
		build_append(b, array, object);
	}
	return array;
}

static json_t *signatures_json(struct build *b, const struct finding *finding)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < finding->signatures.count && i < SIGNATURES_MAX; i++) {
		const struct signature *s = &finding->signatures.signatures[i];
		json_t *object = json_object();
		char text[MATCH_TEXT_SIZE];

		build_set(b, object, "match", json_string(match_format(&s->match, text)));
		build_set(b, object, "coverage", fraction(s->coverage_ppm));
		build_set(b, object, "false_positive_bound", s->has_bound ? fraction(s->bound_ppm) : json_null());
		build_set(b, object, "baseline_samples", build_integer(s->baseline_samples));
		build_set(b, object, "action", json_string(rule_action_name(s->action)));
		if (s->action == RULE_RATE_LIMIT)
			build_set(b, object, "rate_limit_pps", build_integer(s->rate_limit_pps));
		build_set(b, object, "reason", string(s->reason));
		build_set(b, object, "coverage_added", fraction(s->added_ppm));
		/* none hit of none tested is not known, not 0 */
		build_set(b, object, "baseline_hits",
		          s->baseline_samples ? build_integer(s->baseline_hits) : json_null());
		build_set(b, object, "verified_samples", build_integer(s->verified_samples));
		build_set(b, object, "verified_hits",
		          s->verified_samples ? build_integer(s->verified_hits) : json_null());
		build_append(b, array, object);
	}
	return array;
}

/* null: nothing was found out about its sources. */
static json_t *trace_of(const struct analysis_input *input, const struct finding *finding)
{
	const struct trace *trace = input->trace_of(input->trace_context, finding);

	return trace ? trace_json(trace) : json_null();
}

/* Only where claims are asked for. */
static json_t *claims_json(struct build *b, const struct analysis_input *input, const struct finding *finding)
{
	const struct analysis_claim *claims = NULL;
	size_t count = input->claims_of(input->claims_context, finding, &claims);
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct analysis_claim *claim = &claims[i];
		json_t *object = json_object();

		build_set(b, object, "id", string(claim->id));
		build_set(b, object, "by", string(claim->by));
		build_set(b, object, "at", build_time_or_null(claim->at_ns));
		build_set(b, object, "url", string(claim->url));
		build_set(b, object, "text", string(claim->text));
		build_set(b, object, "predicate", string(claim->predicate));
		build_set(b, object, "verdict", claim->verdict[0] ? string(claim->verdict) : json_null());
		build_set(b, object, "word", string(claim->word));
		build_set(b, object, "confidence", string(claim->confidence));
		build_set(b, object, "cap", string(claim->cap));
		build_set(b, object, "reason", string(claim->reason));
		build_append(b, array, object);
	}
	return array;
}

/* What the rules would have let pass, over the attack's time; null: nothing is known. */
static json_t *passed_json(struct build *b, const struct passage *passage)
{
	json_t *object = json_object();

	if (!passage->bins) {
		json_decref(object);
		return json_null();
	}
	build_set(b, object, "share", fraction(passage->passed_ppm));
	build_set(b, object, "at_most", fraction(passage->upper_ppm));
	build_set(b, object, "packets", build_integer(passage->packets));
	build_set(b, object, "bytes", build_integer(passage->bytes));
	build_set(b, object, "sampled", build_integer(passage->sampled));
	return object;
}

static json_t *incident_json(struct build *b, const struct analysis_input *input, const struct finding *finding)
{
	const struct incident *incident = finding->incident;
	int64_t delay = time_since(incident->detected, incident->began);
	json_t *object = json_object(), *limits = json_object();
	char id[INCIDENT_ID_SIZE];

	incident_id_format(incident->id, id);
	build_set(b, object, "id", json_string(id));
	build_set(b, object, "target", target_json(b, input, finding));
	build_set(b, object, "began", build_time(incident->began.ns));
	build_set(b, object, "ended", incident->open ? json_null() : build_time(incident->ended.ns));
	build_set(b, object, "detected", build_time(incident->detected.ns));
	build_set(b, object, "detection_delay_ms", build_integer(delay > 0 ? (uint64_t)delay / NS_PER_MS : 0));
	build_set(b, object, "waves", waves_json(b, incident));
	build_set(b, object, "vectors", vectors_json(b, incident));
	build_set(b, object, "shape", shape_json(b, finding));
	build_set(b, object, "packets", build_integer(incident->packets));
	build_set(b, object, "bytes", build_integer(incident->bytes));
	build_set(b, object, "peak_pps", rate(incident->peak_packets, SLOTS_PER_SECOND));
	build_set(b, object, "peak_bps", rate(incident->peak_bytes, SLOTS_PER_SECOND * WORDS_BITS_PER_OCTET));
	build_set(b, object, "sources", sources_json(b, finding));
	build_set(b, object, "families", families_json(b, finding));
	build_set(b, object, "signatures", signatures_json(b, finding));
	/* of a scan nothing needs to be caught, so nothing is left over either */
	build_set(b, object, "residual",
	          incident->is_scan && finding->signatures.count == 0 ? json_null()
	                                                              : fraction(finding->signatures.residual_ppm));
	build_set(b, object, "passed", passed_json(b, &finding->passage));
	build_set(b, object, "advice", string(finding->advice));
	set_where_any(b, limits, "vectors_lost", incident->parts_lost);
	set_where_any(b, limits, "waves_joined", incident->waves_lost);
	build_set(b, object, "limits_hit", limits);
	if (input->trace_of)
		build_set(b, object, "trace", trace_of(input, finding));
	if (input->claims_of)
		build_set(b, object, "claims", claims_json(b, input, finding));
	return object;
}

static json_t *peace_json(struct build *b, uint64_t packets, uint32_t incidents)
{
	json_t *object = json_object();
	const char *note = "packets in no incident";

	if (packets == 0)
		note = "no packet outside an incident: what a rule would cost normal users cannot be measured";
	else if (incidents == 0)
		note = "all packets that could be decoded; no incident";
	build_set(b, object, "packets", build_integer(packets));
	build_set(b, object, "note", json_string(note));
	return object;
}

/* What became of a rule; times are null where there are none. */
static json_t *life_json(struct build *b, const struct life *life)
{
	const struct {
		const char *name;
		uint64_t packets;
	} counts[] = {
		{ "matched", life->count.matched }, { "dropped", life->count.dropped },
		{ "spared", life->count.spared },   { "answered", life->count.answered },
		{ "probes", life->count.probes },   { "completed", life->count.completed },
		{ "known", life->count.known },     { "known_lost", life->count.known_lost },
	};
	json_t *object = json_object(), *counted = json_object();
	char name[RULE_NAME_SIZE], match[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

	snprintf(name, sizeof(name), "r%" PRIu32, life->number);
	build_set(b, object, "id", life->number ? json_string(name) : json_null());
	build_set(b, object, "handle", build_integer(life->handle));
	build_set(b, object, "state", json_string(life_state_name(life->state)));
	build_set(b, object, "why", string(life->why));
	build_set(b, object, "reason", string(life->signature.reason));
	build_set(b, object, "match", json_string(match_format(&life->rule.match, match)));
	build_set(b, object, "scope", json_string(prefix_format(&life->rule.scope, scope)));
	build_set(b, object, "action", json_string(rule_action_name(life->rule.action)));
	build_set(b, object, "rate_pps",
	          life->rule.action == RULE_RATE_LIMIT ? build_integer(life->rule.rate_pps) : json_null());
	build_set(b, object, "fallback", json_boolean(life->fallback));
	build_set(b, object, "unless_known", json_boolean(life->known));
	build_set(b, object, "each_source", json_boolean(life->each));
	build_set(b, object, "source_pps", life->source_pps ? build_integer(life->source_pps) : json_null());
	build_set(b, object, "made", build_time(life->made.ns));
	build_set(b, object, "changed", build_time(life->changed.ns));
	build_set(b, object, "last_match", life->count.matched ? build_time(life->last_match.ns) : json_null());
	build_set(b, object, "arm_pps", life->arm_pps ? build_integer(life->arm_pps) : json_null());
	build_set(b, object, "waves", build_integer(life->waves));
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		build_set(b, counted, counts[i].name, build_integer(counts[i].packets));
	build_set(b, object, "packets", counted);
	return object;
}

static json_t *live_json(struct build *b, const struct analysis_live *live)
{
	json_t *object = json_object(), *rules = json_array();

	for (unsigned i = 0; i < live->rule_count; i++)
		build_append(b, rules, life_json(b, live->rules[i]));
	build_set(b, object, "rules", rules);
	if (live->series && live->series->count)
		build_set(b, object, "series", series_json(live->series));
	return object;
}

/* What is said of these findings, and of nothing else that the engine knows. */
static json_t *analysis_json(const struct analysis_input *input, const struct engine_totals *totals,
                             const struct finding *const *findings, uint32_t count, const struct analysis_live *live)
{
	struct build b = { .failed = false };
	json_t *root = json_object(), *incidents = json_array();

	build_set(&b, root, "schema", json_string(ANALYSIS_SCHEMA));
	build_set(&b, root, "input", input_json(&b, input, totals));
	for (uint32_t i = 0; i < count; i++)
		build_append(&b, incidents, incident_json(&b, input, findings[i]));
	build_set(&b, root, "incidents", incidents);
	build_set(&b, root, "peace", peace_json(&b, totals->peace_packets, count));
	if (live)
		build_set(&b, root, "live", live_json(&b, live));
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

/* Takes `root`, which may be NULL where there was no memory. */
static int write_json(FILE *out, json_t *root)
{
	int result = root ? build_write(out, root) : -ENOMEM;

	json_decref(root);
	return result;
}

int analysis_json_write_live(FILE *out, const struct analysis_input *input, const struct engine *engine,
                             const struct analysis_live *live)
{
	uint32_t count = engine_count(engine);
	const struct finding **findings = calloc(count + 1, sizeof(const struct finding *));
	int result;

	if (!findings)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		findings[i] = engine_finding(engine, i);
	result = write_json(out, analysis_json(input, engine_totals(engine), findings, count, live));
	free(findings);
	return result;
}

int analysis_json_write(FILE *out, const struct analysis_input *input, const struct engine *engine)
{
	return analysis_json_write_live(out, input, engine, NULL);
}

int analysis_json_write_finding(FILE *out, const struct analysis_input *input, const struct engine_totals *totals,
                                const struct finding *finding, const struct analysis_live *live)
{
	return write_json(out, analysis_json(input, totals, &finding, 1, live));
}

const json_t *analysis_json_find(const json_t *analysis, uint64_t id)
{
	const json_t *incident;
	char name[INCIDENT_ID_SIZE];
	size_t i;

	incident_id_format(id, name);
	json_array_foreach(json_object_get(analysis, "incidents"), i, incident)
	{
		const char *found = json_string_value(json_object_get(incident, "id"));

		if (found && strcmp(found, name) == 0)
			return incident;
	}
	return NULL;
}

struct analysis_input analysis_input_of(const struct engine_totals *totals, const char *const *files,
                                        size_t files_count)
{
	return (struct analysis_input){
		.files = files,
		.files_count = files_count,
		.packets = totals->packets,
		.bytes = totals->bytes,
		.first = totals->first,
		.last = totals->last,
		.has_time = totals->packets > 0,
		.out_of_order = totals->out_of_order,
	};
}
