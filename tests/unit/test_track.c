/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts in slots and seconds against a naive twin that keeps every slot since the beginning in a plain array;
 * promotion, forgetting, what happens when the tables are full, and clocks that jump by decades.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "measure/track.h"

#define SEED 20250310u
#define DECADE 3155760000 /* slots */

/* A key that lives as long as the block it stands in. */
#define KEY(scope, kind) (&(struct track_key[1]){ track_key_of(scope, kind, SEED) }[0])

static int new_table(void **state)
{
	*state = track_table_new(TRACK_SOURCES_SLOTS);
	return *state ? 0 : -1;
}

static int free_table(void **state)
{
	track_table_free(*state);
	return 0;
}

static struct prefix scope_of(uint32_t number)
{
	struct address address = made_ipv4(number);

	return prefix_of(&address, 32);
}

static struct track *add(struct track_table *table, uint32_t scope, int64_t slot, uint64_t source)
{
	struct prefix prefix = scope_of(scope);

	return track_add(table, KEY(&prefix, 1), slot, source, 1, true);
}

static struct track *promoted(struct track_table *table, uint32_t scope, int64_t slot)
{
	struct track *track = NULL;

	for (unsigned i = 0; i < TRACK_PROMOTE; i++)
		track = add(table, scope, slot, i);
	return track;
}

static void slots_are_absolute(void **state)
{
	static const struct {
		int64_t ns, slot;
	} rows[] = {
		{ 0, 0 },
		{ 1, 0 },
		{ 99999999, 0 },
		{ 100000000, 1 },
		{ -1, -1 },
		{ -99999999, -1 },
		{ -100000000, -1 },
		{ -100000001, -2 },
		{ INT64_MAX, 92233720368 },
		{ INT64_MIN, -92233720369 },
		{ 1741599912000000000, 17415999120 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(slot_of(rows[i].ns), rows[i].slot);
	/* Slot n covers [n, n+1) x 100 ms, below zero as above. */
	for (int64_t ns = -350000000; ns <= 350000000; ns += 12500000) {
		assert_true(slot_of(ns) * SLOT_NS <= ns);
		assert_true((slot_of(ns) + 1) * SLOT_NS > ns);
	}
}

static void a_candidate_becomes_a_track(void **state)
{
	struct track *track;
	struct track_counts counts;

	for (unsigned i = 1; i < TRACK_PROMOTE; i++)
		assert_null(add(*state, 1, -5, i));
	assert_int_equal(track_table_count(*state), 0);
	track = add(*state, 1, -5, 99);
	assert_non_null(track);
	assert_int_equal(track_table_count(*state), 1);
	assert_ptr_equal(track_table_at(*state, 0), track);
	assert_int_equal(track->kind, 1);
	assert_int_equal(track->incident, -1);
	/* None of its packets is lost by then. */
	counts = track_sum(track, -5, -5);
	assert_int_equal(counts.packets, TRACK_PROMOTE);
	assert_int_equal(counts.fresh, TRACK_PROMOTE);
	assert_int_equal(counts.settled, 0);
}

static void scope_and_kind_tell_apart(void **state)
{
	struct address address = made_ipv4(0xc0000200u);
	struct prefix narrow = prefix_of(&address, 32), wide = prefix_of(&address, 24);
	struct track *one = NULL, *two = NULL, *three = NULL;

	for (unsigned i = 0; i < TRACK_PROMOTE; i++) {
		one = track_add(*state, KEY(&narrow, 1), 0, i, 1, true);
		two = track_add(*state, KEY(&wide, 1), 0, i, 1, true);
		three = track_add(*state, KEY(&narrow, 2), 0, i, 1, true);
	}
	assert_int_equal(track_table_count(*state), 3);
	assert_ptr_equal(track_find(*state, KEY(&narrow, 1)), one);
	assert_ptr_equal(track_find(*state, KEY(&wide, 1)), two);
	assert_ptr_equal(track_find(*state, KEY(&narrow, 2)), three);
	assert_null(track_find(*state, KEY(&wide, 2)));
	assert_true(prefix_equal(&two->scope, &wide));
}

static void a_heavy_packet_promotes_at_once(void **state)
{
	struct prefix scope = scope_of(1);
	struct track *track = track_add(*state, KEY(&scope, 1), 7, 1, 1000, true);

	assert_non_null(track);
	assert_int_equal(track_sum(track, 7, 7).packets, 1000);
	assert_int_equal(track_sum(track, 7, 7).fresh, 1000);
}

/* What stands for several packets does so as a candidate too. */
static void weights_count_before_and_after_promotion(void **state)
{
	struct prefix scope = scope_of(1);
	struct track *track = NULL;

	for (unsigned i = 0; i < 10; i++)
		track = track_add(*state, KEY(&scope, 1), 7, i, 3, true);
	assert_non_null(track);
	assert_int_equal(track_sum(track, 7, 7).packets, 30);
	assert_int_equal(track_sum(track, 7, 7).fresh, 30);
}

static void a_candidate_is_forgotten(void **state)
{
	for (unsigned i = 1; i < TRACK_PROMOTE; i++)
		assert_null(add(*state, 1, 0, i));
	for (unsigned i = 1; i < TRACK_PROMOTE; i++)
		assert_null(add(*state, 1, TRACK_FORGET_SLOTS + 1, i));
	assert_non_null(add(*state, 1, TRACK_FORGET_SLOTS + 2, 99));
	/* Cleared is forgotten, tracks and candidates alike. */
	track_table_clear(*state);
	assert_int_equal(track_table_count(*state), 0);
	for (unsigned i = 1; i < TRACK_PROMOTE; i++)
		assert_null(add(*state, 1, 0, i));
}

static void settling_a_candidate(void **state)
{
	struct prefix scope = scope_of(1), other = scope_of(2);
	struct track *track = NULL;

	for (unsigned i = 0; i < 8; i++)
		(void)add(*state, 1, 0, i);
	assert_null(track_settle(*state, KEY(&scope, 1), 0, 3));
	assert_null(track_settle(*state, KEY(&other, 1), 0, 3)); /* never heard of */
	for (unsigned i = 8; i < TRACK_PROMOTE; i++)
		track = add(*state, 1, 1, i);
	assert_non_null(track);
	assert_int_equal(track_sum(track, -100, 1).settled, 3);
	assert_int_equal(track_sum(track, -100, 1).packets, TRACK_PROMOTE);
}

static void settling_never_exceeds_what_came(void **state)
{
	struct prefix scope = scope_of(1);
	struct track *track = promoted(*state, 1, 1000);

	assert_non_null(track);
	(void)add(*state, 1, 1001, 1);
	assert_ptr_equal(track_settle(*state, KEY(&scope, 1), 1000, 5), track);
	assert_int_equal(track_sum(track, 1000, 1000).settled, 5);
	assert_int_equal(track_sum(track, 1001, 1001).settled, 0);
	(void)track_settle(*state, KEY(&scope, 1), 1000, 1000000);
	assert_int_equal(track_sum(track, 1000, 1000).settled, TRACK_PROMOTE);
	assert_int_equal(track_sum(track, 1001, 1001).settled, 0);
	/* Of a slot that the ring has lost, and of one that is yet to come: nothing breaks, nothing is invented. */
	track_advance(track, 1000 + 20 * TRACK_SECONDS);
	(void)track_settle(*state, KEY(&scope, 1), 1000, 5);
	(void)track_settle(*state, KEY(&scope, 1), 1000000, 5);
	assert_int_equal(track_sum(track, 0, INT64_MAX).settled, 0);
}

/* ---- the naive twin ---- */

#define TWIN_SLOTS 20000

struct twin {
	int64_t base, last;
	struct track_counts slots[TWIN_SLOTS], seconds[TWIN_SLOTS / 10 + 2];
};

static int64_t second_of(int64_t slot)
{
	int64_t second = slot / 10;

	return slot % 10 < 0 ? second - 1 : second;
}

static struct track_counts *twin_slot(struct twin *t, int64_t slot)
{
	assert_in_range(slot - t->base, 0, TWIN_SLOTS - 1);
	return &t->slots[slot - t->base];
}

static struct track_counts *twin_second(struct twin *t, int64_t slot)
{
	return &t->seconds[second_of(slot) - second_of(t->base)];
}

static void twin_add(struct twin *t, int64_t slot, uint32_t weight, bool fresh)
{
	struct track_counts *both[2];

	t->last = slot > t->last ? slot : t->last;
	both[0] = twin_slot(t, t->last);
	both[1] = twin_second(t, t->last);
	for (unsigned i = 0; i < 2; i++) {
		both[i]->packets += weight;
		both[i]->fresh += fresh ? weight : 0;
	}
}

static void twin_settle(struct twin *t, int64_t slot, uint32_t count)
{
	struct track_counts *both[2] = { NULL, NULL };

	if (slot > t->last)
		return;
	if (slot > t->last - TRACK_SLOTS)
		both[0] = twin_slot(t, slot);
	if (second_of(slot) > second_of(t->last) - TRACK_SECONDS)
		both[1] = twin_second(t, slot);
	for (unsigned i = 0; i < 2; i++)
		if (both[i])
			both[i]->settled += both[i]->settled + count < both[i]->packets
			                            ? count
			                            : both[i]->packets - both[i]->settled;
}

static struct track_counts twin_sum(struct twin *t, int64_t from, int64_t to)
{
	struct track_counts sum = { 0, 0, 0 };
	bool fine = from > t->last - TRACK_SLOTS;
	int64_t oldest = fine ? from : 10 * (second_of(t->last) - TRACK_SECONDS + 1);

	to = to < t->last ? to : t->last;
	from = from > oldest ? from : oldest;
	if (from < t->base)
		from = t->base;
	for (int64_t s = fine ? from : second_of(from); s <= (fine ? to : second_of(to)); s++) {
		const struct track_counts *counts = fine ? twin_slot(t, s) : twin_second(t, 10 * s);

		sum.packets += counts->packets;
		sum.settled += counts->settled;
		sum.fresh += counts->fresh;
	}
	return sum;
}

static void sums_against_the_twin(void **state)
{
	static struct twin twin;
	struct prefix scope = scope_of(1);
	uint64_t draws = 1;

	for (unsigned round = 0; round < 20; round++) {
		int64_t base = round & 1 ? 17415999120 : -TWIN_SLOTS / 2 + (int64_t)made_below(&draws, 10), slot = base;
		struct track *track;

		track_table_clear(*state);
		memset(&twin, 0, sizeof(twin));
		twin.base = twin.last = base;
		track = track_add(*state, KEY(&scope, 1), slot, 0, TRACK_PROMOTE, false);
		twin_add(&twin, slot, TRACK_PROMOTE, false);
		assert_non_null(track);
		for (unsigned i = 0; i < 5000; i++) {
			uint32_t weight = 1 + made_below(&draws, 4), count = made_below(&draws, 12);
			int64_t from, to, past = made_below(&draws, 800);
			bool fresh = made_below(&draws, 2);
			struct track_counts ours, theirs;

			if (made_below(&draws, 3) == 0)
				slot += made_below(&draws, 4);
			if (made_below(&draws, 200) == 0)
				slot += made_below(&draws, 700);
			if (slot - base >= TWIN_SLOTS - 1)
				break;
			/* Some are late: they count for the present. */
			past = made_below(&draws, 9) ? slot : slot - past;
			assert_ptr_equal(track_add(*state, KEY(&scope, 1), past, i, weight, fresh), track);
			twin_add(&twin, past, weight, fresh);
			if (made_below(&draws, 2)) {
				int64_t at = slot - (int64_t)made_below(&draws, 1u << made_below(&draws, 11));

				at = at < base ? base : at;
				(void)track_settle(*state, KEY(&scope, 1), at, count);
				twin_settle(&twin, at, count);
			}
			from = slot - (int64_t)made_below(&draws, 1u << (1 + made_below(&draws, 10)));
			to = from + (int64_t)made_below(&draws, 1u << (1 + made_below(&draws, 10)));
			ours = track_sum(track, from, to);
			theirs = twin_sum(&twin, from, to);
			assert_int_equal(ours.packets, theirs.packets);
			assert_int_equal(ours.fresh, theirs.fresh);
			assert_int_equal(ours.settled, theirs.settled);
		}
	}
}

/* ---- sources, what is usual ---- */

static void sources_of_the_last_seconds(void **state)
{
	struct track *track = NULL;
	uint64_t draws = 2;

	for (uint32_t i = 0; i < 3000; i++)
		track = add(*state, 1, 100 + i / 100, made_random(&draws));
	assert_in_range(track_sources(track), 2800, 3200);
	/* In the next ten seconds they still count, twenty later not. */
	track_advance(track, 100 + TRACK_SOURCES_SLOTS);
	assert_in_range(track_sources(track), 2800, 3200);
	track_advance(track, 100 + 3 * TRACK_SOURCES_SLOTS);
	assert_int_equal(track_sources(track), 0);
	(void)add(*state, 1, 100 + 3 * TRACK_SOURCES_SLOTS, 0x123456789abcdef0u);
	assert_int_equal(track_sources(track), 1);
}

/* Generations are as long as they are asked to be. */
static void sources_of_longer_generations(void **state)
{
	struct track_table *table = track_table_new(6 * TRACK_SOURCES_SLOTS);
	struct track *track = NULL;
	uint64_t draws = 3;

	(void)state;
	assert_non_null(table);
	for (uint32_t i = 0; i < 3000; i++)
		track = add(table, 1, (int64_t)i * 6 * TRACK_SOURCES_SLOTS / 3000, made_random(&draws));
	assert_in_range(track_sources(track), 2800, 3200);
	track_advance(track, 11 * TRACK_SOURCES_SLOTS);
	assert_in_range(track_sources(track), 2800, 3200);
	track_advance(track, 18 * TRACK_SOURCES_SLOTS);
	assert_int_equal(track_sources(track), 0);
	track_table_free(table);
}

static void what_is_usual_is_learned_unless_frozen(void **state)
{
	struct track *track = promoted(*state, 1, 0);
	struct track before;

	assert_non_null(track);
	for (int64_t slot = 0; slot < 40000; slot++)
		for (unsigned i = 0; i < 5; i++)
			(void)add(*state, 1, slot, i);
	/* 50 a second, for more than an hour. */
	assert_in_range(track->learned_seconds, TRACK_LEARN_MAX / 2, 4000);
	assert_in_range(track->learned_packets / track->learned_seconds, 45, 55);
	assert_in_range(track->learned_unsettled / track->learned_seconds, 45, 55);
	assert_false(track->heard);
	before = *track;
	track->frozen = true;
	for (int64_t slot = 40000; slot < 41000; slot++)
		for (unsigned i = 0; i < 500; i++)
			(void)add(*state, 1, slot, i);
	assert_int_equal(track->learned_seconds, before.learned_seconds);
	assert_int_equal(track->learned_packets, before.learned_packets);
	assert_int_equal(track->learned_unsettled, before.learned_unsettled);
}

/* Four a second since days, and nothing handed on of any other. */
static void remember(struct track_table *table, uint32_t scope)
{
	struct usual usual = { .scope = scope_of(scope), .kind = 1, .known_s = 2 * 86400, .packets = 4000 };

	for (int64_t second = -2LL * 86400; second < 0; second++)
		for (unsigned i = 0; i < USUAL_SEASONS; i++)
			season_learn(&usual.seasons[i], second, 4);
	assert_int_equal(track_table_remember(table, &usual, 1, SEED), 0);
}

static uint64_t known_s(const struct track_table *table, int64_t slot)
{
	static struct usual usual[USUAL_MAX];

	assert_int_equal(track_table_usual(table, 100, slot, usual), 1);
	return usual[0].seasons[USUAL_PACKETS].known_s - 2ull * 86400;
}

static void hours_go_on(void **state)
{
	struct track_table *table = *state;
	struct track *track;

	remember(table, 1);
	assert_int_equal(known_s(table, 5000), 0);
	(void)add(table, 2, 0, 1);
	/* Never seen: silence is known since the first packet of any, up to an hour of it. */
	assert_int_equal(known_s(table, 1000), 100 - TRACK_LEARN_DELAY + 1);
	assert_int_equal(known_s(table, 100000), 3600);
	track = promoted(table, 1, 300);
	assert_non_null(track);
	assert_non_null(track_usual(track));
	for (int64_t slot = 300; slot < 1000; slot++)
		(void)add(table, 1, slot, 1);
	/* The silence before, and all seconds since but the latest. */
	assert_int_equal(known_s(table, 1000), 100 - TRACK_LEARN_DELAY);
	assert_in_range(season_expected(&track_usual(track)->seasons[USUAL_PACKETS], 99), 3, 5);
	/* What came in an attack counts for nothing, silence neither. */
	track->frozen = true;
	for (int64_t slot = 1000; slot < 2000; slot++)
		for (unsigned i = 0; i < 50; i++)
			(void)add(table, 1, slot, i);
	assert_int_equal(known_s(table, 2000), 100 - TRACK_LEARN_DELAY);
	assert_int_equal(known_s(table, 20000), 100 - TRACK_LEARN_DELAY);
	track->frozen = false;
	for (int64_t slot = 2000; slot < 2200; slot++)
		(void)add(table, 1, slot, 1);
	assert_int_equal(known_s(table, 2200), 100 - TRACK_LEARN_DELAY + 20);
	assert_in_range(season_expected(&track_usual(track)->seasons[USUAL_PACKETS], 219), 3, 6);
	/* Silent since, and it is known to be. */
	assert_int_equal(known_s(table, 4200), 100 - TRACK_LEARN_DELAY + 20 + 200 + 1);
	/* The clock is set back: what is known stays, seconds count anew. */
	track_table_clear(table);
	assert_int_equal(known_s(table, 0), 100 - TRACK_LEARN_DELAY + 20);
	assert_non_null(promoted(table, 1, 0));
	for (int64_t slot = 0; slot < 300; slot++)
		(void)add(table, 1, slot, 1);
	assert_int_equal(known_s(table, 300), 100 - TRACK_LEARN_DELAY + 20 + 30 - TRACK_LEARN_DELAY);
}

static void what_is_not_remembered_has_no_hours(void **state)
{
	const struct track *track;

	remember(*state, 1);
	track = promoted(*state, 2, 0);
	assert_non_null(track);
	assert_null(track_usual(track));
}

/* What comes now is not part of what is usual before it is TRACK_LEARN_DELAY seconds old. */
static void learning_lags_behind(void **state)
{
	struct track *track = promoted(*state, 1, 0);

	assert_non_null(track);
	track_advance(track, 600);
	(void)add(*state, 1, 600, 1);
	for (unsigned i = 1; i < 1000; i++)
		(void)add(*state, 1, 600, i);
	track_advance(track, 600 + 10 * (TRACK_LEARN_DELAY - 1));
	assert_in_range(track->learned_packets, 0, TRACK_PROMOTE);
	track_advance(track, 600 + 10 * (TRACK_LEARN_DELAY + 2));
	assert_in_range(track->learned_packets, 1000, 1000 + TRACK_PROMOTE);
}

static void what_was_settled_is_not_usual(void **state)
{
	struct prefix scope = scope_of(1);
	struct track *track = promoted(*state, 1, 0);

	assert_non_null(track);
	for (int64_t slot = 0; slot < 20000; slot++) {
		for (unsigned i = 0; i < 5; i++)
			(void)add(*state, 1, slot, i);
		(void)track_settle(*state, KEY(&scope, 1), slot, 5);
	}
	assert_true(track->heard);
	assert_in_range(track->learned_packets / track->learned_seconds, 45, 55);
	assert_in_range(track->learned_unsettled, 0, TRACK_PROMOTE);
}

/* ---- clocks ---- */

static void jumps_of_decades(void **state)
{
	struct track *track = promoted(*state, 1, -3 * DECADE);

	assert_non_null(track);
	/* One slot at a time this would take years. */
	for (int64_t i = 0; i < 20000; i++) {
		int64_t slot = -3 * DECADE + (i + 1) * (DECADE / 4000);

		assert_ptr_equal(add(*state, 1, slot, (uint64_t)i), track);
		assert_int_equal(track_sum(track, slot - 5000, slot).packets, 1);
		assert_int_equal(track_sum(track, INT64_MIN / 2, INT64_MAX / 2).packets, 1);
	}
	/* Back: late packets count for the present slot. */
	assert_ptr_equal(add(*state, 1, -4 * DECADE, 1), track);
	assert_int_equal(track_sum(track, track->last_slot, track->last_slot).packets, 2);
	track_advance(track, -4 * DECADE);
	assert_int_equal(track_sum(track, track->last_slot, track->last_slot).packets, 2);
	/* The ends of time. */
	track_advance(track, slot_of(INT64_MAX));
	assert_int_equal(track_sum(track, INT64_MIN / 2, INT64_MAX / 2).packets, 0);
}

/* ---- full tables ---- */

static void every_track_taken(void **state)
{
	const struct track_counters *counters = track_table_counters(*state);
	struct track *held, *silent;

	for (uint32_t i = 0; i < TRACK_MAX; i++)
		(void)promoted(*state, i, 100 + i / 2048);
	/* Buckets of candidates have a bound too, so that a few may have found no room. */
	for (uint32_t i = TRACK_MAX; track_table_count(*state) < TRACK_MAX; i++)
		(void)promoted(*state, i, 101);
	assert_int_equal(counters->tracks_pushed_out, 0);
	assert_null(promoted(*state, 1000001, 102));
	assert_true(counters->tracks_refused > 0);
	assert_int_equal(track_table_count(*state), TRACK_MAX);
	/* The longest silent goes, but not one that an incident holds. */
	held = track_table_at(*state, 0);
	held->incident = 5;
	silent = track_table_at(*state, 1);
	assert_true(silent->last_slot == 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_non_null(promoted(*state, 2000000 + i, 200));
		assert_int_equal(track_table_count(*state), TRACK_MAX);
		assert_int_equal(counters->tracks_pushed_out, i + 1);
	}
	assert_ptr_equal(track_table_at(*state, 0), held);
	assert_int_equal(held->incident, 5);
	for (uint32_t i = 0; i < 100; i++) {
		struct prefix scope = scope_of(2000000 + i);

		assert_non_null(track_find(*state, KEY(&scope, 1)));
	}
	/* What was pushed out is nowhere to be found, and what is found is what was asked for. */
	for (uint32_t i = 0; i < TRACK_MAX; i++) {
		struct prefix scope = scope_of(i);
		const struct track *track = track_find(*state, KEY(&scope, 1));

		assert_true(!track || prefix_equal(&track->scope, &scope));
	}
}

static void a_flood_of_scopes(void **state)
{
	uint64_t draws = 3;
	struct track *track;

	/* Scopes without end, one packet each; one among them is busy. */
	for (uint32_t i = 0; i < 400000; i++) {
		assert_null(add(*state, 0x40000000u + i, i / 10000, made_random(&draws)));
		if (i % 5000 == 0)
			(void)add(*state, 7, i / 10000, i);
	}
	assert_int_equal(track_table_count(*state), 1);
	track = track_table_at(*state, 0);
	assert_true(track->scope.address.octets[15] == 7);
	assert_in_range(track_table_counters(*state)->candidates_pushed_out, 400000 - (1u << TRACK_CANDIDATE_BITS),
	                400000);
	assert_int_equal(track_table_counters(*state)->tracks_pushed_out, 0);
}

/*
 * Bounds that are hit are counted: whoever got no track after so many packets in a row was refused, and that stands
 * somewhere.
 */
static void what_is_refused_is_counted(void **state)
{
	const struct track_counters *counters = track_table_counters(*state);
	unsigned uncounted = 0;

	for (uint32_t i = 0; i < 60000; i++) {
		uint64_t before = counters->tracks_refused + counters->candidates_pushed_out;

		if (!promoted(*state, i, 5))
			uncounted += counters->tracks_refused + counters->candidates_pushed_out == before;
	}
	assert_int_equal(uncounted, 0);
}

static void the_order_is_fixed(void **state)
{
	struct track_table *other = track_table_new(TRACK_SOURCES_SLOTS);
	uint64_t draws = 4;

	assert_non_null(other);
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t scope = made_below(&draws, 1u << made_below(&draws, 14));

		(void)add(*state, scope, i / 100, i);
		(void)add(other, scope, i / 100, i);
	}
	assert_int_equal(track_table_count(*state), track_table_count(other));
	assert_true(track_table_count(other) > 1000);
	for (uint32_t i = 0; i < track_table_count(other); i++)
		assert_true(prefix_equal(&track_table_at(*state, i)->scope, &track_table_at(other, i)->scope));
	track_table_free(other);
	track_table_free(NULL);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, new_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_absolute),
		WITH_TABLE(a_candidate_becomes_a_track),
		WITH_TABLE(scope_and_kind_tell_apart),
		WITH_TABLE(a_heavy_packet_promotes_at_once),
		WITH_TABLE(weights_count_before_and_after_promotion),
		WITH_TABLE(a_candidate_is_forgotten),
		WITH_TABLE(settling_a_candidate),
		WITH_TABLE(settling_never_exceeds_what_came),
		WITH_TABLE(sums_against_the_twin),
		WITH_TABLE(sources_of_the_last_seconds),
		cmocka_unit_test(sources_of_longer_generations),
		WITH_TABLE(what_is_usual_is_learned_unless_frozen),
		WITH_TABLE(learning_lags_behind),
		WITH_TABLE(what_was_settled_is_not_usual),
		WITH_TABLE(hours_go_on),
		WITH_TABLE(what_is_not_remembered_has_no_hours),
		WITH_TABLE(jumps_of_decades),
		WITH_TABLE(every_track_taken),
		WITH_TABLE(a_flood_of_scopes),
		WITH_TABLE(what_is_refused_is_counted),
		WITH_TABLE(the_order_is_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
