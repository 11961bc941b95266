/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims on how the attack was made and how large it was: forged or relayed addresses, coordination, marks of tools,
 * and quantities.
 *
 * What each test of spoofing and coordination weighs is one table below: log10 of how many times likelier its outcome
 * is where the claim holds. They are design values, held down where tests look at the same thing.
 */
#include <stdio.h>
#include <string.h>

#include "base/real.h"
#include "measure/slot.h"
#include "trace/claim_inside.h"
#include "trace/family.h"

#define HALF 0.5
#define BY_VERDICT 1.5 /* where the tests behind a verdict on spoofing are not told */
#define LEFT_OPEN 1.0  /* at most so much where shares that are not determined reach over one half */
#define SOURCES_FEW 10
#define MARKED_FEW 100
#define Z_95 1.959963984540054
#define RELATIVE_COUNT 0.016 /* of HyperLogLog at 12 bits; what is said by a sample of sources is known better */
#define RELATIVE_RATE 0.02   /* of a peak that was measured */
#define RELATIVE_TIME 0.005  /* of a duration; and a second */
#define RELATIVE_DEVICES 0.1
#define COUNTRY_LEAST 0.003 /* share of sources below which a country may be databases' mistake */

/* ---- forged, relayed ---- */

static const struct weight {
	const char *test;
	double log10_bf;
} spoofing_weights[] = {
	{ "handshakes", 2.5 }, { "uniformity", 1.5 }, { "repeats", 1.0 }, { "networks", 1.0 }, { "resets", 1.0 },
	{ "hops", 0.7 },       { "dependence", 0.7 }, { "clones", 0.7 },  { "bogons", 0.3 },
};
#define OTHER_TEST 0.5

static double weight_of(const struct spoofing_test *test, bool relays)
{
	double weight = OTHER_TEST;

	for (size_t i = 0; i < sizeof(spoofing_weights) / sizeof(spoofing_weights[0]); i++)
		if (strncmp(test->name, spoofing_weights[i].test, SPOOFING_TEST_SIZE) == 0)
			weight = spoofing_weights[i].log10_bf;
	if (test->says == SPOOFING_UNDETERMINED)
		return 0;
	return test->says == (relays ? SPOOFING_REFLECTORS : SPOOFING_SPOOFED) ? weight : -weight;
}

/* More than half of the packets: from forged addresses, or from relays. Without test `omit`. */
static struct claim_measure measure_addresses(const struct trace *trace, bool relays, uint32_t omit)
{
	const struct spoofing *s = &trace->spoofing;
	const enum spoofing_verdict looked_for = relays ? SPOOFING_REFLECTORS : SPOOFING_SPOOFED;
	struct claim_measure m = { CLAIM_UNSUPPORTED, 0, 0, 0, 0 };
	bool any = false;
	int clear;

	m.low = relays ? s->packets.reflectors : s->packets.spoofed;
	m.high = m.low + s->packets.undetermined;
	m.high = m.high < 1 ? m.high : 1;
	m.value = m.low;
	for (uint32_t i = 0; i < s->tests_count; i++) {
		double weight = i == omit ? 0 : weight_of(&s->tests[i], relays);

		any = any || weight_of(&s->tests[i], relays) != 0;
		m.log10_bf += weight;
	}
	if (!any && s->verdict != SPOOFING_UNDETERMINED)
		m.log10_bf = s->verdict == looked_for ? BY_VERDICT : -BY_VERDICT;
	clear = m.low > HALF ? 1 : m.high <= HALF ? -1 : 0;
	/* Shares and tests must agree. */
	if ((clear > 0 && m.log10_bf < 0) || (clear < 0 && m.log10_bf > 0))
		m.log10_bf = 0;
	if (clear == 0)
		m.log10_bf = m.log10_bf > LEFT_OPEN ? LEFT_OPEN : m.log10_bf < -LEFT_OPEN ? -LEFT_OPEN : m.log10_bf;
	m.log10_bf = claim_clamp(m.log10_bf);
	m.verdict = claim_decide(m.log10_bf, clear);
	return m;
}

static double log_of_share(double share)
{
	return claim_log10(share > 1e-6 ? share : 1e-6);
}

void claim_spoofed(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	const struct spoofing *s = &c->trace->spoofing;
	bool relays = node->kind == PREDICATE_AMPLIFIED;
	struct claim_measure m = measure_addresses(c->trace, relays, CLAIM_NOTHING);
	char span[CLAIM_SPAN_SIZE];
	const struct {
		const char *what;
		double share;
	} rivals[] = {
		{ "forged at random by the senders", s->packets.spoofed },
		{ "the senders' own", s->packets.verified },
		{ "those of relays that were made to answer", s->packets.reflectors },
		{ "of a kind that these packets do not show", s->packets.undetermined },
	};
	double most = 1e-6;
	unsigned speaking = 0;

	result->verdict = m.verdict;
	result->log10_bf = m.log10_bf;
	result->value = m.value;
	result->low = m.low;
	result->high = m.high;
	result->threshold = HALF;
	for (uint32_t i = 0; i < s->tests_count; i++) {
		struct claim_measure without;

		if (s->tests[i].says == SPOOFING_UNDETERMINED)
			continue;
		speaking++;
		without = measure_addresses(c->trace, relays, i);
		claim_add_evidence(result, weight_of(&s->tests[i], relays), without.verdict, "%s: %s", s->tests[i].name,
		                   s->tests[i].text);
	}
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
		most = rivals[i].share > most ? rivals[i].share : most;
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
		claim_add_hypothesis(result, log_of_share(rivals[i].share) - log_of_share(most),
		                     "the addresses of most packets are %s", rivals[i].what);
	if (speaking < 2)
		claim_cap(result, CLAIM_MODERATE, "%s",
		          speaking ? "it rests on one test" : "no test of addresses had enough to go by");
	if (relays)
		claim_say_reason(
			result,
			"Relays that were made to answer sent %s of the packets. Whoever asked them is not seen in "
			"these packets.",
			claim_span(m.low, m.high, span));
	else
		claim_say_reason(result, "%s of the packets bore forged source addresses.%s",
		                 claim_span(m.low, m.high, span),
		                 s->packets.reflectors > HALF
		                         ? " Those of relays are their own; the requests to them were forged."
		                         : "");
}

/* ---- coordination ---- */

#define ONSET_PARTS 6

struct sign {
	double weight;
	char what[CLAIM_TEXT_SIZE];
};

static unsigned signs_of(const struct coordination *k, struct sign signs[ONSET_PARTS])
{
	static const double onsets[] = {
		[ONSET_UNKNOWN] = 0, [ONSET_COMMAND] = 1.2, [ONSET_POLLING] = 0.8, [ONSET_CROWD] = -1.2
	};
	static const char *const words[] = { "", "as on a command", "at even distances, as those who poll",
		                             "one by one, as people come" };
	char a[CLAIM_NUMBER_SIZE], b[CLAIM_NUMBER_SIZE];
	double best = 0;
	unsigned n = 0;

	if ((unsigned)k->onset > ONSET_CROWD)
		return 0;
	if (k->onset != ONSET_UNKNOWN) {
		signs[n].weight = onsets[k->onset];
		(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "sources began %s (half of them within %.1f s)",
		               words[k->onset], k->quartile_s);
	}
	signs[n].weight = k->within_5s > 3 * k->expected_5s && k->within_5s > 0.3 ? 0.8
	                  : k->within_5s < 1.5 * k->expected_5s                   ? -0.5
	                                                                          : 0;
	(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "%s began within 5 s; by chance it would be %s",
	               claim_percent(k->within_5s, a), claim_percent(k->expected_5s, b));
	signs[n].weight = k->ends_1s >= 0.5 ? 0.6 : k->ends_1s < 0.1 ? -0.3 : 0;
	(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "%s ended within one second", claim_percent(k->ends_1s, a));
	signs[n].weight = k->round_duration >= 0.5 ? 0.4 : 0;
	(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "%s lasted a round number of minutes, as is ordered",
	               claim_percent(k->round_duration, a));
	signs[n].weight = k->top_signature >= 0.5 || k->likeness >= 0.8 ? 0.4 : k->likeness < 0.3 ? -0.3 : 0;
	(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "%s of them send packets of the commonest form",
	               claim_percent(k->top_signature, a));
	for (uint32_t i = 0; i < k->overlaps_count && i < COORDINATION_OVERLAPS_MAX; i++)
		if (k->overlaps[i].p < 0.01 && k->overlaps[i].jaccard > best)
			best = k->overlaps[i].jaccard;
	if (k->overlaps_count) {
		signs[n].weight = best >= 0.3 ? 0.5 : 0;
		(void)snprintf(signs[n++].what, CLAIM_TEXT_SIZE, "waves have up to %s of their sources in common",
		               claim_percent(best, a));
	}
	return n;
}

void claim_coordinated(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	const struct coordination *k = &c->trace->coordination;
	char held[CLAIM_NUMBER_SIZE];
	struct sign signs[ONSET_PARTS];
	double sum = 0, rival;
	unsigned count;

	(void)node;
	if (c->trace->spoofing.verdict == SPOOFING_SPOOFED) {
		result->verdict = CLAIM_UNTESTABLE;
		claim_say_reason(result,
		                 "The source addresses were forged: when each sender began and ended is not seen.");
		return;
	}
	if (!k->known || k->sources < SOURCES_FEW) {
		claim_say_reason(result, "Too few sources are known one by one to say whether they acted together.");
		return;
	}
	count = signs_of(k, signs);
	for (unsigned i = 0; i < count; i++)
		sum += signs[i].weight;
	result->log10_bf = claim_clamp(sum);
	result->verdict = claim_decide(result->log10_bf, sum > 0 ? 1 : -1);
	for (unsigned i = 0; i < count; i++)
		claim_add_evidence(result, signs[i].weight,
		                   claim_decide(claim_clamp(sum - signs[i].weight), sum > signs[i].weight ? 1 : -1),
		                   "%s", signs[i].what);
	rival = sum > 0 ? sum : -sum;
	claim_add_hypothesis(result, sum > 0 ? 0 : -rival, "the sources were set off together");
	claim_add_hypothesis(result, sum > 0 ? -rival : 0, "the sources came independently, as a crowd does");
	if (k->sources < MARKED_FEW)
		claim_cap(result, CLAIM_LOW, "only %s sources are known one by one",
		          claim_number((double)k->sources, held));
	claim_cap(result, CLAIM_MODERATE, "people who agree on a time look like machines that are told one");
	claim_say_reason(result, "What %s sources did in time %s. This does not show who told them.",
	                 claim_number((double)k->sources, held),
	                 sum >= 1    ? "fits a common command"
	                 : sum <= -1 ? "fits independent visitors"
	                             : "fits both");
}

/* ---- marks of tools ---- */

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a >= 'A' && *a <= 'Z' ? *a - 'A' + 'a' : *a) != (*b >= 'A' && *b <= 'Z' ? *b - 'A' + 'a' : *b))
			return false;
	return *a == *b;
}

static bool has_marks(const char *name)
{
	for (size_t i = 0; i < family_count(); i++)
		if (same_name(family_get(i)->name, name))
			return true;
	return false;
}

/* Share of packets that bear marks of the family; of the strongest other one. Without row `omit`. */
static double marked_share(const struct trace *trace, const char *name, uint32_t omit, double *other)
{
	double own = 0, all = trace->packets ? (double)trace->packets : 1;

	*other = 0;
	for (uint32_t i = 0; i < trace->families_count; i++) {
		double share = (double)trace->families[i].packets / all;

		if (i == omit)
			continue;
		if (same_name(trace->families[i].name, name))
			own += share;
		else if (share > *other)
			*other = share;
	}
	return own < 1 ? own : 1;
}

static double family_bf(const struct trace *trace, const char *name, uint32_t omit)
{
	double other, own = marked_share(trace, name, omit, &other);
	double looked_at = (double)trace->packets * trace->observed, marked = own * looked_at, bf;

	if (own > 0) {
		bf = own >= 0.5 ? 2.5 : own >= 0.1 ? 2.0 : own >= 0.01 && marked >= MARKED_FEW ? 1.4 : 0.5;
		return marked < MARKED_FEW ? bf * 0.5 : bf;
	}
	bf = other >= 0.5 ? -1.4 : other >= 0.1 ? -1.0 : -0.7;
	return looked_at < MARKED_FEW ? bf * 0.3 : bf;
}

/* Marks of a tool reach us only in packets that the tool has made. False: said. */
static bool shows_tools(const struct trace *trace, const char *name, struct claim_result *result)
{
	if (!has_marks(name)) {
		result->verdict = CLAIM_UNTESTABLE;
		claim_say_reason(result, "No mark of '%s' in packets is known here, so packets cannot show it.", name);
		return false;
	}
	if (trace->spoofing.packets.reflectors > 0.9) {
		result->verdict = CLAIM_UNTESTABLE;
		claim_say_reason(result,
		                 "The packets were made by relays: marks of the tool that asked them do not arrive.");
		return false;
	}
	return true;
}

void claim_family(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	char share[CLAIM_NUMBER_SIZE];
	double other, most = family_bf(trace, node->name, CLAIM_NOTHING);

	if (!shows_tools(trace, node->name, result))
		return;
	result->value = marked_share(trace, node->name, CLAIM_NOTHING, &other);
	result->low = result->high = result->value;
	result->log10_bf = most;
	result->verdict = claim_decide(most, most > 0 ? 1 : -1);
	claim_cap(result, CLAIM_MODERATE, "tools share code and marks can be copied: it is consistent with, never is");
	claim_add_hypothesis(result, most > 0 ? 0 : most, "packets of %s are among them", node->name);
	claim_add_hypothesis(result, most > 0 ? -most : 0, "none are, or it has been changed so that nothing marks it");
	for (uint32_t i = 0; i < trace->families_count; i++) {
		double without = family_bf(trace, node->name, i);

		claim_add_evidence(
			result, most - without, claim_decide(without, without > 0 ? 1 : -1),
			"marks of %s (%s): %s of the packets", trace->families[i].name, trace->families[i].mark,
			claim_percent(trace->packets ? (double)trace->families[i].packets / (double)trace->packets : 0,
		                      share));
	}
	claim_say_reason(result, "%s of the packets bear marks of %s%s.", claim_percent(result->value, share),
	                 node->name,
	                 result->value > 0 ? "; they are consistent with it" : "; their absence alone proves little");
}

/* ---- quantities ---- */

static struct claim_end exactly(double value)
{
	return (struct claim_end){ CLAIM_EXACT, value, 0 };
}

static struct claim_end about(double value, double relative)
{
	return value > 0 ? (struct claim_end){ CLAIM_LOG_NORMAL, value, relative } : exactly(0);
}

struct quantity {
	struct claim_end low, high;
	double value;
};

/* A quantity's ends; false: it is not known, and said why. Without `omit` of what it is made of. */
typedef bool (*quantify)(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                         struct quantity *q, struct claim_result *result);

static bool sources_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                       struct claim_result *result)
{
	const struct trace *trace = c->trace;
	const struct size_estimate *size = &trace->size;
	double all = (double)size->in_all;
	char seen[CLAIM_NUMBER_SIZE], once[CLAIM_NUMBER_SIZE], most[CLAIM_NUMBER_SIZE];

	(void)node;
	if (!size->known || size->in_all == 0) {
		bool forged = trace->spoofing.verdict == SPOOFING_SPOOFED;

		result->verdict = forged ? CLAIM_UNTESTABLE : CLAIM_UNSUPPORTED;
		claim_say_reason(result, "%s",
		                 forged ? "The source addresses were forged: how many senders there were "
		                          "cannot be known from them."
		                        : "How many sources there were is not known.");
		return false;
	}
	/* What was seen is the least; those that were not are what recapture and singletons tell of. */
	if (omit != 0 && size->chapman_high > all)
		all = size->chapman_high;
	if (omit != 1 && size->chao1 > all)
		all = size->chao1;
	if (trace->observed > 0 && trace->observed < HALF && (double)size->in_all / trace->observed > all)
		all = (double)size->in_all / trace->observed;
	q->value = (double)size->in_all;
	q->low = about((double)size->in_all, RELATIVE_COUNT);
	q->high = about(all, RELATIVE_COUNT);
	claim_say_reason(
		result,
		"%s addresses were seen, %s at once; with those that were not seen it may be %s. An address is not "
		"a device, and not a person.",
		claim_number((double)size->in_all, seen), claim_number((double)size->at_once, once),
		claim_number(all, most));
	return true;
}

static bool packets_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                       struct claim_result *result)
{
	const struct trace *trace = c->trace;
	double packets = (double)trace->packets, looked_at = packets * trace->observed;
	char text[CLAIM_NUMBER_SIZE];

	(void)node;
	(void)omit;
	q->value = packets;
	q->low = q->high =
		trace->observed >= 1 || looked_at < 1 ? exactly(packets) : about(packets, 1 / real_sqrt(looked_at));
	claim_say_reason(result, "%s packets arrived%s.", claim_number(packets, text),
	                 trace->observed >= 1 ? "" : ", as sampling tells");
	return true;
}

static bool networks_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                        struct quantity *q, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	char low[CLAIM_NUMBER_SIZE];
	double count = 0, more = 0;

	(void)node;
	(void)omit;
	if (!claim_has_places(c, result))
		return false;
	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *row = &trace->rows[i];
		bool first = row->network != 0 && row->network != TRACE_OTHERS;

		for (uint32_t k = 0; k < i && first; k++)
			first = trace->rows[k].network != row->network;
		count += first;
		more += row->network == TRACE_OTHERS ? (double)row->sources : 0;
	}
	if (count == 0) {
		claim_say_reason(result, "No database of networks was at hand when the attack was traced.");
		return false;
	}
	/* Those whose sources were all left out of the sample. */
	if (trace->sources_sampled)
		more += (double)(trace->located_sources > trace->held ? trace->located_sources - trace->held : 0);
	q->value = count;
	q->low = exactly(count);
	q->high = exactly(count + more);
	claim_cap_places(c, result);
	claim_say_reason(result, "Sources are known in %s networks%s.", claim_number(count, low),
	                 more > 0 ? ", and there are more that were not told apart" : "");
	return true;
}

/* Sources per country: where all databases that know them agree, and where any says so. */
static double count_countries(const struct trace *trace, uint32_t omit, bool agreed)
{
	double sums[GEO_CODES] = { 0 }, all = 0, count = 0;

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *row = &trace->rows[i];
		size_t first = GEO_CODES;
		bool differ = false;

		for (uint32_t d = 0; d < trace->country_databases; d++) {
			size_t index = geo_code_index(row->country[d]);

			if (index == GEO_CODES || d == omit)
				continue;
			differ = differ || (first < GEO_CODES && first != index);
			first = index;
			if (!agreed)
				sums[index] += (double)row->sources;
		}
		if (agreed && first < GEO_CODES && !differ)
			sums[first] += (double)row->sources;
		all += (double)row->sources;
	}
	for (size_t i = 0; i < GEO_CODES; i++)
		count += sums[i] > 0 && (!agreed || sums[i] > COUNTRY_LEAST * all);
	return count;
}

static bool countries_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                         struct quantity *q, struct claim_result *result)
{
	char low[CLAIM_NUMBER_SIZE], high[CLAIM_NUMBER_SIZE];
	double agreed, any;

	(void)node;
	if (!claim_has_places(c, result))
		return false;
	agreed = count_countries(c->trace, omit, true);
	any = count_countries(c->trace, omit, false);
	if (any == 0) {
		claim_say_reason(result, "No country database was at hand when the attack was traced.");
		claim_cap(result, CLAIM_LOW, "nothing was measured");
		return false;
	}
	q->value = (agreed + any) / 2;
	q->low = exactly(agreed);
	q->high = exactly(any > agreed ? any : agreed);
	claim_cap_places(c, result);
	claim_say_reason(result,
	                 "Sources are in %s countries at least and %s at most: few in one may be a database's mistake.",
	                 claim_number(agreed, low), claim_number(any, high));
	return true;
}

static bool devices_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                       struct claim_result *result)
{
	double devices = (double)c->trace->size.devices;
	char text[CLAIM_NUMBER_SIZE];

	(void)node;
	(void)omit;
	if (devices == 0) {
		result->verdict = CLAIM_UNTESTABLE;
		claim_say_reason(result, "Nothing in these packets tells devices apart.");
		return false;
	}
	q->value = devices;
	q->low = q->high = about(devices, RELATIVE_DEVICES);
	claim_cap(result, CLAIM_MODERATE, "what tells devices apart may change while they run");
	claim_say_reason(result, "What stays the same in packets tells about %s devices apart.",
	                 claim_number(devices, text));
	return true;
}

static bool waves_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                     struct claim_result *result)
{
	bool vectors = node->counted == PREDICATE_VECTORS;
	char text[CLAIM_NUMBER_SIZE];

	(void)omit;
	q->value = vectors ? c->trace->vectors_count : c->trace->waves;
	if (q->value == 0) {
		claim_say_reason(result, "How many there were is not told.");
		return false;
	}
	q->low = q->high = exactly(q->value);
	claim_say_reason(result, "%s %s were seen.", claim_number(q->value, text), vectors ? "vectors" : "waves");
	return true;
}

static bool size_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                    struct claim_result *result)
{
	const struct trace *trace = c->trace;
	bool bits = node->kind == PREDICATE_SIZE_BPS;
	double looked_at = (double)trace->peak_pps / SLOTS_PER_SECOND * trace->observed;
	char text[CLAIM_NUMBER_SIZE];

	(void)omit;
	q->value = (double)(bits ? trace->peak_bps : trace->peak_pps);
	if (q->value <= 0) {
		claim_say_reason(result, "How large it was is not told.");
		return false;
	}
	q->low = q->high = about(
		q->value, real_sqrt(RELATIVE_RATE * RELATIVE_RATE + (trace->observed < 1 ? 1 / (looked_at + 1) : 0)));
	claim_cap(result, CLAIM_MODERATE, "what was lost or filtered before it arrived here is not counted");
	claim_say_reason(result, "The most that arrived in a tenth of a second came at %s %s.",
	                 claim_number(q->value, text), bits ? "bit/s" : "packets/s");
	return true;
}

static bool duration_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                        struct quantity *q, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	int64_t end = trace->ended_ns ? trace->ended_ns : trace->made_ns;
	char text[CLAIM_NUMBER_SIZE];

	(void)node;
	(void)omit;
	q->value = (double)(end - trace->began_ns) / 1e9;
	if (!(q->value > 0))
		q->value = 0;
	q->low = about(q->value, RELATIVE_TIME + 1 / (q->value + 1));
	q->high = trace->ended_ns ? q->low : exactly(REAL_INFINITY);
	claim_say_reason(result, "It lasted %s seconds%s.", claim_number(q->value, text),
	                 trace->ended_ns ? "" : " so far, and had not ended when it was traced");
	return true;
}

static bool cost_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit, struct quantity *q,
                    struct claim_result *result)
{
	const struct cost *cost = &c->trace->cost;
	char low[CLAIM_NUMBER_SIZE], high[CLAIM_NUMBER_SIZE];

	(void)node;
	(void)omit;
	if (!cost->known || !(cost->low > 0) || !(cost->mid >= cost->low) || !(cost->high >= cost->mid)) {
		claim_say_reason(result, "No price is known for an attack like this.");
		return false;
	}
	q->value = cost->mid;
	q->low = q->high = about(cost->mid, (real_log(cost->high) - real_log(cost->low)) / (2 * Z_95) + 1e-9);
	claim_cap(result, CLAIM_LOW, "prices are what is asked, not what was paid; and who owns a botnet pays none");
	claim_say_reason(
		result,
		"To rent an attack of this size is offered for $%s to $%s. This does not show who paid, or what means they had.",
		claim_number(cost->low, low), claim_number(cost->high, high));
	return true;
}

static bool vector_share_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                            struct quantity *q, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	double own = 0, all = 0, n;
	char text[CLAIM_NUMBER_SIZE];

	for (uint32_t i = 0; i < trace->vectors_count; i++) {
		const struct trace_vector *vector = &trace->vectors[i];
		double weight = (double)(node->by_packets ? vector->packets : vector->sources);

		if (i == omit)
			continue;
		all += weight;
		own += strcmp(vector->name, node->name) == 0 ? weight : 0;
	}
	if (!(all > 0)) {
		claim_say_reason(result, "What the attack consists of is not told.");
		return false;
	}
	q->value = own / all;
	/* Sources are estimates; packets are counted, or sampled. */
	n = node->by_packets ? all * trace->observed : 1 / (RELATIVE_COUNT * RELATIVE_COUNT);
	n = n < 1 ? 1 : n > 1e6 ? 1e6 : n;
	q->low = q->high = (struct claim_end){ CLAIM_BETA, q->value * n + 1, (1 - q->value) * n + 1 };
	claim_say_reason(result, "%s of the %s are of this vector.", claim_percent(q->value, text),
	                 node->by_packets ? "packets" : "sources");
	return true;
}

static bool family_share_of(const struct claim_case *c, const struct predicate_node *node, uint32_t omit,
                            struct quantity *q, struct claim_result *result)
{
	const struct trace *trace = c->trace;
	double other, n = (double)trace->packets * trace->observed;
	char text[CLAIM_NUMBER_SIZE];

	if (!shows_tools(trace, node->name, result))
		return false;
	q->value = marked_share(trace, node->name, omit, &other);
	n = n < 1 ? 1 : n > 1e6 ? 1e6 : n;
	q->low = q->high = (struct claim_end){ CLAIM_BETA, q->value * n + 1, (1 - q->value) * n + 1 };
	claim_cap(result, CLAIM_MODERATE,
	          "tools share code and marks can be copied; packets without a mark may be of it, too");
	claim_say_reason(result, "%s of the packets bear marks of %s.", claim_percent(q->value, text), node->name);
	return true;
}

/* Of what a quantity's evidence consists, to be left out one by one. */
static uint32_t items_of(const struct trace *trace, const struct predicate_node *node)
{
	if (node->kind == PREDICATE_SHARE)
		return node->key == PREDICATE_VECTOR ? trace->vectors_count : trace->families_count;
	if (node->kind != PREDICATE_COUNT)
		return 0;
	return node->counted == PREDICATE_SOURCES     ? 2
	       : node->counted == PREDICATE_COUNTRIES ? trace->country_databases
	                                              : 0;
}

static void name_item(const struct trace *trace, const struct predicate_node *node, uint32_t item,
                      char what[CLAIM_TEXT_SIZE])
{
	char text[CLAIM_NUMBER_SIZE];

	if (node->kind == PREDICATE_SHARE && node->key == PREDICATE_VECTOR)
		(void)snprintf(what, CLAIM_TEXT_SIZE, "vector %s: %s packets", trace->vectors[item].name,
		               claim_number((double)trace->vectors[item].packets, text));
	else if (node->kind == PREDICATE_SHARE)
		(void)snprintf(what, CLAIM_TEXT_SIZE, "marks of %s: %s packets", trace->families[item].name,
		               claim_number((double)trace->families[item].packets, text));
	else if (node->counted == PREDICATE_COUNTRIES)
		(void)snprintf(what, CLAIM_TEXT_SIZE, "database %s", trace->databases[item].name);
	else if (item == 0)
		(void)snprintf(what, CLAIM_TEXT_SIZE,
		               "sources that came back in another wave (Chapman): %s in all at most",
		               trace->size.chapman_high > 0 ? claim_number(trace->size.chapman_high, text) : "unknown");
	else
		(void)snprintf(what, CLAIM_TEXT_SIZE, "sources seen once and twice (Chao): %s in all at least",
		               trace->size.chao1 > 0 ? claim_number(trace->size.chao1, text) : "unknown");
}

static quantify quantifier(const struct predicate_node *node)
{
	static const quantify counts[] = {
		[PREDICATE_SOURCES] = sources_of,   [PREDICATE_PACKETS] = packets_of,
		[PREDICATE_NETWORKS] = networks_of, [PREDICATE_COUNTRIES] = countries_of,
		[PREDICATE_DEVICES] = devices_of,   [PREDICATE_WAVES] = waves_of,
		[PREDICATE_VECTORS] = waves_of,
	};

	if (node->kind == PREDICATE_SHARE)
		return node->key == PREDICATE_VECTOR ? vector_share_of : family_share_of;
	if (node->kind == PREDICATE_COUNT)
		return counts[node->counted];
	return node->kind == PREDICATE_DURATION ? duration_of : node->kind == PREDICATE_COST ? cost_of : size_of;
}

void claim_quantity(const struct claim_case *c, const struct predicate_node *node, struct claim_result *result)
{
	quantify of = quantifier(node);
	struct claim_measure m = { CLAIM_UNSUPPORTED, 0, 0, 0, 0 };
	struct quantity q;
	double rival;
	uint32_t items = items_of(c->trace, node);

	if (!of(c, node, CLAIM_NOTHING, &q, result))
		return;
	claim_compare(node, &q.low, &q.high, &m);
	result->verdict = m.verdict;
	result->log10_bf = m.log10_bf;
	result->value = q.value;
	result->low = m.low < q.value ? m.low : q.value;
	result->high = m.high > q.value ? m.high : q.value;
	for (uint32_t i = 0; i < items; i++) {
		struct claim_measure without = { CLAIM_UNSUPPORTED, 0, 0, 0, 0 };
		char what[CLAIM_TEXT_SIZE];

		if (of(c, node, i, &q, c->scratch))
			claim_compare(node, &q.low, &q.high, &without);
		name_item(c->trace, node, i, what);
		claim_add_evidence(result, m.log10_bf - without.log10_bf, without.verdict, "%s", what);
	}
	rival = m.log10_bf > 0 ? m.log10_bf : -m.log10_bf;
	claim_add_hypothesis(result, m.log10_bf >= 0 ? 0 : -rival, "it is as is claimed");
	claim_add_hypothesis(result, m.log10_bf > 0 ? -rival : 0, "it is not");
}
