/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose packets rules and limits drop, as samples show it: sources, an IPv4 address or an IPv6 /64 each, in a table of
 * fixed size. One is listed that was seen in two different seconds, until it has not been seen for WATCH_DROPPED_S.
 * Sources that are made up at random come once: in a line that is full the newcomer takes the place of the longest
 * silent of those, and where there is none it is refused. So a flood of forged sources costs nothing but the memory
 * that is there, and pushes out its own.
 *
 * The block list is no business of this table: it is asked itself.
 */
#ifndef HOLDFAST_DAEMON_WATCH_DROPPED_H
#define HOLDFAST_DAEMON_WATCH_DROPPED_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"
#include "base/prefix.h"

#define WATCH_DROPPED_BITS 16 /* 65,536 slots, of 24 octets */
#define WATCH_DROPPED_LANES 8 /* in a line */
#define WATCH_DROPPED_S 300
#define WATCH_DROPPED_V6 64

struct watch_dropped; /* opaque */

struct watch_dropped_counts {
	uint64_t pushed_out; /* sources that had been seen once */
	uint64_t refused;    /* that found a line full of those seen again and again */
};

/* `seed`: secret, or sources could be chosen that fall together. -ENOMEM. */
int watch_dropped_new(uint64_t seed, struct watch_dropped **table);
void watch_dropped_free(struct watch_dropped *table);
/* Whether a sample says that a rule or a limit has dropped the packet, and not only would have. */
bool watch_dropped_counts_as(const struct shield_sample *sample);
/* `now_s`: seconds of any clock that only grows. */
void watch_dropped_note(struct watch_dropped *table, const struct address *source, uint32_t now_s);
/* Nobody is. */
void watch_dropped_clear(struct watch_dropped *table);
/* Calls `each` for every one that is listed, in no order; stops where it returns not 0, and returns that. */
int watch_dropped_each(const struct watch_dropped *table, uint32_t now_s,
                       int (*each)(void *context, const struct prefix *prefix), void *context);
struct watch_dropped_counts watch_dropped_counts(const struct watch_dropped *table);

#endif
