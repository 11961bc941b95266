/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to an observation; see decode.h.
 *
 * A frame is a stack of layers. One struct layer walks down it: a cursor over the octets that were kept, and the number
 * of octets that were on the wire behind them. Both shrink together: a length field cuts the layer to what the field
 * says (which drops Ethernet padding), and where the field says more than was kept the difference stays on as
 * `missing`. Every length an observation states comes from kept + missing; every octet it holds from the cursor.
 *
 *     link header, VLAN tags  ->  IP  ->  extension headers  ->  transport, payload
 *                                 ^                                  |
 *                                 +--- GRE, IP in IP, VXLAN, ... <---+   at most DECODE_TUNNELS_MAX times
 *
 * A tunnel packet is decoded in full as what it is before its inside is tried, so an inside that makes no sense costs
 * nothing but itself. Tunnels over UDP are known by nothing but a port, and anybody may use any port: their inside is
 * believed only where every reserved bit is as it must be and an IP packet with a possible header fills no more than
 * what is there. The same marks tell what an MPLS label hides, for no field says.
 *
 * Sources: RFC 791, 8200, 2675 (jumbograms), 4302 (AH), 6275, 7401, 5533 (headers 135, 139, 140), 9293, 7323, 768,
 * 3828, 9260, 4340, 792, 4443, 2784 and 2890 (GRE), 2637 (PPTP's GRE), 1661 (PPP), 2516 (PPPoE), 3032 (MPLS), 1042 and
 * 948 (IP over 802.2), IEEE 802.1Q, the LINKTYPE_ registry of draft-ietf-opsawg-pcaplinktype, draft-foschiano-erspan,
 * RFC 4448 (Ethernet in MPLS), 7348 (VXLAN), draft-smith-vxlan-group-policy, draft-ietf-nvo3-vxlan-gpe, RFC 8300 (NSH),
 * 8926 (Geneve), 3GPP TS 29.281 (GTP-U), RFC 4380 (Teredo).
 */
#include "observe/decode.h"

#include <stddef.h>
#include <string.h>

#include "base/cursor.h"
#include "observe/protocol.h"

enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12,
	LINK_RAW_OPENBSD = 14,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum {
	TYPE_8023_MAX = 0x05dc, /* up to here the field is the length of an 802.2 frame */
	TYPE_SLL_LLC = 0x0004,  /* cooked captures only: an 802.2 frame follows */
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_BRIDGED = 0x6558, /* a whole Ethernet frame, in GRE */
	TYPE_ERSPAN_3 = 0x22eb,
	TYPE_VLAN = 0x8100,
	TYPE_IPV6 = 0x86dd,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE = 0x8864, /* the session, not its discovery */
	TYPE_VLAN_STACKED = 0x88a8,
	TYPE_ERSPAN_2 = 0x88be,
	TYPE_VLAN_STACKED_OLD = 0x9100,
};

enum {
	PORT_GTP = 2152,
	PORT_TEREDO = 3544,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_VXLAN_OLD = 8472, /* Linux's, from before there was a registered one */
};

enum {
	ETHERNET_HEADER = 14,
	ETHERNET_TYPE = 12,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	TCP_HEADER_FIXED = 16, /* up to and with the window: all that struct observation.tcp must have */
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	PORTS = 4, /* every transport with ports starts with them */
};

/*
 * Most packets are TCP or UDP over IPv4 over Ethernet. What these go through is one function without a call in it, in
 * which the layer stays in registers; so it must hand others a copy of the layer, never its address.
 */
#define INLINED static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

/* What the layer above promises about the IP version of the one below. */
enum version { VERSION_ANY = 0, VERSION_4 = 4, VERSION_6 = 6 };

struct layer {
	struct cursor kept;
	uint32_t missing; /* octets of this layer behind kept.end that the capture does not have */
};

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t layer_kept(const struct layer *layer)
{
	return (uint32_t)cursor_left(&layer->kept);
}

static inline uint32_t layer_whole(const struct layer *layer)
{
	return layer_kept(layer) + layer->missing;
}

/* The layer is `length` octets long, says a header. */
static inline void layer_limit(struct layer *layer, uint32_t length)
{
	uint32_t kept = layer_kept(layer);

	cursor_limit(&layer->kept, length);
	layer->missing = length > kept ? length - kept : 0;
}

/* All octets, padding too; in parts, since for so many at once gcc takes a string instruction, which costs 12 ns. */
static inline void clear(struct observation *o)
{
	enum {
		PAYLOAD = offsetof(struct observation, payload),
		TCP = offsetof(struct observation, tcp),
		OUTER = offsetof(struct observation, outer),
		QUOTE = offsetof(struct observation, quote),
	};
	uint8_t *at = (uint8_t *)o;

	memset(at, 0, PAYLOAD);
	memset(at + PAYLOAD, 0, TCP - PAYLOAD);
	memset(at + TCP, 0, OUTER - TCP);
	memset(at + OUTER, 0, QUOTE - OUTER);
	memset(at + QUOTE, 0, sizeof(*o) - QUOTE);
}

static inline void set_ipv4(struct address *address, const uint8_t *octets)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(address->octets, mapped, sizeof(mapped));
	memcpy(address->octets + sizeof(mapped), octets, 4);
}

static inline void set_ipv6(struct address *address, const uint8_t *octets)
{
	memcpy(address->octets, octets, sizeof(address->octets));
}

/* What follows the layer is payload but for `header` octets of transport header. */
INLINED void set_payload(const struct layer *layer, uint32_t header, struct observation *o)
{
	uint32_t whole = layer_whole(layer), kept = layer_kept(layer), length;

	if (whole <= header)
		return;
	length = whole - header;
	o->payload_length = length < UINT16_MAX ? (uint16_t)length : UINT16_MAX; /* jumbograms and offloaded segments */
	if (kept <= header)
		return;
	kept -= header;
	if (kept >= OBSERVATION_PAYLOAD_MAX) {
		memcpy(o->payload, layer->kept.at + header, OBSERVATION_PAYLOAD_MAX);
		o->payload_kept = OBSERVATION_PAYLOAD_MAX;
	} else {
		memcpy(o->payload, layer->kept.at + header, kept);
		o->payload_kept = (uint8_t)kept;
	}
}

static inline void set_ports(const uint8_t *ports, struct observation *o)
{
	o->src_port = be16(ports);
	o->dst_port = be16(ports + 2);
	o->flags |= OBSERVATION_PORTS;
}

/*
 * Whether a transport header of `needed` octets can be dealt with. The packet's own length must leave room for it, but
 * for a first fragment, where the rest comes later; what the snap length took is tolerated while the ports are there.
 */
INLINED enum decode_result check_header(const struct layer *layer, uint32_t needed, struct observation *o)
{
	if (layer_kept(layer) < PORTS)
		return DECODE_TRANSPORT_SHORT;
	if (layer_whole(layer) < needed) {
		if (!(o->flags & OBSERVATION_FRAGMENT))
			return DECODE_TRANSPORT_SHORT;
		o->flags |= OBSERVATION_CUT;
	}
	return DECODE_OK;
}

/* Options up to the end of the list, of the header, or of what was kept of it (`whole` is false then). */
INLINED void read_tcp_options(const uint8_t *at, const uint8_t *end, bool whole, struct observation *o)
{
	uint64_t options = 0;
	unsigned shift = 0;

	/* What nearly every packet of a connection has: two of padding, then the time stamps, and nothing else. */
	if (end - at == 12 && be32(at) == 0x0101080a) {
		o->tcp.options = TCP_OPTION_NOP | TCP_OPTION_NOP << 4 | TCP_OPTION_TS << 8;
		o->tcp.tsval = be32(at + 4);
		return;
	}
	while (at < end) {
		enum tcp_option option = TCP_OPTION_OTHER;
		bool valid = true;
		unsigned length = 1;

		if (*at > 1) {
			if (end - at < 2 || at[1] > end - at) {
				if (whole)
					o->flags |= OBSERVATION_TCP_OPTIONS_BAD;
				break;
			}
			length = at[1];
			if (length < 2) {
				o->flags |= OBSERVATION_TCP_OPTIONS_BAD;
				break;
			}
		}
		switch (*at) {
		case 0:
			option = TCP_OPTION_END;
			break;
		case 1:
			option = TCP_OPTION_NOP;
			break;
		case 2:
			option = TCP_OPTION_MSS;
			valid = length == 4;
			if (valid)
				o->tcp.mss = be16(at + 2);
			break;
		case 3:
			option = TCP_OPTION_WS;
			valid = length == 3;
			if (valid)
				o->tcp.wscale = at[2];
			break;
		case 4:
			option = TCP_OPTION_SOK;
			valid = length == 2;
			break;
		case 5:
			option = TCP_OPTION_SACK;
			valid = length >= 10 && length % 8 == 2;
			break;
		case 8:
			option = TCP_OPTION_TS;
			valid = length == 10;
			if (valid)
				o->tcp.tsval = be32(at + 2);
			break;
		default:
			break;
		}
		if (!valid)
			o->flags |= OBSERVATION_TCP_OPTIONS_BAD;
		if (shift < 64) {
			options |= (uint64_t)option << shift;
			shift += 4;
		}
		if (option == TCP_OPTION_END)
			break;
		at += length;
	}
	o->tcp.options = options;
}

/*
 * What a client says, where it may be HTTP: payload that begins with a capital letter, or is pushed. The end of a large
 * packet lies elsewhere in memory and is looked at only on the way to a server.
 */
APART void read_said(const uint8_t *payload, uint32_t kept, uint32_t whole, struct observation *o)
{
	if (o->flags & OBSERVATION_FRAGMENT)
		return;
	if ((uint8_t)(payload[0] - 'A') < 26 && http_read(payload, kept, whole, &o->http))
		o->flags |= OBSERVATION_HTTP;
	if ((o->tcp.flags & TCP_PSH) && kept == whole && (whole < 256 || o->dst_port < o->src_port) &&
	    http_ends_block(payload, whole))
		o->flags |= OBSERVATION_BLOCK_END;
}

INLINED enum decode_result read_tcp(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t kept = layer_kept(layer), header;
	enum decode_result result = check_header(layer, TCP_HEADER, o);

	if (result != DECODE_OK)
		return result;
	set_ports(h, o);
	if (kept < TCP_HEADER_FIXED) {
		set_payload(layer, TCP_HEADER, o); /* at least its length, had the header no options */
		return DECODE_OK;
	}
	header = (uint32_t)(h[12] >> 4) * 4;
	if (header < TCP_HEADER)
		return DECODE_TRANSPORT_HEADER;
	if (header > layer_whole(layer)) {
		if (!(o->flags & OBSERVATION_FRAGMENT))
			return DECODE_TRANSPORT_HEADER;
		o->flags |= OBSERVATION_CUT;
	}
	o->flags |= OBSERVATION_TCP;
	o->tcp.seq = be32(h + 4);
	o->tcp.ack = be32(h + 8);
	o->tcp.flags = h[13];
	o->tcp.window = be16(h + 14);
	o->tcp.wscale = UINT8_MAX;
	if (header > TCP_HEADER && kept > TCP_HEADER)
		read_tcp_options(h + TCP_HEADER, h + (header < kept ? header : kept), header <= kept, o);
	set_payload(layer, header, o);
	if (kept > header && ((uint8_t)(h[header] - 'A') < 26 || (h[13] & TCP_PSH)))
		read_said(h + header, kept - header, layer_whole(layer) - header, o);
	return DECODE_OK;
}

INLINED enum decode_result read_udp(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	enum decode_result result = check_header(layer, UDP_HEADER, o);

	if (result != DECODE_OK)
		return result;
	set_ports(h, o);
	if (layer_kept(layer) >= UDP_HEADER) {
		uint16_t length = be16(h + 4);

		/*
		 * Less than its own header is no datagram, but 0 stands for more than the field can say (jumbograms,
		 * senders' captures), and over IPv6 receivers take it for any. More than the packet holds is let
		 * through: a receiver would drop it, yet it fills the link all the same, attack tools do send it, and
		 * every length here comes from IP. Refused, such a flood would be a count without a target.
		 */
		if (length < UDP_HEADER && (length != 0 || (o->length <= UINT16_MAX && address_is_ipv4(&o->dst))))
			return DECODE_TRANSPORT_HEADER;
	}
	set_payload(layer, UDP_HEADER, o);
	return DECODE_OK;
}

static bool has_ports(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
	case PROTOCOL_DCCP:
	case PROTOCOL_SCTP:
	case PROTOCOL_UDP_LITE:
		return true;
	default:
		return false;
	}
}

struct chain {
	uint8_t protocol;         /* the first header that is no extension, or the one that could not be passed */
	bool extended;            /* extension headers were there */
	bool fragment;            /* and a fragment header that does not make an atomic fragment (RFC 6946) */
	uint16_t fragment_offset; /* octets */
};

/*
 * Passes over IPv6 extension headers. False where the chain is cut or too long; *chain then holds how far it came.
 * Mobility, HIP and shim6 headers with nothing behind them are the message itself, not a step to one.
 */
static bool pass_extensions(struct cursor *c, uint8_t next, struct chain *chain)
{
	*chain = (struct chain){ .protocol = next };
	for (unsigned passed = 0;; passed++) {
		const uint8_t *h = c->at;
		unsigned length;

		switch (chain->protocol) {
		case PROTOCOL_HOP_BY_HOP:
		case PROTOCOL_ROUTING:
		case PROTOCOL_FRAGMENT:
		case PROTOCOL_AH:
		case PROTOCOL_DESTINATION:
		case PROTOCOL_MOBILITY:
		case PROTOCOL_HIP:
		case PROTOCOL_SHIM6:
			break;
		default:
			return true;
		}
		if (passed == DECODE_EXTENSIONS_MAX || cursor_left(c) < 8)
			return false;
		if (chain->protocol == PROTOCOL_FRAGMENT)
			length = 8;
		else if (chain->protocol == PROTOCOL_AH)
			length = (h[1] + 2u) * 4;
		else
			length = (h[1] + 1u) * 8;
		if (h[0] == PROTOCOL_NONE && chain->protocol >= PROTOCOL_MOBILITY)
			return true;
		if (!cursor_take(c, length))
			return false;
		chain->extended = true;
		if (chain->protocol == PROTOCOL_FRAGMENT && (be16(h + 2) & 0xfff9)) {
			chain->fragment = true;
			chain->fragment_offset = be16(h + 2) & 0xfff8;
		}
		chain->protocol = h[0];
		if (chain->fragment_offset != 0)
			return true; /* what follows is the middle of something */
	}
}

/* The packet that an ICMP error quotes: at least its IP header, of the family that the error belongs to. */
static void read_quote(struct cursor c, enum version version, struct observation *o)
{
	const uint8_t *h = c.at, *ports;
	bool later;

	if (version == VERSION_4) {
		unsigned header;

		if (cursor_left(&c) < IPV4_HEADER || h[0] >> 4 != VERSION_4)
			return;
		header = (h[0] & 0xfu) * 4;
		if (header < IPV4_HEADER)
			return;
		set_ipv4(&o->quote.src, h + 12);
		set_ipv4(&o->quote.dst, h + 16);
		o->quote.protocol = h[9];
		later = be16(h + 6) & 0x1fff;
		cursor_skip(&c, header);
	} else {
		struct chain chain;

		if (cursor_left(&c) < IPV6_HEADER || h[0] >> 4 != VERSION_6)
			return;
		set_ipv6(&o->quote.src, h + 8);
		set_ipv6(&o->quote.dst, h + 24);
		cursor_skip(&c, IPV6_HEADER);
		if (!pass_extensions(&c, h[6], &chain))
			c.failed = true;
		o->quote.protocol = chain.protocol;
		later = chain.fragment_offset != 0;
	}
	o->flags |= OBSERVATION_QUOTE;
	if (later || !has_ports(o->quote.protocol))
		return;
	ports = cursor_take(&c, PORTS);
	if (!ports)
		return;
	o->quote.src_port = be16(ports);
	o->quote.dst_port = be16(ports + 2);
}

APART enum decode_result read_icmp(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	enum decode_result result = check_header(layer, ICMP_HEADER, o);
	struct cursor behind = layer->kept;

	if (result != DECODE_OK)
		return result;
	o->icmp_type = h[0];
	o->icmp_code = h[1];
	o->flags |= OBSERVATION_ICMP;
	set_payload(layer, ICMP_HEADER, o);
	if (!cursor_take(&behind, ICMP_HEADER))
		return DECODE_OK;
	if (o->protocol == PROTOCOL_ICMP && protocol_is_icmp_error(o))
		read_quote(behind, VERSION_4, o);
	else if (o->protocol == PROTOCOL_ICMPV6 && o->icmp_type >= 1 && o->icmp_type <= 4)
		read_quote(behind, VERSION_6, o);
	return DECODE_OK;
}

/* What is neither TCP nor UDP, or has no transport header. */
APART enum decode_result read_rest(const struct layer *layer, struct observation *o)
{
	if (o->flags & OBSERVATION_LATER_FRAGMENT) {
		set_payload(layer, 0, o);
		return DECODE_OK;
	}
	switch (o->protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return read_icmp(layer, o);
	case PROTOCOL_DCCP:
	case PROTOCOL_SCTP:
	case PROTOCOL_UDP_LITE:
		if (layer_kept(layer) < PORTS)
			return DECODE_TRANSPORT_SHORT;
		set_ports(layer->kept.at, o);
		break;
	default:
		break;
	}
	/* Of anything else the payload is all that IP carries: nobody looks into these protocols' headers here. */
	set_payload(layer, 0, o);
	return DECODE_OK;
}

/*
 * What the IP header carries; its protocol and flags stand in *o as well, but asked there, together, they would be
 * loaded as one before the stores of the two have reached the cache, which takes longer than the decoding.
 */
INLINED enum decode_result read_transport(const struct layer *layer, uint8_t protocol, uint32_t flags,
                                          struct observation *o)
{
	struct layer rest;

	if (layer->missing)
		flags |= OBSERVATION_CUT;
	o->flags = flags;
	if (!(flags & OBSERVATION_LATER_FRAGMENT)) {
		if (protocol == PROTOCOL_TCP)
			return read_tcp(layer, o);
		if (protocol == PROTOCOL_UDP)
			return read_udp(layer, o);
	}
	rest = *layer;
	return read_rest(&rest, o);
}

/* Leaves the layer at what the IP header carries. */
INLINED enum decode_result read_ipv4(struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t header, total, fragment, flags = 0;
	uint8_t protocol;

	if (layer_kept(layer) < IPV4_HEADER)
		return DECODE_IP_SHORT;
	header = (h[0] & 0xfu) * 4;
	total = be16(h + 2);
	if (header < IPV4_HEADER || (total != 0 && total < header))
		return DECODE_IP_HEADER;
	if (layer_kept(layer) < header)
		return DECODE_IP_SHORT;
	if (total == 0) /* a sender's capture, from before the network card cut it into segments */
		total = layer_whole(layer);
	layer_limit(layer, total);
	cursor_skip(&layer->kept, header);

	set_ipv4(&o->src, h + 12);
	set_ipv4(&o->dst, h + 16);
	protocol = h[9];
	o->length = total;
	o->protocol = protocol;
	o->ttl = h[8];
	o->ip_id = be16(h + 4);
	if (header > IPV4_HEADER)
		flags |= OBSERVATION_IP_OPTIONS;
	fragment = be16(h + 6);
	if (fragment & 0x4000)
		flags |= OBSERVATION_DF;
	if (fragment & 0x3fff) {
		o->fragment_offset = (uint16_t)((fragment & 0x1fff) * 8);
		flags |= OBSERVATION_FRAGMENT | (fragment & 0x1fff ? OBSERVATION_LATER_FRAGMENT : 0);
	}
	return read_transport(layer, protocol, flags, o);
}

static enum decode_result read_ipv6(struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t total, flags = 0;
	struct chain chain;

	if (layer_kept(layer) < IPV6_HEADER)
		return DECODE_IP_SHORT;
	total = IPV6_HEADER + be16(h + 4);
	if (total == IPV6_HEADER && h[6] != PROTOCOL_NONE) /* a jumbogram, or as with IPv4 above */
		total = layer_whole(layer);
	layer_limit(layer, total);
	cursor_skip(&layer->kept, IPV6_HEADER);
	set_ipv6(&o->src, h + 8);
	set_ipv6(&o->dst, h + 24);
	o->length = total;
	o->protocol = h[6];
	o->ttl = h[7];
	if (!pass_extensions(&layer->kept, h[6], &chain))
		return DECODE_EXTENSION;
	o->protocol = chain.protocol;
	if (chain.extended)
		flags |= OBSERVATION_IP_OPTIONS;
	if (chain.fragment) {
		o->fragment_offset = chain.fragment_offset;
		flags |= OBSERVATION_FRAGMENT | (chain.fragment_offset ? OBSERVATION_LATER_FRAGMENT : 0);
	}
	return read_transport(layer, chain.protocol, flags, o);
}

/* One packet, as if there were no tunnels. Leaves the layer at what its IP header carries. */
APART enum decode_result read_packet(struct layer *layer, enum version version, struct observation *o)
{
	unsigned said;

	if (layer_kept(layer) == 0)
		return DECODE_IP_SHORT;
	said = *layer->kept.at >> 4;
	if (version != VERSION_ANY && said != (unsigned)version)
		return DECODE_IP_VERSION;
	clear(o);
	if (said == VERSION_4)
		return read_ipv4(layer, o);
	if (said == VERSION_6)
		return read_ipv6(layer, o);
	return DECODE_IP_VERSION;
}

/*
 * The functions named pass_ take a header off the layer. On DECODE_OK an IP packet follows, of the version written to
 * *version.
 */

/* An 802.2 header: IP either in SNAP or, rarely, by its own service access point. */
static enum decode_result pass_llc(struct layer *layer, uint16_t *type)
{
	static const uint8_t snap[3] = { 0xaa, 0xaa, 0x03 }, ip[3] = { 0x06, 0x06, 0x03 };
	static const uint8_t encapsulated[3] = { 0, 0, 0 }, bridge_tunnel[3] = { 0, 0, 0xf8 };
	const uint8_t *h = cursor_take(&layer->kept, 3);

	if (!h)
		return DECODE_LINK_SHORT;
	if (memcmp(h, ip, 3) == 0) {
		*type = TYPE_IPV4;
		return DECODE_OK;
	}
	if (memcmp(h, snap, 3) != 0)
		return DECODE_NOT_IP;
	h = cursor_take(&layer->kept, 5);
	if (!h)
		return DECODE_LINK_SHORT;
	if (memcmp(h, encapsulated, 3) != 0 && memcmp(h, bridge_tunnel, 3) != 0)
		return DECODE_NOT_IP;
	*type = be16(h + 3);
	return DECODE_OK;
}

/*
 * Whether an IP packet can be what begins here. `open`: around it is a first fragment, so that it may be longer than
 * what there is.
 */
static bool is_packet(const struct layer *layer, enum version version, bool open)
{
	const uint8_t *h = layer->kept.at;
	uint32_t kept = layer_kept(layer), whole = layer_whole(layer), header = IPV6_HEADER, total;

	if (kept < IPV4_HEADER || (version != VERSION_ANY && h[0] >> 4 != (int)version))
		return false;
	if (h[0] >> 4 == VERSION_4) {
		header = (h[0] & 0xfu) * 4;
		total = be16(h + 2);
		if (header < IPV4_HEADER)
			return false;
	} else if (h[0] >> 4 == VERSION_6 && kept >= IPV6_HEADER) {
		total = be16(h + 4);
		if (total != 0 || h[6] == PROTOCOL_NONE)
			total += IPV6_HEADER;
	} else {
		return false;
	}
	if (total == 0)
		return whole > UINT16_MAX; /* more than the field can say: a sender's capture, a jumbogram */
	return total >= header && (total <= whole || open);
}

/* Address and control field, and the protocol's first octet, may be left out where both ends agree. */
static enum decode_result read_ppp(struct layer *layer, uint16_t *type)
{
	uint16_t protocol;

	if (layer_kept(layer) != 0 && *layer->kept.at == 0xff && cursor_u16_be(&layer->kept) != 0xff03)
		return layer->kept.failed ? DECODE_LINK_SHORT : DECODE_NOT_IP;
	protocol = cursor_u8(&layer->kept);
	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | cursor_u8(&layer->kept));
	if (layer->kept.failed)
		return DECODE_LINK_SHORT;
	switch (protocol) {
	case 0x0021:
		*type = TYPE_IPV4;
		return DECODE_OK;
	case 0x0057:
		*type = TYPE_IPV6;
		return DECODE_OK;
	case 0x0281:
		*type = TYPE_MPLS;
		return DECODE_OK;
	default:
		return DECODE_NOT_IP;
	}
}

static enum decode_result read_pppoe(struct layer *layer, uint16_t *type)
{
	const uint8_t *h = cursor_take(&layer->kept, 6);

	if (!h)
		return DECODE_LINK_SHORT;
	layer_limit(layer, be16(h + 4));
	return read_ppp(layer, type);
}

/* From what an EtherType announces, tags and the like, to the type of what they are around: IPv4, IPv6 or MPLS. */
static inline enum decode_result read_type(struct layer *layer, uint16_t *type)
{
	unsigned tags = 0;
	bool llc = false;

	for (;;) {
		enum decode_result result = DECODE_OK;
		const uint8_t *tag;

		switch (*type) {
		case TYPE_IPV4:
		case TYPE_IPV6:
		case TYPE_MPLS:
			return DECODE_OK;
		case TYPE_MPLS_UPSTREAM:
			*type = TYPE_MPLS;
			break;
		case TYPE_ARP:
			return DECODE_ARP;
		case TYPE_VLAN:
		case TYPE_VLAN_STACKED:
		case TYPE_VLAN_STACKED_OLD:
			/* Nothing legitimate comes near the bound, so this is not to be counted as harmless. */
			if (tags++ == DECODE_TAGS_MAX)
				return DECODE_LINK_UNKNOWN;
			tag = cursor_take(&layer->kept, 4);
			if (!tag)
				return DECODE_LINK_SHORT;
			*type = be16(tag + 2);
			break;
		case TYPE_PPPOE:
			result = read_pppoe(layer, type);
			break;
		default:
			if (*type > TYPE_8023_MAX || llc)
				return DECODE_NOT_IP;
			llc = true;
			layer_limit(layer, *type);
			result = pass_llc(layer, type);
			break;
		}
		if (result != DECODE_OK)
			return result;
	}
}

/*
 * Whether an Ethernet frame was passed from `layer` to `inside` that has such a packet in it; only then is it taken off
 * the layer. LINK_SHORT: the capture has too little of it to say.
 */
static enum decode_result believe(struct layer *layer, const struct layer *inside, enum decode_result result, bool open,
                                  enum version version)
{
	uint32_t header = version == VERSION_6 ? IPV6_HEADER : IPV4_HEADER;

	if (result == DECODE_LINK_SHORT && layer->missing)
		return DECODE_LINK_SHORT;
	if (result == DECODE_OK && inside->missing && layer_kept(inside) < header)
		return DECODE_LINK_SHORT;
	if (result != DECODE_OK || !is_packet(inside, version, open))
		return DECODE_NOT_IP;
	*layer = *inside;
	return DECODE_OK;
}

/* Ethernet behind an MPLS label; not another label behind that. */
static enum decode_result pass_wire(struct layer *layer, enum version *version)
{
	struct layer inside = *layer;
	const uint8_t *h = cursor_take(&inside.kept, ETHERNET_HEADER);
	enum decode_result result = DECODE_LINK_SHORT;
	uint16_t type = 0;

	if (h) {
		type = be16(h + ETHERNET_TYPE);
		result = read_type(&inside, &type);
	}
	if (result == DECODE_OK && type == TYPE_MPLS)
		return DECODE_NOT_IP;
	*version = type == TYPE_IPV6 ? VERSION_6 : VERSION_4;
	return believe(layer, &inside, result, false, *version);
}

/*
 * Behind the last label nothing says what follows. IP shows by its version, and what is not IP takes care not to look
 * like it (RFC 4928): an Ethernet frame has a control word before it that begins with zero. Not everybody takes care,
 * so a frame that makes sense is one, with the control word or without.
 */
static enum decode_result pass_mpls(struct layer *layer, enum version *version)
{
	enum decode_result result, behind;
	bool last = false;

	for (unsigned labels = 0; !last; labels++) {
		const uint8_t *label = cursor_take(&layer->kept, 4);

		if (labels == DECODE_TAGS_MAX)
			return DECODE_LINK_UNKNOWN;
		if (!label)
			return DECODE_LINK_SHORT;
		last = label[2] & 1;
	}
	if (layer_kept(layer) == 0)
		return DECODE_LINK_SHORT;
	result = pass_wire(layer, version);
	if (result == DECODE_OK)
		return DECODE_OK;
	if (*layer->kept.at >> 4 == 0) {
		if (!cursor_take(&layer->kept, 4))
			return DECODE_LINK_SHORT;
		behind = pass_wire(layer, version);
		return behind == DECODE_NOT_IP ? result : behind;
	}
	if (result == DECODE_LINK_SHORT)
		return DECODE_LINK_SHORT;
	switch (*layer->kept.at >> 4) {
	case VERSION_4:
		*version = VERSION_4;
		return DECODE_OK;
	case VERSION_6:
		*version = VERSION_6;
		return DECODE_OK;
	default:
		return DECODE_NOT_IP;
	}
}

/* `type` is what read_type() or read_ppp() found. */
static inline enum decode_result pass_network(struct layer *layer, uint16_t type, enum version *version)
{
	if (type == TYPE_MPLS)
		return pass_mpls(layer, version);
	*version = type == TYPE_IPV6 ? VERSION_6 : VERSION_4;
	return DECODE_OK;
}

static enum decode_result pass_ppp(struct layer *layer, enum version *version)
{
	uint16_t type;
	enum decode_result result = read_ppp(layer, &type);

	return result == DECODE_OK ? pass_network(layer, type, version) : result;
}

static inline enum decode_result pass_type(struct layer *layer, uint16_t type, enum version *version)
{
	enum decode_result result = read_type(layer, &type);

	return result == DECODE_OK ? pass_network(layer, type, version) : result;
}

static enum decode_result pass_ethernet(struct layer *layer, enum version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, ETHERNET_HEADER);

	return h ? pass_type(layer, be16(h + ETHERNET_TYPE), version) : DECODE_LINK_SHORT;
}

/* Ethernet in what may be a tunnel over UDP. */
static enum decode_result pass_if_ethernet(struct layer *layer, bool open, enum version *version)
{
	struct layer inside = *layer;
	enum decode_result result = pass_ethernet(&inside, version);

	return believe(layer, &inside, result, open, result == DECODE_OK ? *version : VERSION_ANY);
}

static enum decode_result pass_sll(struct layer *layer, size_t header, size_t type_at, enum version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, header);
	enum decode_result result;
	uint16_t type;

	if (!h)
		return DECODE_LINK_SHORT;
	type = be16(h + type_at);
	if (type == TYPE_SLL_LLC) {
		result = pass_llc(layer, &type);
		if (result != DECODE_OK)
			return result;
	}
	/* Small numbers are Linux's own protocols here, not lengths. */
	return type > TYPE_8023_MAX ? pass_type(layer, type, version) : DECODE_NOT_IP;
}

/* Four octets of address family, by the numbers of the system and in the byte order of the machine that captured. */
static enum decode_result pass_null(struct layer *layer, enum version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, 4);
	uint32_t family;

	if (!h)
		return DECODE_LINK_SHORT;
	family = be32(h);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		*version = VERSION_4;
		return DECODE_OK;
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		*version = VERSION_6;
		return DECODE_OK;
	default:
		return DECODE_NOT_IP;
	}
}

/* Mirrored frames. Without sequence number (type I) there is no header of ERSPAN's own. */
static enum decode_result pass_erspan(struct layer *layer, uint16_t type, bool sequenced, enum version *version)
{
	const uint8_t *h;

	if (type == TYPE_ERSPAN_3) {
		h = cursor_take(&layer->kept, 12);
		if (!h)
			return DECODE_LINK_SHORT;
		if (h[11] & 1) /* a subheader of the platform's */
			cursor_skip(&layer->kept, 8);
		switch (h[10] >> 2 & 0x1f) { /* the frame's type */
		case 0:
			break;
		case 2: /* IP */
			*version = VERSION_ANY;
			return layer->kept.failed ? DECODE_LINK_SHORT : DECODE_OK;
		default:
			return DECODE_NOT_IP;
		}
	} else if (sequenced) {
		cursor_skip(&layer->kept, 8);
	}
	return layer->kept.failed ? DECODE_LINK_SHORT : pass_ethernet(layer, version);
}

static enum decode_result pass_gre(struct layer *layer, enum version *version, bool *overlay)
{
	enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACK = 0x0080, VERSION = 0x0007 };
	uint16_t flags = cursor_u16_be(&layer->kept);
	uint16_t type = cursor_u16_be(&layer->kept);

	if ((flags & VERSION) == 1) {
		uint16_t length;

		/* PPTP: the key is there always, and its first half is the payload's length. */
		if (!(flags & KEY) || flags & (CHECKSUM | ROUTING) || type != TYPE_PPP)
			return DECODE_NOT_IP;
		length = cursor_u16_be(&layer->kept);
		cursor_skip(&layer->kept, 2);
		cursor_skip(&layer->kept, flags & SEQUENCE ? 4 : 0);
		cursor_skip(&layer->kept, flags & ACK ? 4 : 0);
		if (layer->kept.failed)
			return DECODE_LINK_SHORT;
		layer_limit(layer, length < layer_whole(layer) ? length : layer_whole(layer));
		return pass_ppp(layer, version);
	}
	/* Source routes are from RFC 1701; nothing sends them, and RFC 2784 drops them. */
	if (flags & (VERSION | ROUTING))
		return DECODE_NOT_IP;
	cursor_skip(&layer->kept, flags & CHECKSUM ? 4 : 0);
	cursor_skip(&layer->kept, flags & KEY ? 4 : 0);
	cursor_skip(&layer->kept, flags & SEQUENCE ? 4 : 0);
	if (layer->kept.failed)
		return DECODE_LINK_SHORT;
	switch (type) {
	case TYPE_IPV4:
		*version = VERSION_4;
		return DECODE_OK;
	case TYPE_IPV6:
		*version = VERSION_6;
		return DECODE_OK;
	case TYPE_BRIDGED:
		return pass_ethernet(layer, version);
	case TYPE_ERSPAN_2:
	case TYPE_ERSPAN_3:
		*overlay = true;
		return pass_erspan(layer, type, flags & SEQUENCE, version);
	case TYPE_PPP:
		return pass_ppp(layer, version);
	default:
		return DECODE_NOT_IP;
	}
}

static enum decode_result pass_bare(const struct layer *layer, enum version wanted, bool open, enum version *version)
{
	*version = wanted;
	return is_packet(layer, wanted, open) ? DECODE_OK : DECODE_NOT_IP;
}

/* The group policy extension gives a meaning to bits that are reserved otherwise. */
static enum decode_result pass_vxlan(struct layer *layer, bool open, enum version *version)
{
	enum { VNI_VALID = 0x08, GROUP = 0x80, GROUP_BITS = 0x48 };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	bool plain, grouped;

	if (!h)
		return DECODE_LINK_SHORT;
	plain = h[0] == VNI_VALID && h[1] == 0 && be16(h + 2) == 0;
	grouped = h[0] == (GROUP | VNI_VALID) && !(h[1] & ~GROUP_BITS);
	return (plain || grouped) && h[7] == 0 ? pass_if_ethernet(layer, open, version) : DECODE_NOT_IP;
}

/* What follows in VXLAN-GPE and in NSH: the numbers are the same. */
static enum decode_result pass_next(struct layer *layer, uint8_t next, bool open, enum version *version)
{
	switch (next) {
	case 1:
		return pass_bare(layer, VERSION_4, open, version);
	case 2:
		return pass_bare(layer, VERSION_6, open, version);
	case 3:
		return pass_if_ethernet(layer, open, version);
	default:
		return DECODE_NOT_IP;
	}
}

static enum decode_result pass_vxlan_gpe(struct layer *layer, bool open, enum version *version)
{
	enum { VNI_VALID = 0x08, NEXT_PROTOCOL = 0x04, FLOODED = 0x02, NSH = 4 };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	uint8_t next, words;

	if (!h)
		return DECODE_LINK_SHORT;
	if (!(h[0] & VNI_VALID) || h[0] & ~(VNI_VALID | NEXT_PROTOCOL | FLOODED) || be16(h + 1) != 0 || h[7] != 0)
		return DECODE_NOT_IP;
	next = h[0] & NEXT_PROTOCOL ? h[3] : 3;
	if (next != NSH)
		return pass_next(layer, next, open, version);
	h = cursor_take(&layer->kept, 8);
	if (!h)
		return DECODE_LINK_SHORT;
	words = h[1] & 0x3f;
	if (h[0] >> 6 || h[0] & 0x20 || words < 2) /* a version of its own, and its own messages */
		return DECODE_NOT_IP;
	next = h[3];
	cursor_skip(&layer->kept, (words - 2u) * 4);
	return layer->kept.failed ? DECODE_LINK_SHORT : pass_next(layer, next, open, version);
}

static enum decode_result pass_geneve(struct layer *layer, bool open, enum version *version)
{
	enum { CONTROL = 0x80, RESERVED = 0x3f };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	uint32_t options;

	if (!h)
		return DECODE_LINK_SHORT;
	if (h[0] >> 6 || h[1] & (CONTROL | RESERVED) || h[7] != 0)
		return DECODE_NOT_IP;
	options = (h[0] & 0x3fu) * 4;
	while (options > 0) {
		const uint8_t *option = cursor_take(&layer->kept, 4);
		uint32_t length;

		if (!option)
			return DECODE_LINK_SHORT;
		length = 4 + (option[3] & 0x1fu) * 4;
		if (option[3] >> 5 || length > options)
			return DECODE_NOT_IP;
		cursor_skip(&layer->kept, length - 4);
		options -= length;
	}
	if (layer->kept.failed)
		return DECODE_LINK_SHORT;
	switch (be16(h + 2)) {
	case TYPE_BRIDGED:
		return pass_if_ethernet(layer, open, version);
	case TYPE_IPV4:
		return pass_bare(layer, VERSION_4, open, version);
	case TYPE_IPV6:
		return pass_bare(layer, VERSION_6, open, version);
	default:
		return DECODE_NOT_IP;
	}
}

/* A user's packet; all else (echo, error, end marker) is between the tunnel's ends. */
static enum decode_result pass_gtp(struct layer *layer, bool open, enum version *version)
{
	enum { VERSION_1_GTP = 0x30, MARKS = 0xf8, EXTENDED = 0x04, OPTIONAL = 0x07, T_PDU = 0xff };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	uint8_t flags, next = 0;
	uint32_t length;

	if (!h)
		return DECODE_LINK_SHORT;
	flags = h[0];
	length = be16(h + 2);
	if ((flags & MARKS) != VERSION_1_GTP || h[1] != T_PDU ||
	    (length != layer_whole(layer) && !(open && length > layer_whole(layer))))
		return DECODE_NOT_IP;
	if (flags & OPTIONAL) {
		h = cursor_take(&layer->kept, 4);
		if (!h)
			return DECODE_LINK_SHORT;
		next = flags & EXTENDED ? h[3] : 0;
	}
	for (unsigned passed = 0; next != 0; passed++) {
		if (layer_kept(layer) == 0)
			return DECODE_LINK_SHORT;
		length = *layer->kept.at * 4u;
		if (length == 0 || passed == DECODE_EXTENSIONS_MAX)
			return DECODE_NOT_IP;
		h = cursor_take(&layer->kept, length);
		if (!h)
			return DECODE_LINK_SHORT;
		next = h[length - 1];
	}
	return pass_bare(layer, VERSION_ANY, open, version);
}

static bool is_of_teredo(const uint8_t *address)
{
	static const uint8_t teredo[4] = { 0x20, 0x01, 0, 0 };

	/* Link-local ones are in what clients and servers say to each other. */
	return memcmp(address, teredo, sizeof(teredo)) == 0 || (be16(address) & 0xffc0) == 0xfe80;
}

/* A bubble, which opens the way and carries nothing, stays what it is around it. */
static enum decode_result pass_teredo(struct layer *layer, bool open, enum version *version)
{
	enum { ORIGIN = 0, AUTHENTICATION = 1 };
	const uint8_t *h = layer->kept.at;
	uint32_t length;

	if (layer_kept(layer) >= 4 && be16(h) == AUTHENTICATION) {
		cursor_skip(&layer->kept, 4u + h[2] + h[3] + 9); /* identifier, value, nonce, confirmation */
		h = layer->kept.at;
	}
	if (layer_kept(layer) >= 2 && be16(h) == ORIGIN)
		cursor_skip(&layer->kept, 8);
	h = layer->kept.at;
	if (layer->kept.failed || !is_packet(layer, VERSION_6, open))
		return DECODE_NOT_IP;
	length = IPV6_HEADER + be16(h + 4);
	if ((length != layer_whole(layer) && !open) || h[6] == PROTOCOL_NONE ||
	    !(is_of_teredo(h + 8) || is_of_teredo(h + 24)))
		return DECODE_NOT_IP;
	*version = VERSION_6;
	return DECODE_OK;
}

static enum decode_result pass_udp(struct layer *layer, const struct observation *o, enum version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, UDP_HEADER);
	bool open = o->flags & OBSERVATION_FRAGMENT;
	uint32_t length;

	if (!h)
		return DECODE_LINK_SHORT;
	length = be16(h + 4);
	if (length >= UDP_HEADER && length - UDP_HEADER < layer_whole(layer))
		layer_limit(layer, length - UDP_HEADER);
	switch (o->dst_port) {
	case PORT_VXLAN:
	case PORT_VXLAN_OLD:
		return pass_vxlan(layer, open, version);
	case PORT_VXLAN_GPE:
		return pass_vxlan_gpe(layer, open, version);
	case PORT_GENEVE:
		return pass_geneve(layer, open, version);
	case PORT_GTP:
		return pass_gtp(layer, open, version);
	default:
		return pass_teredo(layer, open, version);
	}
}

static enum decode_result pass_tunnel(struct layer *layer, const struct observation *o, enum version *version,
                                      bool *overlay)
{
	*overlay = false;
	switch (o->protocol) {
	case PROTOCOL_IPV4:
		*version = VERSION_4;
		return DECODE_OK;
	case PROTOCOL_IPV6:
		*version = VERSION_6;
		return DECODE_OK;
	case PROTOCOL_UDP:
		*overlay = true;
		return pass_udp(layer, o, version);
	default:
		return pass_gre(layer, version, overlay);
	}
}

/* Whether it is worth a look. Without a branch for each port: random ones would be guessed wrongly again and again. */
static inline bool is_tunnel(const struct observation *o)
{
	unsigned to = o->dst_port;

	if (o->protocol == PROTOCOL_TCP)
		return false;
	if (o->protocol == PROTOCOL_UDP)
		return (to == PORT_GTP) | (to == PORT_VXLAN) | (to == PORT_VXLAN_GPE) | (to == PORT_GENEVE) |
		       (to == PORT_VXLAN_OLD) | (to == PORT_TEREDO) | (o->src_port == PORT_TEREDO);
	return o->protocol == PROTOCOL_GRE || o->protocol == PROTOCOL_IPV4 || o->protocol == PROTOCOL_IPV6;
}

static void set_outer(const struct observation *o, bool overlay, struct observation *inner)
{
	if (overlay)
		inner->flags |= OBSERVATION_OVERLAY;
	inner->outer.src = o->src;
	inner->outer.dst = o->dst;
	inner->outer.protocol = o->protocol;
	inner->outer.ttl = o->ttl;
	inner->outer.ip_id = o->ip_id;
	inner->outer.length = o->length;
	inner->outer.src_port = o->src_port;
	inner->outer.dst_port = o->dst_port;
}

/*
 * Goes down the tunnels, from a tunnel packet in *o, as far as there is sense in them. A first fragment is gone into
 * as well: the inner headers are all in it, and its later fragments stay what they are, tunnel packets. What a mirror
 * or an overlay carries is told as if it had been captured there, so that a tunnel in it is the outermost.
 */
static enum decode_result descend(struct layer *layer, struct observation *o)
{
	for (unsigned depth = 0; is_tunnel(o) && !(o->flags & OBSERVATION_LATER_FRAGMENT); depth++) {
		struct observation inner;
		enum version version;
		bool overlay;

		if (pass_tunnel(layer, o, &version, &overlay) != DECODE_OK)
			return DECODE_OK;
		if (depth == DECODE_TUNNELS_MAX) {
			o->flags |= OBSERVATION_MALFORMED; /* … and what was reached hits its target */
			return DECODE_TUNNEL_DEEP;
		}
		if (read_packet(layer, version, &inner) != DECODE_OK)
			return DECODE_OK;
		inner.flags |= OBSERVATION_TUNNELLED;
		if (depth == 0 || (o->flags & OBSERVATION_OVERLAY && !overlay)) {
			set_outer(o, overlay, &inner);
		} else {
			inner.flags |= o->flags & OBSERVATION_OVERLAY;
			inner.outer = o->outer;
		}
		*o = inner;
	}
	return DECODE_OK;
}

static enum decode_result pass_link(struct layer *layer, uint32_t link_type, enum version *version)
{
	switch (link_type) {
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
		*version = VERSION_ANY;
		return DECODE_OK;
	case LINK_IPV4:
		*version = VERSION_4;
		return DECODE_OK;
	case LINK_IPV6:
		*version = VERSION_6;
		return DECODE_OK;
	case LINK_NULL:
	case LINK_LOOP:
		return pass_null(layer, version);
	case LINK_SLL:
		return pass_sll(layer, 16, 14, version);
	case LINK_SLL2:
		return pass_sll(layer, 20, 0, version);
	case LINK_PPP:
		return pass_ppp(layer, version);
	default:
		return DECODE_LINK_UNKNOWN;
	}
}

/* What does not begin as most do. */
APART enum decode_result read_frame(struct layer *layer, uint32_t link_type, struct observation *o)
{
	enum version version = VERSION_ANY;
	enum decode_result result =
		link_type == LINK_ETHERNET ? pass_ethernet(layer, &version) : pass_link(layer, link_type, &version);

	return result == DECODE_OK ? read_packet(layer, version, o) : result;
}

/* Not one octet of the observation is one of the frame: so can the compiler keep what it wrote in registers. */
enum decode_result decode_frame(uint32_t link_type, const uint8_t *restrict data, uint32_t captured, uint32_t original,
                                struct observation *restrict observation)
{
	struct layer layer = {
		.kept = cursor_over(data, captured),
		.missing = original > captured ? original - captured : 0,
	};
	enum decode_result result;

	if (link_type == LINK_ETHERNET && captured > ETHERNET_HEADER && be16(data + ETHERNET_TYPE) == TYPE_IPV4 &&
	    data[ETHERNET_HEADER] >> 4 == VERSION_4) {
		cursor_skip(&layer.kept, ETHERNET_HEADER);
		clear(observation);
		result = read_ipv4(&layer, observation);
	} else {
		struct layer whole = layer;

		result = read_frame(&whole, link_type, observation);
		layer = whole;
	}
	if (__builtin_expect(result != DECODE_OK, 0)) {
		if (decode_hits_target(result))
			observation->flags |= OBSERVATION_MALFORMED;
		return result;
	}
	if (__builtin_expect(is_tunnel(observation), 0)) {
		struct layer inside = layer;

		return descend(&inside, observation);
	}
	return DECODE_OK;
}

bool decode_hits_target(enum decode_result result)
{
	return result == DECODE_OK || result == DECODE_TRANSPORT_SHORT || result == DECODE_TRANSPORT_HEADER ||
	       result == DECODE_EXTENSION || result == DECODE_TUNNEL_DEEP;
}

const char *decode_result_name(enum decode_result result)
{
	static const char *const names[DECODE_RESULTS] = {
		[DECODE_OK] = "ok",
		[DECODE_ARP] = "arp",
		[DECODE_NOT_IP] = "not_ip",
		[DECODE_LINK_UNKNOWN] = "link_unknown",
		[DECODE_LINK_SHORT] = "link_short",
		[DECODE_IP_SHORT] = "ip_short",
		[DECODE_IP_VERSION] = "ip_version",
		[DECODE_IP_HEADER] = "ip_header",
		[DECODE_EXTENSION] = "extension",
		[DECODE_TRANSPORT_SHORT] = "transport_short",
		[DECODE_TRANSPORT_HEADER] = "transport_header",
		[DECODE_TUNNEL_DEEP] = "tunnel_deep",
	};

	return (unsigned)result < DECODE_RESULTS ? names[result] : "unknown";
}
