/* SPDX-License-Identifier: Apache-2.0 */
/* Records of MaxMind DBs: which of what they hold is a country, which a network. */
#include <errno.h>
#include <stdlib.h>

#include "base/time.h"
#include "trace/geo_inside.h"
#include "trace/mmdb.h"

/* What records lately said, by where they stand: leaves share them. Who falls together is read again. */
#define RECENT_SLOTS 65536
#define IPV4_LENGTH 96 /* of ::/96, below which an IPv6 tree has IPv4 */
#define WORD_BITS 64
#define IPV4_BITS 32
#define YEAR_2200_S UINT64_C(7258118400)

/* Where records of the sets that there are have it: a key, and one in what that holds, or NULL. */
struct where {
	const char *outer, *inner;
};

static const struct where countries[] = {
	{ "country", "iso_code" },
	{ "country_code", NULL },
	{ "country", NULL },
};
static const struct where numbers[] = {
	{ "autonomous_system_number", NULL },
	{ "asn", NULL },
	{ "as_number", NULL },
};
static const struct where names[] = {
	{ "autonomous_system_organization", NULL },
	{ "as_name", NULL },
	{ "as_organization", NULL },
};

struct said {
	uint32_t place; /* of the record, + 1; 0: the slot is free */
	uint32_t country, network;
};

struct reader {
	struct geo_reading *reading;
	struct said *recent; /* RECENT_SLOTS */
};

/* -ENOENT where it has none; what has another shape than expected is none. */
static int find(struct mmdb *mmdb, const struct mmdb_value *record, const struct where *where, struct mmdb_value *value)
{
	struct mmdb_value outer;
	int result = mmdb_value_of(mmdb, record, where->outer, &outer);

	if (result == 0 && where->inner)
		return mmdb_value_of(mmdb, &outer, where->inner, value);
	if (result == 0)
		*value = outer;
	return result;
}

static bool broken(int result)
{
	return result != 0 && result != -ENOENT;
}

static int read_country(struct mmdb *mmdb, const struct mmdb_value *record, uint32_t *country)
{
	struct mmdb_value value;
	const char *text;
	size_t length;

	for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++) {
		int result = find(mmdb, record, &countries[i], &value);

		if (broken(result))
			return result;
		if (result == 0 && mmdb_text(mmdb, &value, &text, &length))
			*country = geo_country_value(text, length);
		if (*country)
			return 0;
	}
	return 0;
}

/* 13335, or "AS13335". */
static uint32_t number_of(const struct mmdb *mmdb, const struct mmdb_value *value)
{
	uint64_t number = 0;
	const char *text;
	size_t length;

	if (mmdb_number(mmdb, value, &number))
		return number <= UINT32_MAX ? (uint32_t)number : 0;
	if (!mmdb_text(mmdb, value, &text, &length) || length < 3 || text[0] != 'A' || text[1] != 'S')
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || number > UINT32_MAX)
			return 0;
		number = 10 * number + (uint64_t)(text[i] - '0');
	}
	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

static int read_network(struct reader *reader, struct mmdb *mmdb, const struct mmdb_value *record, uint32_t *network)
{
	const char *text = "";
	size_t length = 0;
	struct mmdb_value value;
	int result = 0;

	for (size_t i = 0; *network == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		result = find(mmdb, record, &numbers[i], &value);
		if (broken(result))
			return result;
		if (result == 0)
			*network = number_of(mmdb, &value);
	}
	if (*network == 0)
		return 0;
	for (size_t i = 0; length == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
		result = find(mmdb, record, &names[i], &value);
		if (broken(result))
			return result;
		if (result != 0 || !mmdb_text(mmdb, &value, &text, &length))
			length = 0;
	}
	return networks_add(reader->reading->names, *network, text, length);
}

/* Of a record that is broken nothing is known; the rest of the file goes on. -E2BIG and -ENOMEM end it. */
static int read_record(struct reader *reader, struct mmdb *mmdb, uint32_t place, struct said *said)
{
	struct said *slot = &reader->recent[place % RECENT_SLOTS];
	struct said fresh = { .place = place + 1 };
	struct mmdb_value record;
	int result;

	if (slot->place == place + 1) {
		*said = *slot;
		return 0;
	}
	result = mmdb_value_at(mmdb, place, &record);
	if (result == 0 && record.type == MMDB_MAP) {
		result = read_country(mmdb, &record, &fresh.country);
		if (result == 0)
			result = read_network(reader, mmdb, &record, &fresh.network);
	}
	if (result != 0 && result != -EBADMSG)
		return result;
	*slot = fresh;
	*said = fresh;
	return 0;
}

/* The last address of a prefix whose host bits are zero. */
static struct mmdb_address last_of(const struct mmdb_address *first, unsigned bits, unsigned length)
{
	unsigned host = bits - length;
	struct mmdb_address last = *first;

	if (host >= WORD_BITS) {
		last.low = UINT64_MAX;
		last.high |= host == 2 * WORD_BITS ? UINT64_MAX : (UINT64_C(1) << (host - WORD_BITS)) - 1;
	} else {
		last.low |= (UINT64_C(1) << host) - 1;
	}
	return last;
}

/* What an IPv6 tree has of ::/96 is IPv4, and only that; a leaf above it is both. */
static int add(struct ranges *ranges, const struct mmdb_address *first, const struct mmdb_address *last, bool ipv6,
               uint32_t value)
{
	const struct mmdb_address beyond = { .low = UINT64_C(1) << IPV4_BITS };
	bool below = first->high == 0 && first->low < beyond.low;
	int result = 0;

	if (value == 0)
		return 0;
	if (!ipv6)
		return ranges_add4(ranges, (uint32_t)first->low, (uint32_t)last->low, value);
	if (below)
		result = ranges_add4(ranges, (uint32_t)first->low,
		                     last->high || last->low > UINT32_MAX ? UINT32_MAX : (uint32_t)last->low, value);
	if (below && last->high == 0 && last->low <= UINT32_MAX)
		return result;
	return result ? result : ranges_add6(ranges, below ? &beyond : first, last, value);
}

static int on_leaf(void *context, struct mmdb *mmdb, const struct mmdb_address *first, unsigned length, uint32_t place)
{
	struct reader *reader = context;
	struct mmdb_address last = last_of(first, mmdb->ipv6 ? 2 * WORD_BITS : IPV4_BITS, length);
	struct said said;
	int result = read_record(reader, mmdb, place, &said);

	if (result == 0)
		result = add(&reader->reading->countries, first, &last, mmdb->ipv6, said.country);
	if (result == 0)
		result = add(&reader->reading->networks, first, &last, mmdb->ipv6, said.network);
	return result;
}

static int on_alias(void *context, const struct mmdb_alias *alias)
{
	struct geo_reading *reading = ((struct reader *)context)->reading;
	int result = ranges_add_alias(&reading->countries, alias);

	return result ? result : ranges_add_alias(&reading->networks, alias);
}

int geo_read_mmdb(const uint8_t *octets, size_t size, struct geo_reading *reading, const char **why)
{
	static const struct mmdb_visitor visitor = { .leaf = on_leaf, .alias = on_alias };
	const struct mmdb_alias ipv4 = { .length = IPV4_LENGTH };
	struct reader reader = { .reading = reading };
	struct mmdb_visitor visiting = visitor;
	struct mmdb mmdb;
	int result = mmdb_open(octets, size, &mmdb, why);

	if (result != 0)
		return result;
	reading->ipv4_only = !mmdb.ipv6;
	reading->built_ns = mmdb.built_s < YEAR_2200_S ? (int64_t)mmdb.built_s * NS_PER_S : 0;
	reader.recent = calloc(RECENT_SLOTS, sizeof(*reader.recent));
	if (!reader.recent)
		return -ENOMEM;
	visiting.context = &reader;
	if (mmdb.ipv6)
		result = on_alias(&reader, &ipv4);
	if (result == 0)
		result = mmdb_walk(&mmdb, &visiting, why);
	free(reader.recent);
	return result;
}
