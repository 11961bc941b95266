/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes; see prefix.h. Inside, every length is one of 128 bits ("mapped"): an IPv4 prefix of length n
 * is one of 96 + n bits under ::ffff:0:0/96, so one mask and one comparison serve both families. The families stay
 * apart all the same: ::/0 does not hold IPv4 addresses, for nobody who writes it means them.
 */
#include "base/prefix.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#define MAPPED_OCTETS 12 /* of ::ffff:0:0/96 */
#define MAPPED_BITS 96u

static const uint8_t mapped[MAPPED_OCTETS] = { [10] = 0xff, [11] = 0xff };

struct address address_from_ipv4(const uint8_t octets[4])
{
	struct address address;

	memcpy(address.octets, mapped, MAPPED_OCTETS);
	memcpy(address.octets + MAPPED_OCTETS, octets, 4);
	return address;
}

struct address address_from_ipv6(const uint8_t octets[16])
{
	struct address address;

	memcpy(address.octets, octets, sizeof(address.octets));
	return address;
}

int address_compare(const struct address *a, const struct address *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets));
}

bool address_is_multicast(const struct address *address)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };
	const uint8_t *ipv4 = address->octets + MAPPED_OCTETS;

	if (address_is_ipv4(address))
		return ipv4[0] >> 4 == 0xe || memcmp(ipv4, broadcast, sizeof(broadcast)) == 0;
	return address->octets[0] == 0xff;
}

bool address_is_impossible_source(const struct address *address)
{
	static const uint8_t zeros[15] = { 0 }; /* of :: and ::1 */
	uint8_t first = address->octets[MAPPED_OCTETS];

	if (address_is_ipv4(address))
		return first == 0 || first == 127 || first >= 224;
	return address->octets[0] == 0xff ||
	       (memcmp(address->octets, zeros, sizeof(zeros)) == 0 && address->octets[sizeof(zeros)] <= 1);
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
	const uint8_t *octets = address->octets;
	int family = AF_INET6;

	if (address_is_ipv4(address)) {
		octets += MAPPED_OCTETS;
		family = AF_INET;
	}
	/* Fails only for an unknown family or too small a buffer; neither can be. */
	if (!inet_ntop(family, octets, text, ADDRESS_TEXT_SIZE))
		text[0] = '\0';
	return text;
}

int address_parse(const char *text, struct address *address)
{
	uint8_t octets[sizeof(address->octets)];

	if (inet_pton(AF_INET, text, octets) == 1)
		*address = address_from_ipv4(octets);
	else if (inet_pton(AF_INET6, text, octets) == 1)
		*address = address_from_ipv6(octets);
	else
		return -EINVAL;
	return 0;
}

static unsigned mapped_length(const struct prefix *prefix)
{
	return prefix->length + (prefix->is_ipv4 ? MAPPED_BITS : 0);
}

/* The first `bits` of 128, as two halves in the host's order. */
static void masks_of(unsigned bits, uint64_t mask[2])
{
	mask[0] = bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
	mask[1] = bits <= 64 ? 0 : bits >= 128 ? UINT64_MAX : UINT64_MAX << (128 - bits);
}

/* How many bits a and b have in common from the left. */
static unsigned common_bits(const struct address *a, const struct address *b)
{
	for (unsigned i = 0; i < sizeof(a->octets); i++) {
		unsigned differing = a->octets[i] ^ b->octets[i];

		if (differing)
			return 8 * i + (unsigned)__builtin_clz(differing) - 24;
	}
	return 128;
}

struct prefix prefix_of(const struct address *address, unsigned length)
{
	struct prefix prefix = { .is_ipv4 = address_is_ipv4(address) };
	unsigned longest = prefix.is_ipv4 ? 32 : 128;
	uint64_t half[2], mask[2];

	prefix.length = (uint8_t)(length < longest ? length : longest);
	masks_of(mapped_length(&prefix), mask);
	memcpy(half, address->octets, sizeof(half));
	half[0] &= htobe64(mask[0]);
	half[1] &= htobe64(mask[1]);
	memcpy(prefix.address.octets, half, sizeof(half));
	return prefix;
}

void prefix_mask(const struct prefix *prefix, uint8_t octets[16])
{
	uint64_t mask[2];

	masks_of(mapped_length(prefix), mask);
	mask[0] = htobe64(mask[0]);
	mask[1] = htobe64(mask[1]);
	memcpy(octets, mask, sizeof(mask));
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	uint64_t own[2], half[2], mask[2];

	if (prefix->is_ipv4 != address_is_ipv4(address))
		return false;
	masks_of(mapped_length(prefix), mask);
	memcpy(own, prefix->address.octets, sizeof(own));
	memcpy(half, address->octets, sizeof(half));
	return (((own[0] ^ half[0]) & htobe64(mask[0])) | ((own[1] ^ half[1]) & htobe64(mask[1]))) == 0;
}

bool prefixes_contain(const struct prefix *prefixes, size_t count, const struct address *address)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&prefixes[i], address))
			return true;
	return false;
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->is_ipv4 == inner->is_ipv4 && outer->length <= inner->length &&
	       common_bits(&outer->address, &inner->address) >= mapped_length(outer);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->is_ipv4 == b->is_ipv4 && a->length == b->length && address_equal(&a->address, &b->address);
}

struct prefix prefix_join(const struct prefix *a, const struct prefix *b)
{
	unsigned length = a->length < b->length ? a->length : b->length;
	unsigned common = common_bits(&a->address, &b->address);

	/* No prefix holds both families; the caller's mistake must not become a wrong narrow one. */
	if (a->is_ipv4 != b->is_ipv4)
		return (struct prefix){ .is_ipv4 = false };
	if (a->is_ipv4)
		common -= MAPPED_BITS;
	return prefix_of(&a->address, common < length ? common : length);
}

const char *prefix_format(const struct prefix *prefix, char text[PREFIX_TEXT_SIZE])
{
	unsigned length = prefix->length;
	char *at;

	address_format(&prefix->address, text);
	at = text + strlen(text);
	*at++ = '/';
	if (length >= 100)
		*at++ = (char)('0' + length / 100);
	if (length >= 10)
		*at++ = (char)('0' + length / 10 % 10);
	*at++ = (char)('0' + length % 10);
	*at = '\0';
	return text;
}

/* Decimal without sign, blanks or leading zeros. 0 or -EINVAL. */
static int parse_length(const char *text, unsigned longest, unsigned *length)
{
	size_t digits = strspn(text, "0123456789");
	unsigned value = 0;

	if (digits == 0 || digits > 3 || text[digits] != '\0' || (digits > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (unsigned)(text[i] - '0');
	if (value > longest)
		return -EINVAL;
	*length = value;
	return 0;
}

int prefix_parse(const char *text, struct prefix *prefix)
{
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDRESS_TEXT_SIZE];
	struct address address;
	struct prefix parsed;
	unsigned longest, length;

	if (size >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, size);
	host[size] = '\0';

	if (address_parse(host, &address) != 0)
		return -EINVAL;
	longest = strchr(host, ':') ? 128 : 32;
	length = longest;
	if (slash && parse_length(slash + 1, longest, &length) != 0)
		return -EINVAL;

	/* ::ffff:192.0.2.0/120 is 192.0.2.0/24 in other words; shorter than 96 it would have host bits set. */
	if (longest == 128 && address_is_ipv4(&address)) {
		if (length < MAPPED_BITS)
			return -EINVAL;
		length -= MAPPED_BITS;
	}
	parsed = prefix_of(&address, length);
	if (!address_equal(&parsed.address, &address))
		return -EINVAL;
	*prefix = parsed;
	return 0;
}
