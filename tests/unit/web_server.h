/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server of one connection at a time, played by the test itself: it looks at a request, and says what to answer.
 */
#ifndef HOLDFAST_TESTS_WEB_SERVER_H
#define HOLDFAST_TESTS_WEB_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 16384
#define WEB_WAIT_MS 20000

static char request[REQUEST_MAX]; /* the latest, whole */

__attribute__((unused)) static int listener(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* The next request, whole, into `request`; its connection. -1 where none comes in time. */
__attribute__((unused)) static int take_request(int server, int wait_ms)
{
	struct pollfd fd = { .fd = server, .events = POLLIN };
	size_t filled = 0, wanted = SIZE_MAX;
	int connection;

	if (poll(&fd, 1, wait_ms) != 1)
		return -1;
	connection = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	assert_true(connection >= 0);
	while (filled < wanted && filled < sizeof(request) - 1) {
		ssize_t got = read(connection, request + filled, sizeof(request) - 1 - filled);
		const char *body, *length;

		assert_true(got > 0);
		filled += (size_t)got;
		request[filled] = '\0';
		body = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\nContent-Length: ");
		if (body && length)
			wanted = (size_t)(body + 4 - request) +
			         strtoul(length + strlen("\r\nContent-Length: "), NULL, 10);
	}
	return connection;
}

__attribute__((unused)) static void respond(int connection, const char *status, const char *header)
{
	char text[512];
	int length = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n%sContent-Length: 0\r\nConnection: close\r\n\r\n",
	                      status, header);

	assert_int_equal(write(connection, text, (size_t)length), length);
	(void)close(connection);
}

#endif
