/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks on a schedule, and the way home of what they came to, without a process: servers that answer, refuse, hang or
 * talk nonsense are the test's; clocks that are set; queues that are full.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/probe_home.h"
#include "daemon/probing.h"
#include "web_server.h"

#define KEY "0123456789abcdef"
#define NOW_NS (1795788000 * NS_PER_S)
#define TURNS 4000 /* of 5 ms: for what is sure to come */

/* ---- the way home ---- */

static struct probe_home *home;
static int server;
static uint16_t port;
static int64_t now_ns;
static char id[PROBE_REPORT_ID_SIZE], signature[DIGEST_SHA256_TEXT_SIZE];

static void begin_home(void)
{
	char url[64];

	server = listener(&port);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u//", port);
	assert_int_equal(probe_home_new(url, "paris-1", KEY, strlen(KEY), &home), 0);
	now_ns = NOW_NS;
}

static void end_home(void)
{
	probe_home_free(home);
	(void)close(server);
}

static struct signal_count a_signal(uint32_t good)
{
	struct signal_count signal = { .bucket_ns = count_bucket(NOW_NS), .kind = SIGNAL_PROBE, .good = good };

	(void)snprintf(signal.component, sizeof(signal.component), "web");
	return signal;
}

static void put(uint32_t good)
{
	struct signal_count signal = a_signal(good);

	assert_int_equal(probe_home_put(home, &signal, 1, now_ns), 0);
}

static void copy_word(const char *behind, char *to, size_t size)
{
	const char *at = strcasestr(request, behind);

	assert_non_null(at);
	at += strlen(behind);
	(void)snprintf(to, size, "%.*s", (int)strcspn(at, "\r\n\""), at);
}

/* The next report at home's door, whole and signed as of now. Its connection. */
static int comes(void)
{
	char stamp[32];
	const char *body;
	int connection = -1;

	for (unsigned i = 0; i < TURNS && connection < 0; i++) {
		assert_int_equal(probe_home_turn(home, now_ns, 5), 0);
		connection = take_request(server, 0);
	}
	assert_true(connection >= 0);
	assert_int_equal(strncmp(request, "POST /api/v1/probe HTTP/1.1\r\n", 29), 0);
	copy_word("\"id\":\"", id, sizeof(id));
	copy_word("\r\n" PROBE_REPORT_SIGNATURE ": ", signature, sizeof(signature));
	copy_word("\r\n" PROBE_REPORT_TIMESTAMP ": ", stamp, sizeof(stamp));
	assert_int_equal(strtoll(stamp, NULL, 10), now_ns / NS_PER_S);
	body = strstr(request, "\r\n\r\n") + 4;
	assert_true(probe_report_signed(KEY, strlen(KEY), now_ns / NS_PER_S, now_ns / NS_PER_S, body, strlen(body),
	                                signature));
	return connection;
}

static void settles(void)
{
	for (unsigned i = 0; i < TURNS && probe_home_is_busy(home); i++)
		assert_int_equal(probe_home_turn(home, now_ns, 5), 0);
	assert_false(probe_home_is_busy(home));
}

static void answer(const char *status)
{
	respond(comes(), status, "");
	settles();
}

/* Nothing is sent however often it is turned. */
static void is_quiet(void)
{
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(probe_home_turn(home, now_ns, 1), 0);
	assert_false(probe_home_is_busy(home));
	assert_int_equal(take_request(server, 0), -1);
}

static void it_is_tried_again(void **state)
{
	static const char *const later[] = { "401 Unauthorized", "408 Request Timeout", "429 Too Many Requests",
		                             "500 Oops", "503 Busy" };
	char first[PROBE_REPORT_ID_SIZE], before[DIGEST_SHA256_TEXT_SIZE];
	int64_t pause_ns = PROBE_HOME_PAUSE_NS;

	(void)state;
	begin_home();
	put(7);
	respond(comes(), "503 Busy", "");
	settles();
	memcpy(first, id, sizeof(first));
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		memcpy(before, signature, sizeof(before));
		now_ns += pause_ns - 1;
		is_quiet();
		now_ns += 1;
		pause_ns *= 2;
		answer(later[i]);
		assert_string_equal(id, first);
		assert_string_not_equal(signature, before); /* of another time */
		assert_int_equal(probe_home_numbers(home).waiting, 1);
		assert_string_not_equal(probe_home_numbers(home).what, "");
	}
	now_ns += pause_ns;
	(void)close(comes()); /* without a word */
	settles();
	now_ns -= 86400 * NS_PER_S; /* somebody sets the clock back: that is not waited for */
	answer("204 No Content");
	assert_string_equal(id, first);
	assert_int_equal(probe_home_numbers(home).sent, 1);
	assert_int_equal(probe_home_numbers(home).waiting, 0);
	assert_string_equal(probe_home_numbers(home).what, "");
	end_home();
}

/* What home will never take is given up, and the next goes; a redirect is followed nowhere. */
static void it_is_given_up(void **state)
{
	static const char *const never[] = { "400 Bad Request", "404 Not Found", "413 Too Large", "302 Found" };

	(void)state;
	begin_home();
	for (uint32_t i = 0; i < 5; i++)
		put(i);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		answer(never[i]);
		assert_int_equal(probe_home_numbers(home).refused, i + 1);
	}
	answer("204 No Content");
	assert_non_null(strstr(request, "\"good\":4"));
	assert_int_equal(probe_home_numbers(home).sent, 1);
	put(9);
	now_ns += PROBE_HOME_AGE_NS + 1;
	is_quiet();
	assert_int_equal(probe_home_numbers(home).lost, 1);
	end_home();
}

static void nonsense_is_no_answer(void **state)
{
	static const char nonsense[] = "SSH-2.0-none\r\n";
	int connection;

	(void)state;
	begin_home();
	put(1);
	connection = comes();
	assert_int_equal(write(connection, nonsense, strlen(nonsense)), strlen(nonsense));
	(void)close(connection);
	settles();
	assert_int_equal(probe_home_numbers(home).sent, 0);
	assert_int_equal(probe_home_numbers(home).waiting, 1);
	end_home();
}

/* The oldest go; of what goes while it is under way no answer counts for another. */
static void the_queue_is_bounded(void **state)
{
	struct signal_count signals[PROBE_REPORT_SIGNALS_MAX + 1] = { { .good = 1 } };
	int connection;

	(void)state;
	begin_home();
	assert_int_equal(probe_home_put(home, signals, 0, now_ns), -EINVAL);
	assert_int_equal(probe_home_put(home, signals, PROBE_REPORT_SIGNALS_MAX + 1, now_ns), -EINVAL);
	for (uint32_t i = 0; i < PROBE_HOME_QUEUE_MAX; i++)
		put(1000 + i);
	connection = comes();
	assert_non_null(strstr(request, "\"good\":1000"));
	put(2000);
	put(2001);
	assert_int_equal(probe_home_numbers(home).lost, 2);
	assert_int_equal(probe_home_numbers(home).waiting, PROBE_HOME_QUEUE_MAX);
	respond(connection, "204 No Content", "");
	settles();
	assert_int_equal(probe_home_numbers(home).waiting, PROBE_HOME_QUEUE_MAX);
	answer("204 No Content");
	assert_non_null(strstr(request, "\"good\":1002"));
	assert_int_equal(probe_home_numbers(home).waiting, PROBE_HOME_QUEUE_MAX - 1);
	end_home();
}

/* ---- checks ---- */

static struct config config;
static struct probing *probing;

static void begin_probing(const char *checks)
{
	static struct config_errors errors;
	char text[4096];

	(void)snprintf(text, sizeof(text), "probes:\n  every: 60s\n  vantage: paris-1\n  network: 64500\n%s", checks);
	memset(&errors, 0, sizeof(errors));
	if (config_parse(text, strlen(text), "c.yaml", &config, &errors) != 0)
		fail_msg("%s", errors.lines[0]);
	now_ns = NOW_NS;
	assert_int_equal(probing_new(&config.probes, 5, now_ns, &probing), 0);
}

static void end_probing(void)
{
	probing_free(probing);
	config_fini(&config);
}

/* Until so many have ended; a turn takes a second of the clock. */
static void checked(uint64_t count)
{
	for (unsigned i = 0; i < TURNS && probing_numbers(probing).checks < count; i++) {
		assert_int_equal(probing_turn(probing, now_ns, NULL, 0, 5), 0);
		now_ns += NS_PER_S;
	}
	assert_true(probing_numbers(probing).checks >= count);
}

static uint16_t closed_port(void)
{
	uint16_t free_port;
	int fd = listener(&free_port);

	(void)close(fd);
	return free_port;
}

static void what_fails_is_named(void **state)
{
	struct signal_count signals[8];
	char text[2048], says[256];
	uint32_t taken, good = 0, bad = 0;
	int64_t before_ns;

	(void)state;
	server = listener(&port);
	(void)snprintf(text, sizeof(text),
	               "  checks:\n  - { name: up, component: web, target: \"tcp://127.0.0.1:%u\" }\n"
	               "  - { name: down, component: web, target: \"tcp://127.0.0.1:%u\" }\n",
	               port, closed_port());
	begin_probing(text);
	assert_false(probing_failing(probing, says, sizeof(says)));
	checked(2);
	assert_true(probing_failing(probing, says, sizeof(says)));
	assert_string_equal(says, "1 of 2 checks fails: down, refused the connection");
	assert_int_equal(probing_numbers(probing).failed, 1);
	assert_false(probing_numbers(probing).blind);
	taken = probing_take(probing, signals, 8);
	for (uint32_t i = 0; i < taken; i++) {
		assert_int_equal(signals[i].network, 64500);
		assert_string_equal(signals[i].vantage, "paris-1");
		good += signals[i].good;
		bad += signals[i].bad;
	}
	assert_int_equal(good, 1);
	assert_int_equal(bad, 1);
	assert_int_equal(probing_take(probing, signals, 8), 0);
	/* The clock is set back by a day: they go on. */
	before_ns = now_ns -= 86400 * NS_PER_S;
	checked(4);
	assert_true(now_ns - before_ns <= 120 * NS_PER_S);
	end_probing();
	(void)close(server);
}

/*
 * More than may be under way begin one after the other, and none is left out, though each hangs until its time is over.
 */
static void all_hang(void **state)
{
	char text[4096];
	size_t length;

	(void)state;
	server = listener(&port);
	length = (size_t)snprintf(text, sizeof(text), "  checks:\n");
	for (unsigned i = 0; i < 11; i++)
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			"  - { name: h%u, component: web, target: \"http://127.0.0.1:%u/\", timeout: 1s }\n", i, port);
	begin_probing(text);
	now_ns += 120 * NS_PER_S; /* all are due */
	for (unsigned i = 0; i < TURNS && probing_numbers(probing).checks < 11; i++)
		assert_int_equal(probing_turn(probing, now_ns, NULL, 0, 5), 0);
	assert_int_equal(probing_numbers(probing).checks, 11);
	assert_int_equal(probing_numbers(probing).failed, 11);
	assert_true(probing_failing(probing, text, sizeof(text)));
	assert_non_null(strstr(text, "11 of 11 checks fail: h0, "));
	end_probing();
	(void)close(server);
}

/* Where what surely is up does not answer, it is us; each component is told once. */
static void is_it_me(void **state)
{
	struct signal_count signals[16];
	char text[2048];
	uint32_t taken, canaries = 0;

	(void)state;
	server = listener(&port);
	(void)snprintf(text, sizeof(text),
	               "  canaries: [\"tcp://127.0.0.1:%u\", \"tcp://127.0.0.1:%u\", \"tcp://127.0.0.1:%u\"]\n"
	               "  checks:\n  - { name: a, component: web, target: \"tcp://127.0.0.1:%u\" }\n"
	               "  - { name: b, component: web, target: \"tcp://127.0.0.1:%u\" }\n"
	               "  - { name: c, component: mail, target: \"tcp://127.0.0.1:%u\" }\n",
	               closed_port(), closed_port(), port, port, port, port);
	begin_probing(text);
	checked(6);
	assert_true(probing_numbers(probing).blind);
	assert_false(probing_failing(probing, text, sizeof(text))); /* a canary is no check */
	taken = probing_take(probing, signals, 16);
	for (uint32_t i = 0; i < taken; i++)
		if (signals[i].kind == SIGNAL_CANARY) {
			assert_int_equal(signals[i].good, 1);
			assert_int_equal(signals[i].bad, 2);
			canaries++;
		}
	assert_int_equal(canaries, 2);
	end_probing();
	(void)close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_tried_again),
		cmocka_unit_test(it_is_given_up),
		cmocka_unit_test(nonsense_is_no_answer),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(what_fails_is_named),
		cmocka_unit_test(all_hang),
		cmocka_unit_test(is_it_me),
	};

	return cmocka_run_group_tests_name("probing", tests, NULL, NULL);
}
