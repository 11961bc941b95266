/* SPDX-License-Identifier: Apache-2.0 */
/* Rates: of a rule, of each source of a service; and rules that sleep until a rate is exceeded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"
#include "packet.h"
#include "rig.h"
#include "shield/shield.h"

static void a_rate_is_held(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)rig_add_rule("::/0", "udp", RULE_RATE_LIMIT, 100, false, SHIELD_NEVER);
	(void)rig_passing_buckets(&p, 200, 10, 10, 100); /* a tenth of a second's worth */
	rig_meets_emptied(&p, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above the rate");
	rig_wait_ms(60);
	rig_meets(&p, SHIELD_PASS_RULE, "after a while");
	(void)rig_passing_buckets(&p, 200, 3, 10, 100);
	rig_wait_ms(3000); /* what is saved up is a tenth of a second's worth at most */
	(void)rig_passing_buckets(&p, 200, 10, 10, 100);
	rig_begin();
	(void)rig_add_rule("::/0", "udp", RULE_RATE_LIMIT, 1, false, SHIELD_NEVER);
	assert_int_equal(rig_passing(&p, 50), 1);
}

/* What passes of 50 packets while their bucket, with so many tokens, is ahead in time; once more where that came. */
static unsigned passing_ahead(const struct packet *p, int fd, uint32_t counter, unsigned tokens)
{
	struct shield_rule_state state = { .active_until = SHIELD_NEVER };
	uint64_t ahead;
	unsigned passed;

	do {
		ahead = rig_jiffies() + rig_seconds(1) / 2;
		state.rate = ahead << 32 | tokens * SHIELD_TOKEN;
		assert_int_equal(bpf_map_update_elem(fd, &counter, &state, BPF_ANY), 0);
		passed = rig_passing(p, 50);
	} while (rig_jiffies() + 1 >= ahead);
	return passed;
}

/* A packet that began before a jiffy's end may meet a bucket that one behind it has taken from. */
static void a_bucket_ahead_in_time_is_not_filled(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	int fd = rig.shield ? shield_maps(rig.shield)->fd[SHIELD_MAP_RULE_STATES] : -1;
	struct shield_rule_state bucket = { .active_until = SHIELD_NEVER };
	unsigned count;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)rig_add_rule("::/0", "udp", RULE_RATE_LIMIT, 100, false, SHIELD_NEVER);
	assert_int_equal(shield_read_rules(shield_maps(rig.shield), rig_jiffies(), rules, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(passing_ahead(&p, fd, rules[0].counter, 0), 0);
	assert_int_equal(passing_ahead(&p, fd, rules[0].counter, 2), 2);
	/* What nobody has used for long, its time having wrapped or not, is full. */
	for (unsigned bit = 12; bit < 32; bit++) {
		bucket.rate = (rig_jiffies() - (1ULL << bit)) << 32;
		assert_int_equal(bpf_map_update_elem(fd, &rules[0].counter, &bucket, BPF_ANY), 0);
		(void)rig_passing_buckets(&p, 200, 10, 10, 100);
	}
}

static void services_have_their_own_counters_and_limits(void **state)
{
	const struct prefix web[] = { rig_prefix("192.0.2.10/32"), rig_prefix("2001:db8::10/128") },
			    net = rig_prefix("192.0.2.0/24");
	const uint16_t tcp_ports[] = { 80, 443 }, udp_ports[] = { 53 };
	const struct shield_service services[] = {
		{ .name = "web",
		  .prefixes = web,
		  .prefix_count = 2,
		  .tcp = tcp_ports,
		  .tcp_count = 2,
		  .source_pps = 20 },
		{ .name = "dns", .prefixes = web, .prefix_count = 1, .udp = udp_ports, .udp_count = 1 },
		{ .name = "rest", .prefixes = &net, .prefix_count = 1 },
	};
	struct packet p = packet_of_syn("198.51.100.9", "192.0.2.10", 80),
		      other = packet_of_syn("198.51.100.10", "192.0.2.10", 443);
	struct packet six = packet_of_syn("2001:db8:9:9::1", "2001:db8::10", 80),
		      same = packet_of_syn("2001:db8:9:9:8::2", "2001:db8::10", 80);
	struct packet next = packet_of_syn("2001:db8:9:a::1", "2001:db8::10", 80);
	static const struct {
		const char *src, *dst;
		uint16_t port;
		bool is_udp;
		unsigned service;
	} cases[] = {
		{ "203.0.113.50", "192.0.2.10", 80, false, 0 },
		{ "203.0.113.51", "192.0.2.10", 443, false, 0 },
		{ "203.0.113.52", "192.0.2.10", 53, true, 1 },
		{ "203.0.113.53", "192.0.2.10", 80, true, 2 },
		{ "203.0.113.54", "192.0.2.99", 80, false, 2 },
		{ "203.0.113.55", "192.0.3.1", 80, false, SHIELD_SERVICE_NONE },
		{ "2001:db8:50::1", "2001:db8::10", 80, false, 0 },
		{ "2001:db8:51::1", "2001:db8::10", 53, true, SHIELD_SERVICE_NONE },
	};
	struct shield_error error;
	struct rig_fate fate;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_int_equal(shield_set_services(rig.shield, services, 3, &error), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet one = cases[i].is_udp ? packet_of_udp(cases[i].src, cases[i].dst, 9, cases[i].port)
		                                    : packet_of_syn(cases[i].src, cases[i].dst, cases[i].port);

		fate = rig_fate_of(&one);
		assert_int_equal(fate.reason, SHIELD_PASS_CLEAN);
		assert_int_equal(fate.service, cases[i].service);
	}
	(void)rig_passing_buckets(&p, 100, 20, 20, 20);
	rig_meets_emptied(&p, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "above its limit");
	rig_meets(&other, SHIELD_PASS_CLEAN, "another source");
	(void)rig_passing_buckets(&six, 100, 20, 20, 20);
	rig_meets_emptied(&same, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "of the same /64");
	rig_meets(&next, SHIELD_PASS_CLEAN, "of the next /64");
	shield_set_mode(rig.shield, false, SHIELD_NEVER);
	assert_int_equal(rig_passing(&p, 100), 100);
	fate = rig_fate_once_empty(&p, SHIELD_PASS_CLEAN);
	assert_int_equal(fate.reason, SHIELD_DROP_SOURCE);
	assert_false(fate.enforced);
}

/* Who is within the limit per source is not exempted from it by a rule that only counts. */
static void what_only_counts_exempts_from_nothing(void **state)
{
	const struct prefix net = rig_prefix("192.0.2.0/24");
	const struct shield_service service = { .name = "all", .prefixes = &net, .prefix_count = 1, .source_pps = 10 };
	struct packet p = packet_of_udp("203.0.113.99", "192.0.2.10", 5, 4000);
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_int_equal(shield_set_services(rig.shield, &service, 1, &error), 0);
	(void)rig_add_rule("::/0", "udp", RULE_NONE, 0, false, SHIELD_NEVER);
	(void)rig_add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	(void)rig_passing_buckets(&p, 100, 10, 10, 10);
	rig_meets_emptied(&p, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "above its limit");
}

static uint64_t active_until(uint32_t number)
{
	uint64_t until;

	assert_int_equal(shield_read_active_until(shield_maps(rig.shield), rig_told_of(number).counter, &until), 0);
	return until;
}

static bool is_active(uint32_t number)
{
	return active_until(number) > rig_jiffies();
}

/* What passes of `count` packets, of which one comes each `gap_ms`. */
static unsigned passing_slowly(const struct packet *p, unsigned count, unsigned gap_ms)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < count; i++) {
		rig_wait_ms(gap_ms);
		passed += rig_run(p->octets, p->length) == XDP_PASS;
	}
	return passed;
}

/* Nobody but the kernel has a hand in it: an attack that comes in pulses is dropped from each one's beginning on. */
static void a_rule_arms_itself_again(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 100, .hold_s = 1 };
	struct shield_rule_told told;
	uint32_t number, behind;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	number = rig_make_rule("::/0", "udp", RULE_DROP, 0, &making);
	behind = rig_add_rule("::/0", "udp", RULE_NONE, 0, false, SHIELD_NEVER);
	told = rig_told_of(number);
	assert_int_equal(told.arm_pps, 100);
	assert_int_equal(told.hold_s, 1);
	assert_true(is_active(number));
	rig_meets(&p, SHIELD_DROP_RULE, "it begins active");
	rig_wait_ms(1100);
	assert_false(is_active(number));
	for (unsigned pulse = 0; pulse < 3; pulse++) {
		struct shield_rule_count before = rig_count_of(number), behind_before = rig_count_of(behind), after;
		uint64_t until;

		/* Fewer than arm_pps: as if it were not there, but that it counts them. */
		rig_meets(&p, SHIELD_PASS_RULE, "what is behind it has its say");
		assert_int_equal(passing_slowly(&p, 20, 20), 20);
		assert_false(is_active(number));
		after = rig_count_of(number);
		assert_int_equal(after.matched.packets, before.matched.packets + 21);
		assert_int_equal(after.dropped.packets, before.dropped.packets);
		assert_int_equal(rig_count_of(behind).matched.packets, behind_before.matched.packets + 21);
		/* A burst of a tenth of a second's worth is had, and what came meanwhile. */
		(void)rig_passing_buckets(&p, 500, 8, 10, 100);
		assert_true(is_active(number));
		/* It holds on, though now few come. */
		until = active_until(number);
		for (unsigned i = 0; i < 10; i++)
			assert_true(passing_slowly(&p, 1, 50) == 0 || rig_jiffies() + 1 >= until);
		rig_wait_ms(1100);
		assert_false(is_active(number));
	}
}

/*
 * As long as a flood lasts it acts, though it puts its end off only now and then. Bursts are above its rate however
 * long they take; one that a busy machine keeps back for nearly as long as the rule holds is a flood of its own.
 */
static void a_rule_stays_active_while_it_is_hit(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 100, .hold_s = 1 };
	uint64_t end, before, last;
	unsigned in_time = 0;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	last = rig_jiffies();
	end = last + rig_seconds(3);
	(void)rig_make_rule("::/0", "udp", RULE_DROP, 0, &making);
	for (; last < end; last = before) {
		unsigned passed;

		before = rig_jiffies();
		passed = passing_slowly(&p, 1, 20) + rig_passing(&p, 500);
		if (rig_jiffies() - last >= rig_seconds(3) / 4)
			continue;
		assert_int_equal(passed, 0);
		in_time++;
	}
	assert_true(in_time > 0);
}

static void an_active_rate_limit_limits(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 200, .hold_s = 1 };

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)rig_make_rule("::/0", "udp", RULE_RATE_LIMIT, 50, &making);
	(void)rig_passing_buckets(&p, 200, 5, 5, 50);
	rig_meets_emptied(&p, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above the rate");
	rig_wait_ms(1100);
	rig_meets(&p, SHIELD_PASS_CLEAN, "armed");
	(void)rig_passing_buckets(&p, 500, 20, 25, 250); /* a tenth of arm_pps, and then the limit's own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_held),
		cmocka_unit_test(a_bucket_ahead_in_time_is_not_filled),
		cmocka_unit_test(services_have_their_own_counters_and_limits),
		cmocka_unit_test(what_only_counts_exempts_from_nothing),
		cmocka_unit_test(a_rule_arms_itself_again),
		cmocka_unit_test(a_rule_stays_active_while_it_is_hit),
		cmocka_unit_test(an_active_rate_limit_limits),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
