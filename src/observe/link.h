/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before an IP packet: link headers, VLAN tags, 802.2, PPPoE, MPLS labels. Functions named pass take it off
 * the layer. On DECODE_OK an IP packet follows, of the version written to *version.
 */
#ifndef HOLDFAST_OBSERVE_LINK_H
#define HOLDFAST_OBSERVE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/decode.h"
#include "observe/layer.h"

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
	ETHERNET_HEADER = 14,
	ETHERNET_TYPE = 12, /* where it stands */
};

/* Takes off what is before IP: DECODE_OK, and the layer begins with IP of *version; or why there is none. */
enum decode_result link_pass(struct layer *layer, uint32_t link_type, enum ip_version *version);
enum decode_result link_pass_ethernet(struct layer *layer, enum ip_version *version);
enum decode_result link_pass_ppp(struct layer *layer, enum ip_version *version);
enum decode_result link_pass_mpls(struct layer *layer, enum ip_version *version);
/*
 * Ethernet in what may be a tunnel over UDP: taken off only where an IP packet is in it that makes sense. `open`: as in
 * link_is_packet().
 */
enum decode_result link_pass_if_ethernet(struct layer *layer, bool open, enum ip_version *version);
/*
 * Whether an IP packet can be what begins here, where no field says so: in a tunnel over UDP, behind an MPLS label.
 * `open`: around it is a first fragment, so that it may be longer than what there is.
 */
bool link_is_packet(const struct layer *layer, enum ip_version version, bool open);

#endif
