/* SPDX-License-Identifier: Apache-2.0 */
/* See tcp.h. RFC 9293, 7323; option layouts as the systems named send them. */
#include "tcp.h"

#include <string.h>

#define CWND_FIRST 10u
#define TLS_RECORD_MAX 16384u

/* clang-format off */
static const struct tcp_os systems[] = {
	{64, 64240, LAYOUT_UNIX, 7, true, false, 18},	  /* Linux */
	{64, 65535, LAYOUT_UNIX, 8, true, false, 22},	  /* Android */
	{64, 65535, LAYOUT_UNIX, 9, true, false, 8},	  /* Android, newer */
	{128, 64240, LAYOUT_WINDOWS, 8, false, false, 20}, /* Windows 10 */
	{128, 65535, LAYOUT_WINDOWS, 8, false, false, 10}, /* Windows 11 */
	{128, 8192, LAYOUT_WINDOWS, 2, false, false, 2},   /* Windows 7 */
	{64, 65535, LAYOUT_APPLE, 6, true, true, 14},	  /* iOS */
	{64, 65535, LAYOUT_APPLE, 5, true, true, 6},	  /* older macOS */
};
/* clang-format on */

const struct tcp_os *tcp_os_linux(void)
{
	return &systems[0];
}

const struct tcp_os *tcp_os_pick(struct rng *r)
{
	uint32_t x = rng_below(r, 100);

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		if (x < systems[i].weight)
			return &systems[i];
		x -= systems[i].weight;
	}
	return &systems[0];
}

uint16_t tcp_mss_pick(struct rng *r, bool v6)
{
	/* Ethernet, PPPoE, tunnels, mobile networks */
	static const uint16_t usual[] = { 1460, 1460, 1460, 1460, 1460, 1452, 1452,
		                          1440, 1412, 1410, 1400, 1380, 1370, 1360 };
	uint16_t mss = usual[rng_below(r, sizeof(usual) / sizeof(usual[0]))];

	return v6 ? (uint16_t)(mss - 20) : mss;
}

static size_t put_ts(uint8_t *out, uint32_t val, uint32_t ecr)
{
	out[0] = 8;
	out[1] = 10;
	packet_be32(out + 2, val);
	packet_be32(out + 6, ecr);
	return 10;
}

size_t tcp_syn_options(uint8_t out[TCP_OPT_MAX], enum tcp_layout layout, uint16_t mss, uint8_t wscale, uint32_t tsval,
                       uint32_t tsecr)
{
	size_t n = 4;

	memset(out, 0, TCP_OPT_MAX);
	out[0] = 2;
	out[1] = 4;
	packet_be16(out + 2, mss);
	switch (layout) {
	case LAYOUT_MSS:
		break;
	case LAYOUT_UNIX: /* mss,sok,ts,nop,ws */
		out[n++] = 4;
		out[n++] = 2;
		n += put_ts(out + n, tsval, tsecr);
		out[n++] = 1;
		out[n++] = 3;
		out[n++] = 3;
		out[n++] = wscale;
		break;
	case LAYOUT_WINDOWS: /* mss,nop,ws,nop,nop,sok */
		out[n++] = 1;
		out[n++] = 3;
		out[n++] = 3;
		out[n++] = wscale;
		out[n++] = 1;
		out[n++] = 1;
		out[n++] = 4;
		out[n++] = 2;
		break;
	case LAYOUT_APPLE: /* mss,nop,ws,nop,nop,ts,sok,eol,eol */
		out[n++] = 1;
		out[n++] = 3;
		out[n++] = 3;
		out[n++] = wscale;
		out[n++] = 1;
		out[n++] = 1;
		n += put_ts(out + n, tsval, tsecr);
		out[n++] = 4;
		out[n++] = 2;
		n += 2;
		break;
	}
	return n;
}

void conn_init(struct conn *c, struct world *w, struct rng *r, const struct addr *client, const struct addr *server,
               uint16_t server_port, bool outbound, char label)
{
	int near = outbound ? 0 : 1, far = 1 - near;

	memset(c, 0, sizeof(*c));
	c->w = w;
	c->r = r;
	c->os = outbound ? tcp_os_linux() : tcp_os_pick(r);
	c->timestamps = c->os->timestamps;
	c->mss = tcp_mss_pick(r, client->v6);
	c->label = label;
	c->cwnd_max = 40;
	c->gap_ns = 13 * NS_PER_US;
	c->loss = 300;
	c->side[0].addr = *client;
	c->side[0].port = c->os->layout == LAYOUT_UNIX ? rng_range16(r, 32768, 60999) : rng_range16(r, 49152, 65535);
	c->side[0].ttl = c->os->ttl;
	c->side[0].id_zero = c->os->id_zero;
	c->side[1].addr = *server;
	c->side[1].port = server_port;
	c->side[1].ttl = 64;
	for (int s = 0; s < 2; s++) {
		c->side[s].id = rng_u16(r);
		c->side[s].seq = rng_u32(r);
		c->side[s].ts0 = rng_u32(r);
		c->side[s].window = rng_range16(r, 251, 2053);
	}
	c->side[far].ttl = (uint8_t)(c->side[far].ttl - rng_range(r, 5, 22));
	c->side[far].dir = DIR_IN;
	c->side[far].delay_ns = rng_span(r, 10 * NS_PER_MS, rng_chance(r, 1, 3) ? 150 * NS_PER_MS : 60 * NS_PER_MS);
	c->side[near].dir = DIR_OUT;
	c->side[near].delay_ns = rng_span(r, 25 * NS_PER_US, 120 * NS_PER_US);
}

void conn_midstream(struct conn *c)
{
	/* Sequence numbers are random already; a long-lived connection has a window that has opened. */
	c->side[0].window = rng_range16(c->r, 1000, 4000);
	c->side[1].window = rng_range16(c->r, 1000, 4000);
}

static uint32_t ts_at(const struct tcp_side *s, int64_t t)
{
	return s->ts0 + (uint32_t)(t / NS_PER_MS);
}

static void emit(struct conn *c, int from, int64_t t, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t window,
                 const uint8_t *opt, size_t opt_len, const uint8_t *data, size_t len)
{
	struct tcp_side *s = &c->side[from], *o = &c->side[1 - from];
	struct pkt p = {
		.t_ns = t,
		.dir = s->dir,
		.label = c->label,
		.src = s->addr,
		.dst = o->addr,
		.ttl = s->ttl,
		.id = s->id_zero ? 0 : s->id,
		.df = true,
		.sport = s->port,
		.dport = o->port,
		.seq = seq,
		.ack = ack,
		.flags = flags,
		.window = window,
		.opt = opt,
		.opt_len = opt_len,
		.data = data,
		.len = len,
	};

	s->id++;
	packet_tcp(c->w, &p);
}

/* A segment of an established connection, at a given place. */
static void emit_at(struct conn *c, int from, int64_t t, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *data,
                    size_t len)
{
	uint8_t opt[12] = { 1, 1 };
	size_t opt_len = 0;
	struct tcp_side *s = &c->side[from], *o = &c->side[1 - from];

	if (c->timestamps) {
		put_ts(opt + 2, ts_at(s, t), ts_at(o, t - s->delay_ns));
		opt_len = 12;
	}
	/* A receiver's window moves as it takes data; a duplicate acknowledgement repeats it. */
	if (!s->window_now || ack != s->acked)
		s->window_now = (uint16_t)(s->window + rng_below(c->r, 24));
	s->acked = ack;
	emit(c, from, t, flags, seq, ack, s->window_now, opt, opt_len, data, len);
}

int64_t conn_segment(struct conn *c, int from, int64_t t, uint8_t flags, const uint8_t *data, size_t len)
{
	struct tcp_side *s = &c->side[from];

	emit_at(c, from, t, flags, s->seq, c->side[1 - from].seq, data, len);
	s->seq += (uint32_t)len + (flags & (TCP_FIN | TCP_SYN) ? 1 : 0);
	return t;
}

void conn_syn(struct conn *c, int64_t t)
{
	uint8_t opt[TCP_OPT_MAX];
	struct tcp_side *s = &c->side[0];
	size_t n = tcp_syn_options(opt, c->os->layout, c->mss, c->os->wscale, ts_at(s, t), 0);

	emit(c, 0, t, TCP_SYN, s->seq, 0, c->os->window, opt, n, NULL, 0);
}

void conn_syn_ack(struct conn *c, int64_t t)
{
	uint8_t opt[TCP_OPT_MAX];
	struct tcp_side *s = &c->side[1];
	uint16_t mss = s->addr.v6 ? 1440 : 1460;
	size_t n;
	uint16_t id = s->id;

	n = tcp_syn_options(opt, c->timestamps ? LAYOUT_UNIX : LAYOUT_WINDOWS, mss, 7, ts_at(s, t),
	                    ts_at(&c->side[0], t - s->delay_ns));
	s->id = 0; /* Linux answers with identification 0 */
	emit(c, 1, t, TCP_SYN | TCP_ACK, s->seq, c->side[0].seq + 1, c->timestamps ? 65160 : 64240, opt, n, NULL, 0);
	s->id = id;
}

int64_t conn_open(struct conn *c, int64_t t)
{
	conn_syn(c, t);
	if (c->loss && rng_chance(c->r, 1, 150)) { /* the SYN-ACK was lost on its way */
		conn_syn_ack(c, t + c->side[1].delay_ns);
		t += NS_PER_S + rng_span(c->r, 0, 20 * NS_PER_MS);
		conn_syn(c, t);
	}
	t += c->side[1].delay_ns;
	conn_syn_ack(c, t);
	c->side[0].seq++;
	c->side[1].seq++;
	t += c->side[0].delay_ns + rng_span(c->r, 0, 2 * NS_PER_MS);
	return conn_segment(c, 0, t, TCP_ACK, NULL, 0);
}

static size_t segment_room(const struct conn *c)
{
	return c->mss - (c->timestamps ? 12u : 0u);
}

int64_t conn_say(struct conn *c, int from, int64_t t, const uint8_t *data, size_t len)
{
	size_t room = segment_room(c);

	for (size_t at = 0; at < len; at += room) {
		size_t n = len - at < room ? len - at : room;

		conn_segment(c, from, t, at + n == len ? TCP_PSH | TCP_ACK : TCP_ACK, data + at, n);
		t += c->gap_ns;
	}
	t += c->side[1 - from].delay_ns + rng_span(c->r, 0, 3 * NS_PER_MS) / 4;
	return conn_segment(c, 1 - from, t, TCP_ACK, NULL, 0);
}

/* What the next octets of a message look like: TLS application data records, text, or noise. */
struct stream {
	enum tcp_content content;
	uint64_t left;
	uint32_t record_left;
	uint8_t head[5];
	unsigned int head_left;
};

static void stream_fill(struct stream *s, struct rng *r, uint8_t *out, size_t n)
{
	static const char text[] = "<p>the quick brown fox jumps over the lazy dog</p>\n";

	if (s->content == CONTENT_TEXT) {
		for (size_t i = 0; i < n; i++)
			out[i] = (uint8_t)text[(s->left - i) % (sizeof(text) - 1)];
		s->left -= n;
		return;
	}
	rng_fill(r, out, n);
	if (s->content == CONTENT_RANDOM) {
		s->left -= n;
		return;
	}
	for (size_t i = 0; i < n; i++, s->left--) {
		if (!s->head_left && !s->record_left) {
			s->record_left = s->left < TLS_RECORD_MAX + 5 ? (uint32_t)s->left - 5 : TLS_RECORD_MAX;
			/* What remains must be long enough to be a record itself. */
			if (s->left > s->record_left + 5 && s->left - s->record_left - 5 < 64)
				s->record_left -= 64;
			s->head[0] = 0x17;
			s->head[1] = s->head[2] = 0x03;
			packet_be16(s->head + 3, s->record_left);
			s->head_left = 5;
		}
		if (s->head_left)
			out[i] = s->head[5 - s->head_left--];
		else
			s->record_left--;
	}
}

int64_t conn_flow(struct conn *c, int from, int64_t t, uint64_t total, enum tcp_content content)
{
	struct tcp_side *s = &c->side[from], *o = &c->side[1 - from];
	struct stream stream = { .content = content, .left = total < 69 ? 69 : total };
	size_t room = segment_room(c);
	uint32_t cwnd = CWND_FIRST < c->cwnd_max ? CWND_FIRST : c->cwnd_max;
	uint8_t seg[PACKET_MTU];
	int64_t done = t;

	while (stream.left && t < c->w->end_ns) {
		uint32_t lost_seq = 0, dups = 0;
		uint8_t lost[PACKET_MTU];
		size_t lost_len = 0;
		bool unacked = false;
		int64_t ack_t = t;

		for (uint32_t i = 0; i < cwnd && stream.left; i++) {
			size_t n = stream.left < room ? (size_t)stream.left : room;
			uint32_t seq = s->seq;
			bool last;

			stream_fill(&stream, c->r, seg, n);
			last = i + 1 == cwnd || !stream.left;
			conn_segment(c, from, t, !stream.left ? TCP_PSH | TCP_ACK : TCP_ACK, seg, n);
			if (ack_t < t + o->delay_ns)
				ack_t = t + o->delay_ns;
			ack_t += rng_span(c->r, 0, 20 * NS_PER_US);
			if (lost_len) {
				emit_at(c, 1 - from, ack_t, TCP_ACK, o->seq, lost_seq, NULL, 0);
				dups++;
			} else if (c->loss && rng_chance(c->r, 1, c->loss)) {
				memcpy(lost, seg, n);
				lost_len = n;
				lost_seq = seq;
			} else if (unacked || last) {
				emit_at(c, 1 - from, ack_t, TCP_ACK, o->seq, s->seq, NULL, 0);
				unacked = false;
			} else {
				unacked = true;
			}
			t += c->gap_ns + rng_span(c->r, 0, c->gap_ns / 2);
		}
		done = ack_t;
		if (lost_len) { /* three duplicates repair at once, else a timeout does */
			int64_t again = dups >= 3 ? ack_t + s->delay_ns : ack_t + 210 * NS_PER_MS;

			emit_at(c, from, again, TCP_ACK, lost_seq, o->seq, lost, lost_len);
			done = again + o->delay_ns;
			emit_at(c, 1 - from, done, TCP_ACK, o->seq, s->seq, NULL, 0);
			cwnd = cwnd / 2 ? cwnd / 2 : 1;
		} else {
			cwnd = cwnd * 2 < c->cwnd_max ? cwnd * 2 : c->cwnd_max;
		}
		t = done + s->delay_ns;
	}
	return done;
}

int64_t conn_close(struct conn *c, int first, int64_t t)
{
	conn_segment(c, first, t, TCP_FIN | TCP_ACK, NULL, 0);
	t += c->side[1 - first].delay_ns;
	conn_segment(c, 1 - first, t, TCP_FIN | TCP_ACK, NULL, 0);
	t += c->side[first].delay_ns;
	return conn_segment(c, first, t, TCP_ACK, NULL, 0);
}

void conn_reset(struct conn *c, int from, int64_t t)
{
	struct tcp_side *s = &c->side[from];

	/* From a socket that still exists with an acknowledgement, from one that is gone without. */
	if (rng_chance(c->r, 1, 2))
		emit(c, from, t, TCP_RST | TCP_ACK, s->seq, c->side[1 - from].seq, 0, NULL, 0, NULL, 0);
	else
		emit(c, from, t, TCP_RST, s->seq, 0, 0, NULL, 0, NULL, 0);
}
