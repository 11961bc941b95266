/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which service a packet is for, from the table in the map `services`. */
#ifndef HOLDFAST_BPF_SERVICE_H
#define HOLDFAST_BPF_SERVICE_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

/* A bit's number, by a De Bruijn sequence, for there is no instruction for it. */
static const __u8 bit_number[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

PARSE_INLINE __u32 lowest_bit(__u64 bits)
{
	return bit_number[((bits & -bits) * 0x03f79d71b4cb0a89ULL) >> 58];
}

/* The two words of an address as they lie in memory; keys are aligned to 8. */
PARSE_INLINE const __u64 *words(const __u8 address[16])
{
	return (const __u64 *)(const void *)address;
}

/*
 * Functions marked APART are verified once and by themselves, whatever calls them: what they are called from is no
 * harder to verify for the loops in them. The verifier lets their pointers be NULL, so they ask.
 */
#define APART __attribute__((noinline))
#define SHARED __attribute__((noinline, weak)) /* the same, and one for all programs */

PARSE_INLINE int port_holds(const struct shield_service_ports *ports, const struct shield_key *key)
{
	__u16 port = key->field[SHIELD_F_DST_PORT];

	return ports->protocol == key->field[SHIELD_F_PROTOCOL] && port >= ports->low && port <= ports->high;
}

SHARED int ports_hold(const struct shield_services *table, const struct shield_key *key, __u32 first, __u32 count)
{
	if (!table || !key)
		return 0;
	for (__u32 i = 0; i < SHIELD_SERVICE_PORTS_MAX && i < count; i++)
		if (port_holds(&table->ports[(first + i) & (SHIELD_SERVICE_PORTS_MAX - 1)], key))
			return 1;
	return 0;
}

PARSE_INLINE const struct shield_service_prefix *first_prefix(const struct shield_services *table, __u64 candidates)
{
	return &table->prefixes[lowest_bit(candidates) & (SHIELD_SERVICE_PREFIXES_MAX - 1)];
}

SHARED int search_services(const struct shield_services *table, const struct shield_key *key)
{
	const __u64 *dst;
	__u64 candidates;

	if (!table || !key)
		return SHIELD_SERVICE_NONE;
	dst = words(key->dst);
	candidates = table->by_dst[shield_fold(dst)];
	for (int i = 0; i < SHIELD_SERVICE_PREFIXES_MAX && candidates; i++) {
		const struct shield_service_prefix *prefix = first_prefix(table, candidates);

		candidates &= candidates - 1;
		if (shield_prefix_holds(prefix->mask, prefix->value, dst) &&
		    (prefix->ports == 0 || ports_hold(table, key, prefix->first_port, prefix->ports)))
			return prefix->service & (SHIELD_SERVICES_MAX - 1);
	}
	return SHIELD_SERVICE_NONE;
}

/* The first prefix, and the first of its ranges of ports, in place: a call costs as much as what it does. */
PARSE_INLINE int service_of(const struct shield_services *table, const struct shield_key *key)
{
	__u64 candidates = table->by_dst[shield_fold(words(key->dst))];
	const struct shield_service_prefix *prefix;

	if (!candidates)
		return SHIELD_SERVICE_NONE;
	prefix = first_prefix(table, candidates);
	if (shield_prefix_holds(prefix->mask, prefix->value, words(key->dst)) &&
	    (prefix->ports == 0 || port_holds(&table->ports[prefix->first_port & (SHIELD_SERVICE_PORTS_MAX - 1)], key)))
		return prefix->service & (SHIELD_SERVICES_MAX - 1);
	return search_services(table, key);
}

#endif
