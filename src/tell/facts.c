/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/facts.h"

#include <string.h>
#include <time.h>

#define SECONDS_MAX (INT64_MAX / NS_PER_S)

uint64_t fact_count(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

const char *fact_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

bool fact_duration(const json_t *object, const char *key, int64_t *ns)
{
	const json_t *number = json_object_get(object, key);
	double seconds = json_number_value(number);

	if (!json_is_number(number) || !(seconds >= 0) || seconds > (double)SECONDS_MAX / 2)
		return false;
	*ns = (int64_t)(seconds * NS_PER_S);
	return true;
}

bool fact_time(const json_t *object, const char *key, struct capture_time *time)
{
	const char *text = fact_text(object, key);
	int64_t digit = NS_PER_S / 10, ns = 0;
	struct tm broken = { .tm_isdst = 0 };
	time_t seconds;

	text = strptime(text, "%Y-%m-%dT%H:%M:%S", &broken);
	if (!text)
		return false;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, digit /= 10)
			ns += (*text - '0') * digit;
	seconds = timegm(&broken);
	if (strcmp(text, "Z") != 0 || seconds > SECONDS_MAX - 1 || seconds < -SECONDS_MAX + 1)
		return false;
	*time = (struct capture_time){ seconds * NS_PER_S + ns };
	return true;
}
