/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/message.h"

#define NEW_NAME CHECKPOINT_NAME ".new"
#define BLOCK 65536

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

static int write_whole(int fd, const uint8_t *octets, size_t count)
{
	while (count > 0) {
		ssize_t written = write(fd, octets, count);

		if (written < 0 && errno != EINTR)
			return -errno;
		octets += written > 0 ? written : 0;
		count -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

/* Its sender may have cut it short since it said how long it is. */
static int read_at(int fd, uint8_t *octets, size_t count, size_t at)
{
	while (count > 0) {
		ssize_t got = pread(fd, octets, count, (off_t)at);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -EBADMSG;
		octets += got > 0 ? got : 0;
		at += got > 0 ? (size_t)got : 0;
		count -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int copy(int from, int to, size_t length)
{
	uint8_t block[BLOCK];
	int result = 0;

	for (size_t at = 0; at < length && result == 0; at += sizeof(block)) {
		size_t count = length - at < sizeof(block) ? length - at : sizeof(block);

		result = read_at(from, block, count, at);
		if (result == 0)
			result = write_whole(to, block, count);
	}
	return result;
}

/* The new name is on the disk, too. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		result = -errno;
	(void)close(fd);
	return result;
}

int checkpoint_keep(const char *folder, int fd, uint32_t length)
{
	struct names names = names_in(folder);
	int to = open(names.new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result;

	if (to < 0)
		return -errno;
	result = copy(fd, to, length);
	if (result == 0 && fsync(to) != 0)
		result = -errno;
	(void)close(to);
	if (result == 0 && rename(names.new, names.kept) != 0)
		result = -errno;
	if (result != 0) {
		(void)unlink(names.new);
		return result;
	}
	return sync_folder(folder);
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
	result = read_at(fd, read, length, 0);
	if (result != 0) {
		free(read);
		return result;
	}
	*octets = read;
	return 0;
}
