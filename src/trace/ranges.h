/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a database says of every address, as a table: where a range begins, and its value, which holds to where the next
 * begins. Built once from prefixes or ranges in ascending order; equal neighbours become one. A value is a number whose
 * meaning is the caller's; 0 is "nothing is said". IPv4 and IPv6 apart.
 *
 * Once all is added it is packed, for it stays as long as who asks: of a range of IPv4 where it begins in its /16, of
 * one of IPv6 the higher half of where it begins, and the lower one only where there is a table with one; values in two
 * octets where all have room in them. That is 4 or 6 octets, and 10 or 12 (18 or 20).
 *
 * An IPv4 look-up takes the bounds from an index by the highest 16 bits and searches between them. One of IPv6 searches
 * every 64th range first, which are few enough to stay in a cache.
 */
#ifndef HOLDFAST_TRACE_RANGES_H
#define HOLDFAST_TRACE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "trace/mmdb.h"

#define RANGES_MAX (4U << 20) /* of each family: while it is built 32 MiB of IPv4, 96 MiB of IPv6 */
#define RANGES_STRIDE 64
#define RANGES_INDEX ((1U << 16) + 1)

struct range4 {
	uint32_t first, value;
};

struct range6 {
	struct mmdb_address first;
	uint32_t value;
};

/* One of them is NULL. */
struct ranges_values {
	uint16_t *narrow;
	uint32_t *wide;
};

struct ranges {
	uint32_t count4, count6;
	/* While it is built: */
	struct range4 *of4;
	struct range6 *of6;
	uint32_t room4, room6;
	uint64_t next4; /* behind all that was added */
	struct mmdb_address next6;
	bool full6; /* nothing is behind it */
	/* Afterwards: */
	uint32_t from4;              /* where the first range of all begins */
	uint16_t *first4;            /* the lower half of where each begins */
	uint32_t *index;             /* which range holds the first address of each /16; of the end, the last one */
	uint64_t *high6, *low6;      /* where each begins; low6 NULL: all lower halves are 0 */
	struct mmdb_address *coarse; /* where every RANGES_STRIDE-th range of IPv6 begins */
	struct ranges_values values4, values6;
	uint32_t aliases_count;
	struct mmdb_alias aliases[MMDB_ALIASES_MAX + 1];
};

/*
 * [first, last], both of one family and behind all that was added of it: -EINVAL where it is not; -E2BIG beyond
 * RANGES_MAX; -ENOMEM. What lies between what is added has value 0.
 */
int ranges_add4(struct ranges *ranges, uint32_t first, uint32_t last, uint32_t value);
int ranges_add6(struct ranges *ranges, const struct mmdb_address *first, const struct mmdb_address *last,
                uint32_t value);
/* -E2BIG where there are too many. */
int ranges_add_alias(struct ranges *ranges, const struct mmdb_alias *alias);
/*
 * All is added, and from now on it can be asked. 0; -ENOMEM; -E2BIG: there are RANGES_MAX already, and what lies behind
 * them, of which nothing is said, would be one more.
 */
int ranges_finish(struct ranges *ranges);
void ranges_fini(struct ranges *ranges);
uint32_t ranges_find(const struct ranges *ranges, const struct address *address);

#endif
