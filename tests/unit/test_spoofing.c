/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts on windows whose sources were made: forged at random, gathered in networks, relays, visitors. Extremes, not
 * thresholds. Then test by test, with rosters and samples: what each says of populations for which the answer is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "trace/spoofing.h"

#define SEED 20250310u

static struct incident incident;

static int setup(void **state)
{
	memset(&incident, 0, sizeof(incident));
	incident.parts[0].kind = VECTOR_SYN;
	incident.parts[0].window = window_new(0);
	incident.parts_count = 1;
	*state = incident.parts[0].window;
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	window_free(*state);
	return 0;
}

static void add(struct window *w, struct address src, uint8_t ttl)
{
	struct observation o = made_tcp(0, src, 40000, made_ipv4(0xc0000201u), 443, TCP_SYN, 1, 0);
	struct keys keys;

	o.ttl = ttl;
	keys_make(&keys, &o, SEED);
	window_add(w, &o, &keys);
}

/* The verdict, which is never without a reason that is whole. */
static enum spoofing_verdict judge(void)
{
	struct spoofing spoofing;

	memset(&spoofing, 0x55, sizeof(spoofing));
	spoofing_judge(&incident, &spoofing);
	assert_in_range(spoofing.reasons_count, 1, SPOOFING_REASONS_MAX);
	for (uint32_t i = 0; i < spoofing.reasons_count; i++)
		assert_in_range(strnlen(spoofing.reasons[i], SPOOFING_REASON_SIZE), 10, SPOOFING_REASON_SIZE - 1);
	return spoofing.verdict;
}

static void random_sources(void **state)
{
	uint64_t draws = 1;

	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv4((uint32_t)made_random(&draws)), 250);
	assert_int_equal(judge(), SPOOFING_SPOOFED);
}

static void random_sources_that_vary_all_they_can(void **state)
{
	uint64_t draws = 2;

	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv4((uint32_t)made_random(&draws)), (uint8_t)made_random(&draws));
	assert_int_equal(judge(), SPOOFING_SPOOFED);
}

static void random_sources_ipv6(void **state)
{
	uint64_t draws = 3;

	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv6(0x2000000000000000u | made_random(&draws) >> 3, made_random(&draws)), 55);
	assert_int_equal(judge(), SPOOFING_SPOOFED);
}

/* A botnet: hosts that come again and again, from networks that hold several. */
static void a_botnet(void **state)
{
	uint64_t draws = 4;
	uint32_t networks[80];

	for (unsigned i = 0; i < 80; i++)
		networks[i] = (uint32_t)made_random(&draws) & 0x5fffff00u;
	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv4(networks[made_below(&draws, 80)] + made_below(&draws, 40)),
		    (uint8_t)(40 + made_below(&draws, 80)));
	assert_int_equal(judge(), SPOOFING_UNDETERMINED);
}

/*
 * Everybody at once, most for the first time, from the networks of one country: that each address is seen once is one
 * sign, and one is not enough.
 */
static void a_crowd_of_newcomers(void **state)
{
	uint64_t draws = 9;

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t network = 0x5b000000u + (made_below(&draws, 12) << 20);

		add(*state, made_ipv4(network + made_below(&draws, 1 << 20)), (uint8_t)(40 + made_below(&draws, 80)));
	}
	assert_int_equal(judge(), SPOOFING_UNDETERMINED);
}

static void one_source(void **state)
{
	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv4(0x5b010203u), 57);
	assert_int_equal(judge(), SPOOFING_UNDETERMINED);
}

static void one_packet(void **state)
{
	add(*state, made_ipv4(0x5b010203u), 57);
	assert_int_equal(judge(), SPOOFING_UNDETERMINED);
}

/* Reserved addresses alone prove nothing: laboratories live in them. */
static void a_laboratory(void **state)
{
	uint64_t draws = 5;

	for (unsigned i = 0; i < 50000; i++)
		add(*state, made_ipv4(0x0a000000u + made_below(&draws, 2000)), 64);
	assert_int_equal(judge(), SPOOFING_UNDETERMINED);
}

/* A forged address cannot finish a handshake. */
static void who_shakes_hands_is_real(void **state)
{
	struct window *w = *state;
	uint64_t draws = 6;

	for (unsigned i = 0; i < 50000; i++)
		add(w, made_ipv4((uint32_t)made_random(&draws)), 57);
	w->handshakes = 40000;
	assert_int_not_equal(judge(), SPOOFING_SPOOFED);
}

static void the_class_decides(void **state)
{
	uint64_t draws = 7;

	for (unsigned i = 0; i < 20000; i++)
		add(*state, made_ipv4((uint32_t)made_random(&draws)), 57);
	for (size_t id = 1; id < vector_count(); id++) {
		incident.parts[0].kind = (uint8_t)id;
		switch (vector_get((uint8_t)id)->class) {
		case VECTOR_REFLECTION:
			assert_int_equal(judge(), SPOOFING_REFLECTORS);
			break;
		case VECTOR_CONVERSATION:
		case VECTOR_APPLICATION:
			assert_int_equal(judge(), SPOOFING_VERIFIED);
			break;
		case VECTOR_STATELESS:
			assert_int_equal(judge(), SPOOFING_SPOOFED);
			break;
		case VECTOR_SCAN:
			assert_int_not_equal(judge(), SPOOFING_SPOOFED);
			break;
		}
	}
}

/* With every reason at once and the largest numbers, no reason is cut or lost its end. */
static void the_largest_numbers(void **state)
{
	struct window *w = *state;
	uint64_t draws = 8;

	for (unsigned i = 0; i < 5000; i++)
		add(w, made_ipv4((uint32_t)made_random(&draws)), 57);
	w->packets = w->bogons = w->handshakes = w->resets_back = UINT64_MAX / 2000;
	for (size_t id = 1; id < vector_count(); id++) {
		incident.parts[0].kind = (uint8_t)id;
		(void)judge();
	}
}

/* ---- test by test, with rosters ---- */

static int setup_whole(void **state)
{
	(void)state;
	memset(&incident, 0, sizeof(incident));
	incident.parts[0] = (struct incident_part){ .kind = VECTOR_SYN,
		                                    .window = window_new(INCIDENT_SAMPLE),
		                                    .roster = roster_new(ROSTER_MAX) };
	incident.parts_count = 1;
	return incident.parts[0].window && incident.parts[0].roster ? 0 : -1;
}

static int teardown_whole(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < incident.parts_count; i++)
		incident_part_fini(&incident.parts[i]);
	return 0;
}

static void record(uint32_t part, const struct observation *o)
{
	struct keys keys;

	keys_make(&keys, o, SEED);
	window_add(incident.parts[part].window, o, &keys);
	roster_add(incident.parts[part].roster, o, &keys, 0);
}

static void mark(uint32_t part, const struct observation *o, unsigned marks)
{
	struct keys keys;

	keys_make(&keys, o, SEED);
	roster_mark(incident.parts[part].roster, o, &keys, marks);
}

static struct observation syn(struct address src, uint8_t ttl, uint64_t *draws)
{
	/* One after the other: in which order a call's arguments are drawn is the compiler's. */
	int64_t ns = (int64_t)(made_random(draws) % NS_PER_S);
	uint16_t port = (uint16_t)made_random(draws);
	uint32_t seq = (uint32_t)made_random(draws);
	struct observation o = made_tcp(ns, src, port, made_ipv4(0xc0000201u), 443, TCP_SYN, seq, 0);

	o.ttl = ttl;
	o.ip_id = (uint16_t)made_random(draws);
	return o;
}

static struct spoofing judged;

/* The shares of whatever there is add up to everything. */
static void assert_whole(const struct spoofing_shares *s)
{
	double all = s->spoofed + s->verified + s->reflectors + s->undetermined;

	assert_true(s->spoofed >= 0 && s->verified >= 0 && s->reflectors >= 0 && s->undetermined >= 0);
	assert_true(all > 0.999999 && all < 1.000001);
}

static const struct spoofing_test *test_of(const char *name)
{
	for (uint32_t i = 0; i < judged.tests_count; i++)
		if (strcmp(judged.tests[i].name, name) == 0)
			return &judged.tests[i];
	return NULL;
}

/* All nine tests are there, in words too. */
static void judge_part(uint32_t part)
{
	static const char *const all[] = { "handshakes", "bogons",     "uniformity", "repeats", "networks",
		                           "hops",       "dependence", "resets",     "clones" };

	memset(&judged, 0x55, sizeof(judged));
	spoofing_judge_part(&incident, part, &judged);
	assert_int_equal(judged.tests_count, sizeof(all) / sizeof(all[0]));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_string_equal(judged.tests[i].name, all[i]);
		assert_in_range(strnlen(judged.tests[i].text, SPOOFING_REASON_SIZE), 20, SPOOFING_REASON_SIZE - 2);
	}
	assert_in_range(judged.reasons_count, 1, 5);
	assert_whole(&judged.packets);
	assert_whole(&judged.sources);
}

#define assert_between(value, low, high) assert_true((value) >= (low) && (value) <= (high))
#define assert_unknown(value) assert_true((value) != (value))
#define says(name) ((int)test_of(name)->says)
#define value_of(name) (test_of(name)->value)
#define expected_of(name) (test_of(name)->expected)

/* Random numbers: each test meets what chance makes of it. */
static void uniform_forgery(void **state)
{
	uint64_t draws = 11;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		struct observation o = syn(made_ipv4((uint32_t)made_random(&draws)), (uint8_t)(40 + i % 7), &draws);

		record(0, &o);
	}
	judge_part(0);
	assert_int_equal(judged.verdict, SPOOFING_SPOOFED);
	assert_int_equal(says("uniformity"), SPOOFING_SPOOFED);
	assert_between(value_of("uniformity"), 0, 0.1);
	assert_between(expected_of("uniformity"), 0.01, 0.1);
	assert_int_equal(says("repeats"), SPOOFING_SPOOFED);
	/* 100,000^2 / 2^33 = 1.2, seen in a part of them that stands for four times as many */
	assert_between(expected_of("repeats"), 0.1, 1.3);
	assert_between(value_of("repeats"), 0, 6);
	assert_int_equal(says("networks"), SPOOFING_SPOOFED);
	assert_between(value_of("networks"), expected_of("networks") * 0.95, expected_of("networks") * 1.05);
	assert_between(value_of("bogons"), 0.13, 0.146);
	assert_int_equal(says("bogons"), SPOOFING_UNDETERMINED);
	assert_int_equal(says("dependence"), SPOOFING_UNDETERMINED);
	/* What chance gives in one of many such floods is a little more than what it is expected to give at most. */
	assert_between(value_of("dependence"), 0, expected_of("dependence") * 1.2);
	assert_true(value_of("handshakes") == 0 && value_of("resets") == 0);
	assert_unknown(value_of("clones"));
	assert_true(judged.packets.spoofed == 1 && judged.sources.spoofed == 1);
}

/* Ten million sources lie in fewer /24s than there are of them: that is what random numbers do, too. */
static void more_sources_than_networks(void **state)
{
	uint64_t draws = 12;

	(void)state;
	for (unsigned i = 0; i < 8000000; i++) {
		struct observation o = made_tcp(0, made_ipv4((uint32_t)made_random(&draws)), 4000,
		                                made_ipv4(0xc0000201u), 443, TCP_SYN, i, 0);

		record(0, &o);
	}
	judge_part(0);
	assert_int_equal(says("networks"), SPOOFING_SPOOFED);
	assert_true(value_of("networks") < 0.85 * 8e6);
}

/* Once forged, then used again and again: no packet is its source's only one, but the spread is what it is. */
static void a_forged_list(void **state)
{
	uint64_t draws = 13;
	static uint32_t list[5000];

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		list[i] = (uint32_t)made_random(&draws);
	for (unsigned i = 0; i < 100000; i++) {
		struct observation o = syn(made_ipv4(list[i % 5000]), (uint8_t)(40 + made_below(&draws, 80)), &draws);

		record(0, &o);
	}
	judge_part(0);
	assert_int_equal(says("repeats"), SPOOFING_UNDETERMINED);
	assert_true(value_of("repeats") == 95000);
	assert_int_equal(says("uniformity"), SPOOFING_SPOOFED);
	assert_int_equal(judged.verdict, SPOOFING_SPOOFED);
}

static struct address bot(uint32_t number)
{
	uint64_t draws = number / 20 + 1000; /* twenty in a /24, in forty of the first octets */
	uint32_t network = (uint32_t)made_random(&draws);

	return made_ipv4((1 + network % 40 * 5) << 24 | (network & 0xffff00) | number % 20);
}

/* Devices in networks: those of one are as far away as each other, and come again. */
static void a_botnet_in_networks(void **state)
{
	uint64_t draws = 14;

	(void)state;
	for (unsigned i = 0; i < 60000; i++) {
		uint32_t who = made_below(&draws, 4000);
		struct observation o = syn(bot(who), (uint8_t)(34 + who / 20 % 25 + made_below(&draws, 2)), &draws);

		o.tcp.mss = 1400;
		o.tcp.tsval = (uint32_t)made_random(&draws);
		record(0, &o);
	}
	judge_part(0);
	assert_int_equal(judged.verdict, SPOOFING_UNDETERMINED);
	for (uint32_t i = 0; i < judged.tests_count; i++)
		assert_int_equal(judged.tests[i].says, SPOOFING_UNDETERMINED);
	assert_between(value_of("uniformity"), 1, 5);
	assert_between(value_of("networks"), 190, 210);
	assert_true(judged.packets.undetermined == 1);
}

/* Neighbours as far apart as strangers are suspicious, and as near as neighbours are not. */
static void neighbours(void **state)
{
	uint64_t draws = 15;

	for (unsigned random = 0; random < 2; random++) {
		for (uint32_t who = 0; who < 4000; who++) {
			uint32_t hops = random ? made_below(&draws, 25) : who / 20 % 25;
			struct observation o = syn(bot(who), (uint8_t)((who % 2 ? 64 : 128) - hops), &draws);

			record(0, &o);
		}
		judge_part(0);
		if (random)
			assert_between(value_of("hops"), 0.7, 0.9);
		else
			assert_between(value_of("hops"), 0, 0);
		assert_between(expected_of("hops"), 0.7, 0.9);
		assert_int_equal(strstr(test_of("hops")->text, "suspicion") != NULL, random);
		teardown_whole(state);
		setup_whole(state);
	}
}

static void one_way_for_all(void **state)
{
	uint64_t draws = 16;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct observation o = syn(made_ipv4((uint32_t)made_random(&draws)), 52, &draws);

		record(0, &o);
	}
	judge_part(0);
	assert_int_equal(says("hops"), SPOOFING_SPOOFED);
	assert_true(value_of("hops") == 1);
}

/* A generator's next number after the address is the port, or the ID, or the sequence number. */
static void one_generator(void **state)
{
	uint64_t draws = 17;

	for (unsigned field = 0; field < 3; field++) {
		static const char *const words[] = { "port", "ID", "sequence" };

		for (unsigned i = 0; i < 8000; i++) {
			uint32_t number = (uint32_t)made_random(&draws), next = number * 1103515245u + 12345u;
			struct observation o = syn(made_ipv4(number), (uint8_t)(40 + made_below(&draws, 60)), &draws);

			o.src_port = field == 0 ? (uint16_t)next : o.src_port;
			o.ip_id = field == 1 ? (uint16_t)next : o.ip_id;
			o.tcp.seq = field == 2 ? next : o.tcp.seq;
			record(0, &o);
		}
		judge_part(0);
		assert_int_equal(says("dependence"), SPOOFING_SPOOFED);
		assert_between(value_of("dependence"), 1, 4.01);
		assert_non_null(strstr(test_of("dependence")->text, words[field]));
		teardown_whole(state);
		setup_whole(state);
	}
}

/* Live addresses that somebody borrowed: they say so. */
static void borrowed_addresses(void **state)
{
	uint64_t draws = 18;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		struct observation o = syn(bot(i), (uint8_t)(40 + i / 20 % 20), &draws);

		record(0, &o);
		mark(0, &o, ROSTER_RESET);
		incident.parts[0].window->resets_back++;
	}
	judge_part(0);
	assert_int_equal(says("resets"), SPOOFING_SPOOFED);
	assert_true(value_of("resets") == 1 && expected_of("resets") == 0);
	assert_int_equal(says("repeats"), SPOOFING_SPOOFED);
	assert_int_equal(judged.verdict, SPOOFING_SPOOFED);
}

/*
 * One host behind addresses all over the world; behind those of one network, which may be its own; a tool whose
 * timestamp never changes, on hosts everywhere; hosts that have a clock each.
 */
static void clones(void **state)
{
	static const struct {
		bool far, tool, own;
		double value;
		enum spoofing_verdict says;
	} cases[] = {
		{ .far = true, .value = 1, .says = SPOOFING_SPOOFED },
		{ .far = false, .value = 1, .says = SPOOFING_UNDETERMINED },
		{ .far = true, .tool = true, .value = 0, .says = SPOOFING_UNDETERMINED },
		{ .far = true, .own = true, .value = 0, .says = SPOOFING_UNDETERMINED },
	};
	uint64_t draws = 19;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t n = 0; n < 200; n++) {
			struct address src =
				cases[i].far ? made_ipv4((uint32_t)made_random(&draws)) : made_ipv4(0x5b010200u + n);
			struct observation o = syn(src, (uint8_t)(cases[i].tool ? 40 + n % 10 : 57), &draws);

			o.tcp.mss = 1460;
			o.tcp.tsval = cases[i].own ? 1 + (uint32_t)(made_random(&draws) >> 34) : 0x01020304u;
			record(0, &o);
		}
		judge_part(0);
		assert_true(value_of("clones") == cases[i].value);
		assert_int_equal(says("clones"), cases[i].says);
		teardown_whole(state);
		setup_whole(state);
	}
}

/* Networks behind one address, and users of the service: what they are is in their marks. */
static void users_among_the_flood(void **state)
{
	uint64_t draws = 20;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct observation o = i % 4 ? syn(made_ipv4((uint32_t)made_random(&draws)), 57, &draws)
		                             : syn(bot(i % 1000), 51, &draws);

		record(0, &o);
		if (i % 4 == 0)
			mark(0, &o, ROSTER_VERIFIED);
	}
	judge_part(0);
	assert_int_equal(judged.verdict, SPOOFING_SPOOFED);
	assert_between(judged.packets.verified, 0.24, 0.26);
	assert_between(judged.sources.verified, 0.015, 0.018); /* 250 of 15,250 */
	assert_between(judged.packets.spoofed, 0.74, 0.76);
}

/* Who all receive what is sent to them are real, whatever else looks like random numbers. */
static void all_verified(void **state)
{
	uint64_t draws = 21;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct observation o = syn(made_ipv4((uint32_t)made_random(&draws)), 57, &draws);

		record(0, &o);
		if (i % 100)
			mark(0, &o, ROSTER_VERIFIED);
	}
	judge_part(0);
	assert_int_equal(judged.verdict, SPOOFING_VERIFIED);
	assert_int_equal(says("handshakes"), SPOOFING_VERIFIED);
	assert_between(judged.sources.verified, 0.98, 0.995);
	assert_between(judged.sources.undetermined, 0.005, 0.02);
}

/* Relays, bots that talk, and forged packets at once: each has its share of the whole. */
static void parts_together(void **state)
{
	static const uint8_t kinds[] = { VECTOR_SYN, VECTOR_FIRST_REFLECTION, VECTOR_TCP_CONNECTION };
	uint64_t draws = 22;

	(void)state;
	for (uint32_t part = 0; part < 3; part++) {
		if (part)
			incident.parts[part] = (struct incident_part){ .window = window_new(INCIDENT_SAMPLE),
				                                       .roster = roster_new(100) };
		incident.parts[part].kind = kinds[part];
		for (unsigned i = 0; i < 30000u >> part; i++) {
			struct observation o = syn(
				part ? bot(i % (1000 * part)) : made_ipv4((uint32_t)made_random(&draws)), 57, &draws);

			record(part, &o);
		}
	}
	incident.parts_count = 3;
	judge_part(1);
	assert_int_equal(judged.verdict, SPOOFING_REFLECTORS);
	assert_true(judged.packets.reflectors == 1);
	judge_part(2);
	assert_int_equal(judged.verdict, SPOOFING_VERIFIED);
	assert_true(judged.sources.verified == 1);
	spoofing_judge(&incident, &judged);
	assert_int_equal(judged.verdict, SPOOFING_SPOOFED);
	assert_whole(&judged.packets);
	assert_between(judged.packets.spoofed, 0.57, 0.572);
	assert_between(judged.packets.reflectors, 0.285, 0.287);
	assert_between(judged.packets.verified, 0.142, 0.144);
	assert_between(judged.sources.spoofed, 0.89, 0.93);
	assert_between(judged.sources.reflectors, 0.02, 0.04);
	assert_between(judged.sources.verified, 0.05, 0.07);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(spoofing_verdict_name(SPOOFING_SPOOFED), "spoofed");
	assert_string_equal(spoofing_verdict_name(SPOOFING_VERIFIED), "verified");
	assert_string_equal(spoofing_verdict_name(SPOOFING_REFLECTORS), "reflectors");
	assert_string_equal(spoofing_verdict_name(SPOOFING_UNDETERMINED), "undetermined");
}

#define WHOLE(test) cmocka_unit_test_setup_teardown(test, setup_whole, teardown_whole)
#define WITH_WINDOW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WINDOW(random_sources),
		WITH_WINDOW(random_sources_that_vary_all_they_can),
		WITH_WINDOW(random_sources_ipv6),
		WITH_WINDOW(a_botnet),
		WITH_WINDOW(a_crowd_of_newcomers),
		WITH_WINDOW(one_source),
		WITH_WINDOW(one_packet),
		WITH_WINDOW(a_laboratory),
		WITH_WINDOW(who_shakes_hands_is_real),
		WITH_WINDOW(the_class_decides),
		WITH_WINDOW(the_largest_numbers),
		WHOLE(uniform_forgery),
		WHOLE(more_sources_than_networks),
		WHOLE(a_forged_list),
		WHOLE(a_botnet_in_networks),
		WHOLE(neighbours),
		WHOLE(one_way_for_all),
		WHOLE(one_generator),
		WHOLE(borrowed_addresses),
		WHOLE(clones),
		WHOLE(users_among_the_flood),
		WHOLE(all_verified),
		WHOLE(parts_together),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
