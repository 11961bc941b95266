/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts: that each type of target gets what its vendor documents; that the texts of an attacker end up as text; that
 * keys stay where they belong; and which of what happens is told at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/time.h"
#include "tell/alert.h"

#define T0 (INT64_C(1741599912) * NS_PER_S) /* 2025-03-10 09:45:12 */

static struct alert attack(enum alert_change change)
{
	return (struct alert){
		.change = change,
		.enforcing = 1,
		.incident = 0xc0ffee,
		.time_ns = T0 + 38 * NS_PER_S,
		.began_ns = T0,
		.pps = 4100000,
		.bps = 12000000000,
		.peak_pps = 5000000,
		.passing_ppm = 8000,
		.host = "edge1",
		.service = "web",
		.target = "192.0.2.10",
		.vector = "ntp_reflection",
		.advice = "ask upstream",
	};
}

/* The body as JSON; it must be some. The request stays the caller's. */
static json_t *body_of(const struct alert_target *target, const char *key, const struct alert *alert,
                       struct alert_request *request)
{
	json_t *json;

	assert_int_equal(alert_request(target, key, alert, request), 0);
	assert_int_equal(strlen(request->body), request->length);
	json = json_loads(request->body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "(none)";
}

static void test_pagerduty(void **state)
{
	const struct alert_target target = { .name = "pager", .type = ALERT_PAGERDUTY };
	struct alert alert = attack(ALERT_BEGAN);
	struct alert_request request;
	json_t *json = body_of(&target, "0123456789abcdef0123456789abcdef", &alert, &request), *payload;

	(void)state;
	assert_string_equal(request.url, "https://events.pagerduty.com/v2/enqueue");
	assert_string_equal(text(json, "routing_key"), "0123456789abcdef0123456789abcdef");
	assert_string_equal(text(json, "event_action"), "trigger");
	assert_string_equal(text(json, "dedup_key"), "0000000000c0ffee");
	payload = json_object_get(json, "payload");
	assert_string_equal(
		text(payload, "summary"),
		"Attack on web 192.0.2.10: ntp_reflection, 4.1 Mpps, 12 Gbit/s, since 09:45:12 UTC; 99.2 % of it "
		"is dropped");
	assert_string_equal(text(payload, "source"), "edge1");
	assert_string_equal(text(payload, "severity"), "critical");
	assert_string_equal(text(payload, "timestamp"), "2025-03-10T09:45:50.000000Z");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(payload, "custom_details"), "pps")),
	                 4100000);
	json_decref(json);
	alert_request_fini(&request);
	/* What ends is resolved by the same key, and needs nothing else. */
	alert.change = ALERT_ENDED;
	json = body_of(&target, "0123456789abcdef0123456789abcdef", &alert, &request);
	assert_string_equal(text(json, "event_action"), "resolve");
	assert_string_equal(text(json, "dedup_key"), "0000000000c0ffee");
	assert_null(json_object_get(json, "payload"));
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&target, "", &alert, &request), -EINVAL);
	assert_int_equal(alert_request(&target, "two words", &alert, &request), -EINVAL);
}

static void test_slack(void **state)
{
	const struct alert_target target = { .name = "chat", .type = ALERT_SLACK };
	struct alert alert = attack(ALERT_ENDED);
	struct alert_request request;
	json_t *json;

	(void)state;
	(void)snprintf(alert.vector, sizeof(alert.vector), "<!channel> & co");
	json = body_of(&target, "https://hooks.slack.com/services/T0/B0/xyz", &alert, &request);
	assert_string_equal(request.url, "https://hooks.slack.com/services/T0/B0/xyz");
	assert_string_equal(request.authorization, "");
	assert_string_equal(text(json, "text"),
	                    "Attack on web 192.0.2.10 is over: &lt;!channel&gt; &amp; co, lasted 38 s, at "
	                    "most 5.0 Mpps\nask upstream\nedge1: holdfast incident 0000000000c0ffee");
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&target, "http://hooks.slack.com/services/T0", &alert, &request), -EINVAL);
	assert_int_equal(alert_request(&target, "", &alert, &request), -EINVAL);
}

static void test_telegram(void **state)
{
	const struct alert_target target = { .name = "tg", .type = ALERT_TELEGRAM, .chat = "-100123" };
	const struct alert_target own = { .name = "tg", .type = ALERT_TELEGRAM, .url = "http://127.0.0.1:8081/" };
	struct alert alert = attack(ALERT_LINK_FULL);
	struct alert_request request;
	json_t *json;

	(void)state;
	alert.incident = 0;
	(void)snprintf(alert.target, sizeof(alert.target), "eth0");
	json = body_of(&target, "42:AAH-x_Y", &alert, &request);
	assert_string_equal(request.url, "https://api.telegram.org/bot42:AAH-x_Y/sendMessage");
	assert_string_equal(text(json, "chat_id"), "-100123");
	assert_non_null(strstr(text(json, "text"), "Link eth0 is full (4.1 Mpps, 12 Gbit/s): packets are lost before"));
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&own, "42:AAH", &alert, &request);
	assert_string_equal(request.url, "http://127.0.0.1:8081/bot42:AAH/sendMessage");
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&target, "../getUpdates?x", &alert, &request), -EINVAL);
}

/* The labels of what began and of what ended are the same: by them it is known. */
static void test_alertmanager(void **state)
{
	const struct alert_target target = { .name = "am",
		                             .type = ALERT_ALERTMANAGER,
		                             .url = "http://192.0.2.1:9093/" };
	struct alert alert = attack(ALERT_BEGAN);
	struct alert_request request;
	json_t *begun = body_of(&target, "", &alert, &request), *ended, *first;

	(void)state;
	assert_string_equal(request.url, "http://192.0.2.1:9093/api/v2/alerts");
	first = json_array_get(begun, 0);
	assert_string_equal(text(json_object_get(first, "labels"), "alertname"), "HoldfastAttack");
	assert_string_equal(text(json_object_get(first, "labels"), "incident"), "0000000000c0ffee");
	assert_string_equal(text(json_object_get(first, "labels"), "service"), "web");
	assert_string_equal(text(json_object_get(first, "annotations"), "vector"), "ntp_reflection");
	assert_string_equal(text(first, "startsAt"), "2025-03-10T09:45:12.000000Z");
	assert_string_equal(text(first, "endsAt"), "2025-03-11T09:45:50.000000Z");
	alert_request_fini(&request);
	alert.change = ALERT_ENDED;
	(void)snprintf(alert.vector, sizeof(alert.vector), "dns_reflection");
	ended = body_of(&target, "", &alert, &request);
	assert_true(json_equal(json_object_get(first, "labels"), json_object_get(json_array_get(ended, 0), "labels")));
	assert_string_equal(text(json_array_get(ended, 0), "endsAt"), "2025-03-10T09:45:50.000000Z");
	alert_request_fini(&request);
	json_decref(begun);
	json_decref(ended);
	/* A key does not go over the network in the open. */
	assert_int_equal(alert_request(&target, "secret", &alert, &request), -EINVAL);
}

static void test_webhook(void **state)
{
	const struct alert_target target = { .name = "hook", .type = ALERT_WEBHOOK, .url = "https://h.example/in?a=b" };
	const struct alert_target none = { .name = "hook", .type = ALERT_WEBHOOK };
	struct alert alert = attack(ALERT_BEGAN);
	struct alert_request request;
	json_t *json;

	(void)state;
	alert.enforcing = 0;
	(void)snprintf(alert.service, sizeof(alert.service),
	               "w\033[2Je\xff\n\xe2\x80\xae"
	               "b");
	json = body_of(&target, "s3cret", &alert, &request);
	assert_string_equal(request.url, "https://h.example/in?a=b");
	assert_string_equal(request.authorization, "Authorization: Bearer s3cret");
	assert_string_equal(text(json, "schema"), "holdfast.alert/1");
	assert_string_equal(text(json_object_get(json, "alert"), "service"), "w?[2Je???b");
	assert_string_equal(text(json_object_get(json, "alert"), "mode"), "observe");
	assert_non_null(strstr(text(json, "summary"), "mode observe: nothing is dropped"));
	assert_null(strstr(request.body, "s3cret"));
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&none, "", &alert, &request), -EINVAL);
}

static void test_script(void **state)
{
	const struct alert_target target = { .name = "fnm", .type = ALERT_SCRIPT };
	static const struct {
		enum alert_change change;
		const char *pps, *word; /* NULL: it is not called */
	} rows[] = {
		{ ALERT_BEGAN, "4100000", "ban" }, { ALERT_ENDED, "5000000", "unban" }, { ALERT_WORSE, NULL, NULL },
		{ ALERT_LINK_FULL, NULL, NULL },   { ALERT_LINK_FREE, NULL, NULL },
	};
	struct alert_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert alert = attack(rows[i].change);

		if (!rows[i].word) {
			assert_int_equal(alert_request(&target, "", &alert, &request), -ENOENT);
			continue;
		}
		assert_int_equal(alert_request(&target, "", &alert, &request), 0);
		assert_string_equal(request.arguments[0], "192.0.2.10");
		assert_string_equal(request.arguments[1], "incoming");
		assert_string_equal(request.arguments[2], rows[i].pps);
		assert_string_equal(request.arguments[3], rows[i].word);
		assert_non_null(strstr(request.body, "\nAttack type: ntp_reflection\n"));
		alert_request_fini(&request);
	}
}

static struct alert outage(enum alert_change change)
{
	return (struct alert){ .change = change,
		               .matter = ALERT_OF_OUTAGE,
		               .incident = 3,
		               .time_ns = T0 + 7200 * NS_PER_S,
		               .began_ns = T0,
		               .host = "edge1",
		               .service = "login",
		               .target = "o3",
		               .vector = "major_outage" };
}

/* An outage, and a statement that is due, in the words and with the keys of their own. */
static void test_words_of_outages(void **state)
{
	const struct alert_target hook = { .name = "hook", .type = ALERT_WEBHOOK, .url = "https://example.org/" };
	const struct alert_target manager = { .name = "am", .type = ALERT_ALERTMANAGER, .url = "https://example.org/" };
	const struct alert_target script = { .name = "old", .type = ALERT_SCRIPT };
	const struct alert_target slack = { .name = "ops", .type = ALERT_SLACK };
	struct alert alert = outage(ALERT_BEGAN);
	char said[ALERT_TEXT_SIZE], key[ALERT_KEY_SIZE];
	struct alert_request request;
	json_t *json, *facts;

	(void)state;
	assert_string_equal(alert_summary(&alert, said), "Outage of login o3: major outage, since 09:45:12 UTC");
	assert_string_equal(alert_key(&alert, key), "outage-3");
	alert.change = ALERT_WORSE;
	assert_string_equal(alert_summary(&alert, said),
	                    "Outage of login o3 has changed: major outage, since 09:45:12 UTC");
	json = body_of(&hook, "", &alert, &request);
	facts = json_object_get(json, "alert");
	assert_string_equal(text(json, "schema"), "holdfast.alert/1");
	assert_string_equal(text(facts, "outage"), "o3");
	assert_string_equal(text(facts, "component"), "login");
	assert_string_equal(text(facts, "published"), "major_outage");
	assert_string_equal(text(facts, "began"), "2025-03-10T09:45:12.000000Z");
	assert_null(json_object_get(facts, "incident"));
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&manager, "", &alert, &request);
	facts = json_object_get(json_array_get(json, 0), "labels");
	assert_string_equal(text(facts, "alertname"), "HoldfastOutage");
	assert_string_equal(text(facts, "key"), "outage-3");
	assert_null(json_object_get(facts, "incident"));
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&slack, "https://hooks.example.org/x", &alert, &request);
	assert_non_null(strstr(text(json, "text"), "edge1: holdfast outage show o3"));
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&script, "", &alert, &request), -ENOENT);
	alert.change = ALERT_ENDED;
	assert_string_equal(alert_summary(&alert, said), "Outage of login o3 is over: it lasted 2 h");
	alert.change = ALERT_STANDING;
	assert_string_equal(alert_summary(&alert, said), "");
	alert.matter = ALERT_MATTERS;
	assert_int_equal(alert_request(&hook, "", &alert, &request), -EINVAL);
	alert = outage(ALERT_BEGAN);
	alert.matter = ALERT_OF_STATEMENT;
	(void)strcpy(alert.target, "s4");
	alert.service[0] = alert.vector[0] = '\0';
	assert_string_equal(alert_summary(&alert, said),
	                    "An update of s4 was due at 09:45:12 UTC, and nothing has been published");
	assert_string_equal(alert_key(&alert, key), "statement-3");
	json = body_of(&hook, "", &alert, &request);
	facts = json_object_get(json, "alert");
	assert_string_equal(text(facts, "statement"), "s4");
	assert_string_equal(text(facts, "due"), "2025-03-10T09:45:12.000000Z");
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&manager, "", &alert, &request);
	assert_string_equal(text(json_object_get(json_array_get(json, 0), "labels"), "alertname"),
	                    "HoldfastStatementDue");
	json_decref(json);
	alert_request_fini(&request);
	alert.change = ALERT_ENDED;
	assert_string_equal(alert_summary(&alert, said), "The update of s4 was published");
	alert.change = ALERT_STANDING;
	assert_string_equal(alert_summary(&alert, said), "");
}

/* Of checks that fail from one place: no outage, and no number. */
static void test_words_of_checks(void **state)
{
	const struct alert_target hook = { .name = "hook", .type = ALERT_WEBHOOK, .url = "https://example.org/" };
	const struct alert_target manager = { .name = "am", .type = ALERT_ALERTMANAGER, .url = "https://example.org/" };
	const struct alert_target script = { .name = "old", .type = ALERT_SCRIPT };
	const struct alert_target slack = { .name = "ops", .type = ALERT_SLACK };
	static struct alert_desk desk;
	struct alert alert = outage(ALERT_BEGAN);
	char said[ALERT_TEXT_SIZE], key[ALERT_KEY_SIZE];
	struct alert_request request;
	json_t *json, *facts;

	(void)state;
	memset(&desk, 0, sizeof(desk));
	alert.matter = ALERT_OF_CHECKS;
	alert.incident = 0;
	(void)strcpy(alert.target, "checks");
	(void)strcpy(alert.vector, "door, refused the connection");
	assert_string_equal(alert_summary(&alert, said),
	                    "Checks of login fail from here: door, refused the connection, since 09:45:12 UTC");
	assert_string_equal(alert_key(&alert, key), "checks-login");
	json = body_of(&hook, "", &alert, &request);
	facts = json_object_get(json, "alert");
	assert_string_equal(text(json, "key"), "checks-login");
	assert_string_equal(text(facts, "component"), "login");
	assert_string_equal(text(facts, "failing"), "door, refused the connection");
	assert_null(json_object_get(facts, "outage"));
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&manager, "", &alert, &request);
	facts = json_object_get(json_array_get(json, 0), "labels");
	assert_string_equal(text(facts, "alertname"), "HoldfastChecksFail");
	assert_string_equal(text(facts, "key"), "checks-login");
	json_decref(json);
	alert_request_fini(&request);
	json = body_of(&slack, "https://hooks.example.org/x", &alert, &request);
	assert_null(strstr(text(json, "text"), "holdfast "));
	json_decref(json);
	alert_request_fini(&request);
	assert_int_equal(alert_request(&script, "", &alert, &request), -ENOENT);
	/* Once, however small attacks must be that concern somebody; and its end. */
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	assert_false(alert_desk_takes(&desk, T0, 1000, &alert));
	alert.change = ALERT_ENDED;
	assert_string_equal(alert_summary(&alert, said),
	                    "Checks of login are good again from here: they failed for 2 h");
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	assert_false(alert_desk_takes(&desk, T0, 1000, &alert));
	alert.change = ALERT_STANDING;
	assert_string_equal(alert_summary(&alert, said), "");
}

/* However small; each other word of it; not again what a desk that begins has told. */
static void test_outages_are_told(void **state)
{
	static struct alert_desk desk;
	struct alert alert = outage(ALERT_STANDING);

	(void)state;
	memset(&desk, 0, sizeof(desk));
	assert_false(alert_desk_takes(&desk, T0, 1000, &alert));
	alert = outage(ALERT_BEGAN);
	assert_false(alert_desk_takes(&desk, T0, 1000, &alert));
	alert = outage(ALERT_WORSE);
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	assert_int_equal(alert.change, ALERT_WORSE);
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	alert = outage(ALERT_ENDED);
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	assert_false(alert_desk_takes(&desk, T0, 1000, &alert));
	/* Of an incident of the same number it is another. */
	alert = outage(ALERT_BEGAN);
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
	alert = attack(ALERT_BEGAN);
	alert.incident = 3;
	assert_true(alert_desk_takes(&desk, T0, 1000, &alert));
}

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		bool good, safe;
	} rows[] = {
		{ "https://a.example/x", true, true },
		{ "http://a.example/x", true, false },
		{ "http://127.0.0.1:9093", true, true },
		{ "http://localhost/x", true, true },
		{ "http://[::1]:8080/", true, true },
		{ "http://localhost", true, true },
		{ "http://localhost.evil.example/", true, false },
		{ "http://127.0.0.1@evil.example/", false, false },
		{ "ftp://a.example/", false, false },
		{ "file:///etc/passwd", false, false },
		{ "https://", false, false },
		{ "https://a.example/\r\nX: y", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(alert_url_is_good(rows[i].url), rows[i].good);
		assert_int_equal(alert_url_is_safe(rows[i].url), rows[i].safe);
	}
}

static void test_names(void **state)
{
	enum alert_type type;

	(void)state;
	for (unsigned i = 0; i < ALERT_TYPES; i++) {
		assert_int_equal(alert_type_parse(alert_type_name((enum alert_type)i), &type), 0);
		assert_int_equal(type, i);
	}
	assert_int_equal(alert_type_parse("pigeon", &type), -EINVAL);
	assert_string_equal(alert_type_name(ALERT_TYPES), "unknown");
	assert_string_equal(alert_change_name(ALERT_CHANGES), "unknown");
	assert_string_equal(alert_change_name(ALERT_LINK_FREE), "link_free");
}

/* ---- which are told ---- */

static struct alert_desk desk;

static bool takes(enum alert_change change, uint64_t incident, uint64_t pps, int64_t s)
{
	struct alert alert = attack(change);

	alert.incident = incident;
	alert.pps = pps;
	return alert_desk_takes(&desk, s * NS_PER_S, 0, &alert);
}

static void test_once_and_when_worse(void **state)
{
	struct alert alert = attack(ALERT_WORSE);

	(void)state;
	memset(&desk, 0, sizeof(desk));
	assert_false(takes(ALERT_ENDED, 1, 0, 0)); /* nobody knows of it */
	assert_true(takes(ALERT_BEGAN, 1, 1000, 0));
	assert_false(takes(ALERT_BEGAN, 1, 1000, 1));
	assert_false(takes(ALERT_WORSE, 1, 3999, 10));
	assert_true(takes(ALERT_WORSE, 1, 4000, 20));
	assert_false(takes(ALERT_WORSE, 1, 4000, 30));
	assert_false(takes(ALERT_WORSE, 1, 15999, 30));
	assert_true(takes(ALERT_ENDED, 1, 0, 40));
	assert_false(takes(ALERT_ENDED, 1, 0, 41));
	assert_int_equal(desk.count, 0);
	/* What was not known when it grew has begun, for who is told; it keeps the name it had. */
	assert_true(alert_desk_takes(&desk, 50 * NS_PER_S, 0, &alert));
	assert_int_equal(alert.change, ALERT_BEGAN);
	alert = attack(ALERT_ENDED);
	(void)snprintf(alert.service, sizeof(alert.service), "other");
	assert_true(alert_desk_takes(&desk, 60 * NS_PER_S, 0, &alert));
	assert_string_equal(alert.service, "web");
}

/* One whom small incidents do not concern hears of one when it is no longer small, and then of its end. */
static void test_small_ones(void **state)
{
	struct alert alert = attack(ALERT_BEGAN);

	(void)state;
	memset(&desk, 0, sizeof(desk));
	alert.pps = alert.peak_pps = 999;
	assert_false(alert_desk_takes(&desk, 0, 1000, &alert));
	alert.change = ALERT_ENDED;
	assert_false(alert_desk_takes(&desk, 0, 1000, &alert));
	alert.change = ALERT_WORSE;
	alert.pps = 1000; /* not four times as much */
	assert_true(alert_desk_takes(&desk, 0, 1000, &alert));
	assert_int_equal(alert.change, ALERT_BEGAN);
	alert.change = ALERT_ENDED;
	alert.pps = alert.peak_pps = 0;
	alert.target[0] = '\0'; /* it has become part of another, of which nothing more is known */
	assert_true(alert_desk_takes(&desk, 0, 1000, &alert));
	assert_string_equal(alert.target, "192.0.2.10");
}

/* What another has told of is not told again, but for its end. */
static void test_standing(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	assert_false(takes(ALERT_STANDING, 1, 1000, 0));
	assert_false(takes(ALERT_STANDING, 1, 1000, 0));
	assert_false(takes(ALERT_STANDING, 0, 1000, 0)); /* a link */
	assert_false(takes(ALERT_BEGAN, 1, 1000, 0));
	assert_true(takes(ALERT_WORSE, 1, 4000, 0));
	assert_true(takes(ALERT_ENDED, 1, 0, 0));
	assert_true(takes(ALERT_LINK_FREE, 0, 0, 0));
}

static void test_links_open_and_close(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	assert_true(takes(ALERT_LINK_FULL, 0, 1, 0));
	assert_false(takes(ALERT_LINK_FULL, 0, 100, 1)); /* full is full */
	assert_true(takes(ALERT_LINK_FREE, 0, 0, 2));
	assert_false(takes(ALERT_LINK_FREE, 0, 0, 3));
	assert_true(takes(ALERT_TEST, 0, 0, 3));
	assert_true(takes(ALERT_TEST, 0, 0, 3));
}

static void test_so_many_a_minute(void **state)
{
	unsigned told = 0;

	(void)state;
	memset(&desk, 0, sizeof(desk));
	for (uint64_t i = 1; i <= 100; i++)
		told += takes(ALERT_BEGAN, i, 1000, 0);
	assert_int_equal(told, ALERT_A_MINUTE);
	assert_int_equal(desk.unsaid, 100 - ALERT_A_MINUTE);
	for (uint64_t i = 1; i <= 100; i++) /* ends of those that were told, and of no others */
		told -= takes(ALERT_ENDED, i, 0, 1);
	assert_int_equal(told, 0);
	assert_true(takes(ALERT_BEGAN, 1000, 1000, 60));
}

static void test_table_is_bounded(void **state)
{
	(void)state;
	memset(&desk, 0, sizeof(desk));
	for (unsigned i = 0; i < ALERT_OPEN_MAX + 10; i++)
		assert_true(takes(ALERT_BEGAN, i + 1, 1000, i * 60));
	assert_int_equal(desk.count, ALERT_OPEN_MAX);
	assert_int_equal(desk.unsaid, 10);
	assert_false(takes(ALERT_ENDED, 1, 0, 100000)); /* the longest silent went */
	assert_true(takes(ALERT_ENDED, ALERT_OPEN_MAX + 10, 0, 100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pagerduty),
		cmocka_unit_test(test_slack),
		cmocka_unit_test(test_telegram),
		cmocka_unit_test(test_alertmanager),
		cmocka_unit_test(test_webhook),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_words_of_outages),
		cmocka_unit_test(test_words_of_checks),
		cmocka_unit_test(test_outages_are_told),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_once_and_when_worse),
		cmocka_unit_test(test_links_open_and_close),
		cmocka_unit_test(test_small_ones),
		cmocka_unit_test(test_standing),
		cmocka_unit_test(test_so_many_a_minute),
		cmocka_unit_test(test_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
