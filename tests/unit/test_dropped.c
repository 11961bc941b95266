/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of whom the shield is dropping: looking up against a list that is gone through one by one, what is written
 * is read again, each way in which a text is none, and for how long it is true.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "impact/dropped.h"

#define MADE (1764253200LL * NS_PER_S) /* 2025-11-27T14:20:00Z */
#define HEAD "holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-27T14:25:00Z "
#define PREFIXES 600
#define LOOKS 20000

static uint64_t seed;

static uint32_t next(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33);
}

/* Few enough that they hit each other. */
static struct address any_address(void)
{
	uint8_t octets[16] = { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(next() % 3), (uint8_t)(next() % 3) };
	const uint8_t ipv4[4] = { 198, (uint8_t)(18 + next() % 2), (uint8_t)(next() % 4), (uint8_t)next() };
	uint8_t low[16] = { 0 };

	low[next() % 16] = (uint8_t)next();
	for (unsigned i = 12; i < 16; i++)
		octets[i] = (uint8_t)(next() % 2);
	switch (next() % 8) {
	case 0:
		return address_from_ipv6(low); /* about where IPv4 lies in the order of octets */
	case 1:
	case 2:
		return address_from_ipv6(octets);
	default:
		return address_from_ipv4(ipv4);
	}
}

static struct prefix any_prefix(void)
{
	struct address address = any_address();

	return prefix_of(&address, address_is_ipv4(&address) ? 14 + next() % 19 : 1 + next() % 128);
}

static struct prefix prefix(const char *text)
{
	struct prefix read;

	assert_int_equal(prefix_parse(text, &read), 0);
	return read;
}

static bool one_by_one(const struct prefix *prefixes, uint32_t count, const struct address *address)
{
	for (uint32_t i = 0; i < count; i++)
		if (prefix_contains(&prefixes[i], address))
			return true;
	return false;
}

static void finds_what_a_naive_one_finds(void **state)
{
	static struct prefix given[PREFIXES], kept[PREFIXES], passing[PREFIXES];
	unsigned found = 0;

	(void)state;
	seed = 7;
	for (unsigned round = 1; round < PREFIXES; round = round * 2 + 1) {
		struct dropped dropped = { .dropping = { .count = round, .prefixes = kept } };

		for (unsigned i = 0; i < round; i++)
			given[i] = kept[i] = any_prefix();
		for (unsigned i = 0; i < round / 16; i++)
			passing[i] = any_prefix();
		dropped.passing = (struct dropped_list){ .count = round / 16, .prefixes = passing };
		dropped_sort(&dropped.dropping);
		assert_in_range(dropped.dropping.count, 1, round);
		for (uint32_t i = 0; i < dropped.dropping.count; i++)
			for (uint32_t k = 0; k < dropped.dropping.count; k++)
				assert_true(i == k || !prefix_covers(&kept[i], &kept[k]));
		dropped_sort(&dropped.passing);
		for (unsigned i = 0; i < LOOKS; i++) {
			struct address address = any_address();
			bool expected = one_by_one(given, round, &address) &&
			                !one_by_one(passing, dropped.passing.count, &address);

			found += expected;
			assert_int_equal(dropped_has(&dropped, &address), expected);
		}
	}
	assert_in_range(found, LOOKS, 6 * LOOKS); /* it does find, and not always */
}

static void what_is_written_is_read(void **state)
{
	static struct prefix prefixes[PREFIXES], passing[2];
	struct dropped dropped = { .made = { MADE },
		                   .until = { MADE + DROPPED_LASTS_S * NS_PER_S },
		                   .left_out = 12345678901,
		                   .dropping = { .count = PREFIXES, .prefixes = prefixes },
		                   .passing = { .count = 2, .prefixes = passing } };
	struct dropped_error error;
	struct dropped again;
	char *text, *text_again;
	size_t length, length_again;

	(void)state;
	seed = 11;
	for (unsigned i = 0; i < PREFIXES; i++)
		prefixes[i] = any_prefix();
	passing[0] = prefix("203.0.113.7");
	passing[1] = prefix("2001:db8::/48");
	dropped_sort(&dropped.dropping);
	dropped_sort(&dropped.passing);
	assert_int_equal(dropped_write(&dropped, &text, &length), 0);
	assert_int_equal(length, strlen(text));
	assert_int_equal(dropped_read(text, length, &again, &error), 0);
	assert_int_equal(again.made.ns, dropped.made.ns);
	assert_int_equal(again.until.ns, dropped.until.ns);
	assert_int_equal(again.left_out, dropped.left_out);
	assert_int_equal(again.dropping.count, dropped.dropping.count);
	assert_int_equal(again.passing.count, 2);
	assert_int_equal(dropped_write(&again, &text_again, &length_again), 0);
	assert_string_equal(text, text_again);
	/* Whatever is cut off, it is none. */
	for (size_t i = 0; i < length; i++) {
		struct dropped cut;

		assert_int_equal(dropped_read(text, i, &cut, &error), -EBADMSG);
		assert_true(error.line >= 1 && error.what[0] != '\0');
	}
	dropped_fini(&again);
	assert_int_equal(again.dropping.count, 0);
	free(text);
	free(text_again);
}

static void nobody(void **state)
{
	struct dropped nobody = { .made = { MADE }, .until = { MADE + 1 } }, again;
	struct address address = any_address();
	struct dropped_error error;
	char *text;
	size_t length;

	(void)state;
	assert_int_equal(dropped_write(&nobody, &text, &length), 0);
	assert_int_equal(dropped_read(text, length, &again, &error), 0);
	assert_false(dropped_has(&again, &address));
	dropped_fini(&again);
	free(text);
	memset(&nobody, 0, sizeof(nobody));
	assert_false(dropped_holds(&nobody, (struct capture_time){ MADE }));
	assert_false(dropped_has(&nobody, &address));
}

static void for_how_long(void **state)
{
	static struct prefix one;
	struct dropped dropped = { .made = { MADE }, .until = { MADE + NS_PER_S } };
	const int64_t early_ns = DROPPED_EARLY_S * NS_PER_S;
	char *text;
	size_t length;

	(void)state;
	assert_true(dropped_holds(&dropped, (struct capture_time){ MADE }));
	assert_true(dropped_holds(&dropped, (struct capture_time){ MADE + NS_PER_S - 1 }));
	assert_false(dropped_holds(&dropped, (struct capture_time){ MADE + NS_PER_S }));
	assert_true(dropped_holds(&dropped, (struct capture_time){ MADE - early_ns }));
	assert_false(dropped_holds(&dropped, (struct capture_time){ MADE - early_ns - 1 }));
	dropped.until.ns = MADE;
	assert_int_equal(dropped_write(&dropped, &text, &length), -EINVAL);
	dropped.until.ns = MADE + DROPPED_LASTS_MAX_S * NS_PER_S + 1;
	assert_int_equal(dropped_write(&dropped, &text, &length), -EINVAL);
	dropped.until.ns = MADE + NS_PER_S;
	dropped.dropping = (struct dropped_list){ .count = DROPPED_MAX + 1, .prefixes = &one };
	assert_int_equal(dropped_write(&dropped, &text, &length), -EINVAL);
	dropped.dropping.count = 0;
	dropped.passing = (struct dropped_list){ .count = DROPPED_PASSING_MAX + 1, .prefixes = &one };
	assert_int_equal(dropped_write(&dropped, &text, &length), -EINVAL);
}

/* Of who makes such a list with other tools, in whatever order; and each way to get it wrong. */
static void what_others_write(void **state)
{
	static const struct {
		const char *text;
		unsigned line; /* that is wrong */
	} wrong[] = {
		{ "", 1 },
		{ "\n", 1 },
		{ "192.0.2.1\n", 1 },
		{ HEAD "dropped 0 passing 0 left_out 0", 1 },
		{ "holdfast.dropped/2 made 2025-11-27T14:20:00Z until 2025-11-27T14:25:00Z dropped 0 passing 0 left_out 0\n",
		  1 },
		{ "holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-27T14:20:00Z dropped 0 passing 0 left_out 0\n",
		  1 },
		{ "holdfast.dropped/1 made 2025-11-27T14:20:00Z until 2025-11-28T14:20:01Z dropped 0 passing 0 left_out 0\n",
		  1 },
		{ "holdfast.dropped/1 made 2025-11-27 until 2025-11-27T14:25:00Z dropped 0 passing 0 left_out 0\n", 1 },
		{ HEAD "dropped 0 passing 0\n", 1 },
		{ HEAD "dropped 0 passing 0 left_out\n", 1 },
		{ HEAD "dropped 0 passing 0 left_out 0 more\n", 1 },
		{ HEAD "dropped -1 passing 0 left_out 0\n", 1 },
		{ HEAD "dropped 131073 passing 0 left_out 0\n", 1 },
		{ HEAD "dropped 0 passing 16385 left_out 0\n", 1 },
		{ HEAD "dropped 0 passing 0 left_out 1234567890123456789\n", 1 },
		{ HEAD "passing 0 dropped 0 left_out 0\n", 1 },
		{ HEAD "dropped 1 passing 0 left_out 0\n", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n192.0.2.1", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n192.0.2.1 \n", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n192.0.2.1/24\n", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n0.0.0.0/0\n", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n::/0\n", 2 },
		{ HEAD "dropped 1 passing 0 left_out 0\n!192.0.2.1\n", 2 },
		{ HEAD "dropped 1 passing 1 left_out 0\n192.0.2.1\n192.0.2.1\n", 3 },
		{ HEAD "dropped 1 passing 0 left_out 0\n192.0.2.1\n192.0.2.2\n", 3 },
		{ HEAD "dropped 1 passing 0 left_out 0\n2001:0db8:0000:0000:0000:0000:0000:0001/128/128/128/128/128\n",
		  2 },
	};
	static const char good[] =
		HEAD "dropped 3 passing 1 left_out 0\n2001:db8::/32\n192.0.2.0/24\n192.0.2.77\n!192.0.2.9\n";
	struct dropped_error error;
	struct dropped dropped;
	struct prefix in = prefix("192.0.2.77"), out = prefix("192.0.2.9");

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error = (struct dropped_error){ .line = 0 };
		if (dropped_read(wrong[i].text, strlen(wrong[i].text), &dropped, &error) != -EBADMSG ||
		    error.line != wrong[i].line || !error.what[0])
			fail_msg("row %zu: line %llu", i, (unsigned long long)error.line);
	}
	assert_int_equal(dropped_read(good, sizeof(good), &dropped, &error), -EBADMSG); /* a zero at its end */
	assert_int_equal(error.line, 6);
	assert_int_equal(dropped_read(good, sizeof(good) - 1, &dropped, &error), 0);
	assert_int_equal(dropped.dropping.count, 2);
	assert_int_equal(dropped.dropping.ipv4, 1);
	assert_true(dropped_has(&dropped, &in.address));
	assert_false(dropped_has(&dropped, &out.address));
	dropped_fini(&dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_naive_one_finds),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(nobody),
		cmocka_unit_test(for_how_long),
		cmocka_unit_test(what_others_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
