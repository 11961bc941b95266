/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles of `holdfast serve` tell each other: every type arrives by its own way alone, and nothing that a
 * hostile role could send instead: other lengths, ways, counts, words, texts without an end, descriptors.
 */
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

#include "daemon/serve_message.h"

#define WAYS (SERVE_DESK_TO_ROLE + 1)

static struct serve_message message, received;

/* One of each type that passes its check, and with how many descriptors. */
static unsigned make(enum serve_type type)
{
	serve_message_init(&message, type, 7);
	switch ((unsigned)type) {
	case SERVE_CONFIG:
		message.config = (struct serve_config){ .fd_count = 3, .file_count = 1, .listener_count = 1 };
		return 3;
	case SERVE_CHANNEL:
		message.channel.role = SERVE_ROLE_PUBLIC;
		return 1;
	case SERVE_COUNTED:
		message.counted.count = 1;
		(void)strcpy(message.counted.counters[0].name, "reports");
		return 0;
	case SERVE_REPORTS:
		message.reports.count = SERVE_COUNTS_MAX;
		for (unsigned i = 0; i < SERVE_COUNTS_MAX; i++) {
			message.reports.reports[i] = (struct report_count){ .bucket_ns = COUNT_BUCKET_NS,
				                                            .symptom = SYMPTOM_SLOW,
				                                            .raw = 3,
				                                            .accepted = 2,
				                                            .shielded = 1 };
			(void)strcpy(message.reports.reports[i].component, "web");
			(void)strcpy(message.reports.reports[i].region, "FR-IDF");
		}
		return 0;
	case SERVE_SIGNALS:
		message.signals.count = 1;
		(void)strcpy(message.signals.signals[0].component, "web");
		(void)strcpy(message.signals.signals[0].vantage, "paris");
		return 0;
	case SERVE_SUBSCRIBE:
		(void)strcpy(message.subscribe.address, "someone@example.org");
		return 0;
	case SERVE_CONFIRM:
	case SERVE_UNSUBSCRIBE:
		(void)strcpy(message.token.text, "0123abcd");
		return 0;
	case SERVE_CHECKS:
		message.checks.count = SERVE_COUNTS_MAX;
		for (unsigned i = 0; i < SERVE_COUNTS_MAX; i++) {
			(void)strcpy(message.checks.checks[i].component, "web");
			(void)strcpy(message.checks.checks[i].what, "front, refused the connection");
		}
		return 0;
	case SERVE_DROPPED:
		return 1;
	default:
		return 0;
	}
}

static int check(enum serve_way way, unsigned fd_count)
{
	return serve_message_check(way, &message, serve_message_size((enum serve_type)message.type), fd_count);
}

static enum serve_way way_of(enum serve_type type, unsigned fd_count)
{
	unsigned found = WAYS;

	for (unsigned way = 0; way < WAYS; way++)
		if (check((enum serve_way)way, fd_count) == 0) {
			assert_int_equal(found, WAYS); /* one way alone */
			found = way;
		}
	assert_in_range(found, 0, WAYS - 1);
	(void)type;
	return (enum serve_way)found;
}

static void every_type_arrives(void **state)
{
	int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(null >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	for (unsigned type = SERVE_CONFIG; type < SERVE_TYPES; type++) {
		unsigned fd_count = make((enum serve_type)type), got;
		int fds[SERVE_FDS_MAX] = { null, null, null }, came[SERVE_FDS_MAX];
		enum serve_way way = way_of((enum serve_type)type, fd_count);

		assert_int_equal(serve_message_send(ends[0], &message, fds, fd_count), 0);
		assert_int_equal(serve_message_receive(ends[1], way, &received, came, &got), 0);
		assert_int_equal(got, fd_count);
		assert_memory_equal(&message, &received, serve_message_size((enum serve_type)type));
		channel_drop(came, &got);
		/* by another way it is dropped, and its descriptors with it */
		assert_int_equal(serve_message_send(ends[0], &message, fds, fd_count), 0);
		assert_int_equal(serve_message_receive(ends[1], (enum serve_way)((way + 1) % WAYS), &received, came,
		                                       &got),
		                 -EBADMSG);
		assert_int_equal(got, 0);
	}
	assert_int_equal(serve_message_receive(ends[1], SERVE_ROLE_TO_DESK, &received, (int[SERVE_FDS_MAX]){ 0 },
	                                       &(unsigned){ 0 }),
	                 -EAGAIN);
	(void)close(ends[0]);
	assert_int_equal(serve_message_receive(ends[1], SERVE_ROLE_TO_DESK, &received, (int[SERVE_FDS_MAX]){ 0 },
	                                       &(unsigned){ 0 }),
	                 -EPIPE);
	(void)close(ends[1]);
	(void)close(null);
}

static void other_lengths_and_descriptors_do_not(void **state)
{
	(void)state;
	for (unsigned type = SERVE_CONFIG; type < SERVE_TYPES; type++) {
		unsigned fd_count = make((enum serve_type)type);
		enum serve_way way = way_of((enum serve_type)type, fd_count);
		size_t size = serve_message_size((enum serve_type)type);

		assert_int_equal(serve_message_check(way, &message, size - 1, fd_count), -EBADMSG);
		assert_int_equal(serve_message_check(way, &message, size + 1, fd_count), -EBADMSG);
		assert_int_equal(serve_message_check(way, &message, 0, fd_count), -EBADMSG);
		assert_int_equal(serve_message_check(way, &message, size, fd_count + 1), -EBADMSG);
	}
	message.type = 0;
	assert_int_equal(serve_message_check(SERVE_PARENT_TO_ROLE, &message, sizeof(message), 0), -EBADMSG);
	message.type = SERVE_TYPES;
	assert_int_equal(serve_message_check(SERVE_PARENT_TO_ROLE, &message, sizeof(message), 0), -EBADMSG);
	assert_int_equal(serve_message_size(SERVE_TYPES), 0);
}

/* Each line spoils one field of a good message. */
static void what_is_in_them_is_checked(void **state)
{
	(void)state;
#define SPOILED(type, fds, way, change)                      \
	do {                                                 \
		(void)make(type);                            \
		assert_int_equal(check(way, fds), 0);        \
		change;                                      \
		assert_int_equal(check(way, fds), -EBADMSG); \
	} while (0)
#define REPORT(change) SPOILED(SERVE_REPORTS, 0, SERVE_ROLE_TO_DESK, message.reports.change)
#define SIGNAL(change) SPOILED(SERVE_SIGNALS, 0, SERVE_ROLE_TO_DESK, message.signals.change)
#define FULL(array) (void)memset(array, 'a', sizeof(array))
	REPORT(count = 0);
	REPORT(count = SERVE_COUNTS_MAX + 1);
	REPORT(reports[63].bucket_ns = 1);
	REPORT(reports[63].bucket_ns = -COUNT_BUCKET_NS);
	REPORT(reports[63].component[0] = '\0');
	REPORT(reports[63].component[0] = '/');
	REPORT(reports[63].region[0] = '<');
	REPORT(reports[63].symptom = SYMPTOMS);
	REPORT(reports[63].symptom = (enum symptom) - 1);
	REPORT(reports[63].source = REPORT_SOURCES);
	REPORT(reports[63].accepted = 3);
	REPORT(reports[63].shielded = UINT32_MAX);
	SPOILED(SERVE_REPORTS, 0, SERVE_ROLE_TO_DESK, FULL(message.reports.reports[0].component));
	SPOILED(SERVE_REPORTS, 0, SERVE_ROLE_TO_DESK, FULL(message.reports.reports[0].region));
	SIGNAL(count = 0);
	SIGNAL(count = SERVE_COUNTS_MAX + 1);
	SIGNAL(signals[0].bucket_ns = 7);
	SIGNAL(signals[0].component[0] = ' ');
	SIGNAL(signals[0].vantage[0] = ' ');
	SIGNAL(signals[0].kind = SIGNAL_KINDS);
	SPOILED(SERVE_SIGNALS, 0, SERVE_ROLE_TO_DESK, FULL(message.signals.signals[0].vantage));
	SPOILED(SERVE_CONFIG, 3, SERVE_PARENT_TO_ROLE, message.config.file_count = 2);
	SPOILED(SERVE_CONFIG, 3, SERVE_PARENT_TO_ROLE, message.config.listener_count = UINT32_MAX);
	SPOILED(SERVE_CONFIG, 3, SERVE_PARENT_TO_ROLE, message.config.fd_count = 2);
	SPOILED(SERVE_CONFIG, 3, SERVE_PARENT_TO_ROLE, FULL(message.config.name));
	SPOILED(SERVE_CHANNEL, 1, SERVE_PARENT_TO_ROLE, message.channel.role = SERVE_ROLES);
	SPOILED(SERVE_READY, 0, SERVE_ROLE_TO_PARENT, message.ready.result = 1);
	SPOILED(SERVE_READY, 0, SERVE_ROLE_TO_PARENT, message.ready.line_count = SERVE_LINES_MAX + 1);
	SPOILED(SERVE_READY, 0, SERVE_ROLE_TO_PARENT,
	        (message.ready.line_count = 1, (void)strcpy(message.ready.lines[0], "two\nlines")));
	SPOILED(SERVE_COUNTED, 0, SERVE_ROLE_TO_PARENT, message.counted.count = SERVE_COUNTERS_MAX + 1);
	SPOILED(SERVE_COUNTED, 0, SERVE_ROLE_TO_PARENT, message.counted.counters[0].name[0] = '\0');
	SPOILED(SERVE_COUNTED, 0, SERVE_ROLE_TO_PARENT, message.counted.counters[0].name[0] = '\033');
	SPOILED(SERVE_COUNTED, 0, SERVE_ROLE_TO_PARENT, FULL(message.counted.state));
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK, message.subscribe.kind = SERVE_SUBSCRIPTIONS);
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK, message.subscribe.lang = LANGUAGES);
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK, message.subscribe.address[0] = '\0');
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK, message.subscribe.address[3] = '\n');
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK, message.subscribe.components[0] = '\n');
	SPOILED(SERVE_SUBSCRIBE, 0, SERVE_ROLE_TO_DESK,
	        memset(message.subscribe.components, 'a', sizeof(message.subscribe.components)));
	SPOILED(SERVE_CONFIRM, 0, SERVE_ROLE_TO_DESK, message.token.text[0] = '\0');
	SPOILED(SERVE_CONFIRM, 0, SERVE_ROLE_TO_DESK, message.token.text[1] = 'x');
	SPOILED(SERVE_UNSUBSCRIBE, 0, SERVE_ROLE_TO_DESK, FULL(message.token.text));
	SPOILED(SERVE_ANSWER, 0, SERVE_DESK_TO_ROLE, message.answer.result = 1);
	SPOILED(SERVE_CHECKS, 0, SERVE_ROLE_TO_DESK, message.checks.count = SERVE_COUNTS_MAX + 1);
	SPOILED(SERVE_CHECKS, 0, SERVE_ROLE_TO_DESK, message.checks.checks[63].component[0] = '/');
	SPOILED(SERVE_CHECKS, 0, SERVE_ROLE_TO_DESK, FULL(message.checks.checks[0].component));
	SPOILED(SERVE_CHECKS, 0, SERVE_ROLE_TO_DESK, message.checks.checks[63].what[0] = '\n');
	SPOILED(SERVE_CHECKS, 0, SERVE_ROLE_TO_DESK, FULL(message.checks.checks[0].what));
	SPOILED(SERVE_DROPPED, 1, SERVE_DESK_TO_ROLE, message.dropped.result = 1);
	SPOILED(SERVE_DROPPED, 1, SERVE_DESK_TO_ROLE, message.dropped.result = -ENOENT);
	assert_int_equal(check(SERVE_DESK_TO_ROLE, 0), 0); /* why there is no descriptor */
}

static void roles_have_names(void **state)
{
	(void)state;
	assert_string_equal(serve_role_name(SERVE_ROLE_DESK), "desk");
	assert_string_equal(serve_role_name(SERVE_ROLE_CONSOLE), "console");
	assert_string_equal(serve_role_name(SERVE_ROLES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_arrives),
		cmocka_unit_test(other_lengths_and_descriptors_do_not),
		cmocka_unit_test(what_is_in_them_is_checked),
		cmocka_unit_test(roles_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
