/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a predicate as it is read, character by character, and a term's text as it is written. Letters, digits
 * and space are those of ASCII, whatever the locale. reader_want...() and reader_refuse...() return -EINVAL where the
 * text is wrong, with `at` where it is and `error` what; all else moves on only where it returns true.
 */
#ifndef HOLDFAST_TRACE_PREDICATE_READER_H
#define HOLDFAST_TRACE_PREDICATE_READER_H

#include <stdbool.h>
#include <stddef.h>

#define READER_WORD_SIZE 48  /* a longer word is none that we know */
#define READER_QUOTE_MAX 24  /* octets of the offending text in a message */
#define WRITER_TEXT_SIZE 192 /* of one term */

/* Tables of words end with one that has no text. */
struct reader_word {
	const char *text;
	int value;
};

struct reader {
	const char *text;
	size_t at;
	char *error; /* PREDICATE_ERROR_SIZE */
};

struct writer {
	char text[WRITER_TEXT_SIZE]; /* cut where it is full */
	size_t length;
};

bool reader_is_digit(char c);
bool reader_is_letter(char c);
bool reader_is_name(char c); /* of a name that needs no quotes */
char reader_small(char c);
char reader_capital(char c);

void reader_skip_space(struct reader *r);
/* The word at the present place, in small letters; its length, 0 where there is none. Stays where it is. */
size_t reader_peek_word(const struct reader *r, char word[READER_WORD_SIZE]);
bool reader_take_word(struct reader *r, const char *expected);
bool reader_take(struct reader *r, char c); /* space before it is skipped */
int reader_want(struct reader *r, char c);
/* One of the words; `expected` says which. */
int reader_want_one_of(struct reader *r, const struct reader_word *words, const char *expected, int *value);

__attribute__((format(printf, 2, 3))) int reader_refuse(struct reader *r, const char *format, ...);
/* "expected WHAT, found 'word'". */
int reader_refuse_found(struct reader *r, const char *expected);

__attribute__((format(printf, 2, 3))) void writer_put(struct writer *w, const char *format, ...);
/* "" where no word has that value. */
const char *writer_word(const struct reader_word *words, int value);

#endif
