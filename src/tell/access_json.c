/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/access_json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"

#define STEPS_MAX 3
#define SECONDS_MAX 1e11 /* a number beyond is milliseconds */
#define STEP_MAX 24      /* octets of one */

enum wanted { TIME, PEER, FORWARDED, METHOD, STATUS, BYTES, DURATION, WANTED };

/* Where each may stand, the first that is there counts: "request.client_ip" is a member of a member. */
static const struct name {
	enum wanted wanted;
	const char *path;
	int64_t unit_ns; /* of durations */
} names[] = {
	{ TIME, "time_iso8601", 0 },
	{ TIME, "@timestamp", 0 },
	{ TIME, "timestamp", 0 },
	{ TIME, "StartUTC", 0 },
	{ TIME, "ts", 0 },
	{ TIME, "time", 0 },
	{ TIME, "msec", 0 },
	{ TIME, "time_local", 0 },
	{ PEER, "remote_addr", 0 },
	{ PEER, "remote_ip", 0 },
	{ PEER, "request.remote_ip", 0 },
	{ PEER, "ClientHost", 0 },
	{ PEER, "client.ip", 0 },
	{ PEER, "source.ip", 0 },
	{ PEER, "client_ip", 0 },
	{ PEER, "clientip", 0 },
	{ PEER, "client", 0 },
	{ FORWARDED, "http_x_forwarded_for", 0 },
	{ FORWARDED, "x_forwarded_for", 0 },
	{ FORWARDED, "request_X-Forwarded-For", 0 },
	{ FORWARDED, "request.client_ip", 0 },
	{ METHOD, "request_method", 0 },
	{ METHOD, "method", 0 },
	{ METHOD, "request.method", 0 },
	{ METHOD, "RequestMethod", 0 },
	{ METHOD, "http.request.method", 0 },
	{ STATUS, "status", 0 },
	{ STATUS, "status_code", 0 },
	{ STATUS, "DownstreamStatus", 0 },
	{ STATUS, "http.response.status_code", 0 },
	{ STATUS, "response_code", 0 },
	{ BYTES, "body_bytes_sent", 0 },
	{ BYTES, "bytes_sent", 0 },
	{ BYTES, "size", 0 },
	{ BYTES, "bytes", 0 },
	{ BYTES, "DownstreamContentSize", 0 },
	{ BYTES, "http.response.body.bytes", 0 },
	{ DURATION, "request_time", NS_PER_S },
	{ DURATION, "duration_us", NS_PER_US },
	{ DURATION, "duration_ms", NS_PER_MS },
	{ DURATION, "response_time_ms", NS_PER_MS },
	{ DURATION, "latency_ms", NS_PER_MS },
	{ DURATION, "duration", NS_PER_S },
	{ DURATION, "Duration", 1 },
	{ DURATION, "event.duration", 1 },
};

/* By the whole name first (the Elastic schema may be flat), then step by step. */
static const json_t *find(const json_t *object, const char *path)
{
	const json_t *value = json_object_get(object, path);
	char step[STEP_MAX + 1];

	for (unsigned i = 0; !value && i < STEPS_MAX; i++) {
		const char *dot = strchr(path, '.');
		size_t length = dot ? (size_t)(dot - path) : 0;

		if (!dot || length > STEP_MAX)
			return NULL;
		memcpy(step, path, length);
		step[length] = '\0';
		object = json_object_get(object, step);
		path = dot + 1;
		value = json_object_get(object, path);
	}
	return value;
}

/* Nanoseconds of a number in units of unit_ns; false: it is none, negative, or too large. */
static bool take_number(const json_t *value, int64_t unit_ns, int64_t *ns)
{
	double number = json_number_value(value), most = 9e18 / (double)unit_ns;

	if (!json_is_number(value) || !(number >= 0) || number >= most)
		return false;
	*ns = json_is_integer(value) ? json_integer_value(value) * unit_ns : (int64_t)(number * (double)unit_ns);
	return true;
}

static bool take_moment(const json_t *value, int64_t *time_ns)
{
	return take_number(value, json_number_value(value) > SECONDS_MAX ? NS_PER_MS : NS_PER_S, time_ns);
}

static bool take_time(const json_t *value, int32_t zone_s, int64_t *time_ns)
{
	json_t *number;
	bool is;

	if (json_is_number(value))
		return take_moment(value, time_ns);
	if (!json_is_string(value))
		return false;
	if (access_time(json_string_value(value), json_string_length(value), zone_s, time_ns))
		return true;
	/* nginx' $msec, in quotes */
	number = json_loadb(json_string_value(value), json_string_length(value), JSON_DECODE_ANY, NULL);
	is = take_moment(number, time_ns);
	json_decref(number);
	return is;
}

static void take_duration(const json_t *value, int64_t unit_ns, struct access_entry *entry)
{
	int64_t ns;

	if (json_is_string(value))
		(void)access_duration(json_string_value(value), json_string_length(value), unit_ns,
		                      &entry->duration_us);
	else if (take_number(value, unit_ns, &ns) && ns / NS_PER_US < ACCESS_DURATION_MAX_US)
		entry->duration_us = ns / NS_PER_US;
}

/* A whole number, or its digits as a text. */
static bool take_whole(const json_t *value, int64_t most, int64_t *number)
{
	const char *text = json_string_value(value);
	int64_t sum = 0;

	if (json_is_integer(value)) {
		*number = json_integer_value(value);
		return *number >= 0 && *number <= most;
	}
	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || sum > (most - (*text - '0')) / 10)
			return false;
		sum = sum * 10 + (*text - '0');
	}
	*number = sum;
	return true;
}

/* The last of a list; of one, itself. */
static bool take_address(const json_t *value, struct address *address)
{
	const char *text = json_string_value(value);

	return text && access_forwarded(text, json_string_length(value), address);
}

static void take_method(const json_t *value, struct access_entry *entry)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i + 1 < ACCESS_METHOD_SIZE && text[i] >= 'A' && text[i] <= 'Z'; i++)
		entry->method[i] = text[i];
}

int access_json_read(const char *line, size_t length, int32_t zone_s, struct access_entry *entry, const char **why)
{
	struct access_entry found = { .bytes = ACCESS_UNKNOWN, .duration_us = ACCESS_UNKNOWN };
	json_t *object = length <= ACCESS_LINE_MAX ? json_loadb(line, length, 0, NULL) : NULL;
	bool has[WANTED] = { false };
	int64_t number;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && json_is_object(object); i++) {
		const struct name *name = &names[i];
		const json_t *value = has[name->wanted] ? NULL : find(object, name->path);

		if (!value || json_is_null(value))
			continue;
		has[name->wanted] = true;
		switch (name->wanted) {
		case TIME:
			has[TIME] = take_time(value, zone_s, &found.time_ns);
			break;
		case PEER:
			has[PEER] = found.has_peer = take_address(value, &found.peer);
			break;
		case FORWARDED:
			has[FORWARDED] = found.has_forwarded = take_address(value, &found.forwarded);
			break;
		case METHOD:
			take_method(value, &found);
			break;
		case STATUS:
			has[STATUS] = take_whole(value, 999, &number);
			if (has[STATUS])
				found.status = (uint16_t)number;
			break;
		case BYTES:
			if (take_whole(value, INT64_MAX / 2, &number))
				found.bytes = number;
			break;
		case DURATION:
			take_duration(value, name->unit_ns, &found);
			break;
		case WANTED:
			break;
		}
	}
	*why = !json_is_object(object) ? "it is no object of JSON"
	       : !has[TIME]            ? "it has no time that is known"
	       : !has[STATUS]          ? "it has no status that is known"
	                               : NULL;
	json_decref(object);
	if (*why)
		return -EBADMSG;
	*entry = found;
	return 0;
}

int access_line_read(struct access_log *log, const char *line, size_t length, struct access_entry *entry,
                     const char **why)
{
	enum access_format format = log->format;
	size_t skip;
	int result;

	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length == 0)
		return -ENODATA;
	if (length > ACCESS_LINE_MAX) {
		*why = "it is too long";
		return -EBADMSG;
	}
	skip = access_log_unwrap(line, length);
	line += skip;
	length -= skip;
	if (format == ACCESS_AUTO)
		format = access_log_look(line, length);
	result = format == ACCESS_JSON ? access_json_read(line, length, log->zone_s, entry, why)
	                               : access_log_read(format, line, length, log->zone_s, entry, why);
	if (result == 0)
		access_log_learn(log, format);
	return result;
}
