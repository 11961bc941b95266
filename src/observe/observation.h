/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The waist of the hourglass. Every input (captured packet, and later XDP sample, flow record, log line) becomes a
 * struct observation; nothing behind this header knows where it came from.
 *
 * All numbers are in host byte order. A field whose presence flag is absent is zero and means nothing.
 *
 * An observation describes the innermost packet that could be seen through to (GRE, IP-in-IP, VXLAN …): that is what
 * hits a target. The outermost one stays beside it, for a flood of tunnel packets hits the tunnel's end.
 *
 * Mirrors (ERSPAN) and overlays over UDP (VXLAN, Geneve, GTP-U, Teredo) are marked: whatever they carry is as good as
 * captured where they begin. Where another tunnel is in one, that is the outermost, and the mark is not set.
 */
#ifndef HOLDFAST_OBSERVE_OBSERVATION_H
#define HOLDFAST_OBSERVE_OBSERVATION_H

#include <stdint.h>

#include "base/prefix.h"
#include "base/time.h"
#include "observe/http.h"

#define OBSERVATION_PAYLOAD_MAX 32 /* octets of payload kept */

/* Presence and properties: struct observation.flags */
enum {
	OBSERVATION_PORTS = 1u << 0,           /* src_port, dst_port (TCP, UDP, SCTP, DCCP, UDP-Lite) */
	OBSERVATION_TCP = 1u << 1,             /* tcp */
	OBSERVATION_ICMP = 1u << 2,            /* icmp_type, icmp_code (ICMP or ICMPv6, see protocol) */
	OBSERVATION_FRAGMENT = 1u << 3,        /* the datagram is a fragment: offset > 0 or more to come */
	OBSERVATION_LATER_FRAGMENT = 1u << 4,  /* offset > 0: no transport header in it */
	OBSERVATION_DF = 1u << 5,              /* IPv4 Don't Fragment */
	OBSERVATION_IP_OPTIONS = 1u << 6,      /* IPv4 options or IPv6 extension headers were there */
	OBSERVATION_TUNNELLED = 1u << 7,       /* outer */
	OBSERVATION_QUOTE = 1u << 8,           /* quote (ICMP error with a readable quoted header) */
	OBSERVATION_TCP_OPTIONS_BAD = 1u << 9, /* the TCP option list is malformed */
	OBSERVATION_CUT = 1u << 10, /* the capture kept less than the headers say: trailing fields may be absent */
	OBSERVATION_MALFORMED = 1u << 11, /* the transport header is cut or impossible: only what IP says is there */
	/* Set behind the waist, by what is known of its conversation: asked for, or engaged. */
	OBSERVATION_WELCOME = 1u << 12,
	OBSERVATION_OVERLAY = 1u << 13,   /* outer is of a mirror or an overlay */
	OBSERVATION_HTTP = 1u << 14,      /* http (TCP payload that begins a request) */
	OBSERVATION_BLOCK_END = 1u << 15, /* TCP, pushed: the payload ends with an empty line, as a header block does */
	/* Of a packet that the kernel sampled: what the kernel knew of it, and did with it. */
	OBSERVATION_ANSWERED = 1u << 16,  /* its conversation is engaged: this host has sent packets the other way */
	OBSERVATION_HANDSHAKE = 1u << 17, /* TCP: it completes a handshake, for which the host's own stack vouches */
	OBSERVATION_ANSWER = 1u << 18,    /* leaves this host, from a service's own port */
	OBSERVATION_DROPPED = 1u << 19,   /* it did not pass, or would not have where the shield only observes */
};

/* clang-format off */
enum {
	TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08,
	TCP_ACK = 0x10, TCP_URG = 0x20, TCP_ECE = 0x40, TCP_CWR = 0x80,
};
/* clang-format on */

/* TCP option kinds in order of appearance, four bits each, first in the lowest bits; 0 ends the list; 16 at most. */
/* clang-format off */
enum tcp_option {
	TCP_OPTION_END = 1, TCP_OPTION_NOP = 2, TCP_OPTION_MSS = 3, TCP_OPTION_WS = 4, TCP_OPTION_SOK = 5,
	TCP_OPTION_SACK = 6, TCP_OPTION_TS = 7, TCP_OPTION_OTHER = 15,
};
/* clang-format on */

struct observation {
	struct capture_time time;
	struct address src, dst;
	uint32_t weight;          /* packets that this one stands for; 1 in an unsampled capture */
	uint32_t length;          /* total length of the IP packet, both families (IPv6: 40 + payload length) */
	uint32_t flags;           /* OBSERVATION_* */
	uint8_t protocol;         /* IANA protocol number of the upper layer, behind all extension headers */
	uint8_t ttl;              /* or hop limit */
	uint16_t ip_id;           /* IPv4 only */
	uint16_t fragment_offset; /* octets */
	uint16_t src_port, dst_port;
	uint8_t icmp_type, icmp_code;
	uint16_t payload_length; /* octets behind the transport header by the IP length, not by what was kept */
	uint8_t payload_kept;    /* octets in payload[], at most OBSERVATION_PAYLOAD_MAX */
	uint8_t payload[OBSERVATION_PAYLOAD_MAX];
	struct {
		uint32_t seq, ack;
		uint32_t tsval;   /* 0 where no timestamp option */
		uint64_t options; /* enum tcp_option, packed */
		uint16_t window;
		uint16_t mss;   /* 0 where no MSS option */
		uint8_t flags;  /* TCP_* */
		uint8_t wscale; /* 255 where no window scale option */
	} tcp;
	struct {
		struct address src, dst;
		uint8_t protocol; /* 47 GRE, 4 IP-in-IP, 41 IPv6-in-IPv4, 17 VXLAN …: the outermost tunnel */
		uint8_t ttl;
		uint16_t ip_id;
		uint32_t length;
		uint16_t src_port, dst_port; /* UDP only */
	} outer;
	union {          /* no packet has both */
		struct { /* the packet an ICMP error quotes; in observation_outer(), the packet inside */
			struct address src, dst;
			uint16_t src_port, dst_port;    /* 0 where not quoted */
			uint16_t ip_id, payload_length; /* of the packet inside only */
			uint8_t protocol;
		} quote;
		struct http http;
	};
};

/*
 * A tunnelled packet as the tunnel's end sees it: outer addresses, protocol, length, ports where it is UDP; no payload.
 * What was inside is kept as its quote, without OBSERVATION_QUOTE.
 */
void observation_outer(const struct observation *tunnelled, struct observation *outer);

#endif
