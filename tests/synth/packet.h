/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets from a description, with right checksums: Ethernet II, optional 802.1Q, IPv4 or IPv6, then TCP, UDP, ICMP or
 * any bytes. A datagram over the MTU leaves in fragments. Frames that arrive are padded to 60 octets as on the wire;
 * frames the platform's own host writes are captured before padding.
 */
#ifndef SYNTH_PACKET_H
#define SYNTH_PACKET_H

#include "world.h"

#define PACKET_MTU 1500u
#define PACKET_DATAGRAM_MAX 32768u

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u

#define PROTO_ICMP 1u
#define PROTO_TCP 6u
#define PROTO_UDP 17u
#define PROTO_GRE 47u
#define PROTO_ICMP6 58u

struct pkt {
	int64_t t_ns;
	enum dir dir;
	char label;
	struct addr src, dst;
	uint8_t ttl, tos;
	uint16_t id;
	bool df;
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	const uint8_t *opt; /* TCP options, a multiple of four octets */
	size_t opt_len;
	const uint8_t *data;
	size_t len;
};

/* The Internet checksum's running sum over big-endian 16-bit words (RFC 1071), and its end. */
uint32_t packet_sum(uint32_t sum, const uint8_t *p, size_t n);
uint16_t packet_sum_end(uint32_t sum);
void packet_be16(uint8_t *p, uint32_t v);
void packet_be32(uint8_t *p, uint32_t v);
/* An IPv4 header without options. frag: offset in eights, with 0x2000 for more, 0x4000 for DF. */
void packet_ip4(uint8_t out[20], const struct addr *src, const struct addr *dst, uint8_t proto, size_t body_len,
                uint8_t ttl, uint8_t tos, uint16_t id, uint16_t frag);

/* The host's answer to *p, addressed, with nothing else in it. */
struct pkt packet_answer(const struct pkt *p, int64_t delay_ns);

void packet_tcp(struct world *w, const struct pkt *p);
void packet_udp(struct world *w, const struct pkt *p);
/* Echo request or reply in the packet's family; sport is the identifier, seq the sequence number. */
void packet_echo(struct world *w, const struct pkt *p, bool reply);
/* Port unreachable, quoting the first octets of the UDP datagram it answers. */
void packet_unreachable(struct world *w, const struct pkt *p, const struct pkt *about);
/* Any protocol, data as it is. */
void packet_raw(struct world *w, const struct pkt *p, uint8_t proto);
/* One fragment, data as it is: offset in eights. */
void packet_fragment(struct world *w, const struct pkt *p, uint8_t proto, uint16_t offset8, bool more);

#endif
