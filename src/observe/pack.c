/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/pack.h"

#include <string.h>

#include "base/varint.h"

/* Which fields follow. */
enum {
	IPV4 = 1 << 0, /* both addresses */
	PORTS = 1 << 1,
	PAYLOAD_LENGTH = 1 << 2,
	IP_ID = 1 << 3,
	TCP = 1 << 4,
	PAYLOAD = 1 << 5,
	WEIGHT = 1 << 6, /* other than 1 */
	ICMP = 1 << 7,
	OFFSET = 1 << 8,
	OUTER = 1 << 9,
	OUTER_IPV4 = 1 << 10,
	QUOTE = 1 << 11,
	HTTP = 1 << 12,
	ALL = (1 << 13) - 1,
};

/* … and within TCP. */
enum {
	TCP_HAS_ACK = 1 << 0,
	TCP_HAS_TSVAL = 1 << 1,
	TCP_HAS_OPTIONS = 1 << 2,
	TCP_HAS_MSS = 1 << 3,
	TCP_HAS_WSCALE = 1 << 4,
};

#define WSCALE_NONE 255

/* ------------------------------------------------------------------ writing */

static uint8_t *put_8(uint8_t *at, uint8_t value)
{
	*at = value;
	return at + 1;
}

static uint8_t *put_16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put_32(uint8_t *at, uint32_t value)
{
	return put_16(put_16(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
	return at + varint_write(at, value);
}

static uint8_t *put_octets(uint8_t *at, const uint8_t *octets, size_t length)
{
	memcpy(at, octets, length);
	return at + length;
}

static uint8_t *put_address(uint8_t *at, const struct address *address, bool is_ipv4)
{
	return is_ipv4 ? put_octets(at, address->octets + 12, 4) : put_octets(at, address->octets, 16);
}

static bool is_zero(const void *object, size_t size)
{
	const uint8_t *octets = object;

	for (size_t i = 0; i < size; i++)
		if (octets[i])
			return false;
	return true;
}

static bool both_ipv4(const struct address *a, const struct address *b)
{
	return address_is_ipv4(a) && address_is_ipv4(b);
}

static uint32_t fields_of(const struct observation *o)
{
	uint32_t fields = 0;

	fields |= both_ipv4(&o->src, &o->dst) ? IPV4 : 0;
	fields |= o->src_port || o->dst_port ? PORTS : 0;
	fields |= o->payload_length ? PAYLOAD_LENGTH : 0;
	fields |= o->ip_id ? IP_ID : 0;
	fields |= is_zero(&o->tcp, sizeof(o->tcp)) ? 0 : TCP;
	fields |= o->payload_kept ? PAYLOAD : 0;
	fields |= o->weight != 1 ? WEIGHT : 0;
	fields |= o->icmp_type || o->icmp_code ? ICMP : 0;
	fields |= o->fragment_offset ? OFFSET : 0;
	if (!is_zero(&o->outer, sizeof(o->outer)))
		fields |= OUTER | (both_ipv4(&o->outer.src, &o->outer.dst) ? OUTER_IPV4 : 0);
	if (o->flags & OBSERVATION_HTTP)
		fields |= HTTP;
	else
		fields |= is_zero(&o->quote, sizeof(o->quote)) ? 0 : QUOTE;
	return fields;
}

static uint8_t tcp_fields_of(const struct observation *o)
{
	uint8_t fields = 0;

	fields |= o->tcp.ack ? TCP_HAS_ACK : 0;
	fields |= o->tcp.tsval ? TCP_HAS_TSVAL : 0;
	fields |= o->tcp.options ? TCP_HAS_OPTIONS : 0;
	fields |= o->tcp.mss ? TCP_HAS_MSS : 0;
	fields |= o->tcp.wscale != WSCALE_NONE ? TCP_HAS_WSCALE : 0;
	return fields;
}

static uint8_t *put_tcp(uint8_t *at, const struct observation *o)
{
	uint8_t fields = tcp_fields_of(o);

	at = put_8(at, fields);
	at = put_8(at, o->tcp.flags);
	at = put_16(at, o->tcp.window);
	at = put_32(at, o->tcp.seq);
	if (fields & TCP_HAS_ACK)
		at = put_32(at, o->tcp.ack);
	if (fields & TCP_HAS_TSVAL)
		at = put_32(at, o->tcp.tsval);
	if (fields & TCP_HAS_OPTIONS)
		at = put_varint(at, o->tcp.options);
	if (fields & TCP_HAS_MSS)
		at = put_16(at, o->tcp.mss);
	if (fields & TCP_HAS_WSCALE)
		at = put_8(at, o->tcp.wscale);
	return at;
}

static uint8_t *put_outer(uint8_t *at, const struct observation *o, bool is_ipv4)
{
	at = put_address(at, &o->outer.src, is_ipv4);
	at = put_address(at, &o->outer.dst, is_ipv4);
	at = put_8(at, o->outer.protocol);
	at = put_8(at, o->outer.ttl);
	at = put_16(at, o->outer.ip_id);
	at = put_varint(at, o->outer.length);
	at = put_16(at, o->outer.src_port);
	return put_16(at, o->outer.dst_port);
}

static uint8_t *put_quote(uint8_t *at, const struct observation *o)
{
	bool is_ipv4 = both_ipv4(&o->quote.src, &o->quote.dst);

	at = put_8(at, is_ipv4);
	at = put_address(at, &o->quote.src, is_ipv4);
	at = put_address(at, &o->quote.dst, is_ipv4);
	at = put_16(at, o->quote.src_port);
	at = put_16(at, o->quote.dst_port);
	at = put_16(at, o->quote.ip_id);
	at = put_16(at, o->quote.payload_length);
	return put_8(at, o->quote.protocol);
}

static uint8_t *put_http(uint8_t *at, const struct http *http)
{
	at = put_32(at, http->target);
	at = put_32(at, http->path);
	at = put_32(at, http->names);
	at = put_32(at, http->order);
	at = put_32(at, http->length);
	at = put_16(at, http->body);
	at = put_8(at, http->method);
	at = put_8(at, http->headers);
	return put_8(at, http->flags);
}

size_t pack_write(uint8_t *octets, const struct observation *o, struct capture_time relative_to)
{
	uint8_t kept = o->payload_kept < OBSERVATION_PAYLOAD_MAX ? o->payload_kept : OBSERVATION_PAYLOAD_MAX;
	uint32_t fields = fields_of(o);
	uint8_t *at = octets;

	at = put_varint(at, fields);
	at = put_varint(at, o->flags);
	/* Modulo 2^64: whatever the two are, reading adds up to the same. */
	at = put_varint(at, varint_fold((int64_t)((uint64_t)o->time.ns - (uint64_t)relative_to.ns)));
	at = put_8(at, o->protocol);
	at = put_8(at, o->ttl);
	at = put_varint(at, o->length);
	at = put_address(at, &o->src, fields & IPV4);
	at = put_address(at, &o->dst, fields & IPV4);
	if (fields & WEIGHT)
		at = put_varint(at, o->weight);
	if (fields & IP_ID)
		at = put_16(at, o->ip_id);
	if (fields & OFFSET)
		at = put_16(at, o->fragment_offset);
	if (fields & PORTS)
		at = put_16(put_16(at, o->src_port), o->dst_port);
	if (fields & ICMP)
		at = put_8(put_8(at, o->icmp_type), o->icmp_code);
	if (fields & PAYLOAD_LENGTH)
		at = put_varint(at, o->payload_length);
	if (fields & PAYLOAD)
		at = put_octets(put_8(at, kept), o->payload, kept);
	if (fields & TCP)
		at = put_tcp(at, o);
	if (fields & OUTER)
		at = put_outer(at, o, fields & OUTER_IPV4);
	if (fields & QUOTE)
		at = put_quote(at, o);
	if (fields & HTTP)
		at = put_http(at, &o->http);
	return (size_t)(at - octets);
}

/* ------------------------------------------------------------------ reading */

static uint64_t get_varint(struct cursor *c, uint64_t most)
{
	uint64_t value = cursor_varint(c);

	if (value > most) {
		c->failed = true;
		return 0;
	}
	return value;
}

static void get_octets(struct cursor *c, uint8_t *octets, size_t length)
{
	const uint8_t *from = cursor_take(c, length);

	if (from)
		memcpy(octets, from, length);
}

static struct address get_address(struct cursor *c, bool is_ipv4)
{
	struct address address = { { 0 } };

	if (!is_ipv4) {
		get_octets(c, address.octets, sizeof(address.octets));
		return address;
	}
	get_octets(c, address.octets, 4);
	return address_from_ipv4(address.octets);
}

static void get_tcp(struct cursor *c, struct observation *o)
{
	uint8_t fields = cursor_u8(c);

	o->tcp.flags = cursor_u8(c);
	o->tcp.window = cursor_u16_be(c);
	o->tcp.seq = cursor_u32_be(c);
	if (fields & TCP_HAS_ACK)
		o->tcp.ack = cursor_u32_be(c);
	if (fields & TCP_HAS_TSVAL)
		o->tcp.tsval = cursor_u32_be(c);
	if (fields & TCP_HAS_OPTIONS)
		o->tcp.options = cursor_varint(c);
	if (fields & TCP_HAS_MSS)
		o->tcp.mss = cursor_u16_be(c);
	o->tcp.wscale = fields & TCP_HAS_WSCALE ? cursor_u8(c) : WSCALE_NONE;
	if (fields != tcp_fields_of(o))
		c->failed = true;
}

static void get_outer(struct cursor *c, struct observation *o, bool is_ipv4)
{
	o->outer.src = get_address(c, is_ipv4);
	o->outer.dst = get_address(c, is_ipv4);
	o->outer.protocol = cursor_u8(c);
	o->outer.ttl = cursor_u8(c);
	o->outer.ip_id = cursor_u16_be(c);
	o->outer.length = (uint32_t)get_varint(c, UINT32_MAX);
	o->outer.src_port = cursor_u16_be(c);
	o->outer.dst_port = cursor_u16_be(c);
}

static void get_quote(struct cursor *c, struct observation *o)
{
	uint8_t is_ipv4 = cursor_u8(c);

	o->quote.src = get_address(c, is_ipv4);
	o->quote.dst = get_address(c, is_ipv4);
	if (is_ipv4 != both_ipv4(&o->quote.src, &o->quote.dst))
		c->failed = true;
	o->quote.src_port = cursor_u16_be(c);
	o->quote.dst_port = cursor_u16_be(c);
	o->quote.ip_id = cursor_u16_be(c);
	o->quote.payload_length = cursor_u16_be(c);
	o->quote.protocol = cursor_u8(c);
}

static void get_http(struct cursor *c, struct http *http)
{
	http->target = cursor_u32_be(c);
	http->path = cursor_u32_be(c);
	http->names = cursor_u32_be(c);
	http->order = cursor_u32_be(c);
	http->length = cursor_u32_be(c);
	http->body = cursor_u16_be(c);
	http->method = cursor_u8(c);
	http->headers = cursor_u8(c);
	http->flags = cursor_u8(c);
	if (http->method > HTTP_OTHER || http->headers > HTTP_HEADERS_MAX)
		c->failed = true;
}

static void get_payload(struct cursor *c, struct observation *o)
{
	o->payload_kept = cursor_u8(c);
	if (o->payload_kept == 0 || o->payload_kept > OBSERVATION_PAYLOAD_MAX) {
		o->payload_kept = 0;
		c->failed = true;
		return;
	}
	get_octets(c, o->payload, o->payload_kept);
}

void pack_read(struct cursor *c, struct capture_time relative_to, struct observation *o)
{
	uint32_t fields = (uint32_t)get_varint(c, ALL);

	memset(o, 0, sizeof(*o));
	o->flags = (uint32_t)get_varint(c, UINT32_MAX);
	o->time.ns = (int64_t)((uint64_t)relative_to.ns + (uint64_t)varint_unfold(cursor_varint(c)));
	o->protocol = cursor_u8(c);
	o->ttl = cursor_u8(c);
	o->length = (uint32_t)get_varint(c, UINT32_MAX);
	o->src = get_address(c, fields & IPV4);
	o->dst = get_address(c, fields & IPV4);
	o->weight = fields & WEIGHT ? (uint32_t)get_varint(c, UINT32_MAX) : 1;
	if (fields & IP_ID)
		o->ip_id = cursor_u16_be(c);
	if (fields & OFFSET)
		o->fragment_offset = cursor_u16_be(c);
	if (fields & PORTS) {
		o->src_port = cursor_u16_be(c);
		o->dst_port = cursor_u16_be(c);
	}
	if (fields & ICMP) {
		o->icmp_type = cursor_u8(c);
		o->icmp_code = cursor_u8(c);
	}
	if (fields & PAYLOAD_LENGTH)
		o->payload_length = (uint16_t)get_varint(c, UINT16_MAX);
	if (fields & PAYLOAD)
		get_payload(c, o);
	if (fields & TCP)
		get_tcp(c, o);
	if (fields & OUTER)
		get_outer(c, o, fields & OUTER_IPV4);
	if (fields & QUOTE)
		get_quote(c, o);
	/* The two are one place: a packet has one of them. */
	if (!!(fields & HTTP) != !!(o->flags & OBSERVATION_HTTP) || (fields & HTTP && fields & QUOTE))
		c->failed = true;
	else if (fields & HTTP)
		get_http(c, &o->http);
	/* One form: what is there says something. */
	if (fields_of(o) != fields)
		c->failed = true;
}
