/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder_dropped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/daemon.h"
#include "impact/dropped.h"

#define PATH_SIZE (CONFIG_PATH_SIZE + sizeof("/" DAEMON_DROPPED_NAME ".new"))

static int take_list(const struct message_prefix *from, uint32_t count, struct dropped_list *list)
{
	list->prefixes = calloc(count + 1u, sizeof(*list->prefixes));
	if (!list->prefixes)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		if (!message_prefix_ok(&from[i]) || from[i].length == 0)
			return -EBADMSG;
		list->prefixes[i] = message_prefix(&from[i]);
	}
	list->count = count;
	dropped_sort(list);
	return 0;
}

/* Not waited for until it is on the disk: where that fails it is none, and another comes. */
static int replace(const char *folder, const char *text, size_t length)
{
	char path[PATH_SIZE], beside[PATH_SIZE];
	int fd, result;

	(void)snprintf(path, sizeof(path), "%s/" DAEMON_DROPPED_NAME, folder);
	(void)snprintf(beside, sizeof(beside), "%s/" DAEMON_DROPPED_NAME ".new", folder);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	result = file_write(fd, text, length);
	(void)close(fd);
	if (result == 0 && rename(beside, path) != 0)
		result = -errno;
	if (result != 0)
		(void)unlink(beside);
	return result;
}

int recorder_dropped_keep(const char *folder, const struct message_dropped *message, int fd, struct capture_time now)
{
	size_t count = (size_t)message->dropping + message->passing, length;
	struct message_prefix *prefixes = calloc(count + 1, sizeof(*prefixes));
	struct dropped dropped = { .made = now,
		                   .until = time_plus(now, DROPPED_LASTS_S * NS_PER_S),
		                   .left_out = message->left_out };
	char *text = NULL;
	int result = prefixes ? file_read_at(fd, prefixes, count * sizeof(*prefixes), 0) : -ENOMEM;

	if (result == 0)
		result = take_list(prefixes, message->dropping, &dropped.dropping);
	if (result == 0)
		result = take_list(prefixes + message->dropping, message->passing, &dropped.passing);
	if (result == 0)
		result = dropped_write(&dropped, &text, &length);
	if (result == 0)
		result = replace(folder, text, length);
	free(text);
	free(prefixes);
	dropped_fini(&dropped);
	return result;
}
