/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "measure/course.h"

#define ROUNDS 200
#define MAX 64

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static struct course_point packets(uint64_t arrived)
{
	return (struct course_point){ .seconds = 1, .arrived = arrived, .link_percent = -1 };
}

static void test_seconds_are_kept(void **state)
{
	struct course *course = course_new();
	struct course_point points[8], one = packets(5),
				       links = { .link_seconds = 1, .link_bits = 800, .link_percent = 7 };
	int64_t begin = 0, step = 0;

	(void)state;
	assert_non_null(course);
	assert_int_equal(course_read(course, 10, 9, points, 8, &begin, &step), 0);
	course_add(course, 100, &one);
	course_add(course, 100, &links);
	course_add(course, 102, &one);
	assert_int_equal(course_read(course, 99, 103, points, 8, &begin, &step), 5);
	assert_int_equal(begin, 99);
	assert_int_equal(step, 1);
	assert_int_equal(points[0].seconds, 0); /* nothing was measured: that is not the same as nothing came */
	assert_int_equal(points[1].arrived, 5);
	assert_int_equal(points[1].link_percent, 7);
	assert_int_equal(points[2].seconds, 0);
	assert_int_equal(points[3].arrived, 5);
	assert_int_equal(points[3].link_seconds, 0);
	assert_int_equal(points[4].seconds, 0);
	course_free(course);
}

static void test_beyond_an_hour_by_the_minute(void **state)
{
	struct course *course = course_new();
	struct course_point points[MAX], one = packets(3);
	int64_t begin = 0, step = 0;
	uint32_t count;

	(void)state;
	assert_non_null(course);
	for (int64_t s = 0; s < 3 * COURSE_SECONDS; s++)
		course_add(course, s, &one);
	count = course_read(course, 0, 3 * COURSE_SECONDS - 1, points, MAX, &begin, &step);
	assert_int_equal(count, 60);
	assert_int_equal(step, 180);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(points[i].seconds, 180);
		assert_int_equal(points[i].arrived, 540);
	}
	/* Later than a week nothing is left of it, and what is late is passed over. */
	course_add(course, 60LL * (COURSE_MINUTES + 500), &one);
	course_add(course, 17, &one);
	assert_int_equal(course_read(course, 0, 59, points, MAX, &begin, &step), 0);
	course_free(course);
}

/* Beside a twin that keeps every second. */
static void test_as_a_naive_one(void **state)
{
	enum { SPAN = 20000 };
	struct course *course = course_new();
	struct course_point *all = calloc(SPAN, sizeof(*all)), points[MAX];
	uint64_t dice = 7;
	int64_t now = -SPAN / 2, begin, step;

	(void)state;
	assert_non_null(course);
	assert_non_null(all);
	for (; now < SPAN / 2 - 40; now += 1 + (int64_t)(random_next(&dice) % 40)) {
		struct course_point one = packets(random_next(&dice) % 1000);

		course_add(course, now, &one);
		all[now + SPAN / 2] = one;
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t from = (int64_t)(random_next(&dice) % SPAN) - SPAN / 2;
		int64_t to = from + (int64_t)(random_next(&dice) % 3000);
		uint32_t count;

		to = to < SPAN / 2 ? to : SPAN / 2 - 1;
		count = course_read(course, from, to, points, MAX, &begin, &step);
		assert_true(count > 0 && count <= MAX && begin <= from && begin + step * (int64_t)count >= to);
		for (uint32_t i = 0; i < count; i++) {
			uint64_t arrived = 0, seconds = 0;
			int64_t last = step >= 60 ? to / 60 * 60 + (to < 0 && to % 60 ? -60 : 0) + 59 : to;

			for (int64_t s = begin + step * i; s < begin + step * (i + 1); s++) {
				if (s > last || s < -SPAN / 2 || s >= SPAN / 2)
					continue;
				arrived += all[s + SPAN / 2].arrived;
				seconds += all[s + SPAN / 2].seconds;
			}
			assert_int_equal(points[i].arrived, arrived);
			assert_int_equal(points[i].seconds, seconds);
		}
	}
	free(all);
	course_free(course);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seconds_are_kept),
		cmocka_unit_test(test_beyond_an_hour_by_the_minute),
		cmocka_unit_test(test_as_a_naive_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
