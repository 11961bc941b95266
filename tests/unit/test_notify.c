/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told, by a socket that the test holds in its place. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/notify.h"

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&address,
	                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
	                 0);
	return fd;
}

static void assert_told(int fd, const char *wanted)
{
	char text[256] = "";

	assert_int_equal(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), strlen(wanted));
	assert_string_equal(text, wanted);
}

static void nobody_to_tell(void **state)
{
	struct notify notify;

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(notify_open(&notify), 0);
	assert_int_equal(notify.fd, -1);
	assert_int_equal(notify.watchdog_ns, 0);
	notify_send(&notify, "READY=1");
	notify_close(&notify);
}

static void somebody_to_tell(void **state)
{
	char folder[] = "/tmp/holdfast-notify-XXXXXX", path[64], abstract[64];
	const char *names[2] = { path, abstract };

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/s", folder);
	(void)snprintf(abstract, sizeof(abstract), "@holdfast-notify-%d", (int)getpid());
	for (unsigned i = 0; i < 2; i++) {
		int fd = listen_at(names[i]);
		struct notify notify;

		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
		assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
		assert_int_equal(notify_open(&notify), 0);
		assert_int_equal(notify.watchdog_ns, 3 * NS_PER_S);
		assert_null(getenv("NOTIFY_SOCKET")); /* not our children's */
		notify_send(&notify, "READY=1\nSTATUS=well");
		assert_told(fd, "READY=1\nSTATUS=well");
		notify_reloading(&notify, 5 * NS_PER_S);
		assert_told(fd, "RELOADING=1\nMONOTONIC_USEC=5000000");
		(void)close(fd);
		notify_send(&notify, "READY=1"); /* who is gone is not told, and that is all */
		notify_close(&notify);
		assert_int_equal(notify.fd, -1);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void what_is_not_for_us(void **state)
{
	static const char *const odd[] = { "", "abc", "-3", "99999999999999999999", "1x" };
	struct notify notify;
	char longer[200];

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(setenv("WATCHDOG_USEC", odd[i], 1), 0);
		assert_int_equal(notify_open(&notify), 0);
		assert_int_equal(notify.watchdog_ns, 0);
	}
	assert_int_equal(setenv("WATCHDOG_USEC", "3000000", 1), 0);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0); /* another's */
	assert_int_equal(notify_open(&notify), 0);
	assert_int_equal(notify.watchdog_ns, 0);
	memset(longer, '/', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", longer, 1), 0);
	assert_int_equal(notify_open(&notify), -EINVAL);
	assert_int_equal(setenv("NOTIFY_SOCKET", "vsock:2:1", 1), 0);
	assert_int_equal(notify_open(&notify), -EINVAL);
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/s", 1), 0);
	assert_int_equal(notify_open(&notify), -ENOENT);
	assert_int_equal(notify.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_to_tell),
		cmocka_unit_test(somebody_to_tell),
		cmocka_unit_test(what_is_not_for_us),
	};

	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
