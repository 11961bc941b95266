/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a frame to an observation; see decode.h, and layer.h for how a frame is walked down:
 *
 *     link header, VLAN tags  ->  IP  ->  extension headers  ->  transport, payload
 *     (link.c)                    ^       (extension.c)          |  (ICMP: icmp.c)
 *                                 +--- GRE, IP in IP, VXLAN, ... <---+   at most DECODE_TUNNELS_MAX times
 *                                      (tunnel.c)
 *
 * A tunnel packet is decoded in full as what it is before its inside is tried, so an inside that makes no sense costs
 * nothing but itself.
 *
 * Sources: RFC 791, 8200, 2675 (jumbograms), 9293, 7323, 768, 3828, 9260, 4340.
 */
#include "observe/decode.h"

#include <stddef.h>
#include <string.h>

#include "base/cursor.h"
#include "observe/extension.h"
#include "observe/icmp.h"
#include "observe/layer.h"
#include "observe/link.h"
#include "observe/protocol.h"
#include "observe/tunnel.h"

enum {
	TCP_HEADER = 20,
	TCP_HEADER_FIXED = 16, /* up to and with the window: all that struct observation.tcp must have */
};

/* Kinds of TCP's options (IANA "TCP Option Kind Numbers"), and time stamps behind two of padding. */
enum { KIND_END = 0, KIND_NOP = 1, KIND_MSS = 2, KIND_WS = 3, KIND_SOK = 4, KIND_SACK = 5, KIND_TS = 8 };
#define PADDED_TS 12
#define PADDED_TS_HEAD 0x0101080a

/*
 * Most packets are TCP or UDP over IPv4 over Ethernet. What these go through is one function without a call in it, in
 * which the layer stays in registers; so it must hand others a copy of the layer, never its address.
 */
#define APART static __attribute__((noinline))

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

static inline void set_ports(const uint8_t *ports, struct observation *o)
{
	o->src_port = layer_be16(ports);
	o->dst_port = layer_be16(ports + 2);
	o->flags |= OBSERVATION_PORTS;
}

/* One option, of `length` octets with its kind: which it is, and what it says. */
LAYER_INLINED enum tcp_option read_tcp_option(const uint8_t *at, unsigned length, struct observation *o)
{
	enum tcp_option option = TCP_OPTION_OTHER;
	bool valid = true;

	switch (*at) {
	case KIND_END:
		return TCP_OPTION_END;
	case KIND_NOP:
		return TCP_OPTION_NOP;
	case KIND_MSS:
		option = TCP_OPTION_MSS;
		valid = length == 4;
		if (valid)
			o->tcp.mss = layer_be16(at + 2);
		break;
	case KIND_WS:
		option = TCP_OPTION_WS;
		valid = length == 3;
		if (valid)
			o->tcp.wscale = at[2];
		break;
	case KIND_SOK:
		option = TCP_OPTION_SOK;
		valid = length == 2;
		break;
	case KIND_SACK:
		option = TCP_OPTION_SACK;
		valid = length >= 10 && length % 8 == 2;
		break;
	case KIND_TS:
		option = TCP_OPTION_TS;
		valid = length == 10;
		if (valid)
			o->tcp.tsval = layer_be32(at + 2);
		break;
	default:
		break;
	}
	if (!valid)
		o->flags |= OBSERVATION_TCP_OPTIONS_BAD;
	return option;
}

/* Options up to the end of the list, of the header, or of what was kept of it (`whole` is false then). */
LAYER_INLINED void read_tcp_options(const uint8_t *at, const uint8_t *end, bool whole, struct observation *o)
{
	uint64_t options = 0;
	unsigned shift = 0;

	/* What nearly every packet of a connection has: two of padding, then the time stamps, and nothing else. */
	if (end - at == PADDED_TS && layer_be32(at) == PADDED_TS_HEAD) {
		o->tcp.options = TCP_OPTION_NOP | TCP_OPTION_NOP << 4 | TCP_OPTION_TS << 8;
		o->tcp.tsval = layer_be32(at + 4);
		return;
	}
	while (at < end) {
		enum tcp_option option;
		unsigned length = 1;

		if (*at > KIND_NOP) { /* it has a length */
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
		option = read_tcp_option(at, length, o);
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

LAYER_INLINED enum decode_result read_tcp(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t kept = layer_kept(layer), header;
	enum decode_result result = layer_check_header(layer, TCP_HEADER, o);

	if (result != DECODE_OK)
		return result;
	set_ports(h, o);
	if (kept < TCP_HEADER_FIXED) {
		layer_set_payload(layer, TCP_HEADER, o); /* at least its length, had the header no options */
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
	o->tcp.seq = layer_be32(h + 4);
	o->tcp.ack = layer_be32(h + 8);
	o->tcp.flags = h[13];
	o->tcp.window = layer_be16(h + 14);
	o->tcp.wscale = UINT8_MAX;
	if (header > TCP_HEADER && kept > TCP_HEADER)
		read_tcp_options(h + TCP_HEADER, h + (header < kept ? header : kept), header <= kept, o);
	layer_set_payload(layer, header, o);
	if (kept > header && ((uint8_t)(h[header] - 'A') < 26 || (h[13] & TCP_PSH)))
		read_said(h + header, kept - header, layer_whole(layer) - header, o);
	return DECODE_OK;
}

LAYER_INLINED enum decode_result read_udp(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	enum decode_result result = layer_check_header(layer, UDP_HEADER, o);

	if (result != DECODE_OK)
		return result;
	set_ports(h, o);
	if (layer_kept(layer) >= UDP_HEADER) {
		uint16_t length = layer_be16(h + 4);

		/*
		 * Less than its own header is no datagram, but 0 stands for more than the field can say (jumbograms,
		 * senders' captures), and over IPv6 receivers take it for any. More than the packet holds is let
		 * through: a receiver would drop it, yet it fills the link all the same, attack tools do send it, and
		 * every length here comes from IP. Refused, such a flood would be a count without a target.
		 */
		if (length < UDP_HEADER && (length != 0 || (o->length < UINT16_MAX && address_is_ipv4(&o->dst))))
			return DECODE_TRANSPORT_HEADER;
	}
	layer_set_payload(layer, UDP_HEADER, o);
	return DECODE_OK;
}

/* What is neither TCP nor UDP, or has no transport header. */
APART enum decode_result read_rest(const struct layer *layer, struct observation *o)
{
	if (o->flags & OBSERVATION_LATER_FRAGMENT) {
		layer_set_payload(layer, 0, o);
		return DECODE_OK;
	}
	switch (o->protocol) {
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return icmp_read(layer, o);
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
	layer_set_payload(layer, 0, o);
	return DECODE_OK;
}

/*
 * What the IP header carries; its protocol and flags stand in *o as well, but asked there, together, they would be
 * loaded as one before the stores of the two have reached the cache, which takes longer than the decoding.
 */
LAYER_INLINED enum decode_result read_transport(const struct layer *layer, uint8_t protocol, uint32_t flags,
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
LAYER_INLINED enum decode_result read_ipv4(struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t header, total, fragment, flags = 0;
	uint8_t protocol;

	if (layer_kept(layer) < IPV4_HEADER)
		return DECODE_IP_SHORT;
	header = (h[0] & 0xfu) * 4;
	total = layer_be16(h + 2);
	if (header < IPV4_HEADER || (total != 0 && total < header))
		return DECODE_IP_HEADER;
	if (layer_kept(layer) < header)
		return DECODE_IP_SHORT;
	if (total == 0) /* a sender's capture, from before the network card cut it into segments */
		total = layer_whole(layer);
	layer_limit(layer, total);
	cursor_skip(&layer->kept, header);

	layer_set_ipv4(&o->src, h + 12);
	layer_set_ipv4(&o->dst, h + 16);
	protocol = h[9];
	o->length = total;
	o->protocol = protocol;
	o->ttl = h[8];
	o->ip_id = layer_be16(h + 4);
	if (header > IPV4_HEADER)
		flags |= OBSERVATION_IP_OPTIONS;
	fragment = layer_be16(h + 6);
	if (fragment & IPV4_DONT_FRAGMENT)
		flags |= OBSERVATION_DF;
	if (fragment & IPV4_FRAGMENT) {
		o->fragment_offset = (uint16_t)((fragment & IPV4_OFFSET) * 8);
		flags |= OBSERVATION_FRAGMENT | (fragment & IPV4_OFFSET ? OBSERVATION_LATER_FRAGMENT : 0);
	}
	return read_transport(layer, protocol, flags, o);
}

static enum decode_result read_ipv6(struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	uint32_t total, flags = 0;
	struct extension_chain chain;

	if (layer_kept(layer) < IPV6_HEADER)
		return DECODE_IP_SHORT;
	total = IPV6_HEADER + layer_be16(h + 4);
	if (total == IPV6_HEADER && h[6] != PROTOCOL_NONE) /* a jumbogram, or as with IPv4 above */
		total = layer_whole(layer);
	layer_limit(layer, total);
	cursor_skip(&layer->kept, IPV6_HEADER);
	layer_set_ipv6(&o->src, h + 8);
	layer_set_ipv6(&o->dst, h + 24);
	o->length = total;
	o->protocol = h[6];
	o->ttl = h[7];
	if (!extension_pass(&layer->kept, h[6], &chain))
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
APART enum decode_result read_packet(struct layer *layer, enum ip_version version, struct observation *o)
{
	unsigned said;

	if (layer_kept(layer) == 0)
		return DECODE_IP_SHORT;
	said = *layer->kept.at >> 4;
	if (version != IP_ANY && said != (unsigned)version)
		return DECODE_IP_VERSION;
	clear(o);
	if (said == IP_4)
		return read_ipv4(layer, o);
	if (said == IP_6)
		return read_ipv6(layer, o);
	return DECODE_IP_VERSION;
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
	for (unsigned depth = 0; tunnel_may_be(o) && !(o->flags & OBSERVATION_LATER_FRAGMENT); depth++) {
		struct observation inner;
		enum ip_version version;
		bool overlay;

		if (tunnel_pass(layer, o, &version, &overlay) != DECODE_OK)
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

/* What does not begin as most do. */
APART enum decode_result read_frame(struct layer *layer, uint32_t link_type, struct observation *o)
{
	enum ip_version version = IP_ANY;
	enum decode_result result = link_pass(layer, link_type, &version);

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

	if (link_type == LINK_ETHERNET && captured > ETHERNET_HEADER && layer_be16(data + ETHERNET_TYPE) == TYPE_IPV4 &&
	    data[ETHERNET_HEADER] >> 4 == IP_4) {
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
	if (__builtin_expect(tunnel_may_be(observation), 0)) {
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
