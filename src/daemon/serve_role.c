/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve_role.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- beginning ---- */

static int take_config(struct serve_life *life, int fds[SERVE_FDS_MAX], unsigned fd_count,
                       char error[CONFIG_ERROR_SIZE])
{
	const struct serve_config *from = &life->message.config;
	int result = role_parse_config(fds[0], from->name, &life->config, error);

	memcpy(life->name, from->name, sizeof(life->name));
	life->restarts = from->restarts;
	life->since_ns = from->since_ns;
	life->text = fds[0];
	for (unsigned i = 1; i < fd_count; i++)
		if (i <= from->file_count)
			life->files[life->file_count++] = fds[i];
		else
			life->listeners[life->listener_count++] = fds[i];
	return result;
}

/* Waits for the configuration. */
static int begin(struct serve_life *life, char error[CONFIG_ERROR_SIZE])
{
	int fds[SERVE_FDS_MAX];
	unsigned fd_count;

	life->text = life->desk = -1;
	for (;;) {
		struct pollfd fd = { .fd = ROLE_FD_PARENT, .events = POLLIN };
		int result =
			serve_message_receive(ROLE_FD_PARENT, SERVE_PARENT_TO_ROLE, &life->message, fds, &fd_count);

		if (result == 0 && life->message.type == SERVE_CONFIG)
			return take_config(life, fds, fd_count, error);
		if (result == 0)
			channel_drop(fds, &fd_count);
		if (result != -EAGAIN) {
			result = result ? result : -EBADMSG;
			(void)snprintf(error, CONFIG_ERROR_SIZE, "no configuration: %s", strerror(-result));
			return result;
		}
		(void)alarm(ROLE_ALARM_S);
		if (poll(&fd, 1, 1000) < 0 && errno != EINTR)
			return -errno;
	}
}

/* Tells the parent; `error` is said where `result` is not 0. */
static void say_ready(struct serve_life *life, int result, const char *error)
{
	struct serve_message *message = &life->message;
	char *line = message->ready.lines[0];

	serve_message_init(message, SERVE_READY, 0);
	message->ready.result = result;
	message->ready.line_count = result != 0;
	if (result != 0)
		message_text(line, CONFIG_ERROR_SIZE, error);
	for (; *line; line++)
		if ((unsigned char)*line < ' ' || *line == '\177')
			*line = '?';
	(void)serve_message_send(ROLE_FD_PARENT, message, NULL, 0); /* where it cannot be told, our end tells it */
}

/* ---- life ---- */

int serve_role_heed(struct serve_life *life)
{
	int fds[SERVE_FDS_MAX];
	unsigned fd_count;

	for (;;) {
		int result =
			serve_message_receive(ROLE_FD_PARENT, SERVE_PARENT_TO_ROLE, &life->message, fds, &fd_count);

		if (result == -EAGAIN)
			return 0;
		if (result != 0)
			return result;
		if (life->message.type == SERVE_CHANNEL) {
			if (life->desk >= 0)
				(void)close(life->desk);
			life->desk = fds[0];
		} else {
			channel_drop(fds, &fd_count);
		}
	}
}

static int send_to_desk(struct serve_life *life, const struct serve_message *message)
{
	int result = life->desk < 0 ? -ENOTCONN : serve_message_send(life->desk, message, NULL, 0);

	if (result == -EPIPE) { /* the parent gives another */
		(void)close(life->desk);
		life->desk = -1;
	}
	return result;
}

int serve_role_send(struct serve_life *life, const struct serve_message *message)
{
	int result = send_to_desk(life, message);

	life->lost += result != 0;
	return result;
}

void serve_role_drain(struct serve_life *life, bool (*next)(void *context, struct serve_message *message),
                      void *context, unsigned most)
{
	for (unsigned i = 0; i < most && life->desk >= 0; i++) {
		if (!life->unsent.type && !next(context, &life->unsent))
			life->unsent.type = 0;
		if (!life->unsent.type || send_to_desk(life, &life->unsent) != 0)
			return;
		life->unsent.type = 0;
	}
}

void serve_role_hear_desk(struct serve_life *life, serve_role_hear *hear, void *context)
{
	int fds[SERVE_FDS_MAX], result;
	unsigned fd_count;

	if (life->desk < 0)
		return;
	do {
		result = serve_message_receive(life->desk, SERVE_DESK_TO_ROLE, &life->message, fds, &fd_count);
		if (result == 0 && hear)
			hear(context, &life->message, fd_count ? fds[0] : -1);
		if (result == 0)
			channel_drop(fds, &fd_count);
	} while (result == 0);
	if (result != -EAGAIN) { /* the parent gives another */
		(void)close(life->desk);
		life->desk = -1;
	}
}

void serve_role_tell(const struct serve_message *counted)
{
	(void)serve_message_send(ROLE_FD_PARENT, counted, NULL, 0);
}

void serve_role_count(struct serve_message *counted, const char *name, uint64_t value)
{
	struct serve_counter *counter;

	if (counted->counted.count == SERVE_COUNTERS_MAX)
		return;
	counter = &counted->counted.counters[counted->counted.count++];
	message_text(counter->name, sizeof(counter->name), name);
	counter->value = value;
}

/* ---- end ---- */

static void end(struct serve_life *life)
{
	for (unsigned i = 0; i < life->file_count; i++)
		if (life->files[i] >= 0)
			(void)close(life->files[i]);
	for (unsigned i = 0; i < life->listener_count; i++)
		if (life->listeners[i] >= 0)
			(void)close(life->listeners[i]);
	if (life->text >= 0)
		(void)close(life->text);
	if (life->desk >= 0)
		(void)close(life->desk);
	config_fini(&life->config);
}

int serve_role_live(const struct serve_role_stages *stages, const struct role_start *start)
{
	void *role = calloc(1, stages->size);
	struct serve_life *life = role;
	char error[CONFIG_ERROR_SIZE] = "out of memory";
	bool configured;
	int result;

	if (!role)
		return 1;
	result = begin(life, error);
	configured = result == 0;
	if (configured)
		result = stages->begin(role, start, error);
	say_ready(life, result, error);
	if (result == 0)
		stages->live(role);
	if (configured)
		stages->end(role);
	end(life);
	free(role);
	return result == 0 ? 0 : 1;
}
