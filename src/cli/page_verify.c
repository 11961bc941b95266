/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast page verify: whether a folder is a page, whole, and of whom. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/keys.h"
#include "cli/output.h"
#include "cli/page.h"
#include "cli/page_folder.h"
#include "cli/say.h"

#define FILE_MAX (64u << 20) /* octets of a file that is checked */

static int check_signature(const char *folder, const char *public_key, char comment[MINISIGN_COMMENT_SIZE])
{
	char path[PAGE_FOLDER_PATH_SIZE], sums[PAGE_FOLDER_PATH_SIZE], *text = NULL;
	struct minisign_signature signature;
	struct minisign_public public;
	uint8_t digest[MINISIGN_DIGEST];
	size_t length = 0;
	int status = keys_public(public_key, &public), result, fd;

	if (status != COMMAND_DONE)
		return status;
	(void)snprintf(path, sizeof(path), "%.*s/" PAGE_FOLDER_SIGNATURE, PAGE_FOLDER_OUT_MAX, folder);
	(void)snprintf(sums, sizeof(sums), "%.*s/" PAGE_FOLDER_SUMS, PAGE_FOLDER_OUT_MAX, folder);
	result = keys_read_small(path, &text, &length);
	if (result == 0)
		result = minisign_signature_read(text, length, &signature);
	free(text);
	fd = result == 0 ? open(sums, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (result == 0)
		result = fd < 0 ? -errno : minisign_digest(fd, digest);
	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		result = minisign_check_file(&public, &signature, digest);
	if (result == 0)
		result = minisign_check_comment(&public, &signature);
	if (result == 0) {
		memcpy(comment, signature.comment, MINISIGN_COMMENT_SIZE);
		return COMMAND_DONE;
	}
	say_error(path, "%s",
	          result == -ENOKEY         ? "is of another key"
	          : result == -EKEYREJECTED ? "is not of this page"
	          : result == -EBADMSG      ? "is no signature of minisign's"
	                                    : strerror(-result));
	return COMMAND_BAD;
}

/* Whether the file has the sum. A name that leads out of the folder is refused. */
static int check_file(const char *folder, const char *sum, const char *name)
{
	char path[PAGE_FOLDER_PATH_SIZE], found[DIGEST_SHA256_TEXT_SIZE];
	struct stat status;
	char *octets = NULL;
	int fd, result;

	if (name[0] == '/' || strstr(name, "..") ||
	    snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	result = fstat(fd, &status) != 0 ? -errno : !S_ISREG(status.st_mode) || status.st_size > FILE_MAX ? -EFBIG : 0;
	if (result == 0) {
		octets = malloc((size_t)status.st_size + 1);
		result = octets ? file_read_at(fd, octets, (size_t)status.st_size, 0) : -ENOMEM;
	}
	(void)close(fd);
	if (result == 0) {
		digest_sha256_text(octets, (size_t)status.st_size, found);
		result = strcmp(found, sum) == 0 ? 0 : -EBADMSG;
	}
	free(octets);
	return result;
}

static int check_files(const char *folder, char *sums, unsigned *files)
{
	int status = COMMAND_DONE;
	char *next = NULL;

	for (char *line = strtok_r(sums, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *name = line + DIGEST_SHA256_TEXT_SIZE + 1;
		int result = -EINVAL;

		if (strlen(line) > DIGEST_SHA256_TEXT_SIZE + 1 && strncmp(name - 2, "  ", 2) == 0) {
			name[-2] = '\0';
			result = check_file(folder, line, name);
		} else {
			name = line;
		}
		(*files)++;
		if (result == 0)
			continue;
		say_error(folder, "%.100s: %s", name,
		          result == -EBADMSG  ? "is another file than was signed"
		          : result == -EINVAL ? "is no line of " PAGE_FOLDER_SUMS
		                              : strerror(-result));
		status = COMMAND_BAD;
	}
	return status;
}

int page_verify(const struct page_options *options)
{
	char comment[MINISIGN_COMMENT_SIZE] = "", folder[PAGE_FOLDER_PATH_SIZE], stranger[PAGE_FOLDER_PATH_SIZE];
	char *sums = NULL, *copy = NULL;
	unsigned files = 0;
	int status = page_folder_name(options->id, folder), result;

	if (status != COMMAND_DONE)
		return status;
	result = page_folder_sums(folder, &sums);
	if (result == 0)
		copy = sums ? strdup(sums) : NULL;
	if (result == 0 && !copy)
		result = -ENOMEM;
	if (result != 0) {
		free(sums);
		say_error(folder, "its " PAGE_FOLDER_SUMS " cannot be read: %s", strerror(-result));
		return COMMAND_BAD;
	}
	if (options->public_key)
		status = check_signature(folder, options->public_key, comment);
	if (status == COMMAND_DONE)
		status = check_files(folder, copy, &files);
	result = status == COMMAND_DONE ? page_folder_look(folder, sums, stranger) : 0;
	if (result == -EEXIST)
		say_error(folder, "%s is in no list, and nobody signed it", stranger);
	else if (result != 0)
		say_error(folder, "cannot be looked through: %s", strerror(-result));
	free(sums);
	free(copy);
	if (status != COMMAND_DONE || result != 0)
		return status != COMMAND_DONE ? status : COMMAND_BAD;
	(void)printf("%s: whole, %u files; %s\n", folder, files,
	             options->public_key ? comment : "whose it is was not checked: --public-key FILE does");
	return output_finish();
}
