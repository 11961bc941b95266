/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections to this host's own services, as samples show them: which came about, and which clients gave up on. A
 * client that gets no answer asks again, with the same SYN, a second later and on (RFC 6298): one that has asked
 * WATCH_ATTEMPTS_ASKED times, and of which no handshake came within WATCH_ATTEMPTS_NS of the last time, has failed. A
 * flood of SYNs whose sources, ports or numbers are made up asks nothing twice, and so fails nobody here; who does ask
 * again is still to be known to the service from peace before it counts (shield_is_known()).
 *
 * That takes every packet. Where the shield samples, nothing is known, and nothing is said, until
 * WATCH_ATTEMPTS_BLIND_NS after.
 *
 * Attempts are in a table of fixed size: in a line that is full a newcomer takes the place of the longest silent of
 * those who have asked once, and where there is none it is refused.
 */
#ifndef HOLDFAST_DAEMON_WATCH_ATTEMPTS_H
#define HOLDFAST_DAEMON_WATCH_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "observe/observation.h"

#define WATCH_ATTEMPTS_BITS 16 /* 65,536 slots, of 48 octets */
#define WATCH_ATTEMPTS_LANES 8 /* in a line */
#define WATCH_ATTEMPTS_ASKED 3
#define WATCH_ATTEMPTS_APART_NS (800 * (int64_t)NS_PER_MS) /* what comes sooner is a copy */
#define WATCH_ATTEMPTS_NS (10 * NS_PER_S)
#define WATCH_ATTEMPTS_BLIND_NS (10 * NS_PER_S)

struct watch_attempts; /* opaque */

struct watch_attempts_counts {
	uint64_t pushed_out, refused; /* attempts */
	uint64_t blind;               /* times that samples began to stand for more than one packet */
};

/* `seed`: secret. -ENOMEM. */
int watch_attempts_new(uint64_t seed, struct watch_attempts **table);
void watch_attempts_free(struct watch_attempts *table);
/*
 * A packet that arrived for a local service. Whether a connection came about by it. `now_ns`: a clock that only grows.
 */
bool watch_attempts_note(struct watch_attempts *table, const struct observation *observation, unsigned service,
                         int64_t now_ns);
/* Once a second or so: calls `failed` for each client that has given up. */
void watch_attempts_sweep(struct watch_attempts *table, int64_t now_ns,
                          void (*failed)(void *context, unsigned service, const struct address *source), void *context);
/* Services are others. */
void watch_attempts_clear(struct watch_attempts *table);
struct watch_attempts_counts watch_attempts_counts(const struct watch_attempts *table);

#endif
