/* SPDX-License-Identifier: Apache-2.0 */
/* A statement drafted from the record: what the matter is, what was said of it before, what comes next. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/incident_id.h"
#include "record/ledger_inside.h"
#include "record/statement_desk.h"
#include "record/statement_facts.h"
#include "tell/facts.h"

/* The latest statement of the thread that this one goes on from. */
struct thread {
	uint64_t incident, number, of_incident;
	uint64_t latest, thread; /* found */
	bool published;          /* anything of it */
	enum statement_kind last;
};

struct drafting {
	struct ledger *ledger;
	const struct statement_desk_person *who;
	const struct statement_desk_asked *asked;
	struct record_error *error;
	struct archive_incident incident;
	bool has_incident;
	struct thread thread;
	enum statement_kind kind;
	json_t *inherited; /* words of the latest of the thread */
	uint64_t outage;   /* of what is translated; 0 */
};

static bool said(const char *text)
{
	return text && *text;
}

enum statement_desk_wrong statement_desk_asked_wrong(const struct statement_desk_asked *asked)
{
	if (!asked->any_kind && asked->kind == STATEMENT_CORRECTION && !asked->corrects)
		return STATEMENT_DESK_CORRECTS_NOTHING;
	if (asked->phase != STATEMENT_AS_BEFORE && !asked->any_kind && asked->kind != STATEMENT_UPDATE)
		return STATEMENT_DESK_PHASE;
	if (asked->translates)
		return asked->incident || asked->since_ns || asked->until_ns || asked->after || asked->corrects ||
		                       !asked->any_kind || asked->phase != STATEMENT_AS_BEFORE || said(asked->text)
		               ? STATEMENT_DESK_TRANSLATION
		               : STATEMENT_DESK_GOOD;
	if (!asked->incident && !asked->since_ns && !asked->after && !asked->corrects)
		return STATEMENT_DESK_OF_NOTHING;
	return STATEMENT_DESK_GOOD;
}

/* ---- the thread ---- */

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

/* What was said before in it. */
static int find_words(struct drafting *d)
{
	struct statement_desk_documents documents = { NULL, NULL };
	struct statement_desk_kept before = { .json = NULL };
	char message[64];
	int result = statement_desk_find(d->ledger, d->thread.latest, &before, d->error);

	if (result == 0)
		result = statement_desk_documents(d->ledger, before.json, &documents, d->error);
	if (result == 0)
		d->inherited = json_incref(json_object_get(documents.record, "word"));
	if (result == 0 && d->asked->corrects && !before.acts.published_ns) {
		(void)snprintf(message, sizeof(message), "s%" PRIu64 " is not published", d->asked->corrects);
		result = ledger_refuse(d->error, -EPERM, message, "edit it instead");
	}
	statement_desk_documents_free(&documents);
	statement_desk_free(&before);
	return result;
}

static int find_thread(struct drafting *d)
{
	char message[64];
	int result;

	d->thread.incident = d->has_incident ? d->incident.id : 0;
	d->thread.number = d->asked->after ? d->asked->after : d->asked->corrects;
	result = statements_latest_each(d->ledger, find_latest, &d->thread, d->error);
	if (result == 0)
		result = statements_published_each(d->ledger, find_published, &d->thread, d->error);
	if (result == 0 && d->thread.number && !d->thread.latest) {
		(void)snprintf(message, sizeof(message), "there is no s%" PRIu64, d->thread.number);
		return ledger_refuse(d->error, -ENOENT, message, "'holdfast statement list' lists those there are");
	}
	return result == 0 && d->thread.latest ? find_words(d) : result;
}

/* The incident of the thread, where none was named. */
static int find_incident(struct drafting *d)
{
	char id[INCIDENT_ID_SIZE], message[64];
	int result;

	if (d->has_incident || !d->thread.of_incident)
		return 0;
	incident_id_format(d->thread.of_incident, id);
	result = d->asked->folder ? archive_find(d->asked->folder, id, &d->incident) : -ENOENT;
	d->has_incident = result == 0;
	if (result == 0)
		return 0;
	(void)snprintf(message, sizeof(message), "there is no incident %s", id);
	return ledger_refuse(d->error, result, message, "'holdfast incidents' lists those there are");
}

static void choose_kind(struct drafting *d)
{
	if (d->asked->any_kind)
		d->kind = d->asked->corrects                       ? STATEMENT_CORRECTION
		          : !d->thread.published                   ? STATEMENT_FIRST_NOTICE
		          : d->asked->until_ns                     ? STATEMENT_RESOLUTION
		          : d->thread.last == STATEMENT_RESOLUTION ? STATEMENT_POSTMORTEM
		                                                   : STATEMENT_UPDATE;
	else
		d->kind = d->asked->kind;
}

/* ---- made and put on record ---- */

/* Keeps a document; `sha256` "" where there is none. */
static int keep_source(struct drafting *d, const json_t *json, char sha256[LEDGER_DIGEST_SIZE])
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int result;

	sha256[0] = '\0';
	if (!json)
		return 0;
	result = text ? statements_source_add(d->ledger, text, d->who->now_ns, sha256, d->error) : -ENOMEM;
	free(text);
	return result;
}

static int put_on_record(struct drafting *d, const json_t *record, json_t *statement, struct statement_desk_kept *kept)
{
	struct statements_row row = {
		.thread = d->thread.thread,
		.incident = d->has_incident ? d->incident.id : 0,
		.outage = d->asked->translates
		                  ? d->outage
		                  : fact_count(json_array_get(json_object_get(record, "outages"), 0), "number"),
		.kind = d->kind,
		.supersedes = d->asked->corrects,
		.made_ns = d->who->now_ns,
		.made_by = d->who->name
	};
	char *text = json_dumps(statement, JSON_COMPACT);
	int result;

	(void)snprintf(row.lang, sizeof(row.lang), "%s", language_code(d->asked->language));
	row.json = text;
	result = text ? statements_add(d->ledger, &row, d->error) : -ENOMEM;
	free(text);
	if (result != 0)
		return result;
	row.json = row.made_by = "";
	*kept = (struct statement_desk_kept){ .row = row, .json = json_incref(statement) };
	(void)snprintf(kept->made_by, sizeof(kept->made_by), "%s", d->who->name);
	return 0;
}

static int make(struct drafting *d, const json_t *analysis, const json_t *record, struct statement_desk_kept *kept)
{
	char id[INCIDENT_ID_SIZE] = "", corrects[LEDGER_ID_SIZE] = "", translates[LEDGER_ID_SIZE] = "";
	char sums[2][LEDGER_DIGEST_SIZE];
	const json_t *words = json_object_get(record, "word");
	struct statement_request request = {
		.kind = d->kind, .language = d->asked->language, .by = d->who->name, .now = { d->who->now_ns }
	};
	json_t *statement = NULL;
	int result = keep_source(d, analysis, sums[0]);

	if (result == 0)
		result = keep_source(d, record, sums[1]);
	if (result != 0)
		return result;
	if (d->has_incident)
		incident_id_format(d->incident.id, id);
	if (d->asked->corrects)
		(void)snprintf(corrects, sizeof(corrects), "s%" PRIu64, d->asked->corrects);
	if (d->asked->translates)
		(void)snprintf(translates, sizeof(translates), "s%" PRIu64, d->asked->translates);
	request.translates = translates;
	if (statement_phase_find(fact_text(words, "phase"), &request.phase) && d->kind != STATEMENT_UPDATE)
		return ledger_refuse(d->error, -EINVAL, "a phase is of an update", "name --kind update");
	request.incident = id;
	request.corrects = corrects;
	request.component = fact_text(words, d->asked->language == LANGUAGE_FR ? "component_fr" : "component");
	request.component_id = fact_text(words, "component_id");
	(void)fact_time(words, "next_update", &request.next);
	request.documents = (struct statement_documents){ analysis, record };
	request.analysis_sha256 = sums[0];
	request.record_sha256 = sums[1];
	result = statement_draft(&request, &statement);
	if (result == -EINVAL)
		return ledger_refuse(d->error, result,
		                     "a name is longer than 64 octets or cannot be shown, or the analysis is not this "
		                     "incident's",
		                     "shorten it, or type it anew");
	if (result == 0)
		result = put_on_record(d, record, statement, kept);
	json_decref(statement);
	return result;
}

/* The incident's analysis; NULL where there is no incident. */
static int read_analysis(struct drafting *d, json_t **analysis)
{
	char message[96], *text = NULL;
	size_t length, inside_length;
	const char *inside;
	int result;

	*analysis = NULL;
	if (!d->has_incident)
		return 0;
	result = d->asked->folder
	                 ? archive_read(d->asked->folder, d->incident.id, &text, &length, &inside, &inside_length)
	                 : -ENOENT;
	if (result == 0) {
		*analysis = json_loadb(inside, inside_length, JSON_REJECT_DUPLICATES, NULL);
		result = json_is_object(*analysis) ? 0 : -EBADMSG;
	}
	free(text);
	if (result == 0)
		return 0;
	json_decref(*analysis);
	*analysis = NULL;
	(void)snprintf(message, sizeof(message), "incidents/%016" PRIx64 ".json cannot be read: %s", d->incident.id,
	               strerror(-result));
	return ledger_refuse(d->error, result, message, "'holdfast report' may make it anew");
}

static int make_of_record(struct drafting *d, struct statement_desk_kept *kept)
{
	const struct statement_desk_asked *o = d->asked;
	struct statement_facts_asked asked = { .folder = o->folder,
		                               .incident = d->has_incident ? &d->incident : NULL,
		                               .inherited = d->inherited,
		                               .since = { o->since_ns },
		                               .until = { o->until_ns },
		                               .component = o->component,
		                               .text = o->text,
		                               .by = d->who->name,
		                               .claim = said(o->claim) ? o->claim : NULL,
		                               .phase = o->phase,
		                               .corrects = o->corrects,
		                               .thread = d->thread.thread,
		                               .now = { d->who->now_ns } };
	json_t *analysis = NULL, *record = NULL;
	int result = read_analysis(d, &analysis);

	if (o->next_ns && statement_kind_is_public(d->kind) && d->kind < STATEMENT_RESOLUTION)
		asked.next = time_plus(asked.now, o->next_ns);
	if (result == 0)
		result = statement_facts(d->ledger, &asked, &record, d->error);
	if (result == 0)
		result = make(d, analysis, record, kept);
	json_decref(analysis);
	json_decref(record);
	return result;
}

/* The same facts in another language. What a person wrote is in one language alone, and is left out. */
static int translate(struct drafting *d, struct statement_desk_kept *kept)
{
	struct statement_desk_documents documents = { NULL, NULL };
	struct statement_desk_kept first = { .json = NULL };
	char message[96];
	int result = statement_desk_find(d->ledger, d->asked->translates, &first, d->error);

	if (result == 0 && statement_language_of(first.json) == d->asked->language) {
		(void)snprintf(message, sizeof(message), "s%" PRIu64 " is in that language", d->asked->translates);
		result = ledger_refuse(d->error, -EINVAL, message, "name the other with --lang");
	} else if (result == 0 && (first.row.kind == STATEMENT_CORRECTION || *statement_translates(first.json))) {
		result = ledger_refuse(
			d->error, -EINVAL, "neither a correction nor a translation is translated",
			"draft a correction of each language with --corrects, a translation of the first");
	}
	if (result == 0)
		result = statement_desk_documents(d->ledger, first.json, &documents, d->error);
	if (result == 0 && first.row.incident) {
		d->incident.id = first.row.incident;
		d->has_incident = true;
	}
	d->kind = first.row.kind;
	d->thread.thread = first.row.thread;
	d->outage = first.row.outage;
	if (result == 0)
		result = make(d, documents.analysis, documents.record, kept);
	statement_desk_documents_free(&documents);
	statement_desk_free(&first);
	return result;
}

int statement_desk_draft(struct ledger *ledger, const struct statement_desk_person *who,
                         const struct statement_desk_asked *asked, struct statement_desk_kept *kept,
                         struct record_error *error)
{
	struct drafting d = { .ledger = ledger, .who = who, .asked = asked, .error = error };
	int result;

	if (asked->translates)
		return translate(&d, kept);
	if (asked->incident) {
		d.incident = *asked->incident;
		d.has_incident = true;
	}
	result = find_thread(&d);
	if (result == 0)
		result = find_incident(&d);
	choose_kind(&d);
	if (result == 0)
		result = make_of_record(&d, kept);
	json_decref(d.inherited);
	return result;
}
