/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a rule that the engine made: proposed, in force or in the shadow, armed, gone; and what it costs whom, as
 * seen while it lives. Pure: time and counts are passed in.
 *
 *   proposed   sought and found; the shield has been asked
 *   shadow     only counts: what it rests on is too little to drop by; enforced when what it was seen to hit says so
 *   enforced   drops (or limits)
 *   armed      nothing has matched for LIFE_HOLD_S: the kernel lets matches pass, and acts again by itself within one
 *              slot when they come at arm_pps
 *   revoked    let go for what it hit: its probes completed handshakes as users do, or answered conversations were hit
 *   gone       expired, let go by a person, replaced by a better one, or refused by the shield
 */
#ifndef HOLDFAST_DEFEND_LIFE_H
#define HOLDFAST_DEFEND_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "defend/rule.h"
#include "defend/signature.h"

#define LIFE_HOLD_S 60                     /* after the last match over arm_pps a rule goes on acting for so long */
#define LIFE_TTL_MIN_NS (600 * NS_PER_S)   /* a rule stays armed for the longer of this … */
#define LIFE_GAPS 4                        /* … and so many times the longest gap between waves, … */
#define LIFE_TTL_MAX_NS (86400 * NS_PER_S) /* … doubling with each wave that it met, up to this */
#define LIFE_REASON_SIZE 160

enum life_state { LIFE_PROPOSED, LIFE_SHADOW, LIFE_ENFORCED, LIFE_ARMED, LIFE_REVOKED, LIFE_GONE };

/* What the shield has counted since the rule is there, in packets. */
struct life_count {
	uint64_t matched;
	uint64_t dropped;   /* or would have been, where the shield only observes */
	uint64_t spared;    /* of answered conversations, let through for that */
	uint64_t answered;  /* of answered conversations that it hit, dropped or spared */
	uint64_t probes;    /* let through to see what becomes of them … */
	uint64_t completed; /* … and completed a handshake, as a user does */
	bool active;        /* false: armed, matches pass */
};

struct life {
	uint64_t handle;
	uint32_t number; /* of r1, as the shield says; 0: not yet */
	enum life_state state;
	struct rule rule;
	struct signature signature; /* it comes from */
	struct capture_time made, changed, last_match;
	struct capture_time expires;
	uint32_t arm_pps;
	uint32_t waves; /* that it met */
	uint64_t incident;
	struct life_count count;
	char why[LIFE_REASON_SIZE]; /* of its latest change of state: "34 of 40 probes completed handshakes" */
};

/* "proposed", "shadow", "enforced", "armed", "revoked", "gone": stable words. */
const char *life_state_name(enum life_state state);

#endif
