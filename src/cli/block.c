/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast block, allow: by hand, what is dropped and what never is. One prefix, a file of them, or (block) what a
 * match holds.
 *
 * A file is read whole before anything is asked for: with a mistake in it, nothing is. It then goes to the daemon in as
 * many requests as it takes, all on one connection.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/prefixes.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "defend/match.h"
#include "tell/facts.h"
#include "tell/words.h"

#define REASON_MAX (SHIELD_REASON_MAX - 1) /* octets */
#define FOR_MAX (90 * 86400 * NS_PER_S)
#define CHARACTER_OF(offset) ((offset) + 1)

struct options {
	const char *prefix, *file, *match, *scope, *reason, *config;
	struct option_duration lifetime;
	uint64_t rate_pps;
	bool observe, json;
};

/* clang-format off */
#define FOR_ROW(text) \
	{ .name = "for", .value = "TIME", OPTION_INTO(struct options, lifetime), .minimum = NS_PER_S, .maximum = FOR_MAX, .help = (text) }
#define REASON_ROW \
	{ .name = "reason", .value = "TEXT", OPTION_INTO(struct options, reason), \
	  .help = "why, at most 159 octets; it is recorded, and shown by 'holdfast rules'" }

static const struct option_row block_rows[] = {
	{ .value = "PREFIX", OPTION_INTO(struct options, prefix), .too_many = "one prefix, or --file",
	  .help = "where packets come from: 198.51.100.7, 198.51.100.0/24, 2001:db8::/48" },
	{ .name = "file", .value = "FILE", OPTION_INTO(struct options, file),
	  .help = "a file with a prefix a line, '#' before remarks, or - for standard input;\n"
	          "with a mistake in it nothing is blocked" },
	{ .name = "match", .value = "TEXT", OPTION_INTO(struct options, match),
	  .help = "packets of this kind, in the match language of holdfast(1)" },
	{ .name = "to", .value = "SCOPE", OPTION_INTO(struct options, scope),
	  .help = "with --match: packets to there; else to the addresses of all services, or to any if there are none" },
	{ .name = "rate", .value = "N", OPTION_INTO(struct options, rate_pps), .minimum = 1, .maximum = UINT32_MAX,
	  .help = "with --match: let N packets a second pass, drop what is above" },
	{ .name = "observe", OPTION_INTO(struct options, observe),
	  .help = "with --match: only count what would be dropped, in whatever mode" },
	FOR_ROW("until then: 10m, 1h, 7d, at most 90d; else as shield.block_for says (1h)"),
	REASON_ROW,
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.block/1"),
	PLACE_CONFIG_ROW(struct options),
};

static const struct option_row allow_rows[] = {
	{ .value = "PREFIX", OPTION_INTO(struct options, prefix), .too_many = "one prefix, or --file",
	  .help = "where packets come from: 198.51.100.7, 198.51.100.0/24, 2001:db8::/48" },
	{ .name = "file", .value = "FILE", OPTION_INTO(struct options, file),
	  .help = "a file with a prefix a line, '#' before remarks, or - for standard input;\n"
	          "with a mistake in it nothing is allowed" },
	FOR_ROW("until then: 10m, 1h, 7d, at most 90d; else as shield.block_for says (1h)"),
	REASON_ROW,
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.allow/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table block_table = {
	.command = "block",
	.synopsis = "PREFIX|--file FILE|--match TEXT [--to SCOPE] [--rate N] [--for TIME] [--reason TEXT]",
	.purpose =
		"Has packets dropped, until the time given is over or 'holdfast release' ends it before. In mode observe they\n"
		"are counted and pass. What is allowed, and the operator's way in, is never dropped.\n",
	.notes = "Exit status: 0 done, 1 refused, in part or whole, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast block 198.51.100.0/24 --for 2h --reason 'login guessing'\n"
		 "  holdfast block --match 'udp and src port 123 and length > 400' --to 192.0.2.10\n",
	OPTION_ROWS(block_rows),
};

static const struct option_table allow_table = {
	.command = "allow",
	.synopsis = "PREFIX|--file FILE [--for TIME] [--reason TEXT]",
	.purpose =
		"Lets all packets from there pass, whatever block or rule there is, for a time, or until 'holdfast release' ends it\n"
		"before. What is to be allowed for good goes into the configuration.\n",
	.notes = "Exit status: 0 done, 1 refused, in part or whole, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast allow 203.0.113.0/24 --reason 'our office'\n",
	OPTION_ROWS(allow_rows),
};

/* Of what is done to prefixes: the words that differ. */
struct manner {
	const struct option_table *table;
	const char *done; /* in answers and sentences */
	const char *schema;
};

static const struct manner blocking = { &block_table, "blocked", "holdfast.block/1" };
static const struct manner allowing = { &allow_table, "allowed", "holdfast.allow/1" };

/* ---- Options ---- */

static int check_options(const struct option_table *table, const struct options *options)
{
	int ways = (options->prefix != NULL) + (options->file != NULL) + (options->match != NULL);

	if (ways == 0)
		return options_refuse(table, "nothing to %s", table->command);
	if (ways > 1)
		return options_refuse(table, "a prefix, --file%s: one at a time",
		                      table == &block_table ? " and --match" : "");
	if (!options->match && (options->scope || options->rate_pps || options->observe))
		return options_refuse(table, "--to, --rate and --observe go with --match");
	if (options->observe && options->rate_pps)
		return options_refuse(table, "--observe drops nothing, so it has no --rate");
	if (options->reason && strlen(options->reason) > REASON_MAX)
		return options_refuse(table, "--reason is longer than %d octets", REASON_MAX);
	return COMMAND_DONE;
}

/* What every request has; takes it, and gives it back, or NULL. */
static json_t *with_terms(json_t *request, const struct options *options)
{
	int failed = 0;

	if (options->lifetime.ns)
		failed |= json_object_set_new(request, "for_s", json_integer(options->lifetime.ns / NS_PER_S));
	if (options->reason)
		failed |= json_object_set_new(request, "reason", json_string(options->reason));
	if (!failed)
		return request;
	json_decref(request);
	return NULL;
}

/* ---- Answers ---- */

/* "until 2025-03-10 09:45:12 UTC", "until it is released" */
static const char *until(const json_t *result, char text[WORDS_SIZE + 16])
{
	struct capture_time expires;
	char date[WORDS_SIZE];

	if (fact_time(result, "expires", &expires))
		(void)snprintf(text, WORDS_SIZE + 16, "until %s UTC", words_date_time(expires, date));
	else
		(void)snprintf(text, WORDS_SIZE + 16, "until it is released");
	return text;
}

/* Takes the result, and gives it back, or NULL. */
static json_t *with_mode(json_t *result, const char *mode)
{
	if (json_object_set_new(result, "mode", json_string(mode)) == 0)
		return result;
	json_decref(result);
	return NULL;
}

/* A block in mode observe drops nothing: whoever asked for it must know. */
static void say_mode(const char *mode)
{
	if (strcmp(mode, "observe") == 0)
		(void)puts("mode observe: what would be dropped is counted, and passes; 'holdfast enforce' drops");
}

static int print_done(const struct manner *manner, const json_t *result, const char *mode,
                      const struct options *options)
{
	char expiry[WORDS_SIZE + 16], count[WORDS_SIZE];
	uint64_t done = fact_count(result, manner->done);

	if (done == 0)
		return output_finish();
	if (options->prefix)
		(void)printf("%s %s %s\nundo: holdfast release %s\n", manner->done, options->prefix,
		             until(result, expiry), options->prefix);
	else
		(void)printf("%s %s %s %s\n", manner->done, words_count(done, count), done == 1 ? "prefix" : "prefixes",
		             until(result, expiry));
	if (options->file && strcmp(options->file, "-") != 0)
		(void)printf("undo: holdfast release --file %s\n", options->file);
	if (manner == &blocking)
		say_mode(mode);
	return output_finish();
}

/* Those that the daemon would not have, each with its reason; how many there are in all. */
static uint64_t say_refusals(const struct manner *manner, const json_t *result)
{
	uint64_t refused = fact_count(result, "refused");
	const json_t *refusals = json_object_get(result, "refusals"), *refusal;
	size_t i;

	json_array_foreach(refusals, i, refusal)
	{
		const char *hint = fact_text(refusal, "hint");

		say_error(fact_text(refusal, "prefix"), "%s%s%s", fact_text(refusal, "what"), *hint ? "; " : "", hint);
	}
	if (refused > json_array_size(refusals))
		say_error(manner->table->command,
		          "%" PRIu64 " more are refused; see 'holdfast status' for what is full",
		          refused - json_array_size(refusals));
	return refused;
}

static int tell_prefixes(struct order *order, const struct manner *manner, json_t *result,
                         const struct options *options)
{
	const char *mode = "observe";
	int status = order_mode(order, &mode), told;

	if (status != COMMAND_DONE) {
		json_decref(result);
		return status;
	}
	if (say_refusals(manner, result) > 0)
		status = COMMAND_BAD;
	if (options->json) {
		told = order_print_json(manner->schema, with_mode(result, mode));
	} else {
		told = print_done(manner, result, mode, options);
		json_decref(result);
	}
	return status == COMMAND_DONE ? told : status;
}

/* ---- Prefixes ---- */

static json_t *request_for(const struct manner *manner, const struct prefix *prefixes, size_t count,
                           const struct options *options)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT_SIZE];
	int failed = 0;

	for (size_t i = 0; i < count && !failed; i++)
		failed = json_array_append_new(list, json_string(prefix_format(&prefixes[i], text)));
	if (failed) {
		json_decref(list);
		return NULL;
	}
	return with_terms(json_pack("{s:s, s:o}", "command", manner->table->command, "prefixes", list), options);
}

/* What several answers say together: counts add up, the latest expiry stands, refusals follow each other. */
static int add_answer(const struct manner *manner, json_t *sum, const json_t *answer)
{
	const char *const counts[] = { manner->done, "refused" };
	json_t *expires = json_object_get(answer, "expires");
	int failed = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint64_t both = fact_count(sum, counts[i]) + fact_count(answer, counts[i]);

		failed |= json_object_set_new(sum, counts[i], json_integer((json_int_t)both));
	}
	if (!json_is_null(expires) && expires)
		failed |= json_object_set(sum, "expires", expires);
	if (json_object_get(answer, "refusals"))
		failed |= json_array_extend(json_object_get(sum, "refusals"), json_object_get(answer, "refusals"));
	return failed ? -ENOMEM : 0;
}

/* Stops at the first request that fails altogether, and says how far it came. */
static int give_prefixes(struct order *order, const struct manner *manner, const struct prefix_list *prefixes,
                         const struct options *options, json_t *sum)
{
	struct progress progress;
	int status = COMMAND_DONE;

	progress_begin(&progress);
	progress.noun = "prefixes";
	for (size_t at = 0; at < prefixes->count && status == COMMAND_DONE; at += PREFIXES_BATCH) {
		size_t count = prefixes->count - at < PREFIXES_BATCH ? prefixes->count - at : PREFIXES_BATCH;
		json_t *answer;

		status = order_operate(order, request_for(manner, prefixes->prefixes + at, count, options), &answer);
		if (status != COMMAND_DONE)
			break;
		if (add_answer(manner, sum, answer) != 0) {
			say_error(manner->table->command, "out of memory; free some");
			status = COMMAND_BAD;
		}
		json_decref(answer);
		if (progress.wanted)
			progress_show(&progress, at + count, at + count, prefixes->count);
	}
	progress_clear(&progress);
	if (status != COMMAND_DONE && fact_count(sum, manner->done) > 0)
		say_error(manner->table->command,
		          "%" PRIu64 " of %" PRIu32 " are %s; undo with 'holdfast release --file'",
		          fact_count(sum, manner->done), prefixes->count, manner->done);
	return status;
}

static int order_prefixes(const struct manner *manner, const struct prefix_list *prefixes,
                          const struct options *options)
{
	json_t *sum;
	struct order order;
	int status = order_begin(&order, manner->table->command, options->config);

	if (status != COMMAND_DONE)
		return status;
	sum = json_pack("{s:i, s:i, s:n, s:[]}", manner->done, 0, "refused", 0, "expires", "refusals");
	if (!sum) {
		say_error(manner->table->command, "out of memory; free some");
		status = COMMAND_BAD;
		goto undo_order;
	}
	status = give_prefixes(&order, manner, prefixes, options, sum);
	if (status == COMMAND_DONE)
		status = tell_prefixes(&order, manner, sum, options);
	else
		json_decref(sum);
undo_order:
	order_end(&order);
	return status;
}

static int act_on_file(const struct manner *manner, const struct options *options)
{
	struct prefix_list prefixes;
	int status = prefixes_read_file(options->file, &prefixes);

	if (status != COMMAND_DONE)
		return status;
	status = order_prefixes(manner, &prefixes, options);
	prefix_list_fini(&prefixes);
	return status;
}

static int act_on_prefix(const struct manner *manner, const struct options *options)
{
	char error[PREFIXES_ERROR_SIZE];
	struct prefix prefix;

	if (prefixes_read_one(options->prefix, &prefix, error) != 0) {
		say_error(manner->table->command, "%s", error);
		return COMMAND_USAGE;
	}
	return order_prefixes(manner, &(struct prefix_list){ &prefix, 1 }, options);
}

/* ---- A match ---- */

static json_t *match_request(const char *match, const struct options *options)
{
	json_t *request = json_pack("{s:s, s:s}", "command", "block", "match", match);
	int failed = !request;

	if (request && options->scope)
		failed |= json_object_set_new(request, "scope", json_string(options->scope));
	if (request && options->rate_pps) {
		failed |= json_object_set_new(request, "action", json_string("rate_limit"));
		failed |= json_object_set_new(request, "rate_pps", json_integer((json_int_t)options->rate_pps));
	}
	if (request && options->observe)
		failed |= json_object_set_new(request, "shadow", json_true());
	if (!failed)
		return with_terms(request, options);
	json_decref(request);
	return NULL;
}

static int print_rules(const json_t *result, const char *mode, const struct options *options)
{
	const json_t *rules = json_object_get(result, "rules"), *rule;
	char expiry[WORDS_SIZE + 16];
	size_t i;

	(void)printf("%s  %s\n",
	             options->rate_pps  ? "limited"
	             : options->observe ? "observed"
	                                : "blocked",
	             fact_text(result, "match"));
	json_array_foreach(rules, i, rule) if (json_is_string(rule))(void)
		printf("rule %s %s\nundo: holdfast release %s\n", json_string_value(rule), until(result, expiry),
	               json_string_value(rule));
	if (!options->observe)
		say_mode(mode);
	return output_finish();
}

static int act_on_match(const struct options *options)
{
	char error[PREFIXES_ERROR_SIZE], text[MATCH_TEXT_SIZE];
	const char *mode = "observe";
	struct match_error wrong;
	struct match match;
	struct prefix scope;
	struct order order;
	json_t *result;
	int status;

	if (match_parse(options->match, &match, &wrong) != 0) {
		say_error("block", "--match, character %zu: %s; see \"The match language\" in holdfast(1)",
		          CHARACTER_OF(wrong.offset), wrong.message);
		return COMMAND_USAGE;
	}
	if (options->scope && prefixes_read_one(options->scope, &scope, error) != 0) {
		say_error("block", "--to %s", error);
		return COMMAND_USAGE;
	}
	status = order_begin(&order, "block", options->config);
	if (status != COMMAND_DONE)
		return status;
	status = order_operate(&order, match_request(match_format(&match, text), options), &result);
	if (status != COMMAND_DONE)
		goto undo_order;
	status = order_mode(&order, &mode);
	if (status == COMMAND_DONE && options->json)
		status = order_print_json(blocking.schema, with_mode(json_incref(result), mode));
	else if (status == COMMAND_DONE)
		status = print_rules(result, mode, options);
	json_decref(result);
undo_order:
	order_end(&order);
	return status;
}

/* ---- Commands ---- */

static int act(const struct manner *manner, int argc, char **argv)
{
	struct options options = { .json = false };
	int status;

	if (!options_take(manner->table, argc, argv, &options, &status))
		return status;
	status = check_options(manner->table, &options);
	if (status != COMMAND_DONE)
		return status;
	if (options.match)
		return act_on_match(&options);
	return options.file ? act_on_file(manner, &options) : act_on_prefix(manner, &options);
}

int block_command(int argc, char **argv)
{
	return act(&blocking, argc, argv);
}

int allow_command(int argc, char **argv)
{
	return act(&allowing, argc, argv);
}
