/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HyperLogLog with 4096 registers: counts distinct things in 4 KiB with a standard error of 1.04/sqrt(4096) = 1.6 %.
 * Merging is the register-wise maximum, so sketches of parts merge into exactly the sketch of the whole. Flajolet et
 * al., AOFA 2007; estimator by Ertl, arXiv:1702.01284, algorithm 6 (unbiased over the whole range, no empirical
 * tables).
 */
#ifndef HOLDFAST_BASE_HLL_H
#define HOLDFAST_BASE_HLL_H

#include <stdint.h>

#define HLL_PRECISION 12
#define HLL_REGISTERS (1u << HLL_PRECISION)
#define HLL_RELATIVE_ERROR_PPM 16250 /* 1.04 / sqrt(4096) */

struct hll {
	uint8_t registers[HLL_REGISTERS];
};

/* A zeroed struct is an empty sketch. `hash` must be well mixed over all 64 bits. */
static inline void hll_add(struct hll *hll, uint64_t hash)
{
	uint32_t index = (uint32_t)(hash >> (64 - HLL_PRECISION));
	uint64_t rest = hash << HLL_PRECISION | (1ull << (HLL_PRECISION - 1));
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);

	if (rank > hll->registers[index])
		hll->registers[index] = rank;
}

/* As if all that was added to `from` had been added to `into`, too. */
void hll_merge(struct hll *into, const struct hll *from);
/*
 * Number of distinct hashes added, rounded to the nearest integer. Uses only correctly rounded operations: same
 * everywhere.
 */
uint64_t hll_estimate(const struct hll *hll);

#endif
