/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tell/paper.h"
#include "tell/series.h"

#define FROM 1741599912

static void make(struct series *series, uint32_t count)
{
	memset(series, 0, sizeof(*series));
	series->from.ns = FROM * NS_PER_S;
	series->step_ns = NS_PER_S;
	series->count = count;
	for (uint32_t i = 0; i < count; i++)
		series->points[i] = (struct course_point){ .seconds = 1,
			                                   .link_seconds = 1,
			                                   .arrived = 100 + i,
			                                   .answered = 50,
			                                   .handshakes = 4,
			                                   .link_bits = 1000 * (i + 1),
			                                   .link_packets = 100,
			                                   .link_percent = i % 2 ? (int32_t)i : -1 };
}

static void test_reads_what_it_writes(void **state)
{
	static struct series series, other;
	json_t *json;

	(void)state;
	make(&series, SERIES_POINTS_MAX);
	series.points[3].seconds = 0;
	series.points[4].link_seconds = 0;
	series.points[5].seconds = 2; /* sums over two seconds are said as rates */
	json = series_json(&series);
	assert_non_null(json);
	assert_true(series_read(json, &other));
	assert_int_equal(other.from.ns, series.from.ns);
	assert_int_equal(other.step_ns, series.step_ns);
	assert_int_equal(other.count, series.count);
	for (uint32_t i = 0; i < other.count; i++) {
		assert_int_equal(other.points[i].seconds, i != 3);
		assert_int_equal(other.points[i].link_seconds, i != 4);
		if (i != 3)
			assert_int_equal(other.points[i].arrived, i == 5 ? (100 + i) / 2 : 100 + i);
		if (i != 4) {
			assert_int_equal(other.points[i].link_bits, 1000 * (i + 1));
			assert_int_equal(other.points[i].link_percent, series.points[i].link_percent);
		}
	}
	json_decref(json);
}

static void test_refuses_what_is_none(void **state)
{
	static const char *const texts[] = {
		"{}",
		"[]",
		"{\"from\":1,\"step_s\":1,\"arrived_pps\":[]}",
		"{\"from\":\"2025-03-10T09:45:12Z\",\"step_s\":0,\"arrived_pps\":[1]}",
		"{\"from\":\"2025-03-10T09:45:12Z\",\"step_s\":99999999,\"arrived_pps\":[1]}",
		"{\"from\":\"yesterday\",\"step_s\":1,\"arrived_pps\":[1]}",
	};
	static struct series series;
	json_t *json = json_loads(
		"{\"from\":\"2025-03-10T09:45:12Z\",\"step_s\":1,\"arrived_pps\":[1,-2,\"x\",9e99,4]}", 0, NULL);
	json_t *array = json_array();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *bad = json_loads(texts[i], 0, NULL);

		assert_non_null(bad);
		assert_false(series_read(bad, &series));
		assert_int_equal(series.count, 0);
		json_decref(bad);
	}
	assert_false(series_read(NULL, &series));
	/* Rows that are missing were not measured; so was what is no number of packets. */
	assert_non_null(json);
	assert_true(series_read(json, &series));
	assert_int_equal(series.count, 5);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(series.points[i].seconds, 0);
		assert_int_equal(series.points[i].link_seconds, 0);
	}
	for (unsigned i = 0; i <= SERIES_POINTS_MAX; i++)
		json_array_append_new(array, json_integer(1));
	json_object_set_new(json, "arrived_pps", array);
	assert_false(series_read(json, &series));
	json_decref(json);
}

static void test_finds_a_moment(void **state)
{
	static struct series series;

	(void)state;
	make(&series, 3);
	assert_null(series_at(&series, (struct capture_time){ FROM * NS_PER_S - 1 }));
	assert_ptr_equal(series_at(&series, (struct capture_time){ FROM * NS_PER_S }), &series.points[0]);
	assert_ptr_equal(series_at(&series, (struct capture_time){ (FROM + 3) * NS_PER_S - 1 }), &series.points[2]);
	assert_null(series_at(&series, (struct capture_time){ (FROM + 3) * NS_PER_S }));
	series.count = 0;
	assert_null(series_at(&series, (struct capture_time){ FROM * NS_PER_S }));
}

static void test_says_what_became_of_users(void **state)
{
	static struct series series;
	struct capture_time began = { (FROM + 10) * NS_PER_S }, ended = { (FROM + 20) * NS_PER_S };
	struct draft d = { .length = 0 };

	(void)state;
	make(&series, 30);
	series_say(&series, began, ended, &d);
	assert_non_null(strstr(d.text, "No packet of a user who is answered was dropped"));
	assert_non_null(strstr(d.text, "New connections: 4 a second, and 4 in the time before."));
	assert_non_null(strstr(d.text, "19" WORDS_TIE "%"));
	for (uint32_t i = 10; i <= 20; i++) {
		series.points[i].lost = 5;
		series.points[i].link_lost = 2;
	}
	d.length = 0;
	series_say(&series, began, ended, &d);
	assert_non_null(strstr(d.text, "10.0" WORDS_TIE "% of the packets of users who are answered were dropped"));
	assert_non_null(strstr(d.text, "they lost 22 packets before anybody saw them"));
	for (uint32_t i = 0; i < 30; i++)
		series.points[i].seconds = series.points[i].link_seconds = 0;
	d = (struct draft){ .length = 0 };
	series_say(&series, began, ended, &d);
	assert_int_equal(d.length, 0);
}

/* So many seconds into a series of 180, of which the attack takes 60 to 120. */
static struct capture_time at(int64_t second)
{
	return (struct capture_time){ (FROM + second) * NS_PER_S };
}

static bool outages(const struct series *series, struct claim_span spans[4], uint32_t *count)
{
	*count = 99;
	return series_outages(series, at(60), at(120), spans, 4, count);
}

static void test_outages_are_where_users_are_not_served(void **state)
{
	static struct series series;
	struct claim_span spans[4];
	uint32_t count;

	(void)state;
	make(&series, 180);
	assert_true(outages(&series, spans, &count));
	assert_int_equal(count, 0);
	for (uint32_t i = 70; i < 95; i++) /* answered, and dropped */
		series.points[i].lost = 40;
	for (uint32_t i = 100; i < 109; i++) /* too short */
		series.points[i].answered = 0;
	for (uint32_t i = 120; i < 130; i++) /* just long enough; a half is none */
		series.points[i].answered = i == 129 ? 25 : 24;
	assert_true(outages(&series, spans, &count));
	assert_int_equal(count, 1);
	assert_int_equal(spans[0].began_ns, at(70).ns);
	assert_int_equal(spans[0].ended_ns, at(95).ns);
	assert_true(spans[0].lost == 0.8);
	series.points[129].answered = 24;
	assert_true(outages(&series, spans, &count));
	assert_int_equal(count, 2);
	assert_int_equal(spans[1].began_ns, at(120).ns);
	assert_int_equal(spans[1].ended_ns, at(130).ns);
	for (uint32_t i = 165; i < 180; i++)
		series.points[i].answered = 0;
	assert_true(outages(&series, spans, &count));
	assert_int_equal(count, 3);
	assert_int_equal(spans[2].ended_ns, 0);
	assert_true(spans[2].lost == 1);
	assert_true(series_outages(&series, at(60), at(120), spans, 2, &count));
	assert_int_equal(count, 2);
}

static void test_says_nothing_of_what_was_not_measured(void **state)
{
	static struct series series;
	struct claim_span spans[4];
	uint32_t count;

	(void)state;
	make(&series, 0);
	assert_false(outages(&series, spans, &count));
	make(&series, 180);
	series.points[119].seconds = 0;
	assert_false(outages(&series, spans, &count));
	make(&series, 180);
	series.points[120].seconds = 0; /* after it */
	assert_true(outages(&series, spans, &count));
	make(&series, 118);
	assert_true(outages(&series, spans, &count));
	make(&series, 117);
	assert_false(outages(&series, spans, &count));
	make(&series, 180); /* hardly anybody was there before */
	for (uint32_t i = 0; i < 60; i++)
		series.points[i].answered = SERIES_USERS_PPS - 1;
	assert_false(outages(&series, spans, &count));
	make(&series, 180);
	for (uint32_t i = SERIES_BEFORE_S; i < 60; i++)
		series.points[i].seconds = 0;
	assert_true(outages(&series, spans, &count));
	series.points[0].seconds = 0;
	assert_false(outages(&series, spans, &count));
	assert_int_equal(count, 99);
}

/* Against the obvious way, on made-up courses. */
static void test_outages_are_those_of_a_naive_twin(void **state)
{
	static struct series series;
	struct claim_span spans[SERIES_POINTS_MAX];
	uint32_t count, random = 12345;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		bool down[180], run;
		uint32_t expected = 0;

		make(&series, 180);
		for (uint32_t i = 0; i < 180; i++) {
			random = random * 1664525 + 1013904223;
			down[i] = i >= 60 && (i > 60 && random >> 28 ? down[i - 1] : random >> 16 & 1);
			series.points[i].answered = down[i] ? 10 : 50;
		}
		for (uint32_t i = 0; i < 180; i++) { /* each second that begins ten of them after one that is none */
			run = i + SERIES_OUTAGE_S <= 180 && (i == 0 || !down[i - 1]);
			for (uint32_t k = i; run && k < i + SERIES_OUTAGE_S; k++)
				run = down[k];
			expected += run;
		}
		assert_true(series_outages(&series, at(60), at(120), spans, SERIES_POINTS_MAX, &count));
		assert_int_equal(count, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_it_writes),
		cmocka_unit_test(test_refuses_what_is_none),
		cmocka_unit_test(test_finds_a_moment),
		cmocka_unit_test(test_says_what_became_of_users),
		cmocka_unit_test(test_outages_are_where_users_are_not_served),
		cmocka_unit_test(test_says_nothing_of_what_was_not_measured),
		cmocka_unit_test(test_outages_are_those_of_a_naive_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
