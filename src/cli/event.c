/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast event: what else happened, put on record by hand, so that not all is laid to an attack. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/screen.h"
#include "tell/build.h"
#include "tell/words.h"

struct options {
	const char *config, *record, *verb;
	const char *kind, *from, *to, *text, *url;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "add|list", OPTION_INTO(struct options, verb), .missing = "say what to do: holdfast event add, holdfast event list",
	  .help = "put one on record, or list those that are" },
	{ .name = "kind", .value = "KIND", OPTION_INTO(struct options, kind), .help = "change (your own), provider (their failure) or maintenance" },
	{ .name = "from", .value = "TIME", OPTION_INTO(struct options, from), .help = "when it began, as 2026-03-10T09:40:00Z" },
	{ .name = "to", .value = "TIME", OPTION_INTO(struct options, to), .help = "when it ended; else it lasts" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct options, text), .help = "what happened" },
	{ .name = "url", .value = "URL", OPTION_INTO(struct options, url), .help = "where one can read of it" },
	OPTION_JSON_ROW(struct options, "as JSON", "holdfast.events/1"),
	BOOKS_RECORD_ROW(struct options),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "event",
	.synopsis = "add --kind KIND --from TIME [--to TIME] --text TEXT [--url URL] [--json] | list [--json]",
	.purpose =
		"Puts on record what else happened: an own change, a provider's failure, maintenance. Claims about the cause of an outage\n"
		"are tested against it ('holdfast claim'). What is on record is never changed.\n",
	.notes =
		"Exit status: 0 done, 1 it cannot be read or written, 2 wrong usage.\n"
		"\n"
		"Example:\n"
		"  holdfast event add --kind change --from 2026-03-10T09:40:00Z --to 2026-03-10T09:55:00Z --text 'new load balancer'\n",
	OPTION_ROWS(rows),
};

static const struct {
	const char *typed;
	enum ledger_event_kind kind;
} kinds[] = { { "change", LEDGER_OWN_CHANGE }, { "provider", LEDGER_PROVIDER }, { "maintenance", LEDGER_MAINTENANCE } };

static const char *kind_word(enum ledger_event_kind kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return kinds[i].typed;
	return "";
}

static int read_options(const struct options *options, struct ledger_event *event)
{
	struct capture_time from, to = { 0 };
	bool known = false;

	for (size_t i = 0; options->kind && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(options->kind, kinds[i].typed) == 0) {
			event->kind = kinds[i].kind;
			known = true;
		}
	if (!known)
		return options_refuse(&table, "--kind wants change, provider or maintenance");
	if (!options->from || time_parse(options->from, &from) != 0)
		return options_refuse(&table, "--from wants a time in UTC such as 2026-03-10T09:40:00Z");
	if (options->to && time_parse(options->to, &to) != 0)
		return options_refuse(&table, "--to wants a time such as 2026-03-10T09:55:00Z");
	event->began_ns = from.ns;
	event->ended_ns = to.ns;
	event->text = options->text ? options->text : "";
	event->url = options->url ? options->url : "";
	return *ledger_event_wrong(event)
	               ? options_refuse(&table, "%s (--text, --from, --to)", ledger_event_wrong(event))
	               : COMMAND_DONE;
}

static json_t *event_json(const struct ledger_event *event)
{
	char began[TIME_TEXT_SIZE], ended[TIME_TEXT_SIZE], added[TIME_TEXT_SIZE];

	return json_pack("{ss ss ss ss? so so ss so}", "id", event->id, "kind", kind_word(event->kind), "began",
	                 time_format((struct capture_time){ event->began_ns }, began), "ended",
	                 event->ended_ns ? time_format((struct capture_time){ event->ended_ns }, ended) : NULL, "text",
	                 build_text(event->text, LEDGER_TEXT_MAX), "url", build_text(event->url, LEDGER_TEXT_MAX),
	                 "added", time_format((struct capture_time){ event->added_ns }, added), "added_by",
	                 build_text(event->added_by, LEDGER_TEXT_MAX));
}

static int add(struct books *books, const struct options *options)
{
	struct ledger_event event = { .id = "" };
	struct record_error error = { .message = "" };
	char user[BOOKS_NAME_SIZE];
	int result, status = read_options(options, &event);

	if (status != COMMAND_DONE)
		return status;
	status = books_open(books, "event", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	event.added_ns = books_now();
	event.added_by = books_user(user);
	result = ledger_event_add(books->ledger, &event, event.id, &error);
	if (result != 0) {
		status = books_refuse(books, result, &error);
	} else if (options->json) {
		status = order_print_json("holdfast.events/1", json_pack("{s:[o]}", "events", event_json(&event)));
	} else {
		(void)printf("%s is on record\n", event.id);
		status = output_finish();
	}
	books_close(books);
	return status;
}

struct listing {
	struct paper paper;
	json_t *events; /* NULL: lines */
	bool any;
};

static int list_one(void *context, const struct ledger_event *event)
{
	struct listing *listing = context;
	char began[WORDS_SIZE], ended[WORDS_SIZE] = "";
	struct draft d = { .length = 0 };

	listing->any = true;
	if (listing->events)
		return json_array_append_new(listing->events, event_json(event)) == 0 ? 0 : -ENOMEM;
	if (event->ended_ns)
		(void)words_date_time((struct capture_time){ event->ended_ns }, ended);
	draft_add(&d, BOLD "%-5s" PLAIN " %-11s  %s to %-19s  %s", event->id, kind_word(event->kind),
	          words_date_time((struct capture_time){ event->began_ns }, began), *ended ? ended : "now",
	          event->text);
	paper_line(&listing->paper, 0, d.text);
	return 0;
}

static int list(struct books *books, const struct options *options)
{
	struct listing listing = { .paper = screen_paper(0, false), .events = options->json ? json_array() : NULL };
	struct record_error error = { .message = "" };
	int result, status = books_open(books, "event", options->config, options->record, false);

	if (status != COMMAND_DONE) {
		json_decref(listing.events);
		return status;
	}
	result = ledger_event_each(books->ledger, list_one, &listing, &error);
	books_close(books);
	if (result != 0) {
		json_decref(listing.events);
		return books_refuse(books, result, &error);
	}
	if (options->json)
		return order_print_json("holdfast.events/1", json_pack("{so}", "events", listing.events));
	if (!listing.any)
		paper_line(&listing.paper, 0, "no events");
	return output_finish();
}

int event_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct books books;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (strcmp(options.verb, "add") == 0)
		return add(&books, &options);
	if (strcmp(options.verb, "list") == 0)
		return list(&books, &options);
	return options_refuse(&table, "'%.40s' is neither add nor list", options.verb);
}
