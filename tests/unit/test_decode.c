/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames built octet by octet from their layers, and what is made of them. Lengths are as the builder says, so that
 * they can lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observe/decode.h"

#define FRAME_MAX 2048

struct frame {
	uint8_t octets[FRAME_MAX];
	uint32_t length;
};

enum { ETHERNET = 1, RAW = 101 };

static void put8(struct frame *f, unsigned value)
{
	assert_true(f->length < FRAME_MAX);
	f->octets[f->length++] = (uint8_t)value;
}

static void put16(struct frame *f, unsigned value)
{
	put8(f, value >> 8 & 0xff);
	put8(f, value & 0xff);
}

static void put32(struct frame *f, uint32_t value)
{
	put16(f, value >> 16);
	put16(f, value & 0xffff);
}

static void put_many(struct frame *f, unsigned count, unsigned value)
{
	while (count-- > 0)
		put8(f, value);
}

static void put_octets(struct frame *f, const void *octets, size_t count)
{
	const uint8_t *p = octets;

	for (size_t i = 0; i < count; i++)
		put8(f, p[i]);
}

static void patch8(struct frame *f, uint32_t at, unsigned value)
{
	f->octets[at] = (uint8_t)value;
}

static void patch16(struct frame *f, uint32_t at, unsigned value)
{
	patch8(f, at, value >> 8 & 0xff);
	patch8(f, at + 1, value & 0xff);
}

static void put_ethernet(struct frame *f, unsigned type)
{
	put_many(f, 6, 0x02);
	put_many(f, 6, 0x04);
	put16(f, type);
}

/* Ethernet with a tag, behind which is what the second type says. */
static void put_tagged(struct frame *f, unsigned type, unsigned tag, unsigned inner)
{
	put_ethernet(f, type);
	put16(f, tag);
	put16(f, inner);
}

/* 192.0.2.1 -> 198.51.100.last; returns where the header begins. */
static uint32_t put_ipv4(struct frame *f, unsigned protocol, unsigned carried, unsigned last)
{
	uint32_t at = f->length;

	put16(f, 0x4500);
	put16(f, 20 + carried);
	put16(f, 0xabcd);
	put16(f, 0x4000);
	put8(f, 61);
	put8(f, protocol);
	put16(f, 0);
	put32(f, 0xc0000201);
	put32(f, 0xc6336400 | last);
	return at;
}

/* 2001:db8::1 -> 2001:db8::last */
static uint32_t put_ipv6(struct frame *f, unsigned next, unsigned carried, unsigned last)
{
	uint32_t at = f->length;

	put32(f, 0x60000000);
	put16(f, carried);
	put8(f, next);
	put8(f, 62);
	put32(f, 0x20010db8);
	put_many(f, 11, 0);
	put8(f, 1);
	put32(f, 0x20010db8);
	put_many(f, 11, 0);
	put8(f, last);
	return at;
}

static uint32_t put_tcp(struct frame *f, unsigned flags, unsigned header)
{
	uint32_t at = f->length;

	put16(f, 40000);
	put16(f, 443);
	put32(f, 0xdeadbeef);
	put32(f, 0x01020304);
	put8(f, header / 4 << 4);
	put8(f, flags);
	put16(f, 64240);
	put32(f, 0);
	return at;
}

static uint32_t put_udp(struct frame *f, unsigned length)
{
	uint32_t at = f->length;

	put16(f, 53);
	put16(f, 33333);
	put16(f, length);
	put16(f, 0);
	return at;
}

/* Six octets of text in UDP: 14 octets. */
static void put_datagram(struct frame *f)
{
	put_udp(f, 14);
	put_octets(f, "answer", 6);
}

/* That to the host `last`, in IPv4 (34 octets) or IPv6 (54). */
static void put_datagram_4(struct frame *f, unsigned last)
{
	put_ipv4(f, 17, 14, last);
	put_datagram(f);
}

static void put_datagram_6(struct frame *f, unsigned last)
{
	put_ipv6(f, 17, 14, last);
	put_datagram(f);
}

/*
 * From memory just large enough, so that a sanitizer sees a read beyond it; and twice, into memory that was not clean,
 * so that what was not written shows.
 */
static enum decode_result decode_cut(const struct frame *f, uint32_t link_type, uint32_t captured, uint32_t original,
                                     struct observation *o)
{
	uint8_t *octets = malloc(captured ? captured : 1);
	struct observation again;
	enum decode_result result;

	assert_non_null(octets);
	memcpy(octets, f->octets, captured);
	memset(o, 0x00, sizeof(*o));
	memset(&again, 0xff, sizeof(again));
	result = decode_frame(link_type, octets, captured, original, o);
	assert_int_equal(decode_frame(link_type, octets, captured, original, &again), result);
	if (result == DECODE_OK)
		assert_memory_equal(o, &again, sizeof(again));
	free(octets);
	return result;
}

static enum decode_result decode(const struct frame *f, uint32_t link_type, struct observation *o)
{
	return decode_cut(f, link_type, f->length, f->length, o);
}

static void expect_addresses(const struct observation *o, const char *src, const char *dst)
{
	char text[ADDRESS_TEXT_SIZE];

	assert_string_equal(address_format(&o->src, text), src);
	assert_string_equal(address_format(&o->dst, text), dst);
}

/* The frame carries put_datagram() to the host `last` of its family, whatever is around it. */
static void expect_datagram(const struct frame *f, uint32_t link_type, unsigned last)
{
	struct observation o;

	assert_int_equal(decode(f, link_type, &o), DECODE_OK);
	assert_int_equal(o.dst.octets[15], last);
	assert_int_equal(o.protocol, 17);
	assert_int_equal(o.src_port, 53);
	assert_int_equal(o.dst_port, 33333);
	assert_int_equal(o.payload_length, 6);
	assert_int_equal(o.payload_kept, 6);
	assert_memory_equal(o.payload, "answer", 6);
	assert_true(o.flags & OBSERVATION_PORTS);
	assert_false(o.flags & OBSERVATION_CUT);
}

static void tcp_in_ipv4(void **state)
{
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7 };
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 6, 40 + 3, 7);
	put_tcp(&f, TCP_SYN | TCP_ECE | TCP_CWR, 40);
	put_octets(&f, options, sizeof(options));
	put_octets(&f, "hey", 3);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	expect_addresses(&o, "192.0.2.1", "198.51.100.7");
	assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_TCP | OBSERVATION_DF);
	assert_int_equal(o.length, 63);
	assert_int_equal(o.protocol, 6);
	assert_int_equal(o.ttl, 61);
	assert_int_equal(o.ip_id, 0xabcd);
	assert_int_equal(o.src_port, 40000);
	assert_int_equal(o.dst_port, 443);
	assert_int_equal(o.tcp.seq, 0xdeadbeef);
	assert_int_equal(o.tcp.ack, 0x01020304);
	assert_int_equal(o.tcp.flags, TCP_SYN | TCP_ECE | TCP_CWR);
	assert_int_equal(o.tcp.window, 64240);
	assert_int_equal(o.tcp.mss, 1460);
	assert_int_equal(o.tcp.wscale, 7);
	assert_int_equal(o.tcp.tsval, 0x01020304);
	assert_true(o.tcp.options == 0x42753);
	assert_int_equal(o.payload_length, 3);
	assert_int_equal(o.payload_kept, 3);
	assert_memory_equal(o.payload, "hey", 3);
}

static void tcp_without_options(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ipv6(&f, 6, 20, 9);
	put_tcp(&f, TCP_RST, 20);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	expect_addresses(&o, "2001:db8::1", "2001:db8::9");
	assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_TCP);
	assert_int_equal(o.length, 60);
	assert_int_equal(o.ttl, 62);
	assert_int_equal(o.ip_id, 0);
	assert_int_equal(o.tcp.flags, TCP_RST);
	assert_int_equal(o.tcp.wscale, 255);
	assert_int_equal(o.tcp.mss, 0);
	assert_true(o.tcp.options == 0);
	assert_int_equal(o.payload_length, 0);
}

static void tcp_beginning_a_request(void **state)
{
	static const char request[] = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 6, 20 + sizeof(request) - 1, 7);
	put_tcp(&f, TCP_PSH | TCP_ACK, 20);
	put_octets(&f, request, sizeof(request) - 1);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_TCP | OBSERVATION_DF | OBSERVATION_HTTP |
	                                  OBSERVATION_BLOCK_END);
	assert_int_equal(o.http.method, HTTP_GET);
	assert_int_equal(o.http.flags, HTTP_ENDED | HTTP_QUERY | HTTP_NAMED);
	assert_int_equal(o.http.order, http_order_of("Host\n"));
	/* Cut by the snap length, nobody can say how it ends. */
	f.length -= 4;
	assert_int_equal(decode_frame(ETHERNET, f.octets, f.length, f.length + 4, &o), DECODE_OK);
	assert_int_equal(o.flags,
	                 OBSERVATION_PORTS | OBSERVATION_TCP | OBSERVATION_DF | OBSERVATION_HTTP | OBSERVATION_CUT);
	assert_int_equal(o.http.flags, HTTP_CUT | HTTP_QUERY | HTTP_NAMED);
}

static void tcp_option_lists(void **state)
{
	static const struct {
		uint8_t octets[40];
		size_t length;
		uint64_t options;
		bool bad;
		unsigned mss, wscale;
	} cases[] = {
		{ { 0 }, 4, 0x1, false, 0, 255 },                             /* the list ends at once */
		{ { 1, 1, 0, 77 }, 4, 0x122, false, 0, 255 },                 /* what follows the end is nothing */
		{ { 2, 4, 2, 0x18, 99, 4, 0, 0 }, 8, 0xf3, false, 536, 255 }, /* a kind nobody knows */
		{ { 3, 3, 200, 1 }, 4, 0x24, false, 0, 200 },
		{ { 5, 10, [10] = 1, 1 }, 12, 0x226, false, 0, 255 },
		{ { 2, 4, 2, 0x18, 3, 0, 9, 9 }, 8, 0x3, true, 536, 255 },   /* a length of 0 */
		{ { 2, 4, 2, 0x18, 3, 1, 9, 9 }, 8, 0x3, true, 536, 255 },   /* a length of 1 */
		{ { 2, 4, 2, 0x18, 1, 8, 10, 0 }, 8, 0x23, true, 536, 255 }, /* longer than the header */
		{ { 1, 1, 1, 3 }, 4, 0x222, true, 0, 255 },                  /* no room for a length */
		{ { 2, 3, 5, 3, 3, 1, 1, 1 }, 8, 0x2243, true, 0, 1 },       /* a wrong length, yet one can go on */
		{ { 5, 11, [11] = 0 }, 12, 0x16, true, 0, 255 },
		/* the seventeenth is read, but has no place in the list */
		{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 2, 0x18 },
		  20,
		  0x2222222222222222,
		  false,
		  536,
		  255 },
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .length = 0 };

		put_ipv4(&f, 6, 20 + (unsigned)cases[i].length, 1);
		put_tcp(&f, TCP_ACK, 20 + (unsigned)cases[i].length);
		put_octets(&f, cases[i].octets, cases[i].length);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		if (o.tcp.options != cases[i].options)
			fail_msg("case %zu: options %llx", i, (unsigned long long)o.tcp.options);
		assert_int_equal(!!(o.flags & OBSERVATION_TCP_OPTIONS_BAD), cases[i].bad);
		assert_int_equal(o.tcp.mss, cases[i].mss);
		assert_int_equal(o.tcp.wscale, cases[i].wscale);
	}
}

static void tcp_header_length(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t tcp;

	(void)state;
	put_ipv4(&f, 6, 20, 1);
	tcp = put_tcp(&f, TCP_SYN, 20);
	patch8(&f, tcp + 12, 0x40);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_HEADER);
	patch8(&f, tcp + 12, 0x60);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_HEADER);
	patch8(&f, tcp + 12, 0x50);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	patch16(&f, 2, 39); /* IP leaves 19 octets */
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_SHORT);
}

static void padding_is_not_payload(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 6, 20, 1);
	put_tcp(&f, TCP_ACK, 20);
	put_many(&f, 6, 0xee);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.length, 40);
	assert_int_equal(o.payload_length, 0);
	assert_int_equal(o.payload_kept, 0);
	assert_false(o.flags & OBSERVATION_CUT);
}

static void vlan_tags(void **state)
{
	static const unsigned types[] = { 0x8100, 0x88a8, 0x9100 };
	struct observation o;

	(void)state;
	for (unsigned tags = 0; tags <= DECODE_TAGS_MAX + 1; tags++) {
		struct frame f = { .length = 0 };

		put_ethernet(&f, tags ? types[tags % 3] : 0x0800);
		for (unsigned i = tags; i-- > 0;) {
			put16(&f, 100 + i);
			put16(&f, i ? types[i % 3] : 0x0800);
		}
		put_datagram_4(&f, 3);
		if (tags <= DECODE_TAGS_MAX)
			expect_datagram(&f, ETHERNET, 3);
		else
			assert_int_equal(decode(&f, ETHERNET, &o), DECODE_LINK_UNKNOWN);
		if (tags > 0)
			assert_int_equal(decode_cut(&f, ETHERNET, 17, f.length, &o), DECODE_LINK_SHORT);
	}
}

static void mpls_labels(void **state)
{
	struct observation o;

	(void)state;
	for (unsigned labels = 1; labels <= DECODE_TAGS_MAX + 1; labels++) {
		struct frame f = { .length = 0 };

		put_ethernet(&f, labels & 1 ? 0x8847 : 0x8848);
		for (unsigned i = labels; i-- > 0;)
			put32(&f, i == 0 ? 0x12345140 : 0x12345040);
		put_datagram_6(&f, 3);
		if (labels > DECODE_TAGS_MAX) {
			assert_int_equal(decode(&f, ETHERNET, &o), DECODE_LINK_UNKNOWN);
			continue;
		}
		expect_datagram(&f, ETHERNET, 3);
		for (uint32_t cut = 14; cut <= 14 + 4 * labels; cut++)
			assert_int_equal(decode_cut(&f, ETHERNET, cut, f.length, &o), DECODE_LINK_SHORT);
		patch8(&f, 14 + 4 * labels, 0); /* a pseudowire's control word */
		assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
	}
}

/* Ethernet behind labels, whatever its first address begins with; nothing says whether there is a control word. */
static void mpls_pseudowires(void **state)
{
	static const uint8_t firsts[] = { 0x00, 0x02, 0x1c, 0x45, 0x48, 0x60, 0x6c, 0xa4 };
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < sizeof(firsts) * 4; i++) {
		bool control = i & 1, tagged = i & 2;
		struct frame f = { .length = 0 };
		uint32_t ethernet;

		put_ethernet(&f, 0x8847);
		put32(&f, 0x12345040);
		put32(&f, 0x54321140);
		if (control)
			put32(&f, i); /* a sequence number */
		ethernet = f.length;
		put_ethernet(&f, tagged ? 0x88a8 : 0x0800);
		patch8(&f, ethernet, firsts[i / 4]);
		if (tagged) {
			put16(&f, 100);
			put16(&f, 0x0800);
		}
		put_datagram_4(&f, 3);
		put_many(&f, 12, 0xee); /* padding */
		expect_datagram(&f, ETHERNET, 3);
		assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
		assert_false(o.flags & OBSERVATION_TUNNELLED);
		/* The inner packet is longer than the frame: then it is none, and at most the address looks like IP. */
		patch16(&f, ethernet + 14 + (tagged ? 4 : 0) + 2, 100);
		if (control || (firsts[i / 4] >> 4 != 4 && firsts[i / 4] >> 4 != 6))
			assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
	}
	for (unsigned i = 0; i < 2; i++) { /* the channel beside the wire, and what is no frame */
		struct frame f = { .length = 0 };

		put_ethernet(&f, 0x8847);
		put32(&f, 0x12345140);
		put32(&f, i ? 0x00000001 : 0x10000007);
		put_many(&f, 60, 0x33);
		assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
		assert_int_equal(decode_cut(&f, ETHERNET, 18 + i * 3, f.length, &o), DECODE_LINK_SHORT);
	}
}

/* One frame behind labels is passed, with a session in it or not; a second one is not IP. */
static void mpls_pseudowires_in_each_other(void **state)
{
	struct observation o;

	(void)state;
	for (unsigned wires = 1; wires <= 2; wires++) {
		struct frame f = { .length = 0 };

		for (unsigned i = 0; i < wires; i++) {
			put_ethernet(&f, 0x8847);
			put32(&f, 0x12345140);
		}
		put_ethernet(&f, 0x8864);
		put32(&f, 0x11000007);
		put16(&f, 2 + 54);
		put16(&f, 0x0057);
		put_datagram_6(&f, 3);
		if (wires == 1)
			expect_datagram(&f, ETHERNET, 3);
		else
			assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
	}
}

static void mpls_over_ppp(void **state)
{
	struct frame f = { .length = 0 };

	(void)state;
	put16(&f, 0x0281);
	put32(&f, 0x12345140);
	put_datagram_4(&f, 3);
	expect_datagram(&f, 9, 3);
}

static void pppoe(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_tagged(&f, 0x8100, 100, 0x8864);
	put16(&f, 0x1100);
	put16(&f, 7);
	put16(&f, 2 + 34);
	put16(&f, 0x0021);
	put_datagram_4(&f, 3);
	put_many(&f, 4, 0xee);
	expect_datagram(&f, ETHERNET, 3);
	for (uint32_t cut = 14; cut < 26; cut++)
		assert_int_equal(decode_cut(&f, ETHERNET, cut, f.length, &o), DECODE_LINK_SHORT);
	patch16(&f, 24, 0xc021);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
	patch16(&f, 16, 0x8863);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
}

static void pppoe_ipv6(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_tagged(&f, 0x88a8, 100, 0x8100);
	put16(&f, 200);
	put16(&f, 0x8864);
	put16(&f, 0x1100);
	put16(&f, 7);
	put16(&f, 2 + 54);
	put16(&f, 0x0057);
	put_datagram_6(&f, 3);
	expect_datagram(&f, ETHERNET, 3);
	patch16(&f, 26, 2 + 30); /* the session says less than its packet: cut */
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_IP_SHORT);
}

static void ieee_802_2(void **state)
{
	static const uint8_t snap[] = { 0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd };
	static const uint8_t bridge_tunnel[] = { 0xaa, 0xaa, 3, 0, 0, 0xf8, 0x86, 0xdd };
	static const uint8_t cisco[] = { 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0x00 };
	static const uint8_t ip[] = { 6, 6, 3 };
	static const uint8_t spanning_tree[] = { 0x42, 0x42, 3 };
	struct frame a = { .length = 0 }, b = a, c = a, d = a, e = a;
	struct observation o;

	(void)state;
	put_ethernet(&a, 8 + 54);
	put_octets(&a, snap, sizeof(snap));
	put_datagram_6(&a, 3);
	expect_datagram(&a, ETHERNET, 3);
	put_ethernet(&b, 8 + 54);
	put_octets(&b, bridge_tunnel, sizeof(bridge_tunnel));
	put_datagram_6(&b, 3);
	expect_datagram(&b, ETHERNET, 3);
	put_ethernet(&c, 3 + 34);
	put_octets(&c, ip, sizeof(ip));
	put_datagram_4(&c, 3);
	put_many(&c, 9, 0xee);
	expect_datagram(&c, ETHERNET, 3);
	put_ethernet(&d, 8 + 30);
	put_octets(&d, cisco, sizeof(cisco));
	put_many(&d, 30, 0);
	assert_int_equal(decode(&d, ETHERNET, &o), DECODE_NOT_IP);
	put_ethernet(&e, 38);
	put_octets(&e, spanning_tree, sizeof(spanning_tree));
	put_many(&e, 43, 0);
	assert_int_equal(decode(&e, ETHERNET, &o), DECODE_NOT_IP);
	assert_int_equal(decode_cut(&e, ETHERNET, 16, e.length, &o), DECODE_LINK_SHORT);
}

static void other_links(void **state)
{
	static const struct {
		uint32_t link_type;
		uint8_t header[20];
		unsigned length, version;
		enum decode_result result;
	} cases[] = {
		{ 0, { 0, 0, 0, 2 }, 4, 4, DECODE_OK },
		{ 0, { 2, 0, 0, 0 }, 4, 4, DECODE_OK },
		{ 0, { 10, 0, 0, 0 }, 4, 6, DECODE_OK },
		{ 0, { 24, 0, 0, 0 }, 4, 6, DECODE_OK },
		{ 0, { 0, 0, 0, 28 }, 4, 6, DECODE_OK },
		{ 0, { 30, 0, 0, 0 }, 4, 6, DECODE_OK },
		{ 0, { 2, 0, 0, 0 }, 4, 6, DECODE_IP_VERSION },
		{ 0, { 7, 0, 0, 0 }, 4, 4, DECODE_NOT_IP },
		{ 0, { 0, 0, 2, 0 }, 4, 4, DECODE_NOT_IP },
		{ 108, { 0, 0, 0, 2 }, 4, 4, DECODE_OK },
		{ 108, { 0, 0, 0, 24 }, 4, 6, DECODE_OK },
		{ 12, { 0 }, 0, 4, DECODE_OK },
		{ 14, { 0 }, 0, 6, DECODE_OK },
		{ 101, { 0 }, 0, 4, DECODE_OK },
		{ 101, { 0 }, 0, 6, DECODE_OK },
		{ 101, { 0 }, 0, 5, DECODE_IP_VERSION },
		{ 228, { 0 }, 0, 4, DECODE_OK },
		{ 228, { 0 }, 0, 6, DECODE_IP_VERSION },
		{ 229, { 0 }, 0, 6, DECODE_OK },
		{ 229, { 0 }, 0, 4, DECODE_IP_VERSION },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 8, 0 }, 16, 4, DECODE_OK },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0x86, 0xdd }, 16, 6, DECODE_OK },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0x08, 0x06 }, 16, 4, DECODE_ARP },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0, 0x0c }, 16, 4, DECODE_NOT_IP },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0, 4 }, 16, 4, DECODE_NOT_IP },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0x81, 0, 0, 5, 8, 0 }, 20, 4, DECODE_OK },
		{ 113, { 0, 0, 0, 1, 0, 6, [14] = 0, 4, 6, 6, 3 }, 19, 4, DECODE_OK },
		{ 276, { 8, 0 }, 20, 4, DECODE_OK },
		{ 276, { 0x86, 0xdd }, 20, 6, DECODE_OK },
		{ 9, { 0xff, 3, 0, 0x21 }, 4, 4, DECODE_OK },
		{ 9, { 0xff, 3, 0, 0x57 }, 4, 6, DECODE_OK },
		{ 9, { 0, 0x21 }, 2, 4, DECODE_OK },
		{ 9, { 0x57 }, 1, 6, DECODE_OK },
		{ 9, { 0xff, 3, 0xc0, 0x21 }, 4, 4, DECODE_NOT_IP },
		{ 9, { 0xff, 4, 0, 0x21 }, 4, 4, DECODE_NOT_IP },
		{ 9, { 0, 0x21 }, 2, 6, DECODE_IP_VERSION },
		{ 105, { 0 }, 4, 4, DECODE_LINK_UNKNOWN },
		{ UINT32_MAX, { 0 }, 4, 4, DECODE_LINK_UNKNOWN },
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .length = 0 };
		uint32_t ip;

		put_octets(&f, cases[i].header, cases[i].length);
		ip = cases[i].version == 6 ? put_ipv6(&f, 17, 14, 3) : put_ipv4(&f, 17, 14, 3);
		if (cases[i].version == 5)
			patch8(&f, ip, 0x55);
		put_datagram(&f);
		if (cases[i].result == DECODE_OK) {
			expect_datagram(&f, cases[i].link_type, 3);
			for (uint32_t cut = 0; cut <= ip; cut++)
				assert_int_equal(decode_cut(&f, cases[i].link_type, cut, f.length, &o),
				                 cut < ip ? DECODE_LINK_SHORT : DECODE_IP_SHORT);
		} else if (decode(&f, cases[i].link_type, &o) != cases[i].result) {
			fail_msg("case %zu: %s", i, decode_result_name(decode(&f, cases[i].link_type, &o)));
		}
	}
}

static void not_ip(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x0806);
	assert_int_equal(decode_cut(&f, ETHERNET, 13, 60, &o), DECODE_LINK_SHORT);
	put_many(&f, 46, 0);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_ARP);
	patch16(&f, 12, 0x88cc);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_NOT_IP);
	patch16(&f, 12, 0x86dd);
	patch8(&f, 14, 0x45);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_IP_VERSION);
	patch16(&f, 12, 0x0800);
	patch8(&f, 14, 0x60);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_IP_VERSION);
}

static void ipv4_lengths(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 17, 8 + 100, 1);
	put_udp(&f, 108);
	put_many(&f, 100, 'x');

	assert_int_equal(decode_cut(&f, ETHERNET, 14 + 19, f.length, &o), DECODE_IP_SHORT);
	patch8(&f, 14, 0x44);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_IP_HEADER);
	patch8(&f, 14, 0x4f); /* sixty octets of header, of which 59 were kept */
	assert_int_equal(decode_cut(&f, ETHERNET, 14 + 59, f.length, &o), DECODE_IP_SHORT);
	patch8(&f, 14, 0x45);
	patch16(&f, 16, 19);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_IP_HEADER);
	patch16(&f, 16, 20);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_TRANSPORT_SHORT);

	patch16(&f, 16, 0); /* unknown to who captured it: what was on the wire, not what was kept */
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.length, 128);
	assert_int_equal(o.payload_length, 100);
	assert_false(o.flags & OBSERVATION_CUT);
	assert_int_equal(decode_cut(&f, ETHERNET, 14 + 40, 14 + 70000, &o), DECODE_OK);
	assert_int_equal(o.length, 70000);
	assert_int_equal(o.payload_length, UINT16_MAX);
	assert_int_equal(o.payload_kept, 12);
	assert_true(o.flags & OBSERVATION_CUT);

	patch16(&f, 16, 1400); /* a claim larger than the frame */
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.length, 1400);
	assert_int_equal(o.payload_length, 1372);
	assert_int_equal(o.payload_kept, 32);
	assert_true(o.flags & OBSERVATION_CUT);
}

static void ipv4_options_and_flags(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t ip;

	(void)state;
	ip = put_ipv4(&f, 17, 4 + 14, 1);
	patch8(&f, ip, 0x46);
	patch16(&f, ip + 6, 0x8000); /* the evil bit is no fragment */
	put32(&f, 0x94040000);
	put_datagram(&f);
	expect_datagram(&f, RAW, 1);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_IP_OPTIONS | OBSERVATION_PORTS);
	assert_int_equal(o.length, 38);
}

static void ipv4_fragments(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t ip;

	(void)state;
	ip = put_ipv4(&f, 17, 24, 1);
	put_udp(&f, 3000);
	put_octets(&f, "0123456789abcdef", 16);
	patch16(&f, ip + 6, 0x2000);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_PORTS);
	assert_int_equal(o.fragment_offset, 0);
	assert_int_equal(o.dst_port, 33333);
	assert_int_equal(o.payload_length, 16);

	patch16(&f, ip + 6, 0x20b9);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT);
	assert_int_equal(o.fragment_offset, 1480);
	assert_int_equal(o.protocol, 17);
	assert_int_equal(o.dst_port, 0);
	assert_int_equal(o.payload_length, 24);
	assert_int_equal(o.payload_kept, 24);

	patch16(&f, ip + 6, 0x1fff);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT);
	assert_int_equal(o.fragment_offset, 65528);
}

/* The trick of RFC 1858: a first fragment that ends before the TCP flags. */
static void tiny_first_fragment(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t ip;

	(void)state;
	ip = put_ipv4(&f, 6, 8, 1);
	patch16(&f, ip + 6, 0x2000);
	put_tcp(&f, TCP_SYN, 20);
	assert_int_equal(decode_cut(&f, RAW, 28, 28, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_PORTS | OBSERVATION_CUT);
	assert_int_equal(o.dst_port, 443);
	assert_int_equal(o.tcp.wscale, 0);
	assert_int_equal(o.payload_length, 0);
}

static void ipv6_extension_chain(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t begin;

	(void)state;
	put_ipv6(&f, 0, 8 + 16 + 8 + 16 + 8 + 14, 5);
	begin = f.length;
	put8(&f, 43), put8(&f, 0), put_many(&f, 6, 1);  /* hop-by-hop */
	put8(&f, 44), put8(&f, 1), put_many(&f, 14, 0); /* routing */
	put8(&f, 51), put8(&f, 0), put_many(&f, 6, 0);  /* an atomic fragment */
	put8(&f, 60), put8(&f, 2), put_many(&f, 14, 0); /* AH counts in fours */
	put8(&f, 17), put8(&f, 0), put_many(&f, 6, 1);  /* destination options */
	put_datagram(&f);
	expect_datagram(&f, RAW, 5);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_IP_OPTIONS);
	assert_int_equal(o.length, f.length);
	for (uint32_t cut = begin; cut < f.length - 14; cut++)
		assert_int_equal(decode_cut(&f, RAW, cut, f.length, &o), DECODE_EXTENSION);
	patch8(&f, begin + 1, 200);
	assert_int_equal(decode(&f, RAW, &o), DECODE_EXTENSION);
}

static void ipv6_long_chains(void **state)
{
	struct observation o;

	(void)state;
	for (unsigned headers = DECODE_EXTENSIONS_MAX - 1; headers <= DECODE_EXTENSIONS_MAX + 1; headers++) {
		struct frame f = { .length = 0 };

		put_ipv6(&f, 60, headers * 8 + 14, 5);
		for (unsigned i = 1; i <= headers; i++)
			put8(&f, i < headers ? 60 : 17), put8(&f, 0), put_many(&f, 6, 1);
		put_datagram(&f);
		if (headers <= DECODE_EXTENSIONS_MAX)
			expect_datagram(&f, RAW, 5);
		else
			assert_int_equal(decode(&f, RAW, &o), DECODE_EXTENSION);
	}
}

static void ipv6_fragments(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t fragment;

	(void)state;
	put_ipv6(&f, 44, 8 + 24, 5);
	fragment = f.length;
	put8(&f, 17), put8(&f, 0), put16(&f, 1), put32(&f, 99);
	put_udp(&f, 3000);
	put_many(&f, 16, 'x');
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_PORTS | OBSERVATION_IP_OPTIONS);
	assert_int_equal(o.src_port, 53);

	patch16(&f, fragment + 2, 0x05a8);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT | OBSERVATION_IP_OPTIONS);
	assert_int_equal(o.fragment_offset, 1448);
	assert_int_equal(o.protocol, 17);
	assert_int_equal(o.payload_length, 24);

	patch8(&f, fragment, 60); /* the chain went on in the first fragment: here is data, not a header */
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.protocol, 60);
	assert_int_equal(o.payload_length, 24);

	patch8(&f, fragment, 17);
	patch16(&f, fragment + 2, 0x0006); /* reserved bits alone do not make a fragment */
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_IP_OPTIONS);
}

static void ipv6_ends_of_the_chain(void **state)
{
	static const struct {
		unsigned next;
		uint8_t header[8];
		unsigned protocol;
	} cases[] = {
		{ 59, { 0 }, 59 },       { 50, { 0 }, 50 },       { 60, { 59 }, 59 },  { 135, { 59, 0, 5 }, 135 },
		{ 139, { 59, 0 }, 139 }, { 140, { 59, 0 }, 140 }, { 253, { 0 }, 253 },
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .length = 0 };

		put_ipv6(&f, cases[i].next, 8, 5);
		put_octets(&f, cases[i].header, 8);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.protocol, cases[i].protocol);
		assert_int_equal(o.payload_length, cases[i].next == 60 ? 0 : 8);
		assert_int_equal(o.flags, cases[i].next == 60 ? OBSERVATION_IP_OPTIONS : 0);
	}
}

static void ipv6_without_length(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;

	(void)state;
	put_ethernet(&f, 0x86dd);
	put_ipv6(&f, 0, 0, 5);
	put8(&f, 17), put8(&f, 0), put16(&f, 0xc204), put32(&f, 100008);
	put_udp(&f, 0);
	put_many(&f, 200, 'j');
	assert_int_equal(decode_cut(&f, ETHERNET, f.length, 14 + 40 + 100008, &o), DECODE_OK);
	assert_int_equal(o.length, 100048);
	assert_int_equal(o.payload_length, UINT16_MAX);
	assert_int_equal(o.payload_kept, 32);

	f.length = 0; /* no next header, and padding */
	put_ethernet(&f, 0x86dd);
	put_ipv6(&f, 59, 0, 5);
	put_many(&f, 6, 0xee);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.length, 40);
	assert_int_equal(o.payload_length, 0);
}

static void udp_lengths(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t udp;

	(void)state;
	put_ipv4(&f, 17, 14, 5);
	udp = f.length;
	put_datagram(&f);
	patch16(&f, udp + 4, 7);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_HEADER);
	patch16(&f, udp + 4, 0);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_HEADER);
	patch16(&f, udp + 4, 8); /* IP's length counts */
	expect_datagram(&f, RAW, 5);
	patch16(&f, udp + 4, 65535); /* more than there is: counted all the same */
	expect_datagram(&f, RAW, 5);
	patch16(&f, 2, 27);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_SHORT);
}

static void ports_of_others(void **state)
{
	static const unsigned protocols[] = { 33, 132, 136 };
	struct observation o;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct frame f = { .length = 0 };

		put_ipv4(&f, protocols[i], 16, 5);
		put16(&f, 1000);
		put16(&f, 2000);
		put_many(&f, 12, 1);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.flags, OBSERVATION_PORTS | OBSERVATION_DF);
		assert_int_equal(o.src_port, 1000);
		assert_int_equal(o.dst_port, 2000);
		assert_int_equal(o.payload_length, 16);
		assert_int_equal(decode_cut(&f, RAW, 23, f.length, &o), DECODE_TRANSPORT_SHORT);
	}
}

static void icmp_quotes(void **state)
{
	static const unsigned errors[] = { 3, 4, 5, 11, 12 };
	struct frame f = { .length = 0 };
	struct observation o;
	char text[ADDRESS_TEXT_SIZE];
	uint32_t icmp, quote;

	(void)state;
	put_ipv4(&f, 1, 8 + 20 + 8, 5);
	icmp = f.length;
	put16(&f, 0x0303);
	put_many(&f, 6, 0);
	quote = put_ipv4(&f, 17, 500, 200);
	put_udp(&f, 500);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		patch8(&f, icmp, errors[i]);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.flags, OBSERVATION_ICMP | OBSERVATION_QUOTE | OBSERVATION_DF);
		assert_int_equal(o.icmp_type, errors[i]);
		assert_int_equal(o.icmp_code, 3);
		assert_string_equal(address_format(&o.quote.src, text), "192.0.2.1");
		assert_string_equal(address_format(&o.quote.dst, text), "198.51.100.200");
		assert_int_equal(o.quote.protocol, 17);
		assert_int_equal(o.quote.src_port, 53);
		assert_int_equal(o.quote.dst_port, 33333);
		assert_int_equal(o.payload_length, 28);
		assert_int_equal(o.payload[0], 0x45);
	}
	patch8(&f, icmp, 8); /* an echo quotes nothing */
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_ICMP | OBSERVATION_DF);
	patch8(&f, icmp, 3);
	patch16(&f, quote + 6, 0x0001); /* a later fragment was quoted: no ports */
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_QUOTE);
	assert_int_equal(o.quote.dst_port, 0);
	patch16(&f, quote + 6, 0);
	assert_int_equal(decode_cut(&f, RAW, quote + 23, f.length, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_QUOTE && o.flags & OBSERVATION_CUT);
	assert_int_equal(o.quote.protocol, 17);
	assert_int_equal(o.quote.dst_port, 0);
	assert_int_equal(decode_cut(&f, RAW, quote + 19, f.length, &o), DECODE_OK);
	assert_false(o.flags & OBSERVATION_QUOTE);
	patch8(&f, quote, 0x65);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_false(o.flags & OBSERVATION_QUOTE);
	assert_int_equal(o.quote.protocol, 0);
	patch16(&f, 2, 20 + 7);
	assert_int_equal(decode(&f, RAW, &o), DECODE_TRANSPORT_SHORT);
}

static void icmpv6_quotes(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	char text[ADDRESS_TEXT_SIZE];
	uint32_t icmp, extension;

	(void)state;
	put_ipv6(&f, 58, 8 + 40 + 8 + 20, 5);
	icmp = f.length;
	put16(&f, 0x0100);
	put_many(&f, 6, 0);
	put_ipv6(&f, 60, 1000, 0x99);
	extension = f.length;
	put8(&f, 6), put8(&f, 0), put_many(&f, 6, 0);
	put_tcp(&f, TCP_SYN, 20);
	for (unsigned type = 0; type < 256; type++) {
		bool error = type >= 1 && type <= 4;

		patch8(&f, icmp, type);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.flags, OBSERVATION_ICMP | (error ? OBSERVATION_QUOTE : 0));
		assert_int_equal(o.quote.dst_port, error ? 443 : 0);
	}
	patch8(&f, icmp, 2);
	patch8(&f, extension + 1, 9); /* where the chain cannot be followed, the addresses stay */
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_QUOTE);
	assert_string_equal(address_format(&o.quote.dst, text), "2001:db8::99");
	assert_int_equal(o.quote.protocol, 60);
	assert_int_equal(o.quote.dst_port, 0);
}

static void expect_tunnel(const struct frame *f, unsigned protocol, uint32_t outer_length)
{
	struct observation o;
	char text[ADDRESS_TEXT_SIZE];

	expect_datagram(f, RAW, 5);
	assert_int_equal(decode(f, RAW, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_TUNNELLED);
	assert_int_equal(o.outer.protocol, protocol);
	assert_int_equal(o.outer.length, outer_length);
	assert_int_equal(o.outer.ttl, 61);
	assert_int_equal(o.outer.ip_id, 0xabcd);
	assert_string_equal(address_format(&o.outer.src, text), "192.0.2.1");
	assert_string_equal(address_format(&o.outer.dst, text), "198.51.100.99");
}

enum inside { INSIDE_IPV4, INSIDE_IPV6, INSIDE_ETHERNET, INSIDE_VLAN, INSIDE_TEREDO };

/* put_datagram() to 198.51.100.5 or 2001:db8::5 */
static void put_inside(struct frame *f, enum inside inside)
{
	uint32_t at = f->length;

	switch (inside) {
	case INSIDE_IPV4:
		put_datagram_4(f, 5);
		break;
	case INSIDE_IPV6:
		put_datagram_6(f, 5);
		break;
	case INSIDE_ETHERNET:
		put_ethernet(f, 0x0800);
		put_datagram_4(f, 5);
		break;
	case INSIDE_VLAN:
		put_tagged(f, 0x8100, 7, 0x86dd);
		put_datagram_6(f, 5);
		break;
	case INSIDE_TEREDO:
		put_datagram_6(f, 5);
		patch16(f, at + 10, 0); /* 2001:: */
		break;
	}
}

static void tunnels(void **state)
{
	static const struct {
		unsigned protocol;
		uint8_t header[40];
		unsigned length;
		enum inside inside;
	} cases[] = {
		{ 4, { 0 }, 0, INSIDE_IPV4 },
		{ 41, { 0 }, 0, INSIDE_IPV6 },
		{ 47, { 0, 0, 8, 0 }, 4, INSIDE_IPV4 },
		{ 47, { 0, 0, 0x86, 0xdd }, 4, INSIDE_IPV6 },
		{ 47, { 0x80, 0, 8, 0, 1, 2, 0, 0 }, 8, INSIDE_IPV4 },
		{ 47, { 0xb0, 0, 0x86, 0xdd, 1, 2, 0, 0, 1, 2, 3, 4, 0, 0, 0, 9 }, 16, INSIDE_IPV6 },
		{ 47, { 0x20, 0, 0x65, 0x58, 1, 2, 3, 4 }, 8, INSIDE_ETHERNET },
		{ 47, { 0x30, 0x01, 0x88, 0x0b, 0, 38, 0, 7, 0, 0, 0, 1, 0xff, 3, 0, 0x21 }, 16, INSIDE_IPV4 },
		{ 47, { 0x30, 0x81, 0x88, 0x0b, 0, 36, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x21 }, 18, INSIDE_IPV4 },
		{ 47, { 0x20, 0x01, 0x88, 0x0b, 0, 55, 0, 7, 0x57 }, 9, INSIDE_IPV6 },
		{ 47, { 0, 0, 0x88, 0x0b, 0, 0x21 }, 6, INSIDE_IPV4 },
		{ 47,
		  { 0, 0, 0x88, 0x47, 0x12, 0x34, 0x50, 0x40, 0x54, 0x32, 0x11, 0x40 },
		  12,
		  INSIDE_IPV4 }, /* MPLS */
		{ 47, { 0x20, 0, 0x88, 0x48, 1, 2, 3, 4, 0x54, 0x32, 0x11, 0x40 }, 12, INSIDE_IPV6 },
		{ 47, { 0, 0, 0x88, 0x47, 0x54, 0x32, 0x11, 0x40, 0, 0, 0, 0 }, 12, INSIDE_ETHERNET },
		{ 47, { 0, 0, 0x88, 0xbe }, 4, INSIDE_ETHERNET },
		{ 47, { 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, [15] = 0 }, 16, INSIDE_ETHERNET },
		{ 47, { 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, [19] = 0 }, 20, INSIDE_ETHERNET },
		{ 47, { 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, [19] = 1, [27] = 0 }, 28, INSIDE_ETHERNET },
		{ 47, { 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, [18] = 8, [19] = 0 }, 20, INSIDE_IPV6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .length = 0 };

		put_ipv4(&f, cases[i].protocol, 0, 99);
		put_octets(&f, cases[i].header, cases[i].length);
		put_inside(&f, cases[i].inside);
		patch16(&f, 2, f.length);
		expect_tunnel(&f, cases[i].protocol, f.length);
	}
}

/* Behind Ethernet, IPv4 and UDP of the ports; returns where the UDP payload begins. */
static uint32_t put_udp_tunnel(struct frame *f, unsigned src_port, unsigned dst_port, const uint8_t *header,
                               unsigned length, enum inside inside)
{
	uint32_t ip, udp;

	f->length = 0;
	put_ethernet(f, 0x0800);
	ip = put_ipv4(f, 17, 0, 99);
	udp = put_udp(f, 0);
	patch16(f, udp, src_port);
	patch16(f, udp + 2, dst_port);
	put_octets(f, header, length);
	put_inside(f, inside);
	patch16(f, ip + 2, f->length - ip);
	patch16(f, udp + 4, f->length - udp);
	return udp + 8;
}

/* What is around the datagram is all there is: UDP to `port` of the tunnel's end. */
static void expect_closed(const struct frame *f, unsigned port)
{
	struct observation o;

	assert_int_equal(decode(f, ETHERNET, &o), DECODE_OK);
	if (o.flags & OBSERVATION_TUNNELLED || o.dst_port != port || o.dst.octets[15] != 99)
		fail_msg("port %u is seen through", port);
}

static const struct udp_tunnel {
	unsigned src_port, dst_port;
	uint8_t header[40];
	unsigned length;
	enum inside inside;
} udp_tunnels[] = {
	{ 50000, 4789, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
	{ 50000, 4789, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_VLAN },
	{ 50000, 4789, { 0x88, 0x48, 1, 2, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET }, /* group policy */
	{ 50000, 8472, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
	{ 50000, 4790, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
	{ 50000, 4790, { 0x0c, 0, 0, 1, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
	{ 50000, 4790, { 0x0c, 0, 0, 2, 1, 2, 3, 0 }, 8, INSIDE_IPV6 },
	{ 50000, 4790, { 0x0e, 0, 0, 3, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
	{ 50000, 4790, { 0x0c, 0, 0, 4, 1, 2, 3, 0, 0x0f, 0xc2, 2, 1, 0, 0, 7, 255 }, 16, INSIDE_IPV4 },
	{ 50000, 4790, { 0x0c, 0, 0, 4, 1, 2, 3, 0, 0x0f, 0xc6, 1, 3, [31] = 9 }, 32, INSIDE_ETHERNET },
	{ 50000, 6081, { 0, 0, 0x65, 0x58, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
	{ 50000, 6081, { 0, 0, 8, 0, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
	{ 50000, 6081, { 4, 0x40, 0x86, 0xdd, 1, 2, 3, 0, 1, 3, 0x81, 0, 1, 4, 2, 2, [23] = 3 }, 24, INSIDE_IPV6 },
	{ 2152, 2152, { 0x30, 0xff, 0, 34, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
	{ 2152, 2152, { 0x30, 0xff, 0, 54, 1, 2, 3, 4 }, 8, INSIDE_IPV6 },
	{ 40000, 2152, { 0x32, 0xff, 0, 38, 1, 2, 3, 4, 0, 9, 7, 7 }, 12, INSIDE_IPV4 },
	{ 40000, 2152, { 0x33, 0xff, 0, 38, 1, 2, 3, 4, 0, 9, 7, 0x85 }, 12, INSIDE_IPV4 }, /* without E, no type */
	{ 2152, 2152, { 0x34, 0xff, 0, 42, 1, 2, 3, 4, 0, 0, 0, 0x85, 1, 0, 9, 0 }, 16, INSIDE_IPV4 },
	{ 2152,
	  2152,
	  { 0x36, 0xff, 0, 50, 1, 2, 3, 4, 0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 1, 2, 3, 4, 5, 6, 0 },
	  24,
	  INSIDE_IPV4 },
	{ 50000, 3544, { 0 }, 0, INSIDE_TEREDO },
	{ 3544, 50000, { 0 }, 0, INSIDE_TEREDO },
	{ 3544, 50000, { 0, 0, 0xcf, 1, 2, 3, 4, 5 }, 8, INSIDE_TEREDO },
	{ 50000, 3544, { 0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0 }, 13, INSIDE_TEREDO },
	{ 3544, 50000, { 0, 1, 2, 4, [19] = 0, 0, [27] = 0 }, 27, INSIDE_TEREDO },
};

static void tunnels_over_udp(void **state)
{
	struct observation o, around;
	char text[ADDRESS_TEXT_SIZE];
	struct frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(udp_tunnels) / sizeof(*udp_tunnels); i++) {
		const struct udp_tunnel *t = &udp_tunnels[i];
		uint32_t inside = put_udp_tunnel(&f, t->src_port, t->dst_port, t->header, t->length, t->inside);

		assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
		if (!(o.flags & OBSERVATION_TUNNELLED))
			fail_msg("case %zu is not seen through", i);
		expect_datagram(&f, ETHERNET, 5);
		assert_true(o.flags & OBSERVATION_OVERLAY);
		assert_int_equal(o.outer.protocol, 17);
		assert_int_equal(o.outer.src_port, t->src_port);
		assert_int_equal(o.outer.dst_port, t->dst_port);
		assert_int_equal(o.outer.length, f.length - 14);
		assert_string_equal(address_format(&o.outer.dst, text), "198.51.100.99");
		observation_outer(&o, &around);
		assert_true(around.flags & OBSERVATION_PORTS && around.flags & OBSERVATION_OVERLAY);
		assert_int_equal(around.dst_port, t->dst_port);
		assert_int_equal(around.payload_length, f.length - inside);
		/* Cut anywhere, it is one or the other, or nothing; never a datagram of something else. */
		for (uint32_t cut = 0; cut < f.length; cut++) {
			enum decode_result result = decode_cut(&f, ETHERNET, cut, f.length, &o);

			if (result == DECODE_OK && o.flags & OBSERVATION_TUNNELLED)
				assert_int_equal(o.dst_port, 33333);
			else if (result == DECODE_OK)
				assert_int_equal(o.dst_port, t->dst_port);
		}
		/* Another port, and it is a datagram like any. */
		patch16(&f, inside - 8, 50001);
		patch16(&f, inside - 6, 50001);
		expect_closed(&f, 50001);
		/* More inside than there is */
		put_udp_tunnel(&f, t->src_port, t->dst_port, t->header, t->length, t->inside);
		f.length--;
		patch16(&f, 16, f.length - 14);
		expect_closed(&f, t->dst_port);
	}
}

/* One wrong bit in what is reserved, one octet more or less, and it is not believed. */
static void closed_tunnels_over_udp(void **state)
{
	static const struct {
		unsigned src_port, dst_port;
		uint8_t header[40];
		unsigned length;
		enum inside inside;
	} cases[] = {
		{ 50000, 4789, { 0, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 9, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 8, 1, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 8, 0, 0, 1, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 8, 0, 0, 0, 1, 2, 3, 4 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 0x88, 0x80, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4789, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 4789, { 8, 0, 0, 0 }, 4, INSIDE_ETHERNET },
		{ 4789, 50000, { 8, 0, 0, 0, 1, 2, 3, 0 }, 8, INSIDE_ETHERNET },
		{ 50000, 4790, { 0x1c, 0, 0, 1, 1, 2, 3, 0 }, 8, INSIDE_IPV4 }, /* a version */
		{ 50000, 4790, { 0x0d, 0, 0, 1, 1, 2, 3, 0 }, 8, INSIDE_IPV4 }, /* maintenance */
		{ 50000, 4790, { 0x04, 0, 0, 1, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 4790, { 0x0c, 0, 0, 2, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 4790, { 0x0c, 0, 0, 5, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 4790, { 0x0c, 0, 0, 4, 1, 2, 3, 0, 0x0f, 0xc1, 2, 1 }, 12, INSIDE_IPV4 },
		{ 50000, 4790, { 0x0c, 0, 0, 4, 1, 2, 3, 0, 0x2f, 0xc2, 2, 1, 0, 0, 7, 255 }, 16, INSIDE_IPV4 },
		{ 50000, 6081, { 0x40, 0, 8, 0, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 6081, { 0, 0x80, 8, 0, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 6081, { 0, 1, 8, 0, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 6081, { 0, 0, 8, 0, 1, 2, 3, 9 }, 8, INSIDE_IPV4 },
		{ 50000, 6081, { 0, 0, 8, 6, 1, 2, 3, 0 }, 8, INSIDE_IPV4 },
		{ 50000, 6081, { 1, 0, 8, 0, 1, 2, 3, 0, 1, 3, 1, 1 }, 12, INSIDE_IPV4 }, /* an option too long */
		{ 50000, 6081, { 2, 0, 8, 0, 1, 2, 3, 0, 1, 3, 1, 0x21, 0, 0, 0, 0 }, 16, INSIDE_IPV4 },
		{ 2152, 2152, { 0x50, 0xff, 0, 34, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
		{ 2152, 2152, { 0x20, 0xff, 0, 34, 1, 2, 3, 4 }, 8, INSIDE_IPV4 }, /* GTP' */
		{ 2152, 2152, { 0x38, 0xff, 0, 34, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
		{ 2152, 2152, { 0x30, 0xfe, 0, 34, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
		{ 2152, 2152, { 0x30, 0xff, 0, 33, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
		{ 2152, 2152, { 0x30, 0xff, 0, 35, 1, 2, 3, 4 }, 8, INSIDE_IPV4 },
		{ 2152, 2152, { 0x34, 0xff, 0, 42, 1, 2, 3, 4, 0, 0, 0, 0x85, 0, 0, 9, 0 }, 16, INSIDE_IPV4 },
		{ 2152, 2152, { 0x34, 0xff, 0, 42, 1, 2, 3, 4, 0, 0, 0, 0x85, 200, 0, 9, 0 }, 16, INSIDE_IPV4 },
		{ 50000, 3544, { 0 }, 0, INSIDE_IPV6 }, /* no address of Teredo's */
		{ 50000, 3544, { 0 }, 0, INSIDE_IPV4 },
		{ 50000, 3544, { 0, 0, 1, 2, 3, 4 }, 6, INSIDE_TEREDO },
		{ 50000, 3544, { 0, 1, 200, 200 }, 4, INSIDE_TEREDO },
	};
	struct frame f;
	uint32_t inside;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_udp_tunnel(&f, cases[i].src_port, cases[i].dst_port, cases[i].header, cases[i].length,
		               cases[i].inside);
		expect_closed(&f, cases[i].dst_port);
	}
	inside = put_udp_tunnel(&f, 3544, 50000, NULL, 0, INSIDE_TEREDO);
	patch16(&f, inside + 4, 13); /* an octet of something behind it */
	expect_closed(&f, 50000);
	inside = put_udp_tunnel(&f, 3544, 50000, NULL, 0, INSIDE_TEREDO);
	patch8(&f, inside + 6, 59); /* a bubble */
	expect_closed(&f, 50000);
}

/* 96 octets, a usual snap length, are enough for the ports inside. */
static void tunnels_over_udp_cut(void **state)
{
	static const uint8_t vxlan[] = { 8, 0, 0, 0, 1, 2, 3, 0 };
	struct observation o;
	struct frame f;

	(void)state;
	put_udp_tunnel(&f, 50000, 4789, vxlan, sizeof(vxlan), INSIDE_ETHERNET);
	assert_int_equal(decode_cut(&f, ETHERNET, 96, f.length, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_OVERLAY && o.flags & OBSERVATION_CUT);
	assert_int_equal(o.dst_port, 33333);
	assert_int_equal(o.payload_length, 6);
}

/* What a flood sends to such ports stays what it is. */
static void noise_to_tunnel_ports(void **state)
{
	static const unsigned ports[] = { 2152, 3544, 4789, 4790, 6081, 8472 };
	uint64_t random = 88172645463325252u;
	struct observation o;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint8_t noise[120];
		struct frame f;
		uint32_t inside;

		for (size_t j = 0; j < sizeof(noise); j++) {
			random ^= random << 13, random ^= random >> 7, random ^= random << 17;
			noise[j] = (uint8_t)(random >> 32);
		}
		inside = put_udp_tunnel(&f, 3544, ports[i % 6], noise, sizeof(noise), INSIDE_IPV4);
		/* From the second half on the first octets are as they should be. */
		if (i >= 100000)
			memcpy(f.octets + inside, i % 6 == 0 ? "\x30\xff" : "\x08\0\0\0", i % 6 == 0 ? 2 : 4);
		assert_int_equal(decode_frame(ETHERNET, f.octets, f.length, f.length, &o), DECODE_OK);
		assert_false(o.flags & OBSERVATION_TUNNELLED);
		assert_int_equal(o.dst_port, ports[i % 6]);
	}
}

/*
 * A mirror is where a capture was made: a tunnel that it shows is the outermost. The other way round nothing changes.
 */
static void mirrors_of_tunnels(void **state)
{
	static const uint8_t vxlan[] = { 8, 0, 0, 0, 1, 2, 3, 0 };
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t udp;

	(void)state;
	put_ipv4(&f, 47, 4 + 14 + 20 + 20 + 14, 99); /* ERSPAN of IP in IP */
	put32(&f, 0x000088be);
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 4, 20 + 14, 77);
	put_datagram_4(&f, 5);
	expect_datagram(&f, RAW, 5);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags & (OBSERVATION_TUNNELLED | OBSERVATION_OVERLAY), OBSERVATION_TUNNELLED);
	assert_int_equal(o.outer.protocol, 4);
	assert_int_equal(o.outer.dst.octets[15], 77);
	assert_int_equal(o.outer.length, 54);

	f.length = 0;
	put_ipv4(&f, 47, 4 + 14 + 28 + 8 + 14 + 34, 99); /* ERSPAN of VXLAN: the outermost of the two */
	put32(&f, 0x000088be);
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 17, 8 + 8 + 14 + 34, 77);
	udp = put_udp(&f, 8 + 8 + 14 + 34);
	patch16(&f, udp + 2, 4789);
	put_octets(&f, vxlan, sizeof(vxlan));
	put_inside(&f, INSIDE_ETHERNET);
	expect_datagram(&f, RAW, 5);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_OVERLAY);
	assert_int_equal(o.outer.protocol, 47);
	assert_int_equal(o.outer.dst.octets[15], 99);

	f.length = 0;
	put_ipv4(&f, 4, 28 + 8 + 14 + 34, 99); /* VXLAN in IP in IP: a tunnel, and it has its say */
	put_ipv4(&f, 17, 8 + 8 + 14 + 34, 77);
	udp = put_udp(&f, 8 + 8 + 14 + 34);
	patch16(&f, udp + 2, 4789);
	put_octets(&f, vxlan, sizeof(vxlan));
	put_inside(&f, INSIDE_ETHERNET);
	expect_datagram(&f, RAW, 5);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_false(o.flags & OBSERVATION_OVERLAY);
	assert_int_equal(o.outer.protocol, 4);
	assert_int_equal(o.outer.dst_port, 0);
}

/* The first fragment holds the inner headers; its packet is longer than what is there. */
static void fragments_over_udp(void **state)
{
	static const uint8_t vxlan[] = { 8, 0, 0, 0, 1, 2, 3, 0 };
	struct frame f;
	struct observation o;
	uint32_t inside = put_udp_tunnel(&f, 50000, 4789, vxlan, sizeof(vxlan), INSIDE_ETHERNET);

	(void)state;
	patch16(&f, inside + 8 + 14 + 2, 1400);
	expect_closed(&f, 4789);
	patch16(&f, 14 + 6, 0x2000);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_true(o.flags & OBSERVATION_OVERLAY && o.flags & OBSERVATION_CUT);
	assert_int_equal(o.length, 1400);
	assert_int_equal(o.dst_port, 33333);
	patch16(&f, 14 + 6, 0x0007);
	assert_int_equal(decode(&f, ETHERNET, &o), DECODE_OK);
	assert_int_equal(o.flags & OBSERVATION_TUNNELLED, 0);
}

/* What cannot be seen into is what it is: a packet of the tunnel's protocol. */
static void closed_tunnels(void **state)
{
	static const struct {
		unsigned protocol;
		uint8_t header[12];
		unsigned length;
	} cases[] = {
		{ 4, { 0x60 }, 1 }, /* not IPv4 */
		{ 41, { 0x45 }, 1 },
		{ 4, { 0 }, 0 }, /* nothing there */
		{ 47, { 0, 0 }, 2 },
		{ 47, { 0, 0, 0, 0 }, 4 },          /* a keepalive's echo */
		{ 47, { 0x40, 0, 8, 0 }, 4 },       /* source routes */
		{ 47, { 0, 2, 8, 0 }, 4 },          /* a version that does not exist */
		{ 47, { 0x20, 0, 8, 0, 0, 0 }, 6 }, /* a cut key */
		{ 47, { 0, 0, 0x88, 0xcc }, 4 },
		{ 47, { 0x20, 1, 8, 0, 0, 4, 0, 0 }, 8 },
		{ 47, { 0x20, 1, 0x88, 0x0b, 0, 4, 0, 0, 0, 0xfd }, 10 }, /* encrypted PPP */
		{ 47, { 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0, 0, 0, 0 }, 12 },
	};
	struct observation o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = { .length = 0 };

		put_ipv4(&f, cases[i].protocol, cases[i].length, 99);
		put_octets(&f, cases[i].header, cases[i].length);
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.flags, OBSERVATION_DF);
		assert_int_equal(o.protocol, cases[i].protocol);
		assert_int_equal(o.dst.octets[15], 99);
		assert_int_equal(o.payload_length, cases[i].length);
		assert_memory_equal(o.payload, cases[i].header, cases[i].length);
	}
}

static void tunnels_in_tunnels(void **state)
{
	struct observation o;

	(void)state;
	for (unsigned tunnels = 1; tunnels <= DECODE_TUNNELS_MAX + 1; tunnels++) {
		struct frame f = { .length = 0 };
		uint32_t udp;

		for (unsigned i = tunnels; i > 0; i--)
			put_ipv4(&f, 4, i * 20 + 14, i == tunnels ? 99 : 50 + i);
		put_ipv4(&f, 17, 14, 5);
		udp = f.length;
		put_datagram(&f);
		if (tunnels > DECODE_TUNNELS_MAX) {
			assert_int_equal(decode(&f, RAW, &o), DECODE_TUNNEL_DEEP);
			continue;
		}
		expect_tunnel(&f, 4, f.length);
		patch16(&f, udp + 4, 1); /* then the innermost tunnel's packet is what one sees */
		assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
		assert_int_equal(o.protocol, 4);
		assert_int_equal(o.dst.octets[15], tunnels == 1 ? 99 : 51);
		assert_int_equal(!!(o.flags & OBSERVATION_TUNNELLED), tunnels > 1);
		assert_int_equal(o.outer.dst.octets[15], tunnels > 1 ? 99 : 0);
	}
}

static void tunnel_fragments(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t ip;

	(void)state;
	ip = put_ipv4(&f, 4, 20 + 16, 99);
	put_ipv4(&f, 17, 1000, 5);
	put_udp(&f, 1000);
	put_many(&f, 8, 'x');
	patch16(&f, ip + 6, 0x2000);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_TUNNELLED | OBSERVATION_CUT | OBSERVATION_PORTS | OBSERVATION_DF);
	assert_int_equal(o.length, 1020);
	patch16(&f, ip + 6, 0x0100);
	assert_int_equal(decode(&f, RAW, &o), DECODE_OK);
	assert_int_equal(o.flags, OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT);
	assert_int_equal(o.protocol, 4);
	assert_int_equal(o.dst.octets[15], 99);
}

/* Every snap length: first nothing, then the ports, then the rest. */
static void cut_by_the_snap_length(void **state)
{
	struct frame f = { .length = 0 };
	struct observation o;
	uint32_t tcp;

	(void)state;
	put_ethernet(&f, 0x0800);
	put_ipv4(&f, 6, 24 + 100, 7);
	tcp = put_tcp(&f, TCP_SYN, 24);
	put32(&f, 0x020405b4);
	put_many(&f, 100, 'p');
	for (uint32_t kept = 0; kept < f.length; kept++) {
		enum decode_result result = decode_cut(&f, ETHERNET, kept, f.length, &o);
		uint32_t payload = kept > tcp + 24 ? kept - tcp - 24 : 0;

		if (kept < 14) {
			assert_int_equal(result, DECODE_LINK_SHORT);
			continue;
		}
		if (kept < 34) {
			assert_int_equal(result, DECODE_IP_SHORT);
			continue;
		}
		if (kept < tcp + 4) {
			assert_int_equal(result, DECODE_TRANSPORT_SHORT);
			continue;
		}
		assert_int_equal(result, DECODE_OK);
		assert_int_equal(o.flags, OBSERVATION_DF | OBSERVATION_PORTS | OBSERVATION_CUT |
		                                  (kept >= tcp + 16 ? OBSERVATION_TCP : 0));
		assert_int_equal(o.length, 144);
		assert_int_equal(o.dst_port, 443);
		assert_int_equal(o.tcp.seq, kept >= tcp + 16 ? 0xdeadbeef : 0);
		assert_int_equal(o.tcp.flags, kept >= tcp + 16 ? TCP_SYN : 0);
		assert_int_equal(o.tcp.mss, kept >= tcp + 24 ? 1460 : 0);
		assert_int_equal(o.payload_length, kept >= tcp + 16 ? 100 : 104);
		assert_int_equal(o.payload_kept, payload < 32 ? payload : 32);
	}
}

static void names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DECODE_RESULTS; i++) {
		assert_non_null(decode_result_name((enum decode_result)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(decode_result_name((enum decode_result)i),
			                        decode_result_name((enum decode_result)j));
	}
	assert_string_equal(decode_result_name(DECODE_IP_HEADER), "ip_header");
	assert_string_equal(decode_result_name(DECODE_RESULTS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_in_ipv4),
		cmocka_unit_test(tcp_without_options),
		cmocka_unit_test(tcp_beginning_a_request),
		cmocka_unit_test(tcp_option_lists),
		cmocka_unit_test(tcp_header_length),
		cmocka_unit_test(padding_is_not_payload),
		cmocka_unit_test(vlan_tags),
		cmocka_unit_test(mpls_labels),
		cmocka_unit_test(mpls_pseudowires),
		cmocka_unit_test(mpls_pseudowires_in_each_other),
		cmocka_unit_test(mpls_over_ppp),
		cmocka_unit_test(pppoe),
		cmocka_unit_test(pppoe_ipv6),
		cmocka_unit_test(ieee_802_2),
		cmocka_unit_test(other_links),
		cmocka_unit_test(not_ip),
		cmocka_unit_test(ipv4_lengths),
		cmocka_unit_test(ipv4_options_and_flags),
		cmocka_unit_test(ipv4_fragments),
		cmocka_unit_test(tiny_first_fragment),
		cmocka_unit_test(ipv6_extension_chain),
		cmocka_unit_test(ipv6_long_chains),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(ipv6_ends_of_the_chain),
		cmocka_unit_test(ipv6_without_length),
		cmocka_unit_test(udp_lengths),
		cmocka_unit_test(ports_of_others),
		cmocka_unit_test(icmp_quotes),
		cmocka_unit_test(icmpv6_quotes),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(tunnels_over_udp),
		cmocka_unit_test(tunnels_over_udp_cut),
		cmocka_unit_test(closed_tunnels_over_udp),
		cmocka_unit_test(noise_to_tunnel_ports),
		cmocka_unit_test(mirrors_of_tunnels),
		cmocka_unit_test(fragments_over_udp),
		cmocka_unit_test(closed_tunnels),
		cmocka_unit_test(tunnels_in_tunnels),
		cmocka_unit_test(tunnel_fragments),
		cmocka_unit_test(cut_by_the_snap_length),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
