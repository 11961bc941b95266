/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is usual, when there is more, and what that makes: each against a naive twin on random series; belief by its
 * table; causes on a time axis that can be read; where an outage is; counts as text with what is wrong of them.
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

#include "impact/belief.h"
#include "impact/cause.h"
#include "impact/report_text.h"
#include "impact/surge.h"
#include "impact/where.h"

#define WEEK_BUCKETS 2016
#define FIRST (2900LL * WEEK_BUCKETS)
#define MINUTE (60 * NS_PER_S)

static uint64_t seed = 7;

static double uniform(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((double)(seed >> 11) + 0.5) / 9007199254740992.0;
}

static uint32_t poisson(double mean)
{
	double limit = exp(-mean), product = uniform();
	uint32_t count = 0;

	for (; product > limit; count++)
		product *= uniform();
	return count;
}

static double usual_of(int64_t bucket, double mean)
{
	return mean * (1 + 0.8 * sin((double)(bucket % 288) / 288 * 6.28318530717958648));
}

static struct surge *new_surge(void)
{
	struct surge *surge = malloc(sizeof(*surge));

	assert_non_null(surge);
	surge_init(surge, "login", 1);
	return surge;
}

/* ---- the sum ---- */

static void cusum_is_as_written(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		double mean = exp(uniform() * 7 - 1), r = uniform() * 6, sum = 0;
		uint32_t streams = 1 + (uint32_t)(uniform() * 300);
		double h = 10.16 + log(streams), rd = r < 2 ? r : 2, ud = 1.25 * mean;
		struct cusum cusum;

		cusum_init(&cusum, streams);
		cusum_expect(&cusum, mean, r);
		for (unsigned i = 0; i < 50; i++) {
			uint32_t n = poisson(mean < 200 ? mean * 2 : 400);
			double z = n * log(3) - (n + rd) * log((rd + 3 * ud) / (rd + ud));

			z = z < h / 2 ? z : h / 2;
			sum = sum + z > 0 ? sum + z : 0;
			assert_true(fabs(cusum_add(&cusum, n) - sum) < 1e-6 * (1 + sum));
		}
	}
}

static void tails_are_sums(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		double mean = 0.2 + uniform() * 20, r = 0.2 + uniform() * 1.8, tail = 0;
		uint32_t count = (uint32_t)(uniform() * 40);

		for (uint32_t k = count; k < 4000; k++)
			tail += exp(lgamma(k + r) - lgamma(r) - lgamma(k + 1.0) + r * log(r / (r + 1.25 * mean)) +
			            k * log(1.25 * mean / (r + 1.25 * mean)));
		assert_true(fabs(cusum_tail(count, mean, r) - tail) < 1e-6);
	}
	assert_true(cusum_tail(0, 1, 1) == 1);
	assert_true(cusum_tail(UINT32_MAX, 1, 1) == 0);
}

/* ---- what is usual ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The mean of one hour of the week by the text of the header, from all counts that ever came. */
static double naive_mean(const uint32_t *counts, int64_t buckets, int64_t hour)
{
	double means[BASELINE_WEEKS], sum = 0;
	unsigned known = 0, cut;

	for (int64_t week = 1; week <= BASELINE_WEEKS; week++) {
		int64_t first = (hour - week * BASELINE_HOURS) * BASELINE_BUCKETS - FIRST;
		double total = 0;

		if (first < 0 || first + BASELINE_BUCKETS > buckets)
			continue;
		for (unsigned i = 0; i < BASELINE_BUCKETS; i++)
			total += counts[first + i];
		means[known++] = total / BASELINE_BUCKETS;
	}
	qsort(means, known, sizeof(means[0]), by_value);
	cut = known / 10;
	for (unsigned i = cut; i + cut < known; i++)
		sum += means[i];
	return sum / (known - 2 * cut);
}

static void hours_of_the_week_are_trimmed_and_smoothed(void **state)
{
	static uint32_t counts[40 * WEEK_BUCKETS];
	static struct baseline baseline;
	struct baseline_usual usual;

	(void)state;
	baseline_init(&baseline);
	for (int64_t i = 0; i < 40 * WEEK_BUCKETS; i++) {
		counts[i] = poisson(usual_of(i, 5)) + (uniform() < 0.001 ? 500 : 0);
		baseline_learn(&baseline, (FIRST + i) / BASELINE_BUCKETS, counts[i]);
		if (i % 1992 != 11 || i < 5 * WEEK_BUCKETS) /* whole hours */
			continue;
		for (int64_t ahead = 2; ahead < 150; ahead += 37) {
			int64_t hour = (FIRST + i) / BASELINE_BUCKETS + ahead;
			double expected = 0.25 * naive_mean(counts, i + 1, hour - 1) +
			                  0.5 * naive_mean(counts, i + 1, hour) +
			                  0.25 * naive_mean(counts, i + 1, hour + 1);

			baseline_at(&baseline, hour, &usual);
			assert_int_equal(usual.basis, OUTAGE_WEEKS_KNOWN);
			assert_true(fabs(usual.mean - expected) < 1e-9 * (1 + expected));
		}
	}
}

static void knowledge_grows(void **state)
{
	static struct baseline baseline;
	struct baseline_usual usual;
	enum outage_basis last = OUTAGE_NOTHING_KNOWN;
	int64_t since[OUTAGE_BASES] = { 0 };

	(void)state;
	baseline_init(&baseline);
	baseline_at(&baseline, FIRST / BASELINE_BUCKETS, &usual);
	assert_int_equal(usual.basis, OUTAGE_NOTHING_KNOWN);
	for (int64_t i = 0; i < 5 * WEEK_BUCKETS; i++) {
		baseline_learn(&baseline, (FIRST + i) / BASELINE_BUCKETS, 4);
		baseline_at(&baseline, (FIRST + i + 1) / BASELINE_BUCKETS, &usual);
		assert_true(usual.basis >= last);
		if (usual.basis != last)
			since[usual.basis] = i;
		last = usual.basis;
		if (last != OUTAGE_NOTHING_KNOWN)
			assert_true(fabs(usual.mean - 4) < 1e-9);
	}
	assert_int_equal(last, OUTAGE_WEEKS_KNOWN);
	assert_in_range((uint64_t)since[OUTAGE_HOURS_KNOWN], 12, 36);
	assert_in_range((uint64_t)since[OUTAGE_DAYS_KNOWN], 4 * 288, 6 * 288);
	assert_in_range((uint64_t)since[OUTAGE_WEEKS_KNOWN], 4 * WEEK_BUCKETS - 24, 4 * WEEK_BUCKETS + 24);
	/* What is forgotten was never there. */
	baseline_learn(&baseline, (FIRST + 5 * WEEK_BUCKETS) / BASELINE_BUCKETS, 4000);
	baseline_forget(&baseline, (FIRST + 5 * WEEK_BUCKETS) / BASELINE_BUCKETS, 4000);
	baseline_at(&baseline, (FIRST + 6 * WEEK_BUCKETS) / BASELINE_BUCKETS, &usual);
	assert_true(fabs(usual.mean - 4) < 1e-9);
}

/* ---- outages ---- */

static void quiet_weeks(struct surge *surge, int64_t buckets, double mean)
{
	for (int64_t i = 0; i < buckets; i++)
		assert_int_equal(surge_add(surge, FIRST + i, poisson(usual_of(i, mean))), SURGE_NOTHING);
}

/* Minutes from where more began to where it is known, for an outage that begins within a bucket. */
static double delay_of(double times, double mean)
{
	struct surge *surge = new_surge();
	double share = uniform();
	int64_t at = FIRST + 6 * WEEK_BUCKETS;

	quiet_weeks(surge, 6 * WEEK_BUCKETS, mean);
	for (int64_t i = 0; i < 100; i++) {
		double more = i == 0 ? 1 + (times - 1) * (1 - share) : times;

		if (surge_add(surge, at + i, poisson(usual_of(at + i, mean) * more)) == SURGE_BEGAN) {
			free(surge);
			return (double)(i + 1) * 5 - share * 5;
		}
	}
	free(surge);
	return 1000;
}

static void delays_are_those_of_the_design(void **state)
{
	double twenty = 0, five = 0;

	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		twenty += delay_of(20, 6) / 12;
		five += delay_of(5, 6) / 12;
	}
	print_message("# x20 known after %.1f min, x5 after %.1f min\n", twenty, five);
	assert_true(twenty > 7 && twenty < 14);
	assert_true(five > 15 && five < 30);
}

static void one_bucket_alarms_never(void **state)
{
	struct surge *surge = new_surge();

	(void)state;
	quiet_weeks(surge, 6 * WEEK_BUCKETS, 3);
	assert_int_equal(surge_add(surge, FIRST + 6 * WEEK_BUCKETS, 1000000), SURGE_NOTHING);
	assert_int_equal(surge_add(surge, FIRST + 6 * WEEK_BUCKETS + 1, 0), SURGE_NOTHING);
	free(surge);
}

static void waves_make_one_outage(void **state)
{
	struct surge *surge = new_surge();
	struct outage outage, told;
	int64_t at = FIRST + 6 * WEEK_BUCKETS;
	static uint64_t excess[SURGE_BUCKETS_MAX];
	uint64_t sum = 0;
	bool over = false;

	(void)state;
	quiet_weeks(surge, 6 * WEEK_BUCKETS, 3);
	assert_false(surge_outage(surge, &outage));
	assert_int_equal(surge_excess(surge, excess), 0);
	/* 60 minutes; 20 of peace, which do not count; 40; 100 of peace; 30; then peace. */
	for (int64_t i = 0; i < 120; i++) {
		bool out = i < 12 || (i >= 16 && i < 24) || (i >= 44 && i < 50);

		over |= surge_add(surge, at + i, out ? i == 46 ? 300 : 200 : 3) == SURGE_OVER;
		if (surge_outage(surge, &told))
			outage = told;
	}
	assert_true(over);
	assert_int_equal(outage.waves_count, 2);
	assert_int_equal(outage.began_ns, at * COUNT_BUCKET_NS);
	assert_int_equal(outage.waves[0].ended_ns, (at + 24) * COUNT_BUCKET_NS);
	assert_int_equal(outage.waves[1].began_ns, (at + 44) * COUNT_BUCKET_NS);
	assert_int_equal(outage.ended_ns, (at + 50) * COUNT_BUCKET_NS);
	assert_int_equal(outage.peak_reports, 700);
	assert_in_range(outage.peak_began_ns, (at + 44) * COUNT_BUCKET_NS, (at + 46) * COUNT_BUCKET_NS);
	assert_int_equal(outage.pronounced_from_ns % OUTAGE_PRONOUNCED_NS, 0);
	assert_int_equal(outage.pronounced_to_ns % OUTAGE_PRONOUNCED_NS, 0);
	assert_true(outage.pronounced_from_ns <= outage.began_ns + 8 * COUNT_BUCKET_NS);
	assert_int_equal(outage.reports, outage.waves[0].reports + outage.waves[1].reports);
	assert_int_equal(outage.basis, OUTAGE_WEEKS_KNOWN);
	assert_false(surge_outage(surge, &told)); /* it was over, and others came behind it */
	for (unsigned i = 0; i < SURGE_BUCKETS_MAX; i++)
		sum += excess[i];
	assert_int_equal(sum, 0);
	free(surge);
}

/* Waves that there is no room for are part of the last, and counted. */
static void waves_beyond_are_joined(void **state)
{
	enum { WAVES = OUTAGE_WAVES_MAX + 8, OUT = 6, EACH = 18 };
	struct surge *surge = new_surge();
	struct outage outage = { .waves_count = 0 };
	int64_t at = FIRST + 6 * WEEK_BUCKETS;
	const int64_t last = at + (OUTAGE_WAVES_MAX - 1) * EACH, end = at + (WAVES - 1) * EACH + OUT;

	(void)state;
	quiet_weeks(surge, 6 * WEEK_BUCKETS, 30);
	for (int64_t i = 0; i < (WAVES + 3) * EACH; i++) {
		double times = i / EACH < WAVES && i % EACH < OUT ? 10 : 1;
		enum surge_news news = surge_add(surge, at + i, (uint32_t)(usual_of(at + i, 30) * times));

		if (news == SURGE_OVER) {
			assert_true(surge_outage(surge, &outage));
			break;
		}
	}
	assert_int_equal(outage.waves_count, OUTAGE_WAVES_MAX);
	assert_int_equal(outage.waves_joined, WAVES - OUTAGE_WAVES_MAX);
	assert_int_equal(outage.waves[OUTAGE_WAVES_MAX - 1].began_ns, last * COUNT_BUCKET_NS);
	assert_int_equal(outage.waves[OUTAGE_WAVES_MAX - 1].ended_ns, end * COUNT_BUCKET_NS);
	assert_int_equal(outage.ended_ns, end * COUNT_BUCKET_NS);
	free(surge);
}

static void what_lasts_a_week_is_usual(void **state)
{
	struct surge *surge = new_surge();
	int64_t at = FIRST + 6 * WEEK_BUCKETS;
	unsigned over = 0, began = 0;

	(void)state;
	quiet_weeks(surge, 6 * WEEK_BUCKETS, 1);
	for (int64_t i = 0; i < 2 * WEEK_BUCKETS; i++) {
		enum surge_news news = surge_add(surge, at + i, 100);

		over += news == SURGE_OVER;
		began += news == SURGE_BEGAN;
	}
	assert_int_equal(over, 1);
	assert_in_range(began, 1, 2);
	/* Buckets that do not follow begin anew. */
	assert_int_equal(surge_add(surge, at + 4 * WEEK_BUCKETS, 100000), SURGE_NOTHING);
	assert_false(surge_outage(surge, &(struct outage){ .reports = 0 }));
	assert_int_equal(surge->usual.basis, OUTAGE_NOTHING_KNOWN);
	free(surge);
}

/* ---- belief ---- */

static void probes(struct belief_input *input, unsigned failing, unsigned seeing)
{
	input->probes_count = failing + seeing;
	for (unsigned i = 0; i < input->probes_count; i++)
		input->probes[i] = (struct belief_probe){
			.network = 64500 + i, .good = i < failing ? 0 : 10, .bad = i < failing ? 10 : 0, .canaries = 3
		};
}

static void belief_is_the_table(void **state)
{
	struct belief_input reports = { .alarm = true, .ratio_milli = 20000 }, probing = { .alarm = false }, both, none;
	struct belief belief;

	(void)state;
	belief = belief_of(&reports);
	assert_int_equal(belief.permyriad / 100, 16); /* 16.8 %, told as 17 */
	assert_int_equal(belief.word, BELIEF_ELEVATED_REPORTS);
	assert_int_equal(belief_status(&belief), COMPONENT_OPERATIONAL);
	probes(&probing, 2, 1);
	belief = belief_of(&probing);
	assert_int_equal(belief.permyriad / 100, 80);
	assert_int_equal(belief.word, BELIEF_INVESTIGATING);
	assert_int_equal(belief.fault, BELIEF_DOWN);
	both = probing;
	both.alarm = true;
	both.ratio_milli = 20000;
	belief = belief_of(&both);
	assert_true(belief.permyriad >= 9875);
	assert_int_equal(belief.word, BELIEF_PARTIAL_OUTAGE);
	probes(&both, 3, 0);
	belief = belief_of(&both);
	assert_int_equal(belief.word, BELIEF_MAJOR_OUTAGE);
	assert_int_equal(belief_status(&belief), COMPONENT_MAJOR_OUTAGE);
	memset(&none, 0, sizeof(none));
	belief = belief_of(&none);
	assert_int_equal(belief.word, BELIEF_NOTHING);
	assert_int_equal(belief.permyriad, 100);
	/* Two that fail in one network are one; one whose canaries fail says nothing. */
	probes(&none, 2, 1);
	none.probes[1].network = none.probes[0].network;
	assert_int_equal(belief_of(&none).probes, 0);
	probes(&none, 3, 3);
	for (unsigned i = 0; i < 3; i++)
		none.probes[i].canaries_failed = 2;
	belief = belief_of(&none);
	assert_int_equal(belief.vantages_unknown, 3);
	assert_int_equal(belief.probes, -BELIEF_PROBES_MAX);
	/* Whom elsewhere nobody follows. */
	none.alarm = true;
	none.ratio_milli = 9000;
	none.networks_percent = 90;
	belief = belief_of(&none);
	assert_int_equal(belief.fault, BELIEF_NETWORK);
	assert_true(belief.permyriad < 100);
}

static void signals_speak(void **state)
{
	struct belief_input input = { .alarm = true, .ratio_milli = 9000 };
	struct belief belief;

	(void)state;
	input.signals[SIGNAL_EDGE_5XX].good = 400;
	input.signals[SIGNAL_EDGE_5XX].bad = 600;
	input.signals[SIGNAL_EDGE_5XX].usual_bad_milli = 100;
	belief = belief_of(&input);
	assert_int_equal(belief.signals, BELIEF_SIGNALS_MAX);
	assert_int_equal(belief.word, BELIEF_MAJOR_OUTAGE);
	input.signals[SIGNAL_EDGE_5XX].bad = 0;
	assert_true(belief_of(&input).signals < 0);
	input.latency_ms = 3000;
	input.usual_latency_ms = 200;
	assert_int_equal(belief_of(&input).fault, BELIEF_SLOW);
	input.signals[SIGNAL_FILTERED].bad = 40;
	assert_int_equal(belief_of(&input).fault, BELIEF_FILTERED);
}

/* ---- causes ---- */

static void causes_stand_on_one_axis(void **state)
{
	const struct cause_era eras[] = { { 600 * MINUTE, 660 * MINUTE, CAUSE_ATTACK, 7 },
		                          { 720 * MINUTE, 730 * MINUTE, CAUSE_OWN_CHANGE, 3 } };
	struct outage outage = { .began_ns = 600 * MINUTE, .waves_count = 3 };
	struct cause_account account;
	uint64_t excess[72] = { 0 };

	(void)state;
	outage.waves[0] = (struct outage_wave){ .began_ns = 600 * MINUTE, .ended_ns = 660 * MINUTE };
	outage.waves[1] = (struct outage_wave){ .began_ns = 720 * MINUTE, .ended_ns = 780 * MINUTE };
	outage.waves[2] = (struct outage_wave){ .began_ns = 900 * MINUTE };
	for (unsigned i = 0; i < 12; i++)
		excess[i] = excess[24 + i] = excess[60 + i] = 1000;
	assert_int_equal(cause_account(eras, 2, &outage, excess, 72, &account), 0);
	assert_int_equal(account.shares[CAUSE_ATTACK].value, 3333);
	/* The change explains its 10 minutes and 30 more of the second wave's hour. */
	assert_int_equal(account.shares[CAUSE_OWN_CHANGE].low, 2222);
	assert_int_equal(account.shares[CAUSE_UNKNOWN].value, 4444);
	assert_int_equal(account.intervals_count, 4);
	assert_int_equal(account.intervals[0].cause, CAUSE_ATTACK);
	assert_int_equal(account.intervals[0].reference, 7);
	assert_int_equal(account.intervals[1].reference, 3);
	assert_int_equal(account.intervals[1].to_ns, 760 * MINUTE);
	assert_int_equal(account.intervals[3].to_ns, 960 * MINUTE);
}

/* ---- where ---- */

static void one_country_stands_out(void **state)
{
	static const char *const regions[] = { "FR", "DE", "ES-MD", "ES-CT", "IT" };
	uint32_t expected[24];
	struct outage outage = { .waves_count = 0 };
	struct where *where;

	(void)state;
	assert_int_equal(where_new(FIRST * COUNT_BUCKET_NS, 24, &where), 0);
	for (unsigned i = 0; i < 24; i++)
		expected[i] = 10000;
	for (int64_t bucket = -2000; bucket < 24; bucket++)
		for (unsigned i = 0; i < 5; i++) {
			struct report_count count = { .bucket_ns = (FIRST + bucket) * COUNT_BUCKET_NS,
				                      .accepted = 2,
				                      .network = 64500 + i };

			memcpy(count.region, regions[i], strlen(regions[i]) + 1);
			if (i == 1 && bucket >= 6 && bucket < 18)
				count.accepted = 40;
			assert_int_equal(where_add(where, &count), 0);
		}
	where_find(where, expected, &outage);
	assert_false(outage.global);
	assert_int_equal(outage.regions, 5);
	assert_int_equal(outage.regions_up, 1);
	assert_int_equal(outage.places_count, 2); /* and its network */
	assert_string_equal(outage.places[0].kind == OUTAGE_COUNTRY ? outage.places[0].region : outage.places[1].region,
	                    "DE");
	assert_int_equal(outage.places[0].from_ns, (FIRST + 6) * COUNT_BUCKET_NS);
	assert_int_equal(outage.places[0].to_ns, (FIRST + 18) * COUNT_BUCKET_NS);
	assert_int_equal(outage.places[0].reports, 480);
	assert_int_equal(where_refused(where), 0);
	where_free(where);
}

/* Databases of networks were brought so many buckets before the outage; one network is loud in it. */
static void scan_networks(int64_t known_since, uint32_t usual[2], struct outage *outage)
{
	uint32_t expected[24];
	struct where *where;

	assert_int_equal(where_new(FIRST * COUNT_BUCKET_NS, 24, &where), 0);
	for (unsigned i = 0; i < 24; i++)
		expected[i] = 10000;
	for (int64_t bucket = -2000; bucket < 24; bucket++)
		for (unsigned i = 0; i < 5; i++) {
			struct report_count count = { .bucket_ns = (FIRST + bucket) * COUNT_BUCKET_NS,
				                      .accepted = i == 1 && bucket >= 0 ? 40 : 2,
				                      .network = bucket < -known_since ? 0 : 64500 + i };

			assert_int_equal(where_add(where, &count), 0);
		}
	where_find(where, expected, outage);
	usual[0] = where_usual_percent(where, 64501);
	usual[1] = where_usual_percent(where, 64599);
	where_free(where);
}

/* That no network was known last week says nothing of how many reports came from it. */
static void what_is_known_since_yesterday_does_not_stand_out(void **state)
{
	struct outage outage = { .waves_count = 0 };
	uint32_t usual[2];

	(void)state;
	scan_networks(288, usual, &outage);
	assert_int_equal(outage.places_count, 0);
	assert_int_equal(usual[0], 100);
	scan_networks(1500, usual, &outage);
	assert_int_equal(outage.places_count, 1);
	assert_int_equal(outage.places[0].kind, OUTAGE_NETWORK);
	assert_int_equal(outage.places[0].network, 64501);
	assert_int_equal(usual[0], 20);
	assert_int_equal(usual[1], 0);
}

static void places_beyond_are_counted(void **state)
{
	struct report_count count = { .bucket_ns = FIRST * COUNT_BUCKET_NS, .accepted = 1 };
	struct where *where;

	(void)state;
	assert_int_equal(where_new(FIRST * COUNT_BUCKET_NS, 1, &where), 0);
	for (uint32_t i = 1; i <= WHERE_PLACES_MAX; i++) {
		count.network = i;
		assert_int_equal(where_add(where, &count), 0);
	}
	assert_int_equal(where_refused(where), 0);
	count.network = WHERE_PLACES_MAX + 1;
	assert_int_equal(where_add(where, &count), 0);
	assert_int_equal(where_refused(where), 1);
	/* One that has its place keeps it. */
	count.network = 1;
	assert_int_equal(where_add(where, &count), 0);
	assert_int_equal(where_refused(where), 1);
	where_free(where);
}

/* ---- text ---- */

struct heard {
	struct report_count counts[8];
	unsigned counts_count, mistakes;
	uint64_t lines[8];
};

static int hear(void *context, const struct report_count *count)
{
	struct heard *heard = context;

	assert_true(heard->counts_count < 8);
	heard->counts[heard->counts_count++] = *count;
	return 0;
}

static void mind(void *context, uint64_t line, const char *what, const char *text, size_t length)
{
	struct heard *heard = context;

	assert_non_null(text);
	assert_true(length <= REPORT_TEXT_LINE_MAX);
	assert_true(strlen(what) > 10);
	if (heard->mistakes < 8)
		heard->lines[heard->mistakes] = line;
	heard->mistakes++;
}

static int read_text(const char *text, struct heard *heard)
{
	const struct report_count preset = { .component = "site", .symptom = SYMPTOM_OTHER, .source = REPORT_IMPORT };
	const struct report_sink sink = { hear, mind, heard };

	memset(heard, 0, sizeof(*heard));
	return report_text_read(text, strlen(text), &preset, &sink);
}

static void lines_are_counts(void **state)
{
	struct heard heard;

	(void)state;
	assert_int_equal(read_text("\xef\xbb\xbftime;count;region;network;comment\r\n"
	                           "2026-03-10 09:37;12;FR-IDF;AS64500;\"a \"\"b\"\"; c\"\r\n"
	                           "1773135420;3;;;\r\n",
	                           &heard),
	                 0);
	assert_int_equal(heard.mistakes, 0);
	assert_int_equal(heard.counts_count, 2);
	assert_int_equal(heard.counts[0].bucket_ns, 1773135300 * NS_PER_S);
	assert_int_equal(heard.counts[1].bucket_ns, 1773135300 * NS_PER_S);
	assert_string_equal(heard.counts[0].region, "FR-IDF");
	assert_int_equal(heard.counts[0].network, 64500);
	assert_int_equal(heard.counts[0].raw, 12);
	assert_int_equal(heard.counts[0].accepted, 12);
	assert_string_equal(heard.counts[1].component, "site");
}

static void wrong_lines_are_named(void **state)
{
	static const char *const wrong[] = {
		"yesterday,login,slow,FR,1",          "2026-03-10T09:35:00Z,Login!,slow,FR,1",
		"2026-03-10T09:35:00Z,a,bored,FR,1",  "2026-03-10T09:35:00Z,a,slow,France,1",
		"2026-03-10T09:35:00Z,a,slow,FR,-1",  "2026-03-10T09:35:00Z,a,slow,FR,1000001",
		"2026-03-10T09:35:00Z,a,slow,FR",     "2026-03-10T09:35:00Z,a,slow,FR,1,2",
		"2026-03-10T09:35:00Z,\"a,slow,FR,1", "1969-12-31T23:59:00Z,a,slow,FR,1",
		"2026-02-30T09:35:00Z,a,slow,FR,1",   "2026-03-10T09:35:00Z,a,slow,FR,",
	};
	char text[512];
	struct heard heard;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(text, sizeof(text),
		               "time,component,symptom,region,count\n2026-03-10T09:35:00Z,a,slow,FR,1\n%s\n"
		               "2026-03-10T09:40:00Z,a,slow,FR,2",
		               wrong[i]);
		assert_int_equal(read_text(text, &heard), 0);
		assert_int_equal(heard.counts_count, 2);
		assert_int_equal(heard.mistakes, 1);
		assert_int_equal(heard.lines[0], 3);
	}
	assert_int_equal(read_text("", &heard), -EBADMSG);
	assert_int_equal(read_text("time,component\n", &heard), -EBADMSG);
	assert_int_equal(read_text("time,count,time\n", &heard), -EBADMSG);
	assert_int_equal(read_text("time,count,accepted,shielded\n2026-03-10T09:35:00Z,5,3,3\n", &heard), 0);
	assert_int_equal(heard.mistakes, 1);
	assert_int_equal(read_text("time,count,accepted,shielded\n2026-03-10T09:35:00Z,5,,3\n", &heard), 0);
	assert_int_equal(heard.counts[0].accepted, 2);
	assert_int_equal(heard.counts[0].shielded, 3);
}

static void words_go_both_ways(void **state)
{
	enum component_status status;
	enum belief_fault fault;

	(void)state;
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++) {
		assert_true(component_status_find(component_status_name((enum component_status)i), &status));
		assert_int_equal(status, i);
	}
	for (unsigned i = 0; i < BELIEF_FAULTS; i++) {
		assert_true(belief_fault_find(belief_fault_name((enum belief_fault)i), &fault));
		assert_int_equal(fault, i);
	}
	assert_false(component_status_find("on fire", &status));
	assert_true(component_id_ok("login-2"));
	assert_false(component_id_ok(""));
	assert_false(component_id_ok("a_b"));
	assert_true(region_ok("") && region_ok("FR") && region_ok("FR-75C") && region_ok("US-A"));
	assert_false(region_ok("F") || region_ok("fr") || region_ok("FRA") || region_ok("FR-") || region_ok("FR-abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cusum_is_as_written),
		cmocka_unit_test(tails_are_sums),
		cmocka_unit_test(hours_of_the_week_are_trimmed_and_smoothed),
		cmocka_unit_test(knowledge_grows),
		cmocka_unit_test(delays_are_those_of_the_design),
		cmocka_unit_test(one_bucket_alarms_never),
		cmocka_unit_test(waves_make_one_outage),
		cmocka_unit_test(waves_beyond_are_joined),
		cmocka_unit_test(what_lasts_a_week_is_usual),
		cmocka_unit_test(belief_is_the_table),
		cmocka_unit_test(signals_speak),
		cmocka_unit_test(causes_stand_on_one_axis),
		cmocka_unit_test(one_country_stands_out),
		cmocka_unit_test(what_is_known_since_yesterday_does_not_stand_out),
		cmocka_unit_test(places_beyond_are_counted),
		cmocka_unit_test(lines_are_counts),
		cmocka_unit_test(wrong_lines_are_named),
		cmocka_unit_test(words_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
