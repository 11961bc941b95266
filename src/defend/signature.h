/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the narrowest rules that stop an attack, with a guard for normal traffic. For each proposed rule it says how
 * much of the attack it catches and, with 95 % confidence, the largest share of normal packets that it would lose.
 *
 * Input are samples: the attack (A), normal inbound packets to the same scope from outside the incident (B), and
 * packets of verified conversations during it (V). Beam search over conjunctions of what the attack packets have in
 * common, scored coverage - 50 x bound, mined again on what is left.
 */
#ifndef HOLDFAST_DEFEND_SIGNATURE_H
#define HOLDFAST_DEFEND_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "defend/match.h"
#include "defend/rule.h"

#define SIGNATURES_MAX 16
#define SIGNATURE_REASON_SIZE 256
#define SIGNATURE_DROP_PPM 1000      /* bound up to which a rule may drop: .1 % */
#define SIGNATURE_RESIDUAL_PPM 20000 /* what may get through before rules are not enough */
#define SIGNATURE_LIMIT_PPM 10000    /* … and up to which it may limit: 1 % */
#define SIGNATURE_BUDGET_PPM 5000    /* sum of the bounds of all dropping rules of a scope */

struct signature {
	struct match match;
	uint32_t coverage_ppm;     /* share of the attack's sample it matches */
	uint32_t added_ppm;        /* … that no signature before it matches */
	bool has_bound;            /* false: no normal traffic was seen */
	uint32_t bound_ppm;        /* one-sided 95 % bound on the share of normal packets lost */
	uint32_t baseline_samples; /* size of B that the bound rests on */
	uint32_t baseline_hits;    /* of these it matches */
	uint32_t verified_samples, verified_hits;
	enum rule_action action;
	uint32_t rate_limit_pps; /* RULE_RATE_LIMIT */
	char reason[SIGNATURE_REASON_SIZE];
};

struct signature_input {
	const struct observation *const *attack; /* A */
	uint32_t attack_count;
	const struct observation *const *baseline; /* B */
	uint32_t baseline_count;
	uint64_t baseline_seconds;                 /* time that B spans */
	uint64_t baseline_packets;                 /* packets that B is a sample of */
	const struct observation *const *verified; /* V */
	uint32_t verified_count;
	/*
	 * the attack is requests of real clients: rules name clients and limit them, for a dropped request leaves its
	 * server waiting
	 */
	bool clients_only;
	bool young; /* the attack has only begun: rules name no range, for what is yet to come may lie beside it */
};

struct signature_set {
	uint32_t count;
	struct signature signatures[SIGNATURES_MAX];
	uint32_t sampled;      /* packets of the attack that it rests on */
	uint32_t residual_ppm; /* share of these that no drop or rate limit of these catches */
};

/*
 * Whether a match says what it drops: a protocol of its own, or beside UDP or TCP a port, flags, content, one length or
 * the like. "udp and length 21-1500" is proven safe by whatever peace happens to hold no such packets, and says nothing
 * of the attack.
 */
bool signature_is_pointed(const struct match *match);
/* 0 or -ENOMEM. */
int signature_find(const struct signature_input *input, struct signature_set *set);
/*
 * One-sided 95 % upper bound in parts per million on a share of which `hits` in `n` were seen, by the Poisson bound
 * (Garwood 1936), which is never below the binomial one of Clopper and Pearson (1934). 1,000,000 where n is 0.
 */
uint32_t signature_bound_ppm(uint64_t hits, uint64_t n);

#endif
