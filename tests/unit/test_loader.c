/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's decisions, with a shield that only notes what it is told: in which order it puts a configuration into
 * force, what it keeps of a shield that stands, that it takes orders but no others, and that a reload is whole or
 * nothing. The loader runs in a process of its own; this one is its parent and its engine.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/message.h"
#include "daemon/role.h"
#include "engine/live.h"
#include "fake_shield.h"
#include "role_child.h"

static struct fake *fake;
static char folder[] = "/tmp/holdfast-loader-XXXXXX";
static pid_t loader;
static int parent_end, engine_end;

/* ---- the loader as its fellows see it ---- */

static void begin(void)
{
	static const struct role_start start = { .uid = 0 };
	int parent_ends[2], engine_ends[2];

	channel(parent_ends);
	channel(engine_ends);
	loader = role_child_start(loader_role, &start, (int[]){ parent_ends[1], engine_ends[1] }, 2);
	assert_true(loader > 0);
	(void)close(parent_ends[1]);
	(void)close(engine_ends[1]);
	parent_end = parent_ends[0];
	engine_end = engine_ends[0];
}

/* Closes what is left of the channels; the loader's exit status. */
static int end(void)
{
	(void)close(parent_end);
	(void)close(engine_end);
	return role_child_end(loader);
}

static void restored(void)
{
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_MAPS);
	message_init(&message, MESSAGE_RESTORED, 0);
	message.number = 8;
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
}

static struct message *order(enum message_type type)
{
	message_init(&message, type, 42);
	return &message;
}

/* Sends the order; the result of the answer. */
static int answered(void)
{
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_ANSWER);
	assert_int_equal(message.id, 42);
	return message.answer.result;
}

static void assert_notes(const char *wanted)
{
	if (strcmp(fake->notes, wanted) != 0)
		fail_msg("noted:\n%s\nwanted:\n%s", fake->notes, wanted);
}

static void forget_notes(void)
{
	fake->length = 0;
	fake->notes[0] = '\0';
}

/* A configuration that names `interfaces` and ends with `more`. */
static const char *config_of(const char *interfaces, const char *more)
{
	static char text[1024];

	(void)snprintf(text, sizeof(text),
	               "bpffs_dir: %s\nshield: { interfaces: [%s], management: { from: [192.0.2.0/24] } }\n%s", folder,
	               interfaces, more);
	return text;
}

static void begin_taken_over(void)
{
	fake->origin = SHIELD_TAKEN_OVER;
	begin();
	configure(parent_end, config_of("eth0", ""), "");
	assert_int_equal(applied(parent_end), 0);
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_STATE);
	forget_notes();
}

/* ---- beginning ---- */

static void a_new_shield(void **state)
{
	char wanted[1024];

	(void)state;
	fake->origin = SHIELD_NEW;
	begin();
	configure(parent_end,
	          config_of("eth0, eth1", "mode: enforce\nallow: [203.0.113.0/24]\ntrusted_proxies: [198.18.0.1]\n"
	                                  "services: [{ name: web, addresses: [192.0.2.10] }]\n"),
	          "");
	restored();
	assert_int_equal(applied(parent_end), 0);
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_STATE);
	assert_int_equal(message.state.hook_count, 2);
	assert_string_equal(message.state.hooks[1].name, "eth1");
	/* What lets people in stands before anything can drop. */
	(void)snprintf(wanted, sizeof(wanted),
	               "follow\nopen %s 1048576\nkeep\nseal\nfilter loader\nservices 1 web\n"
	               "allow 198.18.0.1/32 for good\nallow 203.0.113.0/24 for good\nmode enforce for good\n"
	               "way 192.0.2.0/24 22 for good\nguard 1\nmaps /pins\nattach eth0\nattach eth1\ncommit\n",
	               folder);
	assert_notes(wanted);
	assert_int_equal(fake->next_rule, 7); /* r8 is the next */
	assert_int_equal(end(), 0);
}

static void a_shield_that_stands(void **state)
{
	char wanted[1024];

	(void)state;
	fake->origin = SHIELD_TAKEN_OVER;
	fake->attached_count = 2; /* one of them is no longer named */
	memcpy(fake->attached, (char[2][16]){ "eth0", "eth5" }, 32);
	fake->enforce = true;
	fake->until = SHIELD_NEVER;
	fake->allowed_before = true;
	begin();
	configure(parent_end, config_of("eth0", "mode: observe\n"), "");
	assert_int_equal(applied(parent_end), 0); /* the engine need not have restored anything */
	(void)snprintf(wanted, sizeof(wanted),
	               "follow\nopen %s 1048576\nkeep\nseal\nfilter loader\nservices 0\ndisallow 198.51.100.0/24\n"
	               "way 192.0.2.0/24 22 for good\nguard 1\nmaps /pins\nattach eth0\ndetach eth5\ncommit\n",
	               folder);
	assert_notes(wanted);
	assert_true(fake->enforce); /* the mode is the operator's */
	assert_int_equal(end(), 0);
}

static void an_interface_that_is_not_there(void **state)
{
	(void)state;
	fake->origin = SHIELD_NEW;
	(void)snprintf(fake->fail, sizeof(fake->fail), "attach eth7");
	fake->fail_with = -ENODEV;
	begin();
	configure(parent_end, config_of("eth0, eth7", ""), "");
	restored();
	assert_int_equal(applied(parent_end), -ENODEV);
	assert_int_equal(message.applied.line_count, 1);
	assert_string_equal(message.applied.lines[0], "attach eth7: it fails; let it be");
	assert_int_equal(end(), 1);
	assert_non_null(strstr(fake->notes, "attach eth7!\ndetach eth0\nremove ")); /* nothing is left behind */
	assert_null(strstr(fake->notes, "commit"));
}

static void what_cannot_be_opened(void **state)
{
	(void)state;
	(void)snprintf(fake->fail, sizeof(fake->fail), "open");
	fake->fail_with = -EPERM;
	begin();
	configure(parent_end, config_of("eth0", ""), "");
	assert_int_equal(applied(parent_end), -EPERM);
	assert_non_null(strstr(message.applied.lines[0], "it fails; let it be"));
	assert_int_equal(end(), 1);
	assert_null(strstr(fake->notes, "attach"));
}

/* ---- orders ---- */

static void orders_are_done(void **state)
{
	struct prefix prefix;

	(void)state;
	begin_taken_over();

	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message.rule.made_by = 1000;
	message_text(message.rule.match, sizeof(message.rule.match), "udp and length >400");
	assert_int_equal(answered(), 0);
	assert_int_equal(message.answer.number, 1);

	order(MESSAGE_RENEW_RULE)->renewal.number = 1;
	message.renewal.for_ns = NS_PER_S;
	assert_int_equal(answered(), 0);
	order(MESSAGE_REMOVE_RULE)->number = 1;
	assert_int_equal(answered(), 0);

	order(MESSAGE_ALLOW)->allow.for_ns = NS_PER_S;
	message.allow.prefixes.count = 3;
	for (unsigned i = 0; i < 3; i++) {
		static const char *const texts[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };

		assert_int_equal(prefix_parse(texts[i], &prefix), 0);
		message_put_prefix(&message.allow.prefixes.prefix[i], &prefix);
	}
	(void)snprintf(fake->fail, sizeof(fake->fail), "allow 192.0.2.2");
	fake->fail_with = -ENOSPC;
	assert_int_equal(answered(), -ENOSPC);
	assert_int_equal(message.answer.done, 1);
	assert_string_equal(message.answer.hint, "let it be");

	order(MESSAGE_MODE)->mode.enforce = 1;
	message.mode.for_ns = 60 * NS_PER_S;
	assert_int_equal(answered(), 0);
	(void)order(MESSAGE_CONFIRM);
	assert_int_equal(answered(), 0);
	(void)order(MESSAGE_CONFIRM);
	assert_int_equal(answered(), -ENOENT); /* it is for good already */

	assert_notes(
		"rule udp and length >= 401 to ::/0 by 1000\nrenew_rule 1 until 1001\nremove_rule 1\nallow 192.0.2.1/32 for a time\n"
		"allow 192.0.2.2/32 for a time!\nmode enforce for a time\nmode enforce for good\n");
	assert_int_equal(end(), 0);
}

/* A way in is open before what comes next is done. */
static void ways_come_first(void **state)
{
	struct prefix host;

	(void)state;
	begin_taken_over();
	assert_int_equal(prefix_parse("203.0.113.7", &host), 0);
	message_put_prefix(&order(MESSAGE_WAY)->prefix, &host);
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	order(MESSAGE_MODE)->mode.enforce = 1;
	assert_int_equal(answered(), 0);
	assert_notes(
		"way 192.0.2.0/24 22 for good\nway 203.0.113.7/32 22 for a time\nguard 2\nmode enforce for good\n");
	assert_int_equal(end(), 0);
}

static void what_hits_a_way_in_is_refused(void **state)
{
	(void)state;
	begin_taken_over();
	(void)snprintf(fake->fail, sizeof(fake->fail), "rule");
	fake->fail_with = -EPERM;
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message_text(message.rule.match, sizeof(message.rule.match), "tcp and dst port 22");
	assert_int_equal(answered(), -EPERM);
	assert_string_equal(message.answer.what, "rule tcp and dst port 22 to ::/0 by 0: it fails");
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message_text(message.rule.match, sizeof(message.rule.match), "no match at all");
	assert_int_equal(answered(), -EINVAL);
	assert_notes("rule tcp and dst port 22 to ::/0 by 0!\n");
	assert_int_equal(end(), 0);
}

/* The engine's own rules are as many as LIVE_RULES_MAX, and then people's still find room. */
static void room_is_left_for_people(void **state)
{
	(void)state;
	fake->rule_count = LIVE_RULES_MAX;
	for (unsigned i = 0; i < LIVE_RULES_MAX; i++)
		fake->rules[i] = (struct shield_rule_told){ .number = i + 1, .made_by = SHIELD_BY_ENGINE };
	begin_taken_over();
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message.rule.made_by = SHIELD_BY_ENGINE;
	message_text(message.rule.match, sizeof(message.rule.match), "udp");
	assert_int_equal(answered(), -ENOSPC);
	assert_string_equal(message.answer.what, "48 rules of the engine's own are in force");
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message_text(message.rule.match, sizeof(message.rule.match), "udp");
	assert_int_equal(answered(), 0);
	fake->rules[0].made_by = 0;
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message.rule.made_by = SHIELD_BY_ENGINE;
	message.rule.spare = message.rule.probe = 1;
	message.rule.arm_pps = 50;
	message.rule.hold_s = 60;
	message_text(message.rule.match, sizeof(message.rule.match), "udp");
	assert_int_equal(answered(), 0);
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message.rule.known = message.rule.each = 1;
	message.rule.source_pps = 40;
	message_text(message.rule.match, sizeof(message.rule.match), "tcp");
	assert_int_equal(answered(), 0);
	order(MESSAGE_FREEZE)->freeze = (struct message_freeze){ .attacked = 5, .for_ns = NS_PER_S };
	assert_int_equal(answered(), 0);
	assert_notes("rule udp to ::/0 by 0\nrule udp to ::/0 by 4294967295 spare probe arm 50 hold 60\n"
	             "rule tcp to ::/0 by 0 known each of 40\nfreeze 5\n");
	assert_int_equal(end(), 0);
}

/* Of what is no order nothing is done, and the loader ends: whoever sends such things is not to be listened to. */
static void what_is_no_order(void **state)
{
	static const enum message_type types[] = { MESSAGE_CONFIG, MESSAGE_RELOADED, MESSAGE_MAPS, MESSAGE_RECORD,
		                                   MESSAGE_APPLIED };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		begin_taken_over();
		(void)order(types[i]);
		assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
		order(MESSAGE_MODE)->mode.enforce = 1;
		(void)message_send(engine_end, &message, NULL, 0);
		assert_int_equal(waitpid(loader, NULL, 0), loader);
		assert_notes("close\n");
		(void)close(parent_end);
		(void)close(engine_end);
		forget_notes();
	}
}

/* ---- reload ---- */

static void a_reload(void **state)
{
	(void)state;
	begin_taken_over();
	configure(parent_end,
	          config_of("eth1", "mode: enforce\nservices: [{ name: dns, addresses: [192.0.2.53], udp: [53] }]\n"),
	          "");
	assert_int_equal(applied(parent_end), 0);
	assert_notes("attach eth1\nservices 1 dns\nmode enforce for good\ndetach eth0\n");
	assert_int_equal(end(), 0);
}

static void a_reload_that_fails(void **state)
{
	(void)state;
	begin_taken_over();
	(void)snprintf(fake->fail, sizeof(fake->fail), "services 1");
	fake->fail_with = -ENOSPC;
	configure(parent_end,
	          config_of("eth0, eth1", "mode: enforce\nservices: [{ name: dns, addresses: [192.0.2.53] }]\n"), "");
	assert_int_equal(applied(parent_end), -ENOSPC);
	assert_string_equal(message.applied.lines[0], "services 1 dns: it fails; let it be");
	/* The old one stands: its services, its interfaces, its mode. */
	assert_notes("attach eth1\nservices 1 dns!\nservices 0\ndetach eth1\n");
	/* And the loader goes on. */
	fake->fail[0] = '\0';
	(void)order(MESSAGE_MODE);
	assert_int_equal(answered(), 0);
	assert_int_equal(end(), 0);
}

/* Of an allow list that there is no room for nothing is in force, and what was before is. */
static void allowances_that_fail(void **state)
{
	(void)state;
	fake->allowed_before = true;
	begin_taken_over();
	(void)snprintf(fake->fail, sizeof(fake->fail), "allow 203.0.113.0/24");
	fake->fail_with = -ENOSPC;
	configure(parent_end, config_of("eth0", "allow: [192.0.2.0/24, 203.0.113.0/24]\n"), "");
	assert_int_equal(applied(parent_end), -ENOSPC);
	assert_notes("services 0\ndisallow 198.51.100.0/24\nallow 192.0.2.0/24 for good\n"
	             "allow 203.0.113.0/24 for good!\ndisallow 192.0.2.0/24\ndisallow 203.0.113.0/24\n"
	             "allow 198.51.100.0/24 for good\nservices 0\n");
	assert_int_equal(end(), 0);
}

/* What was allowed for a time, and would have been for good, is so for its time again. */
static void allowances_that_pass(void **state)
{
	(void)state;
	fake->passing_before = true;
	begin_taken_over();
	(void)snprintf(fake->fail, sizeof(fake->fail), "allow 203.0.113.0/24");
	fake->fail_with = -ENOSPC;
	configure(parent_end, config_of("eth0", "allow: [192.0.2.0/24, 203.0.113.0/24]\n"), "");
	assert_int_equal(applied(parent_end), -ENOSPC);
	assert_notes("services 0\nallow 192.0.2.0/24 for good\nallow 203.0.113.0/24 for good!\n"
	             "disallow 192.0.2.0/24\ndisallow 203.0.113.0/24\nallow 192.0.2.0/24 for a time\nservices 0\n");
	assert_int_equal(end(), 0);
}

/* ---- nftables ---- */

/* What nftables does not enforce the shield does not either, and whom to allow is as before. */
static void a_mode_that_nftables_refuses(void **state)
{
	(void)state;
	fake->allowed_before = true;
	fake->until = SHIELD_NEVER;
	(void)snprintf(fake->fail, sizeof(fake->fail), "attach eth0");
	fake->fail_with = -EEXIST;
	begin_taken_over();
	(void)snprintf(fake->fails_too, sizeof(fake->fails_too), "nft mode enforce");
	configure(parent_end, config_of("eth0", "mode: enforce\nallow: [192.0.2.0/24]\n"), "");
	assert_int_equal(applied(parent_end), -EEXIST);
	assert_string_equal(message.applied.lines[0], "nft mode enforce for good: it fails; let it be");
	assert_notes(
		"services 0\ndisallow 198.51.100.0/24\nnft not allowed 198.51.100.0/24\nallow 192.0.2.0/24 for good\n"
		"nft allowed 192.0.2.0/24 of 1\nmode enforce for good\nnft mode enforce for good!\n"
		"mode observe for good\ndisallow 192.0.2.0/24\nnft not allowed 192.0.2.0/24\n"
		"allow 198.51.100.0/24 for good\nnft allowed 198.51.100.0/24 of 1\nservices 0\n");
	assert_false(fake->enforce);
	assert_int_equal(end(), 0);
}

static void nftables_stands_in(void **state)
{
	struct match_error error;
	struct prefix prefix;

	(void)state;
	fake->origin = SHIELD_TAKEN_OVER;
	fake->table_stands = true;
	fake->allowed_before = true;
	fake->table_told = true;
	fake->enforce = true;
	fake->until = SHIELD_NEVER;
	fake->rule_count = 1;
	fake->rules[0] = (struct shield_rule_told){ .number = 1, .expires = SHIELD_NEVER };
	assert_int_equal(match_parse("udp", &fake->rules[0].rule.match, &error), 0);
	(void)snprintf(fake->fail, sizeof(fake->fail), "attach eth1");
	fake->fail_with = -EEXIST;
	begin();
	configure(parent_end, config_of("eth0, eth1", "allow: [198.51.100.0/24]\n"), "");
	assert_int_equal(applied(parent_end), 0);
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_STATE);
	assert_int_equal(message.state.hooks[1].hook, MESSAGE_HOOK_NFTABLES);
	/* What nobody else has is let go; then it is filled, the ways in first, and the mode last. */
	assert_non_null(strstr(fake->notes, "attach eth0\nattach eth1!\nnft open by its name 1048576\n"
	                                    "nft not blocked 203.0.113.0/24\nnft not r99\nnft guard 1\n"
	                                    "nft allowed 198.51.100.0/24 of 1\nnft rule r1\nnft mode enforce for good\n"
	                                    "nft attach eth1\ncommit\n"));
	await(engine_end, MESSAGE_LOADER_TO_ENGINE, MESSAGE_COUNTED);
	assert_int_equal(message.counted.counters.enforced[SHIELD_DROP_RULE].packets, 4);
	assert_int_equal(message.counted.rules[0].matched.packets, 3);

	/* What changes changes there too. */
	forget_notes();
	order(MESSAGE_BLOCK)->allow.for_ns = NS_PER_S;
	message.id = 0;
	message.allow.prefixes.count = 1;
	assert_int_equal(prefix_parse("192.0.2.1", &prefix), 0);
	message_put_prefix(&message.allow.prefixes.prefix[0], &prefix);
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	message_put_prefix(&order(MESSAGE_UNBLOCK)->prefix, &prefix);
	message.id = 0;
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	order(MESSAGE_ALLOW)->allow.for_ns = NS_PER_S;
	message.allow.prefixes.count = 1;
	message_put_prefix(&message.allow.prefixes.prefix[0], &prefix);
	assert_int_equal(answered(), 0);
	message_put_prefix(&order(MESSAGE_DISALLOW)->prefix, &prefix);
	assert_int_equal(answered(), 0);
	(void)order(MESSAGE_MODE);
	assert_int_equal(answered(), 0);
	order(MESSAGE_REMOVE_RULE)->number = 1;
	assert_int_equal(answered(), 0);
	assert_notes("nft blocked 192.0.2.1/32 of 1\nnft not blocked 192.0.2.1/32\nallow 192.0.2.1/32 for a time\n"
	             "nft allowed 192.0.2.1/32 of 1\ndisallow 192.0.2.1/32\nnft not allowed 192.0.2.1/32\n"
	             "mode observe for good\nnft mode observe for good\nremove_rule 1\nnft not r1\n");

	/* A rule that nftables cannot say is in force nowhere. */
	forget_notes();
	(void)snprintf(fake->fail, sizeof(fake->fail), "nft rule");
	fake->fail_with = -EOPNOTSUPP;
	order(MESSAGE_ADD_RULE)->rule.for_ns = NS_PER_S;
	message_text(message.rule.match, sizeof(message.rule.match), "tcp");
	assert_int_equal(answered(), -EOPNOTSUPP);
	assert_notes("rule tcp to ::/0 by 0\nnft rule r1!\nremove_rule 1\n");

	/* With the last interface that needs it the table goes. */
	forget_notes();
	configure(parent_end, config_of("eth0", "allow: [198.51.100.0/24]\n"), "");
	assert_int_equal(applied(parent_end), 0);
	assert_non_null(strstr(fake->notes, "nft detach eth1\nnft close\nnft remove\n"));
	assert_int_equal(end(), 0);
}

/* Without the operator's ways in it holds nobody off. */
static void half_a_table_is_none(void **state)
{
	(void)state;
	begin_taken_over();
	(void)snprintf(fake->fail, sizeof(fake->fail), "attach eth1");
	(void)snprintf(fake->fails_too, sizeof(fake->fails_too), "nft guard");
	fake->fail_with = -EEXIST;
	configure(parent_end, config_of("eth0, eth1", ""), "");
	assert_int_equal(applied(parent_end), -EEXIST);
	assert_non_null(strstr(fake->notes, "nft guard 1!\nnft close\n"));
	assert_null(strstr(fake->notes, "nft attach"));
	forget_notes();
	fake->fails_too[0] = '\0';
	configure(parent_end, config_of("eth0, eth1", ""), "");
	assert_int_equal(applied(parent_end), 0);
	assert_non_null(strstr(fake->notes, "nft guard 1\n"));
	assert_non_null(strstr(fake->notes, "nft attach eth1\n"));
	assert_int_equal(end(), 0);
}

static void nftables_is_not_wanted(void **state)
{
	char text[1024];

	(void)state;
	fake->origin = SHIELD_TAKEN_OVER;
	(void)snprintf(fake->fail, sizeof(fake->fail), "attach eth0");
	fake->fail_with = -EEXIST;
	begin();
	(void)snprintf(text, sizeof(text), "bpffs_dir: %s\nshield: { interfaces: [eth0], nftables: false }\n", folder);
	configure(parent_end, text, "");
	assert_int_equal(applied(parent_end), -EEXIST);
	assert_int_equal(end(), 1);
	assert_null(strstr(fake->notes, "nft open"));
}

/* 'holdfast off': the pins are gone, and what was taken away does not come back. */
static void off(void **state)
{
	char path[64];
	int status;

	(void)state;
	begin_taken_over();
	(void)snprintf(path, sizeof(path), "%s/config", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(waitpid(loader, &status, 0), loader);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == ROLE_STATUS_OFF);
	assert_null(strstr(fake->notes, "attach"));
	(void)close(parent_end);
	(void)close(engine_end);
}

/* ---- */

static int set_up(void **state)
{
	char path[64];
	int fd;

	(void)state;
	fake = fake_new();
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!fake || !mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/config", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	fake_free();
	(void)snprintf(path, sizeof(path), "%s/config", folder);
	(void)unlink(path);
	return rmdir(folder);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_new_shield),
		CASE(a_shield_that_stands),
		CASE(an_interface_that_is_not_there),
		CASE(what_cannot_be_opened),
		CASE(orders_are_done),
		CASE(ways_come_first),
		CASE(what_hits_a_way_in_is_refused),
		CASE(room_is_left_for_people),
		CASE(what_is_no_order),
		CASE(a_reload),
		CASE(a_reload_that_fails),
		CASE(half_a_table_is_none),
		CASE(allowances_that_fail),
		CASE(allowances_that_pass),
		CASE(a_mode_that_nftables_refuses),
		CASE(nftables_stands_in),
		CASE(nftables_is_not_wanted),
		CASE(off),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
