/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks are types that do not mix. Everything that decides works in capture time: the time stamp that came with an
 * observation. No function here reads a clock.
 */
#ifndef HOLDFAST_BASE_TIME_H
#define HOLDFAST_BASE_TIME_H

#include <stdint.h>

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000LL

/* Nanoseconds since the Unix epoch, as the recorder of the packet understood it. May be negative. */
struct capture_time {
	int64_t ns;
};

/* a - b in nanoseconds, clamped to the range of int64_t. */
static inline int64_t time_since(struct capture_time a, struct capture_time b)
{
	int64_t difference;

	if (__builtin_sub_overflow(a.ns, b.ns, &difference))
		return a.ns > b.ns ? INT64_MAX : INT64_MIN;
	return difference;
}

/* t + ns, clamped to the range of int64_t. */
static inline struct capture_time time_plus(struct capture_time t, int64_t ns)
{
	int64_t sum;

	if (__builtin_add_overflow(t.ns, ns, &sum))
		sum = ns > 0 ? INT64_MAX : INT64_MIN;
	return (struct capture_time){ sum };
}

/* ns * n, clamped to the range of int64_t: the ends of all time are further apart than it reaches. */
static inline int64_t time_times(int64_t ns, uint32_t n)
{
	int64_t product;

	if (__builtin_mul_overflow(ns, (int64_t)n, &product))
		return ns > 0 ? INT64_MAX : INT64_MIN;
	return product;
}

#define TIME_TEXT_SIZE 40

/*
 * RFC 3339 in UTC with nanoseconds cut to microseconds unless they are needed: "2025-03-10T09:45:12.000123Z".
 * Returns `text`.
 */
const char *time_format(struct capture_time t, char text[TIME_TEXT_SIZE]);
/*
 * And back: "2025-03-10T09:45:12Z", with up to nine digits of a second behind a '.'. -EINVAL where it is anything else:
 * another zone, a day that is not, a leap second, a time that 64 bits of nanoseconds do not hold.
 */
int time_parse(const char *text, struct capture_time *t);
/*
 * What people type: that, the same up to the minute ("2026-03-10T09:40", UTC), or "09:40", the last time that it was
 * so at `now`. 0 or -EINVAL.
 */
int time_parse_typed(const char *text, struct capture_time now, struct capture_time *t);
/* The month that these three letters begin the English name of, "Jan": 1 to 12; 0: none. */
unsigned time_month(const char name[3]);

#endif
