/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server by real sockets on loopback, in one thread with its clients, its clock in hand: each bound and its
 * counter.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

#include "tell/http_server.h"

#define CONNECTIONS 8
#define PER_ADDRESS 6
#define BODY 1024
#define LARGE (4 * 1024 * 1024)

static struct http_server *server;
static uint16_t port;
static int64_t now_ms;
static struct http_page *page;
static struct http_server_request seen;
static char seen_path[64], seen_query[64], seen_header[64], seen_body[BODY + 1];
static char *large;

static int64_t now(void *context)
{
	(void)context;
	return now_ms;
}

static void copy(char *to, size_t size, const char *text)
{
	(void)snprintf(to, size, "%s", text ? text : "(none)");
}

static void handle(void *context, const struct http_server_request *request, struct http_server_reply *reply)
{
	(void)context;
	seen = *request;
	copy(seen_path, sizeof(seen_path), request->path);
	copy(seen_query, sizeof(seen_query), http_server_query(request, "q"));
	copy(seen_header, sizeof(seen_header), http_server_header(request, "x-word"));
	copy(seen_body, sizeof(seen_body), request->body);
	if (!strcmp(request->path, "/page")) {
		reply->page = page;
		return;
	}
	if (!strcmp(request->path, "/large")) {
		reply->status = 200;
		reply->body = large;
		reply->body_length = LARGE;
		return;
	}
	if (!strcmp(request->path, "/nothing"))
		return;
	reply->status = 202;
	reply->type = "text/plain";
	reply->body = "taken";
	reply->body_length = 5;
	http_server_add_field(reply, "X-Answer", "yes");
	for (unsigned i = 0; i < HTTP_SERVER_REPLY_FIELDS_MAX + 4u; i++)
		http_server_add_field(reply, "X-Many", "1");
	reply->close = !strcmp(request->path, "/close");
}

static void turn(unsigned turns)
{
	for (unsigned i = 0; i < turns; i++) {
		struct pollfd fd = { .fd = http_server_fd(server), .events = POLLIN };
		int wait = http_server_timeout_ms(server);

		(void)poll(&fd, 1, wait < 2 ? wait : 2);
		assert_int_equal(http_server_run(server), 0);
	}
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		                  .sin_port = htons(port),
		                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char heard[8192];

/* What there is to be read; "" where the connection has ended. */
static const char *hear(int fd)
{
	size_t filled = 0;

	for (unsigned i = 0; i < 100; i++) {
		ssize_t got;

		turn(1);
		got = recv(fd, heard + filled, sizeof(heard) - 1 - filled, 0);
		if (got > 0)
			filled += (size_t)got;
		else if (got == 0 || errno != EAGAIN || filled)
			break;
	}
	heard[filled] = '\0';
	return heard;
}

static bool ended(int fd)
{
	char octet;

	for (unsigned i = 0; i < 100; i++) {
		ssize_t got;

		turn(1);
		got = recv(fd, &octet, 1, 0);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

static const char *exchange(const char *text)
{
	int fd = dial();

	say(fd, text);
	hear(fd);
	(void)close(fd);
	turn(4);
	return heard;
}

static struct http_server_options options(void)
{
	return (struct http_server_options){
		.listener = -1,
		.connections = CONNECTIONS,
		.per_address = PER_ADDRESS,
		.header_octets = 2048,
		.body_octets = BODY,
		.request_ms = 10000,
		.answer_ms = 30000,
		.idle_s = 60,
		.seed = 7,
		.now_ms = now,
		.handle = handle,
	};
}

static void start_with(struct http_server_options *o)
{
	struct sockaddr_in at;
	socklen_t length = sizeof(at);

	now_ms = 1000;
	assert_int_equal(http_server_listen("127.0.0.1:0", &o->listener), 0);
	assert_int_equal(getsockname(o->listener, (struct sockaddr *)&at, &length), 0);
	port = ntohs(at.sin_port);
	assert_int_equal(http_server_new(o, &server), 0);
}

static int start(void **state)
{
	const struct http_server_field fields[] = { { "ETag", "\"a\"" } };
	struct http_server_options o = options();

	(void)state;
	start_with(&o);
	large = calloc(1, LARGE);
	assert_non_null(large);
	return http_page_new(200, "text/html; charset=utf-8", "<p>page", 7, fields, 1, &page);
}

static int stop(void **state)
{
	(void)state;
	http_server_free(server);
	server = NULL;
	http_page_free(page);
	http_page_free(NULL);
	http_server_free(NULL);
	free(large);
	return 0;
}

static void requests_are_read(void **state)
{
	(void)state;
	exchange("POST /a%20b?q=%C3%A9 HTTP/1.1\r\nHost: x\r\nX-Word: w\r\nContent-Length: 3\r\n\r\nabc");
	assert_non_null(strstr(heard, "HTTP/1.1 202 "));
	assert_non_null(strstr(heard, "X-Answer: yes\r\n"));
	assert_non_null(strstr(heard, "\r\n\r\ntaken"));
	assert_int_equal(seen.method, HTTP_SERVER_POST);
	assert_string_equal(seen_path, "/a b");
	assert_string_equal(seen_query, "\xc3\xa9");
	assert_string_equal(seen_header, "w");
	assert_string_equal(seen_body, "abc");
	assert_int_equal(seen.body_length, 3);
	assert_false(seen.secure);
	assert_int_equal(seen.peer.octets[12], 127);
	exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
	assert_string_equal(seen_body, "abcde");
	exchange("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(seen.method, HTTP_SERVER_OTHER);
	assert_string_equal(http_server_method_name(HTTP_SERVER_HEAD), "HEAD");
	exchange("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(heard, "HTTP/1.1 500 "));
	assert_int_equal(http_server_counts(server).requests, 4);
}

static void pages_are_given_often(void **state)
{
	int fd = dial();

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		say(fd, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_non_null(strstr(hear(fd), "<p>page"));
		assert_non_null(strstr(heard, "ETag: \"a\"\r\n"));
	}
	say(fd, "HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(hear(fd), "Content-Length: 7\r\n"));
	assert_null(strstr(heard, "<p>page"));
	assert_int_equal(http_server_counts(server).connections, 1);
	assert_int_equal(http_server_counts(server).open, 1);
	say(fd, "GET /close HTTP/1.1\r\nHost: x\r\n\r\n");
	hear(fd);
	assert_true(ended(fd));
	(void)close(fd);
	turn(4);
	assert_int_equal(http_server_counts(server).open, 0);
}

static void bounds_of_sizes(void **state)
{
	char text[8192];
	int fd;

	(void)state;
	(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY + 1);
	assert_non_null(strstr(exchange(text), "HTTP/1.1 413 "));
	(void)snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n%0*u", BODY, BODY,
	               7);
	assert_non_null(strstr(exchange(text), "HTTP/1.1 202 "));
	assert_int_equal(seen.body_length, BODY);
	(void)snprintf(
		text, sizeof(text),
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n%0*u\r\n400\r\n%0*u\r\n0\r\n\r\n",
		BODY + 1, 7, BODY, 7);
	assert_non_null(strstr(exchange(text), "HTTP/1.1 413 "));
	assert_int_equal(http_server_counts(server).bodies_refused, 2);
	/* A header that no connection has memory for. */
	(void)snprintf(text, sizeof(text), "GET /page HTTP/1.1\r\nHost: x\r\nX: %07000u\r\n\r\n", 7);
	fd = dial();
	say(fd, text);
	assert_null(strstr(hear(fd), " 200 "));
	(void)close(fd);
	exchange("GARBAGE\r\n\r\n");
	assert_null(strstr(heard, " 200 "));
	turn(4);
	assert_true(http_server_counts(server).headers_refused >= 1);
	assert_int_equal(http_server_counts(server).open, 0);
}

static void bounds_of_connections(void **state)
{
	int fds[PER_ADDRESS + 1];
	char octet;

	(void)state;
	for (unsigned i = 0; i < PER_ADDRESS; i++)
		fds[i] = dial();
	turn(20);
	assert_int_equal(http_server_counts(server).open, PER_ADDRESS);
	fds[PER_ADDRESS] = dial();
	assert_true(ended(fds[PER_ADDRESS]));
	assert_int_equal(http_server_counts(server).refused_address, 1);
	(void)close(fds[0]);
	(void)close(fds[PER_ADDRESS]);
	turn(10);
	fds[0] = dial();
	say(fds[0], "GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_non_null(strstr(hear(fds[0]), " 200 "));
	assert_true(recv(fds[1], &octet, 1, 0) < 0 && errno == EAGAIN);
	for (unsigned i = 0; i < PER_ADDRESS; i++)
		(void)close(fds[i]);
}

/* All connections are taken by those behind a proxy, which has no bound of its own: who asks nothing makes room. */
static void the_idle_make_room(void **state)
{
	struct prefix loopback;
	struct http_server_options o = options();
	int fds[CONNECTIONS], late;

	(void)state;
	http_server_free(server);
	assert_int_equal(prefix_parse("127.0.0.0/8", &loopback), 0);
	o.proxies = &loopback;
	o.proxies_count = 1;
	start_with(&o);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		fds[i] = dial();
	turn(20);
	assert_int_equal(http_server_counts(server).open, CONNECTIONS);
	late = dial();
	assert_true(ended(late));
	(void)close(late);
	assert_int_equal(http_server_counts(server).refused_full, 1);
	assert_int_equal(http_server_counts(server).evicted, 0); /* they have not been there for long */
	now_ms += HTTP_SERVER_EVICT_MS;
	late = dial();
	assert_true(ended(late));
	(void)close(late);
	assert_int_equal(http_server_counts(server).evicted, 1);
	turn(10);
	late = dial();
	say(late, "GET /page HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
	assert_non_null(strstr(hear(late), " 200 "));
	(void)close(late);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		(void)close(fds[i]);
}

static void slow_ones_are_ended(void **state)
{
	int idle = dial(), dribbling = dial(), taking = dial();
	int small = 4096;

	(void)state;
	turn(10);
	say(dribbling, "GET /pa");
	turn(5);
	now_ms += 6000;
	say(dribbling, "ge HTTP/1.1\r\n");
	turn(5);
	assert_int_equal(http_server_counts(server).open, 3);
	now_ms += 4000; /* octets keep coming: it is the whole that takes too long */
	say(dribbling, "Host: x\r\n");
	assert_true(ended(dribbling));
	assert_true(ended(idle));
	assert_true(ended(taking));
	assert_int_equal(http_server_counts(server).slow_requests, 3);
	(void)close(taking);
	turn(10);
	taking = dial();
	assert_int_equal(setsockopt(taking, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	say(taking, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(20);
	now_ms += 30000 + LARGE / HTTP_SERVER_RATE_MIN * 1000 - 1;
	turn(5);
	assert_int_equal(http_server_counts(server).slow_answers, 0);
	now_ms += 1000;
	turn(5);
	assert_int_equal(http_server_counts(server).slow_answers, 1);
	turn(10);
	assert_int_equal(http_server_counts(server).open, 0);
	(void)close(idle);
	(void)close(dribbling);
	(void)close(taking);
}

static void who_asks_behind_proxies(void **state)
{
	static const struct {
		const char *forwarded, *peer; /* NULL: refused */
	} cases[] = {
		{ "X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7" },
		{ "X-Forwarded-For: 198.51.100.1, 192.0.2.7, 203.0.113.9\r\n",
		  "192.0.2.7" }, /* .113.9 is a proxy, too */
		{ "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1" },
		/* What a client says itself stands in a line before that of a proxy which adds one. */
		{ "X-Forwarded-For: 198.51.100.1\r\nx-forwarded-for: 192.0.2.7\r\n", "192.0.2.7" },
		{ "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.9\r\n", "192.0.2.7" },
		{ "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: nobody\r\n", NULL },
		{ "X-Forwarded-For: 127.0.0.1\r\n", NULL },
		{ "X-Forwarded-For: nobody\r\n", NULL },
		{ "X-Forwarded-For: 192.0.2.0/24\r\n", NULL },
		{ "X-Forwarded-For: \r\n", NULL },
		{ "X-Forwarded-For: 192.0.2.7, 0123456789012345678901234567890123456789012345678901234567890123\r\n",
		  NULL },
		{ "", NULL },
	};
	struct prefix proxies[2];
	struct http_server_options o = options();

	(void)state;
	http_server_free(server);
	assert_int_equal(prefix_parse("127.0.0.0/8", &proxies[0]), 0);
	assert_int_equal(prefix_parse("203.0.113.0/24", &proxies[1]), 0);
	o.proxies = proxies;
	o.proxies_count = 2;
	start_with(&o);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512], peer[ADDRESS_TEXT_SIZE];

		(void)snprintf(text, sizeof(text), "GET /page HTTP/1.1\r\nHost: x\r\n%s\r\n", cases[i].forwarded);
		exchange(text);
		assert_non_null(strstr(heard, cases[i].peer ? " 200 " : " 400 "));
		if (cases[i].peer)
			assert_string_equal(address_format(&seen.peer, peer), cases[i].peer);
	}
	assert_int_equal(http_server_counts(server).forwarded_refused, 7);
}

static void texts_of_listeners(void **state)
{
	static const char *const wrong[] = {
		"",       ":",       "127.0.0.1",      "127.0.0.1:",   "127.0.0.1:x",  "127.0.0.1:65536",
		"::1:80", "[::1]",   "[127.0.0.1]:80", "localhost:80", "127.0.0.1:-1", "[::1:80",
		"[]:80",  "[::g]:80"
	};
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(http_server_listen(wrong[i], &fd), -EINVAL);
	if (http_server_listen("[::1]:0", &fd) == 0)
		(void)close(fd);
	assert_int_equal(http_server_listen("192.0.2.1:0", &fd), -EADDRNOTAVAIL);
}

static void options_are_checked(void **state)
{
	struct http_server *other;
	struct http_server_options good = options(), bad;

	(void)state;
	good.listener = 0;
#define REFUSED(field, value)                                             \
	do {                                                              \
		bad = good;                                               \
		bad.field = value;                                        \
		assert_int_equal(http_server_new(&bad, &other), -EINVAL); \
	} while (0)
	REFUSED(listener, -1);
	REFUSED(connections, 0);
	REFUSED(connections, HTTP_SERVER_CONNECTIONS_MAX + 1);
	REFUSED(per_address, CONNECTIONS + 1);
	REFUSED(header_octets, 100);
	REFUSED(body_octets, HTTP_SERVER_BODY_MAX + 1);
	REFUSED(request_ms, 0);
	REFUSED(idle_s, 0);
	REFUSED(certificate, "x");
	REFUSED(handle, NULL);
}

int main(void)
{
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, start, stop)
	const struct CMUnitTest tests[] = {
		WITH_SERVER(requests_are_read),        WITH_SERVER(pages_are_given_often),
		WITH_SERVER(bounds_of_sizes),          WITH_SERVER(bounds_of_connections),
		WITH_SERVER(the_idle_make_room),       WITH_SERVER(slow_ones_are_ended),
		WITH_SERVER(who_asks_behind_proxies),  cmocka_unit_test(texts_of_listeners),
		cmocka_unit_test(options_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
