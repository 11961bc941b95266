/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets in packets: GRE, IP in IP, ERSPAN, VXLAN, VXLAN-GPE with NSH, Geneve, GTP-U, Teredo.
 *
 * Tunnels over UDP are known by nothing but a port, and anybody may use any port: their inside is believed only where
 * every reserved bit is as it must be and an IP packet with a possible header fills no more than what is there.
 */
#ifndef HOLDFAST_OBSERVE_TUNNEL_H
#define HOLDFAST_OBSERVE_TUNNEL_H

#include <stdbool.h>

#include "observe/decode.h"
#include "observe/layer.h"
#include "observe/observation.h"
#include "observe/protocol.h"

enum {
	PORT_GTP = 2152,
	PORT_TEREDO = 3544,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_VXLAN_OLD = 8472, /* Linux's, from before there was a registered one */
};

/* Whether it is worth a look. Without a branch for each port: random ones would be guessed wrongly again and again. */
static inline bool tunnel_may_be(const struct observation *o)
{
	unsigned to = o->dst_port;

	if (o->protocol == PROTOCOL_TCP)
		return false;
	if (o->protocol == PROTOCOL_UDP)
		return (to == PORT_GTP) | (to == PORT_VXLAN) | (to == PORT_VXLAN_GPE) | (to == PORT_GENEVE) |
		       (to == PORT_VXLAN_OLD) | (to == PORT_TEREDO) | (o->src_port == PORT_TEREDO);
	return o->protocol == PROTOCOL_GRE || o->protocol == PROTOCOL_IPV4 || o->protocol == PROTOCOL_IPV6;
}

/*
 * From what the IP header of a tunnel packet carries, which is decoded in *o, to the packet in it. On DECODE_OK that is
 * of the version written to *version, and *overlay is whether the tunnel is a mirror or over UDP.
 */
enum decode_result tunnel_pass(struct layer *layer, const struct observation *o, enum ip_version *version,
                               bool *overlay);

#endif
