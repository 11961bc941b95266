/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/octets.h"

#define ROOM_FIRST 1024U
#define INDEX_SHIFT 16
#define INDEX_LAST (RANGES_INDEX - 1)
#define WORD_BITS 64
#define IPV4_BITS 32
#define IPV4_MASK 0xffffffffU

/* ---- building ---- */

/* Room for one more. */
static int grow(void **items, uint32_t *room, uint32_t count, size_t size)
{
	uint32_t larger = *room ? 2 * *room : ROOM_FIRST;
	void *moved;

	if (count < *room)
		return 0;
	if (count >= RANGES_MAX)
		return -E2BIG;
	moved = realloc(*items, larger * size);
	if (!moved)
		return -ENOMEM;
	*items = moved;
	*room = larger;
	return 0;
}

static int begin4(struct ranges *ranges, uint32_t first, uint32_t value)
{
	void *items = ranges->of4;
	int result;

	if (ranges->count4 ? ranges->of4[ranges->count4 - 1].value == value : value == 0)
		return 0;
	result = grow(&items, &ranges->room4, ranges->count4, sizeof(*ranges->of4));
	ranges->of4 = items;
	if (result == 0)
		ranges->of4[ranges->count4++] = (struct range4){ .first = first, .value = value };
	return result;
}

static int begin6(struct ranges *ranges, const struct mmdb_address *first, uint32_t value)
{
	void *items = ranges->of6;
	int result;

	if (ranges->count6 ? ranges->of6[ranges->count6 - 1].value == value : value == 0)
		return 0;
	result = grow(&items, &ranges->room6, ranges->count6, sizeof(*ranges->of6));
	ranges->of6 = items;
	if (result == 0)
		ranges->of6[ranges->count6++] = (struct range6){ .first = *first, .value = value };
	return result;
}

static int compare(const struct mmdb_address *a, const struct mmdb_address *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return a->low < b->low ? -1 : a->low > b->low;
}

int ranges_add4(struct ranges *ranges, uint32_t first, uint32_t last, uint32_t value)
{
	int result = 0;

	if (last < first || first < ranges->next4)
		return -EINVAL;
	if (first > ranges->next4)
		result = begin4(ranges, (uint32_t)ranges->next4, 0);
	if (result == 0)
		result = begin4(ranges, first, value);
	if (result == 0)
		ranges->next4 = (uint64_t)last + 1;
	return result;
}

int ranges_add6(struct ranges *ranges, const struct mmdb_address *first, const struct mmdb_address *last,
                uint32_t value)
{
	int result = 0;

	if (compare(last, first) < 0 || ranges->full6 || compare(first, &ranges->next6) < 0)
		return -EINVAL;
	if (compare(first, &ranges->next6) > 0)
		result = begin6(ranges, &ranges->next6, 0);
	if (result == 0)
		result = begin6(ranges, first, value);
	if (result != 0)
		return result;
	ranges->next6 = (struct mmdb_address){ .high = last->high + (last->low == UINT64_MAX), .low = last->low + 1 };
	ranges->full6 = last->high == UINT64_MAX && last->low == UINT64_MAX;
	return 0;
}

int ranges_add_alias(struct ranges *ranges, const struct mmdb_alias *alias)
{
	if (ranges->aliases_count >= sizeof(ranges->aliases) / sizeof(ranges->aliases[0]))
		return -E2BIG;
	ranges->aliases[ranges->aliases_count++] = *alias;
	return 0;
}

static int make_index(struct ranges *ranges)
{
	uint32_t at = 0;

	ranges->index = malloc(RANGES_INDEX * sizeof(*ranges->index));
	if (!ranges->index)
		return -ENOMEM;
	for (uint32_t i = 0; i < INDEX_LAST; i++) {
		while (at + 1 < ranges->count4 && ranges->of4[at + 1].first <= i << INDEX_SHIFT)
			at++;
		ranges->index[i] = at;
	}
	ranges->index[INDEX_LAST] = ranges->count4 ? ranges->count4 - 1 : 0;
	return 0;
}

static int make_coarse(struct ranges *ranges)
{
	size_t count = (ranges->count6 + RANGES_STRIDE - 1) / RANGES_STRIDE;

	ranges->coarse = malloc((count + 1) * sizeof(*ranges->coarse));
	if (!ranges->coarse)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		ranges->coarse[i] = ranges->of6[i * RANGES_STRIDE].first;
	return 0;
}

/* Room for so many values, the largest of which is known. */
static int make_values(struct ranges_values *values, uint32_t count, uint32_t largest)
{
	if (largest <= UINT16_MAX)
		values->narrow = calloc((size_t)count + 1, sizeof(*values->narrow));
	else
		values->wide = calloc((size_t)count + 1, sizeof(*values->wide));
	return values->narrow || values->wide ? 0 : -ENOMEM;
}

static void set_value(struct ranges_values *values, uint32_t at, uint32_t value)
{
	if (values->narrow)
		values->narrow[at] = (uint16_t)value;
	else
		values->wide[at] = value;
}

static uint32_t value_of(const struct ranges_values *values, uint32_t at)
{
	return values->narrow ? values->narrow[at] : values->wide[at];
}

static int pack4(struct ranges *ranges)
{
	uint32_t largest = 0;

	for (uint32_t i = 0; i < ranges->count4; i++)
		largest = ranges->of4[i].value > largest ? ranges->of4[i].value : largest;
	ranges->first4 = calloc((size_t)ranges->count4 + 1, sizeof(*ranges->first4));
	if (!ranges->first4 || make_values(&ranges->values4, ranges->count4, largest) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < ranges->count4; i++) {
		ranges->first4[i] = (uint16_t)ranges->of4[i].first;
		set_value(&ranges->values4, i, ranges->of4[i].value);
	}
	ranges->from4 = ranges->count4 ? ranges->of4[0].first : 0;
	free(ranges->of4);
	ranges->of4 = NULL;
	return 0;
}

static int pack6(struct ranges *ranges)
{
	uint32_t largest = 0;
	uint64_t low = 0;

	for (uint32_t i = 0; i < ranges->count6; i++) {
		largest = ranges->of6[i].value > largest ? ranges->of6[i].value : largest;
		low |= ranges->of6[i].first.low;
	}
	ranges->high6 = calloc((size_t)ranges->count6 + 1, sizeof(*ranges->high6));
	if (low)
		ranges->low6 = calloc((size_t)ranges->count6 + 1, sizeof(*ranges->low6));
	if (!ranges->high6 || (low && !ranges->low6) || make_values(&ranges->values6, ranges->count6, largest) != 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < ranges->count6; i++) {
		ranges->high6[i] = ranges->of6[i].first.high;
		if (ranges->low6)
			ranges->low6[i] = ranges->of6[i].first.low;
		set_value(&ranges->values6, i, ranges->of6[i].value);
	}
	free(ranges->of6);
	ranges->of6 = NULL;
	return 0;
}

int ranges_finish(struct ranges *ranges)
{
	int result = 0;

	if (ranges->next4 <= IPV4_MASK)
		result = begin4(ranges, (uint32_t)ranges->next4, 0);
	if (result == 0 && !ranges->full6)
		result = begin6(ranges, &ranges->next6, 0);
	if (result == 0)
		result = make_index(ranges);
	if (result == 0)
		result = make_coarse(ranges);
	if (result == 0)
		result = pack4(ranges);
	return result ? result : pack6(ranges);
}

static void values_fini(struct ranges_values *values)
{
	free(values->narrow);
	free(values->wide);
}

void ranges_fini(struct ranges *ranges)
{
	free(ranges->of4);
	free(ranges->of6);
	free(ranges->first4);
	free(ranges->index);
	free(ranges->high6);
	free(ranges->low6);
	free(ranges->coarse);
	values_fini(&ranges->values4);
	values_fini(&ranges->values6);
	memset(ranges, 0, sizeof(*ranges));
}

/* ---- asking ---- */

static uint32_t find4(const struct ranges *ranges, uint32_t address)
{
	uint32_t low = ranges->index[address >> INDEX_SHIFT], high = ranges->index[(address >> INDEX_SHIFT) + 1];
	uint16_t within = (uint16_t)address;

	if (ranges->count4 == 0 || address < ranges->from4)
		return 0;
	/* All behind the lower bound begin in this /16, but for the last one, which may begin the next. */
	if (high > low && ranges->first4[high] == 0)
		high--;
	/* The last one that begins at or before it is in [low, high]. */
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (ranges->first4[middle] <= within)
			low = middle;
		else
			high = middle - 1;
	}
	return value_of(&ranges->values4, low);
}

/* Without a branch that could be guessed wrongly. */
static bool reaches(uint64_t high, uint64_t low, const struct mmdb_address *address)
{
	return (high < address->high) | ((high == address->high) & (low <= address->low));
}

/* The last of those that begin at or before it; the first one does. */
static uint32_t find6(const struct ranges *ranges, const struct mmdb_address *address)
{
	uint32_t at = 0, count = (ranges->count6 + RANGES_STRIDE - 1) / RANGES_STRIDE, first;

	if (count == 0 || !reaches(ranges->coarse[0].high, ranges->coarse[0].low, address))
		return 0;
	while (count > 1) {
		uint32_t half = count / 2;
		const struct mmdb_address *begins = &ranges->coarse[at + half];

		at = reaches(begins->high, begins->low, address) ? at + half : at;
		count -= half;
	}
	first = at * RANGES_STRIDE;
	count = ranges->count6 - first;
	count = count < RANGES_STRIDE ? count : RANGES_STRIDE;
	for (at = first; count > 1;) {
		uint32_t half = count / 2;
		uint64_t low = ranges->low6 ? ranges->low6[at + half] : 0;

		at = reaches(ranges->high6[at + half], low, address) ? at + half : at;
		count -= half;
	}
	return value_of(&ranges->values6, at);
}

static bool in_alias(const struct mmdb_address *address, const struct mmdb_alias *alias)
{
	unsigned high_bits = alias->length < WORD_BITS ? alias->length : WORD_BITS;
	unsigned low_bits = alias->length - high_bits;
	uint64_t high = high_bits ? (address->high ^ alias->prefix.high) >> (WORD_BITS - high_bits) : 0;
	uint64_t low = low_bits ? (address->low ^ alias->prefix.low) >> (WORD_BITS - low_bits) : 0;

	return high == 0 && low == 0;
}

/* The 32 bits behind so many. */
static uint32_t embedded(const struct mmdb_address *address, unsigned length)
{
	if (length >= WORD_BITS)
		return (uint32_t)(address->low >> (2 * WORD_BITS - IPV4_BITS - length));
	if (length <= WORD_BITS - IPV4_BITS)
		return (uint32_t)(address->high >> (WORD_BITS - IPV4_BITS - length));
	return (uint32_t)(address->high << (length - IPV4_BITS) | address->low >> (2 * WORD_BITS - IPV4_BITS - length));
}

uint32_t ranges_find(const struct ranges *ranges, const struct address *address)
{
	struct mmdb_address at = { .high = octets_get_be(address->octets, 8),
		                   .low = octets_get_be(address->octets + 8, 8) };

	if (address_is_ipv4(address))
		return find4(ranges, (uint32_t)at.low);
	for (uint32_t i = 0; i < ranges->aliases_count; i++)
		if (in_alias(&at, &ranges->aliases[i]))
			return find4(ranges, embedded(&at, ranges->aliases[i].length));
	return find6(ranges, &at);
}
