/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a fleet the same code as a laptop: a stream dealt to several windows and merged is the stream in one
 * window. Exactly for counters, registers, histograms and samples; within N / TOPK_SIZE for heavy hitters, against a
 * naive twin that counts every value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "made.h"
#include "measure/window.h"

#define SEED 20250310u
#define STREAM 6000u
#define PARTS 5
#define SAMPLE 300u

/* ---- a stream that looks like a bad minute: visitors, a reflection, spoofed SYNs, fragments, IPv6 ---- */

static struct observation visitor(int64_t ns, uint64_t *draws)
{
	struct address src = made_ipv4(0x5b000000u + made_below(draws, 1u << made_below(draws, 18)));
	struct observation o = made_tcp(ns, src, (uint16_t)(32768 + made_below(draws, 28000)),
	                                made_ipv4(0xc0000200u + made_below(draws, 4)), made_below(draws, 5) ? 443 : 80,
	                                TCP_ACK, (uint32_t)made_random(draws), 1);

	made_payload(&o, "\x17\x03\x03", 3, (uint16_t)made_below(draws, 1400));
	o.ttl = (uint8_t)(44 + made_below(draws, 20));
	return o;
}

static struct observation relay(int64_t ns, uint64_t *draws)
{
	struct address src = made_ipv4(0xc6120000u + 1021 * made_below(draws, 300));
	struct observation o = made_udp(ns, src, 123, made_ipv4(0xc0000201u), 80, 440);

	made_payload(&o, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8, 440);
	o.ttl = 240;
	return o;
}

static struct observation spoofed(int64_t ns, uint64_t *draws)
{
	struct observation o = made_tcp(ns, made_ipv4((uint32_t)made_random(draws)), (uint16_t)made_random(draws),
	                                made_ipv4(0xc0000201u), 443, TCP_SYN, (uint32_t)made_random(draws), 0);

	o.weight = 1 + made_below(draws, 3);
	return o;
}

static struct observation piece(int64_t ns, uint64_t *draws)
{
	struct observation o =
		made_ip(ns, made_ipv4(0xcb007100u + made_below(draws, 64)), made_ipv4(0xc0000203u), MADE_UDP, 1500);

	o.flags = OBSERVATION_FRAGMENT | (made_below(draws, 2) ? OBSERVATION_LATER_FRAGMENT : 0);
	o.ip_id = (uint16_t)made_random(draws);
	return o;
}

static struct observation newcomer(int64_t ns, uint64_t *draws)
{
	struct address src =
		made_ipv6(0x2a01000000000000u | (uint64_t)made_below(draws, 5000) << 16, made_random(draws));

	return made_udp(ns, src, (uint16_t)made_random(draws), made_ipv6(0x20010db800000000u, 1), 443, 1200);
}

static void make_stream(struct observation *stream, uint32_t count, int64_t ns, uint64_t *draws)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t kind = made_below(draws, 100);

		ns += made_below(draws, 3 * NS_PER_MS);
		stream[i] = kind < 35   ? visitor(ns, draws)
		            : kind < 70 ? relay(ns, draws)
		            : kind < 90 ? spoofed(ns, draws)
		            : kind < 95 ? piece(ns, draws)
		                        : newcomer(ns, draws);
		if (made_below(draws, 50) == 0)
			stream[i].time.ns -= made_below(draws, 1 << 30); /* late */
	}
}

/* ---- the naive twin of heavy hitters ---- */

static int by_key(const void *left, const void *right)
{
	const struct topk_key *a = left, *b = right;

	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

enum what { SOURCES, DESTINATIONS, SRC_PORTS, DST_PORTS, LENGTHS };

static bool key_of(const struct observation *o, enum what what, struct topk_key *key)
{
	switch (what) {
	case SOURCES:
		*key = address_topk(&o->src);
		return true;
	case DESTINATIONS:
		*key = address_topk(&o->dst);
		return true;
	case SRC_PORTS:
		*key = topk_number(o->src_port);
		return o->flags & OBSERVATION_PORTS;
	case DST_PORTS:
		*key = topk_number(o->dst_port);
		return o->flags & OBSERVATION_PORTS;
	case LENGTHS:
		*key = topk_number(o->length);
		return true;
	}
	return false;
}

/* Each packet's key as often as its weight, sorted: a key's count is the length of its run. */
static void check_topk(const struct topk *topk, const struct observation *stream, uint32_t count, enum what what)
{
	struct topk_key *keys = calloc(3 * (size_t)STREAM, sizeof(*keys));
	uint64_t total = 0, found = 0, heavy = 0;

	assert_non_null(keys);
	for (uint32_t i = 0; i < count; i++) {
		struct topk_key key;

		for (uint32_t j = 0; key_of(&stream[i], what, &key) && j < stream[i].weight; j++)
			keys[total++] = key;
	}
	qsort(keys, total, sizeof(*keys), by_key);
	assert_int_equal(topk->total, total);
	for (uint64_t i = 0; i < total;) {
		uint64_t run = i;
		uint32_t at = 0;

		while (run < total && by_key(&keys[i], &keys[run]) == 0)
			run++;
		while (at < topk->used && by_key(&topk->entries[at].key, &keys[i]) != 0)
			at++;
		if (at < topk->used) {
			assert_true(topk->entries[at].count >= run - i);
			assert_true(topk->entries[at].count - (run - i) <= total / TOPK_SIZE);
			assert_true(topk->entries[at].count - topk->entries[at].error <= run - i);
			found++;
		}
		heavy += run - i > total / TOPK_SIZE && at == topk->used;
		i = run;
	}
	free(keys);
	assert_int_equal(heavy, 0);          /* none of the heavy is missing */
	assert_int_equal(found, topk->used); /* none is listed that was not there */
}

static void check_all_topk(const struct window *w, const struct observation *stream, uint32_t count)
{
	check_topk(&w->top_sources, stream, count, SOURCES);
	check_topk(&w->top_destinations, stream, count, DESTINATIONS);
	check_topk(&w->top_src_ports, stream, count, SRC_PORTS);
	check_topk(&w->top_dst_ports, stream, count, DST_PORTS);
	check_topk(&w->top_lengths, stream, count, LENGTHS);
}

static void add(struct window *w, const struct observation *o)
{
	struct keys keys;

	keys_make(&keys, o, SEED);
	window_add(w, o, &keys);
}

/* ---- equality of all that is exact ---- */

static void assert_same_sample(struct sample *a, struct sample *b)
{
	assert_int_equal(sample_sort(a), 0);
	assert_int_equal(sample_sort(b), 0);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->seen, b->seen);
	assert_int_equal(a->lost, b->lost);
	for (uint32_t i = 0; i < a->used; i++) {
		struct observation left, right;

		sample_read(a, i, &left);
		sample_read(b, i, &right);

		assert_true(a->priorities[i] == b->priorities[i]);
		assert_true(left.time.ns == right.time.ns && left.length == right.length &&
		            left.tcp.seq == right.tcp.seq && left.ttl == right.ttl && left.weight == right.weight &&
		            address_equal(&left.src, &right.src) && address_equal(&left.dst, &right.dst));
	}
}

static void assert_same(struct window *a, struct window *b)
{
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->fragments, b->fragments);
	assert_int_equal(a->later_fragments, b->later_fragments);
	assert_int_equal(a->payloads, b->payloads);
	assert_int_equal(a->bogons, b->bogons);
	assert_int_equal(a->handshakes, b->handshakes);
	assert_int_equal(a->resets_back, b->resets_back);
	assert_int_equal(a->first.ns, b->first.ns);
	assert_int_equal(a->last.ns, b->last.ns);
	assert_memory_equal(&a->sources, &b->sources, sizeof(a->sources));
	assert_memory_equal(&a->source_networks, &b->source_networks, sizeof(a->source_networks));
	assert_memory_equal(&a->destinations, &b->destinations, sizeof(a->destinations));
	assert_memory_equal(&a->dst_ports, &b->dst_ports, sizeof(a->dst_ports));
	assert_memory_equal(a->ttl, b->ttl, sizeof(a->ttl));
	assert_memory_equal(a->source_octet, b->source_octet, sizeof(a->source_octet));
	assert_same_sample(&a->sample, &b->sample);
}

static void parts_merge_into_the_whole(void **state)
{
	static struct observation stream[STREAM];
	uint64_t draws = 1;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		uint32_t packets = made_below(&draws, STREAM), count = 2 + made_below(&draws, PARTS - 1);
		struct window *whole = window_new(SAMPLE), *merged = window_new(SAMPLE), *parts[PARTS];
		uint32_t cuts[PARTS];

		make_stream(stream, packets, round & 1 ? 1741599912 * NS_PER_S : -5 * NS_PER_S, &draws);
		assert_non_null(whole);
		assert_non_null(merged);
		for (uint32_t i = 0; i < PARTS; i++) {
			parts[i] = window_new(SAMPLE);
			assert_non_null(parts[i]);
			cuts[i] = made_below(&draws, packets + 1);
		}
		for (uint32_t i = 0; i < packets; i++) {
			uint32_t part = 0;

			/* Stretches of time as machines that take turns see them, or packets as queues share them. */
			if (round & 2)
				part = made_below(&draws, count);
			else
				for (uint32_t j = 0; j < count - 1; j++)
					part += i >= cuts[j];
			add(whole, &stream[i]);
			add(parts[part], &stream[i]);
			if (made_below(&draws, 20) == 0) {
				whole->handshakes++;
				parts[part]->handshakes++;
				whole->resets_back += 2;
				parts[part]->resets_back += 2;
			}
		}
		for (uint32_t i = 0; i < count; i++)
			window_merge(merged, parts[round & 4 ? count - 1 - i : i]);
		assert_same(merged, whole);
		check_all_topk(whole, stream, packets);
		check_all_topk(merged, stream, packets);
		for (uint32_t i = 0; i < PARTS; i++)
			window_free(parts[i]);
		window_free(whole);
		window_free(merged);
	}
}

/* Two machines' sums merged are the four parts merged one by one. */
static void it_does_not_matter_how_it_is_bracketed(void **state)
{
	static struct observation stream[STREAM];
	struct window *w[7];
	uint64_t draws = 2;

	(void)state;
	make_stream(stream, STREAM, 0, &draws);
	for (unsigned i = 0; i < 7; i++) {
		w[i] = window_new(SAMPLE);
		assert_non_null(w[i]);
	}
	for (uint32_t i = 0; i < STREAM; i++)
		add(w[made_below(&draws, 4)], &stream[i]);
	window_merge(w[4], w[0]);
	window_merge(w[4], w[1]);
	window_merge(w[5], w[3]);
	window_merge(w[5], w[2]);
	window_merge(w[5], w[4]);
	for (unsigned i = 0; i < 4; i++)
		window_merge(w[6], w[i]);
	assert_same(w[5], w[6]);
	check_all_topk(w[5], stream, STREAM);
	for (unsigned i = 0; i < 7; i++)
		window_free(w[i]);
}

static void counters_say_what_was_added(void **state)
{
	struct window *w = window_new(0);
	struct observation o = made_udp(50, made_ipv4(0x01020304u), 53, made_ipv4(0xc0000201u), 4000, 100);

	(void)state;
	assert_non_null(w);
	o.weight = 3;
	add(w, &o);
	o = made_tcp(-20, made_ipv4(0x0a000001u), 53, made_ipv4(0xc0000201u), 80, TCP_SYN, 0, 0);
	add(w, &o);
	o = made_ip(10, made_ipv6(0xfd00000000000000u, 1), made_ipv6(0x20010db800000000u, 1), MADE_UDP, 1480);
	o.flags = OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT;
	add(w, &o);
	assert_int_equal(w->packets, 5);
	assert_int_equal(w->bytes, 3 * 128 + 40 + 1480);
	assert_int_equal(w->fragments, 1);
	assert_int_equal(w->later_fragments, 1);
	assert_int_equal(w->payloads, 3);
	assert_int_equal(w->bogons, 2);
	assert_int_equal(w->first.ns, -20);
	assert_int_equal(w->last.ns, 50);
	assert_int_equal(w->ttl[57], 5);
	assert_int_equal(w->source_octet[1], 3);
	assert_int_equal(hll_estimate(&w->sources), 3);
	assert_int_equal(hll_estimate(&w->destinations), 2);
	/* What has no ports has none to count. */
	assert_int_equal(hll_estimate(&w->dst_ports), 2);
	assert_int_equal(w->top_src_ports.used, 1);
	assert_int_equal(topk_heaviest(&w->top_src_ports), 4);
	assert_int_equal(topk_heaviest(&w->top_lengths), 3);
	assert_int_equal(w->sample.used, 0);
	window_free(w);
	window_free(NULL);
}

static void networks_are_24_and_48(void **state)
{
	struct window *w = window_new(0);

	(void)state;
	assert_non_null(w);
	for (uint32_t i = 0; i < 256; i++) {
		struct observation o = made_ip(0, made_ipv4(0x01020300u + i), made_ipv4(1), MADE_ICMP, 40);

		add(w, &o);
		o.src = made_ipv6(0x2a01000000010000u | i, i);
		add(w, &o);
	}
	assert_int_equal(hll_estimate(&w->source_networks), 2);
	window_free(w);
}

static uint64_t bogons_from(struct address src)
{
	struct window *w = window_new(0);
	struct observation o = made_ip(0, src, made_ipv4(0xc0000201u), MADE_ICMP, 40);
	uint64_t bogons;

	assert_non_null(w);
	add(w, &o);
	bogons = w->bogons;
	window_free(w);
	return bogons;
}

/* RFC 6890 and its kin, first and last address of each, and the neighbours outside. */
static void bogons(void **state)
{
	static const uint32_t ranges[][2] = {
		{ 0x0a000000, 0x0affffff }, { 0x64400000, 0x647fffff }, { 0x7f000000, 0x7fffffff },
		{ 0xa9fe0000, 0xa9feffff }, { 0xac100000, 0xac1fffff }, { 0xc0000000, 0xc00000ff },
		{ 0xc0000200, 0xc00002ff }, { 0xc0a80000, 0xc0a8ffff }, { 0xc6120000, 0xc613ffff },
		{ 0xc6336400, 0xc63364ff }, { 0xcb007100, 0xcb0071ff },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		assert_int_equal(bogons_from(made_ipv4(ranges[i][0])), 1);
		assert_int_equal(bogons_from(made_ipv4(ranges[i][1])), 1);
		assert_int_equal(bogons_from(made_ipv4(ranges[i][0] - 1)), 0);
		assert_int_equal(bogons_from(made_ipv4(ranges[i][1] + 1)), 0);
	}
	assert_int_equal(bogons_from(made_ipv4(0)), 1);
	assert_int_equal(bogons_from(made_ipv4(0x00ffffff)), 1);
	assert_int_equal(bogons_from(made_ipv4(0x01000000)), 0);
	assert_int_equal(bogons_from(made_ipv4(0xdfffffff)), 0);
	assert_int_equal(bogons_from(made_ipv4(0xe0000000)), 1);
	assert_int_equal(bogons_from(made_ipv4(0xffffffff)), 1);
	assert_int_equal(bogons_from(made_ipv6(0x2001000000000000u, 1)), 0);
	assert_int_equal(bogons_from(made_ipv6(0x3fff000000000000u, 1)), 0);
	assert_int_equal(bogons_from(made_ipv6(0, 1)), 1);
	assert_int_equal(bogons_from(made_ipv6(0xfe80000000000000u, 1)), 1);
	assert_int_equal(bogons_from(made_ipv6(0x4000000000000000u, 1)), 1);
}

static void addresses_go_there_and_back(void **state)
{
	uint64_t draws = 3;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct address there = i & 1 ? made_ipv4((uint32_t)made_random(&draws))
		                             : made_ipv6(made_random(&draws), made_random(&draws));
		struct address back = topk_address(address_topk(&there));

		assert_true(address_equal(&there, &back));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_merge_into_the_whole),
		cmocka_unit_test(it_does_not_matter_how_it_is_bracketed),
		cmocka_unit_test(counters_say_what_was_added),
		cmocka_unit_test(networks_are_24_and_48),
		cmocka_unit_test(bogons),
		cmocka_unit_test(addresses_go_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
