/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strangers ask of subscriptions: what goes to the desk of it, what does not, and that what they are shown tells
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/site_subscribe.h"

#define TOKEN "c1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LEAVE "e1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOBODY ((enum serve_type)0)

static struct site_subscribe site;
static struct site_subscribe_answer answer;
static const struct subscribe_page_component components[] = { { "api", "API" }, { "web", "Site" }, { "x", "X" } };
static const char *token, *lang;

/* The server's: a request has what the test says. */
const char *http_server_query(const struct http_server_request *request, const char *name)
{
	(void)request;
	return strcmp(name, "token") == 0 ? token : strcmp(name, "lang") == 0 ? lang : NULL;
}

static int begin(void **state)
{
	(void)state;
	site = (struct site_subscribe){ .seed = 7, .components = components, .components_count = 3 };
	token = lang = NULL;
	return 0;
}

static unsigned ask_from(unsigned network, enum http_server_method method, const char *path, const char *body,
                         int64_t now_ms)
{
	const uint8_t octets[4] = { 192, 0, (uint8_t)network, 9 };
	const struct http_server_request request = { .method = method,
		                                     .path = path,
		                                     .peer = address_from_ipv4(octets),
		                                     .body = body,
		                                     .body_length = strlen(body) };

	site_subscribe_answer(&site, &request, now_ms, LANGUAGE_EN, &answer);
	return answer.status;
}

static unsigned post(const char *path, const char *body)
{
	return ask_from(2, HTTP_SERVER_POST, path, body, 1000);
}

static void addresses(void **state)
{
	static const char *const bad[] = { "",
		                           "address=",
		                           "address=a%40b",
		                           "address=a%0ab%40example.org",
		                           "address=a%40example.org&component=none",
		                           "address=a%40example.org&component=",
		                           "address=%ff%40example.org" };
	char large[SITE_SUBSCRIBE_BODY_MAX + 2];

	(void)state;
	assert_true(site_subscribe_is("/subscribe") && site_subscribe_is("/confirm") && !site_subscribe_is("/report"));
	assert_int_equal(ask_from(2, HTTP_SERVER_GET, "/subscribe", "", 0), 200);
	assert_int_equal(answer.page.kind, SUBSCRIBE_FORM);
	assert_int_equal(answer.page.components_count, 3);
	assert_int_equal(answer.message.type, 0);
	assert_int_equal(post("/subscribe", "address=Ann%40Example.org&lang=fr"), 200);
	assert_int_equal(answer.page.kind, SUBSCRIBE_ASKED);
	assert_int_equal(answer.page.language, LANGUAGE_FR);
	assert_int_equal(answer.message.type, SERVE_SUBSCRIBE);
	assert_int_equal(answer.message.subscribe.lang, LANGUAGE_FR);
	assert_string_equal(answer.message.subscribe.address, "Ann@example.org");
	assert_string_equal(answer.message.subscribe.components, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(post("/subscribe", bad[i]), 400);
		assert_int_equal(answer.page.kind, SUBSCRIBE_WRONG);
		assert_int_equal(answer.message.type, 0);
	}
	memset(large, '&', sizeof(large) - 1);
	memcpy(large, "address=a%40example.org", 23);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(post("/subscribe", large), 400);
	assert_int_equal(site.wrong, sizeof(bad) / sizeof(bad[0]) + 1);
	assert_int_equal(site.taken, 1);
}

static void chosen(void **state)
{
	static struct subscribe_page_component many[40];
	static char ids[40][COMPONENT_ID_SIZE], body[2048];
	size_t length;

	(void)state;
	assert_int_equal(post("/subscribe", "address=a%40example.org&component=web&component=api"), 200);
	assert_string_equal(answer.message.subscribe.components, "web,api");
	assert_int_equal(post("/subscribe", "component=x&address=a%40example.org&component=web&component=api"), 200);
	assert_string_equal(answer.message.subscribe.components, ""); /* all of them, and those that come later */
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(ids[i], sizeof(ids[i]), "a-component-of-a-long-name-%u", i);
		many[i] = (struct subscribe_page_component){ ids[i], ids[i] };
	}
	site.components = many;
	site.components_count = 40;
	length = (size_t)snprintf(body, sizeof(body), "address=a%%40example.org");
	for (unsigned i = 0; i < 17; i++)
		length += (size_t)snprintf(body + length, sizeof(body) - length, "&component=%s", ids[i]);
	assert_int_equal(post("/subscribe", body), 200);
	assert_true(subscriptions_components_ok(answer.message.subscribe.components));
	assert_int_equal(strlen(answer.message.subscribe.components), 17 * 28 + 7 + 16);
	for (unsigned i = 17; i < 30; i++)
		length += (size_t)snprintf(body + length, sizeof(body) - length, "&component=%s", ids[i]);
	assert_int_equal(post("/subscribe", body), 200);
	assert_string_equal(answer.message.subscribe.components, ""); /* more than is kept: rather all than some */
}

static void links(void **state)
{
	static const struct {
		const char *path, *token;
		enum http_server_method method;
		enum subscribe_page_kind shown;
		enum serve_type asks;
	} rows[] = {
		{ "/confirm", TOKEN, HTTP_SERVER_GET, SUBSCRIBE_CONFIRM, NOBODY },
		{ "/confirm", TOKEN, HTTP_SERVER_HEAD, SUBSCRIBE_CONFIRM, NOBODY },
		{ "/confirm", TOKEN, HTTP_SERVER_POST, SUBSCRIBE_CONFIRMED, SERVE_CONFIRM },
		{ "/unsubscribe", LEAVE, HTTP_SERVER_GET, SUBSCRIBE_LEAVE, NOBODY },
		{ "/unsubscribe", LEAVE, HTTP_SERVER_POST, SUBSCRIBE_LEFT, SERVE_UNSUBSCRIBE },
		/* Of another purpose, cut, none at all: nothing is said to have been done, and nobody is asked. */
		{ "/confirm", LEAVE, HTTP_SERVER_GET, SUBSCRIBE_CUT, NOBODY },
		{ "/confirm", LEAVE, HTTP_SERVER_POST, SUBSCRIBE_CUT, NOBODY },
		{ "/unsubscribe", TOKEN, HTTP_SERVER_POST, SUBSCRIBE_CUT, NOBODY },
		{ "/unsubscribe", "x", HTTP_SERVER_POST, SUBSCRIBE_CUT, NOBODY },
		{ "/confirm", NULL, HTTP_SERVER_POST, SUBSCRIBE_CUT, NOBODY },
	};

	(void)state;
	lang = "fr";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		token = rows[i].token;
		assert_int_equal(ask_from(2, rows[i].method, rows[i].path, "List-Unsubscribe=One-Click", 1000),
		                 rows[i].shown == SUBSCRIBE_CUT ? 400 : 200);
		assert_int_equal(answer.page.kind, rows[i].shown);
		assert_int_equal(answer.page.language, LANGUAGE_FR);
		assert_int_equal(answer.message.type, rows[i].asks);
		if (rows[i].asks)
			assert_string_equal(answer.message.token.text, rows[i].token);
	}
	assert_int_equal(site.taken, 2);
	assert_int_equal(site.wrong, 5);
}

static void so_many_in_ten_minutes(void **state)
{
	const char *one = "address=a%40example.org";

	(void)state;
	for (unsigned i = 0; i < SITE_SUBSCRIBE_NETWORK_MAX; i++)
		assert_int_equal(post("/subscribe", one), 200);
	assert_int_equal(post("/subscribe", one), 429);
	assert_int_equal(answer.page.kind, SUBSCRIBE_BUSY);
	assert_int_equal(answer.message.type, 0);
	assert_int_equal(ask_from(3, HTTP_SERVER_POST, "/subscribe", one, 1000), 200);
	/* Another ten minutes; and where the clock was set back. */
	assert_int_equal(ask_from(2, HTTP_SERVER_POST, "/subscribe", one, SITE_SUBSCRIBE_MS), 200);
	for (unsigned i = 0; i < SITE_SUBSCRIBE_ALL_MAX; i++)
		(void)ask_from(10 + i / SITE_SUBSCRIBE_NETWORK_MAX, HTTP_SERVER_POST, "/subscribe", one,
		               SITE_SUBSCRIBE_MS);
	assert_int_equal(ask_from(200, HTTP_SERVER_POST, "/subscribe", one, SITE_SUBSCRIBE_MS), 429);
	assert_true(site.limited >= 2);
	assert_int_equal(ask_from(200, HTTP_SERVER_POST, "/subscribe", one, 5), 200);
	/* Links have a bound of their own, and none of a network. */
	token = TOKEN;
	for (unsigned i = 0; i < SITE_SUBSCRIBE_LINKS_MAX; i++)
		assert_int_equal(ask_from(2, HTTP_SERVER_POST, "/confirm", "", 5), 200);
	assert_int_equal(ask_from(2, HTTP_SERVER_POST, "/confirm", "", 5), 429);
	assert_int_equal(answer.message.type, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(addresses, begin),
		cmocka_unit_test_setup(chosen, begin),
		cmocka_unit_test_setup(links, begin),
		cmocka_unit_test_setup(so_many_in_ten_minutes, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
