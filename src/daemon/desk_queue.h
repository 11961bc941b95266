/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the other roles counted, on its way into the record: taken from messages, written in batches, each of them whole
 * or not at all. The queue is bounded; what finds no room is counted. Cells of the same bucket, component and so on are
 * one.
 */
#ifndef HOLDFAST_DAEMON_DESK_QUEUE_H
#define HOLDFAST_DAEMON_DESK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/serve_message.h"
#include "record/ledger.h"

#define DESK_QUEUE_MAX 8192 /* cells of reports, and of signals, that wait */

struct desk_queue {
	uint32_t report_count, signal_count;
	struct report_count reports[DESK_QUEUE_MAX];
	struct signal_count signals[DESK_QUEUE_MAX];
	uint64_t taken;   /* counts of messages */
	uint64_t lost;    /* that found no room, or that the record refuses for good */
	uint64_t written; /* cells */
	uint64_t late;    /* of reports, for buckets that were reckoned before they came */
	/* of access logs, for buckets whose lines were put in by hand (`outage logs --import`): they count once */
	uint64_t put_in;
};

/* `reckoned_ns`: buckets before it have been reckoned; what comes for one of them is late. */
void desk_queue_reports(struct desk_queue *queue, const struct serve_reports *reports, int64_t reckoned_ns);
void desk_queue_signals(struct desk_queue *queue, const struct serve_signals *signals);
static inline bool desk_queue_waits(const struct desk_queue *queue)
{
	return queue->report_count > 0 || queue->signal_count > 0;
}
/*
 * Writes all. 0; -errno with the error said, and what was not written waits; but for -EINVAL and -EDQUOT, where it
 * never could be, and is lost.
 */
int desk_queue_write(struct desk_queue *queue, struct ledger *ledger, struct record_error *error);

#endif
