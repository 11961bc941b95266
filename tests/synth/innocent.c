/* SPDX-License-Identifier: Apache-2.0 */
/* See innocent.h. RFC 1813, 5531; 9293 section 3.8.4 and 6298 section 5, 6455 section 5.5.3. */
#include "innocent.h"

#include <string.h>

#define NFS_READ 8192u

/* An RPC call READ of one file handle. */
static size_t nfs_call(uint8_t *m, uint32_t xid, uint32_t block)
{
	static const uint8_t handle[32] = { 1, 0, 6, 2, 0x42, 0x13, 0x37, 1 };
	size_t n;

	memset(m, 0, 136);
	packet_be32(m, xid);
	packet_be32(m + 8, 2);       /* RPC version */
	packet_be32(m + 12, 100003); /* NFS */
	packet_be32(m + 16, 3);
	packet_be32(m + 20, 6); /* READ */
	packet_be32(m + 24, 1); /* AUTH_SYS: stamp, machine name, uid, gid, one group */
	packet_be32(m + 28, 24);
	packet_be32(m + 36, 4);
	packet_be32(m + 40, 0x686f7374); /* host */
	n = 64;
	packet_be32(m + n, sizeof(handle));
	memcpy(m + n + 4, handle, sizeof(handle));
	n += 4 + sizeof(handle);
	packet_be32(m + n + 4, block * NFS_READ);
	packet_be32(m + n + 8, NFS_READ);
	return n + 12;
}

static size_t nfs_reply(struct rng *r, uint8_t *m, uint32_t xid)
{
	size_t n = 28;

	memset(m, 0, 40);
	packet_be32(m, xid);
	packet_be32(m + 4, 1);
	packet_be32(m + 28, 0); /* no attributes */
	packet_be32(m + 32, NFS_READ);
	packet_be32(m + 36, 0);
	packet_be32(m + 40, NFS_READ);
	rng_fill(r, m + 44, NFS_READ);
	return n + 16 + NFS_READ;
}

static void nfs_mount(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s, bool platform_serves)
{
	struct rng r = world_rng(w);
	struct udp_pair u = { .near = w->target, .far_ttl = 62 };
	int64_t gap = world_gap(w, per_s);
	uint32_t xid = rng_u32(&r), block = 0;
	uint8_t m[NFS_READ + 64];
	size_t n;

	u.far = world_client(w, &r);
	u.far_port = platform_serves ? 789 : 2049;
	u.near_port = platform_serves ? 2049 : 893;
	u.far_id = rng_u16(&r);
	u.near_id = rng_u16(&r);
	for (int64_t t = from_ns; t < to_ns; t += rng_exp(&r, gap)) {
		normal_udp(w, &u, t, platform_serves ? DIR_IN : DIR_OUT, m, nfs_call(m, xid, block++));
		n = nfs_reply(&r, m, xid);
		normal_udp(w, &u, t + rng_span(&r, 300 * NS_PER_US, 3 * NS_PER_MS), platform_serves ? DIR_OUT : DIR_IN,
		           m, n);
		xid++;
	}
}

void innocent_nfs(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s)
{
	nfs_mount(w, from_ns, to_ns, per_s, false);
	nfs_mount(w, from_ns, to_ns, per_s / 3, true);
}

void innocent_game(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t players)
{
	struct rng r = world_rng(w);

	players = players * w->scale_pc / 100;
	for (uint32_t i = 0; i < players; i++) {
		struct udp_pair u = { .near = w->target, .near_port = 30120 };
		int64_t t = from_ns + rng_span(&r, -2 * NS_PER_S, 20 * NS_PER_S);
		int64_t leave = rng_chance(&r, 1, 3) ? t + rng_span(&r, 10 * NS_PER_S, 60 * NS_PER_S) : to_ns;
		int64_t tick = rng_chance(&r, 1, 2) ? 100 * NS_PER_MS : 66 * NS_PER_MS;
		uint32_t seq = 1, len;
		uint8_t m[300];

		u.far = world_client(w, &r);
		u.far_port = rng_range16(&r, 1024, 65535);
		u.far_ttl = rng_chance(&r, 4, 5) ? 128 : 64;
		u.far_ttl = (uint8_t)(u.far_ttl - rng_range(&r, 5, 22));
		u.far_id = rng_u16(&r);
		u.near_id = rng_u16(&r);
		for (; t < leave && t < to_ns; t += tick + rng_span(&r, -3 * NS_PER_MS, 3 * NS_PER_MS)) {
			rng_fill(&r, m, 200);
			packet_be32(m, seq++);
			packet_be32(m + 4, i);
			normal_udp(w, &u, t, DIR_IN, m, rng_range(&r, 24, 70));
			len = rng_range(&r, 40, 200);
			normal_udp(w, &u, t + rng_span(&r, 0, 30 * NS_PER_MS), DIR_OUT, m, len);
		}
	}
}

void innocent_speed_test(struct world *w, int64_t from_ns)
{
	struct rng r = world_rng(w);
	struct addr client = world_client(w, &r);
	struct udp_pair u = { .far = client, .near = w->target, .near_port = 5201, .far_ttl = 53 };
	int64_t gap = world_gap(w, 1200), t;
	struct conn control, data;
	uint8_t m[1400] = { 0 };

	conn_init(&control, w, &r, &client, &w->target, 5201, false, LABEL_NORMAL);
	t = conn_open(&control, from_ns);
	rng_fill(&r, m, 200);
	t = conn_say(&control, 0, t, m, 37);
	t = conn_say(&control, 1, t, m, 1);
	t = conn_say(&control, 0, t, m, 110);

	u.far_port = rng_range16(&r, 32768, 60999);
	u.far_id = rng_u16(&r);
	u.near_id = rng_u16(&r);
	for (uint32_t seq = 0; t < from_ns + 8 * NS_PER_S; t += gap, seq++) {
		packet_be32(m + 8, seq);
		normal_udp(w, &u, t, DIR_IN, m, 1400);
	}
	for (uint32_t seq = 0; t < from_ns + 12 * NS_PER_S; t += gap, seq++) {
		packet_be32(m + 8, seq);
		normal_udp(w, &u, t, DIR_OUT, m, 1400);
	}
	t = conn_say(&control, 0, t, m, 60);
	t = conn_say(&control, 1, t, m, 90);
	for (int up = 0; up < 2; up++) {
		conn_init(&data, w, &r, &client, &w->target, 5201, false, LABEL_NORMAL);
		data.side[0].delay_ns = 25 * NS_PER_MS;
		data.side[1].window = 6000;
		data.side[0].window = 6000;
		data.cwnd_max = 80;
		t = conn_open(&data, t);
		t = conn_flow(&data, up ? 0 : 1, t, (uint64_t)8000000 * w->scale_pc / 100, CONTENT_RANDOM);
		t = conn_close(&data, 0, t);
	}
	t = conn_say(&control, 1, t, m, 150);
	conn_close(&control, 0, t);
}

void innocent_backup(struct world *w, int64_t to_ns, uint32_t connections)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < connections; i++) {
		struct addr client = world_client(w, &r);
		bool brings = i % 3 == 0;
		int64_t gap = world_gap(w, brings ? 55 : 60), t = rng_span(&r, 0, gap);
		struct conn c;
		uint8_t m[1460];

		conn_init(&c, w, &r, &client, &w->target, i % 2 ? 873 : 22, false, LABEL_NORMAL);
		conn_midstream(&c);
		for (; t < to_ns; t += rng_exp(&r, gap)) {
			if (brings) {
				rng_fill(&r, m, sizeof(m));
				conn_segment(&c, 0, t, rng_chance(&r, 1, 8) ? TCP_PSH | TCP_ACK : TCP_ACK, m,
				             c.mss - (c.timestamps ? 12u : 0u));
			} else {
				c.side[1].seq += 2 * c.mss;
				conn_segment(&c, 0, t, TCP_ACK, NULL, 0);
			}
		}
	}
}

/* What an idle connection says now and then. */
static void stir(struct conn *c, uint32_t kind, int64_t t)
{
	uint8_t m[6] = { 0 };

	switch (kind) {
	case 0: /* "I am": the numbers of the last packet once more */
		conn_segment(c, 0, t, TCP_ACK, NULL, 0);
		break;
	case 1: /* "are you?": one number back, with nothing or an octet of anything */
		c->side[0].seq--;
		if (c->side[0].port % 2) {
			conn_segment(c, 0, t, TCP_ACK, m, 1);
		} else {
			conn_segment(c, 0, t, TCP_ACK, NULL, 0);
			c->side[0].seq++;
		}
		break;
	default: /* a pong, masked and empty, which acknowledges a ping */
		rng_fill(c->r, m, sizeof(m));
		m[0] = 0x8a;
		m[1] = 0x80;
		c->side[1].seq += 2;
		conn_segment(c, 0, t, TCP_PSH | TCP_ACK, m, sizeof(m));
		break;
	}
}

void innocent_idle(struct world *w, int64_t to_ns, uint32_t connections)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < connections * w->scale_pc / 100; i++) {
		struct addr client = world_client(w, &r);
		int64_t gap = rng_span(&r, 20 * NS_PER_S, 40 * NS_PER_S);
		struct conn c;

		conn_init(&c, w, &r, &client, &w->target, 443, false, LABEL_NORMAL);
		conn_midstream(&c);
		for (int64_t t = rng_span(&r, 0, gap); t < to_ns; t += gap + rng_span(&r, 0, 50 * NS_PER_MS))
			stir(&c, i % 3, t);
	}
}

static void ask_in_vain(struct world *w, struct rng *r, const struct addr *client, int64_t t)
{
	/* Seconds after the first SYN. */
	static const uint8_t doubling[] = { 1, 3, 7, 15, 31 }, apple[] = { 1, 2, 3, 4, 5, 7, 11, 19, 35 };
	struct conn c;
	size_t repeats;

	conn_init(&c, w, r, client, &w->target, 443, false, LABEL_NORMAL);
	conn_syn(&c, t);
	if (rng_chance(r, 1, 15)) /* gives up before it asks again */
		return;
	repeats = c.os->layout == LAYOUT_APPLE ? sizeof(apple) : sizeof(doubling);
	for (size_t i = 0; i < repeats; i++)
		conn_syn(&c, t + (c.os->layout == LAYOUT_APPLE ? apple : doubling)[i] * NS_PER_S +
		                     rng_span(r, 0, 30 * NS_PER_MS));
}

void innocent_unanswered(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct addr client = world_client(w, &r);

		ask_in_vain(w, &r, &client, t);
		if (rng_chance(&r, 1, 3))
			ask_in_vain(w, &r, &client, t + 250 * NS_PER_MS);
	}
}

static struct pkt scan_probe(const struct addr *from, int64_t t, char label)
{
	return (struct pkt){ .t_ns = t, .dir = DIR_IN, .label = label, .src = *from, .flags = TCP_SYN };
}

static void scan_answer(struct world *w, struct rng *r, const struct pkt *p, bool open)
{
	struct pkt a = packet_answer(p, rng_span(r, 20 * NS_PER_US, 70 * NS_PER_US));
	uint8_t opt[TCP_OPT_MAX];

	a.ack = p->seq + 1;
	a.flags = open ? TCP_SYN | TCP_ACK : TCP_RST | TCP_ACK;
	if (open) {
		a.seq = rng_u32(r);
		a.window = 64240;
		a.opt = opt;
		a.opt_len = tcp_syn_options(opt, LAYOUT_MSS, p->src.v6 ? 1440 : 1460, 0, 0, 0);
	}
	packet_tcp(w, &a);
	if (open) {
		struct pkt rst = *p;

		rst.t_ns = a.t_ns + 40 * NS_PER_MS;
		rst.seq = p->seq + 1;
		rst.flags = TCP_RST;
		rst.window = 0;
		rst.opt_len = 0;
		packet_tcp(w, &rst);
	}
}

void scan_ports(struct world *w, int64_t from_ns, uint32_t ports, uint32_t per_s, char label)
{
	struct rng r = world_rng(w);
	struct addr from = world_public(w, &r);
	uint16_t sport = rng_range16(&r, 33000, 65000), order[1024];
	int64_t gap = world_gap(w, per_s), t = from_ns;
	uint32_t seq = rng_u32(&r);
	uint8_t opt[TCP_OPT_MAX];

	if (ports > 1024)
		ports = 1024;
	for (uint32_t i = 0; i < ports; i++)
		order[i] = (uint16_t)(i + 1);
	for (uint32_t i = ports; i > 1; i--) {
		uint32_t k = rng_below(&r, i);
		uint16_t x = order[i - 1];

		order[i - 1] = order[k];
		order[k] = x;
	}
	for (uint32_t i = 0; i < ports; i++, t += gap + rng_span(&r, 0, gap / 4)) {
		struct pkt p = scan_probe(&from, t, label);

		p.dst = w->target;
		p.ttl = (uint8_t)rng_range(&r, 37, 51);
		p.id = rng_u16(&r);
		p.sport = sport;
		p.dport = order[i];
		p.seq = seq;
		p.window = 1024;
		p.opt = opt;
		p.opt_len = tcp_syn_options(opt, LAYOUT_MSS, 1460, 0, 0, 0);
		packet_tcp(w, &p);
		scan_answer(w, &r, &p, order[i] == 22 || order[i] == 53 || order[i] == 80 || order[i] == 443);
	}
}

void scan_hosts(struct world *w, int64_t from_ns, uint16_t port, uint32_t per_s, char label)
{
	struct rng r = world_rng(w);
	struct addr from = world_public(w, &r);
	int64_t gap = world_gap(w, per_s), t = from_ns;
	uint32_t start = rng_below(&r, 256);

	for (uint32_t i = 0; i < 256; i++, t += gap + rng_span(&r, 0, gap / 4)) {
		struct pkt p = scan_probe(&from, t, label);
		uint32_t host = (start + i * 77) & 255; /* 77 is odd: each host once */

		p.dst = world_host(w, host);
		p.ttl = 241;
		p.id = 54321;
		p.sport = rng_range16(&r, 32768, 61000);
		p.dport = port;
		p.seq = rng_u32(&r);
		p.window = 65535;
		packet_tcp(w, &p);
		if (rng_chance(&r, 1, 5))
			scan_answer(w, &r, &p, rng_chance(&r, 1, 3));
	}
}
