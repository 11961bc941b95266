/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/report_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIELD_SIZE 64
#define SECONDS_DIGITS 10
#define WHAT_SIZE 120
#define AS_MAX 4294967295LL

enum column { TIME, COMPONENT, SYMPTOM, REGION, NETWORK, COUNT, ACCEPTED, SHIELDED, COLUMNS, IGNORED = COLUMNS };

static const char *const names[COLUMNS] = {
	[TIME] = "time",       [COMPONENT] = "component", [SYMPTOM] = "symptom",   [REGION] = "region",
	[NETWORK] = "network", [COUNT] = "count",         [ACCEPTED] = "accepted", [SHIELDED] = "shielded",
};

struct reading {
	const struct report_count *preset;
	const struct report_sink *sink;
	enum column columns[REPORT_TEXT_COLUMNS_MAX];
	uint32_t columns_count;
	char separator;
};

/* ---- fields ---- */

static bool digits(const char *text, int64_t most, int64_t *number)
{
	int64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (*text - '0');
		if (value > most)
			return false;
	}
	*number = value;
	return true;
}

int report_time_parse(const char *text, int64_t *bucket_ns)
{
	char whole[TIME_TEXT_SIZE];
	struct capture_time time;
	size_t length = strlen(text);
	int64_t seconds;

	if (length <= SECONDS_DIGITS && digits(text, REPORT_TEXT_TIME_MAX / NS_PER_S, &seconds)) {
		*bucket_ns = count_bucket(seconds * NS_PER_S);
		return 0;
	}
	if (length < sizeof("2026-03-10T09:35") - 1 || length + sizeof(":00Z") > sizeof(whole))
		return -EINVAL;
	memcpy(whole, text, length + 1);
	if (whole[10] == ' ')
		whole[10] = 'T';
	if (whole[length - 1] == 'Z')
		whole[--length] = '\0';
	if (length == sizeof("2026-03-10T09:35") - 1) {
		memcpy(whole + length, ":00", sizeof(":00"));
		length += 3;
	}
	memcpy(whole + length, "Z", sizeof("Z"));
	if (time_parse(whole, &time) != 0)
		return -EINVAL;
	if (time.ns < 0 || time.ns > REPORT_TEXT_TIME_MAX)
		return -ERANGE;
	*bucket_ns = count_bucket(time.ns);
	return 0;
}

int report_count_fill(struct report_count *count, int64_t raw, int64_t accepted, int64_t shielded)
{
	if (shielded < 0)
		shielded = 0;
	if (accepted < 0)
		accepted = raw - shielded;
	if (raw < 0 || raw > REPORT_TEXT_COUNT_MAX || accepted < 0 || accepted + shielded > raw)
		return -EINVAL;
	count->raw = (uint32_t)raw;
	count->accepted = (uint32_t)accepted;
	count->shielded = (uint32_t)shielded;
	return 0;
}

/* One field of a line, from *at on; false: a quote is open, or it is too long. */
static bool take_field(const struct reading *r, const char *line, size_t length, size_t *at, char field[FIELD_SIZE])
{
	size_t used = 0, i = *at;
	bool quoted = i < length && line[i] == '"';

	i += quoted;
	for (;; i++) {
		if (i == length && quoted)
			return false;
		if (i == length || (!quoted && line[i] == r->separator))
			break;
		if (quoted && line[i] == '"') {
			if (i + 1 == length || line[i + 1] == r->separator) {
				i++;
				break;
			}
			if (line[i + 1] != '"')
				return false;
			i++;
		}
		if (used + 1 == FIELD_SIZE || line[i] == '\0')
			return false;
		field[used++] = line[i];
	}
	while (used > 0 && field[used - 1] == ' ')
		used--;
	field[used] = '\0';
	*at = i + 1; /* behind the separator; one behind the line's end where it was the last */
	return true;
}

/* ---- lines ---- */

static void tell(const struct reading *r, uint64_t line, const char *what, const char *text, size_t length)
{
	r->sink->mistake(r->sink->context, line, what, text, length);
}

static bool read_columns(struct reading *r, const char *line, size_t length)
{
	bool seen[COLUMNS + 1] = { false };
	char field[FIELD_SIZE];

	r->separator = memchr(line, ',', length) ? ',' : memchr(line, ';', length) ? ';' : '\t';
	for (size_t at = 0; at <= length;) {
		enum column column = IGNORED;

		if (r->columns_count == REPORT_TEXT_COLUMNS_MAX || !take_field(r, line, length, &at, field)) {
			tell(r, 1, "the first line names too many columns, or a quote is open", line, length);
			return false;
		}
		for (unsigned i = 0; i < COLUMNS; i++)
			if (strcmp(names[i], field) == 0)
				column = (enum column)i;
		if (column != IGNORED && seen[column]) {
			tell(r, 1, "the first line names a column twice", line, length);
			return false;
		}
		seen[column] = true;
		r->columns[r->columns_count++] = column;
	}
	if (!seen[TIME] || !seen[COUNT])
		tell(r, 1, "the first line has to name the columns, of them time and count", line, length);
	return seen[TIME] && seen[COUNT];
}

/* NULL, or what is wrong with the field. */
static const char *read_field(enum column column, const char *field, struct report_count *count,
                              int64_t numbers[COLUMNS])
{
	int64_t number;
	int result;

	if (!*field && column != TIME && column != COUNT)
		return NULL;
	switch (column) {
	case TIME:
		result = report_time_parse(field, &count->bucket_ns);
		if (result == -ERANGE)
			return "the time is before 1970 or after 2100";
		return result == 0 ? NULL : "the time is none; as 2026-03-10T09:35:00Z";
	case COMPONENT:
		if (!component_id_ok(field))
			return "the component is none; 1 to 32 of a-z, 0-9 and -";
		memcpy(count->component, field, strlen(field) + 1);
		return NULL;
	case SYMPTOM:
		return symptom_find(field, &count->symptom)
		               ? NULL
		               : "the symptom is none of cannot_reach, error_page, slow, cannot_log_in, other";
	case REGION:
		if (!region_ok(field))
			return "the region is none; as FR or FR-IDF";
		memcpy(count->region, field, strlen(field) + 1);
		return NULL;
	case NETWORK:
		if (strncmp(field, "AS", 2) == 0)
			field += 2;
		if (!digits(field, AS_MAX, &number))
			return "the network is no AS number";
		count->network = (uint32_t)number;
		return NULL;
	case COUNT:
	case ACCEPTED:
	case SHIELDED:
		return digits(field, REPORT_TEXT_COUNT_MAX, &numbers[column])
		               ? NULL
		               : "a count is no number from 0 to 1000000";
	case COLUMNS:
		break;
	}
	return NULL;
}

static int read_line(struct reading *r, uint64_t number, const char *line, size_t length)
{
	struct report_count count = *r->preset;
	int64_t numbers[COLUMNS];
	char field[FIELD_SIZE], what[WHAT_SIZE];
	uint32_t column = 0;

	for (unsigned i = 0; i < COLUMNS; i++)
		numbers[i] = -1;
	for (size_t at = 0; at <= length; column++) {
		const char *wrong = "a quote is open, or a field is too long";

		if (column == r->columns_count) {
			(void)snprintf(what, sizeof(what), "there are more fields than the first line's %u",
			               (unsigned)column);
			tell(r, number, what, line, length);
			return 0;
		}
		if (take_field(r, line, length, &at, field))
			wrong = read_field(r->columns[column], field, &count, numbers);
		if (wrong) {
			tell(r, number, wrong, line, length);
			return 0;
		}
	}
	if (column < r->columns_count) {
		(void)snprintf(what, sizeof(what), "there are %u fields, the first line has %u", (unsigned)column,
		               (unsigned)r->columns_count);
		tell(r, number, what, line, length);
		return 0;
	}
	if (report_count_fill(&count, numbers[COUNT], numbers[ACCEPTED], numbers[SHIELDED]) != 0) {
		tell(r, number, "accepted and shielded are together more than count", line, length);
		return 0;
	}
	return r->sink->count(r->sink->context, &count);
}

int report_text_read(const char *octets, size_t length, const struct report_count *preset,
                     const struct report_sink *sink)
{
	struct reading r = { .preset = preset, .sink = sink };
	static const char mark[] = "\xef\xbb\xbf";
	size_t at = length >= sizeof(mark) - 1 && memcmp(octets, mark, sizeof(mark) - 1) == 0 ? sizeof(mark) - 1 : 0;
	int result = 0;

	if (at == length) {
		tell(&r, 1, "nothing is in it", "", 0);
		return -EBADMSG;
	}
	for (uint64_t number = 1; at < length && result == 0; number++) {
		const char *line = octets + at, *end = memchr(line, '\n', length - at);
		size_t count = end ? (size_t)(end - line) : length - at;

		at += count + (end != NULL);
		if (count > 0 && line[count - 1] == '\r')
			count--;
		if (number == 1) {
			if (!read_columns(&r, line, count))
				return -EBADMSG;
		} else if (count > REPORT_TEXT_LINE_MAX) {
			tell(&r, number, "the line is too long", line, REPORT_TEXT_LINE_MAX);
		} else if (count > 0) {
			result = read_line(&r, number, line, count);
		}
	}
	return result;
}
