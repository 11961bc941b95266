/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the operator comes from: the connection by SSH in which a command was typed. The shield must never shut it.
 *
 * sshd says it in SSH_CONNECTION ("client-address client-port server-address server-port"). sudo and su take it out of
 * the environment, so that of the processes from which this one descends is looked at too, where we may.
 */
#ifndef HOLDFAST_CLI_SESSION_H
#define HOLDFAST_CLI_SESSION_H

#include <stdint.h>

#include "base/prefix.h"

#define SESSION_TEXT_SIZE 64 /* "192.0.2.1 50000 22", as SSH_CLIENT has it */

struct session {
	struct address client;
	uint16_t client_port, server_port;
};

/* What SSH_CONNECTION says: 0, or -EINVAL. A zone behind an address ("%eth0") is passed over. */
int session_parse(const char *connection, struct session *session);
/* This process's own: 0, or -ENOENT where none is known. */
int session_find(struct session *session);
const char *session_format(const struct session *session, char text[SESSION_TEXT_SIZE]);

#endif
