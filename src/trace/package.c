/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/package.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "observe/unpack.h"

/* ---- the sum ---- */

#define SUM_PREFIX "sha512-"

int package_check(const uint8_t *octets, size_t size, const char *integrity)
{
	uint8_t sum[DIGEST_SHA512_SIZE];
	char text[BASE64_SIZE(DIGEST_SHA512_SIZE)];
	int result = -EINVAL;

	digest_sha512(octets, size, sum);
	base64_write(sum, sizeof(sum), text);
	while (*integrity) {
		size_t length = strcspn(integrity, " \t\r\n");
		/* Behind '?' there are options, which nobody has defined. */
		size_t end = strcspn(integrity, " \t\r\n?");

		if (end > strlen(SUM_PREFIX) && strncmp(integrity, SUM_PREFIX, strlen(SUM_PREFIX)) == 0) {
			const char *said = integrity + strlen(SUM_PREFIX);

			if (end - strlen(SUM_PREFIX) == strlen(text) && strncmp(said, text, strlen(text)) == 0)
				return 0;
			result = -EBADMSG;
		}
		integrity += length;
		integrity += strspn(integrity, " \t\r\n");
	}
	return result;
}

/* ---- the archive ---- */

#define BLOCK 512
#define NAME_AT 0
#define NAME_LENGTH 100
#define SIZE_AT 124
#define SIZE_LENGTH 12
#define SUM_AT 148
#define SUM_LENGTH 8
#define KIND_AT 156
#define MAGIC_AT 257
#define PREFIX_AT 345
#define PREFIX_LENGTH 155
#define FULL_NAME_SIZE (PREFIX_LENGTH + 1 + NAME_LENGTH + 1)
#define GZIP_HEAD 4

/* Octets that are unpacked, of what is in memory. */
struct stream {
	struct unpack *unpack;
	const uint8_t *packed;
	size_t left;
	uint64_t unpacked;
	char *error; /* PACKAGE_ERROR_SIZE */
};

static ssize_t pull(void *context, uint8_t *to, size_t room)
{
	struct stream *stream = context;
	size_t count = room < stream->left ? room : stream->left;

	memcpy(to, stream->packed, count);
	stream->packed += count;
	stream->left -= count;
	return (ssize_t)count;
}

static int refuse(const struct stream *stream, const char *what)
{
	(void)snprintf(stream->error, PACKAGE_ERROR_SIZE, "%s", what);
	return -EBADMSG;
}

/* So many octets; -EBADMSG where the archive has fewer. `none`: it may be at its end. */
static int take(struct stream *stream, uint8_t *to, size_t count, bool *none)
{
	size_t got = 0;

	stream->unpacked += count;
	if (stream->unpacked > PACKAGE_UNPACKED_MAX)
		return refuse(stream, "it unpacks to more than 1 GiB");
	while (got < count) {
		ssize_t more = unpack_read(stream->unpack, to + got, count - got);

		if (more == -ENOMEM)
			return -ENOMEM;
		if (more < 0)
			return refuse(stream, unpack_error(stream->unpack));
		if (more == 0 && got == 0 && none) {
			*none = true;
			return 0;
		}
		if (more == 0)
			return refuse(stream, "its archive ends too early");
		got += (size_t)more;
	}
	return 0;
}

static int pass_over(struct stream *stream, uint64_t count)
{
	uint8_t block[BLOCK];
	int result = 0;

	while (result == 0 && count > 0) {
		size_t next = count < sizeof(block) ? (size_t)count : sizeof(block);

		result = take(stream, block, next, NULL);
		count -= next;
	}
	return result;
}

/* To the end of what is packed, where its sum stands. */
static int drain(struct stream *stream)
{
	uint8_t block[BLOCK];
	ssize_t more;

	while ((more = unpack_read(stream->unpack, block, sizeof(block))) > 0) {
		stream->unpacked += (uint64_t)more;
		if (stream->unpacked > PACKAGE_UNPACKED_MAX)
			return refuse(stream, "it unpacks to more than 1 GiB");
	}
	return more == 0 ? 0 : more == -ENOMEM ? -ENOMEM : refuse(stream, unpack_error(stream->unpack));
}

/* Octal digits between spaces; the form for what is larger than 8 GiB is refused with the rest. */
static bool parse_octal(const uint8_t *field, size_t length, uint64_t *number)
{
	uint64_t found = 0;
	size_t i = 0;

	while (i < length && field[i] == ' ')
		i++;
	if (i == length)
		return false;
	for (; i < length && field[i] != '\0' && field[i] != ' '; i++) {
		if (field[i] < '0' || field[i] > '7')
			return false;
		found = found << 3 | (uint64_t)(field[i] - '0');
	}
	*number = found;
	return true;
}

static bool sum_is_right(const uint8_t block[BLOCK])
{
	uint64_t said, sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_LENGTH ? ' ' : block[i];
	return parse_octal(block + SUM_AT, SUM_LENGTH, &said) && said == sum;
}

static void full_name(const uint8_t block[BLOCK], char name[FULL_NAME_SIZE])
{
	int prefix_length = (int)strnlen((const char *)block + PREFIX_AT, PREFIX_LENGTH);
	int length = (int)strnlen((const char *)block + NAME_AT, NAME_LENGTH);

	/* What came before ustar has other things there. */
	if (memcmp(block + MAGIC_AT, "ustar", 5) != 0)
		prefix_length = 0;
	(void)snprintf(name, FULL_NAME_SIZE, "%.*s%s%.*s", prefix_length, (const char *)block + PREFIX_AT,
	               prefix_length ? "/" : "", length, (const char *)block + NAME_AT);
}

static struct package_member *wanted(struct package_member *members, size_t count, const uint8_t block[BLOCK])
{
	char name[FULL_NAME_SIZE];

	if (block[KIND_AT] != '0' && block[KIND_AT] != '\0')
		return NULL;
	full_name(block, name);
	for (size_t i = 0; i < count; i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static int take_member(struct stream *stream, struct package_member *member, uint64_t size)
{
	if (member->octets)
		return refuse(stream, "it has a file twice");
	if (size > member->max)
		return refuse(stream, "a file in it is larger than is taken");
	member->octets = malloc((size_t)size + 1);
	if (!member->octets)
		return -ENOMEM;
	member->size = (size_t)size;
	return take(stream, member->octets, member->size, NULL);
}

static int read_archive(struct stream *stream, struct package_member *members, size_t count)
{
	static const uint8_t zeros[BLOCK];
	uint8_t block[BLOCK];
	bool none = false;

	for (unsigned i = 0; i < PACKAGE_MEMBERS_MAX; i++) {
		struct package_member *member;
		uint64_t size;
		int result = take(stream, block, sizeof(block), &none);

		if (result != 0 || none)
			return result;
		if (memcmp(block, zeros, sizeof(block)) == 0)
			return drain(stream);
		if (!sum_is_right(block) || !parse_octal(block + SIZE_AT, SIZE_LENGTH, &size))
			return refuse(stream, "it is no tar archive");
		if (size > PACKAGE_UNPACKED_MAX)
			return refuse(stream, "it unpacks to more than 1 GiB");
		member = wanted(members, count, block);
		result = member ? take_member(stream, member, size) : pass_over(stream, size);
		if (result == 0)
			result = pass_over(stream, (BLOCK - size % BLOCK) % BLOCK);
		if (result != 0)
			return result;
	}
	return refuse(stream, "it has too many files");
}

int package_unpack(const uint8_t *octets, size_t size, struct package_member *members, size_t count,
                   char error[PACKAGE_ERROR_SIZE])
{
	struct stream stream = { .packed = octets, .left = size, .error = error };
	int result;

	error[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		members[i].octets = NULL;
		members[i].size = 0;
	}
	if (size < GZIP_HEAD || unpack_recognise(octets) != UNPACK_GZIP)
		return refuse(&stream, "it is not packed with gzip");
	stream.unpack = unpack_new(UNPACK_GZIP, NULL, 0, pull, &stream);
	if (!stream.unpack)
		return -ENOMEM;
	result = read_archive(&stream, members, count);
	unpack_free(stream.unpack);
	return result;
}
