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
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/statement_edit.h"
#include "cli/statement_page.h"
#include "record/statement_desk.h"
#include "record/statement_facts.h"
#include "tell/statement.h"

#define STATEMENTS_SCHEMA "holdfast.statements/1"
#define DAY_NS (86400 * NS_PER_S)

struct options {
	const char *config, *record, *verb, *name, *words;
	const char *kind, *lang, *since, *until, *component, *text, *after, *corrects, *claim, *translates, *phase;
	const char *hash, *at, *analysis;
	struct option_duration next;
	uint64_t set, remove;
	bool add, internal, keep, links, public, json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "VERB", OPTION_INTO(struct options, verb),
	  .missing = "say what to do: holdfast statement draft, edit, show, list, check, approve, publish, submit, withdraw, aware or status",
	  .help = "draft, edit, show, list, check, approve, publish, submit, withdraw, aware, status" },
	{ .value = "ID", OPTION_INTO(struct options, name),
	  .help = "draft, aware: an incident's ID, or latest (draft: none is needed with --since);\nothers: a statement's, as s1" },
	{ .value = "TEXT", OPTION_INTO(struct options, words), .help = "edit --set, --add: the words" },
	{ .name = "kind", .value = "KIND", OPTION_INTO(struct options, kind),
	  .help = "draft: first_notice, update, resolution, correction, postmortem, nis2_24h, nis2_72h,\nnis2_month or gdpr_33; else what comes next" },
	{ .name = "lang", .value = "LANG", OPTION_INTO(struct options, lang), .help = "draft: en (else) or fr" },
	{ .name = "since", .value = "TIME", OPTION_INTO(struct options, since),
	  .help = "draft: since when people cannot reach you, as 09:40 (UTC, the last) or 2026-03-10T09:40:00Z" },
	{ .name = "until", .value = "TIME", OPTION_INTO(struct options, until), .help = "draft: since when they can again" },
	{ .name = "component", .value = "NAME", OPTION_INTO(struct options, component), .help = "draft: what is concerned, as the public knows it" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct options, text), .help = "draft: a sentence of your own; withdraw: why" },
	{ .name = "next", .value = "TIME", OPTION_INTO(struct options, next), .maximum = (uint64_t)DAY_NS,
	  .help = "draft: when the next update is promised (30m; 0s: it is not)" },
	{ .name = "after", .value = "ID", OPTION_INTO(struct options, after), .help = "draft: the statement that this goes on from; else the latest of the incident" },
	{ .name = "corrects", .value = "ID", OPTION_INTO(struct options, corrects), .help = "draft --kind correction: the published statement that is corrected" },
	{ .name = "translates", .value = "ID", OPTION_INTO(struct options, translates),
	  .help = "draft --lang LANG: the same in another language, of the same facts; the two are one on the status page" },
	{ .name = "phase", .value = "PHASE", OPTION_INTO(struct options, phase),
	  .help = "draft --kind update: identified (the cause is known) or monitoring (a remedy is in place)" },
	{ .name = "include-claim", .value = "ID", OPTION_INTO(struct options, claim),
	  .help = "draft: a public claim and what was found of it; then two people have to approve" },
	{ .name = "set", .value = "N", OPTION_INTO(struct options, set), .minimum = 1, .help = "edit: sentence N is TEXT" },
	{ .name = "remove", .value = "N", OPTION_INTO(struct options, remove), .minimum = 1, .help = "edit: sentence N is gone" },
	{ .name = "add", OPTION_INTO(struct options, add), .help = "edit: another sentence, TEXT" },
	{ .name = "internal", OPTION_INTO(struct options, internal), .help = "edit --set, --add: it is not for the public" },
	{ .name = "keep-evidence", OPTION_INTO(struct options, keep), .help = "edit --set: its links hold for the new words too" },
	{ .name = "hash", .value = "HASH", OPTION_INTO(struct options, hash), .help = "approve: of the revision that you have read, as 'show' says it" },
	{ .name = "at", .value = "TIME", OPTION_INTO(struct options, at), .help = "aware: since when you have known" },
	{ .name = "analysis", .value = "FILE", OPTION_INTO(struct options, analysis),
	  .help = "check: an incident's analysis as JSON, as a bundle has it, instead of what was kept" },
	{ .name = "links", OPTION_INTO(struct options, links), .help = "show: what each sentence rests on" },
	{ .name = "public", OPTION_INTO(struct options, public), .help = "show: the text alone, as it is published" },
	OPTION_JSON_ROW(struct options, "as JSON", STATEMENTS_SCHEMA),
	BOOKS_RECORD_ROW(struct options),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "statement",
	.synopsis =
		"draft [INCIDENT] [--kind KIND] [--lang LANG] | show ID | edit ID | approve ID --hash HASH | publish ID | status",
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

/* "09:40" is the last time that it was so. */
static int read_time(const char *option, const char *text, struct capture_time now, struct capture_time *time)
{
	time->ns = 0;
	if (!text || time_parse_typed(text, now, time) == 0)
		return COMMAND_DONE;
	return options_refuse(&table, "%s wants a time in UTC such as 09:40 or 2026-03-10T09:40:00Z", option);
}

static int read_id(const char *id, uint64_t *number)
{
	*number = id ? statements_number(id) : 0;
	if (*number)
		return COMMAND_DONE;
	if (!id)
		return options_refuse(&table, "no statement; 'holdfast statement list' lists them");
	return options_refuse(&table, "'%.40s' is no statement's ID, as s1", id);
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

/* Says why something of a statement cannot be done; `name` is what it is about. */
static int refuse(const struct books *books, const char *name, int result, const struct record_error *error)
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

/* Opens the record and finds the statement that the options name. */
static int open_and_find(const struct options *options, bool write, struct books *books,
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
		status = refuse(books, "statement", result, &error);
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

static void say_mistake(void *context, size_t sentence, const char *mistake)
{
	const char *id = context;

	say_error(id, "sentence %zu: %s", sentence, mistake);
}

/* ---- draft ---- */

static int read_asked(const struct options *o, struct capture_time now, struct statement_desk_asked *asked)
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
		return options_refuse(&table, "--kind: there is no '%.40s'; 'holdfast statement --help' lists them",
		                      o->kind);
	if (o->lang && !language_find(o->lang, &asked->language))
		return options_refuse(&table, "--lang wants en or fr");
	if (o->after)
		status = read_id(o->after, &asked->after);
	if (status == COMMAND_DONE && o->corrects)
		status = read_id(o->corrects, &asked->corrects);
	if (status == COMMAND_DONE && o->translates)
		status = read_id(o->translates, &asked->translates);
	if (o->phase && !statement_phase_find(o->phase, &asked->phase))
		return options_refuse(&table, "--phase wants identified or monitoring");
	if (status == COMMAND_DONE)
		status = read_time("--since", o->since, now, &since);
	if (status == COMMAND_DONE)
		status = read_time("--until", o->until, now, &until);
	asked->since_ns = since.ns;
	asked->until_ns = until.ns;
	return status;
}

static int print_kept(const struct options *options, const struct statement_desk_kept *kept, bool left_out)
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

	return wrong == STATEMENT_DESK_GOOD ? COMMAND_DONE : options_refuse(&table, "%s", words[wrong]);
}

static int draft(const struct options *options)
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
	status = result == 0 ? print_kept(options, &kept, true) : refuse(&books, "statement", result, &error);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- show, list ---- */

static int show(const struct options *options)
{
	struct books books;
	struct statement_desk_kept kept;
	int status = open_and_find(options, false, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	if (options->json) {
		status = print_one(&kept);
	} else if (options->public) {
		char *text = statement_text(kept.json, false);

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

static int list(const struct options *options)
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

static int edit(const struct options *options)
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
		return options_refuse(&table, "one of --set, --remove and --add at a time");
	if ((options->set || options->add) && !options->words)
		return options_refuse(&table, "the words are missing: holdfast statement edit s1 --set 2 \"TEXT\"");
	status = open_and_find(options, true, &books, &kept);
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
		status = result == 0 ? print_kept(options, &kept, false) : refuse(&books, kept.row.id, result, &error);
	}
	json_decref(edited);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- approve, publish, submit, withdraw ---- */

static int print_done(const struct options *options, struct books *books, struct statement_desk_kept *kept,
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
	return result == 0 ? print_one(kept) : refuse(books, "statement", result, &error);
}

static int approve(const struct options *options)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	int result, status;

	if (!options->hash || strlen(options->hash) < STATEMENT_DESK_HASH_MIN)
		return options_refuse(
			&table,
			"--hash says which revision you have read: %d digits of it, as 'holdfast statement show' has them",
			STATEMENT_DESK_HASH_MIN);
	status = open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_approve(books.ledger, &person, &kept, options->hash, say_mistake, kept.row.id, &error);
	if (result != 0) {
		status = refuse(&books, kept.row.id, result, &error);
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

static int publish(const struct options *options, enum statements_act what)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	char *text = NULL;
	int result, status = open_and_find(options, true, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_publish(books.ledger, &person, &kept, what, &text, say_mistake, kept.row.id, &error);
	if (result != 0) {
		status = refuse(&books, kept.row.id, result, &error);
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

static int withdraw(const struct options *options)
{
	struct statement_desk_person person = who();
	struct record_error error = { .message = "" };
	struct books books;
	struct statement_desk_kept kept;
	int result, status;

	if (!options->text || !*options->text)
		return options_refuse(&table, "--text says why; it is published with the withdrawal");
	status = open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_desk_withdraw(books.ledger, &person, &kept, options->text, &error);
	status = result == 0 ? print_done(options, &books, &kept, "withdrawn; it stays on record, marked so")
	                     : refuse(&books, kept.row.id, result, &error);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- check ---- */

static int read_analysis(const char *path, json_t **analysis)
{
	json_error_t error;
	json_t *json = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
	                                      : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	json_t *inside = json_object_get(json, "analysis");

	if (!json) {
		say_error(say_input(path), "cannot be read as JSON: %s (line %d)", error.text, error.line);
		return COMMAND_BAD;
	}
	*analysis = json_is_object(inside) ? json_incref(inside) : json_incref(json);
	json_decref(json);
	return COMMAND_DONE;
}

/* What was published is still what its sentences say. */
static int check_published(const struct statement_desk_kept *kept)
{
	char *text = statement_text(kept->json, !statement_kind_is_public(kept->row.kind));
	bool same = text && (!kept->acts.published_text || strcmp(text, kept->acts.published_text) == 0);

	free(text);
	if (same)
		return COMMAND_DONE;
	say_error(kept->row.id,
	          "its sentences are not what was published; 'holdfast record check' reads all of the record");
	return COMMAND_BAD;
}

struct change {
	unsigned count;
	bool final; /* nothing was to come: a change is a mistake */
	const char *id;
};

static void note_change(void *context, size_t sentence, const char *mistake)
{
	struct change *change = context;

	if (change->final)
		say_error(change->id, "sentence %zu, in the incident's file as it is now: %s", sentence, mistake);
	else if (change->count == 0)
		say_error(change->id, "the record says more by now: sentence %zu: %s", sentence, mistake);
	change->count++;
}

/* The incident's file as it is now. That of one that was open may say more by now; that of a final one may not. */
static int check_now(const struct options *options, const struct statement_desk_kept *kept,
                     const struct statement_desk_documents *documents)
{
	struct statement_documents now = { NULL, documents->record };
	struct change change = { .id = kept->row.id };
	char id[ARCHIVE_ID_SIZE], folder[CONFIG_PATH_SIZE];
	struct archived archived;
	json_t *whole;

	change.final = strcmp(fact_text(json_object_get(documents->record, "incident"), "state"), "final") == 0;
	if (!kept->row.incident || archived_folder("statement", options->config, folder) != COMMAND_DONE)
		return COMMAND_DONE;
	(void)snprintf(id, sizeof(id), "%016" PRIx64, kept->row.incident);
	if (archive_find(folder, id, &archived.head) != 0)
		return COMMAND_DONE; /* archives are bounded: what was kept with the statement stands */
	memcpy(archived.folder, folder, sizeof(folder));
	if (archived_read(&archived, &whole) != COMMAND_DONE)
		return COMMAND_BAD;
	now.analysis = json_object_get(whole, "analysis");
	(void)statement_check(kept->json, &now, note_change, &change);
	json_decref(whole);
	return change.final && change.count ? COMMAND_BAD : COMMAND_DONE;
}

static int check(const struct options *options)
{
	struct statement_desk_documents documents = { NULL, NULL };
	struct record_error error = { .message = "" };
	struct statement_documents in;
	struct books books;
	struct statement_desk_kept kept;
	char id[LEDGER_ID_SIZE];
	unsigned mistakes = 0;
	int result, status = open_and_find(options, false, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(id, sizeof(id), "%s", kept.row.id);
	result = statement_desk_documents(books.ledger, kept.json, &documents, &error);
	if (result != 0)
		status = refuse(&books, id, result, &error);
	if (status == COMMAND_DONE && options->analysis) {
		json_decref(documents.analysis);
		documents.analysis = NULL;
		status = read_analysis(options->analysis, &documents.analysis);
	}
	in = (struct statement_documents){ documents.analysis, documents.record };
	if (status == COMMAND_DONE) {
		mistakes = statement_check(kept.json, &in, say_mistake, id);
		status = mistakes ? COMMAND_BAD : check_published(&kept);
	}
	if (status == COMMAND_DONE && !options->analysis)
		status = check_now(options, &kept, &documents);
	if (options->json && status != COMMAND_USAGE) {
		int printed = order_print_json("holdfast.statement-check/1",
		                               json_pack("{ss sI sI sI sb}", "id", id, "revision",
		                                         (json_int_t)kept.row.revision, "links",
		                                         (json_int_t)statement_links(kept.json), "mistakes",
		                                         (json_int_t)mistakes, "good", status == COMMAND_DONE));

		status = printed == COMMAND_DONE ? status : printed;
	} else if (status == COMMAND_DONE) {
		(void)printf("%s, revision %" PRIu64 ": %zu links, each says what its sentence says\n", id,
		             kept.row.revision, statement_links(kept.json));
		status = output_finish();
	}
	statement_desk_documents_free(&documents);
	statement_desk_free(&kept);
	books_close(&books);
	return status;
}

/* ---- aware ---- */

static int aware(const struct options *options)
{
	struct statements_awareness awareness = { .incident = 0 };
	struct capture_time at, now = { books_now() };
	struct record_error error = { .message = "" };
	char user[BOOKS_NAME_SIZE];
	struct archived archived;
	struct books books;
	json_t *json = NULL;
	int result, status;

	if (!options->name)
		return options_refuse(&table, "of which incident? 'holdfast incidents' lists them");
	status = read_time("--at", options->at, now, &at);
	if (status == COMMAND_DONE)
		status = archived_find("statement", options->config, options->name, &archived);
	if (status == COMMAND_DONE)
		status = books_open(&books, "statement", options->config, options->record, options->at != NULL);
	if (status != COMMAND_DONE)
		return status;
	awareness = (struct statements_awareness){
		.incident = archived.head.id, .aware_ns = at.ns, .set_ns = now.ns, .set_by = books_user(user)
	};
	result = options->at ? statements_awareness_add(books.ledger, &awareness, &error) : 0;
	if (result == 0)
		result = statement_facts_aware(books.ledger, archived.head.id, &json, &error);
	if (result != 0)
		status = refuse(&books, "statement", result, &error);
	books_close(&books);
	if (status == COMMAND_DONE)
		status = statement_page_aware(json, &archived, now, options->json);
	json_decref(json);
	return status;
}

/* ---- status ---- */

static int standing(const struct options *options)
{
	struct books books;
	int status = books_open(&books, "statement", options->config, options->record, false);

	if (status != COMMAND_DONE)
		return status;
	status = statement_page_status(&books, books_now(), options->json);
	books_close(&books);
	return status;
}

static int publish_it(const struct options *options)
{
	return publish(options, STATEMENTS_PUBLISHED);
}

static int submit(const struct options *options)
{
	return publish(options, STATEMENTS_SUBMITTED);
}

static const struct {
	const char *name;
	int (*run)(const struct options *options);
} verbs[] = {
	{ "draft", draft },       { "edit", edit },       { "show", show },          { "list", list },
	{ "check", check },       { "approve", approve }, { "publish", publish_it }, { "submit", submit },
	{ "withdraw", withdraw }, { "aware", aware },     { "status", standing },
};

int statement_command(int argc, char **argv)
{
	struct options options = { .next = { STATEMENT_UPDATE_NS } };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, options.verb) == 0)
			return verbs[i].run(&options);
	return options_refuse(
		&table,
		"'%.40s' is none of draft, edit, show, list, check, approve, publish, submit, withdraw, aware, status",
		options.verb);
}
