/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/dropped.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE 256
#define LINE_SIZE (PREFIX_TEXT_SIZE + 2)
#define DIGITS_MAX 18
#define PASSES '!'

/* ---- order ---- */

static int compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order = (int)b->is_ipv4 - (int)a->is_ipv4;

	if (order == 0)
		order = address_compare(&a->address, &b->address);
	return order ? order : (int)a->length - (int)b->length;
}

static bool is_sorted(const struct dropped_list *list)
{
	for (uint32_t i = 1; i < list->count; i++)
		if (compare(&list->prefixes[i - 1], &list->prefixes[i]) > 0)
			return false;
	return true;
}

void dropped_sort(struct dropped_list *list)
{
	uint32_t kept = 0;

	if (!is_sorted(list)) /* those that were written here are */
		qsort(list->prefixes, list->count, sizeof(*list->prefixes), compare);
	list->ipv4 = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		/* What holds it stands before it, and what stands between them is held by the same. */
		if (kept > 0 && prefix_covers(&list->prefixes[kept - 1], &list->prefixes[i]))
			continue;
		list->prefixes[kept++] = list->prefixes[i];
		list->ipv4 += list->prefixes[i].is_ipv4;
	}
	list->count = kept;
}

/* ---- looking up ---- */

static bool list_has(const struct dropped_list *list, const struct address *address)
{
	bool ipv4 = address_is_ipv4(address);
	uint32_t low = ipv4 ? 0 : list->ipv4, high = ipv4 ? list->ipv4 : list->count, first = low;

	/* The last one that does not begin behind the address. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (address_compare(&list->prefixes[middle].address, address) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > first && prefix_contains(&list->prefixes[low - 1], address);
}

bool dropped_holds(const struct dropped *dropped, struct capture_time now)
{
	return time_since(now, dropped->made) >= -DROPPED_EARLY_S * NS_PER_S && time_since(dropped->until, now) > 0;
}

bool dropped_has(const struct dropped *dropped, const struct address *address)
{
	return list_has(&dropped->dropping, address) && !list_has(&dropped->passing, address);
}

void dropped_fini(struct dropped *dropped)
{
	free(dropped->dropping.prefixes);
	free(dropped->passing.prefixes);
	memset(dropped, 0, sizeof(*dropped));
}

/* ---- writing ---- */

static bool times_ok(struct capture_time made, struct capture_time until)
{
	int64_t lasts_ns = time_since(until, made);

	return lasts_ns > 0 && lasts_ns <= DROPPED_LASTS_MAX_S * NS_PER_S;
}

static char *put_list(char *at, const struct dropped_list *list, bool passes)
{
	for (uint32_t i = 0; i < list->count; i++) {
		char text[PREFIX_TEXT_SIZE];
		size_t length = strlen(prefix_format(&list->prefixes[i], text));

		if (passes)
			*at++ = PASSES;
		memcpy(at, text, length);
		at += length;
		*at++ = '\n';
	}
	return at;
}

int dropped_write(const struct dropped *dropped, char **text, size_t *length)
{
	char made[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE], *octets, *at;
	size_t lines = (size_t)dropped->dropping.count + dropped->passing.count;

	if (dropped->dropping.count > DROPPED_MAX || dropped->passing.count > DROPPED_PASSING_MAX ||
	    !times_ok(dropped->made, dropped->until))
		return -EINVAL;
	octets = malloc(HEAD_SIZE + lines * LINE_SIZE);
	if (!octets)
		return -ENOMEM;
	at = octets + snprintf(octets, HEAD_SIZE,
	                       DROPPED_SCHEMA " made %s until %s dropped %" PRIu32 " passing %" PRIu32
	                                      " left_out %" PRIu64 "\n",
	                       time_format(dropped->made, made), time_format(dropped->until, until),
	                       dropped->dropping.count, dropped->passing.count, dropped->left_out);
	at = put_list(at, &dropped->dropping, false);
	at = put_list(at, &dropped->passing, true);
	*at = '\0';
	*text = octets;
	*length = (size_t)(at - octets);
	return 0;
}

/* ---- reading ---- */

struct reader {
	const char *at, *end;
	uint64_t line;
	const char *wrong; /* NULL: nothing is */
};

static void mind(struct reader *reader, const char *what)
{
	if (!reader->wrong)
		reader->wrong = what;
}

/* The next line, without its end, as a string. */
static bool take_line(struct reader *reader, char *line, size_t size)
{
	const char *end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	size_t length;

	reader->line++;
	if (!end) {
		mind(reader, "it ends here, amid a line or before as many prefixes as its head says");
		return false;
	}
	length = (size_t)(end - reader->at);
	if (length >= size || memchr(reader->at, '\0', length)) {
		mind(reader, "this is no line of such a list");
		return false;
	}
	memcpy(line, reader->at, length);
	line[length] = '\0';
	reader->at = end + 1;
	return true;
}

/* The next of a line's words, which a blank ends. */
static char *take_word(char **at)
{
	char *word = *at, *blank = strchr(word, ' ');

	if (blank)
		*blank = '\0';
	*at = blank ? blank + 1 : word + strlen(word);
	return word;
}

static bool read_number(const char *word, uint64_t most, uint64_t *number)
{
	size_t digits = strspn(word, "0123456789");

	if (digits == 0 || digits > DIGITS_MAX || word[digits] != '\0')
		return false;
	*number = strtoull(word, NULL, 10);
	return *number <= most;
}

static void read_head(struct reader *reader, struct dropped *into)
{
	char line[HEAD_SIZE], *at = line;
	uint64_t dropping = 0, passing = 0;
	const struct {
		const char *name;
		struct capture_time *time;
		uint64_t *number, most;
	} fields[] = {
		{ "made", &into->made, NULL, 0 },
		{ "until", &into->until, NULL, 0 },
		{ "dropped", NULL, &dropping, DROPPED_MAX },
		{ "passing", NULL, &passing, DROPPED_PASSING_MAX },
		{ "left_out", NULL, &into->left_out, UINT64_MAX },
	};

	if (!take_line(reader, line, sizeof(line)))
		return;
	if (strcmp(take_word(&at), DROPPED_SCHEMA) != 0) {
		mind(reader, "it does not begin with '" DROPPED_SCHEMA "'");
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		bool good = strcmp(take_word(&at), fields[i].name) == 0;
		const char *word = take_word(&at);

		if (!good || (fields[i].time ? time_parse(word, fields[i].time) != 0
		                             : !read_number(word, fields[i].most, fields[i].number))) {
			mind(reader, "its head is none, or names more prefixes than there is room for");
			return;
		}
	}
	if (*at != '\0' || !times_ok(into->made, into->until))
		mind(reader, "its head is none, or lasts too long");
	into->dropping.count = (uint32_t)dropping;
	into->passing.count = (uint32_t)passing;
}

static void read_list(struct reader *reader, struct dropped_list *list, bool passes)
{
	char line[LINE_SIZE];

	for (uint32_t i = 0; i < list->count && !reader->wrong; i++) {
		const char *text = line + passes;

		if (!take_line(reader, line, sizeof(line)))
			return;
		if ((passes && line[0] != PASSES) || prefix_parse(text, &list->prefixes[i]) != 0 ||
		    list->prefixes[i].length == 0)
			mind(reader, passes ? "this is no '!' and prefix" : "this is no prefix");
	}
}

int dropped_read(const char *text, size_t length, struct dropped *dropped, struct dropped_error *error)
{
	struct reader reader = { .at = text, .end = text + length };
	struct dropped read = { .left_out = 0 };

	read_head(&reader, &read);
	if (!reader.wrong) {
		/* One more than none, so that there is always memory to be had. */
		read.dropping.prefixes = calloc(read.dropping.count + 1u, sizeof(*read.dropping.prefixes));
		read.passing.prefixes = calloc(read.passing.count + 1u, sizeof(*read.passing.prefixes));
		if (!read.dropping.prefixes || !read.passing.prefixes) {
			dropped_fini(&read);
			return -ENOMEM;
		}
		read_list(&reader, &read.dropping, false);
		read_list(&reader, &read.passing, true);
	}
	if (!reader.wrong && reader.at != reader.end) {
		reader.line++;
		mind(&reader, "there is more of it than its head says");
	}
	if (reader.wrong) {
		dropped_fini(&read);
		*error = (struct dropped_error){ reader.line, reader.wrong };
		return -EBADMSG;
	}
	dropped_sort(&read.dropping);
	dropped_sort(&read.passing);
	*dropped = read;
	return 0;
}
