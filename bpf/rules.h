/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the rules in force say of a packet: which of them it meets, by the table of abi/shield.h, and what one says that
 * it meets, with all that is counted of that.
 */
#ifndef HOLDFAST_BPF_RULES_H
#define HOLDFAST_BPF_RULES_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/bucket.h"
#include "bpf/conversation.h"
#include "bpf/known.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/service.h"

/* What a rule says besides its words. */
APART int ranges_hold(const struct shield_rule *rule, const struct shield_key *key)
{
	const __u64 *word = (const __u64 *)(const void *)key;

	if (!rule || !key)
		return 0;
	for (__u32 i = 0; i < SHIELD_RULE_RANGES_MAX && i < rule->range_count; i++) {
		const struct shield_range *range = &rule->ranges[i];
		__u16 value = key->field[range->field & (SHIELD_FIELDS - 1)];

		if ((value >= range->low && value <= range->high) == (range->negated != 0))
			return 0;
	}
	for (__u32 i = 0; i < SHIELD_RULE_UNLESS_MAX && i < rule->unless_count; i++) {
		const struct shield_unless *unless = &rule->unless[i];
		__u32 at = unless->word < SHIELD_WORDS - 1 ? unless->word : SHIELD_WORDS - 2;

		if ((word[at] & unless->mask[0]) == unless->value[0] &&
		    (word[at + 1] & unless->mask[1]) == unless->value[1])
			return 0;
	}
	return 1;
}

PARSE_INLINE int rule_holds(const struct shield_rule *rule, const struct shield_key *key)
{
	const __u64 *word = (const __u64 *)(const void *)key;
	__u64 unlike = 0;
	__u32 skip = rule->skip; /* fewer lines of memory */

#pragma unroll
	for (int i = 0; i < SHIELD_WORDS; i++)
		if (!(skip >> i & 1))
			unlike |= (word[i] & rule->mask[i]) ^ rule->value[i];
	if (unlike)
		return 0;
	return (rule->range_count | rule->unless_count) == 0 || ranges_hold(rule, key);
}

/*
 * Whether a rule that arms acts. Matches at its rate put off the end of that; for a sixteenth of a second after they
 * did there is nothing to write, so that a flood only reads.
 */
APART int is_armed(const struct shield_rule *rule, struct shield_rule_state *state, const struct shield_config *c,
                   __u64 now)
{
	if (!rule || !state || !c)
		return 0;
	if (take_token(&state->arm, rule->arm_pps, rule->arm_pps / 10, c->hz, now) == BUCKET_EMPTY) {
		*(volatile __u64 *)&state->active_until = now + rule->hold;
		return 1;
	}
	return *(volatile __u64 *)&state->active_until > now;
}

PARSE_INLINE int is_active(const struct shield_rule *rule, struct shield_rule_state *state,
                           const struct shield_config *c, __u64 now)
{
	__u64 until = *(volatile __u64 *)&state->active_until;

	return (until > now && now + rule->hold - until < c->hz / 16) || is_armed(rule, state, c, now);
}

/* Whether a packet that is about to be dropped belongs to a conversation that this host has answered, and may pass. */
enum { SPARE_UNKNOWN, SPARE_OVER, SPARE_PASS };

APART int is_spared(const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	struct shield_flow_key look = { 0 };
	struct shield_flow *flow;

	if (!key || !c)
		return SPARE_UNKNOWN;
	flow_of(key, &look);
	flow = bpf_map_lookup_elem(&flows, &look);
	if (!flow || now - flow->last > SHIELD_SPARE_IDLE_S * c->hz)
		return SPARE_UNKNOWN;
	return take_token(&flow->spare, SHIELD_SPARE_PPS, SHIELD_SPARE_PPS, c->hz, now) == BUCKET_TAKEN ? SPARE_PASS
	                                                                                                : SPARE_OVER;
}

/*
 * Whether a source has sent more than so many packets a second: to a service, or of what a rule matches
 * (SHIELD_SERVICES_MAX + its counter).
 */
PARSE_INLINE int over_limit(const struct shield_key *key, const struct shield_config *c, __u32 whose, __u32 pps,
                            __u64 now)
{
	const __u64 *src = words(key->src);
	__u64 *bucket, hash;
	__u32 slot;

	/* Of an IPv6 source the /64: one customer. An IPv4 address lies in the second word. */
	hash = shield_mix((shield_is_ipv4(src) ? src[1] : src[0]) ^ c->seed ^ whose);
	slot = (__u32)hash & (SHIELD_LIMIT_SLOTS - 1);
	bucket = bpf_map_lookup_elem(&source_buckets, &slot);
	/* Somebody who opens a page sends several at once, and then waits: a second's worth may come in one go. */
	return bucket && take_token(bucket, pps, pps, c->hz, now) != BUCKET_TAKEN;
}

/*
 * What a rule that looks at sources finds: one that is known, and within its limit or over it; one that is not known.
 */
enum { SOURCE_STRANGE, SOURCE_KNOWN, SOURCE_LOST, SOURCE_WITHIN, SOURCE_OVER };

APART int look_at_source(const struct shield_rule *rule, const struct shield_key *key, const struct shield_config *c,
                         __u64 now)
{
	int over;

	if (!rule || !key || !c)
		return SOURCE_STRANGE;
	if (rule->flags & SHIELD_RULE_KNOWN && !is_known(key, c, now))
		return SOURCE_STRANGE;
	over = rule->source_pps && over_limit(key, c, SHIELD_SERVICES_MAX + rule->counter, rule->source_pps, now);
	if (rule->flags & SHIELD_RULE_KNOWN)
		return over ? SOURCE_LOST : SOURCE_KNOWN;
	if (!over)
		return SOURCE_WITHIN;
	return is_known(key, c, now) ? SOURCE_LOST : SOURCE_OVER;
}

/* Whether a packet that is about to be dropped passes as a probe, whose turn it is. */
APART int is_probe(struct shield_rule_state *state, struct shield_rule_count *count, const struct shield_config *c,
                   __u64 now)
{
	if (!state || !count || !c)
		return 0;
	/* The gaps are random, so that no period of what comes decides which packets pass. */
	if (count->until_probe == 0)
		count->until_probe = 1 + bpf_get_prandom_u32() % (2 * SHIELD_PROBE_INTERVAL - 1);
	return --count->until_probe == 0 &&
	       take_token(&state->probe, SHIELD_PROBE_PPS, SHIELD_PROBE_PPS / 10, c->hz, now) == BUCKET_TAKEN;
}

/*
 * What rules say of a packet, in one word; 0: nothing. Where none acts it is what one says that only counts: rather one
 * that probes, for the sample must say so, then one that would drop.
 */
#define JUDGED(reason, counter, counts) ((reason) | (__u64)(counter) << 8 | (__u64)((counts) != 0) << 40)
#define JUDGED_REASON(judged) ((enum shield_reason)((judged)&0xff))
#define JUDGED_COUNTER(judged) ((__u32)((judged) >> 8))
#define JUDGED_COUNTS(judged) ((__u32)((judged) >> 40 & 1)) /* none acts */

PARSE_INLINE void add_packet(struct shield_count *count, __u32 frame)
{
	count->packets++;
	count->octets += frame;
}

/* Whether a packet that a rule would drop passes all the same: SHIELD_PASS_CLEAN where it does not. */
PARSE_INLINE enum shield_reason excuse(const struct shield_rule *rule, struct shield_rule_count *count,
                                       struct shield_rule_state *state, const struct shield_key *key,
                                       const struct shield_config *c, __u64 now, __u32 frame)
{
	__u64 hash = conversation_hash(key, c);
	const __u8 *slot = answered_slot(hash);

	if (rule->flags & SHIELD_RULE_SPARE && slot && shield_answered_lately(*slot, now, c->hz)) {
		int spared = is_spared(key, c, now);

		if (spared != SPARE_UNKNOWN)
			add_packet(&count->answered, frame);
		if (spared == SPARE_PASS) {
			add_packet(&count->spared, frame);
			return SHIELD_PASS_ANSWERED;
		}
	}
	if (rule->flags & SHIELD_RULE_PROBE) {
		if ((key->field[SHIELD_F_HAS] & SHIELD_HAS_TCP) && !is_syn(key) &&
		    probe_follows(hash, c, rule->counter, now))
			return SHIELD_PASS_PROBE;
		if (count->until_probe > 1) {
			count->until_probe--;
		} else if (is_probe(state, count, c, now)) {
			add_packet(&count->probes, frame);
			return SHIELD_PASS_PROBE;
		}
	}
	return SHIELD_PASS_CLEAN;
}

/* A packet meets a rule, and what that says of it. */
PARSE_INLINE __u64 meet_rule(const struct shield_rule *rule, const struct shield_key *key,
                             const struct shield_config *c, __u64 now, __u32 frame)
{
	enum shield_reason says = SHIELD_DROP_RULE, excused;
	struct shield_rule_count *count;
	struct shield_rule_state *state;
	int source = SOURCE_STRANGE;
	__u32 counter;

	counter = rule->counter;
	count = bpf_map_lookup_elem(&rule_counters, &counter);
	state = bpf_map_lookup_elem(&rule_states, &counter);
	if (!count || !state)
		return 0;
	add_packet(&count->matched, frame);
	count->last = now;
	if (rule->arm_pps && !is_active(rule, state, c, now))
		return 0;
	if (rule->action == SHIELD_COUNT)
		return JUDGED(SHIELD_PASS_RULE, counter, 1);
	if (rule->flags & (SHIELD_RULE_KNOWN | SHIELD_RULE_EACH)) {
		source = look_at_source(rule, key, c, now);
		if (source == SOURCE_KNOWN)
			add_packet(&count->known, frame);
		if (source == SOURCE_KNOWN || source == SOURCE_WITHIN)
			return JUDGED(source == SOURCE_KNOWN ? SHIELD_PASS_KNOWN : SHIELD_PASS_RULE, counter,
			              rule->flags & SHIELD_RULE_SHADOW);
	}
	if (rule->action == SHIELD_RATE) {
		says = SHIELD_DROP_RATE;
		if (source == SOURCE_STRANGE &&
		    take_token(&state->rate, rule->rate_pps, rule->rate_pps / 10, c->hz, now) == BUCKET_TAKEN)
			return JUDGED(SHIELD_PASS_RULE, counter, rule->flags & SHIELD_RULE_SHADOW);
	}
	if (rule->flags & (SHIELD_RULE_SPARE | SHIELD_RULE_PROBE) &&
	    (excused = excuse(rule, count, state, key, c, now, frame)) != SHIELD_PASS_CLEAN)
		says = excused;
	else
		add_packet(&count->dropped, frame);
	if (source == SOURCE_LOST && says > SHIELD_PASS_LAST)
		add_packet(&count->known_lost, frame);
	return JUDGED(says, counter, rule->flags & SHIELD_RULE_SHADOW);
}

APART __u64 meet_apart(const struct shield_rule *rule, const struct shield_key *key, const struct shield_config *c,
                       __u64 now, __u32 frame)
{
	return rule && key && c ? meet_rule(rule, key, c, now, frame) : 0;
}

PARSE_INLINE int weight_of(__u64 judged)
{
	enum shield_reason reason = JUDGED_REASON(judged);

	return judged == 0 ? 0 : reason == SHIELD_PASS_PROBE ? 3 : reason > SHIELD_PASS_LAST ? 2 : 1;
}

/* Of two rules that only count. */
APART __u64 weightier(__u64 judged, __u64 says)
{
	return weight_of(says) > weight_of(judged) ? says : judged;
}

PARSE_INLINE const struct shield_rule *first_of(const struct shield_ruleset *set, __u64 candidates)
{
	return &set->rules[lowest_bit(candidates) & (SHIELD_RULES_MAX - 1)];
}

/* Of the rules those that the packet can meet, by what is asked most. */
PARSE_INLINE __u64 candidates_of(const struct shield_ruleset *set, const struct shield_key *key)
{
	const __u16 *pieces = (const __u16 *)(const void *)key;
	__u16 other = pieces[set->other < SHIELD_PIECES ? set->other : 0];

	return set->by_protocol[key->field[SHIELD_F_PROTOCOL] & (SHIELD_BINS - 1)] &
	       set->by_src_port[SHIELD_PORT_BIN(key->field[SHIELD_F_SRC_PORT])] &
	       set->by_dst_port[SHIELD_PORT_BIN(key->field[SHIELD_F_DST_PORT])] &
	       set->by_length[SHIELD_LENGTH_BIN(key->field[SHIELD_F_LENGTH]) & (SHIELD_BINS - 1)] &
	       set->by_dst[shield_fold(words(key->dst))] & set->by_other[SHIELD_PORT_BIN(other)];
}

/* What candidates say behind those that have said `judged`, which has not decided. */
PARSE_INLINE __u64 judge_each(const struct shield_key *key, const struct shield_ruleset *set,
                              const struct shield_config *c, __u64 now, __u32 frame, __u64 candidates, __u64 judged)
{
	for (int i = 0; i < SHIELD_RULES_MAX && candidates; i++) {
		const struct shield_rule *rule = first_of(set, candidates);
		__u64 says;

		candidates &= candidates - 1;
		if (rule->expires <= now || !rule_holds(rule, key))
			continue;
		says = meet_apart(rule, key, c, now, frame);
		if (says && !JUDGED_COUNTS(says))
			return says;
		if (says)
			judged = weightier(judged, says);
	}
	return judged;
}

/*
 * The rules behind the first that a packet can meet. `so_far` is what that says and, above that, the frame's octets: a
 * function has five arguments, and the stack no room to spare.
 */
#define SO_FAR_SHIFT 41
#define SO_FAR_JUDGED(so_far) ((so_far) & ((1ULL << SO_FAR_SHIFT) - 1))
APART __u64 judge_rest(const struct shield_key *key, const struct shield_ruleset *set, const struct shield_config *c,
                       __u64 now, __u64 so_far)
{
	__u64 candidates;

	if (!key || !set || !c)
		return 0;
	candidates = candidates_of(set, key);
	return judge_each(key, set, c, now, (__u32)(so_far >> SO_FAR_SHIFT), candidates & (candidates - 1),
	                  SO_FAR_JUDGED(so_far));
}

/* What follows a SYN that passes as a probe is to be known again. */
PARSE_INLINE __u64 with_probe_remembered(__u64 judged, const struct shield_key *key, const struct shield_config *c,
                                         __u64 now)
{
	if (JUDGED_REASON(judged) == SHIELD_PASS_PROBE && is_syn(key))
		probe_remember(key, c, JUDGED_COUNTER(judged), now);
	return judged;
}

/*
 * Nearly always one rule is met, and decides. It is looked at in place, for a call costs as much as what it does; a
 * loop here would be verified for each way that leads to it.
 */
PARSE_INLINE __u64 judge_rules(const struct shield_key *key, const struct shield_ruleset *set,
                               const struct shield_config *c, __u64 now, __u32 frame)
{
	__u64 candidates = candidates_of(set, key), judged = 0;
	const struct shield_rule *rule;

	if (!candidates)
		return 0;
	rule = first_of(set, candidates);
	if (rule->expires > now && rule_holds(rule, key))
		judged = meet_rule(rule, key, c, now, frame);
	if (candidates & (candidates - 1) && (judged == 0 || JUDGED_COUNTS(judged)))
		judged = judge_rest(key, set, c, now, judged | (__u64)frame << SO_FAR_SHIFT);
	return with_probe_remembered(judged, key, c, now);
}

#endif
