/* SPDX-License-Identifier: Apache-2.0 */
/* How far a long task is: a line on standard error that overwrites itself, after two seconds and on a terminal only. */
#ifndef HOLDFAST_CLI_PROGRESS_H
#define HOLDFAST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_PACKETS 16384 /* between two looks at the clock */

struct progress {
	int64_t began_ns, shown_ns; /* of the monotonic clock; decides nothing */
	const char *noun;           /* what is counted: "packets" unless the owner sets another */
	bool wanted, shown;
};

/* Shown where standard error is a terminal, and nowhere else. */
void progress_begin(struct progress *progress);
/* `position` of `size` octets are read; 0: nobody knows how many there are. */
void progress_show(struct progress *progress, uint64_t count, uint64_t position, uint64_t size);
/* Takes the line away, so that something else can be said. */
void progress_clear(struct progress *progress);

static inline bool progress_is_due(const struct progress *progress, uint64_t packets)
{
	return progress->wanted && packets % PROGRESS_PACKETS == 0;
}

#endif
