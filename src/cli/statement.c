/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast statement: what is said of an incident, from a draft to what is published, and by whom.
 *
 * A draft is made of the record (tell/statement.h) and kept with what it was made of. Nothing here sends anything: who
 * publishes a statement puts it on record as published, and whoever shows statements (the status page) takes them from
 * there.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/statement_edit.h"
#include "cli/statement_inside.h"
#include "cli/statement_page.h"
#include "record/statement_desk.h"
#include "tell/statement.h"

#define STATEMENTS_SCHEMA "holdfast.statements/1"
#define DAY_NS (86400 * NS_PER_S)

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "VERB", OPTION_INTO(struct statement_options, verb),
	  .missing = "say what to do: holdfast statement draft, edit, show, list, check, approve, publish, submit, withdraw, aware, exempt or status",
	  .help = "draft, edit, show, list, check, approve, publish, submit, withdraw, aware, exempt, status" },
	{ .value = "ID", OPTION_INTO(struct statement_options, name),
	  .help = "draft, aware, exempt: an incident's ID, or latest (draft: none is needed with --since);\nothers: a statement's, as s1" },
	{ .value = "TEXT", OPTION_INTO(struct statement_options, words), .help = "edit --set, --add: the words" },
	{ .name = "kind", .value = "KIND", OPTION_INTO(struct statement_options, kind),
	  .help = "draft: first_notice, update, resolution, correction, postmortem, nis2_24h, nis2_72h,\nnis2_month or gdpr_33; else what comes next. exempt: one of the last four, or nis2, all of NIS2's" },
	{ .name = "lang", .value = "LANG", OPTION_INTO(struct statement_options, lang), .help = "draft: en (else) or fr" },
	{ .name = "since", .value = "TIME", OPTION_INTO(struct statement_options, since),
	  .help = "draft: since when people cannot reach you, as 09:40 (UTC, the last) or 2026-03-10T09:40:00Z" },
	{ .name = "until", .value = "TIME", OPTION_INTO(struct statement_options, until), .help = "draft: since when they can again" },
	{ .name = "component", .value = "NAME", OPTION_INTO(struct statement_options, component), .help = "draft: what is concerned, as the public knows it" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct statement_options, text), .help = "draft: a sentence of your own; withdraw, exempt: why" },
	{ .name = "next", .value = "TIME", OPTION_INTO(struct statement_options, next), .maximum = (uint64_t)DAY_NS,
	  .help = "draft: when the next update is promised (30m; 0s: it is not)" },
	{ .name = "after", .value = "ID", OPTION_INTO(struct statement_options, after), .help = "draft: the statement that this goes on from; else the latest of the incident" },
	{ .name = "corrects", .value = "ID", OPTION_INTO(struct statement_options, corrects), .help = "draft --kind correction: the published statement that is corrected" },
	{ .name = "translates", .value = "ID", OPTION_INTO(struct statement_options, translates),
	  .help = "draft --lang LANG: the same in another language, of the same facts; the two are one on the status page" },
	{ .name = "phase", .value = "PHASE", OPTION_INTO(struct statement_options, phase),
	  .help = "draft --kind update: identified (the cause is known) or monitoring (a remedy is in place)" },
	{ .name = "include-claim", .value = "ID", OPTION_INTO(struct statement_options, claim),
	  .help = "draft: a public claim and what was found of it; then two people have to approve" },
	{ .name = "set", .value = "N", OPTION_INTO(struct statement_options, set), .minimum = 1, .help = "edit: sentence N is TEXT" },
	{ .name = "remove", .value = "N", OPTION_INTO(struct statement_options, remove), .minimum = 1, .help = "edit: sentence N is gone" },
	{ .name = "add", OPTION_INTO(struct statement_options, add), .help = "edit: another sentence, TEXT" },
	{ .name = "internal", OPTION_INTO(struct statement_options, internal), .help = "edit --set, --add: it is not for the public" },
	{ .name = "keep-evidence", OPTION_INTO(struct statement_options, keep), .help = "edit --set: its links hold for the new words too" },
	{ .name = "hash", .value = "HASH", OPTION_INTO(struct statement_options, hash), .help = "approve: of the revision that you have read, as 'show' says it" },
	{ .name = "at", .value = "TIME", OPTION_INTO(struct statement_options, at), .help = "aware: since when you have known" },
	{ .name = "needed", OPTION_INTO(struct statement_options, needed), .help = "exempt: it is needed after all" },
	{ .name = "analysis", .value = "FILE", OPTION_INTO(struct statement_options, analysis),
	  .help = "check: an incident's analysis as JSON, as a bundle has it, instead of what was kept" },
	{ .name = "links", OPTION_INTO(struct statement_options, links), .help = "show: what each sentence rests on" },
	{ .name = "public", OPTION_INTO(struct statement_options, public), .help = "show: the text alone, as it is published" },
	OPTION_JSON_ROW(struct statement_options, "as JSON", STATEMENTS_SCHEMA),
	BOOKS_RECORD_ROW(struct statement_options),
	PLACE_CONFIG_ROW(struct statement_options),
};
/* clang-format on */

const struct option_table statement_table = {
	.command = "statement",
	.synopsis =
		"draft [INCIDENT] [--kind KIND] [--lang LANG] | show ID | edit ID | approve ID --hash HASH | publish ID | exempt INCIDENT | status",
	.purpose =
		"The official word: drafts of what to say of an incident, each sentence filled from the record and linked to what it rests\n"
		"on. A person approves; what was published stays. Nothing is sent, and nothing says who attacked.\n",
	.notes =
		"Exit status: 0 done; 1 something cannot be read or written, or is refused; 2 wrong usage; status: 4 something is due.\n"
		"\n"
		"Example:\n"
		"  holdfast statement draft --since 09:40 --component web\n"
		"  holdfast statement show s1\n"
		"  holdfast statement approve s1 --hash 3f9a02c1\n"
		"  holdfast statement publish s1\n",
	OPTION_ROWS(rows),
};

/* ---- what is typed ---- */

int statement_read_time(const char *option, const char *text, struct capture_time now, struct capture_time *time)
{
	time->ns = 0;
	if (!text || time_parse_typed(text, now, time) == 0)
		return COMMAND_DONE;
	return options_refuse(&statement_table, "%s wants a time in UTC such as 09:40 or 2026-03-10T09:40:00Z", option);
}

static int read_id(const char *id, uint64_t *number)
{
	*number = id ? statements_number(id) : 0;
	if (*number)
		return COMMAND_DONE;
	if (!id)
		return options_refuse(&statement_table, "no statement; 'holdfast statement list' lists them");
	return options_refuse(&statement_table, "'%.40s' is no statement's ID, as s1", id);
}

/*
 * Who it is that approves. sudo says who called it; then the kernel, who logged in. Whoever is root can be anybody: two
 * approvals guard against mistakes.
 */
static uint32_t person(void)
{
	const char *sudo = screen_environment("SUDO_UID");
	FILE *file = fopen("/proc/self/loginuid", "re");
	char digits[16] = "";
	char *end;
	unsigned long uid;

	if (file) {
		(void)!fgets(digits, sizeof(digits), file);
		(void)fclose(file);
	}
	if (geteuid() == 0 && sudo)
		(void)snprintf(digits, sizeof(digits), "%s", sudo);
	digits[strcspn(digits, "\n")] = '\0';
	errno = 0;
	uid = strtoul(digits, &end, 10);
	return errno || !*digits || *end || uid >= UINT32_MAX ? (uint32_t)getuid() : (uint32_t)uid;
}

/* ---- statements on record ---- */

int statement_refuse(const struct books *books, const char *name, int result, const struct record_error *error)
{
	if (result == -EACCES || result == -EBUSY || !error->message[0])
		return books_refuse(books, result, error);
	say_error(name, "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

/* Who is at the keyboard, now. */
static struct statement_desk_person who(void)
{
	struct statement_desk_person who = { .uid = person(), .now_ns = books_now() };

	_Static_assert(sizeof(who.name) >= BOOKS_NAME_SIZE, "a user's name");
	(void)books_user(who.name);
	return who;
}

int statement_open_and_find(const struct statement_options *options, bool write, struct books *books,
                            struct statement_desk_kept *kept)
{
	uint64_t number;
	struct record_error error = { .message = "" };
	int result, status = read_id(options->name, &number);

	*kept = (struct statement_desk_kept){ .json = NULL };
	if (status == COMMAND_DONE)
		status = books_open(books, "statement", options->config, options->record, write);
	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_find(books->ledger, number, kept, &error);
	if (result != 0) {
		status = statement_refuse(books, "statement", result, &error);
		statement_desk_free(kept);
		books_close(books);
	}
	return status;
}

/* Prints one as JSON. */
static int print_one(const struct statement_desk_kept *kept)
{
	return order_print_json(STATEMENTS_SCHEMA, json_pack("{s:[o]}", "statements", statement_page_json(kept)));
}

void statement_say_mistake(void *context, size_t sentence, const char *mistake)
{
	const char *id = context;

	say_error(id, "sentence %zu: %s", sentence, mistake);
}

/* ---- draft ---- */

static int read_asked(const struct statement_options *o, struct capture_time now, struct statement_desk_asked *asked)
{
	struct capture_time since = { 0 }, until = { 0 };
	int status = COMMAND_DONE;

	*asked = (struct statement_desk_asked){ .any_kind = !o->kind,
		                                .language = LANGUAGE_EN,
		                                .next_ns = o->next.ns,
		                                .component = o->component,
		                                .text = o->text,
		                                .claim = o->claim };
	if (o->kind && !statement_kind_find(o->kind, &asked->kind))
		return options_refuse(&statement_table,
		                      "--kind: there is no '%.40s'; 'holdfast statement --help' lists them", o->kind);
	if (o->lang && !language_find(o->lang, &asked->language))
		return options_refuse(&statement_table, "--lang wants en or fr");
	if (o->after)
		status = read_id(o->after, &asked->after);
	if (status == COMMAND_DONE && o->corrects)
		status = read_id(o->corrects, &asked->corrects);
	if (status == COMMAND_DONE && o->translates)
		status = read_id(o->translates, &asked->translates);
	if (o->phase && !statement_phase_find(o->phase, &asked->phase))
		return options_refuse(&statement_table, "--phase wants identified or monitoring");
	if (status == COMMAND_DONE)
		status = statement_read_time("--since", o->since, now, &since);
	if (status == COMMAND_DONE)
		status = statement_read_time("--until", o->until, now, &until);
	asked->since_ns = since.ns;
	asked->until_ns = until.ns;
	return status;
}

static int print_kept(const struct statement_options *options, const struct statement_desk_kept *kept, bool left_out)
{
	struct paper paper = screen_paper(0, false);

	if (options->json)
		return print_one(kept);
	statement_page(&paper, kept, false);
	if (left_out)
		statement_page_left_out(&paper, kept->json);
	return output_finish();
}

static int look_at_asked(const struct statement_desk_asked *asked)
{
	static const char *const words[STATEMENT_DESK_WRONGS] = {
		[STATEMENT_DESK_CORRECTS_NOTHING] = "--corrects says which published statement is corrected",
		[STATEMENT_DESK_PHASE] = "--phase is of an update",
		[STATEMENT_DESK_TRANSLATION] = "--translates takes all from that statement: say --lang alone beside it",
		[STATEMENT_DESK_OF_NOTHING] = "nothing to speak of: an incident's ID, --since TIME, or --after ID",
	};
	enum statement_desk_wrong wrong = statement_desk_asked_wrong(asked);

	return wrong == STATEMENT_DESK_GOOD ? COMMAND_DONE : options_refuse(&statement_table, "%s", words[wrong]);
}

static int draft(const struct statement_options *options)
{
	const struct archive_incident named = { .id = 0 };
	struct statement_desk_person person = who();
	struct statement_desk_asked asked;
	struct statement_desk_kept kept = { .json = NULL };
	struct record_error error = { .message = "" };
	struct archived archived;
	struct books books;
	int result, status = read_asked(options, (struct capture_time){ person.now_ns }, &asked);

	/* What is typed is looked at before anything is read. */
	asked.incident = options->name ? &named : NULL;
	if (status == COMMAND_DONE)
		status = look_at_asked(&asked);
	if (status == COMMAND_DONE && options->name)
		status = archived_find("statement", options->config, options->name, &archived);
	if (status == COMMAND_DONE)
		status = books_open(&books, "statement", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	asked.incident = options->name ? &archived.head : NULL;
	if (options->name || archived_folder("statement", options->config, archived.folder) == COMMAND_DONE)
		asked.folder = archived.folder;
	result = statement_desk_draft(books.ledger, &person, &asked, &kept, &error);
	status = result == 0 ? print_kept(options, &kept, true) : statement_refuse(&books, "statement", result, &error);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- show, list ---- */

static int show(const struct statement_options *options)
{
	struct books books;
	struct statement_desk_kept kept;
	int status = statement_open_and_find(options, false, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	if (options->json) {
		status = print_one(&kept);
	} else if (options->public) {
		char *text = statement_text(kept.json, STATEMENT_PUBLIC);

		(void)printf("%s\n\n%s\n", statement_title(kept.json), text ? text : "");
		free(text);
		status = output_finish();
	} else {
		struct paper paper = screen_paper(0, false);

		statement_page(&paper, &kept, options->links);
		status = output_finish();
	}
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

struct listing {
	struct paper paper;
	json_t *list; /* NULL: lines */
	bool any;
};

static int list_one(void *context, struct statement_desk_kept *kept)
{
	struct listing *l = context;

	if (!statement_desk_read(kept))
		return 0; /* 'holdfast record check' says what is no statement */
	l->any = true;
	if (l->list)
		return json_array_append_new(l->list, statement_page_json(kept)) == 0 ? 0 : -ENOMEM;
	statement_page_line(&l->paper, kept);
	return 0;
}

static int list(const struct statement_options *options)
{
	struct books books;
	struct record_error error = { .message = "" };
	struct listing listing = { .paper = screen_paper(0, false) };
	int result, status = books_open(&books, "statement", options->config, options->record, false);

	if (status != COMMAND_DONE)
		return status;
	listing.list = options->json ? json_array() : NULL;
	result = statement_desk_each(books.ledger, list_one, &listing, &error);
	books_close(&books);
	if (result != 0) {
		json_decref(listing.list);
		return books_refuse(&books, result, &error);
	}
	if (options->json)
		return order_print_json(STATEMENTS_SCHEMA, json_pack("{so}", "statements", listing.list));
	if (!listing.any)
		paper_line(&listing.paper, 0, "no statements");
	return output_finish();
}

/* ---- edit ---- */

static int edit(const struct statement_options *options)
{
	struct statement_desk_person person = who();
	char why[STATEMENT_ERROR_SIZE] = "";
	struct record_error error = { .message = "" };
	struct statement_edit_asked asked = { .set = options->set,
		                              .remove = options->remove,
		                              .add = options->add,
		                              .internal = options->internal,
		                              .keep = options->keep,
		                              .text = options->words,
		                              .by = person.name };
	struct books books;
	struct statement_desk_kept kept;
	json_t *edited = NULL;
	int status, result;

	if ((options->set > 0) + (options->remove > 0) + options->add > 1)
		return options_refuse(&statement_table, "one of --set, --remove and --add at a time");
	if ((options->set || options->add) && !options->words)
		return options_refuse(&statement_table,
		                      "the words are missing: holdfast statement edit s1 --set 2 \"TEXT\"");
	status = statement_open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_edit_make(kept.json, kept.row.id, kept.row.revision, &asked, &edited, why);
	if (result == -EALREADY) {
		(void)printf("%s is as it was\n", kept.row.id);
		status = output_finish();
	} else if (result != 0) {
		say_error(kept.row.id, "%s; nothing is recorded", *why ? why : strerror(-result));
		status = COMMAND_BAD;
	} else {
		person.now_ns = books_now();
		result = statement_desk_edit(books.ledger, &person, &kept, edited, &error);
		status = result == 0 ? print_kept(options, &kept, false)
		                     : statement_refuse(&books, kept.row.id, result, &error);
	}
	json_decref(edited);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- approve, publish, submit, withdraw ---- */

static int print_done(const struct statement_options *options, struct books *books, struct statement_desk_kept *kept,
                      const char *word)
{
	struct record_error error = { .message = "" };
	uint64_t number = kept->row.number;
	int result;

	if (!options->json) {
		(void)printf("%s is %s\n", kept->row.id, word);
		return output_finish();
	}
	statement_desk_free(kept);
	result = statement_desk_find(books->ledger, number, kept, &error);
	return result == 0 ? print_one(kept) : statement_refuse(books, "statement", result, &error);
}

static int approve(const struct statement_options *options)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	int result, status;

	if (!options->hash || strlen(options->hash) < STATEMENT_DESK_HASH_MIN)
		return options_refuse(
			&statement_table,
			"--hash says which revision you have read: %d digits of it, as 'holdfast statement show' has them",
			STATEMENT_DESK_HASH_MIN);
	status = statement_open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_approve(books.ledger, &person, &kept, options->hash, statement_say_mistake, kept.row.id,
	                                &error);
	if (result != 0) {
		status = statement_refuse(&books, kept.row.id, result, &error);
	} else if (!options->json && statement_desk_approvals(&kept) + 1 < statement_desk_approvals_wanted(&kept)) {
		(void)printf("%s is approved once; it holds a claim, so somebody else has to approve it too\n",
		             kept.row.id);
		status = output_finish();
	} else {
		status = print_done(options, &books, &kept, "approved");
	}
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

static int publish(const struct statement_options *options, enum statements_act what)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	char *text = NULL;
	int result, status = statement_open_and_find(options, true, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_publish(books.ledger, &person, &kept, what, &text, statement_say_mistake, kept.row.id,
	                                &error);
	if (result != 0) {
		status = statement_refuse(&books, kept.row.id, result, &error);
	} else if (what == STATEMENTS_PUBLISHED && !options->json) {
		(void)printf("%s\n\n%s\n", statement_title(kept.json), text);
		status = output_finish();
	} else {
		status = print_done(options, &books, &kept, statements_act_name(what));
	}
	free(text);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

static int withdraw(const struct statement_options *options)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	int result, status;

	if (!options->text || !*options->text)
		return options_refuse(&statement_table, "--text says why; it is published with the withdrawal");
	status = statement_open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_withdraw(books.ledger, &person, &kept, options->text, &error);
	status = result == 0 ? print_done(options, &books, &kept, "withdrawn; it stays on record, marked so")
	                     : statement_refuse(&books, kept.row.id, result, &error);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

static int publish_it(const struct statement_options *options)
{
	return publish(options, STATEMENTS_PUBLISHED);
}

static int submit(const struct statement_options *options)
{
	return publish(options, STATEMENTS_SUBMITTED);
}

static const struct {
	const char *name;
	int (*run)(const struct statement_options *options);
} verbs[] = {
	{ "draft", draft },
	{ "edit", edit },
	{ "show", show },
	{ "list", list },
	{ "check", statement_check_kept },
	{ "approve", approve },
	{ "publish", publish_it },
	{ "submit", submit },
	{ "withdraw", withdraw },
	{ "aware", statement_aware },
	{ "exempt", statement_exempt },
	{ "status", statement_status },
};

int statement_command(int argc, char **argv)
{
	struct statement_options options = { .next = { STATEMENT_UPDATE_NS } };
	int status;

	if (!options_take(&statement_table, argc, argv, &options, &status))
		return status;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, options.verb) == 0)
			return verbs[i].run(&options);
	return options_refuse(
		&statement_table,
		"'%.40s' is none of draft, edit, show, list, check, approve, publish, submit, withdraw, aware, exempt, status",
		options.verb);
}
