/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the shield is dropping, as the public role knows it: the last list that was one, until it ends. After that
 * nobody is known to be dropped, and nobody to pass; what was asked meanwhile is counted.
 */
#ifndef HOLDFAST_DAEMON_PUBLIC_DROPPED_H
#define HOLDFAST_DAEMON_PUBLIC_DROPPED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/serve_message.h"
#include "impact/dropped.h"
#include "impact/intake.h"

/* Zeroed it knows nothing. */
struct public_dropped {
	bool wanted; /* the configuration names a list: that there is none is a mistake */
	struct dropped list;
	char wrong[SERVE_TEXT_SIZE]; /* with the latest that came; "" */
	uint64_t lists, unreadable;  /* that came */
	uint64_t stale;              /* sources that were asked about when the list had ended */
};

/* What the desk says (SERVE_DROPPED): a descriptor, which stays the caller's, or why there is none. */
void public_dropped_take(struct public_dropped *dropped, int fd, int result);
enum intake_fate public_dropped_fate(struct public_dropped *dropped, const struct address *source,
                                     struct capture_time now);
/* What is wrong, in a line; "" where nothing is. */
void public_dropped_state(const struct public_dropped *dropped, struct capture_time now, char text[SERVE_TEXT_SIZE]);
/* Its counters. */
void public_dropped_count(const struct public_dropped *dropped, struct capture_time now, struct serve_message *message);
void public_dropped_fini(struct public_dropped *dropped);

#endif
