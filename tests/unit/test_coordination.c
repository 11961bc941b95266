/* SPDX-License-Identifier: Apache-2.0 */
/* Botnets and crowds whose beginnings, ends, waves and packets were made; concentration beside its definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/real.h"
#include "base/time.h"
#include "made.h"
#include "trace/coordination.h"

#define SOURCES 3000

static struct roster_source sources[SOURCES];

static double drawn(uint64_t what, uint64_t which)
{
	return (double)(hash_2(20250310, what, which) >> 11) / 9007199254740992.0;
}

static void assert_near(double value, double expected, double error)
{
	double off = value - expected;

	if (!(off <= error && off >= -error))
		fail_msg("%.12g is not %.12g", value, expected);
}

static void put(uint32_t i, uint32_t waves, double first_s, double last_s)
{
	sources[i] = (struct roster_source){ .address = made_ipv4(0xc6120000u + i),
		                             .waves = waves,
		                             .first_ns = (int64_t)(first_s * 1e9),
		                             .last_ns = (int64_t)(last_s * 1e9) };
}

static struct coordination make(uint32_t count, double length_s, uint32_t waves)
{
	struct coordination_input input = { .sources = sources, .count = count, .waves_count = waves };
	struct coordination c;

	input.ended_ns = (int64_t)(length_s * 1e9);
	memset(&c, 0x55, sizeof(c));
	assert_int_equal(coordination_make(&input, &c), 0);
	return c;
}

/* An order: all within three seconds, of an attack of ten minutes. */
static void command(void **state)
{
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < SOURCES; i++)
		put(i, 1, 3 * drawn(1, i), 600);
	c = make(SOURCES, 600, 1);
	assert_true(c.known);
	assert_int_equal(c.sources, SOURCES);
	assert_int_equal(c.onset, ONSET_COMMAND);
	assert_near(c.within_1s, 1.0 / 3, 0.05);
	assert_near(c.within_5s, 1, 0);
	assert_near(c.within_30s, 1, 0);
	assert_near(c.expected_1s, 1.0 / 600, 0.005);
	assert_near(c.expected_30s, 0.05, 0.03);
	assert_near(c.quartile_s, 1.5, 0.1);
	assert_near(c.ends_1s, 1, 0);
}

/* Bots that ask for orders once a minute. */
static void polling(void **state)
{
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < SOURCES; i++)
		put(i, 1, 60 * drawn(2, i), 600);
	c = make(SOURCES, 600, 1);
	assert_int_equal(c.onset, ONSET_POLLING);
	assert_near(c.quartile_s, 30, 2);
}

/* People: more and more, then fewer, over an hour; the sum of three draws. And chance alone. */
static void crowd(void **state)
{
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < SOURCES; i++)
		put(i, 1, 1200 * (drawn(3, i) + drawn(4, i) + drawn(5, i)), 3600);
	c = make(SOURCES, 3600, 1);
	assert_int_equal(c.onset, ONSET_CROWD);
	for (uint32_t i = 0; i < SOURCES; i++)
		put(i, 1, 3600 * drawn(6, i), 3600);
	c = make(SOURCES, 3600, 1);
	assert_int_equal(c.onset, ONSET_CROWD);
	assert_near(c.within_1s, c.expected_1s, 0.001);
	assert_near(c.within_30s, c.expected_30s, 0.003);
}

/* Too short to tell, too few to tell. */
static void unknown(void **state)
{
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < SOURCES; i++)
		put(i, 1, 4 * drawn(7, i), 5);
	c = make(SOURCES, 5, 1);
	assert_true(c.known);
	assert_int_equal(c.onset, ONSET_UNKNOWN);
	assert_near(c.expected_5s, 1, 0);
	c = make(COORDINATION_SOURCES_MIN - 1, 5, 1);
	assert_false(c.known);
	assert_true(real_is_nan(c.within_1s) && real_is_nan(c.likeness) && real_is_nan(c.quartile_s));
	assert_int_equal(c.overlaps_count, 0);
}

/* Half of them two minutes, as one buys it; those of two waves say nothing of it. */
static void durations(void **state)
{
	struct coordination_input input = { .sources = sources, .count = 400, .open = true, .waves_count = 1 };
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < 400; i++)
		put(i, i < 200 ? 1 : 3, drawn(8, i), drawn(8, i) + (i < 100 ? 121 : i < 200 ? 90 : 60));
	input.ended_ns = 300 * NS_PER_S;
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_near(c.round_duration, 0.5, 0);
	assert_true(real_is_nan(c.ends_1s));
	for (uint32_t i = 0; i < 400; i++)
		sources[i].waves = 3;
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_true(real_is_nan(c.round_duration));
}

/* Three waves: the second has the first's sources, the third has others. */
static void overlaps(void **state)
{
	struct coordination c;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		put(i, i < 400 ? 3 : i < 500 ? 1 : i < 550 ? 6 : 4, 0, 100);
	c = make(1000, 100, 3);
	assert_int_equal(c.overlaps_count, 2);
	assert_int_equal(c.overlaps[0].wave, 0);
	assert_int_equal(c.overlaps[0].next, 1);
	assert_int_equal(c.overlaps[0].sources, 500);
	assert_int_equal(c.overlaps[0].next_sources, 450);
	assert_int_equal(c.overlaps[0].both, 400);
	assert_near(c.overlaps[0].jaccard, 400.0 / 550, 1e-12);
	assert_true(c.overlaps[0].p < 1e-60);
	assert_int_equal(c.overlaps[1].both, 50);
	/* 225 in common would be chance; 50 are far fewer. */
	assert_true(c.overlaps[1].p > 0.999);
}

/* Of many pairs the largest stay, in order. */
static void many_overlaps(void **state)
{
	struct coordination c;

	(void)state;
	/* Wave w has all sources whose number is at least 10 w: each smaller than the one before. */
	for (uint32_t i = 0; i < 400; i++)
		put(i, i / 10 >= 31 ? UINT32_MAX : (2u << i / 10) - 1, 0, 100);
	c = make(400, 100, 200);
	assert_int_equal(c.overlaps_count, COORDINATION_OVERLAPS_MAX);
	for (uint32_t i = 0; i < COORDINATION_OVERLAPS_MAX; i++)
		assert_int_equal(c.overlaps[i].wave, i);
	/* Growing ones: the last. */
	for (uint32_t i = 0; i < 400; i++)
		put(i, i / 10 >= 31 ? UINT32_MAX : ~0u << (31 - i / 10), 0, 100);
	c = make(400, 100, 200);
	assert_int_equal(c.overlaps_count, COORDINATION_OVERLAPS_MAX);
	for (uint32_t i = 0; i < COORDINATION_OVERLAPS_MAX; i++)
		assert_int_equal(c.overlaps[i].wave, 30 - COORDINATION_OVERLAPS_MAX + 1 + i);
}

static void likeness(void **state)
{
	struct sample alike, mixed;
	struct coordination_sample samples[2] = { { &alike, 3000 }, { &mixed, 1000 } };
	struct coordination_input input = { .sources = sources, .count = 100, .samples = samples };
	struct coordination c;

	(void)state;
	sample_init(&alike, 256);
	sample_init(&mixed, 256);
	for (uint32_t i = 0; i < 100; i++) {
		struct observation o = made_tcp(0, made_ipv4(0xc6120000u + i), (uint16_t)(40000 + i),
		                                made_ipv4(0xc0000201u), 443, TCP_SYN, i * 77, 0);

		put(i, 1, 0, 1);
		sample_add(&alike, &o, i);
		o.length = 60 + i;
		sample_add(&mixed, &o, i);
	}
	input.samples_count = 1;
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_near(c.likeness, 1, 0);
	assert_near(c.top_signature, 1, 1e-12);
	samples[0] = samples[1];
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_near(c.likeness, 0, 1e-12);
	assert_near(c.top_signature, 0.01, 1e-12);
	/* Three quarters alike, a quarter all different; one of those may be like them. */
	samples[0] = (struct coordination_sample){ &alike, 3000 };
	input.samples_count = 2;
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_near(c.top_signature, 0.75, 0.003);
	assert_near(c.likeness, 1 - (0.75 * 0.28768 + 0.25 * 5.99146) / 4.60517, 0.02);
	sample_fini(&alike);
	sample_fini(&mixed);
	/* Nothing sampled, nothing known. */
	sample_init(&alike, 256);
	input.samples_count = 1;
	assert_int_equal(coordination_make(&input, &c), 0);
	assert_true(real_is_nan(c.likeness) && real_is_nan(c.top_signature));
}

/* Gini by its definition: half the mean difference between two, over the mean. */
static void concentrations(void **state)
{
	uint64_t values[200], copy[200];
	struct concentration c;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		double differences = 0, total = 0, squares = 0, top = 0;
		unsigned used = 0;

		for (unsigned i = 0; i < 200; i++) {
			values[i] = (uint64_t)(1 / (drawn(round, i) + 0.001));
			values[i] = i % 7 == 0 ? 0 : values[i];
			used += values[i] > 0;
			total += (double)values[i];
			top = (double)values[i] > top ? (double)values[i] : top;
		}
		for (unsigned i = 0; i < 200; i++) {
			squares += (double)values[i] * (double)values[i] / total / total;
			for (unsigned k = 0; k < 200; k++)
				if (values[i] && values[k])
					differences += values[i] > values[k] ? (double)(values[i] - values[k])
					                                     : (double)(values[k] - values[i]);
		}
		memcpy(copy, values, sizeof(copy));
		concentration_make(copy, 200, &c);
		assert_near(c.hhi, squares, 1e-12);
		assert_near(c.gini, differences / 2 / used / total, 1e-12);
		assert_near(c.top, top / total, 1e-12);
	}
	concentration_make(values, 0, &c);
	assert_true(real_is_nan(c.hhi) && real_is_nan(c.gini) && real_is_nan(c.top));
	memset(values, 0, sizeof(values));
	concentration_make(values, 200, &c);
	assert_true(real_is_nan(c.hhi));
	values[3] = 9;
	concentration_make(values, 200, &c);
	assert_near(c.hhi, 1, 0);
	assert_near(c.gini, 0, 0);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(coordination_onset_name(ONSET_COMMAND), "command");
	assert_string_equal(coordination_onset_name(ONSET_POLLING), "polling");
	assert_string_equal(coordination_onset_name(ONSET_CROWD), "crowd");
	assert_string_equal(coordination_onset_name(ONSET_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command),       cmocka_unit_test(polling),   cmocka_unit_test(crowd),
		cmocka_unit_test(unknown),       cmocka_unit_test(durations), cmocka_unit_test(overlaps),
		cmocka_unit_test(many_overlaps), cmocka_unit_test(likeness),  cmocka_unit_test(concentrations),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
