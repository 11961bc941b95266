/* SPDX-License-Identifier: Apache-2.0 */
#include "base/radix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGIT_BITS 8
#define DIGITS (1u << DIGIT_BITS)
#define KEY_BITS 64

static unsigned digit_of(const struct radix_item *item, unsigned shift)
{
	return (unsigned)(item->key >> shift) & (DIGITS - 1);
}

static void sort_by_digit(const struct radix_item *from, struct radix_item *to, size_t count, unsigned shift)
{
	size_t places[DIGITS] = { 0 }, next = 0;

	for (size_t i = 0; i < count; i++)
		places[digit_of(&from[i], shift)]++;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		size_t of = places[digit];

		places[digit] = next;
		next += of;
	}
	for (size_t i = 0; i < count; i++)
		to[places[digit_of(&from[i], shift)]++] = from[i];
}

int radix_sort(struct radix_item *items, size_t count)
{
	struct radix_item *scratch, *from = items, *to;
	uint64_t differ = 0;

	for (size_t i = 1; i < count; i++)
		differ |= items[i].key ^ items[0].key;
	if (differ == 0)
		return 0;
	scratch = calloc(count, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	to = scratch;
	for (unsigned shift = 0; shift < KEY_BITS; shift += DIGIT_BITS) {
		struct radix_item *sorted = to;

		if ((differ >> shift & (DIGITS - 1)) == 0)
			continue;
		sort_by_digit(from, to, count, shift);
		to = from;
		from = sorted;
	}
	if (from != items)
		memcpy(items, from, count * sizeof(*items));
	free(scratch);
	return 0;
}

/* Negative ones before the others: their highest bit is turned round. */
static uint64_t ranked(int64_t number)
{
	return (uint64_t)number ^ 1ull << (KEY_BITS - 1);
}

int radix_sort_signed(int64_t *numbers, size_t count)
{
	struct radix_item *items;
	int result;

	if (count < 2)
		return 0;
	items = calloc(count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		items[i].key = ranked(numbers[i]);
	result = radix_sort(items, count);
	for (size_t i = 0; i < count && result == 0; i++)
		numbers[i] = (int64_t)ranked((int64_t)items[i].key);
	free(items);
	return result;
}
