/* SPDX-License-Identifier: Apache-2.0 */
/* Where a server listens, as people write it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tell/http_server.h"

#define BACKLOG 1024
#define IPV4_AT 12 /* in an address's octets */

/* "[::1]:8080" apart: the address without its brackets, and the port. */
static int split(const char *text, char host[ADDRESS_TEXT_SIZE], uint16_t *port)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[' && colon && colon > text && colon[-1] == ']';
	const char *from = text + bracketed, *to = colon ? colon - bracketed : NULL;
	unsigned long number;
	char *rest;

	if (!colon || to <= from || (size_t)(to - from) >= ADDRESS_TEXT_SIZE || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	number = strtoul(colon + 1, &rest, 10);
	if (*rest || number > UINT16_MAX)
		return -EINVAL;
	memcpy(host, from, (size_t)(to - from));
	host[to - from] = '\0';
	if (bracketed != (strchr(host, ':') != NULL))
		return -EINVAL;
	*port = (uint16_t)number;
	return 0;
}

static int listen_at(int family, const struct sockaddr *address, socklen_t length, int *listener)
{
	const int on = 1;
	int err, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) || bind(fd, address, length) ||
	    listen(fd, BACKLOG)) {
		err = -errno;
		(void)close(fd);
		return err;
	}
	*listener = fd;
	return 0;
}

int http_server_address(const char *text, struct address *address, uint16_t *port)
{
	char host[ADDRESS_TEXT_SIZE];
	struct prefix prefix;

	if (split(text, host, port) || strchr(host, '/') || prefix_parse(host, &prefix))
		return -EINVAL;
	*address = prefix.address;
	return 0;
}

int http_server_listen(const char *text, int *listener)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct address address;
	uint16_t port;

	if (http_server_address(text, &address, &port))
		return -EINVAL;
	if (address_is_ipv4(&address)) {
		v4.sin_port = htons(port);
		memcpy(&v4.sin_addr, address.octets + IPV4_AT, sizeof(v4.sin_addr));
		return listen_at(AF_INET, (const struct sockaddr *)&v4, sizeof(v4), listener);
	}
	v6.sin6_port = htons(port);
	memcpy(&v6.sin6_addr, address.octets, sizeof(v6.sin6_addr));
	return listen_at(AF_INET6, (const struct sockaddr *)&v6, sizeof(v6), listener);
}
