/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The share of sources (or packets) in a country or network.
 *
 * Databases of countries disagree and err. Of a country the share lies between that of the rows which all databases
 * that know them place there, and that of the rows which any does. Both ends are corrected for what databases get wrong
 * (Rogan and Gladen, Am. J. Epidemiol. 107, 1978): (q - FP) / (Se - FP). They are wrong by networks, not by addresses,
 * and a botnet grows by networks: so networks are what is drawn anew (Bayesian bootstrap: each network weighs as an
 * exponential draw, Rubin, Ann. Stat. 9, 1981), beside two that stand for what was not seen, one there and one
 * elsewhere. In each draw Se and FP are others, too, for nobody knows them. To each end's draws a beta law is fitted,
 * so that tails beyond CLAIM_BOOTSTRAPS draws have a probability.
 *
 * The draws of a network's weight depend on the seed and its number alone: what is left out to see how the verdict
 * moves changes nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/real.h"
#include "trace/claim_inside.h"

/*
 * What country databases get right: active probing finds 92 % and more of fixed lines right, 84 % of phones (Gouel et
 * al., IMC 2021; Poese et al., CCR 41, 2011, for the kind of error), hosting better. FP: addresses of elsewhere that
 * are said to be there, for a country of middling size.
 */
#define SENSITIVITY 0.95
#define SENSITIVITY_LOW 0.90 /* drawn evenly from here to SENSITIVITY_HIGH */
#define SENSITIVITY_HIGH 1.0
#define FALSE_POSITIVES 0.003
#define FALSE_POSITIVES_LOW 0.0
#define FALSE_POSITIVES_HIGH 0.006
/* Of networks: who announces an address is seen in routing. */
#define NETWORK_SENSITIVITY 0.98
/* Packets of one source are not so many independent ones: sources count for a fourth there. */
#define PACKETS_DESIGN 4.0

#define OTHERS_A_CLUSTER 8  /* sources that stand for a network where networks are not told apart */
#define OTHERS_DRAWS_MAX 16 /* … and as many such networks at most in a row */
#define NETWORKS_LEFT_OUT 5 /* the largest ones, one at a time */
#define CANDIDATES 5        /* countries that compete */
#define BETA_SUM_MAX 1e6
#define VARIANCE_MIN 1e-12
#define TAIL (CLAIM_BOOTSTRAPS / 40) /* 2.5 % of the draws */

#define SPOOFED_MOST 0.5 /* more of the sources forged than this: no geography */
#define LOCATED_LEAST 0.05
#define LOCATED_LOW 0.2
#define LOCATED_MODERATE 0.6
#define HELD_LOW 100
#define HELD_MODERATE 1000
#define VERY_OLD 4 /* times GEO_OLD_S */

struct claim_draws {
	uint32_t count;   /* of clusters: networks, or rows whose network is not told */
	uint32_t *of_row; /* row → cluster */
	double *parts;    /* how many networks each stands for */
	double *weights;  /* [draw][cluster] */
	double sensitivity[CLAIM_BOOTSTRAPS], false_positives[CLAIM_BOOTSTRAPS];
	double there[CLAIM_BOOTSTRAPS], elsewhere[CLAIM_BOOTSTRAPS]; /* the two that were not seen */
};

/* ---- draws ---- */

/* In (0, 1]. */
static double uniform(uint64_t seed, uint64_t a, uint64_t b)
{
	return ((double)(hash_2(seed, a, b) >> 11) + 1) / 9007199254740992.0;
}

enum { DRAW_WEIGHT = 1, DRAW_SENSITIVITY, DRAW_FALSE_POSITIVES, DRAW_THERE, DRAW_ELSEWHERE };

static uint64_t draw_key(unsigned what, uint32_t draw)
{
	return (uint64_t)what << 32 | draw;
}

/* The sum of `parts` exponential draws. */
static double gamma_draw(uint64_t seed, uint32_t draw, uint64_t key, double parts)
{
	double product = 1;

	for (unsigned i = 0; i < (unsigned)parts; i++)
		product *= uniform(seed, draw_key(DRAW_WEIGHT, draw), key << 8 | i);
	return -real_log(product);
}

static bool is_told(uint32_t network)
{
	return network != 0 && network != TRACE_OTHERS;
}

struct numbered {
	uint32_t network, row;
};

static int by_network(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->network != y->network)
		return x->network < y->network ? -1 : 1;
	return x->row < y->row ? -1 : 1;
}

static void fill_draws(struct claim_draws *d, const struct trace *trace, const struct numbered *sorted, uint64_t seed)
{
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *row = &trace->rows[sorted[i].row];
		bool begins = i == 0 || !is_told(row->network) || sorted[i - 1].network != row->network;

		if (begins) {
			uint64_t key = is_told(row->network) ? row->network : (uint64_t)1 << 40 | sorted[i].row;
			uint64_t parts = is_told(row->network) ? 1 : row->held / OTHERS_A_CLUSTER;

			parts = parts < 1 ? 1 : parts > OTHERS_DRAWS_MAX ? OTHERS_DRAWS_MAX : parts;
			d->parts[d->count] = (double)parts;
			for (uint32_t b = 0; b < CLAIM_BOOTSTRAPS; b++)
				d->weights[(size_t)b * trace->rows_count + d->count] =
					gamma_draw(seed, b, key, (double)parts) / (double)parts;
			d->count++;
		}
		d->of_row[sorted[i].row] = d->count - 1;
	}
	for (uint32_t b = 0; b < CLAIM_BOOTSTRAPS; b++) {
		d->sensitivity[b] = SENSITIVITY_LOW + (SENSITIVITY_HIGH - SENSITIVITY_LOW) *
		                                              uniform(seed, draw_key(DRAW_SENSITIVITY, b), 0);
		d->false_positives[b] =
			FALSE_POSITIVES_LOW + (FALSE_POSITIVES_HIGH - FALSE_POSITIVES_LOW) *
						      uniform(seed, draw_key(DRAW_FALSE_POSITIVES, b), 0);
		d->there[b] = -real_log(uniform(seed, draw_key(DRAW_THERE, b), 0));
		d->elsewhere[b] = -real_log(uniform(seed, draw_key(DRAW_ELSEWHERE, b), 0));
	}
}

int claim_draws_new(const struct trace *trace, uint64_t seed, struct claim_draws **draws)
{
	uint32_t rows = trace->rows_count ? trace->rows_count : 1;
	struct claim_draws *d = calloc(1, sizeof(*d));
	struct numbered *sorted = calloc(rows, sizeof(*sorted));

	if (!d || !sorted)
		goto fail;
	d->of_row = calloc(rows, sizeof(*d->of_row));
	d->parts = calloc(rows, sizeof(*d->parts));
	d->weights = calloc((size_t)rows * CLAIM_BOOTSTRAPS, sizeof(*d->weights));
	if (!d->of_row || !d->parts || !d->weights)
		goto fail;
	for (uint32_t i = 0; i < trace->rows_count; i++)
		sorted[i] = (struct numbered){ trace->rows[i].network, i };
	qsort(sorted, trace->rows_count, sizeof(*sorted), by_network);
	fill_draws(d, trace, sorted, seed);
	free(sorted);
	*draws = d;
	return 0;
fail:
	free(sorted);
	claim_draws_free(d);
	return -ENOMEM;
}

void claim_draws_free(struct claim_draws *draws)
{
	if (!draws)
		return;
	free(draws->of_row);
	free(draws->parts);
	free(draws->weights);
	free(draws);
}

/* ---- one country ---- */

/* Per cluster: what is known, what all place there, what any does. */
struct placed {
	double *known, *low, *high;
	double sum_known, sum_low, sum_high;
	double parts; /* networks that have anything known */
	uint64_t held;
};

static bool left_out(const struct trace_row *row, const struct claim_omission *omission)
{
	return (omission->what == CLAIM_OMIT_NETWORK && row->network == omission->which) ||
	       (omission->what == CLAIM_OMIT_RELAYS && row->reflectors) ||
	       (omission->what == CLAIM_OMIT_VERIFIED && !row->reflectors);
}

/*
 * What databases say of a row, but for the one that is left out: does any know it, do all that do say `country`, does
 * any?
 */
static void ask(const struct trace *trace, const struct trace_row *row, const char *country,
                const struct claim_omission *omission, bool *known, bool *all, bool *any)
{
	*known = *any = false;
	*all = true;
	for (uint32_t d = 0; d < trace->country_databases; d++) {
		if (row->country[d][0] == '\0' || (omission->what == CLAIM_OMIT_DATABASE && omission->which == d))
			continue;
		*known = true;
		if (strncmp(row->country[d], country, GEO_COUNTRY_SIZE) == 0)
			*any = true;
		else
			*all = false;
	}
	*all = *all && *any;
}

static void place(const struct claim_case *c, const char *country, bool by_packets,
                  const struct claim_omission *omission, struct placed *placed)
{
	const struct trace *trace = c->trace;
	size_t size = c->draws->count * sizeof(double);

	memset(placed->known, 0, size);
	memset(placed->low, 0, size);
	memset(placed->high, 0, size);
	placed->sum_known = placed->sum_low = placed->sum_high = placed->parts = 0;
	placed->held = 0;
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *row = &trace->rows[i];
		double weight = (double)(by_packets ? row->packets : row->sources);
		uint32_t cluster = c->draws->of_row[i];
		bool known, all, any;

		ask(trace, row, country, omission, &known, &all, &any);
		if (!known || left_out(row, omission))
			continue;
		placed->known[cluster] += weight;
		placed->low[cluster] += all ? weight : 0;
		placed->high[cluster] += any ? weight : 0;
		placed->held += row->held;
	}
	for (uint32_t i = 0; i < c->draws->count; i++) {
		placed->sum_known += placed->known[i];
		placed->sum_low += placed->low[i];
		placed->sum_high += placed->high[i];
		placed->parts += placed->known[i] > 0 ? c->draws->parts[i] : 0;
	}
}

static double corrected(double share, double sensitivity, double false_positives)
{
	double x = (share - false_positives) / (sensitivity - false_positives);

	return x < 0 ? 0 : x > 1 ? 1 : x;
}

struct share_draws {
	double low[CLAIM_BOOTSTRAPS], high[CLAIM_BOOTSTRAPS];
	double value_low, value_high; /* without drawing */
	double raw_low, raw_high;     /* not corrected either */
};

/* False: nothing is known. */
static bool draw_shares(const struct claim_case *c, const struct placed *placed, struct share_draws *shares)
{
	const struct claim_draws *d = c->draws;
	uint32_t stride = c->trace->rows_count;
	double unseen;

	if (!(placed->sum_known > 0))
		return false;
	unseen = placed->sum_known / placed->parts;
	for (uint32_t b = 0; b < CLAIM_BOOTSTRAPS; b++) {
		const double *weights = &d->weights[(size_t)b * stride];
		double known = (d->there[b] + d->elsewhere[b]) * unseen, low = d->there[b] * unseen, high = low;

		for (uint32_t i = 0; i < d->count; i++) {
			known += weights[i] * placed->known[i];
			low += weights[i] * placed->low[i];
			high += weights[i] * placed->high[i];
		}
		shares->low[b] = corrected(low / known, d->sensitivity[b], d->false_positives[b]);
		shares->high[b] = corrected(high / known, d->sensitivity[b], d->false_positives[b]);
	}
	shares->raw_low = placed->sum_low / placed->sum_known;
	shares->raw_high = placed->sum_high / placed->sum_known;
	shares->value_low = corrected(shares->raw_low, SENSITIVITY, FALSE_POSITIVES);
	shares->value_high = corrected(shares->raw_high, SENSITIVITY, FALSE_POSITIVES);
	return true;
}

/* A beta law with the draws' mean and variance. */
static struct claim_end fit(const double draws[CLAIM_BOOTSTRAPS])
{
	double mean = 0, variance = 0, sum;

	for (unsigned b = 0; b < CLAIM_BOOTSTRAPS; b++)
		mean += draws[b] / CLAIM_BOOTSTRAPS;
	for (unsigned b = 0; b < CLAIM_BOOTSTRAPS; b++)
		variance += (draws[b] - mean) * (draws[b] - mean) / CLAIM_BOOTSTRAPS;
	if (variance < VARIANCE_MIN || mean <= 0 || mean >= 1)
		return (struct claim_end){ CLAIM_EXACT, mean, 0 };
	sum = mean * (1 - mean) / variance - 1;
	sum = sum < 0.1 ? 0.1 : sum > BETA_SUM_MAX ? BETA_SUM_MAX : sum;
	return (struct claim_end){ CLAIM_BETA, mean * sum, (1 - mean) * sum };
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* With room for placed's arrays, and for the draws. */
struct room {
	struct placed placed;
	struct share_draws shares;
	double middle[CANDIDATES + 1][CLAIM_BOOTSTRAPS];
};

static void room_free(struct room *room)
{
	if (!room)
		return;
	free(room->placed.known);
	free(room->placed.low);
	free(room->placed.high);
	free(room);
}

static struct room *room_new(uint32_t clusters)
{
	struct room *room = calloc(1, sizeof(*room));
	size_t count = clusters ? clusters : 1;

	if (!room)
		return NULL;
	room->placed.known = calloc(count, sizeof(double));
	room->placed.low = calloc(count, sizeof(double));
	room->placed.high = calloc(count, sizeof(double));
	if (room->placed.known && room->placed.low && room->placed.high)
		return room;
	room_free(room);
	return NULL;
}

static bool measure_country(const struct claim_case *c, const struct predicate_node *node, const char *country,
                            const struct claim_omission *omission, struct room *room, struct claim_measure *measure)
{
	struct share_draws *s = &room->shares;
	struct claim_end low, high;

	*measure = (struct claim_measure){ CLAIM_UNSUPPORTED, 0, REAL_UNKNOWN, REAL_UNKNOWN, REAL_UNKNOWN };
	place(c, country, node->by_packets, omission, &room->placed);
	if (!draw_shares(c, &room->placed, s))
		return false;
	low = fit(s->low);
	high = fit(s->high);
	qsort(s->low, CLAIM_BOOTSTRAPS, sizeof(double), by_value);
	qsort(s->high, CLAIM_BOOTSTRAPS, sizeof(double), by_value);
	measure->value = (s->value_low + s->value_high) / 2;
	measure->low = s->low[TAIL - 1] < s->value_low ? s->low[TAIL - 1] : s->value_low;
	measure->high =
		s->high[CLAIM_BOOTSTRAPS - TAIL] > s->value_high ? s->high[CLAIM_BOOTSTRAPS - TAIL] : s->value_high;
	claim_compare_within(node, &low, &high, measure);
	return true;
}

/* ---- what keeps geography from being known ---- */

bool claim_has_places(const struct claim_case *c, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	char percent[CLAIM_NUMBER_SIZE];
	double located = trace->sources ? (double)trace->located_sources / (double)trace->sources : 0;

	result->verdict = CLAIM_UNTESTABLE;
	if (trace->spoofing.verdict == SPOOFING_SPOOFED || trace->spoofing.sources.spoofed > SPOOFED_MOST) {
		claim_say_reason(result, "The source addresses were forged: where forged addresses are registered says "
		                         "nothing about where the packets came from.");
		return false;
	}
	if (trace->located_sources == 0 || located < LOCATED_LEAST) {
		claim_say_reason(result,
		                 "Of %s of the sources it is known that their addresses are real; of the others "
		                 "nothing can be said about places.",
		                 trace->located_sources ? claim_percent(located, percent) : "none");
		return false;
	}
	result->verdict = CLAIM_UNSUPPORTED;
	return true;
}

void claim_cap_places(const struct claim_case *c, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	double located = trace->sources ? (double)trace->located_sources / (double)trace->sources : 0;
	char text[CLAIM_NUMBER_SIZE];
	uint64_t held = 0;

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		held += trace->rows[i].held;
		result->relays = result->relays || trace->rows[i].reflectors;
	}
	if (located < LOCATED_MODERATE)
		claim_cap(result, located < LOCATED_LOW ? CLAIM_LOW : CLAIM_MODERATE,
		          "only %s of the sources are known to be real", claim_percent(located, text));
	if (held < HELD_MODERATE)
		claim_cap(result, held < HELD_LOW ? CLAIM_LOW : CLAIM_MODERATE, "only %s sources were looked at",
		          claim_number((double)held, text));
}

static void cap_databases(const struct trace *trace, struct claim_result *result)
{
	int64_t oldest = 0;
	bool unknown = false;

	for (uint32_t d = 0; d < trace->country_databases; d++) {
		int64_t age = trace->began_ns - trace->databases[d].built_ns;

		age = age < 0 ? -age : age;
		unknown = unknown || trace->databases[d].built_ns == 0;
		if (trace->databases[d].built_ns != 0 && age > oldest)
			oldest = age;
	}
	oldest /= 1000000000;
	if (oldest > GEO_OLD_S)
		claim_cap(result, oldest > VERY_OLD * (int64_t)GEO_OLD_S ? CLAIM_LOW : CLAIM_MODERATE,
		          "a country database is %d days from the attack", (int)(oldest / 86400));
	if (unknown)
		claim_cap(result, CLAIM_MODERATE, "a country database does not say how old it is");
	if (trace->country_databases < 2)
		claim_cap(result, CLAIM_MODERATE, "there is one country database only, so nothing shows its errors");
}

/* ---- evidence ---- */

static void add_without(const struct claim_case *c, const struct predicate_node *node,
                        const struct claim_omission *omission, struct room *room, double whole,
                        struct claim_result *result, const char *what)
{
	struct claim_measure without;

	(void)measure_country(c, node, node->name, omission, room, &without);
	claim_add_evidence(result, whole - without.log10_bf, without.verdict, "%s", what);
}

/* The largest networks by what the claim counts, into `largest`; how many, or -ENOMEM. */
static int largest_networks(const struct trace *trace, bool by_packets, uint32_t largest[NETWORKS_LEFT_OUT],
                            double share[NETWORKS_LEFT_OUT])
{
	struct numbered *sorted = calloc(trace->rows_count ? trace->rows_count : 1, sizeof(*sorted));
	double all = 0;
	int count = 0;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		sorted[i] = (struct numbered){ trace->rows[i].network, i };
		all += (double)(by_packets ? trace->rows[i].packets : trace->rows[i].sources);
	}
	qsort(sorted, trace->rows_count, sizeof(*sorted), by_network);
	for (uint32_t i = 0, end; i < trace->rows_count; i = end) {
		double sum = 0;
		int at;

		for (end = i; end < trace->rows_count && sorted[end].network == sorted[i].network; end++)
			sum += (double)(by_packets ? trace->rows[sorted[end].row].packets
			                           : trace->rows[sorted[end].row].sources);
		if (!is_told(sorted[i].network))
			continue;
		for (at = count; at > 0 && share[at - 1] < sum / all; at--)
			if (at < NETWORKS_LEFT_OUT) {
				share[at] = share[at - 1];
				largest[at] = largest[at - 1];
			}
		if (at >= NETWORKS_LEFT_OUT)
			continue;
		share[at] = sum / all;
		largest[at] = sorted[i].network;
		count += count < NETWORKS_LEFT_OUT;
	}
	free(sorted);
	return count;
}

static const char *network_name(const struct trace *trace, uint32_t network)
{
	for (uint32_t i = 0; i < trace->rows_count; i++)
		if (trace->rows[i].network == network && trace->rows[i].name[0])
			return trace->rows[i].name;
	return "";
}

/* 0 or -ENOMEM. */
static int weigh(const struct claim_case *c, const struct predicate_node *node, struct room *room,
                 struct claim_result *result)
{
	static const char *const kinds[] = { "packets", "sources" };
	const struct trace *trace = c->trace;
	const char *kind = kinds[!node->by_packets];
	char what[CLAIM_TEXT_SIZE], text[CLAIM_NUMBER_SIZE];
	double whole = result->log10_bf, share[NETWORKS_LEFT_OUT];
	uint32_t networks[NETWORKS_LEFT_OUT];
	int count = largest_networks(trace, node->by_packets, networks, share);
	bool relays = false, verified = false;

	if (count < 0)
		return count;
	for (uint32_t d = 0; d < trace->country_databases; d++) {
		struct claim_omission omission = { CLAIM_OMIT_DATABASE, d };
		double there = 0, all = 0;

		for (uint32_t i = 0; i < trace->rows_count; i++) {
			const struct trace_row *row = &trace->rows[i];
			double weight = (double)(node->by_packets ? row->packets : row->sources);

			all += row->country[d][0] ? weight : 0;
			there += strncmp(row->country[d], node->name, GEO_COUNTRY_SIZE) == 0 ? weight : 0;
		}
		(void)snprintf(what, sizeof(what), "database %s: %s of the %s that it knows are in %s",
		               trace->databases[d].name, claim_percent(all > 0 ? there / all : 0, text), kind,
		               node->name);
		add_without(c, node, &omission, room, whole, result, what);
	}
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		relays = relays || trace->rows[i].reflectors;
		verified = verified || !trace->rows[i].reflectors;
	}
	if (relays && verified) {
		add_without(c, node, &(struct claim_omission){ CLAIM_OMIT_RELAYS, 0 }, room, whole, result,
		            "relays of reflections");
		add_without(c, node, &(struct claim_omission){ CLAIM_OMIT_VERIFIED, 0 }, room, whole, result,
		            "verified sources, which are no relays");
	}
	for (int i = 0; i < count; i++) {
		const char *name = network_name(trace, networks[i]);

		(void)snprintf(what, sizeof(what), "network %u%s%s: %s of the %s", networks[i], *name ? " " : "", name,
		               claim_percent(share[i], text), kind);
		add_without(c, node, &(struct claim_omission){ CLAIM_OMIT_NETWORK, networks[i] }, room, whole, result,
		            what);
	}
	return 0;
}

/* ---- competing countries ---- */

/* The countries that most rows name, `country` among them. */
static unsigned candidates(const struct trace *trace, const struct predicate_node *node,
                           char codes[CANDIDATES + 1][GEO_COUNTRY_SIZE])
{
	double sums[GEO_CODES] = { 0 };
	unsigned count = 0;
	size_t own = geo_code_index(node->name);

	for (uint32_t i = 0; i < trace->rows_count; i++)
		for (uint32_t d = 0; d < trace->country_databases; d++) {
			size_t index = geo_code_index(trace->rows[i].country[d]);

			if (index < GEO_CODES)
				sums[index] +=
					(double)(node->by_packets ? trace->rows[i].packets : trace->rows[i].sources);
		}
	memcpy(codes[count++], node->name, GEO_COUNTRY_SIZE);
	if (own < GEO_CODES)
		sums[own] = 0;
	while (count < CANDIDATES + 1) {
		size_t best = 0;

		for (size_t i = 1; i < GEO_CODES; i++)
			best = sums[i] > sums[best] ? i : best;
		if (!(sums[best] > 0))
			break;
		geo_code_at(best, codes[count++]);
		sums[best] = 0;
	}
	return count;
}

static void compete(const struct claim_case *c, const struct predicate_node *node, struct room *room,
                    struct claim_result *result)
{
	static const struct claim_omission nothing = { CLAIM_OMIT_NOTHING, 0 };
	char codes[CANDIDATES + 1][GEO_COUNTRY_SIZE], text[CLAIM_NUMBER_SIZE];
	unsigned count = candidates(c->trace, node, codes), wins[CANDIDATES + 1] = { 0 }, most = 0;
	double share[CANDIDATES + 1];

	for (unsigned i = 0; i < count; i++) {
		place(c, codes[i], node->by_packets, &nothing, &room->placed);
		if (!draw_shares(c, &room->placed, &room->shares))
			return;
		share[i] = (room->shares.value_low + room->shares.value_high) / 2;
		for (unsigned b = 0; b < CLAIM_BOOTSTRAPS; b++)
			room->middle[i][b] = (room->shares.low[b] + room->shares.high[b]) / 2;
	}
	for (unsigned b = 0; b < CLAIM_BOOTSTRAPS; b++) {
		unsigned best = 0;

		for (unsigned i = 1; i < count; i++)
			best = room->middle[i][b] > room->middle[best][b] ? i : best;
		wins[best]++;
	}
	for (unsigned i = 0; i < count; i++)
		most = wins[i] > most ? wins[i] : most;
	for (unsigned i = 0; i < count; i++)
		claim_add_hypothesis(result, claim_log10((wins[i] + 0.5) / (most + 0.5)),
		                     "no country has more of the %s than %s (about %s)",
		                     node->by_packets ? "packets" : "sources", codes[i], claim_percent(share[i], text));
}

/* ---- against normal users ---- */

static void hold_against_baseline(const struct claim_case *c, const struct predicate_node *node, double variance,
                                  struct claim_result *result)
{
	const struct claim_context *context = c->context;
	double q = result->value, p, n;

	for (uint32_t i = 0; i < context->baseline_count; i++) {
		if (strncmp(context->baseline[i].country, node->name, GEO_COUNTRY_SIZE) != 0 ||
		    !(context->baseline[i].share > 0) || context->baseline[i].share >= 1)
			continue;
		p = context->baseline[i].share;
		result->quotient = q / p;
		result->quotient_low = result->low / p;
		result->quotient_high = result->high / p;
		/* As many sources as would vary so if they were independent. */
		n = variance > VARIANCE_MIN ? q * (1 - q) / variance : 0;
		result->g2 = 2 * n *
		             ((q > 0 ? q * real_log(q / p) : 0) + (q < 1 ? (1 - q) * real_log((1 - q) / (1 - p)) : 0));
		return;
	}
}

static double variance_of(const struct claim_end *end)
{
	double sum = end->a + end->b;

	return end->law == CLAIM_BETA ? end->a * end->b / (sum * sum * (sum + 1)) : 0;
}

int claim_country(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	static const struct claim_omission nothing = { CLAIM_OMIT_NOTHING, 0 };
	char value[CLAIM_NUMBER_SIZE], low[CLAIM_NUMBER_SIZE], high[CLAIM_NUMBER_SIZE], held[CLAIM_NUMBER_SIZE];
	const char *kind = node->by_packets ? "packets" : "sources";
	struct claim_measure measure;
	struct claim_end end;
	struct room *room;
	int status;

	if (!claim_has_places(c, result))
		return 0;
	if (c->trace->country_databases == 0) {
		claim_say_reason(result,
		                 "No country database was at hand when the attack was traced ('holdfast geo update').");
		claim_cap(result, CLAIM_LOW, "nothing was measured");
		return 0;
	}
	room = room_new(c->draws->count);
	if (!room)
		return -ENOMEM;
	if (!measure_country(c, node, node->name, &nothing, room, &measure)) {
		claim_say_reason(result, "No database knows any of the sources.");
		room_free(room);
		return 0;
	}
	end = fit(room->shares.low);
	result->verdict = measure.verdict;
	result->log10_bf = measure.log10_bf;
	result->value = measure.value;
	result->low = measure.low;
	result->high = measure.high;
	claim_cap_places(c, result);
	cap_databases(c->trace, result);
	claim_say_reason(result, "Of the %s whose place can be known (%s looked at), about %s are in %s, %s to %s.%s",
	                 kind, claim_number((double)room->placed.held, held), claim_percent(measure.value, value),
	                 node->name, claim_percent(measure.low, low), claim_percent(measure.high, high),
	                 result->relays ? " Relays are among them: they are not the attackers." : "");
	hold_against_baseline(c, node, variance_of(&end), result);
	status = weigh(c, node, room, result);
	compete(c, node, room, result);
	room_free(room);
	return status;
}

/* ---- one network ---- */

static void measure_network(const struct claim_case *c, const struct predicate_node *node,
                            const struct claim_omission *omission, struct claim_measure *measure, uint64_t *held)
{
	double there = 0, all = 0, others = 0, smallest = 0, n, q, possible;
	struct claim_end low, high;

	*measure = (struct claim_measure){ CLAIM_UNSUPPORTED, 0, REAL_UNKNOWN, REAL_UNKNOWN, REAL_UNKNOWN };
	*held = 0;
	for (uint32_t i = 0; i < c->trace->rows_count; i++) {
		const struct trace_row *row = &c->trace->rows[i];
		double weight = (double)(node->by_packets ? row->packets : row->sources);

		if (row->network == 0 || left_out(row, omission))
			continue;
		all += weight;
		*held += row->held;
		there += row->network == node->network ? weight : 0;
		if (row->network == TRACE_OTHERS)
			others += weight;
		else if (smallest <= 0 || weight < smallest)
			smallest = weight;
	}
	if (!(all > 0))
		return;
	q = there / all;
	/* Where it is not told apart it may be one of the others, and then it is smaller than those that are. */
	possible = q > 0 || others <= 0 ? q : (smallest < others ? smallest : others) / all;
	possible = possible / NETWORK_SENSITIVITY < 1 ? possible / NETWORK_SENSITIVITY : 1;
	n = (double)*held / (node->by_packets ? PACKETS_DESIGN : 1);
	low = (struct claim_end){ CLAIM_BETA, q * n + 1, (1 - q) * n + 1 };
	high = (struct claim_end){ CLAIM_BETA, possible * n + 1, (1 - possible) * n + 1 };
	measure->value = q;
	claim_compare(node, &low, &high, measure);
	measure->low = measure->low < q ? measure->low : q;
	measure->high = measure->high > q ? measure->high : q;
}

void claim_network(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	static const struct claim_omission nothing = { CLAIM_OMIT_NOTHING, 0 };
	char value[CLAIM_NUMBER_SIZE], low[CLAIM_NUMBER_SIZE], high[CLAIM_NUMBER_SIZE];
	const char *name = network_name(c->trace, node->network);
	struct claim_measure measure;
	uint64_t held;
	bool relays = false, verified = false;

	if (!claim_has_places(c, result))
		return;
	measure_network(c, node, &nothing, &measure, &held);
	if (real_is_nan(measure.value)) {
		claim_say_reason(result, "No database of networks was at hand when the attack was traced.");
		return;
	}
	result->verdict = measure.verdict;
	result->log10_bf = measure.log10_bf;
	result->value = measure.value;
	result->low = measure.low;
	result->high = measure.high;
	claim_cap_places(c, result);
	claim_say_reason(result, "Of the %s whose network is known, %s are in network %u%s%s, %s to %s.%s",
	                 node->by_packets ? "packets" : "sources", claim_percent(measure.value, value), node->network,
	                 *name ? " " : "", name, claim_percent(measure.low, low), claim_percent(measure.high, high),
	                 result->relays ? " Relays are among them: they are not the attackers." : "");
	for (uint32_t i = 0; i < c->trace->rows_count; i++) {
		relays = relays || c->trace->rows[i].reflectors;
		verified = verified || !c->trace->rows[i].reflectors;
	}
	if (relays && verified) {
		measure_network(c, node, &(struct claim_omission){ CLAIM_OMIT_RELAYS, 0 }, &measure, &held);
		claim_add_evidence(result, result->log10_bf - measure.log10_bf, measure.verdict,
		                   "relays of reflections");
		measure_network(c, node, &(struct claim_omission){ CLAIM_OMIT_VERIFIED, 0 }, &measure, &held);
		claim_add_evidence(result, result->log10_bf - measure.log10_bf, measure.verdict,
		                   "verified sources, which are no relays");
	}
}
