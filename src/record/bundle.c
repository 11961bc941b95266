/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar writer of its own, for a library's would have to be told to be strict. What it writes is read by bundle_read.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/file.h"
#include "record/bundle_inside.h"

#define COPY 65536

/* A header of POSIX's ustar: where its fields stand, and what is in them (pax(1), "ustar Interchange Format"). */
#define MODE_AT 100
#define USER_AT 108
#define GROUP_AT 116
#define ID_DIGITS 7 /* of mode, user, group */
#define MODE 0444
#define SUM_AT 148
#define SUM_SIZE 8
#define SUM_DIGITS 6
#define TYPE_AT 156
#define TYPE_FILE '0'
#define MAGIC_AT 257

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

void bundle_hex(const uint8_t octets[BUNDLE_HASH], char text[BUNDLE_HEX_SIZE])
{
	(void)sodium_bin2hex(text, BUNDLE_HEX_SIZE, octets, BUNDLE_HASH);
}

void bundle_chain(uint8_t link[BUNDLE_HASH], const uint8_t sum[BUNDLE_HASH])
{
	uint8_t both[2 * BUNDLE_HASH];

	memcpy(both, link, BUNDLE_HASH);
	memcpy(both + BUNDLE_HASH, sum, BUNDLE_HASH);
	(void)crypto_hash_sha256(link, both, sizeof(both));
}

int bundle_sum_part(int fd, uint64_t at, uint64_t count, uint8_t sum[BUNDLE_HASH])
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
	int result = fstat(fd, &status) == 0 ? bundle_sum_part(fd, 0, (uint64_t)status.st_size, sum) : -errno;

	if (result == 0)
		bundle_hex(sum, text);
	return result;
}

void bundle_sum_of(const void *octets, size_t length, char text[BUNDLE_HEX_SIZE])
{
	uint8_t sum[BUNDLE_HASH];

	(void)crypto_hash_sha256(sum, octets, length);
	bundle_hex(sum, text);
}

/* ---- members ---- */

static void octal(uint8_t *field, unsigned digits, uint64_t number)
{
	for (unsigned i = digits; i-- > 0; number >>= 3)
		field[i] = (uint8_t)('0' + (number & 7));
}

int bundle_octal(const uint8_t *field, unsigned digits, uint64_t *number)
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

void bundle_header(const char *name, uint64_t octets, int64_t time_s, uint8_t header[BUNDLE_BLOCK])
{
	static const char magic[8] = { 'u', 's', 't', 'a', 'r', '\0', '0', '0' };
	unsigned sum = 0;

	memset(header, 0, BUNDLE_BLOCK);
	(void)snprintf((char *)header, BUNDLE_NAME_SIZE, "%s", name);
	octal(header + MODE_AT, ID_DIGITS, MODE);
	octal(header + USER_AT, ID_DIGITS, 0);
	octal(header + GROUP_AT, ID_DIGITS, 0);
	octal(header + BUNDLE_SIZE_AT, BUNDLE_SIZE_DIGITS, octets);
	octal(header + BUNDLE_TIME_AT, BUNDLE_TIME_DIGITS, (uint64_t)time_s);
	memset(header + SUM_AT, ' ', SUM_SIZE);
	header[TYPE_AT] = TYPE_FILE;
	memcpy(header + MAGIC_AT, magic, sizeof(magic));
	for (unsigned i = 0; i < BUNDLE_BLOCK; i++)
		sum += header[i];
	octal(header + SUM_AT, SUM_DIGITS, sum);
	header[SUM_AT + SUM_DIGITS] = '\0';
}

uint64_t bundle_padding(uint64_t octets)
{
	return (BUNDLE_BLOCK - octets % BUNDLE_BLOCK) % BUNDLE_BLOCK;
}

const uint8_t bundle_zeros[2 * BUNDLE_BLOCK];

static int write_text(int out, const char *name, const char *text, size_t length, int64_t time_s)
{
	uint8_t header[BUNDLE_BLOCK];
	int result;

	bundle_header(name, length, time_s, header);
	result = file_write(out, header, sizeof(header));
	if (result == 0)
		result = file_write(out, text, length);
	return result ? result : file_write(out, bundle_zeros, bundle_padding(length));
}

static int write_part(int out, enum bundle_segment segment, int fd, uint64_t at, uint64_t octets, int64_t time_s)
{
	uint8_t header[BUNDLE_BLOCK];
	int result;

	bundle_header(segments[segment].name, octets, time_s, header);
	result = file_write(out, header, sizeof(header));
	if (result == 0)
		result = file_copy(fd, at, out, octets);
	return result ? result : file_write(out, bundle_zeros, bundle_padding(octets));
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
		result = bundle_sum_part(making->segments[i].fd, 0, making->segments[i].octets, sum);
		if (result != 0)
			return result;
		bundle_chain(link, sum);
		bundle_hex(sum, sum_text);
		bundle_hex(link, link_text);
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
	bundle_chain(link, sum);
	bundle_hex(link, head);
	return 0;
}

int bundle_write(const struct bundle_making *making, int out, char head[BUNDLE_HEX_SIZE])
{
	char made[BUNDLE_HEX_SIZE], line[BUNDLE_HEAD_OCTETS + 1], *manifest;
	int result = sodium_init() < 0 ? -ENOMEM : make_manifest(making, &manifest, made);

	if (result != 0)
		return result;
	(void)snprintf(line, sizeof(line), "%s\n", made);
	result = write_text(out, BUNDLE_MANIFEST, manifest, strlen(manifest), making->made_s);
	free(manifest);
	if (result == 0)
		result = write_text(out, BUNDLE_HEAD, line, BUNDLE_HEAD_OCTETS, making->made_s);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS && result == 0; i++)
		if (making->segments[i].fd >= 0)
			result = write_part(out, (enum bundle_segment)i, making->segments[i].fd, 0,
			                    making->segments[i].octets, making->made_s);
	if (result == 0)
		result = file_write(out, bundle_zeros, sizeof(bundle_zeros));
	if (result == 0)
		memcpy(head, made, sizeof(made));
	return result;
}

/* ---- what was erased ---- */

char *bundle_erased_text(const struct bundle *bundle)
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
	bundle_hex(sum, sum_text);
	text = json_object_set_new(erased, "sum", json_string(sum_text)) == 0 ? json_dumps(erased, JSON_INDENT(1))
	                                                                      : NULL;
	json_decref(erased);
	return text;
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
	erased = bundle_erased_text(&after);
	if (!erased)
		return -ENOMEM;
	/* manifest.json and head.txt as they lie there; behind them come erased.json or segments. */
	result = file_read_at(fd, header, sizeof(header), 0);
	if (result == 0)
		result = bundle_octal(header + BUNDLE_SIZE_AT, BUNDLE_SIZE_DIGITS, &octets);
	kept = BUNDLE_BLOCK + octets + bundle_padding(octets) + BUNDLE_BLOCK + BUNDLE_HEAD_OCTETS +
	       bundle_padding(BUNDLE_HEAD_OCTETS);
	if (result == 0)
		result = file_copy(fd, 0, out, kept);
	if (result == 0)
		result = write_text(out, BUNDLE_ERASED_LIST, erased, strlen(erased), bundle->made_s);
	free(erased);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS && result == 0; i++)
		if (after.parts[i].state == BUNDLE_WHOLE)
			result = write_part(out, (enum bundle_segment)i, fd, after.parts[i].at, after.parts[i].octets,
			                    bundle->made_s);
	return result ? result : file_write(out, bundle_zeros, sizeof(bundle_zeros));
}
