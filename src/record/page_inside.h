/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files share that put a status page together (page.h): page.c components, works and the whole,
 * page_incidents.c what was published, page_reports.c what users reported.
 *
 * Rows come in the order in which they were added and are copied, since they live no longer than they are shown. All
 * copies are blocks in one list, which is freed with the page. Where there is no memory `no_memory` is set, and what is
 * asked for is NULL, "" or false.
 */
#ifndef HOLDFAST_RECORD_PAGE_INSIDE_H
#define HOLDFAST_RECORD_PAGE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "impact/count.h"
#include "record/components.h"
#include "record/page.h"
#include "record/statements.h"

struct block; /* opaque */

/* What a component was, being put together. */
struct course {
	struct status_change *changes;
	uint32_t count, room;
	uint64_t *outages; /* that its states named */
	uint32_t outages_count, outages_room;
};

struct page {
	struct block *blocks;
	struct status_page status;
	struct status_component *components;
	struct course *courses; /* of each component; freed when all is known */
	struct status_incident *incidents;
	struct thread *threads; /* of each incident; freed likewise */
	uint32_t incidents_room;
	struct component_works *works;
	uint32_t works_count;
	struct reports *reports; /* of each component */
	bool no_memory;
};

/* What users reported of a component, in the quarters of an hour up to page_reports_end(). */
struct reports {
	uint64_t counts[PAGE_REPORTS_POINTS], sum; /* sum: once they are rounded */
};

/* An incident being put together; updates are its own, the oldest first. */
struct thread {
	uint64_t number, outage;
	struct status_update *updates;
	uint32_t count, room;
	struct ordinal {
		enum statement_kind kind;
		uint32_t number; /* how many of that kind came before */
		uint64_t first;  /* the statement that it was told by first */
	} * ordinals;
	uint32_t of[LANGUAGES][STATEMENT_KINDS];
	char component[COMPONENT_ID_SIZE];
};

/* Zeroed, of the page's own. */
void *page_take(struct page *page, size_t size);
/* A copy of a text; never NULL. */
const char *page_keep(struct page *page, const char *text);
/* Room for one more in a list of the heap's. */
bool page_grow(struct page *page, void **list, uint32_t count, uint32_t *room, size_t size);
/* Where a component stands; components_count: it is none of them. */
uint32_t page_place(const struct page *page, const char *id);
/* The IDs of those for which `is_one` holds. */
const char *const *page_components(struct page *page,
                                   bool (*is_one)(const struct page *page, uint32_t place, const void *of),
                                   const void *of, uint32_t *count);

/* ---- page_incidents.c ---- */

/* Another incident, or works, of which nothing is known; beyond PAGE_INCIDENTS_MAX the oldest goes. */
struct status_incident *page_incident_new(struct page *page);
/* As statements_published_each() wants it; `context` is the page. */
int page_take_statement(void *context, const struct statements_published *one);
/* All that follows from what was published, once components are closed; the newest come first. */
void page_incidents_close(struct page *page, int64_t now_ns);

/* ---- page_reports.c ---- */

/* The end of the last quarter of an hour that is over, of those of the clock. */
int64_t page_reports_end(int64_t now_ns);
/* As outages_report_each() wants it, of the PAGE_REPORTS_POINTS quarters before that; `context` is the page. */
int page_take_reports(void *context, const struct report_count *count);
/* Plots of the components with the most; of as many, that which is shown first. */
void page_reports_close(struct page *page);

#endif
