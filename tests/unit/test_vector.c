/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: every row that one packet can show is shown by one made here, and no row says what another already
 * says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "detect/vector.h"
#include "made.h"

#define SYN_FIN (TCP_SYN | TCP_FIN)

static const char *named(const struct observation *o)
{
	return vector_get(vector_recognise(o))->name;
}

static const struct vector *row(size_t id)
{
	return vector_get((uint8_t)id);
}

static struct address source(void)
{
	return made_ipv4(0x5b010203u);
}

static struct address target(void)
{
	return made_ipv4(0xc0000201u);
}

/* ---- what TCP flags say ---- */

static void tcp_flags(void **state)
{
	static const struct {
		uint8_t flags;
		uint8_t id;
	} rows[] = {
		{ TCP_SYN, VECTOR_SYN },
		{ TCP_SYN | TCP_ECE | TCP_CWR, VECTOR_SYN },
		{ TCP_SYN | TCP_PSH, VECTOR_SYN },
		{ TCP_SYN | TCP_ACK, VECTOR_SYN_ACK },
		{ TCP_ACK, VECTOR_ACK },
		{ TCP_ACK | TCP_PSH, VECTOR_ACK },
		{ TCP_ACK | TCP_PSH | TCP_URG, VECTOR_ACK },
		{ TCP_RST, VECTOR_RST },
		{ TCP_RST | TCP_ACK, VECTOR_RST },
		{ TCP_FIN, VECTOR_FIN },
		{ TCP_FIN | TCP_ACK, VECTOR_FIN },
		{ TCP_FIN | TCP_PSH | TCP_URG, VECTOR_XMAS },
		{ TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG, VECTOR_XMAS },
		{ SYN_FIN, VECTOR_XMAS },
		{ 0, VECTOR_NULL },
		{ TCP_ECE | TCP_CWR, VECTOR_NULL },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct observation o = made_tcp(0, source(), 40000, target(), 443, rows[i].flags, 1, 1);

		assert_int_equal(vector_recognise(&o), rows[i].id);
	}
}

/* Whatever the flags, TCP is TCP. */
static void all_tcp_flags(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		struct observation o = made_tcp(0, source(), 40000, target(), 443, (uint8_t)flags, 1, 1);

		assert_int_equal(vector_get(vector_recognise(&o))->protocol, MADE_TCP);
		assert_int_equal(vector_get(vector_recognise(&o))->class, VECTOR_STATELESS);
	}
}

static void other_protocols(void **state)
{
	struct observation o = made_icmp(0, source(), target(), 8, 0);

	(void)state;
	assert_string_equal(named(&o), "icmp_flood");
	o.protocol = MADE_ICMPV6;
	assert_string_equal(named(&o), "icmp_flood");
	o.src = made_ipv6(0xfe80000000000000u, 1);
	o.dst = made_ipv6(0x20010db800000000u, 1);
	for (unsigned type = 133; type <= 137; type++) {
		o.icmp_type = (uint8_t)type;
		o.ttl = 255;
		assert_string_equal(named(&o), "nd_flood");
		o.ttl = 254; /* a router passed it on: nobody heeds it */
		assert_string_equal(named(&o), "icmp_flood");
		o.ttl = 255;
		o.length = 1500;
		o.flags |= OBSERVATION_FRAGMENT; /* nor that it comes in pieces */
		assert_string_equal(named(&o), "icmp_flood");
		o.flags &= ~(uint32_t)OBSERVATION_FRAGMENT;
	}
	o.ttl = 255;
	o.icmp_type = 138;
	assert_string_equal(named(&o), "icmp_flood");
	o.icmp_type = 135;
	o.protocol = MADE_ICMP;
	assert_string_equal(named(&o), "icmp_flood");
	o = made_ip(0, source(), target(), MADE_GRE, 100);
	assert_int_equal(vector_recognise(&o), VECTOR_GRE);
	assert_string_equal(named(&o), "gre_flood");
	o.protocol = 50;
	assert_string_equal(named(&o), "ip_protocol_flood");
	o.protocol = 253;
	assert_string_equal(named(&o), "ip_protocol_flood");
	/* TCP by its number, but too short for a header: it belongs to no connection */
	o.protocol = MADE_TCP;
	assert_string_equal(named(&o), "ack_flood");
	o = made_ip(0, source(), target(), MADE_UDP, 1500);
	o.flags = OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT;
	assert_string_equal(named(&o), "fragment_flood");
	o.protocol = MADE_ICMP;
	assert_string_equal(named(&o), "fragment_flood");
	/* A first fragment has its header: it is what it carries, where it is as large as one is. */
	o = made_udp(0, source(), 123, target(), 40000, 440);
	o.flags |= OBSERVATION_FRAGMENT;
	assert_string_equal(named(&o), "ntp_reflection");
	o.length = 255;
	assert_string_equal(named(&o), "fragment_flood");
	o = made_tcp(0, source(), 40000, target(), 443, TCP_SYN, 1, 0);
	o.flags |= OBSERVATION_FRAGMENT;
	assert_string_equal(named(&o), "fragment_flood");
}

static void land(void **state)
{
	struct observation o = made_tcp(0, target(), 443, target(), 443, TCP_SYN, 1, 0);

	(void)state;
	assert_string_equal(named(&o), "land");
	o.src_port = 444; /* whatever the ports */
	assert_string_equal(named(&o), "land");
	o = made_icmp(0, target(), target(), 8, 0);
	assert_string_equal(named(&o), "land");
	o = made_udp(0, target(), 7, target(), 7, 10);
	assert_string_equal(named(&o), "land");
	/* A host that talks to itself */
	o = made_udp(0, made_ipv4(0x7f000001u), 5000, made_ipv4(0x7f000001u), 5000, 10);
	assert_string_equal(named(&o), "udp_flood");
	o = made_udp(0, made_ipv6(0, 1), 5000, made_ipv6(0, 1), 5000, 10);
	assert_string_equal(named(&o), "udp_flood");
}

/* ---- UDP: ports and what the payload begins with ---- */

struct udp_row {
	const char *name, *octets;
	uint16_t src_port, dst_port, length;
	uint8_t given;
};

#define ROW(name, src, dst, octets, length)                        \
	{                                                          \
		name, octets, src, dst, length, sizeof(octets) - 1 \
	}
#define DNS_ANSWER "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
#define DNS_QUESTION "\x12\x34\1\0\0\1\0\0\0\0\0\0"

#define SNMP(pdu) "0\x4e\2\1\1\4\6public" pdu "\x41"
#define SNMP_LONG(pdu) "0\x82\4\xa0\2\1\1\4\6public" pdu "\x82\4\x8a"

static const struct udp_row answers[] = {
	ROW("dns_reflection", 53, 40000, DNS_ANSWER, 3000),
	ROW("dns_reflection", 53, 40000, DNS_ANSWER, 80),
	ROW("ntp_reflection", 123, 80, "\xd7\0\3\x2a\0\6\0\x48", 440), /* monlist */
	ROW("ntp_reflection", 123, 80, "\x24\1\6\xe9", 48),            /* server */
	ROW("ntp_reflection", 123, 80, "\x16\x82\0\1", 200),           /* readvar */
	ROW("memcached_reflection", 11211, 80, "\0\0\0\0\0\1\0\0VALUE a 0", 1400),
	ROW("chargen_reflection", 19, 80, "!\"#$%&'()", 1000),
	ROW("qotd_reflection", 17, 80, "\"My spelling", 200),
	ROW("echo_reflection", 7, 80, "abc", 200),
	ROW("cldap_reflection", 389, 80, "0\x84\0\0\x0b\xd6", 1400),
	ROW("ssdp_reflection", 1900, 80, "HTTP/1.1 200 OK\r\n", 300),
	ROW("ssdp_reflection", 1900, 80, "NOTIFY * HTTP/1.1\r\n", 300),
	ROW("snmp_reflection", 161, 80, "0\x82\4\xa0\2\1\1", 1200),
	ROW("netbios_reflection", 137, 80, "\x80\xf0\x84\0\0\0\0\1", 229),
	ROW("netbios_reflection", 138, 80, "\x11\2", 200),
	ROW("mdns_reflection", 5353, 80, "\0\0\x84\0\0\0\0\1", 300),
	ROW("llmnr_reflection", 5355, 80, "\x12\x34\x80\0\0\1\0\1", 100),
	ROW("rip_reflection", 520, 80, "\2\1\0\0\0\2", 504),
	ROW("portmap_reflection", 111, 80, "\x12\x34\x56\x78\0\0\0\1", 480),
	ROW("tftp_reflection", 69, 80, "\0\5\0\1", 20),
	ROW("tftp_reflection", 50000, 80, "\0\3\0\1data", 516),
	ROW("mssql_reflection", 1434, 80, "\5\x7a\1ServerName", 400),
	ROW("ws_discovery_reflection", 3702, 80, "<?xml version", 1200),
	ROW("ws_discovery_reflection", 3702, 80, "\xef\xbb\xbf<?xml", 1200),
	ROW("arms_reflection", 3283, 80, "\0\1\3\xea", 1034),
	ROW("coap_reflection", 5683, 80, "\x61\x45\x12\x34", 900),
	ROW("plex_reflection", 32414, 80, "HTTP/1.0 200 OK", 200),
	ROW("plex_reflection", 32412, 80, "HTTP/1.0 200 OK", 200),
	ROW("plex_reflection", 32410, 80, "HTTP/1.0 200 OK", 200),
	ROW("dhcpdiscover_reflection", 37810, 80, "\x20\0\0\0DHIP", 700),
	ROW("slp_reflection", 427, 80, "\2\2\0\0\x9b", 150),
	ROW("tp240_reflection", 10074, 80, "call.startblast", 60),
	ROW("jenkins_reflection", 33848, 80, "<hudson>", 140),
	ROW("rdp_reflection", 3389, 80, "\0\0\0\0\0\x40", 1200),
	ROW("dtls_reflection", 443, 80, "\x16\xfe\xff\0", 400),
	ROW("dtls_reflection", 4433, 80, "\x16\xfe\xff\0", 400),
	ROW("dtls_reflection", 4443, 80, "\x16\xfe\xfd\0", 400),
	ROW("dtls_reflection", 10443, 80, "\x16\xfe\xff\0", 400),
	ROW("dtls_reflection", 5684, 80, "\x16\xfe\xff\0", 400),
	ROW("quic_reflection", 443, 40000, "\xc3\0\0\0\1\x08", 1200),
	ROW("quic_reflection", 80, 40000, "\xc3\0\0\0\1\x08", 1200),
	ROW("powerhouse_reflection", 20811, 80, "\1\2", 400),
	ROW("citrix_reflection", 1604, 80, "\x2a\0\1\x32", 1000),
	ROW("sentinel_reflection", 5093, 80, "\x7a\0", 1400),
	ROW("sip_reflection", 5060, 80, "SIP/2.0 200 OK", 500),
	ROW("crestron_reflection", 41794, 80, "\x15\0\0\0", 394),
	ROW("quake_reflection", 27960, 80, "\xff\xff\xff\xffstatusResponse", 1300),
	ROW("source_engine_reflection", 27015, 80, "\xff\xff\xff\xffI", 150),
	ROW("source_engine_reflection", 27016, 80, "\xff\xff\xff\xffI", 150),
	ROW("source_engine_reflection", 27017, 80, "\xff\xff\xff\xffI", 150),
	ROW("steam_reflection", 27036, 80, "\xff\xff\xff\xff\x21\x4c", 190),
	ROW("fivem_reflection", 30120, 80, "\xff\xff\xff\xffinfoResponse", 200),
	ROW("ubiquiti_reflection", 10001, 80, "\1\0\0\x90", 150),
	ROW("xdmcp_reflection", 177, 80, "\0\1\0\5", 50),
	ROW("digiman_reflection", 2362, 80, "DIGI", 100),
	ROW("bfd_reflection", 3784, 80, "\x20\xc0\3\x18", 24),
	ROW("lantronix_reflection", 30718, 80, "\0\0\0\xf7", 30),
	ROW("ike_reflection", 500, 80, "\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\x21\x20\x22\x20", 300),
	ROW("ike_reflection", 4500, 80, "\0\0\0\0\1\2\3\4\5\6\7\x08\1\2\3\4\5\6\7\x08\x21\x20\x22\x20", 300),
	ROW("nat_pmp_reflection", 5351, 80, "\0\x80\0\0", 12),
	ROW("stun_reflection", 3478, 80, "\1\1\0\x0c\x21\x12\xa4\x42", 100),
	ROW("vxworks_reflection", 17185, 80, "\x1a\x09\xfa\xba", 400),
	ROW("openvpn_reflection", 1194, 80, "\x40\1\2\3", 60),
	ROW("bittorrent_reflection", 6881, 80, "d1:rd2:id20:", 300),
	ROW("modbus_reflection", 502, 80, "\0\1\0\0", 50),
	ROW("afs_reflection", 7001, 80, "\0\0\0\0", 200),
	ROW("netis_reflection", 53413, 80, "Login:", 100),
	ROW("bacnet_reflection", 47808, 80, "\x81\x0a\0\x20", 200),
	ROW("ipmi_reflection", 623, 80, "\6\0\xff\7", 60),
};

/* Near misses: a question, or another protocol on the port, is no answer. */
static const struct udp_row others[] = {
	ROW("udp_flood", 40000, 80, "\x9d\x11\x5e\x07", 512),
	ROW("dns_query_flood", 40000, 53, DNS_QUESTION "\3www", 45),
	ROW("dns_query_flood", 53, 53, DNS_QUESTION "\3www", 45), /* resolvers of old ask from 53 */
	ROW("dns_reflection", 53, 53, DNS_ANSWER, 512),
	ROW("udp_flood", 40000, 53, DNS_ANSWER, 512), /* an answer to a server, from no server */
	ROW("dhcp_flood", 68, 67, "\1\1\6\0", 300),
	ROW("udp_flood", 68, 67, "\2\1\6\0", 300),
	ROW("quic_flood", 40000, 443, "\xc3\0\0\0\1\x08", 1200),
	ROW("udp_flood", 40000, 443, "\x43\0\0\0\1\x08", 1200),
	ROW("quic_flood", 40000, 443, "\xc3\x1a\x2a\x3a\x4a\x08", 1200), /* a version that is no one's, to be refused */
	ROW("udp_flood", 40000, 443, "\xc3\x1a\x2a\x3a\x4b\x08", 1200),
	ROW("quic_flood", 40000, 8443, "\xc3\0\0\0\1\x08", 1200), /* elsewhere only what is large enough to open */
	ROW("quic_flood", 40000, 8443, "\xc3\x6b\x33\x43\xcf\x08", 1200),
	ROW("udp_flood", 40000, 8443, "\xc3\0\0\0\1\x08", 1199),
	ROW("udp_flood", 40000, 8443, "\xc3\x1a\x2a\x3a\x4a\x08", 1200),
	ROW("udp_flood", 40000, 8443, "\x43\0\0\0\1\x08", 1200),
	ROW("udp_flood", 123, 80, "\x23\0\6\xe9", 48), /* a client's question */
	ROW("udp_flood", 123, 80, "\x17\0\3\x2a", 8),  /* a monlist request */
	ROW("udp_flood", 389, 80, "\x31\x84", 100),
	ROW("udp_flood", 161, 162, SNMP("\xa7"), 120), /* a trap, of version 2c, of 1, and one that is confirmed */
	ROW("udp_flood", 161, 162, SNMP("\xa4"), 120),
	ROW("udp_flood", 161, 162, SNMP("\xa6"), 120),
	ROW("udp_flood", 161, 162, SNMP_LONG("\xa7"), 1200),
	ROW("snmp_reflection", 161, 162, SNMP("\xa2"), 120), /* an answer, whatever port it was asked for from */
	ROW("snmp_reflection", 161, 162, SNMP_LONG("\xa2"), 1200),
	ROW("snmp_reflection", 161, 162, "0\x4e\2\1\1\4\6publi", 80), /* it is not known which */
	ROW("snmp_reflection", 161, 162, "0\x4e\2\1\1\4\x86public\xa7", 80),
	ROW("snmp_reflection", 161, 162, "0\x4e\2\1\1\5\6public\xa7", 80),
	ROW("snmp_reflection", 161, 162, "0\x4e\2\2\1\4\6public\xa7", 80),
	ROW("udp_flood", 1900, 80, "M-SEARCH * HTTP/1.1\r\n", 100),
	ROW("udp_flood", 5353, 80, "\0\0\0\0\0\1\0\0", 40),
	ROW("udp_flood", 5060, 5060, "INVITE sip:a@b SIP/2.0", 500),
	ROW("udp_flood", 3702, 80, "random", 500),
	ROW("udp_flood", 50000, 80, "\0\3\0\1data", 515),
	ROW("udp_flood", 443, 80, "\x17\x03\x03\0\x10", 400),
	ROW("udp_flood", 111, 80, "\x12\x34\x56\x78\0\0\0\0", 60), /* a call */
};

static struct observation udp_packet(const struct udp_row *made)
{
	struct observation o = made_udp(0, source(), made->src_port, target(), made->dst_port, 0);

	made_payload(&o, made->octets, made->given, made->length);
	return o;
}

static void udp(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct observation o = udp_packet(&answers[i]);

		assert_string_equal(named(&o), answers[i].name);
		assert_int_equal(vector_get(vector_recognise(&o))->class, VECTOR_REFLECTION);
	}
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct observation o = udp_packet(&others[i]);

		assert_string_equal(named(&o), others[i].name);
	}
}

/* Traps are for a collector, whatever port they come from. */
static void traps(void **state)
{
	static const uint16_t ports[] = { 161, 162, 40000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct udp_row row = ROW("", ports[i], 162, SNMP("\xa7"), 120);
		struct observation o = udp_packet(&row);

		assert_int_equal(vector_recognise(&o), VECTOR_ONE_WAY);
	}
}

/* Where the capture kept no payload, the port has to do. */
static void ports_alone(void **state)
{
	static const uint16_t ports[] = { 53, 123, 389, 1900, 161, 11211, 3702, 5060, 520, 111, 500 };

	(void)state;
	for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		struct observation o = made_udp(0, source(), ports[i], target(), 40000, 400);

		assert_int_equal(vector_get(vector_recognise(&o))->src_port, ports[i]);
	}
}

/* No payload, whatever its length, is read beyond what was kept: a mark that did would differ by what lies there. */
static void marks_read_what_was_kept(void **state)
{
	uint64_t draws = 1;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		const struct udp_row *answer = &answers[made_below(&draws, sizeof(answers) / sizeof(answers[0]))];
		struct observation o = udp_packet(answer), noisy;

		o.payload_kept = (uint8_t)made_below(&draws, 26);
		memset(o.payload + o.payload_kept, 0, sizeof(o.payload) - o.payload_kept);
		noisy = o;
		for (unsigned j = o.payload_kept; j < sizeof(noisy.payload); j++)
			noisy.payload[j] = (uint8_t)made_random(&draws);
		assert_int_equal(vector_recognise(&o), vector_recognise(&noisy));
	}
}

static bool reached[256];

static void reach(const struct observation *o)
{
	reached[vector_recognise(o)] = true;
}

static bool reached_by_name(const char *name)
{
	for (size_t id = 0; id < vector_count(); id++)
		if (reached[id] && strcmp(row(id)->name, name) == 0)
			return true;
	return false;
}

static void every_row_has_its_packet(void **state)
{
	/* Said of many packets, by the engine or the detector; no single one shows them. */
	static const char *const of_many[] = { "none",           "tcp_connection_flood", "scan",
		                               "udp_reflection", "syn_ack_reflection",   "middlebox_reflection" };
	struct observation found = made_icmp(0, source(), target(), 136, 0);
	uint64_t draws = 2;

	(void)state;
	found.protocol = MADE_ICMPV6;
	found.dst = made_ipv6(0x20010db800000000u, 1);
	found.ttl = 255;
	reach(&found);
	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct observation o = udp_packet(&answers[i]);

		reach(&o);
	}
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct observation o = udp_packet(&others[i]);

		reach(&o);
	}
	for (unsigned i = 0; i < 100000; i++) {
		struct observation o = made_tcp(0, source(), 40000, target(), 443, (uint8_t)made_random(&draws), 1, 1);

		if (i % 4 == 1)
			o = made_ip(0, source(), target(), (uint8_t)made_random(&draws), 100);
		if (i % 4 == 2)
			o.flags |= OBSERVATION_LATER_FRAGMENT;
		if (i % 4 == 3) {
			o.dst = o.src;
			o.dst_port = o.src_port;
		}
		reach(&o);
	}
	for (size_t id = 0; id < vector_count(); id++) {
		const char *name = row(id)->name;
		bool excused =
			(id < VECTOR_FIRST_REFLECTION && reached_by_name(name)) || row(id)->class == VECTOR_APPLICATION;

		for (unsigned i = 0; i < sizeof(of_many) / sizeof(of_many[0]); i++)
			excused |= strcmp(of_many[i], name) == 0;
		if (!reached[id] && !excused)
			fail_msg("no packet reaches row %zu, %s from port %u", id, name, row(id)->src_port);
	}
	for (size_t id = vector_count(); id < 256; id++)
		assert_false(reached[id]);
}

/* ---- the table itself ---- */

/* As others are promised them: formats.md. */
static const char *const promised[] = {
	"dns_reflection",
	"ntp_reflection",
	"memcached_reflection",
	"cldap_reflection",
	"ssdp_reflection",
	"snmp_reflection",
	"chargen_reflection",
	"qotd_reflection",
	"mssql_reflection",
	"portmap_reflection",
	"rip_reflection",
	"tftp_reflection",
	"netbios_reflection",
	"mdns_reflection",
	"llmnr_reflection",
	"ws_discovery_reflection",
	"arms_reflection",
	"coap_reflection",
	"plex_reflection",
	"dhcpdiscover_reflection",
	"slp_reflection",
	"tp240_reflection",
	"jenkins_reflection",
	"rdp_reflection",
	"dtls_reflection",
	"citrix_reflection",
	"sentinel_reflection",
	"sip_reflection",
	"quake_reflection",
	"source_engine_reflection",
	"steam_reflection",
	"ubiquiti_reflection",
	"bittorrent_reflection",
	"quic_reflection",
	"ike_reflection",
	"bacnet_reflection",
	"syn_ack_reflection",
	"middlebox_reflection",
	"udp_reflection",
	"syn_flood",
	"syn_ack_flood",
	"ack_flood",
	"rst_flood",
	"fin_flood",
	"xmas_flood",
	"null_flood",
	"tcp_connection_flood",
	"udp_flood",
	"fragment_flood",
	"icmp_flood",
	"nd_flood",
	"gre_flood",
	"ip_protocol_flood",
	"land",
	"dns_query_flood",
	"quic_flood",
	"dhcp_flood",
	"scan",
};

static void names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(promised) / sizeof(promised[0]); i++) {
		unsigned met = 0;

		for (size_t id = 1; id < vector_count(); id++)
			met += strcmp(row(id)->name, promised[i]) == 0;
		if (!met)
			fail_msg("%s is promised and not there", promised[i]);
	}
	/* One name is one thing: one class, and among reflections one title. */
	for (size_t a = 1; a < vector_count(); a++) {
		for (size_t b = 1; b < a; b++) {
			if (strcmp(row(a)->name, row(b)->name) != 0) {
				assert_string_not_equal(row(a)->title, row(b)->title);
				assert_true(row(a)->src_port != row(b)->src_port || row(a)->src_port == 0 ||
				            row(a)->mark != row(b)->mark);
				continue;
			}
			assert_int_equal(row(a)->class, row(b)->class);
			if (row(a)->class == VECTOR_REFLECTION) {
				assert_string_equal(row(a)->title, row(b)->title);
				/* Rows of one name differ in their port or their mark, or they were one. */
				assert_true(row(a)->src_port != row(b)->src_port || row(a)->mark != row(b)->mark);
			}
		}
	}
}

static void rows_are_whole(void **state)
{
	(void)state;
	assert_true(vector_count() > VECTOR_FIRST_REFLECTION && vector_count() <= 256);
	for (size_t id = 0; id < vector_count(); id++) {
		const struct vector *v = row(id);
		const struct evidence *e = v->evidence;
		const char *suffix = strstr(v->name, "_reflection");

		assert_true(strlen(v->name) > 0);
		assert_true(strlen(v->title) > 0);
		assert_non_null(v->advice);
		assert_non_null(v->explanation);
		/* it is put before a full stop or a colon */
		assert_true(strlen(v->explanation) > 0 && v->explanation[strlen(v->explanation) - 1] != '.');
		for (const char *at = v->name; *at; at++)
			assert_true((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_');
		if (id == VECTOR_NONE)
			continue;
		assert_true(strlen(v->advice) > 0);
		assert_int_equal(suffix != NULL && strlen(suffix) == strlen("_reflection"),
		                 v->class == VECTOR_REFLECTION);
		/* Some bound can fire, and a bound for a crowd says how many make one. */
		assert_non_null(e);
		if (v->class == VECTOR_APPLICATION) { /* told by more than counts */
			assert_false(e->lone_100ms || e->lone_1s || e->lone_10s || e->crowd_1s || e->crowd_10s);
			continue;
		}
		assert_true(e->lone_100ms || e->lone_1s || e->crowd_100ms || e->crowd_1s || e->crowd_10s ||
		            e->crowd_60s);
		assert_true((!e->crowd_100ms || e->crowd_100ms_sources) && (!e->crowd_1s || e->crowd_1s_sources) &&
		            (!e->crowd_10s || e->crowd_10s_sources) && (!e->crowd_60s || e->crowd_60s_sources));
		if (id >= VECTOR_FIRST_REFLECTION)
			assert_true(v->src_port || v->mark);
	}
	/* What is not in the table is the row that says nothing. */
	assert_ptr_equal(vector_get((uint8_t)vector_count()), vector_get(VECTOR_NONE));
	assert_ptr_equal(vector_get(255), vector_get(VECTOR_NONE));
}

static void services(void **state)
{
	(void)state;
	for (uint32_t port = 0; port <= UINT16_MAX; port++) {
		size_t id = vector_of_service((uint16_t)port);

		if (id == VECTOR_NONE)
			continue;
		assert_int_equal(row(id)->src_port, port);
		assert_int_equal(row(id)->class, VECTOR_REFLECTION);
	}
	assert_string_equal(vector_get(vector_of_service(53))->name, "dns_reflection");
	assert_string_equal(vector_get(vector_of_service(123))->name, "ntp_reflection");
	assert_string_equal(vector_get(vector_of_service(11211))->name, "memcached_reflection");
	assert_string_equal(vector_get(vector_of_service(1900))->name, "ssdp_reflection");
	assert_int_equal(vector_of_service(0), VECTOR_NONE);
	assert_int_equal(vector_of_service(40000), VECTOR_NONE);
	assert_int_equal(vector_of_service(22), VECTOR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_flags),
		cmocka_unit_test(all_tcp_flags),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(land),
		cmocka_unit_test(udp),
		cmocka_unit_test(traps),
		cmocka_unit_test(ports_alone),
		cmocka_unit_test(marks_read_what_was_kept),
		cmocka_unit_test(every_row_has_its_packet),
		cmocka_unit_test(names),
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
