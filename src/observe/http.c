/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/http.h"

#include <string.h>

#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u
#define VERSION_LENGTH 9 /* " HTTP/1.1", behind the target */
#define STATUS_AT 9      /* in "HTTP/1.1 200" */
#define STATUS_END 12

static const struct {
	const char *name;
	uint8_t length;
	uint8_t method;
} methods[] = {
	/* clang-format off */
	{ "GET ", 4, HTTP_GET },
	{ "POST ", 5, HTTP_POST },
	{ "HEAD ", 5, HTTP_HEAD },
	{ "PUT ", 4, HTTP_PUT },
	{ "PATCH ", 6, HTTP_PATCH },
	{ "DELETE ", 7, HTTP_DELETE },
	{ "OPTIONS ", 8, HTTP_OPTIONS },
	{ "TRACE ", 6, HTTP_OTHER },
	{ "CONNECT ", 8, HTTP_OTHER },
	{ "PROPFIND ", 9, HTTP_OTHER },
	{ "REPORT ", 7, HTTP_OTHER },
	/* clang-format on */
};

static uint64_t mix(uint64_t hash, uint8_t octet)
{
	return (hash ^ octet) * FNV_PRIME;
}

/* Never 0, which stands for nothing. */
static uint32_t fold(uint64_t hash)
{
	uint32_t folded = (uint32_t)(hash ^ hash >> 32);

	return folded ? folded : 1;
}

static uint64_t mix_all(uint64_t hash, const uint8_t *at, const uint8_t *end)
{
	for (; at < end; at++)
		hash = mix(hash, *at);
	return hash;
}

/* Of a parameter, as people and programs name them. */
static bool is_of_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '.';
}

/* The names of name=value&name=value, values passed over. */
static void read_query(const uint8_t *at, const uint8_t *end, struct http *http)
{
	uint64_t names = FNV_BASIS;
	bool first = true;

	http->flags |= HTTP_QUERY;
	while (at < end) {
		const uint8_t *part = memchr(at, '&', (size_t)(end - at)), *name = at;

		if (!part)
			part = end;
		while (name < part && is_of_name(*name))
			name++;
		/* A value must follow: a '=' at the end is what fills up base64. */
		if (first && name > at && name - at <= HTTP_NAME_MAX && name + 1 < part && *name == '=' &&
		    name[1] != '=')
			http->flags |= HTTP_NAMED;
		first = false;
		names = mix(mix_all(names, at, name), '&');
		at = part < end ? part + 1 : end;
	}
	http->names = fold(names);
}

static void read_target(const uint8_t *at, const uint8_t *end, struct http *http)
{
	const uint8_t *query = memchr(at, '?', (size_t)(end - at));

	http->target = fold(mix_all(FNV_BASIS, at, end));
	http->path = fold(mix_all(FNV_BASIS, at, query ? query : end));
	if (query)
		read_query(query + 1, end, http);
}

static bool is_name(const uint8_t *at, size_t length, const char *lower)
{
	if (strlen(lower) != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if ((at[i] | 0x20) != (uint8_t)lower[i])
			return false;
	return true;
}

static void read_length(const uint8_t *at, const uint8_t *end, struct http *http)
{
	uint64_t length = 0;
	bool any = false;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	for (; at < end && *at >= '0' && *at <= '9'; at++, any = true)
		length = length < HTTP_LENGTH_MAX ? length * 10 + (uint8_t)(*at - '0') : length;
	if (!any)
		return;
	http->flags |= HTTP_LENGTH;
	http->length = length < HTTP_LENGTH_MAX ? (uint32_t)length : HTTP_LENGTH_MAX;
}

/* The last of the codings counts (RFC 9112 section 6.1). */
static bool is_chunked(const uint8_t *at, const uint8_t *end)
{
	static const char chunked[] = "chunked";
	const size_t length = sizeof(chunked) - 1;

	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (size_t)(end - at) >= length && is_name(end - length, length, chunked);
}

/* One whole line without its end. False where it is no header. */
static bool read_header(const uint8_t *at, const uint8_t *end, uint64_t *order, struct http *http)
{
	const uint8_t *colon = memchr(at, ':', (size_t)(end - at));

	if (*at == ' ' || *at == '\t') /* goes on with the line before (RFC 9112 section 5.2) */
		return true;
	if (!colon)
		return false;
	if (http->headers == 0 && end - colon > 3 && colon[1] == ' ' && colon[2] == ' ')
		http->flags |= HTTP_DOUBLED;
	if (http->headers < HTTP_HEADERS_MAX) {
		*order = mix(mix_all(*order, at, colon), '\n');
		http->headers++;
	}
	if (is_name(at, (size_t)(colon - at), "content-length"))
		read_length(colon + 1, end, http);
	else if (is_name(at, (size_t)(colon - at), "transfer-encoding") && is_chunked(colon + 1, end))
		http->flags |= HTTP_CHUNKED;
	return true;
}

/* The line's end without what ends it, and in *next where the next one begins; NULL where no line feed comes. */
static const uint8_t *line_end(const uint8_t *at, const uint8_t *end, const uint8_t **next)
{
	const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));

	if (!feed)
		return NULL;
	*next = feed + 1;
	return feed > at && feed[-1] == '\r' ? feed - 1 : feed;
}

static void read_headers(const uint8_t *at, const uint8_t *end, struct http *http)
{
	uint64_t order = FNV_BASIS;
	const uint8_t *next, *stop;

	while (at < end && (stop = line_end(at, end, &next)) != NULL) {
		if (stop == at) {
			http->flags |= HTTP_ENDED;
			http->body = (uint16_t)(end - next < UINT16_MAX ? end - next : UINT16_MAX);
			break;
		}
		if (!read_header(at, stop, &order, http))
			break;
		at = next;
	}
	http->order = http->headers ? fold(order) : 0;
}

static const uint8_t *pass_method(const uint8_t *payload, size_t kept, uint8_t *method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (kept <= methods[i].length || *payload != (uint8_t)*methods[i].name ||
		    memcmp(payload, methods[i].name, methods[i].length) != 0)
			continue;
		*method = methods[i].method;
		return payload + methods[i].length;
	}
	return NULL;
}

static bool is_printable(const uint8_t *at, const uint8_t *end)
{
	for (; at < end; at++)
		if (*at <= ' ' || *at == 0x7f)
			return false;
	return true;
}

bool http_read(const uint8_t *payload, size_t kept, size_t whole, struct http *http)
{
	const uint8_t *end = payload + kept, *target, *stop, *next = end, *version;
	struct http read = { .flags = kept < whole ? HTTP_CUT : 0 };

	target = pass_method(payload, kept, &read.method);
	if (!target || !(*target == '/' || *target == 'h' || *target == '*' || read.method == HTTP_OTHER))
		return false;
	stop = line_end(target, end, &next);
	if (!stop) { /* so long, or so slow: as far as it goes */
		version = memchr(target, ' ', (size_t)(end - target));
		if (!is_printable(target, version ? version : end))
			return false;
		read_target(target, version ? version : end, &read);
		*http = read;
		return true;
	}
	if (stop - target <= VERSION_LENGTH)
		return false;
	version = stop - VERSION_LENGTH;
	if (memcmp(version, " HTTP/1.", VERSION_LENGTH - 1) != 0 || !is_printable(target, version))
		return false;
	read_target(target, version, &read);
	read_headers(next, end, &read);
	if (!(read.flags & HTTP_ENDED))
		read.body = 0;
	else if (kept < whole) /* what was not kept is body */
		read.body =
			(uint16_t)(read.body + (whole - kept) < UINT16_MAX ? read.body + (whole - kept) : UINT16_MAX);
	*http = read;
	return true;
}

bool http_ends_block(const uint8_t *payload, size_t length)
{
	if (length == 0 || payload[length - 1] != '\n')
		return false;
	if (length == 1 || (length == 2 && payload[0] == '\r'))
		return true;
	return payload[length - 2] == '\n' ||
	       (length >= 3 && payload[length - 2] == '\r' && payload[length - 3] == '\n');
}

unsigned http_status(const uint8_t *payload, size_t kept)
{
	unsigned status = 0;

	if (kept < STATUS_END || memcmp(payload, "HTTP/1.", strlen("HTTP/1.")) != 0 || payload[STATUS_AT - 1] != ' ')
		return 0;
	for (unsigned i = STATUS_AT; i < STATUS_END; i++) {
		if (payload[i] < '0' || payload[i] > '9')
			return 0;
		status = status * 10 + (payload[i] - '0');
	}
	return status;
}

uint32_t http_order_of(const char *names)
{
	uint64_t order = FNV_BASIS;

	if (!*names)
		return 0;
	for (; *names; names++)
		order = mix(order, (uint8_t)*names);
	return fold(order);
}
