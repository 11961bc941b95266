/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The latest suspicious packets, kept so that an incident begins with its first packet, and so that what raised an
 * alarm can be looked at again. A packet becomes part of one incident at most, and of one scan at most.
 *
 * What is looked at again and again fits on a cache line. The whole packet lies beside it, unless an incident took it
 * at once: then nobody will ask for it any more, and under a flood that is nearly all.
 */
#ifndef HOLDFAST_DETECT_RECENT_H
#define HOLDFAST_DETECT_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "observe/observation.h"

#define RECENT_MAX 16384
#define SURVEY_SMALL 64 /* octets: what a connection says to be kept, encrypted or not */

struct recent {
	struct capture_time time;
	struct address src, dst;
	uint32_t weight;
	uint16_t src_port, dst_port;
	uint16_t payload_length;
	uint8_t kind;
	bool taken;  /* part of an incident; see recent_take() */
	bool again;  /* the tunnel packet around the one before: the same packet */
	bool probed; /* part of a scan, which may yet turn out to be a flood */
};

struct recent_ring {
	uint64_t seed; /* of the survey's estimates */
	uint64_t pushed;
	uint64_t surveys_lost;           /* not made for want of memory */
	uint32_t untaken[UINT8_MAX + 1]; /* packets in it of each kind that no incident has taken */
	struct recent packets[RECENT_MAX];
	struct observation whole[RECENT_MAX]; /* of those that were not taken when they came */
};

/* What the kept packets of one kind towards one scope have in common. */
struct survey {
	uint64_t taken;   /* packets that are part of an incident already; not in what follows */
	uint64_t packets; /* that they stand for */
	uint64_t seen;    /* themselves: what of distinct things there can be at most */
	uint64_t sources, destinations, ports, source_ports;
	uint64_t pairs;      /* of destination and port */
	uint64_t impossible; /* packets from addresses that nobody can have */
	uint64_t system;     /* packets from ports that no client is given */
	uint64_t small;      /* packets with SURVEY_SMALL octets at most, or none */
	uint64_t
		shared_source_port; /* packets from the most used one, where it is not the most used destination port */
	uint16_t source_port;       /* … that port */
	uint64_t payload;           /* octets */
	int64_t span_ns;            /* from the first to the last */
	uint64_t heaviest_source, heaviest_destination; /* packets, at least */
};

/* Empty. */
void recent_init(struct recent_ring *ring, uint64_t seed);
/* Forgets the packets: the clock has jumped. */
void recent_clear(struct recent_ring *ring);
void recent_push(struct recent_ring *ring, const struct observation *observation, uint8_t kind, bool taken);
uint64_t recent_count(const struct recent_ring *ring);
/* The packet so many before the latest, which is 0; less than recent_count(). */
struct recent *recent_at(struct recent_ring *ring, uint64_t back);
/* The whole of one that was not taken when it was pushed. */
const struct observation *recent_whole(const struct recent_ring *ring, uint64_t back);
/* It is part of an incident now, in which it counts once: inside its tunnel or as the tunnel's packet. */
void recent_take(struct recent_ring *ring, uint64_t back);
/* Whether it holds any packet of a kind that no incident has taken. */
bool recent_any_untaken(const struct recent_ring *ring, uint8_t kind);
/* Whether the ring still holds what came at that time. */
bool recent_reaches_back(const struct recent_ring *ring, int64_t ns);
/* The time of the first one that no incident has taken; false where none is kept. */
bool recent_first(const struct recent_ring *ring, const struct prefix *scope, uint8_t kind, int64_t from_ns,
                  struct capture_time *first);
/* All zero where there is no memory for it, which is counted. */
void recent_survey(struct recent_ring *ring, const struct prefix *scope, uint8_t kind, int64_t since_ns,
                   struct survey *survey);

#endif
