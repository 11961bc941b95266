/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as octets, the most significant one first: the way back from cursor.h. */
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

#endif
