/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of attack, defence and harm: what is put in stands at its time, what is outside is left out, bounds hold.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tell/picture.h"

#define DAY (1773100800 * NS_PER_S) /* 2026-03-10 00:00 UTC */
#define MINUTE (60 * NS_PER_S)
#define AT(hour, minute) (DAY + ((hour)*60 + (minute)) * MINUTE)

static int make(void **state)
{
	*state = malloc(sizeof(struct picture));
	return *state ? 0 : -1;
}

static int end(void **state)
{
	free(*state);
	return 0;
}

static void covers_whole_buckets(void **state)
{
	struct picture *p = *state;

	picture_init(p, AT(9, 32), AT(9, 33));
	assert_int_equal(p->from_ns, AT(9, 30));
	assert_int_equal(picture_end(p), AT(9, 35));
	assert_int_equal(p->buckets, 1);
	assert_in_range(picture_end(p) - p->from_ns - p->step_ns * p->count, 0, p->count); /* of nanoseconds */
	picture_init(p, AT(0, 0), AT(0, 0) + 7 * 86400 * NS_PER_S); /* more buckets than points */
	assert_true(p->buckets <= PICTURE_POINTS_MAX && p->count <= PICTURE_POINTS_MAX);
	assert_int_equal(p->bucket_ns % COUNT_BUCKET_NS, 0);
	assert_true(picture_end(p) >= AT(0, 0) + 7 * 86400 * NS_PER_S);
	picture_init(p, AT(9, 0), AT(8, 0)); /* turned around: of its beginning */
	assert_int_equal(p->buckets, 2);
}

static struct harm harm_of(const char *component, int64_t began_ns, int64_t ended_ns, uint64_t excess)
{
	struct harm harm = {
		.outage = { .began_ns = began_ns, .ended_ns = ended_ns, .reports = excess, .excess = excess },
		.belief = { .permyriad = 9800 }
	};

	(void)snprintf(harm.outage.component, sizeof(harm.outage.component), "%s", component);
	harm.causes.intervals_count = 1;
	harm.causes.intervals[0] = (struct cause_interval){
		began_ns, ended_ns ? ended_ns : began_ns + MINUTE, CAUSE_ATTACK, true, 1, 10000
	};
	harm.causes.shares[CAUSE_ATTACK].value = 8000;
	harm.causes.shares[CAUSE_UNKNOWN].value = 2000;
	return harm;
}

static char *told(const struct picture *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(picture_document(out, p, "Outage o1 of <web>"), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static struct report_count report_at(int64_t ns, uint32_t accepted, uint32_t shielded)
{
	return (struct report_count){ .bucket_ns = ns,
		                      .component = "web",
		                      .raw = accepted + shielded,
		                      .accepted = accepted,
		                      .shielded = shielded };
}

static struct signal_count signal_at(int64_t ns, enum signal_kind kind, uint32_t good, uint32_t bad)
{
	return (struct signal_count){ .bucket_ns = ns, .component = "web", .kind = kind, .good = good, .bad = bad };
}

/* An attack at 09:28, harm at 09:40, a change at 09:35, a statement at 09:50. */
static void fill(struct picture *p)
{
	static struct series series;
	const struct picture_attack attack = { AT(9, 28), AT(10, 0), "a1", "SYN flood" };
	const struct picture_mark change = { PICTURE_OWN_CHANGE, AT(9, 35), AT(9, 45), "e1", "new load balancer" };
	const struct picture_mark provider = { PICTURE_PROVIDER, AT(9, 36), AT(9, 36), "e2", "packet loss" };
	const struct picture_mark said = { PICTURE_STATEMENT, AT(9, 50), AT(9, 50), "s1 (en)", "We <know>" };
	const struct baseline_usual usual = { OUTAGE_WEEKS_KNOWN, 4, 4, 8 };
	struct harm harm = harm_of("web", AT(9, 40), AT(10, 20), 400);
	struct report_count report;
	struct signal_count signal;

	picture_init(p, AT(9, 28), AT(10, 20));
	series = (struct series){ .from = { AT(9, 27) }, .step_ns = 60 * NS_PER_S, .count = 30 };
	for (uint32_t i = 0; i < 30; i++)
		series.points[i] = (struct course_point){ .seconds = i == 20 ? 0 : 60,
			                                  .arrived = 6000000,
			                                  .dropped = i > 5 ? 5940000 : 0,
			                                  .answered = 60000,
			                                  .lost = i > 5 ? 600 : 30000 };
	picture_series(p, &series);
	picture_attack(p, &attack);
	for (int minute = 0; minute < 60; minute += 5) {
		picture_usual(p, "web", AT(9, minute), &usual);
		report = report_at(AT(9, minute), minute >= 40 ? 80 : 4, minute >= 40 ? 20 : 0);
		picture_report(p, &report);
		signal = signal_at(AT(9, minute), SIGNAL_PROBE, minute >= 40 ? 1 : 10, minute >= 40 ? 9 : 0);
		picture_signal(p, &signal);
	}
	signal = signal_at(AT(9, 40), SIGNAL_EDGE_5XX, 90, 10);
	picture_signal(p, &signal);
	harm.incident = 0xa1;
	harm.delay_ns = 12 * MINUTE;
	harm.outage.raw = 500;
	harm.outage.shielded = 100;
	picture_outage(p, "o1", &harm);
	picture_mark(p, &said); /* later ones first */
	picture_mark(p, &provider);
	picture_mark(p, &change);
}

static const struct picture_lane *lane(const struct picture *p, enum picture_kind kind)
{
	for (uint32_t i = 0; i < p->lanes_count; i++)
		if (p->lanes[i].kind == kind)
			return &p->lanes[i];
	return NULL;
}

static void stands_at_its_time(void **state)
{
	struct picture *p = *state;
	const struct picture_lane *attack, *users, *reports;
	uint32_t at;

	fill(p);
	attack = lane(p, PICTURE_ATTACK);
	users = lane(p, PICTURE_USERS);
	reports = lane(p, PICTURE_REPORTS);
	assert_true(attack && users && reports);
	at = (uint32_t)((AT(9, 40) - p->from_ns) / p->step_ns);
	assert_int_equal(attack->parts[1][at], 100000);
	assert_int_equal(attack->parts[0][at], 99000);
	assert_int_equal(users->parts[0][at], 990);
	at = (uint32_t)((AT(9, 47) - p->from_ns) / p->step_ns) + 1;
	assert_false(attack->known[at]); /* not measured */
	assert_false(attack->known[0]);
	at = (uint32_t)((AT(9, 40) - p->from_ns) / p->bucket_ns);
	assert_int_equal(reports->parts[0][at], 80);
	assert_int_equal(reports->parts[1][at], 20);
	assert_int_equal(reports->parts[2][at], 0);
	assert_int_equal(reports->parts[3][at], 8000);
	assert_int_equal(p->marks[0].at_ns, AT(9, 35));
	assert_int_equal(p->marks[2].at_ns, AT(9, 50));
	assert_true(picture_has_harm(p));
}

static void tells_it(void **state)
{
	static const char *const wanted[] = {
		"Outage o1 of &lt;web&gt;",
		"12&nbsp;min after the attack",
		"Of the 500 reports that came, <strong>20.0&nbsp;%</strong>",
		"80.0&nbsp;% can be explained by the attack, 20.0&nbsp;% by nothing that is known.",
		"We &lt;know&gt;",
		"Own change e1",
		"09:35 to 09:45",
		"<title id=\"lane-1-0-title\">",
		"What is usual",
		"The numbers behind the picture",
		"not known",
		"Attack, or others",
	};
	char *text;

	fill(*state);
	text = told(*state);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(text, wanted[i]))
			fail_msg("it does not say: %s", wanted[i]);
	assert_null(strstr(text, "<know>"));
	assert_null(strstr(text, "<script"));
	free(text);
}

/* What is said of the delay, and of what the shield dropped, by what is known. */
static void tells_what_is_known(void **state)
{
	static const struct {
		int64_t delay_ns;
		uint64_t incident, raw, shielded;
		const char *wanted;
	} cases[] = {
		{ 0, 0, 0, 0, "No attack was seen at the time." },
		{ 0, 1, 0, 0, "It began with the attack." },
		{ -5 * MINUTE, 1, 9, 0, "before the attack" },
		{ -4 * MINUTE, 1, 9, 0, "in the same five minutes as the attack" },
		{ 5 * MINUTE, 1, 9, 0, "None of its 9 reports" },
		{ 40 * MINUTE, 1, 9, 3, "33.3&nbsp;%" },
	};
	struct picture *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct harm harm = harm_of("web", AT(9, 40), 0, 400);
		char *text;

		picture_init(p, AT(9, 0), AT(9, 45));
		harm.incident = cases[i].incident;
		harm.delay_ns = cases[i].delay_ns;
		harm.outage.raw = cases[i].raw;
		harm.outage.shielded = cases[i].shielded;
		picture_outage(p, "o1", &harm);
		text = told(p);
		if (!strstr(text, cases[i].wanted))
			fail_msg("it does not say: %s", cases[i].wanted);
		assert_non_null(strstr(text, "and it lasts"));
		free(text);
	}
}

static void tells_nothing_of_nothing(void **state)
{
	struct picture *p = *state;
	char *text;

	picture_init(p, AT(9, 0), AT(9, 45));
	assert_false(picture_has_harm(p));
	text = told(p);
	assert_non_null(strstr(text, "No outage was measured"));
	free(text);
}

static void leaves_out_what_is_outside(void **state)
{
	static const struct series late = { .from = { AT(12, 0) }, .step_ns = NS_PER_S, .count = 1 },
				   none = { .count = 0 };
	const struct picture_attack attack = { AT(12, 0), AT(13, 0), "", "" };
	const struct picture_mark mark = { PICTURE_STATEMENT, AT(12, 0), AT(12, 0), "", "" };
	const struct baseline_usual usual = { OUTAGE_WEEKS_KNOWN, 4, 1, 8 },
				    unknown = { OUTAGE_NOTHING_KNOWN, 4, 1, 8 };
	const struct report_count report = report_at(AT(12, 0), 1, 0);
	const struct signal_count signal = signal_at(AT(12, 0), SIGNAL_PROBE, 1, 0),
				  other = signal_at(AT(9, 0), SIGNAL_LATENCY, 1, 0),
				  empty = signal_at(AT(9, 0), SIGNAL_NEL, 0, 0);
	const struct harm harm = harm_of("web", AT(12, 0), 0, 1), before = harm_of("web", AT(7, 0), AT(8, 0), 1);
	struct picture *p = *state;

	picture_init(p, AT(9, 0), AT(10, 0));
	picture_series(p, &late);
	picture_series(p, &none);
	picture_attack(p, &attack);
	picture_mark(p, &mark);
	picture_report(p, &report);
	picture_signal(p, &signal);
	picture_signal(p, &other);
	picture_signal(p, &empty);
	picture_usual(p, "web", AT(12, 0), &usual);
	picture_usual(p, "web", AT(9, 0), &unknown);
	picture_outage(p, "o1", &harm);
	picture_outage(p, "o2", &before);
	assert_int_equal(p->lanes_count, 0);
	assert_int_equal(p->attacks_count + p->marks_count + p->outages_count + p->spans_count, 0);
}

static bool is_kept(const struct picture *p, const char *id)
{
	for (uint32_t i = 0; i < p->outages_count; i++)
		if (strcmp(p->outages[i].id, id) == 0)
			return true;
	return false;
}

static void bounds_what_explains(void **state)
{
	struct picture *p = *state;
	struct harm harm = harm_of("web", AT(9, 0), AT(9, 30), 9);

	harm.causes.intervals_count = CAUSE_INTERVALS_MAX;
	for (uint32_t i = 1; i < CAUSE_INTERVALS_MAX; i++)
		harm.causes.intervals[i] = harm.causes.intervals[0];
	picture_init(p, AT(9, 0), AT(10, 0));
	for (unsigned i = 0; i < PICTURE_OUTAGES_MAX; i++)
		picture_outage(p, "o1", &harm);
	assert_int_equal(p->spans_count, PICTURE_SPANS_MAX);
	assert_int_equal(p->spans_refused, PICTURE_OUTAGES_MAX * CAUSE_INTERVALS_MAX - PICTURE_SPANS_MAX);
}

static void is_bounded(void **state)
{
	const struct picture_attack attack = { AT(9, 0), AT(9, 1), "", "" };
	const struct picture_mark mark = { PICTURE_MAINTENANCE, AT(9, 0), AT(9, 0), "e", "x" };
	struct picture *p = *state;
	char *text;

	picture_init(p, AT(9, 0), AT(10, 0));
	for (unsigned i = 0; i < 200; i++) {
		struct report_count report = report_at(AT(9, 0), 1, 0);
		char id[COMPONENT_ID_SIZE];
		struct harm harm;

		(void)snprintf(id, sizeof(id), "c%u", i);
		(void)snprintf(report.component, sizeof(report.component), "%s", id);
		harm = harm_of(id, AT(9, 0), AT(9, 30), 1000 + i);
		picture_report(p, &report);
		picture_outage(p, id, &harm);
		harm.outage.excess = 1; /* smaller than those that are kept */
		picture_outage(p, "small", &harm);
		picture_attack(p, &attack);
		picture_mark(p, &mark);
	}
	assert_int_equal(p->lanes_count, PICTURE_LANES_MAX);
	assert_int_equal(p->lanes_refused, 200 - PICTURE_LANES_MAX);
	assert_int_equal(p->marks_count, PICTURE_MARKS_MAX);
	assert_int_equal(p->marks_refused, 200 - PICTURE_MARKS_MAX);
	assert_int_equal(p->attacks_count, PICTURE_ATTACKS_MAX);
	assert_int_equal(p->attacks_refused, 200 - PICTURE_ATTACKS_MAX);
	assert_int_equal(p->outages_count, PICTURE_OUTAGES_MAX);
	assert_int_equal(p->outages_refused, 400 - PICTURE_OUTAGES_MAX);
	assert_int_equal(p->outages[0].excess, 1199); /* the largest stay … */
	assert_int_equal(p->spans_count, PICTURE_OUTAGES_MAX);
	for (uint32_t i = 0; i < p->spans_count; i++) /* … and what explains them alone */
		assert_true(is_kept(p, p->spans[i].outage));
	text = told(p);
	assert_non_null(strstr(text, "more than the picture holds"));
	free(text);
}

/* Several days have days in their times; a delay in the second half is told before it. */
static void tells_days(void **state)
{
	struct picture *p = *state;
	struct harm harm = harm_of("web", AT(40, 0), AT(41, 0), 9);
	struct signal_count signal = signal_at(AT(3, 0), SIGNAL_CONNECTIONS, 1, 1);
	char *text;

	picture_init(p, AT(0, 0), AT(24 * 20, 0));
	picture_signal(p, &signal);
	signal.kind = SIGNAL_NEL;
	picture_signal(p, &signal);
	harm.incident = 1;
	harm.delay_ns = MINUTE;
	picture_outage(p, "o1", &harm);
	harm = harm_of("shop", AT(24 * 15, 0), AT(24 * 15 + 1, 0), 10);
	harm.incident = 1;
	harm.delay_ns = MINUTE;
	picture_outage(p, "o2", &harm);
	text = told(p);
	assert_non_null(strstr(text, "03-25 00:00"));
	assert_non_null(strstr(text, "delay-word before"));
	free(text);
}

static void says_that_it_cannot_be_written(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	fill(*state);
	assert_int_equal(picture_document(full, *state, "x"), -ENOSPC);
	(void)fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(covers_whole_buckets, make, end),
		cmocka_unit_test_setup_teardown(stands_at_its_time, make, end),
		cmocka_unit_test_setup_teardown(tells_it, make, end),
		cmocka_unit_test_setup_teardown(tells_what_is_known, make, end),
		cmocka_unit_test_setup_teardown(tells_nothing_of_nothing, make, end),
		cmocka_unit_test_setup_teardown(leaves_out_what_is_outside, make, end),
		cmocka_unit_test_setup_teardown(is_bounded, make, end),
		cmocka_unit_test_setup_teardown(bounds_what_explains, make, end),
		cmocka_unit_test_setup_teardown(tells_days, make, end),
		cmocka_unit_test_setup_teardown(says_that_it_cannot_be_written, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
