/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_html.h"

#include <inttypes.h>
#include <string.h>

#include "impact/component.h"
#include "tell/console_pieces.h"
#include "tell/facts.h"
#include "tell/statement.h"
#include "tell/status_inside.h"

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
	console_select(v, "lang", CONSOLE_WORD_LANGUAGE);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		console_option(v, language_code((enum language)i), (enum language)i == v->language);
		console_text(v, language_name((enum language)i));
		console_raw(v, "</option>");
	}
	console_raw(v, "</select></div>\n");
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

/* ---- overview ---- */

static void section(const view_t *v, enum console_word title)
{
	console_raw(v, "<section>\n");
	console_element(v, "h2", title);
}

static void cell(const view_t *v, const char *words)
{
	console_raw(v, "<td>");
	console_text(v, words);
	console_raw(v, "</td>");
}

/* "in 3 h 20 min", "overdue since 5 min" */
static void left(const view_t *v, const json_t *one, const char *key)
{
	char words[LANGUAGE_TEXT_SIZE];
	struct capture_time due;
	bool late = json_is_true(json_object_get(one, "overdue"));

	console_raw(v, late ? "<td class=\"late\">" : "<td>");
	if (fact_time(one, "submitted", &due))
		console_say(v, CONSOLE_WORD_HANDED_IN);
	else if (fact_time(one, key, &due) && due.ns > v->now_ns)
		console_say(v, CONSOLE_WORD_IN_TIME, language_duration(v->language, due.ns - v->now_ns, words));
	else if (fact_time(one, key, &due))
		console_say(v, CONSOLE_WORD_OVERDUE, language_duration(v->language, v->now_ns - due.ns, words));
	console_raw(v, "</td>");
}

static void due(const view_t *v, const json_t *overview)
{
	static const enum console_word columns[] = { CONSOLE_WORD_WHAT, CONSOLE_WORD_WHEN, CONSOLE_WORD_LEFT, NONE };
	const json_t *threads = json_object_get(overview, "threads"), *laws = json_object_get(overview, "laws");
	json_t *one;
	size_t i;

	section(v, CONSOLE_WORD_DUE);
	if (json_array_size(threads) + json_array_size(laws) == 0) {
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NOTHING_DUE);
		console_raw(v, "</section>\n");
		return;
	}
	console_table(v, CONSOLE_WORD_DUE, columns);
	json_array_foreach(threads, i, one)
	{
		console_raw(v, "<tr><td><a href=\"/matter/");
		console_text(v, fact_text(one, "thread"));
		console_raw(v, "\">");
		console_say(v, CONSOLE_WORD_UPDATE_OF, fact_text(one, "thread"));
		console_raw(v, "</a></td><td>");
		console_moment(v, one, "due");
		console_raw(v, "</td>");
		left(v, one, "due");
		console_raw(v, "</tr>\n");
	}
	json_array_foreach(laws, i, one)
	{
		char id[SHORT_ID + 1];

		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, fact_text(one, "incident"));
		console_raw(v, "<tr><td>");
		console_kind(v, fact_text(one, "kind"));
		console_raw(v, ", ");
		console_text(v, id);
		console_raw(v, "</td><td>");
		console_moment(v, one, "due");
		console_raw(v, "</td>");
		left(v, one, "due");
		console_raw(v, "</tr>\n");
	}
	console_raw(v, "</tbody></table></div>\n</section>\n");
}

static void ended(const view_t *v, const json_t *one)
{
	struct capture_time time;

	console_raw(v, "<td>");
	if (fact_time(one, "ended", &time))
		console_moment(v, one, "ended");
	else
		console_say(v, CONSOLE_WORD_LASTS);
	console_raw(v, "</td>");
}

static void began(const view_t *v, const json_t *one)
{
	console_raw(v, "<td>");
	console_moment(v, one, "began");
	console_raw(v, "</td>");
	ended(v, one);
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

	section(v, CONSOLE_WORD_OUTAGES);
	if (json_array_size(list) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_OUTAGES);
	else
		console_table(v, CONSOLE_WORD_OUTAGES, columns);
	json_array_foreach(list, i, one)
	{
		char belief[16];

		(void)snprintf(belief, sizeof(belief), "%" PRIu64 " %%", fact_count(one, "belief"));
		console_raw(v, "<tr><th scope=\"row\">");
		console_text(v, fact_text(one, "component"));
		console_raw(v, "</th>");
		began(v, one);
		cell(v, belief);
		cell(v, fact_text(one, "published"));
		cell(v, fact_text(one, "cause"));
		console_raw(v, "</tr>\n");
	}
	console_raw(v, json_array_size(list) ? "</tbody></table></div>\n</section>\n" : "</section>\n");
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

	section(v, CONSOLE_WORD_INCIDENTS);
	if (json_array_size(list) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_INCIDENTS);
	else
		console_table(v, CONSOLE_WORD_INCIDENTS, columns);
	json_array_foreach(list, i, one)
	{
		char id[SHORT_ID + 1];

		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, fact_text(one, "id"));
		console_raw(v, "<tr><th scope=\"row\">");
		console_text(v, id);
		console_raw(v, "</th>");
		cell(v, fact_text(one, "vector"));
		cell(v, *fact_text(one, "service") ? fact_text(one, "service") : fact_text(one, "target"));
		began(v, one);
		console_raw(v, "<td>");
		if (console_may(v, CONSOLE_OPERATE)) {
			console_raw(v, "<a href=\"/draft?incident=");
			console_text(v, fact_text(one, "id"));
			console_raw(v, "\" aria-label=\"");
			console_say(v, CONSOLE_WORD_DRAFT);
			console_raw(v, ", ");
			console_text(v, id);
			console_raw(v, "\">");
			console_say(v, CONSOLE_WORD_DRAFT);
			console_raw(v, "</a>");
		}
		console_raw(v, "</td></tr>\n");
	}
	console_raw(v, json_array_size(list) ? "</tbody></table></div>\n</section>\n" : "</section>\n");
}

static void statements(const view_t *v, const json_t *list)
{
	static const enum console_word columns[] = { CONSOLE_WORD_TITLE,    CONSOLE_WORD_KIND, CONSOLE_WORD_STATE,
		                                     CONSOLE_WORD_LANGUAGE, CONSOLE_WORD_WHEN, NONE };
	json_t *one;
	size_t i;

	section(v, CONSOLE_WORD_STATEMENTS);
	if (json_array_size(list) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_STATEMENTS);
	else
		console_table(v, CONSOLE_WORD_STATEMENTS, columns);
	json_array_foreach(list, i, one)
	{
		console_raw(v, "<tr><th scope=\"row\"><a href=\"/matter/");
		console_text(v, fact_text(one, "thread"));
		console_raw(v, "#");
		console_text(v, fact_text(one, "id"));
		console_raw(v, "\">");
		console_text(v, fact_text(one, "id"));
		console_raw(v, " \xc2\xb7 ");
		console_text(v, fact_text(one, "title"));
		console_raw(v, "</a></th><td>");
		console_kind(v, fact_text(one, "kind"));
		console_raw(v, "</td>");
		cell(v, fact_text(one, "state"));
		cell(v, fact_text(one, "lang"));
		console_raw(v, "<td>");
		console_moment(v, one, "made");
		console_raw(v, "</td></tr>\n");
	}
	console_raw(v, json_array_size(list) ? "</tbody></table></div>\n</section>\n" : "</section>\n");
}

void console_html_overview(const struct console_view *v, const json_t *overview)
{
	console_begin(v, CONSOLE_WORD_OVERVIEW, "");
	due(v, overview);
	outages(v, json_object_get(overview, "outages"));
	statements(v, json_object_get(overview, "statements"));
	incidents(v, json_object_get(overview, "incidents"));
	console_end(v);
}

/* ---- draft ---- */

static void choose_incident(const view_t *v, const json_t *choices)
{
	const char *chosen = fact_text(choices, "incident");
	json_t *one;
	size_t i;

	console_select(v, "incident", CONSOLE_WORD_DRAFT_OF);
	console_option(v, "", !*chosen);
	console_say(v, CONSOLE_WORD_DRAFT_NONE);
	console_raw(v, "</option>");
	json_array_foreach(json_object_get(choices, "incidents"), i, one)
	{
		char words[LANGUAGE_TEXT_SIZE], id[SHORT_ID + 1];

		(void)snprintf(id, sizeof(id), "%.*s", SHORT_ID, fact_text(one, "id"));
		console_option(v, fact_text(one, "id"), strcmp(chosen, fact_text(one, "id")) == 0);
		console_text(v, id);
		console_raw(v, ", ");
		console_text(v, fact_text(one, "vector"));
		console_raw(v, ", ");
		console_text(v, console_when(v, one, "began", words));
		console_raw(v, "</option>");
	}
	console_raw(v, "</select></div>\n");
}

static void choose_kind(const view_t *v, bool correction)
{
	console_select(v, "kind", CONSOLE_WORD_KIND);
	console_option(v, "", true);
	console_say(v, CONSOLE_WORD_DRAFT_NEXT);
	console_raw(v, "</option>");
	for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
		if (kind == STATEMENT_CORRECTION && !correction)
			continue;
		console_option(v, statement_kind_name((enum statement_kind)kind), false);
		console_kind(v, statement_kind_name((enum statement_kind)kind));
		console_raw(v, "</option>");
	}
	console_raw(v, "</select></div>\n");
}

void console_html_draft(const struct console_view *v, const json_t *choices)
{
	const char *after = fact_text(choices, "after"), *corrects = fact_text(choices, "corrects");

	console_begin(v, CONSOLE_WORD_DRAFT, "");
	console_raw(v, "<div class=\"card\">");
	console_form(v, "draft", "");
	if (*after)
		console_hidden(v, "after", after);
	if (*corrects)
		console_hidden(v, "corrects", corrects);
	if (!*after && !*corrects)
		choose_incident(v, choices);
	choose_kind(v, *corrects);
	console_select(v, "lang", CONSOLE_WORD_LANGUAGE);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		console_option(v, language_code((enum language)i), (enum language)i == v->language);
		console_text(v, language_name((enum language)i));
		console_raw(v, "</option>");
	}
	console_raw(v, "</select></div>\n");
	console_field(v, "since", CONSOLE_WORD_SINCE, CONSOLE_WORD_TIME_HELP, "text", "", false);
	console_field(v, "until", CONSOLE_WORD_UNTIL, CONSOLE_WORD_TIME_HELP, "text", "", false);
	console_field(v, "component", CONSOLE_WORD_COMPONENT, CONSOLE_WORD_COMPONENT_HELP, "text", "", false);
	console_field(v, "text", CONSOLE_WORD_OWN_SENTENCE, NONE, "textarea", "", false);
	console_field(v, "claim", CONSOLE_WORD_CLAIM, CONSOLE_WORD_CLAIM_HELP, "text", "", false);
	console_submit(v, CONSOLE_WORD_MAKE_DRAFT, false);
	console_raw(v, "</form></div>\n");
	console_end(v);
}

/* ---- components, events ---- */

void console_html_components(const struct console_view *v, const json_t *components)
{
	static const enum console_word columns[] = { CONSOLE_WORD_COMPONENT, CONSOLE_WORD_NOW_IS, NONE };
	const json_t *list = json_object_get(components, "components");
	enum component_status status;
	json_t *one;
	size_t i;

	console_begin(v, CONSOLE_WORD_COMPONENTS, "");
	if (json_array_size(list) == 0) {
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_COMPONENTS);
		console_end(v);
		return;
	}
	console_table(v, CONSOLE_WORD_COMPONENTS, columns);
	json_array_foreach(list, i, one)
	{
		bool known = component_status_find(fact_text(one, "status"), &status);

		console_raw(v, "<tr><th scope=\"row\">");
		console_text(v, fact_text(one, "name"));
		console_raw(v, "</th>");
		cell(v, known ? status_component_word(v->language, status)
		              : console_word(v->language, CONSOLE_WORD_UNKNOWN_STATE));
		console_raw(v, "</tr>\n");
	}
	console_raw(v, "</tbody></table></div>\n");
	if (console_may(v, CONSOLE_OPERATE)) {
		section(v, CONSOLE_WORD_SET);
		console_form(v, "components", "");
		console_select(v, "component", CONSOLE_WORD_COMPONENT);
		json_array_foreach(list, i, one)
		{
			console_option(v, fact_text(one, "id"), i == 0);
			console_text(v, fact_text(one, "name"));
			console_raw(v, "</option>");
		}
		console_raw(v, "</select></div>\n");
		console_select(v, "status", CONSOLE_WORD_STATUS);
		for (unsigned k = 0; k < COMPONENT_STATUSES; k++) {
			console_option(v, component_status_name((enum component_status)k), k == 0);
			console_text(v, status_component_word(v->language, (enum component_status)k));
			console_raw(v, "</option>");
		}
		console_raw(v, "</select></div>\n");
		console_field(v, "since", CONSOLE_WORD_SINCE, CONSOLE_WORD_TIME_HELP, "text", "", false);
		console_submit(v, CONSOLE_WORD_SET, false);
		console_raw(v, "</form></section>\n");
	}
	console_end(v);
}

void console_html_events(const struct console_view *v, const json_t *events)
{
	static const enum console_word columns[] = { CONSOLE_WORD_EVENT_TEXT, CONSOLE_WORD_KIND, CONSOLE_WORD_BEGAN,
		                                     CONSOLE_WORD_ENDED, NONE };
	static const char *const kinds[] = { "own_change", "provider", "maintenance" };
	const json_t *list = json_object_get(events, "events");
	json_t *one;
	size_t i;

	console_begin(v, CONSOLE_WORD_EVENTS, "");
	if (json_array_size(list) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_EVENTS);
	else
		console_table(v, CONSOLE_WORD_EVENTS, columns);
	json_array_foreach(list, i, one)
	{
		console_raw(v, "<tr><th scope=\"row\">");
		console_text(v, fact_text(one, "text"));
		console_raw(v, "</th>");
		cell(v, fact_text(one, "kind"));
		began(v, one);
		console_raw(v, "</tr>\n");
	}
	console_raw(v, json_array_size(list) ? "</tbody></table></div>\n" : "");
	if (console_may(v, CONSOLE_OPERATE)) {
		section(v, CONSOLE_WORD_EVENT_ADD);
		console_form(v, "events", "");
		console_select(v, "kind", CONSOLE_WORD_KIND);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			console_option(v, kinds[k], k == 0);
			console_text(v, kinds[k]);
			console_raw(v, "</option>");
		}
		console_raw(v, "</select></div>\n");
		console_field(v, "text", CONSOLE_WORD_EVENT_TEXT, NONE, "text", "", true);
		console_field(v, "since", CONSOLE_WORD_SINCE, CONSOLE_WORD_TIME_HELP, "text", "", true);
		console_field(v, "until", CONSOLE_WORD_UNTIL, CONSOLE_WORD_TIME_HELP, "text", "", false);
		console_field(v, "url", CONSOLE_WORD_EVENT_URL, NONE, "url", "", false);
		console_submit(v, CONSOLE_WORD_ADD, false);
		console_raw(v, "</form></section>\n");
	}
	console_end(v);
}

/* ---- audit ---- */

void console_html_audit(const struct console_view *v, const json_t *audit)
{
	static const enum console_word columns[] = { CONSOLE_WORD_WHEN,   CONSOLE_WORD_WHO,     CONSOLE_WORD_WHAT,
		                                     CONSOLE_WORD_OBJECT, CONSOLE_WORD_OUTCOME, NONE };
	const json_t *list = json_object_get(audit, "audit");
	json_t *one;
	size_t i;

	console_begin(v, CONSOLE_WORD_AUDIT, "");
	if (json_array_size(list) == 0)
		console_element(v, "p class=\"quiet\"", CONSOLE_WORD_NO_AUDIT);
	else
		console_table(v, CONSOLE_WORD_AUDIT, columns);
	json_array_foreach(list, i, one)
	{
		uint64_t revision = fact_count(one, "revision");

		console_raw(v, "<tr><td>");
		console_moment(v, one, "at");
		console_raw(v, "</td>");
		cell(v, fact_text(one, "who"));
		cell(v, fact_text(one, "what"));
		console_raw(v, "<td>");
		console_text(v, fact_text(one, "object"));
		if (revision)
			(void)fprintf(v->out, ", %" PRIu64, revision);
		console_raw(v, "</td><td>");
		console_text(v, fact_text(one, "outcome"));
		if (*fact_text(one, "message")) {
			console_raw(v, ": <span lang=\"en\">");
			console_text(v, fact_text(one, "message"));
			console_raw(v, "</span>");
		}
		console_raw(v, "</td></tr>\n");
	}
	console_raw(v, json_array_size(list) ? "</tbody></table></div>\n" : "");
	console_end(v);
}
