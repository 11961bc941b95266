/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verdicts on windows whose sources were made: forged at random, gathered in networks, relays, visitors. Extremes, not
 * thresholds.
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

static void names(void **state)
{
	(void)state;
	assert_string_equal(spoofing_verdict_name(SPOOFING_SPOOFED), "spoofed");
	assert_string_equal(spoofing_verdict_name(SPOOFING_VERIFIED), "verified");
	assert_string_equal(spoofing_verdict_name(SPOOFING_REFLECTORS), "reflectors");
	assert_string_equal(spoofing_verdict_name(SPOOFING_UNDETERMINED), "undetermined");
}

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
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
