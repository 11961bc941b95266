/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sketch against the number of distinct things that it was given: within its stated error, whatever the order or
 * the split.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hll.h"
#include "made.h"

static struct hll filled(uint64_t seed, uint64_t count)
{
	struct hll hll;

	memset(&hll, 0, sizeof(hll));
	for (uint64_t i = 0; i < count; i++)
		hll_add(&hll, made_random(&seed));
	return hll;
}

/* Parts per million, signed; what is due to rounding to a whole number is left out. */
static int64_t error_ppm(uint64_t estimate, uint64_t count)
{
	int64_t difference = (int64_t)(estimate - count);

	if (difference >= -1 && difference <= 1 && count < 100)
		return 0;
	return difference * 1000000 / (int64_t)count;
}

static void empty(void **state)
{
	struct hll a = filled(1, 0), b = filled(2, 0);

	(void)state;
	assert_int_equal(hll_estimate(&a), 0);
	hll_merge(&a, &b);
	assert_int_equal(hll_estimate(&a), 0);
	hll_add(&a, 0);
	assert_int_equal(hll_estimate(&a), 1);
	hll_add(&b, UINT64_MAX);
	assert_int_equal(hll_estimate(&b), 1);
	hll_merge(&a, &b);
	assert_int_equal(hll_estimate(&a), 2);
}

static void within_three_sigma(void **state)
{
	(void)state;
	for (uint64_t count = 10; count <= 10000000; count *= 10) {
		for (uint64_t seed = 1; seed <= (count <= 100000 ? 5 : 1); seed++) {
			struct hll hll = filled(seed * 1000003 + count, count);
			int64_t error = error_ppm(hll_estimate(&hll), count);

			assert_in_range(error + 3 * HLL_RELATIVE_ERROR_PPM, 0, 6 * HLL_RELATIVE_ERROR_PPM);
		}
	}
}

/* Many sketches: their errors have the spread that the header states, and no lean to one side. */
static void spread_and_lean(void **state)
{
	const unsigned rounds = 200;

	(void)state;
	for (uint64_t count = 300; count <= 30000; count *= 10) {
		double sum = 0, squares = 0;

		for (unsigned i = 0; i < rounds; i++) {
			struct hll hll = filled(count + 7919ull * i, count);
			double error = (double)error_ppm(hll_estimate(&hll), count) / HLL_RELATIVE_ERROR_PPM;

			sum += error;
			squares += error * error;
		}
		assert_true(fabs(sum / rounds) < 3 / sqrt(rounds));
		assert_true(sqrt(squares / rounds) < 1.15);
	}
}

static void what_comes_again_counts_once(void **state)
{
	struct hll hll = filled(3, 5000), before = hll;
	uint64_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		hll_add(&hll, made_random(&seed));
	assert_memory_equal(&hll, &before, sizeof(hll));
}

static void order_says_nothing(void **state)
{
	static uint64_t hashes[20000];
	struct hll forth, back;
	uint64_t seed = 4;

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		hashes[i] = made_random(&seed);
	forth = back = filled(0, 0);
	for (unsigned i = 0; i < 20000; i++) {
		hll_add(&forth, hashes[i]);
		hll_add(&back, hashes[19999 - i]);
	}
	assert_memory_equal(&forth, &back, sizeof(forth));
}

static void parts_merge_into_the_whole(void **state)
{
	uint64_t draws = 5;

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		struct hll whole = filled(0, 0), parts[5], forth = whole, back = whole;
		unsigned count = 2 + made_below(&draws, 4);
		uint32_t things = 1 + made_below(&draws, 1u << (4 + made_below(&draws, 12)));

		for (unsigned i = 0; i < 5; i++)
			parts[i] = filled(0, 0);
		for (uint32_t i = 0; i < things; i++) {
			uint64_t hash = made_random(&draws);

			hll_add(&whole, hash);
			hll_add(&parts[made_below(&draws, count)], hash);
			/* Parts may overlap. */
			if (i % 3 == 0)
				hll_add(&parts[made_below(&draws, count)], hash);
		}
		for (unsigned i = 0; i < count; i++) {
			hll_merge(&forth, &parts[i]);
			hll_merge(&back, &parts[count - 1 - i]);
		}
		assert_memory_equal(&forth, &whole, sizeof(whole));
		assert_memory_equal(&back, &whole, sizeof(whole));
		assert_int_equal(hll_estimate(&forth), hll_estimate(&whole));
	}
}

/* Every register as far as it goes but one: no overflow, and still more than before. */
static void nearly_full(void **state)
{
	struct hll hll;
	uint64_t before;

	(void)state;
	memset(&hll, 0, sizeof(hll));
	for (uint64_t i = 0; i < HLL_REGISTERS; i++)
		hll_add(&hll, i << (64 - HLL_PRECISION) | 1);
	before = hll_estimate(&hll);
	assert_true(before > 1ull << 60);
	for (uint64_t i = 1; i < HLL_REGISTERS; i++)
		hll_add(&hll, i << (64 - HLL_PRECISION));
	assert_true(hll_estimate(&hll) > before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(within_three_sigma),
		cmocka_unit_test(spread_and_lean),
		cmocka_unit_test(what_comes_again_counts_once),
		cmocka_unit_test(order_says_nothing),
		cmocka_unit_test(parts_merge_into_the_whole),
		cmocka_unit_test(nearly_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
