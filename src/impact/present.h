/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What places that probe see at this moment, so that nobody need wait for the end of a bucket to know: of each
 * component and place the checks of the last PRESENT_ROUNDS rounds, by the time at which they were heard of.
 *
 * A window of three rounds forgives one check that failed by chance. Trouble is over only once the whole window is without
 * any: what comes and goes does not turn a page twice a minute. What is heard late (a place was cut off, and now sends what it
 * had kept) is of another time, and not taken.
 *
 * Pure; the caller has the clock. Times are nanoseconds since the Unix epoch.
 */
#ifndef HOLDFAST_IMPACT_PRESENT_H
#define HOLDFAST_IMPACT_PRESENT_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/belief.h"

#define PRESENT_ROUNDS 3
#define PRESENT_PLACES_MAX 1024 /* components, times the places that probe each */
#define PRESENT_LOOKS 8         /* of a place; what is heard within an eighth of the window is one */

struct present_look {
	int64_t at_ns; /* when the first of it was heard; 0: there is none */
	uint32_t good, bad;
};

struct present_place {
	char component[COMPONENT_ID_SIZE];
	char vantage[VANTAGE_SIZE];
	uint32_t network;
	unsigned latest; /* of each of these: they are rings */
	unsigned latest_canary;
	struct present_look looks[PRESENT_LOOKS], canaries[PRESENT_LOOKS];
};

struct present {
	int64_t window_ns;
	uint32_t count;
	uint64_t refused, late; /* counts without room for their place; of another time */
	struct present_place places[PRESENT_PLACES_MAX];
};

struct present_view {
	uint32_t count; /* places that were heard of within the window */
	struct belief_probe probes[BELIEF_VANTAGES_MAX];
	bool clean; /* no check that counts has failed */
};

/* `every_ns`: how often is checked. */
void present_init(struct present *present, int64_t every_ns);
/* Takes SIGNAL_PROBE and SIGNAL_CANARY, and nothing else. */
void present_add(struct present *present, const struct signal_count *count, int64_t now_ns);
/* Of a component, as it is at `now_ns`. A place that nothing is heard of any more is not in it. */
void present_of(const struct present *present, const char *component, int64_t now_ns, struct present_view *view);

#endif
