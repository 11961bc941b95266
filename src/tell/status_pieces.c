/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/status_pieces.h"

#include <stdarg.h>
#include <string.h>

#include "tell/markup.h"

void status_raw(const struct status_html *h, const char *markup)
{
	(void)fputs(markup, h->out);
}

void status_escaped(const struct status_html *h, const char *words)
{
	markup_text(h->out, words);
}

void status_say(const struct status_html *h, enum status_word word, ...)
{
	va_list arguments;

	va_start(arguments, word);
	words_fill(h->out, status_word(h->language, word), markup_text, arguments);
	va_end(arguments);
}

const char *status_date_time(const struct status_html *h, int64_t ns, char words[LANGUAGE_TEXT_SIZE])
{
	return language_date_time(h->language, (struct capture_time){ ns }, words);
}

void status_element(const struct status_html *h, const char *name, const char *const texts[LANGUAGES])
{
	enum language given;
	const char *words = status_text(h->page, texts, h->language, &given);

	(void)fprintf(h->out, "<%s", name);
	if (given != h->language)
		(void)fprintf(h->out, " lang=\"%s\"", language_code(given));
	status_raw(h, ">");
	status_escaped(h, words);
	(void)fprintf(h->out, "</%.*s>", (int)strcspn(name, " "), name);
}

void status_moment(const struct status_html *h, int64_t ns)
{
	char machine[TIME_TEXT_SIZE], words[LANGUAGE_TEXT_SIZE];

	(void)fprintf(h->out, "<time datetime=\"%s\">", time_format((struct capture_time){ ns }, machine));
	status_escaped(h, status_date_time(h, ns, words));
	status_raw(h, "</time>");
}

/* Lines become lines, an empty one parts paragraphs. */
void status_paragraphs(FILE *out, const char *words, const char *lang)
{
	bool open = false;

	while (*words) {
		size_t length = strcspn(words, "\r\n");

		if (length == 0)
			(void)fputs(open ? "</p>\n" : "", out);
		else if (open)
			(void)fputs("<br>", out);
		else if (lang)
			(void)fprintf(out, "<p lang=\"%s\">", lang);
		else
			(void)fputs("<p>", out);
		open = length > 0;
		markup_part(out, words, length);
		words += length;
		words += strncmp(words, "\r\n", 2) == 0 ? 2 : *words != '\0';
	}
	(void)fputs(open ? "</p>\n" : "", out);
}

void status_body(const struct status_html *h, const char *const texts[LANGUAGES])
{
	enum language given;
	const char *words = status_text(h->page, texts, h->language, &given);

	status_paragraphs(h->out, words, given == h->language ? NULL : language_code(given));
}

/* clang-format off */
static const struct look {
	const char *class, *sign;
} looks[COMPONENT_STATUSES] = {
	[COMPONENT_OPERATIONAL] = { "ok", "<circle class=\"disc\" cx=\"12\" cy=\"12\" r=\"11\"/><path class=\"mark\" d=\"M7 12.4l3.4 3.5L17 8.8\"/>" },
	[COMPONENT_DEGRADED] = { "deg", "<rect class=\"disc\" x=\"2\" y=\"2\" width=\"20\" height=\"20\" rx=\"5\"/><path class=\"mark\" d=\"M7 9.5h10M7 14.5h5\"/>" },
	[COMPONENT_PARTIAL_OUTAGE] = { "part-out", "<path class=\"disc\" d=\"M12 1.8a1.9 1.9 0 0 1 1.7 1l9 17.2a1.9 1.9 0 0 1-1.7 2.8H3A1.9 1.9 0 0 1 1.3 20l9-17.2a1.9 1.9 0 0 1 1.7-1z\"/><path class=\"mark\" d=\"M12 9v5.4M12 18.3v.1\"/>" },
	[COMPONENT_MAJOR_OUTAGE] = { "down", "<path class=\"disc\" d=\"M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.600V7.4z\"/><path class=\"mark\" d=\"M8.300 8.300l7.400 7.400M15.700 8.300l-7.400 7.400\"/>" },
	[COMPONENT_MAINTENANCE] = { "work", "<circle class=\"disc\" cx=\"12\" cy=\"12\" r=\"11\"/><path class=\"mark\" d=\"M9.300 8v8M14.700 8v8\"/>" },
};
/* clang-format on */

const char *status_class(enum component_status status)
{
	return looks[status].class;
}

void status_sign(const struct status_html *h, enum component_status status)
{
	(void)fprintf(h->out,
	              "<svg class=\"sign\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\">%s</svg>",
	              looks[status].sign);
}

void status_state(const struct status_html *h, enum component_status status)
{
	(void)fprintf(h->out, "<span class=\"state %s\">", status_class(status));
	status_sign(h, status);
	status_escaped(h, status_component_word(h->language, status));
	status_raw(h, "</span>");
}

void status_block_open(const struct status_html *h, const char *id, enum status_word title)
{
	(void)fprintf(h->out, "<section class=\"block\" aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id, id);
	status_say(h, title);
	status_raw(h, "</h2>\n");
}
