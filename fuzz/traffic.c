/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic.h"

#include <string.h>

#include "base/cursor.h"
#include "observe/protocol.h"

#define OBSERVATIONS_MAX 256u
#define MIDDLE_EVERY 16u
#define OBSERVATIONS_MIDDLE 3072u
#define OBSERVATIONS_LONG 20480u /* more than the detector remembers */
#define RECORD_SIZE 11u
#define START (1741599912 * NS_PER_S)

/* ---- input ---- */

/* clang-format off */
enum what {
	WHAT_TCP, WHAT_UDP, WHAT_ICMP, WHAT_ICMP_ERROR, WHAT_OTHER,
	WHAT_CONVERSATION, /* TCP: handshake, data both ways, end */
	WHAT_HANDSHAKE,    /* TCP: no data */
	WHAT_QUESTION,     /* UDP: question and answer */
	WHAT_REQUEST,      /* TCP: requests over HTTP, each on the line of its place in the burst */
	WHAT_COUNT,
};

enum where {
	WHERE_HOST, WHERE_NETWORK, WHERE_NEIGHBOURS, WHERE_ANY, /* IPv4: one host; of a /24; of a /20; of all */
	WHERE_HOST6, WHERE_NETWORK6,                            /* IPv6: one host; of a /64 */
	WHERE_OTHER_END,
	WHERE_GROUP,
};
/* clang-format on */

#define TRAIT_FRAGMENT 1u
#define TRAIT_LATER 2u
#define TRAIT_DF 4u
#define TRAIT_TUNNEL 8u
#define TRAIT_BACK 16u /* every second packet goes the other way */
#define TRAIT_MALFORMED 32u
#define TRAIT_CUT 64u
#define TRAIT_OPTIONS 128u

#define REQUEST_FORM 7u     /* in requests[] */
#define REQUEST_AFTER 0x18u /* enum after */
#define REQUEST_PIECE 0x20u /* goes on with what the line has said */
#define REQUEST_KEPT 0x40u  /* on the line that is there, else a new one */
#define REQUEST_UNMET 0x80u /* a new line without a handshake */
#define REQUEST_SIZE 160u

/* clang-format off */
enum after { AFTER_NOTHING, AFTER_TAKEN, AFTER_ANSWER, AFTER_STARVED };

/* %: a number, by chance, or always the same, as TRAIT_BACK says */
static const char *const requests[8] = {
	"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n",
	"GET /?n%=% HTTP/1.1\r\nHost: a\r\nUser-Agent: b\r\n\r\n",
	"GET /api?token=% HTTP/1.1\r\nAccept: b\r\nHost: %\r\n\r\n",
	"HEAD / HTTP/1.0\r\n\r\n",
	"GET /% HTTP/1.1\r\nHost: %\r\n",
	"POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n%%",
	"POST /% HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nX-%: \r\n\r\n123456789",
	"OPTIONS * HTTP/1.1\r\nHost:  doubled\r\n%%",
};
static const char *const pieces[8] = { "X-a: b\r\n", "\r\n", "a", "\r\n\r\n", "HTTP/1.1 200 OK", "GET / HTTP/1.1\r\n\r\n", "0", "b\r\n\r\n" };
static const char *const answers[4] = {
	"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 503 No\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.0 429 \r\n\r\n",
};

static const int64_t steps[16] = {
	0, NS_PER_US, 100 * NS_PER_US, NS_PER_MS, 5 * NS_PER_MS, 20 * NS_PER_MS, 100 * NS_PER_MS,
	NS_PER_S, 10 * NS_PER_S, 100 * NS_PER_S, 86400 * NS_PER_S,
	-NS_PER_MS, -NS_PER_S, -20 * NS_PER_S, INT64_MIN / 8, INT64_MAX / 8,
};
static const uint16_t bursts[16] = { 1, 1, 2, 3, 4, 8, 16, 24, 32, 64, 100, 128, 256, 512, 1024, 2048 };
static const uint16_t lengths[16] = { 0, 0, 1, 4, 8, 12, 32, 48, 90, 172, 440, 516, 1400, 1472, 8972, 65507 };
static const uint32_t weights[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 10, 64, 1000, 4096, 65536, 131072 };
static const uint16_t ports[16] = { 0, 53, 80, 123, 389, 443, 1900, 4500, 5353, 11211, 27015, 50000, 65535 };
/* behind the table's own: one after the other, by chance, one of 64 */
#define PORT_COUNTS 13
#define PORT_ANY 14
static const char beginnings[16][9] = {
	"",                                  /* by chance */
	"\x12\x34\x81\x80\0\1\0\x0a",        /* DNS answer */
	"\x12\x34\1\0\0\1\0\0",              /* DNS question */
	"\xd7\0\3\x2a\0\6\0\x48",            /* NTP monlist */
	"\x24\2\3\xe8\0\0\0\0",              /* NTP time */
	"HTTP/1.1",                          /* SSDP */
	"\x30\x84\0\0\0\x0b",                /* CLDAP */
	"\xc3\0\0\0\1\x08\1\2",              /* QUIC Initial */
	"\xe3\0\0\0\1\x08\1\2",              /* QUIC Handshake */
	"\x40\1\2\3\4\5\6\7",                /* QUIC, short header */
	"\x80\0\0\0\0\0\0\0",                /* RTP: its octets 2 and 3 count */
	"\xff\xff\xff\xffI\x11\0",           /* game server */
	"GET / HT",                          /* HTTP */
	"\1\1\6\0\1\2\3\4",                  /* DHCP */
	"\0\0\0\0\0\0\0\0",                  /* zeros */
	"\xff\xff\xff\xff\xff\xff\xff\xff",
};
#define BEGINNING_COUNTS 10
/* clang-format on */

struct record {
	uint8_t what, from, to, before, burst, ports, detail, traits, payload, weight, seed;
};

static bool record_read(struct cursor *c, struct record *r)
{
	const uint8_t *at = cursor_take(c, RECORD_SIZE);

	if (!at)
		return false;
	*r = (struct record){
		.what = at[0] % WHAT_COUNT,
		.from = at[1],
		.to = at[2],
		.before = at[3],
		.burst = at[4],
		.ports = at[5],
		.detail = at[6],
		.traits = at[7],
		.payload = at[8],
		.weight = at[9],
		.seed = at[10],
	};
	return true;
}

/* ---- records to observations ---- */

/* SplitMix64 (Steele et al., OOPSLA 2014) */
static uint64_t draw(struct stream *s)
{
	uint64_t z = s->chance += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct address ipv4(uint64_t number)
{
	const uint8_t octets[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
		                    (uint8_t)number };

	return address_from_ipv4(octets);
}

static struct address ipv6(uint64_t high, uint64_t low)
{
	struct address address;

	for (unsigned i = 0; i < 8; i++) {
		address.octets[i] = (uint8_t)(high >> (56 - 8 * i));
		address.octets[i + 8] = (uint8_t)(low >> (56 - 8 * i));
	}
	return address;
}

static struct address group(uint32_t which)
{
	switch (which % 8) {
	case 0:
		return ipv4(0xffffffff);
	case 1:
		return ipv4(0xc00002ff);
	case 2:
		return ipv4(0xeffffffa);
	case 3:
		return ipv4(0x7f000001);
	case 4:
		return ipv4(0);
	case 5:
		return ipv6(0xff02ull << 48, 0xfb);
	case 6:
		return ipv6(0, 1);
	default:
		return ipv4(0xe00000fb);
	}
}

/* `base` parts the pools of those who speak from those who are spoken to. */
static struct address place(struct stream *s, uint8_t code, uint32_t base)
{
	uint32_t which = code & 31u;

	switch ((enum where)(code >> 5)) {
	case WHERE_HOST:
		return ipv4(base + which);
	case WHERE_NETWORK:
		return ipv4(base + (which << 8) + (draw(s) & 255));
	case WHERE_NEIGHBOURS:
		return ipv4(base + (which << 12) + (draw(s) & 4095));
	case WHERE_ANY:
		return ipv4(draw(s));
	case WHERE_HOST6:
		return ipv6(0x20010db800000000u + base, which);
	case WHERE_NETWORK6:
		return ipv6(0x20010db800000000u + base + which, draw(s));
	case WHERE_GROUP:
		return group(which);
	case WHERE_OTHER_END:
		break;
	}
	return ipv4(base);
}

static uint16_t port_of(struct stream *s, unsigned code, unsigned index)
{
	if (code < PORT_COUNTS)
		return ports[code];
	if (code == PORT_COUNTS)
		return (uint16_t)(1024 + index);
	return (uint16_t)(code == PORT_ANY ? draw(s) : 32768 + (draw(s) & 63));
}

/* Both of one family: the target's. */
static void set_ends(struct stream *s, const struct record *r, struct observation *o)
{
	o->src = place(s, r->from, 0xc6336400);
	o->dst = place(s, r->to, 0xc0000200);
	if (r->from >> 5 == WHERE_OTHER_END)
		o->src = o->dst;
	if (r->to >> 5 == WHERE_OTHER_END)
		o->dst = o->src;
	if (address_is_ipv4(&o->src) == address_is_ipv4(&o->dst))
		return;
	if (address_is_ipv4(&o->dst))
		o->src = address_from_ipv4(o->src.octets + 12);
	else
		o->src = ipv6(0x20010db8ffff0000u, o->src.octets[15]);
}

static void set_payload(struct stream *s, const struct record *r, struct observation *o, unsigned index)
{
	unsigned which = r->payload & 15;
	uint64_t chance[OBSERVATION_PAYLOAD_MAX / 8];

	o->payload_length = lengths[r->payload >> 4];
	o->payload_kept =
		o->payload_length < OBSERVATION_PAYLOAD_MAX ? (uint8_t)o->payload_length : OBSERVATION_PAYLOAD_MAX;
	if (r->traits & TRAIT_CUT)
		o->payload_kept /= 2;
	for (unsigned i = 0; i < OBSERVATION_PAYLOAD_MAX / 8; i++)
		chance[i] = draw(s);
	memcpy(o->payload, chance, o->payload_kept);
	if (which)
		memcpy(o->payload, beginnings[which], o->payload_kept < 8 ? o->payload_kept : 8);
	if (which == BEGINNING_COUNTS && o->payload_kept >= 4) {
		o->payload[2] = (uint8_t)(index >> 8);
		o->payload[3] = (uint8_t)index;
	}
	o->length += o->payload_length;
}

static void set_tcp(struct stream *s, const struct record *r, struct observation *o, uint8_t flags)
{
	static const uint64_t layouts[4] = { 0x3, 0x2425573, 0x427253, 0xffffffffffffffff };

	o->flags |= OBSERVATION_TCP | OBSERVATION_PORTS;
	o->protocol = PROTOCOL_TCP;
	o->length += 20;
	o->tcp.flags = flags;
	o->tcp.seq = (uint32_t)draw(s);
	o->tcp.ack = flags & TCP_ACK ? (uint32_t)draw(s) : 0;
	o->tcp.window = (uint16_t)(r->seed << 8);
	o->tcp.wscale = 255;
	if (!(r->traits & TRAIT_OPTIONS))
		return;
	o->tcp.options = layouts[r->seed & 3];
	o->tcp.mss = r->seed & 4 ? 1460 : 0;
	o->tcp.wscale = r->seed & 8 ? 7 : 255;
	o->tcp.tsval = r->seed & 16 ? (uint32_t)draw(s) : 0;
	o->flags |= r->seed & 32 ? OBSERVATION_TCP_OPTIONS_BAD : 0;
	o->length += 20;
}

static void set_udp(struct observation *o)
{
	o->flags |= OBSERVATION_PORTS;
	o->protocol = PROTOCOL_UDP;
	o->length += 8;
}

static void set_icmp(const struct record *r, struct observation *o)
{
	o->flags |= OBSERVATION_ICMP;
	o->protocol = address_is_ipv4(&o->dst) ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	o->icmp_type = r->detail;
	o->icmp_code = r->seed & 3;
	o->length += 8;
}

static void set_quote(struct stream *s, const struct record *r, struct observation *o, unsigned index)
{
	set_icmp(r, o);
	o->icmp_type = address_is_ipv4(&o->dst) ? 3 : 1;
	o->flags |= OBSERVATION_QUOTE;
	o->quote.src = r->seed & 4 ? ipv4(draw(s)) : o->dst;
	o->quote.dst = o->src;
	o->quote.protocol = r->seed & 8 ? PROTOCOL_TCP : PROTOCOL_UDP;
	o->quote.src_port = port_of(s, r->ports >> 4, index);
	o->quote.dst_port = port_of(s, r->ports & 15, index);
}

/* An IP header that bears all the record says; what is above it comes after. */
static struct observation packet(struct stream *s, const struct record *r, unsigned index)
{
	struct observation o;

	memset(&o, 0, sizeof(o));
	o.time = s->now;
	o.weight = weights[r->weight >> 4];
	o.ttl = (uint8_t)(r->weight & 8 ? draw(s) : 32u * (r->weight & 7u) + 25u);
	set_ends(s, r, &o);
	o.length = address_is_ipv4(&o.dst) ? 20 : 40;
	o.ip_id = (uint16_t)(address_is_ipv4(&o.dst) ? (r->seed & 128 ? draw(s) : index) : 0);
	if (r->traits & TRAIT_DF && address_is_ipv4(&o.dst))
		o.flags |= OBSERVATION_DF;
	if (r->traits & TRAIT_CUT)
		o.flags |= OBSERVATION_CUT;
	o.src_port = port_of(s, r->ports >> 4, index);
	o.dst_port = port_of(s, r->ports & 15, index);
	return o;
}

/* Takes away what the transport header said. */
static void strip(struct observation *o)
{
	o->flags &= ~(uint32_t)(OBSERVATION_PORTS | OBSERVATION_TCP | OBSERVATION_ICMP | OBSERVATION_QUOTE |
	                        OBSERVATION_TCP_OPTIONS_BAD | OBSERVATION_HTTP | OBSERVATION_BLOCK_END);
	o->src_port = o->dst_port = 0;
	o->icmp_type = o->icmp_code = 0;
	memset(&o->tcp, 0, sizeof(o->tcp));
	memset(&o->quote, 0, sizeof(o->quote));
}

static void wrap(struct stream *s, const struct record *r, struct observation *o)
{
	struct record around = *r;
	struct observation outer;

	around.from = r->seed & 2 ? (uint8_t)(WHERE_ANY << 5) : r->to;
	around.to = r->seed & 1 ? r->to : (uint8_t)(r->to & 31);
	memset(&outer, 0, sizeof(outer));
	set_ends(s, &around, &outer);
	o->flags |= OBSERVATION_TUNNELLED;
	o->outer.src = outer.src;
	o->outer.dst = outer.dst;
	o->outer.protocol = r->seed & 4 ? PROTOCOL_GRE : address_is_ipv4(&o->dst) ? PROTOCOL_IPV4 : PROTOCOL_IPV6;
	o->outer.ttl = o->ttl;
	o->outer.ip_id = (uint16_t)(address_is_ipv4(&outer.dst) ? draw(s) : 0);
	o->outer.length = o->length + 24;
	if (r->seed & 8) { /* a mirror, or an overlay over UDP */
		o->flags |= OBSERVATION_OVERLAY;
		if (!(r->seed & 4)) {
			o->outer.protocol = PROTOCOL_UDP;
			o->outer.src_port = (uint16_t)draw(s);
			o->outer.dst_port = 4789;
		}
	}
}

static void give(struct stream *s, struct observation *o)
{
	bool tunnelled = o->flags & OBSERVATION_TUNNELLED;
	struct packet packet;

	if (s->count >= s->room)
		return;
	packet.observation = *o;
	engine_prepare(s->engine, &packet);
	engine_observe(s->engine, &packet, 1);
	if (s->count == 0 || time_since(o->time, s->first) < 0)
		s->first = o->time;
	if (s->count == 0 || time_since(o->time, s->last) > 0)
		s->last = o->time;
	s->count++;
	s->packets += o->weight;
	s->bytes += (uint64_t)o->weight * (tunnelled ? o->outer.length : o->length);
}

/* The last steps of all packets, behind their payload. */
static void send_off(struct stream *s, const struct record *r, struct observation *o, unsigned index)
{
	if (r->traits & (TRAIT_FRAGMENT | TRAIT_LATER))
		o->flags |= OBSERVATION_FRAGMENT;
	if (r->traits & TRAIT_LATER) {
		strip(o);
		o->flags |= OBSERVATION_LATER_FRAGMENT;
		o->fragment_offset = (uint16_t)(1480 * (1 + (index & 31)));
	} else if (r->traits & TRAIT_MALFORMED) {
		strip(o);
		o->flags |= OBSERVATION_MALFORMED;
		memset(o->payload, 0, sizeof(o->payload));
		o->payload_kept = 0;
		o->payload_length = 0;
	}
	if (r->traits & TRAIT_OPTIONS && r->seed & 64)
		o->flags |= OBSERVATION_IP_OPTIONS;
	if (r->traits & TRAIT_TUNNEL)
		wrap(s, r, o);
	give(s, o);
}

static void finish(struct stream *s, const struct record *r, struct observation *o, unsigned index)
{
	set_payload(s, r, o, index);
	send_off(s, r, o, index);
}

static void turn(struct observation *o)
{
	struct address src = o->src;
	uint16_t src_port = o->src_port;

	o->src = o->dst;
	o->src_port = o->dst_port;
	o->dst = src;
	o->dst_port = src_port;
}

/* Handshake, and where there is data: question, answer, and both ends' FIN. */
static void converse(struct stream *s, const struct record *r, unsigned index, bool data)
{
	static const uint8_t flags[7] = { TCP_SYN,           TCP_SYN | TCP_ACK, TCP_ACK,          TCP_ACK | TCP_PSH,
		                          TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK };
	static const bool back[7] = { false, true, false, false, true, false, true };
	struct observation o = packet(s, r, index);
	uint32_t next[2] = { (uint32_t)draw(s), (uint32_t)draw(s) };

	for (unsigned i = 0; i < (data ? 7u : 3u); i++) {
		struct observation each = o;
		struct record bare = *r;

		if (i != 3 && i != 4)
			bare.payload = 0;
		if (back[i])
			turn(&each);
		set_tcp(s, r, &each, flags[i]);
		each.tcp.seq = next[back[i]];
		each.tcp.ack = flags[i] & TCP_ACK ? next[!back[i]] : 0;
		next[back[i]] += lengths[bare.payload >> 4] + (flags[i] & (TCP_SYN | TCP_FIN) ? 1u : 0u);
		each.time = s->now = time_plus(s->now, NS_PER_MS);
		finish(s, &bare, &each, index);
	}
}

/* One packet on a line, with what decode_frame() reads of its text. */
static void say(struct stream *s, const struct record *r, struct line *l, uint8_t flags, bool back, const char *text,
                unsigned index)
{
	size_t length = strlen(text), kept = r->traits & TRAIT_CUT ? length / 2 : length;
	struct observation o = packet(s, r, index);

	o.src = back ? l->server : l->client;
	o.dst = back ? l->client : l->server;
	o.src_port = back ? l->server_port : l->client_port;
	o.dst_port = back ? l->client_port : l->server_port;
	set_tcp(s, r, &o, flags);
	o.tcp.seq = l->next[back];
	o.tcp.ack = flags & TCP_ACK ? l->next[!back] : 0;
	l->next[back] += (uint32_t)length + (flags & (TCP_SYN | TCP_FIN) ? 1u : 0u);
	o.length += (uint32_t)length;
	o.payload_length = (uint16_t)length;
	o.payload_kept = (uint8_t)(kept < OBSERVATION_PAYLOAD_MAX ? kept : OBSERVATION_PAYLOAD_MAX);
	memcpy(o.payload, text, o.payload_kept);
	if (!(r->traits & TRAIT_FRAGMENT)) {
		if (kept && http_read((const uint8_t *)text, kept, length, &o.http))
			o.flags |= OBSERVATION_HTTP;
		if (flags & TCP_PSH && kept == length && http_ends_block((const uint8_t *)text, length))
			o.flags |= OBSERVATION_BLOCK_END;
	}
	send_off(s, r, &o, index);
	s->now = time_plus(s->now, 100 * NS_PER_US);
}

static void open_line(struct stream *s, const struct record *r, struct line *l, unsigned index)
{
	const struct observation o = packet(s, r, index);

	*l = (struct line){ o.src, o.dst, o.src_port, o.dst_port, { (uint32_t)draw(s), (uint32_t)draw(s) }, true };
	if (r->detail & REQUEST_UNMET)
		return;
	say(s, r, l, TCP_SYN, false, "", index);
	say(s, r, l, TCP_SYN | TCP_ACK, true, "", index);
	say(s, r, l, TCP_ACK, false, "", index);
}

static void compose(const char *form, uint64_t number, char text[REQUEST_SIZE])
{
	size_t at = 0;

	for (; *form && at + 16 < REQUEST_SIZE; form++) {
		if (*form != '%')
			text[at++] = *form;
		else
			for (unsigned i = 0; i < 8; i++, number >>= 4)
				text[at++] = "abcdefghijklmnop"[number & 15];
	}
	text[at] = '\0';
}

static void request(struct stream *s, const struct record *r, unsigned index)
{
	struct line *l = &s->lines[index % TRAFFIC_LINES];
	struct record shut = *r;
	char text[REQUEST_SIZE];

	if (!(r->detail & (REQUEST_KEPT | REQUEST_PIECE)) || !l->open)
		open_line(s, r, l, index);
	if (r->detail & REQUEST_PIECE) {
		say(s, r, l, TCP_PSH | TCP_ACK, false, pieces[r->detail & REQUEST_FORM], index);
	} else {
		compose(requests[r->detail & REQUEST_FORM], r->traits & TRAIT_BACK ? 0xabcd : draw(s), text);
		say(s, r, l, TCP_PSH | TCP_ACK, false, text, index);
	}
	switch ((enum after)((r->detail & REQUEST_AFTER) >> 3)) {
	case AFTER_NOTHING:
		return;
	case AFTER_TAKEN:
		l->next[1] += lengths[r->payload >> 4];
		say(s, r, l, TCP_ACK, false, "", index);
		return;
	case AFTER_ANSWER:
		say(s, r, l, TCP_PSH | TCP_ACK, true, answers[r->payload & 3], index);
		say(s, r, l, r->payload & 4 ? TCP_FIN | TCP_ACK : TCP_ACK, r->payload & 8, "", index);
		return;
	case AFTER_STARVED:
		break;
	}
	/* The window is the seed's: here none. */
	shut.seed = 0;
	l->next[1] += lengths[r->payload >> 4];
	say(s, &shut, l, TCP_ACK, false, "", index);
}

static void ask(struct stream *s, const struct record *r, unsigned index)
{
	struct observation question = packet(s, r, index), answer = question;

	turn(&answer);
	set_udp(&question);
	set_udp(&answer);
	finish(s, r, &question, index);
	answer.time = s->now = time_plus(s->now, 10 * NS_PER_MS);
	finish(s, r, &answer, index);
}

static void send(struct stream *s, const struct record *r, unsigned index)
{
	struct observation o = packet(s, r, index);

	switch ((enum what)r->what) {
	case WHAT_TCP:
		set_tcp(s, r, &o, r->detail);
		break;
	case WHAT_UDP:
		set_udp(&o);
		break;
	case WHAT_ICMP:
	case WHAT_ICMP_ERROR:
		o.src_port = o.dst_port = 0;
		if (r->what == WHAT_ICMP_ERROR)
			set_quote(s, r, &o, index);
		else
			set_icmp(r, &o);
		break;
	case WHAT_OTHER:
	case WHAT_CONVERSATION:
	case WHAT_HANDSHAKE:
	case WHAT_QUESTION:
	case WHAT_REQUEST:
	case WHAT_COUNT:
		strip(&o);
		o.protocol = r->detail;
		break;
	}
	if (r->traits & TRAIT_BACK && index & 1)
		turn(&o);
	finish(s, r, &o, index);
}

static void pass(struct stream *s, int64_t step, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		s->now = time_plus(s->now, step);
}

/* FNV-1a, 64 bits, mixed. */
uint64_t traffic_lot(const uint8_t *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

static uint64_t room_of(uint64_t lot)
{
	if (lot % TRAFFIC_LONG_EVERY == 0)
		return OBSERVATIONS_LONG;
	return lot % MIDDLE_EVERY == 1 ? OBSERVATIONS_MIDDLE : OBSERVATIONS_MAX;
}

void traffic_play(struct stream *s, const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct record r;

	s->now = (struct capture_time){ START };
	s->room = room_of(traffic_lot(data, size));
	while (s->count < s->room && record_read(&c, &r)) {
		s->chance = r.seed;
		pass(s, steps[r.before & 15], 1u + (r.before >> 4));
		for (unsigned i = 0; i < bursts[r.burst & 15] && s->count < s->room; i++) {
			if (i)
				pass(s, steps[r.burst >> 4], 1);
			if (r.what == WHAT_CONVERSATION || r.what == WHAT_HANDSHAKE)
				converse(s, &r, i, r.what == WHAT_CONVERSATION);
			else if (r.what == WHAT_QUESTION)
				ask(s, &r, i);
			else if (r.what == WHAT_REQUEST)
				request(s, &r, i);
			else
				send(s, &r, i);
		}
	}
}
