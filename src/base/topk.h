/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heaviest keys of a stream in fixed space and constant time: SpaceSaving (Metwally, Agrawal, El Abbadi, ICDT 2005)
 * that makes room for many keys at once instead of one by one (as Anderson et al., IMC 2017, do for counters that err
 * the other way). A key's count is too high by at most its `error`, and that is at most N / TOPK_SIZE; a key heavier
 * than that is listed. Merging adds and prunes and keeps both.
 *
 * `floor` is the most that a key can have which is not listed. When the table is full, the lighter half goes and the
 * heaviest of them is the new floor. With S = sum of (count - floor), every packet adds its weight to S, and making
 * room takes TOPK_SIZE + 1 times the floor's rise from it at least: hence the bound.
 */
#ifndef HOLDFAST_BASE_TOPK_H
#define HOLDFAST_BASE_TOPK_H

#include <stdbool.h>
#include <stdint.h>

#define TOPK_SIZE 64
#define TOPK_ROOM 128  /* keys held between two prunings */
#define TOPK_INDEX 512 /* places of the hash table: the number of an entry plus one and an octet of its hash, or 0 */

struct topk_key {
	uint64_t high, low;
};

struct topk_entry {
	struct topk_key key;
	uint64_t count;
	uint64_t error;
};

/* A zeroed struct is empty. entries[0 .. used) are in no order until topk_sort(). */
struct topk {
	uint32_t used;
	uint32_t latest; /* entry of the key added last: streams repeat themselves */
	uint64_t total;
	uint64_t floor;
	struct topk_entry entries[TOPK_ROOM];
	uint16_t index[TOPK_INDEX];
};

/* Half by half: a key that has just been stored so cannot be loaded as a whole without waiting. */
static inline bool topk_has_key(const struct topk_entry *entry, uint64_t high, uint64_t low)
{
	return entry->key.low == low && entry->key.high == high;
}

/* The part of topk_add() for a key that is not the latest. */
void topk_add_another(struct topk *topk, struct topk_key key, uint64_t weight);

static inline void topk_add(struct topk *topk, struct topk_key key, uint64_t weight)
{
	topk->total += weight;
	if (topk->used > 0 && topk_has_key(&topk->entries[topk->latest], key.high, key.low))
		topk->entries[topk->latest].count += weight;
	else
		topk_add_another(topk, key, weight);
}

/* Adds what `from` has counted. What one has pushed out may be counted too high by its floor, which is in the error. */
void topk_merge(struct topk *into, const struct topk *from);
/* Sorts entries by count, largest first, ties by key: the same content always ends in the same order. */
void topk_sort(struct topk *topk);

/* Weight of the heaviest key, at least; 0 where there is none. */
uint64_t topk_heaviest(const struct topk *topk);

static inline struct topk_key topk_number(uint64_t number)
{
	return (struct topk_key){ 0, number };
}

#endif
