/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/desk_queue.h"

#include <errno.h>
#include <string.h>

#include "record/outages.h"

#define LOOK_BACK 256 /* cells behind the last one among which the same is looked for */

static uint32_t add_up(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static bool same_report(const struct report_count *a, const struct report_count *b)
{
	return a->bucket_ns == b->bucket_ns && a->symptom == b->symptom && a->source == b->source &&
	       a->network == b->network && strcmp(a->component, b->component) == 0 && strcmp(a->region, b->region) == 0;
}

/* Raw is what is added up last: it must hold the two others. */
static void put_report(struct desk_queue *queue, const struct report_count *count)
{
	uint32_t first = queue->report_count > LOOK_BACK ? queue->report_count - LOOK_BACK : 0;

	for (uint32_t i = queue->report_count; i > first; i--) {
		struct report_count *at = &queue->reports[i - 1];

		if (!same_report(at, count) || at->raw > UINT32_MAX - count->raw)
			continue;
		at->raw += count->raw;
		at->accepted += count->accepted;
		at->shielded += count->shielded;
		return;
	}
	if (queue->report_count == DESK_QUEUE_MAX)
		queue->lost++;
	else
		queue->reports[queue->report_count++] = *count;
}

void desk_queue_reports(struct desk_queue *queue, const struct serve_reports *reports, int64_t reckoned_ns)
{
	for (uint32_t i = 0; i < reports->count; i++) {
		queue->taken++;
		queue->late += reports->reports[i].bucket_ns < reckoned_ns;
		put_report(queue, &reports->reports[i]);
	}
}

static bool same_signal(const struct signal_count *a, const struct signal_count *b)
{
	return a->bucket_ns == b->bucket_ns && a->kind == b->kind && a->network == b->network &&
	       strcmp(a->component, b->component) == 0 && strcmp(a->vantage, b->vantage) == 0;
}

static void put_signal(struct desk_queue *queue, const struct signal_count *count)
{
	uint32_t first = queue->signal_count > LOOK_BACK ? queue->signal_count - LOOK_BACK : 0;

	for (uint32_t i = queue->signal_count; i > first; i--) {
		struct signal_count *at = &queue->signals[i - 1];

		if (!same_signal(at, count))
			continue;
		at->good = add_up(at->good, count->good);
		at->bad = add_up(at->bad, count->bad);
		at->value = at->value > count->value ? at->value : count->value; /* as the record has it */
		return;
	}
	if (queue->signal_count == DESK_QUEUE_MAX)
		queue->lost++;
	else
		queue->signals[queue->signal_count++] = *count;
}

void desk_queue_signals(struct desk_queue *queue, const struct serve_signals *signals)
{
	for (uint32_t i = 0; i < signals->count; i++) {
		queue->taken++;
		put_signal(queue, &signals->signals[i]);
	}
}

/* What became of a batch of `*count` cells. */
static int settle(struct desk_queue *queue, int result, uint32_t *count)
{
	if (result == 0)
		queue->written += *count;
	else if (result == -EINVAL || result == -EDQUOT)
		queue->lost += *count;
	else
		return result;
	*count = 0;
	return result;
}

/* What was put in by hand while the reader was behind is not counted again. */
static int drop_put_in(struct desk_queue *queue, struct ledger *ledger, struct record_error *error)
{
	uint32_t kept = 0;
	int result = 0;

	for (uint32_t i = 0; i < queue->signal_count; i++) {
		const struct signal_count *signal = &queue->signals[i];
		bool is = false;

		if (result == 0 && strcmp(signal->vantage, VANTAGE_SERVE) == 0)
			result = outages_signal_is(ledger, signal, "", &is, error);
		if (is)
			queue->put_in++;
		else
			queue->signals[kept++] = *signal;
	}
	queue->signal_count = kept;
	return result;
}

int desk_queue_write(struct desk_queue *queue, struct ledger *ledger, struct record_error *error)
{
	int result = drop_put_in(queue, ledger, error), other = 0;

	if (result != 0)
		return result;

	if (queue->report_count)
		result = settle(queue, outages_report_add(ledger, queue->reports, queue->report_count, error),
		                &queue->report_count);
	if (queue->signal_count)
		other = settle(queue,
		               outages_signal_add(ledger, queue->signals, queue->signal_count,
		                                  result == 0 ? error : &(struct record_error){ .message = "" }),
		               &queue->signal_count);
	return result ? result : other;
}
