/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each test measures an effect and says what chance alone would make of it. None uses a p-value: with a million sources
 * whatever a filter on the way has taken out is significant, with twenty nothing is.
 *
 * What a source does is taken from the roster, where each that is held was counted from its first packet on; what the
 * whole does from the window's estimates; fields of packets from its sample.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/real.h"
#include "observe/protocol.h"
#include "trace/chance.h"
#include "trace/spoofing_inside.h"

#define VERIFIED_SHARE 0.9  /* of the packets from sources that receive what is sent to them */
#define BOGONS_RANDOM 0.138 /* of IPv4: what is reserved */
#define UNIFORM_EFFECT 0.5  /* Cohen's w up to which octets are as even as chance makes them; half of them dark is 1 */
#define ONCE_PERMILLE 900   /* sources per thousand packets from which on each was seen about once */
#define POPULATION_MIN ((double)(1u << 26)) /* sources: more than any crowd of devices */
#define ADDRESSES_IPV4 4294967296.0
#define NETWORKS_IPV4 16777216.0 /* /24 */
#define NETWORKS_PERCENT 90      /* of those that random numbers would lie in */
#define TTL_SAME_PERMILLE 950
#define HOPS_NEAR 2      /* hosts of one /24 are about as far away */
#define HOPS_PAIRS 20    /* of neighbours, to be compared */
#define HOPS_VARY 0.3    /* strangers that differ, at least: otherwise neighbours cannot be told from them */
#define HOPS_ALIKE 0.8   /* neighbours differ as often as strangers */
#define PACKETS_MAX 2048 /* looked at for dependence, each of another source */
#define DEPENDENT_BITS 0.25
#define NIBBLES 16
#define RESETS_SHARE 5   /* a fifth of the packets */
#define CLONES_MIN 8     /* sources alike: one host … */
#define CLONES_TTLS 2    /* … seen over no more paths; a TSval seen over more is the tool's */
#define CLONES_KNOWN 100 /* sources that have a TSval */

static const char *const names[SPOOFING_KINDS] = {
	[SPOOFING_HANDSHAKES] = "handshakes", [SPOOFING_BOGONS] = "bogons",     [SPOOFING_UNIFORMITY] = "uniformity",
	[SPOOFING_REPEATS] = "repeats",       [SPOOFING_NETWORKS] = "networks", [SPOOFING_HOPS] = "hops",
	[SPOOFING_DEPENDENCE] = "dependence", [SPOOFING_RESETS] = "resets",     [SPOOFING_CLONES] = "clones",
};

__attribute__((format(printf, 2, 3))) static void say(struct spoofing_test *test, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(test->text, sizeof(test->text), format, arguments);
	va_end(arguments);
}

/* ------------------------------------------------------------------ what is known */

static uint64_t at_most(uint64_t estimate, uint64_t bound)
{
	return estimate < bound ? estimate : bound;
}

/* Most sources are of one family; without a roster that of a packet must do. */
static bool mostly_ipv4(const struct spoofing_view *v)
{
	uint32_t ipv4 = 0;

	if (v->looked_count == 0) {
		struct observation first;

		if (v->window->sample.used == 0)
			return true;
		sample_read(&v->window->sample, 0, &first);
		return address_is_ipv4(&first.src);
	}
	for (uint32_t i = 0; i < v->looked_count; i++)
		ipv4 += address_is_ipv4(&v->looked[i].address);
	return ipv4 * 2 >= v->looked_count;
}

static void look(struct spoofing_view *v, struct roster *roster)
{
	if (roster_held(roster) > SPOOFING_LOOKED) {
		v->own = roster_new(SPOOFING_LOOKED);
		if (!v->own)
			return;
		roster_merge(v->own, roster, 0);
		roster = v->own;
	}
	if (roster_lost(roster) > 0 || roster_sources(roster, &v->looked, &v->looked_count) < 0) {
		v->looked_count = 0;
		return;
	}
	v->halvings = roster_halvings(roster);
	for (uint32_t i = 0; i < v->looked_count; i++) {
		bool verified = v->looked[i].marks & ROSTER_VERIFIED;

		v->looked_packets += v->looked[i].packets;
		v->looked_observed += v->looked[i].observed;
		v->verified += verified;
		v->verified_packets += verified ? v->looked[i].packets : 0;
	}
}

void spoofing_view_init(struct spoofing_view *v, const struct incident_part *part)
{
	const struct window *w = part->window;
	struct incident_sources sources = incident_part_sources(part);

	*v = (struct spoofing_view){
		.window = w,
		.about = sources.error_ppm ? "about " : "",
		.sources = sources.count,
		.networks = sources.networks,
		.tcp = vector_get(part->kind)->protocol == PROTOCOL_TCP,
	};
	for (unsigned i = 0; i < 256; i++) {
		v->octets += w->source_octet[i] > 0;
		v->top_ttl = w->ttl[i] > v->top_ttl ? w->ttl[i] : v->top_ttl;
	}
	if (part->roster)
		look(v, part->roster);
	v->ipv4 = mostly_ipv4(v);
}

void spoofing_view_fini(struct spoofing_view *v)
{
	roster_free(v->own);
}

static bool is_crowd(const struct spoofing_view *v)
{
	return v->sources >= SPOOFING_CROWD;
}

/* Networks that so many random addresses lie in. */
static double networks_random(const struct spoofing_view *v)
{
	double sources = (double)v->sources;

	return v->ipv4 ? NETWORKS_IPV4 * (1 - real_exp(-sources / NETWORKS_IPV4)) : sources;
}

/* All over the world, and hardly two in a network. */
static bool is_spread(const struct spoofing_view *v)
{
	return is_crowd(v) && v->octets >= SPOOFING_SPREAD &&
	       (double)v->networks * 100 >= networks_random(v) * NETWORKS_PERCENT;
}

static void too_few(const struct spoofing_view *v, struct spoofing_test *test)
{
	say(test, "too few to say: %s%llu source addresses", v->about, (unsigned long long)v->sources);
}

/* ------------------------------------------------------------------ the tests */

static void handshakes(const struct spoofing_view *v, struct spoofing_test *test)
{
	test->expected = 0;
	if (v->looked_count == 0) {
		test->value = chance_share(at_most(v->window->handshakes, v->window->packets), v->window->packets);
		say(test, "%llu handshakes were completed meanwhile; who forges its address completes none",
		    (unsigned long long)v->window->handshakes);
		return;
	}
	test->value = chance_share(v->verified, v->looked_count);
	if ((double)v->verified_packets >= (double)v->looked_packets * VERIFIED_SHARE)
		test->says = SPOOFING_VERIFIED;
	say(test,
	    "%llu of the %llu sources that were looked at one by one receive what is sent to them; of forged ones none does",
	    (unsigned long long)v->verified, (unsigned long long)v->looked_count);
}

static void bogons(const struct spoofing_view *v, struct spoofing_test *test)
{
	test->value = chance_share(v->window->bogons, v->window->packets);
	test->expected = v->ipv4 ? BOGONS_RANDOM : CHANCE_UNKNOWN;
	say(test,
	    "%.1f %% of the packets claim reserved addresses; of random IPv4 addresses 13.8 %% are; a suspicion only",
	    test->value * 100);
}

/* The parts of the address space that random numbers would lie in, and its number of parts. */
static bool is_part(bool ipv4, unsigned octet)
{
	return ipv4 ? octet >= 1 && octet < 224 && octet != 10 && octet != 127 : octet >> 5 == 1;
}

/* Cohen's w of first octets against an even spread, what a sample of that size makes of it taken off. */
static void uniformity(const struct spoofing_view *v, struct spoofing_test *test)
{
	uint64_t counts[256] = { 0 }, total = 0;
	double parts = 0, chi = 0, even;

	for (uint32_t i = 0; i < v->looked_count; i++) {
		const struct address *a = &v->looked[i].address;
		unsigned octet = a->octets[v->ipv4 ? 12 : 0];

		if (address_is_ipv4(a) != v->ipv4 || !is_part(v->ipv4, octet))
			continue;
		counts[octet]++;
		total++;
	}
	if (total < SPOOFING_CROWD) {
		too_few(v, test);
		return;
	}
	for (unsigned i = 0; i < 256; i++)
		parts += is_part(v->ipv4, i);
	even = (double)total / parts;
	for (unsigned i = 0; i < 256; i++)
		if (is_part(v->ipv4, i))
			chi += ((double)counts[i] - even) * ((double)counts[i] - even) / even;
	chi -= parts - 1;
	test->value = chi > 0 ? __builtin_sqrt(chi / (double)total) : 0;
	test->expected = __builtin_sqrt(__builtin_sqrt(2 * (parts - 1)) / (double)total);
	if (test->value <= UNIFORM_EFFECT)
		test->says = SPOOFING_SPOOFED;
	say(test,
	    "sources over the first octets differ from an even spread by an effect of %.2f; random numbers would by about %.2f, with half of the space dark it is 1",
	    test->value, test->expected);
}

/*
 * Of m packets from a population of N equally likely sources m^2 / 2N repeat one. Where sources are sampled, m and N
 * are those of the sample.
 */
static void repeats(const struct spoofing_view *v, struct spoofing_test *test)
{
	uint64_t packets = v->looked_count ? v->looked_observed : v->window->packets;
	uint64_t sources = v->looked_count ? v->looked_count : v->sources, repeated = packets - sources;
	bool weighted = v->looked_count && v->looked_packets != v->looked_observed;
	double stands_for = (double)(1ull << v->halvings), seen = (double)packets, most, population;

	test->value = (double)repeated;
	test->expected = v->ipv4 ? seen * seen * stands_for / (2 * ADDRESSES_IPV4) : 0;
	/* Of few repeats there might as well have been more. */
	most = (double)repeated + 3 * __builtin_sqrt((double)repeated) + 3;
	population = seen * seen * stands_for / (2 * most);
	say(test,
	    "%llu of %llu packets that were looked at came from an address that had sent before; random ones would %s%.0f times",
	    (unsigned long long)repeated, (unsigned long long)packets, test->expected < 0.5 ? "about " : "",
	    test->expected);
	if (!is_crowd(v))
		return;
	/* Of packets that stand for many, each is somebody's only one. */
	if ((!weighted && v->window->packets && sources * 1000 >= packets * ONCE_PERMILLE) ||
	    (v->looked_count && population >= POPULATION_MIN))
		test->says = SPOOFING_SPOOFED;
}

static void networks(const struct spoofing_view *v, struct spoofing_test *test)
{
	test->value = (double)v->networks;
	test->expected = networks_random(v);
	if (is_spread(v))
		test->says = SPOOFING_SPOOFED;
	say(test,
	    "%s%llu source addresses lie in %s%llu networks (/24, IPv6 /48) and %u of 256 parts of the address space; random ones would in %.0f",
	    v->about, (unsigned long long)v->sources, v->about, (unsigned long long)v->networks, v->octets,
	    test->expected);
}

/* How far away, if it began with the smallest usual TTL that it can have begun with. */
static unsigned hops_of(uint8_t ttl)
{
	return (ttl <= 32 ? 32u : ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

static bool is_far(unsigned a, unsigned b)
{
	return (a > b ? a - b : b - a) > HOPS_NEAR;
}

/* The share of pairs of any two sources that are not about as far away. */
static double strangers_differ(const uint32_t counts[256])
{
	uint64_t total = 0, near = 0;

	for (unsigned a = 0; a < 256; a++) {
		total += counts[a];
		for (unsigned b = 0; b < 256 && counts[a]; b++)
			near += is_far(a, b) ? 0 : (uint64_t)counts[a] * counts[b];
	}
	return total ? 1 - (double)near / ((double)total * (double)total) : CHANCE_UNKNOWN;
}

/*
 * Neighbours in a /24 against strangers: what an address says of the way that its packets took. That it says nothing is
 * a suspicion: tools that draw their TTL at random, and networks that are spread over a continent, look like that too.
 */
static void compare_neighbours(const struct spoofing_view *v, struct spoofing_test *test)
{
	const struct roster_source *before = NULL;
	uint32_t counts[256] = { 0 };
	uint64_t pairs = 0, far = 0;

	for (uint32_t i = 0; i < v->looked_count; i++) {
		const struct roster_source *source = &v->looked[i];

		if (!address_is_ipv4(&source->address) || (source->marks & ROSTER_MIXED_TTL))
			continue;
		counts[hops_of(source->ttl)]++;
		if (before && memcmp(before->address.octets, source->address.octets, 15) == 0) {
			pairs++;
			far += is_far(hops_of(before->ttl), hops_of(source->ttl));
		}
		before = source;
	}
	if (pairs < HOPS_PAIRS) {
		say(test, "too few to say: %llu pairs of sources in one /24 whose hops could be compared",
		    (unsigned long long)pairs);
		return;
	}
	test->value = chance_share(far, pairs);
	test->expected = strangers_differ(counts);
	say(test,
	    "of %llu pairs of sources in one /24, %.0f %% are not about as many hops away; of any two sources %.0f %%%s",
	    (unsigned long long)pairs, test->value * 100, test->expected * 100,
	    test->expected >= HOPS_VARY && test->value >= test->expected * HOPS_ALIKE
	            ? ": an address says nothing of the way; a suspicion only"
	            : "");
}

static bool one_ttl(const struct spoofing_view *v)
{
	return is_crowd(v) && v->octets >= SPOOFING_SPREAD &&
	       v->top_ttl * 1000 >= v->window->packets * TTL_SAME_PERMILLE;
}

static void hops(const struct spoofing_view *v, struct spoofing_test *test)
{
	if (!one_ttl(v)) {
		compare_neighbours(v, test);
		return;
	}
	test->value = chance_share(v->top_ttl, v->window->packets);
	test->says = SPOOFING_SPOOFED;
	say(test,
	    "%.1f %% of the packets arrived with one and the same TTL, though their addresses lie in %u of 256 parts of the address space",
	    test->value * 100, v->octets);
}

/* ---- dependence ---- */

static int by_source(const void *left, const void *right)
{
	const struct observation *a = *(const struct observation *const *)left;
	const struct observation *b = *(const struct observation *const *)right;
	int order = address_compare(&a->src, &b->src);

	if (order)
		return order;
	if (a->time.ns != b->time.ns)
		return a->time.ns < b->time.ns ? -1 : 1;
	return a->tcp.seq < b->tcp.seq ? -1 : a->tcp.seq > b->tcp.seq;
}

/* One packet of each source, so many at most; returns how many. */
static uint32_t one_of_each(const struct spoofing_view *v, const struct observation *sampled,
                            const struct observation **packets)
{
	uint32_t count = 0, kept = 0;

	for (uint32_t i = 0; i < v->window->sample.used; i++)
		if (address_is_ipv4(&sampled[i].src) == v->ipv4)
			packets[count++] = &sampled[i];
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
	qsort(packets, count, sizeof(packets[0]), by_source);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || !address_equal(&packets[kept - 1]->src, &packets[i]->src))
			packets[kept++] = packets[i];
	/* Addresses ascend: the last octets of every so manieth are as even as all. */
	for (uint32_t i = 0; i < PACKETS_MAX && kept > PACKETS_MAX; i++)
		packets[i] = packets[(uint64_t)i * kept / PACKETS_MAX];
	return kept < PACKETS_MAX ? kept : PACKETS_MAX;
}

enum field { FIELD_PORT, FIELD_ID, FIELD_SEQUENCE, FIELD_TTL, FIELDS };

static const struct {
	const char *name;
	unsigned nibbles;
} fields[FIELDS] = {
	[FIELD_PORT] = { "the source port", 4 },
	[FIELD_ID] = { "the IP ID", 4 },
	[FIELD_SEQUENCE] = { "the sequence number", 8 },
	[FIELD_TTL] = { "the TTL", 2 },
};

static uint32_t field_of(const struct observation *o, unsigned field)
{
	switch (field) {
	case FIELD_PORT:
		return o->src_port;
	case FIELD_ID:
		return o->ip_id;
	case FIELD_SEQUENCE:
		return o->tcp.seq;
	default:
		return o->ttl;
	}
}

static double plogp(uint32_t count)
{
	return count ? (double)count * real_log((double)count) : 0;
}

struct information {
	double bits;   /* mutual information, what the sample's size makes of it taken off */
	double chance; /* what may be left of that */
};

/* G = 2N times the mutual information; by chance it has the mean of its degrees of freedom. */
static struct information information_of(const uint32_t table[NIBBLES][NIBBLES], uint32_t count)
{
	uint32_t rows[NIBBLES] = { 0 }, columns[NIBBLES] = { 0 };
	double g = 0, rows_used = 0, columns_used = 0, degrees, scale = 2 * (double)count * real_log(2);

	for (unsigned i = 0; i < NIBBLES; i++) {
		for (unsigned j = 0; j < NIBBLES; j++) {
			rows[i] += table[i][j];
			columns[j] += table[i][j];
			g += plogp(table[i][j]);
		}
	}
	for (unsigned i = 0; i < NIBBLES; i++) {
		g -= plogp(rows[i]) + plogp(columns[i]);
		rows_used += rows[i] > 0;
		columns_used += columns[i] > 0;
	}
	g = 2 * (g + plogp(count));
	degrees = (rows_used - 1) * (columns_used - 1);
	return (struct information){
		.bits = g > degrees ? (g - degrees) / scale : 0,
		.chance = 4 * __builtin_sqrt(2 * degrees) / scale, /* of a hundred tables, the worst */
	};
}

/* The most that four bits of the source say of four bits of a field. */
static struct information field_information(const struct spoofing_view *v, const struct observation **packets,
                                            uint32_t count, unsigned field)
{
	struct information most = { 0 };

	for (unsigned from = 0; from < 8; from++) {
		for (unsigned to = 0; to < fields[field].nibbles; to++) {
			uint32_t table[NIBBLES][NIBBLES] = { 0 };
			struct information found;

			for (uint32_t i = 0; i < count; i++) {
				uint8_t octet = packets[i]->src.octets[(v->ipv4 ? 12 : 2) + from / 2];

				table[octet >> (from % 2 * 4) & 15][field_of(packets[i], field) >> (to * 4) & 15]++;
			}
			found = information_of((const uint32_t(*)[NIBBLES])table, count);
			if (found.bits > most.bits)
				most.bits = found.bits;
			if (found.chance > most.chance)
				most.chance = found.chance;
		}
	}
	return most;
}

/*
 * Real hosts choose ports and numbers without a thought of their address. Where addresses that lie all over the world
 * say something of them, one generator made both. That the TTL depends on the address is as it should be.
 */
static void dependence(const struct spoofing_view *v, struct spoofing_test *test)
{
	struct observation *sampled = sample_list(&v->window->sample);
	const struct observation **packets = NULL;
	struct information most = { 0 }, ttl;
	unsigned which = FIELD_PORT;
	uint32_t count = 0;

	if (sampled)
		packets = calloc(v->window->sample.used, sizeof(const struct observation *));
	if (packets)
		count = one_of_each(v, sampled, packets);
	if (count < SPOOFING_CROWD) {
		too_few(v, test);
		free(packets);
		free(sampled);
		return;
	}
	for (unsigned field = 0; field < FIELD_TTL; field++) {
		struct information found = field_information(v, packets, count, field);

		if (found.bits > most.bits || field == 0) {
			most = found;
			which = field;
		}
	}
	ttl = field_information(v, packets, count, FIELD_TTL);
	free(packets);
	free(sampled);
	test->value = most.bits;
	test->expected = most.chance;
	if (most.bits >= DEPENDENT_BITS && most.bits >= 2 * most.chance && is_spread(v))
		test->says = SPOOFING_SPOOFED;
	say(test, "the source says %.2f bits of 4 of %s, chance alone up to %.2f; of the TTL it says %.2f", most.bits,
	    fields[which].name, most.chance, ttl.bits);
}

static void resets(const struct spoofing_view *v, struct spoofing_test *test)
{
	uint64_t packets = v->window->packets, back = at_most(v->window->resets_back, packets);

	test->expected = 0;
	if (!v->tcp) {
		test->value = test->expected = CHANCE_UNKNOWN;
		say(test, "these packets ask for nothing that their sources could refuse");
		return;
	}
	test->value = chance_share(back, packets);
	if (back * RESETS_SHARE >= packets && is_crowd(v) && v->sources * 1000 >= packets * ONCE_PERMILLE)
		test->says = SPOOFING_SPOOFED;
	say(test, "%.1f %% of the packets were followed by a reset of our answer; whoever asked for it resets none",
	    test->value * 100);
}

/* ---- clones ---- */

struct stack {
	uint32_t tsval, network; /* its /24, or the last 24 bits of the IPv6 /48 */
	uint16_t mss;
	uint8_t ttl;
};

static int by_stack(const void *left, const void *right)
{
	const struct stack *a = left, *b = right;

	if (a->tsval != b->tsval)
		return a->tsval < b->tsval ? -1 : 1;
	if (a->mss != b->mss)
		return a->mss < b->mss ? -1 : 1;
	if (a->ttl != b->ttl)
		return a->ttl < b->ttl ? -1 : 1;
	return a->network < b->network ? -1 : a->network > b->network;
}

static struct stack stack_of(const struct roster_source *source)
{
	const uint8_t *a = source->address.octets + (address_is_ipv4(&source->address) ? 12 : 3);

	return (struct stack){
		.tsval = source->tsval,
		.network = (uint32_t)a[0] << 16 | (uint32_t)a[1] << 8 | a[2],
		.mss = source->mss,
		.ttl = source->ttl,
	};
}

struct clones {
	uint32_t near, far; /* sources that are like many others: of one network, of many */
};

/* Sources of one TSval and MSS. Hosts that differ in their way here only have a tool in common. */
static struct clones clones_of(const struct stack *stacks, uint32_t count)
{
	struct clones found = { 0 };
	unsigned groups = 0;

	for (uint32_t from = 0, to; from < count; from = to) {
		uint32_t networks = 1;

		for (to = from + 1; to < count && stacks[to].ttl == stacks[from].ttl; to++)
			networks += stacks[to].network != stacks[to - 1].network;
		if (to - from < CLONES_MIN)
			continue;
		groups++;
		if (networks >= CLONES_MIN)
			found.far += to - from;
		else
			found.near += to - from;
	}
	return groups <= CLONES_TTLS ? found : (struct clones){ 0 };
}

static void clones(const struct spoofing_view *v, struct spoofing_test *test)
{
	struct stack *stacks = v->looked_count ? calloc(v->looked_count, sizeof(*stacks)) : NULL;
	struct clones all = { 0 };
	uint32_t count = 0;

	for (uint32_t i = 0; i < v->looked_count && stacks; i++)
		if (v->looked[i].tsval && !(v->looked[i].marks & (ROSTER_MIXED_TSVAL | ROSTER_MIXED_TTL)))
			stacks[count++] = stack_of(&v->looked[i]);
	if (count < CLONES_KNOWN) {
		say(test, "too few to say: of %u sources a timestamp that stays is known", count);
		free(stacks);
		return;
	}
	qsort(stacks, count, sizeof(*stacks), by_stack);
	for (uint32_t from = 0, to; from < count; from = to) {
		struct clones found;

		for (to = from + 1;
		     to < count && stacks[to].tsval == stacks[from].tsval && stacks[to].mss == stacks[from].mss;)
			to++;
		found = clones_of(stacks + from, to - from);
		all.near += found.near;
		all.far += found.far;
	}
	free(stacks);
	test->value = chance_share(all.near + all.far, count);
	test->expected = 0;
	/* A network of addresses may be one host's own; addresses all over the world are not. */
	if (all.far * 2ull >= count)
		test->says = SPOOFING_SPOOFED;
	say(test,
	    "%.0f %% of %u sources share timestamp, MSS and TTL with %u others or more: %u inside a network or few, %u across many; of real hosts none would",
	    test->value * 100, count, CLONES_MIN - 1, all.near, all.far);
}

static void (*const tests[SPOOFING_KINDS])(const struct spoofing_view *view, struct spoofing_test *test) = {
	[SPOOFING_HANDSHAKES] = handshakes, [SPOOFING_BOGONS] = bogons,     [SPOOFING_UNIFORMITY] = uniformity,
	[SPOOFING_REPEATS] = repeats,       [SPOOFING_NETWORKS] = networks, [SPOOFING_HOPS] = hops,
	[SPOOFING_DEPENDENCE] = dependence, [SPOOFING_RESETS] = resets,     [SPOOFING_CLONES] = clones,
};

void spoofing_measure(const struct spoofing_view *view, struct spoofing *s)
{
	_Static_assert(SPOOFING_KINDS <= SPOOFING_TESTS_MAX, "all have room");
	s->tests_count = SPOOFING_KINDS;
	for (unsigned i = 0; i < SPOOFING_KINDS; i++) {
		s->tests[i] = (struct spoofing_test){ .value = CHANCE_UNKNOWN, .expected = CHANCE_UNKNOWN };
		(void)snprintf(s->tests[i].name, sizeof(s->tests[i].name), "%s", names[i]);
		tests[i](view, &s->tests[i]);
	}
}
