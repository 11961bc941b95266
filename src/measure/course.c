/* SPDX-License-Identifier: Apache-2.0 */
/* Two rings; each slot knows of which second or minute it is, so that what was passed over is not taken for quiet. */
#include "measure/course.h"

#include <stdbool.h>
#include <stdlib.h>

#include "measure/slot.h"

#define MINUTE_S 60
#define NEVER INT64_MIN

struct slot {
	int64_t number; /* of its second or minute; NEVER: empty */
	struct course_point point;
};

struct course {
	int64_t latest; /* second */
	struct slot seconds[COURSE_SECONDS], minutes[COURSE_MINUTES];
};

struct course *course_new(void)
{
	struct course *course = malloc(sizeof(*course));

	if (!course)
		return NULL;
	course->latest = NEVER;
	for (unsigned i = 0; i < COURSE_SECONDS; i++)
		course->seconds[i].number = NEVER;
	for (unsigned i = 0; i < COURSE_MINUTES; i++)
		course->minutes[i].number = NEVER;
	return course;
}

void course_free(struct course *course)
{
	free(course);
}

static void join(struct course_point *into, const struct course_point *from)
{
	into->seconds += from->seconds;
	into->arrived += from->arrived;
	into->dropped += from->dropped;
	into->answered += from->answered;
	into->lost += from->lost;
	into->handshakes += from->handshakes;
	if (from->link_seconds == 0)
		return;
	if (into->link_seconds == 0 || from->link_percent > into->link_percent)
		into->link_percent = from->link_percent;
	into->link_seconds += from->link_seconds;
	into->link_bits += from->link_bits;
	into->link_packets += from->link_packets;
	into->link_lost += from->link_lost;
}

static uint32_t place_of(int64_t number, uint32_t slots)
{
	return (uint32_t)(number - slot_floor_div(number, slots) * slots);
}

static void put(struct slot *slots, uint32_t count, int64_t number, const struct course_point *point)
{
	struct slot *slot = &slots[place_of(number, count)];

	if (slot->number != number)
		*slot = (struct slot){ .number = number };
	join(&slot->point, point);
}

void course_add(struct course *course, int64_t second, const struct course_point *point)
{
	if (course->latest != NEVER && second <= course->latest - COURSE_SECONDS)
		return;
	if (course->latest == NEVER || second > course->latest)
		course->latest = second;
	put(course->seconds, COURSE_SECONDS, second, point);
	put(course->minutes, COURSE_MINUTES, slot_floor_div(second, MINUTE_S), point);
}

uint32_t course_read(const struct course *course, int64_t from_s, int64_t to_s, struct course_point *points,
                     uint32_t max, int64_t *begin_s, int64_t *step_s)
{
	bool by_second = course->latest != NEVER && from_s > course->latest - COURSE_SECONDS;
	const struct slot *slots = by_second ? course->seconds : course->minutes;
	uint32_t capacity = by_second ? COURSE_SECONDS : COURSE_MINUTES;
	int64_t unit = by_second ? 1 : MINUTE_S, first = slot_floor_div(from_s, unit),
		last = slot_floor_div(to_s, unit);
	int64_t oldest = course->latest == NEVER ? last : slot_floor_div(course->latest, unit) - capacity + 1;
	uint32_t count, joined;

	if (to_s < from_s || max == 0)
		return 0;
	if (last < oldest)
		return 0;
	if (first < oldest) /* nothing is known of what was before */
		first = oldest;
	if (last - first >= capacity)
		last = first + capacity - 1;
	count = (uint32_t)(last - first) + 1;
	joined = (count + max - 1) / max;
	*begin_s = first * unit;
	*step_s = joined * unit;
	for (uint32_t i = 0; i * joined < count; i++) {
		points[i] = (struct course_point){ .link_percent = -1 };
		for (uint32_t k = 0; k < joined && i * joined + k < count; k++) {
			int64_t number = first + (int64_t)i * joined + k;
			const struct slot *slot = &slots[place_of(number, capacity)];

			if (slot->number == number)
				join(&points[i], &slot->point);
		}
	}
	return (count + joined - 1) / joined;
}
