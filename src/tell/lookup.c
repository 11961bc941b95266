/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ares.h>
#include <netinet/in.h>

#include "tell/library.h"

#define SERVER_SIZE (PROBE_HOST_SIZE + 16)
#define MS_PER_S 1000
#define US_PER_MS 1000

static struct {
	__typeof__(ares_library_init) *library_init;
	__typeof__(ares_init_options) *init_options;
	__typeof__(ares_destroy) *destroy;
	__typeof__(ares_set_servers_ports_csv) *set_servers;
	__typeof__(ares_getaddrinfo) *getaddrinfo;
	__typeof__(ares_freeaddrinfo) *freeaddrinfo;
	__typeof__(ares_getsock) *getsock;
	__typeof__(ares_timeout) *timeout;
	__typeof__(ares_process_fd) *process_fd;
} ares;

#define IN_ARES(member) offsetof(__typeof__(ares), member)

static const struct library_function functions[] = {
	{ "ares_library_init", IN_ARES(library_init) }, { "ares_init_options", IN_ARES(init_options) },
	{ "ares_destroy", IN_ARES(destroy) },           { "ares_set_servers_ports_csv", IN_ARES(set_servers) },
	{ "ares_getaddrinfo", IN_ARES(getaddrinfo) },   { "ares_freeaddrinfo", IN_ARES(freeaddrinfo) },
	{ "ares_getsock", IN_ARES(getsock) },           { "ares_timeout", IN_ARES(timeout) },
	{ "ares_process_fd", IN_ARES(process_fd) },
};

struct lookup {
	ares_channel channel;
	bool over;
	struct lookup_result result;
};

int lookup_load(void)
{
	if (ares.library_init)
		return 0;
	if (library_load("libcares.so.2", functions, sizeof(functions) / sizeof(functions[0]), &ares) != 0 ||
	    ares.library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		ares.library_init = NULL;
		return -ENOSYS;
	}
	return 0;
}

static enum probe_reason reason_of(int status)
{
	static const struct {
		int status;
		enum probe_reason reason;
	} rows[] = {
		{ ARES_SUCCESS, PROBE_OK },
		{ ARES_ENOTFOUND, PROBE_NO_NAME },
		{ ARES_ENODATA, PROBE_NO_ADDRESS },
		{ ARES_ETIMEOUT, PROBE_RESOLVER_TIMEOUT },
		{ ARES_EDESTRUCTION, PROBE_RESOLVER_TIMEOUT },
		{ ARES_ENOMEM, PROBE_NOT_CHECKED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return PROBE_RESOLVER_FAILED;
}

static bool address_of(const struct ares_addrinfo_node *node, struct address *address)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
	uint8_t octets[sizeof(ipv6.sin6_addr)];

	if (node->ai_family == AF_INET && node->ai_addrlen >= sizeof(ipv4)) {
		memcpy(&ipv4, node->ai_addr, sizeof(ipv4));
		memcpy(octets, &ipv4.sin_addr, sizeof(ipv4.sin_addr));
		*address = address_from_ipv4(octets);
		return true;
	}
	if (node->ai_family == AF_INET6 && node->ai_addrlen >= sizeof(ipv6)) {
		memcpy(&ipv6, node->ai_addr, sizeof(ipv6));
		memcpy(octets, &ipv6.sin6_addr, sizeof(octets));
		*address = address_from_ipv6(octets);
		return true;
	}
	return false;
}

static void take(struct lookup_result *result, const struct address *address)
{
	for (uint32_t i = 0; i < result->count; i++)
		if (address_equal(&result->addresses[i], address))
			return;
	if (result->count == PROBE_ADDRESSES_MAX)
		result->left_out++;
	else
		result->addresses[result->count++] = *address;
}

static void on_answer(void *context, int status, int timeouts, struct ares_addrinfo *answer)
{
	struct lookup *lookup = context;
	struct address address;

	(void)timeouts;
	lookup->over = true;
	lookup->result.reason = reason_of(status);
	if (!answer)
		return;
	for (const struct ares_addrinfo_node *node = answer->nodes; node; node = node->ai_next)
		if (address_of(node, &address))
			take(&lookup->result, &address);
	ares.freeaddrinfo(answer);
	if (lookup->result.reason == PROBE_OK && lookup->result.count == 0)
		lookup->result.reason = PROBE_NO_ADDRESS;
}

int lookup_begin(const char *host, const char *resolver, uint16_t port, uint32_t timeout_ms, struct lookup **lookup)
{
	static char only_dns[] = "b", all[] = "fb"; /* files, then DNS */
	const struct ares_addrinfo_hints hints = { .ai_flags = ARES_AI_NOSORT, .ai_family = AF_UNSPEC };
	struct ares_options options = { .flags = ARES_FLAG_NOSEARCH,
		                        .timeout = (int)timeout_ms / (LOOKUP_TRIES + 1),
		                        .tries = LOOKUP_TRIES,
		                        .lookups = *resolver ? only_dns : all };
	struct lookup *made = calloc(1, sizeof(*made));
	char server[SERVER_SIZE];

	if (!made)
		return -ENOMEM;
	if (ares.init_options(&made->channel, &options,
	                      ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS) !=
	    ARES_SUCCESS) {
		free(made);
		return -ENOMEM;
	}
	if (*resolver) {
		(void)snprintf(server, sizeof(server), strchr(resolver, ':') ? "[%s]:%u" : "%s:%u", resolver,
		               (unsigned)port);
		if (ares.set_servers(made->channel, server) != ARES_SUCCESS) {
			lookup_free(made);
			return -EINVAL;
		}
	}
	ares.getaddrinfo(made->channel, host, NULL, &hints, on_answer, made);
	*lookup = made;
	return 0;
}

unsigned lookup_fds(const struct lookup *lookup, struct pollfd *fds, unsigned most, int *timeout_ms)
{
	ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
	/* As ARES_GETSOCK_READABLE and _WRITABLE have it, whose shifts overflow. */
	uint32_t bits = (uint32_t)ares.getsock(lookup->channel, sockets, ARES_GETSOCK_MAXNUM);
	struct timeval room;
	unsigned count = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM && count < most; i++) {
		short events = 0;

		if (bits >> i & 1)
			events |= POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			events |= POLLOUT;
		if (events)
			fds[count++] = (struct pollfd){ .fd = sockets[i], .events = events };
	}
	if (lookup->over)
		*timeout_ms = 0;
	else if (ares.timeout(lookup->channel, NULL, &room)) {
		int64_t ms = room.tv_sec * MS_PER_S + room.tv_usec / US_PER_MS + 1;

		*timeout_ms = ms < *timeout_ms ? (int)ms : *timeout_ms;
	}
	return count;
}

bool lookup_turn(struct lookup *lookup, struct lookup_result *result)
{
	struct pollfd fds[LOOKUP_FDS_MAX];
	int forever = 1;
	unsigned count = lookup->over ? 0 : lookup_fds(lookup, fds, LOOKUP_FDS_MAX, &forever);

	if (!lookup->over)
		ares.process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* whose time is over */
	if (count > 0 && poll(fds, count, 0) > 0)
		for (unsigned i = 0; i < count && !lookup->over; i++)
			if (fds[i].revents)
				ares.process_fd(lookup->channel,
				                fds[i].revents & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD,
				                fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	if (lookup->over)
		*result = lookup->result;
	return lookup->over;
}

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	ares.destroy(lookup->channel); /* calls back where it is under way */
	free(lookup);
}
