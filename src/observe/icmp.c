/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/icmp.h"

#include "observe/extension.h"
#include "observe/protocol.h"

enum { ICMP_HEADER = 8 };

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

/* The packet that an ICMP error quotes: at least its IP header, of the family that the error belongs to. */
static void read_quote(struct cursor c, enum ip_version version, struct observation *o)
{
	const uint8_t *h = c.at, *ports;
	bool later;

	if (version == IP_4) {
		unsigned header;

		if (cursor_left(&c) < IPV4_HEADER || h[0] >> 4 != IP_4)
			return;
		header = (h[0] & 0xfu) * 4;
		if (header < IPV4_HEADER)
			return;
		layer_set_ipv4(&o->quote.src, h + 12);
		layer_set_ipv4(&o->quote.dst, h + 16);
		o->quote.protocol = h[9];
		later = layer_be16(h + 6) & IPV4_OFFSET;
		cursor_skip(&c, header);
	} else {
		struct extension_chain chain;

		if (cursor_left(&c) < IPV6_HEADER || h[0] >> 4 != IP_6)
			return;
		layer_set_ipv6(&o->quote.src, h + 8);
		layer_set_ipv6(&o->quote.dst, h + 24);
		cursor_skip(&c, IPV6_HEADER);
		if (!extension_pass(&c, h[6], &chain))
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
	o->quote.src_port = layer_be16(ports);
	o->quote.dst_port = layer_be16(ports + 2);
}

enum decode_result icmp_read(const struct layer *layer, struct observation *o)
{
	const uint8_t *h = layer->kept.at;
	enum decode_result result = layer_check_header(layer, ICMP_HEADER, o);
	struct cursor behind = layer->kept;

	if (result != DECODE_OK)
		return result;
	o->icmp_type = h[0];
	o->icmp_code = h[1];
	o->flags |= OBSERVATION_ICMP;
	layer_set_payload(layer, ICMP_HEADER, o);
	if (!cursor_take(&behind, ICMP_HEADER))
		return DECODE_OK;
	if (o->protocol == PROTOCOL_ICMP && protocol_is_icmp_error(o))
		read_quote(behind, IP_4, o);
	else if (o->protocol == PROTOCOL_ICMPV6 && o->icmp_type >= 1 && o->icmp_type <= 4)
		read_quote(behind, IP_6, o);
	return DECODE_OK;
}
