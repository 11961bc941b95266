/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: the LINKTYPE_ registry of draft-ietf-opsawg-pcaplinktype, IEEE 802.1Q, RFC 1042 and 948 (IP over 802.2),
 * 1661 (PPP), 2516 (PPPoE), 3032 (MPLS), 4448 (Ethernet in MPLS).
 */
#include "observe/link.h"

#include <string.h>

#include "base/cursor.h"
#include "observe/protocol.h"

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
	*type = layer_be16(h + 3);
	return DECODE_OK;
}

bool link_is_packet(const struct layer *layer, enum ip_version version, bool open)
{
	const uint8_t *h = layer->kept.at;
	uint32_t kept = layer_kept(layer), whole = layer_whole(layer), header = IPV6_HEADER, total;

	if (kept < IPV4_HEADER || (version != IP_ANY && h[0] >> 4 != (int)version))
		return false;
	if (h[0] >> 4 == IP_4) {
		header = (h[0] & 0xfu) * 4;
		total = layer_be16(h + 2);
		if (header < IPV4_HEADER)
			return false;
	} else if (h[0] >> 4 == IP_6 && kept >= IPV6_HEADER) {
		total = layer_be16(h + 4);
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
	layer_limit(layer, layer_be16(h + 4));
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
			*type = layer_be16(tag + 2);
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
                                  enum ip_version version)
{
	uint32_t header = version == IP_6 ? IPV6_HEADER : IPV4_HEADER;

	if (result == DECODE_LINK_SHORT && layer->missing)
		return DECODE_LINK_SHORT;
	if (result == DECODE_OK && inside->missing && layer_kept(inside) < header)
		return DECODE_LINK_SHORT;
	if (result != DECODE_OK || !link_is_packet(inside, version, open))
		return DECODE_NOT_IP;
	*layer = *inside;
	return DECODE_OK;
}

/* Ethernet behind an MPLS label; not another label behind that. */
static enum decode_result pass_wire(struct layer *layer, enum ip_version *version)
{
	struct layer inside = *layer;
	const uint8_t *h = cursor_take(&inside.kept, ETHERNET_HEADER);
	enum decode_result result = DECODE_LINK_SHORT;
	uint16_t type = 0;

	if (h) {
		type = layer_be16(h + ETHERNET_TYPE);
		result = read_type(&inside, &type);
	}
	if (result == DECODE_OK && type == TYPE_MPLS)
		return DECODE_NOT_IP;
	*version = type == TYPE_IPV6 ? IP_6 : IP_4;
	return believe(layer, &inside, result, false, *version);
}

/*
 * Behind the last label nothing says what follows. IP shows by its version, and what is not IP takes care not to look
 * like it (RFC 4928): an Ethernet frame has a control word before it that begins with zero. Not everybody takes care,
 * so a frame that makes sense is one, with the control word or without.
 */
enum decode_result link_pass_mpls(struct layer *layer, enum ip_version *version)
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
	case IP_4:
		*version = IP_4;
		return DECODE_OK;
	case IP_6:
		*version = IP_6;
		return DECODE_OK;
	default:
		return DECODE_NOT_IP;
	}
}

/* `type` is what read_type() or read_ppp() found. */
static inline enum decode_result pass_network(struct layer *layer, uint16_t type, enum ip_version *version)
{
	if (type == TYPE_MPLS)
		return link_pass_mpls(layer, version);
	*version = type == TYPE_IPV6 ? IP_6 : IP_4;
	return DECODE_OK;
}

enum decode_result link_pass_ppp(struct layer *layer, enum ip_version *version)
{
	uint16_t type;
	enum decode_result result = read_ppp(layer, &type);

	return result == DECODE_OK ? pass_network(layer, type, version) : result;
}

static inline enum decode_result pass_type(struct layer *layer, uint16_t type, enum ip_version *version)
{
	enum decode_result result = read_type(layer, &type);

	return result == DECODE_OK ? pass_network(layer, type, version) : result;
}

enum decode_result link_pass_ethernet(struct layer *layer, enum ip_version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, ETHERNET_HEADER);

	return h ? pass_type(layer, layer_be16(h + ETHERNET_TYPE), version) : DECODE_LINK_SHORT;
}

enum decode_result link_pass_if_ethernet(struct layer *layer, bool open, enum ip_version *version)
{
	struct layer inside = *layer;
	enum decode_result result = link_pass_ethernet(&inside, version);

	return believe(layer, &inside, result, open, result == DECODE_OK ? *version : IP_ANY);
}

static enum decode_result pass_sll(struct layer *layer, size_t header, size_t type_at, enum ip_version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, header);
	enum decode_result result;
	uint16_t type;

	if (!h)
		return DECODE_LINK_SHORT;
	type = layer_be16(h + type_at);
	if (type == TYPE_SLL_LLC) {
		result = pass_llc(layer, &type);
		if (result != DECODE_OK)
			return result;
	}
	/* Small numbers are Linux's own protocols here, not lengths. */
	return type > TYPE_8023_MAX ? pass_type(layer, type, version) : DECODE_NOT_IP;
}

/* Four octets of address family, by the numbers of the system and in the byte order of the machine that captured. */
static enum decode_result pass_null(struct layer *layer, enum ip_version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, 4);
	uint32_t family;

	if (!h)
		return DECODE_LINK_SHORT;
	family = layer_be32(h);
	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		*version = IP_4;
		return DECODE_OK;
	case 10: /* Linux */
	case 23: /* Windows */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		*version = IP_6;
		return DECODE_OK;
	default:
		return DECODE_NOT_IP;
	}
}

enum decode_result link_pass(struct layer *layer, uint32_t link_type, enum ip_version *version)
{
	switch (link_type) {
	case LINK_ETHERNET:
		return link_pass_ethernet(layer, version);
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
		*version = IP_ANY;
		return DECODE_OK;
	case LINK_IPV4:
		*version = IP_4;
		return DECODE_OK;
	case LINK_IPV6:
		*version = IP_6;
		return DECODE_OK;
	case LINK_NULL:
	case LINK_LOOP:
		return pass_null(layer, version);
	case LINK_SLL:
		return pass_sll(layer, 16, 14, version);
	case LINK_SLL2:
		return pass_sll(layer, 20, 0, version);
	case LINK_PPP:
		return link_pass_ppp(layer, version);
	default:
		return DECODE_LINK_UNKNOWN;
	}
}
