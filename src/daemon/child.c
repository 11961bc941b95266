/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/sandbox.h"

#define MISSING 127
#define LOOK_MS 50
#define FAR_ABOVE 64 /* of the places that descriptors get */

static int64_t now_ns(void)
{
	struct timespec clock;

	(void)clock_gettime(CLOCK_MONOTONIC, &clock);
	return clock.tv_sec * NS_PER_S + clock.tv_nsec;
}

/* In the child. Does not return. */
static void become(const char *const *arguments, const int *fds, unsigned fd_count, int errors)
{
	char *copied[64];
	int above[CHILD_FDS_MAX];
	sigset_t none;
	size_t count = 0;
	int null = open("/dev/null", O_RDWR);

	while (arguments[count] && count + 1 < sizeof(copied) / sizeof(copied[0])) {
		copied[count] = strdup(arguments[count]);
		count++;
	}
	copied[count] = NULL;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	(void)sandbox_follow_parent();
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	for (unsigned i = 0; i < fd_count; i++) {
		above[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FAR_ABOVE);
		if (above[i] < 0)
			_exit(MISSING);
	}
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0)
		_exit(MISSING);
	for (unsigned i = 0; i < fd_count; i++)
		if (dup2(above[i], CHILD_FIRST_FD + (int)i) < 0)
			_exit(MISSING);
	if (close_range(CHILD_FIRST_FD + fd_count, ~0U, 0) != 0)
		_exit(MISSING);
	if (count > 0)
		(void)execvp(copied[0], copied);
	_exit(MISSING);
}

/* Keeps the last line that is not empty; what a terminal would obey becomes '?' where it is said. */
static void hear(char said[CHILD_SAID_SIZE], size_t *length, bool *ended, const char *octets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (octets[i] == '\n' || octets[i] == '\r') {
			*ended = true;
			continue;
		}
		if (*ended) {
			*length = 0;
			*ended = false;
		}
		if (*length < CHILD_SAID_SIZE - 1)
			said[(*length)++] = octets[i];
	}
	said[*length] = '\0';
}

/* Until it has closed its standard error, which it does by ending, or its time is over: false. */
static bool listen_to(int errors, int64_t until_ns, char said[CHILD_SAID_SIZE])
{
	size_t length = 0;
	bool line_ended = false;

	for (;;) {
		struct pollfd fd = { .fd = errors, .events = POLLIN };
		char octets[512];
		ssize_t got;

		if (now_ns() >= until_ns)
			return false;
		if (poll(&fd, 1, LOOK_MS) <= 0)
			continue;
		got = read(errors, octets, sizeof(octets));
		if (got == 0 || (got < 0 && errno != EINTR))
			return true;
		if (got > 0)
			hear(said, &length, &line_ended, octets, (size_t)got);
	}
}

static bool wait_for(pid_t pid, int64_t until_ns, int *status)
{
	struct timespec pause = { .tv_nsec = LOOK_MS * NS_PER_MS / 5 };

	while (waitpid(pid, status, WNOHANG) != pid) {
		if (now_ns() >= until_ns)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

int child_run(const char *const *arguments, const int *fds, unsigned fd_count, int64_t for_ns,
              char said[CHILD_SAID_SIZE])
{
	int64_t until_ns = now_ns() + for_ns;
	int ends[2], status = 0;
	bool ended;
	pid_t pid;

	said[0] = '\0';
	if (fd_count > CHILD_FDS_MAX)
		return -EINVAL;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become(arguments, fds, fd_count, ends[1]);
	(void)close(ends[1]);
	if (pid < 0) {
		int result = -errno;

		(void)close(ends[0]);
		return result;
	}
	(void)setpgid(pid, pid);
	ended = listen_to(ends[0], until_ns, said) && wait_for(pid, until_ns, &status);
	(void)close(ends[0]);
	if (!ended) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
		return -ETIME;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING)
		return -ENOENT;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
