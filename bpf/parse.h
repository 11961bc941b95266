/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one parser of frames in the kernel: Ethernet, VLAN tags, 802.2, IPv4 with options, IPv6 with extension headers,
 * fragments, the transport header, and, where a rule asks for them, TCP's options and the first octets of payload.
 * Tunnels are not seen through: a rule in the kernel is about the packet that this host is sent.
 *
 * It says the same of a packet as observe/decode.h does, field by field; tests/bpf holds the two to that. Compiled
 * natively it parses octets in memory (PARSE_NATIVE), for the fuzzer.
 */
#ifndef HOLDFAST_BPF_PARSE_H
#define HOLDFAST_BPF_PARSE_H

#include "abi/shield.h"

#define PARSE_INLINE static inline __attribute__((always_inline))

/* A frame, in the kernel or in memory. `at` is what parse_load() counts from. */
struct parse_frame {
	void *data, *end;
	void *at;
};

/* Copies `length` octets from `offset` on; 0, or less where they are not there. */
#ifdef PARSE_NATIVE
PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length)
{
	if (offset + length > (__u64)((char *)frame->end - (char *)frame->data))
		return -1;
	__builtin_memcpy(to, (char *)frame->data + offset, length);
	return 0;
}
#else
PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length);
#endif

#define PARSE_ETHERNET 14
#define PARSE_IPV4 20
#define PARSE_IPV6 40
#define PARSE_TCP 20
#define PARSE_TCP_FIXED 16 /* octets of TCP's header up to and with its window */
#define PARSE_TCP_OPTIONS_MAX 40
#define PARSE_TCP_OPTIONS_ROOM 64
#define PARSE_UDP 8
#define PARSE_ICMP 8
#define PARSE_PORTS 4

/* Numbers of IEEE 802 and IANA. */
enum {
	PARSE_TYPE_IPV4 = 0x0800,
	PARSE_TYPE_ARP = 0x0806,
	PARSE_TYPE_VLAN = 0x8100,
	PARSE_TYPE_IPV6 = 0x86dd,
	PARSE_TYPE_VLAN_STACKED = 0x88a8,
	PARSE_TYPE_VLAN_STACKED_OLD = 0x9100,
	PARSE_TYPE_LENGTH_MAX = 1500, /* up to here it is a length, and 802.2 follows */
};

enum {
	PARSE_HOP_BY_HOP = 0,
	PARSE_IS_ICMP = 1,
	PARSE_IS_TCP = 6,
	PARSE_IS_UDP = 17,
	PARSE_DCCP = 33,
	PARSE_ROUTING = 43,
	PARSE_FRAGMENT = 44,
	PARSE_AH = 51,
	PARSE_ICMPV6 = 58,
	PARSE_NONE = 59,
	PARSE_DESTINATION = 60,
	PARSE_SCTP = 132,
	PARSE_MOBILITY = 135,
	PARSE_UDP_LITE = 136,
	PARSE_HIP = 139,
	PARSE_SHIM6 = 140,
};

/*
 * The compiler for the kernel would copy octet by octet; natively, a number that is not aligned may not be read as one.
 */
PARSE_INLINE __u16 parse_be16(const __u8 *p)
{
#ifdef PARSE_NATIVE
	__u16 number;

	__builtin_memcpy(&number, p, sizeof(number));
	return __builtin_bswap16(number);
#else
	return __builtin_bswap16(*(const __u16 *)(const void *)p);
#endif
}

PARSE_INLINE __u32 parse_be32(const __u8 *p)
{
#ifdef PARSE_NATIVE
	__u32 number;

	__builtin_memcpy(&number, p, sizeof(number));
	return __builtin_bswap32(number);
#else
	return __builtin_bswap32(*(const __u32 *)(const void *)p);
#endif
}

/* Octets as they lie in memory, as one number. */
PARSE_INLINE __u32 parse_raw32(const __u8 *p)
{
#ifdef PARSE_NATIVE
	__u32 number;

	__builtin_memcpy(&number, p, sizeof(number));
	return number;
#else
	return *(const __u32 *)(const void *)p;
#endif
}

PARSE_INLINE __u64 parse_raw64(const __u8 *p)
{
#ifdef PARSE_NATIVE
	__u64 number;

	__builtin_memcpy(&number, p, sizeof(number));
	return number;
#else
	return *(const __u64 *)(const void *)p;
#endif
}

/* An IP header: where in the frame, of which version, and how much of the frame is the packet's at most. */
struct parse_at {
	__u32 offset;
	__u32 type; /* PARSE_TYPE_IPV4, PARSE_TYPE_IPV6 */
	__u32 limit;
};

/* How long what lies there is, where only the link says: 802.3 does, else it is what there is. */
PARSE_INLINE __u32 parse_whole(const struct parse_at *at, __u32 kept)
{
	return at->limit <= PARSE_TYPE_LENGTH_MAX ? at->limit : kept;
}

/* Offsets are less than this: what the verifier wants to see before it lets a pointer be made of one. */
#define PARSE_OFFSETS 0x8000

PARSE_INLINE __u8 *parse_pointer(const struct parse_frame *frame, __u32 offset)
{
	return (__u8 *)frame->data + (offset & (PARSE_OFFSETS - 1));
}

/*
 * From the Ethernet header to the IP header: SHIELD_PASS_CLEAN, and *at is filled; or why not. An 802.2 header is
 * passed once; 802.3 says how long what follows is, and padding behind that is none of it.
 */
PARSE_INLINE enum shield_reason parse_link(const struct parse_frame *frame, struct parse_at *at)
{
	__u8 *p = frame->data, *end = frame->end;
	__u32 llc = 0, type, limit = ~0u;

	if (p + PARSE_ETHERNET > end)
		return SHIELD_PASS_LINK_SHORT;
	type = parse_be16(p + 12);
	p += PARSE_ETHERNET;
#pragma unroll
	for (int tags = 0; tags < SHIELD_TAGS_MAX + 2; tags++) {
		if (type == PARSE_TYPE_IPV4 || type == PARSE_TYPE_IPV6) {
			at->offset = (__u32)(p - (__u8 *)frame->data);
			at->type = type;
			at->limit = limit;
			return SHIELD_PASS_CLEAN;
		}
		if (type == PARSE_TYPE_ARP)
			return SHIELD_PASS_ARP;
		if (type == PARSE_TYPE_VLAN || type == PARSE_TYPE_VLAN_STACKED || type == PARSE_TYPE_VLAN_STACKED_OLD) {
			if (tags == SHIELD_TAGS_MAX + (int)llc)
				return SHIELD_PASS_TAGS;
			if (p + 4 > end || limit < 4)
				return SHIELD_PASS_LINK_SHORT;
			type = parse_be16(p + 2);
			limit -= 4;
			p += 4;
			continue;
		}
		if (type > PARSE_TYPE_LENGTH_MAX || llc)
			return SHIELD_PASS_NOT_IP;
		llc = 1;
		limit = type;
		if (p + 3 > end || limit < 3)
			return SHIELD_PASS_LINK_SHORT;
		if (p[0] == 0x06 && p[1] == 0x06 && p[2] == 0x03) {
			type = PARSE_TYPE_IPV4;
			limit -= 3;
			p += 3;
			continue;
		}
		if (p[0] != 0xaa || p[1] != 0xaa || p[2] != 0x03)
			return SHIELD_PASS_NOT_IP;
		if (p + 8 > end || limit < 8)
			return SHIELD_PASS_LINK_SHORT;
		if (p[3] != 0 || p[4] != 0 || (p[5] != 0 && p[5] != 0xf8))
			return SHIELD_PASS_NOT_IP;
		type = parse_be16(p + 6);
		limit -= 8;
		p += 8;
	}
	return SHIELD_PASS_TAGS;
}

/* Where a packet's transport header begins, and what IP says of what is there. */
struct parse_inside {
	__u32 offset;
	__u32 whole; /* octets from there on, says IP */
	__u32 kept;  /* of these in the frame */
};

/* The second word of an IPv4-mapped address, of the address as it lies in memory. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PARSE_MAPPED(ipv4) ((__u64)(ipv4) << 32 | 0xffff0000u)
#else
#define PARSE_MAPPED(ipv4) ((__u64)(ipv4) | 0xffffULL << 32)
#endif

PARSE_INLINE void parse_mapped(__u8 to[16], const __u8 *from)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, from, 4);
}

PARSE_INLINE enum shield_reason parse_ipv4(const struct parse_frame *frame, const struct parse_at *at,
                                           struct shield_key *key, struct parse_inside *inside)
{
	__u8 *p = parse_pointer(frame, at->offset), *end = frame->end;
	__u32 header, total, fragment, kept;

	kept = p < end ? (__u32)(end - p) : 0;
	if (kept > at->limit)
		kept = at->limit;
	if (kept == 0)
		return SHIELD_PASS_IP_SHORT;
	if (p + 1 > end)
		return SHIELD_PASS_IP_SHORT;
	if (p[0] >> 4 != 4)
		return SHIELD_PASS_IP_VERSION;
	if (p + PARSE_IPV4 > end || kept < PARSE_IPV4)
		return SHIELD_PASS_IP_SHORT;
	header = (p[0] & 0xfu) * 4;
	total = parse_be16(p + 2);
	if (header < PARSE_IPV4 || (total != 0 && total < header))
		return SHIELD_PASS_IP_HEADER;
	if (p + header > end || kept < header)
		return SHIELD_PASS_IP_SHORT;
	if (total == 0) /* longer than the field can say */
		total = parse_whole(at, kept);
	if (kept > total)
		kept = total;
	parse_mapped(key->src, p + 12);
	parse_mapped(key->dst, p + 16);
	key->field[SHIELD_F_HAS] =
		SHIELD_HAS_IPV4 | SHIELD_HAS_PAYLOAD | (header > PARSE_IPV4 ? SHIELD_HAS_OPTIONS : 0);
	key->field[SHIELD_F_PROTOCOL] = p[9];
	key->field[SHIELD_F_TTL] = p[8];
	key->field[SHIELD_F_IP_ID] = parse_be16(p + 4);
	key->field[SHIELD_F_LENGTH] = (__u16)(total < 0xffff ? total : 0xffff);
	fragment = parse_be16(p + 6);
	if (fragment & 0x4000)
		key->field[SHIELD_F_HAS] |= SHIELD_HAS_DF;
	if (fragment & 0x3fff) {
		key->field[SHIELD_F_FRAGMENT_OFFSET] = (__u16)((fragment & 0x1fff) * 8);
		key->field[SHIELD_F_HAS] |= SHIELD_HAS_FRAGMENT;
		if (fragment & 0x1fff)
			key->field[SHIELD_F_HAS] |= SHIELD_HAS_LATER_FRAGMENT;
	}
	inside->offset = at->offset + header;
	inside->whole = total - header;
	inside->kept = kept - header;
	return SHIELD_PASS_CLEAN;
}

PARSE_INLINE int parse_is_extension(__u32 protocol)
{
	return protocol == PARSE_HOP_BY_HOP || protocol == PARSE_ROUTING || protocol == PARSE_FRAGMENT ||
	       protocol == PARSE_AH || protocol == PARSE_DESTINATION || protocol == PARSE_MOBILITY ||
	       protocol == PARSE_HIP || protocol == PARSE_SHIM6;
}

/* Along IPv6's extension headers. */
struct parse_chain {
	const struct parse_frame *frame;
	__u32 offset, whole, kept;
	__u32 protocol; /* of what is at offset */
	__u32 has;      /* SHIELD_HAS_* that the chain adds */
	__u32 fragment_offset;
	__u32 done;
};

/*
 * One extension header, by RFC 8200: 1 where the chain ends, well if `done`. A message of its own (mobility, HIP,
 * shim6) is no step to another.
 */
static long parse_extension(__u32 round, struct parse_chain *chain)
{
	__u8 header[8] = { 0 };
	__u32 length;

	(void)round;
	if (!parse_is_extension(chain->protocol) || chain->has & SHIELD_HAS_LATER_FRAGMENT) {
		chain->done = 1;
		return 1;
	}
	if (chain->kept < 8 || parse_load(chain->frame, chain->offset, header, 8))
		return 1;
	if (chain->protocol == PARSE_FRAGMENT)
		length = 8;
	else if (chain->protocol == PARSE_AH)
		length = (header[1] + 2u) * 4;
	else
		length = (header[1] + 1u) * 8;
	if (header[0] == PARSE_NONE && chain->protocol >= PARSE_MOBILITY) {
		chain->done = 1;
		return 1;
	}
	if (length > chain->kept)
		return 1;
	chain->has |= SHIELD_HAS_OPTIONS;
	if (chain->protocol == PARSE_FRAGMENT) {
		__u32 fragment = (__u32)header[2] << 8 | header[3];

		if (fragment & 0xfff9) {
			chain->fragment_offset = fragment & 0xfff8;
			chain->has |= SHIELD_HAS_FRAGMENT;
			if (chain->fragment_offset)
				chain->has |= SHIELD_HAS_LATER_FRAGMENT;
		}
	}
	chain->protocol = header[0];
	chain->offset += length;
	chain->whole -= length;
	chain->kept -= length;
	return 0;
}

PARSE_INLINE enum shield_reason parse_ipv6(const struct parse_frame *frame, const struct parse_at *at,
                                           struct shield_key *key, struct parse_inside *inside)
{
	__u8 *p = parse_pointer(frame, at->offset), *end = frame->end;
	__u32 total, kept;
	struct parse_chain chain = { .frame = frame };

	kept = p < end ? (__u32)(end - p) : 0;
	if (kept > at->limit)
		kept = at->limit;
	if (kept == 0 || p + 1 > end)
		return SHIELD_PASS_IP_SHORT;
	if (p[0] >> 4 != 6)
		return SHIELD_PASS_IP_VERSION;
	if (p + PARSE_IPV6 > end || kept < PARSE_IPV6)
		return SHIELD_PASS_IP_SHORT;
	total = PARSE_IPV6 + parse_be16(p + 4);
	chain.protocol = p[6];
	if (total == PARSE_IPV6 && chain.protocol != PARSE_NONE) /* longer than the field can say */
		total = parse_whole(at, kept);
	if (kept > total)
		kept = total;
	__builtin_memcpy(key->src, p + 8, 16);
	__builtin_memcpy(key->dst, p + 24, 16);
	key->field[SHIELD_F_HAS] = SHIELD_HAS_PAYLOAD;
	key->field[SHIELD_F_HAS] |=
		shield_is_ipv4((const __u64 *)(const void *)key->dst) ? SHIELD_HAS_IPV4 : SHIELD_HAS_IPV6;
	key->field[SHIELD_F_PROTOCOL] = (__u16)chain.protocol;
	key->field[SHIELD_F_TTL] = p[7];
	key->field[SHIELD_F_LENGTH] = (__u16)(total < 0xffff ? total : 0xffff);
	chain.offset = at->offset + PARSE_IPV6;
	chain.whole = total - PARSE_IPV6;
	chain.kept = kept - PARSE_IPV6;
	if (parse_is_extension(chain.protocol)) {
#ifdef PARSE_NATIVE
		for (__u32 round = 0; round <= SHIELD_EXTENSIONS_MAX && parse_extension(round, &chain) == 0; round++)
			;
#else
		bpf_loop(SHIELD_EXTENSIONS_MAX + 1, parse_extension, &chain, 0);
#endif
		if (!chain.done) {
			/* As the decoder has it: nothing that stood in the chain is believed. */
			key->field[SHIELD_F_HAS] |= SHIELD_HAS_MALFORMED;
			return SHIELD_PASS_EXTENSION;
		}
		key->field[SHIELD_F_PROTOCOL] = (__u16)(chain.protocol & 0xff);
		key->field[SHIELD_F_HAS] |= (__u16)chain.has;
		key->field[SHIELD_F_FRAGMENT_OFFSET] = (__u16)chain.fragment_offset;
	}
	inside->offset = chain.offset;
	inside->whole = chain.whole;
	inside->kept = chain.kept;
	return SHIELD_PASS_CLEAN;
}

/* Where TCP's options lie in the frame; `length` is 0 where there are none, or no rule asks. */
struct parse_options_at {
	__u32 offset, length;
};

struct parse_options_walk {
	__u8 octets[PARSE_TCP_OPTIONS_ROOM];
	__u64 options;
	__u32 at, length, shift;
	__u32 mss;
};

/* One option: 1 where it was the last. By bpf_loop(), whose body is verified once and not for every round. */
static long parse_option(__u32 round, struct parse_options_walk *walk)
{
	__u32 at = walk->at, kind, size = 1, option = 15;

	(void)round;
	if (at >= walk->length || at > PARSE_TCP_OPTIONS_MAX)
		return 1;
	kind = walk->octets[at];
	if (kind > 1) {
		size = walk->octets[at + 1];
		if (at + 1 >= walk->length || size < 2 || at + size > walk->length)
			return 1;
	}
	if (kind == 0)
		option = 1;
	else if (kind == 1)
		option = 2;
	else if (kind <= 5)
		option = kind + 1;
	else if (kind == 8)
		option = 7;
	if (kind == 2 && size == 4)
		walk->mss = (__u32)(walk->octets[at + 2] << 8 | walk->octets[at + 3]);
	if (walk->shift < 64) {
		walk->options |= (__u64)option << walk->shift;
		walk->shift += 4;
	}
	walk->at = at + size;
	return kind == 0;
}

/* TCP's options: their kinds in order, four bits each, and what MSS says. */
PARSE_INLINE void parse_options(const struct parse_frame *frame, __u32 offset, __u32 length, struct shield_key *key)
{
	struct parse_options_walk walk = { 0 };

	if (length == 0 || length > PARSE_TCP_OPTIONS_MAX)
		return;
	length = ((length - 1) & (PARSE_TCP_OPTIONS_ROOM - 1)) + 1; /* changes nothing, as below */
	if (parse_load(frame, offset, walk.octets, length))
		return;
	walk.length = length;
#ifdef PARSE_NATIVE
	for (__u32 round = 0; round < PARSE_TCP_OPTIONS_MAX && parse_option(round, &walk) == 0; round++)
		;
#else
	bpf_loop(PARSE_TCP_OPTIONS_MAX, parse_option, &walk, 0);
#endif
	key->tcp_options = walk.options;
	key->field[SHIELD_F_MSS] = (__u16)walk.mss;
	if (walk.mss)
		key->field[SHIELD_F_HAS] |= SHIELD_HAS_MSS;
}

/* What comes `header` octets behind the beginning of the transport header. */
PARSE_INLINE void parse_payload(const struct parse_frame *frame, const struct parse_inside *inside, __u32 header,
                                __u32 needs, struct shield_key *key)
{
	__u8 *p = parse_pointer(frame, inside->offset), *end = frame->end;
	__u32 length, kept;

	if (inside->whole <= header)
		return;
	length = inside->whole - header;
	key->field[SHIELD_F_PAYLOAD_LENGTH] = (__u16)(length < 0xffff ? length : 0xffff);
	if (!(needs & SHIELD_NEED_PAYLOAD) || header > 60)
		return;
	p += header;
	if (inside->kept >= header + SHIELD_PAYLOAD_MAX && p + SHIELD_PAYLOAD_MAX <= end) {
		__builtin_memcpy(key->payload, p, SHIELD_PAYLOAD_MAX);
		key->field[SHIELD_F_PAYLOAD_KEPT] = SHIELD_PAYLOAD_MAX;
		return;
	}
	if (inside->kept <= header)
		return;
	kept = inside->kept - header;
	if (kept > SHIELD_PAYLOAD_MAX)
		kept = SHIELD_PAYLOAD_MAX;
	kept = ((kept - 1) & (SHIELD_PAYLOAD_MAX - 1)) + 1; /* changes nothing; the verifier sees that it is not 0 */
	if (parse_load(frame, inside->offset + header, key->payload, kept))
		return;
	key->field[SHIELD_F_PAYLOAD_KEPT] = (__u16)kept;
}

PARSE_INLINE void parse_ports(const __u8 *p, struct shield_key *key)
{
	key->field[SHIELD_F_SRC_PORT] = parse_be16(p);
	key->field[SHIELD_F_DST_PORT] = parse_be16(p + 2);
	key->field[SHIELD_F_HAS] |= SHIELD_HAS_PORTS;
}

/*
 * The transport header. One that IP's length leaves no room for is none, but for a first fragment, where the rest comes
 * later; one that the frame cuts short is read as far as it goes, while the ports are there.
 */
PARSE_INLINE enum shield_reason parse_transport(const struct parse_frame *frame, const struct parse_inside *inside,
                                                __u32 needs, struct shield_key *key, struct parse_options_at *options)
{
	__u8 *p = parse_pointer(frame, inside->offset), *end = frame->end;
	__u32 protocol = key->field[SHIELD_F_PROTOCOL], has = key->field[SHIELD_F_HAS], header = 0;
	__u32 kept = inside->kept;

	if (has & SHIELD_HAS_LATER_FRAGMENT) {
		parse_payload(frame, inside, 0, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	if (protocol == PARSE_IS_TCP) {
		header = PARSE_TCP;
		key->field[SHIELD_F_HAS] &= (__u16)~SHIELD_HAS_PAYLOAD; /* until the header has said its length */
	}
	if (protocol == PARSE_IS_UDP)
		header = PARSE_UDP;
	else if (protocol == PARSE_IS_ICMP || protocol == PARSE_ICMPV6)
		header = PARSE_ICMP;
	else if (protocol == PARSE_DCCP || protocol == PARSE_SCTP || protocol == PARSE_UDP_LITE)
		header = PARSE_PORTS;
	if (header == 0) {
		parse_payload(frame, inside, 0, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	if (kept < PARSE_PORTS || p + PARSE_PORTS > end)
		goto malformed;
	if (inside->whole < header && !(has & SHIELD_HAS_FRAGMENT) && header != PARSE_PORTS)
		goto malformed;
	if (protocol == PARSE_IS_ICMP || protocol == PARSE_ICMPV6) {
		key->field[SHIELD_F_ICMP_TYPE] = p[0];
		key->field[SHIELD_F_ICMP_CODE] = p[1];
		key->field[SHIELD_F_HAS] |= SHIELD_HAS_ICMP;
		parse_payload(frame, inside, PARSE_ICMP, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	parse_ports(p, key);
	if (protocol == PARSE_IS_UDP) {
		if (kept >= PARSE_UDP && p + PARSE_UDP <= end) {
			__u32 length = parse_be16(p + 4);

			/* observe/decode.c says which lengths are none. */
			if (length < PARSE_UDP &&
			    (length != 0 || (has & SHIELD_HAS_IPV4 && key->field[SHIELD_F_LENGTH] < 0xffff)))
				goto malformed;
		}
		parse_payload(frame, inside, PARSE_UDP, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	if (protocol != PARSE_IS_TCP) {
		parse_payload(frame, inside, 0, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	if (kept < PARSE_TCP_FIXED || p + PARSE_TCP_FIXED > end) {
		parse_payload(frame, inside, PARSE_TCP, needs, key);
		return SHIELD_PASS_CLEAN;
	}
	header = (__u32)(p[12] >> 4) * 4;
	if (header < PARSE_TCP || (header > inside->whole && !(has & SHIELD_HAS_FRAGMENT)))
		goto malformed;
	key->field[SHIELD_F_HAS] |= SHIELD_HAS_TCP | SHIELD_HAS_PAYLOAD;
	key->field[SHIELD_F_TCP_FLAGS] = p[13];
	key->field[SHIELD_F_WINDOW] = parse_be16(p + 14);
	if (needs & SHIELD_NEED_OPTIONS && header > PARSE_TCP && kept > PARSE_TCP) {
		options->offset = inside->offset + PARSE_TCP;
		options->length = (header < kept ? header : kept) - PARSE_TCP;
	}
	parse_payload(frame, inside, header, needs, key);
	return SHIELD_PASS_CLEAN;
malformed:
	/* What there is of ports is kept: the decoder does so too. */
	key->field[SHIELD_F_HAS] |= SHIELD_HAS_MALFORMED;
	return SHIELD_PASS_TRANSPORT;
}

/*
 * The long way is in stages, since the verifier would otherwise follow each way through one stage through all ways of
 * the next. Stages are by themselves in the kernel (PARSE_STAGES), with the context that the program has.
 *
 * What PARSE_STAGES makes goes the usual way or the long one; *key need not be anything before. SHIELD_PASS_CLEAN: all
 * is filled. SHIELD_PASS_EXTENSION, SHIELD_PASS_TRANSPORT: what IP says is. Any other: no address is known.
 */
struct parse_way {
	struct parse_at at;
	struct parse_inside inside;
	struct parse_options_at options;
};

PARSE_INLINE enum shield_reason parse_network(const struct parse_frame *frame, struct parse_way *way,
                                              struct shield_key *key)
{
	return way->at.type == PARSE_TYPE_IPV4 ? parse_ipv4(frame, &way->at, key, &way->inside)
	                                       : parse_ipv6(frame, &way->at, key, &way->inside);
}

/* Four 16-bit fields as one word of the key. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PARSE_WORD(a, b, c, d) ((__u64)(a) | (__u64)(b) << 16 | (__u64)(c) << 32 | (__u64)(d) << 48)
#else
#define PARSE_WORD(a, b, c, d) ((__u64)(a) << 48 | (__u64)(b) << 32 | (__u64)(c) << 16 | (__u64)(d))
#endif

/* What of a usual packet is not yet said: where its transport header begins, and that header's length. */
struct parse_usual {
	struct parse_inside inside;
	__u32 header;
};

PARSE_INLINE void parse_words(__u8 to[16], __u64 first, __u64 second)
{
	__u64 *word = (__u64 *)(void *)to;

	word[0] = first;
	word[1] = second;
}

/*
 * The packets that nearly all are, in one go: Ethernet without tags, IPv4 without options or IPv6 without extension
 * headers, whole and no fragment, UDP or TCP. 1: *key is what the long way would have made of it but for payload and
 * TCP's options; 0: that way is to be gone, whatever is in *key. Words are written whole, for reading a word behind
 * stores of its parts costs more than all that is done here.
 */
PARSE_INLINE int parse_usual(const struct parse_frame *frame, struct shield_key *key, struct parse_usual *usual)
{
	__u8 *p = frame->data, *end = frame->end, *transport;
	__u32 type, has, total, protocol, ttl, id = 0, network = PARSE_IPV4, header = PARSE_UDP;

	if (p + PARSE_ETHERNET + PARSE_IPV4 + PARSE_UDP > end)
		return 0;
	type = parse_be16(p + 12);
	p += PARSE_ETHERNET;
	if (type == PARSE_TYPE_IPV4) {
		__u32 fragment = parse_be16(p + 6);

		if (p[0] != 0x45 || fragment & 0x3fff)
			return 0;
		has = SHIELD_HAS_PAYLOAD | SHIELD_HAS_PORTS | SHIELD_HAS_IPV4 | (fragment & 0x4000 ? SHIELD_HAS_DF : 0);
		total = parse_be16(p + 2);
		protocol = p[9];
		ttl = p[8];
		id = parse_be16(p + 4);
		parse_words(key->src, 0, PARSE_MAPPED(parse_raw32(p + 12)));
		parse_words(key->dst, 0, PARSE_MAPPED(parse_raw32(p + 16)));
	} else if (type == PARSE_TYPE_IPV6) {
		if (p + PARSE_IPV6 + PARSE_UDP > end || p[0] >> 4 != 6)
			return 0;
		network = PARSE_IPV6;
		total = PARSE_IPV6 + parse_be16(p + 4);
		protocol = p[6];
		ttl = p[7];
		parse_words(key->src, parse_raw64(p + 8), parse_raw64(p + 16));
		parse_words(key->dst, parse_raw64(p + 24), parse_raw64(p + 32));
		has = SHIELD_HAS_PAYLOAD | SHIELD_HAS_PORTS;
		has |= shield_is_ipv4((const __u64 *)(const void *)key->dst) ? SHIELD_HAS_IPV4 : SHIELD_HAS_IPV6;
	} else {
		return 0;
	}
	if (total > (__u32)(end - p) || total > 0xffff)
		return 0;
	transport = p + network;
	key->field_word[2] = 0;
	if (protocol == PARSE_IS_UDP) {
		if (parse_be16(transport + 4) < PARSE_UDP)
			return 0;
	} else if (protocol == PARSE_IS_TCP) {
		if (transport + PARSE_TCP > end)
			return 0;
		header = (__u32)(transport[12] >> 4) * 4;
		if (header < PARSE_TCP)
			return 0;
		has |= SHIELD_HAS_TCP;
		key->field_word[2] = PARSE_WORD(transport[13], parse_be16(transport + 14), 0, 0);
	} else {
		return 0;
	}
	if (total < network + header)
		return 0;
	key->field_word[0] = PARSE_WORD(has, protocol, parse_be16(transport), parse_be16(transport + 2));
	key->field_word[1] = PARSE_WORD(total, ttl, id, total - network - header);
	key->field_word[3] = 0;
	key->tcp_options = 0;
	parse_words(key->payload, 0, 0);
	parse_words(key->payload + 16, 0, 0);
	usual->inside.offset = PARSE_ETHERNET + network;
	usual->inside.whole = usual->inside.kept = total - network;
	usual->header = header;
	return 1;
}

#define PARSE_APART __attribute__((noinline))

#define PARSE_FRAME(context)                                                                                     \
	{                                                                                                        \
		.data = (void *)(long)(context)->data, .end = (void *)(long)(context)->data_end, .at = (context) \
	}

#define PARSE_STAGES(name, context_type)                                                                     \
	PARSE_APART int name##_link(context_type *context, struct parse_way *way)                            \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
                                                                                                             \
		return way ? (int)parse_link(&frame, &way->at) : SHIELD_PASS_NOT_IP;                         \
	}                                                                                                    \
	PARSE_APART int name##_network(context_type *context, struct parse_way *way, struct shield_key *key) \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
                                                                                                             \
		return way && key ? (int)parse_network(&frame, way, key) : SHIELD_PASS_NOT_IP;               \
	}                                                                                                    \
	PARSE_APART int name##_transport(context_type *context, struct parse_way *way, __u32 needs,          \
	                                 struct shield_key *key)                                             \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
                                                                                                             \
		return way && key ? (int)parse_transport(&frame, &way->inside, needs, key, &way->options)    \
		                  : SHIELD_PASS_NOT_IP;                                                      \
	}                                                                                                    \
	PARSE_APART int name##_options(context_type *context, struct parse_options_at *options,              \
	                               struct shield_key *key)                                               \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
                                                                                                             \
		if (options && key)                                                                          \
			parse_options(&frame, options->offset, options->length, key);                        \
		return 0;                                                                                    \
	}                                                                                                    \
	PARSE_APART int name##_payload(context_type *context, struct parse_usual *usual, __u32 needs,        \
	                               struct shield_key *key)                                               \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
                                                                                                             \
		if (usual && key)                                                                            \
			parse_payload(&frame, &usual->inside, usual->header, needs, key);                    \
		return 0;                                                                                    \
	}                                                                                                    \
	static PARSE_APART __u32 name##_long(context_type *context, __u32 needs, struct shield_key *key,     \
	                                     struct parse_options_at *options)                               \
	{                                                                                                    \
		struct parse_way way = { 0 };                                                                \
		__u32 reason = (__u32)name##_link(context, &way);                                            \
                                                                                                             \
		__builtin_memset(key, 0, sizeof(*key));                                                      \
		if (reason == SHIELD_PASS_CLEAN)                                                             \
			reason = (__u32)name##_network(context, &way, key);                                  \
		if (reason == SHIELD_PASS_CLEAN)                                                             \
			reason = (__u32)name##_transport(context, &way, needs, key);                         \
		*options = way.options;                                                                      \
		return reason;                                                                               \
	}                                                                                                    \
	PARSE_INLINE __u32 name(context_type *context, __u32 needs, struct shield_key *key)                  \
	{                                                                                                    \
		struct parse_frame frame = PARSE_FRAME(context);                                             \
		struct parse_options_at options = { 0 };                                                     \
		struct parse_usual usual = { 0 };                                                            \
		__u32 reason = SHIELD_PASS_CLEAN;                                                            \
                                                                                                             \
		if (!parse_usual(&frame, key, &usual))                                                       \
			reason = name##_long(context, needs, key, &options);                                 \
		else if (needs & SHIELD_NEED_PAYLOAD)                                                        \
			name##_payload(context, &usual, needs, key);                                         \
		if (needs & SHIELD_NEED_OPTIONS && usual.header > PARSE_TCP) {                               \
			options.offset = usual.inside.offset + PARSE_TCP;                                    \
			options.length = usual.header - PARSE_TCP;                                           \
		}                                                                                            \
		if (options.length)                                                                          \
			name##_options(context, &options, key);                                              \
		return reason;                                                                               \
	}

#endif
