/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects are parsed one at a time, so that a file of any size needs the memory of one of them, and each has its line.
 * What stands around them is looked at here: '[', ',', ']', and the member "counts".
 */
#include "tell/report_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define OBJECT_MAX 4096 /* octets of one */
#define NETWORK_MAX 4294967295LL

struct reading {
	const char *octets;
	size_t length, at;
	uint64_t line;
	const struct report_count *preset;
	const struct report_sink *sink;
};

static void tell(const struct reading *r, const char *what, size_t length)
{
	r->sink->mistake(r->sink->context, r->line, what, r->octets + r->at, length);
}

static void step(struct reading *r, size_t count)
{
	for (; count > 0 && r->at < r->length; count--)
		r->line += r->octets[r->at++] == '\n';
}

/* The next octet that is no space; '\0' at the end. */
static char next(struct reading *r)
{
	while (r->at < r->length && r->octets[r->at] != '\0' && strchr(" \t\r\n", r->octets[r->at]))
		step(r, 1);
	return r->at < r->length ? r->octets[r->at] : '\0';
}

/* Octets of the object that begins here, by its braces; 0: it does not end. */
static size_t extent(const struct reading *r)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = r->at; i < r->length; i++) {
		char c = r->octets[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']') && --depth == 0)
			return i + 1 - r->at;
	}
	return 0;
}

/* NULL, or what is wrong: a text of at most `size` - 1 octets; missing or null: "". */
static const char *take_text(const json_t *object, const char *name, char *text, size_t size, bool *is)
{
	const json_t *value = json_object_get(object, name);

	*is = value && !json_is_null(value);
	text[0] = '\0';
	if (!*is)
		return NULL;
	if (!json_is_string(value) || json_string_length(value) >= size ||
	    strlen(json_string_value(value)) != json_string_length(value))
		return "a member is no text, or too long";
	memcpy(text, json_string_value(value), json_string_length(value) + 1);
	return NULL;
}

static const char *take_number(const json_t *object, const char *name, int64_t most, int64_t *number)
{
	const json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value))
		return NULL;
	if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > most)
		return "a number is none, or out of its bounds";
	*number = json_integer_value(value);
	return NULL;
}

static const char *take_time(const json_t *object, struct report_count *count)
{
	const json_t *value = json_object_get(object, "time");
	char text[TIME_TEXT_SIZE];
	int result = -EINVAL;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		(void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		result = report_time_parse(text, &count->bucket_ns);
	} else if (json_is_string(value) && json_string_length(value) < sizeof(text)) {
		result = report_time_parse(json_string_value(value), &count->bucket_ns);
	}
	return result == 0 ? NULL
	                   : "the time is none; as \"2026-03-10T09:35:00Z\", or seconds since 1970, from then to 2100";
}

static const char *take_words(const json_t *object, struct report_count *count)
{
	char text[COMPONENT_ID_SIZE];
	bool is;

	if (take_text(object, "component", text, sizeof(text), &is) || (is && !component_id_ok(text)))
		return "the component is none; 1 to 32 of a-z, 0-9 and -";
	if (is)
		memcpy(count->component, text, sizeof(count->component));
	if (take_text(object, "symptom", text, sizeof(text), &is) || (is && !symptom_find(text, &count->symptom)))
		return "the symptom is none of cannot_reach, error_page, slow, cannot_log_in, other";
	if (take_text(object, "region", text, REGION_SIZE, &is) || !region_ok(text))
		return "the region is none; as FR or FR-IDF";
	if (is)
		memcpy(count->region, text, sizeof(count->region));
	return NULL;
}

/* NULL, or what is wrong. */
static const char *read_object(const json_t *object, struct report_count *count)
{
	int64_t network = count->network, raw = -1, accepted = -1, shielded = -1;
	const char *wrong = take_time(object, count);

	if (!wrong)
		wrong = take_words(object, count);
	if (!wrong)
		wrong = take_number(object, "network", NETWORK_MAX, &network);
	if (!wrong)
		wrong = take_number(object, "count", REPORT_TEXT_COUNT_MAX, &raw);
	if (!wrong)
		wrong = take_number(object, "accepted", REPORT_TEXT_COUNT_MAX, &accepted);
	if (!wrong)
		wrong = take_number(object, "shielded", REPORT_TEXT_COUNT_MAX, &shielded);
	if (!wrong && raw < 0)
		wrong = "there is no count";
	if (!wrong && report_count_fill(count, raw, accepted, shielded) != 0)
		wrong = "accepted and shielded are together more than count";
	count->network = (uint32_t)network;
	return wrong;
}

static int take_object(struct reading *r)
{
	struct report_count count = *r->preset;
	size_t length = extent(r);
	const char *wrong;
	json_t *object;
	int result = 0;

	if (length == 0) {
		tell(r, "an object does not end", 0);
		return -EBADMSG;
	}
	object = length > OBJECT_MAX ? NULL : json_loadb(r->octets + r->at, length, JSON_REJECT_DUPLICATES, NULL);
	wrong = length > OBJECT_MAX ? "an object is too long" : object ? read_object(object, &count) : "it is no JSON";
	json_decref(object);
	if (wrong)
		tell(r, wrong, length < OBJECT_MAX ? length : OBJECT_MAX);
	else
		result = r->sink->count(r->sink->context, &count);
	step(r, length);
	return result;
}

static int read_array(struct reading *r)
{
	int result = 0;

	step(r, 1);
	if (next(r) == ']') {
		step(r, 1);
		return 0;
	}
	for (; result == 0; step(r, 1)) {
		char c = next(r);

		if (c == '{')
			result = take_object(r);
		if (c != '{' || (result == 0 && (c = next(r)) != ',' && c != ']')) {
			tell(r, "between '[' and ']' there is something else than objects with commas between them", 0);
			return -EBADMSG;
		}
		if (result == 0 && c == ']') {
			step(r, 1);
			return 0;
		}
	}
	return result;
}

/* An object whose member "counts" is the array: its members before that are passed over. */
static int read_wrapped(struct reading *r)
{
	static const char name[] = "\"counts\"";
	size_t depth = 0;

	for (; r->at < r->length; step(r, 1)) {
		char c = r->octets[r->at];

		if (c == '"') {
			bool is_counts = depth == 1 && r->length - r->at > sizeof(name) &&
			                 memcmp(r->octets + r->at, name, sizeof(name) - 1) == 0;

			for (step(r, 1); r->at < r->length && r->octets[r->at] != '"'; step(r, 1))
				if (r->octets[r->at] == '\\')
					step(r, 1);
			if (!is_counts)
				continue;
			step(r, 1);
			if (next(r) != ':')
				continue;
			step(r, 1);
			if (next(r) == '[')
				return read_array(r);
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		}
		if (depth == 0)
			break;
	}
	tell(r, "there is no member \"counts\" that is an array", 0);
	return -EBADMSG;
}

/* Whether the object that begins here is a count, by its member "count" and "time", or has them in an array. */
static bool is_wrapper(const struct reading *r)
{
	size_t length = extent(r);
	json_t *object = length && length <= OBJECT_MAX ? json_loadb(r->octets + r->at, length, 0, NULL) : NULL;
	bool is = object ? json_is_array(json_object_get(object, "counts")) : length > OBJECT_MAX;

	json_decref(object);
	return is;
}

int report_json_read(const char *octets, size_t length, const struct report_count *preset,
                     const struct report_sink *sink)
{
	struct reading r = { octets, length, 0, 1, preset, sink };
	int result = 0;
	char c = next(&r);

	if (c == '[' || (c == '{' && is_wrapper(&r)))
		return c == '[' ? read_array(&r) : read_wrapped(&r);
	if (c != '{') {
		tell(&r, "it begins neither an array nor an object", 0);
		return -EBADMSG;
	}
	while (result == 0 && (c = next(&r)) == '{')
		result = take_object(&r);
	if (result == 0 && c != '\0') {
		tell(&r, "between objects there is something else", 0);
		return -EBADMSG;
	}
	return result;
}
