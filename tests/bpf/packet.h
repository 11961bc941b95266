/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames made of layers, for tests: each call puts a layer behind those that are there, and says in the one before what
 * follows. packet_end() then says in all of them how long they are. Checksums are left 0.
 *
 *     packet_begin(&p);
 *     packet_vlan(&p, 0x8100, 7);
 *     packet_ipv4(&p, "198.51.100.1", "192.0.2.10");
 *     packet_udp(&p, 123, 4444);
 *     packet_payload(&p, "\x17\x00", 2);
 *     packet_end(&p);
 */
#ifndef HOLDFAST_TESTS_BPF_PACKET_H
#define HOLDFAST_TESTS_BPF_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_MAX 2048
#define PACKET_LENGTHS_MAX 8

struct packet {
	uint8_t octets[PACKET_MAX];
	size_t length;
	size_t next_at; /* where it is said what follows: two octets in a link's header, one in IP's */
	unsigned next_size;
	size_t ip; /* where the latest IP header begins */
	struct {
		size_t at, from; /* 16 bits at `at` are the octets from `from` on */
	} lengths[PACKET_LENGTHS_MAX];
	unsigned length_count;
};

void packet_begin(struct packet *p); /* Ethernet */
void packet_vlan(struct packet *p, uint16_t type, uint16_t id);
void packet_llc(struct packet *p); /* 802.3 length, LLC and SNAP */
void packet_ether_type(struct packet *p, uint16_t type);
void packet_ipv4(struct packet *p, const char *src, const char *dst);
void packet_ipv4_options(struct packet *p, unsigned words); /* right behind packet_ipv4(); no-operations */
void packet_ipv4_fragment(struct packet *p, uint16_t offset, int more);
void packet_ipv4_df(struct packet *p);
void packet_ipv6(struct packet *p, const char *src, const char *dst);
void packet_extension(struct packet *p, uint8_t kind, unsigned words); /* 8 octets and so many more words of 8 */
void packet_ipv6_fragment(struct packet *p, uint16_t offset, int more);
void packet_protocol(struct packet *p, uint8_t protocol); /* what follows is of this one, and not described further */
void packet_ports(struct packet *p, uint8_t protocol, uint16_t src, uint16_t dst, size_t rest); /* SCTP, DCCP */
void packet_udp(struct packet *p, uint16_t src, uint16_t dst);
/* `options`: octets of TCP options, a multiple of 4. */
void packet_tcp(struct packet *p, uint16_t src, uint16_t dst, uint8_t flags, uint16_t window, const void *options,
                size_t size);
void packet_icmp(struct packet *p, uint8_t protocol, uint8_t type, uint8_t code);
void packet_payload(struct packet *p, const void *octets, size_t size); /* NULL: zeros */
void packet_end(struct packet *p);

/*
 * Whole ones, of all that may stand around what is read: from 198.51.100.9 or 2001:db8:5::9 to 192.0.2.10 or
 * 2001:db8::10.
 */
enum packet_layers {
	PACKET_PLAIN,
	PACKET_VLAN,
	PACKET_QINQ,
	PACKET_OLD_QINQ,
	PACKET_LLC,
	PACKET_IPV4_OPTIONS,
	PACKET_FIRST_FRAGMENT,
	PACKET_LATER_FRAGMENT,
	PACKET_TCP_OPTIONS,
	PACKET_ICMP,
	PACKET_SCTP,
	PACKET_GRE,
	PACKET_IPV6,
	PACKET_IPV6_HOP_BY_HOP,
	PACKET_IPV6_MANY,
	PACKET_IPV6_FRAGMENT,
	PACKET_IPV6_AH,
	PACKET_ICMP6,
	PACKET_LAYERS,
};

extern const char *const packet_layer_names[PACKET_LAYERS];

struct packet packet_layered(enum packet_layers layers);
/* Addresses are both of IPv4 or both of IPv6. */
struct packet packet_of_udp(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port);
struct packet packet_of_syn(const char *src, const char *dst, uint16_t dst_port);

/* A number below `bound`, from a state that goes on with each. */
uint32_t packet_random(uint64_t *state, uint32_t bound);
/* Some octets of the headers become others, or what others make of them; now and then the end is cut off. */
void packet_change(uint8_t *data, uint32_t *length, uint64_t *state);

#endif
