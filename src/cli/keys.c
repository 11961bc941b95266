/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/say.h"

int keys_read_small(const char *path, char **text, size_t *length)
{
	char *read = malloc(MINISIGN_TEXT_SIZE + 1);
	FILE *file = read ? fopen(path, "rbe") : NULL;
	int result = read ? 0 : -ENOMEM;

	if (read && !file)
		result = -errno;
	if (result == 0) {
		*length = fread(read, 1, MINISIGN_TEXT_SIZE, file);
		result = ferror(file) ? -EIO : 0;
	}
	if (file)
		(void)fclose(file);
	if (result != 0) {
		free(read);
		return result;
	}
	read[*length] = '\0';
	*text = read;
	return 0;
}

int keys_password(const char *path, char **password)
{
	size_t length;
	int result;

	*password = NULL;
	if (!path)
		return COMMAND_DONE;
	result = keys_read_small(path, password, &length);
	if (result == 0) {
		(*password)[strcspn(*password, "\r\n")] = '\0';
		return COMMAND_DONE;
	}
	say_error(path, "%s; it is to hold the password in its first line", strerror(-result));
	return COMMAND_BAD;
}

int keys_take(const char *path, const char *password_file, struct minisign_key **key)
{
	char *text, *password;
	size_t length;
	int status = keys_password(password_file, &password), result;

	if (status != COMMAND_DONE)
		return status;
	result = keys_read_small(path, &text, &length);
	if (result == 0) {
		result = minisign_key_read(text, length, password, key);
		explicit_bzero(text, length);
		free(text);
	}
	if (password)
		explicit_bzero(password, strlen(password));
	free(password);
	switch (-result) {
	case 0:
		return COMMAND_DONE;
	case ENOKEY:
		say_error(path, "the key has a password; give it with --password-file FILE");
		break;
	case EKEYREJECTED:
		say_error(path, "that is not the key's password");
		break;
	case EBADMSG:
		say_error(path, "is no secret key of minisign's; 'holdfast evidence --new-key FILE' makes one");
		break;
	default:
		say_error(path, "%s; name the file of a secret key", strerror(-result));
	}
	return COMMAND_BAD;
}

int keys_write_new(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), result;

	if (fd < 0)
		return -errno;
	result = file_write(fd, text, strlen(text));
	if (result == 0 && fsync(fd) != 0)
		result = -errno;
	(void)close(fd);
	if (result != 0)
		(void)unlink(path);
	return result;
}

int keys_public(const char *path, struct minisign_public *public)
{
	char *text;
	size_t length;
	int result = keys_read_small(path, &text, &length);

	if (result == 0) {
		result = length == MINISIGN_TEXT_SIZE ? -EBADMSG : minisign_public_read(text, length, public);
		free(text);
	}
	if (result == 0)
		return COMMAND_DONE;
	say_error(path, result == -EBADMSG ? "is no public key of minisign's" : "%s", strerror(-result));
	return COMMAND_BAD;
}
