/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast statement check: every link of a statement, in what was kept when it was drafted; what was published of it;
 * and the incident's file as it is now.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/archived.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/say.h"
#include "cli/statement_inside.h"
#include "detect/incident_id.h"
#include "tell/facts.h"
#include "tell/statement.h"

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
	char *text = statement_text(kept->json, statement_audience_of(kept->row.kind));
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
static int check_now(const struct statement_options *options, const struct statement_desk_kept *kept,
                     const struct statement_desk_documents *documents)
{
	struct statement_documents now = { NULL, documents->record };
	struct change change = { .id = kept->row.id };
	char id[INCIDENT_ID_SIZE], folder[CONFIG_PATH_SIZE];
	struct archived archived;
	json_t *whole;

	change.final = strcmp(fact_text(json_object_get(documents->record, "incident"), "state"), "final") == 0;
	if (!kept->row.incident || archived_folder("statement", options->config, folder) != COMMAND_DONE)
		return COMMAND_DONE;
	incident_id_format(kept->row.incident, id);
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

int statement_check_kept(const struct statement_options *options)
{
	struct statement_desk_documents documents = { NULL, NULL };
	struct record_error error = { .message = "" };
	struct statement_documents in;
	struct books books;
	struct statement_desk_kept kept;
	char id[LEDGER_ID_SIZE];
	unsigned mistakes = 0;
	int result, status = statement_open_and_find(options, false, &books, &kept);

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(id, sizeof(id), "%s", kept.row.id);
	result = statement_desk_documents(books.ledger, kept.json, &documents, &error);
	if (result != 0)
		status = statement_refuse(&books, id, result, &error);
	if (status == COMMAND_DONE && options->analysis) {
		json_decref(documents.analysis);
		documents.analysis = NULL;
		status = read_analysis(options->analysis, &documents.analysis);
	}
	in = (struct statement_documents){ documents.analysis, documents.record };
	if (status == COMMAND_DONE) {
		mistakes = statement_check(kept.json, &in, statement_say_mistake, id);
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
