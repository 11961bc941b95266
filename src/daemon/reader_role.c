/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader as a role of `holdfast serve` (serve_role.h). It reads what strangers have had written, so it keeps
 * nothing but its folder, and the folders that the logs are in, to be read. Logs belong to a group as a rule (adm): the
 * groups of the files and their folders are what the role keeps beside its user's, root's apart.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/reader.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"
#include "daemon/serve_role.h"

#define FOLDER_NAME "/reader"
#define WAIT_MS 500
#define TELL_NS (2 * NS_PER_S)
#define GROUPS_MAX (2 * CONFIG_LOGS_MAX)

struct role_of_reader {
	struct serve_life life;
	struct reader reader;
	char folder[CONFIG_PATH_SIZE + sizeof(FOLDER_NAME)];
	char folders[CONFIG_LOGS_MAX][CONFIG_PATH_SIZE];
	gid_t groups[GROUPS_MAX];
	unsigned group_count;
	int64_t told_ns;
	int said[CONFIG_LOGS_MAX]; /* the fault of each file that was said last */
};

/* ---- beginning ---- */

static void add_group(struct role_of_reader *role, const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0 || status.st_gid == 0 || (status.st_mode & S_IRGRP) == 0)
		return;
	for (unsigned i = 0; i < role->group_count; i++)
		if (role->groups[i] == status.st_gid)
			return;
	role->groups[role->group_count++] = status.st_gid;
}

/* The folders that files are in, and whose groups may read them. */
static unsigned find_folders(struct role_of_reader *role, const char *folders[CONFIG_LOGS_MAX])
{
	const struct config *config = &role->life.config;
	unsigned count = 0;

	for (unsigned i = 0; i < config->log_count; i++) {
		char *folder = role->folders[count], *slash;

		if (!config->logs[i].file[0])
			continue;
		memcpy(folder, config->logs[i].file, sizeof(role->folders[count]));
		slash = strrchr(folder, '/');
		if (slash)
			slash[slash == folder] = '\0';
		add_group(role, config->logs[i].file);
		add_group(role, folder);
		folders[count++] = folder;
	}
	return count;
}

static int give_up(struct role_of_reader *role, const struct role_start *start)
{
	const char *folders[CONFIG_LOGS_MAX];
	unsigned count = find_folders(role, folders);
	int result = sandbox_become_in_groups(start->uid, start->gid, role->groups, role->group_count);

	if (result == 0)
		result = sandbox_follow_parent();
	if (result == 0)
		result = sandbox_seal();
	if (result == 0 && mkdir(role->folder, 0700) != 0 && errno != EEXIST)
		result = -errno;
	if (result == 0)
		result = sandbox_excuse(sandbox_confine_to_logs(role->folder, folders, count));
	return result == 0 ? sandbox_filter(ROLE_READER) : result;
}

static int begin(void *state, const struct role_start *start, char error[CONFIG_ERROR_SIZE])
{
	struct role_of_reader *role = state;
	int result = log_reader_init(&role->reader, &role->life.config, role->life.listeners, role->life.listener_count,
	                             error);

	if (result != 0)
		return result;
	(void)snprintf(role->folder, sizeof(role->folder), "%s" FOLDER_NAME, role->life.config.state_dir);
	result = give_up(role, start);
	if (result != 0) {
		(void)snprintf(error, CONFIG_ERROR_SIZE, "rights cannot be given up: %s", strerror(-result));
		return result;
	}
	result = log_reader_resume(&role->reader, role->folder);
	if (result != 0 && result != -ENOENT)
		LOG_SAY(LOG_WARNING, "where logs were read up to cannot be read: %s; they are read from their ends",
		        strerror(-result));
	return 0;
}

/* ---- life ---- */

static void say_faults(struct role_of_reader *role)
{
	for (unsigned i = 0; i < role->reader.source_count; i++) {
		const struct tail *tail = role->reader.sources[i].tail;

		if (!tail || tail->fault == role->said[i])
			continue;
		role->said[i] = tail->fault;
		if (tail->fault)
			LOG_SAY(LOG_WARNING, "%s cannot be read: %s; it is tried again", tail->path,
			        strerror(tail->fault));
		else
			LOG_SAY(LOG_INFO, "%s is read", tail->path);
	}
}

static void tell(struct role_of_reader *role, int64_t now_ns)
{
	const struct reader *reader = &role->reader;
	struct serve_message *message = &role->life.message;
	uint64_t rotations = 0, truncations = 0, gaps = 0, early = 0;
	unsigned missing = 0;

	if (now_ns - role->told_ns < TELL_NS)
		return;
	role->told_ns = now_ns;
	for (unsigned i = 0; i < reader->source_count; i++) {
		const struct tail *tail = reader->sources[i].tail;

		if (!tail)
			continue;
		missing += tail->fault != 0;
		rotations += tail->rotations;
		truncations += tail->truncations;
		gaps += tail->gaps;
	}
	for (unsigned i = 0; i < reader->component_count; i++)
		early += reader->components[i]->count.early;
	serve_message_init(message, SERVE_COUNTED, 0);
	if (missing)
		(void)snprintf(message->counted.state, sizeof(message->counted.state), "%u of %u logs cannot be read",
		               missing, reader->source_count);
	else if (reader->state_fault)
		(void)snprintf(message->counted.state, sizeof(message->counted.state),
		               "where logs are read up to cannot be kept: %s", strerror(reader->state_fault));
	else
		(void)snprintf(message->counted.state, sizeof(message->counted.state), "ok");
	serve_role_count(message, "lines", reader->lines);
	serve_role_count(message, "lines_left_out", reader->left_out);
	serve_role_count(message, "lines_too_long", reader->too_long);
	serve_role_count(message, "lines_out_of_time", reader->out_of_time);
	serve_role_count(message, "datagrams_of_strangers", reader->strangers);
	serve_role_count(message, "signals_waiting", reader->waiting_count);
	serve_role_count(message, "signals_lost", reader->signals_lost);
	serve_role_count(message, "buckets_early", early);
	serve_role_count(message, "rotations", rotations);
	serve_role_count(message, "truncations", truncations);
	serve_role_count(message, "rotations_not_found", gaps);
	serve_role_tell(message);
}

static void send_signals(struct role_of_reader *role)
{
	struct serve_message *message = &role->life.message;

	while (role->life.desk >= 0 && role->reader.waiting_count > 0) {
		serve_message_init(message, SERVE_SIGNALS, 0);
		message->signals.count = log_reader_take(&role->reader, message->signals.signals);
		if (serve_role_send(&role->life, message) != 0) {
			log_reader_give_back(&role->reader, message->signals.signals, message->signals.count);
			return;
		}
	}
}

static void live(void *state)
{
	struct role_of_reader *role = state;
	bool more = false;

	for (;;) {
		struct pollfd fds[CONFIG_LOGS_MAX + 1] = { { .fd = ROLE_FD_PARENT, .events = POLLIN } };
		nfds_t count = 1;

		for (unsigned i = 0; i < role->reader.source_count; i++)
			fds[count++] = (struct pollfd){ .fd = role->reader.sources[i].socket, .events = POLLIN };
		(void)alarm(ROLE_ALARM_S);
		if (poll(fds, count, more ? 0 : WAIT_MS) < 0 && errno != EINTR)
			break;
		if (serve_role_heed(&role->life) != 0)
			break;
		log_reader_turn(&role->reader, role_wall_ns(), role_monotonic_ns(), &more);
		send_signals(role);
		say_faults(role);
		tell(role, role_monotonic_ns());
	}
	(void)log_reader_keep(&role->reader);
}

static void end(void *state)
{
	struct role_of_reader *role = state;

	log_reader_fini(&role->reader);
}

int reader_role(const struct role_start *start)
{
	static const struct serve_role_stages stages = { sizeof(struct role_of_reader), begin, live, end };

	return serve_role_live(&stages, start);
}
