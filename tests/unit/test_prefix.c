/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses and prefixes, their texts, and the bit arithmetic against a naive twin that looks at one bit at a time.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/prefix.h"
#include "base/reserved.h"

static struct prefix parsed(const char *text)
{
	struct prefix prefix;

	if (prefix_parse(text, &prefix) != 0)
		fail_msg("%s does not parse", text);
	return prefix;
}

static struct address host(const char *text)
{
	return parsed(text).address;
}

static void texts_survive(void **state)
{
	static const char *const same[] = {
		"0.0.0.0/0",       "192.0.2.0/24",         "192.0.2.10/32", "10.0.0.0/8",
		"128.0.0.0/1",     "255.255.255.255/32",   "::/0",          "2001:db8::/32",
		"2001:db8::1/128", "2001:db8:0:ff00::/56", "fe80::/10",     "8000::/1",
	};
	static const char *const other[][2] = {
		{ "192.0.2.10", "192.0.2.10/32" },
		{ "2001:DB8::1", "2001:db8::1/128" },
		{ "2001:db8:0:0:0:0:0:0/32", "2001:db8::/32" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
	};
	char text[PREFIX_TEXT_SIZE];
	struct prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		prefix = parsed(same[i]);
		assert_string_equal(prefix_format(&prefix, text), same[i]);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		prefix = parsed(other[i][0]);
		assert_string_equal(prefix_format(&prefix, text), other[i][1]);
	}
}

static void longest_text_fits(void **state)
{
	char text[PREFIX_TEXT_SIZE];
	struct prefix prefix = parsed("1111:2222:3333:4444:5555:6666:7777:8888/128");

	(void)state;
	assert_string_equal(prefix_format(&prefix, text), "1111:2222:3333:4444:5555:6666:7777:8888/128");
}

static void nonsense_is_refused(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/ 8", "192.0.2.0/8 ",
		"192.0.2.0/024", "192.0.2.0/24/24", "192.0.2.1/24", "192.0.2", "192.0.2.256", "192.0.2.0.0", "1e3.0.0.0",
		"2001:db8::/129", "2001:db8::1/64", "2001:db8::/999999999999", "::1::", "fe80::1%eth0", "localhost", "*",
		"::ffff:192.0.2.0/95", "::ffff:192.0.2.1/120", "11111:2222:3333:4444:5555:6666:7777:8888",
		"1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:3333:4444:5555:6666:7777:8888",
	};
	/* clang-format on */
	const struct prefix before = { .length = 77 };
	struct prefix prefix = before;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (prefix_parse(bad[i], &prefix) != -EINVAL)
			fail_msg("%s was accepted", bad[i]);
		assert_int_equal(prefix.length, before.length);
	}
}

static void addresses(void **state)
{
	static const char *const none[] = {
		"", "192.0.2", "192.0.2.10/32", " 192.0.2.10", "site.test", "fe80::1%eth0"
	};
	const uint8_t v4[4] = { 192, 0, 2, 10 };
	const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct address a = address_from_ipv4(v4), b = address_from_ipv6(v6), c = host("192.0.2.11");
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_string_equal(address_format(&a, text), "192.0.2.10");
	assert_string_equal(address_format(&b, text), "2001:db8::1");
	assert_int_equal(address_parse("192.0.2.11", &a), 0);
	assert_true(address_equal(&a, &c));
	assert_int_equal(address_parse("2001:db8::1", &a), 0);
	assert_true(address_equal(&a, &b));
	assert_int_equal(address_parse("::ffff:192.0.2.11", &a), 0);
	assert_true(address_equal(&a, &c));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(address_parse(none[i], &a), -EINVAL);
	assert_true(address_equal(&a, &c));
	a = address_from_ipv4(v4);
	assert_true(address_is_ipv4(&a));
	assert_false(address_is_ipv4(&b));
	assert_true(address_equal(&a, &a));
	assert_false(address_equal(&a, &c));
	assert_true(address_compare(&a, &c) < 0);
	assert_true(address_compare(&b, &a) > 0);
	assert_int_equal(address_compare(&b, &b), 0);
}

static void multicast(void **state)
{
	static const char *const yes[] = { "224.0.0.0", "239.255.255.250", "255.255.255.255", "ff02::1", "ff00::" };
	static const char *const no[] = {
		"223.255.255.255", "240.0.0.0", "255.255.255.254", "fe80::1", "::e000:1", "::"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		struct address address = host(yes[i]);

		assert_true(address_is_multicast(&address));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		struct address address = host(no[i]);

		assert_false(address_is_multicast(&address));
	}
}

static void impossible_sources(void **state)
{
	static const char *const yes[] = { "0.0.0.0",   "0.255.255.255", "127.0.0.1",       "127.255.255.255",
		                           "224.0.0.0", "240.0.0.1",     "255.255.255.255", "::",
		                           "::1",       "ff00::",        "ff02::1" };
	static const char *const no[] = { "1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255", "10.0.0.1",
		                          "::2",     "::1:0",           "1::",       "fe80::1",         "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		struct address address = host(yes[i]);

		if (!address_is_impossible_source(&address))
			fail_msg("%s may be a source", yes[i]);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++) {
		struct address address = host(no[i]);

		if (address_is_impossible_source(&address))
			fail_msg("%s may be no source", no[i]);
	}
}

/* The list as RFC 6890 has it, gone through for each /16 there is, on both sides of each /24 that matters. */
static void reserved_addresses_are_those_of_the_list(void **state)
{
	static const struct {
		const char *net;
		enum reserved is;
	} nets[] = {
		{ "0.0.0.0/8", RESERVED_LOCAL },         { "10.0.0.0/8", RESERVED_LOCAL },
		{ "100.64.0.0/10", RESERVED_LOCAL },     { "127.0.0.0/8", RESERVED_LOCAL },
		{ "169.254.0.0/16", RESERVED_LOCAL },    { "172.16.0.0/12", RESERVED_LOCAL },
		{ "192.0.0.0/24", RESERVED_LOCAL },      { "192.0.2.0/24", RESERVED_EXAMPLE },
		{ "192.168.0.0/16", RESERVED_LOCAL },    { "198.18.0.0/15", RESERVED_EXAMPLE },
		{ "198.51.100.0/24", RESERVED_EXAMPLE }, { "203.0.113.0/24", RESERVED_EXAMPLE },
		{ "224.0.0.0/3", RESERVED_LOCAL },
	};
	static const struct {
		const char *address;
		enum reserved is;
	} six[] = {
		{ "2001:db8::/128", RESERVED_NOT }, { "::1/128", RESERVED_LOCAL },   { "fe80::1/128", RESERVED_LOCAL },
		{ "fd00::1/128", RESERVED_LOCAL },  { "3fff::1/128", RESERVED_NOT }, { "4000::1/128", RESERVED_LOCAL },
	};
	static const uint8_t thirds[] = { 0, 1, 2, 3, 99, 100, 101, 112, 113, 114, 255 };
	struct prefix prefixes[sizeof(nets) / sizeof(nets[0])], one;

	(void)state;
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		assert_int_equal(prefix_parse(nets[i].net, &prefixes[i]), 0);
	for (uint32_t i = 0; i < sizeof(thirds) << 16; i++) {
		const uint8_t octets[4] = { (uint8_t)(i >> 8), (uint8_t)i, thirds[i >> 16], 1 };
		struct address address = address_from_ipv4(octets);
		enum reserved wanted = RESERVED_NOT;

		for (size_t k = 0; k < sizeof(nets) / sizeof(nets[0]); k++)
			if (prefix_contains(&prefixes[k], &address))
				wanted = nets[k].is;
		if (reserved_address(&address) != wanted)
			assert_int_equal(reserved_address(&address), wanted);
	}
	for (size_t i = 0; i < sizeof(six) / sizeof(six[0]); i++) {
		assert_int_equal(prefix_parse(six[i].address, &one), 0);
		assert_int_equal(reserved_address(&one.address), six[i].is);
	}
}

static void holding(void **state)
{
	struct prefix net = parsed("192.0.2.0/23"), all4 = parsed("0.0.0.0/0"), all6 = parsed("::/0");
	struct prefix joined, both[2], half = parsed("192.0.3.0/24"), v6 = parsed("2001:db8::/32");
	struct address in = host("192.0.3.255"), out = host("192.0.4.0"), six = host("2001:db8::1");

	(void)state;
	assert_true(prefix_contains(&net, &in));
	assert_false(prefix_contains(&net, &out));
	assert_true(prefix_contains(&all4, &out));
	assert_false(prefix_contains(&all4, &six));
	assert_false(prefix_contains(&all6, &out));
	assert_true(prefix_contains(&all6, &six));
	both[0] = v6;
	both[1] = net;
	assert_true(prefixes_contain(both, 2, &in));
	assert_true(prefixes_contain(both, 2, &six));
	assert_false(prefixes_contain(both, 2, &out));
	assert_false(prefixes_contain(both, 1, &in));
	assert_false(prefixes_contain(NULL, 0, &in));
	assert_true(prefix_covers(&net, &half));
	assert_false(prefix_covers(&half, &net));
	assert_true(prefix_covers(&net, &net));
	assert_false(prefix_covers(&all6, &net));
	assert_true(prefix_covers(&all6, &v6));
	assert_false(prefix_equal(&net, &half));
	assert_false(prefix_equal(&all4, &all6));
	joined = prefix_join(&half, &net);
	assert_true(prefix_equal(&joined, &net));
	joined = prefix_join(&half, &v6); /* a caller's mistake: nothing narrow comes of it */
	assert_int_equal(joined.length, 0);
}

static unsigned bit(const struct address *address, unsigned index)
{
	return (unsigned)address->octets[index / 8] >> (7 - index % 8) & 1u;
}

static bool naive_contains(const struct prefix *prefix, const struct address *address)
{
	unsigned first = prefix->is_ipv4 ? 96 : 0;

	if (prefix->is_ipv4 != address_is_ipv4(address))
		return false;
	for (unsigned i = first; i < first + prefix->length; i++)
		if (bit(&prefix->address, i) != bit(address, i))
			return false;
	return true;
}

static uint64_t next(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random * 0x2545f4914f6cdd1du;
}

/* Few bits differ between any two, so that long common prefixes happen. */
static struct address random_address(uint64_t *random)
{
	uint8_t octets[16] = { 0x20, 0x01 };

	for (unsigned flips = (unsigned)(next(random) >> 61); flips > 0; flips--) {
		unsigned at = (unsigned)(next(random) >> 57);

		octets[at / 8] ^= (uint8_t)(1u << at % 8);
	}
	return next(random) >> 63 ? address_from_ipv4(octets + 12) : address_from_ipv6(octets);
}

static void agrees_with_the_naive_twin(void **state)
{
	uint64_t random = 20250310;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		struct address a = random_address(&random), b = random_address(&random);
		struct prefix p = prefix_of(&a, (unsigned)(next(&random) >> 56));
		struct prefix q = prefix_of(&b, (unsigned)(next(&random) >> 57));

		assert_true(p.length <= (p.is_ipv4 ? 32 : 128));
		assert_true(naive_contains(&p, &a));
		assert_true(prefix_contains(&p, &a));
		assert_int_equal(prefix_contains(&p, &b), naive_contains(&p, &b));
		assert_int_equal(prefix_covers(&p, &q), q.length >= p.length && naive_contains(&p, &q.address));
		for (unsigned i = (p.is_ipv4 ? 96u : 0u) + p.length; i < 128; i++)
			assert_int_equal(bit(&p.address, i), 0);
		if (p.is_ipv4 == q.is_ipv4) {
			struct prefix joined = prefix_join(&p, &q);

			assert_true(prefix_covers(&joined, &p) && prefix_covers(&joined, &q));
			if (joined.length < p.length && joined.length < q.length) {
				struct prefix longer = prefix_of(&p.address, joined.length + 1u);

				assert_false(naive_contains(&longer, &q.address));
			}
			if (joined.length > p.length || joined.length > q.length)
				fail_msg("a join is longer than its parts");
		}
	}
}

static void a_mask_is_ones_then_zeros(void **state)
{
	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		struct address address = host(family ? "2001:db8::1" : "192.0.2.1"), mask;

		for (unsigned length = 0; length <= (family ? 128 : 32); length++) {
			struct prefix prefix = prefix_of(&address, length);

			prefix_mask(&prefix, mask.octets);
			for (unsigned i = 0; i < 128; i++)
				assert_int_equal(bit(&mask, i), i < length + (family ? 0 : 96));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_survive),
		cmocka_unit_test(longest_text_fits),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(addresses),
		cmocka_unit_test(multicast),
		cmocka_unit_test(impossible_sources),
		cmocka_unit_test(reserved_addresses_are_those_of_the_list),
		cmocka_unit_test(holding),
		cmocka_unit_test(a_mask_is_ones_then_zeros),
		cmocka_unit_test(agrees_with_the_naive_twin),
	};

	return cmocka_run_group_tests_name("prefix", tests, NULL, NULL);
}
