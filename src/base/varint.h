/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in as many octets as they need: seven bits each, the lowest first, the high bit set in all but the last
 * (LEB128). A signed one is folded first, so that small negative ones are short too. Read through a cursor: what is
 * longer than it need be, or than 64 bits, fails it, so that each number has one form.
 */
#ifndef HOLDFAST_BASE_VARINT_H
#define HOLDFAST_BASE_VARINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define VARINT_MAX 10 /* octets */

/* Octets written; `at` has room for VARINT_MAX. */
static inline size_t varint_write(uint8_t *at, uint64_t value)
{
	size_t length = 0;

	for (; value > 0x7f; value >>= 7)
		at[length++] = (uint8_t)(value | 0x80);
	at[length++] = (uint8_t)value;
	return length;
}

static inline uint64_t cursor_varint(struct cursor *c)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t octet = cursor_u8(c);

		if ((shift == 63 && octet > 1) || (shift && octet == 0)) {
			c->failed = true;
			return 0;
		}
		value |= (uint64_t)(octet & 0x7f) << shift;
		if (!(octet & 0x80))
			return value;
	}
	c->failed = true;
	return 0;
}

static inline uint64_t varint_fold(int64_t value)
{
	return value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1;
}

static inline int64_t varint_unfold(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

#endif
