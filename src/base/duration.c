/* SPDX-License-Identifier: Apache-2.0 */
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"

static const struct unit {
	char letter;
	int64_t ns;
} units[] = { { 'd', 86400 * NS_PER_S }, { 'h', 3600 * NS_PER_S }, { 'm', 60 * NS_PER_S }, { 's', NS_PER_S } };

#define UNITS (sizeof(units) / sizeof(units[0]))

int duration_parse(const char *text, int64_t *ns)
{
	int64_t sum = 0;
	size_t next = 0; /* a unit comes once, and the larger first */

	do {
		int64_t value = 0;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++)
			if (__builtin_mul_overflow(value, 10, &value) ||
			    __builtin_add_overflow(value, *text - '0', &value))
				return -ERANGE;
		while (next < UNITS && units[next].letter != *text)
			next++;
		if (next == UNITS)
			return -EINVAL;
		if (__builtin_mul_overflow(value, units[next].ns, &value) || __builtin_add_overflow(sum, value, &sum))
			return -ERANGE;
		next++;
		text++;
	} while (*text);
	*ns = sum;
	return 0;
}

const char *duration_format(int64_t ns, char text[DURATION_TEXT_SIZE])
{
	size_t length = 0;

	for (size_t i = 0; i < UNITS; i++) {
		int64_t value = ns > 0 ? ns / units[i].ns : 0;

		if (value == 0 && (i + 1 < UNITS || length > 0))
			continue;
		length += (size_t)snprintf(text + length, DURATION_TEXT_SIZE - length, "%" PRId64 "%c", value,
		                           units[i].letter);
		ns -= value * units[i].ns;
	}
	return text;
}
