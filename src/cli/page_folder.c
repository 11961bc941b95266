/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/page_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/say.h"

#define SUMS_MAX (1u << 20) /* octets of SHA256SUMS */

int page_folder_name(const char *path, char folder[PAGE_FOLDER_PATH_SIZE])
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length > PAGE_FOLDER_OUT_MAX) {
		say_error("page", "the path of the folder is longer than %d octets; give a shorter one",
		          PAGE_FOLDER_OUT_MAX);
		return COMMAND_BAD;
	}
	(void)snprintf(folder, PAGE_FOLDER_PATH_SIZE, "%.*s", (int)length, path);
	return COMMAND_DONE;
}

/* What is being looked at, for nftw() hands no context on; one folder at a time. */
static struct {
	const char *sums;
	size_t skip;
	char *stranger; /* PAGE_FOLDER_PATH_SIZE */
} looked;

static bool is_listed(const char *sums, const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, PAGE_FOLDER_SUMS) == 0 || strcmp(name, PAGE_FOLDER_SIGNATURE) == 0)
		return true;
	for (const char *line = sums; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t here = strcspn(line, "\n");

		if (here == length + DIGEST_SHA256_TEXT_SIZE + 1 && strncmp(line + here - length, name, length) == 0)
			return true;
	}
	return false;
}

static int look_at(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)place;
	if (kind == FTW_D || (kind == FTW_F && is_listed(looked.sums, path + looked.skip)))
		return 0;
	(void)snprintf(looked.stranger, PAGE_FOLDER_PATH_SIZE, "%s", path);
	return 1;
}

int page_folder_look(const char *folder, const char *sums, char stranger[PAGE_FOLDER_PATH_SIZE])
{
	int result;

	looked.sums = sums;
	looked.skip = strlen(folder) + 1;
	looked.stranger = stranger;
	stranger[0] = '\0';
	result = nftw(folder, look_at, PAGE_FOLDER_OPEN_MAX, FTW_PHYS);
	return result == 0 ? 0 : stranger[0] ? -EEXIST : -errno;
}

int page_folder_sums(const char *folder, char **text)
{
	char path[PAGE_FOLDER_PATH_SIZE];
	struct stat status;
	int fd, result;

	if (snprintf(path, sizeof(path), "%s/" PAGE_FOLDER_SUMS, folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	result = fstat(fd, &status) == 0 ? 0 : -errno;
	if (result == 0 && (!S_ISREG(status.st_mode) || status.st_size > SUMS_MAX))
		result = -EFBIG;
	*text = result == 0 ? calloc(1, (size_t)status.st_size + 1) : NULL;
	if (result == 0)
		result = *text ? file_read_at(fd, *text, (size_t)status.st_size, 0) : -ENOMEM;
	(void)close(fd);
	if (result != 0) {
		free(*text);
		*text = NULL;
	}
	return result;
}
