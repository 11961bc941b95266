/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a predicate is made of, for those that test it: nodes in the order in which they are worked out, operands before
 * what joins them ("a and not b" is a, b, not, and). So nobody who walks it needs to call himself.
 */
#ifndef HOLDFAST_TRACE_PREDICATE_INSIDE_H
#define HOLDFAST_TRACE_PREDICATE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/predicate.h"

#define PREDICATE_NODES_MAX (2 * PREDICATE_TERMS_MAX + PREDICATE_DEPTH_MAX)
#define PREDICATE_NAME_SIZE 64

/* clang-format off */
enum predicate_kind {
	PREDICATE_AND, PREDICATE_OR, PREDICATE_NOT, /* join the two nodes, or turn the one, that were worked out last */
	PREDICATE_SHARE, PREDICATE_COUNT, PREDICATE_FAMILY, PREDICATE_SPOOFED, PREDICATE_COORDINATED, PREDICATE_AMPLIFIED,
	PREDICATE_SIZE_BPS, PREDICATE_SIZE_PPS, PREDICATE_DURATION, PREDICATE_COST,
	PREDICATE_OUTAGE, PREDICATE_OUTAGE_WITHIN, PREDICATE_OUTAGE_LENGTH, PREDICATE_CAUSE, PREDICATE_ACTOR,
};
enum predicate_compare { PREDICATE_AT_LEAST, PREDICATE_AT_MOST, PREDICATE_ABOVE, PREDICATE_BELOW, PREDICATE_EQUAL };
enum predicate_key { PREDICATE_COUNTRY, PREDICATE_NETWORK, PREDICATE_VECTOR, PREDICATE_MARKS };
enum predicate_counted {
	PREDICATE_SOURCES, PREDICATE_PACKETS, PREDICATE_NETWORKS, PREDICATE_COUNTRIES, PREDICATE_DEVICES, PREDICATE_WAVES,
	PREDICATE_VECTORS,
};
enum predicate_cause { PREDICATE_ATTACK, PREDICATE_CHANGE, PREDICATE_PROVIDER, PREDICATE_UNKNOWN };
/* clang-format on */

/* mantissa * 10^exponent, without zeros at the end of the mantissa, which has 15 digits at most. */
struct predicate_number {
	uint64_t mantissa;
	int exponent;
};

struct predicate_time {
	bool dated; /* `ns` is since the Unix epoch; else since midnight, UTC */
	int64_t ns;
};

struct predicate_node {
	enum predicate_kind kind;
	enum predicate_compare compare;
	enum predicate_key key;         /* SHARE; its value in `name` or `network` */
	bool by_packets;                /* SHARE */
	enum predicate_counted counted; /* COUNT */
	enum predicate_cause cause;     /* CAUSE */
	uint32_t network;
	struct predicate_number number;
	double value;                   /* of `number`: a share 0..1, bit/s, packets/s, dollars; seconds of durations */
	int64_t duration_ns;            /* DURATION, OUTAGE_LENGTH */
	struct predicate_time from, to; /* OUTAGE_WITHIN */
	char name[PREDICATE_NAME_SIZE]; /* country in capitals, vector, family, actor */
	uint32_t text_at, text_length;  /* the term's own text in predicate_text() */
};

struct predicate {
	uint32_t count;
	struct predicate_node nodes[PREDICATE_NODES_MAX];
	char text[PREDICATE_TEXT_MAX + 1];
};

bool predicate_joins(const struct predicate_node *node); /* and, or, not: no term */

#endif
