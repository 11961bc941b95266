/* SPDX-License-Identifier: Apache-2.0 */
/* The roles as the parent's children: begun with their channels and the configuration, and ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/alert_files.h"
#include "daemon/log.h"
#include "daemon/parent_inside.h"

int parent_role_start(struct parent *parent, enum role role, const int *fds, unsigned fd_count)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		supervise_become(role_name(role), role == ROLE_MESSENGER ? &parent->messenger_start : &parent->start,
		                 fds, fd_count);
	parent->children[role].pid = pid;
	return 0;
}

/* What a role is given beside the configuration: lists, keys. */
static unsigned list_files(enum role role, const struct config *config,
                           const char *paths[CONFIG_FILES_MAX + CONFIG_ALERTS_MAX])
{
	unsigned count = 0;

	if (role == ROLE_LOADER)
		for (unsigned i = 0; i < config->allow_file_count; i++)
			paths[count++] = config->allow_files[i].path;
	if (role == ROLE_ENGINE)
		for (unsigned i = 0; i < config->block_file_count; i++)
			paths[count++] = config->block_files[i].path;
	if (role == ROLE_MESSENGER)
		for (unsigned i = 0; i < config->alert_count; i++)
			if (config->alerts[i].key_file[0])
				paths[count++] = config->alerts[i].key_file;
	return count;
}

int parent_config_send(struct parent *parent, enum role role, const struct config *config, const char *text,
                       size_t length)
{
	const char *paths[CONFIG_FILES_MAX + CONFIG_ALERTS_MAX];
	unsigned count = list_files(role, config, paths);
	char *reason = parent->answer.applied.lines[0];
	struct message *message = &parent->message;
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = 0;

	message_init(message, MESSAGE_CONFIG, 0);
	fds[0] = supervise_text_fd(text, length);
	if (fds[0] < 0) {
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "%s: %s", parent->config_name, strerror(-fds[0]));
		return fds[0];
	}
	for (fd_count = 1; fd_count <= count; fd_count++) {
		fds[fd_count] = role == ROLE_MESSENGER ? alert_key_open(paths[fd_count - 1], reason)
		                                       : prefix_file_open(paths[fd_count - 1], reason);
		if (fds[fd_count] < 0) {
			result = fds[fd_count];
			goto done;
		}
	}
	message->config = (struct message_config){
		.serial = parent->serial,
		.parent_pid = (uint32_t)getpid(),
		.loader_pid = (uint32_t)parent->children[ROLE_LOADER].pid,
		.engine_pid = (uint32_t)parent->children[ROLE_ENGINE].pid,
		.recorder_pid = (uint32_t)parent->children[ROLE_RECORDER].pid,
		.restarts = parent->restarts,
		.fd_count = fd_count,
		.since_ns = parent->began_wall_ns,
		.since_monotonic_ns = parent->began_ns,
	};
	message_text(message->config.name, sizeof(message->config.name), parent->config_name);
	result = message_send(parent->children[role].channel, message, fds, fd_count);
	if (result != 0)
		(void)snprintf(reason, CONFIG_ERROR_SIZE, "the %s does not listen: %s", role_name(role),
		               strerror(-result));
done:
	supervise_close(fds, fd_count);
	return result;
}

int parent_roles_start(struct parent *parent)
{
	enum { PARENT_LOADER, PARENT_ENGINE, PARENT_RECORDER, ENGINE_LOADER, ENGINE_RECORDER, PAIRS };
	int ends[PAIRS * 2];
	int result = 0;

	/* Whatever fails from here on is a failure to begin, after which a pause comes. */
	parent->state = PARENT_STARTING;
	parent->awaited = 0;
	parent->serial++;
	for (unsigned i = 0; i < PAIRS * 2; i++)
		ends[i] = -1;
	for (unsigned i = 0; i < PAIRS && result == 0; i++)
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, &ends[i * 2]) != 0)
			result = -errno;
	if (result == 0)
		result = parent_role_start(parent, ROLE_LOADER,
		                           (int[]){ ends[PARENT_LOADER * 2 + 1], ends[ENGINE_LOADER * 2 + 1] }, 2);
	if (result == 0)
		result = parent_role_start(parent, ROLE_ENGINE,
		                           (int[]){ ends[PARENT_ENGINE * 2 + 1], ends[ENGINE_LOADER * 2],
		                                    ends[ENGINE_RECORDER * 2], parent->control },
		                           4);
	if (result == 0)
		result = parent_role_start(parent, ROLE_RECORDER,
		                           (int[]){ ends[PARENT_RECORDER * 2 + 1], ends[ENGINE_RECORDER * 2 + 1] }, 2);
	if (result != 0) {
		LOG_SAY(LOG_ERROR, "the roles cannot be begun: %s", strerror(-result));
		supervise_close(ends, PAIRS * 2);
		return result;
	}
	for (unsigned i = 0; i < PAIRS; i++) {
		if (i <= PARENT_RECORDER)
			parent->children[ROLE_LOADER + i].channel = ends[i * 2];
		else
			(void)close(ends[i * 2]);
		(void)close(ends[i * 2 + 1]);
	}
	for (unsigned i = ROLE_LOADER; i <= ROLE_RECORDER && result == 0; i++) {
		parent->awaited |= 1u << i;
		result = parent_config_send(parent, (enum role)i, &parent->config, parent->text, parent->length);
	}
	if (result != 0)
		LOG_SAY(LOG_ERROR, "%s", parent->answer.applied.lines[0]);
	return result;
}

void parent_roles_end(struct parent *parent, int signal_number)
{
	for (unsigned i = ROLE_LOADER; i < ROLES; i++) {
		struct parent_child *child = &parent->children[i];

		if (child->channel >= 0)
			(void)close(child->channel);
		child->channel = -1;
		child->silent_ns = 0;
		if (child->pid > 0 && signal_number)
			(void)kill(child->pid, signal_number);
	}
}

bool parent_any_alive(const struct parent *parent)
{
	for (unsigned i = ROLE_LOADER; i < ROLES; i++)
		if (parent->children[i].pid > 0)
			return true;
	return false;
}
