/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.x as a bystander sees it: connections that carry requests, and the servers (address and port) that get them.
 *
 * Of each connection: is its request whole (the header block ended, the body as long as announced), was it answered,
 * and does the client take the answer? An answer shows in the client's own acknowledgement, so that one direction is
 * enough. Of each server: requests per 100 ms and per second, how many were answered or refused, and over ten seconds
 * and the ten before how many clients, targets and parameter names there were, and which clients, targets, paths and
 * header orders were the most frequent.
 *
 * Held is a connection that keeps a server waiting: its request unfinished for HTTP_HELD_SLOTS though it sent hardly
 * anything, or its answer not taken. Servers where many requests are unfinished are swept once a second.
 *
 * Bounded: see below; who makes room is the longest silent, and that is counted. A server gets its ten seconds of
 * detail with its HTTP_PROMOTE-th request in a short time; what came before is in its counts only.
 */
#ifndef HOLDFAST_MEASURE_HTTP_H
#define HOLDFAST_MEASURE_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hll.h"
#include "base/topk.h"
#include "measure/keys.h"
#include "observe/observation.h"

#define HTTP_CONNECTION_BITS 16 /* 65,536 connections, 56 octets each */
#define HTTP_SERVER_BITS 11     /* 2,048 servers, small */
#define HTTP_DETAILS_MAX 128    /* of them with detail, 62 KiB each */
#define HTTP_PROMOTE 16         /* requests within HTTP_PROMOTE_SLOTS that make a server worth its detail */
#define HTTP_PROMOTE_SLOTS 100
#define HTTP_IDLE_SLOTS 3000 /* of silence end a connection: five minutes */
#define HTTP_SLOTS 64        /* 6.4 s of 100 ms */
#define HTTP_SECONDS 64
#define HTTP_GENERATION_SLOTS 100
#define HTTP_LEARN_DELAY 10 /* seconds old before it is learned: an attack being noticed is not yet usual */
#define HTTP_LEARN_MAX 600
#define HTTP_HELD_SLOTS 80    /* an unfinished request that old keeps the server waiting … */
#define HTTP_HELD_RATE 100    /* … unless so many octets a second came of it */
#define HTTP_SWEEP_FROM 20    /* unfinished requests at once that make a server worth a sweep, and its detail */
#define HTTP_PIECE_SMALL 256  /* octets in a piece that a body is fed slowly with, at most */
#define HTTP_CHUNK_SMALL 32   /* … in chunks, whose end is then among the octets that are kept */
#define HTTP_WINDOW_STARVED 4 /* a window so small is hardly one, whatever its scale */

/* What is told of a request's connection; struct http_connection.state */
enum http_state {
	HTTP_WHOLE,   /* the request is complete, or nobody can know */
	HTTP_HEADER,  /* its header block has not ended */
	HTTP_BODY,    /* its body is shorter than it said */
	HTTP_DRIBBLE, /* its body comes in chunks, so far only a few octets at a time, and the last has not come */
	HTTP_STARVED, /* its answer has begun and the client does not take it */
	HTTP_STATES,
};

struct http_connection {
	uint64_t identity;       /* keys.flow */
	uint32_t server, serial; /* place in the table, and of what server it was when noted */
	uint32_t client;         /* hash */
	uint32_t began_slot;     /* of the present request, or of its client's starving */
	uint32_t last_slot;
	uint32_t next_seq;
	uint32_t ack;       /* the client's when it asked, or began to starve */
	uint32_t body_left; /* HTTP_BODY */
	uint32_t octets;    /* of the request behind its first packet; of the answer since the client starves */
	uint16_t pieces;    /* packets of the request behind its first that brought a little */
	uint8_t state;      /* enum http_state */
	uint8_t pending;    /* requests that no answer was seen to, saturating */
	bool client_low;    /* the client is the end that sorts first: keys.sender_low */
	uint32_t counted;   /* in which of its server's generations it last was, in 31 bits, the highest set; 0 none */
};

struct http_slot {
	uint32_t requests;
	uint32_t answered; /* of these, by now */
	uint32_t refused;  /* of these, with a status that says too much or broken (408, 429, 5xx) */
	uint32_t fresh;    /* of these, first of their connection */
};

struct http_counts {
	uint64_t requests, answered, refused, fresh;
};

/* What the requests of ten seconds have in common. */
struct http_generation {
	uint64_t requests;
	uint64_t named;       /* with a query of name=value */
	uint64_t gets;        /* GET and HEAD */
	uint64_t connections; /* that brought them */
	uint64_t plain; /* without any header though the block has ended, or with doubled spaces: as no browser asks */
	struct hll clients, targets, names;
	struct topk top_clients, top_targets, top_paths, top_orders;
};

/* Connections that keep a server waiting, when last swept. */
struct http_held {
	uint32_t count[HTTP_STATES]; /* by state */
	uint32_t fed;                /* of HTTP_BODY, those whose pieces were small and at least two */
	uint32_t clients[HTTP_STATES];
	int64_t since_slot[HTTP_STATES]; /* the oldest began */
	int64_t slot;                    /* when */
};

struct http_detail {
	struct http_slot slots[HTTP_SLOTS];
	struct http_slot seconds[HTTP_SECONDS];
	struct http_generation generations[2]; /* the present one and the one before */
	int64_t generation;
	uint64_t learned_requests;
	uint32_t learned_seconds;
	struct http_held held;
};

struct http_server {
	uint64_t identity; /* 0 = free */
	struct address address;
	uint16_t port;
	uint32_t serial;
	int64_t first_slot;
	int64_t last_slot;    /* up to where its rings were brought, by whoever asked */
	int64_t latest_slot;  /* of a packet of a client's: since then it is silent */
	int64_t counted_slot; /* HTTP_PROMOTE: requests counted from here */
	uint32_t counted;
	uint32_t open;              /* connections in another state than HTTP_WHOLE */
	struct http_detail *detail; /* NULL until promoted */
	/* For whoever decides: */
	int64_t assessed_slot;
	uint32_t assess_at;
	bool frozen; /* under attack: what is usual is not learned */
};

struct http_view {
	struct http_server *server; /* NULL: no packet of a client that asked, and nothing below holds */
	struct http_connection *connection;
	bool request; /* begins one */
	bool piece; /* goes on with one that is unfinished, or does so by saying that it takes no more of its answer */
};

struct http_counters {
	uint64_t connections_pushed_out, servers_pushed_out, details_refused;
	uint64_t searches; /* of all servers, for one that gives its detail up */
};

struct http_table; /* opaque */

/* NULL where there is no memory. `seed` keys its hashes. */
struct http_table *http_table_new(uint64_t seed);
void http_table_free(struct http_table *table);
void http_table_clear(struct http_table *table);

/*
 * A TCP packet of a conversation that is engaged, and carries or carried a request (else nothing comes of it). `slot`
 * counts 100 ms and never goes back.
 */
struct http_view http_table_update(struct http_table *table, const struct observation *observation,
                                   const struct keys *keys, int64_t slot);

/*
 * Looks at all connections, where a second has passed since it last did (or at once) and a server has HTTP_SWEEP_FROM
 * unfinished requests; true if so. Then the held counts of those servers are new.
 */
bool http_table_sweep(struct http_table *table, int64_t slot, bool at_once);

/* Does it keep its server waiting? */
bool http_connection_held(const struct http_connection *connection, int64_t slot);
/* The connection of a packet, NULL where it is not known (any more). */
struct http_connection *http_table_find(struct http_table *table, const struct keys *keys);

/* All servers, in a fixed order: those in use have an identity. */
uint32_t http_table_count(void);
struct http_server *http_table_at(struct http_table *table, uint32_t index);
const struct http_counters *http_table_counters(const struct http_table *table);

/* The server's rings brought up to `slot`; it must have detail. */
void http_server_advance(struct http_server *server, int64_t slot);
/* Sums slots [from, to]; what is older than the ring is taken from the seconds, rounded to whole ones. */
struct http_counts http_server_sum(const struct http_server *server, int64_t from, int64_t to);

#endif
