/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/where.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"

#define SLOTS (2 * WHERE_PLACES_MAX)
#define MILLI 1000
#define COUNTRY_LENGTH 2
/* Natural logarithm, beside that of how many places are looked at: a chance of one in a thousand. */
#define SCORE_MIN 7.0
#define REPORTS_MIN 5
#define SHARE_ADDED 0.5 /* reports that a place is said to have had before, beside those it had */
#define SHOWS_MILLI 333 /* three times as many as usual would be one */

struct place {
	enum outage_place_kind kind;
	char region[REGION_SIZE];
	uint32_t network;
	uint64_t before;
	uint32_t *counts; /* of the outage's buckets */
};

struct where {
	int64_t began_ns;
	uint32_t buckets, places_count, refused;
	uint64_t before, during; /* all, wherever it was */
	struct {
		uint64_t before, during; /* that name a place of the kind */
	} named[OUTAGE_PLACE_KINDS];
	struct place places[WHERE_PLACES_MAX];
	uint32_t slots[SLOTS]; /* places' numbers + 1, by hash */
};

int where_new(int64_t began_ns, uint32_t buckets, struct where **where)
{
	struct where *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->began_ns = began_ns;
	made->buckets = buckets < WHERE_BUCKETS_MAX ? buckets : WHERE_BUCKETS_MAX;
	*where = made;
	return 0;
}

void where_free(struct where *where)
{
	if (!where)
		return;
	for (uint32_t i = 0; i < where->places_count; i++)
		free(where->places[i].counts);
	free(where);
}

/* FNV-1a; an attacker who makes names collide makes this slow, not wrong. */
static uint32_t slot_of(enum outage_place_kind kind, const char *region, uint32_t network)
{
	uint32_t hash = 2166136261U ^ (uint32_t)kind;

	for (unsigned i = 0; i < sizeof(network); i++)
		hash = (hash ^ (network >> 8 * i & 0xff)) * 16777619U;
	for (; *region; region++)
		hash = (hash ^ (uint32_t)(unsigned char)*region) * 16777619U;
	return hash % SLOTS;
}

/* The slot that has its number, or the free one where it would be. */
static uint32_t find_slot(const struct where *where, enum outage_place_kind kind, const char *region, uint32_t network)
{
	uint32_t slot = slot_of(kind, region, network);

	for (; where->slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct place *place = &where->places[where->slots[slot] - 1];

		if (place->kind == kind && place->network == network && strcmp(place->region, region) == 0)
			break;
	}
	return slot;
}

/* -ENOMEM; *place NULL where there is no room. */
static int find_place(struct where *where, enum outage_place_kind kind, const char *region, uint32_t network,
                      struct place **place)
{
	uint32_t slot = find_slot(where, kind, region, network);
	struct place *made;

	*place = where->slots[slot] ? &where->places[where->slots[slot] - 1] : NULL;
	if (*place)
		return 0;
	if (where->places_count == WHERE_PLACES_MAX) {
		where->refused++;
		return 0;
	}
	made = &where->places[where->places_count];
	made->counts = calloc(where->buckets + 1, sizeof(*made->counts));
	if (!made->counts)
		return -ENOMEM;
	made->kind = kind;
	made->network = network;
	memcpy(made->region, region, strlen(region) + 1);
	where->slots[slot] = ++where->places_count;
	*place = made;
	return 0;
}

static int add_to(struct where *where, enum outage_place_kind kind, const char *region, uint32_t network,
                  int64_t bucket, uint32_t count)
{
	struct place *place;
	int result = find_place(where, kind, region, network, &place);

	if (bucket < 0)
		where->named[kind].before += count;
	else
		where->named[kind].during += count;
	if (result != 0 || !place)
		return result;
	if (bucket < 0)
		place->before += count;
	else
		place->counts[bucket] += count;
	return 0;
}

int where_add(struct where *where, const struct report_count *count)
{
	int64_t bucket =
		count->bucket_ns < where->began_ns ? -1 : (count->bucket_ns - where->began_ns) / COUNT_BUCKET_NS;
	char country[REGION_SIZE] = "";
	int result = 0;

	if (bucket >= where->buckets || count->accepted == 0)
		return 0;
	if (bucket < 0)
		where->before += count->accepted;
	else
		where->during += count->accepted;
	if (count->region[0]) {
		memcpy(country, count->region, COUNTRY_LENGTH);
		result = add_to(where, OUTAGE_COUNTRY, country, 0, bucket, count->accepted);
		if (result == 0 && count->region[COUNTRY_LENGTH])
			result = add_to(where, OUTAGE_REGION, count->region, 0, bucket, count->accepted);
	}
	if (result == 0 && count->network)
		result = add_to(where, OUTAGE_NETWORK, "", count->network, bucket, count->accepted);
	return result;
}

/* ---- the scan ---- */

static double share_of(const struct where *where, const struct place *place)
{
	return ((double)place->before + SHARE_ADDED) / ((double)where->before + 1);
}

/* The window in which the place stands out most; its score is 0 where there is none. */
static double scan(const struct where *where, const struct place *place, const uint32_t *expected_milli,
                   struct outage_place *told)
{
	double share = share_of(where, place), best = 0;

	for (uint32_t from = 0; from < where->buckets; from++) {
		double expected = 0;
		uint64_t count = 0;

		for (uint32_t to = from; to < where->buckets && to < from + WHERE_WINDOW_MAX; to++) {
			double score;

			count += place->counts[to];
			expected += share * expected_milli[to] / MILLI;
			if (count < REPORTS_MIN || (double)count <= expected || place->counts[to] == 0)
				continue;
			score = (double)count * real_log((double)count / expected) - ((double)count - expected);
			if (score <= best)
				continue;
			best = score;
			told->from_ns = where->began_ns + from * COUNT_BUCKET_NS;
			told->to_ns = where->began_ns + (to + 1) * COUNT_BUCKET_NS;
			told->reports = count;
			told->expected_milli = (uint64_t)(expected * MILLI + 0.5);
		}
	}
	return best;
}

static void keep(struct outage *outage, const struct outage_place *place)
{
	uint32_t at = outage->places_count;

	for (; at > 0 && outage->places[at - 1].score_milli < place->score_milli; at--)
		if (at < OUTAGE_PLACES_MAX)
			outage->places[at] = outage->places[at - 1];
	if (at == OUTAGE_PLACES_MAX)
		return;
	outage->places[at] = *place;
	outage->places_count += outage->places_count < OUTAGE_PLACES_MAX;
}

/*
 * Whether it has more than so many times as many reports in the whole outage; a place of which that cannot be seen is
 * none.
 */
static void count_region(const struct where *where, const struct place *place, double expected_milli,
                         struct outage *outage)
{
	double expected = share_of(where, place) * expected_milli;
	uint64_t count = 0;

	for (uint32_t i = 0; i < where->buckets; i++)
		count += place->counts[i];
	if (place->kind == OUTAGE_NETWORK ||
	    (expected < SHOWS_MILLI && (double)count * MILLI <= WHERE_GLOBAL_TIMES * expected))
		return;
	outage->regions++;
	outage->regions_up += (double)count * MILLI > WHERE_GLOBAL_TIMES * expected;
}

/* Whether others of its country are regions of their own: then it is not counted beside them. */
static bool has_regions(const struct where *where, const struct place *country)
{
	for (uint32_t i = 0; i < where->places_count; i++)
		if (where->places[i].kind == OUTAGE_REGION &&
		    memcmp(where->places[i].region, country->region, COUNTRY_LENGTH) == 0)
			return true;
	return false;
}

/* Whether reports name places of that kind as they did not before: named / all, before and now. */
static bool is_new(const struct where *where, enum outage_place_kind kind)
{
	return where->before && 2.0 * (double)where->named[kind].before * (double)where->during <
	                                (double)where->named[kind].during * (double)where->before;
}

uint32_t where_usual_percent(const struct where *where, uint32_t network)
{
	uint64_t all = where->named[OUTAGE_NETWORK].before, usual = 0;
	uint32_t slot = find_slot(where, OUTAGE_NETWORK, "", network);

	if (all == 0 || is_new(where, OUTAGE_NETWORK))
		return 100;
	if (where->slots[slot])
		usual = where->places[where->slots[slot] - 1].before;
	return (uint32_t)((double)usual * 100 / (double)all);
}

void where_find(const struct where *where, const uint32_t *expected_milli, struct outage *outage)
{
	double all = 0, least = SCORE_MIN + real_log(where->places_count ? where->places_count : 1);

	outage->places_count = outage->regions = outage->regions_up = 0;
	for (uint32_t i = 0; i < where->buckets; i++)
		all += expected_milli[i];
	for (uint32_t i = 0; i < where->places_count; i++) {
		const struct place *place = &where->places[i];
		struct outage_place told = { .kind = place->kind, .network = place->network };
		double score;

		if (is_new(where, place->kind))
			continue;
		score = scan(where, place, expected_milli, &told);
		if (place->kind != OUTAGE_COUNTRY || !has_regions(where, place))
			count_region(where, place, all, outage);
		if (score < least)
			continue;
		memcpy(told.region, place->region, sizeof(told.region));
		told.score_milli = score < UINT32_MAX / MILLI ? (uint32_t)(score * MILLI) : UINT32_MAX;
		keep(outage, &told);
	}
	outage->global = outage->regions > 1 && outage->regions_up * 100 >= outage->regions * WHERE_GLOBAL_PERCENT;
}

uint32_t where_refused(const struct where *where)
{
	return where->refused;
}
