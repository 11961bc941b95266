/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/idle.h"

#include "detect/vector.h"

#define PPS 1000   /* of all of them, at most: so much may pass for them that is none … */
#define RISE 2     /* … and no more than so many times what was there before */
#define SEEN 100   /* packets that are enough to see what they are: */
#define LARGE 10   /* one in so many at most has something to say … */
#define SYSTEM 200 /* … one in so many comes from a port, or an address, that no client is given … */
#define LONE 10    /* … and one in so many from any one client */
#define PORT 10    /* packets to each port, on average, at least */
#define AT_ONCE 2  /* connections of one client … */
#define PAUSE_S 5  /* … each of which stirs so seldom, on average */

/*
 * More in the last second than is usual? Where the track began with the capture, so that no peace is known from before:
 * more than it had all along?
 */
static bool has_risen(const struct track *track, uint64_t second)
{
	int64_t first = track->last_slot - (TRACK_SECONDS - 1) * SLOTS_PER_SECOND;
	uint64_t slots;

	if (track->learned_seconds >= TRACK_LEARN_ENOUGH || (track->learned_seconds && !track->learned_unsettled))
		return second * track->learned_seconds > RISE * track->learned_unsettled;
	if (first < track->first_slot)
		first = track->first_slot;
	slots = (uint64_t)(track->last_slot - first) + 1;
	return slots > SLOTS_PER_SECOND &&
	       second * slots > RISE * SLOTS_PER_SECOND * track_unsettled(track_sum(track, first, track->last_slot));
}

/* Unsettled packets of the last second of which that can be said. */
static uint64_t last_second(const struct track *track)
{
	int64_t to = track->last_slot - vector_get(track->kind)->evidence->settle_slots;

	return track_unsettled(track_sum(track, to - SLOTS_PER_SECOND + 1, to));
}

static uint64_t in_slot(const struct track *track, int64_t slot)
{
	return track_unsettled(track_sum(track, slot, slot));
}

/* In a second, or as many within 100 ms. */
bool idle_is_exceeded(const struct track *track)
{
	return last_second(track) > PPS || in_slot(track, track->last_slot) > PPS ||
	       in_slot(track, track->last_slot - 1) > PPS;
}

bool idle_explains(struct recent_ring *ring, const struct track *track, const struct alarm *alarm,
                   const struct survey *survey)
{
	const struct survey *s = survey;
	struct survey longer;
	uint64_t stirs;

	if (track->kind != VECTOR_ACK || alarm->window == 1 || alarm->watched || idle_is_exceeded(track) ||
	    has_risen(track, last_second(track)))
		return false;
	if (s->seen < SEEN) {
		recent_survey(ring, &track->scope, track->kind, slot_start_ns(track->last_slot - SLOTS_PER_10S + 1),
		              &longer);
		s = &longer;
	}
	stirs = AT_ONCE + (uint64_t)(s->span_ns / NS_PER_S) / PAUSE_S;
	return s->seen && (s->packets - s->small) * LARGE <= s->packets && s->system * SYSTEM <= s->packets &&
	       s->impossible * SYSTEM <= s->packets && s->ports * PORT <= s->seen &&
	       s->heaviest_source * LONE <= s->packets && s->seen <= s->sources * stirs;
}
