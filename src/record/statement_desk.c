/* SPDX-License-Identifier: Apache-2.0 */
#include "record/statement_desk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 12 /* digits of a hash */

static int refuse(struct record_error *error, int result, const char *advice, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(struct record_error *error, int result, const char *advice, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	(void)snprintf(error->advice, sizeof(error->advice), "%s", advice);
	return result;
}

/* ---- found ---- */

static int keep_act(void *context, const struct statements_act_row *act)
{
	struct statement_desk_acts *acts = &((struct statement_desk_kept *)context)->acts;
	int64_t *const times[STATEMENTS_ACTS] = { [STATEMENTS_PUBLISHED] = &acts->published_ns,
		                                  [STATEMENTS_WITHDRAWN] = &acts->withdrawn_ns,
		                                  [STATEMENTS_SUBMITTED] = &acts->submitted_ns };

	if (times[act->act])
		*times[act->act] = act->at_ns;
	if (act->act == STATEMENTS_PUBLISHED || act->act == STATEMENTS_SUBMITTED) {
		free(acts->published_text);
		acts->published_text = strdup(act->text);
		if (!acts->published_text)
			return -ENOMEM;
		memcpy(acts->published_sha256, act->sha256, sizeof(acts->published_sha256));
	}
	if (acts->count < STATEMENT_DESK_ACTS_MAX) {
		struct statement_desk_act *kept = &acts->list[acts->count++];

		*kept = (struct statement_desk_act){ act->act, act->revision, act->at_ns, act->uid, "" };
		(void)snprintf(kept->by, sizeof(kept->by), "%s", act->by);
	}
	return 0;
}

static void acts_free(struct statement_desk_acts *acts)
{
	free(acts->published_text);
	*acts = (struct statement_desk_acts){ .count = 0 };
}

void statement_desk_free(struct statement_desk_kept *kept)
{
	json_decref(kept->json);
	kept->json = NULL;
	acts_free(&kept->acts);
}

static void keep_row(struct statement_desk_kept *kept, const struct statements_row *row)
{
	kept->row = *row;
	kept->row.made_by = "";
	(void)snprintf(kept->made_by, sizeof(kept->made_by), "%s", row->made_by);
}

bool statement_desk_read(struct statement_desk_kept *kept)
{
	char why[STATEMENT_ERROR_SIZE];

	json_decref(kept->json);
	kept->json = json_loads(kept->row.json, JSON_REJECT_DUPLICATES, NULL);
	kept->broken = !kept->json || statement_read(kept->json, why) != 0;
	return !kept->broken;
}

static int find_row(void *context, const struct statements_row *row)
{
	struct statement_desk_kept *kept = context;

	keep_row(kept, row);
	(void)statement_desk_read(kept);
	kept->row.json = "";
	return 0;
}

int statement_desk_find(struct ledger *ledger, uint64_t number, struct statement_desk_kept *kept,
                        struct record_error *error)
{
	int result = statements_each(ledger, number, find_row, kept, error);

	if (result == 0)
		result = statements_act_each(ledger, number, keep_act, kept, error);
	if (result != 0)
		return result;
	if (!kept->json && !kept->broken)
		return refuse(error, -ENOENT, "'holdfast statement list' lists those there are",
		              "there is no s%" PRIu64, number);
	if (kept->broken)
		return refuse(error, -EBADMSG, "'holdfast record check' reads all of the record",
		              "what is on record as s%" PRIu64 " is no statement", number);
	return 0;
}

struct listing {
	struct ledger *ledger;
	statement_desk_visit *each;
	void *context;
	struct record_error *error;
};

static int list_one(void *context, const struct statements_row *row)
{
	struct listing *l = context;
	struct statement_desk_kept kept = { .json = NULL };
	int result;

	keep_row(&kept, row);
	result = statements_act_each(l->ledger, row->number, keep_act, &kept, l->error);
	if (result == 0)
		result = l->each(l->context, &kept);
	statement_desk_free(&kept);
	return result;
}

int statement_desk_each(struct ledger *ledger, statement_desk_visit *each, void *context, struct record_error *error)
{
	struct listing listing = { ledger, each, context, error };

	return statements_latest_each(ledger, list_one, &listing, error);
}

int statement_desk_newest_each(struct ledger *ledger, unsigned most, statement_desk_visit *each, void *context,
                               struct record_error *error)
{
	struct listing listing = { ledger, each, context, error };

	return statements_newest_each(ledger, most, list_one, &listing, error);
}

unsigned statement_desk_approvals(const struct statement_desk_kept *kept)
{
	unsigned count = 0;

	/* The record lets nobody approve the same revision twice. */
	for (unsigned i = 0; i < kept->acts.count; i++)
		count += kept->acts.list[i].act == STATEMENTS_APPROVED &&
		         kept->acts.list[i].revision == kept->row.revision;
	return count;
}

unsigned statement_desk_approvals_wanted(const struct statement_desk_kept *kept)
{
	return statement_has_claims(kept->json) ? 2 : 1;
}

const char *statement_desk_state(const struct statement_desk_kept *kept)
{
	if (kept->acts.withdrawn_ns)
		return "withdrawn";
	if (kept->acts.published_ns)
		return "published";
	if (kept->acts.submitted_ns)
		return "submitted";
	return statement_desk_approvals(kept) ? "approved" : "draft";
}

/* ---- what it rests on ---- */

static int find_document(struct ledger *ledger, const json_t *statement, const char *name, json_t **json,
                         struct record_error *error)
{
	const char *sum = json_string_value(json_object_get(json_object_get(statement, "sources"), name));
	char *text = NULL;
	int result;

	if (!sum)
		return 0;
	result = statements_source_find(ledger, sum, &text, error);
	if (result == 0)
		*json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return result;
}

int statement_desk_documents(struct ledger *ledger, const json_t *statement, struct statement_desk_documents *documents,
                             struct record_error *error)
{
	struct statement_desk_documents found = { NULL, NULL };
	int result = find_document(ledger, statement, "analysis.json", &found.analysis, error);

	if (result == 0)
		result = find_document(ledger, statement, "record.json", &found.record, error);
	if (result == 0)
		*documents = found;
	else
		statement_desk_documents_free(&found);
	return result;
}

void statement_desk_documents_free(struct statement_desk_documents *documents)
{
	json_decref(documents->analysis);
	json_decref(documents->record);
	*documents = (struct statement_desk_documents){ NULL, NULL };
}

int statement_desk_check(struct ledger *ledger, const struct statement_desk_kept *kept, statement_desk_tell *tell,
                         void *context, struct record_error *error)
{
	struct statement_desk_documents documents = { NULL, NULL };
	struct statement_documents in;
	unsigned mistakes;
	int result = statement_desk_documents(ledger, kept->json, &documents, error);

	if (result != 0)
		return result;
	in = (struct statement_documents){ documents.analysis, documents.record };
	mistakes = statement_check(kept->json, &in, tell, context);
	statement_desk_documents_free(&documents);
	if (mistakes)
		return refuse(error, -EBADMSG, "edit what is wrong, or draft another",
		              "its sentences are not what their links say: %u mistakes", mistakes);
	return 0;
}

/* ---- done ---- */

int statement_desk_edit(struct ledger *ledger, const struct statement_desk_person *who,
                        struct statement_desk_kept *kept, json_t *edited, struct record_error *error)
{
	struct statements_row row = kept->row;
	char advice[128], *text;
	int result;

	if (kept->acts.published_ns) {
		(void)snprintf(advice, sizeof(advice), "draft a correction: --kind correction --corrects %s",
		               kept->row.id);
		return refuse(error, -EPERM, advice, "it is published, and stays as it is");
	}
	text = json_dumps(edited, JSON_COMPACT);
	row.json = text;
	row.made_by = who->name;
	row.made_ns = who->now_ns;
	result = text ? statements_add(ledger, &row, error) : -ENOMEM;
	free(text);
	if (result != 0)
		return result;
	json_decref(kept->json);
	acts_free(&kept->acts);
	kept->row = row;
	kept->row.json = kept->row.made_by = "";
	kept->json = json_incref(edited);
	(void)snprintf(kept->made_by, sizeof(kept->made_by), "%s", who->name);
	return 0;
}

static int act(struct ledger *ledger, const struct statement_desk_person *who, const struct statement_desk_kept *kept,
               enum statements_act what, const char *title, const char *text, struct record_error *error)
{
	struct statements_act_row row = { .number = kept->row.number,
		                          .revision = kept->row.revision,
		                          .act = what,
		                          .at_ns = who->now_ns,
		                          .uid = who->uid,
		                          .by = who->name,
		                          .title = title,
		                          .text = text };

	memcpy(row.of_sha256, kept->row.sha256, sizeof(row.of_sha256));
	return statements_act_add(ledger, &row, error);
}

int statement_desk_approve(struct ledger *ledger, const struct statement_desk_person *who,
                           const struct statement_desk_kept *kept, const char *hash, statement_desk_tell *tell,
                           void *context, struct record_error *error)
{
	size_t length = strlen(hash);
	char advice[96];
	int result;

	(void)snprintf(advice, sizeof(advice), "read it again: 'holdfast statement show %s'", kept->row.id);
	if (length < STATEMENT_DESK_HASH_MIN || strncmp(hash, kept->row.sha256, length) != 0)
		return refuse(error, -ESTALE, advice, "it is not what you have read: revision %" PRIu64 " is %.*s",
		              kept->row.revision, SHOWN, kept->row.sha256);
	result = statement_desk_check(ledger, kept, tell, context, error);
	return result == 0 ? act(ledger, who, kept, STATEMENTS_APPROVED, "", "", error) : result;
}

static int may_publish(const struct statement_desk_kept *kept, enum statements_act what, struct record_error *error)
{
	const char *id = kept->row.id;
	char advice[160];

	if (what == STATEMENTS_PUBLISHED && !statement_kind_is_public(kept->row.kind)) {
		(void)snprintf(advice, sizeof(advice), "when it was handed in: 'holdfast statement submit %s'", id);
		return refuse(error, -EPERM, advice, "it is for an authority, not for the public");
	}
	if (what == STATEMENTS_SUBMITTED && statement_kind_is_public(kept->row.kind)) {
		(void)snprintf(advice, sizeof(advice), "'holdfast statement publish %s'", id);
		return refuse(error, -EPERM, advice, "it is for the public");
	}
	(void)snprintf(advice, sizeof(advice),
	               "'holdfast statement show %s', then 'holdfast statement approve %s --hash %.*s'", id, id, SHOWN,
	               kept->row.sha256);
	if (statement_desk_approvals(kept) == 0)
		return refuse(error, -EPERM, advice, "nobody has approved it as it is now");
	if (statement_desk_approvals(kept) < statement_desk_approvals_wanted(kept))
		return refuse(error, -EPERM, advice, "it holds a claim, and only one person has approved it");
	return 0;
}

int statement_desk_publish(struct ledger *ledger, const struct statement_desk_person *who,
                           const struct statement_desk_kept *kept, enum statements_act what, char **text,
                           statement_desk_tell *tell, void *context, struct record_error *error)
{
	char *told = NULL;
	int result = may_publish(kept, what, error);

	if (result == 0)
		result = statement_desk_check(ledger, kept, tell, context, error);
	if (result != 0)
		return result;
	told = statement_text(kept->json, what == STATEMENTS_SUBMITTED ? STATEMENT_INTERNAL : STATEMENT_PUBLIC);
	if (!told)
		result = -ENOMEM;
	else if (!*told)
		result = refuse(error, -EPERM, "'holdfast statement edit' changes who a sentence is for",
		                "no sentence of it is for the public");
	else if (who)
		result = act(ledger, who, kept, what, statement_title(kept->json), told, error);
	if (result == 0)
		*text = told;
	else
		free(told);
	return result;
}

int statement_desk_withdraw(struct ledger *ledger, const struct statement_desk_person *who,
                            const struct statement_desk_kept *kept, const char *why, struct record_error *error)
{
	if (!why[strspn(why, " \t\r\n")])
		return refuse(error, -EINVAL, "", "say why; it is published with the withdrawal");
	return act(ledger, who, kept, STATEMENTS_WITHDRAWN, "", why, error);
}
