/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SpaceSaving (Metwally, Agrawal, El Abbadi, ICDT 2005): the heaviest keys of a stream in fixed space. A key's count is too high by
 * at most its `error`, which is at most N / TOPK_SIZE. Merging adds and prunes (Agrawal et al., PODS 2012) and keeps the bound.
 */
#ifndef HOLDFAST_BASE_TOPK_H
#define HOLDFAST_BASE_TOPK_H

#include <stdint.h>

#define TOPK_SIZE 64

struct topk_key {
	uint64_t high, low;
};

struct topk_entry {
	struct topk_key key;
	uint64_t count;
	uint64_t error;
};

/* A zeroed struct is empty. */
struct topk {
	uint32_t used;
	uint64_t total;
	struct topk_entry entries[TOPK_SIZE];
};

void topk_add(struct topk *topk, struct topk_key key, uint64_t weight);
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
