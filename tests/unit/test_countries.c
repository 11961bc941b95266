/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of countries against a twin that asks of each code about each row, and what the interval means by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "trace/trace.h"

#define ROWS 400
#define MANY 700

static const char *const codes[] = { "", "UA", "US", "MX", "BR", "AA", "ZZ" };

static void assert_near(double a, double b)
{
	assert_true(a - b < 1e-12 && b - a < 1e-12);
}

static struct trace_row row(uint64_t sources, uint64_t packets, const char *first, const char *second)
{
	struct trace_row made;

	memset(&made, 0, sizeof(made));
	made.sources = sources;
	made.held = sources;
	made.packets = packets;
	(void)strcpy(made.country[0], first);
	(void)strcpy(made.country[1], second);
	return made;
}

static void disagreement_is_an_interval(void **state)
{
	struct trace_row rows[] = {
		row(60, 10, "US", "US"),
		row(20, 70, "US", "MX"),
		row(20, 20, "", "MX"),
		row(900, 900, "", ""),
	};
	struct trace trace = { .rows = rows, .rows_count = 4, .country_databases = 2 };
	struct trace_country countries[MANY];

	(void)state;
	assert_int_equal(trace_countries(&trace, countries, MANY), 2);
	assert_string_equal(countries[0].code, "US");
	assert_int_equal(countries[0].held, 80);
	assert_near(countries[0].sources_low, .6);
	assert_near(countries[0].sources_high, .8);
	assert_near(countries[0].packets_low, .1);
	assert_near(countries[0].packets_high, .8);
	assert_string_equal(countries[1].code, "MX");
	assert_near(countries[1].sources_low, .2);
	assert_near(countries[1].sources_high, .4);
	assert_int_equal(trace_countries(&trace, countries, 1), 1);
	trace.rows_count = 0;
	assert_int_equal(trace_countries(&trace, countries, MANY), 0);
	assert_int_equal(trace_countries(&trace, NULL, 0), 0);
}

static void check_code(const struct trace *trace, const char *code, const struct trace_country *found)
{
	double low = 0, high = 0, all = 0;

	for (uint32_t i = 0; i < trace->rows_count; i++) {
		const struct trace_row *r = &trace->rows[i];
		unsigned known = 0, same = 0;

		for (unsigned k = 0; k < GEO_COUNTRY_DATABASES_MAX; k++) {
			known += r->country[k][0] != '\0';
			same += strcmp(r->country[k], code) == 0;
		}
		all += known ? (double)r->sources : 0;
		high += same ? (double)r->sources : 0;
		low += same && same == known ? (double)r->sources : 0;
	}
	if (high == 0) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_near(found->sources_low, low / all);
	assert_near(found->sources_high, high / all);
}

static void rows_of_all_kinds_agree_with_the_twin(void **state)
{
	static struct trace_row rows[ROWS];
	struct trace trace = { .rows = rows, .country_databases = GEO_COUNTRY_DATABASES_MAX };
	struct trace_country countries[MANY];
	uint64_t draws = 7;

	(void)state;
	for (uint32_t i = 0; i < ROWS; i++) {
		rows[i] = row(made_below(&draws, 1000), made_below(&draws, 1000), "", "");
		for (unsigned k = 0; k < GEO_COUNTRY_DATABASES_MAX; k++)
			(void)strcpy(rows[i].country[k], codes[made_below(&draws, 5 + i % 3)]);
	}
	for (trace.rows_count = 1; trace.rows_count < ROWS; trace.rows_count += 7) {
		uint32_t count = trace_countries(&trace, countries, MANY);

		for (size_t c = 1; c < sizeof(codes) / sizeof(codes[0]); c++) {
			const struct trace_country *found = NULL;

			for (uint32_t i = 0; i < count; i++)
				if (strcmp(countries[i].code, codes[c]) == 0)
					found = &countries[i];
			check_code(&trace, codes[c], found);
		}
		for (uint32_t i = 1; i < count; i++)
			assert_true(countries[i - 1].sources_high >= countries[i].sources_high);
	}
}

static void what_is_no_country_is_nowhere_and_sums_do_not_wrap(void **state)
{
	struct trace_row rows[] = {
		row(UINT64_MAX, UINT64_MAX, "UA", ""),
		row(UINT64_MAX, 1, "UA", "UA"),
		row(5, 5, "u", "1A"),
	};
	struct trace trace = { .rows = rows, .rows_count = 3, .country_databases = 2 };
	struct trace_country country;

	(void)state;
	assert_int_equal(trace_countries(&trace, &country, 1), 1);
	assert_string_equal(country.code, "UA");
	assert_near(country.sources_low, 1);
	assert_near(country.packets_high, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disagreement_is_an_interval),
		cmocka_unit_test(rows_of_all_kinds_agree_with_the_twin),
		cmocka_unit_test(what_is_no_country_is_nowhere_and_sums_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
