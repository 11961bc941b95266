/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control.h"

#define GROUPS_MAX 1024 /* of a client's groups that are looked at */

struct client {
	int fd;        /* -1: there is none */
	uint64_t name; /* no two clients have the same, ever */
	bool asked;    /* its answer is being found out */
	bool last;     /* once the answer is written it is let go */
	int64_t since_ns;
	struct client_peer peer;
	char *line; /* CONTROL_LINE_MAX octets */
	size_t filled;
	size_t used; /* of those, of the line that is being answered, with its end */
	char *answer;
	size_t answer_length, written;
};

struct clients {
	int listener;
	uid_t own;
	gid_t operators;
	clients_ask *ask;
	void *context;
	uint64_t next_name;
	unsigned count;
	struct client client[CLIENTS_MAX];
	unsigned polled[CLIENTS_POLL_MAX]; /* whose they are, in the order of clients_poll() */
};

int clients_new(int listener, uid_t own, gid_t operators, clients_ask *ask, void *context, struct clients **clients)
{
	struct clients *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	*made = (struct clients){
		.listener = listener, .own = own, .operators = operators, .ask = ask, .context = context, .next_name = 1
	};
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		made->client[i].fd = -1;
	*clients = made;
	return 0;
}

static void let_go(struct clients *clients, struct client *client)
{
	(void)close(client->fd);
	free(client->line);
	free(client->answer);
	*client = (struct client){ .fd = -1 };
	clients->count--;
}

void clients_free(struct clients *clients)
{
	if (!clients)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (clients->client[i].fd >= 0)
			let_go(clients, &clients->client[i]);
	free(clients);
}

unsigned clients_poll(struct clients *clients, struct pollfd *fds)
{
	unsigned count = 0;

	clients->polled[count] = CLIENTS_MAX;
	fds[count++] = (struct pollfd){ .fd = clients->listener, .events = POLLIN };
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &clients->client[i];
		short events = client->answer ? POLLOUT : client->asked ? 0 : POLLIN;

		if (client->fd < 0)
			continue;
		clients->polled[count] = i;
		fds[count++] = (struct pollfd){ .fd = client->fd, .events = events };
	}
	return count;
}

/* ---- who it is ---- */

static bool is_member(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The kernel remembers who connected. */
static bool know(const struct clients *clients, int fd, struct client_peer *peer)
{
	struct ucred who;
	socklen_t size = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || size != sizeof(who))
		return false;
	peer->uid = who.uid;
	peer->operates =
		who.uid == 0 || (clients->own != (uid_t)-1 && who.uid == clients->own) ||
		(clients->operators != 0 && (who.gid == clients->operators || is_member(fd, clients->operators)));
	return true;
}

/* To who cannot be served; what its socket does not take at once it does not get. */
static void turn_away(int fd)
{
	struct control_error error = { .what = "" };
	char *line;

	control_error_set(&error, "daemon", 3, "try again in a moment", "it serves %d clients already", CLIENTS_MAX);
	line = control_format_error(&error);
	if (line && send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		line[0] = '\0';
	free(line);
	(void)close(fd);
}

static void take_client(struct clients *clients, int64_t now_ns)
{
	int fd = accept4(clients->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client_peer peer;

	if (fd < 0)
		return;
	if (clients->count == CLIENTS_MAX) {
		turn_away(fd);
		return;
	}
	if (!know(clients, fd, &peer)) {
		(void)close(fd);
		return;
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->client[i];

		if (client->fd >= 0)
			continue;
		*client = (struct client){ .fd = fd, .name = clients->next_name++, .since_ns = now_ns, .peer = peer };
		clients->count++;
		return;
	}
}

/* ---- lines ---- */

/* A whole line that has come is asked. Its answer may be there when this returns. */
static void ask(struct clients *clients, struct client *client)
{
	char *end = client->filled ? memchr(client->line, '\n', client->filled) : NULL;

	if (end) {
		client->used = (size_t)(end - client->line) + 1;
		client->asked = true;
		clients->ask(clients->context, client->name, &client->peer, client->line, client->used - 1);
	} else if (client->filled == CONTROL_LINE_MAX) {
		struct control_error error = { .what = "" };

		control_error_set(&error, "request", 2, "send it in several requests",
		                  "a line is longer than %d octets", CONTROL_LINE_MAX);
		client->asked = true;
		client->last = true;
		client->used = client->filled;
		clients_answer(clients, client->name, control_format_error(&error));
	}
}

static void read_client(struct clients *clients, struct client *client, int64_t now_ns)
{
	ssize_t got;

	if (!client->line)
		client->line = malloc(CONTROL_LINE_MAX);
	if (!client->line) {
		let_go(clients, client);
		return;
	}
	got = recv(client->fd, client->line + client->filled, CONTROL_LINE_MAX - client->filled, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		let_go(clients, client);
		return;
	}
	client->filled += (size_t)got;
	client->since_ns = now_ns;
	ask(clients, client);
}

static void write_client(struct clients *clients, struct client *client, int64_t now_ns)
{
	ssize_t sent = send(client->fd, client->answer + client->written, client->answer_length - client->written,
	                    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (sent < 0) {
		let_go(clients, client);
		return;
	}
	client->since_ns = now_ns;
	client->written += (size_t)sent;
	if (client->written < client->answer_length)
		return;
	free(client->answer);
	client->answer = NULL;
	if (client->last) {
		let_go(clients, client);
		return;
	}
	ask(clients, client); /* the next line may have come with the last */
}

void clients_answer(struct clients *clients, uint64_t name, char *line)
{
	struct client *client = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (clients->client[i].fd >= 0 && clients->client[i].name == name)
			client = &clients->client[i];
	if (!client || !client->asked || client->answer) {
		free(line);
		return;
	}
	if (!line) {
		let_go(clients, client);
		return;
	}
	client->asked = false;
	client->filled -= client->used;
	memmove(client->line, client->line + client->used, client->filled);
	client->used = 0;
	client->answer = line;
	client->answer_length = strlen(line);
	client->written = 0;
}

static void turn_one(struct clients *clients, struct client *client, short events, int64_t now_ns)
{
	if (client->answer && events & (POLLOUT | POLLERR | POLLHUP))
		write_client(clients, client, now_ns);
	else if (!client->answer && !client->asked && events & (POLLIN | POLLERR | POLLHUP))
		read_client(clients, client, now_ns);
	else if (client->asked && events & (POLLERR | POLLHUP))
		let_go(clients, client); /* what it asked for is done all the same */
}

void clients_turn(struct clients *clients, const struct pollfd *fds, unsigned count, int64_t now_ns)
{
	for (unsigned i = 1; i < count; i++) {
		struct client *client = &clients->client[clients->polled[i]];

		if (fds[i].revents && client->fd == fds[i].fd)
			turn_one(clients, client, fds[i].revents, now_ns);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->client[i];

		if (client->fd >= 0 && !client->asked && now_ns - client->since_ns >= CLIENTS_IDLE_NS)
			let_go(clients, client);
	}
	if (count > 0 && fds[0].revents & POLLIN)
		take_client(clients, now_ns);
}
