/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sandbox.h"

#define NONE 77 /* a kernel without Landlock */

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* In a process of its own, for nothing of this is taken back. Which of the checks does not hold; 0: they all do. */
static int confined(const char *pins)
{
	char path[64];
	int result = sandbox_seal();

	if (result == 0)
		result = sandbox_confine_to_pins(pins);
	if (result == -ENOSYS || result == -EOPNOTSUPP)
		return NONE;
	if (result != 0)
		return 1;
	if (!opens("/proc/self/net/tcp", O_RDONLY) || !opens("/sys/devices/system/cpu/possible", O_RDONLY))
		return 2;
	if (opens("/etc/passwd", O_RDONLY) || opens("/etc", O_RDONLY | O_DIRECTORY))
		return 3;
	if (opens("/proc/self/comm", O_WRONLY) || opens("/tmp/holdfast-sandbox", O_RDWR | O_CREAT))
		return 4;
	(void)snprintf(path, sizeof(path), "%s/next", pins);
	if (mkdir(path, 0700) != 0 || rmdir(path) != 0 || !opens(pins, O_RDONLY | O_DIRECTORY))
		return 5;
	return 0;
}

static void the_loader_has_its_pins_and_what_the_kernel_shows(void **state)
{
	char pins[] = "/tmp/holdfast-pins-XXXXXX";
	int status = 0;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(pins));
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(confined(pins));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(rmdir(pins), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NONE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loader_has_its_pins_and_what_the_kernel_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
