/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder's file of who is being dropped (impact/dropped.h), in state_dir: whole at any time, and of use for
 * minutes.
 */
#ifndef HOLDFAST_DAEMON_RECORDER_DROPPED_H
#define HOLDFAST_DAEMON_RECORDER_DROPPED_H

#include "base/time.h"
#include "daemon/message.h"

/*
 * Puts it in the place of the one before, as of `now`. `fd` stays the caller's; what is in it is checked. -EBADMSG:
 * that is less than the message says, or no prefixes; others as open(), write() and rename().
 */
int recorder_dropped_keep(const char *folder, const struct message_dropped *message, int fd, struct capture_time now);

#endif
