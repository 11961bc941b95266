/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/season.h"

#include "base/varint.h"
#include "measure/slot.h"

#define ONE SEASON_ONE
#define HOUR_S 3600
#define HALF_HOUR_S (HOUR_S / 2)
#define DAY_HOURS 24
#define HOUR_UNIT (ONE / 1024)
#define HOUR_MAX (48 * 1024 + 1)
#define MINUTE_S 60
#define ALPHA 23 /* of 10,000: half-life of five minutes */
#define ALPHA_OF 10000
#define BEGIN_S 60               /* seconds at the beginning that count in full */
#define SPREAD_BEGIN (ONE / 4)   /* a wide one, until it is known */
#define SPREAD_MIN 968000        /* .05 nats as sigma */
#define SPREAD_MAX (ONE * 2 / 5) /* six sigma of it are eight times the rate */
#define MINUTE_SPREAD_MIN 387000 /* .02 nats */
#define CLAMP_SIGMAS 3
#define MOST_SIGMAS 6
#define DRIFT_HOUR 2306867         /* a tenth more */
#define DRIFT_PACKET_HOUR 24204406 /* a packet a second more, of so many packets that are expected */
#define HOUR_SHARE 4               /* an hour moves its average by a quarter of what it was off */
#define HIGH_STEP 386              /* moves .1 octaves a day down at most, two up */
#define HIGH_OF_100 95
#define RAMP_SLACK (ONE / 2)

/* ------------------------------------------------------------------ octaves */

/* log2(1 + rate), by squaring the mantissa: each overflow is a bit of the fraction. */
static int32_t octaves_of(uint64_t rate)
{
	uint64_t n = (rate < SEASON_RATE_MAX ? rate : SEASON_RATE_MAX) + 1;
	unsigned whole = 63 - (unsigned)__builtin_clzll(n);
	uint64_t mantissa = whole > 31 ? n >> (whole - 31) : n << (31 - whole); /* [1, 2) in 2^-31 */
	int32_t octaves = (int32_t)whole * ONE;

	for (int32_t bit = ONE / 2; bit > 0; bit /= 2) {
		mantissa = mantissa * mantissa >> 31;
		if (mantissa >> 32) {
			octaves += bit;
			mantissa >>= 1;
		}
	}
	return octaves;
}

/* 2^octaves - 1, rounded. */
static uint64_t rate_of(int64_t octaves)
{
	/* 2^(1/2), 2^(1/4), … in 2^-31 */
	static const uint32_t roots[] = {
		3037000500u, 2553802834u, 2341847524u, 2242560872u, 2194507417u, 2170868212u,
		2159144272u, 2153306067u, 2150392887u, 2148937775u, 2148210589u, 2147847087u
	};
	uint64_t mantissa = 1ull << 31;
	int64_t whole = octaves / ONE;

	if (octaves <= 0)
		return 0;
	if (octaves >= 48 * (int64_t)ONE)
		return SEASON_RATE_MAX;
	for (unsigned i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (octaves & (ONE >> (i + 1)))
			mantissa = mantissa * roots[i] >> 31;
	if (whole >= 31)
		return (mantissa << (whole - 31)) - 1;
	return ((mantissa + (1ull << (30 - whole))) >> (31 - whole)) - 1;
}

static int64_t clamped(int64_t value, int64_t most)
{
	return value > most ? most : value < -most ? -most : value;
}

/* ------------------------------------------------------------------ the week */

static unsigned hour_of_week(int64_t hour)
{
	int64_t rest = hour % SEASON_HOURS;

	return (unsigned)(rest < 0 ? rest + SEASON_HOURS : rest);
}

/* -1: none is known at all. */
static int32_t usual_in(const struct season *s, unsigned hour)
{
	for (unsigned back = 0; back < SEASON_HOURS; back += DAY_HOURS) {
		unsigned other = (hour + SEASON_HOURS - back) % SEASON_HOURS;

		if (s->hours[other])
			return (s->hours[other] - 1) * HOUR_UNIT;
	}
	for (unsigned back = 1; back < SEASON_HOURS; back++) {
		unsigned other = (hour + SEASON_HOURS - back) % SEASON_HOURS;

		if (s->hours[other])
			return (s->hours[other] - 1) * HOUR_UNIT;
	}
	return -1;
}

/* Without the level. */
static int32_t usual_at(const struct season *s, int64_t second)
{
	int64_t shifted = second - HALF_HOUR_S, hour = slot_floor_div(shifted, HOUR_S), into = shifted - hour * HOUR_S;
	int32_t before = usual_in(s, hour_of_week(hour)), after;

	if (before < 0)
		return 0;
	after = usual_in(s, hour_of_week(hour + 1));
	return before + (int32_t)((after - before) * into / HOUR_S);
}

static int64_t expected(const struct season *s, int64_t second)
{
	return (int64_t)usual_at(s, second) + s->level.value;
}

/* The hour is over: it says what is usual at such. What is expected does not jump by it. */
static void end_hour(struct season *s, int64_t second)
{
	int64_t was = expected(s, second);

	if (s->hour_s >= HALF_HOUR_S) {
		uint16_t *bin = &s->hours[hour_of_week(s->hour)];
		int64_t average = clamped(s->hour_sum / s->hour_s, 48 * (int64_t)ONE) / HOUR_UNIT;

		if (average < 0)
			average = 0;
		*bin = (uint16_t)(*bin ? *bin + (average + 1 - *bin) / HOUR_SHARE : average + 1);
		s->level.value = (int32_t)clamped(was - usual_at(s, second), SEASON_OCTAVES_MAX);
	}
	s->hour_sum = s->hour_s = 0;
}

/* ------------------------------------------------------------------ learning */

/* Until it is settled anything may rise freely. */
static void move(struct season_average *a, int64_t more, int64_t an_hour, unsigned seconds, bool settled)
{
	int64_t room = settled ? a->room + (an_hour * seconds + HOUR_S - 1) / HOUR_S : an_hour;

	if (settled && more > room)
		more = room;
	room = settled ? room - more : room;
	a->value = (int32_t)clamped(a->value + more, SEASON_OCTAVES_MAX);
	a->room = (int32_t)(room < an_hour ? room : an_hour);
}

static void move_level(struct season *s, int64_t more, int64_t expected_now)
{
	int64_t packet = DRIFT_PACKET_HOUR / (int64_t)(rate_of(expected_now) + 1);

	move(&s->level, more, packet > DRIFT_HOUR ? packet : DRIFT_HOUR, 1, season_is_settled(s));
}

static void move_spread(struct season_average *spread, int64_t distance, int64_t alpha, unsigned seconds, bool settled,
                        int32_t least)
{
	int64_t more = ((distance < 0 ? -distance : distance) - spread->value) * alpha / ALPHA_OF;

	move(spread, more, (int64_t)spread->value * SEASON_DRIFT_PERCENT / 100, seconds, settled);
	if (spread->value < least)
		spread->value = least;
	if (spread->value > SPREAD_MAX)
		spread->value = SPREAD_MAX;
}

static int64_t sigma_of(const struct season_average *spread)
{
	return (int64_t)spread->value * 5 / 4;
}

static void end_minute(struct season *s)
{
	int64_t mean = s->minute_sum / s->minute_s, sigma = sigma_of(&s->minute_spread);
	/* A jump is no ramp: up, a minute counts for one sigma at most, so that it takes three quarters of an hour. */
	int64_t off = clamped(mean * ONE / sigma, CLAMP_SIGMAS * (int64_t)ONE);
	int64_t ramp = s->ramp + (off > ONE ? ONE : off) - RAMP_SLACK;

	s->ramp = (int32_t)(ramp < 0 ? 0 : ramp > SEASON_RAMP_MAX ? SEASON_RAMP_MAX : ramp);
	move_spread(&s->minute_spread, clamped(mean, CLAMP_SIGMAS * sigma), 4 * ALPHA, MINUTE_S, season_is_settled(s),
	            MINUTE_SPREAD_MIN);
	s->minute_sum = s->minute_s = 0;
}

static void learn_high(struct season *s, int32_t x)
{
	int64_t step = (int64_t)ONE / (int64_t)(s->known_s + 1), high;

	if (step < HIGH_STEP)
		step = HIGH_STEP;
	high = s->high + (x > s->high ? step * HIGH_OF_100 : -step * (100 - HIGH_OF_100)) / 100;
	s->high = (int32_t)(high < 0 ? 0 : clamped(high, SEASON_OCTAVES_MAX));
}

void season_learn(struct season *s, int64_t second, uint64_t rate)
{
	int64_t hour = slot_floor_div(second, HOUR_S), sigma, off, more;
	int32_t x = octaves_of(rate);

	if (s->known_s == 0)
		*s = (struct season){
			.hour = hour,
			.level = { .value = x },
			.high = x,
			.spread = { .value = SPREAD_BEGIN },
			.minute_spread = { .value = SPREAD_BEGIN },
		};
	if (hour != s->hour) {
		end_hour(s, second);
		s->hour = hour;
	}
	sigma = sigma_of(&s->spread);
	off = x - expected(s, second);
	if (s->known_s < BEGIN_S) {
		more = off / (int64_t)(s->known_s + 1);
	} else {
		off = clamped(off, CLAMP_SIGMAS * sigma);
		more = off * ALPHA / ALPHA_OF;
	}
	move_level(s, more, expected(s, second));
	move_spread(&s->spread, off, ALPHA, 1, season_is_settled(s), SPREAD_MIN);
	learn_high(s, x);
	s->hour_sum += expected(s, second);
	s->hour_s++;
	s->minute_sum += off;
	s->known_s++;
	if (++s->minute_s >= MINUTE_S)
		end_minute(s);
}

/* ------------------------------------------------------------------ asking */

uint64_t season_expected(const struct season *s, int64_t second)
{
	return rate_of(expected(s, second));
}

uint64_t season_most(const struct season *s, int64_t second)
{
	uint64_t by_sigma = rate_of(expected(s, second) + MOST_SIGMAS * sigma_of(&s->spread)),
		 by_high = rate_of(s->high) * 3 / 2;

	return by_sigma > by_high ? by_sigma : by_high;
}

bool season_is_ramp(const struct season *s)
{
	return s->known_s >= SEASON_WEEK_S && s->ramp >= SEASON_RAMP;
}

/* ------------------------------------------------------------------ octets */

static size_t put_average(uint8_t *at, const struct season_average *a)
{
	size_t length = varint_write(at, varint_fold(a->value));

	return length + varint_write(at + length, (uint64_t)a->room);
}

size_t season_pack(const struct season *s, uint8_t *at)
{
	size_t length = varint_write(at, s->known_s);
	uint16_t before = 0;

	length += varint_write(at + length, varint_fold(s->hour));
	length += varint_write(at + length, varint_fold(s->hour_sum));
	length += varint_write(at + length, s->hour_s);
	length += put_average(at + length, &s->level);
	length += put_average(at + length, &s->spread);
	length += put_average(at + length, &s->minute_spread);
	length += varint_write(at + length, varint_fold(s->minute_sum));
	length += varint_write(at + length, s->minute_s);
	length += varint_write(at + length, (uint64_t)s->high);
	length += varint_write(at + length, (uint64_t)s->ramp);
	for (unsigned i = 0; i < SEASON_HOURS; i++) {
		length += varint_write(at + length, varint_fold((int64_t)s->hours[i] - before));
		before = s->hours[i];
	}
	return length;
}

static int64_t get_in(struct cursor *c, int64_t least, int64_t most)
{
	int64_t value = varint_unfold(cursor_varint(c));

	if (value >= least && value <= most)
		return value;
	c->failed = true;
	return 0;
}

static uint64_t get_up_to(struct cursor *c, uint64_t most)
{
	uint64_t value = cursor_varint(c);

	if (value <= most)
		return value;
	c->failed = true;
	return 0;
}

static void get_average(struct cursor *c, struct season_average *a, int64_t least, int64_t most)
{
	a->value = (int32_t)get_in(c, least, most);
	/* There is never more room than for a packet a second where none is expected. */
	a->room = (int32_t)get_up_to(c, DRIFT_PACKET_HOUR);
}

void season_unpack(struct cursor *c, struct season *s)
{
	const int64_t most = SEASON_OCTAVES_MAX, hours = INT64_MAX / HOUR_S;
	int64_t before = 0;

	*s = (struct season){ .known_s = get_up_to(c, UINT64_MAX / 2) };
	s->hour = get_in(c, -hours, hours);
	s->hour_sum = get_in(c, -2 * most * HOUR_S, 2 * most * HOUR_S);
	s->hour_s = (uint32_t)get_up_to(c, HOUR_S);
	get_average(c, &s->level, -most, most);
	get_average(c, &s->spread, s->known_s ? SPREAD_MIN : 0, SPREAD_MAX);
	get_average(c, &s->minute_spread, s->known_s ? MINUTE_SPREAD_MIN : 0, SPREAD_MAX);
	s->minute_sum = get_in(c, -2 * most * MINUTE_S, 2 * most * MINUTE_S);
	s->minute_s = (uint32_t)get_up_to(c, MINUTE_S - 1);
	s->high = (int32_t)get_up_to(c, SEASON_OCTAVES_MAX);
	s->ramp = (int32_t)get_up_to(c, SEASON_RAMP_MAX);
	for (unsigned i = 0; i < SEASON_HOURS && !c->failed; i++) {
		before += get_in(c, -before, HOUR_MAX - before);
		s->hours[i] = (uint16_t)before;
	}
}
