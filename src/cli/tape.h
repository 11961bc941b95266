/* SPDX-License-Identifier: Apache-2.0 */
/* A live generation's stream, from files: replayed, so that what was found can be told as if it were a capture's. */
#ifndef HOLDFAST_CLI_TAPE_H
#define HOLDFAST_CLI_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/progress.h"
#include "engine/live.h"
#include "engine/stream.h"
#include "tell/analysis.h"

struct tape {
	struct stream_replay *replay;
	uint64_t incident; /* whose rules are kept: if there is no such one, those of the first attack */
	unsigned rule_count;
	struct life lives[LIVE_RULES_MAX];
	const struct life *rules[LIVE_RULES_MAX];
	uint64_t octets;                /* read so far */
	struct stream_listener witness; /* is told of orders and observations too, where it has functions for them */
};

/* Whether the file is one; what cannot be read, or only once, is none. */
bool tape_is_one(const char *path);
/* What is behind the last '/': what a stream is called in an analysis, wherever it lies. */
const char *tape_name(const char *path);
/* The incident that the file is named after, as the recorder does; 0: none. */
uint64_t tape_incident(const char *path);

/* 0 or -ENOMEM. The tape stays where it is until tape_fini(). */
int tape_init(struct tape *tape, uint64_t incident);
/* The same, with a witness: news as well. */
int tape_init_with(struct tape *tape, uint64_t incident, const struct stream_listener *witness);
void tape_fini(struct tape *tape);
/* The file's octets follow. 0 or -errno. */
int tape_read(struct tape *tape, const char *path, struct progress *progress);
/* Octets [at, at + count) of a file follow. -EBADMSG where it has fewer. */
int tape_read_part(struct tape *tape, int fd, uint64_t at, uint64_t count);
/* All was read: 0 or -errno. Why not all of it could be used is in stream_replay_facts(). */
int tape_end(struct tape *tape);
/* After tape_end(); NULL where the stream could not begin. */
const struct engine *tape_engine(const struct tape *tape);
struct analysis_live tape_live(const struct tape *tape);

#endif
