/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict needs more than one sign, and a sign needs an effect, not only a p-value: at a million sources any filter
 * on the way rejects perfect uniformity. Reserved source addresses raise suspicion only: laboratories and anonymised
 * captures are full of them.
 *
 * The tests are in spoofing_tests.c. Thousands of sources seen once each, over all of the address space, are what a
 * random number generator makes, and what real hosts do not.
 */
#include "trace/spoofing.h"

#include <stdarg.h>
#include <stdio.h>

#include "trace/spoofing_inside.h"

#define REASONS_TOLD 5 /* more than that nobody reads; all tests are there beside */
#define BOGON_LOW 100  /* bogons per thousand packets that uniform spoofing yields: 13.8 % of IPv4 is reserved */
#define BOGON_HIGH 180
#define RESETS_TOLD 20 /* one in so many packets: less than makes it a sign, yet worth a word */

__attribute__((format(printf, 2, 3))) static void reason(struct spoofing *s, const char *format, ...)
{
	va_list arguments;

	if (s->reasons_count == REASONS_TOLD)
		return;
	va_start(arguments, format);
	(void)vsnprintf(s->reasons[s->reasons_count++], SPOOFING_REASON_SIZE, format, arguments);
	va_end(arguments);
}

static uint64_t permille(uint64_t part, uint64_t whole)
{
	return whole ? part * 1000 / whole : 0;
}

static bool says(const struct spoofing *s, enum spoofing_kind kind, enum spoofing_verdict verdict)
{
	return s->tests[kind].says == verdict;
}

/* So many in a thousand packets claim reserved addresses as random numbers would, from all over the address space. */
static bool bogons_are_random(const struct spoofing_view *v)
{
	uint64_t bogons = permille(v->window->bogons, v->window->packets);

	return v->sources >= SPOOFING_CROWD && v->octets >= SPOOFING_SPREAD && bogons >= BOGON_LOW &&
	       bogons <= BOGON_HIGH;
}

/* Of the signs, those that people know what to make of. */
static void tell_signs(const struct spoofing_view *v, struct spoofing *s)
{
	const struct window *w = v->window;

	if (says(s, SPOOFING_REPEATS, SPOOFING_SPOOFED))
		reason(s, "%llu packets came from %s%llu sources: nearly every address was used once",
		       (unsigned long long)w->packets, v->about, (unsigned long long)v->sources);
	if (says(s, SPOOFING_NETWORKS, SPOOFING_SPOOFED))
		reason(s,
		       "sources lie in %u of 256 parts of the address space and %s%llu networks (/24, IPv6 /48): spread like random numbers, not like networks",
		       v->octets, v->about, (unsigned long long)v->networks);
	if (says(s, SPOOFING_HOPS, SPOOFING_SPOOFED))
		reason(s,
		       "%llu in 1000 packets arrived with the same TTL, though their addresses lie all over the world",
		       (unsigned long long)permille(v->top_ttl, w->packets));
	if (bogons_are_random(v))
		reason(s, "%llu in 1000 packets claim reserved addresses, as random numbers would (138 in 1000)",
		       (unsigned long long)permille(w->bogons, w->packets));
	if (w->resets_back * RESETS_TOLD >= w->packets)
		reason(s,
		       "%llu answers of ours were reset by hosts that knew nothing of it: their addresses were borrowed",
		       (unsigned long long)w->resets_back);
	if (says(s, SPOOFING_CLONES, SPOOFING_SPOOFED))
		reason(s, "%s", s->tests[SPOOFING_CLONES].text);
	if (says(s, SPOOFING_DEPENDENCE, SPOOFING_SPOOFED))
		reason(s, "%s", s->tests[SPOOFING_DEPENDENCE].text);
}

static void judge_stateless(const struct spoofing_view *v, struct spoofing *s)
{
	static const enum spoofing_kind independent[] = { SPOOFING_UNIFORMITY, SPOOFING_REPEATS,    SPOOFING_NETWORKS,
		                                          SPOOFING_HOPS,       SPOOFING_DEPENDENCE, SPOOFING_RESETS,
		                                          SPOOFING_CLONES };
	const struct window *w = v->window;
	unsigned signs = bogons_are_random(v);

	if (!v->tcp)
		reason(s, "these packets need no answer, so a forged address serves as well as a real one");
	else if (w->handshakes)
		reason(s,
		       "%llu handshakes were completed meanwhile; the packets that count here are those that were not",
		       (unsigned long long)w->handshakes);
	else
		reason(s,
		       v->sources == 1 ? "its one source address never completed a handshake"
		                       : "none of %s%llu source addresses ever completed a handshake",
		       v->about, (unsigned long long)v->sources);
	for (size_t i = 0; i < sizeof(independent) / sizeof(independent[0]); i++)
		signs += says(s, independent[i], SPOOFING_SPOOFED);
	if (says(s, SPOOFING_HANDSHAKES, SPOOFING_VERIFIED)) {
		s->verdict = SPOOFING_VERIFIED;
		reason(s, "%s", s->tests[SPOOFING_HANDSHAKES].text);
	} else if (signs >= 2 && w->handshakes * 2 < w->packets) {
		s->verdict = SPOOFING_SPOOFED;
	}
	if (v->sources >= SPOOFING_CROWD)
		tell_signs(v, s);
	else if (v->sources > 1)
		reason(s, "only %s%llu source addresses: too few for their spread to say anything", v->about,
		       (unsigned long long)v->sources);
}

static void judge_by_class(const struct incident_part *part, const struct spoofing_view *v, struct spoofing *s)
{
	switch (vector_get(part->kind)->class) {
	case VECTOR_REFLECTION:
		s->verdict = SPOOFING_REFLECTORS;
		reason(s,
		       "the packets are answers of real hosts to requests in the target's name: relays, not attackers");
		reason(s, "who sent the requests cannot be seen here");
		return;
	case VECTOR_CONVERSATION:
		s->verdict = SPOOFING_VERIFIED;
		reason(s,
		       "%llu handshakes were completed: a forged address never sees the answer it would have to acknowledge",
		       (unsigned long long)(part->window->handshakes ? part->window->handshakes
		                                                     : part->window->packets));
		return;
	case VECTOR_APPLICATION:
		s->verdict = SPOOFING_VERIFIED;
		reason(s,
		       "all %llu packets came over established connections: a forged address never sees the answer it would have to acknowledge",
		       (unsigned long long)part->window->packets);
		return;
	case VECTOR_SCAN:
		reason(s, "whoever scans wants the answers, so the address is probably its own");
		return;
	case VECTOR_STATELESS:
		if (part->kind == VECTOR_LAND) {
			s->verdict = SPOOFING_SPOOFED;
			reason(s, "the packets claim to come from the very address that they go to");
			return;
		}
		judge_stateless(v, s);
		return;
	}
}

/* What a kind of vector is known to be by itself no test of the others' can say again, or deny. */
static void silence_tests(struct spoofing *s)
{
	for (uint32_t i = 0; i < s->tests_count; i++)
		if (i != SPOOFING_HANDSHAKES)
			s->tests[i].says = SPOOFING_UNDETERMINED;
}

/* Of forged and unknown ones, those that were seen to receive what is sent to them are real all the same. */
static struct spoofing_shares shares_of(enum spoofing_verdict verdict, double verified)
{
	switch (verdict) {
	case SPOOFING_SPOOFED:
		return (struct spoofing_shares){ .spoofed = 1 - verified, .verified = verified };
	case SPOOFING_REFLECTORS:
		return (struct spoofing_shares){ .reflectors = 1 };
	case SPOOFING_VERIFIED:
	case SPOOFING_UNDETERMINED:
		break;
	}
	return (struct spoofing_shares){ .undetermined = 1 - verified, .verified = verified };
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

void spoofing_judge_part(const struct incident *incident, uint32_t index, struct spoofing *s)
{
	const struct incident_part *part = &incident->parts[index];
	enum vector_class class = vector_get(part->kind)->class;
	struct spoofing_view view;

	*s = (struct spoofing){ .verdict = SPOOFING_UNDETERMINED };
	spoofing_view_init(&view, part);
	spoofing_measure(&view, s);
	judge_by_class(part, &view, s);
	if (class != VECTOR_STATELESS || part->kind == VECTOR_LAND)
		silence_tests(s);
	if (class == VECTOR_CONVERSATION || class == VECTOR_APPLICATION) {
		s->packets = s->sources = (struct spoofing_shares){ .verified = 1 };
	} else {
		s->packets = shares_of(s->verdict, share(view.verified_packets, view.looked_packets));
		s->sources = shares_of(s->verdict, share(view.verified, view.looked_count));
	}
	spoofing_view_fini(&view);
}

static void add_shares(struct spoofing_shares *sum, const struct spoofing_shares *of, double weight)
{
	sum->spoofed += of->spoofed * weight;
	sum->verified += of->verified * weight;
	sum->reflectors += of->reflectors * weight;
	sum->undetermined += of->undetermined * weight;
}

static void scale_shares(struct spoofing_shares *sum)
{
	double all = sum->spoofed + sum->verified + sum->reflectors + sum->undetermined;

	if (all > 0) {
		sum->spoofed /= all;
		sum->verified /= all;
		sum->reflectors /= all;
		sum->undetermined /= all;
	} else {
		sum->undetermined = 1;
	}
}

void spoofing_judge(const struct incident *incident, struct spoofing *s)
{
	struct spoofing_shares packets = { 0 }, sources = { 0 };

	*s = (struct spoofing){ .verdict = SPOOFING_UNDETERMINED };
	for (uint32_t i = incident->parts_count; i-- > 0;) {
		const struct window *w = incident->parts[i].window;
		uint64_t estimate = hll_estimate(&w->sources);

		spoofing_judge_part(incident, i, s);
		add_shares(&packets, &s->packets, (double)w->packets);
		add_shares(&sources, &s->sources, (double)(estimate < w->packets ? estimate : w->packets));
	}
	scale_shares(&packets);
	scale_shares(&sources);
	s->packets = packets;
	s->sources = sources;
}

bool spoofing_sources_real(const struct spoofing *s, const struct incident *incident, uint32_t part)
{
	enum vector_class class = vector_get(incident->parts[part].kind)->class;

	if (part == 0)
		return s->verdict == SPOOFING_VERIFIED || s->verdict == SPOOFING_REFLECTORS;
	return class == VECTOR_REFLECTION || class == VECTOR_CONVERSATION || class == VECTOR_APPLICATION;
}

const char *spoofing_verdict_name(enum spoofing_verdict verdict)
{
	switch (verdict) {
	case SPOOFING_SPOOFED:
		return "spoofed";
	case SPOOFING_VERIFIED:
		return "verified";
	case SPOOFING_REFLECTORS:
		return "reflectors";
	case SPOOFING_UNDETERMINED:
		break;
	}
	return "undetermined";
}
