/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that are not whole, and are estimates for people: nothing that drops a packet rests on one. The functions of libm
 * stand behind one helper each; what is made of them uses + - * / and those alone, so that it can be done again elsewhere
 * and differs at most in the last digits.
 */
#ifndef HOLDFAST_BASE_NUMBER_H
#define HOLDFAST_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_UNKNOWN __builtin_nan("")

static inline bool number_known(double x)
{
	return x == x;
}

double number_log(double x);
double number_exp(double x);
double number_sqrt(double x);

/* part / whole; unknown where whole is 0. */
static inline double number_share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : NUMBER_UNKNOWN;
}

/* log n!, to 1e-10 of it: a sum below 16, Stirling's series from there. */
double number_log_factorial(uint64_t n);

/*
 * Of `population` things `marked` are marked; `drawn` are drawn without putting back. The probability that `least` or more
 * of them are marked (hypergeometric, upper tail). Summed from the largest term outwards in logarithms, so that nothing
 * overflows; 0 where it is less than a double can say. `marked` and `drawn` are at most `population`.
 */
double number_hypergeometric(uint64_t population, uint64_t marked, uint64_t drawn, uint64_t least);

/*
 * `events` fall on a time of `length` independently of each other. How many are in the fullest `span` of it: the median
 * over chance (scan statistic of a Poisson process: Alm, in Naus, J. Am. Stat. Assoc. 77, 1982, and Alm, Methodology and
 * Computing in Applied Probability 1, 1999). At least 1 and at most `events`, where there are any.
 */
uint64_t number_fullest(uint64_t events, double length, double span);

#endif
