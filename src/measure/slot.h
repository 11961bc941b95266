/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots of 100 ms, absolute: slot n covers [n, n+1) x 100 ms of capture time, in every process alike. Rings of slots
 * are indexed by their number.
 */
#ifndef HOLDFAST_MEASURE_SLOT_H
#define HOLDFAST_MEASURE_SLOT_H

#include <stddef.h>
#include <stdint.h>

#define SLOT_NS 100000000LL
#define SLOTS_PER_SECOND 10
#define SLOTS_PER_10S (10 * SLOTS_PER_SECOND)
#define SLOTS_PER_MINUTE (60 * SLOTS_PER_SECOND)

/* Towards minus infinity; b > 0. */
static inline int64_t slot_floor_div(int64_t a, int64_t b)
{
	return a >= 0 ? a / b : -((-(a + 1)) / b) - 1;
}

static inline int64_t slot_of(int64_t ns)
{
	return slot_floor_div(ns, SLOT_NS);
}

/* The second that holds a slot. */
static inline int64_t slot_second(int64_t slot)
{
	return slot_floor_div(slot, SLOTS_PER_SECOND);
}

/* The slot's beginning, clamped to the range of int64_t. */
static inline int64_t slot_start_ns(int64_t slot)
{
	int64_t ns;

	if (__builtin_mul_overflow(slot, SLOT_NS, &ns))
		return slot > 0 ? INT64_MAX : INT64_MIN;
	return ns;
}

/* Where an absolute number lies in a ring; its size is a power of two. */
static inline size_t slot_ring_index(int64_t absolute, size_t size)
{
	return (size_t)((uint64_t)absolute & (size - 1));
}

#endif
