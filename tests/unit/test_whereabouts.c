/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where strangers are: what databases of a folder say, one answer of several, and that without them nothing is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"
#include "daemon/places.h"

static char folder[] = "/tmp/holdfast-places-XXXXXX";

static const struct {
	const char *name, *lines;
} files[] = {
	{ "a.csv", "192.0.2.0,192.0.2.255,FR\n198.51.100.0,198.51.100.255,DE\n203.0.113.0,203.0.113.255,GB\n" },
	{ "b.csv", "192.0.2.0,192.0.2.255,FR\n198.51.100.0,198.51.100.255,FR\n2001:db8::,2001:db8::ffff,CA\n" },
	{ "c.csv", "192.0.2.0,192.0.2.127,BE\n198.51.100.128,198.51.100.255,DE\n" },
	{ "n.csv", "192.0.2.0,192.0.2.255,64501,Example\n" },
};

static void in_folder(const char *name, char path[96])
{
	(void)snprintf(path, 96, "%s/%s", folder, name);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[96];
		FILE *out;

		in_folder(files[i].name, path);
		out = fopen(path, "w");
		if (!out || fputs(files[i].lines, out) < 0 || fclose(out) != 0)
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	char path[96];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		in_folder(files[i].name, path);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static void most_databases_are_believed(void **state)
{
	static const struct {
		const char *address, *region;
		uint32_t network;
	} rows[] = {
		{ "192.0.2.1", "FR", 64501 },   /* two against one */
		{ "192.0.2.200", "FR", 64501 }, /* two, and one that says nothing */
		{ "198.51.100.1", "", 0 },      /* one against one */
		{ "198.51.100.200", "DE", 0 },  /* two against one, the first and the last */
		{ "203.0.113.9", "GB", 0 },     /* one alone */
		{ "2001:db8::1", "CA", 0 },     { "198.18.0.1", "", 0 },
	};
	struct geo *geo = places_open(folder);

	(void)state;
	assert_non_null(geo);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix prefix;
		struct place place;

		assert_int_equal(prefix_parse(rows[i].address, &prefix), 0);
		place = places_find(geo, &prefix.address);
		assert_string_equal(place.region, rows[i].region);
		assert_int_equal(place.network, rows[i].network);
	}
	geo_close(geo);
}

static void without_databases_nothing_is_known(void **state)
{
	const uint8_t octets[4] = { 192, 0, 2, 1 };
	const struct address address = address_from_ipv4(octets);
	struct place place = places_find(NULL, &address);

	(void)state;
	assert_string_equal(place.region, "");
	assert_int_equal(place.network, 0);
	assert_null(places_open(""));
	assert_null(places_open("/nonexistent/holdfast"));
}

static void a_wrong_database_leaves_the_others(void **state)
{
	char path[96];
	struct geo *geo;
	FILE *out;

	(void)state;
	in_folder("wrong.mmdb", path);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs("no database", out) >= 0 && fclose(out) == 0);
	geo = places_open(folder);
	(void)unlink(path);
	assert_non_null(geo);
	assert_int_equal(geo_count(geo, GEO_COUNTRIES), 3);
	geo_close(geo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_databases_are_believed),
		cmocka_unit_test(without_databases_nothing_is_known),
		cmocka_unit_test(a_wrong_database_leaves_the_others),
	};

	log_begin("test");
	return cmocka_run_group_tests(tests, begin, end);
}
