/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what a server gets a flood of requests, or connections that keep it waiting? No rate alone is evidence: a flash
 * crowd, a crawler and a load test are as fast. What counts is what requests have in common that people and their
 * programs do not: parameter names that never repeat; one target asked for again and again by each of many clients in
 * one header order; requests that no browser makes; and, where they are fewer, that the server fails or that there were
 * hardly any before.
 */
#ifndef HOLDFAST_DETECT_HTTP_H
#define HOLDFAST_DETECT_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/http.h"
#include "observe/observation.h"

#define HTTP_FACT_SIZE 160
#define HTTP_FACTS_MAX 4

/* What the requests of a flood share. */
enum http_likeness {
	HTTP_UNLIKE,
	HTTP_RANDOM_NAMES,  /* one path, the query's parameter names always others */
	HTTP_ONE_TARGET,    /* one target */
	HTTP_RANDOM_VALUES, /* one path, the query always another */
};

/* How a flood's requests are told from others to the same server. */
struct http_mark {
	enum http_likeness likeness;
	uint32_t value; /* hash of the target or path */
	uint32_t order; /* of the header names; 0 where they do not share it */
	bool plain;     /* no header at all, or spelt as no browser does */
};

/* What is known of an attack beside its packets, for people. Zeroed for what is no attack over HTTP. */
struct http_facts {
	struct http_mark mark;
	uint64_t requests, clients; /* when it was noticed: in so many seconds … */
	uint32_t seconds;
	uint64_t distinct;           /* targets or names among them */
	bool failing;                /* less than half were answered in time, or half refused */
	uint32_t times;              /* what was usual before; 0 where that is not known */
	uint32_t held, held_clients; /* slow: connections at once, at most */
	enum http_state held_by;     /* … and what they do */
};

/*
 * A server's two generations as one: room for http_flood_find(), large, and the caller's so that want of memory cannot
 * hide a flood.
 */
struct http_lately {
	struct http_generation all;
	uint64_t clients, targets, names;
	uint64_t slots; /* that it covers */
};

/* Whether a request has what the attack's have in common. */
bool http_mark_holds(const struct http_mark *mark, const struct observation *observation);

/*
 * Is there a flood on this server at `slot`? Then *facts says what it shares, and *from_slot where it began. `final`:
 * nothing more will be answered.
 */
bool http_flood_find(const struct http_server *server, int64_t slot, bool final, struct http_lately *room,
                     struct http_facts *facts, int64_t *from_slot);
/* Do connections keep it waiting, as of the last sweep? */
bool http_slow_find(const struct http_server *server, struct http_facts *facts, int64_t *from_slot);

/* Sentences; returns how many. */
unsigned http_facts_tell(const struct http_facts *facts, char lines[HTTP_FACTS_MAX][HTTP_FACT_SIZE]);

#endif
