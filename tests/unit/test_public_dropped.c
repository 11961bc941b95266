/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of whom the shield is dropping on its way through `holdfast serve`: the desk hands on what is another one,
 * and nothing that is none; the public role keeps the last that was one until it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/desk_dropped.h"
#include "daemon/public_dropped.h"

#define MADE (1764253200LL * NS_PER_S)
#define LIST                                                                                                       \
	"holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-27T14:25:00Z dropped 1 passing 0 left_out 3\n" \
	"192.0.2.0/24\n"
#define NOBODY \
	"holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-27T14:25:00Z dropped 0 passing 0 left_out 0\n"
#define LOOK_NS (3 * NS_PER_S)

static char folder[] = "/tmp/holdfast-dropped-XXXXXX", path[64], other[64];
static struct config config;
static struct desk_dropped desk;
static struct public_dropped role;
static struct serve_message message;
static int ends[2];
static int64_t clock_ns;

static int begin(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/holdfast-dropped-XXXXXX", sizeof(folder));
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/dropped", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	memset(&config, 0, sizeof(config));
	(void)snprintf(config.state_dir, sizeof(config.state_dir), "%s", folder);
	desk_dropped_begin(&desk, &config);
	memset(&role, 0, sizeof(role));
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int end(void **state)
{
	(void)state;
	public_dropped_fini(&role);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)unlink(path);
	(void)unlink(other);
	return rmdir(folder);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

/* In one step, as the recorder does. */
static void replace(const char *text)
{
	put(other, text);
	assert_int_equal(rename(other, path), 0);
}

/* The desk looks; how many messages came of it, which the role takes. */
static unsigned look(void)
{
	int fds[SERVE_FDS_MAX];
	unsigned fd_count, came = 0;

	clock_ns += LOOK_NS;
	desk_dropped_turn(&desk, ends[0], &message, clock_ns);
	while (serve_message_receive(ends[1], SERVE_DESK_TO_ROLE, &message, fds, &fd_count) == 0) {
		assert_int_equal(message.type, SERVE_DROPPED);
		public_dropped_take(&role, fd_count ? fds[0] : -1, message.dropped.result);
		channel_drop(fds, &fd_count);
		came++;
	}
	return came;
}

static enum intake_fate fate(const char *text, int64_t after_s)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return public_dropped_fate(&role, &prefix.address, (struct capture_time){ MADE + after_s * NS_PER_S });
}

static const char *state_at(int64_t after_s)
{
	static char text[SERVE_TEXT_SIZE];

	public_dropped_state(&role, (struct capture_time){ MADE + after_s * NS_PER_S }, text);
	return text;
}

static uint64_t counter(const char *name, int64_t after_s)
{
	serve_message_init(&message, SERVE_COUNTED, 0);
	public_dropped_count(&role, (struct capture_time){ MADE + after_s * NS_PER_S }, &message);
	for (uint32_t i = 0; i < message.counted.count; i++)
		if (strcmp(message.counted.counters[i].name, name) == 0)
			return message.counted.counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void a_list_that_changes(void **state)
{
	(void)state;
	assert_int_equal(look(), 1); /* that there is none, once */
	assert_int_equal(look(), 0);
	assert_string_equal(state_at(0), "");
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_UNKNOWN);
	replace(LIST);
	assert_int_equal(look(), 1);
	assert_int_equal(look(), 0);
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_DROPPED);
	assert_int_equal(fate("198.51.100.7", 0), INTAKE_FATE_PASSES);
	assert_int_equal(counter("dropped_prefixes", 0), 1);
	assert_int_equal(counter("dropped_left_out", 0), 3);
	replace(NOBODY);
	assert_int_equal(look(), 1);
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_PASSES);
	assert_int_equal(counter("dropped_lists", 0), 2);
	assert_string_equal(state_at(1000), ""); /* one with nobody in it may end */
	assert_int_equal(fate("192.0.2.7", 1000), INTAKE_FATE_UNKNOWN);
	assert_int_equal(counter("dropped_stale", 0), 0);
}

/* Nothing more is known, and that is said, and counted. */
static void one_that_has_ended(void **state)
{
	(void)state;
	replace(LIST);
	assert_int_equal(look(), 1);
	assert_string_equal(state_at(299), "");
	assert_int_equal(fate("192.0.2.7", 300), INTAKE_FATE_UNKNOWN);
	assert_int_equal(fate("198.51.100.7", 300), INTAKE_FATE_UNKNOWN);
	assert_string_equal(
		state_at(300),
		"whom the shield is dropping is not known: the list was good until 2025-11-27T14:25:00.000000Z");
	assert_int_equal(counter("dropped_stale", 300), 2);
	assert_int_equal(counter("dropped_prefixes", 300), 0);
}

static void what_is_none(void **state)
{
	(void)state;
	replace(LIST);
	assert_int_equal(look(), 1);
	/* Half of one, as a slow copy leaves it: the last one stands. */
	replace("holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-27T14:25:00Z dropped 2 passing 0 left_out 0\n"
	        "192.0.2.1\n");
	assert_int_equal(look(), 1);
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_DROPPED);
	assert_non_null(strstr(state_at(0), "cannot be read: line 3: "));
	assert_int_equal(counter("dropped_unreadable", 0), 1);
	/* What is no file of its own is not handed on. */
	put(other, LIST);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(look(), 1);
	assert_non_null(strstr(state_at(0), "cannot be read: Too many levels"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(look(), 1);
	assert_non_null(strstr(state_at(0), "cannot be read: Invalid argument"));
	assert_int_equal(unlink(path), 0);
	put(path, "");
	assert_int_equal(truncate(path, DROPPED_FILE_MAX + 1), 0);
	assert_int_equal(look(), 1);
	assert_non_null(strstr(state_at(0), "cannot be read: File too large"));
	replace(LIST);
	assert_int_equal(look(), 1);
	assert_string_equal(state_at(0), "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(look(), 1);
	assert_string_equal(state_at(0), "");
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_DROPPED);
}

static void one_that_is_asked_for(void **state)
{
	char place[CONFIG_PATH_SIZE];

	(void)state;
	assert_false(desk_dropped_folder(&config, place));
	(void)snprintf(config.public_role.dropped, sizeof(config.public_role.dropped), "%s", other);
	assert_false(desk_dropped_folder(&config, place)); /* it is in state_dir */
	desk_dropped_begin(&desk, &config);
	role.wanted = true;
	assert_int_equal(look(), 1);
	assert_string_equal(state_at(0), "whom the shield is dropping cannot be read: No such file or directory");
	put(other, LIST);
	assert_int_equal(look(), 1);
	assert_int_equal(fate("192.0.2.7", 0), INTAKE_FATE_DROPPED);
	(void)snprintf(config.public_role.dropped, sizeof(config.public_role.dropped), "/somewhere/else/list");
	assert_true(desk_dropped_folder(&config, place));
	assert_string_equal(place, "/somewhere/else");
	(void)snprintf(config.public_role.dropped, sizeof(config.public_role.dropped), "/list");
	assert_false(desk_dropped_folder(&config, place));
}

/* A role that has begun anew knows nothing. */
static void another_role(void **state)
{
	(void)state;
	replace(LIST);
	assert_int_equal(look(), 1);
	desk_dropped_again(&desk);
	assert_int_equal(look(), 1);
	assert_int_equal(look(), 0);
	clock_ns += LOOK_NS;
	desk_dropped_again(&desk);
	desk_dropped_turn(&desk, -1, &message, clock_ns); /* there is none */
	assert_int_equal(look(), 1);
	(void)close(ends[1]);
	ends[1] = -1;
	desk_dropped_again(&desk);
	desk_dropped_turn(&desk, ends[0], &message, clock_ns);
	assert_false(desk.told);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		WITH(a_list_that_changes), WITH(one_that_has_ended),    WITH(what_is_none),
		WITH(another_role),        WITH(one_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
