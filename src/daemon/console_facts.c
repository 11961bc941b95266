/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's pages show, as JSON made of the record (tell/console_html.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console_site.h"
#include "record/components.h"
#include "record/console_audit.h"
#include "record/outages.h"
#include "record/statement_facts.h"
#include "tell/build.h"
#include "tell/facts.h"

#define HUNDREDTHS 100 /* of a per cent */

struct gathering {
	struct build build;
	json_t *root, *list;
	struct ledger *ledger;
	struct record_error *error;
	int64_t now_ns;
	uint64_t thread;
	uint64_t incident;
	uint32_t skip; /* older ones are left out */
};

static json_t *moment(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns ? json_string(time_format((struct capture_time){ ns }, text)) : json_null();
}

static json_t *words(const char *text)
{
	return build_text(text, LEDGER_TEXT_MAX);
}

static json_t *number_id(uint64_t number)
{
	char id[LEDGER_ID_SIZE];

	(void)snprintf(id, sizeof(id), "s%" PRIu64, number);
	return json_string(id);
}

static json_t *incident_id(uint64_t incident)
{
	char id[ARCHIVE_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%016" PRIx64, incident);
	return incident ? json_string(id) : json_null();
}

/* A new list of the root's. */
static void begin_list(struct gathering *g, const char *name)
{
	g->list = json_array();
	build_set(&g->build, g->root, name, g->list);
}

/* The newest stand first, and so many of them. */
static void add_newest(struct gathering *g, json_t *one)
{
	if (!one || json_array_insert_new(g->list, 0, one) != 0)
		g->build.failed = true;
	if (json_array_size(g->list) > CONSOLE_LIST_MAX)
		(void)json_array_remove(g->list, CONSOLE_LIST_MAX);
}

static int done(struct gathering *g, int result, json_t **json)
{
	if (result == 0 && g->build.failed)
		result = -ENOMEM;
	if (result == 0)
		*json = g->root;
	else
		json_decref(g->root);
	return result;
}

/* ---- overview ---- */

static int take_thread(void *context, const struct statements_thread *thread)
{
	struct gathering *g = context;

	if (thread->open)
		build_append(&g->build, g->list,
		             json_pack("{so ss so sb}", "thread", number_id(thread->thread), "last_kind",
		                       statement_kind_name(thread->last), "due", moment(thread->due_ns), "overdue",
		                       thread->due_ns <= g->now_ns));
	return 0;
}

static int take_law(void *context, const struct statement_facts_law *law)
{
	struct gathering *g = context;

	build_append(&g->build, g->list,
	             json_pack("{so ss so so sb}", "incident", incident_id(law->incident), "kind",
	                       statement_kind_name(law->kind), "due", moment(law->due_ns), "submitted",
	                       moment(law->submitted_ns), "overdue",
	                       law->submitted_ns == 0 && law->due_ns <= g->now_ns));
	return 0;
}

static int take_outage(void *context, const struct outages_outage *outage)
{
	struct gathering *g = context;
	json_t *whole = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL), *share;
	const char *cause = "";
	uint64_t most = 0;
	char id[OUTAGES_ID_SIZE];
	size_t i;

	json_array_foreach(json_object_get(json_object_get(whole, "causes"), "shares"), i, share)
	{
		if (fact_count(share, "share") > most) {
			most = fact_count(share, "share");
			cause = fact_text(share, "cause");
		}
	}
	outages_id(outage->number, id);
	add_newest(g, json_pack("{ss so so so so ss ss}", "id", id, "component", words(outage->component), "began",
	                        moment(outage->began_ns), "ended", moment(outage->ended_ns), "belief",
	                        build_integer(outage->belief / HUNDREDTHS), "published", outage->published, "cause",
	                        cause));
	json_decref(whole);
	return 0;
}

static int take_kept(void *context, const struct statement_desk_kept *kept)
{
	struct gathering *g = context;

	add_newest(g, json_pack("{ss so ss ss ss so so}", "id", kept->row.id, "thread", number_id(kept->row.thread),
	                        "kind", statement_kind_name(kept->row.kind), "lang", kept->row.lang, "state",
	                        statement_desk_state(kept), "title", words(statement_title(kept->json)), "made",
	                        moment(kept->row.made_ns)));
	return 0;
}

/* Where there is no archive there are no incidents. */
static void incidents(struct console_site *site, struct gathering *g)
{
	struct archive_incident *all = NULL;
	int count = archive_list(site->folder, CONSOLE_LIST_MAX, &all);

	begin_list(g, "incidents");
	for (int i = 0; i < count; i++)
		build_append(&g->build, g->list,
		             json_pack("{so so so so so so}", "id", incident_id(all[i].id), "vector",
		                       words(all[i].vector), "target", words(all[i].target), "service",
		                       words(all[i].service), "began", moment(all[i].began_ns), "ended",
		                       moment(all[i].ended_ns)));
	free(all);
}

int console_facts_overview(struct console_site *site, struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = site->now_ns(site->context) };
	int result;

	begin_list(&g, "threads");
	result = statements_thread_each(ledger, take_thread, &g, error);
	begin_list(&g, "laws");
	if (result == 0)
		result = statement_facts_law_each(ledger, take_law, &g, error);
	begin_list(&g, "outages");
	if (result == 0)
		result = outages_each(ledger, NULL, take_outage, &g, error);
	begin_list(&g, "statements");
	if (result == 0)
		result = statement_desk_each(ledger, take_kept, &g, error);
	incidents(site, &g);
	return done(&g, result, json);
}

int console_facts_choices(struct console_site *site, json_t **json)
{
	struct gathering g = { .root = json_object() };

	incidents(site, &g);
	return done(&g, 0, json);
}

/* ---- statements ---- */

struct mistakes {
	struct build *build;
	json_t *list;
};

static void take_mistake(void *context, size_t sentence, const char *mistake)
{
	struct mistakes *m = context;

	build_append(m->build, m->list, json_pack("{sI so}", "sentence", (json_int_t)sentence, "text", words(mistake)));
}

static json_t *acts_json(struct build *b, const struct statement_desk_acts *acts)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < acts->count; i++)
		build_append(b, list,
		             json_pack("{ss sI so so}", "act", statements_act_name(acts->list[i].act), "revision",
		                       (json_int_t)acts->list[i].revision, "by", words(acts->list[i].by), "at",
		                       moment(acts->list[i].at_ns)));
	return list;
}

/* A new reference, or NULL where memory is at an end. */
static json_t *statement_json(struct ledger *ledger, const struct statement_desk_kept *kept)
{
	struct build b = { .failed = false };
	struct mistakes mistakes = { &b, json_array() };
	struct record_error ignored = { .message = "" };
	json_t *root = json_object();
	char *text = statement_text(kept->json, !statement_kind_is_public(kept->row.kind));

	(void)statement_desk_check(ledger, kept, take_mistake, &mistakes, &ignored);
	build_set(&b, root, "id", json_string(kept->row.id));
	build_set(&b, root, "thread", number_id(kept->row.thread));
	build_set(&b, root, "revision", build_integer(kept->row.revision));
	build_set(&b, root, "sha256", json_string(kept->row.sha256));
	build_set(&b, root, "kind", json_string(statement_kind_name(kept->row.kind)));
	build_set(&b, root, "state", json_string(statement_desk_state(kept)));
	build_set(&b, root, "made", moment(kept->row.made_ns));
	build_set(&b, root, "made_by", words(kept->made_by));
	build_set(&b, root, "approvals", json_integer(statement_desk_approvals(kept)));
	build_set(&b, root, "approvals_wanted", json_integer(statement_desk_approvals_wanted(kept)));
	build_set(&b, root, "public", json_boolean(statement_kind_is_public(kept->row.kind)));
	build_set(&b, root, "text", text ? json_string(text) : NULL);
	build_set(&b, root, "acts", acts_json(&b, &kept->acts));
	build_set(&b, root, "mistakes", mistakes.list);
	build_set(&b, root, "statement", json_deep_copy(kept->json));
	free(text);
	if (!b.failed)
		return root;
	json_decref(root);
	return NULL;
}

int console_facts_statement(struct ledger *ledger, const char *id, json_t **json, struct record_error *error)
{
	struct statement_desk_kept kept = { .json = NULL };
	uint64_t number = statements_number(id);
	int result = number ? statement_desk_find(ledger, number, &kept, error) : -ENOENT;

	if (result == 0) {
		*json = statement_json(ledger, &kept);
		result = *json ? 0 : -ENOMEM;
	}
	statement_desk_free(&kept);
	return result;
}

static int take_of_thread(void *context, const struct statement_desk_kept *kept)
{
	struct gathering *g = context;

	if (kept->row.thread != g->thread)
		return 0;
	if (kept->row.incident)
		g->incident = kept->row.incident;
	add_newest(g, statement_json(g->ledger, kept));
	return 0;
}

/* When the machine recognised it, which is all that it knows of people's knowing. */
static int64_t detected(const char *folder, uint64_t incident)
{
	size_t length, inside_length, i;
	const char *inside;
	char *text = NULL, id[ARCHIVE_ID_SIZE];
	struct capture_time time = { 0 };
	json_t *analysis = NULL, *one;

	(void)snprintf(id, sizeof(id), "%016" PRIx64, incident);
	if (archive_read(folder, incident, &text, &length, &inside, &inside_length) == 0)
		analysis = json_loadb(inside, inside_length, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	json_array_foreach(json_object_get(analysis, "incidents"), i, one)
	{
		if (strcmp(fact_text(one, "id"), id) == 0)
			(void)fact_time(one, "detected", &time);
	}
	json_decref(analysis);
	return time.ns;
}

int console_facts_matter(struct console_site *site, struct ledger *ledger, const char *id, json_t **json,
                         struct record_error *error)
{
	struct gathering g = {
		.root = json_object(), .ledger = ledger, .error = error, .thread = statements_number(id)
	};
	json_t *aware = NULL;
	int result;

	build_set(&g.build, g.root, "thread", number_id(g.thread));
	begin_list(&g, "statements");
	result = statement_desk_each(ledger, take_of_thread, &g, error);
	if (result == 0 && json_array_size(g.list) == 0)
		result = -ENOENT;
	if (result == 0)
		result = statement_facts_aware(ledger, g.incident, &aware, error);
	if (result == 0) {
		build_set(&g.build, g.root, "incident", incident_id(g.incident));
		build_set(&g.build, g.root, "aware", aware);
		build_set(&g.build, g.root, "suggested", moment(g.incident ? detected(site->folder, g.incident) : 0));
	}
	return done(&g, result, json);
}

/* ---- components, events, audit ---- */

static int take_component(void *context, const struct component *component)
{
	struct gathering *g = context;
	const char *name = component->name[LANGUAGE_EN];

	if (!*name)
		name = *component->name[LANGUAGE_FR] ? component->name[LANGUAGE_FR] : component->id;
	if (!component->is_group)
		build_append(&g->build, g->list, json_pack("{ss so}", "id", component->id, "name", words(name)));
	return 0;
}

/* A state takes the place of all that was said before of that time and what follows: the last that has begun counts. */
static int take_state(void *context, const struct component_state *state)
{
	struct gathering *g = context;
	json_t *one;
	size_t i;

	json_array_foreach(g->list, i, one)
	{
		if (state->since_ns <= g->now_ns && strcmp(fact_text(one, "id"), state->component) == 0)
			build_set(&g->build, one, "status", json_string(component_status_name(state->status)));
	}
	return 0;
}

int console_facts_components(struct ledger *ledger, int64_t now_ns, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns };
	int result;

	begin_list(&g, "components");
	result = component_each(ledger, false, take_component, &g, error);
	if (result == 0)
		result = component_state_each(ledger, NULL, take_state, &g, error);
	return done(&g, result, json);
}

static int take_event(void *context, const struct ledger_event *event)
{
	add_newest(context,
	           json_pack("{ss ss so so so}", "id", event->id, "kind", ledger_event_kind_name(event->kind), "began",
	                     moment(event->began_ns), "ended", moment(event->ended_ns), "text", words(event->text)));
	return 0;
}

int console_facts_events(struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object() };

	begin_list(&g, "events");
	return done(&g, ledger_event_each(ledger, take_event, &g, error), json);
}

static int take_audit(void *context, const struct console_audit *row)
{
	struct gathering *g = context;

	build_append(&g->build, g->list,
	             json_pack("{so so ss ss so sI ss so}", "at", moment(row->at_ns), "who", words(row->who), "role",
	                       row->role, "what", row->what, "object", words(row->object), "revision",
	                       (json_int_t)row->revision, "outcome", row->outcome, "message", words(row->message)));
	return 0;
}

int console_facts_audit(struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object() };

	begin_list(&g, "audit");
	return done(&g, console_audit_each(ledger, CONSOLE_AUDIT_MAX, take_audit, &g, error), json);
}
