/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that tell a status page (status.h). */
#ifndef HOLDFAST_TELL_STATUS_INSIDE_H
#define HOLDFAST_TELL_STATUS_INSIDE_H

#include "base/share.h"
#include "tell/status.h"

#define STATUS_DAY_NS (86400 * NS_PER_S)
#define STATUS_PATH_SIZE 96

/* How a component fared on one day, UTC. */
struct status_day {
	int64_t from_ns;
	int64_t ns[COMPONENT_STATUSES], known_ns;
	enum component_status worst; /* where known_ns is not 0 */
};

/* The one that concerns more people. */
enum component_status status_worse(enum component_status a, enum component_status b);
bool status_is_member(const struct status_component *group, const struct status_component *component);
/* 0 days ago is the day on which the page is made, up to then. */
struct status_day status_day(const struct status_page *page, const struct status_component *component, unsigned ago);
/* Of the last STATUS_DAYS days, as far as they are known: the share that was no outage, whole or partial. */
uint64_t status_up_ppm(const struct status_page *page, const struct status_component *component, int64_t *known_ns);
/* Of all components, now. */
enum component_status status_worst(const struct status_page *page);
/* Whether an incident, planned works aside, is not over. */
bool status_has_open(const struct status_page *page);
/* NULL: there is none. */
const struct status_component *status_find(const struct status_page *page, const char *id);
const struct status_incident *status_find_incident(const struct status_page *page, const char *id);
/* In that language or, where it lacks there, the first that has it, which is *given. */
const char *status_text(const struct status_page *page, const char *const texts[LANGUAGES], enum language wanted,
                        enum language *given);
/* By which an incident is sorted into months. */
int64_t status_began(const struct status_incident *incident);

/* A month in which something began, and how much. */
struct status_month {
	unsigned year, month;
	uint32_t incidents;
};

/* The latest first; returns how many. */
unsigned status_months(const struct status_page *page, struct status_month months[STATUS_MONTHS_MAX]);
/* A text as paragraphs of HTML; `lang` NULL: in the language around it. */
void status_paragraphs(FILE *out, const char *words, const char *lang);

/* ---- events (status_json.c) ---- */

struct webhook_event;

/* What webhook_body() is made of. */
int status_event_write(FILE *out, const struct status_page *page, const struct webhook_event *event);

/* ---- words (status_words.c) ---- */

/* All that the page says of itself; one row of the table each. */
enum status_word {
	WORD_STATUS_OF,
	WORD_SKIP,
	WORD_LANGUAGES,
	WORD_ALL_WELL,
	WORD_WELL_BUT_OPEN,
	WORD_MAINTENANCE_NOW,
	WORD_SOME_DEGRADED,
	WORD_SOME_PARTLY,
	WORD_SOME_DOWN,
	WORD_NOTHING_SHOWN,
	WORD_MADE,
	WORD_HOLDS,
	WORD_STALE,
	WORD_OPEN_TAB,
	WORD_NOW,
	WORD_PLANNED,
	WORD_COMPONENTS,
	WORD_NUMBERS,
	WORD_PAST,
	WORD_METHOD,
	WORD_AFFECTS,
	WORD_SINCE,
	WORD_FROM_TO,
	WORD_LASTED,
	WORD_CORRECTION,
	WORD_CORRECTED,
	WORD_WITHDRAWN,
	WORD_UPDATE,
	WORD_UNDER_WAY,
	WORD_NO_PAST,
	WORD_ALL_HISTORY,
	WORD_LEFT_OUT,
	WORD_DAYS_AGO,
	WORD_DAYS_AGO_SHORT,
	WORD_TODAY,
	WORD_UP,
	WORD_UNKNOWN,
	WORD_DAY_BY_DAY,
	WORD_KNOWN_SINCE,
	WORD_BAR,
	WORD_HISTORY,
	WORD_HISTORY_OF,
	WORD_BACK,
	WORD_NOTHING_THEN,
	WORD_MONTHS,
	WORD_EARLIER,
	WORD_LATER,
	WORD_CHART_ABOUT,
	WORD_CHART_NONE,
	WORD_CHART_TABLE,
	WORD_CHART_WHEN,
	WORD_CHART_HOW_MANY,
	WORD_CHART_UNKNOWN,
	WORD_REPORTS_TITLE,
	WORD_REPORTS_MEANING,
	WORD_METHOD_PAGE,
	WORD_METHOD_DAYS,
	WORD_METHOD_UP,
	WORD_METHOD_TIMES,
	WORD_METHOD_CAUSE,
	WORD_METHOD_UNKNOWN,
	WORD_METHOD_CORRECTIONS,
	WORD_FOLLOW,
	WORD_FOLLOW_TEXT,
	WORD_FOLLOW_MAIL,
	WORD_CHECK,
	WORD_CHECK_TEXT,
	WORD_UNSIGNED,
	WORD_REPORT,
	WORD_REPORT_LINK,
	STATUS_WORDS
};

const char *status_word(enum language language, enum status_word word);
const char *status_component_word(enum language language, enum component_status status);
const char *status_phase_word(enum language language, enum status_phase phase);
const char *status_impact_word(enum language language, enum status_impact impact);
/* "investigating", "none": Statuspage's. */
const char *status_phase_name(enum status_phase phase);
const char *status_impact_name(enum status_impact impact);
/* Statuspage's description of an indicator: "All Systems Operational". */
const char *status_indicator_name(enum status_impact indicator);

/* Where a language's pages are, from the root: "" or "fr/". */
const char *status_folder(const struct status_page *page, enum language language);

extern const char *const status_style[]; /* lines; the last is NULL */

#endif
