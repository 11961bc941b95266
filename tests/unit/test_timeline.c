/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "measure/timeline.h"

#define EVENTS 4000
#define SLOT_NS ((int64_t)100 * NS_PER_MS)

static uint64_t state_of_chance;

static uint64_t chance(uint64_t below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return state_of_chance % below;
}

struct event {
	int64_t slot;
	uint64_t packets, bytes;
};

static struct event events[EVENTS];

/* Slots around `middle`, most of them close together. */
static void draw_events(int64_t middle, uint64_t width)
{
	for (unsigned i = 0; i < EVENTS; i++) {
		events[i].slot = middle + (int64_t)chance(width) - (int64_t)(width / 2);
		events[i].packets = 1 + chance(3);
		events[i].bytes = events[i].packets * (40 + chance(1461));
	}
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && a < 0);
}

/* The naive twin: knows the whole range, and counts bin after bin over all events. */
static void check_against_twin(const struct timeline *t)
{
	int64_t first = INT64_MAX, last = INT64_MIN, length = 1;
	uint32_t count;

	for (unsigned i = 0; i < EVENTS; i++) {
		first = events[i].slot < first ? events[i].slot : first;
		last = events[i].slot > last ? events[i].slot : last;
	}
	while (floor_div(last, length) - floor_div(first, length) >= TIMELINE_BINS)
		length *= 2;
	count = (uint32_t)(floor_div(last, length) - floor_div(first, length) + 1);
	assert_int_equal(timeline_count(t), count);
	assert_true(timeline_step_ns(t) == length * SLOT_NS);
	for (uint32_t b = 0; b < count; b++) {
		struct timeline_bin sum = { 0, 0 };
		int64_t bin = floor_div(first, length) + b;

		for (unsigned i = 0; i < EVENTS; i++) {
			if (floor_div(events[i].slot, length) != bin)
				continue;
			assert_int_equal(timeline_index(t, events[i].slot), b);
			sum.packets += events[i].packets;
			sum.bytes += events[i].bytes;
		}
		assert_true(timeline_bin(t, b)->packets == sum.packets);
		assert_true(timeline_bin(t, b)->bytes == sum.bytes);
		assert_true(timeline_begin(t, b).ns == bin * length * SLOT_NS);
	}
}

static void add(struct timeline *t, unsigned i)
{
	timeline_add(t, events[i].slot, events[i].packets, events[i].bytes);
}

/* clang-format off */
static const struct {
	int64_t middle;
	uint64_t width;
} ranges[] = {
	{ 0, 1 }, { 0, 2 }, { 17, 511 }, { 17, 513 }, { -3, 700 }, { 17485344000, 100 }, { 17485344000, 5000 },
	{ -17485344000, 1u << 20 }, { 0, 1ull << 36 }, { 1, 1025 }, { 0, 100000000000 },
};
/* clang-format on */

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

static void any_order_any_split(void **state)
{
	(void)state;
	state_of_chance = 0x9e3779b97f4a7c15u;
	for (size_t r = 0; r < RANGES; r++) {
		struct timeline whole = { 0 }, backwards = { 0 }, parts[3] = { 0 }, joined = { 0 };

		draw_events(ranges[r].middle, ranges[r].width);
		for (unsigned i = 0; i < EVENTS; i++) {
			add(&whole, i);
			add(&backwards, EVENTS - 1 - i);
			add(&parts[r % 2 ? i % 3 : i * 3 / EVENTS], i);
		}
		check_against_twin(&whole);
		check_against_twin(&backwards);
		timeline_merge(&joined, &parts[2]);
		timeline_merge(&joined, &parts[0]);
		timeline_merge(&joined, &parts[1]);
		check_against_twin(&joined);
	}
}

/* After a merge the next packet still finds its bin. */
static void merged_goes_on(void **state)
{
	struct timeline t = { 0 }, other = { 0 };

	(void)state;
	timeline_add(&t, 100, 1, 10);
	timeline_add(&other, 5000, 2, 20);
	timeline_merge(&t, &other);
	timeline_add(&t, 100, 4, 40);
	assert_true(timeline_bin(&t, 0)->packets == 5);
	assert_true(timeline_bin(&t, timeline_count(&t) - 1)->packets == 2);
	timeline_add(&t, 5000, 8, 80);
	assert_true(timeline_bin(&t, timeline_count(&t) - 1)->packets == 10);
}

static void empty_and_one(void **state)
{
	struct timeline t = { 0 }, none = { 0 };

	(void)state;
	assert_int_equal(timeline_count(&t), 0);
	timeline_merge(&t, &none);
	assert_int_equal(timeline_count(&t), 0);
	timeline_add(&t, 0, 1, 1); /* slot 0 is a slot like any other */
	assert_int_equal(timeline_count(&t), 1);
	timeline_merge(&none, &t);
	assert_memory_equal(&none, &t, sizeof(t));
}

/* The ends of all time: nothing overflows, and times are clamped. */
static void extremes(void **state)
{
	struct timeline t = { 0 };

	(void)state;
	timeline_add(&t, INT64_MIN / SLOT_NS - 1, 1, 1);
	timeline_add(&t, INT64_MAX / SLOT_NS, 2, 2);
	assert_true(timeline_count(&t) <= TIMELINE_BINS);
	assert_true(timeline_bin(&t, 0)->packets == 1);
	assert_true(timeline_bin(&t, timeline_count(&t) - 1)->packets == 2);
	assert_true(timeline_begin(&t, 0).ns == INT64_MIN);
	assert_true(timeline_begin(&t, timeline_count(&t) - 1).ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_any_split),
		cmocka_unit_test(merged_goes_on),
		cmocka_unit_test(empty_and_one),
		cmocka_unit_test(extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
