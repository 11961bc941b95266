/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of access logs: what each format says, what is no line, what syslog puts before it, and what lines come to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "impact/access_count.h"
#include "tell/access_json.h"

#define DAY "[10/Mar/2026:09:35:00 +0000]"
#define DAY_S 1773135300LL
#define GET "\"GET /a HTTP/1.1\""
#define U ACCESS_UNKNOWN

/* What a line says; peer, forwarded NULL: no address. */
static const struct line {
	const char *text;
	enum access_format format;
	int64_t time_ms;
	const char *peer, *forwarded, *method;
	int64_t status, bytes, duration_us;
} lines[] = {
	/* common, combined, and what stands before and behind */
	{ "192.0.2.7 - - " DAY " " GET " 200 512", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 512,
	  U },
	{ "2001:db8::7 - - [10/Mar/2026:11:35:00 +0200] \"POST / HTTP/2.0\" 503 -", ACCESS_COMBINED, DAY_S * 1000,
	  "2001:db8::7", NULL, "POST", 503, U, U },
	{ "host.example - a user [x] " DAY " " GET " 304 0 \"-\" \"an \\\"agent\\\" 9.5\"", ACCESS_COMBINED,
	  DAY_S * 1000, NULL, NULL, "GET", 304, 0, U },
	{ "www.example:443 192.0.2.7 - - " DAY " " GET " 200 1 \"-\" \"-\" 5120", ACCESS_COMBINED, DAY_S * 1000,
	  "192.0.2.7", NULL, "GET", 200, 1, 5120 },
	{ "192.0.2.7 - - " DAY " " GET " 200 1 \"-\" \"-\" \"203.0.113.9, 198.51.100.2\" 0.012 0.010", ACCESS_COMBINED,
	  DAY_S * 1000, "192.0.2.7", "198.51.100.2", "GET", 200, 1, 12000 },
	{ "192.0.2.7 - - " DAY " " GET " 200 1 \"-\" \"-\" \"-\" rt=1.500 uct=\"0.1\"", ACCESS_COMBINED, DAY_S * 1000,
	  "192.0.2.7", NULL, "GET", 200, 1, 1500000 },
	{ "192.0.2.7 - - " DAY " " GET " 200 1 \"-\" \"-\" 77 \"web@file\" \"http://192.0.2.1\" 12ms", ACCESS_COMBINED,
	  DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 1, 12000 },
	{ "192.0.2.7 - - " DAY " \"\\x16\\x03\\x01\" 400 150 \"-\" \"-\"", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7",
	  NULL, "", 400, 150, U },
	{ "192.0.2.7 - - " DAY " \"-\" 000 0", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7", NULL, "", 0, 0, U },
	{ "192.0.2.7 - - " DAY " \"ABCDEFGHIJKLMNOPQRSTUVW /\" 200 1", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7", NULL,
	  "ABCDEFGHIJKLMNO", 200, 1, U },
	/* HAProxy, the zone told apart */
	{ "192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 200 512 - - ---- 1/1/0/0/0 0/0 " GET,
	  ACCESS_HAPROXY, DAY_S * 1000 + 127, "192.0.2.7", NULL, "GET", 200, 512, 13000 },
	{ "2001:db8::7:5000 [10/Mar/2026:09:35:00.127] web~ web/<NOSRV> 0/-1/-1/-1/+3 503 +217 - - SC-- 1/1/0/0/0 0/0 "
	  "{a|b} \"<BADREQ>\"",
	  ACCESS_HAPROXY, DAY_S * 1000 + 127, "2001:db8::7", NULL, "", 503, 217, U },
	{ "192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/-1/-1/9 -1 0 - - CC-- 1/1/0/0/0 0/0 " GET,
	  ACCESS_HAPROXY, DAY_S * 1000 + 127, "192.0.2.7", NULL, "GET", 0, 0, 9000 },
	/* by syslog */
	{ "<190>Mar 10 09:35:01 edge nginx: 192.0.2.7 - - " DAY " " GET " 500 7", ACCESS_COMBINED, DAY_S * 1000,
	  "192.0.2.7", NULL, "GET", 500, 7, U },
	{ "<190>Mar  1 09:35:01 nginx: 192.0.2.7 - - " DAY " " GET " 500 7", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7",
	  NULL, "GET", 500, 7, U },
	{ "<134>Mar 10 09:35:01 haproxy[12]: 192.0.2.7:1 [10/Mar/2026:09:35:00.000] w w/1 0/0/0/0/1 200 5 - - ---- 1/1/0/0/0 "
	  "0/0 " GET,
	  ACCESS_HAPROXY, DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 5, 1000 },
	{ "<134>1 2026-03-10T09:35:01.1+00:00 edge haproxy 12 - [a@1 b=\"]\\\"\"][c] \xef\xbb\xbf"
	  "192.0.2.7 - - " DAY " " GET " 200 7",
	  ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 7, U },
	{ "<134>1 2026-03-10T09:35:01Z edge nginx - - - 192.0.2.7 - - " DAY " " GET " 200 7", ACCESS_COMBINED,
	  DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 7, U },
	{ "2026-03-10T09:35:01.123456+00:00 edge nginx: 192.0.2.7 - - " DAY " " GET " 200 7", ACCESS_COMBINED,
	  DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 7, U },
	{ "<13>192.0.2.7 - - " DAY " " GET " 200 7", ACCESS_COMBINED, DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 7,
	  U },
	/* JSON: nginx, Caddy, Traefik, ECS */
	{ "{\"time_iso8601\":\"2026-03-10T10:35:00+01:00\",\"remote_addr\":\"192.0.2.7\",\"status\":\"502\",\"request_time\":"
	  "\"0.250\",\"body_bytes_sent\":\"12\",\"request_method\":\"GET\",\"http_x_forwarded_for\":\"203.0.113.9\"}\r",
	  ACCESS_JSON, DAY_S * 1000, "192.0.2.7", "203.0.113.9", "GET", 502, 12, 250000 },
	{ "{\"ts\":1773135300.5,\"request\":{\"remote_ip\":\"192.0.2.7\",\"client_ip\":\"203.0.113.9\",\"method\":\"PUT\"},"
	  "\"duration\":0.002,\"size\":9,\"status\":200}",
	  ACCESS_JSON, DAY_S * 1000 + 500, "192.0.2.7", "203.0.113.9", "PUT", 200, 9, 2000 },
	{ "{\"ClientHost\":\"192.0.2.7\",\"DownstreamStatus\":404,\"Duration\":5000000,\"DownstreamContentSize\":3,"
	  "\"RequestMethod\":\"GET\",\"StartUTC\":\"2026-03-10T09:35:00.25Z\"}",
	  ACCESS_JSON, DAY_S * 1000 + 250, "192.0.2.7", NULL, "GET", 404, 3, 5000 },
	{ "{\"@timestamp\":\"2026-03-10T09:35:00Z\",\"client\":{\"ip\":\"192.0.2.7\"},\"http\":{\"request\":{\"method\":"
	  "\"GET\"},\"response\":{\"status_code\":200,\"body\":{\"bytes\":5}}},\"event.duration\":1000}",
	  ACCESS_JSON, DAY_S * 1000, "192.0.2.7", NULL, "GET", 200, 5, 1 },
	{ "{\"msec\":\"1773135300.000\",\"status\":200,\"duration_ms\":7}", ACCESS_JSON, DAY_S * 1000, NULL, NULL, "",
	  200, U, 7000 },
	{ "{\"time\":1773135300000,\"status\":200,\"client\":null,\"duration\":-1}", ACCESS_JSON, DAY_S * 1000, NULL,
	  NULL, "", 200, U, U },
};

static void check_address(bool has, const struct address *address, const char *wanted)
{
	char text[ADDRESS_TEXT_SIZE];

	assert_int_equal(has, wanted != NULL);
	if (wanted)
		assert_string_equal(address_format(address, text), wanted);
}

static void says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line *line = &lines[i];
		struct access_log log = { .format = ACCESS_AUTO };
		struct access_entry entry;
		const char *why = "";
		int result = access_line_read(&log, line->text, strlen(line->text), &entry, &why);

		if (result != 0)
			fail_msg("%s: %s", line->text, why);
		assert_int_equal(log.looked[line->format], 1);
		assert_int_equal(entry.time_ns, line->time_ms * NS_PER_MS);
		check_address(entry.has_peer, &entry.peer, line->peer);
		check_address(entry.has_forwarded, &entry.forwarded, line->forwarded);
		assert_string_equal(entry.method, line->method);
		assert_int_equal(entry.status, line->status);
		assert_int_equal(entry.bytes, line->bytes);
		if (entry.duration_us != line->duration_us)
			fail_msg("%s: %lld", line->text, (long long)entry.duration_us);
	}
}

/* Each ends where it ends: no line is read beyond its last octet, and what is cut off is a line or none, never else. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		for (size_t length = 0; length <= strlen(lines[i].text); length++) {
			struct access_log log = { .format = ACCESS_AUTO };
			char *exact = malloc(length ? length : 1);
			struct access_entry entry;
			const char *why = NULL;
			int result;

			assert_non_null(exact);
			memcpy(exact, lines[i].text, length);
			result = access_line_read(&log, exact, length, &entry, &why);
			assert_true(result == 0 || (result == -ENODATA && length == 0) || (result == -EBADMSG && why));
			free(exact);
		}
	}
}

static const char *const none[] = {
	"no log at all",
	"2021/12/02 11:53:15 [error] 1#1: *1 limiting requests, client: ::1, request: \"GET / HTTP/1.1\"",
	"[Sat Jun 01 02:17:42 2013] [error] [client 192.0.2.1] File does not exist: /srv",
	"192.0.2.7 - - [10/Mar/2026:09:35:00] " GET " 200 512", /* in which zone? */
	"192.0.2.7 - - [30/Feb/2026:09:35:00 +0000] " GET " 200 512",
	"192.0.2.7 - - [10/Mai/2026:09:35:00 +0000] " GET " 200 512",
	"192.0.2.7 - - [10/Mar/2026:09:35:00 +0990] " GET " 200 512",
	"192.0.2.7 - - [10/Mar/1969:09:35:00 +0000] " GET " 200 512",
	"192.0.2.7 - - " DAY " GET / 200 512",
	"192.0.2.7 - - " DAY " \"GET / 200 512",
	"192.0.2.7 - - " DAY " " GET " 20 512",
	"192.0.2.7 - - " DAY " " GET " 099 512",
	"192.0.2.7 - - " DAY " " GET " 200",
	"192.0.2.7 - - " DAY " " GET " 200 99999999999999999999",
	DAY " " GET " 200 512",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/13 200 512 - - -- 1/1/0/0/0 0/0",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web/1: SSL handshake failure",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/x 200 512",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 OK 512",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 200 many",
	"192.0.2.7:5000 [10/Mar/2026:09:35:00.abc] web web/one 0/0/1/12/13 200 1",
	"host:5000 [10/Mar/2026:09:35:00.127] web web/one 0/0/1/12/13 200 1",
	"{\"status\":200}",
	"{\"status\":\"OK\",\"time\":1773135300}",
	"{\"status\":\"\",\"time\":1773135300}",
	"{\"status\":200,\"time\":\"yesterday\"}",
	"{\"status\":200,\"time\":-5}",
	"{\"status\":2000,\"time\":5}",
	"{\"status\":200,",
};

static void are_none(void **state)
{
	static char much[ACCESS_LINE_MAX + 2], zero[] = "192.0.2.7 - - " DAY " " GET " 200 512 \"-\" \"-\" x";
	struct access_log log = { .format = ACCESS_AUTO };
	struct access_entry entry;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		why = NULL;
		if (access_line_read(&log, none[i], strlen(none[i]), &entry, &why) != -EBADMSG)
			fail_msg("%s", none[i]);
		assert_non_null(why);
	}
	assert_int_equal(access_line_read(&log, "\r", 1, &entry, &why), -ENODATA);
	memset(much, ' ', sizeof(much));
	assert_int_equal(access_line_read(&log, much, sizeof(much), &entry, &why), -EBADMSG);
	assert_string_equal(why, "it is too long");
	assert_int_equal(access_log_read(ACCESS_COMBINED, much, sizeof(much), 0, &entry, &why), -EBADMSG);
	assert_int_equal(access_json_read(much, sizeof(much), 0, &entry, &why), -EBADMSG);
	zero[sizeof(zero) - 2] = '\0';
	assert_int_equal(access_line_read(&log, zero, sizeof(zero) - 1, &entry, &why), -EBADMSG);
	assert_string_equal(why, "it holds a zero octet");
}

/* After eight lines of one format the others are none. */
static void settles(void **state)
{
	struct access_log log = { .format = ACCESS_AUTO };
	struct access_entry entry;
	const char *why, *combined = lines[0].text, *haproxy = lines[10].text;

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_int_equal(access_line_read(&log, combined, strlen(combined), &entry, &why), 0);
	assert_int_equal(access_line_read(&log, haproxy, strlen(haproxy), &entry, &why), 0);
	assert_int_equal(log.format, ACCESS_AUTO);
	assert_int_equal(access_line_read(&log, combined, strlen(combined), &entry, &why), 0);
	assert_int_equal(log.format, ACCESS_COMBINED);
	assert_int_equal(access_line_read(&log, haproxy, strlen(haproxy), &entry, &why), -EBADMSG);
	log = (struct access_log){ .format = ACCESS_HAPROXY, .zone_s = 3600 };
	assert_int_equal(access_line_read(&log, haproxy, strlen(haproxy), &entry, &why), 0);
	assert_int_equal(entry.time_ns, (DAY_S - 3600) * NS_PER_S + 127 * NS_PER_MS);
}

static void durations(void **state)
{
	int64_t us;

	(void)state;
	assert_true(access_duration("86399.5", 7, NS_PER_S, &us));
	assert_int_equal(us, 86399500000);
	assert_true(access_duration("86400", 5, NS_PER_S, &us));
	assert_int_equal(us, ACCESS_UNKNOWN);
	assert_true(access_duration("99999999999999999999999", 23, NS_PER_S, &us));
	assert_int_equal(us, ACCESS_UNKNOWN);
	assert_true(access_duration("-", 1, NS_PER_S, &us));
	assert_false(access_duration("1.5x", 4, NS_PER_S, &us));
	assert_false(access_duration("", 0, NS_PER_S, &us));
}

/* ---- counting ---- */

struct given {
	struct access_bucket buckets[40];
	unsigned count;
	int result;
};

static int take(void *context, const struct access_bucket *bucket)
{
	struct given *given = context;

	if (given->result == 0)
		given->buckets[given->count++] = *bucket;
	return given->result;
}

static struct given given;
static struct access_count count;

static void begin(const struct prefix *trusted, uint32_t trusted_count)
{
	memset(&given, 0, sizeof(given));
	access_count_init(&count, trusted, trusted_count, take, &given);
}

static struct access_entry at(int64_t bucket, uint16_t status, int64_t duration_us)
{
	return (struct access_entry){
		.time_ns = bucket * COUNT_BUCKET_NS + 7, .status = status, .bytes = 100, .duration_us = duration_us
	};
}

static void counts(void **state)
{
	struct signal_count signals[2];
	struct access_entry entry;

	(void)state;
	begin(NULL, 0);
	for (int i = 1; i <= 100; i++) {
		entry = at(5, i <= 10 ? 503 : 200, i * 1000);
		assert_int_equal(access_count_add(&count, &entry), 0);
	}
	entry = at(5, 0, 1);
	assert_int_equal(access_count_add(&count, &entry), 0);
	entry = at(6, 200, ACCESS_UNKNOWN);
	assert_int_equal(access_count_add(&count, &entry), 0);
	entry = at(7, 0, 5);
	assert_int_equal(access_count_add(&count, &entry), 0);
	assert_int_equal(access_count_end(&count, 6 * COUNT_BUCKET_NS), 0);
	assert_int_equal(given.count, 1);
	assert_int_equal(given.buckets[0].answers, 100);
	assert_int_equal(given.buckets[0].bad, 10);
	assert_int_equal(given.buckets[0].unanswered, 1);
	assert_int_equal(given.buckets[0].octets, 10000);
	assert_in_range(access_bucket_latency_ms(&given.buckets[0], 90), 90, 101);
	assert_in_range(access_bucket_latency_ms(&given.buckets[0], 50), 50, 57);
	assert_int_equal(access_bucket_signals(&given.buckets[0], "web", signals), 2);
	assert_int_equal(signals[0].kind, SIGNAL_EDGE_5XX);
	assert_int_equal(signals[0].good, 90);
	assert_int_equal(signals[0].bad, 10);
	assert_string_equal(signals[0].component, "web");
	assert_string_equal(signals[0].vantage, "");
	assert_int_equal(signals[1].kind, SIGNAL_LATENCY);
	assert_int_equal(signals[1].good, 100);
	assert_in_range(signals[1].value, 90, 101);
	assert_int_equal(access_count_end(&count, INT64_MAX), 0);
	assert_int_equal(given.count, 3);
	assert_int_equal(access_bucket_signals(&given.buckets[1], "web", signals), 1);
	assert_int_equal(access_bucket_latency_ms(&given.buckets[1], 90), 0);
	assert_int_equal(access_bucket_signals(&given.buckets[2], "web", signals), 0);
}

/* Bins against a naive percentile, over all sizes: never below it, at most an eighth and a millisecond above. */
static void percentiles(void **state)
{
	(void)state;
	for (int64_t us = 1; us < ACCESS_DURATION_MAX_US; us = us * 3 / 2 + 1) {
		struct access_entry entry = at(1, 200, us);
		uint32_t ms;

		begin(NULL, 0);
		assert_int_equal(access_count_add(&count, &entry), 0);
		assert_int_equal(access_count_end(&count, INT64_MAX), 0);
		ms = access_bucket_latency_ms(&given.buckets[0], 90);
		assert_true((int64_t)ms * 1000 >= us);
		assert_true((int64_t)ms * 1000 <= us + us / 8 + 1001);
	}
}

static void makes_room(void **state)
{
	struct access_entry entry;

	(void)state;
	begin(NULL, 0);
	for (int i = 0; i < ACCESS_BUCKETS_MAX + 3; i++) {
		entry = at(100 - i, 200, 1); /* backwards: the oldest is the one that came last */
		assert_int_equal(access_count_add(&count, &entry), 0);
	}
	assert_int_equal(count.early, 3);
	assert_int_equal(given.count, 3);
	assert_int_equal(access_count_end(&count, INT64_MAX), 0);
	assert_int_equal(given.count, ACCESS_BUCKETS_MAX + 3);
	given.result = -EPIPE;
	for (int i = 0; i < ACCESS_BUCKETS_MAX; i++) {
		entry = at(i, 200, 1);
		assert_int_equal(access_count_add(&count, &entry), 0);
	}
	entry = at(50, 200, 1);
	assert_int_equal(access_count_add(&count, &entry), -EPIPE);
	assert_int_equal(access_count_end(&count, INT64_MAX), -EPIPE);
	given.result = 0;
	given.count = 0;
	assert_int_equal(access_count_end(&count, INT64_MAX), 0);
	assert_int_equal(given.count, ACCESS_BUCKETS_MAX); /* nothing was lost */
}

static void clients(void **state)
{
	struct prefix trusted;
	struct address client;
	struct access_entry entry = at(1, 500, 1);
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(prefix_parse("198.51.100.0/24", &trusted), 0);
	assert_false(access_client(&entry, &trusted, 1, &client));
	entry.has_peer = entry.has_forwarded = access_address("192.0.2.1", 9, &entry.peer) &&
	                                       access_forwarded("192.0.2.5, 203.0.113.77:80", 26, &entry.forwarded);
	assert_true(access_client(&entry, &trusted, 1, &client)); /* what a stranger says of himself counts nothing */
	assert_string_equal(address_format(&client, text), "192.0.2.1");
	assert_true(access_address("198.51.100.1", 12, &entry.peer));
	assert_true(access_client(&entry, &trusted, 1, &client));
	assert_string_equal(address_format(&client, text), "203.0.113.77");
	begin(&trusted, 1);
	for (uint8_t i = 0; i < 200; i++) {
		entry.forwarded.octets[15] = i;
		entry.status = i < 20 ? 500 : 200;
		assert_int_equal(access_count_add(&count, &entry), 0);
	}
	entry.has_forwarded = false; /* the proxy itself is nobody */
	assert_false(access_client(&entry, &trusted, 1, &client));
	assert_int_equal(access_count_add(&count, &entry), 0);
	assert_int_equal(access_count_end(&count, INT64_MAX), 0);
	assert_in_range(hll_estimate(&given.buckets[0].clients), 195, 205);
	assert_in_range(hll_estimate(&given.buckets[0].clients_bad), 19, 21);
	given.buckets[1] = given.buckets[0];
	access_bucket_add(&given.buckets[1], &given.buckets[0]);
	assert_int_equal(given.buckets[1].answers, 402);
	assert_int_equal(given.buckets[1].bad, 2 * given.buckets[0].bad);
	assert_int_equal(given.buckets[1].timed, 402);
	assert_in_range(hll_estimate(&given.buckets[1].clients), 195, 205);
	assert_false(access_address("[192.0.2.1", 10, &client));
	assert_false(access_address("192.0.2.1\0", 10, &client));
	assert_true(access_address("[2001:db8::1]", 13, &client));
}

static void names(void **state)
{
	enum access_format format;

	(void)state;
	for (unsigned i = 0; i < ACCESS_FORMATS; i++) {
		assert_true(access_format_find(access_format_name((enum access_format)i), &format));
		assert_int_equal(format, i);
	}
	assert_false(access_format_find("squid", &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says),        cmocka_unit_test(cut_anywhere), cmocka_unit_test(are_none),
		cmocka_unit_test(settles),     cmocka_unit_test(durations),    cmocka_unit_test(counts),
		cmocka_unit_test(percentiles), cmocka_unit_test(makes_room),   cmocka_unit_test(clients),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
