/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks are from the published source of Mirai and its analyses (Antonakakis et al., USENIX Security 2017), the
 * documented behaviour of ZMap and masscan, and public reports on LOIC, HOIC, HULK, GoldenEye and Slowloris.
 */
#include "trace/family.h"

#include <stdlib.h>
#include <string.h>

#include "base/octets.h"
#include "observe/protocol.h"

#define LAYOUT5(a, b, c, d, e) \
	((uint64_t)(a) | (uint64_t)(b) << 4 | (uint64_t)(c) << 8 | (uint64_t)(d) << 12 | (uint64_t)(e) << 16)

static const uint64_t layout_mirai =
	LAYOUT5(TCP_OPTION_MSS, TCP_OPTION_SOK, TCP_OPTION_TS, TCP_OPTION_NOP, TCP_OPTION_WS);

static bool payload_starts(const struct observation *o, const char *text)
{
	size_t length = strlen(text);

	return o->payload_kept >= length && memcmp(o->payload, text, length) == 0;
}

static uint32_t address_ipv4(const struct address *a)
{
	return (uint32_t)octets_get_be(a->octets + 12, 4);
}

static bool mirai_scan(const struct observation *o)
{
	return protocol_is_bare_syn(o) && address_is_ipv4(&o->dst) && o->tcp.seq == address_ipv4(&o->dst);
}

static bool mirai_syn(const struct observation *o)
{
	return protocol_is_bare_syn(o) && o->tcp.window == 0 && o->tcp.options == layout_mirai && o->tcp.wscale == 6;
}

static bool mirai_ack(const struct observation *o)
{
	return (o->flags & OBSERVATION_TCP) && o->tcp.flags == TCP_ACK && o->payload_length == 512 &&
	       o->tcp.options == 0;
}

static bool mirai_stomp(const struct observation *o)
{
	return (o->flags & OBSERVATION_TCP) && o->tcp.flags == (TCP_ACK | TCP_PSH) && o->payload_length == 768;
}

static bool mirai_vse(const struct observation *o)
{
	return o->protocol == PROTOCOL_UDP && o->dst_port == 27015 &&
	       payload_starts(o, "\xff\xff\xff\xffTSource Engine Query");
}

static bool mirai_gre(const struct observation *o)
{
	uint16_t outer = o->ip_id, inner = o->quote.ip_id;
	uint16_t outer_swapped = (uint16_t)(outer << 8 | outer >> 8),
		 inner_swapped = (uint16_t)(inner << 8 | inner >> 8);

	return (o->flags & OBSERVATION_TUNNELLED) && o->protocol == PROTOCOL_GRE && o->quote.protocol == PROTOCOL_UDP &&
	       o->quote.payload_length == 512 &&
	       (inner == (uint16_t) ~(outer - 1000) || inner_swapped == (uint16_t) ~(outer_swapped - 1000));
}

/* A question whose first label is twelve lower-case letters and digits. */
static bool mirai_dns(const struct observation *o)
{
	if (o->protocol != PROTOCOL_UDP || o->dst_port != 53 || o->payload_kept < 26 || o->payload[12] != 12)
		return false;
	for (unsigned i = 13; i < 25; i++)
		if (!(o->payload[i] >= 'a' && o->payload[i] <= 'z') && !(o->payload[i] >= '0' && o->payload[i] <= '9'))
			return false;
	return true;
}

static bool mirai_udp(const struct observation *o)
{
	uint32_t first, second;

	if (o->protocol != PROTOCOL_UDP || o->payload_length != 512 || o->payload_kept < 8 || o->src_port < 1024 ||
	    (o->flags & OBSERVATION_TUNNELLED) || !address_is_ipv4(&o->dst) || o->ip_id == 0)
		return false;
	memcpy(&first, o->payload, sizeof(first));
	memcpy(&second, o->payload + 4, sizeof(second));
	return first != second && first != 0 && second != 0; /* random octets seldom repeat */
}

static bool zmap(const struct observation *o)
{
	return protocol_is_bare_syn(o) && o->ip_id == 54321 && o->tcp.window == 65535;
}

static bool masscan(const struct observation *o)
{
	uint32_t dst = address_ipv4(&o->dst), mixed = dst ^ o->dst_port ^ o->tcp.seq;

	return protocol_is_bare_syn(o) && address_is_ipv4(&o->dst) && o->tcp.window == 1024 + 1 &&
	       (o->ip_id == (uint16_t)mixed || o->ip_id == (uint16_t)(mixed ^ mixed >> 16));
}

static bool loic(const struct observation *o)
{
	return (o->flags & OBSERVATION_TCP) && o->payload_length == 18 && payload_starts(o, "GET / HTTP/1.1\r\n\r\n");
}

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

/* Of the payload from `at` on, how many octets in a row are of these kinds. */
static unsigned run_of(const struct observation *o, unsigned at, bool lower)
{
	unsigned from = at;

	while (at < o->payload_kept && (is_upper(o->payload[at]) || (lower && is_lower(o->payload[at])) ||
	                                (lower && o->payload[at] >= '0' && o->payload[at] <= '9')))
		at++;
	return at - from;
}

/* /?NAME=VALUE, both of 3 to 10 capital letters. */
static bool hulk(const struct observation *o)
{
	unsigned name = run_of(o, 6, false), value;

	if (!(o->flags & OBSERVATION_HTTP) || !payload_starts(o, "GET /?") || name < 3 || name > 10 ||
	    6 + name >= o->payload_kept || o->payload[6 + name] != '=')
		return false;
	value = run_of(o, 7 + name, false);
	return value >= 3 && value <= 10 &&
	       (7 + name + value == o->payload_kept || o->payload[7 + name + value] == ' ');
}

/* /?name=value&name=value…, names of 3 to 20 letters and digits in both cases. */
static bool goldeneye(const struct observation *o)
{
	unsigned name = run_of(o, 6, true), value;
	bool upper = false, lower = false;

	if (!(o->flags & OBSERVATION_HTTP) || !payload_starts(o, "GET /?") || name < 3 || name > 20 ||
	    6 + name >= o->payload_kept || o->payload[6 + name] != '=')
		return false;
	for (unsigned i = 6; i < 6 + name; i++) {
		upper = upper || is_upper(o->payload[i]);
		lower = lower || is_lower(o->payload[i]);
	}
	value = run_of(o, 7 + name, true);
	return upper && lower && value <= 20 &&
	       (7 + name + value == o->payload_kept || (value >= 3 && o->payload[7 + name + value] == '&'));
}

/* A request line alone for /?NUMBER, then now and then a header that means nothing. */
static bool slowloris(const struct observation *o)
{
	if ((o->flags & OBSERVATION_TCP) && (payload_starts(o, "X-a: ") || payload_starts(o, "X-a:b")))
		return o->payload_length < 32;
	if (!(o->flags & OBSERVATION_HTTP) || (o->http.flags & (HTTP_ENDED | HTTP_CUT | HTTP_NAMED)))
		return false;
	return (payload_starts(o, "GET /?") && o->http.headers == 0 && o->payload_length < 32 && o->payload_kept > 6 &&
	        o->payload[6] >= '0' && o->payload[6] <= '9') ||
	       ((o->http.flags & HTTP_LENGTH) && o->http.length == 42);
}

static bool hoic(const struct observation *o)
{
	return (o->flags & OBSERVATION_HTTP) && (o->http.flags & HTTP_DOUBLED) &&
	       (payload_starts(o, "GET /") || payload_starts(o, "POST /"));
}

static bool mirai_http(const struct observation *o)
{
	return (o->flags & OBSERVATION_HTTP) && o->http.headers == 5 &&
	       o->http.order == http_order_of("User-Agent\nHost\nConnection\nAccept\nAccept-Language\n");
}

/* What one device keeps; 0: nothing. */
static uint64_t device_syn(const struct observation *o)
{
	return o->tcp.tsval ? (uint64_t)o->tcp.tsval << 16 | o->tcp.mss : 0;
}

static uint64_t device_gre(const struct observation *o)
{
	return (uint64_t)o->ip_id << 16 | o->quote.ip_id;
}

static const struct {
	struct family family;
	bool (*bears)(const struct observation *observation);
} families[] = {
	{ { "mirai", "scan: SYN whose sequence number is its destination address" }, mirai_scan },
	{ { "mirai", "SYN flood: window 0, options mss,sok,ts,nop,ws with scale 6" }, mirai_syn },
	{ { "mirai", "ACK flood: 512 octets of payload, no options" }, mirai_ack },
	{ { "mirai", "STOMP flood: PSH+ACK with 768 octets of payload" }, mirai_stomp },
	{ { "mirai", "VSE flood: Source engine query to port 27015" }, mirai_vse },
	{ { "mirai", "GRE-IP flood: inner IP ID is the complement of the outer one less 1000" }, mirai_gre },
	{ { "mirai", "DNS flood: questions whose first label is 12 random characters (a weak mark)" }, mirai_dns },
	{ { "mirai", "UDP flood: 512 octets of payload (a weak mark)" }, mirai_udp },
	{ { "zmap", "SYN with IP ID 54321 and window 65535" }, zmap },
	{ { "masscan", "SYN with window 1025 and IP ID made from destination and sequence number" }, masscan },
	{ { "loic", "bare GET / HTTP/1.1 without any header" }, loic },
	{ { "hoic", "two spaces behind the names of headers" }, hoic },
	{ { "mirai", "HTTP flood: headers User-Agent, Host, Connection, Accept, Accept-Language in this order" },
	  mirai_http },
	{ { "hulk", "GET /?NAME=VALUE, both 3 to 10 random capital letters" }, hulk },
	{ { "goldeneye", "GET /?name=value&name=value with random names of 3 to 20 characters (a weak mark)" },
	  goldeneye },
	{ { "slowloris", "GET /?number without the end of its header, then X-a: lines (or Content-Length: 42)" },
	  slowloris },
};

size_t family_count(void)
{
	return sizeof(families) / sizeof(families[0]);
}

const struct family *family_get(size_t index)
{
	return &families[index].family;
}

size_t family_of(const struct observation *observation)
{
	for (size_t i = 0; i < family_count(); i++)
		if (families[i].bears(observation))
			return i + 1;
	return 0;
}

/* Of the rows whose mark has something that each device keeps. */
static const struct {
	bool (*bears)(const struct observation *observation);
	uint64_t (*device)(const struct observation *observation);
} kept[] = {
	{ mirai_syn, device_syn },
	{ mirai_gre, device_gre },
};

#define DEVICE_PACKETS_MIN 50 /* fewer say nothing */
#define DEVICE_CHANGES 9      /* of ten packets nine differ: it changes with each */

static int by_number(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Chao, Scandinavian Journal of Statistics 11, 1984, with its correction for bias: from those seen once and twice. */
static uint64_t count_devices(const uint64_t *marks, size_t count)
{
	uint64_t seen = 0, once = 0, twice = 0;

	for (size_t from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && marks[to] == marks[from];)
			to++;
		seen++;
		once += to - from == 1;
		twice += to - from == 2;
	}
	/* One alone may be a constant of the tool's. */
	if (seen < 2 || seen * 10 >= count * DEVICE_CHANGES)
		return 0;
	return seen + (once ? once * (once - 1) / (2 * (twice + 1)) : 0);
}

uint64_t family_devices(size_t index, const struct sample *sample)
{
	uint64_t (*device)(const struct observation *) = NULL;
	uint64_t *marks, devices = 0;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]) && index < family_count(); i++)
		if (families[index].bears == kept[i].bears)
			device = kept[i].device;
	if (!device || sample->used < DEVICE_PACKETS_MIN)
		return 0;
	marks = calloc(sample->used, sizeof(*marks));
	if (!marks)
		return 0;
	for (uint32_t i = 0; i < sample->used; i++) {
		struct observation o;

		sample_read(sample, i, &o);
		if (family_of(&o) == index + 1 && device(&o))
			marks[count++] = device(&o);
	}
	if (count >= DEVICE_PACKETS_MIN) {
		qsort(marks, count, sizeof(*marks), by_number);
		devices = count_devices(marks, count);
	}
	free(marks);
	return devices;
}
