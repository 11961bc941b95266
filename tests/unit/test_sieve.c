/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules in order over packets: which rule decides, what its bucket lets through, what is counted; and random rules over
 * random packets against a naive twin that counts tokens in 128 bits and looks at all rules every time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "defend/sieve.h"

#define SEED 20250310u

static uint64_t draws;

static uint32_t below(uint32_t bound)
{
	return (uint32_t)(hash_2(SEED, draws++, 11) % bound);
}

static struct rule rule(const char *scope, const char *match, enum rule_action action, uint32_t rate_pps)
{
	struct rule made;
	struct match_error error;

	memset(&made, 0, sizeof(made));
	assert_int_equal(prefix_parse(scope, &made.scope), 0);
	assert_int_equal(match_parse(match, &made.match, &error), 0);
	made.action = action;
	made.rate_pps = rate_pps;
	return made;
}

static struct observation packet(const char *dst, uint8_t protocol, int64_t ns)
{
	struct observation o;
	struct prefix prefix;

	memset(&o, 0, sizeof(o));
	assert_int_equal(prefix_parse(dst, &prefix), 0);
	o.src = o.dst = prefix.address;
	o.protocol = protocol;
	o.time.ns = ns;
	o.weight = 1;
	o.length = 100;
	return o;
}

static int setup(void **state)
{
	struct sieve *sieve = malloc(sizeof(*sieve));

	if (!sieve)
		return -1;
	sieve_init(sieve);
	*state = sieve;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void add(struct sieve *sieve, const char *scope, const char *match, enum rule_action action, uint32_t rate_pps)
{
	struct rule made = rule(scope, match, action, rate_pps);

	assert_int_equal(sieve_add(sieve, &made), 0);
}

static bool passes(struct sieve *sieve, const char *dst, uint8_t protocol, int64_t ns)
{
	struct observation o = packet(dst, protocol, ns);

	return sieve_pass(sieve, &o);
}

static void action_names(void **state)
{
	static const char *const names[] = { "none", "drop", "rate_limit", "challenge" };
	enum rule_action action = RULE_DROP;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(rule_action_name((enum rule_action)i), names[i]);
		assert_int_equal(rule_action_parse(names[i], &action), 0);
		assert_int_equal(action, i);
	}
	action = RULE_DROP;
	assert_int_equal(rule_action_parse("Drop", &action), -EINVAL);
	assert_int_equal(rule_action_parse("", &action), -EINVAL);
	assert_int_equal(rule_action_parse("unknown", &action), -EINVAL);
	assert_int_equal(action, RULE_DROP);
	assert_string_equal(rule_action_name((enum rule_action)4), "unknown");
}

static void no_rules_pass_all(void **state)
{
	assert_true(passes(*state, "192.0.2.1", 17, 0));
}

static void first_match_decides(void **state)
{
	struct sieve *sieve = *state;

	add(sieve, "192.0.2.0/24", "tcp", RULE_NONE, 0);
	add(sieve, "192.0.2.0/24", "udp", RULE_DROP, 0);
	add(sieve, "192.0.2.0/24", "ip", RULE_CHALLENGE, 0);
	add(sieve, "0.0.0.0/0", "ip", RULE_DROP, 0);
	assert_true(passes(sieve, "192.0.2.1", 6, 0));
	assert_false(passes(sieve, "192.0.2.1", 17, 0));
	assert_true(passes(sieve, "192.0.2.1", 1, 0));
	assert_false(passes(sieve, "198.51.100.1", 6, 0));
	assert_true(passes(sieve, "2001:db8::1", 17, 0));
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(sieve->rules[i].matched, 1);
		assert_int_equal(sieve->rules[i].dropped, i & 1);
	}
}

static void a_tunnel_is_judged_at_both_ends(void **state)
{
	struct sieve *sieve = *state;
	struct observation o = packet("10.0.0.1", 17, 0);

	add(sieve, "192.0.2.0/24", "udp", RULE_DROP, 0);
	add(sieve, "198.18.0.0/24", "proto 47", RULE_DROP, 0);
	o.outer.protocol = 47;
	o.outer.dst = packet("198.18.0.1", 0, 0).dst;
	assert_true(sieve_pass(sieve, &o)); /* outer means nothing without the flag */
	o.flags = OBSERVATION_TUNNELLED;
	assert_false(sieve_pass(sieve, &o)); /* the tunnel packet is GRE, whatever is inside */
	o.outer.dst = packet("192.0.2.1", 0, 0).dst;
	assert_true(sieve_pass(sieve, &o)); /* … and no UDP */
	o.outer.dst = packet("198.51.100.1", 0, 0).dst;
	assert_true(sieve_pass(sieve, &o));
	o.dst = packet("192.0.2.1", 0, 0).dst;
	assert_false(sieve_pass(sieve, &o));
}

static unsigned burst(struct sieve *sieve, unsigned packets, int64_t ns)
{
	unsigned passed = 0;

	while (packets--)
		passed += passes(sieve, "192.0.2.1", 17, ns);
	return passed;
}

static void a_bucket(void **state)
{
	struct sieve *sieve = *state;
	const int64_t start = 1741599912 * NS_PER_S;

	add(sieve, "192.0.2.0/24", "udp", RULE_RATE_LIMIT, 100);
	assert_int_equal(burst(sieve, 50, start), 10);
	assert_int_equal(burst(sieve, 50, start + 9 * NS_PER_MS), 0); /* .9 of a token */
	assert_int_equal(burst(sieve, 50, start + 10 * NS_PER_MS), 1);
	assert_int_equal(burst(sieve, 50, start + 60 * NS_PER_MS), 5);
	assert_int_equal(burst(sieve, 50, start + 3600 * NS_PER_S), 10);
	assert_int_equal(sieve->rules[0].matched, 250);
	assert_int_equal(sieve->rules[0].dropped, 250 - 26);
}

static void time_that_goes_back_adds_nothing(void **state)
{
	struct sieve *sieve = *state;
	const int64_t start = 1741599912 * NS_PER_S;

	add(sieve, "192.0.2.0/24", "udp", RULE_RATE_LIMIT, 100);
	assert_int_equal(burst(sieve, 50, start), 10);
	/* Disorder mints nothing, however often it goes to and fro. */
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(burst(sieve, 5, start - 500 * NS_PER_MS), 0);
		assert_int_equal(burst(sieve, 5, start), 0);
	}
	assert_int_equal(burst(sieve, 50, start + 20 * NS_PER_MS), 2);
	/* A clock that was set back goes on from there. */
	assert_int_equal(burst(sieve, 50, start - 3600 * NS_PER_S), 0);
	assert_int_equal(burst(sieve, 50, start - 3600 * NS_PER_S + 30 * NS_PER_MS), 3);
	/* Nor do the ends of time overflow. */
	assert_int_equal(burst(sieve, 50, INT64_MIN), 0);
	assert_int_equal(burst(sieve, 50, INT64_MAX), 10);
	assert_int_equal(burst(sieve, 50, INT64_MIN), 0);
	assert_int_equal(burst(sieve, 50, INT64_MIN + 1), 0);
	assert_int_equal(burst(sieve, 50, 0), 10);
}

static void extreme_rates(void **state)
{
	struct sieve *sieve = *state;

	add(sieve, "192.0.2.1/32", "udp", RULE_RATE_LIMIT, 0);
	add(sieve, "192.0.2.2/32", "udp", RULE_RATE_LIMIT, 1);
	add(sieve, "192.0.2.3/32", "udp", RULE_RATE_LIMIT, UINT32_MAX);
	for (int64_t s = 0; s < 10; s++) {
		assert_int_equal(passes(sieve, "192.0.2.1", 17, s * NS_PER_S), s == 0);
		assert_true(passes(sieve, "192.0.2.2", 17, s * NS_PER_S));
		assert_false(passes(sieve, "192.0.2.2", 17, s * NS_PER_S + NS_PER_S - 1));
		assert_true(passes(sieve, "192.0.2.3", 17, s * NS_PER_S));
	}
	assert_false(passes(sieve, "192.0.2.1", 17, INT64_MAX));
	assert_true(passes(sieve, "192.0.2.3", 17, INT64_MIN));
	assert_true(passes(sieve, "192.0.2.3", 17, INT64_MAX));
}

static void too_many_rules_and_wrong_ones(void **state)
{
	struct sieve *sieve = *state;
	struct rule made = rule("192.0.2.0/24", "udp", (enum rule_action)4, 0);

	assert_int_equal(sieve_add(sieve, &made), -EINVAL);
	assert_int_equal(sieve->count, 0);
	made.action = RULE_NONE;
	for (unsigned i = 0; i < SIEVE_RULES_MAX; i++)
		assert_int_equal(sieve_add(sieve, &made), 0);
	assert_int_equal(sieve_add(sieve, &made), -ENOSPC);
	assert_int_equal(sieve->count, SIEVE_RULES_MAX);
}

/* ---- the naive twin ---- */

__extension__ typedef __int128 wide;

struct twin {
	wide billionths; /* tokens, times a thousand million */
	int64_t clock;
	bool started;
	uint64_t matched, dropped;
};

static bool twin_pass(struct twin *twins, const struct sieve *sieve, const struct observation *o)
{
	for (unsigned i = 0; i < sieve->count; i++) {
		const struct rule *r = &sieve->rules[i].rule;
		struct twin *twin = &twins[i];
		struct observation around = *o;
		bool inner, outer;
		wide full, gone;

		/* The packet around: its addresses, protocol and length, and nothing of the inside. */
		around.dst = o->outer.dst;
		around.protocol = o->outer.protocol;
		around.length = o->outer.length;
		around.ttl = o->outer.ttl;
		around.flags = 0;
		inner = prefix_contains(&r->scope, &o->dst) && match_test(&r->match, o);
		outer = (o->flags & OBSERVATION_TUNNELLED) && prefix_contains(&r->scope, &around.dst) &&
		        match_test(&r->match, &around);
		if (!inner && !outer)
			continue;
		twin->matched++;
		if (r->action == RULE_NONE || r->action == RULE_CHALLENGE)
			return true;
		if (r->action == RULE_DROP) {
			twin->dropped++;
			return false;
		}
		full = (wide)(r->rate_pps / 10 > 1 ? r->rate_pps / 10 : 1) * 1000000000;
		if (!twin->started) {
			twin->started = true;
			twin->billionths = full;
			twin->clock = o->time.ns;
		}
		gone = (wide)o->time.ns - twin->clock;
		if (gone > 0)
			twin->billionths += gone * r->rate_pps;
		if (twin->billionths > full)
			twin->billionths = full;
		if (gone > 0 || gone < -1000000000)
			twin->clock = o->time.ns;
		if (twin->billionths >= 1000000000) {
			twin->billionths -= 1000000000;
			return true;
		}
		twin->dropped++;
		return false;
	}
	return true;
}

static void random_rules_on_random_packets(void **state)
{
	static const char *const scopes[] = { "192.0.2.0/24", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32",
		                              "192.0.2.0/31" };
	static const char *const matches[] = {
		"udp", "tcp",     "not udp",       "length <= 50", "length >= 60",
		"ip6", "ttl 1-2", "udp and ttl 3", "proto 6-17",
	};
	static const uint32_t rates[] = { 0, 1, 5, 9, 10, 100, 1000, 50000, UINT32_MAX };
	static const char *const hosts[] = { "192.0.2.0", "192.0.2.1", "192.0.2.9", "198.51.100.1", "2001:db8::5" };
	struct sieve *sieve = *state;
	uint64_t limited = 0, let = 0;

	draws = 0;
	for (unsigned round = 0; round < 300; round++) {
		struct twin twins[8] = { { 0 } };
		int64_t now = (int64_t)below(1000) * NS_PER_S;
		uint32_t step = 1u << below(31);

		sieve_init(sieve);
		for (unsigned i = 1 + below(8); i; i--)
			add(sieve, scopes[below(5)], matches[below(9)], (enum rule_action)(below(2) ? 2 : below(4)),
			    rates[below(9)]);
		for (unsigned i = 0; i < 1000; i++) {
			struct observation o = packet(hosts[below(5)], below(2) ? 17 : 6, 0);

			now += below(20) ? below(step) : (int64_t)below(step) * -4;
			if (below(200) == 0)
				now = below(2) ? (below(2) ? INT64_MAX - below(9) : INT64_MIN + below(9)) : below(step);
			/* Stay where one step more does not overflow. */
			o.time.ns = now;
			if (now > INT64_MAX / 2 || now < INT64_MIN / 2)
				now = below(1000);
			o.length = 45 + below(20);
			o.ttl = (uint8_t)below(4);
			if (below(10) == 0) {
				o.flags = OBSERVATION_TUNNELLED;
				o.outer.dst = packet(hosts[below(5)], 0, 0).dst;
				o.outer.protocol = below(2) ? 47 : 17;
				o.outer.length = 45 + below(20);
				o.outer.ttl = (uint8_t)below(4);
			}
			assert_int_equal(sieve_pass(sieve, &o), twin_pass(twins, sieve, &o));
		}
		for (unsigned i = 0; i < sieve->count; i++) {
			assert_int_equal(sieve->rules[i].matched, twins[i].matched);
			assert_int_equal(sieve->rules[i].dropped, twins[i].dropped);
			if (sieve->rules[i].rule.action == RULE_RATE_LIMIT) {
				limited += twins[i].dropped;
				let += twins[i].matched - twins[i].dropped;
			}
		}
	}
	/* Buckets were both empty and not, often. */
	assert_in_range(limited, 10000, UINT32_MAX);
	assert_in_range(let, 10000, UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(action_names),
		cmocka_unit_test_setup_teardown(no_rules_pass_all, setup, teardown),
		cmocka_unit_test_setup_teardown(first_match_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tunnel_is_judged_at_both_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bucket, setup, teardown),
		cmocka_unit_test_setup_teardown(time_that_goes_back_adds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(extreme_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_rules_and_wrong_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(random_rules_on_random_packets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
