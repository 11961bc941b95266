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

int ranges_finish(struct ranges *ranges)
{
	int result = 0;

	if (ranges->next4 <= IPV4_MASK)
		result = begin4(ranges, (uint32_t)ranges->next4, 0);
	if (result == 0 && !ranges->full6)
		result = begin6(ranges, &ranges->next6, 0);
	if (result == 0)
		result = make_index(ranges);
	return result ? result : make_coarse(ranges);
}

void ranges_fini(struct ranges *ranges)
{
	free(ranges->of4);
	free(ranges->of6);
	free(ranges->index);
	free(ranges->coarse);
	memset(ranges, 0, sizeof(*ranges));
}

/* ---- asking ---- */

static uint32_t find4(const struct ranges *ranges, uint32_t address)
{
	uint32_t low = ranges->index[address >> INDEX_SHIFT], high = ranges->index[(address >> INDEX_SHIFT) + 1];

	if (ranges->count4 == 0 || address < ranges->of4[low].first)
		return 0;
	/* The last one that begins at or before it is in [low, high]. */
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (ranges->of4[middle].first <= address)
			low = middle;
		else
			high = middle - 1;
	}
	return ranges->of4[low].value;
}

/* Without a branch that could be guessed wrongly. */
static bool reaches(const struct mmdb_address *first, const struct mmdb_address *address)
{
	return (first->high < address->high) | ((first->high == address->high) & (first->low <= address->low));
}

/* The last of those that begin at or before it; the first one does. */
static uint32_t find6(const struct ranges *ranges, const struct mmdb_address *address)
{
	uint32_t at = 0, count = (ranges->count6 + RANGES_STRIDE - 1) / RANGES_STRIDE;
	const struct range6 *block;

	if (count == 0 || !reaches(&ranges->coarse[0], address))
		return 0;
	while (count > 1) {
		uint32_t half = count / 2;

		at = reaches(&ranges->coarse[at + half], address) ? at + half : at;
		count -= half;
	}
	block = ranges->of6 + (size_t)at * RANGES_STRIDE;
	count = ranges->count6 - at * RANGES_STRIDE;
	count = count < RANGES_STRIDE ? count : RANGES_STRIDE;
	for (at = 0; count > 1;) {
		uint32_t half = count / 2;

		at = reaches(&block[at + half].first, address) ? at + half : at;
		count -= half;
	}
	return block[at].value;
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
