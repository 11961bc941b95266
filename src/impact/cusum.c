/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/cusum.h"

#include "base/real.h"

#define TAIL_STEPS 100000 /* counts of more than this have no tail that matters */

void cusum_init(struct cusum *cusum, uint32_t streams)
{
	*cusum = (struct cusum){ .threshold = CUSUM_THRESHOLD + real_log(streams ? streams : 1) };
}

static double dispersion_of(double dispersion)
{
	return dispersion < CUSUM_DISPERSION_MAX ? dispersion : CUSUM_DISPERSION_MAX;
}

void cusum_expect(struct cusum *cusum, double mean, double dispersion)
{
	double r = dispersion_of(dispersion), usual = CUSUM_INFLATION * mean;
	double per = real_log((r + CUSUM_RATIO * usual) / (r + usual));

	cusum->weight = real_log(CUSUM_RATIO) - per;
	cusum->cost = r * per;
}

double cusum_add(struct cusum *cusum, uint32_t count)
{
	double z = cusum->weight * count - cusum->cost;

	if (z > cusum->threshold / 2)
		z = cusum->threshold / 2;
	cusum->sum = cusum->sum + z > 0 ? cusum->sum + z : 0;
	return cusum->sum;
}

double cusum_tail(uint32_t count, double mean, double dispersion)
{
	double r = dispersion_of(dispersion), usual = CUSUM_INFLATION * mean, odds = usual / (r + usual);
	double term = real_exp(r * real_log(r / (r + usual))), below = 0;

	if (count > TAIL_STEPS)
		return 0;
	for (uint32_t k = 0; k < count; k++) {
		below += term;
		term *= (k + r) / (k + 1) * odds;
	}
	return below < 1 ? 1 - below : 0;
}
