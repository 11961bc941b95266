/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/keys.h"

#include <endian.h>
#include <string.h>

#include "base/hash.h"

#define SALT_NETWORK 0x6e6574u

/* An end of a conversation, from its address's hash. */
static uint64_t end_of(uint64_t address, uint16_t port)
{
	return address + port * 0x9e3779b97f4a7c15u;
}

static uint64_t network_of(const struct address *address, uint64_t seed)
{
	uint64_t half[2];

	memcpy(half, address->octets, sizeof(half));
	if (address_is_ipv4(address))
		half[1] &= htobe64(~0xffull);
	else
		half[0] &= htobe64(~0xffffull);
	return hash_2(seed ^ SALT_NETWORK, half[0], address_is_ipv4(address) ? half[1] : 0);
}

/* Commutative in its ends. */
static uint64_t flow_of(uint64_t src, uint64_t dst, uint8_t protocol, uint8_t space, uint64_t seed)
{
	return hash_fold(src + dst + seed, (src ^ dst) + ((uint64_t)protocol << 8 | space) * 0xd1b54a32d192ed03u) | 1;
}

static uint64_t draw_of(uint64_t flow, const struct observation *o, uint64_t seed)
{
	uint64_t h = hash_fold(flow ^ (uint64_t)o->time.ns * 0x9e3779b97f4a7c15u,
	                       ((uint64_t)o->tcp.seq << 32 | (uint64_t)o->ip_id << 16 | o->payload_length) ^ seed ^
	                               0x589965cc75374cc3u);

	return hash_fold(h ^ seed, 0x9fb21c651e98df25u);
}

void keys_make(struct keys *keys, const struct observation *o, uint64_t seed)
{
	keys_make_toward(keys, o, hash_address(seed, &o->dst), seed);
}

void keys_make_toward(struct keys *keys, const struct observation *o, uint64_t destination, uint64_t seed)
{
	uint64_t src, dst;

	keys->source = hash_address(seed, &o->src);
	keys->destination = destination;
	keys->network = network_of(&o->src, seed);
	src = end_of(keys->source, o->src_port);
	dst = end_of(keys->destination, o->dst_port);
	keys->flow = flow_of(src, dst, o->protocol, 0, seed);
	keys->sender_low = src <= dst;
	keys->draw = draw_of(keys->flow, o, seed);
}

uint64_t keys_flow(const struct address *src, uint16_t src_port, const struct address *dst, uint16_t dst_port,
                   uint8_t protocol, uint8_t space, uint64_t seed, bool *sender_low)
{
	uint64_t from = end_of(hash_address(seed, src), src_port), to = end_of(hash_address(seed, dst), dst_port);

	*sender_low = from <= to;
	return flow_of(from, to, protocol, space, seed);
}
