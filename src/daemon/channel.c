/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/channel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char octets[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
};

int channel_send(int channel, const void *octets, size_t length, const int *fds, unsigned fd_count)
{
	struct iovec body = { .iov_base = (void *)(uintptr_t)octets, .iov_len = length };
	struct msghdr header = { .msg_iov = &body, .msg_iovlen = 1 };
	union control control;
	ssize_t sent;

	if (fd_count > CHANNEL_FDS_MAX || length == 0)
		return -EINVAL;
	if (fd_count > 0) {
		struct cmsghdr *attached = &control.align;

		memset(&control, 0, sizeof(control));
		attached->cmsg_level = SOL_SOCKET;
		attached->cmsg_type = SCM_RIGHTS;
		attached->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(attached), fds, sizeof(int) * fd_count);
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
	}
	do
		sent = sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : errno == ENOBUFS ? -EAGAIN : -errno;
	return 0;
}

/* Descriptors that came: into fds; those for which there is no room are closed. False where there were such. */
static bool take_fds(struct msghdr *header, int fds[CHANNEL_FDS_MAX], unsigned *fd_count)
{
	bool fits = !(header->msg_flags & MSG_CTRUNC);
	unsigned count = 0;

	for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at; at = CMSG_NXTHDR(header, at)) {
		size_t here;

		if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS)
			continue;
		here = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(at) + i * sizeof(int), sizeof(fd));
			if (count < CHANNEL_FDS_MAX) {
				fds[count++] = fd;
			} else {
				(void)close(fd);
				fits = false;
			}
		}
	}
	*fd_count = count;
	return fits;
}

int channel_receive(int channel, void *octets, size_t size, size_t *length, int fds[CHANNEL_FDS_MAX],
                    unsigned *fd_count)
{
	struct iovec body = { .iov_base = octets, .iov_len = size };
	union control control;
	struct msghdr header = {
		.msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	unsigned resets = 0;
	ssize_t got;

	*fd_count = 0;
	/*
	 * Who went without having read all that it was sent resets the channel: said once, and its last words still
	 * wait.
	 */
	do
		got = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	if (got < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (!take_fds(&header, fds, fd_count) || header.msg_flags & MSG_TRUNC) {
		channel_drop(fds, fd_count);
		return -EBADMSG;
	}
	*length = (size_t)got;
	return 0;
}

void channel_drop(const int *fds, unsigned *fd_count)
{
	for (unsigned i = 0; i < *fd_count; i++)
		(void)close(fds[i]);
	*fd_count = 0;
}
