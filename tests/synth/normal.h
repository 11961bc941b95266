/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a platform's traffic is on a day without an attack, in both directions. Each function writes one kind of it over
 * a span of time with Poisson arrivals; rates are per second at scale 100 and change linearly from from_rate to
 * to_rate.
 */
#ifndef SYNTH_NORMAL_H
#define SYNTH_NORMAL_H

#include "tcp.h"

struct load {
	int64_t from_ns, to_ns;
	uint32_t from_rate, to_rate; /* thousandths per second */
};

/* When the next event of a load comes after t; to_ns or later: none. */
int64_t load_next(const struct world *w, struct rng *r, const struct load *l, int64_t t);

/* Web sessions; faithful: no client vanishes (a flash crowd is judged by that). */
void normal_web(struct world *w, struct load l, bool faithful);
/* The platform's own calls to services outside: their SYN-ACKs come in. */
void normal_outbound(struct world *w, struct load l);
void normal_dns_served(struct world *w, struct load l);
/* The platform's own questions to its resolvers. */
void normal_dns_asked(struct world *w, struct load l);
void normal_ntp(struct world *w, struct load l);
void normal_quic(struct world *w, struct load l);
void normal_echo(struct world *w, struct load l);
void normal_call(struct world *w, int64_t from_ns, int64_t to_ns, bool signalled);
void normal_ssh(struct world *w, int64_t from_ns, int64_t to_ns);
/* A client takes (or, upload, brings) so many octets with at most cwnd segments in flight. */
void normal_transfer(struct world *w, int64_t from_ns, uint64_t octets, bool upload, uint32_t cwnd);
/* The platform fetches from outside. */
void normal_fetch(struct world *w, int64_t from_ns, uint64_t octets, uint32_t cwnd);
/* All of it: some 430 packets a second towards the platform at 100 percent, from t = 0 to the end. */
void normal_mix(struct world *w, uint32_t percent);
/* The same, its rates changing over the whole time. */
void normal_mix_changing(struct world *w, uint32_t from_percent, uint32_t to_percent);

/* One host asks, the other answers. */
struct udp_pair {
	struct addr far, near;
	uint16_t far_port, near_port;
	uint8_t far_ttl;
	uint16_t far_id, near_id;
};

void normal_udp(struct world *w, struct udp_pair *u, int64_t t, enum dir dir, const uint8_t *data, size_t len);

/* A DNS question for label.zone; opt adds EDNS0. Returns the length. */
size_t normal_dns_question(uint8_t *out, uint16_t id, const char *label, const char *zone, uint16_t type, bool opt);

#endif
