/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_html.h"

#include <inttypes.h>
#include <string.h>

#include "tell/console_pieces.h"
#include "tell/facts.h"

#define NONE CONSOLE_WORDS_COUNT
#define SHORT_ID 8 /* digits of an incident's ID that are shown */

/* ---- sign in, trouble ---- */

void console_html_sign_in(const struct console_view *v, enum console_refusal why)
{
	static const enum console_word words[] = {
		[CONSOLE_UNKNOWN] = CONSOLE_WORD_TOKEN_WRONG, [CONSOLE_WAIT] = CONSOLE_WORD_TOKEN_WAIT
	};

	console_begin(v, CONSOLE_WORD_SIGN_IN, "");
	if (why != CONSOLE_WELCOME)
		console_element(v, "p class=\"note down\" role=\"alert\"", words[why]);
	console_raw(v, "<div class=\"card sign-in\">");
	console_form(v, "sign-in", "");
	console_field(v, "token", CONSOLE_WORD_TOKEN, CONSOLE_WORD_TOKEN_HELP, "password", "", true);
	console_languages(v, v->language, LANGUAGES);
	console_submit(v, CONSOLE_WORD_SIGN_IN, false);
	console_raw(v, "</form></div>\n");
	console_end(v);
}

void console_html_trouble(const struct console_view *v, enum console_trouble trouble)
{
	static const enum console_word words[] = { [CONSOLE_NOT_ALLOWED] = CONSOLE_WORD_NOT_ALLOWED,
		                                   [CONSOLE_NOT_THERE] = CONSOLE_WORD_NOT_THERE,
		                                   [CONSOLE_BAD_FORM] = CONSOLE_WORD_BAD_FORM };

	console_begin(v, CONSOLE_WORD_REFUSED, "");
	if (trouble != CONSOLE_FAILED)
		console_element(v, "p", words[trouble]);
	console_raw(v, "<p><a href=\"/\">");
	console_say(v, CONSOLE_WORD_BACK);
	console_raw(v, "</a></p>\n");
	console_end(v);
}

/* ---- what is due ---- */

bool console_due_is_exempt(const json_t *one)
{
	struct capture_time at;

	return !fact_time(one, "submitted", &at) && fact_time(json_object_get(one, "exempt"), "at", &at);
}

static void due_what(const view_t *v, const json_t *one)
{
	const char *thread = fact_text(one, "thread"), *incident = fact_text(one, "incident");
	char id[SHORT_ID + 1];

	if (strcmp(fact_text(one, "of"), "word") == 0) {
		console_raw(v, "<a href=\"/matter/");
		console_text(v, thread);
		console_raw(v, "\">");
		console_say(v, CONSOLE_WORD_UPDATE_OF, thread);
		console_raw(v, v->language == LANGUAGE_FR ? "</a>" WORDS_TIE ": <span lang=\"" : "</a>: <span lang=\"");
		console_text(v, fact_text(one, "lang"));
		console_raw(v, "\">");
		console_text(v, fact_text(one, "title"));
		console_raw(v, "</span>");
		return;
	}
	(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, incident);
	console_kind(v, fact_text(one, "kind"));
	console_raw(v, ", ");
	console_say(v, CONSOLE_WORD_OF_INCIDENT, id);
}

/* When it is due, and when the last word was. */
static void due_when(const view_t *v, const json_t *one)
{
	const json_t *exempt = json_object_get(one, "exempt");
	char words[LANGUAGE_TEXT_SIZE];
	struct capture_time last;

	console_raw(v, "<small>");
	if (console_due_is_exempt(one)) {
		console_say(v, CONSOLE_WORD_EXEMPT_BY, fact_text(exempt, "why"), fact_text(exempt, "by"),
		            console_when(v, exempt, "at", words));
		console_raw(v, "</small>");
		return;
	}
	console_say(v, CONSOLE_WORD_DUE_AT, console_when(v, one, "due", words));
	if (fact_time(one, "last", &last)) {
		console_raw(v, ". ");
		console_say(v, CONSOLE_WORD_LAST_SAID, console_duration(v, v->now_ns - last.ns, words));
	}
	console_raw(v, "</small>");
}

/* The page on which a report is said not to be needed, or to be after all. */
static void due_exempt(const view_t *v, const json_t *one, enum console_word word)
{
	console_raw(v, "<small><a href=\"/exempt/");
	console_text(v, fact_text(one, "incident"));
	console_raw(v, "?kind=");
	console_text(v, fact_text(one, "kind"));
	console_raw(v, "\">");
	console_say(v, word);
	console_raw(v, " <span class=\"hidden\">");
	console_kind(v, fact_text(one, "kind"));
	console_raw(v, "</span></a></small>\n");
}

/* The draft that there is of it, or the way to one. */
static void due_draft(const view_t *v, const json_t *one)
{
	const char *draft = fact_text(one, "draft");
	char path[128];

	if (*draft) {
		console_raw(v, "<a class=\"button\" href=\"/matter/");
		console_text(v, fact_text(one, "draft_thread"));
		console_raw(v, "#");
		console_text(v, draft);
		console_raw(v, "\">");
		console_say(v, CONSOLE_WORD_OPEN_DRAFT, draft);
		console_raw(v, "</a>\n");
	} else if (console_may(v, CONSOLE_OPERATE) && strcmp(fact_text(one, "of"), "word") == 0) {
		console_go(v, "/draft?after=", fact_text(one, "after"), CONSOLE_WORD_DRAFT_UPDATE);
	} else if (console_may(v, CONSOLE_OPERATE)) {
		(void)snprintf(path, sizeof(path), "/draft?kind=%.32s&incident=", fact_text(one, "kind"));
		console_go(v, path, fact_text(one, "incident"), CONSOLE_WORD_DRAFT_REPORT);
	}
}

static void due_act(const view_t *v, const json_t *one)
{
	bool exempt = console_due_is_exempt(one);

	console_raw(v, "<div>");
	if (!exempt)
		due_draft(v, one);
	if (console_may(v, CONSOLE_PUBLISH) && strcmp(fact_text(one, "of"), "law") == 0)
		due_exempt(v, one, exempt ? CONSOLE_WORD_NEEDED : CONSOLE_WORD_EXEMPT);
	console_raw(v, "</div>");
}

void console_due(const struct console_view *v, const json_t *list)
{
	json_t *one;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	console_raw(v, "<ul class=\"due\">\n");
	json_array_foreach(list, i, one)
	{
		bool late = json_is_true(json_object_get(one, "overdue"));
		char words[LANGUAGE_TEXT_SIZE];
		struct capture_time due = { 0 };
		bool submitted = *console_when(v, one, "submitted", words), exempt = console_due_is_exempt(one);

		(void)fact_time(one, "due", &due);
		console_raw(v, submitted || exempt ? "<li class=\"over\"><strong>"
		               : late              ? "<li class=\"late\"><strong>"
		                                   : "<li><strong>");
		if (submitted)
			console_say(v, CONSOLE_WORD_HANDED_IN_AT, words);
		else if (exempt)
			console_say(v, CONSOLE_WORD_EXEMPT);
		else
			console_left(v, due.ns);
		console_raw(v, "</strong><div><p>");
		due_what(v, one);
		console_raw(v, "</p>");
		due_when(v, one);
		console_raw(v, "</div>");
		if (!submitted)
			due_act(v, one);
		console_raw(v, "</li>\n");
	}
	console_raw(v, "</ul>\n");
}

/* ---- overview ---- */

/* A table, or what is said where it has no rows; false: it has none, and the section is ended. */
static bool begin_table(const view_t *v, enum console_word title, enum console_word nothing, const json_t *list,
                        const enum console_word *columns)
{
	console_section(v, title);
	if (json_array_size(list)) {
		console_table(v, title, columns);
		return true;
	}
	console_element(v, "p class=\"quiet\"", nothing);
	console_raw(v, "</section>\n");
	return false;
}

static void end_table(const view_t *v)
{
	console_table_end(v);
	console_raw(v, "</section>\n");
}

static void outages(const view_t *v, const json_t *list)
{
	static const enum console_word columns[] = { CONSOLE_WORD_COMPONENT,
		                                     CONSOLE_WORD_BEGAN,
		                                     CONSOLE_WORD_ENDED,
		                                     CONSOLE_WORD_BELIEF,
		                                     CONSOLE_WORD_PUBLISHED_AS,
		                                     CONSOLE_WORD_CAUSE,
		                                     NONE };
	json_t *one;
	size_t i;

	if (!begin_table(v, CONSOLE_WORD_OUTAGES, CONSOLE_WORD_NO_OUTAGES, list, columns))
		return;
	json_array_foreach(list, i, one)
	{
		char belief[24];

		(void)snprintf(belief, sizeof(belief), "%" PRIu64 WORDS_TIE "%%", fact_count(one, "belief"));
		console_raw(v, "<tr><th scope=\"row\">");
		console_text(v, fact_text(one, "component"));
		console_raw(v, "</th>");
		console_span(v, one);
		console_cell(v, belief);
		console_raw(v, "<td>");
		console_term(v, CONSOLE_BELIEFS, fact_text(one, "published"));
		console_raw(v, "</td><td>");
		console_term(v, CONSOLE_CAUSES, fact_text(one, "cause"));
		console_raw(v, "</td></tr>\n");
	}
	end_table(v);
}

static void incident(const view_t *v, const json_t *one)
{
	char id[SHORT_ID + 1];

	(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, fact_text(one, "id"));
	console_raw(v, "<tr><th scope=\"row\">");
	console_text(v, id);
	console_raw(v, "</th><td><code>");
	console_text(v, fact_text(one, "vector"));
	console_raw(v, "</code></td>");
	console_cell(v, *fact_text(one, "service") ? fact_text(one, "service") : fact_text(one, "target"));
	console_span(v, one);
	console_raw(v, "<td>");
	if (console_may(v, CONSOLE_OPERATE)) {
		console_raw(v, "<a href=\"/draft?incident=");
		console_text(v, fact_text(one, "id"));
		console_raw(v, "\">");
		console_say(v, CONSOLE_WORD_DRAFT);
		console_raw(v, "<span class=\"hidden\"> ");
		console_text(v, id);
		console_raw(v, "</span></a>");
	}
	console_raw(v, "</td></tr>\n");
}

static void incidents(const view_t *v, const json_t *list)
{
	static const enum console_word columns[] = { CONSOLE_WORD_INCIDENT,
		                                     CONSOLE_WORD_VECTOR,
		                                     CONSOLE_WORD_TARGET,
		                                     CONSOLE_WORD_BEGAN,
		                                     CONSOLE_WORD_ENDED,
		                                     CONSOLE_WORD_DRAFT,
		                                     NONE };
	json_t *one;
	size_t i;

	if (!begin_table(v, CONSOLE_WORD_INCIDENTS, CONSOLE_WORD_NO_INCIDENTS, list, columns))
		return;
	json_array_foreach(list, i, one)
	{
		incident(v, one);
	}
	end_table(v);
}

static void statements(const view_t *v, const json_t *list)
{
	static const enum console_word columns[] = { CONSOLE_WORD_TITLE,    CONSOLE_WORD_KIND, CONSOLE_WORD_STATE,
		                                     CONSOLE_WORD_LANGUAGE, CONSOLE_WORD_WHEN, NONE };
	json_t *one;
	size_t i;

	if (!begin_table(v, CONSOLE_WORD_STATEMENTS, CONSOLE_WORD_NO_STATEMENTS, list, columns))
		return;
	json_array_foreach(list, i, one)
	{
		console_raw(v, "<tr><th scope=\"row\"><a href=\"/matter/");
		console_text(v, fact_text(one, "thread"));
		console_raw(v, "#");
		console_text(v, fact_text(one, "id"));
		console_raw(v, "\">");
		console_text(v, fact_text(one, "id"));
		console_raw(v, " \xc2\xb7 <span lang=\"");
		console_text(v, fact_text(one, "lang"));
		console_raw(v, "\">");
		console_text(v, fact_text(one, "title"));
		console_raw(v, "</span></a></th><td>");
		console_kind(v, fact_text(one, "kind"));
		console_raw(v, "</td><td>");
		console_term(v, CONSOLE_STATES, fact_text(one, "state"));
		console_raw(v, "</td>");
		console_cell(v, fact_text(one, "lang"));
		console_raw(v, "<td>");
		console_moment(v, one, "made");
		console_raw(v, "</td></tr>\n");
	}
	end_table(v);
}

void console_html_overview(const struct console_view *v, const json_t *overview)
{
	const json_t *due = json_object_get(overview, "due");

	console_begin(v, CONSOLE_WORD_OVERVIEW, "");
	console_section(v, CONSOLE_WORD_DUE);
	if (json_array_size(due) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NOTHING_DUE);
	console_due(v, due);
	if (console_may(v, CONSOLE_OPERATE)) {
		console_raw(v, "<p>");
		console_go(v, "/draft", "", CONSOLE_WORD_DRAFT_NEW);
		console_raw(v, "</p>");
	}
	console_raw(v, "</section>\n");
	outages(v, json_object_get(overview, "outages"));
	statements(v, json_object_get(overview, "statements"));
	incidents(v, json_object_get(overview, "incidents"));
	console_end(v);
}
