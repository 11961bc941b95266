/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes of made-up populations of which the truth is known, and a naive count by seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/real.h"
#include "base/time.h"
#include "made.h"
#include "trace/size.h"

#define POPULATION 20000

static struct roster_source sources[POPULATION];

static uint64_t drawn(uint64_t what, uint64_t which, uint64_t below)
{
	return hash_2(20250310, what, which) % below;
}

static struct roster_source source(uint32_t i, uint32_t waves, int64_t first_s, int64_t last_s)
{
	return (struct roster_source){
		.address = made_ipv4(0xc6120000u + i),
		.waves = waves,
		.first_ns = first_s * NS_PER_S,
		.last_ns = last_s * NS_PER_S,
		.packets = 9,
		.observed = 9,
	};
}

/* Chapman beside a population of which each wave draws its own. */
static void recapture(void **state)
{
	unsigned covered = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct size_input input = { .sources = sources, .stands_for = 1 };
		struct size_estimate size;

		for (uint32_t i = 0; i < POPULATION; i++) {
			uint32_t waves = (drawn(seed, i, 10) < 3 ? 1u : 0) | (drawn(seed + 1000, i, 10) < 2 ? 2u : 0) |
			                 (drawn(seed + 2000, i, 100) < 1 ? 4u : 0);

			if (waves)
				sources[input.count++] = source(i, waves, 0, 1);
		}
		input.distinct = input.count;
		assert_int_equal(size_make(&input, &size), 0);
		assert_true(size.known);
		assert_true(size.chapman_low <= size.chapman && size.chapman <= size.chapman_high);
		assert_true(size.chapman_low >= 0.9 * POPULATION && size.chapman_high <= 1.1 * POPULATION);
		covered += size.chapman_low <= POPULATION && POPULATION <= size.chapman_high;
	}
	assert_in_range(covered, 90, 99);
}

/* Of the same sources only each so manieth is held: the interval grows, and holds the truth as often. */
static void recapture_of_a_sample(void **state)
{
	unsigned covered = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct size_input input = { .sources = sources, .stands_for = 8, .distinct = 9000 };
		struct size_estimate size;

		for (uint32_t i = 0; i < POPULATION; i++) {
			uint32_t waves = (drawn(seed, i, 10) < 3 ? 1u : 0) | (drawn(seed + 1000, i, 10) < 2 ? 2u : 0);

			if (waves && drawn(seed + 3000, i, 8) == 0)
				sources[input.count++] = source(i, waves, 0, 1);
		}
		assert_int_equal(size_make(&input, &size), 0);
		assert_true(size.chapman_low >= 0.6 * POPULATION && size.chapman_high <= 1.6 * POPULATION);
		covered += size.chapman_low <= POPULATION && POPULATION <= size.chapman_high;
	}
	assert_in_range(covered, 90, 99);
}

/* The same bots each time: there are no more, to the last. */
static void all_again(void **state)
{
	struct size_input input = { .sources = sources, .count = 1000, .stands_for = 1, .distinct = 1000 };
	struct size_estimate size;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		sources[i] = source(i, 3, 0, 1);
	assert_int_equal(size_make(&input, &size), 0);
	assert_true(size.chapman == 1000 && size.chapman_low == 1000 && size.chapman_high == 1000);
}

static void one_wave(void **state)
{
	struct size_input input = { .sources = sources, .count = 10, .stands_for = 4, .distinct = 41 };
	struct size_estimate size;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		sources[i] = source(i, 1, 0, 1);
		sources[i].observed = i < 4 ? 1 : i < 5 ? 2 : 7;
	}
	assert_int_equal(size_make(&input, &size), 0);
	assert_true(size.known);
	assert_int_equal(size.in_all, 41);
	assert_true(real_is_nan(size.chapman) && real_is_nan(size.chapman_low) && real_is_nan(size.chapman_high));
	assert_true(size.chao1 == (10 + 4.0 * 3 / (2 * 2)) * 4);
	assert_int_equal(size.devices, 0);
}

static void nobody(void **state)
{
	struct size_input input = { .stands_for = 1 };
	struct size_estimate size;

	(void)state;
	assert_int_equal(size_make(&input, &size), 0);
	assert_false(size.known);
	assert_int_equal(size.at_once, 0);
	assert_true(real_is_nan(size.chao1));
}

/* Second by second. */
static uint64_t naive(uint32_t count, uint32_t wave, int64_t began_s, int64_t ended_s)
{
	uint64_t most = 0;

	for (int64_t s = began_s; s <= ended_s; s++) {
		uint64_t here = 0;

		for (uint32_t i = 0; i < count; i++)
			here += (sources[i].waves >> wave & 1) && sources[i].first_ns / NS_PER_S <= s &&
			        s <= sources[i].last_ns / NS_PER_S;
		most = here > most ? here : most;
	}
	return most;
}

static void at_once(void **state)
{
	struct size_wave waves[] = { { 0, 60 * NS_PER_S, 0 }, { 100 * NS_PER_S, 160 * NS_PER_S, 0 } };
	struct size_input input = {
		.sources = sources, .count = 500, .stands_for = 1, .distinct = 500, .waves = waves
	};
	struct size_estimate size;

	(void)state;
	input.waves_count = 2;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t first, second;

		for (uint32_t i = 0; i < 500; i++) {
			int64_t a = (int64_t)drawn(seed, i, 60), b = (int64_t)drawn(seed + 50, i, 60);
			bool late = drawn(seed + 99, i, 5) < 2;

			sources[i] =
				source(i, late ? 2 : 1, (a < b ? a : b) + late * 100, (a < b ? b : a) + late * 100);
		}
		first = naive(500, 0, 0, 60);
		second = naive(500, 1, 100, 160);
		waves[0].peak_packets = 0;
		assert_int_equal(size_make(&input, &size), 0);
		assert_int_equal(size.at_once, first > second ? first : second);
		/* No more sources than packets. */
		waves[0].peak_packets = 1;
		assert_int_equal(size_make(&input, &size), 0);
		assert_int_equal(size.at_once, second > 10 ? second : 10);
	}
}

/* Whom both waves saw did not send in the pause, nor in a wave that he was not in. */
static void at_once_with_pauses(void **state)
{
	static const struct size_wave waves[] = { { 0, 10 * NS_PER_S, 50 },
		                                  { 100 * NS_PER_S, 110 * NS_PER_S, 50 },
		                                  { 200 * NS_PER_S, 210 * NS_PER_S, 50 } };
	struct size_input input = { .sources = sources, .count = 3, .stands_for = 2, .distinct = 5, .waves = waves };
	struct size_estimate size;

	(void)state;
	input.waves_count = 3;
	sources[0] = source(0, 5, 0, 205);
	sources[1] = source(1, 2, 101, 102);
	sources[2] = source(2, 4, 203, 204);
	assert_int_equal(size_make(&input, &size), 0);
	assert_int_equal(size.at_once, 4);
	input.distinct = 3;
	assert_int_equal(size_make(&input, &size), 0);
	assert_int_equal(size.at_once, 3);
}

/* Waves beyond the 32nd share its bit. */
static void many_waves(void **state)
{
	struct size_wave waves[40];
	struct size_input input = { .sources = sources, .count = 6, .stands_for = 1, .distinct = 6, .waves = waves };
	struct size_estimate size;

	(void)state;
	input.waves_count = 40;
	for (int64_t i = 0; i < 40; i++)
		waves[i] = (struct size_wave){ i * 100 * NS_PER_S, (i * 100 + 50) * NS_PER_S, 0 };
	for (uint32_t i = 0; i < 6; i++)
		sources[i] = source(i, i < 4 ? 1u << 31 : 1u, i < 4 ? 3801 : 1, i < 4 ? 3803 : 2);
	assert_int_equal(size_make(&input, &size), 0);
	assert_int_equal(size.at_once, 4);
}

/* Of a wave of years seconds are not told apart; it ends all the same, and clocks may have gone back. */
static void endless(void **state)
{
	struct size_wave waves[] = { { INT64_MIN, INT64_MAX, 0 }, { 100, 50, 0 } };
	struct size_input input = { .sources = sources, .count = 2, .stands_for = 1, .distinct = 2, .waves = waves };
	struct size_estimate size;

	(void)state;
	input.waves_count = 2;
	sources[0] = source(0, 3, 1, 2);
	sources[1] = source(1, 3, -1000, 4000);
	assert_int_equal(size_make(&input, &size), 0);
	assert_int_equal(size.at_once, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recapture),
		cmocka_unit_test(recapture_of_a_sample),
		cmocka_unit_test(all_again),
		cmocka_unit_test(one_wave),
		cmocka_unit_test(nobody),
		cmocka_unit_test(at_once),
		cmocka_unit_test(at_once_with_pauses),
		cmocka_unit_test(many_waves),
		cmocka_unit_test(endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
