/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/look.h"

#include "detect/idle.h"
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

/* Not to be kept waiting for having been looked at in vain: it is no idle crowd any more, and no scan. */
static bool is_pressing(const struct track *track)
{
	return track->kind == VECTOR_ACK && idle_is_exceeded(track) && track_sources(track) >= SECOND_SOURCES;
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
	if (idle_explains(ring, track, alarm, &survey))
		return false;
	if (level == 0)
		return true;
	/*
	 * Who is looked for is asked by a group of its own: a router that is made to look for all addresses of a link.
	 */
	if (track->kind == VECTOR_DISCOVERY)
		return survey.destinations >= CARPET_DESTINATIONS;
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
