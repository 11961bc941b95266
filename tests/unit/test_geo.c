/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Databases against two twins: the list of what was put in, searched from end to end, and libmaxminddb. Then files of every
 * schema, and files that are wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <maxminddb.h>

#include "base/digest.h"
#include "made.h"
#include "made_mmdb.h"
#include "trace/geo.h"

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

static uint32_t ask_library(MMDB_s *library, const uint8_t octets[16], bool ipv4)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;
	int error = 0;

	memcpy(&in.sin_addr, octets, 4);
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
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
