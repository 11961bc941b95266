/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of one scenario: a platform with its addresses, its clients, the attackers, and the truth about what
 * happens to it. A frame enters the world's trace only through world_frame, which keeps what lies inside the scenario's
 * time and, with one_way, only what goes to the platform.
 *
 * Addresses: whatever is attacked, and every normal client, lies in space set aside for documentation and benchmarks
 * (RFC 5737, RFC 2544, RFC 3849). Attackers may have any public address: nothing is ever sent.
 */
#ifndef SYNTH_WORLD_H
#define SYNTH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rng.h"
#include "trace.h"
#include "wrap.h"

#define VECTORS_MAX 10
#define WAVES_MAX 16
#define SERVERS_MAX 16

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* 2025-06-01T10:00:00Z: a fixed day, so that the same seed gives the same file. */
#define WORLD_EPOCH_S INT64_C(1748772000)

enum dir { DIR_IN, DIR_OUT };

struct addr {
	uint8_t b[16]; /* network order; v4 uses the first four */
	bool v6;
};

struct span {
	int64_t from_ns, to_ns;
};

/* What an honest analysis should find. */
struct truth {
	const char *expect;      /* incident, scan, none */
	const char *source_kind; /* spoofed, bots, reflectors, mixed; NULL where nobody attacks */
	const char *family;      /* tool family or NULL */
	int spoofed;             /* 1, 0, -1 for null */
	bool rule_possible;
	const char *vectors[VECTORS_MAX];
	size_t n_vectors;
	struct span waves[WAVES_MAX]; /* as planned; what is written is cut to the first and last attack packet */
	size_t n_waves;
	struct addr *sources; /* of every attack packet, with repeats */
	size_t n_sources, cap_sources;
};

struct world {
	struct trace trace;
	uint64_t seed, streams;
	uint32_t scale_pc;
	bool v6, one_way;
	uint16_t vlan; /* 0: untagged */
	enum wrap wrap;
	int64_t end_ns;
	struct addr target;
	unsigned int target_bits;
	struct addr servers[SERVERS_MAX]; /* those that normal clients use; the first is the main one */
	size_t n_servers;
	struct addr server6; /* the platform's other family, so that no capture is of one family only */
	struct truth truth;
};

/* Puts the platform's addresses; which of the documentation prefixes depends on pick. */
void world_init(struct world *w, uint64_t seed, uint32_t scale_pc, bool v6, unsigned int pick);
void world_fini(struct world *w);

/* A stream of random numbers of its own, so that one generator does not shift another. */
struct rng world_rng(struct world *w);
/* Names an attack vector; returns its label. */
char world_vector(struct world *w, const char *name);
void world_wave(struct world *w, int64_t from_ns, int64_t to_ns);
/* A rate per second at the scenario's scale, at least 1, as the mean distance between two events. */
int64_t world_gap(const struct world *w, uint64_t per_s);
bool world_targets(const struct world *w, const struct addr *a);

/* src is noted as an attack's source if label is a vector's. */
void world_frame(struct world *w, int64_t t_ns, enum dir dir, char label, const struct addr *src,
                 const struct addr *dst, const uint8_t *frame, size_t len);

/* Host number host of the platform (1..65535): target prefix plus host. */
struct addr world_host(const struct world *w, uint32_t host);
/* A random normal client, never of the platform's own networks. */
struct addr world_client(struct world *w, struct rng *r);
struct addr world_client6(struct rng *r);
/* A fixed outside service the platform uses (resolver, time server), number n. */
struct addr world_service(const struct world *w, unsigned int n);
/* A random public address, never reserved or documentation space. */
struct addr world_public(struct world *w, struct rng *r);
/* One of the servers: mostly the first if the target is one host, any if it is a prefix. */
struct addr world_server(struct world *w, struct rng *r);

/* JSON, of a trace that is settled: times are what the file has. 0 or -errno. */
int world_write_truth(struct world *w, const char *scenario, const char *path);

#endif
