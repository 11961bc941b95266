/* SPDX-License-Identifier: Apache-2.0 */
/* What the beginning of a request says: requests as clients and tools send them, whole, cut and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "observe/http.h"

static struct http read_whole(const char *text)
{
	struct http http;

	memset(&http, 0xee, sizeof(http));
	assert_true(http_read((const uint8_t *)text, strlen(text), strlen(text), &http));
	return http;
}

static bool refuses(const char *text)
{
	struct http http;

	return !http_read((const uint8_t *)text, strlen(text), strlen(text), &http);
}

static void a_plain_request(void **state)
{
	struct http http = read_whole("GET /a/b.html HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");

	(void)state;
	assert_int_equal(http.method, HTTP_GET);
	assert_int_equal(http.flags, HTTP_ENDED);
	assert_int_equal(http.headers, 2);
	assert_int_equal(http.body, 0);
	assert_int_equal(http.target, http.path);
	assert_int_equal(http.order, http_order_of("Host\nAccept\n"));
}

static void what_is_no_request(void **state)
{
	(void)state;
	assert_true(refuses("GET"));
	assert_true(refuses("GET "));
	assert_true(refuses("GETX / HTTP/1.1\r\n\r\n"));
	assert_true(refuses("get / HTTP/1.1\r\n\r\n"));
	assert_true(refuses("HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(refuses("GET /\r\n")); /* HTTP/0.9 */
	assert_true(refuses("GET / RTSP/1.0\r\n\r\n"));
	assert_true(refuses("GET /a b HTTP/1.1\r\n\r\n"));
	assert_true(refuses("GET \x01/ HTTP/1.1\r\n\r\n"));
	assert_true(refuses("GET key\r\n")); /* memcached */
	assert_true(refuses("GET /\x80\n HTTP/1.1"));
}

static void in_pieces(void **state)
{
	struct http http = read_whole("GET /?977 HTTP/1.1\r\n");

	(void)state;
	assert_int_equal(http.flags, HTTP_QUERY);
	assert_int_equal(http.headers, 0);
	assert_int_equal(http.order, 0);
	http = read_whole("POST /upload HTTP/1.1\r\nHost: x\r\nContent-Len");
	assert_int_equal(http.flags, 0);
	assert_int_equal(http.headers, 1);
	http = read_whole("GET /very/long");
	assert_int_equal(http.flags, 0);
	assert_int_equal(read_whole("GET /very/long HT").target, http.target);
}

static void bodies(void **state)
{
	struct http http = read_whole("POST /f HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:  12\r\n\r\nname=val");

	(void)state;
	assert_int_equal(http.method, HTTP_POST);
	assert_int_equal(http.flags, HTTP_ENDED | HTTP_LENGTH);
	assert_int_equal(http.length, 12);
	assert_int_equal(http.body, 8);
	http = read_whole("POST /f HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n");
	assert_int_equal(http.length, HTTP_LENGTH_MAX);
	http = read_whole("POST /f HTTP/1.1\r\nContent-Length: x\r\n\r\n");
	assert_int_equal(http.flags, HTTP_ENDED);
	http = read_whole("POST /f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n");
	assert_int_equal(http.flags, HTTP_ENDED | HTTP_CHUNKED);
	assert_int_equal(http.body, 3);
	http = read_whole("POST /f HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked \r\n\r\n");
	assert_int_equal(http.flags, HTTP_ENDED | HTTP_CHUNKED);
	http = read_whole("GET /f HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n");
	assert_int_equal(http.flags, HTTP_ENDED);
	http = read_whole("GET /f HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n");
	assert_int_equal(http.flags, HTTP_ENDED);
}

static void cut_by_the_snap_length(void **state)
{
	static const char text[] = "POST /f HTTP/1.1\r\nContent-Length: 9\r\n\r\nab";
	struct http http;

	(void)state;
	assert_true(http_read((const uint8_t *)text, 20, 400, &http));
	assert_int_equal(http.flags, HTTP_CUT);
	/* The block's end was kept: what was not is body. */
	assert_true(http_read((const uint8_t *)text, sizeof(text) - 1, sizeof(text) - 1 + 7, &http));
	assert_int_equal(http.flags, HTTP_CUT | HTTP_ENDED | HTTP_LENGTH);
	assert_int_equal(http.body, 9);
}

static void queries(void **state)
{
	struct http a = read_whole("GET /s?q=one&p=1 HTTP/1.1\r\n\r\n"),
		    b = read_whole("GET /s?q=two&p=2 HTTP/1.1\r\n\r\n");
	struct http c = read_whole("GET /s?r=one&p=1 HTTP/1.1\r\n\r\n");

	(void)state;
	assert_int_equal(a.flags, HTTP_ENDED | HTTP_QUERY | HTTP_NAMED);
	assert_int_equal(a.path, b.path);
	assert_int_equal(a.names, b.names);
	assert_int_not_equal(a.target, b.target);
	assert_int_equal(a.path, c.path);
	assert_int_not_equal(a.names, c.names);
	/* Values without a name, though they hold a '=' */
	assert_int_equal(read_whole("GET /?977 HTTP/1.1\r\n\r\n").flags & HTTP_NAMED, 0);
	assert_int_equal(read_whole("GET /?YWJjZGVm= HTTP/1.1\r\n\r\n").flags & HTTP_NAMED, 0);
	assert_int_equal(read_whole("GET /?YWJjZGV== HTTP/1.1\r\n\r\n").flags & HTTP_NAMED, 0);
	assert_int_equal(read_whole("GET /?=x HTTP/1.1\r\n\r\n").flags & HTTP_NAMED, 0);
	assert_int_equal(read_whole("GET /? HTTP/1.1\r\n\r\n").flags, HTTP_ENDED | HTTP_QUERY);
	assert_int_equal(read_whole("GET /?abcdefghijklmnopqrstuvwxy=x HTTP/1.1\r\n\r\n").flags & HTTP_NAMED, 0);
	assert_int_equal(read_whole("GET /?abcdefghijklmnopqrstuvwx=x HTTP/1.1\r\n\r\n").flags & HTTP_NAMED,
	                 HTTP_NAMED);
}

static void header_order(void **state)
{
	struct http a = read_whole("GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n");
	struct http b = read_whole("GET /x HTTP/1.1\r\nHost: c\r\nAccept: d\r\n\r\n");
	struct http c = read_whole("GET / HTTP/1.1\r\nAccept: b\r\nHost: a\r\n\r\n");
	struct http d = read_whole("GET / HTTP/1.1\r\nHost: a\r\naccept: b\r\n\r\n");
	char many[2048] = "GET / HTTP/1.1\r\n";

	(void)state;
	assert_int_equal(a.order, b.order);
	assert_int_not_equal(a.order, c.order);
	assert_int_not_equal(a.order, d.order);
	/* A folded line goes on with the one before; a line that is no header ends the reading. */
	assert_int_equal(read_whole("GET / HTTP/1.1\r\nHost: a\r\n b\r\nAccept: b\r\n\r\n").order, a.order);
	assert_int_equal(read_whole("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n").flags, 0);
	/* What ends lines with a line feed alone is read as well. */
	assert_int_equal(read_whole("GET / HTTP/1.1\nHost: a\nAccept: b\n\n").order, a.order);
	for (unsigned i = 0; i < HTTP_HEADERS_MAX + 8; i++)
		strcat(many, "X-a: b\r\n");
	strcat(many, "\r\n");
	assert_int_equal(read_whole(many).headers, HTTP_HEADERS_MAX);
	assert_int_equal(read_whole(many).flags, HTTP_ENDED);
	assert_int_equal(read_whole("GET / HTTP/1.0\r\nAccept:  */*\r\n\r\n").flags, HTTP_ENDED | HTTP_DOUBLED);
	assert_int_equal(read_whole("GET / HTTP/1.1\r\n\r\n").order, 0);
	assert_int_equal(http_order_of(""), 0);
}

static void ends_of_blocks(void **state)
{
	static const struct {
		const char *text;
		bool ends;
	} cases[] = {
		{ "X: y\r\n\r\n", true }, { "\r\n", true },   { "\n", true }, { "X: y\n\n", true },
		{ "X: y\r\n", false },    { "\r", false },    { "", false },  { "X-a: b", false },
		{ "a\n", false },         { "a\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(http_ends_block((const uint8_t *)cases[i].text, strlen(cases[i].text)), cases[i].ends);
}

static void statuses(void **state)
{
	(void)state;
	assert_int_equal(http_status((const uint8_t *)"HTTP/1.1 200 OK", 15), 200);
	assert_int_equal(http_status((const uint8_t *)"HTTP/1.0 503", 12), 503);
	assert_int_equal(http_status((const uint8_t *)"HTTP/1.1 20", 11), 0);
	assert_int_equal(http_status((const uint8_t *)"HTTP/1.1 2x0 OK", 15), 0);
	assert_int_equal(http_status((const uint8_t *)"HTTP/2 200 OK..", 15), 0);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_request), cmocka_unit_test(what_is_no_request),
		cmocka_unit_test(in_pieces),       cmocka_unit_test(bodies),
		cmocka_unit_test(cut_by_the_snap_length), cmocka_unit_test(queries),
		cmocka_unit_test(header_order),    cmocka_unit_test(ends_of_blocks),
		cmocka_unit_test(statuses),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
