/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict needs more than one sign, and a sign needs an effect, not only a p-value: at a million sources any filter
 * on the way rejects perfect uniformity. Reserved source addresses raise suspicion only: laboratories and anonymised
 * captures are full of them.
 *
 * Uniform 32-bit sources repeat: n packets have about n^2 / 2^33 coincidences. So thousands of sources seen once each,
 * over all of the address space, are what a random number generator makes, and what real hosts do not.
 */
#include "trace/spoofing.h"

#include <stdarg.h>
#include <stdio.h>

#include "observe/protocol.h"

#define CROWD 500         /* sources from which on their spread says something */
#define SPREAD_OCTETS 96  /* first octets in use of about 220 that are routed */
#define ONCE_PERMILLE 900 /* sources per thousand packets from which on each was seen about once */
#define TTL_SAME_PERMILLE 950
#define BOGON_LOW 100 /* bogons per thousand packets that uniform spoofing yields: 13.8 % of IPv4 is reserved */
#define BOGON_HIGH 180

__attribute__((format(printf, 2, 3))) static void reason(struct spoofing *s, const char *format, ...)
{
	va_list arguments;

	if (s->reasons_count == SPOOFING_REASONS_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(s->reasons[s->reasons_count++], SPOOFING_REASON_SIZE, format, arguments);
	va_end(arguments);
}

static uint64_t at_most(uint64_t estimate, uint64_t bound)
{
	return estimate < bound ? estimate : bound;
}

static unsigned octets_used(const struct window *w)
{
	unsigned used = 0;

	for (unsigned i = 0; i < 256; i++)
		used += w->source_octet[i] > 0;
	return used;
}

static uint64_t permille(uint64_t part, uint64_t whole)
{
	return whole ? part * 1000 / whole : 0;
}

static void judge_stateless(const struct window *w, bool tcp, struct spoofing *s)
{
	uint64_t sources = at_most(hll_estimate(&w->sources), w->packets);
	uint64_t networks = at_most(hll_estimate(&w->source_networks), sources);
	uint64_t top_ttl = 0;
	unsigned octets = octets_used(w), signs = 0;

	for (unsigned i = 0; i < 256; i++)
		top_ttl = w->ttl[i] > top_ttl ? w->ttl[i] : top_ttl;
	if (!tcp)
		reason(s, "these packets need no answer, so a forged address serves as well as a real one");
	else if (w->handshakes)
		reason(s,
		       "%llu handshakes were completed meanwhile; the packets that count here are those that were not",
		       (unsigned long long)w->handshakes);
	else
		reason(s,
		       sources == 1 ? "its one source address never completed a handshake"
		                    : "none of about %llu source addresses ever completed a handshake",
		       (unsigned long long)sources);
	if (sources < CROWD) {
		if (sources > 1)
			reason(s, "only about %llu source addresses: too few for their spread to say anything",
			       (unsigned long long)sources);
		return;
	}
	if (permille(sources, w->packets) >= ONCE_PERMILLE) {
		signs++;
		reason(s, "%llu packets came from about %llu sources: nearly every address was used once",
		       (unsigned long long)w->packets, (unsigned long long)sources);
	}
	if (octets >= SPREAD_OCTETS && networks * 10 >= sources * 9) {
		signs++;
		reason(s,
		       "sources lie in %u of 256 parts of the address space and about %llu networks (/24, IPv6 /48): spread like random numbers, not like networks",
		       octets, (unsigned long long)networks);
	}
	if (permille(top_ttl, w->packets) >= TTL_SAME_PERMILLE && octets >= SPREAD_OCTETS) {
		signs++;
		reason(s,
		       "%llu in 1000 packets arrived with the same TTL, though their addresses lie all over the world",
		       (unsigned long long)permille(top_ttl, w->packets));
	}
	if (permille(w->bogons, w->packets) >= BOGON_LOW && permille(w->bogons, w->packets) <= BOGON_HIGH &&
	    octets >= SPREAD_OCTETS) {
		signs++;
		reason(s, "%llu in 1000 packets claim reserved addresses, as random numbers would (138 in 1000)",
		       (unsigned long long)permille(w->bogons, w->packets));
	}
	if (w->resets_back * 20 >= w->packets)
		reason(s,
		       "%llu answers of ours were reset by hosts that knew nothing of it: their addresses were borrowed",
		       (unsigned long long)w->resets_back);
	if (w->resets_back * 5 >= w->packets && permille(sources, w->packets) >= ONCE_PERMILLE)
		signs++;
	if (signs >= 2 && w->handshakes * 2 < w->packets)
		s->verdict = SPOOFING_SPOOFED;
}

void spoofing_judge(const struct incident *incident, struct spoofing *s)
{
	const struct incident_part *part = &incident->parts[0];
	const struct vector *vector = vector_get(part->kind);

	*s = (struct spoofing){ .verdict = SPOOFING_UNDETERMINED };
	switch (vector->class) {
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
		judge_stateless(part->window, vector->protocol == PROTOCOL_TCP, s);
		return;
	}
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
