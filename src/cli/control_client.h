/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of the daemon's control socket: one JSON object a line each way, an answer for each request. What
 * the daemon wants to be asked, and what it answers, is in doc/control.md.
 */
#ifndef HOLDFAST_CLI_CONTROL_CLIENT_H
#define HOLDFAST_CLI_CONTROL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/time.h"

#define CONTROL_CLIENT_REQUEST_MAX 65536     /* octets of a line that the daemon takes, its end included */
#define CONTROL_CLIENT_ANSWER_MAX (1u << 20) /* octets of a line that is taken from it */
#define CONTROL_CLIENT_WAIT_NS (10 * NS_PER_S)

struct control_client {
	int fd;
	int64_t wait_ns; /* for one answer; CONTROL_CLIENT_WAIT_NS unless the owner sets another */
	size_t filled;   /* octets in `line` */
	char *line;
};

/*
 * Who listens at `path`. -ENOENT, -ECONNREFUSED: nobody; -EACCES: not for us; -ENAMETOOLONG; -EAGAIN: it takes no more
 * clients. On success the client is its owner's to close.
 */
int control_client_open(const char *path, struct control_client *client);
void control_client_close(struct control_client *client);

/*
 * Sends a request and waits for the answer, which becomes the caller's. -E2BIG: the request is longer than a line may
 * be; -ETIMEDOUT: no answer; -ECONNRESET: the daemon closed without one; -EBADMSG: what came is no answer;
 * -EMSGSIZE: it is longer than CONTROL_CLIENT_ANSWER_MAX. After an error there is nothing to do but to close.
 */
int control_client_ask(struct control_client *client, const json_t *request, json_t **answer);

#endif
