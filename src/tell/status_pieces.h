/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files share that write the status page in HTML: its pieces, and its parts. All text from outside goes
 * through markup.c; lines of one's own making are escaped by being written with status_raw() alone.
 */
#ifndef HOLDFAST_TELL_STATUS_PIECES_H
#define HOLDFAST_TELL_STATUS_PIECES_H

#include <stdint.h>
#include <stdio.h>

#include "tell/status_inside.h"

/* A file that is being written. */
struct status_html {
	FILE *out;
	const struct status_page *page;
	enum language language;
	const char *root; /* the way to the root: "", "../", "../../" */
};

void status_raw(const struct status_html *h, const char *markup);
void status_escaped(const struct status_html *h, const char *words);
/* A row of the table of words; each "%s" in it is the next of the arguments. */
void status_say(const struct status_html *h, enum status_word word, ...);
const char *status_date_time(const struct status_html *h, int64_t ns, char words[LANGUAGE_TEXT_SIZE]);
/* An element ("h2", "p class=\"about\"") of a text in the page's language or, marked so, in another. */
void status_element(const struct status_html *h, const char *name, const char *const texts[LANGUAGES]);
/* A time, for people and for programs. */
void status_moment(const struct status_html *h, int64_t ns);
/* A text as paragraphs. */
void status_body(const struct status_html *h, const char *const texts[LANGUAGES]);
/* What a state looks like: its class, its sign, and that with its word. */
const char *status_class(enum component_status status);
void status_sign(const struct status_html *h, enum component_status status);
void status_state(const struct status_html *h, enum component_status status);
/* A section with its title; its end is "</section>". */
void status_block_open(const struct status_html *h, const char *id, enum status_word title);

/* ---- parts of a page: each a section, or nothing where there is nothing to tell ---- */

/* status_incidents.c: what is open, what is planned, what was. */
void status_incidents_now(const struct status_html *h);
void status_incidents_planned(const struct status_html *h);
void status_incidents_past(const struct status_html *h);
/* One with all that was said of it, below a heading of level 1. */
void status_incident(const struct status_html *h, const struct status_incident *incident);
/* status_components.c */
void status_components(const struct status_html *h);
/* status_numbers.c: plots, each with its table. */
void status_numbers(const struct status_html *h);

#endif
