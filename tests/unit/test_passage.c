/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules let pass, bin by bin: exact where every packet was sampled, near what a count of all packets says where
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "made.h"

#include "defend/passage.h"
#include "measure/slot.h"

#define SEED 7u
#define PACKETS 60000u
#define STEP_NS (5 * NS_PER_MS / 10)

struct attack {
	struct timeline timeline;
	struct sample sample;
	struct observation *packets;
};

/* Packets from port 123 throughout, from port 53 in the second half only, one in eight from anywhere. */
static struct attack make(uint32_t capacity)
{
	struct attack a = { .packets = calloc(PACKETS, sizeof(*a.packets)) };
	uint64_t state = 1;

	assert_non_null(a.packets);
	sample_init(&a.sample, capacity);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint16_t port = i > PACKETS / 2 && made_below(&state, 2) ? 53 : 123;
		struct observation *o = &a.packets[i];

		if (made_below(&state, 8) == 0)
			port = (uint16_t)(1024 + made_below(&state, 60000));
		*o = made_udp((int64_t)i * STEP_NS, made_ipv4((uint32_t)made_random(&state)), port,
		              made_ipv4(0xc0000201), 80, (uint16_t)(port == 53 ? 1000 : 400));
		timeline_add(&a.timeline, slot_of(o->time.ns), 1, o->length);
		sample_add(&a.sample, o, observation_priority(o, SEED));
	}
	sample_settle(&a.sample);
	return a;
}

static void unmake(struct attack *a)
{
	sample_fini(&a->sample);
	free(a->packets);
}

static void add_rule(struct signature_set *set, const char *match, enum rule_action action, uint32_t rate)
{
	struct signature *s = &set->signatures[set->count++];
	struct match_error error;

	assert_int_equal(match_parse(match, &s->match, &error), 0);
	s->action = action;
	s->rate_limit_pps = rate;
}

static void all_sampled_is_exact(void **state)
{
	struct attack a = make(PACKETS);
	struct signature_set *set = calloc(1, sizeof(*set));
	struct timeline passed = { 0 };
	struct passage p;

	(void)state;
	assert_non_null(set);
	add_rule(set, "udp and src port 53", RULE_CHALLENGE,
	         0); /* passes offline, and shields from the rules behind it */
	add_rule(set, "udp and src port 123", RULE_DROP, 0);
	add_rule(set, "udp and length > 1000", RULE_DROP, 0);
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, set, &p), 0);
	/* the twin */
	for (uint32_t i = 0; i < PACKETS; i++)
		if (a.packets[i].src_port != 123)
			timeline_add(&passed, slot_of(a.packets[i].time.ns), 1, a.packets[i].length);
	assert_int_equal(timeline_count(&passed), timeline_count(&a.timeline));
	for (uint32_t i = 0; i < timeline_count(&passed); i++) {
		assert_true(p.bins[i].packets == timeline_bin(&passed, i)->packets);
		assert_true(p.bins[i].bytes == timeline_bin(&passed, i)->bytes);
	}
	assert_int_equal(p.sampled, PACKETS);
	assert_int_equal(p.upper_ppm, p.passed_ppm);
	passage_fini(&p);
	free(set);
	unmake(&a);
}

static void without_a_rule_that_acts_all_passes(void **state)
{
	struct attack a = make(4096);
	struct signature_set *set = calloc(1, sizeof(*set));
	struct passage p;

	(void)state;
	assert_non_null(set);
	add_rule(set, "udp and src port 53", RULE_NONE, 0);
	add_rule(set, "udp and length > 1000", RULE_CHALLENGE, 0);
	add_rule(set, "udp and src port 123", RULE_NONE, 0);
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, set, &p), 0);
	for (uint32_t i = 0; i < timeline_count(&a.timeline); i++) {
		assert_true(p.bins[i].packets == timeline_bin(&a.timeline, i)->packets);
		assert_true(p.bins[i].bytes == timeline_bin(&a.timeline, i)->bytes);
	}
	assert_int_equal(p.packets, PACKETS);
	assert_int_equal(p.passed_ppm, 1000000);
	passage_fini(&p);
	free(set);
	unmake(&a);
}

/* Of a sample, what the rules of the test below let pass, in parts per million. */
static uint64_t share(const struct sample *sample)
{
	uint64_t passed = 0;

	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		passed += o.src_port != 123 && o.src_port != 53;
	}
	return passed * 1000000 / sample->used;
}

static void a_sample_is_near(void **state)
{
	struct attack a = make(4096);
	struct signature_set *set = calloc(1, sizeof(*set));
	uint64_t others = 0;
	struct passage p;

	(void)state;
	assert_non_null(set);
	add_rule(set, "udp and src port 53", RULE_DROP, 0);
	add_rule(set, "udp and src port 123", RULE_DROP, 0);
	for (uint32_t i = 0; i < PACKETS; i++)
		others += a.packets[i].src_port != 123 && a.packets[i].src_port != 53;
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, set, &p), 0);
	assert_int_equal(p.sampled, 4096);
	assert_in_range(p.packets, others * 85 / 100, others * 115 / 100);
	/* Bins of few packets lose nothing by being rounded: the whole is the sample's share. */
	assert_in_range(p.passed_ppm, share(&a.sample) * 97 / 100, share(&a.sample) * 103 / 100);
	/* The bound holds, and is no idle one. */
	assert_true((uint64_t)p.upper_ppm * PACKETS >= others * 1000000);
	assert_true(p.upper_ppm < 2 * p.passed_ppm);
	passage_fini(&p);
	free(set);
	unmake(&a);
}

static void a_limit_passes_its_rate(void **state)
{
	struct attack a = make(PACKETS);
	struct signature_set *set = calloc(1, sizeof(*set));
	struct passage p;

	(void)state;
	assert_non_null(set);
	add_rule(set, "udp", RULE_RATE_LIMIT, 100);
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, set, &p), 0);
	for (uint32_t i = 0; i < timeline_count(&a.timeline); i++) {
		uint64_t allowed = (uint64_t)timeline_step_ns(&a.timeline) * 100 / NS_PER_S;

		assert_true(p.bins[i].packets == allowed);
	}
	passage_fini(&p);
	/* A limit that is never reached lets all pass. */
	set->signatures[0].rate_limit_pps = 1000000;
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, set, &p), 0);
	assert_int_equal(p.packets, PACKETS);
	assert_int_equal(p.passed_ppm, 1000000);
	passage_fini(&p);
	free(set);
	unmake(&a);
}

static void nothing_known(void **state)
{
	const struct signature_set set = { .count = 0 };
	struct attack a = make(64);
	struct timeline none = { 0 };
	struct sample empty = { 0 };
	struct passage p;

	(void)state;
	assert_int_equal(passage_estimate(&none, &a.sample, &set, &p), 0);
	assert_null(p.bins);
	assert_int_equal(passage_estimate(&a.timeline, &empty, &set, &p), 0);
	assert_null(p.bins);
	assert_int_equal(passage_estimate(&a.timeline, &a.sample, &set, &p), 0);
	assert_int_equal(p.packets, PACKETS); /* no rule, also in bins that the small sample has missed */
	passage_fini(&p);
	unmake(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sampled_is_exact), cmocka_unit_test(without_a_rule_that_acts_all_passes),
		cmocka_unit_test(a_sample_is_near),     cmocka_unit_test(a_limit_passes_its_rate),
		cmocka_unit_test(nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
