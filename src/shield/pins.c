/* SPDX-License-Identifier: Apache-2.0 */
/* The folder in a bpf file system that has the shield's pins: where it may be, whose it must be, what is in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/magic.h>

#include "shield/inside.h"

#define BPFFS "/sys/fs/bpf"

int pin_path(char path[PIN_PATH_SIZE], const char *dir, const char *name)
{
	return (size_t)snprintf(path, PIN_PATH_SIZE, "%s/%s", dir, name) < PIN_PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int pin_each(const char *dir, int (*each)(const char *path, const char *name, void *context), void *context)
{
	DIR *opened = opendir(dir);
	int result = 0;

	if (!opened)
		return errno == ENOENT ? 0 : -errno;
	for (struct dirent *entry = readdir(opened); entry && !result; entry = readdir(opened)) {
		char path[PIN_PATH_SIZE];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		result = pin_path(path, dir, entry->d_name);
		if (!result)
			result = each(path, entry->d_name, context);
	}
	(void)closedir(opened);
	return result;
}

static bool is_bpffs(const char *path)
{
	struct statfs about;

	return statfs(path, &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

enum pin_place pin_place_of(const char *dir)
{
	char parent[PIN_PATH_SIZE];
	char *slash;

	if (dir[0] != '/' || (size_t)snprintf(parent, sizeof(parent), "%s", dir) >= sizeof(parent))
		return PIN_NO_PATH;
	slash = strrchr(parent, '/');
	*slash = '\0';
	if (is_bpffs(dir) || is_bpffs(parent))
		return PIN_MOUNTED;
	return strcmp(parent, BPFFS) == 0 ? PIN_USUAL : PIN_ELSEWHERE;
}

int pin_make_dir(const char *dir, struct shield_error *error)
{
	int result;

	switch (pin_place_of(dir)) {
	case PIN_NO_PATH:
		return shield_fail(error, -EINVAL, "%.200s: not an absolute path that is short enough", dir);
	case PIN_ELSEWHERE:
		(void)shield_fail(error, -ENOTDIR, "%s: is in no bpf file system", dir);
		shield_advise(error, "mount -t bpf bpf %.*s", (int)(strrchr(dir, '/') - dir), dir);
		return -ENOTDIR;
	case PIN_USUAL:
		if (mount("bpf", BPFFS, "bpf", 0, "mode=0700") == 0)
			break;
		result = -errno;
		(void)shield_fail(error, result, "%s: no bpf file system is mounted there, and mounting one: %s", BPFFS,
		                  strerror(-result));
		shield_advise(error, "as root: mount -t bpf bpf " BPFFS);
		return result;
	case PIN_MOUNTED:
	default:
		break;
	}
	if (mkdir(dir, 0700) && errno != EEXIST)
		return shield_fail(error, -errno, "%s: %s", dir, strerror(errno));
	return 0;
}

int pin_hold_dir(const char *dir, int *held, struct shield_error *error)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result = 0;
	struct stat about;

	if (fd < 0)
		return shield_fail(error, -errno, "%s: %s", dir, strerror(errno));
	if (fstat(fd, &about)) {
		result = shield_fail(error, -errno, "%s: %s", dir, strerror(errno));
	} else if (about.st_uid != geteuid() || about.st_mode & (S_IWGRP | S_IWOTH)) {
		result = shield_fail(error, -EPERM, "%s: others may write there (user %u, mode %o)", dir,
		                     (unsigned)about.st_uid, (unsigned)about.st_mode & 07777);
		shield_advise(error, "see whose it is, take it away, and let holdfast make it");
	} else if (flock(fd, LOCK_EX | LOCK_NB)) {
		result = shield_fail(error, -EBUSY, "%s: another holdfast has the shield there", dir);
		shield_advise(error, "stop that one first, or name another bpffs_dir");
	}
	if (result)
		(void)close(fd);
	else
		*held = fd;
	return result;
}

int pin_layout(const char *dir, struct shield_before *before)
{
	struct bpf_obj_get_opts options;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info), key = 0, layout;
	char path[PIN_PATH_SIZE];
	uint8_t *value;
	int fd, result = pin_path(path, dir, shield_map_name(SHIELD_MAP_CONFIG));

	if (result)
		return result;
	OPTIONS_BEGIN(options);
	options.file_flags = BPF_F_RDONLY;
	fd = bpf_obj_get_opts(path, &options);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.value_size < sizeof(layout)) {
		(void)close(fd);
		return -EBADMSG;
	}
	value = calloc(1, info.value_size);
	result = value ? bpf_map_lookup_elem(fd, &key, value) : -ENOMEM;
	if (!result) {
		memcpy(&layout, value, sizeof(layout));
		result = layout > 0 && layout < INT16_MAX ? (int)layout : -EBADMSG;
	}
	if (result > 0 && info.value_size >= offsetof(struct shield_config, ruleset)) {
		memcpy(&before->mode, value + offsetof(struct shield_config, mode), sizeof(before->mode));
		memcpy(&before->enforce_until, value + offsetof(struct shield_config, enforce_until),
		       sizeof(before->enforce_until));
	}
	free(value);
	(void)close(fd);
	return result;
}
