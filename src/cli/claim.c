/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast claim: public claims about an incident, put on record as they were said, and tested against its trace.
 *
 * The trace is that of the archived incident, or of a file (--report), or what a verdict before rested on. Claims never
 * change; tests of them are added. With --predicate or --predicates nothing is recorded: what is asked is answered.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/claim_inside.h"
#include "cli/claim_page.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "detect/incident_id.h"
#include "tell/facts.h"

#define CLAIMS_SCHEMA "holdfast.claims/1"
#define SEED_SIZE 17 /* 64 bits in hexadecimal */

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "add|list|show|test|approve", OPTION_INTO(struct claim_options, verb),
	  .missing = "say what to do: holdfast claim add, list, show, test or approve",
	  .help = "put a claim on record, list them, show one, test; approve of telling others" },
	{ .value = "ID", OPTION_INTO(struct claim_options, name),
	  .help = "add, list: an incident's; show, approve: a claim's, as c1; test: either" },
	{ .name = "by", .value = "WHO", OPTION_INTO(struct claim_options, by), .help = "add: who said it" },
	{ .name = "at", .value = "TIME", OPTION_INTO(struct claim_options, at), .help = "add: when, as 2026-03-10T17:00:00Z" },
	{ .name = "url", .value = "URL", OPTION_INTO(struct claim_options, url), .help = "add: where it can be read" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct claim_options, text), .help = "add: the words" },
	{ .name = "predicate", .value = "TEXT", OPTION_INTO(struct claim_options, predicate),
	  .help = "what of it evidence can meet, as 'share(country=ZZ) >= 0.5': doc/claims.md;\ntest: this, and nothing is recorded" },
	{ .name = "predicates", .value = "FILE", OPTION_INTO(struct claim_options, predicates),
	  .help = "test: all of a file, one a line; - is standard input" },
	{ .name = "report", .value = "FILE", OPTION_INTO(struct claim_options, report),
	  .help = "an analysis as JSON with the incident's trace, or the trace; no daemon is needed" },
	{ .name = "context", .value = "FILE", OPTION_INTO(struct claim_options, context),
	  .help = "test: outages that were measured, else those on record count; and a baseline, as JSON (doc/claims.md)" },
	{ .name = "seed", .value = "HEX", OPTION_INTO(struct claim_options, seed), .help = "test: of the bootstrap; else the incident's ID" },
	OPTION_JSON_ROW(struct claim_options, "as JSON", CLAIMS_SCHEMA ", " CLAIM_VERDICTS_SCHEMA),
	BOOKS_RECORD_ROW(struct claim_options),
	PLACE_CONFIG_ROW(struct claim_options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "claim",
	.synopsis =
		"add INCIDENT --by WHO --text TEXT --predicate TEXT [--at TIME] [--url URL] | list [INCIDENT] | show ID | test ID|INCIDENT | approve ID",
	.purpose =
		"Puts public claims about an incident on record as they were said, and tests them against what was observed: supported,\n"
		"contradicted, unsupported, or untestable. Who did it is always untestable. A claim never changes; tests are added to it.\n"
		"Others are told of it (report --include-claims) once a second person has approved.\n",
	.notes =
		"Exit status: 0 done, whatever the verdict; 1 something cannot be read or written, or does not parse; 2 wrong usage.\n"
		"\n"
		"Example (names and places are fictional):\n"
		"  holdfast claim add latest --by 'the minister of Examplia' --text 'It came from Elbonia' --predicate 'share(country=ZZ) >= 0.5'\n"
		"  holdfast claim test latest\n",
	OPTION_ROWS(rows),
};

int claim_refuse(const char *what)
{
	return options_refuse(&table, "%s", what);
}

/* Says what does not parse, with a caret under where. */
struct predicate *claim_parse(const char *text, int *status)
{
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate = NULL;
	size_t at = 0;
	int result = predicate_parse(text, &predicate, &at, error);

	*status = result == 0 ? COMMAND_DONE : result == -EINVAL ? COMMAND_USAGE : COMMAND_BAD;
	if (result == 0)
		return predicate;
	if (result != -EINVAL) {
		say_error("claim", "%s; free memory", strerror(-result));
		return NULL;
	}
	say_error("predicate", "%s; doc/claims.md has the language", error);
	(void)fputs("  ", stderr);
	for (const char *c = text; *c; c++)
		(void)fputc((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f ? *c : '?', stderr);
	(void)fprintf(stderr, "\n  %*s^\n", (int)at, "");
	return NULL;
}

/* ---- add ---- */

/* The incident meant: of a file, of the archive, or, by its whole ID, of the record. */
static int find_incident(const struct claim_options *options, uint64_t *incident)
{
	struct claim_source source = { .has_trace = false };
	struct archived archived;
	char *end = NULL;
	int status;

	if (options->report) {
		status = claim_source_read(options->report, options->name, &source);
		*incident = source.incident;
		claim_source_end(&source);
		return status;
	}
	if (options->record) {
		*incident = strtoull(options->name, &end, CLAIM_HEX);
		if (strlen(options->name) == INCIDENT_ID_SIZE - 1 && !*end)
			return COMMAND_DONE;
	}
	status = archived_find("claim", options->config, options->name, &archived);
	if (status == COMMAND_DONE)
		*incident = archived.head.id;
	return status;
}

static int read_claim(const struct claim_options *options, struct ledger_claim *claim)
{
	struct capture_time at = { 0 };

	if (!options->name)
		return claim_refuse("no incident to add a claim to");
	if (!options->by || !*options->by)
		return claim_refuse("--by says who said it");
	if (!options->text || !*options->text)
		return claim_refuse("--text has the words");
	if (!options->predicate)
		return claim_refuse("--predicate says what of it evidence can meet");
	if (options->at && time_parse(options->at, &at) != 0)
		return claim_refuse("--at wants a time in UTC such as 2026-03-10T17:00:00Z");
	*claim = (struct ledger_claim){ .by = options->by, .text = options->text, .at_ns = at.ns };
	claim->url = options->url ? options->url : "";
	return COMMAND_DONE;
}

static int add(const struct claim_options *options)
{
	struct record_error error = { .message = "" };
	struct ledger_claim claim = { .id = "" };
	struct predicate *predicate;
	char user[BOOKS_NAME_SIZE];
	struct books books;
	int result, status = read_claim(options, &claim);

	if (status != COMMAND_DONE)
		return status;
	predicate = claim_parse(options->predicate, &status);
	if (!predicate)
		return status;
	status = find_incident(options, &claim.incident);
	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE) {
		predicate_free(predicate);
		return status;
	}
	claim.predicate = predicate_text(predicate);
	claim.added_ns = books_now();
	claim.added_by = books_user(user);
	result = ledger_claim_add(books.ledger, &claim, claim.id, &error);
	books_close(&books);
	if (result != 0) {
		status = books_refuse(&books, result, &error);
	} else if (options->json) {
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{s:[o]}", "claims", claim_shelf_json(&claim)));
	} else {
		(void)printf("%s is on record; 'holdfast claim test %s' tests it\n", claim.id, claim.id);
		status = output_finish();
	}
	predicate_free(predicate);
	return status;
}

/* ---- list, show ---- */

struct history {
	const struct paper *paper; /* NULL: none is printed */
	json_t *verdicts;
	json_t *last; /* the latest one's JSON */
};

static int take_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct history *h = context;
	char at[TIME_TEXT_SIZE], approved[TIME_TEXT_SIZE], seed[SEED_SIZE];
	json_t *json = json_loads(verdict->json, JSON_REJECT_DUPLICATES, NULL), *item;

	(void)snprintf(seed, sizeof(seed), "%016" PRIx64, verdict->seed);
	item = json_pack("{ss ss ss ss ss? ss? sO?}", "at", time_format((struct capture_time){ verdict->at_ns }, at),
	                 "trace_sha256", verdict->trace_sha256, "seed", seed, "verdict", verdict->verdict, "approved",
	                 verdict->approved_ns ? time_format((struct capture_time){ verdict->approved_ns }, approved)
	                                      : NULL,
	                 "approved_by", verdict->approved_ns ? verdict->approved_by : NULL, "whole", json);
	json_decref(h->last);
	h->last = json;
	return json_array_append_new(h->verdicts, item) == 0 ? 0 : -ENOMEM;
}

static int list(const struct claim_options *options)
{
	struct paper paper = screen_paper(0, false);
	json_t *claims = json_array();
	const char *name = options->name;
	char id[INCIDENT_ID_SIZE];
	struct claim_shelf shelf;
	struct books books;
	int status = claim_resolve(options, &name, id);

	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, false);
	if (status != COMMAND_DONE) {
		json_decref(claims);
		return status;
	}
	status = claim_shelf_find(&books, name, &shelf);
	for (size_t i = 0; i < shelf.count && status == COMMAND_DONE; i++) {
		const struct ledger_claim *claim = &shelf.claims[i].claim;
		struct history history = { NULL, json_array(), NULL };
		struct record_error error = { .message = "" };
		int result = ledger_verdict_each(books.ledger, claim->id, take_verdict, &history, &error);
		const char *verdict = fact_text(history.last, "verdict");
		struct draft d = { .length = 0 };

		if (result != 0)
			status = books_refuse(&books, result, &error);
		draft_add(&d, BOLD "%-5s" PLAIN " %08" PRIx64 "  %-12s  %s   %s", claim->id, claim->incident >> 32,
		          *verdict ? verdict : "not tested", claim->predicate, claim->by);
		if (options->json) {
			json_t *item = claim_shelf_json(claim);

			(void)json_object_set_new(item, "verdict", *verdict ? json_string(verdict) : json_null());
			(void)json_array_append_new(claims, item);
		} else {
			paper_line(&paper, 0, d.text);
		}
		json_decref(history.verdicts);
		json_decref(history.last);
	}
	books_close(&books);
	if (status == COMMAND_DONE && options->json)
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{sO}", "claims", claims));
	else if (status == COMMAND_DONE) {
		if (shelf.count == 0)
			paper_line(&paper, 0, "no claims");
		status = output_finish();
	}
	claim_shelf_free(&shelf);
	json_decref(claims);
	return status;
}

/* Of the latest verdict. */
static void write_approval(const struct paper *paper, const json_t *verdict)
{
	const char *by = fact_text(verdict, "approved_by");
	struct draft d = { .length = 0 };

	if (!verdict)
		return;
	(void)fputc('\n', paper->out);
	if (*by)
		draft_add(&d, "%s approved of telling others, %.19s UTC.", by, fact_text(verdict, "approved"));
	else
		draft_add(&d,
		          YELLOW "Internal" PLAIN ": others are not told of it before somebody other than who put it "
		                 "on record approves ('holdfast claim approve').");
	paper_text(paper, 0, 0, d.text);
}

static int show_kept(const struct claim_options *options, struct books *books, const struct ledger_claim *claim)
{
	struct paper paper = screen_paper(0, false);
	struct history history = { &paper, json_array(), NULL };
	struct record_error error = { .message = "" };
	int result = ledger_verdict_each(books->ledger, claim->id, take_verdict, &history, &error);
	const json_t *verdict;
	size_t i;
	int status = COMMAND_DONE;

	if (result != 0) {
		status = books_refuse(books, result, &error);
	} else if (options->json) {
		json_t *item = claim_shelf_json(claim);

		(void)json_object_set(item, "verdicts", history.verdicts);
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{s:[o]}", "claims", item));
	} else {
		claim_page_claim(&paper, claim);
		(void)fputc('\n', paper.out);
		if (history.last)
			claim_page_verdict(&paper, history.last);
		else
			paper_text(&paper, 0, 0, "It has not been tested: 'holdfast claim test' does.");
		if (json_array_size(history.verdicts) > 1)
			paper_line(&paper, 0, "\n" BOLD "TESTS" PLAIN);
		json_array_foreach(history.verdicts, i, verdict)
		{
			struct draft d = { .length = 0 };

			draft_add(&d, "%.19s  %-12s  trace %.12s", fact_text(verdict, "at"),
			          fact_text(verdict, "verdict"), fact_text(verdict, "trace_sha256"));
			if (json_array_size(history.verdicts) > 1)
				paper_line(&paper, 2, d.text);
		}
		write_approval(&paper, json_array_get(history.verdicts, json_array_size(history.verdicts) - 1));
		status = output_finish();
	}
	json_decref(history.verdicts);
	json_decref(history.last);
	return status;
}

static int show(const struct claim_options *options)
{
	struct claim_shelf shelf;
	struct books books;
	int status;

	if (!options->name)
		return claim_refuse("no claim to show; 'holdfast claim list' lists them");
	status = books_open(&books, "claim", options->config, options->record, false);
	if (status != COMMAND_DONE)
		return status;
	status = claim_shelf_find(&books, options->name, &shelf);
	if (status == COMMAND_DONE && shelf.count != 1) {
		say_error("claim",
		          shelf.count ? "several claims are about %.60s; name one, as c1" : "there is no claim %.60s",
		          options->name);
		status = COMMAND_BAD;
	}
	if (status == COMMAND_DONE)
		status = show_kept(options, &books, &shelf.claims[0].claim);
	claim_shelf_free(&shelf);
	books_close(&books);
	return status;
}

/* ---- approve ---- */

static int approve(const struct claim_options *options)
{
	struct record_error error = { .message = "" };
	char user[BOOKS_NAME_SIZE];
	struct books books;
	int status, result;

	if (!options->name)
		return claim_refuse("no claim to approve of; 'holdfast claim list' lists them");
	status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	result = ledger_approval_add(books.ledger, options->name, books_now(), books_user(user), &error);
	books_close(&books);
	if (result != 0) {
		say_error("claim", "%.40s: %s%s%s", options->name, error.message, error.advice[0] ? "; " : "",
		          error.advice);
		return COMMAND_BAD;
	}
	(void)printf("%s and its latest verdict may be told to others, says %s\n", options->name, user);
	return output_finish();
}

int claim_command(int argc, char **argv)
{
	struct claim_options options = { .json = false };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (strcmp(options.verb, "add") == 0)
		return add(&options);
	if (strcmp(options.verb, "list") == 0)
		return list(&options);
	if (strcmp(options.verb, "show") == 0)
		return show(&options);
	if (strcmp(options.verb, "test") == 0)
		return claim_test_command(&options);
	if (strcmp(options.verb, "approve") == 0)
		return approve(&options);
	return options_refuse(&table, "'%.40s' is none of add, list, show, test, approve", options.verb);
}
