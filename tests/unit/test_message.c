/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What roles tell each other: every type arrives as it was sent, by its own way alone; and nothing else does, whatever
 * a hostile role sends: other lengths, ways, counts, texts without an end, descriptors too many.
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

#include "base/hash.h"
#include "base/time.h"
#include "daemon/message.h"

#define SEED 20261126u
#define WAYS (MESSAGE_MESSENGER_TO_ENGINE + 1)

static struct message message, received;

static struct prefix prefix_of_text(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

/* One of each type that passes its check, and with how many descriptors. */
static unsigned make(enum message_type type)
{
	struct prefix prefix = prefix_of_text("198.51.100.0/24"), host = prefix_of_text("2001:db8::1");

	message_init(&message, type, 7);
	switch (type) {
	case MESSAGE_CONFIG:
		message.config.fd_count = 2;
		return 2;
	case MESSAGE_ADD_RULE:
		message.rule.for_ns = NS_PER_S;
		message_text(message.rule.match, sizeof(message.rule.match), "udp");
		return 0;
	case MESSAGE_REMOVE_RULE:
		message.number = 1;
		return 0;
	case MESSAGE_RENEW_RULE:
		message.renewal.number = 3;
		message.renewal.for_ns = NS_PER_S;
		return 0;
	case MESSAGE_CHECKPOINT:
	case MESSAGE_LEARNED:
		message.checkpoint.length = 40;
		return 1;
	case MESSAGE_MESSENGER:
		return 1;
	case MESSAGE_STREAM:
		message.stream.length = 1 << 20;
		return 1;
	case MESSAGE_INCIDENT:
		message.incident.length = 4096;
		message_text(message.incident.vector, sizeof(message.incident.vector), "dns_reflection");
		return 1;
	case MESSAGE_SIGNALS:
		message.signals.count = 1;
		message.signals.signals[0] = (struct signal_count){ .component = "web", .kind = SIGNAL_CONNECTIONS };
		return 0;
	case MESSAGE_DROPPED:
		message.dropped = (struct message_dropped){ .dropping = DROPPED_MAX, .passing = DROPPED_PASSING_MAX };
		return 1;
	case MESSAGE_ALLOW:
	case MESSAGE_BLOCK:
		message.allow.for_ns = NS_PER_S;
		message.allow.prefixes.count = 1;
		message_put_prefix(&message.allow.prefixes.prefix[0], &prefix);
		return 0;
	case MESSAGE_FREEZE:
		message.freeze.for_ns = NS_PER_S;
		return 0;
	case MESSAGE_DISALLOW:
	case MESSAGE_UNBLOCK:
		message_put_prefix(&message.prefix, &prefix);
		return 0;
	case MESSAGE_WAY:
		message_put_prefix(&message.prefix, &host);
		return 0;
	case MESSAGE_MAPS:
		message.state.hz = 250;
		message.state.fd_count = SHIELD_MAPS;
		return SHIELD_MAPS;
	case MESSAGE_STATE:
		message.state.hz = 250;
		return 0;
	case MESSAGE_RELOADED:
	case MESSAGE_APPLIED:
	case MESSAGE_RELOAD:
	case MESSAGE_MODE:
	case MESSAGE_CONFIRM:
	case MESSAGE_BLOCKS:
	case MESSAGE_COUNTED:
	case MESSAGE_RESTORED:
	case MESSAGE_ANSWER:
	case MESSAGE_RECORD:
	case MESSAGE_ASK:
	case MESSAGE_SETTLED:
	case MESSAGE_RECORDED:
	case MESSAGE_IN_FORCE:
	case MESSAGE_LINKS:
	case MESSAGE_ALERT:
	case MESSAGE_TEST_ALERT:
	case MESSAGE_ALERTED:
	case MESSAGE_TESTED:
	case MESSAGE_TYPES:
	default:
		return 0;
	}
}

static int check(enum message_way way, unsigned fd_count)
{
	return message_check(way, &message, message_size((enum message_type)message.type), fd_count);
}

/* The one way of a type. */
static enum message_way way_of(unsigned fd_count)
{
	unsigned found = WAYS, ways = 0;

	for (unsigned way = 0; way < WAYS; way++)
		if (check((enum message_way)way, fd_count) == 0) {
			found = way;
			ways++;
		}
	assert_int_equal(ways, 1);
	return (enum message_way)found;
}

static void each_type_has_one_way(void **state)
{
	(void)state;
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		unsigned fd_count = make((enum message_type)type);
		enum message_way way = way_of(fd_count);

		assert_int_equal(check(way, fd_count + 1), -EBADMSG);
		assert_int_equal(message_check(way, &message, message_size((enum message_type)type) - 1, fd_count),
		                 -EBADMSG);
		assert_int_equal(message_check(way, &message, message_size((enum message_type)type) + 1, fd_count),
		                 -EBADMSG);
		assert_int_equal(message_check(way, &message, 0, fd_count), -EBADMSG);
	}
	message_init(&message, MESSAGE_TYPES, 0);
	assert_int_equal(message_check(MESSAGE_PARENT_TO_ROLE, &message, sizeof(message), 0), -EBADMSG);
	message.type = 0;
	assert_int_equal(message_check(MESSAGE_PARENT_TO_ROLE, &message, 16, 0), -EBADMSG);
}

static void arrive(void **state)
{
	int ends[2], fds[MESSAGE_FDS_MAX], sent[MESSAGE_FDS_MAX];
	unsigned fd_count;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(message_receive(ends[1], MESSAGE_PARENT_TO_ROLE, &received, fds, &fd_count), -EAGAIN);
	for (unsigned type = 1; type < MESSAGE_TYPES; type++) {
		unsigned count = make((enum message_type)type);

		for (unsigned i = 0; i < count; i++)
			sent[i] = ends[0];
		assert_int_equal(message_send(ends[0], &message, sent, count), 0);
		assert_int_equal(message_receive(ends[1], way_of(count), &received, fds, &fd_count), 0);
		assert_int_equal(fd_count, count);
		assert_memory_equal(&received, &message, message_size((enum message_type)type));
		for (unsigned i = 0; i < fd_count; i++)
			assert_int_equal(close(fds[i]), 0);
	}
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(message_receive(ends[1], MESSAGE_PARENT_TO_ROLE, &received, fds, &fd_count), -EPIPE);
	assert_int_equal(message_send(ends[1], &message, NULL, 0), -EPIPE);
	assert_int_equal(close(ends[1]), 0);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* What does not pass leaves nothing behind. */
static void refused_descriptors_are_closed(void **state)
{
	int ends[2], fds[MESSAGE_FDS_MAX], sent[MESSAGE_FDS_MAX], before;
	unsigned fd_count;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	for (unsigned i = 0; i < MESSAGE_FDS_MAX; i++)
		sent[i] = ends[0];
	before = open_descriptors();
	(void)make(MESSAGE_MODE);
	assert_int_equal(message_send(ends[0], &message, sent, MESSAGE_FDS_MAX), 0);
	assert_int_equal(message_receive(ends[1], MESSAGE_ENGINE_TO_LOADER, &received, fds, &fd_count), -EBADMSG);
	assert_int_equal(fd_count, 0);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(message_send(ends[0], &message, sent, MESSAGE_FDS_MAX + 1), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

/* Fills up, and says so instead of waiting. */
static void a_full_channel(void **state)
{
	int ends[2], result = 0;
	unsigned sent = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)make(MESSAGE_RECORD);
	for (; result == 0 && sent < 100000; sent++)
		result = message_send(ends[0], &message, NULL, 0);
	assert_int_equal(result, -EAGAIN);
	close(ends[0]);
	close(ends[1]);
}

static void hostile_values(void **state)
{
	(void)state;
	(void)make(MESSAGE_ADD_RULE);
	message.rule.for_ns = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	message.rule.for_ns = MESSAGE_DAYS_MAX * 86400 * NS_PER_S + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	memset(message.rule.match, 'u', sizeof(message.rule.match));
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.action = RULE_CHALLENGE + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_BLOCKS);
	message.number = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.shadow = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.number = UINT32_MAX;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);

	(void)make(MESSAGE_ADD_RULE);
	message.rule.each = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.spare = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.probe = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ADD_RULE);
	message.rule.arm_pps = 50; /* and for no time */
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	message.rule.hold_s = MESSAGE_HOLD_S_MAX;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), 0);
	message.rule.hold_s++;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_RENEW_RULE);
	message.renewal.number = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_RENEW_RULE);
	message.renewal.for_ns = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);

	(void)make(MESSAGE_ALLOW);
	message.allow.prefixes.count = MESSAGE_PREFIXES_MAX + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ALLOW);
	message.allow.prefixes.prefix[0].octets[15] = 1; /* a host bit */
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ALLOW);
	message.allow.prefixes.prefix[0].length = 33;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ALLOW);
	message.allow.prefixes.prefix[0].is_ipv4 = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_ALLOW);
	message.allow.prefixes.prefix[0].is_ipv4 = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);

	(void)make(MESSAGE_WAY);
	message.prefix.length = 127; /* all the world's way in */
	message.prefix.octets[15] = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_REMOVE_RULE);
	message.number = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_MODE);
	message.mode.enforce = 2;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_MODE);
	message.mode.for_ns = -1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), -EBADMSG);
	(void)make(MESSAGE_STATE);
	message.state.hook_count = SHIELD_INTERFACES_MAX + 1;
	assert_int_equal(check(MESSAGE_LOADER_TO_ENGINE, 0), -EBADMSG);
	(void)make(MESSAGE_COUNTED);
	message.counted.rule_count = SHIELD_RULES_MAX + 1;
	assert_int_equal(check(MESSAGE_LOADER_TO_ENGINE, 0), -EBADMSG);
	(void)make(MESSAGE_APPLIED);
	message.applied.line_count = MESSAGE_LINES_MAX + 1;
	assert_int_equal(check(MESSAGE_ROLE_TO_PARENT, 0), -EBADMSG);
	(void)make(MESSAGE_APPLIED);
	message.applied.line_count = 1;
	memset(message.applied.lines[0], 'x', sizeof(message.applied.lines[0]));
	assert_int_equal(check(MESSAGE_ROLE_TO_PARENT, 0), -EBADMSG);
	(void)make(MESSAGE_IN_FORCE);
	message.in_force.kind = 9;
	assert_int_equal(check(MESSAGE_RECORDER_TO_ENGINE, 0), -EBADMSG);
}

/* What the recorder keeps for the engine. */
static void hostile_files(void **state)
{
	(void)state;
	(void)make(MESSAGE_CHECKPOINT);
	message.checkpoint.length = 0;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	message.checkpoint.length = MESSAGE_CHECKPOINT_MAX + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), -EBADMSG);
	(void)make(MESSAGE_STREAM);
	message.stream.length = MESSAGE_SEGMENT_MAX + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_STREAM);
	message.stream.kind = MESSAGE_STREAM_KEEP;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), 0);
	message.stream.kind = MESSAGE_STREAM_KINDS;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), -EBADMSG);
	(void)make(MESSAGE_SIGNALS);
	message.signals.count = MESSAGE_SIGNALS_MAX + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), -EBADMSG);
	(void)make(MESSAGE_SIGNALS);
	message.signals.signals[0].bucket_ns = 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), -EBADMSG);
	(void)make(MESSAGE_DROPPED);
	message.dropped.dropping++;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_DROPPED);
	message.dropped.passing++;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_INCIDENT);
	message.incident.length = MESSAGE_JSON_MAX + 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_INCIDENT);
	message.incident.state = MESSAGE_INCIDENT_STATES;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_INCIDENT);
	message.incident.state = MESSAGE_INCIDENT_JOINED;
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 0), 0);
	(void)make(MESSAGE_INCIDENT);
	memset(message.incident.target, '1', sizeof(message.incident.target));
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_INCIDENT);
	memset(message.incident.service, 'w', sizeof(message.incident.service));
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
	(void)make(MESSAGE_INCIDENT);
	memset(message.incident.vector, 'v', sizeof(message.incident.vector));
	assert_int_equal(check(MESSAGE_ENGINE_TO_RECORDER, 1), -EBADMSG);
}

/* Octets by chance: whatever passes can be read without a look beyond its bounds (the sanitizers watch). */
static void octets_by_chance(void **state)
{
	unsigned passed = 0;

	(void)state;
	for (uint64_t round = 0; round < 20000; round++) {
		enum message_type type = (enum message_type)(1 + round % (MESSAGE_TYPES - 1));
		unsigned fd_count = make(type);
		enum message_way way = way_of(fd_count);
		unsigned char *octets = (unsigned char *)&message;

		for (unsigned k = 0; k < 3; k++) {
			uint64_t x = hash_2(SEED, round, k);

			octets[16 + x % (message_size(type) > 16 ? message_size(type) - 16 : 1)] =
				(unsigned char)(x >> 32);
		}
		if (check(way, fd_count) != 0)
			continue;
		passed++;
		if (type == MESSAGE_ADD_RULE) {
			struct rule rule;

			(void)message_take_rule(&message.rule, &rule);
		}
		if (type == MESSAGE_ALLOW)
			for (uint32_t i = 0; i < message.allow.prefixes.count; i++) {
				struct prefix prefix = message_prefix(&message.allow.prefixes.prefix[i]);

				assert_true(prefix.length <= (prefix.is_ipv4 ? 32 : 128));
			}
	}
	assert_true(passed > 1000 && passed < 20000);
}

static void rules_go_and_come(void **state)
{
	struct rule rule = { .scope = prefix_of_text("192.0.2.10"), .action = RULE_RATE_LIMIT, .rate_pps = 500 }, back;
	struct match_error error;

	(void)state;
	assert_int_equal(match_parse("udp and src port 123 and length > 400", &rule.match, &error), 0);
	message_init(&message, MESSAGE_ADD_RULE, 1);
	message_put_rule(&message.rule, &rule);
	message.rule.for_ns = 1;
	assert_int_equal(check(MESSAGE_ENGINE_TO_LOADER, 0), 0);
	assert_int_equal(message_take_rule(&message.rule, &back), 0);
	assert_true(prefix_equal(&back.scope, &rule.scope));
	assert_int_equal(back.action, RULE_RATE_LIMIT);
	assert_int_equal(back.rate_pps, 500);
	assert_int_equal(back.match.count, rule.match.count);
	message_text(message.rule.match, sizeof(message.rule.match), "udp and");
	assert_int_equal(message_take_rule(&message.rule, &back), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_one_way),
		cmocka_unit_test(arrive),
		cmocka_unit_test(refused_descriptors_are_closed),
		cmocka_unit_test(a_full_channel),
		cmocka_unit_test(hostile_values),
		cmocka_unit_test(hostile_files),
		cmocka_unit_test(octets_by_chance),
		cmocka_unit_test(rules_go_and_come),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
