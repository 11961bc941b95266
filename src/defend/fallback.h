/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done where no signature tells an attack's packets from users' and is safe: who sends decides. By what the
 * service is allowed to (its `fallback`), and only as far as peace has taught what is usual:
 *
 *   limit          each source may send twice what nearly all send in peace
 *   prefer_known   whom the service knows from peace may do that; all others together may send what is usual in peace
 *
 * Floods of TCP packets without a connection need neither where the host's own sockets answer: the kernel's cookies and
 * its look at them (bpf/tcp.h) are there without a rule. Pure; what is known is passed in.
 */
#ifndef HOLDFAST_DEFEND_FALLBACK_H
#define HOLDFAST_DEFEND_FALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "defend/life.h"

enum fallback_allowed { FALLBACK_NONE, FALLBACK_LIMIT, FALLBACK_PREFER_KNOWN };

/* How it stands with an attack. */
enum fallback_state {
	FALLBACK_NOT_NEEDED,
	FALLBACK_NO_SERVICE, /* the target is no configured service */
	FALLBACK_OFF,
	FALLBACK_UNLEARNED,
	FALLBACK_COOKIES,
	FALLBACK_STATE,
	FALLBACK_LIMITS,
	FALLBACK_PREFERS,
	FALLBACK_REVOKED, /* it hit whom it was to serve */
};

#define FALLBACK_TIMES 2           /* what nearly all sources send, so often, … */
#define FALLBACK_SOURCE_PPS_MIN 10 /* … and this at least, may one send */
#define FALLBACK_ALL_PPS_MIN 50    /* strangers together, at least */
#define FALLBACK_PORT_PERCENT 95   /* of its packets to one port: then it is one of the rule's terms */

/* Packets a second in peace; 0: not known. */
struct fallback_peace {
	uint32_t source_pps; /* that nearly no source exceeds in a second */
	uint32_t all_pps;    /* of all sources */
};

/*
 * Of some packets of an attack, whose they are: its protocol, and its port where it has one. False where there are
 * none.
 */
bool fallback_match(const struct observation *packets, uint32_t count, struct match *match);
/*
 * A rule for it: FALLBACK_LIMITS, FALLBACK_PREFERS with *plan and the reason in *signature; else why there is none.
 */
enum fallback_state fallback_plan(enum fallback_allowed allowed, const struct fallback_peace *peace,
                                  const struct life_attack *attack, const struct match *match, struct life_plan *plan,
                                  struct signature *signature);

/*
 * "not_needed", "no_service", "off", "not_learned", "cookies", "state", "limit", "prefer_known", "revoked": stable
 * words.
 */
const char *fallback_state_name(enum fallback_state state);
/* A clause that begins with "no safe signature"; "" where none is needed. By the state, or by its name. */
const char *fallback_state_says(enum fallback_state state);
const char *fallback_state_says_of(const char *name);

#endif
