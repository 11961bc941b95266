/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/chance.h"

#include "base/real.h"

#define NEGLIGIBLE 1e-17

static double log_factorial(uint64_t n)
{
	return real_lgamma((double)n + 1);
}

static double log_choose(uint64_t n, uint64_t k)
{
	return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

double chance_hypergeometric(uint64_t population, uint64_t marked, uint64_t drawn, uint64_t least)
{
	uint64_t other = population - marked;
	uint64_t fewest = drawn > other ? drawn - other : 0, most = drawn < marked ? drawn : marked;
	double mode = ((double)drawn + 1) * ((double)marked + 1) / ((double)population + 2);
	double term = 1, sum = 0, tail;
	bool upwards = (double)least > mode;
	uint64_t at = upwards ? least : least - 1;

	if (least <= fewest)
		return 1;
	if (least > most)
		return 0;
	/* From the term next to the mode outwards they fall. */
	for (uint64_t k = at; term > sum * NEGLIGIBLE;) {
		sum += term;
		if (upwards) {
			if (k == most)
				break;
			term *= (double)(marked - k) * (double)(drawn - k) /
			        (((double)k + 1) * ((double)(other + k + 1) - (double)drawn));
			k++;
		} else {
			if (k == fewest)
				break;
			term *= (double)k * ((double)(other + k) - (double)drawn) /
			        ((double)(marked - k + 1) * (double)(drawn - k + 1));
			k--;
		}
	}
	tail = real_exp(log_choose(marked, at) + log_choose(other, drawn - at) - log_choose(population, drawn) +
	                real_log(sum));
	if (!upwards)
		tail = 1 - tail;
	return tail < 0 ? 0 : tail > 1 ? 1 : tail;
}

/* The probability that no span holds more than n. */
static double none_fuller(uint64_t n, double mean, double spans)
{
	double logarithm = (double)n * real_log(mean) - mean - log_factorial(n);
	double at = real_exp(logarithm), term = 1, sum = 0, below;

	if ((double)n < mean)
		return 0; /* the mean itself is fuller */
	/* 1 - upper tail: its terms fall from n + 1 on. */
	for (uint64_t k = n + 1; term > sum * NEGLIGIBLE; k++) {
		term *= mean / (double)k;
		sum += term;
	}
	below = 1 - at * sum;
	if (below <= 0)
		return 0;
	/* mean * spans * at: openings of spans that hold n; the factor: not all of them go on to hold more. */
	return below * real_exp(-(1 - mean / ((double)n + 1)) * mean * spans * at);
}

uint64_t chance_fullest(uint64_t events, double length, double span)
{
	uint64_t low = 1, high = events;
	double mean;

	if (events <= 1 || length <= span)
		return events;
	mean = (double)events * span / length;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (none_fuller(middle, mean, length / span - 1) >= 0.5)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}
