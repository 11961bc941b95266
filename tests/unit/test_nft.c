/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nftables is told, and what it then does. The latter in a network namespace of its own, over a pair of virtual
 * interfaces: frames that are sent on hf1 arrive on hf0, whose ingress is shielded.
 *
 *     packet socket ──► hf1 ═══ veth ═══ hf0 ──► table netdev hftest ──► nobody
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include <cmocka.h>

#include "base/time.h"
#include "bpf/packet.h"
#include "observe/decode.h"
#include "shield/nft.h"

#define TABLE "hftest"
#define LINK_ETHERNET 1
#define HOUR (3600 * NS_PER_S)

static struct prefix prefix(const char *text)
{
	struct prefix parsed;

	assert_int_equal(prefix_parse(text, &parsed), 0);
	return parsed;
}

static struct shield_rule_told rule(uint32_t number, const char *scope, const char *match, enum rule_action action)
{
	struct shield_rule_told told = { .number = number, .rule = { .scope = prefix(scope), .action = action } };
	struct match_error wrong;

	if (match_parse(match, &told.rule.match, &wrong) != 0)
		fail_msg("%s: %s", match, wrong.message);
	return told;
}

/* ---- words ---- */

static void conditions_are_said(void **state)
{
	static const struct {
		const char *scope, *match, *four, *six; /* NULL: no packet of that family meets it */
	} cases[] = {
		{ "192.0.2.10", "udp and src port 123",
		  "ip daddr 192.0.2.10/32 meta l4proto 17 "
		  "meta l4proto { 6, 17, 33, 132, 136 } th sport 123 ",
		  NULL },
		{ "::/0", "length 100-200", "ip length 100-200 ", "ip6 length 60-160 " },
		{ "::/0", "length <= 65535 and ttl > 10", "ip length >= 0 ip ttl 11-255 ",
		  "ip6 length 0-65495 ip6 hoplimit 11-255 " },
		{ "::/0", "length 20", "ip length 20 ", NULL },
		{ "2001:db8::/32", "not fragment and payload length 4 and udp", NULL,
		  "ip6 daddr 2001:db8::/32 exthdr frag missing udp length 12 meta l4proto 17 " },
		{ "::/0", "ip id 7", "ip id 7 ", NULL },
		{ "::/0", "not src net 198.51.100.0/24", "ip saddr != 198.51.100.0/24 ", "" },
		{ "::/0", "src net 2001:db8::/32", NULL, "ip6 saddr 2001:db8::/32 " },
		{ "::/0", "tcp flags SA and not tcp flags none", "tcp flags == 0x12 tcp flags != 0x00 ",
		  "tcp flags == 0x12 tcp flags != 0x00 " },
		{ "0.0.0.0/0", "udp and payload[4:8] = 00060048", "meta l4proto 17 @th,96,32 0x00060048 ", NULL },
		{ "0.0.0.0/0", "not payload[0:2] = 1703 and tcp", "@ih,0,16 != 0x1703 meta l4proto 6 ", NULL },
		{ "::/0", "not ip and icmp6 and icmp type != 128", NULL, "meta l4proto 58 icmpv6 type != 128 " },
		{ "::/0", "df", "ip frag-off & 0x4000 != 0 ", NULL },
	};
	char text[NFT_CONDITIONS_SIZE];
	struct shield_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shield_rule_told told = rule(1, cases[i].scope, cases[i].match, RULE_DROP);

		for (int family = 0; family < 2; family++) {
			const char *wanted = family ? cases[i].six : cases[i].four;

			assert_int_equal(nft_shield_say(&told.rule, family == 0, text, &error) != 0, wanted != NULL);
			if (wanted)
				assert_string_equal(text, wanted);
		}
	}
}

static void what_cannot_be_said_is_refused(void **state)
{
	static const char *const cases[] = {
		"options mss,nop",
		"payload[0:1] = 00",
		"payload length 5",
		"not udp and payload length 5",
		"icmp and payload[0:2] = 0000",
	};
	char text[NFT_CONDITIONS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shield_rule_told told = rule(1, "::/0", cases[i], RULE_DROP);
		struct shield_error error = { .message = "" };

		assert_int_equal(nft_shield_say(&told.rule, true, text, &error), -EOPNOTSUPP);
		assert_non_null(strstr(error.message, "nftables cannot match"));
		assert_true(error.advice[0] != '\0');
	}
}

/* ---- deeds ---- */

/* The namespace, made once. Without IPv6 addresses of their own its interfaces send nothing by themselves. */
static int wire = -1;

static void need_wire(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };

	if (wire >= 0)
		return;
	if (unshare(CLONE_NEWNET) != 0 ||
	    system("ip link add hf0 type veth peer name hf1 2>&1 && "
	           "echo 1 >/proc/sys/net/ipv6/conf/hf0/disable_ipv6 && echo 1 >/proc/sys/net/ipv6/conf/hf1/disable_ipv6 && "
	           "ip link set hf0 up && ip link set hf1 up") != 0) {
		print_message("a network namespace needs root, and iproute2\n");
		skip();
	}
	if (nft_shield_available() != 0) {
		print_message("this kernel has no nftables\n");
		skip();
	}
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(wire >= 0);
	address.sll_ifindex = (int)if_nametoindex("hf1");
	assert_int_equal(bind(wire, (const struct sockaddr *)&address, sizeof(address)), 0);
}

static void send_frame(const struct packet *p)
{
	assert_int_equal(write(wire, p->octets, p->length), p->length);
}

static struct nft_shield *opened(void)
{
	struct shield_error error;
	struct nft_shield *nft;
	bool was;

	assert_int_equal(nft_shield_remove(TABLE, &was, &error), 0);
	if (nft_shield_open(TABLE, 1000, &nft, &was, &error) != 0)
		fail_msg("%s", error.message);
	assert_false(was);
	if (nft_shield_attach(nft, "hf0", &error) != 0)
		fail_msg("%s", error.message);
	return nft;
}

static struct shield_counters counters_of(struct nft_shield *nft)
{
	struct shield_counters counters;
	struct shield_error error;

	assert_int_equal(nft_shield_read_counters(nft, &counters, &error), 0);
	return counters;
}

/* Sends, and says what became of it. */
static enum shield_reason fate(struct nft_shield *nft, const struct packet *p, bool *enforced)
{
	struct shield_counters before = counters_of(nft), after;
	unsigned at = SHIELD_REASONS;

	send_frame(p);
	/* A virtual interface hands frames over in a softirq: soon. */
	for (unsigned i = 0; i < 50; i++) {
		after = counters_of(nft);
		if (memcmp(&before, &after, sizeof(before)) != 0)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	for (unsigned reason = 0; reason < SHIELD_REASONS; reason++) {
		uint64_t did = after.enforced[reason].packets - before.enforced[reason].packets;
		uint64_t would = after.observed[reason].packets - before.observed[reason].packets;

		if (did + would == 0)
			continue;
		assert_int_equal(did + would, 1);
		assert_int_equal(at, SHIELD_REASONS);
		at = reason;
		*enforced = did != 0;
	}
	return (enum shield_reason)at;
}

static void is_met(struct nft_shield *nft, const struct packet *p, enum shield_reason wanted, bool enforced)
{
	bool was = false;
	enum shield_reason is = fate(nft, p, &was);

	if (is != wanted)
		fail_msg("%s, not %s", shield_reason_name(is), shield_reason_name(wanted));
	if (wanted > SHIELD_PASS_LAST)
		assert_int_equal(was, enforced);
}

static struct packet udp4(const char *src, uint16_t sport, uint16_t dport)
{
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, src, "192.0.2.10");
	packet_udp(&p, sport, dport);
	packet_payload(&p, "\x17\x00\x03\x2a\x00\x06\x00\x48", 8);
	packet_end(&p);
	return p;
}

static struct packet tcp6(const char *src, uint16_t dport, uint8_t flags)
{
	struct packet p;

	packet_begin(&p);
	packet_ipv6(&p, src, "2001:db8::10");
	packet_tcp(&p, 40000, dport, flags, 1024, "\x02\x04\x05\xb4", 4);
	packet_end(&p);
	return p;
}

static void each_list_has_its_place(void **state)
{
	const struct prefix blocks[] = { prefix("198.51.100.0/24"), prefix("198.51.100.7/32"),
		                         prefix("2001:db8:1::/48"), prefix("203.0.113.128/25") };
	const struct prefix allowed = prefix("198.51.100.7/32");
	const struct nft_way_in ways[] = { { prefix("198.51.100.0/24"), 22, HOUR },
		                           { prefix("2001:db8::/32"), 22, HOUR } };
	struct shield_error error;
	struct nft_shield *nft;
	struct packet p;

	(void)state;
	need_wire();
	nft = opened();
	p = udp4("198.51.100.9", 5, 6);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, blocks, 4, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_DROP_BLOCK, false); /* it only observes */
	assert_int_equal(nft_shield_set_mode(nft, true, INT64_MAX, &error), 0);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	p = udp4("203.0.113.127", 5, 6);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	p = tcp6("2001:db8:1:2::3", 80, 2);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	p = udp4("198.51.100.7", 5, 6);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	assert_int_equal(nft_shield_add(nft, NFT_ALLOWED, &allowed, 1, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_PASS_ALLOWED, false);
	assert_int_equal(nft_shield_set_guard(nft, ways, 2, &error), 0);
	p = tcp6("2001:db8:1:2::3", 22, 2);
	is_met(nft, &p, SHIELD_PASS_GUARD, false);
	assert_int_equal(nft_shield_set_guard(nft, ways, 1, &error), 0);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	/* A VLAN's tag changes nothing. */
	packet_begin(&p);
	packet_vlan(&p, 0x8100, 5);
	packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	packet_udp(&p, 5, 6);
	packet_end(&p);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	packet_begin(&p);
	packet_ether_type(&p, 0x0806);
	packet_payload(&p, NULL, 28);
	is_met(nft, &p, SHIELD_PASS_ARP, false);
	/* What is taken out of the list is no more blocked; the network around it is. */
	assert_int_equal(nft_shield_drop(nft, NFT_ALLOWED, &allowed, &error), 0);
	assert_int_equal(nft_shield_drop(nft, NFT_BLOCKED, &blocks[0], &error), 0);
	assert_int_equal(nft_shield_drop(nft, NFT_BLOCKED, &blocks[0], &error), -ENOENT);
	p = udp4("198.51.100.9", 5, 6);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	p = udp4("198.51.100.7", 5, 6);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	nft_shield_close(nft);
}

static struct packet discovery(uint8_t type, uint8_t hops)
{
	struct packet p;

	packet_begin(&p);
	packet_ipv6(&p, "2001:db8:1::1", "2001:db8::10");
	packet_icmp(&p, 58, type, 0);
	packet_payload(&p, NULL, 20);
	packet_end(&p);
	p.octets[14 + 7] = hops;
	return p;
}

static void neighbours_are_heard(void **state)
{
	const struct prefix block = prefix("2001:db8:1::/48");
	struct shield_error error;
	struct nft_shield *nft;

	(void)state;
	need_wire();
	nft = opened();
	assert_int_equal(nft_shield_set_mode(nft, true, INT64_MAX, &error), 0);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &block, 1, HOUR, &error), 0);
	for (unsigned type = 132; type <= 138; type++) {
		struct packet near = discovery((uint8_t)type, 255), far = discovery((uint8_t)type, 254);
		bool is = type >= 133 && type <= 137;

		is_met(nft, &near, is ? SHIELD_PASS_CLEAN : SHIELD_DROP_BLOCK, true);
		is_met(nft, &far, SHIELD_DROP_BLOCK, true);
	}
	nft_shield_close(nft);
}

static void all_of_it_ends_by_itself(void **state)
{
	const struct prefix block = prefix("198.51.100.0/24");
	struct shield_rule_told told = rule(3, "::/0", "udp and dst port 6", RULE_DROP);
	struct nft_rule_told rules[SHIELD_RULES_MAX];
	struct shield_error error;
	struct nft_shield *nft;
	struct packet p, ruled;
	int64_t left_ns;
	unsigned count;
	bool enforce;

	(void)state;
	need_wire();
	nft = opened();
	p = udp4("198.51.100.9", 5, 60);
	ruled = udp4("203.0.113.9", 5, 6);
	assert_int_equal(nft_shield_set_mode(nft, true, 3 * NS_PER_S, &error), 0);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &block, 1, HOUR, &error), 0);
	/* The new end is what holds. */
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &block, 1, NS_PER_S, &error), 0);
	assert_int_equal(nft_shield_add_rule(nft, &told, NS_PER_S, &error), 0);
	assert_int_equal(nft_shield_read_mode(nft, &enforce, &left_ns, &error), 0);
	assert_true(enforce);
	assert_in_range(left_ns, NS_PER_S, 3 * NS_PER_S);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	is_met(nft, &ruled, SHIELD_DROP_RULE, true);
	nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 200000000 }, NULL);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	is_met(nft, &ruled, SHIELD_PASS_CLEAN, false);
	assert_int_equal(nft_shield_read_rules(nft, rules, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rules[0].left_ns, 0);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &block, 1, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_DROP_BLOCK, true);
	nanosleep(&(struct timespec){ .tv_sec = 2 }, NULL);
	is_met(nft, &p, SHIELD_DROP_BLOCK, false);
	assert_int_equal(nft_shield_read_mode(nft, &enforce, &left_ns, &error), 0);
	assert_false(enforce);
	nft_shield_close(nft);
}

/* Nobody but nftables has a hand in it. */
static void a_rule_arms_itself_again(void **state)
{
	struct shield_rule_told told = rule(5, "::/0", "udp and dst port 6", RULE_DROP);
	struct nft_rule_told rules[SHIELD_RULES_MAX];
	struct shield_error error;
	struct nft_shield *nft;
	struct packet p;
	unsigned count;

	(void)state;
	need_wire();
	nft = opened();
	p = udp4("198.51.100.9", 5, 6);
	told.arm_pps = 100;
	told.hold_s = 1;
	assert_int_equal(nft_shield_set_mode(nft, true, INT64_MAX, &error), 0);
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_DROP_RULE, true); /* it begins active */
	for (unsigned pulse = 0; pulse < 2; pulse++) {
		nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 200000000 }, NULL);
		is_met(nft, &p, SHIELD_PASS_CLEAN, false);
		for (unsigned i = 0; i < 40; i++)
			send_frame(&p);
		is_met(nft, &p, SHIELD_DROP_RULE, true);
	}
	assert_int_equal(nft_shield_read_rules(nft, rules, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rules[0].told.arm_pps, 100);
	assert_int_equal(rules[0].told.hold_s, 1);
	assert_int_equal(rules[0].matched.packets, 1 + 2 * (1 + 40 + 1));
	assert_in_range(rules[0].dropped.packets, 1 + 2 * (40 - 14 + 1), 1 + 2 * (40 - 8 + 1));
	/* What only counts hides nothing. */
	assert_int_equal(nft_shield_remove_rule(nft, 5, &error), 0);
	told = rule(6, "::/0", "udp", RULE_DROP);
	told.shadow = true;
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
	told = rule(7, "::/0", "udp", RULE_NONE);
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	told = rule(8, "::/0", "udp", RULE_DROP);
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
	is_met(nft, &p, SHIELD_DROP_RULE, true);
	assert_int_equal(nft_shield_read_rules(nft, rules, &count, &error), 0);
	assert_int_equal(count, 3);
	assert_int_equal(rules[0].dropped.packets, 2);
	assert_int_equal(rules[1].matched.packets, 2);
	assert_int_equal(rules[1].dropped.packets, 0);
	assert_int_equal(rules[2].dropped.packets, 1);
	nft_shield_close(nft);
}

static int collects(void *context, const struct prefix *prefix, int64_t left_ns)
{
	char text[PREFIX_TEXT_SIZE], *list = context;

	assert_true(left_ns > HOUR - 20 * NS_PER_S);
	strcat(strcat(list, prefix_format(prefix, text)), left_ns == INT64_MAX ? "! " : " ");
	return 0;
}

static void who_opens_it_again_finds_all(void **state)
{
	const struct prefix blocks[] = { prefix("198.51.100.0/24"), prefix("198.51.100.7/32"),
		                         prefix("2001:db8:1::/48") };
	struct shield_rule_told told =
		rule(7, "192.0.2.0/24", "udp and src port 123 and payload[4:8] = 00060048", RULE_RATE_LIMIT);
	struct nft_rule_told rules[SHIELD_RULES_MAX];
	struct nft_way_in way = { prefix("198.51.100.0/24"), 22, HOUR };
	struct shield_error error;
	struct nft_shield *nft;
	char list[1024] = "";
	struct packet p;
	unsigned count;
	bool was;

	(void)state;
	need_wire();
	nft = opened();
	told.rule.rate_pps = 50;
	told.made_ns = -5;
	told.made_by = 1000;
	told.shadow = true;
	strcpy(told.reason, "\"quotes\", 100% | \\ and\nmore");
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, blocks, 2, HOUR, &error), 0);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, blocks + 2, 1, INT64_MAX, &error), 0);
	assert_int_equal(nft_shield_set_guard(nft, &way, 1, &error), 0);
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
	assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), -EEXIST);
	nft_shield_close(nft);

	assert_int_equal(nft_shield_open(TABLE, 1000, &nft, &was, &error), 0);
	assert_true(was);
	assert_int_equal(nft_shield_attach(nft, "hf0", &error), 0);
	assert_int_equal(nft_shield_each(nft, NFT_BLOCKED, collects, list, &error), 0);
	assert_string_equal(list, "198.51.100.0/24 198.51.100.7/32 2001:db8:1::/48! ");
	p = udp4("203.0.113.5", 123, 4000);
	for (unsigned i = 0; i < 30; i++)
		send_frame(&p);
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	assert_int_equal(nft_shield_read_rules(nft, rules, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_int_equal(rules[0].told.number, 7);
	assert_int_equal(rules[0].told.made_ns, -5);
	assert_int_equal(rules[0].told.made_by, 1000);
	assert_true(rules[0].told.shadow);
	assert_string_equal(rules[0].told.reason, told.reason);
	assert_true(prefix_equal(&rules[0].told.rule.scope, &told.rule.scope));
	assert_int_equal(rules[0].told.rule.rate_pps, 50);
	assert_int_equal(rules[0].told.rule.match.count, told.rule.match.count);
	assert_in_range(rules[0].left_ns, HOUR - 20 * NS_PER_S, HOUR);
	assert_int_equal(rules[0].matched.packets, 30);
	assert_in_range(rules[0].dropped.packets, 20, 26); /* five at once, and what the time between brings */
	assert_int_equal(nft_shield_set_guard(nft, &way, 1, &error), 0);
	assert_int_equal(nft_shield_remove_rule(nft, 7, &error), 0);
	assert_int_equal(nft_shield_remove_rule(nft, 7, &error), -ENOENT);
	is_met(nft, &p, SHIELD_PASS_CLEAN, false);
	assert_int_equal(nft_shield_detach(nft, "hf0", &error), 0);
	assert_int_equal(fate(nft, &p, &was), SHIELD_REASONS); /* it does not come by */
	nft_shield_close(nft);

	assert_int_equal(nft_shield_remove(TABLE, &was, &error), 0);
	assert_true(was);
	assert_int_equal(nft_shield_remove(TABLE, &was, &error), 0);
	assert_false(was);
	assert_int_equal(system("test -z \"$(nft list tables)\""), 0);
}

/* Rules of all kinds and packets of all kinds: nftables and match_test() agree. */
static void a_rule_means_what_it_means_elsewhere(void **state)
{
	static const char *const matches[] = {
		"ip",
		"not ip6 and udp",
		"tcp",
		"udp and src port 123",
		"dst port 80-90",
		"not dst port 80",
		"icmp",
		"icmp6 and icmp type 128",
		"icmp code != 3",
		"fragment",
		"not fragment and udp",
		"df",
		"not df",
		"proto 132",
		"length 36",
		"length > 70",
		"length != 36",
		"ttl 64",
		"ttl < 64",
		"ip id 4660",
		"window 1024",
		"window != 1024",
		"mss 1460",
		"not mss 1460",
		"tcp flags S",
		"not tcp flags S",
		"udp and payload length 8",
		"udp and payload length != 8",
		"src net 198.51.100.0/25",
		"not src net 2001:db8::/32",
		"dst net 2001:db8::10/128",
		"udp and payload[4:8] = 00060048",
		"udp and not payload[4:8] = 00060048",
		"tcp and payload[0:3] = 474554",
		/* What no packet can be */
		"tcp and udp",
		"udp and window 1024",
		"icmp and dst port 80",
		"proto 17 and tcp flags S",
		"not tcp and window 1024",
		"proto 6-17 and src port 123",
	};
	struct packet packets[12];
	struct shield_error error;
	struct nft_shield *nft;
	unsigned count = 0, hits = 0;

	(void)state;
	need_wire();
	nft = opened();
	packets[count++] = udp4("198.51.100.9", 123, 80);
	packets[count++] = udp4("198.51.100.200", 53, 90);
	packets[count] = udp4("203.0.113.1", 123, 80);
	packet_ipv4_df(&packets[count++]);
	packets[count] = udp4("203.0.113.1", 123, 80);
	packet_ipv4_fragment(&packets[count++], 8, 0);
	packets[count++] = tcp6("2001:db8::1", 80, 2);
	packets[count] = tcp6("2001:db8::1", 443, 0x10);
	packet_payload(&packets[count], "GET / HTTP/1.1\r\n\r\n", 18);
	packet_end(&packets[count++]);
	packet_begin(&packets[count]);
	packet_ipv4(&packets[count], "198.51.100.9", "192.0.2.10");
	packet_icmp(&packets[count], 1, 3, 3);
	packet_payload(&packets[count], NULL, 28);
	packet_end(&packets[count++]);
	packet_begin(&packets[count]);
	packet_ipv6(&packets[count], "2001:db8::9", "2001:db8::10");
	packet_extension(&packets[count], 60, 0);
	packet_icmp(&packets[count], 58, 128, 0);
	packet_end(&packets[count++]);
	packet_begin(&packets[count]);
	packet_ipv6(&packets[count], "2001:db8::9", "2001:db8::10");
	packet_ipv6_fragment(&packets[count], 1232, 1);
	packet_protocol(&packets[count], 17);
	packet_payload(&packets[count], NULL, 64);
	packet_end(&packets[count++]);
	packet_begin(&packets[count]);
	packet_ipv4(&packets[count], "198.51.100.9", "192.0.2.10");
	packet_ports(&packets[count], 132, 5, 80, 24);
	packet_end(&packets[count++]);
	packet_begin(&packets[count]);
	packet_ipv4(&packets[count], "198.51.100.9", "192.0.2.10");
	packet_tcp(&packets[count], 123, 80, 0x18, 512, NULL, 0);
	packet_payload(&packets[count], "GET / HTTP/1.1\r\n\r\n", 18);
	packet_end(&packets[count++]);

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		struct shield_rule_told told = rule((uint32_t)i + 1, "::/0", matches[i], RULE_DROP);

		if (nft_shield_add_rule(nft, &told, HOUR, &error) != 0)
			fail_msg("%s: %s", matches[i], error.message);
		for (unsigned j = 0; j < count; j++) {
			struct observation o;
			enum shield_reason is;
			bool hit, enforced;
			uint32_t length = (uint32_t)packets[j].length;

			assert_int_equal(decode_frame(LINK_ETHERNET, packets[j].octets, length, length, &o), DECODE_OK);
			/* The one thing that is said otherwise, see nft.h. */
			if (o.flags & OBSERVATION_LATER_FRAGMENT && strstr(matches[i], "payload"))
				continue;
			hit = match_test(&told.rule.match, &o);
			hits += hit;
			is = fate(nft, &packets[j], &enforced);
			if (is != (hit ? SHIELD_DROP_RULE : SHIELD_PASS_CLEAN))
				fail_msg("%s: %s for packet %u, and match_test says %d", matches[i],
				         shield_reason_name(is), j, hit);
		}
		assert_int_equal(nft_shield_remove_rule(nft, (uint32_t)i + 1, &error), 0);
	}
	assert_in_range(hits, 100, 400);
	nft_shield_close(nft);
}

static void bounds_hold(void **state)
{
	struct prefix everything = prefix("0.0.0.0/0"), odd = prefix("192.0.2.0/24");
	struct shield_error error;
	struct nft_shield *nft, *refused;
	bool was;

	(void)state;
	assert_int_equal(nft_shield_open("no name; delete", 1, &refused, &was, &error), -EINVAL);
	assert_int_equal(nft_shield_open("", 1, &refused, &was, &error), -EINVAL);
	assert_int_equal(nft_shield_remove("0", &was, &error), -EINVAL);
	need_wire();
	nft = opened();
	odd.address.octets[15] = 1;
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &everything, 1, HOUR, &error), -EINVAL);
	assert_int_equal(nft_shield_add(nft, NFT_BLOCKED, &odd, 1, HOUR, &error), -EINVAL);
	assert_int_equal(nft_shield_attach(nft, "nonesuch0", &error), -ENODEV);
	assert_int_equal(nft_shield_detach(nft, "hf1", &error), -ENOENT);
	for (uint32_t i = 1; i <= SHIELD_RULES_MAX; i++) {
		struct shield_rule_told told = rule(i, "::/0", "udp and dst port 9", RULE_NONE);

		assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), 0);
		if (i == SHIELD_RULES_MAX) {
			told.number++;
			assert_int_equal(nft_shield_add_rule(nft, &told, HOUR, &error), -ENOSPC);
		}
	}
	for (unsigned i = 0; i < 1100 / NFT_BLOCKS_MAX + 1; i++) {
		static struct prefix many[NFT_BLOCKS_MAX];
		int result;

		for (unsigned j = 0; j < NFT_BLOCKS_MAX; j++) {
			uint8_t octets[4] = { 198, 18, (uint8_t)(2 * i + j / 256), (uint8_t)j };
			struct address address = address_from_ipv4(octets);

			many[j] = prefix_of(&address, 32);
		}
		result = nft_shield_add(nft, NFT_BLOCKED, many, NFT_BLOCKS_MAX, HOUR, &error);
		assert_int_equal(result, i < 2 ? 0 : -ENOSPC); /* room for 1024 */
	}
	nft_shield_close(nft);
	assert_int_equal(nft_shield_remove(TABLE, &was, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_are_said),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(each_list_has_its_place),
		cmocka_unit_test(neighbours_are_heard),
		cmocka_unit_test(all_of_it_ends_by_itself),
		cmocka_unit_test(a_rule_arms_itself_again),
		cmocka_unit_test(who_opens_it_again_finds_all),
		cmocka_unit_test(a_rule_means_what_it_means_elsewhere),
		cmocka_unit_test(bounds_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
