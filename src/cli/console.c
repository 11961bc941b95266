/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast console: tokens for the page of operators, and what was done by it. The page itself is 'holdfast serve'. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/time.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "record/console_audit.h"
#include "tell/build.h"
#include "tell/console_door.h"
#include "tell/paper.h"
#include "tell/words.h"

#define AUDIT_STANDARD 50
#define AUDIT_MAX 100000

struct options {
	const char *verb, *name, *role, *record, *config;
	uint64_t limit;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "token|audit", OPTION_INTO(struct options, verb), .missing = "what to do: holdfast console token NAME, or audit",
	  .help = "make a token for somebody, or list what was done by the console" },
	{ .value = "NAME", OPTION_INTO(struct options, name), .too_many = "one at a time",
	  .help = "token: who it is for; the name that they log in by, if they do" },
	{ .name = "role", .value = "ROLE", OPTION_INTO(struct options, role),
	  .help = "token: read (else), operate (drafts, edits, approves; components, works, events)\nor publish (publishes and withdraws as well)" },
	{ .name = "limit", .value = "N", OPTION_INTO(struct options, limit), .minimum = 1, .maximum = AUDIT_MAX, .help = "audit: so many, the latest (50)" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "audit: as JSON (holdfast.console-audit/1)" },
	BOOKS_RECORD_ROW(struct options),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "console",
	.synopsis = "token NAME [--role ROLE] | audit [--limit N]",
	.purpose =
		"The console is a page for operators who have no shell: 'holdfast serve' has it on loopback. 'token' makes what one\n"
		"signs in with, and says what to write into the configuration; 'audit' lists what was done by it, the latest first.\n",
	.notes = "Exit status: 0 done, 1 something cannot be read, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast console token ann --role publish\n",
	OPTION_ROWS(rows),
};

/* ---- token ---- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
			return false;
	return length > 0 && length < CONSOLE_NAME_SIZE;
}

static int read_random(uint8_t octets[CONSOLE_SECRET_OCTETS])
{
	FILE *file = fopen("/dev/urandom", "re");
	size_t got = file ? fread(octets, 1, CONSOLE_SECRET_OCTETS, file) : 0;

	if (file)
		(void)fclose(file);
	return got == CONSOLE_SECRET_OCTETS ? 0 : -EIO;
}

static int token(const struct options *options)
{
	char secret[CONSOLE_SECRET_SIZE], sum[DIGEST_SHA256_TEXT_SIZE];
	uint8_t octets[CONSOLE_SECRET_OCTETS];
	enum console_role role = CONSOLE_READ;

	if (!options->name || !is_name(options->name))
		return options_refuse(&table, "who is it for? up to %d letters, digits, '_', '-' and '.'",
		                      CONSOLE_NAME_SIZE - 1);
	if (options->role && !console_role_find(options->role, &role))
		return options_refuse(&table, "--role wants read, operate or publish");
	if (read_random(octets) != 0) {
		say_error("console", "/dev/urandom cannot be read; no token is made");
		return COMMAND_BAD;
	}
	digest_text(octets, secret);
	digest_sha256_text(secret, strlen(secret), sum);
	(void)printf("The token, which is shown once; give it to %s alone:\n\n  %s\n\n"
	             "Into the configuration, where its sum opens nothing; then 'systemctl reload holdfast-serve':\n\n"
	             "  console:\n    tokens:\n      - name: %s\n        role: %s\n        token: " CONSOLE_TOKEN_PREFIX
	             "%s\n",
	             options->name, secret, options->name, console_role_name(role), sum);
	return output_finish();
}

/* ---- audit ---- */

struct listing {
	struct paper paper;
	json_t *list; /* NULL: lines */
	struct build build;
	bool any;
};

static int list_one(void *context, const struct console_audit *row)
{
	struct listing *l = context;
	char when[WORDS_SIZE], text[TIME_TEXT_SIZE];
	struct draft d = { .length = 0 };

	l->any = true;
	if (l->list) {
		build_append(&l->build, l->list,
		             json_pack("{sI ss so ss ss so sI ss so}", "number", (json_int_t)row->number, "at",
		                       time_format((struct capture_time){ row->at_ns }, text), "who",
		                       build_text(row->who, LEDGER_TEXT_MAX), "role", row->role, "what", row->what,
		                       "object", build_text(row->object, LEDGER_TEXT_MAX), "revision",
		                       (json_int_t)row->revision, "outcome", row->outcome, "message",
		                       build_text(row->message, LEDGER_TEXT_MAX)));
		return 0;
	}
	draft_add(&d, "%s UTC  %-12s %-8s %-10s %s", words_date_time((struct capture_time){ row->at_ns }, when),
	          *row->who ? row->who : "-", row->outcome, row->what, row->object);
	if (row->revision)
		draft_add(&d, ", revision %" PRIu64, row->revision);
	if (*row->message)
		draft_add(&d, ": %s", row->message);
	paper_line(&l->paper, 0, d.text);
	return 0;
}

static int audit(const struct options *options)
{
	struct listing listing = { .paper = screen_paper(0, false) };
	struct record_error error = { .message = "" };
	struct books books;
	int result, status;

	if (options->name)
		return options_refuse(&table, "audit wants no name");
	status = books_open(&books, "console", options->config, options->record, false);
	if (status != COMMAND_DONE)
		return status;
	listing.list = options->json ? json_array() : NULL;
	result = console_audit_each(books.ledger, (unsigned)options->limit, list_one, &listing, &error);
	books_close(&books);
	if (result == 0)
		result = listing.build.failed ? -ENOMEM : 0;
	if (result != 0) {
		json_decref(listing.list);
		return books_refuse(&books, result, &error);
	}
	if (options->json)
		return order_print_json("holdfast.console-audit/1", json_pack("{so}", "audit", listing.list));
	if (!listing.any)
		paper_line(&listing.paper, 0, "nothing was done by the console");
	return output_finish();
}

int console_command(int argc, char **argv)
{
	struct options options = { .limit = AUDIT_STANDARD };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (strcmp(options.verb, "token") == 0)
		return token(&options);
	if (strcmp(options.verb, "audit") == 0)
		return audit(&options);
	return options_refuse(&table, "'%.40s' is neither token nor audit", options.verb);
}
