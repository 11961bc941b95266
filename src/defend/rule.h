/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule: what to do with the packets to a scope that a match holds. A signature of an incident is one; so is what a
 * person types. What a rule costs and why it was made stands with whoever made it.
 */
#ifndef HOLDFAST_DEFEND_RULE_H
#define HOLDFAST_DEFEND_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "defend/match.h"

enum rule_action {
	RULE_NONE, /* counts, passes */
	RULE_DROP,
	RULE_RATE_LIMIT, /* passes rate_pps packets a second, drops what is above */
	RULE_CHALLENGE,  /* the sender must prove itself; offline nobody can, so it passes */
};

struct rule {
	struct prefix scope; /* packets to here */
	struct match match;
	enum rule_action action;
	uint32_t rate_pps; /* RULE_RATE_LIMIT */
};

/* Packets a second as a rule can say them, and so many at least. */
static inline uint32_t rule_rate(uint64_t pps, uint32_t least)
{
	if (pps < least)
		return least;
	return pps < UINT32_MAX ? (uint32_t)pps : UINT32_MAX;
}

/* "none", "drop", "rate_limit", "challenge"; "unknown" for any other value. */
const char *rule_action_name(enum rule_action action);
/* The action of that very name: 0, or -EINVAL. */
int rule_action_parse(const char *name, enum rule_action *action);
/*
 * Whether every packet that `narrow` matches is matched by `wide`, as far as their terms tell: false may mean that it
 * cannot be told. What they do with it is not compared.
 */
bool rule_covers(const struct rule *wide, const struct rule *narrow);

#endif
