/* SPDX-License-Identifier: Apache-2.0 */
/* What is ordered where no signature is safe, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "defend/fallback.h"
#include "made.h"

#define MANY 100

static const struct address source = { .octets = { [10] = 0xff, [11] = 0xff, 203, 0, 113, 9 } };
static const struct address target = { .octets = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };

static const char *text_of(const struct observation *packets, uint32_t count)
{
	static char text[MATCH_TEXT_SIZE];
	struct match match, again;
	struct match_error wrong;

	assert_true(fallback_match(packets, count, &match));
	match_format(&match, text);
	assert_int_equal(match_parse(text, &again, &wrong), 0);
	return text;
}

static void a_match_names_protocol_and_port(void **state)
{
	struct observation packets[MANY] = { 0 };
	struct match match;

	(void)state;
	assert_false(fallback_match(packets, 0, &match));
	for (unsigned i = 0; i < MANY; i++)
		packets[i] = made_udp(i, source, (uint16_t)(1000 + i), target, 53, 0);
	assert_string_equal(text_of(packets, MANY), "udp and dst port 53");
	for (unsigned i = 0; i < 5; i++)
		packets[i * 7].dst_port = 99;
	assert_string_equal(text_of(packets, MANY), "udp and dst port 53");
	packets[91].dst_port = 99; /* six of a hundred */
	assert_string_equal(text_of(packets, MANY), "udp");
	for (unsigned i = 0; i < MANY; i++)
		packets[i].dst_port = (uint16_t)i;
	assert_string_equal(text_of(packets, MANY), "udp");
	for (unsigned i = 0; i < MANY; i++)
		packets[i] = made_ip(i, source, target, i % 3 ? MADE_ICMP : MADE_UDP, 60);
	assert_string_equal(text_of(packets, MANY), "icmp");
	for (unsigned i = 0; i < MANY; i++)
		packets[i].protocol = MADE_GRE;
	assert_string_equal(text_of(packets, MANY), "proto 47");
	for (unsigned i = 0; i < MANY; i++)
		packets[i].protocol = MADE_ICMPV6;
	assert_string_equal(text_of(packets, MANY), "icmp6");
	for (unsigned i = 0; i < MANY; i++)
		packets[i] = made_tcp(i, source, (uint16_t)(1000 + i), target, 443, TCP_ACK, 0, 0);
	assert_string_equal(text_of(packets, MANY), "tcp and dst port 443");
}

static enum fallback_state plan_of(enum fallback_allowed allowed, uint32_t source_pps, uint32_t all_pps, uint64_t peak,
                                   bool provokes, struct life_plan *plan, struct signature *signature)
{
	const struct fallback_peace peace = { source_pps, all_pps };
	const struct life_attack attack = { .scope = prefix_of(&target, 32), .peak_pps = peak, .provokes = provokes };
	const struct match match = { .count = 1, .terms[0].field = MATCH_UDP };

	return fallback_plan(allowed, &peace, &attack, &match, plan, signature);
}

static void only_what_is_allowed_and_learned(void **state)
{
	struct signature signature;
	struct life_plan plan;

	(void)state;
	assert_int_equal(plan_of(FALLBACK_NONE, 10, 100, 5000, false, &plan, &signature), FALLBACK_OFF);
	assert_int_equal(plan_of(FALLBACK_LIMIT, 0, 0, 5000, false, &plan, &signature), FALLBACK_UNLEARNED);
	assert_int_equal(plan_of(FALLBACK_PREFER_KNOWN, 10, 0, 5000, false, &plan, &signature), FALLBACK_UNLEARNED);

	assert_int_equal(plan_of(FALLBACK_LIMIT, 10, 100, 50000, false, &plan, &signature), FALLBACK_LIMITS);
	assert_true(plan.fallback && plan.each && !plan.known && plan.spare && !plan.probe && !plan.shadow);
	assert_int_equal(plan.rule.action, RULE_RATE_LIMIT);
	assert_int_equal(plan.rule.rate_pps, 20);
	assert_int_equal(plan.source_pps, 0);
	assert_int_equal(plan.arm_pps, 5000);
	assert_string_equal(signature.reason,
	                    "no safe signature: 20 packets/s of each source, twice what nearly all send in peace");
	assert_false(signature.has_bound);

	assert_int_equal(plan_of(FALLBACK_PREFER_KNOWN, 10, 300, 5000, true, &plan, &signature), FALLBACK_PREFERS);
	assert_true(plan.fallback && plan.known && !plan.each && !plan.spare);
	assert_int_equal(plan.rule.rate_pps, 300);
	assert_int_equal(plan.source_pps, 20);
	assert_int_equal(plan.arm_pps, 600); /* not at what peace brings */
	assert_string_equal(
		signature.reason,
		"no safe signature: sources known from peace pass, up to 20 packets/s each; all others share 300");

	/* However quiet peace was. */
	assert_int_equal(plan_of(FALLBACK_PREFER_KNOWN, 1, 2, 100, false, &plan, &signature), FALLBACK_PREFERS);
	assert_int_equal(plan.rule.rate_pps, FALLBACK_ALL_PPS_MIN);
	assert_int_equal(plan.source_pps, FALLBACK_SOURCE_PPS_MIN);
	assert_int_equal(plan.arm_pps, 2 * FALLBACK_ALL_PPS_MIN);
	assert_int_equal(plan_of(FALLBACK_LIMIT, UINT32_MAX, UINT32_MAX, UINT64_MAX, false, &plan, &signature),
	                 FALLBACK_LIMITS);
	assert_int_equal(plan.rule.rate_pps, UINT32_MAX);
	assert_int_equal(plan.arm_pps, UINT32_MAX);
}

static void every_state_has_its_word(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= FALLBACK_REVOKED; i++) {
		const char *name = fallback_state_name((enum fallback_state)i),
			   *says = fallback_state_says((enum fallback_state)i);

		assert_string_not_equal(name, "unknown");
		assert_string_equal(fallback_state_says_of(name), says);
		if (i == FALLBACK_NOT_NEEDED)
			assert_string_equal(says, "");
		else
			assert_int_equal(strncmp(says, "no safe signature", 17), 0);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(name, fallback_state_name((enum fallback_state)k));
	}
	assert_string_equal(fallback_state_name((enum fallback_state)99), "unknown");
	assert_string_equal(fallback_state_says((enum fallback_state)99), "");
	assert_string_equal(fallback_state_says_of("something"), "");
}

/* What it drops of those who are known is what it costs. */
static void it_goes_where_it_hits_the_known(void **state)
{
	const struct capture_time now = { NS_PER_S };
	struct life_count count = { .active = true };
	struct signature signature;
	struct life_plan plan;
	struct life life;

	(void)state;
	(void)plan_of(FALLBACK_PREFER_KNOWN, 10, 100, 5000, false, &plan, &signature);
	life_begin(&life, 1, 2, &plan, &signature, now);
	life_ruled(&life, 1, 0, now);
	assert_true(life.fallback && life.known && !life.each);
	assert_int_equal(life.source_pps, 20);
	count.matched = 10000;
	count.dropped = 9000;
	count.known = 900;
	count.answered = 9000; /* whom it spares is no harm */
	count.known_lost = LIFE_KNOWN_LOST + 50;
	assert_int_equal(life_counted(&life, &count, now), LIFE_STAYS);
	count.matched = 20000;
	count.known_lost = 9000 * LIFE_KNOWN_PERCENT / 100;
	assert_int_equal(life_counted(&life, &count, now), LIFE_STAYS);
	count.known_lost++;
	assert_int_equal(life_counted(&life, &count, now), LIFE_REVOKE);
	assert_int_equal(life.state, LIFE_REVOKED);
	assert_string_equal(life.why, "2701 packets that it dropped were of sources known from peace");
	/* Of few nothing is said. */
	life_begin(&life, 1, 2, &plan, &signature, now);
	life_ruled(&life, 1, 0, now);
	count = (struct life_count){
		.matched = 200, .dropped = LIFE_KNOWN_LOST - 1, .known_lost = LIFE_KNOWN_LOST - 1, .active = true
	};
	assert_int_equal(life_counted(&life, &count, now), LIFE_STAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_match_names_protocol_and_port),
		cmocka_unit_test(only_what_is_allowed_and_learned),
		cmocka_unit_test(every_state_has_its_word),
		cmocka_unit_test(it_goes_where_it_hits_the_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
