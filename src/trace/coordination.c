/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/coordination.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/radix.h"
#include "base/real.h"
#include "base/time.h"
#include "trace/chance.h"

/* What the word rests on; design values. */
#define COMMAND_WITHIN_5S 0.5  /* of the sources, and … */
#define COMMAND_TIMES 3        /* … so many times what chance gives; or the middle half of them within … */
#define COMMAND_QUARTILE_S 5.0 /* … this */
#define POLLING_QUARTILE_MAX_S 300.0
#define POLLING_EVENNESS 0.12 /* largest distance of their distribution to an even one (Kolmogorov) */
#define POLLING_SHARE 0.5     /* the interval over which they lie is at most so much of the incident */
#define CROWD_QUARTILE_S 60.0
#define TELLS_APART_S 30.0 /* an incident shorter than this tells nothing of how it began */
#define TRIM 40            /* one in so many at each end of the beginnings is left out of the interval */

#define SIGNATURE_SEED 0x636f6f72u
#define SIGNATURE_OCTETS 8 /* of payload */

static double seconds(int64_t from_ns, int64_t to_ns)
{
	return (double)time_since((struct capture_time){ to_ns }, (struct capture_time){ from_ns }) / 1e9;
}

/* Largest share of sorted times that lie within so long. */
static double within(const int64_t *times, uint32_t count, int64_t span_ns)
{
	uint32_t most = 0;

	for (uint32_t from = 0, to = 0; to < count; to++) {
		while (time_since((struct capture_time){ times[to] }, (struct capture_time){ times[from] }) > span_ns)
			from++;
		most = to - from + 1 > most ? to - from + 1 : most;
	}
	return (double)most / count;
}

static double expected(uint32_t count, double length_s, double span_s)
{
	return (double)chance_fullest(count, length_s, span_s) / count;
}

/* How far sorted times are from lying evenly between the first and the last of them. */
static double unevenness(const int64_t *times, uint32_t count)
{
	double length = seconds(times[0], times[count - 1]), furthest = 0;

	if (length <= 0)
		return 1;
	for (uint32_t i = 0; i < count; i++) {
		double off = seconds(times[0], times[i]) / length - (double)i / (count - 1);

		off = off < 0 ? -off : off;
		furthest = off > furthest ? off : furthest;
	}
	return furthest;
}

static enum coordination_onset onset_of(const struct coordination *c, const int64_t *firsts, uint32_t count,
                                        double length_s)
{
	uint32_t trim = count / TRIM, kept = count - 2 * trim;
	double interval_s = seconds(firsts[trim], firsts[trim + kept - 1]);

	if (length_s < TELLS_APART_S)
		return ONSET_UNKNOWN;
	if (c->within_5s >= COMMAND_TIMES * c->expected_5s &&
	    (c->within_5s >= COMMAND_WITHIN_5S || c->quartile_s <= COMMAND_QUARTILE_S))
		return ONSET_COMMAND;
	if (c->quartile_s > COMMAND_QUARTILE_S && c->quartile_s <= POLLING_QUARTILE_MAX_S &&
	    interval_s <= POLLING_SHARE * length_s && unevenness(firsts + trim, kept) <= POLLING_EVENNESS)
		return ONSET_POLLING;
	return c->quartile_s >= CROWD_QUARTILE_S ? ONSET_CROWD : ONSET_UNKNOWN;
}

static int look_at_onset(const struct coordination_input *input, int64_t *firsts, struct coordination *c)
{
	uint32_t count = input->count;
	double length_s = seconds(input->began_ns, input->ended_ns);
	int result;

	for (uint32_t i = 0; i < count; i++)
		firsts[i] = input->sources[i].first_ns;
	result = radix_sort_signed(firsts, count);
	if (result != 0)
		return result;
	c->within_1s = within(firsts, count, NS_PER_S);
	c->within_5s = within(firsts, count, 5 * NS_PER_S);
	c->within_30s = within(firsts, count, 30 * NS_PER_S);
	c->expected_1s = expected(count, length_s, 1);
	c->expected_5s = expected(count, length_s, 5);
	c->expected_30s = expected(count, length_s, 30);
	c->quartile_s = seconds(firsts[count / 4], firsts[count - 1 - count / 4]);
	c->onset = onset_of(c, firsts, count, length_s);
	return 0;
}

static int look_at_ends(const struct coordination_input *input, int64_t *lasts, struct coordination *c)
{
	int result;

	c->ends_1s = CHANCE_UNKNOWN;
	if (input->open)
		return 0;
	for (uint32_t i = 0; i < input->count; i++)
		lasts[i] = input->sources[i].last_ns;
	result = radix_sort_signed(lasts, input->count);
	if (result == 0)
		c->ends_1s = within(lasts, input->count, NS_PER_S);
	return result;
}

static void look_at_durations(const struct coordination_input *input, struct coordination *c)
{
	static const double rounds_s[] = { 60, 120, 300, 600 };
	uint64_t of = 0, round = 0;

	for (uint32_t i = 0; i < input->count; i++) {
		const struct roster_source *source = &input->sources[i];
		double lasted = seconds(source->first_ns, source->last_ns);

		/* In one wave alone: pauses are no part of how long it was told to go on. */
		if (source->waves == 0 || (source->waves & (source->waves - 1)))
			continue;
		of++;
		for (size_t r = 0; r < sizeof(rounds_s) / sizeof(rounds_s[0]); r++)
			round += lasted >= rounds_s[r] * 0.98 && lasted <= rounds_s[r] * 1.02;
	}
	c->round_duration = chance_share(round, of);
}

/* ---- waves that follow each other ---- */

static void keep_overlap(struct coordination *c, const struct coordination_overlap *overlap)
{
	uint32_t smallest = 0;

	if (c->overlaps_count < COORDINATION_OVERLAPS_MAX) {
		c->overlaps[c->overlaps_count++] = *overlap;
		return;
	}
	for (uint32_t i = 1; i < c->overlaps_count; i++)
		if (c->overlaps[i].sources + c->overlaps[i].next_sources <
		    c->overlaps[smallest].sources + c->overlaps[smallest].next_sources)
			smallest = i;
	if (overlap->sources + overlap->next_sources <=
	    c->overlaps[smallest].sources + c->overlaps[smallest].next_sources)
		return;
	/* They stay in the order of waves. */
	memmove(&c->overlaps[smallest], &c->overlaps[smallest + 1],
	        (c->overlaps_count - smallest - 1) * sizeof(c->overlaps[0]));
	c->overlaps[c->overlaps_count - 1] = *overlap;
}

static void look_at_overlaps(const struct coordination_input *input, struct coordination *c)
{
	uint64_t sources[ROSTER_WAVES] = { 0 }, both[ROSTER_WAVES] = { 0 };
	uint32_t waves = input->waves_count < ROSTER_WAVES ? input->waves_count : ROSTER_WAVES;

	for (uint32_t i = 0; i < input->count; i++) {
		uint32_t bits = input->sources[i].waves;

		for (uint32_t b = bits; b; b &= b - 1)
			sources[__builtin_ctz(b)]++;
		for (uint32_t b = bits & bits >> 1; b; b &= b - 1)
			both[__builtin_ctz(b)]++;
	}
	for (uint32_t w = 0; w + 1 < waves; w++) {
		struct coordination_overlap overlap = {
			.wave = w,
			.next = w + 1,
			.sources = sources[w],
			.next_sources = sources[w + 1],
			.both = both[w],
			.jaccard = chance_share(both[w], sources[w] + sources[w + 1] - both[w]),
			.p = chance_hypergeometric(input->count, sources[w], sources[w + 1], both[w]),
		};

		if (overlap.sources && overlap.next_sources)
			keep_overlap(c, &overlap);
	}
}

/* ---- likeness of packets ---- */

struct signature {
	uint64_t hash;
	double weight;
};

static int by_hash(const void *left, const void *right)
{
	const struct signature *a = left, *b = right;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* What a tool decides of a packet: not the addresses, nor the ports, IDs and numbers that are drawn anew. */
static uint64_t signature_of(const struct observation *o)
{
	uint64_t payload = 0, hash;

	memcpy(&payload, o->payload, o->payload_kept < SIGNATURE_OCTETS ? o->payload_kept : SIGNATURE_OCTETS);
	hash = hash_2(SIGNATURE_SEED, (uint64_t)o->protocol << 32 | o->length, payload);
	hash = hash_2(hash, o->flags & (OBSERVATION_DF | OBSERVATION_FRAGMENT | OBSERVATION_TUNNELLED),
	              (uint64_t)o->icmp_type << 8 | o->icmp_code);
	if (o->flags & OBSERVATION_TCP)
		hash = hash_2(hash, o->tcp.options,
		              (uint64_t)o->tcp.window << 32 | (uint64_t)o->tcp.mss << 16 | (uint64_t)o->tcp.flags << 8 |
		                      o->tcp.wscale);
	return hash;
}

/* Signatures of all samples, each vector's packets weighing what they are of the whole. NULL: no memory. */
static struct signature *signatures_of(const struct coordination_input *input, size_t *count)
{
	size_t room = 0, used = 0;
	struct signature *all;

	for (uint32_t i = 0; i < input->samples_count; i++)
		room += input->samples[i].sample->used;
	all = calloc(room + 1, sizeof(*all));
	for (uint32_t i = 0; all && i < input->samples_count; i++) {
		const struct sample *sample = input->samples[i].sample;
		struct observation o;
		double total = 0;

		for (uint32_t k = 0; k < sample->used; k++) {
			sample_read(sample, k, &o);
			total += o.weight;
		}
		for (uint32_t k = 0; k < sample->used; k++) {
			sample_read(sample, k, &o);
			all[used++] = (struct signature){ signature_of(&o),
				                          (double)input->samples[i].packets * o.weight / total };
		}
	}
	*count = used;
	return all;
}

static int look_at_likeness(const struct coordination_input *input, struct coordination *c)
{
	size_t count, distinct = 0;
	struct signature *all = signatures_of(input, &count);
	double total = 0, entropy = 0, top = 0;

	if (!all)
		return -ENOMEM;
	c->likeness = c->top_signature = CHANCE_UNKNOWN;
	qsort(all, count, sizeof(*all), by_hash);
	for (size_t i = 0; i < count; i++) {
		total += all[i].weight;
		if (distinct && all[distinct - 1].hash == all[i].hash)
			all[distinct - 1].weight += all[i].weight;
		else
			all[distinct++] = all[i];
	}
	for (size_t i = 0; i < distinct && total > 0; i++) {
		double share = all[i].weight / total;

		if (share > 0)
			entropy -= share * real_log(share);
		top = share > top ? share : top;
	}
	if (total > 0) {
		c->top_signature = top;
		c->likeness = distinct > 1 ? 1 - entropy / real_log((double)distinct) : 1;
		/* Rounding may put it a hair outside. */
		c->likeness = c->likeness < 0 ? 0 : c->likeness;
	}
	free(all);
	return 0;
}

int coordination_make(const struct coordination_input *input, struct coordination *coordination)
{
	struct coordination made = { .known = input->count >= COORDINATION_SOURCES_MIN, .sources = input->count };
	int64_t *times;
	int result;

	if (!made.known) {
		made.ends_1s = made.round_duration = made.likeness = made.top_signature = CHANCE_UNKNOWN;
		made.within_1s = made.within_5s = made.within_30s = CHANCE_UNKNOWN;
		made.expected_1s = made.expected_5s = made.expected_30s = made.quartile_s = CHANCE_UNKNOWN;
		*coordination = made;
		return 0;
	}
	times = calloc(input->count, sizeof(*times));
	if (!times)
		return -ENOMEM;
	result = look_at_onset(input, times, &made);
	if (result == 0)
		result = look_at_ends(input, times, &made);
	free(times);
	if (result != 0)
		return result;
	look_at_durations(input, &made);
	look_at_overlaps(input, &made);
	result = look_at_likeness(input, &made);
	if (result == 0)
		*coordination = made;
	return result;
}

/* ---- concentration ---- */

static int by_value(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

void concentration_make(uint64_t *values, size_t count, struct concentration *concentration)
{
	double total = 0, weighted = 0, squares = 0, rank = 0;

	*concentration = (struct concentration){ CHANCE_UNKNOWN, CHANCE_UNKNOWN, CHANCE_UNKNOWN };
	if (count)
		qsort(values, count, sizeof(*values), by_value);
	for (size_t i = 0; i < count; i++) {
		if (values[i] == 0)
			continue;
		rank++;
		total += (double)values[i];
		weighted += rank * (double)values[i];
	}
	if (rank == 0)
		return;
	for (size_t i = 0; i < count; i++)
		squares += (double)values[i] / total * ((double)values[i] / total);
	concentration->hhi = squares;
	concentration->gini = (2 * weighted / total - rank - 1) / rank;
	concentration->gini = concentration->gini < 0 ? 0 : concentration->gini;
	concentration->top = (double)values[count - 1] / total;
}

const char *coordination_onset_name(enum coordination_onset onset)
{
	switch (onset) {
	case ONSET_COMMAND:
		return "command";
	case ONSET_POLLING:
		return "polling";
	case ONSET_CROWD:
		return "crowd";
	case ONSET_UNKNOWN:
		break;
	}
	return "unknown";
}
