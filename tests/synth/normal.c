/* SPDX-License-Identifier: Apache-2.0 */
/* See normal.h. RFC 1035, 6891, 5905, 9000, 3550, 3261, 8446. */
#include "normal.h"

#include <stdio.h>
#include <string.h>

/* Conversations begin before the capture does, so that it opens in the middle of some. */
#define EARLIER (5 * NS_PER_S)
#define MESSAGE_MAX 1024u

#define ZONE "platform.example"
#define OUTSIDE "partner.example"

int64_t load_next(const struct world *w, struct rng *r, const struct load *l, int64_t t)
{
	int64_t whole = l->to_ns - l->from_ns;
	int64_t into_us = (t - l->from_ns) / NS_PER_US;
	int64_t rate = l->from_rate;

	if (whole > 0)
		rate += ((int64_t)l->to_rate - l->from_rate) * into_us / (whole / NS_PER_US + 1);
	rate = rate * w->scale_pc / 100;
	if (rate < 1)
		rate = 1;
	return t + rng_exp(r, INT64_C(1000000000000) / rate);
}

/* --- web ------------------------------------------------------------------------------------------------------- */

static size_t put_ext(uint8_t *out, uint16_t type, const uint8_t *body, size_t n)
{
	packet_be16(out, type);
	packet_be16(out + 2, (uint32_t)n);
	memcpy(out + 4, body, n);
	return n + 4;
}

static const uint8_t change_cipher[] = { 0x14, 3, 3, 0, 1, 1 };

/* A TLS 1.3 ClientHello in one record of 517 octets, padded as browsers do (RFC 7685). */
static size_t client_hello(struct rng *r, uint8_t out[MESSAGE_MAX])
{
	static const uint8_t suites[] = { 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c,
		                          0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8, 0xc0, 0x13, 0xc0, 0x14, 0x00, 0x9c };
	static const uint8_t groups[] = { 0, 6, 0, 0x1d, 0, 0x17, 0, 0x18 };
	static const uint8_t signatures[] = { 0, 8, 4, 3, 8, 4, 4, 1, 5, 3 };
	static const uint8_t versions[] = { 4, 3, 4, 3, 3 };
	static const uint8_t alpn[] = { 0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };
	static const char name[] = "www." ZONE;
	uint8_t body[256] = { 0 };
	size_t n = 0, ext, len = sizeof(name) - 1;

	memset(out, 0, 517);
	out[n++] = 0x16;
	out[n++] = 3;
	out[n++] = 1;
	packet_be16(out + n, 512);
	n += 2;
	out[n++] = 1;
	out[n++] = 0;
	packet_be16(out + n, 508);
	n += 2;
	out[n++] = 3;
	out[n++] = 3;
	rng_fill(r, out + n, 32);
	n += 32;
	out[n++] = 32;
	rng_fill(r, out + n, 32);
	n += 32;
	packet_be16(out + n, sizeof(suites));
	memcpy(out + n + 2, suites, sizeof(suites));
	n += 2 + sizeof(suites);
	out[n++] = 1;
	out[n++] = 0;
	ext = n;
	n += 2;
	packet_be16(body, (uint32_t)len + 3);
	body[2] = 0;
	packet_be16(body + 3, (uint32_t)len);
	memcpy(body + 5, name, len);
	n += put_ext(out + n, 0, body, len + 5);
	n += put_ext(out + n, 10, groups, sizeof(groups));
	n += put_ext(out + n, 13, signatures, sizeof(signatures));
	n += put_ext(out + n, 16, alpn, sizeof(alpn));
	n += put_ext(out + n, 43, versions, sizeof(versions));
	packet_be16(body, 36);
	packet_be16(body + 2, 0x1d);
	packet_be16(body + 4, 32);
	rng_fill(r, body + 6, 32);
	n += put_ext(out + n, 51, body, 38);
	packet_be16(out + n, 21); /* padding takes what is left */
	packet_be16(out + n + 2, (uint32_t)(517 - n - 4));
	packet_be16(out + ext, (uint32_t)(517 - ext - 2));
	return 517;
}

/* ServerHello and ChangeCipherSpec; the encrypted rest of the flight follows as application data. */
static size_t server_hello(struct rng *r, uint8_t out[MESSAGE_MAX])
{
	static const uint8_t version[] = { 3, 4 };
	uint8_t share[36] = { 0, 0x1d, 0, 32 };
	size_t n = 9, ext;

	memset(out, 0, 160);
	out[n++] = 3;
	out[n++] = 3;
	rng_fill(r, out + n, 32);
	n += 32;
	out[n++] = 32;
	rng_fill(r, out + n, 32);
	n += 32;
	out[n++] = 0x13;
	out[n++] = 0x01;
	out[n++] = 0;
	ext = n;
	n += 2;
	n += put_ext(out + n, 43, version, sizeof(version));
	rng_fill(r, share + 4, 32);
	n += put_ext(out + n, 51, share, sizeof(share));
	packet_be16(out + ext, (uint32_t)(n - ext - 2));
	out[0] = 0x16;
	out[1] = out[2] = 3;
	packet_be16(out + 3, (uint32_t)(n - 5));
	out[5] = 2;
	packet_be16(out + 7, (uint32_t)(n - 9));
	memcpy(out + n, change_cipher, sizeof(change_cipher));
	return n + 6;
}

static size_t tls_message(struct rng *r, uint8_t *out, size_t n)
{
	rng_fill(r, out, n);
	out[0] = 0x17;
	out[1] = out[2] = 3;
	packet_be16(out + 3, (uint32_t)(n - 5));
	return n;
}

static size_t http_request(struct rng *r, uint8_t out[MESSAGE_MAX])
{
	static const char *const agents[] = {
		"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
	};
	const char *agent = agents[rng_below(r, 4)];
	char cookie[260] = "";
	int n;

	if (rng_chance(r, 3, 5)) {
		size_t len = rng_range(r, 24, 240);

		for (size_t i = 0; i < len; i++)
			cookie[i] = "0123456789abcdef"[rng_below(r, 16)];
		cookie[len] = '\0';
	}
	n = snprintf((char *)out, MESSAGE_MAX,
	             "GET /item/%u HTTP/1.1\r\nHost: www." ZONE "\r\nUser-Agent: %s\r\nAccept: */*\r\n"
	             "Accept-Language: en\r\n%s%s%sConnection: keep-alive\r\n\r\n",
	             rng_skewed(r, 100000), agent, *cookie ? "Cookie: s=" : "", cookie, *cookie ? "\r\n" : "");
	return (size_t)n;
}

/* A response's size, in octets: most are small, few large, each doubling rarer. */
static uint32_t response_size(struct rng *r)
{
	uint32_t top = 200;

	while (top < 24000 && rng_chance(r, 2, 3))
		top *= 2;
	return rng_range(r, top / 2, top);
}

static int64_t http_exchange(struct conn *c, int64_t t, bool tls)
{
	uint8_t m[MESSAGE_MAX];
	uint32_t size = response_size(c->r);
	size_t n = tls ? tls_message(c->r, m, rng_range(c->r, 60, 620)) : http_request(c->r, m);
	int64_t think = rng_span(c->r, NS_PER_MS, 40 * NS_PER_MS);

	if (think < 5 * NS_PER_MS) { /* the answer carries the acknowledgement */
		conn_segment(c, 0, t, TCP_PSH | TCP_ACK, m, n);
		t += think + c->side[1].delay_ns;
	} else {
		t = conn_say(c, 0, t, m, n) + think;
	}
	if (tls)
		return conn_flow(c, 1, t, size, CONTENT_TLS);
	n = (size_t)snprintf((char *)m, sizeof(m),
	                     "HTTP/1.1 200 OK\r\nServer: example\r\nContent-Type: text/html\r\n"
	                     "Content-Length: %u\r\n\r\n",
	                     size < 69 ? 69 : size);
	conn_segment(c, 1, t, TCP_ACK, m, n);
	return conn_flow(c, 1, t + c->gap_ns, size, CONTENT_TEXT);
}

static int64_t tls_open(struct conn *c, int64_t t)
{
	uint8_t m[MESSAGE_MAX];
	size_t n = client_hello(c->r, m);

	conn_segment(c, 0, t, TCP_PSH | TCP_ACK, m, n);
	t += c->side[1].delay_ns + rng_span(c->r, 400 * NS_PER_US, 4 * NS_PER_MS);
	n = server_hello(c->r, m);
	conn_segment(c, 1, t, TCP_ACK, m, n);
	t = conn_flow(c, 1, t + c->gap_ns, rng_range(c->r, 1200, 3400), CONTENT_TLS);
	memcpy(m, change_cipher, sizeof(change_cipher));
	n = 6 + tls_message(c->r, m + 6, 58);
	return conn_say(c, 0, t + rng_span(c->r, 0, 3 * NS_PER_MS), m, n);
}

/* The client sent its SYN and is gone; the platform repeats its answer until it gives up. */
static void vanish(struct conn *c, int64_t t)
{
	conn_syn(c, t);
	for (int i = 0; i < 5; i++) {
		conn_syn_ack(c, t + c->side[1].delay_ns);
		t += NS_PER_S << i;
	}
}

static void web_session(struct world *w, struct rng *r, int64_t t, bool six, bool faithful)
{
	bool tls = rng_chance(r, 4, 5);
	struct addr client = six ? world_client6(r) : world_client(w, r);
	struct addr server = six ? w->server6 : world_server(w, r);
	unsigned int requests = 1 + rng_skewed(r, 5);
	struct conn c;

	conn_init(&c, w, r, &client, &server, tls ? 443 : 80, false, LABEL_NORMAL);
	if (!faithful && rng_chance(r, 1, 200)) {
		vanish(&c, t);
		return;
	}
	t = conn_open(&c, t);
	t += rng_span(r, 0, 2 * NS_PER_MS);
	if (tls)
		t = tls_open(&c, t);
	for (unsigned int i = 0; i < requests; i++) {
		t = http_exchange(&c, t, tls);
		t += i + 1 < requests ? rng_exp(r, 700 * NS_PER_MS) : rng_exp(r, 200 * NS_PER_MS);
	}
	if (!faithful && rng_chance(r, 1, 20))
		return; /* left open */
	if (!faithful && rng_chance(r, 1, 8))
		conn_reset(&c, 0, t);
	else
		conn_close(&c, rng_chance(r, 2, 3) ? 0 : 1, t);
}

void normal_web(struct world *w, struct load l, bool faithful)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t))
		web_session(w, &r, t, rng_chance(&r, 1, 16), faithful);
}

void normal_outbound(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct addr client = world_server(w, &r), server = world_service(w, 200 + rng_below(&r, 20));
		struct conn c;
		int64_t at;

		conn_init(&c, w, &r, &client, &server, 443, true, LABEL_NORMAL);
		at = tls_open(&c, conn_open(&c, t));
		at = http_exchange(&c, at, true);
		conn_close(&c, 0, at + NS_PER_MS);
	}
}

/* --- UDP services ---------------------------------------------------------------------------------------------- */

void normal_udp(struct world *w, struct udp_pair *u, int64_t t, enum dir dir, const uint8_t *data, size_t len)
{
	bool in = dir == DIR_IN;
	struct pkt p = {
		.t_ns = t,
		.dir = dir,
		.label = LABEL_NORMAL,
		.src = in ? u->far : u->near,
		.dst = in ? u->near : u->far,
		.ttl = in ? u->far_ttl : 64,
		.id = in ? u->far_id++ : u->near_id++,
		.sport = in ? u->far_port : u->near_port,
		.dport = in ? u->near_port : u->far_port,
		.data = data,
		.len = len,
	};

	packet_udp(w, &p);
}

static struct udp_pair pair(struct rng *r, struct addr far, uint16_t far_port, struct addr near, uint16_t near_port)
{
	struct udp_pair u = { .far = far, .near = near, .far_port = far_port, .near_port = near_port };

	u.far_ttl = rng_chance(r, 1, 4) ? 128 : 64;
	u.far_ttl = (uint8_t)(u.far_ttl - rng_range(r, 5, 22));
	u.far_id = rng_u16(r);
	u.near_id = rng_u16(r);
	return u;
}

static size_t put_name(uint8_t *out, const char *name)
{
	size_t n = 0;

	while (*name) {
		const char *dot = strchr(name, '.');
		size_t len = dot ? (size_t)(dot - name) : strlen(name);

		out[n++] = (uint8_t)len;
		memcpy(out + n, name, len);
		n += len;
		name += len + (dot ? 1 : 0);
	}
	out[n++] = 0;
	return n;
}

/* OPT: 1,232 octets, DNSSEC wanted */
static const uint8_t edns[] = { 0, 0, 0x29, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0 };

size_t normal_dns_question(uint8_t *out, uint16_t id, const char *label, const char *zone, uint16_t type, bool opt)
{
	char name[128];
	size_t n = 12;

	snprintf(name, sizeof(name), "%s.%s", label, zone);
	memset(out, 0, 12);
	packet_be16(out, id);
	packet_be16(out + 2, 0x0100);
	packet_be16(out + 4, 1);
	packet_be16(out + 10, opt ? 1 : 0);
	n += put_name(out + n, name);
	packet_be16(out + n, type);
	packet_be16(out + n + 2, 1);
	n += 4;
	if (opt) {
		memcpy(out + n, edns, sizeof(edns));
		n += sizeof(edns);
	}
	return n;
}

/* The answer to a question of q octets in out: so many A records, EDNS kept. */
static size_t dns_answer(struct rng *r, uint8_t *out, size_t q, bool opt, unsigned int answers, bool exists)
{
	/* name of the question, A, IN, 300 s, all but the last octet of an address */
	static const uint8_t address[] = { 0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 203, 0, 113 };
	size_t n = opt ? q - sizeof(edns) : q;

	packet_be16(out + 2, exists ? 0x8580 : 0x8583);
	packet_be16(out + 6, exists ? answers : 0);
	for (unsigned int i = 0; exists && i < answers; i++) {
		memcpy(out + n, address, sizeof(address));
		out[n + 15] = (uint8_t)rng_u32(r);
		n += 16;
	}
	if (opt) {
		memcpy(out + n, edns, sizeof(edns));
		n += sizeof(edns);
	}
	/* The question must say what is answered. */
	if (exists && answers)
		packet_be16(out + (opt ? q - sizeof(edns) : q) - 4, 1);
	return n;
}

void normal_dns_served(struct world *w, struct load l)
{
	static const char *const labels[] = { "www",  "api", "mail", "cdn",   "img1",   "static", "login", "ns1",
		                              "shop", "app", "m1",   "media", "assets", "status", "chat",  "id" };
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct addr client = world_client(w, &r), server = world_server(w, &r);
		struct udp_pair u = pair(&r, client, rng_range16(&r, 1024, 65535), server, 53);
		bool opt = rng_chance(&r, 17, 20), exists = rng_chance(&r, 9, 10);
		uint16_t type = rng_chance(&r, 2, 3) ? 1 : 28;
		uint8_t m[MESSAGE_MAX];
		char guess[8] = "";
		const char *label = labels[rng_skewed(&r, 16)];
		size_t n;

		if (!exists) {
			uint32_t len = rng_range(&r, 2, 7);

			for (uint32_t i = 0; i < len; i++)
				guess[i] = (char)('a' + rng_below(&r, 26));
			guess[len] = '\0';
			label = guess;
		}
		n = normal_dns_question(m, rng_u16(&r), label, ZONE, type, opt);
		normal_udp(w, &u, t, DIR_IN, m, n);
		n = dns_answer(&r, m, n, opt, type == 1 ? 1 + rng_skewed(&r, 4) : 0, exists);
		normal_udp(w, &u, t + rng_span(&r, 60 * NS_PER_US, 400 * NS_PER_US), DIR_OUT, m, n);
	}
}

void normal_dns_asked(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct addr resolver = world_service(w, 53 + rng_below(&r, 2)), server = world_server(w, &r);
		struct udp_pair u = pair(&r, resolver, 53, server, rng_range16(&r, 32768, 60999));
		uint8_t m[MESSAGE_MAX];
		char label[16];
		size_t n;
		uint32_t answers;

		u.far_ttl = 58;
		snprintf(label, sizeof(label), "svc%u", rng_skewed(&r, 2000));
		n = normal_dns_question(m, rng_u16(&r), label, OUTSIDE, 1, true);
		normal_udp(w, &u, t, DIR_OUT, m, n);
		/* Now and then a large one, as signed zones give. */
		answers = rng_chance(&r, 1, 50) ? rng_range(&r, 20, 55) : 1 + rng_skewed(&r, 6);
		n = dns_answer(&r, m, n, true, answers, true);
		normal_udp(w, &u, t + rng_span(&r, 5 * NS_PER_MS, 60 * NS_PER_MS), DIR_IN, m, n);
	}
}

void normal_ntp(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		bool old = rng_chance(&r, 1, 3);
		struct addr clock = world_service(w, 123 + rng_below(&r, 4)), server = world_server(w, &r);
		struct udp_pair u = pair(&r, clock, 123, server, old ? 123 : rng_range16(&r, 32768, 60999));
		uint8_t m[48] = { 0x23, 0, 6, 0xe9 };
		int64_t half = rng_span(&r, 3 * NS_PER_MS, 25 * NS_PER_MS);
		uint32_t now = (uint32_t)(WORLD_EPOCH_S + t / NS_PER_S + INT64_C(2208988800));

		u.far_ttl = 55;
		packet_be32(m + 40, now);
		packet_be32(m + 44, rng_u32(&r));
		normal_udp(w, &u, t, DIR_OUT, m, sizeof(m));
		memcpy(m + 24, m + 40, 8);
		m[0] = 0x24;
		m[1] = 2;
		m[12] = 192;
		m[13] = 0;
		m[14] = 2;
		m[15] = 1;
		packet_be32(m + 16, now - 30);
		packet_be32(m + 32, now);
		rng_fill(&r, m + 36, 4);
		packet_be32(m + 40, now);
		rng_fill(&r, m + 44, 4);
		normal_udp(w, &u, t + 2 * half, DIR_IN, m, sizeof(m));
	}
}

static void quic_session(struct world *w, struct rng *r, int64_t t)
{
	struct addr client = world_client(w, r), server = world_server(w, r);
	struct udp_pair u = pair(r, client, rng_range16(r, 1024, 65535), server, 443);
	int64_t rtt = rng_span(r, 10 * NS_PER_MS, 90 * NS_PER_MS);
	unsigned int rounds = rng_range(r, 2, 9);
	uint8_t m[1500];

	/* Initial: long header, version 1, two connection IDs of 8, no token, length of the rest */
	rng_fill(r, m, sizeof(m));
	m[0] = 0xc3;
	packet_be32(m + 1, 1);
	m[5] = 8;
	m[14] = 0;
	m[15] = 0;
	packet_be16(m + 16, 0x4000u | (1200 - 18));
	normal_udp(w, &u, t, DIR_IN, m, 1200);
	t += rng_span(r, 200 * NS_PER_US, 2 * NS_PER_MS);
	m[5] = 0;
	m[6] = 8;
	m[15] = 0;
	packet_be16(m + 16, 0x4000u | (1200 - 18));
	normal_udp(w, &u, t, DIR_OUT, m, 1200);
	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int down = 1 + rng_skewed(r, 6), up = 1 + rng_below(r, 2);
		uint32_t len;

		t += rtt;
		for (unsigned int k = 0; k < up; k++) {
			rng_fill(r, m, 64);
			m[0] = (uint8_t)(0x40 | (m[0] & 0x3f));
			len = rng_chance(r, 1, 2) ? rng_range(r, 29, 48) : rng_range(r, 60, 900);
			normal_udp(w, &u, t, DIR_IN, m, len);
			t += rng_span(r, 20 * NS_PER_US, 300 * NS_PER_US);
		}
		for (unsigned int k = 0; k < down; k++) {
			m[0] = (uint8_t)(0x40 | (m[0] & 0x3f));
			t += 15 * NS_PER_US;
			normal_udp(w, &u, t, DIR_OUT, m, k + 1 == down ? rng_range(r, 40, 1200) : 1250);
		}
		for (unsigned int k = 0; k < (down + 1) / 2; k++) {
			m[0] = (uint8_t)(0x40 | (m[0] & 0x3f));
			normal_udp(w, &u, t + rtt + k * 30 * NS_PER_US, DIR_IN, m, rng_range(r, 29, 41));
		}
		t += rng_exp(r, 300 * NS_PER_MS);
	}
}

void normal_quic(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t))
		quic_session(w, &r, t);
}

/* --- others ---------------------------------------------------------------------------------------------------- */

void normal_echo(struct world *w, struct load l)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct addr client = world_client(w, &r), server = world_server(w, &r);
		bool windows = rng_chance(&r, 1, 3);
		unsigned int count = 1 + rng_below(&r, 5);
		uint8_t m[56], ttl = (uint8_t)((windows ? 128 : 64) - rng_range(&r, 5, 22));
		uint16_t id = rng_u16(&r), ident = windows ? 1 : rng_u16(&r);

		for (unsigned int i = 0; i < count; i++) {
			int64_t at = t + (int64_t)i * NS_PER_S + rng_span(&r, 0, 5 * NS_PER_MS);
			struct pkt p = {
				.t_ns = at,
				.dir = DIR_IN,
				.label = LABEL_NORMAL,
				.src = client,
				.dst = server,
				.ttl = ttl,
				.id = id++,
				.df = !windows,
				.sport = ident,
				.seq = i + 1,
				.data = m,
				.len = windows ? 32 : 56,
			};

			for (size_t k = 0; k < sizeof(m); k++)
				m[k] = windows ? (uint8_t)('a' + k % 23) : (uint8_t)k;
			if (!windows) {
				packet_be32(m, (uint32_t)(WORLD_EPOCH_S + at / NS_PER_S));
				rng_fill(&r, m + 8, 4);
			}
			packet_echo(w, &p, false);
			p.t_ns += rng_span(&r, 20 * NS_PER_US, 90 * NS_PER_US);
			p.dir = DIR_OUT;
			p.src = server;
			p.dst = client;
			p.ttl = 64;
			p.id = rng_u16(&r);
			p.df = false;
			packet_echo(w, &p, true);
		}
	}
}

static size_t sip_message(char *out, size_t cap, const char *first, unsigned int call, const char *cseq,
                          unsigned int port)
{
	char sdp[256] = "";
	int n;

	if (port)
		snprintf(sdp, sizeof(sdp),
		         "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=call\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		         "m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
		         port);
	n = snprintf(out, cap,
	             "%s\r\nVia: SIP/2.0/UDP phone.example:5060;branch=z9hG4bK%08x\r\nMax-Forwards: 70\r\n"
	             "From: <sip:a%u@phone.example>;tag=%x\r\nTo: <sip:b%u@" ZONE ">\r\nCall-ID: %08x@phone.example\r\n"
	             "CSeq: %s\r\nContact: <sip:a%u@phone.example>\r\n%sContent-Length: %zu\r\n\r\n%s",
	             first, call * 2654435761u, call % 1000, call, call % 777, call * 40503u, cseq, call % 1000,
	             port ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}

static void say_sip(struct world *w, struct udp_pair *u, int64_t t, enum dir dir, const char *first, unsigned int call,
                    const char *cseq, unsigned int port)
{
	char m[1024];

	normal_udp(w, u, t, dir, (const uint8_t *)m, sip_message(m, sizeof(m), first, call, cseq, port));
}

struct rtp {
	uint16_t seq;
	uint32_t stamp, ssrc;
};

static struct rtp rtp_start(struct rng *r)
{
	struct rtp s;

	s.seq = rng_u16(r);
	s.stamp = rng_u32(r);
	s.ssrc = rng_u32(r);
	return s;
}

static void rtp_packet(struct world *w, struct rng *r, struct udp_pair *u, int64_t t, enum dir dir, struct rtp *s)
{
	uint8_t m[172];

	m[0] = 0x80;
	m[1] = 0;
	packet_be16(m + 2, s->seq++);
	packet_be32(m + 4, s->stamp);
	packet_be32(m + 8, s->ssrc);
	rng_fill(r, m + 12, 160);
	s->stamp += 160;
	normal_udp(w, u, t, dir, m, sizeof(m));
}

void normal_call(struct world *w, int64_t from_ns, int64_t to_ns, bool signalled)
{
	struct rng r = world_rng(w);
	struct addr phone = world_client(w, &r), server = world_server(w, &r);
	struct udp_pair sip = pair(&r, phone, 5060, server, 5060);
	uint16_t port = (uint16_t)(16384 + 2 * rng_below(&r, 8000)), near = (uint16_t)(16384 + 2 * rng_below(&r, 8000));
	struct udp_pair media = pair(&r, phone, port, server, near);
	unsigned int call = rng_u16(&r);
	struct rtp up = rtp_start(&r), down = rtp_start(&r);
	int64_t t = from_ns;

	media.far_ttl = sip.far_ttl;
	if (signalled) {
		say_sip(w, &sip, t, DIR_IN, "INVITE sip:b@" ZONE " SIP/2.0", call, "1 INVITE", port);
		say_sip(w, &sip, t + 2 * NS_PER_MS, DIR_OUT, "SIP/2.0 100 Trying", call, "1 INVITE", 0);
		say_sip(w, &sip, t + 120 * NS_PER_MS, DIR_OUT, "SIP/2.0 180 Ringing", call, "1 INVITE", 0);
		t += rng_span(&r, 800 * NS_PER_MS, 2 * NS_PER_S);
		say_sip(w, &sip, t, DIR_OUT, "SIP/2.0 200 OK", call, "1 INVITE", near);
		t += 60 * NS_PER_MS;
		say_sip(w, &sip, t, DIR_IN, "ACK sip:b@" ZONE " SIP/2.0", call, "1 ACK", 0);
	}
	for (; t < to_ns; t += 20 * NS_PER_MS) {
		if (!rng_chance(&r, 1, 200)) /* lost on its way */
			rtp_packet(w, &r, &media, t + rng_span(&r, 0, 4 * NS_PER_MS), DIR_IN, &up);
		rtp_packet(w, &r, &media, t + 7 * NS_PER_MS, DIR_OUT, &down);
	}
	if (signalled) {
		say_sip(w, &sip, t, DIR_IN, "BYE sip:b@" ZONE " SIP/2.0", call, "2 BYE", 0);
		say_sip(w, &sip, t + 3 * NS_PER_MS, DIR_OUT, "SIP/2.0 200 OK", call, "2 BYE", 0);
	}
}

void normal_ssh(struct world *w, int64_t from_ns, int64_t to_ns)
{
	static const char banner[] = "SSH-2.0-OpenSSH_9.2\r\n";
	struct rng r = world_rng(w);
	struct addr client = world_client(w, &r), server = world_server(w, &r);
	struct conn c;
	uint8_t m[128];
	int64_t t;

	conn_init(&c, w, &r, &client, &server, 22, false, LABEL_NORMAL);
	t = conn_open(&c, from_ns);
	memcpy(m, banner, sizeof(banner) - 1);
	t = conn_say(&c, 0, t, m, sizeof(banner) - 1);
	t = conn_say(&c, 1, t, m, sizeof(banner) - 1);
	while (t < to_ns) {
		rng_fill(&r, m, sizeof(m));
		conn_segment(&c, 0, t, TCP_PSH | TCP_ACK, m, 36);
		t += rng_span(&r, 300 * NS_PER_US, 3 * NS_PER_MS);
		conn_segment(&c, 1, t, TCP_PSH | TCP_ACK, m, rng_chance(&r, 1, 10) ? 36u + 8 * rng_below(&r, 10) : 36);
		t += c.side[0].delay_ns;
		conn_segment(&c, 0, t, TCP_ACK, NULL, 0);
		t += rng_exp(&r, rng_chance(&r, 1, 30) ? 4 * NS_PER_S : 180 * NS_PER_MS);
	}
}

static uint64_t scaled(const struct world *w, uint64_t octets)
{
	return octets * w->scale_pc / 100;
}

void normal_transfer(struct world *w, int64_t from_ns, uint64_t octets, bool upload, uint32_t cwnd)
{
	struct rng r = world_rng(w);
	struct addr client = world_client(w, &r);
	struct conn c;
	int64_t t;

	conn_init(&c, w, &r, &client, &w->servers[0], 443, false, LABEL_NORMAL);
	c.cwnd_max = cwnd;
	c.side[0].delay_ns = rng_span(&r, 30 * NS_PER_MS, 60 * NS_PER_MS);
	c.side[1].window = 3000;
	t = tls_open(&c, conn_open(&c, from_ns));
	t = conn_flow(&c, upload ? 0 : 1, t, scaled(w, octets), CONTENT_TLS);
	conn_close(&c, 0, t + 10 * NS_PER_MS);
}

void normal_fetch(struct world *w, int64_t from_ns, uint64_t octets, uint32_t cwnd)
{
	struct rng r = world_rng(w);
	struct addr mirror = world_service(w, 80);
	struct conn c;
	uint8_t m[MESSAGE_MAX];
	int64_t t;

	conn_init(&c, w, &r, &w->servers[0], &mirror, 80, true, LABEL_NORMAL);
	c.cwnd_max = cwnd;
	c.gap_ns = 120 * NS_PER_US;
	c.side[1].delay_ns = 20 * NS_PER_MS;
	t = conn_open(&c, from_ns);
	octets = scaled(w, octets);
	t = conn_say(&c, 0, t, m, http_request(&r, m));
	conn_segment(&c, 1, t, TCP_ACK, m,
	             (size_t)snprintf((char *)m, sizeof(m), "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
	                              (unsigned long long)(octets < 69 ? 69 : octets)));
	t = conn_flow(&c, 1, t + c.gap_ns, octets, CONTENT_TEXT);
	conn_close(&c, 0, t + NS_PER_MS);
}

void normal_mix_changing(struct world *w, uint32_t from_percent, uint32_t to_percent)
{
	static const struct {
		void (*write)(struct world *, struct load);
		uint32_t rate; /* thousandths per second at 100 percent */
	} others[] = {
		{ normal_dns_served, 55000 }, { normal_dns_asked, 14000 }, { normal_ntp, 1500 },
		{ normal_quic, 4000 },        { normal_echo, 1500 },       { normal_outbound, 1000 },
	};
	struct load l = { -EARLIER, w->end_ns, 18000 * from_percent / 100, 18000 * to_percent / 100 };

	normal_web(w, l, false);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		l.from_rate = others[i].rate * from_percent / 100;
		l.to_rate = others[i].rate * to_percent / 100;
		others[i].write(w, l);
	}
	normal_call(w, -NS_PER_S, w->end_ns, false);
	normal_ssh(w, -2 * NS_PER_S, w->end_ns);
	normal_transfer(w, -NS_PER_S, 800000, false, 2);
}

void normal_mix(struct world *w, uint32_t percent)
{
	normal_mix_changing(w, percent, percent);
}
