/* SPDX-License-Identifier: Apache-2.0 */
/* Sources that a service knew before an attack: how they become known, and what they are spared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"
#include "known.h"
#include "packet.h"
#include "rig.h"
#include "shield/inside.h"
#include "shield/shield.h"

/* Two services, the first of TCP 80 and UDP 53, the second of UDP 123. */
static void serve_two(bool other_way)
{
	static const uint16_t web = 80, dns = 53, ntp = 123;
	const struct prefix here[] = { rig_prefix("192.0.2.10/32"), rig_prefix("2001:db8::10/128") };
	struct shield_service services[] = {
		{ .name = "site",
		  .prefixes = here,
		  .prefix_count = 2,
		  .tcp = &web,
		  .tcp_count = 1,
		  .udp = &dns,
		  .udp_count = 1 },
		{ .name = "clock", .prefixes = here, .prefix_count = 2, .udp = &ntp, .udp_count = 1 },
	};
	const struct shield_service turned[] = { services[1], services[0] };
	struct shield_error error;

	rig_begin();
	shield_freeze(rig.shield, 0, 0);
	assert_int_equal(shield_set_services(rig.shield, other_way ? turned : services, 2, &error), 0);
}

/* The site says something over TCP. */
static void site_sends(const char *to, uint8_t flags)
{
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, "192.0.2.10", to);
	packet_tcp(&p, 80, 40000, flags, 1024, NULL, 0);
	packet_end(&p);
	rig_send(&p);
}

static void who_is_answered_in_peace_becomes_known(void **state)
{
	enum { SYN = 2, ACK = 16 };

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	known_forget();
	rig_answer("192.0.2.10", "198.51.100.20", 53, 5000);
	assert_true(known_is_noted("198.51.100.20/32", 0));
	assert_false(known_is_noted("198.51.100.20/32", 1));
	rig_answer("2001:db8::10", "2001:db8:9:9::20", 53, 5000);
	assert_true(known_is_noted("2001:db8:9:9:7::1/128", 0));
	/* A SYN that is answered makes nobody known, a handshake that was completed does. */
	site_sends("198.51.100.21", SYN | ACK);
	assert_false(known_is_noted("198.51.100.21/32", 0));
	site_sends("198.51.100.21", ACK);
	assert_true(known_is_noted("198.51.100.21/32", 0));
	/* Whom the host itself asks is no source of a service. */
	rig_answer("192.0.2.10", "198.51.100.22", 40000, 53);
	assert_false(known_is_noted("198.51.100.22/32", 0));
	/* Nobody under attack, and of that service only. */
	shield_freeze(rig.shield, 1, rig_jiffies() + rig_seconds(60));
	rig_answer("192.0.2.10", "198.51.100.23", 53, 5000);
	rig_answer("192.0.2.10", "198.51.100.23", 123, 5000);
	assert_false(known_is_noted("198.51.100.23/32", 0));
	assert_true(known_is_noted("198.51.100.23/32", 1));
	/* Whoever began under attack is not known for going on. */
	shield_freeze(rig.shield, 0, 0);
	rig_answer("192.0.2.10", "198.51.100.23", 53, 5000);
	assert_false(known_is_noted("198.51.100.23/32", 0));
	rig_answer("192.0.2.10", "198.51.100.23", 53, 5001);
	assert_true(known_is_noted("198.51.100.23/32", 0));
	/* By its name a service knows its sources wherever it stands. */
	serve_two(true);
	assert_true(known_is_noted("198.51.100.20/32", 1));
	assert_false(known_is_noted("198.51.100.20/32", 0));
}

/*
 * Of when a source came first only the tick is known: it counts from the tick's end on, for it may have come with its
 * last jiffy. The bound is that of the attack's beginning, so it stays where it is however long this takes.
 */
static void a_source_is_known_from_the_end_of_its_tick(void **state)
{
	struct packet user = packet_of_udp("198.51.100.30", "192.0.2.10", 4000, 53);
	struct prefix from = rig_prefix("198.51.100.30/32");
	struct shield_making making = { .expires = SHIELD_NEVER, .known = true };
	uint64_t begin, tick;
	uint32_t hz, first;

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	known_forget();
	hz = shield_pace(rig.shield).hz;
	tick = 1ULL << shield_known_shift(hz);
	begin = (rig_jiffies() - rig_seconds(600)) / tick * tick; /* a tick begins */
	first = shield_known_tick(begin, hz);
	assert_int_equal(shield_known_tick(begin + tick - 1, hz), first);
	(void)rig_make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	shield_freeze(rig.shield, 1, rig_jiffies() + rig_seconds(60));
	for (unsigned last = 0; last < 2; last++) {
		/* What counts is that moment: the first jiffy of a tick, and its last. */
		rig.shield->config->freezes[0].since = begin + (last ? tick - 1 : 0) + rig_seconds(SHIELD_KNOWN_LEAD_S);
		known_make_at(from.address.octets, 0, first + 1, known_tick_ago(0));
		rig_meets(&user, SHIELD_DROP_RULE, "in the tick behind");
		known_make_at(from.address.octets, 0, first, known_tick_ago(0));
		rig_meets(&user, SHIELD_DROP_RULE, "in the same tick");
		known_make_at(from.address.octets, 0, first - 1, known_tick_ago(0));
		rig_meets(&user, SHIELD_PASS_KNOWN, "in the tick before");
	}
	/* With the jiffy behind it the tick is over. */
	rig.shield->config->freezes[0].since = begin + tick + rig_seconds(SHIELD_KNOWN_LEAD_S);
	known_make_at(from.address.octets, 0, first, known_tick_ago(0));
	rig_meets(&user, SHIELD_PASS_KNOWN, "its tick has ended");
	shield_freeze(rig.shield, 0, 0);
}

static void a_known_source_passes_what_others_do_not(void **state)
{
	struct packet user = packet_of_udp("198.51.100.30", "192.0.2.10", 4000, 53),
		      stranger = packet_of_udp("198.51.100.31", "192.0.2.10", 4000, 53),
		      elsewhere = packet_of_udp("198.51.100.30", "192.0.2.10", 4000, 123);
	const uint8_t *src = NULL;
	struct prefix from = rig_prefix("198.51.100.30/32");
	struct shield_making making = { .expires = SHIELD_NEVER, .known = true };
	struct shield_rule_count count;
	uint32_t number;
	unsigned passed;

	(void)state;
	NEED_SHIELD;
	src = from.address.octets;
	serve_two(false);
	known_forget();
	number = rig_make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	assert_true(rig_told_of(number).known);
	rig_meets(&user, SHIELD_DROP_RULE, "nobody is known");
	known_make(src, 0, 3600, 60);
	rig_meets(&user, SHIELD_PASS_KNOWN, "known");
	rig_meets(&stranger, SHIELD_DROP_RULE, "not known");
	rig_meets(&elsewhere, SHIELD_DROP_RULE, "known to another service");
	count = rig_count_of(number);
	assert_int_equal(count.matched.packets, 4);
	assert_int_equal(count.known.packets, 1);
	assert_int_equal(count.dropped.packets, 3);
	known_make(src, 0, SHIELD_KNOWN_S + 600, SHIELD_KNOWN_S + 60);
	rig_meets(&user, SHIELD_DROP_RULE, "known long ago");
	known_make(src, 0, 2, 0);
	rig_meets(&user, SHIELD_DROP_RULE, "known for a moment");
	known_make(src, 0, SHIELD_KNOWN_LEAD_S + 20, 0);
	rig_meets(&user, SHIELD_PASS_KNOWN, "known for long enough");
	/* Under attack it counts who came before that. */
	shield_freeze(rig.shield, 1, rig_jiffies() + rig_seconds(60));
	rig_meets(&user, SHIELD_PASS_KNOWN, "known before the attack");
	rig.shield->config->freezes[0].since = rig_jiffies() - rig_seconds(60);
	rig_meets(&user, SHIELD_DROP_RULE, "since the attack");
	known_make(src, 0, SHIELD_KNOWN_LEAD_S + 80, 0);
	rig_meets(&user, SHIELD_PASS_KNOWN, "since before the attack");
	/* A freeze that is renewed began when it began. */
	shield_freeze(rig.shield, 1, rig_jiffies() + rig_seconds(90));
	assert_true(rig.shield->config->freezes[0].since <= rig_jiffies() - rig_seconds(60));
	shield_freeze(rig.shield, 0, 0);

	/* No more than its own. */
	serve_two(false);
	known_make(src, 0, 3600, 0);
	making.source_pps = 20;
	number = rig_make_rule("192.0.2.10/32", "udp", RULE_RATE_LIMIT, 10, &making);
	passed = rig_passing_buckets(&user, 200, 20, 20, 20);
	count = rig_count_of(number);
	assert_int_equal(count.known.packets, passed);
	assert_int_equal(count.known_lost.packets, 200 - passed);
	assert_int_equal(count.dropped.packets, 200 - passed);
	/* All others share the rule's. */
	rig_meets(&stranger, SHIELD_PASS_RULE, "within the rate of all others");
	(void)rig_passing(&stranger, 50);
	rig_meets_emptied(&stranger, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above it");

	/* It stands behind all others, and in the shadow only counts. */
	serve_two(false);
	making = (struct shield_making){ .expires = SHIELD_NEVER, .known = true };
	(void)rig_make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	(void)rig_add_rule("192.0.2.10/32", "udp and src port 4000", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&user, SHIELD_DROP_RULE, "a rule that was made later stands before it");
	serve_two(false);
	making.shadow = true;
	number = rig_make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	rig_would_meet(&stranger, SHIELD_DROP_RULE, "in the shadow");
	assert_int_equal(rig_fate_of(&user).reason, SHIELD_PASS_KNOWN);
	assert_int_equal(rig_count_of(number).known.packets, 1);
}

static void each_source_has_its_own_limit(void **state)
{
	struct packet one = packet_of_udp("198.51.100.40", "192.0.2.10", 4000, 53),
		      two = packet_of_udp("198.51.100.41", "192.0.2.10", 4000, 53);
	struct shield_making making = { .expires = SHIELD_NEVER, .each = true };
	struct prefix from = rig_prefix("198.51.100.41/32");
	struct shield_rule_count of_one, count;
	unsigned passed, known;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	known_forget();
	known_make(from.address.octets, 0, 3600, 0);
	number = rig_make_rule("192.0.2.10/32", "udp", RULE_RATE_LIMIT, 20, &making);
	assert_true(rig_told_of(number).each);
	passed = rig_passing_buckets(&one, 200, 20, 20, 20);
	rig_meets_emptied(&one, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above its own");
	of_one = rig_count_of(number);
	assert_int_equal(of_one.dropped.packets, 201 - passed);
	known = rig_passing_buckets(&two, 200, 20, 20, 20);
	count = rig_count_of(number);
	assert_int_equal(count.matched.packets, of_one.matched.packets + 200);
	assert_int_equal(count.known.packets, 0);
	assert_int_equal(count.known_lost.packets, 200 - known);
	assert_int_equal(count.dropped.packets, of_one.dropped.packets + 200 - known);
}

/* Whoever makes up addresses pushes out made-up ones. */
static void a_full_line_keeps_who_came_again(void **state)
{
	enum { MANY = 3 * SHIELD_KNOWN_LANES, AGAIN = SHIELD_KNOWN_LANES / 2 };
	struct source {
		struct address address;
		char text[INET6_ADDRSTRLEN];
	} sources[MANY];
	struct shield_known line;
	uint32_t number, wanted = 0;
	unsigned found = 0;
	uint64_t name;

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	known_forget();
	name = known_service_name(0);
	for (uint32_t i = 0; found < MANY && i < 1u << 26; i++) {
		struct address from = { .octets = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(i >> 24), (uint8_t)(i >> 16),
			                            (uint8_t)(i >> 8), (uint8_t)i, [15] = 1 } };
		struct source *source = &sources[found];
		__u64 word[2];

		memcpy(word, from.octets, sizeof(word));
		number = (uint32_t)shield_known_hash(rig.shield->config->seed, name, word) & (SHIELD_KNOWN_LINES - 1);
		if (found == 0)
			wanted = number;
		if (number != wanted)
			continue;
		source->address = from;
		inet_ntop(AF_INET6, from.octets, source->text, sizeof(source->text));
		found++;
	}
	assert_int_equal(found, MANY);
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		known_make(sources[i].address.octets, 0, 4000 + i, i < AGAIN ? 3000 : 4000 + i);
	for (unsigned i = SHIELD_KNOWN_LANES; i < MANY; i++) {
		rig_answer("2001:db8::10", sources[i].text, 53, (uint16_t)(5000 + i));
		assert_true(known_is_noted_at(&sources[i].address, 0));
	}
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		assert_int_equal(known_is_noted_at(&sources[i].address, 0), i < AGAIN);
	assert_int_equal(bpf_map_lookup_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_KNOWN], &wanted, &line), 0);
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		assert_int_not_equal(line.lane[i], 0);
	known_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_answered_in_peace_becomes_known),
		cmocka_unit_test(a_source_is_known_from_the_end_of_its_tick),
		cmocka_unit_test(a_known_source_passes_what_others_do_not),
		cmocka_unit_test(each_source_has_its_own_limit),
		cmocka_unit_test(a_full_line_keeps_who_came_again),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
