/* SPDX-License-Identifier: Apache-2.0 */
#include "record/statement_facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "detect/incident_id.h"
#include "record/components.h"
#include "record/ledger_inside.h"
#include "record/outages.h"
#include "record/statement_desk.h"
#include "tell/build.h"
#include "tell/facts.h"
#include "tell/statement.h"

#define OUTAGES_MAX 8 /* that overlap it: smaller ones are not told */
#define EVENTS_MAX 64 /* that overlap it: more are not told */
#define LIST_MAX 256  /* incidents of the time */
#define SAID_MAX 256  /* statements */

static json_t *word(const char *text)
{
	return text && *text ? build_text(text, STATEMENT_TEXT_MAX) : json_null();
}

/* ---- what the operator says; what is not said now was said before, in the same thread ---- */

static const char *const component_words[LANGUAGES] = { "component", "component_fr" };

/* A component of the page, by its ID. */
struct named {
	const char *id;
	bool found;
	char names[LANGUAGES]
		  [STATEMENT_NAME_MAX + 1]; /* where it has none in a language that of another; else the ID */
};

static int take_names(void *context, const struct component *component)
{
	struct named *named = context;

	if (strcmp(component->id, named->id) != 0)
		return 0;
	named->found = true;
	for (unsigned language = 0; language < LANGUAGES; language++) {
		const char *name = component->name[language];

		for (unsigned other = 0; other < LANGUAGES && !(name && *name); other++)
			name = component->name[other];
		(void)snprintf(named->names[language], sizeof(named->names[language]), "%s",
		               name && *name && strlen(name) <= STATEMENT_NAME_MAX ? name : component->id);
	}
	return 0;
}

/*
 * What is concerned, as people know it. By ID it is found on the page, and has its name there: so a thread goes on by
 * the ID.
 */
static int put_component(struct ledger *ledger, struct build *b, const struct statement_facts_asked *asked,
                         json_t *words, struct record_error *error)
{
	bool said = asked->component && *asked->component;
	const char *before = json_string_value(json_object_get(asked->inherited, "component_id"));
	struct named named = { .id = said ? asked->component : before };
	int result = named.id ? component_each(ledger, false, take_names, &named, error) : 0;

	if (result != 0)
		return result;
	for (unsigned language = 0; language < LANGUAGES; language++) {
		json_t *inherited = json_object_get(asked->inherited, component_words[language]), *name;

		if (named.found)
			name = json_string(named.names[language]);
		else
			name = said || !inherited ? word(asked->component) : json_incref(inherited);
		build_set(b, words, component_words[language], name);
	}
	build_set(b, words, "component_id", named.found ? json_string(named.id) : json_null());
	return 0;
}

static json_t *words_json(struct build *b, const struct statement_facts_asked *asked)
{
	static const char *const kept[] = { "since", "until" };
	json_t *words = json_object(), *before;

	build_set(b, words, "since", build_time_or_null(asked->since.ns));
	build_set(b, words, "until", build_time_or_null(asked->until.ns));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		before = json_object_get(asked->inherited, kept[i]);
		if (json_is_null(json_object_get(words, kept[i])) && before)
			build_set(b, words, kept[i], json_incref(before));
	}
	build_set(b, words, "text", word(asked->text));
	if (asked->phase != STATEMENT_AS_BEFORE)
		build_set(b, words, "phase", json_string(statement_phase_name(asked->phase)));
	build_set(b, words, "next_update", build_time_or_null(asked->next.ns));
	build_set(b, words, "by", word(asked->by));
	return words;
}

/* ---- what else happened ---- */

struct window {
	int64_t from_ns, to_ns;
	json_t *list;
	struct build *build;
	const struct statement_facts_asked *asked;
};

static int take_event(void *context, const struct ledger_event *event)
{
	static const char *const words[LEDGER_EVENT_KINDS] = {
		[LEDGER_OWN_CHANGE] = "change", [LEDGER_PROVIDER] = "provider", [LEDGER_MAINTENANCE] = "maintenance"
	};
	struct window *w = context;

	if (event->began_ns > w->to_ns || (event->ended_ns && event->ended_ns < w->from_ns) ||
	    json_array_size(w->list) == EVENTS_MAX)
		return 0;
	build_append(w->build, w->list,
	             json_pack("{ss ss so so so}", "id", event->id, "kind", words[event->kind], "began",
	                       build_time_or_null(event->began_ns), "ended", build_time_or_null(event->ended_ns),
	                       "text", build_text(event->text, LEDGER_TEXT_MAX)));
	return 0;
}

/* IDs of incidents of the archive in that time; null where there is none to ask. */
static json_t *incidents_json(struct build *b, const struct window *w)
{
	char id[INCIDENT_ID_SIZE];
	struct archive_incident *all = NULL;
	json_t *list;
	int count = -ENOENT;

	if (w->asked->folder)
		count = archive_list(w->asked->folder, LIST_MAX, &all);
	if (count < 0)
		return json_null();
	list = json_array();
	for (int i = 0; i < count; i++) {
		if (strcmp(all[i].vector, "scan") == 0 || all[i].began_ns > w->to_ns ||
		    (all[i].ended_ns && all[i].ended_ns < w->from_ns))
			continue;
		incident_id_format(all[i].id, id);
		build_append(b, list, json_string(id));
	}
	free(all);
	return list;
}

/* ---- what users felt ---- */

/* The largest first. */
static int take_outage(void *context, const struct outages_outage *outage)
{
	struct window *w = context;
	json_t *json, *other;
	size_t at;

	if (outage->began_ns > w->to_ns || (outage->ended_ns && outage->ended_ns < w->from_ns))
		return 0;
	json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return 0;
	}
	build_set(w->build, json, "number", build_integer(outage->number));
	json_array_foreach(w->list, at, other)
	{
		if (fact_count(json_object_get(other, "outage"), "excess") < outage->excess)
			break;
	}
	if (json_array_insert_new(w->list, at, json) != 0)
		w->build->failed = true;
	if (json_array_size(w->list) > OUTAGES_MAX)
		(void)json_array_remove(w->list, OUTAGES_MAX);
	return 0;
}

/* ---- what was said of it ---- */

struct claims {
	const struct statement_facts_asked *asked;
	struct build *build;
	json_t *list;
	const char *verdict;
	char latest[64];
	int64_t tested_ns;
};

static int take_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct claims *c = context;

	(void)snprintf(c->latest, sizeof(c->latest), "%s", verdict->verdict);
	c->tested_ns = verdict->at_ns;
	return 0;
}

static int take_claim(void *context, const struct ledger_claim *claim)
{
	struct claims *c = context;

	build_append(c->build, c->list,
	             json_pack("{ss so so so so so}", "id", claim->id, "by", build_text(claim->by, LEDGER_TEXT_MAX),
	                       "text", build_text(claim->text, LEDGER_TEXT_MAX), "predicate",
	                       build_text(claim->predicate, LEDGER_TEXT_MAX), "verdict",
	                       *c->latest ? json_string(c->latest) : json_null(), "tested",
	                       build_time_or_null(c->tested_ns)));
	return 0;
}

static int claims_json(struct ledger *ledger, const struct statement_facts_asked *asked, struct build *b, json_t **list,
                       struct record_error *error)
{
	struct claims claims = { .asked = asked, .build = b, .list = json_array(), .latest = "" };
	char message[96];
	int result = 0;

	if (asked->claim) {
		result = ledger_verdict_each(ledger, asked->claim, take_verdict, &claims, error);
		if (result == 0)
			result = ledger_claim_find(ledger, asked->claim, take_claim, &claims, error);
	}
	*list = claims.list;
	if (result == -ENOENT) {
		(void)snprintf(message, sizeof(message), "there is no claim %.60s", asked->claim);
		return ledger_refuse(error, result, message, "'holdfast claim list' lists them");
	}
	return result;
}

struct said {
	const struct statement_facts_asked *asked;
	struct build *build;
	json_t *list, *corrected;
};

static int take_said(void *context, const struct statements_published *one)
{
	struct said *s = context;

	if (s->asked->corrects && one->number == s->asked->corrects) {
		json_decref(s->corrected);
		s->corrected = json_pack("{ss so ss}", "id", one->id, "published",
		                         build_time_or_null(one->published_ns), "sha256", one->sha256);
	}
	if (s->asked->thread && one->thread == s->asked->thread && json_array_size(s->list) < SAID_MAX)
		build_append(s->build, s->list,
		             json_pack("{ss ss so so}", "id", one->id, "kind", statement_kind_name(one->kind),
		                       "published", build_time_or_null(one->published_ns), "title",
		                       build_text(one->title, STATEMENT_TITLE_MAX)));
	return 0;
}

/* ---- awareness ---- */

struct aware {
	struct statements_awareness latest;
	char by[STATEMENT_DESK_NAME_SIZE];
	uint64_t incident;
	int64_t submitted_ns; /* of the 72 h notice */
	json_t *exempt;       /* by the kind; no members where nothing is */
};

static int take_aware(void *context, const struct statements_awareness *awareness)
{
	struct aware *a = context;

	a->latest = *awareness;
	(void)snprintf(a->by, sizeof(a->by), "%s", awareness->set_by);
	return 0;
}

/* Notices of the incident. */
struct notices {
	struct aware *aware;
	struct ledger *ledger;
	struct record_error *error;
};

static int take_submitted(void *context, const struct statements_act_row *act)
{
	int64_t *at_ns = context;

	if (act->act == STATEMENTS_SUBMITTED)
		*at_ns = act->at_ns;
	return 0;
}

static int take_notice(void *context, const struct statements_row *row)
{
	struct notices *n = context;

	if (row->kind != STATEMENT_NIS2_72H || row->incident != n->aware->incident)
		return 0;
	return statements_act_each(n->ledger, row->number, take_submitted, &n->aware->submitted_ns, n->error);
}

static int take_exempt(void *context, const struct statements_exemption *exemption)
{
	const struct aware *a = context;
	const char *kind = statement_kind_name(exemption->kind);

	if (!exemption->exempt) {
		(void)json_object_del(a->exempt, kind);
		return 0;
	}
	return json_object_set_new(a->exempt, kind,
	                           json_pack("{so so so}", "at", build_time_or_null(exemption->set_ns), "by",
	                                     build_text(exemption->set_by, STATEMENT_DESK_NAME_SIZE), "why",
	                                     build_text(exemption->why, LEDGER_TEXT_MAX))) == 0
	               ? 0
	               : -ENOMEM;
}

int statement_facts_aware(struct ledger *ledger, uint64_t incident, json_t **aware, struct record_error *error)
{
	struct aware a = { .incident = incident, .exempt = json_object() };
	struct notices notices = { &a, ledger, error };
	struct build b = { .failed = false };
	json_t *due;
	int result = statements_awareness_each(ledger, incident, take_aware, &a, error);

	*aware = json_null();
	if (result == 0)
		result = statements_latest_each(ledger, take_notice, &notices, error);
	if (result == 0 && incident != 0)
		result = statements_exemption_each(ledger, incident, take_exempt, &a, error);
	if (result != 0 || incident == 0 || a.latest.aware_ns == 0) {
		json_decref(a.exempt);
		return result;
	}
	due = json_object();
	for (unsigned kind = STATEMENT_NIS2_24H; kind < STATEMENT_KINDS; kind++)
		build_set(&b, due, statement_kind_name((enum statement_kind)kind),
		          build_time_or_null(statement_due((enum statement_kind)kind,
		                                           (struct capture_time){ a.latest.aware_ns },
		                                           (struct capture_time){ a.submitted_ns })
		                                     .ns));
	*aware = json_pack("{so so so so}", "at", build_time_or_null(a.latest.aware_ns), "by",
	                   build_text(a.by, STATEMENT_DESK_NAME_SIZE), "set", build_time_or_null(a.latest.set_ns),
	                   "due", due);
	if (json_object_size(a.exempt))
		build_set(&b, *aware, "exempt", json_incref(a.exempt));
	json_decref(a.exempt);
	if (*aware && !b.failed)
		return 0;
	json_decref(*aware);
	*aware = NULL;
	return ledger_refuse(error, -ENOMEM, "there is no memory", "");
}

/* ---- what the law asks for ---- */

struct naming {
	const char *name;
	uint64_t found; /* 0: none yet */
	bool several;
};

static int take_named(void *context, const struct statements_awareness *awareness)
{
	struct naming *n = context;
	char id[INCIDENT_ID_SIZE];

	incident_id_format(awareness->incident, id);
	if (strncmp(id, n->name, strlen(n->name)) != 0)
		return 0;
	n->several = n->several || (n->found && n->found != awareness->incident);
	n->found = awareness->incident;
	return 0;
}

int statement_facts_known_find(struct ledger *ledger, const char *name, uint64_t *incident, struct record_error *error)
{
	struct naming naming = { .name = name };
	int result = *name ? statements_awareness_each(ledger, 0, take_named, &naming, error) : -ENOENT;

	if (result != 0)
		return result;
	if (naming.found == 0 || naming.several)
		return -ENOENT;
	*incident = naming.found;
	return 0;
}

/*
 * Incidents of which awareness was noted, each once: since when by the latest word, which reports on it were handed in,
 * and which are not needed.
 */
struct known {
	struct known_incident {
		uint64_t incident;
		int64_t aware_ns, submitted_ns[STATEMENT_KINDS];
		struct known_exemption {
			int64_t at_ns; /* 0: there is none */
			char by[STATEMENT_DESK_NAME_SIZE];
			char *why; /* ours */
		} exempt[STATEMENT_KINDS];
	} * list;
	size_t count, room;
	struct ledger *ledger;
	struct record_error *error;
};

static struct known_incident *find_known(const struct known *k, uint64_t incident)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->list[i].incident == incident)
			return &k->list[i];
	return NULL;
}

static int take_known(void *context, const struct statements_awareness *awareness)
{
	struct known *k = context;
	struct known_incident *found = find_known(k, awareness->incident);

	if (!found && k->count == k->room) {
		size_t room = k->room ? 2 * k->room : 16;
		struct known_incident *list = realloc(k->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		k->list = list;
		k->room = room;
	}
	if (!found) {
		found = &k->list[k->count++];
		*found = (struct known_incident){ .incident = awareness->incident };
	}
	found->aware_ns = awareness->aware_ns;
	return 0;
}

static int take_report(void *context, const struct statements_row *row)
{
	const struct known *k = context;
	struct known_incident *found = statement_kind_is_public(row->kind) ? NULL : find_known(k, row->incident);

	return found ? statements_act_each(k->ledger, row->number, take_submitted, &found->submitted_ns[row->kind],
	                                   k->error)
	             : 0;
}

static int take_known_exemption(void *context, const struct statements_exemption *exemption)
{
	struct known_incident *found = find_known(context, exemption->incident);
	struct known_exemption *kept = found ? &found->exempt[exemption->kind] : NULL;

	if (!kept)
		return 0;
	free(kept->why);
	*kept = (struct known_exemption){ .at_ns = 0 };
	if (!exemption->exempt)
		return 0;
	kept->at_ns = exemption->set_ns;
	(void)snprintf(kept->by, sizeof(kept->by), "%s", exemption->set_by);
	kept->why = strdup(exemption->why);
	return kept->why ? 0 : -ENOMEM;
}

static int tell_laws(const struct known_incident *known,
                     int (*each)(void *context, const struct statement_facts_law *law), void *context)
{
	struct capture_time aware = { known->aware_ns }, notice = { known->submitted_ns[STATEMENT_NIS2_72H] };
	int result = 0;

	for (unsigned kind = STATEMENT_NIS2_24H; result == 0 && kind < STATEMENT_KINDS; kind++) {
		struct capture_time due = statement_due((enum statement_kind)kind, aware, notice);
		const struct known_exemption *exempt = &known->exempt[kind];
		struct statement_facts_law law = { .incident = known->incident,
			                           .kind = (enum statement_kind)kind,
			                           .due_ns = due.ns,
			                           .submitted_ns = known->submitted_ns[kind],
			                           .exempt_ns = exempt->at_ns,
			                           .exempt_by = exempt->by,
			                           .why = exempt->why ? exempt->why : "" };

		if (due.ns)
			result = each(context, &law);
	}
	return result;
}

bool statement_facts_law_is_open(const struct statement_facts_law *law)
{
	return law->submitted_ns == 0 && law->exempt_ns == 0;
}

int statement_facts_law_each(struct ledger *ledger, int (*each)(void *context, const struct statement_facts_law *law),
                             void *context, struct record_error *error)
{
	struct known known = { .ledger = ledger, .error = error };
	int result = statements_awareness_each(ledger, 0, take_known, &known, error);

	if (result == 0 && known.count)
		result = statements_latest_each(ledger, take_report, &known, error);
	if (result == 0 && known.count)
		result = statements_exemption_each(ledger, 0, take_known_exemption, &known, error);
	for (size_t i = 0; i < known.count && result == 0; i++)
		result = tell_laws(&known.list[i], each, context);
	for (size_t i = 0; i < known.count; i++)
		for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++)
			free(known.list[i].exempt[kind].why);
	free(known.list);
	return result;
}

/* ---- the whole ---- */

static json_t *incident_json(const struct archive_incident *incident)
{
	char id[INCIDENT_ID_SIZE];

	if (!incident)
		return json_null();
	incident_id_format(incident->id, id);
	return json_pack("{ss ss so}", "id", id, "state", archive_state_name(incident->state), "service",
	                 word(incident->service));
}

/* From when to when what else happened may matter; false: nobody said. */
static bool find_window(const struct statement_facts_asked *asked, const json_t *words, struct window *w)
{
	struct capture_time since = { 0 }, until = { 0 };

	(void)fact_time(words, "since", &since);
	(void)fact_time(words, "until", &until);
	w->to_ns = asked->now.ns;
	if (asked->incident && asked->incident->ended_ns)
		w->to_ns = asked->incident->ended_ns;
	if (until.ns)
		w->to_ns = until.ns;
	w->from_ns = asked->incident ? asked->incident->began_ns : since.ns;
	if (asked->incident && since.ns && since.ns < w->from_ns)
		w->from_ns = since.ns;
	return w->from_ns != 0;
}

int statement_facts(struct ledger *ledger, const struct statement_facts_asked *asked, json_t **record,
                    struct record_error *error)
{
	struct build b = { .failed = false };
	struct said said = { .asked = asked, .build = &b, .list = json_array(), .corrected = json_null() };
	struct window window = { .asked = asked, .build = &b, .list = json_array() }, outages = window;
	json_t *root = json_object(), *words = words_json(&b, asked), *claims = NULL, *aware = NULL;
	bool known = find_window(asked, words, &window);
	int result;

	outages.list = json_array();
	build_set(&b, root, "schema", json_string("holdfast.statement-record/1"));
	build_set(&b, root, "made", build_time_or_null(asked->now.ns));
	build_set(&b, root, "incident", incident_json(asked->incident));
	build_set(&b, root, "word", words); /* which is the root's from here on */
	build_set(&b, root, "incidents_then", known && !asked->incident ? incidents_json(&b, &window) : json_null());
	window.from_ns -= STATEMENT_FACTS_BEFORE_NS;
	result = known ? ledger_event_each(ledger, take_event, &window, error) : 0;
	outages.from_ns = window.from_ns;
	outages.to_ns = window.to_ns;
	if (result == 0 && known)
		result = outages_each(ledger, NULL, take_outage, &outages, error);
	if (result == 0)
		result = put_component(ledger, &b, asked, words, error);
	if (result == 0)
		result = statements_published_each(ledger, take_said, &said, error);
	if (result == 0)
		result = claims_json(ledger, asked, &b, &claims, error);
	if (result == 0)
		result = statement_facts_aware(ledger, asked->incident ? asked->incident->id : 0, &aware, error);
	build_set(&b, root, "events", window.list);
	build_set(&b, root, "outages", outages.list);
	build_set(&b, root, "statements", said.list);
	build_set(&b, root, "corrects", said.corrected);
	if (claims)
		build_set(&b, root, "claims", claims);
	if (aware)
		build_set(&b, root, "aware", aware);
	if (result == 0 && b.failed)
		result = -ENOMEM;
	if (result == 0)
		*record = root;
	else
		json_decref(root);
	return result;
}
