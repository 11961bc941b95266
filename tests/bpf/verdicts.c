/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield's program, packet by packet: what goes in, what becomes of it, and which counter says so. It is loaded as
 * the loader loads it, attached to nothing, and run by BPF_PROG_TEST_RUN on frames made of layers. Skipped where
 * programs may not be loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/time.h"
#include "observe/capture.h"
#include "observe/protocol.h"
#include "outer.h"
#include "packet.h"
#include "shield/blocks.h"
#include "shield/inside.h"
#include "shield/lanes.h"
#include "shield/samples.h"
#include "shield/shield.h"
#include "shield.skel.h"

#define CAPACITY 4096
#define FRAME_MAX 3400
#define BUSY 30000      /* packets */
#define BUCKET_TRIES 20 /* to meet an empty one: fewer tokens than that come between two packets */

static struct {
	char dir[64];
	struct shield *shield;
	struct blocks *blocks;
	int program;
	uint64_t random;
} the = { .program = -1 };

/* ---- set up ---- */

static int opened(void **state)
{
	const struct shield_options options = { .bpffs_dir = the.dir,
		                                .block_capacity = CAPACITY,
		                                .sample_budget = 20000 };
	struct shield_error error;
	int result;

	(void)state;
	(void)snprintf(the.dir, sizeof(the.dir), "/sys/fs/bpf/hf-verdicts-%d", (int)getpid());
	the.random = 7;
	result = shield_open(&options, &the.shield, &error);
	if (result) {
		the.shield = NULL;
		print_message("the shield cannot be opened: %s\n", error.message);
		return result == -EPERM || result == -EACCES || geteuid() != 0 ? 0 : -1;
	}
	the.program = bpf_program__fd(the.shield->programs->progs.shield_xdp);
	return blocks_new(shield_maps(the.shield), &the.blocks);
}

static int closed(void **state)
{
	struct shield_error error;
	unsigned removed;

	(void)state;
	if (!the.shield)
		return 0;
	blocks_free(the.blocks);
	shield_close(the.shield);
	return shield_remove(the.dir, &removed, &error);
}

#define NEED_SHIELD              \
	do {                     \
		if (!the.shield) \
			skip();  \
	} while (0)

static uint64_t jiffies(void)
{
	struct shield_pace pace = shield_pace(the.shield);

	return shield_jiffies_at(&pace, shield_monotonic_ns());
}

static uint64_t seconds(unsigned s)
{
	return (uint64_t)s * shield_pace(the.shield).hz;
}

static void wait_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * NS_PER_MS }, NULL);
}

static struct prefix prefix(const char *text)
{
	struct prefix parsed;

	assert_int_equal(prefix_parse(text, &parsed), 0);
	return parsed;
}

static uint32_t make_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps,
                          const struct shield_making *making)
{
	struct rule rule = { .scope = prefix(scope), .action = action, .rate_pps = pps };
	struct shield_error error;
	struct match_error wrong;
	uint32_t number;

	if (match_parse(match, &rule.match, &wrong) != 0)
		fail_msg("%s: %s", match, wrong.message);
	if (shield_add_rule(the.shield, &rule, making, &number, &error) != 0)
		fail_msg("%s: %s", match, error.message);
	return number;
}

static uint32_t add_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps, bool shadow,
                         uint64_t expires)
{
	const struct shield_making making = { .expires = expires, .shadow = shadow };

	return make_rule(scope, match, action, pps, &making);
}

static struct shield_rule_told told_of(uint32_t number)
{
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	unsigned count, i = 0;

	assert_int_equal(shield_read_rules(shield_maps(the.shield), jiffies(), rules, &count), 0);
	while (i < count && rules[i].number != number)
		i++;
	assert_true(i < count);
	return rules[i];
}

static struct shield_rule_count count_of(uint32_t number)
{
	struct shield_rule_count count;

	assert_int_equal(shield_read_rule_count(shield_maps(the.shield), told_of(number).counter, &count), 0);
	return count;
}

static uint64_t active_until(uint32_t number)
{
	uint64_t until;

	assert_int_equal(shield_read_active_until(shield_maps(the.shield), told_of(number).counter, &until), 0);
	return until;
}

static bool is_active(uint32_t number)
{
	return active_until(number) > jiffies();
}

/* Nothing blocked, allowed, guarded, or ruled; it enforces. */
static void begin(void)
{
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_error error;
	unsigned count, swept;

	assert_int_equal(shield_sweep_rules(the.shield, jiffies(), &swept), 0);
	assert_int_equal(shield_read_rules(shield_maps(the.shield), jiffies(), rules, &count), 0);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(shield_remove_rule(the.shield, rules[i].number, &error), 0);
	assert_int_equal(shield_set_guard(the.shield, NULL, 0, &error), 0);
	assert_int_equal(shield_set_services(the.shield, NULL, 0, &error), 0);
	shield_set_mode(the.shield, true, SHIELD_NEVER);
}

static void block(const char *text, uint64_t expires)
{
	struct prefix what = prefix(text);

	assert_int_equal(blocks_add(the.blocks, &what, jiffies(), expires), 0);
}

static void release(const char *text)
{
	struct prefix what = prefix(text);

	assert_int_equal(blocks_remove(the.blocks, &what, jiffies()), 0);
}

/* ---- running ---- */

static uint32_t run(const uint8_t *data, size_t length)
{
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = data, .data_size_in = (uint32_t)length, .repeat = 1
	};

	if (bpf_prog_test_run_opts(the.program, &options) != 0)
		fail_msg("a frame of %zu octets is not run: %s", length, strerror(errno));
	return options.retval;
}

struct fate {
	enum shield_reason reason;
	unsigned service;
	bool enforced;
};

/* Runs it, and finds the one counter that says so: by one packet, and by its octets. */
static struct fate fate_of(const struct packet *p)
{
	static struct shield_counters before[SHIELD_SERVICES_MAX], after[SHIELD_SERVICES_MAX];
	struct fate fate = { .reason = SHIELD_REASONS };
	unsigned found = 0;
	uint32_t verdict;

	assert_int_equal(shield_read_counters(shield_maps(the.shield), before), 0);
	verdict = run(p->octets, p->length);
	assert_int_equal(shield_read_counters(shield_maps(the.shield), after), 0);
	for (unsigned service = 0; service < SHIELD_SERVICES_MAX; service++)
		for (unsigned i = 0; i < 2 * SHIELD_REASONS; i++) {
			const struct shield_count *was, *is;
			unsigned reason = i / 2;

			was = i % 2 ? &before[service].observed[reason] : &before[service].enforced[reason];
			is = i % 2 ? &after[service].observed[reason] : &after[service].enforced[reason];
			if (is->packets == was->packets && is->octets == was->octets)
				continue;
			assert_int_equal(is->packets, was->packets + 1);
			assert_int_equal(is->octets, was->octets + p->length);
			fate = (struct fate){ (enum shield_reason)reason, service, i % 2 == 0 };
			found++;
		}
	assert_int_equal(found, 1);
	assert_int_equal(verdict, fate.reason > SHIELD_PASS_LAST && fate.enforced ? XDP_DROP : XDP_PASS);
	return fate;
}

static void meets(const struct packet *p, enum shield_reason wanted, const char *what)
{
	struct fate fate = fate_of(p);

	if (fate.reason != wanted || !fate.enforced)
		fail_msg("%s: %s%s, not %s", what, fate.enforced ? "" : "observed ", shield_reason_name(fate.reason),
		         shield_reason_name(wanted));
}

static void would_meet(const struct packet *p, enum shield_reason wanted, const char *what)
{
	struct fate fate = fate_of(p);

	if (fate.reason != wanted || fate.enforced)
		fail_msg("%s: %s%s, not observed %s", what, fate.enforced ? "" : "observed ",
		         shield_reason_name(fate.reason), shield_reason_name(wanted));
}

/* ---- packets ---- */

enum layers {
	PLAIN,
	VLAN,
	QINQ,
	OLD_QINQ,
	LLC,
	IPV4_OPTIONS,
	FIRST_FRAGMENT,
	LATER_FRAGMENT,
	TCP_OPTIONS,
	ICMP,
	SCTP,
	GRE,
	IPV6,
	IPV6_HOP_BY_HOP,
	IPV6_MANY,
	IPV6_FRAGMENT,
	IPV6_AH,
	ICMP6,
	LAYERS,
};

static const char *const layer_names[LAYERS] = {
	"plain",
	"VLAN",
	"QinQ",
	"old QinQ",
	"802.2",
	"IPv4 options",
	"first fragment",
	"later fragment",
	"TCP options",
	"ICMP",
	"SCTP",
	"GRE",
	"IPv6",
	"hop-by-hop options",
	"8 extension headers",
	"IPv6 fragment",
	"authentication header",
	"ICMPv6",
};

static struct packet layered(enum layers layers)
{
	static const uint8_t options[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0 };
	struct packet p;

	packet_begin(&p);
	if (layers == VLAN || layers == QINQ)
		packet_vlan(&p, layers == QINQ ? 0x88a8 : 0x8100, 100);
	if (layers == OLD_QINQ)
		packet_vlan(&p, 0x9100, 100);
	if (layers == QINQ || layers == OLD_QINQ)
		packet_vlan(&p, 0x8100, 7);
	if (layers == LLC)
		packet_llc(&p);
	if (layers >= IPV6)
		packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	else
		packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	if (layers == IPV4_OPTIONS)
		packet_ipv4_options(&p, 10);
	if (layers == FIRST_FRAGMENT || layers == LATER_FRAGMENT)
		packet_ipv4_fragment(&p, layers == FIRST_FRAGMENT ? 0 : 1480, 1);
	if (layers == IPV6_HOP_BY_HOP || layers == IPV6_MANY)
		packet_extension(&p, 0, 0);
	for (unsigned i = 0; layers == IPV6_MANY && i < 7; i++)
		packet_extension(&p, i % 2 ? 43 : 60, i);
	if (layers == IPV6_FRAGMENT)
		packet_ipv6_fragment(&p, 0, 1);
	if (layers == IPV6_AH)
		packet_extension(&p, 51, 1);
	if (layers == ICMP || layers == ICMP6)
		packet_icmp(&p, layers == ICMP ? 1 : 58, layers == ICMP ? 8 : 128, 0);
	else if (layers == SCTP)
		packet_ports(&p, 132, 4000, 80, 8);
	else if (layers == GRE)
		packet_protocol(&p, 47);
	else if (layers == LATER_FRAGMENT)
		packet_protocol(&p, 17);
	else if (layers == TCP_OPTIONS)
		packet_tcp(&p, 4000, 80, 2, 1024, options, sizeof(options));
	else
		packet_udp(&p, 4000, 80);
	packet_payload(&p, NULL, 64);
	packet_end(&p);
	return p;
}

static struct packet udp(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct packet p;

	packet_begin(&p);
	if (strchr(src, ':'))
		packet_ipv6(&p, src, dst);
	else
		packet_ipv4(&p, src, dst);
	packet_udp(&p, src_port, dst_port);
	packet_payload(&p, "holdfast", 8);
	packet_end(&p);
	return p;
}

static struct packet tcp(const char *src, const char *dst, uint16_t dst_port)
{
	struct packet p;

	packet_begin(&p);
	if (strchr(src, ':'))
		packet_ipv6(&p, src, dst);
	else
		packet_ipv4(&p, src, dst);
	packet_tcp(&p, 40000, dst_port, 2, 1024, NULL, 0);
	packet_end(&p);
	return p;
}

/* ---- cases ---- */

static void what_cannot_be_read_passes_and_is_counted(void **state)
{
	struct packet p;

	(void)state;
	NEED_SHIELD;
	begin();
	packet_begin(&p);
	packet_ether_type(&p, 0x0806);
	packet_payload(&p, NULL, 28);
	meets(&p, SHIELD_PASS_ARP, "ARP");
	packet_begin(&p);
	packet_ether_type(&p, 0x88cc);
	packet_payload(&p, NULL, 40);
	meets(&p, SHIELD_PASS_NOT_IP, "LLDP");
	packet_begin(&p);
	packet_ether_type(&p, 0x8100);
	packet_payload(&p, NULL, 2);
	meets(&p, SHIELD_PASS_LINK_SHORT, "a cut tag");
	packet_begin(&p);
	for (unsigned i = 0; i < SHIELD_TAGS_MAX + 1; i++)
		packet_vlan(&p, 0x8100, 1);
	packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	packet_end(&p);
	meets(&p, SHIELD_PASS_TAGS, "too many tags");
	p = layered(PLAIN);
	p.length = 14 + 19;
	meets(&p, SHIELD_PASS_IP_SHORT, "a cut IPv4 header");
	p = layered(IPV6);
	p.length = 14 + 39;
	meets(&p, SHIELD_PASS_IP_SHORT, "a cut IPv6 header");
	p = layered(PLAIN);
	p.octets[14] = 0x55;
	meets(&p, SHIELD_PASS_IP_VERSION, "version 5");
	p.octets[14] = 0x65;
	meets(&p, SHIELD_PASS_IP_VERSION, "version 6 where the link says 4");
	p.octets[14] = 0x44;
	meets(&p, SHIELD_PASS_IP_HEADER, "a header of 16 octets");
	packet_begin(&p);
	packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	for (unsigned i = 0; i < SHIELD_EXTENSIONS_MAX + 1; i++)
		packet_extension(&p, 60, 0);
	packet_udp(&p, 1, 2);
	packet_end(&p);
	meets(&p, SHIELD_PASS_EXTENSION, "too many extension headers");
	p = layered(PLAIN);
	p.octets[14 + 20 + 5] = 4; /* UDP's length */
	p.octets[14 + 20 + 4] = 0;
	meets(&p, SHIELD_PASS_TRANSPORT, "a UDP length of 4");
	p = layered(TCP_OPTIONS);
	p.octets[14 + 20 + 12] = 0x10;
	meets(&p, SHIELD_PASS_TRANSPORT, "a TCP header of 4 octets");
	for (unsigned i = 0; i < LAYERS; i++) {
		p = layered((enum layers)i);
		meets(&p, SHIELD_PASS_CLEAN, layer_names[i]);
	}
}

static void a_block_holds_whatever_is_around_and_in_the_packet(void **state)
{
	struct packet p;

	(void)state;
	NEED_SHIELD;
	begin();
	block("198.51.100.0/24", jiffies() + seconds(60));
	block("2001:db8:5::/48", jiffies() + seconds(60));
	for (unsigned i = 0; i < LAYERS; i++) {
		p = layered((enum layers)i);
		meets(&p, SHIELD_DROP_BLOCK, layer_names[i]);
	}
	/* Of these IP says whose they are. */
	p = layered(TCP_OPTIONS);
	p.octets[14 + 20 + 12] = 0x10;
	meets(&p, SHIELD_DROP_BLOCK, "a malformed TCP header");
	packet_begin(&p);
	packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	for (unsigned i = 0; i < SHIELD_EXTENSIONS_MAX + 1; i++)
		packet_extension(&p, 60, 0);
	packet_end(&p);
	meets(&p, SHIELD_DROP_BLOCK, "too many extension headers");
	release("198.51.100.0/24");
	release("2001:db8:5::/48");
	p = layered(PLAIN);
	meets(&p, SHIELD_PASS_CLEAN, "released");
	p = layered(IPV6);
	meets(&p, SHIELD_PASS_CLEAN, "released");
}

/* What IPv6 needs to be there at all passes whatever is said; from farther than the link nobody can send it. */
static void neighbours_are_heard(void **state)
{
	(void)state;
	NEED_SHIELD;
	begin();
	block("2001:db8:1::/48", jiffies() + seconds(60));
	(void)add_rule("::/0", "icmp6", RULE_DROP, 0, false, SHIELD_NEVER);
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
			meets(&p, is ? SHIELD_PASS_CLEAN : i ? SHIELD_DROP_BLOCK : SHIELD_DROP_RULE, "from the link");
			p.octets[14 + 7] = 254;
			meets(&p, i ? SHIELD_DROP_BLOCK : SHIELD_DROP_RULE, "from afar");
		}
	}
	release("2001:db8:1::/48");
}

static void who_comes_first_decides(void **state)
{
	const struct shield_way_in way = { prefix("198.51.100.0/24"), 22, true, SHIELD_NEVER };
	const struct prefix allowed = prefix("198.51.100.9/32");
	struct packet ssh = tcp("198.51.100.9", "192.0.2.10", 22), p = udp("198.51.100.9", "192.0.2.10", 9, 22);
	struct packet web = tcp("198.51.100.9", "192.0.2.10", 80), other = tcp("203.0.113.1", "192.0.2.10", 80);
	struct shield_error error;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	begin();
	number = add_rule("192.0.2.0/24", "tcp and dst port 80", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&web, SHIELD_DROP_RULE, "a rule");
	block("198.51.100.0/24", jiffies() + seconds(60));
	meets(&web, SHIELD_DROP_BLOCK, "a block comes before a rule");
	meets(&other, SHIELD_DROP_RULE, "the rule alone");
	assert_int_equal(shield_allow(the.shield, &allowed, SHIELD_NEVER, &error), 0);
	meets(&web, SHIELD_PASS_ALLOWED, "allowed before blocked");
	meets(&p, SHIELD_PASS_ALLOWED, "allowed before blocked");
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	meets(&ssh, SHIELD_PASS_GUARD, "the way in before all");
	assert_int_equal(shield_disallow(the.shield, &allowed, &error), 0);
	meets(&ssh, SHIELD_PASS_GUARD, "the way in, though blocked");
	meets(&p, SHIELD_DROP_BLOCK, "the way in is of TCP");
	meets(&web, SHIELD_DROP_BLOCK, "and of its port");
	release("198.51.100.0/24");
	assert_int_equal(shield_remove_rule(the.shield, number, &error), 0);
	meets(&web, SHIELD_PASS_CLEAN, "all gone");
}

/* The operator's packets pass; but what would hit one is refused only where it is sure that he is one. */
static void who_is_merely_connected_has_no_veto(void **state)
{
	struct shield_way_in way = { prefix("198.51.100.9/32"), 22, false, SHIELD_NEVER };
	struct packet p = tcp("198.51.100.9", "192.0.2.10", 22);
	struct rule rule = { .scope = prefix("::/0"), .action = RULE_DROP };
	struct match_error wrong;
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_int_equal(match_parse("src net 198.51.0.0/16", &rule.match, &wrong), 0);
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	assert_int_equal(shield_check_guard(the.shield, &rule, &error), 0);
	(void)add_rule("::/0", "src net 198.51.0.0/16", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_PASS_GUARD, "he is let in all the same");
	way.sure = true;
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	assert_int_equal(shield_check_guard(the.shield, &rule, &error), -EPERM);
}

static void of_rules_the_first_decides(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	struct shield_rule_count count;
	struct shield_error error;
	unsigned told;

	(void)state;
	NEED_SHIELD;
	begin();
	(void)add_rule("::/0", "udp and src port 53", RULE_DROP, 0, false, SHIELD_NEVER);
	(void)add_rule("192.0.2.10", "udp and src port 123", RULE_NONE, 0, false, SHIELD_NEVER);
	(void)add_rule("::/0", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_DROP_RULE, "one that only counts hides nothing");
	assert_int_equal(shield_read_rules(shield_maps(the.shield), jiffies(), rules, &told), 0);
	assert_int_equal(told, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(shield_read_rule_count(shield_maps(the.shield), rules[i].counter, &count), 0);
		assert_int_equal(count.matched.packets, i > 0);
		assert_int_equal(count.matched.octets, i > 0 ? p.length : 0);
		assert_int_equal(count.dropped.packets, i == 2);
	}
	(void)add_rule("::/0", "udp and dst port 4000", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_DROP_RULE, "the first that acts");
	assert_int_equal(shield_read_rule_count(shield_maps(the.shield), rules[2].counter, &count), 0);
	assert_int_equal(count.dropped.packets, 2);
	assert_int_equal(count.dropped.octets, 2 * p.length);
	assert_in_range(count.last, jiffies() - seconds(5), jiffies() + 1); /* ours may be one behind */
	assert_int_equal(shield_read_rules(shield_maps(the.shield), jiffies(), rules, &told), 0);
	assert_int_equal(told, 4);
	assert_int_equal(shield_read_rule_count(shield_maps(the.shield), rules[3].counter, &count), 0);
	assert_int_equal(count.matched.packets, 0);
	assert_int_equal(shield_remove_rule(the.shield, rules[2].number, &error), 0);
	assert_int_equal(shield_remove_rule(the.shield, rules[3].number, &error), 0);
	meets(&p, SHIELD_PASS_RULE, "none acts");
	(void)add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	would_meet(&p, SHIELD_DROP_RULE, "none acts, and one would");
}

/* IPv4 addresses lie in ::ffff:0:0/96 inside, and in no network of IPv6. */
static void a_network_of_ipv6_holds_no_ipv4(void **state)
{
	struct rule rule = { .action = RULE_DROP };
	const struct shield_making making = { .expires = SHIELD_NEVER };
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000), six = udp("::9", "::10", 123, 4000);
	const struct prefix anywhere = prefix("::/0"), allowed[] = { prefix("::/64"), prefix("198.51.100.77/32") };
	const struct shield_way_in way = { .from = anywhere, .port = 22, .expires = SHIELD_NEVER, .sure = true };
	const struct shield_service service = { .name = "six", .prefixes = &anywhere, .prefix_count = 1 };
	struct shield_error error;
	struct match_error wrong;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	begin();
	(void)add_rule("::/64", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	(void)add_rule("::/0", "src net ::/80", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_PASS_CLEAN, "IPv4");
	meets(&six, SHIELD_DROP_RULE, "IPv6");
	assert_int_equal(match_parse("not src net ::/80", &rule.match, &wrong), 0);
	assert_int_equal(shield_add_rule(the.shield, &rule, &making, &number, &error), -EOPNOTSUPP);

	/* Nor do the other lists. */
	begin();
	(void)add_rule("::/0", "tcp", RULE_DROP, 0, false, SHIELD_NEVER);
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	assert_int_equal(shield_set_services(the.shield, &service, 1, &error), 0);
	assert_int_equal(shield_allow(the.shield, &allowed[0], SHIELD_NEVER, &error), 0);
	assert_int_equal(shield_allow(the.shield, &allowed[1], SHIELD_NEVER, &error), 0);
	p = tcp("198.51.100.9", "192.0.2.10", 22);
	meets(&p, SHIELD_DROP_RULE, "IPv4 by the way in");
	assert_int_equal(fate_of(&p).service, SHIELD_SERVICE_NONE);
	six = tcp("2001:db8::9", "2001:db8::10", 22);
	meets(&six, SHIELD_PASS_GUARD, "IPv6 by the way in");
	assert_int_equal(fate_of(&six).service, 0);
	six = tcp("::9", "2001:db8::10", 80);
	meets(&six, SHIELD_PASS_ALLOWED, "IPv6 that is allowed");
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(shield_disallow(the.shield, &allowed[i], &error), 0);
}

/* An address of IPv4 in the header of IPv6 is one of IPv4 to all that lists addresses. */
static void a_mapped_address_is_one_of_ipv4(void **state)
{
	struct packet p = udp("::ffff:198.51.100.9", "2001:db8::10", 123, 4000);
	struct packet to = udp("2001:db8::1", "::ffff:192.0.2.10", 123, 4000);
	const struct prefix allowed = prefix("198.51.100.9/32");
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	begin();
	block("198.51.100.0/24", jiffies() + seconds(60));
	meets(&p, SHIELD_DROP_BLOCK, "blocked");
	assert_int_equal(shield_allow(the.shield, &allowed, SHIELD_NEVER, &error), 0);
	meets(&p, SHIELD_PASS_ALLOWED, "allowed");
	assert_int_equal(shield_disallow(the.shield, &allowed, &error), 0);
	release("198.51.100.0/24");
	(void)add_rule("192.0.2.10", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&to, SHIELD_DROP_RULE, "to");
	(void)add_rule("::/0", "src net 198.51.0.0/16", RULE_NONE, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_PASS_RULE, "from");
	begin();
	(void)add_rule("::/0", "src net 0.0.0.0/0 and ip6", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_DROP_RULE, "from anywhere");
}

static void observing_counts_and_lets_pass(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000),
		      other = udp("203.0.113.9", "192.0.2.10", 123, 4000);

	(void)state;
	NEED_SHIELD;
	begin();
	block("198.51.100.0/24", jiffies() + seconds(60));
	(void)add_rule("::/0", "udp", RULE_DROP, 0, false, SHIELD_NEVER);
	shield_set_mode(the.shield, false, SHIELD_NEVER);
	would_meet(&p, SHIELD_DROP_BLOCK, "a block");
	would_meet(&other, SHIELD_DROP_RULE, "a rule");
	shield_set_mode(the.shield, true, jiffies() + seconds(60));
	meets(&p, SHIELD_DROP_BLOCK, "until a time to come");
	shield_set_mode(the.shield, true, jiffies());
	would_meet(&p, SHIELD_DROP_BLOCK, "a time that has come");
	shield_set_mode(the.shield, true, jiffies() + seconds(1) / 4);
	meets(&p, SHIELD_DROP_BLOCK, "a quarter of a second");
	wait_ms(400);
	would_meet(&p, SHIELD_DROP_BLOCK, "nobody has said so, and it is over");
	would_meet(&other, SHIELD_DROP_RULE, "a rule");
	release("198.51.100.0/24");
	begin();
	(void)add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	would_meet(&p, SHIELD_DROP_RULE, "a rule in the shadow");
}

static void all_that_has_an_end_ends(void **state)
{
	struct shield_way_in way = { prefix("198.51.100.9/32"), 22, true, 0 };
	const struct prefix allowed = prefix("198.51.100.0/24");
	struct packet ssh = tcp("198.51.100.9", "192.0.2.10", 22), web = tcp("198.51.100.9", "192.0.2.10", 80);
	struct packet blocked = udp("203.0.113.7", "192.0.2.10", 1, 2),
		      blocked6 = udp("2001:db8:7::1", "2001:db8::10", 1, 2);
	struct shield_error error;
	uint64_t soon;

	(void)state;
	NEED_SHIELD;
	begin();
	soon = jiffies() + seconds(1) / 5;
	way.expires = soon;
	(void)add_rule("::/0", "tcp", RULE_DROP, 0, false, soon);
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	assert_int_equal(shield_allow(the.shield, &allowed, soon + seconds(1) / 5, &error), 0);
	block("203.0.113.0/24", soon);
	block("2001:db8:7::/64", soon);
	meets(&blocked, SHIELD_DROP_BLOCK, "a block");
	meets(&blocked6, SHIELD_DROP_BLOCK, "a block");
	wait_ms(250);
	meets(&ssh, SHIELD_PASS_ALLOWED, "the way in is shut");
	wait_ms(250);
	meets(&ssh, SHIELD_PASS_CLEAN, "the rule has ended, and the allowance");
	meets(&web, SHIELD_PASS_CLEAN, "the rule has ended");
	wait_ms(700); /* a block ends with a tick */
	meets(&blocked, SHIELD_PASS_CLEAN, "the block has ended");
	meets(&blocked6, SHIELD_PASS_CLEAN, "the block has ended");
	(void)shield_disallow(the.shield, &allowed, &error);
}

static unsigned passing(const struct packet *p, unsigned count)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < count; i++)
		passed += run(p->octets, p->length) == XDP_PASS;
	return passed;
}

/*
 * What passes of `count` packets: what buckets hold, `least` to `most`, and what they gain at `pps` while it lasts,
 * which on a busy machine may be long.
 */
static unsigned passing_buckets(const struct packet *p, unsigned count, unsigned least, unsigned most, unsigned pps)
{
	uint64_t began = jiffies();
	unsigned passed = passing(p, count);

	assert_in_range(passed, least, most + 1 + (jiffies() - began + 2) * pps / seconds(1));
	return passed;
}

/* Of one whose bucket was just emptied: what that has gained since may pass as `first`. */
static struct fate fate_once_empty(const struct packet *p, enum shield_reason first)
{
	struct fate fate = fate_of(p);

	for (unsigned i = 1; i < BUCKET_TRIES && fate.reason == first; i++)
		fate = fate_of(p);
	return fate;
}

static void meets_emptied(const struct packet *p, enum shield_reason first, enum shield_reason wanted, const char *what)
{
	struct fate fate = fate_once_empty(p, first);

	if (fate.reason != wanted || !fate.enforced)
		fail_msg("%s: %s%s, not %s", what, fate.enforced ? "" : "observed ", shield_reason_name(fate.reason),
		         shield_reason_name(wanted));
}

static void a_rate_is_held(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);

	(void)state;
	NEED_SHIELD;
	begin();
	(void)add_rule("::/0", "udp", RULE_RATE_LIMIT, 100, false, SHIELD_NEVER);
	(void)passing_buckets(&p, 200, 10, 10, 100); /* a tenth of a second's worth */
	meets_emptied(&p, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above the rate");
	wait_ms(60);
	meets(&p, SHIELD_PASS_RULE, "after a while");
	(void)passing_buckets(&p, 200, 3, 10, 100);
	wait_ms(3000); /* what is saved up is a tenth of a second's worth at most */
	(void)passing_buckets(&p, 200, 10, 10, 100);
	begin();
	(void)add_rule("::/0", "udp", RULE_RATE_LIMIT, 1, false, SHIELD_NEVER);
	assert_int_equal(passing(&p, 50), 1);
}

/* What passes of 50 packets while their bucket, with so many tokens, is ahead in time; once more where that came. */
static unsigned passing_ahead(const struct packet *p, int fd, uint32_t counter, unsigned tokens)
{
	struct shield_rule_state state = { .active_until = SHIELD_NEVER };
	uint64_t ahead;
	unsigned passed;

	do {
		ahead = jiffies() + seconds(1) / 2;
		state.rate = ahead << 32 | tokens * SHIELD_TOKEN;
		assert_int_equal(bpf_map_update_elem(fd, &counter, &state, BPF_ANY), 0);
		passed = passing(p, 50);
	} while (jiffies() + 1 >= ahead);
	return passed;
}

/* A packet that began before a jiffy's end may meet a bucket that one behind it has taken from. */
static void a_bucket_ahead_in_time_is_not_filled(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	struct shield_rule_told rules[SHIELD_RULES_MAX];
	int fd = the.shield ? shield_maps(the.shield)->fd[SHIELD_MAP_RULE_STATES] : -1;
	struct shield_rule_state bucket = { .active_until = SHIELD_NEVER };
	unsigned count;

	(void)state;
	NEED_SHIELD;
	begin();
	(void)add_rule("::/0", "udp", RULE_RATE_LIMIT, 100, false, SHIELD_NEVER);
	assert_int_equal(shield_read_rules(shield_maps(the.shield), jiffies(), rules, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(passing_ahead(&p, fd, rules[0].counter, 0), 0);
	assert_int_equal(passing_ahead(&p, fd, rules[0].counter, 2), 2);
	/* What nobody has used for long, its time having wrapped or not, is full. */
	for (unsigned bit = 12; bit < 32; bit++) {
		bucket.rate = (jiffies() - (1ULL << bit)) << 32;
		assert_int_equal(bpf_map_update_elem(fd, &rules[0].counter, &bucket, BPF_ANY), 0);
		(void)passing_buckets(&p, 200, 10, 10, 100);
	}
}

static void services_have_their_own_counters_and_limits(void **state)
{
	const struct prefix web[] = { prefix("192.0.2.10/32"), prefix("2001:db8::10/128") },
			    net = prefix("192.0.2.0/24");
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
	struct packet p = tcp("198.51.100.9", "192.0.2.10", 80), other = tcp("198.51.100.10", "192.0.2.10", 443);
	struct packet six = tcp("2001:db8:9:9::1", "2001:db8::10", 80),
		      same = tcp("2001:db8:9:9:8::2", "2001:db8::10", 80);
	struct packet next = tcp("2001:db8:9:a::1", "2001:db8::10", 80);
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
	struct fate fate;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_int_equal(shield_set_services(the.shield, services, 3, &error), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet one = cases[i].is_udp ? udp(cases[i].src, cases[i].dst, 9, cases[i].port)
		                                    : tcp(cases[i].src, cases[i].dst, cases[i].port);

		fate = fate_of(&one);
		assert_int_equal(fate.reason, SHIELD_PASS_CLEAN);
		assert_int_equal(fate.service, cases[i].service);
	}
	(void)passing_buckets(&p, 100, 20, 20, 20);
	meets_emptied(&p, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "above its limit");
	meets(&other, SHIELD_PASS_CLEAN, "another source");
	(void)passing_buckets(&six, 100, 20, 20, 20);
	meets_emptied(&same, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "of the same /64");
	meets(&next, SHIELD_PASS_CLEAN, "of the next /64");
	shield_set_mode(the.shield, false, SHIELD_NEVER);
	assert_int_equal(passing(&p, 100), 100);
	fate = fate_once_empty(&p, SHIELD_PASS_CLEAN);
	assert_int_equal(fate.reason, SHIELD_DROP_SOURCE);
	assert_false(fate.enforced);
}

struct taken {
	unsigned count;
	uint64_t weight;
	struct shield_sample last;
};

static void takes(void *context, const struct shield_sample *sample)
{
	struct taken *taken = context;

	taken->count++;
	taken->weight += sample->weight;
	taken->last = *sample;
}

static void samples_are_handed_out(void **state)
{
	struct packet p = udp("203.0.113.77", "192.0.2.10", 123, 4000);
	struct shield_totals before, after;
	struct samples *samples;
	struct taken taken = { .count = 0 };

	(void)state;
	NEED_SHIELD;
	begin();
	block("203.0.113.77/32", jiffies() + seconds(60));
	assert_int_equal(samples_new(shield_maps(the.shield)->fd[SHIELD_MAP_SAMPLES], takes, &taken, &samples), 0);
	(void)samples_read(samples);
	taken.count = 0;
	assert_int_equal(shield_read_totals(shield_maps(the.shield), &before), 0);
	wait_ms(50); /* the sampler forgets that it had to slow down */
	for (unsigned i = 0; i < 20000; i++)
		(void)run(p.octets, p.length);
	assert_true(samples_read(samples) >= 0);
	assert_int_equal(shield_read_totals(shield_maps(the.shield), &after), 0);
	assert_true(taken.count > 0);
	assert_int_equal(after.samples - before.samples, taken.count);
	assert_int_equal(taken.last.reason, SHIELD_DROP_BLOCK);
	assert_int_equal(taken.last.flags & SHIELD_SAMPLE_ENFORCED, SHIELD_SAMPLE_ENFORCED);
	assert_int_equal(taken.last.service, SHIELD_SERVICE_NONE);
	assert_int_equal(taken.last.length, p.length);
	assert_int_equal(taken.last.kept, p.length);
	assert_memory_equal(taken.last.octets, p.octets, p.length);
	assert_true(taken.last.weight >= 1);
	samples_free(samples);
	release("203.0.113.77/32");
}

/* Weights of two kinds of packets that take turns: a sampler with a period would only ever see one of them. */
struct kinds {
	double weight[2], variance[2];
	unsigned count;
	uint32_t last;
};

static void takes_of_kinds(void *context, const struct shield_sample *sample)
{
	struct kinds *kinds = context;
	unsigned kind = sample->octets[14 + 20 + 1] & 1; /* the source port's lowest bit */

	kinds->weight[kind] += sample->weight;
	kinds->variance[kind] += (double)sample->weight * (sample->weight - 1.0);
	kinds->count++;
	kinds->last = sample->weight;
}

/* On one processor: each has its own interval. */
static void the_interval_follows_the_budget_and_weights_are_fair(void **state)
{
	static const uint32_t budgets[] = { 2, 5, 7, 20 };
	struct packet p[2] = { udp("203.0.113.77", "192.0.2.10", 1000, 4000),
		               udp("203.0.113.77", "192.0.2.10", 1001, 4000) };
	uint32_t was = the.shield ? the.shield->config->sample_per_tick : 0;
	struct shield_totals totals;
	struct samples *samples;
	struct kinds kinds;
	cpu_set_t before, one;

	(void)state;
	NEED_SHIELD;
	begin();
	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(samples_new(shield_maps(the.shield)->fd[SHIELD_MAP_SAMPLES], takes_of_kinds, &kinds, &samples),
	                 0);
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		the.shield->config->sample_per_tick = budgets[i];
		wait_ms(1000 * (21 << SHIELD_SAMPLE_SHIFT) / the.shield->config->hz);
		assert_true(samples_read(samples) >= 0);
		memset(&kinds, 0, sizeof(kinds));
		for (uint64_t k = 0; k < BUSY; k++) {
			(void)run(p[k % 2].octets, p[k % 2].length);
			if (k % 4096 == 0)
				(void)samples_read(samples);
		}
		assert_int_equal(shield_read_totals(shield_maps(the.shield), &totals), 0);
		assert_true(totals.arriving.interval > 1);
		assert_true(samples_read(samples) >= 0);
		assert_true(kinds.count < BUSY / 2);
		/* Six standard errors, as the samples themselves estimate them; and room where they are few. */
		for (unsigned kind = 0; kind < 2; kind++) {
			double error = kinds.weight[kind] - BUSY / 2.0;

			assert_true(error * error < 36 * kinds.variance[kind] + 36.0 * BUSY);
		}
		wait_ms(1000 * (21 << SHIELD_SAMPLE_SHIFT) / the.shield->config->hz);
		(void)run(p[0].octets, p[0].length);
		assert_true(samples_read(samples) >= 0);
		assert_int_equal(kinds.last, 1);
	}
	the.shield->config->sample_per_tick = was;
	samples_free(samples);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

/*
 * A list that has been full, of entries that have all expired, has room; and letting all of it go takes no long while.
 */
static void the_allow_list_forgets_what_has_expired(void **state)
{
	struct prefix *all = the.shield ? calloc(SHIELD_ALLOW_MAX, sizeof(*all)) : NULL;
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	uint64_t ends = the.shield ? jiffies() + seconds(2) : 0;
	struct prefix outer = prefix("198.51.100.0/24");
	struct shield_error error;
	int64_t began;
	unsigned swept;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_non_null(all);
	block("198.51.100.9/32", jiffies() + seconds(60));
	for (unsigned i = 0; i < SHIELD_ALLOW_MAX; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "198.18.%u.%u/32", i / 256, i % 256);
		all[i] = prefix(text);
		assert_int_equal(shield_allow(the.shield, &all[i], ends, &error), 0);
	}
	assert_int_equal(shield_allow(the.shield, &outer, SHIELD_NEVER, &error), jiffies() < ends ? -ENOSPC : 0);
	while (jiffies() <= ends)
		wait_ms(20);
	assert_int_equal(shield_allow(the.shield, &outer, SHIELD_NEVER, &error), 0);
	meets(&p, SHIELD_PASS_ALLOWED, "there is room");
	assert_int_equal(shield_sweep_allowed(the.shield, jiffies(), &swept), 0);
	assert_int_equal(swept, 0);
	/* An allowance of a configuration is not made one for a while. */
	assert_int_equal(shield_allow(the.shield, &outer, jiffies() + 1, &error), 0);
	wait_ms(30);
	meets(&p, SHIELD_PASS_ALLOWED, "for good");
	for (unsigned i = 0; i < SHIELD_ALLOW_MAX - 1; i++)
		assert_int_equal(shield_allow(the.shield, &all[i], SHIELD_NEVER, &error), 0);
	began = shield_monotonic_ns();
	assert_int_equal(shield_disallow_all(the.shield, all, SHIELD_ALLOW_MAX, &error), 0);
	assert_true(shield_monotonic_ns() - began < 2 * (int64_t)NS_PER_S);
	meets(&p, SHIELD_PASS_ALLOWED, "it stays");
	assert_int_equal(shield_disallow(the.shield, &all[0], &error), -ENOENT);
	assert_int_equal(shield_disallow(the.shield, &outer, &error), 0);
	meets(&p, SHIELD_DROP_BLOCK, "it has gone");
	release("198.51.100.9/32");
	free(all);
}

/* ---- cookies ---- */

#define COOKIE_PORT 80
#define CLIENTS 512 /* conversations of a trial: some sixteen of them are left to the host */

/* Where this process has a listener, and the kernel makes cookies at any time; nothing of it is seen elsewhere. */
struct place {
	int before, listener;
};

static bool place_enter(struct place *place)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(COOKIE_PORT) };
	FILE *setting;

	place->before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(place->before >= 0);
	if (unshare(CLONE_NEWNET) != 0) {
		close(place->before);
		return false;
	}
	setting = fopen("/proc/sys/net/ipv4/tcp_syncookies", "w");
	assert_non_null(setting);
	assert_true(fputs("2", setting) >= 0);
	assert_int_equal(fclose(setting), 0);
	place->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(place->listener >= 0);
	assert_int_equal(bind(place->listener, (const struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(place->listener, 8), 0);
	return true;
}

static void place_leave(struct place *place)
{
	close(place->listener);
	assert_int_equal(setns(place->before, CLONE_NEWNET), 0);
	close(place->before);
}

#define NEED_PLACE(place)                \
	do {                             \
		if (!place_enter(place)) \
			skip();          \
	} while (0)

static void serve(enum shield_cookies cookies)
{
	static const uint16_t port = COOKIE_PORT;
	const struct prefix here = prefix("192.0.2.10/32");
	const struct shield_service service = { .name = "web",
		                                .prefixes = &here,
		                                .prefix_count = 1,
		                                .tcp = &port,
		                                .tcp_count = 1,
		                                .local = true,
		                                .cookies = cookies };
	struct shield_error error;

	begin();
	assert_int_equal(shield_set_services(the.shield, &service, 1, &error), 0);
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

#define SEQUENCE 1000u

static struct packet segment(uint16_t port, uint8_t flags, bool tagged, uint32_t acknowledges)
{
	static const uint8_t mss[4] = { 2, 4, 5, 0xb4 };
	struct packet p;

	packet_begin(&p);
	if (tagged)
		packet_vlan(&p, 0x8100, 100);
	packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	packet_tcp(&p, port, COOKIE_PORT, flags, 64000, mss, flags == 2 ? sizeof(mss) : 0);
	put32(p.octets + p.ip + 20 + 4, flags == 2 ? SEQUENCE : SEQUENCE + 1);
	put32(p.octets + p.ip + 20 + 8, acknowledges);
	packet_end(&p);
	return p;
}

static uint32_t sum16(const uint8_t *at, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Runs a SYN; the number of the SYN-ACK that goes back, which is looked at; 0: it passes. */
static uint32_t answered_by(const struct packet *p)
{
	uint8_t out[PACKET_MAX];
	struct bpf_test_run_opts options = { .sz = sizeof(options),
		                             .repeat = 1,
		                             .data_in = p->octets,
		                             .data_size_in = (uint32_t)p->length,
		                             .data_out = out,
		                             .data_size_out = sizeof(out) };
	const uint8_t *ip = out + p->ip, *tcp = ip + 20;
	size_t length;

	assert_int_equal(bpf_prog_test_run_opts(the.program, &options), 0);
	if (options.retval == XDP_PASS) {
		assert_int_equal(options.data_size_out, p->length);
		assert_memory_equal(out, p->octets, p->length);
		return 0;
	}
	assert_int_equal(options.retval, XDP_TX);
	assert_true(options.data_size_out <= p->length);
	assert_memory_equal(out, p->octets + 6, 6);
	assert_memory_equal(out + 6, p->octets, 6);
	assert_memory_equal(out + 12, p->octets + 12, p->ip - 12); /* a tag stays */
	assert_memory_equal(ip + 12, p->octets + p->ip + 16, 4);
	assert_memory_equal(ip + 16, p->octets + p->ip + 12, 4);
	assert_int_equal(folded(sum16(ip, 20, 0)), 0xffff);
	length = (size_t)(ip[2] << 8 | ip[3]) - 20;
	assert_int_equal(folded(sum16(tcp, length, sum16(ip + 12, 8, 6 + (uint32_t)length))), 0xffff);
	assert_memory_equal(tcp, p->octets + p->ip + 22, 2);
	assert_memory_equal(tcp + 2, p->octets + p->ip + 20, 2);
	assert_int_equal(tcp[13], 0x12);
	assert_int_equal(get32(tcp + 8), SEQUENCE + 1);
	assert_int_not_equal(get32(tcp + 4), 0);
	return get32(tcp + 4);
}

/* Frames with and without a tag; not where it only observes, nor to who is let in anyhow. */
static void a_syn_is_answered_with_a_cookie(void **state)
{
	const struct shield_way_in way = { prefix("198.51.100.0/24"), COOKIE_PORT, true, SHIELD_NEVER };
	const struct prefix allowed = prefix("198.51.100.9/32");
	struct packet plain = segment(4000, 2, false, 0), tagged = segment(4001, 2, true, 0);
	struct packet optional = layered(IPV4_OPTIONS);
	struct shield_error error;
	struct place place;

	(void)state;
	NEED_SHIELD;
	NEED_PLACE(&place);
	serve(SHIELD_COOKIES_ON);
	assert_int_not_equal(answered_by(&plain), 0);
	assert_int_not_equal(answered_by(&tagged), 0);
	meets(&optional, SHIELD_PASS_CLEAN, "with IPv4 options it is the host's");
	shield_set_mode(the.shield, false, SHIELD_NEVER);
	would_meet(&plain, SHIELD_TX_COOKIE, "where it observes");
	would_meet(&tagged, SHIELD_TX_COOKIE, "where it observes, tagged");
	shield_set_mode(the.shield, true, SHIELD_NEVER);
	assert_int_equal(shield_allow(the.shield, &allowed, SHIELD_NEVER, &error), 0);
	meets(&plain, SHIELD_PASS_ALLOWED, "an allowed source");
	assert_int_equal(shield_disallow(the.shield, &allowed, &error), 0);
	assert_int_equal(shield_set_guard(the.shield, &way, 1, &error), 0);
	meets(&tagged, SHIELD_PASS_GUARD, "the way in");
	serve(SHIELD_COOKIES_AUTO);
	meets(&plain, SHIELD_PASS_CLEAN, "without pressure");
	serve(SHIELD_COOKIES_OFF);
	meets(&plain, SHIELD_PASS_CLEAN, "where there are none");
	place_leave(&place);
}

static void press(uint32_t service, bool pressed)
{
	int map = shield_maps(the.shield)->fd[SHIELD_MAP_TCP_STATES];
	struct shield_tcp_state state = { .cookies_until = pressed ? jiffies() + seconds(60) : 0 };

	assert_int_equal(bpf_map_update_elem(map, &service, &state, BPF_ANY), 0);
}

/* The one trial, of the interface that frames of a test come by. */
static struct shield_trial trial_now(uint32_t *ifindex)
{
	int map = shield_maps(the.shield)->fd[SHIELD_MAP_TRIALS];
	struct shield_trial trial;

	assert_int_equal(bpf_map_get_next_key(map, NULL, ifindex), 0);
	assert_int_equal(bpf_map_lookup_elem(map, ifindex, &trial), 0);
	return trial;
}

/* Of each conversation its cookie, or 0 where it is left to the host; how many are. */
static unsigned try_all(uint32_t cookies[CLIENTS])
{
	unsigned left = 0;

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct packet p = segment((uint16_t)(5000 + i), 2, false, 0);

		cookies[i] = answered_by(&p);
		left += cookies[i] == 0;
	}
	return left;
}

static void completes(unsigned client, uint32_t cookie)
{
	struct packet p = segment((uint16_t)(5000 + client), 0x10, false, cookie + 1);

	(void)run(p.octets, p.length);
}

/* As long as it is not known whether cookies arrive a few SYNs are left to the host; what is completed says it. */
static void cookies_are_tried(void **state)
{
	uint32_t all[CLIENTS], cookies[CLIENTS], ifindex;
	struct packet p = segment(4000, 2, false, 0);
	struct shield_trial trial;
	struct place place;
	unsigned left, told;
	int map;

	(void)state;
	NEED_SHIELD;
	NEED_PLACE(&place);
	map = shield_maps(the.shield)->fd[SHIELD_MAP_TRIALS];
	serve(SHIELD_COOKIES_TRUSTED);
	press(0, true);
	assert_int_equal(try_all(all), 0);
	for (unsigned arrive = 0; arrive < 2; arrive++) {
		serve(SHIELD_COOKIES_AUTO);
		press(0, true);
		assert_int_equal(answered_by(&p), 0); /* the first begins a trial */
		left = try_all(cookies);
		assert_in_range(left, CLIENTS / SHIELD_TRIAL_SHARE / 4, CLIENTS / SHIELD_TRIAL_SHARE * 4);
		for (unsigned i = 0, n = 0; i < CLIENTS && n < SHIELD_TRIAL_LOST; i++)
			if (cookies[i] == 0) {
				completes(i, all[i]);
				n++;
			}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.by_host, 0); /* too early to say anything */
		trial.began -= seconds(1);
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &trial, BPF_ANY), 0);
		told = 0;
		for (unsigned i = 0; i < CLIENTS && told < (arrive ? SHIELD_TRIAL_PROVEN : SHIELD_TRIAL_LOST); i++)
			if ((cookies[i] != 0) == arrive) {
				completes(i, all[i] + 1); /* a wrong one says nothing */
				trial = trial_now(&ifindex);
				assert_int_equal(arrive ? trial.by_cookie : trial.by_host, told);
				assert_true(trial.proven_until == 0 && trial.lost_until == 0);
				completes(i, all[i]);
				told++;
			}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.proven_until != 0, arrive);
		assert_int_equal(trial.lost_until != 0, !arrive);
		assert_int_equal(try_all(cookies), arrive ? 0 : CLIENTS);
		assert_int_equal(shield_count_cookies_lost(shield_maps(the.shield), jiffies(), &told), 0);
		assert_int_equal(told, !arrive);
		if (!arrive) { /* after a while it is tried again */
			trial.lost_until = jiffies() - 1;
			trial.began -= seconds(SHIELD_TRIAL_S);
			assert_int_equal(bpf_map_update_elem(map, &ifindex, &trial, BPF_ANY), 0);
			assert_in_range(try_all(cookies), 1, CLIENTS / 2);
			assert_int_equal(trial_now(&ifindex).by_host, 0);
		}
		assert_int_equal(bpf_map_delete_elem(map, &ifindex), 0);
	}
	/* Of an interface that is unsure few get one, and many have to come in otherwise before it is given up. */
	for (unsigned arrive = 0; arrive < 2; arrive++) {
		struct shield_trial unsure = { .unsure = 1 };

		serve(SHIELD_COOKIES_AUTO);
		press(0, true);
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &unsure, BPF_ANY), 0);
		left = try_all(cookies);
		assert_in_range(CLIENTS - left, CLIENTS / SHIELD_TRIAL_SHARE / 4, CLIENTS / SHIELD_TRIAL_SHARE * 4);
		unsure = trial_now(&ifindex);
		assert_int_equal(unsure.unsure, 1);
		unsure.began -= seconds(1);
		unsure.by_host = arrive ? 0 : SHIELD_TRIAL_LOST_UNSURE - 2;
		assert_int_equal(bpf_map_update_elem(map, &ifindex, &unsure, BPF_ANY), 0);
		told = 0;
		for (unsigned i = 0; i < CLIENTS && told < 2; i++) {
			if ((cookies[i] != 0) != arrive)
				continue;
			trial = trial_now(&ifindex);
			assert_true(trial.proven_until == 0 && trial.lost_until == 0);
			completes(i, all[i]);
			told++;
		}
		trial = trial_now(&ifindex);
		assert_int_equal(trial.proven_until != 0, arrive);
		assert_int_equal(trial.lost_until != 0, !arrive);
		assert_int_equal(try_all(cookies), arrive ? 0 : CLIENTS);
		assert_int_equal(bpf_map_delete_elem(map, &ifindex), 0);
	}
	/* Where nothing is sent nothing is learned, and nobody is held to a trial. */
	shield_set_mode(the.shield, false, SHIELD_NEVER);
	would_meet(&p, SHIELD_TX_COOKIE, "where it observes");
	assert_int_equal(bpf_map_get_next_key(map, NULL, &ifindex), -ENOENT);
	press(0, false);
	place_leave(&place);
}

/* What this host sends is remembered, from the other side's view; of what comes back a sample says so. */
static void who_was_answered_is_known(void **state)
{
	struct packet out = udp("192.0.2.10", "198.51.100.9", 53, 4000),
		      back = udp("198.51.100.9", "192.0.2.10", 4000, 53);
	struct packet other = udp("198.51.100.9", "192.0.2.10", 4001, 53), ping = layered(ICMP);
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };
	struct shield_flow_key key = { .src_port = 4000, .dst_port = 53, .protocol = 17 };
	struct prefix src = prefix("198.51.100.9/32"), dst = prefix("192.0.2.10/32");
	int flows, egress;
	struct samples *samples;
	struct taken taken = { .count = 0 };
	struct shield_flow flow;
	uint64_t before;

	(void)state;
	NEED_SHIELD;
	begin();
	flows = shield_maps(the.shield)->fd[SHIELD_MAP_FLOWS];
	egress = bpf_program__fd(the.shield->programs->progs.shield_egress);
	memcpy(key.src, src.address.octets, sizeof(key.src));
	memcpy(key.dst, dst.address.octets, sizeof(key.dst));
	assert_int_equal(samples_new(shield_maps(the.shield)->fd[SHIELD_MAP_SAMPLES], takes, &taken, &samples), 0);
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), -ENOENT);
	before = jiffies();
	for (unsigned i = 0; i < 3; i++) {
		options.data_in = out.octets;
		options.data_size_in = (uint32_t)out.length;
		assert_int_equal(bpf_prog_test_run_opts(egress, &options), 0);
		assert_int_equal((int)options.retval, -1); /* TC_ACT_UNSPEC: others may have a say */
	}
	options.data_size_out = 0; /* the run before has said how much came out of it */
	options.data_in = ping.octets;
	options.data_size_in = (uint32_t)ping.length;
	assert_int_equal(bpf_prog_test_run_opts(egress, &options), 0);
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), 0);
	assert_int_equal(flow.packets, 3);
	assert_in_range(flow.first, before - 1, jiffies() + 1);
	assert_in_range(flow.last, flow.first, jiffies() + 1);
	for (unsigned i = 0; i < 2; i++) {
		const struct packet *p = i ? &other : &back;

		wait_ms(300); /* the sampler forgets that it had to slow down */
		(void)samples_read(samples);
		taken.count = 0;
		for (unsigned j = 0; j < 20000 && taken.count == 0; j++) {
			(void)run(p->octets, p->length);
			(void)samples_read(samples);
		}
		assert_true(taken.count > 0);
		assert_int_equal(taken.last.flags & SHIELD_SAMPLE_ANSWERED, i ? 0 : SHIELD_SAMPLE_ANSWERED);
	}
	samples_free(samples);
	assert_int_equal(bpf_map_delete_elem(flows, &key), 0);
}

/* Samples of what leaves say so, and whose it is by the port it comes from. */
static void what_leaves_is_sampled_too(void **state)
{
	const uint16_t port = 53;
	const struct prefix here = prefix("192.0.2.10/32");
	const struct shield_service service = {
		.name = "names", .prefixes = &here, .prefix_count = 1, .udp = &port, .udp_count = 1
	};
	struct packet answer = udp("192.0.2.10", "203.0.113.200", 53, 4000),
		      other = udp("192.0.2.10", "203.0.113.200", 54, 53), ping = layered(ICMP);
	const struct packet *sent[] = { &answer, &other, &ping };
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };
	struct taken taken = { .count = 0 };
	struct shield_error error;
	struct samples *samples;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_int_equal(shield_set_services(the.shield, &service, 1, &error), 0);
	assert_true(the.shield->config->sample_sent_per_tick > 0);
	assert_in_range(the.shield->config->sample_per_tick, the.shield->config->sample_sent_per_tick,
	                4 * the.shield->config->sample_sent_per_tick + 4);
	assert_int_equal(samples_new(shield_maps(the.shield)->fd[SHIELD_MAP_SAMPLES], takes, &taken, &samples), 0);
	for (unsigned i = 0; i < 3; i++) {
		wait_ms(300);
		(void)samples_read(samples);
		taken = (struct taken){ .count = 0 };
		options.data_in = sent[i]->octets;
		options.data_size_in = (uint32_t)sent[i]->length;
		options.data_size_out = 0;
		assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(the.shield->programs->progs.shield_egress),
		                                        &options),
		                 0);
		(void)samples_read(samples);
		assert_int_equal(taken.count, 1);
		assert_int_equal(taken.last.flags, SHIELD_SAMPLE_SENT | SHIELD_SAMPLE_ENFORCED);
		assert_int_equal(taken.last.weight, 1);
		assert_int_equal(taken.last.service, i == 0 ? 0 : SHIELD_SERVICE_NONE);
		assert_int_equal(taken.last.length, sent[i]->length);
		assert_memory_equal(taken.last.octets + 14, sent[i]->octets + 14, 14);
	}
	samples_free(samples);
}

/* Packets that this host sends; the flow is that of what it receives. */
static uint64_t sent_of_flow(const char *src, const char *dst, uint8_t flags)
{
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };
	struct shield_flow_key key = { .src_port = 80, .dst_port = 40000, .protocol = 6 };
	struct shield_flow flow = { .packets = 0 };
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, src, dst);
	packet_tcp(&p, 40000, 80, flags, 1024, NULL, 0);
	packet_end(&p);
	options.data_in = p.octets;
	options.data_size_in = (uint32_t)p.length;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(the.shield->programs->progs.shield_egress), &options),
	                 0);
	memcpy(key.src, prefix(dst).address.octets, sizeof(key.src));
	memcpy(key.dst, prefix(src).address.octets, sizeof(key.dst));
	if (bpf_map_lookup_elem(shield_maps(the.shield)->fd[SHIELD_MAP_FLOWS], &key, &flow) != 0)
		return 0;
	return flow.packets;
}

static void what_answers_every_syn_begins_no_flow(void **state)
{
	enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

	(void)state;
	NEED_SHIELD;
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.1", RST | ACK), 0);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.1", RST), 0);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.1", SYN | ACK), 0);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.1", ACK), 1);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.1", RST), 2);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.2", SYN), 1);
	assert_int_equal(sent_of_flow("192.0.2.10", "203.0.113.3", FIN | ACK), 1);
}

/* ---- rules that arm, spare, probe ---- */

/* What passes of `count` packets, of which one comes each `gap_ms`. */
static unsigned passing_slowly(const struct packet *p, unsigned count, unsigned gap_ms)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < count; i++) {
		wait_ms(gap_ms);
		passed += run(p->octets, p->length) == XDP_PASS;
	}
	return passed;
}

/* Nobody but the kernel has a hand in it: an attack that comes in pulses is dropped from each one's beginning on. */
static void a_rule_arms_itself_again(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 100, .hold_s = 1 };
	struct shield_rule_told told;
	uint32_t number, behind;

	(void)state;
	NEED_SHIELD;
	begin();
	number = make_rule("::/0", "udp", RULE_DROP, 0, &making);
	behind = add_rule("::/0", "udp", RULE_NONE, 0, false, SHIELD_NEVER);
	told = told_of(number);
	assert_int_equal(told.arm_pps, 100);
	assert_int_equal(told.hold_s, 1);
	assert_true(is_active(number));
	meets(&p, SHIELD_DROP_RULE, "it begins active");
	wait_ms(1100);
	assert_false(is_active(number));
	for (unsigned pulse = 0; pulse < 3; pulse++) {
		struct shield_rule_count before = count_of(number), behind_before = count_of(behind), after;
		uint64_t until;

		/* Fewer than arm_pps: as if it were not there, but that it counts them. */
		meets(&p, SHIELD_PASS_RULE, "what is behind it has its say");
		assert_int_equal(passing_slowly(&p, 20, 20), 20);
		assert_false(is_active(number));
		after = count_of(number);
		assert_int_equal(after.matched.packets, before.matched.packets + 21);
		assert_int_equal(after.dropped.packets, before.dropped.packets);
		assert_int_equal(count_of(behind).matched.packets, behind_before.matched.packets + 21);
		/* A burst of a tenth of a second's worth is had, and what came meanwhile. */
		(void)passing_buckets(&p, 500, 8, 10, 100);
		assert_true(is_active(number));
		/* It holds on, though now few come. */
		until = active_until(number);
		for (unsigned i = 0; i < 10; i++)
			assert_true(passing_slowly(&p, 1, 50) == 0 || jiffies() + 1 >= until);
		wait_ms(1100);
		assert_false(is_active(number));
	}
}

/*
 * As long as a flood lasts it acts, though it puts its end off only now and then. Bursts are above its rate however
 * long they take; one that a busy machine keeps back for nearly as long as the rule holds is a flood of its own.
 */
static void a_rule_stays_active_while_it_is_hit(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 100, .hold_s = 1 };
	uint64_t end, before, last;
	unsigned in_time = 0;

	(void)state;
	NEED_SHIELD;
	begin();
	last = jiffies();
	end = last + seconds(3);
	(void)make_rule("::/0", "udp", RULE_DROP, 0, &making);
	for (; last < end; last = before) {
		unsigned passed;

		before = jiffies();
		passed = passing_slowly(&p, 1, 20) + passing(&p, 500);
		if (jiffies() - last >= seconds(3) / 4)
			continue;
		assert_int_equal(passed, 0);
		in_time++;
	}
	assert_true(in_time > 0);
}

static void an_active_rate_limit_limits(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .arm_pps = 200, .hold_s = 1 };

	(void)state;
	NEED_SHIELD;
	begin();
	(void)make_rule("::/0", "udp", RULE_RATE_LIMIT, 50, &making);
	(void)passing_buckets(&p, 200, 5, 5, 50);
	meets_emptied(&p, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above the rate");
	wait_ms(1100);
	meets(&p, SHIELD_PASS_CLEAN, "armed");
	(void)passing_buckets(&p, 500, 20, 25, 250); /* a tenth of arm_pps, and then the limit's own */
}

static void a_rule_is_renewed(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000), other = tcp("198.51.100.9", "192.0.2.10", 80);
	struct shield_making making = { .expires = 0, .hold_s = SHIELD_HOLD_MAX_S + 1, .arm_pps = 1 };
	struct shield_rule_told before, after;
	struct rule rule = { .scope = prefix("::/0") };
	struct shield_error error;
	uint32_t number, none;
	unsigned swept;

	(void)state;
	NEED_SHIELD;
	begin();
	number = add_rule("::/0", "udp", RULE_DROP, 0, false, jiffies() + seconds(1) / 2);
	before = told_of(number);
	(void)add_rule("::/0", "tcp", RULE_DROP, 0, false, SHIELD_NEVER);
	assert_int_equal(shield_renew_rule(the.shield, number, jiffies() + seconds(60), &error), 0);
	after = told_of(number);
	assert_in_range(after.expires, jiffies() + seconds(58), jiffies() + seconds(60));
	assert_int_equal(after.counter, before.counter);
	wait_ms(600);
	meets(&p, SHIELD_DROP_RULE, "it would have ended");
	assert_int_equal(count_of(number).dropped.packets, 1);
	assert_int_equal(shield_renew_rule(the.shield, number, jiffies(), &error), 0);
	meets(&p, SHIELD_PASS_CLEAN, "its end is now");
	meets(&other, SHIELD_DROP_RULE, "the other's is not");
	assert_int_equal(shield_renew_rule(the.shield, number, SHIELD_NEVER, &error), -ENOENT);
	assert_int_equal(shield_renew_rule(the.shield, number + 7, SHIELD_NEVER, &error), -ENOENT);
	assert_int_equal(shield_sweep_rules(the.shield, jiffies(), &swept), 0);
	assert_int_equal(shield_add_rule(the.shield, &rule, &making, &none, &error), -EINVAL);
}

/* Of a conversation that this host answered: what it sends, and what comes back. */
static void answer(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct packet out = udp(src, dst, src_port, dst_port);
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };

	options.data_in = out.octets;
	options.data_size_in = (uint32_t)out.length;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(the.shield->programs->progs.shield_egress), &options),
	                 0);
}

static void an_answered_conversation_is_spared(void **state)
{
	struct packet p = udp("198.51.100.9", "192.0.2.10", 4000, 53),
		      other = udp("198.51.100.9", "192.0.2.10", 4001, 53);
	struct shield_making making = { .expires = SHIELD_NEVER, .spare = true };
	struct shield_flow_key key = { .src_port = 4000, .dst_port = 53, .protocol = 17 };
	int flows = the.shield ? shield_maps(the.shield)->fd[SHIELD_MAP_FLOWS] : -1;
	struct shield_rule_count count;
	struct shield_flow flow;
	uint32_t number;
	unsigned passed;

	(void)state;
	NEED_SHIELD;
	begin();
	memcpy(key.src, prefix("198.51.100.9/32").address.octets, sizeof(key.src));
	memcpy(key.dst, prefix("192.0.2.10/32").address.octets, sizeof(key.dst));
	number = make_rule("::/0", "udp", RULE_DROP, 0, &making);
	assert_true(told_of(number).spare);
	meets(&p, SHIELD_DROP_RULE, "nobody has answered");
	answer("192.0.2.10", "198.51.100.9", 53, 4000);
	meets(&p, SHIELD_PASS_ANSWERED, "answered");
	meets(&other, SHIELD_DROP_RULE, "another conversation");
	count = count_of(number);
	assert_int_equal(count.matched.packets, 3);
	assert_int_equal(count.answered.packets, 1);
	assert_int_equal(count.spared.packets, 1);
	assert_int_equal(count.spared.octets, p.length);
	assert_int_equal(count.dropped.packets, 2);
	/* No more than its rate. */
	passed = passing_buckets(&p, 2000, SHIELD_SPARE_PPS - 1, SHIELD_SPARE_PPS, SHIELD_SPARE_PPS);
	count = count_of(number);
	assert_int_equal(count.answered.packets, 2001);
	assert_int_equal(count.spared.packets, passed + 1);
	assert_int_equal(count.dropped.packets, 2002 - passed);
	/* What was said long ago does not count. */
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), 0);
	flow.spare = 0;
	flow.last = jiffies() - seconds(SHIELD_SPARE_IDLE_S + 1);
	assert_int_equal(bpf_map_update_elem(flows, &key, &flow, BPF_ANY), 0);
	meets(&p, SHIELD_DROP_RULE, "silent for long");
	answer("192.0.2.10", "198.51.100.9", 53, 4000);
	meets(&p, SHIELD_PASS_ANSWERED, "answered again");
	/* In the shadow it tells what it would hit, and decides nothing. */
	begin();
	making.shadow = true;
	number = make_rule("::/0", "udp", RULE_DROP, 0, &making);
	(void)add_rule("::/0", "udp and dst port 53", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&p, SHIELD_DROP_RULE, "a rule behind it does not spare");
	count = count_of(number);
	assert_int_equal(count.answered.packets, 1);
	assert_int_equal(count.dropped.packets, 0);
	assert_int_equal(bpf_map_delete_elem(flows, &key), 0);
}

/* ---- known sources ---- */

static uint64_t name_of(unsigned service)
{
	static struct shield_services table;
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(shield_maps(the.shield)->fd[SHIELD_MAP_SERVICES], &zero, &table), 0);
	return table.names[service];
}

/* The line where a source of a service stands, and its hash. */
static uint64_t known_line(const uint8_t src[16], unsigned service, uint32_t *number, struct shield_known *line)
{
	__u64 word[2];
	uint64_t hash;

	memcpy(word, src, sizeof(word));
	hash = shield_known_hash(the.shield->config->seed, name_of(service), word);
	*number = (uint32_t)hash & (SHIELD_KNOWN_LINES - 1);
	assert_int_equal(bpf_map_lookup_elem(shield_maps(the.shield)->fd[SHIELD_MAP_KNOWN], number, line), 0);
	return hash;
}

static uint32_t tick_ago(unsigned ago_s)
{
	return shield_known_tick(jiffies() - seconds(ago_s), shield_pace(the.shield).hz);
}

/* As if the source had come first and last in these ticks. */
static void make_known_at(const uint8_t src[16], unsigned service, uint32_t first, uint32_t last)
{
	struct shield_known line;
	uint32_t number;
	uint64_t hash = known_line(src, service, &number, &line);
	unsigned lane = 0;

	while (lane < SHIELD_KNOWN_LANES && line.lane[lane] && !SHIELD_KNOWN_IS(line.lane[lane], hash))
		lane++;
	assert_true(lane < SHIELD_KNOWN_LANES);
	line.lane[lane] = SHIELD_KNOWN(hash, first, last);
	assert_int_equal(bpf_map_update_elem(shield_maps(the.shield)->fd[SHIELD_MAP_KNOWN], &number, &line, BPF_ANY),
	                 0);
}

/* … so long ago. */
static void make_known(const uint8_t src[16], unsigned service, unsigned first_s, unsigned last_s)
{
	make_known_at(src, service, tick_ago(first_s), tick_ago(last_s));
}

static bool is_noted_at(const struct address *src, unsigned service)
{
	struct shield_known line;
	uint32_t number;
	uint64_t hash = known_line(src->octets, service, &number, &line);
	bool noted = false;

	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		noted = noted || SHIELD_KNOWN_IS(line.lane[i], hash);
	return noted;
}

static bool is_noted(const char *src, unsigned service)
{
	struct prefix from = prefix(src);

	return is_noted_at(&from.address, service);
}

static void forget_known(void)
{
	static const struct shield_known none;

	for (uint32_t i = 0; i < SHIELD_KNOWN_LINES; i++)
		assert_int_equal(bpf_map_update_elem(shield_maps(the.shield)->fd[SHIELD_MAP_KNOWN], &i, &none, BPF_ANY),
		                 0);
}

/* Two services, the first of TCP 80 and UDP 53, the second of UDP 123. */
static void serve_two(bool other_way)
{
	static const uint16_t web = 80, dns = 53, ntp = 123;
	const struct prefix here[] = { prefix("192.0.2.10/32"), prefix("2001:db8::10/128") };
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

	begin();
	shield_freeze(the.shield, 0, 0);
	assert_int_equal(shield_set_services(the.shield, other_way ? turned : services, 2, &error), 0);
}

/* The site says something over TCP. */
static void site_sends(const char *to, uint8_t flags)
{
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, "192.0.2.10", to);
	packet_tcp(&p, 80, 40000, flags, 1024, NULL, 0);
	packet_end(&p);
	options.data_in = p.octets;
	options.data_size_in = (uint32_t)p.length;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(the.shield->programs->progs.shield_egress), &options),
	                 0);
}

static void who_is_answered_in_peace_becomes_known(void **state)
{
	enum { SYN = 2, ACK = 16 };

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	forget_known();
	answer("192.0.2.10", "198.51.100.20", 53, 5000);
	assert_true(is_noted("198.51.100.20/32", 0));
	assert_false(is_noted("198.51.100.20/32", 1));
	answer("2001:db8::10", "2001:db8:9:9::20", 53, 5000);
	assert_true(is_noted("2001:db8:9:9:7::1/128", 0));
	/* A SYN that is answered makes nobody known, a handshake that was completed does. */
	site_sends("198.51.100.21", SYN | ACK);
	assert_false(is_noted("198.51.100.21/32", 0));
	site_sends("198.51.100.21", ACK);
	assert_true(is_noted("198.51.100.21/32", 0));
	/* Whom the host itself asks is no source of a service. */
	answer("192.0.2.10", "198.51.100.22", 40000, 53);
	assert_false(is_noted("198.51.100.22/32", 0));
	/* Nobody under attack, and of that service only. */
	shield_freeze(the.shield, 1, jiffies() + seconds(60));
	answer("192.0.2.10", "198.51.100.23", 53, 5000);
	answer("192.0.2.10", "198.51.100.23", 123, 5000);
	assert_false(is_noted("198.51.100.23/32", 0));
	assert_true(is_noted("198.51.100.23/32", 1));
	/* Whoever began under attack is not known for going on. */
	shield_freeze(the.shield, 0, 0);
	answer("192.0.2.10", "198.51.100.23", 53, 5000);
	assert_false(is_noted("198.51.100.23/32", 0));
	answer("192.0.2.10", "198.51.100.23", 53, 5001);
	assert_true(is_noted("198.51.100.23/32", 0));
	/* By its name a service knows its sources wherever it stands. */
	serve_two(true);
	assert_true(is_noted("198.51.100.20/32", 1));
	assert_false(is_noted("198.51.100.20/32", 0));
}

/*
 * Of when a source came first only the tick is known: it counts from the tick's end on, for it may have come with its
 * last jiffy. The bound is that of the attack's beginning, so it stays where it is however long this takes.
 */
static void a_source_is_known_from_the_end_of_its_tick(void **state)
{
	struct packet user = udp("198.51.100.30", "192.0.2.10", 4000, 53);
	struct prefix from = prefix("198.51.100.30/32");
	struct shield_making making = { .expires = SHIELD_NEVER, .known = true };
	uint64_t begin, tick;
	uint32_t hz, first;

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	forget_known();
	hz = shield_pace(the.shield).hz;
	tick = 1ULL << shield_known_shift(hz);
	begin = (jiffies() - seconds(600)) / tick * tick; /* a tick begins */
	first = shield_known_tick(begin, hz);
	assert_int_equal(shield_known_tick(begin + tick - 1, hz), first);
	(void)make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	shield_freeze(the.shield, 1, jiffies() + seconds(60));
	for (unsigned last = 0; last < 2; last++) {
		/* What counts is that moment: the first jiffy of a tick, and its last. */
		the.shield->config->freezes[0].since = begin + (last ? tick - 1 : 0) + seconds(SHIELD_KNOWN_LEAD_S);
		make_known_at(from.address.octets, 0, first + 1, tick_ago(0));
		meets(&user, SHIELD_DROP_RULE, "in the tick behind");
		make_known_at(from.address.octets, 0, first, tick_ago(0));
		meets(&user, SHIELD_DROP_RULE, "in the same tick");
		make_known_at(from.address.octets, 0, first - 1, tick_ago(0));
		meets(&user, SHIELD_PASS_KNOWN, "in the tick before");
	}
	/* With the jiffy behind it the tick is over. */
	the.shield->config->freezes[0].since = begin + tick + seconds(SHIELD_KNOWN_LEAD_S);
	make_known_at(from.address.octets, 0, first, tick_ago(0));
	meets(&user, SHIELD_PASS_KNOWN, "its tick has ended");
	shield_freeze(the.shield, 0, 0);
}

static void a_known_source_passes_what_others_do_not(void **state)
{
	struct packet user = udp("198.51.100.30", "192.0.2.10", 4000, 53),
		      stranger = udp("198.51.100.31", "192.0.2.10", 4000, 53),
		      elsewhere = udp("198.51.100.30", "192.0.2.10", 4000, 123);
	const uint8_t *src = NULL;
	struct prefix from = prefix("198.51.100.30/32");
	struct shield_making making = { .expires = SHIELD_NEVER, .known = true };
	struct shield_rule_count count;
	uint32_t number;
	unsigned passed;

	(void)state;
	NEED_SHIELD;
	src = from.address.octets;
	serve_two(false);
	forget_known();
	number = make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	assert_true(told_of(number).known);
	meets(&user, SHIELD_DROP_RULE, "nobody is known");
	make_known(src, 0, 3600, 60);
	meets(&user, SHIELD_PASS_KNOWN, "known");
	meets(&stranger, SHIELD_DROP_RULE, "not known");
	meets(&elsewhere, SHIELD_DROP_RULE, "known to another service");
	count = count_of(number);
	assert_int_equal(count.matched.packets, 4);
	assert_int_equal(count.known.packets, 1);
	assert_int_equal(count.dropped.packets, 3);
	make_known(src, 0, SHIELD_KNOWN_S + 600, SHIELD_KNOWN_S + 60);
	meets(&user, SHIELD_DROP_RULE, "known long ago");
	make_known(src, 0, 2, 0);
	meets(&user, SHIELD_DROP_RULE, "known for a moment");
	make_known(src, 0, SHIELD_KNOWN_LEAD_S + 20, 0);
	meets(&user, SHIELD_PASS_KNOWN, "known for long enough");
	/* Under attack it counts who came before that. */
	shield_freeze(the.shield, 1, jiffies() + seconds(60));
	meets(&user, SHIELD_PASS_KNOWN, "known before the attack");
	the.shield->config->freezes[0].since = jiffies() - seconds(60);
	meets(&user, SHIELD_DROP_RULE, "since the attack");
	make_known(src, 0, SHIELD_KNOWN_LEAD_S + 80, 0);
	meets(&user, SHIELD_PASS_KNOWN, "since before the attack");
	/* A freeze that is renewed began when it began. */
	shield_freeze(the.shield, 1, jiffies() + seconds(90));
	assert_true(the.shield->config->freezes[0].since <= jiffies() - seconds(60));
	shield_freeze(the.shield, 0, 0);

	/* No more than its own. */
	serve_two(false);
	make_known(src, 0, 3600, 0);
	making.source_pps = 20;
	number = make_rule("192.0.2.10/32", "udp", RULE_RATE_LIMIT, 10, &making);
	passed = passing_buckets(&user, 200, 20, 20, 20);
	count = count_of(number);
	assert_int_equal(count.known.packets, passed);
	assert_int_equal(count.known_lost.packets, 200 - passed);
	assert_int_equal(count.dropped.packets, 200 - passed);
	/* All others share the rule's. */
	meets(&stranger, SHIELD_PASS_RULE, "within the rate of all others");
	(void)passing(&stranger, 50);
	meets_emptied(&stranger, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above it");

	/* It stands behind all others, and in the shadow only counts. */
	serve_two(false);
	making = (struct shield_making){ .expires = SHIELD_NEVER, .known = true };
	(void)make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	(void)add_rule("192.0.2.10/32", "udp and src port 4000", RULE_DROP, 0, false, SHIELD_NEVER);
	meets(&user, SHIELD_DROP_RULE, "a rule that was made later stands before it");
	serve_two(false);
	making.shadow = true;
	number = make_rule("192.0.2.10/32", "udp", RULE_DROP, 0, &making);
	would_meet(&stranger, SHIELD_DROP_RULE, "in the shadow");
	assert_int_equal(fate_of(&user).reason, SHIELD_PASS_KNOWN);
	assert_int_equal(count_of(number).known.packets, 1);
}

static void each_source_has_its_own_limit(void **state)
{
	struct packet one = udp("198.51.100.40", "192.0.2.10", 4000, 53),
		      two = udp("198.51.100.41", "192.0.2.10", 4000, 53);
	struct shield_making making = { .expires = SHIELD_NEVER, .each = true };
	struct prefix from = prefix("198.51.100.41/32");
	struct shield_rule_count of_one, count;
	unsigned passed, known;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	serve_two(false);
	forget_known();
	make_known(from.address.octets, 0, 3600, 0);
	number = make_rule("192.0.2.10/32", "udp", RULE_RATE_LIMIT, 20, &making);
	assert_true(told_of(number).each);
	passed = passing_buckets(&one, 200, 20, 20, 20);
	meets_emptied(&one, SHIELD_PASS_RULE, SHIELD_DROP_RATE, "above its own");
	of_one = count_of(number);
	assert_int_equal(of_one.dropped.packets, 201 - passed);
	known = passing_buckets(&two, 200, 20, 20, 20);
	count = count_of(number);
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
	forget_known();
	name = name_of(0);
	for (uint32_t i = 0; found < MANY && i < 1u << 26; i++) {
		struct address from = { .octets = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(i >> 24), (uint8_t)(i >> 16),
			                            (uint8_t)(i >> 8), (uint8_t)i, [15] = 1 } };
		struct source *source = &sources[found];
		__u64 word[2];

		memcpy(word, from.octets, sizeof(word));
		number = (uint32_t)shield_known_hash(the.shield->config->seed, name, word) & (SHIELD_KNOWN_LINES - 1);
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
		make_known(sources[i].address.octets, 0, 4000 + i, i < AGAIN ? 3000 : 4000 + i);
	for (unsigned i = SHIELD_KNOWN_LANES; i < MANY; i++) {
		answer("2001:db8::10", sources[i].text, 53, (uint16_t)(5000 + i));
		assert_true(is_noted_at(&sources[i].address, 0));
	}
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		assert_int_equal(is_noted_at(&sources[i].address, 0), i < AGAIN);
	assert_int_equal(bpf_map_lookup_elem(shield_maps(the.shield)->fd[SHIELD_MAP_KNOWN], &wanted, &line), 0);
	for (unsigned i = 0; i < SHIELD_KNOWN_LANES; i++)
		assert_int_not_equal(line.lane[i], 0);
	forget_known();
}

static void some_pass_as_probes(void **state)
{
	enum { ROUNDS = 40, EACH = 3000, MANY = 400000 };
	struct packet p = udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .probe = true };
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = MANY };
	struct shield_rule_count count, more;
	struct taken taken = { .count = 0 };
	struct samples *samples;
	unsigned passed = 0, probes = 0;
	uint64_t began;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_int_equal(samples_new(shield_maps(the.shield)->fd[SHIELD_MAP_SAMPLES], takes, &taken, &samples), 0);
	number = make_rule("::/0", "udp", RULE_DROP, 0, &making);
	assert_true(told_of(number).probe);
	(void)samples_read(samples);
	taken.count = 0;
	/* Paced, so that their rate is not what holds them back. */
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < EACH; k++)
			if (run(p.octets, p.length) == XDP_PASS) {
				passed++;
				assert_true(samples_read(samples) >= 0);
				assert_int_equal(taken.last.reason, SHIELD_PASS_PROBE);
				assert_int_equal(taken.last.flags, SHIELD_SAMPLE_PROBE | SHIELD_SAMPLE_ENFORCED);
				assert_int_equal(taken.last.weight, 1);
				assert_int_equal(taken.last.rule, told_of(number).counter);
				probes++;
			}
		(void)samples_read(samples);
		wait_ms(30);
	}
	count = count_of(number);
	assert_int_equal(count.matched.packets, ROUNDS * EACH);
	assert_int_equal(count.probes.packets, passed);
	assert_int_equal(probes, passed);
	assert_int_equal(count.dropped.packets, ROUNDS * EACH - passed);
	assert_int_equal(count.completed.packets, 0);
	assert_in_range(passed, ROUNDS * EACH / SHIELD_PROBE_INTERVAL * 3 / 4,
	                ROUNDS * EACH / SHIELD_PROBE_INTERVAL * 5 / 4);
	/* At full speed, no more than so many a second. */
	options.data_in = p.octets;
	options.data_size_in = (uint32_t)p.length;
	began = jiffies();
	assert_int_equal(bpf_prog_test_run_opts(the.program, &options), 0);
	more = count_of(number);
	assert_int_equal(more.matched.packets, count.matched.packets + MANY);
	assert_in_range(more.probes.packets - count.probes.packets, 20,
	                SHIELD_PROBE_PPS / 10 + (jiffies() + 2 - began) * SHIELD_PROBE_PPS / seconds(1) + 1);
	samples_free(samples);
}

static struct packet tcp_from(uint16_t port, uint8_t flags, bool outgoing)
{
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, outgoing ? "192.0.2.10" : "198.51.100.9", outgoing ? "198.51.100.9" : "192.0.2.10");
	packet_tcp(&p, outgoing ? 80 : port, outgoing ? port : 80, flags, 1024, NULL, 0);
	packet_end(&p);
	return p;
}

/* Sends SYNs from one port after another until one is let through: its port. */
static uint16_t probed_port(uint16_t from)
{
	for (unsigned port = from; port < from + 8000u; port++) {
		struct packet syn = tcp_from((uint16_t)port, 2, false);

		if (run(syn.octets, syn.length) == XDP_PASS)
			return (uint16_t)port;
	}
	fail_msg("no probe in 8000 packets");
	return 0;
}

static void sends(uint16_t port, uint8_t flags)
{
	struct packet p = tcp_from(port, flags, true);
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };

	options.data_in = p.octets;
	options.data_size_in = (uint32_t)p.length;
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(the.shield->programs->progs.shield_egress), &options),
	                 0);
}

/* Whose SYN was let through can complete the handshake, and that is counted once; nobody else's packets follow it. */
static void a_probe_may_complete_its_handshake(void **state)
{
	enum { SYN = 2, RST = 4, ACK = 16 };
	struct shield_making making = { .expires = SHIELD_NEVER, .probe = true, .spare = true };
	uint32_t number;
	struct packet p;
	uint16_t port;
	unsigned passed;

	(void)state;
	NEED_SHIELD;
	begin();
	number = make_rule("::/0", "src net 198.51.100.0/24", RULE_DROP, 0, &making);
	port = probed_port(1024);
	p = tcp_from((uint16_t)(port ^ 1), ACK, false);
	meets(&p, SHIELD_DROP_RULE, "of another conversation");
	sends(port, SYN | ACK);
	assert_int_equal(count_of(number).completed.packets, 0);
	p = tcp_from(port, ACK, false);
	meets(&p, SHIELD_PASS_PROBE, "it answers the host's SYN");
	assert_int_equal(count_of(number).probes.packets, 1);
	sends(port, ACK);
	assert_int_equal(count_of(number).completed.packets, 1);
	sends(port, ACK);
	assert_int_equal(count_of(number).completed.packets, 1);
	meets(&p, SHIELD_PASS_ANSWERED, "from then on it is one that was answered");

	/* One that is refused has completed nothing. */
	port = probed_port(10024);
	sends(port, RST | ACK);
	assert_int_equal(count_of(number).completed.packets, 1);
	/* What follows a SYN is bounded. */
	p = tcp_from(port, ACK, false);
	passed = passing(&p, 50);
	assert_in_range(passed, SHIELD_PROBED_PACKETS, SHIELD_PROBED_PACKETS + 3);
	/* What nobody let through is no probe. */
	sends(20000, ACK);
	assert_int_equal(count_of(number).completed.packets, 1);

	/* In the shadow all pass; probes are counted all the same, and what becomes of them. */
	begin();
	making.shadow = true;
	number = make_rule("::/0", "src net 198.51.100.0/24", RULE_DROP, 0, &making);
	for (unsigned i = 0; count_of(number).probes.packets == 0; i++) {
		assert_true(i < 8000);
		port = (uint16_t)(30000 + i);
		p = tcp_from(port, SYN, false);
		assert_int_equal(run(p.octets, p.length), XDP_PASS);
	}
	sends(port, SYN | ACK);
	p = tcp_from(port, ACK, false);
	meets(&p, SHIELD_PASS_PROBE, "it follows its SYN");
	sends(port, ACK);
	assert_int_equal(count_of(number).completed.packets, 1);
}

/* Who is within the limit per source is not exempted from it by a rule that only counts. */
static void what_only_counts_exempts_from_nothing(void **state)
{
	const struct prefix net = prefix("192.0.2.0/24");
	const struct shield_service service = { .name = "all", .prefixes = &net, .prefix_count = 1, .source_pps = 10 };
	struct packet p = udp("203.0.113.99", "192.0.2.10", 5, 4000);
	struct shield_error error;

	(void)state;
	NEED_SHIELD;
	begin();
	assert_int_equal(shield_set_services(the.shield, &service, 1, &error), 0);
	(void)add_rule("::/0", "udp", RULE_NONE, 0, false, SHIELD_NEVER);
	(void)add_rule("::/0", "udp", RULE_DROP, 0, true, SHIELD_NEVER);
	(void)passing_buckets(&p, 100, 10, 10, 10);
	meets_emptied(&p, SHIELD_PASS_CLEAN, SHIELD_DROP_SOURCE, "above its limit");
}

/* ---- twins ---- */

/* Blocks of all lengths, nested, coming and going: the kernel drops what blocks_find() finds. */
static void blocks_hold_as_they_are_listed(void **state)
{
	enum { PREFIXES = 1500, STEPS = 30000 };
	static struct prefix listed[PREFIXES];
	unsigned found = 0, count = 0;

	(void)state;
	NEED_SHIELD;
	begin();
	for (unsigned step = 0; step < STEPS; step++) {
		bool ipv4 = packet_random(&the.random, 2);
		char src[ADDRESS_TEXT_SIZE];
		struct address address;
		struct prefix around;
		uint64_t expires;
		struct packet p;
		bool hit;

		if (ipv4) {
			const uint8_t octets[4] = { 198, (uint8_t)(18 + packet_random(&the.random, 2)),
				                    (uint8_t)packet_random(&the.random, 4),
				                    (uint8_t)packet_random(&the.random, 16) };

			address = address_from_ipv4(octets);
		} else {
			uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8 };

			for (unsigned i = 4; i < 16; i++)
				octets[i] = (uint8_t)packet_random(&the.random, 2);
			address = address_from_ipv6(octets);
		}
		if (step % 4 == 0) {
			unsigned longest = ipv4 ? 32 : 128,
				 at = count < PREFIXES ? count : packet_random(&the.random, PREFIXES);

			if (at < count)
				(void)blocks_remove(the.blocks, &listed[at], jiffies());
			else
				count++;
			/* Long ones more often, or all would be blocked. */
			listed[at] = prefix_of(&address, packet_random(&the.random, 16)
			                                         ? longest - packet_random(&the.random, 12)
			                                         : 13 + packet_random(&the.random, longest - 12));
			assert_int_equal(blocks_add(the.blocks, &listed[at], jiffies(), jiffies() + seconds(600)), 0);
			if (packet_random(&the.random, 8) == 0)
				(void)blocks_sweep(the.blocks, jiffies(), 64);
			continue;
		}
		address_format(&address, src);
		p = udp(src, ipv4 ? "192.0.2.10" : "2001:db8::10", 1, 2);
		hit = blocks_find(the.blocks, &address, jiffies(), &around, &expires) == 0;
		found += hit;
		if ((run(p.octets, p.length) == XDP_DROP) != hit)
			fail_msg("%s: the list says %d", src, hit);
	}
	assert_in_range(found, STEPS / 20, STEPS * 3 / 4);
	for (unsigned i = 0; i < count; i++)
		(void)blocks_remove(the.blocks, &listed[i], jiffies());
}

/* Of these none is taken out of the list, while it changes around them as fast as it can. */
enum { STANDING = 400, COMING = 6000 };

static struct {
	struct packet packets[STANDING];
	unsigned long looked, missed, broken;
	bool stop;
} watched;

static void *watch(void *context)
{
	(void)context;
	while (!__atomic_load_n(&watched.stop, __ATOMIC_RELAXED))
		for (unsigned i = 0; i < STANDING; i++) {
			struct bpf_test_run_opts options = {
				.sz = sizeof(options),
				.data_in = watched.packets[i].octets,
				.data_size_in = (uint32_t)watched.packets[i].length,
				.repeat = 1,
			};

			watched.broken += bpf_prog_test_run_opts(the.program, &options) != 0;
			watched.missed += options.retval != XDP_DROP;
			watched.looked++;
		}
	return NULL;
}

static struct prefix numbered(unsigned number, bool ipv4)
{
	const uint8_t octets4[4] = { 198, (uint8_t)(18 + (number >> 16 & 1)), (uint8_t)(number >> 8), (uint8_t)number };
	uint8_t octets6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 9, (uint8_t)(number >> 8), (uint8_t)number };
	struct address address = ipv4 ? address_from_ipv4(octets4) : address_from_ipv6(octets6);

	return prefix_of(&address, ipv4 ? 32 : 64);
}

static void what_is_blocked_stays_so_while_the_list_changes(void **state)
{
	char src[ADDRESS_TEXT_SIZE];
	struct prefix what;
	pthread_t thread;
	uint64_t expires;

	(void)state;
	NEED_SHIELD;
	begin();
	expires = jiffies() + seconds(600);
	/* Half of them came when the tables were full of others, and so stand away from their homes. */
	for (unsigned i = 0; i < COMING; i++) {
		what = numbered(i, i % 2);
		(void)blocks_add(the.blocks, &what, jiffies(), expires);
		if (i % (COMING / STANDING) == 0 && i / (COMING / STANDING) < STANDING) {
			what = numbered(COMING + i, i % 4 < 2);
			assert_int_equal(blocks_add(the.blocks, &what, jiffies(), expires), 0);
			address_format(&what.address, src);
			watched.packets[i / (COMING / STANDING)] =
				udp(src, what.is_ipv4 ? "192.0.2.10" : "2001:db8::10", 1, 2);
		}
	}
	assert_int_equal(pthread_create(&thread, NULL, watch, NULL), 0);
	for (unsigned i = 0; i < 600000; i++) {
		unsigned number = packet_random(&the.random, COMING);

		what = numbered(number, number % 2);
		if (packet_random(&the.random, 2))
			(void)blocks_add(the.blocks, &what, jiffies(), expires);
		else
			(void)blocks_remove(the.blocks, &what, jiffies());
		if (i % 16 == 0)
			(void)blocks_sweep(the.blocks, jiffies(), 4);
	}
	__atomic_store_n(&watched.stop, true, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%lu times looked up\n", watched.looked);
	assert_true(watched.looked > STANDING);
	assert_int_equal(watched.broken, 0);
	assert_int_equal(watched.missed, 0);
	for (unsigned i = 0; i < 2 * COMING; i++) {
		what = numbered(i, i % 2);
		(void)blocks_remove(the.blocks, &what, jiffies());
		what = numbered(i, i % 4 < 2);
		(void)blocks_remove(the.blocks, &what, jiffies());
	}
}

/* More prefixes than their bucket has lanes for, and one that no lane can have; and some that are not listed. */
static void a_crowded_bucket_holds_them_all(void **state)
{
	enum { CROWD = 60 };
	const struct shield_maps *maps;
	struct shield_block_state *shared;
	struct lanes lanes;
	unsigned count = 0;

	(void)state;
	NEED_SHIELD;
	begin();
	maps = shield_maps(the.shield);
	shared = mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, maps->fd[SHIELD_MAP_BLOCK_STATE], 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	lanes.state = shared;
	lanes_init(&lanes);
	for (unsigned listing = 0; listing < 3; listing++)
		for (uint32_t remainder = 0; remainder < 4 * CROWD; remainder++) {
			uint64_t code = lanes_code_at(&lanes, 4711, remainder);
			const uint8_t octets[4] = { (uint8_t)(code >> 25), (uint8_t)(code >> 17), (uint8_t)(code >> 9),
				                    (uint8_t)(code >> 1) };
			struct address address = address_from_ipv4(octets);
			struct prefix host = prefix_of(&address, 32);
			char src[ADDRESS_TEXT_SIZE];
			struct packet p;
			bool listed;

			if (code % 2 == 0) /* not of a single address */
				continue;
			listed = remainder < 2 * CROWD;
			if (listed && listing == 0) {
				assert_int_equal(blocks_add(the.blocks, &host, jiffies(), jiffies() + seconds(60)), 0);
				count++;
			}
			address_format(&address, src);
			p = udp(src, "192.0.2.10", 1, 2);
			if (listing == 1)
				meets(&p, listed ? SHIELD_DROP_BLOCK : SHIELD_PASS_CLEAN, src);
			if (listed && listing == 2) {
				assert_int_equal(blocks_remove(the.blocks, &host, jiffies()), 0);
				meets(&p, SHIELD_PASS_CLEAN, src);
			}
		}
	assert_in_range(count, 2 * SHIELD_BLOCK4_LANES, 2 * CROWD);
	assert_int_equal(munmap(shared, sizeof(*shared)), 0);
}

/* How far the kernel's timer is, by the pinned map. */
static uint64_t swept_tick(void)
{
	uint64_t value[2 + sizeof(struct shield_sweep) / sizeof(uint64_t)]; /* behind the timer */
	struct shield_sweep sweep;
	char path[sizeof(the.dir) + 32];
	uint32_t key = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/block_sweep", the.dir);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, value), 0);
	close(fd);
	memcpy(&sweep, value + 2, sizeof(sweep));
	return sweep.tick;
}

static unsigned stale_buckets(void)
{
	const struct shield_maps *maps = shield_maps(the.shield);
	struct shield_swept4 swept;
	unsigned stale = 0;

	for (uint32_t line = 0; bpf_map_lookup_elem(maps->fd[SHIELD_MAP_BLOCK4_SWEPT], &line, &swept) == 0; line++)
		for (unsigned i = 0; i < SHIELD_BLOCK4_GROUPS; i++)
			stale += (unsigned)__builtin_popcountll(swept.stale[i]);
	return stale;
}

static unsigned tick_shift(void)
{
	struct shield_block_state made;

	blocks_begin(CAPACITY, shield_pace(the.shield).hz, 0, &made);
	return made.tick_shift;
}

/*
 * To the tick, while the timer goes through the table, too: no packet is dropped in a tick in which its block has
 * ended.
 */
static void a_block_ends_with_its_tick(void **state)
{
	enum { BLOCKS = 8, STEPS_MAX = 8000 };
	uint64_t ends[BLOCKS], began, per_tick;
	struct packet packets[BLOCKS];
	unsigned dropped = 0, passed = 0, step = 0;

	(void)state;
	NEED_SHIELD;
	begin();
	(void)blocks_sweep(the.blocks, jiffies(), UINT32_MAX);
	per_tick = 1ULL << tick_shift();
	began = jiffies();
	for (unsigned i = 0; i < BLOCKS; i++) {
		char src[ADDRESS_TEXT_SIZE];

		(void)snprintf(src, sizeof(src), "198.51.100.%u", i);
		packets[i] = udp(src, "192.0.2.10", 1, 2);
		ends[i] = (began + i * per_tick / 2 + 1 + per_tick - 1) / per_tick * per_tick;
		block(src, began + i * per_tick / 2 + 1);
	}
	for (; step < STEPS_MAX && jiffies() < ends[BLOCKS - 1] + per_tick; step++) {
		unsigned i = step % BLOCKS;
		uint64_t before = jiffies();
		bool drops = run(packets[i].octets, packets[i].length) == XDP_DROP;
		uint64_t after = jiffies();

		dropped += drops;
		passed += !drops;
		/* What is read here may be a jiffy beside what the kernel has. */
		if (after + 1 < ends[i] && !drops)
			fail_msg("block %u has ended %d jiffies too early", i, (int)(ends[i] - after));
		if (before > ends[i] + 1 && drops)
			fail_msg("block %u has ended %d jiffies ago", i, (int)(before - ends[i]));
		wait_ms(1);
	}
	assert_true(dropped > BLOCKS && passed > BLOCKS);
	wait_ms(100);
	assert_int_equal(stale_buckets(), BLOCKS); /* they stand there yet, and the kernel knows */
	assert_int_equal(blocks_sweep(the.blocks, jiffies(), UINT32_MAX), BLOCKS);
	wait_ms(800);
	assert_int_equal(stale_buckets(), 0);
}

/* Nobody has the shield open, and its timer runs; who takes it over finds what has been blocked, and what has ended. */
static void the_timer_runs_on_alone(void **state)
{
	struct packet soon = udp("198.51.100.1", "192.0.2.10", 1, 2), late = udp("198.51.100.2", "192.0.2.10", 1, 2);
	const struct prefix second = prefix("198.51.100.2");
	struct shield_maps maps;
	struct blocks *engine;
	struct prefix found;
	uint64_t before, expires;

	(void)state;
	NEED_SHIELD;
	begin();
	block("198.51.100.1", jiffies() + 1);
	block("198.51.100.2", jiffies() + seconds(60));
	meets(&late, SHIELD_DROP_BLOCK, "a block");
	before = swept_tick();
	blocks_free(the.blocks);
	shield_close(the.shield);
	wait_ms(1300);
	assert_true(swept_tick() >= before + 2);
	assert_int_equal(opened(state), 0);
	assert_non_null(the.shield);
	shield_set_mode(the.shield, true, SHIELD_NEVER);
	meets(&soon, SHIELD_PASS_CLEAN, "a block that has ended");
	meets(&late, SHIELD_DROP_BLOCK, "a block");
	/* As the engine has them: some read-only. */
	assert_int_equal(shield_maps_for_engine(the.dir, &maps), 0);
	assert_int_equal(blocks_new(&maps, &engine), 0);
	assert_int_equal(blocks_find(engine, &second.address, jiffies(), &found, &expires), 0);
	assert_true(prefix_equal(&found, &second));
	blocks_free(engine);
	shield_maps_close(&maps);
	before = swept_tick();
	wait_ms(1300);
	assert_true(swept_tick() >= before + 2); /* by the new program, now */
	release("198.51.100.2");
}

/* Frames to hold rules against: made of layers, of real captures where there are some, and both with octets changed. */
enum { POOL = 2000 };
static struct {
	uint8_t octets[FRAME_MAX];
	uint32_t length;
	struct observation observation;
	bool readable; /* observation is filled, and the parser is to say the same */
} * pool;

static void keep_frame(unsigned at, const uint8_t *data, uint32_t length)
{
	struct shield_key key, wanted_key;
	enum shield_reason is, wanted;
	enum decode_result result;

	pool[at].length = length < FRAME_MAX ? length : FRAME_MAX;
	memcpy(pool[at].octets, data, pool[at].length);
	result = outer_decode(pool[at].octets, pool[at].length, &pool[at].observation);
	pool[at].readable = decode_hits_target(result);
	is = outer_parse(pool[at].octets, pool[at].length, SHIELD_NEED_OPTIONS | SHIELD_NEED_PAYLOAD, &key);
	wanted = outer_expected(result, &pool[at].observation, &wanted_key);
	if (outer_difference(is, &key, wanted, &wanted_key)) /* parser_truth is about that */
		pool[at].length = 0;
}

static unsigned keep_captures(unsigned at, unsigned until)
{
	static const char *const names[] = {
		"malformed/the-tcpdump-group+tcpdump/tests/02-sunrise-sunset-esp.pcap",
		"malformed/the-tcpdump-group+tcpdump/tests/of10_s4810.pcap",
		"benign/ntop+nDPI/pcap/zabbix.pcap",
		"benign/ntop+nDPI/pcap/iphone.pcap",
		"benign/ntop+nDPI/pcap/stun_signal.pcapng",
		"benign/ntop+nDPI/pcap/youtube_quic.pcap",
	};
	const char *data = getenv("HOLDFAST_DATA");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned quota = at + (until - at) / (unsigned)(sizeof(names) / sizeof(names[0]) - i);
		char path[1024], error[CAPTURE_ERROR_SIZE];
		struct capture_record record;
		struct capture *capture;
		enum capture_kind kind;

		(void)snprintf(path, sizeof(path), "%s/%s", data ? data : "../shared/data", names[i]);
		capture = capture_open(path, error);
		if (!capture)
			continue;
		while (at < quota && (kind = capture_next(capture, &record)) != CAPTURE_END)
			if (kind == CAPTURE_PACKET && record.link_type == 1)
				keep_frame(at++, record.data, record.captured);
		capture_close(capture);
	}
	return at;
}

static void fill_pool(void)
{
	unsigned count = 0, whole;

	pool = calloc(POOL, sizeof(*pool));
	assert_non_null(pool);
	for (unsigned i = 0; i < 8 * LAYERS; i++) {
		struct packet p = layered((enum layers)(i % LAYERS));

		for (unsigned j = 0; j < i / LAYERS; j++) /* other numbers, in a sound packet */
			p.octets[14 + 20 + packet_random(&the.random, 4)] ^=
				(uint8_t)(1 << packet_random(&the.random, 3));
		keep_frame(count++, p.octets, (uint32_t)p.length);
	}
	count = keep_captures(count, POOL / 2);
	for (whole = count; count < POOL; count++) {
		unsigned from = packet_random(&the.random, whole);
		uint32_t length = pool[from].length;
		uint8_t frame[FRAME_MAX];

		memcpy(frame, pool[from].octets, length);
		packet_change(frame, &length, &the.random);
		keep_frame(count, frame, length);
	}
}

static uint32_t field_of(enum match_field field, const struct observation *o)
{
	switch ((unsigned)field) {
	case MATCH_PROTO:
		return o->protocol;
	case MATCH_SRC_PORT:
		return o->src_port;
	case MATCH_DST_PORT:
		return o->dst_port;
	case MATCH_LENGTH:
		return o->length;
	case MATCH_TTL:
		return o->ttl;
	case MATCH_IP_ID:
		return o->ip_id;
	case MATCH_WINDOW:
		return o->tcp.window;
	case MATCH_MSS:
		return o->tcp.mss;
	case MATCH_ICMP_TYPE:
		return o->icmp_type;
	case MATCH_ICMP_CODE:
		return o->icmp_code;
	default:
		return o->payload_length;
	}
}

/* A term that some packet of the pool meets, or does not meet by little. */
static struct match_term random_term(const struct observation *o)
{
	struct match_term term = { .field = (enum match_field)packet_random(&the.random, MATCH_FIELDS) };
	uint32_t value;

	term.negated = packet_random(&the.random, 4) == 0;
	switch ((unsigned)term.field) {
	case MATCH_SRC_NET:
		term.value.prefix = prefix_of(&o->src, packet_random(&the.random, 129));
		break;
	case MATCH_DST_NET:
		term.value.prefix = prefix_of(&o->dst, packet_random(&the.random, 129));
		break;
	case MATCH_TCP_FLAGS:
		term.value.flags = (uint8_t)(o->tcp.flags ^ (packet_random(&the.random, 4) ? 0 : 2));
		break;
	case MATCH_OPTIONS:
		term.value.options = packet_random(&the.random, 4) ? o->tcp.options : 0;
		break;
	case MATCH_PAYLOAD:
		term.value.payload.length = (uint8_t)(1 + packet_random(&the.random, MATCH_PAYLOAD_MAX));
		term.value.payload.from =
			(uint8_t)packet_random(&the.random, OBSERVATION_PAYLOAD_MAX + 1u - term.value.payload.length);
		memcpy(term.value.payload.octets, o->payload + term.value.payload.from, term.value.payload.length);
		break;
	default:
		value = field_of(term.field, o);
		term.value.range.low =
			value - (value > 20 ? packet_random(&the.random, 3) * packet_random(&the.random, 20) : 0);
		term.value.range.high = value + packet_random(&the.random, 3) * packet_random(&the.random, 200);
	}
	return term;
}

static struct rule random_rule(void)
{
	char text[MATCH_TEXT_SIZE];
	struct match_error wrong;
	const struct observation *o = &pool[packet_random(&the.random, POOL)].observation;
	struct rule rule = { .action = packet_random(&the.random, 2) ? RULE_DROP : RULE_NONE };

	if (packet_random(&the.random, 3) == 0)
		rule.scope = prefix_of(&o->dst, packet_random(&the.random, 129));
	rule.match.count = 1 + packet_random(&the.random, 5);
	/* One that a person could type: numbers that the field can hold. */
	do {
		for (unsigned i = 0; i < rule.match.count; i++)
			rule.match.terms[i] = random_term(o);
	} while (match_parse(match_format(&rule.match, text), &rule.match, &wrong) != 0);
	return rule;
}

static bool holds(const struct rule *rule, const struct observation *o)
{
	bool everywhere = !rule->scope.is_ipv4 && rule->scope.length == 0;

	return (everywhere || prefix_contains(&rule->scope, &o->dst)) && match_test(&rule->match, o);
}

/* Of the pool's sources some are known. */
static bool is_of_the_known(const struct observation *o)
{
	__u64 word[2];

	memcpy(word, o->src.octets, sizeof(word));
	return shield_mix(shield_is_ipv4(word) ? word[1] : word[0]) & 1;
}

static void serve_everybody(void)
{
	const struct prefix all[] = { prefix("0.0.0.0/0"), prefix("::/0") };
	const struct shield_service service = { .name = "all", .prefixes = all, .prefix_count = 2 };
	struct shield_error error;

	assert_int_equal(shield_set_services(the.shield, &service, 1, &error), 0);
}

/* Random rules, random packets: the kernel's table says what match_test() says, and the first rule decides. */
static void rules_mean_what_they_mean_elsewhere(void **state)
{
	enum { ROUNDS = 12, RULES = 24 };
	unsigned long drops = 0, hits = 0, runs = 0, spared = 0;

	(void)state;
	NEED_SHIELD;
	fill_pool();
	for (unsigned round = 0; round < ROUNDS; round++) {
		static struct rule rules[RULES];
		bool spares_known[RULES];
		uint64_t matched[RULES] = { 0 }, known[RULES] = { 0 };
		struct shield_rule_told told[SHIELD_RULES_MAX];
		unsigned count = 0, read;

		begin();
		serve_everybody();
		for (unsigned i = 0; i < POOL && round == 0; i++)
			if (pool[i].readable && is_of_the_known(&pool[i].observation))
				make_known(pool[i].observation.src.octets, 0, 3600, 60);
		while (count < RULES) {
			struct shield_making making = { .expires = SHIELD_NEVER };
			struct shield_error error;
			uint32_t number;
			int result;

			rules[count] = random_rule();
			making.known = spares_known[count] = packet_random(&the.random, 4) == 0;
			result = shield_add_rule(the.shield, &rules[count], &making, &number, &error);
			assert_true(result == 0 || result == -EOPNOTSUPP);
			count += result == 0;
		}
		for (unsigned i = 0; i < POOL; i++) {
			bool drop = false, hit = false, decided = false;
			unsigned first = 0;

			if (pool[i].length < 14)
				continue;
			/*
			 * One that only counts lets those behind it have their say. Behind all others stand those that
			 * look at sources.
			 */
			for (unsigned at = 0; at < 2 * RULES && !decided; at++) {
				first = at % RULES;
				if (spares_known[first] != (at >= RULES) || !pool[i].readable ||
				    protocol_is_discovery(&pool[i].observation) ||
				    !holds(&rules[first], &pool[i].observation))
					continue;
				matched[first]++;
				hit = true;
				if (rules[first].action != RULE_DROP)
					continue;
				decided = true;
				drop = !spares_known[first] || !is_of_the_known(&pool[i].observation);
				known[first] += !drop;
			}
			drops += drop;
			hits += hit;
			runs++;
			if ((run(pool[i].octets, pool[i].length) == XDP_DROP) != drop) {
				char text[MATCH_TEXT_SIZE];

				fail_msg("round %u, frame %u: rule %u of %u is to decide: %s", round, i, first, RULES,
				         first < RULES ? match_format(&rules[first].match, text) : "none");
			}
		}
		assert_int_equal(shield_read_rules(shield_maps(the.shield), 0, told, &read), 0);
		assert_int_equal(read, RULES);
		for (unsigned i = 0; i < RULES; i++) {
			struct shield_rule_count counted;

			assert_int_equal(shield_read_rule_count(shield_maps(the.shield), told[i].counter, &counted), 0);
			assert_int_equal(counted.matched.packets, matched[i]);
			assert_int_equal(counted.dropped.packets,
			                 rules[i].action == RULE_DROP ? matched[i] - known[i] : 0);
			if (rules[i].action == RULE_DROP)
				assert_int_equal(counted.known.packets, known[i]);
			spared += known[i];
		}
	}
	print_message("%lu runs, %lu met a rule, %lu dropped, %lu passed as known\n", runs, hits, drops, spared);
	assert_in_range(spared, runs / 50, runs / 2);
	assert_in_range(hits, runs / 10, runs);
	assert_in_range(drops, runs / 20, runs * 9 / 10);
	free(pool);
	begin();
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
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
		cmocka_unit_test(a_rate_is_held),
		cmocka_unit_test(a_bucket_ahead_in_time_is_not_filled),
		cmocka_unit_test(services_have_their_own_counters_and_limits),
		cmocka_unit_test(samples_are_handed_out),
		cmocka_unit_test(a_syn_is_answered_with_a_cookie),
		cmocka_unit_test(cookies_are_tried),
		cmocka_unit_test(who_was_answered_is_known),
		cmocka_unit_test(what_leaves_is_sampled_too),
		cmocka_unit_test(the_interval_follows_the_budget_and_weights_are_fair),
		cmocka_unit_test(what_answers_every_syn_begins_no_flow),
		cmocka_unit_test(a_rule_arms_itself_again),
		cmocka_unit_test(a_rule_stays_active_while_it_is_hit),
		cmocka_unit_test(an_active_rate_limit_limits),
		cmocka_unit_test(a_rule_is_renewed),
		cmocka_unit_test(an_answered_conversation_is_spared),
		cmocka_unit_test(who_is_answered_in_peace_becomes_known),
		cmocka_unit_test(a_source_is_known_from_the_end_of_its_tick),
		cmocka_unit_test(a_known_source_passes_what_others_do_not),
		cmocka_unit_test(each_source_has_its_own_limit),
		cmocka_unit_test(a_full_line_keeps_who_came_again),
		cmocka_unit_test(some_pass_as_probes),
		cmocka_unit_test(a_probe_may_complete_its_handshake),
		cmocka_unit_test(what_only_counts_exempts_from_nothing),
		cmocka_unit_test(the_allow_list_forgets_what_has_expired),
		cmocka_unit_test(blocks_hold_as_they_are_listed),
		cmocka_unit_test(what_is_blocked_stays_so_while_the_list_changes),
		cmocka_unit_test(a_crowded_bucket_holds_them_all),
		cmocka_unit_test(a_block_ends_with_its_tick),
		cmocka_unit_test(the_timer_runs_on_alone),
		cmocka_unit_test(rules_mean_what_they_mean_elsewhere),
	};

	libbpf_set_print(silent);
	return cmocka_run_group_tests(tests, opened, closed);
}
