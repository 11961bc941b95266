/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident: one attack on one scope, with its waves and vectors. It begins with the first packet of its first wave,
 * holds many waves, and ends when none has come for INCIDENT_QUIET_NS.
 */
#ifndef HOLDFAST_DETECT_INCIDENT_H
#define HOLDFAST_DETECT_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "detect/http.h"
#include "detect/vector.h"
#include "measure/roster.h"
#include "measure/timeline.h"
#include "measure/window.h"

#define INCIDENT_PARTS_MAX 16 /* vectors of one incident */
#define INCIDENT_WAVES_MAX 256
#define INCIDENT_SAMPLE 8192 /* packets sampled per vector */
#define INCIDENT_QUIET_NS (300 * NS_PER_S)
#define INCIDENT_SLOTS 128 /* a power of two */

struct wave {
	struct capture_time began, ended; /* first and last packet; ended is the last seen so far while open */
	bool open;                        /* was still going on when the input ended */
	uint64_t packets, bytes;
	uint64_t peak_packets, peak_bytes; /* in one 100 ms slot */
};

/* One vector's share of an incident. */
struct incident_part {
	uint8_t kind;           /* enum vector_id or a reflection's row */
	struct window *window;  /* owned */
	struct roster *roster;  /* its sources one by one; owned; NULL where there is no memory, and of scans */
	struct http_facts http; /* VECTOR_APPLICATION: what is known beside the packets */
};

struct incident {
	uint64_t id; /* from what it was when it began: the same capture gives the same id, and it stays */
	struct prefix scope;
	struct capture_time began, detected;
	struct capture_time ended; /* last packet of the last wave */
	bool open;                 /* the input ended before the attack did */
	bool is_scan;
	uint32_t parts_count;
	struct incident_part parts[INCIDENT_PARTS_MAX]; /* largest first, once finished */
	uint32_t parts_lost;                            /* vectors beyond INCIDENT_PARTS_MAX */
	uint32_t waves_count;
	struct wave waves[INCIDENT_WAVES_MAX];
	uint32_t waves_lost; /* joined into the last */
	uint64_t packets, bytes;
	uint64_t peak_packets, peak_bytes; /* in one 100 ms slot */
	struct timeline timeline;          /* its packets, by their own time; of vectors let go as noise too */
	/* While it is being watched: */
	bool wave_open;
	bool sealed;  /* takes no more waves */
	bool patient; /* slow by nature: a wave may pause for long, and every packet keeps it going */
	struct capture_time last_hot;
	int32_t absorbed_by; /* -1, or the incident that this one became part of */
	struct incident_slot {
		int64_t slot;
		uint64_t packets;
		uint64_t bytes;
	} slots[INCIDENT_SLOTS];
};

/* With its parts. */
void incident_free(struct incident *incident);
/* Whether it takes no more waves at this time. */
bool incident_is_over(const struct incident *incident, struct capture_time now);
/* The index of its part of a kind, or -1. */
int32_t incident_find_part(const struct incident *incident, uint8_t kind);
/* Whether all its vectors are of VECTOR_APPLICATION. */
bool incident_is_application(const struct incident *incident);
/* What is known of a part beside its packets; of several times the worst is kept. */
void incident_part_tell(struct incident_part *part, const struct http_facts *facts);
/* The packets of `from` are those of `into` too; what `from` owned is freed. Their waves are numbered alike. */
void incident_part_merge(struct incident_part *into, struct incident_part *from);
/* What it owns. */
void incident_part_fini(struct incident_part *part);
/* Joins `from` into `into`: waves, vectors, counts. `from` is emptied. */
void incident_absorb(struct incident *into, struct incident *from);
/* All parts' windows merged into one; NULL where there is no memory. The caller frees it with window_free(). */
struct window *incident_window(const struct incident *incident);

/* How many different addresses sent packets, and in how many networks (/24, IPv6 /48) they are. */
struct incident_sources {
	uint64_t count, networks;
	/* standard error of `count`, a share of it; 0: both were counted one by one. That of `networks` is
	 * HLL_RELATIVE_ERROR_PPM else */
	uint32_t error_ppm;
};

/*
 * Counted where the roster holds every source and every packet was looked at, none standing for others. Where there are
 * too many to hold, the even sample of them that is held says how many, if it is large enough to know better than
 * HyperLogLog. Of several parts, whose windows are merged in `total`, a source that took part in two counts once.
 */
struct incident_sources incident_part_sources(const struct incident_part *part);
struct incident_sources incident_sources(const struct incident *incident, const struct window *total);
/* The standard error, as a share of it, of a number of sources of which an even sample has so many; rounded up. */
uint32_t incident_sample_error_ppm(uint64_t held);

#endif
