/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP conversations as a capture beside the platform sees them. A conn has two sides, 0 the client and 1 the server;
 * one of them is the platform. delay_ns[s] is the time from seeing something go to side s until seeing its answer:
 * tens of microseconds for the platform, a round trip for the other.
 *
 * Times given and returned are those of the capture. Each function returns when the last of its packets was seen, so a
 * conversation is written as t = f(…, t).
 */
#ifndef SYNTH_TCP_H
#define SYNTH_TCP_H

#include "packet.h"

#define TCP_OPT_MAX 40u

enum tcp_layout { LAYOUT_UNIX, LAYOUT_WINDOWS, LAYOUT_APPLE, LAYOUT_MSS };

/* How an operating system's SYN looks. */
struct tcp_os {
	uint8_t ttl;
	uint16_t window;
	enum tcp_layout layout;
	uint8_t wscale;
	bool timestamps;
	bool id_zero;
	unsigned int weight;
};

struct tcp_side {
	struct addr addr;
	uint16_t port;
	uint8_t ttl;
	uint16_t id;
	bool id_zero;
	uint32_t seq; /* next to be sent */
	uint32_t ts0;
	uint16_t window; /* about what it offers */
	uint16_t window_now;
	uint32_t acked; /* what it acknowledged last: its window changes with that */
	int64_t delay_ns;
	enum dir dir;
};

enum tcp_content { CONTENT_TLS, CONTENT_TEXT, CONTENT_RANDOM };

struct conn {
	struct world *w;
	struct rng *r;
	struct tcp_side side[2];
	const struct tcp_os *os;
	uint16_t mss;
	bool timestamps;
	char label;
	uint32_t cwnd_max; /* segments in flight at most */
	int64_t gap_ns;    /* between two segments of a burst */
	uint32_t loss;     /* one segment in so many is lost behind the capture; 0: none */
};

const struct tcp_os *tcp_os_pick(struct rng *r);
/* Linux as most servers and many bots run it. */
const struct tcp_os *tcp_os_linux(void);
size_t tcp_syn_options(uint8_t out[TCP_OPT_MAX], enum tcp_layout layout, uint16_t mss, uint8_t wscale, uint32_t tsval,
                       uint32_t tsecr);
uint16_t tcp_mss_pick(struct rng *r, bool v6);

/* A client outside towards the platform, or (outbound) the platform as client of somebody outside. */
void conn_init(struct conn *c, struct world *w, struct rng *r, const struct addr *client, const struct addr *server,
               uint16_t server_port, bool outbound, char label);
int64_t conn_segment(struct conn *c, int from, int64_t t, uint8_t flags, const uint8_t *data, size_t len);
void conn_syn(struct conn *c, int64_t t);
void conn_syn_ack(struct conn *c, int64_t t);
int64_t conn_open(struct conn *c, int64_t t);
/* A small message in segments, acknowledged; returns when the acknowledgement was seen. */
int64_t conn_say(struct conn *c, int from, int64_t t, const uint8_t *data, size_t len);
/* So much content in bursts growing to cwnd_max, acknowledged every second segment, with losses repaired. */
int64_t conn_flow(struct conn *c, int from, int64_t t, uint64_t total, enum tcp_content content);
int64_t conn_close(struct conn *c, int first, int64_t t);
void conn_reset(struct conn *c, int from, int64_t t);
/* Makes it look long established, without a handshake in the capture. */
void conn_midstream(struct conn *c);

#endif
