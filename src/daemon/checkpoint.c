/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/config.h"
#include "daemon/message.h"

#define NEW_NAME CHECKPOINT_NAME ".new"

struct names {
	char kept[CONFIG_PATH_SIZE + sizeof(CHECKPOINT_NAME)], new[CONFIG_PATH_SIZE + sizeof(NEW_NAME)];
};

static struct names names_in(const char *folder)
{
	struct names names;

	(void)snprintf(names.kept, sizeof(names.kept), "%s/%s", folder, CHECKPOINT_NAME);
	(void)snprintf(names.new, sizeof(names.new), "%s/%s", folder, NEW_NAME);
	return names;
}

int checkpoint_keep(const char *folder, int fd, uint32_t length)
{
	struct names names = names_in(folder);
	int to = open(names.new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result;

	if (to < 0)
		return -errno;
	result = file_copy(fd, 0, to, length);
	if (result == 0 && fsync(to) != 0)
		result = -errno;
	(void)close(to);
	if (result == 0 && rename(names.new, names.kept) != 0)
		result = -errno;
	if (result != 0) {
		(void)unlink(names.new);
		return result;
	}
	return file_sync_folder(folder);
}

int checkpoint_open(const char *folder, int *fd, uint32_t *length)
{
	struct names names = names_in(folder);
	int from = open(names.kept, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (from < 0)
		return -errno;
	if (fstat(from, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
	    status.st_size > MESSAGE_CHECKPOINT_MAX) {
		(void)close(from);
		return -EFBIG;
	}
	*fd = from;
	*length = (uint32_t)status.st_size;
	return 0;
}

int checkpoint_read(int fd, uint32_t length, uint8_t **octets)
{
	uint8_t *read = malloc(length ? length : 1);
	int result;

	if (!read)
		return -ENOMEM;
	result = file_read_at(fd, read, length, 0);
	if (result != 0) {
		free(read);
		return result;
	}
	*octets = read;
	return 0;
}
