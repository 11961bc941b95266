/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parents of `holdfast run` and of `holdfast serve` have in common: how a daemon begins, and how a role does.
 * What is refused is said on standard error, as COMMAND's; functions return 0 or -errno then.
 */
#ifndef HOLDFAST_DAEMON_SUPERVISE_H
#define HOLDFAST_DAEMON_SUPERVISE_H

#include <sys/types.h>

#include "daemon/config.h"
#include "daemon/role.h"

#define SUPERVISE_FDS_MAX 8 /* that a role begins with */

/* Each on a line of standard error, with its place in the file. */
void supervise_say_errors(const struct config_errors *errors);
/* -EINVAL. */
__attribute__((format(printf, 2, 3))) int supervise_refuse(const char *command, const char *format, ...);
/* Whom roles run as, and whom the messenger; `who` is what they are called where there is no such user. */
int supervise_find_user(const char *command, const char *who, const char *name, struct role_start *start,
                        struct role_start *messenger);
/* Makes the folder, and those around it, where they are missing; it is then the user's. */
int supervise_make_folder(const char *command, const char *path, uid_t uid, gid_t gid, mode_t mode);
/*
 * The record that commands of root's made there, in a folder that is not the user's yet: it becomes the user's, before
 * that.
 */
int supervise_give_record(const char *command, const char *state_dir, uid_t uid, gid_t gid);
/* One daemon of its kind in a run_dir: the lock, a file with its number, is the caller's as long as it lives. */
int supervise_take_lock(const char *command, const char *run_dir, const char *name, int *lock);
/* SIGTERM, SIGINT, SIGHUP and SIGCHLD come by a descriptor from here on. */
int supervise_signals(int *fd);
/*
 * In a child: descriptors to their places, from ROLE_FD_PARENT on, everything else closed, and on to the role by
 * execve(). Does not return.
 */
__attribute__((noreturn)) void supervise_become(const char *role, const struct role_start *start, const int *fds,
                                                unsigned fd_count);
/* Those that are not -1. */
void supervise_close(int *fds, unsigned count);
/* A file's text as a descriptor that nobody changes any more; -errno. */
int supervise_text_fd(const char *text, size_t length);

#endif
