/* SPDX-License-Identifier: Apache-2.0 */
/* The language of the control socket: requests that are right, mistakes to the letter, answers as clients read them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/control.h"

static struct control_request good(const char *line)
{
	struct control_request request;
	struct control_error error;

	if (control_parse(line, strlen(line), &request, &error) != 0)
		fail_msg("%s: %s", line, error.what);
	return request;
}

static void plain_commands(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CONTROL_COMMANDS; i++) {
		const char *name = control_command_name((enum control_command)i);
		struct control_request request;
		struct control_error error;
		char line[64];
		bool wants =
			i == CONTROL_BLOCK || i == CONTROL_ALLOW || i == CONTROL_RELEASE || i == CONTROL_TEST_ALERT;

		(void)snprintf(line, sizeof(line), "{\"command\":\"%s\"}", name);
		assert_int_equal(control_parse(line, strlen(line), &request, &error), wants ? -EINVAL : 0);
		assert_int_equal(control_command_operates((enum control_command)i), i > CONTROL_RULES);
		if (wants)
			assert_string_equal(error.where, name);
		else
			assert_int_equal(request.command, i);
	}
}

static void whole_requests(void **state)
{
	struct control_request request =
		good("{\"command\":\"block\",\"prefix\":\"198.51.100.0/24\",\"for_s\":3600,\"reason\":\"why not\","
	             "\"client\":\"203.0.113.7 51234 22\"}");
	char text[PREFIX_TEXT_SIZE], match[MATCH_TEXT_SIZE];

	(void)state;
	assert_int_equal(request.prefix_count, 1);
	assert_string_equal(prefix_format(&request.prefixes[0], text), "198.51.100.0/24");
	assert_int_equal(request.for_ns, 3600 * NS_PER_S);
	assert_string_equal(request.reason, "why not");
	assert_string_equal(request.client, "203.0.113.7 51234 22");
	assert_true(request.has_address);
	assert_string_equal(address_format(&request.address, text), "203.0.113.7");
	control_request_fini(&request);

	request = good("{\"command\":\"allow\",\"prefixes\":[\"192.0.2.1\",\"2001:db8::/32\"]}");
	assert_int_equal(request.prefix_count, 2);
	assert_string_equal(prefix_format(&request.prefixes[1], text), "2001:db8::/32");
	control_request_fini(&request);

	request = good("{\"match\":\"udp and src port 123\",\"command\":\"block\"}");
	assert_true(request.has_rule);
	assert_false(request.has_scope);
	assert_int_equal(request.rule.action, RULE_DROP);
	assert_string_equal(match_format(&request.rule.match, match), "udp and src port 123");
	assert_string_equal(prefix_format(&request.rule.scope, text), "::/0");
	control_request_fini(&request);

	request = good("{\"command\":\"block\",\"match\":\"tcp\",\"scope\":\"192.0.2.10\",\"action\":\"rate_limit\","
	               "\"rate_pps\":1000,\"shadow\":true}");
	assert_int_equal(request.rule.action, RULE_RATE_LIMIT);
	assert_int_equal(request.rule.rate_pps, 1000);
	assert_true(request.shadow && request.has_scope);
	control_request_fini(&request);

	request = good("{\"command\":\"release\",\"rule\":\"r17\"}");
	assert_int_equal(request.rule_number, 17);
	request = good("{\"command\":\"enforce\",\"confirm_s\":60}");
	assert_int_equal(request.confirm_ns, 60 * NS_PER_S);
	request = good("{\"command\":\"enforce\",\"confirm_s\":null}");
	assert_int_equal(request.confirm_ns, 0);
	request = good("{\"command\":\"test_alert\",\"target\":\"pager\"}");
	assert_string_equal(request.target, "pager");
	request = good("{\"command\":\"rules\",\"limit\":0}");
	assert_int_equal(request.limit, 0);
}

/* From where a command comes is worth something, but no reason to refuse one. */
static void clients(void **state)
{
	/* clang-format off */
	static const struct {
		const char *client;
		bool has;
	} cases[] = {
		{ "203.0.113.7", true }, { "2001:db8::1 50000 22", true }, { "fe80::1%eth0 50000 22", true }, { "", false },
		{ "127.0.0.1 50000 22", false }, { "::1 50000 22", false }, { "somebody", false }, { "203.0.113.0/24 1 22", false },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct control_request request;
		char line[128];

		(void)snprintf(line, sizeof(line), "{\"command\":\"observe\",\"client\":\"%s\"}", cases[i].client);
		request = good(line);
		assert_int_equal(request.has_address, cases[i].has);
		assert_string_equal(request.client, cases[i].client);
	}
}

static void mistakes(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line, *where, *what;
	} cases[] = {
		{ "", "request", "octet 0: '[' or '{' expected near end of file" },
		{ "[]", "request", "this is no object" },
		{ "{}", "request", "no \"command\"" },
		{ "{\"command\":1}", "request", "no \"command\"" },
		{ "{\"command\":\"blok\"}", "request", "there is no command 'blok'" },
		{ "{\"command\":\"ping\",\"x\":1}", "ping", "ping takes no \"x\"" },
		{ "{\"command\":\"ping\",\"client\":\"\"}", "ping", "ping takes no \"client\"" },
		{ "{\"command\":\"ping\",\"command\":\"ping\"}", "request", "octet 27: duplicate object key near '\"command\"'" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1/24\"}", "block", "'192.0.2.1/24' is no address or network" },
		{ "{\"command\":\"block\",\"prefix\":7}", "block", "\"prefix\" is no string" },
		{ "{\"command\":\"block\",\"prefixes\":[]}", "block", "\"prefixes\" is no list of 1 to 4096 strings" },
		{ "{\"command\":\"block\",\"prefixes\":[\"192.0.2.1\",null]}", "block", "\"prefixes\" is no string" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"prefixes\":[\"192.0.2.2\"]}", "block", "\"prefix\" and \"prefixes\" at once" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"match\":\"udp\"}", "block", "a prefix and a match at once" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"shadow\":true}", "block", "a block of prefixes has no scope, action, rate or shadow" },
		{ "{\"command\":\"block\",\"match\":\"udp and udp port\"}", "block",
		  "character 13 of the match: expected 'and' or the end, found 'port'; did you mean 'port'?" },
		{ "{\"command\":\"block\",\"match\":\"udp\",\"action\":\"challenge\"}", "block", "'challenge' is no action that the shield has" },
		{ "{\"command\":\"block\",\"match\":\"udp\",\"rate_pps\":5}", "block", "an action that does not go with \"rate_pps\"" },
		{ "{\"command\":\"block\",\"match\":\"udp\",\"action\":\"rate_limit\"}", "block", "an action that does not go with \"rate_pps\"" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"for_s\":0}", "block", "\"for_s\" is out of bounds" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"for_s\":7776001}", "block", "\"for_s\" is out of bounds" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"for_s\":1.5}", "block", "\"for_s\" is out of bounds" },
		{ "{\"command\":\"block\",\"prefix\":\"192.0.2.1\",\"reason\":\"a\\nb\"}", "block", "\"reason\" has a control character in it" },
		{ "{\"command\":\"allow\",\"match\":\"udp\"}", "allow", "allow takes no \"match\"" },
		{ "{\"command\":\"release\",\"rule\":\"r0\"}", "release", "'r0' names no rule" },
		{ "{\"command\":\"release\",\"rule\":\"r01\"}", "release", "'r01' names no rule" },
		{ "{\"command\":\"release\",\"rule\":\"r4294967296\"}", "release", "'r4294967296' names no rule" },
		{ "{\"command\":\"release\",\"rule\":\"r1\",\"prefix\":\"192.0.2.1\"}", "release", "a prefix and a rule at once" },
		{ "{\"command\":\"enforce\",\"confirm_s\":86401}", "enforce", "\"confirm_s\" is out of bounds" },
		{ "{\"command\":\"rules\",\"limit\":1001}", "rules", "\"limit\" is out of bounds" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct control_request request = { .limit = 4711 };
		struct control_error error = { .what = "" };

		assert_int_equal(control_parse(cases[i].line, strlen(cases[i].line), &request, &error), -EINVAL);
		assert_int_equal(request.limit, 4711); /* not touched */
		assert_int_equal(error.exit, 2);
		assert_true(error.hint[0] != '\0');
		if (strcmp(error.where, cases[i].where) != 0 || strcmp(error.what, cases[i].what) != 0)
			fail_msg("%s: %s: %s", cases[i].line, error.where, error.what);
	}
}

static void assert_line(char *line, const char *wanted)
{
	assert_non_null(line);
	assert_string_equal(line, wanted);
	free(line);
}

static void answers(void **state)
{
	struct control_error error;
	struct control_tally tally = {
		.done = 2, .refused = 1, .expires_ns = 1764158400 * NS_PER_S, .refusal_count = 1
	};
	struct control_mode mode = { .enforce = true,
		                     .until_ns = 1764158400 * NS_PER_S,
		                     .left_ns = 59500LL * NS_PER_MS };
	struct control_request request =
		good("{\"command\":\"block\",\"match\":\"udp\",\"for_s\":60,\"reason\":\"x\"}");
	struct control_ruled ruled = {
		.count = 2, .numbers = { 3, 4 }, .rule = &request.rule, .expires_ns = INT64_MAX
	};
	const char notes[2][CONFIG_ERROR_SIZE] = { "one", "two" };

	(void)state;
	control_error_set(&error, "block", 1, "do that", "%s", "no \xff utf-8");
	assert_line(control_format_error(&error),
	            "{\"ok\":false,\"where\":\"block\",\"what\":\"no ? utf-8\",\"hint\":\"do that\",\"exit\":1}\n");
	tally.refusals[0] = (struct control_refusal){ .what = "no", .hint = "yes" };
	assert_int_equal(prefix_parse("192.0.2.0/24", &tally.refusals[0].prefix), 0);
	assert_line(control_format_tally("blocked", &tally),
	            "{\"ok\":true,\"result\":{\"blocked\":2,\"refused\":1,\"expires\":\"2025-11-26T12:00:00.000000Z\","
	            "\"refusals\":[{\"prefix\":\"192.0.2.0/24\",\"what\":\"no\",\"hint\":\"yes\"}]}}\n");
	assert_line(control_format_mode(&mode), "{\"ok\":true,\"result\":{\"mode\":\"enforce\",\"enforce_until\":"
	                                        "\"2025-11-26T12:00:00.000000Z\",\"enforce_left_s\":59.5}}\n");
	mode.enforce = false;
	assert_line(control_format_mode(&mode), "{\"ok\":true,\"result\":{\"mode\":\"observe\",\"enforce_until\":null,"
	                                        "\"enforce_left_s\":null}}\n");
	assert_line(control_format_ruled(&ruled),
	            "{\"ok\":true,\"result\":{\"rules\":[\"r3\",\"r4\"],\"match\":\"udp\","
	            "\"action\":\"drop\",\"expires\":null}}\n");
	assert_line(control_format_released(true, false, false),
	            "{\"ok\":true,\"result\":{\"released\":[\"block\"]}}\n");
	assert_line(control_format_reloaded(notes, 2),
	            "{\"ok\":true,\"result\":{\"reloaded\":true,\"notes\":[\"one\",\"two\"]}}\n");
	assert_line(control_format_arguments(&request),
	            "{\"for_s\":60,\"reason\":\"x\",\"match\":\"udp\",\"action\":\"drop\"}");
	control_request_fini(&request);
}

static void status_and_rules(void **state)
{
	struct control_status *status = calloc(1, sizeof(*status));
	struct shield_counters *counters = calloc(1, sizeof(*counters));
	struct control_rule *rules = calloc(1, sizeof(*rules));
	struct control_list list = { .rules = rules, .rule_count = 1 };
	struct match_error wrong;
	char *line;

	(void)state;
	assert_true(status && counters && rules);
	counters->enforced[SHIELD_DROP_BLOCK] = (struct shield_count){ 7, 420 };
	status->pid = 100;
	status->origin = "new";
	status->record_state = "ok";
	status->service_count = 1;
	status->services[0].counters = counters;
	line = control_format_status(status);
	assert_non_null(line);
	assert_non_null(strstr(
		line, "\"services\":[{\"name\":null,\"enforced\":{\"drop_block\":{\"packets\":7,\"octets\":420}},"
		      "\"observed\":{}}]"));
	assert_non_null(strstr(line, "\"rates\":null"));
	assert_non_null(strstr(line, "\"enforce_until\":null"));
	free(line);

	rules->told.number = 3;
	rules->told.rule.action = RULE_DROP;
	rules->expires_ns = rules->left_ns = INT64_MAX;
	rules->since_last_ns = -1;
	assert_int_equal(match_parse("udp", &rules->told.rule.match, &wrong), 0);
	line = control_format_list(&list);
	assert_non_null(line);
	assert_non_null(strstr(
		line, "{\"id\":\"r3\",\"scope\":\"::/0\",\"match\":\"udp\",\"action\":\"drop\",\"rate_pps\":null,"
		      "\"shadow\":false,"));
	assert_non_null(strstr(line, "\"expires\":null,\"left_s\":null,"));
	free(line);
	free(status);
	free(counters);
	free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_commands), cmocka_unit_test(whole_requests), cmocka_unit_test(clients),
		cmocka_unit_test(mistakes),       cmocka_unit_test(answers),        cmocka_unit_test(status_and_rules),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
