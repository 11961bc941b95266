/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/facts.h"

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
	return time_parse(fact_text(object, key), time) == 0;
}
