/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was published of an incident, and the documents that each statement rests on, each once, as a segment of its
 * evidence.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/evidence_inside.h"
#include "record/statements.h"
#include "tell/build.h"
#include "tell/statement.h"

/* Of what speaks of one incident. Beyond there is no bundle: one that has not all must not look as if it had. */
#define THREADS_MAX 64   /* matters */
#define SOURCES_MAX 1024 /* documents: a statement has two at most */

struct taking {
	struct evidence_making *making;
	uint64_t threads[THREADS_MAX];
	unsigned threads_count;
	char sources[SOURCES_MAX][LEDGER_DIGEST_SIZE]; /* that are written */
	unsigned sources_count;
};

/* A first notice may have been published before there was an incident: the whole matter is taken. */
static bool is_ours(const struct taking *t, uint64_t thread)
{
	for (unsigned i = 0; i < t->threads_count; i++)
		if (t->threads[i] == thread)
			return true;
	return false;
}

static int find_threads(void *context, const struct statements_published *one)
{
	struct taking *t = context;

	if (one->incident != t->making->archived.head.id || is_ours(t, one->thread))
		return 0;
	if (t->threads_count == THREADS_MAX)
		return -E2BIG;
	t->threads[t->threads_count++] = one->thread;
	return 0;
}

static int write_source(struct taking *t, const char *sha256)
{
	struct record_error error = { .message = "" };
	char *text;
	int result;

	for (unsigned i = 0; i < t->sources_count; i++)
		if (strcmp(t->sources[i], sha256) == 0)
			return 0;
	if (t->sources_count == SOURCES_MAX || strlen(sha256) >= LEDGER_DIGEST_SIZE)
		return -E2BIG;
	result = statements_source_find(t->making->ledger, sha256, &text, &error);
	if (result != 0)
		return result;
	memcpy(t->sources[t->sources_count++], sha256, strlen(sha256) + 1);
	evidence_line(t->making, BUNDLE_STATEMENTS,
	              json_pack("{s:s,s:s,s:s}", "kind", "source", "sha256", sha256, "text", text));
	free(text);
	return 0;
}

static int take_one(void *context, const struct statements_published *one)
{
	struct taking *t = context;
	json_t *statement, *sum;
	const char *name;
	int result = 0;

	if (!is_ours(t, one->thread))
		return 0;
	statement = json_loads(one->json, JSON_REJECT_DUPLICATES, NULL);
	json_object_foreach(json_object_get(statement, "sources"), name, sum) if (result == 0 && json_is_string(sum))
		result = write_source(t, json_string_value(sum));
	evidence_line(t->making, BUNDLE_STATEMENTS,
	              json_pack("{s:s,s:s,s:I,s:s,s:s,s:o,s:o,s:s,s:s,s:s,s:s,s:o}", "kind", "statement", "id", one->id,
	                        "revision", (json_int_t)one->revision, "of", statement_kind_name(one->kind), "lang",
	                        one->lang, "published", build_time_or_null(one->published_ns), "withdrawn",
	                        build_time_or_null(one->withdrawn_ns), "why_withdrawn", one->why_withdrawn, "title",
	                        one->title, "text", one->text, "sha256", one->sha256, "statement",
	                        statement ? statement : json_null()));
	return result ? result : t->making->failed;
}

void evidence_take_statements(struct evidence_making *making)
{
	struct taking *t = making->ledger ? calloc(1, sizeof(*t)) : NULL;
	struct record_error error = { .message = "" };
	int result;

	if (!making->ledger)
		return;
	if (!t) {
		evidence_note(making, -ENOMEM);
		return;
	}
	t->making = making;
	result = statements_published_each(making->ledger, find_threads, t, &error);
	if (result == 0 && t->threads_count)
		result = statements_published_each(making->ledger, take_one, t, &error);
	evidence_note(making, result);
	free(t);
}
