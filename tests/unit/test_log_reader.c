/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are added to, over every way they are rotated in, and the reader of access logs over its restarts:
 * whatever happens, each line is given out once.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "daemon/reader.h"
#include "daemon/tail.h"

#define NOW_NS (1773135300 * NS_PER_S) /* 2026-03-10T09:35:00Z, a bucket's beginning */
#define LINE "192.0.2.7 - - [10/Mar/2026:09:%02d:00 +0000] \"GET / HTTP/1.1\" %d 512 \"-\" \"-\" 0.100\n"

static char folder[] = "/tmp/holdfast-reader-XXXXXX", path[128], old[128], seen[4096], error[CONFIG_ERROR_SIZE];

static int begin(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(old);
	seen[0] = '\0';
	return 0;
}

static void put(const char *file, const char *text, int flags)
{
	int fd = open(file, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void add(const char *text)
{
	put(path, text, O_APPEND);
}

static int note(void *context, const char *line, size_t length)
{
	size_t used = strlen(seen);

	(void)context;
	if (!line)
		line = "LONG", length = 4;
	assert_true(used + length + 2 < sizeof(seen));
	memcpy(seen + used, line, length);
	memcpy(seen + used + length, " ", 2);
	return 0;
}

static void look_at(struct tail *tail, int64_t now_s)
{
	bool more = true;

	while (more)
		assert_int_equal(tail_read(tail, now_s * NS_PER_S, note, NULL, &more), 0);
}

static struct tail tail;

static void from_the_end(void **state)
{
	(void)state;
	add("before\n");
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\nb");
	look_at(&tail, 2);
	assert_string_equal(seen, "a ");
	add("c\n\nd\n");
	look_at(&tail, 3);
	assert_string_equal(seen, "a bc  d ");
	assert_int_equal(tail.lines, 4);
	tail_fini(&tail);
}

static void appears_later(void **state)
{
	(void)state;
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	assert_int_equal(tail.fault, ENOENT);
	add("a\n");
	look_at(&tail, 2);
	assert_int_equal(tail.fault, 0);
	assert_string_equal(seen, "a ");
	tail_fini(&tail);
	tail_init(&tail, folder, NULL);
	look_at(&tail, 1);
	assert_int_equal(tail.fault, EINVAL);
	tail_fini(&tail);
}

/* Who writes goes on with the old file for a while, though the new one has lines already. */
static void by_rename(void **state)
{
	(void)state;
	add("before\n");
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\n");
	look_at(&tail, 2);
	assert_int_equal(rename(path, old), 0);
	look_at(&tail, 3);
	put(old, "b\n", O_APPEND);
	look_at(&tail, 4);
	put(path, "", 0); /* logrotate's create */
	look_at(&tail, 20);
	put(old, "c\n", O_APPEND);
	look_at(&tail, 40);
	add("d\n");
	look_at(&tail, 41);
	put(old, "late\n", O_APPEND);
	look_at(&tail, 44);
	assert_string_equal(seen, "a b c late ");
	look_at(&tail, 48);
	assert_string_equal(seen, "a b c late ");
	look_at(&tail, 50);
	assert_string_equal(seen, "a b c late d ");
	assert_int_equal(tail.rotations, 1);
	assert_int_equal(tail.gaps, 0);
	tail_fini(&tail);
}

static void by_truncation(void **state)
{
	(void)state;
	add("before, and so on\n");
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\n");
	look_at(&tail, 2);
	put(old, "before, and so on\na\nb\n", 0); /* copytruncate: b had not been read */
	put(path, "", O_TRUNC);
	add("c\n");
	look_at(&tail, 3);
	assert_string_equal(seen, "a b c ");
	assert_int_equal(tail.truncations, 1);
	assert_int_equal(tail.gaps, 0);
	/* Longer than it was, by the time it is looked at: it begins otherwise. */
	put(old, "c\n", O_TRUNC);
	put(path, "quite another beginning of it\ne\n", O_TRUNC);
	look_at(&tail, 4);
	assert_string_equal(seen, "a b c quite another beginning of it e ");
	assert_int_equal(tail.truncations, 2);
	(void)unlink(old);
	put(path, "", O_TRUNC);
	look_at(&tail, 5);
	assert_int_equal(tail.gaps, 1);
	tail_fini(&tail);
}

/* What was begun before it was truncated ends in the copy; where that is not to be had, it is no one's beginning. */
static void truncated_within_a_line(void **state)
{
	(void)state;
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\nbeg");
	look_at(&tail, 2);
	put(old, "a\nbegun\n", 0);
	put(path, "c\nlo", O_TRUNC);
	look_at(&tail, 3);
	assert_string_equal(seen, "a begun c ");
	(void)unlink(old);
	put(path, "d\n", O_TRUNC);
	look_at(&tail, 4);
	assert_string_equal(seen, "a begun c d ");
	assert_int_equal(tail.truncations, 2);
	assert_int_equal(tail.gaps, 1);
	tail_fini(&tail);
}

static unsigned count_lines;

static int count(void *context, const char *line, size_t length)
{
	(void)context;
	(void)line;
	(void)length;
	count_lines++;
	return 0;
}

/* However much of an old file is left: one call reads no more than it may, and a place between is gone on from. */
static void much_that_is_old(void **state)
{
	static char much[TAIL_AT_ONCE + 2]; /* lines of 64 octets */
	struct tail_place place;
	bool more;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	for (size_t i = 63; i < sizeof(much) - 1; i += 64)
		much[i] = '\n';
	much[TAIL_AT_ONCE] = '\0';
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\n");
	look_at(&tail, 2);
	place = tail_place(&tail);
	tail_fini(&tail);
	add(much);
	add(much);
	assert_int_equal(rename(path, old), 0);
	add("new\n");
	count_lines = 0;
	tail_init(&tail, path, &place);
	assert_int_equal(tail_read(&tail, 3 * NS_PER_S, count, NULL, &more), 0);
	assert_true(more);
	assert_int_equal(count_lines, TAIL_AT_ONCE / 64);
	place = tail_place(&tail);
	tail_fini(&tail);
	tail_init(&tail, path, &place);
	while (more)
		assert_int_equal(tail_read(&tail, 4 * NS_PER_S, count, NULL, &more), 0);
	assert_int_equal(count_lines, 2 * TAIL_AT_ONCE / 64 + 1);
	assert_int_equal(tail.gaps, 0);
	tail_fini(&tail);
}

static void over_a_restart(void **state)
{
	struct tail_place place;

	(void)state;
	add("before\n");
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\nhal");
	look_at(&tail, 2);
	place = tail_place(&tail);
	tail_fini(&tail);
	add("f\nb\n");
	tail_init(&tail, path, &place);
	look_at(&tail, 3);
	assert_string_equal(seen, "a half b ");
	place = tail_place(&tail);
	tail_fini(&tail);
	/* rotated meanwhile */
	add("c\n");
	assert_int_equal(rename(path, old), 0);
	add("d\n");
	tail_init(&tail, path, &place);
	look_at(&tail, 4);
	assert_string_equal(seen, "a half b c d ");
	assert_int_equal(tail.rotations, 1);
	place = tail_place(&tail);
	tail_fini(&tail);
	/* rotated twice: what was written to the first is not found, and that is counted */
	assert_int_equal(rename(path, old), 0);
	put(old, "another beginning altogether\n", O_TRUNC);
	add("e\n");
	tail_init(&tail, path, &place);
	look_at(&tail, 5);
	assert_string_equal(seen, "a half b c d e ");
	assert_int_equal(tail.gaps, 1);
	tail_fini(&tail);
}

static void long_lines(void **state)
{
	static char much[3 * TAIL_LINE_MAX];

	(void)state;
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	memset(much, 'x', sizeof(much) - 1);
	add(much);
	look_at(&tail, 2);
	add("yyy");
	look_at(&tail, 3);
	assert_string_equal(seen, "");
	add("\na\n");
	look_at(&tail, 4);
	assert_string_equal(seen, "LONG a ");
	assert_int_equal(tail.too_long, 1);
	tail_fini(&tail);
}

static int refuse(void *context, const char *line, size_t length)
{
	(void)context;
	(void)line;
	(void)length;
	return -EPIPE;
}

static void who_takes_may_end_it(void **state)
{
	bool more;

	(void)state;
	tail_init(&tail, path, NULL);
	look_at(&tail, 1);
	add("a\n");
	assert_int_equal(tail_read(&tail, 1, refuse, NULL, &more), -EPIPE);
	tail_fini(&tail);
}

/* ---- the reader ---- */

static struct config_log logs[2];
static struct config config = { .logs = logs, .log_count = 1 };
static struct reader reader;

static int begin_reader(void **state)
{
	char kept[160];

	memset(logs, 0, sizeof(logs));
	(void)snprintf(logs[0].component, sizeof(logs[0].component), "web");
	(void)snprintf(logs[0].file, sizeof(logs[0].file), "%s", path);
	config.log_count = 1;
	(void)snprintf(kept, sizeof(kept), "%s/places", folder);
	(void)unlink(kept);
	return begin(state);
}

static void open_reader(int wanted)
{
	bool is_socket = logs[0].syslog[0] != '\0';
	int socket = is_socket ? log_reader_socket(&logs[0].listen, logs[0].port) : -1;

	assert_true(!is_socket || socket >= 0);
	assert_int_equal(log_reader_init(&reader, &config, &socket, is_socket, error), 0);
	assert_int_equal(socket, -1);
	assert_int_equal(log_reader_resume(&reader, folder), wanted);
}

static void turn(int64_t wall_ns)
{
	static int64_t monotonic_ns = NS_PER_S;
	bool more = true;

	while (more)
		log_reader_turn(&reader, wall_ns, monotonic_ns += 11 * NS_PER_S, &more);
}

static void add_line(int minute, int status)
{
	char line[160];

	(void)snprintf(line, sizeof(line), LINE, minute, status);
	add(line);
}

static void buckets_become_signals(void **state)
{
	struct signal_count signals[SERVE_COUNTS_MAX];

	(void)state;
	put(path, "", 0);
	open_reader(-ENOENT);
	turn(NOW_NS);
	for (int i = 0; i < 10; i++)
		add_line(35, i < 3 ? 502 : 200);
	add("no line\n");
	add_line(50, 200); /* in ten minutes' time */
	turn(NOW_NS + 10 * NS_PER_S);
	assert_int_equal(log_reader_take(&reader, signals), 0);
	turn(NOW_NS + COUNT_BUCKET_NS + READER_LATE_NS - 1);
	assert_int_equal(log_reader_take(&reader, signals), 0);
	turn(NOW_NS + COUNT_BUCKET_NS + READER_LATE_NS);
	assert_int_equal(log_reader_take(&reader, signals), 2);
	assert_int_equal(signals[0].bucket_ns, NOW_NS);
	assert_string_equal(signals[0].component, "web");
	assert_int_equal(signals[0].bad, 3);
	assert_int_equal(signals[0].good, 7);
	assert_int_equal(signals[1].kind, SIGNAL_LATENCY);
	assert_in_range(signals[1].value, 100, 113);
	assert_int_equal(reader.left_out, 1);
	assert_int_equal(reader.out_of_time, 1);
	assert_int_equal(reader.lines, 12);
	/* A straggler is counted for itself. */
	add_line(35, 503);
	turn(NOW_NS + 2 * COUNT_BUCKET_NS);
	assert_int_equal(log_reader_take(&reader, signals), 2);
	assert_int_equal(signals[0].bad, 1);
	log_reader_fini(&reader);
}

/* Counted before and after, told once: by whatever turn it ends. */
static void nothing_counts_twice(void **state)
{
	struct signal_count signals[SERVE_COUNTS_MAX];
	uint64_t bad = 0, good = 0;

	(void)state;
	put(path, "", 0);
	for (int round = 0; round < 8; round++) {
		open_reader(round == 0 ? -ENOENT : 0);
		turn(NOW_NS + round * NS_PER_S);
		add_line(35, 200);
		add_line(35, 500);
		turn(NOW_NS + round * NS_PER_S);
		if (round == 6) { /* the desk has gone: what it did not take waits */
			turn(NOW_NS + 3 * COUNT_BUCKET_NS);
			assert_int_equal(log_reader_take(&reader, signals), 2);
			log_reader_give_back(&reader, signals, 2);
		}
		assert_int_equal(log_reader_keep(&reader), 0);
		log_reader_fini(&reader);
		add_line(35, 200); /* while nobody reads */
	}
	open_reader(0);
	turn(NOW_NS + 3 * COUNT_BUCKET_NS);
	for (unsigned count; (count = log_reader_take(&reader, signals)) > 0;)
		for (unsigned i = 0; i < count; i++) {
			good += signals[i].kind == SIGNAL_EDGE_5XX ? signals[i].good : 0;
			bad += signals[i].kind == SIGNAL_EDGE_5XX ? signals[i].bad : 0;
		}
	assert_int_equal(bad, 8);
	assert_int_equal(good, 16);
	log_reader_fini(&reader);
	open_reader(0);
	turn(NOW_NS + 3 * COUNT_BUCKET_NS);
	assert_int_equal(log_reader_take(&reader, signals), 0);
	log_reader_fini(&reader);
}

static const char *const broken[] = {
	"",
	"{}",
	"[]",
	"{\"schema\":\"holdfast.reader/2\",\"places\":[],\"buckets\":[],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":{},\"buckets\":[],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[{}],\"buckets\":[],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[{\"file\":\"a\",\"device\":1,\"inode\":1,\"offset\":-1,\"head_length\":0,"
	"\"head\":1}],\"buckets\":[],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[{\"file\":\"a\",\"device\":1,\"inode\":1,\"offset\":900,\"head_length\":"
	"300,\"head\":1}],\"buckets\":[],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[{\"component\":\"web\",\"bucket\":7,\"answers\":1,"
	"\"bad\":0,\"unanswered\":0,\"bins\":[]}],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[{\"component\":\"web\",\"bucket\":0,\"answers\":1,"
	"\"bad\":2,\"unanswered\":0,\"bins\":[]}],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[{\"component\":\"web\",\"bucket\":0,\"answers\":1,"
	"\"bad\":0,\"unanswered\":0,\"bins\":[[296,1]]}],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[{\"component\":\"web\",\"bucket\":0,\"answers\":1,"
	"\"bad\":0,\"unanswered\":0,\"bins\":[[1,2]]}],\"signals\":[]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[],\"signals\":[{\"component\":\"No\",\"bucket\":0,"
	"\"kind\":\"latency\",\"good\":1,\"bad\":0,\"value\":1}]}",
	"{\"schema\":\"holdfast.reader/1\",\"places\":[],\"buckets\":[],\"signals\":[{\"component\":\"web\",\"bucket\":0,"
	"\"kind\":\"magic\",\"good\":1,\"bad\":0,\"value\":1}]}",
};

static void broken_states_are_none(void **state)
{
	char kept[160];

	(void)state;
	(void)snprintf(kept, sizeof(kept), "%s/places", folder);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		put(kept, broken[i], O_TRUNC);
		open_reader(-EBADMSG);
		assert_int_equal(reader.waiting_count, 0);
		log_reader_fini(&reader);
	}
	/* Of logs that are read no more, and of components that are no more, nothing is kept. */
	put(kept,
	    "{\"schema\":\"holdfast.reader/1\",\"places\":[{\"file\":\"/gone\",\"device\":1,\"inode\":1,\"offset\":0,"
	    "\"head_length\":0,\"head\":1}],\"buckets\":[{\"component\":\"gone\",\"bucket\":0,\"answers\":1,\"bad\":0,"
	    "\"unanswered\":0,\"bins\":[]}],\"signals\":[]}",
	    O_TRUNC);
	open_reader(0);
	assert_int_equal(reader.components[0]->count.buckets[0].bucket_ns, -1);
	log_reader_fini(&reader);
	(void)unlink(kept);
}

static void bounds(void **state)
{
	static struct signal_count signals[SERVE_COUNTS_MAX];

	(void)state;
	open_reader(-ENOENT);
	for (unsigned i = 0; i < READER_WAITING_MAX / SERVE_COUNTS_MAX; i++)
		log_reader_give_back(&reader, signals, SERVE_COUNTS_MAX);
	assert_int_equal(reader.signals_lost, 0);
	log_reader_give_back(&reader, signals, 3);
	assert_int_equal(reader.signals_lost, 3);
	assert_int_equal(log_reader_take(&reader, signals), SERVE_COUNTS_MAX);
	(void)snprintf(reader.path, sizeof(reader.path), "%s/nowhere/places", folder);
	reader.changed = true;
	assert_int_equal(log_reader_keep(&reader), -ENOENT);
	assert_int_equal(reader.state_fault, ENOENT);
	log_reader_fini(&reader);
}

/* ---- syslog ---- */

static void listen_at(const char *address, uint16_t port)
{
	uint8_t octets[16];

	logs[0].file[0] = '\0';
	(void)snprintf(logs[0].syslog, sizeof(logs[0].syslog), "test");
	logs[0].listen = inet_pton(AF_INET, address, octets) == 1    ? address_from_ipv4(octets)
	                 : inet_pton(AF_INET6, address, octets) == 1 ? address_from_ipv6(octets)
	                                                             : logs[0].listen;
	logs[0].port = port;
}

/* Where the kernel has bound it. */
static void send_to_reader(const char *text, size_t length)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(at);
	int fd;

	assert_int_equal(getsockname(reader.sources[0].socket, (struct sockaddr *)(void *)&at, &size), 0);
	fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, text, length, 0, (struct sockaddr *)(void *)&at, size), length);
	(void)close(fd);
}

static void datagrams(void **state)
{
	static char much[TAIL_LINE_MAX + 100];
	const char *text =
		"<190>Mar 10 09:35:01 edge nginx: 192.0.2.7 - - [10/Mar/2026:09:35:00 +0000] \"GET / HTTP/1.1\" "
		"200 5\n";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct prefix only;

		listen_at(i ? "::1" : "127.0.0.1", 0);
		open_reader(-ENOENT);
		send_to_reader(text, strlen(text));
		send_to_reader("", 0);
		memset(much, 'x', sizeof(much));
		send_to_reader(much, sizeof(much));
		turn(NOW_NS);
		assert_int_equal(reader.components[0]->count.buckets[ACCESS_BUCKETS_MAX - 1].answers, 1);
		assert_int_equal(reader.too_long, 1);
		assert_int_equal(reader.strangers, 0);
		assert_int_equal(prefix_parse(i ? "2001:db8::/32" : "192.0.2.0/24", &only), 0);
		logs[0].from = (struct prefix_list){ .prefixes = &only, .count = 1 };
		send_to_reader(text, strlen(text));
		turn(NOW_NS);
		assert_int_equal(reader.strangers, 1);
		assert_int_equal(prefix_parse(i ? "::1/128" : "127.0.0.0/8", &only), 0);
		send_to_reader(text, strlen(text));
		turn(NOW_NS);
		assert_int_equal(reader.components[0]->count.buckets[ACCESS_BUCKETS_MAX - 1].answers, 2);
		logs[0].from = (struct prefix_list){ .count = 0 };
		log_reader_fini(&reader);
		begin_reader(state);
	}
	listen_at("192.0.2.1", 5514); /* not this host's */
	assert_int_equal(log_reader_socket(&logs[0].listen, logs[0].port), -EADDRNOTAVAIL);
	assert_int_equal(log_reader_init(&reader, &config, NULL, 0, error), -EBADMSG);
	assert_non_null(strstr(error, "0 sockets came for 1 logs"));
	log_reader_fini(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(from_the_end, begin),
		cmocka_unit_test_setup(appears_later, begin),
		cmocka_unit_test_setup(by_rename, begin),
		cmocka_unit_test_setup(by_truncation, begin),
		cmocka_unit_test_setup(truncated_within_a_line, begin),
		cmocka_unit_test_setup(much_that_is_old, begin),
		cmocka_unit_test_setup(over_a_restart, begin),
		cmocka_unit_test_setup(long_lines, begin),
		cmocka_unit_test_setup(who_takes_may_end_it, begin),
		cmocka_unit_test_setup(buckets_become_signals, begin_reader),
		cmocka_unit_test_setup(nothing_counts_twice, begin_reader),
		cmocka_unit_test_setup(broken_states_are_none, begin_reader),
		cmocka_unit_test_setup(bounds, begin_reader),
		cmocka_unit_test_setup(datagrams, begin_reader),
	};
	char kept[160];
	int result;

	if (!mkdtemp(folder))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/access.log", folder);
	(void)snprintf(old, sizeof(old), "%s/access.log.1", folder);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)unlink(old);
	(void)snprintf(kept, sizeof(kept), "%s/places", folder);
	(void)unlink(kept);
	(void)rmdir(folder);
	return result;
}
