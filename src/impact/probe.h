/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of a service from outside: what is checked, what a check came to, when the next one is due, and what is
 * counted of them. Pure; whoever looks at the network is tell/checker.h.
 *
 * A target is a URL:
 *
 *     http://HOST[:PORT][/PATH]  https://…      a request (GET), and what is answered
 *     tcp://HOST:PORT                           a connection
 *     tls://HOST[:PORT]                         a connection and its certificate; 443 where no port is said
 *     dns://NAME  dns://RESOLVER[:PORT]/NAME    a look-up of a name's addresses, by the system's resolvers or by that one
 *
 * Each address that a name has is checked. One that this host has no way to (IPv6 where there is none) says nothing of
 * the target, and is not counted.
 */
#ifndef HOLDFAST_IMPACT_PROBE_H
#define HOLDFAST_IMPACT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "impact/count.h"

#define PROBE_TARGET_SIZE 512
#define PROBE_HOST_SIZE 254 /* a name's length by RFC 1035, NUL-terminated */
#define PROBE_URL_SIZE (PROBE_TARGET_SIZE + PROBE_HOST_SIZE + 32)
#define PROBE_NAME_SIZE 33
#define PROBE_TEXT_SIZE 128
#define PROBE_ADDRESSES_MAX 16 /* of a name; further ones are counted */
#define PROBE_CHECKS_MAX 64
#define PROBE_CANARIES_MAX 8
#define PROBE_REDIRECTS_MAX 5
#define PROBE_TIMEOUT_MS 10000   /* where nothing else is said, of all of a check */
#define PROBE_TIMEOUT_MS_MIN 100 /* … and its bounds */
#define PROBE_TIMEOUT_MS_MAX 60000
#define PROBE_EVERY_NS (60 * NS_PER_S)

enum probe_type { PROBE_HTTP, PROBE_TCP, PROBE_TLS, PROBE_DNS, PROBE_TYPES };

struct probe_target {
	enum probe_type type;
	bool tls;                       /* https */
	uint16_t port;                  /* of all but DNS */
	char host[PROBE_HOST_SIZE];     /* a name, or an address without brackets */
	char path[PROBE_TARGET_SIZE];   /* of HTTP, with its '/' and what is behind '?' */
	char resolver[PROBE_HOST_SIZE]; /* an address that is asked for names; "": the system's are */
	uint16_t resolver_port;
};

/* What a check comes to. Words are stable; `here`: it says nothing of the target. */
enum probe_reason {
	PROBE_OK,
	PROBE_NO_NAME,
	PROBE_NO_ADDRESS,
	PROBE_RESOLVER_TIMEOUT,
	PROBE_RESOLVER_FAILED,
	PROBE_CONNECT_REFUSED,
	PROBE_CONNECT_TIMEOUT,
	PROBE_CONNECT_UNREACHABLE,
	PROBE_CONNECT_FAILED,
	PROBE_NO_ROUTE,
	PROBE_TLS_TIMEOUT,
	PROBE_TLS_FAILED,
	PROBE_CERTIFICATE_EXPIRED,
	PROBE_CERTIFICATE_EARLY,
	PROBE_CERTIFICATE_UNTRUSTED,
	PROBE_CERTIFICATE_NAME,
	PROBE_REPLY_TIMEOUT,
	PROBE_REPLY_CLOSED,
	PROBE_REPLY_MALFORMED,
	PROBE_REPLY_TOO_LARGE,
	PROBE_STATUS,
	PROBE_TEXT_MISSING,
	PROBE_REDIRECT_LOOP,
	PROBE_REDIRECTS_MANY,
	PROBE_REDIRECT_REFUSED,
	PROBE_NOT_CHECKED,
	PROBE_REASONS
};

struct probe_check {
	char name[PROBE_NAME_SIZE];        /* as a component's */
	char component[COMPONENT_ID_SIZE]; /* "" of a canary, and of what is typed */
	char text[PROBE_TARGET_SIZE];      /* the target as it was written */
	struct probe_target target;
	uint32_t timeout_ms;
	uint32_t expect_status;            /* 0: 200 to 299 */
	char expect_text[PROBE_TEXT_SIZE]; /* in what is answered; of DNS, an address; "": any */
};

/* Microseconds, each phase for itself; what was not reached is 0. Over redirects they add up. */
struct probe_address {
	struct address address;
	enum probe_reason reason;
	uint32_t connect_us, tls_us, first_us, total_us; /* first: from when it could be asked to the first octet */
	uint32_t status;                                 /* of HTTP; 0: none */
	uint32_t redirects;
	uint64_t octets;        /* of the body, as far as it was read */
	int64_t cert_expires_s; /* the earliest of the certificates that were shown; 0: not known */
	bool cut;               /* there was more than is read */
};

struct probe_result {
	char component[COMPONENT_ID_SIZE];
	char vantage[VANTAGE_SIZE];
	int64_t at_ns;            /* when it began */
	enum probe_reason reason; /* PROBE_OK: of all addresses that could be checked */
	uint32_t dns_us, total_us;
	uint32_t count, left_out; /* addresses */
	struct probe_address addresses[PROBE_ADDRESSES_MAX];
};

/* 0; -EINVAL with `what` saying what is wrong with it, in a few words. */
int probe_target_parse(const char *text, struct probe_target *target, const char **what);
/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT: whom it asks for names. The same. */
int probe_resolver_parse(const char *text, struct probe_target *target, const char **what);
/* As libcurl takes it, with its port. Returns `text`. */
const char *probe_target_url(const struct probe_target *target, char text[PROBE_URL_SIZE]);
/* Of this machine, its network, or no one's: a stranger's redirect does not lead there. */
bool probe_address_is_private(const struct address *address);

/* Of a result whose addresses are there: its reason and its whole time. */
void probe_judge(struct probe_result *result);
/* How many of its addresses count as good, and as bad; a name without any is one that is bad. */
void probe_counts(const struct probe_result *result, uint32_t *good, uint32_t *bad);
/*
 * What a list of canaries says: two thirds of three and more do not answer, so nothing that is seen from here counts.
 */
bool probe_is_blind(uint32_t good, uint32_t bad);
/* What a certificate's line says, "Jan  2 03:04:05 2027 GMT", as seconds since the Unix epoch. -EINVAL. */
int probe_certificate_time(const char *text, int64_t *s);

/*
 * When check `which` of `count` is due the first time at `after_ns` or later. Each has its part of the interval, and in
 * the first half of it a place that the seed chooses anew each round: no two begin together, and nobody knows when.
 */
int64_t probe_due(uint64_t seed, int64_t every_ns, uint32_t which, uint32_t count, int64_t after_ns);

/* What is counted until it is taken. */
#define PROBE_CELLS_MAX 256

struct probe_tally {
	uint32_t count;
	uint32_t refused; /* results that there was no room for */
	struct signal_count cells[PROBE_CELLS_MAX];
};

void probe_tally_add(struct probe_tally *tally, const struct probe_result *result);
/* A canary's result, counted for a component: it is joined with what is seen of that. */
void probe_tally_canary(struct probe_tally *tally, const struct probe_result *result, const char *component);
/* The first `most` cells, which are then counted no more. How many. */
uint32_t probe_tally_take(struct probe_tally *tally, struct signal_count *signals, uint32_t most);

/* "http", "tcp", "tls", "dns". */
const char *probe_type_name(enum probe_type value);
bool probe_type_find(const char *word, enum probe_type *value);
/* "ok", "connect_refused" …, and the same in a sentence's words. */
const char *probe_reason_name(enum probe_reason value);
bool probe_reason_find(const char *word, enum probe_reason *value);
const char *probe_reason_says(enum probe_reason value);
bool probe_reason_is_here(enum probe_reason value);

#endif
