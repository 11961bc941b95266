/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses that are nobody's on the Internet: RFC 6890 and its updates, multicast (RFC 5771), reserved (RFC 1112); of
 * IPv6 all but 2000::/3 (RFC 4291, IANA). Asked for each packet, hence no search in a list.
 */
#ifndef HOLDFAST_BASE_RESERVED_H
#define HOLDFAST_BASE_RESERVED_H

#include "base/prefix.h"

enum reserved {
	RESERVED_NOT,
	RESERVED_LOCAL,   /* of a host, a link, a site, a provider, or no host's at all */
	RESERVED_EXAMPLE, /* for documents (RFC 5737) and for measuring devices (RFC 2544) */
};

/*
 * Of IPv4, whether addresses with such a first octet are or may be reserved. Octets of a flood are as good as random:
 * what is found by comparing them is guessed wrong half of the time, a bit is not.
 */
static inline bool reserved_begins(uint8_t octet)
{
	static const uint64_t octets[] = {
		1ull << 0 | 1ull << 10,
		1ull << (100 - 64) | 1ull << (127 - 64),
		1ull << (169 - 128) | 1ull << (172 - 128),
		1ull << (192 - 192) | 1ull << (198 - 192) | 1ull << (203 - 192) | UINT64_MAX << (224 - 192),
	};

	return octets[octet / 64] >> octet % 64 & 1;
}

static inline enum reserved reserved_address(const struct address *address)
{
	const uint8_t *a = address->octets + 12;

	if (!address_is_ipv4(address))
		return (address->octets[0] & 0xe0) == 0x20 ? RESERVED_NOT : RESERVED_LOCAL;
	if (!reserved_begins(a[0]))
		return RESERVED_NOT;
	switch (a[0]) {
	case 100: /* 100.64.0.0/10 */
		return (a[1] & 0xc0) == 64 ? RESERVED_LOCAL : RESERVED_NOT;
	case 169: /* 169.254.0.0/16 */
		return a[1] == 254 ? RESERVED_LOCAL : RESERVED_NOT;
	case 172: /* 172.16.0.0/12 */
		return (a[1] & 0xf0) == 16 ? RESERVED_LOCAL : RESERVED_NOT;
	case 192: /* 192.168.0.0/16, 192.0.0.0/24; 192.0.2.0/24 */
		if (a[1] == 168 || (a[1] == 0 && a[2] == 0))
			return RESERVED_LOCAL;
		return a[1] == 0 && a[2] == 2 ? RESERVED_EXAMPLE : RESERVED_NOT;
	case 198: /* 198.18.0.0/15, 198.51.100.0/24 */
		return (a[1] & 0xfe) == 18 || (a[1] == 51 && a[2] == 100) ? RESERVED_EXAMPLE : RESERVED_NOT;
	case 203: /* 203.0.113.0/24 */
		return a[1] == 0 && a[2] == 113 ? RESERVED_EXAMPLE : RESERVED_NOT;
	default:
		return RESERVED_LOCAL; /* 0.0.0.0/8, 10.0.0.0/8, 127.0.0.0/8, 224.0.0.0/3 */
	}
}

#endif
