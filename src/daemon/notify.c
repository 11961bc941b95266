/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/time.h"

/* Microseconds of $WATCHDOG_USEC, where it is meant for us. */
static int64_t read_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long value;
	char *end;

	if (!usec || (pid && strtoll(pid, NULL, 10) != (long long)getpid()))
		return 0;
	errno = 0;
	value = strtoll(usec, &end, 10);
	return errno == 0 && !*end && value > 0 && value < INT64_MAX / NS_PER_US ? value * NS_PER_US : 0;
}

int notify_open(struct notify *notify)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	int fd, result = 0;

	*notify = (struct notify){ .fd = -1, .watchdog_ns = read_watchdog() };
	if (length == 0)
		return 0;
	if (length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@')) {
		result = -EINVAL;
		goto done;
	}
	memcpy(address.sun_path, path, length + 1);
	if (path[0] == '@') /* an abstract one */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		result = -errno;
		goto done;
	}
	if (connect(fd, (const struct sockaddr *)&address,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		result = -errno;
		(void)close(fd);
		goto done;
	}
	notify->fd = fd;
done:
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return result;
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		(void)close(notify->fd);
	notify->fd = -1;
}

void notify_send(const struct notify *notify, const char *state)
{
	if (notify->fd >= 0 && send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* there is nobody else to tell */
}

void notify_reloading(const struct notify *notify, int64_t monotonic_ns)
{
	char state[64];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, monotonic_ns / NS_PER_US);
	notify_send(notify, state);
}
