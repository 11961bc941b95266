/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct floods: packets made by tools or bots, and what the platform's host answers to them (label r), since a capture
 * beside a real victim shows both.
 */
#ifndef SYNTH_FLOOD_H
#define SYNTH_FLOOD_H

#include "reflect.h"

struct flood {
	char label;
	int64_t from_ns, to_ns;
	uint32_t pps;            /* at scale 100 */
	const struct pool *pool; /* NULL: a random source for each packet, anywhere or (as_clients) among the clients */
	bool as_clients;
	struct addr dst;
	uint16_t dport;  /* 0: random for each packet */
	uint16_t lo, hi; /* payload octets */
	bool silent;     /* the host answers nothing */
};

enum syn_style {
	SYN_TOOL,  /* hping: window 512, no options, sequence random, three sending machines */
	SYN_LINUX, /* what a Linux client sends, to the last option */
	SYN_MIRAI  /* window 0, mss,sok,ts,nop,ws=6; MSS and timestamp fixed per bot */
};

enum tcp_style {
	TCP_TOOL,     /* window 512, no options */
	TCP_BOT,      /* random window, random octets */
	TCP_DISGUISED /* timestamps, a likely window and what looks like TLS: a session that never was */
};

enum udp_style {
	UDP_MIRAI, /* random octets, random ports */
	UDP_VSE,   /* the query of a Source game server */
	UDP_NOISE  /* random octets, one source port per bot */
};

void flood_syn(struct world *w, const struct flood *f, enum syn_style style);
/* Any flags, no state. */
void flood_tcp(struct world *w, const struct flood *f, uint8_t flags, enum tcp_style style);
void flood_syn_ack(struct world *w, const struct flood *f);
void flood_middlebox(struct world *w, const struct flood *f);
void flood_udp(struct world *w, const struct flood *f, enum udp_style style);
void flood_fragments(struct world *w, const struct flood *f);
void flood_echo(struct world *w, const struct flood *f);
void flood_gre(struct world *w, const struct flood *f);
void flood_dns_query(struct world *w, const struct flood *f);
void flood_connections(struct world *w, const struct flood *f);

#endif
