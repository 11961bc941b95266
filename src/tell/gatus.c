/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/gatus.h"

#include <errno.h>
#include <string.h>

#include "base/time.h"

#define DIGITS_MAX 9

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	/* a unit that another begins with comes behind it */
	{ "ns", 1 },         { "us", NS_PER_US }, { "µs", NS_PER_US },    { "μs", NS_PER_US },
	{ "ms", NS_PER_MS }, { "s", NS_PER_S },   { "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S },
};

static const char *unit(const char *at, int64_t *ns)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strncmp(at, units[i].name, strlen(units[i].name))) {
			*ns = units[i].ns;
			return at + strlen(units[i].name);
		}
	return NULL;
}

/* One "12.5" before its unit, in millionths; NULL: none, or too long. */
static const char *number(const char *at, int64_t *millionths)
{
	size_t whole = strspn(at, "0123456789"), part = 0;
	int64_t value = 0, scale = 100000;

	if (!whole || whole > DIGITS_MAX)
		return NULL;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + (at[i] - '0');
	value *= 1000000;
	at += whole;
	if (*at == '.') {
		part = strspn(++at, "0123456789");
		for (size_t i = 0; i < part; i++, scale /= 10)
			value += (at[i] - '0') * scale;
	}
	*millionths = value;
	return at + part;
}

static int duration_read(const char *at, uint32_t *ms)
{
	int64_t sum = 0; /* nanoseconds */

	if (!strcmp(at, "0"))
		at++;
	while (*at) {
		int64_t millionths, ns, part;

		at = number(at, &millionths);
		at = at ? unit(at, &ns) : NULL;
		if (!at || __builtin_mul_overflow(millionths / 1000, ns, &part))
			return -EINVAL;
		part /= 1000;
		if (part > GATUS_DURATION_MAX_MS * (int64_t)NS_PER_MS - sum)
			return -EINVAL;
		sum += part;
	}
	*ms = (uint32_t)(sum / NS_PER_MS);
	return 0;
}

int gatus_read(const char *path, const char *success, const char *duration, struct gatus_report *report)
{
	size_t before = strlen(GATUS_BEFORE), behind = strlen(GATUS_BEHIND), length = strlen(path);
	struct gatus_report read = { .ms = 0 };

	if (length <= before + behind || length - before - behind >= COMPONENT_ID_SIZE ||
	    strncmp(path, GATUS_BEFORE, before) != 0 || strcmp(path + length - behind, GATUS_BEHIND) != 0)
		return -ENOENT;
	for (size_t i = 0; i < length - before - behind; i++)
		read.component[i] = path[before + i] == '_' ? '-' : path[before + i];
	if (!component_id_ok(read.component))
		return -ENOENT;
	if (!success || (strcmp(success, "true") != 0 && strcmp(success, "false") != 0))
		return -EINVAL;
	read.success = success[0] == 't';
	if (duration && duration[0] && duration_read(duration, &read.ms))
		return -EINVAL;
	*report = read;
	return 0;
}
