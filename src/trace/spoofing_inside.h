/* SPDX-License-Identifier: Apache-2.0 */
/* Between spoofing.c, which judges, and spoofing_tests.c, which measures. */
#ifndef HOLDFAST_TRACE_SPOOFING_INSIDE_H
#define HOLDFAST_TRACE_SPOOFING_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"
#include "trace/spoofing.h"

#define SPOOFING_CROWD 500    /* sources from which on their spread says something */
#define SPOOFING_SPREAD 96    /* first octets in use of about 220 that are routed */
#define SPOOFING_LOOKED 32768 /* sources looked at one by one: an even sample where more are held */

/* In the order in which they are made and told. */
enum spoofing_kind {
	SPOOFING_HANDSHAKES,
	SPOOFING_BOGONS,
	SPOOFING_UNIFORMITY,
	SPOOFING_REPEATS,
	SPOOFING_NETWORKS,
	SPOOFING_HOPS,
	SPOOFING_DEPENDENCE,
	SPOOFING_RESETS,
	SPOOFING_CLONES,
	SPOOFING_KINDS,
};

/* What is known of a part's sources, however it was found out. */
struct spoofing_view {
	const struct window *window;
	bool tcp, ipv4;                     /* of the most sources */
	uint64_t sources, networks;         /* networks: /24, IPv6 /48 */
	const char *about;                  /* "about ", to stand before these where they are estimates; else "" */
	unsigned octets;                    /* of 256 parts of the address space that sources lie in */
	uint64_t top_ttl;                   /* packets with the most frequent TTL */
	struct roster *own;                 /* of those that are looked at, where not all are; or NULL */
	const struct roster_source *looked; /* by address */
	uint32_t looked_count;              /* 0: no roster, or no memory */
	uint32_t halvings;                  /* each stands for 2^halvings */
	uint64_t verified, verified_packets, looked_packets, looked_observed;
};

void spoofing_view_init(struct spoofing_view *view, const struct incident_part *part);
void spoofing_view_fini(struct spoofing_view *view);

/* Fills tests[0..SPOOFING_KINDS). */
void spoofing_measure(const struct spoofing_view *view, struct spoofing *spoofing);

#endif
