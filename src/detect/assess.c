/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/assess.h"

/* Chosen, as the bounds of vector.c are, so that ordinary captures stay silent by far. */
#define PAUSE_SHORT 20    /* slots of silence that part one attack from what was before: noticed within a second, … */
#define PAUSE_LONG 50     /* … within ten, … */
#define PAUSE_LONGEST 200 /* … within a minute */
#define LEARNED_LONG 300  /* seconds of history from which on a whole minute is held against it */
#define USUAL_TIMES 3     /* of what is usual, comes on top of a bound */
#define USUAL_MILLI 1000  /* struct usual has thousandths of packets a second */
#define BACK_TIMES 2      /* of what is usual, is still what was before the attack */
#define HALF_BOUND 2      /* where there is reason to expect an attack, half a bound is enough */
#define ANSWERED_TIMES 6  /* what the target answers is an attack at so many times its mean … */
#define ANSWERED_ALONE 2  /* … or, where no mean is known, at so many times the bound from one source … */
#define ANSWERED_SURE 5   /* … or at so many from anyone */
#define ALARM_AT_ONCE 1500 /* unsettled packets in 100 ms that need not wait for their answers */
#define ONSET_PART 5       /* an attack's first slots hold at least a fifth of what raises the alarm … */
#define ONSET_SLOTS 3      /* before them, slots that are rising already */
#define ONSET_SHARE 50
#define HOT_PEAK 10             /* … where that is more than a trickle */
#define CHANCE_SIGMAS 6         /* standard deviations of an estimate that a sample may be off … */
#define CHANCE_SIGMAS_WATCHED 4 /* … of what goes to a scope that is under attack already */
#define SILENT_NEWEST 3         /* slots back, who is answered has been answered … */
#define SILENT_OLDEST 9         /* … and who is not has not asked again … */
#define SILENT_ENOUGH 20        /* … of so many that have begun, or more … */
#define SILENT_SHARE 8          /* … less than an eighth: the target is silent … */
#define HEARD_SHARE 4           /* … that used to answer all but a quarter */
#define STEADY 2                /* of what begins in a second, so many parts … */
#define STEADY_OF 3             /* … of so many began in one a little earlier as well: no onset */
#define REFUSED_PPS 50          /* SYNs that a target may refuse: half of what is a flood from one source */
#define STREAM_BURST 4          /* a stream is noticed in 100 ms by a quarter of what is needed in a second */
#define STREAM_SHARE 5          /* fewer than one in this many packets starts a conversation: streams */

/*
 * What is usual in `slots`, times USUAL_TIMES. A whole minute is not judged by a history that is hardly longer. Where a
 * day is known and more, it is what is usual at this hour, and what this generation has seen, which rises fast, has no
 * say.
 */
static uint64_t usual_bound(const struct track *t, uint32_t slots)
{
	const struct usual *usual = track_usual(t);
	uint64_t times, most = 0;

	if (!usual) {
		if (t->learned_seconds < (slots > SLOTS_PER_10S ? LEARNED_LONG : TRACK_LEARN_ENOUGH))
			return 0;
		return USUAL_TIMES * t->learned_unsettled * slots / ((uint64_t)SLOTS_PER_SECOND * t->learned_seconds);
	}
	times = season_expected(&usual->seasons[USUAL_UNSETTLED], slot_second(t->last_slot));
	if (times < usual->unsettled / USUAL_MILLI)
		times = usual->unsettled / USUAL_MILLI;
	if (slots <= SLOTS_PER_SECOND)
		most = season_most(&usual->seasons[USUAL_UNSETTLED], slot_second(t->last_slot));
	return (most > USUAL_TIMES * times ? most : USUAL_TIMES * times) * slots / SLOTS_PER_SECOND;
}

/* It has been rising for hours, too slowly to be seen otherwise: half of the evidence is enough. */
static bool is_ramp(const struct track *t)
{
	const struct usual *usual = track_usual(t);

	return usual && season_is_ramp(&usual->seasons[USUAL_UNSETTLED]);
}

/* What is looked at: a track, not before a slot, at bounds for its width. */
struct view {
	const struct track *track;
	const struct evidence *evidence;
	int64_t since;
	unsigned wider;
	unsigned how;
	bool stream; /* few conversations carry the packets */
	bool silent; /* the target may be down: see fell_silent() */
};

static struct track_counts sum_of(const struct view *v, int64_t to, uint32_t slots)
{
	int64_t from = to - slots + 1;

	return track_sum(v->track, from > v->since ? from : v->since, to);
}

static bool is_stream(const struct track *t)
{
	struct track_counts counts = track_sum(t, t->last_slot - SLOTS_PER_10S + 1, t->last_slot);

	return counts.fresh * STREAM_SHARE < counts.packets;
}

/*
 * Back from the window that fired, as far as there is a good part of its peak without a pause longer than `pause`
 * slots.
 */
static int64_t walk_back(const struct view *v, int64_t from, int64_t pause, bool settled_too)
{
	const struct track *t = v->track;
	uint64_t usual =
		t->learned_seconds >= TRACK_LEARN_ENOUGH
			? BACK_TIMES * (settled_too ? t->learned_packets : t->learned_unsettled) / t->learned_seconds
			: 0;
	uint64_t peak = 0;
	int64_t oldest = t->last_slot - SLOTS_PER_SECOND * (TRACK_SECONDS - 1), earliest = t->last_slot;

	if (oldest < t->first_slot)
		oldest = t->first_slot;
	if (oldest < v->since)
		oldest = v->since;
	for (int64_t s = t->last_slot; s >= oldest; s--) {
		/* Beyond the fine ring only whole seconds are known. */
		bool fine = t->last_slot - s < TRACK_SLOTS;
		struct track_counts counts = track_sum(t, s, s);
		uint64_t count = settled_too ? counts.packets : track_unsettled(counts), bound;

		if (fine && count > peak)
			peak = count;
		bound = fine ? usual / SLOTS_PER_SECOND : usual;
		if (peak >= HOT_PEAK && bound < peak / ONSET_PART)
			bound = peak / ONSET_PART;
		if (count > bound)
			earliest = s;
		else if (s < from && earliest - s > pause)
			break;
	}
	/* The slot in which it began is seldom a whole one. */
	for (unsigned i = 0; i < ONSET_SLOTS && earliest - 1 >= oldest && t->last_slot - earliest + 1 < TRACK_SLOTS;
	     i++) {
		struct track_counts counts = track_sum(t, earliest - 1, earliest - 1);

		if ((settled_too ? counts.packets : track_unsettled(counts)) <=
		    usual / SLOTS_PER_SECOND + peak / ONSET_SHARE)
			break;
		earliest--;
	}
	return earliest;
}

/*
 * Of a sample, what came and what of it was welcome are estimates: each has a variance of what a packet stands for
 * times what is estimated.
 */
static bool is_chance(const struct view *v, struct track_counts counts, uint64_t over)
{
	uint64_t interval = track_interval(v->track);
	uint64_t sigmas = v->how & ASSESS_WATCHED ? CHANCE_SIGMAS_WATCHED : CHANCE_SIGMAS;

	return interval > 1 && over < UINT32_MAX &&
	       over * over < sigmas * sigmas * (interval - 1) * (counts.packets + counts.settled);
}

/* `spare`: so much of the bound is there for other reasons than chance. */
static bool fires_with(const struct view *v, int64_t to, uint32_t slots, uint64_t bound, uint64_t spare,
                       uint32_t *window)
{
	struct track_counts counts = sum_of(v, to, slots);

	/* A target that is never heard may be answering all the same. */
	if (v->evidence->unheard && !v->track->heard)
		bound *= v->evidence->unheard;
	if (v->evidence->unheard_long && !v->track->heard && slots > SLOTS_PER_SECOND)
		bound *= v->evidence->unheard_long;
	if (bound == 0)
		return false;
	bound = bound * v->wider / ((v->how & ASSESS_WATCHED) || is_ramp(v->track) ? HALF_BOUND : 1);
	if (!(v->how & ASSESS_STRAINED))
		bound += usual_bound(v->track, slots);
	if (track_unsettled(counts) < bound || is_chance(v, counts, track_unsettled(counts) - bound + spare) ||
	    track_unsettled(counts) * 100 < counts.packets * v->evidence->unsettled_percent)
		return false;
	*window = slots;
	return true;
}

static bool fires(const struct view *v, int64_t to, uint32_t slots, uint64_t bound, uint32_t *window)
{
	return fires_with(v, to, slots, bound, 0, window);
}

/* The target answers, and still it is many times what it was. */
static bool answered_too_many(const struct view *v, int64_t to, uint32_t *window, bool *unsure)
{
	const struct track *t = v->track;
	uint64_t packets = sum_of(v, to, SLOTS_PER_SECOND).packets,
		 bound = (uint64_t)v->evidence->answered_1s * v->wider;
	const struct usual *usual = track_usual(t);
	bool known = t->learned_seconds >= TRACK_LEARN_ENOUGH;

	if (bound == 0 || packets < bound)
		return false;
	if (known ? packets < ANSWERED_TIMES * t->learned_packets / t->learned_seconds
	          : packets < ANSWERED_ALONE * bound)
		return false;
	if (usual && packets < season_most(&usual->seasons[USUAL_PACKETS], slot_second(t->last_slot)))
		return false;
	*unsure = !known && packets < ANSWERED_SURE * bound;
	*window = SLOTS_PER_SECOND;
	return true;
}

/* Enough at whatever number of sources. */
static bool lone(const struct view *v, int64_t to, uint32_t *window)
{
	const struct evidence *e = v->evidence;

	if (v->stream && e->stream_1s)
		return fires(v, to, SLOTS_PER_SECOND, e->stream_1s, window) ||
		       fires(v, to, 1, e->stream_1s / STREAM_BURST, window);
	return fires(v, to, 1, e->lone_100ms, window) || fires(v, to, SLOTS_PER_SECOND, e->lone_1s, window) ||
	       fires(v, to, SLOTS_PER_10S, e->lone_10s, window);
}

/* Whether of the conversations that began in a few slots of late next to none was answered. */
static bool has_silence(const struct view *v, int64_t newest, int64_t oldest)
{
	struct track_counts few = { 0 };
	uint64_t again, enough = (uint64_t)SILENT_ENOUGH * track_interval(v->track);

	for (int64_t s = newest; s >= oldest; s--) {
		struct track_counts one = sum_of(v, s, 1);

		few.packets += one.packets;
		few.settled += one.settled;
		few.fresh += one.fresh;
		if (few.fresh < enough)
			continue;
		/* What is asked again is given back at once. */
		again = few.packets - few.fresh;
		if (few.settled < again + few.fresh / SILENT_SHARE)
			return true;
		few = (struct track_counts){ 0 };
	}
	return false;
}

/* Most of what it was asked until lately, as far as that is known. */
static bool used_to_answer(const struct track *t)
{
	return t->learned_seconds >= TRACK_LEARN_ENOUGH && t->learned_unsettled * HEARD_SHARE <= t->learned_packets;
}

/* More conversations in a second than before. */
static bool begins_more(const struct track *t, uint64_t fresh)
{
	return fresh * t->learned_seconds > USUAL_TIMES * t->learned_packets;
}

/*
 * The target used to answer and does not, while no more conversations begin than are usual: it may be down, and those
 * that begin may be its own clients'. They ask again, and are waited for; a forger's packets are evidence a little
 * later. At the end of the input, what came last may yet be answered.
 */
static bool fell_silent(const struct view *v, int64_t slot)
{
	const struct track *t = v->track;

	if (!v->evidence->again_slots || (v->how & ASSESS_STRAINED) || !used_to_answer(t) ||
	    begins_more(t, sum_of(v, slot, SLOTS_PER_SECOND).fresh))
		return false;
	return has_silence(v, v->how & ASSESS_FINAL ? slot : slot - SILENT_NEWEST, slot - SILENT_OLDEST);
}

/*
 * Who is not answered asks again, and of those that began a little earlier nearly all were answered by now, or did so:
 * the target is slow, or leaves unanswered what is too much for it. What is more than that by half is not waited for.
 */
static bool catches_up(const struct view *v, int64_t slot)
{
	const struct evidence *e = v->evidence;
	int64_t newest = v->how & ASSESS_FINAL ? slot : slot - e->settle_slots;
	struct track_counts before, now;

	if (!e->again_slots || (v->how & ASSESS_STRAINED))
		return false;
	before = sum_of(v, slot - e->again_slots, SLOTS_PER_SECOND);
	now = sum_of(v, newest, SLOTS_PER_SECOND);
	return before.fresh * STEADY_OF >= now.fresh * STEADY &&
	       track_unsettled(before) * 100 < before.packets * e->unsettled_percent;
}

/* So many at once that their answers need not be waited for. */
static bool sudden(const struct view *v, int64_t slot, bool final, uint32_t *window)
{
	const struct evidence *e = v->evidence;
	uint64_t bound = e->lone_1s > ALARM_AT_ONCE ? e->lone_1s : ALARM_AT_ONCE, spare = bound - e->lone_1s;

	if (v->stream || v->silent || final || !e->settle_slots || !e->lone_1s)
		return false;
	/* A slot is looked at now and then while it lasts, and once when it is whole. */
	return fires_with(v, slot, 1, bound, spare, window) || fires_with(v, slot - 1, 1, bound, spare, window);
}

/* Sources are those of the last ten seconds and some: so are the packets they are held against. */
static bool repeats(const struct view *v, int64_t to, uint64_t sources)
{
	return v->evidence->repeat_max &&
	       track_unsettled(sum_of(v, to, SLOTS_PER_10S)) > sources * v->evidence->repeat_max;
}

static bool crowd(const struct view *v, int64_t to, uint32_t *window)
{
	const struct evidence *e = v->evidence;
	uint64_t factor = v->stream && e->stream_crowd ? e->stream_crowd : 1;
	const struct {
		uint32_t slots, bound, sources;
	} bounds[] = {
		{ 1, e->crowd_100ms, e->crowd_100ms_sources },
		{ SLOTS_PER_SECOND, e->crowd_1s, e->crowd_1s_sources },
		{ SLOTS_PER_10S, e->crowd_10s, e->crowd_10s_sources },
		{ SLOTS_PER_MINUTE, e->crowd_60s, e->crowd_60s_sources },
	};
	uint64_t sources = 0;
	bool counted = false;

	for (unsigned i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		/* Long windows count up what steady streams bring by and by. */
		if ((factor > 1 && bounds[i].slots > SLOTS_PER_SECOND) ||
		    !fires(v, to, bounds[i].slots, bounds[i].bound * factor, window))
			continue;
		if (!counted)
			sources = track_sources(v->track);
		counted = true;
		if (sources < bounds[i].sources || (bounds[i].slots > 1 && repeats(v, to, sources)))
			continue;
		return true;
	}
	return false;
}

bool assess(const struct track *t, const struct evidence *e, int64_t since, unsigned wider, unsigned how,
            struct alarm *alarm)
{
	bool final = how & ASSESS_FINAL, answered = false;
	int64_t slot = t->last_slot;
	struct view v = {
		.track = t, .evidence = e, .since = since, .wider = wider, .how = how, .stream = is_stream(t)
	};
	uint32_t window = 0;
	int64_t to;

	v.silent = fell_silent(&v, slot);
	to = slot - (v.silent || catches_up(&v, slot) ? e->again_slots : final ? 0 : e->settle_slots);
	*alarm = (struct alarm){ .watched = how & ASSESS_WATCHED };
	if (!lone(&v, to, &window) && !sudden(&v, slot, final, &window)) {
		answered = answered_too_many(&v, slot, &window, &alarm->unsure);
		if (!answered) {
			if (!crowd(&v, to, &window))
				return false;
			alarm->crowd = true;
		}
	}
	alarm->window = window;
	alarm->from_slot = walk_back(&v, to - window + 1,
	                             window <= SLOTS_PER_SECOND ? PAUSE_SHORT
	                             : window <= SLOTS_PER_10S  ? PAUSE_LONG
	                                                        : PAUSE_LONGEST,
	                             answered);
	return true;
}

bool assess_refused(struct track *t, uint32_t packets)
{
	int64_t second = slot_second(t->last_slot);

	if (t->refused_second != second) {
		t->refused_second = second;
		t->refused = 0;
	}
	if (packets <= REFUSED_PPS && t->refused <= REFUSED_PPS - packets) {
		t->refused += packets;
		return true;
	}
	return used_to_answer(t) &&
	       !begins_more(t, track_sum(t, t->last_slot - SLOTS_PER_SECOND + 1, t->last_slot).fresh);
}

int64_t assess_onset(const struct track *t, const struct evidence *e, int64_t since, int64_t from)
{
	struct view v = { .track = t, .evidence = e, .since = since, .wider = 1 };

	return walk_back(&v, from, PAUSE_SHORT, false);
}
