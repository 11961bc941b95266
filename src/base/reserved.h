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

static inline enum reserved reserved_address(const struct address *address)
{
	const uint8_t *a = address->octets + 12;

	if (!address_is_ipv4(address))
		return (address->octets[0] & 0xe0) == 0x20 ? RESERVED_NOT : RESERVED_LOCAL;
	switch (a[0]) {
	case 0:
	case 10:
	case 127:
		return RESERVED_LOCAL;
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
		return a[0] >= 224 ? RESERVED_LOCAL : RESERVED_NOT;
	}
}

#endif
