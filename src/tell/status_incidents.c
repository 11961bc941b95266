/* SPDX-License-Identifier: Apache-2.0 */
/* What was published of incidents and planned works, as cards: each update of one, the newest first. */
#include <stdlib.h>

#include "tell/status_pieces.h"

/* clang-format off */
static const enum component_status look_of_impact[STATUS_IMPACTS] = {
	[STATUS_NONE] = COMPONENT_OPERATIONAL, [STATUS_MINOR] = COMPONENT_DEGRADED,
	[STATUS_MAJOR] = COMPONENT_PARTIAL_OUTAGE, [STATUS_CRITICAL] = COMPONENT_MAJOR_OUTAGE,
};
/* clang-format on */

static void affected(const struct status_html *h, const struct status_incident *incident)
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
		status_raw(h, "<p class=\"meta\">");
		status_say(h, WORD_AFFECTS, list);
		status_raw(h, "</p>\n");
	}
	free(list);
}

static void when(const struct status_html *h, const struct status_incident *incident)
{
	char from[LANGUAGE_TEXT_SIZE], to[LANGUAGE_TEXT_SIZE], span[LANGUAGE_TEXT_SIZE];

	status_raw(h, "<p class=\"meta\">");
	if (status_is_planned(incident))
		status_say(h, WORD_FROM_TO, status_date_time(h, incident->scheduled_from_ns, from),
		           status_date_time(h, incident->scheduled_until_ns, to));
	else if (status_is_open(incident) || !incident->resolved_ns)
		status_say(h, WORD_SINCE, status_date_time(h, incident->started_ns, from));
	else
		status_say(h, WORD_LASTED, status_date_time(h, incident->started_ns, from),
		           language_duration(h->language, incident->resolved_ns - incident->started_ns, span));
	status_raw(h, "</p>\n");
}

static void note(const struct status_html *h, enum status_word word, const char *what)
{
	status_raw(h, "<p class=\"correction\">");
	status_say(h, word, what);
	status_raw(h, "</p>\n");
}

/* `repeated`: the one before it was of the same phase. */
static void update(const struct status_html *h, const struct status_update *update, bool repeated, unsigned level)
{
	(void)fprintf(h->out, "<li><h%u>", level);
	status_escaped(h, repeated ? status_word(h->language, WORD_UPDATE)
	                           : status_phase_word(h->language, update->phase));
	(void)fprintf(h->out, "</h%u>", level);
	status_moment(h, update->display_ns);
	status_raw(h, "\n");
	if (update->correction)
		note(h, WORD_CORRECTION, "");
	if (update->corrected)
		note(h, WORD_CORRECTED, "");
	if (update->withdrawn)
		note(h, WORD_WITHDRAWN, update->withdrawn);
	status_raw(h, update->withdrawn || update->corrected ? "<div class=\"void\">\n" : "");
	status_body(h, update->body);
	status_raw(h, update->withdrawn || update->corrected ? "</div>\n</li>\n" : "</li>\n");
}

static const char *incident_class(const struct status_incident *incident)
{
	return status_class(status_is_planned(incident) ? COMPONENT_MAINTENANCE : look_of_impact[incident->impact]);
}

/* Whether its heading leads to where all of it is. */
enum card { CARD_WHOLE, CARD_LEADS };

/* Its last `updates_max` updates; its heading's level. */
static void incident_card(const struct status_html *h, const struct status_incident *incident, uint32_t updates_max,
                          unsigned level, enum card card)
{
	struct language_time began = language_time((struct capture_time){ status_began(incident) });
	uint32_t count = incident->updates_count < updates_max ? incident->updates_count : updates_max;

	(void)fprintf(h->out, "<article class=\"card incident-card %s\" id=\"%s\">\n<h%u>", incident_class(incident),
	              incident->id, level);
	if (card == CARD_LEADS)
		(void)fprintf(h->out, "<a href=\"history/%04u-%02u.html#%s\">", began.year, began.month, incident->id);
	status_element(h, "span", incident->name);
	(void)fprintf(h->out, "%s</h%u>\n<p class=\"meta\"><span class=\"tag\">", card == CARD_LEADS ? "</a>" : "",
	              level);
	status_escaped(h, status_phase_word(h->language, incident->phase));
	status_raw(h, "</span>");
	if (!status_is_planned(incident) && incident->impact != STATUS_NONE) {
		status_raw(h, " <span class=\"tag\">");
		status_escaped(h, status_impact_word(h->language, incident->impact));
		status_raw(h, "</span>");
	}
	status_raw(h, "</p>\n");
	when(h, incident);
	affected(h, incident);
	if (count)
		status_raw(h, "<ol class=\"updates\">\n");
	for (uint32_t i = 0; i < count; i++)
		update(h, &incident->updates[i],
		       i + 1 < incident->updates_count && incident->updates[i + 1].phase == incident->updates[i].phase,
		       level + 1);
	status_raw(h, count ? "</ol>\n</article>\n" : "</article>\n");
}

/* Those for which `wanted` holds, under a title, or nothing. */
static void incidents(const struct status_html *h, const char *id, enum status_word title,
                      bool (*wanted)(const struct status_incident *incident))
{
	bool any = false;

	for (uint32_t i = 0; i < h->page->incidents_count; i++) {
		if (!wanted(&h->page->incidents[i]))
			continue;
		if (!any)
			status_block_open(h, id, title);
		any = true;
		incident_card(h, &h->page->incidents[i], STATUS_UPDATES_MAX, 3, CARD_WHOLE);
	}
	status_raw(h, any ? "</section>\n" : "");
}

static bool is_current(const struct status_incident *incident)
{
	return status_is_open(incident) && !status_is_planned(incident);
}

static bool is_coming(const struct status_incident *incident)
{
	return status_is_open(incident) && status_is_planned(incident);
}

void status_incidents_now(const struct status_html *h)
{
	incidents(h, "incidents", WORD_NOW, is_current);
}

void status_incidents_planned(const struct status_html *h)
{
	incidents(h, "planned", WORD_PLANNED, is_coming);
}

void status_incident(const struct status_html *h, const struct status_incident *incident)
{
	incident_card(h, incident, STATUS_UPDATES_MAX, 2, CARD_WHOLE);
}

static bool is_recent(const struct status_page *page, const struct status_incident *incident)
{
	int64_t ended_ns = status_is_planned(incident) ? incident->scheduled_until_ns : incident->resolved_ns;

	return !status_is_open(incident) && page->generated_ns - ended_ns < STATUS_RECENT_DAYS * STATUS_DAY_NS;
}

void status_incidents_past(const struct status_html *h)
{
	char days[LANGUAGE_TEXT_SIZE], left[LANGUAGE_TEXT_SIZE];
	uint32_t count = 0;

	status_block_open(h, "past", WORD_PAST);
	for (uint32_t i = 0; i < h->page->incidents_count && count < STATUS_RECENT_MAX; i++)
		if (is_recent(h->page, &h->page->incidents[i])) {
			incident_card(h, &h->page->incidents[i], 1, 3, CARD_LEADS);
			count++;
		}
	if (count == 0) {
		status_raw(h, "<p class=\"quiet\">");
		status_say(h, WORD_NO_PAST, language_count(h->language, STATUS_RECENT_DAYS, days));
		status_raw(h, "</p>\n");
	}
	status_raw(h, "<p><a href=\"history/index.html\">");
	status_say(h, WORD_ALL_HISTORY);
	status_raw(h, "</a></p>\n");
	if (h->page->incidents_left_out) {
		status_raw(h, "<p class=\"quiet\">");
		status_say(h, WORD_LEFT_OUT, language_count(h->language, h->page->incidents_left_out, left));
		status_raw(h, "</p>\n");
	}
	status_raw(h, "</section>\n");
}
