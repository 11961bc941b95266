/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A track's alarm opens a wave: of a new incident, or of one on the same scope that is not over. From the ring it takes
 * its first packets, so that it begins with the first and not with the one that raised the alarm. A track is assessed
 * once a slot and at doubling counts within one; what then falls silent waits until its packets had time to be
 * answered.
 */
#include "detect/detector.h"

#include <stdlib.h>

#include "detect/assess.h"
#include "detect/incident_list.h"
#include "detect/look.h"
#include "detect/naming.h"
#include "detect/recent.h"
#include "detect/scan.h"
#include "detect/wave.h"

#define REPLAY_TOLERANCE 50               /* of a beginning that is replayed one packet in so many may be missing */
#define REARM_SHARE 10                    /* one slot with a tenth of the peak re-opens a known attack … */
#define REARM_PACKETS 20                  /* … and at least this many packets */
#define ASSESS_FIRST 50                   /* packets in a slot before it is assessed before its end */
#define PENDING_PACKETS 20                /* in a slot, to be assessed again once they had time to be answered */
#define SPREAD_SLOTS_MAX SLOTS_PER_MINUTE /* no evidence looks further back */

/* A busy track that is to be assessed when its packets are settled, though no more may come. */
struct pending {
	struct prefix scope;
	uint8_t kind;
	uint8_t level;
	bool probe;
	int64_t slot;
};

struct detector {
	uint64_t seed;
	uint32_t pending_count;
	struct pending pending[DETECTOR_PENDING_MAX];
	uint64_t pending_refused;
	uint64_t not_narrowed; /* scopes, for want of memory */
	uint64_t seen, taken;  /* packets; of these, in floods: never more can be booked by number than is left */
	struct incident_list list;
	struct recent_ring recent;
	uint64_t strained_pps;  /* what makes a good part of what fills the links; 0: they are not full */
	int64_t strained_until; /* slot */
};

struct detector *detector_new(uint64_t seed)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (d) {
		d->seed = seed;
		incident_list_init(&d->list, seed);
		recent_init(&d->recent, seed);
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	incident_list_fini(&d->list);
	free(d);
}

uint32_t detector_count(const struct detector *d)
{
	return d->list.count;
}

const struct incident *detector_incident(const struct detector *d, uint32_t index)
{
	return d->list.items[index];
}

struct detector_counters detector_counters(const struct detector *d)
{
	return (struct detector_counters){
		.pending_refused = d->pending_refused,
		.incidents_refused = d->list.refused,
		.no_memory = d->recent.surveys_lost + d->not_narrowed,
	};
}

/* ------------------------------------------------------------------ alarms */

/* Packets of which only the number is known, evenly over the slots in which they came. */
static void spread(struct timeline *timeline, int64_t from, int64_t to, uint64_t packets, uint64_t bytes)
{
	uint64_t slots = to > from && to - from < SPREAD_SLOTS_MAX ? (uint64_t)(to - from) + 1 : 1;

	for (uint64_t i = 0; i < slots; i++)
		timeline_add(timeline, from + (int64_t)i, packets / slots + (i < packets % slots),
		             bytes / slots + (i < bytes % slots));
}

/* The packets of a wave's beginning, from the ring. What the ring has lost is added by number. */
static void replay(struct detector *d, struct incident *inc, struct incident_part *part, const struct prefix *scope,
                   int64_t from_ns, uint64_t expected)
{
	uint64_t before = part->window->packets, bytes = part->window->bytes, replayed;
	bool shared = false; /* some were another scope's: then counts of the track are not all this one's */

	for (uint64_t i = recent_count(&d->recent); i-- > 0;) {
		struct recent *r = recent_at(&d->recent, i);
		struct keys keys;

		if (r->kind != part->kind || r->time.ns < from_ns || !prefix_contains(scope, &r->dst))
			continue;
		if (r->taken) {
			shared = true;
			continue;
		}
		keys_make(&keys, recent_whole(&d->recent, i), d->seed);
		wave_record(inc, part, recent_whole(&d->recent, i), &keys);
		recent_take(&d->recent, i);
	}
	replayed = part->window->packets - before;
	d->taken += replayed;
	/* Only where the ring does not reach back to the beginning is anything missing. */
	if (shared || recent_reaches_back(&d->recent, from_ns))
		return;
	if (replayed && expected > replayed + replayed / REPLAY_TOLERANCE + TRACK_PROMOTE) {
		uint64_t left = d->seen - d->taken, missing = expected - replayed < left ? expected - replayed : left;
		uint64_t missing_bytes = (part->window->bytes - bytes) / replayed * missing;

		spread(&inc->timeline, slot_of(from_ns),
		       slot_of(recent_at(&d->recent, recent_count(&d->recent) - 1)->time.ns), missing, missing_bytes);
		part->window->packets += missing;
		part->window->bytes += missing_bytes;
		inc->packets += missing;
		inc->bytes += missing_bytes;
		wave_last(inc)->packets += missing;
		d->taken += missing;
		wave_last(inc)->bytes += missing_bytes;
	}
}

/* Binds a track to its incident and opens a wave where none is open. */
static void raise_alarm(struct detector *d, struct track *track, const struct alarm *alarm, struct capture_time now)
{
	int64_t from_ns = slot_start_ns(alarm->from_slot);
	struct capture_time began = { from_ns };
	int32_t index = incident_list_resolve(&d->list, track->incident);
	struct track_counts counts = track_sum(track, alarm->from_slot, track->last_slot);
	uint64_t expected = track_unsettled(counts);
	struct incident_part *part;
	struct incident *inc;

	if (!recent_first(&d->recent, &track->scope, track->kind, from_ns, &began))
		return; /* what fired has been counted already */
	if (time_since(began, now) > 0)
		began = now;
	if (index >= 0 && incident_is_over(d->list.items[index], now))
		index = -1;
	if (index < 0)
		index = incident_list_find(&d->list, &track->scope, now);
	if (index < 0) {
		index = incident_list_add(&d->list, &track->scope, began, now, false);
		if (index < 0)
			return;
	}
	inc = d->list.items[index];
	part = incident_list_part(&d->list, inc, track->kind);
	if (!part)
		return;
	if (!inc->wave_open)
		wave_open(inc, began);
	replay(d, inc, part, &track->scope, from_ns, expected);
	track->incident = incident_list_gather(&d->list, index, track->kind, now);
	track->frozen = true;
}

/* ------------------------------------------------------------------ deciding */

/* One busy slot is enough for an attack that is known. */
static bool rearms(const struct incident *inc, const struct track *track, struct alarm *alarm)
{
	struct track_counts now = track_sum(track, track->last_slot, track->last_slot);
	uint64_t unsettled = track_unsettled(now);

	if (inc->wave_open || unsettled < REARM_PACKETS || unsettled * REARM_SHARE < inc->peak_packets)
		return false;
	*alarm = (struct alarm){ .from_slot = track->last_slot - 1, .window = 1 };
	return true;
}

static bool due(struct track *track)
{
	if (track->assessed_slot != track->last_slot) {
		track->assessed_slot = track->last_slot;
		track->assess_at = ASSESS_FIRST;
		return true;
	}
	if (track->now.packets >= track->assess_at) {
		track->assess_at *= 2;
		return true;
	}
	return false;
}

/* A good part of what fills the links. */
static bool is_strain(const struct detector *d, const struct track *track)
{
	int64_t slot = track->last_slot;

	return d->strained_pps && slot <= d->strained_until &&
	       track_unsettled(track_sum(track, slot - SLOTS_PER_SECOND + 1, slot)) >= d->strained_pps;
}

static bool decide(struct detector *d, struct track *track, unsigned level, struct capture_time now, bool final)
{
	const struct evidence *evidence = vector_get(track->kind)->evidence;
	int32_t index = incident_list_resolve(&d->list, track->incident);
	int64_t since = track->first_slot;
	struct alarm alarm;
	unsigned how = (final ? ASSESS_FINAL : 0u) | (is_strain(d, track) ? ASSESS_STRAINED : 0u);
	bool room;

	if (index >= 0 && incident_is_over(d->list.items[index], now)) {
		track->incident = index = -1;
		track->frozen = false;
	}
	/* Packets that an incident around it took were counted here as well. */
	if (index < 0)
		index = incident_list_find(&d->list, &track->scope, now);
	room = index >= 0 || !incident_list_is_full(&d->list);
	if (index >= 0 && level == 0 && d->list.items[index]->wave_open &&
	    !incident_is_application(d->list.items[index]))
		how |= ASSESS_WATCHED;
	if (index >= 0 && incident_find_part(d->list.items[index], track->kind) < 0)
		index = -1;
	/* A wave that is over is not to be found again in the seconds behind it. */
	if (index >= 0 && !d->list.items[index]->wave_open && slot_of(d->list.items[index]->ended.ns) >= since)
		since = slot_of(d->list.items[index]->ended.ns) + 1;
	/*
	 * Without room nothing comes of an alarm, and a closer look is dear: every other target would have it again and
	 * again.
	 */
	if (!room) {
		d->list.refused += assess(track, evidence, since, level + 1, how, &alarm);
		return false;
	}
	if (!(index >= 0 && rearms(d->list.items[index], track, &alarm)) &&
	    !(assess(track, evidence, since, level + 1, how, &alarm) &&
	      look_confirms(&d->recent, track, level, final, &alarm)) &&
	    !look_finds(&d->recent, track, level, since, final, &alarm))
		return false;
	track->surveys_vain = 0;
	raise_alarm(d, track, &alarm, now);
	return true;
}

/* Busy, and its packets may yet be answered: to be looked at again when they had time. */
static void remember(struct detector *d, struct track *track, unsigned level, bool probe)
{
	const struct evidence *e = vector_get(track->kind)->evidence;

	if (track->pending || e->settle_slots == 0 || track->now.packets < PENDING_PACKETS)
		return;
	if (d->pending_count == DETECTOR_PENDING_MAX) {
		d->pending_refused++;
		return;
	}
	track->pending = true;
	d->pending[d->pending_count++] = (struct pending){
		.scope = track->scope,
		.kind = track->kind,
		.level = (uint8_t)level,
		.probe = probe,
		.slot = track->last_slot + e->settle_slots + 1,
	};
}

static bool in_open_wave(const struct detector *d, const struct track *track)
{
	int32_t index = incident_list_resolve(&d->list, track->incident);

	return index >= 0 && d->list.items[index]->wave_open;
}

/* A wave that no packet comes to end is over as well. */
static void end_silent_waves(struct detector *d, int64_t slot)
{
	struct capture_time now = { slot_start_ns(slot) };

	for (uint32_t i = 0; i < d->list.count; i++) {
		struct incident *inc = d->list.items[i];

		if (inc->absorbed_by < 0 && inc->wave_open && inc->waves_count && wave_is_silent(inc, now))
			wave_close(inc);
	}
}

void detector_strain(struct detector *d, uint64_t pps, int64_t until_slot)
{
	d->strained_pps = pps;
	d->strained_until = until_slot;
}

void detector_tick(struct detector *d, struct track_table *tracks, struct track_table *probes, int64_t slot)
{
	end_silent_waves(d, slot);
	for (uint32_t i = 0; i < d->pending_count;) {
		struct pending p = d->pending[i];
		struct capture_time now = { slot_start_ns(p.slot) };
		struct track_key key;
		struct track *track;

		if (slot < p.slot) {
			i++;
			continue;
		}
		d->pending[i] = d->pending[--d->pending_count];
		key = track_key_of(&p.scope, p.kind, d->seed);
		track = track_find(p.probe ? probes : tracks, &key);
		if (!track)
			continue;
		track->pending = false;
		track_advance(track, p.slot);
		if (p.probe)
			scan_assess(&d->list, &d->recent, track, now, false);
		else if (!in_open_wave(d, track))
			decide(d, track, p.level, now, false);
	}
}

bool detector_observe(struct detector *d, const struct observation *o, const struct keys *keys, uint8_t kind,
                      struct track *tracks[SCOPE_LEVELS])
{
	d->seen += o->weight;
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct track *track = tracks[level];
		int32_t index = track ? incident_list_resolve(&d->list, track->incident) : -1, part;

		if (index < 0)
			continue;
		part = incident_find_part(d->list.items[index], kind);
		if (part >= 0 && wave_take(d->list.items[index], &d->list.items[index]->parts[part], o, keys)) {
			recent_push(&d->recent, o, kind, true);
			d->taken += o->weight;
			return true;
		}
		track->frozen = d->list.items[index]->wave_open;
	}
	recent_push(&d->recent, o, kind, false);
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct track *track = tracks[level];

		if (!track || !due(track))
			continue;
		if (decide(d, track, level, o->time, false))
			return true;
		remember(d, track, level, false);
	}
	return false;
}

void detector_observe_probe(struct detector *d, const struct observation *o, const struct keys *keys,
                            struct track *track)
{
	if (!track || scan_take(&d->list, &d->recent, o, keys, track) || !due(track))
		return;
	scan_assess(&d->list, &d->recent, track, o->time, false);
	remember(d, track, 0, true);
}

void detector_note(struct detector *d, const struct observation *o, const struct keys *keys, uint8_t kind,
                   uint8_t marks)
{
	for (uint32_t i = 0; i < d->list.count; i++) {
		struct incident *inc = d->list.items[i];

		if (inc->absorbed_by >= 0 || !inc->wave_open || inc->is_scan || !prefix_contains(&inc->scope, &o->dst))
			continue;
		for (uint32_t j = 0; j < inc->parts_count; j++) {
			if (inc->parts[j].kind != kind)
				continue;
			inc->parts[j].window->handshakes += marks & ROSTER_VERIFIED ? o->weight : 0;
			inc->parts[j].window->resets_back += marks & ROSTER_RESET ? o->weight : 0;
			if (inc->parts[j].roster)
				roster_mark(inc->parts[j].roster, o, keys, marks);
		}
	}
}

/* ------------------------------------------------------------------ attacks that another knows */

int32_t detector_raise(struct detector *d, const struct prefix *scope, uint8_t kind, struct capture_time began,
                       struct capture_time now)
{
	int32_t index = incident_list_find(&d->list, scope, now);
	struct incident *inc;

	if (index < 0)
		index = incident_list_add(&d->list, scope, began, now, false);
	if (index < 0)
		return -1;
	inc = d->list.items[index];
	if (!incident_list_part(&d->list, inc, kind))
		return -1;
	inc->patient = inc->patient || kind == VECTOR_SLOW_HTTP;
	if (!inc->wave_open)
		wave_open(inc, began);
	return incident_list_gather(&d->list, index, kind, now);
}

bool detector_take(struct detector *d, int32_t index, uint8_t kind, const struct observation *o,
                   const struct keys *keys)
{
	struct incident *inc;
	int32_t part;

	index = incident_list_resolve(&d->list, index);
	if (index < 0)
		return false;
	inc = d->list.items[index];
	part = incident_find_part(inc, kind);
	return part >= 0 && wave_take(inc, &inc->parts[part], o, keys);
}

bool detector_in_wave(const struct detector *d, int32_t index)
{
	index = incident_list_resolve(&d->list, index);
	return index >= 0 && d->list.items[index]->wave_open;
}

void detector_rest(struct detector *d, int32_t index)
{
	index = incident_list_resolve(&d->list, index);
	if (index < 0 || !d->list.items[index]->patient)
		return;
	d->list.items[index]->patient = false;
	if (d->list.items[index]->wave_open && incident_is_application(d->list.items[index]))
		wave_close(d->list.items[index]);
}

void detector_tell(struct detector *d, int32_t index, uint8_t kind, const struct http_facts *facts)
{
	int32_t part;

	index = incident_list_resolve(&d->list, index);
	part = index >= 0 ? incident_find_part(d->list.items[index], kind) : -1;
	if (part >= 0)
		incident_part_tell(&d->list.items[index]->parts[part], facts);
}

/* ------------------------------------------------------------------ the end */

static void end_all(struct detector *d, struct capture_time last, bool seal)
{
	for (uint32_t i = 0; i < d->list.count; i++) {
		struct incident *inc = d->list.items[i];

		if (inc->absorbed_by >= 0 || inc->sealed)
			continue;
		if (inc->wave_open) {
			bool still_on = !seal && !inc->is_scan &&
			                (inc->patient || time_since(last, inc->last_hot) <= WAVE_PAUSE_MIN_NS / 2);

			wave_close(inc);
			wave_last(inc)->open = inc->open = still_on;
		}
		inc->sealed = seal;
	}
}

void detector_break(struct detector *d, struct capture_time last)
{
	end_all(d, last, true);
	recent_clear(&d->recent);
	d->pending_count = 0;
}

static void decide_remaining(struct detector *d, struct track_table *tracks, struct capture_time last)
{
	int64_t slot = slot_of(last.ns);

	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		for (uint32_t i = 0; i < track_table_count(tracks); i++) {
			struct track *track = track_table_at(tracks, i);
			struct prefix scope = scope_at(&track->scope.address, level);

			if (!prefix_equal(&scope, &track->scope) || in_open_wave(d, track))
				continue;
			track_advance(track, slot > track->last_slot ? slot : track->last_slot);
			decide(d, track, level, last, true);
		}
	}
}

static int by_beginning(const void *left, const void *right)
{
	const struct incident *a = *(struct incident *const *)left, *b = *(struct incident *const *)right;

	if (a->began.ns != b->began.ns)
		return a->began.ns < b->began.ns ? -1 : 1;
	if (!address_equal(&a->scope.address, &b->scope.address))
		return address_compare(&a->scope.address, &b->scope.address);
	return a->id < b->id ? -1 : a->id > b->id;
}

static int by_wave_beginning(const void *left, const void *right)
{
	const struct wave *a = left, *b = right;

	if (a->began.ns != b->began.ns)
		return a->began.ns < b->began.ns ? -1 : 1;
	return a->ended.ns < b->ended.ns ? -1 : a->ended.ns > b->ended.ns;
}

void detector_finish(struct detector *d, struct track_table *tracks, struct track_table *probes,
                     struct capture_time last)
{
	uint32_t kept = 0;

	decide_remaining(d, tracks, last);
	for (uint32_t i = 0; i < track_table_count(probes); i++)
		scan_assess(&d->list, &d->recent, track_table_at(probes, i), last, true);
	end_all(d, last, false);
	scan_settle(&d->list);
	for (uint32_t i = 0; i < d->list.count; i++) {
		struct incident *inc = d->list.items[i];

		if (inc->absorbed_by >= 0 || inc->parts_count == 0) {
			incident_free(inc);
			continue;
		}
		d->not_narrowed += naming_settle(inc) < 0;
		qsort(inc->waves, inc->waves_count, sizeof(inc->waves[0]), by_wave_beginning);
		d->list.items[kept++] = inc;
	}
	d->list.count = kept;
	if (kept)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
		qsort(d->list.items, kept, sizeof(d->list.items[0]), by_beginning);
}
