/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of the console's pages. */
#ifndef HOLDFAST_TELL_CONSOLE_PIECES_H
#define HOLDFAST_TELL_CONSOLE_PIECES_H

#include "tell/console_html.h"
#include "tell/console_inside.h"

typedef struct console_view view_t;

void console_raw(const view_t *v, const char *markup);
void console_text(const view_t *v, const char *words);
/* A row of the table of words; each "%s" in it is the next of the arguments. */
void console_say(const view_t *v, enum console_word word, ...);
/* In an element: "p", "h2", "p class=\"quiet\"". */
void console_element(const view_t *v, const char *name, enum console_word word);
/* A moment of JSON, as words; nothing where it is none. */
void console_moment(const view_t *v, const json_t *object, const char *key);
/* The same as text. */
const char *console_when(const view_t *v, const json_t *object, const char *key, char text[LANGUAGE_TEXT_SIZE]);
void console_kind(const view_t *v, const char *kind);
/* What a name of the group is called; a name that is none is shown as it is, as code. */
void console_term(const view_t *v, enum console_terms group, const char *name);
/* A sentence of another room, in the page's language; one that is not known there is marked as English. */
void console_sentence_say(const view_t *v, const char *english);
/* How long something lasts, as a page tells it that stands a while: whole minutes. */
const char *console_duration(const view_t *v, int64_t ns, char text[LANGUAGE_TEXT_SIZE]);
/* "in 3 h 20 min", "overdue since 5 min" */
void console_left(const view_t *v, int64_t due_ns);

/* Head up to and with the page's title; `more` fills the word's hole. */
void console_begin(const view_t *v, enum console_word title, const char *more);
void console_end(const view_t *v);

/* A form that posts to /path/object with the session's CSRF token. */
void console_form(const view_t *v, const char *path, const char *object);
void console_hidden(const view_t *v, const char *name, const char *value);
/* A field with its label; `help` CONSOLE_WORDS_COUNT: none. */
void console_field(const view_t *v, const char *name, enum console_word word, enum console_word help, const char *type,
                   const char *value, bool needed);
/* The same for a time: its help says what is typed, and what the time is. */
void console_time(const view_t *v, const char *name, enum console_word word, bool needed);
/* A tick that is posted as "1". */
void console_tick(const view_t *v, const char *name, const char *value, bool ticked, enum console_word word);
/*
 * A select: begun by this, then options, each with its words and console_option_end(), ended by console_select_end().
 */
void console_select(const view_t *v, const char *name, enum console_word word);
void console_option(const view_t *v, const char *value, bool chosen);
void console_option_end(const view_t *v);
void console_select_end(const view_t *v);
/* The same with a help below it. */
void console_select_end_help(const view_t *v, enum console_word help);
/*
 * Whole ones, of terms with a help or CONSOLE_WORDS_COUNT: of the languages but `without` (LANGUAGES: of all), of a
 * group of terms, of components' states.
 */
void console_languages(const view_t *v, enum language chosen, enum language without);
void console_terms_choose(const view_t *v, const char *name, enum console_word word, enum console_word help,
                          enum console_terms group, const char *chosen);
void console_statuses(const view_t *v, const char *name, enum console_word word);
void console_submit(const view_t *v, enum console_word word, bool grave);
/* A table: its head, whose columns end with CONSOLE_WORDS_COUNT, and its end. */
void console_table(const view_t *v, enum console_word caption, const enum console_word *columns);
void console_table_end(const view_t *v);
/* A section with its title; its end is "</section>". */
void console_section(const view_t *v, enum console_word title);
void console_cell(const view_t *v, const char *words);
/* Cells of when something began, and when it ended. */
void console_span(const view_t *v, const json_t *one);
/* A link that looks like a button; its name says of what: `id`, which may be "". */
void console_go(const view_t *v, const char *path, const char *id, enum console_word word);
/* What is due, as a list; nothing where there is none. */
void console_due(const view_t *v, const json_t *list);
/* Of one of these: somebody has said that it is not needed, and it was not handed in. */
bool console_due_is_exempt(const json_t *one);
bool console_may(const view_t *v, enum console_role role);

#endif
