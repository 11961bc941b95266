/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A uniform sample of observations: the k with the smallest keyed hash of their content (bottom-k). Which packets are
 * in it depends on the packets alone, not on their order or on how the stream was split; merging two samples keeps the
 * k smallest.
 *
 * A sample holds every packet below its limit that it was offered. So the merged one knows all of both only up to the
 * lower of their limits: what lies above goes, or the stream with the smaller sample would seem smaller than it is.
 *
 * Few packets are tunnelled, quote another or begin a request: what all have is held apart from the rest, which only
 * those have that have some. So an observation is read out of a sample, and not pointed to.
 *
 * A few more than k are held, and thrown out together when room runs out: a packet costs one comparison, or rarely a
 * copy.
 */
#ifndef HOLDFAST_MEASURE_SAMPLE_H
#define HOLDFAST_MEASURE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "observe/observation.h"

#define SAMPLE_SLACK 8 /* an eighth more than its capacity is held */

#define SAMPLE_CORE offsetof(struct observation, outer) /* octets that all have */
#define SAMPLE_REST (sizeof(struct observation) - SAMPLE_CORE)

/* Zeroed but for capacity and limit it is empty; memory grows with use up to capacity and slack. */
struct sample {
	uint32_t capacity;
	uint32_t used; /* at most capacity after sample_settle(); up to capacity and slack while packets are added */
	uint32_t allocated;
	uint64_t seen;  /* observations offered */
	uint64_t lost;  /* not kept for want of memory */
	uint64_t limit; /* priorities from here on are not among the k smallest */
	uint64_t *priorities;
	uint8_t *cores;  /* SAMPLE_CORE octets each, of the packet with that priority */
	uint32_t *rests; /* where the rest of each is, plus one; 0: it is zero */
	struct sample_rests {
		uint8_t *octets; /* SAMPLE_REST each */
		uint32_t used, allocated;
		uint32_t free; /* the first that is, plus one; it begins with the next one's place */
	} rest;
};

void sample_init(struct sample *sample, uint32_t capacity);
void sample_fini(struct sample *sample);
/* `priority` is observation_priority() of it, or whatever hash the whole sample is kept by. */
void sample_add(struct sample *sample, const struct observation *observation, uint64_t priority);
/*
 * The same of a packet of which a part of the hash is made, `draw`, that tells most from each other: only where that
 * does not turn it away, the whole of it is made too. A sample is kept by this or by sample_add(), not by both.
 */
void sample_add_drawn(struct sample *sample, const struct observation *observation, uint64_t draw);
/*
 * `from` may have another capacity; `into` keeps its own, is settled, and may hold less than it could. One of capacity
 * 0 only counts.
 */
void sample_merge(struct sample *into, const struct sample *from);
/* Throws out what is not among the k smallest. Before anything is read from a sample. */
void sample_settle(struct sample *sample);
/* The packet at that place, less than `used`. */
void sample_read(const struct sample *sample, uint32_t index, struct observation *observation);
/* All of them, in their order, for the caller to free; NULL where there is none, or no memory. */
struct observation *sample_list(const struct sample *sample);
/*
 * Settles it and orders items by time, then priority: for whoever reads them. 0 or -ENOMEM, and then it is in no order.
 */
int sample_sort(struct sample *sample);

/* Hash of what tells one packet from another, of a keyed family. */
uint64_t observation_priority(const struct observation *observation, uint64_t seed);

#endif
