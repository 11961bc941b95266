/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define FIRST_ALLOCATION 256
#define DRAWN (UINT64_MAX << 32) /* the part of a priority that is drawn */

/*
 * All that packets of one attack differ in: two that agree in this are alike, and it does not matter which is kept. The
 * products do not wait for one another.
 */
uint64_t observation_priority(const struct observation *o, uint64_t seed)
{
	uint64_t src[2], dst[2], payload[OBSERVATION_PAYLOAD_MAX / 8], h;

	memcpy(src, o->src.octets, sizeof(src));
	memcpy(dst, o->dst.octets, sizeof(dst));
	memcpy(payload, o->payload, sizeof(payload));
	h = hash_fold(src[0] ^ dst[1] ^ seed ^ 0x9e3779b97f4a7c15u,
	              src[1] ^ (uint64_t)o->time.ns ^ 0xd1b54a32d192ed03u);
	h += hash_fold(dst[0] ^ ((uint64_t)o->tcp.seq << 32 | o->tcp.ack) ^ 0x8ebc6af09c88c6e3u,
	               ((uint64_t)o->src_port << 48 | (uint64_t)o->dst_port << 32 | (uint64_t)o->ip_id << 16 |
	                o->fragment_offset) ^
	                       seed ^ 0x589965cc75374cc3u);
	h += hash_fold(payload[0] ^ (o->tcp.options << 7 | o->tcp.options >> 57) ^ 0xa0761d6478bd642fu,
	               payload[1] ^ ((uint64_t)o->flags << 32 | o->length) ^ seed ^ 0xe7037ed1a0b428dbu);
	h += hash_fold(payload[2] ^ ((uint64_t)o->tcp.tsval << 32 | (uint64_t)o->tcp.window << 16 | o->tcp.mss) ^ seed ^
	                       0x1d8e4e27c47d124fu,
	               payload[3] ^
	                       ((uint64_t)o->weight << 32 | (uint64_t)o->ttl << 24 | (uint64_t)o->icmp_type << 16 |
	                        (uint64_t)o->icmp_code << 8 | o->tcp.flags) ^
	                       0xeb44accab455d165u);
	if (o->flags & (OBSERVATION_TUNNELLED | OBSERVATION_QUOTE))
		h += hash_address(hash_address(seed, &o->outer.src), &o->quote.src) ^
		     hash_2(seed, (uint64_t)o->outer.ip_id << 16 | o->quote.ip_id, o->quote.dst_port);
	return hash_fold(h ^ seed, 0x9fb21c651e98df25u);
}

void sample_init(struct sample *sample, uint32_t capacity)
{
	*sample = (struct sample){ .capacity = capacity, .limit = capacity ? UINT64_MAX : 0 };
}

void sample_fini(struct sample *sample)
{
	free(sample->cores);
	free(sample->rests);
	free(sample->rest.octets);
	free(sample->priorities);
	sample->cores = NULL;
	sample->rests = NULL;
	sample->priorities = NULL;
	sample->rest = (struct sample_rests){ .octets = NULL };
	sample->used = sample->allocated = 0;
}

/* ---- packets in their places ---- */

static uint8_t *core_at(const struct sample *sample, uint32_t index)
{
	return sample->cores + index * SAMPLE_CORE;
}

static uint8_t *rest_at(const struct sample *sample, uint32_t place)
{
	return sample->rest.octets + (place - 1) * SAMPLE_REST;
}

/* A place for a rest, plus one; 0: there is no memory. */
static uint32_t take_rest(struct sample *sample)
{
	struct sample_rests *rest = &sample->rest;
	uint32_t place = rest->free;

	if (place) {
		memcpy(&rest->free, rest_at(sample, place), sizeof(rest->free));
		return place;
	}
	if (rest->used == rest->allocated) {
		uint32_t wanted = rest->allocated ? 2 * rest->allocated : FIRST_ALLOCATION;
		uint8_t *moved = reallocarray(rest->octets, wanted, SAMPLE_REST);

		if (!moved)
			return 0;
		rest->octets = moved;
		rest->allocated = wanted;
	}
	return ++rest->used;
}

/* False where there is no memory. */
static bool put(struct sample *sample, uint32_t index, const struct observation *o, uint64_t priority)
{
	static const uint8_t none[SAMPLE_REST];
	const uint8_t *octets = (const uint8_t *)o;
	uint32_t place = 0;

	if (memcmp(octets + SAMPLE_CORE, none, SAMPLE_REST) != 0) {
		place = take_rest(sample);
		if (!place)
			return false;
		memcpy(rest_at(sample, place), octets + SAMPLE_CORE, SAMPLE_REST);
	}
	memcpy(core_at(sample, index), octets, SAMPLE_CORE);
	sample->rests[index] = place;
	sample->priorities[index] = priority;
	return true;
}

static void drop(struct sample *sample, uint32_t index)
{
	uint32_t place = sample->rests[index];

	if (!place)
		return;
	memcpy(rest_at(sample, place), &sample->rest.free, sizeof(sample->rest.free));
	sample->rest.free = place;
}

static void move(struct sample *sample, uint32_t to, uint32_t from)
{
	if (to == from)
		return;
	sample->priorities[to] = sample->priorities[from];
	sample->rests[to] = sample->rests[from];
	memcpy(core_at(sample, to), core_at(sample, from), SAMPLE_CORE);
}

void sample_read(const struct sample *sample, uint32_t index, struct observation *observation)
{
	uint8_t *octets = (uint8_t *)observation;
	uint32_t place = sample->rests[index];

	memcpy(octets, core_at(sample, index), SAMPLE_CORE);
	if (place)
		memcpy(octets + SAMPLE_CORE, rest_at(sample, place), SAMPLE_REST);
	else
		memset(octets + SAMPLE_CORE, 0, SAMPLE_REST);
}

struct observation *sample_list(const struct sample *sample)
{
	struct observation *list = sample->used ? calloc(sample->used, sizeof(*list)) : NULL;

	for (uint32_t i = 0; list && i < sample->used; i++)
		sample_read(sample, i, &list[i]);
	return list;
}

/* ---- which are kept ---- */

/* Number `rank` (from 0) of a sequence in ascending order, by its octets from the highest on: no copy, no bad case. */
static uint64_t select_priority(const uint64_t *priorities, uint32_t used, uint32_t rank)
{
	uint64_t prefix = 0;

	for (unsigned shift = 56;; shift -= 8) {
		uint32_t counts[256] = { 0 };
		uint64_t mask = shift == 56 ? 0 : UINT64_MAX << (shift + 8);
		unsigned digit = 0;

		for (uint32_t i = 0; i < used; i++)
			if ((priorities[i] & mask) == prefix)
				counts[priorities[i] >> shift & 255]++;
		while (rank >= counts[digit])
			rank -= counts[digit++];
		prefix |= (uint64_t)digit << shift;
		if (shift == 0)
			return prefix;
	}
}

void sample_settle(struct sample *sample)
{
	uint32_t below = 0, ties, used;

	if (sample->used <= sample->capacity || sample->capacity == 0)
		return;
	sample->limit = select_priority(sample->priorities, sample->used, sample->capacity - 1);
	for (uint32_t i = 0; i < sample->used; i++)
		below += sample->priorities[i] < sample->limit;
	/* Packets that are alike in all share a priority, and any of them will do. */
	ties = sample->capacity - below;
	used = sample->used;
	/* The last one takes the place of each that goes: few go, and they are large. */
	for (uint32_t i = 0; i < used;) {
		if (sample->priorities[i] < sample->limit || (sample->priorities[i] == sample->limit && ties > 0)) {
			ties -= sample->priorities[i++] == sample->limit;
			continue;
		}
		drop(sample, i);
		if (i < --used)
			move(sample, i, used);
	}
	sample->used = used;
}

static size_t room_of(const struct sample *sample)
{
	return (size_t)sample->capacity + sample->capacity / SAMPLE_SLACK + 1;
}

static bool grow(struct sample *sample)
{
	size_t wanted = sample->allocated ? (size_t)sample->allocated * 2 : FIRST_ALLOCATION;
	uint8_t *cores;
	uint32_t *rests;
	uint64_t *priorities;

	if (wanted > room_of(sample))
		wanted = room_of(sample);
	cores = reallocarray(sample->cores, wanted, SAMPLE_CORE);
	if (!cores)
		return false;
	sample->cores = cores;
	rests = reallocarray(sample->rests, wanted, sizeof(*rests));
	if (!rests)
		return false;
	sample->rests = rests;
	priorities = reallocarray(sample->priorities, wanted, sizeof(*priorities));
	if (!priorities)
		return false;
	sample->priorities = priorities;
	sample->allocated = (uint32_t)wanted;
	return true;
}

/* Called for what is below the limit: in a long stream, seldom. */
static void keep(struct sample *sample, const struct observation *observation, uint64_t priority)
{
	if (sample->used == room_of(sample)) {
		sample_settle(sample);
		if (priority >= sample->limit)
			return;
	}
	if ((sample->used == sample->allocated && !grow(sample)) || !put(sample, sample->used, observation, priority))
		sample->lost++;
	else
		sample->used++;
}

void sample_add(struct sample *sample, const struct observation *observation, uint64_t priority)
{
	sample->seen++;
	if (priority < sample->limit)
		keep(sample, observation, priority);
}

void sample_add_drawn(struct sample *sample, const struct observation *observation, uint64_t draw)
{
	uint64_t priority = draw & DRAWN;

	sample->seen++;
	if (priority >= sample->limit)
		return;
	priority |= observation_priority(observation, draw) & ~DRAWN;
	if (priority < sample->limit)
		keep(sample, observation, priority);
}

/* Throws out what is above a limit; what is on it stays, as where that limit was found. */
static void lower_limit(struct sample *sample, uint64_t limit)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		if (sample->priorities[i] > limit)
			drop(sample, i);
		else
			move(sample, kept++, i);
	}
	sample->used = kept;
	sample->limit = limit;
}

void sample_merge(struct sample *into, const struct sample *from)
{
	into->seen += from->seen;
	into->lost += from->lost;
	if (from->capacity > 0 && from->limit < into->limit)
		lower_limit(into, from->limit);
	for (uint32_t i = 0; i < from->used; i++)
		if (from->priorities[i] <= into->limit && into->capacity > 0) {
			struct observation o;

			sample_read(from, i, &o);
			keep(into, &o, from->priorities[i]);
		}
	sample_settle(into);
}

struct rank {
	int64_t ns;
	uint64_t priority;
	uint32_t index;
};

static int by_time(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int64_t time_at(const struct sample *sample, uint32_t index)
{
	struct capture_time time;

	memcpy(&time, core_at(sample, index) + offsetof(struct observation, time), sizeof(time));
	return time.ns;
}

int sample_sort(struct sample *sample)
{
	uint32_t count, *rests;
	struct rank *ranks;
	uint8_t *cores;

	sample_settle(sample);
	count = sample->used;
	if (count == 0)
		return 0;
	ranks = calloc(count, sizeof(*ranks)); /* NOLINT(clang-analyzer-optin.portability.UnixAPI): count > 0 */
	cores = calloc(count, SAMPLE_CORE);
	rests = calloc(count, sizeof(*rests));
	if (!ranks || !cores || !rests) {
		free(ranks);
		free(cores);
		free(rests);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		ranks[i] = (struct rank){ time_at(sample, i), sample->priorities[i], i };
	qsort(ranks, count, sizeof(*ranks), by_time);
	for (uint32_t i = 0; i < count; i++) {
		memcpy(cores + i * SAMPLE_CORE, core_at(sample, ranks[i].index), SAMPLE_CORE);
		rests[i] = sample->rests[ranks[i].index];
		sample->priorities[i] = ranks[i].priority;
	}
	free(sample->cores);
	free(sample->rests);
	sample->cores = cores;
	sample->rests = rests;
	sample->allocated = count;
	free(ranks);
	return 0;
}
