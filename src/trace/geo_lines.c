/* SPDX-License-Identifier: Apache-2.0 */
/* Databases as lines of text. */
#include <errno.h>
#include <string.h>

#include "base/octets.h"
#include "base/prefix.h"
#include "trace/geo_inside.h"

#define LINE_MAX_SIZE 1024
#define FIELDS_MAX 5
#define LETTERS 26

struct line {
	char text[LINE_MAX_SIZE]; /* fields, each with its end */
	const char *fields[FIELDS_MAX];
	unsigned count;
};

uint32_t geo_country_value(const char *text, size_t length)
{
	uint32_t letters[2];

	if (length != 2)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		char c = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];

		if (c < 'A' || c > 'Z')
			return 0;
		letters[i] = (uint32_t)c;
	}
	/* ISO 3166 leaves ZZ to its users, and these sets mean by it that they do not know. */
	return letters[0] == 'Z' && letters[1] == 'Z' ? 0 : letters[0] << GEO_LETTER_BITS | letters[1];
}

size_t geo_code_index(const char country[GEO_COUNTRY_SIZE])
{
	for (unsigned i = 0; i < 2; i++)
		if (country[i] < 'A' || country[i] > 'Z')
			return GEO_CODES;
	return country[2] ? GEO_CODES : (size_t)(country[0] - 'A') * LETTERS + (size_t)(country[1] - 'A');
}

void geo_code_at(size_t index, char country[GEO_COUNTRY_SIZE])
{
	country[0] = (char)('A' + index / LETTERS);
	country[1] = (char)('A' + index % LETTERS);
	country[2] = '\0';
}

/* Fields of one line; quotes as in CSV: "" is one. What comes behind FIELDS_MAX is left out. */
static bool split(const char *text, size_t length, char separator, struct line *line)
{
	size_t at = 0, out = 0;

	line->count = 0;
	if (length >= LINE_MAX_SIZE)
		return false;
	while (line->count < FIELDS_MAX) {
		bool quoted = separator == ',' && at < length && text[at] == '"';

		line->fields[line->count++] = line->text + out;
		at += quoted;
		while (at < length && (quoted || text[at] != separator)) {
			if (quoted && text[at] == '"') {
				quoted = at + 1 < length && text[at + 1] == '"';
				at++;
				if (!quoted)
					continue;
			}
			line->text[out++] = text[at++];
		}
		if (quoted)
			return false;
		line->text[out++] = '\0';
		if (at == length)
			return true;
		at++;
	}
	return true;
}

static bool parse_number(const char *text, uint32_t *number)
{
	uint64_t found = 0;

	if (text[0] == 'A' && text[1] == 'S')
		text += 2;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		found = 10 * found + (uint64_t)(*text - '0');
		if (found > UINT32_MAX)
			return false;
	}
	*number = (uint32_t)found;
	return true;
}

struct span {
	struct mmdb_address first, last;
	bool ipv4;
};

/* Of a family: where the latest span began, and how far all reached. */
struct latest {
	struct mmdb_address first, last;
	bool any;
};

static bool parse_address(const char *text, struct mmdb_address *address, bool *ipv4)
{
	struct address read;

	if (address_parse(text, &read) != 0)
		return false;
	*ipv4 = !strchr(text, ':');
	address->high = octets_get_be(read.octets, 8);
	address->low = octets_get_be(read.octets + 8, 8);
	if (*ipv4)
		address->low &= UINT32_MAX; /* of IPv4 these alone (mmdb.h) */
	return true;
}

static int compare(const struct mmdb_address *a, const struct mmdb_address *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

/* What is left of a span behind those before it; false where nothing is. */
static bool clip(struct span *span, struct latest *latest)
{
	bool left = !latest->any || compare(&span->last, &latest->last) > 0;

	if (left && latest->any && compare(&span->first, &latest->last) <= 0) {
		span->first = latest->last;
		span->first.low++;
		span->first.high += span->first.low == 0;
	}
	if (left)
		latest->last = span->last;
	latest->any = true;
	return left;
}

static int add(struct ranges *ranges, const struct span *span, uint32_t value)
{
	if (value == 0)
		return 0;
	return span->ipv4 ? ranges_add4(ranges, (uint32_t)span->first.low, (uint32_t)span->last.low, value)
	                  : ranges_add6(ranges, &span->first, &span->last, value);
}

static int take(const struct line *line, struct latest latest[2], struct geo_reading *reading, const char **why)
{
	const char *name = "";
	uint32_t number = 0, country = 0;
	struct span span;
	bool last_ipv4;
	int result;

	*why = "not first, last, and what they are";
	if (line->count < 3 || !parse_address(line->fields[0], &span.first, &span.ipv4) ||
	    !parse_address(line->fields[1], &span.last, &last_ipv4) || span.ipv4 != last_ipv4)
		return -EBADMSG;
	if (parse_number(line->fields[2], &number)) {
		name = line->count > 3 ? line->fields[3] : "";
		if (line->count > 4) {
			country = geo_country_value(name, strlen(name));
			name = line->fields[4];
		}
	} else {
		country = geo_country_value(line->fields[2], strlen(line->fields[2]));
	}
	*why = "it ends before it begins, or begins before the one before it";
	if (compare(&span.last, &span.first) < 0 ||
	    (latest[span.ipv4].any && compare(&span.first, &latest[span.ipv4].first) < 0))
		return -EBADMSG;
	latest[span.ipv4].first = span.first;
	if (!clip(&span, &latest[span.ipv4]))
		return 0;
	result = add(&reading->countries, &span, country);
	if (result == 0)
		result = add(&reading->networks, &span, number);
	if (result == 0 && number != 0)
		result = networks_add(reading->names, number, name, strlen(name));
	return result;
}

int geo_read_lines(const char *text, size_t size, struct geo_reading *reading, const char **why, size_t *line)
{
	const char *end = text + size;
	struct latest latest[2] = { { .any = false } };
	struct line split_line;

	*line = 0;
	reading->ipv4_only = true;
	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((stop ? stop : end) - text);
		int result = 0;

		(*line)++;
		*why = "longer than a line is, or a quote that does not end";
		if (length > 0 && text[length - 1] == '\r')
			length--;
		if (length > 0 && !split(text, length, memchr(text, '\t', length) ? '\t' : ',', &split_line))
			return -EBADMSG;
		if (length > 0)
			result = take(&split_line, latest, reading, why);
		if (result != 0)
			return result;
		if (length > 0 && strchr(split_line.fields[0], ':'))
			reading->ipv4_only = false;
		text = stop ? stop + 1 : end;
	}
	*line = 0;
	return 0;
}
