/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A uniform sample of observations: the k with the smallest keyed hash of their content (bottom-k). Which packets are in it
 * depends on the packets alone, not on their order or on how the stream was split; merging two samples keeps the k smallest.
 */
#ifndef HOLDFAST_MEASURE_SAMPLE_H
#define HOLDFAST_MEASURE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/observation.h"

struct sample_item {
	uint64_t priority;
	struct observation observation;
};

/* A heap with the largest priority on top. Zeroed but for capacity it is empty; memory grows with use up to capacity. */
struct sample {
	uint32_t capacity;
	uint32_t used;
	uint32_t allocated;
	uint64_t seen; /* observations offered */
	uint64_t lost; /* not kept for want of memory */
	struct sample_item *items;
};

void sample_init(struct sample *sample, uint32_t capacity);
void sample_fini(struct sample *sample);
void sample_add(struct sample *sample, const struct observation *observation, uint64_t seed);
/* `from` may have another capacity; `into` keeps its own. */
void sample_merge(struct sample *into, const struct sample *from);
/* Orders items by time, then priority: for whoever reads them. The heap is gone; only sample_fini() may follow. */
void sample_sort(struct sample *sample);

uint64_t observation_hash(const struct observation *observation, uint64_t seed);

#endif
