/* SPDX-License-Identifier: Apache-2.0 */
/* The console's page on which a statement is asked for: all that `holdfast statement draft` can be told. */
#include <string.h>

#include "tell/console_pieces.h"
#include "tell/facts.h"
#include "tell/statement.h"

#define NONE CONSOLE_WORDS_COUNT
#define SHORT_ID 8 /* digits of an incident's ID that are shown */

static void choose_incident(const view_t *v, const json_t *choices)
{
	const char *chosen = fact_text(choices, "incident");
	json_t *one;
	size_t i;

	console_select(v, "incident", CONSOLE_WORD_DRAFT_OF);
	console_option(v, "", !*chosen);
	console_say(v, CONSOLE_WORD_DRAFT_NONE);
	console_option_end(v);
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
		console_option_end(v);
	}
	console_select_end(v);
}

static void choose_kind(const view_t *v, const char *chosen, bool correction)
{
	console_select(v, "kind", CONSOLE_WORD_KIND);
	if (!correction) {
		console_option(v, "", !*chosen);
		console_say(v, CONSOLE_WORD_DRAFT_NEXT);
		console_option_end(v);
	}
	for (unsigned kind = 0; kind < STATEMENT_KINDS; kind++) {
		const char *name = statement_kind_name((enum statement_kind)kind);

		if ((kind == STATEMENT_CORRECTION) != correction)
			continue;
		console_option(v, name, strcmp(name, chosen) == 0);
		console_kind(v, name);
		console_option_end(v);
	}
	console_select_end(v);
}

static void choose_next(const view_t *v)
{
	static const unsigned minutes[] = { 10, 15, 20 };
	char words[LANGUAGE_TEXT_SIZE], value[16];

	console_select(v, "next", CONSOLE_WORD_NEXT);
	console_option(v, "", true);
	console_say(v, CONSOLE_WORD_IN_TIME, language_duration(v->language, STATEMENT_UPDATE_NS, words));
	console_option_end(v);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		(void)snprintf(value, sizeof(value), "%u", minutes[i]);
		console_option(v, value, false);
		console_say(v, CONSOLE_WORD_IN_TIME, language_duration(v->language, minutes[i] * 60 * NS_PER_S, words));
		console_option_end(v);
	}
	console_option(v, "0", false);
	console_say(v, CONSOLE_WORD_NEXT_NOT);
	console_option_end(v);
	console_select_end(v);
}

static void choose_claim(const view_t *v, const json_t *choices)
{
	json_t *one;
	size_t i;

	console_select(v, "claim", CONSOLE_WORD_CLAIM);
	console_option(v, "", true);
	console_say(v, CONSOLE_WORD_CLAIM_NONE);
	console_option_end(v);
	json_array_foreach(json_object_get(choices, "claims"), i, one)
	{
		console_option(v, fact_text(one, "id"), false);
		console_text(v, fact_text(one, "id"));
		console_raw(v, ", ");
		console_text(v, fact_text(one, "by"));
		console_raw(v, " \xc2\xb7 ");
		console_text(v, fact_text(one, "text"));
		console_option_end(v);
	}
	console_select_end_help(v, CONSOLE_WORD_CLAIM_HELP);
}

/* The same statement in another language: nothing else can be said of it. */
static void translation(const view_t *v, const json_t *choices, const char *translates)
{
	enum language is = LANGUAGES;

	console_raw(v, "<p>");
	console_say(v, CONSOLE_WORD_TRANSLATES, translates);
	console_raw(v, "</p>\n<div class=\"card\">");
	(void)language_find(fact_text(choices, "lang"), &is);
	console_form(v, "draft", "");
	console_hidden(v, "translates", translates);
	console_languages(v, v->language, is);
	console_submit(v, CONSOLE_WORD_MAKE_DRAFT, false);
	console_raw(v, "</form></div>\n");
}

static void before(const view_t *v, const char *name, const char *id, enum console_word word)
{
	console_hidden(v, name, id);
	console_raw(v, "<p>");
	console_say(v, word, id);
	console_raw(v, "</p>\n");
}

void console_html_draft(const struct console_view *v, const json_t *choices)
{
	const char *after = fact_text(choices, "after"), *corrects = fact_text(choices, "corrects");
	const char *translates = fact_text(choices, "translates");

	console_begin(v, CONSOLE_WORD_DRAFT, "");
	if (*translates) {
		translation(v, choices, translates);
		console_end(v);
		return;
	}
	console_raw(v, "<div class=\"card\">");
	console_form(v, "draft", "");
	if (*after)
		before(v, "after", after, CONSOLE_WORD_GOES_ON);
	if (*corrects)
		before(v, "corrects", corrects, CONSOLE_WORD_CORRECTS);
	if (!*after && !*corrects)
		choose_incident(v, choices);
	choose_kind(v, fact_text(choices, "kind"), *corrects);
	console_languages(v, v->language, LANGUAGES);
	console_time(v, "since", CONSOLE_WORD_SINCE, false);
	console_time(v, "until", CONSOLE_WORD_UNTIL, false);
	console_field(v, "component", CONSOLE_WORD_COMPONENT, CONSOLE_WORD_COMPONENT_HELP, "text", "", false);
	console_field(v, "text", CONSOLE_WORD_OWN_SENTENCE, NONE, "textarea", "", false);
	if (!*corrects) {
		console_terms_choose(v, "phase", CONSOLE_WORD_PHASE, NONE, CONSOLE_PHASES, "");
		choose_next(v);
	}
	choose_claim(v, choices);
	console_submit(v, CONSOLE_WORD_MAKE_DRAFT, false);
	console_raw(v, "</form></div>\n");
	console_end(v);
}
