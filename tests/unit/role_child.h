/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A role in a process of its own, with its fellows played by the test: its channels at their places, its configuration
 * sent as the parent does.
 */
#ifndef HOLDFAST_TESTS_ROLE_CHILD_H
#define HOLDFAST_TESTS_ROLE_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/message.h"
#include "daemon/role.h"

#define ROLE_CHILD_WAIT_MS 120000 /* for as long as a role may take for its disk, on a host that is busy building */
#define ROLE_CHILD_FDS_MAX 4

/* Scratch: what was received last, and what is to be sent. */
static struct message message;
static uint64_t serial;
static int role_child_log = -1; /* what the latest role wrote to its standard error */

/* Shows what the latest role has logged: a sanitizer's word may be among it. */
__attribute__((unused)) static void role_child_tell(const char *what)
{
	char text[4096];
	ssize_t got;
	off_t at = 0;

	(void)fprintf(stderr, "the role %s; it said:\n", what);
	while ((got = pread(role_child_log, text, sizeof(text), at)) > 0) {
		(void)fwrite(text, 1, (size_t)got, stderr);
		at += got;
	}
}

/* Starts `role` with `fds` at ROLE_FD_PARENT and behind; they stay open here too. */
__attribute__((unused)) static pid_t role_child_start(int (*role)(const struct role_start *start),
                                                      const struct role_start *start, const int *fds, unsigned count)
{
	pid_t pid;

	if (role_child_log >= 0)
		(void)close(role_child_log);
	role_child_log = memfd_create("log", MFD_CLOEXEC);
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int above[ROLE_CHILD_FDS_MAX], status;

		for (unsigned i = 0; i < count; i++)
			above[i] = fcntl(fds[i], F_DUPFD, 64);
		for (unsigned i = 0; i < count; i++)
			if (dup2(above[i], ROLE_FD_PARENT + (int)i) < 0)
				_exit(99);
		if (dup2(role_child_log, STDERR_FILENO) < 0) /* shown where it ends badly */
			_exit(99);
		(void)close_range(ROLE_FD_PARENT + count, ~0U, 0);
		(void)signal(SIGPIPE, SIG_IGN);
		(void)alarm(ROLE_ALARM_S); /* as daemon_role() does */
		status = role(start);
		(void)alarm(0);
		exit(status); /* with all that is done at an end: counting coverage, looking for leaks */
	}
	return pid;
}

/* The status it exits with, or 1000 and the signal that ends it. */
__attribute__((unused)) static int role_child_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status))
		role_child_tell(strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		role_child_tell("has failed");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

__attribute__((unused)) static void channel(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

__attribute__((unused)) static int text_fd(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Sends a configuration with at most one list; "" is none. */
__attribute__((unused)) static void configure(int to, const char *text, const char *list)
{
	int fds[2] = { text_fd(text), *list ? text_fd(list) : -1 };

	message_init(&message, MESSAGE_CONFIG, 0);
	message.config.serial = ++serial;
	message.config.parent_pid = 100;
	message.config.fd_count = *list ? 2 : 1;
	message_text(message.config.name, sizeof(message.config.name), "f.yaml");
	assert_int_equal(message_send(to, &message, fds, message.config.fd_count), 0);
	(void)close(fds[0]);
	if (*list)
		(void)close(fds[1]);
}

/* Waits for the next message by that way, of whatever type. */
__attribute__((unused)) static void await_any(int from, enum message_way way)
{
	struct pollfd fd = { .fd = from, .events = POLLIN };
	int fds[MESSAGE_FDS_MAX];
	unsigned fd_count = 0;
	int result = poll(&fd, 1, ROLE_CHILD_WAIT_MS) == 1 ? 0 : -ETIMEDOUT;

	if (result == 0)
		result = message_receive(from, way, &message, fds, &fd_count);
	if (result != 0)
		role_child_tell("is waited for in vain");
	assert_int_equal(result, 0);
	for (unsigned i = 0; i < fd_count; i++)
		(void)close(fds[i]);
}

/* Waits for one of that type; others are passed over. */
__attribute__((unused)) static void await(int from, enum message_way way, enum message_type type)
{
	do
		await_any(from, way);
	while (message.type != type);
}

/* The result of a configuration; its lines are left in message.applied. */
__attribute__((unused)) static int applied(int from)
{
	await(from, MESSAGE_ROLE_TO_PARENT, MESSAGE_APPLIED);
	assert_int_equal(message.applied.serial, serial);
	return message.applied.result;
}

#endif
