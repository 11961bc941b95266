/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* A test that builds too much is wrong: it ends. */
static uint8_t *put(struct packet *p, size_t size)
{
	uint8_t *at = p->octets + p->length;

	if (size > PACKET_MAX - p->length)
		abort();
	memset(at, 0, size);
	p->length += size;
	return at;
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void say_next(struct packet *p, uint16_t ether_type, uint8_t protocol)
{
	if (p->next_size == 2)
		put16(p->octets + p->next_at, ether_type);
	else
		p->octets[p->next_at] = protocol;
}

static void say_length(struct packet *p, size_t at, size_t from)
{
	if (p->length_count == PACKET_LENGTHS_MAX)
		abort();
	p->lengths[p->length_count].at = at;
	p->lengths[p->length_count++].from = from;
}

static void next_is_at(struct packet *p, size_t at, unsigned size)
{
	p->next_at = at;
	p->next_size = size;
}

void packet_begin(struct packet *p)
{
	uint8_t *at;

	memset(p, 0, sizeof(*p));
	at = put(p, 14);
	at[0] = at[6] = 2; /* locally administered */
	at[5] = 1;
	at[11] = 2;
	next_is_at(p, 12, 2);
}

void packet_vlan(struct packet *p, uint16_t type, uint16_t id)
{
	size_t from = p->length;

	say_next(p, type, 0);
	put16(put(p, 4), id);
	next_is_at(p, from + 2, 2);
}

void packet_llc(struct packet *p)
{
	size_t from = p->length;
	uint8_t *at = put(p, 8);

	say_length(p, p->next_at, from);
	at[0] = at[1] = 0xaa;
	at[2] = 3;
	next_is_at(p, from + 6, 2);
}

void packet_ether_type(struct packet *p, uint16_t type)
{
	say_next(p, type, 0);
}

void packet_ipv4(struct packet *p, const char *src, const char *dst)
{
	size_t from = p->length;
	uint8_t *at = put(p, 20);

	say_next(p, 0x0800, 4);
	at[0] = 0x45;
	put16(at + 4, 0x1234);
	at[8] = 64;
	if (inet_pton(AF_INET, src, at + 12) != 1 || inet_pton(AF_INET, dst, at + 16) != 1)
		abort();
	p->ip = from;
	say_length(p, from + 2, from);
	next_is_at(p, from + 9, 1);
}

void packet_ipv4_options(struct packet *p, unsigned words)
{
	p->octets[p->ip] = (uint8_t)(p->octets[p->ip] + words);
	memset(put(p, 4 * (size_t)words), 1, 4 * (size_t)words);
}

void packet_ipv4_fragment(struct packet *p, uint16_t offset, int more)
{
	put16(p->octets + p->ip + 6, (size_t)(offset / 8 | (more ? 0x2000 : 0)));
}

void packet_ipv4_df(struct packet *p)
{
	p->octets[p->ip + 6] |= 0x40;
}

void packet_ipv6(struct packet *p, const char *src, const char *dst)
{
	size_t from = p->length;
	uint8_t *at = put(p, 40);

	say_next(p, 0x86dd, 41);
	at[0] = 0x60;
	at[7] = 64;
	if (inet_pton(AF_INET6, src, at + 8) != 1 || inet_pton(AF_INET6, dst, at + 24) != 1)
		abort();
	p->ip = from;
	say_length(p, from + 4, from + 40);
	next_is_at(p, from + 6, 1);
}

void packet_extension(struct packet *p, uint8_t kind, unsigned words)
{
	size_t from = p->length;
	uint8_t *at = put(p, 8 + 8 * (size_t)words);

	say_next(p, 0, kind);
	at[1] = (uint8_t)(kind == 51 ? 2 * words : words); /* AH counts words of 4, less 2 */
	if (kind == 0 || kind == 60) {                     /* PadN to its end, however long: several */
		size_t left = 6 + 8 * (size_t)words;

		for (uint8_t *option = at + 2; left > 0;) {
			size_t size = left > 200 ? 200 : left;

			option[0] = 1;
			option[1] = (uint8_t)(size - 2);
			option += size;
			left -= size;
		}
	}
	next_is_at(p, from, 1);
}

void packet_ipv6_fragment(struct packet *p, uint16_t offset, int more)
{
	size_t from = p->length;
	uint8_t *at = put(p, 8);

	say_next(p, 0, 44);
	put16(at + 2, (size_t)((offset & ~7) | (more ? 1 : 0)));
	next_is_at(p, from, 1);
}

void packet_protocol(struct packet *p, uint8_t protocol)
{
	say_next(p, 0, protocol);
}

void packet_ports(struct packet *p, uint8_t protocol, uint16_t src, uint16_t dst, size_t rest)
{
	uint8_t *at = put(p, 4 + rest);

	say_next(p, 0, protocol);
	put16(at, src);
	put16(at + 2, dst);
}

void packet_udp(struct packet *p, uint16_t src, uint16_t dst)
{
	size_t from = p->length;

	packet_ports(p, 17, src, dst, 4);
	say_length(p, from + 4, from);
}

void packet_tcp(struct packet *p, uint16_t src, uint16_t dst, uint8_t flags, uint16_t window, const void *options,
                size_t size)
{
	size_t from = p->length;
	uint8_t *at;

	packet_ports(p, 6, src, dst, 16);
	at = p->octets + from;
	at[7] = 1; /* sequence number */
	at[12] = (uint8_t)((20 + size) / 4 << 4);
	at[13] = flags;
	put16(at + 14, window);
	if (size)
		memcpy(put(p, size), options, size);
}

void packet_icmp(struct packet *p, uint8_t protocol, uint8_t type, uint8_t code)
{
	uint8_t *at = put(p, 8);

	say_next(p, 0, protocol);
	at[0] = type;
	at[1] = code;
}

void packet_payload(struct packet *p, const void *octets, size_t size)
{
	uint8_t *at = put(p, size);

	if (octets)
		memcpy(at, octets, size);
}

void packet_end(struct packet *p)
{
	for (unsigned i = 0; i < p->length_count; i++)
		put16(p->octets + p->lengths[i].at, p->length - p->lengths[i].from);
}

uint32_t packet_random(uint64_t *state, uint32_t bound)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((x ^ x >> 31) >> 32) % bound;
}

void packet_change(uint8_t *data, uint32_t *length, uint64_t *state)
{
	static const uint8_t telling[] = { 0x00, 0x01, 0x06, 0x08, 0x11, 0x2b, 0x2c, 0x3a, 0x3b, 0x3c,
		                           0x45, 0x4f, 0x60, 0x81, 0x84, 0x87, 0x88, 0x8b, 0xdd, 0xff };
	uint32_t changes = 1 + packet_random(state, 4), near = *length < 96 ? *length : 96;

	for (; near > 0 && changes > 0; changes--) {
		uint8_t *at = &data[packet_random(state, near)];

		*at = packet_random(state, 2) ? telling[packet_random(state, sizeof(telling))]
		                              : (uint8_t)(*at ^ 1u << packet_random(state, 8));
	}
	if (packet_random(state, 4) == 0)
		*length = packet_random(state, *length + 1);
}

/* ---- whole ones ---- */

const char *const packet_layer_names[PACKET_LAYERS] = {
	"plain",
	"VLAN",
	"QinQ",
	"old QinQ",
	"802.2",
	"IPv4 options",
	"first fragment",
	"later fragment",
	"TCP options",
	"ICMP",
	"SCTP",
	"GRE",
	"IPv6",
	"hop-by-hop options",
	"8 extension headers",
	"IPv6 fragment",
	"authentication header",
	"ICMPv6",
};

struct packet packet_layered(enum packet_layers layers)
{
	static const uint8_t options[12] = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 0, 0 };
	struct packet p;

	packet_begin(&p);
	if (layers == PACKET_VLAN || layers == PACKET_QINQ)
		packet_vlan(&p, layers == PACKET_QINQ ? 0x88a8 : 0x8100, 100);
	if (layers == PACKET_OLD_QINQ)
		packet_vlan(&p, 0x9100, 100);
	if (layers == PACKET_QINQ || layers == PACKET_OLD_QINQ)
		packet_vlan(&p, 0x8100, 7);
	if (layers == PACKET_LLC)
		packet_llc(&p);
	if (layers >= PACKET_IPV6)
		packet_ipv6(&p, "2001:db8:5::9", "2001:db8::10");
	else
		packet_ipv4(&p, "198.51.100.9", "192.0.2.10");
	if (layers == PACKET_IPV4_OPTIONS)
		packet_ipv4_options(&p, 10);
	if (layers == PACKET_FIRST_FRAGMENT || layers == PACKET_LATER_FRAGMENT)
		packet_ipv4_fragment(&p, layers == PACKET_FIRST_FRAGMENT ? 0 : 1480, 1);
	if (layers == PACKET_IPV6_HOP_BY_HOP || layers == PACKET_IPV6_MANY)
		packet_extension(&p, 0, 0);
	for (unsigned i = 0; layers == PACKET_IPV6_MANY && i < 7; i++)
		packet_extension(&p, i % 2 ? 43 : 60, i);
	if (layers == PACKET_IPV6_FRAGMENT)
		packet_ipv6_fragment(&p, 0, 1);
	if (layers == PACKET_IPV6_AH)
		packet_extension(&p, 51, 1);
	if (layers == PACKET_ICMP || layers == PACKET_ICMP6)
		packet_icmp(&p, layers == PACKET_ICMP ? 1 : 58, layers == PACKET_ICMP ? 8 : 128, 0);
	else if (layers == PACKET_SCTP)
		packet_ports(&p, 132, 4000, 80, 8);
	else if (layers == PACKET_GRE)
		packet_protocol(&p, 47);
	else if (layers == PACKET_LATER_FRAGMENT)
		packet_protocol(&p, 17);
	else if (layers == PACKET_TCP_OPTIONS)
		packet_tcp(&p, 4000, 80, 2, 1024, options, sizeof(options));
	else
		packet_udp(&p, 4000, 80);
	packet_payload(&p, NULL, 64);
	packet_end(&p);
	return p;
}

struct packet packet_of_udp(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port)
{
	struct packet p;

	packet_begin(&p);
	if (strchr(src, ':'))
		packet_ipv6(&p, src, dst);
	else
		packet_ipv4(&p, src, dst);
	packet_udp(&p, src_port, dst_port);
	packet_payload(&p, "holdfast", 8);
	packet_end(&p);
	return p;
}

struct packet packet_of_syn(const char *src, const char *dst, uint16_t dst_port)
{
	struct packet p;

	packet_begin(&p);
	if (strchr(src, ':'))
		packet_ipv6(&p, src, dst);
	else
		packet_ipv4(&p, src, dst);
	packet_tcp(&p, 40000, dst_port, 2, 1024, NULL, 0);
	packet_end(&p);
	return p;
}
