/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is usual of a rate, by the hour of the week: learned second by second in peace, for weeks, and kept over
 * restarts. All is reckoned in octaves, x = log2(1 + a second's packets), so that a tenth more is the same step at any
 * rate.
 *
 *     expected = what is usual at this hour of the week (168 averages, straight lines between the middles of the hours)
 *              + level (how far above that it is at present: an average with a half-life of five minutes)
 *     sigma    = 1.25 times the average distance from what was expected
 *     high     = what 95 of 100 seconds stayed under, in about a week
 *     most     = max(expected + 6 sigma, 1.5 high): what is not yet out of the usual
 *     ramp     = a sum of what the minutes had too much (CUSUM): a rise that is too slow to be seen otherwise
 *
 * Who sends a little more each minute, to make a flood usual, gets no further than SEASON_DRIFT_PERCENT an hour once it
 * has been learned for SEASON_SETTLED_S: neither the level nor what is made of it rises faster, however large what
 * comes is (each second counts for three sigma at most); all may fall freely. What an hour teaches is what was expected
 * in it, not what came.
 *
 * Hours are UTC's. An hour of which less than half was learned teaches nothing. An hour that was never learned is taken
 * to be like the same hour of a day before, or else like the hour before it.
 */
#ifndef HOLDFAST_MEASURE_SEASON_H
#define HOLDFAST_MEASURE_SEASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define SEASON_HOURS 168
#define SEASON_ONE (1 << 24)    /* an octave */
#define SEASON_SETTLED_S 86400  /* before so much was learned nothing is said of it: static floors decide alone */
#define SEASON_WEEK_S 604800    /* … nor of ramps: the first Monday is not a ramp */
#define SEASON_DRIFT_PERCENT 10 /* an hour; at least a packet a second */
#define SEASON_RATE_MAX (1ull << 48)
#define SEASON_RAMP (22 * SEASON_ONE) /* the sum at which it is one; at 8 chance alone would get there twice a day */
#define SEASON_RAMP_MAX (2 * SEASON_RAMP)
#define SEASON_OCTAVES_MAX (64 * SEASON_ONE) /* that anything here may have, either way */

/*
 * Something that rises slowly: by what there is room for. Room comes by and by, an hour's at most, and where it falls.
 */
struct season_average {
	int32_t value, room; /* octaves / SEASON_ONE */
};

struct season {
	uint64_t known_s; /* seconds that were learned */
	int64_t hour;     /* the present one, counted from 1970 */
	int64_t hour_sum; /* of what was expected in its seconds; octaves / SEASON_ONE, as all here */
	uint32_t hour_s;  /* how many */
	struct season_average level;
	struct season_average spread;        /* average distance of a second from what was expected, */
	struct season_average minute_spread; /* … of a minute's mean */
	int64_t minute_sum;                  /* distances of the seconds of this minute */
	uint32_t minute_s;                   /* seconds that were learned of it */
	int32_t high;
	int32_t ramp; /* 0 … SEASON_RAMP_MAX */
	/* 0: not known; else 1 + octaves / 1024; from Thursday, 0:00, on, as time since 1970 is */
	uint16_t hours[SEASON_HOURS];
};

/* `second` is counted from 1970; `rate` is what came in it. In their order, but not of all seconds. */
void season_learn(struct season *season, int64_t second, uint64_t rate);
static inline bool season_is_settled(const struct season *season)
{
	return season->known_s >= SEASON_SETTLED_S;
}
/* Packets in a second that are expected then, and the most that are not out of the usual. */
uint64_t season_expected(const struct season *season, int64_t second);
uint64_t season_most(const struct season *season, int64_t second);
/* It has been rising for long, slowly. That alone is no attack. */
bool season_is_ramp(const struct season *season);
/*
 * As octets, in one form: varints in the order of the struct, signed ones folded, hours as the difference to the one
 * before. `at` has room for SEASON_PACKED_MAX; how many they are. What cannot be a season fails the cursor.
 */
#define SEASON_PACKED_MAX (15 * 10 + SEASON_HOURS * 3)
size_t season_pack(const struct season *season, uint8_t *at);
void season_unpack(struct cursor *cursor, struct season *season);

#endif
