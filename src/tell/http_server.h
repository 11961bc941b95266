/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one HTTP server, over libmicrohttpd: HTTP/1.1 for strangers (public) and for operators (console). One listener,
 * one thread, the caller's: it polls http_server_fd() for reading, at most http_server_timeout_ms() long, and calls
 * http_server_run(). For each request, whole, `handle` is called once, and answers at once. No connection has a thread.
 *
 * A stranger may not cost more than this: so many connections, of one address (an IPv4 address, an IPv6 /64); so many
 * octets of a header, of a body; so long for a request to arrive, for its answer to be taken, and without any octet.
 * Each bound that was hit is counted. A peer in a prefix of `proxies` is a proxy: it has no bound of its own, and who
 * asks is the last address of X-Forwarded-For that is no proxy.
 */
#ifndef HOLDFAST_TELL_HTTP_SERVER_H
#define HOLDFAST_TELL_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"

#define HTTP_SERVER_CONNECTIONS_MAX 4096
#define HTTP_SERVER_HEADER_MIN 2048 /* octets of a request's line and header */
#define HTTP_SERVER_HEADER_MAX 32768
#define HTTP_SERVER_BODY_MAX (1024 * 1024)
#define HTTP_SERVER_REPLY_FIELDS_MAX 16
#define HTTP_SERVER_FORWARDED_MAX 16 /* addresses of X-Forwarded-For that are looked at, from its end */
#define HTTP_SERVER_RATE_MIN \
	(8 * 1024)                /* octets a second: slower than that nobody may take an answer, after answer_ms */
#define HTTP_SERVER_EVICT_MS 1000 /* where all connections are taken, one that has asked nothing for so long goes */

struct http_server; /* opaque */
struct http_page;   /* opaque: an answer that was made once, to be given often */

enum http_server_method {
	HTTP_SERVER_GET,
	HTTP_SERVER_HEAD,
	HTTP_SERVER_POST,
	HTTP_SERVER_OPTIONS,
	HTTP_SERVER_OTHER, /* PUT, DELETE, …: mostly 405 */
	HTTP_SERVER_METHODS
};

/* All that is in it is valid until `handle` returns. */
struct http_server_request {
	enum http_server_method method;
	const char *path; /* percent-decoded, begins with '/'; may hold "..", control octets, what is no UTF-8 */
	const char *body; /* NUL follows, which is not counted; "" where there is none */
	size_t body_length;
	struct address peer; /* who asks: behind a proxy, whom that names */
	bool secure;         /* by TLS, of this server */
	void *inside;
};

struct http_server_field {
	const char *name, *value;
};

/*
 * What `handle` fills: zeroed before. Either `page`, or status, type and body, which is copied. A HEAD is answered as a
 * GET: what has to be left out, the server leaves out. Fields are beside Content-Type, Content-Length, Date,
 * Connection.
 */
struct http_server_reply {
	const struct http_page *page;
	unsigned status;  /* enum http_status; 0: HTTP_STATUS_INTERNAL_ERROR */
	const char *type; /* NULL: none */
	const void *body;
	size_t body_length;
	struct http_server_field
		fields[HTTP_SERVER_REPLY_FIELDS_MAX]; /* valid until `handle` returns; further ones are refused */
	unsigned fields_count;
	bool close; /* the connection, behind the answer; of a page it stays open */
};

/* Each of what could be counted and had a bound; X(name, what it says) makes a table of it. */
#define HTTP_SERVER_COUNTERS(X)                                                                  \
	X(connections, "connections taken")                                                      \
	X(requests, "requests answered")                                                         \
	X(refused_full, "connections refused: all were taken")                                   \
	X(refused_address, "connections refused: too many of one address")                       \
	X(evicted, "connections ended that asked nothing while all were taken")                  \
	X(slow_requests, "connections ended whose request took too long to arrive")              \
	X(slow_answers, "connections ended that took an answer too slowly")                      \
	X(headers_refused, "requests without a whole header: malformed, too large, or given up") \
	X(bodies_refused, "requests refused: their body was too large")                          \
	X(forwarded_refused, "requests through a proxy that named nobody")                       \
	X(failed, "requests that no answer could be made for")

struct http_server_counts {
#define X(name, says) uint64_t name;
	HTTP_SERVER_COUNTERS(X)
#undef X
	uint64_t open; /* connections at this moment */
};

/* How a connection fares in time is by a clock of the caller's: milliseconds that only grow. */
struct http_server_options {
	int listener;         /* a listening socket, not blocking: it becomes the server's */
	unsigned connections; /* 1 to HTTP_SERVER_CONNECTIONS_MAX */
	unsigned per_address; /* 1 to connections */
	size_t header_octets; /* HTTP_SERVER_HEADER_MIN to _MAX */
	size_t body_octets;   /* to HTTP_SERVER_BODY_MAX */
	unsigned request_ms;  /* from a connection, or the answer before, to the request's last octet */
	unsigned answer_ms;   /* for an answer, and its octets by HTTP_SERVER_RATE_MIN on top */
	unsigned idle_s;      /* without an octet */
	const struct prefix *proxies;
	size_t proxies_count;          /* copied */
	const char *certificate, *key; /* PEM, a chain in order; both NULL: plain HTTP. Copied */
	uint64_t seed;                 /* of the table of addresses: random, secret */
	int64_t (*now_ms)(void *context);
	void (*handle)(void *context, const struct http_server_request *request, struct http_server_reply *reply);
	void *context;
};

/* ---- where it listens (http_listen.c) ---- */

/* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:80": what it says. 0 or -EINVAL. */
int http_server_address(const char *text, struct address *address, uint16_t *port);
/* The same text: a socket that listens. 0; -EINVAL: no such text; -errno. */
int http_server_listen(const char *text, int *listener);

/* ---- the server ---- */

/*
 * -EINVAL: a bound is none, certificate and key do not go together, or the library does not begin with them; -ENOMEM;
 * the listener stays the caller's then.
 */
int http_server_new(const struct http_server_options *options, struct http_server **server);
void http_server_free(struct http_server *server);
/* To be polled for reading. */
int http_server_fd(const struct http_server *server);
/* How long at most until http_server_run() has something to do: 0 to 1,000. */
int http_server_timeout_ms(struct http_server *server);
/* Does what can be done without waiting. 0 or -errno. */
int http_server_run(struct http_server *server);
struct http_server_counts http_server_counts(const struct http_server *server);

/* A field of the request's header, NULL where there is none; of several the first. Letters' case does not count. */
const char *http_server_header(const struct http_server_request *request, const char *name);
/* A value of the query, decoded; NULL where there is none. */
const char *http_server_query(const struct http_server_request *request, const char *name);
const char *http_server_method_name(enum http_server_method method);
/* "Name: value" behind the others; where there is no room, it is left out. */
void http_server_add_field(struct http_server_reply *reply, const char *name, const char *value);

/*
 * `body` is copied; `status` is one of enum http_status, `type` and fields are as in a reply. 0 or -ENOMEM. It may be
 * freed while it is still being sent.
 */
int http_page_new(unsigned status, const char *type, const void *body, size_t length,
                  const struct http_server_field *fields, size_t fields_count, struct http_page **page);
void http_page_free(struct http_page *page);

#endif
