/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many numbers put in order, by their octets from the last to the first (radix sort; Knuth, The Art of Computer
 * Programming 3, 5.2.5). Octets in which all keys agree cost one look.
 */
#ifndef HOLDFAST_BASE_RADIX_H
#define HOLDFAST_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>

struct radix_item {
	uint64_t key;
	uint32_t value; /* goes with its key */
};

/* By key, the smallest first; those with equal keys stay in their order. 0, or -ENOMEM with `items` as they were. */
int radix_sort(struct radix_item *items, size_t count);
/* Signed numbers alone. 0, or -ENOMEM with `numbers` as they were. */
int radix_sort_signed(int64_t *numbers, size_t count);

#endif
