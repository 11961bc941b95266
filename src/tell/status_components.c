/* SPDX-License-Identifier: Apache-2.0 */
/* How components stand, and how they fared day by day: a bar for who sees it, and the same in words. */
#include <string.h>

#include "tell/status_pieces.h"

#define HIGH_MIN 18 /* per cent: what there was of a day is seen, however short */

/* "Major outage 2 h 10 min, degraded performance 1 h"; "Operational"; "not known". */
static void day_words(const struct status_html *h, const struct status_day *day, char *words, size_t size)
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

static void bar_day(const struct status_html *h, const struct status_day *day)
{
	char words[256], date[LANGUAGE_TEXT_SIZE];

	day_words(h, day, words, sizeof(words));
	if (day->known_ns && day->worst != COMPONENT_OPERATIONAL)
		(void)fprintf(h->out, "<i class=\"%s\" style=\"--h:%u%%\" title=\"", status_class(day->worst),
		              bar_high(day));
	else
		(void)fprintf(h->out, "<i class=\"%s\" title=\"", day->known_ns ? "ok" : "none");
	status_escaped(h, language_day(h->language, (struct capture_time){ day->from_ns }, date));
	status_raw(h, " \xc2\xb7 ");
	status_escaped(h, words);
	status_raw(h, "\"></i>");
}

struct run {
	int64_t from_ns, to_ns;
	char words[256];
};

static void put_run(const struct status_html *h, const struct run *run)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE];

	status_raw(h, "<div><dt>");
	status_escaped(h, language_day(h->language, (struct capture_time){ run->from_ns }, from));
	if (run->to_ns != run->from_ns) {
		status_raw(h, " \xe2\x80\x93 ");
		status_escaped(h, language_day(h->language, (struct capture_time){ run->to_ns }, to));
	}
	status_raw(h, "</dt><dd>");
	status_escaped(h, run->words);
	status_raw(h, "</dd></div>\n");
}

/* Days that are told alike are told together. */
static void put_runs(const struct status_html *h, const struct status_day days[STATUS_DAYS])
{
	struct run run = { .words = "" };

	status_raw(h, "<dl class=\"runs\">\n");
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
	status_raw(h, "</dl>\n");
}

static void put_scale(const struct status_html *h, const struct status_component *component)
{
	int64_t known_ns;
	uint64_t ppm = status_up_ppm(h->page, component, &known_ns);
	char share[LANGUAGE_TEXT_SIZE];

	status_raw(h, "<p class=\"scale\"><span class=\"long\">");
	status_say(h, WORD_DAYS_AGO);
	status_raw(h, "</span><span class=\"short\">");
	status_say(h, WORD_DAYS_AGO_SHORT);
	status_raw(h, "</span><span class=\"line\" aria-hidden=\"true\"></span><span>");
	if (known_ns)
		status_say(h, WORD_UP, language_share_down(h->language, ppm, share));
	else
		status_say(h, WORD_UNKNOWN);
	status_raw(h, "</span><span class=\"line\" aria-hidden=\"true\"></span><span>");
	status_say(h, WORD_TODAY);
	status_raw(h, "</span></p>\n");
}

static void component(const struct status_html *h, const struct status_component *component, unsigned level)
{
	struct status_day days[STATUS_DAYS];
	enum language given;
	char heading[4], known[LANGUAGE_TEXT_SIZE];

	for (unsigned i = 0; i < STATUS_DAYS; i++)
		days[i] = status_day(h->page, component, STATUS_DAYS - 1 - i);
	(void)snprintf(heading, sizeof(heading), "h%u", level);
	status_raw(h, "<div class=\"component\">\n<div class=\"head\">");
	status_element(h, heading, component->name);
	status_state(h, status_of(h->page, component, h->page->generated_ns));
	status_raw(h, "</div>\n");
	if (*status_text(h->page, component->description, h->language, &given)) {
		status_element(h, "p class=\"about\"", component->description);
		status_raw(h, "\n");
	}
	status_raw(h, "<div class=\"days\" role=\"img\" aria-label=\"");
	status_say(h, WORD_BAR, status_text(h->page, component->name, h->language, &given));
	status_raw(h, "\">");
	for (unsigned i = 0; i < STATUS_DAYS; i++)
		bar_day(h, &days[i]);
	status_raw(h, "</div>\n");
	put_scale(h, component);
	status_raw(h, "<details><summary>");
	status_say(h, WORD_DAY_BY_DAY);
	status_raw(h, "<span class=\"hidden\"> ");
	status_escaped(h, status_text(h->page, component->name, h->language, &given));
	status_raw(h, "</span></summary>\n");
	if (component->start_ns > days[0].from_ns) {
		status_raw(h, "<p class=\"quiet\">");
		status_say(h, WORD_KNOWN_SINCE, status_date_time(h, component->start_ns, known));
		status_raw(h, "</p>\n");
	}
	put_runs(h, days);
	status_raw(h, "</details>\n</div>\n");
}

static bool has_members(const struct status_html *h, const struct status_component *group)
{
	for (uint32_t i = 0; i < h->page->components_count; i++)
		if (status_is_member(group, &h->page->components[i]) && h->page->components[i].showcase)
			return true;
	return false;
}

static void group(const struct status_html *h, const struct status_component *group)
{
	status_raw(h, "<div class=\"card group\">\n<h3>");
	status_element(h, "span", group->name);
	status_state(h, status_of(h->page, group, h->page->generated_ns));
	status_raw(h, "</h3>\n");
	for (uint32_t i = 0; i < h->page->components_count; i++)
		if (status_is_member(group, &h->page->components[i]) && h->page->components[i].showcase)
			component(h, &h->page->components[i], 4);
	status_raw(h, "</div>\n");
}

/* Groups, and what is in none: those that follow each other stand on one card. */
void status_components(const struct status_html *h)
{
	bool open = false, any = false;

	for (uint32_t i = 0; i < h->page->components_count; i++) {
		const struct status_component *one = &h->page->components[i];

		if (!one->showcase || (one->group[0] && status_find(h->page, one->group)) ||
		    (one->is_group && !has_members(h, one)))
			continue;
		if (!any)
			status_block_open(h, "components", WORD_COMPONENTS);
		any = true;
		if (open != !one->is_group) {
			status_raw(h, open ? "</div>\n" : "<div class=\"card group\">\n");
			open = !open;
		}
		if (one->is_group)
			group(h, one);
		else
			component(h, one, 3);
	}
	status_raw(h, open ? "</div>\n" : "");
	status_raw(h, any ? "</section>\n" : "");
}
