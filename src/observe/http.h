/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a packet that begins an HTTP/1.x request says in clear text (RFC 9112), in a few numbers: enough to tell
 * requests that share one target, one header order or random queries, and whether the header block ends in this packet.
 * Nothing of the text is kept.
 *
 * Hashes are FNV-1a (Fowler, Noll, Vo), 64 bits folded to 32: unkeyed, so that they are the same everywhere. Who builds
 * collisions makes requests look alike that are not, which is no gain.
 */
#ifndef HOLDFAST_OBSERVE_HTTP_H
#define HOLDFAST_OBSERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADERS_MAX 32 /* header lines whose names count for the order; more are passed over */
#define HTTP_NAME_MAX 24    /* a longer name of a query's parameter is a value that happens to hold a '=' */
#define HTTP_LENGTH_MAX UINT32_MAX

/* clang-format off */
enum http_method {
	HTTP_NONE, HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER,
};
/* clang-format on */

/* Properties: struct http.flags */
enum {
	HTTP_ENDED = 1u << 0,   /* the header block ends in this packet */
	HTTP_CUT = 1u << 1,     /* the capture kept less than the packet had: where the block ends is not known */
	HTTP_QUERY = 1u << 2,   /* the target has a query … */
	HTTP_NAMED = 1u << 3,   /* … that begins with name=value, the name a short word */
	HTTP_LENGTH = 1u << 4,  /* Content-Length: length */
	HTTP_CHUNKED = 1u << 5, /* Transfer-Encoding: chunked: the body's length is not told before */
	HTTP_DOUBLED = 1u << 6, /* two spaces behind the name of the first header */
};

struct http {
	uint32_t target; /* hash of path and query */
	uint32_t path;   /* hash of the path alone */
	uint32_t names;  /* hash of the query's parameter names; HTTP_NAMED */
	uint32_t order;  /* hash of the header names in their order, as spelt; 0 where there is none */
	uint32_t length; /* HTTP_LENGTH; at most HTTP_LENGTH_MAX */
	uint16_t body;   /* octets behind the header block in this packet */
	uint8_t method;  /* enum http_method */
	uint8_t headers; /* header lines, whole ones, at most HTTP_HEADERS_MAX */
	uint8_t flags;
	uint8_t zero[3]; /* so that no octet of an observation is left to chance */
};

/*
 * Reads `kept` octets of a TCP payload of `whole`. True, with *http written, where they begin a request; a request line
 * that the packet does not end is believed as far as it goes.
 */
bool http_read(const uint8_t *payload, size_t kept, size_t whole, struct http *http);

/*
 * Whether these octets, the end of what a client says, end a header block: an empty line behind another line, or alone.
 */
bool http_ends_block(const uint8_t *payload, size_t length);

/* The status of a response that begins here, 0 where none does. */
unsigned http_status(const uint8_t *payload, size_t kept);

/* The hash that struct http's `order` has for these header names, each ended by a line feed: "Host\nAccept\n". */
uint32_t http_order_of(const char *names);

#endif
