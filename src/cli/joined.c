/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/joined.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "detect/incident_id.h"
#include "detect/vector.h"
#include "impact/surge.h"
#include "record/archive.h"
#include "record/outages.h"
#include "record/statements.h"
#include "tell/harm_json.h"

#define SAID_LATE_NS (2 * 3600 * NS_PER_S) /* what is said so long after all is over is still shown */

struct making {
	const struct joined_source *source;
	struct picture *picture; /* NULL: only the time is sought */
	int64_t from_ns, to_ns;
	int64_t until_ns; /* what was said later is not sought */
	uint64_t incident;
	struct record_error *error;
	/* Of one component: what is usual. */
	struct surge *surge;
	int64_t bucket; /* that is summed up; -1: none */
	uint64_t count;
};

/* ---- outages ---- */

static int64_t end_of(const struct making *m, int64_t ended_ns)
{
	return ended_ns ? ended_ns : m->source->now_ns;
}

static int read_harm(const struct outages_outage *outage, struct harm *harm)
{
	char error[HARM_JSON_ERROR_SIZE];
	json_t *json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	int result = json ? harm_json_read(json, harm, error) : -EBADMSG;

	json_decref(json);
	return result;
}

static int take_outage(void *context, const struct outages_outage *outage)
{
	struct making *m = context;
	char id[OUTAGES_ID_SIZE];
	struct harm *harm;

	if (m->picture &&
	    (outage->began_ns >= picture_end(m->picture) || end_of(m, outage->ended_ns) <= m->picture->from_ns))
		return 0;
	harm = malloc(sizeof(*harm));
	if (!harm)
		return -ENOMEM;
	if (read_harm(outage, harm) == 0) { /* one that cannot be read is said by who lists them */
		bool ours = (m->incident && harm->incident == m->incident) ||
		            (outage->began_ns < m->to_ns && end_of(m, outage->ended_ns) > m->from_ns);

		outages_id(outage->number, id);
		if (m->picture) {
			picture_outage(m->picture, id, harm);
		} else if (ours) {
			m->from_ns = outage->began_ns < m->from_ns ? outage->began_ns : m->from_ns;
			m->to_ns = end_of(m, outage->ended_ns) > m->to_ns ? end_of(m, outage->ended_ns) : m->to_ns;
		}
	}
	free(harm);
	return 0;
}

/* ---- attacks ---- */

static bool is_attack(const struct archive_incident *incident)
{
	return strcmp(incident->vector, "scan") != 0;
}

static int64_t over(const struct making *m, const struct archive_incident *incident)
{
	if (incident->ended_ns)
		return incident->ended_ns;
	return incident->state == ARCHIVE_OPEN ? m->source->now_ns : incident->began_ns;
}

static void read_series(const struct making *m, const struct archive_incident *incident)
{
	struct series *series = malloc(sizeof(*series));
	size_t length, analysis_length;
	const char *analysis;
	char *text;
	json_t *json;

	if (series && archive_read(m->source->folder, incident->id, &text, &length, &analysis, &analysis_length) == 0) {
		json = json_loadb(analysis, analysis_length, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
		if (series_read(json_object_get(json_object_get(json, "live"), "series"), series))
			picture_series(m->picture, series);
		json_decref(json);
		free(text);
	}
	free(series);
}

/* As people call it; a name that this program does not know stays. */
static const char *title_of(const char *vector)
{
	for (size_t i = 0; i < vector_count(); i++)
		if (strcmp(vector_get((uint8_t)i)->name, vector) == 0)
			return vector_get((uint8_t)i)->title;
	return vector;
}

/* Without the archive there is a picture all the same. */
static void take_attacks(struct making *m)
{
	struct archive_incident *incidents = NULL;
	int count = m->source->folder ? archive_list(m->source->folder, ARCHIVE_INCIDENTS_MAX, &incidents) : 0;

	for (int i = 0; i < count; i++) {
		struct picture_attack attack = { .from_ns = incidents[i].began_ns, .to_ns = over(m, &incidents[i]) };

		if (!is_attack(&incidents[i]) || attack.from_ns >= picture_end(m->picture) ||
		    attack.to_ns < m->picture->from_ns)
			continue;
		incident_id_format(incidents[i].id, attack.id);
		(void)snprintf(attack.vector, sizeof(attack.vector), "%.*s", (int)sizeof(attack.vector) - 1,
		               title_of(incidents[i].vector));
		picture_attack(m->picture, &attack);
		read_series(m, &incidents[i]);
	}
	free(incidents);
}

/* ---- counts, and what is usual ---- */

static int take_report(void *context, const struct report_count *count)
{
	picture_report(((struct making *)context)->picture, count);
	return 0;
}

static int take_signal(void *context, const struct signal_count *count)
{
	picture_signal(((struct making *)context)->picture, count);
	return 0;
}

static void feed(struct making *m, int64_t bucket, uint64_t count)
{
	(void)surge_add(m->surge, bucket, count < UINT32_MAX ? (uint32_t)count : UINT32_MAX);
	picture_usual(m->picture, m->surge->component, bucket * COUNT_BUCKET_NS, &m->surge->usual);
}

/* What was summed up, and nothing from then up to `bucket`. */
static void feed_up_to(struct making *m, int64_t bucket)
{
	if (m->bucket >= 0)
		feed(m, m->bucket, m->count);
	while (m->bucket >= 0 && m->surge->bucket + 1 < bucket)
		feed(m, m->surge->bucket + 1, 0);
}

static int sum_up(void *context, const struct report_count *count)
{
	struct making *m = context;
	int64_t bucket = count->bucket_ns / COUNT_BUCKET_NS;

	if (bucket != m->bucket) {
		feed_up_to(m, bucket);
		m->bucket = bucket;
		m->count = 0;
	}
	m->count += count->accepted;
	return 0;
}

/* As the detector knows it, which goes through the same counts. */
static int take_usual(struct making *m, const char *component)
{
	int64_t end =
		count_bucket(picture_end(m->picture) < m->source->now_ns ? picture_end(m->picture) : m->source->now_ns);
	int result;

	surge_init(m->surge, component, 1);
	m->bucket = -1;
	result = outages_report_each(m->source->ledger, component, 0, end, sum_up, m, m->error);
	if (result == 0)
		feed_up_to(m, end / COUNT_BUCKET_NS);
	return result;
}

static int take_counts(struct making *m)
{
	const struct picture *p = m->picture;
	struct ledger *ledger = m->source->ledger;
	int result = outages_report_each(ledger, NULL, p->from_ns, picture_end(p), take_report, m, m->error);

	if (result == 0)
		result = outages_signal_each(ledger, NULL, p->from_ns, picture_end(p), take_signal, m, m->error);
	m->surge = malloc(sizeof(*m->surge));
	if (!m->surge)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->lanes_count && result == 0; i++)
		if (p->lanes[i].kind == PICTURE_REPORTS) {
			char component[COMPONENT_ID_SIZE];

			memcpy(component, p->lanes[i].component, sizeof(component));
			result = take_usual(m, component);
		}
	free(m->surge);
	return result;
}

/* ---- what else happened, what was said ---- */

static int take_event(void *context, const struct ledger_event *event)
{
	static const enum picture_mark_kind kinds[LEDGER_EVENT_KINDS] = {
		[LEDGER_OWN_CHANGE] = PICTURE_OWN_CHANGE,
		[LEDGER_PROVIDER] = PICTURE_PROVIDER,
		[LEDGER_MAINTENANCE] = PICTURE_MAINTENANCE,
	};
	struct making *m = context;
	struct picture_mark mark = { .kind = kinds[event->kind],
		                     .at_ns = event->began_ns,
		                     .to_ns = event->ended_ns ? event->ended_ns : event->began_ns };

	(void)snprintf(mark.id, sizeof(mark.id), "%s", event->id);
	(void)snprintf(mark.text, sizeof(mark.text), "%.*s", (int)sizeof(mark.text) - 1, event->text);
	picture_mark(m->picture, &mark);
	return 0;
}

/* What says the same in another language is one mark with it. */
static bool add_language(struct picture *picture, const struct statements_published *one)
{
	json_t *json = json_loads(one->json, JSON_REJECT_DUPLICATES, NULL);
	char first[PICTURE_ID_SIZE];
	int length = snprintf(first, sizeof(first), "%s (", statement_translates(json));
	bool found = false;

	for (uint32_t i = 0; i < picture->marks_count && length > 2 && !found; i++) {
		struct picture_mark *mark = &picture->marks[i];
		size_t end = strlen(mark->id);

		found = mark->kind == PICTURE_STATEMENT && strncmp(mark->id, first, (size_t)length) == 0;
		if (found && end + strlen(one->lang) + 3 <= sizeof(mark->id))
			(void)snprintf(mark->id + end - 1, sizeof(mark->id) - end + 1, ", %s)", one->lang);
	}
	json_decref(json);
	return found;
}

static int take_statement(void *context, const struct statements_published *one)
{
	struct making *m = context;
	struct picture_mark mark = { .kind = PICTURE_STATEMENT,
		                     .at_ns = one->published_ns,
		                     .to_ns = one->published_ns };

	if (!statement_kind_is_public(one->kind))
		return 0;
	if (m->picture && add_language(m->picture, one))
		return 0;
	if (!m->picture) {
		if (one->published_ns > m->to_ns && one->published_ns < m->until_ns)
			m->to_ns = one->published_ns;
		return 0;
	}
	(void)snprintf(mark.id, sizeof(mark.id), "%.*s (%s)", (int)sizeof(one->id) - 1, one->id, one->lang);
	(void)snprintf(mark.text, sizeof(mark.text), "%.*s%s", (int)sizeof(mark.text) - 32, one->title,
	               one->withdrawn_ns    ? " (withdrawn)"
	               : one->superseded_by ? " (corrected since)"
	                                    : "");
	picture_mark(m->picture, &mark);
	return 0;
}

/* ---- the whole ---- */

int joined_make(const struct joined_source *source, int64_t from_ns, int64_t to_ns, uint64_t incident,
                struct picture **picture, struct record_error *error)
{
	struct making m = {
		.source = source, .from_ns = from_ns, .to_ns = to_ns, .incident = incident, .error = error
	};
	struct picture *made;
	int result = outages_each(source->ledger, NULL, take_outage, &m, error);

	m.until_ns = m.to_ns + SAID_LATE_NS;
	if (result == 0)
		result = statements_published_each(source->ledger, take_statement, &m, error);
	if (result != 0)
		return result;
	made = malloc(sizeof(*made));
	if (!made)
		return -ENOMEM;
	picture_init(made, m.from_ns, m.to_ns);
	m.picture = made;
	take_attacks(&m);
	result = take_counts(&m);
	if (result == 0)
		result = outages_each(source->ledger, NULL, take_outage, &m, error);
	if (result == 0)
		result = ledger_event_each(source->ledger, take_event, &m, error);
	if (result == 0)
		result = statements_published_each(source->ledger, take_statement, &m, error);
	if (result == 0)
		*picture = made;
	else
		free(made);
	return result;
}
