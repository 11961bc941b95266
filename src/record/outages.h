/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What users reported, what probes and machines signalled, and the outages that were measured from it, in the ledger's
 * database. Counts of a cell add up and never shrink; what is said of an outage is only added to: the latest row of a
 * number counts. Functions return 0 or -errno, and say in `error` what is wrong.
 */
#ifndef HOLDFAST_RECORD_OUTAGES_H
#define HOLDFAST_RECORD_OUTAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "impact/count.h"
#include "record/ledger.h"

#define OUTAGES_COUNTS_MAX 10000000 /* rows of counts, and of signals: more are refused */
#define OUTAGES_KEPT_NS \
	(27 * 7 * 86400LL * NS_PER_S) /* younger counts cannot be removed: what is usual rests on them */
#define OUTAGES_ID_SIZE LEDGER_ID_SIZE

/*
 * A file of counts, or an access log, that was put in; `sha256` of it, hexadecimal; of a log, `rows` are its signals.
 */
struct outages_import {
	const char *sha256, *name, *added_by;
	uint64_t rows, reports, mistakes;
	int64_t added_ns;
};

/* As it stood at made_ns. */
struct outages_outage {
	uint64_t number; /* "o1" is 1 (outages_number()); 0 to have one given */
	const char *component;
	int64_t began_ns, peak_ns,
		ended_ns; /* ended_ns 0: it lasts; peak_ns: the beginning of the worst quarter of an hour */
	int64_t pronounced_from_ns, pronounced_to_ns;
	uint64_t reports, excess;
	uint32_t belief;       /* hundredths of a per cent */
	const char *published; /* belief_word_name() */
	const char *json;      /* "holdfast.outage/1" (tell/harm_json.h): all of it */
	int64_t made_ns;
};

/*
 * Adds counts to their cells, all or none of them. -EINVAL: a name, a bucket or a count is none; -EDQUOT: there are
 * OUTAGES_COUNTS_MAX rows.
 */
int outages_report_add(struct ledger *ledger, const struct report_count *counts, uint32_t count,
                       struct record_error *error);
int outages_signal_add(struct ledger *ledger, const struct signal_count *counts, uint32_t count,
                       struct record_error *error);
struct outages_loading; /* opaque: a file that is being put in */

/*
 * A file's counts, with a row that says so: begin; add each; end, which makes all of it count at once, or, with
 * `import` NULL, none, and ends `loading` in any case. -EALREADY: a file of that SHA-256 has been put in before.
 */
int outages_import_begin(struct ledger *ledger, const char *sha256, struct outages_loading **loading,
                         struct record_error *error);
int outages_import_add(struct outages_loading *loading, const struct report_count *count, struct record_error *error);
int outages_import_add_signal(struct outages_loading *loading, const struct signal_count *count,
                              struct record_error *error);
int outages_import_end(struct outages_loading *loading, const struct outages_import *import,
                       struct record_error *error);

/*
 * Cells of buckets in [from_ns, to_ns), by time; `component` NULL: of all. They stop where `each` returns not 0, and
 * return it.
 */
int outages_report_each(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                        int (*each)(void *context, const struct report_count *count), void *context,
                        struct record_error *error);
int outages_signal_each(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                        int (*each)(void *context, const struct signal_count *count), void *context,
                        struct record_error *error);
/* Whether there is a signal of that bucket, component and kind from that vantage. */
int outages_signal_is(struct ledger *ledger, const struct signal_count *of, const char *vantage, bool *is,
                      struct record_error *error);
/* Removes counts and signals of buckets before `before_ns`, but for those of the latest OUTAGES_KEPT_NS. */
int outages_trim(struct ledger *ledger, int64_t before_ns, struct record_error *error);

/* Adds what is known of an outage now, unless its latest row says the same (made_ns apart); *number is its number. */
int outages_put(struct ledger *ledger, const struct outages_outage *outage, uint64_t *number,
                struct record_error *error);
/* The latest row of each outage, by its beginning; `component` NULL: of all. */
int outages_each(struct ledger *ledger, const char *component,
                 int (*each)(void *context, const struct outages_outage *outage), void *context,
                 struct record_error *error);
/* The same of the latest `most`, the latest first. */
int outages_newest_each(struct ledger *ledger, unsigned most,
                        int (*each)(void *context, const struct outages_outage *outage), void *context,
                        struct record_error *error);
/* All rows of one, oldest first. -ENOENT: there is none. */
int outages_history(struct ledger *ledger, uint64_t number,
                    int (*each)(void *context, const struct outages_outage *outage), void *context,
                    struct record_error *error);

/* "o12" → 12; 0: it is none. */
uint64_t outages_number(const char *id);
void outages_id(uint64_t number, char id[OUTAGES_ID_SIZE]);

#endif
