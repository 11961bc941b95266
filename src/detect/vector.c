/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/vector.h"

#include <string.h>

#include "base/cursor.h"
#include "observe/protocol.h"

/* Tags of BER (X.690), and of SNMP's PDUs in it (RFC 3416 section 3; RFC 1157 section 4.1 for version 1's trap). */
enum {
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_SEQUENCE = 0x30,
	BER_LONG = 0x80, /* in a length: the length of what says it */
	SNMP_TRAP_V1 = 0xa4,
	SNMP_INFORM = 0xa6,
	SNMP_TRAP_V2 = 0xa7,
};

/* Ports that packets are sent to (IANA "Service Name and Transport Protocol Port Number Registry"; what is usual). */
enum {
	PORT_DNS = 53,
	PORT_DHCP_SERVER = 67,
	PORT_HTTP = 80,
	PORT_NTP = 123,
	PORT_SNMP_TRAP = 162,
	PORT_HTTPS = 443,
	PORT_SYSLOG = 514,
	PORT_NETFLOW = 2055, /* what most exporters are set to, as the two below */
	PORT_STUN = 3478,
	PORT_IPFIX = 4739,
	PORT_SFLOW = 6343,
	PORT_STATSD = 8125,
	PORT_NETFLOW_CISCO = 9995,
	PORT_NETFLOW_OTHER = 9996,
	PORT_GELF = 12201,
};

#define NTP_TIME_MAX 90 /* octets of a question for the time or its answer: 48, and what authenticates them */

static bool payload_is(const struct observation *o, unsigned at, const void *octets, unsigned length)
{
	return o->payload_kept >= at + length && memcmp(o->payload + at, octets, length) == 0;
}

/* Where the capture kept no payload the port has to do. */
static bool no_payload_kept(const struct observation *o)
{
	return o->payload_kept < 4;
}

static bool mark_dns(const struct observation *o)
{
	/* QR set; opcode a known one */
	return no_payload_kept(o) || ((o->payload[2] & 0x80) && ((o->payload[2] >> 3) & 15) <= 6);
}

static bool mark_dns_small(const struct observation *o)
{
	return mark_dns(o) && o->payload_length <= 300 && !(o->flags & OBSERVATION_FRAGMENT);
}

static bool mark_mdns(const struct observation *o)
{
	return no_payload_kept(o) || (o->payload[2] & 0x80);
}

static bool mark_ntp(const struct observation *o)
{
	unsigned mode = o->payload[0] & 7;

	/* answers: server (4), control with the response bit (6), private with the response bit (7) */
	return o->payload_kept == 0 || mode == 4 || mode == 5 ||
	       (mode == 6 && o->payload_kept > 1 && (o->payload[1] & 0x80)) || (mode == 7 && (o->payload[0] & 0x80));
}

/* The time, as servers tell it. */
static bool mark_ntp_time(const struct observation *o)
{
	return o->payload_kept > 0 && ((o->payload[0] & 7) == 4 || (o->payload[0] & 7) == 5) &&
	       o->payload_length <= NTP_TIME_MAX;
}

static bool mark_asn1(const struct observation *o)
{
	return no_payload_kept(o) || o->payload[0] == BER_SEQUENCE;
}

/* Which PDU of SNMPv1 or v2c it is (RFC 1157 section 4, RFC 3416 section 3), by its tag; 0 where that is not known. */
static uint8_t snmp_pdu(const struct observation *o)
{
	struct cursor c = cursor_over(o->payload, o->payload_kept);
	uint8_t length, community, pdu;

	if (cursor_u8(&c) != BER_SEQUENCE)
		return 0;
	length = cursor_u8(&c);
	if (length & BER_LONG)
		cursor_skip(&c, length & (uint8_t)~BER_LONG);
	if (cursor_u8(&c) != BER_INTEGER)
		return 0;
	if (cursor_u8(&c) != 1)
		return 0;
	cursor_skip(&c, 1); /* the version */
	if (cursor_u8(&c) != BER_OCTETS)
		return 0;
	community = cursor_u8(&c);
	if (community & BER_LONG)
		return 0;
	cursor_skip(&c, community);
	pdu = cursor_u8(&c);
	return c.failed ? 0 : pdu;
}

/*
 * Some agents send traps from the port on which they are asked; a reflector answers, and nothing makes it send a trap.
 */
static bool mark_snmp(const struct observation *o)
{
	switch (snmp_pdu(o)) {
	case SNMP_TRAP_V1:
	case SNMP_INFORM:
	case SNMP_TRAP_V2:
		return false;
	default:
		return mark_asn1(o);
	}
}

static bool mark_ssdp(const struct observation *o)
{
	return no_payload_kept(o) || payload_is(o, 0, "HTTP/1.", 7) || payload_is(o, 0, "NOTIFY", 6);
}

static bool mark_tftp(const struct observation *o)
{
	/* DATA, first blocks, full size: servers answer from a port of their own */
	return o->payload_kept >= 4 && o->payload[0] == 0 && o->payload[1] == 3 && o->payload[2] == 0 &&
	       o->payload[3] < 32 && o->payload_length == 516;
}

static bool mark_mssql(const struct observation *o)
{
	return o->payload_kept == 0 || o->payload[0] == 0x05;
}

static bool mark_netbios(const struct observation *o)
{
	return no_payload_kept(o) || (o->payload[2] & 0x80);
}

static bool mark_rip(const struct observation *o)
{
	return o->payload_kept < 2 || (o->payload[0] == 2 && o->payload[1] <= 2);
}

static bool mark_portmap(const struct observation *o)
{
	return o->payload_kept < 8 || payload_is(o, 4, "\0\0\0\1", 4); /* RPC reply */
}

static bool mark_xml(const struct observation *o)
{
	return no_payload_kept(o) || o->payload[0] == '<' || payload_is(o, 0, "\xef\xbb\xbf<", 4);
}

static bool mark_coap(const struct observation *o)
{
	/* version 1, response code class 2, 4 or 5 */
	return o->payload_kept < 2 || ((o->payload[0] >> 6) == 1 && o->payload[1] >= 0x40 && o->payload[1] < 0xc0);
}

static bool mark_dhip(const struct observation *o)
{
	return o->payload_kept < 8 || payload_is(o, 4, "DHIP", 4) || payload_is(o, 0, "DHIP", 4);
}

static bool mark_quake(const struct observation *o)
{
	return no_payload_kept(o) || payload_is(o, 0, "\xff\xff\xff\xff", 4);
}

static bool mark_sip(const struct observation *o)
{
	return no_payload_kept(o) || payload_is(o, 0, "SIP/2.0", 7);
}

static bool mark_dtls(const struct observation *o)
{
	return o->payload_kept >= 3 && o->payload[0] >= 20 && o->payload[0] <= 25 && o->payload[1] == 0xfe;
}

/*
 * RFC 9000 and, of no version there is, its section 15: they make a server answer; RFC 9369, drafts, Google's Q043 on
 */
static bool is_quic_version(const struct observation *o)
{
	const uint8_t *version = o->payload + 1;
	bool reserved = (version[0] & version[1] & version[2] & version[3] & 15) == 10 &&
	                ((version[0] | version[1] | version[2] | version[3]) & 15) == 10;

	return memcmp(version, "\0\0\0\1", 4) == 0 || memcmp(version, "\x6b\x33\x43\xcf", 4) == 0 ||
	       memcmp(version, "\xff\0\0", 3) == 0 || memcmp(version, "Q0", 2) == 0 || reserved;
}

/*
 * What opens a connection at whatever port: of a version that is a standard, and as large as it has to be (section
 * 14.1).
 */
static bool is_quic_opening(const struct observation *o)
{
	const uint8_t *version = o->payload + 1;

	return o->payload_length >= 1200 &&
	       (memcmp(version, "\0\0\0\1", 4) == 0 || memcmp(version, "\x6b\x33\x43\xcf", 4) == 0);
}

static bool mark_quic_answer(const struct observation *o)
{
	return o->payload_kept >= 5 &&
	       (o->payload[0] & 0x80); /* long header: Initial, Handshake, Retry, Version Negotiation */
}

static bool mark_ike(const struct observation *o)
{
	/* RFC 7296 section 3.1: version octet at 17; behind a 4-octet non-ESP marker on port 4500 (RFC 3948) */
	unsigned at = payload_is(o, 0, "\0\0\0\0", 4) ? 21 : 17;

	return o->payload_kept <= at || o->payload[at] == 0x10 || o->payload[at] == 0x20;
}

static bool mark_stun(const struct observation *o)
{
	return o->payload_kept < 8 || payload_is(o, 4, "\x21\x12\xa4\x42", 4) || o->payload[0] == 1;
}

static bool mark_bittorrent(const struct observation *o)
{
	return no_payload_kept(o) || payload_is(o, 0, "d1:r", 4) || payload_is(o, 0, "d2:ip", 5) ||
	       ((o->payload[0] & 15) == 1 && o->payload[0] >> 4 <= 4); /* DHT answer, uTP */
}

static bool mark_bacnet(const struct observation *o)
{
	return o->payload_kept == 0 || o->payload[0] == 0x81;
}

/*
 * The bounds are set where four hundred and fifty captures of ordinary applications, and made ones of flash crowds,
 * calls, games, busy name servers and backups, stay silent at half of them.
 */
/* clang-format off */
static const struct evidence reflection = {
	.lone_100ms = 200, .lone_1s = 600,
	.crowd_100ms = 50, .crowd_100ms_sources = 8,
	.crowd_1s = 80, .crowd_1s_sources = 8,
	.crowd_10s = 200, .crowd_10s_sources = 10,
	.crowd_60s = 500, .crowd_60s_sources = 20,
};
/* clang-format on */

/* Ports below are also used by ordinary peers of ordinary conversations: ask for more. */
/* clang-format off */
static const struct evidence shared_port = {
	.lone_100ms = 400, .lone_1s = 2000,
	.crowd_100ms = 100, .crowd_100ms_sources = 15,
	.crowd_1s = 250, .crowd_1s_sources = 15,
	.crowd_10s = 800, .crowd_10s_sources = 30,
	.crowd_60s = 2500, .crowd_60s_sources = 60,
	.stream_1s = 10000, .stream_crowd = 2, .settle_slots = 3,
};

static const struct evidence syn = {
	.lone_1s = 100,
	.crowd_1s = 60, .crowd_1s_sources = 30,
	.crowd_10s = 100, .crowd_10s_sources = 60,
	.crowd_60s = 200, .crowd_60s_sources = 25,
	.repeat_max = 5, .unsettled_percent = 15, .settle_slots = 5,
	.again_slots = 12, /* a SYN is repeated after a second (RFC 6298 section 2) */
};

static const struct evidence syn_ack = {
	.lone_100ms = 100, .lone_1s = 250, .lone_10s = 800,
	.crowd_1s = 40, .crowd_1s_sources = 8,
	.crowd_10s = 80, .crowd_10s_sources = 8,
	.crowd_60s = 150, .crowd_60s_sources = 8,
};

static const struct evidence out_of_state = {
	.lone_100ms = 200, .lone_1s = 700, .lone_10s = 1200,
	.crowd_1s = 150, .crowd_1s_sources = 30,
	.crowd_10s = 300, .crowd_10s_sources = 80,
	.crowd_60s = 800, .crowd_60s_sources = 80,
	.unsettled_percent = 80, .settle_slots = 5,
};
/* clang-format on */

static const struct evidence connection = {
	.lone_1s = 200,
	.crowd_10s = 700,
	.crowd_10s_sources = 1,
	.settle_slots = 20,
};

/* clang-format off */
static const struct evidence udp = {
	.lone_100ms = 250, .lone_1s = 1000, .lone_10s = 2000,
	.crowd_1s = 220, .crowd_1s_sources = 20,
	.crowd_10s = 1000, .crowd_10s_sources = 40,
	.crowd_60s = 3000, .crowd_60s_sources = 50,
	.stream_1s = 10000, .stream_crowd = 10, .unheard_long = 6, .settle_slots = 3,
};

/* Collectors are sent to and never answer. */
static const struct evidence one_way = {
	.lone_1s = 20000,
	.crowd_1s = 10000, .crowd_1s_sources = 500,
	.stream_1s = 20000, .settle_slots = 3,
};

static const struct evidence dns_query = {
	.lone_100ms = 250, .lone_1s = 1000,
	.crowd_1s = 300, .crowd_1s_sources = 20,
	.crowd_10s = 1200, .crowd_10s_sources = 40,
	.crowd_60s = 4000, .crowd_60s_sources = 50,
	.stream_1s = 5000, .stream_crowd = 16, .unheard = 20,
	.answered_1s = 1500, .settle_slots = 5,
};

static const struct evidence icmp = {
	.lone_100ms = 100, .lone_1s = 500, .lone_10s = 1500,
	.crowd_1s = 200, .crowd_1s_sources = 20,
	.crowd_10s = 1200, .crowd_10s_sources = 40,
};

static const struct evidence portless = {
	.lone_100ms = 400, .lone_1s = 2000,
	.crowd_1s = 200, .crowd_1s_sources = 20,
	.crowd_10s = 800, .crowd_10s_sources = 40,
	.crowd_60s = 2500, .crowd_60s_sources = 50,
	.stream_1s = 10000,
};
/* clang-format on */

/* Protocols that carry no streams. */
/* clang-format off */
static const struct evidence unused = {
	.lone_100ms = 200, .lone_1s = 1000,
	.crowd_1s = 200, .crowd_1s_sources = 20,
	.crowd_10s = 800, .crowd_10s_sources = 40,
	.crowd_60s = 2500, .crowd_60s_sources = 50,
};
/* clang-format on */

/* A morning's four hundred clients ask thirty times a second. */
static const struct evidence dhcp = { .lone_100ms = 60, .lone_1s = 300, .settle_slots = 3 };

/* Answers no larger than what an ordinary client gets all day. */
/* clang-format off */
static const struct evidence small_answers = {
	.lone_100ms = 400, .lone_1s = 2000,
	.crowd_100ms = 150, .crowd_100ms_sources = 20,
	.crowd_1s = 1000, .crowd_1s_sources = 20,
};
/* clang-format on */

/* Sources are pairs of tunnel end and inner destination here; with mirrors and overlays, tunnel ends alone. */
/* clang-format off */
static const struct evidence tunnel = {
	.crowd_1s = 300, .crowd_1s_sources = 200,
	.crowd_10s = 1500, .crowd_10s_sources = 500,
};
/* clang-format on */

static const struct evidence land = { .lone_100ms = 50, .lone_1s = 50, .crowd_10s = 100, .crowd_10s_sources = 1 };
/* Counts of distinct ports or hosts probed, not of packets. */
static const struct evidence scan = { .crowd_60s = 60, .crowd_60s_sources = 60, .settle_slots = 10 };

/* Told by what requests have in common, not by counts: see detect/http.h. */
static const struct evidence none = { 0 };

#define ADVICE_SYN "answer with SYN cookies, so that only real addresses get through"
#define ADVICE_STATE "drop TCP packets that belong to no connection (flow validation)"
#define ADVICE_UDP "admit only what the service speaks, or sources known from peace; ask upstream if the link is full"
#define ADVICE_LIMIT "limit per source; ask upstream if the link is full"
#define ADVICE_PORT "drop answers from this port at the edge unless you asked; ask upstream if the link is full"

#define WHAT_GRE "Packets wrapped in others (GRE tunnels) that nobody set up fill the line"
#define WHAT_REFLECTION                                                             \
	"Servers elsewhere were tricked into sending answers that nobody here had " \
	"asked for; small forged questions become large answers"

#define FLOOD(id, n, t, c, p, e, w, a) \
	[id] = { .name = n, .title = t, .class = c, .protocol = p, .evidence = &(e), .explanation = w, .advice = a }
#define REFLECT(n, t, port, m, e)                                                              \
	{                                                                                      \
		.name = n "_reflection", .title = t " reflection", .class = VECTOR_REFLECTION, \
		.protocol = PROTOCOL_UDP, .src_port = port, .mark = m, .evidence = &(e),       \
		.explanation = WHAT_REFLECTION, .advice = ADVICE_PORT                          \
	}

static const struct vector vectors[] = {
	[VECTOR_NONE] = { .name = "none",
	                  .title = "none",
	                  .evidence = &portless,
	                  .explanation = "Packets that nobody asked for",
	                  .advice = "" },
	FLOOD(VECTOR_SYN, "syn_flood", "SYN flood", VECTOR_STATELESS, PROTOCOL_TCP, syn,
	      "Each packet asks for a TCP connection that is never completed; enough of them fill the server's queue and keep visitors out",
	      ADVICE_SYN),
	FLOOD(VECTOR_SYN_ACK, "syn_ack_flood", "SYN-ACK flood", VECTOR_STATELESS, PROTOCOL_TCP, syn_ack,
	      "The packets accept TCP connections that nobody here had asked to open", ADVICE_STATE),
	FLOOD(VECTOR_ACK, "ack_flood", "ACK flood", VECTOR_STATELESS, PROTOCOL_TCP, out_of_state,
	      "The packets pretend to belong to TCP connections that do not exist; the server must look each one up to reject it",
	      ADVICE_STATE),
	FLOOD(VECTOR_RST, "rst_flood", "RST flood", VECTOR_STATELESS, PROTOCOL_TCP, out_of_state,
	      "The packets end TCP connections that do not exist; the server must look each one up to discard it",
	      ADVICE_STATE),
	FLOOD(VECTOR_FIN, "fin_flood", "FIN flood", VECTOR_STATELESS, PROTOCOL_TCP, out_of_state,
	      "The packets close TCP connections that do not exist; the server must look each one up to discard it",
	      ADVICE_STATE),
	FLOOD(VECTOR_XMAS, "xmas_flood", "XMAS flood", VECTOR_STATELESS, PROTOCOL_TCP, out_of_state,
	      "The packets bear TCP flags that never occur together", ADVICE_STATE),
	FLOOD(VECTOR_NULL, "null_flood", "TCP NULL flood", VECTOR_STATELESS, PROTOCOL_TCP, out_of_state,
	      "The packets bear no TCP flags at all, which never occurs in a connection", ADVICE_STATE),
	FLOOD(VECTOR_TCP_CONNECTION, "tcp_connection_flood", "connection flood", VECTOR_CONVERSATION, PROTOCOL_TCP,
	      connection,
	      "Real TCP connections were opened, more and faster than the service is used to, to use up its capacity",
	      "limit connections per source; these sources are real"),
	FLOOD(VECTOR_UDP, "udp_flood", "UDP flood", VECTOR_STATELESS, PROTOCOL_UDP, udp,
	      "UDP packets that nobody asked for fill the line and keep the receiver busy", ADVICE_UDP),
	FLOOD(VECTOR_FRAGMENT, "fragment_flood", "fragment flood", VECTOR_STATELESS, 0, portless,
	      "Pieces of larger packets were sent, which the receiver must keep and try to put together",
	      "drop fragments whose first part did not come"),
	FLOOD(VECTOR_ICMP, "icmp_flood", "ICMP flood", VECTOR_STATELESS, 0, icmp,
	      "ICMP packets (ping, error messages) that nobody asked for keep the receiver busy", ADVICE_LIMIT),
	FLOOD(VECTOR_ICMP_ERROR, "icmp_flood", "ICMP flood", VECTOR_STATELESS, 0, portless,
	      "ICMP error messages about packets that were never sent keep the receiver busy", ADVICE_LIMIT),
	FLOOD(VECTOR_DISCOVERY, "nd_flood", "neighbour discovery flood", VECTOR_STATELESS, 0, icmp,
	      "Messages by which the hosts of a link find each other (IPv6 neighbour discovery) fill their tables; "
	      "they come from the link itself, for no router passes them on",
	      "find the sender at the switch (RA guard, a limit per port); dropped here, they would end IPv6 for this host"),
	FLOOD(VECTOR_GRE, "gre_flood", "GRE flood", VECTOR_STATELESS, PROTOCOL_GRE, portless, WHAT_GRE,
	      "admit GRE only from your own tunnels' far ends"),
	FLOOD(VECTOR_IP_PROTOCOL, "ip_protocol_flood", "flood of another IP protocol", VECTOR_STATELESS, 0, unused,
	      "Packets of an IP protocol that is hardly in use fill the line", "drop IP protocols that you do not use"),
	/*
	 * Tunnel packets whose inside could be read: one tunnel has few insides, a flood has as many as it has packets.
	 */
	FLOOD(VECTOR_GRE_INSIDE, "gre_flood", "GRE flood", VECTOR_STATELESS, PROTOCOL_GRE, tunnel, WHAT_GRE,
	      "admit GRE only from your own tunnels' far ends"),
	FLOOD(VECTOR_IP_INSIDE, "ip_protocol_flood", "IP-in-IP flood", VECTOR_STATELESS, 0, tunnel,
	      "Packets wrapped in others (IP in IP) that nobody set up fill the line",
	      "admit IP-in-IP only from your own tunnels' far ends"),
	FLOOD(VECTOR_LAND, "land", "LAND", VECTOR_STATELESS, 0, land,
	      "The packets claim to come from their own target, so that it answers itself",
	      "drop packets that claim to come from their own target"),
	FLOOD(VECTOR_DNS_QUERY, "dns_query_flood", "DNS query flood", VECTOR_STATELESS, PROTOCOL_UDP, dns_query,
	      "Questions to a DNS server come faster than anyone would ask, to keep it from answering real ones",
	      "answer truncated so that real resolvers retry by TCP; prefer resolvers known from peace"),
	FLOOD(VECTOR_QUIC, "quic_flood", "QUIC flood", VECTOR_STATELESS, PROTOCOL_UDP, udp,
	      "Openings of QUIC connections that are never completed; each costs the server cryptography and memory",
	      "make clients prove their address (QUIC Retry)"),
	FLOOD(VECTOR_QUESTION, "udp_flood", "UDP flood of questions to a service", VECTOR_STATELESS, PROTOCOL_UDP,
	      dns_query, "Questions to a public service come faster than anyone would ask", ADVICE_UDP),
	FLOOD(VECTOR_IP_STREAM, "ip_protocol_flood", "flood of another IP protocol", VECTOR_STATELESS, 0, portless,
	      "Packets of a tunnelling or streaming protocol that nobody asked for fill the line",
	      "admit this protocol only from hosts that you know"),
	FLOOD(VECTOR_DHCP, "dhcp_flood", "DHCP flood", VECTOR_STATELESS, PROTOCOL_UDP, dhcp,
	      "Requests for addresses (DHCP) come faster than any network needs them", "limit DHCP per switch port"),
	FLOOD(VECTOR_ONE_WAY, "udp_flood", "UDP flood on a collector", VECTOR_STATELESS, PROTOCOL_UDP, one_way,
	      "Far more reports arrive at a collector than its senders have to tell", ADVICE_UDP),
	FLOOD(VECTOR_SCAN_PORTS, "scan", "port scan", VECTOR_SCAN, 0, scan, "Somebody looked which ports are open",
	      "nothing needs to be dropped; a scan is a look, not a flood"),
	FLOOD(VECTOR_SCAN_HOSTS, "scan", "host scan", VECTOR_SCAN, 0, scan, "Somebody looked which hosts are there",
	      "nothing needs to be dropped; a scan is a look, not a flood"),
	FLOOD(VECTOR_HTTP, "http_flood", "HTTP flood", VECTOR_APPLICATION, PROTOCOL_TCP, none,
	      "Requests that no visitor makes keep the server busy; each looks like any other on its own",
	      "limit requests per client, answer what they share from a cache or refuse it before it costs anything; the clients are real"),
	FLOOD(VECTOR_SLOW_HTTP, "slow_http", "slow HTTP attack", VECTOR_APPLICATION, PROTOCOL_TCP, none,
	      "Connections were kept open by sending or taking hardly anything; enough of them leave the server none for visitors",
	      "limit open connections per client, and the time that a request may take; let a proxy take requests in whole before a server waits"),
	FLOOD(VECTOR_UDP_REFLECTION, "udp_reflection", "UDP reflection (unlisted service)", VECTOR_REFLECTION,
	      PROTOCOL_UDP, udp,
	      "Servers elsewhere were tricked into sending answers nobody asked for; their service is not in our list",
	      ADVICE_PORT),
	FLOOD(VECTOR_SYN_ACK_REFLECTION, "syn_ack_reflection", "SYN-ACK reflection", VECTOR_REFLECTION, PROTOCOL_TCP,
	      syn_ack, "Servers elsewhere were tricked into accepting TCP connections that nobody here had asked for",
	      ADVICE_STATE),
	FLOOD(VECTOR_MIDDLEBOX_REFLECTION, "middlebox_reflection", "TCP middlebox reflection", VECTOR_REFLECTION,
	      PROTOCOL_TCP, out_of_state,
	      "Firewalls and filters elsewhere were tricked into sending their block pages here", ADVICE_STATE),
	/* The first row of a port whose mark fits is taken. */
	[VECTOR_FIRST_REFLECTION] = REFLECT("dns", "DNS", 53, mark_dns_small, small_answers),
	REFLECT("dns", "DNS", 53, mark_dns, reflection),
	REFLECT("ntp", "NTP", 123, mark_ntp_time, small_answers),
	REFLECT("ntp", "NTP", 123, mark_ntp, reflection),
	REFLECT("memcached", "memcached", 11211, NULL, reflection),
	REFLECT("chargen", "CharGEN", 19, NULL, reflection),
	REFLECT("qotd", "QOTD", 17, NULL, reflection),
	REFLECT("echo", "Echo", 7, NULL, reflection),
	REFLECT("cldap", "CLDAP", 389, mark_asn1, reflection),
	REFLECT("ssdp", "SSDP", 1900, mark_ssdp, reflection),
	REFLECT("snmp", "SNMP", 161, mark_snmp, reflection),
	REFLECT("netbios", "NetBIOS", 137, mark_netbios, reflection),
	REFLECT("netbios", "NetBIOS", 138, NULL, reflection),
	REFLECT("mdns", "mDNS", 5353, mark_mdns, reflection),
	REFLECT("llmnr", "LLMNR", 5355, mark_mdns, reflection),
	REFLECT("rip", "RIPv1", 520, mark_rip, reflection),
	REFLECT("portmap", "portmap", 111, mark_portmap, reflection),
	REFLECT("tftp", "TFTP", 69, NULL, reflection),
	REFLECT("tftp", "TFTP", 0, mark_tftp, reflection),
	REFLECT("mssql", "MSSQL browser", 1434, mark_mssql, reflection),
	REFLECT("ws_discovery", "WS-Discovery", 3702, mark_xml, reflection),
	REFLECT("arms", "Apple Remote Management", 3283, NULL, reflection),
	REFLECT("coap", "CoAP", 5683, mark_coap, reflection),
	REFLECT("plex", "Plex", 32414, NULL, reflection),
	REFLECT("plex", "Plex", 32412, NULL, reflection),
	REFLECT("plex", "Plex", 32410, NULL, reflection),
	REFLECT("dhcpdiscover", "DVR DHCPDiscover", 37810, mark_dhip, reflection),
	REFLECT("slp", "SLP", 427, NULL, reflection),
	REFLECT("tp240", "TP240", 10074, NULL, reflection),
	REFLECT("jenkins", "Jenkins", 33848, NULL, reflection),
	REFLECT("rdp", "RDP over UDP", 3389, NULL, shared_port),
	REFLECT("dtls", "DTLS", 443, mark_dtls, shared_port),
	REFLECT("dtls", "DTLS", 4433, mark_dtls, shared_port),
	REFLECT("dtls", "DTLS", 4443, mark_dtls, shared_port),
	REFLECT("dtls", "DTLS", 10443, mark_dtls, shared_port),
	REFLECT("dtls", "DTLS", 5684, mark_dtls, shared_port),
	REFLECT("quic", "QUIC", 443, mark_quic_answer, shared_port),
	REFLECT("quic", "QUIC", 80, mark_quic_answer, shared_port),
	REFLECT("powerhouse", "Powerhouse VPN", 20811, NULL, reflection),
	REFLECT("citrix", "Citrix", 1604, NULL, reflection),
	REFLECT("sentinel", "Sentinel", 5093, NULL, reflection),
	REFLECT("sip", "SIP", 5060, mark_sip, reflection),
	REFLECT("crestron", "Crestron", 41794, NULL, reflection),
	REFLECT("quake", "Quake 3", 27960, mark_quake, reflection),
	REFLECT("source_engine", "Source engine", 27015, mark_quake, reflection),
	REFLECT("source_engine", "Source engine", 27016, mark_quake, reflection),
	REFLECT("source_engine", "Source engine", 27017, mark_quake, reflection),
	REFLECT("steam", "Steam remote play", 27036, NULL, reflection),
	REFLECT("fivem", "FiveM", 30120, NULL, shared_port),
	REFLECT("ubiquiti", "Ubiquiti discovery", 10001, NULL, reflection),
	REFLECT("xdmcp", "XDMCP", 177, NULL, reflection),
	REFLECT("digiman", "Digiman", 2362, NULL, reflection),
	REFLECT("bfd", "BFD", 3784, NULL, reflection),
	REFLECT("lantronix", "Lantronix", 30718, NULL, reflection),
	REFLECT("ike", "IKE", 500, mark_ike, reflection),
	REFLECT("ike", "IKE", 4500, mark_ike, reflection),
	REFLECT("nat_pmp", "NAT-PMP", 5351, NULL, reflection),
	REFLECT("stun", "STUN", 3478, mark_stun, shared_port),
	REFLECT("vxworks", "VxWorks debug", 17185, NULL, reflection),
	REFLECT("openvpn", "OpenVPN", 1194, NULL, shared_port),
	REFLECT("bittorrent", "BitTorrent", 6881, mark_bittorrent, shared_port),
	REFLECT("modbus", "Modbus", 502, NULL, reflection),
	REFLECT("afs", "AFS", 7001, NULL, reflection),
	REFLECT("netis", "Netis", 53413, NULL, reflection),
	REFLECT("bacnet", "BACnet", 47808, mark_bacnet, reflection),
	REFLECT("ipmi", "IPMI", 623, NULL, reflection),
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

_Static_assert(VECTORS < 256, "a vector's number fits an octet");

_Static_assert(VECTORS <= 128, "engine/learned.c keeps a kind in seven bits");

size_t vector_count(void)
{
	return VECTORS;
}

const struct vector *vector_get(uint8_t id)
{
	return &vectors[id < VECTORS ? id : VECTOR_NONE];
}

uint8_t vector_of_service(uint16_t port)
{
	for (size_t i = VECTOR_FIRST_REFLECTION; i < VECTORS; i++)
		if (vectors[i].src_port == port && port != 0 && vectors[i].evidence != &shared_port)
			return (uint8_t)i;
	return VECTOR_NONE;
}

bool vector_is_probe(uint8_t id)
{
	return id == VECTOR_SYN || id == VECTOR_FIN || id == VECTOR_NULL || id == VECTOR_XMAS || id == VECTOR_ACK ||
	       id == VECTOR_UDP;
}

static uint8_t recognise_tcp(const struct observation *o)
{
	uint8_t flags = o->tcp.flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG);

	if (protocol_is_bare_syn(o))
		return VECTOR_SYN;
	if ((flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) == (TCP_SYN | TCP_ACK))
		return VECTOR_SYN_ACK;
	if (flags == 0)
		return VECTOR_NULL;
	if ((flags & (TCP_FIN | TCP_PSH | TCP_URG)) == (TCP_FIN | TCP_PSH | TCP_URG) ||
	    (flags & (TCP_SYN | TCP_FIN)) == (TCP_SYN | TCP_FIN))
		return VECTOR_XMAS;
	if (flags & TCP_RST)
		return VECTOR_RST;
	if (flags & TCP_FIN)
		return VECTOR_FIN;
	return VECTOR_ACK; /* with PSH and URG as they come */
}

/*
 * Services that are one-way by design, with the mark of their payload: syslog, SNMP traps, flow exports, statsd, GELF.
 */
static bool is_for_collector(const struct observation *o)
{
	const uint8_t *p = o->payload;

	if (o->payload_kept < 4)
		return false;
	switch (o->dst_port) {
	case PORT_SYSLOG:
		return p[0] == '<';
	case PORT_SNMP_TRAP:
		return p[0] == BER_SEQUENCE;
	case PORT_NETFLOW:
	case PORT_NETFLOW_CISCO:
	case PORT_NETFLOW_OTHER:
	case PORT_IPFIX:
		return p[0] == 0 && (p[1] == 5 || p[1] == 9 || p[1] == 10); /* versions 5 and 9; IPFIX is 10 */
	case PORT_SFLOW:
		return p[0] == 0 && p[1] == 0 && p[2] == 0 && p[3] == 5; /* version 5 */
	case PORT_STATSD:
		return p[0] >= 'A' && p[0] <= 'z';
	case PORT_GELF: /* a chunk; text; gzip; zlib */
		return (p[0] == 0x1e && p[1] == 0x0f) || p[0] == '{' || p[0] == 0x1f || p[0] == 0x78;
	default:
		return false;
	}
}

static bool is_dns_question(const struct observation *o)
{
	const uint8_t *p = o->payload;

	/* no answer; a known opcode; one to four questions */
	return o->payload_kept < 6 ||
	       (!(p[2] & 0x80) && ((p[2] >> 3) & 15) <= 6 && p[4] == 0 && p[5] >= 1 && p[5] <= 4);
}

/*
 * What a public server is asked all day by clients that it sees once: the time (NTP mode 3), one's own address (STUN).
 */
static bool is_service_question(const struct observation *o)
{
	if (o->dst_port == PORT_NTP)
		return o->payload_kept > 0 && (o->payload[0] & 7) == 3 && o->payload_length <= NTP_TIME_MAX;
	return o->dst_port == PORT_STUN && payload_is(o, 0, "\0\1", 2) && payload_is(o, 4, "\x21\x12\xa4\x42", 4);
}

/* The rows of a source port stand together behind `first`; the table is made before main() and never changes. */
static struct {
	uint8_t first[65536];
	uint8_t next[256];
} by_port;

__attribute__((constructor)) static void make_by_port(void)
{
	/* Backwards, so that earlier rows come first. */
	for (size_t i = VECTORS; i-- > VECTOR_FIRST_REFLECTION;) {
		by_port.next[i] = by_port.first[vectors[i].src_port];
		by_port.first[vectors[i].src_port] = (uint8_t)i;
	}
}

static uint8_t recognise_udp(const struct observation *o)
{
	if (o->src_port)
		for (uint8_t i = by_port.first[o->src_port]; i != VECTOR_NONE; i = by_port.next[i])
			if (!vectors[i].mark || vectors[i].mark(o))
				return i;
	for (uint8_t i = by_port.first[0]; i != VECTOR_NONE; i = by_port.next[i])
		if (vectors[i].mark(o))
			return i;
	if (is_for_collector(o))
		return VECTOR_ONE_WAY;
	if (o->dst_port == PORT_DNS && is_dns_question(o))
		return VECTOR_DNS_QUERY;
	if (is_service_question(o))
		return VECTOR_QUESTION;
	if (o->dst_port == PORT_DHCP_SERVER && o->payload_kept >= 1 && o->payload[0] == 1)
		return VECTOR_DHCP;
	if (o->payload_kept >= 5 && (o->payload[0] & 0xc0) == 0xc0 &&
	    (o->dst_port == PORT_HTTPS || o->dst_port == PORT_HTTP ? is_quic_version(o) : is_quic_opening(o)))
		return VECTOR_QUIC;
	return VECTOR_UDP;
}

uint8_t vector_of_question(const struct observation *answer)
{
	switch (answer->src_port) {
	case PORT_DNS:
		return VECTOR_DNS_QUERY;
	case PORT_NTP:
	case PORT_STUN:
		return VECTOR_QUESTION;
	case PORT_HTTP:
	case PORT_HTTPS: /* of what a server sends, its Initial answers a client's (RFC 9000 section 17.2.2) */
		return answer->payload_kept >= 5 && (answer->payload[0] & 0xf0) == 0xc0 && is_quic_version(answer)
		               ? VECTOR_QUIC
		               : VECTOR_UDP;
	default:
		return VECTOR_UDP;
	}
}

static bool is_loopback(const struct address *a)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	return address_is_ipv4(a) ? a->octets[12] == 127 : memcmp(a->octets, loopback6, sizeof(loopback6)) == 0;
}

#define FIRST_FRAGMENT_LEAST 256 /* octets; IPv4's links are to carry 576, modems of old carried 296, IPv6's 1,280 */

uint8_t vector_recognise(const struct observation *o)
{
	if (address_equal(&o->src, &o->dst) && !is_loopback(&o->dst))
		return VECTOR_LAND;
	/*
	 * A link that has to cut packets carries pieces of this size: a first piece that is smaller is somebody's
	 * trick.
	 */
	if ((o->flags & (OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT)) &&
	    ((o->flags & OBSERVATION_LATER_FRAGMENT) || o->length < FIRST_FRAGMENT_LEAST))
		return VECTOR_FRAGMENT;
	switch (o->protocol) {
	case PROTOCOL_TCP:
		if (o->flags & OBSERVATION_TCP)
			return recognise_tcp(o);
		/* A header that cannot be read belongs to no connection either. */
		return o->flags & OBSERVATION_FRAGMENT ? VECTOR_FRAGMENT : VECTOR_ACK;
	case PROTOCOL_UDP:
		return recognise_udp(o);
	case PROTOCOL_ICMP:
		return VECTOR_ICMP;
	case PROTOCOL_ICMPV6:
		return protocol_is_discovery(o) ? VECTOR_DISCOVERY : VECTOR_ICMP;
	case PROTOCOL_GRE:
		return VECTOR_GRE;
	case PROTOCOL_IPV4:
	case PROTOCOL_IPV6:
	case PROTOCOL_ESP:
	case PROTOCOL_AH:
	case PROTOCOL_L2TP:
	case PROTOCOL_SCTP:
		return VECTOR_IP_STREAM;
	default:
		return VECTOR_IP_PROTOCOL;
	}
}
