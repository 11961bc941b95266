/* SPDX-License-Identifier: Apache-2.0 */
/* What time it is, for commands; what decides is told it (base/time.h). Nanoseconds. */
#ifndef HOLDFAST_CLI_NOW_H
#define HOLDFAST_CLI_NOW_H

#include <stdint.h>
#include <time.h>

#include "base/time.h"

static inline int64_t now_by(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Since the Unix epoch. */
static inline int64_t now_wall_ns(void)
{
	return now_by(CLOCK_REALTIME);
}

/* Since the system began: for how long something takes. */
static inline int64_t now_monotonic_ns(void)
{
	return now_by(CLOCK_MONOTONIC);
}

#endif
