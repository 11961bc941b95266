/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role of `holdfast serve`, as it lives. Its process begins like one of `holdfast run` (role.h): by execve(), as root
 * within a bounding set that holds no more than changing its user, its channel to the parent at ROLE_FD_PARENT.
 *
 *     serve_role_live(&stages, start)
 *         the configuration, and what descriptors come with it
 *         stages.begin()                           what takes root's or files' rights; then gives up: another user, files
 *                                                  (sandbox.h), the filter of system calls
 *         the parent is told
 *         stages.live()
 *             poll ROLE_FD_PARENT, life->desk, one's own; alarm(ROLE_ALARM_S)
 *             serve_role_heed(life)                -EPIPE: end
 *             serve_role_send(life, message)       counts, to the desk
 *             serve_role_tell(counted)             now and then: how it stands
 *         stages.end()
 *
 * To join the tree a role has a row in the table of serve.c (whether the configuration wants it, its files, where it
 * listens), in that of role.c (its function) and in those of sandbox.c (its system calls).
 *
 * A role never reloads: at a reload it is ended and begins anew; what listens stays open in the parent meanwhile.
 */
#ifndef HOLDFAST_DAEMON_SERVE_ROLE_H
#define HOLDFAST_DAEMON_SERVE_ROLE_H

#include "daemon/role.h"
#include "daemon/serve_message.h"

struct serve_life {
	struct config config;
	int text; /* the configuration's, as a descriptor that anybody may open again; -1 */
	unsigned file_count, listener_count;
	int files[SERVE_FDS_MAX]; /* opened to be read, in the order of the table in serve.c; the role's to close */
	int listeners[SERVE_LISTENERS_MAX]; /* likewise */
	int desk;                           /* channel; -1: there is none now */
	uint64_t lost;                      /* messages that found no room, or no desk */
	uint32_t restarts;
	int64_t since_ns; /* the parent's beginning, since the Unix epoch */
	char name[CONFIG_PATH_SIZE];
	struct serve_message message; /* scratch */
	struct serve_message unsent;  /* of serve_role_drain(): type 0: none */
};

/* What is a role's own. `role` is its struct: zeroed at first, and its first member is its struct serve_life. */
struct serve_role_stages {
	size_t size; /* of that struct */
	/* life.config stands. 0, or -errno with a line in `error`, where "out of memory" stands already. */
	int (*begin)(void *role, const struct role_start *start, char error[CONFIG_ERROR_SIZE]);
	void (*live)(void *role); /* until the parent wants the end */
	void (*end)(void *role);  /* of what has begun, also where begin() failed half-way; not of life */
};

/* A role's whole life: the exit status of its process. */
int serve_role_live(const struct serve_role_stages *stages, const struct role_start *start);
/*
 * What the parent says: another channel to the desk, which becomes life->desk. 0; -EPIPE: it has gone, or wants the
 * end.
 */
int serve_role_heed(struct serve_life *life);
/* To the desk. Never waits; what finds no room or no desk is in life->lost, and not sent later. 0 or -errno. */
int serve_role_send(struct serve_life *life, const struct serve_message *message);
/*
 * Reads what the desk says. `fd` is the first descriptor that came with it, -1 where there was none; all are closed
 * afterwards. NULL: it has nothing to say to this role, and is read so that it does not fill the way.
 */
typedef void serve_role_hear(void *context, const struct serve_message *message, int fd);
void serve_role_hear_desk(struct serve_life *life, serve_role_hear *hear, void *context);
/*
 * Takes counts message by message, at most so many, and sends them: while there is no desk, as when it begins anew,
 * they stay where they are, within the bounds that who counts has, and what finds no room in the channel goes first the
 * next time. False of `next`: there is no more.
 */
void serve_role_drain(struct serve_life *life, bool (*next)(void *context, struct serve_message *message),
                      void *context, unsigned most);
/* To the parent, for `holdfast status`; a missing one is made up for by the next. */
void serve_role_tell(const struct serve_message *counted);
/* A counter of a SERVE_COUNTED; more than SERVE_COUNTERS_MAX are left out. */
void serve_role_count(struct serve_message *counted, const char *name, uint64_t value);

#endif
