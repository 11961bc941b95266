/* SPDX-License-Identifier: Apache-2.0 */
/* See rng.h. */
#include "rng.h"

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void rng_seed(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix(&seed);
}

uint64_t rng_next(struct rng *r)
{
	uint64_t *s = r->s;
	uint64_t out = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return out;
}

uint32_t rng_u32(struct rng *r)
{
	return (uint32_t)(rng_next(r) >> 32);
}

uint16_t rng_u16(struct rng *r)
{
	return (uint16_t)(rng_next(r) >> 48);
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)rng_u32(r) * n) >> 32);
}

uint32_t rng_skewed(struct rng *r, uint32_t n)
{
	uint64_t u = rng_u32(r);

	return (uint32_t)((((u * u) >> 32) * n) >> 32);
}

uint32_t rng_range(struct rng *r, uint32_t lo, uint32_t hi)
{
	return hi <= lo ? lo : lo + rng_below(r, hi - lo + 1);
}

uint16_t rng_range16(struct rng *r, uint16_t lo, uint16_t hi)
{
	return (uint16_t)rng_range(r, lo, hi);
}

int64_t rng_span(struct rng *r, int64_t lo_ns, int64_t hi_ns)
{
	return hi_ns <= lo_ns ? lo_ns : lo_ns + (int64_t)(rng_next(r) % (uint64_t)(hi_ns - lo_ns + 1));
}

bool rng_chance(struct rng *r, uint32_t num, uint32_t den)
{
	return rng_below(r, den) < num;
}

/* -log2(u / 2^32) in 1/65536ths for u > 0: the integer part by counting zeros, each further bit by squaring. */
static uint64_t minus_log2_q16(uint32_t u)
{
	int zeros = __builtin_clz(u);
	uint64_t m = (uint64_t)u << zeros; /* in [2^31, 2^32) stands for [1, 2) */
	uint64_t fraction = 0;

	for (int i = 0; i < 16; i++) {
		m = (m * m) >> 31;
		fraction <<= 1;
		if (m >> 32) {
			fraction |= 1;
			m >>= 1;
		}
	}
	return ((uint64_t)(zeros + 1) << 16) - fraction;
}

int64_t rng_exp(struct rng *r, int64_t mean_ns)
{
	uint64_t q16 = minus_log2_q16(rng_u32(r) | 1);
	uint64_t ln_q16 = (q16 * 45426) >> 16; /* ln 2 = 45426 / 65536 */
	int64_t x = (int64_t)(((uint64_t)mean_ns >> 4) * ln_q16 >> 12);

	return x < 1 ? 1 : x;
}

void rng_fill(struct rng *r, uint8_t *to, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++) {
		if (i % 8 == 0)
			x = rng_next(r);
		to[i] = (uint8_t)x;
		x >>= 8;
	}
}
