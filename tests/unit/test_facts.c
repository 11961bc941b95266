/* SPDX-License-Identifier: Apache-2.0 */
/* What answers say, and what of them is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/time.h"
#include "tell/facts.h"

static json_t *object_of(const char *text)
{
	json_t *object = json_loads(text, 0, NULL);

	assert_non_null(object);
	return object;
}

static void test_count(void **state)
{
	json_t *object =
		object_of("{\"a\": 5, \"b\": -5, \"c\": \"5\", \"d\": null, \"e\": 5.5, \"f\": 9223372036854775807}");

	(void)state;
	assert_int_equal(fact_count(object, "a"), 5);
	assert_int_equal(fact_count(object, "b"), 0);
	assert_int_equal(fact_count(object, "c"), 0);
	assert_int_equal(fact_count(object, "d"), 0);
	assert_int_equal(fact_count(object, "e"), 0);
	assert_int_equal(fact_count(object, "f"), INT64_MAX);
	assert_int_equal(fact_count(object, "missing"), 0);
	assert_int_equal(fact_count(NULL, "a"), 0);
	json_decref(object);
}

static void test_text(void **state)
{
	json_t *object = object_of("{\"a\": \"text\", \"b\": 5}");

	(void)state;
	assert_string_equal(fact_text(object, "a"), "text");
	assert_string_equal(fact_text(object, "b"), "");
	assert_string_equal(fact_text(object, "missing"), "");
	assert_string_equal(fact_text(NULL, "a"), "");
	json_decref(object);
}

static void test_duration(void **state)
{
	static const char *const unknown[] = { "b", "c", "d", "e", "missing" };
	json_t *object =
		object_of("{\"a\": 5, \"half\": 0.5, \"zero\": 0, \"b\": -1, \"c\": \"5\", \"d\": null, \"e\": 1e300}");
	int64_t ns = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_false(fact_duration(object, unknown[i], &ns));
		assert_int_equal(ns, 7);
	}
	assert_true(fact_duration(object, "a", &ns));
	assert_int_equal(ns, 5 * NS_PER_S);
	assert_true(fact_duration(object, "half", &ns));
	assert_int_equal(ns, NS_PER_S / 2);
	assert_true(fact_duration(object, "zero", &ns));
	assert_int_equal(ns, 0);
	json_decref(object);
}

/* What time_format() writes is read back. */
static void test_time(void **state)
{
	static const int64_t moments[] = { 0, 1, 999999999, 1741599912000123000, -1, 4102444800 * NS_PER_S };
	static const char *const wrong[] = {
		"",
		"yesterday",
		"2025-03-10",
		"2025-03-10T09:45:12",
		"2025-03-10T09:45:12+01:00",
		"2025-03-10T09:45:12.5",
		"2025-03-10T09:45:12Zulu",
		"2025-13-10T09:45:12Z",
	};
	struct capture_time time = { 7 };
	json_t *object;

	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		char text[TIME_TEXT_SIZE];

		object = json_pack("{s:s}", "t", time_format((struct capture_time){ moments[i] }, text));
		assert_true(fact_time(object, "t", &time));
		assert_int_equal(time.ns, moments[i]);
		json_decref(object);
	}
	time.ns = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		object = json_pack("{s:s}", "t", wrong[i]);
		assert_false(fact_time(object, "t", &time));
		assert_int_equal(time.ns, 7);
		json_decref(object);
	}
	object = object_of("{\"t\": null}");
	assert_false(fact_time(object, "t", &time));
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
