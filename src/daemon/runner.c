/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/role.h"
#include "daemon/sandbox.h"

#define FIRST_OTHER 3 /* descriptor after standard error */
#define LOOK_MS 20    /* how often an end is looked for */
#define CANNOT 127    /* exit status of what could not be begun */

/* In the child. Does not return. */
static void become_script(const char *script, const struct runner_job *job, int input)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = { path, NULL };
	char *arguments[6] = { strdup(script) };
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	for (unsigned i = 0; i < 4; i++)
		arguments[i + 1] = strdup(job->arguments[i]);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)umask(0077);
	(void)setsid();
	(void)sandbox_follow_parent();
	if (null < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || chdir("/") != 0 || close_range(FIRST_OTHER, ~0U, 0) != 0)
		_exit(CANNOT);
	(void)execve(script, arguments, environment);
	_exit(CANNOT);
}

/* As much of the input as it takes now; closes the pipe when there is no more to give, or nobody to take it. */
static void feed(int *pipe_end, const struct runner_job *job, size_t *fed)
{
	ssize_t written = write(*pipe_end, job->input + *fed, job->length - *fed);

	if (written > 0)
		*fed += (size_t)written;
	if (*fed == job->length || (written < 0 && errno != EAGAIN && errno != EINTR)) {
		(void)close(*pipe_end);
		*pipe_end = -1;
	}
}

/* Until the script has ended or its time is over: whether it has, and how. */
static bool wait_for(pid_t pid, int *pipe_end, const struct runner_job *job, int64_t until_ns, int *status)
{
	size_t fed = 0;

	for (;;) {
		struct pollfd fd = { .fd = *pipe_end, .events = POLLOUT };

		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (role_monotonic_ns() >= until_ns)
			return false;
		(void)poll(&fd, 1, LOOK_MS);
		if (*pipe_end >= 0 && fd.revents)
			feed(pipe_end, job, &fed);
	}
}

void runner_run(const char *script, const struct runner_job *job, int64_t for_ns, struct runner_result *result)
{
	struct runner_result made = { .token = job->token, .result = -EAGAIN };
	int64_t until_ns = role_monotonic_ns() + for_ns;
	int ends[2] = { -1, -1 }, status = 0;
	pid_t pid = -1;
	bool ended;

	if (pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		become_script(script, job, ends[0]);
	if (ends[0] >= 0)
		(void)close(ends[0]);
	if (pid < 0) {
		(void)snprintf(made.what, sizeof(made.what), "%.60s", strerror(errno));
		if (ends[1] >= 0)
			(void)close(ends[1]);
		*result = made;
		return;
	}
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	ended = wait_for(pid, &ends[1], job, until_ns, &status);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	/*
	 * What it has left behind in its group goes with it; while it is not waited for, its number is nobody else's.
	 */
	if (!ended) {
		(void)kill(-pid, SIGKILL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	made.result = -EPERM;
	if (!ended)
		(void)snprintf(made.what, sizeof(made.what), "killed after %lld s", (long long)(for_ns / NS_PER_S));
	else if (WIFSIGNALED(status))
		(void)snprintf(made.what, sizeof(made.what), "ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(made.what, sizeof(made.what), "exit status %d", WEXITSTATUS(status));
	if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		made.result = 0;
	*result = made;
}

void runner_serve(int channel, const char *script)
{
	struct runner_job job;
	struct runner_result result;
	ssize_t got;

	for (;;) {
		do
			got = recv(channel, &job, sizeof(job), 0);
		while (got < 0 && errno == EINTR);
		if (got <= 0)
			return;
		if (got != (ssize_t)sizeof(job) || job.length > sizeof(job.input))
			continue;
		for (unsigned i = 0; i < 4; i++)
			job.arguments[i][PREFIX_TEXT_SIZE - 1] = '\0';
		runner_run(script, &job, RUNNER_SCRIPT_NS, &result);
		if (send(channel, &result, sizeof(result), MSG_NOSIGNAL) < 0)
			return;
	}
}
