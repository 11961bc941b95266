/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page in HTML: one file for each language that stands alone. No script: what a reader could need one for is
 * done otherwise. That a page is old, it says itself, by the time until which it holds; one that was left open in a
 * browser for as long shows a note by a delay of the style's.
 *
 * All text from outside goes through markup.c; lines of its own making are escaped by being written with raw() alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tell/chart.h"
#include "tell/markup.h"
#include "tell/status_inside.h"
#include "tell/style.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define HIGH_MIN 18 /* per cent: what there was of a day is seen, however short */
#define HOUR_NS (3600 * NS_PER_S)

struct html {
	FILE *out;
	const struct status_page *page;
	enum language language;
	const char *root; /* the way to the root: "", "../", "../../" */
};

/* ---- pieces ---- */

static void raw(const struct html *h, const char *markup)
{
	(void)fputs(markup, h->out);
}

static void text(const struct html *h, const char *words)
{
	markup_text(h->out, words);
}

/* A row of the table of words; each "%s" in it is the next of the arguments. */
static void say(const struct html *h, enum status_word word, ...)
{
	va_list arguments;

	va_start(arguments, word);
	words_fill(h->out, status_word(h->language, word), markup_text, arguments);
	va_end(arguments);
}

static const char *date_time(const struct html *h, int64_t ns, char words[LANGUAGE_TEXT_SIZE])
{
	return language_date_time(h->language, (struct capture_time){ ns }, words);
}

/* An element of a text in the page's language or, marked so, in another. */
static void element(const struct html *h, const char *name, const char *const texts[LANGUAGES])
{
	enum language given;
	const char *words = status_text(h->page, texts, h->language, &given);

	(void)fprintf(h->out, "<%s", name);
	if (given != h->language)
		(void)fprintf(h->out, " lang=\"%s\"", language_code(given));
	raw(h, ">");
	text(h, words);
	(void)fprintf(h->out, "</%.*s>", (int)strcspn(name, " "), name);
}

static void moment(const struct html *h, int64_t ns)
{
	char machine[TIME_TEXT_SIZE], words[LANGUAGE_TEXT_SIZE];

	(void)fprintf(h->out, "<time datetime=\"%s\">", time_format((struct capture_time){ ns }, machine));
	text(h, date_time(h, ns, words));
	raw(h, "</time>");
}

/* Lines become lines, an empty one parts paragraphs. */
void status_paragraphs(FILE *out, const char *words, const char *lang)
{
	bool open = false;

	while (*words) {
		char line[STATUS_TEXT_MAX + 1];
		size_t length = strcspn(words, "\r\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)(length < STATUS_TEXT_MAX ? length : STATUS_TEXT_MAX),
		               words);
		words += length;
		words += strncmp(words, "\r\n", 2) == 0 ? 2 : *words != '\0';
		if (line[0] == '\0') {
			(void)fputs(open ? "</p>\n" : "", out);
			open = false;
			continue;
		}
		if (open)
			(void)fputs("<br>", out);
		else if (lang)
			(void)fprintf(out, "<p lang=\"%s\">", lang);
		else
			(void)fputs("<p>", out);
		open = true;
		markup_text(out, line);
	}
	(void)fputs(open ? "</p>\n" : "", out);
}

static void body(const struct html *h, const char *const texts[LANGUAGES])
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

static const enum component_status look_of_impact[STATUS_IMPACTS] = {
	[STATUS_NONE] = COMPONENT_OPERATIONAL, [STATUS_MINOR] = COMPONENT_DEGRADED,
	[STATUS_MAJOR] = COMPONENT_PARTIAL_OUTAGE, [STATUS_CRITICAL] = COMPONENT_MAJOR_OUTAGE,
};
/* clang-format on */

static void sign(const struct html *h, enum component_status status)
{
	(void)fprintf(h->out,
	              "<svg class=\"sign\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\">%s</svg>",
	              looks[status].sign);
}

static void state(const struct html *h, enum component_status status)
{
	(void)fprintf(h->out, "<span class=\"state %s\">", looks[status].class);
	sign(h, status);
	text(h, status_component_word(h->language, status));
	raw(h, "</span>");
}

static void block_open(const struct html *h, const char *id, enum status_word title)
{
	(void)fprintf(h->out, "<section class=\"block\" aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id, id);
	say(h, title);
	raw(h, "</h2>\n");
}

/* ---- head and foot ---- */

static void styles(const struct html *h)
{
	static const char *const *const all[] = { style_base, style_chart, status_style };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (const char *const *line = all[i]; *line; line++)
			raw(h, *line);
}

static const char *site(const struct html *h)
{
	enum language given;

	return status_text(h->page, h->page->title, h->language, &given);
}

/* The other languages' page of the same; `name` is its file below a language's folder. */
static void languages(const struct html *h, const char *name)
{
	if (h->page->languages_count < 2)
		return;
	raw(h, "<nav aria-label=\"");
	say(h, WORD_LANGUAGES);
	raw(h, "\"><ul class=\"languages\">");
	for (uint32_t i = 0; i < h->page->languages_count; i++) {
		enum language other = h->page->languages[i];
		const char *code = language_code(other);

		if (other == h->language)
			(void)fprintf(h->out, "<li><span aria-current=\"true\">%s</span></li>", language_name(other));
		else
			(void)fprintf(h->out, "<li><a href=\"%s%s%s\" lang=\"%s\" hreflang=\"%s\">%s</a></li>", h->root,
			              status_folder(h->page, other), name, code, code, language_name(other));
	}
	raw(h, "</ul></nav>\n");
}

/* Up to <main>; `headline` goes before the site's name in the title. */
static void head(const struct html *h, const char *headline, const char *name)
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
	text(h, headline);
	raw(h, " \xc2\xb7 ");
	say(h, WORD_STATUS_OF, site(h));
	raw(h, "</title>\n<style>\n");
	styles(h);
	raw(h, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#now\">");
	say(h, WORD_SKIP);
	raw(h, "</a>\n<header class=\"masthead\">\n<p class=\"site\">");
	if (h->page->url[0]) {
		raw(h, "<a href=\"");
		text(h, h->page->url);
		(void)fprintf(h->out, "/%s\">", status_folder(h->page, h->language));
	}
	say(h, WORD_STATUS_OF, site(h));
	raw(h, h->page->url[0] ? "</a></p>\n" : "</p>\n");
	languages(h, name);
	raw(h, "</header>\n");
}

static void foot(const struct html *h)
{
	raw(h, "</main>\n<footer>\n<h2>");
	say(h, WORD_FOLLOW);
	raw(h, "</h2>\n<p>");
	if (h->page->subscribe && h->page->subscribe[0]) {
		raw(h, "<a href=\"");
		text(h, h->page->subscribe);
		raw(h, "\">");
		say(h, WORD_FOLLOW_MAIL);
		raw(h, "</a></p>\n<p>");
	}
	say(h, WORD_FOLLOW_TEXT);
	(void)fprintf(h->out,
	              "</p>\n<ul><li><a href=\"%shistory.atom\">Atom</a></li><li><a href=\"%shistory.rss\">RSS</a></li>"
	              "<li><a href=\"%sapi/v2/summary.json\">JSON</a></li></ul>\n",
	              h->root, h->root, h->root);
	if (h->page->key[0]) {
		raw(h, "<h2>");
		say(h, WORD_CHECK);
		raw(h, "</h2>\n<p>");
		say(h, WORD_CHECK_TEXT);
		raw(h, "</p>\n<pre><code>minisign -Vm SHA256SUMS -P ");
		text(h, h->page->key);
		raw(h, " &amp;&amp; sha256sum -c --quiet SHA256SUMS</code></pre>\n");
	} else {
		raw(h, "<p>");
		say(h, WORD_UNSIGNED);
		raw(h, "</p>\n");
	}
	raw(h, "<p>Holdfast " HOLDFAST_VERSION "</p>\n</footer>\n</body>\n</html>\n");
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

static void holds(const struct html *h)
{
	char until[LANGUAGE_TEXT_SIZE];

	raw(h, "<p class=\"holds\"><strong>");
	say(h, WORD_HOLDS, date_time(h, h->page->stale_ns, until));
	raw(h, "</strong> ");
	say(h, WORD_STALE);
	raw(h, "</p>\n");
}

/* Where users say what does not work. */
static void report_link(const struct html *h)
{
	const char *where = h->page->report[h->language];

	if (!where)
		return;
	raw(h, "<p class=\"holds\">");
	say(h, WORD_REPORT);
	raw(h, " <a href=\"");
	text(h, where);
	raw(h, "\">");
	say(h, WORD_REPORT_LINK);
	raw(h, "</a></p>\n");
}

static void banner(const struct html *h)
{
	enum component_status worst = status_worst(h->page);
	char made[LANGUAGE_TEXT_SIZE];

	if (worst == COMPONENT_OPERATIONAL && status_has_open(h->page))
		worst = COMPONENT_DEGRADED;
	(void)fprintf(h->out, "<main>\n<div class=\"now %s\" id=\"now\">", looks[worst].class);
	sign(h, worst);
	raw(h, "<div><h1>");
	say(h, headline_of(h->page));
	raw(h, "</h1><p>");
	say(h, WORD_MADE, date_time(h, h->page->generated_ns, made));
	raw(h, "</p></div></div>\n");
	holds(h);
	report_link(h);
	(void)fprintf(h->out, "<p class=\"open-tab\" style=\"--holds: %llds\"><a href=\"\">",
	              (long long)((h->page->stale_ns - h->page->generated_ns) / NS_PER_S));
	say(h, WORD_OPEN_TAB);
	raw(h, "</a></p>\n");
}

/* ---- incidents ---- */

static void affected(const struct html *h, const struct status_incident *incident)
{
	char *list = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&list, &size);

	if (!out)
		return;
	for (uint32_t i = 0; i < incident->components_count; i++) {
		const struct status_component *component = status_find(h->page, incident->components[i]);
		enum language given;

		if (component)
			(void)fprintf(out, "%s%s", ftell(out) > 0 ? ", " : "",
			              status_text(h->page, component->name, h->language, &given));
	}
	if (fclose(out) == 0 && size > 0) {
		raw(h, "<p class=\"meta\">");
		say(h, WORD_AFFECTS, list);
		raw(h, "</p>\n");
	}
	free(list);
}

static void when(const struct html *h, const struct status_incident *incident)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE], span[LANGUAGE_TEXT_SIZE];

	raw(h, "<p class=\"meta\">");
	if (status_is_planned(incident))
		say(h, WORD_FROM_TO, date_time(h, incident->scheduled_from_ns, from),
		    date_time(h, incident->scheduled_until_ns, to));
	else if (status_is_open(incident) || !incident->resolved_ns)
		say(h, WORD_SINCE, date_time(h, incident->started_ns, from));
	else
		say(h, WORD_LASTED, date_time(h, incident->started_ns, from),
		    language_duration(h->language, incident->resolved_ns - incident->started_ns, span));
	raw(h, "</p>\n");
}

static void note(const struct html *h, enum status_word word, const char *what)
{
	raw(h, "<p class=\"correction\">");
	say(h, word, what);
	raw(h, "</p>\n");
}

/* `repeated`: the one before it was of the same phase. */
static void update(const struct html *h, const struct status_update *update, bool repeated, unsigned level)
{
	(void)fprintf(h->out, "<li><h%u>", level);
	text(h, repeated ? status_word(h->language, WORD_UPDATE) : status_phase_word(h->language, update->phase));
	(void)fprintf(h->out, "</h%u>", level);
	moment(h, update->display_ns);
	raw(h, "\n");
	if (update->correction)
		note(h, WORD_CORRECTION, "");
	if (update->corrected)
		note(h, WORD_CORRECTED, "");
	if (update->withdrawn)
		note(h, WORD_WITHDRAWN, update->withdrawn);
	raw(h, update->withdrawn || update->corrected ? "<div class=\"void\">\n" : "");
	body(h, update->body);
	raw(h, update->withdrawn || update->corrected ? "</div>\n</li>\n" : "</li>\n");
}

static const char *incident_class(const struct status_incident *incident)
{
	return looks[status_is_planned(incident) ? COMPONENT_MAINTENANCE : look_of_impact[incident->impact]].class;
}

/* Its last `updates_max` updates; its heading's level; whether that leads to where all are. */
static void incident_card(const struct html *h, const struct status_incident *incident, uint32_t updates_max,
                          unsigned level, bool linked)
{
	struct language_time began = language_time((struct capture_time){ status_began(incident) });
	uint32_t count = incident->updates_count < updates_max ? incident->updates_count : updates_max;

	(void)fprintf(h->out, "<article class=\"card incident-card %s\" id=\"%s\">\n<h%u>", incident_class(incident),
	              incident->id, level);
	if (linked)
		(void)fprintf(h->out, "<a href=\"history/%04u-%02u.html#%s\">", began.year, began.month, incident->id);
	element(h, "span", incident->name);
	(void)fprintf(h->out, "%s</h%u>\n<p class=\"meta\"><span class=\"tag\">", linked ? "</a>" : "", level);
	text(h, status_phase_word(h->language, incident->phase));
	raw(h, "</span>");
	if (!status_is_planned(incident) && incident->impact != STATUS_NONE) {
		raw(h, " <span class=\"tag\">");
		text(h, status_impact_word(h->language, incident->impact));
		raw(h, "</span>");
	}
	raw(h, "</p>\n");
	when(h, incident);
	affected(h, incident);
	if (count)
		raw(h, "<ol class=\"updates\">\n");
	for (uint32_t i = 0; i < count; i++)
		update(h, &incident->updates[i],
		       i + 1 < incident->updates_count && incident->updates[i + 1].phase == incident->updates[i].phase,
		       level + 1);
	raw(h, count ? "</ol>\n</article>\n" : "</article>\n");
}

/* Those for which `wanted` holds, under a title, or nothing. Returns how many. */
static uint32_t incidents(const struct html *h, const char *id, enum status_word title,
                          bool (*wanted)(const struct status_page *page, const struct status_incident *incident))
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < h->page->incidents_count; i++) {
		if (!wanted(h->page, &h->page->incidents[i]))
			continue;
		if (count++ == 0)
			block_open(h, id, title);
		incident_card(h, &h->page->incidents[i], STATUS_UPDATES_MAX, 3, false);
	}
	if (count)
		raw(h, "</section>\n");
	return count;
}

static bool is_current(const struct status_page *page, const struct status_incident *incident)
{
	(void)page;
	return status_is_open(incident) && !status_is_planned(incident);
}

static bool is_coming(const struct status_page *page, const struct status_incident *incident)
{
	(void)page;
	return status_is_open(incident) && status_is_planned(incident);
}

static bool is_recent(const struct status_page *page, const struct status_incident *incident)
{
	int64_t ended_ns = status_is_planned(incident) ? incident->scheduled_until_ns : incident->resolved_ns;

	return !status_is_open(incident) && page->generated_ns - ended_ns < STATUS_RECENT_DAYS * STATUS_DAY_NS;
}

static void past(const struct html *h)
{
	char days[LANGUAGE_TEXT_SIZE], left[LANGUAGE_TEXT_SIZE];
	uint32_t count = 0;

	block_open(h, "past", WORD_PAST);
	for (uint32_t i = 0; i < h->page->incidents_count && count < STATUS_RECENT_MAX; i++)
		if (is_recent(h->page, &h->page->incidents[i])) {
			incident_card(h, &h->page->incidents[i], 1, 3, true);
			count++;
		}
	if (count == 0) {
		raw(h, "<p class=\"quiet\">");
		say(h, WORD_NO_PAST, language_count(h->language, STATUS_RECENT_DAYS, days));
		raw(h, "</p>\n");
	}
	raw(h, "<p><a href=\"history/index.html\">");
	say(h, WORD_ALL_HISTORY);
	raw(h, "</a></p>\n");
	if (h->page->incidents_left_out) {
		raw(h, "<p class=\"quiet\">");
		say(h, WORD_LEFT_OUT, language_count(h->language, h->page->incidents_left_out, left));
		raw(h, "</p>\n");
	}
	raw(h, "</section>\n");
}

/* ---- components ---- */

/* "Major outage 2 h 10 min, degraded performance 1 h"; "Operational"; "not known". */
static void day_words(const struct html *h, const struct status_day *day, char *words, size_t size)
{
	size_t length = 0;
	char span[LANGUAGE_TEXT_SIZE];

	words[0] = '\0';
	if (day->known_ns == 0 || day->worst == COMPONENT_OPERATIONAL) {
		(void)snprintf(words, size, "%s",
		               day->known_ns ? status_component_word(h->language, COMPONENT_OPERATIONAL)
		                             : status_word(h->language, WORD_UNKNOWN));
		return;
	}
	for (unsigned i = COMPONENT_STATUSES; i-- > 0;)
		if (i != COMPONENT_OPERATIONAL && day->ns[i] && length < size)
			length += (size_t)snprintf(words + length, size - length, "%s%s" WORDS_TIE "%s",
			                           length ? ", " : "",
			                           status_component_word(h->language, (enum component_status)i),
			                           language_duration(h->language, day->ns[i], span));
}

/*
 * How high the colour of a day's bar reaches, per cent: the root of the day's share, so that minutes are seen beside
 * hours.
 */
static unsigned bar_high(const struct status_day *day)
{
	int64_t other_ns = day->known_ns - day->ns[COMPONENT_OPERATIONAL];
	int64_t share = day->known_ns >= PPM ? other_ns / (day->known_ns / PPM) : 0;
	unsigned high = 0;

	while ((int64_t)high * high * (PPM / 10000) < share && high < 100)
		high++;
	return high < HIGH_MIN ? HIGH_MIN : high;
}

static void bar_day(const struct html *h, const struct status_day *day)
{
	char words[256], date[LANGUAGE_TEXT_SIZE];

	day_words(h, day, words, sizeof(words));
	if (day->known_ns && day->worst != COMPONENT_OPERATIONAL)
		(void)fprintf(h->out, "<i class=\"%s\" style=\"--h:%u%%\" title=\"", looks[day->worst].class,
		              bar_high(day));
	else
		(void)fprintf(h->out, "<i class=\"%s\" title=\"", day->known_ns ? "ok" : "none");
	text(h, language_day(h->language, (struct capture_time){ day->from_ns }, date));
	raw(h, " \xc2\xb7 ");
	text(h, words);
	raw(h, "\"></i>");
}

struct run {
	int64_t from_ns, to_ns;
	char words[256];
};

static void put_run(const struct html *h, const struct run *run)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE];

	raw(h, "<div><dt>");
	text(h, language_day(h->language, (struct capture_time){ run->from_ns }, from));
	if (run->to_ns != run->from_ns) {
		raw(h, " \xe2\x80\x93 ");
		text(h, language_day(h->language, (struct capture_time){ run->to_ns }, to));
	}
	raw(h, "</dt><dd>");
	text(h, run->words);
	raw(h, "</dd></div>\n");
}

/* Days that are told alike are told together. */
static void put_runs(const struct html *h, const struct status_day days[STATUS_DAYS])
{
	struct run run = { .words = "" };

	raw(h, "<dl class=\"runs\">\n");
	for (unsigned i = 0; i < STATUS_DAYS; i++) {
		char words[sizeof(run.words)];

		day_words(h, &days[i], words, sizeof(words));
		if (i > 0 && strcmp(words, run.words) == 0) {
			run.to_ns = days[i].from_ns;
			continue;
		}
		if (i > 0)
			put_run(h, &run);
		run.from_ns = run.to_ns = days[i].from_ns;
		memcpy(run.words, words, sizeof(words));
	}
	put_run(h, &run);
	raw(h, "</dl>\n");
}

static void put_scale(const struct html *h, const struct status_component *component)
{
	int64_t known_ns;
	uint64_t ppm = status_up_ppm(h->page, component, &known_ns);
	char share[LANGUAGE_TEXT_SIZE];

	raw(h, "<p class=\"scale\"><span class=\"long\">");
	say(h, WORD_DAYS_AGO);
	raw(h, "</span><span class=\"short\">");
	say(h, WORD_DAYS_AGO_SHORT);
	raw(h, "</span><span class=\"line\" aria-hidden=\"true\"></span><span>");
	if (known_ns)
		say(h, WORD_UP, language_share_down(h->language, ppm, share));
	else
		say(h, WORD_UNKNOWN);
	raw(h, "</span><span class=\"line\" aria-hidden=\"true\"></span><span>");
	say(h, WORD_TODAY);
	raw(h, "</span></p>\n");
}

static void component(const struct html *h, const struct status_component *component, unsigned level)
{
	struct status_day days[STATUS_DAYS];
	enum language given;
	char heading[4], known[LANGUAGE_TEXT_SIZE];

	for (unsigned i = 0; i < STATUS_DAYS; i++)
		days[i] = status_day(h->page, component, STATUS_DAYS - 1 - i);
	(void)snprintf(heading, sizeof(heading), "h%u", level);
	raw(h, "<div class=\"component\">\n<div class=\"head\">");
	element(h, heading, component->name);
	state(h, status_of(h->page, component, h->page->generated_ns));
	raw(h, "</div>\n");
	if (*status_text(h->page, component->description, h->language, &given)) {
		element(h, "p class=\"about\"", component->description);
		raw(h, "\n");
	}
	raw(h, "<div class=\"days\" role=\"img\" aria-label=\"");
	say(h, WORD_BAR, status_text(h->page, component->name, h->language, &given));
	raw(h, "\">");
	for (unsigned i = 0; i < STATUS_DAYS; i++)
		bar_day(h, &days[i]);
	raw(h, "</div>\n");
	put_scale(h, component);
	raw(h, "<details><summary>");
	say(h, WORD_DAY_BY_DAY);
	raw(h, "<span class=\"hidden\"> ");
	text(h, status_text(h->page, component->name, h->language, &given));
	raw(h, "</span></summary>\n");
	if (component->start_ns > days[0].from_ns) {
		raw(h, "<p class=\"quiet\">");
		say(h, WORD_KNOWN_SINCE, date_time(h, component->start_ns, known));
		raw(h, "</p>\n");
	}
	put_runs(h, days);
	raw(h, "</details>\n</div>\n");
}

static bool has_members(const struct html *h, const struct status_component *group)
{
	for (uint32_t i = 0; i < h->page->components_count; i++)
		if (status_is_member(group, &h->page->components[i]) && h->page->components[i].showcase)
			return true;
	return false;
}

static void group(const struct html *h, const struct status_component *group)
{
	raw(h, "<div class=\"card group\">\n<h3>");
	element(h, "span", group->name);
	state(h, status_of(h->page, group, h->page->generated_ns));
	raw(h, "</h3>\n");
	for (uint32_t i = 0; i < h->page->components_count; i++)
		if (status_is_member(group, &h->page->components[i]) && h->page->components[i].showcase)
			component(h, &h->page->components[i], 4);
	raw(h, "</div>\n");
}

/* Groups, and what is in none: those that follow each other stand on one card. */
static void components(const struct html *h)
{
	bool open = false, any = false;

	for (uint32_t i = 0; i < h->page->components_count; i++) {
		const struct status_component *one = &h->page->components[i];

		if (!one->showcase || (one->group[0] && status_find(h->page, one->group)) ||
		    (one->is_group && !has_members(h, one)))
			continue;
		if (!any)
			block_open(h, "components", WORD_COMPONENTS);
		any = true;
		if (open != !one->is_group) {
			raw(h, open ? "</div>\n" : "<div class=\"card group\">\n");
			open = !open;
		}
		if (one->is_group)
			group(h, one);
		else
			component(h, one, 3);
	}
	raw(h, open ? "</div>\n" : "");
	raw(h, any ? "</section>\n" : "");
}

/* ---- numbers ---- */

static int64_t series_end(const struct status_series *series)
{
	return series->from_ns + time_times(series->step_ns, series->count);
}

static void plain(FILE *out, const char *text)
{
	(void)fputs(text, out);
}

/* The same as plain text, for whoever escapes it. */
static void say_plain(char *words, size_t size, const char *pattern, ...)
{
	FILE *out = fmemopen(words, size, "w");
	va_list arguments;

	words[0] = '\0';
	if (!out)
		return;
	va_start(arguments, pattern);
	words_fill(out, pattern, plain, arguments);
	va_end(arguments);
	(void)fclose(out);
}

static void series_about(const struct html *h, const struct status_series *series, char *words, size_t size)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE], most[LANGUAGE_TEXT_SIZE], at[LANGUAGE_TEXT_SIZE];
	uint32_t highest = 0;

	for (uint32_t i = 1; i < series->count; i++)
		if (series->values[i] > series->values[highest])
			highest = i;
	(void)date_time(h, series->from_ns, from);
	(void)date_time(h, series_end(series), to);
	if (series->values[highest])
		say_plain(words, size, status_word(h->language, WORD_CHART_ABOUT), from, to,
		          language_count(h->language, series->values[highest], most),
		          date_time(h, series->from_ns + time_times(series->step_ns, highest), at));
	else
		say_plain(words, size, status_word(h->language, WORD_CHART_NONE), from, to);
}

/* What was counted in whole hours. */
static void series_table(const struct html *h, const struct status_series *series)
{
	uint32_t per = series->step_ns < HOUR_NS ? (uint32_t)(HOUR_NS / series->step_ns) : 1;
	enum language given;
	char words[LANGUAGE_TEXT_SIZE];

	raw(h, "<details><summary>");
	say(h, WORD_CHART_TABLE);
	raw(h, "<span class=\"hidden\"> ");
	text(h, status_text(h->page, series->title, h->language, &given));
	raw(h, "</span></summary>\n<div class=\"many\" role=\"group\" tabindex=\"0\" aria-label=\"");
	say(h, WORD_CHART_TABLE);
	raw(h, "\">\n<table>\n<caption>");
	element(h, "span", series->title);
	raw(h, "</caption>\n<thead><tr><th scope=\"col\">");
	say(h, WORD_CHART_WHEN);
	raw(h, "</th><th scope=\"col\" class=\"n\">");
	say(h, WORD_CHART_HOW_MANY);
	raw(h, "</th></tr></thead>\n<tbody>\n");
	for (uint32_t i = 0; i < series->count; i += per) {
		uint64_t sum = 0;
		bool known = false;

		for (uint32_t k = i; k < i + per && k < series->count; k++) {
			known = known || !series->gaps || !series->gaps[k];
			sum += series->values[k];
		}
		raw(h, "<tr><th scope=\"row\">");
		moment(h, series->from_ns + time_times(series->step_ns, i));
		raw(h, "</th><td class=\"n\">");
		if (known)
			text(h, language_count(h->language, sum, words));
		else
			say(h, WORD_CHART_UNKNOWN);
		raw(h, "</td></tr>\n");
	}
	raw(h, "</tbody>\n</table>\n</div>\n</details>\n");
}

/* "26 Nov 09:40" */
static void short_time(const struct html *h, int64_t ns, char words[2 * LANGUAGE_TEXT_SIZE])
{
	struct language_time at = language_time((struct capture_time){ ns });
	char day[LANGUAGE_TEXT_SIZE];

	(void)snprintf(words, (size_t)2 * LANGUAGE_TEXT_SIZE,
	               "%s "
	               "%02u:%02u",
	               language_day(h->language, (struct capture_time){ ns }, day), at.hour, at.minute);
}

static void plot(const struct html *h, const struct status_series *series)
{
	enum language given;
	char about[512], times[3][2 * LANGUAGE_TEXT_SIZE];
	const char *const labels[3] = { times[0], times[1], times[2] };
	struct chart chart = {
		.id = series->id,
		.title = status_text(h->page, series->title, h->language, &given),
		.unit = "",
		.from = { series->from_ns },
		.step_ns = series->step_ns,
		.count = series->count,
		.area = series->values,
		.tone = series->good ? "good" : NULL,
		.gaps = series->gaps,
		.comma = h->language == LANGUAGE_FR,
		.times = labels,
	};

	for (unsigned i = 0; i < 3; i++)
		short_time(h, series->from_ns + (series_end(series) - series->from_ns) / 2 * i, times[i]);
	series_about(h, series, about, sizeof(about));
	chart.description = about;
	raw(h, "<div class=\"card\">\n");
	chart_write(h->out, &chart);
	element(h, "p class=\"about-plot\"", series->meaning);
	raw(h, "\n");
	series_table(h, series);
	raw(h, "</div>\n");
}

static void numbers(const struct html *h)
{
	bool any = false;

	for (uint32_t i = 0; i < h->page->series_count && i < STATUS_SERIES_MAX; i++) {
		const struct status_series *series = &h->page->series[i];

		if (series->count == 0 || series->count > STATUS_POINTS_MAX || series->step_ns <= 0)
			continue;
		if (!any)
			block_open(h, "numbers", WORD_NUMBERS);
		any = true;
		plot(h, series);
	}
	raw(h, any ? "</section>\n" : "");
}

static void method(const struct html *h)
{
	static const enum status_word items[] = { WORD_METHOD_PAGE,       WORD_METHOD_DAYS,  WORD_METHOD_UP,
		                                  WORD_METHOD_TIMES,      WORD_METHOD_CAUSE, WORD_METHOD_UNKNOWN,
		                                  WORD_METHOD_CORRECTIONS };

	block_open(h, "method", WORD_METHOD);
	raw(h, "<ul class=\"method\">\n");
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		raw(h, "<li>");
		say(h, items[i]);
		raw(h, "</li>\n");
	}
	raw(h, "</ul>\n</section>\n");
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
	struct html h = {
		.out = out, .page = page, .language = language, .root = status_folder(page, language)[0] ? "../" : ""
	};

	head(&h, status_word(language, headline_of(page)), "index.html");
	banner(&h);
	(void)incidents(&h, "incidents", WORD_NOW, is_current);
	(void)incidents(&h, "planned", WORD_PLANNED, is_coming);
	components(&h);
	numbers(&h);
	past(&h);
	method(&h);
	foot(&h);
	return finish(out);
}

static struct html below(FILE *out, const struct status_page *page, enum language language)
{
	return (struct html){ .out = out,
		              .page = page,
		              .language = language,
		              .root = status_folder(page, language)[0] ? "../../" : "../" };
}

static void back(const struct html *h)
{
	raw(h, "<p><a href=\"../index.html\">");
	say(h, WORD_BACK);
	raw(h, "</a></p>\n");
}

unsigned status_months(const struct status_page *page, struct status_month months[STATUS_MONTHS_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < page->incidents_count; i++) {
		struct language_time at = language_time((struct capture_time){ status_began(&page->incidents[i]) });
		struct status_month month = { at.year, at.month, 1 };
		unsigned place = 0;

		while (place < count && (months[place].year > month.year ||
		                         (months[place].year == month.year && months[place].month > month.month)))
			place++;
		if (place < count && months[place].year == month.year && months[place].month == month.month) {
			months[place].incidents++;
			continue;
		}
		if (place == STATUS_MONTHS_MAX)
			continue;
		count += count < STATUS_MONTHS_MAX;
		memmove(&months[place + 1], &months[place], (count - 1 - place) * sizeof(months[0]));
		months[place] = month;
	}
	return count;
}

int status_months_write(FILE *out, const struct status_page *page, enum language language)
{
	struct html h = below(out, page, language);
	struct status_month months[STATUS_MONTHS_MAX];
	unsigned count = status_months(page, months);
	char words[LANGUAGE_TEXT_SIZE], days[LANGUAGE_TEXT_SIZE];

	head(&h, status_word(language, WORD_HISTORY), "history/index.html");
	raw(&h, "<main id=\"now\">\n<h1>");
	say(&h, WORD_HISTORY);
	raw(&h, "</h1>\n");
	back(&h);
	raw(&h, count ? "<ul class=\"months\">\n" : "<p>");
	for (unsigned i = 0; i < count; i++) {
		(void)fprintf(out, "<li><a href=\"%04u-%02u.html\">", months[i].year, months[i].month);
		text(&h, language_month(language, months[i].year, months[i].month, words));
		raw(&h, "</a> <span>");
		text(&h, language_count(language, months[i].incidents, words));
		raw(&h, "</span></li>\n");
	}
	if (!count)
		say(&h, WORD_NO_PAST, language_count(language, STATUS_DAYS, days));
	raw(&h, count ? "</ul>\n" : "</p>\n");
	holds(&h);
	foot(&h);
	return finish(out);
}

/* To the months before and behind, where there are any. */
static void steps(const struct html *h, unsigned year, unsigned month)
{
	struct status_month months[STATUS_MONTHS_MAX];
	unsigned count = status_months(h->page, months), here = 0;
	char words[LANGUAGE_TEXT_SIZE];

	while (here < count && (months[here].year != year || months[here].month != month))
		here++;
	raw(h, "<nav aria-label=\"");
	say(h, WORD_MONTHS);
	raw(h, "\"><p class=\"steps\">");
	for (unsigned i = 0; i < count; i++) {
		if (i != here + 1 && i + 1 != here)
			continue;
		(void)fprintf(h->out, "<a href=\"%04u-%02u.html\">", months[i].year, months[i].month);
		say(h, i > here ? WORD_EARLIER : WORD_LATER,
		    language_month(h->language, months[i].year, months[i].month, words));
		raw(h, "</a> ");
	}
	raw(h, "<a href=\"index.html\">");
	say(h, WORD_ALL_HISTORY);
	raw(h, "</a></p></nav>\n");
}

int status_month_write(FILE *out, const struct status_page *page, enum language language, unsigned year, unsigned month)
{
	struct html h = below(out, page, language);
	char words[LANGUAGE_TEXT_SIZE], name[64];
	bool any = false;

	(void)snprintf(name, sizeof(name), "history/%04u-%02u.html", year, month);
	(void)language_month(language, year, month, words);
	head(&h, words, name);
	raw(&h, "<main id=\"now\">\n<h1>");
	say(&h, WORD_HISTORY_OF, words);
	raw(&h, "</h1>\n");
	back(&h);
	for (uint32_t i = 0; i < page->incidents_count; i++) {
		struct language_time at = language_time((struct capture_time){ status_began(&page->incidents[i]) });

		if (at.year != year || at.month != month)
			continue;
		incident_card(&h, &page->incidents[i], STATUS_UPDATES_MAX, 2, false);
		any = true;
	}
	if (!any) {
		raw(&h, "<p>");
		say(&h, WORD_NOTHING_THEN);
		raw(&h, "</p>\n");
	}
	steps(&h, year, month);
	holds(&h);
	foot(&h);
	return finish(out);
}
