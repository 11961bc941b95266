/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/markup.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tell/paper.h"
#include "tell/words.h"

#define REPLACEMENT "\xef\xbf\xbd"

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return c == WORDS_TIE[0] ? "&nbsp;" : NULL;
	}
}

/* Writes one character at `text`, which is no mark; returns its octets. */
static size_t put(FILE *out, const char *text)
{
	const char *escaped = reference(*text);
	uint32_t code;
	size_t length;

	if (escaped) {
		(void)fputs(escaped, out);
		return 1;
	}
	length = words_utf8(text, &code);
	if (length == 0 || !words_is_printable(code))
		(void)fputs(REPLACEMENT, out);
	else
		(void)fwrite(text, 1, length, out);
	return length ? length : 1;
}

void markup_part(FILE *out, const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end)
		text += paper_is_mark(*text) ? 1 : put(out, text);
}

void markup_text(FILE *out, const char *text)
{
	markup_part(out, text, strlen(text));
}

void markup_marked(FILE *out, const char *text)
{
	bool strong = false;

	while (*text) {
		bool wanted = strong;

		if (!paper_is_mark(*text)) {
			text += put(out, text);
			continue;
		}
		wanted = *text++ == BOLD[0];
		if (wanted != strong)
			(void)fputs(wanted ? "<strong>" : "</strong>", out);
		strong = wanted;
	}
	if (strong)
		(void)fputs("</strong>", out);
}
