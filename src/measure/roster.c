/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three tables: the sources, packed in the order in which they came (or, once somebody has read them, of their
 * addresses); their hashes beside them; and an index of both, open, with linear probing, never more than half full.
 *
 * In a flood every source is looked up in memory that no cache holds. So most packets are turned away by their hash
 * alone, and those that are not wait in a ring: their place in the index is fetched while the next ones come, then
 * their source, then they are counted. What is in the ring is counted before anything is read.
 */
#include "measure/roster.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/radix.h"

#define FIRST_ALLOCATION 64 /* sources */
#define MANY 4096           /* sources: whoever has so many will have more */
#define HALVINGS_MAX 63
#define LAST_WAVE (ROSTER_WAVES - 1)
#define RING 8
#define RING_HALF (RING / 2)
#define SCOUT_AHEAD 8           /* sources */
#define LARGE ((size_t)1 << 20) /* octets from which on a table is worth huge pages */

/* A packet that waits, or, with `packets` 0, marks alone. */
struct waiting {
	uint64_t hash;
	uint32_t number;          /* of the source that it was found to be; sources may have moved since */
	struct roster_source one; /* as if it were the source's only packet */
};

struct roster {
	uint64_t limit; /* hashes above it are not held: UINT64_MAX >> halvings */
	uint32_t waiting_count;
	uint32_t waiting_next; /* where the next goes; the oldest is waiting_count before it */
	uint32_t max, used, allocated;
	uint32_t mask; /* of places in the index; their number less one */
	bool ordered;  /* by address */
	uint32_t halvings;
	uint64_t lost;
	struct roster_source *sources;
	uint64_t *hashes; /* of sources[i] */
	uint64_t *index;  /* high half: of the hash; low half: i + 1; 0: free */
	struct waiting ring[RING];
};

_Static_assert(sizeof(struct roster_source) == MEMORY_LINE, "a source is one line of memory");

/* ------------------------------------------------------------------ memory */

static size_t rounded(size_t size)
{
	return (size + MEMORY_LINE - 1) / MEMORY_LINE * MEMORY_LINE;
}

/* Zeroed, on a line of memory. */
static void *table_new(size_t size)
{
	void *table;

	if (size >= LARGE)
		return memory_table_new(size);
	table = aligned_alloc(MEMORY_LINE, rounded(size));
	if (table)
		memset(table, 0, rounded(size));
	return table;
}

static void table_free(void *table, size_t size)
{
	if (size >= LARGE)
		memory_table_free(table, size);
	else
		free(table);
}

static size_t places_for(uint32_t sources)
{
	size_t places = FIRST_ALLOCATION;

	while (places < (size_t)sources * 2)
		places *= 2;
	return places;
}

static void tables_free(struct roster *r)
{
	table_free(r->sources, r->allocated * sizeof(*r->sources));
	table_free(r->hashes, r->allocated * sizeof(*r->hashes));
	table_free(r->index, ((size_t)r->mask + 1) * sizeof(*r->index));
}

/* The high half of a place: bits that neither the place nor, for a long time, the limit says. */
static uint64_t tag_of(uint64_t hash)
{
	return hash >> 20 << 32;
}

static void index_put(struct roster *r, uint64_t hash, uint32_t number)
{
	uint32_t place = (uint32_t)hash & r->mask;

	while (r->index[place])
		place = (place + 1) & r->mask;
	r->index[place] = tag_of(hash) | (number + 1);
}

/* Of an index that is empty. */
static void index_fill(struct roster *r)
{
	for (uint32_t i = 0; i < r->used; i++)
		index_put(r, r->hashes[i], i);
}

static void index_make(struct roster *r)
{
	memset(r->index, 0, ((size_t)r->mask + 1) * sizeof(*r->index));
	index_fill(r);
}

/* Room for so many sources, at least those there are. */
static int resize(struct roster *r, uint32_t wanted)
{
	struct roster old = *r;

	r->sources = table_new(wanted * sizeof(*r->sources));
	r->hashes = table_new(wanted * sizeof(*r->hashes));
	r->index = table_new(places_for(wanted) * sizeof(*r->index));
	r->allocated = wanted;
	r->mask = (uint32_t)places_for(wanted) - 1;
	if (!r->sources || !r->hashes || !r->index) {
		tables_free(r);
		r->sources = old.sources;
		r->hashes = old.hashes;
		r->index = old.index;
		r->allocated = old.allocated;
		r->mask = old.mask;
		return -ENOMEM;
	}
	if (r->used) {
		memcpy(r->sources, old.sources, r->used * sizeof(*r->sources));
		memcpy(r->hashes, old.hashes, r->used * sizeof(*r->hashes));
	}
	index_fill(r); /* not cleared once more: what is not touched takes no memory */
	tables_free(&old);
	return 0;
}

struct roster *roster_new(uint32_t max)
{
	struct roster *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->max = max ? max : 1;
	r->limit = UINT64_MAX;
	r->ordered = true;
	if (resize(r, r->max < FIRST_ALLOCATION ? r->max : FIRST_ALLOCATION) < 0) {
		free(r);
		return NULL;
	}
	return r;
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	tables_free(r);
	free(r);
}

/* ------------------------------------------------------------------ what is held */

static struct roster_source *find(const struct roster *r, const struct address *address, uint64_t hash)
{
	uint64_t tag = tag_of(hash);

	for (uint32_t place = (uint32_t)hash & r->mask; r->index[place]; place = (place + 1) & r->mask) {
		struct roster_source *source = &r->sources[(uint32_t)r->index[place] - 1];

		if (((r->index[place] ^ tag) >> 32) == 0 && address_equal(&source->address, address))
			return source;
	}
	return NULL;
}

/* Half of the hashes that were held are not any more; the others stay in their order. */
static void halve(struct roster *r)
{
	uint32_t kept = 0;

	r->halvings++;
	r->limit >>= 1;
	for (uint32_t i = 0; i < r->used; i++) {
		if (r->hashes[i] > r->limit)
			continue;
		r->hashes[kept] = r->hashes[i];
		r->sources[kept++] = r->sources[i];
	}
	r->used = kept;
}

/* Until no more than so many are held. */
static void halve_to(struct roster *r, uint32_t most)
{
	uint32_t before = r->used;

	while (r->used > most && r->halvings < HALVINGS_MAX)
		halve(r);
	if (r->used != before)
		index_make(r);
}

/* Both have it, and they differ. `earlier`: whether b's is from before a's. */
#define JOIN_FIELD(a, b, earlier, field, mark)                            \
	do {                                                              \
		if ((a)->field && (b)->field && (a)->field != (b)->field) \
			(a)->marks |= (mark);                             \
		if ((b)->field && ((earlier) || (a)->field == 0))         \
			(a)->field = (b)->field;                          \
	} while (0)

/* One source's packets from two places. */
static void join(struct roster_source *a, const struct roster_source *b)
{
	bool earlier = b->first_ns < a->first_ns || (b->first_ns == a->first_ns && b->ttl < a->ttl);

	a->packets += b->packets;
	a->octets += b->octets;
	a->observed += b->observed;
	a->waves |= b->waves;
	a->marks |= b->marks;
	if (a->ttl != b->ttl)
		a->marks |= ROSTER_MIXED_TTL;
	if (earlier)
		a->ttl = b->ttl;
	JOIN_FIELD(a, b, earlier, mss, ROSTER_MIXED_MSS);
	JOIN_FIELD(a, b, earlier, tsval, ROSTER_MIXED_TSVAL);
	if (b->first_ns < a->first_ns)
		a->first_ns = b->first_ns;
	if (b->last_ns > a->last_ns)
		a->last_ns = b->last_ns;
}

/* What is never used of a large table takes no memory: nothing is copied time and again. */
static uint32_t larger(const struct roster *r)
{
	return r->allocated >= MANY || r->allocated >= r->max / 4 ? r->max : r->allocated * 4;
}

static void insert(struct roster *r, const struct roster_source *source, uint64_t hash)
{
	if (r->used == r->max) {
		while (r->used == r->max && hash <= r->limit && r->halvings < HALVINGS_MAX)
			halve(r);
		index_make(r);
		if (hash > r->limit)
			return;
	}
	if (r->used == r->max || /* sixty-three halvings, and all have one hash */
	    (r->used == r->allocated && resize(r, larger(r)) < 0)) {
		r->lost += source->observed;
		return;
	}
	if (r->ordered && r->used && address_compare(&r->sources[r->used - 1].address, &source->address) > 0)
		r->ordered = false;
	r->sources[r->used] = *source;
	r->hashes[r->used] = hash;
	index_put(r, hash, r->used++);
}

/* It may be this one. */
static void take(struct roster *r, const struct roster_source *one, uint64_t hash, uint32_t number)
{
	struct roster_source *held;

	if (hash > r->limit)
		return;
	held = number < r->used && address_equal(&r->sources[number].address, &one->address)
	               ? &r->sources[number]
	               : find(r, &one->address, hash);
	if (held && one->observed)
		join(held, one);
	else if (held)
		held->marks |= one->marks;
	else if (one->observed)
		insert(r, one, hash);
}

/* ------------------------------------------------------------------ packets */

static struct waiting *waiting_at(struct roster *r, uint32_t back)
{
	return &r->ring[(r->waiting_next - back) % RING];
}

/* Its place in the index has arrived, and says where its source is. */
static void seek(const struct roster *r, struct waiting *waiting)
{
	uint32_t place = (uint32_t)waiting->hash & r->mask;

	while (r->index[place] && (r->index[place] ^ tag_of(waiting->hash)) >> 32)
		place = (place + 1) & r->mask;
	waiting->number = r->index[place] ? (uint32_t)r->index[place] - 1 : UINT32_MAX;
	if (r->index[place])
		__builtin_prefetch(&r->sources[waiting->number], 1);
}

static void settle(struct roster *r)
{
	for (; r->waiting_count > 0; r->waiting_count--) {
		const struct waiting *oldest = waiting_at(r, r->waiting_count);

		take(r, &oldest->one, oldest->hash, UINT32_MAX);
	}
}

/* Room for one in the ring; what is in it moves on. */
static struct roster_source *queue(struct roster *r, uint64_t hash)
{
	struct waiting *waiting;

	if (r->waiting_count == RING) {
		waiting = waiting_at(r, RING);
		take(r, &waiting->one, waiting->hash, waiting->number);
		r->waiting_count--;
	}
	if (r->waiting_count >= RING_HALF)
		seek(r, waiting_at(r, RING_HALF));
	waiting = waiting_at(r, 0);
	r->waiting_next++;
	r->waiting_count++;
	waiting->hash = hash;
	__builtin_prefetch(&r->index[(uint32_t)hash & r->mask]);
	return &waiting->one;
}

void roster_add(struct roster *r, const struct observation *o, const struct keys *keys, uint32_t wave)
{
	if (keys->source > r->limit)
		return;
	*queue(r, keys->source) = (struct roster_source){
		.address = o->src,
		.packets = o->weight,
		.octets = (uint64_t)o->length * o->weight,
		.first_ns = o->time.ns,
		.last_ns = o->time.ns,
		.waves = 1u << (wave < LAST_WAVE ? wave : LAST_WAVE),
		.tsval = o->tcp.tsval,
		.observed = 1,
		.mss = o->tcp.mss,
		.ttl = o->ttl,
	};
}

void roster_mark(struct roster *r, const struct observation *o, const struct keys *keys, unsigned marks)
{
	if (keys->source <= r->limit)
		*queue(r, keys->source) = (struct roster_source){ .address = o->src, .marks = (uint8_t)marks };
}

/* ------------------------------------------------------------------ as a whole */

static uint32_t shifted(uint32_t waves, uint32_t shift)
{
	uint64_t wide = shift < ROSTER_WAVES ? (uint64_t)waves << shift : (uint64_t)(waves != 0) << LAST_WAVE;

	return (uint32_t)wide | (wide >> LAST_WAVE ? 1u << LAST_WAVE : 0);
}

static void queue_shifted(struct roster *r, const struct roster_source *source, uint64_t hash, uint32_t shift)
{
	struct roster_source *moved = queue(r, hash);

	*moved = *source;
	moved->waves = shifted(source->waves, shift);
}

/* The limit that `into`, which is empty, will have once it holds what `from` does; so that nothing is held in vain. */
static void halve_ahead(struct roster *into, const struct roster *from)
{
	uint64_t within;

	do {
		within = 0;
		for (uint32_t i = 0; i < from->used; i++)
			within += from->hashes[i] <= into->limit;
		if (within > into->max && into->halvings < HALVINGS_MAX)
			halve(into);
		else
			within = 0;
	} while (within > 0);
}

void roster_merge(struct roster *into, const struct roster *from, uint32_t shift)
{
	settle(into);
	into->lost += from->lost;
	if (into->halvings < from->halvings) {
		while (into->halvings < from->halvings)
			halve(into);
		index_make(into);
	}
	if (into->used == 0)
		halve_ahead(into, from);
	for (uint32_t i = 0; i < from->used; i++)
		if (from->hashes[i] <= into->limit)
			queue_shifted(into, &from->sources[i], from->hashes[i], shift);
	for (uint32_t back = from->waiting_count; back > 0; back--) {
		const struct waiting *waiting = &from->ring[(from->waiting_next - back) % RING];

		queue_shifted(into, &waiting->one, waiting->hash, shift);
	}
}

void roster_renumber(struct roster *r, const uint8_t to[ROSTER_WAVES])
{
	settle(r);
	for (uint32_t i = 0; i < r->used; i++) {
		uint32_t waves = 0;

		for (uint32_t left = r->sources[i].waves; left; left &= left - 1)
			waves |= 1u << (to[__builtin_ctz(left)] < LAST_WAVE ? to[__builtin_ctz(left)] : LAST_WAVE);
		r->sources[i].waves = waves;
	}
}

void roster_limit(struct roster *r, uint32_t max)
{
	settle(r);
	r->max = max ? max : 1;
	halve_to(r, r->max);
	/* Where there is no memory for less, what there is stays. */
	if (r->allocated > r->max && r->used <= r->max)
		(void)resize(r, r->max);
}

/* Fetches a source that a cycle of a permutation comes to, and says which is behind it; there it stays, once round. */
static uint32_t scout(const struct roster *r, const struct radix_item *ranks, uint32_t at, uint32_t begin)
{
	uint32_t next = ranks[at].value;

	if (next == begin)
		return at;
	__builtin_prefetch(&r->sources[next], 1);
	__builtin_prefetch(&r->hashes[next], 1);
	return next;
}

/*
 * Puts sources[ranks[i].value] in place i, for all i: each cycle of the permutation by itself. It comes to sources that
 * no cache holds, so another goes the same way before it.
 */
static void permute(struct roster *r, struct radix_item *ranks)
{
	for (uint32_t i = 0; i < r->used; i++) {
		struct roster_source source = r->sources[i];
		uint64_t hash = r->hashes[i];
		uint32_t hole = i, ahead = i;

		for (unsigned k = 0; k < SCOUT_AHEAD; k++)
			ahead = scout(r, ranks, ahead, i);
		while (ranks[hole].value != i) {
			uint32_t next = ranks[hole].value;

			ahead = scout(r, ranks, ahead, i);
			r->sources[hole] = r->sources[next];
			r->hashes[hole] = r->hashes[next];
			ranks[hole].value = hole;
			hole = next;
		}
		r->sources[hole] = source;
		r->hashes[hole] = hash;
		ranks[hole].value = hole;
	}
}

/* Half an address, that what is less by octets is less by it. */
static uint64_t half_of(const struct roster_source *source, unsigned which)
{
	uint64_t half[2];

	memcpy(half, source->address.octets, sizeof(half));
	return be64toh(half[which]);
}

static int order(struct roster *r)
{
	struct radix_item *ranks = calloc(r->used ? r->used : 1, sizeof(*ranks));
	uint64_t differ = 0;
	int result;

	if (!ranks)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->used; i++) {
		ranks[i] = (struct radix_item){ half_of(&r->sources[i], 1), i };
		differ |= half_of(&r->sources[i], 0) ^ half_of(&r->sources[0], 0);
	}
	result = radix_sort(ranks, r->used);
	/* IPv4 addresses have their first half in common. */
	for (uint32_t i = 0; i < r->used && differ; i++)
		ranks[i].key = half_of(&r->sources[ranks[i].value], 0);
	if (result == 0 && differ)
		result = radix_sort(ranks, r->used);
	if (result == 0) {
		permute(r, ranks);
		index_make(r);
		r->ordered = true;
	}
	free(ranks);
	return result;
}

int roster_sources(struct roster *r, const struct roster_source **sources, uint32_t *count)
{
	int rc;

	settle(r);
	rc = r->ordered ? 0 : order(r);
	if (rc < 0)
		return rc;
	*sources = r->sources;
	*count = r->used;
	return 0;
}

uint32_t roster_held(struct roster *r)
{
	settle(r);
	return r->used;
}

uint32_t roster_halvings(struct roster *r)
{
	settle(r);
	return r->halvings;
}

uint64_t roster_lost(struct roster *r)
{
	settle(r);
	return r->lost;
}

bool roster_keeps(const struct roster *r, uint32_t i, uint32_t halvings)
{
	return r->hashes[i] <= UINT64_MAX >> halvings;
}
