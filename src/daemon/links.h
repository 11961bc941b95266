/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How full the links are, from what interfaces have counted at two moments. Pure.
 *
 * On the wire a frame takes LINKS_FRAME_OCTETS more than drivers count: preamble, checksum, gap. A link is full where
 * it carries LINKS_FULL_PERCENT of what it can, or where one arriving frame in LINKS_LOST_SHARE and LINKS_LOST_PPS of
 * them are lost before any program sees them; for LINKS_FULL_AFTER readings in a row. It is so until LINKS_FREE_AFTER
 * readings in a row say otherwise.
 */
#ifndef HOLDFAST_DAEMON_LINKS_H
#define HOLDFAST_DAEMON_LINKS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/message.h"

#define LINKS_FRAME_OCTETS 24
#define LINKS_FULL_PERCENT 95
#define LINKS_LOST_PPS 100
#define LINKS_LOST_SHARE 1000
#define LINKS_FULL_AFTER 2
#define LINKS_FREE_AFTER 10

struct link_state {
	struct shield_link latest;
	bool has_rates;
	uint64_t pps, bps, lost_pps; /* bps: of frames, as counted */
	int percent;                 /* of what the link can carry; -1 where its speed is not known */
	bool full;
	bool turned;     /* full or free since the reading before */
	unsigned streak; /* readings in a row that speak against `full` as it is */
};

struct links {
	int64_t monotonic_ns; /* of the latest reading */
	unsigned count;
	struct link_state states[SHIELD_INTERFACES_MAX];
};

/* Takes a reading; those that come within a tenth of a second of the one before are passed over: false. */
bool links_take(struct links *links, const struct message_links *reading);

#endif
