/* SPDX-License-Identifier: Apache-2.0 */
/* Each tool's mark on a packet as that tool makes it, and the nearest packets that do not bear it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made_http.h"
#include "trace/family.h"

#define OPTIONS_MIRAI                                                                              \
	((uint64_t)TCP_OPTION_MSS | (uint64_t)TCP_OPTION_SOK << 4 | (uint64_t)TCP_OPTION_TS << 8 | \
	 (uint64_t)TCP_OPTION_NOP << 12 | (uint64_t)TCP_OPTION_WS << 16)

static const char *family(const struct observation *o)
{
	size_t row = family_of(o);

	assert_in_range(row, 0, family_count());
	return row ? family_get(row - 1)->name : "none";
}

static const char *mark(const struct observation *o)
{
	size_t row = family_of(o);

	return row ? family_get(row - 1)->mark : "none";
}

static struct observation syn(void)
{
	struct observation o =
		made_tcp(0, made_ipv4(0x5b010203u), 40000, made_ipv4(0xc0000201u), 443, TCP_SYN, 12345, 0);

	o.ip_id = 7;
	o.tcp.options = OPTIONS_MIRAI;
	o.tcp.mss = 1460;
	o.tcp.wscale = 7;
	return o;
}

static void ordinary_packets_bear_none(void **state)
{
	struct observation o = syn();

	(void)state;
	assert_string_equal(family(&o), "none");
	o = made_tcp(0, made_ipv4(1), 40000, made_ipv4(2), 443, TCP_ACK | TCP_PSH, 1, 1);
	made_payload(&o, "GET /index.html HTTP/1.1\r\n", 26, 400);
	assert_string_equal(family(&o), "none");
	o = made_udp(0, made_ipv4(1), 40000, made_ipv4(2), 53, 40);
	assert_string_equal(family(&o), "none");
	o = made_icmp(0, made_ipv4(1), made_ipv4(2), 8, 0);
	assert_string_equal(family(&o), "none");
	o = made_ip(0, made_ipv6(1, 1), made_ipv6(1, 2), 58, 80);
	assert_string_equal(family(&o), "none");
	memset(&o, 0, sizeof(o));
	assert_string_equal(family(&o), "none");
}

static void mirai_scan(void **state)
{
	struct observation o = syn();

	(void)state;
	o.dst_port = 23;
	o.tcp.seq = 0xc0000201u;
	o.tcp.options = 0;
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "scan"));
	o.tcp.seq++;
	assert_string_equal(family(&o), "none");
	o.tcp.seq--;
	o.tcp.flags = TCP_SYN | TCP_ACK;
	assert_string_equal(family(&o), "none");
	o.tcp.flags = TCP_SYN;
	o.dst = made_ipv6(0x20010db800000000u, 0xc0000201u); /* the mark is about IPv4 */
	assert_string_equal(family(&o), "none");
}

static void mirai_syn_flood(void **state)
{
	struct observation o = syn();

	(void)state;
	o.tcp.window = 0;
	o.tcp.wscale = 6;
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "SYN flood"));
	o.tcp.window = 1;
	assert_string_equal(family(&o), "none");
	o.tcp.window = 0;
	o.tcp.wscale = 7;
	assert_string_equal(family(&o), "none");
	o.tcp.wscale = 6;
	o.tcp.options = OPTIONS_MIRAI >> 4;
	assert_string_equal(family(&o), "none");
}

static void mirai_ack_and_stomp(void **state)
{
	struct observation o = made_tcp(0, made_ipv4(1), 40000, made_ipv4(2), 443, TCP_ACK, 1, 1);

	(void)state;
	made_payload(&o, "\x8f\x13", 2, 512);
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "ACK"));
	o.payload_length = 511;
	assert_string_equal(family(&o), "none");
	o.payload_length = 768;
	assert_string_equal(family(&o), "none");
	o.tcp.flags = TCP_ACK | TCP_PSH;
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "STOMP"));
	o.payload_length = 769;
	assert_string_equal(family(&o), "none");
}

static void mirai_vse(void **state)
{
	static const char query[] = "\xff\xff\xff\xffTSource Engine Query";
	struct observation o = made_udp(0, made_ipv4(1), 40000, made_ipv4(2), 27015, 25);

	(void)state;
	made_payload(&o, query, sizeof(query), 25);
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "VSE"));
	o.dst_port = 27016;
	assert_string_equal(family(&o), "none");
	o.dst_port = 27015;
	o.payload_kept = 20; /* cut short: not seen whole, not said */
	assert_string_equal(family(&o), "none");
	o.payload_kept = 25;
	o.payload[5] = 's';
	assert_string_equal(family(&o), "none");
}

/* Marked is the tunnel packet, as the tunnel's end sees it. */
static const char *gre_family(uint16_t outer_id, uint16_t inner_id, uint8_t protocol, uint16_t payload_length)
{
	struct observation o = made_udp(0, made_ipv4(1), 40000, made_ipv4(2), 53000, payload_length), outer;

	o.flags |= OBSERVATION_TUNNELLED;
	o.ip_id = inner_id;
	o.outer.src = made_ipv4(3);
	o.outer.dst = made_ipv4(4);
	o.outer.protocol = protocol;
	o.outer.length = o.length + 24;
	o.outer.ip_id = outer_id;
	observation_outer(&o, &outer);
	return family(&outer);
}

static void mirai_gre(void **state)
{
	(void)state;
	assert_string_equal(gre_family(5000, (uint16_t)~4000, MADE_GRE, 512), "mirai");
	/* A bot of the other octet order: 5000 is 0x1388, ~4000 is 0xf05f. */
	assert_string_equal(gre_family(0x8813, 0x5ff0, MADE_GRE, 512), "mirai");
	assert_string_equal(gre_family(0x8813, 0x5ff1, MADE_GRE, 512), "none");
	assert_string_equal(gre_family(5001, (uint16_t)~4000, MADE_GRE, 512), "none");
	assert_string_equal(gre_family(5000, (uint16_t)~4000, MADE_GRE, 500), "none");
	assert_string_equal(gre_family(5000, (uint16_t)~4000, 4, 512), "none");
}

static void mirai_dns(void **state)
{
	struct observation o = made_udp(0, made_ipv4(1), 40000, made_ipv4(2), 53, 40);

	(void)state;
	made_payload(&o, "\x5a\x01\x01\0\0\x01\0\0\0\0\0\0\x0ck2j9qx0ab7zz\x07", 26, 41);
	assert_string_equal(family(&o), "mirai");
	o.payload[12] = 11;
	assert_string_equal(family(&o), "none");
	o.payload[12] = 12;
	o.payload[14] = '-';
	assert_string_equal(family(&o), "none");
	o.payload[14] = '2';
	o.dst_port = 5353;
	assert_string_equal(family(&o), "none");
}

static void mirai_udp(void **state)
{
	struct observation o = made_udp(0, made_ipv4(1), 40000, made_ipv4(2), 53000, 512);

	(void)state;
	made_payload(&o, "\x8f\x13\x5a\x01\x22\xe0\x9c\x71", 8, 512);
	o.ip_id = 4711;
	assert_string_equal(family(&o), "mirai");
	assert_non_null(strstr(mark(&o), "weak"));
	o.src_port = 123;
	assert_string_equal(family(&o), "none");
	o.src_port = 40000;
	memset(o.payload, 'A', 8); /* not random */
	assert_string_equal(family(&o), "none");
	made_payload(&o, "\x8f\x13\x5a\x01\x22\xe0\x9c\x71", 8, 513);
	assert_string_equal(family(&o), "none");
}

static void zmap(void **state)
{
	struct observation o = syn();

	(void)state;
	o.ip_id = 54321;
	o.tcp.window = 65535;
	assert_string_equal(family(&o), "zmap");
	o.ip_id--;
	assert_string_equal(family(&o), "none");
	o.ip_id++;
	o.tcp.window--;
	assert_string_equal(family(&o), "none");
	o.tcp.window++;
	o.tcp.flags = TCP_ACK;
	assert_string_equal(family(&o), "none");
}

static void masscan(void **state)
{
	struct observation o = syn();

	(void)state;
	o.tcp.window = 1025;
	o.tcp.seq = 0x89abcdefu;
	o.ip_id = (uint16_t)(0x0201u ^ 443u ^ 0xcdefu);
	assert_string_equal(family(&o), "masscan");
	o.tcp.window = 1024;
	assert_string_equal(family(&o), "none");
	o.tcp.window = 1025;
	o.ip_id ^= 1;
	assert_string_equal(family(&o), "none");
}

static void loic(void **state)
{
	struct observation o = made_tcp(0, made_ipv4(1), 40000, made_ipv4(2), 80, TCP_ACK | TCP_PSH, 1, 1);

	(void)state;
	made_payload(&o, "GET / HTTP/1.1\r\n\r\n", 18, 18);
	assert_string_equal(family(&o), "loic");
	o.payload_length = 19; /* a header follows */
	assert_string_equal(family(&o), "none");
	made_payload(&o, "GET / HTTP/1.0\r\n\r\n", 18, 18);
	assert_string_equal(family(&o), "none");
}

static const char *family_of_text(const char *text)
{
	struct made_connection c = made_connection(made_ipv4(1), 40000, made_ipv4(2), 80);
	struct observation o = made_text(&c, 0, text);

	return family(&o);
}

static void requests(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "GET /?PGWX=YFYTIROR HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: x\r\n\r\n", "hulk" },
		{ "GET /?BAFUSPSADD=OGPTWZFAPX HTTP/1.1\r\nHost: x\r\n\r\n", "hulk" },
		{ "GET /?PG=YFYTIROR HTTP/1.1\r\nHost: x\r\n\r\n", "none" },
		{ "GET /?page=home HTTP/1.1\r\nHost: x\r\n\r\n", "none" },
		{ "GET /?id=17&lang=en HTTP/1.1\r\nHost: x\r\n\r\n", "none" },
		{ "GET /?q=Hello HTTP/1.1\r\nHost: x\r\n\r\n", "none" },
		{ "GET /?kQ3xTz=w8Pa&Yt5=q1Wer HTTP/1.1\r\nHost: x\r\n\r\n", "goldeneye" },
		{ "GET / HTTP/1.0\r\nAccept:  */*\r\nHost:  x\r\n\r\n", "hoic" },
		{ "GET / HTTP/1.0\r\nAccept: */*\r\nHost: x\r\n\r\n", "none" },
		{ "GET /?977 HTTP/1.1\r\n", "slowloris" },
		{ "GET /?977 HTTP/1.1\r\nHost: x\r\n\r\n", "none" },
		{ "X-a: 4711\r\n", "slowloris" },
		{ "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n", "slowloris" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 42\r\n\r\n", "none" },
		{ "GET /x HTTP/1.1\r\nUser-Agent: y\r\nHost: x\r\nConnection: z\r\nAccept: a\r\nAccept-Language: b\r\n\r\n",
		  "mirai" },
		{ "GET /x HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nConnection: z\r\nAccept: a\r\nAccept-Language: b\r\n\r\n",
		  "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(family_of_text(cases[i].text), cases[i].name);
}

/* Chance bears no mark but the one that says of itself that it is weak. */
static void random_packets(void **state)
{
	uint64_t draws = 1;
	unsigned marked = 0;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct observation o;

		for (size_t at = 0; at < sizeof(o); at += 8) {
			uint64_t number = made_random(&draws);

			memcpy((uint8_t *)&o + at, &number, sizeof(o) - at < 8 ? sizeof(o) - at : 8);
		}
		o.payload_kept = (uint8_t)made_below(&draws, OBSERVATION_PAYLOAD_MAX + 1);
		marked += family_of(&o) != 0;
	}
	assert_in_range(marked, 0, 5);
}

static void rows_are_whole(void **state)
{
	(void)state;
	assert_true(family_count() > 0);
	for (size_t i = 0; i < family_count(); i++) {
		assert_true(strlen(family_get(i)->name) > 0);
		assert_true(strlen(family_get(i)->mark) > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(family_get(i)->mark, family_get(j)->mark);
	}
}

/* ---- devices ---- */

#define DEVICE_PACKETS 4000u

/* So many devices' SYNs, their sources forged: MSS and timestamp stay, but where `fresh` each packet has new ones. */
static uint64_t syn_devices(uint32_t packets, uint32_t devices, bool fresh)
{
	struct sample sample;
	uint64_t draws = 5, found;
	size_t row = 0;

	sample_init(&sample, DEVICE_PACKETS);
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t device = fresh ? 1000000 + i : made_below(&draws, devices);
		struct observation o =
			made_tcp(i, made_ipv4((uint32_t)made_random(&draws)), 40000, made_ipv4(2), 80, TCP_SYN, i, 0);

		o.tcp.window = 0;
		o.tcp.wscale = 6;
		o.tcp.options = OPTIONS_MIRAI;
		o.tcp.mss = (uint16_t)(1400 + device % 16);
		o.tcp.tsval = 0x1000000 + device * 7919;
		row = family_of(&o);
		sample_add(&sample, &o, made_random(&draws));
	}
	found = family_devices(row - 1, &sample);
	sample_fini(&sample);
	return found;
}

static uint64_t gre_devices(uint32_t devices)
{
	struct sample sample;
	uint64_t draws = 6, found;
	size_t row = 0;

	sample_init(&sample, DEVICE_PACKETS);
	for (uint32_t i = 0; i < DEVICE_PACKETS; i++) {
		uint16_t id = (uint16_t)(5000 + made_below(&draws, devices));
		struct observation o = made_udp(i, made_ipv4(1), 40000, made_ipv4(2), 53000, 512), outer;

		o.flags |= OBSERVATION_TUNNELLED;
		o.ip_id = (uint16_t) ~(id - 1000);
		o.outer.src = made_ipv4((uint32_t)made_random(&draws));
		o.outer.dst = made_ipv4(4);
		o.outer.protocol = MADE_GRE;
		o.outer.length = o.length + 24;
		o.outer.ip_id = id;
		observation_outer(&o, &outer);
		row = family_of(&outer);
		sample_add(&sample, &outer, made_random(&draws));
	}
	found = family_devices(row - 1, &sample);
	sample_fini(&sample);
	return found;
}

/* All of few are seen; of many some are missed, and reckoned in. */
static void devices(void **state)
{
	(void)state;
	assert_int_equal(syn_devices(DEVICE_PACKETS, 2, false), 2);
	assert_int_equal(syn_devices(DEVICE_PACKETS, 300, false), 300);
	assert_in_range(syn_devices(DEVICE_PACKETS, 3000, false), 2800, 3200);
	assert_int_equal(gre_devices(200), 200);
}

static void devices_that_cannot_be_told(void **state)
{
	struct sample empty;

	(void)state;
	assert_int_equal(syn_devices(DEVICE_PACKETS, 1, true), 0);
	assert_int_equal(syn_devices(DEVICE_PACKETS, 1, false), 0);
	assert_int_equal(syn_devices(49, 5, false), 0);
	assert_int_equal(gre_devices(1), 0);
	sample_init(&empty, 10);
	for (size_t i = 0; i <= family_count(); i++)
		assert_int_equal(family_devices(i, &empty), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_packets_bear_none),
		cmocka_unit_test(mirai_scan),
		cmocka_unit_test(mirai_syn_flood),
		cmocka_unit_test(mirai_ack_and_stomp),
		cmocka_unit_test(mirai_vse),
		cmocka_unit_test(mirai_gre),
		cmocka_unit_test(mirai_dns),
		cmocka_unit_test(mirai_udp),
		cmocka_unit_test(zmap),
		cmocka_unit_test(masscan),
		cmocka_unit_test(loic),
		cmocka_unit_test(requests),
		cmocka_unit_test(devices),
		cmocka_unit_test(devices_that_cannot_be_told),
		cmocka_unit_test(random_packets),
		cmocka_unit_test(rows_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
