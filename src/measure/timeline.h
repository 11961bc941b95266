/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets and octets over time in a fixed number of bins, however long it takes. A bin begins as one slot of 100 ms
 * (track.h); when the bins no longer reach from the first packet to the last, each becomes twice as long.
 *
 * A bin of 2^shift slots covers [n, n+1) x 2^shift slots of capture time, wherever the first packet was: the bins
 * depend on the packets alone, not on their order or on how they were split before a merge.
 */
#ifndef HOLDFAST_MEASURE_TIMELINE_H
#define HOLDFAST_MEASURE_TIMELINE_H

#include <stdint.h>

#include "base/time.h"

#define TIMELINE_BINS 512 /* between half of them and all are in use once there have been as many slots */

struct timeline_bin {
	uint64_t packets, bytes;
};

/* A zeroed struct is empty. */
struct timeline {
	int64_t first_slot, last_slot; /* where packets came; mean nothing while it is empty */
	int64_t slot;                  /* of the last packet … */
	uint32_t at;                   /* … whose bin is bins[at - 1]; 0: empty */
	uint32_t shift;
	struct timeline_bin bins[TIMELINE_BINS]; /* bin n at n modulo TIMELINE_BINS */
};

/* Behind timeline_add(): another slot than that of the packet before. */
void timeline_move(struct timeline *timeline, int64_t slot);
void timeline_merge(struct timeline *into, const struct timeline *from);

static inline void timeline_add(struct timeline *t, int64_t slot, uint64_t packets, uint64_t bytes)
{
	if (t->at == 0 || slot != t->slot)
		timeline_move(t, slot);
	t->bins[t->at - 1].packets += packets;
	t->bins[t->at - 1].bytes += bytes;
}

/* Bins from the first packet's to the last's; 0 where it is empty. */
uint32_t timeline_count(const struct timeline *timeline);
/* The i-th of these, and when it begins (clamped to what a time can be). */
const struct timeline_bin *timeline_bin(const struct timeline *timeline, uint32_t index);
struct capture_time timeline_begin(const struct timeline *timeline, uint32_t index);
int64_t timeline_step_ns(const struct timeline *timeline);
/* The bin of a slot between the first packet's and the last's. */
uint32_t timeline_index(const struct timeline *timeline, int64_t slot);

#endif
