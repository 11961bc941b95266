/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/members.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "detect/incident_id.h"
#include "tell/build.h"
#include "trace/chance.h"
#include "trace/trace.h"

#define ID_DIGITS (INCIDENT_ID_SIZE - 1)
#define SHARE_MAX 1.000001 /* sums of shares are off by roundings */
#define OTHERS "others"

static json_t *real(double n)
{
	return n >= -DBL_MAX && n <= DBL_MAX ? json_real(n) : json_null();
}

static json_t *id(uint64_t n)
{
	char text[INCIDENT_ID_SIZE];

	return json_string(incident_id_format(n, text));
}

static json_t *network(uint32_t number)
{
	if (number == TRACE_OTHERS)
		return json_string(OTHERS);
	return number ? build_integer(number) : json_null();
}

static uint32_t limited(uint32_t count, uint32_t max)
{
	return count < max ? count : max;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tables are nested */
static json_t *write_list(struct build *b, const struct member *m, const char *list, uint32_t count,
                          uint32_t country_databases)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < count; i++) {
		const char *item = list + i * m->size;

		build_append(b, array,
		             m->kind == MEMBER_TEXTS
		                     ? build_text(item, m->size - 1)
		                     : members_write(b, m->members, m->members_count, item, country_databases));
	}
	return array;
}

static json_t *write_countries(struct build *b, const char *country, uint32_t country_databases)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < country_databases; i++)
		build_append(b, array, build_text(country + i * (size_t)GEO_COUNTRY_SIZE, GEO_COUNTRY_SIZE - 1));
	return array;
}

static json_t *write_member(struct build *b, const struct member *m, const char *from, uint32_t country_databases)
{
	const void *at = from + m->at;

	switch (m->kind) {
	case MEMBER_WHOLE:
		return build_integer(*(const uint64_t *)at);
	case MEMBER_SMALL:
		return build_integer(*(const uint32_t *)at);
	case MEMBER_ID:
		return id(*(const uint64_t *)at);
	case MEMBER_MAYBE:
		return *(const uint64_t *)at ? id(*(const uint64_t *)at) : json_null();
	case MEMBER_LITTLE:
		return json_integer(*(const int32_t *)at);
	case MEMBER_SPAN:
		return json_integer(*(const int64_t *)at);
	case MEMBER_MOMENT:
		return build_time_or_null(*(const int64_t *)at);
	case MEMBER_SHARE:
	case MEMBER_AMOUNT:
	case MEMBER_VALUE:
		return real(*(const double *)at);
	case MEMBER_FLAG:
		return json_boolean(*(const bool *)at);
	case MEMBER_TEXT:
		return build_text(at, m->size - 1);
	case MEMBER_WORD:
		return json_string(m->words[*(const unsigned *)at]);
	case MEMBER_PART:
		return members_write(b, m->members, m->members_count, at, country_databases);
	case MEMBER_PARTS:
	case MEMBER_TEXTS:
		return write_list(b, m, at, limited(*(const uint32_t *)(const void *)(from + m->count), m->max),
		                  country_databases);
	case MEMBER_NETWORK:
		return network(*(const uint32_t *)at);
	case MEMBER_COUNTRIES:
		break;
	}
	return write_countries(b, at, country_databases);
}

json_t *members_write(struct build *b, const struct member *members, size_t count, const void *from,
                      uint32_t country_databases)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		build_set(b, object, members[i].name, write_member(b, &members[i], from, country_databases));
	return object;
}
/* NOLINTEND(misc-no-recursion) */

/* ---- reading ---- */

size_t members_enter(struct members_reader *r, const char *name, int64_t index)
{
	size_t before = r->length, left = sizeof(r->path) - before;
	int added = index >= 0 ? snprintf(r->path + before, left, "[%" PRId64 "]", index)
	                       : snprintf(r->path + before, left, "%s%s", before ? "." : "", name ? name : "");

	if (added > 0)
		r->length += (size_t)added < left ? (size_t)added : left - 1;
	return before;
}

void members_leave(struct members_reader *r, size_t before)
{
	r->length = before;
	r->path[before] = '\0';
}

int members_refuse(const struct members_reader *r, const char *why)
{
	(void)snprintf(r->error, MEMBERS_ERROR_SIZE, "%s: %s", r->length ? r->path : "it", why);
	return -EBADMSG;
}

static int read_whole(const struct members_reader *r, const json_t *value, uint64_t max, uint64_t *n)
{
	if (!json_is_integer(value))
		return members_refuse(r, "is no integer");
	if (json_integer_value(value) < 0 || (uint64_t)json_integer_value(value) > max)
		return members_refuse(r, "is out of its bounds");
	*n = (uint64_t)json_integer_value(value);
	return 0;
}

static int read_small(const struct members_reader *r, const json_t *value, uint32_t *n)
{
	uint64_t whole = 0;
	int result = read_whole(r, value, UINT32_MAX, &whole);

	if (result == 0)
		*n = (uint32_t)whole;
	return result;
}

static int read_little(const struct members_reader *r, const json_t *value, int32_t *n)
{
	if (!json_is_integer(value))
		return members_refuse(r, "is no integer");
	if (json_integer_value(value) < INT32_MIN || json_integer_value(value) > INT32_MAX)
		return members_refuse(r, "is out of its bounds");
	*n = (int32_t)json_integer_value(value);
	return 0;
}

static int read_id(const struct members_reader *r, const json_t *value, uint64_t *n)
{
	const char *text = json_string_value(value);

	if (!text || json_string_length(value) != ID_DIGITS || strspn(text, "0123456789abcdef") != ID_DIGITS)
		return members_refuse(r, "is no ID: 16 hexadecimal digits");
	*n = strtoull(text, NULL, 16);
	return 0;
}

static int read_moment(const struct members_reader *r, const json_t *value, int64_t *ns)
{
	const char *text = json_string_value(value);
	struct capture_time t = { 0 };

	if (!json_is_null(value) && (!text || time_parse(text, &t) != 0))
		return members_refuse(r, "is no time: RFC 3339 in UTC, or null");
	*ns = t.ns;
	return 0;
}

static int read_real(const struct members_reader *r, const json_t *value, double low, double high, double *n)
{
	double number = json_number_value(value);

	if (json_is_null(value)) {
		*n = CHANCE_UNKNOWN;
		return 0;
	}
	if (!json_is_number(value))
		return members_refuse(r, "is neither a number nor null");
	if (!(number >= low && number <= high))
		return members_refuse(r, "is out of its bounds");
	*n = number;
	return 0;
}

static int read_flag(const struct members_reader *r, const json_t *value, bool *is)
{
	if (!json_is_boolean(value))
		return members_refuse(r, "is neither true nor false");
	*is = json_is_true(value);
	return 0;
}

static int read_text(const struct members_reader *r, const json_t *value, size_t size, char *text)
{
	const char *string = json_string_value(value);

	if (!string)
		return members_refuse(r, "is no string");
	if (strlen(string) != json_string_length(value))
		return members_refuse(r, "holds a NUL");
	if (json_string_length(value) >= size)
		return members_refuse(r, "is too long");
	memcpy(text, string, json_string_length(value) + 1);
	return 0;
}

static int read_word(const struct members_reader *r, const json_t *value, const char *const *words, unsigned *n)
{
	const char *string = json_string_value(value);

	for (unsigned i = 0; string && words[i]; i++)
		if (strcmp(string, words[i]) == 0) {
			*n = i;
			return 0;
		}
	return members_refuse(r, "is none of the words that it can be");
}

static int read_network(const struct members_reader *r, const json_t *value, uint32_t *number)
{
	const char *string = json_string_value(value);

	*number = 0;
	if (json_is_null(value))
		return 0;
	if (string) {
		*number = TRACE_OTHERS;
		return strcmp(string, OTHERS) == 0 ? 0
		                                   : members_refuse(r, "is neither a number, null, nor \"" OTHERS "\"");
	}
	return read_small(r, value, number);
}

static bool is_country(const char *code)
{
	return !code[0] || (code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z' && code[2] == '\0');
}

static int read_countries(struct members_reader *r, const json_t *value, uint32_t country_databases,
                          char (*country)[GEO_COUNTRY_SIZE])
{
	if (!json_is_array(value) || json_array_size(value) != country_databases)
		return members_refuse(r, "has not one country for each database of countries");
	for (uint32_t i = 0; i < country_databases; i++) {
		size_t before = members_enter(r, NULL, i);
		int result = read_text(r, json_array_get(value, i), GEO_COUNTRY_SIZE, country[i]);

		if (result == 0 && !is_country(country[i]))
			result = members_refuse(r, "is no country: two capital letters, or nothing");
		if (result != 0)
			return result;
		members_leave(r, before);
	}
	return 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tables are nested */
static int read_list(struct members_reader *r, const json_t *value, const struct member *m, char *list, uint32_t *count)
{
	if (!json_is_array(value))
		return members_refuse(r, "is no array");
	if (json_array_size(value) > m->max)
		return members_refuse(r, "has too many elements");
	for (uint32_t i = 0; i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);
		size_t before = members_enter(r, NULL, i);
		int result = m->kind == MEMBER_TEXTS
		                     ? read_text(r, item, m->size, list + i * m->size)
		                     : members_read(r, item, m->members, m->members_count, list + i * m->size, 0);

		if (result != 0)
			return result;
		members_leave(r, before);
	}
	*count = (uint32_t)json_array_size(value);
	return 0;
}

static int read_member(struct members_reader *r, const json_t *value, const struct member *m, char *into,
                       uint32_t country_databases)
{
	void *at = into + m->at;

	if (!value)
		return members_refuse(r, "is not there");
	switch (m->kind) {
	case MEMBER_WHOLE:
		return read_whole(r, value, INT64_MAX, at);
	case MEMBER_SMALL:
		return read_small(r, value, at);
	case MEMBER_ID:
		return read_id(r, value, at);
	case MEMBER_MAYBE:
		*(uint64_t *)at = 0;
		return json_is_null(value) ? 0 : read_id(r, value, at);
	case MEMBER_LITTLE:
		return read_little(r, value, at);
	case MEMBER_SPAN:
		if (!json_is_integer(value))
			return members_refuse(r, "is no integer");
		*(int64_t *)at = json_integer_value(value);
		return 0;
	case MEMBER_MOMENT:
		return read_moment(r, value, at);
	case MEMBER_SHARE:
		return read_real(r, value, 0, SHARE_MAX, at);
	case MEMBER_AMOUNT:
		return read_real(r, value, 0, DBL_MAX, at);
	case MEMBER_VALUE:
		return read_real(r, value, -DBL_MAX, DBL_MAX, at);
	case MEMBER_FLAG:
		return read_flag(r, value, at);
	case MEMBER_TEXT:
		return read_text(r, value, m->size, at);
	case MEMBER_WORD:
		return read_word(r, value, m->words, at);
	case MEMBER_PART:
		return members_read(r, value, m->members, m->members_count, at, country_databases);
	case MEMBER_PARTS:
	case MEMBER_TEXTS:
		return read_list(r, value, m, at, (uint32_t *)(void *)(into + m->count));
	case MEMBER_NETWORK:
		return read_network(r, value, at);
	case MEMBER_COUNTRIES:
		break;
	}
	return read_countries(r, value, country_databases, at);
}

int members_read(struct members_reader *r, const json_t *object, const struct member *members, size_t count, void *into,
                 uint32_t country_databases)
{
	if (!json_is_object(object))
		return members_refuse(r, "is no object");
	for (size_t i = 0; i < count; i++) {
		size_t before = members_enter(r, members[i].name, -1);
		int result =
			read_member(r, json_object_get(object, members[i].name), &members[i], into, country_databases);

		if (result != 0)
			return result;
		members_leave(r, before);
	}
	return 0;
}
/* NOLINTEND(misc-no-recursion) */
