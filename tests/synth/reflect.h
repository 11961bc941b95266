/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that nobody asked for: the protocols that are abused for reflection, one row each, with payloads as the real
 * services send them at least in their first octets, their sizes and their ports.
 */
#ifndef SYNTH_REFLECT_H
#define SYNTH_REFLECT_H

#include "packet.h"

#define REFLECT_PAYLOAD_MAX 4096u

struct reflect_proto {
	const char *vector;
	uint16_t port;     /* source port; 0: any high one, its own for each reflector */
	uint16_t port_too; /* some reflectors use this one; 0: none do */
	uint16_t lo, hi;   /* payload octets; over the MTU means fragments */
	uint32_t reflectors;
	uint32_t pps;
	uint32_t burst; /* answers to one request */
	size_t (*build)(struct rng *r, uint32_t key, uint8_t *out, size_t want);
	const char *help;
};

/* A machine that takes part: a reflector or a bot. */
struct machine {
	struct addr addr;
	uint8_t ttl;
	bool df, big_endian;
	uint16_t id, port, mss;
	uint32_t tsval;
	struct addr inner;
	uint16_t size;
};

struct pool {
	struct machine *m;
	uint32_t n;
};

enum pool_kind {
	POOL_ANYWHERE,  /* scattered over the routable space, in clusters as real networks are */
	POOL_AS_CLIENTS /* in the space of the normal clients: no prefix tells them apart */
};

/* 0 or -ENOMEM (which also sticks to the world's trace). */
int pool_make(struct world *w, struct rng *r, struct pool *p, uint32_t n, enum pool_kind kind);
void pool_free(struct pool *p);

struct reflection {
	const struct reflect_proto *proto;
	const struct pool *pool;
	char label;
	int64_t from_ns, to_ns;
	uint32_t pps;    /* of frames, at scale 100 */
	uint16_t lo, hi; /* payload; 0: the row's */
	struct addr dst;
	uint16_t dport; /* 0: random for each packet */
};

size_t reflect_count(void);
const struct reflect_proto *reflect_row(size_t i);
const struct reflect_proto *reflect_find(const char *vector);
void reflect_write(struct world *w, const struct reflection *a);

#endif
