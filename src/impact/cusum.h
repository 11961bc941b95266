/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sum that grows while counts are what they would be if they were CUSUM_RATIO times as many as is usual, by the
 * likelihood ratio of two negative binomial distributions of the same dispersion (Höhle & Paul, Comput. Stat. Data
 * Anal. 52, 2008):
 *
 *     μd = 1.25 μ, rd = min(r, 2)
 *     z = n·ln ρ - (n + rd)·ln((rd + ρ·μd) / (rd + μd))
 *     S ← max(0, S + min(z, h/2)), h = 10.16 + ln(streams that are watched): one false alarm in 90 days
 *
 * What is usual is taken for more, and for more dispersed, than it was found to be: else a μ that was found 30 % too
 * low raises false alarms within days. One bucket adds h/2 at most, so that none alarms alone.
 */
#ifndef HOLDFAST_IMPACT_CUSUM_H
#define HOLDFAST_IMPACT_CUSUM_H

#include <stdint.h>

#define CUSUM_RATIO 3.0
#define CUSUM_INFLATION 1.25
#define CUSUM_DISPERSION_MAX 2.0
#define CUSUM_THRESHOLD 10.16

struct cusum {
	double sum, threshold;
	double weight, cost; /* z = weight·n - cost */
};

/* The threshold rises with how many streams are watched, so that all of them together raise no more false alarms. */
void cusum_init(struct cusum *cusum, uint32_t streams);
/* What is usual from now on. */
void cusum_expect(struct cusum *cusum, double mean, double dispersion);
/* Returns the sum. */
double cusum_add(struct cusum *cusum, uint32_t count);
/* The probability of `count` and more where `mean` is usual, negative binomial. */
double cusum_tail(uint32_t count, double mean, double dispersion);

#endif
