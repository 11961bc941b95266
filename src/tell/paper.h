/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sheet of so many columns, onto which marked text is written: words wrapped, marks turned into colours or nothing,
 * and whatever could move a cursor or turn text around (a file may be named so) shown as '?'.
 *
 * Text is ASCII or UTF-8 with the marks below in it. What was broken off goes on in the next line with its colour.
 */
#ifndef HOLDFAST_TELL_PAPER_H
#define HOLDFAST_TELL_PAPER_H

#include <stdbool.h>
#include <stdio.h>

/* Marks: in force up to the next one. WORDS_TIE is \005. */
#define BOLD "\001"
#define RED "\002"
#define YELLOW "\003"
#define GREEN "\004"
#define CYAN "\006"
#define DIM "\016"
#define PLAIN "\017"

struct paper {
	FILE *out;
	unsigned width;
	bool color;
	bool unicode; /* false: whatever is not ASCII is shown as '?' */
};

/* A text being composed; what does not fit is cut off. */
#define DRAFT_SIZE 4096

struct draft {
	size_t length;
	char text[DRAFT_SIZE];
};

/* Wraps: the first line begins at column `indent`, the others at `hang`. A word longer than a line is not broken. */
void paper_text(const struct paper *paper, unsigned indent, unsigned hang, const char *text);
/* One line, whatever its length: what is to be copied, and tables. */
void paper_line(const struct paper *paper, unsigned indent, const char *text);
/* An empty line, and what the next are about, at the edge. */
void paper_heading(const struct paper *paper, const char *title);
/* Whether the character is a mark; WORDS_TIE is none. */
bool paper_is_mark(char c);
/* A line across the sheet. */
void paper_rule(const struct paper *paper);
/* Columns that the text takes in one line. */
unsigned paper_columns(const char *text);

__attribute__((format(printf, 2, 3))) void draft_add(struct draft *draft, const char *format, ...);

#endif
