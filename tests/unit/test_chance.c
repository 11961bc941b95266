/* SPDX-License-Identifier: Apache-2.0 */
/* Beside naive twins: tails counted term by term, and events thrown at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/real.h"
#include "trace/chance.h"

static void assert_near(double value, double expected, double error)
{
	double off = value - expected;

	if (!(off <= error && off >= -error))
		fail_msg("%.12g is not %.12g", value, expected);
}

static double choose(unsigned n, unsigned k)
{
	double result = 1;

	if (k > n)
		return 0;
	for (unsigned i = 1; i <= k; i++)
		result = result * (n - k + i) / i;
	return result;
}

static void hypergeometric(void **state)
{
	(void)state;
	for (unsigned population = 1; population <= 24; population++)
		for (unsigned marked = 0; marked <= population; marked++)
			for (unsigned drawn = 0; drawn <= population; drawn++)
				for (unsigned least = 0; least <= drawn + 1; least++) {
					double tail = 0;

					for (unsigned k = least; k <= drawn; k++)
						tail += choose(marked, k) * choose(population - marked, drawn - k);
					assert_near(chance_hypergeometric(population, marked, drawn, least),
					            tail / choose(population, drawn), 1e-10);
				}
}

/* Where factorials would long have overflown. */
static void hypergeometric_large(void **state)
{
	(void)state;
	/* Half of 10^6 marked, half drawn: 250,000 expected, one sigma is 250; median and 3.5 sigma. */
	assert_near(chance_hypergeometric(1000000, 500000, 500000, 250000), 0.5, 0.002);
	assert_near(chance_hypergeometric(1000000, 500000, 500000, 250875), 2.3e-4, 0.1e-4);
	assert_true(chance_hypergeometric(1000000, 500000, 500000, 400000) == 0);
	assert_true(chance_hypergeometric(1000000, 500000, 500000, 100000) == 1);
	assert_true(chance_hypergeometric(1000000000, 1000, 1000, 3) < 1e-8);
	assert_true(chance_hypergeometric(1000000000, 1000, 1000, 3) > 1e-10);
}

static int by_value(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The fullest span of so many events thrown at random, in the middle of so many throws. */
static uint64_t thrown(unsigned events, double length, double span)
{
	double times[512], fullest[201];

	for (unsigned throw = 0; throw < 201; throw ++) {
		unsigned most = 0;

		for (unsigned i = 0; i < events; i++)
			times[i] = (double)(hash_2(7, throw, i) >> 11) / 9007199254740992.0 * length;
		qsort(times, events, sizeof(times[0]), by_value);
		for (unsigned from = 0, to = 0; to < events; to++) {
			while (times[to] - times[from] > span)
				from++;
			most = to - from + 1 > most ? to - from + 1 : most;
		}
		fullest[throw] = most;
	}
	qsort(fullest, 201, sizeof(fullest[0]), by_value);
	return (uint64_t)fullest[100];
}

static void fullest(void **state)
{
	static const struct {
		unsigned events;
		double length, span;
	} cases[] = { { 10, 100, 1 },   { 100, 1000, 1 }, { 400, 100, 1 },
		      { 400, 100, 30 }, { 500, 3600, 5 }, { 40, 20, 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t said = chance_fullest(cases[i].events, cases[i].length, cases[i].span);
		uint64_t found = thrown(cases[i].events, cases[i].length, cases[i].span);

		assert_near((double)said, (double)found, 1 + 0.05 * (double)found);
	}
	assert_int_equal(chance_fullest(0, 10, 1), 0);
	assert_int_equal(chance_fullest(1, 10, 1), 1);
	assert_int_equal(chance_fullest(50, 1, 5), 50);
	/* A million over an hour: 278 a second; the fullest second is some five sigmas above. */
	assert_in_range(chance_fullest(1000000, 3600, 1), 278 + 3 * 16, 278 + 6 * 17);
}

static void shares(void **state)
{
	(void)state;
	assert_near(chance_share(1, 4), 0.25, 0);
	assert_true(real_is_nan(chance_share(0, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hypergeometric),
		cmocka_unit_test(hypergeometric_large),
		cmocka_unit_test(fullest),
		cmocka_unit_test(shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
