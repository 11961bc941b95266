/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text into HTML. Whatever comes from outside goes through markup_text() or markup_marked(), in content and in
 * attributes alike: & < > " ' become references; what is no UTF-8, has no shape, or turns the direction of text becomes
 * U+FFFD.
 */
#ifndef HOLDFAST_TELL_MARKUP_H
#define HOLDFAST_TELL_MARKUP_H

#include <stdio.h>

/* Marks (paper.h) are dropped; WORDS_TIE becomes a no-break space. */
void markup_text(FILE *out, const char *text);
/* The same of its first octets, which end a character; the text goes on or ends behind them. */
void markup_part(FILE *out, const char *text, size_t length);
/* BOLD becomes <strong>, always closed again; other marks are dropped. For content, not for attributes. */
void markup_marked(FILE *out, const char *text);

#endif
