/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of rows, open, with linear probing, at most half full. Sources come in the order of their addresses, so
 * that most are of the row of the one before.
 */
#include "trace/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "trace/coordination.h"

#define SEED 0x726f7773u
#define FIRST_PLACES 1024
/* Rows of single networks where there are too many; the rest is for what is joined by countries. */
#define NETWORKS_KEPT (TRACE_ROWS_MAX / 4 * 3)

struct entry {
	struct geo_place place;
	bool reflectors;
	uint64_t held, sources, packets, octets;
};

struct rows {
	struct geo *geo;
	uint32_t used, allocated, places; /* places: a power of two; 0: no index yet */
	uint32_t latest;
	struct entry *entries;
	uint32_t *index; /* number of an entry plus one, or 0 */
};

struct rows *rows_new(struct geo *geo)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (rows)
		rows->geo = geo;
	return rows;
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	free(rows->entries);
	free(rows->index);
	free(rows);
}

static bool is_of(const struct entry *entry, const struct geo_place *place, bool reflectors)
{
	return entry->place.network == place->network && entry->reflectors == reflectors &&
	       memcmp(entry->place.country, place->country, sizeof(place->country)) == 0;
}

static uint32_t place_of(const struct rows *rows, const struct geo_place *place, bool reflectors)
{
	uint64_t hash = (uint64_t)place->network << 1 | reflectors;

	for (size_t i = 0; i < GEO_COUNTRY_DATABASES_MAX; i++)
		hash = hash_2(SEED, hash, (uint64_t)(uint8_t)place->country[i][0] << 8 | (uint8_t)place->country[i][1]);
	return (uint32_t)hash & (rows->places - 1);
}

/* Where it is, or the free place where it belongs. */
static uint32_t find(const struct rows *rows, const struct geo_place *place, bool reflectors)
{
	uint32_t at = place_of(rows, place, reflectors);

	while (rows->index[at] && !is_of(&rows->entries[rows->index[at] - 1], place, reflectors))
		at = (at + 1) & (rows->places - 1);
	return at;
}

/* Room for twice as many. */
static int grow(struct rows *rows)
{
	uint32_t places = rows->places ? rows->places * 2 : FIRST_PLACES;
	uint32_t *index = calloc(places, sizeof(*index));
	struct entry *entries = index ? realloc(rows->entries, places / 2 * sizeof(*entries)) : NULL;

	if (!entries) {
		free(index);
		return -ENOMEM;
	}
	free(rows->index);
	rows->index = index;
	rows->entries = entries;
	rows->places = places;
	rows->allocated = places / 2;
	for (uint32_t i = 0; i < rows->used; i++)
		index[find(rows, &entries[i].place, entries[i].reflectors)] = i + 1;
	return 0;
}

/* NULL where there is no memory. */
static struct entry *entry_for(struct rows *rows, const struct geo_place *place, bool reflectors)
{
	uint32_t at;

	if (rows->used && is_of(&rows->entries[rows->latest], place, reflectors))
		return &rows->entries[rows->latest];
	if (rows->used == rows->allocated && grow(rows) != 0)
		return NULL;
	at = find(rows, place, reflectors);
	if (rows->index[at] == 0) {
		rows->entries[rows->used] = (struct entry){ .place = *place, .reflectors = reflectors };
		rows->index[at] = ++rows->used;
	}
	rows->latest = rows->index[at] - 1;
	return &rows->entries[rows->latest];
}

int rows_add(struct rows *rows, const struct roster_source *source, bool reflectors, uint64_t stands_for)
{
	struct geo_place place = { .network = 0 };
	struct entry *entry;

	if (rows->geo)
		geo_look_up(rows->geo, &source->address, &place);
	entry = entry_for(rows, &place, reflectors);
	if (!entry)
		return -ENOMEM;
	entry->held++;
	entry->sources += stands_for;
	entry->packets += source->packets * stands_for;
	entry->octets += source->octets * stands_for;
	return 0;
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const struct entry *a, const struct entry *b)
{
	int order = memcmp(a->place.country, b->place.country, sizeof(a->place.country));

	return order ? order : compare(a->reflectors, b->reflectors);
}

static int by_size(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare(b->sources, a->sources);

	order = order ? order : compare(a->place.network, b->place.network);
	return order ? order : by_place(a, b);
}

static int by_countries(const void *left, const void *right)
{
	return by_place(left, right);
}

static void join(struct entry *into, const struct entry *from)
{
	into->held += from->held;
	into->sources += from->sources;
	into->packets += from->packets;
	into->octets += from->octets;
	into->place.network = TRACE_OTHERS;
}

/* From `first` on all are joined that are of the same countries, and are in the order of their size. */
static void join_networks(struct rows *rows, uint32_t first)
{
	struct entry *entries = rows->entries;
	uint32_t used = first;

	qsort(entries + first, rows->used - first, sizeof(*entries), by_countries);
	for (uint32_t i = first; i < rows->used; i++) {
		if (used > first && by_place(&entries[used - 1], &entries[i]) == 0) {
			join(&entries[used - 1], &entries[i]);
		} else {
			entries[used] = entries[i];
			entries[used++].place.network = TRACE_OTHERS;
		}
	}
	rows->used = used;
	qsort(entries + first, rows->used - first, sizeof(*entries), by_size);
}

/* The last row of each sort takes in all beyond the bound, whatever their countries. */
static void join_all(struct rows *rows)
{
	struct entry last[2] = { { .reflectors = false }, { .reflectors = true } };
	uint32_t used = TRACE_ROWS_MAX - 2;

	for (uint32_t i = used; i < rows->used; i++)
		join(&last[rows->entries[i].reflectors], &rows->entries[i]);
	for (unsigned i = 0; i < 2; i++)
		if (last[i].held)
			rows->entries[used++] = last[i];
	rows->used = used;
}

/* ---- concentration ---- */

struct group {
	uint64_t key, sources, packets;
};

static int by_key(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	return compare(a->key, b->key);
}

static uint64_t network_of(const struct entry *entry)
{
	return entry->place.network;
}

/* The one country that all databases name which know any; 0 where they disagree or know none. */
static uint64_t country_of(const struct entry *entry)
{
	uint64_t code = 0;

	for (size_t i = 0; i < GEO_COUNTRY_DATABASES_MAX; i++) {
		const char *said = entry->place.country[i];
		uint64_t number = (uint64_t)(uint8_t)said[0] << 8 | (uint8_t)said[1];

		if (said[0] == '\0')
			continue;
		if (code && code != number)
			return 0;
		code = number;
	}
	return code;
}

static int concentrate(const struct rows *rows, uint64_t (*key)(const struct entry *entry),
                       struct concentration *by_sources, struct concentration *by_packets)
{
	struct group *groups = calloc((size_t)rows->used + 1, sizeof(*groups));
	uint64_t *values = calloc((size_t)rows->used + 1, sizeof(*values));
	uint32_t count = 0, used = 0;

	if (!groups || !values) {
		free(groups);
		free(values);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < rows->used; i++) {
		const struct entry *entry = &rows->entries[i];

		if (key(entry))
			groups[count++] = (struct group){ key(entry), entry->sources, entry->packets };
	}
	qsort(groups, count, sizeof(*groups), by_key);
	for (uint32_t i = 0; i < count; i++) {
		if (used && groups[used - 1].key == groups[i].key) {
			groups[used - 1].sources += groups[i].sources;
			groups[used - 1].packets += groups[i].packets;
		} else {
			groups[used++] = groups[i];
		}
	}
	for (uint32_t i = 0; i < used; i++)
		values[i] = groups[i].sources;
	concentration_make(values, used, by_sources);
	for (uint32_t i = 0; i < used; i++)
		values[i] = groups[i].packets;
	concentration_make(values, used, by_packets);
	free(groups);
	free(values);
	return 0;
}

/* ---- end ---- */

static void fill(struct trace_row *row, const struct rows *rows, const struct entry *entry)
{
	*row = (struct trace_row){
		.network = entry->place.network,
		.reflectors = entry->reflectors,
		.held = entry->held,
		.sources = entry->sources,
		.packets = entry->packets,
		.octets = entry->octets,
	};
	memcpy(row->country, entry->place.country, sizeof(row->country));
	if (rows->geo && row->network && row->network != TRACE_OTHERS)
		(void)snprintf(row->name, sizeof(row->name), "%s", geo_network_name(rows->geo, row->network));
}

int rows_finish(struct rows *rows, struct trace *trace)
{
	struct coordination *c = &trace->coordination;
	int result = concentrate(rows, network_of, &c->by_network_sources, &c->by_network_packets);

	if (result == 0)
		result = concentrate(rows, country_of, &c->by_country_sources, &c->by_country_packets);
	if (result != 0)
		return result;
	if (rows->used)
		qsort(rows->entries, rows->used, sizeof(*rows->entries), by_size);
	if (rows->used > TRACE_ROWS_MAX)
		join_networks(rows, NETWORKS_KEPT);
	if (rows->used > TRACE_ROWS_MAX)
		join_all(rows);
	if (rows->used)
		qsort(rows->entries, rows->used, sizeof(*rows->entries), by_size);
	trace->rows = calloc((size_t)rows->used + 1, sizeof(*trace->rows));
	if (!trace->rows)
		return -ENOMEM;
	trace->rows_count = rows->used;
	trace->located_sources = trace->located_packets = 0;
	for (uint32_t i = 0; i < rows->used; i++) {
		fill(&trace->rows[i], rows, &rows->entries[i]);
		trace->located_sources += trace->rows[i].sources;
		trace->located_packets += trace->rows[i].packets;
	}
	return 0;
}
