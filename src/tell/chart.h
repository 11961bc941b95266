/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plot of rates over time as inline SVG: an area, a line over it, and bands of time behind. The shapes stretch with
 * the page; all words stand beside them in HTML, so that they are readable at any width and take the page's font.
 */
#ifndef HOLDFAST_TELL_CHART_H
#define HOLDFAST_TELL_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/time.h"

#define CHART_NUMBERED_MAX 12 /* more bands than these have no numbers */

struct chart_band {
	struct capture_time from, to;
};

struct chart {
	const char *id;           /* of this plot alone in its document */
	const char *title;        /* "Packets per second" */
	const char *description;  /* what one sees, for who does not: marked text */
	const char *const *times; /* of the beginning, the middle and the end of the horizontal axis; NULL: as clocks */
	bool comma;               /* before what is less than one, as in French */
	const char *unit;         /* of the vertical axis, as words_scaled() takes it: "pps" */
	struct capture_time from;
	int64_t step_ns;      /* of a point */
	uint32_t count;       /* points, at least one */
	const uint64_t *area; /* count of them, per second */
	const char *tone;     /* class of the area's colour: "good", "plain"; NULL: the attack's */
	const uint64_t *line; /* over it; NULL: none */
	const uint64_t *all;  /* an area behind it, of which it is a part; NULL: none */
	const bool *gaps;     /* count of them: nothing was measured there; NULL: none */
	const struct chart_band *bands;
	uint32_t bands_count;
};

void chart_write(FILE *out, const struct chart *chart);

#endif
