/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast statement aware, exempt, status: since when people have known of an incident, what the law asks for from
 * then on, what of that is not needed here, and what is open and due of all matters.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "cli/statement_inside.h"
#include "cli/statement_page.h"
#include "detect/incident_id.h"
#include "record/statement_facts.h"
#include "tell/build.h"
#include "tell/facts.h"
#include "tell/statement.h"
#include "tell/words.h"

#define LAW_HANG 23 /* columns before what is said of one */
#define NIS2 "nis2" /* all that the directive asks for */

/* ---- aware ---- */

/* "in 3 h 20 min", "5 min ago" */
static const char *from_now(int64_t ns, char text[2 * WORDS_SIZE])
{
	char duration[WORDS_SIZE];

	(void)snprintf(text, (size_t)2 * WORDS_SIZE, ns >= 0 ? "in %s" : "%s ago",
	               words_duration(ns >= 0 ? ns : -ns, duration));
	return text;
}

/* When the machine recognised it, which is all that it knows of people's knowing. */
static bool suggestion(const struct archived *archived, struct capture_time *detected)
{
	char id[INCIDENT_ID_SIZE];
	json_t *whole, *incident;
	bool found = false;
	size_t i;

	if (archived_read(archived, &whole) != COMMAND_DONE)
		return false;
	incident_id_format(archived->head.id, id);
	json_array_foreach(json_object_get(json_object_get(whole, "analysis"), "incidents"), i, incident)
	{
		if (strcmp(fact_text(incident, "id"), id) == 0)
			found = fact_time(incident, "detected", detected);
	}
	json_decref(whole);
	return found;
}

static void put_due(const struct paper *paper, const json_t *aware, int64_t now_ns)
{
	for (unsigned kind = STATEMENT_NIS2_24H; kind < STATEMENT_KINDS; kind++) {
		const char *name = statement_kind_name((enum statement_kind)kind);
		struct draft d = { .length = 0 };
		const json_t *exempt = json_object_get(json_object_get(aware, "exempt"), name);
		struct capture_time at;
		char when[WORDS_SIZE], left[2 * WORDS_SIZE];

		if (!fact_time(json_object_get(aware, "due"), name, &at))
			continue;
		if (exempt) {
			draft_add(&d, "%-11s  not needed here, says %s: %s", name, fact_text(exempt, "by"),
			          fact_text(exempt, "why"));
			paper_text(paper, 2, LAW_HANG, d.text);
			continue;
		}
		draft_add(&d, "%-11s  due %s UTC, %s", name, words_date_time(at, when), from_now(at.ns - now_ns, left));
		paper_line(paper, 2, d.text);
	}
}

static int aware_page(json_t *aware, const struct archived *archived, struct capture_time now, bool json)
{
	struct paper paper = screen_paper(0, false);
	struct capture_time at = { 0 }, detected = { 0 };
	bool known = suggestion(archived, &detected);
	char when[WORDS_SIZE];
	struct draft d = { .length = 0 };

	if (json)
		return order_print_json("holdfast.statement-aware/1",
		                        json_pack("{so sO so}", "incident", build_incident(archived->head.id), "aware",
		                                  aware, "suggested", build_time_or_null(detected.ns)));
	if (fact_time(aware, "at", &at)) {
		draft_add(&d,
		          "Known since %s UTC, as %s has noted. To be checked by counsel:", words_date_time(at, when),
		          fact_text(aware, "by"));
		paper_text(&paper, 0, 0, d.text);
		put_due(&paper, aware, now.ns);
		return output_finish();
	}
	paper_text(&paper, 0, 0, "Nobody has said since when this has been known; a person says it, with --at TIME.");
	if (known) {
		draft_add(&d, "It was recognised by the machine at %s UTC.", words_date_time(detected, when));
		paper_text(&paper, 0, 0, d.text);
	}
	return output_finish();
}

int statement_aware(const struct statement_options *options)
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
		return options_refuse(&statement_table, "of which incident? 'holdfast incidents' lists them");
	status = statement_read_time("--at", options->at, now, &at);
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
		status = statement_refuse(&books, "statement", result, &error);
	books_close(&books);
	if (status == COMMAND_DONE)
		status = aware_page(json, &archived, now, options->json);
	json_decref(json);
	return status;
}

/* ---- what is open, and due ---- */

struct standing {
	struct paper paper;
	struct build build;
	json_t *threads, *laws;
	uint64_t incident; /* the one that is looked at; 0: all */
	int64_t now_ns;
	bool overdue, any, json;
};

static int take_thread(void *context, const struct statements_thread *thread)
{
	struct standing *s = context;
	bool overdue = thread->open && thread->due_ns <= s->now_ns;
	char when[WORDS_SIZE], left[2 * WORDS_SIZE];
	struct draft d = { .length = 0 };

	s->overdue = s->overdue || overdue;
	build_append(&s->build, s->threads,
	             json_pack("{so so sb ss so so sb}", "thread", statement_page_id('s', thread->thread), "incident",
	                       build_incident(thread->incident), "open", thread->open, "last_kind",
	                       statement_kind_name(thread->last), "last", build_time_or_null(thread->last_ns), "due",
	                       build_time_or_null(thread->due_ns), "overdue", overdue));
	if (s->json || !thread->open)
		return 0;
	s->any = true;
	draft_add(&d, BOLD "s%" PRIu64 PLAIN "  open, last said %s UTC; %s%s %s" PLAIN, thread->thread,
	          words_date_time((struct capture_time){ thread->last_ns }, when), overdue ? RED : "",
	          overdue ? "an update was due" : "an update is due", from_now(thread->due_ns - s->now_ns, left));
	paper_line(&s->paper, 0, d.text);
	return 0;
}

static json_t *exempt_json(const struct statement_facts_law *law)
{
	return law->exempt_ns ? json_pack("{so so so}", "at", build_time_or_null(law->exempt_ns), "by",
	                                  build_text(law->exempt_by, STATEMENT_DESK_NAME_SIZE), "why",
	                                  build_text(law->why, LEDGER_TEXT_MAX))
	                      : json_null();
}

static void put_law(const struct standing *s, const struct statement_facts_law *law, bool late)
{
	char when[WORDS_SIZE], left[2 * WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, "%08" PRIx64 "  %-11s  ", law->incident >> 32, statement_kind_name(law->kind));
	if (law->submitted_ns == 0 && law->exempt_ns) {
		draft_add(&d, "not needed here, says %s, %s UTC: %s", law->exempt_by,
		          words_date_time((struct capture_time){ law->exempt_ns }, when), law->why);
		paper_text(&s->paper, 0, LAW_HANG, d.text);
		return;
	}
	draft_add(&d, "%s%s %s UTC, %s" PLAIN, late ? RED : "",
	          law->submitted_ns ? "handed in; was due"
	          : late            ? "was due"
	                            : "due",
	          words_date_time((struct capture_time){ law->due_ns }, when), from_now(law->due_ns - s->now_ns, left));
	paper_line(&s->paper, 0, d.text);
}

static int take_law(void *context, const struct statement_facts_law *law)
{
	struct standing *s = context;
	bool late = statement_facts_law_is_open(law) && law->due_ns <= s->now_ns;

	if (s->incident && law->incident != s->incident)
		return 0;
	s->any = true;
	s->overdue = s->overdue || late;
	build_append(&s->build, s->laws,
	             json_pack("{so ss so so so sb}", "incident", build_incident(law->incident), "kind",
	                       statement_kind_name(law->kind), "due", build_time_or_null(law->due_ns), "submitted",
	                       build_time_or_null(law->submitted_ns), "exempt", exempt_json(law), "overdue", late));
	if (!s->json)
		put_law(s, law, late);
	return 0;
}

/* What could not be built of its JSON is said as what was not read. */
static int end_standing(const struct books *books, const struct standing *s, int result,
                        const struct record_error *error)
{
	if (result == 0 && s->build.failed)
		result = -ENOMEM;
	return result == 0 ? COMMAND_DONE : books_refuse(books, result, error);
}

static int status_page(const struct books *books, int64_t now_ns, bool json)
{
	struct standing s = { .paper = screen_paper(0, false), .now_ns = now_ns, .json = json };
	struct record_error error = { .message = "" };
	int result, status;

	s.threads = json_array();
	s.laws = json_array();
	result = statements_thread_each(books->ledger, take_thread, &s, &error);
	if (result == 0)
		result = statement_facts_law_each(books->ledger, take_law, &s, &error);
	status = end_standing(books, &s, result, &error);
	if (status == COMMAND_DONE && json) {
		status = order_print_json("holdfast.statement-status/1",
		                          json_pack("{so sO sO sb}", "at", build_time_or_null(now_ns), "threads",
		                                    s.threads, "laws", s.laws, "overdue", s.overdue));
	} else if (status == COMMAND_DONE) {
		if (!s.any)
			paper_line(&s.paper, 0, "nothing is open, and nothing is due");
		status = output_finish();
	}
	json_decref(s.threads);
	json_decref(s.laws);
	return status == COMMAND_DONE && s.overdue ? COMMAND_DUE : status;
}

int statement_status(const struct statement_options *options)
{
	struct books books;
	int status = books_open(&books, "statement", options->config, options->record, false);

	if (status != COMMAND_DONE)
		return status;
	status = status_page(&books, books_now(), options->json);
	books_close(&books);
	return status;
}

/* ---- exempt ---- */

/* Which reports `--kind` names. */
static bool name_kinds(const char *name, bool named[STATEMENT_KINDS])
{
	bool any = false;

	for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
		const char *one = statement_kind_name((enum statement_kind)kind);

		named[kind] = !statement_kind_is_public((enum statement_kind)kind) &&
		              (strcmp(one, name) == 0 ||
		               (strcmp(name, NIS2) == 0 && strncmp(one, NIS2 "_", strlen(NIS2 "_")) == 0));
		any = any || named[kind];
	}
	return any;
}

static int check_exempt(const struct statement_options *options, bool named[STATEMENT_KINDS])
{
	if (!options->name)
		return options_refuse(&statement_table, "of which incident? 'holdfast incidents' lists them");
	if (!options->kind && (options->text || options->needed))
		return options_refuse(&statement_table,
		                      "--kind says which report: nis2, for all of NIS2's, or one's kind");
	if (options->kind && !name_kinds(options->kind, named))
		return options_refuse(
			&statement_table,
			"--kind: '%.40s' is no report to an authority; nis2_24h, nis2_72h, nis2_month, gdpr_33, "
			"and nis2, which is three of them, are",
			options->kind);
	if (options->kind && !options->needed && !options->text)
		return options_refuse(&statement_table,
		                      "--text says why it is not needed; it is kept with who says so. "
		                      "--needed says that it is after all");
	return COMMAND_DONE;
}

static int add_exemptions(const struct statement_options *options, struct ledger *ledger, uint64_t incident,
                          const bool named[STATEMENT_KINDS], struct record_error *error)
{
	char user[BOOKS_NAME_SIZE];
	struct statements_exemption exemption = { .incident = incident,
		                                  .exempt = !options->needed,
		                                  .set_ns = books_now(),
		                                  .set_by = books_user(user),
		                                  .why = options->text ? options->text : "" };
	int result = 0;

	for (unsigned kind = 0; kind < STATEMENT_KINDS && result == 0; kind++) {
		exemption.kind = (enum statement_kind)kind;
		if (named[kind])
			result = statements_exemption_add(ledger, &exemption, error);
	}
	return result;
}

/* What the law asks for of one incident. */
static int laws_page(const struct books *books, uint64_t incident, bool json)
{
	struct standing s = {
		.paper = screen_paper(0, false), .incident = incident, .now_ns = books_now(), .json = json
	};
	struct record_error error = { .message = "" };
	int status;

	s.laws = json_array();
	status = end_standing(books, &s, statement_facts_law_each(books->ledger, take_law, &s, &error), &error);
	if (status == COMMAND_DONE && json) {
		status = order_print_json("holdfast.statement-exempt/1",
		                          json_pack("{so sO}", "incident", build_incident(incident), "laws", s.laws));
	} else if (status == COMMAND_DONE) {
		if (!s.any)
			paper_text(&s.paper, 0, 0,
			           "Nothing is due of it yet: nobody has said since when this has been known "
			           "('holdfast statement aware').");
		status = output_finish();
	}
	json_decref(s.laws);
	return status;
}

/* One that people have known of, which the archive may have let go of since; else one that is there. */
static int find_incident(const struct statement_options *options, const struct books *books, uint64_t *incident)
{
	struct record_error error = { .message = "" };
	struct archived archived;
	int status, result = statement_facts_known_find(books->ledger, options->name, incident, &error);

	if (result == 0)
		return COMMAND_DONE;
	if (result != -ENOENT)
		return books_refuse(books, result, &error);
	status = archived_find("statement", options->config, options->name, &archived);
	if (status == COMMAND_DONE)
		*incident = archived.head.id;
	return status;
}

int statement_exempt(const struct statement_options *options)
{
	bool named[STATEMENT_KINDS] = { false };
	struct record_error error = { .message = "" };
	struct books books;
	uint64_t incident = 0;
	int result = 0, status = check_exempt(options, named);

	if (status == COMMAND_DONE)
		status = books_open(&books, "statement", options->config, options->record, options->kind != NULL);
	if (status != COMMAND_DONE)
		return status;
	status = find_incident(options, &books, &incident);
	if (status == COMMAND_DONE && options->kind)
		result = add_exemptions(options, books.ledger, incident, named, &error);
	if (result != 0)
		status = statement_refuse(&books, "statement", result, &error);
	else if (status == COMMAND_DONE)
		status = laws_page(&books, incident, options->json);
	books_close(&books);
	return status;
}
