/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/statement_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
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
	bool internal = statement_is_internal(sentence);
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

json_t *statement_page_id(char kind, uint64_t number)
{
	char id[LEDGER_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%c%" PRIu64, kind, number);
	return number ? json_string(id) : json_null();
}

json_t *statement_page_json(const struct statement_desk_kept *kept)
{
	const struct statements_row *row = &kept->row;
	const struct statement_desk_acts *acts = &kept->acts;
	const json_t *statement = kept->json;
	struct build b = { .failed = false };
	json_t *root = json_object(), *list = json_array();
	char *text = statement_text(statement, STATEMENT_PUBLIC);

	build_set(&b, root, "id", json_string(row->id));
	build_set(&b, root, "revision", build_integer(row->revision));
	build_set(&b, root, "thread", statement_page_id('s', row->thread));
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
