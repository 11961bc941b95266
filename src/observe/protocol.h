/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of upper-layer protocols (IANA "Assigned Internet Protocol Numbers"), and what a header alone says a packet
 * is.
 */
#ifndef HOLDFAST_OBSERVE_PROTOCOL_H
#define HOLDFAST_OBSERVE_PROTOCOL_H

#include <stdbool.h>

#include "observe/observation.h"

enum {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPV4 = 4, /* IP-in-IP */
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_DCCP = 33,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_GRE = 47,
	PROTOCOL_ESP = 50,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_NONE = 59,
	PROTOCOL_DESTINATION = 60,
	PROTOCOL_L2TP = 115,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MOBILITY = 135,
	PROTOCOL_UDP_LITE = 136,
	PROTOCOL_HIP = 139,
	PROTOCOL_SHIM6 = 140,
};

#define PROTOCOL_SYSTEM_PORT_MAX 1023   /* below, those that IANA has given to services (RFC 6335 section 6) */
#define PROTOCOL_SERVICE_PORT_MAX 32767 /* servers listen below, clients speak from above */

/* A SYN that asks for a connection, whatever else it says (ECN, PSH, URG). */
static inline bool protocol_is_bare_syn(const struct observation *o)
{
	return (o->flags & OBSERVATION_TCP) && (o->tcp.flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* Of a packet with OBSERVATION_ICMP (RFC 792, RFC 4443 section 2.1). */
static inline bool protocol_is_icmp_error(const struct observation *o)
{
	if (o->protocol == PROTOCOL_ICMPV6)
		return o->icmp_type < 128;
	switch (o->icmp_type) {
	case 3:  /* unreachable */
	case 4:  /* source quench */
	case 5:  /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return true;
	default:
		return false;
	}
}

/*
 * Neighbour discovery: with a hop limit that nothing has which a router passed on (RFC 4861 sections 6.1, 7.1, 8.1),
 * and in one piece (RFC 6980).
 */
static inline bool protocol_is_discovery(const struct observation *o)
{
	return o->protocol == PROTOCOL_ICMPV6 &&
	       (o->flags & (OBSERVATION_ICMP | OBSERVATION_FRAGMENT)) == OBSERVATION_ICMP && o->icmp_type >= 133 &&
	       o->icmp_type <= 137 && o->ttl == 255 && !address_is_ipv4(&o->dst);
}

/* Of a packet with OBSERVATION_ICMP. */
static inline bool protocol_is_echo_request(const struct observation *o)
{
	return (o->protocol == PROTOCOL_ICMP && o->icmp_type == 8) ||
	       (o->protocol == PROTOCOL_ICMPV6 && o->icmp_type == 128);
}

static inline bool protocol_is_echo_reply(const struct observation *o)
{
	return (o->protocol == PROTOCOL_ICMP && o->icmp_type == 0) ||
	       (o->protocol == PROTOCOL_ICMPV6 && o->icmp_type == 129);
}

#endif
