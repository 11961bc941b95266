/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules applied to packets one by one; sieve.h says how. The bucket counts billionths of a token: a rate of r tokens a
 * second is then r units a nanosecond, exact and without division.
 */
#include "defend/sieve.h"

#include <errno.h>
#include <string.h>

#define TOKEN ((uint64_t)NS_PER_S)
#define BURST_DIVISOR 10 /* the bucket holds a tenth of a second's tokens */

/* At most 2^32 / 10 * 10^9 < 2^59. */
static uint64_t bucket_capacity(uint32_t rate_pps)
{
	uint32_t burst = rate_pps / BURST_DIVISOR;

	return (burst ? burst : 1) * TOKEN;
}

static bool bucket_take(struct sieve_rule *entry, struct capture_time now)
{
	uint64_t capacity = bucket_capacity(entry->rule.rate_pps), rate = entry->rule.rate_pps;
	int64_t elapsed = entry->started ? time_since(now, entry->last) : 0;

	if (!entry->started) {
		entry->started = true;
		entry->level = capacity;
		entry->last = now;
	} else if (elapsed > 0) {
		uint64_t missing = capacity - entry->level;

		/* No overflow: where the product is computed it is at most `missing`. */
		if (rate && (uint64_t)elapsed > missing / rate)
			entry->level = capacity;
		else
			entry->level += (uint64_t)elapsed * rate;
		entry->last = now;
	} else if (elapsed < -SIEVE_DISORDER_NS) {
		entry->last = now;
	}
	if (entry->level < TOKEN)
		return false;
	entry->level -= TOKEN;
	return true;
}

void sieve_init(struct sieve *sieve)
{
	memset(sieve, 0, sizeof(*sieve));
}

int sieve_add(struct sieve *sieve, const struct rule *rule)
{
	if (sieve->count == SIEVE_RULES_MAX)
		return -ENOSPC;
	if ((unsigned)rule->action > RULE_CHALLENGE)
		return -EINVAL;
	memset(&sieve->rules[sieve->count], 0, sizeof(sieve->rules[0]));
	sieve->rules[sieve->count].rule = *rule;
	sieve->count++;
	return 0;
}

static bool holds(const struct rule *rule, const struct observation *observation)
{
	return prefix_contains(&rule->scope, &observation->dst) && match_test(&rule->match, observation);
}

bool sieve_pass(struct sieve *sieve, const struct observation *observation)
{
	bool tunnelled = (observation->flags & OBSERVATION_TUNNELLED) != 0;
	struct observation outer;

	if (tunnelled)
		observation_outer(observation, &outer);
	for (unsigned i = 0; i < sieve->count; i++) {
		struct sieve_rule *entry = &sieve->rules[i];
		bool pass = true;

		if (!holds(&entry->rule, observation) && !(tunnelled && holds(&entry->rule, &outer)))
			continue;
		switch (entry->rule.action) {
		case RULE_DROP:
			pass = false;
			break;
		case RULE_RATE_LIMIT:
			pass = bucket_take(entry, observation->time);
			break;
		case RULE_NONE:
		case RULE_CHALLENGE:
			break;
		}
		entry->matched++;
		entry->dropped += !pass;
		return pass;
	}
	return true;
}
