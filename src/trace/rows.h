/* SPDX-License-Identifier: Apache-2.0 */
/* Sources by where they are: rows of a trace, counted one source at a time. What was forged must not come here. */
#ifndef HOLDFAST_TRACE_ROWS_H
#define HOLDFAST_TRACE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/roster.h"
#include "trace/trace.h"

struct rows; /* opaque */

/* `geo` may be NULL: then nothing is known of any place, and there is one row of relays, one of others. */
struct rows *rows_new(struct geo *geo);
void rows_free(struct rows *rows);
/* A source that stands for so many; 0 or -ENOMEM. */
int rows_add(struct rows *rows, const struct roster_source *source, bool reflectors, uint64_t stands_for);
/*
 * Fills the trace's rows, their count and what is located, and its coordination's concentrations. Where there are more
 * than TRACE_ROWS_MAX rows, the smaller ones are joined with others of the same countries, and their network is
 * TRACE_OTHERS; in the last of those, where even that is too many, countries are empty. 0 or -ENOMEM.
 */
int rows_finish(struct rows *rows, struct trace *trace);

#endif
