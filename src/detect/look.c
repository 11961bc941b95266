/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/look.h"

#include "detect/scan.h"
#include "detect/vector.h"
#include "observe/protocol.h"

#define CARPET_DESTINATIONS 8
#define CARPET_RETURNS 4   /* packets to each address that a carpet hits, at least */
#define SECOND_LOOK_1S 100 /* unsettled packets that deserve a look at who sends them */
#define SECOND_LOOK_10S 200
#define CARPET_SOURCES 30 /* a carpet comes from so many, or … */
#define CARPET_DENSITY 20 /* … brings each address so many packets */
#define SURVEYS_VAIN_MAX 3
#define SECOND_SOURCES 20
#define SECOND_SHARE 4      /* none of them sends more than a quarter */
#define ONE_PORT_PERCENT 90 /* of the packets from one port: answers of one service */
#define IMPOSSIBLE_SHARE 20 /* a twentieth from addresses that nobody can have: forged */
/* Connections that are only kept, of which a capture shows the clients' side: */
#define IDLE_SEEN 100   /* packets that are enough to see what they are */
#define IDLE_PPS 1000   /* of all of them, at most: so much may pass for them that is none … */
#define IDLE_RISE 2     /* … and no more than so many times what was there before */
#define IDLE_LARGE 10   /* one in so many packets at most has something to say … */
#define IDLE_SYSTEM 200 /* … one in so many comes from a port, or an address, that no client is given … */
#define IDLE_LONE 10    /* … and one in so many from any one client */
#define IDLE_PORT 10    /* packets to each port, on average, at least */
#define IDLE_AT_ONCE 2  /* connections of one client … */
#define IDLE_PAUSE_S 5  /* … each of which stirs so seldom, on average */

/* What was looked at in vain waits twice as long each time. */
static bool is_time(struct track *track, bool final)
{
	if (!final && track->last_slot < track->survey_after)
		return false;
	track->survey_after = track->last_slot + (1 << track->surveys_vain);
	if (track->surveys_vain < SURVEYS_VAIN_MAX)
		track->surveys_vain++;
	return true;
}

static void survey_track(struct recent_ring *ring, const struct track *track, int64_t from_slot, struct survey *survey)
{
	recent_survey(ring, &track->scope, track->kind, slot_start_ns(from_slot), survey);
}

/*
 * More in the last second than is usual? Where the track began with the capture, so that no peace is known from before:
 * more than it had all along?
 */
static bool has_risen(const struct track *track, uint64_t second)
{
	int64_t first = track->last_slot - (TRACK_SECONDS - 1) * SLOTS_PER_SECOND;
	uint64_t slots;

	if (track->learned_seconds >= TRACK_LEARN_ENOUGH || (track->learned_seconds && !track->learned_unsettled))
		return second * track->learned_seconds > IDLE_RISE * track->learned_unsettled;
	if (first < track->first_slot)
		first = track->first_slot;
	slots = (uint64_t)(track->last_slot - first) + 1;
	return slots > SLOTS_PER_SECOND &&
	       second * slots >
	               IDLE_RISE * SLOTS_PER_SECOND * track_unsettled(track_sum(track, first, track->last_slot));
}

/* Unsettled packets of the last second of which that can be said. */
static uint64_t last_second(const struct track *track)
{
	int64_t to = track->last_slot - vector_get(track->kind)->evidence->settle_slots;

	return track_unsettled(track_sum(track, to - SLOTS_PER_SECOND + 1, to));
}

/* More than idle connections are allowed in a second, or that within 100 ms. */
static bool is_too_much(const struct track *track)
{
	return last_second(track) > IDLE_PPS ||
	       track_unsettled(track_sum(track, track->last_slot, track->last_slot)) > IDLE_PPS ||
	       track_unsettled(track_sum(track, track->last_slot - 1, track->last_slot - 1)) > IDLE_PPS;
}

/*
 * Clients of which the capture shows one side keep old connections alive: each says next to nothing, now and then, and
 * that its numbers stand still proves nothing, for a forger's may as well. So they are told by what they are together,
 * and by that they were there before; what comes at once is none of it.
 */
static bool is_idle_crowd(struct recent_ring *ring, const struct track *track, const struct alarm *alarm,
                          const struct survey *survey)
{
	const struct survey *s = survey;
	struct survey longer;
	uint64_t stirs;

	if (track->kind != VECTOR_ACK || alarm->window == 1 || alarm->watched || is_too_much(track) ||
	    has_risen(track, last_second(track)))
		return false;
	if (s->seen < IDLE_SEEN) {
		survey_track(ring, track, track->last_slot - SLOTS_PER_10S + 1, &longer);
		s = &longer;
	}
	stirs = IDLE_AT_ONCE + (uint64_t)(s->span_ns / NS_PER_S) / IDLE_PAUSE_S;
	return s->seen && (s->packets - s->small) * IDLE_LARGE <= s->packets && s->system * IDLE_SYSTEM <= s->packets &&
	       s->impossible * IDLE_SYSTEM <= s->packets && s->ports * IDLE_PORT <= s->seen &&
	       s->heaviest_source * IDLE_LONE <= s->packets && s->seen <= s->sources * stirs;
}

/* Not to be kept waiting for having been looked at in vain: it is no idle crowd any more, and no scan. */
static bool is_pressing(const struct track *track)
{
	return track->kind == VECTOR_ACK && is_too_much(track) && track_sources(track) >= SECOND_SOURCES;
}

bool look_confirms(struct recent_ring *ring, struct track *track, unsigned level, bool final, const struct alarm *alarm)
{
	struct track_counts counts = track_sum(track, alarm->from_slot, track->last_slot);
	uint64_t unsettled = track_unsettled(counts);
	struct survey survey;

	if (level == 0 && !vector_is_probe(track->kind) && !alarm->unsure)
		return true;
	if (!(level == 0 && is_pressing(track)) && !is_time(track, final))
		return false;
	/* A carpet that other incidents took whole: its many networks would be surveyed one by one, and in vain. */
	if (level > 0 && !recent_any_untaken(ring, track->kind))
		return false;
	survey_track(ring, track, alarm->from_slot, &survey);
	if (survey.packets < survey.taken)
		return false; /* seen before, as another scope's */
	if (alarm->unsure && survey.heaviest_source * 2 < survey.packets)
		return false;
	/* Many sources among those whose packets were settled do not make one noisy source a crowd. */
	if (alarm->crowd && survey.heaviest_source * 2 >= unsettled)
		return false;
	if (vector_is_probe(track->kind) && scan_explains(&survey, track->kind))
		return false;
	if (is_idle_crowd(ring, track, alarm, &survey))
		return false;
	if (level == 0)
		return true;
	/* A flood comes back to each of its targets; what looks once at each, from however many sources, is a scan. */
	if (vector_is_probe(track->kind) &&
	    (recent_reaches_back(ring, slot_start_ns(alarm->from_slot)) ? survey.seen : unsettled) <
	            CARPET_RETURNS * survey.destinations)
		return false;
	return survey.destinations >= CARPET_DESTINATIONS && survey.heaviest_destination * 2 < survey.packets &&
	       (survey.sources >= CARPET_SOURCES || survey.packets >= CARPET_DENSITY * survey.destinations);
}

/*
 * Forged sources give themselves away by impossible ones among them, and answers of a service that no table knows by
 * the one port that all of them come from.
 */
bool look_finds(struct recent_ring *ring, struct track *track, unsigned level, int64_t since, bool final,
                struct alarm *alarm)
{
	const struct vector *vector = vector_get(track->kind);
	int64_t to = track->last_slot - (final ? 0 : vector->evidence->settle_slots), from = to - SLOTS_PER_SECOND + 1;
	struct track_counts counts = track_sum(track, from > since ? from : since, to);
	struct survey survey;

	if (level > 0 || vector->class != VECTOR_STATELESS)
		return false;
	if (counts.packets < counts.settled + SECOND_LOOK_1S) {
		from = to - SLOTS_PER_10S + 1;
		counts = track_sum(track, from > since ? from : since, to);
		if (counts.packets < counts.settled + SECOND_LOOK_10S)
			return false;
	}
	if (counts.settled * 2 > counts.packets)
		return false;
	if (!is_time(track, final) || !recent_any_untaken(ring, track->kind))
		return false;
	survey_track(ring, track, from > since ? from : since, &survey);
	if (survey.sources < SECOND_SOURCES || survey.packets < survey.taken ||
	    survey.heaviest_source * SECOND_SHARE > survey.packets)
		return false;
	if (!(survey.impossible * IMPOSSIBLE_SHARE >= survey.packets && survey.impossible * 2 < survey.packets) &&
	    !(track->kind == VECTOR_UDP && survey.shared_source_port * 100 >= survey.packets * ONE_PORT_PERCENT &&
	      survey.source_port <= PROTOCOL_SERVICE_PORT_MAX))
		return false;
	*alarm = (struct alarm){ .window = SLOTS_PER_SECOND, .crowd = true };
	alarm->from_slot = assess_onset(track, vector->evidence, since, from);
	return true;
}
