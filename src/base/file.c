/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536
#define PATH_SIZE 4096

int file_write(int fd, const void *octets, size_t count)
{
	const uint8_t *at = octets;

	while (count > 0) {
		ssize_t written = write(fd, at, count);

		if (written < 0 && errno != EINTR)
			return -errno;
		at += written > 0 ? written : 0;
		count -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

int file_read_at(int fd, void *octets, size_t count, uint64_t at)
{
	uint8_t *to = octets;

	while (count > 0) {
		ssize_t got = pread(fd, to, count, (off_t)at);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return -EBADMSG;
		to += got > 0 ? got : 0;
		at += got > 0 ? (uint64_t)got : 0;
		count -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

int file_read_all(int fd, size_t most, void **octets, size_t *length)
{
	uint8_t *made = malloc(most + 1);
	size_t filled = 0;
	int result = made ? 0 : -ENOMEM;

	while (result == 0 && filled <= most) {
		ssize_t got = read(fd, made + filled, most + 1 - filled);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			result = -errno;
		if (got <= 0)
			break;
		filled += (size_t)got;
	}
	if (result == 0 && filled > most)
		result = -EFBIG;
	if (result != 0) {
		free(made);
		return result;
	}
	made[filled] = 0;
	*octets = made;
	*length = filled;
	return 0;
}

int file_load(const char *path, size_t most, void **octets, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), result;

	if (fd < 0)
		return -errno;
	result = file_read_all(fd, most, octets, length);
	(void)close(fd);
	return result;
}

int file_replace(const char *path, unsigned mode, const void *octets, size_t length, enum file_lasting lasting)
{
	char beside[PATH_SIZE];
	int fd, result;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	result = file_write(fd, octets, length);
	if (result == 0 && lasting == FILE_LASTING && fsync(fd) != 0)
		result = -errno;
	/* Some file systems say only now that there was no room. */
	if (close(fd) != 0 && result == 0)
		result = -errno;
	if (result == 0 && rename(beside, path) != 0)
		result = -errno;
	if (result != 0)
		(void)unlink(beside); /* a full disk is not to stay full of it */
	return result == 0 && lasting == FILE_LASTING ? file_sync_folder_of(path) : result;
}

int file_copy(int from, uint64_t at, int to, uint64_t count)
{
	uint8_t block[BLOCK];
	int result = 0;

	while (count > 0 && result == 0) {
		size_t now = count < sizeof(block) ? (size_t)count : sizeof(block);

		result = file_read_at(from, block, now, at);
		if (result == 0)
			result = file_write(to, block, now);
		at += now;
		count -= now;
	}
	return result;
}

int file_make_parents(const char *path, unsigned mode)
{
	char *partial = strdup(path);
	int result = partial ? 0 : -ENOMEM;

	/* The first octet is the root's slash, or the first folder's. */
	for (char *at = partial && *partial ? strchr(partial + 1, '/') : NULL; at && result == 0;
	     at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(partial, mode) != 0 && errno != EEXIST)
			result = -errno;
		*at = '/';
	}
	free(partial);
	return result;
}

int file_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0)
		result = -errno;
	(void)close(fd);
	return result;
}

int file_folder_of(const char *path, char *folder, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash && slash > path ? (size_t)(slash - path) : 1; /* of the root that slash is all */

	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(folder, slash ? path : ".", length);
	folder[length] = '\0';
	return 0;
}

int file_sync_folder_of(const char *path)
{
	char folder[PATH_SIZE];
	int result = file_folder_of(path, folder, sizeof(folder));

	return result ? result : file_sync_folder(folder);
}

bool file_is_as_before(const struct stat *before, const struct stat *now)
{
	return before->st_ino == now->st_ino && before->st_dev == now->st_dev && before->st_size == now->st_size &&
	       before->st_mtim.tv_sec == now->st_mtim.tv_sec && before->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}
