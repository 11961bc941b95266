/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows from a status page: times of components and groups against a twin that looks at every minute, the
 * indicator, months, texts that a language lacks, files and their order. What the files look like is tests/status and
 * tests/report.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tell/status_inside.h"

#define MINUTE (60 * NS_PER_S)
#define NOW (1795737600LL * NS_PER_S) /* 2026-11-27 00:00:00 */
#define CHANGES 40
#define SPAN (3 * 1440) /* minutes that the twin looks at */

static struct status_change changes[3][CHANGES];
static struct status_component components[4];
static struct status_page page = { .title = { "Example", "" },
	                           .url = "https://status.example.org",
	                           .key = "",
	                           .languages = { LANGUAGE_EN, LANGUAGE_FR },
	                           .languages_count = 2,
	                           .generated_ns = NOW,
	                           .stale_ns = NOW + 15 * MINUTE,
	                           .components = components,
	                           .components_count = 4 };

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A group of three, at random. */
static void make(uint32_t seed)
{
	static const char *const ids[] = { "g", "a", "b", "c" };

	for (unsigned i = 0; i < 4; i++)
		components[i] = (struct status_component){ .id = ids[i],
			                                   .name = { ids[i], ids[i] },
			                                   .description = { "", "" },
			                                   .group = i ? "g" : "",
			                                   .is_group = i == 0,
			                                   .showcase = true };
	for (unsigned i = 0; i < 3; i++) {
		int64_t at_ns = NOW - (SPAN + 300) * MINUTE;

		for (unsigned k = 0; k < CHANGES; k++) {
			at_ns += (1 + draw(&seed) % 200) * MINUTE;
			changes[i][k] = (struct status_change){ at_ns, draw(&seed) % COMPONENT_STATUSES };
		}
		components[i + 1].changes = changes[i];
		components[i + 1].changes_count = CHANGES;
		components[i + 1].start_ns = NOW - (SPAN - draw(&seed) % 700) * MINUTE;
	}
}

static enum component_status naive(unsigned component, int64_t at_ns)
{
	enum component_status status = COMPONENT_OPERATIONAL;

	for (unsigned k = 0; k < CHANGES; k++)
		if (changes[component - 1][k].since_ns <= at_ns)
			status = changes[component - 1][k].status;
	return status;
}

static void times(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		make(seed);
		for (unsigned c = 0; c < 4; c++) {
			int64_t wanted[COMPONENT_STATUSES] = { 0 }, found[COMPONENT_STATUSES];

			for (int64_t at_ns = NOW - SPAN * MINUTE; at_ns < NOW; at_ns += MINUTE) {
				enum component_status worst = COMPONENT_OPERATIONAL;
				bool known = false;

				for (unsigned k = c ? c : 1; k <= (c ? c : 3); k++) {
					known = known || components[k].start_ns <= at_ns;
					worst = status_worse(worst, naive(k, at_ns));
				}
				assert_int_equal(status_of(&page, &components[c], at_ns), worst);
				if (known)
					wanted[worst] += MINUTE;
			}
			status_times(&page, &components[c], NOW - SPAN * MINUTE, NOW, found);
			for (unsigned k = 0; k < COMPONENT_STATUSES; k++)
				assert_int_equal(found[k], wanted[k]);
		}
	}
}

static void days(void **state)
{
	static const struct status_change down[] = { { NOW - 36 * 60 * MINUTE, COMPONENT_MAJOR_OUTAGE },
		                                     { NOW - 30 * 60 * MINUTE, COMPONENT_OPERATIONAL } };
	struct status_component one = {
		.id = "x", .group = "", .changes = down, .changes_count = 2, .start_ns = NOW - 47 * 60 * MINUTE
	};
	struct status_day day;
	int64_t known_ns;

	(void)state;
	page.generated_ns = NOW + 60 * MINUTE;
	day = status_day(&page, &one, 0);
	assert_int_equal(day.from_ns, NOW);
	assert_int_equal(day.known_ns, 60 * MINUTE);
	assert_int_equal(day.worst, COMPONENT_OPERATIONAL);
	day = status_day(&page, &one, 2);
	assert_int_equal(day.ns[COMPONENT_MAJOR_OUTAGE], 6 * 60 * MINUTE);
	assert_int_equal(day.known_ns, 23 * 60 * MINUTE);
	assert_int_equal(day.worst, COMPONENT_MAJOR_OUTAGE);
	assert_int_equal(status_day(&page, &one, 3).known_ns, 0);
	/* 6 of 48 hours */
	assert_int_equal(status_up_ppm(&page, &one, &known_ns), 875000);
	assert_int_equal(known_ns, 48 * 60 * MINUTE);
	one.start_ns = page.generated_ns;
	assert_int_equal(status_up_ppm(&page, &one, &known_ns), 0);
	assert_int_equal(known_ns, 0);
	page.generated_ns = NOW;
}

static void indicator(void **state)
{
	static const enum status_impact wanted[COMPONENT_STATUSES] = {
		[COMPONENT_OPERATIONAL] = STATUS_NONE,      [COMPONENT_MAINTENANCE] = STATUS_NONE,
		[COMPONENT_DEGRADED] = STATUS_MINOR,        [COMPONENT_PARTIAL_OUTAGE] = STATUS_MAJOR,
		[COMPONENT_MAJOR_OUTAGE] = STATUS_CRITICAL,
	};
	struct status_incident incident = { .id = "i1", .phase = STATUS_MONITORING, .impact = STATUS_MAJOR };

	(void)state;
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++) {
		struct status_change change = { NOW - MINUTE, (enum component_status)i };
		struct status_component one = { .id = "x", .group = "", .changes = &change, .changes_count = 1 };
		struct status_page of_one = page;

		of_one.components = &one;
		of_one.components_count = 1;
		assert_int_equal(status_indicator(&of_one), wanted[i]);
		of_one.incidents = &incident;
		of_one.incidents_count = 1;
		assert_int_equal(status_indicator(&of_one), wanted[i] > STATUS_MAJOR ? wanted[i] : STATUS_MAJOR);
		incident.scheduled_from_ns = NOW; /* planned works are no fault */
		assert_int_equal(status_indicator(&of_one), wanted[i]);
		incident.scheduled_from_ns = 0;
	}
}

static void texts(void **state)
{
	const char *const french[LANGUAGES] = { [LANGUAGE_EN] = "", [LANGUAGE_FR] = "oui" }, *const none[LANGUAGES] = {
		"", ""
	};
	enum language given;

	(void)state;
	assert_string_equal(status_text(&page, french, LANGUAGE_EN, &given), "oui");
	assert_int_equal(given, LANGUAGE_FR);
	assert_string_equal(status_text(&page, none, LANGUAGE_FR, &given), "");
	assert_int_equal(given, LANGUAGE_FR);
	for (unsigned i = 0; i < STATUS_WORDS; i++)
		for (unsigned k = 0; k < LANGUAGES; k++) {
			const char *first = status_word(LANGUAGE_EN, (enum status_word)i);
			const char *other = status_word((enum language)k, (enum status_word)i);
			unsigned holes[2] = { 0, 0 };

			/* As many holes in each language. */
			for (const char *at = first; (at = strstr(at, "%s")); at += 2)
				holes[0]++;
			for (const char *at = other; (at = strstr(at, "%s")); at += 2)
				holes[1]++;
			assert_int_equal(holes[0], holes[1]);
			assert_true(other[0] != '\0');
		}
}

static void months(void **state)
{
	static struct status_incident incidents[200];
	struct status_month found[STATUS_MONTHS_MAX];

	(void)state;
	/* One every 20 days, jumbled: more months than there is room for; the latest stay. */
	for (unsigned i = 0; i < 200; i++)
		incidents[i] =
			(struct status_incident){ .id = "i",
			                          .started_ns = NOW - (int64_t)(i * 77 % 200) * 20 * STATUS_DAY_NS };
	page.incidents = incidents;
	page.incidents_count = 200;
	assert_int_equal(status_months(&page, found), STATUS_MONTHS_MAX);
	assert_int_equal(found[0].year, 2026);
	assert_int_equal(found[0].month, 11);
	for (unsigned i = 1; i < STATUS_MONTHS_MAX; i++) {
		unsigned before = found[i - 1].year * 12 + found[i - 1].month;

		assert_int_equal(found[i].year * 12 + found[i].month + 1, before);
		assert_true(found[i].incidents >= 1 && found[i].incidents <= 2);
	}
	page.incidents_count = 0;
}

static char paths[4096];
static unsigned refused_at, count;

static int note(void *context, const char *path, const char *type, const char *octets, size_t length)
{
	(void)context;
	assert_int_equal(strlen(octets), length);
	assert_non_null(strchr(type, '/'));
	strncat(paths, path, sizeof(paths) - strlen(paths) - 1);
	strncat(paths, " ", sizeof(paths) - strlen(paths) - 1);
	return ++count == refused_at ? -ENOSPC : 0;
}

static void files(void **state)
{
	struct status_incident incident = { .id = "i1", .name = { "x", "" }, .started_ns = NOW, .created_ns = NOW };

	(void)state;
	make(1);
	page.incidents = &incident;
	page.incidents_count = 1;
	assert_int_equal(status_files(&page, note, NULL), 0);
	assert_string_equal(paths,
	                    "api/v2/summary.json api/v2/status.json api/v2/components.json api/v2/incidents.json "
	                    "api/v2/incidents/unresolved.json api/v2/scheduled-maintenances.json "
	                    "api/v2/scheduled-maintenances/upcoming.json api/v2/scheduled-maintenances/active.json "
	                    "history.atom history.rss history/index.html history/2026-11.html fr/history/index.html "
	                    "fr/history/2026-11.html fr/index.html index.html ");
	for (refused_at = 1; refused_at <= 16; refused_at++) {
		count = 0;
		assert_int_equal(status_files(&page, note, NULL), -ENOSPC);
		assert_int_equal(count, refused_at);
	}
	page.incidents_count = 0;
}

/* Nowhere to write: said, and nothing lost. */
static void full(void **state)
{
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(status_html_write(out, &page, LANGUAGE_EN), -ENOSPC);
	clearerr(out);
	assert_int_equal(status_atom_write(out, &page), -ENOSPC);
	clearerr(out);
	assert_int_equal(status_json_write(out, &page, STATUS_JSON_SUMMARY), -ENOSPC);
	(void)fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),  cmocka_unit_test(days),  cmocka_unit_test(indicator), cmocka_unit_test(texts),
		cmocka_unit_test(months), cmocka_unit_test(files), cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
