/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is usual by the hour of the week, of made-up traffic whose truth is known: a fortnight with days, nights and
 * weekends; a ramp; somebody who wants a flood to become usual; a crowd; a restart.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "measure/season.h"

#define HOUR 3600
#define DAY (24 * HOUR)
#define MONDAY (20000LL * 7 * DAY + 4LL * DAY) /* 1970 began on a Thursday */
#define PEAK 2000.0

struct world {
	struct season season;
	int64_t now;
	uint64_t seed;
	double wander; /* noise that lasts some seconds */
	double times;  /* what an attacker makes of it */
};

/*
 * Quiet at four in the morning, ten times that at four in the afternoon; half at the weekend, that takes two hours to
 * come.
 */
static double truth(int64_t second)
{
	double day = (double)(second % DAY) / DAY, week = (double)((second - MONDAY) % (7 * DAY)) / DAY;
	double change = fmin(fmin(fabs(week - 5), fmin(week, 7 - week)) * 24, 1);
	double weekend = .75 + (week < 5 ? .25 : -.25) * change;

	return PEAK * weekend * pow(10, -.5 + .5 * sin(2 * M_PI * (day - 5. / 12)));
}

static uint64_t next_rate(struct world *w)
{
	double noise = 0;

	for (unsigned i = 0; i < 12; i++)
		noise += made_below(&w->seed, 1000) / 1000.;
	w->wander = .8 * w->wander + .06 * (noise - 6);
	return (uint64_t)(truth(w->now) * w->times * exp(w->wander) + .5);
}

static void live(struct world *w, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++, w->now++)
		season_learn(&w->season, w->now, next_rate(w));
}

static struct world begun(uint64_t seed)
{
	return (struct world){ .now = MONDAY, .seed = seed, .times = 1 };
}

static bool comes_back(const struct season *s)
{
	uint8_t octets[SEASON_PACKED_MAX], again[SEASON_PACKED_MAX];
	size_t length = season_pack(s, octets);
	struct cursor c = cursor_over(octets, length);
	struct season read;

	assert_true(length <= sizeof(octets));
	season_unpack(&c, &read);
	if (c.failed)
		return false;
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(season_pack(&read, again), length);
	assert_memory_equal(octets, again, length);
	return true;
}

static double ratio(uint64_t is, double should)
{
	return (double)is / should;
}

static void a_steady_rate_is_expected(void **state)
{
	static const uint64_t rates[] = {
		0, 1, 2, 7, 100, 1023, 65535, 1000000, 4294967296u, SEASON_RATE_MAX - 1,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct season s = { 0 };
		uint64_t expected;

		for (int64_t second = 0; second < 3 * HOUR; second++)
			season_learn(&s, second - HOUR, rates[i]);
		expected = season_expected(&s, 2 * HOUR);
		assert_true(comes_back(&s));
		assert_in_range(expected, rates[i] - rates[i] / 500, rates[i] + rates[i] / 500 + (rates[i] > 0));
		assert_true(season_most(&s, 2 * HOUR) >= expected);
		assert_false(season_is_settled(&s));
	}
}

static void more_than_there_can_be_is_the_most_there_can_be(void **state)
{
	struct season s = { 0 };

	(void)state;
	for (int64_t second = 0; second < 2 * DAY; second++)
		season_learn(&s, second, second & 1 ? UINT64_MAX : 0);
	assert_true(comes_back(&s));
	assert_true(season_most(&s, 2LL * DAY) <= SEASON_RATE_MAX * 3 / 2);
}

static void a_fortnight_is_learned(void **state)
{
	struct world w = begun(1);
	uint64_t over = 0;

	(void)state;
	live(&w, 7 * DAY);
	for (int64_t hour = 0; hour < 7 * 24; hour++) {
		for (unsigned i = 0; i < HOUR; i++, w.now++) {
			uint64_t rate = next_rate(&w);

			over += rate > season_most(&w.season, w.now);
			season_learn(&w.season, w.now, rate);
		}
		assert_in_range(100 * ratio(season_expected(&w.season, w.now), truth(w.now)), 80, 125);
		assert_false(season_is_ramp(&w.season));
	}
	assert_int_equal(over, 0);
	/* The quiet of the next morning is known hours before. */
	assert_in_range(100 * ratio(season_expected(&w.season, w.now + 4 * HOUR), truth(w.now + 4 * HOUR)), 60, 160);
	/* … and what is out of the usual is so even at noon. */
	assert_true((double)season_most(&w.season, w.now + 16 * HOUR) < 3 * PEAK);
}

static void the_weekend_is_not_the_week(void **state)
{
	struct world w = begun(2);
	double saturday, friday;

	(void)state;
	live(&w, 14 * DAY);
	friday = (double)season_expected(&w.season, MONDAY + 18LL * DAY + 16 * HOUR);
	saturday = (double)season_expected(&w.season, MONDAY + 19LL * DAY + 16 * HOUR);
	assert_true(saturday < .6 * friday && saturday > .4 * friday);
}

static void a_slow_ramp_is_noticed(void **state)
{
	struct world w = begun(3);
	unsigned hours = 0;

	(void)state;
	live(&w, 10 * DAY);
	assert_false(season_is_ramp(&w.season));
	while (!season_is_ramp(&w.season) && hours < 24) {
		for (unsigned minute = 0; minute < 60; minute++) {
			w.times *= pow(1.2, 1. / 60);
			live(&w, 60);
		}
		hours++;
	}
	assert_in_range(hours, 1, 6);
}

/* The more is sent, the sooner it falls back once it ends; and it never was usual. */
static void a_flood_does_not_become_usual(void **state)
{
	static const double hourly[] = { 1.15, 1.5, 3, 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(hourly) / sizeof(hourly[0]); i++) {
		struct world w = begun(4), peace;

		live(&w, 9 * DAY);
		peace = w;
		live(&peace, 12 * HOUR);
		for (unsigned minute = 0; minute < 12 * 60; minute++) {
			w.times *= pow(hourly[i], 1. / 60);
			w.times = w.times > 1e6 ? 1e6 : w.times;
			live(&w, 60);
		}
		assert_true(ratio(season_expected(&w.season, w.now), (double)season_expected(&peace.season, w.now)) <
		            1.1 * pow(1.1, 12));
		assert_true(ratio(season_most(&w.season, w.now), (double)season_most(&peace.season, w.now)) <
		            pow(1.1, 12) * pow(1.1, 12));
		w.times = 1;
		live(&w, 2 * HOUR);
		assert_in_range(100 * ratio(season_expected(&w.season, w.now), truth(w.now)), 70, 160);
	}
}

static void a_crowd_leaves_little_behind(void **state)
{
	struct world w = begun(5);
	uint64_t most;

	(void)state;
	live(&w, 8 * DAY + 15 * HOUR);
	most = season_most(&w.season, w.now);
	w.times = 10;
	live(&w, 1200);
	assert_true(season_most(&w.season, w.now) < most + most / 4);
	w.times = 1;
	live(&w, HOUR);
	assert_in_range(100 * ratio(season_expected(&w.season, w.now), truth(w.now)), 80, 125);
}

/* Days in which nobody learned: what was known before holds, and the hours that were missed teach nothing. */
static void what_was_missed_teaches_nothing(void **state)
{
	struct world w = begun(6);
	uint16_t hours[SEASON_HOURS];

	(void)state;
	live(&w, 8 * DAY + 600);
	memcpy(hours, w.season.hours, sizeof(hours));
	w.now += 2 * DAY + 5 * HOUR;
	assert_in_range(100 * ratio(season_expected(&w.season, w.now + HOUR), truth(w.now + HOUR)), 60, 160);
	live(&w, 600);
	assert_memory_equal(hours, w.season.hours, sizeof(hours));
	assert_true(comes_back(&w.season));
	live(&w, 2 * HOUR);
	assert_memory_not_equal(hours, w.season.hours, sizeof(hours));
	assert_in_range(100 * ratio(season_expected(&w.season, w.now), truth(w.now)), 80, 125);
}

/* Read back in the midst of it, it goes on as if nothing had been. */
static void a_restart_changes_nothing(void **state)
{
	struct world w = begun(8), again;
	uint8_t octets[SEASON_PACKED_MAX];
	struct cursor c;

	(void)state;
	live(&w, 3 * DAY + 7 * HOUR + 1234);
	assert_true(comes_back(&w.season));
	again = w;
	memset(&again.season, 0, sizeof(again.season));
	c = cursor_over(octets, season_pack(&w.season, octets));
	season_unpack(&c, &again.season);
	live(&w, 5 * DAY);
	live(&again, 5 * DAY);
	assert_int_equal(season_most(&w.season, w.now), season_most(&again.season, again.now));
	assert_memory_equal(w.season.hours, again.season.hours, sizeof(w.season.hours));
}

#define BREAK(field, what)                    \
	do {                                  \
		struct season s = w.season;   \
		s.field = (what);             \
		assert_false(comes_back(&s)); \
	} while (0)

static void what_cannot_be_is_refused(void **state)
{
	struct world w = begun(7);

	(void)state;
	assert_true(comes_back(&w.season));
	live(&w, 2 * HOUR + 90);
	assert_true(comes_back(&w.season));
	BREAK(known_s, UINT64_MAX);
	BREAK(hour, INT64_MAX);
	BREAK(hour, INT64_MIN);
	BREAK(hour_s, HOUR + 1);
	BREAK(hour_sum, INT64_MIN);
	BREAK(level.value, INT32_MIN);
	BREAK(level.room, -1);
	BREAK(high, -1);
	BREAK(high, INT32_MAX);
	BREAK(spread.value, 0);
	BREAK(spread.value, INT32_MAX);
	BREAK(minute_spread.value, 1);
	BREAK(minute_spread.value, INT32_MAX);
	BREAK(minute_s, 60);
	BREAK(minute_sum, INT64_MAX);
	BREAK(ramp, INT32_MAX);
	BREAK(ramp, -1);
	BREAK(hours[5], UINT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_rate_is_expected),
		cmocka_unit_test(more_than_there_can_be_is_the_most_there_can_be),
		cmocka_unit_test(a_fortnight_is_learned),
		cmocka_unit_test(the_weekend_is_not_the_week),
		cmocka_unit_test(a_slow_ramp_is_noticed),
		cmocka_unit_test(a_flood_does_not_become_usual),
		cmocka_unit_test(a_crowd_leaves_little_behind),
		cmocka_unit_test(what_was_missed_teaches_nothing),
		cmocka_unit_test(a_restart_changes_nothing),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
