/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

#define READ_SIZE 65536
#define OLD_SUFFIX ".1" /* as logrotate calls the latest */

void tail_init(struct tail *tail, const char *path, const struct tail_place *place)
{
	memset(tail, 0, sizeof(*tail));
	(void)snprintf(tail->path, sizeof(tail->path), "%s", path);
	tail->fd = -1;
	if (place)
		tail->place = *place;
	tail->looked = place != NULL;
}

static void let_go(struct tail *tail)
{
	if (tail->fd >= 0)
		(void)close(tail->fd);
	tail->fd = -1;
	tail->held = 0;
	tail->skips = tail->is_old = false;
	tail->still_since_ns = 0;
}

void tail_fini(struct tail *tail)
{
	let_go(tail);
}

struct tail_place tail_place(const struct tail *tail)
{
	struct tail_place place = tail->place;

	place.offset -= place.offset < tail->held ? place.offset : tail->held;
	return place;
}

/* ---- by what a file is known again ---- */

static bool hash_head(int fd, uint32_t length, uint64_t *hash)
{
	uint8_t octets[TAIL_HEAD_MAX + sizeof(uint64_t)] = { 0 };

	if (length > TAIL_HEAD_MAX || file_read_at(fd, octets, length, 0) != 0)
		return false;
	*hash = length;
	for (uint32_t i = 0; i < length; i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, octets + i, sizeof(word));
		*hash = hash_2(*hash, word, i);
	}
	return true;
}

static bool begins_as(int fd, const struct tail_place *place)
{
	uint64_t hash;

	return hash_head(fd, place->head_length, &hash) && (place->head_length == 0 || hash == place->head_hash);
}

/* The more of its beginning is there, the surer. */
static void note_head(struct tail *tail)
{
	struct tail_place *place = &tail->place;
	uint32_t length = place->offset < TAIL_HEAD_MAX ? (uint32_t)place->offset : TAIL_HEAD_MAX;
	uint64_t hash;

	if (length <= place->head_length || !hash_head(tail->fd, length, &hash))
		return;
	place->head_length = length;
	place->head_hash = hash;
}

/* ---- reading ---- */

/* Gives out the lines that are whole; what is behind them is held. */
static int give_lines(struct tail *tail, const char *octets, size_t count, tail_line *line, void *context)
{
	int result = 0;

	while (count > 0 && result == 0) {
		const char *end = memchr(octets, '\n', count);
		size_t length = end ? (size_t)(end - octets) : count;

		if (tail->held + length > TAIL_LINE_MAX) {
			tail->held = 0;
			tail->too_long += !tail->skips;
			tail->skips = true;
		}
		if (!tail->skips) {
			memcpy(tail->line + tail->held, octets, length);
			tail->held += length;
		}
		octets += length + (end != NULL);
		count -= length + (end != NULL);
		if (!end)
			return 0;
		tail->lines++;
		result = line(context, tail->skips ? NULL : tail->line, tail->held);
		tail->held = 0;
		tail->skips = false;
	}
	return result;
}

/* From the place on to the file's end, so much at most. */
static int read_on(struct tail *tail, tail_line *line, void *context, bool *more)
{
	/* What is held, or skipped, was read before: a place is where a line begins only where nothing is. */
	char octets[READ_SIZE];
	size_t all = 0;
	int result = 0;

	*more = false;
	while (result == 0 && all < TAIL_AT_ONCE) {
		ssize_t got = pread(tail->fd, octets, sizeof(octets), (off_t)tail->place.offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		tail->still_since_ns = 0;
		tail->place.offset += (uint64_t)got;
		all += (size_t)got;
		result = give_lines(tail, octets, (size_t)got, line, context);
	}
	*more = result == 0 && all >= TAIL_AT_ONCE;
	if (all > 0)
		note_head(tail);
	return result;
}

/* ---- which file ---- */

/* A regular file, opened to be read; -errno. */
static int open_file(const char *path, struct stat *status)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	memset(status, 0, sizeof(*status));
	if (fd < 0)
		return -errno;
	if (fstat(fd, status) != 0 || !S_ISREG(status->st_mode)) {
		(void)close(fd);
		return -EINVAL;
	}
	return fd;
}

static bool is_same(const struct tail_place *place, const struct stat *status)
{
	return place->known && place->device == (uint64_t)status->st_dev && place->inode == (uint64_t)status->st_ino;
}

static void begin_file(struct tail *tail, int fd, const struct stat *status, uint64_t offset)
{
	tail->fd = fd;
	tail->place = (struct tail_place){
		.device = (uint64_t)status->st_dev, .inode = (uint64_t)status->st_ino, .offset = offset, .known = true
	};
	note_head(tail);
}

/*
 * What was not read of the file that is FILE.1 now is gone on with, if it is there: it is known by its beginning, or by
 * its number.
 */
static bool open_old(struct tail *tail)
{
	char path[CONFIG_PATH_SIZE + sizeof(OLD_SUFFIX)];
	const struct tail_place *place = &tail->place;
	struct stat status;
	int fd;

	(void)snprintf(path, sizeof(path), "%s" OLD_SUFFIX, tail->path);
	fd = open_file(path, &status);
	if (fd < 0 || !(place->head_length > 0 ? begins_as(fd, place) : is_same(place, &status)) ||
	    (uint64_t)status.st_size < place->offset) {
		if (fd >= 0)
			(void)close(fd);
		tail->gaps++;
		return false;
	}
	tail->fd = fd;
	tail->is_old = true;
	return true;
}

/* The file is not open: it was not there, or this is the beginning, or an old one is over. */
static void look(struct tail *tail)
{
	struct stat status;
	int fd = open_file(tail->path, &status);

	if (fd < 0) {
		tail->fault = -fd;
		tail->looked = true;
		return;
	}
	tail->fault = 0;
	if (!tail->looked) {
		tail->looked = true;
		begin_file(tail, fd, &status, (uint64_t)status.st_size);
		return;
	}
	if (tail->place.known && is_same(&tail->place, &status) && (uint64_t)status.st_size >= tail->place.offset &&
	    begins_as(fd, &tail->place)) {
		tail->fd = fd;
		return;
	}
	tail->rotations += tail->place.known;
	if (tail->place.known && open_old(tail))
		(void)close(fd); /* its turn comes */
	else
		begin_file(tail, fd, &status, 0);
}

/* Whether the file that is open became another behind our back; true: it was truncated. */
static bool was_truncated(const struct tail *tail)
{
	struct stat status;

	return fstat(tail->fd, &status) == 0 &&
	       ((uint64_t)status.st_size < tail->place.offset || !begins_as(tail->fd, &tail->place));
}

/* The next that is looked at is another file, from its beginning. */
static void begin_next(struct tail *tail)
{
	let_go(tail);
	tail->place = (struct tail_place){ .known = false };
}

/* What was truncated is gone on with where it was copied to; a line that was begun there ends there, or nowhere. */
static void start_over(struct tail *tail)
{
	int fd = tail->fd;

	tail->truncations++;
	if (open_old(tail))
		(void)close(fd);
	else
		begin_next(tail);
}

/* All of the file that is open is read: whether the name is another file's by now, which is to be gone on with. */
static bool is_over(struct tail *tail, int64_t now_ns)
{
	struct stat status;

	if (stat(tail->path, &status) != 0 || is_same(&tail->place, &status) || status.st_size == 0) {
		tail->still_since_ns = 0;
		return false;
	}
	if (tail->still_since_ns == 0)
		tail->still_since_ns = now_ns;
	return now_ns - tail->still_since_ns >= TAIL_STILL_NS;
}

/* FILE.1 is nobody's to write to any more: once it is read it is over. */
static int read_old(struct tail *tail, tail_line *line, void *context, bool *more)
{
	int result;

	if (was_truncated(tail)) { /* by the next rotation */
		tail->gaps++;
		begin_next(tail);
		*more = true;
		return 0;
	}
	result = read_on(tail, line, context, more);
	if (result == 0 && !*more) {
		begin_next(tail);
		*more = true;
	}
	return result;
}

int tail_read(struct tail *tail, int64_t now_ns, tail_line *line, void *context, bool *more)
{
	int result;

	*more = false;
	if (tail->fd >= 0 && !tail->is_old && was_truncated(tail))
		start_over(tail);
	if (tail->fd < 0)
		look(tail);
	if (tail->fd < 0)
		return 0;
	if (tail->is_old)
		return read_old(tail, line, context, more);
	result = read_on(tail, line, context, more);
	if (result == 0 && !*more && is_over(tail, now_ns)) {
		begin_next(tail);
		tail->rotations++;
		*more = true;
	}
	return result;
}
