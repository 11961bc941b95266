/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source of a service sends in peace: of how many packets a second all but one in a thousand seconds of a source
 * are, and how many there are of all sources together. A limit can be made of it where nothing tells an attack's
 * packets from users'.
 *
 * Each second the packets of each source are counted, an IPv6 /64 being one, apart for TCP, UDP and the rest; then it
 * is forgotten who they were, and the counts go into a histogram of quarters of an octave: 64 numbers a service and
 * class, however many sources there are. Old seconds weigh less as new ones come (at QUOTA_COUNTED_MAX all is halved).
 *
 * Poisoning. What came in the last QUOTA_WAIT_S seconds waits, and is thrown away when the service is found to be under
 * attack; until that is over nothing is learned. Once it has been learned for QUOTA_SETTLED_S, what is said of it rises
 * by QUOTA_DRIFT_PERCENT an hour at most, whatever comes, and may fall freely.
 */
#ifndef HOLDFAST_MEASURE_QUOTA_H
#define HOLDFAST_MEASURE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/prefix.h"

#define QUOTA_SERVICES_MAX 64
#define QUOTA_SOURCES_MAX 8192 /* of a second, of all services together: the first that come */
#define QUOTA_WAIT_S 10
#define QUOTA_LEAST 1000             /* seconds of a source, before anything is said … */
#define QUOTA_LEAST_S 30             /* … and of the service */
#define QUOTA_COUNTED_MAX (1u << 22) /* seconds of a source; as many of the service would be 48 days */
#define QUOTA_SETTLED_S 86400
#define QUOTA_DRIFT_PERCENT 10

enum quota_class { QUOTA_TCP, QUOTA_UDP, QUOTA_REST, QUOTA_CLASSES };
#define QUOTA_BINS 64                                /* 1, 2, 3, then four an octave; the last holds all that is more */
#define QUOTA_PACKED_MAX (2 * (QUOTA_BINS + 2) * 10) /* octets */

struct quotas; /* opaque: 0.2 MB, and 4 KB a service */

/* NULL where there is no memory. The seed is a secret where those who send could choose their addresses by it. */
struct quotas *quotas_new(unsigned services, uint64_t seed);
void quotas_free(struct quotas *quotas);
/* Packets of a source to a service; seconds come in their order, and what is late counts for the present one. */
void quotas_count(struct quotas *quotas, unsigned service, enum quota_class class, const struct address *src,
                  uint32_t packets, int64_t second);
/* That second has begun, whoever sends. */
void quotas_advance(struct quotas *quotas, int64_t second);
/* A service is under attack, or no more. */
void quotas_freeze(struct quotas *quotas, unsigned service, bool attacked);
/* Throws away what waits: what is left is what quotas_pack() writes. */
void quotas_settle(struct quotas *quotas);
/* Packets of sources for which their second had no room, in all. */
uint64_t quotas_refused(const struct quotas *quotas);

/* Packets a second that 999 of 1,000 seconds of a source do not exceed; 0: too little is known. */
uint32_t quotas_of_source(const struct quotas *quotas, unsigned service, enum quota_class class);
/* … and 99 of 100 seconds of the service. */
uint32_t quotas_of_all(const struct quotas *quotas, unsigned service, enum quota_class class);

/* One service's and class's, as octets; `at` has room for QUOTA_PACKED_MAX. What cannot be one fails the cursor. */
size_t quotas_pack(const struct quotas *quotas, unsigned service, enum quota_class class, uint8_t *at);
void quotas_unpack(struct cursor *cursor, struct quotas *quotas, unsigned service, enum quota_class class);

/* In which bin a number of packets is, from 1 on, and the most that is in it. */
unsigned quota_bin(uint64_t packets);
uint32_t quota_bin_most(unsigned bin);

#endif
