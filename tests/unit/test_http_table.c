/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, answers and connections as the table of measure/http.h sees them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "made_http.h"
#include "measure/http.h"

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SERVER 0xc0000201u
#define CLIENT 0xc6336401u

static int setup(void **state)
{
	*state = http_table_new(7);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	http_table_free(*state);
	return 0;
}

static struct keys keys_of(const struct observation *o)
{
	struct keys keys;

	keys_make(&keys, o, 7);
	return keys;
}

static struct http_view see(struct http_table *table, struct observation o, int64_t slot)
{
	struct keys keys = keys_of(&o);

	return http_table_update(table, &o, &keys, slot);
}

static struct http_connection *find(struct http_table *table, const struct observation *o)
{
	struct keys keys = keys_of(o);

	return http_table_find(table, &keys);
}

static struct made_connection connection(uint16_t port)
{
	return made_connection(made_ipv4(CLIENT), port, made_ipv4(SERVER), 80);
}

static void what_state_a_request_is_in(void **state)
{
	static const struct {
		const char *text;
		uint8_t state;
	} cases[] = {
		{ GET, HTTP_WHOLE },
		{ "GET / HTTP/1.1\r\nHost: x\r\n", HTTP_HEADER },
		{ "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", HTTP_BODY },
		{ "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", HTTP_WHOLE },
		{ CHUNKED, HTTP_DRIBBLE },
		{ CHUNKED "2\r\nab\r\n", HTTP_DRIBBLE },
		{ CHUNKED "2\r\nab\r\n0\r\n\r\n", HTTP_WHOLE },
		{ CHUNKED "0\r\n\r\n", HTTP_WHOLE },
		{ CHUNKED "20\r\n0123456789abcdef0123456789abcdef\r\n", HTTP_WHOLE },
		{ "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", HTTP_WHOLE },
		{ "POST / HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BODY },
		{ "POST / HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_DRIBBLE },
	};

	for (uint16_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_connection c = connection((uint16_t)(2000 + i));
		struct http_view view = see(*state, made_text(&c, 0, cases[i].text), 5);

		assert_true(view.request);
		assert_non_null(view.server);
		assert_int_equal(view.connection->state, cases[i].state);
	}
}

static void a_header_in_pieces(void **state)
{
	struct made_connection c = connection(2000);
	struct http_view view = see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), 0);

	assert_int_equal(view.server->open, 1);
	view = see(*state, made_text(&c, 0, "X-a: b\r\n"), 100);
	assert_true(view.piece && !view.request);
	assert_int_equal(view.connection->state, HTTP_HEADER);
	assert_true(http_connection_held(view.connection, 100));
	/* The same octets once more are no piece. */
	c.seq -= 8;
	view = see(*state, made_text(&c, 0, "X-a: b\r\n"), 101);
	assert_false(view.piece);
	assert_int_equal(view.connection->pieces, 1);
	view = see(*state, made_text(&c, 0, "\r\n"), 102);
	assert_true(view.piece);
	assert_int_equal(view.connection->state, HTTP_WHOLE);
	assert_int_equal(view.server->open, 0);
	assert_false(http_connection_held(view.connection, 500));
}

static void a_body_in_pieces(void **state)
{
	struct made_connection c = connection(2000);
	struct http_view view = see(*state, made_text(&c, 0, "POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"), 0);

	for (unsigned i = 0; i < 20; i++)
		view = see(*state, made_say(&c, 0, "a", 1), 10 + 10 * i);
	assert_int_equal(view.connection->pieces, 20);
	assert_true(http_connection_held(view.connection, 210));
	/* Where more comes of it, nobody is kept waiting. */
	for (unsigned i = 0; i < 20; i++)
		view = see(*state, made_say(&c, 0, "a", 1400), 211 + i);
	assert_int_equal(view.connection->state, HTTP_BODY);
	assert_false(http_connection_held(view.connection, 231));
	for (unsigned i = 0; i < 60; i++)
		view = see(*state, made_say(&c, 0, "GET / HTTP/1.1\r\n\r\n", 1400),
		           240); /* a body may look like anything */
	assert_int_equal(view.connection->state, HTTP_WHOLE);
	assert_int_equal(view.connection->body_left, 0);
}

static void a_body_in_chunks(void **state)
{
	static const struct {
		const char *piece;
		uint8_t state;
	} cases[] = {
		{ "1\r\na\r\n", HTTP_DRIBBLE },
		{ "1\r\n", HTTP_DRIBBLE },
		{ "\r\n", HTTP_DRIBBLE },
		{ "2\r\na\n\r\n", HTTP_DRIBBLE }, /* as a header block ends, but no body */
		{ "10\r\n0123456789\r\n", HTTP_DRIBBLE },
		{ "0\r\n\r\n", HTTP_WHOLE },
		{ "0\r\n", HTTP_WHOLE },
		{ "1\r\na\r\n0\r\n\r\n", HTTP_WHOLE },
		{ "0\r\nX-Sum: 1\r\n\r\n", HTTP_WHOLE },
		{ "1c\r\n0123456789012345678901234567\r\n", HTTP_WHOLE }, /* more than hardly anything */
	};

	for (uint16_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made_connection c = connection((uint16_t)(2000 + i));
		struct http_view view = see(*state, made_text(&c, 0, CHUNKED), 0);

		view = see(*state, made_text(&c, 0, "1\r\na\r\n"), 40);
		assert_false(http_connection_held(view.connection, 100)); /* once only */
		view = see(*state, made_text(&c, 0, cases[i].piece), 80);
		assert_true(view.piece && !view.request);
		assert_int_equal(view.connection->state, cases[i].state);
		assert_int_equal(http_connection_held(view.connection, 100), cases[i].state == HTTP_DRIBBLE);
		/*
		 * It goes on as a header block begins: what is behind an end is a request, what is within a body is
		 * not.
		 */
		view = see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n\r\n"), 100);
		assert_int_equal(view.request, cases[i].state == HTTP_WHOLE);
		/* Whoever was answered need not finish. */
		view = see(*state, made_ack(&c, 0, 25, 500), 101);
		assert_int_equal(view.connection->state, cases[i].state);
		view = see(*state, made_ack(&c, 0, 300, 500), 102);
		assert_int_equal(view.connection->state, HTTP_WHOLE);
	}
}

static void an_answer_shows_in_the_acknowledgement(void **state)
{
	struct made_connection c = connection(2000);
	struct http_view view = see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), 0);

	assert_int_equal(view.connection->pending, 1);
	view = see(*state, made_ack(&c, 0, 0, 500), 1);
	assert_int_equal(view.connection->pending, 1);
	view = see(*state, made_ack(&c, 0, 300, 500), 2);
	assert_int_equal(view.connection->pending, 0);
	assert_int_equal(view.connection->state, HTTP_WHOLE); /* whoever was answered need not finish */
	/* "100 Continue" answers no body. */
	c = connection(2001);
	see(*state, made_text(&c, 0, "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n"), 0);
	view = see(*state, made_ack(&c, 0, 25, 500), 1);
	assert_int_equal(view.connection->state, HTTP_BODY);
	assert_int_equal(view.connection->pending, 1);
}

static void either_end_may_close(void **state)
{
	for (unsigned by_server = 0; by_server < 2; by_server++) {
		struct made_connection c = connection((uint16_t)(2000 + by_server));
		struct observation o = made_text(&c, 0, "GET / HTTP/1.1\r\n");
		struct http_view view = see(*state, o, 0);

		assert_int_equal(view.server->open, 1);
		assert_non_null(find(*state, &o));
		assert_null(see(*state, made_end(&c, 0, by_server != 0), 3).server);
		assert_int_equal(view.server->open, 0);
		assert_null(find(*state, &o));
	}
}

static void ports_that_are_used_again(void **state)
{
	struct made_connection c = connection(2000);
	struct http_view view = see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), 0);

	c.seq -= 1u << 30;
	view = see(*state, made_text(&c, 0, GET), 5);
	assert_true(view.request);
	assert_int_equal(view.connection->state, HTTP_WHOLE);
	assert_int_equal(view.server->open, 0);
	assert_int_equal(view.connection->pending, 1);
}

static void who_does_not_take_the_answer(void **state)
{
	struct made_connection c = connection(2000);
	struct http_view view;

	see(*state, made_text(&c, 0, GET), 0);
	view = see(*state, made_ack(&c, 0, 0, 0), 1); /* no answer yet */
	assert_int_equal(view.connection->state, HTTP_WHOLE);
	view = see(*state, made_ack(&c, 0, 1152, 0), 2);
	assert_int_equal(view.connection->state, HTTP_STARVED);
	assert_true(view.piece);
	view = see(*state, made_ack(&c, 0, 32, 300), 60); /* a window that opens for a little */
	assert_int_equal(view.connection->state, HTTP_STARVED);
	assert_true(http_connection_held(view.connection, 90));
	view = see(*state, made_ack(&c, 0, 60000, 500), 100);
	assert_int_equal(view.connection->state, HTTP_WHOLE);
}

/* Counts of a server against a list of all that was asked. */
static void counts_against_a_list(void **state)
{
	enum { CONNECTIONS = 40, STEPS = 4000 };
	struct made_connection connections[CONNECTIONS];
	struct {
		unsigned pending;
		int64_t slot;
	} twin[CONNECTIONS] = { 0 };
	uint64_t draws = 5, requests = 0, answered = 0, refused = 0;
	struct http_counts counts;
	struct http_server *server = NULL;
	int64_t slot = 0;

	/* So that every request is counted, the server has its detail before. */
	for (uint16_t i = 0; i < HTTP_PROMOTE; i++) {
		struct made_connection c = connection((uint16_t)(1000 + i));

		server = see(*state, made_text(&c, 0, GET), 0).server;
	}
	assert_non_null(server->detail);
	slot = 40;
	for (uint16_t i = 0; i < CONNECTIONS; i++)
		connections[i] = connection((uint16_t)(2000 + i));
	for (unsigned step = 0; step < STEPS && slot < 95; step++) {
		unsigned i = made_below(&draws, CONNECTIONS);

		slot += made_below(&draws, 80) == 0;
		switch (made_below(&draws, 4)) {
		case 0:
		case 1:
			if (twin[i].pending) /* one at a time: which request an answer is for is then no question */
				break;
			see(*state, made_text(&connections[i], 0, GET), slot);
			twin[i].pending = 1;
			requests++;
			break;
		case 2:
			see(*state, made_ack(&connections[i], 0, 200, 500), slot);
			answered += twin[i].pending;
			twin[i].pending = 0;
			break;
		default:
			see(*state, made_answer(&connections[i], 0, i % 2 ? "HTTP/1.1 503 No" : "HTTP/1.1 200 OK"),
			    slot);
			answered += twin[i].pending;
			refused += i % 2 ? twin[i].pending : 0;
			twin[i].pending = 0;
			break;
		}
	}
	assert_true(requests > 500 && answered > 400 && refused > 100);
	http_server_advance(server, slot);
	counts = http_server_sum(server, 40, slot);
	assert_int_equal(counts.requests, requests);
	assert_int_equal(counts.answered, answered);
	assert_int_equal(counts.refused, refused);
	assert_int_equal(counts.fresh, CONNECTIONS);
}

static void what_requests_share(void **state)
{
	struct http_server *server = NULL;
	struct http_generation *g;

	for (uint16_t i = 0; i < 100; i++) {
		struct made_connection c =
			made_connection(made_ipv4(CLIENT + i % 10), (uint16_t)(2000 + i), made_ipv4(SERVER), 80);
		char text[100];

		(void)snprintf(text, sizeof(text), "GET /?n%u=x HTTP/1.1\r\nHost: x\r\n\r\n", i);
		server = see(*state, made_text(&c, 0, text), 3).server;
	}
	g = &server->detail->generations[0];
	assert_int_equal(g->requests, 100 - HTTP_PROMOTE + 1);
	assert_int_equal(g->named, g->requests);
	assert_int_equal(g->gets, g->requests);
	assert_int_equal(g->plain, 0);
	assert_int_equal(hll_estimate(&g->clients), 10);
	assert_in_range(hll_estimate(&g->names), g->requests - 2, g->requests + 2);
	assert_int_equal(topk_heaviest(&g->top_paths), g->requests);
	assert_int_equal(topk_heaviest(&g->top_orders), g->requests);
	http_server_advance(server, 103);
	assert_int_equal(server->detail->generations[0].requests, 0);
	assert_int_equal(server->detail->generations[1].requests, 100 - HTTP_PROMOTE + 1);
	http_server_advance(server, 303);
	assert_int_equal(server->detail->generations[1].requests, 0);
}

static void a_sweep_counts_who_is_held(void **state)
{
	struct http_server *server = NULL;

	for (uint16_t i = 0; i < 60; i++) {
		struct made_connection c =
			made_connection(made_ipv4(CLIENT + i % 7), (uint16_t)(2000 + i), made_ipv4(SERVER), 80);

		server = see(*state, made_text(&c, 0, i < 40 ? "GET / HTTP/1.1\r\n" : GET), i).server;
	}
	assert_int_equal(server->open, 40);
	assert_true(http_table_sweep(*state, 60, false));
	assert_int_equal(server->detail->held.count[HTTP_HEADER], 0); /* none is old enough */
	assert_false(http_table_sweep(*state, 65, false));
	assert_true(http_table_sweep(*state, 65, true));
	assert_true(http_table_sweep(*state, 100, false));
	assert_int_equal(server->detail->held.count[HTTP_HEADER], 21); /* those of slots 0 to 20 */
	assert_int_equal(server->detail->held.clients[HTTP_HEADER], 7);
	assert_int_equal(server->detail->held.since_slot[HTTP_HEADER], 0);
	assert_int_equal(server->detail->held.count[HTTP_WHOLE], 0);
}

static void a_sweep_counts_all_of_them(void **state)
{
	struct http_server *server = NULL;

	for (uint32_t i = 0; i < 30000; i++) {
		struct made_connection c = made_connection(made_ipv4(CLIENT + i / 1000), (uint16_t)(2000 + i % 1000),
		                                           made_ipv4(SERVER), 80);

		server = see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), i / 1000).server;
	}
	assert_in_range(server->open, 29000, 30000); /* a few made room for others */
	assert_true(http_table_sweep(*state, 200, false));
	assert_int_equal(server->detail->held.count[HTTP_HEADER], server->open);
	assert_int_equal(server->detail->held.clients[HTTP_HEADER], 30);
}

/* More servers and connections than there is room for: the latest is always there, and nothing grows. */
static void bounds(void **state)
{
	for (uint32_t i = 0; i < 3u << HTTP_SERVER_BITS; i++) {
		struct made_connection c = made_connection(made_ipv4(CLIENT), 3000, made_ipv4(0x0a000000u + i), 80);
		struct observation o = made_text(&c, 0, "GET / HTTP/1.1\r\n");

		assert_true(see(*state, o, i / 100).request);
		assert_non_null(find(*state, &o));
	}
	assert_true(http_table_counters(*state)->servers_pushed_out > 1u << HTTP_SERVER_BITS);
	for (uint32_t i = 0; i < 2u << HTTP_CONNECTION_BITS; i++) {
		struct made_connection c = made_connection(made_ipv4(0x0a000000u + i / 50000),
		                                           (uint16_t)(i % 50000 + 1), made_ipv4(SERVER), 80);

		see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), 200);
	}
	assert_true(http_table_counters(*state)->connections_pushed_out > 1u << (HTTP_CONNECTION_BITS - 1));
	/* Many servers worth their detail: so many get one, and give it up when they fall silent. */
	for (uint32_t s = 0; s < 2 * HTTP_DETAILS_MAX; s++)
		for (uint16_t i = 0; i < HTTP_PROMOTE; i++) {
			struct made_connection c =
				made_connection(made_ipv4(CLIENT), (uint16_t)(100 + i), made_ipv4(0x0b000000u + s), 80);

			see(*state, made_text(&c, 0, GET), 300);
		}
	assert_true(http_table_counters(*state)->details_refused >= HTTP_DETAILS_MAX);
	for (uint16_t i = 0; i < HTTP_PROMOTE; i++) {
		struct made_connection c =
			made_connection(made_ipv4(CLIENT), (uint16_t)(100 + i), made_ipv4(0x0c000000u), 80);
		struct http_view view = see(*state, made_text(&c, 0, GET), 900);

		assert_true((view.server->detail != NULL) == (i + 1 == HTTP_PROMOTE));
	}
	http_table_clear(*state);
	assert_false(http_table_sweep(*state, 1000, true));
}

/*
 * All details are taken, and a server with many unfinished requests is worth one with each: all servers are searched
 * once a slot.
 */
static void who_asks_for_detail_again_and_again_is_no_work(void **state)
{
	const struct http_counters *counters = http_table_counters(*state);

	for (uint32_t s = 0; s < HTTP_DETAILS_MAX; s++)
		for (uint16_t i = 0; i < HTTP_PROMOTE; i++) {
			struct made_connection c =
				made_connection(made_ipv4(CLIENT), (uint16_t)(100 + i), made_ipv4(0x0b000000u + s), 80);

			see(*state, made_text(&c, 0, GET), 0);
		}
	assert_int_equal(counters->details_refused, 0);
	for (uint16_t i = 0; i < 5000; i++) {
		struct made_connection c = connection((uint16_t)(2000 + i));

		see(*state, made_text(&c, 0, "GET / HTTP/1.1\r\n"), i / 1000);
	}
	assert_true(counters->details_refused > 4000);
	assert_in_range(counters->searches, 5, 10);
	/* As soon as the others are silent there is room again. */
	for (uint16_t i = 0; i < HTTP_PROMOTE; i++) {
		struct made_connection c = connection((uint16_t)(9000 + i));
		struct http_view view = see(*state, made_text(&c, 0, GET), HTTP_PROMOTE_SLOTS + 1);

		assert_non_null(view.server->detail);
	}
}

int main(void)
{
#define WITH_TABLE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		WITH_TABLE(what_state_a_request_is_in), WITH_TABLE(a_header_in_pieces),
		WITH_TABLE(a_body_in_pieces),           WITH_TABLE(an_answer_shows_in_the_acknowledgement),
		WITH_TABLE(either_end_may_close),       WITH_TABLE(a_body_in_chunks),
		WITH_TABLE(ports_that_are_used_again),       WITH_TABLE(who_does_not_take_the_answer),
		WITH_TABLE(counts_against_a_list),      WITH_TABLE(what_requests_share),
		WITH_TABLE(a_sweep_counts_who_is_held), WITH_TABLE(a_sweep_counts_all_of_them), WITH_TABLE(bounds),
		WITH_TABLE(who_asks_for_detail_again_and_again_is_no_work),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
