/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar writer of its own, for a library's would have to be told to be strict: what is read is compared with what would
 * have been written, octet by octet, so that there is nothing to parse but a size.
 */
#include "record/bundle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/file.h"

#define COPY 65536
#define SIZE_AT 124 /* in a header: eleven octal digits */
#define SIZE_DIGITS 11
#define TIME_AT 136
#define SUM_AT 148
#define HEAD_OCTETS 65

static const char manifest_name[] = "manifest.json", head_name[] = "head.txt", erased_name[] = "erased.json";

static const struct {
	const char *name;
	bool personal;
} segments[BUNDLE_SEGMENTS] = {
	[BUNDLE_ANALYSIS] = { "analysis.json", false },  [BUNDLE_TRACE] = { "trace.json", false },
	[BUNDLE_CLAIMS] = { "claims.jsonl", false },     [BUNDLE_STATEMENTS] = { "statements.jsonl", false },
	[BUNDLE_RULES] = { "rules.jsonl", false },       [BUNDLE_DECISIONS] = { "decisions.jsonl", true },
	[BUNDLE_COUNTERS] = { "counters.jsonl", false }, [BUNDLE_SOURCES] = { "sources.jsonl", true },
	[BUNDLE_PACKETS] = { "packets.pcapng", true },   [BUNDLE_STREAM] = { "stream.hfs", true },
};

const char *bundle_segment_name(enum bundle_segment segment)
{
	return segments[segment].name;
}

bool bundle_segment_is_personal(enum bundle_segment segment)
{
	return segments[segment].personal;
}

const char *bundle_tlp(const char *name)
{
	static const char *const labels[] = { "amber+strict", "amber", "green", "clear", "red" };

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (strcmp(labels[i], name) == 0)
			return labels[i];
	return NULL;
}

/* ---- sums ---- */

static void hex(const uint8_t octets[BUNDLE_HASH], char text[BUNDLE_HEX_SIZE])
{
	(void)sodium_bin2hex(text, BUNDLE_HEX_SIZE, octets, BUNDLE_HASH);
}

/* H becomes SHA-256(H ‖ sum). */
static void chain(uint8_t link[BUNDLE_HASH], const uint8_t sum[BUNDLE_HASH])
{
	uint8_t both[2 * BUNDLE_HASH];

	memcpy(both, link, BUNDLE_HASH);
	memcpy(both + BUNDLE_HASH, sum, BUNDLE_HASH);
	(void)crypto_hash_sha256(link, both, sizeof(both));
}

/* Of octets [at, at + count) of a file. */
static int sum_file(int fd, uint64_t at, uint64_t count, uint8_t sum[BUNDLE_HASH])
{
	crypto_hash_sha256_state state;
	uint8_t block[COPY];

	(void)crypto_hash_sha256_init(&state);
	while (count > 0) {
		size_t piece = count < sizeof(block) ? (size_t)count : sizeof(block);
		int result = file_read_at(fd, block, piece, at);

		if (result != 0)
			return result;
		(void)crypto_hash_sha256_update(&state, block, piece);
		at += piece;
		count -= piece;
	}
	(void)crypto_hash_sha256_final(&state, sum);
	return 0;
}

int bundle_sum(int fd, char text[BUNDLE_HEX_SIZE])
{
	uint8_t sum[BUNDLE_HASH];
	struct stat status;
	int result = fstat(fd, &status) == 0 ? sum_file(fd, 0, (uint64_t)status.st_size, sum) : -errno;

	if (result == 0)
		hex(sum, text);
	return result;
}

void bundle_sum_of(const void *octets, size_t length, char text[BUNDLE_HEX_SIZE])
{
	uint8_t sum[BUNDLE_HASH];

	(void)crypto_hash_sha256(sum, octets, length);
	hex(sum, text);
}

/* ---- members ---- */

static void octal(uint8_t *field, unsigned digits, uint64_t number)
{
	for (unsigned i = digits; i-- > 0; number >>= 3)
		field[i] = (uint8_t)('0' + (number & 7));
}

/* The one header that a member of this name, size and time can have. */
static void make_header(const char *name, uint64_t octets, int64_t time_s, uint8_t header[BUNDLE_BLOCK])
{
	unsigned sum = 0;

	memset(header, 0, BUNDLE_BLOCK);
	(void)snprintf((char *)header, 100, "%s", name);
	octal(header + 100, 7, 0444);
	octal(header + 108, 7, 0);
	octal(header + 116, 7, 0);
	octal(header + SIZE_AT, SIZE_DIGITS, octets);
	octal(header + TIME_AT, 11, (uint64_t)time_s);
	memset(header + SUM_AT, ' ', 8);
	header[156] = '0';
	memcpy(header + 257,
	       "ustar\0"
	       "00",
	       8);
	for (unsigned i = 0; i < BUNDLE_BLOCK; i++)
		sum += header[i];
	octal(header + SUM_AT, 6, sum);
	header[SUM_AT + 6] = '\0';
}

static uint64_t padding(uint64_t octets)
{
	return (BUNDLE_BLOCK - octets % BUNDLE_BLOCK) % BUNDLE_BLOCK;
}

static const uint8_t zeros[2 * BUNDLE_BLOCK];

static int write_text(int out, const char *name, const char *text, size_t length, int64_t time_s)
{
	uint8_t header[BUNDLE_BLOCK];
	int result;

	make_header(name, length, time_s, header);
	result = file_write(out, header, sizeof(header));
	if (result == 0)
		result = file_write(out, text, length);
	return result ? result : file_write(out, zeros, padding(length));
}

static int write_part(int out, enum bundle_segment segment, int fd, uint64_t at, uint64_t octets, int64_t time_s)
{
	uint8_t header[BUNDLE_BLOCK];
	int result;

	make_header(segments[segment].name, octets, time_s, header);
	result = file_write(out, header, sizeof(header));
	if (result == 0)
		result = file_copy(fd, at, out, octets);
	return result ? result : file_write(out, zeros, padding(octets));
}

/* ---- writing ---- */

/* The manifest's segments; their chain ends in `link`. */
static int list_segments(const struct bundle_making *making, json_t *list, uint8_t link[BUNDLE_HASH])
{
	memset(link, 0, BUNDLE_HASH);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++) {
		uint8_t sum[BUNDLE_HASH];
		char sum_text[BUNDLE_HEX_SIZE], link_text[BUNDLE_HEX_SIZE];
		int result;

		if (making->segments[i].fd < 0)
			continue;
		if (making->segments[i].octets > BUNDLE_SEGMENT_MAX)
			return -EFBIG;
		result = sum_file(making->segments[i].fd, 0, making->segments[i].octets, sum);
		if (result != 0)
			return result;
		chain(link, sum);
		hex(sum, sum_text);
		hex(link, link_text);
		if (json_array_append_new(list, json_pack("{s:s,s:I,s:s,s:s}", "name", segments[i].name, "octets",
		                                          (json_int_t)making->segments[i].octets, "sha256", sum_text,
		                                          "chain", link_text)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int make_manifest(const struct bundle_making *making, char **text, char head[BUNDLE_HEX_SIZE])
{
	json_t *manifest = json_object(), *list = json_array();
	uint8_t link[BUNDLE_HASH], sum[BUNDLE_HASH];
	int result = list_segments(making, list, link);

	if (result == 0 && (!manifest || json_object_set_new(manifest, "schema", json_string(BUNDLE_SCHEMA)) != 0 ||
	                    json_object_update(manifest, (json_t *)(uintptr_t)making->about) != 0 ||
	                    json_object_set(manifest, "segments", list) != 0))
		result = -ENOMEM;
	*text = result == 0 ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
	json_decref(manifest);
	json_decref(list);
	if (result != 0 || !*text)
		return result ? result : -ENOMEM;
	if (strlen(*text) > BUNDLE_MANIFEST_MAX) {
		free(*text);
		return -EFBIG;
	}
	(void)crypto_hash_sha256(sum, (const uint8_t *)*text, strlen(*text));
	chain(link, sum);
	hex(link, head);
	return 0;
}

int bundle_write(const struct bundle_making *making, int out, char head[BUNDLE_HEX_SIZE])
{
	char made[BUNDLE_HEX_SIZE], line[HEAD_OCTETS + 1], *manifest;
	int result = sodium_init() < 0 ? -ENOMEM : make_manifest(making, &manifest, made);

	if (result != 0)
		return result;
	(void)snprintf(line, sizeof(line), "%s\n", made);
	result = write_text(out, manifest_name, manifest, strlen(manifest), making->made_s);
	free(manifest);
	if (result == 0)
		result = write_text(out, head_name, line, HEAD_OCTETS, making->made_s);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS && result == 0; i++)
		if (making->segments[i].fd >= 0)
			result = write_part(out, (enum bundle_segment)i, making->segments[i].fd, 0,
			                    making->segments[i].octets, making->made_s);
	if (result == 0)
		result = file_write(out, zeros, sizeof(zeros));
	if (result == 0)
		memcpy(head, made, sizeof(made));
	return result;
}

/* ---- what was erased ---- */

/*
 * erased.json, NULL where there is no memory. It came later than the head and is in no chain; that its octets are as
 * they were written is said by a sum of its own.
 */
static char *make_erased(const struct bundle *bundle)
{
	json_t *list = json_array(), *erased = json_pack("{s:s,s:o}", "schema", BUNDLE_ERASED_SCHEMA, "erased", list);
	crypto_hash_sha256_state state;
	uint8_t sum[BUNDLE_HASH];
	char sum_text[BUNDLE_HEX_SIZE], *text;
	bool failed = !erased;

	for (unsigned i = 0; i < BUNDLE_SEGMENTS && !failed; i++) {
		const struct bundle_part *part = &bundle->parts[i];

		if (part->state == BUNDLE_ERASED)
			failed = json_array_append_new(list, json_pack("{s:s,s:I,s:s}", "segment", segments[i].name,
			                                               "at", (json_int_t)part->erased_s, "why",
			                                               part->erased_why)) != 0;
	}
	text = failed ? NULL : json_dumps(list, JSON_COMPACT);
	if (!text) {
		json_decref(erased);
		return NULL;
	}
	(void)crypto_hash_sha256_init(&state);
	(void)crypto_hash_sha256_update(&state, (const uint8_t *)bundle->head, strlen(bundle->head));
	(void)crypto_hash_sha256_update(&state, (const uint8_t *)text, strlen(text));
	(void)crypto_hash_sha256_final(&state, sum);
	free(text);
	hex(sum, sum_text);
	text = json_object_set_new(erased, "sum", json_string(sum_text)) == 0 ? json_dumps(erased, JSON_INDENT(1))
	                                                                      : NULL;
	json_decref(erased);
	return text;
}

/* ---- reading ---- */

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

	make_header(name, octets, reader->bundle->made_s, header);
	result = compare(reader, name, "header", header, sizeof(header), reader->at);
	if (result == 0)
		reader->at += BUNDLE_BLOCK;
	return result;
}

static int pass_padding(struct reader *reader, const char *name, uint64_t octets)
{
	int result = compare(reader, name, "padding", zeros, (size_t)padding(octets), reader->at);

	if (result == 0)
		reader->at += padding(octets);
	return result;
}

/* 1 where the member that comes next is called so, else 0. */
static int is_next(const struct reader *reader, const char *name)
{
	char found[100] = "";
	int result = take(reader, name, found, sizeof(found), reader->at);

	return result ? result : strncmp(found, name, sizeof(found)) == 0;
}

static int read_octal(const uint8_t *field, unsigned digits, uint64_t *number)
{
	uint64_t read = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (field[i] < '0' || field[i] > '7')
			return -EBADMSG;
		read = read << 3 | (uint64_t)(field[i] - '0');
	}
	*number = read;
	return 0;
}

/* A member that is text, whole, of a size that its header says. */
static int read_text(struct reader *reader, const char *name, uint64_t most, char **text, size_t *length)
{
	uint8_t header[BUNDLE_BLOCK] = { 0 };
	uint64_t octets = 0;
	char *read;
	int result = take(reader, name, header, sizeof(header), reader->at);

	if (result == 0 && read_octal(header + SIZE_AT, SIZE_DIGITS, &octets) != 0)
		return refuse(reader, name, reader->at + SIZE_AT, "its header says no size");
	if (result == 0 && octets > most)
		return refuse(reader, name, reader->at + SIZE_AT, "its header says %llu octets, more than may be",
		              (unsigned long long)octets);
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

/* Hexadecimal of a hash, as hex() writes it. */
static bool is_hash(const char *text)
{
	return text && strlen(text) == BUNDLE_HEX_SIZE - 1 && strspn(text, "0123456789abcdef") == BUNDLE_HEX_SIZE - 1;
}

static int segment_of(const char *name)
{
	for (int i = 0; i < BUNDLE_SEGMENTS; i++)
		if (name && strcmp(segments[i].name, name) == 0)
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
		return refuse(reader, manifest_name, 0, "'%.40s' is no segment, or not in its place", name ? name : "");
	if (octets < 0 || (uint64_t)octets > BUNDLE_SEGMENT_MAX || !is_hash(sum) || !is_hash(linked))
		return refuse(reader, manifest_name, 0, "what it says of %s is not to be understood", name);
	(void)sodium_hex2bin(octets_of_sum, sizeof(octets_of_sum), sum, BUNDLE_HEX_SIZE - 1, NULL, NULL, NULL);
	chain(link, octets_of_sum);
	hex(link, wanted);
	if (strcmp(wanted, linked) != 0)
		return refuse(reader, manifest_name, 0, "the chain is broken at %s", name);
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
		return refuse(reader, manifest_name, BUNDLE_BLOCK,
		              "its schema is '%.40s', this holdfast knows " BUNDLE_SCHEMA, schema ? schema : "");
	if (!json_is_array(list) || json_array_size(list) > BUNDLE_SEGMENTS)
		return refuse(reader, manifest_name, BUNDLE_BLOCK, "it has no list of segments");
	json_array_foreach(list, i, entry)
	{
		result = take_segment(reader, entry, &after, link);
		if (result != 0) {
			reader->fault->offset = BUNDLE_BLOCK;
			return result;
		}
	}
	(void)crypto_hash_sha256(sum, (const uint8_t *)text, length);
	chain(link, sum);
	hex(link, reader->bundle->head);
	return 0;
}

static int read_manifest(struct reader *reader)
{
	uint8_t header[BUNDLE_BLOCK] = { 0 };
	uint64_t time_s = 0;
	char *text = NULL;
	size_t length = 0;
	int result = take(reader, manifest_name, header, sizeof(header), 0);

	if (result == 0 && read_octal(header + TIME_AT, 11, &time_s) != 0)
		return refuse(reader, manifest_name, TIME_AT, "its header says no time");
	reader->bundle->made_s = (int64_t)time_s;
	if (result == 0)
		result = read_text(reader, manifest_name, BUNDLE_MANIFEST_MAX, &text, &length);
	if (result != 0)
		return result;
	reader->bundle->manifest = parse(reader, manifest_name, BUNDLE_BLOCK, text, length);
	result = reader->bundle->manifest ? take_manifest(reader, text, length) : -EBADMSG;
	free(text);
	return result;
}

static int read_head(struct reader *reader)
{
	char line[HEAD_OCTETS], wanted[HEAD_OCTETS + 1];
	uint64_t at = reader->at + BUNDLE_BLOCK;
	int result = pass_header(reader, head_name, HEAD_OCTETS);

	if (result == 0)
		result = take(reader, head_name, line, sizeof(line), at);
	(void)snprintf(wanted, sizeof(wanted), "%s\n", reader->bundle->head);
	if (result == 0 && memcmp(line, wanted, sizeof(line)) != 0)
		return refuse(reader, head_name, at,
		              "the head of the chain is %s by manifest.json, and head.txt says another",
		              reader->bundle->head);
	reader->at += HEAD_OCTETS;
	return result ? result : pass_padding(reader, head_name, HEAD_OCTETS);
}

static int take_erased(const struct reader *reader, const json_t *entry)
{
	int segment = segment_of(json_string_value(json_object_get(entry, "segment")));
	const char *why = json_string_value(json_object_get(entry, "why"));
	json_int_t at = json_integer_value(json_object_get(entry, "at"));
	struct bundle_part *part;

	if (segment < 0 || reader->bundle->parts[segment].state != BUNDLE_WHOLE || !why ||
	    strlen(why) >= BUNDLE_WHY_MAX || at <= 0)
		return refuse(reader, erased_name, reader->at, "an entry is not to be understood");
	part = &reader->bundle->parts[segment];
	part->state = BUNDLE_ERASED;
	part->erased_s = at;
	(void)snprintf(part->erased_why, sizeof(part->erased_why), "%s", why);
	return 0;
}

/* What is listed is taken, and has then to be, octet by octet, what would be written of that. */
static int take_erased_all(struct reader *reader, uint64_t at, const char *text, size_t length)
{
	json_t *erased = parse(reader, erased_name, at, text, length);
	const json_t *list = json_object_get(erased, "erased"), *entry;
	size_t i, same = 0;
	char *wanted;
	int result = erased ? 0 : -EBADMSG;

	if (erased && (!json_is_array(list) || json_array_size(list) == 0))
		result = refuse(reader, erased_name, at, "it is no " BUNDLE_ERASED_SCHEMA);
	for (i = 0; result == 0 && i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		result = take_erased(reader, entry);
	}
	json_decref(erased);
	if (result != 0)
		return result;
	wanted = make_erased(reader->bundle);
	if (!wanted)
		return -ENOMEM;
	while (same < length && wanted[same] == text[same])
		same++;
	if (same != length || wanted[same] != '\0')
		result = refuse(reader, erased_name, at + same, "it is not as it was written");
	free(wanted);
	return result;
}

static int read_erased(struct reader *reader)
{
	uint64_t at = reader->at + BUNDLE_BLOCK;
	char *text = NULL;
	size_t length = 0;
	int result = read_text(reader, erased_name, BUNDLE_MANIFEST_MAX, &text, &length);

	if (result != 0)
		return result;
	result = take_erased_all(reader, at, text, length);
	free(text);
	return result;
}

static int read_part(struct reader *reader, enum bundle_segment segment)
{
	struct bundle_part *part = &reader->bundle->parts[segment];
	const char *name = segments[segment].name;
	uint8_t sum[BUNDLE_HASH];
	char found[BUNDLE_HEX_SIZE];
	int result = pass_header(reader, name, part->octets);

	if (result != 0)
		return result;
	part->at = reader->at;
	if (part->octets > reader->end - reader->at)
		return refuse(reader, name, reader->end, "the file ends too early");
	result = sum_file(reader->fd, part->at, part->octets, sum);
	if (result != 0)
		return result == -EBADMSG ? refuse(reader, name, part->at, "the file ends too early") : result;
	hex(sum, found);
	if (strcmp(found, part->sha256) != 0)
		return refuse(reader, name, part->at, "its SHA-256 is %s, and manifest.json says %s", found,
		              part->sha256);
	reader->at += part->octets;
	return pass_padding(reader, name, part->octets);
}

static int read_end(const struct reader *reader)
{
	int result = compare(reader, "", "end", zeros, sizeof(zeros), reader->at);

	if (result == 0 && reader->at + sizeof(zeros) != reader->end)
		return refuse(reader, "", reader->at + sizeof(zeros), "%llu octets are behind its end",
		              (unsigned long long)(reader->end - reader->at - sizeof(zeros)));
	return result;
}

static int read_all(struct reader *reader)
{
	int result = read_manifest(reader);

	if (result == 0)
		result = read_head(reader);
	if (result == 0) {
		result = is_next(reader, erased_name);
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

/* ---- erasing ---- */

int bundle_erase(const struct bundle *bundle, int fd, const bool wanted[BUNDLE_SEGMENTS], int64_t now_s,
                 const char *why, int out)
{
	struct bundle after = *bundle;
	uint8_t header[BUNDLE_BLOCK];
	uint64_t octets = 0, kept;
	bool any = false;
	char *erased;
	int result;

	if (strlen(why) >= BUNDLE_WHY_MAX || now_s <= 0)
		return -EINVAL;
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++) {
		struct bundle_part *part = &after.parts[i];

		if (part->state != BUNDLE_WHOLE || !wanted[i])
			continue;
		any = true;
		part->state = BUNDLE_ERASED;
		part->erased_s = now_s;
		(void)snprintf(part->erased_why, sizeof(part->erased_why), "%s", why);
	}
	if (!any)
		return -ENOENT;
	erased = make_erased(&after);
	if (!erased)
		return -ENOMEM;
	/* manifest.json and head.txt as they lie there; behind them come erased.json or segments. */
	result = file_read_at(fd, header, sizeof(header), 0);
	if (result == 0)
		result = read_octal(header + SIZE_AT, SIZE_DIGITS, &octets);
	kept = BUNDLE_BLOCK + octets + padding(octets) + BUNDLE_BLOCK + HEAD_OCTETS + padding(HEAD_OCTETS);
	if (result == 0)
		result = file_copy(fd, 0, out, kept);
	if (result == 0)
		result = write_text(out, erased_name, erased, strlen(erased), bundle->made_s);
	free(erased);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS && result == 0; i++)
		if (after.parts[i].state == BUNDLE_WHOLE)
			result = write_part(out, (enum bundle_segment)i, fd, after.parts[i].at, after.parts[i].octets,
			                    bundle->made_s);
	return result ? result : file_write(out, zeros, sizeof(zeros));
}
