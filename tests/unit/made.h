/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Observations made by hand, for the tests behind the waist: what the decoder would say of a packet, in one line.
 * Numbers are drawn from a seed (SplitMix64, Steele et al., OOPSLA 2014), not from what is tested.
 */
#ifndef HOLDFAST_TESTS_UNIT_MADE_H
#define HOLDFAST_TESTS_UNIT_MADE_H

#include <stdint.h>
#include <string.h>

#include "observe/observation.h"

#define MADE_ICMP 1
#define MADE_TCP 6
#define MADE_UDP 17
#define MADE_GRE 47
#define MADE_ICMPV6 58

static inline uint64_t made_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t made_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)((made_random(state) >> 32) * bound >> 32);
}

/* 0xc0000201 is 192.0.2.1 */
static inline struct address made_ipv4(uint32_t number)
{
	const uint8_t octets[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
		                    (uint8_t)number };

	return address_from_ipv4(octets);
}

static inline struct address made_ipv6(uint64_t high, uint64_t low)
{
	struct address address;

	for (unsigned i = 0; i < 8; i++) {
		address.octets[i] = (uint8_t)(high >> (56 - 8 * i));
		address.octets[i + 8] = (uint8_t)(low >> (56 - 8 * i));
	}
	return address;
}

static inline struct observation made_ip(int64_t ns, struct address src, struct address dst, uint8_t protocol,
                                         uint32_t length)
{
	struct observation o;

	memset(&o, 0, sizeof(o));
	o.time.ns = ns;
	o.src = src;
	o.dst = dst;
	o.protocol = protocol;
	o.length = length;
	o.weight = 1;
	o.ttl = 57;
	return o;
}

static inline struct observation made_udp(int64_t ns, struct address src, uint16_t src_port, struct address dst,
                                          uint16_t dst_port, uint16_t payload_length)
{
	struct observation o = made_ip(ns, src, dst, MADE_UDP, 28u + payload_length);

	o.flags = OBSERVATION_PORTS;
	o.src_port = src_port;
	o.dst_port = dst_port;
	o.payload_length = payload_length;
	return o;
}

static inline struct observation made_tcp(int64_t ns, struct address src, uint16_t src_port, struct address dst,
                                          uint16_t dst_port, uint8_t flags, uint32_t seq, uint32_t ack)
{
	struct observation o = made_ip(ns, src, dst, MADE_TCP, 40);

	o.flags = OBSERVATION_PORTS | OBSERVATION_TCP;
	o.src_port = src_port;
	o.dst_port = dst_port;
	o.tcp.flags = flags;
	o.tcp.seq = seq;
	o.tcp.ack = ack;
	o.tcp.window = 64240;
	o.tcp.wscale = 255;
	return o;
}

static inline struct observation made_icmp(int64_t ns, struct address src, struct address dst, uint8_t type,
                                           uint8_t code)
{
	struct observation o = made_ip(ns, src, dst, MADE_ICMP, 84);

	o.flags = OBSERVATION_ICMP;
	o.icmp_type = type;
	o.icmp_code = code;
	o.payload_length = 56;
	return o;
}

/*
 * `length` octets of payload, which begin with the `given` ones and go on with zeros, kept as far as an observation
 * keeps.
 */
static inline void made_payload(struct observation *o, const void *octets, size_t given, uint16_t length)
{
	o->length += (uint32_t)length - o->payload_length;
	o->payload_length = length;
	o->payload_kept = length < OBSERVATION_PAYLOAD_MAX ? (uint8_t)length : OBSERVATION_PAYLOAD_MAX;
	memset(o->payload, 0, sizeof(o->payload));
	memcpy(o->payload, octets, given < o->payload_kept ? given : o->payload_kept);
}

#endif
