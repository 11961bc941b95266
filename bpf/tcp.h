/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the host's own TCP knows of a packet to one of its services: its sockets are looked up, so that nothing need be
 * learned, and what was there before the shield is known from the first packet on. Only for services that are local; of
 * what is passed on, this host has no sockets.
 */
#ifndef HOLDFAST_BPF_TCP_H
#define HOLDFAST_BPF_TCP_H

#include <linux/bpf.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/bucket.h"
#include "bpf/conversation.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/service.h"

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

	place->network = place->transport = 0;
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
	TCP_UNKNOWN,    /* nothing: nobody listens, or who listens knows it not */
	TCP_ASKED,      /* a request waits for its handshake to be completed, and not by this */
	TCP_COMPLETES,  /* it completes a handshake: answers a request … */
	TCP_HAS_COOKIE, /* … or has a cookie */
	TCP_ENGAGED,    /* it belongs to a connection, be it one that is coming to its end */
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
				known = TCP_HAS_COOKIE;
		}
	} else if (state == TCP_STATE_NEW_SYN_RECV) {
		known = TCP_ASKED;
		if (completing && tcp_request_number(socket, &number) && number + 1 == parse_be32(header + TCP_ACK_AT))
			known = TCP_COMPLETES;
	}
	bpf_sk_release(socket);
	return known;
}

APART int has_flow(const struct shield_key *key)
{
	struct shield_flow_key flow = { 0 };

	if (!key)
		return 0;
	flow_of(key, &flow);
	return bpf_map_lookup_elem(&flows, &flow) != 0;
}

/* ---- pressure ---- */

/* The counts of the slot that is now; of two CPUs that come into a new one, one empties them. */
PARSE_INLINE void tcp_begin_slot(struct shield_tcp_state *state, const struct shield_config *c, __u64 now)
{
	__u32 length = c->hz / SHIELD_TCP_SLOTS;
	__u64 slot = now / (length ? length : 1), was = *(volatile __u64 *)&state->slot;

	if (slot == was || __sync_val_compare_and_swap(&state->slot, was, slot) != was)
		return;
	state->connected_before = slot == was + 1 ? state->connected : 0;
	state->connected = state->syns = state->hits = 0;
}

PARSE_INLINE int tcp_is_first(const struct shield_key *key)
{
	return (key->field[SHIELD_F_TCP_FLAGS] & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* So many SYNs have come on this CPU since it told of any. */
APART int tcp_tell_syns(struct shield_tcp_state *state, const struct shield_config *c, __u32 syns, __u64 now)
{
	__u64 connected;

	if (!state || !c)
		return 0;
	tcp_begin_slot(state, c, now);
	syns += __sync_fetch_and_add(&state->syns, syns);
	connected = state->connected > state->connected_before ? state->connected : state->connected_before;
	if (syns >= SHIELD_SYN_PPS / SHIELD_TCP_SLOTS && syns > 2 * connected)
		*(volatile __u64 *)&state->cookies_until = now + SHIELD_TCP_HOLD_S * c->hz;
	return 0;
}

/* Counts a SYN; whether the service is under pressure. */
PARSE_INLINE int tcp_is_pressed(const struct shield_config *c, __u32 service, __u64 now)
{
	struct shield_tcp_state *state = bpf_map_lookup_elem(&tcp_states, &service);
	struct shield_tcp_watch *watch = bpf_map_lookup_elem(&tcp_watches, &service);

	if (!state || !watch)
		return 0;
	if (++watch->syns >= SHIELD_SYN_BATCH) {
		watch->syns = 0;
		tcp_tell_syns(state, c, SHIELD_SYN_BATCH, now);
	}
	return *(volatile __u64 *)&state->cookies_until > now;
}

/* ---- cookies ---- */

/* An answer to this source would go where it should: it is one host's address. What else is in its frame is link's. */
PARSE_INLINE int tcp_may_answer(const struct shield_key *key)
{
	const __u64 *src = words(key->src), *dst = words(key->dst);
	__u8 first = key->src[12];

	if (src[0] == dst[0] && src[1] == dst[1])
		return 0;
	if (shield_is_ipv4(dst))
		return shield_is_ipv4(src) && first != 0 && first != 127 && first < 224;
	return !shield_is_ipv4(src) && key->src[0] != 0xff && key->src[0] != 0;
}

/*
 * The cookie that the kernel makes for a SYN, its number in the low half; 0 where it makes none, or the SYN is one that
 * the host is to answer itself. Only a frame in one piece, of IPv4 without options or IPv6 without extension headers.
 */
APART __u64 tcp_make_cookie(struct xdp_md *ctx, const struct shield_key *key)
{
	__u8 header[TCP_HEADER_MAX + 4] = { 0 };
	union tcp_ip_header ip;
	struct tcp_place place;
	struct bpf_sock *socket;
	__u8 *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__s64 cookie = -1;
	__u32 length;

	if (!key || !tcp_may_answer(key) || frame + PARSE_ETHERNET > end || frame[0] & 1 ||
	    bpf_xdp_get_buff_len(ctx) != (__u64)(end - frame))
		return 0;
	tcp_place(ctx, &place);
	length = place.transport - place.network;
	if (!place.transport || (length != PARSE_IPV4 && length != PARSE_IPV6))
		return 0;
	if (bpf_xdp_load_bytes(ctx, place.transport, header, PARSE_TCP) != 0)
		return 0;
	length = (__u32)(header[12] >> 4) * 4;
	if (length < PARSE_TCP || length > TCP_HEADER_MAX)
		return 0;
	if (bpf_xdp_load_bytes(ctx, place.transport, header, length) != 0)
		return 0;
	socket = tcp_socket(ctx, key);
	if (!socket)
		return 0;
	if (socket->state == TCP_STATE_LISTEN) {
		tcp_ip_header(key, &ip);
		cookie = bpf_tcp_gen_syncookie(socket, &ip, sizeof(ip), (void *)header, length);
	}
	bpf_sk_release(socket);
	return cookie > 0 ? (__u64)cookie : 0;
}

/* ---- whether they arrive ---- */

PARSE_INLINE int tcp_is_left_to_host(const struct shield_key *key, const struct shield_config *c,
                                     const struct shield_trial *trial)
{
	int is_few = (conversation_hash(key, c) & (SHIELD_TRIAL_SHARE - 1)) == 0;

	return trial->unsure ? !is_few : is_few;
}

/*
 * Whether a SYN may be answered with a cookie out of the interface by which it came. Where it only would be, it asks.
 */
APART int tcp_may_cookie(struct xdp_md *ctx, const struct shield_key *key, const struct shield_config *c, __u64 now,
                         __u32 enforced)
{
	struct shield_trial begun = { .began = now }, *trial;
	__u32 ifindex;

	if (!key || !c)
		return 0;
	ifindex = ctx->ingress_ifindex;
	trial = bpf_map_lookup_elem(&trials, &ifindex);
	if (!enforced)
		return !trial || *(volatile __u64 *)&trial->lost_until <= now;
	if (!trial) {
		bpf_map_update_elem(&trials, &ifindex, &begun, BPF_NOEXIST);
		return 0;
	}
	if (*(volatile __u64 *)&trial->proven_until > now)
		return 1;
	if (*(volatile __u64 *)&trial->lost_until > now)
		return 0;
	if (now - trial->began > SHIELD_TRIAL_S * c->hz) {
		trial->by_host = trial->by_cookie = 0;
		*(volatile __u64 *)&trial->began = now;
	}
	return !tcp_is_left_to_host(key, c, trial);
}

/* An acknowledgement under pressure: what it says of cookies. */
APART int tcp_try(struct xdp_md *ctx, const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	struct shield_trial *trial;
	__u32 ifindex;
	int known;

	if (!key || !c)
		return 0;
	ifindex = ctx->ingress_ifindex;
	trial = bpf_map_lookup_elem(&trials, &ifindex);
	if (!trial || trial->proven_until > now || trial->lost_until > now || now - trial->began < c->hz / 2 ||
	    now - trial->began > SHIELD_TRIAL_S * c->hz)
		return 0;
	known = tcp_known(ctx, key);
	if (tcp_is_left_to_host(key, c, trial)) {
		__u32 enough = trial->unsure ? SHIELD_TRIAL_LOST_UNSURE : SHIELD_TRIAL_LOST;

		if ((known == TCP_COMPLETES || known == TCP_HAS_COOKIE) &&
		    __sync_fetch_and_add(&trial->by_host, 1) + 1 >= enough && trial->by_cookie == 0)
			*(volatile __u64 *)&trial->lost_until = now + SHIELD_TRIAL_LOST_S * c->hz;
	} else if (known == TCP_HAS_COOKIE && __sync_fetch_and_add(&trial->by_cookie, 1) + 1 >= SHIELD_TRIAL_PROVEN) {
		*(volatile __u64 *)&trial->proven_until = now + SHIELD_TRIAL_PROVEN_S * c->hz;
	}
	return 0;
}

/* A packet that is no SYN. */
PARSE_INLINE void tcp_watch_trial(struct xdp_md *ctx, const struct shield_key *key, const struct shield_config *c,
                                  __u32 service, __u64 now)
{
	struct shield_tcp_state *state;

	if (c->cookies[service & (SHIELD_SERVICES_MAX - 1)] != SHIELD_COOKIES_AUTO ||
	    (key->field[SHIELD_F_TCP_FLAGS] & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_ACK)
		return;
	state = bpf_map_lookup_elem(&tcp_states, &service);
	if (state && *(volatile __u64 *)&state->cookies_until > now)
		tcp_try(ctx, key, c, now);
}

PARSE_INLINE __u64 tcp_cookie(struct xdp_md *ctx, const struct shield_key *key, const struct shield_config *c,
                              __u32 service, __u64 now, __u32 enforced)
{
	__u32 cookies = c->cookies[service & (SHIELD_SERVICES_MAX - 1)];

	if (cookies == SHIELD_COOKIES_OFF || (!tcp_is_pressed(c, service, now) && cookies != SHIELD_COOKIES_ON))
		return 0;
	if (cookies == SHIELD_COOKIES_AUTO && !tcp_may_cookie(ctx, key, c, now, enforced))
		return 0;
	return tcp_make_cookie(ctx, key);
}

PARSE_INLINE void tcp_put16(__u8 *p, __u32 value)
{
	*(__u16 *)(void *)p = __builtin_bswap16((__u16)value);
}

PARSE_INLINE void tcp_put32(__u8 *p, __u32 value)
{
	*(__u32 *)(void *)p = __builtin_bswap32(value);
}

PARSE_INLINE __u32 tcp_halves(__u32 word)
{
	return (word >> 16) + (word & 0xffff);
}

PARSE_INLINE __u32 tcp_checksum(__u32 sum)
{
	sum = tcp_halves(sum);
	return ~tcp_halves(sum) & 0xffff;
}

/* Exchanges two words of 32 bits; their octets as a sum. */
PARSE_INLINE __u32 tcp_exchange(__u8 *a, __u8 *b)
{
	__u32 one = *(__u32 *)(void *)a, other = *(__u32 *)(void *)b;

	*(__u32 *)(void *)a = other;
	*(__u32 *)(void *)b = one;
	return tcp_halves(__builtin_bswap32(one)) + tcp_halves(__builtin_bswap32(other));
}

#define TCP_REPLY_WINDOW 29200 /* octets: 20 segments, less than what the host has room for */
#define TCP_REPLY_TTL 64
#define TCP_REPLY_MSS_OPTION 4 /* octets */
#define TCP_FRAME_MIN 60

/* TCP's part of a reply, `sum` being that of what of IP goes into its checksum; octets of its header. */
PARSE_INLINE __u32 tcp_write(__u8 *p, const __u8 *end, __u32 cookie, __u32 mss, __u32 sum)
{
	__u32 length = p + PARSE_TCP + TCP_REPLY_MSS_OPTION <= end ? PARSE_TCP + TCP_REPLY_MSS_OPTION : PARSE_TCP;
	__u32 number = parse_be32(p + 4) + 1, src = parse_be16(p), dst = parse_be16(p + 2);
	__u32 flags = length / 4 << 12 | TCP_SYN | TCP_ACK;

	tcp_put16(p, dst);
	tcp_put16(p + 2, src);
	tcp_put32(p + 4, cookie);
	tcp_put32(p + 8, number);
	tcp_put16(p + 12, flags);
	tcp_put16(p + 14, TCP_REPLY_WINDOW);
	tcp_put32(p + 16, 0);
	sum += PARSE_IS_TCP + length + src + dst + tcp_halves(cookie) + tcp_halves(number) + flags + TCP_REPLY_WINDOW;
	if (p + PARSE_TCP + TCP_REPLY_MSS_OPTION <= end) {
		tcp_put32(p + PARSE_TCP, 0x02040000 | mss);
		sum += tcp_halves(0x02040000 | mss);
	}
	tcp_put16(p + 16, tcp_checksum(sum));
	return length;
}

/*
 * Makes of the SYN in the frame the SYN-ACK that answers it, never longer than that was. 0, or -1: it is to be dropped.
 */
APART int tcp_reply(struct xdp_md *ctx, __u32 cookie)
{
	struct tcp_place place;
	__u8 *frame, *end, *p;
	__u32 mtu = 0, mss, sum = 0, length, was, header;

	(void)bpf_check_mtu(ctx, 0, &mtu, 0, 0);
	tcp_place(ctx, &place);
	if (!place.transport)
		return -1;
	frame = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	was = (__u32)(end - frame);
	header = place.transport - place.network;
	p = frame + (place.network & (PARSE_OFFSETS - 1));
	if (frame + PARSE_ETHERNET > end || p + PARSE_IPV4 + PARSE_TCP > end)
		return -1;
	mss = mtu > header + PARSE_TCP ? mtu - header - PARSE_TCP : 0;
	if (mss < 536)
		mss = 1500 - header - PARSE_TCP;
	if (mss > 65495)
		mss = 65495;
	(void)tcp_exchange(frame, frame + 6);
	length = *(__u16 *)(void *)(frame + 4);
	*(__u16 *)(void *)(frame + 4) = *(__u16 *)(void *)(frame + 10);
	*(__u16 *)(void *)(frame + 10) = (__u16)length;
	if (header == PARSE_IPV4) {
		sum = tcp_exchange(p + 12, p + 16);
		length = tcp_write(p + PARSE_IPV4, end, cookie, mss, sum);
		tcp_put32(p, 0x45000000 | (PARSE_IPV4 + length));
		tcp_put32(p + 4, 0x4000);
		tcp_put32(p + 8, TCP_REPLY_TTL << 24 | PARSE_IS_TCP << 16);
		sum += 0x4500 + PARSE_IPV4 + length + 0x4000 + (TCP_REPLY_TTL << 8 | PARSE_IS_TCP);
		tcp_put16(p + 10, tcp_checksum(sum));
	} else {
		if (p + PARSE_IPV6 + PARSE_TCP > end)
			return -1;
#pragma unroll
		for (int i = 8; i < 24; i += 4)
			sum += tcp_exchange(p + i, p + i + 16);
		length = tcp_write(p + PARSE_IPV6, end, cookie, mss, sum);
		tcp_put32(p, 0x60000000);
		tcp_put32(p + 4, length << 16 | PARSE_IS_TCP << 8 | TCP_REPLY_TTL);
	}
	length += place.transport;
	if (length < TCP_FRAME_MIN)
		length = was < TCP_FRAME_MIN ? was : TCP_FRAME_MIN;
	return length < was && bpf_xdp_adjust_tail(ctx, (int)(length - was)) != 0 ? -1 : 0;
}

/* ---- strays ---- */

APART int tcp_is_unknown(struct xdp_md *ctx, const struct shield_key *key)
{
	if (!key)
		return 0;
	return tcp_known(ctx, key) == TCP_UNKNOWN && !has_flow(key);
}

/* Whether a packet that is no SYN is a stray, and too many. */
PARSE_INLINE int tcp_is_stray(struct xdp_md *ctx, const struct shield_key *key, const struct shield_config *c,
                              __u32 service, __u64 now)
{
	struct shield_tcp_state *state = bpf_map_lookup_elem(&tcp_states, &service);
	struct shield_tcp_watch *watch = bpf_map_lookup_elem(&tcp_watches, &service);
	__u64 until;

	if (!state || !watch)
		return 0;
	until = *(volatile __u64 *)&state->check_until;
	if (until <= now) {
		if (watch->until_look == 0)
			watch->until_look = 1 + bpf_get_prandom_u32() % (2 * SHIELD_STRAY_INTERVAL - 1);
		if (--watch->until_look || !tcp_is_unknown(ctx, key))
			return 0;
		tcp_begin_slot(state, c, now);
		if (__sync_fetch_and_add(&state->hits, 1) + 1 >= SHIELD_STRAY_HITS)
			*(volatile __u64 *)&state->check_until = now + SHIELD_TCP_HOLD_S * c->hz;
		return 0;
	}
	if (!tcp_is_unknown(ctx, key) ||
	    take_token(&state->strays, SHIELD_STRAY_PPS, SHIELD_STRAY_PPS, c->hz, now) != BUCKET_EMPTY)
		return 0;
	/* Written now and then, so that a flood only reads. */
	if (now + SHIELD_TCP_HOLD_S * c->hz - until >= c->hz / SHIELD_TCP_SLOTS)
		*(volatile __u64 *)&state->check_until = now + SHIELD_TCP_HOLD_S * c->hz;
	return 1;
}

#endif
