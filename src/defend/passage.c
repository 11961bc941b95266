/* SPDX-License-Identifier: Apache-2.0 */
#include "defend/passage.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/share.h"
#include "measure/slot.h"

#define NO_RULE SIGNATURES_MAX /* whoever no rule holds */

/* The sample of one bin, by the rule that decides. */
struct counts {
	uint64_t packets, bytes; /* of the sample: their weights, and octets */
	uint64_t rule_packets[SIGNATURES_MAX + 1], rule_bytes[SIGNATURES_MAX + 1];
};

static uint32_t ruling(const struct signature_set *set, const struct observation *o)
{
	for (uint32_t i = 0; i < set->count && i < SIGNATURES_MAX; i++)
		if (match_test(&set->signatures[i].match, o))
			return i;
	return NO_RULE;
}

static void count(struct counts *c, uint32_t rule, const struct observation *o)
{
	uint64_t bytes = (uint64_t)o->length * o->weight;

	c->packets += o->weight;
	c->bytes += bytes;
	c->rule_packets[rule] += o->weight;
	c->rule_bytes[rule] += bytes;
}

/* As share_of(), but to the nearest: of hundreds of bins with a packet or two each, cutting off would lose a third. */
static uint64_t nearest(uint64_t whole, uint64_t part, uint64_t of)
{
	return (share_of(2 * whole, part, of) + 1) / 2;
}

/*
 * Of `bin`, whose packets the rules hold as `c` says, what passes. What nothing holds up is added up before it is
 * scaled, so that all of an attack passes that no rule touches.
 */
static struct timeline_bin pass(const struct counts *c, const struct signature_set *set, const struct timeline_bin *bin,
                                int64_t step_ns)
{
	struct timeline_bin passed = { 0, 0 };
	uint64_t free_packets = 0, free_bytes = 0;

	for (uint32_t i = 0; i <= NO_RULE; i++) {
		enum rule_action action = i < set->count ? set->signatures[i].action : RULE_NONE;
		uint64_t packets, bytes, allowed;

		if (action == RULE_DROP)
			continue;
		if (action != RULE_RATE_LIMIT) {
			free_packets += c->rule_packets[i];
			free_bytes += c->rule_bytes[i];
			continue;
		}
		packets = nearest(bin->packets, c->rule_packets[i], c->packets);
		bytes = nearest(bin->bytes, c->rule_bytes[i], c->bytes);
		allowed = share_of((uint64_t)step_ns, set->signatures[i].rate_limit_pps, NS_PER_S);
		if (allowed < packets) {
			bytes = share_of(bytes, allowed, packets);
			packets = allowed;
		}
		passed.packets += packets;
		passed.bytes += bytes;
	}
	passed.packets += nearest(bin->packets, free_packets, c->packets);
	passed.bytes += nearest(bin->bytes, free_bytes, c->bytes);
	return passed;
}

/* Late packets aside, every sampled packet is in a bin of its own incident's timeline. */
static bool in_range(const struct timeline *t, int64_t slot)
{
	return slot >= t->first_slot && slot <= t->last_slot;
}

static void sum_up(const struct timeline *t, uint32_t bins, uint64_t seen, struct passage *p)
{
	uint64_t whole = 0;

	for (uint32_t i = 0; i < bins; i++) {
		whole += timeline_bin(t, i)->packets;
		p->packets += p->bins[i].packets;
		p->bytes += p->bins[i].bytes;
	}
	p->passed_ppm = (uint32_t)share_ppm(p->packets, whole);
	p->upper_ppm = p->passed_ppm;
	if (seen > p->sampled) {
		uint32_t bound = signature_bound_ppm(share_of(p->sampled, p->passed_ppm, PPM), p->sampled);

		p->upper_ppm = bound > p->passed_ppm ? bound : p->passed_ppm;
	}
}

int passage_estimate(const struct timeline *t, const struct sample *sample, const struct signature_set *set,
                     struct passage *passage)
{
	uint32_t bins = timeline_count(t);
	struct passage p = { .sampled = sample->used };
	struct counts *counts, *all;

	*passage = (struct passage){ .sampled = 0 };
	if (bins == 0 || sample->used == 0)
		return 0;
	counts = calloc((size_t)bins + 1, sizeof(*counts));
	p.bins = calloc(bins, sizeof(*p.bins));
	if (!counts || !p.bins) {
		free(counts);
		free(p.bins);
		return -ENOMEM;
	}
	all = &counts[bins];
	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;
		uint32_t rule;
		int64_t slot;

		sample_read(sample, i, &o);
		slot = slot_of(o.time.ns);
		rule = ruling(set, &o);
		count(all, rule, &o);
		if (in_range(t, slot))
			count(&counts[timeline_index(t, slot)], rule, &o);
	}
	/* A bin that the sample has missed is as the whole is. */
	for (uint32_t i = 0; i < bins; i++)
		p.bins[i] = pass(counts[i].packets ? &counts[i] : all, set, timeline_bin(t, i), timeline_step_ns(t));
	free(counts);
	sum_up(t, bins, sample->seen, &p);
	*passage = p;
	return 0;
}

void passage_fini(struct passage *p)
{
	free(p->bins);
	*p = (struct passage){ .sampled = 0 };
}
