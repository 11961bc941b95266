/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program that each arriving frame meets: parse, then the operator's way in, allow list, block list, rules, limits,
 * in that order, the first that has a say deciding; then it is counted, and now and then a sample of it handed out.
 *
 * What costs here is memory that is in no cache, and calls of helpers, not instructions. So small bitmaps stand before
 * large tables, a token bucket is one word in a fixed place, time is jiffies, and what no rule asks for is not read.
 * Nothing here ends the way of a packet for any reason but those of enum shield_reason: what cannot be looked up passes.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/bucket.h"
#include "bpf/conversation.h"
#include "bpf/known.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/sampler.h"
#include "bpf/service.h"
#include "bpf/tcp.h"

/* What stands for passing; a benchmark sets it to XDP_DROP, to time passing without the rest of the network's code. */
const volatile __u32 verdict_pass = XDP_PASS;

PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_xdp_load_bytes(frame->at, offset, to, length);
}

static const __u32 zero;

#define SWEEP_CLOCK_MONOTONIC 1
#define SWEEP_GROUPS 256 /* at once: 16,384 buckets, a quarter of a millisecond */
#define SWEEP_PAUSE_NS 1000000
#define SWEEP_STEPS_MAX (1u << 20)

APART int is_guarded(const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	const __u64 *src;

	if (!key || !c)
		return 0;
	src = words(key->src);
	if (!(key->field[SHIELD_F_HAS] & SHIELD_HAS_PORTS))
		return 0;
	for (__u32 i = 0; i < SHIELD_GUARD_MAX && i < c->guard_count; i++) {
		const struct shield_guard *guard = &c->guard[i];

		if (guard->port == key->field[SHIELD_F_DST_PORT] && guard->protocol == key->field[SHIELD_F_PROTOCOL] &&
		    shield_prefix_holds(guard->mask, guard->value, src) && guard->expires > now)
			return 1;
	}
	return 0;
}

APART int is_allowed(const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	struct shield_allow_key look = { .length = 128 };
	const struct shield_allow *found;
	__u32 bin, shortest = 0;

	if (!key || !c)
		return 0;
	/* A network of IPv6 holds no address of IPv4, wherever in the trie it is. */
	if (shield_is_ipv4(words(key->src))) {
		shortest = 96;
		bin = parse_be16(key->src + 12);
	} else if (c->allow_short) {
		bin = SHIELD_ALLOW_BINS;
	} else {
		bin = shield_allow_bin6(parse_be32(key->src));
	}
	if (bin < SHIELD_ALLOW_BINS && !(c->allow_bins[bin / 64] >> (bin % 64) & 1))
		return 0;
	__builtin_memcpy(look.address, key->src, sizeof(look.address));
	for (int i = 0; i < SHIELD_ALLOW_NESTED; i++) {
		found = bpf_map_lookup_elem(&allow, &look);
		if (!found || found->length < shortest)
			return 0;
		if (found->expires > now)
			return 1;
		if (found->length == 0)
			return 0;
		look.length = found->length - 1;
	}
	return 0;
}

/* The slot of a bucket that says so; 0 where none does and none is empty, 1 where one is. */
APART __u64 search_more4(const struct shield_more4 *bucket, __u64 want)
{
	__u64 found = 0, empty = 0;

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < SHIELD_MORE4_SLOTS; i++) {
		__u64 slot = bucket->slot[i];

		if (SHIELD_MORE4_WHAT(slot) == want)
			found = slot;
		if (slot == 0)
			empty = 1;
	}
	return found ? found : empty;
}

/* Whether a prefix for which its bucket had no lane is listed. */
APART int in_more4(const struct shield_block_state *state, __u32 address, __u32 length, __u64 tick)
{
	__u64 want = SHIELD_MORE4(address, length, 0);
	__u32 hash;

	if (!state)
		return 0;
	hash = shield_more4_hash(state->seed, address, length);
	for (__u32 probe = 0; probe < SHIELD_MORE4_PROBES; probe++) {
		__u32 n = (hash + probe) & (state->more4 - 1);
		const struct shield_more4 *bucket = bpf_map_lookup_elem(&block4_more, &n);
		__u64 found;

		if (!bucket)
			return 0;
		found = search_more4(bucket, want);
		if (found > 1)
			return shield_more4_alive(found, tick);
		if (found)
			return 0;
	}
	return 0;
}

/* Whether the lane that is this remainder has not expired. That it still is when its expiry is read says whose that is. */
APART int lane_is_alive(__u32 bucket, __u32 remainder, __u64 tick)
{
	const struct shield_block4 *lanes = bpf_map_lookup_elem(&block4, &bucket);
	const struct shield_expires4 *expires = bpf_map_lookup_elem(&block4_expires, &bucket);
	int alive = 0;

	if (!lanes || !expires)
		return 0;
#pragma unroll
	for (int lane = 0; lane < SHIELD_BLOCK4_LANES; lane++) {
		volatile const __u64 *word = &lanes->word[lane / 4];
		__u32 shift = lane % 4 * 16;

		if ((*word >> shift & 0xffff) == remainder && *(volatile const __u32 *)&expires->tick[lane] > tick &&
		    (*word >> shift & 0xffff) == remainder)
			alive = 1;
	}
	return alive;
}

/* Whether the kernel's timer has been through the lanes in this tick, and has found none of the bucket's expired. */
PARSE_INLINE int all_are_alive(__u32 bucket, __u64 tick)
{
	const struct shield_timer *timer = bpf_map_lookup_elem(&block_sweep, &zero);
	__u32 group = bucket / SHIELD_BLOCK4_GROUP, line = group / SHIELD_BLOCK4_GROUPS;
	const struct shield_swept4 *swept = bpf_map_lookup_elem(&block4_swept, &line);

	return timer && swept && *(volatile const __u64 *)&timer->sweep.tick == tick &&
	       !(swept->stale[group % SHIELD_BLOCK4_GROUPS] >> (bucket % SHIELD_BLOCK4_GROUP) & 1);
}

/* Whether a prefix of that length around the address is listed. */
PARSE_INLINE int in_block4(const struct shield_block_state *state, __u32 address, __u32 length, __u64 now)
{
	__u64 at = shield_place4(state, shield_code4(address, length)), tick = now >> (state->tick_shift & 63);
	__u32 bits = state->lane_bits & 31, n = (__u32)(at >> bits), remainder = (__u32)at & ((1u << bits) - 1);
	const struct shield_block4 *bucket = bpf_map_lookup_elem(&block4, &n);

	if (!bucket)
		return 0;
	if (remainder && shield_in_lanes4(bucket, remainder))
		return all_are_alive(n, tick) || lane_is_alive(n, remainder, tick);
	return bucket->word[3] >> 48 ? in_more4(state, address, length, tick) : 0;
}

/* Of `lengths`, a bit each, those other than /32. */
APART int in_block4_shorter(const struct shield_block_state *state, __u32 address, __u32 lengths, __u64 now)
{
	if (!state)
		return 0;
	for (int i = 0; i < 32 && lengths; i++) {
		__u32 length = lowest_bit(lengths) + 1;

		lengths &= lengths - 1;
		if (in_block4(state, address & ~0u << ((32 - length) & 31), length, now))
			return 1;
	}
	return 0;
}

PARSE_INLINE __u64 mask_be(__u32 bits)
{
	return bits == 0 ? 0 : bits >= 64 ? ~0ULL : __builtin_bswap64(~0ULL << (64 - bits));
}

/* The expiry of the slot of a bucket that says so; 0 where none does and none is empty, 1 where one is. */
APART __u64 search_block6(const struct shield_block6 *bucket, __u64 first, __u64 second, __u32 length)
{
	__u64 found = 0, empty = 0;

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < SHIELD_BLOCK6_SLOTS; i++) {
		const struct shield_block6_slot *slot = &bucket->slot[i];
		__u32 before = *(volatile const __u32 *)&slot->generation, is = *(volatile const __u32 *)&slot->length;

		if (is == 0)
			empty = 1;
		if (is == length && slot->address[0] == first && slot->address[1] == second) {
			__u64 expires = *(volatile const __u64 *)&slot->expires;

			if (*(volatile const __u32 *)&slot->generation == before)
				found = expires;
		}
	}
	return found ? found : empty;
}

APART int in_block6(const struct shield_block_state *state, const struct shield_key *key, __u32 length, __u64 now)
{
	__u64 word[2];
	__u32 hash;

	if (!state || !key)
		return 0;
	word[0] = words(key->src)[0] & mask_be(length);
	word[1] = length > 64 ? words(key->src)[1] & mask_be(length - 64) : 0;
	hash = shield_block6_hash(state->seed, word, length);
	for (__u32 probe = 0; probe < SHIELD_BLOCK6_PROBES; probe++) {
		__u32 n = (hash + probe) & (state->buckets6 - 1);
		const struct shield_block6 *bucket = bpf_map_lookup_elem(&block6, &n);
		__u64 found;

		if (!bucket)
			return 0;
		found = search_block6(bucket, word[0], word[1], length);
		if (found)
			return found > now;
	}
	return 0;
}

/* Any of the lengths of one word of lengths6, the first of which is `first`. */
APART int in_lengths6(const struct shield_block_state *state, const struct shield_key *key, __u64 lengths, __u32 first,
                      __u64 now)
{
	for (int i = 0; i < 64 && lengths; i++) {
		if (in_block6(state, key, first + lowest_bit(lengths), now))
			return 1;
		lengths &= lengths - 1;
	}
	return 0;
}

/* `address` in host byte order. */
PARSE_INLINE int is_blocked4(__u32 address, const struct shield_block_state *state, __u64 now)
{
	__u32 n = address >> (32 - SHIELD_CLASS4_BITS), line = n / SHIELD_CLASSES_LINE, classes, lengths;
	const struct shield_classes *of = bpf_map_lookup_elem(&block4_classes, &line);

	if (!of || !state->lengths4)
		return 0;
	classes = of->of[n % SHIELD_CLASSES_LINE];
	if (!classes || now >= state->horizon)
		return 0;
	if (classes & 1 && in_block4(state, address, 32, now))
		return 1;
	lengths = shield_lengths4(classes & ~1u) & state->lengths4;
	return lengths ? in_block4_shorter(state, address, lengths, now) : 0;
}

PARSE_INLINE int is_blocked6(const struct shield_key *key, const struct shield_block_state *state, __u64 now)
{
	__u32 bit = shield_block6_bit(state->seed, words(key->src)[0] & mask_be(SHIELD_BLOCK6_SHORT));
	__u32 line = bit / 64 / SHIELD_BLOCK_WORDS;
	const struct shield_bits *bits = bpf_map_lookup_elem(&block6_bits, &line);
	int near = bits && shield_block_wide(state->wide6, bit) &&
	           (bits->word[bit / 64 % SHIELD_BLOCK_WORDS] >> (bit % 64) & 1);
	__u64 lengths = state->lengths6[0];

	if (!near)
		lengths &= (1ULL << (SHIELD_BLOCK6_SHORT - 1)) - 1;
	if (lengths && in_lengths6(state, key, lengths, 1, now))
		return 1;
	return near && state->lengths6[1] && in_lengths6(state, key, state->lengths6[1], 65, now);
}

APART int is_blocked(const struct shield_key *key, const struct shield_block_state *state, __u64 now)
{
	if (!key || !state)
		return 0;
	if (shield_is_ipv4(words(key->src)))
		return is_blocked4(parse_be32(key->src + 12), state, now);
	return state->lengths6[0] | state->lengths6[1] && now < state->horizon ? is_blocked6(key, state, now) : 0;
}

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
 * Whether a rule that arms acts. Matches at its rate put off the end of that; for a sixteenth of a second after they did
 * there is nothing to write, so that a flood only reads.
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
 * Whether a source has sent more than so many packets a second: to a service, or of what a rule matches (SHIELD_SERVICES_MAX +
 * its counter).
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

/* What a rule that looks at sources finds: one that is known, and within its limit or over it; one that is not known. */
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
 * What rules say of a packet, in one word; 0: nothing. Where none acts it is what one says that only counts: rather one that
 * probes, for the sample must say so, then one that would drop.
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
	return set->by_protocol[key->field[SHIELD_F_PROTOCOL] & (SHIELD_BINS - 1)] &
	       set->by_src_port[SHIELD_PORT_BIN(key->field[SHIELD_F_SRC_PORT])] &
	       set->by_dst_port[SHIELD_PORT_BIN(key->field[SHIELD_F_DST_PORT])] &
	       set->by_length[SHIELD_LENGTH_BIN(key->field[SHIELD_F_LENGTH]) & (SHIELD_BINS - 1)];
}

/*
 * The rules behind the first that a packet can meet, which has not decided. `so_far` is what it says and, above that, the
 * frame's octets: a function has five arguments, and the stack no room to spare.
 */
#define SO_FAR_SHIFT 41
APART __u64 judge_rest(const struct shield_key *key, const struct shield_ruleset *set, const struct shield_config *c,
                       __u64 now, __u64 so_far)
{
	__u64 candidates, judged = so_far & ((1ULL << SO_FAR_SHIFT) - 1);

	if (!key || !set || !c)
		return 0;
	candidates = candidates_of(set, key);
	candidates &= candidates - 1;
	for (int i = 0; i < SHIELD_RULES_MAX && candidates; i++) {
		const struct shield_rule *rule = first_of(set, candidates);
		__u64 says;

		candidates &= candidates - 1;
		if (rule->expires <= now || !rule_holds(rule, key))
			continue;
		says = meet_apart(rule, key, c, now, (__u32)(so_far >> SO_FAR_SHIFT));
		if (says && !JUDGED_COUNTS(says))
			return says;
		if (says)
			judged = weightier(judged, says);
	}
	return judged;
}

/*
 * Nearly always one rule is met, and decides. It is looked at in place, for a call costs as much as what it does; a loop
 * here would be verified for each way that leads to it.
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
	if (JUDGED_REASON(judged) == SHIELD_PASS_PROBE && is_syn(key))
		probe_remember(key, c, JUDGED_COUNTER(judged), now);
	return judged;
}

#define NO_RULE 0xffff

/* In few octets, for the stack is full. */
struct decision {
	__u8 reason; /* enum shield_reason */
	__u8 counts; /* the rule only counts */
	__u16 rule;  /* counter of the rule that decided, or NO_RULE */
};

struct seen {
	const struct shield_key *key;
	__u32 frame; /* octets */
	__u32 service;
	__u8 has_address;
	__u8 local; /* the service is */
	__u8 enforced;
	__u8 known; /* of a sample: its flags that say so of its conversation */
	struct decision decision;
};

/* What is known of a packet's conversation, as flags of a sample. */
PARSE_INLINE __u8 known_of(struct xdp_md *ctx, const struct seen *seen)
{
	int known;

	if (!seen->has_address)
		return 0;
	if (!seen->local || !(seen->key->field[SHIELD_F_HAS] & SHIELD_HAS_TCP))
		return has_flow(seen->key) ? SHIELD_SAMPLE_ANSWERED : 0;
	known = tcp_known(ctx, seen->key);
	return known == TCP_ENGAGED                                ? SHIELD_SAMPLE_ANSWERED
	       : known == TCP_COMPLETES || known == TCP_HAS_COOKIE ? SHIELD_SAMPLE_HANDSHAKE
	                                                           : 0;
}

/* Hands out a sample. Rare, and so apart. */
static __attribute__((noinline)) void hand_out(struct xdp_md *ctx, const struct seen *seen, __u64 weight,
                                               struct shield_totals *total)
{
	struct shield_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	__u32 length = seen->frame;

	if (!sample) {
		total->samples_lost++;
		return;
	}
	__builtin_memset(sample, 0, sizeof(*sample));
	sample->time_ns = bpf_ktime_get_ns();
	sample->weight = (__u32)weight;
	sample->ifindex = ctx->ingress_ifindex;
	sample->length = seen->frame;
	sample->reason = (__u8)seen->decision.reason;
	sample->service = (__u8)seen->service;
	sample->rule = (__u8)seen->decision.rule;
	sample->flags = seen->enforced ? SHIELD_SAMPLE_ENFORCED : 0;
	if (seen->decision.reason == SHIELD_PASS_PROBE)
		sample->flags |= SHIELD_SAMPLE_PROBE;
	if (length > SHIELD_SAMPLE_OCTETS)
		length = SHIELD_SAMPLE_OCTETS;
	if (length > 0 && bpf_xdp_load_bytes(ctx, 0, sample->octets, length) == 0)
		sample->kept = (__u16)length;
	sample->flags |= seen->known;
	bpf_ringbuf_submit(sample, 0);
	total->samples++;
}

PARSE_INLINE void maybe_sample(struct xdp_md *ctx, const struct shield_config *c, struct seen *seen, __u64 now)
{
	struct shield_totals *total = bpf_map_lookup_elem(&totals, &zero);
	__u32 weight;

	if (!total || c->sample_per_tick == 0)
		return;
	/* Of probes each, which stand for themselves: they are not among those that another sample stands for. */
	weight = seen->decision.reason == SHIELD_PASS_PROBE ? 1
	                                                    : sampler_take(&total->arriving, c->sample_per_tick, now);
	if (weight) {
		seen->known = known_of(ctx, seen);
		hand_out(ctx, seen, weight, total);
	}
}

PARSE_STAGES(parse_xdp, struct xdp_md)

SEC("xdp.frags")
int shield_xdp(struct xdp_md *ctx)
{
	struct shield_key key;
	struct seen seen = { .key = &key, .service = SHIELD_SERVICE_NONE, .decision = { .rule = NO_RULE } };
	const struct shield_config *c = bpf_map_lookup_elem(&config, &zero);
	const struct shield_services *table = bpf_map_lookup_elem(&services, &zero);
	const struct shield_block_state *state = bpf_map_lookup_elem(&block_state, &zero);
	const struct shield_ruleset *set;
	struct shield_counters *counter;
	struct shield_count *count;
	__u64 now = bpf_jiffies64();
	__u32 unread, ruleset, needs;
	__u64 cookie = 0;
	int blocked;

	if (!c || !table || !state)
		return XDP_PASS;
	ruleset = c->ruleset;
	set = bpf_map_lookup_elem(&rulesets, &ruleset);
	needs = set ? set->needs : 0;
	seen.frame = (__u32)(ctx->data_end - ctx->data);
	seen.enforced = c->mode == SHIELD_ENFORCE && c->enforce_until > now;
	/*
	 * The block list is asked first and has its say in its turn: its memory comes, if it must come from afar, while all
	 * else is done.
	 */
	unread = parse_xdp(ctx, needs, &key);
	seen.decision.reason = (__u8)unread;
	if (unread != SHIELD_PASS_CLEAN && unread < SHIELD_PASS_EXTENSION)
		goto decided;
	if (shield_is_ipv4(words(key.src)))
		blocked = is_blocked4(__builtin_bswap32((__u32)(words(key.src)[1] >> 32)), state, now);
	else
		blocked = is_blocked(&key, state, now);
	seen.has_address = 1;
	if (table->count) {
		seen.service = (__u32)service_of(table, &key) & (SHIELD_SERVICES_MAX - 1);
		seen.local = table->local >> seen.service & 1;
	}
	if (c->guard_count && is_guarded(&key, c, now)) {
		seen.decision.reason = SHIELD_PASS_GUARD;
		goto decided;
	}
	if (c->allow_count && is_allowed(&key, c, now)) {
		seen.decision.reason = SHIELD_PASS_ALLOWED;
		goto decided;
	}
	if (blocked) {
		seen.decision.reason = SHIELD_DROP_BLOCK;
		goto decided;
	}
	if (set && set->count) {
		__u64 judged = judge_rules(&key, set, c, now, seen.frame);

		if (judged) {
			seen.decision.reason = (__u8)JUDGED_REASON(judged);
			seen.decision.rule = (__u16)JUDGED_COUNTER(judged);
			seen.decision.counts = (__u8)JUDGED_COUNTS(judged);
		}
	}
	if (table->limits && (seen.decision.rule == NO_RULE || seen.decision.counts)) {
		__u32 pps = table->source_pps[seen.service & (SHIELD_SERVICES_MAX - 1)];

		if (pps && over_limit(&key, c, seen.service, pps, now))
			seen.decision = (struct decision){ .reason = SHIELD_DROP_SOURCE, .rule = NO_RULE };
	}
	if (seen.local && key.field[SHIELD_F_HAS] & SHIELD_HAS_TCP && seen.decision.reason <= SHIELD_PASS_RULE &&
	    (seen.decision.rule == NO_RULE || seen.decision.counts)) {
		if (tcp_is_first(&key)) {
			cookie = tcp_cookie(ctx, &key, c, seen.service, now, seen.enforced);
			if (cookie)
				seen.decision = (struct decision){ .reason = SHIELD_TX_COOKIE, .rule = NO_RULE };
		} else {
			if (seen.enforced)
				tcp_watch_trial(ctx, &key, c, seen.service, now);
			if (tcp_is_stray(ctx, &key, c, seen.service, now))
				seen.decision = (struct decision){ .reason = SHIELD_DROP_STATE, .rule = NO_RULE };
		}
	}
decided:
	if (seen.decision.counts)
		seen.enforced = 0;
	if (seen.decision.reason <= SHIELD_PASS_LAST)
		seen.enforced = 1;
	counter = bpf_map_lookup_elem(&counters, &seen.service);
	if (counter) {
		__u32 reason = seen.decision.reason;

		if (reason >= SHIELD_REASONS)
			reason = 0;
		count = seen.enforced ? &counter->enforced[reason] : &counter->observed[reason];
		count->packets++;
		count->octets += seen.frame;
	}
	maybe_sample(ctx, c, &seen, now);
	if (seen.decision.reason <= SHIELD_PASS_LAST || !seen.enforced)
		return (int)verdict_pass;
	if (seen.decision.reason != SHIELD_TX_COOKIE || tcp_reply(ctx, (__u32)cookie) != 0)
		return XDP_DROP;
	return verdict_pass == XDP_PASS ? XDP_TX : (int)verdict_pass;
}

/* One group of buckets, once in a tick: which of them hold what has expired, and when the next of the rest does. */
APART int sweep_group(__u32 group, __u32 sequence, __u32 tick)
{
	__u32 line = group / SHIELD_BLOCK4_GROUPS, n = group % SHIELD_BLOCK4_GROUPS, next = ~0u;
	struct shield_swept4 *swept = bpf_map_lookup_elem(&block4_swept, &line);
	__u64 stale = 0;

	if (!swept)
		return 0;
	for (__u32 i = 0; i < SHIELD_BLOCK4_GROUP; i++) {
		__u32 bucket = group * SHIELD_BLOCK4_GROUP + i;
		const struct shield_block4 *lanes = bpf_map_lookup_elem(&block4, &bucket);
		const struct shield_expires4 *expires;
		__u64 expired = 0;

		if (!lanes || !(lanes->word[0] | lanes->word[1] | lanes->word[2] | lanes->word[3] << 16))
			continue;
		expires = bpf_map_lookup_elem(&block4_expires, &bucket);
		if (!expires)
			continue;
#pragma unroll
		for (int lane = 0; lane < SHIELD_BLOCK4_LANES; lane++) {
			__u32 when = expires->tick[lane];

			if (!(lanes->word[lane / 4] >> (lane % 4 * 16) & 0xffff))
				continue;
			if (when <= tick)
				expired = 1;
			else if (when < next)
				next = when;
		}
		stale |= expired << i;
	}
	swept->stale[n] = stale;
	swept->next[n] = next;
	swept->seen[n] = sequence;
	return 0;
}

struct sweep_walk {
	struct shield_sweep *sweep;
	__u32 groups;
	__u32 tick;
	__u32 left; /* groups that may still be gone through before others get the processor */
};

static long sweep_step(__u32 round, struct sweep_walk *walk)
{
	__u32 group = walk->sweep->cursor, line = group / SHIELD_BLOCK4_GROUPS, n = group % SHIELD_BLOCK4_GROUPS;
	const struct shield_due4 *due = bpf_map_lookup_elem(&block4_due, &line);
	const struct shield_swept4 *swept = bpf_map_lookup_elem(&block4_swept, &line);
	__u32 sequence, earliest;
	__u64 word;

	(void)round;
	if (group >= walk->groups || !due || !swept)
		return 1;
	word = *(volatile const __u64 *)&due->group[n];
	sequence = (__u32)(word >> 32);
	earliest = (__u32)word;
	if (sequence & 1 || swept->next[n] <= walk->tick || (sequence != swept->seen[n] && earliest <= walk->tick)) {
		if (walk->left == 0)
			return 1;
		walk->left--;
		sweep_group(group, sequence, walk->tick);
	}
	walk->sweep->cursor = group + 1;
	return 0;
}

/* Goes through what can have expired with a tick, at its beginning; if that is much, with pauses. */
static int sweep(void *map, __u32 *key, struct shield_timer *timer)
{
	const struct shield_block_state *state = bpf_map_lookup_elem(&block_state, &zero);
	__u64 now = bpf_jiffies64(), tick, pause = SWEEP_PAUSE_NS;
	struct sweep_walk walk = { .sweep = &timer->sweep, .left = SWEEP_GROUPS };

	(void)map;
	(void)key;
	if (!state)
		return 0;
	tick = now >> (state->tick_shift & 63);
	walk.tick = (__u32)tick;
	walk.groups = state->buckets4 / SHIELD_BLOCK4_GROUP;
	if (timer->sweep.at != tick) {
		timer->sweep.at = tick;
		timer->sweep.cursor = 0;
	}
	bpf_loop(SWEEP_STEPS_MAX, sweep_step, &walk, 0);
	if (timer->sweep.cursor >= walk.groups) {
		__u64 left = ((tick + 1) << (state->tick_shift & 63)) - now;

		__sync_lock_test_and_set(&timer->sweep.tick, tick); /* not before what is said of groups */
		pause = left * (1000000000u / (state->hz ? state->hz : 1));
	}
	bpf_timer_start(&timer->timer, pause, 0);
	return 0;
}

/* Run once by BPF_PROG_TEST_RUN: starts the timer, or has one that another build has started go on as this one's. */
SEC("xdp")
int shield_sweep(struct xdp_md *ctx)
{
	struct shield_timer *timer = bpf_map_lookup_elem(&block_sweep, &zero);

	(void)ctx;
	if (!timer)
		return XDP_ABORTED;
	bpf_timer_init(&timer->timer, &block_sweep, SWEEP_CLOCK_MONOTONIC); /* refused where there is one */
	if (bpf_timer_set_callback(&timer->timer, sweep) || bpf_timer_start(&timer->timer, 0, 0))
		return XDP_ABORTED;
	return XDP_PASS;
}

/* Tells the shield's clock to who runs it by BPF_PROG_TEST_RUN: the answer is put into the frame. */
SEC("xdp")
int shield_clock(struct xdp_md *ctx)
{
	struct shield_clock *clock = (void *)(long)ctx->data;

	if ((void *)(clock + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	clock->jiffies = bpf_jiffies64();
	clock->monotonic_ns = bpf_ktime_get_ns();
	return XDP_PASS;
}

static char shield_license[] SEC("license") = "Dual BSD/GPL";
