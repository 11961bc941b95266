/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/cost.h"

static const struct cost_price offers[] = {
	{ COST_PER_GBPS_HOUR, 0.5, 1, 2, 0, "any size", "https://a.example/", "2020" },
	{ COST_PER_HOUR, 10, 20, 30, 50, "an hour", "https://b.example/", "2013-05" },
	{ COST_PER_DAY, 60, 70, 80, 50, "a day", "https://c.example/", "2021-08-14" },
	{ COST_PER_ATTACK, 2500, 2500, 2600, 2000, "one", "https://d.example/", "2017" },
};

static void assert_cost(double hours, double gbps, double low, double mid, double high)
{
	struct cost cost;

	cost_make(offers, 4, hours, gbps, &cost);
	assert_true(cost.known);
	assert_true(cost.hours == hours && cost.gbps == gbps);
	assert_true(cost.low == low);
	assert_true(cost.mid == mid);
	assert_true(cost.high == high);
}

static void ranges(void **state)
{
	(void)state;
	/* Half an hour at 10: an hour. 5..20, 10..30, 60..80, 2500..2600; mids 10, 20, 70, 2500. */
	assert_cost(0.5, 10, 5, 45, 2600);
	/* 30 hours at 40: 600..2400, 300..900, 120..160, and one; mids 1200, 600, 140, 2500. */
	assert_cost(30, 40, 120, 900, 2600);
	/* 100 Gbit/s: nobody's hour or day reaches it. 50..200, 2500..2600. */
	assert_cost(1, 100, 50, 1300, 2600);
	/* Beyond all botnets for rent: by the size alone. */
	assert_cost(2, 5000, 5000, 10000, 20000);
	/* Hardly anything is still sold as 1 Gbit/s for an hour. */
	assert_cost(0.01, 0.001, 0.5, 45, 2600);
}

static void unknown(void **state)
{
	struct cost cost;

	(void)state;
	cost_make(offers, 4, 0, 10, &cost);
	assert_false(cost.known);
	cost_make(offers, 4, 1, 0, &cost);
	assert_false(cost.known);
	cost_make(offers, 0, 1, 1, &cost);
	assert_false(cost.known);
	cost_make(&offers[1], 1, 1, 51, &cost);
	assert_false(cost.known);
	assert_true(cost.low == 0 && cost.high == 0);
}

static void basis(void **state)
{
	struct cost cost;

	(void)state;
	cost_make(offers, 4, 1, 100, &cost);
	assert_string_equal(cost.basis,
	                    "2 of 4 published offers, of 2017 to 2020, reach this size; hours and days are sold whole");
}

static void built_in(void **state)
{
	uint32_t count;
	const struct cost_price *prices = cost_prices(&count);

	(void)state;
	assert_in_range(count, 3, COST_PRICES_MAX);
	for (uint32_t i = 0; i < count; i++)
		assert_null(cost_price_wrong(&prices[i]));
}

static void wrong(void **state)
{
	static const struct {
		struct cost_price price;
		const char *part;
	} rows[] = {
		{ { COST_PER_HOUR, 1, 2, 3, 0, "", "https://a.example/", "2020" }, "what" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "http://a.example/", "2020" }, "source" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "", "2020" }, "source" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "https://a.example/", "20201" }, "date" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "https://a.example/", "2020-1x" }, "date" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "https://a.example/", "2020/01" }, "date" },
		{ { COST_PER_HOUR, 1, 2, 3, 0, "w", "https://a.example/", "2020-01-01T0" }, "date" },
		{ { COST_PER_HOUR, 0, 2, 3, 0, "w", "https://a.example/", "2020" }, "low" },
		{ { COST_PER_HOUR, 3, 2, 3, 0, "w", "https://a.example/", "2020" }, "low" },
		{ { COST_PER_HOUR, 1, 4, 3, 0, "w", "https://a.example/", "2020" }, "low" },
		{ { COST_PER_HOUR, 1, 2, 1e13, 0, "w", "https://a.example/", "2020" }, "low" },
		{ { COST_PER_HOUR, __builtin_nan(""), 2, 3, 0, "w", "https://a.example/", "2020" }, "low" },
		{ { COST_PER_HOUR, 1, 2, 3, -1, "w", "https://a.example/", "2020" }, "up_to_gbps" },
		{ { COST_PER_HOUR, 1, 2, 3, __builtin_nan(""), "w", "https://a.example/", "2020" }, "up_to_gbps" },
	};
	struct cost_price price = offers[0];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *said = cost_price_wrong(&rows[i].price);

		assert_non_null(said);
		assert_non_null(strstr(said, rows[i].part));
	}
	memset(price.what, 'x', sizeof(price.what));
	assert_non_null(cost_price_wrong(&price));
	for (size_t i = 0; i < 4; i++)
		assert_null(cost_price_wrong(&offers[i]));
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(cost_per_name(COST_PER_GBPS_HOUR), "gbps_hour");
	assert_string_equal(cost_per_name(COST_PER_HOUR), "hour");
	assert_string_equal(cost_per_name(COST_PER_DAY), "day");
	assert_string_equal(cost_per_name(COST_PER_ATTACK), "attack");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),   cmocka_unit_test(unknown), cmocka_unit_test(basis),
		cmocka_unit_test(built_in), cmocka_unit_test(wrong),   cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
