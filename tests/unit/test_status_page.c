/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen that is read at three in the morning, to the letter: under attack, in observe mode, with several attacks,
 * with a full link, in peace, and of answers that make no sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/time.h"
#include "cli/status_page.h"

#define COMMON                                                                                                      \
	"'pid': 101, 'since': '2025-03-10T09:00:00Z', 'uptime_s': 6000, 'version': '0.1.0', 'ready': true, "        \
	"'services': [], 'totals': {'packets': 5000, 'dropped': 4000, 'would_drop': 0}, "                           \
	"'blocks': {'ipv4': 0, 'ipv6': 0, 'capacity': 1024}, 'allowed': 0, 'ways_in': [{'from': '203.0.113.7/32', " \
	"'port': 22, 'left_s': null}], 'samples': {'taken': 1, 'lost': 0, 'interval': 8}, 'flows_full': 0, "        \
	"'record': {'written': 3, 'lost': 0, 'state': 'ok'}, 'roles': {'restarts': 0}, "                            \
	"'interfaces': [{'name': 'eth0', 'hook': 'native'}], 'rules': [{'id': 'r3', 'match': 'udp and src port 123'}]"

#define RULE                                                                                                                   \
	"{'id': 'r3', 'state': 'enforced', 'match': 'udp and src port 123 and length 468', 'action': 'drop', "                 \
	"'why': '0 of 31204 normal packets match', 'matched': 155000000, 'dropped': 155000000, 'spared': 0, 'bound_ppm': 96, " \
	"'baseline_samples': 31204, 'verified_hits': 0, 'verified_samples': 31204}"

#define ATTACK(rules)                                                                                             \
	"{'id': '00000000c0ffee00', 'service': 'web', 'target': '192.0.2.10/32', 'vector': 'ntp_reflection', "    \
	"'began': '2025-03-10T09:45:12Z', 'age_s': 38, 'pps': 4100000, 'bps': 15500000000, 'passing_ppm': 8000, " \
	"'over': false, 'advice': null, 'rules': [" rules "]}"

#define USERS "'users': {'answered_pps': 31204, 'lost_ppm': 300, 'handshakes_pps': 12}"
#define LINK                                                                                                            \
	"'links': [{'name': 'eth0', 'speed_mbps': 25000, 'rx_bps': 15500000000, 'rx_pps': 4200000, 'rx_drops_pps': 0, " \
	"'percent': 61, 'full': false}]"

/* What is shown of an answer written with ' for ". The caller's to free. */
static char *page_of(const char *text, unsigned width, bool color, bool unicode)
{
	struct paper paper = { .width = width, .color = color, .unicode = unicode };
	char *json = strdup(text), *page = NULL;
	size_t length = 0;
	json_error_t error;
	json_t *now;

	assert_non_null(json);
	for (char *at = json; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	now = json_loads(json, 0, &error);
	if (!now)
		fail_msg("%s at %d", error.text, error.position);
	free(json);
	paper.out = open_memstream(&page, &length);
	assert_non_null(paper.out);
	status_page_write(&paper, now, now, NS_PER_S);
	assert_int_equal(fclose(paper.out), 0);
	json_decref(now);
	return page;
}

/* The page begins so. */
static void begins(const char *text, unsigned width, const char *wanted)
{
	char *page = page_of(text, width, false, true);

	if (strncmp(page, wanted, strlen(wanted)) != 0)
		fail_msg("\n%s\nis not\n%s", page, wanted);
	free(page);
}

static void has(const char *text, unsigned width, const char *wanted)
{
	char *page = page_of(text, width, false, true);

	if (!strstr(page, wanted))
		fail_msg("\n%s\nhas no\n%s", page, wanted);
	free(page);
}

static void under_attack(void **state)
{
	static const char now[] =
		"{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK(RULE) "], " USERS ", " LINK ", 'alerts': null}";

	(void)state;
	begins(now, 120,
	       "ATTACK 09:45:12 +38 s   web 192.0.2.10   ntp_reflection   4.1 Mpps  16 Gbit/s   mode ENFORCE  XDP native\n"
	       "DROPPED 99.2 %   USERS IN 99.97 % of 31 kpps answered   LINK 61 %\n"
	       "RULE r3   udp and src port 123 and length 468    verified users hit 0 of 31,204 (at most 0.01 %)\n"
	       "          enforced; matched 155,000,000, dropped 155,000,000\n"
	       "UNDO  holdfast release r3      SAY  holdfast incident latest\n"
	       "\n"
	       "MODE ENFORCE  UNDO  holdfast observe\n");
	/* Narrow: nothing is cut, and the match stays in one piece. */
	begins(now, 60,
	       "ATTACK 09:45:12 +38 s   web 192.0.2.10   ntp_reflection\n"
	       "       4.1 Mpps  16 Gbit/s   mode ENFORCE  XDP native\n"
	       "DROPPED 99.2 %   USERS IN 99.97 % of 31 kpps answered\n"
	       "         LINK 61 %\n"
	       "RULE r3   udp and src port 123 and length 468\n"
	       "          verified users hit 0 of 31,204 (at most 0.01 %);\n"
	       "          enforced; matched 155,000,000, dropped 155,000,000\n"
	       "UNDO  holdfast release r3      SAY  holdfast incident latest\n");
}

/* The rule of the attack is not listed a second time. */
static void no_rule_twice(void **state)
{
	static const char now[] =
		"{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK(RULE) "], " USERS ", " LINK ", 'alerts': null}";
	char *page = page_of(now, 100, false, true);

	(void)state;
	assert_null(strstr(page, "ENDS IN"));
	free(page);
	has("{" COMMON ", 'mode': 'enforce', 'attacks': []}", 100, "ENDS IN");
}

static void observing(void **state)
{
	static const char now[] = "{" COMMON ", 'mode': 'observe', 'attacks': [" ATTACK(
		RULE) "], 'users': {'lost_ppm': null}, "
		      "'links': [{'name': 'eth0', 'rx_bps': 1000000, 'percent': null, 'full': false}]}";

	(void)state;
	begins(now, 120,
	       "ATTACK 09:45:12 +38 s   web 192.0.2.10   ntp_reflection   4.1 Mpps  16 Gbit/s   mode OBSERVE  XDP native\n"
	       "WOULD DROP 99.2 %   USERS IN not known: none is answered   LINK 1.0 Mbit/s\n"
	       "RULE r3   udp and src port 123 and length 468    verified users hit 0 of 31,204 (at most 0.01 %)\n"
	       "          enforced, but the mode is observe; matched 155,000,000, dropped 155,000,000\n"
	       "DROP  holdfast enforce --confirm 60s      UNDO  holdfast release r3      SAY  holdfast incident latest\n");
}

static void rules_in_all_states(void **state)
{
#define ONE(id, state, why) \
	"{'id': " id ", 'state': '" state "', 'match': 'udp', 'action': 'rate_limit', 'why': '" why "'}"
	static const char now[] = "{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK(
		ONE("'r9'", "revoked", "34 of 40 probes completed handshakes") "," ONE("null", "proposed", "") "," ONE(
			"'r5'", "armed", "nothing matched for 60 s") "," ONE("'r6'", "shadow",
	                                                                     "") "," ONE("'r7'", "gone",
	                                                                                 "") "," ONE("'r8'", "enforced",
	                                                                                             "")) "], " USERS
													  "}";
#undef ONE

	(void)state;
	begins(now, 120,
	       "ATTACK 09:45:12 +38 s   web 192.0.2.10   ntp_reflection   4.1 Mpps  16 Gbit/s   mode ENFORCE  XDP native\n"
	       "DROPPED 99.2 %   USERS IN 99.97 % of 31 kpps answered\n"
	       "RULE r8   udp    what it costs users is not known: no normal traffic was seen before\n"
	       "          enforced, rate_limit; matched 0, dropped 0\n"
	       "RULE r6   udp    what it costs users is not known: no normal traffic was seen before\n"
	       "          shadow, rate_limit; matched 0, dropped 0\n"
	       "RULE r5   udp    what it costs users is not known: no normal traffic was seen before\n"
	       "          armed, rate_limit: nothing matched for 60 s; matched 0, dropped 0\n"
	       "RULE -    udp    what it costs users is not known: no normal traffic was seen before\n"
	       "          proposed, rate_limit; matched 0, dropped 0\n"
	       "     and 1 more: holdfast rules\n"
	       "UNDO  holdfast release r8, 2 more      SAY  holdfast incident latest\n");
}

static void no_rule_yet(void **state)
{
	(void)state;
	has("{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK("") "], " USERS "}", 120,
	    "RULE none yet: what the packets have in common is being sought\nSAY  holdfast incident latest\n");
	has("{" COMMON
	    ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'target': '2001:db8::10/128', 'over': false, 'rules': [], "
	    "'advice': 'no rule is safe: raise the limits of the server'}]}",
	    120, "ADVICE  no rule is safe: raise the limits of the server\n");
}

static void where_no_signature_is_safe(void **state)
{
	(void)state;
	has("{" COMMON
	    ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'target': '192.0.2.10/32', 'over': false, 'fallback': 'prefer_known', "
	    "'rules': [{'id': 'r4', 'state': 'enforced', 'match': 'udp and dst port 53', 'action': 'rate_limit', 'why': 'no "
	    "safe signature: so', 'matched': 900, 'dropped': 800, 'known': 70, 'known_lost': 3, 'fallback': true, "
	    "'unless_known': true, 'each_source': false, 'source_pps': 20}]}]}",
	    160,
	    "RULE r4   udp and dst port 53, unless the source is known and sends no more than 20/s    by who sends, not by "
	    "what\n"
	    "          enforced, rate_limit: no safe signature: so; matched 900, dropped 800, let 70 of known sources pass and "
	    "dropped 3\n"
	    "FALL-BACK  no safe signature: sources known from peace are preferred, others share what is usual\n");
	has("{" COMMON
	    ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'target': '192.0.2.10/32', 'over': false, 'fallback': 'limit', "
	    "'rules': [{'id': 'r4', 'state': 'enforced', 'match': 'udp', 'action': 'rate_limit', 'why': '', 'matched': 9, "
	    "'dropped': 8, 'fallback': true, 'each_source': true, 'source_pps': null}]}]}",
	    160, "RULE r4   udp, of each source    by who sends, not by what\n");
}

static void several(void **state)
{
	(void)state;
	has("{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK(RULE) "," ATTACK(RULE) "," ATTACK(RULE) "," ATTACK(
		    RULE) "," ATTACK(RULE) "], " USERS "}",
	    120, "SAY  holdfast incident 00000000\n\nand 1 more attack: holdfast incidents\n");
	begins("{" COMMON
	       ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'target': '192.0.2.0/24', 'over': true, 'vector': 'syn_flood', "
	       "'began': '2025-03-10T09:45:12Z', 'age_s': 90, 'rules': []}], " USERS "}",
	       100,
	       "OVER   09:45:12 +1 min 30 s   192.0.2.0/24   syn_flood   mode ENFORCE  XDP native\nUSERS IN 99.97 %");
}

static void links_that_are_full(void **state)
{
	(void)state;
	begins("{" COMMON ", 'mode': 'enforce', 'attacks': [], 'links': [{'name': 'eth0', 'percent': 99, 'full': true, "
	       "'rx_drops_pps': 1200000}, {'name': 'eth1', 'full': false}]}",
	       120,
	       "QUIET no attack goes on; what is normal is still to be learned\n"
	       "LINK eth0 IS FULL: 1.2 Mpps lost before they can be filtered; filtering here cannot help: ask upstream to filter, or to\n"
	       "     move the traffic\n");
	has("{" COMMON ", 'mode': 'enforce', 'attacks': [" ATTACK(
		    "") "], 'links': [{'name': 'eth0', 'percent': 99, 'full': true}, "
	                "{'name': 'eth1', 'full': false}]}",
	    120, "LINK eth0 99 % FULL, eth1 not known yet\n");
}

static void peace(void **state)
{
	(void)state;
	begins("{" COMMON ", 'mode': 'enforce', 'attacks': [], 'engine': {'baseline_s': 7200}, " USERS ", " LINK
	       ", 'alerts': {'targets': 1, 'sent': 4, 'failed': 1, 'queued': 2, 'unsaid': 3, 'state': 'pager: HTTP 403'}}",
	       100,
	       "QUIET no attack goes on; normal traffic of 2 h is known; users answered: 31 kpps\n"
	       "MODE ENFORCE  UNDO  holdfast observe\n"
	       "XDP  eth0 native\n");
	has("{" COMMON
	    ", 'mode': 'enforce', 'attacks': [], 'alerts': {'sent': 4, 'failed': 1, 'queued': 2, 'unsaid': 3, "
	    "'state': 'pager: HTTP 403'}}",
	    100, "ALERTS  pager: HTTP 403, 4 sent, 1 failed, 2 wait, 3 not told: there were too many\n");
	/* Who does not watch does not say that it is quiet. */
	begins("{" COMMON ", 'mode': 'enforce'}", 100, "MODE ENFORCE");
}

static void between_two_waves(void **state)
{
	(void)state;
	begins("{" COMMON
	       ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'target': '192.0.2.0/24', 'over': false, 'pps': 0, "
	       "'passing_ppm': 0, 'vector': 'syn_flood', 'began': '2025-03-10T09:45:12Z', 'age_s': 90, 'rules': []}], " USERS
	       "}",
	       100,
	       "PAUSED 09:45:12 +1 min 30 s   192.0.2.0/24   syn_flood   mode ENFORCE  XDP native\nUSERS IN 99.97 %");
}

/* Colours only where they are asked for; nothing but ASCII where there is nothing else; nothing that moves a cursor. */
static void terminals(void **state)
{
	static const char now[] =
		"{" COMMON ", 'mode': 'enforce', 'attacks': [{'id': 'a', 'service': 'w\\u001b[2Jé', 'target': '::/0', "
		"'over': false, 'rules': [" RULE "]}]}";
	char *page = page_of(now, 100, false, false);

	(void)state;
	for (const char *at = page; *at; at++)
		assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
	assert_non_null(strstr(page, "w?[2J?"));
	free(page);
	page = page_of(now, 100, true, true);
	assert_non_null(strstr(page, "\033[1;31mATTACK\033[0m"));
	assert_null(strstr(page, "\033[2J"));
	assert_non_null(strstr(page, "é"));
	free(page);
}

/* An answer of another program, or of a later version, is no reason to fail. */
static void nonsense(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{'attacks': 5, 'links': {}, 'users': [], 'alerts': 'x', 'engine': 1, 'rules': null}",
		"{'attacks': [5, null, {}, [], 'x'], 'links': [1, {}, {'full': true}]}",
		"{'attacks': [{'target': 7, 'rules': [1, {}, {'state': 8}], 'passing_ppm': -4, 'over': 'x', 'age_s': 1e300}]}",
		"{'attacks': [{'passing_ppm': 99999999, 'over': false, 'rules': {}}], 'users': {'lost_ppm': 99999999}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(page_of(texts[i], 80, true, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(under_attack),
		cmocka_unit_test(no_rule_twice),
		cmocka_unit_test(observing),
		cmocka_unit_test(rules_in_all_states),
		cmocka_unit_test(no_rule_yet),
		cmocka_unit_test(where_no_signature_is_safe),
		cmocka_unit_test(several),
		cmocka_unit_test(links_that_are_full),
		cmocka_unit_test(peace),
		cmocka_unit_test(terminals),
		cmocka_unit_test(between_two_waves),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
