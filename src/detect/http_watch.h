/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks over HTTP, from the packets of conversations that speak it. Holds what measure/http.h counts, the latest
 * requests, so that an incident has its beginning, and what tells the packets of each attack from others to the same
 * server.
 *
 * A flood's packets are its requests; those of connections that keep a server waiting are what they send while they do.
 */
#ifndef HOLDFAST_DETECT_HTTP_WATCH_H
#define HOLDFAST_DETECT_HTTP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/detector.h"
#include "observe/observation.h"

#define HTTP_WATCH_RECENT 8192 /* the latest requests and pieces of requests */
#define HTTP_WATCH_CASES 64    /* attacks under way; more are not begun */

struct http_watch; /* opaque */

struct http_watch_counters {
	uint64_t pushed_out; /* connections and servers that made room for others */
	uint64_t refused; /* servers whose requests could not be counted in detail, attacks beyond HTTP_WATCH_CASES */
};

/* `seed` is the one that keys are made with. */
struct http_watch *http_watch_new(uint64_t seed);
void http_watch_free(struct http_watch *watch);
/* The clock has jumped: all is forgotten. */
void http_watch_clear(struct http_watch *watch);

/* A TCP packet of a conversation that speaks HTTP, in either direction. True where it became part of an incident. */
bool http_watch_observe(struct http_watch *watch, struct detector *detector, const struct observation *observation,
                        const struct keys *keys, int64_t slot);
/* The present slot has moved on to this one. */
void http_watch_tick(struct http_watch *watch, struct detector *detector, int64_t slot);
struct http_watch_counters http_watch_counters(const struct http_watch *watch);
/* The input has ended. Before detector_finish(). */
void http_watch_finish(struct http_watch *watch, struct detector *detector, struct capture_time last);

#endif
