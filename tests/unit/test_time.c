/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture time as text, against libc's calendar as the naive twin, and the two clamped sums.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/time.h"

static void expect(int64_t ns, const char *want)
{
	char text[TIME_TEXT_SIZE];

	assert_ptr_equal(time_format((struct capture_time){ ns }, text), text);
	assert_string_equal(text, want);
}

static void known_times(void **state)
{
	(void)state;
	expect(0, "1970-01-01T00:00:00.000000Z");
	expect(1741599912000123000, "2025-03-10T09:45:12.000123Z");
	expect(1741599912000123004, "2025-03-10T09:45:12.000123004Z");
	expect(1741599912000000001, "2025-03-10T09:45:12.000000001Z");
	expect(1741599912999999000, "2025-03-10T09:45:12.999999Z");
	expect(951782400000000000, "2000-02-29T00:00:00.000000Z");
	expect(1709164800000000000, "2024-02-29T00:00:00.000000Z");
	expect(4107542400000000000, "2100-03-01T00:00:00.000000Z");
}

static void before_the_epoch(void **state)
{
	(void)state;
	expect(-1, "1969-12-31T23:59:59.999999999Z");
	expect(-1000, "1969-12-31T23:59:59.999999Z");
	expect(-NS_PER_S, "1969-12-31T23:59:59.000000Z");
	expect(-86400 * NS_PER_S, "1969-12-31T00:00:00.000000Z");
	expect(-2203891201LL * NS_PER_S, "1900-02-28T23:59:59.000000Z");
	expect(-2203891200LL * NS_PER_S, "1900-03-01T00:00:00.000000Z");
}

static void ends_of_the_range(void **state)
{
	(void)state;
	expect(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	expect(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void every_day_agrees_with_libc(void **state)
{
	const int64_t day = 86400 * NS_PER_S;
	uint64_t random = 88172645463325252u;

	(void)state;
	for (int64_t at = INT64_MIN / day; at <= INT64_MAX / day - 1; at++) {
		int64_t in_day, seconds;
		char want[80];
		struct tm tm;
		time_t clock;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		in_day = (int64_t)(random % 86400);
		seconds = at * 86400 + in_day;
		clock = (time_t)seconds;
		assert_non_null(gmtime_r(&clock, &tm));
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.000000Z", tm.tm_year + 1900, tm.tm_mon + 1,
		         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		expect(seconds * NS_PER_S, want);
	}
}

static void sums_are_clamped(void **state)
{
	const struct capture_time first = { INT64_MIN }, last = { INT64_MAX }, one = { 1 }, zero = { 0 };

	(void)state;
	assert_int_equal(time_since(one, zero), 1);
	assert_int_equal(time_since(zero, one), -1);
	assert_true(time_since(last, first) == INT64_MAX);
	assert_true(time_since(first, last) == INT64_MIN);
	assert_true(time_plus(last, 1).ns == INT64_MAX);
	assert_true(time_plus(first, -1).ns == INT64_MIN);
	assert_true(time_plus(one, -3).ns == -2);
	assert_true(time_times(INT64_MAX / 2, 3) == INT64_MAX);
	assert_true(time_times(INT64_MIN / 2, 3) == INT64_MIN);
	assert_true(time_times(-7, 3) == -21);
}

/* What time_format() writes is read back; and whatever is read is written with the same date. */
static void what_is_written_is_read(void **state)
{
	uint64_t random = 88172645463325252u;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct capture_time t, back = { 0 };
		char text[TIME_TEXT_SIZE];

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		t.ns = (int64_t)random;
		t.ns -= i % 3 ? t.ns % NS_PER_S : 0;
		assert_int_equal(time_parse(time_format(t, text), &back), 0);
		assert_int_equal(back.ns, t.ns);
	}
}

static void reads(const char *text, int64_t want)
{
	struct capture_time t = { 7 };

	assert_int_equal(time_parse(text, &t), 0);
	assert_int_equal(t.ns, want);
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const none[] = {
		"",
		"2025-03-10",
		"2025-03-10T09:45Z",
		"2025-03-10T09:45:12",
		"2025-03-10T09:45:12+01:00",
		"2025-03-10T09:45:12.Z",
		"2025-03-10T09:45:12.1234567890Z",
		"2025-02-29T00:00:00Z",
		"2025-04-31T00:00:00Z",
		"2025-13-01T00:00:00Z",
		"2025-00-01T00:00:00Z",
		"2025-01-00T00:00:00Z",
		"2025-01-01T24:00:00Z",
		"2025-01-01T00:60:00Z",
		"2016-12-31T23:59:60Z",
		"1677-09-21T00:12:43.145224191Z",
		"2262-04-11T23:47:16.854775808Z",
		"0000-01-01T00:00:00Z",
		"1600-01-01T00:00:00Z",
		"9999-12-31T23:59:59Z",
		"2025-03-10 09:45:12Z",
		"2025-03-10T09:45:12ZZ",
		" 2025-03-10T09:45:12Z",
		"2025-03-10T-9:45:12Z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct capture_time t = { 7 };

		assert_int_equal(time_parse(none[i], &t), -EINVAL);
		assert_int_equal(t.ns, 7);
	}
	reads("1970-01-01T00:00:00Z", 0);
	reads("1969-12-31T23:59:59.5Z", -500000000);
	reads("2025-03-10T09:45:12.000123004Z", 1741599912000123004);
	reads("2024-02-29T00:00:00Z", 1709164800 * NS_PER_S);
	reads("1678-01-01T00:00:00Z", -9214560000LL * NS_PER_S);
	reads("1677-09-21T00:12:43.145224192Z", INT64_MIN);
	reads("2262-04-11T23:47:16.854775807Z", INT64_MAX);
}

/* At ten in the morning of a first of March. */
static void what_people_type(void **state)
{
	static const struct {
		const char *text, *is;
	} good[] = {
		{ "2026-03-01T09:40:15.5Z", "2026-03-01T09:40:15.500000Z" },
		{ "2027-03-01T09:40", "2027-03-01T09:40:00.000000Z" },
		{ "09:40", "2026-03-01T09:40:00.000000Z" },
		{ "10:00", "2026-03-01T10:00:00.000000Z" },
		{ "10:01", "2026-02-28T10:01:00.000000Z" },
	};
	static const char *const bad[] = {
		"",      "9:40",  "24:00", "09:60",      "09:40:00",         "09:40Z",
		"noon.", "09.40", "-9:40", "2026-03-01", "2026-02-29T09:40", "2026-03-01 09:40"
	};
	struct capture_time now, t;
	char text[TIME_TEXT_SIZE];

	(void)state;
	assert_int_equal(time_parse("2026-03-01T10:00:00Z", &now), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(time_parse_typed(good[i].text, now, &t), 0);
		assert_string_equal(time_format(t, text), good[i].is);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t.ns = 7;
		if (time_parse_typed(bad[i], now, &t) != -EINVAL || t.ns != 7)
			fail_msg("'%s' was accepted", bad[i]);
	}
}

static void months_have_names(void **state)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(time_month(names + (size_t)3 * i), i + 1);
	assert_int_equal(time_month("anF"), 0);
	assert_int_equal(time_month("jan"), 0);
	assert_int_equal(time_month("Mai"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_times),
		cmocka_unit_test(before_the_epoch),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(every_day_agrees_with_libc),
		cmocka_unit_test(sums_are_clamped),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(what_people_type),
		cmocka_unit_test(months_have_names),
	};

	return cmocka_run_group_tests_name("time", tests, NULL, NULL);
}
