/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the recorder: arrives in order and whole; what finds no room is counted, and its file closed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/outbox.h"

static struct message message, received;
static struct outbox *outbox;

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int put_segment(uint64_t sequence, const char *text, size_t length)
{
	int file = outbox_file(text, strlen(text));

	assert_true(file >= 0);
	message_init(&message, MESSAGE_STREAM, 0);
	message.stream.sequence = sequence;
	message.stream.length = (uint32_t)length;
	return outbox_put(outbox, &message, file, length);
}

static void what_is_put_in_arrives(void **state)
{
	int ends[2], fds[MESSAGE_FDS_MAX], before = open_descriptors();
	unsigned fd_count;
	char text[16];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(outbox_new(&outbox), 0);
	assert_int_equal(put_segment(0, "one", 3), 0);
	assert_int_equal(put_segment(1, "two", 3), 0);
	message_init(&message, MESSAGE_STREAM, 0);
	message.stream.kind = MESSAGE_STREAM_KEEP;
	message.stream.incident = 77;
	assert_int_equal(outbox_put(outbox, &message, -1, 0), 0);
	assert_int_equal(outbox_count(outbox), 3);
	assert_int_equal(outbox_send(outbox, ends[0]), 0);
	assert_int_equal(outbox_count(outbox), 0);
	for (uint64_t i = 0; i < 2; i++) {
		assert_int_equal(message_receive(ends[1], MESSAGE_ENGINE_TO_RECORDER, &received, fds, &fd_count), 0);
		assert_int_equal(fd_count, 1);
		assert_int_equal(received.stream.sequence, i);
		assert_int_equal(pread(fds[0], text, sizeof(text), 0), 3);
		assert_memory_equal(text, i ? "two" : "one", 3);
		(void)close(fds[0]);
	}
	assert_int_equal(message_receive(ends[1], MESSAGE_ENGINE_TO_RECORDER, &received, fds, &fd_count), 0);
	assert_int_equal(received.stream.incident, 77);
	(void)close(ends[1]);
	assert_int_equal(put_segment(2, "three", 5), 0);
	assert_int_equal(outbox_send(outbox, ends[0]), -EPIPE);
	outbox_free(outbox); /* with what has not been sent */
	(void)close(ends[0]);
	assert_int_equal(open_descriptors(), before);
}

static void there_is_an_end_to_room(void **state)
{
	int before = open_descriptors();
	unsigned i;

	(void)state;
	assert_int_equal(outbox_new(&outbox), 0);
	for (i = 0; put_segment(i, "x", 1) == 0; i++)
		assert_true(i < OUTBOX_MAX);
	assert_int_equal(i, OUTBOX_MAX);
	assert_int_equal(outbox_lost(outbox), 1);
	outbox_free(outbox);
	assert_int_equal(open_descriptors(), before);

	/* One that is larger than all room finds it where nothing else waits. */
	assert_int_equal(outbox_new(&outbox), 0);
	assert_int_equal(put_segment(0, "x", OUTBOX_OCTETS + 1), 0);
	assert_int_equal(put_segment(1, "x", 1), -ENOBUFS);
	assert_int_equal(outbox_lost(outbox), 1);
	outbox_free(outbox);
	outbox_free(NULL);
	assert_int_equal(open_descriptors(), before);
}

/* A reader who does not read stops nobody. */
static void a_full_channel(void **state)
{
	int ends[2], fds[MESSAGE_FDS_MAX];
	unsigned fd_count, taken = 0, put = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(outbox_new(&outbox), 0);
	while (outbox_lost(outbox) == 0 && put < 100000) {
		put += put_segment(put, "x", 1) == 0;
		assert_int_equal(outbox_send(outbox, ends[0]), 0);
	}
	assert_int_equal(outbox_lost(outbox), 1);
	while (message_receive(ends[1], MESSAGE_ENGINE_TO_RECORDER, &received, fds, &fd_count) == 0) {
		assert_int_equal(received.stream.sequence, taken++);
		(void)close(fds[0]);
		assert_int_equal(outbox_send(outbox, ends[0]), 0);
	}
	assert_int_equal(taken, put);
	outbox_free(outbox);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_in_arrives),
		cmocka_unit_test(there_is_an_end_to_room),
		cmocka_unit_test(a_full_channel),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
