/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_pieces.h"

#include <stdarg.h>
#include <string.h>

#include "tell/console_sentences.h"
#include "tell/facts.h"
#include "tell/markup.h"
#include "tell/statement.h"

#define MINUTE_NS (60 * NS_PER_S)

void console_raw(const view_t *v, const char *markup)
{
	(void)fputs(markup, v->out);
}

void console_text(const view_t *v, const char *words)
{
	markup_text(v->out, words);
}

void console_say(const view_t *v, enum console_word word, ...)
{
	va_list arguments;

	va_start(arguments, word);
	words_fill(v->out, console_word(v->language, word), markup_text, arguments);
	va_end(arguments);
}

void console_element(const view_t *v, const char *name, enum console_word word)
{
	(void)fprintf(v->out, "<%s>", name);
	console_text(v, console_word(v->language, word));
	(void)fprintf(v->out, "</%.*s>\n", (int)strcspn(name, " "), name);
}

const char *console_when(const view_t *v, const json_t *object, const char *key, char text[LANGUAGE_TEXT_SIZE])
{
	struct capture_time time;

	text[0] = '\0';
	return fact_time(object, key, &time) ? language_date_time(v->language, time, text) : text;
}

void console_moment(const view_t *v, const json_t *object, const char *key)
{
	char words[LANGUAGE_TEXT_SIZE];

	if (!*console_when(v, object, key, words))
		return;
	console_raw(v, "<time datetime=\"");
	console_text(v, fact_text(object, key));
	console_raw(v, "\">");
	console_text(v, words);
	console_raw(v, "</time>");
}

void console_kind(const view_t *v, const char *kind)
{
	static const enum console_word words[STATEMENT_KINDS] = {
		[STATEMENT_FIRST_NOTICE] = CONSOLE_WORD_FIRST_NOTICE, [STATEMENT_UPDATE] = CONSOLE_WORD_UPDATE,
		[STATEMENT_RESOLUTION] = CONSOLE_WORD_RESOLUTION,     [STATEMENT_CORRECTION] = CONSOLE_WORD_CORRECTION,
		[STATEMENT_POSTMORTEM] = CONSOLE_WORD_POSTMORTEM,     [STATEMENT_NIS2_24H] = CONSOLE_WORD_NIS2_24H,
		[STATEMENT_NIS2_72H] = CONSOLE_WORD_NIS2_72H,         [STATEMENT_NIS2_MONTH] = CONSOLE_WORD_NIS2_MONTH,
		[STATEMENT_GDPR_33] = CONSOLE_WORD_GDPR_33,
	};
	enum statement_kind found;

	if (statement_kind_find(kind, &found))
		console_text(v, console_word(v->language, words[found]));
	else
		console_text(v, kind);
}

void console_term(const view_t *v, enum console_terms group, const char *name)
{
	const struct console_term *term = console_term_find(group, name);

	if (term) {
		console_say(v, term->word);
		return;
	}
	console_raw(v, "<code>");
	console_text(v, name);
	console_raw(v, "</code>");
}

void console_sentence_say(const view_t *v, const char *english)
{
	char words[CONSOLE_SENTENCE_SIZE];

	if (console_sentence(v->language, english, words)) {
		console_text(v, words);
		return;
	}
	console_say(v, CONSOLE_WORD_ORIGINAL);
	console_raw(v, " <span lang=\"en\">");
	console_text(v, english);
	console_raw(v, "</span>");
}

const char *console_duration(const view_t *v, int64_t ns, char text[LANGUAGE_TEXT_SIZE])
{
	if (ns >= MINUTE_NS)
		return language_duration(v->language, ns / MINUTE_NS * MINUTE_NS, text);
	(void)snprintf(text, LANGUAGE_TEXT_SIZE, "%s", console_word(v->language, CONSOLE_WORD_MOMENT));
	return text;
}

void console_left(const view_t *v, int64_t due_ns)
{
	char words[LANGUAGE_TEXT_SIZE];
	int64_t left = time_since((struct capture_time){ due_ns }, (struct capture_time){ v->now_ns });

	console_say(v, left > 0 ? CONSOLE_WORD_IN_TIME : CONSOLE_WORD_OVERDUE,
	            console_duration(v, left > 0 ? left : -left, words));
}

bool console_may(const view_t *v, enum console_role role)
{
	return v->session && v->session->token->role >= role;
}

/* ---- head and foot ---- */

static void menu(const view_t *v)
{
	static const struct {
		const char *path;
		enum console_word word;
		enum console_role role;
	} all[] = {
		{ "/", CONSOLE_WORD_OVERVIEW, CONSOLE_READ },
		{ "/draft", CONSOLE_WORD_DRAFT, CONSOLE_OPERATE },
		{ "/components", CONSOLE_WORD_COMPONENTS, CONSOLE_READ },
		{ "/works", CONSOLE_WORD_WORKS, CONSOLE_READ },
		{ "/events", CONSOLE_WORD_EVENTS, CONSOLE_READ },
		{ "/audit", CONSOLE_WORD_AUDIT, CONSOLE_READ },
	};
	static const enum console_word roles[CONSOLE_ROLES] = { CONSOLE_WORD_ROLE_READ, CONSOLE_WORD_ROLE_OPERATE,
		                                                CONSOLE_WORD_ROLE_PUBLISH };

	console_raw(v, "<nav aria-label=\"");
	console_say(v, CONSOLE_WORD_MENU);
	console_raw(v, "\"><ul class=\"menu\">");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!console_may(v, all[i].role))
			continue;
		(void)fprintf(v->out, "<li><a href=\"%s\">", all[i].path);
		console_say(v, all[i].word);
		console_raw(v, "</a></li>");
	}
	console_raw(v, "</ul></nav>\n<div class=\"me\"><p>");
	console_say(v, CONSOLE_WORD_SIGNED_IN, v->session->token->name,
	            console_word(v->language, roles[v->session->token->role]));
	console_raw(v, "</p>");
	console_form(v, "language", "");
	console_hidden(v, "back", v->here ? v->here : "");
	for (unsigned i = 0; i < LANGUAGES; i++)
		if ((enum language)i != v->language)
			(void)fprintf(v->out,
			              "<button class=\"link\" name=\"lang\" value=\"%s\" lang=\"%s\">%s</button>",
			              language_code((enum language)i), language_code((enum language)i),
			              language_name((enum language)i));
	console_raw(v, "</form>");
	console_form(v, "sign-out", "");
	console_raw(v, "<button class=\"link\">");
	console_say(v, CONSOLE_WORD_SIGN_OUT);
	console_raw(v, "</button></form></div>\n");
}

/* On every page: how much is overdue, else what is due next. */
static void alarm(const view_t *v)
{
	char words[LANGUAGE_TEXT_SIZE];

	if (v->overdue == 0 && v->next_due_ns == 0)
		return;
	console_raw(v, v->overdue ? "<p class=\"alarm late\"><a href=\"/\">" : "<p class=\"alarm\"><a href=\"/\">");
	if (v->overdue)
		console_say(v, CONSOLE_WORD_ALARM_OVERDUE, language_count(v->language, v->overdue, words));
	if (v->next_due_ns) {
		console_raw(v, v->overdue ? " " : "");
		console_say(v, CONSOLE_WORD_ALARM_NEXT, console_duration(v, v->next_due_ns - v->now_ns, words));
	}
	console_raw(v, "</a></p>\n");
}

/* What was done, and of what: "edit s1". What is not the name of a deed is nobody's word. */
static void say_done(const view_t *v)
{
	char name[LANGUAGE_TEXT_SIZE];
	const char *object = strchr(v->done, ' ');
	const struct console_term *term;

	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(v->done, " "), v->done);
	term = console_term_find(CONSOLE_DEEDS, name);
	if (!term)
		return;
	console_raw(v, "<p class=\"note ok\" role=\"status\">");
	console_say(v, CONSOLE_WORD_DONE, console_word(v->language, term->word));
	if (object) {
		console_raw(v, " (");
		console_text(v, object + 1);
		console_raw(v, ")");
	}
	console_raw(v, "</p>\n");
}

void console_begin(const view_t *v, enum console_word title, const char *more)
{
	(void)fprintf(v->out,
	              "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
	              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	              "<meta name=\"color-scheme\" content=\"light dark\">\n"
	              "<meta name=\"referrer\" content=\"no-referrer\">\n"
	              "<link rel=\"stylesheet\" href=\"/style.css\">\n<title>",
	              language_code(v->language));
	console_say(v, title, more);
	console_raw(v, " \xc2\xb7 ");
	console_say(v, CONSOLE_WORD_CONSOLE);
	console_raw(v, "</title>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">");
	console_say(v, CONSOLE_WORD_SKIP);
	console_raw(v, "</a>\n<header class=\"masthead\">\n<p class=\"site\">");
	console_say(v, CONSOLE_WORD_CONSOLE);
	console_raw(v, "</p>\n");
	if (v->session)
		menu(v);
	if (v->session)
		alarm(v);
	console_raw(v, "</header>\n<main id=\"main\">\n<h1>");
	console_say(v, title, more);
	console_raw(v, "</h1>\n");
	if (*v->done)
		say_done(v);
	if (*v->error) {
		console_raw(v, "<p class=\"note down\" role=\"alert\">");
		console_sentence_say(v, v->error);
		console_raw(v, "</p>\n");
	}
}

void console_end(const view_t *v)
{
	console_raw(v, "</main>\n</body>\n</html>\n");
}

/* ---- tables, sections ---- */

void console_table(const view_t *v, enum console_word caption, const enum console_word *columns)
{
	(void)fprintf(v->out, "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"");
	console_say(v, caption);
	console_raw(v, "\"><table><thead><tr>");
	for (; *columns != CONSOLE_WORDS_COUNT; columns++) {
		console_raw(v, "<th scope=\"col\">");
		console_say(v, *columns);
		console_raw(v, "</th>");
	}
	console_raw(v, "</tr></thead><tbody>\n");
}

void console_table_end(const view_t *v)
{
	console_raw(v, "</tbody></table></div>\n");
}

void console_section(const view_t *v, enum console_word title)
{
	console_raw(v, "<section>\n");
	console_element(v, "h2", title);
}

void console_cell(const view_t *v, const char *words)
{
	console_raw(v, "<td>");
	console_text(v, words);
	console_raw(v, "</td>");
}

void console_span(const view_t *v, const json_t *one)
{
	struct capture_time time;

	console_raw(v, "<td>");
	console_moment(v, one, "began");
	console_raw(v, "</td><td>");
	if (fact_time(one, "ended", &time))
		console_moment(v, one, "ended");
	else
		console_say(v, CONSOLE_WORD_LASTS);
	console_raw(v, "</td>");
}

void console_go(const view_t *v, const char *path, const char *id, enum console_word word)
{
	console_raw(v, "<a class=\"button\" href=\"");
	console_text(v, path);
	console_text(v, id);
	console_raw(v, "\">");
	console_say(v, word, id);
	if (*id && !strstr(console_word(v->language, word), "%s")) {
		console_raw(v, " <span class=\"hidden\">");
		console_text(v, id);
		console_raw(v, "</span>");
	}
	console_raw(v, "</a>\n");
}
