/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources of a vector, one by one: who sent how much, when, in which waves, and what its packets had in common. As
 * long as there is room it holds every source; beyond that an even sample of them: those whose hash lies below a
 * threshold that halves each time the room runs out (adaptive sampling; Wegman, in Flajolet, Computing 43, 1990). A
 * source that is held has been counted from its first packet on, so what is said of it is exact; sums over all sources
 * are those over the held ones, times 2^`halvings`.
 *
 * Which sources are held depends on the sources alone, not on the order of packets. Two rosters merge into that of all
 * packets, but for wave numbers, which the caller says.
 */
#ifndef HOLDFAST_MEASURE_ROSTER_H
#define HOLDFAST_MEASURE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/keys.h"
#include "observe/observation.h"

#define ROSTER_MAX 262144 /* sources held by all rosters of an engine together; struct roster has its share */
#define ROSTER_MIN 128    /* … and never less than this */
#define ROSTER_WAVES 32   /* waves told apart; later ones count as the last */

enum roster_mark {
	ROSTER_VERIFIED = 1 << 0,  /* completed a handshake, or was answered and went on: it receives what we send */
	ROSTER_RESET = 1 << 1,     /* reset a connection it had not asked for: a live address that somebody borrowed */
	ROSTER_MIXED_TTL = 1 << 2, /* these differ between packets: */
	ROSTER_MIXED_MSS = 1 << 3,
	ROSTER_MIXED_TSVAL = 1 << 4,
};

struct roster_source {
	struct address address;
	uint64_t packets, octets; /* estimates where packets are sampled: sums of weights */
	int64_t first_ns, last_ns;
	uint32_t waves;    /* bit i: seen in wave i; bit 31: in the 32nd or a later one */
	uint32_t tsval;    /* of the first packet that has it, 0: none */
	uint32_t observed; /* packets that were looked at, not weighted */
	uint16_t mss;      /* likewise */
	uint8_t ttl;       /* of the first packet; of several of one time the lowest */
	uint8_t marks;     /* enum roster_mark */
};

struct roster; /* opaque */

/* NULL where there is no memory. It grows with use, up to `max` sources. */
struct roster *roster_new(uint32_t max);
void roster_free(struct roster *roster);
/* `wave`: counted from 0. A packet that there is no memory for is counted in roster_lost(). */
void roster_add(struct roster *roster, const struct observation *observation, const struct keys *keys, uint32_t wave);
/* The source of an observation has earned these marks; nothing where it is not held. */
void roster_mark(struct roster *roster, const struct observation *observation, const struct keys *keys, unsigned marks);
/* `from`'s wave 0 is `shift` of `into`. `from` is left as it was. */
void roster_merge(struct roster *into, const struct roster *from, uint32_t shift);
/* What was wave i is wave to[i] from now on. */
void roster_renumber(struct roster *roster, const uint8_t to[ROSTER_WAVES]);
/* From now on it holds at most `max`; halves until it does. */
void roster_limit(struct roster *roster, uint32_t max);

/* Those that are held, in the order of their addresses. Valid until the roster changes. 0 or -ENOMEM. */
int roster_sources(struct roster *roster, const struct roster_source **sources, uint32_t *count);
uint32_t roster_held(struct roster *roster);     /* how many */
uint32_t roster_halvings(struct roster *roster); /* each source held stands for 2^halvings; 0: all are held */
uint64_t roster_lost(struct roster *roster);
/* Whether sources[i], as roster_sources() lists them, is one that is held after so many halvings, up to 63. */
bool roster_keeps(const struct roster *roster, uint32_t i, uint32_t halvings);

#endif
