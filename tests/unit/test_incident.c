/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sources an incident has, beside a naive twin that compares each with each; and that what is not known one by
 * one is said to be an estimate, with its error: of many by a sample, beside a twin that asks for each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hll.h"
#include "detect/incident.h"
#include "made.h"

#define SEED 20250310u
#define PARTS 3
#define PACKETS 600
#define HOLDS 4096
#define CROWD 30000      /* sources of a vector that has too many to be held */
#define HELD_ENOUGH 3800 /* from so many on a sample knows better than HyperLogLog: (1 / 0.01625)^2, and rounded */

struct made {
	struct incident *incident;
	struct window *total;
	struct address sent[PARTS * PACKETS + 2 * CROWD];
	uint32_t count;
};

static void add(struct made *m, uint32_t part, struct address src, uint32_t weight)
{
	struct observation o = made_udp(m->count, src, 40000, made_ipv4(0xc0000201u), 443, 10);
	struct keys keys;

	o.weight = weight;
	keys_make(&keys, &o, SEED);
	window_add(m->incident->parts[part].window, &o, &keys);
	window_add(m->total, &o, &keys);
	if (m->incident->parts[part].roster)
		roster_add(m->incident->parts[part].roster, &o, &keys, 0);
	m->sent[m->count++] = src;
}

static struct made *make(uint32_t parts)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->incident = calloc(1, sizeof(*m->incident));
	m->total = window_new(0);
	assert_non_null(m->incident);
	assert_non_null(m->total);
	m->incident->parts_count = parts;
	for (uint32_t i = 0; i < parts; i++) {
		m->incident->parts[i].window = window_new(0);
		m->incident->parts[i].roster = roster_new(HOLDS);
		assert_non_null(m->incident->parts[i].window);
		assert_non_null(m->incident->parts[i].roster);
	}
	return m;
}

static void unmake(struct made *m)
{
	incident_free(m->incident);
	window_free(m->total);
	free(m);
}

static bool same_network(const struct address *a, const struct address *b)
{
	if (address_is_ipv4(a) != address_is_ipv4(b))
		return false;
	return memcmp(a->octets, b->octets, address_is_ipv4(a) ? 15 : 6) == 0;
}

static struct incident_sources naive(const struct made *m)
{
	struct incident_sources s = { 0 };

	for (uint32_t i = 0; i < m->count; i++) {
		bool address = true, network = true;

		for (uint32_t k = 0; k < i; k++) {
			address = address && !address_equal(&m->sent[i], &m->sent[k]);
			network = network && !same_network(&m->sent[i], &m->sent[k]);
		}
		s.count += address;
		s.networks += network;
	}
	return s;
}

/* Few addresses, so that vectors share many; both families, neighbours among them. */
static struct address draw(uint64_t *state)
{
	if (made_below(state, 4) == 0)
		return made_ipv6(0x20010db800000000u + (made_below(state, 5) << 12), made_below(state, 20));
	return made_ipv4(0xc6120000u + made_below(state, 900));
}

static void each_source_of_several_vectors_counts_once(void **state)
{
	uint64_t random = SEED;

	(void)state;
	for (uint32_t parts = 1; parts <= PARTS; parts++) {
		struct made *m = make(parts);
		struct incident_sources counted, wanted;

		for (uint32_t i = 0; i < parts * PACKETS; i++)
			add(m, i % parts, draw(&random), 1);
		counted = incident_sources(m->incident, m->total);
		wanted = naive(m);
		assert_int_equal(counted.error_ppm, 0);
		assert_int_equal(counted.count, wanted.count);
		assert_int_equal(counted.networks, wanted.networks);
		if (parts == 1) {
			counted = incident_part_sources(&m->incident->parts[0]);
			assert_int_equal(counted.error_ppm, 0);
			assert_int_equal(counted.count, wanted.count);
		}
		unmake(m);
	}
}

/* An estimate is near, and never more than there were packets; nor are networks more than sources. */
static void expect_estimate(const struct made *m)
{
	struct incident_sources counted = incident_sources(m->incident, m->total);
	uint64_t truth = naive(m).count;

	assert_int_equal(counted.error_ppm, HLL_RELATIVE_ERROR_PPM);
	assert_in_range(counted.count, truth * 9 / 10, truth * 11 / 10);
	assert_in_range(counted.networks, 1, counted.count);
}

static void what_is_not_held_whole_is_estimated(void **state)
{
	uint64_t random = SEED;

	(void)state;
	for (unsigned lack = 0; lack < 3; lack++) {
		struct made *m = make(2);

		for (uint32_t i = 0; i < PACKETS; i++) /* of one packet that stands for two, the other was not seen */
			add(m, i % 2, draw(&random), lack == 0 && i == PACKETS / 2 ? 2 : 1);
		if (lack == 1)
			roster_limit(m->incident->parts[1].roster, 8);
		if (lack == 2) {
			roster_free(m->incident->parts[1].roster);
			m->incident->parts[1].roster = NULL;
		}
		expect_estimate(m);
		unmake(m);
	}
}

/* The second vector has half of the first's sources, and as many of its own. */
static struct made *make_crowd(uint32_t holds)
{
	struct made *m = make(2);

	for (uint32_t part = 0; part < 2; part++)
		for (uint32_t i = 0; i < CROWD; i++)
			add(m, part, made_ipv4(0xc6120000u + part * CROWD / 2 + i), 1);
	roster_limit(m->incident->parts[1].roster, holds);
	return m;
}

/* How many of the crowd a roster holds after so many halvings: each is asked for by itself. */
static uint64_t naive_sample(uint32_t halvings)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < CROWD + CROWD / 2; i++) {
		struct observation o = made_udp(0, made_ipv4(0xc6120000u + i), 40000, made_ipv4(0xc0000201u), 443, 10);
		struct keys keys;

		keys_make(&keys, &o, SEED);
		count += keys.source <= UINT64_MAX >> halvings;
	}
	return count;
}

/*
 * The vectors' rosters were halved differently often: what both have is what counts, and a source of both counts once.
 */
static void of_many_a_sample_says_how_many(void **state)
{
	const uint64_t truth = CROWD + CROWD / 2;
	unsigned few = 0, enough = 0;

	(void)state;
	for (uint32_t holds = HOLDS; holds >= HOLDS / 4; holds /= 2) {
		struct made *m = make_crowd(holds);
		struct incident_sources counted = incident_sources(m->incident, m->total);
		uint32_t halvings = roster_halvings(m->incident->parts[1].roster);
		uint64_t held = naive_sample(halvings);

		assert_true(halvings >= roster_halvings(m->incident->parts[0].roster));
		if (held > HELD_ENOUGH) {
			assert_int_equal(counted.count, held << halvings);
			/* 1 / sqrt(held), and what rounding adds. */
			assert_in_range((uint64_t)counted.error_ppm * counted.error_ppm * held, 1000000000000u,
			                1050000000000u);
			assert_in_range(counted.error_ppm, 1, HLL_RELATIVE_ERROR_PPM - 1);
		} else {
			assert_int_equal(counted.count, hll_estimate(&m->total->sources));
			assert_int_equal(counted.error_ppm, HLL_RELATIVE_ERROR_PPM);
		}
		assert_in_range(counted.count, truth - truth * 3 * counted.error_ppm / 1000000,
		                truth + truth * 3 * counted.error_ppm / 1000000);
		assert_in_range(counted.networks, truth / 256 * 9 / 10, truth / 256 * 11 / 10);
		few += held <= HELD_ENOUGH;
		enough += held > HELD_ENOUGH;
		unmake(m);
	}
	assert_true(few > 0 && enough > 0);
}

static void the_error_is_that_of_a_sample(void **state)
{
	(void)state;
	assert_int_equal(incident_sample_error_ppm(0), 1000000);
	assert_int_equal(incident_sample_error_ppm(1), 1000000);
	assert_int_equal(incident_sample_error_ppm(10000), 10000);
	assert_int_equal(incident_sample_error_ppm(99 * 99 - 1), 10205); /* 98 is the root below it */
	assert_in_range(incident_sample_error_ppm(UINT64_MAX), 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_source_of_several_vectors_counts_once),
		cmocka_unit_test(what_is_not_held_whole_is_estimated),
		cmocka_unit_test(of_many_a_sample_says_how_many),
		cmocka_unit_test(the_error_is_that_of_a_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
