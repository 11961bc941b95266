/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases against two twins: the list of what was put in, searched from end to end, and libmaxminddb. Then files of
 * every schema, and files that are wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <maxminddb.h>

#include "base/digest.h"
#include "made.h"
#include "made_mmdb.h"
#include "trace/geo.h"
#include "trace/networks.h"
#include "trace/ranges.h"

#define BUILT_S UINT64_C(1780000000)

static char folder[] = "/tmp/holdfast-test-geo-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[2][256];
	static unsigned turn;

	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void put(const char *name, const void *octets, size_t size)
{
	FILE *file = fopen(path_of(name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(octets, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_made(const char *name, struct made_mmdb *made)
{
	size_t size;
	uint8_t *octets = made_finish(made, BUILT_S, &size);

	put(name, octets, size);
	free(octets);
	free(made);
}

static int open_one(const char *name, struct geo **geo, char error[GEO_ERROR_SIZE])
{
	const char *path = path_of(name);

	*geo = NULL;
	return geo_open_files(&path, 1, geo, error);
}

static struct geo *open_good(const char *name)
{
	char error[GEO_ERROR_SIZE];
	struct geo *geo;
	int result = open_one(name, &geo, error);

	if (result != 0)
		fail_msg("%s: %d: %s", name, result, error);
	return geo;
}

static struct geo_place look_up(struct geo *geo, struct address address)
{
	struct geo_place place;

	geo_look_up(geo, &address, &place);
	return place;
}

static const char *geo_sha256(const char *text)
{
	static char sum[DIGEST_SHA256_TEXT_SIZE];

	digest_sha256_text(text, strlen(text), sum);
	return sum;
}

/* ---- twins ---- */

#define TWIN_PREFIXES 600
#define TWIN_ASKED 4000

struct twin {
	unsigned bits;
	uint32_t count;
	struct {
		uint8_t octets[16];
		unsigned length;
		uint32_t number; /* 0: taken out again */
	} prefixes[TWIN_PREFIXES];
};

static bool inside(const uint8_t *a, const uint8_t *b, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		if (made_bit(a, i) != made_bit(b, i))
			return false;
	return true;
}

/* The last one put in that holds it. */
static uint32_t twin_find(const struct twin *twin, const uint8_t *octets)
{
	for (uint32_t i = twin->count; i-- > 0;)
		if (inside(octets, twin->prefixes[i].octets, twin->prefixes[i].length))
			return twin->prefixes[i].number;
	return 0;
}

static uint32_t put_network(struct made_mmdb *made, uint32_t number)
{
	uint32_t at = made_map(made, 2);
	char name[32];

	(void)snprintf(name, sizeof(name), "Network %u", number);
	(void)made_text(made, "autonomous_system_organization");
	(void)made_text(made, name);
	(void)made_text(made, "autonomous_system_number");
	(void)made_number(made, 6, number, 4);
	return at;
}

static void draw_octets(uint64_t *state, bool ipv4_inside, uint8_t octets[16])
{
	uint64_t high = made_random(state), low = made_random(state);

	/* Few high bits, so that prefixes meet. */
	high &= UINT64_C(0x20ff00ff00ffffff);
	if (ipv4_inside) {
		high = 0;
		low &= 0x0fffffff;
	}
	for (unsigned i = 0; i < 8; i++) {
		octets[i] = (uint8_t)(high >> (56 - 8 * i));
		octets[i + 8] = (uint8_t)(low >> (56 - 8 * i));
	}
}

static struct made_mmdb *make_twins(uint64_t seed, unsigned bits, unsigned record_bits, struct twin *twin)
{
	struct made_mmdb *made = made_mmdb_new(bits, record_bits);
	uint64_t state = seed;

	memset(twin, 0, sizeof(*twin));
	twin->bits = bits;
	/* Shorter ones first, for they would cover longer ones. */
	for (unsigned length = bits == 32 ? 3 : 8; length <= bits; length += bits == 32 ? 1 : 4) {
		for (unsigned k = 0; k < TWIN_PREFIXES / 40; k++) {
			uint32_t number = made_below(&state, 5) ? 1 + made_below(&state, 50) : 0, i = twin->count++;
			uint8_t octets[16];

			draw_octets(&state, bits == 128 && length > 96 && k % 2, octets);
			if (bits == 32)
				memmove(octets, octets + 8, 4);
			for (unsigned bit = length; bit < 128; bit++)
				octets[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
			memcpy(twin->prefixes[i].octets, octets, 16);
			twin->prefixes[i].length = length;
			twin->prefixes[i].number = number;
			if (number)
				made_insert(made, octets, length, put_network(made, number));
			else
				*made_record(made, octets, length) = MADE_EMPTY;
		}
	}
	return made;
}

static uint32_t ask_library(MMDB_s *library, const uint8_t *octets, bool ipv4)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;
	int error = 0;

	if (ipv4)
		memcpy(&in.sin_addr, octets, 4);
	else
		memcpy(&in6.sin6_addr, octets, 16);
	found = MMDB_lookup_sockaddr(library, ipv4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6, &error);
	if (!found.found_entry || error ||
	    MMDB_get_value(&found.entry, &data, "autonomous_system_number", NULL) != MMDB_SUCCESS || !data.has_data)
		return 0;
	assert_int_equal(data.type, MMDB_DATA_TYPE_UINT32);
	return data.uint32;
}

static void check_twins(uint64_t seed, unsigned bits, unsigned record_bits)
{
	struct twin *twin = calloc(1, sizeof(*twin));
	uint64_t state = seed + 1;
	uint32_t known = 0;
	struct geo *geo;
	MMDB_s library;

	assert_non_null(twin);
	put_made("twin.mmdb", make_twins(seed, bits, record_bits, twin));
	geo = open_good("twin.mmdb");
	assert_int_equal(MMDB_open(path_of("twin.mmdb"), MMDB_MODE_MMAP, &library), MMDB_SUCCESS);
	for (unsigned i = 0; i < TWIN_ASKED; i++) {
		const uint8_t *near = twin->prefixes[made_below(&state, twin->count)].octets;
		bool ipv4 = bits == 32 || i % 2;
		uint8_t octets[16] = { 0 }, four[4];
		struct address address;
		uint32_t number;

		draw_octets(&state, ipv4, octets);
		if (bits == 32)
			memmove(octets, octets + 8, 4);
		if (i % 3 && (bits == 32 || !ipv4 || inside(near, (uint8_t[16]){ 0 }, 96)))
			memcpy(octets, near, made_below(&state, 17));
		memcpy(four, bits == 32 ? octets : octets + 12, 4);
		address = ipv4 ? address_from_ipv4(four) : address_from_ipv6(octets);
		number = twin_find(twin, octets);
		known += number != 0;
		assert_int_equal(look_up(geo, address).network, number);
		assert_int_equal(ask_library(&library, ipv4 ? four : octets, ipv4), number);
		if (number) {
			char name[32];

			(void)snprintf(name, sizeof(name), "Network %u", number);
			assert_string_equal(geo_network_name(geo, number), name);
		}
	}
	assert_in_range(known, TWIN_ASKED / 10, TWIN_ASKED - TWIN_ASKED / 20);
	MMDB_close(&library);
	geo_close(geo);
	free(twin);
}

static void databases_say_what_was_put_in(void **state)
{
	(void)state;
	for (unsigned record_bits = 24; record_bits <= 32; record_bits += 4)
		for (uint64_t seed = 0; seed < 5; seed++) {
			check_twins(100 * record_bits + seed, 32, record_bits);
			check_twins(200 * record_bits + seed, 128, record_bits);
		}
}

/* ---- schemas ---- */

static void countries_and_networks_are_found_in_each_schema(void **state)
{
	struct geo *geo;
	struct made_mmdb *made = made_mmdb_new(32, 24);
	uint32_t at;

	(void)state;
	at = made_map(made, 1);
	(void)made_text(made, "country_code");
	(void)made_text(made, "UA");
	made_insert(made, (uint8_t[16]){ 192, 0, 2 }, 24, at);
	put_made("flat.mmdb", made);
	geo = open_good("flat.mmdb");
	assert_int_equal(geo_count(geo, GEO_COUNTRIES), 1);
	assert_int_equal(geo_count(geo, GEO_NETWORKS), 0);
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 0)->name, "flat");
	assert_true(geo_database(geo, GEO_COUNTRIES, 0)->ipv4_only);
	assert_int_equal(geo_database(geo, GEO_COUNTRIES, 0)->built_ns, BUILT_S * 1000000000);
	assert_string_equal(look_up(geo, made_ipv4(0xc0000201)).country[0], "UA");
	assert_string_equal(look_up(geo, made_ipv4(0xc0000301)).country[0], "");
	assert_string_equal(look_up(geo, made_ipv6(UINT64_C(0x20010db800000000), 1)).country[0], "");
	geo_close(geo);
}

static void lines_of_text_are_databases_too(void **state)
{
	struct geo *geo;

	(void)state;
	put_text("asn.csv", "192.0.2.0,192.0.2.127,64496,\"Example, \"\"the\"\" one\"\r\n"
	                    "192.0.2.64,192.0.2.255,64497,Second\n\n"
	                    "2001:db8::,2001:db8::ffff:ffff:ffff:ffff,AS64498,Third\n");
	geo = open_good("asn.csv");
	assert_int_equal(geo_count(geo, GEO_COUNTRIES), 0);
	assert_int_equal(geo_count(geo, GEO_NETWORKS), 1);
	assert_false(geo_database(geo, GEO_NETWORKS, 0)->ipv4_only);
	assert_int_equal(look_up(geo, made_ipv4(0xc00001ff)).network, 0);
	assert_int_equal(look_up(geo, made_ipv4(0xc0000200)).network, 64496);
	/* Where they overlap, the one before counts. */
	assert_int_equal(look_up(geo, made_ipv4(0xc000027f)).network, 64496);
	assert_int_equal(look_up(geo, made_ipv4(0xc0000280)).network, 64497);
	assert_int_equal(look_up(geo, made_ipv4(0xc0000300)).network, 0);
	assert_int_equal(look_up(geo, made_ipv6(UINT64_C(0x20010db800000000), UINT64_MAX)).network, 64498);
	assert_int_equal(look_up(geo, made_ipv6(UINT64_C(0x20010db800000001), 0)).network, 0);
	assert_string_equal(geo_network_name(geo, 64496), "Example, \"the\" one");
	assert_string_equal(geo_network_name(geo, 64498), "Third");
	assert_string_equal(geo_network_name(geo, 64499), "");
	geo_close(geo);

	put_text("both.tsv",
	         "192.0.2.0\t192.0.2.255\t64496\tUA\tEXAMPLE\n198.51.100.0\t198.51.100.9\t0\tNone\tNot routed\n");
	geo = open_good("both.tsv");
	assert_string_equal(look_up(geo, made_ipv4(0xc0000201)).country[0], "UA");
	assert_int_equal(look_up(geo, made_ipv4(0xc0000201)).network, 64496);
	assert_string_equal(look_up(geo, made_ipv4(0xc6336401)).country[0], "");
	assert_true(geo_database(geo, GEO_NETWORKS, 0)->ipv4_only);
	geo_close(geo);

	put_text("country.csv", "192.0.2.0,192.0.2.255,ua\n198.51.100.0,198.51.100.9,ZZ\n");
	geo = open_good("country.csv");
	assert_string_equal(look_up(geo, made_ipv4(0xc0000201)).country[0], "UA");
	assert_string_equal(look_up(geo, made_ipv4(0xc6336401)).country[0], "");
	geo_close(geo);
}

/* ---- names ---- */

static void check_text(const char *octets, size_t length, size_t size, const char *wanted)
{
	char text[NETWORKS_NAME_SIZE];

	networks_text(octets, length, text, size);
	assert_string_equal(text, wanted);
}

static void names_are_what_a_line_can_have(void **state)
{
	(void)state;
	check_text("Example", 7, 64, "Example");
	check_text("Example", 7, 4, "Exa");
	check_text("a\0b\033[1m\r\n\177", 10, 64, "a?b?[1m???");
	/* Umlauts, the euro sign, a letter beyond the basic plane; cut between letters. */
	check_text("\303\244\342\202\254\360\237\214\215", 9, 64, "\303\244\342\202\254\360\237\214\215");
	check_text("\303\244\342\202\254\360\237\214\215", 9, 9, "\303\244\342\202\254");
	check_text("\303\244\342\202\254", 5, 5, "\303\244");
	check_text("\303\244", 2, 2, "");
	/* Cut off, overlong, a surrogate, beyond Unicode, a lone follower, a follower that is none. */
	check_text("\303", 1, 64, "?");
	check_text("\300\257", 2, 64, "??");
	check_text("\340\200\257", 3, 64, "???");
	check_text("\355\240\200", 3, 64, "???");
	check_text("\364\220\200\200", 4, 64, "????");
	check_text("\200", 1, 64, "?");
	check_text("\303(", 2, 64, "?(");
	check_text("\377", 1, 64, "?");
	/* Right-to-left override, zero width space, byte order mark, a control of the second half. */
	check_text("x\342\200\256y", 5, 64, "x???y");
	check_text("\342\200\213\357\273\277", 6, 64, "??????");
	check_text("\302\205", 2, 64, "??");
}

static void the_first_name_stays(void **state)
{
	struct networks networks = { .seed = 3 };

	(void)state;
	assert_string_equal(networks_name(&networks, 1), "");
	assert_int_equal(networks_add(&networks, 0, "none", 4), 0);
	assert_int_equal(networks_add(&networks, 7, "", 0), 0);
	for (uint32_t i = 1; i <= 5000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "N%u", i);
		assert_int_equal(networks_add(&networks, i * 7, name, strlen(name)), 0);
		assert_int_equal(networks_add(&networks, i * 7, "other", 5), 0);
	}
	assert_int_equal(networks.count, 5000);
	assert_string_equal(networks_name(&networks, 0), "");
	assert_string_equal(networks_name(&networks, 7), "N1");
	assert_string_equal(networks_name(&networks, 35000), "N5000");
	assert_string_equal(networks_name(&networks, 8), "");
	networks_fini(&networks);
}

static void there_are_so_many_names(void **state)
{
	struct networks networks = { .seed = 3 };

	(void)state;
	for (uint32_t i = 1; i <= NETWORKS_MAX; i++)
		assert_int_equal(networks_add(&networks, i, "x", 1), 0);
	assert_int_equal(networks_add(&networks, NETWORKS_MAX + 1, "x", 1), -E2BIG);
	assert_int_equal(networks_add(&networks, 1, "y", 1), 0);
	networks_fini(&networks);
}

/* ---- ranges ---- */

static void ranges_are_added_in_order(void **state)
{
	const struct mmdb_address low = { .high = 5 }, lower = { .high = 4, .low = 9 },
				  last = { .high = UINT64_MAX, .low = UINT64_MAX };
	struct ranges ranges = { .count4 = 0 };
	struct address address = made_ipv4(0x0a000005);

	(void)state;
	assert_int_equal(ranges_add4(&ranges, 10, 9, 1), -EINVAL);
	assert_int_equal(ranges_add4(&ranges, 0x0a000000, 0x0a0000ff, 1), 0);
	assert_int_equal(ranges_add4(&ranges, 0x0a0000ff, 0x0a000200, 2), -EINVAL);
	assert_int_equal(ranges_add4(&ranges, 0x0a000100, 0x0a0001ff, 1), 0);
	assert_int_equal(ranges.count4, 1);
	assert_int_equal(ranges_add4(&ranges, 0xffffff00, UINT32_MAX, 3), 0);
	assert_int_equal(ranges_add4(&ranges, UINT32_MAX, UINT32_MAX, 3), -EINVAL);
	assert_int_equal(ranges_add6(&ranges, &low, &lower, 1), -EINVAL);
	assert_int_equal(ranges_add6(&ranges, &low, &low, 7), 0);
	assert_int_equal(ranges_add6(&ranges, &lower, &low, 7), -EINVAL);
	assert_int_equal(ranges_add6(&ranges, &(struct mmdb_address){ .high = 5, .low = 1 }, &last, 8), 0);
	assert_int_equal(ranges_add6(&ranges, &last, &last, 9), -EINVAL);
	assert_int_equal(ranges_finish(&ranges), 0);
	assert_int_equal(ranges_find(&ranges, &address), 1);
	address = made_ipv4(0x09ffffff);
	assert_int_equal(ranges_find(&ranges, &address), 0);
	address = made_ipv4(0x0a000200);
	assert_int_equal(ranges_find(&ranges, &address), 0);
	address = made_ipv4(UINT32_MAX);
	assert_int_equal(ranges_find(&ranges, &address), 3);
	address = made_ipv6(5, 0);
	assert_int_equal(ranges_find(&ranges, &address), 7);
	address = made_ipv6(5, 1);
	assert_int_equal(ranges_find(&ranges, &address), 8);
	address = made_ipv6(UINT64_MAX, UINT64_MAX);
	assert_int_equal(ranges_find(&ranges, &address), 8);
	address = made_ipv6(4, 8);
	assert_int_equal(ranges_find(&ranges, &address), 0);
	ranges_fini(&ranges);
}

#define LISTED 1500

/* What a table says beside a list that is gone through from its beginning. */
struct listed {
	struct mmdb_address first, last;
	uint32_t value;
};

static uint32_t told_by(const struct listed *list, unsigned count, const struct mmdb_address *at)
{
	for (unsigned i = 0; i < count; i++)
		if ((at->high > list[i].first.high ||
		     (at->high == list[i].first.high && at->low >= list[i].first.low)) &&
		    (at->high < list[i].last.high || (at->high == list[i].last.high && at->low <= list[i].last.low)))
			return list[i].value;
	return 0;
}

/* Beginnings and ends fall on the bounds of /16s and beside them, as they do in what is asked. */
static uint64_t bound(uint64_t *draws, uint64_t from)
{
	uint64_t at = from + made_below(draws, 4) * made_below(draws, 200000);

	return made_below(draws, 2) ? (at | 0xffff) + made_below(draws, 2) : at;
}

static void packed_ranges_say_what_was_added(void **state)
{
	static struct listed list[LISTED];

	(void)state;
	for (unsigned shape = 0; shape < 8; shape++) {
		bool wide = shape & 1, ipv4 = shape & 2, low = shape & 4;
		struct ranges ranges = { .count4 = 0 };
		uint64_t draws = 20261127 + shape, next = shape < 4 ? 0 : 77;
		unsigned count = 0;

		for (; count < LISTED; count++) {
			uint64_t first = bound(&draws, next), last = bound(&draws, first);
			struct listed *one = &list[count];

			if (ipv4 && last > UINT32_MAX)
				break;
			next = last + 1;
			*one = (struct listed){ .value = (uint32_t)made_below(&draws, wide ? 70000 : 65536) };
			one->first = (struct mmdb_address){ .high = ipv4 || low ? 0 : first,
				                            .low = ipv4 || low ? first : 0 };
			one->last = (struct mmdb_address){ .high = ipv4 || low ? 0 : last,
				                           .low = ipv4 || low ? last : UINT64_MAX };
			if (ipv4)
				assert_int_equal(ranges_add4(&ranges, (uint32_t)first, (uint32_t)last, one->value), 0);
			else
				assert_int_equal(ranges_add6(&ranges, &one->first, &one->last, one->value), 0);
		}
		assert_in_range(count, 500, LISTED);
		assert_int_equal(ranges_finish(&ranges), 0);
		assert_true(ipv4 ? !ranges.values4.wide == !wide : !ranges.values6.wide == !wide);
		assert_true(ipv4 || !ranges.low6 == !low);
		for (unsigned i = 0; i < 4 * count; i++) {
			const struct listed *near = &list[i / 4];
			struct mmdb_address at = i % 2 ? near->last : near->first;
			struct address address;

			/* The one behind, the one before. */
			if (i % 4 >= 2 && !ipv4 && !low)
				at.high += i % 2 ? 1 : UINT64_MAX;
			else if (i % 4 >= 2)
				at.low += i % 2 ? 1 : UINT64_MAX;
			if (ipv4 && at.low > UINT32_MAX)
				continue;
			address = ipv4 ? made_ipv4((uint32_t)at.low) : made_ipv6(at.high, at.low);
			if (ipv4 || !address_is_ipv4(&address))
				assert_int_equal(ranges_find(&ranges, &address), told_by(list, count, &at));
		}
		ranges_fini(&ranges);
	}
}

static void there_are_so_many_ranges(void **state)
{
	const struct mmdb_alias alias = { .length = 96 };
	struct ranges ranges = { .count4 = 0 };
	int result = 0;

	(void)state;
	for (uint32_t i = 0; i < RANGES_MAX; i++)
		result |= ranges_add4(&ranges, i, i, 1 + i % 2);
	assert_int_equal(result, 0);
	assert_int_equal(ranges_add4(&ranges, RANGES_MAX, RANGES_MAX, 3), -E2BIG);
	assert_int_equal(ranges_finish(&ranges), -E2BIG); /* that all is over behind them is one more, too */
	for (uint64_t i = 0; i < RANGES_MAX; i++)
		result |= ranges_add6(&ranges, &(struct mmdb_address){ .low = i }, &(struct mmdb_address){ .low = i },
		                      (uint32_t)(1 + i % 2));
	assert_int_equal(result, 0);
	assert_int_equal(ranges_add6(&ranges, &(struct mmdb_address){ .high = 1 }, &(struct mmdb_address){ .high = 1 },
	                             3),
	                 -E2BIG);
	for (unsigned i = 0; i <= MMDB_ALIASES_MAX; i++)
		assert_int_equal(ranges_add_alias(&ranges, &alias), 0);
	assert_int_equal(ranges_add_alias(&ranges, &alias), -E2BIG);
	ranges_fini(&ranges);
}

/* ---- what is wrong ---- */

static void assert_refused(const char *name, const char *what)
{
	char error[GEO_ERROR_SIZE], wanted[GEO_ERROR_SIZE];
	struct geo *geo;

	assert_int_equal(open_one(name, &geo, error), -EBADMSG);
	assert_null(geo);
	(void)snprintf(wanted, sizeof(wanted), "%s: %s", name, what);
	assert_string_equal(error, wanted);
}

static void wrong_lines_are_named(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "", "it says nothing of countries, nor of networks" },
		{ "x\n", "line 1: not first, last, and what they are" },
		{ "192.0.2.0,192.0.2.1\n", "line 1: not first, last, and what they are" },
		{ "192.0.2.0,2001:db8::,UA\n", "line 1: not first, last, and what they are" },
		{ "192.0.2.0,x,UA\n", "line 1: not first, last, and what they are" },
		{ "192.0.2.0,192.0.2.255,UA\n192.0.1.0,192.0.1.1,UA\n",
		  "line 2: it ends before it begins, or begins before the one before it" },
		{ "192.0.2.9,192.0.2.1,UA\n", "line 1: it ends before it begins, or begins before the one before it" },
		{ "192.0.2.0,192.0.2.1,1,\"x\n", "line 1: longer than a line is, or a quote that does not end" },
		{ "192.0.2.0,192.0.2.1,99999999999,x\n", "it says nothing of countries, nor of networks" },
		{ "192.0.2.0,192.0.2.1,ASX,x\n", "it says nothing of countries, nor of networks" },
	};
	char line[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_text("wrong.csv", cases[i].text);
		assert_refused("wrong.csv", cases[i].what);
	}
	memset(line, '1', sizeof(line));
	put("wrong.csv", line, sizeof(line));
	assert_refused("wrong.csv", "line 1: longer than a line is, or a quote that does not end");
}

static void lines_that_overlap_are_clipped(void **state)
{
	struct geo *geo;

	(void)state;
	put_text("o.csv",
	         "::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,1,a\n::1,::2,2,b\n"
	         "0.0.0.0,9.0.0.0,3,c\n0.0.0.0,255.255.255.255,4,d,further,fields,are,left,out\n1.0.0.0,2.0.0.0,5,e\n");
	geo = open_good("o.csv");
	assert_int_equal(look_up(geo, made_ipv6(0, 1)).network, 1);
	assert_int_equal(look_up(geo, made_ipv6(UINT64_MAX, UINT64_MAX)).network, 1);
	assert_int_equal(look_up(geo, made_ipv4(0x01000000)).network, 3);
	assert_int_equal(look_up(geo, made_ipv4(0x09000000)).network, 3);
	assert_int_equal(look_up(geo, made_ipv4(0x09000001)).network, 4);
	assert_int_equal(look_up(geo, made_ipv4(UINT32_MAX)).network, 4);
	geo_close(geo);
	put_text("o.csv", "2001:db8::,2001:db8::ffff:ffff:ffff:ffff,1,a\n2001:db8::,2001:db8:0:1::,2,b\n");
	geo = open_good("o.csv");
	assert_int_equal(look_up(geo, made_ipv6(UINT64_C(0x20010db800000000), UINT64_MAX)).network, 1);
	assert_int_equal(look_up(geo, made_ipv6(UINT64_C(0x20010db800000001), 0)).network, 2);
	geo_close(geo);
}

static void files_are_refused_by_what_they_are(void **state)
{
	char error[GEO_ERROR_SIZE];
	struct geo *geo = NULL;
	int fd;

	(void)state;
	assert_refused("none.mmdb", "cannot be read: No such file or directory");
	assert_int_equal(mkdir(path_of("folder.mmdb"), 0700), 0);
	assert_refused("folder.mmdb", "cannot be read: Is a directory");
	assert_int_equal(rmdir(path_of("folder.mmdb")), 0);
	fd = open(path_of("large.mmdb"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)GEO_FILE_MAX + 1), 0);
	assert_int_equal(close(fd), 0);
	assert_refused("large.mmdb", "larger than 256 MiB");
	assert_int_equal(unlink(path_of("large.mmdb")), 0);
	assert_int_equal(geo_open_files(NULL, 0, &geo, error), -ENOENT);
	assert_int_equal(geo_open_octets("x.mmdb", (const uint8_t *)"", 0, &geo, error), -EBADMSG);
	assert_string_equal(error, "x.mmdb: it has no metadata of a MaxMind DB");
	geo_close(NULL);
}

/* ---- folders ---- */

static void clear_folder(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -f %s/*", folder);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a name of ours */
}

static void a_folder_has_what_fits(void **state)
{
	static const char text[] = "192.0.2.0,192.0.2.255,UA\n";
	char error[GEO_ERROR_SIZE], name[32], manifest[1024];
	struct geo *geo = NULL;

	(void)state;
	clear_folder();
	assert_int_equal(geo_open_folder("/nonexistent/folder", &geo, error), -ENOENT);
	assert_int_equal(geo_open_folder("/dev/null", &geo, error), -ENOENT);
	assert_int_equal(geo_open_folder(folder, &geo, error), -ENOENT);
	for (unsigned i = 0; i < 5; i++) {
		(void)snprintf(name, sizeof(name), "c%u.csv", i);
		put_text(name, text);
	}
	put_text(".hidden.csv", "x");
	put_text("other.txt", "x");
	assert_int_equal(geo_open_folder(folder, &geo, error), -EBADMSG);
	assert_string_equal(error, "c4.csv: beyond the 4 databases of countries that are asked");
	assert_int_equal(geo_count(geo, GEO_COUNTRIES), 4);
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 3)->name, "c3");
	assert_string_equal(look_up(geo, made_ipv4(0xc0000201)).country[3], "UA");
	geo_close(geo);

	/* The manifest counts for the octets that it names. */
	assert_int_equal(unlink(path_of("c4.csv")), 0);
	put_text("c1.csv", "192.0.2.0,192.0.2.255,US\n");
	(void)snprintf(manifest, sizeof(manifest),
	               "{\"schema\":\"holdfast.geo/1\",\"databases\":[7,"
	               "{\"file\":\"c0.csv\",\"sha256\":\"%s\",\"name\":\"zero\",\"licence\":5,\"version\":\"1.\\n2\"},"
	               "{\"file\":\"c1.csv\",\"sha256\":\"%s\",\"name\":\"one\"}]}",
	               geo_sha256(text), geo_sha256(text));
	put_text("manifest.json", manifest);
	assert_int_equal(geo_open_folder(folder, &geo, error), 0);
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 0)->name, "zero");
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 0)->version, "1.?2");
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 0)->licence, "");
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 0)->sha256, geo_sha256(text));
	assert_string_equal(geo_database(geo, GEO_COUNTRIES, 1)->name, "c1");
	geo_close(geo);

	/* A manifest that is none takes nothing away. */
	put_text("manifest.json", "{\"schema\":\"other\"}");
	assert_int_equal(geo_open_folder(folder, &geo, error), -EBADMSG);
	assert_string_equal(error, "manifest.json: cannot be read as JSON of holdfast.geo/1");
	assert_int_equal(geo_count(geo, GEO_COUNTRIES), 4);
	geo_close(geo);
	put_text("manifest.json", "");
	assert_int_equal(truncate(path_of("manifest.json"), 100000), 0);
	assert_int_equal(geo_open_folder(folder, &geo, error), -EBADMSG);
	geo_close(geo);
	clear_folder();

	for (unsigned i = 0; i < 70; i++) {
		(void)snprintf(name, sizeof(name), "%02u.csv", i);
		put_text(name, "x\n");
	}
	geo = NULL;
	assert_int_equal(geo_open_folder(folder, &geo, error), -EBADMSG);
	assert_non_null(strstr(error, "more than 64 databases"));
	assert_null(geo);
	clear_folder();
}

static void codes_are_numbered(void **state)
{
	static const char none[][GEO_COUNTRY_SIZE] = { "", "D", "de", "D1", "[A" };
	char code[GEO_COUNTRY_SIZE], before[GEO_COUNTRY_SIZE] = "";

	(void)state;
	for (size_t i = 0; i < GEO_CODES; i++) {
		geo_code_at(i, code);
		assert_int_equal(geo_code_index(code), i);
		assert_true(strcmp(before, code) < 0);
		memcpy(before, code, sizeof(before));
	}
	assert_string_equal(code, "ZZ");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(geo_code_index(none[i]), GEO_CODES);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command); /* NOLINT(cert-env33-c): a name of ours */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(databases_say_what_was_put_in),
		cmocka_unit_test(countries_and_networks_are_found_in_each_schema),
		cmocka_unit_test(lines_of_text_are_databases_too),
		cmocka_unit_test(names_are_what_a_line_can_have),
		cmocka_unit_test(the_first_name_stays),
		cmocka_unit_test(there_are_so_many_names),
		cmocka_unit_test(ranges_are_added_in_order),
		cmocka_unit_test(packed_ranges_say_what_was_added),
		cmocka_unit_test(there_are_so_many_ranges),
		cmocka_unit_test(wrong_lines_are_named),
		cmocka_unit_test(lines_that_overlap_are_clipped),
		cmocka_unit_test(files_are_refused_by_what_they_are),
		cmocka_unit_test(a_folder_has_what_fits),
		cmocka_unit_test(codes_are_numbered),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
