/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/daemon.h"
#include "daemon/log.h"

static const char *const names[ROLES_ALL] = { "parent", "loader", "engine", "recorder", "messenger",
	                                      "desk",   "public", "prober", "reader",   "console" };

const char *role_name(enum role role)
{
	return (unsigned)role < ROLES_ALL ? names[role] : "unknown";
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t role_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t role_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

static int read_whole(int fd, char **text, size_t *length)
{
	char *buffer = malloc(CONFIG_FILE_MAX);
	size_t filled = 0;

	if (!buffer)
		return -ENOMEM;
	while (filled < CONFIG_FILE_MAX) {
		ssize_t got = pread(fd, buffer + filled, CONFIG_FILE_MAX - filled, (off_t)filled);

		if (got < 0 && errno != EINTR) {
			int result = -errno;

			free(buffer);
			return result;
		}
		if (got == 0)
			break;
		filled += got > 0 ? (size_t)got : 0;
	}
	*text = buffer;
	*length = filled;
	return 0;
}

int role_parse_config(int fd, const char *name, struct config *config, char error[CONFIG_ERROR_SIZE])
{
	struct config_errors *errors = calloc(1, sizeof(*errors));
	char *text = NULL;
	size_t length = 0;
	int result = errors ? read_whole(fd, &text, &length) : -ENOMEM;

	if (result == 0)
		result = config_parse(text, length, name, config, errors);
	if (result != 0)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s",
		               errors && errors->count ? errors->lines[0] : strerror(-result));
	free(text);
	free(errors);
	return result;
}

int role_read_config(const struct message *message, int *fds, unsigned *fd_count, struct config *config,
                     char error[CONFIG_ERROR_SIZE])
{
	int result = role_parse_config(fds[0], message->config.name, config, error);

	(void)close(fds[0]);
	(*fd_count)--;
	memmove(fds, fds + 1, *fd_count * sizeof(*fds));
	return result;
}

int role_take_config(struct message *message, int fds[MESSAGE_FDS_MAX], unsigned *fd_count, struct config *config,
                     char error[CONFIG_ERROR_SIZE])
{
	for (;;) {
		struct pollfd fd = { .fd = ROLE_FD_PARENT, .events = POLLIN };
		int result = message_receive(ROLE_FD_PARENT, MESSAGE_PARENT_TO_ROLE, message, fds, fd_count);

		if (result == 0 && message->type == MESSAGE_CONFIG)
			return role_read_config(message, fds, fd_count, config, error);
		if (result != 0 && result != -EAGAIN) {
			(void)snprintf(error, CONFIG_ERROR_SIZE, "no configuration: %s", strerror(-result));
			return result;
		}
		(void)alarm(ROLE_ALARM_S);
		if (poll(&fd, 1, 1000) < 0 && errno != EINTR)
			return -errno;
	}
}

void role_tell_applied(struct message *scratch, uint64_t serial, int result, const char (*lines)[CONFIG_ERROR_SIZE],
                       unsigned line_count)
{
	message_init(scratch, MESSAGE_APPLIED, 0);
	scratch->applied.serial = serial;
	scratch->applied.result = result;
	for (unsigned i = 0; i < line_count && i < MESSAGE_LINES_MAX; i++)
		message_text(scratch->applied.lines[scratch->applied.line_count++], CONFIG_ERROR_SIZE, lines[i]);
	(void)message_send(ROLE_FD_PARENT, scratch, NULL, 0); /* where it cannot be told, our end tells it */
}

static int send_waiting(int channel, const struct message *message, const int *fds, unsigned fd_count)
{
	for (;;) {
		struct pollfd fd = { .fd = channel, .events = POLLOUT };
		int result = message_send(channel, message, fds, fd_count);

		if (result != -EAGAIN)
			return result;
		(void)alarm(ROLE_ALARM_S);
		if (poll(&fd, 1, 1000) < 0 && errno != EINTR)
			return -errno;
	}
}

int role_send_waiting(int channel, const struct message *message)
{
	return send_waiting(channel, message, NULL, 0);
}

int role_send_file_waiting(int channel, const struct message *message, int fd)
{
	return send_waiting(channel, message, &fd, 1);
}

static bool read_id(const char *text, uint32_t *id)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > UINT32_MAX)
		return false;
	*id = (uint32_t)value;
	return true;
}

int daemon_role(int argc, char **argv)
{
	static int (*const roles[ROLES_ALL])(const struct role_start *start) = {
		[ROLE_LOADER] = loader_role,       [ROLE_ENGINE] = engine_role, [ROLE_RECORDER] = recorder_role,
		[ROLE_MESSENGER] = messenger_role, [ROLE_DESK] = desk_role,     [ROLE_PUBLIC] = public_role,
		[ROLE_READER] = reader_role,
	};
	struct role_start start;
	int first = ROLE_FD_PARENT;

	if (argc != 6 || !read_id(argv[3], &start.uid) || !read_id(argv[4], &start.gid) ||
	    !read_id(argv[5], &start.operators) || fcntl(first, F_GETFD) < 0) {
		(void)fputs("holdfast: roles are started by 'holdfast run' and 'holdfast serve', not by hand\n",
		            stderr);
		return 2;
	}
	/* Whom a terminal or a service manager tells to end is the parent, and it tells us. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	for (unsigned i = ROLE_LOADER; i < ROLES_ALL; i++)
		if (roles[i] && strcmp(argv[2], names[i]) == 0) {
			log_begin(names[i]);
			(void)alarm(ROLE_ALARM_S);
			return roles[i](&start);
		}
	return 2;
}
