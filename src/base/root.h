/* SPDX-License-Identifier: Apache-2.0 */
/* Square roots of whole numbers, without real ones. */
#ifndef HOLDFAST_BASE_ROOT_H
#define HOLDFAST_BASE_ROOT_H

#include <stdint.h>

/* The largest number whose square is not above n. */
static inline uint64_t root_floor(uint64_t n)
{
	uint64_t low = 0, high = 1ull << 32;

	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2;

		if (middle * middle <= n)
			low = middle;
		else
			high = middle;
	}
	return low;
}

#endif
