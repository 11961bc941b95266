/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/paper.h"

#include <stdarg.h>
#include <stdint.h>

#include "tell/words.h"

#define MARK_MAX 0x20

/* ANSI X3.64 "select graphic rendition", by mark. */
static const char *const escapes[MARK_MAX] = {
	[1] = "\033[1m",    [2] = "\033[1;31m", [3] = "\033[1;33m", [4] = "\033[1;32m",
	[6] = "\033[0;36m", [14] = "\033[0;2m", [15] = "\033[0m",
};

bool paper_is_mark(char c)
{
	return (unsigned char)c < MARK_MAX && escapes[(unsigned char)c] != NULL;
}

/* Writes one character or mark at `text` to `out` (NULL: nowhere); adds its columns; returns its octets. */
static size_t put(const struct paper *paper, FILE *out, const char *text, unsigned *columns)
{
	unsigned char octet = (unsigned char)*text;
	uint32_t code;
	size_t length;

	if (paper_is_mark(*text)) {
		if (out && paper->color)
			(void)fputs(escapes[octet], out);
		return 1;
	}
	(*columns)++;
	if (octet == (unsigned char)WORDS_TIE[0]) {
		if (out)
			(void)fputc(' ', out);
		return 1;
	}
	length = words_utf8(text, &code);
	if (out && (length == 0 || !words_is_printable(code) || (length > 1 && !paper->unicode)))
		(void)fputc('?', out);
	else if (out)
		(void)fwrite(text, 1, length, out);
	return length ? length : 1;
}

static void spaces(const struct paper *paper, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		(void)fputc(' ', paper->out);
}

unsigned paper_columns(const char *text)
{
	unsigned columns = 0;

	while (*text)
		text += put(NULL, NULL, text, &columns);
	return columns;
}

void paper_line(const struct paper *paper, unsigned indent, const char *text)
{
	unsigned columns = 0;

	spaces(paper, indent);
	while (*text)
		text += put(paper, paper->out, text, &columns);
	(void)fputc('\n', paper->out);
}

void paper_text(const struct paper *paper, unsigned indent, unsigned hang, const char *text)
{
	unsigned column = indent;
	bool at_start = true;

	spaces(paper, indent);
	while (*text) {
		unsigned gap = 0, columns = 0;
		size_t length = 0;

		while (text[gap] == ' ')
			gap++;
		text += gap;
		while (text[length] && text[length] != ' ')
			length += put(paper, NULL, text + length, &columns);
		if (!at_start && column + gap + columns > paper->width) {
			(void)fputc('\n', paper->out);
			spaces(paper, hang);
			column = hang;
		} else {
			spaces(paper, gap);
			column += gap;
		}
		for (size_t i = 0; i < length;)
			i += put(paper, paper->out, text + i, &column);
		text += length;
		at_start = at_start && columns == 0;
	}
	(void)fputc('\n', paper->out);
}

void paper_rule(const struct paper *paper)
{
	if (paper->color)
		(void)fputs(escapes[(unsigned char)DIM[0]], paper->out);
	for (unsigned i = 0; i < paper->width; i++)
		(void)fputs(paper->unicode ? "\u2500" : "-", paper->out);
	if (paper->color)
		(void)fputs(escapes[(unsigned char)PLAIN[0]], paper->out);
	(void)fputc('\n', paper->out);
}

void draft_add(struct draft *draft, const char *format, ...)
{
	size_t left = sizeof(draft->text) - draft->length;
	va_list arguments;
	int wanted;

	va_start(arguments, format);
	wanted = vsnprintf(draft->text + draft->length, left, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		draft->length += (size_t)wanted < left ? (size_t)wanted : left - 1;
}

void paper_heading(const struct paper *paper, const char *title)
{
	struct draft d = { .length = 0 };

	(void)fputc('\n', paper->out);
	draft_add(&d, BOLD "%s" PLAIN, title);
	paper_line(paper, 0, d.text);
}
