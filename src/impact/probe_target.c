/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets as they are written, and what servers name as one: what is not plainly a name or an address, a port and a
 * path is none. A URL for libcurl is made anew of the parts, so that both read the same.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/reserved.h"
#include "base/time.h"
#include "impact/probe.h"

#define PORT_MAX 65535
#define PORT_HTTP 80
#define PORT_HTTPS 443
#define PORT_DNS 53
#define LABEL_MAX 63

static const struct scheme {
	const char *begin;
	enum probe_type type;
	bool tls;
	uint16_t port; /* 0: must be said */
} schemes[] = {
	{ "http://", PROBE_HTTP, false, PORT_HTTP }, { "https://", PROBE_HTTP, true, PORT_HTTPS },
	{ "tcp://", PROBE_TCP, false, 0 },           { "tls://", PROBE_TLS, true, PORT_HTTPS },
	{ "dns://", PROBE_DNS, false, 0 },
};

bool probe_address_is_private(const struct address *address)
{
	return reserved_address(address) == RESERVED_LOCAL;
}

/*
 * A name as hosts have it: labels of letters, digits, '-' and '_'. What looks like an address of IPv4 but is none is
 * not one.
 */
static bool is_name(const char *text)
{
	size_t label = 0;
	bool letter = false;

	for (const char *at = text; *at; at++) {
		if (*at == '.') {
			if (label == 0)
				return false;
			label = 0;
			letter = false;
			continue;
		}
		if (!isalnum((unsigned char)*at) && *at != '-' && *at != '_')
			return false;
		letter = letter || !isdigit((unsigned char)*at);
		if (++label > LABEL_MAX)
			return false;
	}
	return letter || (label == 0 && *text); /* the last label is no number; or there is the root's dot behind it */
}

static int refuse(const char **what, const char *says)
{
	*what = says;
	return -EINVAL;
}

/* HOST, HOST:PORT, [ADDRESS], [ADDRESS]:PORT: `length` octets of text. */
static int take_host(const char *text, size_t length, char host[PROBE_HOST_SIZE], uint16_t *port, const char **what)
{
	const char *end = text + length, *colon = memchr(text, ':', length);
	bool bracketed = length > 0 && *text == '[';
	struct address address;
	size_t octets;

	if (bracketed) {
		const char *close = memchr(text, ']', length);

		if (!close)
			return refuse(what, "'[' is not closed");
		text++;
		octets = (size_t)(close - text);
		colon = close + 1 < end ? close + 1 : NULL;
		if (colon && *colon != ':')
			return refuse(what, "there is more behind ']' than a port");
	} else {
		octets = colon ? (size_t)(colon - text) : length;
	}
	if (octets == 0 || octets >= PROBE_HOST_SIZE)
		return refuse(what, "there is no host in it");
	memcpy(host, text, octets);
	host[octets] = '\0';
	if (address_parse(host, &address) != 0 && (bracketed || !is_name(host)))
		return refuse(what, "the host is neither a name nor an address");
	if (colon) {
		unsigned value = 0;

		if (colon + 1 == end)
			return refuse(what, "the port is no number from 1 to 65535");
		for (const char *at = colon + 1; at < end; at++) {
			if (!isdigit((unsigned char)*at) || value > PORT_MAX)
				return refuse(what, "the port is no number from 1 to 65535");
			value = 10 * value + (unsigned)(*at - '0');
		}
		if (value == 0 || value > PORT_MAX)
			return refuse(what, "the port is no number from 1 to 65535");
		*port = (uint16_t)value;
	}
	return 0;
}

static int take_resolver(const char *text, size_t length, struct probe_target *target, const char **what)
{
	struct address address;
	int result;

	target->resolver_port = PORT_DNS;
	result = take_host(text, length, target->resolver, &target->resolver_port, what);
	return result == 0 && address_parse(target->resolver, &address) != 0 ? refuse(what, "a resolver is an address")
	                                                                     : result;
}

int probe_resolver_parse(const char *text, struct probe_target *target, const char **what)
{
	struct probe_target read = *target;
	struct address address;
	int result;

	read.resolver_port = PORT_DNS;
	if (address_parse(text, &address) == 0) { /* of IPv6 alone, brackets would say nothing */
		(void)snprintf(read.resolver, sizeof(read.resolver), "%s", text);
		result = 0;
	} else {
		result = take_resolver(text, strlen(text), &read, what);
	}
	if (result == 0)
		*target = read;
	return result;
}

static int take_dns(const char *rest, size_t authority, struct probe_target *target, const char **what)
{
	struct address address;
	uint16_t port = 0;
	int result;

	if (rest[authority] == '/') {
		result = authority > 0 ? take_resolver(rest, authority, target, what) : 0;
		if (result != 0)
			return result;
		rest += authority + 1;
		authority = strlen(rest);
	}
	result = take_host(rest, authority, target->host, &port, what);
	if (result == 0 && (port || address_parse(target->host, &address) == 0))
		return refuse(what, "what is looked up is a name; a resolver stands before it, dns://RESOLVER/NAME");
	return result;
}

int probe_target_parse(const char *text, struct probe_target *target, const char **what)
{
	struct probe_target read = { .port = 0 };
	const struct scheme *scheme = NULL;
	size_t authority, length = strlen(text);
	const char *rest;
	int result;

	if (length >= PROBE_TARGET_SIZE)
		return refuse(what, "it is too long");
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] == '\x7f' || text[i] == '\\')
			return refuse(what, "it has characters that no URL has");
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && !scheme; i++)
		if (strncmp(text, schemes[i].begin, strlen(schemes[i].begin)) == 0)
			scheme = &schemes[i];
	if (!scheme)
		return refuse(what, "it begins with none of http://, https://, tcp://, tls://, dns://");
	rest = text + strlen(scheme->begin);
	authority = strcspn(rest, "/?#");
	read.type = scheme->type;
	read.tls = scheme->tls;
	read.port = scheme->port;
	if (read.type == PROBE_DNS) {
		result = take_dns(rest, authority, &read, what);
	} else {
		size_t path = strcspn(rest + authority, "#"); /* what is behind it is not sent */

		result = take_host(rest, authority, read.host, &read.port, what);
		if (result == 0 && read.type != PROBE_HTTP && rest[authority])
			return refuse(what, "there is more behind the port");
		if (result == 0 && read.port == 0)
			return refuse(what, "it has no port");
		(void)snprintf(read.path, sizeof(read.path), "%s%.*s", rest[authority] == '/' ? "" : "/",
		               path < sizeof(read.path) ? (int)path : 0, rest + authority);
	}
	if (result == 0)
		*target = read;
	return result;
}

const char *probe_target_url(const struct probe_target *target, char text[PROBE_URL_SIZE])
{
	bool is_ipv6 = strchr(target->host, ':') != NULL;

	(void)snprintf(text, PROBE_URL_SIZE, "%s://%s%s%s:%u%s", target->tls ? "https" : "http", is_ipv6 ? "[" : "",
	               target->host, is_ipv6 ? "]" : "", (unsigned)target->port,
	               target->type == PROBE_HTTP ? target->path : "/");
	return text;
}

/* As OpenSSL prints it. The day has a space in the place of a zero. */
int probe_certificate_time(const char *text, int64_t *s)
{
	char name[4], zone[4], again[TIME_TEXT_SIZE];
	unsigned month, day, hour, minute, second, year;
	struct capture_time time;
	int end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): widths bound each number, and the time made of them is checked */
	if (sscanf(text, "%3[A-Za-z] %2u %2u:%2u:%2u %4u %3[A-Z]%n", name, &day, &hour, &minute, &second, &year, zone,
	           &end) != 7 ||
	    text[end] != '\0' || strcmp(zone, "GMT") != 0 || strlen(name) != 3)
		return -EINVAL;
	month = time_month(name);
	if (month == 0)
		return -EINVAL;
	(void)snprintf(again, sizeof(again), "%04u-%02u-%02uT%02u:%02u:%02uZ", year, month, day, hour, minute, second);
	if (time_parse(again, &time) != 0)
		return -EINVAL;
	*s = time.ns / NS_PER_S;
	return 0;
}
