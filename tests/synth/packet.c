/* SPDX-License-Identifier: Apache-2.0 */
/* See packet.h. RFC 791, 8200, 9293, 768, 792, 4443, 1071. */
#include "packet.h"

#include <errno.h>
#include <string.h>

#define ETHER_MIN 60u
#define FRAME_MAX 1600u

static const uint8_t mac_router[6] = { 0x02, 0x00, 0x5e, 0x10, 0x00, 0x01 };

void packet_be16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void packet_be32(uint8_t *p, uint32_t v)
{
	packet_be16(p, v >> 16);
	packet_be16(p + 2, v);
}

uint32_t packet_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	return sum;
}

uint16_t packet_sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t pseudo_sum(const struct pkt *p, uint8_t proto, size_t len)
{
	size_t n = p->src.v6 ? 16 : 4;
	uint32_t sum = packet_sum(0, p->src.b, n);

	sum = packet_sum(sum, p->dst.b, n);
	return sum + proto + (uint32_t)len;
}

void packet_ip4(uint8_t out[20], const struct addr *src, const struct addr *dst, uint8_t proto, size_t body_len,
                uint8_t ttl, uint8_t tos, uint16_t id, uint16_t frag)
{
	memset(out, 0, 20);
	out[0] = 0x45;
	out[1] = tos;
	packet_be16(out + 2, (uint32_t)(20 + body_len));
	packet_be16(out + 4, id);
	packet_be16(out + 6, frag);
	out[8] = ttl;
	out[9] = proto;
	memcpy(out + 12, src->b, 4);
	memcpy(out + 16, dst->b, 4);
	packet_be16(out + 10, packet_sum_end(packet_sum(0, out, 20)));
}

static size_t ip6_head(uint8_t *out, const struct pkt *p, uint8_t proto, size_t body_len, bool fragment,
                       uint16_t offset8, bool more)
{
	size_t ext = fragment ? 8 : 0;

	memset(out, 0, 48);
	out[0] = (uint8_t)(0x60 | p->tos >> 4);
	out[1] = (uint8_t)(p->tos << 4);
	packet_be16(out + 4, (uint32_t)(body_len + ext));
	out[6] = fragment ? 44 : proto;
	out[7] = p->ttl;
	memcpy(out + 8, p->src.b, 16);
	memcpy(out + 24, p->dst.b, 16);
	if (fragment) {
		out[40] = proto;
		packet_be16(out + 42, (uint32_t)offset8 << 3 | more);
		packet_be32(out + 44, (uint32_t)p->id * 0x9e3779b1u);
	}
	return 40 + ext;
}

static void frame(struct world *w, const struct pkt *p, uint8_t proto, bool fragment, uint16_t offset8, bool more,
                  const uint8_t *body, size_t len)
{
	uint8_t f[FRAME_MAX];
	const struct addr *host = p->dir == DIR_IN ? &p->dst : &p->src;
	uint8_t mac_host[6] = { 0x02, 0x00, 0x5e, 0x20, host->b[host->v6 ? 14 : 2], host->b[host->v6 ? 15 : 3] };
	size_t n = 12;

	memcpy(f, p->dir == DIR_IN ? mac_host : mac_router, 6);
	memcpy(f + 6, p->dir == DIR_IN ? mac_router : mac_host, 6);
	if (w->vlan) {
		packet_be16(f + n, 0x8100);
		packet_be16(f + n + 2, w->vlan);
		n += 4;
	}
	packet_be16(f + n, p->src.v6 ? 0x86dd : 0x0800);
	n += 2;
	if (n + 48 + len > sizeof(f)) {
		w->trace.err = -EMSGSIZE;
		return;
	}
	if (p->src.v6) {
		n += ip6_head(f + n, p, proto, len, fragment, offset8, more);
	} else {
		unsigned int bits = offset8 | (more ? 0x2000u : 0) | (p->df && !fragment ? 0x4000u : 0);

		packet_ip4(f + n, &p->src, &p->dst, proto, len, p->ttl, p->tos, p->id, (uint16_t)bits);
		n += 20;
	}
	if (len)
		memcpy(f + n, body, len);
	n += len;
	if (p->dir == DIR_IN && n < ETHER_MIN) {
		memset(f + n, 0, ETHER_MIN - n);
		n = ETHER_MIN;
	}
	if (w->wrap) {
		uint8_t wrapped[FRAME_MAX + WRAP_MAX];

		n = wrap_frame(w->wrap, (uint32_t)w->trace.n_records, f, n, wrapped);
		world_frame(w, p->t_ns, p->dir, p->label, &p->src, &p->dst, wrapped, n);
		return;
	}
	world_frame(w, p->t_ns, p->dir, p->label, &p->src, &p->dst, f, n);
}

/* Whole if it fits, else in fragments a few microseconds apart, as a router or host lets them go. */
static void datagram(struct world *w, const struct pkt *p, uint8_t proto, const uint8_t *body, size_t len)
{
	size_t room = (PACKET_MTU - (p->src.v6 ? 48u : 20u)) & ~7u;
	struct pkt piece = *p;

	if (len + (p->src.v6 ? 40u : 20u) <= PACKET_MTU) {
		frame(w, p, proto, false, 0, false, body, len);
		return;
	}
	for (size_t at = 0; at < len; at += room) {
		size_t n = len - at < room ? len - at : room;

		frame(w, &piece, proto, true, (uint16_t)(at / 8), at + n < len, body + at, n);
		piece.t_ns += 12 * NS_PER_US;
	}
}

struct pkt packet_answer(const struct pkt *p, int64_t delay_ns)
{
	return (struct pkt){
		.t_ns = p->t_ns + delay_ns,
		.dir = DIR_OUT,
		.label = LABEL_REPLY,
		.src = p->dst,
		.dst = p->src,
		.ttl = 64,
		.df = true,
		.sport = p->dport,
		.dport = p->sport,
	};
}

void packet_tcp(struct world *w, const struct pkt *p)
{
	uint8_t s[PACKET_MTU];
	size_t head = 20 + p->opt_len, len = head + p->len;

	if (head > 60 || p->opt_len % 4 || len > sizeof(s)) {
		w->trace.err = -EMSGSIZE;
		return;
	}
	packet_be16(s, p->sport);
	packet_be16(s + 2, p->dport);
	packet_be32(s + 4, p->seq);
	packet_be32(s + 8, p->ack);
	s[12] = (uint8_t)(head / 4 << 4);
	s[13] = p->flags;
	packet_be16(s + 14, p->window);
	memset(s + 16, 0, 4);
	if (p->opt_len)
		memcpy(s + 20, p->opt, p->opt_len);
	if (p->len)
		memcpy(s + head, p->data, p->len);
	packet_be16(s + 16, packet_sum_end(packet_sum(pseudo_sum(p, PROTO_TCP, len), s, len)));
	datagram(w, p, PROTO_TCP, s, len);
}

void packet_udp(struct world *w, const struct pkt *p)
{
	uint8_t s[PACKET_DATAGRAM_MAX];
	size_t len = 8 + p->len;
	uint16_t sum;

	if (len > sizeof(s)) {
		w->trace.err = -EMSGSIZE;
		return;
	}
	packet_be16(s, p->sport);
	packet_be16(s + 2, p->dport);
	packet_be16(s + 4, (uint32_t)len);
	packet_be16(s + 6, 0);
	if (p->len)
		memcpy(s + 8, p->data, p->len);
	sum = packet_sum_end(packet_sum(pseudo_sum(p, PROTO_UDP, len), s, len));
	packet_be16(s + 6, sum ? sum : 0xffff);
	datagram(w, p, PROTO_UDP, s, len);
}

static void icmp(struct world *w, const struct pkt *p, uint8_t *s, size_t len)
{
	uint8_t proto = p->src.v6 ? PROTO_ICMP6 : PROTO_ICMP;

	packet_be16(s + 2, 0);
	packet_be16(s + 2, packet_sum_end(packet_sum(p->src.v6 ? pseudo_sum(p, proto, len) : 0, s, len)));
	datagram(w, p, proto, s, len);
}

void packet_echo(struct world *w, const struct pkt *p, bool reply)
{
	uint8_t s[PACKET_MTU];

	if (8 + p->len > sizeof(s)) {
		w->trace.err = -EMSGSIZE;
		return;
	}
	if (p->src.v6)
		s[0] = reply ? 129 : 128;
	else
		s[0] = reply ? 0 : 8;
	s[1] = 0;
	packet_be16(s + 4, p->sport);
	packet_be16(s + 6, p->seq);
	if (p->len)
		memcpy(s + 8, p->data, p->len);
	icmp(w, p, s, 8 + p->len);
}

void packet_unreachable(struct world *w, const struct pkt *p, const struct pkt *about)
{
	uint8_t s[8 + 40 + 8] = { 0 };
	size_t head = about->src.v6 ? 40 : 20, len = 8 + about->len;

	s[0] = about->src.v6 ? 1 : 3;
	s[1] = about->src.v6 ? 4 : 3;
	if (about->src.v6) {
		uint8_t h[48];

		(void)ip6_head(h, about, PROTO_UDP, len, false, 0, false);
		memcpy(s + 8, h, 40);
	} else {
		packet_ip4(s + 8, &about->src, &about->dst, PROTO_UDP, len, about->ttl, about->tos, about->id,
		           about->df ? 0x4000 : 0);
	}
	packet_be16(s + 8 + head, about->sport);
	packet_be16(s + 10 + head, about->dport);
	packet_be16(s + 12 + head, (uint32_t)len);
	icmp(w, p, s, 8 + head + 8);
}

void packet_raw(struct world *w, const struct pkt *p, uint8_t proto)
{
	datagram(w, p, proto, p->data, p->len);
}

void packet_fragment(struct world *w, const struct pkt *p, uint8_t proto, uint16_t offset8, bool more)
{
	frame(w, p, proto, true, offset8, more, p->data, p->len);
}
