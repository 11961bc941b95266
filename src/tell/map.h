/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world as inline SVG, countries shaded by their share of something, in MAP_SHADES steps, with a legend in HTML. A
 * country that is too small for an outline is a dot. Outlines are written once in a document: the first map has them,
 * others refer to it.
 */
#ifndef HOLDFAST_TELL_MAP_H
#define HOLDFAST_TELL_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define MAP_SHADES 5

struct map_share {
	const char *code;           /* ISO 3166-1 alpha-2; what is no country is left out */
	uint64_t low_ppm, high_ppm; /* shaded by the lower one; where that is nothing, only outlined */
};

struct map {
	unsigned number; /* of this map alone in its document, from 1 */
	bool first;      /* no map stands before it in its document */
	const char *title;
	const char *description; /* what one sees, for who does not: marked text */
	const struct map_share *shares;
	uint32_t count;
};

/* The shade of a share, 1..MAP_SHADES; 0: none. */
unsigned map_shade(uint64_t ppm);
void map_write(FILE *out, const struct map *map);

#endif
