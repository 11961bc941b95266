/* SPDX-License-Identifier: Apache-2.0 */
/* What SSH_CONNECTION says, right and wrong, and where it is found: in the own environment, or in an ancestor's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/session.h"

static void good(const char *connection, const char *expected)
{
	char text[SESSION_TEXT_SIZE];
	struct session session;

	assert_int_equal(session_parse(connection, &session), 0);
	assert_string_equal(session_format(&session, text), expected);
}

static void test_good(void **state)
{
	(void)state;
	good("203.0.113.7 50000 192.0.2.10 22", "203.0.113.7 50000 22");
	good("2001:db8::7 1 2001:db8::1 65535", "2001:db8::7 1 65535");
	good("fe80::1%eth0 50000 fe80::2%eth0 2222", "fe80::1 50000 2222");
	good("::ffff:203.0.113.7 50000 ::ffff:192.0.2.10 22", "203.0.113.7 50000 22");
	good("  203.0.113.7  50000   192.0.2.10 22 and more", "203.0.113.7 50000 22");
}

/* Wrong ones leave the session as it was. */
static void test_wrong(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"203.0.113.7",
		"203.0.113.7 50000",
		"203.0.113.7 50000 192.0.2.10",
		"203.0.113.7 50000 192.0.2.10 0",
		"203.0.113.7 50000 192.0.2.10 65536",
		"203.0.113.7 50000 192.0.2.10 22x",
		"203.0.113.7 -1 192.0.2.10 22",
		"203.0.113.7 +1 192.0.2.10 22",
		"203.0.113.7 x 192.0.2.10 22",
		"203.0.113.0/24 50000 192.0.2.10 22",
		"nowhere 50000 192.0.2.10 22",
		"203.0.113.7 50000 nowhere 22",
		"203.0.113.7 99999999999999999999 192.0.2.10 22",
		"1111111111111111111111111111111111111111111111111111111111111111111111111 50000 192.0.2.10 22",
	};
	struct session session, before;

	(void)state;
	memset(&session, 0x5a, sizeof(session));
	before = session;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(session_parse(wrong[i], &session), -EINVAL);
		assert_memory_equal(&session, &before, sizeof(session));
	}
}

static void test_own(void **state)
{
	char text[SESSION_TEXT_SIZE];
	struct session session;

	(void)state;
	assert_int_equal(setenv("SSH_CONNECTION", "203.0.113.7 50000 192.0.2.10 22", 1), 0);
	assert_int_equal(session_find(&session), 0);
	assert_string_equal(session_format(&session, text), "203.0.113.7 50000 22");
}

/* The exit status of a process whose grandparent, not itself nor its parent, began with the variable. */
static int find_in_grandchild(void)
{
	struct session session;
	pid_t child;
	int status;

	(void)unsetenv("SSH_CONNECTION"); /* as sudo does; in /proc it stands as the process began */
	child = fork();
	if (child == 0)
		_exit(session_find(&session) == 0 && session.client_port == 50001 ? 0 : 1);
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void test_ancestor(void **state)
{
	char *const arguments[] = { (char[]){ "test_session" }, (char[]){ "grandchild" }, NULL };
	char *const environment[] = { (char[]){ "A=B" }, (char[]){ "SSH_CONNECTION=203.0.113.7 50001 192.0.2.10 22" },
		                      NULL };
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		(void)execve("/proc/self/exe", arguments, environment);
		_exit(3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_ancestor),
	};

	if (argc == 2 && strcmp(argv[1], "grandchild") == 0)
		return find_in_grandchild();
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
