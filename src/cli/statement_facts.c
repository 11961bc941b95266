/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/statement_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "cli/say.h"
#include "tell/build.h"
#include "tell/statement.h"

#define EVENTS_MAX 64 /* that overlap it: more are not told */
#define LIST_MAX 256  /* incidents of the time */
#define SAID_MAX 256  /* statements */

static json_t *moment(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns ? json_string(time_format((struct capture_time){ ns }, text)) : json_null();
}

static json_t *word(const char *text)
{
	return text && *text ? build_text(text, STATEMENT_TEXT_MAX) : json_null();
}

/* ---- what the operator says; what is not said now was said before, in the same thread ---- */

static json_t *words_json(struct build *b, const struct statement_facts_asked *asked)
{
	json_t *words = json_object(), *before;

	build_set(b, words, "since", moment(asked->since.ns));
	build_set(b, words, "until", moment(asked->until.ns));
	build_set(b, words, "component", word(asked->component));
	for (size_t i = 0; i < 3; i++) {
		static const char *const kept[] = { "since", "until", "component" };

		before = json_object_get(asked->inherited, kept[i]);
		if (json_is_null(json_object_get(words, kept[i])) && before)
			build_set(b, words, kept[i], json_incref(before));
	}
	build_set(b, words, "text", word(asked->text));
	build_set(b, words, "next_update", moment(asked->next.ns));
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
	                       moment(event->began_ns), "ended", moment(event->ended_ns), "text",
	                       build_text(event->text, LEDGER_TEXT_MAX)));
	return 0;
}

/* IDs of incidents of the archive in that time; null where there is none to ask. */
static json_t *incidents_json(struct build *b, const struct window *w)
{
	char folder[CONFIG_PATH_SIZE], id[ARCHIVE_ID_SIZE];
	struct archive_incident *all = NULL;
	json_t *list;
	int count = -ENOENT;

	if (archived_folder("statement", w->asked->config, folder) == COMMAND_DONE)
		count = archive_list(folder, LIST_MAX, &all);
	if (count < 0)
		return json_null();
	list = json_array();
	for (int i = 0; i < count; i++) {
		if (strcmp(all[i].vector, "scan") == 0 || all[i].began_ns > w->to_ns ||
		    (all[i].ended_ns && all[i].ended_ns < w->from_ns))
			continue;
		(void)snprintf(id, sizeof(id), "%016" PRIx64, all[i].id);
		build_append(b, list, json_string(id));
	}
	free(all);
	return list;
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
	                       *c->latest ? json_string(c->latest) : json_null(), "tested", moment(c->tested_ns)));
	return 0;
}

static int claims_json(struct books *books, const struct statement_facts_asked *asked, struct build *b, json_t **list)
{
	struct claims claims = { .asked = asked, .build = b, .list = json_array(), .latest = "" };
	struct record_error error = { .message = "" };
	int result = 0;

	if (asked->claim) {
		result = ledger_verdict_each(books->ledger, asked->claim, take_verdict, &claims, &error);
		if (result == 0)
			result = ledger_claim_find(books->ledger, asked->claim, take_claim, &claims, &error);
	}
	*list = claims.list;
	if (result == -ENOENT) {
		say_error("statement", "there is no claim %.60s; 'holdfast claim list' lists them", asked->claim);
		return COMMAND_BAD;
	}
	return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
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
		s->corrected = json_pack("{ss so ss}", "id", one->id, "published", moment(one->published_ns), "sha256",
		                         one->sha256);
	}
	if (s->asked->thread && one->thread == s->asked->thread && json_array_size(s->list) < SAID_MAX)
		build_append(s->build, s->list,
		             json_pack("{ss ss so so}", "id", one->id, "kind", statement_kind_name(one->kind),
		                       "published", moment(one->published_ns), "title",
		                       build_text(one->title, STATEMENT_TITLE_MAX)));
	return 0;
}

/* ---- awareness ---- */

struct aware {
	struct statements_awareness latest;
	char by[BOOKS_NAME_SIZE];
	uint64_t incident;
	int64_t submitted_ns; /* of the 72 h notice */
};

static int take_aware(void *context, const struct statements_awareness *awareness)
{
	struct aware *a = context;

	a->latest = *awareness;
	(void)snprintf(a->by, sizeof(a->by), "%s", awareness->set_by);
	return 0;
}

/* Which statement is the 72 h notice of the incident. */
struct notices {
	struct aware *aware;
	uint64_t number;
};

static int take_submitted(void *context, const struct statements_act_row *act)
{
	struct aware *a = context;

	if (act->act == STATEMENTS_SUBMITTED)
		a->submitted_ns = act->at_ns;
	return 0;
}

static int take_notice(void *context, const struct statements_row *row)
{
	struct notices *n = context;

	if (row->kind == STATEMENT_NIS2_72H && row->incident == n->aware->incident)
		n->number = row->number;
	return 0;
}

int statement_facts_aware(struct books *books, uint64_t incident, json_t **aware)
{
	struct aware a = { .incident = incident };
	struct notices notices = { .aware = &a };
	struct record_error error = { .message = "" };
	struct build b = { .failed = false };
	json_t *due;
	int result = statements_awareness_each(books->ledger, incident, take_aware, &a, &error);

	*aware = json_null();
	if (result == 0)
		result = statements_latest_each(books->ledger, take_notice, &notices, &error);
	if (result == 0 && notices.number)
		result = statements_act_each(books->ledger, notices.number, take_submitted, &a, &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	if (incident == 0 || a.latest.aware_ns == 0)
		return COMMAND_DONE;
	due = json_object();
	for (unsigned kind = STATEMENT_NIS2_24H; kind < STATEMENT_KINDS; kind++)
		build_set(&b, due, statement_kind_name((enum statement_kind)kind),
		          moment(statement_due((enum statement_kind)kind, (struct capture_time){ a.latest.aware_ns },
		                               (struct capture_time){ a.submitted_ns })
		                         .ns));
	*aware = json_pack("{so so so so}", "at", moment(a.latest.aware_ns), "by", build_text(a.by, BOOKS_NAME_SIZE),
	                   "set", moment(a.latest.set_ns), "due", due);
	return COMMAND_DONE;
}

/* ---- the whole ---- */

static json_t *incident_json(const struct archive_incident *incident)
{
	char id[ARCHIVE_ID_SIZE];

	if (!incident)
		return json_null();
	(void)snprintf(id, sizeof(id), "%016" PRIx64, incident->id);
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

int statement_facts(struct books *books, const struct statement_facts_asked *asked, json_t **record)
{
	struct build b = { .failed = false };
	struct record_error error = { .message = "" };
	struct said said = { .asked = asked, .build = &b, .list = json_array(), .corrected = json_null() };
	struct window window = { .asked = asked, .build = &b, .list = json_array() };
	json_t *root = json_object(), *words = words_json(&b, asked), *claims = NULL, *aware = NULL;
	bool known = find_window(asked, words, &window);
	int status, result;

	build_set(&b, root, "schema", json_string("holdfast.statement-record/1"));
	build_set(&b, root, "made", moment(asked->now.ns));
	build_set(&b, root, "incident", incident_json(asked->incident));
	build_set(&b, root, "word", words);
	build_set(&b, root, "incidents_then", known && !asked->incident ? incidents_json(&b, &window) : json_null());
	window.from_ns -= STATEMENT_FACTS_BEFORE_NS;
	result = known ? ledger_event_each(books->ledger, take_event, &window, &error) : 0;
	if (result == 0)
		result = statements_published_each(books->ledger, take_said, &said, &error);
	status = result == 0 ? claims_json(books, asked, &b, &claims) : books_refuse(books, result, &error);
	if (status == COMMAND_DONE)
		status = statement_facts_aware(books, asked->incident ? asked->incident->id : 0, &aware);
	build_set(&b, root, "events", window.list);
	build_set(&b, root, "statements", said.list);
	build_set(&b, root, "corrects", said.corrected);
	if (claims)
		build_set(&b, root, "claims", claims);
	if (aware)
		build_set(&b, root, "aware", aware);
	if (status == COMMAND_DONE && b.failed) {
		say_error("statement", "out of memory; free some");
		status = COMMAND_BAD;
	}
	if (status == COMMAND_DONE)
		*record = root;
	else
		json_decref(root);
	return status;
}
