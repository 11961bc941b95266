/* SPDX-License-Identifier: Apache-2.0 */
/* See flood.h. What families send: the published marks of their packets, listed in the design's fingerprint table. */
#include "flood.h"

#include <string.h>

#include "normal.h"

/* Half-open connections for which a host repeats its SYN-ACK; over that it answers with cookies, once. */
#define BACKLOG 512u
/* Linux answers closed UDP ports at most so often. */
#define UNREACHABLE_GAP (5 * NS_PER_MS)

/* A flood under way: when the next packet comes, and what it is drawn from. */
struct barrage {
	struct world *w;
	const struct flood *f;
	struct rng rng;
	int64_t gap_ns, t_ns;
};

struct shot {
	struct machine self; /* copied: a random source has no machine of its own */
	struct machine *bot; /* or NULL */
};

static struct shot aim(struct world *w, struct rng *r, const struct flood *f)
{
	/* A spoofer sends from few machines: their hop counts stay the same. */
	static const uint8_t ttls[] = { 54, 57, 49 };
	struct shot s = { .bot = NULL };

	if (f->pool) {
		s.bot = &f->pool->m[rng_below(r, f->pool->n)];
		s.self = *s.bot;
		s.bot->id++;
		return s;
	}
	memset(&s.self, 0, sizeof(s.self));
	s.self.addr = f->as_clients ? world_client(w, r) : world_public(w, r);
	s.self.ttl = f->as_clients ? (uint8_t)(64 - rng_range(r, 5, 22)) : ttls[rng_below(r, 3)];
	s.self.id = rng_u16(r);
	s.self.port = rng_range16(r, 1024, 65535);
	return s;
}

static struct barrage barrage_of(struct world *w, const struct flood *f, uint32_t pps)
{
	return (struct barrage){ .w = w, .f = f, .rng = world_rng(w), .gap_ns = world_gap(w, pps), .t_ns = f->from_ns };
}

/* Moves on to the next packet; false where the flood is over. */
static bool fires(struct barrage *b, struct shot *s)
{
	b->t_ns += rng_exp(&b->rng, b->gap_ns);
	if (b->t_ns >= b->f->to_ns)
		return false;
	*s = aim(b->w, &b->rng, b->f);
	return true;
}

static struct pkt packet_from(const struct barrage *b, const struct shot *s)
{
	const struct flood *f = b->f;

	return (struct pkt){
		.t_ns = b->t_ns,
		.dir = DIR_IN,
		.label = f->label,
		.src = s->self.addr,
		.dst = f->dst,
		.ttl = s->self.ttl,
		.id = s->self.id,
		.sport = s->self.port,
		.dport = f->dport,
	};
}

static void answer_syn(struct world *w, struct rng *r, const struct pkt *p, bool options, unsigned int repeats,
                       bool reset)
{
	struct pkt a = packet_answer(p, rng_span(r, 20 * NS_PER_US, 60 * NS_PER_US));
	uint8_t opt[TCP_OPT_MAX];

	a.seq = rng_u32(r);
	a.ack = p->seq + 1;
	a.flags = TCP_SYN | TCP_ACK;
	a.window = options ? 65160 : 64240;
	a.opt = opt;
	a.opt_len = tcp_syn_options(opt, options ? LAYOUT_UNIX : LAYOUT_MSS, p->src.v6 ? 1440 : 1460, 7, rng_u32(r),
	                            options ? 1 : 0);
	packet_tcp(w, &a);
	if (reset) { /* whoever really has the address knows nothing of this */
		struct pkt rst = *p;

		rst.t_ns = a.t_ns + rng_span(r, 15 * NS_PER_MS, 200 * NS_PER_MS);
		rst.label = LABEL_REPLY;
		rst.flags = TCP_RST;
		rst.seq = a.ack;
		rst.ack = 0;
		rst.window = 0;
		rst.opt_len = 0;
		rst.id = 0;
		rst.df = true;
		rst.ttl = (uint8_t)(64 - rng_range(r, 6, 22));
		packet_tcp(w, &rst);
		return;
	}
	for (unsigned int i = 0; i < repeats; i++) {
		a.t_ns += NS_PER_S << i;
		packet_tcp(w, &a);
	}
}

void flood_syn(struct world *w, const struct flood *f, enum syn_style style)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint32_t n = 0;

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);
		uint8_t opt[TCP_OPT_MAX];
		uint16_t mss;

		p.opt = opt;
		p.seq = rng_u32(&b.rng);
		p.flags = TCP_SYN;
		switch (style) {
		case SYN_TOOL:
			p.window = 512;
			break;
		case SYN_LINUX:
			p.df = true;
			p.sport = rng_range16(&b.rng, 32768, 60999);
			p.window = 64240;
			mss = tcp_mss_pick(&b.rng, p.src.v6);
			p.opt_len = tcp_syn_options(opt, LAYOUT_UNIX, mss, 7, rng_u32(&b.rng), 0);
			break;
		case SYN_MIRAI:
			p.df = true;
			p.ttl = (uint8_t)(64 - s.self.ttl % 17 - 6);
			p.id = rng_u16(&b.rng);
			p.sport = rng_u16(&b.rng);
			p.opt_len = tcp_syn_options(opt, LAYOUT_UNIX, s.self.mss, 6, s.self.tsval, 0);
			break;
		}
		packet_tcp(w, &p);
		if (!f->silent)
			answer_syn(w, &b.rng, &p, p.opt_len > 0, n++ < BACKLOG ? 3 : 0,
			           rng_chance(&b.rng, 1, s.bot ? 4 : 25));
	}
}

void flood_tcp(struct world *w, const struct flood *f, uint8_t flags, enum tcp_style style)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[1460], opt[12] = { 1, 1, 8, 10 };

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);

		p.len = rng_range(&b.rng, f->lo, f->hi);
		rng_fill(&b.rng, m, p.len);
		p.data = m;
		p.sport = rng_range16(&b.rng, 1024, 65535);
		p.id = rng_u16(&b.rng);
		p.df = style != TCP_TOOL;
		p.seq = rng_u32(&b.rng);
		p.ack = flags & TCP_ACK ? rng_u32(&b.rng) : 0;
		p.flags = flags;
		switch (style) {
		case TCP_TOOL:
			p.window = 512;
			break;
		case TCP_BOT:
			p.window = rng_u16(&b.rng);
			break;
		case TCP_DISGUISED:
			p.window = rng_range16(&b.rng, 251, 2070);
			p.sport = rng_range16(&b.rng, 32768, 60999);
			rng_fill(&b.rng, opt + 4, 8);
			p.opt = opt;
			p.opt_len = sizeof(opt);
			m[0] = 0x17;
			m[1] = m[2] = 3;
			packet_be16(m + 3, (uint32_t)p.len - 5);
			break;
		}
		packet_tcp(w, &p);
		/* Only what acknowledges something is answered with a reset on an open port (RFC 9293, 3.10.7.2). */
		if (!f->silent && flags & TCP_ACK && !(flags & TCP_RST)) {
			struct pkt a = packet_answer(&p, rng_span(&b.rng, 15 * NS_PER_US, 50 * NS_PER_US));

			a.seq = p.ack;
			a.flags = TCP_RST;
			packet_tcp(w, &a);
		}
	}
}

void flood_syn_ack(struct world *w, const struct flood *f)
{
	static const uint16_t ports[] = { 443, 443, 443, 80, 80, 22 };
	/* First answer and three repeats each, of which some stop early. */
	struct barrage b = barrage_of(w, f, f->pps / 3);
	struct shot s;

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);
		uint8_t opt[TCP_OPT_MAX];
		unsigned int repeats = s.self.size % 4 ? 3 : rng_below(&b.rng, 3);
		bool linux_like = s.self.size % 5;

		p.sport = ports[s.self.size % 6];
		p.dport = f->dport ? f->dport : rng_range16(&b.rng, 1024, 65535);
		p.seq = rng_u32(&b.rng);
		p.ack = rng_u32(&b.rng);
		p.flags = TCP_SYN | TCP_ACK;
		p.window = linux_like ? 64240 : 65535;
		p.id = linux_like ? 0 : s.self.id;
		p.df = true;
		p.opt = opt;
		p.opt_len = tcp_syn_options(opt, LAYOUT_MSS, 1460, 0, 0, 0);
		packet_tcp(w, &p);
		for (unsigned int i = 0; i < repeats; i++) {
			p.t_ns += (NS_PER_S << i) + rng_span(&b.rng, 0, 4 * NS_PER_MS);
			packet_tcp(w, &p);
		}
	}
}

void flood_middlebox(struct world *w, const struct flood *f)
{
	static const char page[] = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
				   "<html><head><title>Blocked</title></head><body><h1>This site is not available</h1>"
				   "<p>Access has been denied by your network's policy.</p>";
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[1200];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);

		p.len = sizeof(page) - 1 + s.self.size % 700;
		memset(m, ' ', sizeof(m));
		memcpy(m, page, sizeof(page) - 1);
		p.data = m;
		p.sport = s.self.size % 5 ? 80 : 443;
		p.dport = f->dport ? f->dport : rng_range16(&b.rng, 1024, 65535);
		p.seq = rng_u32(&b.rng);
		p.ack = rng_u32(&b.rng);
		p.flags = TCP_PSH | TCP_ACK | (s.self.size & 1 ? TCP_FIN : 0);
		p.window = (uint16_t)(s.self.size | 1024);
		packet_tcp(w, &p);
	}
}

static uint16_t vse_payload(uint8_t *m)
{
	memcpy(m, "\xff\xff\xff\xffTSource Engine Query", 25);
	return 25;
}

void flood_udp(struct world *w, const struct flood *f, enum udp_style style)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	int64_t quiet_until = 0;
	uint8_t m[1460];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);

		p.data = m;
		p.dport = f->dport ? f->dport : rng_range16(&b.rng, 1, 65535);
		switch (style) {
		case UDP_MIRAI:
			p.len = rng_range(&b.rng, f->lo, f->hi);
			rng_fill(&b.rng, m, p.len);
			p.sport = rng_u16(&b.rng);
			p.id = rng_u16(&b.rng);
			break;
		case UDP_VSE:
			p.len = vse_payload(m);
			p.sport = rng_u16(&b.rng);
			p.id = rng_u16(&b.rng);
			break;
		case UDP_NOISE:
			p.len = rng_range(&b.rng, f->lo, f->hi);
			rng_fill(&b.rng, m, p.len);
			break;
		}
		packet_udp(w, &p);
		if (!f->silent && b.t_ns >= quiet_until) {
			struct pkt a = packet_answer(&p, 30 * NS_PER_US);

			a.df = false;
			a.id = rng_u16(&b.rng);
			a.tos = 0xc0;
			packet_unreachable(w, &a, &p);
			quiet_until = b.t_ns + UNREACHABLE_GAP;
		}
	}
}

void flood_fragments(struct world *w, const struct flood *f)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[1480];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);
		bool more = rng_chance(&b.rng, 2, 3);

		p.len = rng_range(&b.rng, f->lo, f->hi) & ~7u;
		rng_fill(&b.rng, m, p.len);
		p.data = m;
		p.id = rng_u16(&b.rng);
		packet_fragment(w, &p, PROTO_UDP, (uint16_t)(185 * rng_range(&b.rng, 1, 3)), more);
	}
}

void flood_echo(struct world *w, const struct flood *f)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[1460];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);

		p.len = rng_range(&b.rng, f->lo, f->hi);
		memset(m, 'X', p.len);
		p.data = m;
		p.seq = rng_u16(&b.rng);
		packet_echo(w, &p, false);
		if (!f->silent) {
			struct pkt a = packet_answer(&p, rng_span(&b.rng, 15 * NS_PER_US, 40 * NS_PER_US));

			a.sport = p.sport;
			a.seq = p.seq;
			a.data = p.data;
			a.len = p.len;
			a.df = false;
			a.id = rng_u16(&b.rng);
			packet_echo(w, &a, true);
		}
	}
}

static uint16_t swapped(uint16_t x)
{
	return (uint16_t)(x << 8 | x >> 8);
}

/*
 * Mirai's GRE-IP: inner UDP of 512 octets from an address that stays with the bot. Inner identification is
 * ~(outer - 1000) in the bot's own octet order, which tells that order.
 */
void flood_gre(struct world *w, const struct flood *f)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[4 + 20 + 8 + 512];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);
		struct addr inner_dst = world_public(w, &b.rng);
		uint8_t *udp = m + 24;
		uint16_t own, inner_id;
		uint32_t sum;

		p.id = rng_u16(&b.rng);
		p.df = true;
		own = s.self.big_endian ? p.id : swapped(p.id);
		inner_id = (uint16_t) ~(own - 1000u);
		if (!s.self.big_endian)
			inner_id = swapped(inner_id);
		memset(m, 0, 24);
		packet_be16(m + 2, 0x0800);
		packet_ip4(m + 4, &s.self.inner, &inner_dst, PROTO_UDP, 520, 64, 0, inner_id, 0x4000);
		packet_be16(udp, rng_u16(&b.rng));
		packet_be16(udp + 2, rng_u16(&b.rng));
		packet_be16(udp + 4, 520);
		packet_be16(udp + 6, 0);
		rng_fill(&b.rng, udp + 8, 512);
		sum = packet_sum(packet_sum(0, m + 16, 8), udp, 520) + PROTO_UDP + 520;
		packet_be16(udp + 6, packet_sum_end(sum));
		p.data = m;
		p.len = sizeof(m);
		packet_raw(w, &p, PROTO_GRE);
	}
}

void flood_dns_query(struct world *w, const struct flood *f)
{
	struct barrage b = barrage_of(w, f, f->pps);
	struct shot s;
	uint8_t m[256];

	while (fires(&b, &s)) {
		struct pkt p = packet_from(&b, &s);
		char label[13];

		for (int i = 0; i < 12; i++)
			label[i] = "abcdefghijklmnopqrstuvw012345678"[rng_below(&b.rng, 32)];
		label[12] = '\0';
		p.dport = 53;
		p.sport = rng_range16(&b.rng, 1024, 65535);
		p.data = m;
		p.len = normal_dns_question(m, rng_u16(&b.rng), label, "platform.example", 1, false);
		packet_udp(w, &p);
		if (!f->silent) {
			struct pkt a = packet_answer(&p, rng_span(&b.rng, 50 * NS_PER_US, 300 * NS_PER_US));

			packet_be16(m + 2, 0x8583);
			a.data = m;
			a.len = p.len;
			a.df = false;
			a.id = rng_u16(&b.rng);
			packet_udp(w, &a);
		}
	}
}

void flood_connections(struct world *w, const struct flood *f)
{
	struct barrage b = barrage_of(w, f, f->pps / 2);
	struct shot s;

	while (fires(&b, &s)) {
		struct conn c;
		int64_t rtt;

		conn_init(&c, w, &b.rng, &s.self.addr, &f->dst, f->dport, false, f->label);
		/* Bots on Linux, as hacked devices are. */
		c.os = tcp_os_linux();
		c.timestamps = true;
		c.side[0].ttl = (uint8_t)(64 - 5 - s.self.size % 18);
		c.side[0].id_zero = false;
		c.side[0].port = rng_range16(&b.rng, 32768, 60999);
		rtt = c.side[0].delay_ns;
		/* The bot's two packets are the attack, the host's answer is its reply. */
		conn_syn(&c, b.t_ns);
		c.label = LABEL_REPLY;
		conn_syn_ack(&c, b.t_ns + c.side[1].delay_ns);
		c.label = f->label;
		c.side[0].seq++;
		c.side[1].seq++;
		if (b.t_ns + rtt < f->to_ns + NS_PER_S)
			conn_segment(&c, 0, b.t_ns + c.side[1].delay_ns + rtt, TCP_ACK, NULL, 0);
	}
}
