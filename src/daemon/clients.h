/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected to the control socket: lines in, lines out. A client asks one thing at a time: what it sends before
 * it has its answer waits in its socket. Whoever is silent for CLIENTS_IDLE_NS is let go.
 */
#ifndef HOLDFAST_DAEMON_CLIENTS_H
#define HOLDFAST_DAEMON_CLIENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENTS_MAX 64
#define CLIENTS_IDLE_NS (10 * INT64_C(1000000000))
#define CLIENTS_POLL_MAX (CLIENTS_MAX + 1)

struct client_peer {
	uid_t uid;
	bool operates; /* may change things */
};

struct clients; /* opaque */

/* `client` names who asks. `line` is without its end, and the caller's to change until the answer is given. */
typedef void clients_ask(void *context, uint64_t client, const struct client_peer *peer, char *line, size_t length);

/*
 * `listener` stays its owner's and is not blocking. Operators are uid 0, `own` unless it is (uid_t)-1, and members of
 * the group `operators` unless it is 0.
 */
int clients_new(int listener, uid_t own, gid_t operators, clients_ask *ask, void *context, struct clients **clients);
void clients_free(struct clients *clients);
/* Fills what is to be polled: at most CLIENTS_POLL_MAX; returns how many. */
unsigned clients_poll(struct clients *clients, struct pollfd *fds);
/* What poll() said of those: takes lines, which calls `ask`, writes answers, lets go of who is silent or gone. */
void clients_turn(struct clients *clients, const struct pollfd *fds, unsigned count, int64_t now_ns);
/* The answer to a client's line, which is taken and freed; NULL lets go of the client. One that has gone gets none. */
void clients_answer(struct clients *clients, uint64_t name, char *line);

#endif
