/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/hll.h"
#include "base/topk.h"
#include "detect/vector.h"
#include "measure/window.h"
#include "observe/protocol.h"

#define AHEAD 8 /* packets */

void recent_init(struct recent_ring *ring, uint64_t seed)
{
	ring->seed = seed;
	ring->surveys_lost = 0;
	recent_clear(ring);
}

void recent_clear(struct recent_ring *ring)
{
	ring->pushed = 0;
	memset(ring->untaken, 0, sizeof(ring->untaken));
}

static uint64_t place(const struct recent_ring *ring, uint64_t back)
{
	return (ring->pushed - 1 - back) % RECENT_MAX;
}

static const struct recent *at(const struct recent_ring *ring, uint64_t back)
{
	return &ring->packets[place(ring, back)];
}

struct recent *recent_at(struct recent_ring *ring, uint64_t back)
{
	return &ring->packets[place(ring, back)];
}

uint64_t recent_count(const struct recent_ring *ring)
{
	return ring->pushed < RECENT_MAX ? ring->pushed : RECENT_MAX;
}

const struct observation *recent_whole(const struct recent_ring *ring, uint64_t back)
{
	return &ring->whole[place(ring, back)];
}

bool recent_any_untaken(const struct recent_ring *ring, uint8_t kind)
{
	return ring->untaken[kind] > 0;
}

static void take(struct recent_ring *ring, struct recent *r)
{
	ring->untaken[r->kind] -= !r->taken;
	r->taken = true;
}

void recent_take(struct recent_ring *ring, uint64_t back)
{
	take(ring, recent_at(ring, back));
	if (recent_at(ring, back)->again && back + 1 < recent_count(ring))
		take(ring, recent_at(ring, back + 1));
	if (back > 0 && recent_at(ring, back - 1)->again)
		take(ring, recent_at(ring, back - 1));
}

/* observation_outer() keeps the inside as its quote. */
static bool is_inside(const struct recent *before, const struct observation *outer)
{
	return before->time.ns == outer->time.ns && address_equal(&before->src, &outer->quote.src) &&
	       address_equal(&before->dst, &outer->quote.dst) && before->src_port == outer->quote.src_port &&
	       before->dst_port == outer->quote.dst_port;
}

void recent_push(struct recent_ring *ring, const struct observation *o, uint8_t kind, bool taken)
{
	uint64_t i = ring->pushed % RECENT_MAX;

	/* The ring is larger than the caches near by: what comes next is fetched now. */
	__builtin_prefetch(&ring->packets[(i + AHEAD) % RECENT_MAX], 1);
	if (ring->pushed++ >= RECENT_MAX)
		ring->untaken[ring->packets[i].kind] -= !ring->packets[i].taken;
	ring->untaken[kind] += !taken;
	ring->packets[i] = (struct recent){
		.time = o->time,
		.src = o->src,
		.dst = o->dst,
		.weight = o->weight,
		.src_port = o->src_port,
		.dst_port = o->dst_port,
		.payload_length = o->payload_length,
		.kind = kind,
		.taken = taken,
	};
	if (!taken)
		ring->whole[i] = *o;
	if (kind == VECTOR_GRE_INSIDE || kind == VECTOR_IP_INSIDE)
		ring->packets[i].again = recent_count(ring) > 1 && is_inside(at(ring, 1), o);
	if (taken)
		recent_take(ring, 0);
}

bool recent_reaches_back(const struct recent_ring *ring, int64_t ns)
{
	return recent_count(ring) < RECENT_MAX || at(ring, RECENT_MAX - 1)->time.ns <= ns;
}

bool recent_first(const struct recent_ring *ring, const struct prefix *scope, uint8_t kind, int64_t from_ns,
                  struct capture_time *first)
{
	if (!recent_any_untaken(ring, kind))
		return false;
	for (uint64_t i = recent_count(ring); i-- > 0;) {
		const struct recent *r = at(ring, i);

		if (!r->taken && r->kind == kind && r->time.ns >= from_ns && prefix_contains(scope, &r->dst)) {
			*first = r->time;
			return true;
		}
	}
	return false;
}

/* What a survey counts apart, and what it seeks the heaviest of. */
enum { DISTINCT_SOURCES, DISTINCT_DESTINATIONS, DISTINCT_PORTS, DISTINCT_SOURCE_PORTS, DISTINCT_PAIRS, DISTINCTS };
enum { HEAVIEST_SOURCE, HEAVIEST_DESTINATION, HEAVIEST_SOURCE_PORT, HEAVIEST_PORT, HEAVIESTS };

void recent_survey(struct recent_ring *ring, const struct prefix *scope, uint8_t kind, int64_t since_ns,
                   struct survey *survey)
{
	struct hll *distinct = calloc(DISTINCTS, sizeof(*distinct));
	struct topk *heaviest = calloc(HEAVIESTS, sizeof(*heaviest));
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
	uint64_t packets = 0, seen = 0;

	*survey = (struct survey){ 0 };
	for (uint64_t i = 0; distinct && heaviest && i < recent_count(ring); i++) {
		const struct recent *r = at(ring, i);

		if (r->kind != kind || r->time.ns < since_ns || !prefix_contains(scope, &r->dst))
			continue;
		if (r->taken) {
			survey->taken += r->weight;
			continue;
		}
		packets += r->weight;
		seen++;
		hll_add(&distinct[DISTINCT_SOURCES], hash_address(ring->seed, &r->src));
		hll_add(&distinct[DISTINCT_DESTINATIONS], hash_address(ring->seed, &r->dst));
		hll_add(&distinct[DISTINCT_PORTS], hash_2(ring->seed, r->dst_port, 0));
		hll_add(&distinct[DISTINCT_SOURCE_PORTS], hash_2(ring->seed, r->src_port, 1));
		hll_add(&distinct[DISTINCT_PAIRS], hash_2(hash_address(ring->seed, &r->dst), r->dst_port, 2));
		survey->impossible += address_is_impossible_source(&r->src) ? r->weight : 0;
		survey->system += r->src_port <= PROTOCOL_SYSTEM_PORT_MAX ? r->weight : 0;
		survey->small += r->payload_length <= SURVEY_SMALL ? r->weight : 0;
		topk_add(&heaviest[HEAVIEST_SOURCE_PORT], topk_number(r->src_port), r->weight);
		topk_add(&heaviest[HEAVIEST_PORT], topk_number(r->dst_port), r->weight);
		survey->payload += (uint64_t)r->payload_length * r->weight;
		first_ns = r->time.ns < first_ns ? r->time.ns : first_ns;
		last_ns = r->time.ns > last_ns ? r->time.ns : last_ns;
		topk_add(&heaviest[HEAVIEST_SOURCE], address_topk(&r->src), r->weight);
		topk_add(&heaviest[HEAVIEST_DESTINATION], address_topk(&r->dst), r->weight);
	}
	if (distinct && heaviest) {
		survey->packets = packets;
		survey->seen = seen;
		survey->sources = hll_estimate(&distinct[DISTINCT_SOURCES]);
		survey->destinations = hll_estimate(&distinct[DISTINCT_DESTINATIONS]);
		survey->ports = hll_estimate(&distinct[DISTINCT_PORTS]);
		survey->pairs = hll_estimate(&distinct[DISTINCT_PAIRS]);
		topk_sort(&heaviest[HEAVIEST_SOURCE_PORT]);
		topk_sort(&heaviest[HEAVIEST_PORT]);
		survey->source_port = (uint16_t)heaviest[HEAVIEST_SOURCE_PORT].entries[0].key.low;
		if (heaviest[HEAVIEST_SOURCE_PORT].entries[0].key.low != heaviest[HEAVIEST_PORT].entries[0].key.low)
			survey->shared_source_port = topk_heaviest(&heaviest[HEAVIEST_SOURCE_PORT]);
		survey->source_ports = hll_estimate(&distinct[DISTINCT_SOURCE_PORTS]);
		survey->span_ns = packets ? last_ns - first_ns : 0;
		survey->heaviest_source = topk_heaviest(&heaviest[HEAVIEST_SOURCE]);
		survey->heaviest_destination = topk_heaviest(&heaviest[HEAVIEST_DESTINATION]);
	} else {
		ring->surveys_lost++;
	}
	free(distinct);
	free(heaviest);
}
