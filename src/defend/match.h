/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The match language: what a signature prints, a person can type. Words and order follow pcap filters where they have
 * the term (pcap-filter(7)). A match is a conjunction of terms:
 *
 *     match   = term { "and" term }
 *     term    = [ "not" ] ( "ip" | "ip6" | "tcp" | "udp" | "icmp" | "icmp6" | "fragment" | "df"
 *             | "proto" range
 *             | ("src" | "dst") "port" range | ("src" | "dst") "net" prefix
 *             | "length" range | "ttl" range | "ip id" range | "window" range | "mss" range
 *             | "icmp type" range | "icmp code" range | "payload length" range
 *             | "tcp flags" flags            exactly these: letters of FSRPAUEC in any order, or "none"
 *             | "options" layout             TCP options in order: "mss,sok,ts,nop,ws" or "none"
 *             | "payload[" from ":" to "]" "=" hex )   octets from..to-1 of the payload, to <= OBSERVATION_PAYLOAD_MAX
 *     range   = [ "=" | "!=" | "<" | "<=" | ">" | ">=" ] number | number "-" number
 *
 * Printing a parsed match gives its one canonical text; parsing that gives the same match.
 */
#ifndef HOLDFAST_DEFEND_MATCH_H
#define HOLDFAST_DEFEND_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "observe/observation.h"

#define MATCH_TERMS_MAX 16
#define MATCH_TEXT_SIZE 1024 /* every canonical text fits */
#define MATCH_PAYLOAD_MAX 8  /* octets in one payload term */

/* clang-format off */
enum match_field {
	MATCH_IP, MATCH_IP6, MATCH_TCP, MATCH_UDP, MATCH_ICMP, MATCH_ICMP6, MATCH_FRAGMENT, MATCH_DF, /* no operand */
	MATCH_PROTO, MATCH_SRC_PORT, MATCH_DST_PORT, MATCH_LENGTH, MATCH_TTL, MATCH_IP_ID, MATCH_WINDOW, MATCH_MSS,
	MATCH_ICMP_TYPE, MATCH_ICMP_CODE, MATCH_PAYLOAD_LENGTH,        /* range */
	MATCH_SRC_NET, MATCH_DST_NET,                                  /* prefix */
	MATCH_TCP_FLAGS,                                               /* flags */
	MATCH_OPTIONS,                                                 /* options */
	MATCH_PAYLOAD,                                                 /* payload */
	MATCH_FIELDS,
};
/* clang-format on */

struct match_term {
	enum match_field field;
	bool negated;
	union {
		struct {
			uint32_t low, high;
		} range; /* inclusive; "!= n" is a negated range */
		struct prefix prefix;
		uint8_t flags;    /* TCP_* */
		uint64_t options; /* as in struct observation */
		struct {
			uint8_t from, length;
			uint8_t octets[MATCH_PAYLOAD_MAX];
		} payload;
	} value;
};

struct match {
	unsigned count;
	struct match_term terms[MATCH_TERMS_MAX];
};

struct match_error {
	size_t offset;     /* of the offending character in the text */
	char message[160]; /* what is wrong there and what would be right */
};

/* 0, or -EINVAL with *error filled; *match is written only on success. */
int match_parse(const char *text, struct match *match, struct match_error *error);
/* Canonical text; returns `text`. */
const char *match_format(const struct match *match, char text[MATCH_TEXT_SIZE]);
/* A term on a field the packet does not have (a port of a later fragment) is false, negated or not. */
bool match_test(const struct match *match, const struct observation *observation);
bool match_term_test(const struct match_term *term, const struct observation *observation);
bool match_takes_range(enum match_field field);
/* What a term with a range compares; false where the packet does not have the field, or the field takes no range. */
bool match_field_value(enum match_field field, const struct observation *observation, uint32_t *value);
bool match_term_equal(const struct match_term *a, const struct match_term *b);

#endif
