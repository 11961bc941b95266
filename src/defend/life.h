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
	uint64_t dropped;    /* or would have been, where the shield only observes */
	uint64_t spared;     /* of answered conversations, let through for that */
	uint64_t answered;   /* of answered conversations that it hit, dropped or spared */
	uint64_t probes;     /* let through to see what becomes of them … */
	uint64_t completed;  /* … and completed a handshake, as a user does */
	uint64_t known;      /* of sources known from peace, let through for that … */
	uint64_t known_lost; /* … and dropped all the same */
	bool active;         /* false: armed, matches pass */
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
	uint32_t waves;            /* that it met */
	int64_t gap_ns;            /* longest between two of them */
	bool shadow, spare, probe; /* as ordered */
	bool fallback, known, each;
	uint32_t source_pps;
	uint64_t incident;
	struct life_count count;
	struct life_count base; /* as `count` was when it last began to act: what it costs is judged from there on */
	char why[LIFE_REASON_SIZE]; /* of its latest change of state: "34 of 40 probes completed handshakes" */
};

#define LIFE_SHADOW_NS (2 * NS_PER_S) /* a rule that rests on too little only counts for so long … */
#define LIFE_SHADOW_MATCHED 100       /* … and until it has matched so many packets */
#define LIFE_ARM_PPS_MIN 50
#define LIFE_ARM_SHARE 10        /* matches at a tenth of the attack's peak arm a rule again */
#define LIFE_UNPROVEN_SHARE 50   /* what is not proven safe to drop lets a fiftieth of the attack pass … */
#define LIFE_UNPROVEN_PPS_MIN 10 /* … and so many packets a second at least */
#define LIFE_PROBES_COMPLETED 10 /* probes that complete handshakes: from so many on … */
#define LIFE_PROBES_PERCENT 30   /* … and such a share they are users, and the rule is let go */
#define LIFE_ANSWERED 10         /* packets of answered conversations: the same from so many on … */
#define LIFE_ANSWERED_PPM 5000   /* … and such a share of its matches */
#define LIFE_KNOWN_LOST 100      /* packets of known sources that a fall-back drops: from so many on … */
#define LIFE_KNOWN_PERCENT 30    /* … and such a share of what it drops it hits whom it is to serve */

/* What is to be ordered of a signature. */
struct life_plan {
	struct rule rule;
	bool shadow; /* only counts, until life_counted() says LIFE_ENFORCE */
	bool spare, probe;
	bool fallback; /* it rests on who sends (defend/fallback.h): it ends with the attack */
	bool known;    /* sources known from peace pass, up to source_pps each; 0: without end */
	bool each;     /* rate_pps is of each source */
	uint32_t source_pps;
	uint32_t arm_pps;
};
/* What is known of the attack that a rule is for. */
struct life_attack {
	struct prefix scope;
	uint64_t peak_pps;
	bool provokes;   /* the target itself answers such packets (questions): an answer speaks for nobody */
	bool reflection; /* answers that nobody asked for, and nothing else */
};
/*
 * False where the signature is no rule for the shield: it would cost too much, does not say what it drops, asks for a
 * challenge, which the kernel gives without a rule, or rests on too little: then it is tried in the shadow only where
 * it is answers of a service that are to be held off, for whom they hit can be seen by the conversations of this host.
 */
bool life_plan(const struct signature *signature, const struct life_attack *attack, struct life_plan *plan);

/* A rule that the shield has been asked for; `life` has nothing else. */
void life_begin(struct life *life, uint64_t handle, uint64_t incident, const struct life_plan *plan,
                const struct signature *signature, struct capture_time now);
/* What the shield made of it: its number, or -errno, and then it is gone. */
void life_ruled(struct life *life, uint32_t number, int result, struct capture_time now);

enum life_advice {
	LIFE_STAYS,
	LIFE_CHANGED, /* its state has */
	LIFE_ENFORCE, /* it may be enforced now: as a new rule, in place of this one, by life_enforced() */
	LIFE_REVOKE,  /* it is revoked, and to be removed */
};
enum life_advice life_counted(struct life *life, const struct life_count *count, struct capture_time now);
/* What is to be ordered in place of a rule that has proven itself in the shadow. */
void life_enforced(const struct life *shadow, uint64_t peak_pps, struct life_plan *plan);
/* A wave has begun that it is to meet. */
void life_meet_wave(struct life *life, struct capture_time now);
/* Until when it is wanted, as things stand. */
struct capture_time life_wanted_until(const struct life *life);
/* It is gone, for this reason. */
void life_end(struct life *life, enum life_state state, struct capture_time now, const char *why);
/* Whether the shield has it, or has been asked for it. */
bool life_is_there(const struct life *life);

/* "proposed", "shadow", "enforced", "armed", "revoked", "gone": stable words. */
const char *life_state_name(enum life_state state);

#endif
