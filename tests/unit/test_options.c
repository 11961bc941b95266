/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table with a row of each type, words as they are typed, and what becomes of them: the fields, or the complaint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/options.h"

#define WORDS_MAX 16
#define TYPED_MAX 256

struct asked {
	const char *prefix, *reason;
	struct option_duration lifetime;
	uint64_t rate, lanes, port;
	bool json, force;
	struct option_words rest;
};

static const struct option_row rows[] = {
	{ .value = "PREFIX", OPTION_INTO(struct asked, prefix), .missing = "nothing to block", .help = "what" },
	{ .value = "PORT", OPTION_INTO(struct asked, port), .minimum = 1, .maximum = 65535, .help = "where" },
	{ .name = "for",
	  .value = "TIME",
	  OPTION_INTO(struct asked, lifetime),
	  .minimum = 10 * NS_PER_S,
	  .maximum = 86400 * NS_PER_S,
	  .help = "how long\nif at all" },
	{ .name = "reason", .letter = 'r', .value = "TEXT", OPTION_INTO(struct asked, reason), .help = "why" },
	{ .name = "rate", .value = "N", OPTION_INTO(struct asked, rate), .help = "how much" },
	{ .name = "lanes", .value = "N", OPTION_INTO(struct asked, lanes), .minimum = 1, .maximum = 2, .help = "wide" },
	{ .name = "json", .letter = 'j', OPTION_INTO(struct asked, json), .help = "for programs" },
	{ .name = "force", .letter = 'f', OPTION_INTO(struct asked, force), .help = "all the same" },
};

static const struct option_table table = {
	.command = "block",
	.synopsis = "PREFIX [PORT] [--for TIME]",
	.purpose = "Blocks.\n",
	.notes = "Ends.\n",
	OPTION_ROWS(rows),
};

static const struct option_row list_rows[] = {
	{ .value = "FIRST", OPTION_INTO(struct asked, prefix), .too_many = "never said", .help = "one" },
	{ .value = "MORE", OPTION_INTO(struct asked, rest), .maximum = 2, .missing = "no more", .help = "some" },
};

static const struct option_table list = {
	.command = "list all", .synopsis = "FIRST MORE...", .purpose = "Lists.\n", .notes = "", OPTION_ROWS(list_rows)
};

static const struct option_row one_rows[] = {
	{ .value = "IN", OPTION_INTO(struct asked, prefix), .too_many = "one at a time", .help = "one" },
	{ .name = "for", .value = "TIME", OPTION_INTO(struct asked, lifetime), .missing = "no time", .help = "long" },
};

static const struct option_table one = {
	.command = "one", .synopsis = "IN", .purpose = "One.\n", .notes = "", OPTION_ROWS(one_rows)
};

static const struct option_table bare = { .command = "status", .synopsis = "", .purpose = "", .notes = "" };

/* Words as typed, parted by blanks; they stay in `typed`, and what was written to standard error goes to `said`. */
struct outcome {
	char typed[TYPED_MAX];
	char *argv[WORDS_MAX + 1];
	char said[1024];
	struct asked asked;
	bool go;
	int status;
};

static void ask(struct outcome *o, const struct option_table *of, const char *typed)
{
	FILE *before = stderr;
	char *rest = NULL;
	int argc = 0;

	memset(o, 0, sizeof(*o));
	(void)snprintf(o->typed, sizeof(o->typed), "%s", typed);
	for (char *word = strtok_r(o->typed, " ", &rest); word && argc < WORDS_MAX; word = strtok_r(NULL, " ", &rest))
		o->argv[argc++] = word;
	stderr = fmemopen(o->said, sizeof(o->said), "w");
	assert_non_null(stderr);
	o->go = options_take(of, argc, o->argv, &o->asked, &o->status);
	(void)fclose(stderr);
	stderr = before;
}

static void test_every_type(void **state)
{
	struct outcome o;

	(void)state;
	ask(&o, &table, "block --for 5m 192.0.2.0/24 -r why --json 443 --rate=007 --lanes 2");
	assert_true(o.go);
	assert_string_equal(o.said, "");
	assert_string_equal(o.asked.prefix, "192.0.2.0/24");
	assert_int_equal(o.asked.port, 443);
	assert_int_equal(o.asked.lifetime.ns, 300 * NS_PER_S);
	assert_string_equal(o.asked.reason, "why");
	assert_int_equal(o.asked.rate, 7);
	assert_int_equal(o.asked.lanes, 2);
	assert_true(o.asked.json);
	assert_false(o.asked.force);
}

/* What is not asked for stays as the command had it. */
static void test_defaults(void **state)
{
	struct asked asked = { .rate = 5, .reason = "none", .lifetime = { 60 * NS_PER_S } };
	char name[] = "block", word[] = "-";
	int status;

	(void)state;
	assert_true(options_take(&table, 2, (char *[]){ name, word, NULL }, &asked, &status));
	assert_string_equal(asked.prefix, "-");
	assert_int_equal(asked.rate, 5);
	assert_string_equal(asked.reason, "none");
	assert_int_equal(asked.lifetime.ns, 60 * NS_PER_S);
	assert_int_equal(asked.port, 0);
}

static void test_ways_of_writing(void **state)
{
	static const char *const ways[] = {
		"block -jfrwhy x",
		"block -jf -r why x",
		"block x --reason=why --json --force",
		"block -r why x -jf",
		"block --rea why --j --forc -- x",
		"block -r no -rwhy -fj -j -- x",
	};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		ask(&o, &table, ways[i]);
		assert_true(o.go);
		assert_string_equal(o.asked.reason, "why");
		assert_string_equal(o.asked.prefix, "x");
		assert_true(o.asked.json && o.asked.force);
	}
	ask(&o, &table, "block -- --json");
	assert_true(o.go);
	assert_string_equal(o.asked.prefix, "--json");
	assert_false(o.asked.json);
	ask(&o, &table, "block --reason -j x"); /* a value may look like an option */
	assert_true(o.go);
	assert_string_equal(o.asked.reason, "-j");
	ask(&o, &table, "block --reason= x");
	assert_true(o.go);
	assert_string_equal(o.asked.reason, "");
	ask(&o, &bare, "status");
	assert_true(o.go);
}

static void test_words(void **state)
{
	struct outcome o;

	(void)state;
	ask(&o, &list, "list one two - three");
	assert_false(o.go);
	assert_string_equal(o.said, "holdfast: list all: more than 2 of MORE; see 'holdfast list all --help'\n");
	ask(&o, &list, "list one two -");
	assert_true(o.go);
	assert_string_equal(o.asked.prefix, "one");
	assert_int_equal(o.asked.rest.count, 2);
	assert_string_equal(o.asked.rest.words[0], "two");
	assert_string_equal(o.asked.rest.words[1], "-");
}

static void test_durations(void **state)
{
	static const struct {
		const char *typed;
		int64_t ns; /* 0: refused */
	} cases[] = {
		{ "10s", 10 * NS_PER_S },
		{ "60s", 60 * NS_PER_S },
		{ "5m", 300 * NS_PER_S },
		{ "1h", 3600 * NS_PER_S },
		{ "24h", 86400 * NS_PER_S },
		{ "1d", 86400 * NS_PER_S },
		{ "9s", 0 },
		{ "0s", 0 },
		{ "86401s", 0 },
		{ "2d", 0 },
		{ "60", 0 },
		{ "s", 0 },
		{ "-60s", 0 },
		{ "+60s", 0 },
		{ "60ss", 0 },
		{ "60x", 0 },
		{ "1.5h", 0 },
		{ "99999999999999999999s", 0 },
		{ "18446744074s", 0 }, /* 2^64 ns and 0.29 s */
	};
	struct outcome o;
	char typed[TYPED_MAX], said[TYPED_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(typed, sizeof(typed), "block x --for %s", cases[i].typed);
		ask(&o, &table, typed);
		assert_int_equal(o.go, cases[i].ns != 0);
		assert_int_equal(o.asked.lifetime.ns, cases[i].ns);
		if (o.go)
			continue;
		(void)snprintf(said, sizeof(said),
		               "holdfast: block: --for %s is no time from 10s to 1d; see 'holdfast block --help'\n",
		               cases[i].typed);
		assert_string_equal(o.said, said);
	}
}

static void test_complaints(void **state)
{
	static const struct {
		const struct option_table *table;
		const char *typed, *said;
	} cases[] = {
		{ &table, "block", "nothing to block" },
		{ &table, "block x --wrong", "no option '--wrong'" },
		{ &table, "block x --r 5", "no option '--r'" }, /* --reason or --rate */
		{ &table, "block x -x", "no option '-x'" },
		{ &table, "block x -jx", "no option '-x'" },
		{ &table, "block x -\001", "no option '-?'" },
		{ &table, "block x --wro\033ng", "no option '--wro?ng'" },
		{ &table, "block x --\xc3\xa9", "no option '--\xc3\xa9'" },
		{ &table,
		  "block x --\xc2\x9b"
		  "b",
		  "no option '--?b'" }, /* a control of 8 bits */
		{ &table,
		  "block x --\xe2\x80\xae"
		  "b",
		  "no option '--?b'" }, /* from right to left */
		{ &table, "block x --\xff", "no option '--?'" },
		{ &table, "block x --reason", "--reason wants a value" },
		{ &table, "block x --rea", "--reason wants a value" },
		{ &table, "block x -r", "-r wants a value" },
		{ &table, "block x --json=yes", "--json takes no value" },
		{ &table, "block x --help=yes", "--help takes no value" },
		{ &table, "block x --rate -1", "--rate -1 is no number" },
		{ &table, "block x --rate=", "--rate  is no number" },
		{ &table, "block x --rate 5k", "--rate 5k is no number" },
		{ &table, "block x --lanes 0", "--lanes 0 is neither 1 nor 2" },
		{ &table, "block x --lanes 3", "--lanes 3 is neither 1 nor 2" },
		{ &table, "block x 0", "PORT 0 is no number from 1 to 65535" },
		{ &table, "block x 65536", "PORT 65536 is no number from 1 to 65535" },
		{ &table, "block x 80 y", "'y' is one argument too many" },
		{ &one, "one a b --for 1s", "one at a time, and 'b' is one too many" },
		{ &one, "one a", "no time" },
		{ &one, "one --for 60 a", "--for 60 is no time; write 60s, 5m or 1h" },
		{ &one, "one --for 9223372037s a", "--for 9223372037s is no time; write 60s, 5m or 1h" },
		{ &list, "list one", "no more" },
		{ &bare, "status now", "'now' is one argument too many" },
	};
	struct outcome o;
	char said[TYPED_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *command = cases[i].table->command;

		ask(&o, cases[i].table, cases[i].typed);
		(void)snprintf(said, sizeof(said), "holdfast: %s: %s; see 'holdfast %s --help'\n", command,
		               cases[i].said, command);
		assert_string_equal(o.said, said);
		assert_false(o.go);
		assert_int_equal(o.status, COMMAND_USAGE);
	}
	ask(&o, &table, "block x --rate 99999999999999999999999"); /* no bound: the largest there is */
	assert_true(o.go);
	assert_true(o.asked.rate == UINT64_MAX);
}

/* A word of any length is quoted in part. */
static void test_long_word(void **state)
{
	static char word[4096] = "--", name[] = "block";
	struct asked asked = { .json = false };
	FILE *before = stderr;
	char said[1024] = "";
	int status;

	(void)state;
	memset(word + 2, 'a', sizeof(word) - 3);
	stderr = fmemopen(said, sizeof(said), "w");
	assert_non_null(stderr);
	assert_false(options_take(&table, 2, (char *[]){ name, word, NULL }, &asked, &status));
	(void)fclose(stderr);
	stderr = before;
	assert_int_equal(strlen(said), strlen("holdfast: block: no option ''; see 'holdfast block --help'\n") + 64);
}

static void test_help(void **state)
{
	char text[1024] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	options_help(&table, out);
	(void)fclose(out);
	assert_string_equal(text, "Usage: holdfast block PREFIX [PORT] [--for TIME]\n"
	                          "\n"
	                          "Blocks.\n"
	                          "\n"
	                          "  PREFIX             what\n"
	                          "  PORT               where\n"
	                          "  --for TIME         how long\n"
	                          "                     if at all\n"
	                          "  -r, --reason TEXT  why\n"
	                          "  --rate N           how much\n"
	                          "  --lanes N          wide\n"
	                          "  -j, --json         for programs\n"
	                          "  -f, --force        all the same\n"
	                          "  -h, --help         this text\n"
	                          "\n"
	                          "Ends.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),      cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_ways_of_writing), cmocka_unit_test(test_words),
		cmocka_unit_test(test_durations),       cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_long_word),       cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
