/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports of a place that probes, on their way home (tell/probe_report.h): one at a time, in order, until it is taken.
 * What cannot be sent waits in a bounded queue, and is tried again with a pause that doubles; it keeps its id, so that
 * what has arrived all the same is counted once. Home knows ids for a day: what is older is given up.
 */
#ifndef HOLDFAST_DAEMON_PROBE_HOME_H
#define HOLDFAST_DAEMON_PROBE_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "impact/count.h"
#include "tell/post.h"
#include "tell/probe_report.h"

#define PROBE_HOME_QUEUE_MAX 256 /* reports; the oldest go */
#define PROBE_HOME_AGE_NS (23LL * 3600 * NS_PER_S)
#define PROBE_HOME_PAUSE_NS NS_PER_S
#define PROBE_HOME_PAUSE_MAX_NS (300 * NS_PER_S)

struct probe_home; /* opaque */

struct probe_home_numbers {
	uint64_t sent, refused,
		lost; /* reports: taken; that home will never take; for which there was no room, or too old */
	uint32_t waiting;
	char what[POST_WHAT_SIZE]; /* why the last attempt failed; "": it did not */
};

/* `url`: as the configuration has it. -ENOMEM; -ENOSYS: there is no libcurl. */
int probe_home_new(const char *url, const char *vantage, const void *key, size_t key_length, struct probe_home **home);
void probe_home_free(struct probe_home *home);
/* At most PROBE_REPORT_SIGNALS_MAX of them become one report. 0; -errno where there is no randomness. */
int probe_home_put(struct probe_home *home, const struct signal_count *signals, uint32_t count, int64_t now_ns);
/* Goes on with what is under way, and waits for that at most so long; `now_ns` since the Unix epoch. 0 or -errno. */
int probe_home_turn(struct probe_home *home, int64_t now_ns, int timeout_ms);
bool probe_home_is_busy(const struct probe_home *home);
struct probe_home_numbers probe_home_numbers(const struct probe_home *home);

#endif
