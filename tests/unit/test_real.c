/* SPDX-License-Identifier: Apache-2.0 */
/* Our own functions of real numbers against those of the C library, and against sums that can be made by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/real.h"

#define SEED 20250310u
#define DRAWS 200000

static double uniform(uint64_t n)
{
	return (double)(hash_2(SEED, n, 3) >> 11) / 9007199254740992.0;
}

static void assert_near(double is, double should_be, double relative, double absolute)
{
	double distance = fabs(is - should_be);

	if (!(distance <= absolute || distance <= relative * fabs(should_be)))
		fail_msg("%.17g instead of %.17g", is, should_be);
}

static void logarithms_are_those_of_the_library(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < DRAWS; i++) {
		double x = exp(uniform(i) * 1400 - 700);

		assert_near(real_log(x), log(x), 4e-15, 1e-16);
		x = 0.5 + uniform(i);
		assert_near(real_log(x), log(x), 4e-15, 1e-16);
	}
	assert_true(real_log(1) == 0);
	assert_near(real_log(5e-324), log(5e-324), 1e-15, 0);
	assert_true(real_is_nan(real_log(0)));
	assert_true(real_is_nan(real_log(-1)));
	assert_true(real_is_nan(real_log(NAN)));
	assert_true(real_log(INFINITY) == INFINITY);
}

static void exponentials_are_those_of_the_library(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < DRAWS; i++) {
		double x = uniform(i) * 1400 - 700;

		assert_near(real_exp(x), exp(x), 2e-13, 0);
		x = uniform(i) * 4 - 2;
		assert_near(real_exp(x), exp(x), 4e-15, 0);
	}
	assert_true(real_exp(0) == 1);
	assert_true(real_exp(-800) == 0);
	assert_near(real_exp(-740), exp(-740), 1e-3, 0);
	assert_near(real_exp(1e9), exp(709), 1e-12, 0);
	assert_true(real_is_nan(real_exp(NAN)));
}

static void gamma_is_that_of_the_library(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < DRAWS / 10; i++) {
		double x = uniform(i) * 30 + 1e-3;

		assert_near(real_lgamma(x), lgamma(x), 2e-13, 2e-13);
		x *= 1e5;
		assert_near(real_lgamma(x), lgamma(x), 1e-13, 2e-13);
	}
	assert_near(real_lgamma(6), log(120), 1e-14, 0);
	assert_true(real_is_nan(real_lgamma(0)));
}

static void normal_is_that_of_the_library(void **state)
{
	(void)state;
	for (double x = -37; x < 37; x += 0.01)
		assert_near(real_normal_below(x), erfc(-x / sqrt(2)) / 2, 1e-10, 0);
	assert_true(real_normal_below(0) == 0.5);
	assert_true(real_normal_below(INFINITY) == 1);
	assert_true(real_normal_below(-INFINITY) == 0);
	assert_true(real_normal_below(-1e200) == 0);
	assert_true(real_is_nan(real_normal_below(NAN)));
}

/* For whole a and b it is the chance of a successes or more in a+b-1 trials. */
static double binomial_at_least(unsigned a, unsigned n, double x)
{
	double sum = 0;

	for (unsigned k = a; k <= n; k++)
		sum += exp(lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0) + k * log(x) + (n - k) * log(1 - x));
	return sum;
}

static void beta_is_a_sum_of_binomial_terms(void **state)
{
	static const unsigned sizes[][2] = { { 1, 1 },    { 1, 20 },    { 20, 1 },  { 7, 5 },
		                             { 50, 350 }, { 900, 100 }, { 3, 2000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (double x = 0.01; x < 1; x += 0.01)
			assert_near(real_beta_below(sizes[i][0], sizes[i][1], x),
			            binomial_at_least(sizes[i][0], sizes[i][0] + sizes[i][1] - 1, x), 1e-9, 1e-12);
	assert_near(real_beta_below(2.5, 1, 0.3), pow(0.3, 2.5), 1e-12, 0);
	assert_true(real_beta_below(2, 2, 0) == 0);
	assert_true(real_beta_below(2, 2, 1) == 1);
	assert_true(real_is_nan(real_beta_below(0, 1, 0.5)));
	assert_true(real_is_nan(real_beta_below(1, 1, NAN)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_are_those_of_the_library),
		cmocka_unit_test(exponentials_are_those_of_the_library),
		cmocka_unit_test(gamma_is_that_of_the_library),
		cmocka_unit_test(normal_is_that_of_the_library),
		cmocka_unit_test(beta_is_a_sum_of_binomial_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
