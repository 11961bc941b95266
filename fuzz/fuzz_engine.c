/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is traffic (traffic.h). Whatever it is, the engine says as many packets as it was given; every finding adds
 * up (parts, waves, shares, times, scope), its signatures hold for as much of the sample as they claim and read back as
 * themselves; the same stream gives the same report, and that is JSON; the report in HTML is sound, and a fingerprint
 * is JSON.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "harness.h"
#include "html.h"
#include "traffic.h"
#include "base/share.h"
#include "detect/incident_list.h"
#include "engine/engine.h"
#include "measure/slot.h"
#include "tell/analysis.h"
#include "tell/fingerprint.h"

#define INPUT_MAX (64u << 10)
#define TWICE_MAX 1024u /* streams up to here are analysed twice, one in TWICE_EVERY */
#define TWICE_EVERY 8u
#define SEED 0x686f6c6466617374u

/* ---- what was found ---- */

static void check_text(const char *text)
{
	REQUIRE(text && *text);
	for (; *text; text++)
		REQUIRE((uint8_t)*text >= ' ' && *text != '\177');
}

static void check_waves(const struct incident *inc, bool in_order)
{
	uint64_t packets = 0, bytes = 0;

	REQUIRE(inc->waves_count >= 1 && inc->waves_count <= INCIDENT_WAVES_MAX);
	for (uint32_t i = 0; i < inc->waves_count; i++) {
		const struct wave *wave = &inc->waves[i];

		REQUIRE(time_since(wave->ended, wave->began) >= 0);
		REQUIRE(time_since(wave->began, inc->began) >= 0 && time_since(wave->ended, inc->ended) <= 0);
		REQUIRE(i == 0 || time_since(wave->began, inc->waves[i - 1].began) >= 0);
		REQUIRE(!wave->open || inc->open);
		/* A late packet may share its slot with those of a wave before. */
		REQUIRE(!in_order || (wave->peak_packets <= wave->packets && wave->peak_bytes <= wave->bytes));
		packets += wave->packets;
		bytes += wave->bytes;
	}
	/* What was too little to be named is still in its wave. */
	REQUIRE(packets >= inc->packets && bytes >= inc->bytes);
	REQUIRE(inc->peak_packets <= packets && inc->peak_bytes <= bytes);
}

static bool hits(const struct sample *sample, uint32_t index, const struct prefix *scope)
{
	struct observation o;

	sample_read(sample, index, &o);
	return prefix_contains(scope, &o.dst);
}

static void check_parts(const struct incident *inc)
{
	uint64_t packets = 0, bytes = 0;
	bool holds = false;

	REQUIRE(inc->parts_count >= 1 && inc->parts_count <= INCIDENT_PARTS_MAX);
	for (uint32_t i = 0; i < inc->parts_count; i++) {
		const struct window *w = inc->parts[i].window;

		REQUIRE(w && w->packets > 0 && inc->parts[i].kind > VECTOR_NONE && inc->parts[i].kind < vector_count());
		REQUIRE(i == 0 || w->packets <= inc->parts[i - 1].window->packets);
		REQUIRE(w->fragments <= w->packets && w->later_fragments <= w->fragments);
		REQUIRE(w->payloads <= w->packets && w->bogons <= w->packets);
		REQUIRE(time_since(w->last, w->first) >= 0);
		REQUIRE(w->sample.used > 0 && w->sample.used <= INCIDENT_SAMPLE && w->sample.used <= w->packets);
		for (uint32_t j = 0; j < w->sample.used && !holds; j++)
			holds = hits(&w->sample, j, &inc->scope);
		packets += w->packets;
		bytes += w->bytes;
	}
	REQUIRE(holds);
	REQUIRE(packets == inc->packets || (packets < inc->packets && inc->parts_lost));
	REQUIRE(bytes == inc->bytes || (bytes < inc->bytes && inc->parts_lost));
}

static void check_scope(const struct prefix *scope)
{
	struct prefix clean = prefix_of(&scope->address, scope->length), read;
	char text[PREFIX_TEXT_SIZE];

	REQUIRE(scope->is_ipv4 == address_is_ipv4(&scope->address) && scope->length <= (scope->is_ipv4 ? 32 : 128));
	REQUIRE(prefix_equal(&clean, scope));
	REQUIRE(prefix_parse(prefix_format(scope, text), &read) == 0 && prefix_equal(&read, scope));
}

static void check_incident(const struct incident *inc, const struct stream *s)
{
	check_scope(&inc->scope);
	REQUIRE(inc->packets > 0 && inc->packets <= s->packets && inc->bytes <= s->bytes);
	REQUIRE(time_since(inc->ended, inc->began) >= 0 && time_since(inc->detected, inc->began) >= 0);
	/* An incident that begins before what the ring still holds begins with a slot. */
	REQUIRE(slot_of(inc->began.ns) >= slot_of(s->first.ns) && time_since(inc->ended, s->last) <= 0);
	check_waves(inc, engine_totals(s->engine)->out_of_order == 0);
	check_parts(inc);
}

static uint32_t count_hits(const struct window *total, const struct match *match)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < total->sample.used; i++) {
		struct observation o;

		sample_read(&total->sample, i, &o);
		hits += match_test(match, &o);
	}
	return hits;
}

static void check_signature(const struct signature *g, const struct window *total)
{
	char text[MATCH_TEXT_SIZE], again[MATCH_TEXT_SIZE];
	struct match_error error;
	struct match read;
	enum rule_action action;

	REQUIRE(g->match.count >= 1 && g->match.count <= MATCH_TERMS_MAX);
	REQUIRE(match_format(&g->match, text) == text && strlen(text) < sizeof(text));
	REQUIRE(match_parse(text, &read, &error) == 0 && read.count == g->match.count);
	for (unsigned i = 0; i < read.count; i++)
		REQUIRE(match_term_equal(&read.terms[i], &g->match.terms[i]));
	REQUIRE(strcmp(match_format(&read, again), text) == 0);
	REQUIRE(rule_action_parse(rule_action_name(g->action), &action) == 0 && action == g->action);
	check_text(g->reason);
	/* The search saw the very sample. */
	REQUIRE(g->coverage_ppm == (uint64_t)count_hits(total, &read) * PPM / total->sample.used);
	REQUIRE(g->added_ppm > 0 && g->added_ppm <= g->coverage_ppm && g->coverage_ppm <= PPM);
	REQUIRE(g->bound_ppm <= PPM && g->has_bound == (g->baseline_samples > 0));
	REQUIRE(g->baseline_hits <= g->baseline_samples && g->verified_hits <= g->verified_samples);
	REQUIRE(g->action != RULE_DROP || (g->has_bound && g->bound_ppm <= SIGNATURE_DROP_PPM));
	REQUIRE(g->action != RULE_RATE_LIMIT || (g->rate_limit_pps > 0 && g->bound_ppm <= SIGNATURE_LIMIT_PPM));
}

static void check_signatures(const struct finding *f)
{
	struct window *total = incident_window(f->incident);
	uint32_t added = 0, budget = 0;

	REQUIRE(total && f->signatures.count <= SIGNATURES_MAX && f->signatures.residual_ppm <= PPM);
	for (uint32_t i = 0; i < f->signatures.count; i++) {
		const struct signature *g = &f->signatures.signatures[i];

		check_signature(g, total);
		added += g->added_ppm;
		budget += g->action == RULE_DROP ? g->bound_ppm : 0;
	}
	REQUIRE(added <= PPM && budget <= SIGNATURE_BUDGET_PPM);
	window_free(total);
}

static void check_finding(const struct finding *f, const struct stream *s)
{
	const struct incident *inc = f->incident;
	unsigned host_bits;

	REQUIRE(inc && f->total);
	check_incident(inc, s);
	host_bits = (inc->scope.is_ipv4 ? 32u : 128u) - inc->scope.length;
	REQUIRE(f->total->packets > 0 && f->total->packets <= inc->packets);
	REQUIRE(f->sources >= 1 && f->sources <= inc->packets);
	REQUIRE(f->destinations >= 1 && f->destinations <= inc->packets);
	REQUIRE(host_bits >= 32 || f->destinations <= 1ull << host_bits);
	REQUIRE(f->ports_count <= FINDING_PORTS_MAX);
	for (uint32_t i = 0; i < f->ports_count; i++)
		for (uint32_t j = 0; j < i; j++)
			REQUIRE(f->ports[i] != f->ports[j]);
	REQUIRE(f->families_count <= FINDING_FAMILIES_MAX);
	for (uint32_t i = 0; i < f->families_count; i++) {
		check_text(f->families[i].name);
		check_text(f->families[i].mark);
		REQUIRE(f->families[i].packets <= inc->packets);
	}
	check_text(spoofing_verdict_name(f->spoofing.verdict));
	REQUIRE(f->spoofing.reasons_count >= 1 && f->spoofing.reasons_count <= SPOOFING_REASONS_MAX);
	for (uint32_t i = 0; i < f->spoofing.reasons_count; i++)
		check_text(f->spoofing.reasons[i]);
	REQUIRE(!f->carpet || host_bits > 0);
	REQUIRE(f->multi_vector == (inc->parts_count > 1));
	if (f->advice)
		check_text(f->advice);
	check_signatures(f);
}

static void check_totals(const struct engine *engine, const struct stream *s)
{
	const struct engine_totals *t = engine_totals(engine);

	REQUIRE(t->packets == s->packets && t->bytes == s->bytes);
	REQUIRE(t->peace_packets <= t->packets && t->out_of_order <= s->count);
	REQUIRE(t->clock_jumps * ENGINE_JUMP_PACKETS <= s->count);
	/* A stray time stamp is not believed. */
	REQUIRE(s->count == 0 || (time_since(t->first, s->first) >= 0 && time_since(t->last, s->last) <= 0));
	REQUIRE(s->count == 0 || time_since(t->last, t->first) >= 0);
	REQUIRE(engine_count(engine) <= INCIDENT_LIST_MAX);
}

/* ---- what is told ---- */

static struct analysis_input input_of(const struct stream *s)
{
	return (struct analysis_input){
		.packets = s->packets,
		.bytes = s->bytes,
		.first = s->first,
		.last = s->last,
		.has_time = s->count > 0,
	};
}

static char *tell_json(const struct stream *s)
{
	struct analysis_input input = input_of(s);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out && analysis_json_write(out, &input, s->engine) == 0 && fclose(out) == 0);
	return text;
}

static void check_json(const char *text, uint32_t findings)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	REQUIRE(root && json_array_size(json_object_get(root, "incidents")) == findings);
	json_decref(root);
}

/* In ASCII: nothing but what a terminal prints. */
static void check_page(const struct stream *s)
{
	struct analysis_input input = input_of(s);
	struct page_options options = { .width = PAGE_WIDTH_MIN + (unsigned)s->count % 101 };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out && page_write(out, &input, s->engine, &options) == 0 && fclose(out) == 0);
	REQUIRE(size > 0 && text[size - 1] == '\n');
	for (size_t i = 0; i < size; i++)
		REQUIRE(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	free(text);
}

/* Where packets' times are a year's and where they are a microsecond's, with as many incidents as there may be. */
static void check_report(const struct stream *s)
{
	struct analysis_input input = input_of(s);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	REQUIRE(out && report_write(out, &input, s->engine, NULL) == 0 && fclose(out) == 0);
	REQUIRE(html_is_sound(text, size));
	free(text);
}

static void check_fingerprint(const struct finding *finding)
{
	char key[FINGERPRINT_KEY_SIZE], *text;
	json_t *root;

	if (finding->incident->is_scan)
		return;
	REQUIRE(fingerprint_make(finding, &text, key) == 0);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_array_size(json_object_get(root, "attack_vectors")) == finding->incident->parts_count);
	json_decref(root);
	free(text);
}

/* No fewer packets over time than in all, and never more that pass. */
static void check_timeline(const struct finding *finding)
{
	const struct incident *incident = finding->incident;
	uint32_t bins = timeline_count(&incident->timeline);
	uint64_t packets = 0;

	for (uint32_t i = 0; i < bins; i++) {
		uint64_t here = timeline_bin(&incident->timeline, i)->packets;

		REQUIRE(!finding->passage.bins || finding->passage.bins[i].packets <= here);
		packets += here;
	}
	REQUIRE(packets >= incident->packets); /* vectors let go as noise are in it */
	REQUIRE(finding->passage.passed_ppm <= PPM && finding->passage.upper_ppm <= PPM);
}

/* The report; the caller frees it. */
static char *analyse(const uint8_t *data, size_t size, struct stream *s)
{
	char *text;

	*s = (struct stream){ .engine = engine_new(SEED) };
	if (!s->engine)
		abort();
	traffic_play(s, data, size);
	REQUIRE(engine_finish(s->engine) == 0);
	check_totals(s->engine, s);
	for (uint32_t i = 0; i < engine_count(s->engine); i++)
		check_finding(engine_finding(s->engine, i), s);
	text = tell_json(s);
	check_json(text, engine_count(s->engine));
	check_page(s);
	check_report(s);
	for (uint32_t i = 0; i < engine_count(s->engine); i++) {
		check_fingerprint(engine_finding(s->engine, i));
		check_timeline(engine_finding(s->engine, i));
	}
	engine_free(s->engine);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream stream;
	char *text, *again;

	if (size > INPUT_MAX)
		return 0;
	text = analyse(data, size, &stream);
	if (stream.count <= TWICE_MAX && traffic_lot(data, size) / TRAFFIC_LONG_EVERY % TWICE_EVERY == 0) {
		again = analyse(data, size, &stream);
		REQUIRE(strcmp(text, again) == 0);
		free(again);
	}
	free(text);
	return 0;
}
