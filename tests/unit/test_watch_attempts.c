/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New connections out of samples: what came about, once; who gave up, after three times that are apart; that a flood of
 * made-up SYNs fails nobody; that nothing is said of what is only sampled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/watch_attempts.h"

#define SEED 42
#define START_NS (1000 * NS_PER_S)
#define BATCH 32768u

static struct watch_attempts *table;
static int64_t now_ns;
static unsigned failures, last_service;

static int begin(void **state)
{
	(void)state;
	now_ns = START_NS;
	failures = last_service = 0;
	return watch_attempts_new(SEED, &table);
}

static int end(void **state)
{
	(void)state;
	watch_attempts_free(table);
	watch_attempts_free(NULL);
	return 0;
}

static struct observation packet(uint32_t source, uint16_t port, uint32_t number, uint8_t flags)
{
	const uint8_t from[4] = { (uint8_t)(source >> 24), (uint8_t)(source >> 16), (uint8_t)(source >> 8),
		                  (uint8_t)source };
	const uint8_t to[4] = { 192, 0, 2, 1 };

	return (struct observation){ .src = address_from_ipv4(from),
		                     .dst = address_from_ipv4(to),
		                     .src_port = port,
		                     .dst_port = 443,
		                     .weight = 1,
		                     .flags = OBSERVATION_TCP | OBSERVATION_PORTS,
		                     .tcp = { .seq = number, .flags = flags } };
}

static bool note(struct observation observation)
{
	return watch_attempts_note(table, &observation, 3, now_ns);
}

static bool syn(uint16_t port, uint32_t number)
{
	return note(packet(198u << 24, port, number, TCP_SYN));
}

static bool completes(uint16_t port, uint32_t number)
{
	struct observation observation = packet(198u << 24, port, number + 1, TCP_ACK);

	observation.flags |= OBSERVATION_HANDSHAKE;
	return note(observation);
}

static void failed(void *context, unsigned service, const struct address *source)
{
	(void)source;
	++*(unsigned *)context;
	last_service = service;
}

/* How many have given up by `after_ns` from now. */
static unsigned sweep(int64_t after_ns)
{
	now_ns += after_ns;
	failures = 0;
	watch_attempts_sweep(table, now_ns, failed, &failures);
	return failures;
}

static void what_comes_about(void **state)
{
	(void)state;
	assert_false(syn(1000, 7));
	assert_false(completes(1000, 8)); /* another's */
	assert_true(completes(1000, 7));
	assert_false(completes(1000, 7)); /* once */
	assert_false(completes(1001, 7)); /* whose beginning nobody saw */
	(void)syn(1002, UINT32_MAX);      /* numbers come round */
	assert_true(completes(1002, UINT32_MAX));
	/* after it has asked often */
	for (int i = 0; i < 5; i++) {
		(void)syn(1003, 9);
		now_ns += NS_PER_S;
	}
	assert_true(completes(1003, 9));
	assert_int_equal(sweep(60 * NS_PER_S), 0);
}

/* As Linux asks: after 1, 3, 7, 15 and 31 seconds. */
static void who_gives_up(void **state)
{
	static const int after_s[] = { 1, 2, 4, 8, 16 };
	unsigned sum = 0;

	(void)state;
	(void)syn(1000, 7);
	for (unsigned i = 0; i < 5; i++) {
		for (int s = 0; s < after_s[i]; s++)
			sum += sweep(NS_PER_S);
		(void)syn(1000, 7);
	}
	for (int s = 0; s < 30; s++)
		sum += sweep(NS_PER_S);
	assert_int_equal(sum, 1);
	assert_int_equal(last_service, 3);
}

static void who_does_not(void **state)
{
	(void)state;
	/* twice */
	(void)syn(1000, 7);
	now_ns += NS_PER_S;
	(void)syn(1000, 7);
	/* copies, as of a frame that came by two ways */
	for (int i = 0; i < 9; i++) {
		(void)syn(1001, 7);
		now_ns += WATCH_ATTEMPTS_APART_NS / 20;
	}
	/* the same ports, and each time another number; what is no SYN */
	for (uint32_t i = 0; i < 9; i++) {
		struct observation other = packet(198u << 24, 1003, 7, TCP_SYN);

		(void)syn(1002, i);
		(void)note(packet(198u << 24, 1004, 7, TCP_ACK));
		(void)note(packet(198u << 24, 1005, 7, TCP_SYN | TCP_ACK));
		other.flags = OBSERVATION_PORTS;
		(void)note(other);
		now_ns += NS_PER_S;
	}
	assert_int_equal(sweep(60 * NS_PER_S), 0);
}

/* A hundred clients that ask in vain, amid a million SYNs that are made up: these are told, and nobody else. */
static void a_flood(void **state)
{
	uint32_t forged = 0;
	unsigned sum = 0;

	(void)state;
	for (int s = 0; s < 50; s++) {
		for (uint16_t i = 0; i < 100 && (s == 10 || s == 11 || s == 13); i++)
			(void)syn((uint16_t)(1000 + i), i);
		for (int i = 0; i < 20000; i++, forged++)
			(void)note(packet(1u << 24 | forged, (uint16_t)(forged * 7), forged * 2654435761u, TCP_SYN));
		sum += sweep(NS_PER_S);
	}
	sum += sweep(60 * NS_PER_S);
	assert_int_equal(sum, 100);
	assert_true(watch_attempts_counts(table).pushed_out > 400000);
	assert_int_equal(watch_attempts_counts(table).refused, 0);
}

/* More who ask again than there is room for: the later ones are refused, and those that are there told. */
static void no_room(void **state)
{
	unsigned sum;

	(void)state;
	for (uint32_t from = 0; from < 4 * BATCH; from += BATCH)
		for (int asked = 0; asked < WATCH_ATTEMPTS_ASKED; asked++, now_ns += WATCH_ATTEMPTS_APART_NS)
			for (uint32_t i = from; i < from + BATCH; i++)
				(void)note(packet(2u << 24 | i, 1000, i, TCP_SYN));
	sum = sweep(60 * NS_PER_S);
	assert_in_range(sum, BATCH, 1u << WATCH_ATTEMPTS_BITS);
	assert_true(watch_attempts_counts(table).refused > BATCH);
}

static void what_is_sampled(void **state)
{
	struct observation sampled = packet(199u << 24, 1, 1, TCP_ACK);

	(void)state;
	sampled.weight = 2;
	for (int i = 0; i < 3; i++, now_ns += NS_PER_S)
		(void)syn(1000, 7);
	(void)note(sampled); /* what was noted may have got in since */
	assert_int_equal(sweep(60 * NS_PER_S), 0);
	assert_int_equal(watch_attempts_counts(table).blind, 1);
	(void)note(sampled);
	now_ns += WATCH_ATTEMPTS_BLIND_NS - 1;
	(void)syn(1001, 7);
	assert_false(completes(1001, 7));
	now_ns += 1;
	(void)syn(1002, 7);
	assert_true(completes(1002, 7));
	assert_int_equal(watch_attempts_counts(table).blind, 2);
	for (int i = 0; i < 3; i++, now_ns += NS_PER_S)
		(void)syn(1003, 7);
	watch_attempts_clear(table);
	assert_int_equal(sweep(60 * NS_PER_S), 0);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH(what_comes_about), WITH(who_gives_up), WITH(who_does_not),
		WITH(a_flood),          WITH(no_room),      WITH(what_is_sampled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
