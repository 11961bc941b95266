/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bundle concludes, computed anew from what it holds: verdicts, from the trace that each rests on, its
 * predicate, its context and seed; the trace's own sums; of an incident in the analysis sums and shares; and where the
 * bundle has the stream, the incident as a whole, by replaying it.
 */
#ifndef HOLDFAST_CLI_RECOMPUTE_H
#define HOLDFAST_CLI_RECOMPUTE_H

#include "record/bundle.h"

#define RECOMPUTE_LINES_MAX 1000000 /* of claims.jsonl and counters.jsonl; more are refused */

struct recomputed {
	unsigned verdicts, numbers; /* that came out the same */
	unsigned sentences;         /* of what was published, each made anew from what it rests on */
	char note[160];             /* what could not be computed, and why; "" */
};

/* What came out differently first. */
struct recompute_fault {
	char member[160]; /* "claims.jsonl, line 3, value" */
	char what[240];
};

/* 0; -EBADMSG with `fault`; -ENOMEM, -EIO. */
int recompute(const struct bundle *bundle, int fd, struct recomputed *recomputed, struct recompute_fault *fault);

#endif
