/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tell/words.h"

#define SAY_SIZE 8192 /* octets of what is wrong, two paths among them; more is cut */

/* What a file's name, a report or a word on the command line says must not move a cursor. */
static void put_safe(const char *text)
{
	while (*text) {
		uint32_t code;
		size_t length = words_utf8(text, &code);

		if (length > 0 && words_is_printable(code))
			(void)fwrite(text, 1, length, stderr);
		else
			(void)fputc('?', stderr);
		text += length > 0 ? length : 1;
	}
}

void say_error(const char *where, const char *format, ...)
{
	char what[SAY_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)fputs("holdfast: ", stderr);
	put_safe(where);
	(void)fputs(": ", stderr);
	put_safe(what);
	(void)fputc('\n', stderr);
}

void say_line(const char *line)
{
	(void)fputs("holdfast: ", stderr);
	put_safe(line);
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
