/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of a trace: by sentences of its own, on the page for the terminal and in the report in HTML. Places are
 * told of located sources alone, relays are never called attackers, and what is not known is not told.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"

#include "base/share.h"
#include "tell/analysis.h"
#include "tell/map.h"
#include "tell/origin.h"

#define START (1748772000 * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)

/* ---- traces ---- */

static struct trace_row row(uint32_t network, const char *name, const char *one, const char *two, uint64_t sources,
                            uint64_t packets)
{
	struct trace_row r = { .network = network, .held = sources, .sources = sources, .packets = packets };

	(void)snprintf(r.name, sizeof(r.name), "%s", name);
	(void)snprintf(r.country[0], sizeof(r.country[0]), "%s", one);
	(void)snprintf(r.country[1], sizeof(r.country[1]), "%s", two);
	return r;
}

static void name_database(struct trace *t, uint32_t at, const char *name, int64_t built_ns)
{
	(void)snprintf(t->databases[at].name, sizeof(t->databases[at].name), "%s", name);
	t->databases[at].built_ns = built_ns;
}

/* Two databases, 1,000 real sources: 600 in UA by both, 100 in UA or PL, 300 in DE; none forged. */
static struct trace verified(struct trace_row rows[3])
{
	struct trace t = {
		.began_ns = START,
		.ended_ns = START + 60 * NS_PER_S,
		.packets = 100000,
		.sources = 1000,
		.located_sources = 1000,
		.located_packets = 100000,
		.observed = 1,
		.country_databases = 2,
		.databases_count = 2,
		.rows_count = 3,
		.rows = rows,
		.spoofing = { .verdict = SPOOFING_VERIFIED,
		              .packets = { .verified = 1 },
		              .sources = { .verified = 1 } },
		.rank = { .pps = NAN, .bps = NAN, .duration = NAN, .sources = NAN },
	};

	rows[0] = row(64500, "Example Net", "UA", "UA", 600, 50000);
	rows[1] = row(64501, "", "UA", "PL", 100, 20000);
	rows[2] = row(64502, "Third", "DE", "DE", 300, 30000);
	name_database(&t, 0, "whois", START - 10 * DAY_NS);
	name_database(&t, 1, "iptoasn", START - 20 * DAY_NS);
	return t;
}

static const char *said_by(void (*say)(struct account *, const struct origin *, struct draft *), const struct trace *t)
{
	static struct draft d;
	struct account a = { .used = 0 };
	struct origin *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	assert_int_equal(origin_make(t, o), 0);
	d = (struct draft){ .length = 0 };
	say(&a, o, &d);
	free(o);
	return d.text;
}

/* All sentences, each in a line. */
struct lines {
	char text[8192];
};

static void take(void *context, const char *text)
{
	struct lines *lines = context;
	size_t length = strlen(lines->text);

	assert_true(length + strlen(text) + 2 < sizeof(lines->text));
	(void)snprintf(lines->text + length, sizeof(lines->text) - length, "%s\n", text);
}

static const char *told_by(void (*tell)(struct account *, const struct origin *, const struct account_sink *),
                           const struct trace *t)
{
	static struct lines lines;
	const struct account_sink sink = { take, &lines };
	struct account a = { .used = 0 };
	struct origin *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	assert_int_equal(origin_make(t, o), 0);
	lines.text[0] = '\0';
	tell(&a, o, &sink);
	free(o);
	return lines.text;
}

static void unknowns(struct account *a, const struct origin *o, const struct account_sink *to)
{
	origin_unknowns(a, o->trace, to);
}

/* A non-breaking space and marks as they are read. */
static const char *plain(const char *marked)
{
	static char text[8192];
	size_t length = 0;

	for (; *marked; marked++) {
		if (strncmp(marked, WORDS_TIE, strlen(WORDS_TIE)) == 0) {
			text[length++] = ' ';
			marked += strlen(WORDS_TIE) - 1;
		} else if (!strncmp(marked, BOLD, strlen(BOLD))) {
			marked += strlen(BOLD) - 1;
		} else if (!strncmp(marked, PLAIN, strlen(PLAIN))) {
			marked += strlen(PLAIN) - 1;
		} else {
			text[length++] = *marked;
		}
		assert_true(length < sizeof(text));
	}
	text[length] = '\0';
	return text;
}

static void expect_in(const char *marked, const char *words)
{
	if (!strstr(plain(marked), words))
		fail_msg("'%s' is not in: %s", words, plain(marked));
}

static void expect_not_in(const char *marked, const char *words)
{
	if (strstr(plain(marked), words))
		fail_msg("'%s' is in: %s", words, plain(marked));
}

/* ---- sums ---- */

static void rows_become_countries_and_networks(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);
	struct origin *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	assert_int_equal(origin_make(&t, o), 0);
	assert_true(o->located && !o->relays && !o->all_relays);
	assert_int_equal(o->countries_count, 3);
	assert_string_equal(o->countries[0].code, "UA");
	assert_int_equal(o->countries[0].low_ppm, 600000);
	assert_int_equal(o->countries[0].high_ppm, 700000);
	assert_int_equal(o->countries[0].packets_low_ppm, 500000);
	assert_int_equal(o->countries[0].packets_high_ppm, 700000);
	assert_string_equal(o->countries[2].code, "PL");
	assert_int_equal(o->countries[2].low_ppm, 0);
	assert_int_equal(o->networks_known, 3);
	assert_int_equal(o->networks[1].number, 64502);
	assert_string_equal(o->networks[0].country, "UA");
	assert_string_equal(o->networks[2].country, ""); /* one says UA, one PL */
	assert_int_equal(o->networks[2].packets_ppm, 200000);

	/* Clopper and Pearson of 600 of 1,000 drawn: 56.9 % to 63.1 % */
	t.sources_sampled = true;
	assert_int_equal(origin_make(&t, o), 0);
	assert_in_range(o->networks[0].low_ppm, 568000, 570000);
	assert_in_range(o->networks[0].high_ppm, 630000, 632000);
	assert_true(o->countries[0].low_ppm < 600000 && o->countries[0].high_ppm > 700000);
	assert_int_equal(o->countries[2].low_ppm, 0);
	free(o);
}

static void of_many_networks_the_largest_are_kept(void **state)
{
	enum { COUNT = 3 * ORIGIN_NETWORKS_MAX };
	struct trace_row rows[COUNT];
	struct trace t = { .rows_count = COUNT, .rows = rows, .country_databases = 1 };
	struct origin *o = calloc(1, sizeof(*o));

	(void)state;
	assert_non_null(o);
	/* In no order; two rows of each network but the last, which is nobody's. */
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t network = 64500 + i * 7 % (COUNT / 2);

		rows[i] = row(network, "Net", i % 2 ? "DE" : "FR", "", (network - 64499) * (i % 2 ? 3 : 2), 1);
		t.located_sources += rows[i].sources;
	}
	rows[0].network = TRACE_OTHERS;
	rows[1].network = 0;
	assert_int_equal(origin_make(&t, o), 0);
	assert_int_equal(o->networks_count, ORIGIN_NETWORKS_MAX);
	assert_in_range(o->networks_known, COUNT / 2 - 1, COUNT / 2);
	for (uint32_t i = 1; i < o->networks_count; i++)
		assert_true(o->networks[i - 1].sources >= o->networks[i].sources);
	assert_int_equal(o->networks[0].number, 64500 + COUNT / 2 - 1);
	free(o);
}

/* ---- where ---- */

static void verdicts_have_their_sentence(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);

	(void)state;
	expect_in(said_by(origin_verdict, &t), "addresses are real: they received");
	t.spoofing.verdict = SPOOFING_SPOOFED;
	expect_in(said_by(origin_verdict, &t), "were forged: they say nothing about where");
	t.spoofing.verdict = SPOOFING_REFLECTORS;
	expect_in(said_by(origin_verdict, &t), "misused servers (relays)");
	t.spoofing.verdict = SPOOFING_UNDETERMINED;
	expect_in(said_by(origin_verdict, &t), "cannot be told, so of no place");
	/* One vector has no parts; of two they are told, but for those that are nothing. */
	t.spoofing.packets = (struct spoofing_shares){ .spoofed = 0.25, .reflectors = 0.75 };
	expect_not_in(said_by(origin_verdict, &t), "Of all packets");
	t.vectors_count = 2;
	expect_in(said_by(origin_verdict, &t), " Of all packets 25.0 % forged, 75.0 % from relays.");
	expect_not_in(said_by(origin_verdict, &t), "verified");
	t.spoofing.packets = (struct spoofing_shares){ .verified = 1 };
	expect_not_in(said_by(origin_verdict, &t), "Of all packets");
}

static void places_are_those_of_located_sources(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);

	(void)state;
	t.sources = 4000;
	t.packets = 400000;
	expect_in(said_by(origin_located, &t),
	          "sources 1,000 have addresses that are known to be real; they sent 25.0 %");
	expect_not_in(said_by(origin_located, &t), "relays");
	expect_not_in(said_by(origin_located, &t), "even sample");
	t.sources_sampled = true;
	expect_in(said_by(origin_located, &t), "taken from an even sample");
	rows[0].reflectors = true;
	expect_in(said_by(origin_located, &t), "Some of these are relays: misused servers, not attackers.");
	rows[1].reflectors = rows[2].reflectors = true;
	expect_in(said_by(origin_located, &t), "They are not the attackers, and where they stand");
	/* Estimates may be smaller than what was counted: never more of than all. */
	t.sources = 900;
	t.located_packets = 500000;
	expect_in(said_by(origin_located, &t), "1,000 sources 1,000 have");
	expect_in(said_by(origin_located, &t), "they sent 100 %");

	for (unsigned i = 0; i < 3; i++)
		memset(rows[i].country, 0, sizeof(rows[i].country));
	expect_in(said_by(origin_located, &t), "no database knows where these addresses are");
	t.country_databases = 0;
	expect_in(said_by(origin_located, &t), "there is no database of countries. 'holdfast geo update' brings two.");
	t.located_sources = 0;
	expect_in(said_by(origin_located, &t), "of no source is it known that its address is real");
}

static void databases_say_of_when_they_are(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);

	(void)state;
	(void)snprintf(t.databases[1].version, sizeof(t.databases[1].version), "2.3.1");
	expect_in(said_by(origin_databases, &t),
	          "have them: whois (2025-05-22), iptoasn 2.3.1 (2025-05-12). Where they "
	          "disagree, a share is said as at least and at most.");
	expect_not_in(said_by(origin_databases, &t), "another time");
	name_database(&t, 0, "whois", START - 400 * DAY_NS);
	name_database(&t, 1, "iptoasn", START + 200 * DAY_NS);
	expect_in(said_by(origin_databases, &t), "whois is from another time, 400 days before the attack");
	expect_in(said_by(origin_databases, &t), "iptoasn is from another time, 200 days after the attack");
	name_database(&t, 0, "whois", 0); /* it does not say */
	t.country_databases = t.databases_count = 1;
	expect_in(said_by(origin_databases, &t), "have them: whois. There is but one of countries");
	expect_not_in(said_by(origin_databases, &t), "another time");
	t.databases_count = 0;
	assert_string_equal(said_by(origin_databases, &t), "");
}

static void intervals_are_wide_enough(void **state)
{
	static const struct {
		uint64_t low, high;
		const char *said;
	} cases[] = {
		{ 600000, 600000, "60.0 %" },
		{ 0, 141000, "up to 14.1 %" },
		{ 120000, 141000, "12.0 % to 14.1 %" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct account a = { .used = 0 };
		struct draft d = { .length = 0 };

		origin_interval(&a, cases[i].low, cases[i].high, &d);
		assert_string_equal(plain(d.text), cases[i].said);
	}
}

/* ---- how ---- */

static void how_sources_acted_is_told(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);
	struct coordination *c = &t.coordination;

	(void)state;
	expect_in(told_by(origin_conduct, &t), "together cannot be told: too little is known of them.");
	t.spoofing.verdict = SPOOFING_SPOOFED;
	expect_in(told_by(origin_conduct, &t), "together cannot be told: their addresses were forged.");
	expect_in(told_by(origin_conduct, &t), "How many devices took part cannot be told");
	t.spoofing.verdict = SPOOFING_VERIFIED;

	*c = (struct coordination){ .known = true,
		                    .onset = ONSET_COMMAND,
		                    .within_1s = 0.8,
		                    .within_5s = 0.9,
		                    .expected_1s = 0.05,
		                    .expected_5s = 0.2,
		                    .ends_1s = NAN,
		                    .round_duration = NAN };
	expect_in(told_by(origin_conduct, &t), "80.0 % of the sources began within one second (by chance: 5.0 %): they "
	                                       "acted on one command.");
	expect_not_in(told_by(origin_conduct, &t), "stopped");
	c->within_1s = 0.1;
	expect_in(told_by(origin_conduct, &t), "90.0 % of the sources began within five seconds (by chance: 20.0 %)");
	c->ends_1s = 0.75;
	c->round_duration = 0.625;
	expect_in(told_by(origin_conduct, &t),
	          "75.0 % of them stopped within one second. 62.5 % lasted a round number");
	for (unsigned i = 0; i < 3; i++)
		rows[i].reflectors = true;
	c->onset = ONSET_POLLING;
	c->quartile_s = 90;
	expect_in(told_by(origin_conduct, &t), "The relays began in steps, half of them within 1 min 30 s");
	c->onset = ONSET_CROWD;
	c->quartile_s = 1e300; /* of a file; as long as it gets */
	expect_in(told_by(origin_conduct, &t), "The relays began one by one, half of them over ");
	c->onset = ONSET_UNKNOWN;
	expect_in(told_by(origin_conduct, &t), "When the relays began does not tell");
}

static void likeness_and_waves_are_told(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);
	struct coordination *c = &t.coordination;

	(void)state;
	*c = (struct coordination){ .known = true, .top_signature = 0.9, .ends_1s = NAN, .round_duration = NAN };
	expect_in(told_by(origin_conduct, &t), "90.0 % of the sources sent the same form.");
	expect_not_in(told_by(origin_conduct, &t), "wave");
	c->overlaps_count = 2;
	c->overlaps[0] =
		(struct coordination_overlap){ .wave = 0, .next = 1, .sources = 500, .both = 50, .jaccard = 0.1 };
	c->overlaps[1] =
		(struct coordination_overlap){ .wave = 1, .next = 2, .sources = 400, .both = 300, .jaccard = 0.6 };
	expect_in(told_by(origin_conduct, &t), "300 of the 400 sources of wave 2 were there again in wave 3.");
	c->overlaps[0].both = c->overlaps[1].both = 0;
	c->overlaps[1].jaccard = 0;
	c->overlaps[0].jaccard = 0;
	expect_in(told_by(origin_conduct, &t), "No source of one wave came back in the next.");
	expect_not_in(told_by(origin_conduct, &t), "The same ones");
}

static void size_cost_rank_and_tools_are_told(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);
	const char *said;

	(void)state;
	t.size = (struct size_estimate){
		.known = true, .at_once = 700, .in_all = 1000, .chapman = NAN, .chapman_low = NAN, .chapman_high = NAN
	};
	expect_in(told_by(origin_conduct, &t), "1,000 addresses took part in all, at most 700 in one second.\n");
	t.size.devices = 1200;
	t.size.chapman_low = 1500;
	t.size.chapman_high = 2500.6;
	expect_in(told_by(origin_conduct, &t), "Their packets tell about 1,200 devices apart. By how many came back in "
	                                       "another wave, 1,500 to 2,501 stood ready.");
	t.size.chapman_high = 1500;
	expect_in(told_by(origin_conduct, &t), "in another wave, 1,500 stood ready.");
	t.size.in_all = t.size.at_once = 1;
	expect_in(told_by(origin_conduct, &t), "One address sent all of it.");
	expect_not_in(told_by(origin_conduct, &t), "acted together");
	expect_not_in(told_by(origin_conduct, &t), "To rent");
	expect_not_in(told_by(origin_conduct, &t), "Compared");

	t.cost = (struct cost){ .known = true, .hours = 0.5, .gbps = 2, .low = 0.004, .mid = 4.5, .high = 1234.5 };
	expect_in(told_by(origin_conduct, &t), "To rent as much (30 min at 2.0 Gbit/s) would cost less than a cent to "
	                                       "$1,235, about $4.50. That says nothing of who paid");
	expect_not_in(told_by(origin_conduct, &t), "Prices:");
	(void)snprintf(t.cost.basis, sizeof(t.cost.basis), "by the hour");
	t.cost.high = 1e300;
	t.cost.gbps = 1e300;
	said = told_by(origin_conduct, &t);
	expect_in(said, "Prices: by the hour.");
	expect_in(said, "to $10,000,000,000,000, about");

	t.rank = (struct rank){ .of = 1, .pps = NAN, .bps = NAN, .duration = NAN, .sources = NAN };
	expect_not_in(told_by(origin_conduct, &t), "Compared");
	t.rank.bps = 1;
	expect_in(told_by(origin_conduct, &t),
	          "Compared with the 1 earlier attack on record here, it is larger than 100 % "
	          "of them in volume.");
	t.rank.of = 4;
	t.rank.pps = 0.5;
	t.rank.sources = 0;
	expect_in(told_by(origin_conduct, &t),
	          "the 4 earlier attacks on record here, it is larger than 50.0 % of them in "
	          "packets per second, 100 % of them in volume, 0 % of them in sources.");

	t.families_count = 2;
	t.families[0] = (struct trace_family){ .name = "mirai", .mark = "sequence is the address", .packets = 1 };
	t.families[1] = (struct trace_family){ .name = "other", .mark = "a mark", .packets = 2000, .devices = 12 };
	said = told_by(origin_conduct, &t);
	expect_in(said, "1 packet is consistent with the tool mirai (sequence is the address). Marks can be copied");
	expect_in(said, "2,000 packets are consistent with the tool other (a mark). They tell about 12 devices apart.");
}

static void what_no_packet_tells_is_said(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);

	(void)state;
	expect_in(told_by(unknowns, &t), "commanded from the country they stand in, or from any other");
	expect_in(told_by(unknowns, &t), "Whether a state was behind it");
	expect_not_in(told_by(unknowns, &t), "sampled");
	t.spoofing.verdict = SPOOFING_REFLECTORS;
	t.observed = 0.125;
	expect_in(told_by(unknowns, &t), "From where the packets with forged addresses were sent");
	expect_in(told_by(unknowns, &t), "packets were sampled, 12.5 % of the attack's.");
}

/* ---- laid out ---- */

static const struct trace *the_trace(const void *context, const struct finding *finding)
{
	(void)finding;
	return context;
}

static size_t the_claims(const void *context, const struct finding *finding, const struct analysis_claim **claims)
{
	static const struct analysis_claim made[] = {
		{ .id = "1",
		  .by = "<i>A minister</i>",
		  .text = "It was \"them\"",
		  .url = "example.net/<x>",
		  .predicate = "share(country=UA) >= 0.5",
		  .at_ns = START,
		  .verdict = "supported",
		  .word = "very likely",
		  .confidence = "moderate",
		  .cap = "few networks",
		  .reason = "Most stand there." },
		{ .id = "2",
		  .by = "",
		  .text = "We did it",
		  .url = "",
		  .predicate = "actor = x",
		  .verdict = "",
		  .word = "",
		  .confidence = "",
		  .cap = "",
		  .reason = "" },
		{ .id = "3",
		  .by = "A group",
		  .text = "Huge",
		  .url = "",
		  .predicate = "size > 1 Tbps",
		  .verdict = "contradicted",
		  .word = "",
		  .confidence = "",
		  .cap = "",
		  .reason = "" },
	};

	(void)context;
	(void)finding;
	*claims = made;
	return sizeof(made) / sizeof(made[0]);
}

/* An attack that an engine found, whichever. */
static struct engine *attacked(void)
{
	static const uint8_t monlist[8] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };
	struct engine *e = engine_new(1);

	assert_non_null(e);
	for (unsigned i = 0; i < 6000; i++) {
		struct packet packet = { .observation = made_udp(START + (int64_t)i * NS_PER_MS / 3,
			                                         made_ipv4(0xc6336400 + i % 200), 123,
			                                         made_ipv4(0xc000020a), 80, 0) };

		made_payload(&packet.observation, monlist, sizeof(monlist), 440);
		engine_prepare(e, &packet);
		engine_observe(e, &packet, 1);
	}
	assert_int_equal(engine_finish(e), 0);
	return e;
}

static char *laid_out(const struct engine *e, const struct trace *t, bool html, bool claims)
{
	static const char *const files[] = { "made.pcap" };
	const struct page_options options = { .unicode = true, .width = PAGE_WIDTH_MAX };
	struct analysis_input input = analysis_input_of(engine_totals(e), files, 1);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	input.trace_of = the_trace;
	input.trace_context = t;
	input.claims_of = claims ? the_claims : NULL;
	assert_int_equal(html ? report_write(out, &input, e, NULL) : page_write(out, &input, e, &options), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void page_and_report_show_places(void **state)
{
	enum { COUNT = ORIGIN_NETWORKS_MAX + 4 };
	static const char *const codes[COUNT] = { "UA", "PL", "DE", "FR", "IT", "ES", "NL",
		                                  "SM", "GB", "US", "CA", "BR", "ZZ", "JP" };
	struct trace_row rows[COUNT];
	struct trace t = verified(rows);
	struct engine *e = attacked();
	char *page, *html;

	(void)state;
	t.rows_count = COUNT;
	t.located_sources = 0;
	for (uint32_t i = 0; i < COUNT; i++) {
		rows[i] = row(64500 + i, i ? "<Net>" : "", codes[i], i % 5 == 3 ? "UA" : codes[i], 1000 - 50 * i, 100);
		t.located_sources += rows[i].sources;
	}
	page = laid_out(e, &t, false, true);
	html = laid_out(e, &t, true, true);
	expect_in(page, "Ukraine");
	expect_in(page, "AS64501 <Net>");
	expect_in(page, "and 9 more; --json has all\n");
	expect_in(page, "and 9 more; --json has the largest\n");
	assert_non_null(strstr(html, "<svg viewBox"));
	assert_non_null(strstr(html, "Ukraine"));
	assert_non_null(strstr(html, "<p>And 4 more; the JSON report has all.</p>"));
	assert_non_null(strstr(html, "<p>And 4 more; the JSON report has the largest.</p>"));
	assert_non_null(strstr(html, "Without a name <code>AS64500, UA</code>"));
	assert_non_null(strstr(html, "&lt;Net&gt; <code>AS64501, PL</code>"));
	assert_non_null(strstr(html, "<use href=\"#cDE\" class=\"s"));
	/* San Marino is a dot, and of no country ZZ there is a picture. */
	assert_non_null(strstr(html, "<circle class=\"s"));
	assert_null(strstr(html, "cZZ"));
	assert_null(strstr(html, "<Net>"));
	free(page);
	free(html);

	/* As many as the page shows, and one more. */
	t.rows_count = 5;
	page = laid_out(e, &t, false, false);
	expect_in(page, "Italy");
	expect_in(page, "AS64504 <Net>");
	expect_not_in(page, "more; --json has");
	free(page);
	t.rows_count = 6;
	page = laid_out(e, &t, false, false);
	expect_not_in(page, "Spain");
	expect_not_in(page, "AS64505");
	expect_in(page, "and 1 more; --json has all\n");
	expect_in(page, "and 1 more; --json has the largest\n");
	free(page);

	/* Nothing is located: neither map nor table, in neither. */
	t.located_sources = 0;
	page = laid_out(e, &t, false, false);
	html = laid_out(e, &t, true, false);
	assert_null(strstr(page, "Ukraine"));
	assert_null(strstr(html, "Ukraine"));
	assert_null(strstr(html, "<svg viewBox=\"0 0 1000"));
	assert_non_null(strstr(html, "of no source is it known that its address is real"));
	free(page);
	free(html);
	engine_free(e);
}

static void page_and_report_show_claims(void **state)
{
	struct trace_row rows[3];
	struct trace t = verified(rows);
	struct engine *e = attacked();
	char *page = laid_out(e, &t, false, true), *html = laid_out(e, &t, true, true);

	(void)state;
	expect_in(page, "A minister");
	expect_in(page, "Most stand there.");
	assert_non_null(strstr(html, "Most stand there."));
	assert_non_null(strstr(html, "very likely"));
	assert_non_null(strstr(html, "few networks"));
	expect_in(page, "'holdfast claim test' holds it against the traffic.");
	expect_in(page, "No reason is on record.");
	expect_in(page, "Somebody: \u201cWe did it\u201d");
	assert_non_null(strstr(html, "<strong>&lt;i&gt;A minister&lt;/i&gt;</strong>, 2025-06-01 10:00 UTC"));
	assert_non_null(strstr(html, "<span class=\"badge supported\">supported</span>"));
	assert_non_null(strstr(html, "<span class=\"badge untested\">not tested</span>"));
	assert_non_null(strstr(html, "<code>share(country=UA) &gt;= 0.5</code>; said at example.net/&lt;x&gt;"));
	free(page);
	free(html);
	html = laid_out(e, &t, true, false);
	assert_null(strstr(html, "What was claimed"));
	free(html);
	engine_free(e);
}

static void maps_shade_by_the_lower_end(void **state)
{
	static const struct {
		uint64_t ppm;
		unsigned shade;
	} shades[] = { { 0, 0 },     { 1, 1 },      { 9999, 1 },   { 10000, 2 },
		       { 50000, 3 }, { 200000, 4 }, { 500000, 5 }, { PPM, 5 } };
	static const struct map_share shares[] = {
		{ "UA", 600000, 700000 }, { "PL", 0, 10000 }, { "DE", 0, 9999 }, { "??", 900000, 900000 }
	};
	struct map map = { .number = 2, .title = "a < b", .description = "what", .shares = shares, .count = 4 };
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	for (size_t i = 0; i < sizeof(shades) / sizeof(shades[0]); i++)
		assert_int_equal(map_shade(shades[i].ppm), shades[i].shade);
	assert_non_null(out);
	map_write(out, &map);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "<title id=\"map-2\">a &lt; b</title>\n<desc id=\"map-2-what\">what</desc>"));
	assert_non_null(strstr(text, "<use href=\"#land\"/>")); /* the first one has it */
	assert_null(strstr(text, "<path"));
	assert_non_null(strstr(text, "<use href=\"#cPL\" class=\"s0\"/>\n<use href=\"#cUA\" class=\"s5\"/>"));
	assert_null(strstr(text, "#cDE"));
	assert_non_null(strstr(text, "some databases say so"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_countries_and_networks),
		cmocka_unit_test(of_many_networks_the_largest_are_kept),
		cmocka_unit_test(verdicts_have_their_sentence),
		cmocka_unit_test(places_are_those_of_located_sources),
		cmocka_unit_test(databases_say_of_when_they_are),
		cmocka_unit_test(intervals_are_wide_enough),
		cmocka_unit_test(how_sources_acted_is_told),
		cmocka_unit_test(likeness_and_waves_are_told),
		cmocka_unit_test(size_cost_rank_and_tools_are_told),
		cmocka_unit_test(what_no_packet_tells_is_said),
		cmocka_unit_test(page_and_report_show_places),
		cmocka_unit_test(page_and_report_show_claims),
		cmocka_unit_test(maps_shade_by_the_lower_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
