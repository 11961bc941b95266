/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk_dropped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "daemon/daemon.h"
#include "daemon/message.h"
#include "impact/dropped.h"

#define LOOK_NS (2 * NS_PER_S)

void desk_dropped_begin(struct desk_dropped *dropped, const struct config *config)
{
	memset(dropped, 0, sizeof(*dropped));
	if (config->public_role.dropped[0])
		(void)snprintf(dropped->path, sizeof(dropped->path), "%s", config->public_role.dropped);
	else
		(void)snprintf(dropped->path, sizeof(dropped->path), "%s/" DAEMON_DROPPED_NAME, config->state_dir);
}

bool desk_dropped_folder(const struct config *config, char folder[CONFIG_PATH_SIZE])
{
	char *slash;

	message_text(folder, CONFIG_PATH_SIZE, config->public_role.dropped);
	slash = strrchr(folder, '/');
	if (!slash || slash == folder) /* the root of all files is no such place */
		return false;
	*slash = '\0';
	return strcmp(folder, config->state_dir) != 0;
}

/* A descriptor, or -errno. No link: who may write there must not have another file handed on. */
static int open_list(const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, status) != 0)
		result = -errno;
	else if (!S_ISREG(status->st_mode))
		result = -EINVAL;
	else if (status->st_size > DROPPED_FILE_MAX)
		result = -EFBIG;
	if (result == 0)
		return fd;
	(void)close(fd);
	return result;
}

void desk_dropped_turn(struct desk_dropped *dropped, int channel, struct serve_message *scratch, int64_t now_ns)
{
	struct stat status = { .st_size = 0 };
	int fd, result;

	if (channel < 0 || now_ns < dropped->look_ns)
		return;
	dropped->look_ns = now_ns + LOOK_NS;
	fd = open_list(dropped->path, &status);
	result = fd < 0 ? fd : 0;
	if (!dropped->told || result != dropped->result ||
	    (result == 0 && !file_is_as_before(&dropped->status, &status))) {
		serve_message_init(scratch, SERVE_DROPPED, 0);
		scratch->dropped.result = result;
		/* Where there is no room it is tried again with the next look. */
		dropped->told = serve_message_send(channel, scratch, &fd, fd >= 0) == 0;
		dropped->result = result;
		dropped->status = status;
	}
	if (fd >= 0)
		(void)close(fd);
}

void desk_dropped_again(struct desk_dropped *dropped)
{
	dropped->told = false;
	dropped->look_ns = 0;
}
