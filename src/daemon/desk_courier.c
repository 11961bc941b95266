/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk_courier.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/child.h"
#include "daemon/message.h"
#include "daemon/role.h"
#include "daemon/sandbox.h"

/* Until the channel closes. */
static void serve(enum desk_errand errand, int channel, int config, int key)
{
	/* From CHILD_FIRST_FD on. */
	static const struct {
		const char *command, *verb, *key;
	} errands[] = {
		[DESK_PUBLISHES] = { "page", "publish", "--key" },
		[DESK_DELIVERS] = { "subscription", "deliver", "--secrets" },
	};
	const char *const arguments[] = { "/proc/self/exe",     errands[errand].command,
		                          errands[errand].verb, "--config",
		                          "/proc/self/fd/3",    key < 0 ? NULL : errands[errand].key,
		                          "/proc/self/fd/4",    NULL };
	int fds[] = { config, key };
	char octet;

	while (recv(channel, &octet, 1, 0) == 1) {
		struct desk_courier_result result = { .result = 0 };
		char said[CHILD_SAID_SIZE];

		result.result = child_run(arguments, fds, key < 0 ? 1 : 2, DESK_COURIER_NS, said);
		message_text(result.what, sizeof(result.what), said);
		if (send(channel, &result, sizeof(result), MSG_NOSIGNAL) < 0)
			return;
	}
}

int desk_courier_begin(enum desk_errand errand, int config, int key, int *channel)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		int result = sandbox_follow_parent();

		(void)alarm(0);
		(void)close(ends[0]);
		(void)close(ROLE_FD_PARENT);
		if (result == 0)
			serve(errand, ends[1], config, key);
		_exit(result != 0);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		int result = -errno;

		(void)close(ends[0]);
		return result;
	}
	*channel = ends[0];
	return 0;
}

/* By what the desk's filter of system calls has. */
int desk_courier_ask(int channel)
{
	char octet = 0;
	struct iovec body = { .iov_base = &octet, .iov_len = 1 };
	const struct msghdr header = { .msg_iov = &body, .msg_iovlen = 1 };

	return sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -errno;
}

bool desk_courier_answer(int channel, struct desk_courier_result *result, bool *gone)
{
	struct iovec body = { .iov_base = result, .iov_len = sizeof(*result) };
	struct msghdr header = { .msg_iov = &body, .msg_iovlen = 1 };
	ssize_t got = recvmsg(channel, &header, MSG_DONTWAIT);

	*gone = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
	if (got != (ssize_t)sizeof(*result))
		return false;
	result->what[sizeof(result->what) - 1] = '\0';
	return true;
}
