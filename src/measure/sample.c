/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FIRST_ALLOCATION 256

/* All that an observation holds, so that two with the same hash are the same packet. */
uint64_t observation_hash(const struct observation *o, uint64_t seed)
{
	uint64_t h = hash_address(seed ^ (uint64_t)o->time.ns, &o->src);
	uint64_t payload[OBSERVATION_PAYLOAD_MAX / 8];

	memcpy(payload, o->payload, sizeof(payload));
	h = hash_address(h, &o->dst);
	h = hash_2(h, (uint64_t)o->src_port << 48 | (uint64_t)o->dst_port << 32 | o->length,
	           (uint64_t)o->flags << 32 | o->weight);
	h = hash_2(h,
	           (uint64_t)o->protocol << 56 | (uint64_t)o->ttl << 48 | (uint64_t)o->icmp_type << 40 |
	                   (uint64_t)o->icmp_code << 32 | (uint64_t)o->ip_id << 16 | o->fragment_offset,
	           (uint64_t)o->payload_kept << 16 | o->payload_length);
	h = hash_2(h, payload[0] ^ payload[2] * 3, payload[1] ^ payload[3] * 5);
	h = hash_2(h, (uint64_t)o->tcp.seq << 32 | o->tcp.ack, o->tcp.options);
	h = hash_2(h, (uint64_t)o->tcp.tsval << 32 | (uint64_t)o->tcp.window << 16 | o->tcp.mss,
	           (uint64_t)o->tcp.flags << 8 | o->tcp.wscale);
	h = hash_address(hash_address(h, &o->outer.src), &o->outer.dst);
	h = hash_2(h,
	           (uint64_t)o->outer.length << 32 | (uint64_t)o->outer.ip_id << 16 | (uint64_t)o->outer.ttl << 8 |
	                   o->outer.protocol,
	           (uint64_t)o->quote.src_port << 48 | (uint64_t)o->quote.dst_port << 32 |
	                   (uint64_t)o->quote.ip_id << 16 | o->quote.payload_length);
	h = hash_address(hash_address(h, &o->quote.src), &o->quote.dst);
	return hash_2(h, seed, o->quote.protocol);
}

void sample_init(struct sample *sample, uint32_t capacity)
{
	*sample = (struct sample){ .capacity = capacity };
}

void sample_fini(struct sample *sample)
{
	free(sample->items);
	sample->items = NULL;
	sample->used = sample->allocated = 0;
}

static void sift_up(struct sample_item *items, uint32_t i)
{
	struct sample_item item = items[i];

	while (i > 0 && items[(i - 1) / 2].priority < item.priority) {
		items[i] = items[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	items[i] = item;
}

static void sift_down(struct sample_item *items, uint32_t used)
{
	struct sample_item item = items[0];
	uint32_t i = 0;

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= used)
			break;
		if (child + 1 < used && items[child + 1].priority > items[child].priority)
			child++;
		if (items[child].priority <= item.priority)
			break;
		items[i] = items[child];
		i = child;
	}
	items[i] = item;
}

static bool grow(struct sample *sample)
{
	uint32_t wanted = sample->allocated ? sample->allocated * 2 : FIRST_ALLOCATION;
	struct sample_item *items;

	if (wanted > sample->capacity)
		wanted = sample->capacity;
	items = realloc(sample->items, wanted * sizeof(*items));
	if (!items)
		return false;
	sample->items = items;
	sample->allocated = wanted;
	return true;
}

static void keep(struct sample *sample, uint64_t priority, const struct observation *observation)
{
	if (sample->used < sample->capacity) {
		if (sample->used == sample->allocated && !grow(sample)) {
			sample->lost++;
			return;
		}
		sample->items[sample->used] = (struct sample_item){ priority, *observation };
		sift_up(sample->items, sample->used++);
	} else if (sample->capacity > 0 && priority < sample->items[0].priority) {
		sample->items[0] = (struct sample_item){ priority, *observation };
		sift_down(sample->items, sample->used);
	}
}

void sample_add(struct sample *sample, const struct observation *observation, uint64_t seed)
{
	sample->seen++;
	keep(sample, observation_hash(observation, seed), observation);
}

void sample_merge(struct sample *into, const struct sample *from)
{
	into->seen += from->seen;
	into->lost += from->lost;
	for (uint32_t i = 0; i < from->used; i++)
		keep(into, from->items[i].priority, &from->items[i].observation);
}

static int by_time(const void *left, const void *right)
{
	const struct sample_item *a = left, *b = right;

	if (a->observation.time.ns != b->observation.time.ns)
		return a->observation.time.ns < b->observation.time.ns ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return 0;
}

void sample_sort(struct sample *sample)
{
	if (sample->used)
		qsort(sample->items, sample->used, sizeof(*sample->items), by_time);
}
