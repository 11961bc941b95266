/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/control_client.h"
#include "cli/now.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_CAPACITY 4096
#define BUSY_PAUSE_MS 50

/* Until the descriptor is ready for `events`: 0, -ETIMEDOUT, or -errno. */
static int wait_for(int fd, short events, int64_t until_ns)
{
	struct pollfd watched = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = until_ns - now_monotonic_ns();
		int ready;

		if (left <= 0)
			return -ETIMEDOUT;
		ready = poll(&watched, 1, (int)(left / NS_PER_MS) + 1);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

/* A socket of the file system connects at once or not at all; -EAGAIN says that too many wait before us. */
static int try_connect(int fd, const struct sockaddr_un *address, int64_t until_ns)
{
	while (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (now_monotonic_ns() >= until_ns)
			return -EAGAIN;
		(void)poll(NULL, 0, BUSY_PAUSE_MS);
	}
	return 0;
}

int control_client_open(const char *path, struct control_client *client)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	int fd, result;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	result = try_connect(fd, &address, now_monotonic_ns() + CONTROL_CLIENT_WAIT_NS);
	if (result) {
		(void)close(fd);
		return result;
	}
	*client = (struct control_client){ .fd = fd, .wait_ns = CONTROL_CLIENT_WAIT_NS };
	return 0;
}

void control_client_close(struct control_client *client)
{
	(void)close(client->fd);
	free(client->line);
	*client = (struct control_client){ .fd = -1 };
}

/* A daemon that has gone away shows by the answer that does not come; what it wrote before counts. */
static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET;
}

static int send_line(const struct control_client *client, const char *line, size_t length, int64_t until_ns)
{
	while (length > 0) {
		ssize_t sent = send(client->fd, line, length, MSG_NOSIGNAL);
		int result;

		if (sent >= 0) {
			line += sent;
			length -= (size_t)sent;
			continue;
		}
		if (is_gone(errno))
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		result = wait_for(client->fd, POLLOUT, until_ns);
		if (result)
			return result;
	}
	return 0;
}

/* Room for more, up to what an answer may have. */
static int make_room(size_t *capacity, struct control_client *client)
{
	size_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
	char *larger;

	if (client->filled < *capacity)
		return 0;
	if (client->filled >= CONTROL_CLIENT_ANSWER_MAX)
		return -EMSGSIZE;
	larger = realloc(client->line, wanted);
	if (!larger)
		return -ENOMEM;
	client->line = larger;
	*capacity = wanted;
	return 0;
}

/* Reads up to the end of a line, whose length, without it, is *length. */
static int receive_line(struct control_client *client, int64_t until_ns, size_t *length)
{
	size_t capacity = 0;

	free(client->line);
	client->line = NULL;
	client->filled = 0;
	for (;;) {
		const char *end;
		ssize_t got;
		int result = make_room(&capacity, client);

		if (result)
			return result;
		got = recv(client->fd, client->line + client->filled, capacity - client->filled, 0);
		if (got == 0 || (got < 0 && is_gone(errno)))
			return -ECONNRESET;
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (got < 0) {
			result = wait_for(client->fd, POLLIN, until_ns);
			if (result)
				return result;
			continue;
		}
		end = memchr(client->line + client->filled, '\n', (size_t)got);
		client->filled += (size_t)got;
		if (!end)
			continue;
		*length = (size_t)(end - client->line);
		/* One answer for one request: what follows is none of ours. */
		return *length + 1 == client->filled ? 0 : -EBADMSG;
	}
}

int control_client_ask(struct control_client *client, const json_t *request, json_t **answer)
{
	int64_t until_ns = now_monotonic_ns() + client->wait_ns;
	char *line = json_dumps(request, JSON_COMPACT);
	size_t length;
	json_t *parsed;
	int result;

	if (!line)
		return -ENOMEM;
	length = strlen(line);
	line[length++] = '\n'; /* in the place of its end */
	result = length > CONTROL_CLIENT_REQUEST_MAX ? -E2BIG : send_line(client, line, length, until_ns);
	free(line);
	if (!result)
		result = receive_line(client, until_ns, &length);
	if (result)
		return result;
	parsed = json_loadb(client->line, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(parsed)) {
		json_decref(parsed);
		return -EBADMSG;
	}
	*answer = parsed;
	return 0;
}
