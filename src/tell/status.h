/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public status page: what stands, what is being done, what was. One struct status_page is told as
 *
 *     index.html, fr/index.html               the page, each language complete in itself, no script, no other file
 *     history/, history/2026-11.html (fr/…)   the months, for as long as there is anything to tell
 *     api/v2/….json                           as Statuspage's API v2 has it, so that what reads that reads this
 *     history.atom, history.rss               feeds of incidents and maintenance, of the first language
 *
 * Statuspage's fields and words: developer.statuspage.io, and the public https://HOST/api/v2 that each of its pages
 * has. Atom: RFC 4287. RSS: 2.0.11 of the RSS Advisory Board.
 *
 * Pure: reads no clock, and the same page gives the same octets. Everything in the struct is the caller's and outlives
 * the call; texts are UTF-8, from whoever wrote them, made harmless on the way out. A text that is missing in a
 * language is "", and the first language's that has it stands in for it, marked with its own language.
 *
 * Times are nanoseconds since the Unix epoch; 0 where it says so: it has not happened.
 */
#ifndef HOLDFAST_TELL_STATUS_H
#define HOLDFAST_TELL_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "impact/component.h"
#include "tell/language.h"

#define STATUS_DAYS 90 /* of a component's bar */

#define STATUS_CHANGES_MAX 16384 /* of a component: of those that came before them nothing is told */
#define STATUS_INCIDENTS_MAX 256 /* and planned works: the newest are told */
#define STATUS_UPDATES_MAX 128   /* of one: the newest are told */
#define STATUS_RECENT_MAX 16     /* incidents that are over, on the first page */
#define STATUS_RECENT_DAYS 15    /* and not older than that */
#define STATUS_MONTHS_MAX 36     /* pages of history */
#define STATUS_SERIES_MAX 8      /* plots */
#define STATUS_POINTS_MAX 2016   /* of a plot: a week of 5 minutes */
#define STATUS_TEXT_MAX 524288   /* octets of a text: as many as a statement may have */

/* A component is `status` from `since_ns` on, until the next change. */
struct status_change {
	int64_t since_ns;
	enum component_status status;
};

struct status_component {
	const char *id;
	const char *name[LANGUAGES], *description[LANGUAGES];
	const char *group; /* the ID of the group that it is in; "": none. Groups are in none */
	bool is_group;
	bool showcase;    /* whether it is shown at all; what is not is in the JSON alone */
	int64_t start_ns; /* nothing is known of the time before */
	int64_t created_ns, updated_ns;
	const struct status_change *changes; /* by time; none: nothing was ever said of it, which is operational */
	uint32_t changes_count;
};

/* Statuspage's words; those from STATUS_SCHEDULED on are of planned works. */
enum status_phase {
	STATUS_INVESTIGATING,
	STATUS_IDENTIFIED,
	STATUS_MONITORING,
	STATUS_RESOLVED,
	STATUS_POSTMORTEM,
	STATUS_SCHEDULED,
	STATUS_IN_PROGRESS,
	STATUS_VERIFYING,
	STATUS_COMPLETED,
	STATUS_PHASES
};

enum status_impact { STATUS_NONE, STATUS_MINOR, STATUS_MAJOR, STATUS_CRITICAL, STATUS_IMPACTS };

struct status_effect {
	const char *component; /* its ID */
	enum component_status before, after;
};

struct status_update {
	const char *id;
	enum status_phase phase;
	const char *body[LANGUAGES]; /* paragraphs, an empty line between them */
	bool correction;             /* it takes back something that was said before */
	bool corrected;              /* another does so of this */
	const char *withdrawn;       /* why it holds no longer; NULL: it does */
	int64_t created_ns, updated_ns, display_ns;
	const struct status_effect *effects;
	uint32_t effects_count;
};

/* An incident, or planned works (those have scheduled_from_ns). */
struct status_incident {
	const char *id; /* stands in addresses: letters, digits, '-' */
	const char *name[LANGUAGES];
	enum status_phase phase;
	enum status_impact impact;
	int64_t created_ns, updated_ns, started_ns;
	int64_t monitoring_ns, resolved_ns;            /* 0: it has not come to that */
	int64_t scheduled_from_ns, scheduled_until_ns; /* 0: it is no planned work */
	const char *const *components;                 /* IDs */
	uint32_t components_count;
	const struct status_update *updates; /* the newest first */
	uint32_t updates_count;
};

/* Numbers over time, to be drawn. */
struct status_series {
	const char *id; /* a word */
	const char *title[LANGUAGES], *meaning[LANGUAGES];
	int64_t from_ns, step_ns;
	uint32_t count;
	const uint64_t *values;
	const bool *gaps; /* count of them: nothing was measured there; NULL: none */
	bool good;        /* more of it is better: users answered */
};

/*
 * Of a plot of what users reported in quarters of an hour: the beginning of its title, which a component's name ends.
 */
const char *status_reports_title(enum language language);
const char *status_reports_meaning(enum language language);

struct status_page {
	const char *title[LANGUAGES];
	const char
		*url; /* where it will stand, without a slash at its end: https://status.example.org; "": nobody said */
	const char *report[LANGUAGES]; /* where users report a problem, in that language; NULL: nowhere */
	const char *key;               /* the public key of minisign that checks it, base64; "": it is not signed */
	const char *subscribe;         /* where one asks to be told by mail; "" or NULL: nowhere */
	enum language languages[LANGUAGES]; /* the first is at the root */
	uint32_t languages_count;
	int64_t generated_ns;
	int64_t stale_ns;                          /* until when it holds */
	const struct status_component *components; /* as they are shown; those of a group anywhere behind it */
	uint32_t components_count;
	const struct status_incident *incidents; /* the newest first */
	uint32_t incidents_count, incidents_left_out;
	const struct status_series *series;
	uint32_t series_count;
};

/* ---- what follows from it (status_sum.c) ---- */

/* What a component is at a time: that of a group is the worst in it. */
enum component_status status_of(const struct status_page *page, const struct status_component *component,
                                int64_t at_ns);
/* How bad it is for users that a component is that. */
enum status_impact status_impact_of(enum component_status status);
/* The worst of all components, and of what is open, as Statuspage says it. */
enum status_impact status_indicator(const struct status_page *page);
/*
 * How long it was what, of [from_ns, to_ns); the rest of that is not known. A group's times are those of the worst in
 * it.
 */
void status_times(const struct status_page *page, const struct status_component *component, int64_t from_ns,
                  int64_t to_ns, int64_t ns[COMPONENT_STATUSES]);
/* Which change a component began then, as the page shows it; false: none, or to what it was before. */
bool status_change_find(const struct status_page *page, const char *component, int64_t since_ns,
                        enum component_status *before, enum component_status *after);
bool status_is_planned(const struct status_incident *incident);
/* Whether it is neither over nor cancelled. Planned works that have not begun are open. */
bool status_is_open(const struct status_incident *incident);

/* ---- how it is told ---- */

enum status_json {
	STATUS_JSON_SUMMARY,
	STATUS_JSON_STATUS,
	STATUS_JSON_COMPONENTS,
	STATUS_JSON_INCIDENTS,
	STATUS_JSON_UNRESOLVED,
	STATUS_JSON_MAINTENANCES,
	STATUS_JSON_UPCOMING,
	STATUS_JSON_ACTIVE,
	STATUS_JSONS
};

/* 0 or -errno. */
int status_html_write(FILE *out, const struct status_page *page, enum language language);
/* All months, as a list. */
int status_months_write(FILE *out, const struct status_page *page, enum language language);
/* What began in one month; month is 1 to 12. */
int status_month_write(FILE *out, const struct status_page *page, enum language language, unsigned year,
                       unsigned month);
int status_json_write(FILE *out, const struct status_page *page, enum status_json which);
int status_atom_write(FILE *out, const struct status_page *page);
int status_rss_write(FILE *out, const struct status_page *page);

/*
 * Calls `put` with each file that the page is: its path ("fr/index.html"), its media type, its octets. The index of the
 * first language comes last, so that whoever puts them in place one by one never shows it before what it refers to.
 * Stops where `put` returns not 0, and returns that; -ENOMEM.
 */
int status_files(const struct status_page *page,
                 int (*put)(void *context, const char *path, const char *type, const char *octets, size_t length),
                 void *context);

#endif
