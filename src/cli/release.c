/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast release: takes back what was blocked or allowed. A prefix leaves whichever list it is on, under the very
 * prefix by which it was put there; a rule ends by its name. A file undoes what 'block --file' or 'allow --file' did
 * with it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "cli/command.h"
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/prefixes.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "tell/words.h"

struct options {
	const char *what, *file, *config;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "PREFIX|RULE", OPTION_INTO(struct options, what), .too_many = "one at a time",
	  .help = "as it was blocked or allowed (198.51.100.0/24), or a rule's name (r3)" },
	{ .name = "file", .value = "FILE", OPTION_INTO(struct options, file),
	  .help = "all prefixes of a file, or of standard input (-); those that are on no list are passed over" },
	OPTION_JSON_ROW(struct options, "what was done, as JSON", "holdfast.release/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "release",
	.synopsis = "PREFIX|RULE|--file FILE [--json]",
	.purpose = "Ends a block, an entry of the allow list, or a rule. 'holdfast rules' lists them.\n",
	.notes = "Exit status: 0 done, 1 there is no such thing, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast release 198.51.100.0/24\n"
		 "  holdfast release r3\n",
	OPTION_ROWS(rows),
};

static bool is_rule(const char *what)
{
	return what[0] == 'r' && what[1] && strspn(what + 1, "0123456789") == strlen(what + 1);
}

/* ---- One ---- */

static int print_released(const char *what, const json_t *result)
{
	const json_t *released = json_object_get(result, "released"), *list;
	size_t i;

	(void)printf("released %s", what);
	json_array_foreach(released, i, list) if (json_is_string(list) && strcmp(json_string_value(list), "rule") != 0)(
		void) printf("%s%s", i ? " and the " : ": it was on the ", json_string_value(list));
	(void)puts(is_rule(what) || json_array_size(released) == 0 ? ""
	           : json_array_size(released) > 1                 ? " lists"
	                                                           : " list");
	return output_finish();
}

static int release_one(const struct options *options)
{
	char error[PREFIXES_ERROR_SIZE], text[PREFIX_TEXT_SIZE];
	const char *what = options->what;
	struct prefix prefix;
	struct order order;
	json_t *result;
	int status;

	if (!is_rule(what) && prefixes_read_one(what, &prefix, error) != 0) {
		say_error("release", "%s, or a rule's name, r3; 'holdfast rules' lists them", error);
		return COMMAND_USAGE;
	}
	if (!is_rule(what))
		what = prefix_format(&prefix, text);
	status = order_begin(&order, "release", options->config);
	if (status != COMMAND_DONE)
		return status;
	status = order_operate(&order,
	                       json_pack("{s:s, s:s}", "command", "release", is_rule(what) ? "rule" : "prefix", what),
	                       &result);
	if (status != COMMAND_DONE)
		goto undo_order;
	if (options->json)
		status = order_print_json("holdfast.release/1", json_incref(result));
	else
		status = print_released(options->what, result);
	json_decref(result);
undo_order:
	order_end(&order);
	return status;
}

/* ---- A file ---- */

struct tally {
	uint64_t released, passed_over;
};

static json_t *request_for(const struct prefix *prefixes, size_t count)
{
	json_t *list = json_array();
	char text[PREFIX_TEXT_SIZE];
	int failed = 0;

	for (size_t i = 0; i < count && !failed; i++)
		failed = json_array_append_new(list, json_string(prefix_format(&prefixes[i], text)));
	if (!failed)
		return json_pack("{s:s, s:o}", "command", "release", "prefixes", list);
	json_decref(list);
	return NULL;
}

/* Stops at the first request that fails. */
static int release_all(struct order *order, const struct prefix_list *prefixes, struct tally *tally)
{
	struct progress progress;
	int status = COMMAND_DONE;

	progress_begin(&progress);
	progress.noun = "prefixes";
	for (size_t at = 0; at < prefixes->count; at += PREFIXES_BATCH) {
		size_t count = prefixes->count - at < PREFIXES_BATCH ? prefixes->count - at : PREFIXES_BATCH;
		json_t *result;

		status = order_operate(order, request_for(prefixes->prefixes + at, count), &result);
		if (status != COMMAND_DONE)
			break;
		tally->released += fact_count(result, "prefixes");
		tally->passed_over += fact_count(result, "passed_over");
		json_decref(result);
		if (progress.wanted)
			progress_show(&progress, at + count, at + count, prefixes->count);
	}
	progress_clear(&progress);
	if (status != COMMAND_DONE && tally->released > 0)
		say_error("release", "%" PRIu64 " are released all the same", tally->released);
	return status;
}

static int print_tally(const struct tally *tally, bool json)
{
	char released[WORDS_SIZE], passed_over[WORDS_SIZE];

	if (json)
		return order_print_json("holdfast.release/1",
		                        json_pack("{s:I, s:I}", "prefixes", (json_int_t)tally->released, "passed_over",
		                                  (json_int_t)tally->passed_over));
	(void)printf("released %s %s", words_count(tally->released, released),
	             tally->released == 1 ? "prefix" : "prefixes");
	if (tally->passed_over)
		(void)printf("; %s %s on no list", words_count(tally->passed_over, passed_over),
		             tally->passed_over == 1 ? "was" : "were");
	(void)putchar('\n');
	return output_finish();
}

static int release_file(const struct options *options)
{
	struct tally tally = { .released = 0 };
	struct prefix_list prefixes;
	struct order order;
	int status = prefixes_read_file(options->file, &prefixes);

	if (status != COMMAND_DONE)
		return status;
	status = order_begin(&order, "release", options->config);
	if (status != COMMAND_DONE)
		goto undo_prefixes;
	status = release_all(&order, &prefixes, &tally);
	if (status == COMMAND_DONE && tally.released == 0) {
		say_error("release", "none of them is blocked or allowed; 'holdfast rules' lists what there is");
		status = COMMAND_BAD;
	} else if (status == COMMAND_DONE) {
		status = print_tally(&tally, options->json);
	}
	order_end(&order);
undo_prefixes:
	prefix_list_fini(&prefixes);
	return status;
}

int release_command(int argc, char **argv)
{
	struct options options = { .json = false };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (!options.what == !options.file)
		return options_refuse(&table, options.file ? "a prefix, a rule, or --file: one at a time"
		                                           : "nothing to release");
	return options.file ? release_file(&options) : release_one(&options);
}
