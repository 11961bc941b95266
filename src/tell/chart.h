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

#define CHART_HEIGHT 1000u    /* of the shapes' own system; a point is one wide */
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

/* As SVG inside a page; titles are escaped. What cannot be written `out` remembers. */
void chart_write(FILE *out, const struct chart *chart);

/* For who draws shapes of their own: the next number that is easy to halve, 1 to 6 or 8 times a power of ten; */
uint64_t chart_round_up(uint64_t n);
/* how far below the upper edge a value is drawn, of CHART_HEIGHT. What is there at all is seen. */
unsigned chart_level(uint64_t value, uint64_t top);

#endif
