/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role of `holdfast serve`, as it lives. Its process begins like one of `holdfast run` (role.h): by execve(), as root within
 * a bounding set that holds no more than changing its user, its channel to the parent at ROLE_FD_PARENT.
 *
 *     int prober_role(const struct role_start *start)
 *         serve_role_begin(&life, error)           the configuration, and what descriptors come with it
 *         …what takes root's or files' rights…
 *         serve_role_confine(ROLE_PROBER, start)   another user, the filter of system calls; Landlock is the role's (sandbox.h)
 *         serve_role_ready(&life, result, error)
 *         for (;;)
 *             poll ROLE_FD_PARENT, life.desk, one's own; alarm(ROLE_ALARM_S)
 *             serve_role_heed(&life)               -EPIPE: end
 *             serve_role_send(&life, message)      counts, to the desk
 *             serve_role_tell(&life, counted)      now and then: how it stands
 *         serve_role_end(&life)
 *
 * To join the tree a role has a row in the table of serve.c (whether the configuration wants it, its files, where it listens),
 * in that of role.c (its function) and in those of sandbox.c (its system calls).
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
};

/* Waits for the configuration. 0, or -errno with a line in `error`. In any case serve_role_end() at the end. */
int serve_role_begin(struct serve_life *life, char error[CONFIG_ERROR_SIZE]);
/* Gives up: user, capabilities, system calls; ends with the parent. */
int serve_role_confine(enum role role, const struct role_start *start);
/* Tells the parent; `error` is said where `result` is not 0. */
void serve_role_ready(struct serve_life *life, int result, const char *error);
/* What the parent says: another channel to the desk, which becomes life->desk. 0; -EPIPE: it has gone, or wants the end. */
int serve_role_heed(struct serve_life *life);
/* To the desk. Never waits; what finds no room or no desk is in life->lost, and not sent later. 0 or -errno. */
int serve_role_send(struct serve_life *life, const struct serve_message *message);
/* To the parent, for `holdfast status`; a missing one is made up for by the next. */
void serve_role_tell(const struct serve_message *counted);
/* A counter of a SERVE_COUNTED; more than SERVE_COUNTERS_MAX are left out. */
void serve_role_count(struct serve_message *counted, const char *name, uint64_t value);
void serve_role_end(struct serve_life *life);

#endif
