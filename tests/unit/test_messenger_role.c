/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messenger's role: what the engine tells arrives at a web server that this test plays, once, in order, again where
 * it was refused for the moment and never where it was refused for good; a server that hangs holds up nobody else;
 * scripts that do not read, fail, or hang do no harm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/time.h"
#include "daemon/alert_files.h"
#include "daemon/runner.h"
#include "role_child.h"
#include "web_server.h"

#define KEY "0123456789abcdef"

static char folder[] = "/tmp/holdfast-messenger-XXXXXX";
static pid_t messenger;
static int parent_end, engine_end;

static pid_t tester;

/*
 * The search for leaks begins a thread, which this role alone of all may, and then wants to read what it may not: it
 * would end the role with an error. So it looks at the test's own process only.
 */
int __lsan_is_turned_off(void); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __lsan_is_turned_off(void)  /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
{
	return getpid() != tester;
}

static json_t *body_of_request(void)
{
	const char *body = strstr(request, "\r\n\r\n");
	json_t *json = body ? json_loads(body + 4, 0, NULL) : NULL;

	assert_non_null(json);
	return json;
}

static bool body_has(const char *key, const char *value)
{
	json_t *json = body_of_request();
	const char *text = json_string_value(json_object_get(json, key));
	bool has = text && strcmp(text, value) == 0;

	json_decref(json);
	return has;
}

/* ---- the role ---- */

static int begin(const char *config, const char *key)
{
	const struct role_start start = { .uid = getuid(), .gid = getgid() };
	int parent_ends[2], engine_ends[2];

	channel(parent_ends);
	channel(engine_ends);
	messenger = role_child_start(messenger_role, &start, (int[]){ parent_ends[1], engine_ends[1] }, 2);
	assert_true(messenger > 0);
	(void)close(parent_ends[1]);
	(void)close(engine_ends[1]);
	parent_end = parent_ends[0];
	engine_end = engine_ends[0];
	configure(parent_end, config, key);
	return applied(parent_end);
}

static int end(void)
{
	int status;

	(void)close(parent_end);
	status = role_child_end(messenger);
	(void)close(engine_end);
	return status;
}

static void tell(enum alert_change change, uint64_t incident, uint64_t pps)
{
	message_init(&message, MESSAGE_ALERT, 0);
	message.alert = (struct alert){ .change = change,
		                        .incident = incident,
		                        .time_ns = 1741599912 * NS_PER_S,
		                        .began_ns = 1741599912 * NS_PER_S,
		                        .pps = pps,
		                        .host = "edge1",
		                        .service = "web",
		                        .target = "192.0.2.10",
		                        .vector = "ntp_reflection" };
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
}

/* Waits until the messenger says that so many were sent and failed. */
static const struct message_alerted *told(uint64_t sent, uint64_t failed)
{
	do
		await(engine_end, MESSAGE_MESSENGER_TO_ENGINE, MESSAGE_ALERTED);
	while (message.alerted.sent < sent || message.alerted.failed < failed);
	assert_int_equal(message.alerted.sent, sent);
	assert_int_equal(message.alerted.failed, failed);
	return &message.alerted;
}

static const char *config_of(const char *type, unsigned port, const char *more)
{
	static char text[512];

	(void)snprintf(text, sizeof(text), "alerts: [{ name: hook, type: %s, url: \"http://127.0.0.1:%u/in\"%s }]",
	               type, port, more);
	return text;
}

static void skip_unless_root(void)
{
	if (geteuid() != 0)
		skip();
}

/* ---- tests ---- */

static void began_and_ended(void **state)
{
	uint16_t port;
	int server = listener(&port), connection;

	(void)state;
	skip_unless_root();
	assert_int_equal(begin(config_of("pagerduty", port, ", key_file: /k"), KEY "\n"), 0);
	tell(ALERT_BEGAN, 7, 1000);
	connection = take_request(server, WEB_WAIT_MS);
	assert_non_null(strstr(request, "POST /in/v2/enqueue HTTP/1.1\r\n"));
	assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
	assert_true(body_has("routing_key", KEY) && body_has("event_action", "trigger"));
	tell(ALERT_WORSE, 7, 1500); /* not worth a word */
	tell(ALERT_STANDING, 8, 1500);
	tell(ALERT_ENDED, 7, 0);
	assert_int_equal(take_request(server, 300), -1); /* in order: it waits for the first */
	respond(connection, "202 Accepted", "");
	connection = take_request(server, WEB_WAIT_MS);
	assert_true(body_has("event_action", "resolve") && body_has("dedup_key", "0000000000000007"));
	respond(connection, "202 Accepted", "");
	assert_string_equal(told(2, 0)->state, "ok");
	assert_int_equal(end(), 0);
	(void)close(server);
}

static void again_or_never(void **state)
{
	uint16_t port;
	int server = listener(&port), connection;

	(void)state;
	skip_unless_root();
	assert_int_equal(begin(config_of("webhook", port, ", key_file: /k"), KEY), 0);
	tell(ALERT_BEGAN, 1, 1000);
	for (unsigned i = 0; i < 2; i++) {
		connection = take_request(server, WEB_WAIT_MS);
		assert_non_null(strstr(request, "\r\nAuthorization: Bearer " KEY "\r\n"));
		respond(connection, i ? "429 Too Many Requests" : "503 Service Unavailable", "");
	}
	connection = take_request(server, WEB_WAIT_MS);
	assert_true(body_has("key", "0000000000000001"));
	respond(connection, "200 OK", "");
	(void)told(1, 0);
	/* A redirect is not followed, whatever it leads to; what is refused for good is not sent again. */
	tell(ALERT_BEGAN, 2, 1000);
	connection = take_request(server, WEB_WAIT_MS);
	respond(connection, "302 Found", "Location: file:///etc/passwd\r\n");
	assert_string_equal(told(1, 1)->state, "hook: HTTP 302");
	tell(ALERT_BEGAN, 3, 1000);
	connection = take_request(server, WEB_WAIT_MS);
	assert_true(body_has("key", "0000000000000003"));
	respond(connection, "403 Forbidden", "");
	assert_string_equal(told(1, 2)->state, "hook: HTTP 403");
	assert_null(strstr(message.alerted.state, KEY));
	assert_int_equal(end(), 0);
	(void)close(server);
}

static void one_that_hangs(void **state)
{
	uint16_t port, other;
	int hanging = listener(&port), server = listener(&other), connection, held;
	char text[512];

	(void)state;
	skip_unless_root();
	(void)snprintf(text, sizeof(text),
	               "alerts:\n  - { name: slow, type: webhook, url: \"http://127.0.0.1:%u/\" }\n"
	               "  - { name: good, type: alertmanager, url: \"http://localhost:%u\" }\n",
	               port, other);
	assert_int_equal(begin(text, ""), 0);
	tell(ALERT_BEGAN, 1, 1000);
	held = take_request(hanging, WEB_WAIT_MS); /* and no answer */
	for (uint64_t i = 2; i < 6; i++)
		tell(ALERT_BEGAN, i, 1000);
	for (unsigned i = 1; i < 6; i++) {
		connection = take_request(server, WEB_WAIT_MS);
		assert_non_null(strstr(request, "POST /api/v2/alerts HTTP/1.1\r\n"));
		respond(connection, "200 OK", "");
	}
	assert_int_equal(told(5, 0)->queued, 5);
	(void)close(held);
	assert_int_equal(end(), 0);
	(void)close(server);
	(void)close(hanging);
}

static void a_test(void **state)
{
	uint16_t port;
	int server = listener(&port), connection;

	(void)state;
	skip_unless_root();
	assert_int_equal(begin(config_of("webhook", port, ""), ""), 0);
	for (unsigned i = 0; i < 2; i++) {
		message_init(&message, MESSAGE_TEST_ALERT, 70 + i);
		message_text(message.target, sizeof(message.target), "hook");
		assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
		connection = take_request(server, WEB_WAIT_MS);
		assert_non_null(strstr(request, "Test of alerts to hook"));
		respond(connection, i ? "500 Oops" : "200 OK", "");
		await(engine_end, MESSAGE_MESSENGER_TO_ENGINE, MESSAGE_TESTED);
		assert_int_equal(message.id, 70 + i);
		assert_int_equal(message.answer.result, i ? -EAGAIN : 0); /* a test is not tried again */
		assert_string_equal(message.answer.what, i ? "HTTP 500" : "HTTP 200");
	}
	message_init(&message, MESSAGE_TEST_ALERT, 99);
	message_text(message.target, sizeof(message.target), "none");
	assert_int_equal(message_send(engine_end, &message, NULL, 0), 0);
	await(engine_end, MESSAGE_MESSENGER_TO_ENGINE, MESSAGE_TESTED);
	assert_int_equal(message.answer.result, -ENOENT);
	assert_int_equal(take_request(server, 100), -1);
	assert_int_equal(end(), 0);
	(void)close(server);
}

static void nobody_there(void **state)
{
	uint16_t port;
	int server = listener(&port);

	(void)state;
	skip_unless_root();
	(void)close(server);
	assert_int_equal(begin(config_of("webhook", port, ", min_pps: 500"), ""), 0);
	tell(ALERT_BEGAN, 1, 499); /* too small for it */
	tell(ALERT_BEGAN, 2, 500);
	do
		await(engine_end, MESSAGE_MESSENGER_TO_ENGINE, MESSAGE_ALERTED);
	while (strcmp(message.alerted.state, "ok") == 0);
	assert_non_null(strstr(message.alerted.state, "hook: "));
	assert_int_equal(message.alerted.queued, 1);
	assert_int_equal(end(), 0);
}

/* ---- scripts ---- */

static const char *script(const char *name, const char *text)
{
	static char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "#!/bin/sh\n%s", text) > 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static struct runner_job job_of(size_t length)
{
	struct runner_job job = { .token = 5, .length = (uint32_t)length };

	memset(job.input, 'x', length);
	(void)snprintf(job.arguments[0], sizeof(job.arguments[0]), "192.0.2.10");
	(void)snprintf(job.arguments[1], sizeof(job.arguments[1]), "incoming");
	(void)snprintf(job.arguments[2], sizeof(job.arguments[2]), "4100000");
	(void)snprintf(job.arguments[3], sizeof(job.arguments[3]), "ban");
	return job;
}

static void scripts(void **state)
{
	static const struct {
		const char *name, *text;
		size_t length;
		int64_t for_ns;
		int result;
		const char *what;
	} rows[] = {
		{ "reads", "[ $(cat | wc -c) = 8192 ] || exit 9\n", RUNNER_INPUT_MAX, 10 * NS_PER_S, 0,
		  "exit status 0" },
		{ "reads-not", "exit 0\n", RUNNER_INPUT_MAX, 10 * NS_PER_S, 0, "exit status 0" },
		{ "closes", "exec <&-; sleep .2; exit 0\n", RUNNER_INPUT_MAX, 10 * NS_PER_S, 0, "exit status 0" },
		{ "fails", "exit 3\n", 10, 10 * NS_PER_S, -EPERM, "exit status 3" },
		{ "hangs", "sleep 60 & sleep 60\n", 10, NS_PER_S, -EPERM, "killed after 1 s" },
		{ "dies", "kill -9 $$\n", 10, 10 * NS_PER_S, -EPERM, "ended by signal 9" },
		{ "arguments", "[ \"$*\" = '192.0.2.10 incoming 4100000 ban' ] && [ -z \"$HOME\" ] && [ $(pwd) = / ]\n",
		  10, 10 * NS_PER_S, 0, "exit status 0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct runner_job job = job_of(rows[i].length);
		struct runner_result result;
		int64_t began_ns = role_monotonic_ns();

		runner_run(script(rows[i].name, rows[i].text), &job, rows[i].for_ns, &result);
		if (result.result != rows[i].result || strcmp(result.what, rows[i].what) != 0)
			fail_msg("%s: %d, %s", rows[i].name, result.result, result.what);
		assert_true(role_monotonic_ns() - began_ns < 5 * NS_PER_S);
		assert_int_equal(result.token, 5);
	}
}

/* Nobody can begin its process anew in here: the messenger ends, and the parent begins another. */
static void a_script_s_process_that_dies(void **state)
{
	char text[512];

	(void)state;
	skip_unless_root();
	(void)snprintf(text, sizeof(text), "alerts: [{ name: fnm, type: script, script: %s }]",
	               script("kills", "kill -9 $PPID\n"));
	assert_int_equal(begin(text, ""), 0);
	tell(ALERT_BEGAN, 1, 4100000);
	assert_int_equal(role_child_end(messenger), 0);
	(void)close(parent_end);
	(void)close(engine_end);
}

static void a_script_in_the_role(void **state)
{
	char text[512], command[256], out[160], line[256] = "";
	FILE *file;

	(void)state;
	skip_unless_root();
	(void)snprintf(out, sizeof(out), "%s/out", folder);
	file = fopen(out, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(out, 0666), 0);
	(void)snprintf(command, sizeof(command), "echo \"$1 $2 $3 $4 $(id -u) $(head -1)\" >>%s\n", out);
	(void)snprintf(text, sizeof(text), "alerts: [{ name: fnm, type: script, script: %s }]",
	               script("notify", command));
	assert_int_equal(begin(text, ""), 0);
	tell(ALERT_BEGAN, 1, 4100000);
	tell(ALERT_WORSE, 1, 400000000); /* not for scripts */
	tell(ALERT_ENDED, 1, 0);
	(void)told(2, 0);
	assert_int_equal(end(), 0);
	file = fopen(out, "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line,
	                    "192.0.2.10 incoming 4100000 ban 0 Attack on web 192.0.2.10: ntp_reflection, 4.1 Mpps, "
	                    "0 bit/s, since 09:45:12 UTC; mode observe: nothing is dropped\n");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "192.0.2.10 incoming 0 unban 0 "));
	assert_null(fgets(line, sizeof(line), file));
	(void)fclose(file);
}

static void files_of_keys(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		int result;
	} rows[] = {
		{ KEY "\n", 0600, 0 }, { " " KEY " \n\n", 0640, 0 },     { KEY "\n", 0604, -EACCES },
		{ "", 0600, -EINVAL }, { "two words\n", 0600, -EINVAL },
	};
	char path[128], error[CONFIG_ERROR_SIZE] = "", key[ALERT_SECRET_SIZE];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *file = fopen(path, "w");
		int fd;

		assert_non_null(file);
		assert_true(fputs(rows[i].text, file) >= 0);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		fd = alert_key_open(path, error);
		if (rows[i].result) {
			assert_int_equal(fd, rows[i].result);
			assert_null(strstr(error, KEY));
			continue;
		}
		assert_int_equal(alert_key_read(fd, key), 0);
		assert_string_equal(key, KEY);
		(void)close(fd);
	}
	assert_int_equal(alert_key_open("/no/such/key", error), -ENOENT);
	assert_int_equal(alert_key_open("/dev/null", error), -EINVAL);
	if (geteuid() == 0) {
		const char *good = script("owned", "exit 0\n");

		assert_int_equal(alert_script_check(good, error), 0);
		assert_int_equal(chmod(good, 0775), 0);
		assert_int_equal(alert_script_check(good, error), -EPERM);
		assert_int_equal(chmod(good, 0644), 0);
		assert_int_equal(alert_script_check(good, error), -EPERM);
	}
	assert_int_equal(alert_script_check("/no/such", error), -ENOENT);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && chmod(folder, 0755) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT(cert-env33-c): of a name made here */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(began_and_ended),
		cmocka_unit_test(again_or_never),
		cmocka_unit_test(one_that_hangs),
		cmocka_unit_test(a_test),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(scripts),
		cmocka_unit_test(files_of_keys),
		cmocka_unit_test(a_script_in_the_role),
		cmocka_unit_test(a_script_s_process_that_dies),
	};

	tester = getpid();
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
