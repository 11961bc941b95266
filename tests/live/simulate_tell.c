/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run, as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "simulate.h"

#define WAVE_GAP NS_PER_S /* no attack packet for so long: what comes then is another wave */
#define WINDOW (100 * NS_PER_MS)
#define STEP (10 * NS_PER_MS)
#define PASSING_PERCENT 5
#define WINDOW_PACKETS 5

/*
 * From a wave's first packet until a window begins in which less than 5 % pass; -1 where there is none. Of what comes
 * from then on, what passed.
 */
static void judge_wave(const struct attack_packet *p, size_t count, int64_t *until_ns, uint64_t *after,
                       uint64_t *after_passed)
{
	*until_ns = -1;
	*after = *after_passed = 0;
	for (int64_t from = p[0].ns; from <= p[count - 1].ns; from += STEP) {
		uint64_t seen = 0, passed = 0;
		size_t low = 0, high = count;

		while (low < high) {
			size_t middle = (low + high) / 2;

			if (p[middle].ns < from)
				low = middle + 1;
			else
				high = middle;
		}
		for (size_t i = low; i < count && p[i].ns < from + WINDOW; i++) {
			seen++;
			passed += p[i].passed;
		}
		if (seen < WINDOW_PACKETS || passed * 100 >= seen * PASSING_PERCENT)
			continue;
		*until_ns = from - p[0].ns;
		for (size_t i = low; i < count; i++) {
			++*after;
			*after_passed += p[i].passed;
		}
		return;
	}
}

static void print_waves(const struct run *r)
{
	uint64_t after_all = 0, passed_all = 0, passed_in_all = 0;
	size_t from = 0;
	bool first = true;

	printf("\"waves\":[");
	for (size_t i = 1; i <= r->attack_count; i++) {
		int64_t until;
		uint64_t after, passed;

		if (i < r->attack_count && r->attack[i].ns - r->attack[i - 1].ns < WAVE_GAP)
			continue;
		judge_wave(r->attack + from, i - from, &until, &after, &passed);
		printf("%s%" PRId64, first ? "" : ",", until < 0 ? -1 : until / NS_PER_MS);
		first = false;
		after_all += after;
		passed_all += passed;
		from = i;
	}
	for (size_t i = 0; i < r->attack_count; i++)
		passed_in_all += r->attack[i].passed;
	printf("],\"attack_passed\":%" PRIu64, passed_in_all);
	printf(",\"after\":%" PRIu64 ",\"after_passed\":%" PRIu64, after_all, passed_all);
}

static void print_finding(const struct finding *f)
{
	char text[MATCH_TEXT_SIZE];

	printf("{\"id\":\"%016" PRIx64 "\",\"target\":\"%s\",\"scan\":%s,\"waves\":%u,\"vectors\":[", f->incident->id,
	       prefix_format(&f->incident->scope, text), f->incident->is_scan ? "true" : "false",
	       f->incident->waves_count);
	for (uint32_t i = 0; i < f->incident->parts_count; i++)
		printf("%s\"%s\"", i ? "," : "", vector_get(f->incident->parts[i].kind)->name);
	printf("],\"rules\":[");
	for (uint32_t i = 0; i < f->signatures.count; i++)
		printf("%s\"%s %s\"", i ? "," : "", rule_action_name(f->signatures.signatures[i].action),
		       match_format(&f->signatures.signatures[i].match, text));
	printf("]}");
}

static void print_rules(const struct run *r)
{
	bool first = true;

	printf("\"rules\":[");
	for (unsigned i = 0; i < RULES_MAX; i++) {
		const struct rule_state *s = &r->rules[i];
		char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

		if (!s->used)
			continue;
		printf("%s\"%s%s %s\"", first ? "" : ",", s->order.shadow ? "shadow " : "",
		       rule_action_name(s->order.rule.action), match_format(&s->order.rule.match, text));
		(void)scope;
		first = false;
	}
	printf("]");
}

void tell_course(const struct run *r)
{
	printf("{\"packets\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"attack\":%zu,\"normal\":%" PRIu64
	       ",\"normal_lost\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"answered_lost\":%" PRIu64 ",\"known\":%" PRIu64
	       ",\"known_lost\":%" PRIu64
	       ",\"added\":%u,\"shadowed\":%u,\"renewed\":%u,\"removed\":%u,\"began\":%u,\"changed\":%u,\"ended\":%u,",
	       r->packets, r->samples, r->attack_count, r->normal, r->normal_lost, r->answered, r->answered_lost,
	       r->known, r->known_lost, r->added, r->shadowed, r->renewed, r->removed, r->began, r->changed, r->ended);
	printf("\"detected_ms\":%" PRId64 ",\"ordered_ms\":%" PRId64 ",\"busiest_ms\":%" PRId64 ",\"searches\":%" PRIu64
	       ",",
	       r->first_incident && r->attack_count ? (r->first_incident - r->attack[0].ns) / NS_PER_MS : -1,
	       r->first_order && r->attack_count ? (r->first_order - r->attack[0].ns) / NS_PER_MS : -1,
	       r->busiest_ns / NS_PER_MS, live_counters(r->live).searches);
	print_waves(r);
	printf(",");
	print_rules(r);
	printf(",\"advice\":[");
	for (unsigned i = 0; i < live_count(r->live); i++) {
		struct live_view view;

		live_view(r->live, i, &view);
		printf("%s\"%s\"", i ? "," : "", view.advice ? view.advice : "");
	}
	printf("],\"fallback\":[");
	for (unsigned i = 0; i < live_count(r->live); i++) {
		struct live_view view;

		live_view(r->live, i, &view);
		printf("%s\"%s\"", i ? "," : "", fallback_state_name(view.fallback));
	}
	printf("],");
}

void tell_end(const struct run *r)
{
	const struct engine *e = live_finished(r->live);

	printf("\"incidents\":[");
	for (uint32_t i = 0; i < engine_count(e); i++) {
		printf("%s", i ? "," : "");
		print_finding(engine_finding(e, i));
	}
	printf("],\"generations\":%u,\"stream_octets\":%" PRIu64 ",\"replays\":%" PRIu64 ",\"replays_wrong\":%" PRIu64
	       "}\n",
	       live_generation(r->live), r->stream_octets, r->replays, r->replays_wrong);
}
