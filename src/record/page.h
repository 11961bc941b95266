/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page of what is on record: components and how they fared, works that are planned, and what was published
 * of incidents. An incident is a thread of statements (statements.h); those of the same kind in several languages are
 * one update, the first with the first, the second with the second. What was corrected or withdrawn stays, and is
 * marked.
 *
 * An incident concerns the components whose states name its outage, and the one that its statements name. How bad it is
 * follows from the worst that those were while it lasted; where none are named, it is minor.
 *
 * What users reported of a component in the last day is a plot, of the STATUS_SERIES_MAX components with the most. So
 * that no single user can be seen in it, quarters of an hour are those of the clock, only what is over is counted, and
 * of a component and quarter fewer than PAGE_REPORTS_LEAST are none, more are rounded to PAGE_REPORTS_UNIT. There is no
 * sum over components, from which what is left out could be subtracted; a component that never had as many has no plot.
 */
#ifndef HOLDFAST_RECORD_PAGE_H
#define HOLDFAST_RECORD_PAGE_H

#include "base/time.h"
#include "record/ledger.h"
#include "tell/status.h"

#define PAGE_INCIDENTS_MAX 16384 /* that are looked at: the latest */
#define PAGE_WORKS_MAX 4096

#define PAGE_REPORTS_STEP_NS (900 * NS_PER_S)
#define PAGE_REPORTS_POINTS 96 /* a day */
#define PAGE_REPORTS_LEAST 10
#define PAGE_REPORTS_UNIT 5

struct page; /* opaque */

/* What is no matter of record. The caller's, and copied. */
struct page_settings {
	const char *title[LANGUAGES], *url, *key; /* as in struct status_page */
	const char *report[LANGUAGES];            /* likewise; NULL: none */
	enum language languages[LANGUAGES];
	uint32_t languages_count;
	int64_t stale_after_ns;
	const char *subscribe; /* likewise; NULL: nowhere */
};

/* As it stands at `now_ns`. -ENOMEM, and what the ledger answers. */
int page_gather(struct ledger *ledger, const struct page_settings *settings, int64_t now_ns, struct page **page,
                struct record_error *error);
/* Lives as long as `page`. */
const struct status_page *page_status(const struct page *page);
void page_free(struct page *page);
/*
 * A number that grows with whatever is said on the page by people or measurement: components, states, works, what
 * becomes of statements. Counts of reports are not in it. The ledger has to be of the present schema: opened to write.
 */
int page_version(struct ledger *ledger, int64_t *version, struct record_error *error);

#endif
