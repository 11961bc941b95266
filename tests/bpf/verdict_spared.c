/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule that drops lets pass all the same: conversations that this host answered, and some packets as probes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "defend/rule.h"
#include "packet.h"
#include "rig.h"
#include "shield/samples.h"
#include "shield/shield.h"

static void an_answered_conversation_is_spared(void **state)
{
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 4000, 53),
		      other = packet_of_udp("198.51.100.9", "192.0.2.10", 4001, 53);
	struct shield_making making = { .expires = SHIELD_NEVER, .spare = true };
	struct shield_flow_key key = { .src_port = 4000, .dst_port = 53, .protocol = 17 };
	int flows = rig.shield ? shield_maps(rig.shield)->fd[SHIELD_MAP_FLOWS] : -1;
	struct shield_rule_count count;
	struct shield_flow flow;
	uint32_t number;
	unsigned passed;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	memcpy(key.src, rig_prefix("198.51.100.9/32").address.octets, sizeof(key.src));
	memcpy(key.dst, rig_prefix("192.0.2.10/32").address.octets, sizeof(key.dst));
	number = rig_make_rule("::/0", "udp", RULE_DROP, 0, &making);
	assert_true(rig_told_of(number).spare);
	rig_meets(&p, SHIELD_DROP_RULE, "nobody has answered");
	rig_answer("192.0.2.10", "198.51.100.9", 53, 4000);
	rig_meets(&p, SHIELD_PASS_ANSWERED, "answered");
	rig_meets(&other, SHIELD_DROP_RULE, "another conversation");
	count = rig_count_of(number);
	assert_int_equal(count.matched.packets, 3);
	assert_int_equal(count.answered.packets, 1);
	assert_int_equal(count.spared.packets, 1);
	assert_int_equal(count.spared.octets, p.length);
	assert_int_equal(count.dropped.packets, 2);
	/* No more than its rate. */
	passed = rig_passing_buckets(&p, 2000, SHIELD_SPARE_PPS - 1, SHIELD_SPARE_PPS, SHIELD_SPARE_PPS);
	count = rig_count_of(number);
	assert_int_equal(count.answered.packets, 2001);
	assert_int_equal(count.spared.packets, passed + 1);
	assert_int_equal(count.dropped.packets, 2002 - passed);
	/* What was said long ago does not count. */
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), 0);
	flow.spare = 0;
	flow.last = rig_jiffies() - rig_seconds(SHIELD_SPARE_IDLE_S + 1);
	assert_int_equal(bpf_map_update_elem(flows, &key, &flow, BPF_ANY), 0);
	rig_meets(&p, SHIELD_DROP_RULE, "silent for long");
	rig_answer("192.0.2.10", "198.51.100.9", 53, 4000);
	rig_meets(&p, SHIELD_PASS_ANSWERED, "answered again");
	/* In the shadow it tells what it would hit, and decides nothing. */
	rig_begin();
	making.shadow = true;
	number = rig_make_rule("::/0", "udp", RULE_DROP, 0, &making);
	(void)rig_add_rule("::/0", "udp and dst port 53", RULE_DROP, 0, false, SHIELD_NEVER);
	rig_meets(&p, SHIELD_DROP_RULE, "a rule behind it does not spare");
	count = rig_count_of(number);
	assert_int_equal(count.answered.packets, 1);
	assert_int_equal(count.dropped.packets, 0);
	assert_int_equal(bpf_map_delete_elem(flows, &key), 0);
}

static void some_pass_as_probes(void **state)
{
	enum { ROUNDS = 40, EACH = 3000, MANY = 400000 };
	struct packet p = packet_of_udp("198.51.100.9", "192.0.2.10", 123, 4000);
	const struct shield_making making = { .expires = SHIELD_NEVER, .probe = true };
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = MANY };
	struct shield_rule_count count, more;
	struct rig_taken taken = { .count = 0 };
	struct samples *samples;
	unsigned passed = 0, probes = 0;
	uint64_t began;
	uint32_t number;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_int_equal(samples_new(shield_maps(rig.shield)->fd[SHIELD_MAP_SAMPLES], rig_takes, &taken, &samples), 0);
	number = rig_make_rule("::/0", "udp", RULE_DROP, 0, &making);
	assert_true(rig_told_of(number).probe);
	(void)samples_read(samples);
	taken.count = 0;
	/* Paced, so that their rate is not what holds them back. */
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < EACH; k++)
			if (rig_run(p.octets, p.length) == XDP_PASS) {
				passed++;
				assert_true(samples_read(samples) >= 0);
				assert_int_equal(taken.last.reason, SHIELD_PASS_PROBE);
				assert_int_equal(taken.last.flags, SHIELD_SAMPLE_PROBE | SHIELD_SAMPLE_ENFORCED);
				assert_int_equal(taken.last.weight, 1);
				assert_int_equal(taken.last.rule, rig_told_of(number).counter);
				probes++;
			}
		(void)samples_read(samples);
		rig_wait_ms(30);
	}
	count = rig_count_of(number);
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
	began = rig_jiffies();
	assert_int_equal(bpf_prog_test_run_opts(rig.program, &options), 0);
	more = rig_count_of(number);
	assert_int_equal(more.matched.packets, count.matched.packets + MANY);
	assert_in_range(more.probes.packets - count.probes.packets, 20,
	                SHIELD_PROBE_PPS / 10 + (rig_jiffies() + 2 - began) * SHIELD_PROBE_PPS / rig_seconds(1) + 1);
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

		if (rig_run(syn.octets, syn.length) == XDP_PASS)
			return (uint16_t)port;
	}
	fail_msg("no probe in 8000 packets");
	return 0;
}

static void sends(uint16_t port, uint8_t flags)
{
	struct packet p = tcp_from(port, flags, true);

	rig_send(&p);
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
	rig_begin();
	number = rig_make_rule("::/0", "src net 198.51.100.0/24", RULE_DROP, 0, &making);
	port = probed_port(1024);
	p = tcp_from((uint16_t)(port ^ 1), ACK, false);
	rig_meets(&p, SHIELD_DROP_RULE, "of another conversation");
	sends(port, SYN | ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 0);
	p = tcp_from(port, ACK, false);
	rig_meets(&p, SHIELD_PASS_PROBE, "it answers the host's SYN");
	assert_int_equal(rig_count_of(number).probes.packets, 1);
	sends(port, ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 1);
	sends(port, ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 1);
	rig_meets(&p, SHIELD_PASS_ANSWERED, "from then on it is one that was answered");

	/* One that is refused has completed nothing. */
	port = probed_port(10024);
	sends(port, RST | ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 1);
	/* What follows a SYN is bounded. */
	p = tcp_from(port, ACK, false);
	passed = rig_passing(&p, 50);
	assert_in_range(passed, SHIELD_PROBED_PACKETS, SHIELD_PROBED_PACKETS + 3);
	/* What nobody let through is no probe. */
	sends(20000, ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 1);

	/* In the shadow all pass; probes are counted all the same, and what becomes of them. */
	rig_begin();
	making.shadow = true;
	number = rig_make_rule("::/0", "src net 198.51.100.0/24", RULE_DROP, 0, &making);
	for (unsigned i = 0; rig_count_of(number).probes.packets == 0; i++) {
		assert_true(i < 8000);
		port = (uint16_t)(30000 + i);
		p = tcp_from(port, SYN, false);
		assert_int_equal(rig_run(p.octets, p.length), XDP_PASS);
	}
	sends(port, SYN | ACK);
	p = tcp_from(port, ACK, false);
	rig_meets(&p, SHIELD_PASS_PROBE, "it follows its SYN");
	sends(port, ACK);
	assert_int_equal(rig_count_of(number).completed.packets, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answered_conversation_is_spared),
		cmocka_unit_test(some_pass_as_probes),
		cmocka_unit_test(a_probe_may_complete_its_handshake),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
