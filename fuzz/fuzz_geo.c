/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases of countries and networks, the first octet saying of which kind: MMDB, or lines. What is read of one is
 * answered in letters of countries and in names that a line can have, and two look-ups of an address agree.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "harness.h"
#include "trace/geo_inside.h"

#define BEGINS_MAX 4096 /* ranges that are looked at before and behind */

static const uint8_t asked[][16] = {
	{ [10] = 0xff, 0xff, 192, 0, 2, 1 },
	{ [10] = 0xff, 0xff },
	{ [10] = 0xff, 0xff, 255, 255, 255, 255 },
	{ [10] = 0xff, 0xff, 127, 255, 255, 255 },
	{ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	{ 0x20, 0x02, 192, 0, 2, 1 },
	{ [12] = 192, 0, 2, 1 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0 },
};

static void check_order(const struct ranges *ranges)
{
	REQUIRE(ranges->count4 <= RANGES_MAX && ranges->count6 <= RANGES_MAX);
	for (uint32_t i = 1; i < ranges->count4; i++)
		REQUIRE(ranges->of4[i - 1].first < ranges->of4[i].first &&
		        ranges->of4[i - 1].value != ranges->of4[i].value);
	for (uint32_t i = 1; i < ranges->count6; i++) {
		const struct mmdb_address *a = &ranges->of6[i - 1].first, *b = &ranges->of6[i].first;

		REQUIRE(a->high < b->high || (a->high == b->high && a->low < b->low));
	}
}

static void check_name(const char *name)
{
	size_t length = strlen(name);

	REQUIRE(length < NETWORKS_NAME_SIZE);
	for (size_t i = 0; i < length; i++)
		REQUIRE((uint8_t)name[i] >= ' ' && name[i] != 0x7f);
}

/* Packed, ranges of IPv4 say where they begin what they said before. */
static bool finish(struct ranges *ranges)
{
	static struct range4 begins[BEGINS_MAX];
	uint32_t count = ranges->count4 < BEGINS_MAX ? ranges->count4 : BEGINS_MAX;

	check_order(ranges);
	if (count > 0)
		memcpy(begins, ranges->of4, count * sizeof(*begins));
	if (ranges_finish(ranges) != 0)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct address address = { .octets = { [10] = 0xff, 0xff } };
		uint32_t first = htobe32(begins[i].first);

		memcpy(address.octets + 12, &first, sizeof(first));
		REQUIRE(ranges_find(ranges, &address) == begins[i].value);
	}
	return true;
}

static void check(struct geo_reading *reading)
{
	if (!finish(&reading->countries) || !finish(&reading->networks))
		return;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct address address;
		uint32_t country, network;

		memcpy(address.octets, asked[i], sizeof(address.octets));
		country = ranges_find(&reading->countries, &address);
		network = ranges_find(&reading->networks, &address);
		if (country) {
			const char letters[] = { (char)(country >> GEO_LETTER_BITS), (char)country };

			REQUIRE(geo_country_value(letters, sizeof(letters)) == country);
		}
		check_name(networks_name(reading->names, network));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct networks names = { .seed = 1 };
	struct geo_reading reading = { .names = &names };
	const char *why = NULL;
	size_t line = 0;
	int result;

	if (size < 1)
		return 0;
	if (data[0] % 2 == 0)
		result = geo_read_mmdb(data + 1, size - 1, &reading, &why);
	else
		result = geo_read_lines((const char *)data + 1, size - 1, &reading, &why, &line);
	REQUIRE(result == 0 || result == -E2BIG || result == -ENOMEM || (result == -EBADMSG && why && why[0]));
	if (result == 0)
		check(&reading);
	ranges_fini(&reading.countries);
	ranges_fini(&reading.networks);
	networks_fini(&names);
	return 0;
}
