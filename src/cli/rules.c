/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast rules: what is in force: rules, blocked prefixes, the allow list. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cli/command.h"
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/rules_page.h"
#include "cli/screen.h"
#include "tell/paper.h"
#include "tell/words.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define PREFIX_COLUMN 44

struct options {
	const char *config;
	uint64_t limit;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .name = "limit", .value = "N", OPTION_INTO(struct options, limit), .maximum = LIMIT_MAX,
	  .help = "so many blocked and allowed prefixes at most, 0 to 1000; else 100. Rules are always listed" },
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.rules/1"),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "rules",
	.synopsis = "[--limit N] [--json]",
	.purpose =
		"Lists what is in force: rules with what they matched and dropped, by whom and why they were made; blocked prefixes;\n"
		"the allow list. Each can be undone by 'holdfast release'.\n",
	.notes = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast rules\n",
	OPTION_ROWS(rows),
};

static void write_prefixes(const struct paper *paper, const char *title, const json_t *prefixes, uint64_t count)
{
	char left[WORDS_SIZE];
	struct draft d = { .length = 0 };
	const json_t *entry;
	size_t i;

	if (count == 0)
		return;
	(void)fputc('\n', paper->out);
	draft_add(&d, BOLD "%-*s %12s" PLAIN, PREFIX_COLUMN, title, "ENDS IN");
	paper_line(paper, 0, d.text);
	json_array_foreach(prefixes, i, entry)
	{
		d.length = 0;
		draft_add(&d, "%-*s %12s", PREFIX_COLUMN, fact_text(entry, "prefix"),
		          rules_page_left(entry, "left_s", left));
		paper_line(paper, 0, d.text);
	}
	if (count > json_array_size(prefixes)) {
		d.length = 0;
		draft_add(&d, "and %s more; --limit shows up to %d",
		          words_count(count - json_array_size(prefixes), left), LIMIT_MAX);
		paper_line(paper, 0, d.text);
	}
}

static int print_page(const json_t *result, const char *mode)
{
	const json_t *rules = json_object_get(result, "rules"), *blocks = json_object_get(result, "blocks");
	struct capture_time now = { (int64_t)time(NULL) * NS_PER_S };
	uint64_t blocked = fact_count(blocks, "ipv4") + fact_count(blocks, "ipv6");
	bool enforce = strcmp(mode, "enforce") == 0;
	struct paper paper = screen_paper(0, false);

	if (json_array_size(rules) > 0)
		rules_page_write(&paper, rules, enforce, true, now);
	else
		paper_line(&paper, 0, "no rules");
	write_prefixes(&paper, "BLOCKED", json_object_get(result, "blocked"), blocked);
	write_prefixes(&paper, "ALLOWED", json_object_get(result, "allowed"), fact_count(result, "allowed_count"));
	(void)fputc('\n', paper.out);
	paper_text(
		&paper, 0, 0,
		enforce ? "Mode enforce. What a rule dropped includes what it would have dropped while the mode was observe."
			: YELLOW "Mode observe" PLAIN ": nothing is dropped.");
	paper_line(&paper, 0, "UNDO  holdfast release PREFIX|RULE");
	return output_finish();
}

int rules_command(int argc, char **argv)
{
	struct options options = { .limit = LIMIT_DEFAULT };
	const char *mode = "observe";
	struct order order;
	json_t *result;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	status = order_begin(&order, "rules", options.config);
	if (status != COMMAND_DONE)
		return status;
	status = order_give(&order, json_pack("{s:s, s:I}", "command", "rules", "limit", (json_int_t)options.limit),
	                    &result);
	if (status != COMMAND_DONE)
		goto undo_order;
	if (options.json) {
		status = order_print_json("holdfast.rules/1", json_incref(result));
	} else {
		status = order_mode(&order, &mode);
		if (status == COMMAND_DONE)
			status = print_page(result, mode);
	}
	json_decref(result);
undo_order:
	order_end(&order);
	return status;
}
