/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides from counts which scopes are under attack, and keeps the incidents. Pure: time comes with the observations.
 *
 * Evidence is looked for at the address, and at two sizes of network around it for attacks that are spread thin; a
 * network is the target only where no single address of it explains half.
 */
#ifndef HOLDFAST_DETECT_DETECTOR_H
#define HOLDFAST_DETECT_DETECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"
#include "detect/scope.h"
#include "measure/track.h"

#define DETECTOR_PENDING_MAX 256

struct detector; /* opaque */

struct detector_counters {
	uint64_t pending_refused;   /* beyond DETECTOR_PENDING_MAX: assessed with the next packet, or at the end */
	uint64_t incidents_refused; /* beyond INCIDENT_LIST_MAX, or no memory */
	uint64_t no_memory; /* second looks that were not taken and scopes that were not narrowed for want of it */
};

/* `seed` is the one that keys are made with. */
struct detector *detector_new(uint64_t seed);
void detector_free(struct detector *detector);

/*
 * A packet that nobody asked for, counted in these tracks (NULL where there is none yet), narrowest first. Returns true
 * where it became part of an incident.
 */
bool detector_observe(struct detector *detector, const struct observation *observation, const struct keys *keys,
                      uint8_t kind, struct track *tracks[SCOPE_LEVELS]);
/* A probe of a possible scan; `track` counts distinct ports (VECTOR_SCAN_PORTS) or hosts (VECTOR_SCAN_HOSTS). */
void detector_observe_probe(struct detector *detector, const struct observation *observation, const struct keys *keys,
                            struct track *track);
/*
 * Slots have passed: what was busy and then fell silent is assessed once its packets had time to be answered. To be
 * called whenever the present slot has moved on.
 */
void detector_tick(struct detector *detector, struct track_table *tracks, struct track_table *probes, int64_t slot);
/*
 * Links are nearly full, up to this slot: where so many unsettled packets a second and more go to a scope, it is no
 * matter what is usual there. 0: they are not.
 */
void detector_strain(struct detector *detector, uint64_t pps, int64_t until_slot);
/* A packet to an open incident's scope that completes a handshake of its source, or resets one it did not begin. */
void detector_note(struct detector *detector, const struct observation *observation, const struct keys *keys,
                   uint8_t kind, uint8_t marks);
/*
 * For who knows an attack by more than the counts of unwelcome packets: opens a wave of this vector on the scope, of a
 * new incident or of one that is not over. Returns the incident's index, which stays what it is, or -1 where it is
 * refused.
 */
int32_t detector_raise(struct detector *detector, const struct prefix *scope, uint8_t kind, struct capture_time began,
                       struct capture_time now);
/* A packet of that attack. False where its wave is over. */
bool detector_take(struct detector *detector, int32_t index, uint8_t kind, const struct observation *observation,
                   const struct keys *keys);
bool detector_in_wave(const struct detector *detector, int32_t index);
/* Nothing more is to be expected of it: a wave that may pause for long ends with its last packet. */
void detector_rest(struct detector *detector, int32_t index);
/* What is known of the vector beside its packets; of several times the worst is kept. */
void detector_tell(struct detector *detector, int32_t index, uint8_t kind, const struct http_facts *facts);
/* The clock has jumped: what is open ends where it last was. Tracks are the caller's to clear. */
void detector_break(struct detector *detector, struct capture_time last);
/*
 * End of input at `last`: what the tracks still hold is assessed, incidents are closed, merged, named and ordered by
 * beginning.
 */
void detector_finish(struct detector *detector, struct track_table *tracks, struct track_table *probes,
                     struct capture_time last);

/* How many incidents there are, and each of them: NULL where it was absorbed; the detector's. */
uint32_t detector_count(const struct detector *detector);
const struct incident *detector_incident(const struct detector *detector, uint32_t index);
struct detector_counters detector_counters(const struct detector *detector);

#endif
