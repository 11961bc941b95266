/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's pages show, as JSON made of the record (tell/console_html.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/console_gather.h"
#include "daemon/console_site.h"
#include "detect/incident_id.h"
#include "record/console_audit.h"
#include "record/outages.h"
#include "record/statement_facts.h"
#include "tell/facts.h"

#define HUNDREDTHS 100 /* of a per cent */
#define OVER_SHOWN_NS (31 * 86400 * NS_PER_S)
#define CLAIM_SHOWN 120 /* octets of what was claimed */

json_t *console_gather_words(const char *text)
{
	return build_text(text, LEDGER_TEXT_MAX);
}

static json_t *number_id(uint64_t number)
{
	char id[LEDGER_ID_SIZE];

	(void)snprintf(id, sizeof(id), "s%" PRIu64, number);
	return json_string(id);
}

void console_gather_list(struct gathering *g, const char *name)
{
	g->list = json_array();
	build_set(&g->build, g->root, name, g->list);
}

void console_gather_newest(struct gathering *g, json_t *one)
{
	if (!one || json_array_insert_new(g->list, 0, one) != 0)
		g->build.failed = true;
	if (json_array_size(g->list) > CONSOLE_LIST_MAX)
		(void)json_array_remove(g->list, CONSOLE_LIST_MAX);
}

int console_gather_done(struct gathering *g, int result, json_t **json)
{
	if (result == 0 && g->build.failed)
		result = -ENOMEM;
	if (result == 0)
		*json = g->root;
	else
		json_decref(g->root);
	return result;
}

/* ---- what is due ---- */

static int take_thread(void *context, const struct statements_thread *thread)
{
	struct gathering *g = context;

	if (thread->open)
		build_append(&g->build, g->list,
		             json_pack("{ss so so so so sb}", "of", "word", "thread", number_id(thread->thread),
		                       "after", number_id(thread->thread), "last", build_time_or_null(thread->last_ns),
		                       "due", build_time_or_null(thread->due_ns), "overdue",
		                       thread->due_ns <= g->now_ns));
	return 0;
}

static json_t *exempt_json(const struct statement_facts_law *law)
{
	return law->exempt_ns ? json_pack("{so so so}", "at", build_time_or_null(law->exempt_ns), "by",
	                                  console_gather_words(law->exempt_by), "why", console_gather_words(law->why))
	                      : json_null();
}

static int take_law(void *context, const struct statement_facts_law *law)
{
	struct gathering *g = context;

	build_append(&g->build, g->list,
	             json_pack("{ss so ss so so so sb}", "of", "law", "incident", build_incident(law->incident), "kind",
	                       statement_kind_name(law->kind), "due", build_time_or_null(law->due_ns), "submitted",
	                       build_time_or_null(law->submitted_ns), "exempt", exempt_json(law), "overdue",
	                       statement_facts_law_is_open(law) && law->due_ns <= g->now_ns));
	return 0;
}

/* Since when nobody waits for it any more; false: it is to be done. */
static bool is_over(const json_t *due, struct capture_time *since)
{
	return fact_time(due, "submitted", since) || fact_time(json_object_get(due, "exempt"), "at", since);
}

static bool is_draft(const struct statement_desk_kept *kept)
{
	return !kept->acts.published_ns && !kept->acts.submitted_ns && !kept->acts.withdrawn_ns;
}

/* How a statement has to do with what is due: the latest of a matter, a draft that is there already. */
static void relate(struct gathering *g, const struct statement_desk_kept *kept)
{
	char incident[INCIDENT_ID_SIZE], thread[LEDGER_ID_SIZE];
	json_t *one;
	size_t i;

	incident_id_format(kept->row.incident, incident);
	(void)snprintf(thread, sizeof(thread), "s%" PRIu64, kept->row.thread);
	json_array_foreach(json_object_get(g->root, "due"), i, one)
	{
		bool law = strcmp(fact_text(one, "of"), "law") == 0;

		if (law ? strcmp(fact_text(one, "incident"), incident) != 0 ||
		                    strcmp(fact_text(one, "kind"), statement_kind_name(kept->row.kind)) != 0
		        : strcmp(fact_text(one, "thread"), thread) != 0 || !statement_kind_is_public(kept->row.kind))
			continue;
		if (is_draft(kept)) {
			build_set(&g->build, one, "draft", json_string(kept->row.id));
			build_set(&g->build, one, "draft_thread", json_string(thread));
		} else if (!law && kept->acts.published_ns && !kept->acts.withdrawn_ns) {
			build_set(&g->build, one, "after", json_string(kept->row.id));
			/* What was drafted before it is of no use any more. */
			(void)json_object_del(one, "draft");
		}
	}
}

/* What the latest word of each matter is called. */
static int name_latest(struct gathering *g, struct ledger *ledger, struct record_error *error)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(g->root, "due"), i, one)
	{
		struct statement_desk_kept kept = { .json = NULL };
		uint64_t number = statements_number(fact_text(one, "after"));
		int result = number ? statement_desk_find(ledger, number, &kept, error) : -ENOENT;

		if (result == 0) {
			build_set(&g->build, one, "title", console_gather_words(statement_title(kept.json)));
			build_set(&g->build, one, "lang", json_string(kept.row.lang));
		}
		statement_desk_free(&kept);
		if (result != 0 && result != -ENOENT && result != -EBADMSG)
			return result;
	}
	return 0;
}

/* One of what is due, by what it is sorted; `place` is where it stood. */
struct urgent {
	json_t *one;
	int64_t due_ns;
	size_t place;
	bool over; /* handed in, or not needed */
};

/* What is not over first, of that what is due first, of that what stood first. */
static int by_urgency(const void *a, const void *b)
{
	const struct urgent *one = a, *other = b;

	if (one->over != other->over)
		return one->over ? 1 : -1;
	if (one->due_ns != other->due_ns)
		return one->due_ns < other->due_ns ? -1 : 1;
	return one->place < other->place ? -1 : 1;
}

/* The gathering's list, in that order. */
static void sort_due(struct gathering *g)
{
	size_t count = json_array_size(g->list), i;
	struct urgent *all = calloc(count + 1, sizeof(*all));
	json_t *one, *order = json_array();

	json_array_foreach(all ? g->list : NULL, i, one)
	{
		struct capture_time due = { 0 }, none;

		(void)fact_time(one, "due", &due);
		all[i] = (struct urgent){ one, due.ns, i, is_over(one, &none) };
	}
	if (all)
		qsort(all, count, sizeof(*all), by_urgency);
	for (i = 0; all && i < count; i++)
		build_append(&g->build, order, json_incref(all[i].one));
	if (!all || json_array_clear(g->list) != 0 || json_array_extend(g->list, order) != 0)
		g->build.failed = true;
	json_decref(order);
	free(all);
}

/* Into a new list. Which statements have to do with it is not in it yet: relate(). */
static int gather_due(struct gathering *g, struct ledger *ledger, struct record_error *error)
{
	int result;

	console_gather_list(g, "due");
	result = statements_thread_each(ledger, take_thread, g, error);
	if (result == 0)
		result = statement_facts_law_each(ledger, take_law, g, error);
	sort_due(g);
	return result;
}

int console_facts_alarm(struct ledger *ledger, int64_t now_ns, unsigned *overdue, int64_t *next_ns,
                        struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns };
	struct capture_time due, since;
	int64_t next = 0;
	unsigned late = 0;
	json_t *one;
	size_t i;
	int result;

	result = gather_due(&g, ledger, error);
	json_array_foreach(g.list, i, one)
	{
		if (is_over(one, &since) || !fact_time(one, "due", &due))
			continue;
		if (due.ns <= now_ns)
			late++;
		else if (next == 0)
			next = due.ns;
	}
	json_decref(g.root);
	if (result == 0 && g.build.failed)
		result = -ENOMEM;
	if (result == 0) {
		*overdue = late;
		*next_ns = next;
	}
	return result;
}

/* ---- overview ---- */

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
	build_append(&g->build, g->list,
	             json_pack("{ss so so so so ss ss}", "id", id, "component", console_gather_words(outage->component),
	                       "began", build_time_or_null(outage->began_ns), "ended",
	                       build_time_or_null(outage->ended_ns), "belief",
	                       build_integer(outage->belief / HUNDREDTHS), "published", outage->published, "cause",
	                       cause));
	json_decref(whole);
	return 0;
}

static int relate_each(void *context, struct statement_desk_kept *kept)
{
	relate(context, kept);
	return 0;
}

static int take_kept(void *context, struct statement_desk_kept *kept)
{
	struct gathering *g = context;

	if (!statement_desk_read(kept))
		return 0;
	build_append(&g->build, g->list,
	             json_pack("{ss so ss ss ss so so}", "id", kept->row.id, "thread", number_id(kept->row.thread),
	                       "kind", statement_kind_name(kept->row.kind), "lang", kept->row.lang, "state",
	                       statement_desk_state(kept), "title", console_gather_words(statement_title(kept->json)),
	                       "made", build_time_or_null(kept->row.made_ns)));
	return 0;
}

/* Where there is no archive there are no incidents. */
static void incidents(struct console_site *site, struct gathering *g)
{
	struct archive_incident *all = NULL;
	int count = archive_list(site->folder, CONSOLE_LIST_MAX, &all);

	console_gather_list(g, "incidents");
	for (int i = 0; i < count; i++)
		build_append(
			&g->build, g->list,
			json_pack("{so so so so so so}", "id", build_incident(all[i].id), "vector",
		                  console_gather_words(all[i].vector), "target", console_gather_words(all[i].target),
		                  "service", console_gather_words(all[i].service), "began",
		                  build_time_or_null(all[i].began_ns), "ended", build_time_or_null(all[i].ended_ns)));
	free(all);
}

/* The overview is of what is to be done: what is long over stands on its matter's page. */
static void leave_out_old(const struct gathering *g)
{
	json_t *due = json_object_get(g->root, "due");
	struct capture_time since;
	size_t i = 0;

	while (i < json_array_size(due))
		if (is_over(json_array_get(due, i), &since) && g->now_ns - since.ns > OVER_SHOWN_NS)
			(void)json_array_remove(due, i);
		else
			i++;
}

int console_facts_overview(struct console_site *site, struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = site->now_ns(site->context) };
	int result;

	result = gather_due(&g, ledger, error);
	leave_out_old(&g);
	console_gather_list(&g, "outages");
	if (result == 0)
		result = outages_newest_each(ledger, CONSOLE_LIST_MAX, take_outage, &g, error);
	if (result == 0)
		result = statement_desk_each(ledger, relate_each, &g, error);
	if (result == 0)
		result = name_latest(&g, ledger, error);
	console_gather_list(&g, "statements");
	if (result == 0)
		result = statement_desk_newest_each(ledger, CONSOLE_LIST_MAX, take_kept, &g, error);
	incidents(site, &g);
	return console_gather_done(&g, result, json);
}

static int take_claim(void *context, const struct ledger_claim *claim)
{
	console_gather_newest(context, json_pack("{ss so so}", "id", claim->id, "by", console_gather_words(claim->by),
	                                         "text", build_text(claim->text, CLAIM_SHOWN)));
	return 0;
}

int console_facts_choices(struct console_site *site, struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object() };

	incidents(site, &g);
	console_gather_list(&g, "claims");
	return console_gather_done(&g, ledger_claim_each(ledger, 0, take_claim, &g, error), json);
}

/* ---- statements ---- */

struct mistakes {
	struct build *build;
	json_t *list;
};

static void take_mistake(void *context, size_t sentence, const char *mistake)
{
	struct mistakes *m = context;

	build_append(m->build, m->list,
	             json_pack("{sI so}", "sentence", (json_int_t)sentence, "text", console_gather_words(mistake)));
}

static json_t *acts_json(struct build *b, const struct statement_desk_acts *acts)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < acts->count; i++)
		build_append(b, list,
		             json_pack("{ss sI so so}", "act", statements_act_name(acts->list[i].act), "revision",
		                       (json_int_t)acts->list[i].revision, "by", console_gather_words(acts->list[i].by),
		                       "at", build_time_or_null(acts->list[i].at_ns)));
	return list;
}

/* A new reference, or NULL where memory is at an end. */
static json_t *statement_json(struct ledger *ledger, const struct statement_desk_kept *kept)
{
	struct build b = { .failed = false };
	struct mistakes mistakes = { &b, json_array() };
	struct record_error ignored = { .message = "" };
	json_t *root = json_object();
	char *text = statement_text(kept->json, statement_audience_of(kept->row.kind));

	(void)statement_desk_check(ledger, kept, take_mistake, &mistakes, &ignored);
	build_set(&b, root, "id", json_string(kept->row.id));
	build_set(&b, root, "thread", number_id(kept->row.thread));
	build_set(&b, root, "revision", build_integer(kept->row.revision));
	build_set(&b, root, "sha256", json_string(kept->row.sha256));
	build_set(&b, root, "kind", json_string(statement_kind_name(kept->row.kind)));
	build_set(&b, root, "state", json_string(statement_desk_state(kept)));
	build_set(&b, root, "made", build_time_or_null(kept->row.made_ns));
	build_set(&b, root, "made_by", console_gather_words(kept->made_by));
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

static int take_of_thread(void *context, struct statement_desk_kept *kept)
{
	struct gathering *g = context;

	relate(g, kept);
	if (kept->row.thread != g->thread || !statement_desk_read(kept))
		return 0;
	if (kept->row.incident)
		g->incident = kept->row.incident;
	console_gather_newest(g, statement_json(g->ledger, kept));
	return 0;
}

/* When the machine recognised it, which is all that it knows of people's knowing. */
static int64_t detected(const char *folder, uint64_t incident)
{
	size_t length, inside_length, i;
	const char *inside;
	char *text = NULL, id[INCIDENT_ID_SIZE];
	struct capture_time time = { 0 };
	json_t *analysis = NULL, *one;

	incident_id_format(incident, id);
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

/* Of the list of what is due, what is of this matter. */
static void keep_own(const struct gathering *g, const char *id)
{
	json_t *due = json_object_get(g->root, "due");
	char incident[INCIDENT_ID_SIZE];
	size_t i = 0;

	incident_id_format(g->incident, incident);
	while (i < json_array_size(due)) {
		const json_t *one = json_array_get(due, i);

		if (strcmp(fact_text(one, "thread"), id) == 0 ||
		    (g->incident && strcmp(fact_text(one, "incident"), incident) == 0))
			i++;
		else
			(void)json_array_remove(due, i);
	}
}

int console_facts_matter(struct console_site *site, struct ledger *ledger, const char *id, json_t **json,
                         struct record_error *error)
{
	struct gathering g = { .root = json_object(),
		               .ledger = ledger,
		               .error = error,
		               .now_ns = site->now_ns(site->context),
		               .thread = statements_number(id) };
	json_t *aware = NULL;
	int result;

	build_set(&g.build, g.root, "thread", number_id(g.thread));
	result = gather_due(&g, ledger, error);
	console_gather_list(&g, "statements");
	if (result == 0)
		result = statement_desk_each(ledger, take_of_thread, &g, error);
	if (result == 0 && json_array_size(g.list) == 0)
		result = -ENOENT;
	keep_own(&g, id);
	if (result == 0)
		result = name_latest(&g, ledger, error);
	if (result == 0)
		result = statement_facts_aware(ledger, g.incident, &aware, error);
	if (result == 0) {
		build_set(&g.build, g.root, "incident", build_incident(g.incident));
		build_set(&g.build, g.root, "aware", aware);
		build_set(&g.build, g.root, "suggested",
		          build_time_or_null(g.incident ? detected(site->folder, g.incident) : 0));
	}
	return console_gather_done(&g, result, json);
}

int console_facts_law(struct ledger *ledger, const char *incident, const char *kind, int64_t now_ns, json_t **json,
                      struct record_error *error)
{
	struct gathering g = { .root = json_object(), .now_ns = now_ns };
	json_t *one, *found = NULL;
	size_t i;
	int result = gather_due(&g, ledger, error);

	json_array_foreach(g.list, i, one)
	{
		if (strcmp(fact_text(one, "incident"), incident) == 0 && strcmp(fact_text(one, "kind"), kind) == 0)
			found = json_incref(one);
	}
	if (result == 0 && g.build.failed)
		result = -ENOMEM;
	if (result == 0 && !found)
		result = -ENOENT;
	json_decref(g.root);
	if (result == 0)
		*json = found;
	else
		json_decref(found);
	return result;
}

/* ---- events, audit ---- */

static int take_event(void *context, const struct ledger_event *event)
{
	console_gather_newest(
		context, json_pack("{ss ss so so so}", "id", event->id, "kind", ledger_event_kind_name(event->kind),
	                           "began", build_time_or_null(event->began_ns), "ended",
	                           build_time_or_null(event->ended_ns), "text", console_gather_words(event->text)));
	return 0;
}

int console_facts_events(struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object() };

	console_gather_list(&g, "events");
	return console_gather_done(&g, ledger_event_each(ledger, take_event, &g, error), json);
}

static int take_audit(void *context, const struct console_audit *row)
{
	struct gathering *g = context;

	build_append(&g->build, g->list,
	             json_pack("{so so ss ss so sI ss so}", "at", build_time_or_null(row->at_ns), "who",
	                       console_gather_words(row->who), "role", row->role, "what", row->what, "object",
	                       console_gather_words(row->object), "revision", (json_int_t)row->revision, "outcome",
	                       row->outcome, "message", console_gather_words(row->message)));
	return 0;
}

int console_facts_audit(struct ledger *ledger, json_t **json, struct record_error *error)
{
	struct gathering g = { .root = json_object() };

	console_gather_list(&g, "audit");
	return console_gather_done(&g, console_audit_each(ledger, CONSOLE_AUDIT_MAX, take_audit, &g, error), json);
}
