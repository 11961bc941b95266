/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How users of services fare becomes signals: by service, of who is answered alone, a bucket at a time, none lost or
 * twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/watch_users.h"

#define BUCKET COUNT_BUCKET_NS

static struct prefix web_prefix, named_prefix;
static struct config_service services[2] = { { .name = "web", .addresses = { .prefixes = &web_prefix, .count = 1 } },
	                                     { .name = "Big Site",
	                                       .addresses = { .prefixes = &named_prefix, .count = 1 } } };
static const struct config config = { .services = services, .service_count = 2 };
static struct watch_users users;
static struct message message;

static int begin(void **state)
{
	(void)state;
	memset(&users, 0, sizeof(users));
	users.enforces = true;
	return prefix_parse("192.0.2.0/24", &web_prefix) | prefix_parse("198.51.100.0/24", &named_prefix);
}

static void note(const char *to, uint32_t flags, int64_t wall_ns)
{
	struct observation observation = { .flags = flags, .weight = 10 };
	struct prefix prefix;

	assert_int_equal(prefix_parse(to, &prefix), 0);
	observation.dst = prefix.address;
	watch_users_note(&users, &config, &observation, wall_ns);
}

static void by_service_and_bucket(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		note("192.0.2.7", OBSERVATION_ANSWERED, 5 * BUCKET + i);
	note("192.0.2.7", OBSERVATION_ANSWERED | OBSERVATION_DROPPED, 5 * BUCKET);
	note("192.0.2.7", OBSERVATION_DROPPED, 5 * BUCKET);     /* a flood: nobody is answered */
	note("198.51.100.7", OBSERVATION_ANSWERED, 5 * BUCKET); /* no component's name */
	note("203.0.113.7", OBSERVATION_ANSWERED, 5 * BUCKET);  /* no service's */
	watch_users_turn(&users, &config, 6 * BUCKET - 1);
	assert_false(watch_users_take(&users, &message));
	watch_users_turn(&users, &config, 6 * BUCKET);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.type, MESSAGE_SIGNALS);
	assert_int_equal(message.signals.count, 1);
	assert_string_equal(message.signals.signals[0].component, "web");
	assert_int_equal(message.signals.signals[0].kind, SIGNAL_CONNECTIONS);
	assert_int_equal(message.signals.signals[0].bucket_ns, 5 * BUCKET);
	assert_int_equal(message.signals.signals[0].good, 90);
	assert_int_equal(message.signals.signals[0].bad, 10);
	assert_int_equal(message_check(MESSAGE_ENGINE_TO_RECORDER, &message, message_size(MESSAGE_SIGNALS), 0), 0);
	watch_users_turn(&users, &config, 7 * BUCKET); /* nothing came: nothing is said */
	assert_false(watch_users_take(&users, &message));
}

/* Who only observes drops nothing. */
static void observing(void **state)
{
	(void)state;
	users.enforces = false;
	note("192.0.2.7", OBSERVATION_ANSWERED | OBSERVATION_DROPPED, BUCKET);
	watch_users_turn(&users, &config, 2 * BUCKET);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.signals.signals[0].good, 10);
	assert_int_equal(message.signals.signals[0].bad, 0);
}

static void services_change(void **state)
{
	struct config_service before_services[2] = { services[0], services[1] };
	const struct config before = { .services = before_services, .service_count = 2 };

	(void)state;
	note("192.0.2.7", OBSERVATION_ANSWERED, 2 * BUCKET);
	/* As the engine does it: another configuration comes where the one before stood. */
	services[0] = before_services[1];
	services[1] = before_services[0];
	watch_users_reload(&users, &before);
	note("192.0.2.7", OBSERVATION_ANSWERED, 2 * BUCKET);
	note("192.0.2.7", OBSERVATION_ANSWERED, 2 * BUCKET);
	watch_users_turn(&users, &config, 3 * BUCKET);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.signals.count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(message.signals.signals[i].component, "web");
		assert_int_equal(message.signals.signals[i].bucket_ns, 2 * BUCKET);
		assert_int_equal(message.signals.signals[i].good, i == 0 ? 10 : 20);
	}
	services[0] = before_services[0];
	services[1] = before_services[1];
	watch_users_reload(&users, &before);
	watch_users_turn(&users, &config, 4 * BUCKET);
	assert_false(watch_users_take(&users, &message));
}

/* Before anything was counted there is nothing to be told. */
static void reload_at_the_beginning(void **state)
{
	(void)state;
	watch_users_reload(&users, &config);
	watch_users_turn(&users, &config, BUCKET);
	assert_false(watch_users_take(&users, &message));
}

/* New connections of known clients, of services that are this host's own, beside the packets. */
static void new_connections(void **state)
{
	(void)state;
	services[0].forwarded = false;
	for (int i = 0; i < 40; i++)
		watch_users_connection(&users, &config, 0, i % 8 != 0, 5 * BUCKET + i);
	watch_users_connection(&users, &config, 1, false, 5 * BUCKET); /* no component's name */
	watch_users_connection(&users, &config, 2, false, 5 * BUCKET); /* none */
	watch_users_connection(&users, &config, UINT32_MAX, false, 5 * BUCKET);
	note("192.0.2.7", OBSERVATION_ANSWERED, 5 * BUCKET);
	watch_users_turn(&users, &config, 6 * BUCKET);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.signals.count, 2);
	assert_int_equal(message.signals.signals[0].kind, SIGNAL_CONNECTIONS);
	assert_int_equal(message.signals.signals[1].kind, SIGNAL_HANDSHAKES);
	assert_string_equal(message.signals.signals[1].component, "web");
	assert_int_equal(message.signals.signals[1].good, 35);
	assert_int_equal(message.signals.signals[1].bad, 5);
	services[0].forwarded = true; /* of what stands behind this host its sockets know nothing */
	watch_users_connection(&users, &config, 0, false, 6 * BUCKET);
	watch_users_turn(&users, &config, 7 * BUCKET);
	assert_false(watch_users_take(&users, &message));
	services[0].forwarded = false;
}

/* What a daemon that ends has counted of the bucket that lasts is not lost. */
static void at_the_end(void **state)
{
	(void)state;
	watch_users_finish(&users);
	assert_false(watch_users_take(&users, &message));
	note("192.0.2.7", OBSERVATION_ANSWERED, BUCKET);
	watch_users_finish(&users);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.signals.signals[0].bucket_ns, BUCKET);
	assert_int_equal(message.signals.signals[0].good, 10);
	watch_users_finish(&users);
	assert_false(watch_users_take(&users, &message));
}

static void nobody_takes_them(void **state)
{
	unsigned count = 0;

	(void)state;
	for (int i = 0; i < WATCH_USERS_WAITING_MAX + 3; i++) {
		note("192.0.2.7", OBSERVATION_ANSWERED, (i + 1) * BUCKET);
		watch_users_turn(&users, &config, (i + 2) * BUCKET);
	}
	assert_int_equal(users.signals_lost, 3);
	assert_true(watch_users_take(&users, &message));
	assert_int_equal(message.signals.count, MESSAGE_SIGNALS_MAX);
	watch_users_give_back(&users, &message);
	while (watch_users_take(&users, &message))
		count += message.signals.count;
	assert_int_equal(count, WATCH_USERS_WAITING_MAX);
	assert_int_equal(users.signals_lost, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_service_and_bucket, begin),
		cmocka_unit_test_setup(observing, begin),
		cmocka_unit_test_setup(services_change, begin),
		cmocka_unit_test_setup(reload_at_the_beginning, begin),
		cmocka_unit_test_setup(new_connections, begin),
		cmocka_unit_test_setup(at_the_end, begin),
		cmocka_unit_test_setup(nobody_takes_them, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
