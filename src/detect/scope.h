/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scope: the address or network that is watched as one target. Every address is watched alone and in two sizes of
 * network around it.
 */
#ifndef HOLDFAST_DETECT_SCOPE_H
#define HOLDFAST_DETECT_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"

#define SCOPE_LEVELS 3 /* IPv4 /32, /24, /20; IPv6 /128, /64, /48 */

/* Length of its prefix, in the family's terms. */
static inline uint8_t scope_length(bool is_ipv4, unsigned level)
{
	static const uint8_t ipv4[SCOPE_LEVELS] = { 32, 24, 20 }, ipv6[SCOPE_LEVELS] = { 128, 64, 48 };

	return is_ipv4 ? ipv4[level] : ipv6[level];
}

/* The scope of an address at a level, 0 the narrowest. */
static inline struct prefix scope_at(const struct address *address, unsigned level)
{
	return prefix_of(address, scope_length(address_is_ipv4(address), level));
}

static inline bool scope_is_host(const struct prefix *scope)
{
	return scope->length == (scope->is_ipv4 ? 32 : 128);
}

/* "192.0.2.10", "192.0.2.0/24" */
static inline const char *scope_format(const struct prefix *scope, char text[PREFIX_TEXT_SIZE])
{
	return scope_is_host(scope) ? address_format(&scope->address, text) : prefix_format(scope, text);
}

#endif
