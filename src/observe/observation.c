/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/observation.h"

void observation_outer(const struct observation *tunnelled, struct observation *outer)
{
	*outer = (struct observation){
		.time = tunnelled->time,
		.src = tunnelled->outer.src,
		.dst = tunnelled->outer.dst,
		.weight = tunnelled->weight,
		.length = tunnelled->outer.length,
		.flags = tunnelled->flags & (OBSERVATION_TUNNELLED | OBSERVATION_WELCOME),
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
}
