/* SPDX-License-Identifier: Apache-2.0 */
/* Durations: what is read, what is refused, and that what is printed reads back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/duration.h"
#include "base/time.h"

static void read_texts(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
	} good[] = {
		{ "0s", 0 },      { "90s", 90 },     { "5m", 300 },         { "1h", 3600 },
		{ "7d", 604800 }, { "1h30m", 5400 }, { "1d2h3m4s", 93784 }, { "100m", 6000 },
	};
	static const char *const bad[] = { "",    "s",   "1",   "1x",  "1h1h", "1m1h",
		                           "-1s", "+1s", " 1s", "1s ", "1.5h", "1h30" };
	static const char *const large[] = { "106752d", "99999999999999999999s", "9223372037s", "106751d86400s" };
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(good[i].text, &ns), 0);
		assert_int_equal(ns, good[i].s * NS_PER_S);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(duration_parse(bad[i], &ns), -EINVAL);
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		assert_int_equal(duration_parse(large[i], &ns), -ERANGE);
	assert_int_equal(duration_parse("106751d", &ns), 0);
}

static void print_texts(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ -5, "0s" },
		{ 999999999, "0s" },
		{ 90 * NS_PER_S, "1m30s" },
		{ 5400 * NS_PER_S, "1h30m" },
		{ 93784 * NS_PER_S, "1d2h3m4s" },
		{ INT64_MAX, "106751d23h47m16s" },
	};
	char text[DURATION_TEXT_SIZE];
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(duration_format(cases[i].ns, text), cases[i].text);
		assert_int_equal(duration_parse(text, &ns), 0);
		assert_int_equal(ns / NS_PER_S, cases[i].ns > 0 ? cases[i].ns / NS_PER_S : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(read_texts), cmocka_unit_test(print_texts) };

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
