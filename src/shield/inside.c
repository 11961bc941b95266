/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/inside.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

int shield_fail(struct shield_error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	error->advice[0] = '\0';
	return code;
}

void shield_advise(struct shield_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error->advice, sizeof(error->advice), format, arguments);
	va_end(arguments);
}

int64_t shield_monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

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
