/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/timeline.h"

#include <string.h>

#include "measure/slot.h"

/* Rounds down, whatever the sign; C leaves that to the compiler. */
static int64_t bin_of(int64_t slot, uint32_t shift)
{
	return slot >= 0 ? slot >> shift : ~(~slot >> shift);
}

static uint32_t place(int64_t bin)
{
	return (uint32_t)((uint64_t)bin % TIMELINE_BINS);
}

/* The smallest shift, from the present one on, with which all bins of these slots have a place of their own. */
static uint32_t shift_for(uint32_t shift, int64_t first_slot, int64_t last_slot)
{
	while (bin_of(last_slot, shift) - bin_of(first_slot, shift) >= TIMELINE_BINS)
		shift++;
	return shift;
}

/* Adds the bins of `from` to those of `into`, which is no finer. */
static void pour(struct timeline *into, const struct timeline *from)
{
	int64_t last = bin_of(from->last_slot, from->shift);

	for (int64_t bin = bin_of(from->first_slot, from->shift); bin <= last; bin++) {
		const struct timeline_bin *source = &from->bins[place(bin)];
		struct timeline_bin *target = &into->bins[place(bin_of(bin, into->shift - from->shift))];

		target->packets += source->packets;
		target->bytes += source->bytes;
	}
}

static void coarsen(struct timeline *t, uint32_t shift)
{
	struct timeline before = *t;

	memset(t->bins, 0, sizeof(t->bins));
	t->shift = shift;
	pour(t, &before);
}

void timeline_move(struct timeline *t, int64_t slot)
{
	int64_t first = t->at && t->first_slot < slot ? t->first_slot : slot;
	int64_t last = t->at && t->last_slot > slot ? t->last_slot : slot;
	uint32_t shift = shift_for(t->shift, first, last);

	if (t->at && shift != t->shift)
		coarsen(t, shift);
	t->first_slot = first;
	t->last_slot = last;
	t->slot = slot;
	t->at = place(bin_of(slot, t->shift)) + 1;
}

void timeline_merge(struct timeline *into, const struct timeline *from)
{
	int64_t first, last;
	uint32_t shift;

	if (from->at == 0)
		return;
	if (into->at == 0) {
		*into = *from;
		return;
	}
	first = from->first_slot < into->first_slot ? from->first_slot : into->first_slot;
	last = from->last_slot > into->last_slot ? from->last_slot : into->last_slot;
	shift = shift_for(from->shift > into->shift ? from->shift : into->shift, first, last);
	if (shift != into->shift)
		coarsen(into, shift);
	into->first_slot = first;
	into->last_slot = last;
	pour(into, from);
	into->at = place(bin_of(into->slot, shift)) + 1;
}

uint32_t timeline_count(const struct timeline *t)
{
	return t->at ? timeline_index(t, t->last_slot) + 1 : 0;
}

uint32_t timeline_index(const struct timeline *t, int64_t slot)
{
	return (uint32_t)(bin_of(slot, t->shift) - bin_of(t->first_slot, t->shift));
}

const struct timeline_bin *timeline_bin(const struct timeline *t, uint32_t index)
{
	return &t->bins[place(bin_of(t->first_slot, t->shift) + index)];
}

int64_t timeline_step_ns(const struct timeline *t)
{
	return SLOT_NS << t->shift;
}

struct capture_time timeline_begin(const struct timeline *t, uint32_t index)
{
	int64_t bin = bin_of(t->first_slot, t->shift) + index, ns;

	if (__builtin_mul_overflow(bin, timeline_step_ns(t), &ns))
		ns = bin > 0 ? INT64_MAX : INT64_MIN;
	return (struct capture_time){ ns };
}
