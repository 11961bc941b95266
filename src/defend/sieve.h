/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Up to SIEVE_RULES_MAX rules in order; says of one packet after the other whether they would let it pass. Pure: the
 * clock is the packet's own capture time, so the same packets in the same order always meet the same fate.
 *
 * The first rule decides whose scope holds the destination and whose match holds the packet: of a tunnelled one the
 * packet inside, or else the tunnel packet around it. RULE_DROP drops it; RULE_RATE_LIMIT asks a token bucket;
 * everything else, and no rule, passes it.
 *
 * The bucket of a rule gains rate_pps tokens a second, holds at most max(1, rate_pps / 10), is full at first, and pays
 * one token for one packet: `weight` plays no part, for what is decided is the fate of this one packet. Time that goes
 * back adds nothing. Packets that come a little out of order (within SIEVE_DISORDER_NS) leave the bucket's clock where
 * it is, so that disorder mints no tokens; a longer step back is a clock that was set, and the bucket follows it.
 */
#ifndef HOLDFAST_DEFEND_SIEVE_H
#define HOLDFAST_DEFEND_SIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "defend/rule.h"
#include "observe/observation.h"

#define SIEVE_RULES_MAX 256
#define SIEVE_DISORDER_NS NS_PER_S

struct sieve_rule {
	struct rule rule;
	uint64_t matched;         /* packets this rule decided */
	uint64_t dropped;         /* of these */
	uint64_t level;           /* billionths of a token */
	struct capture_time last; /* up to when tokens were added; means nothing before the first packet */
	bool started;
};

/* About 150 KB: not for the stack. */
struct sieve {
	unsigned count;
	struct sieve_rule rules[SIEVE_RULES_MAX];
};

/* Without a rule all passes. */
void sieve_init(struct sieve *sieve);
/* Appends a copy of `rule`. 0; -ENOSPC where there are SIEVE_RULES_MAX already; -EINVAL for an action there is not. */
int sieve_add(struct sieve *sieve, const struct rule *rule);
/* Whether the packet passes; counts it. */
bool sieve_pass(struct sieve *sieve, const struct observation *observation);

#endif
