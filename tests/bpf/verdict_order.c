/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of what a packet meets on its way through the shield the first decides: what can be read of it, ways in, allowances,
 * blocks, rules; and each of them ends when it is to.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "base/time.h"
#include "defend/match.h"
#include "defend/rule.h"
#include "packet.h"
#include "rig.h"
#include "shield/inside.h"
#include "shield/shield.h"

static void what_cannot_be_read_passes_and_is_counted(void **state)
{
	struct packet p;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	packet_begin(&p);
	packet_ether_type(&p, 0x0806);
	packet_payload(&p, NULL, 28);
	rig_meets(&p, SHIELD_PASS_ARP, "ARP");
	packet_begin(&p);
	packet_ether_type(&p, 0x88cc);
	packet_payload(&p, NULL, 40);
	rig_meets(&p, SHIELD_PASS_NOT_IP, "LLDP");
	packet_begin(&p);
	packet_ether_type(&p, 0x8100);
	packet_payload(&p, NULL, 2);
	rig_meets(&p, SHIELD_PASS_LINK_SHORT, "a cut tag");
	packet_begin(&p);
	for (unsigned i = 0; i < SHIELD_TAGS_MAX + 1; i++)
		packet_vlan(&p, 0x8100, 1);
	packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	packet_end(&p);
	rig_meets(&p, SHIELD_PASS_TAGS, "too many tags");
	p = packet_layered(PACKET_PLAIN);
	p.length = 14 + 19;
	rig_meets(&p, SHIELD_PASS_IP_SHORT, "a cut IPv4 header");
	p = packet_layered(PACKET_IPV6);
	p.length = 14 + 39;
	rig_meets(&p, SHIELD_PASS_IP_SHORT, "a cut IPv6 header");
	p = packet_layered(PACKET_PLAIN);
	p.octets[14] = 0x55;
	rig_meets(&p, SHIELD_PASS_IP_VERSION, "version 5");
	p.octets[14] = 0x65;
	rig_meets(&p, SHIELD_PASS_IP_VERSION, "version 6 where the link says 4");
	p.octets[14] = 0x44;
	rig_meets(&p, SHIELD_PASS_IP_HEADER, "a header of 16 octets");
	packet_begin(&p);
	packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	for (unsigned i = 0; i < SHIELD_EXTENSIONS_MAX + 1; i++)
		packet_extension(&p, 60, 0);
	packet_udp(&p, 1, 2);
	packet_end(&p);
	rig_meets(&p, SHIELD_PASS_EXTENSION, "too many extension headers");
	p = packet_layered(PACKET_PLAIN);
	p.octets[14 + 20 + 5] = 4; /* UDP's length */
	p.octets[14 + 20 + 4] = 0;
	rig_meets(&p, SHIELD_PASS_TRANSPORT, "a UDP length of 4");
	p = packet_layered(PACKET_TCP_OPTIONS);
	p.octets[14 + 20 + 12] = 0x10;
	rig_meets(&p, SHIELD_PASS_TRANSPORT, "a TCP header of 4 octets");
	for (unsigned i = 0; i < PACKET_LAYERS; i++) {
		p = packet_layered((enum packet_layers)i);
		rig_meets(&p, SHIELD_PASS_CLEAN, packet_layer_names[i]);
	}
}

static void a_block_holds_whatever_is_around_and_in_the_packet(void **state)
{
	struct packet p;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("198.51.100.0/24", rig_jiffies() + rig_seconds(60));
	rig_block("2001:db8:5::/48", rig_jiffies() + rig_seconds(60));
	for (unsigned i = 0; i < PACKET_LAYERS; i++) {
		p = packet_layered((enum packet_layers)i);
		rig_meets(&p, SHIELD_DROP_BLOCK, packet_layer_names[i]);
	}
	/* Of these IP says whose they are. */
	p = packet_layered(PACKET_TCP_OPTIONS);
	p.octets[14 + 20 + 12] = 0x10;
	rig_meets(&p, SHIELD_DROP_BLOCK, "a malformed TCP header");
	packet_begin(&p);
	packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	for (unsigned i = 0; i < SHIELD_EXTENSIONS_MAX + 1; i++)
		packet_extension(&p, 60, 0);
	packet_end(&p);
	rig_meets(&p, SHIELD_DROP_BLOCK, "too many extension headers");
	rig_release("198.51.100.0/24");
	rig_release("2001:db8:5::/48");
	p = packet_layered(PACKET_PLAIN);
	rig_meets(&p, SHIELD_PASS_CLEAN, "released");
	p = packet_layered(PACKET_IPV6);
	rig_meets(&p, SHIELD_PASS_CLEAN, "released");
}

/* What IPv6 needs to be there at all passes whatever is said; from farther than the link nobody can send it. */
static void neighbours_are_heard(void **state)
{
	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("2001:db8:1::/48", rig_jiffies() + rig_seconds(60));
	(void)rig_add_rule("::/0", "icmp6", RULE_DROP, 0, false, SHIELD_NEVER);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned type = 132; type <= 138; type++) {
			struct packet p;
			bool is = type >= 133 && type <= 137;

			packet_begin(&p);
			packet_ipv6(&p, i ? "2001:db8:1::1" : "fe80::1", "2001:db8::10");
			packet_icmp(&p, 58, (uint8_t)type, 0);
			packet_payload(&p, NULL, 20);
			packet_end(&p);
			p.octets[14 + 7] = 255;
			rig_meets(&p,
			          is  ? SHIELD_PASS_CLEAN
			          : i ? SHIELD_DROP_BLOCK
			              : SHIELD_DROP_RULE,
			          "from the link");
			p.octets[14 + 7] = 254;
			rig_meets(&p, i ? SHIELD_DROP_BLOCK : SHIELD_DROP_RULE, "from afar");
		}
	}
	rig_release("2001:db8:1::/48");
}

static void who_comes_first_decides(void **state)
{
	const struct shield_way_in way = { rig_prefix("198.51.100.0/24"), 22, true, SHIELD_NEVER };
	const struct prefix allowed = rig_prefix("198.51.100.9/32");
	struct packet ssh = packet_of_syn("198.51.100.9", "192.0.2.10", 22),
		      p = packet_of_udp("198.51.100.9", "192.0.2.10", 9, 22);
	struct packet web = packet_of_syn("198.51.100.9", "192.0.2.10", 80),
		      other = packet_of_syn("203.0.113.1", "192.0.2.10", 80);
	struct shield_error error;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	number = rig_add_rule("192.0.2.0/24", "tcp and dst port 80", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&web, SHIELD_DROP_RULE, "a rule");
	rig_block("198.51.100.0/24", rig_jiffies() + rig_seconds(60));
	rig_meets(&web, SHIELD_DROP_BLOCK, "a block comes before a rule");
	rig_meets(&other, SHIELD_DROP_RULE, "the rule alone");
	assert_int_equal(shield_allow(rig.shield, &allowed, SHIELD_NEVER, &error), 0);
	rig_meets(&web, SHIELD_PASS_ALLOWED, "allowed before blocked");
	rig_meets(&p, SHIELD_PASS_ALLOWED, "allowed before blocked");
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	rig_meets(&ssh, SHIELD_PASS_GUARD, "the way in before all");
	assert_int_equal(shield_disallow(rig.shield, &allowed, &error), 0);
	rig_meets(&ssh, SHIELD_PASS_GUARD, "the way in, though blocked");
	rig_meets(&p, SHIELD_DROP_BLOCK, "the way in is of TCP");
	rig_meets(&web, SHIELD_DROP_BLOCK, "and of its port");
	rig_release("198.51.100.0/24");
	assert_int_equal(shield_remove_rule(rig.shield, number, &error), 0);
	rig_meets(&web, SHIELD_PASS_CLEAN, "all gone");
}

/* The operator's packets pass; but what would hit one is refused only where it is sure that he is one. */
static void who_is_merely_connected_has_no_veto(void **state)
{
	struct shield_way_in way = { rig_prefix("198.51.100.9/32"), 22, false, SHIELD_NEVER };
	struct packet p = packet_of_syn("198.51.100.9", "192.0.2.10", 22);
	struct rule rule = { .scope = rig_prefix("::/0"), .action = RULE_DROP };
	struct match_error wrong;
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_int_equal(match_parse("src net 198.51.0.0/16", &rule.match, &wrong), 0);
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	assert_int_equal(shield_check_guard(rig.shield, &rule, &error), 0);
	(void)rig_add_rule("::/0", "src net 198.51.0.0/16", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_PASS_GUARD, "he is let in all the same");
	way.sure = true;
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	assert_int_equal(shield_check_guard(rig.shield, &rule, &error), -EPERM);
}

static void of_rules_the_first_decides(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_rule_count count;
	struct shield_error error;
	unsigned told;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)rig_add_rule("::/0", "udp and src port 53", RULE_DROP, 0, false, SHIELD_NEVER);
	(void)rig_add_rule("192.0.2.10", "udp and src port 123", RULE_NONE, 0, false, SHIELD_NEVER);
	(void)rig_add_rule("::/0", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_DROP_RULE, "one that only counts hides nothing");
	assert_int_equal(shield_read_rules(shield_maps(rig.shield), rig_jiffies(), rules, &told), 0);
	assert_int_equal(told, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(shield_read_rule_count(shield_maps(rig.shield), rules[i].counter, &count), 0);
		assert_int_equal(count.matched.packets, i > 0);
		assert_int_equal(count.matched.octets, i > 0 ? p.length : 0);
		assert_int_equal(count.dropped.packets, i == 2);
	}
	(void)rig_add_rule("::/0", "udp and dst port 4000", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_DROP_RULE, "the first that acts");
	assert_int_equal(shield_read_rule_count(shield_maps(rig.shield), rules[2].counter, &count), 0);
	assert_int_equal(count.dropped.packets, 2);
	assert_int_equal(count.dropped.octets, 2 * p.length);
	assert_in_range(count.last, rig_jiffies() - rig_seconds(5), rig_jiffies() + 1); /* ours may be one behind */
	assert_int_equal(shield_read_rules(shield_maps(rig.shield), rig_jiffies(), rules, &told), 0);
	assert_int_equal(told, 4);
	assert_int_equal(shield_read_rule_count(shield_maps(rig.shield), rules[3].counter, &count), 0);
	assert_int_equal(count.matched.packets, 0);
	assert_int_equal(shield_remove_rule(rig.shield, rules[2].number, &error), 0);
	assert_int_equal(shield_remove_rule(rig.shield, rules[3].number, &error), 0);
	rig_meets(&p, SHIELD_PASS_RULE, "none acts");
	(void)rig_add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	rig_would_meet(&p, SHIELD_DROP_RULE, "none acts, and one would");
}

/* IPv4 addresses lie in ::ffff:0:0/96 inside, and in no network of IPv6. */
static void a_network_of_ipv6_holds_no_ipv4(void **state)
{
	struct rule rule = { .action = RULE_DROP };
	const struct shield_making making = { .expires = SHIELD_NEVER };
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000),
		      six = packet_of_udp("::9", "::10", 123, 4000);
	const struct prefix anywhere = rig_prefix("::/0"),
			    allowed[] = { rig_prefix("::/64"), rig_prefix("198.51.100.77/32") };
	const struct shield_way_in way = { .from = anywhere, .port = 22, .expires = SHIELD_NEVER, .sure = true };
	const struct shield_service service = { .name = "six", .prefixes = &anywhere, .prefix_count = 1 };
	struct shield_error error;
	struct match_error wrong;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	(void)rig_add_rule("::/64", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	(void)rig_add_rule("::/0", "src net ::/80", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_PASS_CLEAN, "IPv4");
	rig_meets(&six, SHIELD_DROP_RULE, "IPv6");
	assert_int_equal(match_parse("not src net ::/80", &rule.match, &wrong), 0);
	assert_int_equal(shield_add_rule(rig.shield, &rule, &making, &number, &error), -EOPNOTSUPP);

	/* Nor do the other lists. */
	rig_begin();
	(void)rig_add_rule("::/0", "tcp", RULE_DROP, 0, false, SHIELD_NEVER);
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	assert_int_equal(shield_set_services(rig.shield, &service, 1, &error), 0);
	assert_int_equal(shield_allow(rig.shield, &allowed[0], SHIELD_NEVER, &error), 0);
	assert_int_equal(shield_allow(rig.shield, &allowed[1], SHIELD_NEVER, &error), 0);
	p = packet_of_syn("198.51.100.9", "192.0.2.10", 22);
	rig_meets(&p, SHIELD_DROP_RULE, "IPv4 by the way in");
	assert_int_equal(rig_fate_of(&p).service, SHIELD_SERVICE_NONE);
	six = packet_of_syn("2001:db8::9", "2001:db8::10", 22);
	rig_meets(&six, SHIELD_PASS_GUARD, "IPv6 by the way in");
	assert_int_equal(rig_fate_of(&six).service, 0);
	six = packet_of_syn("::9", "2001:db8::10", 80);
	rig_meets(&six, SHIELD_PASS_ALLOWED, "IPv6 that is allowed");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(shield_disallow(rig.shield, &allowed[i], &error), 0);
}

/* An address of IPv4 in the header of IPv6 is one of IPv4 to all that lists addresses. */
static void a_mapped_address_is_one_of_ipv4(void **state)
{
	struct packet p = packet_of_udp("::ffff:198.51.100.9", "2001:db8::10", 123, 4000);
	struct packet to = packet_of_udp("2001:db8::1", "::ffff:192.0.2.10", 123, 4000);
	const struct prefix allowed = rig_prefix("198.51.100.9/32");
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("198.51.100.0/24", rig_jiffies() + rig_seconds(60));
	rig_meets(&p, SHIELD_DROP_BLOCK, "blocked");
	assert_int_equal(shield_allow(rig.shield, &allowed, SHIELD_NEVER, &error), 0);
	rig_meets(&p, SHIELD_PASS_ALLOWED, "allowed");
	assert_int_equal(shield_disallow(rig.shield, &allowed, &error), 0);
	rig_release("198.51.100.0/24");
	(void)rig_add_rule("192.0.2.10", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&to, SHIELD_DROP_RULE, "to");
	(void)rig_add_rule("::/0", "src net 198.51.0.0/16", RULE_NONE, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_PASS_RULE, "from");
	rig_begin();
	(void)rig_add_rule("::/0", "src net 0.0.0.0/0 and ip6", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_DROP_RULE, "from anywhere");
}

static void observing_counts_and_lets_pass(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000),
		      other = packet_of_udp("203.0.113.9", "192.0.2.10", 123, 4000);

	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("198.51.100.0/24", rig_jiffies() + rig_seconds(60));
	(void)rig_add_rule("::/0", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	shield_set_mode(rig.shield, false, SHIELD_NEVER);
	rig_would_meet(&p, SHIELD_DROP_BLOCK, "a block");
	rig_would_meet(&other, SHIELD_DROP_RULE, "a rule");
	shield_set_mode(rig.shield, true, rig_jiffies() + rig_seconds(60));
	rig_meets(&p, SHIELD_DROP_BLOCK, "until a time to come");
	shield_set_mode(rig.shield, true, rig_jiffies());
	rig_would_meet(&p, SHIELD_DROP_BLOCK, "a time that has come");
	shield_set_mode(rig.shield, true, rig_jiffies() + rig_seconds(1) / 4);
	rig_meets(&p, SHIELD_DROP_BLOCK, "a quarter of a second");
	rig_wait_ms(400);
	rig_would_meet(&p, SHIELD_DROP_BLOCK, "nobody has said so, and it is over");
	rig_would_meet(&other, SHIELD_DROP_RULE, "a rule");
	rig_release("198.51.100.0/24");
	rig_begin();
	(void)rig_add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	rig_would_meet(&p, SHIELD_DROP_RULE, "a rule in the shadow");
}

static void all_that_has_an_end_ends(void **state)
{
	struct shield_way_in way = { rig_prefix("198.51.100.9/32"), 22, true, 0 };
	const struct prefix allowed = rig_prefix("198.51.100.0/24");
	struct packet ssh = packet_of_syn("198.51.100.9", "192.0.2.10", 22),
		      web = packet_of_syn("198.51.100.9", "192.0.2.10", 80);
	struct packet blocked = packet_of_udp("203.0.113.7", "192.0.2.10", 1, 2),
		      blocked6 = packet_of_udp("2001:db8:7::1", "2001:db8::10", 1, 2);
	struct shield_error error;
	uint64_t soon;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	soon = rig_jiffies() + rig_seconds(1) / 5;
	way.expires = soon;
	(void)rig_add_rule("::/0", "tcp", RULE_DROP, 0, false, soon);
	assert_int_equal(shield_set_guard(rig.shield, &way, 1, &error), 0);
	assert_int_equal(shield_allow(rig.shield, &allowed, soon + rig_seconds(1) / 5, &error), 0);
	rig_block("203.0.113.0/24", soon);
	rig_block("2001:db8:7::/64", soon);
	rig_meets(&blocked, SHIELD_DROP_BLOCK, "a block");
	rig_meets(&blocked6, SHIELD_DROP_BLOCK, "a block");
	rig_wait_ms(250);
	rig_meets(&ssh, SHIELD_PASS_ALLOWED, "the way in is shut");
	rig_wait_ms(250);
	rig_meets(&ssh, SHIELD_PASS_CLEAN, "the rule has ended, and the allowance");
	rig_meets(&web, SHIELD_PASS_CLEAN, "the rule has ended");
	rig_wait_ms(700); /* a block ends with a tick */
	rig_meets(&blocked, SHIELD_PASS_CLEAN, "the block has ended");
	rig_meets(&blocked6, SHIELD_PASS_CLEAN, "the block has ended");
	(void)shield_disallow(rig.shield, &allowed, &error);
}

static void a_rule_is_renewed(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000),
		      other = packet_of_syn("198.51.100.9", "192.0.2.10", 80);
	struct shield_making making = { .expires = 0, .hold_s = SHIELD_HOLD_MAX_S + 1, .arm_pps = 1 };
	struct shield_rule_told before, after;
	struct rule rule = { .scope = rig_prefix("::/0") };
	struct shield_error error;
	uint32_t number, none;
	unsigned swept;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	number = rig_add_rule("::/0", "udp", RULE_DROP, 0, false, rig_jiffies() + rig_seconds(1) / 2);
	before = rig_told_of(number);
	(void)rig_add_rule("::/0", "tcp", RULE_DROP, 0, false, SHIELD_NEVER);
	assert_int_equal(shield_renew_rule(rig.shield, number, rig_jiffies() + rig_seconds(60), &error), 0);
	after = rig_told_of(number);
	assert_in_range(after.expires, rig_jiffies() + rig_seconds(58), rig_jiffies() + rig_seconds(60));
	assert_int_equal(after.counter, before.counter);
	rig_wait_ms(600);
	rig_meets(&p, SHIELD_DROP_RULE, "it would have ended");
	assert_int_equal(rig_count_of(number).dropped.packets, 1);
	assert_int_equal(shield_renew_rule(rig.shield, number, rig_jiffies(), &error), 0);
	rig_meets(&p, SHIELD_PASS_CLEAN, "its end is now");
	rig_meets(&other, SHIELD_DROP_RULE, "the other's is not");
	assert_int_equal(shield_renew_rule(rig.shield, number, SHIELD_NEVER, &error), -ENOENT);
	assert_int_equal(shield_renew_rule(rig.shield, number + 7, SHIELD_NEVER, &error), -ENOENT);
	assert_int_equal(shield_sweep_rules(rig.shield, rig_jiffies(), &swept), 0);
	assert_int_equal(shield_add_rule(rig.shield, &rule, &making, &none, &error), -EINVAL);
}

/*
 * A list that has been full, of entries that have all expired, has room; and letting all of it go takes no long while.
 */
static void the_allow_list_forgets_what_has_expired(void **state)
{
	struct prefix *all = rig.shield ? calloc(SHIELD_ALLOW_MAX, sizeof(*all)) : NULL;
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	uint64_t ends = rig.shield ? rig_jiffies() + rig_seconds(2) : 0;
	struct prefix outer = rig_prefix("198.51.100.0/24");
	struct shield_error error;
	int64_t began;
	unsigned swept;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_non_null(all);
	rig_block("198.51.100.9/32", rig_jiffies() + rig_seconds(60));
	for (unsigned i = 0; i < SHIELD_ALLOW_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "198.18.%u.%u/32", i / 256, i % 256);
		all[i] = rig_prefix(text);
		assert_int_equal(shield_allow(rig.shield, &all[i], ends, &error), 0);
	}
	assert_int_equal(shield_allow(rig.shield, &outer, SHIELD_NEVER, &error), rig_jiffies() < ends ? -ENOSPC : 0);
	while (rig_jiffies() <= ends)
		rig_wait_ms(20);
	assert_int_equal(shield_allow(rig.shield, &outer, SHIELD_NEVER, &error), 0);
	rig_meets(&p, SHIELD_PASS_ALLOWED, "there is room");
	assert_int_equal(shield_sweep_allowed(rig.shield, rig_jiffies(), &swept), 0);
	assert_int_equal(swept, 0);
	/* An allowance of a configuration is not made one for a while. */
	assert_int_equal(shield_allow(rig.shield, &outer, rig_jiffies() + 1, &error), 0);
	rig_wait_ms(30);
	rig_meets(&p, SHIELD_PASS_ALLOWED, "for good");
	for (unsigned i = 0; i < SHIELD_ALLOW_MAX - 1; i++)
		assert_int_equal(shield_allow(rig.shield, &all[i], SHIELD_NEVER, &error), 0);
	began = shield_monotonic_ns();
	assert_int_equal(shield_disallow_all(rig.shield, all, SHIELD_ALLOW_MAX, &error), 0);
	assert_true(shield_monotonic_ns() - began < 2 * (int64_t)NS_PER_S);
	rig_meets(&p, SHIELD_PASS_ALLOWED, "it stays");
	assert_int_equal(shield_disallow(rig.shield, &all[0], &error), -ENOENT);
	assert_int_equal(shield_disallow(rig.shield, &outer, &error), 0);
	rig_meets(&p, SHIELD_DROP_BLOCK, "it has gone");
	rig_release("198.51.100.9/32");
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_read_passes_and_is_counted),
		cmocka_unit_test(a_block_holds_whatever_is_around_and_in_the_packet),
		cmocka_unit_test(neighbours_are_heard),
		cmocka_unit_test(who_comes_first_decides),
		cmocka_unit_test(who_is_merely_connected_has_no_veto),
		cmocka_unit_test(of_rules_the_first_decides),
		cmocka_unit_test(a_network_of_ipv6_holds_no_ipv4),
		cmocka_unit_test(a_mapped_address_is_one_of_ipv4),
		cmocka_unit_test(observing_counts_and_lets_pass),
		cmocka_unit_test(all_that_has_an_end_ends),
		cmocka_unit_test(a_rule_is_renewed),
		cmocka_unit_test(the_allow_list_forgets_what_has_expired),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
