/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame becomes an observation. Pure: octets in, struct out; no allocation, no I/O, no state. Nothing passes unseen:
 * what cannot be decoded yields a reason.
 *
 * Link types: Ethernet (1, with 802.1Q / 802.1ad tags), NULL (0) and LOOP (108), raw IP (12, 14, 101, 228, 229),
 * Linux cooked v1 (113) and v2 (276), PPP (9) for IP inside. Passed on the way: MPLS labels (IP or Ethernet behind
 * them, with a control word or without), PPPoE sessions. Seen through: GRE (IP, Ethernet, PPP), IP-in-IP, 6in4,
 * ERSPAN I to III, VXLAN (4789, 8472), VXLAN-GPE (4790) with NSH, Geneve (6081), GTP-U (2152), Teredo (3544).
 */
#ifndef HOLDFAST_OBSERVE_DECODE_H
#define HOLDFAST_OBSERVE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/observation.h"

enum decode_result {
	DECODE_OK,
	/* Not IP, so never aimed at by what Holdfast looks for; counted apart from what is broken. */
	DECODE_ARP,
	DECODE_NOT_IP,
	/* Undecodable: */
	DECODE_LINK_UNKNOWN, /* a link type this reader does not know */
	DECODE_LINK_SHORT,   /* too short for its link header */
	DECODE_IP_SHORT,     /* too short for its IP header */
	DECODE_IP_VERSION,   /* version field says neither 4 nor 6, or contradicts the link's type */
	DECODE_IP_HEADER,    /* header or total length impossible */
	DECODE_EXTENSION,    /* IPv6 extension header chain cut, too long (see DECODE_EXTENSIONS_MAX) or impossible */
	DECODE_TRANSPORT_SHORT,  /* TCP/UDP/ICMP header cut */
	DECODE_TRANSPORT_HEADER, /* TCP data offset or UDP length impossible */
	DECODE_TUNNEL_DEEP,      /* more tunnels in each other than DECODE_TUNNELS_MAX */
	DECODE_RESULTS,
};

#define DECODE_EXTENSIONS_MAX 64 /* IPv6 extension headers in one packet */
#define DECODE_TUNNELS_MAX 4     /* tunnels in each other */
#define DECODE_TAGS_MAX 8        /* VLAN tags */

/*
 * Decodes `captured` octets at `data` of a frame that had `original` octets on the wire. On DECODE_OK the observation
 * is whole but for time and weight, which the caller sets. Where decode_hits_target() says so of another result it
 * holds what IP says and OBSERVATION_MALFORMED: such packets flood a target as well as any. On everything else
 * *observation is unspecified. A later fragment has no ports. A transport header that the snap length cut is
 * DECODE_TRANSPORT_SHORT only where not even the ports are there; else what is there is filled and OBSERVATION_CUT set.
 * Where a tunnel's inside is undecodable, the observation is that of the tunnel packet itself (protocol 47, 4, 41, 17).
 */
enum decode_result decode_frame(uint32_t link_type, const uint8_t *data, uint32_t captured, uint32_t original,
                                struct observation *observation);

/*
 * Whether the packet reaches somebody, so that the observation counts: all that is DECODE_OK, and what has a readable
 * IP header before something that is not. In analysis and in trying rules alike.
 */
bool decode_hits_target(enum decode_result result);

/* "ip_header": a stable word for counters. */
const char *decode_result_name(enum decode_result result);

#endif
