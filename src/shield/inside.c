/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/inside.h"

#include <stdarg.h>
#include <stdio.h>
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
