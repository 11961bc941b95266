/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: RFC 2784 and 2890 (GRE), 4023 (MPLS in it), 2637 (PPTP's GRE), draft-foschiano-erspan, RFC 7348 (VXLAN),
 * draft-smith-vxlan-group-policy, draft-ietf-nvo3-vxlan-gpe, RFC 8300 (NSH), 8926 (Geneve), 3GPP TS 29.281 (GTP-U),
 * RFC 4380 (Teredo).
 */
#include "observe/tunnel.h"

#include <string.h>

#include "base/cursor.h"
#include "observe/link.h"

/* Mirrored frames. Without sequence number (type I) there is no header of ERSPAN's own. */
static enum decode_result pass_erspan(struct layer *layer, uint16_t type, bool sequenced, enum ip_version *version)
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
			*version = IP_ANY;
			return layer->kept.failed ? DECODE_LINK_SHORT : DECODE_OK;
		default:
			return DECODE_NOT_IP;
		}
	} else if (sequenced) {
		cursor_skip(&layer->kept, 8);
	}
	return layer->kept.failed ? DECODE_LINK_SHORT : link_pass_ethernet(layer, version);
}

static enum decode_result pass_gre(struct layer *layer, enum ip_version *version, bool *overlay)
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
		return link_pass_ppp(layer, version);
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
		*version = IP_4;
		return DECODE_OK;
	case TYPE_IPV6:
		*version = IP_6;
		return DECODE_OK;
	case TYPE_BRIDGED:
		return link_pass_ethernet(layer, version);
	case TYPE_ERSPAN_2:
	case TYPE_ERSPAN_3:
		*overlay = true;
		return pass_erspan(layer, type, flags & SEQUENCE, version);
	case TYPE_PPP:
		return link_pass_ppp(layer, version);
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM:
		return link_pass_mpls(layer, version);
	default:
		return DECODE_NOT_IP;
	}
}

static enum decode_result pass_bare(const struct layer *layer, enum ip_version wanted, bool open,
                                    enum ip_version *version)
{
	*version = wanted;
	return link_is_packet(layer, wanted, open) ? DECODE_OK : DECODE_NOT_IP;
}

/* The group policy extension gives a meaning to bits that are reserved otherwise. */
static enum decode_result pass_vxlan(struct layer *layer, bool open, enum ip_version *version)
{
	enum { VNI_VALID = 0x08, GROUP = 0x80, GROUP_BITS = 0x48 };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	bool plain, grouped;

	if (!h)
		return DECODE_LINK_SHORT;
	plain = h[0] == VNI_VALID && h[1] == 0 && layer_be16(h + 2) == 0;
	grouped = h[0] == (GROUP | VNI_VALID) && !(h[1] & ~GROUP_BITS);
	return (plain || grouped) && h[7] == 0 ? link_pass_if_ethernet(layer, open, version) : DECODE_NOT_IP;
}

/* What follows in VXLAN-GPE and in NSH: the numbers are the same. */
static enum decode_result pass_next(struct layer *layer, uint8_t next, bool open, enum ip_version *version)
{
	switch (next) {
	case 1:
		return pass_bare(layer, IP_4, open, version);
	case 2:
		return pass_bare(layer, IP_6, open, version);
	case 3:
		return link_pass_if_ethernet(layer, open, version);
	default:
		return DECODE_NOT_IP;
	}
}

static enum decode_result pass_vxlan_gpe(struct layer *layer, bool open, enum ip_version *version)
{
	enum { VNI_VALID = 0x08, NEXT_PROTOCOL = 0x04, FLOODED = 0x02, NSH = 4 };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	uint8_t next, words;

	if (!h)
		return DECODE_LINK_SHORT;
	if (!(h[0] & VNI_VALID) || h[0] & ~(VNI_VALID | NEXT_PROTOCOL | FLOODED) || layer_be16(h + 1) != 0 || h[7] != 0)
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

static enum decode_result pass_geneve(struct layer *layer, bool open, enum ip_version *version)
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
	switch (layer_be16(h + 2)) {
	case TYPE_BRIDGED:
		return link_pass_if_ethernet(layer, open, version);
	case TYPE_IPV4:
		return pass_bare(layer, IP_4, open, version);
	case TYPE_IPV6:
		return pass_bare(layer, IP_6, open, version);
	default:
		return DECODE_NOT_IP;
	}
}

/* A user's packet; all else (echo, error, end marker) is between the tunnel's ends. */
static enum decode_result pass_gtp(struct layer *layer, bool open, enum ip_version *version)
{
	enum { VERSION_1_GTP = 0x30, MARKS = 0xf8, EXTENDED = 0x04, OPTIONAL = 0x07, T_PDU = 0xff };
	const uint8_t *h = cursor_take(&layer->kept, 8);
	uint8_t flags, next = 0;
	uint32_t length;

	if (!h)
		return DECODE_LINK_SHORT;
	flags = h[0];
	length = layer_be16(h + 2);
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
	return pass_bare(layer, IP_ANY, open, version);
}

static bool is_of_teredo(const uint8_t *address)
{
	static const uint8_t teredo[4] = { 0x20, 0x01, 0, 0 };

	/* Link-local ones are in what clients and servers say to each other. */
	return memcmp(address, teredo, sizeof(teredo)) == 0 || (layer_be16(address) & 0xffc0) == 0xfe80;
}

/* A bubble, which opens the way and carries nothing, stays what it is around it. */
static enum decode_result pass_teredo(struct layer *layer, bool open, enum ip_version *version)
{
	enum { ORIGIN = 0, AUTHENTICATION = 1 };
	const uint8_t *h = layer->kept.at;
	uint32_t length;

	if (layer_kept(layer) >= 4 && layer_be16(h) == AUTHENTICATION) {
		cursor_skip(&layer->kept, 4u + h[2] + h[3] + 9); /* identifier, value, nonce, confirmation */
		h = layer->kept.at;
	}
	if (layer_kept(layer) >= 2 && layer_be16(h) == ORIGIN)
		cursor_skip(&layer->kept, 8);
	h = layer->kept.at;
	if (layer->kept.failed || !link_is_packet(layer, IP_6, open))
		return DECODE_NOT_IP;
	length = IPV6_HEADER + layer_be16(h + 4);
	if ((length != layer_whole(layer) && !open) || h[6] == PROTOCOL_NONE ||
	    !(is_of_teredo(h + 8) || is_of_teredo(h + 24)))
		return DECODE_NOT_IP;
	*version = IP_6;
	return DECODE_OK;
}

static enum decode_result pass_udp(struct layer *layer, const struct observation *o, enum ip_version *version)
{
	const uint8_t *h = cursor_take(&layer->kept, UDP_HEADER);
	bool open = o->flags & OBSERVATION_FRAGMENT;
	uint32_t length;

	if (!h)
		return DECODE_LINK_SHORT;
	length = layer_be16(h + 4);
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

enum decode_result tunnel_pass(struct layer *layer, const struct observation *o, enum ip_version *version,
                               bool *overlay)
{
	*overlay = false;
	switch (o->protocol) {
	case PROTOCOL_IPV4:
		*version = IP_4;
		return DECODE_OK;
	case PROTOCOL_IPV6:
		*version = IP_6;
		return DECODE_OK;
	case PROTOCOL_UDP:
		*overlay = true;
		return pass_udp(layer, o, version);
	default:
		return pass_gre(layer, version, overlay);
	}
}
