/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of incidents that were made, over databases that are made up: 198.18.0.0/15 is divided into networks of 16
 * addresses, network i has the number 64512 + i, and what the two country databases say depends on it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/real.h"
#include "base/time.h"
#include "made.h"
#include "trace/trace.h"

#define SEED 20250310u
#define TARGET 0xc0000201u
#define FIRST 0xc6120000u /* 198.18.0.0 */
#define NETWORK_SIZE 16
#define FIRST_NETWORK 64512

/* ---- databases in the place of src/trace/geo.c ---- */

struct geo {
	struct geo_database databases[3];
	bool scattered; /* each network has a country of its own as far as letters last */
};

static uint64_t look_ups;

size_t geo_count(const struct geo *geo, enum geo_kind kind)
{
	(void)geo;
	return kind == GEO_COUNTRIES ? 2 : 1;
}

const struct geo_database *geo_database(const struct geo *geo, enum geo_kind kind, size_t index)
{
	return &geo->databases[kind == GEO_COUNTRIES ? index : 2];
}

static uint32_t number_of(const struct address *address)
{
	return (uint32_t)address->octets[12] << 24 | (uint32_t)address->octets[13] << 16 |
	       (uint32_t)address->octets[14] << 8 | address->octets[15];
}

/* The first: BR in even networks, ID in odd ones. The second: the same, but each fifth is US, each seventh unknown. */
void geo_look_up(const struct geo *geo, const struct address *address, struct geo_place *place)
{
	uint32_t network = (number_of(address) - FIRST) / NETWORK_SIZE;

	memset(place, 0, sizeof(*place));
	look_ups++;
	place->network = FIRST_NETWORK + network;
	if (geo->scattered) {
		place->country[0][0] = (char)('A' + network / 26 % 26);
		place->country[0][1] = (char)('A' + network % 26);
		place->country[1][0] = (char)('A' + network / 676 % 26);
		place->country[1][1] = 'A';
		return;
	}
	memcpy(place->country[0], network % 2 ? "ID" : "BR", 3);
	if (network % 7 != 6)
		memcpy(place->country[1], network % 5 == 4 ? "US" : place->country[0], 3);
}

const char *geo_network_name(const struct geo *geo, uint32_t network)
{
	(void)geo;
	return network % 2 ? "EXAMPLE-ODD" : "EXAMPLE-EVEN";
}

/* ---- incidents ---- */

static struct geo geo;
static struct incident *incident;
static struct trace trace;

static void begin(void)
{
	incident = calloc(1, sizeof(*incident));
	assert_non_null(incident);
	incident->id = 42;
	incident->waves_count = 1;
	incident->waves[0].ended.ns = 60 * NS_PER_S;
	incident->ended.ns = 60 * NS_PER_S;
	geo = (struct geo){ .databases = { { .kind = GEO_COUNTRIES, .name = "one" },
		                           { .kind = GEO_COUNTRIES, .name = "two" },
		                           { .kind = GEO_NETWORKS, .name = "networks" } } };
	look_ups = 0;
}

static void end(void)
{
	trace_fini(&trace);
	trace_fini(&trace);
	for (uint32_t i = 0; i < incident->parts_count; i++) {
		window_free(incident->parts[i].window);
		roster_free(incident->parts[i].roster);
	}
	free(incident);
}

static struct incident_part *add_part(uint8_t kind)
{
	struct incident_part *part = &incident->parts[incident->parts_count++];

	part->kind = kind;
	part->window = window_new(256);
	part->roster = roster_new(ROSTER_MAX);
	assert_true(part->window && part->roster);
	return part;
}

/* One packet; those of a SYN flood that is verified have completed their handshakes. */
static void add(struct incident_part *part, struct address src, int64_t ns, uint32_t wave, unsigned marks)
{
	bool udp = vector_get(part->kind)->protocol == MADE_UDP;
	struct observation o = udp ? made_udp(ns, src, 123, made_ipv4(TARGET), 4444, 440)
	                           : made_tcp(ns, src, 40000, made_ipv4(TARGET), 443, TCP_SYN, 1, 0);
	struct keys keys;

	keys_make(&keys, &o, SEED);
	window_add(part->window, &o, &keys);
	roster_add(part->roster, &o, &keys, wave);
	if (marks)
		roster_mark(part->roster, &o, &keys, marks);
	incident->packets++;
	incident->bytes += o.length;
	incident->waves[wave].packets++;
	incident->waves[wave].bytes += o.length;
}

/* So many sources from the first on, with so many packets each. */
static void add_many(struct incident_part *part, uint32_t first, uint32_t count, unsigned packets, uint32_t wave)
{
	for (uint32_t i = 0; i < count; i++)
		for (unsigned k = 0; k < packets; k++)
			add(part, made_ipv4(FIRST + first + i), (int64_t)k * NS_PER_S, wave, 0);
}

static struct trace_input make_input(bool with_geo)
{
	struct trace_input input = { .incident = incident, .observed = 1, .made_ns = 7 };

	input.geo = with_geo ? &geo : NULL;
	return input;
}

static void make(const struct trace_input *given)
{
	struct trace_input input = *given;
	struct window *total = window_new(0);

	assert_non_null(total);
	for (uint32_t i = 0; i < incident->parts_count; i++)
		window_merge(total, incident->parts[i].window);
	input.total = total;
	memset(&trace, 0x55, sizeof(trace));
	assert_int_equal(trace_make(&input, &trace), 0);
	window_free(total);
}

static uint8_t ntp(void)
{
	for (size_t i = VECTOR_FIRST_REFLECTION; i < vector_count(); i++)
		if (strcmp(vector_get((uint8_t)i)->name, "ntp_reflection") == 0)
			return (uint8_t)i;
	fail();
	return 0;
}

static void assert_sums(void)
{
	uint64_t sources = 0, packets = 0;

	for (uint32_t i = 0; i < trace.rows_count; i++) {
		sources += trace.rows[i].sources;
		packets += trace.rows[i].packets;
		if (i)
			assert_true(trace.rows[i].sources <= trace.rows[i - 1].sources);
	}
	assert_int_equal(sources, trace.located_sources);
	assert_int_equal(packets, trace.located_packets);
}

/* Relays: each has its place, and the databases keep what they say. */
static void relays(void **state)
{
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(true);
	add_many(add_part(ntp()), 0, 5 * NETWORK_SIZE + 3, 2, 0);
	make(&input);
	assert_int_equal(trace.incident, 42);
	assert_int_equal(trace.made_ns, 7);
	assert_int_equal(trace.waves, 1);
	assert_int_equal(trace.spoofing.verdict, SPOOFING_REFLECTORS);
	assert_int_equal(trace.vectors_count, 1);
	assert_string_equal(trace.vectors[0].name, "ntp_reflection");
	assert_int_equal(trace.vectors[0].packets, 166);
	assert_int_equal(trace.vectors[0].spoofing.verdict, SPOOFING_REFLECTORS);
	assert_int_equal(trace.rows_count, 6);
	assert_int_equal(trace.rows[0].network, FIRST_NETWORK);
	assert_string_equal(trace.rows[0].name, "EXAMPLE-EVEN");
	assert_true(trace.rows[0].reflectors);
	assert_int_equal(trace.rows[0].sources, 16);
	assert_int_equal(trace.rows[0].held, 16);
	assert_int_equal(trace.rows[0].packets, 32);
	assert_string_equal(trace.rows[0].country[0], "BR");
	assert_string_equal(trace.rows[0].country[1], "BR");
	assert_string_equal(trace.rows[4].country[0], "BR");
	assert_string_equal(trace.rows[4].country[1], "US");
	assert_int_equal(trace.rows[5].sources, 3);
	assert_sums();
	assert_int_equal(trace.located_sources, 83);
	assert_int_equal(trace.held, 83);
	assert_false(trace.sources_sampled);
	assert_int_equal(trace.country_databases, 2);
	assert_int_equal(trace.databases_count, 3);
	assert_string_equal(trace.databases[1].name, "two");
	assert_string_equal(trace.databases[2].name, "networks");
	assert_true(trace.size.known);
	assert_int_equal(trace.size.in_all, 83);
	assert_int_equal(trace.size.at_once, 83);
	assert_true(trace.coordination.known);
	/*
	 * Networks: five of 16 and one of 3. Countries: two of BR, two of ID and ID's three; where they disagree, none.
	 */
	assert_true(trace.coordination.by_network_sources.top == 16.0 / 83);
	assert_true(trace.coordination.by_country_packets.top == 35.0 / 67);
	end();
}

/* Whatever is forged is nowhere, and is no number of anything. */
static void forged(void **state)
{
	uint64_t seed = 9;
	struct incident_part *part;
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(true);
	part = add_part(VECTOR_SYN);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t source = (uint32_t)made_random(&seed);

		add(part, made_ipv4(source), i * (NS_PER_S / 1000), 0, i % 100 == 0 ? ROSTER_VERIFIED : 0);
	}
	make(&input);
	assert_int_equal(trace.spoofing.verdict, SPOOFING_SPOOFED);
	assert_int_equal(trace.rows_count, 0);
	assert_int_equal(trace.located_sources, 0);
	assert_int_equal(look_ups, 0);
	assert_false(trace.size.known);
	assert_false(trace.coordination.known);
	assert_true(real_is_nan(trace.coordination.by_country_sources.hhi));
	assert_int_equal(trace.held, 0);
	assert_in_range(trace.sources, 19000, 20000);
	end();
}

/* Not known whether forged: those that are verified one by one have a place, all count for size. */
static void undetermined(void **state)
{
	struct incident_part *part;
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(true);
	part = add_part(VECTOR_UDP);
	for (uint32_t i = 0; i < 200; i++)
		add(part, made_ipv4(FIRST + i), i, 0, i < 20 ? ROSTER_VERIFIED : 0);
	make(&input);
	assert_int_equal(trace.spoofing.verdict, SPOOFING_UNDETERMINED);
	assert_int_equal(trace.located_sources, 20);
	assert_int_equal(trace.rows_count, 2);
	assert_false(trace.rows[0].reflectors);
	assert_true(trace.size.known);
	assert_int_equal(trace.size.in_all, 200);
	assert_int_equal(trace.coordination.sources, 200);
	assert_int_equal(look_ups, 20);
	end();
}

/* Relays and senders apart; who took part in two vectors is one source. */
static void sorts(void **state)
{
	struct incident_part *part;
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(true);
	add_many(add_part(ntp()), 0, 32, 3, 0);
	add_many(add_part(VECTOR_TCP_CONNECTION), 16, 32, 2, 0);
	add_many(add_part(VECTOR_HTTP), 32, 32, 1, 0);
	part = add_part(VECTOR_UDP);
	for (uint32_t i = 0; i < 40; i++)
		add(part, made_ipv4(FIRST + 40 + i), 0, 0, ROSTER_VERIFIED);
	make(&input);
	assert_int_equal(trace.vectors_count, 4);
	/* Relays 0..31; senders 16..79, of whom all that sent UDP completed handshakes besides. */
	assert_int_equal(trace.located_sources, 32 + 48 + 16);
	assert_int_equal(trace.held, 80);
	assert_int_equal(trace.size.in_all, 80);
	for (uint32_t i = 0; i < trace.rows_count; i++) {
		assert_int_equal(trace.rows[i].sources, 16);
		if (trace.rows[i].network == FIRST_NETWORK + 2 && !trace.rows[i].reflectors)
			assert_int_equal(trace.rows[i].packets, 16 * 3 + 8);
	}
	assert_sums();
	end();
}

static void without_databases(void **state)
{
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(false);
	add_many(add_part(ntp()), 0, 50, 1, 0);
	make(&input);
	assert_int_equal(trace.databases_count, 0);
	assert_int_equal(trace.country_databases, 0);
	assert_int_equal(trace.rows_count, 1);
	assert_int_equal(trace.rows[0].network, 0);
	assert_string_equal(trace.rows[0].name, "");
	assert_int_equal(trace.located_sources, 50);
	assert_true(real_is_nan(trace.coordination.by_network_sources.hhi));
	assert_true(trace.size.known);
	end();
}

/* More networks than there are rows: the large ones stay, the others are joined by countries. */
static void many_networks(void **state)
{
	struct trace_input input;
	struct incident_part *part;
	uint64_t others[2] = { 0 };

	(void)state;
	begin();
	input = make_input(true);
	part = add_part(ntp());
	for (uint32_t n = 0; n < 5000; n++)
		add_many(part, n * NETWORK_SIZE, n % 10 == 0 ? 2 : 1, 1, 0);
	make(&input);
	assert_in_range(trace.rows_count, 3072, TRACE_ROWS_MAX);
	assert_sums();
	assert_int_equal(trace.located_sources, 5500);
	for (uint32_t i = 0; i < trace.rows_count; i++) {
		const struct trace_row *row = &trace.rows[i];

		if (row->network != TRACE_OTHERS)
			continue;
		assert_string_equal(row->name, "");
		others[strcmp(row->country[0], "BR") == 0] += row->sources;
		assert_true(strcmp(row->country[0], "BR") == 0 || strcmp(row->country[0], "ID") == 0);
	}
	/* 500 networks of two and 2572 of one are named. */
	assert_int_equal(others[0] + others[1], 5500 - 500 * 2 - 2572);
	assert_true(trace.coordination.by_network_sources.top == 2.0 / 5500);
	end();
}

/* … and where even their countries are too many, what is left has none. */
static void many_countries(void **state)
{
	struct trace_input input;
	struct incident_part *part;
	uint64_t nowhere = 0;

	(void)state;
	begin();
	input = make_input(true);
	geo.scattered = true;
	part = add_part(ntp());
	for (uint32_t n = 0; n < 8000; n++)
		add_many(part, n * NETWORK_SIZE, 1, 1, 0);
	make(&input);
	assert_int_equal(trace.rows_count, TRACE_ROWS_MAX - 1);
	assert_sums();
	assert_int_equal(trace.located_sources, 8000);
	for (uint32_t i = 0; i < trace.rows_count; i++)
		if (trace.rows[i].country[0][0] == '\0') {
			assert_int_equal(trace.rows[i].network, TRACE_OTHERS);
			nowhere += trace.rows[i].sources;
		}
	assert_int_equal(nowhere, 8000 - (TRACE_ROWS_MAX - 2));
	end();
}

/* A roster that is a sample: each source held stands for others. */
static void sampled(void **state)
{
	struct trace_input input;
	struct incident_part *part;

	(void)state;
	begin();
	input = make_input(true);
	part = add_part(ntp());
	roster_limit(part->roster, 4096);
	add_many(part, 0, 30000, 2, 0);
	make(&input);
	assert_true(trace.sources_sampled);
	assert_in_range(trace.held, 2049, 4096);
	assert_in_range(trace.located_sources, 28000, 32000);
	assert_in_range(trace.located_packets, 56000, 64000);
	assert_int_equal(trace.located_sources % trace.held, 0);
	assert_in_range(trace.size.in_all, 28500, 31500);
	assert_in_range(trace.size.at_once, 28000, 32000);
	assert_sums();
	end();
	/* So many of them know better than the sketches how many there are, and all that is said of it agrees. */
	begin();
	input = make_input(true);
	part = add_part(ntp());
	roster_limit(part->roster, 8192);
	add_many(part, 0, 30000, 2, 0);
	make(&input);
	assert_in_range(trace.held, 4097, 8192);
	assert_int_equal(trace.size.in_all, trace.located_sources);
	assert_int_equal(trace.sources, trace.located_sources);
	assert_int_equal(trace.vectors[0].sources, trace.located_sources);
	end();
}

/* At most so many are looked up, and stand for all. */
static void thinned(void **state)
{
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(true);
	input.sources_max = 4096;
	add_many(add_part(ntp()), 0, 30000, 2, 0);
	make(&input);
	assert_in_range(look_ups, 2048, 4096);
	assert_int_equal(trace.held, look_ups);
	assert_true(trace.sources_sampled);
	assert_in_range(trace.located_sources, 28000, 32000);
	assert_in_range(trace.located_packets, 56000, 64000);
	/* How many there are is known of all of them. */
	assert_int_equal(trace.size.in_all, 30000);
	assert_int_equal(trace.sources, 30000);
	end();
	begin();
	input = make_input(true);
	input.sources_max = 4096;
	add_many(add_part(ntp()), 0, 4096, 2, 0);
	make(&input);
	assert_int_equal(trace.held, 4096);
	assert_false(trace.sources_sampled);
	end();
}

/* Two waves of mostly the same sources. */
static void waves(void **state)
{
	struct trace_input input;
	struct incident_part *part;

	(void)state;
	begin();
	input = make_input(false);
	part = add_part(ntp());
	incident->waves_count = 2;
	incident->waves[1] = (struct wave){ .began.ns = 100 * NS_PER_S, .ended.ns = 160 * NS_PER_S };
	incident->ended.ns = 160 * NS_PER_S;
	add_many(part, 0, 100, 1, 0);
	for (uint32_t i = 0; i < 100; i++)
		add(part, made_ipv4(FIRST + 10 + i), 110 * NS_PER_S, 1, 0);
	make(&input);
	assert_int_equal(trace.waves, 2);
	assert_int_equal(trace.coordination.overlaps_count, 1);
	assert_int_equal(trace.coordination.overlaps[0].both, 90);
	assert_true(trace.size.chapman > 110 && trace.size.chapman < 113);
	assert_int_equal(trace.size.in_all, 110);
	assert_int_equal(trace.size.at_once, 100);
	end();
}

static void cost_and_rank(void **state)
{
	static const struct cost_price price = { COST_PER_GBPS_HOUR, 1, 2, 3, 0, "w", "https://a.example/", "2020" };
	static const struct trace_past past[] = {
		{ 10, 10, 1000, NS_PER_S },
		{ 999, 80000, 0, 3600 * NS_PER_S },
		{ 1000, 80001, 10, -1 },
		{ 2000, 1, 0, 60 * NS_PER_S },
	};
	struct trace_input input;

	(void)state;
	begin();
	input = make_input(false);
	input.prices = &price;
	input.prices_count = 1;
	input.past = past;
	input.past_count = 4;
	add_many(add_part(ntp()), 0, 50, 1, 0);
	incident->waves[0].ended.ns = 1800 * NS_PER_S;
	incident->waves[0].bytes = 1800ull * 250000000; /* 2 Gbit/s */
	incident->peak_packets = 100;
	incident->peak_bytes = 1000;
	make(&input);
	assert_true(trace.cost.known);
	assert_true(trace.cost.hours == 0.5 && trace.cost.gbps == 2);
	assert_true(trace.cost.low == 2 && trace.cost.mid == 4 && trace.cost.high == 6);
	assert_int_equal(trace.peak_pps, 1000);
	assert_int_equal(trace.peak_bps, 80000);
	assert_int_equal(trace.rank.of, 4);
	assert_true(trace.rank.pps == 0.5);
	assert_true(trace.rank.bps == 0.5);
	assert_true(trace.rank.duration == 0.5);
	assert_true(trace.rank.sources == 0.5);
	end();
	/* By the prices that are built in; nothing to compare with. */
	begin();
	input = make_input(false);
	incident->open = true;
	add_many(add_part(ntp()), 0, 50, 1, 0);
	make(&input);
	assert_true(trace.cost.known);
	assert_int_equal(trace.ended_ns, 0);
	assert_int_equal(trace.rank.of, 0);
	assert_true(real_is_nan(trace.rank.pps));
	end();
}

/* A scan has no roster. */
static void scan(void **state)
{
	struct trace_input input;
	struct incident_part *part;

	(void)state;
	begin();
	input = make_input(true);
	incident->is_scan = true;
	part = add_part(VECTOR_SCAN_PORTS);
	add_many(part, 0, 1, 100, 0);
	roster_free(part->roster);
	part->roster = NULL;
	make(&input);
	assert_int_equal(trace.held, 0);
	assert_false(trace.size.known);
	assert_false(trace.cost.known);
	assert_int_equal(trace.rows_count, 0);
	end();
}

static void families(void **state)
{
	struct trace_input input;
	struct incident_part *part;

	(void)state;
	begin();
	input = make_input(false);
	part = add_part(VECTOR_SYN);
	for (uint32_t i = 0; i < 1000; i++) {
		struct observation o = made_tcp(i, made_ipv4(FIRST + i % 40), 40000, made_ipv4(TARGET), 443, TCP_SYN,
		                                i % 4 ? TARGET : 1, 0);
		struct keys keys;

		keys_make(&keys, &o, i);
		window_add(part->window, &o, &keys);
		roster_add(part->roster, &o, &keys, 0);
	}
	incident->packets = 1000;
	make(&input);
	assert_int_equal(trace.families_count, 1);
	assert_string_equal(trace.families[0].name, "mirai");
	assert_in_range(trace.families[0].packets, 650, 850);
	assert_true(trace.families[0].mark[0]);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relays),
		cmocka_unit_test(forged),
		cmocka_unit_test(undetermined),
		cmocka_unit_test(sorts),
		cmocka_unit_test(without_databases),
		cmocka_unit_test(many_networks),
		cmocka_unit_test(many_countries),
		cmocka_unit_test(sampled),
		cmocka_unit_test(thinned),
		cmocka_unit_test(waves),
		cmocka_unit_test(cost_and_rank),
		cmocka_unit_test(scan),
		cmocka_unit_test(families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
