/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks on a schedule, as the configuration has them, and what is counted of them: what the role of `holdfast serve`
 * and `holdfast probe --run` have in common. One that is due while CHECKER_MAX are under way begins a little later.
 */
#ifndef HOLDFAST_DAEMON_PROBING_H
#define HOLDFAST_DAEMON_PROBING_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"

struct probing; /* opaque */

/* One that nobody knows. 0; -EIO: there is no randomness. */
int probing_seed(uint64_t *seed);
/* `seed` makes the schedule. -ENOMEM; -ENOSYS: libcurl or c-ares is not there. */
int probing_new(const struct config_probes *probes, uint64_t seed, int64_t now_ns, struct probing **probing);
void probing_free(struct probing *probing);
/*
 * Begins what is due, and waits for what is under way, for what is due next, or for one of `fds`, at most so long.
 * `now_ns` is since the Unix epoch. 0 or -errno.
 */
int probing_turn(struct probing *probing, int64_t now_ns, struct pollfd *fds, unsigned count, int timeout_ms);
/* What was counted since, at most so many; for each component canaries as well. How many. */
uint32_t probing_take(struct probing *probing, struct signal_count *signals, uint32_t most);

struct probing_numbers {
	uint64_t checks, failed; /* that have ended; of them, those that are not good */
	uint64_t refused;        /* results that there was no room for */
	bool blind;              /* of the canaries, as they were seen last, two thirds did not answer */
};

/* Which checks failed when they were made last: how many, and the first of them with its reason. False: none did. */
bool probing_failing(const struct probing *probing, char *text, size_t size);
#define PROBING_SURE 2 /* times in a row that a check must have failed, before people are told */
struct probing_failure {
	const char *component, *check;
	enum probe_reason reason;
	int64_t since_ns;
};
/* Components with a check that has failed so often, each once. How many, at most `most`. */
uint32_t probing_failures(const struct probing *probing, struct probing_failure *failures, uint32_t most);
struct probing_numbers probing_numbers(const struct probing *probing);

#endif
