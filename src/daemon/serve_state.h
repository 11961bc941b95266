/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How `holdfast serve` stands, as its parent writes it once a second into run_dir, for whoever asks: JSON,
 * "holdfast.serve/1", in one step. What roles count is theirs to name.
 */
#ifndef HOLDFAST_DAEMON_SERVE_STATE_H
#define HOLDFAST_DAEMON_SERVE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/serve_message.h"

#define SERVE_STATE_NAME "serve.json"        /* in run_dir */
#define SERVE_STATE_STALE_NS (60 * NS_PER_S) /* older ones are of a parent that hangs */
#define SERVE_STATE_SCHEMA "holdfast.serve/1"

struct serve_state_role {
	bool wanted, up, ready;
	uint32_t restarts;
	const struct serve_counted *counted;
};

struct serve_state {
	int32_t pid;
	int64_t since_ns, now_ns; /* wall time */
	struct serve_state_role roles[SERVE_ROLES];
};

/* 0 or -errno. */
int serve_state_write(const struct serve_state *state, const char *run_dir);
/*
 * What stands there, the caller's; -ENOENT: `holdfast serve` does not run, or is of another run_dir; -EBADMSG; -errno.
 */
int serve_state_read(const char *run_dir, json_t **state);

#endif
