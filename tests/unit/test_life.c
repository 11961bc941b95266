/* SPDX-License-Identifier: Apache-2.0 */
/* What is ordered of a signature, and what becomes of a rule by what is counted of it; which rules cover which. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "defend/life.h"

#define AT(seconds) ((struct capture_time){ (int64_t)(1000 + (seconds)) * NS_PER_S })

static struct signature signature(const char *match, enum rule_action action)
{
	struct signature g = { .action = action, .has_bound = true, .bound_ppm = 500, .baseline_samples = 6000 };
	struct match_error error;

	assert_int_equal(match_parse(match, &g.match, &error), 0);
	strcpy(g.reason, "0 of 6000 normal packets match");
	return g;
}

static struct prefix scope(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static struct life_attack attack(void)
{
	return (struct life_attack){ .scope = scope("192.0.2.1"), .peak_pps = 5000 };
}

static void a_safe_one_is_ordered(void **state)
{
	struct signature g = signature("udp and src port 123", RULE_DROP);
	struct life_attack a = attack();
	struct life_plan plan;

	(void)state;
	assert_true(life_plan(&g, &a, &plan));
	assert_int_equal(plan.rule.action, RULE_DROP);
	assert_int_equal(plan.arm_pps, 500);
	assert_false(plan.shadow);
	assert_true(plan.spare);
	assert_false(plan.probe);
	a.peak_pps = 10;
	assert_true(life_plan(&g, &a, &plan));
	assert_int_equal(plan.arm_pps, LIFE_ARM_PPS_MIN);
	a.peak_pps = UINT64_MAX;
	assert_true(life_plan(&g, &a, &plan));
	assert_int_equal(plan.arm_pps, UINT32_MAX);
	/* An answer to a question speaks for nobody who asks. */
	a.provokes = true;
	assert_true(life_plan(&g, &a, &plan));
	assert_false(plan.spare);
	g = signature("tcp and tcp flags A", RULE_RATE_LIMIT);
	g.rate_limit_pps = 77;
	a = attack();
	assert_true(life_plan(&g, &a, &plan));
	assert_int_equal(plan.rule.rate_pps, 77);
}

static void who_is_spared_and_probed(void **state)
{
	static const struct {
		const char *match;
		bool spare, probe;
	} rows[] = {
		{ "tcp and tcp flags S", false, true },
		{ "tcp and tcp flags SA", true, false },
		{ "tcp and tcp flags A", true, false },
		{ "tcp and window 512", true, true },
		{ "icmp", false, false },
		{ "proto 47", false, false },
		{ "udp and fragment", false, false },
		{ "udp and not fragment", true, false },
		{ "src net 198.51.100.0/24", true, true },
		{ "icmp type 8 and icmp", false, false },
		{ "not udp and window 40", true, true },
	};
	struct life_attack a = attack();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature g = signature(rows[i].match, RULE_DROP);
		struct life_plan plan;

		assert_true(life_plan(&g, &a, &plan));
		assert_int_equal(plan.spare, rows[i].spare);
		assert_int_equal(plan.probe, rows[i].probe);
	}
}

static void what_is_not_ordered(void **state)
{
	struct signature g = signature("udp and src port 123", RULE_CHALLENGE);
	struct life_attack a = attack();
	struct life_plan plan;

	(void)state;
	assert_false(life_plan(&g, &a, &plan));
	/* Unproven: only answers that nobody asked for are tried in the shadow. */
	g.action = RULE_NONE;
	assert_false(life_plan(&g, &a, &plan));
	a.reflection = true;
	assert_true(life_plan(&g, &a, &plan));
	assert_true(plan.shadow);
	assert_int_equal(plan.rule.action, RULE_RATE_LIMIT);
	assert_int_equal(plan.rule.rate_pps, 100);
	g.verified_hits = 1;
	assert_false(life_plan(&g, &a, &plan));
	g.verified_hits = 0;
	g.baseline_hits = 1;
	assert_false(life_plan(&g, &a, &plan));
	g = signature("udp and fragment", RULE_NONE);
	assert_false(life_plan(&g, &a, &plan));
	g = signature("length 40-1500 and not df", RULE_DROP);
	assert_false(life_plan(&g, &a, &plan));
}

static struct life made(const char *match, bool shadow)
{
	struct signature g = signature(match, RULE_DROP);
	struct life_attack a = attack();
	struct life_plan plan;
	struct life life;

	assert_true(life_plan(&g, &a, &plan));
	plan.shadow = shadow;
	life_begin(&life, 7, 99, &plan, &g, AT(0));
	assert_int_equal(life.state, LIFE_PROPOSED);
	assert_true(life_is_there(&life));
	/* What is not there yet has no counts. */
	assert_int_equal(life_counted(&life, &(struct life_count){ .matched = 5 }, AT(0)), LIFE_STAYS);
	return life;
}

static void refused(void **state)
{
	struct life life = made("tcp and tcp flags S", false);

	(void)state;
	life_ruled(&life, 0, -EPERM, AT(0));
	assert_int_equal(life.state, LIFE_GONE);
	assert_false(life_is_there(&life));
	assert_non_null(strstr(life.why, "refused"));
	life_ruled(&life, 3, 0, AT(1));
	assert_int_equal(life.state, LIFE_GONE);
}

static void it_arms_and_acts_again(void **state)
{
	struct life life = made("udp and src port 123", false);
	struct life_count count = { .matched = 1000, .dropped = 1000, .active = true };

	(void)state;
	life_ruled(&life, 3, 0, AT(0));
	assert_int_equal(life.state, LIFE_ENFORCED);
	assert_int_equal(life.number, 3);
	assert_int_equal(life_counted(&life, &count, AT(5)), LIFE_STAYS);
	assert_int_equal(life.last_match.ns, AT(5).ns);
	count.active = false;
	assert_int_equal(life_counted(&life, &count, AT(66)), LIFE_CHANGED);
	assert_int_equal(life.state, LIFE_ARMED);
	assert_true(life_is_there(&life));
	/* What passes an armed rule does not keep it. */
	count.matched++;
	assert_int_equal(life_counted(&life, &count, AT(100)), LIFE_STAYS);
	assert_int_equal(life.last_match.ns, AT(5).ns);
	count.active = true;
	count.matched += 100;
	assert_int_equal(life_counted(&life, &count, AT(120)), LIFE_CHANGED);
	assert_int_equal(life.state, LIFE_ENFORCED);
	assert_int_equal(life.last_match.ns, AT(120).ns);
	/* Counts that fall are another rule's. */
	count.matched = 1;
	assert_int_equal(life_counted(&life, &count, AT(130)), LIFE_STAYS);
	assert_int_equal(life.count.matched, 1101);
}

static void waves_keep_it_longer(void **state)
{
	struct life life = made("udp and src port 123", false);
	struct life_count count = { .matched = 10, .active = true };

	(void)state;
	life_ruled(&life, 3, 0, AT(0));
	assert_int_equal(life_wanted_until(&life).ns, AT(600).ns);
	life_meet_wave(&life, AT(10));
	assert_int_equal(life_wanted_until(&life).ns, AT(1200).ns);
	assert_int_equal(life_counted(&life, &count, AT(500)), LIFE_STAYS);
	life_meet_wave(&life, AT(500 + 400)); /* a gap of 400 s: four of these, twice doubled */
	assert_int_equal(life_wanted_until(&life).ns, AT(500 + 6400).ns);
	for (unsigned i = 0; i < 40; i++)
		life_meet_wave(&life, AT(900));
	assert_int_equal(life_wanted_until(&life).ns, AT(500 + 86400).ns);
}

static void probes_that_complete_handshakes(void **state)
{
	struct life life = made("tcp and tcp flags S", false);
	struct life_count count = { .matched = 10000, .dropped = 9960, .probes = 40, .completed = 9, .active = true };

	(void)state;
	life_ruled(&life, 3, 0, AT(0));
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_STAYS);
	count.completed = 12; /* 30 % */
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_STAYS);
	count.completed = 34;
	assert_int_equal(life_counted(&life, &count, AT(2)), LIFE_REVOKE);
	assert_int_equal(life.state, LIFE_REVOKED);
	assert_string_equal(life.why, "34 of 40 probes completed handshakes");
	assert_false(life_is_there(&life));
	assert_int_equal(life_counted(&life, &count, AT(3)), LIFE_STAYS);
}

static void answered_conversations_that_it_hits(void **state)
{
	struct life life = made("udp and src port 123", false);
	struct life_count count = { .matched = 2000, .dropped = 1990, .answered = 10, .active = true };

	(void)state;
	life_ruled(&life, 3, 0, AT(0));
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_STAYS); /* .5 % */
	/* In peace it is normal traffic that matches: only from where it acts again is it judged anew. */
	count = (struct life_count){ .matched = 3000, .dropped = 1990, .answered = 900, .active = false };
	assert_int_equal(life_counted(&life, &count, AT(80)), LIFE_CHANGED);
	count = (struct life_count){ .matched = 5000, .dropped = 3980, .answered = 905, .active = true };
	assert_int_equal(life_counted(&life, &count, AT(90)), LIFE_CHANGED);
	count.answered = 911;
	assert_int_equal(life_counted(&life, &count, AT(91)), LIFE_REVOKE);
	assert_non_null(strstr(life.why, "answered conversations"));
}

static void from_the_shadow(void **state)
{
	struct life life = made("udp and src port 123", true);
	struct life_count count = { .matched = 99, .dropped = 99, .active = true };
	struct life_plan plan;

	(void)state;
	life_ruled(&life, 3, 0, AT(0));
	assert_int_equal(life.state, LIFE_SHADOW);
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_STAYS);
	assert_int_equal(life_counted(&life, &count, AT(3)), LIFE_STAYS); /* too few */
	count.matched = 100;
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_STAYS); /* too early */
	assert_int_equal(life_counted(&life, &count, AT(2)), LIFE_ENFORCE);
	life_enforced(&life, 50000, &plan);
	assert_false(plan.shadow);
	assert_true(plan.spare);
	assert_int_equal(plan.rule.rate_pps, 1000);
	assert_int_equal(plan.arm_pps, life.arm_pps);
	/* The same with users among what it would have dropped. */
	life = made("udp and src port 123", true);
	life_ruled(&life, 3, 0, AT(0));
	count = (struct life_count){ .matched = 1000, .answered = 20, .active = true };
	assert_int_equal(life_counted(&life, &count, AT(1)), LIFE_REVOKE);
	life_end(&life, LIFE_GONE, AT(2), "over");
	assert_string_equal(life.why, "over");
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(life_state_name(LIFE_PROPOSED), "proposed");
	assert_string_equal(life_state_name(LIFE_GONE), "gone");
	assert_string_equal(life_state_name((enum life_state)99), "unknown");
}

static void which_covers_which(void **state)
{
	static const struct {
		const char *wide_scope, *wide, *narrow_scope, *narrow;
		bool covers;
	} rows[] = {
		{ "192.0.2.1", "udp", "192.0.2.1", "udp and src port 123", true },
		{ "192.0.2.1", "udp and src port 123", "192.0.2.1", "udp", false },
		{ "192.0.2.0/24", "udp", "192.0.2.1", "udp", true },
		{ "192.0.2.1", "udp", "192.0.2.0/24", "udp", false },
		{ "192.0.2.1", "udp and length 40-100", "192.0.2.1", "udp and length 50-100", true },
		{ "192.0.2.1", "udp and length 50-100", "192.0.2.1", "udp and length 40-100", false },
		{ "192.0.2.1", "udp and length != 5", "192.0.2.1", "udp and length 7", false },
		{ "192.0.2.1", "udp and length != 5", "192.0.2.1", "udp and length != 5", true },
		{ "192.0.2.1", "src net 198.51.100.0/24", "192.0.2.1", "src net 198.51.100.7/32", true },
		{ "192.0.2.1", "src net 198.51.100.7/32", "192.0.2.1", "src net 198.51.100.0/24", false },
		{ "192.0.2.1", "payload[1:2] = 62", "192.0.2.1", "payload[0:4] = 61626364", true },
		{ "192.0.2.1", "payload[1:2] = 63", "192.0.2.1", "payload[0:4] = 61626364", false },
		{ "192.0.2.1", "payload[0:4] = 61626364", "192.0.2.1", "payload[1:2] = 62", false },
		{ "192.0.2.1", "tcp flags S", "192.0.2.1", "tcp flags SA", false },
		{ "192.0.2.1", "tcp and tcp flags S", "192.0.2.1", "tcp flags S and tcp and window 5", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule wide = { .scope = scope(rows[i].wide_scope) },
			    narrow = { .scope = scope(rows[i].narrow_scope) };
		struct match_error error;

		assert_int_equal(match_parse(rows[i].wide, &wide.match, &error), 0);
		assert_int_equal(match_parse(rows[i].narrow, &narrow.match, &error), 0);
		assert_int_equal(rule_covers(&wide, &narrow), rows[i].covers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_safe_one_is_ordered),
		cmocka_unit_test(who_is_spared_and_probed),
		cmocka_unit_test(what_is_not_ordered),
		cmocka_unit_test(refused),
		cmocka_unit_test(it_arms_and_acts_again),
		cmocka_unit_test(waves_keep_it_longer),
		cmocka_unit_test(probes_that_complete_handshakes),
		cmocka_unit_test(answered_conversations_that_it_hits),
		cmocka_unit_test(from_the_shadow),
		cmocka_unit_test(names),
		cmocka_unit_test(which_covers_which),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
