/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page of what is on record: states that take each other's place, works under way, statements as incidents.
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

#include "record/components.h"
#include "record/outages.h"
#include "record/page.h"
#include "record/statements.h"
#include "scratch_ledger.h"

#define HOUR (3600 * NS_PER_S)
#define NOW (1000 * HOUR)

static struct page *page;

static const struct page_settings settings = { .title = { "Example", "Exemple" },
	                                       .url = "https://status.example.org",
	                                       .key = "",
	                                       .languages = { LANGUAGE_EN, LANGUAGE_FR },
	                                       .languages_count = 2,
	                                       .stale_after_ns = HOUR };

static int begin(void **state)
{
	static const char *const ids[] = { "web", "login", "mail" };

	if (scratch_begin(state) != 0)
		return -1;
	for (unsigned i = 0; i < 3; i++) {
		struct component component = { .showcase = true,
			                       .name = { ids[i], "" },
			                       .description = { "", "" },
			                       .added_ns = 10 * HOUR,
			                       .updated_ns = 10 * HOUR };

		(void)snprintf(component.id, sizeof(component.id), "%s", ids[i]);
		if (component_add(ledger, &component, &error) != 0)
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	page_free(page);
	page = NULL;
	return scratch_end(state);
}

static void is(const char *id, enum component_status status, int64_t since_ns, uint64_t outage)
{
	struct component_state one = { .status = status,
		                       .since_ns = since_ns,
		                       .cause = "",
		                       .outage = outage,
		                       .added_ns = NOW,
		                       .added_by = "alice" };

	(void)snprintf(one.component, sizeof(one.component), "%s", id);
	assert_int_equal(component_state_add(ledger, &one, NULL, &error), 0);
}

static const struct status_page *gathered(void)
{
	page_free(page);
	page = NULL;
	if (page_gather(ledger, &settings, NOW, &page, &error) != 0)
		fail_msg("%s", error.message);
	return page_status(page);
}

static enum component_status at(const struct status_page *status, unsigned component, int64_t at_ns)
{
	return status_of(status, &status->components[component], at_ns);
}

static void states(void **state)
{
	const struct status_page *status;

	(void)state;
	is("web", COMPONENT_DEGRADED, 100 * HOUR, 0);
	is("web", COMPONENT_OPERATIONAL, 110 * HOUR, 0);
	is("web", COMPONENT_MAJOR_OUTAGE, 105 * HOUR, 0); /* said later, of an earlier time on */
	is("web", COMPONENT_OPERATIONAL, 120 * HOUR, 0);
	is("login", COMPONENT_DEGRADED, 5 * HOUR, 0); /* before it was added */
	status = gathered();
	assert_int_equal(status->components_count, 3);
	assert_int_equal(status->stale_ns, NOW + HOUR);
	assert_string_equal(status->title[LANGUAGE_FR], "Exemple");
	assert_int_equal(status->components[0].changes_count, 3);
	assert_int_equal(at(status, 0, 104 * HOUR), COMPONENT_DEGRADED);
	assert_int_equal(at(status, 0, 111 * HOUR), COMPONENT_MAJOR_OUTAGE);
	assert_int_equal(at(status, 0, 121 * HOUR), COMPONENT_OPERATIONAL);
	assert_int_equal(status->components[0].start_ns, 10 * HOUR);
	assert_int_equal(status->components[1].start_ns, 5 * HOUR);
	assert_int_equal(status->components[2].changes_count, 0);
}

static void plan(int64_t from_ns, int64_t until_ns, const char *components)
{
	struct component_works works = { .from_ns = from_ns,
		                         .until_ns = until_ns,
		                         .components = components,
		                         .name = { "Works", "Travaux" },
		                         .text = { "text", "" },
		                         .added_ns = 50 * HOUR,
		                         .added_by = "bob" };

	assert_int_equal(component_works_add(ledger, &works, NULL, &error), 0);
}

static void works(void **state)
{
	const struct status_page *status;

	(void)state;
	is("web", COMPONENT_DEGRADED, 205 * HOUR, 0);
	is("web", COMPONENT_OPERATIONAL, 206 * HOUR, 0);
	plan(200 * HOUR, 210 * HOUR, "web,mail");
	plan(NOW - HOUR, NOW + HOUR, "login");
	plan(NOW + HOUR, NOW + 2 * HOUR, "mail");
	plan(NOW + 5 * HOUR, NOW + 6 * HOUR, "web");
	plan(300 * HOUR, 310 * HOUR, "mail");
	assert_int_equal(component_works_cancel(ledger, "m4", NOW - HOUR, "bob", &error), 0);
	assert_int_equal(component_works_cancel(ledger, "m5", 302 * HOUR, "bob", &error), 0);
	status = gathered();
	/* By when they begin, the latest first; what was called off in time is not there. */
	assert_int_equal(status->incidents_count, 4);
	assert_string_equal(status->incidents[0].id, "m3");
	assert_int_equal(status->incidents[0].phase, STATUS_SCHEDULED);
	assert_int_equal(status->incidents[1].phase, STATUS_IN_PROGRESS);
	assert_string_equal(status->incidents[1].components[0], "login");
	assert_int_equal(status->incidents[1].updated_ns, NOW - HOUR);
	assert_int_equal(status->incidents[2].phase, STATUS_COMPLETED);
	assert_int_equal(status->incidents[2].scheduled_until_ns, 302 * HOUR);
	assert_int_equal(status->incidents[3].components_count, 2);
	/* Under maintenance where nothing worse was so. */
	assert_int_equal(at(status, 0, 199 * HOUR), COMPONENT_OPERATIONAL);
	assert_int_equal(at(status, 0, 201 * HOUR), COMPONENT_MAINTENANCE);
	assert_int_equal(at(status, 0, 205 * HOUR), COMPONENT_DEGRADED);
	assert_int_equal(at(status, 0, 207 * HOUR), COMPONENT_MAINTENANCE);
	assert_int_equal(at(status, 0, 210 * HOUR), COMPONENT_OPERATIONAL);
	assert_int_equal(at(status, 1, NOW), COMPONENT_MAINTENANCE);
	assert_int_equal(at(status, 2, 303 * HOUR), COMPONENT_OPERATIONAL);
	assert_int_equal(status_indicator(status), STATUS_NONE);
}

/* Published at `at_ns`; returns its thread. */
static uint64_t publish(enum statement_kind kind, const char *lang, uint64_t thread, uint64_t supersedes, int64_t at_ns,
                        const char *text)
{
	struct statements_row row = { .thread = thread,
		                      .incident = 1,
		                      .outage = 7,
		                      .kind = kind,
		                      .supersedes = supersedes,
		                      .json = "{\"component\": \"mail\"}",
		                      .made_ns = at_ns,
		                      .made_by = "alice" };
	struct statements_act_row act = {
		.act = STATEMENTS_APPROVED, .at_ns = at_ns, .by = "bob", .title = "", .text = ""
	};

	(void)snprintf(row.lang, sizeof(row.lang), "%s", lang);
	if (statements_add(ledger, &row, &error) != 0)
		fail_msg("%s", error.message);
	act.number = row.number;
	act.revision = row.revision;
	memcpy(act.of_sha256, row.sha256, sizeof(act.of_sha256));
	if (statements_act_add(ledger, &act, &error) != 0)
		fail_msg("%s", error.message);
	act.act = STATEMENTS_PUBLISHED;
	act.title = strcmp(lang, "fr") == 0 ? "Panne" : "Outage";
	act.text = text;
	if (statements_act_add(ledger, &act, &error) != 0)
		fail_msg("%s", error.message);
	return row.thread;
}

static void statements(void **state)
{
	const struct status_incident *incident;
	const struct status_page *status;
	uint64_t thread;

	(void)state;
	is("web", COMPONENT_MAJOR_OUTAGE, 900 * HOUR, 7);
	is("web", COMPONENT_OPERATIONAL, 910 * HOUR, 7);
	thread = publish(STATEMENT_FIRST_NOTICE, "en", 0, 0, 901 * HOUR, "we look");
	(void)publish(STATEMENT_FIRST_NOTICE, "fr", thread, 0, 902 * HOUR, "nous cherchons");
	status = gathered();
	assert_int_equal(status->incidents_count, 1);
	incident = &status->incidents[0];
	assert_int_equal(incident->phase, STATUS_INVESTIGATING);
	assert_true(status_is_open(incident));
	/* Both languages are one update. */
	assert_int_equal(incident->updates_count, 1);
	assert_string_equal(incident->updates[0].body[LANGUAGE_EN], "we look");
	assert_string_equal(incident->updates[0].body[LANGUAGE_FR], "nous cherchons");
	assert_string_equal(incident->name[LANGUAGE_EN], "Outage");
	assert_string_equal(incident->name[LANGUAGE_FR], "Panne");
	/* It began when the component did, and concerns what names its outage, and what it names itself. */
	assert_int_equal(incident->started_ns, 900 * HOUR);
	assert_int_equal(incident->components_count, 2);
	assert_string_equal(incident->components[0], "web");
	assert_string_equal(incident->components[1], "mail");
	assert_int_equal(incident->impact, STATUS_CRITICAL);
	(void)publish(STATEMENT_UPDATE, "en", thread, 0, 905 * HOUR, "we found");
	(void)publish(STATEMENT_CORRECTION, "en", thread, 1, 906 * HOUR, "we erred");
	(void)publish(STATEMENT_RESOLUTION, "en", thread, 0, 911 * HOUR, "it is over");
	status = gathered();
	incident = &status->incidents[0];
	assert_int_equal(incident->phase, STATUS_RESOLVED);
	assert_int_equal(incident->resolved_ns, 911 * HOUR);
	assert_int_equal(incident->updated_ns, 911 * HOUR);
	assert_int_equal(incident->updates_count, 4);
	assert_string_equal(incident->updates[0].body[LANGUAGE_EN], "it is over");
	assert_true(incident->updates[1].correction);
	assert_int_equal(incident->updates[1].phase, STATUS_INVESTIGATING);
	assert_true(incident->updates[3].corrected);
	assert_int_equal(incident->updates[0].effects_count, 2);
	assert_int_equal(incident->updates[0].effects[0].before, COMPONENT_MAJOR_OUTAGE);
	assert_int_equal(incident->updates[0].effects[0].after, COMPONENT_OPERATIONAL);
	/* What is for authorities is not for the page. */
	(void)publish(STATEMENT_POSTMORTEM, "en", thread, 0, 950 * HOUR, "what we learned");
	status = gathered();
	assert_int_equal(status->incidents[0].phase, STATUS_POSTMORTEM);
	assert_int_equal(status->incidents[0].resolved_ns, 911 * HOUR);
	assert_false(status_is_open(&status->incidents[0]));
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned count = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		count++;
	return count;
}

/*
 * States, and statements, of one moment: all are there, in the order in which they came, each under a name of its own.
 */
static void one_moment(void **state)
{
	static const char *const texts[] = { "we look", "we found", "we mend", "it is over" };
	const struct status_incident *incident;
	const struct status_page *status;
	enum component_status before, after;
	uint64_t thread = 0, other;
	char *text = NULL;
	size_t length;
	FILE *out;

	(void)state;
	is("web", COMPONENT_DEGRADED, 0, 0);
	is("web", COMPONENT_MAJOR_OUTAGE, 0, 0);
	is("web", COMPONENT_OPERATIONAL, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		thread = publish(i == 0   ? STATEMENT_FIRST_NOTICE
		                 : i == 3 ? STATEMENT_RESOLUTION
		                          : STATEMENT_UPDATE,
		                 "en", thread, 0, 905 * HOUR, texts[i]);
	other = publish(STATEMENT_FIRST_NOTICE, "en", 0, 0, 905 * HOUR, "something else");
	assert_true(other != thread);
	status = gathered();
	assert_int_equal(status->components[0].changes_count, 3);
	assert_true(status_change_find(status, "web", NOW, &before, &after));
	assert_int_equal(after, COMPONENT_DEGRADED);
	assert_true(status_change_find(status, "web", NOW + 1, &before, &after));
	assert_int_equal(before, COMPONENT_DEGRADED);
	assert_int_equal(after, COMPONENT_MAJOR_OUTAGE);
	assert_true(status_change_find(status, "web", NOW + 2, &before, &after));
	assert_int_equal(status->incidents_count, 2);
	incident = &status->incidents[strcmp(status->incidents[0].id, "i1") != 0];
	assert_int_equal(incident->updates_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(incident->updates[3 - i].body[LANGUAGE_EN], texts[i]);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(incident->updates[i].id, incident->updates[k].id);
	}
	assert_int_equal(incident->phase, STATUS_RESOLVED);
	out = open_memstream(&text, &length);
	assert_non_null(out);
	assert_int_equal(status_atom_write(out, status), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(count_of(text, "<entry>"), 2);
	assert_int_equal(count_of(text, ":incident/i1</id>") + count_of(text, ":incident/i5</id>"), 2);
	free(text);
}

static char *told(int (*tell)(FILE *out, const struct status_page *page), const struct status_page *status)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	assert_int_equal(tell(out, status), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static int tell_html(FILE *out, const struct status_page *status)
{
	return status_html_write(out, status, LANGUAGE_EN);
}

static int tell_json(FILE *out, const struct status_page *status)
{
	return status_json_write(out, status, STATUS_JSON_INCIDENTS);
}

/* The longest statement is whole wherever it is told; a longer one is not published. */
static void long_statement(void **state)
{
	static int (*const tell[])(FILE *, const struct status_page *) = { tell_html, tell_json, status_atom_write,
		                                                           status_rss_write };
	static const char first[] = "it begins here ", last[] = " and ends here";
	char *text = malloc(STATEMENTS_TEXT_MAX + 2);
	struct statements_act_row act = { .act = STATEMENTS_PUBLISHED, .at_ns = NOW, .by = "bob", .title = "" };
	const struct status_page *status;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', STATEMENTS_TEXT_MAX + 1);
	memcpy(text, first, sizeof(first) - 1);
	memcpy(text + STATEMENTS_TEXT_MAX - sizeof(last) + 1, last, sizeof(last));
	(void)publish(STATEMENT_FIRST_NOTICE, "en", 0, 0, 901 * HOUR, text);
	status = gathered();
	assert_int_equal(status->incidents_count, 1);
	assert_string_equal(status->incidents[0].updates[0].body[LANGUAGE_EN], text);
	for (unsigned i = 0; i < sizeof(tell) / sizeof(tell[0]); i++) {
		char *file = told(tell[i], status), *begins = strstr(file, first), *ends = strstr(file, last);

		assert_non_null(begins);
		assert_non_null(ends);
		assert_int_equal(ends - begins, STATEMENTS_TEXT_MAX - sizeof(last) + 1);
		free(file);
	}
	act.number = act.revision = 1;
	memset(text, 'x', STATEMENTS_TEXT_MAX + 1);
	text[STATEMENTS_TEXT_MAX + 1] = '\0';
	act.text = text;
	assert_int_equal(statements_act_add(ledger, &act, &error), -EINVAL);
	assert_non_null(strstr(error.message, "too long"));
	free(text);
}

/* One thread more than is shown. */
static void bound(void **state)
{
	const struct status_page *status;

	(void)state;
	for (unsigned i = 0; i <= STATUS_INCIDENTS_MAX; i++)
		plan((int64_t)(100 + i) * HOUR, (int64_t)(101 + i) * HOUR, "web");
	status = gathered();
	assert_int_equal(status->incidents_count, STATUS_INCIDENTS_MAX);
	assert_int_equal(status->incidents_left_out, 1);
	assert_string_equal(status->incidents[0].id, "m257");
	assert_string_equal(status->incidents[STATUS_INCIDENTS_MAX - 1].id, "m2");
}

static void reported(const char *id, enum symptom symptom, int64_t bucket_ns, uint32_t accepted)
{
	struct report_count one = { .bucket_ns = bucket_ns,
		                    .symptom = symptom,
		                    .source = REPORT_FORM,
		                    .raw = accepted + 1000, /* what the rules of intake leave out is not told */
		                    .accepted = accepted };

	(void)snprintf(one.component, sizeof(one.component), "%s", id);
	if (outages_report_add(ledger, &one, 1, &error) != 0)
		fail_msg("%s", error.message);
}

static void reports(void **state)
{
	const int64_t quarter = PAGE_REPORTS_STEP_NS, first = NOW - PAGE_REPORTS_POINTS * quarter;
	const struct status_page *status;
	const struct status_series *one;
	char *html;

	(void)state;
	reported("web", SYMPTOM_SLOW, NOW - quarter, 5);
	reported("web", SYMPTOM_OTHER, NOW - quarter + COUNT_BUCKET_NS, 4);
	reported("login", SYMPTOM_SLOW, first, 9);
	status = gathered();
	/* Nine are none, and a component that has no more has no plot. */
	assert_int_equal(status->series_count, 0);
	reported("web", SYMPTOM_OTHER, NOW - COUNT_BUCKET_NS, 3);     /* 12 in all */
	reported("web", SYMPTOM_OTHER, NOW - 2 * quarter, 13);        /* rounded up */
	reported("web", SYMPTOM_OTHER, NOW - 3 * quarter, 9);         /* none beside others too */
	reported("web", SYMPTOM_OTHER, NOW, 400);                     /* not over */
	reported("web", SYMPTOM_OTHER, first - COUNT_BUCKET_NS, 400); /* of the day before */
	reported("elsewhere", SYMPTOM_OTHER, first, 400);             /* not on the page */
	reported("login", SYMPTOM_OTHER, first, 1);
	reported("mail", SYMPTOM_OTHER, first + quarter, 100);
	status = gathered();
	assert_int_equal(status->series_count, 3);
	assert_string_equal(status->series[0].id, "reports-mail");
	assert_int_equal(status->series[0].values[1], 100);
	one = &status->series[1];
	assert_string_equal(one->id, "reports-web");
	assert_string_equal(one->title[LANGUAGE_EN], "Reports of trouble, every 15 minutes: web");
	assert_string_equal(one->title[LANGUAGE_FR], ""); /* it has no name there */
	for (unsigned i = 0; i < LANGUAGES; i++) {
		assert_non_null(strstr(one->meaning[i], "10"));
		assert_non_null(strstr(one->meaning[i], "8"));
	}
	assert_int_equal(one->from_ns, first);
	assert_int_equal(one->step_ns, quarter);
	assert_int_equal(one->count, PAGE_REPORTS_POINTS);
	assert_int_equal(one->values[PAGE_REPORTS_POINTS - 1], 10);
	assert_int_equal(one->values[PAGE_REPORTS_POINTS - 2], 15);
	for (unsigned i = 0; i < PAGE_REPORTS_POINTS - 2; i++)
		assert_int_equal(one->values[i], 0);
	assert_string_equal(status->series[2].id, "reports-login");
	assert_int_equal(status->series[2].values[0], 10);
	/* And the page says what was done with the numbers. */
	html = told(tell_html, status);
	assert_non_null(strstr(html, "reports-login"));
	assert_non_null(strstr(html, "fewer than 10 in 15 minutes are left out"));
	free(html);
}

/* What is not shown has no plot; of more components than there is room for, those with the most. */
static void reports_bound(void **state)
{
	const struct status_page *status;

	(void)state;
	for (unsigned i = 0; i <= STATUS_SERIES_MAX; i++) {
		struct component component = { .showcase = i != 3,
			                       .name = { "name", "nom" },
			                       .description = { "", "" },
			                       .added_ns = 10 * HOUR,
			                       .updated_ns = 10 * HOUR };

		(void)snprintf(component.id, sizeof(component.id), "c%u", i);
		assert_int_equal(component_add(ledger, &component, &error), 0);
		reported(component.id, SYMPTOM_SLOW, NOW - HOUR, 100);
	}
	reported("mail", SYMPTOM_SLOW, NOW - HOUR, 50);
	status = gathered();
	assert_int_equal(status->series_count, STATUS_SERIES_MAX);
	for (unsigned i = 0; i < STATUS_SERIES_MAX; i++)
		assert_string_not_equal(status->series[i].id, "reports-c3");
	assert_string_equal(status->series[0].id, "reports-c0");
	assert_string_equal(status->series[0].title[LANGUAGE_FR],
	                    "Signalements de difficultés, par quart d’heure : nom");
	assert_string_equal(status->series[STATUS_SERIES_MAX - 1].id, "reports-c8");
}

static void nothing(void **state)
{
	const struct status_page *status = gathered();

	(void)state;
	assert_int_equal(status->incidents_count, 0);
	assert_int_equal(status_indicator(status), STATUS_NONE);
	assert_int_equal(status->series_count, 0);
	page_free(NULL);
}

int main(void)
{
#define WITH_RECORD(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH_RECORD(states),     WITH_RECORD(works),          WITH_RECORD(statements),
		WITH_RECORD(one_moment), WITH_RECORD(long_statement), WITH_RECORD(bound),
		WITH_RECORD(reports),    WITH_RECORD(reports_bound),  WITH_RECORD(nothing),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
