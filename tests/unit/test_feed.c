/* SPDX-License-Identifier: Apache-2.0 */
/*
 * However packets reach the engine, one by one, in batches, or on a thread of its own, it finds the same. Built with
 * the thread sanitizer too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/feed.h"
#include "made.h"

#define SEED 20250310u
#define START (1741599912 * NS_PER_S)
#define PACKETS 120000u

/*
 * Ten quiet seconds of answered handshakes, then floods of one address and of a network, to which somebody answers now
 * and then.
 */
static struct observation packet_at(uint32_t number)
{
	uint64_t draws = number + 1;
	uint32_t random = made_below(&draws, 1u << 30);
	int64_t ns = START + (int64_t)number * 100000;
	struct address web = made_ipv4(0xc6336401u), client = made_ipv4(0x52000000u + number / 3);
	struct observation o;

	if (number < 30000) {
		switch (number % 3) {
		case 0:
			return made_tcp(ns, client, 40000, web, 443, TCP_SYN, number, 0);
		case 1:
			return made_tcp(ns, web, 443, client, 40000, TCP_SYN | TCP_ACK, 7, number);
		default:
			return made_tcp(ns, client, 40000, web, 443, TCP_ACK, number - 1, 8);
		}
	}
	if (number % 7 == 0)
		return made_tcp(ns, web, 443, made_ipv4(random), (uint16_t)random, TCP_SYN | TCP_ACK, random, 1);
	if (number % 3 == 0) {
		o = made_udp(ns, made_ipv4(random), 53, made_ipv4(0xcb007100u + random % 256), 4444, 600);
		o.weight = 1 + random % 3;
		return o;
	}
	return made_tcp(ns, made_ipv4(random), (uint16_t)random, web, 443, TCP_SYN, random, 0);
}

static struct engine *fed(unsigned threads, uint32_t packets)
{
	struct engine *e = engine_new(SEED);
	struct feed *feed;

	assert_non_null(e);
	feed = feed_new(e, threads);
	assert_non_null(feed);
	for (uint32_t i = 0; i < packets; i++) {
		/* What is written and not committed counts for nothing. */
		if (i % 11 == 0)
			*feed_next(feed) = packet_at(i / 2);
		*feed_next(feed) = packet_at(i);
		feed_commit(feed);
	}
	feed_finish(feed);
	assert_int_equal(engine_finish(e), 0);
	return e;
}

static struct engine *one_by_one(uint32_t packets)
{
	struct engine *e = engine_new(SEED);

	assert_non_null(e);
	for (uint32_t i = 0; i < packets; i++) {
		struct packet packet = { .observation = packet_at(i) };

		engine_prepare(e, &packet);
		engine_observe(e, &packet, 1);
	}
	assert_int_equal(engine_finish(e), 0);
	return e;
}

static void assert_same(const struct engine *a, const struct engine *b)
{
	assert_memory_equal(engine_totals(a), engine_totals(b), sizeof(struct engine_totals));
	assert_int_equal(engine_count(a), engine_count(b));
	for (uint32_t i = 0; i < engine_count(a); i++) {
		const struct finding *left = engine_finding(a, i), *right = engine_finding(b, i);

		assert_true(left->incident->id == right->incident->id);
		assert_int_equal(left->incident->packets, right->incident->packets);
		assert_int_equal(left->incident->bytes, right->incident->bytes);
		assert_int_equal(left->incident->detected.ns, right->incident->detected.ns);
		assert_int_equal(left->incident->waves_count, right->incident->waves_count);
		assert_int_equal(left->sources, right->sources);
		assert_int_equal(left->signatures.count, right->signatures.count);
		assert_int_equal(left->signatures.residual_ppm, right->signatures.residual_ppm);
		for (uint32_t j = 0; j < left->signatures.count; j++)
			assert_string_equal(left->signatures.signatures[j].reason,
			                    right->signatures.signatures[j].reason);
		assert_memory_equal(&left->total->sources, &right->total->sources, sizeof(left->total->sources));
		assert_memory_equal(&left->total->top_sources, &right->total->top_sources,
		                    sizeof(left->total->top_sources));
	}
}

static void the_same_however_it_comes(void **state)
{
	static const uint32_t packets[] = { 0, 1, FEED_BATCH - 1, FEED_BATCH, FEED_BATCH + 1, 40001, PACKETS };

	(void)state;
	for (unsigned i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct engine *alone = one_by_one(packets[i]), *batched = fed(1, packets[i]),
			      *threaded = fed(2, packets[i]);

		assert_int_equal(engine_totals(alone)->packets > 0, packets[i] > 0);
		if (packets[i] == PACKETS)
			assert_true(engine_count(alone) >= 2);
		assert_same(alone, batched);
		assert_same(alone, threaded);
		engine_free(alone);
		engine_free(batched);
		engine_free(threaded);
	}
}

static void there_is_a_processor(void **state)
{
	(void)state;
	assert_true(feed_threads() >= 1);
}

/* Whatever is known of the packet before it. */
static void a_packet_after_another_is_prepared_alike(void **state)
{
	struct engine *e = engine_new(SEED);
	struct packet before = { .observation = packet_at(0) };
	uint32_t alike = 0;

	(void)state;
	assert_non_null(e);
	engine_prepare(e, &before);
	for (uint32_t i = 1; i < 1000; i++) {
		struct packet alone = { .observation = packet_at(i) }, after = { .observation = packet_at(i) };

		engine_prepare(e, &alone);
		engine_prepare_after(e, &after, &before);
		assert_int_equal(after.keys.source, alone.keys.source);
		assert_int_equal(after.keys.destination, alone.keys.destination);
		assert_int_equal(after.keys.network, alone.keys.network);
		assert_int_equal(after.keys.flow, alone.keys.flow);
		assert_int_equal(after.keys.draw, alone.keys.draw);
		assert_int_equal(after.keys.sender_low, alone.keys.sender_low);
		assert_memory_equal(after.scopes, alone.scopes, sizeof(alone.scopes));
		assert_int_equal(after.likely, alone.likely);
		alike += address_equal(&after.observation.dst, &before.observation.dst);
		before = after;
	}
	assert_in_range(alike, 1, 998); /* some went where the one before them had gone, some elsewhere */
	engine_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_after_another_is_prepared_alike),
		cmocka_unit_test(the_same_however_it_comes),
		cmocka_unit_test(there_is_a_processor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
