/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle is held to what would have been written of what it says; the first octet that is not is named. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/file.h"
#include "record/bundle_inside.h"

struct reader {
	int fd;
	uint64_t at, end;
	struct bundle *bundle;
	struct bundle_fault *fault;
};

__attribute__((format(printf, 4, 5))) static int refuse(const struct reader *reader, const char *member,
                                                        uint64_t offset, const char *format, ...)
{
	va_list arguments;

	*reader->fault = (struct bundle_fault){ .offset = offset };
	(void)snprintf(reader->fault->member, sizeof(reader->fault->member), "%s", member);
	va_start(arguments, format);
	(void)vsnprintf(reader->fault->what, sizeof(reader->fault->what), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

/* -EBADMSG becomes a fault: the file is shorter than it was a moment ago, or than it must be. */
static int take(const struct reader *reader, const char *member, void *octets, size_t count, uint64_t at)
{
	int result;

	if (at > reader->end || count > reader->end - at)
		return refuse(reader, member, reader->end, "the file ends too early");
	result = file_read_at(reader->fd, octets, count, at);
	return result == -EBADMSG ? refuse(reader, member, at, "the file ends too early") : result;
}

/* Octets that are to be as `wanted` says: the first that is not is named. */
static int compare(const struct reader *reader, const char *member, const char *what, const uint8_t *wanted,
                   size_t count, uint64_t at)
{
	uint8_t found[2 * BUNDLE_BLOCK];
	int result = take(reader, member, found, count, at);

	for (size_t i = 0; result == 0 && i < count; i++)
		if (found[i] != wanted[i])
			return refuse(reader, member, at + i, "octet %zu of its %s is 0x%02x and should be 0x%02x", i,
			              what, found[i], wanted[i]);
	return result;
}

/* A header of that name and size is next. */
static int pass_header(struct reader *reader, const char *name, uint64_t octets)
{
	uint8_t header[BUNDLE_BLOCK];
	int result;

	bundle_header(name, octets, reader->bundle->made_s, header);
	result = compare(reader, name, "header", header, sizeof(header), reader->at);
	if (result == 0)
		reader->at += BUNDLE_BLOCK;
	return result;
}

static int pass_padding(struct reader *reader, const char *name, uint64_t octets)
{
	int result = compare(reader, name, "padding", bundle_zeros, (size_t)bundle_padding(octets), reader->at);

	if (result == 0)
		reader->at += bundle_padding(octets);
	return result;
}

/* 1 where the member that comes next is called so, else 0. */
static int is_next(const struct reader *reader, const char *name)
{
	char found[BUNDLE_NAME_SIZE] = "";
	int result = take(reader, name, found, sizeof(found), reader->at);

	return result ? result : strncmp(found, name, sizeof(found)) == 0;
}

/* A member that is text, whole, of a size that its header says. */
static int read_text(struct reader *reader, const char *name, uint64_t most, char **text, size_t *length)
{
	uint8_t header[BUNDLE_BLOCK] = { 0 };
	uint64_t octets = 0;
	char *read;
	int result = take(reader, name, header, sizeof(header), reader->at);

	if (result == 0 && bundle_octal(header + BUNDLE_SIZE_AT, BUNDLE_SIZE_DIGITS, &octets) != 0)
		return refuse(reader, name, reader->at + BUNDLE_SIZE_AT, "its header says no size");
	if (result == 0 && octets > most)
		return refuse(reader, name, reader->at + BUNDLE_SIZE_AT,
		              "its header says %llu octets, more than may be", (unsigned long long)octets);
	if (result == 0)
		result = pass_header(reader, name, octets);
	if (result != 0)
		return result;
	read = malloc((size_t)octets + 1);
	if (!read)
		return -ENOMEM;
	result = take(reader, name, read, (size_t)octets, reader->at);
	reader->at += octets;
	if (result == 0)
		result = pass_padding(reader, name, octets);
	if (result != 0) {
		free(read);
		return result;
	}
	read[octets] = '\0';
	*text = read;
	*length = (size_t)octets;
	return 0;
}

static json_t *parse(const struct reader *reader, const char *name, uint64_t at, const char *text, size_t length)
{
	json_error_t error = { .position = 0 };
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	uint64_t offset = !json && error.position > 0 ? (uint64_t)error.position : 0;

	if (json_is_object(json))
		return json;
	json_decref(json);
	(void)refuse(reader, name, at + offset, "it is no JSON object");
	return NULL;
}

/* Hexadecimal of a hash, as bundle_hex() writes it. */
static bool is_hash(const char *text)
{
	return text && strlen(text) == BUNDLE_HEX_SIZE - 1 && strspn(text, "0123456789abcdef") == BUNDLE_HEX_SIZE - 1;
}

static int segment_of(const char *name)
{
	for (int i = 0; i < BUNDLE_SEGMENTS; i++)
		if (name && strcmp(bundle_segment_name((enum bundle_segment)i), name) == 0)
			return i;
	return -1;
}

/* One entry of the manifest's segments. `after`: the one before it. */
static int take_segment(const struct reader *reader, const json_t *entry, int *after, uint8_t link[BUNDLE_HASH])
{
	const char *name = json_string_value(json_object_get(entry, "name"));
	const char *sum = json_string_value(json_object_get(entry, "sha256"));
	const char *linked = json_string_value(json_object_get(entry, "chain"));
	json_int_t octets = json_integer_value(json_object_get(entry, "octets"));
	int segment = segment_of(name);
	uint8_t octets_of_sum[BUNDLE_HASH];
	char wanted[BUNDLE_HEX_SIZE];

	if (segment <= *after)
		return refuse(reader, BUNDLE_MANIFEST, 0, "'%.40s' is no segment, or not in its place",
		              name ? name : "");
	if (octets < 0 || (uint64_t)octets > BUNDLE_SEGMENT_MAX || !is_hash(sum) || !is_hash(linked))
		return refuse(reader, BUNDLE_MANIFEST, 0, "what it says of %s is not to be understood", name);
	(void)sodium_hex2bin(octets_of_sum, sizeof(octets_of_sum), sum, BUNDLE_HEX_SIZE - 1, NULL, NULL, NULL);
	bundle_chain(link, octets_of_sum);
	bundle_hex(link, wanted);
	if (strcmp(wanted, linked) != 0)
		return refuse(reader, BUNDLE_MANIFEST, 0, "the chain is broken at %s", name);
	*after = segment;
	reader->bundle->parts[segment].state = BUNDLE_WHOLE;
	reader->bundle->parts[segment].octets = (uint64_t)octets;
	memcpy(reader->bundle->parts[segment].sha256, sum, BUNDLE_HEX_SIZE);
	return 0;
}

/* What the manifest says, and the head that it leads to. */
static int take_manifest(const struct reader *reader, const char *text, size_t length)
{
	const json_t *manifest = reader->bundle->manifest, *list = json_object_get(manifest, "segments"), *entry;
	const char *schema = json_string_value(json_object_get(manifest, "schema"));
	uint8_t link[BUNDLE_HASH] = { 0 }, sum[BUNDLE_HASH];
	int after = -1, result = 0;
	size_t i;

	if (!schema || strcmp(schema, BUNDLE_SCHEMA) != 0)
		return refuse(reader, BUNDLE_MANIFEST, BUNDLE_BLOCK,
		              "its schema is '%.40s', this holdfast knows " BUNDLE_SCHEMA, schema ? schema : "");
	if (!json_is_array(list) || json_array_size(list) > BUNDLE_SEGMENTS)
		return refuse(reader, BUNDLE_MANIFEST, BUNDLE_BLOCK, "it has no list of segments");
	json_array_foreach(list, i, entry)
	{
		result = take_segment(reader, entry, &after, link);
		if (result != 0) {
			reader->fault->offset = BUNDLE_BLOCK;
			return result;
		}
	}
	(void)crypto_hash_sha256(sum, (const uint8_t *)text, length);
	bundle_chain(link, sum);
	bundle_hex(link, reader->bundle->head);
	return 0;
}

static int read_manifest(struct reader *reader)
{
	uint8_t header[BUNDLE_BLOCK] = { 0 };
	uint64_t time_s = 0;
	char *text = NULL;
	size_t length = 0;
	int result = take(reader, BUNDLE_MANIFEST, header, sizeof(header), 0);

	if (result == 0 && bundle_octal(header + BUNDLE_TIME_AT, BUNDLE_TIME_DIGITS, &time_s) != 0)
		return refuse(reader, BUNDLE_MANIFEST, BUNDLE_TIME_AT, "its header says no time");
	reader->bundle->made_s = (int64_t)time_s;
	if (result == 0)
		result = read_text(reader, BUNDLE_MANIFEST, BUNDLE_MANIFEST_MAX, &text, &length);
	if (result != 0)
		return result;
	reader->bundle->manifest = parse(reader, BUNDLE_MANIFEST, BUNDLE_BLOCK, text, length);
	result = reader->bundle->manifest ? take_manifest(reader, text, length) : -EBADMSG;
	free(text);
	return result;
}

static int read_head(struct reader *reader)
{
	char line[BUNDLE_HEAD_OCTETS], wanted[BUNDLE_HEAD_OCTETS + 1];
	uint64_t at = reader->at + BUNDLE_BLOCK;
	int result = pass_header(reader, BUNDLE_HEAD, BUNDLE_HEAD_OCTETS);

	if (result == 0)
		result = take(reader, BUNDLE_HEAD, line, sizeof(line), at);
	(void)snprintf(wanted, sizeof(wanted), "%s\n", reader->bundle->head);
	if (result == 0 && memcmp(line, wanted, sizeof(line)) != 0)
		return refuse(reader, BUNDLE_HEAD, at,
		              "the head of the chain is %s by manifest.json, and head.txt says another",
		              reader->bundle->head);
	reader->at += BUNDLE_HEAD_OCTETS;
	return result ? result : pass_padding(reader, BUNDLE_HEAD, BUNDLE_HEAD_OCTETS);
}

static int take_erased(const struct reader *reader, const json_t *entry)
{
	int segment = segment_of(json_string_value(json_object_get(entry, "segment")));
	const char *why = json_string_value(json_object_get(entry, "why"));
	json_int_t at = json_integer_value(json_object_get(entry, "at"));
	struct bundle_part *part;

	if (segment < 0 || reader->bundle->parts[segment].state != BUNDLE_WHOLE || !why ||
	    strlen(why) >= BUNDLE_WHY_MAX || at <= 0)
		return refuse(reader, BUNDLE_ERASED_LIST, reader->at, "an entry is not to be understood");
	part = &reader->bundle->parts[segment];
	part->state = BUNDLE_ERASED;
	part->erased_s = at;
	(void)snprintf(part->erased_why, sizeof(part->erased_why), "%s", why);
	return 0;
}

/* What is listed is taken, and has then to be, octet by octet, what would be written of that. */
static int take_erased_all(struct reader *reader, uint64_t at, const char *text, size_t length)
{
	json_t *erased = parse(reader, BUNDLE_ERASED_LIST, at, text, length);
	const json_t *list = json_object_get(erased, "erased"), *entry;
	size_t i, same = 0;
	char *wanted;
	int result = erased ? 0 : -EBADMSG;

	if (erased && (!json_is_array(list) || json_array_size(list) == 0))
		result = refuse(reader, BUNDLE_ERASED_LIST, at, "it is no " BUNDLE_ERASED_SCHEMA);
	for (i = 0; result == 0 && i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		result = take_erased(reader, entry);
	}
	json_decref(erased);
	if (result != 0)
		return result;
	wanted = bundle_erased_text(reader->bundle);
	if (!wanted)
		return -ENOMEM;
	while (same < length && wanted[same] == text[same])
		same++;
	if (same != length || wanted[same] != '\0')
		result = refuse(reader, BUNDLE_ERASED_LIST, at + same, "it is not as it was written");
	free(wanted);
	return result;
}

static int read_erased(struct reader *reader)
{
	uint64_t at = reader->at + BUNDLE_BLOCK;
	char *text = NULL;
	size_t length = 0;
	int result = read_text(reader, BUNDLE_ERASED_LIST, BUNDLE_MANIFEST_MAX, &text, &length);

	if (result != 0)
		return result;
	result = take_erased_all(reader, at, text, length);
	free(text);
	return result;
}

static int read_part(struct reader *reader, enum bundle_segment segment)
{
	struct bundle_part *part = &reader->bundle->parts[segment];
	const char *name = bundle_segment_name(segment);
	uint8_t sum[BUNDLE_HASH];
	char found[BUNDLE_HEX_SIZE];
	int result = pass_header(reader, name, part->octets);

	if (result != 0)
		return result;
	part->at = reader->at;
	if (part->octets > reader->end - reader->at)
		return refuse(reader, name, reader->end, "the file ends too early");
	result = bundle_sum_part(reader->fd, part->at, part->octets, sum);
	if (result != 0)
		return result == -EBADMSG ? refuse(reader, name, part->at, "the file ends too early") : result;
	bundle_hex(sum, found);
	if (strcmp(found, part->sha256) != 0)
		return refuse(reader, name, part->at, "its SHA-256 is %s, and manifest.json says %s", found,
		              part->sha256);
	reader->at += part->octets;
	return pass_padding(reader, name, part->octets);
}

static int read_end(const struct reader *reader)
{
	int result = compare(reader, "", "end", bundle_zeros, sizeof(bundle_zeros), reader->at);

	if (result == 0 && reader->at + sizeof(bundle_zeros) != reader->end)
		return refuse(reader, "", reader->at + sizeof(bundle_zeros), "%llu octets are behind its end",
		              (unsigned long long)(reader->end - reader->at - sizeof(bundle_zeros)));
	return result;
}

static int read_all(struct reader *reader)
{
	int result = read_manifest(reader);

	if (result == 0)
		result = read_head(reader);
	if (result == 0) {
		result = is_next(reader, BUNDLE_ERASED_LIST);
		if (result > 0)
			result = read_erased(reader);
	}
	for (unsigned i = 0; i < BUNDLE_SEGMENTS && result == 0; i++)
		if (reader->bundle->parts[i].state == BUNDLE_WHOLE)
			result = read_part(reader, (enum bundle_segment)i);
	return result ? result : read_end(reader);
}

int bundle_read(int fd, struct bundle *bundle, struct bundle_fault *fault)
{
	struct bundle read = { .manifest = NULL };
	struct reader reader = { .fd = fd, .bundle = &read, .fault = fault };
	struct stat status;
	int result;

	*fault = (struct bundle_fault){ .offset = 0 };
	if (sodium_init() < 0)
		return -ENOMEM;
	if (fstat(fd, &status) != 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return refuse(&reader, "", 0, "it is no regular file");
	reader.end = (uint64_t)status.st_size;
	result = read_all(&reader);
	if (result != 0) {
		bundle_fini(&read);
		return result;
	}
	*bundle = read;
	return 0;
}

void bundle_fini(struct bundle *bundle)
{
	json_decref(bundle->manifest);
	bundle->manifest = NULL;
}

int bundle_text(const struct bundle *bundle, int fd, enum bundle_segment segment, char **text, size_t *length)
{
	const struct bundle_part *part = &bundle->parts[segment];
	char *read;
	int result;

	if (part->state != BUNDLE_WHOLE)
		return -ENOENT;
	if (part->octets > BUNDLE_JSON_MAX)
		return -EFBIG;
	read = malloc((size_t)part->octets + 1);
	if (!read)
		return -ENOMEM;
	result = file_read_at(fd, read, (size_t)part->octets, part->at);
	if (result != 0) {
		free(read);
		return result;
	}
	read[part->octets] = '\0';
	*text = read;
	*length = (size_t)part->octets;
	return 0;
}
