/* SPDX-License-Identifier: Apache-2.0 */
/* See web.h. RFC 9110, 9112, 6455; header orders as the programs named send them. */
#include "web.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_MAX 4096u

/* Everything behind the request line, with %s for the host. */
static const char *const browsers[] = {
	/* Chrome */
	"Host: %s\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
	"x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36\r\nAccept: text/html,*/*;q=0.8\r\n"
	"Accept-Encoding: gzip, deflate\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: session=8c2b17a9\r\n\r\n",
	/* the same, first visit */
	"Host: %s\r\nConnection: keep-alive\r\nUser-Agent: Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 (KHTML, like "
	"Gecko) Chrome/120.0.0.0 Mobile Safari/537.36\r\nAccept: */*\r\nReferer: http://www.example.net/\r\n"
	"Accept-Encoding: gzip, deflate\r\nAccept-Language: de-DE,de;q=0.9\r\n\r\n",
	/* Firefox */
	"Host: %s\r\nUser-Agent: Mozilla/5.0 (Windows NT 10.0; rv:120.0) Gecko/20100101 Firefox/120.0\r\nAccept: "
	"text/html,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate\r\nConnection: "
	"keep-alive\r\n\r\n",
	/* Safari */
	"Host: %s\r\nAccept: text/html,*/*;q=0.8\r\nUpgrade-Insecure-Requests: 1\r\nUser-Agent: Mozilla/5.0 (iPhone; CPU "
	"iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148\r\nAccept-Language: en-gb\r\nAccept-Encoding: "
	"gzip, deflate\r\nConnection: keep-alive\r\n\r\n",
	/* an application */
	"Host: %s\r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\nUser-Agent: okhttp/4.12.0\r\n\r\n",
};

#define BROWSERS (sizeof(browsers) / sizeof(browsers[0]))

static const char program[] = "Host: %s\r\nUser-Agent: monitor/2.1\r\nAccept: */*\r\n\r\n";
static const char bench[] = "Host: %s\r\nUser-Agent: load/1.3\r\nAccept: */*\r\n\r\n";
static const char cache[] =
	"Host: %s\r\nX-Forwarded-For: 192.0.2.77\r\nX-Forwarded-Proto: https\r\nVia: 1.1 edge\r\nAccept: "
	"*/*\r\nConnection: keep-alive\r\n\r\n";
static const char mirai[] =
	"User-Agent: Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/51.0.2704.103 Safari/537.36\r\nHost: %s\r\nConnection: keep-alive\r\nAccept: "
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\nAccept-Language: "
	"en-US,en;q=0.8\r\n\r\n";
static const char hulk[] =
	"Accept-Encoding: identity\r\nHost: %s\r\nKeep-Alive: 115\r\nUser-Agent: Mozilla/4.0 (compatible; "
	"MSIE 8.0; Windows NT 6.0)\r\nAccept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7\r\nConnection: "
	"close\r\nReferer: http://www.example.org/search?q=QKLMR\r\nCache-Control: no-cache\r\n\r\n";

static size_t request(char out[REQUEST_MAX], const char *method, const char *target, const char *headers)
{
	int line = snprintf(out, REQUEST_MAX, "%s %s HTTP/1.1\r\n", method, target);
	char *at = out + line;
	const char *host = strstr(headers, "%s");
	size_t before = (size_t)(host - headers), after = strlen(host + 2);

	memcpy(at, headers, before);
	memcpy(at + before, "shop.example.net", 16);
	memcpy(at + before + 16, host + 2, after);
	return (size_t)line + before + 16 + after;
}

/* What one side says, in segments without the other's acknowledgement. Returns when the last was seen. */
static int64_t put(struct conn *c, int from, int64_t t, char label, const char *text, size_t len)
{
	size_t room = c->mss - (c->timestamps ? 12u : 0u);
	char before = c->label;

	c->label = label;
	for (size_t at = 0; at < len; at += room) {
		size_t n = len - at < room ? len - at : room;

		if (at)
			t += c->gap_ns;
		conn_segment(c, from, t, at + n == len ? TCP_PSH | TCP_ACK : TCP_ACK, (const uint8_t *)text + at, n);
	}
	c->label = before;
	return t;
}

static int64_t acknowledge(struct conn *c, int who, int64_t t)
{
	t += c->side[who].delay_ns;
	return conn_segment(c, who, t, TCP_ACK, NULL, 0);
}

static int64_t ask(struct conn *c, int64_t t, char label, const char *text, size_t len)
{
	return acknowledge(c, 1, put(c, 0, t, label, text, len));
}

static int64_t answer(struct conn *c, int64_t t, const char *status, uint32_t body)
{
	static char small[1300];
	char head[256];
	int n = snprintf(head, sizeof(head),
	                 "HTTP/1.1 %s\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: %u\r\n\r\n",
	                 status, body);

	if (body <= 1000) {
		memcpy(small, head, (size_t)n);
		memset(small + n, '.', body);
		return acknowledge(c, 0, put(c, 1, t, c->label, small, (size_t)n + body));
	}
	t = put(c, 1, t, c->label, head, (size_t)n);
	return conn_flow(c, 1, t + c->gap_ns, body, CONTENT_TEXT);
}

static void connect_to(struct conn *c, struct world *w, struct rng *r, const struct addr *client, char label)
{
	conn_init(c, w, r, client, &w->target, WEB_PLAIN_PORT, false, label);
}

/* --- attacks --------------------------------------------------------------------------------------------------- */

/* Who has fallen behind goes on at once. */
static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A tool on a Linux machine. */
static void machine_connects(struct conn *c, struct world *w, struct rng *r, const struct machine *m)
{
	connect_to(c, w, r, &m->addr, LABEL_REPLY);
	c->os = tcp_os_linux();
	c->timestamps = true;
	c->loss = 0;
	c->side[0].ttl = (uint8_t)(64 - 5 - m->size % 18);
	c->side[0].id_zero = false;
	c->side[0].port = rng_range16(r, 32768, 60999);
}

static void random_word(struct rng *r, char *out, uint32_t lo, uint32_t hi)
{
	uint32_t n = rng_range(r, lo, hi);

	for (uint32_t i = 0; i < n; i++)
		out[i] = (char)('A' + rng_below(r, 26));
	out[n] = '\0';
}

void web_flood_names(struct world *w, const struct web_attack *a)
{
	struct rng r = world_rng(w);
	int64_t gap = world_gap(w, a->per_s);

	for (int64_t t = a->from_ns + rng_exp(&r, gap); t < a->to_ns - NS_PER_S; t += rng_exp(&r, gap)) {
		char name[12], value[12], target[32], text[REQUEST_MAX];
		struct conn c;
		int64_t at;

		machine_connects(&c, w, &r, &a->pool->m[rng_below(&r, a->pool->n)]);
		random_word(&r, name, 3, 10);
		random_word(&r, value, 3, 10);
		(void)snprintf(target, sizeof(target), "/?%s=%s", name, value);
		at = ask(&c, conn_open(&c, t), a->label, text, request(text, "GET", target, hulk));
		if (a->overwhelms && rng_chance(&r, 3, 4)) {
			conn_reset(&c, 0, at + 10 * NS_PER_S);
			continue;
		}
		at += rng_span(&r, NS_PER_MS, 40 * NS_PER_MS);
		at = answer(&c, at, "200 OK", rng_range(&r, 300, 900));
		conn_close(&c, 1, at);
	}
}

void web_flood_botnet(struct world *w, const struct web_attack *a)
{
	struct rng r = world_rng(w);
	/* Each on one connection, one request after another. */
	int64_t gap = world_gap(w, a->per_s) * a->pool->n;

	for (uint32_t i = 0; i < a->pool->n; i++) {
		char text[REQUEST_MAX];
		size_t len = request(text, "GET", "/", mirai);
		struct conn c;
		int64_t t = a->from_ns + rng_span(&r, 0, gap);

		machine_connects(&c, w, &r, &a->pool->m[i]);
		t = conn_open(&c, t);
		while (t < a->to_ns) {
			int64_t next = t + gap / 2 + rng_span(&r, 0, gap);

			t = ask(&c, t, a->label, text, len);
			t += rng_span(&r, NS_PER_MS, 60 * NS_PER_MS);
			t = answer(&c, t, "200 OK", rng_range(&r, 300, 900));
			t = later(next, t);
		}
		conn_close(&c, 0, t);
	}
}

static uint32_t held(const struct world *w, const struct web_attack *a)
{
	uint32_t n = a->connections * w->scale_pc / 100;

	return n < 30 ? 30 : n;
}

/* Connection number `i` of a slow attack, which begin within two seconds; returns when it is open. */
static int64_t slow_connects(struct conn *c, struct world *w, struct rng *r, const struct web_attack *a, uint32_t i)
{
	int64_t t = a->from_ns + rng_span(r, 0, 2 * NS_PER_S);

	machine_connects(c, w, r, &a->pool->m[i % a->pool->n]);
	return conn_open(c, t);
}

void web_slow_header(struct world *w, const struct web_attack *a)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0, n = held(w, a); i < n; i++) {
		char text[REQUEST_MAX];
		struct conn c;
		int64_t t = slow_connects(&c, w, &r, a, i);
		int length;

		length = snprintf(text, sizeof(text), "GET /?%u HTTP/1.1\r\n", rng_range(&r, 1, 2000));
		t = ask(&c, t, a->label, text, (size_t)length);
		length = snprintf(text, sizeof(text),
		                  "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6)\r\n"
		                  "Accept-language: en-US,en,q=0.5\r\n");
		t = ask(&c, t, a->label, text, (size_t)length);
		for (t += 10 * NS_PER_S; t < a->to_ns; t += 10 * NS_PER_S + rng_span(&r, 0, 50 * NS_PER_MS)) {
			length = snprintf(text, sizeof(text), "X-a: %u\r\n", rng_range(&r, 1, 5000));
			ask(&c, t, a->label, text, (size_t)length);
		}
		conn_close(&c, 0, a->to_ns + rng_span(&r, 0, 100 * NS_PER_MS));
	}
}

void web_slow_body(struct world *w, const struct web_attack *a)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0, n = held(w, a); i < n; i++) {
		char text[REQUEST_MAX];
		struct conn c;
		int64_t t = slow_connects(&c, w, &r, a, i);
		int length;

		length = snprintf(text, sizeof(text),
		                  "POST /contact HTTP/1.1\r\nHost: shop.example.net\r\nUser-Agent: Mozilla/5.0\r\n"
		                  "Connection: keep-alive\r\nContent-Length: 1000000\r\nContent-Type: "
		                  "application/x-www-form-urlencoded\r\n\r\n");
		t = ask(&c, t, a->label, text, (size_t)length);
		for (t += NS_PER_S; t < a->to_ns; t += rng_span(&r, NS_PER_S, 4 * NS_PER_S)) {
			text[0] = (char)('a' + rng_below(&r, 26));
			ask(&c, t, a->label, text, 1);
		}
		conn_close(&c, 0, a->to_ns + rng_span(&r, 0, 100 * NS_PER_MS));
	}
}

/* An acknowledgement that takes nothing more. */
static void closed_window(struct conn *c, int64_t t, char label)
{
	const struct tcp_side *s = &c->side[0];
	/* clang-format off */
	struct pkt p = {
		.t_ns = t, .dir = s->dir, .label = label, .src = s->addr, .dst = c->side[1].addr, .ttl = s->ttl,
		.id = c->side[0].id++, .df = true, .sport = s->port, .dport = c->side[1].port, .seq = s->seq,
		.ack = c->side[1].seq, .flags = TCP_ACK,
	};
	/* clang-format on */

	packet_tcp(c->w, &p);
}

void web_slow_read(struct world *w, const struct web_attack *a)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0, n = held(w, a); i < n; i++) {
		char text[REQUEST_MAX];
		uint8_t octets[1152];
		struct conn c;
		int64_t t = a->from_ns + rng_span(&r, 0, 2 * NS_PER_S), wait = 2 * NS_PER_S;

		machine_connects(&c, w, &r, &a->pool->m[i % a->pool->n]);
		c.timestamps = false;
		c.side[0].window = 1152;
		t = conn_open(&c, t);
		t = ask(&c, t, LABEL_REPLY, text, request(text, "GET", "/catalogue.pdf", browsers[2]));
		memset(octets, '.', sizeof(octets));
		memcpy(octets, "HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", 44);
		conn_segment(&c, 1, t + 2 * NS_PER_MS, TCP_ACK, octets, sizeof(octets));
		for (t += 2 * NS_PER_MS + c.side[0].delay_ns; t < a->to_ns; t += c.side[0].delay_ns) {
			closed_window(&c, t, a->label);
			t += wait;
			wait = wait < 8 * NS_PER_S ? 2 * wait : wait;
			/* The server's probe: one octet before what it may send. */
			if (t < a->to_ns) {
				c.side[1].seq--;
				conn_segment(&c, 1, t, TCP_ACK, NULL, 0);
				c.side[1].seq++;
			}
		}
		conn_reset(&c, 0, a->to_ns + rng_span(&r, 0, 100 * NS_PER_MS));
	}
}

/* --- no attack ------------------------------------------------------------------------------------------------- */

struct visit {
	int64_t delay_ns;
	uint32_t refused;
	const char *headers;
};

static int64_t fetch(struct conn *c, int64_t t, const struct visit *v, const char *target, uint32_t body)
{
	char text[REQUEST_MAX];
	int64_t asked = ask(c, t, c->label, text, request(text, "GET", target, v->headers));
	int64_t ready = asked + rng_span(c->r, NS_PER_MS, 10 * NS_PER_MS + v->delay_ns);

	if (v->refused && rng_chance(c->r, 1, v->refused))
		return answer(c, ready, "503 Service Unavailable", 180);
	return answer(c, ready, "200 OK", body);
}

static void person(struct world *w, struct rng *r, int64_t t, const struct visit *v)
{
	struct addr client = world_client(w, r);
	struct conn page;
	char target[64];
	uint32_t parts = rng_range(r, 3, 8), lines = rng_range(r, 1, 3);
	bool front;

	connect_to(&page, w, r, &client, LABEL_NORMAL);
	t = conn_open(&page, t);
	front = rng_chance(r, 3, 4);
	t = fetch(&page, t, v, front ? "/" : "/offer?id=17", rng_range(r, 3000, 9000));
	for (uint32_t k = 1; k < lines; k++) {
		struct conn c;
		int64_t at = t + rng_span(r, 5 * NS_PER_MS, 40 * NS_PER_MS);

		connect_to(&c, w, r, &client, LABEL_NORMAL);
		at = conn_open(&c, at);
		for (uint32_t i = 0; i < parts / lines; i++) {
			(void)snprintf(target, sizeof(target), "/static/%u.js?v=%u", k * 10 + i, 4711u);
			at = fetch(&c, at, v, target, rng_range(r, 500, 12000));
		}
		conn_close(&c, 0, at + NS_PER_S);
	}
	for (uint32_t i = 0; i < parts / lines; i++) {
		(void)snprintf(target, sizeof(target), "/image/%u.jpg", i);
		t = fetch(&page, t + 3 * NS_PER_MS, v, target, rng_range(r, 500, 20000));
	}
	/* Some reload. */
	if (rng_chance(r, 1, 4)) {
		t += rng_span(r, NS_PER_S, 4 * NS_PER_S);
		t = fetch(&page, t, v, "/", rng_range(r, 3000, 9000));
	}
	conn_close(&page, rng_chance(r, 1, 2) ? 0 : 1, t + 2 * NS_PER_S);
}

void web_people(struct world *w, struct load l, int64_t delay_ns, uint32_t refused)
{
	struct rng r = world_rng(w);

	for (int64_t t = load_next(w, &r, &l, l.from_ns); t < l.to_ns; t = load_next(w, &r, &l, t)) {
		struct visit v = { .delay_ns = delay_ns, .refused = refused };

		v.headers = browsers[rng_skewed(&r, BROWSERS)];
		person(w, &r, t, &v);
	}
}

void web_crawler(struct world *w, int64_t from_ns, int64_t to_ns)
{
	struct rng r = world_rng(w);
	struct addr client = world_public(w, &r);
	struct visit v = { .headers = program };

	for (int line = 0; line < 2; line++) {
		int64_t gap = world_gap(w, 15), t = from_ns;
		struct conn c;
		char target[64];

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		t = conn_open(&c, t);
		for (int64_t next = t; t < to_ns; next += gap, t = later(next, t)) {
			uint32_t page = rng_below(&r, 90000);

			(void)snprintf(target, sizeof(target), "/index.php?page=%u&sort=%u", page, rng_below(&r, 4));
			t = fetch(&c, t, &v, target, rng_range(&r, 800, 9000));
		}
		conn_close(&c, 0, t);
	}
}

void web_monitors(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t monitors)
{
	struct rng r = world_rng(w);
	struct visit v = { .headers = program };

	for (uint32_t i = 0; i < monitors; i++) {
		struct addr client = world_client(w, &r);

		for (int64_t t = from_ns + rng_span(&r, 0, NS_PER_S); t < to_ns; t += NS_PER_S) {
			struct conn c;

			connect_to(&c, w, &r, &client, LABEL_NORMAL);
			conn_close(&c, 1, fetch(&c, conn_open(&c, t), &v, "/health", 15));
		}
	}
}

void web_load_test(struct world *w, int64_t from_ns, int64_t to_ns)
{
	struct rng r = world_rng(w);
	struct addr client = world_client(w, &r);
	struct visit v = { .headers = bench };
	int64_t t = from_ns;

	while (t < to_ns) {
		struct conn c;

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		c.loss = 0;
		c.side[0].delay_ns = 400 * NS_PER_US;
		t = conn_close(&c, 1, fetch(&c, conn_open(&c, t), &v, "/hello.html", 220));
	}
}

void web_waiting(struct world *w, int64_t to_ns, uint32_t clients)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < clients * w->scale_pc / 100; i++) {
		struct addr client = world_client(w, &r);
		int64_t t = rng_span(&r, 0, 10 * NS_PER_S);
		char text[REQUEST_MAX];
		struct conn c;

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		t = conn_open(&c, t);
		if (i % 3 == 0) {
			uint8_t frame[60];

			t = ask(&c, t, LABEL_NORMAL, text,
			        request(text, "GET", "/socket",
			                "Host: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
			                "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
			t = put(&c, 1, t, LABEL_NORMAL,
			        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 56);
			for (; t < to_ns; t += rng_span(&r, 2 * NS_PER_S, 9 * NS_PER_S)) {
				rng_fill(&r, frame, sizeof(frame));
				frame[0] = 0x81;
				conn_say(&c, (int)(frame[1] & 1), t, frame, rng_range(&r, 6, 60));
			}
			continue;
		}
		while (t < to_ns) {
			t = ask(&c, t, LABEL_NORMAL, text,
			        request(text, "GET", "/events?_=1718000000", browsers[i % BROWSERS]));
			t += rng_span(&r, 8 * NS_PER_S, 45 * NS_PER_S);
			t = answer(&c, t, "200 OK", 40) + 20 * NS_PER_MS;
		}
	}
}

static void telephone(struct world *w, struct rng *r, const struct addr *client, int64_t from_ns, int64_t to_ns)
{
	struct visit v = { .delay_ns = 20 * NS_PER_MS, .headers = browsers[BROWSERS - 1] };
	int64_t t = from_ns + rng_span(r, 0, 3 * NS_PER_S);
	struct conn c;

	connect_to(&c, w, r, client, LABEL_NORMAL);
	t = conn_open(&c, t);
	for (int64_t next = t; t < to_ns; next += NS_PER_S, t = later(next, t))
		t = fetch(&c, t, &v, "/api/bids/17", rng_range(r, 80, 300));
	conn_close(&c, 0, t);
}

void web_polling(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < clients * w->scale_pc / 100; i++) {
		struct addr client = world_client(w, &r);

		telephone(w, &r, &client, from_ns, to_ns);
	}
}

#define SHARED_MAX 400

static uint32_t shared_addresses(struct world *w, struct rng *r, uint32_t n, struct addr out[SHARED_MAX])
{
	if (n > SHARED_MAX)
		n = SHARED_MAX;
	for (uint32_t i = 0; i < n; i++)
		out[i] = world_client(w, r);
	return n;
}

void web_translated(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients, uint32_t addresses)
{
	struct rng r = world_rng(w);
	struct addr shared[SHARED_MAX];
	uint32_t n = shared_addresses(w, &r, addresses, shared);

	for (uint32_t i = 0; i < clients * w->scale_pc / 100; i++)
		telephone(w, &r, &shared[i % n], from_ns, to_ns);
}

void web_proxies(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s)
{
	struct rng r = world_rng(w);
	struct visit v = { .headers = cache };
	struct addr shared[SHARED_MAX];
	uint32_t n = shared_addresses(w, &r, 60, shared);
	int64_t gap = world_gap(w, per_s);

	for (int64_t t = from_ns + rng_exp(&r, gap); t < to_ns; t += rng_exp(&r, gap)) {
		struct conn c;
		const char *target;
		uint32_t body;

		connect_to(&c, w, &r, &shared[rng_below(&r, n)], LABEL_NORMAL);
		body = rng_range(&r, 800, 3000);
		target = rng_chance(&r, 1, 10) ? "/about" : "/";
		conn_close(&c, 0, fetch(&c, conn_open(&c, t), &v, target, body));
	}
}

static int64_t announce(struct conn *c, int64_t t, uint32_t octets, bool in_pieces)
{
	char text[REQUEST_MAX];
	int length = snprintf(text, sizeof(text),
	                      "POST /photos HTTP/1.1\r\nHost: shop.example.net\r\nUser-Agent: okhttp/4.12.0\r\n"
	                      "Content-Type: image/jpeg\r\nContent-Length: %u\r\n\r\n",
	                      octets);

	if (!in_pieces)
		return put(c, 0, t, c->label, text, (size_t)length);
	t = ask(c, t, c->label, text, 70);
	return put(c, 0, t + rng_span(c->r, 500 * NS_PER_MS, 4 * NS_PER_S), c->label, text + 70, (size_t)length - 70);
}

void web_uploads(struct world *w, int64_t from_ns, uint32_t clients)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < clients; i++) {
		struct addr client = world_client(w, &r);
		uint32_t octets = rng_range(&r, 300000, 900000) / 100 * w->scale_pc;
		struct conn c;
		int64_t t = from_ns + rng_span(&r, 0, 10 * NS_PER_S);

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		c.cwnd_max = 8;
		t = announce(&c, conn_open(&c, t), octets, false);
		t = conn_flow(&c, 0, t + c.gap_ns, octets, CONTENT_RANDOM);
		conn_close(&c, 0, answer(&c, t + 5 * NS_PER_MS, "201 Created", 20));
	}
}

void web_slow_lines(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t clients)
{
	struct rng r = world_rng(w);

	for (uint32_t i = 0; i < clients * w->scale_pc / 100; i++) {
		struct addr client = world_client(w, &r);
		struct visit v = { .headers = browsers[i % BROWSERS] };
		char text[REQUEST_MAX];
		size_t len = request(text, "GET", "/", v.headers), half = len / 2;
		int64_t t = from_ns + rng_span(&r, 0, 20 * NS_PER_S);
		struct conn c;

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		c.side[0].delay_ns = rng_span(&r, 300 * NS_PER_MS, 1200 * NS_PER_MS);
		c.cwnd_max = 2;
		t = conn_open(&c, t);
		/* The second half of the request was lost, and came again. */
		t = ask(&c, t, LABEL_NORMAL, text, half);
		t = ask(&c, t + rng_span(&r, 200 * NS_PER_MS, 3 * NS_PER_S), LABEL_NORMAL, text + half, len - half);
		t = answer(&c, t, "200 OK", 9000);
		if (i % 2) {
			/* A picture in spurts, with a tunnel on the way. */
			t = announce(&c, t, 24000, true);
			t = conn_flow(&c, 0, t + c.gap_ns, 12000, CONTENT_RANDOM);
			t += rng_chance(&r, 1, 2) ? rng_span(&r, 5 * NS_PER_S, 25 * NS_PER_S) : NS_PER_S;
			t = conn_flow(&c, 0, t, 12000, CONTENT_RANDOM);
			t = answer(&c, t, "201 Created", 20);
		} else {
			/* A player that has enough for now. */
			t = fetch(&c, t, &v, "/clip.mp4", 20000);
			closed_window(&c, t + NS_PER_MS, LABEL_NORMAL);
			t += rng_span(&r, 10 * NS_PER_S, 20 * NS_PER_S);
			if (t < to_ns)
				t = conn_flow(&c, 1, t, 20000, CONTENT_RANDOM);
		}
		conn_close(&c, 0, t + NS_PER_S);
	}
}

void web_caches(struct world *w, int64_t from_ns, int64_t to_ns, uint32_t per_s)
{
	struct rng r = world_rng(w);
	struct visit v = { .delay_ns = 20 * NS_PER_MS, .headers = cache };
	int64_t gap = world_gap(w, per_s) * 24;

	for (uint32_t i = 0; i < 24; i++) {
		struct addr client = world_service(w, 100 + i % 8);
		int64_t t = from_ns + rng_span(&r, 0, gap);
		char target[64];
		struct conn c;

		connect_to(&c, w, &r, &client, LABEL_NORMAL);
		conn_midstream(&c);
		for (int64_t next = t; t < to_ns; next += rng_exp(&r, gap), t = later(next, t)) {
			if (rng_chance(&r, 1, 3))
				(void)snprintf(target, sizeof(target), "/api/price?sku=%u", rng_below(&r, 100000));
			else
				(void)snprintf(target, sizeof(target), "/image/%u.jpg", rng_below(&r, 100000));
			t = fetch(&c, t, &v, target, rng_range(&r, 400, 6000));
		}
	}
}
