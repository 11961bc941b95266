/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of the console's pages. */
#include <string.h>

#include "impact/component.h"
#include "tell/console_pieces.h"
#include "tell/status_inside.h"

void console_hidden(const view_t *v, const char *name, const char *value)
{
	(void)fprintf(v->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	console_text(v, value);
	console_raw(v, "\">");
}

void console_form(const view_t *v, const char *path, const char *object)
{
	(void)fprintf(v->out, "<form method=\"post\" action=\"/%s%s", path, *object ? "/" : "");
	console_text(v, object);
	console_raw(v, "\">");
	if (v->session)
		console_hidden(v, "csrf", v->session->csrf);
}

static void label(const view_t *v, const char *name, enum console_word word)
{
	(void)fprintf(v->out, "<div class=\"field\"><label for=\"f-%s\">", name);
	console_say(v, word);
	console_raw(v, "</label>");
}

static void help_of(const view_t *v, const char *name, enum console_word help, const char *now)
{
	if (help == CONSOLE_WORDS_COUNT)
		return;
	(void)fprintf(v->out, "<small id=\"h-%s\">", name);
	console_say(v, help);
	if (now) {
		console_raw(v, " ");
		console_say(v, CONSOLE_WORD_NOW_UTC, now);
	}
	console_raw(v, "</small>");
}

static void field(const view_t *v, const char *name, enum console_word word, enum console_word help, const char *type,
                  const char *value, bool needed, const char *now)
{
	bool area = strcmp(type, "textarea") == 0;

	label(v, name, word);
	if (area)
		(void)fprintf(v->out, "<textarea rows=\"3\" id=\"f-%s\" name=\"%s\"", name, name);
	else
		(void)fprintf(v->out, "<input type=\"%s\" id=\"f-%s\" name=\"%s\"", type, name, name);
	if (help != CONSOLE_WORDS_COUNT)
		(void)fprintf(v->out, " aria-describedby=\"h-%s\"", name);
	console_raw(v, needed ? " required" : "");
	console_raw(v, area ? ">" : " autocomplete=\"off\" value=\"");
	console_text(v, value);
	console_raw(v, area ? "</textarea>" : "\">");
	help_of(v, name, help, now);
	console_raw(v, "</div>\n");
}

void console_field(const view_t *v, const char *name, enum console_word word, enum console_word help, const char *type,
                   const char *value, bool needed)
{
	field(v, name, word, help, type, value, needed, NULL);
}

void console_time(const view_t *v, const char *name, enum console_word word, bool needed)
{
	char now[LANGUAGE_TEXT_SIZE];

	field(v, name, word, needed ? CONSOLE_WORD_TIME_NEEDED : CONSOLE_WORD_TIME_HELP, "text", "", needed,
	      language_date_time(v->language, (struct capture_time){ v->now_ns }, now));
}

void console_tick(const view_t *v, const char *name, const char *value, bool ticked, enum console_word word)
{
	(void)fprintf(v->out, "<label class=\"choice\"><input type=\"checkbox\" name=\"%s", name);
	console_text(v, value);
	console_raw(v, ticked ? "\" value=\"1\" checked>" : "\" value=\"1\">");
	if (word != CONSOLE_WORDS_COUNT) {
		console_say(v, word);
		console_raw(v, "</label>\n");
	}
}

/* ---- selects ---- */

void console_select(const view_t *v, const char *name, enum console_word word)
{
	label(v, name, word);
	(void)fprintf(v->out, "<select id=\"f-%s\" name=\"%s\">", name, name);
}

void console_option(const view_t *v, const char *value, bool chosen)
{
	console_raw(v, "<option value=\"");
	console_text(v, value);
	console_raw(v, chosen ? "\" selected>" : "\">");
}

void console_option_end(const view_t *v)
{
	console_raw(v, "</option>");
}

void console_select_end(const view_t *v)
{
	console_raw(v, "</select></div>\n");
}

void console_select_end_help(const view_t *v, enum console_word help)
{
	console_raw(v, "</select>");
	if (help != CONSOLE_WORDS_COUNT)
		console_element(v, "small", help);
	console_raw(v, "</div>\n");
}

void console_languages(const view_t *v, enum language chosen, enum language without)
{
	console_select(v, "lang", CONSOLE_WORD_LANGUAGE);
	for (unsigned i = 0; i < LANGUAGES; i++) {
		if ((enum language)i == without)
			continue;
		console_option(v, language_code((enum language)i), (enum language)i == chosen);
		console_text(v, language_name((enum language)i));
		console_option_end(v);
	}
	console_select_end(v);
}

void console_terms_choose(const view_t *v, const char *name, enum console_word word, enum console_word help,
                          enum console_terms group, const char *chosen)
{
	console_select(v, name, word);
	for (size_t i = 0; i < console_terms_count; i++) {
		if (console_terms[i].group != group)
			continue;
		console_option(v, console_terms[i].name, strcmp(console_terms[i].name, chosen) == 0);
		console_say(v, console_terms[i].word);
		console_option_end(v);
	}
	console_select_end_help(v, help);
}

void console_statuses(const view_t *v, const char *name, enum console_word word)
{
	console_select(v, name, word);
	for (unsigned i = 0; i < COMPONENT_STATUSES; i++) {
		console_option(v, component_status_name((enum component_status)i), i == 0);
		console_text(v, status_component_word(v->language, (enum component_status)i));
		console_option_end(v);
	}
	console_select_end(v);
}

void console_submit(const view_t *v, enum console_word word, bool grave)
{
	console_raw(v, grave ? "<p><button class=\"grave\">" : "<p><button>");
	console_say(v, word);
	console_raw(v, "</button></p>");
}
