/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's pages: for operators who have no shell. Rendered here, without a script; each is whole by itself and is
 * worked by keyboard and screen reader. What they show is JSON that the console's role makes of the record:
 *
 *     overview    { due: [due], outages: [{id, component, began, ended, belief, published, cause}],
 *                   incidents: [{id, vector, target, service, began, ended}],
 *                   statements: [{id, thread, kind, lang, state, title, made}] }
 *     due         { of: "word"|"law", thread, title, lang, incident, kind, due, submitted,
 *                   exempt: {at, by, why}|null, overdue, last, after, draft, draft_thread }
 *     matter      { thread, incident, aware: {at, by}|null, suggested, due: [due], statements: [statement] }
 *     statement   { id, revision, sha256, kind, state, made, made_by, approvals, approvals_wanted, public, published,
 *                   text, acts: [{act, revision, by, at}], mistakes: [{sentence, text}], statement: holdfast.statement/1 }
 *     choices     { incidents: [{id, vector, began}], claims: [{id, by, text}], incident, kind, after, corrects, translates, lang }
 *     components  { components: [{id, name, is_group, group, hidden, status, since}] }
 *     component   { id, name_en, name_fr, description_en, description_fr, group, is_group, hidden, components }
 *     works       { works: [{id, name, from, to, components, plan}], components }
 *     events      { events: [{id, kind, began, ended, text}] }
 *     audit       { audit: [{at, who, role, what, object, revision, outcome, message}] }
 *
 * What is missing in it, or of another type, is shown as nothing. Texts from outside are escaped. Times are UTC, and
 * say so.
 */
#ifndef HOLDFAST_TELL_CONSOLE_HTML_H
#define HOLDFAST_TELL_CONSOLE_HTML_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "tell/console_door.h"
#include "tell/language.h"

/* What all pages have. */
struct console_view {
	FILE *out;
	enum language language;
	const struct console_session *session; /* NULL: nobody is signed in */
	int64_t now_ns;
	const char *here;    /* the page's path, to which one comes back in another language; "" or NULL: to none */
	const char *done;    /* what was just done: a deed's name, a space, of what; "" */
	const char *error;   /* what is wrong, in English; "" */
	unsigned overdue;    /* of all that is due */
	int64_t next_due_ns; /* of what is not overdue the first; 0: nothing */
};

/* Why nobody is signed in. */
enum console_refusal { CONSOLE_WELCOME, CONSOLE_UNKNOWN, CONSOLE_WAIT };
/* What cannot be shown or done. */
enum console_trouble { CONSOLE_FAILED, CONSOLE_NOT_ALLOWED, CONSOLE_NOT_THERE, CONSOLE_BAD_FORM };

void console_html_sign_in(const struct console_view *v, enum console_refusal why);
void console_html_overview(const struct console_view *v, const json_t *overview);
void console_html_matter(const struct console_view *v, const json_t *matter);
void console_html_draft(const struct console_view *v, const json_t *choices);
void console_html_edit(const struct console_view *v, const json_t *kept);
/* What the public will see, or what was handed in, to be confirmed. */
void console_html_publish(const struct console_view *v, const json_t *kept);
void console_html_withdraw(const struct console_view *v, const json_t *kept);
/* A report that the law asks for (due) is not needed here, or is after all. */
void console_html_exempt(const struct console_view *v, const json_t *due);
void console_html_components(const struct console_view *v, const json_t *components);
void console_html_component(const struct console_view *v, const json_t *component);
void console_html_works(const struct console_view *v, const json_t *works);
void console_html_events(const struct console_view *v, const json_t *events);
void console_html_audit(const struct console_view *v, const json_t *audit);
void console_html_trouble(const struct console_view *v, enum console_trouble trouble);
/* The style sheet of all of them. */
void console_html_style(FILE *out);

#endif
