/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's ways in: what is learned of the kernel's tables and of commands, who gives way to whom, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/ways.h"

static uint16_t ssh[] = { 22, 2222 };
static const struct config_ports ports = { .ports = ssh, .count = 2 }, one_port = { .ports = ssh, .count = 1 };

static struct address address_of(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix.address;
}

static bool has(const struct ways *ways, const char *text, uint16_t port)
{
	struct address from = address_of(text);

	for (unsigned i = 0; i < ways->learned_count; i++)
		if (ways->learned[i].port == port && address_equal(&ways->learned[i].from, &from))
			return true;
	return false;
}

static void add_table(struct ways *ways, const char *table, int64_t now_ns)
{
	ways_add_peers(ways, table, strlen(table), now_ns);
}

/* As the kernel prints them on a little-endian host, which is the one that these were taken from. */
static void read_tables(void **state)
{
	static const char tcp[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 18 1\n"
		"   1: 010012C6:0016 020012C6:C350 01 00000000:00000000 02:00000000 00000000     0        0 19 4\n"
		"   2: 010012C6:0050 030012C6:C350 01 00000000:00000000 02:00000000 00000000     0        0 20 4\n"
		"   3: 010012C6:0016 040012C6:C350 06 00000000:00000000 02:00000000 00000000     0        0 21 4\n"
		"   4: 0100007F:0016 0100007F:C350 01 00000000:00000000 02:00000000 00000000     0        0 22 4\n"
		"   5: 010012C6:08AE 050012C6:0016 01 00000000:00000000 02:00000000 00000000     0        0 23 4";
	static const char tcp6[] =
		"   0: B80D0120000000000000000001000000:0016 B80D0120000000000000000002000000:C350 01 0\n"
		"   1: 0000000000000000FFFF0000010012C6:0016 0000000000000000FFFF0000070012C6:C350 01 0\n";
	struct ways ways;

	(void)state;
	ways_init(&ways);
	ways_set_ports(&ways, &ports);
	add_table(&ways, tcp, 0);
	add_table(&ways, tcp6, 0);
	assert_true(has(&ways, "198.18.0.2", 22));
	assert_true(has(&ways, "198.18.0.5", 2222));
	assert_true(has(&ways, "2001:db8::2", 22));
	assert_true(has(&ways, "198.18.0.7", 22));
	assert_int_equal(ways.learned_count, 4);
}

static void pass_over_what_is_none(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n",
		"   1: 010012C6:0016",
		"   1: 010012C6:0016 0200:C350 01",
		"   1: 010012C6:0016 0200xx12:C350 01",
		"   1: 010012C6:0016 020012C60:C350 01",
		"x: 010012C6:0016 020012C6:C350 01",
		"   1: 010012C6:0016 020012C6:C350",
		"   1: 010012C6:0016 FFFFFFFF:C350 01",
	};
	char long_line[1000];
	struct ways ways;

	(void)state;
	ways_init(&ways);
	ways_set_ports(&ways, &ports);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		add_table(&ways, lines[i], 0);
	memset(long_line, '0', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	add_table(&ways, long_line, 0);
	assert_int_equal(ways.learned_count, 0);
}

static void they_expire(void **state)
{
	struct address client = address_of("203.0.113.7"), local = address_of("127.0.0.1");
	struct ways ways;

	(void)state;
	ways_init(&ways);
	ways_set_ports(&ways, &one_port);
	ways_add_client(&ways, &local, 0);
	assert_int_equal(ways.learned_count, 0);
	add_table(&ways, "   1: 010012C6:0016 020012C6:C350 01 0\n", 0);
	ways_add_client(&ways, &client, 0);
	assert_false(ways_expire(&ways, WAYS_PEER_S * NS_PER_S - 1));
	add_table(&ways, "   1: 010012C6:0016 020012C6:C350 01 0\n", 100 * NS_PER_S);
	assert_false(ways_expire(&ways, WAYS_PEER_S * NS_PER_S));
	assert_true(ways_expire(&ways, (WAYS_PEER_S + 100) * NS_PER_S));
	assert_false(has(&ways, "198.18.0.2", 22));
	assert_true(has(&ways, "203.0.113.7", 22));
	assert_true(ways_expire(&ways, WAYS_CLIENT_S * NS_PER_S));
	assert_int_equal(ways.learned_count, 0);
}

/* A crowd of connections does not push out who was there; a command's client does. */
static void who_gives_way(void **state)
{
	struct address client = address_of("203.0.113.7");
	struct ways ways;

	(void)state;
	ways_init(&ways);
	ways_set_ports(&ways, &one_port);
	for (unsigned i = 1; i <= 40; i++) {
		char line[80];

		(void)snprintf(line, sizeof(line), "   1: 010012C6:0016 %02X0012C6:C350 01 0\n", i);
		add_table(&ways, line, (int64_t)i);
	}
	assert_int_equal(ways.learned_count, WAYS_LEARNED_MAX);
	assert_true(has(&ways, "198.18.0.1", 22));
	assert_false(has(&ways, "198.18.0.40", 22));
	ways_add_client(&ways, &client, 50);
	assert_int_equal(ways.learned_count, WAYS_LEARNED_MAX);
	assert_true(has(&ways, "203.0.113.7", 22));
	assert_false(has(&ways, "198.18.0.1", 22)); /* it ends first */
	assert_true(has(&ways, "198.18.0.2", 22));
	/* Of clients too the one that ends first gives way. */
	for (unsigned i = 1; i <= WAYS_LEARNED_MAX; i++) {
		char text[32];
		struct address other;

		(void)snprintf(text, sizeof(text), "203.0.113.%u", 100 + i);
		other = address_of(text);
		ways_add_client(&ways, &other, 100 + (int64_t)i);
	}
	assert_false(has(&ways, "203.0.113.7", 22));
	assert_true(has(&ways, "203.0.113.108", 22));
}

static void other_ports(void **state)
{
	struct ways ways;

	(void)state;
	ways_init(&ways);
	ways_set_ports(&ways, &ports);
	add_table(&ways, "   1: 010012C6:0016 020012C6:C350 01 0\n   2: 010012C6:08AE 020012C6:C351 01 0\n", 0);
	assert_int_equal(ways.learned_count, 2);
	ways_set_ports(&ways, &one_port);
	assert_int_equal(ways.learned_count, 1);
	assert_true(has(&ways, "198.18.0.2", 22));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_tables), cmocka_unit_test(pass_over_what_is_none),
		cmocka_unit_test(they_expire), cmocka_unit_test(who_gives_way),
		cmocka_unit_test(other_ports),
	};

	return cmocka_run_group_tests_name("ways", tests, NULL, NULL);
}
