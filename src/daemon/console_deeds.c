/* SPDX-License-Identifier: Apache-2.0 */
/* What the console does: each deed is a row of one table, with the role that it takes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "daemon/console_site.h"
#include "record/statement_facts.h"

#define NEXT_MINUTES_MAX 1440

int console_deed_refuse(struct console_deed *deed, const char *message)
{
	(void)snprintf(deed->error.message, sizeof(deed->error.message), "%s", message);
	return -EINVAL;
}

const char *console_deed_value(const struct console_deed *deed, const char *name)
{
	return form_get(deed->form, name);
}

int console_deed_time(struct console_deed *deed, const char *name, int64_t *ns)
{
	const char *text = console_deed_value(deed, name);
	struct capture_time time = { 0 };

	*ns = 0;
	if (*text && time_parse_typed(text, (struct capture_time){ deed->who.now_ns }, &time) != 0)
		return console_deed_refuse(deed, "a time is in UTC, as 09:40 or 2026-03-10T09:40");
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
		return console_deed_refuse(deed, "that is no statement's ID, as s1");
	result = statement_desk_find(deed->ledger, number, kept, &deed->error);
	deed->revision = kept->row.revision;
	return result;
}

static void go_to(struct console_deed *deed, const struct statement_desk_kept *kept)
{
	(void)snprintf(deed->go, sizeof(deed->go), "/matter/s%" PRIu64, kept->row.thread);
}

/* ---- drafted, edited ---- */

static int read_number(struct console_deed *deed, const char *name, uint64_t *number)
{
	const char *id = console_deed_value(deed, name);

	*number = *id ? statements_number(id) : 0;
	return *id && *number == 0 ? console_deed_refuse(deed, "that is no statement's ID, as s1") : 0;
}

/* In so many minutes the next word is promised; nothing is as soon as one has to speak, "0" not at all. */
static int read_next(struct console_deed *deed, int64_t *next_ns)
{
	const char *text = console_deed_value(deed, "next");
	char *end = NULL;
	unsigned long minutes = strtoul(text, &end, 10);

	*next_ns = STATEMENT_UPDATE_NS;
	if (!*text)
		return 0;
	if (*end || text[0] == '-' || minutes > NEXT_MINUTES_MAX)
		return console_deed_refuse(deed, "the update is promised in at most a day");
	*next_ns = (int64_t)minutes * 60 * NS_PER_S;
	return 0;
}

static int read_names(struct console_deed *deed, struct statement_desk_asked *asked)
{
	const char *kind = console_deed_value(deed, "kind"), *phase = console_deed_value(deed, "phase");

	asked->any_kind = !*kind;
	if (*kind && !statement_kind_find(kind, &asked->kind))
		return console_deed_refuse(deed, "there is no such kind of statement");
	if (!language_find(console_deed_value(deed, "lang"), &asked->language))
		return console_deed_refuse(deed, "there is no such language");
	if (*phase && !statement_phase_find(phase, &asked->phase))
		return console_deed_refuse(deed, "there is no such phase");
	return 0;
}

static int read_asked(struct console_deed *deed, struct archive_incident *incident, struct statement_desk_asked *asked)
{
	static const char *const wrong[STATEMENT_DESK_WRONGS] = {
		[STATEMENT_DESK_CORRECTS_NOTHING] = "say which published statement is corrected",
		[STATEMENT_DESK_PHASE] = "a phase is of an update",
		[STATEMENT_DESK_TRANSLATION] = "a translation takes all from its statement: nothing else can be said",
		[STATEMENT_DESK_OF_NOTHING] = "say of what: an incident, or since when",
	};
	int result;

	*asked = (struct statement_desk_asked){ .folder = deed->site->folder,
		                                .component = console_deed_value(deed, "component"),
		                                .text = console_deed_value(deed, "text"),
		                                .claim = console_deed_value(deed, "claim") };
	result = read_names(deed, asked);
	if (result == 0)
		result = read_number(deed, "after", &asked->after);
	if (result == 0)
		result = read_number(deed, "corrects", &asked->corrects);
	if (result == 0)
		result = read_number(deed, "translates", &asked->translates);
	if (result == 0)
		result = read_next(deed, &asked->next_ns);
	if (result == 0)
		result = console_deed_time(deed, "since", &asked->since_ns);
	if (result == 0)
		result = console_deed_time(deed, "until", &asked->until_ns);
	if (result == 0 && *console_deed_value(deed, "incident")) {
		if (archive_find(deed->site->folder, console_deed_value(deed, "incident"), incident) != 0)
			return console_deed_refuse(deed, "there is no such incident");
		asked->incident = incident;
	}
	if (result == 0 && statement_desk_asked_wrong(asked) != STATEMENT_DESK_GOOD)
		return console_deed_refuse(deed, wrong[statement_desk_asked_wrong(asked)]);
	return result;
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
	write_part(out, console_deed_value(deed, "title"));
	for (size_t i = 1; i <= sentences + 1 && i <= STATEMENT_SENTENCES_MAX; i++) {
		const char *words, *audience;

		(void)snprintf(name, sizeof(name), "t%zu", i);
		words = console_deed_value(deed, name);
		if (!has_words(words))
			continue;
		(void)snprintf(name, sizeof(name), "a%zu", i);
		audience = strcmp(console_deed_value(deed, name), "public") == 0 ? "public" : "internal";
		(void)snprintf(name, sizeof(name), "k%zu", i);
		if (i > sentences)
			(void)fprintf(out, "[+ %s]\n", audience);
		else
			(void)fprintf(out, "[%zu %s%s]\n", i, audience, *console_deed_value(deed, name) ? " keep" : "");
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
	if (strcmp(revision, console_deed_value(deed, "revision")) != 0) {
		(void)console_deed_refuse(deed, "somebody else has edited it since; what you typed is not kept");
		return -ESTALE;
	}
	text = write_form(deed, json_array_size(json_object_get(kept->json, "sentences")));
	result = text ? statement_form_read(kept->json, text, deed->who.name, &edited, why) : -ENOMEM;
	free(text);
	if (result == -EALREADY)
		return console_deed_refuse(deed, "nothing is changed");
	if (result != 0)
		return *why ? console_deed_refuse(deed, why) : result;
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
	return statement_desk_approve(deed->ledger, &deed->who, kept, console_deed_value(deed, "hash"), NULL, NULL,
	                              &deed->error);
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

	if (strcmp(console_deed_value(deed, "hash"), kept->row.sha256) != 0) {
		(void)console_deed_refuse(deed, "it has been edited since it was shown; look at it again");
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
	return statement_desk_withdraw(deed->ledger, &deed->who, kept, console_deed_value(deed, "text"), &deed->error);
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
	uint64_t thread = statements_number(console_deed_value(deed, "thread"));
	int result = console_deed_time(deed, "at", &row.aware_ns);

	if (result == 0 && archive_find(deed->site->folder, deed->object, &incident) != 0)
		result = console_deed_refuse(deed, "there is no such incident");
	if (result != 0)
		return result;
	row.incident = incident.id;
	if (thread)
		(void)snprintf(deed->go, sizeof(deed->go), "/matter/s%" PRIu64, thread);
	return statements_awareness_add(deed->ledger, &row, &deed->error);
}

/* The archive may have let go of an incident that people have known of. */
static int exempt(struct console_deed *deed)
{
	struct statements_exemption row = { .exempt = !*console_deed_value(deed, "needed"),
		                            .set_ns = deed->who.now_ns,
		                            .set_by = deed->who.name,
		                            .why = console_deed_value(deed, "why") };
	int result = statement_facts_known_find(deed->ledger, deed->object, &row.incident, &deed->error);

	if (result == -ENOENT)
		return console_deed_refuse(deed, "there is no such incident");
	if (result == 0 && !statement_kind_find(console_deed_value(deed, "kind"), &row.kind))
		return console_deed_refuse(deed, "there is no such kind of statement");
	return result == 0 ? statements_exemption_add(deed->ledger, &row, &deed->error) : result;
}

/* clang-format off */
static const struct console_deed_row rows[] = {
	{ "draft", CONSOLE_OPERATE, draft },
	{ "edit", CONSOLE_OPERATE, edit },
	{ "approve", CONSOLE_OPERATE, approve },
	{ "aware", CONSOLE_OPERATE, aware },
	{ "components", CONSOLE_OPERATE, console_deed_state },
	{ "component-add", CONSOLE_OPERATE, console_deed_component_add },
	{ "component-change", CONSOLE_OPERATE, console_deed_component_change },
	{ "component-remove", CONSOLE_OPERATE, console_deed_component_remove },
	{ "works-add", CONSOLE_OPERATE, console_deed_works_add },
	{ "works-cancel", CONSOLE_OPERATE, console_deed_works_cancel },
	{ "events", CONSOLE_OPERATE, console_deed_event },
	{ "publish", CONSOLE_PUBLISH, publish },
	{ "submit", CONSOLE_PUBLISH, submit },
	{ "withdraw", CONSOLE_PUBLISH, withdraw },
	{ "exempt", CONSOLE_PUBLISH, exempt },
};
/* clang-format on */

const struct console_deed_row *console_deed_find(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}
