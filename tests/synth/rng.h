/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness with a seed, integers only: xoshiro256** (Blackman, Vigna) started by splitmix64. The same seed gives the
 * same numbers on every machine, therefore the same capture, byte for byte.
 *
 * For that no expression may draw twice from one stream where C leaves the order open (arguments, operands of + and -).
 */
#ifndef SYNTH_RNG_H
#define SYNTH_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint32_t rng_u32(struct rng *r);
uint16_t rng_u16(struct rng *r);
/* Uniform in [0, n); 0 for n = 0. */
uint32_t rng_below(struct rng *r, uint32_t n);
/* The same, but small numbers more often (the square of a uniform one), as popularity goes. */
uint32_t rng_skewed(struct rng *r, uint32_t n);
/* Uniform in [lo, hi], both included. */
uint32_t rng_range(struct rng *r, uint32_t lo, uint32_t hi);
uint16_t rng_range16(struct rng *r, uint16_t lo, uint16_t hi);
/* Uniform in [lo, hi]: nanoseconds. */
int64_t rng_span(struct rng *r, int64_t lo_ns, int64_t hi_ns);
/* True num times in den. */
bool rng_chance(struct rng *r, uint32_t num, uint32_t den);
/* Exponential with this mean, for Poisson arrivals; at least 1. */
int64_t rng_exp(struct rng *r, int64_t mean_ns);
void rng_fill(struct rng *r, uint8_t *to, size_t n);

#endif
