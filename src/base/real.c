/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logarithm: m·2^k with m near 1, then the series of artanh. Exponential: x = k·ln 2 + r, Taylor's series of r. Gamma:
 * Stirling's series above 10, the recurrence below. The tails of the normal distribution and the incomplete beta
 * function are continued fractions, evaluated as Lentz does (Thompson & Barnett, J. Comput. Phys. 64, 1986; NIST DLMF
 * 7.9.4 and 8.17.22).
 */
#include "base/real.h"

#include <stdint.h>
#include <string.h>

#define LN_2 0.693147180559945309417
#define SQRT_2 1.41421356237309504880
#define SQRT_HALF 0.707106781186547524401
#define HALF_LN_2_PI 0.918938533204672741780
#define SQRT_2_PI 2.50662827463100050242
#define MANTISSA_BITS 52
#define EXPONENT_BIAS 1023
#define EXPONENT_MASK 0x7ff
#define TWO_TO_54 18014398509481984.0
#define EXP_TERMS 18 /* |r| < .347 */
#define EXP_LOW (-745.0)
#define EXP_HIGH 709.0
#define STIRLING_FROM 10.0
#define FRACTION_STEPS 512
#define FRACTION_END 1e-14
#define SERIES_END 1e-17
#define TINY 1e-300
#define NORMAL_SERIES 2.5 /* nearer to 0 the series is quicker than the fraction */

bool real_is_nan(double x)
{
	return x != x; /* NOLINT(misc-redundant-expression): what no number is unequal to */
}

double real_sqrt(double x)
{
	return __builtin_sqrt(x);
}

/* 2^k within the range of normal numbers. */
static double power_of_two(int k)
{
	uint64_t bits = (uint64_t)(k + EXPONENT_BIAS) << MANTISSA_BITS;
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

double real_log(double x)
{
	/* |(m-1)/(m+1)| < .172: the next term is below 2^-63 */
	static const double terms[] = { 1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
		                        1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23, 1.0 / 25 };
	double z, square, sum = 0;
	uint64_t bits;
	int k = 0;

	if (!(x > 0))
		return REAL_UNKNOWN;
	if (x > 1.7976931348623157e308)
		return x;
	if (x < 2.2250738585072014e-308) { /* its exponent says nothing */
		x *= TWO_TO_54;
		k = -54;
	}
	memcpy(&bits, &x, sizeof(bits));
	k += (int)(bits >> MANTISSA_BITS & EXPONENT_MASK) - EXPONENT_BIAS;
	x = x / power_of_two((int)(bits >> MANTISSA_BITS & EXPONENT_MASK) - EXPONENT_BIAS);
	if (x > SQRT_2) {
		x *= 0.5;
		k++;
	}
	z = (x - 1) / (x + 1);
	square = z * z;
	for (size_t i = sizeof(terms) / sizeof(terms[0]); i-- > 0;)
		sum = sum * square + terms[i];
	return k * LN_2 + 2 * z * sum;
}

double real_exp(double x)
{
	double r, sum = 1;
	int k;

	if (real_is_nan(x))
		return x;
	if (x < EXP_LOW)
		return 0;
	if (x > EXP_HIGH)
		x = EXP_HIGH;
	k = (int)(x / LN_2 + (x < 0 ? -0.5 : 0.5));
	r = x - k * LN_2;
	for (int i = EXP_TERMS; i >= 1; i--)
		sum = 1 + sum * r / i;
	if (k < -1000) /* below the normal numbers: in two steps */
		return sum * power_of_two(k + 1000) * power_of_two(-1000);
	return sum * power_of_two(k);
}

double real_lgamma(double x)
{
	/* Bernoulli numbers over n(n-1): DLMF 5.11.1. */
	static const double series[] = { 1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
		                         1.0 / 1188, -691.0 / 360360, 1.0 / 156 };
	double shift = 1, sum = 0, inverse;

	if (!(x > 0))
		return REAL_UNKNOWN;
	while (x < STIRLING_FROM) {
		shift *= x;
		x += 1;
	}
	inverse = 1 / (x * x);
	for (int i = (int)(sizeof(series) / sizeof(series[0])) - 1; i >= 0; i--)
		sum = sum * inverse + series[i];
	return (x - 0.5) * real_log(x) - x + HALF_LN_2_PI + sum / x - real_log(shift);
}

/* What lies above x > 0 far out: density / (x + 1/(x + 2/(x + …))). */
static double normal_above(double x)
{
	double density = real_exp(-x * x / 2), f = x, c = x, d = 0;

	if (density <= 0) /* so far out that nothing is left; infinity would make a NAN of the fraction */
		return 0;
	for (int i = 1; i < FRACTION_STEPS; i++) {
		double step;

		d = 1 / (x + i * d);
		c = x + i / c;
		step = c * d;
		f *= step;
		if (step - 1 < FRACTION_END && 1 - step < FRACTION_END)
			break;
	}
	return density / (SQRT_2_PI * f);
}

double real_normal_below(double x)
{
	double term = x, sum = x;

	if (real_is_nan(x))
		return x;
	if (x > NORMAL_SERIES)
		return 1 - normal_above(x);
	if (x < -NORMAL_SERIES)
		return normal_above(-x);
	for (int i = 1; i < FRACTION_STEPS && (term > SERIES_END || -term > SERIES_END); i++) {
		term *= x * x / (2 * i + 1);
		sum += term;
	}
	return 0.5 + sum * real_exp(-x * x / 2) / SQRT_2_PI;
}

static double away_from_zero(double x)
{
	return x < TINY && x > -TINY ? TINY : x;
}

static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), f = d;

	for (int m = 1; m < FRACTION_STEPS; m++) {
		double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), step;

		d = 1 / away_from_zero(1 + even * d);
		c = away_from_zero(1 + even / c);
		f *= d * c;
		d = 1 / away_from_zero(1 + odd * d);
		c = away_from_zero(1 + odd / c);
		step = d * c;
		f *= step;
		if (step - 1 < FRACTION_END && 1 - step < FRACTION_END)
			break;
	}
	return f;
}

double real_beta_below(double a, double b, double x)
{
	double front;

	if (!(a > 0) || !(b > 0) || real_is_nan(x))
		return REAL_UNKNOWN;
	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	front = real_exp(real_lgamma(a + b) - real_lgamma(a) - real_lgamma(b) + a * real_log(x) + b * real_log(1 - x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}
