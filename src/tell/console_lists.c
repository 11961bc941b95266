/* SPDX-License-Identifier: Apache-2.0 */
/* The console's pages of what the status page shows, of what else happened, and of what was done. */
#include <inttypes.h>
#include <string.h>

#include "impact/component.h"
#include "tell/console_pieces.h"
#include "tell/facts.h"
#include "tell/status_inside.h"

#define NONE CONSOLE_WORDS_COUNT

/* A list's page: its table's head, or what is said where it has no rows. */
static bool begin(const view_t *v, enum console_word title, enum console_word nothing, const json_t *list,
                  const enum console_word *columns)
{
	console_begin(v, title, "");
	if (json_array_size(list)) {
		console_table(v, title, columns);
		return true;
	}
	console_element(v, "p class=\"quiet\"", nothing);
	return false;
}

/* ---- components ---- */

static void component_row(const view_t *v, const json_t *one)
{
	bool group = json_is_true(json_object_get(one, "is_group"));
	enum component_status status;

	console_raw(v, "<tr><th scope=\"row\">");
	if (console_may(v, CONSOLE_OPERATE)) {
		console_raw(v, "<a href=\"/component/");
		console_text(v, fact_text(one, "id"));
		console_raw(v, "\">");
	}
	console_text(v, fact_text(one, "name"));
	console_raw(v, console_may(v, CONSOLE_OPERATE) ? "</a>" : "");
	if (json_is_true(json_object_get(one, "hidden"))) {
		console_raw(v, " <small>");
		console_say(v, CONSOLE_WORD_IS_HIDDEN);
		console_raw(v, "</small>");
	}
	console_raw(v, "</th><td>");
	if (group)
		console_say(v, CONSOLE_WORD_A_GROUP);
	else if (component_status_find(fact_text(one, "status"), &status))
		console_text(v, status_component_word(v->language, status));
	else
		console_say(v, CONSOLE_WORD_UNKNOWN_STATE);
	console_raw(v, "</td><td>");
	console_moment(v, one, "since");
	console_raw(v, "</td>");
	console_cell(v, fact_text(one, "group"));
	console_raw(v, "</tr>\n");
}

/* Of those that are groups, or of those that are none. */
static void choose_component(const view_t *v, const char *name, enum console_word word, const json_t *list, bool groups,
                             const char *chosen)
{
	json_t *one;
	size_t i;

	console_select(v, name, word);
	if (groups) {
		console_option(v, "", !*chosen);
		console_say(v, CONSOLE_WORD_GROUP_NONE);
		console_option_end(v);
	}
	json_array_foreach(list, i, one)
	{
		if (json_is_true(json_object_get(one, "is_group")) != groups)
			continue;
		console_option(v, fact_text(one, "id"), strcmp(fact_text(one, "id"), chosen) == 0);
		console_text(v, fact_text(one, "name"));
		console_option_end(v);
	}
	console_select_end(v);
}

static void set_state(const view_t *v, const json_t *list)
{
	console_section(v, CONSOLE_WORD_STATE_SET);
	console_form(v, "components", "");
	choose_component(v, "component", CONSOLE_WORD_COMPONENT, list, false, "");
	console_statuses(v, "status", CONSOLE_WORD_STATUS);
	console_time(v, "since", CONSOLE_WORD_SINCE, false);
	console_terms_choose(v, "cause", CONSOLE_WORD_CAUSE, CONSOLE_WORD_CAUSE_HELP, CONSOLE_CAUSES, "");
	console_submit(v, CONSOLE_WORD_SET, false);
	console_raw(v, "</form></section>\n");
}

/* The fields of a component's settings; `one` NULL: of a new one. */
static void settings(const view_t *v, const json_t *one, const json_t *list)
{
	console_field(v, "name_en", CONSOLE_WORD_NAME_EN, NONE, "text", fact_text(one, "name_en"), false);
	console_field(v, "name_fr", CONSOLE_WORD_NAME_FR, NONE, "text", fact_text(one, "name_fr"), false);
	console_field(v, "description_en", CONSOLE_WORD_DESCRIPTION_EN, NONE, "text", fact_text(one, "description_en"),
	              false);
	console_field(v, "description_fr", CONSOLE_WORD_DESCRIPTION_FR, NONE, "text", fact_text(one, "description_fr"),
	              false);
	if (!json_is_true(json_object_get(one, "is_group")))
		choose_component(v, "group", CONSOLE_WORD_GROUP, list, true, fact_text(one, "group"));
	console_field(v, "position", CONSOLE_WORD_POSITION, CONSOLE_WORD_POSITION_HELP, "text", "", false);
	console_tick(v, "hidden", "", json_is_true(json_object_get(one, "hidden")), CONSOLE_WORD_HIDDEN);
}

static void add_component(const view_t *v, const json_t *list)
{
	console_raw(v, json_array_size(list) ? "<section><details class=\"more\"><summary>"
	                                     : "<section><details class=\"more\" open><summary>");
	console_say(v, CONSOLE_WORD_COMPONENT_ADD);
	console_raw(v, "</summary>\n");
	console_form(v, "component-add", "");
	console_field(v, "id", CONSOLE_WORD_ID, CONSOLE_WORD_ID_HELP, "text", "", true);
	settings(v, NULL, list);
	console_tick(v, "is_group", "", false, CONSOLE_WORD_IS_GROUP);
	console_submit(v, CONSOLE_WORD_ADD, false);
	console_raw(v, "</form></details></section>\n");
}

void console_html_components(const struct console_view *v, const json_t *components)
{
	static const enum console_word columns[] = { CONSOLE_WORD_COMPONENT, CONSOLE_WORD_NOW_IS, CONSOLE_WORD_SINCE,
		                                     CONSOLE_WORD_GROUP, NONE };
	const json_t *list = json_object_get(components, "components");
	json_t *one;
	size_t i;

	if (begin(v, CONSOLE_WORD_COMPONENTS, CONSOLE_WORD_NO_COMPONENTS, list, columns)) {
		json_array_foreach(list, i, one)
		{
			component_row(v, one);
		}
		console_table_end(v);
	}
	if (console_may(v, CONSOLE_OPERATE)) {
		if (json_array_size(list))
			set_state(v, list);
		add_component(v, list);
	}
	console_end(v);
}

void console_html_component(const struct console_view *v, const json_t *component)
{
	const char *id = fact_text(component, "id");

	console_begin(v, CONSOLE_WORD_COMPONENT_CHANGE, id);
	console_form(v, "component-change", id);
	settings(v, component, json_object_get(component, "components"));
	console_submit(v, CONSOLE_WORD_COMPONENT_SAVE, false);
	console_raw(v, "</form>\n");
	console_section(v, CONSOLE_WORD_COMPONENT_REMOVE);
	console_element(v, "p", CONSOLE_WORD_COMPONENT_REMOVE_HELP);
	console_form(v, "component-remove", id);
	console_submit(v, CONSOLE_WORD_COMPONENT_REMOVE, true);
	console_raw(v, "</form></section>\n");
	console_end(v);
}

/* ---- works ---- */

static void work_row(const view_t *v, const json_t *one)
{
	const char *plan = fact_text(one, "plan");

	console_raw(v, "<tr><th scope=\"row\">");
	console_text(v, fact_text(one, "id"));
	console_raw(v, " \xc2\xb7 ");
	console_text(v, fact_text(one, "name"));
	console_raw(v, "</th><td>");
	console_moment(v, one, "from");
	console_raw(v, "</td><td>");
	console_moment(v, one, "to");
	console_raw(v, "</td>");
	console_cell(v, fact_text(one, "components"));
	console_raw(v, "<td>");
	console_term(v, CONSOLE_PLANS, plan);
	if (console_may(v, CONSOLE_OPERATE) && (strcmp(plan, "planned") == 0 || strcmp(plan, "under_way") == 0)) {
		console_form(v, "works-cancel", fact_text(one, "id"));
		console_raw(v, "<button class=\"link\">");
		console_say(v, CONSOLE_WORD_WORKS_CANCEL);
		console_raw(v, "<span class=\"hidden\"> ");
		console_text(v, fact_text(one, "id"));
		console_raw(v, "</span></button></form>");
	}
	console_raw(v, "</td></tr>\n");
}

static void add_works(const view_t *v, const json_t *components)
{
	json_t *one;
	size_t i;

	console_section(v, CONSOLE_WORD_WORKS_ADD);
	console_form(v, "works-add", "");
	console_field(v, "name_en", CONSOLE_WORD_NAME_EN, NONE, "text", "", false);
	console_field(v, "name_fr", CONSOLE_WORD_NAME_FR, NONE, "text", "", false);
	console_field(v, "from", CONSOLE_WORD_FROM, CONSOLE_WORD_TIME_AHEAD, "text", "", true);
	console_field(v, "to", CONSOLE_WORD_TO, CONSOLE_WORD_TIME_AHEAD, "text", "", true);
	console_raw(v, "<fieldset><legend>");
	console_say(v, CONSOLE_WORD_WORKS_TOUCH);
	console_raw(v, "</legend>");
	json_array_foreach(components, i, one)
	{
		console_tick(v, "c-", fact_text(one, "id"), false, NONE);
		console_text(v, fact_text(one, "name"));
		console_raw(v, "</label>\n");
	}
	console_raw(v, "</fieldset>\n");
	console_field(v, "text_en", CONSOLE_WORD_TEXT_EN, NONE, "textarea", "", false);
	console_field(v, "text_fr", CONSOLE_WORD_TEXT_FR, NONE, "textarea", "", false);
	console_submit(v, CONSOLE_WORD_WORKS_ADD, false);
	console_raw(v, "</form></section>\n");
}

void console_html_works(const struct console_view *v, const json_t *works)
{
	static const enum console_word columns[] = { CONSOLE_WORD_WORKS,      CONSOLE_WORD_FROM,  CONSOLE_WORD_TO,
		                                     CONSOLE_WORD_COMPONENTS, CONSOLE_WORD_STATE, NONE };
	const json_t *list = json_object_get(works, "works"), *components = json_object_get(works, "components");
	json_t *one;
	size_t i;

	if (begin(v, CONSOLE_WORD_WORKS, CONSOLE_WORD_NO_WORKS, list, columns)) {
		json_array_foreach(list, i, one)
		{
			work_row(v, one);
		}
		console_table_end(v);
	}
	if (console_may(v, CONSOLE_OPERATE) && json_array_size(components))
		add_works(v, components);
	else if (console_may(v, CONSOLE_OPERATE))
		console_element(v, "p", CONSOLE_WORD_NO_COMPONENTS);
	console_end(v);
}

/* ---- events ---- */

static void add_event(const view_t *v)
{
	console_section(v, CONSOLE_WORD_EVENT_ADD);
	console_form(v, "events", "");
	console_terms_choose(v, "kind", CONSOLE_WORD_KIND, NONE, CONSOLE_EVENTS, "own_change");
	console_field(v, "text", CONSOLE_WORD_EVENT_TEXT, NONE, "text", "", true);
	console_time(v, "since", CONSOLE_WORD_SINCE, true);
	console_time(v, "until", CONSOLE_WORD_UNTIL, false);
	console_field(v, "url", CONSOLE_WORD_EVENT_URL, NONE, "url", "", false);
	console_submit(v, CONSOLE_WORD_ADD, false);
	console_raw(v, "</form></section>\n");
}

void console_html_events(const struct console_view *v, const json_t *events)
{
	static const enum console_word columns[] = { CONSOLE_WORD_EVENT_TEXT, CONSOLE_WORD_KIND, CONSOLE_WORD_BEGAN,
		                                     CONSOLE_WORD_ENDED, NONE };
	const json_t *list = json_object_get(events, "events");
	json_t *one;
	size_t i;

	if (begin(v, CONSOLE_WORD_EVENTS, CONSOLE_WORD_NO_EVENTS, list, columns)) {
		json_array_foreach(list, i, one)
		{
			console_raw(v, "<tr><th scope=\"row\">");
			console_text(v, fact_text(one, "text"));
			console_raw(v, "</th><td>");
			console_term(v, CONSOLE_EVENTS, fact_text(one, "kind"));
			console_raw(v, "</td>");
			console_span(v, one);
			console_raw(v, "</tr>\n");
		}
		console_table_end(v);
	}
	if (console_may(v, CONSOLE_OPERATE))
		add_event(v);
	console_end(v);
}

/* ---- audit ---- */

static void audit_row(const view_t *v, const json_t *one)
{
	uint64_t revision = fact_count(one, "revision");

	console_raw(v, "<tr><td>");
	console_moment(v, one, "at");
	console_raw(v, "</td>");
	console_cell(v, fact_text(one, "who"));
	console_raw(v, "<td>");
	console_term(v, CONSOLE_DEEDS, fact_text(one, "what"));
	console_raw(v, "</td><td>");
	console_text(v, fact_text(one, "object"));
	if (revision)
		(void)fprintf(v->out, ", %" PRIu64, revision);
	console_raw(v, "</td><td>");
	console_term(v, CONSOLE_OUTCOMES, fact_text(one, "outcome"));
	if (*fact_text(one, "message")) {
		console_raw(v, v->language == LANGUAGE_FR ? WORDS_TIE ": " : ": ");
		console_sentence_say(v, fact_text(one, "message"));
	}
	console_raw(v, "</td></tr>\n");
}

void console_html_audit(const struct console_view *v, const json_t *audit)
{
	static const enum console_word columns[] = { CONSOLE_WORD_WHEN,   CONSOLE_WORD_WHO,     CONSOLE_WORD_WHAT,
		                                     CONSOLE_WORD_OBJECT, CONSOLE_WORD_OUTCOME, NONE };
	const json_t *list = json_object_get(audit, "audit");
	json_t *one;
	size_t i;

	if (begin(v, CONSOLE_WORD_AUDIT, CONSOLE_WORD_NO_AUDIT, list, columns)) {
		json_array_foreach(list, i, one)
		{
			audit_row(v, one);
		}
		console_table_end(v);
	}
	console_end(v);
}
