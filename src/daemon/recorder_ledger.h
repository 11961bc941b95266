/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the recorder does of itself in the ledger (record/ledger.h): it notes the traces of incidents that are over, so
 * that claims are tested and bundles made on what was found at the time whatever becomes of the incidents' files; and
 * it erases personal data whose time is over. A connection to the database is held only meanwhile.
 */
#ifndef HOLDFAST_DAEMON_RECORDER_LEDGER_H
#define HOLDFAST_DAEMON_RECORDER_LEDGER_H

#include <stdint.h>

#include "base/time.h"
#include "daemon/config.h"
#include "daemon/message.h"

#define RECORDER_TRACE_MAX (16u << 20)       /* octets of an analysis whose trace is noted */
#define RECORDER_EXPIRY_NS (3600 * NS_PER_S) /* between two looks at what is to be erased */

struct recorder_ledger {
	char folder[CONFIG_PATH_SIZE]; /* state_dir */
	uint32_t days;                 /* that personal data are kept; 0: for ever */
	int64_t expire_ns;             /* of the monotonic clock: the next look */
	int64_t say_ns;                /* nothing is complained of before */
	unsigned elsewhere;            /* bundles that are due and not ours to write, as last said */
};

void recorder_ledger_begin(struct recorder_ledger *own, const struct config *config, int64_t now_ns);
/* The trace of an incident that is over, as its analysis, `length` octets of `fd`, has it. */
void recorder_ledger_trace(struct recorder_ledger *own, uint64_t incident, int fd, uint32_t length, int64_t now_ns);
/* Erases what is due, if it is time to look; by the wall clock. */
void recorder_ledger_expire(struct recorder_ledger *own, int64_t now_ns, int64_t wall_ns);

/* Puts signals on record; what cannot be is lost, and said. */
void recorder_ledger_signals(struct recorder_ledger *own, const struct message_signals *signals, int64_t now_ns);

#endif
