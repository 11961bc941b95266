/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a live host fared around an incident (measure/course.h), as "series" in an incident's "live": written by the
 * daemon beside what it found, read back by whoever tells it. Rates per second; what was not measured is null.
 *
 *     { "from": t, "step_s": n, "arrived_pps": [n|null, …], "dropped_pps": […], "answered_pps": […], "lost_pps": […],
 *       "handshakes_pps": […], "link_bps": […], "link_pps": […], "link_lost_pps": […], "link_percent": […] }
 */
#ifndef HOLDFAST_TELL_SERIES_H
#define HOLDFAST_TELL_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/time.h"
#include "measure/course.h"
#include "tell/words.h"
#include "trace/claim.h"

#define SERIES_POINTS_MAX 360
#define SERIES_QUIET_S 60 /* that is shown before an incident and after it */

struct series {
	struct capture_time from;
	int64_t step_ns;
	uint32_t count; /* 0: nothing is known */
	struct course_point points[SERIES_POINTS_MAX];
};

struct draft;

/* A new reference, or NULL where there is no memory. */
json_t *series_json(const struct series *series);
/*
 * Octets from anywhere: false, and the series is empty, where it is none. What is negative or no number was not
 * measured.
 */
bool series_read(const json_t *json, struct series *series);
/* The point in which a moment lies, or NULL: nothing is known of it. */
const struct course_point *series_at(const struct series *series, struct capture_time time);
#define SERIES_OUTAGE_S 10    /* users try again after less */
#define SERIES_BEFORE_S 30    /* so long has to be known of the time before */
#define SERIES_USERS_PPS 10   /* answered packets a second that are users enough */
#define SERIES_OUTAGE_PARTS 2 /* an outage is where less than one in so many is served of what was before [design] */
/*
 * When users were not served: packets of conversations that this host answers, without those dropped, fell below half
 * of their median in the time before `began`, for SERIES_OUTAGE_S or longer. `lost` is the share that was missing
 * meanwhile; one that lasts as long as is known has no end. False: that cannot be said, for there were too few users
 * before, or a part between `began` and `ended` was not measured.
 */
bool series_outages(const struct series *series, struct capture_time began, struct capture_time ended,
                    struct claim_span *spans, uint32_t max, uint32_t *count);
/*
 * What became of users and links between two moments, beside what was before: sentences, marked (tell/paper.h). Nothing
 * where nothing was measured.
 */
void series_say(const struct series *series, struct capture_time began, struct capture_time ended, struct draft *draft);

#endif
