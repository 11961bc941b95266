/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which outages, which statements that are due and whose failing checks people have been told of, so that each is told
 * once, over restarts too: a small file beside the record, written whole whenever something was told.
 */
#ifndef HOLDFAST_DAEMON_DESK_TOLD_H
#define HOLDFAST_DAEMON_DESK_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/serve_message.h"
#include "impact/belief.h"
#include "record/reckon.h"
#include "record/statements.h"
#include "tell/alert.h"

#define DESK_TOLD_FILE "/serve-told.json" /* in the state_dir */
#define DESK_TOLD_MAX 256                 /* outages, and statements: of more nothing is told, and they are counted */

struct desk_told {
	uint32_t outage_count, due_count, check_count;
	struct desk_told_outage {
		uint64_t number;
		enum belief_word word;
		int64_t began_ns;
		char component[COMPONENT_ID_SIZE];
	} outages[DESK_TOLD_MAX];
	struct desk_told_due {
		uint64_t thread;
		int64_t due_ns;
	} dues[DESK_TOLD_MAX];
	struct serve_check checks[SERVE_COUNTS_MAX];
	uint64_t untold; /* for there was no room */
};

/* Called for each alert that is to go out; host is not filled in. */
typedef void desk_told_say(void *context, const struct alert *alert);

/* -ENOENT: there is no such file, and nothing was told; -EBADMSG: what is there is none of ours. */
int desk_told_read(struct desk_told *told, const char *path);
/* In one step: the old file or the new one. */
int desk_told_write(const struct desk_told *told, const char *path);

/* What the outages that last have become since they were told. True: `told` has changed. */
bool desk_told_outages(struct desk_told *told, const struct reckon_result *result, int64_t now_ns, desk_told_say *say,
                       void *context);
/* The same of statements: threads as they stand. */
bool desk_told_due(struct desk_told *told, const struct statements_thread *threads, uint32_t count, int64_t now_ns,
                   desk_told_say *say, void *context);
/*
 * The same of checks that fail from one place, which turns nothing on the page and is no outage; while people are told
 * of an outage of the component that says more, and they are not told.
 */
bool desk_told_checks(struct desk_told *told, const struct serve_check *checks, uint32_t count, int64_t now_ns,
                      desk_told_say *say, void *context);
/* All that is told and not over, for a messenger that begins. */
void desk_told_standing(const struct desk_told *told, int64_t now_ns, desk_told_say *say, void *context);

#endif
