/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which packets are sampled: abi/shield.h says how, at the map `samples`. */
#ifndef HOLDFAST_BPF_SAMPLER_H
#define HOLDFAST_BPF_SAMPLER_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/parse.h"

/* Knuth's linear congruential generator modulo 2^64 (MMIX); its upper bits are good. */
#define SAMPLER_TIMES 6364136223846793005ULL
#define SAMPLER_PLUS 1442695040888963407ULL
#define SAMPLER_SHIFT 44 /* leaves as many bits as SHIELD_SAMPLE_WEIGHT_MAX takes */

_Static_assert(1ULL << (64 - SAMPLER_SHIFT) == SHIELD_SAMPLE_WEIGHT_MAX, "an interval is a mask of these bits");

/* The interval for the tick that begins: half as long for each tick that ended with less than half of the budget. */
PARSE_INLINE void sampler_begin_tick(struct shield_sampler *sampler, __u32 budget, __u64 tick)
{
	__u64 ticks = tick - sampler->tick;

	/* Of ticks that have passed since, only one was not empty. */
	if (ticks > 0 && sampler->taken * 2 >= budget)
		ticks--;
	sampler->interval >>= ticks < 32 ? ticks : 32;
	if (sampler->interval == 0)
		sampler->interval = 1;
	sampler->tick = tick;
	sampler->taken = 0;
}

/* The weight with which a packet is sampled; 0: it is not. */
PARSE_INLINE __u32 sampler_take(struct shield_sampler *sampler, __u32 budget, __u64 now)
{
	__u64 tick = now >> SHIELD_SAMPLE_SHIFT, interval;

	if (budget == 0)
		return 0;
	if (sampler->tick < tick)
		sampler_begin_tick(sampler, budget, tick);
	interval = sampler->interval;
	sampler->random = sampler->random * SAMPLER_TIMES + SAMPLER_PLUS;
	if (sampler->random >> SAMPLER_SHIFT & (interval - 1))
		return 0;
	/* Whoever could tell which packets were sampled could not go on to tell which will be. */
	sampler->random ^= bpf_get_prandom_u32();
	sampler->taken++;
	if (sampler->taken % budget == 0 && interval < SHIELD_SAMPLE_WEIGHT_MAX)
		sampler->interval = interval << 1;
	return (__u32)interval;
}

#endif
