/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/incident.h"

#include <stdlib.h>

#include "base/hll.h"
#include "base/root.h"
#include "base/share.h"

#define WAVES_TOUCH_NS (2 * NS_PER_S)
#define NETWORK_IPV4 24 /* what counts as one network, in bits; as for keys.network */
#define NETWORK_IPV6 48

void incident_free(struct incident *incident)
{
	for (uint32_t i = 0; i < incident->parts_count; i++)
		incident_part_fini(&incident->parts[i]);
	free(incident);
}

void incident_part_fini(struct incident_part *part)
{
	window_free(part->window);
	roster_free(part->roster);
	part->window = NULL;
	part->roster = NULL;
}

bool incident_is_over(const struct incident *incident, struct capture_time now)
{
	return incident->sealed || (!incident->wave_open && time_since(now, incident->ended) > INCIDENT_QUIET_NS);
}

int32_t incident_find_part(const struct incident *incident, uint8_t kind)
{
	for (uint32_t i = 0; i < incident->parts_count; i++)
		if (incident->parts[i].kind == kind)
			return (int32_t)i;
	return -1;
}

bool incident_is_application(const struct incident *incident)
{
	for (uint32_t i = 0; i < incident->parts_count; i++)
		if (vector_get(incident->parts[i].kind)->class != VECTOR_APPLICATION)
			return false;
	return true;
}

void incident_part_tell(struct incident_part *part, const struct http_facts *facts)
{
	if (facts->held > part->http.held || (facts->held == 0 && facts->requests > part->http.requests))
		part->http = *facts;
}

void incident_part_merge(struct incident_part *into, struct incident_part *from)
{
	window_merge(into->window, from->window);
	if (into->roster && from->roster) {
		roster_merge(into->roster, from->roster, 0);
	} else {
		/* Half of the sources would be taken for all. */
		roster_free(into->roster);
		into->roster = NULL;
	}
	incident_part_tell(into, &from->http);
	incident_part_fini(from);
}

struct window *incident_window(const struct incident *incident)
{
	struct window *total = window_new(INCIDENT_SAMPLE);

	if (!total)
		return NULL;
	for (uint32_t i = 0; i < incident->parts_count; i++)
		window_merge(total, incident->parts[i].window);
	return total;
}

/* ---- sources ---- */

/* What one roster holds, in the order of addresses, and how far one has read in it. */
struct held {
	const struct roster *roster;
	const struct roster_source *sources;
	uint32_t next, count;
};

struct held_lists {
	struct held lists[INCIDENT_PARTS_MAX];
	uint32_t count;
	uint32_t halvings; /* the most of any: what all have alike is what is held after so many */
	bool whole;        /* every packet was looked at, none standing for others that were not seen */
};

/* False where there is no roster, or it lacks sources that it should hold. */
static bool hold(const struct incident_part *part, struct held_lists *all)
{
	struct held *held = &all->lists[all->count++];
	uint32_t halvings;

	*held = (struct held){ .roster = part->roster };
	if (!part->roster || roster_lost(part->roster) ||
	    roster_sources(part->roster, &held->sources, &held->count) < 0)
		return false;
	halvings = roster_halvings(part->roster);
	all->halvings = halvings > all->halvings ? halvings : all->halvings;
	for (uint32_t i = 0; i < held->count && all->whole; i++)
		all->whole = held->sources[i].packets == held->sources[i].observed;
	return true;
}

/* The next of those that are held after so many halvings, or NULL. */
static const struct address *next_held(struct held *held, uint32_t halvings)
{
	while (held->next < held->count && !roster_keeps(held->roster, held->next, halvings))
		held->next++;
	return held->next < held->count ? &held->sources[held->next].address : NULL;
}

static bool same_network(const struct address *a, const struct address *b)
{
	struct prefix network = prefix_of(a, address_is_ipv4(a) ? NETWORK_IPV4 : NETWORK_IPV6);

	return prefix_contains(&network, b);
}

/* Addresses that are in any of the lists after as many halvings as any of them had; the lists are used up. */
static struct incident_sources count_union(struct held_lists *all)
{
	struct incident_sources sources = { 0 };
	const struct address *last = NULL;

	for (;;) {
		const struct address *least = NULL, *next;

		for (uint32_t i = 0; i < all->count; i++) {
			next = next_held(&all->lists[i], all->halvings);
			if (next && (!least || address_compare(next, least) < 0))
				least = next;
		}
		if (!least)
			return sources;
		sources.count++;
		sources.networks += !last || !same_network(least, last);
		last = least;
		for (uint32_t i = 0; i < all->count; i++) {
			next = next_held(&all->lists[i], all->halvings);
			all->lists[i].next += next && address_compare(next, least) == 0;
		}
	}
}

/* Of n that are kept of N with an even chance each, N is known to about 1 / sqrt(n) of itself. */
uint32_t incident_sample_error_ppm(uint64_t held)
{
	return held ? (uint32_t)((PPM + root_floor(held) - 1) / root_floor(held)) : PPM;
}

/* All err; none may contradict the other. */
static struct incident_sources agree(struct incident_sources sources, const struct window *window)
{
	sources.count = sources.count < window->packets ? sources.count : window->packets;
	sources.networks = sources.networks < sources.count ? sources.networks : sources.count;
	return sources;
}

static struct incident_sources estimate(const struct window *window)
{
	return agree((struct incident_sources){ .count = hll_estimate(&window->sources),
	                                        .networks = hll_estimate(&window->source_networks),
	                                        .error_ppm = HLL_RELATIVE_ERROR_PPM },
	             window);
}

static uint64_t doubled(uint64_t count, uint32_t times)
{
	return count > UINT64_MAX >> times ? UINT64_MAX : count << times;
}

/* Of packets that stand for others that were not seen not even what is held whole is all. */
static struct incident_sources count_held(struct held_lists *all, const struct window *window)
{
	struct incident_sources sources;
	uint32_t error_ppm;

	if (all->halvings == 0)
		return all->whole ? count_union(all) : estimate(window);
	sources = count_union(all);
	error_ppm = incident_sample_error_ppm(sources.count);
	if (error_ppm >= HLL_RELATIVE_ERROR_PPM)
		return estimate(window);
	/* A sample of sources says nothing of how many share a network. */
	return agree((struct incident_sources){ .count = doubled(sources.count, all->halvings),
	                                        .networks = hll_estimate(&window->source_networks),
	                                        .error_ppm = error_ppm },
	             window);
}

struct incident_sources incident_part_sources(const struct incident_part *part)
{
	struct held_lists all = { .whole = true };

	return hold(part, &all) ? count_held(&all, part->window) : estimate(part->window);
}

struct incident_sources incident_sources(const struct incident *incident, const struct window *total)
{
	struct held_lists all = { .whole = true };

	for (uint32_t i = 0; i < incident->parts_count; i++)
		if (!hold(&incident->parts[i], &all))
			return estimate(total);
	return count_held(&all, total);
}

/* ---- joined ---- */

static struct capture_time earlier(struct capture_time a, struct capture_time b)
{
	return time_since(a, b) <= 0 ? a : b;
}

static struct capture_time later(struct capture_time a, struct capture_time b)
{
	return time_since(a, b) >= 0 ? a : b;
}

/* A wave of one of two lists, and its number there. */
struct listed {
	struct wave wave;
	uint32_t number;
	bool theirs;
};

static int by_beginning(const void *left, const void *right)
{
	const struct listed *a = left, *b = right;

	return a->wave.began.ns < b->wave.began.ns ? -1 : a->wave.began.ns > b->wave.began.ns;
}

static void join_wave(struct wave *into, const struct wave *wave)
{
	into->began = earlier(into->began, wave->began);
	into->ended = later(into->ended, wave->ended);
	into->open = into->open || wave->open;
	into->packets += wave->packets;
	into->bytes += wave->bytes;
	/* Both at once is what the target saw, as far as slots of two lists tell. */
	into->peak_packets += wave->peak_packets;
	into->peak_bytes += wave->peak_bytes;
}

static void renumber(struct incident *incident, const uint8_t to[ROSTER_WAVES])
{
	for (uint32_t i = 0; i < incident->parts_count; i++)
		if (incident->parts[i].roster)
			roster_renumber(incident->parts[i].roster, to);
}

static uint32_t up_to(uint32_t number, uint32_t last)
{
	return number < last ? number : last;
}

/* Both lists in one, by time; waves that touch are one. The last is the one that is open, if any is. */
static void absorb_waves(struct incident *into, struct incident *from)
{
	struct listed all[2 * INCIDENT_WAVES_MAX];
	uint8_t to[2][ROSTER_WAVES] = { 0 }; /* ours, theirs */
	uint32_t count = 0, kept = 0;

	for (uint32_t i = 0; i < into->waves_count; i++)
		all[count++] = (struct listed){ .wave = into->waves[i], .number = i };
	for (uint32_t i = 0; i < from->waves_count; i++)
		all[count++] = (struct listed){ .wave = from->waves[i], .number = i, .theirs = true };
	qsort(all, count, sizeof(*all), by_beginning);
	for (uint32_t i = 0; i < count; i++) {
		if (kept && time_since(all[i].wave.began, into->waves[kept - 1].ended) <= WAVES_TOUCH_NS) {
			join_wave(&into->waves[kept - 1], &all[i].wave);
		} else if (kept == INCIDENT_WAVES_MAX) {
			join_wave(&into->waves[kept - 1], &all[i].wave);
			into->waves_lost++;
		} else {
			into->waves[kept++] = all[i].wave;
		}
		to[all[i].theirs][up_to(all[i].number, ROSTER_WAVES - 1)] = (uint8_t)(kept - 1);
	}
	into->waves_count = kept;
	into->waves_lost += from->waves_lost;
	renumber(into, to[0]);
	renumber(from, to[1]);
}

static void absorb_parts(struct incident *into, struct incident *from)
{
	for (uint32_t i = 0; i < from->parts_count; i++) {
		struct incident_part *part = &from->parts[i];
		int32_t same = incident_find_part(into, part->kind);

		if (same >= 0) {
			incident_part_merge(&into->parts[same], part);
		} else if (into->parts_count < INCIDENT_PARTS_MAX) {
			into->parts[into->parts_count++] = *part;
		} else {
			into->parts_lost++;
			incident_part_fini(part);
		}
	}
	from->parts_count = 0;
}

void incident_absorb(struct incident *into, struct incident *from)
{
	absorb_waves(into, from);
	absorb_parts(into, from);
	into->began = earlier(into->began, from->began);
	into->detected = earlier(into->detected, from->detected);
	into->ended = later(into->ended, from->ended);
	into->last_hot = into->wave_open && from->wave_open ? later(into->last_hot, from->last_hot) : into->last_hot;
	if (from->wave_open && !into->wave_open) {
		into->wave_open = true;
		into->last_hot = from->last_hot;
	}
	into->patient = into->patient || from->patient;
	into->packets += from->packets;
	into->bytes += from->bytes;
	timeline_merge(&into->timeline, &from->timeline);
	for (unsigned i = 0; i < INCIDENT_SLOTS; i++) {
		const struct incident_slot *theirs = &from->slots[i];
		struct incident_slot *ours = &into->slots[i];

		if (theirs->slot == ours->slot) {
			ours->packets += theirs->packets;
			ours->bytes += theirs->bytes;
		} else if (theirs->slot > ours->slot) {
			*ours = *theirs;
		}
		if (ours->packets > into->peak_packets)
			into->peak_packets = ours->packets;
		if (ours->bytes > into->peak_bytes)
			into->peak_bytes = ours->bytes;
	}
	if (from->peak_packets > into->peak_packets)
		into->peak_packets = from->peak_packets;
	if (from->peak_bytes > into->peak_bytes)
		into->peak_bytes = from->peak_bytes;
	from->waves_count = 0;
	from->packets = from->bytes = 0;
	from->wave_open = false;
}
