/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a report in HTML is sound: UTF-8; no control character; tags that are ours, closed in their turn, with
 * attributes in quotes; nothing that runs or fetches. Whatever a name of a file holds, none of this may change.
 */
#ifndef HOLDFAST_FUZZ_HTML_H
#define HOLDFAST_FUZZ_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tell/words.h"

#define HTML_DEPTH 32
#define HTML_NAME 16

static inline bool html_is_known(const char *name, size_t length)
{
	static const char known[] =
		" html head meta title style body a header p h1 h2 h3 main nav ol ul li span section article "
		"dl div dt dd small strong code figure figcaption svg title desc g use circle rect path details summary table "
		"caption thead tbody tr th td bdi footer !DOCTYPE ";
	char padded[HTML_NAME + 3] = " ";

	if (length == 0 || length >= HTML_NAME)
		return false;
	memcpy(padded + 1, name, length);
	padded[length + 1] = ' ';
	padded[length + 2] = '\0';
	return strstr(known, padded) != NULL;
}

/* One tag at `*at`, "<…>"; moves behind it. */
static inline bool html_take_tag(const char **at, const char *open[HTML_DEPTH], size_t lengths[HTML_DEPTH],
                                 unsigned *depth)
{
	bool closing = (*at)[1] == '/', empty;
	const char *name = *at + 1 + closing, *c;
	size_t length = strcspn(name, " />");

	if (!html_is_known(name, length))
		return false;
	for (c = name + length; *c && *c != '>'; c++) {
		if (*c == '<')
			return false;
		if (*c == '"' && (c[-1] != '=' || !(c = strchr(c + 1, '"')) || strchr(" />", c[1]) == NULL))
			return false;
	}
	if (*c != '>')
		return false;
	empty = c[-1] == '/' || strncmp(name, "meta ", 5) == 0 || *name == '!';
	*at = c + 1;
	if (closing)
		return *depth > 0 && lengths[--*depth] == length && memcmp(open[*depth], name, length) == 0;
	if (!empty && *depth == HTML_DEPTH)
		return false;
	if (!empty) {
		open[*depth] = name;
		lengths[(*depth)++] = length;
	}
	return true;
}

static inline bool html_is_sound(const char *text, size_t size)
{
	const char *open[HTML_DEPTH], *at = text;
	size_t lengths[HTML_DEPTH];
	unsigned depth = 0;

	if (strlen(text) != size)
		return false;
	while (*at) {
		uint32_t code;
		size_t length = words_utf8(at, &code);

		if (length == 0 || (code < ' ' && code != '\n' && code != '\t') || code == 0x7f ||
		    (code >= 0x80 && code < 0xa0))
			return false;
		if (code != '<')
			at += length;
		else if (!html_take_tag(&at, open, lengths, &depth))
			return false;
	}
	return depth == 0;
}

#endif
