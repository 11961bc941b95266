/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the report in HTML share: the pieces that sections are laid out with, and the sections that have a
 * file of their own. analysis.h has what others call.
 */
#ifndef HOLDFAST_TELL_REPORT_H
#define HOLDFAST_TELL_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/engine.h"
#include "tell/account.h"

struct report_series; /* opaque: the points of a plot, about 50 KiB; one serves all plots of a report */

struct report {
	FILE *out;
	struct account account;
	struct report_series *series;
	const struct analysis_live *live; /* NULL: nothing was watched live */
	unsigned heading;                 /* level of an incident's sections */
	unsigned incident;                /* number of the one that is told, from 1; 0 outside */
	unsigned maps;                    /* drawn so far */
	bool no_memory;                   /* for a section, which is not there */
};

/*
 * The document's beginning, up to what is on the page, and its end; `promise` is a sentence without its stop. report.c
 */
void report_head(const struct report *r, const char *title);
void report_foot(const struct report *r, const char *promise);

/* ---- Pieces: report_pieces.c ---- */

/* Markup as it is; and text from anywhere. */
void report_raw(const struct report *r, const char *markup);
void report_text(const struct report *r, const char *words);
/*
 * Marked text (paper.h) as a paragraph, as an item of a list; `report` is a const struct report, as account_sink wants.
 */
void report_paragraph(void *report, const char *words);
void report_item(void *report, const char *words);
/* The paragraph with which a section says what matters, marked. */
void report_lead(const struct report *r, const char *words);
void report_section_open(const struct report *r, const char *title);
void report_section_close(const struct report *r);
/* A heading within a section. */
void report_heading(const struct report *r, const char *title);
/*
 * A table may be wider than a phone: then it alone moves, by finger or by key. One of many columns does without bars
 * there. Columns follow; rows begin with report_row() and end with "</tr>".
 */
void report_table_open(const struct report *r, const char *caption, bool many);
void report_table_close(const struct report *r);
/* Names of columns; a leading '#' makes a column of numbers. */
void report_columns(const struct report *r, const char *const *names, size_t count);
void report_row(const struct report *r, const char *words);
void report_cell(const struct report *r, const char *words);
/* A cell with `part` of `whole` as a bar and in per cent. */
void report_share(struct report *r, uint64_t part, uint64_t whole);
/* An entry of a list of figures; `note` may be NULL. */
void report_fact(const struct report *r, const char *name, const char *value, const char *note);

/* An entry of a plot's legend: `key` is the class of its sample of colour; no words, no entry. */
void report_key(const struct report *r, const char *key, const char *words);

/* ---- Rates over time: report_rate.c ---- */

/* NULL where there is no memory; free() frees it. */
struct report_series *report_series_new(void);
void report_rate(struct report *r, const struct finding *f);
/* How users and links fared meanwhile, on the same axis; nothing where that was not measured. */
void report_course(struct report *r, const struct finding *f, struct capture_time from, struct capture_time to);
/* `attacks`: whether there are any, to be shown as a part of all. */
void report_capture_rate(struct report *r, bool attacks);

/* ---- Of what an attack consists: report_parts.c ---- */

void report_waves(struct report *r, const struct incident *incident);
void report_vectors(struct report *r, const struct incident *incident);
void report_packets(struct report *r, const struct finding *f);
void report_sources(struct report *r, const struct finding *f);

/* ---- Where it came from, and what was claimed: report_origin.c ---- */

/* Nothing where there is no trace of it. */
void report_origin(struct report *r, const struct finding *f);
/* What no packet tells of it, as items; likewise nothing without a trace. */
void report_origin_unknowns(struct report *r, const struct finding *f, const struct account_sink *to);

/* ---- What to do: report_rules.c ---- */

void report_rules(struct report *r, const struct finding *f);

#endif
