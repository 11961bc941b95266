/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several captures read as one: the next record is that of the capture whose next packet is the earliest, and of
 * equal ones that of the capture opened first. Within a capture nothing changes places: where its clock goes back its
 * packets come as they stand. Packets without a time stamp come right behind the one before them in their capture.
 *
 * One packet far ahead of the one before it in its capture may have a stray time stamp, which must not hold back what
 * follows until all other captures have ended: it comes at once. Where the next one is there too, the clock has
 * moved, and that one waits for its time.
 */
#ifndef HOLDFAST_OBSERVE_MERGE_H
#define HOLDFAST_OBSERVE_MERGE_H

#include "observe/capture.h"

#define MERGE_CAPTURES_MAX 512 /* open at a time, each with its window; more are refused */
#define MERGE_AHEAD_NS (3600 * NS_PER_S)

struct merge; /* opaque */

struct merge *merge_new(void); /* NULL where there is no memory */
void merge_free(struct merge *merge);

/* As capture_open(); captures have the numbers 0, 1, 2 … in the order in which they were opened. 0 or -errno. */
int merge_open(struct merge *merge, const char *path, char error[CAPTURE_ERROR_SIZE]);

/*
 * The next record, as capture_next() gives it, and the number of its capture. Records that are no packets may be left
 * out; CAPTURE_CUT and CAPTURE_BROKEN end their capture, and CAPTURE_END is the end of all. Not to be mixed with
 * merge_open().
 */
enum capture_kind merge_next(struct merge *merge, struct capture_record *record, size_t *number);

const char *merge_error(const struct merge *merge, size_t number); /* as capture_error() */
/* Sums, as capture_position() and capture_size(); the size is 0 where that of one is not known. */
uint64_t merge_position(const struct merge *merge);
uint64_t merge_size(const struct merge *merge);

#endif
