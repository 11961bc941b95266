/* SPDX-License-Identifier: Apache-2.0 */
/* What a claim is tested against: the trace of an incident, and what else happened (claim_inside.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/claim_inside.h"
#include "cli/say.h"
#include "detect/incident_id.h"
#include "record/outages.h"
#include "tell/facts.h"
#include "tell/harm_json.h"
#include "tell/trace_json.h"

#define NEAR_NS (86400 * NS_PER_S) /* outages so long before and after an attack are told with it */

void claim_source_end(struct claim_source *source)
{
	if (source->has_trace)
		trace_fini(&source->trace);
	json_decref(source->json);
	free(source->series);
}

/* ---- the trace ---- */

/* Takes a new reference's worth of `json`. */
static int take_trace(const char *where, json_t *json, struct claim_source *source)
{
	char error[TRACE_JSON_ERROR_SIZE];
	int result = trace_json_read(json, &source->trace, error);

	if (result != 0) {
		say_error(where, "its trace cannot be read: %s; make it anew with this version", error);
		return COMMAND_BAD;
	}
	source->has_trace = true;
	source->json = json_incref(json);
	source->incident = source->trace.incident;
	return COMMAND_DONE;
}

/* What an analysis has of the host it was watched on; without memory it has nothing. */
static void take_series(const json_t *json, struct claim_source *source)
{
	const json_t *analysis = json_object_get(json, "analysis");
	const json_t *live = json_object_get(analysis ? analysis : json, "live");

	source->series = malloc(sizeof(*source->series));
	if (source->series)
		(void)series_read(json_object_get(live, "series"), source->series);
}

/* The trace of the incident whose ID begins so, of an analysis or a trace; NULL and "latest": the last with a trace. */
static json_t *find_trace(json_t *json, const char *name)
{
	json_t *incidents = json_object_get(json, "incidents"), *incident, *found = NULL;
	size_t i;

	if (strcmp(fact_text(json, "schema"), TRACE_JSON_SCHEMA) == 0)
		return json;
	if (json_is_object(json_object_get(json, "analysis")))
		incidents = json_object_get(json_object_get(json, "analysis"), "incidents");
	json_array_foreach(incidents, i, incident)
	{
		bool meant = !name || strcmp(name, "latest") == 0 ||
		             strncmp(fact_text(incident, "id"), name, strlen(name)) == 0;

		if (meant && json_is_object(json_object_get(incident, "trace")))
			found = json_object_get(incident, "trace");
	}
	return found;
}

/* Of an analysis or a trace as JSON; false: it has none of such an incident. Else *status says how it was taken. */
static bool take_from(const char *where, json_t *json, const char *name, struct claim_source *source, int *status)
{
	json_t *trace = find_trace(json, name);

	if (!trace)
		return false;
	*status = take_trace(where, trace, source);
	if (*status == COMMAND_DONE)
		take_series(json, source);
	return true;
}

int claim_source_read(const char *path, const char *name, struct claim_source *source)
{
	json_error_t error;
	json_t *json = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
	                                      : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	int status = COMMAND_BAD;

	if (!json) {
		say_error(say_input(path), "cannot be read as JSON: %s (line %d)", error.text, error.line);
		return COMMAND_BAD;
	}
	if (!take_from(say_input(path), json, name, source, &status))
		say_error(say_input(path),
		          "there is no trace in it of an incident %.60s; 'holdfast analyze --json' writes them",
		          name ? name : "");
	json_decref(json);
	return status;
}

/* Of one that was archived; false: no trace of it was. */
static bool read_archived(const struct archived *archived, const char *name, struct claim_source *source, int *status)
{
	char id[INCIDENT_ID_SIZE];
	json_t *whole;
	bool found;

	incident_id_format(archived->head.id, id);
	*status = archived_read(archived, &whole);
	if (*status != COMMAND_DONE)
		return true;
	found = take_from(name, whole, id, source, status);
	json_decref(whole);
	return found;
}

int claim_source_find(const struct claim_options *options, const char *name, struct claim_source *source)
{
	struct archived archived;
	int status = archived_find("claim", options->config, name, &archived);

	if (status != COMMAND_DONE || read_archived(&archived, name, source, &status))
		return status;
	say_error(name, "no trace of it was recorded");
	return COMMAND_BAD;
}

struct rollup {
	struct claim_source *source;
	int status;
};

static int take_rollup(void *context, const struct ledger_rollup *rollup)
{
	struct rollup *r = context;
	json_t *json = json_loads(rollup->trace, JSON_REJECT_DUPLICATES, NULL);

	r->status = take_trace("the record", json, r->source);
	json_decref(json);
	return 0;
}

int claim_source_load(const struct claim_options *options, struct books *books, uint64_t incident,
                      struct claim_source *source)
{
	char id[INCIDENT_ID_SIZE], folder[CONFIG_PATH_SIZE];
	struct rollup rollup = { source, COMMAND_BAD };
	struct record_error error = { .message = "" };
	struct archived archived;
	int result, status;

	incident_id_format(incident, id);
	if (options->report) {
		status = claim_source_read(options->report, id, source);
		if (status == COMMAND_DONE && source->incident != incident) {
			say_error(say_input(options->report), "it has the trace of another incident, %016" PRIx64,
			          source->incident);
			return COMMAND_BAD;
		}
		return status;
	}
	if (!options->record && archived_folder("claim", options->config, folder) == COMMAND_DONE &&
	    archive_find(folder, id, &archived.head) == 0) {
		memcpy(archived.folder, folder, sizeof(folder));
		if (read_archived(&archived, id, source, &status))
			return status;
	}
	result = ledger_rollup_find(books->ledger, incident, take_rollup, &rollup, &error);
	if (result == 0)
		return rollup.status;
	if (result != -ENOENT)
		return books_refuse(books, result, &error);
	say_error(id, "no trace of it is at hand; 'holdfast report %s --json' and --report FILE bring one", id);
	return COMMAND_BAD;
}

/* ---- what else is on record ---- */

static int add_event(void *context, const struct ledger_event *event)
{
	struct claim_event added = { event->kind == LEDGER_PROVIDER ? CLAIM_PROVIDER : CLAIM_OWN_CHANGE,
		                     event->began_ns, event->ended_ns };

	return claim_facts_add_event(context, &added) ? 0 : -ENOBUFS;
}

struct near {
	struct claim_facts *facts;
	int64_t from_ns, to_ns;
};

/*
 * Each wave of an outage on record is one that was measured; how many users it hit is not known, so that it counts as
 * all. Those of other days say nothing of this attack.
 */
static int add_outage(void *context, const struct outages_outage *outage)
{
	const struct near *near = context;
	char error[HARM_JSON_ERROR_SIZE];
	json_t *json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	struct harm harm;
	bool room = true;

	if (!json || harm_json_read(json, &harm, error) != 0) {
		harm.outage.waves_count = 1;
		harm.outage.waves[0] =
			(struct outage_wave){ .began_ns = outage->began_ns, .ended_ns = outage->ended_ns };
	}
	json_decref(json);
	for (uint32_t i = 0; i < harm.outage.waves_count && room; i++) {
		const struct outage_wave *wave = &harm.outage.waves[i];
		struct claim_span span = { wave->began_ns, wave->ended_ns, 1 };

		if (wave->began_ns < near->to_ns && (wave->ended_ns == 0 || wave->ended_ns > near->from_ns))
			room = claim_facts_add_outage(near->facts, &span);
	}
	return room ? 0 : -ENOBUFS;
}

/* Those on record count unless a file says which were measured. */
static int read_outages(struct books *books, const struct claim_source *source, struct claim_facts *facts)
{
	const struct trace *trace = &source->trace;
	struct capture_time began = { trace->began_ns }, ended = { trace->ended_ns ? trace->ended_ns : trace->made_ns };
	struct near near = { facts, time_plus(began, -NEAR_NS).ns, time_plus(ended, NEAR_NS).ns };
	struct record_error error = { .message = "" };
	int result = facts->context.outages_count ? 0 : outages_each(books->ledger, NULL, add_outage, &near, &error);

	if (result == -ENOBUFS)
		say_error("claim", "more than %d outages are on record; only the first are looked at",
		          CLAIM_OUTAGES_MAX);
	return result == 0 || result == -ENOBUFS ? COMMAND_DONE : books_refuse(books, result, &error);
}

int claim_source_facts(const struct claim_options *options, struct books *books, const struct claim_source *source,
                       struct claim_facts *facts)
{
	char message[CLAIM_JSON_ERROR_SIZE];
	struct record_error error = { .message = "" };
	json_error_t wrong;
	json_t *json;
	int result;

	claim_facts_init(facts);
	if (options->context) {
		json = json_load_file(options->context, JSON_REJECT_DUPLICATES, &wrong);
		result = json ? claim_facts_read(json, facts, message) : -EBADMSG;
		if (!json)
			say_error(options->context, "cannot be read as JSON: %s (line %d)", wrong.text, wrong.line);
		else if (result != 0)
			say_error(options->context, "%s", message);
		json_decref(json);
		if (result != 0)
			return COMMAND_BAD;
	}
	if (books && read_outages(books, source, facts) != COMMAND_DONE)
		return COMMAND_BAD;
	if (source->series)
		claim_facts_add_series(facts, source->series, &source->trace);
	if (!books)
		return COMMAND_DONE;
	result = ledger_event_each(books->ledger, add_event, facts, &error);
	if (result == -ENOBUFS)
		say_error("claim", "more than %d events are on record; only the first are looked at", CLAIM_EVENTS_MAX);
	return result == 0 || result == -ENOBUFS ? COMMAND_DONE : books_refuse(books, result, &error);
}
