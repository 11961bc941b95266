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

/* Head up to and with the page's title; `more` fills the word's hole. */
void console_begin(const view_t *v, enum console_word title, const char *more);
void console_end(const view_t *v);

/* A form that posts to /path/object with the session's CSRF token. */
void console_form(const view_t *v, const char *path, const char *object);
void console_hidden(const view_t *v, const char *name, const char *value);
/* A field with its label; `help` CONSOLE_WORDS_COUNT: none. */
void console_field(const view_t *v, const char *name, enum console_word word, enum console_word help, const char *type,
                   const char *value, bool needed);
void console_option(const view_t *v, const char *value, bool chosen);
void console_select(const view_t *v, const char *name, enum console_word word);
void console_submit(const view_t *v, enum console_word word, bool grave);
/* A table's head; its columns end with CONSOLE_WORDS_COUNT. */
void console_table(const view_t *v, enum console_word caption, const enum console_word *columns);
bool console_may(const view_t *v, enum console_role role);

#endif
