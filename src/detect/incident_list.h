/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The incidents that are kept, by index: an index stays what it is until the end. Those on neighbours by the same
 * vector become one on their network; what was absorbed leaves a pointer to where it went.
 */
#ifndef HOLDFAST_DETECT_INCIDENT_LIST_H
#define HOLDFAST_DETECT_INCIDENT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"

#define INCIDENT_LIST_MAX 128
#define INCIDENT_LIST_SCANS_MAX 32 /* of these */
#define INCIDENT_LIST_SAMPLES \
	131072 /* packets sampled in all incidents together; INCIDENT_SAMPLE each while there is room */

struct incident_list {
	uint64_t seed; /* of the windows' estimates, and of names */
	uint32_t count;
	uint32_t scans;                            /* of these */
	uint32_t sample_left;                      /* of INCIDENT_LIST_SAMPLES */
	uint64_t refused;                          /* beyond the bounds, or no memory */
	struct incident *items[INCIDENT_LIST_MAX]; /* owned */
};

/* `seed` is of the windows' estimates, and of names. */
void incident_list_init(struct incident_list *list, uint64_t seed);
void incident_list_fini(struct incident_list *list);
/* INCIDENT_LIST_MAX are there. */
bool incident_list_is_full(const struct incident_list *list);
/* An empty incident; its index, or -1 where it is refused. */
int32_t incident_list_add(struct incident_list *list, const struct prefix *scope, struct capture_time began,
                          struct capture_time detected, bool is_scan);
/* The incident's part of a kind, added where it has none; NULL where there is no room. */
struct incident_part *incident_list_part(struct incident_list *list, struct incident *incident, uint8_t kind);
/* Where the incident of this index ended, itself or another; -1 of -1. */
int32_t incident_list_resolve(const struct incident_list *list, int32_t index);
/*
 * The incident that is not over and that an alarm on this scope belongs to; -1 where there is none. Scans are not
 * looked at.
 */
int32_t incident_list_find(const struct incident_list *list, const struct prefix *scope, struct capture_time now);
void incident_list_absorb(struct incident_list *list, int32_t into, int32_t from);
/*
 * Neighbours under the same attack are one incident on their network: four addresses of one /24 (/64), or two networks
 * of one /16 (/32). Returns where `index` ended.
 */
int32_t incident_list_gather(struct incident_list *list, int32_t index, uint8_t kind, struct capture_time now);

#endif
