/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a live host fared around an incident (measure/course.h), as "series" in an incident's "live": written by the daemon
 * beside what it found, read back by whoever tells it. Rates per second; what was not measured is null.
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
/* Octets from anywhere: false, and the series is empty, where it is none. What is negative or no number was not measured. */
bool series_read(const json_t *json, struct series *series);
/* The point in which a moment lies, or NULL: nothing is known of it. */
const struct course_point *series_at(const struct series *series, struct capture_time time);
/*
 * What became of users and links between two moments, beside what was before: sentences, marked (tell/paper.h). Nothing
 * where nothing was measured.
 */
void series_say(const struct series *series, struct capture_time began, struct capture_time ended, struct draft *draft);

#endif
