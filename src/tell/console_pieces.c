/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_pieces.h"

#include <stdarg.h>
#include <string.h>

#include "tell/facts.h"
#include "tell/markup.h"
#include "tell/statement.h"
#include "tell/status_inside.h"
#include "tell/style.h"

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
	const char *at = console_word(v->language, word);
	va_list arguments;

	va_start(arguments, word);
	while (*at) {
		const char *hole = strstr(at, "%s");
		char piece[CONSOLE_FRAGMENT_MAX];

		(void)snprintf(piece, sizeof(piece), "%.*s", hole ? (int)(hole - at) : (int)sizeof(piece) - 1, at);
		console_text(v, piece);
		at += strlen(piece);
		if (hole && at == hole) {
			console_text(v, va_arg(arguments, const char *));
			at += 2;
		}
	}
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
	console_raw(v, "</header>\n<main id=\"main\">\n<h1>");
	console_say(v, title, more);
	console_raw(v, "</h1>\n");
	if (*v->done) {
		console_raw(v, "<p class=\"note ok\" role=\"status\">");
		console_say(v, CONSOLE_WORD_DONE, v->done);
		console_raw(v, "</p>\n");
	}
	if (*v->error) {
		console_raw(v, "<p class=\"note down\" role=\"alert\" lang=\"en\">");
		console_text(v, v->error);
		console_raw(v, "</p>\n");
	}
}

void console_end(const view_t *v)
{
	console_raw(v, "</main>\n</body>\n</html>\n");
}

/* ---- forms ---- */

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

void console_field(const view_t *v, const char *name, enum console_word word, enum console_word help, const char *type,
                   const char *value, bool needed)
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
	if (help != CONSOLE_WORDS_COUNT) {
		(void)fprintf(v->out, "<small id=\"h-%s\">", name);
		console_say(v, help);
		console_raw(v, "</small>");
	}
	console_raw(v, "</div>\n");
}

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

void console_submit(const view_t *v, enum console_word word, bool grave)
{
	console_raw(v, grave ? "<p><button class=\"grave\">" : "<p><button>");
	console_say(v, word);
	console_raw(v, "</button></p>");
}

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

/* ---- style ---- */

/* clang-format off */
static const char *const console_style[] = {
	"body { max-width: 62rem; }\n",
	".masthead { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center; padding-bottom: .75rem; border-bottom: 1px solid var(--rule); }\n",
	".menu { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; list-style: none; margin: 0; padding: 0; }\n",
	".menu li { margin: 0; } .menu a { display: inline-block; padding: .45rem 0; }\n",
	".me { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem 1rem; font-size: .9rem; color: var(--soft); }\n",
	".me p, .me form { margin: 0; }\n",
	"h1 { font-size: clamp(1.5rem, 1.2rem + 1.5vw, 2.1rem); }\n",
	"main > section { margin-top: 2.25rem; }\n",
	".card { background: var(--card); border: 1px solid var(--rule); border-radius: .8rem; padding: 1.1rem 1.3rem; margin: 0 0 1.25rem; box-shadow: var(--shade); }\n",
	".note { padding: .7rem 1rem; border-radius: .6rem; background: var(--wash); border: 1px solid var(--fill); color: var(--ink); max-width: none; }\n",
	".table { overflow-x: auto; margin: 0 0 1rem; } table { max-width: none; }\n",
	"td, tbody th { vertical-align: top; } td.late { color: var(--w-down); font-weight: 650; }\n",
	".field { margin: 0 0 1rem; max-width: 44rem; }\n",
	".field label, legend { display: block; font-weight: 600; margin-bottom: .25rem; }\n",
	".field small { display: block; margin-top: .2rem; }\n",
	"input[type=text], input[type=password], input[type=url], input[type=datetime-local], textarea, select { width: 100%; min-height: 2.75rem; padding: .5rem .7rem; font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--soft); border-radius: .5rem; }\n",
	"textarea { line-height: 1.5; resize: vertical; }\n",
	"fieldset { border: 1px solid var(--rule); border-radius: .8rem; padding: .8rem 1.1rem; margin: 0 0 1rem; background: var(--card); min-width: 0; }\n",
	".choice { display: inline-flex; align-items: center; gap: .45rem; min-height: 2.75rem; margin-right: 1.4rem; font-weight: 400; }\n",
	".choice input { width: 1.2rem; height: 1.2rem; }\n",
	"button, .button { display: inline-block; min-height: 2.75rem; padding: .5rem 1.2rem; font: inherit; font-weight: 600; cursor: pointer; color: var(--page); background: var(--accent); border: 1px solid var(--accent); border-radius: .5rem; text-decoration: none; }\n",
	"button.grave { background: var(--w-down); border-color: var(--w-down); }\n",
	"button.link { min-height: 2rem; padding: .2rem 0; font-weight: 400; color: var(--accent); background: none; border: 0; text-decoration: underline; text-underline-offset: .15em; }\n",
	".actions { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: flex-start; margin-top: 1rem; }\n",
	".actions form, .actions p { margin: 0; }\n",
	".sentences { list-style: none; padding: 0; max-width: none; }\n",
	".sentences > li { padding: .7rem 0 .7rem; margin: 0; border-bottom: 1px solid var(--rule); display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .2rem 1rem; }\n",
	".badge { justify-self: start; align-self: start; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid var(--fill); background: var(--wash); color: var(--word); font-size: .85rem; font-weight: 600; }\n",
	".sentences p { margin: 0; } .sentences details { font-size: .9rem; margin-top: .3rem; }\n",
	".links { list-style: none; padding: 0; margin: .3rem 0 0; color: var(--soft); max-width: none; }\n",
	".word { border-left: 4px solid var(--accent); padding: .2rem 0 .2rem 1.2rem; margin: 1rem 0 1.5rem; }\n",
	".meta { color: var(--soft); font-size: .92rem; }\n",
	".sign-in { max-width: 26rem; }\n",
	"@media (max-width: 40rem) { .sentences > li { grid-template-columns: minmax(0, 1fr); } td, th { padding-right: .7rem; } }\n",
	NULL,
};
/* clang-format on */

void console_html_style(FILE *out)
{
	static const char *const *const all[] = { style_base, status_style, console_style };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const char *const *line = all[i]; *line; line++)
			(void)fputs(*line, out);
}
