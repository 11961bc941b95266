/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

#define HEAD "{\"schema\":\"holdfast.prices/1\",\"prices\":["
#define ROW(per, low, rest)                                                                          \
	"{\"what\":\"w\",\"per\":" per ",\"low\":" low ",\"mid\":20.5,\"high\":30,\"up_to_gbps\":0," \
	"\"source\":\"https://a.example/\"" rest "}"
#define DATE ",\"date\":\"2021-08\""
#define GOOD ROW("\"day\"", "20", DATE)

static void text_of_a_table(void **state)
{
	static const char text[] = HEAD ROW("\"gbps_hour\"", "1", DATE) "," GOOD "],\"note\":7}";
	struct cost_price prices[COST_PRICES_MAX];
	char error[COST_ERROR_SIZE];
	uint32_t count = 0;

	(void)state;
	assert_int_equal(cost_prices_parse(text, strlen(text), prices, &count, error), 0);
	assert_int_equal(count, 2);
	assert_int_equal(prices[0].per, COST_PER_GBPS_HOUR);
	assert_int_equal(prices[1].per, COST_PER_DAY);
	assert_true(prices[1].low == 20 && prices[1].mid == 20.5 && prices[1].high == 30);
	assert_true(prices[1].up_to_gbps == 0);
	assert_string_equal(prices[1].what, "w");
	assert_string_equal(prices[1].date, "2021-08");
	assert_string_equal(prices[1].source, "https://a.example/");
}

/* What is said of each mistake, to the letter; and nothing is written. */
static void mistakes_in_a_table(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "line 1, column 0: '[' or '{' expected near end of file" },
		{ "{\"schema\":1,\n\"schema\":2}", "line 2, column 8: duplicate object key near '\"schema\"'" },
		{ "[]", "its schema is not \"holdfast.prices/1\"" },
		{ "{\"schema\":\"holdfast.prices/2\",\"prices\":[]}", "its schema is not \"holdfast.prices/1\"" },
		{ "{\"schema\":\"holdfast.prices/1\"}", "prices is no list of 1 to 32" },
		{ HEAD "]}", "prices is no list of 1 to 32" },
		{ HEAD "],\"price\":1}", "there is no member 'price'; there are schema, note, prices" },
		{ HEAD GOOD ",7]}", "price 2: it is no object" },
		{ HEAD ROW("\"day\"", "20", "") "]}", "price 1: it has no date" },
		{ HEAD GOOD "," ROW("\"day\"", "20", DATE ",\"a\\tb\":1") "]}", "price 2: there is no member 'a?b'" },
		{ HEAD ROW("\"week\"", "20", DATE) "]}", "price 1: per is none of gbps_hour, hour, day, attack" },
		{ HEAD ROW("7", "20", DATE) "]}", "price 1: per is none of gbps_hour, hour, day, attack" },
		{ HEAD ROW("\"day\"", "\"20\"", DATE) "]}", "price 1: low is no number" },
		{ HEAD ROW("\"day\"", "21", DATE) "]}", "price 1: prices are not 0 < low <= mid <= high < 1e12" },
		{ HEAD ROW("\"day\"", "20", ",\"date\":2021") "]}", "price 1: date is no text of at most 15 octets" },
		{ HEAD ROW("\"day\"", "20", ",\"date\":\"2021-08-14 00:00\"") "]}",
		  "price 1: date is no text of at most 15 octets" },
		{ HEAD ROW("\"day\"", "20", ",\"date\":\"last year\"") "]}",
		  "price 1: the date is not a year, month or day (2021, 2021-08, 2021-08-14)" },
	};
	struct cost_price prices[COST_PRICES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char error[COST_ERROR_SIZE] = "";
		uint32_t count = 99;

		prices[0].per = COST_PER_ATTACK;
		assert_int_equal(cost_prices_parse(rows[i].text, strlen(rows[i].text), prices, &count, error),
		                 -EBADMSG);
		assert_string_equal(error, rows[i].error);
		assert_int_equal(count, 99);
		assert_int_equal(prices[0].per, COST_PER_ATTACK);
	}
}

/* As many as there is room for, and one more. */
static void as_many_as_there_is_room_for(void **state)
{
	struct cost_price prices[COST_PRICES_MAX];
	char error[COST_ERROR_SIZE], *text = malloc(COST_FILE_MAX);
	uint32_t count = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned rows = COST_PRICES_MAX; rows <= COST_PRICES_MAX + 1; rows++) {
		size_t length = 0;

		for (unsigned i = 0; i <= rows; i++) {
			const char *next = i == rows ? "]}" : i ? "," GOOD : HEAD GOOD;

			memcpy(text + length, next, strlen(next));
			length += strlen(next);
		}
		assert_int_equal(cost_prices_parse(text, length, prices, &count, error),
		                 rows == COST_PRICES_MAX ? 0 : -EBADMSG);
	}
	assert_int_equal(count, COST_PRICES_MAX);
	assert_string_equal(error, "prices is no list of 1 to 32");
	free(text);
}

static void file_of_a_table(void **state)
{
	char path[] = "/tmp/holdfast-prices-XXXXXX", error[COST_ERROR_SIZE];
	int fd = mkstemp(path);
	struct cost_price prices[COST_PRICES_MAX];
	uint32_t count = 0, built_in_count;

	(void)state;
	assert_true(fd >= 0);
	/* That which is built in, from its file. */
	assert_int_equal(cost_prices_read("data/prices.json", prices, &count, error), 0);
	(void)cost_prices(&built_in_count);
	assert_int_equal(count, built_in_count);
	for (uint32_t i = 0; i < count; i++) {
		const struct cost_price *own = &cost_prices(&built_in_count)[i];

		assert_int_equal(prices[i].per, own->per);
		assert_true(prices[i].low == own->low && prices[i].mid == own->mid && prices[i].high == own->high);
		assert_true(prices[i].up_to_gbps == own->up_to_gbps);
		assert_string_equal(prices[i].what, own->what);
		assert_string_equal(prices[i].source, own->source);
		assert_string_equal(prices[i].date, own->date);
	}
	assert_int_equal(cost_prices_read("/nonexistent/x", prices, &count, error), -ENOENT);
	assert_string_equal(error, "No such file or directory");
	assert_int_equal(cost_prices_read("/tmp", prices, &count, error), -EINVAL);
	assert_string_equal(error, "it is no regular file");
	assert_int_equal(write(fd, "[]", 2), 2);
	assert_int_equal(cost_prices_read(path, prices, &count, error), -EBADMSG);
	assert_int_equal(ftruncate(fd, COST_FILE_MAX + 1), 0);
	assert_int_equal(cost_prices_read(path, prices, &count, error), -EFBIG);
	assert_string_equal(error, "it is larger than 65536 octets");
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(unknown),
		cmocka_unit_test(basis),
		cmocka_unit_test(built_in),
		cmocka_unit_test(wrong),
		cmocka_unit_test(names),
		cmocka_unit_test(text_of_a_table),
		cmocka_unit_test(mistakes_in_a_table),
		cmocka_unit_test(as_many_as_there_is_room_for),
		cmocka_unit_test(file_of_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
