/* SPDX-License-Identifier: Apache-2.0 */
/* Sending: what arrives is what was to be sent, what is answered becomes done, later or never, and nobody waits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tell/post.h"
#include "web_server.h"

static struct post *post;

static struct alert_request to(const char *scheme, uint16_t port)
{
	static char body[] = "{\"a\":1}";
	struct alert_request made = { .body = body, .length = sizeof(body) - 1 };

	(void)snprintf(made.url, sizeof(made.url), "%s://127.0.0.1:%u/x", scheme, port);
	return made;
}

/* Turns until something has come to an end. */
static struct post_result result(void)
{
	struct post_result ended;

	for (unsigned i = 0; i < 2000; i++) {
		assert_int_equal(post_wait(post, NULL, 0, 10), 0);
		if (post_next(post, &ended))
			return ended;
	}
	fail_msg("nothing comes to an end");
	return (struct post_result){ .token = 0 };
}

static void answers(void **state)
{
	static const struct {
		const char *status, *header;
		int result;
		const char *what;
	} rows[] = {
		{ "200 OK", "", 0, "HTTP 200" },
		{ "202 Accepted", "", 0, "HTTP 202" },
		{ "302 Found", "Location: http://127.0.0.1:1/\r\n", -EPERM, "HTTP 302" },
		{ "404 Not Found", "", -EPERM, "HTTP 404" },
		{ "408 Request Timeout", "", -EAGAIN, "HTTP 408" },
		{ "429 Too Many Requests", "", -EAGAIN, "HTTP 429" },
		{ "500 Oops", "", -EAGAIN, "HTTP 500" },
	};
	uint16_t port;
	int server = listener(&port);
	struct alert_request request_to = to("http", port);

	(void)state;
	(void)snprintf(request_to.authorization, sizeof(request_to.authorization), "Authorization: Bearer k");
	(void)snprintf(request_to.headers, sizeof(request_to.headers), "X-One: 1\nX-Two: 2 3\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct post_result ended;
		int connection;

		assert_int_equal(post_send(post, &request_to, i + 7), 0);
		/* A turn for each step of it, for both ends are this process. */
		for (unsigned k = 0; k < 20; k++)
			assert_int_equal(post_wait(post, NULL, 0, 5), 0);
		connection = take_request(server, WEB_WAIT_MS);
		assert_non_null(strstr(request, "POST /x HTTP/1.1\r\n"));
		assert_non_null(strstr(request, "\r\nAuthorization: Bearer k\r\n"));
		assert_non_null(strstr(request, "\r\nX-One: 1\r\nX-Two: 2 3\r\n"));
		assert_non_null(strstr(request, "\r\n\r\n{\"a\":1}"));
		respond(connection, rows[i].status, rows[i].header);
		ended = result();
		assert_int_equal(ended.token, i + 7);
		assert_int_equal(ended.result, rows[i].result);
		assert_string_equal(ended.what, rows[i].what);
	}
	(void)close(server);
}

static void nobody_answers(void **state)
{
	struct alert_request request_to;
	struct post_result ended;
	uint16_t port;
	int server = listener(&port);

	(void)state;
	(void)close(server);
	request_to = to("http", port);
	assert_int_equal(post_send(post, &request_to, 1), 0);
	ended = result();
	assert_int_equal(ended.result, -EAGAIN);
	assert_int_equal(ended.status, 0);
	assert_true(ended.what[0]);
	/* What is no web server's is not even tried. */
	(void)snprintf(request_to.url, sizeof(request_to.url), "file:///etc/passwd");
	assert_int_equal(post_send(post, &request_to, 2), 0);
	assert_int_equal(result().result, -EPERM);
}

/* One that speaks no TLS where TLS is wanted. */
static void no_certificate(void **state)
{
	uint16_t port;
	int server = listener(&port), connection;
	struct alert_request request_to = to("https", port);
	struct post_result ended;

	(void)state;
	assert_int_equal(post_send(post, &request_to, 1), 0);
	for (unsigned k = 0; k < 20; k++)
		assert_int_equal(post_wait(post, NULL, 0, 5), 0);
	connection = accept(server, NULL, NULL);
	assert_true(connection >= 0);
	assert_int_equal(write(connection, "HTTP/1.1 200 OK\r\n\r\n", 19), 19);
	(void)close(connection);
	ended = result();
	assert_int_equal(ended.result, -EAGAIN);
	assert_int_equal(ended.status, 0);
	(void)close(server);
}

/* Who speaks no HTTP at all is not there for good. */
static void no_http(void **state)
{
	static const char *const nonsense[] = { "SSH-2.0-none\r\n", "\xff\xfe\x01\r\n", "HTTP/9.9 999 \r\n\r\n", "" };
	uint16_t port;
	int server = listener(&port), connection;
	struct alert_request request_to = to("http", port);

	(void)state;
	for (unsigned i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		assert_int_equal(post_send(post, &request_to, i), 0);
		for (unsigned k = 0; k < 20; k++)
			assert_int_equal(post_wait(post, NULL, 0, 5), 0);
		connection = take_request(server, WEB_WAIT_MS);
		assert_true(connection >= 0);
		assert_int_equal(write(connection, nonsense[i], strlen(nonsense[i])), strlen(nonsense[i]));
		(void)close(connection);
		assert_int_equal(result().result, -EAGAIN);
	}
	(void)close(server);
}

static void so_many_at_a_time(void **state)
{
	uint16_t port;
	int server = listener(&port), readable[2];
	struct alert_request request_to = to("http", port);
	struct pollfd fds[POST_MAX + 1] = { { .fd = -1 } };

	(void)state;
	for (unsigned i = 0; i < POST_MAX; i++)
		assert_int_equal(post_send(post, &request_to, i), 0);
	assert_int_equal(post_send(post, &request_to, POST_MAX), -EAGAIN);
	/* While they hang, others are heard. */
	assert_int_equal(pipe(readable), 0);
	fds[0].fd = readable[0];
	assert_int_equal(post_wait(post, fds, 1, 50), 0);
	assert_int_equal(write(readable[1], "x", 1), 1);
	for (unsigned i = 0; i < 100 && !fds[0].revents; i++)
		assert_int_equal(post_wait(post, fds, 1, 50), 0);
	assert_int_equal(fds[0].revents, POLLIN);
	assert_int_equal(post_wait(post, fds, POST_MAX + 1, 0), -EINVAL);
	(void)close(readable[0]);
	(void)close(readable[1]);
	(void)close(server);
	/* What is under way when it ends is dropped. */
}

static int set_up(void **state)
{
	(void)state;
	return post_new(&post);
}

static int tear_down(void **state)
{
	(void)state;
	post_free(post);
	post = NULL;
	post_free(NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_http, set_up, tear_down),
		cmocka_unit_test_setup_teardown(so_many_at_a_time, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
