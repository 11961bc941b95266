/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to a role that has given up its rights. Each case is a process of its own, which does what it should not
 * and tells by its end what came of it. No rights are needed; where the kernel lacks Landlock, its case is skipped.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sandbox.h"

#define PASSWD "/etc/passwd"

enum { UNABLE = 77, KILLED = 1000 };

/* Runs `deed` in a process that has become `role`; its status, or KILLED and the signal. */
static int in_role(enum role role, int (*deed)(void))
{
	int status;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (sandbox_seal() != 0 || sandbox_filter(role) != 0)
			_exit(90);
		_exit(deed());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Deeds end with 0, or errno. */

static int deed_read(void)
{
	int fd = open(PASSWD, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int deed_write(void)
{
	int fd = open("/tmp/holdfast-sandbox", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)unlink("/tmp/holdfast-sandbox");
	return 0;
}

static int deed_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
}

static int deed_bpf(unsigned command)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_fd = 1000; /* there is none */
	if (syscall(SYS_bpf, command, &attributes, sizeof(attributes)) >= 0)
		return 0;
	return errno == EPERM ? EBADF : errno; /* before Linux 6.0 this is not for everybody */
}

static int deed_look_up(void)
{
	return deed_bpf(BPF_MAP_LOOKUP_ELEM);
}

static int deed_load(void)
{
	return deed_bpf(BPF_PROG_LOAD);
}

static int deed_update(void)
{
	return deed_bpf(BPF_MAP_UPDATE_ELEM);
}

static int deed_execute(void)
{
	char *arguments[] = { (char[]){ "true" }, NULL };

	(void)execv("/bin/true", arguments);
	return errno;
}

static int deed_root(void)
{
	return setuid(0) != 0 ? errno : 0;
}

static int deed_live(void)
{
	char *memory = malloc(1 << 20);

	if (!memory)
		return ENOMEM;
	memset(memory, 1, 1 << 20);
	free(memory);
	(void)alarm(30);
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static void system_calls(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		int (*deed)(void);
		int loader, engine, recorder, messenger;
	} cases[] = {
		{ "live", deed_live, 0, 0, 0, 0 },
		{ "read a file", deed_read, 0, 0, 0, 0 },
		{ "write a file", deed_write, 0, ENOSYS, 0, ENOSYS },
		{ "make a socket", deed_socket, 0, ENOSYS, ENOSYS, 0 },
		{ "look a map up", deed_look_up, EBADF, EBADF, ENOSYS, ENOSYS },
		{ "change a map by a call", deed_update, EBADF, ENOSYS, ENOSYS, ENOSYS },
		{ "run a program", deed_execute, KILLED + SIGSYS, KILLED + SIGSYS, KILLED + SIGSYS, KILLED + SIGSYS },
		{ "become root", deed_root, KILLED + SIGSYS, KILLED + SIGSYS, KILLED + SIGSYS, KILLED + SIGSYS },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int wanted[] = { cases[i].loader, cases[i].engine, cases[i].recorder, cases[i].messenger };

		for (unsigned role = ROLE_LOADER; role < ROLES; role++) {
			int got = in_role((enum role)role, cases[i].deed);

			if (got != wanted[role - ROLE_LOADER])
				fail_msg("%s: to %s: %d, not %d", role_name((enum role)role), cases[i].name, got,
				         wanted[role - ROLE_LOADER]);
		}
	}
	assert_int_equal(in_role(ROLE_ENGINE, deed_load), ENOSYS);
	assert_int_equal(in_role(ROLE_RECORDER, deed_load), ENOSYS);
	assert_int_not_equal(in_role(ROLE_LOADER, deed_load), ENOSYS);
}

static int confined(const char *folder)
{
	char inside[128];
	int result;

	if (sandbox_seal() != 0)
		return 90;
	result = sandbox_confine(folder, PASSWD);
	if (result == -ENOSYS || result == -EOPNOTSUPP)
		return UNABLE;
	if (result != 0)
		return 91;
	if (deed_read() != 0)
		return 1;
	if (deed_write() != EACCES)
		return 2;
	if (open("/etc/hostname", O_RDONLY | O_CLOEXEC) >= 0 || open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		return 3;
	(void)snprintf(inside, sizeof(inside), "%s/file", folder);
	if (open(inside, O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0 || unlink(inside) != 0)
		return 4;
	return open(PASSWD, O_WRONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 5;
}

static void files(void **state)
{
	char folder[] = "/tmp/holdfast-sandbox-XXXXXX";
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(confined(folder));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rmdir(folder), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == UNABLE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Without capabilities all are missing that are wanted, and none can be had again. */
static int without(void)
{
	char text[128];

	if (sandbox_keep(0) != 0)
		return 1;
	if (strcmp(sandbox_missing(SANDBOX_CAPABILITY(CAP_BPF) | SANDBOX_CAPABILITY(CAP_NET_ADMIN), text, sizeof(text)),
	           "CAP_BPF CAP_NET_ADMIN") != 0)
		return 2;
	if (*sandbox_missing(0, text, sizeof(text)))
		return 3;
	return sandbox_keep(sandbox_role_capabilities(ROLE_LOADER)) == -EPERM ? 0 : 4;
}

static void capabilities(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(sandbox_role_capabilities(ROLE_PARENT) | sandbox_role_capabilities(ROLE_ENGINE) |
	                         sandbox_role_capabilities(ROLE_RECORDER),
	                 0);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(without());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Another user in no group, with no way back, that ends with its parent. */
static int given_up(void)
{
	const uid_t nobody = 65534;
	gid_t groups[8];
	int death = 0;

	if (sandbox_give_up(nobody, nobody) != 0)
		return 1;
	if (getuid() != nobody || geteuid() != nobody || getgid() != nobody || getegid() != nobody ||
	    getgroups(8, groups) != 0)
		return 2;
	if (setuid(0) == 0 || setgid(0) == 0 || sandbox_keep(SANDBOX_CAPABILITY(CAP_SETUID)) != -EPERM)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 4;
	return prctl(PR_GET_PDEATHSIG, &death) == 0 && death == SIGKILL ? 0 : 5;
}

static void what_root_gives_up(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("wants root\n");
		skip();
	}
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(given_up());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_calls),
		cmocka_unit_test(files),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(what_root_gives_up),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
