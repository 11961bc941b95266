/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/observation.h"

#include "observe/layer.h"
#include "observe/protocol.h"

static void add_udp(const struct observation *tunnelled, struct observation *outer)
{
	/* Options are not told of the outer packet; hardly any has one. */
	uint32_t headers = UDP_HEADER + (address_is_ipv4(&outer->dst) ? IPV4_HEADER : IPV6_HEADER);
	uint32_t payload = outer->length > headers ? outer->length - headers : 0;

	outer->flags |= OBSERVATION_PORTS;
	outer->src_port = tunnelled->outer.src_port;
	outer->dst_port = tunnelled->outer.dst_port;
	outer->payload_length = payload < UINT16_MAX ? (uint16_t)payload : UINT16_MAX;
}

void observation_outer(const struct observation *tunnelled, struct observation *outer)
{
	*outer = (struct observation){
		.time = tunnelled->time,
		.src = tunnelled->outer.src,
		.dst = tunnelled->outer.dst,
		.weight = tunnelled->weight,
		.length = tunnelled->outer.length,
		.flags = tunnelled->flags & (OBSERVATION_TUNNELLED | OBSERVATION_WELCOME | OBSERVATION_OVERLAY),
		.protocol = tunnelled->outer.protocol,
		.ttl = tunnelled->outer.ttl,
		.ip_id = tunnelled->outer.ip_id,
		.outer = tunnelled->outer,
		.quote = {
			.src = tunnelled->src,
			.dst = tunnelled->dst,
			.src_port = tunnelled->src_port,
			.dst_port = tunnelled->dst_port,
			.protocol = tunnelled->protocol,
			.ip_id = tunnelled->ip_id,
			.payload_length = tunnelled->payload_length,
		},
	};
	if (outer->protocol == PROTOCOL_UDP)
		add_udp(tunnelled, outer);
}
