/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims on traces that are made in arrays: each kind of term on either side, what keeps it from being decided, what
 * caps confidence; and the logic that joins terms.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "trace/claim.h"

#define NETWORKS 200
#define BEGAN (1773135900 * NS_PER_S) /* 2026-03-10T09:45:00Z */
#define SEED 20260310u

/* How often memory is still to be had; negative: always. */
static int calloc_left = -1;

void *__real_calloc(size_t count, size_t size); /* NOLINT: the linker's names */
void *__wrap_calloc(size_t count, size_t size); /* NOLINT */

void *__wrap_calloc(size_t count, size_t size) /* NOLINT */
{
	if (calloc_left == 0)
		return NULL;
	calloc_left -= calloc_left > 0;
	return __real_calloc(count, size);
}

static struct trace_row rows[NETWORKS];
static struct trace trace;
static struct claim_context context;
static struct claim_result *result;

/*
 * Of 200 networks of 50 sources each two databases place `there` in AA, and one alone `disputed` more; the others in
 * BB.
 */
static void place(uint32_t there, uint32_t disputed, bool relays)
{
	memset(rows, 0, sizeof(rows));
	trace.located_sources = trace.located_packets = 0;
	for (uint32_t i = 0; i < NETWORKS; i++) {
		struct trace_row *row = &rows[i];

		row->network = 64512 + i;
		row->reflectors = relays;
		(void)snprintf(row->name, sizeof(row->name), "Fictional %u", (unsigned)i);
		memcpy(row->country[0], i < there + disputed ? "AA" : "BB", 3);
		memcpy(row->country[1], i < there ? "AA" : "BB", 3);
		row->held = row->sources = 50;
		row->packets = i < 2 ? 100000 : 1000;
		trace.located_sources += row->sources;
		trace.located_packets += row->packets;
	}
	trace.rows = rows;
	trace.rows_count = NETWORKS;
}

static int setup(void **state)
{
	(void)state;
	memset(&trace, 0, sizeof(trace));
	memset(&context, 0, sizeof(context));
	context.attack_passing = (double)NAN;
	trace.incident = 1;
	trace.began_ns = BEGAN;
	trace.ended_ns = BEGAN + 3600 * NS_PER_S;
	trace.made_ns = trace.ended_ns + 60 * NS_PER_S;
	trace.packets = 1000000;
	trace.octets = 500000000;
	trace.sources = trace.held = 50 * NETWORKS;
	trace.peak_pps = 100000;
	trace.peak_bps = 2000000000;
	trace.waves = 3;
	trace.observed = 1;
	trace.country_databases = 2;
	trace.databases_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(trace.databases[i].name, sizeof(trace.databases[i].name), "base-%u", i);
		trace.databases[i].built_ns = BEGAN - 86400 * NS_PER_S;
	}
	trace.spoofing.verdict = SPOOFING_VERIFIED;
	trace.spoofing.packets.verified = trace.spoofing.sources.verified = 1;
	trace.size = (struct size_estimate){ true, 5000, 10000, 10500, 10300, 10700, (double)NAN, 0 };
	trace.cost = (struct cost){ true, 1, 2, 50, 100, 200, "fiction" };
	place(NETWORKS * 6 / 10, 0, false);
	result = calloc(1, sizeof(*result));
	return result ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(result);
	return 0;
}

static enum claim_verdict test(const char *text)
{
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate;
	size_t at;

	if (predicate_parse(text, &predicate, &at, error) != 0)
		fail_msg("%s: at %zu: %s", text, at, error);
	assert_int_equal(claim_test(predicate, &trace, &context, SEED, result), 0);
	predicate_free(predicate);
	assert_true(result->reason[0] != '\0');
	if (result->verdict == CLAIM_UNTESTABLE) {
		assert_true(isnan(result->log10_bf) && isnan(result->value));
		assert_string_equal(result->word, "");
	} else {
		assert_true(result->log10_bf >= -CLAIM_LOG10_BF_MAX && result->log10_bf <= CLAIM_LOG10_BF_MAX);
		assert_true(result->word[0] != '\0');
	}
	return result->verdict;
}

#define ASSERT_VERDICT(text, expected)                                                                        \
	do {                                                                                                  \
		enum claim_verdict verdict_is = test(text);                                                   \
		if (verdict_is != (expected))                                                                 \
			fail_msg("%s: %s (10^%.2f, %g in %g..%g): %s", text, claim_verdict_name(verdict_is),  \
			         result->log10_bf, result->value, result->low, result->high, result->reason); \
	} while (0)

/* ---- places ---- */

static void shares_of_countries(void **state)
{
	(void)state;
	ASSERT_VERDICT("share(country=AA) >= 0.3", CLAIM_SUPPORTED);
	assert_true(result->low <= 0.6 && result->high >= 0.6);
	assert_true(result->value > 0.55 && result->value < 0.68);
	assert_int_equal(result->confidence, CLAIM_HIGH);
	assert_string_equal(result->word, "almost certain");
	assert_true(result->threshold == 0.3);
	ASSERT_VERDICT("share(country=AA) >= 0.9", CLAIM_CONTRADICTED);
	assert_string_equal(result->word, "almost no chance");
	ASSERT_VERDICT("share(country=AA) < 0.9", CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(country=AA) <= 0.3", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(country=AA) >= 0.6", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("share(country=ZZ) >= 0.05", CLAIM_CONTRADICTED);
	assert_true(result->low == 0 && result->value == 0);
	ASSERT_VERDICT("share(country=AA) = 0.1", CLAIM_CONTRADICTED);
	/* Two networks sent nearly all of it, both in AA. */
	ASSERT_VERDICT("share(country=AA, by=packets) >= 0.3", CLAIM_SUPPORTED);
	assert_true(result->value > 0.7);
}

static void disagreement_is_an_interval(void **state)
{
	(void)state;
	place(NETWORKS / 10, NETWORKS / 2, false);
	ASSERT_VERDICT("share(country=AA) >= 0.35", CLAIM_UNSUPPORTED);
	assert_true(result->low < 0.11 && result->high > 0.58);
	assert_true(result->log10_bf == 0);
	assert_string_equal(result->word, "roughly even chance");
	/* What moves it: each database alone decides, and differently. */
	assert_non_null(strstr(result->evidence[0].what, "base-0"));
	assert_int_equal(result->evidence[0].without, CLAIM_CONTRADICTED);
	assert_int_equal(result->evidence[1].without, CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(country=AA) >= 0.03", CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(country=AA) >= 0.8", CLAIM_CONTRADICTED);
}

static void one_network_is_one_observation(void **state)
{
	(void)state;
	trace.rows_count = 1;
	rows[0].held = rows[0].sources = trace.sources = trace.located_sources = 10000;
	ASSERT_VERDICT("share(country=AA) >= 0.5", CLAIM_UNSUPPORTED);
	assert_true(result->log10_bf > 0);
	/* Where networks are not told apart each row stands for several. */
	rows[0].network = TRACE_OTHERS;
	ASSERT_VERDICT("share(country=AA) >= 0.5", CLAIM_SUPPORTED);
}

static void what_none_knows_has_no_say(void **state)
{
	(void)state;
	for (uint32_t i = NETWORKS * 6 / 10; i < NETWORKS; i++)
		rows[i].country[0][0] = rows[i].country[1][0] = '\0';
	ASSERT_VERDICT("share(country=AA) >= 0.9", CLAIM_SUPPORTED);
	for (uint32_t i = 0; i < NETWORKS; i++)
		rows[i].country[0][0] = rows[i].country[1][0] = '\0';
	ASSERT_VERDICT("share(country=AA) >= 0.9", CLAIM_UNSUPPORTED);
	assert_string_equal(result->reason, "No database knows any of the sources.");
	ASSERT_VERDICT("count(countries) > 1", CLAIM_UNSUPPORTED);
	trace.country_databases = 0;
	ASSERT_VERDICT("share(country=AA) >= 0.9", CLAIM_UNSUPPORTED);
}

static void forged_sources_have_no_place(void **state)
{
	static const char *const places[] = {
		"share(country=AA) >= 0.01",         "not share(country=AA) >= 0.01", "share(country=AA) < 0.9",
		"share(network=64512) >= 0.001",     "count(networks) > 1",           "count(countries) >= 1",
		"spoofed or share(country=AA) > 0.1"
	};

	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		free(result);
		assert_int_equal(setup(state), 0);
		if (way == 0)
			trace.spoofing.verdict = SPOOFING_SPOOFED;
		if (way == 1)
			trace.spoofing.sources.spoofed = 0.6;
		if (way == 2)
			trace.located_sources = 0;
		if (way == 3)
			trace.located_sources = trace.sources / 50;
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			ASSERT_VERDICT(places[i], CLAIM_UNTESTABLE);
	}
	trace.spoofing.verdict = SPOOFING_SPOOFED;
	trace.size.known = false;
	ASSERT_VERDICT("count(sources) >= 1", CLAIM_UNTESTABLE);
	ASSERT_VERDICT("coordinated", CLAIM_UNTESTABLE);
}

static void shares_of_networks(void **state)
{
	(void)state;
	ASSERT_VERDICT("share(network=64512) >= 0.001", CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(network=64512) >= 0.1", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(network=64512, by=packets) >= 0.1", CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(network=1) >= 0.05", CLAIM_CONTRADICTED);
	/* It may be among those that are not told apart. */
	rows[NETWORKS - 1].network = TRACE_OTHERS;
	rows[NETWORKS - 1].sources = 5000;
	ASSERT_VERDICT("share(network=1) >= 0.0034", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("share(network=1) >= 0.5", CLAIM_CONTRADICTED);
	for (uint32_t i = 0; i < NETWORKS; i++)
		rows[i].network = 0;
	ASSERT_VERDICT("share(network=1) >= 0.5", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("count(networks) >= 1", CLAIM_UNSUPPORTED);
}

static void relays_are_said_to_be_relays(void **state)
{
	(void)state;
	place(NETWORKS * 6 / 10, 0, true);
	ASSERT_VERDICT("share(country=AA) >= 0.3", CLAIM_SUPPORTED);
	assert_true(result->relays);
	assert_non_null(strstr(result->reason, "not the attackers"));
	for (uint32_t i = 0; i < NETWORKS; i += 2)
		rows[i].reflectors = false;
	ASSERT_VERDICT("share(country=AA) >= 0.3", CLAIM_SUPPORTED);
	assert_string_equal(result->evidence[2].what, "relays of reflections");
	ASSERT_VERDICT("share(network=64512) >= 0.001", CLAIM_SUPPORTED);
	assert_int_equal(result->evidence_count, 2);
	assert_int_equal(result->evidence[0].without, CLAIM_SUPPORTED);
	assert_int_equal(result->evidence[1].without, CLAIM_CONTRADICTED); /* it is verified sources that are there */
}

static void confidence_is_capped(void **state)
{
	static const char claim[] = "share(country=AA) >= 0.3";

	(void)state;
	ASSERT_VERDICT(claim, CLAIM_SUPPORTED);
	assert_string_equal(result->cap, "");
	trace.observed = 0.01;
	(void)test(claim);
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	assert_string_equal(result->cap, "only 1.0 % of the packets were looked at");
	trace.observed = 0.0005;
	(void)test(claim);
	assert_int_equal(result->confidence, CLAIM_LOW);
	trace.observed = 1;
	trace.sources *= 3;
	(void)test(claim);
	assert_string_equal(result->cap, "only 33.3 % of the sources are known to be real");
	trace.sources *= 3;
	(void)test(claim);
	assert_int_equal(result->confidence, CLAIM_LOW);
	trace.sources /= 9;
	trace.databases[1].built_ns = BEGAN + 200 * 86400 * NS_PER_S;
	(void)test(claim);
	assert_string_equal(result->cap, "a country database is 200 days from the attack");
	trace.databases[1].built_ns = BEGAN - 1000 * 86400 * NS_PER_S;
	(void)test(claim);
	assert_int_equal(result->confidence, CLAIM_LOW);
	trace.databases[1].built_ns = 0;
	(void)test(claim);
	assert_string_equal(result->cap, "a country database does not say how old it is");
	trace.country_databases = 1;
	(void)test(claim);
	assert_string_equal(result->cap, "there is one country database only, so nothing shows its errors");
	trace.country_databases = 2;
	trace.databases[1].built_ns = BEGAN;
	trace.ended_ns = 0;
	(void)test(claim);
	assert_string_equal(result->cap, "the attack had not ended when it was traced");
	trace.ended_ns = BEGAN + 1;
	for (uint32_t i = 0; i < NETWORKS; i++)
		rows[i].held = 1;
	(void)test(claim);
	assert_string_equal(result->cap, "only 200 sources were looked at");
	rows[0].held = 0;
	for (uint32_t i = 0; i < NETWORKS; i += 2)
		rows[i].held = 0;
	rows[1].held = 0;
	(void)test(claim);
	assert_int_equal(result->confidence, CLAIM_LOW);
}

static void baselines_are_compared_with(void **state)
{
	static const struct claim_baseline baseline[] = { { "BB", 0.4 }, { "AA", 0.1 }, { "CC", 0 } };

	(void)state;
	ASSERT_VERDICT("share(country=AA) >= 0.3", CLAIM_SUPPORTED);
	assert_true(isnan(result->quotient) && isnan(result->g2));
	context.baseline = baseline;
	context.baseline_count = 3;
	ASSERT_VERDICT("share(country=AA) >= 0.3", CLAIM_SUPPORTED);
	assert_true(result->quotient > 5.5 && result->quotient < 6.8);
	assert_true(result->quotient_low < result->quotient && result->quotient_high > result->quotient);
	assert_true(result->g2 > 100);
	ASSERT_VERDICT("share(country=BB) >= 0.1", CLAIM_SUPPORTED);
	assert_true(result->quotient > 0.9 && result->quotient < 1.15 && result->g2 < 3.84);
	ASSERT_VERDICT("share(country=CC) >= 0.1", CLAIM_CONTRADICTED);
	assert_true(isnan(result->quotient));
}

static void countries_compete(void **state)
{
	(void)state;
	ASSERT_VERDICT("share(country=ZZ) >= 0.3", CLAIM_CONTRADICTED);
	assert_int_equal(result->hypotheses_count, 3);
	assert_non_null(strstr(result->hypotheses[0].what, "than AA"));
	assert_true(result->hypotheses[0].log10_bf == 0);
	assert_true(result->hypotheses[2].log10_bf < -2);
}

static void seeds_are_all_there_is_of_chance(void **state)
{
	struct claim_result *first = calloc(1, sizeof(*first));

	(void)state;
	assert_non_null(first);
	(void)test("share(country=AA) >= 0.3");
	*first = *result;
	(void)test("share(country=AA) >= 0.3");
	assert_true(first->low == result->low && first->high == result->high && first->log10_bf == result->log10_bf);
	free(first);
}

/* ---- forged, relayed ---- */

static void add_test(const char *name, enum spoofing_verdict says)
{
	struct spoofing_test *added = &trace.spoofing.tests[trace.spoofing.tests_count++];

	(void)snprintf(added->name, sizeof(added->name), "%s", name);
	added->says = says;
}

static void forged_addresses(void **state)
{
	(void)state;
	ASSERT_VERDICT("spoofed", CLAIM_CONTRADICTED); /* by the verdict, its tests not being told */
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	trace.spoofing.verdict = SPOOFING_SPOOFED;
	trace.spoofing.packets = (struct spoofing_shares){ 0.9, 0, 0, 0.1 };
	ASSERT_VERDICT("spoofed", CLAIM_SUPPORTED);
	add_test("uniformity", SPOOFING_SPOOFED);
	ASSERT_VERDICT("spoofed", CLAIM_SUPPORTED);
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	assert_int_equal(result->evidence[0].without, CLAIM_UNSUPPORTED);
	add_test("repeats", SPOOFING_SPOOFED);
	add_test("hops", SPOOFING_UNDETERMINED);
	add_test("of-tomorrow", SPOOFING_SPOOFED);
	ASSERT_VERDICT("spoofed", CLAIM_SUPPORTED);
	assert_int_equal(result->confidence, CLAIM_HIGH);
	assert_int_equal(result->evidence_count, 3);
	ASSERT_VERDICT("amplified", CLAIM_CONTRADICTED);
	/* Tests that speak against what is said of shares: neither. */
	add_test("handshakes", SPOOFING_VERIFIED);
	add_test("resets", SPOOFING_VERIFIED);
	ASSERT_VERDICT("spoofed", CLAIM_UNSUPPORTED);
	trace.spoofing.packets = (struct spoofing_shares){ 0.3, 0.1, 0, 0.6 };
	trace.spoofing.tests_count = 2;
	ASSERT_VERDICT("spoofed", CLAIM_UNSUPPORTED);
	assert_true(result->low == 0.3 && result->high > 0.89);
}

static void relayed_packets(void **state)
{
	(void)state;
	trace.spoofing.verdict = SPOOFING_REFLECTORS;
	trace.spoofing.packets = (struct spoofing_shares){ 0, 0.05, 0.95, 0 };
	ASSERT_VERDICT("amplified", CLAIM_SUPPORTED);
	ASSERT_VERDICT("spoofed", CLAIM_CONTRADICTED);
	assert_non_null(strstr(result->reason, "requests to them were forged"));
	assert_non_null(strstr(result->hypotheses[0].what, "relays"));
	ASSERT_VERDICT("family(mirai)", CLAIM_UNTESTABLE);
	ASSERT_VERDICT("share(family=mirai) > 0.1", CLAIM_UNTESTABLE);
}

/* ---- coordination ---- */

static void acting_together(void **state)
{
	struct coordination *k = &trace.coordination;

	(void)state;
	ASSERT_VERDICT("coordinated", CLAIM_UNSUPPORTED);
	*k = (struct coordination){ .known = true, .onset = ONSET_COMMAND, .sources = 5000, .within_1s = 0.4 };
	k->within_5s = 0.9;
	k->expected_5s = 0.02;
	k->ends_1s = 0.8;
	k->round_duration = 0.9;
	k->likeness = 0.9;
	k->top_signature = 0.9;
	k->overlaps_count = 1;
	k->overlaps[0].jaccard = 0.6;
	ASSERT_VERDICT("coordinated", CLAIM_SUPPORTED);
	assert_int_equal(result->evidence_count, 6);
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	assert_non_null(strstr(result->reason, "does not show who"));
	k->sources = 50;
	(void)test("coordinated");
	assert_int_equal(result->confidence, CLAIM_LOW);
	*k = (struct coordination){ .known = true, .onset = ONSET_CROWD, .sources = 5000 };
	k->within_5s = 0.02;
	k->expected_5s = 0.02;
	k->likeness = 0.1;
	ASSERT_VERDICT("coordinated", CLAIM_CONTRADICTED);
	assert_non_null(strstr(result->hypotheses[0].what, "crowd"));
	*k = (struct coordination){ .known = true, .onset = ONSET_UNKNOWN, .sources = 5000, .likeness = 0.5 };
	k->within_5s = 0.2;
	k->expected_5s = 0.1;
	k->ends_1s = 0.2;
	ASSERT_VERDICT("coordinated", CLAIM_UNSUPPORTED);
	k->onset = (enum coordination_onset)99; /* of a file */
	ASSERT_VERDICT("coordinated", CLAIM_UNSUPPORTED);
	k->onset = ONSET_POLLING;
	k->sources = 3;
	ASSERT_VERDICT("coordinated", CLAIM_UNSUPPORTED);
}

/* ---- tools ---- */

static void marks_of_tools(void **state)
{
	(void)state;
	ASSERT_VERDICT("family(mirai)", CLAIM_UNSUPPORTED);
	assert_true(result->log10_bf < 0);
	ASSERT_VERDICT("family(fictional-tool)", CLAIM_UNTESTABLE);
	ASSERT_VERDICT("share(family=fictional-tool) > 0.1", CLAIM_UNTESTABLE);
	trace.families_count = 2;
	trace.families[0] = (struct trace_family){ "mirai", "a mark", 600000, 0 };
	trace.families[1] = (struct trace_family){ "mirai", "another", 100000, 0 };
	ASSERT_VERDICT("family(Mirai)", CLAIM_SUPPORTED);
	assert_true(result->value == 0.7);
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	assert_int_equal(result->evidence[0].without, CLAIM_SUPPORTED);
	ASSERT_VERDICT("family(loic)", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(family=mirai) >= 0.65", CLAIM_SUPPORTED);
	ASSERT_VERDICT("share(family=mirai) >= 0.75", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(family=mirai) = 0.7", CLAIM_SUPPORTED);
	trace.families_count = 1;
	trace.families[0].packets = 20000;
	ASSERT_VERDICT("family(mirai)", CLAIM_SUPPORTED);
	trace.families[0].packets = 200;
	ASSERT_VERDICT("family(mirai)", CLAIM_UNSUPPORTED);
	trace.families[0].packets = 200000;
	ASSERT_VERDICT("family(loic)", CLAIM_UNSUPPORTED);
	trace.packets = 50;
	trace.families[0].packets = 30;
	ASSERT_VERDICT("family(mirai)", CLAIM_UNSUPPORTED); /* too few packets */
	ASSERT_VERDICT("family(loic)", CLAIM_UNSUPPORTED);
}

/* ---- quantities ---- */

static void quantities(void **state)
{
	static const struct {
		const char *text;
		enum claim_verdict verdict;
	} cases[] = {
		{ "count(sources) >= 5000", CLAIM_SUPPORTED },
		{ "count(sources) >= 20000", CLAIM_CONTRADICTED },
		{ "count(sources) >= 10200", CLAIM_UNSUPPORTED },
		{ "count(sources) = 10300", CLAIM_SUPPORTED },
		{ "count(sources) = 30000", CLAIM_CONTRADICTED },
		{ "count(sources) = 9500", CLAIM_UNSUPPORTED },
		{ "count(packets) >= 1M", CLAIM_SUPPORTED },
		{ "count(packets) > 1M", CLAIM_CONTRADICTED },
		{ "count(packets) <= 1M", CLAIM_SUPPORTED },
		{ "count(packets) < 1M", CLAIM_CONTRADICTED },
		{ "count(waves) = 3", CLAIM_SUPPORTED },
		{ "count(waves) = 4", CLAIM_CONTRADICTED },
		{ "count(waves) > 3", CLAIM_CONTRADICTED },
		{ "count(vectors) > 0", CLAIM_UNSUPPORTED },
		{ "count(devices) > 1", CLAIM_UNTESTABLE },
		{ "count(networks) = 200", CLAIM_SUPPORTED },
		{ "count(networks) > 200", CLAIM_CONTRADICTED },
		{ "count(countries) = 2", CLAIM_SUPPORTED },
		{ "count(countries) > 2", CLAIM_CONTRADICTED },
		{ "size >= 1.5 Gbps", CLAIM_SUPPORTED },
		{ "size >= 3 Tbps", CLAIM_CONTRADICTED },
		{ "size >= 2.01 Gbps", CLAIM_UNSUPPORTED },
		{ "size = 2 Gbps", CLAIM_SUPPORTED },
		{ "size < 90 kpps", CLAIM_CONTRADICTED },
		{ "size < 150 kpps", CLAIM_SUPPORTED },
		{ "duration >= 50m", CLAIM_SUPPORTED },
		{ "duration > 2h", CLAIM_CONTRADICTED },
		{ "duration = 1h", CLAIM_SUPPORTED },
		{ "cost >= 10 USD", CLAIM_SUPPORTED },
		{ "cost >= $100", CLAIM_UNSUPPORTED },
		{ "cost >= $1,000,000", CLAIM_CONTRADICTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ASSERT_VERDICT(cases[i].text, cases[i].verdict);
	(void)test("cost >= 10 USD");
	assert_int_equal(result->confidence, CLAIM_LOW);
	assert_non_null(strstr(result->reason, "does not show who paid"));
}

static void quantities_that_are_not_known(void **state)
{
	(void)state;
	trace.size.devices = 300;
	ASSERT_VERDICT("count(devices) > 100", CLAIM_SUPPORTED);
	ASSERT_VERDICT("count(devices) > 1000", CLAIM_CONTRADICTED);
	trace.size.chao1 = 25000; /* many were not seen */
	ASSERT_VERDICT("count(sources) >= 20000", CLAIM_UNSUPPORTED);
	assert_int_equal(result->evidence[1].without, CLAIM_CONTRADICTED);
	trace.observed = 0.1; /* sampling misses sources and packets */
	ASSERT_VERDICT("count(sources) >= 50000", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("count(packets) >= 900k", CLAIM_SUPPORTED);
	ASSERT_VERDICT("count(packets) >= 1M", CLAIM_UNSUPPORTED);
	trace.sources_sampled = true;
	trace.held = 100;
	ASSERT_VERDICT("count(networks) > 200", CLAIM_UNSUPPORTED);
	trace.size.known = false;
	ASSERT_VERDICT("count(sources) >= 1", CLAIM_UNSUPPORTED);
	trace.ended_ns = 0;
	ASSERT_VERDICT("duration > 2h", CLAIM_UNSUPPORTED);
	assert_true(isinf(result->high));
	ASSERT_VERDICT("duration > 30m", CLAIM_SUPPORTED);
	trace.made_ns = trace.began_ns - 1; /* clocks that disagree */
	ASSERT_VERDICT("duration > 30m", CLAIM_UNSUPPORTED);
	trace.peak_bps = 0;
	ASSERT_VERDICT("size > 1 bps", CLAIM_UNSUPPORTED);
	trace.waves = 0;
	ASSERT_VERDICT("count(waves) > 1", CLAIM_UNSUPPORTED);
	trace.cost.known = false;
	ASSERT_VERDICT("cost > 1", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("share(vector=syn_flood) > 0.1", CLAIM_UNSUPPORTED);
}

static void shares_of_vectors(void **state)
{
	(void)state;
	trace.vectors_count = 2;
	trace.vectors[0] = (struct trace_vector){ .name = "syn_flood", .packets = 900000, .sources = 9000 };
	trace.vectors[1] = (struct trace_vector){ .name = "udp_flood", .packets = 100000, .sources = 1000 };
	ASSERT_VERDICT("share(vector=syn_flood) >= 0.8", CLAIM_SUPPORTED);
	assert_int_equal(result->evidence[0].without, CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(vector=udp_flood) >= 0.2", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(vector=udp_flood, by=sources) >= 0.2", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("share(vector=ntp_reflection) >= 0.01", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("count(vectors) = 2", CLAIM_SUPPORTED);
}

/* ---- outages and causes ---- */

static struct claim_span spans[2];
static struct claim_event events[2];

static void outage(int64_t from_s, int64_t to_s)
{
	spans[0] = (struct claim_span){ BEGAN + from_s * NS_PER_S, to_s ? BEGAN + to_s * NS_PER_S : 0, 0.8 };
	context.outages = spans;
	context.outages_count = 1;
}

static void event(unsigned index, enum claim_event_kind kind, int64_t from_s, int64_t to_s)
{
	events[index] = (struct claim_event){ kind, BEGAN + from_s * NS_PER_S, BEGAN + to_s * NS_PER_S };
	context.events = events;
	context.events_count = index + 1;
}

static void causes(void **state)
{
	(void)state;
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	context.watched = true;
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	/* Three minutes after the attack began. */
	outage(180, 3700);
	ASSERT_VERDICT("cause = attack", CLAIM_SUPPORTED);
	assert_true(result->value == 1 && result->low > 0.9);
	assert_non_null(strstr(result->hypotheses[0].what, "the attack"));
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	assert_int_equal(result->evidence[0].without, CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("cause = change", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("cause = unknown", CLAIM_CONTRADICTED);
	context.attack_passing = 0.5;
	ASSERT_VERDICT("cause = attack", CLAIM_SUPPORTED);
	/* A change at the same time explains as much. */
	event(0, CLAIM_OWN_CHANGE, 170, 3600);
	context.attack_passing = (double)NAN;
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	assert_true(result->low < 0.1 && result->value == 0.5 && result->high == 1);
	assert_int_equal(result->evidence[1].without, CLAIM_SUPPORTED);
	ASSERT_VERDICT("cause = change", CLAIM_UNSUPPORTED);
	/* It began long before the attack, with a provider's failure. */
	outage(-7200, -3600);
	event(0, CLAIM_PROVIDER, -7230, -3700);
	ASSERT_VERDICT("cause = provider", CLAIM_SUPPORTED);
	ASSERT_VERDICT("cause = attack", CLAIM_CONTRADICTED);
	/* Nothing was near. */
	context.events_count = 0;
	ASSERT_VERDICT("cause = unknown", CLAIM_SUPPORTED);
	ASSERT_VERDICT("cause = attack", CLAIM_CONTRADICTED);
	/* It went on when the attack came: what came first did not come of what came later. */
	outage(-3600, 3600);
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	assert_true(result->low == 0);
	/* Little of the attack reached the service. */
	outage(180, 3700);
	context.attack_passing = 0.001;
	(void)test("cause = attack");
	assert_true(result->log10_bf < 1.6);
	outage(180, 180);
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
}

static void outages(void **state)
{
	(void)state;
	ASSERT_VERDICT("outage", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("outage >= 10m", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("outage within 09:00..10:00", CLAIM_UNSUPPORTED);
	context.watched = true;
	ASSERT_VERDICT("outage", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("outage >= 10m", CLAIM_CONTRADICTED);
	outage(300, 2700); /* 09:50 to 10:30 */
	ASSERT_VERDICT("outage", CLAIM_SUPPORTED);
	assert_int_equal(result->confidence, CLAIM_HIGH);
	ASSERT_VERDICT("outage >= 30m", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage >= 1h", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("outage >= 40m", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("outage within 09:40..10:40", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage within 2026-03-10T09:40Z..2026-03-10T10:40Z", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage within 12:00..14:00", CLAIM_CONTRADICTED);
	ASSERT_VERDICT("outage within 23:00..22:00", CLAIM_CONTRADICTED); /* over midnight: the night after */
	ASSERT_VERDICT("outage within 09:54..10:40", CLAIM_UNSUPPORTED);
	spans[1] = (struct claim_span){ BEGAN + 600 * NS_PER_S, BEGAN + 4500 * NS_PER_S, 1 };
	context.outages_count = 2; /* the two overlap: 70 minutes in all */
	ASSERT_VERDICT("outage >= 65m", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage > 80m", CLAIM_CONTRADICTED);
	context.watched = false;
	ASSERT_VERDICT("outage", CLAIM_SUPPORTED);
	assert_int_equal(result->confidence, CLAIM_MODERATE);
	outage(-90000, -86000); /* of the day before */
	ASSERT_VERDICT("outage", CLAIM_UNSUPPORTED);
	outage(300, 0);
	ASSERT_VERDICT("outage >= 9h", CLAIM_UNSUPPORTED);
	ASSERT_VERDICT("outage >= 30m", CLAIM_SUPPORTED);
}

/* An outage may have been measured by another clock than the attack: up to a minute between them is nothing. */
static void clocks_that_disagree(void **state)
{
	(void)state;
	context.watched = true;
	outage(-50, 3700);
	ASSERT_VERDICT("cause = attack", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage within 09:45..10:47", CLAIM_SUPPORTED);
	outage(-70, 3700);
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	outage(-600, 3700);
	assert_int_not_equal(test("cause = attack"), CLAIM_SUPPORTED);
	/* One that had ended before it began, by its own clock, is refused where it is read; here it has no length. */
	outage(300, 200);
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
}

/* What the host itself saw, from a minute before the attack to a minute after it, does not speak of other times. */
static void outages_that_the_host_saw(void **state)
{
	(void)state;
	context.measured_from_ns = BEGAN - 60 * NS_PER_S;
	context.measured_to_ns = BEGAN + 3660 * NS_PER_S;
	ASSERT_VERDICT("outage", CLAIM_UNSUPPORTED);
	assert_non_null(strstr(result->reason, "Users were answered as before while the attack lasted"));
	ASSERT_VERDICT("cause = attack", CLAIM_UNSUPPORTED);
	assert_non_null(strstr(result->reason, "Users were answered as before while the attack lasted"));
	outage(300, 2700); /* 09:50 to 10:30 */
	ASSERT_VERDICT("outage", CLAIM_SUPPORTED);
	assert_non_null(strstr(result->cap, "seen from this host alone"));
	ASSERT_VERDICT("outage >= 30m", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage within 09:40..10:40", CLAIM_SUPPORTED);
	ASSERT_VERDICT("cause = attack", CLAIM_SUPPORTED);
	ASSERT_VERDICT("outage >= 1h", CLAIM_UNSUPPORTED);
	assert_non_null(strstr(result->reason, "there may have been another"));
	ASSERT_VERDICT("outage within 12:00..14:00", CLAIM_UNSUPPORTED);
	context.watched = true;
	ASSERT_VERDICT("outage within 12:00..14:00", CLAIM_CONTRADICTED);
}

/* ---- joined ---- */

static void terms_are_joined(void **state)
{
	static const struct {
		const char *text;
		enum claim_verdict verdict;
	} cases[] = {
		/* T: count(waves) = 3; F: count(waves) = 4; open: share(country=AA) >= 0.6 */
		{ "not count(waves) = 3", CLAIM_CONTRADICTED },
		{ "not count(waves) = 4", CLAIM_SUPPORTED },
		{ "not not count(waves) = 3", CLAIM_SUPPORTED },
		{ "not share(country=AA) >= 0.6", CLAIM_UNSUPPORTED },
		{ "count(waves) = 3 and count(packets) > 5", CLAIM_SUPPORTED },
		{ "count(waves) = 3 and count(waves) = 4", CLAIM_CONTRADICTED },
		{ "count(waves) = 3 and share(country=AA) >= 0.6", CLAIM_UNSUPPORTED },
		{ "count(waves) = 4 and share(country=AA) >= 0.6", CLAIM_CONTRADICTED },
		{ "count(waves) = 3 or share(country=AA) >= 0.6", CLAIM_SUPPORTED },
		{ "count(waves) = 4 or share(country=AA) >= 0.6", CLAIM_UNSUPPORTED },
		{ "count(waves) = 4 or count(waves) = 5", CLAIM_CONTRADICTED },
		{ "not (count(waves) = 3 and count(waves) = 4) and count(packets) > 5", CLAIM_SUPPORTED },
		{ "not (count(waves) = 4 or count(waves) = 5)", CLAIM_SUPPORTED },
		/* Who did it makes all of it untestable, whatever stands beside it. */
		{ "actor = nobody", CLAIM_UNTESTABLE },
		{ "not actor = nobody", CLAIM_UNTESTABLE },
		{ "actor = nobody or count(waves) = 3", CLAIM_UNTESTABLE },
		{ "count(waves) = 3 or actor = nobody", CLAIM_UNTESTABLE },
		{ "actor = nobody and count(waves) = 4", CLAIM_UNTESTABLE },
		{ "not (actor = nobody and count(waves) = 4)", CLAIM_UNTESTABLE },
		{ "count(waves) = 4 or (count(waves) = 3 and not actor = nobody)", CLAIM_UNTESTABLE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ASSERT_VERDICT(cases[i].text, cases[i].verdict);
}

static void parts_are_told(void **state)
{
	(void)state;
	ASSERT_VERDICT("actor = nobody and (count(waves) = 4 or share(country=AA) >= 0.3)", CLAIM_UNTESTABLE);
	assert_int_equal(result->parts_count, 3);
	assert_string_equal(result->parts[0].what, "actor = nobody");
	assert_int_equal(result->parts[0].verdict, CLAIM_UNTESTABLE);
	assert_string_equal(result->parts[1].what, "count(waves) = 4");
	assert_int_equal(result->parts[1].verdict, CLAIM_CONTRADICTED);
	assert_string_equal(result->parts[2].what, "share(country=AA) >= 0.3");
	assert_int_equal(result->parts[2].verdict, CLAIM_SUPPORTED);
	assert_true(result->parts[2].low < 0.6 && result->parts[2].threshold == 0.3);
	/* No surer than the weakest, and how it stands without each. */
	ASSERT_VERDICT("count(waves) = 3 and share(country=AA) >= 0.3 and cost >= 10 USD", CLAIM_SUPPORTED);
	assert_int_equal(result->evidence_count, 3);
	assert_int_equal(result->evidence[0].without, CLAIM_UNSUPPORTED);
	assert_int_equal(result->confidence, CLAIM_LOW);
	for (unsigned i = 0; i < 3; i++)
		assert_true(result->log10_bf <= result->parts[i].log10_bf);
}

static void words_are_those_of_icd_203(void **state)
{
	const char *last = "";
	unsigned changes = 0;

	(void)state;
	/* From hardly to nearly, all seven words are met in their order. */
	for (unsigned waves = 0; waves < 200; waves++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "size >= %u Mbps", 2150 - waves * 3 / 2);
		(void)test(text);
		changes += strcmp(last, result->word) != 0;
		last = result->word;
		assert_true(result->probability > 0 && result->probability < 1);
	}
	assert_int_equal(changes, 7);
	assert_string_equal(last, "almost certain");
	assert_string_equal(claim_verdict_name(CLAIM_UNTESTABLE), "untestable");
	assert_string_equal(claim_verdict_name((enum claim_verdict)9), "");
	assert_string_equal(claim_confidence_name(CLAIM_HIGH), "high");
	assert_string_equal(claim_confidence_name((enum claim_confidence)9), "");
}

static void nothing_on_record_is_a_context_too(void **state)
{
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate;
	size_t at;

	(void)state;
	assert_int_equal(predicate_parse("cause = attack", &predicate, &at, error), 0);
	assert_int_equal(claim_test(predicate, &trace, NULL, SEED, result), 0);
	assert_int_equal(result->verdict, CLAIM_UNSUPPORTED);
	predicate_free(predicate);
}

/* A verdict that memory has decided would be another on the next machine. */
static void without_memory_there_is_no_verdict(void **state)
{
	static const char *const texts[] = { "share(country=AA) >= 0.5", "cause = attack", "outage > 10m" };

	(void)state;
	outage(180, 3700);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char error[PREDICATE_ERROR_SIZE];
		struct predicate *predicate;
		int left = -1, status;
		size_t at;

		assert_int_equal(predicate_parse(texts[i], &predicate, &at, error), 0);
		do {
			calloc_left = ++left;
			status = claim_test(predicate, &trace, &context, SEED, result);
			calloc_left = -1;
			assert_true(status == 0 || status == -ENOMEM);
		} while (status != 0);
		assert_in_range(left, 2, 20); /* of each there is more than the result to be had */
		predicate_free(predicate);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(shares_of_countries),
		TEST(disagreement_is_an_interval),
		TEST(one_network_is_one_observation),
		TEST(what_none_knows_has_no_say),
		TEST(forged_sources_have_no_place),
		TEST(shares_of_networks),
		TEST(relays_are_said_to_be_relays),
		TEST(confidence_is_capped),
		TEST(baselines_are_compared_with),
		TEST(countries_compete),
		TEST(seeds_are_all_there_is_of_chance),
		TEST(forged_addresses),
		TEST(relayed_packets),
		TEST(acting_together),
		TEST(marks_of_tools),
		TEST(quantities),
		TEST(quantities_that_are_not_known),
		TEST(shares_of_vectors),
		TEST(causes),
		TEST(outages),
		TEST(outages_that_the_host_saw),
		TEST(clocks_that_disagree),
		TEST(terms_are_joined),
		TEST(parts_are_told),
		TEST(words_are_those_of_icd_203),
		TEST(nothing_on_record_is_a_context_too),
		TEST(without_memory_there_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
