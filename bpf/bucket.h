/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Token buckets; their words are those of abi/shield.h. */
#ifndef HOLDFAST_BPF_BUCKET_H
#define HOLDFAST_BPF_BUCKET_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/service.h"

/*
 * Takes a token from a bucket in one word that gains `pps` a second and holds `most`, but at least one: no more than a
 * second's, for after a second without a packet it is full. BUCKET_EMPTY, or BUCKET_CONTENDED: two CPUs may meet here;
 * who comes second tries again, and at the last goes without. Who began before a jiffy's end may come after one who
 * began behind it: to him the bucket's time is ahead, nothing has been gained, and its time stays.
 */
enum { BUCKET_EMPTY, BUCKET_TAKEN, BUCKET_CONTENDED };

APART int take_token(__u64 *bucket, __u32 pps, __u64 most, __u32 hz, __u64 now)
{
	__u64 full = most * SHIELD_TOKEN;

	if (!bucket)
		return BUCKET_TAKEN;
	if (full < SHIELD_TOKEN)
		full = SHIELD_TOKEN;
	if (full > 0xffffffff)
		full = 0xffffffff;
#pragma unroll
	for (int attempt = 0; attempt < 3; attempt++) {
		__u64 was = *(volatile __u64 *)bucket, level = was & 0xffffffff, time = was >> 32, is;
		__u32 elapsed = (__u32)now - (__u32)time;

		/* A bucket that nobody has used, or not for long, is full. */
		if (was == 0 || (elapsed >= hz && -elapsed >= hz)) {
			level = full;
			time = now & 0xffffffff;
		} else if (elapsed < hz) {
			level += (__u64)elapsed * pps * SHIELD_TOKEN / (hz ? hz : 1);
			time = now & 0xffffffff;
		}
		if (level > full)
			level = full;
		if (level < SHIELD_TOKEN)
			return BUCKET_EMPTY;
		level -= SHIELD_TOKEN;
		is = time << 32 | level;
		if (__sync_val_compare_and_swap(bucket, was, is) == was)
			return BUCKET_TAKEN;
	}
	return BUCKET_CONTENDED;
}

#endif
