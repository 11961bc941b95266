/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page in HTML: one file for each language that stands alone. No script: what a reader could need one for is
 * done otherwise. That a page is old, it says itself, by the time until which it holds; one that was left open in a
 * browser for as long shows a note by a delay of the style's.
 *
 * Here are what stands around everything, how things stand, and which part comes where. The parts are in
 * status_incidents.c, status_components.c and status_numbers.c.
 */
#include <errno.h>

#include "tell/status_pieces.h"
#include "tell/style.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

/* ---- head and foot ---- */

static void styles(const struct status_html *h)
{
	static const char *const *const all[] = { style_base, style_chart, status_style };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const char *const *line = all[i]; *line; line++)
			status_raw(h, *line);
}

static const char *site(const struct status_html *h)
{
	enum language given;

	return status_text(h->page, h->page->title, h->language, &given);
}

/* The other languages' page of the same; `name` is its file below a language's folder. */
static void languages(const struct status_html *h, const char *name)
{
	if (h->page->languages_count < 2)
		return;
	status_raw(h, "<nav aria-label=\"");
	status_say(h, WORD_LANGUAGES);
	status_raw(h, "\"><ul class=\"languages\">");
	for (uint32_t i = 0; i < h->page->languages_count; i++) {
		enum language other = h->page->languages[i];
		const char *code = language_code(other);

		if (other == h->language)
			(void)fprintf(h->out, "<li><span aria-current=\"true\">%s</span></li>", language_name(other));
		else
			(void)fprintf(h->out, "<li><a href=\"%s%s%s\" lang=\"%s\" hreflang=\"%s\">%s</a></li>", h->root,
			              status_folder(h->page, other), name, code, code, language_name(other));
	}
	status_raw(h, "</ul></nav>\n");
}

/* Up to <main>; `headline` goes before the site's name in the title. */
static void head(const struct status_html *h, const char *headline, const char *name)
{
	(void)fprintf(
		h->out,
		"<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
		"base-uri 'none'; form-action 'none'\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n"
		"<meta name=\"generator\" content=\"holdfast " HOLDFAST_VERSION "\">\n",
		language_code(h->language));
	for (uint32_t i = 0; i < h->page->languages_count && h->page->languages_count > 1; i++)
		(void)fprintf(h->out, "<link rel=\"alternate\" hreflang=\"%s\" href=\"%s%s%s\">\n",
		              language_code(h->page->languages[i]), h->root,
		              status_folder(h->page, h->page->languages[i]), name);
	(void)fprintf(h->out,
	              "<link rel=\"alternate\" type=\"application/atom+xml\" href=\"%shistory.atom\">\n"
	              "<link rel=\"alternate\" type=\"application/rss+xml\" href=\"%shistory.rss\">\n<title>",
	              h->root, h->root);
	status_escaped(h, headline);
	status_raw(h, " \xc2\xb7 ");
	status_say(h, WORD_STATUS_OF, site(h));
	status_raw(h, "</title>\n<style>\n");
	styles(h);
	status_raw(h, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#now\">");
	status_say(h, WORD_SKIP);
	status_raw(h, "</a>\n<header class=\"masthead\">\n<p class=\"site\">");
	if (h->page->url[0]) {
		status_raw(h, "<a href=\"");
		status_escaped(h, h->page->url);
		(void)fprintf(h->out, "/%s\">", status_folder(h->page, h->language));
	}
	status_say(h, WORD_STATUS_OF, site(h));
	status_raw(h, h->page->url[0] ? "</a></p>\n" : "</p>\n");
	languages(h, name);
	status_raw(h, "</header>\n");
}

static void foot(const struct status_html *h)
{
	status_raw(h, "</main>\n<footer>\n<h2>");
	status_say(h, WORD_FOLLOW);
	status_raw(h, "</h2>\n<p>");
	if (h->page->subscribe && h->page->subscribe[0]) {
		status_raw(h, "<a href=\"");
		status_escaped(h, h->page->subscribe);
		status_raw(h, "\">");
		status_say(h, WORD_FOLLOW_MAIL);
		status_raw(h, "</a></p>\n<p>");
	}
	status_say(h, WORD_FOLLOW_TEXT);
	(void)fprintf(h->out,
	              "</p>\n<ul><li><a href=\"%shistory.atom\">Atom</a></li><li><a href=\"%shistory.rss\">RSS</a></li>"
	              "<li><a href=\"%sapi/v2/summary.json\">JSON</a></li></ul>\n",
	              h->root, h->root, h->root);
	if (h->page->key[0]) {
		status_raw(h, "<h2>");
		status_say(h, WORD_CHECK);
		status_raw(h, "</h2>\n<p>");
		status_say(h, WORD_CHECK_TEXT);
		status_raw(h, "</p>\n<pre><code>minisign -Vm SHA256SUMS -P ");
		status_escaped(h, h->page->key);
		status_raw(h, " &amp;&amp; sha256sum -c --quiet SHA256SUMS</code></pre>\n");
	} else {
		status_raw(h, "<p>");
		status_say(h, WORD_UNSIGNED);
		status_raw(h, "</p>\n");
	}
	status_raw(h, "<p>Holdfast " HOLDFAST_VERSION "</p>\n</footer>\n</body>\n</html>\n");
}

/* ---- what stands now ---- */

static enum status_word headline_of(const struct status_page *page)
{
	static const enum status_word of[COMPONENT_STATUSES] = {
		[COMPONENT_OPERATIONAL] = WORD_ALL_WELL,        [COMPONENT_DEGRADED] = WORD_SOME_DEGRADED,
		[COMPONENT_PARTIAL_OUTAGE] = WORD_SOME_PARTLY,  [COMPONENT_MAJOR_OUTAGE] = WORD_SOME_DOWN,
		[COMPONENT_MAINTENANCE] = WORD_MAINTENANCE_NOW,
	};
	enum component_status worst = status_worst(page);

	if (worst == COMPONENT_OPERATIONAL && status_has_open(page))
		return WORD_WELL_BUT_OPEN;
	return page->components_count || worst != COMPONENT_OPERATIONAL ? of[worst] : WORD_NOTHING_SHOWN;
}

static void holds(const struct status_html *h)
{
	char until[LANGUAGE_TEXT_SIZE];

	status_raw(h, "<p class=\"holds\"><strong>");
	status_say(h, WORD_HOLDS, status_date_time(h, h->page->stale_ns, until));
	status_raw(h, "</strong> ");
	status_say(h, WORD_STALE);
	status_raw(h, "</p>\n");
}

/* Where users say what does not work. */
static void report_link(const struct status_html *h)
{
	const char *where = h->page->report[h->language];

	if (!where)
		return;
	status_raw(h, "<p class=\"holds\">");
	status_say(h, WORD_REPORT);
	status_raw(h, " <a href=\"");
	status_escaped(h, where);
	status_raw(h, "\">");
	status_say(h, WORD_REPORT_LINK);
	status_raw(h, "</a></p>\n");
}

static void banner(const struct status_html *h)
{
	enum component_status worst = status_worst(h->page);
	char made[LANGUAGE_TEXT_SIZE];

	if (worst == COMPONENT_OPERATIONAL && status_has_open(h->page))
		worst = COMPONENT_DEGRADED;
	(void)fprintf(h->out, "<main>\n<div class=\"now %s\" id=\"now\">", status_class(worst));
	status_sign(h, worst);
	status_raw(h, "<div><h1>");
	status_say(h, headline_of(h->page));
	status_raw(h, "</h1><p>");
	status_say(h, WORD_MADE, status_date_time(h, h->page->generated_ns, made));
	status_raw(h, "</p></div></div>\n");
	holds(h);
	report_link(h);
	(void)fprintf(h->out, "<p class=\"open-tab\" style=\"--holds: %llds\"><a href=\"\">",
	              (long long)((h->page->stale_ns - h->page->generated_ns) / NS_PER_S));
	status_say(h, WORD_OPEN_TAB);
	status_raw(h, "</a></p>\n");
}

/* ---- how it is made ---- */

static void method(const struct status_html *h)
{
	static const enum status_word items[] = { WORD_METHOD_PAGE,       WORD_METHOD_DAYS,  WORD_METHOD_UP,
		                                  WORD_METHOD_TIMES,      WORD_METHOD_CAUSE, WORD_METHOD_UNKNOWN,
		                                  WORD_METHOD_CORRECTIONS };

	status_block_open(h, "method", WORD_METHOD);
	status_raw(h, "<ul class=\"method\">\n");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		status_raw(h, "<li>");
		status_say(h, items[i]);
		status_raw(h, "</li>\n");
	}
	status_raw(h, "</ul>\n</section>\n");
}

/* ---- pages ---- */

static int finish(FILE *out)
{
	errno = 0;
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int status_html_write(FILE *out, const struct status_page *page, enum language language)
{
	struct status_html h = {
		.out = out, .page = page, .language = language, .root = status_folder(page, language)[0] ? "../" : ""
	};

	head(&h, status_word(language, headline_of(page)), "index.html");
	banner(&h);
	status_incidents_now(&h);
	status_incidents_planned(&h);
	status_components(&h);
	status_numbers(&h);
	status_incidents_past(&h);
	method(&h);
	foot(&h);
	return finish(out);
}

static struct status_html below(FILE *out, const struct status_page *page, enum language language)
{
	return (struct status_html){ .out = out,
		                     .page = page,
		                     .language = language,
		                     .root = status_folder(page, language)[0] ? "../../" : "../" };
}

static void back(const struct status_html *h)
{
	status_raw(h, "<p><a href=\"../index.html\">");
	status_say(h, WORD_BACK);
	status_raw(h, "</a></p>\n");
}

int status_months_write(FILE *out, const struct status_page *page, enum language language)
{
	struct status_html h = below(out, page, language);
	struct status_month months[STATUS_MONTHS_MAX];
	unsigned count = status_months(page, months);
	char words[LANGUAGE_TEXT_SIZE], days[LANGUAGE_TEXT_SIZE];

	head(&h, status_word(language, WORD_HISTORY), "history/index.html");
	status_raw(&h, "<main id=\"now\">\n<h1>");
	status_say(&h, WORD_HISTORY);
	status_raw(&h, "</h1>\n");
	back(&h);
	status_raw(&h, count ? "<ul class=\"months\">\n" : "<p>");
	for (unsigned i = 0; i < count; i++) {
		(void)fprintf(out, "<li><a href=\"%04u-%02u.html\">", months[i].year, months[i].month);
		status_escaped(&h, language_month(language, months[i].year, months[i].month, words));
		status_raw(&h, "</a> <span>");
		status_escaped(&h, language_count(language, months[i].incidents, words));
		status_raw(&h, "</span></li>\n");
	}
	if (!count)
		status_say(&h, WORD_NO_PAST, language_count(language, STATUS_DAYS, days));
	status_raw(&h, count ? "</ul>\n" : "</p>\n");
	holds(&h);
	foot(&h);
	return finish(out);
}

/* To the months before and behind, where there are any. */
static void steps(const struct status_html *h, unsigned year, unsigned month)
{
	struct status_month months[STATUS_MONTHS_MAX];
	unsigned count = status_months(h->page, months), here = 0;
	char words[LANGUAGE_TEXT_SIZE];

	while (here < count && (months[here].year != year || months[here].month != month))
		here++;
	status_raw(h, "<nav aria-label=\"");
	status_say(h, WORD_MONTHS);
	status_raw(h, "\"><p class=\"steps\">");
	for (unsigned i = 0; i < count; i++) {
		if (i != here + 1 && i + 1 != here)
			continue;
		(void)fprintf(h->out, "<a href=\"%04u-%02u.html\">", months[i].year, months[i].month);
		status_say(h, i > here ? WORD_EARLIER : WORD_LATER,
		           language_month(h->language, months[i].year, months[i].month, words));
		status_raw(h, "</a> ");
	}
	status_raw(h, "<a href=\"index.html\">");
	status_say(h, WORD_ALL_HISTORY);
	status_raw(h, "</a></p></nav>\n");
}

int status_month_write(FILE *out, const struct status_page *page, enum language language, unsigned year, unsigned month)
{
	struct status_html h = below(out, page, language);
	char words[LANGUAGE_TEXT_SIZE], name[64];
	bool any = false;

	(void)snprintf(name, sizeof(name), "history/%04u-%02u.html", year, month);
	(void)language_month(language, year, month, words);
	head(&h, words, name);
	status_raw(&h, "<main id=\"now\">\n<h1>");
	status_say(&h, WORD_HISTORY_OF, words);
	status_raw(&h, "</h1>\n");
	back(&h);
	for (uint32_t i = 0; i < page->incidents_count; i++) {
		struct language_time at = language_time((struct capture_time){ status_began(&page->incidents[i]) });

		if (at.year != year || at.month != month)
			continue;
		status_incident(&h, &page->incidents[i]);
		any = true;
	}
	if (!any) {
		status_raw(&h, "<p>");
		status_say(&h, WORD_NOTHING_THEN);
		status_raw(&h, "</p>\n");
	}
	steps(&h, year, month);
	holds(&h);
	foot(&h);
	return finish(out);
}
