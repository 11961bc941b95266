/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name's addresses by the name service, through c-ares: nobody waits in it, and it ends when it is told to. It is
 * loaded when it is first used.
 */
#ifndef HOLDFAST_TELL_LOOKUP_H
#define HOLDFAST_TELL_LOOKUP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "impact/probe.h"

#define LOOKUP_FDS_MAX 16
#define LOOKUP_TRIES 2

struct lookup; /* opaque */

struct lookup_result {
	enum probe_reason reason;
	uint32_t count, left_out;
	struct address addresses[PROBE_ADDRESSES_MAX];
};

/* Once in a process, before it has threads. 0; -ENOSYS: there is no c-ares. */
int lookup_load(void);
/*
 * `resolver`: "" for the system's (and its hosts file), else an address, asked at `port`, and nothing but it. An answer
 * may be there at once. -ENOMEM; -EINVAL.
 */
int lookup_begin(const char *host, const char *resolver, uint16_t port, uint32_t timeout_ms, struct lookup **lookup);
/* What it waits for, at most `most`; *timeout_ms is made less where it has to be called earlier. How many. */
unsigned lookup_fds(const struct lookup *lookup, struct pollfd *fds, unsigned most, int *timeout_ms);
/* Goes on. True: it is over, and `result` filled. */
bool lookup_turn(struct lookup *lookup, struct lookup_result *result);
void lookup_free(struct lookup *lookup);

#endif
