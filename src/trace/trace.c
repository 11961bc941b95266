/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vectors of an incident are of four sorts, by the verdict on each: what was forged is left out of everything;
 * relays; those whose sources are verified; and those of which it is not known, whose sources count for size and
 * coordination, and for geography as far as they are verified one by one.
 *
 * Rosters of one sort are merged first, so that a source that took part in two vectors counts once. Of too many sources
 * an even sample is looked at: those whose hash has so many leading zeros.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/hll.h"
#include "base/time.h"
#include "measure/slot.h"
#include "trace/chance.h"
#include "trace/family.h"
#include "trace/rows.h"

#define THINNING_SEED 0x7468696e6e696e67u
#define BITS_AN_OCTET 8u
#define NS_AN_HOUR 3.6e12

_Static_assert(TRACE_VECTORS_MAX >= INCIDENT_PARTS_MAX, "each vector has its place");

enum sort { RELAYS, VERIFIED, UNDETERMINED, ALL, SORTS };

/* Sources of one sort, merged. */
struct crowd {
	struct roster *own; /* NULL: `sources` are of a part's roster, or there are none */
	const struct roster_source *sources;
	struct roster_source *kept; /* owned: `sources` after thinning; or NULL */
	uint64_t stands_for;
	uint64_t distinct; /* as many there are by those that rosters hold; where too few are held, not `is_counted` */
	uint32_t count;    /* of sources */
	bool is_counted;
	bool complete; /* no vector lacks its roster, no roster a source that it should hold */
};

static uint64_t times(uint64_t value, uint64_t factor)
{
	uint64_t product;

	return __builtin_mul_overflow(value, factor, &product) ? UINT64_MAX : product;
}

/* ---- verdicts ---- */

/* The sort of a vector's sources; SORTS: they were forged, or are not attackers' at all. */
static enum sort sort_of(const struct trace_vector *vector)
{
	switch (vector->spoofing.verdict) {
	case SPOOFING_REFLECTORS:
		return RELAYS;
	case SPOOFING_VERIFIED:
		return VERIFIED;
	case SPOOFING_UNDETERMINED:
		return UNDETERMINED;
	case SPOOFING_SPOOFED:
		break;
	}
	return SORTS;
}

static void make_vectors(const struct incident *incident, struct trace *trace)
{
	spoofing_judge(incident, &trace->spoofing);
	for (uint32_t i = 0; i < incident->parts_count; i++) {
		const struct window *window = incident->parts[i].window;
		struct trace_vector *vector = &trace->vectors[i];

		spoofing_judge_part(incident, i, &vector->spoofing);
		(void)snprintf(vector->name, sizeof(vector->name), "%s", vector_get(incident->parts[i].kind)->name);
		vector->packets = window->packets;
		vector->octets = window->bytes;
		vector->sources = incident_part_sources(&incident->parts[i]).count;
	}
	trace->vectors_count = incident->parts_count;
}

static void make_families(const struct incident *incident, struct trace *trace)
{
	double packets[TRACE_FAMILIES_MAX] = { 0 };

	for (uint32_t i = 0; i < incident->parts_count; i++) {
		const struct window *window = incident->parts[i].window;
		uint64_t by_family[TRACE_FAMILIES_MAX] = { 0 }, total = 0;

		for (uint32_t k = 0; k < window->sample.used; k++) {
			struct observation o;
			size_t family;

			sample_read(&window->sample, k, &o);
			family = family_of(&o);
			total += o.weight;
			if (family && family <= TRACE_FAMILIES_MAX)
				by_family[family - 1] += o.weight;
		}
		for (size_t f = 0; total && f < TRACE_FAMILIES_MAX; f++)
			packets[f] += (double)window->packets * ((double)by_family[f] / (double)total);
	}
	for (size_t f = 0; f < family_count() && f < TRACE_FAMILIES_MAX; f++) {
		struct trace_family *family = &trace->families[trace->families_count];

		if (packets[f] < 0.5)
			continue;
		(void)snprintf(family->name, sizeof(family->name), "%s", family_get(f)->name);
		(void)snprintf(family->mark, sizeof(family->mark), "%s", family_get(f)->mark);
		family->packets = (uint64_t)(packets[f] + 0.5);
		/* Two vectors may be of the same devices: at least as many as the larger has. */
		for (uint32_t i = 0; i < incident->parts_count; i++) {
			uint64_t devices = family_devices(f, &incident->parts[i].window->sample);

			family->devices = devices > family->devices ? devices : family->devices;
		}
		trace->families_count++;
	}
}

/* ---- sources ---- */

static void crowd_fini(struct crowd *crowd)
{
	roster_free(crowd->own);
	free(crowd->kept);
}

static bool belongs(const struct trace *trace, uint32_t part, enum sort sort)
{
	enum sort own = sort_of(&trace->vectors[part]);

	return own != SORTS && (own == sort || sort == ALL);
}

/* All rosters of a sort as one. */
static int crowd_make(const struct incident *incident, const struct trace *trace, enum sort sort, struct crowd *crowd)
{
	struct roster *only = NULL;
	int result;

	*crowd = (struct crowd){ .stands_for = 1, .complete = true };
	for (uint32_t i = 0; i < incident->parts_count; i++) {
		struct roster *roster = incident->parts[i].roster;

		if (!belongs(trace, i, sort))
			continue;
		if (!roster) {
			crowd->complete = false;
			continue;
		}
		if (!only) {
			only = roster;
			continue;
		}
		if (!crowd->own) {
			crowd->own = roster_new(ROSTER_MAX);
			if (!crowd->own)
				return -ENOMEM;
			roster_merge(crowd->own, only, 0);
		}
		roster_merge(crowd->own, roster, 0);
	}
	only = crowd->own ? crowd->own : only;
	if (!only)
		return 0;
	result = roster_sources(only, &crowd->sources, &crowd->count);
	if (result != 0)
		return result;
	crowd->stands_for = 1ull << roster_halvings(only);
	crowd->complete = crowd->complete && roster_lost(only) == 0;
	return 0;
}

static bool is_kept(const struct roster_source *source, unsigned halvings)
{
	return hash_address(THINNING_SEED, &source->address) <= UINT64_MAX >> halvings;
}

/* Proxies that users come through go first of all. */
static int crowd_clear(struct crowd *crowd, const struct trace_input *input)
{
	uint32_t kept = 0;

	if (input->trusted_count == 0 || crowd->count == 0)
		return 0;
	crowd->kept = calloc(crowd->count, sizeof(*crowd->kept));
	if (!crowd->kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < crowd->count; i++)
		if (!prefixes_contain(input->trusted, input->trusted_count, &crowd->sources[i].address))
			crowd->kept[kept++] = crowd->sources[i];
	crowd->sources = crowd->kept;
	crowd->count = kept;
	return 0;
}

static uint32_t count_kept(const struct crowd *crowd, unsigned halvings)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < crowd->count; i++)
		kept += is_kept(&crowd->sources[i], halvings);
	return kept;
}

/* How many there are in all. Before it is thinned, which makes what is looked at less, not what is known. */
static void crowd_count(struct crowd *crowd)
{
	crowd->is_counted = crowd->complete && (crowd->stands_for == 1 ||
	                                        incident_sample_error_ppm(crowd->count) < HLL_RELATIVE_ERROR_PPM);
	crowd->distinct = times(crowd->count, crowd->stands_for);
}

/* Halves it so often. */
static int crowd_thin(struct crowd *crowd, unsigned halvings)
{
	uint32_t kept = 0;

	if (halvings == 0 || crowd->count == 0)
		return 0;
	if (!crowd->kept) /* else they move closer together where they stand */
		crowd->kept = calloc((size_t)count_kept(crowd, halvings) + 1, sizeof(*crowd->kept));
	if (!crowd->kept)
		return -ENOMEM;
	for (uint32_t i = 0; i < crowd->count; i++)
		if (is_kept(&crowd->sources[i], halvings))
			crowd->kept[kept++] = crowd->sources[i];
	crowd->sources = crowd->kept;
	crowd->count = kept;
	crowd->stands_for <<= halvings;
	return 0;
}

/* Of all together, or of the sorts one by one: those may be held more finely. */
static uint64_t most_kept(const struct crowd crowds[SORTS], unsigned halvings)
{
	uint64_t together = count_kept(&crowds[ALL], halvings), apart = 0;

	for (unsigned sort = 0; sort < ALL; sort++)
		apart += count_kept(&crowds[sort], halvings);
	return together > apart ? together : apart;
}

static int crowds_make(const struct trace_input *input, const struct trace *trace, struct crowd crowds[SORTS])
{
	unsigned halvings = 0;
	int result = 0;

	for (unsigned sort = 0; sort < SORTS && result == 0; sort++)
		result = crowd_make(input->incident, trace, (enum sort)sort, &crowds[sort]);
	for (unsigned sort = 0; sort < SORTS && result == 0; sort++)
		result = crowd_clear(&crowds[sort], input);
	crowd_count(&crowds[ALL]);
	while (input->sources_max && result == 0 && most_kept(crowds, halvings) > input->sources_max)
		halvings++;
	for (unsigned sort = 0; sort < SORTS && result == 0; sort++)
		result = crowd_thin(&crowds[sort], halvings);
	return result;
}

static bool is_in(const struct crowd *crowd, const struct address *address)
{
	uint32_t low = 0, high = crowd->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = address_compare(&crowd->sources[middle].address, address);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ---- where they are ---- */

static int add_rows(struct rows *rows, const struct crowd crowds[SORTS])
{
	for (unsigned sort = RELAYS; sort <= UNDETERMINED; sort++) {
		const struct crowd *crowd = &crowds[sort];

		for (uint32_t i = 0; i < crowd->count; i++) {
			const struct roster_source *source = &crowd->sources[i];
			int result;

			if (sort == UNDETERMINED &&
			    (!(source->marks & ROSTER_VERIFIED) || is_in(&crowds[VERIFIED], &source->address)))
				continue;
			result = rows_add(rows, source, sort == RELAYS, crowd->stands_for);
			if (result != 0)
				return result;
		}
	}
	return 0;
}

static int make_rows(struct geo *geo, const struct crowd crowds[SORTS], struct trace *trace)
{
	struct rows *rows = rows_new(geo);
	int result = rows ? add_rows(rows, crowds) : -ENOMEM;

	if (result == 0)
		result = rows_finish(rows, trace);
	rows_free(rows);
	for (unsigned kind = GEO_COUNTRIES; geo && kind <= GEO_NETWORKS; kind++)
		for (size_t i = 0; i < geo_count(geo, (enum geo_kind)kind); i++) {
			trace->databases[trace->databases_count++] = *geo_database(geo, (enum geo_kind)kind, i);
			trace->country_databases += kind == GEO_COUNTRIES;
		}
	return result;
}

/* ---- how they acted, how many they are ---- */

static int make_coordination(const struct incident *incident, const struct crowd *all, struct trace *trace)
{
	struct coordination_sample samples[INCIDENT_PARTS_MAX];
	struct coordination_input input = {
		.sources = all->sources,
		.count = all->count,
		.began_ns = incident->began.ns,
		.ended_ns = incident->ended.ns,
		.open = incident->open,
		.waves_count = incident->waves_count,
		.samples = samples,
	};
	/* Made already, of the rows. */
	struct coordination rows = trace->coordination;
	int result;

	for (uint32_t i = 0; i < incident->parts_count; i++)
		if (belongs(trace, i, ALL))
			samples[input.samples_count++] =
				(struct coordination_sample){ &incident->parts[i].window->sample,
				                              incident->parts[i].window->packets };
	result = coordination_make(&input, &trace->coordination);
	trace->coordination.by_network_sources = rows.by_network_sources;
	trace->coordination.by_network_packets = rows.by_network_packets;
	trace->coordination.by_country_sources = rows.by_country_sources;
	trace->coordination.by_country_packets = rows.by_country_packets;
	return result;
}

/* Of all sources that were not forged: by those that are held where that is known better, else by the sketches. */
static uint64_t count_distinct(const struct incident *incident, const struct trace *trace, const struct crowd *all)
{
	struct hll sources = { { 0 } };
	uint64_t packets = 0, estimate;

	if (all->is_counted)
		return all->distinct;
	for (uint32_t i = 0; i < incident->parts_count; i++) {
		if (!belongs(trace, i, ALL))
			continue;
		hll_merge(&sources, &incident->parts[i].window->sources);
		packets += incident->parts[i].window->packets;
	}
	estimate = hll_estimate(&sources);
	return estimate < packets ? estimate : packets;
}

static int make_size(const struct incident *incident, const struct crowd *all, struct trace *trace)
{
	struct size_wave waves[INCIDENT_WAVES_MAX];
	struct size_input input = {
		.sources = all->sources,
		.count = all->count,
		.stands_for = all->stands_for,
		.distinct = count_distinct(incident, trace, all),
		.waves = waves,
		.waves_count = incident->waves_count,
	};
	int result;

	for (uint32_t i = 0; i < incident->waves_count; i++) {
		const struct wave *wave = &incident->waves[i];

		waves[i] = (struct size_wave){ wave->began.ns, wave->ended.ns, wave->peak_packets };
	}
	result = size_make(&input, &trace->size);
	/* So may two families: one tool's floods of two kinds. */
	for (uint32_t i = 0; i < trace->families_count && result == 0; i++)
		if (trace->families[i].devices > trace->size.devices)
			trace->size.devices = trace->families[i].devices;
	return result;
}

/* ---- what it would cost, how it compares ---- */

static void make_cost(const struct trace_input *input, struct trace *trace)
{
	const struct cost_price *prices = input->prices;
	uint32_t count = input->prices_count;
	double lasted_ns = 0, octets = 0;

	if (!prices)
		prices = cost_prices(&count);
	for (uint32_t i = 0; i < input->incident->waves_count; i++) {
		const struct wave *wave = &input->incident->waves[i];
		int64_t ns = time_since(wave->ended, wave->began);

		/* It is at least as long as a slot. */
		lasted_ns += (double)(ns > SLOT_NS ? ns : SLOT_NS);
		octets += (double)wave->bytes;
	}
	if (input->incident->is_scan)
		octets = 0;
	cost_make(prices, count, lasted_ns / NS_AN_HOUR, lasted_ns > 0 ? octets * BITS_AN_OCTET / lasted_ns : 0,
	          &trace->cost);
}

/* A count of those that are smaller, of those that are known. */
struct smaller {
	uint64_t count, of;
};

static void tally(struct smaller *smaller, uint64_t past, uint64_t own)
{
	smaller->of++;
	smaller->count += past < own;
}

static double share_of_smaller(struct smaller smaller)
{
	return chance_share(smaller.count, smaller.of);
}

static uint64_t positive(int64_t ns)
{
	return ns > 0 ? (uint64_t)ns : 0;
}

static void make_rank(const struct trace_input *input, struct trace *trace)
{
	uint64_t duration = positive(time_since(input->incident->ended, input->incident->began));
	struct smaller pps = { 0 }, bps = { 0 }, durations = { 0 }, sources = { 0 };

	for (uint32_t i = 0; i < input->past_count; i++) {
		const struct trace_past *past = &input->past[i];

		tally(&pps, past->pps, trace->peak_pps);
		tally(&bps, past->bps, trace->peak_bps);
		tally(&durations, positive(past->duration_ns), duration);
		if (past->sources && trace->size.known)
			tally(&sources, past->sources, trace->size.in_all);
	}
	trace->rank = (struct rank){ input->past_count, share_of_smaller(pps), share_of_smaller(bps),
		                     share_of_smaller(durations), share_of_smaller(sources) };
}

/* ---- together ---- */

static void make_head(const struct trace_input *input, struct trace *trace)
{
	const struct incident *incident = input->incident;

	trace->incident = incident->id;
	trace->began_ns = incident->began.ns;
	trace->ended_ns = incident->open || incident->wave_open ? 0 : incident->ended.ns;
	trace->made_ns = input->made_ns;
	trace->packets = incident->packets;
	trace->octets = incident->bytes;
	trace->sources = incident_sources(incident, input->total).count;
	trace->peak_pps = times(incident->peak_packets, SLOTS_PER_SECOND);
	trace->peak_bps = times(incident->peak_bytes, SLOTS_PER_SECOND * BITS_AN_OCTET);
	trace->waves = incident->waves_count;
	trace->observed = input->observed;
}

static int make(const struct trace_input *input, struct crowd crowds[SORTS], struct trace *trace)
{
	const struct crowd *all = &crowds[ALL];
	int result;

	make_head(input, trace);
	make_vectors(input->incident, trace);
	make_families(input->incident, trace);
	result = crowds_make(input, trace, crowds);
	if (result != 0)
		return result;
	trace->held = all->count;
	trace->sources_sampled = all->count && !(all->complete && all->stands_for == 1);
	result = make_rows(input->geo, crowds, trace);
	if (result == 0)
		result = make_coordination(input->incident, all, trace);
	if (result == 0)
		result = make_size(input->incident, all, trace);
	if (result != 0)
		return result;
	make_cost(input, trace);
	make_rank(input, trace);
	return 0;
}

int trace_make(const struct trace_input *input, struct trace *trace)
{
	struct trace *made = calloc(1, sizeof(*made));
	struct crowd crowds[SORTS] = { { 0 } };
	int result = made ? make(input, crowds, made) : -ENOMEM;

	for (unsigned sort = 0; sort < SORTS; sort++)
		crowd_fini(&crowds[sort]);
	if (result == 0)
		*trace = *made;
	else if (made)
		trace_fini(made);
	free(made);
	return result;
}

void trace_fini(struct trace *trace)
{
	free(trace->rows);
	trace->rows = NULL;
	trace->rows_count = 0;
}

int trace_observed(const struct incident *incident, double *share)
{
	uint64_t observed = 0, packets = 0;

	for (uint32_t i = 0; i < incident->parts_count; i++) {
		const struct roster_source *sources;
		uint32_t count;
		int result;

		if (!incident->parts[i].roster)
			continue;
		result = roster_sources(incident->parts[i].roster, &sources, &count);
		if (result != 0)
			return result;
		for (uint32_t k = 0; k < count; k++) {
			observed += sources[k].observed;
			packets += sources[k].packets;
		}
	}
	*share = observed < packets ? (double)observed / (double)packets : 1;
	return 0;
}
