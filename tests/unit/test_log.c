/* SPDX-License-Identifier: Apache-2.0 */
/* What one place may say, and how often. Lines are looked at through a pipe in the place of standard error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/log.h"

static void one_place_is_limited(void **state)
{
	struct log_site site = { .since_ns = 0 };
	const int64_t start_ns = 1000 * NS_PER_S;
	uint32_t withheld = 99;

	(void)state;
	for (unsigned i = 0; i < LOG_BURST; i++) {
		assert_true(log_site_take(&site, start_ns + i, &withheld));
		assert_int_equal(withheld, 0);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_false(log_site_take(&site, start_ns + LOG_PERIOD_S * NS_PER_S - 1, &withheld));
	assert_true(log_site_take(&site, start_ns + LOG_PERIOD_S * NS_PER_S, &withheld));
	assert_int_equal(withheld, 5);
	assert_true(log_site_take(&site, start_ns + LOG_PERIOD_S * NS_PER_S, &withheld));
	assert_int_equal(withheld, 0);
}

/* What `say` writes to standard error. */
static void capture(void (*say)(void), char *text, size_t size)
{
	int ends[2], before = dup(STDERR_FILENO);
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	say();
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	close(ends[1]);
	got = read(ends[0], text, size - 1);
	close(ends[0]);
	text[got > 0 ? got : 0] = '\0';
}

static void say_rude(void)
{
	LOG_SAY(LOG_ERROR, "%s", "eth0\033[2J\nfake: line");
}

static void lines_are_single_and_plain(void **state)
{
	char text[2048];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_begin("engine");
	capture(say_rude, text, sizeof(text));
	assert_string_equal(text, "holdfast: engine: eth0?[2J?fake: line\n");
	assert_int_equal(setenv("JOURNAL_STREAM", "8:1", 1), 0);
	log_begin("");
	if (isatty(STDERR_FILENO))
		return; /* a terminal has no use for levels */
	capture(say_rude, text, sizeof(text));
	assert_string_equal(text, "<3>holdfast: eth0?[2J?fake: line\n");
}

static void say_much(void)
{
	char long_text[3 * LOG_LINE_SIZE];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	LOG_SAY(LOG_INFO, "%s", long_text);
}

static void long_lines_are_cut(void **state)
{
	char text[4 * LOG_LINE_SIZE];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_begin("");
	capture(say_much, text, sizeof(text));
	assert_true(strlen(text) <= LOG_LINE_SIZE + 64);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_place_is_limited),
		cmocka_unit_test(lines_are_single_and_plain),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
