/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See reflect.h. Payloads: RFC 1035, 2131, 2608, 4511, 3416, 1057, 1350, 1002, 862-865, 7252;
 * US-CERT TA14-017A.
 */
#include "reflect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing payloads: appends stop at the end of the room ------------------------------------------------------ */

struct buf {
	uint8_t *p;
	size_t n, cap;
};

static struct buf buf_on(uint8_t *out, size_t want)
{
	return (struct buf){ out, 0, want < REFLECT_PAYLOAD_MAX ? want : REFLECT_PAYLOAD_MAX };
}

static void put(struct buf *b, const void *p, size_t n)
{
	if (n > b->cap - b->n)
		n = b->cap - b->n;
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put8(struct buf *b, uint32_t v)
{
	uint8_t x = (uint8_t)v;

	put(b, &x, 1);
}

static void put16(struct buf *b, uint32_t v)
{
	uint8_t x[2];

	packet_be16(x, v);
	put(b, x, 2);
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b, v & 0xffff);
}

static void put_text(struct buf *b, const char *s)
{
	put(b, s, strlen(s));
}

static void putf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void putf(struct buf *b, const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		put(b, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static size_t room(const struct buf *b)
{
	return b->cap - b->n;
}

static void put_noise(struct buf *b, struct rng *r, size_t n)
{
	uint8_t x[64];

	while (n && room(b)) {
		size_t k = n < sizeof(x) ? n : sizeof(x);

		rng_fill(r, x, k);
		put(b, x, k);
		n -= k;
	}
}

/* Letters that do not look like anything. */
static void put_words(struct buf *b, struct rng *r, size_t n)
{
	while (n-- && room(b))
		put8(b, rng_chance(r, 1, 7) ? ' ' : (uint32_t)'a' + rng_below(r, 26));
}

/* A number that stays with one reflector. */
static uint32_t keyed(uint32_t key, uint32_t salt)
{
	uint32_t x = (key + 1) * 0x9e3779b1u ^ salt * 0x85ebca6bu;

	x ^= x >> 15;
	x *= 0x2c1b3c6du;
	return x ^ x >> 13;
}

/* --- one builder per protocol ---------------------------------------------------------------------------------- */

static size_t build_ntp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);
	size_t items = want < 80 ? 1 : (want - 8) / 72;

	/* mode 7 response, more to come; sequence; XNTPD; MON_GETLIST_1 */
	put8(&b, 0xd7);
	put8(&b, rng_below(r, 100));
	put8(&b, 3);
	put8(&b, 42);
	put16(&b, (uint32_t)items);
	put16(&b, 72);
	for (size_t i = 0; i < items; i++) {
		put32(&b, rng_below(r, 100000));
		put32(&b, rng_below(r, 1000));
		put32(&b, 0);
		put32(&b, 1 + rng_below(r, 5000));
		put32(&b, rng_u32(r));
		put32(&b, keyed(key, 1));
		put32(&b, 1);
		put16(&b, rng_u16(r));
		put8(&b, 3);
		put8(&b, 4);
		put32(&b, 0);
		put32(&b, 0);
		for (int k = 0; k < 8; k++)
			put32(&b, 0);
	}
	return b.n;
}

static size_t build_memcached(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put16(&b, rng_u16(r));
	put16(&b, 0);
	put16(&b, 1);
	put16(&b, 0);
	putf(&b, "VALUE k%u 0 %zu\r\n", keyed(key, 1) % 100, want - 8 - 20);
	while (room(&b) > 7)
		put8(&b, 'a' + keyed(key, 2) % 26);
	put_text(&b, "\r\nEND\r\n");
	return b.n;
}

/* Definite lengths of four octets throughout, as Active Directory writes them: tag, 84, length. */
static size_t ber84(uint8_t *at, uint8_t tag, size_t n)
{
	at[0] = tag;
	at[1] = 0x84;
	packet_be32(at + 2, (uint32_t)n);
	return 6;
}

static size_t build_cldap(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	static const char *const names[] = {
		"currentTime",      "subschemaSubentry",    "dsServiceName",         "namingContexts",
		"supportedControl", "supportedLDAPVersion", "supportedLDAPPolicies", "highestCommittedUSN",
		"dnsHostName",      "serverName",           "supportedCapabilities"
	};
	uint8_t attrs[REFLECT_PAYLOAD_MAX];
	struct buf b;
	size_t n = 0, fixed = 6 + 3 + 6 + 2 + 6, done = 22, left = want > fixed + done ? want - fixed - done : 64;
	unsigned int i = 0;

	/* PartialAttribute: 30 84 { 04 name, 31 84 { 04 value } } until the wanted size is full */
	while (left - n > 80) {
		const char *name = names[(i + keyed(key, 3)) % 11];
		size_t len = strlen(name), value = left - n - (6 + 2 + len + 6 + 2);
		uint8_t *at = attrs + n;

		if (value > 100)
			value = 20 + keyed(key, i) % 40;
		i++;
		at += ber84(at, 0x30, 2 + len + 6 + 2 + value);
		*at++ = 0x04;
		*at++ = (uint8_t)len;
		memcpy(at, name, len);
		at += len;
		at += ber84(at, 0x31, 2 + value);
		*at++ = 0x04;
		*at++ = (uint8_t)value;
		for (size_t k = 0; k < value; k++)
			*at++ = (uint8_t)('0' + rng_below(r, 10));
		n = (size_t)(at - attrs);
	}
	b = buf_on(out, REFLECT_PAYLOAD_MAX);
	b.n += ber84(out, 0x30, 3 + 6 + 2 + 6 + n);
	put(&b, "\x02\x01\x07", 3);
	b.n += ber84(out + b.n, 0x64, 2 + 6 + n);
	put(&b, "\x04\x00", 2);
	b.n += ber84(out + b.n, 0x30, n);
	put(&b, attrs, n);
	put(&b, "\x30\x84\x00\x00\x00\x10\x02\x01\x07\x65\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00", 22);
	return b.n;
}

static size_t build_ssdp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	static const char *const st[] = { "upnp:rootdevice", "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		                          "urn:schemas-upnp-org:service:WANIPConnection:1", "ssdp:all",
		                          "uuid:00000000-0000-0001-1000-000000000000" };
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);
	const char *type = st[rng_below(r, 5)];

	(void)want;
	putf(&b, "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=%u\r\nST: %s\r\n", 60 + 60 * (keyed(key, 1) % 30), type);
	putf(&b, "USN: uuid:%08x-%04x-1000-8000-%012x::%s\r\nEXT:\r\n", keyed(key, 2), keyed(key, 3) & 0xffff,
	     keyed(key, 4), type);
	putf(&b,
	     "SERVER: Linux/2.6.%u UPnP/1.0 MiniUPnPd/1.%u\r\nLOCATION: http://192.168.%u.1:%u/rootDesc.xml\r\n\r\n",
	     keyed(key, 5) % 40, keyed(key, 6) % 10, keyed(key, 7) % 3, 1900 + keyed(key, 8) % 4000);
	return b.n;
}

static size_t build_chargen(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	(void)key;
	for (uint32_t line = rng_below(r, 95); room(&b); line++) {
		for (uint32_t i = 0; i < 72; i++)
			put8(&b, 32 + (line + i) % 95);
		put_text(&b, "\r\n");
	}
	return b.n;
}

static size_t build_text(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	putf(&b, "\"Quote %u\" ", keyed(key, 1) % 1000);
	put_words(&b, r, room(&b));
	return b.n;
}

static size_t build_dns(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);
	uint32_t count = 0, ttl = 1 + keyed(key, 1) % 3600;

	/* response, recursion available; one question, answers, one OPT */
	put16(&b, rng_u16(r));
	put16(&b, 0x8180);
	put16(&b, 1);
	put16(&b, 0);
	put16(&b, 0);
	put16(&b, 1);
	put(&b,
	    "\x03"
	    "big\x07"
	    "example\x00\x00\xff\x00\x01",
	    17);
	while (room(&b) > 12 + 300 + 11) {
		uint32_t text = 40 + rng_below(r, 210);

		put16(&b, 0xc00c);
		put16(&b, 16);
		put16(&b, 1);
		put32(&b, ttl);
		put16(&b, text + 1);
		put8(&b, text);
		put_words(&b, r, text);
		count++;
	}
	while (room(&b) > 16 + 11) {
		put16(&b, 0xc00c);
		put16(&b, 1);
		put16(&b, 1);
		put32(&b, ttl);
		put16(&b, 4);
		put32(&b, 0xc0000200u + rng_below(r, 250));
		count++;
	}
	put(&b, "\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00", 11);
	packet_be16(out + 6, count);
	return b.n;
}

static size_t build_snmp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	uint8_t binds[REFLECT_PAYLOAD_MAX];
	struct buf v = buf_on(binds, want > 60 ? want - 44 : 20), b = buf_on(out, REFLECT_PAYLOAD_MAX);
	uint32_t id = rng_u32(r) & 0x7fffffff, i = 0;

	while (room(&v) >= 40) { /* ifDescr.i = text */
		uint32_t text = 10 + keyed(key, i) % 60;

		if (text > room(&v) - 16 || room(&v) - 16 - text < 40)
			text = (uint32_t)(room(&v) - 16 > 110 ? 110 : room(&v) - 16);
		put8(&v, 0x30);
		put8(&v, 14 + text);
		put8(&v, 0x06);
		put8(&v, 10);
		put(&v, "\x2b\x06\x01\x02\x01\x02\x02\x01\x02", 9);
		put8(&v, 1 + i++ % 120);
		put8(&v, 0x04);
		put8(&v, text);
		put_words(&v, r, text);
	}
	put(&b, "\x30\x82", 2);
	put16(&b, (uint32_t)(3 + 8 + 4 + 6 + 3 + 3 + 4 + v.n));
	put(&b, "\x02\x01\x01\x04\x06public\xa2\x82", 13);
	put16(&b, (uint32_t)(6 + 3 + 3 + 4 + v.n));
	put(&b, "\x02\x04", 2);
	put32(&b, id);
	put(&b, "\x02\x01\x00\x02\x01\x00\x30\x82", 8);
	put16(&b, (uint32_t)v.n);
	put(&b, binds, v.n);
	return b.n;
}

static size_t build_mssql(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	(void)r;
	put8(&b, 5);
	put16(&b, 0);
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "ServerName;SRV%05u;InstanceName;DB%u;IsClustered;No;Version;1%u.0.2000.%u;tcp;%u;;",
		     keyed(key, 1) % 99999, i, keyed(key, 2) % 5, keyed(key, 3) % 100, 1433 + i);
	out[1] = (uint8_t)(b.n - 3);
	out[2] = (uint8_t)((b.n - 3) >> 8);
	return b.n;
}

static size_t build_portmap(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);
	size_t entries = (want - 28) / 20;

	put32(&b, rng_u32(r));
	put32(&b, 1);
	for (int i = 0; i < 4; i++)
		put32(&b, 0);
	for (size_t i = 0; i < entries; i++) {
		put32(&b, 1);
		put32(&b, 100000 + (uint32_t)(i / 4) * 3);
		put32(&b, 2 + (uint32_t)i / 2 % 3);
		put32(&b, i % 2 ? 6 : 17);
		put32(&b, i < 4 ? 111 : 32768 + keyed(key, (uint32_t)i) % 20000);
	}
	put32(&b, 0);
	return b.n;
}

static size_t build_rip(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put32(&b, 0x02010000);
	for (uint32_t i = 0; room(&b) >= 20; i++) {
		put16(&b, 2);
		put16(&b, 0);
		put32(&b, 0x0a000000u + ((keyed(key, i) & 0xffff) << 8));
		put32(&b, 0);
		put32(&b, 0);
		put32(&b, 1 + rng_below(r, 15));
	}
	return b.n;
}

static size_t build_tftp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put16(&b, 3);
	put16(&b, 1);
	put_text(&b, "!\nversion 12.4\nservice timestamps\nhostname sw");
	putf(&b, "%u\n", keyed(key, 1) % 1000);
	put_words(&b, r, room(&b));
	return b.n;
}

static size_t build_netbios(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);
	uint32_t names = (uint32_t)((want - 103) / 18);

	put16(&b, rng_u16(r));
	put16(&b, 0x8400);
	put16(&b, 0);
	put16(&b, 1);
	put32(&b, 0);
	put8(&b, 32);
	put_text(&b, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	put8(&b, 0);
	put16(&b, 0x21);
	put16(&b, 1);
	put32(&b, 0);
	put16(&b, 1 + 18 * names + 46);
	put8(&b, names);
	for (uint32_t i = 0; i < names; i++) {
		putf(&b, "PC-%-12u", keyed(key, i / 3) % 100000);
		put8(&b, i % 3 ? 0x20 : 0);
		put16(&b, i % 2 ? 0x8400 : 0x0400);
	}
	put16(&b, 0x0200);
	put32(&b, keyed(key, 9));
	for (int i = 0; i < 10; i++)
		put32(&b, 0);
	return b.n;
}

static size_t dns_like(struct rng *r, uint32_t key, uint8_t *out, size_t want, uint16_t id, const uint8_t *name,
                       size_t name_len)
{
	struct buf b = buf_on(out, want);
	uint32_t count = 0;

	put16(&b, id);
	put16(&b, id ? 0x8000 : 0x8400);
	put16(&b, 0);
	put16(&b, 0);
	put32(&b, 0);
	while (room(&b) >= name_len + 10 + 16) {
		size_t text = room(&b) - name_len - 11;

		text = text > 80 ? 40 + keyed(key, count) % 24 : text;
		if (count)
			put16(&b, 0xc00c);
		else
			put(&b, name, name_len);
		put16(&b, 16);
		put16(&b, 1);
		put32(&b, 10);
		put16(&b, (uint32_t)text + 1);
		put8(&b, (uint32_t)text);
		put_words(&b, r, text);
		count++;
	}
	packet_be16(out + 6, count);
	return b.n;
}

static size_t build_mdns(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	static const uint8_t name[] = "\x09_services\x07_dns-sd\x04_udp\x05local";

	return dns_like(r, key, out, want, 0, name, sizeof(name));
}

static size_t build_llmnr(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	static const uint8_t name[] = "\x08printer1";

	return dns_like(r, key, out, want, (uint16_t)(1 + rng_below(r, 65000)), name, sizeof(name));
}

static size_t build_ws_discovery(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want < 600 ? 600 : want);

	put_text(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope "
	             "xmlns:SOAP-ENV=\"http://www.w3.org/2003/05/"
	             "soap-envelope\" xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><SOAP-ENV:Header>");
	putf(&b, "<wsa:MessageID>uuid:%08x-%04x</wsa:MessageID></SOAP-ENV:Header><SOAP-ENV:Body><d:ProbeMatches>",
	     keyed(key, 1), rng_u16(r));
	b.cap -= 62;
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "<d:Scopes>onvif://www.onvif.org/name/cam%u/%u</d:Scopes>", keyed(key, 2) % 1000, i);
	b.cap += 62;
	put_text(&b, "</d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>");
	return b.n;
}

static size_t build_arms(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put32(&b, 0x00010000u | (uint32_t)(want - 4));
	put16(&b, 0x1001);
	put16(&b, 0);
	putf(&b, "Mac-%05u", keyed(key, 1) % 99999);
	put_noise(&b, r, 24);
	while (room(&b))
		put8(&b, 0);
	return b.n;
}

static size_t build_coap(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put8(&b, 0x60);
	put8(&b, 0x45);
	put16(&b, rng_u16(r));
	put16(&b, 0xc128);
	put8(&b, 0xff);
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "</r/%u/%u>;rt=\"x\";if=\"core.ll\";ct=0,", keyed(key, 1) % 100, i);
	return b.n;
}

static size_t build_plex(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);

	(void)r;
	(void)want;
	putf(&b,
	     "HTTP/1.0 200 OK\r\nContent-Type: plex/media-server\r\nHost: %08x%08x.plex.example\r\nName: media%u\r\n",
	     keyed(key, 1), keyed(key, 2), keyed(key, 3) % 1000);
	putf(&b, "Port: 32400\r\nResource-Identifier: %08x%08x%08x\r\nUpdated-At: 16%08u\r\nVersion: 1.2%u.0.1\r\n\r\n",
	     keyed(key, 4), keyed(key, 5), keyed(key, 6), keyed(key, 7) % 100000000, keyed(key, 8) % 10);
	return b.n;
}

static size_t build_dhip(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);
	uint8_t *p = out;

	put(&b,
	    "\x20\x00\x00\x00"
	    "DHIP",
	    8);
	for (int i = 0; i < 6; i++)
		put32(&b, 0);
	putf(&b,
	     "{\"mac\":\"%02x:%02x:%02x:00:00:01\",\"method\":\"client.notifyDevInfo\",\"params\":{\"deviceInfo\":{",
	     keyed(key, 1) & 255, keyed(key, 2) & 255, keyed(key, 3) & 255);
	putf(&b, "\"SerialNo\":\"%08X\",\"Vendor\":\"General\",\"Version\":\"2.8\",\"Find\":\"", keyed(key, 4));
	b.cap -= 5;
	put_words(&b, r, room(&b));
	b.cap += 5;
	put_text(&b, "\"}}}\n");
	p[16] = p[24] = (uint8_t)(b.n - 32);
	p[17] = p[25] = (uint8_t)((b.n - 32) >> 8);
	return b.n;
}

static size_t build_slp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put8(&b, 2);
	put8(&b, 7); /* attribute reply */
	put8(&b, 0);
	put16(&b, (uint32_t)want);
	put16(&b, 0);
	put8(&b, 0);
	put16(&b, 0);
	put16(&b, rng_u16(r));
	put16(&b, 2);
	put_text(&b, "en");
	put16(&b, 0);
	put16(&b, (uint32_t)want - 21);
	b.cap -= 1;
	for (uint32_t i = 0; room(&b) > 30; i++)
		putf(&b, "%s(a%u=%08x)", i ? "," : "", i, keyed(key, i));
	put_text(&b, ",(z=");
	while (room(&b) > 1)
		put8(&b, 'x');
	put_text(&b, ")");
	b.cap += 1;
	put8(&b, 0);
	return b.n;
}

static size_t build_tp240(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	putf(&b, "call.status: line %u seq %u ", keyed(key, 1) % 64, rng_u32(r));
	while (room(&b))
		put8(&b, '.');
	return b.n;
}

static size_t build_jenkins(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);

	(void)r;
	(void)want;
	putf(&b,
	     "<hudson><version>2.%u.%u</version><url>http://ci%u.example/</url><server-id>%08x%08x%08x%08x</server-id>"
	     "<slave-port>%u</slave-port></hudson>",
	     100 + keyed(key, 1) % 120, keyed(key, 2) % 4, keyed(key, 3) % 10000, keyed(key, 4), keyed(key, 5),
	     keyed(key, 6), keyed(key, 7), 30000 + keyed(key, 8) % 20000);
	return b.n;
}

static size_t build_rdp(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	/* RDP-UDP SYN and ACK, padded with zeros to its MTU */
	put32(&b, rng_u32(r));
	put16(&b, 64);
	put16(&b, 5);
	put32(&b, keyed(key, 1));
	put16(&b, 1232);
	put16(&b, 1232);
	while (room(&b))
		put8(&b, 0);
	return b.n;
}

static size_t build_dtls(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	/* handshake record, DTLS 1.0, a first fragment of a certificate message */
	put8(&b, 0x16);
	put16(&b, 0xfeff);
	put16(&b, 0);
	put16(&b, 0);
	put32(&b, 2);
	put16(&b, (uint32_t)want - 13);
	put8(&b, 11);
	put8(&b, 0);
	put16(&b, 2400 + keyed(key, 1) % 800);
	put16(&b, 2);
	put8(&b, 0);
	put16(&b, 0);
	put8(&b, 0);
	put16(&b, (uint32_t)want - 25);
	put_noise(&b, r, room(&b));
	return b.n;
}

static size_t build_binary(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	/* a header that stays with the reflector, then what differs */
	for (uint32_t i = 0; i < 8; i++)
		put8(&b, keyed(7, i));
	put32(&b, keyed(key, 1));
	put_noise(&b, r, room(&b));
	return b.n;
}

static size_t build_citrix(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\x2e\x02\x31\x02\xfd\xa8\xe3\x00", 8);
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "Application %u on farm %u", rng_below(r, 90), keyed(key, i) % 50);
	return b.n;
}

static size_t build_sentinel(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\x7a\x00\x00\x00\x00\x00", 6);
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "license %u user%u ", keyed(key, i) % 5000, rng_below(r, 900));
	return b.n;
}

static size_t build_sip(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);

	(void)want;
	putf(&b,
	     "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.%u:5060;branch=z9hG4bK%08x\r\n"
	     "From: <sip:100@example>;tag=%x\r\n",
	     1 + keyed(key, 1) % 250, rng_u32(r), keyed(key, 2));
	putf(&b, "To: <sip:100@example>;tag=as%08x\r\nCall-ID: %08x\r\nCSeq: 1 OPTIONS\r\nServer: pbx %u\r\n",
	     keyed(key, 3), keyed(key, 4), keyed(key, 5) % 20);
	put_text(&b, "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH\r\n"
	             "Accept: application/sdp\r\nContent-Length: 0\r\n\r\n");
	return b.n;
}

static size_t build_quake(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\xff\xff\xff\xffstatusResponse\n\\sv_hostname\\game", 36);
	putf(&b, "%u\\mapname\\q3dm%u\n", keyed(key, 1) % 1000, keyed(key, 2) % 20);
	for (uint32_t i = 0; room(&b); i++)
		putf(&b, "%u %u \"player%u\"\n", rng_below(r, 50), 20 + keyed(key, i) % 100, keyed(key, ~i) % 10000);
	return b.n;
}

static size_t build_source(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\xff\xff\xff\xff\x44", 5); /* list of players */
	put8(&b, (uint32_t)(want / 20));
	for (uint32_t i = 0; room(&b); i++) {
		put8(&b, i);
		putf(&b, "player%u", keyed(key, i) % 10000);
		put8(&b, 0);
		put32(&b, rng_below(r, 100));
		put32(&b, rng_u32(r));
	}
	return b.n;
}

static size_t build_steam(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	/* magic; header: client, a status; body: versions, port, host name */
	(void)r;
	put(&b, "\xff\xff\xff\xff\x21\x4c\x5f\xa0\x07\x00\x00\x00\x08", 13);
	put32(&b, (keyed(key, 1) & 0x7f7f7f7f) | 0x80808000);
	put(&b, "\x10\x01", 2);
	put8(&b, (uint32_t)(want - 23));
	put(&b, "\x00\x00\x00\x08\x08\x10\x06\x18\x9c\xd3\x01\x22", 12);
	put8(&b, (uint32_t)(want - 33));
	while (room(&b))
		put8(&b, 'a' + keyed(key, (uint32_t)b.n) % 26);
	return b.n;
}

static size_t build_ubiquiti(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\x01\x00\x00", 3);
	put8(&b, (uint32_t)(want - 4));
	put(&b, "\x02\x00\x0a\x00\x27\x22", 6);
	put32(&b, keyed(key, 1));
	put32(&b, rng_u16(r));
	put(&b, "\x03\x00", 2);
	put8(&b, (uint32_t)room(&b) - 1);
	putf(&b, "XM.ar7240.v5.%u.", keyed(key, 2) % 10);
	while (room(&b))
		put8(&b, '0');
	return b.n;
}

static size_t build_bittorrent(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);
	size_t nodes = want > 80 ? (want - 60) / 26 * 26 : 26;

	put_text(&b, "d1:rd2:id20:");
	for (uint32_t i = 0; i < 5; i++)
		put32(&b, keyed(key, i));
	putf(&b, "5:nodes%zu:", nodes);
	put_noise(&b, r, nodes);
	put_text(&b, "e1:t2:aa1:y1:re");
	return b.n;
}

static size_t build_quic(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	/* Initial, version 1, no destination ID, source ID of 8, no token */
	put8(&b, 0xc0);
	put32(&b, 1);
	put8(&b, 0);
	put8(&b, 8);
	put32(&b, keyed(key, 1));
	put32(&b, keyed(key, 2));
	put8(&b, 0);
	put16(&b, 0x4000u | (uint32_t)(want - 18));
	put_noise(&b, r, room(&b));
	return b.n;
}

static size_t build_ike(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, REFLECT_PAYLOAD_MAX);
	size_t vendors = want < 120 ? 2 : (want - 80) / 20;

	/* cookies, security association follows, version 1.0, identity protection */
	put32(&b, rng_u32(r));
	put32(&b, rng_u32(r));
	put32(&b, keyed(key, 1));
	put32(&b, keyed(key, 2));
	put32(&b, 0x01100200);
	put32(&b, 0);
	put32(&b, (uint32_t)(28 + 52 + 20 * vendors));
	/* one proposal with one transform: AES-256, SHA-1, group 2, shared key, 28,800 s */
	put(&b, "\x0d\x00\x00\x34\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x28\x01\x01\x00\x01", 20);
	put(&b, "\x00\x00\x00\x20\x01\x01\x00\x00\x80\x01\x00\x07\x80\x0e\x01\x00", 16);
	put(&b, "\x80\x02\x00\x02\x80\x04\x00\x02\x80\x03\x00\x01\x80\x0b\x00\x01", 16);
	for (size_t i = 0; i < vendors; i++) {
		put16(&b, i + 1 < vendors ? 0x0d00 : 0);
		put16(&b, 20);
		for (uint32_t k = 0; k < 4; k++)
			put32(&b, keyed(key % 6, (uint32_t)i * 4 + k));
	}
	return b.n;
}

static size_t build_bacnet(struct rng *r, uint32_t key, uint8_t *out, size_t want)
{
	struct buf b = buf_on(out, want);

	put(&b, "\x81\x0a", 2);
	put16(&b, (uint32_t)want);
	put(&b, "\x01\x00\x30", 3);
	put8(&b, rng_below(r, 200));
	put(&b, "\x0c\x0c\x02\x00", 4);
	put16(&b, keyed(key, 1));
	put(&b, "\x19\x4d\x3e\x75", 4);
	put8(&b, (uint32_t)room(&b) - 2);
	put8(&b, 0);
	while (room(&b) > 1)
		put8(&b, 'A' + keyed(key, (uint32_t)b.n) % 26);
	put8(&b, 0x3f);
	return b.n;
}

/* clang-format off */
static const struct reflect_proto protos[] = {
	{"ntp_reflection", 123, 0, 440, 440, 1200, 4000, 20, build_ntp, "mode 7 monlist answers, 482-octet frames"},
	{"memcached_reflection", 11211, 0, 1400, 1400, 150, 2000, 50, build_memcached, "1,400 octets, VALUE"},
	{"cldap_reflection", 389, 0, 1200, 1700, 900, 2000, 1, build_cldap, "search results, some in fragments"},
	{"ssdp_reflection", 1900, 0, 300, 300, 4000, 4000, 6, build_ssdp, "HTTP/1.1 200 OK from home routers"},
	{"chargen_reflection", 19, 0, 512, 1022, 300, 2600, 1, build_chargen, "rings of printable characters"},
	{"dns_reflection", 53, 0, 2200, 2700, 2500, 2400, 1, build_dns, "large ANY answers and their fragments"},
	{"snmp_reflection", 161, 0, 900, 1450, 400, 2000, 3, build_snmp, "GetBulk answers"},
	{"qotd_reflection", 17, 0, 80, 500, 200, 4000, 1, build_text, "quotes"},
	{"mssql_reflection", 1434, 0, 150, 600, 300, 4000, 1, build_mssql, "SQL Server browser answers"},
	{"portmap_reflection", 111, 0, 148, 548, 800, 4000, 1, build_portmap, "RPC dumps"},
	{"rip_reflection", 520, 0, 504, 504, 200, 3500, 10, build_rip, "RIPv1 tables"},
	{"tftp_reflection", 0, 0, 516, 516, 300, 3500, 5, build_tftp, "first blocks, source port of their own"},
	{"netbios_reflection", 137, 0, 157, 265, 900, 4000, 1, build_netbios, "node status answers"},
	{"mdns_reflection", 5353, 0, 150, 420, 700, 4000, 1, build_mdns, "service lists"},
	{"llmnr_reflection", 5355, 0, 60, 160, 500, 4000, 1, build_llmnr, "name answers"},
	{"ws_discovery_reflection", 3702, 0, 700, 1450, 900, 2200, 1, build_ws_discovery, "SOAP probe matches"},
	{"arms_reflection", 3283, 0, 1006, 1006, 500, 2400, 1, build_arms, "Apple Remote Desktop"},
	{"coap_reflection", 5683, 0, 220, 1100, 900, 3000, 1, build_coap, "resource lists"},
	{"plex_reflection", 32414, 32412, 280, 280, 900, 4000, 1, build_plex, "media servers"},
	{"dhcpdiscover_reflection", 37810, 0, 600, 760, 900, 3000, 1, build_dhip, "video recorders, DHIP"},
	{"slp_reflection", 427, 0, 400, 1400, 400, 2200, 1, build_slp, "attribute replies"},
	{"tp240_reflection", 10074, 0, 80, 1184, 20, 2600, 400, build_tp240, "few machines, endless status lines"},
	{"jenkins_reflection", 33848, 0, 200, 200, 300, 4000, 1, build_jenkins, "build servers"},
	{"rdp_reflection", 3389, 0, 1232, 1232, 500, 2200, 3, build_rdp, "RDP over UDP"},
	{"dtls_reflection", 443, 4443, 700, 1400, 500, 2200, 3, build_dtls, "DTLS handshakes"},
	{"citrix_reflection", 1604, 0, 300, 1100, 200, 3000, 1, build_citrix, "ICA browser lists"},
	{"sentinel_reflection", 5093, 0, 600, 1400, 150, 2200, 1, build_sentinel, "licence servers"},
	{"sip_reflection", 5060, 0, 400, 400, 600, 4000, 1, build_sip, "answers to OPTIONS"},
	{"quake_reflection", 27960, 0, 500, 1300, 200, 2600, 1, build_quake, "status of game servers"},
	{"source_engine_reflection", 27015, 0, 200, 900, 400, 3500, 1, build_source, "player lists"},
	{"steam_reflection", 27036, 0, 80, 150, 600, 4000, 1, build_steam, "remote play"},
	{"ubiquiti_reflection", 10001, 0, 110, 200, 700, 4000, 1, build_ubiquiti, "discovery answers"},
	{"bittorrent_reflection", 6881, 0, 110, 330, 3000, 4000, 1, build_bittorrent, "nodes of the hash table"},
	{"quic_reflection", 443, 0, 1200, 1200, 600, 2400, 3, build_quic, "Initials of servers nobody called"},
	{"ike_reflection", 500, 0, 120, 400, 500, 4000, 3, build_ike, "IKEv1 proposals, repeated"},
	{"bacnet_reflection", 47808, 0, 60, 120, 200, 4000, 1, build_bacnet, "building automation"},
	{"udp_reflection", 21027, 0, 300, 900, 1500, 3000, 1, build_binary, "a port that no list knows"},
};
/* clang-format on */

size_t reflect_count(void)
{
	return sizeof(protos) / sizeof(protos[0]);
}

const struct reflect_proto *reflect_row(size_t i)
{
	return i < reflect_count() ? &protos[i] : NULL;
}

const struct reflect_proto *reflect_find(const char *vector)
{
	for (size_t i = 0; i < reflect_count(); i++)
		if (strcmp(protos[i].vector, vector) == 0)
			return &protos[i];
	return NULL;
}

/* --- machines and their traffic -------------------------------------------------------------------------------- */

int pool_make(struct world *w, struct rng *r, struct pool *p, uint32_t n, enum pool_kind kind)
{
	struct addr nets[256];
	uint32_t n_nets = n < 256 ? n / 2 + 1 : 256;

	p->n = 0;
	p->m = calloc(n, sizeof(*p->m));
	if (!p->m) {
		w->trace.err = -ENOMEM;
		return -ENOMEM;
	}
	p->n = n;
	for (uint32_t i = 0; i < n_nets; i++)
		nets[i] = world_public(w, r);
	for (uint32_t i = 0; i < n; i++) {
		struct machine *m = &p->m[i];
		uint8_t initial = rng_chance(r, 1, 6) ? 128 : rng_chance(r, 1, 8) ? 255 : 64;

		if (kind == POOL_AS_CLIENTS) {
			m->addr = world_client(w, r);
		} else {
			m->addr = nets[rng_skewed(r, n_nets)];
			if (m->addr.v6)
				rng_fill(r, m->addr.b + 4, 12);
			else
				rng_fill(r, m->addr.b + 2, 2);
		}
		m->ttl = (uint8_t)(initial - rng_range(r, 6, 24));
		m->df = rng_chance(r, 1, 2);
		m->big_endian = rng_chance(r, 1, 2);
		m->id = rng_u16(r);
		m->port = rng_range16(r, 1024, 65535);
		m->mss = rng_range16(r, 1400, 1415);
		m->tsval = rng_u32(r);
		m->inner = world_public(w, r);
		m->size = rng_u16(r);
	}
	return 0;
}

void pool_free(struct pool *p)
{
	free(p->m);
	p->m = NULL;
	p->n = 0;
}

void reflect_write(struct world *w, const struct reflection *a)
{
	const struct reflect_proto *pr = a->proto;
	uint16_t lo = a->lo ? a->lo : pr->lo, hi = a->hi ? a->hi : pr->hi;
	uint32_t frames_each = (lo / 2u + hi / 2u) / 1480 + 1;
	int64_t gap = world_gap(w, a->pps / frames_each) * pr->burst;
	struct rng r = world_rng(w);
	uint8_t m[REFLECT_PAYLOAD_MAX];

	/* pps counts frames: what leaves in fragments comes less often. */
	for (int64_t t = a->from_ns + rng_exp(&r, gap) / pr->burst; t < a->to_ns; t += rng_exp(&r, gap)) {
		uint32_t key = rng_skewed(&r, a->pool->n);
		struct machine *s = &a->pool->m[key];
		uint16_t dport = a->dport ? a->dport : rng_range16(&r, 1024, 65535);
		int64_t at = t;

		for (uint32_t i = 0; i < pr->burst && at < a->to_ns; i++) {
			uint16_t want = (uint16_t)(lo + s->size % (hi - lo + 1u));
			struct pkt p = {
				.t_ns = at,
				.dir = DIR_IN,
				.label = a->label,
				.src = s->addr,
				.dst = a->dst,
				.ttl = s->ttl,
				.df = s->df,
				.id = s->id++,
				.sport = !pr->port                     ? s->port
				         : pr->port_too && s->size & 1 ? pr->port_too
				                                       : pr->port,
				.dport = dport,
				.data = m,
			};

			p.len = pr->build(&r, key, m, want);
			packet_udp(w, &p);
			at += rng_exp(&r, 400 * NS_PER_US);
		}
	}
}
