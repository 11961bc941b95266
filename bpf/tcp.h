/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the host's own TCP knows of a packet to one of its services: its sockets are looked up, so that nothing need be
 * learned, and what was there before the shield is known from the first packet on. Only for services that are local; of what
 * is passed on, this host has no sockets.
 */
#ifndef HOLDFAST_BPF_TCP_H
#define HOLDFAST_BPF_TCP_H

#include <linux/bpf.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/service.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

/* Octets of TCP's header. */
#define TCP_ACK_AT 8
#define TCP_HEADER_MAX 60

/* Where a request keeps the number that its SYN-ACK had, in the kernel's own struct: from its BTF; 0: not known. */
const volatile __u32 tcp_request_number_at = 0;

/* Of net/tcp_states.h, which user space does not get. */
enum { TCP_STATE_LISTEN = 10, TCP_STATE_NEW_SYN_RECV = 12 };

/* What PARSE_STAGES makes of the program's parser. */
int parse_xdp_link(struct xdp_md *context, struct parse_way *way);

/* Of a packet that has been parsed before: where its IP header is in the frame, and TCP's. */
struct tcp_place {
	__u32 network;
	__u32 transport; /* 0: not found; so are those behind extension headers of IPv6 */
};

PARSE_INLINE void tcp_place(struct xdp_md *ctx, struct tcp_place *place)
{
	struct parse_way way = { 0 };
	__u8 *p, *end = (void *)(long)ctx->data_end;

	place->transport = 0;
	if (parse_xdp_link(ctx, &way) != SHIELD_PASS_CLEAN)
		return;
	place->network = way.at.offset & (PARSE_OFFSETS - 1);
	p = (__u8 *)(void *)(long)ctx->data + place->network;
	if (p + PARSE_IPV4 > end)
		return;
	if (way.at.type == PARSE_TYPE_IPV4)
		place->transport = place->network + (p[0] & 0xfu) * 4;
	else if (p[6] == PARSE_IS_TCP)
		place->transport = place->network + PARSE_IPV6;
}

/* An IP header with no more in it than a cookie is made of: version and addresses. */
union tcp_ip_header {
	struct {
		__u8 version, unused[11];
		__u32 src, dst;
	} ip4;
	struct {
		__u8 version, unused[7];
		__u64 src[2], dst[2];
	} ip6;
};

PARSE_INLINE void tcp_ip_header(const struct shield_key *key, union tcp_ip_header *header)
{
	const __u64 *src = words(key->src), *dst = words(key->dst);

	__builtin_memset(header, 0, sizeof(*header));
	if (shield_is_ipv4(dst)) {
		header->ip4.version = 0x45;
		header->ip4.src = parse_raw32(key->src + 12);
		header->ip4.dst = parse_raw32(key->dst + 12);
	} else {
		header->ip6.version = 0x60;
		header->ip6.src[0] = src[0];
		header->ip6.src[1] = src[1];
		header->ip6.dst[0] = dst[0];
		header->ip6.dst[1] = dst[1];
	}
}

PARSE_INLINE struct bpf_sock *tcp_socket(struct xdp_md *ctx, const struct shield_key *key)
{
	const __u64 *src = words(key->src), *dst = words(key->dst);
	struct bpf_sock_tuple tuple;

	__builtin_memset(&tuple, 0, sizeof(tuple));
	if (shield_is_ipv4(dst) && shield_is_ipv4(src)) {
		tuple.ipv4.saddr = parse_raw32(key->src + 12);
		tuple.ipv4.daddr = parse_raw32(key->dst + 12);
		tuple.ipv4.sport = __builtin_bswap16(key->field[SHIELD_F_SRC_PORT]);
		tuple.ipv4.dport = __builtin_bswap16(key->field[SHIELD_F_DST_PORT]);
		return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(tuple.ipv6.saddr, key->src, sizeof(tuple.ipv6.saddr));
	__builtin_memcpy(tuple.ipv6.daddr, key->dst, sizeof(tuple.ipv6.daddr));
	tuple.ipv6.sport = __builtin_bswap16(key->field[SHIELD_F_SRC_PORT]);
	tuple.ipv6.dport = __builtin_bswap16(key->field[SHIELD_F_DST_PORT]);
	return bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv6), BPF_F_CURRENT_NETNS, 0);
}

/* The number of the SYN-ACK that a request was answered with; 0 or less where it cannot be read. */
PARSE_INLINE int tcp_request_number(struct bpf_sock *request, __u32 *number)
{
	__u64 address = 0;

	/* The verifier lets nobody count on from a socket's address; as a number read from memory it may be. */
	if (tcp_request_number_at == 0 || bpf_probe_read_kernel(&address, sizeof(address), &request) != 0)
		return 0;
	return bpf_probe_read_kernel(number, sizeof(*number), (void *)(address + tcp_request_number_at)) == 0;
}

/* What the host knows of a TCP packet that is not the first of its conversation. */
enum tcp_known {
	TCP_UNKNOWN,   /* nothing: nobody listens, or who listens knows it not */
	TCP_ASKED,     /* a request waits for its handshake to be completed, and not by this */
	TCP_COMPLETES, /* it completes a handshake: answers a request, or has a cookie */
	TCP_ENGAGED,   /* it belongs to a connection, be it one that is coming to its end */
};

APART int tcp_known(struct xdp_md *ctx, const struct shield_key *key)
{
	union tcp_ip_header ip;
	__u8 header[PARSE_TCP] = { 0 };
	struct bpf_sock *socket;
	__u32 flags, number = 0, state;
	struct tcp_place place;
	int known = TCP_ENGAGED, completing;

	if (!key)
		return TCP_UNKNOWN;
	flags = key->field[SHIELD_F_TCP_FLAGS];
	completing = (flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK;
	if (completing) {
		tcp_place(ctx, &place);
		if (!place.transport || bpf_xdp_load_bytes(ctx, place.transport, header, sizeof(header)) != 0)
			completing = 0;
	}
	socket = tcp_socket(ctx, key);
	if (!socket)
		return TCP_UNKNOWN;
	state = socket->state;
	if (state == TCP_STATE_LISTEN) {
		known = TCP_UNKNOWN;
		if (completing) {
			tcp_ip_header(key, &ip);
			if (bpf_tcp_check_syncookie(socket, &ip, sizeof(ip), (void *)header, sizeof(header)) == 0)
				known = TCP_COMPLETES;
		}
	} else if (state == TCP_STATE_NEW_SYN_RECV) {
		known = TCP_ASKED;
		if (completing && tcp_request_number(socket, &number) && number + 1 == parse_be32(header + TCP_ACK_AT))
			known = TCP_COMPLETES;
	}
	bpf_sk_release(socket);
	return known;
}

#endif
