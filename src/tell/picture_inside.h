/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files share that draw a picture: picture.c its frame, ribbons and marks, picture_lanes.c its lanes. Where
 * something stands is in hundredths of a per cent of the width.
 */
#ifndef HOLDFAST_TELL_PICTURE_INSIDE_H
#define HOLDFAST_TELL_PICTURE_INSIDE_H

#include "tell/picture.h"

#define PICTURE_WHOLE 10000u
#define PICTURE_PERCENT_SIZE 16

/* At most PICTURE_WHOLE: what is outside of the picture stands at its edge. */
unsigned picture_place(const struct picture *p, int64_t ns);
/* "12.34%" */
const char *picture_percent(unsigned place, char text[PICTURE_PERCENT_SIZE]);
/* An image of `count` points, with what it is called and shows to who does not see it; its end is "</svg>". */
void picture_open_svg(const struct report *r, const char *id, uint32_t count, const char *title,
                      const char *description);
/* What runs through all of them: attacks and hours behind what is drawn; before it what happened. */
void picture_behind(FILE *out, const struct picture *p, uint32_t count);
void picture_before(FILE *out, const struct picture *p, uint32_t count);

/* A lane; `number` is the picture's. */
void picture_lane(const struct report *r, const struct picture *p, uint32_t at, unsigned number);
/* Whether lanes of a kind have no numbers: a part over another. */
bool picture_is_thin(enum picture_kind kind);

#endif
