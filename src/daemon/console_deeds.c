/* SPDX-License-Identifier: Apache-2.0 */
/* What the console does: each deed is a row of one table, with the role that it takes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/console_site.h"
#include "record/components.h"

static int refuse(struct console_deed *deed, const char *message)
{
	(void)snprintf(deed->error.message, sizeof(deed->error.message), "%s", message);
	return -EINVAL;
}

static const char *value(const struct console_deed *deed, const char *name)
{
	return form_get(deed->form, name);
}

/* A time that was typed; nothing is 0. */
static int read_time(struct console_deed *deed, const char *name, int64_t *ns)
{
	const char *text = value(deed, name);
	struct capture_time time = { 0 };

	*ns = 0;
	if (*text && time_parse_typed(text, (struct capture_time){ deed->who.now_ns }, &time) != 0)
		return refuse(deed, "a time is in UTC, as 09:40 or 2026-03-10T09:40");
	*ns = time.ns;
	return 0;
}

/* The statement that the path names. */
static int find(struct console_deed *deed, struct statement_desk_kept *kept)
{
	uint64_t number = statements_number(deed->object);
	int result;

	*kept = (struct statement_desk_kept){ .json = NULL };
	if (number == 0)
		return refuse(deed, "that is no statement's ID, as s1");
	result = statement_desk_find(deed->ledger, number, kept, &deed->error);
	deed->revision = kept->row.revision;
	return result;
}

static void go_to(struct console_deed *deed, const struct statement_desk_kept *kept)
{
	(void)snprintf(deed->go, sizeof(deed->go), "/matter/s%" PRIu64, kept->row.thread);
}

/* ---- drafted, edited ---- */

static int read_asked(struct console_deed *deed, struct archive_incident *incident, struct statement_desk_asked *asked)
{
	const char *wrong;
	int result;

	*asked = (struct statement_desk_asked){ .folder = deed->site->folder,
		                                .any_kind = !*value(deed, "kind"),
		                                .next_ns = STATEMENT_UPDATE_NS,
		                                .component = value(deed, "component"),
		                                .text = value(deed, "text"),
		                                .claim = value(deed, "claim") };
	if (!asked->any_kind && !statement_kind_find(value(deed, "kind"), &asked->kind))
		return refuse(deed, "there is no such kind of statement");
	if (!language_find(value(deed, "lang"), &asked->language))
		return refuse(deed, "there is no such language");
	if (*value(deed, "after") && (asked->after = statements_number(value(deed, "after"))) == 0)
		return refuse(deed, "that is no statement's ID, as s1");
	if (*value(deed, "corrects") && (asked->corrects = statements_number(value(deed, "corrects"))) == 0)
		return refuse(deed, "that is no statement's ID, as s1");
	result = read_time(deed, "since", &asked->since_ns);
	if (result == 0)
		result = read_time(deed, "until", &asked->until_ns);
	if (result == 0 && *value(deed, "incident")) {
		result = archive_find(deed->site->folder, value(deed, "incident"), incident);
		if (result != 0)
			return refuse(deed, "there is no such incident");
		asked->incident = incident;
	}
	wrong = statement_desk_asked_wrong(asked);
	return result == 0 && *wrong ? refuse(deed, "say of what: an incident, or since when") : result;
}

static int draft(struct console_deed *deed)
{
	struct statement_desk_kept kept = { .json = NULL };
	struct statement_desk_asked asked;
	struct archive_incident incident;
	int result = read_asked(deed, &incident, &asked);

	if (result == 0)
		result = statement_desk_draft(deed->ledger, &deed->who, &asked, &kept, &deed->error);
	if (result == 0) {
		(void)snprintf(deed->object, sizeof(deed->object), "%s", kept.row.id);
		deed->revision = kept.row.revision;
		go_to(deed, &kept);
	}
	statement_desk_free(&kept);
	return result;
}

/* Words of the page as a part of the form that an editor has: what begins like a head of one is marked as words. */
static void write_part(FILE *out, const char *words)
{
	while (*words) {
		size_t length = strcspn(words, "\r\n");

		if (length)
			(void)fprintf(out, "\\%.*s\n", (int)length, words);
		words += length;
		words += strspn(words, "\r\n");
	}
}

static bool has_words(const char *text)
{
	return text[strspn(text, " \t\r\n")] != '\0';
}

/* The page's fields as that form; the caller's. */
static char *write_form(const struct console_deed *deed, size_t sentences)
{
	char *text = NULL, name[24];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	(void)fputs("[title]\n", out);
	write_part(out, value(deed, "title"));
	for (size_t i = 1; i <= sentences + 1 && i <= STATEMENT_SENTENCES_MAX; i++) {
		const char *words, *audience;

		(void)snprintf(name, sizeof(name), "t%zu", i);
		words = value(deed, name);
		if (!has_words(words))
			continue;
		(void)snprintf(name, sizeof(name), "a%zu", i);
		audience = strcmp(value(deed, name), "public") == 0 ? "public" : "internal";
		(void)snprintf(name, sizeof(name), "k%zu", i);
		if (i > sentences)
			(void)fprintf(out, "[+ %s]\n", audience);
		else
			(void)fprintf(out, "[%zu %s%s]\n", i, audience, *value(deed, name) ? " keep" : "");
		write_part(out, words);
	}
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int edit_kept(struct console_deed *deed, struct statement_desk_kept *kept)
{
	char revision[24], why[STATEMENT_ERROR_SIZE] = "", *text;
	json_t *edited = NULL;
	int result;

	(void)snprintf(revision, sizeof(revision), "%" PRIu64, kept->row.revision);
	if (strcmp(revision, value(deed, "revision")) != 0) {
		(void)refuse(deed, "somebody else has edited it since; what you typed is not kept");
		return -ESTALE;
	}
	text = write_form(deed, json_array_size(json_object_get(kept->json, "sentences")));
	result = text ? statement_form_read(kept->json, text, deed->who.name, &edited, why) : -ENOMEM;
	free(text);
	if (result == -EALREADY)
		return refuse(deed, "nothing is changed");
	if (result != 0)
		return *why ? refuse(deed, why) : result;
	result = statement_desk_edit(deed->ledger, &deed->who, kept, edited, &deed->error);
	deed->revision = kept->row.revision;
	json_decref(edited);
	return result;
}

static int with_kept(struct console_deed *deed, int (*run)(struct console_deed *, struct statement_desk_kept *))
{
	struct statement_desk_kept kept;
	int result = find(deed, &kept);

	if (result == 0)
		result = run(deed, &kept);
	if (result == 0)
		go_to(deed, &kept);
	statement_desk_free(&kept);
	return result;
}

static int edit(struct console_deed *deed)
{
	return with_kept(deed, edit_kept);
}

/* ---- approved, published ---- */

static int approve_kept(struct console_deed *deed, struct statement_desk_kept *kept)
{
	return statement_desk_approve(deed->ledger, &deed->who, kept, value(deed, "hash"), NULL, NULL, &deed->error);
}

static int approve(struct console_deed *deed)
{
	return with_kept(deed, approve_kept);
}

/* What is published is what the page before has shown, to the letter. */
static int tell_kept(struct console_deed *deed, struct statement_desk_kept *kept, enum statements_act what)
{
	char *text = NULL;
	int result;

	if (strcmp(value(deed, "hash"), kept->row.sha256) != 0) {
		(void)refuse(deed, "it has been edited since it was shown; look at it again");
		return -ESTALE;
	}
	result = statement_desk_publish(deed->ledger, &deed->who, kept, what, &text, NULL, NULL, &deed->error);
	free(text);
	return result;
}

static int publish_kept(struct console_deed *deed, struct statement_desk_kept *kept)
{
	return tell_kept(deed, kept, STATEMENTS_PUBLISHED);
}

static int submit_kept(struct console_deed *deed, struct statement_desk_kept *kept)
{
	return tell_kept(deed, kept, STATEMENTS_SUBMITTED);
}

static int publish(struct console_deed *deed)
{
	return with_kept(deed, publish_kept);
}

static int submit(struct console_deed *deed)
{
	return with_kept(deed, submit_kept);
}

static int withdraw_kept(struct console_deed *deed, struct statement_desk_kept *kept)
{
	if (!has_words(value(deed, "text")))
		return refuse(deed, "say why; it is published with the withdrawal");
	return statement_desk_withdraw(deed->ledger, &deed->who, kept, value(deed, "text"), &deed->error);
}

static int withdraw(struct console_deed *deed)
{
	return with_kept(deed, withdraw_kept);
}

/* ---- since when it is known ---- */

static int aware(struct console_deed *deed)
{
	struct statements_awareness row = { .set_ns = deed->who.now_ns, .set_by = deed->who.name };
	struct archive_incident incident;
	uint64_t thread = statements_number(value(deed, "thread"));
	int result = read_time(deed, "at", &row.aware_ns);

	if (result == 0 && (row.aware_ns == 0 || row.aware_ns > deed->who.now_ns))
		result = refuse(deed, "say since when, which is not in the future");
	if (result == 0 && archive_find(deed->site->folder, deed->object, &incident) != 0)
		result = refuse(deed, "there is no such incident");
	if (result != 0)
		return result;
	row.incident = incident.id;
	if (thread)
		(void)snprintf(deed->go, sizeof(deed->go), "/matter/s%" PRIu64, thread);
	return statements_awareness_add(deed->ledger, &row, &deed->error);
}

/* ---- components, events ---- */

static int set_component(struct console_deed *deed)
{
	struct component_state state = {
		.cause = "", .source = COMPONENT_SAID, .added_ns = deed->who.now_ns, .added_by = deed->who.name
	};
	const char *id = value(deed, "component");
	int result = read_time(deed, "since", &state.since_ns);

	if (result != 0)
		return result;
	if (!component_id_ok(id) || !component_status_find(value(deed, "status"), &state.status))
		return refuse(deed, "there is no such component, or no such state");
	if (state.since_ns > deed->who.now_ns)
		return refuse(deed, "a state cannot begin in the future; works that are planned are another thing");
	(void)snprintf(state.component, sizeof(state.component), "%s", id);
	(void)snprintf(deed->object, sizeof(deed->object), "%s", id);
	(void)snprintf(deed->go, sizeof(deed->go), "/components");
	return component_state_add(deed->ledger, &state, NULL, &deed->error);
}

static int add_event(struct console_deed *deed)
{
	struct ledger_event event = { .text = value(deed, "text"),
		                      .url = value(deed, "url"),
		                      .added_ns = deed->who.now_ns,
		                      .added_by = deed->who.name };
	int result = read_time(deed, "since", &event.began_ns);

	if (result == 0)
		result = read_time(deed, "until", &event.ended_ns);
	if (result != 0)
		return result;
	if (!ledger_event_kind_find(value(deed, "kind"), &event.kind))
		return refuse(deed, "there is no such kind of event");
	if (!has_words(event.text) || event.began_ns == 0)
		return refuse(deed, "say what happened, and since when");
	if (event.ended_ns && event.ended_ns < event.began_ns)
		return refuse(deed, "it cannot end before it began");
	(void)snprintf(deed->go, sizeof(deed->go), "/events");
	result = ledger_event_add(deed->ledger, &event, event.id, &deed->error);
	if (result == 0)
		(void)snprintf(deed->object, sizeof(deed->object), "%s", event.id);
	return result;
}

/* clang-format off */
static const struct console_deed_row rows[] = {
	{ "draft", CONSOLE_OPERATE, draft },
	{ "edit", CONSOLE_OPERATE, edit },
	{ "approve", CONSOLE_OPERATE, approve },
	{ "aware", CONSOLE_OPERATE, aware },
	{ "components", CONSOLE_OPERATE, set_component },
	{ "events", CONSOLE_OPERATE, add_event },
	{ "publish", CONSOLE_PUBLISH, publish },
	{ "submit", CONSOLE_PUBLISH, submit },
	{ "withdraw", CONSOLE_PUBLISH, withdraw },
};
/* clang-format on */

const struct console_deed_row *console_deed_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}
