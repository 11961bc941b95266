/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of an analysis that can be hit, as the engine counts them: one table for programs and for people. */
#ifndef HOLDFAST_TELL_LIMITS_H
#define HOLDFAST_TELL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct limit {
	const char *key;   /* in JSON; does not change */
	const char *words; /* what there were so many of */
	size_t offset;     /* in struct engine_totals */
	bool of_a_bucket;  /* one that overflows now and then is how a table works; it matters where it is a habit */
};

extern const struct limit limits_known[];
extern const size_t limits_count;

/* How often it was hit. */
uint64_t limits_hit(const struct limit *limit, const struct engine_totals *totals);
/* Likewise, or 0 where that means nothing to people. */
uint64_t limits_told(const struct limit *limit, const struct engine_totals *totals);

#endif
