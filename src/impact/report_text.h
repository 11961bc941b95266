/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts of reports as text, octets from outside (doc/outage.md has the format): a first line that names the columns,
 * and a line for each count. Lines end with LF or CR LF; fields are apart by what the first line has of ',', ';' and
 * tab, and may stand in quotes (RFC 4180), but not go over a line's end.
 *
 *     time,component,symptom,region,network,count,accepted,shielded
 *     2026-03-10T09:35:00Z,login,cannot_reach,FR-IDF,64500,12,11,1
 *
 * Only `time` and `count` have to be there. What a line lacks is the caller's, or not known. A line that is wrong is
 * told with its number and left out; the others count.
 */
#ifndef HOLDFAST_IMPACT_REPORT_TEXT_H
#define HOLDFAST_IMPACT_REPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "impact/count.h"

#define REPORT_TEXT_LINE_MAX 1024                      /* octets */
#define REPORT_TEXT_COUNT_MAX 1000000                  /* of a line */
#define REPORT_TEXT_TIME_MAX (4102444800LL * NS_PER_S) /* 2100 */
#define REPORT_TEXT_COLUMNS_MAX 32

/* What was read goes here; a `count` that is not 0 ends it. */
struct report_sink {
	int (*count)(void *context, const struct report_count *count);
	/* Line `line`, from 1, is wrong: `what` says how; its octets are text[0..length). */
	void (*mistake)(void *context, uint64_t line, const char *what, const char *text, size_t length);
	void *context;
};

/*
 * `preset`: what stands for columns that are missing. 0; -EBADMSG: there is no first line as above (told); `count`'s.
 */
int report_text_read(const char *octets, size_t length, const struct report_count *preset,
                     const struct report_sink *sink);
/*
 * "2026-03-10T09:35:00Z", "2026-03-10 09:35", both UTC, or seconds since the epoch: the bucket that holds it. -EINVAL;
 * -ERANGE where it is before 1970 or after 2100.
 */
int report_time_parse(const char *text, int64_t *bucket_ns);
/* Sums raw, accepted, shielded as they were given, -1 where they were not; -EINVAL: they do not go together. */
int report_count_fill(struct report_count *count, int64_t raw, int64_t accepted, int64_t shielded);

#endif
