/* SPDX-License-Identifier: Apache-2.0 */
/* Dates, times and numbers in each language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tell/language.h"

#define T WORDS_TIE
#define FIRST 1793491200000000000LL /* 2026-11-01 00:00:00 */
#define LATER 1795772445000000000LL /* 2026-11-27 09:40:45 */

static const struct capture_time first = { FIRST }, later = { LATER };
static char text[LANGUAGE_TEXT_SIZE];

static void codes(void **state)
{
	enum language language = LANGUAGE_EN;

	(void)state;
	assert_string_equal(language_code(LANGUAGE_FR), "fr");
	assert_string_equal(language_name(LANGUAGE_FR), "Français");
	assert_true(language_find("fr", &language));
	assert_int_equal(language, LANGUAGE_FR);
	assert_false(language_find("de", &language));
	assert_false(language_find("", &language));
	assert_int_equal(language, LANGUAGE_FR);
}

static void dates(void **state)
{
	struct language_time at = language_time(later);

	(void)state;
	assert_int_equal(at.year, 2026);
	assert_int_equal(at.month, 11);
	assert_int_equal(at.day, 27);
	assert_int_equal(at.hour, 9);
	assert_int_equal(at.minute, 40);
	assert_string_equal(language_date_time(LANGUAGE_EN, later, text), "27" T "November" T "2026, 09:40" T "UTC");
	assert_string_equal(language_date_time(LANGUAGE_FR, later, text),
	                    "27" T "novembre" T "2026 à" T "09:40" T "UTC");
	assert_string_equal(language_date(LANGUAGE_EN, first, text), "1" T "November" T "2026");
	assert_string_equal(language_date(LANGUAGE_FR, first, text), "1er" T "novembre" T "2026");
	assert_string_equal(language_day(LANGUAGE_EN, later, text), "27" T "Nov");
	assert_string_equal(language_day(LANGUAGE_FR, later, text), "27" T "nov.");
	assert_string_equal(language_clock(later, text), "09:40" T "UTC");
	assert_string_equal(language_month(LANGUAGE_EN, 2026, 2, text), "February" T "2026");
	assert_string_equal(language_month(LANGUAGE_FR, 2026, 2, text), "Février" T "2026");
}

static void numbers(void **state)
{
	(void)state;
	assert_string_equal(language_count(LANGUAGE_EN, 1231204, text), "1,231,204");
	assert_string_equal(language_count(LANGUAGE_FR, 1231204, text), "1" T "231" T "204");
	assert_string_equal(language_count(LANGUAGE_FR, 7, text), "7");
	assert_string_equal(language_share_down(LANGUAGE_EN, 999999, text), "99.99" T "%");
	assert_string_equal(language_share_down(LANGUAGE_FR, 999999, text), "99,99" T "%");
	assert_string_equal(language_share_down(LANGUAGE_FR, 1000000, text), "100" T "%");
	assert_string_equal(language_share_down(LANGUAGE_EN, 5099, text), "0.50" T "%");
}

static void mail_dates(void **state)
{
	static const struct {
		int64_t s;
		const char *wanted;
	} cases[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 +0000" },          { 86399, "Thu, 01 Jan 1970 23:59:59 +0000" },
		{ 1709208000, "Thu, 29 Feb 2024 12:00:00 +0000" }, { 1764240000, "Thu, 27 Nov 2025 10:40:00 +0000" },
		{ 1798675199, "Wed, 30 Dec 2026 23:59:59 +0000" },
	};
	char date[WORDS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(words_date_mail((struct capture_time){ cases[i].s * NS_PER_S }, date),
		                    cases[i].wanted);
}

static void durations(void **state)
{
	(void)state;
	assert_string_equal(language_duration(LANGUAGE_EN, 76 * 3600 * NS_PER_S, text), "3" T "d" T "4" T "h");
	assert_string_equal(language_duration(LANGUAGE_FR, 76 * 3600 * NS_PER_S, text), "3" T "j" T "4" T "h");
	assert_string_equal(language_duration(LANGUAGE_FR, 48 * 3600 * NS_PER_S, text), "2" T "j");
	assert_string_equal(language_duration(LANGUAGE_FR, 0, text), "moins" T "de" T "1" T "ms");
	assert_string_equal(language_duration(LANGUAGE_EN, -1, text), "under" T "1" T "ms");
	assert_string_equal(language_duration(LANGUAGE_FR, 3200 * (int64_t)NS_PER_MS, text), "3,2" T "s");
}

/* Notes what it is given, which has whole characters alone. */
static void put_whole(FILE *out, const char *piece)
{
	uint32_t code;

	for (const char *at = piece; *at;) {
		size_t length = words_utf8(at, &code);

		assert_true(length > 0);
		at += length;
	}
	assert_true(fprintf(out, "%s|", piece) > 0);
}

static void fill(char *filled, size_t size, const char *pattern, ...)
{
	FILE *out = fmemopen(filled, size, "w");
	va_list arguments;

	assert_non_null(out);
	va_start(arguments, pattern);
	words_fill(out, pattern, put_whole, arguments);
	va_end(arguments);
	assert_int_equal(fclose(out), 0);
}

static void sentences(void **state)
{
	char filled[4096], pattern[2048] = "", whole[4096] = "";
	size_t length = 0;

	(void)state;
	fill(filled, sizeof(filled), "from %s to %s: none", "9:40", "9:50");
	assert_string_equal(filled, "from |9:40| to |9:50|: none|");
	fill(filled, sizeof(filled), "%s%s", "a %s", "b"); /* what fills a hole is no pattern */
	assert_string_equal(filled, "|a %s||b|");
	/* Wherever pieces end, nothing is lost. */
	for (unsigned shift = 0; shift < 4; shift++) {
		memset(pattern, 'x', shift);
		pattern[shift] = '\0';
		while (strlen(pattern) + 4 < sizeof(pattern))
			memcpy(pattern + strlen(pattern), "\u2026", sizeof("\u2026"));
		fill(filled, sizeof(filled), pattern);
		length = 0;
		for (const char *at = filled; *at; at++)
			if (*at != '|')
				whole[length++] = *at;
		whole[length] = '\0';
		assert_string_equal(whole, pattern);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes),     cmocka_unit_test(dates),      cmocka_unit_test(numbers),
		cmocka_unit_test(durations), cmocka_unit_test(mail_dates), cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
