/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One stream of counts, bucket by bucket: what is usual of it, when there are more than that for certain, and the
 * outage that this makes.
 *
 *     quiet ── S ≥ h, and 10 reports in 15 minutes ──► alarm: a wave has begun, where S was last 0
 *     alarm ── six buckets that together are less than 1.5 times as many as usual, and none of which is unlikely (p ≤ .01)
 *              ──► quiet: the wave ended with the first of them
 *
 * Waves with less than SURGE_MERGE_NS between them are one; those with less than SURGE_JOIN_NS between them are waves
 * of one outage. While an alarm lasts nothing is learned, and what led to it is not learned either. An alarm of
 * SURGE_BUCKETS_MAX buckets ends: that is what is usual now.
 */
#ifndef HOLDFAST_IMPACT_SURGE_H
#define HOLDFAST_IMPACT_SURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/baseline.h"
#include "impact/count.h"
#include "impact/cusum.h"
#include "impact/outage.h"

#define SURGE_MERGE_NS (1800 * NS_PER_S)
#define SURGE_JOIN_NS (3 * 3600 * NS_PER_S)
#define SURGE_REPORTS_MIN 10 /* in SURGE_QUARTER buckets */
#define SURGE_QUARTER 3
#define SURGE_CALM 6           /* buckets that end a wave */
#define SURGE_PENDING_MAX 72   /* buckets that may turn out to be the beginning of an outage, and are not learned yet */
#define SURGE_BUCKETS_MAX 2016 /* of an outage: a week */

enum surge_state { SURGE_QUIET, SURGE_ALARM };

enum surge_news {
	SURGE_NOTHING,
	SURGE_BEGAN,  /* an outage, or another wave of it */
	SURGE_CALMED, /* its wave has ended */
	SURGE_OVER    /* no wave followed: the outage is whole, until the next bucket */
};

struct surge_bucket {
	uint32_t count, expected_milli;
};

/* Of buckets by their numbers: time / COUNT_BUCKET_NS. */
struct surge_wave {
	int64_t began, ended; /* ended: the first calm one; INT64_MAX: it lasts */
};

struct surge {
	char component[COMPONENT_ID_SIZE];
	struct baseline baseline;
	struct cusum cusum;
	struct baseline_usual usual; /* of `usual_hour` */
	int64_t usual_hour;
	enum surge_state state;
	int64_t bucket;                                /* the last one; INT64_MIN: none came */
	int64_t rising;                                /* the first one since S was 0; INT64_MAX: it is 0 */
	struct surge_bucket latest[SURGE_PENDING_MAX]; /* bucket n at n % SURGE_PENDING_MAX */
	uint32_t pending;                              /* of them, the last ones that are not learned yet */
	/* The outage; its buckets from `began` on. */
	bool is_out, over;
	int64_t began, alarm, last_alarm;
	enum outage_basis basis;
	uint32_t waves_count, waves_joined, buckets_count;
	struct surge_wave waves[OUTAGE_WAVES_MAX];
	struct surge_bucket buckets[SURGE_BUCKETS_MAX];
};

/* `streams`: how many are watched at a time. `component` may be "". */
void surge_init(struct surge *surge, const char *component, uint32_t streams);
/*
 * The next bucket, by its number (time / COUNT_BUCKET_NS, not negative), with what was counted in it, which may be 0.
 * Where another number comes than the next, all begins anew.
 */
enum surge_news surge_add(struct surge *surge, int64_t number, uint32_t count);
/*
 * The outage that lasts or was over with the last bucket, as it is known now, but for places, symptoms and what was
 * left out, which a stream does not know. False: there is none.
 */
bool surge_outage(const struct surge *surge, struct outage *outage);
/*
 * Of each of its buckets, from its beginning on, how much more than is usual it has, in thousandths; between waves 0.
 * How many.
 */
uint32_t surge_excess(const struct surge *surge, uint64_t excess_milli[SURGE_BUCKETS_MAX]);

#endif
