/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams with descriptors over a pair of SOCK_SEQPACKET. What is in them, and what is not let in: message.h,
 * serve_message.h.
 */
#ifndef HOLDFAST_DAEMON_CHANNEL_H
#define HOLDFAST_DAEMON_CHANNEL_H

#include <stddef.h>

#define CHANNEL_FDS_MAX 32

/* Never waits: -EAGAIN where there is no room; -EPIPE where nobody is left; -EINVAL. Descriptors stay their owner's. */
int channel_send(int channel, const void *octets, size_t length, const int *fds, unsigned fd_count);
/*
 * Never waits: -EAGAIN where there is none; -EPIPE where nobody is left; -EBADMSG: it was longer than `size`, or had
 * more descriptors than there is room for, and is dropped. 0: received descriptors are the caller's; *length 0 with
 * none of them is the other end's end.
 */
int channel_receive(int channel, void *octets, size_t size, size_t *length, int fds[CHANNEL_FDS_MAX],
                    unsigned *fd_count);
/* Closes received descriptors. */
void channel_drop(const int *fds, unsigned *fd_count);

#endif
