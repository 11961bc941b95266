/* SPDX-License-Identifier: Apache-2.0 */
#include "base/topk.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool key_equal(struct topk_key a, struct topk_key b)
{
	return a.high == b.high && a.low == b.low;
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

static struct topk_entry *lightest(struct topk *topk)
{
	struct topk_entry *least = &topk->entries[0];

	for (uint32_t i = 1; i < topk->used; i++)
		if (topk->entries[i].count < least->count)
			least = &topk->entries[i];
	return least;
}

void topk_add(struct topk *topk, struct topk_key key, uint64_t weight)
{
	struct topk_entry *entry;

	topk->total += weight;
	for (uint32_t i = 0; i < topk->used; i++) {
		if (key_equal(topk->entries[i].key, key)) {
			topk->entries[i].count += weight;
			return;
		}
	}
	if (topk->used < TOPK_SIZE) {
		topk->entries[topk->used++] = (struct topk_entry){ .key = key, .count = weight };
		return;
	}
	entry = lightest(topk);
	entry->error = entry->count;
	entry->count += weight;
	entry->key = key;
}

/* What a summary may have missed of a key it does not list. */
static uint64_t floor_of(struct topk *topk)
{
	return topk->used < TOPK_SIZE ? 0 : lightest(topk)->count;
}

void topk_merge(struct topk *into, const struct topk *from)
{
	struct topk_entry all[2 * TOPK_SIZE];
	struct topk other = *from;
	uint64_t floor_into = floor_of(into), floor_from = floor_of(&other);
	uint32_t used = into->used;
	bool met[TOPK_SIZE] = { false };

	memcpy(all, into->entries, used * sizeof(*all));
	for (uint32_t i = 0; i < into->used; i++) {
		uint32_t j = 0;

		while (j < other.used && !key_equal(all[i].key, other.entries[j].key))
			j++;
		if (j < other.used) {
			all[i].count += other.entries[j].count;
			all[i].error += other.entries[j].error;
			met[j] = true;
		} else {
			all[i].count += floor_from;
			all[i].error += floor_from;
		}
	}
	for (uint32_t j = 0; j < other.used; j++) {
		if (met[j])
			continue;
		all[used] = other.entries[j];
		all[used].count += floor_into;
		all[used].error += floor_into;
		used++;
	}
	qsort(all, used, sizeof(*all), by_count);
	into->used = used < TOPK_SIZE ? used : TOPK_SIZE;
	into->total += other.total;
	memcpy(into->entries, all, into->used * sizeof(*all));
}

void topk_sort(struct topk *topk)
{
	qsort(topk->entries, topk->used, sizeof(topk->entries[0]), by_count);
}

uint64_t topk_heaviest(const struct topk *topk)
{
	uint64_t heaviest = 0;

	for (uint32_t i = 0; i < topk->used; i++)
		if (topk->entries[i].count - topk->entries[i].error > heaviest)
			heaviest = topk->entries[i].count - topk->entries[i].error;
	return heaviest;
}
