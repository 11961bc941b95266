/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The octets of an input, looked at through a window [at, end). Over memory the window is the whole input. Over
 * anything else it is a buffer which input_fill() refills, and which never exceeds INPUT_WINDOW_MAX. Copying a file
 * that is in the page cache into a buffer that stays in the processor's costs about half of what the page faults of a
 * mapping do, and nobody who truncates the file can kill the reader. What is packed (gzip, zstd) is unpacked into that
 * buffer, so that offsets are those of what was unpacked.
 */
#ifndef HOLDFAST_OBSERVE_INPUT_H
#define HOLDFAST_OBSERVE_INPUT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "observe/capture.h"
#include "observe/unpack.h"

#define INPUT_CHUNK ((size_t)256 << 10) /* first size of a buffered window, and slack for record headers */
#define INPUT_WINDOW_MAX (CAPTURE_RECORD_MAX + INPUT_CHUNK)

/* What is rare, kept out of the way of what is not. */
#define INPUT_COLD __attribute__((noinline, cold))

struct input {
	const uint8_t *at, *end; /* what can be read now */
	uint64_t end_offset;     /* of `end` in the input */
	uint64_t unread;         /* how much more may be read from the descriptor, or is at `memory` */
	const uint8_t *memory;   /* of a packed input that is in memory: what was not read yet */
	struct unpack *unpack;   /* NULL: the input is not packed */
	uint8_t *buffer;         /* NULL: the window is the whole input */
	size_t capacity;
	int descriptor; /* -1: none */
	int fault;      /* errno that ended reading */
};

static inline uint16_t input_u16(const uint8_t *octets, bool big_endian)
{
	uint16_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be16toh(value) : le16toh(value);
}

static inline uint32_t input_u32(const uint8_t *octets, bool big_endian)
{
	uint32_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be32toh(value) : le32toh(value);
}

static inline uint64_t input_u64(const uint8_t *octets, bool big_endian)
{
	uint64_t value;

	memcpy(&value, octets, sizeof(value));
	return big_endian ? be64toh(value) : le64toh(value);
}

static inline size_t input_left(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

static inline uint64_t input_offset(const struct input *in)
{
	return in->end_offset - input_left(in);
}

/* As input_holds(), where there is something to be done for it. */
INPUT_COLD bool input_fill(struct input *in, size_t length);

/* Whether the window holds `length` octets from `at` on; may move the window, so pointers into it are stale after. */
static inline bool input_holds(struct input *in, size_t length)
{
	return __builtin_expect(input_left(in) >= length, 1) || input_fill(in, length);
}

/* Over memory, which must outlive the window. */
void input_over(struct input *in, const void *data, size_t length);
/*
 * Over a descriptor, which stays the caller's, and of which at most `length` octets are read. 0 or -ENOMEM. It is
 * waited for where it was handed over non-blocking.
 */
int input_read(struct input *in, int descriptor, uint64_t length);
/* The window holds packed octets: from here on it holds what they unpack to. 0 or -ENOMEM. */
int input_unpack(struct input *in, enum unpack_format format);
void input_fini(struct input *in);

/* What an errno means, in English whatever the locale. */
const char *input_errno_text(int number);
/* Why reading ended. */
const char *input_fault(const struct input *in);
/* How much of the input, as it is stored, was read. */
uint64_t input_position(const struct input *in);

#endif
