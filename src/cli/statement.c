/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast statement: what is said of an incident, from a draft to what is published, and by whom.
 *
 * A draft is made of the record (tell/statement.h) and kept with what it was made of. Nothing here sends anything: who publishes
 * a statement puts it on record as published, and whoever shows statements (the status page) takes them from there.
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
#include "cli/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/statement_edit.h"
#include "cli/statement_facts.h"
#include "cli/statement_page.h"
#include "record/statements.h"
#include "tell/statement.h"

#define STATEMENTS_SCHEMA "holdfast.statements/1"
#define HASH_MIN 8 /* digits of a revision's SHA-256 that name it */
#define DAY_NS (86400 * NS_PER_S)
#define CLOCK_LENGTH 5 /* "09:40" */

struct options {
	const char *config, *record, *verb, *name, *words;
	const char *kind, *lang, *since, *until, *component, *text, *after, *corrects, *claim;
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
	{ .name = "json", OPTION_INTO(struct options, json), .help = "as JSON (" STATEMENTS_SCHEMA ")" },
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
	char today[TIME_TEXT_SIZE], whole[TIME_TEXT_SIZE];

	time->ns = 0;
	if (!text)
		return COMMAND_DONE;
	if (time_parse(text, time) == 0)
		return COMMAND_DONE;
	(void)time_format(now, today);
	if (strlen(text) == CLOCK_LENGTH) {
		(void)snprintf(whole, sizeof(whole), "%.11s%.5s:00Z", today, text);
		if (time_parse(whole, time) == 0) {
			if (time->ns > now.ns)
				time->ns -= DAY_NS;
			return COMMAND_DONE;
		}
	}
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

/* The latest revision of one, and what was done with it. */
struct kept {
	struct statements_row row; /* its texts are not valid any more */
	char made_by[BOOKS_NAME_SIZE];
	json_t *json;
	struct statement_page_acts acts;
	bool broken;
};

static void kept_free(struct kept *kept)
{
	json_decref(kept->json);
	statement_page_acts_free(&kept->acts);
}

static int keep_row(void *context, const struct statements_row *row)
{
	struct kept *kept = context;
	char error[STATEMENT_ERROR_SIZE];

	json_decref(kept->json);
	kept->row = *row;
	(void)snprintf(kept->made_by, sizeof(kept->made_by), "%s", row->made_by);
	kept->json = json_loads(row->json, JSON_REJECT_DUPLICATES, NULL);
	kept->broken = !kept->json || statement_read(kept->json, error) != 0;
	return 0;
}

static int keep_act(void *context, const struct statements_act_row *act)
{
	struct kept *kept = context;

	return statement_page_acts_add(&kept->acts, act);
}

static int find(struct books *books, uint64_t number, struct kept *kept)
{
	struct record_error error = { .message = "" };
	int result;

	*kept = (struct kept){ .json = NULL };
	result = statements_each(books->ledger, number, keep_row, kept, &error);
	if (result == 0)
		result = statements_act_each(books->ledger, number, keep_act, kept, &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	if (!kept->json && !kept->broken) {
		say_error("statement", "there is no s%" PRIu64 "; 'holdfast statement list' lists those there are",
		          number);
		return COMMAND_BAD;
	}
	if (kept->broken) {
		say_error("statement", "what is on record as s%" PRIu64 " is no statement; 'holdfast record check'",
		          number);
		return COMMAND_BAD;
	}
	return COMMAND_DONE;
}

/* Opens the record and finds the statement that the options name. */
static int open_and_find(const struct options *options, bool write, struct books *books, struct kept *kept)
{
	uint64_t number;
	int status = read_id(options->name, &number);

	*kept = (struct kept){ .json = NULL };
	if (status == COMMAND_DONE)
		status = books_open(books, "statement", options->config, options->record, write);
	if (status != COMMAND_DONE)
		return status;
	status = find(books, number, kept);
	if (status != COMMAND_DONE) {
		kept_free(kept);
		books_close(books);
	}
	return status;
}

/* Prints one as JSON. */
static int print_one(const struct kept *kept)
{
	return order_print_json(STATEMENTS_SCHEMA, json_pack("{s:[o]}", "statements",
	                                                     statement_page_json(&kept->row, kept->json, &kept->acts)));
}

/* ---- what it was made of ---- */

/* The document that the statement rests on; *json NULL: it rests on none of that name. */
static int find_source(struct books *books, const json_t *statement, const char *name, json_t **json)
{
	const char *sum = json_string_value(json_object_get(json_object_get(statement, "sources"), name));
	struct record_error error = { .message = "" };
	char *text = NULL;
	int result;

	*json = NULL;
	if (!sum)
		return COMMAND_DONE;
	result = statements_source_find(books->ledger, sum, &text, &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	*json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return COMMAND_DONE;
}

struct documents {
	json_t *analysis, *record;
};

static void documents_free(struct documents *documents)
{
	json_decref(documents->analysis);
	json_decref(documents->record);
}

static int find_documents(struct books *books, const json_t *statement, struct documents *documents)
{
	int status = find_source(books, statement, "analysis.json", &documents->analysis);

	documents->record = NULL;
	if (status == COMMAND_DONE)
		status = find_source(books, statement, "record.json", &documents->record);
	return status;
}

static void say_mistake(void *context, size_t sentence, const char *mistake)
{
	const char *id = context;

	say_error(id, "sentence %zu: %s", sentence, mistake);
}

/* Every link, in what was kept when it was drafted. */
static int check_kept(struct books *books, const struct kept *kept)
{
	struct documents documents = { NULL, NULL };
	struct statement_documents in;
	char id[LEDGER_ID_SIZE];
	unsigned mistakes = 0;
	int status = find_documents(books, kept->json, &documents);

	(void)snprintf(id, sizeof(id), "%s", kept->row.id);
	in = (struct statement_documents){ documents.analysis, documents.record };
	if (status == COMMAND_DONE)
		mistakes = statement_check(kept->json, &in, say_mistake, id);
	documents_free(&documents);
	return mistakes ? COMMAND_BAD : status;
}

/* ---- draft ---- */

/* The latest statement of the thread that this one goes on from. */
struct thread {
	uint64_t incident, number, of_incident;
	uint64_t latest, thread; /* found */
	bool published;          /* anything of it */
	enum statement_kind last;
};

static int find_latest(void *context, const struct statements_row *row)
{
	struct thread *t = context;

	if (t->number ? row->number == t->number : (t->incident && row->incident == t->incident)) {
		t->latest = row->number;
		t->thread = row->thread;
		t->of_incident = row->incident;
	}
	return 0;
}

static int find_published(void *context, const struct statements_published *one)
{
	struct thread *t = context;

	if (t->thread && one->thread == t->thread) {
		t->published = true;
		t->last = one->kind;
	}
	return 0;
}

struct drafting {
	const struct options *options;
	struct books books;
	struct archived archived;
	bool has_incident;
	struct thread thread;
	uint64_t corrects;
	enum statement_kind kind;
	enum language language;
	struct capture_time now, since, until;
	char by[BOOKS_NAME_SIZE];
	struct kept before; /* the latest of the thread */
	json_t *inherited;  /* its words */
};

static int read_asked(struct drafting *d)
{
	const struct options *o = d->options;
	int status = COMMAND_DONE;

	d->now.ns = books_now();
	d->language = LANGUAGE_EN;
	if (o->kind && !statement_kind_find(o->kind, &d->kind))
		return options_refuse(&table, "--kind: there is no '%.40s'; 'holdfast statement --help' lists them",
		                      o->kind);
	if (o->lang && !language_find(o->lang, &d->language))
		return options_refuse(&table, "--lang wants en or fr");
	if (o->after)
		status = read_id(o->after, &d->thread.number);
	if (status == COMMAND_DONE && o->corrects)
		status = read_id(o->corrects, &d->corrects);
	if (status == COMMAND_DONE)
		status = read_time("--since", o->since, d->now, &d->since);
	if (status == COMMAND_DONE)
		status = read_time("--until", o->until, d->now, &d->until);
	if (status != COMMAND_DONE)
		return status;
	if (d->corrects && !d->thread.number)
		d->thread.number = d->corrects;
	if (o->kind && d->kind == STATEMENT_CORRECTION && !d->corrects)
		return options_refuse(&table, "--corrects says which published statement is corrected");
	if (!o->name && !o->since && !d->thread.number)
		return options_refuse(&table, "nothing to speak of: an incident's ID, --since TIME, or --after ID");
	return COMMAND_DONE;
}

/* What the thread is, and what was said before in it. */
static int find_thread(struct drafting *d)
{
	struct record_error error = { .message = "" };
	json_t *record = NULL;
	int result, status = COMMAND_DONE;

	d->thread.incident = d->has_incident ? d->archived.head.id : 0;
	result = statements_latest_each(d->books.ledger, find_latest, &d->thread, &error);
	if (result == 0)
		result = statements_published_each(d->books.ledger, find_published, &d->thread, &error);
	if (result != 0)
		return books_refuse(&d->books, result, &error);
	if (d->thread.number && !d->thread.latest) {
		say_error("statement", "there is no s%" PRIu64 "; 'holdfast statement list' lists those there are",
		          d->thread.number);
		return COMMAND_BAD;
	}
	if (!d->thread.latest)
		return COMMAND_DONE;
	status = find(&d->books, d->thread.latest, &d->before);
	if (status == COMMAND_DONE)
		status = find_source(&d->books, d->before.json, "record.json", &record);
	d->inherited = json_incref(json_object_get(record, "word"));
	json_decref(record);
	if (status == COMMAND_DONE && d->corrects && !d->before.acts.published_ns) {
		say_error("statement", "s%" PRIu64 " is not published: edit it instead", d->corrects);
		status = COMMAND_BAD;
	}
	return status;
}

/* The incident of the thread, where none was named. */
static int find_incident(struct drafting *d, const char *name)
{
	char id[ARCHIVE_ID_SIZE];
	int status;

	if (!name) {
		if (!d->thread.of_incident || d->has_incident)
			return COMMAND_DONE;
		(void)snprintf(id, sizeof(id), "%016" PRIx64, d->thread.of_incident);
		name = id;
	}
	status = archived_find("statement", d->options->config, name, &d->archived);
	d->has_incident = status == COMMAND_DONE;
	return status;
}

static void choose_kind(struct drafting *d)
{
	if (d->options->kind)
		return;
	d->kind = d->corrects                              ? STATEMENT_CORRECTION
	          : !d->thread.published                   ? STATEMENT_FIRST_NOTICE
	          : d->until.ns                            ? STATEMENT_RESOLUTION
	          : d->thread.last == STATEMENT_RESOLUTION ? STATEMENT_POSTMORTEM
	                                                   : STATEMENT_UPDATE;
}

/* Keeps a document; `sha256` "" where there is none. */
static int keep_source(struct drafting *d, const json_t *json, char sha256[LEDGER_DIGEST_SIZE])
{
	struct record_error error = { .message = "" };
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int result;

	sha256[0] = '\0';
	if (!json)
		return COMMAND_DONE;
	result = text ? statements_source_add(d->books.ledger, text, d->now.ns, sha256, &error) : -ENOMEM;
	free(text);
	return result == 0 ? COMMAND_DONE : books_refuse(&d->books, result, &error);
}

static int put_on_record(struct drafting *d, json_t *statement, struct kept *kept)
{
	struct record_error error = { .message = "" };
	struct statements_row row = { .thread = d->thread.thread,
		                      .incident = d->has_incident ? d->archived.head.id : 0,
		                      .kind = d->kind,
		                      .supersedes = d->corrects,
		                      .made_ns = d->now.ns,
		                      .made_by = d->by };
	char *text = json_dumps(statement, JSON_COMPACT);
	int result;

	(void)snprintf(row.lang, sizeof(row.lang), "%s", language_code(d->language));
	row.json = text;
	result = text ? statements_add(d->books.ledger, &row, &error) : -ENOMEM;
	free(text);
	if (result != 0)
		return books_refuse(&d->books, result, &error);
	*kept = (struct kept){ .row = row, .json = json_incref(statement) };
	(void)snprintf(kept->made_by, sizeof(kept->made_by), "%s", d->by);
	return COMMAND_DONE;
}

static int make(struct drafting *d, const json_t *analysis, const json_t *record, struct kept *kept)
{
	char id[ARCHIVE_ID_SIZE] = "", corrects[LEDGER_ID_SIZE] = "", sums[2][LEDGER_DIGEST_SIZE];
	const json_t *words = json_object_get(record, "word");
	struct statement_request request = { .kind = d->kind, .language = d->language, .by = d->by, .now = d->now };
	json_t *statement = NULL;
	int result, status = keep_source(d, analysis, sums[0]);

	if (status == COMMAND_DONE)
		status = keep_source(d, record, sums[1]);
	if (status != COMMAND_DONE)
		return status;
	if (d->has_incident)
		(void)snprintf(id, sizeof(id), "%016" PRIx64, d->archived.head.id);
	if (d->corrects)
		(void)snprintf(corrects, sizeof(corrects), "s%" PRIu64, d->corrects);
	request.incident = id;
	request.corrects = corrects;
	request.component = fact_text(words, "component");
	(void)fact_time(words, "next_update", &request.next);
	request.documents = (struct statement_documents){ analysis, record };
	request.analysis_sha256 = sums[0];
	request.record_sha256 = sums[1];
	result = statement_draft(&request, &statement);
	if (result == -EINVAL) {
		say_error("statement",
		          "a name is longer than %d octets or cannot be shown, or the analysis is not this incident's",
		          STATEMENT_NAME_MAX);
		return COMMAND_BAD;
	}
	if (result != 0) {
		say_error("statement", "%s; free memory", strerror(-result));
		return COMMAND_BAD;
	}
	status = put_on_record(d, statement, kept);
	json_decref(statement);
	return status;
}

static int make_of_record(struct drafting *d, struct kept *kept)
{
	const struct options *o = d->options;
	struct statement_facts_asked asked = { .config = o->config,
		                               .incident = d->has_incident ? &d->archived.head : NULL,
		                               .inherited = d->inherited,
		                               .since = d->since,
		                               .until = d->until,
		                               .component = o->component,
		                               .text = o->text,
		                               .by = d->by,
		                               .claim = o->claim,
		                               .corrects = d->corrects,
		                               .thread = d->thread.thread,
		                               .now = d->now };
	json_t *whole = NULL, *record = NULL;
	int status = d->has_incident ? archived_read(&d->archived, &whole) : COMMAND_DONE;

	if (o->next.ns && statement_kind_is_public(d->kind) && d->kind < STATEMENT_RESOLUTION)
		asked.next = time_plus(d->now, o->next.ns);
	if (status == COMMAND_DONE)
		status = statement_facts(&d->books, &asked, &record);
	if (status == COMMAND_DONE)
		status = make(d, json_object_get(whole, "analysis"), record, kept);
	json_decref(whole);
	json_decref(record);
	return status;
}

static int draft(const struct options *options)
{
	struct drafting d = { .options = options };
	struct kept kept = { .json = NULL };
	int status = read_asked(&d);

	(void)books_user(d.by);
	if (status == COMMAND_DONE && options->name)
		status = find_incident(&d, options->name);
	if (status == COMMAND_DONE)
		status = books_open(&d.books, "statement", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	status = find_thread(&d);
	if (status == COMMAND_DONE)
		status = find_incident(&d, NULL);
	choose_kind(&d);
	if (status == COMMAND_DONE)
		status = make_of_record(&d, &kept);
	if (status == COMMAND_DONE && options->json) {
		status = print_one(&kept);
	} else if (status == COMMAND_DONE) {
		struct paper paper = screen_paper(0, false);

		statement_page(&paper, &kept.row, kept.made_by, kept.json, &kept.acts, false);
		statement_page_left_out(&paper, kept.json);
		status = output_finish();
	}
	kept_free(&kept);
	kept_free(&d.before);
	json_decref(d.inherited);
	books_close(&d.books);
	return status;
}

/* ---- show, list ---- */

static int show(const struct options *options)
{
	struct books books;
	struct kept kept;
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

		statement_page(&paper, &kept.row, kept.made_by, kept.json, &kept.acts, options->links);
		status = output_finish();
	}
	kept_free(&kept);
	books_close(&books);
	return status;
}

struct listing {
	struct books *books;
	struct paper paper;
	json_t *list; /* NULL: lines */
	int status;
	bool any;
};

static int list_one(void *context, const struct statements_row *row)
{
	struct listing *l = context;
	struct record_error error = { .message = "" };
	struct kept kept = { .json = NULL };
	int result = keep_row(&kept, row);

	if (result == 0)
		result = statements_act_each(l->books->ledger, row->number, keep_act, &kept, &error);
	l->any = true;
	if (result == 0 && !kept.broken && l->list)
		result = json_array_append_new(l->list, statement_page_json(row, kept.json, &kept.acts)) == 0 ? 0
		                                                                                              : -ENOMEM;
	else if (result == 0 && !kept.broken)
		statement_page_line(&l->paper, row, kept.json, &kept.acts);
	kept_free(&kept);
	return result;
}

static int list(const struct options *options)
{
	struct books books;
	struct record_error error = { .message = "" };
	struct listing listing = { .books = &books, .paper = screen_paper(0, false) };
	int result, status = books_open(&books, "statement", options->config, options->record, false);

	if (status != COMMAND_DONE)
		return status;
	listing.list = options->json ? json_array() : NULL;
	result = statements_latest_each(books.ledger, list_one, &listing, &error);
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
	char user[BOOKS_NAME_SIZE], why[STATEMENT_ERROR_SIZE] = "";
	struct record_error error = { .message = "" };
	struct statement_edit_asked asked = { .set = options->set,
		                              .remove = options->remove,
		                              .add = options->add,
		                              .internal = options->internal,
		                              .keep = options->keep,
		                              .text = options->words,
		                              .by = books_user(user) };
	struct books books;
	struct kept kept;
	json_t *edited = NULL;
	char *text = NULL;
	int status, result;

	if ((options->set > 0) + (options->remove > 0) + options->add > 1)
		return options_refuse(&table, "one of --set, --remove and --add at a time");
	if ((options->set || options->add) && !options->words)
		return options_refuse(&table, "the words are missing: holdfast statement edit s1 --set 2 \"TEXT\"");
	status = open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	result = statement_edit_make(kept.json, kept.row.id, kept.row.revision, &asked, &edited, why);
	if (kept.acts.published_ns && result == 0) {
		say_error(kept.row.id,
		          "it is published, and stays as it is; draft a correction: --kind correction --corrects %s",
		          kept.row.id);
		status = COMMAND_BAD;
	} else if (result == -EALREADY) {
		(void)printf("%s is as it was\n", kept.row.id);
		status = output_finish();
	} else if (result != 0) {
		say_error(kept.row.id, "%s; nothing is recorded", *why ? why : strerror(-result));
		status = COMMAND_BAD;
	} else {
		text = json_dumps(edited, JSON_COMPACT);
		kept.row.json = text;
		kept.row.made_by = user;
		kept.row.made_ns = books_now();
		result = text ? statements_add(books.ledger, &kept.row, &error) : -ENOMEM;
		status = result == 0 ? COMMAND_DONE : books_refuse(&books, result, &error);
		json_decref(kept.json);
		kept.json = json_incref(edited);
		(void)snprintf(kept.made_by, sizeof(kept.made_by), "%s", user);
		statement_page_acts_free(&kept.acts);
		if (status == COMMAND_DONE && options->json) {
			status = print_one(&kept);
		} else if (status == COMMAND_DONE) {
			struct paper paper = screen_paper(0, false);

			statement_page(&paper, &kept.row, kept.made_by, kept.json, &kept.acts, false);
			status = output_finish();
		}
	}
	free(text);
	json_decref(edited);
	kept_free(&kept);
	books_close(&books);
	return status;
}

/* ---- approve, publish, submit, withdraw ---- */

static int do_act(struct books *books, const struct kept *kept, enum statements_act what, const char *title,
                  const char *text)
{
	char user[BOOKS_NAME_SIZE];
	struct record_error error = { .message = "" };
	struct statements_act_row act = { .number = kept->row.number,
		                          .revision = kept->row.revision,
		                          .act = what,
		                          .at_ns = books_now(),
		                          .uid = person(),
		                          .by = books_user(user),
		                          .title = title,
		                          .text = text };
	int result;

	memcpy(act.of_sha256, kept->row.sha256, sizeof(act.of_sha256));
	result = statements_act_add(books->ledger, &act, &error);
	if (result == 0)
		return COMMAND_DONE;
	if (result == -ESTALE || result == -EPERM || result == -EALREADY || result == -ENOENT) {
		say_error(kept->row.id, "%s; %s", error.message, error.advice);
		return COMMAND_BAD;
	}
	return books_refuse(books, result, &error);
}

static int print_done(const struct options *options, struct books *books, struct kept *kept, const char *word)
{
	uint64_t number = kept->row.number;
	int status;

	if (!options->json) {
		(void)printf("%s is %s\n", kept->row.id, word);
		return output_finish();
	}
	kept_free(kept);
	status = find(books, number, kept);
	return status == COMMAND_DONE ? print_one(kept) : status;
}

/* People who have approved this revision. */
static unsigned approvals(const struct kept *kept)
{
	return statement_page_approvals(&kept->acts, kept->row.revision);
}

static unsigned approvals_wanted(const struct kept *kept)
{
	return statement_has_claims(kept->json) ? 2 : 1;
}

static int approve(const struct options *options)
{
	struct books books;
	struct kept kept;
	size_t length = options->hash ? strlen(options->hash) : 0;
	int status;

	if (length < HASH_MIN)
		return options_refuse(
			&table,
			"--hash says which revision you have read: %d digits of it, as 'holdfast statement show' has them",
			HASH_MIN);
	status = open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	if (strncmp(options->hash, kept.row.sha256, length) != 0) {
		say_error(kept.row.id,
		          "it is not what you have read: revision %" PRIu64
		          " is %.12s; read it again: 'holdfast statement show %s'",
		          kept.row.revision, kept.row.sha256, kept.row.id);
		status = COMMAND_BAD;
	}
	if (status == COMMAND_DONE)
		status = check_kept(&books, &kept);
	if (status == COMMAND_DONE)
		status = do_act(&books, &kept, STATEMENTS_APPROVED, "", "");
	if (status == COMMAND_DONE && !options->json && approvals(&kept) + 1 < approvals_wanted(&kept)) {
		(void)printf("%s is approved once; it holds a claim, so somebody else has to approve it too\n",
		             kept.row.id);
		status = output_finish();
	} else if (status == COMMAND_DONE) {
		status = print_done(options, &books, &kept, "approved");
	}
	kept_free(&kept);
	books_close(&books);
	return status;
}

static int may_publish(const struct kept *kept, enum statements_act what)
{
	if (what == STATEMENTS_PUBLISHED && !statement_kind_is_public(kept->row.kind)) {
		say_error(
			kept->row.id,
			"it is for an authority, not for the public; when it was handed in: 'holdfast statement submit %s'",
			kept->row.id);
		return COMMAND_BAD;
	}
	if (what == STATEMENTS_SUBMITTED && statement_kind_is_public(kept->row.kind)) {
		say_error(kept->row.id, "it is for the public: 'holdfast statement publish %s'", kept->row.id);
		return COMMAND_BAD;
	}
	if (approvals(kept) < approvals_wanted(kept)) {
		say_error(kept->row.id,
		          "%s; 'holdfast statement show %s', then 'holdfast statement approve %s --hash %.12s'",
		          approvals(kept) ? "it holds a claim, and only one person has approved it"
		                          : "nobody has approved it as it is now",
		          kept->row.id, kept->row.id, kept->row.sha256);
		return COMMAND_BAD;
	}
	return COMMAND_DONE;
}

static int publish(const struct options *options, enum statements_act what)
{
	struct books books;
	struct kept kept;
	char *text = NULL;
	int status = open_and_find(options, true, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	status = may_publish(&kept, what);
	if (status == COMMAND_DONE)
		status = check_kept(&books, &kept);
	if (status == COMMAND_DONE) {
		text = statement_text(kept.json, what == STATEMENTS_SUBMITTED);
		if (!text || !*text) {
			say_error(kept.row.id, "no sentence of it is for the public");
			status = COMMAND_BAD;
		}
	}
	if (status == COMMAND_DONE)
		status = do_act(&books, &kept, what, statement_title(kept.json), text);
	if (status == COMMAND_DONE && what == STATEMENTS_PUBLISHED && !options->json) {
		(void)printf("%s\n\n%s\n", statement_title(kept.json), text);
		status = output_finish();
	} else if (status == COMMAND_DONE) {
		status = print_done(options, &books, &kept, statements_act_name(what));
	}
	free(text);
	kept_free(&kept);
	books_close(&books);
	return status;
}

static int withdraw(const struct options *options)
{
	struct books books;
	struct kept kept;
	int status;

	if (!options->text || !*options->text)
		return options_refuse(&table, "--text says why; it is published with the withdrawal");
	status = open_and_find(options, true, &books, &kept);
	if (status != COMMAND_DONE)
		return status;
	status = do_act(&books, &kept, STATEMENTS_WITHDRAWN, "", options->text);
	if (status == COMMAND_DONE)
		status = print_done(options, &books, &kept, "withdrawn; it stays on record, marked so");
	kept_free(&kept);
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
static int check_published(const struct kept *kept)
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
static int check_now(const struct options *options, const struct kept *kept, struct documents *documents)
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
	struct documents documents = { NULL, NULL };
	struct statement_documents in;
	struct books books;
	struct kept kept;
	char id[LEDGER_ID_SIZE];
	unsigned mistakes = 0;
	int status = open_and_find(options, false, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(id, sizeof(id), "%s", kept.row.id);
	status = find_documents(&books, kept.json, &documents);
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
	documents_free(&documents);
	kept_free(&kept);
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
	if (status == COMMAND_DONE && at.ns > now.ns)
		status = options_refuse(&table, "--at is in the future");
	if (status == COMMAND_DONE)
		status = books_open(&books, "statement", options->config, options->record, options->at != NULL);
	if (status != COMMAND_DONE)
		return status;
	awareness = (struct statements_awareness){
		.incident = archived.head.id, .aware_ns = at.ns, .set_ns = now.ns, .set_by = books_user(user)
	};
	result = options->at ? statements_awareness_add(books.ledger, &awareness, &error) : 0;
	status = result == 0 ? statement_facts_aware(&books, archived.head.id, &json)
	                     : books_refuse(&books, result, &error);
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
