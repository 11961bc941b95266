/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources that samples show being dropped: which samples say so, who is listed and for how long, and that a flood of
 * sources that are made up neither lists anybody nor pushes out who is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/watch_dropped.h"

#define SEED 42
#define SLOTS (1u << WATCH_DROPPED_BITS)
#define FIRST 4096u

static struct watch_dropped *table;

struct listed {
	unsigned count;
	char last[PREFIX_TEXT_SIZE];
};

static int begin(void **state)
{
	(void)state;
	return watch_dropped_new(SEED, &table);
}

static int end(void **state)
{
	(void)state;
	watch_dropped_free(table);
	watch_dropped_free(NULL);
	return 0;
}

static struct address number(uint32_t of)
{
	const uint8_t octets[4] = { (uint8_t)(of >> 24), (uint8_t)(of >> 16), (uint8_t)(of >> 8), (uint8_t)of };

	return address_from_ipv4(octets);
}

static void note(const char *text, uint32_t now_s)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	watch_dropped_note(table, &prefix.address, now_s);
}

static int list_one(void *context, const struct prefix *prefix)
{
	struct listed *listed = context;

	listed->count++;
	(void)prefix_format(prefix, listed->last);
	return 0;
}

static int stop(void *context, const struct prefix *prefix)
{
	(void)prefix;
	++*(unsigned *)context;
	return 7;
}

static struct listed list(uint32_t now_s)
{
	struct listed listed = { .count = 0 };

	assert_int_equal(watch_dropped_each(table, now_s, list_one, &listed), 0);
	return listed;
}

static void which_samples(void **state)
{
	static const bool dropped[SHIELD_REASONS] = {
		[SHIELD_DROP_RULE] = true, [SHIELD_DROP_RATE] = true, [SHIELD_DROP_SOURCE] = true
	};

	(void)state;
	for (unsigned reason = 0; reason < SHIELD_REASONS; reason++) {
		struct shield_sample sample = { .reason = (uint8_t)reason, .flags = SHIELD_SAMPLE_ENFORCED };

		assert_int_equal(watch_dropped_counts_as(&sample), dropped[reason]);
		sample.flags = 0; /* who only observes */
		assert_false(watch_dropped_counts_as(&sample));
		sample.flags = SHIELD_SAMPLE_ENFORCED | SHIELD_SAMPLE_SENT;
		assert_false(watch_dropped_counts_as(&sample));
	}
}

static void twice_and_not_for_ever(void **state)
{
	unsigned calls = 0;

	(void)state;
	note("192.0.2.1", 100);
	note("192.0.2.1", 100); /* the same second */
	assert_int_equal(list(100).count, 0);
	note("192.0.2.1", 102);
	assert_int_equal(list(102).count, 1);
	assert_string_equal(list(102).last, "192.0.2.1/32");
	assert_int_equal(watch_dropped_each(table, 102, stop, &calls), 7);
	assert_int_equal(calls, 1);
	assert_int_equal(list(102 + WATCH_DROPPED_S).count, 1);
	assert_int_equal(list(103 + WATCH_DROPPED_S).count, 0);
	note("192.0.2.1", 110 + WATCH_DROPPED_S); /* as if for the first time */
	assert_int_equal(list(110 + WATCH_DROPPED_S).count, 0);
	/* of IPv6 a customer */
	note("2001:db8:1:2::1", 500);
	note("2001:db8:1:2:ffff::9", 501);
	assert_string_equal(list(501).last, "2001:db8:1:2::/64");
	watch_dropped_clear(table);
	assert_int_equal(list(501).count, 0);
	note("192.0.2.1", 0);
	note("192.0.2.1", 2);
	assert_int_equal(list(2).count, 1);
}

/* A hundred that come again and again, amid two millions that come once. */
static void a_flood_of_forged_sources(void **state)
{
	struct watch_dropped_counts counts;
	uint32_t forged = 0;

	(void)state;
	for (uint32_t s = 1000; s < 1200; s++) {
		for (uint32_t i = 0; i < 100; i++) {
			struct address source = number((198u << 24 | 18u << 16) + i);

			watch_dropped_note(table, &source, s);
		}
		for (uint32_t i = 0; i < 10000; i++) {
			struct address source = number(1u << 24 | forged++);

			watch_dropped_note(table, &source, s);
		}
	}
	counts = watch_dropped_counts(table);
	assert_int_equal(list(1200).count, 100);
	assert_true(counts.pushed_out > 1900000);
	assert_int_equal(counts.refused, 0); /* none of them is so unlucky: lines have eight lanes */
}

static int count_first(void *context, const struct prefix *prefix)
{
	const uint8_t *octets = prefix->address.octets + 12;

	*(unsigned *)context += octets[0] == 0 && octets[1] == 0 && octets[2] < FIRST >> 8;
	return 0;
}

/* More that come again and again than there is room for: those that were there stay. */
static void more_than_there_is_room_for(void **state)
{
	unsigned first = 0, listed;

	(void)state;
	for (uint32_t from = 0, s = 10; from < SLOTS * 2; from += FIRST, s += 2)
		for (uint32_t i = 0; i < FIRST * 2; i++) {
			struct address source = number(from + i % FIRST);

			watch_dropped_note(table, &source, s + i / FIRST);
		}
	listed = list(10 + 2 * (2 * SLOTS / FIRST)).count;
	assert_in_range(listed, SLOTS * 9 / 10, SLOTS);
	assert_true(watch_dropped_counts(table).refused > SLOTS / 2);
	assert_int_equal(watch_dropped_each(table, 80, count_first, &first), 0);
	assert_int_equal(first, FIRST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_samples),
		cmocka_unit_test_setup_teardown(twice_and_not_for_ever, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_of_forged_sources, begin, end),
		cmocka_unit_test_setup_teardown(more_than_there_is_room_for, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
