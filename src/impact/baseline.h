/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many reports are usual in a bucket of five minutes, by the hour. What is known grows:
 *
 *     weeks   four weeks and more. Each hour of the week (168) has the mean of its buckets in each of the last 26 weeks; of
 *             these the mean without the highest and lowest tenth, smoothed ¼-½-¼ over the hours beside it
 *     days    the seven days behind a guard of two, at that hour and those beside it: the baseline of EARS C2 (Hutwagner,
 *             Thompson, Seeman & Treadwell, J. Urban Health 80, 2003) with days as its unit
 *     hours   the same with quarters of an hour as its unit: seven behind a guard of two
 *
 * What belongs to an outage is not learned: the caller leaves it out.
 */
#ifndef HOLDFAST_IMPACT_BASELINE_H
#define HOLDFAST_IMPACT_BASELINE_H

#include <stdint.h>

#include "impact/outage.h"

#define BASELINE_WEEKS 26
#define BASELINE_HOURS 168
#define BASELINE_WEEKS_MIN 4  /* of history; before that: days */
#define BASELINE_BUCKETS 12   /* of an hour */
#define BASELINE_GUARD 6      /* buckets: two quarters of an hour */
#define BASELINE_RECENT 27    /* that, and seven quarters */
#define BASELINE_MEAN_MIN 0.1 /* what is usual is at least this */

struct baseline_cell {
	uint64_t squares; /* of the counts of its buckets, summed */
	uint32_t sum, week;
	uint32_t buckets; /* 0: nothing is known */
};

struct baseline {
	struct baseline_cell cells[BASELINE_WEEKS][BASELINE_HOURS];
	int64_t first_hour; /* since the epoch; INT64_MIN: nothing has been learned */
	uint32_t recent[BASELINE_RECENT];
	uint32_t recent_count, recent_at;
};

struct baseline_usual {
	enum outage_basis basis;
	double mean;       /* of a bucket, at least BASELINE_MEAN_MIN */
	double variance;   /* likewise */
	double dispersion; /* μ²/(s²-μ); REAL_INFINITY where s² <= μ */
};

/* Nothing was learned. */
void baseline_init(struct baseline *baseline);
/* A bucket that is usual; `hour` since the epoch, not negative, not before those that came. */
void baseline_learn(struct baseline *baseline, int64_t hour, uint32_t count);
/* The latest that was learned was not usual after all. */
void baseline_forget(struct baseline *baseline, int64_t hour, uint32_t count);
void baseline_at(const struct baseline *baseline, int64_t hour, struct baseline_usual *usual);

#endif
