/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is usual towards a scope, of a kind, as it is handed on from one generation of an engine to the next and kept
 * over restarts. Within a generation a track learns quickly (measure/track.h); from one to the next what is usual may
 * rise by USUAL_DRIFT_PERCENT an hour and no more once it has been known for USUAL_SETTLED_S: whoever sends a little
 * more each minute does not so make a flood usual. It may fall freely. Averages alone would make each morning unusual:
 * from the second generation on what is usual is learned by the hour of the week, too (measure/season.h).
 */
#ifndef HOLDFAST_MEASURE_USUAL_H
#define HOLDFAST_MEASURE_USUAL_H

#include <stdint.h>

#include "base/prefix.h"
#include "measure/season.h"

enum { USUAL_PACKETS, USUAL_UNSETTLED, USUAL_SEASONS }; /* what is known by the hour of the week */

#define USUAL_MAX 4096         /* scopes and kinds; those that have been known for the shortest time are left out */
#define USUAL_DRIFT_PERCENT 10 /* an hour */
#define USUAL_SETTLED_S 86400
#define USUAL_RATE_MAX (1ull << 48)

struct usual {
	struct prefix scope;
	uint8_t kind;
	uint64_t known_s;                     /* seconds of peace that it has been learned in, generations together */
	uint64_t packets;                     /* a thousand seconds, on average */
	uint64_t unsettled;                   /* of these */
	struct season seasons[USUAL_SEASONS]; /* of both; known_s is 0 until another generation learns */
};

/*
 * What `was` becomes after `seconds` more in which `seen` was the average: `seen`, but not above what drift allows. Its
 * scope and kind are those of `seen`, its seasons those of `was`.
 */
struct usual usual_after(const struct usual *was, const struct usual *seen, uint64_t seconds);
/* Order by scope, then kind: for the one form in which many of them are written. */
int usual_compare(const struct usual *a, const struct usual *b);

#endif
