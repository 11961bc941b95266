/* SPDX-License-Identifier: Apache-2.0 */
/* Laws of chance that say what would have come about without anybody's doing, for any number of sources. */
#ifndef HOLDFAST_TRACE_CHANCE_H
#define HOLDFAST_TRACE_CHANCE_H

#include <stdint.h>

#define CHANCE_UNKNOWN __builtin_nan("")

/* part / whole; unknown where whole is 0. */
static inline double chance_share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : CHANCE_UNKNOWN;
}

/*
 * Of `population` things `marked` are marked; `drawn` are drawn without putting back. The probability that `least` or
 * more of them are marked (hypergeometric, upper tail). Summed from the largest term outwards in logarithms, so that
 * nothing overflows; 0 where it is less than a double can say. `marked` and `drawn` are at most `population`.
 */
double chance_hypergeometric(uint64_t population, uint64_t marked, uint64_t drawn, uint64_t least);

/*
 * `events` fall on a time of `length` independently of each other. How many are in the fullest `span` of it: the median
 * over chance, to a twentieth (scan statistic of a Poisson process, by the approximation of Alm, in: Probability and
 * Mathematical Statistics, Essays in honour of C.-G. Esseen, Uppsala 1983). At least 1 and at most `events`, where
 * there are any.
 */
uint64_t chance_fullest(uint64_t events, double length, double span);

#endif
