/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that runs one script, again and again, for whoever has the other end of its channel: a program that is not
 * ours is not to be begun by a process that has keys in its memory, nor under its filter of system calls.
 *
 * The script has no descriptors but three, no environment but a PATH, a session of its own, and RUNNER_SCRIPT_NS; then
 * it is killed with all that is in its session's group. It need not read its input.
 */
#ifndef HOLDFAST_DAEMON_RUNNER_H
#define HOLDFAST_DAEMON_RUNNER_H

#include <stdint.h>

#include "base/prefix.h"
#include "base/time.h"

#define RUNNER_SCRIPT_NS (30 * NS_PER_S)
#define RUNNER_INPUT_MAX 8192
#define RUNNER_WHAT_SIZE 64

struct runner_job {
	uint64_t token;
	uint32_t length; /* of `input` */
	char arguments[4][PREFIX_TEXT_SIZE];
	char input[RUNNER_INPUT_MAX];
};

struct runner_result {
	uint64_t token;
	int32_t result; /* 0; -EAGAIN: it could not be begun; -EPERM: it failed, or was killed */
	char what[RUNNER_WHAT_SIZE];
};

/* Runs one job, of `for_ns` at most. */
void runner_run(const char *script, const struct runner_job *job, int64_t for_ns, struct runner_result *result);
/* Until the channel closes, a SOCK_SEQPACKET. */
void runner_serve(int channel, const char *script);

#endif
