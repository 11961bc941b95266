/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as octets, the most significant one first (network order): the way back from cursor.h, and without its
 * checks.
 */
#ifndef HOLDFAST_BASE_OCTETS_H
#define HOLDFAST_BASE_OCTETS_H

#include <stddef.h>
#include <stdint.h>

/* Each writes at a place that has room, and returns how many octets. */
static inline size_t octets_put_u32_be(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < sizeof(value); i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
	return sizeof(value);
}

static inline size_t octets_put_u64_be(uint8_t *at, uint64_t value)
{
	return octets_put_u32_be(at, (uint32_t)(value >> 32)) + octets_put_u32_be(at + 4, (uint32_t)value);
}

/* `count` octets, 8 at most, as a number. */
static inline uint64_t octets_get_be(const uint8_t *at, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | at[i];
	return value;
}

#endif
