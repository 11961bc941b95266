/* SPDX-License-Identifier: Apache-2.0 */
/* How full links are: rates, shares of what the wire carries, and when one counts as full, and no longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/links.h"
#include "shield/link.h"

static struct links links;
static struct message_links reading;

static void begin(uint32_t speed_mbps)
{
	memset(&links, 0, sizeof(links));
	memset(&reading, 0, sizeof(reading));
	reading.monotonic_ns = NS_PER_S;
	reading.count = 1;
	memcpy(reading.links[0].name, "eth0", sizeof("eth0"));
	reading.links[0].speed_mbps = speed_mbps;
	assert_true(links_take(&links, &reading));
	assert_false(links.states[0].has_rates);
	assert_int_equal(links.states[0].percent, -1);
}

/* A second in which so much came. */
static const struct link_state *second(uint64_t packets, uint64_t octets, uint64_t lost)
{
	reading.monotonic_ns += NS_PER_S;
	reading.links[0].packets += packets;
	reading.links[0].octets += octets;
	reading.links[0].lost += lost;
	assert_true(links_take(&links, &reading));
	return &links.states[0];
}

static void rates(void **state)
{
	const struct link_state *link;

	(void)state;
	begin(1000);
	/* 1,488,095 of the smallest frames a second are all that a gigabit carries: 60 octets of them are counted. */
	link = second(1488095, UINT64_C(1488095) * 60, 0);
	assert_true(link->has_rates);
	assert_int_equal(link->pps, 1488095);
	assert_int_equal(link->bps, UINT64_C(1488095) * 480);
	assert_int_equal(link->percent, 99);
	assert_int_equal(second(1000, 1500000, 0)->percent, 1);
	/* A counter that begins anew, as after a driver was loaded again, is no flood. */
	reading.links[0].packets = 0;
	reading.links[0].octets = 0;
	assert_int_equal(second(0, 0, 0)->pps, 0);
	/* What comes too soon is passed over, and nothing is lost by it. */
	reading.monotonic_ns += NS_PER_MS;
	assert_false(links_take(&links, &reading));
}

static void speed_that_is_not_known(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(second(100000, 100000000, 0)->percent, -1);
	assert_false(second(100000, 100000000, 0)->full);
}

static void full_by_rate(void **state)
{
	const struct link_state *link;

	(void)state;
	begin(100);
	assert_false(second(8000, 12000000, 0)->full); /* one reading is none */
	link = second(8000, 12000000, 0);
	assert_true(link->full && link->turned);
	link = second(8000, 12000000, 0);
	assert_true(link->full && !link->turned);
	for (unsigned i = 1; i < LINKS_FREE_AFTER; i++)
		assert_true(second(10, 1000, 0)->full);
	link = second(10, 1000, 0);
	assert_true(!link->full && link->turned);
	assert_false(second(10, 1000, 0)->turned);
}

static void full_by_losses(void **state)
{
	(void)state;
	begin(0);
	(void)second(1000000, 60000000, LINKS_LOST_PPS - 1);
	assert_false(second(1000000, 60000000, LINKS_LOST_PPS - 1)->full);
	(void)second(1000000, 60000000, 999); /* under one in a thousand: a hiccup of a host that is not full */
	assert_false(second(1000000, 60000000, 999)->full);
	(void)second(1000000, 60000000, 5000);
	assert_true(second(1000000, 60000000, 5000)->full);
	assert_int_equal(links.states[0].lost_pps, 5000);
}

static void an_interface_that_comes_later(void **state)
{
	(void)state;
	begin(0);
	reading.count = 2;
	memcpy(reading.links[1].name, "eth1", sizeof("eth1"));
	reading.links[1].packets = 1000000; /* of before: no rate */
	(void)second(10, 600, 0);
	assert_true(links.states[0].has_rates);
	assert_false(links.states[1].has_rates);
	assert_int_equal(links.states[1].pps, 0);
}

static void the_real_one(void **state)
{
	struct shield_link link;

	(void)state;
	assert_int_equal(shield_link_read("lo", &link), 0);
	assert_string_equal(link.name, "lo");
	assert_int_equal(link.speed_mbps, 0);
	assert_true(link.octets >= link.packets);
	assert_int_equal(shield_link_read("no-such-if", &link), -19);
	assert_int_equal(shield_link_read("a-name-that-is-longer-than-any", &link), -19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),        cmocka_unit_test(speed_that_is_not_known),
		cmocka_unit_test(full_by_rate), cmocka_unit_test(full_by_losses),
		cmocka_unit_test(the_real_one), cmocka_unit_test(an_interface_that_comes_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
