/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that are added to a file, as they come, over rotations of it:
 *
 *     by rename       the old file is read on until the new one has something and the old one has been still for TAIL_STILL_NS:
 *                     whoever writes goes on writing to it until it is told
 *     by truncation   it is shorter than it was, or begins otherwise: it is read from its beginning
 *     while away      what had not been read of a file that is FILE.1 now is read first
 *
 * A place in a file can be kept and gone on from: each line is given out once. A file that is there when it is first
 * looked at is read from its end; one that appears later from its beginning. Files are looked at, not waited for: call
 * tail_read() every second or so.
 */
#ifndef HOLDFAST_DAEMON_TAIL_H
#define HOLDFAST_DAEMON_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "daemon/config.h"

#define TAIL_LINE_MAX 16384            /* octets; of longer lines only that there was one is told */
#define TAIL_HEAD_MAX 256              /* octets of a file's beginning, by which it is known again */
#define TAIL_AT_ONCE ((size_t)4 << 20) /* octets that one call reads */
#define TAIL_STILL_NS (5 * NS_PER_S)

/* Up to where a file has been given out. */
struct tail_place {
	uint64_t device, inode;
	uint64_t offset;
	uint32_t head_length; /* octets of the beginning that head_hash is of */
	uint64_t head_hash;
	bool known; /* false: the file was not there */
};

struct tail {
	char path[CONFIG_PATH_SIZE];
	int fd; /* -1: it is not there, or not ours to read: then `fault` says why */
	int fault;
	struct tail_place place;
	bool looked; /* at least once */
	bool is_old; /* what is open is FILE.1, to be read first */
	bool skips;  /* the rest of a line that is too long */
	int64_t still_since_ns;
	size_t held; /* octets of a line that has no end yet */
	char line[TAIL_LINE_MAX];
	uint64_t lines, too_long, rotations, truncations;
	uint64_t gaps; /* rotations while nobody read, of which the old file was not found again */
};

/* A line without its end; too long: NULL. What is not 0 ends the reading, and is returned. */
typedef int tail_line(void *context, const char *line, size_t length);

/* `place`: where to go on; NULL: at the end of what is there. Nothing is opened yet. */
void tail_init(struct tail *tail, const char *path, const struct tail_place *place);
/* Gives out what has come. `now_ns` is monotonic. True in *more: there is more to be read at once. 0, or the line's. */
int tail_read(struct tail *tail, int64_t now_ns, tail_line *line, void *context, bool *more);
/* Where to go on: before what is held of a line without an end. */
struct tail_place tail_place(const struct tail *tail);
void tail_fini(struct tail *tail);

#endif
