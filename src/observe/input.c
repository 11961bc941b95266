/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

const char *input_errno_text(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "unknown error";
}

const char *input_fault(const struct input *in)
{
	const char *text = in->unpack ? unpack_error(in->unpack) : "";

	return *text ? text : input_errno_text(in->fault);
}

/*
 * Makes room for `length` octets from `at` on, keeping those that are there. 0; -EMSGSIZE: INPUT_WINDOW_MAX; -ENOMEM.
 */
static int make_room(struct input *in, size_t length)
{
	size_t left = input_left(in);

	if (left > 0 && length <= (size_t)(in->buffer + in->capacity - in->at))
		return 0;
	if (length > INPUT_WINDOW_MAX)
		return -EMSGSIZE;
	/* What one long record took is given back when it is behind: hundreds of captures may be open. */
	if (length > in->capacity || (in->capacity > 2 * INPUT_CHUNK && length + left <= INPUT_CHUNK)) {
		size_t wanted = length > INPUT_CHUNK ? length + INPUT_CHUNK : INPUT_CHUNK;
		size_t capacity = wanted < INPUT_WINDOW_MAX ? wanted : INPUT_WINDOW_MAX;
		uint8_t *buffer;

		buffer = malloc(capacity);
		if (!buffer)
			return -ENOMEM;
		if (left > 0)
			memcpy(buffer, in->at, left);
		free(in->buffer);
		in->buffer = buffer;
		in->capacity = capacity;
	} else if (left > 0) {
		memmove(in->buffer, in->at, left);
	}
	in->at = in->buffer;
	in->end = in->buffer + left;
	return 0;
}

/* Waits where a descriptor was handed over non-blocking. */
static bool wait_readable(int descriptor)
{
	struct pollfd wait = { .fd = descriptor, .events = POLLIN };

	return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

/* What is stored, packed or not; an unpack_pull. */
static ssize_t read_stored(void *context, uint8_t *to, size_t room)
{
	struct input *in = context;

	if (room > in->unread)
		room = (size_t)in->unread;
	if (in->memory && room > 0) {
		memcpy(to, in->memory, room);
		in->memory += room;
		in->unread -= room;
	}
	if (in->descriptor < 0 || room == 0)
		return (ssize_t)room;
	for (;;) {
		ssize_t got = read(in->descriptor, to, room);

		if (got >= 0) {
			in->unread -= (uint64_t)got;
			return got;
		}
		if (errno != EINTR && (errno != EAGAIN || !wait_readable(in->descriptor)))
			return -errno;
	}
}

bool input_fill(struct input *in, size_t length)
{
	int result;

	if (!in->buffer)
		return false;
	result = make_room(in, length);
	if (result) {
		in->fault = -result;
		return false;
	}
	while (input_left(in) < length) {
		size_t used = (size_t)(in->end - in->buffer), room = in->capacity - used;
		uint8_t *to = in->buffer + used;
		ssize_t got = in->unpack ? unpack_read(in->unpack, to, room) : read_stored(in, to, room);

		if (got < 0)
			in->fault = (int)-got;
		if (got <= 0)
			return false;
		in->end += got;
		in->end_offset += (uint64_t)got;
	}
	return true;
}

int input_unpack(struct input *in, enum unpack_format format)
{
	bool in_memory = !in->buffer;
	size_t left = input_left(in);

	if (in_memory) {
		in->memory = in->at;
		in->unread = left;
		in->buffer = malloc(INPUT_CHUNK);
		if (!in->buffer)
			return -ENOMEM;
		in->capacity = INPUT_CHUNK;
	}
	in->unpack = unpack_new(format, in->at, in_memory ? 0 : left, read_stored, in);
	if (!in->unpack)
		return -ENOMEM;
	in->at = in->buffer;
	in->end = in->buffer;
	in->end_offset = 0;
	return 0;
}

void input_over(struct input *in, const void *data, size_t length)
{
	static const uint8_t nothing;

	*in = (struct input){ .at = length > 0 ? data : &nothing, .end_offset = length, .descriptor = -1 };
	in->end = in->at + length;
}

int input_read(struct input *in, int descriptor, uint64_t length)
{
	uint8_t *buffer = malloc(INPUT_CHUNK);

	if (!buffer)
		return -ENOMEM;
	*in = (struct input){
		.at = buffer,
		.end = buffer,
		.unread = length,
		.buffer = buffer,
		.capacity = INPUT_CHUNK,
		.descriptor = descriptor,
	};
	return 0;
}

void input_fini(struct input *in)
{
	unpack_free(in->unpack);
	free(in->buffer);
	*in = (struct input){ .descriptor = -1 };
}

uint64_t input_position(const struct input *in)
{
	return in->unpack ? unpack_position(in->unpack) : input_offset(in);
}
