/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles of the daemon: processes of one program, started by the parent, each with its channels at fixed
 * descriptors.
 *
 * A role lives as long as its channel to the parent is open. It sets an alarm at every turn of its loop: one that hangs
 * is ended by the kernel, and the parent, which has no capability and so can end no other user's process, starts all
 * anew.
 */
#ifndef HOLDFAST_DAEMON_ROLE_H
#define HOLDFAST_DAEMON_ROLE_H

#include <stdint.h>
#include <sys/types.h>

#include "daemon/config.h"
#include "daemon/message.h"

/*
 * Those of `holdfast run`, which are ROLES with the parent; then those of `holdfast serve`, as enum serve_role has
 * them.
 */
enum role {
	ROLE_PARENT,
	ROLE_LOADER,
	ROLE_ENGINE,
	ROLE_RECORDER,
	ROLE_MESSENGER,
	ROLES,
	ROLE_DESK = ROLES,
	ROLE_PUBLIC,
	ROLE_PROBER,
	ROLE_READER,
	ROLE_CONSOLE,
	ROLES_ALL,
};

/* Descriptors of a role that begins. */
enum {
	ROLE_FD_PARENT = 3,
	ROLE_FD_ENGINE = 4,   /* of loader, recorder and messenger */
	ROLE_FD_LOADER = 4,   /* of the engine */
	ROLE_FD_RECORDER = 5, /* of the engine */
	ROLE_FD_CONTROL = 6,  /* of the engine: the listening socket */
};

#define ROLE_ALARM_S 30
/*
 * For what takes its time on a busy host: programs that the kernel looks through, long lists, whoever waits for a disk.
 */
#define ROLE_LONG_S 120
#define ROLE_STATUS_OFF 10 /* of a role that ends because the shield has been taken away: the daemon is to end */

struct role_start {
	uid_t uid; /* whom engine and recorder run as */
	gid_t gid;
	gid_t operators; /* group whose members may operate */
};

const char *role_name(enum role role);

/* Each returns the exit status of its process. */
int loader_role(const struct role_start *start);
int engine_role(const struct role_start *start);
int recorder_role(const struct role_start *start);
int messenger_role(const struct role_start *start);
int desk_role(const struct role_start *start);
int prober_role(const struct role_start *start);
int public_role(const struct role_start *start);
int console_role(const struct role_start *start);
int reader_role(const struct role_start *start);

/*
 * Reads the configuration out of a received MESSAGE_CONFIG: its text is in fds[0], which is closed, the others are
 * moved down by one and stay the caller's. 0 or -errno with a line in `error`: it is what the parent has read and found
 * good.
 */
int role_read_config(const struct message *message, int *fds, unsigned *fd_count, struct config *config,
                     char error[CONFIG_ERROR_SIZE]);
/* The same of the text in `fd`, which stays the caller's. */
int role_parse_config(int fd, const char *name, struct config *config, char error[CONFIG_ERROR_SIZE]);
/* Waits for the parent's first one, which stands in *message then. -EPIPE where it never comes. */
int role_take_config(struct message *message, int fds[MESSAGE_FDS_MAX], unsigned *fd_count, struct config *config,
                     char error[CONFIG_ERROR_SIZE]);
/* Tells the parent how putting a configuration into force went: `lines` are notes, or what is wrong. */
void role_tell_applied(struct message *scratch, uint64_t serial, int result, const char (*lines)[CONFIG_ERROR_SIZE],
                       unsigned line_count);

/* Sends, and waits where there is no room: for a role's beginning, when it does nothing else. 0 or -errno. */
int role_send_waiting(int channel, const struct message *message);
/* The same with a descriptor, which stays its owner's. */
int role_send_file_waiting(int channel, const struct message *message, int fd);

/* Clocks. */
int64_t role_monotonic_ns(void);
int64_t role_wall_ns(void);

#endif
