/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/assess.h"

#define LEARNED_ENOUGH 30 /* seconds before what is usual counts */
#define ALARM_AT_ONCE 1500 /* unanswered packets in 100 ms that need not wait for their answers */
#define STREAM_SHARE 5    /* fewer than one in this many packets starts a conversation: streams */

static uint64_t unsettled(struct track_counts counts)
{
	return counts.packets > counts.settled ? counts.packets - counts.settled : 0;
}

/* What `slots` of ordinary time would hold at most, from what was learned. */
static uint64_t usual_bound(const struct track *t, uint32_t slots)
{
	if (t->learned_seconds < LEARNED_ENOUGH)
		return 0;
	return (2 * t->usual + 3 * t->usual_deviation) * slots / (256 * 10);
}

static uint64_t count_in(const struct track *t, int64_t to, uint32_t slots)
{
	return unsettled(track_sum(t, to - slots + 1, to));
}

static bool is_stream(const struct track *t)
{
	struct track_counts counts = track_sum(t, t->last_slot - 99, t->last_slot);

	return counts.fresh * STREAM_SHARE < counts.packets;
}

/* Back from the window that fired, as far as there is more than usual without a pause longer than `pause` slots. */
static int64_t walk_back(const struct track *t, int64_t from, int64_t pause)
{
	uint64_t per_second = (t->learned_seconds >= LEARNED_ENOUGH ? 2 * t->usual / 256 : 0) + 1;
	int64_t oldest = t->last_slot - 10 * (TRACK_SECONDS - 1), earliest = t->last_slot;
	bool met = false;

	if (oldest < t->first_slot)
		oldest = t->first_slot;
	for (int64_t s = t->last_slot; s >= oldest; s--) {
		bool fine = t->last_slot - s < TRACK_SLOTS;
		/* Beyond the fine ring only whole seconds are known. */
		uint64_t count = unsettled(track_sum(t, s, s));
		uint64_t usual = fine ? per_second / 10 : per_second;

		if (count > usual) {
			earliest = s;
			met = true;
		} else if (met && s < from && earliest - s > pause) {
			break;
		}
	}
	return earliest;
}

static bool fires(const struct track *t, int64_t to, uint32_t slots, uint64_t bound, uint32_t *window)
{
	if (bound == 0 || count_in(t, to, slots) < bound + usual_bound(t, slots))
		return false;
	*window = slots;
	return true;
}

/* The target answers, and still it is many times what it was. */
static bool answered_too_many(const struct track *t, const struct evidence *e, int64_t to)
{
	uint64_t packets = track_sum(t, to - 9, to).packets;

	if (!e->answered_1s || packets < e->answered_1s)
		return false;
	if (t->learned_seconds < 10)
		return packets >= 5ull * e->answered_1s;
	return packets >= 6 * t->learned_packets / t->learned_seconds;
}

static bool lone(const struct track *t, const struct evidence *e, int64_t to, unsigned wider, bool stream, uint32_t *window)
{
	if (stream && e->stream_1s)
		return fires(t, to, 10, (uint64_t)e->stream_1s * wider, window) ||
		       fires(t, to, 1, (uint64_t)e->stream_1s * wider / 4, window);
	return fires(t, to, 1, (uint64_t)e->lone_100ms * wider, window) ||
	       fires(t, to, 10, (uint64_t)e->lone_1s * wider, window);
}

static bool crowd(const struct track *t, const struct evidence *e, int64_t to, unsigned wider, bool stream, uint32_t *window)
{
	/* Conversations in one direction only: calls and game clients look like that too. */
	uint64_t factor = (uint64_t)wider * (stream && e->stream_1s && e->settle_slots ? 4 : 1);
	const struct {
		uint32_t slots, bound, sources;
	} bounds[] = {
		{ 1, e->crowd_100ms, e->crowd_100ms_sources },
		{ 10, e->crowd_1s, e->crowd_1s_sources },
		{ 100, e->crowd_10s, e->crowd_10s_sources },
		{ 600, e->crowd_60s, e->crowd_60s_sources },
	};
	uint64_t sources = 0;
	bool counted = false;

	for (unsigned i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		if (!fires(t, to, bounds[i].slots, bounds[i].bound * factor, window))
			continue;
		if (!counted)
			sources = track_sources(t);
		counted = true;
		if (sources >= bounds[i].sources)
			return true;
	}
	return false;
}

bool assess(const struct track *t, const struct evidence *e, int64_t slot, unsigned wider, bool final, struct alarm *alarm)
{
	int64_t to = final ? slot : slot - e->settle_slots;
	bool stream = is_stream(t);
	uint32_t window = 0;

	if (lone(t, e, to, wider, stream, &window)) {
		alarm->crowd = false;
	} else if (!stream && !final && e->settle_slots && e->lone_1s &&
	           fires(t, slot, 1, (uint64_t)(e->lone_1s > ALARM_AT_ONCE ? e->lone_1s : ALARM_AT_ONCE) * wider, &window)) {
		alarm->crowd = false;
	} else if (answered_too_many(t, e, slot)) {
		alarm->crowd = false;
		window = 10;
	} else if (crowd(t, e, to, wider, stream, &window)) {
		alarm->crowd = true;
	} else {
		return false;
	}
	alarm->window = window;
	alarm->from_slot = walk_back(t, to - window + 1, window <= 10 ? 5 : window <= 100 ? 50 : 200);
	return true;
}
