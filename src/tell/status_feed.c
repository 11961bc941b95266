/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Incidents and planned works as feeds: an entry each, which keeps its ID for good and whose time of change moves with
 * each update, so that a reader shows it anew and never twice. IDs are tag URIs (RFC 4151) of the page's host and the
 * day on which the incident was made: they stay as long as the page's address does.
 *
 * Atom (RFC 4287) and RSS 2.0. Texts are those of the page's first language. Escaped by markup_text(), but for what XML
 * has no name for (WORDS_TIE) and line ends, which stay.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tell/markup.h"
#include "tell/status_inside.h"

#define ENTRIES_MAX 64 /* the newest; a feed is not an archive */
#define HOST_SIZE 256

struct feed {
	FILE *out;
	const struct status_page *page;
	enum language language;
	char host[HOST_SIZE];
};

static void xml(FILE *out, const char *text)
{
	char piece[512];

	while (*text) {
		size_t length = strcspn(text, WORDS_TIE "\n\t");

		length = length < sizeof(piece) - 1 ? length : sizeof(piece) - 1;
		/* A character is not cut in two. */
		while (text[length] && length > 4 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
		memcpy(piece, text, length);
		piece[length] = '\0';
		markup_text(out, piece);
		text += length;
		if (length == 0)
			(void)fputs(*text++ == WORDS_TIE[0] ? "\xc2\xa0" : "\n", out);
	}
}

static void element(const struct feed *f, const char *name, const char *text)
{
	(void)fprintf(f->out, "<%s>", name);
	xml(f->out, text);
	(void)fprintf(f->out, "</%s>\n", name);
}

static const char *text_of(const struct feed *f, const char *const texts[LANGUAGES])
{
	enum language given;

	return status_text(f->page, texts, f->language, &given);
}

static void begin(struct feed *f, FILE *out, const struct status_page *page)
{
	const char *host = strstr(page->url, "://");

	*f = (struct feed){ .out = out, .page = page };
	f->language = page->languages_count ? page->languages[0] : LANGUAGE_EN;
	host = host ? host + 3 : "status.invalid";
	(void)snprintf(f->host, sizeof(f->host), "%.*s", (int)strcspn(host, ":/"), host);
}

static void put_tag(const struct feed *f, const struct status_incident *incident)
{
	char made[TIME_TEXT_SIZE];

	(void)time_format((struct capture_time){ incident->created_ns }, made);
	(void)fprintf(f->out, "tag:");
	xml(f->out, f->host);
	(void)fprintf(f->out, ",%.10s:incident/%s", made, incident->id);
}

static void put_link(const struct feed *f, const struct status_incident *incident)
{
	struct language_time at = language_time((struct capture_time){ status_began(incident) });

	xml(f->out, f->page->url);
	(void)fprintf(f->out, "/history/%04u-%02u.html#%s", at.year, at.month, incident->id);
}

/* Its updates, the newest first, as HTML inside of XML. */
static int put_content(const struct feed *f, const struct status_incident *incident)
{
	char *html = NULL, when[LANGUAGE_TEXT_SIZE];
	size_t length;
	FILE *to = open_memstream(&html, &length);
	uint32_t count = incident->updates_count < STATUS_UPDATES_MAX ? incident->updates_count : STATUS_UPDATES_MAX;

	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct status_update *update = &incident->updates[i];
		enum language given;
		const char *body = status_text(f->page, update->body, f->language, &given);

		(void)fputs("<p><strong>", to);
		markup_text(to, status_phase_word(f->language, update->phase));
		(void)fputs("</strong> <small>", to);
		markup_text(to, language_date_time(f->language, (struct capture_time){ update->display_ns }, when));
		(void)fputs("</small></p>\n", to);
		status_paragraphs(to, body, given == f->language ? NULL : language_code(given));
	}
	if (fclose(to) != 0) {
		free(html);
		return -ENOMEM;
	}
	xml(f->out, html);
	free(html);
	return 0;
}

static int finish(FILE *out, int result)
{
	errno = 0;
	if (result == 0 && (fflush(out) != 0 || ferror(out)))
		result = errno ? -errno : -EIO;
	return result;
}

static uint32_t entries(const struct status_page *page)
{
	return page->incidents_count < ENTRIES_MAX ? page->incidents_count : ENTRIES_MAX;
}

/* ---- Atom ---- */

static int atom_entry(const struct feed *f, const struct status_incident *incident)
{
	char at[TIME_TEXT_SIZE];
	int result;

	(void)fputs("<entry>\n<id>", f->out);
	put_tag(f, incident);
	(void)fputs("</id>\n", f->out);
	element(f, "title", text_of(f, incident->name));
	element(f, "published", time_format((struct capture_time){ incident->created_ns }, at));
	element(f, "updated", time_format((struct capture_time){ incident->updated_ns }, at));
	(void)fputs("<link rel=\"alternate\" type=\"text/html\" href=\"", f->out);
	put_link(f, incident);
	(void)fprintf(f->out, "\"/>\n<category term=\"%s\"/>\n<content type=\"html\">",
	              status_phase_name(incident->phase));
	result = put_content(f, incident);
	(void)fputs("</content>\n</entry>\n", f->out);
	return result;
}

/* When anything was last said: the page is made anew more often than that. */
static int64_t latest(const struct status_page *page)
{
	int64_t latest_ns = 0;

	for (uint32_t i = 0; i < entries(page); i++)
		latest_ns = page->incidents[i].updated_ns > latest_ns ? page->incidents[i].updated_ns : latest_ns;
	return latest_ns ? latest_ns : page->generated_ns;
}

/* A row of the table of words; each "%s" in it is the next of the arguments. */
static void say(const struct feed *f, enum status_word word, ...)
{
	va_list arguments;

	va_start(arguments, word);
	words_fill(f->out, status_word(f->language, word), xml, arguments);
	va_end(arguments);
}

static void put_title(const struct feed *f)
{
	(void)fputs("<title>", f->out);
	say(f, WORD_STATUS_OF, text_of(f, f->page->title));
	(void)fputs("</title>\n", f->out);
}

int status_atom_write(FILE *out, const struct status_page *page)
{
	char at[TIME_TEXT_SIZE];
	struct feed f;
	int result = 0;

	begin(&f, out, page);
	(void)fprintf(
		out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"%s\">\n",
		language_code(f.language));
	(void)fputs("<id>tag:", out);
	xml(out, f.host);
	(void)fputs(",2026:history</id>\n", out);
	put_title(&f);
	element(&f, "updated", time_format((struct capture_time){ latest(page) }, at));
	(void)fputs("<author><name>", out);
	xml(out, text_of(&f, page->title));
	(void)fputs("</name></author>\n<link rel=\"self\" type=\"application/atom+xml\" href=\"", out);
	xml(out, page->url);
	(void)fputs("/history.atom\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"", out);
	xml(out, page->url);
	(void)fputs("/\"/>\n", out);
	for (uint32_t i = 0; i < entries(page) && result == 0; i++)
		result = atom_entry(&f, &page->incidents[i]);
	(void)fputs("</feed>\n", out);
	return finish(out, result);
}

/* ---- RSS ---- */

static void rss_time(const struct feed *f, const char *name, int64_t ns)
{
	char text[WORDS_SIZE];

	element(f, name, words_date_mail((struct capture_time){ ns }, text));
}

static int rss_item(const struct feed *f, const struct status_incident *incident)
{
	int result;

	(void)fputs("<item>\n", f->out);
	element(f, "title", text_of(f, incident->name));
	(void)fputs("<link>", f->out);
	put_link(f, incident);
	(void)fputs("</link>\n<guid isPermaLink=\"false\">", f->out);
	put_tag(f, incident);
	(void)fputs("</guid>\n", f->out);
	rss_time(f, "pubDate", incident->updated_ns);
	(void)fputs("<description>", f->out);
	result = put_content(f, incident);
	(void)fputs("</description>\n</item>\n", f->out);
	return result;
}

int status_rss_write(FILE *out, const struct status_page *page)
{
	struct feed f;
	int result = 0;

	begin(&f, out, page);
	(void)fputs(
		"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n",
		out);
	put_title(&f);
	(void)fputs("<link>", out);
	xml(out, page->url);
	(void)fputs("/</link>\n<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"", out);
	xml(out, page->url);
	(void)fputs("/history.rss\"/>\n<description>", out);
	xml(out, status_word(f.language, WORD_HISTORY));
	(void)fprintf(out, "</description>\n<language>%s</language>\n", language_code(f.language));
	rss_time(&f, "lastBuildDate", latest(page));
	for (uint32_t i = 0; i < entries(page) && result == 0; i++)
		result = rss_item(&f, &page->incidents[i]);
	(void)fputs("</channel>\n</rss>\n", out);
	return finish(out, result);
}
