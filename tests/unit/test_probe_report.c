/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent home arrives as it was, by whom has the key, and nothing else does. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tell/probe_report.h"

#define KEY "a key of sixteen and more"
#define NOW_S 1795737600

static const char good[] =
	"{\"schema\":\"holdfast.probe/1\",\"id\":\"0123456789abcdef0123456789abcdef\",\"vantage\":\"paris-1\",\"signals\":["
	"{\"bucket\":\"2026-11-27T11:20:00Z\",\"component\":\"site\",\"kind\":\"probe\",\"good\":3,\"bad\":1,\"value\":123}]}";

/* RFC 4231, test cases 1, 2 and 6 */
static void sums_are_those_of_the_rfc(void **state)
{
	uint8_t sum[DIGEST_SHA256_SIZE], key[131];
	char text[DIGEST_SHA256_TEXT_SIZE];

	(void)state;
	memset(key, 0x0b, sizeof(key));
	digest_hmac_sha256(key, 20, "Hi There", 8, sum);
	digest_text(sum, text);
	assert_string_equal(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, sum);
	digest_text(sum, text);
	assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, sum);
	digest_text(sum, text);
	assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_true(digest_equal("abc", "abd", 2));
	assert_false(digest_equal("abc", "abd", 3));
}

static void what_is_written_is_read(void **state)
{
	struct probe_report *report = calloc(1, sizeof(*report)), *again = calloc(1, sizeof(*again));
	size_t length = 0;
	char *text = NULL;

	(void)state;
	assert_non_null(report);
	assert_non_null(again);
	memset(report->id, 'f', sizeof(report->id) - 1);
	memset(report->vantage, 'v', sizeof(report->vantage) - 1);
	report->count = PROBE_REPORT_SIGNALS_MAX;
	for (uint32_t i = 0; i < report->count; i++) {
		struct signal_count *signal = &report->signals[i];

		signal->bucket_ns = (int64_t)(i + 1) * COUNT_BUCKET_NS;
		memset(signal->component, 'c', sizeof(signal->component) - 1);
		memcpy(signal->vantage, report->vantage, sizeof(signal->vantage));
		signal->kind = i % 2 ? SIGNAL_PROBE : SIGNAL_CANARY;
		signal->good = 1000000 - i;
		signal->bad = 1000000 - 64 - i;
		signal->value = 1000000 - 128 - i;
	}
	assert_int_equal(probe_report_write(report, &text, &length), 0);
	assert_true(length <= PROBE_REPORT_SIZE_MAX); /* as large as it gets */
	assert_int_equal(probe_report_read(text, length, again), 0);
	assert_memory_equal(again, report, sizeof(*report));
	free(text);
	free(report);
	free(again);
}

static void what_is_none_is_refused(void **state)
{
	/* What is put in the place of what. */
	static const struct {
		const char *old, *new;
	} rows[] = {
		{ "probe/1", "probe/2" },
		{ "0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef" },
		{ "0123456789abcdef0123456789abcdef", "0123" },
		{ "paris-1", "Paris 1" },
		{ "paris-1", "" },
		{ "11:20:00Z", "11:21:00Z" },
		{ "2026-11-27T11:20:00Z", "1960-01-01T00:00:00Z" },
		{ "\"site\"", "\"\"" },
		{ "\"site\"", "\"a b\"" },
		{ "\"site\"", "\"a\\u0000b\"" },
		{ "\"site\"", "7" },
		{ "\"kind\":\"probe\"", "\"kind\":\"nel\"" },
		{ "\"kind\":\"probe\"", "\"kind\":\"x\"" },
		{ "\"good\":3", "\"good\":-1" },
		{ "\"bad\":1", "\"bad\":1000001" },
		{ "\"value\":123", "\"value\":1.5" },
		{ "\"value\":123", "\"value\":1,\"value\":2" },
		{ "\"signals\"", "\"signs\"" },
		{ "]}", "" },
		{ "}]}", "},7]}" },
	};
	struct probe_report *report = calloc(1, sizeof(*report));
	char text[2048], many[1024] = "";

	(void)state;
	assert_non_null(report);
	assert_int_equal(probe_report_read(good, strlen(good), report), 0);
	assert_int_equal(report->count, 1);
	assert_string_equal(report->signals[0].vantage, "paris-1");
	assert_int_equal(report->signals[0].value, 123);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(good, rows[i].old);

		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, rows[i].new,
		               at + strlen(rows[i].old));
		if (probe_report_read(text, strlen(text), report) != -EBADMSG)
			fail_msg("taken: %s", text);
	}
	for (unsigned i = 0; i <= PROBE_REPORT_SIGNALS_MAX; i++)
		(void)strncat(many, i ? ",{}" : "{}", sizeof(many) - strlen(many) - 1);
	(void)snprintf(text, sizeof(text), "%.*s%s]}", (int)(strchr(good, '[') + 1 - good), good, many);
	assert_int_equal(probe_report_read(text, strlen(text), report), -EBADMSG);
	assert_int_equal(probe_report_read(good, PROBE_REPORT_SIZE_MAX + 1, report), -EBADMSG);
	free(report);
}

static void who_has_the_key(void **state)
{
	char signature[DIGEST_SHA256_TEXT_SIZE], other[DIGEST_SHA256_TEXT_SIZE];
	size_t length = strlen(good);

	(void)state;
	probe_report_sign(KEY, strlen(KEY), NOW_S, good, length, signature);
	assert_true(probe_report_signed(KEY, strlen(KEY), NOW_S + 300, NOW_S, good, length, signature));
	assert_true(probe_report_signed(KEY, strlen(KEY), NOW_S - 300, NOW_S, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S + 301, NOW_S, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S - 301, NOW_S, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), INT64_MAX, INT64_MIN, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S, NOW_S + 1, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY) - 1, NOW_S, NOW_S, good, length, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S, NOW_S, good, length - 1, signature));
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S, NOW_S, good, length, ""));
	probe_report_sign(KEY, strlen(KEY), NOW_S, good, PROBE_REPORT_SIZE_MAX + 1, other);
	assert_string_equal(other, "0000000000000000000000000000000000000000000000000000000000000000");
	assert_false(probe_report_signed(KEY, strlen(KEY), NOW_S, NOW_S, good, PROBE_REPORT_SIZE_MAX + 1, other));
	assert_int_equal(probe_report_key("0123456789abcdef \r\n", 19), 16);
	assert_int_equal(probe_report_key("0123456789abcde\n", 16), 0);
	assert_int_equal(probe_report_key("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_the_rfc),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(who_has_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
