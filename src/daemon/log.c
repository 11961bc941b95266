/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

static const char *speaker = "";
static bool journal;

void log_begin(const char *role)
{
	speaker = role;
	journal = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
}

bool log_site_take(struct log_site *site, int64_t now_ns, uint32_t *withheld)
{
	if (site->said == 0 || now_ns - site->since_ns >= LOG_PERIOD_S * NS_PER_S) {
		site->since_ns = now_ns;
		site->said = 0;
	}
	if (site->said >= LOG_BURST) {
		site->withheld++;
		return false;
	}
	site->said++;
	*withheld = site->withheld;
	site->withheld = 0;
	return true;
}

/* What came from outside moves no cursor. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			*text = '?';
}

void log_write(struct log_site *site, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_SIZE + 64], head[8] = "", more[48] = "";
	struct timespec now;
	uint32_t withheld;
	va_list arguments;
	char text[LOG_LINE_SIZE];
	int length;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (!log_site_take(site, (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec, &withheld))
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	flatten(text);
	if (journal)
		(void)snprintf(head, sizeof(head), "<%d>", (int)level);
	if (withheld)
		(void)snprintf(more, sizeof(more), " (and %u like it before)", withheld);
	length = snprintf(line, sizeof(line), "%sholdfast: %s%s%.*s%s\n", head, speaker, *speaker ? ": " : "",
	                  LOG_LINE_SIZE - 64, text, more);
	/* One write a line: the roles share standard error. Where it is gone there is nobody to tell. */
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}
