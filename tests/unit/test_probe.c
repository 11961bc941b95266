/* SPDX-License-Identifier: Apache-2.0 */
/* What a target is, what a check comes to, when the next one is due, and what is counted of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "impact/probe.h"

#define NOW (1795737600LL * NS_PER_S)

static void targets(void **state)
{
	static const struct {
		const char *text;
		enum probe_type type;
		const char *host;
		uint16_t port;
		const char *url, *resolver;
	} rows[] = {
		{ "http://site.test", PROBE_HTTP, "site.test", 80, "http://site.test:80/", "" },
		{ "http://site.test?a=b#c", PROBE_HTTP, "site.test", 80, "http://site.test:80/?a=b", "" },
		{ "https://site.test./x/y?z", PROBE_HTTP, "site.test.", 443, "https://site.test.:443/x/y?z", "" },
		{ "https://[2001:db8::1]:8443/", PROBE_HTTP, "2001:db8::1", 8443, "https://[2001:db8::1]:8443/", "" },
		{ "http://192.0.2.1:1/", PROBE_HTTP, "192.0.2.1", 1, "http://192.0.2.1:1/", "" },
		{ "tcp://mail.test:25", PROBE_TCP, "mail.test", 25, "http://mail.test:25/", "" },
		{ "tls://mail.test", PROBE_TLS, "mail.test", 443, "https://mail.test:443/", "" },
		{ "tls://[::1]:65535", PROBE_TLS, "::1", 65535, "https://[::1]:65535/", "" },
		{ "dns://site.test", PROBE_DNS, "site.test", 0, NULL, "" },
		{ "dns:///site.test", PROBE_DNS, "site.test", 0, NULL, "" },
		{ "dns://192.0.2.53/site.test", PROBE_DNS, "site.test", 0, NULL, "192.0.2.53" },
		{ "dns://[2001:db8::53]:5353/site.test", PROBE_DNS, "site.test", 0, NULL, "2001:db8::53" },
	};
	static const char *const none[] = {
		"",
		"site.test",
		"ftp://site.test/",
		"HTTP://site.test/",
		"http://",
		"http:///x",
		"http://user@site.test/",
		"http://site.test:0/",
		"http://site.test:65536/",
		"http://site.test:99999999999999999999/",
		"http://site.test:/",
		"http://site.test:8o/",
		"http://a b/",
		"http://a/\x7f",
		"http://a\\b/",
		"http://a..b/",
		"http://.a/",
		"http://1.2.3/",
		"http://1.2.3.256/",
		"http://0x7f.1/1.1.1.1@",
		"http://[::1/",
		"http://[::1]x/",
		"http://[site.test]/",
		"http://::1/",
		"http://[]/",
		"tcp://site.test",
		"tcp://site.test:1/",
		"tls://site.test:1/x",
		"dns://192.0.2.1",
		"dns://resolver.test/site.test",
		"dns://192.0.2.53/site.test:53",
		"dns://192.0.2.53/",
		"dns://192.0.2.53:x/a",
		"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/",
	};
	char url[PROBE_URL_SIZE], longest[PROBE_TARGET_SIZE + 1];
	struct probe_target target;
	const char *what;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (probe_target_parse(rows[i].text, &target, &what) != 0)
			fail_msg("%s: %s", rows[i].text, what);
		assert_int_equal(target.type, rows[i].type);
		assert_string_equal(target.host, rows[i].host);
		assert_int_equal(target.port, rows[i].port);
		assert_string_equal(target.resolver, rows[i].resolver);
		if (rows[i].url)
			assert_string_equal(probe_target_url(&target, url), rows[i].url);
	}
	assert_int_equal(target.resolver_port, 5353);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		what = NULL;
		if (probe_target_parse(none[i], &target, &what) != -EINVAL)
			fail_msg("taken: %s", none[i]);
		assert_non_null(what);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "http://b/", 9);
	assert_int_equal(probe_target_parse(longest, &target, &what), -EINVAL);
	longest[sizeof(longest) - 2] = '\0';
	assert_int_equal(probe_target_parse(longest, &target, &what), 0);
	assert_string_equal(target.path, longest + 8);
	memcpy(longest, "http://", 7);
	memset(longest + 7, 'b', sizeof(longest) - 9);
	for (size_t i = 20; i < sizeof(longest) - 2; i += 20)
		longest[i] = '.';
	assert_int_equal(probe_target_parse(longest, &target, &what), -EINVAL); /* a name of more than 253 octets */
}

static void resolvers(void **state)
{
	struct probe_target target = { .port = 7 };
	const char *what;

	(void)state;
	assert_int_equal(probe_resolver_parse("2001:db8::53", &target, &what), 0);
	assert_string_equal(target.resolver, "2001:db8::53");
	assert_int_equal(target.resolver_port, 53);
	assert_int_equal(probe_resolver_parse("192.0.2.53:54", &target, &what), 0);
	assert_string_equal(target.resolver, "192.0.2.53");
	assert_int_equal(target.resolver_port, 54);
	assert_int_equal(probe_resolver_parse("resolver.test", &target, &what), -EINVAL);
	assert_string_equal(target.resolver, "192.0.2.53");
	assert_int_equal(probe_resolver_parse("", &target, &what), -EINVAL);
	assert_int_equal(target.port, 7);
}

static void private_addresses(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
		{ "127.0.0.1", true },        { "10.1.2.3", true },        { "172.15.0.1", false },
		{ "172.16.0.1", true },       { "192.168.1.1", true },     { "192.167.1.1", false },
		{ "169.254.169.254", true },  { "100.64.0.1", true },      { "224.0.0.1", true },
		{ "203.0.113.1", false },     { "0.0.0.0", true },         { "::1", true },
		{ "fe80::1", true },          { "fd00::1", true },         { "2001:db8::1", false },
		{ "::ffff:127.0.0.1", true }, { "::ffff:8.8.8.8", false }, { "64:ff9b::1", true },
	};
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(address_parse(rows[i].text, &address), 0);
		if (probe_address_is_private(&address) != rows[i].is)
			fail_msg("%s", rows[i].text);
	}
}

static void certificate_times(void **state)
{
	static const char *const none[] = { "",
		                            "Jan  1 00:00:00 2027",
		                            "Jan  1 00:00:00 2027 UTC",
		                            "Jan  1 00:00:00 2027 GMTx",
		                            "Jan  1 00:00:00 2027 GMT ",
		                            "anF  1 00:00:00 2027 GMT",
		                            "Foo  1 00:00:00 2027 GMT",
		                            "Ja  1 00:00:00 2027 GMT",
		                            "Feb 30 00:00:00 2027 GMT",
		                            "Jan  1 24:00:00 2027 GMT",
		                            "Jan  1 00:00:00 9999 GMT" };
	int64_t s;

	(void)state;
	assert_int_equal(probe_certificate_time("Jan  2 03:04:05 2027 GMT", &s), 0);
	assert_int_equal(s, 1798859045);
	assert_int_equal(probe_certificate_time("Dec 31 23:59:59 2035 GMT", &s), 0);
	assert_int_equal(s, 2082758399);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (probe_certificate_time(none[i], &s) != -EINVAL)
			fail_msg("taken: %s", none[i]);
}

static struct probe_result result_of(const enum probe_reason *reasons, uint32_t count)
{
	struct probe_result result = {
		.component = "site", .vantage = "here", .at_ns = NOW + 7, .count = count, .dns_us = 500
	};

	for (uint32_t i = 0; i < count; i++) {
		result.addresses[i].reason = reasons[i];
		result.addresses[i].total_us = 1000 * (i + 1);
	}
	probe_judge(&result);
	return result;
}

#define RESULT(...)                                           \
	result_of((const enum probe_reason[]){ __VA_ARGS__ }, \
	          sizeof((const enum probe_reason[]){ __VA_ARGS__ }) / sizeof(enum probe_reason))

static void verdicts(void **state)
{
	struct probe_result result = RESULT(PROBE_OK, PROBE_OK);
	uint32_t good, bad;

	(void)state;
	assert_int_equal(result.reason, PROBE_OK);
	assert_int_equal(result.total_us, 2500);
	result = RESULT(PROBE_OK, PROBE_NO_ROUTE, PROBE_STATUS, PROBE_TEXT_MISSING);
	assert_int_equal(result.reason, PROBE_STATUS);
	probe_counts(&result, &good, &bad);
	assert_int_equal(good, 1);
	assert_int_equal(bad, 2);
	result = RESULT(PROBE_OK, PROBE_NO_ROUTE); /* IPv6, and this host has none */
	assert_int_equal(result.reason, PROBE_OK);
	probe_counts(&result, &good, &bad);
	assert_int_equal(good, 1);
	assert_int_equal(bad, 0);
	result = RESULT(PROBE_NO_ROUTE);
	assert_int_equal(result.reason, PROBE_NO_ROUTE);
	probe_counts(&result, &good, &bad);
	assert_int_equal(good + bad, 0);
	result = (struct probe_result){ .reason = PROBE_NO_NAME, .dns_us = 3 };
	probe_judge(&result);
	assert_int_equal(result.reason, PROBE_NO_NAME);
	assert_int_equal(result.total_us, 3);
	probe_counts(&result, &good, &bad);
	assert_int_equal(bad, 1);
	result = RESULT(PROBE_OK);
	result.dns_us = UINT32_MAX;
	probe_judge(&result);
	assert_int_equal(result.total_us, UINT32_MAX);
	assert_true(probe_is_blind(1, 2));
	assert_false(probe_is_blind(2, 1));
	assert_false(probe_is_blind(0, 2)); /* too few to say */
	assert_true(probe_is_blind(0, 3));
}

/* Over rounds: each once a round, and never two within a quarter of a part. */
static void no_two_begin_together(void **state)
{
	static const uint32_t counts[] = { 1, 2, 7, PROBE_CHECKS_MAX + PROBE_CANARIES_MAX };
	bool differ = false;

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		uint32_t count = counts[c];
		int64_t part = PROBE_EVERY_NS / count, last = 0;

		for (uint32_t round = 0; round < 5; round++)
			for (uint32_t i = 0; i < count; i++) {
				int64_t from = NOW + round * PROBE_EVERY_NS,
					due = probe_due(9, PROBE_EVERY_NS, i, count, from);

				assert_true(due >= from + i * part && due < from + i * part + part / 2);
				assert_true(due - last >= part / 2 || last == 0);
				assert_int_equal(probe_due(9, PROBE_EVERY_NS, i, count, due), due);
				assert_true(probe_due(9, PROBE_EVERY_NS, i, count, due + 1) > due + PROBE_EVERY_NS / 3);
				differ = differ || due != probe_due(10, PROBE_EVERY_NS, i, count, from);
				last = due;
			}
	}
	assert_true(differ);
	assert_true(probe_due(9, 1, 0, 0, 5) >= 5);
}

static void counted(void **state)
{
	static struct probe_tally tally;
	struct signal_count signals[PROBE_CELLS_MAX];
	struct probe_result result = RESULT(PROBE_OK, PROBE_CONNECT_REFUSED), none = RESULT(PROBE_NO_ROUTE);

	(void)state;
	probe_tally_add(&tally, &result);
	probe_tally_add(&tally, &result);
	probe_tally_add(&tally, &none);
	probe_tally_canary(&tally, &result, "site"); /* a canary is a place: one address that answers is enough */
	result = RESULT(PROBE_CONNECT_REFUSED);
	probe_tally_canary(&tally, &result, "site");
	assert_int_equal(probe_tally_take(&tally, signals, PROBE_CELLS_MAX), 2);
	assert_int_equal(signals[0].kind, SIGNAL_PROBE);
	assert_int_equal(signals[0].bucket_ns, NOW);
	assert_string_equal(signals[0].component, "site");
	assert_string_equal(signals[0].vantage, "here");
	assert_int_equal(signals[0].good, 2);
	assert_int_equal(signals[0].bad, 2);
	assert_int_equal(signals[0].value, 2);
	assert_int_equal(signals[1].kind, SIGNAL_CANARY);
	assert_int_equal(signals[1].good, 1);
	assert_int_equal(signals[1].bad, 1);
	assert_int_equal(probe_tally_take(&tally, signals, PROBE_CELLS_MAX), 0);
	for (uint32_t i = 0; i <= PROBE_CELLS_MAX; i++) {
		result.at_ns = NOW + i * COUNT_BUCKET_NS;
		probe_tally_add(&tally, &result);
	}
	assert_int_equal(tally.refused, 1);
	assert_int_equal(probe_tally_take(&tally, signals, 2), 2);
	assert_int_equal(probe_tally_take(&tally, signals, PROBE_CELLS_MAX), PROBE_CELLS_MAX - 2);
	assert_int_equal(signals[0].bucket_ns, NOW + 2 * COUNT_BUCKET_NS);
}

static void words(void **state)
{
	enum probe_reason reason;
	enum probe_type type;

	(void)state;
	for (unsigned i = 0; i < PROBE_REASONS; i++) {
		assert_true(probe_reason_find(probe_reason_name((enum probe_reason)i), &reason));
		assert_int_equal(reason, i);
		assert_true(strlen(probe_reason_says((enum probe_reason)i)) > 0);
	}
	assert_false(probe_reason_find("x", &reason));
	for (unsigned i = 0; i < PROBE_TYPES; i++) {
		assert_true(probe_type_find(probe_type_name((enum probe_type)i), &type));
		assert_int_equal(type, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets),           cmocka_unit_test(resolvers),
		cmocka_unit_test(private_addresses), cmocka_unit_test(certificate_times),
		cmocka_unit_test(verdicts),          cmocka_unit_test(no_two_begin_together),
		cmocka_unit_test(counted),           cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
