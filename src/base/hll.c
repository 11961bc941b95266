/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hll.h"

#include <math.h>

#define RANKS (64 - HLL_PRECISION + 2) /* 0 .. 53 */

void hll_merge(struct hll *into, const struct hll *from)
{
	for (unsigned i = 0; i < HLL_REGISTERS; i++)
		if (from->registers[i] > into->registers[i])
			into->registers[i] = from->registers[i];
}

/* x + sum over k >= 1 of x^(2^k) * 2^(k-1); x < 1 */
static double sigma(double x)
{
	double y = 1, z = x, before;

	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

/* (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 * 2^-k) / 3 */
static double tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

uint64_t hll_estimate(const struct hll *hll)
{
	const double m = HLL_REGISTERS;
	unsigned counts[RANKS] = { 0 };
	double z, estimate;

	for (unsigned i = 0; i < HLL_REGISTERS; i++)
		counts[hll->registers[i]]++;
	if (counts[0] == HLL_REGISTERS)
		return 0;
	z = m * tau(1 - counts[RANKS - 1] / m);
	for (unsigned k = RANKS - 2; k >= 1; k--)
		z = 0.5 * (z + counts[k]);
	z += m * sigma(counts[0] / m);
	/* alpha_infinity = 1 / (2 ln 2) */
	estimate = 0.7213475204444817 * m * m;
	/* Full registers say no more than "at least so many". */
	if (estimate >= z * 18446744073709551615.0)
		return UINT64_MAX;
	return (uint64_t)(estimate / z + 0.5);
}
