/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/prefix_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK (64u << 10)
#define FIRST_CAPACITY 1024

/*
 * Lines out of blocks of a file. A line that is too long is cut; the cut is longer than any prefix, so it is refused.
 */
struct reader {
	int fd;
	char *block;
	size_t at, filled;
	unsigned line;
	char text[PREFIX_FILE_LINE_MAX + 1];
	bool has_nul;
};

void prefix_list_fini(struct prefix_list *list)
{
	free(list->prefixes);
	*list = (struct prefix_list){ .prefixes = NULL };
}

static int compare(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;
	int order = address_compare(&left->address, &right->address);

	return order ? order : (left->length > right->length) - (left->length < right->length);
}

void prefix_list_sort(struct prefix_list *list)
{
	uint32_t kept = 0;

	if (list->count == 0)
		return;
	qsort(list->prefixes, list->count, sizeof(*list->prefixes), compare);
	for (uint32_t i = 1; i < list->count; i++)
		if (!prefix_equal(&list->prefixes[kept], &list->prefixes[i]))
			list->prefixes[++kept] = list->prefixes[i];
	list->count = kept + 1;
}

bool prefix_list_has(const struct prefix_list *list, const struct prefix *prefix)
{
	return list->count && bsearch(prefix, list->prefixes, list->count, sizeof(*prefix), compare) != NULL;
}

int prefix_list_append(struct prefix_list *list, const struct prefix *prefixes, uint32_t count)
{
	struct prefix *larger;

	if (count == 0)
		return 0;
	larger = realloc(list->prefixes, ((size_t)list->count + count) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	memcpy(larger + list->count, prefixes, count * sizeof(*larger));
	list->prefixes = larger;
	list->count += count;
	return 0;
}

/* The next line without its end in reader->text: 1, or 0 at the end of the file, or -errno. */
static int next_line(struct reader *reader)
{
	size_t length = 0;
	bool any = false;

	reader->has_nul = false;
	for (;;) {
		char *end;
		size_t have, kept;

		if (reader->at == reader->filled) {
			ssize_t got = read(reader->fd, reader->block, BLOCK);

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return -errno;
			if (got == 0)
				break;
			reader->at = 0;
			reader->filled = (size_t)got;
		}
		any = true;
		have = reader->filled - reader->at;
		end = memchr(reader->block + reader->at, '\n', have);
		if (end)
			have = (size_t)(end - (reader->block + reader->at));
		kept = have < PREFIX_FILE_LINE_MAX - length ? have : PREFIX_FILE_LINE_MAX - length;
		memcpy(reader->text + length, reader->block + reader->at, kept);
		reader->has_nul = reader->has_nul || memchr(reader->text + length, '\0', kept);
		length += kept;
		reader->at += have + (end != NULL);
		if (end)
			break;
	}
	reader->text[length] = '\0';
	reader->line++;
	return any;
}

/* The text between white space, without a comment. */
static char *trim(char *text)
{
	char *end;

	text[strcspn(text, "#")] = '\0';
	text += strspn(text, " \t\r\v\f");
	for (end = text + strlen(text); end > text && strchr(" \t\r\v\f", end[-1]); end--)
		;
	*end = '\0';
	return text;
}

static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\177')
			*text = '?';
}

/* Room for one more. */
static int make_room(struct prefix_list *list, uint32_t *capacity)
{
	uint32_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
	struct prefix *larger;

	if (list->count < *capacity)
		return 0;
	larger = realloc(list->prefixes, wanted * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	list->prefixes = larger;
	*capacity = wanted;
	return 0;
}

/* One line. `error` without the name. */
static int take_line(struct reader *reader, uint32_t max, struct prefix_list *list, uint32_t *capacity, char *error,
                     size_t size)
{
	char *text = trim(reader->text);
	int result;

	if (reader->has_nul) {
		snprintf(error, size, "a NUL octet; this is no list of networks");
		return -EINVAL;
	}
	if (!*text)
		return 0;
	if (list->count == max) {
		snprintf(error, size, "more than %u prefixes; join neighbours to shorter ones", max);
		return -E2BIG;
	}
	result = make_room(list, capacity);
	if (result) {
		snprintf(error, size, "out of memory");
		return result;
	}
	if (prefix_parse(text, &list->prefixes[list->count]) != 0) {
		flatten(text);
		snprintf(
			error, size,
			"'%.60s' is no address or network; write 192.0.2.10, 192.0.2.0/24 or 2001:db8::/32, host bits zero",
			text);
		return -EINVAL;
	}
	list->count++;
	return 0;
}

int prefix_file_read(int fd, const char *name, uint32_t max, struct prefix_list *list,
                     char error[PREFIX_FILE_ERROR_SIZE])
{
	struct reader reader = { .fd = fd, .block = malloc(BLOCK) };
	struct prefix_list read = { .prefixes = NULL };
	char what[PREFIX_FILE_ERROR_SIZE / 2 + 32];
	uint32_t capacity = 0;
	int result = reader.block ? 1 : -ENOMEM;

	snprintf(what, sizeof(what), "out of memory");
	while (result == 1) {
		result = next_line(&reader);
		if (result < 0)
			snprintf(what, sizeof(what), "%s", strerror(-result));
		if (result != 1)
			break;
		result = take_line(&reader, max, &read, &capacity, what, sizeof(what));
		if (result == 0)
			result = 1;
	}
	free(reader.block);
	if (result != 0) {
		snprintf(error, PREFIX_FILE_ERROR_SIZE, "%.80s:%u: %s", name, reader.line, what);
		prefix_list_fini(&read);
		return result;
	}
	*list = read;
	return 0;
}

int prefix_file_open(const char *path, char error[PREFIX_FILE_ERROR_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int result = fd < 0 ? -errno : 0;

	if (result)
		snprintf(error, PREFIX_FILE_ERROR_SIZE, "%.160s: %s", path, strerror(-result));
	return result ? result : fd;
}
