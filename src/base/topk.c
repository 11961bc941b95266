/* SPDX-License-Identifier: Apache-2.0 */
#include "base/topk.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

_Static_assert(TOPK_ROOM <= UINT8_MAX, "an entry's number plus one fits into an octet of the index");
_Static_assert(TOPK_ROOM > TOPK_SIZE && TOPK_INDEX > TOPK_ROOM, "there is always a free place");
_Static_assert((TOPK_INDEX & (TOPK_INDEX - 1)) == 0, "a place is a mask");

static uint32_t hash_of(struct topk_key key)
{
	return (uint32_t)(hash_fold(key.low ^ 0x9e3779b97f4a7c15u, key.high ^ 0xd1b54a32d192ed03u) >> 40);
}

static uint16_t mark_of(uint32_t hash, uint32_t entry)
{
	return (uint16_t)((hash & 0xff00) | (entry + 1));
}

static uint32_t entry_at(uint16_t place)
{
	return (place & 0xffu) - 1;
}

/* Where the key is, or the free place where it belongs. An entry is looked at only where its hash's octet agrees. */
static uint16_t *look_up(struct topk *topk, struct topk_key key, uint32_t hash)
{
	for (uint32_t i = hash;; i++) {
		uint16_t *place = &topk->index[i & (TOPK_INDEX - 1)];

		if (*place == 0 || (((*place ^ hash) & 0xff00) == 0 &&
		                    topk_has_key(&topk->entries[entry_at(*place)], key.high, key.low)))
			return place;
	}
}

static void rebuild_index(struct topk *topk)
{
	memset(topk->index, 0, sizeof(topk->index));
	for (uint32_t i = 0; i < topk->used; i++) {
		uint32_t hash = hash_of(topk->entries[i].key);

		*look_up(topk, topk->entries[i].key, hash) = mark_of(hash, i);
	}
	topk->latest = 0;
}

/*
 * The count at `rank` of a descending order; `counts` is reordered. Hoare's selection: quadratic at worst, over 256
 * counts.
 */
static uint64_t select_count(uint64_t *counts, uint32_t used, uint32_t rank)
{
	uint32_t low = 0, high = used - 1;

	while (low < high) {
		uint64_t pivot = counts[low + (high - low) / 2];
		uint32_t i = low, j = high;

		for (;;) {
			while (counts[i] > pivot)
				i++;
			while (counts[j] < pivot)
				j--;
			if (i >= j)
				break;
			uint64_t swap = counts[i];

			counts[i++] = counts[j];
			counts[j--] = swap;
		}
		/* [low, i) >= pivot >= (j, high]; where they meet on the pivot itself, it is in its place */
		if (rank < i && rank > j)
			return counts[rank];
		if (rank <= j)
			high = j;
		else
			low = i > j ? i : j + 1;
	}
	return counts[low];
}

/* The count of entry number TOPK_SIZE + 1 in descending order; used > TOPK_SIZE. */
static uint64_t floor_of(const struct topk_entry *entries, uint32_t used)
{
	uint64_t counts[2 * TOPK_ROOM], least = UINT64_MAX;
	uint32_t lightest = 0;

	for (uint32_t i = 0; i < used; i++)
		least = entries[i].count < least ? entries[i].count : least;
	for (uint32_t i = 0; i < used; i++)
		lightest += entries[i].count == least;
	/* Where most keys came once, as in a flood from everywhere, it is the least there is. */
	if (lightest >= used - TOPK_SIZE)
		return least;
	for (uint32_t i = 0; i < used; i++)
		counts[i] = entries[i].count;
	return select_count(counts, used, TOPK_SIZE);
}

/* Keeps what is heavier than entry number TOPK_SIZE + 1 would be: TOPK_SIZE entries at most. */
static uint32_t prune(struct topk_entry *entries, uint32_t used, uint64_t *floor)
{
	uint32_t kept = 0;

	*floor = floor_of(entries, used);
	for (uint32_t i = 0; i < used; i++)
		if (entries[i].count > *floor)
			entries[kept++] = entries[i];
	return kept;
}

/* Seldom; out of the way, so that what is done for each packet needs few registers. */
__attribute__((noinline)) static uint16_t *make_room(struct topk *topk, struct topk_key key, uint32_t hash)
{
	topk->used = prune(topk->entries, topk->used, &topk->floor);
	rebuild_index(topk);
	return look_up(topk, key, hash);
}

void topk_add_another(struct topk *topk, struct topk_key key, uint64_t weight)
{
	uint32_t hash = hash_of(key);
	uint16_t *place = look_up(topk, key, hash);

	if (*place == 0) {
		if (topk->used == TOPK_ROOM)
			place = make_room(topk, key, hash);
		topk->entries[topk->used] =
			(struct topk_entry){ .key = key, .count = topk->floor + weight, .error = topk->floor };
		topk->latest = topk->used;
		*place = mark_of(hash, topk->used++);
		return;
	}
	topk->latest = entry_at(*place);
	topk->entries[topk->latest].count += weight;
}

void topk_merge(struct topk *into, const struct topk *from)
{
	struct topk_entry all[2 * TOPK_ROOM];
	struct topk other = *from;
	uint64_t floor = into->floor + other.floor;
	uint32_t used = into->used;
	bool met[TOPK_ROOM] = { false };

	memcpy(all, into->entries, used * sizeof(*all));
	for (uint32_t i = 0; i < into->used; i++) {
		uint16_t place = *look_up(&other, all[i].key, hash_of(all[i].key));

		all[i].count += place ? other.entries[entry_at(place)].count : other.floor;
		all[i].error += place ? other.entries[entry_at(place)].error : other.floor;
		if (place)
			met[entry_at(place)] = true;
	}
	for (uint32_t j = 0; j < other.used; j++) {
		if (met[j])
			continue;
		all[used] = other.entries[j];
		all[used].count += into->floor;
		all[used].error += into->floor;
		used++;
	}
	if (used > TOPK_ROOM)
		used = prune(all, used, &floor);
	*into = (struct topk){ .used = used, .total = into->total + other.total, .floor = floor };
	memcpy(into->entries, all, used * sizeof(*all));
	rebuild_index(into);
}

static int by_count(const void *left, const void *right)
{
	const struct topk_entry *a = left, *b = right;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->key.high != b->key.high)
		return a->key.high < b->key.high ? -1 : 1;
	if (a->key.low != b->key.low)
		return a->key.low < b->key.low ? -1 : 1;
	return 0;
}

void topk_sort(struct topk *topk)
{
	qsort(topk->entries, topk->used, sizeof(topk->entries[0]), by_count);
	rebuild_index(topk);
}

uint64_t topk_heaviest(const struct topk *topk)
{
	uint64_t heaviest = 0;

	for (uint32_t i = 0; i < topk->used; i++)
		if (topk->entries[i].count - topk->entries[i].error > heaviest)
			heaviest = topk->entries[i].count - topk->entries[i].error;
	return heaviest;
}
