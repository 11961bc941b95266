/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/unpack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define PACKED_CHUNK ((size_t)64 << 10)
#define GZIP_MAGIC 0x1f
#define ZLIB_GZIP_ONLY (15 + 16) /* a window of any size, and gzip around it */

enum place { BETWEEN, WITHIN, IN_PADDING };

struct unpack {
	enum unpack_format format;
	enum place place; /* in a member or frame, or behind one */
	z_stream gzip;
	ZSTD_DStream *zstd;
	unpack_pull *pull;
	void *context;
	uint8_t *packed; /* octets [at, end) are not used yet */
	size_t at, end;
	uint64_t used;
	size_t wanted; /* zstd: octets up to the end of the block, so that a fault costs no block before it */
	bool ended;    /* pull has no more */
	int fault;
	char error[UNPACK_ERROR_SIZE];
};

enum unpack_format unpack_recognise(const uint8_t octets[4])
{
	static const uint8_t zstd[4] = { 0x28, 0xb5, 0x2f, 0xfd }, skippable[3] = { 0x2a, 0x4d, 0x18 };

	if (octets[0] == 0x1f && octets[1] == 0x8b)
		return UNPACK_GZIP;
	if (memcmp(octets, zstd, sizeof(zstd)) == 0 ||
	    ((octets[0] & 0xf0) == 0x50 && memcmp(octets + 1, skippable, 3) == 0))
		return UNPACK_ZSTD;
	return UNPACK_NONE;
}

static bool start(struct unpack *u)
{
	if (u->format == UNPACK_GZIP)
		return inflateInit2(&u->gzip, ZLIB_GZIP_ONLY) == Z_OK;
	u->zstd = ZSTD_createDStream();
	u->wanted = 1;
	return u->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG));
}

struct unpack *unpack_new(enum unpack_format format, const uint8_t *first, size_t length, unpack_pull *pull,
                          void *context)
{
	struct unpack *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->format = format;
	u->pull = pull;
	u->context = context;
	u->packed = malloc(length > PACKED_CHUNK ? length : PACKED_CHUNK);
	if (!u->packed || !start(u)) {
		unpack_free(u);
		return NULL;
	}
	if (length > 0)
		memcpy(u->packed, first, length);
	u->end = length;
	return u;
}

void unpack_free(struct unpack *u)
{
	if (!u)
		return;
	if (u->format == UNPACK_GZIP)
		(void)inflateEnd(&u->gzip);
	ZSTD_freeDStream(u->zstd);
	free(u->packed);
	free(u);
}

static int fail(struct unpack *u, int fault, const char *what)
{
	u->fault = fault;
	(void)snprintf(u->error, sizeof(u->error), "the %s data %s, at their offset %" PRIu64,
	               u->format == UNPACK_GZIP ? "gzip" : "zstd", what, u->used);
	return fault;
}

static int fail_corrupt(struct unpack *u, const char *what)
{
	char text[UNPACK_ERROR_SIZE / 2];

	(void)snprintf(text, sizeof(text), "are corrupt (%s)", what);
	return fail(u, -EBADMSG, text);
}

/* At least one packed octet to use: 1; 0 at their end; -errno. */
static int have_packed(struct unpack *u)
{
	ssize_t got;

	if (u->at < u->end)
		return 1;
	if (u->ended)
		return 0;
	got = u->pull(u->context, u->packed, PACKED_CHUNK);
	if (got < 0) {
		u->fault = (int)got;
		u->error[0] = '\0';
		return (int)got;
	}
	u->at = 0;
	u->end = (size_t)got;
	u->ended = got == 0;
	return got > 0;
}

static void take_packed(struct unpack *u, size_t count)
{
	u->at += count;
	u->used += count;
}

/* One step of zlib's: octets written; a fault is noted, and *ended where the member has. */
static ssize_t step_gzip(struct unpack *u, uint8_t *to, size_t room, bool *ended)
{
	size_t given = u->end - u->at;
	uInt limit = room < UINT32_MAX / 2 ? (uInt)room : UINT32_MAX / 2;
	int result;

	u->gzip.next_in = u->packed + u->at;
	u->gzip.avail_in = (uInt)given; /* at most what was first in the reader's window, or PACKED_CHUNK */
	u->gzip.next_out = to;
	u->gzip.avail_out = limit;
	result = inflate(&u->gzip, Z_NO_FLUSH);
	take_packed(u, given - u->gzip.avail_in);
	*ended = result == Z_STREAM_END;
	if (result == Z_MEM_ERROR)
		(void)fail(u, -ENOMEM, "need more memory than there is");
	else if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		(void)fail_corrupt(u, u->gzip.msg ? u->gzip.msg : "no deflate stream");
	return (ssize_t)(limit - u->gzip.avail_out);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written to, by way of `out` */
static ssize_t step_zstd(struct unpack *u, uint8_t *to, size_t room, bool *ended)
{
	size_t given = u->end - u->at;
	ZSTD_inBuffer in = { u->packed + u->at, given < u->wanted ? given : u->wanted, 0 };
	ZSTD_outBuffer out = { to, room, 0 };
	size_t result = ZSTD_decompressStream(u->zstd, &out, &in);
	ZSTD_ErrorCode fault = ZSTD_getErrorCode(result);

	take_packed(u, in.pos);
	*ended = result == 0;
	if (fault == ZSTD_error_memory_allocation)
		(void)fail(u, -ENOMEM, "need more memory than there is");
	else if (fault == ZSTD_error_frameParameter_windowTooLarge)
		(void)fail(u, -EBADMSG, "need a window of more than 128 MiB (zstd --long)");
	else if (ZSTD_isError(result))
		(void)fail_corrupt(u, ZSTD_getErrorName(result));
	else
		u->wanted = result > 0 ? result : 1;
	return (ssize_t)out.pos;
}

/* Behind a member or frame: another one, padding, or the end. 1 to go on, 0 at the end, -errno. */
static int begin_next(struct unpack *u)
{
	int have = have_packed(u);

	if (have <= 0)
		return have;
	if (u->format == UNPACK_ZSTD) {
		u->place = WITHIN;
		return 1;
	}
	if (u->place == BETWEEN && u->packed[u->at] == GZIP_MAGIC) {
		u->place = WITHIN;
		return inflateReset(&u->gzip) == Z_OK ? 1 : fail_corrupt(u, "no deflate stream");
	}
	u->place = IN_PADDING;
	for (; have > 0; have = have_packed(u)) {
		if (u->packed[u->at] != 0)
			return fail(u, -EBADMSG, "have something else behind them");
		take_packed(u, 1);
	}
	return have;
}

ssize_t unpack_read(struct unpack *u, uint8_t *to, size_t room)
{
	while (!u->fault) {
		bool ended = false;
		ssize_t got;
		int have = u->place == WITHIN ? have_packed(u) : begin_next(u);

		if (have < 0 || (have == 0 && u->place != WITHIN))
			return have;
		/* Without more octets there may still be some to write. */
		got = u->format == UNPACK_GZIP ? step_gzip(u, to, room, &ended) : step_zstd(u, to, room, &ended);
		if (ended)
			u->place = BETWEEN;
		if (got > 0)
			return got;
		if (have == 0 && !ended && !u->fault)
			return fail(u, -EBADMSG, "end too early");
	}
	return u->fault;
}

const char *unpack_error(const struct unpack *u)
{
	return u->error;
}

uint64_t unpack_position(const struct unpack *u)
{
	return u->used;
}
