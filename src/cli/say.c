/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say_error(const char *where, const char *format, ...)
{
	va_list arguments;

	(void)fputs("holdfast: ", stderr);
	for (; *where; where++)
		(void)fputc((unsigned char)*where < ' ' || *where == '\177' ? '?' : *where, stderr);
	(void)fputs(": ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
}

const char *say_input(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

const char *say_output(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard output" : path;
}
