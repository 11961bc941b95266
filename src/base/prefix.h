/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes of both families in one shape: 16 octets in network order, IPv4 as IPv4-mapped IPv6
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). Lengths are stated in the family's own terms: 0..32 or 0..128.
 */
#ifndef HOLDFAST_BASE_PREFIX_H
#define HOLDFAST_BASE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct address {
	uint8_t octets[16];
};

struct prefix {
	struct address address; /* host bits are zero */
	uint8_t length;         /* 0..32 for IPv4, 0..128 for IPv6 */
	bool is_ipv4;
};

#define ADDRESS_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_SIZE 50

/* Octets in network order; IPv4 becomes IPv4-mapped. */
struct address address_from_ipv4(const uint8_t octets[4]);
struct address address_from_ipv6(const uint8_t octets[16]);
/* <0, 0, >0 in network order, so IPv4 sorts as one block. */
int address_compare(const struct address *a, const struct address *b);
/* Sources that no network anywhere can have: 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/3, ::/128, ::1, ff00::/8. */
bool address_is_impossible_source(const struct address *address);
bool address_is_multicast(const struct address *address); /* 224.0.0.0/4, 255.255.255.255, ff00::/8 */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* "192.0.2.10", "2001:db8::1", as inet_pton() reads them. 0 or -EINVAL. */
int address_parse(const char *text, struct address *address);

static inline bool address_is_ipv4(const struct address *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(address->octets, mapped, sizeof(mapped)) == 0;
}

static inline bool address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

/* The prefix of `length` (family's own terms) that holds `address`; length is clamped to the family's. */
struct prefix prefix_of(const struct address *address, unsigned length);
/* Which bits of an address in the shape above a prefix of its family decides: ones, then zeros. */
void prefix_mask(const struct prefix *prefix, uint8_t octets[16]);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
/* Whether any of them does. */
bool prefixes_contain(const struct prefix *prefixes, size_t count, const struct address *address);
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* The longest prefix that holds both, which must be of one family. */
struct prefix prefix_join(const struct prefix *a, const struct prefix *b);
/* "192.0.2.10/32", "2001:db8::/48". */
const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE]);
/* "192.0.2.0/24", "192.0.2.10" (a host), "2001:db8::/32". Host bits set is an error. 0 or -EINVAL. */
int prefix_parse(const char *text, struct prefix *prefix);

#endif
