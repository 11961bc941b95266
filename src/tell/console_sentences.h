/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences that come in English from where languages are no matter: the record, its statements, the C library. They
 * are known by their words, with what stands in their holes, so that what was put on record in English years ago is
 * told in the reader's language too.
 */
#ifndef HOLDFAST_TELL_CONSOLE_SENTENCES_H
#define HOLDFAST_TELL_CONSOLE_SENTENCES_H

#include <stdbool.h>

#include "tell/language.h"

#define CONSOLE_SENTENCE_SIZE 1024

/* False: no row of the table is of that sentence, and `text` is undefined. What is longer is cut. */
bool console_sentence(enum language language, const char *english, char text[CONSOLE_SENTENCE_SIZE]);

#endif
