/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the service manager how we are: a datagram to $NOTIFY_SOCKET (sd_notify(3)). Without one nothing is told. */
#ifndef HOLDFAST_DAEMON_NOTIFY_H
#define HOLDFAST_DAEMON_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;              /* -1: nobody is told */
	int64_t watchdog_ns; /* how often at least it wants to hear from us; 0: never */
};

/* Reads the environment, and takes it out of it: our children are not the service. 0 or -errno; nobody to tell is 0. */
int notify_open(struct notify *notify);
void notify_close(struct notify *notify);
/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=..."; several with "\n" between. Lost where it cannot be told. */
void notify_send(const struct notify *notify, const char *state);
/* "RELOADING=1" with the time that systemd wants to see beside it. */
void notify_reloading(const struct notify *notify, int64_t monotonic_ns);

#endif
