/* SPDX-License-Identifier: Apache-2.0 */
/* Samples: of what arrives and of what leaves, their weights, and what they say of conversations. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <bpf/bpf.h>

#include <cmocka.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "packet.h"
#include "rig.h"
#include "shield/inside.h"
#include "shield/samples.h"
#include "shield/shield.h"

#define BUSY 30000 /* packets */

static void samples_are_handed_out(void **state)
{
	struct packet p = packet_of_udp("203.0.113.77", "192.0.2.10", 123, 4000);
	struct shield_totals before, after;
	struct samples *samples;
	struct rig_taken taken = { .count = 0 };

	(void)state;
	NEED_SHIELD;
	rig_begin();
	rig_block("203.0.113.77/32", rig_jiffies() + rig_seconds(60));
	assert_int_equal(samples_new(shield_maps(rig.shield)->fd[SHIELD_MAP_SAMPLES], rig_takes, &taken, &samples), 0);
	(void)samples_read(samples);
	taken.count = 0;
	assert_int_equal(shield_read_totals(shield_maps(rig.shield), &before), 0);
	rig_wait_ms(50); /* the sampler forgets that it had to slow down */
	for (unsigned i = 0; i < 20000; i++)
		(void)rig_run(p.octets, p.length);
	assert_true(samples_read(samples) >= 0);
	assert_int_equal(shield_read_totals(shield_maps(rig.shield), &after), 0);
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
	rig_release("203.0.113.77/32");
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
	struct packet p[2] = { packet_of_udp("203.0.113.77", "192.0.2.10", 1000, 4000),
		               packet_of_udp("203.0.113.77", "192.0.2.10", 1001, 4000) };
	uint32_t was = rig.shield ? rig.shield->config->sample_per_tick : 0;
	struct shield_totals totals;
	struct samples *samples;
	struct kinds kinds;
	cpu_set_t before, one;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(samples_new(shield_maps(rig.shield)->fd[SHIELD_MAP_SAMPLES], takes_of_kinds, &kinds, &samples),
	                 0);
	for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		rig.shield->config->sample_per_tick = budgets[i];
		rig_wait_ms(1000 * (21 << SHIELD_SAMPLE_SHIFT) / rig.shield->config->hz);
		assert_true(samples_read(samples) >= 0);
		memset(&kinds, 0, sizeof(kinds));
		for (uint64_t k = 0; k < BUSY; k++) {
			(void)rig_run(p[k % 2].octets, p[k % 2].length);
			if (k % 4096 == 0)
				(void)samples_read(samples);
		}
		assert_int_equal(shield_read_totals(shield_maps(rig.shield), &totals), 0);
		assert_true(totals.arriving.interval > 1);
		assert_true(samples_read(samples) >= 0);
		assert_true(kinds.count < BUSY / 2);
		/* Six standard errors, as the samples themselves estimate them; and room where they are few. */
		for (unsigned kind = 0; kind < 2; kind++) {
			double error = kinds.weight[kind] - BUSY / 2.0;

			assert_true(error * error < 36 * kinds.variance[kind] + 36.0 * BUSY);
		}
		rig_wait_ms(1000 * (21 << SHIELD_SAMPLE_SHIFT) / rig.shield->config->hz);
		(void)rig_run(p[0].octets, p[0].length);
		assert_true(samples_read(samples) >= 0);
		assert_int_equal(kinds.last, 1);
	}
	rig.shield->config->sample_per_tick = was;
	samples_free(samples);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* What this host sends is remembered, from the other side's view; of what comes back a sample says so. */
static void who_was_answered_is_known(void **state)
{
	struct packet out = packet_of_udp("192.0.2.10", "198.51.100.9", 53, 4000),
		      back = packet_of_udp("198.51.100.9", "192.0.2.10", 4000, 53);
	struct packet other = packet_of_udp("198.51.100.9", "192.0.2.10", 4001, 53), ping = packet_layered(PACKET_ICMP);
	struct shield_flow_key key = { .src_port = 4000, .dst_port = 53, .protocol = 17 };
	struct prefix src = rig_prefix("198.51.100.9/32"), dst = rig_prefix("192.0.2.10/32");
	int flows;
	struct samples *samples;
	struct rig_taken taken = { .count = 0 };
	struct shield_flow flow;
	uint64_t before;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	flows = shield_maps(rig.shield)->fd[SHIELD_MAP_FLOWS];
	memcpy(key.src, src.address.octets, sizeof(key.src));
	memcpy(key.dst, dst.address.octets, sizeof(key.dst));
	assert_int_equal(samples_new(shield_maps(rig.shield)->fd[SHIELD_MAP_SAMPLES], rig_takes, &taken, &samples), 0);
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), -ENOENT);
	before = rig_jiffies();
	for (unsigned i = 0; i < 3; i++)
		rig_send(&out);
	rig_send(&ping);
	assert_int_equal(bpf_map_lookup_elem(flows, &key, &flow), 0);
	assert_int_equal(flow.packets, 3);
	assert_in_range(flow.first, before - 1, rig_jiffies() + 1);
	assert_in_range(flow.last, flow.first, rig_jiffies() + 1);
	for (unsigned i = 0; i < 2; i++) {
		const struct packet *p = i ? &other : &back;

		rig_wait_ms(300); /* the sampler forgets that it had to slow down */
		(void)samples_read(samples);
		taken.count = 0;
		for (unsigned j = 0; j < 20000 && taken.count == 0; j++) {
			(void)rig_run(p->octets, p->length);
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
	const struct prefix here = rig_prefix("192.0.2.10/32");
	const struct shield_service service = {
		.name = "names", .prefixes = &here, .prefix_count = 1, .udp = &port, .udp_count = 1
	};
	struct packet answer = packet_of_udp("192.0.2.10", "203.0.113.200", 53, 4000),
		      other = packet_of_udp("192.0.2.10", "203.0.113.200", 54, 53), ping = packet_layered(PACKET_ICMP);
	const struct packet *sent[] = { &answer, &other, &ping };
	struct rig_taken taken = { .count = 0 };
	struct shield_error error;
	struct samples *samples;

	(void)state;
	NEED_SHIELD;
	rig_begin();
	assert_int_equal(shield_set_services(rig.shield, &service, 1, &error), 0);
	assert_true(rig.shield->config->sample_sent_per_tick > 0);
	assert_in_range(rig.shield->config->sample_per_tick, rig.shield->config->sample_sent_per_tick,
	                4 * rig.shield->config->sample_sent_per_tick + 4);
	assert_int_equal(samples_new(shield_maps(rig.shield)->fd[SHIELD_MAP_SAMPLES], rig_takes, &taken, &samples), 0);
	for (unsigned i = 0; i < 3; i++) {
		rig_wait_ms(300);
		(void)samples_read(samples);
		taken = (struct rig_taken){ .count = 0 };
		rig_send(sent[i]);
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
	struct shield_flow_key key = { .src_port = 80, .dst_port = 40000, .protocol = 6 };
	struct shield_flow flow = { .packets = 0 };
	struct packet p;

	packet_begin(&p);
	packet_ipv4(&p, src, dst);
	packet_tcp(&p, 40000, 80, flags, 1024, NULL, 0);
	packet_end(&p);
	rig_send(&p);
	memcpy(key.src, rig_prefix(dst).address.octets, sizeof(key.src));
	memcpy(key.dst, rig_prefix(src).address.octets, sizeof(key.dst));
	if (bpf_map_lookup_elem(shield_maps(rig.shield)->fd[SHIELD_MAP_FLOWS], &key, &flow) != 0)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_handed_out),
		cmocka_unit_test(the_interval_follows_the_budget_and_weights_are_fair),
		cmocka_unit_test(who_was_answered_is_known),
		cmocka_unit_test(what_leaves_is_sampled_too),
		cmocka_unit_test(what_answers_every_syn_begins_no_flow),
	};

	return cmocka_run_group_tests(tests, rig_open, rig_close);
}
