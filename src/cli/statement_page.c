/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/statement_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "record/statement_facts.h"
#include "tell/build.h"
#include "tell/facts.h"
#include "tell/statement.h"
#include "tell/words.h"

#define HANG 14 /* columns before the words of a sentence */
#define LINK_HANG 16
#define NBSP "\xc2\xa0"
#define SHOWN 12 /* digits of a hash */

/* ---- one statement ---- */

/* Its no-break spaces become the paper's. */
static void put_text(const struct paper *paper, const char *before, const char *text, unsigned hang)
{
	struct draft d = { .length = 0 };
	const char *at;

	draft_add(&d, "%s", before);
	while ((at = strstr(text, NBSP))) {
		draft_add(&d, "%.*s" WORDS_TIE, (int)(at - text), text);
		text = at + strlen(NBSP);
	}
	draft_add(&d, "%s", text);
	paper_text(paper, 0, hang, d.text);
}

static void put_link(const struct paper *paper, const json_t *link)
{
	char *value = json_dumps(json_object_get(link, "value"), JSON_ENCODE_ANY | JSON_COMPACT);
	struct draft d = { .length = 0 };

	draft_add(&d, DIM "%s of %s in %s: %s" PLAIN, fact_text(link, "is"), fact_text(link, "at"),
	          fact_text(link, "in"), value ? value : "");
	paper_text(paper, HANG, LINK_HANG, d.text);
	free(value);
}

static void put_sentence(const struct paper *paper, const json_t *sentence, size_t number, bool links)
{
	bool internal = strcmp(fact_text(sentence, "audience"), "internal") == 0;
	const char *basis = fact_text(sentence, "basis");
	struct draft d = { .length = 0 };
	char before[64];
	json_t *link;
	size_t i;

	(void)snprintf(before, sizeof(before), "%3zu %s%-8s" PLAIN "  ", number, internal ? YELLOW : GREEN,
	               fact_text(sentence, "audience"));
	put_text(paper, before, fact_text(sentence, "text"), HANG);
	if (!links)
		return;
	if (strcmp(basis, "word") == 0) {
		draft_add(&d, DIM "the word of %s" PLAIN, fact_text(sentence, "by"));
		paper_text(paper, HANG, LINK_HANG, d.text);
	} else if (strcmp(basis, "form") == 0) {
		paper_text(paper, HANG, LINK_HANG, DIM "a form: it says nothing of what happened" PLAIN);
	}
	json_array_foreach(json_object_get(sentence, "evidence"), i, link)
	{
		put_link(paper, link);
	}
}

void statement_page(const struct paper *paper, const struct statement_desk_kept *kept, bool links)
{
	const struct statements_row *row = &kept->row;
	const struct statement_desk_acts *acts = &kept->acts;
	const json_t *statement = kept->json;
	char when[WORDS_SIZE];
	struct draft d = { .length = 0 };
	json_t *sentence;
	size_t i;

	draft_add(&d, BOLD "%s" PLAIN "  %s, %s, revision %" PRIu64 "  " BOLD "%s" PLAIN, row->id,
	          statement_kind_name(row->kind), row->lang, row->revision, statement_desk_state(kept));
	if (row->incident)
		draft_add(&d, "  incident %08" PRIx64, row->incident >> 32);
	if (row->supersedes)
		draft_add(&d, "  corrects s%" PRIu64, row->supersedes);
	paper_line(paper, 0, d.text);
	d.length = 0;
	draft_add(&d, DIM "by %s, %s UTC; hash %.*s" PLAIN, kept->made_by,
	          words_date_time((struct capture_time){ row->made_ns }, when), SHOWN, row->sha256);
	paper_line(paper, 0, d.text);
	(void)fputc('\n', paper->out);
	put_text(paper, BOLD, statement_title(statement), 0);
	json_array_foreach(json_object_get(statement, "sentences"), i, sentence)
	{
		put_sentence(paper, sentence, i + 1, links);
	}
	for (unsigned k = 0; k < acts->count; k++) {
		d.length = 0;
		if (k == 0)
			(void)fputc('\n', paper->out);
		draft_add(&d, "%s, revision %" PRIu64 ", by %s, %s UTC", statements_act_name(acts->list[k].act),
		          acts->list[k].revision, acts->list[k].by,
		          words_date_time((struct capture_time){ acts->list[k].at_ns }, when));
		paper_line(paper, 0, d.text);
	}
}

void statement_page_left_out(const struct paper *paper, const json_t *statement)
{
	const json_t *left_out = json_object_get(statement, "left_out");
	json_t *one;
	size_t i;

	if (json_array_size(left_out)) {
		(void)fputc('\n', paper->out);
		paper_line(paper, 0, BOLD "Left out" PLAIN);
	}
	json_array_foreach(left_out, i, one)
	{
		struct draft d = { .length = 0 };

		draft_add(&d, "%s: %s", fact_text(one, "template"), fact_text(one, "why"));
		paper_text(paper, 2, 4, d.text);
	}
}

void statement_page_line(const struct paper *paper, const struct statement_desk_kept *kept)
{
	const struct statements_row *row = &kept->row;
	char when[WORDS_SIZE];
	struct draft d = { .length = 0 };

	draft_add(&d, BOLD "%-5s" PLAIN " %-9s  %-12s  %s  %s UTC  ", row->id, statement_desk_state(kept),
	          statement_kind_name(row->kind), row->lang,
	          words_date_time((struct capture_time){ row->made_ns }, when));
	put_text(paper, d.text, statement_title(kept->json), HANG);
}

static json_t *name_of(char kind, uint64_t number)
{
	char id[LEDGER_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%c%" PRIu64, kind, number);
	return number ? json_string(id) : json_null();
}

static json_t *incident_of(uint64_t incident)
{
	char id[ARCHIVE_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%016" PRIx64, incident);
	return incident ? json_string(id) : json_null();
}

json_t *statement_page_json(const struct statement_desk_kept *kept)
{
	const struct statements_row *row = &kept->row;
	const struct statement_desk_acts *acts = &kept->acts;
	const json_t *statement = kept->json;
	struct build b = { .failed = false };
	json_t *root = json_object(), *list = json_array();
	char *text = statement_text(statement, false);

	build_set(&b, root, "id", json_string(row->id));
	build_set(&b, root, "revision", build_integer(row->revision));
	build_set(&b, root, "thread", name_of('s', row->thread));
	build_set(&b, root, "state", json_string(statement_desk_state(kept)));
	build_set(&b, root, "sha256", json_string(row->sha256));
	build_set(&b, root, "text", text ? json_string(text) : NULL);
	for (unsigned i = 0; i < acts->count; i++)
		build_append(&b, list,
		             json_pack("{ss sI so sI so}", "act", statements_act_name(acts->list[i].act), "revision",
		                       (json_int_t)acts->list[i].revision, "at",
		                       build_time_or_null(acts->list[i].at_ns), "uid", (json_int_t)acts->list[i].uid,
		                       "by", build_text(acts->list[i].by, STATEMENT_DESK_NAME_SIZE)));
	build_set(&b, root, "acts", list);
	build_set(&b, root, "published_sha256",
	          *acts->published_sha256 ? json_string(acts->published_sha256) : json_null());
	build_set(&b, root, "statement", json_deep_copy(statement));
	free(text);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- law ---- */

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
	char id[ARCHIVE_ID_SIZE];
	json_t *whole, *incident;
	bool found = false;
	size_t i;

	if (archived_read(archived, &whole) != COMMAND_DONE)
		return false;
	(void)snprintf(id, sizeof(id), "%016" PRIx64, archived->head.id);
	json_array_foreach(json_object_get(json_object_get(whole, "analysis"), "incidents"), i, incident)
	{
		if (strcmp(fact_text(incident, "id"), id) == 0)
			found = fact_time(incident, "detected", detected);
	}
	json_decref(whole);
	return found;
}

static void put_due(const struct paper *paper, const json_t *due, int64_t now_ns)
{
	for (unsigned kind = STATEMENT_NIS2_24H; kind < STATEMENT_KINDS; kind++) {
		const char *name = statement_kind_name((enum statement_kind)kind);
		struct draft d = { .length = 0 };
		struct capture_time at;
		char when[WORDS_SIZE], left[2 * WORDS_SIZE];

		if (!fact_time(due, name, &at))
			continue;
		draft_add(&d, "%-11s  due %s UTC, %s", name, words_date_time(at, when), from_now(at.ns - now_ns, left));
		paper_line(paper, 2, d.text);
	}
}

int statement_page_aware(json_t *aware, const struct archived *archived, struct capture_time now, bool json)
{
	struct paper paper = screen_paper(0, false);
	struct capture_time at = { 0 }, detected = { 0 };
	bool known = suggestion(archived, &detected);
	char when[WORDS_SIZE];
	struct draft d = { .length = 0 };

	if (json)
		return order_print_json("holdfast.statement-aware/1",
		                        json_pack("{so sO so}", "incident", incident_of(archived->head.id), "aware",
		                                  aware, "suggested", build_time_or_null(detected.ns)));
	if (fact_time(aware, "at", &at)) {
		draft_add(&d,
		          "Known since %s UTC, as %s has noted. To be checked by counsel:", words_date_time(at, when),
		          fact_text(aware, "by"));
		paper_text(&paper, 0, 0, d.text);
		put_due(&paper, json_object_get(aware, "due"), now.ns);
		return output_finish();
	}
	paper_text(&paper, 0, 0, "Nobody has said since when this has been known; a person says it, with --at TIME.");
	if (known) {
		draft_add(&d, "It was recognised by the machine at %s UTC.", words_date_time(detected, when));
		paper_text(&paper, 0, 0, d.text);
	}
	return output_finish();
}

/* ---- what is due ---- */

struct standing {
	struct books *books;
	struct paper paper;
	struct build build;
	json_t *threads, *laws;
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
	             json_pack("{so so sb ss so so sb}", "thread", name_of('s', thread->thread), "incident",
	                       incident_of(thread->incident), "open", thread->open, "last_kind",
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

static int take_law(void *context, const struct statement_facts_law *law)
{
	struct standing *s = context;
	const char *name = statement_kind_name(law->kind);
	bool done = law->submitted_ns != 0, late = !done && law->due_ns <= s->now_ns;
	char when[WORDS_SIZE], left[2 * WORDS_SIZE];
	struct draft d = { .length = 0 };

	s->overdue = s->overdue || late;
	build_append(&s->build, s->laws,
	             json_pack("{so ss so so sb}", "incident", incident_of(law->incident), "kind", name, "due",
	                       build_time_or_null(law->due_ns), "submitted", build_time_or_null(law->submitted_ns),
	                       "overdue", late));
	draft_add(&d, "%08" PRIx64 "  %-11s  %s%s %s UTC, %s" PLAIN, law->incident >> 32, name, late ? RED : "",
	          done   ? "handed in; was due"
	          : late ? "was due"
	                 : "due",
	          words_date_time((struct capture_time){ law->due_ns }, when), from_now(law->due_ns - s->now_ns, left));
	if (!s->json)
		paper_line(&s->paper, 0, d.text);
	s->any = true;
	return 0;
}

int statement_page_status(struct books *books, int64_t now_ns, bool json)
{
	struct standing s = { .books = books, .paper = screen_paper(0, false), .now_ns = now_ns, .json = json };
	struct record_error error = { .message = "" };
	int result, status = COMMAND_DONE;

	s.threads = json_array();
	s.laws = json_array();
	result = statements_thread_each(books->ledger, take_thread, &s, &error);
	if (result == 0)
		result = statement_facts_law_each(books->ledger, take_law, &s, &error);
	if (result != 0)
		status = books_refuse(books, result, &error);
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
