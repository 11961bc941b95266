/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine has learned, handed on: the same octets come out again, nothing of an attack is in it, what was usual
 * raises no alarm in the next generation, and nobody makes a flood usual by sending a little more each hour.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/octets.h"
#include "engine/engine.h"
#include "engine/learned.h"
#include "engine/live.h"
#include "made.h"

#define SEED 20250310u
#define VERSION_AT 4 /* behind the mark */
#define START (1741599912 * NS_PER_S)
#define HOST 0xc0000201u /* 192.0.2.1 */

struct octets {
	uint8_t *at;
	size_t length;
};

static struct octets saved(const struct engine *e)
{
	struct octets octets = { 0 };

	assert_int_equal(engine_save(e, &octets.at, &octets.length), 0);
	return octets;
}

static struct engine *begun(const struct octets *with)
{
	struct engine *e = engine_new(SEED);

	assert_non_null(e);
	if (with)
		assert_int_equal(engine_restore(e, with->at, with->length), 0);
	return e;
}

static void give(struct engine *e, const struct observation *o)
{
	struct packet packet = { .observation = *o };

	engine_prepare(e, &packet);
	engine_observe(e, &packet, 1);
}

/* Datagrams that nobody answers, evenly, by so many sources. */
static void send(struct engine *e, int64_t from_ms, int64_t to_ms, uint32_t pps, uint32_t sources, uint16_t port,
                 uint16_t payload)
{
	uint64_t draws = (uint64_t)from_ms + 7;

	for (int64_t ns = from_ms * NS_PER_MS; ns < to_ms * NS_PER_MS; ns += NS_PER_S / pps) {
		uint32_t source = made_below(&draws, sources);
		struct observation o = made_udp(START + ns, made_ipv4(0x5b000000u + source), (uint16_t)(1024 + source),
		                                made_ipv4(HOST), port, payload);

		give(e, &o);
	}
}

static uint32_t incidents(const struct engine *e)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < engine_incident_count(e); i++)
		count += engine_incident(e, i) != NULL;
	return count;
}

static void the_same_octets_come_out_again(void **state)
{
	struct engine *first = begun(NULL), *second;
	struct octets a, b;

	(void)state;
	send(first, 0, 60000, 150, 40, 9999, 100);
	a = saved(first);
	second = begun(&a);
	b = saved(second);
	assert_int_equal(a.length, b.length);
	assert_memory_equal(a.at, b.at, a.length);
	free(a.at);
	free(b.at);
	engine_free(first);
	engine_free(second);
}

static void octets_of_others_are_refused(void **state)
{
	struct engine *e = begun(NULL), *other;
	struct octets octets;

	(void)state;
	send(e, 0, 30000, 100, 40, 9999, 100);
	octets = saved(e);
	other = begun(NULL);
	for (size_t i = 0; i < octets.length; i += 1 + octets.length / 500) {
		octets.at[i] ^= 0x41;
		assert_int_equal(engine_restore(other, octets.at, octets.length), -EBADMSG);
		octets.at[i] ^= 0x41;
	}
	for (size_t length = 0; length < octets.length; length += 1 + octets.length / 100)
		assert_int_equal(engine_restore(other, octets.at, length), -EBADMSG);
	assert_int_equal(engine_restore(other, octets.at, octets.length), 0);
	free(octets.at);
	engine_free(e);
	engine_free(other);
}

/* Whole, and of a version in which kinds had other numbers: that is said apart from damage. */
static void what_another_version_learned_is_refused(void **state)
{
	struct engine *e = begun(NULL), *other = begun(NULL);
	struct octets octets;
	struct live *live;

	(void)state;
	send(e, 0, 30000, 100, 40, 9999, 100);
	octets = saved(e);
	octets.at[VERSION_AT]--;
	(void)octets_put_u64_be(octets.at + octets.length - LEARNED_SUM_SIZE,
	                        learned_sum(octets.at, octets.length - LEARNED_SUM_SIZE));
	assert_int_equal(engine_restore(other, octets.at, octets.length), -EPROTONOSUPPORT);
	assert_int_equal(live_new(1, NULL, 0, octets.at, octets.length, &live), -EPROTONOSUPPORT);
	assert_non_null(live_engine(live)); /* it knows nothing, and works */
	live_free(live);
	free(octets.at);
	engine_free(e);
	engine_free(other);
}

static void an_attack_is_not_learned(void **state)
{
	struct engine *e = begun(NULL);
	struct learned learned;
	struct octets octets;
	uint32_t of_attack = 0, normal = 0;

	(void)state;
	send(e, 0, 40000, 50, 20, 9999, 100);
	send(e, 40000, 45000, 20000, 5000, 4000, 1000);
	assert_int_equal(incidents(e), 1);
	octets = saved(e);
	assert_int_equal(learned_read(octets.at, octets.length, &learned), 0);
	for (uint32_t i = 0; i < learned.normal.used; i++) {
		struct observation o;

		sample_read(&learned.normal, i, &o);
		of_attack += o.dst_port == 4000;
		normal += o.dst_port == 9999;
	}
	assert_int_equal(of_attack, 0);
	assert_true(normal > 1900);
	for (uint32_t i = 0; i < learned.usual_count; i++)
		assert_true(learned.usual[i].packets < 100 * 1000);
	learned_fini(&learned);
	free(octets.at);
	engine_free(e);
}

/* A service that nobody answers in what is seen, busy all the time: who has not learned it takes it for a flood. */
static void what_was_usual_is_no_attack(void **state)
{
	const struct usual usual = {
		.scope = { .address = made_ipv4(HOST), .length = 32, .is_ipv4 = true },
		.known_s = 5000,
		.packets = 6000 * 1000,
		.unsettled = 6000 * 1000,
	};
	struct usual all[64];
	struct learned learned = { .seconds = 5000, .usual = all };
	struct engine *knows, *knows_not = begun(NULL);
	struct octets octets;

	(void)state;
	for (uint32_t kind = 0; kind < 64; kind++) { /* of whichever kind it is taken for */
		all[learned.usual_count] = usual;
		all[learned.usual_count++].kind = (uint8_t)kind;
	}
	sample_init(&learned.normal, LEARNED_SAMPLE_MAX);
	assert_int_equal(learned_write(&learned, &octets.at, &octets.length), 0);
	knows = begun(&octets);
	send(knows, 0, 20000, 6000, 300, 4000, 600);
	send(knows_not, 0, 20000, 6000, 300, 4000, 600);
	assert_int_equal(incidents(knows_not), 1);
	assert_int_equal(incidents(knows), 0);
	send(knows, 20000, 24000, 60000, 300, 4000, 600);
	assert_int_equal(incidents(knows), 1);
	free(octets.at);
	engine_free(knows);
	engine_free(knows_not);
}

/* Quiet but for the six hours that the START is in the midst of; on each day of eight. */
static void learn_days(struct season *season, uint64_t quiet, uint64_t busy)
{
	const int64_t start_s = START / NS_PER_S;

	for (int64_t second = start_s - 8LL * 86400; second < start_s; second++) {
		int64_t since = (second - start_s + 9LL * 86400 + 3 * 3600) % 86400;

		season_learn(season, second, since < 6 * 3600 ? busy : quiet);
	}
}

static struct octets with_seasons(const struct season *season)
{
	static struct usual all[64];
	struct learned learned = { .seconds = 8 * 86400, .usual = all };
	struct octets octets;

	for (uint32_t kind = 0; kind < 64; kind++) {
		struct usual *usual = &all[learned.usual_count++];

		*usual = (struct usual){
			.scope = { .address = made_ipv4(HOST), .length = 32, .is_ipv4 = true },
			.kind = (uint8_t)kind,
			.known_s = 8 * 86400,
			.packets = 100 * 1000,
			.unsettled = 100 * 1000,
		};
		for (unsigned i = 0; season && i < USUAL_SEASONS; i++)
			usual->seasons[i] = *season;
	}
	sample_init(&learned.normal, LEARNED_SAMPLE_MAX);
	assert_int_equal(learned_write(&learned, &octets.at, &octets.length), 0);
	return octets;
}

/* How many incidents there are of so much, which nobody answers, for twenty seconds. */
static uint32_t incidents_of(const struct octets *learned, int64_t from_ms, uint32_t pps)
{
	struct engine *e = begun(learned);
	uint32_t count;

	send(e, from_ms, from_ms + 20000, pps, 300, 4000, 600);
	count = incidents(e);
	engine_free(e);
	return count;
}

static void a_busy_hour_is_no_attack(void **state)
{
	const int64_t later = 12LL * 3600 * 1000;
	struct season season = { 0 };
	struct octets hours, means = with_seasons(NULL), quiet;

	(void)state;
	learn_days(&season, 100, 6000);
	hours = with_seasons(&season);
	assert_int_equal(incidents_of(&means, 0, 6000), 1);
	assert_int_equal(incidents_of(&hours, 0, 6000), 0);
	assert_int_equal(incidents_of(&hours, 0, 24000), 1);
	/*
	 * What is usual by day may well come at night, too: but not twice that, which by day is hardly more than usual.
	 */
	assert_int_equal(incidents_of(&hours, later, 15000), 1);
	memset(&season, 0, sizeof(season));
	learn_days(&season, 100, 100);
	quiet = with_seasons(&season);
	assert_int_equal(incidents_of(&quiet, 0, 6000), 1);
	free(hours.at);
	free(means.at);
	free(quiet.at);
}

/* It never raises an alarm, but half of what else would be is enough. */
static void a_ramp_alone_is_no_attack(void **state)
{
	struct season season = { 0 };
	struct octets ramp, none;
	uint32_t enough = 200;

	(void)state;
	learn_days(&season, 20, 20);
	season.ramp = 0;
	none = with_seasons(&season);
	season.ramp = SEASON_RAMP;
	ramp = with_seasons(&season);
	while (enough < 10000 && !incidents_of(&none, 0, enough))
		enough += 100;
	assert_in_range(enough, 300, 5000);
	assert_int_equal(incidents_of(&none, 0, enough - 100), 0);
	assert_int_equal(incidents_of(&ramp, 0, enough - 100), 1);
	assert_int_equal(incidents_of(&ramp, 0, 60), 0);
	free(ramp.at);
	free(none.at);
}

/* From one generation to the next; not while there is an attack; silence, too. */
static void hours_are_learned_on(void **state)
{
	struct season season = { 0 };
	struct octets octets, after;
	struct learned learned;
	struct engine *e;
	uint32_t seen = 0, silent = 0, attacked = 0;

	(void)state;
	learn_days(&season, 100, 300);
	octets = with_seasons(&season);
	e = begun(&octets);
	send(e, 0, 200000, 300, 300, 9999, 100);
	send(e, 200000, 205000, 20000, 5000, 19, 1000);
	assert_int_equal(incidents(e), 1);
	after = saved(e);
	assert_int_equal(learned_read(after.at, after.length, &learned), 0);
	for (uint32_t i = 0; i < learned.usual_count; i++) {
		const struct usual *usual = &learned.usual[i];
		const struct season *s = &usual->seasons[USUAL_UNSETTLED];
		uint64_t more = s->known_s - season.known_s;

		if (usual->scope.length != 32 || usual->kind >= 64)
			continue;
		attacked += season_expected(s, START / NS_PER_S + 205) > 400;
		/* It went quiet for most: they know of it, and it takes them longer to believe it. */
		silent += more >= 190 && season_expected(s, START / NS_PER_S + 205) < 285;
		seen += more >= 150 && season_expected(s, START / NS_PER_S + 205) >= 290;
	}
	assert_int_equal(attacked, 0);
	assert_int_equal(seen, 1);
	assert_in_range(silent, 50, 62);
	learned_fini(&learned);
	free(octets.at);
	free(after.at);
	engine_free(e);
}

/* Generations, each from what the one before has learned: the week goes on in them as in one. */
static void a_day_and_more_of_generations(void **state)
{
	const int64_t generation_s = 3600, hours = 30;
	struct octets octets = { 0 }, next;
	struct learned learned;
	uint32_t days = 0;

	(void)state;
	for (int64_t from = 0; from < hours * 3600; from += generation_s) {
		struct engine *e = begun(octets.at ? &octets : NULL);

		/* More by day, from the eighth hour on. */
		send(e, from * 1000, (from + generation_s) * 1000, from % 86400 < 8 * 3600 ? 2 : 8, 40, 9999, 100);
		next = saved(e);
		free(octets.at);
		octets = next;
		assert_int_equal(incidents(e), 0);
		engine_free(e);
	}
	assert_int_equal(learned_read(octets.at, octets.length, &learned), 0);
	for (uint32_t i = 0; i < learned.usual_count; i++) {
		const struct season *s = &learned.usual[i].seasons[USUAL_UNSETTLED];
		const int64_t start_s = START / NS_PER_S;

		if (learned.usual[i].scope.length != 32 || !season_is_settled(s))
			continue;
		days++;
		assert_true(s->known_s > (uint64_t)(hours * 3600 * 95 / 100) && s->known_s < (uint64_t)(hours * 3600));
		/* Of tomorrow, what today was. */
		assert_in_range(season_expected(s, start_s + (24 + 12) * 3600), 7, 10);
		assert_in_range(season_expected(s, start_s + (24 + 7) * 3600), 1, 3);
	}
	assert_int_equal(days, 1);
	learned_fini(&learned);
	free(octets.at);
}

static void usual_rises_slowly_and_falls_freely(void **state)
{
	struct usual usual = { .known_s = USUAL_SETTLED_S, .packets = 1000000, .unsettled = 500000 }, seen = usual;

	(void)state;
	for (unsigned hour = 0; hour < 10; hour++)
		for (unsigned tenth = 0; tenth < 6; tenth++) {
			seen.packets = seen.unsettled = 50000000;
			usual = usual_after(&usual, &seen, 600);
		}
	/* 1.1^10 = 2.6; compounded in sixths 2.7, and a packet a second more each hour */
	assert_true(usual.packets > 2500000 && usual.packets < 2800000);
	assert_true(usual.unsettled < 1400000);
	assert_int_equal(usual.known_s, USUAL_SETTLED_S + 36000);
	seen.packets = seen.unsettled = 1000;
	usual = usual_after(&usual, &seen, 600);
	assert_int_equal(usual.packets, 1000);
	/* Who has hardly been watched is learned as he is. */
	usual.known_s = 600;
	seen.packets = 50000000;
	usual = usual_after(&usual, &seen, 600);
	assert_int_equal(usual.packets, 50000000);
}

static void the_sample_forgets_by_halves(void **state)
{
	uint64_t half = learned_age(1ull << 60, LEARNED_HALF_S);

	(void)state;
	assert_true(half > (1ull << 61) - (1ull << 50) && half < (1ull << 61) + (1ull << 50));
	assert_true(learned_age(UINT64_MAX - 5, 3600) == UINT64_MAX);
	assert_true(learned_age(77, 59) == 77);
	for (uint64_t p = 1; p < UINT64_MAX / 7; p *= 7) /* the order stays */
		assert_true(learned_age(p, 6000) < learned_age(p + 1, 6000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_octets_come_out_again),
		cmocka_unit_test(octets_of_others_are_refused),
		cmocka_unit_test(what_another_version_learned_is_refused),
		cmocka_unit_test(an_attack_is_not_learned),
		cmocka_unit_test(what_was_usual_is_no_attack),
		cmocka_unit_test(a_busy_hour_is_no_attack),
		cmocka_unit_test(a_ramp_alone_is_no_attack),
		cmocka_unit_test(hours_are_learned_on),
		cmocka_unit_test(a_day_and_more_of_generations),
		cmocka_unit_test(usual_rises_slowly_and_falls_freely),
		cmocka_unit_test(the_sample_forgets_by_halves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
