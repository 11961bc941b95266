/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a live host fared, second by second: what arrived, what of it was dropped, how those fared who are answered, how
 * full its links were. The latest hour by the second, the latest week by the minute; what is older is gone. For people
 * to look at afterwards: nothing is decided by it.
 */
#ifndef HOLDFAST_MEASURE_COURSE_H
#define HOLDFAST_MEASURE_COURSE_H

#include <stdint.h>

#define COURSE_SECONDS 3600
#define COURSE_MINUTES 10080

/*
 * Sums over the seconds that were measured; packets are estimates where they are sampled. Of links: all of them
 * together, but for `percent`, of the fullest one at its fullest.
 */
struct course_point {
	uint32_t seconds;          /* with traffic looked at; 0: the next five are not known */
	uint32_t link_seconds;     /* with links looked at; 0: the rest is not known */
	uint64_t arrived, dropped; /* packets; dropped ones did not pass, or would not have where the shield observes */
	uint64_t answered, lost;   /* … of conversations that this host answers; of these, dropped */
	uint64_t handshakes;       /* of TCP, completed */
	uint64_t link_bits, link_packets, link_lost; /* lost: by the interface, before anybody saw them */
	int32_t link_percent;                        /* of what it can carry; -1: its speed is not known */
};

struct course; /* opaque, about 1.2 MB */

/* NULL where there is no memory. */
struct course *course_new(void);
void course_free(struct course *course);
/*
 * Adds to a second, counted from any fixed moment; seconds come in their order, and one that comes late is passed over.
 */
void course_add(struct course *course, int64_t second, const struct course_point *point);
/*
 * From one second to another, both included, in at most `max` points of `*step_s` seconds each; the first begins at
 * `*begin_s`. By the second where that reaches back far enough. How many were written; 0 where `to` is before `from`
 * or all of it is forgotten.
 */
uint32_t course_read(const struct course *course, int64_t from_s, int64_t to_s, struct course_point *points,
                     uint32_t max, int64_t *begin_s, int64_t *step_s);

#endif
