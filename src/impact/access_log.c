/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor goes through the line once; whatever it does not find as it should be makes the line none. */
#include "impact/access_log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "impact/words.h"

#define DATE_SIZE 19   /* "2026-03-10T09:35:00" */
#define DATE_OF_CLF 20 /* "10/Mar/2026:09:35:00" */
#define ACCESS_SETTLED 8
#define HEADERS_SIZE 64 /* a header of syslog's is no longer, but for a host's name: */
#define NAMES_MAX 600   /* ... and other names of it */
#define FRACTION_DIGITS 9
#define ZONE_HOURS_MAX 14
#define TIME_LATEST_NS (4102444800LL * NS_PER_S) /* 2100 */

static const char *const formats[ACCESS_FORMATS + 1] = {
	[ACCESS_AUTO] = "auto",
	[ACCESS_COMBINED] = "combined",
	[ACCESS_HAPROXY] = "haproxy",
	[ACCESS_JSON] = "json",
};

WORDS(access_format, enum access_format, formats)

/* ---- pieces ---- */

struct piece {
	const char *at;
	size_t length;
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly `digits` of them. */
static bool number_at(const char *text, size_t digits, unsigned *number)
{
	*number = 0;
	for (size_t i = 0; i < digits; i++) {
		if (!digit(text[i]))
			return false;
		*number = *number * 10 + (unsigned)(text[i] - '0');
	}
	return true;
}

/* A token, up to the next space. */
static bool take_token(struct piece *rest, struct piece *token)
{
	const char *end;

	while (rest->length > 0 && rest->at[0] == ' ') {
		rest->at++;
		rest->length--;
	}
	end = memchr(rest->at, ' ', rest->length);
	*token = (struct piece){ rest->at, end ? (size_t)(end - rest->at) : rest->length };
	rest->at += token->length;
	rest->length -= token->length;
	return token->length > 0;
}

/* What stands in quotes here, without them; a backslash takes what follows it along. */
static bool take_quoted(struct piece *rest, struct piece *text)
{
	size_t i = 1;

	while (rest->length > 0 && rest->at[0] == ' ') {
		rest->at++;
		rest->length--;
	}
	if (rest->length == 0 || rest->at[0] != '"')
		return false;
	while (i < rest->length && rest->at[i] != '"')
		i += rest->at[i] == '\\' ? 2 : 1;
	if (i >= rest->length)
		return false;
	*text = (struct piece){ rest->at + 1, i - 1 };
	rest->at += i + 1;
	rest->length -= i + 1;
	return true;
}

static bool whole_number(struct piece text, int64_t most, int64_t *number)
{
	int64_t value = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (!digit(text.at[i]) || value > (most - (text.at[i] - '0')) / 10)
			return false;
		value = value * 10 + (text.at[i] - '0');
	}
	*number = value;
	return text.length > 0;
}

bool access_address(const char *text, size_t length, struct address *address)
{
	char copy[ADDRESS_TEXT_SIZE + 2];

	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return strlen(copy) == length && address_parse(copy, address) == 0;
}

/* "192.0.2.7:5000", "2001:db8::7:5000", "[2001:db8::7]:5000": the address before the last ':'. */
static bool address_with_port(struct piece text, struct address *address)
{
	size_t i = text.length;

	while (i > 0 && digit(text.at[i - 1]))
		i--;
	return i > 1 && i < text.length && text.at[i - 1] == ':' && access_address(text.at, i - 1, address);
}

bool access_forwarded(const char *text, size_t length, struct address *address)
{
	size_t from = length;

	while (from > 0 && text[from - 1] != ',' && text[from - 1] != ' ')
		from--;
	return access_address(text + from, length - from, address) ||
	       address_with_port((struct piece){ text + from, length - from }, address);
}

bool access_duration(const char *text, size_t length, int64_t unit_ns, int64_t *duration_us)
{
	int64_t ns = 0, most = ACCESS_DURATION_MAX_US * NS_PER_US, scale = unit_ns;
	size_t i = 0;

	*duration_us = ACCESS_UNKNOWN;
	if (length == 1 && text[0] == '-')
		return true;
	if (length == 0 || !digit(text[0]))
		return false;
	for (; i < length && digit(text[i]); i++)
		ns = ns > most / 10 ? most : ns * 10 + (text[i] - '0') * unit_ns;
	if (i < length && text[i] == '.')
		for (i++; i < length && digit(text[i]); i++) {
			scale /= 10;
			ns += (text[i] - '0') * scale;
		}
	if (i < length)
		return false;
	if (ns < most)
		*duration_us = ns / NS_PER_US;
	return true;
}

/* ---- times ---- */

bool access_zone(const char *text, size_t length, int32_t *zone_s)
{
	unsigned hours, minutes;

	if (length == 1 && (text[0] == 'Z' || text[0] == 'z')) {
		*zone_s = 0;
		return true;
	}
	if ((length != 5 && (length != 6 || text[3] != ':')) || !number_at(text + 1, 2, &hours) ||
	    !number_at(text + length - 2, 2, &minutes) || hours > ZONE_HOURS_MAX || minutes > 59 ||
	    (text[0] != '+' && text[0] != '-'))
		return false;
	*zone_s = (int32_t)(hours * 3600 + minutes * 60);
	*zone_s = text[0] == '-' ? -*zone_s : *zone_s;
	return true;
}

/* "10/Mar/2026:09:35:00" as "2026-03-10T09:35:00" */
static bool turn_date(const char *text, char turned[DATE_SIZE + 1])
{
	unsigned month = time_month(text + 3), day, year;

	if (month == 0 || text[2] != '/' || text[6] != '/' || text[11] != ':' || !number_at(text, 2, &day) ||
	    !number_at(text + 7, 4, &year))
		return false;
	(void)snprintf(turned, DATE_SIZE + 1, "%04u-%02u-%02uT", year % 10000, month, day % 100);
	memcpy(turned + 11, text + 12, 8);
	turned[DATE_SIZE] = '\0';
	return true;
}

bool access_time(const char *text, size_t length, int32_t zone_s, int64_t *time_ns)
{
	char whole[TIME_TEXT_SIZE + 4];
	struct capture_time time;
	struct piece rest;
	size_t used, digits = 0;

	if (length >= DATE_OF_CLF && text[2] == '/') {
		if (!turn_date(text, whole))
			return false;
		used = DATE_OF_CLF;
	} else if (length >= DATE_SIZE) {
		memcpy(whole, text, DATE_SIZE);
		whole[10] = whole[10] == ' ' ? 'T' : whole[10];
		used = DATE_SIZE;
	} else {
		return false;
	}
	rest = (struct piece){ text + used, length - used };
	used = DATE_SIZE;
	if (rest.length > 0 && (rest.at[0] == '.' || rest.at[0] == ',')) {
		whole[used++] = '.';
		for (digits = 1; digits < rest.length && digit(rest.at[digits]); digits++)
			if (digits <= FRACTION_DIGITS)
				whole[used++] = rest.at[digits];
		rest = (struct piece){ rest.at + digits, rest.length - digits };
	}
	if (rest.length > 0 && rest.at[0] == ' ')
		rest = (struct piece){ rest.at + 1, rest.length - 1 };
	if (rest.length > 0 && !access_zone(rest.at, rest.length, &zone_s))
		return false;
	whole[used++] = 'Z';
	whole[used] = '\0';
	if (time_parse(whole, &time) != 0)
		return false;
	time = time_plus(time, -(int64_t)zone_s * NS_PER_S);
	*time_ns = time.ns;
	return time.ns >= 0 && time.ns <= TIME_LATEST_NS;
}

/* ---- syslog ---- */

/* Behind so many tokens, each with its spaces; 0: there are not so many. */
static size_t behind_tokens(const char *line, size_t length, size_t from, unsigned count)
{
	size_t at = from;

	for (; count > 0; count--) {
		while (at < length && line[at] != ' ')
			at++;
		while (at < length && line[at] == ' ')
			at++;
	}
	return at < length && at - from < NAMES_MAX ? at : 0;
}

/* Behind "<190>"; `from` where there is none. */
static size_t behind_priority(const char *line, size_t length)
{
	size_t at = 1;

	while (at < length && at < 4 && digit(line[at]))
		at++;
	return at > 1 && at < length && line[0] == '<' && line[at] == '>' ? at + 1 : 0;
}

/* Behind "nginx: ", or "host nginx[12]: ", of which the host may be left out (nginx' nohostname). */
static size_t behind_tag(const char *line, size_t length, size_t from)
{
	for (unsigned count = 1; count <= 2; count++) {
		size_t at = from ? behind_tokens(line, length, from, count) : 0;
		size_t end = at;

		while (end > from && line[end - 1] == ' ')
			end--;
		if (at > 0 && end > from && line[end - 1] == ':')
			return at;
	}
	return 0;
}

/* RFC 5424's structured data: "-", or elements in brackets. */
static size_t behind_data(const char *line, size_t length, size_t at)
{
	bool quoted = false;

	if (at == 0)
		return 0;
	if (line[at] == '-')
		return behind_tokens(line, length, at, 1);
	while (at < length && line[at] == '[') {
		for (; at < length && (quoted || line[at] != ']'); at++) {
			if (line[at] == '\\')
				at++;
			else if (line[at] == '"')
				quoted = !quoted;
		}
		at++;
	}
	return at + 1 < length && line[at] == ' ' ? at + 1 : 0;
}

size_t access_log_unwrap(const char *line, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t from = behind_priority(line, length), at = 0;
	unsigned year;

	if (from > 0 && length - from > 2 && line[from] == '1' && line[from + 1] == ' ') {
		at = behind_data(line, length, behind_tokens(line, length, from, 6));
		return at > 0 && length - at > 3 && memcmp(line + at, mark, 3) == 0 ? at + 3 : at;
	}
	if (length - from > 16 && time_month(line + from) && line[from + 3] == ' ' && line[from + 9] == ':')
		at = behind_tag(line, length, from + 16);
	else if (length - from > HEADERS_SIZE / 2 && number_at(line + from, 4, &year) && line[from + 4] == '-' &&
	         line[from + 10] == 'T')
		at = behind_tag(line, length, behind_tokens(line, length, from, 1));
	return at > 0 ? at : from;
}

/* ---- lines ---- */

enum access_format access_log_look(const char *line, size_t length)
{
	const char *bracket = memchr(line, '[', length);
	size_t left = bracket ? length - (size_t)(bracket - line) : 0;
	const char *colon = bracket ? memchr(line, ':', (size_t)(bracket - line)) : NULL;

	if (length > 0 && line[0] == '{')
		return ACCESS_JSON;
	while (left > 22 && (bracket[3] != '/' || bracket[7] != '/')) {
		bracket = memchr(bracket + 1, '[', left - 1);
		left = bracket ? length - (size_t)(bracket - line) : 0;
	}
	if (left <= 22)
		return ACCESS_AUTO;
	return bracket[21] == '.' && colon ? ACCESS_HAPROXY : ACCESS_COMBINED;
}

void access_log_learn(struct access_log *log, enum access_format format)
{
	if (log->format == ACCESS_AUTO && ++log->looked[format] == ACCESS_SETTLED)
		log->format = format;
}

static bool read_request(struct piece request, struct access_entry *entry)
{
	size_t length = 0;

	while (length < request.length && request.at[length] >= 'A' && request.at[length] <= 'Z')
		length++;
	if (length < request.length && request.at[length] != ' ')
		length = 0; /* of no form: a scanner's */
	length = length < ACCESS_METHOD_SIZE ? length : ACCESS_METHOD_SIZE - 1;
	memcpy(entry->method, request.at, length);
	entry->method[length] = '\0';
	return true;
}

static bool read_status(struct piece text, struct access_entry *entry)
{
	int64_t status = 0;

	if (text.length != 3 && !(text.length == 2 && memcmp(text.at, "-1", 2) == 0))
		return false;
	if (text.length == 3 && (!whole_number(text, 999, &status) || (status < 100 && status != 0)))
		return false;
	entry->status = (uint16_t)status;
	return true;
}

static bool read_bytes(struct piece text, struct access_entry *entry)
{
	if (text.length > 1 && text.at[0] == '+') /* HAProxy: logged before the end */
		text = (struct piece){ text.at + 1, text.length - 1 };
	entry->bytes = ACCESS_UNKNOWN;
	return (text.length == 1 && text.at[0] == '-') || whole_number(text, INT64_MAX / 2, &entry->bytes);
}

/*
 * How long it took, among what stands behind a line: "0.012" (nginx, seconds), "rt=0.012" or "request_time=0.012",
 * "12ms", "5120" (Apache's %D, microseconds). What says its unit is preferred, then what stands first.
 */
static void read_extra(struct piece text, struct access_entry *entry, bool *sure)
{
	static const struct {
		const char *name;
		size_t length;
	} names[] = { { "rt=", 3 }, { "request_time=", 13 }, { "rt:", 3 } };
	int64_t duration;
	bool named = false;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) && !named; i++)
		if (text.length > names[i].length && memcmp(text.at, names[i].name, names[i].length) == 0) {
			text = (struct piece){ text.at + names[i].length, text.length - names[i].length };
			named = true;
		}
	if (text.length > 1 && text.at[0] == '"' && text.at[text.length - 1] == '"')
		text = (struct piece){ text.at + 1, text.length - 2 };
	if (*sure || text.length == 0)
		return;
	if (named || memchr(text.at, '.', text.length)) {
		if (access_duration(text.at, text.length, NS_PER_S, &duration)) {
			entry->duration_us = duration;
			*sure = true;
		}
	} else if (text.length > 2 && memcmp(text.at + text.length - 2, "ms", 2) == 0) {
		if (access_duration(text.at, text.length - 2, NS_PER_MS, &duration)) {
			entry->duration_us = duration;
			*sure = true;
		}
	} else if (entry->duration_us == ACCESS_UNKNOWN &&
	           access_duration(text.at, text.length, NS_PER_US, &duration)) {
		entry->duration_us = duration;
	}
}

static void read_extras(struct piece rest, struct access_entry *entry)
{
	struct piece text;
	unsigned quoted = 0;
	bool sure = false;

	while (rest.length > 0) {
		if (take_quoted(&rest, &text)) {
			/* The first two are referrer and agent: what they hold is a stranger's. */
			if (++quoted <= 2)
				continue;
			if (!entry->has_forwarded && access_forwarded(text.at, text.length, &entry->forwarded))
				entry->has_forwarded = true;
			else
				read_extra(text, entry, &sure);
		} else if (take_token(&rest, &text)) {
			read_extra(text, entry, &sure);
		} else {
			return;
		}
	}
}

static bool read_peer(struct piece text, struct access_entry *entry)
{
	entry->has_peer = access_address(text.at, text.length, &entry->peer);
	return text.length > 0;
}

/* `rest` is behind the '[' of the time, which may be read; what follows its ']'. */
static bool take_time(struct piece *rest, int32_t zone_s, bool zone_wanted, struct access_entry *entry)
{
	const char *end = memchr(rest->at, ']', rest->length);
	size_t length = end ? (size_t)(end - rest->at) : 0;

	if (!end || (zone_wanted && !memchr(rest->at, ' ', length)) ||
	    !access_time(rest->at, length, zone_s, &entry->time_ns))
		return false;
	rest->at += length + 1;
	rest->length -= length + 1;
	return true;
}

static const char *read_combined(struct piece line, struct access_entry *entry)
{
	const char *bracket = line.at;
	struct piece head, host, rest, text = { "", 0 };

	/* Names of users may hold a '[', times do not. */
	for (;; bracket++) {
		bracket = memchr(bracket, '[', line.length - (size_t)(bracket - line.at));
		if (!bracket)
			return "there is no [time]";
		rest = (struct piece){ bracket + 1, line.length - (size_t)(bracket - line.at) - 1 };
		if (take_time(&rest, 0, true, entry))
			break;
	}
	head = (struct piece){ line.at, (size_t)(bracket - line.at) };
	if (!take_token(&head, &host) || !read_peer(host, entry))
		return "there is no address";
	/* A virtual host stands before the address. */
	if (!entry->has_peer && take_token(&head, &text))
		(void)read_peer(text, entry);
	if (!take_quoted(&rest, &text) || !read_request(text, entry))
		return "there is no request in quotes";
	if (!take_token(&rest, &text) || !read_status(text, entry))
		return "there is no status";
	if (!take_token(&rest, &text) || !read_bytes(text, entry))
		return "there is no size";
	read_extras(rest, entry);
	return NULL;
}

/* The last of "0/0/1/12/13", milliseconds; the one before with "+13" is not over. */
static bool read_timers(struct piece text, struct access_entry *entry)
{
	unsigned slashes = 0;
	size_t from = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '/') {
			slashes++;
			from = i + 1;
		} else if (!digit(text.at[i]) && text.at[i] != '-' && text.at[i] != '+') {
			return false;
		}
	}
	entry->duration_us = ACCESS_UNKNOWN;
	if (slashes == 4 && from < text.length && digit(text.at[from]))
		return access_duration(text.at + from, text.length - from, NS_PER_MS, &entry->duration_us);
	return slashes == 4;
}

static const char *read_haproxy(struct piece line, int32_t zone_s, struct access_entry *entry)
{
	struct piece rest = line, text;
	const char *quote = memchr(line.at, '"', line.length);

	if (!take_token(&rest, &text) || !address_with_port(text, &entry->peer))
		return "there is no address and port";
	entry->has_peer = true;
	if (rest.length < 2 || rest.at[1] != '[')
		return "there is no [time]";
	rest = (struct piece){ rest.at + 2, rest.length - 2 };
	if (!take_time(&rest, zone_s, false, entry))
		return "there is no [time]";
	if (!take_token(&rest, &text))
		return "there is no frontend";
	if (!take_token(&rest, &text) || !memchr(text.at, '/', text.length))
		return "there is no backend/server";
	if (!take_token(&rest, &text) || !read_timers(text, entry))
		return "there are no five times";
	if (!take_token(&rest, &text) || !read_status(text, entry))
		return "there is no status";
	if (!take_token(&rest, &text) || !read_bytes(text, entry))
		return "there is no size";
	if (quote)
		(void)read_request((struct piece){ quote + 1, line.length - (size_t)(quote - line.at) - 1 }, entry);
	return NULL;
}

int access_log_read(enum access_format format, const char *line, size_t length, int32_t zone_s,
                    struct access_entry *entry, const char **why)
{
	struct access_entry found = { .bytes = ACCESS_UNKNOWN, .duration_us = ACCESS_UNKNOWN };
	struct piece all = { line, length };

	*why = "it looks like no log";
	if (length > ACCESS_LINE_MAX)
		*why = "it is too long";
	else if (memchr(line, '\0', length))
		*why = "it holds a zero octet";
	else if (format == ACCESS_COMBINED)
		*why = read_combined(all, &found);
	else if (format == ACCESS_HAPROXY)
		*why = read_haproxy(all, zone_s, &found);
	if (*why)
		return -EBADMSG;
	*entry = found;
	return 0;
}
