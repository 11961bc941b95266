/* SPDX-License-Identifier: Apache-2.0 */
/* Countries as the report draws them: names, outlines, and where the small ones lie. Made by scripts/world-map. */
#ifndef HOLDFAST_TELL_WORLD_H
#define HOLDFAST_TELL_WORLD_H

#include <stddef.h>
#include <stdint.h>

/* The grid that outlines stand on; y points down. */
#define WORLD_WIDTH 1000
#define WORLD_HEIGHT 432

struct world_country {
	const char *name;
	const char *outline; /* an SVG path; NULL: too small to have one */
	uint16_t x, y;       /* its middle */
	char code[3];        /* ISO 3166-1 alpha-2, and XK */
};

extern const struct world_country world_countries[]; /* by code */
extern const size_t world_count;

/* NULL where there is none of that code. */
const struct world_country *world_find(const char *code);
/* Its name; the code itself where it is no country's. */
const char *world_name(const char *code);

#endif
