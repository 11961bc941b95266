/* SPDX-License-Identifier: Apache-2.0 */
#include "shield/lanes.h"

#define CODE_MASK ((1ULL << SHIELD_CODE4_BITS) - 1)
#define LANE_MORE SHIELD_BLOCK4_LANES /* the 16th */

/* Newton's iteration: of an odd number and 2^64; each round doubles the bits that are right, from 3 on. */
static uint64_t inverse_of(uint64_t odd)
{
	uint64_t inverse = odd;

	for (unsigned bits = 3; bits < 64; bits *= 2)
		inverse *= 2 - odd * inverse;
	return inverse;
}

void lanes_init(struct lanes *lanes)
{
	lanes->inverse = inverse_of(lanes->state->times4);
}

uint64_t lanes_code_at(const struct lanes *lanes, uint32_t bucket, uint32_t remainder)
{
	uint64_t x = (uint64_t)bucket << lanes->state->lane_bits | remainder;

	x = x * lanes->inverse & CODE_MASK;
	x ^= x >> SHIELD_PLACE4_SHIFT;
	return (x * inverse_of(SHIELD_PLACE4_TIMES) ^ lanes->state->xor4) & CODE_MASK;
}

uint64_t lanes_code(const struct lanes *lanes, uint32_t bucket, unsigned lane)
{
	uint32_t remainder = shield_lane4(&lanes->buckets[bucket], lane);

	return remainder == 0 ? 0 : lanes_code_at(lanes, bucket, remainder);
}

uint32_t lanes_expires(const struct lanes *lanes, uint32_t bucket, unsigned lane)
{
	return lanes->expires[bucket].tick[lane];
}

bool lanes_any(const struct lanes *lanes, uint32_t bucket)
{
	const __u64 *word = lanes->buckets[bucket].word;

	return (word[0] | word[1] | word[2] | (word[3] & UINT64_MAX >> 16)) != 0;
}

struct lanes_place lanes_seek(const struct lanes *lanes, uint64_t code, uint64_t tick)
{
	uint64_t at = shield_place4(lanes->state, code);
	struct lanes_place place = {
		.bucket = (uint32_t)(at >> lanes->state->lane_bits),
		.remainder = (uint32_t)at & ((1u << lanes->state->lane_bits) - 1),
		.has = LANES_NONE,
		.empty = LANES_NONE,
		.expired = LANES_NONE,
	};

	if (place.remainder == 0)
		return place;
	for (unsigned lane = SHIELD_BLOCK4_LANES; lane-- > 0;) {
		uint32_t remainder = shield_lane4(&lanes->buckets[place.bucket], lane);

		if (remainder == place.remainder)
			place.has = lane;
		else if (remainder == 0)
			place.empty = lane;
		else if (lanes_expires(lanes, place.bucket, lane) <= tick)
			place.expired = lane;
	}
	return place;
}

static void store_lane(struct lanes *lanes, uint32_t bucket, unsigned lane, uint32_t value)
{
	__u64 *word = &lanes->buckets[bucket].word[lane / 4];
	unsigned shift = lane % 4 * 16;

	__atomic_store_n(word, (*word & ~(0xffffULL << shift)) | (uint64_t)value << shift, __ATOMIC_RELEASE);
}

/* The word of the bucket's group, and its place in what the kernel says of that. */
static __u64 *due_of(struct lanes *lanes, uint32_t bucket)
{
	uint32_t group = bucket / SHIELD_BLOCK4_GROUP;

	return &lanes->due[group / SHIELD_BLOCK4_GROUPS].group[group % SHIELD_BLOCK4_GROUPS];
}

static uint32_t seen_of(const struct lanes *lanes, uint32_t bucket)
{
	uint32_t group = bucket / SHIELD_BLOCK4_GROUP;

	return __atomic_load_n(&lanes->swept[group / SHIELD_BLOCK4_GROUPS].seen[group % SHIELD_BLOCK4_GROUPS],
	                       __ATOMIC_ACQUIRE);
}

/* Something is changed from here on. What a dead writer left odd stays so until the change is done. */
static void begin_change(struct lanes *lanes, uint32_t bucket)
{
	__u64 *due = due_of(lanes, bucket);

	__atomic_store_n(due, *due | 1ULL << 32, __ATOMIC_RELEASE);
}

/* It is done; `tick` is an expiry of which the kernel may not know. */
static void end_change(struct lanes *lanes, uint32_t bucket, uint32_t tick)
{
	__u64 *due = due_of(lanes, bucket);
	uint32_t sequence = (uint32_t)(*due >> 32), earliest = (uint32_t)*due;

	/* If the kernel has seen the number before this change, it knows of all that had come until then. */
	if (tick < earliest || seen_of(lanes, bucket) == (sequence & ~1u))
		earliest = tick;
	__atomic_store_n(due, (uint64_t)(sequence + 1) << 32 | earliest, __ATOMIC_RELEASE);
}

void lanes_put(struct lanes *lanes, uint32_t bucket, unsigned lane, uint32_t remainder, uint32_t tick)
{
	begin_change(lanes, bucket);
	if (shield_lane4(&lanes->buckets[bucket], lane) != remainder)
		store_lane(lanes, bucket, lane, 0);
	__atomic_store_n(&lanes->expires[bucket].tick[lane], tick, __ATOMIC_RELEASE);
	store_lane(lanes, bucket, lane, remainder);
	end_change(lanes, bucket, tick);
}

void lanes_take(struct lanes *lanes, uint32_t bucket, unsigned lane)
{
	store_lane(lanes, bucket, lane, 0);
}

void lanes_look_again(struct lanes *lanes, uint32_t bucket)
{
	begin_change(lanes, bucket);
	end_change(lanes, bucket, 0);
}

uint32_t lanes_more(const struct lanes *lanes, uint32_t bucket)
{
	return shield_lane4(&lanes->buckets[bucket], LANE_MORE);
}

void lanes_set_more(struct lanes *lanes, uint32_t bucket, uint32_t count)
{
	store_lane(lanes, bucket, LANE_MORE, count);
}
