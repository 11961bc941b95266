/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sources send in peace, against a twin that keeps every second of every source and sorts them; and what becomes
 * of it when an attack begins, when somebody wants a flood to be usual, and over a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "measure/quota.h"

#define BEGIN_S 1000000
#define SEED 0x71756f7461u
#define SOURCES 400
#define SECONDS 200

/* Most send a little, one in fifty ten times as much. */
static uint32_t sends(uint32_t source, uint64_t *random)
{
	uint32_t some = made_below(random, 6);

	return source % 50 ? some : some * 10;
}

static int by_size(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return (one > other) - (one < other);
}

/* So many seconds of that; what was sent goes to the twin, if there is one. */
static int64_t play(struct quotas *q, unsigned service, int64_t second, unsigned seconds, uint64_t *random,
                    uint32_t *twin, uint32_t *count)
{
	for (unsigned s = 0; s < seconds; s++, second++) {
		for (uint32_t i = 0; i < SOURCES; i++) {
			struct address from = made_ipv4(0xc6330000u + i);
			uint32_t packets = sends(i, random);

			for (uint32_t k = 0; k < packets; k++)
				quotas_count(q, service, QUOTA_UDP, &from, 1, second);
			if (packets && twin)
				twin[(*count)++] = packets;
		}
	}
	return second;
}

static void bins_hold_what_they_say(void **state)
{
	(void)state;
	assert_int_equal(quota_bin(0), 0);
	for (uint64_t i = 1; i < 100000; i++) {
		unsigned bin = quota_bin(i);

		assert_true(quota_bin_most(bin) >= i);
		assert_true(bin == 0 || quota_bin_most(bin - 1) < i);
		/* A quarter of an octave: no more than a quarter too much. */
		assert_true(quota_bin_most(bin) <= i + i / 4);
	}
	assert_int_equal(quota_bin(UINT64_MAX), QUOTA_BINS - 1);
	for (unsigned bin = 1; bin < QUOTA_BINS; bin++)
		assert_true(quota_bin_most(bin) > quota_bin_most(bin - 1));
}

static void it_says_what_sorting_says(void **state)
{
	struct quotas *q = quotas_new(2, SEED);
	uint32_t *twin = calloc(SOURCES * SECONDS, sizeof(*twin)), count = 0, of_source, truth;
	uint64_t random = 5;
	int64_t second;

	(void)state;
	assert_non_null(q);
	assert_non_null(twin);
	second = play(q, 1, BEGIN_S, SECONDS, &random, twin, &count);
	quotas_advance(q, second + QUOTA_WAIT_S);
	qsort(twin, count, sizeof(*twin), by_size);
	truth = twin[(uint64_t)count * 999 / 1000];
	of_source = quotas_of_source(q, 1, QUOTA_UDP);
	assert_in_range(of_source, truth, truth + truth / 4);
	/* 392 send two and a half a second on average, eight ten times as much. */
	assert_in_range(quotas_of_all(q, 1, QUOTA_UDP), 1180, 1600);
	assert_int_equal(quotas_of_source(q, 1, QUOTA_TCP), 0);
	assert_int_equal(quotas_of_source(q, 0, QUOTA_UDP), 0);
	assert_int_equal(quotas_of_source(q, 7, QUOTA_UDP), 0);
	free(twin);
	quotas_free(q);
}

static void little_is_not_enough(void **state)
{
	struct quotas *q = quotas_new(1, SEED);
	struct address from = made_ipv4(0xc6330001u);
	uint64_t random = 5;
	int64_t second;

	(void)state;
	second = play(q, 0, BEGIN_S, QUOTA_LEAST_S - 1, &random, NULL, NULL);
	quotas_advance(q, second + QUOTA_WAIT_S);
	assert_int_equal(quotas_of_source(q, 0, QUOTA_UDP), 0);
	second = play(q, 0, second + QUOTA_WAIT_S, 1, &random, NULL, NULL);
	quotas_advance(q, second + QUOTA_WAIT_S);
	assert_int_not_equal(quotas_of_source(q, 0, QUOTA_UDP), 0);
	quotas_free(q);
	/* One source for long is not many. */
	q = quotas_new(1, SEED);
	for (second = BEGIN_S; second < BEGIN_S + QUOTA_LEAST - 1; second++)
		quotas_count(q, 0, QUOTA_TCP, &from, 3, second);
	quotas_advance(q, second + QUOTA_WAIT_S);
	assert_int_equal(quotas_of_all(q, 0, QUOTA_TCP), 0);
	quotas_count(q, 0, QUOTA_TCP, &from, 3, second + QUOTA_WAIT_S);
	quotas_advance(q, second + 2 * QUOTA_WAIT_S + 1);
	assert_int_equal(quotas_of_source(q, 0, QUOTA_TCP), 3);
	assert_int_equal(quotas_of_all(q, 0, QUOTA_TCP), 3);
	quotas_free(q);
}

static void of_ipv6_a_network_is_one(void **state)
{
	struct quotas *q = quotas_new(1, SEED);

	(void)state;
	for (int64_t second = BEGIN_S; second < BEGIN_S + 300; second++)
		for (uint64_t i = 0; i < 40; i++) {
			struct address from = made_ipv6(0x20010db800000000u + i / 10, 1 + i);

			quotas_count(q, 0, QUOTA_REST, &from, 1, second);
		}
	quotas_advance(q, BEGIN_S + 320);
	assert_in_range(quotas_of_source(q, 0, QUOTA_REST), 10, 11);
	assert_in_range(quotas_of_all(q, 0, QUOTA_REST), 40, 47);
	quotas_free(q);
}

/* A flood: many sources, each a hundred packets a second. */
static void flood(struct quotas *q, int64_t second, uint32_t packets)
{
	for (uint32_t i = 0; i < 4000; i++) {
		struct address from = made_ipv4(0x0a000000u + i);

		quotas_count(q, 0, QUOTA_UDP, &from, packets, second);
	}
}

static void an_attack_teaches_nothing(void **state)
{
	struct quotas *q = quotas_new(2, SEED);
	uint64_t random = 5;
	uint32_t usual, all;
	int64_t second = play(q, 0, BEGIN_S, 120, &random, NULL, NULL);

	(void)state;
	quotas_advance(q, second + QUOTA_WAIT_S);
	usual = quotas_of_source(q, 0, QUOTA_UDP);
	all = quotas_of_all(q, 0, QUOTA_UDP);
	second += QUOTA_WAIT_S;
	/* It is seen after a while, and goes on. */
	for (unsigned i = 0; i < QUOTA_WAIT_S - 1; i++)
		flood(q, second++, 100);
	quotas_freeze(q, 0, true);
	for (unsigned i = 0; i < 100; i++)
		flood(q, second++, 100);
	/* What of it is in the second in which it is over is not learned either. */
	flood(q, second, 100);
	quotas_freeze(q, 0, false);
	flood(q, second, 100);
	quotas_advance(q, second + 2 * QUOTA_WAIT_S);
	assert_int_equal(quotas_of_source(q, 0, QUOTA_UDP), usual);
	assert_int_equal(quotas_of_all(q, 0, QUOTA_UDP), all);
	/* Then it learns again. */
	second = play(q, 0, second + 2 * QUOTA_WAIT_S, 20, &random, NULL, NULL);
	for (unsigned i = 0; i < 60; i++)
		flood(q, second++, 100);
	quotas_advance(q, second + QUOTA_WAIT_S);
	assert_true(quotas_of_source(q, 0, QUOTA_UDP) > usual);
	quotas_free(q);
}

static void nobody_makes_a_flood_usual(void **state)
{
	struct quotas *q = quotas_new(1, SEED);
	struct address few[4];
	uint32_t usual, after;
	int64_t second = BEGIN_S;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		few[i] = made_ipv4(0xc6330000u + i);
	for (; second < BEGIN_S + QUOTA_SETTLED_S + 100; second++)
		for (uint32_t i = 0; i < 4; i++)
			quotas_count(q, 0, QUOTA_UDP, &few[i], 20, second);
	quotas_advance(q, second + QUOTA_WAIT_S);
	usual = quotas_of_source(q, 0, QUOTA_UDP);
	assert_in_range(usual, 20, 25);
	/* Half of the sources send fifty times as much for six hours. */
	for (unsigned i = 0; i < 6 * 3600; i++, second++)
		for (uint32_t k = 0; k < 4; k++)
			quotas_count(q, 0, QUOTA_UDP, &few[k], k % 2 ? 1000 : 20, second + QUOTA_WAIT_S);
	after = quotas_of_source(q, 0, QUOTA_UDP);
	assert_true(after > usual);
	assert_in_range(after, usual * 3 / 2, usual * 9 / 4); /* 1.1 to the sixth is 1.77 */
	assert_true(quotas_of_all(q, 0, QUOTA_UDP) < 4 * 20 * 9 / 4);
	quotas_free(q);
}

static void a_crowd_has_a_bound(void **state)
{
	struct quotas *q = quotas_new(1, SEED);

	(void)state;
	for (uint32_t i = 0; i < QUOTA_SOURCES_MAX + 100; i++) {
		struct address from = made_ipv4(0x0a000000u + i);

		quotas_count(q, 0, QUOTA_UDP, &from, 1, BEGIN_S);
	}
	assert_int_equal(quotas_refused(q), 100);
	quotas_advance(q, BEGIN_S + 1);
	quotas_count(q, 0, QUOTA_UDP, &(struct address){ 0 }, 1, BEGIN_S + 1);
	assert_int_equal(quotas_refused(q), 100);
	/* What is none of its services it passes over. */
	quotas_count(q, 1, QUOTA_UDP, &(struct address){ 0 }, 1, BEGIN_S + 1);
	quotas_count(q, 0, QUOTA_CLASSES, &(struct address){ 0 }, 1, BEGIN_S + 1);
	quotas_freeze(q, 1, true);
	quotas_free(q);
	assert_null(quotas_new(QUOTA_SERVICES_MAX + 1, SEED));
}

/* A long silence, and time before 1970. */
static void seconds_may_be_missing(void **state)
{
	struct quotas *q = quotas_new(1, SEED);
	uint64_t random = 5;
	uint32_t usual;
	int64_t second = play(q, 0, -1000, 100, &random, NULL, NULL);

	(void)state;
	quotas_advance(q, second + 100000);
	usual = quotas_of_source(q, 0, QUOTA_UDP);
	assert_int_not_equal(usual, 0);
	quotas_advance(q, second); /* it does not go back */
	flood(q, second, 100);
	quotas_advance(q, second + 100000 + 1);
	assert_int_equal(quotas_of_source(q, 0, QUOTA_UDP), usual);
	quotas_free(q);
}

static void octets_say_it_again(void **state)
{
	struct quotas *q = quotas_new(2, SEED), *again = quotas_new(2, SEED);
	uint8_t octets[QUOTA_PACKED_MAX], others[QUOTA_PACKED_MAX];
	uint64_t random = 5;
	size_t length;
	struct cursor c;
	int64_t second = play(q, 1, BEGIN_S, 100, &random, NULL, NULL);

	(void)state;
	/* What waits is not in them; without it both are the same from here on. */
	quotas_settle(q);
	length = quotas_pack(q, 1, QUOTA_UDP, octets);
	assert_in_range(length, 100, QUOTA_PACKED_MAX);
	c = cursor_over(octets, length);
	quotas_unpack(&c, again, 0, QUOTA_TCP);
	assert_false(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(quotas_of_source(again, 0, QUOTA_TCP), quotas_of_source(q, 1, QUOTA_UDP));
	assert_int_equal(quotas_of_all(again, 0, QUOTA_TCP), quotas_of_all(q, 1, QUOTA_UDP));
	for (uint32_t i = 0; i < 200; i++, second++) {
		struct address from = made_ipv4(0xc6330000u + i % 50);

		quotas_count(q, 1, QUOTA_UDP, &from, i, second);
		quotas_count(again, 0, QUOTA_TCP, &from, i, second);
	}
	assert_int_equal(quotas_pack(q, 1, QUOTA_UDP, octets), quotas_pack(again, 0, QUOTA_TCP, others));
	assert_memory_equal(octets, others, length);
	/* Cut anywhere it is none, and what was there stays. */
	length = quotas_pack(q, 1, QUOTA_UDP, octets);
	for (size_t cut = 0; cut < length; cut++) {
		c = cursor_over(octets, cut);
		quotas_unpack(&c, again, 0, QUOTA_TCP);
		assert_true(c.failed);
	}
	memset(octets, 0xff, sizeof(octets));
	c = cursor_over(octets, sizeof(octets));
	quotas_unpack(&c, again, 0, QUOTA_TCP);
	assert_true(c.failed);
	assert_int_equal(quotas_of_source(again, 0, QUOTA_TCP), quotas_of_source(q, 1, QUOTA_UDP));
	quotas_free(q);
	quotas_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bins_hold_what_they_say),   cmocka_unit_test(it_says_what_sorting_says),
		cmocka_unit_test(little_is_not_enough),      cmocka_unit_test(of_ipv6_a_network_is_one),
		cmocka_unit_test(an_attack_teaches_nothing), cmocka_unit_test(nobody_makes_a_flood_usual),
		cmocka_unit_test(a_crowd_has_a_bound),       cmocka_unit_test(seconds_may_be_missing),
		cmocka_unit_test(octets_say_it_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
