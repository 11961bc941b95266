/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define WAYS 4
#define BUCKETS ((1u << TRACK_CANDIDATE_BITS) / WAYS)
#define NO_TRACK UINT32_MAX
#define LOOK_BEHIND 8
#define SILENCE_MAX_S 3600 /* of it, that seasons learn at once */
#define NOT_YET INT64_MIN
#define FORGOTTEN_SLOTS 6000 /* ten minutes of silence: no incident waits so long for another wave */

struct candidate {
	uint64_t identity; /* 0 = free */
	uint32_t last_slot;
	uint32_t packets;
	uint32_t track;
	uint32_t fresh, settled;
	bool heard;
};

_Static_assert(sizeof(struct candidate) == 32, "a candidate is half a cache line");

#define CANDIDATES_SIZE (sizeof(struct candidate) * WAYS * BUCKETS)
#define TRACKS_SIZE (sizeof(struct track) * TRACK_MAX)

/* What was usual before, by the identity of the track that it is of. Its seasons go on. */
struct track_memory {
	uint64_t identity;
	int64_t until; /* the second up to which they have learned; NOT_YET */
	struct usual usual;
};

struct track_table {
	uint32_t generation_slots;
	struct track_counters counters;
	uint32_t used;
	uint32_t hand;      /* where the search for a silent track goes on */
	uint32_t looked_at; /* tracks, in searched_slot: once round is enough */
	int64_t searched_slot;
	bool begun;
	int64_t first_slot;                   /* of anything counted here: since then silence is known to be silence */
	struct candidate (*candidates)[WAYS]; /* BUCKETS of them, each on two whole cache lines */
	struct track *tracks;                 /* TRACK_MAX of them; memory that none has touched takes no room */
	uint64_t identities[TRACK_MAX];
	uint32_t remembered;
	struct track_memory *memories; /* in the order of their identities; NULL where there are none */
};

struct track_table *track_table_new(uint32_t generation_slots)
{
	struct track_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->generation_slots = generation_slots;
	table->searched_slot = INT64_MIN;
	table->candidates = memory_table_new(CANDIDATES_SIZE);
	table->tracks = memory_table_new(TRACKS_SIZE);
	if (!table->candidates || !table->tracks) {
		track_table_free(table);
		return NULL;
	}
	return table;
}

void track_table_free(struct track_table *table)
{
	if (!table)
		return;
	memory_table_free(table->candidates, CANDIDATES_SIZE);
	memory_table_free(table->tracks, TRACKS_SIZE);
	free(table->memories);
	free(table);
}

void track_table_clear(struct track_table *table)
{
	memset(table->candidates, 0, CANDIDATES_SIZE);
	table->used = table->hand = 0;
	table->searched_slot = INT64_MIN;
	table->begun = false;
	/* Seconds are counted anew. */
	for (uint32_t i = 0; i < table->remembered; i++)
		table->memories[i].until = NOT_YET;
}

const struct track_counters *track_table_counters(const struct track_table *table)
{
	return &table->counters;
}

uint32_t track_table_count(const struct track_table *table)
{
	return table->used;
}

struct track *track_table_at(struct track_table *table, uint32_t index)
{
	return &table->tracks[index];
}

struct track_key track_key_of(const struct prefix *scope, uint8_t kind, uint64_t seed)
{
	uint64_t half[2];

	memcpy(half, scope->address.octets, sizeof(half));
	return (struct track_key){
		.identity = track_identity(track_scope_hash(half, scope->length, seed), kind),
		.address = &scope->address,
		.length = scope->length,
		.kind = kind,
	};
}

_Static_assert((TRACK_SLOTS & (TRACK_SLOTS - 1)) == 0, "a ring index is a mask");
_Static_assert((TRACK_SECONDS & (TRACK_SECONDS - 1)) == 0, "a ring index is a mask");

static void learn_season(struct track_memory *m, int64_t second, uint64_t packets, uint64_t unsettled)
{
	season_learn(&m->usual.seasons[USUAL_PACKETS], second, packets);
	season_learn(&m->usual.seasons[USUAL_UNSETTLED], second, unsettled);
	m->until = second;
}

/* Up to `second` nothing came. */
static void learn_silence(struct track_memory *m, int64_t second)
{
	int64_t from = m->until + 1;

	if (second - from >= SILENCE_MAX_S)
		from = second - SILENCE_MAX_S + 1;
	for (; from <= second; from++)
		learn_season(m, from, 0, 0);
}

static void learn(struct track *t, int64_t at, const struct track_slot *second)
{
	uint64_t unsettled = second->packets > second->settled ? second->packets - second->settled : 0;
	struct track_memory *m = t->memory;

	if (m && at > m->until && t->frozen) {
		m->until = at;
	} else if (m && at > m->until) {
		learn_silence(m, at - 1);
		learn_season(m, at, second->packets, unsettled);
	}
	if (t->frozen)
		return;
	t->learned_packets += second->packets;
	t->learned_unsettled += unsettled;
	if (++t->learned_seconds >= TRACK_LEARN_MAX) {
		t->learned_seconds /= 2;
		t->learned_packets /= 2;
		t->learned_unsettled /= 2;
	}
}

/* Behind the generation that holds `slot`. */
static int64_t generation_end(int64_t slot, uint32_t generation_slots)
{
	return (slot_floor_div(slot, generation_slots) + 1) * generation_slots;
}

static void next_generation(struct track *t, int64_t slot)
{
	int64_t end = generation_end(slot, t->generation_slots);

	if (end == t->generation_end + t->generation_slots)
		t->sources[1] = t->sources[0];
	else
		memset(&t->sources[1], 0, sizeof(t->sources[1]));
	memset(&t->sources[0], 0, sizeof(t->sources[0]));
	t->stood_for[1] = end == t->generation_end + t->generation_slots ? t->stood_for[0] : 0;
	t->samples[1] = end == t->generation_end + t->generation_slots ? t->samples[0] : 0;
	t->stood_for[0] = t->samples[0] = 0;
	t->generation_end = end;
}

void track_advance(struct track *t, int64_t slot)
{
	int64_t steps = slot - t->last_slot, second, last_second;

	if (steps <= 0)
		return;
	second = slot_second(slot);
	last_second = slot_second(t->last_slot);
	t->slots[slot_ring_index(t->last_slot, TRACK_SLOTS)] = t->now;
	t->now = (struct track_slot){ 0 };
	for (int64_t i = 1; i < steps && i <= TRACK_SLOTS; i++)
		t->slots[slot_ring_index(t->last_slot + i, TRACK_SLOTS)] = (struct track_slot){ 0 };
	if (second != last_second) {
		t->seconds[slot_ring_index(last_second, TRACK_SECONDS)] = t->second;
		t->second = (struct track_slot){ 0 };
	}
	for (int64_t i = 1; i <= second - last_second && i <= TRACK_SECONDS; i++) {
		if (last_second + i - TRACK_LEARN_DELAY >= slot_second(t->first_slot))
			learn(t, last_second + i - TRACK_LEARN_DELAY,
			      &t->seconds[slot_ring_index(last_second + i - TRACK_LEARN_DELAY, TRACK_SECONDS)]);
		t->seconds[slot_ring_index(last_second + i, TRACK_SECONDS)] = (struct track_slot){ 0 };
	}
	if (slot >= t->generation_end)
		next_generation(t, slot);
	t->last_slot = slot;
}

/* No branch depends on which way it is: that is as good as random, and half of all guesses would be wrong. */
static struct candidate *find(struct track_table *table, uint64_t identity)
{
	struct candidate *bucket = table->candidates[identity >> 24 & (BUCKETS - 1)];
	unsigned way = WAYS;

	for (unsigned i = WAYS; i-- > 0;)
		way = bucket[i].identity == identity ? i : way;
	return way < WAYS ? &bucket[way] : NULL;
}

void track_prefetch(const struct track_table *table, uint64_t identity)
{
	const char *bucket = (const char *)table->candidates[identity >> 24 & (BUCKETS - 1)];

	__builtin_prefetch(bucket, 1);
	__builtin_prefetch(bucket + MEMORY_LINE, 1);
}

void *track_seek(struct track_table *table, uint64_t identity, uint64_t source)
{
	struct candidate *c = find(table, identity);

	if (c && c->track != NO_TRACK) {
		const struct track *t = &table->tracks[c->track];

		__builtin_prefetch(t, 1);
		__builtin_prefetch(&t->sources[0].registers[source >> (64 - HLL_PRECISION)], 1);
	}
	return c;
}

static struct candidate *candidate_of(struct track_table *table, const struct track_key *key)
{
	struct candidate *c = key->hint;

	return c && c->identity == key->identity ? c : find(table, key->identity);
}

/* How well a candidate can be missed: a free place best, then the longest silent; 0: it stays, for it has a track. */
static uint64_t spare(const struct candidate *c, int64_t slot)
{
	if (c->identity == 0)
		return UINT64_MAX;
	return c->track == NO_TRACK ? (uint64_t)((uint32_t)slot - c->last_slot) + 1 : 0;
}

static struct candidate *make_candidate(struct track_table *table, uint64_t identity, int64_t slot)
{
	struct candidate *bucket = table->candidates[identity >> 24 & (BUCKETS - 1)], *victim = &bucket[0];
	uint64_t most = spare(victim, slot);

	for (unsigned i = 1; i < WAYS; i++) {
		uint64_t other = spare(&bucket[i], slot);

		victim = other > most ? &bucket[i] : victim;
		most = other > most ? other : most;
	}
	if (most == 0)
		return NULL;
	if (victim->identity)
		table->counters.candidates_pushed_out++;
	*victim = (struct candidate){ .identity = identity, .track = NO_TRACK, .last_slot = (uint32_t)slot };
	return victim;
}

static bool is_silent(const struct track *t, int64_t slot)
{
	return (t->incident < 0 || slot - t->last_slot > FORGOTTEN_SLOTS) && slot - t->last_slot > SLOTS_PER_SECOND;
}

/*
 * A silent track that no incident holds: the first from the hand on, or a longer silent one just behind it. Where the
 * hand went round within this slot, nothing more will be silent in it: a flood of targets costs a glance a packet, not
 * a search.
 */
static uint32_t silent_track(struct track_table *table, int64_t slot)
{
	uint32_t best;

	if (table->searched_slot != slot) {
		table->searched_slot = slot;
		table->looked_at = 0;
	}
	while (table->looked_at < table->used && !is_silent(&table->tracks[table->hand], slot)) {
		table->looked_at++;
		table->hand = (table->hand + 1) % table->used;
	}
	if (table->looked_at == table->used)
		return NO_TRACK;
	best = table->hand;
	for (uint32_t i = 1; i < LOOK_BEHIND; i++) {
		uint32_t other = (table->hand + i) % table->used;

		if (is_silent(&table->tracks[other], slot) &&
		    table->tracks[other].last_slot < table->tracks[best].last_slot)
			best = other;
	}
	return best;
}

static int by_identity(const void *left, const void *right)
{
	const struct track_memory *a = left, *b = right;

	return (a->identity > b->identity) - (a->identity < b->identity);
}

static struct track_memory *recall(const struct track_table *table, uint64_t identity)
{
	const struct track_memory wanted = { .identity = identity };

	return table->remembered ? bsearch(&wanted, table->memories, table->remembered, sizeof(wanted), by_identity)
	                         : NULL;
}

int track_table_remember(struct track_table *table, const struct usual *usual, uint32_t count, uint64_t seed)
{
	struct track_memory *made;

	if (count > USUAL_MAX)
		count = USUAL_MAX;
	made = calloc(count ? count : 1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		made[i] =
			(struct track_memory){ .identity = track_key_of(&usual[i].scope, usual[i].kind, seed).identity,
			                       .until = NOT_YET,
			                       .usual = usual[i] };
	qsort(made, count, sizeof(*made), by_identity);
	free(table->memories);
	table->memories = made;
	table->remembered = count;
	return 0;
}

/* Where it has been learned before, it begins with that, as if it had been watched for so long. */
static void begin_with_usual(struct track *t, const struct usual *usual)
{
	t->learned_seconds = usual->known_s < TRACK_LEARN_MAX ? (uint32_t)usual->known_s : TRACK_LEARN_MAX - 1;
	t->learned_packets = usual->packets * t->learned_seconds / 1000;
	t->learned_unsettled = usual->unsettled * t->learned_seconds / 1000;
}

static void begin_season(const struct track_table *table, struct track_memory *m)
{
	if (m->until == NOT_YET)
		m->until = slot_second(table->first_slot) - 1;
}

static struct usual usual_of(const struct track *t, uint64_t seconds)
{
	return (struct usual){ .scope = t->scope,
		               .kind = t->kind,
		               .known_s = seconds,
		               .packets = t->learned_packets * 1000 / t->learned_seconds,
		               .unsettled = t->learned_unsettled * 1000 / t->learned_seconds };
}

static int known_longest(const void *left, const void *right)
{
	const struct usual *a = left, *b = right;

	if (a->known_s != b->known_s)
		return a->known_s > b->known_s ? -1 : 1;
	return usual_compare(a, b);
}

static int in_order(const void *left, const void *right)
{
	return usual_compare(left, right);
}

const struct usual *track_usual(const struct track *t)
{
	return t->memory && season_is_settled(&t->memory->usual.seasons[USUAL_PACKETS]) ? &t->memory->usual : NULL;
}

/* What was remembered, of a track that is there or not, with the silence since. */
static struct usual remembered(const struct track_table *table, const struct track_memory *was, const struct track *t,
                               int64_t slot)
{
	struct track_memory now = *was;

	if (!table->begun)
		return now.usual;
	begin_season(table, &now);
	if (!t || (!t->frozen && slot_second(slot) - slot_second(t->last_slot) > TRACK_SECONDS))
		learn_silence(&now, slot_second(slot) - TRACK_LEARN_DELAY);
	return now.usual;
}

int track_table_usual(const struct track_table *table, uint64_t seconds, int64_t slot, struct usual *usual)
{
	struct usual *all = calloc((size_t)table->used + table->remembered + 1, sizeof(*all));
	const struct track **tracks = calloc((size_t)table->remembered + 1, sizeof(const struct track *));
	uint32_t count = 0;

	if (!all || !tracks) {
		free(all);
		free(tracks);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < table->used; i++) {
		const struct track *t = &table->tracks[i];

		if (t->memory)
			tracks[t->memory - table->memories] = t;
		else if (!t->frozen && t->learned_seconds >= TRACK_LEARN_ENOUGH)
			all[count++] = usual_of(t, seconds);
	}
	for (uint32_t i = 0; i < table->remembered; i++) {
		struct usual was = remembered(table, &table->memories[i], tracks[i], slot), is;

		if (tracks[i] && !tracks[i]->frozen && tracks[i]->learned_seconds >= TRACK_LEARN_ENOUGH) {
			is = usual_of(tracks[i], seconds);
			was = usual_after(&was, &is, seconds);
		}
		all[count++] = was;
	}
	if (count > USUAL_MAX) {
		qsort(all, count, sizeof(*all), known_longest);
		count = USUAL_MAX;
	}
	qsort(all, count, sizeof(*all), in_order);
	memcpy(usual, all, count * sizeof(*all));
	free(all);
	free(tracks);
	return (int)count;
}

static struct track *promote(struct track_table *table, struct candidate *c, const struct track_key *key, int64_t slot)
{
	uint32_t index = table->used;
	struct track_memory *was;
	struct track *t;

	if (index == TRACK_MAX) {
		struct candidate *old;

		index = silent_track(table, slot);
		if (index == NO_TRACK) {
			table->counters.tracks_refused++;
			return NULL;
		}
		old = find(table, table->identities[index]);
		if (old)
			old->identity = 0;
		table->counters.tracks_pushed_out++;
	} else {
		table->used++;
	}
	t = &table->tracks[index];
	*t = (struct track){ .scope = prefix_of(key->address, key->length),
		             .kind = key->kind,
		             .first_slot = slot,
		             .last_slot = slot,
		             .incident = -1,
		             .generation_end = generation_end(slot, table->generation_slots),
		             .generation_slots = table->generation_slots,
		             .assessed_slot = slot,
		             .heard = c->heard };
	/* Silence before its first packet is known, too. */
	if (slot - table->first_slot >= SLOTS_PER_SECOND) {
		int64_t silent = (slot - table->first_slot) / SLOTS_PER_SECOND;

		t->learned_seconds = (uint32_t)(silent < TRACK_LEARN_MAX ? silent : TRACK_LEARN_MAX);
	}
	was = recall(table, c->identity);
	if (was) {
		begin_with_usual(t, &was->usual);
		begin_season(table, was);
		t->memory = was;
	}
	table->identities[index] = c->identity;
	c->track = index;
	/* What it had as a candidate counts for the present slot. */
	t->now = (struct track_slot){ .packets = c->packets, .settled = c->settled, .fresh = c->fresh };
	t->second = t->now;
	return t;
}

static uint32_t saturated(uint32_t count, uint32_t weight)
{
	return count > UINT32_MAX - weight ? UINT32_MAX : count + weight;
}

static void count_in(struct track_slot *slot, uint32_t weight, bool fresh)
{
	slot->packets = saturated(slot->packets, weight);
	if (fresh)
		slot->fresh = saturated(slot->fresh, weight);
}

/* A late packet counts for the present slot. */
static inline struct track *count(struct track *t, uint64_t source, uint32_t weight, bool fresh)
{
	count_in(&t->now, weight, fresh);
	count_in(&t->second, weight, fresh);
	hll_add(&t->sources[0], source);
	if (weight > 1) {
		t->stood_for[0] += weight;
		t->samples[0]++;
	}
	return t;
}

/* The track that it is counted in, brought up to the slot; NULL while it is a candidate. */
__attribute__((noinline)) static struct track *track_to_count(struct track_table *table, const struct track_key *key,
                                                              int64_t slot, uint32_t weight, bool fresh)
{
	struct candidate *c = candidate_of(table, key);
	struct track *t;

	if (!table->begun) {
		table->begun = true;
		table->first_slot = slot;
	}
	if (!c)
		c = make_candidate(table, key->identity, slot);
	if (!c) {
		table->counters.tracks_refused++;
		return NULL;
	}
	if (c->track != NO_TRACK) {
		t = &table->tracks[c->track];
		if (slot > t->last_slot)
			track_advance(t, slot);
		return t;
	}
	if ((uint32_t)slot - c->last_slot > TRACK_FORGET_SLOTS)
		c->packets = c->fresh = c->settled = 0;
	c->last_slot = (uint32_t)slot;
	if (saturated(c->packets, weight) >= TRACK_PROMOTE)
		return promote(table, c, key, slot);
	c->packets += weight;
	c->fresh += fresh ? weight : 0;
	return NULL;
}

struct track *track_add(struct track_table *table, const struct track_key *key, int64_t slot, uint64_t source,
                        uint32_t weight, bool fresh)
{
	const struct candidate *c = key->hint;
	struct track *t;

	/* Nearly all of a flood: what it is counted in is known, and has been counted in within this slot. */
	if (c && c->identity == key->identity && c->track != NO_TRACK) {
		t = &table->tracks[c->track];
		if (slot <= t->last_slot)
			return count(t, source, weight, fresh);
	}
	t = track_to_count(table, key, slot, weight, fresh);
	return t ? count(t, source, weight, fresh) : NULL;
}

struct track *track_find(struct track_table *table, const struct track_key *key)
{
	const struct candidate *c = candidate_of(table, key);

	return c && c->track != NO_TRACK ? &table->tracks[c->track] : NULL;
}

/* Returns how many of them the slot had no room for. */
static uint32_t settle_in(struct track_slot *slot, uint32_t count)
{
	uint32_t open = slot->packets > slot->settled ? slot->packets - slot->settled : 0;
	uint32_t here = count < open ? count : open;

	slot->settled += here;
	return count - here;
}

static struct track_slot *slot_at(struct track *t, int64_t slot)
{
	return slot == t->last_slot ? &t->now : &t->slots[slot_ring_index(slot, TRACK_SLOTS)];
}

static struct track_slot *second_at(struct track *t, int64_t second)
{
	return second == slot_second(t->last_slot) ? &t->second : &t->seconds[slot_ring_index(second, TRACK_SECONDS)];
}

struct track *track_settle(struct track_table *table, const struct track_key *key, int64_t slot, uint32_t count)
{
	struct candidate *c = candidate_of(table, key);
	struct track *t;
	int64_t behind;

	if (!c)
		return NULL;
	if (c->track == NO_TRACK) {
		c->heard = true;
		c->settled += count < c->packets - c->settled ? count : c->packets - c->settled;
		return NULL;
	}
	t = &table->tracks[c->track];
	t->heard = true;
	if (slot < t->first_slot)
		slot = t->first_slot; /* packets it had as a candidate were booked there */
	if (slot > t->last_slot)
		return t;
	if (t->last_slot - slot < TRACK_SLOTS)
		(void)settle_in(slot_at(t, slot), count);
	behind = slot_second(t->last_slot) - slot_second(slot);
	if (behind < TRACK_SECONDS)
		(void)settle_in(second_at(t, slot_second(slot)), count);
	return t;
}

void track_settle_lately(struct track_table *table, const struct track_key *key, int64_t slot, uint32_t count)
{
	const struct candidate *c = candidate_of(table, key);
	uint32_t left = count;
	struct track *t;
	int64_t second;

	if (!c || c->track == NO_TRACK) {
		(void)track_settle(table, key, slot, count);
		return;
	}
	t = &table->tracks[c->track];
	t->heard = true;
	if (slot > t->last_slot)
		slot = t->last_slot;
	for (int64_t s = slot; left && s >= t->first_slot && slot - s < TRACK_LATELY && t->last_slot - s < TRACK_SLOTS;
	     s--)
		left = settle_in(slot_at(t, s), left);
	second = slot_second(slot);
	left = slot_second(t->last_slot) - second < TRACK_SECONDS ? settle_in(second_at(t, second), count) : 0;
	if (left && second > slot_second(t->first_slot) && slot_second(t->last_slot) - second + 1 < TRACK_SECONDS)
		(void)settle_in(second_at(t, second - 1), left);
}

static void sum_in(struct track_counts *sum, const struct track_slot *slot)
{
	sum->packets += slot->packets;
	sum->settled += slot->settled;
	sum->fresh += slot->fresh;
}

struct track_counts track_sum(const struct track *t, int64_t from, int64_t to)
{
	struct track_counts sum = { 0 };
	int64_t oldest = t->last_slot - TRACK_SLOTS + 1;

	if (to > t->last_slot)
		to = t->last_slot;
	if (from < oldest) {
		int64_t second = slot_second(from);
		int64_t until = slot_second(to);
		int64_t last_second = slot_second(t->last_slot);
		int64_t oldest_second = last_second - TRACK_SECONDS + 1;

		if (second < oldest_second)
			second = oldest_second;
		for (; second <= until; second++)
			sum_in(&sum, second == last_second ? &t->second
			                                   : &t->seconds[slot_ring_index(second, TRACK_SECONDS)]);
		return sum;
	}
	for (; from <= to; from++)
		sum_in(&sum, from == t->last_slot ? &t->now : &t->slots[slot_ring_index(from, TRACK_SLOTS)]);
	return sum;
}

uint64_t track_sources(const struct track *t)
{
	struct hll both = t->sources[0];
	uint64_t seen, samples, stood_for, twice, likely;

	hll_merge(&both, &t->sources[1]);
	seen = hll_estimate(&both);
	samples = t->samples[0] + t->samples[1];
	stood_for = t->stood_for[0] + t->stood_for[1];
	if (samples == 0)
		return seen;
	twice = samples > seen ? samples - seen : 1;
	likely = samples * samples / (2 * twice);
	if (likely > stood_for)
		likely = stood_for;
	return likely > seen ? likely : seen;
}

uint32_t track_interval(const struct track *t)
{
	uint64_t samples = t->samples[0] + t->samples[1];

	return samples ? (uint32_t)((t->stood_for[0] + t->stood_for[1]) / samples) : 1;
}
