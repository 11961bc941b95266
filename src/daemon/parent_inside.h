/* SPDX-License-Identifier: Apache-2.0 */
/* What the parent of `holdfast run` is made of. For its own files alone. */
#ifndef HOLDFAST_DAEMON_PARENT_INSIDE_H
#define HOLDFAST_DAEMON_PARENT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/time.h"
#include "daemon/config.h"
#include "daemon/message.h"
#include "daemon/notify.h"
#include "daemon/role.h"
#include "daemon/supervise.h"

#define PARENT_COMMAND "run"
#define PARENT_BACKOFF_MAX_NS (60 * NS_PER_S) /* before roles begin anew, and between attempts at the messenger */

enum parent_state { PARENT_STARTING, PARENT_READY, PARENT_RELOADING, PARENT_WAITING };

/* A role's process. */
struct parent_child {
	pid_t pid;         /* 0: there is none */
	int channel;       /* -1 */
	int64_t silent_ns; /* since when its end of the channel is closed, and it has not ended; 0 */
};

struct parent {
	const char *config_path;
	const char *config_name;
	char *text; /* of the configuration in force */
	size_t length;
	struct config config;
	struct role_start start, messenger_start;
	struct notify notify;
	int signals, control, lock;
	struct parent_child children[ROLES];
	enum parent_state state;
	unsigned awaited; /* roles, as bits, that have not said that they are ready */
	enum role turn;   /* whose word is waited for while reloading */
	bool ever_ready, stopping;
	bool off; /* the shield has been taken away: there is nothing left to do */
	uint64_t serial;
	uint32_t restarts;
	int64_t began_ns, began_wall_ns; /* of the parent */
	int64_t ready_ns, again_ns, backoff_ns, pinged_ns;
	int64_t messenger_ns, messenger_backoff_ns; /* when it is to begin anew, 0: not at all; after which pause */
	/* while reloading */
	char *next_text;
	size_t next_length;
	struct config next;
	bool asked;   /* by the engine, which wants an answer */
	bool hung_up; /* SIGHUP came while that could not be done */
	uint64_t asked_id;
	struct message message, answer; /* scratch; large */
};

/* ---- parent_begin.c ---- */

/* All that needs rights which the parent then gives up. 0 or -errno, said. */
int parent_prepare(struct parent *parent);

/* ---- parent_roles.c ---- */

/* A process for the role, with these descriptors. */
int parent_role_start(struct parent *parent, enum role role, const int *fds, unsigned fd_count);
/*
 * The configuration to a role, with the lists that it reads. Where something cannot be opened or sent, the reason
 * stands in parent->answer's first line.
 */
int parent_config_send(struct parent *parent, enum role role, const struct config *config, const char *text,
                       size_t length);
/* Loader, engine and recorder, which are awaited then. 0 or -errno, said. */
int parent_roles_start(struct parent *parent);
/*
 * Closes what keeps the roles alive; the loader, which is uid 0 as we are, can be told besides: signal 0 tells nothing.
 */
void parent_roles_end(struct parent *parent, int signal_number);
bool parent_any_alive(const struct parent *parent);

/* ---- parent_messenger.c ---- */

/* It ends when its channel closes; what it does is missed by nobody but people. */
void parent_messenger_stop(struct parent *parent);
/*
 * Begins when all others run, and again when it has ended, or a reload may have changed whom to tell. Where it cannot,
 * the host is defended all the same: it is said, and tried again.
 */
void parent_messenger_start(struct parent *parent);
/* Its end: asked for, or not. */
void parent_messenger_ended(struct parent *parent, int status);

/* ---- parent_reload.c ---- */

/* By the engine, which wants an answer to the message `id`, or by a signal. */
void parent_reload_begin(struct parent *parent, bool asked, uint64_t id);
/* 0 and notes, or why it was refused, in parent->answer's lines. */
void parent_reload_end(struct parent *parent, int result);
/* What was read of the next configuration. */
void parent_reload_drop(struct parent *parent);
/* A line of what was put into force; those beyond MESSAGE_LINES_MAX are left out. */
__attribute__((format(printf, 2, 3))) void parent_add_line(struct message_applied *applied, const char *format, ...);

#endif
