/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tell/analysis.h"

const char *screen_environment(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value ? value : NULL;
}

static unsigned clamp_width(uint64_t width)
{
	if (width < PAGE_WIDTH_MIN)
		return PAGE_WIDTH_MIN;
	return width > PAGE_WIDTH_MAX ? PAGE_WIDTH_MAX : (unsigned)width;
}

static unsigned terminal_width(void)
{
	const char *columns = screen_environment("COLUMNS");
	struct winsize size;
	unsigned long value = columns ? strtoul(columns, NULL, 10) : 0;

	if (value == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		value = size.ws_col;
	if (value == 0)
		return PAGE_WIDTH_DEFAULT;
	return clamp_width(value);
}

/* Does the terminal's encoding have more than ASCII? POSIX: the first of these that is set counts. */
static bool is_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = screen_environment(variables[i]);

		if (value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

struct paper screen_paper(uint64_t width, bool no_color)
{
	const char *terminal = screen_environment("TERM");

	return (struct paper){
		.out = stdout,
		.width = width ? clamp_width(width) : terminal_width(),
		.color = !no_color && !screen_environment("NO_COLOR") && isatty(STDOUT_FILENO) &&
		         !(terminal && strcmp(terminal, "dumb") == 0),
		.unicode = is_utf8(),
	};
}
