/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/alert_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int alert_key_open(const char *path, char error[CONFIG_ERROR_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	char key[ALERT_SECRET_SIZE];
	int result;

	if (fd < 0 || fstat(fd, &status) != 0) {
		result = -errno;
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s; put the key there, for root alone: chmod 600", path,
		               strerror(-result));
		if (fd >= 0)
			(void)close(fd);
		return result;
	}
	result = !S_ISREG(status.st_mode) ? -EINVAL : status.st_mode & 07 ? -EACCES : alert_key_read(fd, key);
	explicit_bzero(key, sizeof(key));
	if (result == 0)
		return fd;
	(void)close(fd);
	(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s", path,
	               result == -EACCES ? "everybody may read it, and it is a key; chmod 600"
	                                 : "is no file with a key in one line; put it there alone");
	return result;
}

int alert_key_read(int fd, char key[ALERT_SECRET_SIZE])
{
	char text[ALERT_SECRET_SIZE + 2];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	int result = -EINVAL;
	size_t first, length;

	if (got < 0)
		return -errno;
	text[got] = '\0';
	first = strspn(text, " \t\r\n");
	length = strcspn(text + first, " \t\r\n");
	if (length > 0 && length < ALERT_SECRET_SIZE &&
	    strspn(text + first + length, " \t\r\n") == (size_t)got - first - length) {
		memcpy(key, text + first, length);
		key[length] = '\0';
		result = 0;
	}
	explicit_bzero(text, sizeof(text));
	return result;
}

int alert_script_check(const char *path, char error[CONFIG_ERROR_SIZE])
{
	const char *wrong = NULL;
	struct stat status;

	if (stat(path, &status) != 0) {
		int result = -errno;

		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s; put the script there", path, strerror(-result));
		return result;
	}
	if (!S_ISREG(status.st_mode) || !(status.st_mode & 0111))
		wrong = "is no program; chmod 755";
	else if (status.st_uid != 0 || status.st_mode & 022)
		wrong = "can be changed by others than root; chown root, chmod 755";
	if (wrong)
		(void)snprintf(error, CONFIG_ERROR_SIZE, "%s: %s", path, wrong);
	return wrong ? -EPERM : 0;
}
