/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/predicate_reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trace/predicate.h"

bool reader_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool reader_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool reader_is_name(char c)
{
	return reader_is_letter(c) || reader_is_digit(c) || c == '_' || c == '-' || c == '.';
}

char reader_small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

char reader_capital(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

void reader_skip_space(struct reader *r)
{
	while (r->text[r->at] == ' ' || r->text[r->at] == '\t' || r->text[r->at] == '\n' || r->text[r->at] == '\r')
		r->at++;
}

int reader_refuse(struct reader *r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(r->error, PREDICATE_ERROR_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int reader_refuse_found(struct reader *r, const char *expected)
{
	const char *from = r->text + r->at;
	size_t length = 0;
	bool cut;

	if (*from == '\0')
		return reader_refuse(r, "expected %s, found the end", expected);
	while (length < READER_QUOTE_MAX && (reader_is_name(from[length]) || from[length] == '%'))
		length++;
	cut = length == READER_QUOTE_MAX && reader_is_name(from[length]);
	if (length == 0)
		return reader_refuse(r, "expected %s, found '%c'", expected, *from > ' ' && *from <= '~' ? *from : '?');
	return reader_refuse(r, "expected %s, found '%.*s%s'", expected, (int)length, from, cut ? "..." : "");
}

size_t reader_peek_word(const struct reader *r, char word[READER_WORD_SIZE])
{
	size_t length = 0;

	while (reader_is_letter(r->text[r->at + length])) {
		if (length + 1 < READER_WORD_SIZE)
			word[length] = reader_small(r->text[r->at + length]);
		length++;
	}
	word[length < READER_WORD_SIZE ? length : READER_WORD_SIZE - 1] = '\0';
	/* "spoofed2" is not "spoofed" */
	return reader_is_name(r->text[r->at + length]) && r->text[r->at + length] != '.' ? 0 : length;
}

bool reader_take_word(struct reader *r, const char *expected)
{
	char word[READER_WORD_SIZE];
	size_t length = reader_peek_word(r, word);

	if (length == 0 || strcmp(word, expected) != 0)
		return false;
	r->at += length;
	return true;
}

bool reader_take(struct reader *r, char c)
{
	reader_skip_space(r);
	if (r->text[r->at] != c)
		return false;
	r->at++;
	return true;
}

int reader_want(struct reader *r, char c)
{
	const char expected[] = { '\'', c, '\'', '\0' };

	return reader_take(r, c) ? 0 : reader_refuse_found(r, expected);
}

int reader_want_one_of(struct reader *r, const struct reader_word *words, const char *expected, int *value)
{
	reader_skip_space(r);
	for (; words->text; words++)
		if (reader_take_word(r, words->text)) {
			*value = words->value;
			return 0;
		}
	return reader_refuse_found(r, expected);
}

void writer_put(struct writer *w, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(w->text + w->length, sizeof(w->text) - w->length, format, arguments);
	va_end(arguments);
	w->length += length > 0 ? (size_t)length : 0;
	if (w->length >= sizeof(w->text))
		w->length = sizeof(w->text) - 1;
}

const char *writer_word(const struct reader_word *words, int value)
{
	while (words->text && words->value != value)
		words++;
	return words->text ? words->text : "";
}
