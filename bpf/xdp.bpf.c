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
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/probe.h"

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

/* A bit's number, by a De Bruijn sequence, for there is no instruction for it. */
static const __u8 bit_number[64] = {
	0,  1,  48, 2,  57, 49, 28, 3,  61, 58, 50, 42, 38, 29, 17, 4,  62, 55, 59, 36, 53, 51,
	43, 22, 45, 39, 33, 30, 24, 18, 12, 5,  63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21,
	44, 32, 23, 11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9,  13, 8,  7,  6,
};

PARSE_INLINE __u32 lowest_bit(__u64 bits)
{
	return bit_number[((bits & -bits) * 0x03f79d71b4cb0a89ULL) >> 58];
}

/* The two words of an address as they lie in memory; keys are aligned to 8. */
PARSE_INLINE const __u64 *words(const __u8 address[16])
{
	return (const __u64 *)(const void *)address;
}

/*
 * Functions marked APART are verified once and by themselves, whatever calls them: what they are called from is no harder
 * to verify for the loops in them. The verifier lets their pointers be NULL, so they ask.
 */
#define APART __attribute__((noinline))

APART int ports_hold(const struct shield_services *table, const struct shield_key *key, __u32 first, __u32 count)
{
	if (!table || !key)
		return 0;
	for (__u32 i = 0; i < SHIELD_SERVICE_PORTS_MAX && i < count; i++) {
		const struct shield_service_ports *ports = &table->ports[(first + i) & (SHIELD_SERVICE_PORTS_MAX - 1)];
		__u16 port = key->field[SHIELD_F_DST_PORT];

		if (ports->protocol == key->field[SHIELD_F_PROTOCOL] && port >= ports->low && port <= ports->high)
			return 1;
	}
	return 0;
}

APART int service_of(const struct shield_services *table, const struct shield_key *key)
{
	const __u64 *dst;
	__u64 candidates;

	if (!table || !key)
		return SHIELD_SERVICE_NONE;
	dst = words(key->dst);
	candidates = table->by_dst[shield_fold(dst)];
	for (int i = 0; i < SHIELD_SERVICE_PREFIXES_MAX && candidates; i++) {
		const struct shield_service_prefix *prefix =
			&table->prefixes[lowest_bit(candidates) & (SHIELD_SERVICE_PREFIXES_MAX - 1)];

		candidates &= candidates - 1;
		if (shield_prefix_holds(prefix->mask, prefix->value, dst) &&
		    (prefix->ports == 0 || ports_hold(table, key, prefix->first_port, prefix->ports)))
			return prefix->service & (SHIELD_SERVICES_MAX - 1);
	}
	return SHIELD_SERVICE_NONE;
}

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

/*
 * Takes a token from a bucket in one word that gains `pps` a second and holds `most`, but at least one: no more than a
 * second's, for after a second without a packet it is full. BUCKET_EMPTY, or BUCKET_CONTENDED: two CPUs may meet here; who
 * comes second tries again, and at the last goes without. Who began before a jiffy's end may come after one who began
 * behind it: to him the bucket's time is ahead, nothing has been gained, and its time stays.
 */
enum { BUCKET_EMPTY, BUCKET_TAKEN, BUCKET_CONTENDED };

APART int take_token(__u64 *bucket, __u32 pps, __u64 most, __u32 hz, __u64 now)
{
	__u64 full = most * SHIELD_TOKEN;

	if (!bucket)
		return BUCKET_TAKEN;
	if (full < SHIELD_TOKEN)
		full = SHIELD_TOKEN;
	if (full > 0xffffffff)
		full = 0xffffffff;
#pragma unroll
	for (int attempt = 0; attempt < 3; attempt++) {
		__u64 was = *(volatile __u64 *)bucket, level = was & 0xffffffff, time = was >> 32, is;
		__u32 elapsed = (__u32)now - (__u32)time;

		/* A bucket that nobody has used, or not for long, is full. */
		if (was == 0 || (elapsed >= hz && -elapsed >= hz)) {
			level = full;
			time = now & 0xffffffff;
		} else if (elapsed < hz) {
			level += (__u64)elapsed * pps * SHIELD_TOKEN / (hz ? hz : 1);
			time = now & 0xffffffff;
		}
		if (level > full)
			level = full;
		if (level < SHIELD_TOKEN)
			return BUCKET_EMPTY;
		level -= SHIELD_TOKEN;
		is = time << 32 | level;
		if (__sync_val_compare_and_swap(bucket, was, is) == was)
			return BUCKET_TAKEN;
	}
	return BUCKET_CONTENDED;
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

PARSE_INLINE struct shield_rule_state *state_of(const struct shield_rule *rule)
{
	__u32 counter = rule->counter;

	return bpf_map_lookup_elem(&rule_states, &counter);
}

/*
 * Whether a rule that arms acts. Matches at its rate put off the end of that; for a sixteenth of a second after they did
 * there is nothing to write, so that a flood only reads.
 */
APART int is_active(const struct shield_rule *rule, const struct shield_config *c, __u64 now)
{
	struct shield_rule_state *state;
	__u64 until;

	if (!rule || !c)
		return 0;
	state = state_of(rule);
	if (!state)
		return 1;
	until = *(volatile __u64 *)&state->active_until;
	if (until > now && now + rule->hold - until < c->hz / 16)
		return 1;
	if (take_token(&state->arm, rule->arm_pps, rule->arm_pps / 10, c->hz, now) == BUCKET_EMPTY) {
		*(volatile __u64 *)&state->active_until = now + rule->hold;
		return 1;
	}
	return until > now;
}

/* Whether a packet that is about to be dropped belongs to a conversation that this host has answered, and may pass. */
enum { SPARE_UNKNOWN, SPARE_OVER, SPARE_PASS };

APART int is_spared(const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	struct shield_flow_key look = { 0 };
	struct shield_flow *flow;

	if (!key || !c)
		return SPARE_UNKNOWN;
	__builtin_memcpy(look.src, key->src, sizeof(look.src));
	__builtin_memcpy(look.dst, key->dst, sizeof(look.dst));
	look.src_port = key->field[SHIELD_F_SRC_PORT];
	look.dst_port = key->field[SHIELD_F_DST_PORT];
	look.protocol = (__u8)key->field[SHIELD_F_PROTOCOL];
	flow = bpf_map_lookup_elem(&flows, &look);
	if (!flow || now - flow->last > SHIELD_SPARE_IDLE_S * c->hz)
		return SPARE_UNKNOWN;
	return take_token(&flow->spare, SHIELD_SPARE_PPS, SHIELD_SPARE_PPS, c->hz, now) == BUCKET_TAKEN ? SPARE_PASS
	                                                                                                : SPARE_OVER;
}

/* Whether a packet that is about to be dropped passes as a probe, or behind one. */
enum { PROBE_NOT, PROBE_BEGINS, PROBE_FOLLOWS };

APART int is_probe(const struct shield_rule *rule, struct shield_rule_count *count, const struct shield_key *key,
                   const struct shield_config *c, __u64 now)
{
	struct shield_rule_state *state;

	if (!rule || !count || !key || !c)
		return PROBE_NOT;
	if ((key->field[SHIELD_F_HAS] & SHIELD_HAS_TCP) && !probe_is_syn(key) &&
	    probe_follows(key, c, rule->counter, now))
		return PROBE_FOLLOWS;
	/* The gaps are random, so that no period of what comes decides which packets pass. */
	if (count->until_probe == 0)
		count->until_probe = 1 + bpf_get_prandom_u32() % (2 * SHIELD_PROBE_INTERVAL - 1);
	if (--count->until_probe)
		return PROBE_NOT;
	state = state_of(rule);
	if (!state || take_token(&state->probe, SHIELD_PROBE_PPS, SHIELD_PROBE_PPS / 10, c->hz, now) != BUCKET_TAKEN)
		return PROBE_NOT;
	return PROBE_BEGINS;
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

/* What a rule that acts, or would, makes of a packet; the counts are its own. */
PARSE_INLINE enum shield_reason apply_rule(const struct shield_rule *rule, struct shield_rule_count *count,
                                           const struct shield_key *key, const struct shield_config *c, __u64 now,
                                           __u32 frame)
{
	enum shield_reason drop = SHIELD_DROP_RULE;
	struct shield_rule_state *state;

	if (rule->action == SHIELD_COUNT)
		return SHIELD_PASS_RULE;
	if (rule->action == SHIELD_RATE) {
		drop = SHIELD_DROP_RATE;
		state = state_of(rule);
		if (!state || take_token(&state->rate, rule->rate_pps, rule->rate_pps / 10, c->hz, now) == BUCKET_TAKEN)
			return SHIELD_PASS_RULE;
	}
	if (rule->flags & SHIELD_RULE_SPARE) {
		int spared = is_spared(key, c, now);

		if (spared != SPARE_UNKNOWN)
			add_packet(&count->answered, frame);
		if (spared == SPARE_PASS) {
			add_packet(&count->spared, frame);
			return SHIELD_PASS_ANSWERED;
		}
	}
	if (rule->flags & SHIELD_RULE_PROBE) {
		int probe = is_probe(rule, count, key, c, now);

		if (probe == PROBE_BEGINS)
			add_packet(&count->probes, frame);
		if (probe != PROBE_NOT)
			return SHIELD_PASS_PROBE;
	}
	add_packet(&count->dropped, frame);
	return drop;
}

/* A packet meets a rule. */
APART __u64 meet_rule(const struct shield_rule *rule, const struct shield_key *key, const struct shield_config *c,
                      __u64 now, __u32 frame)
{
	struct shield_rule_count *count;
	__u32 counter;

	if (!rule || !key || !c)
		return 0;
	counter = rule->counter;
	count = bpf_map_lookup_elem(&rule_counters, &counter);
	if (!count)
		return 0;
	add_packet(&count->matched, frame);
	count->last = now;
	if (rule->arm_pps && !is_active(rule, c, now))
		return 0;
	return JUDGED(apply_rule(rule, count, key, c, now, frame), counter,
	              rule->action == SHIELD_COUNT || rule->flags & SHIELD_RULE_SHADOW);
}

PARSE_INLINE int weight_of(__u64 judged)
{
	enum shield_reason reason = JUDGED_REASON(judged);

	return judged == 0 ? 0 : reason == SHIELD_PASS_PROBE ? 3 : reason > SHIELD_PASS_LAST ? 2 : 1;
}

/* Of what two rules say, neither of which has decided before the other spoke. */
APART __u64 of_two(__u64 judged, __u64 says)
{
	return (says && !JUDGED_COUNTS(says)) || weight_of(says) > weight_of(judged) ? says : judged;
}

APART __u64 judge_rules(const struct shield_key *key, const struct shield_ruleset *set, const struct shield_config *c,
                        __u64 now, __u32 frame)
{
	__u64 candidates, judged = 0;

	if (!key || !set || !c)
		return 0;
	candidates = set->by_protocol[key->field[SHIELD_F_PROTOCOL] & (SHIELD_BINS - 1)] &
	             set->by_src_port[SHIELD_PORT_BIN(key->field[SHIELD_F_SRC_PORT])] &
	             set->by_dst_port[SHIELD_PORT_BIN(key->field[SHIELD_F_DST_PORT])] &
	             set->by_length[SHIELD_LENGTH_BIN(key->field[SHIELD_F_LENGTH]) & (SHIELD_BINS - 1)];
	for (int i = 0; i < SHIELD_RULES_MAX && candidates; i++) {
		const struct shield_rule *rule = &set->rules[lowest_bit(candidates) & (SHIELD_RULES_MAX - 1)];

		candidates &= candidates - 1;
		if (rule->expires <= now || !rule_holds(rule, key))
			continue;
		judged = of_two(judged, meet_rule(rule, key, c, now, frame));
		if (judged && !JUDGED_COUNTS(judged))
			break;
	}
	if (JUDGED_REASON(judged) == SHIELD_PASS_PROBE && probe_is_syn(key))
		probe_remember(key, c, JUDGED_COUNTER(judged), now);
	return judged;
}

PARSE_INLINE int over_limit(const struct shield_key *key, const struct shield_config *c, __u32 service, __u32 pps,
                            __u64 now)
{
	const __u64 *src = words(key->src);
	__u64 *bucket, hash;
	__u32 slot;

	/* Of an IPv6 source the /64: one customer. An IPv4 address lies in the second word. */
	hash = shield_mix((shield_is_ipv4(src) ? src[1] : src[0]) ^ c->seed ^ service);
	slot = (__u32)hash & (SHIELD_LIMIT_SLOTS - 1);
	bucket = bpf_map_lookup_elem(&source_buckets, &slot);
	/* Somebody who opens a page sends several at once, and then waits: a second's worth may come in one go. */
	return bucket && take_token(bucket, pps, pps, c->hz, now) != BUCKET_TAKEN;
}

struct decision {
	enum shield_reason reason;
	__u32 rule;   /* counter of the rule that decided, or ~0 */
	__u32 counts; /* it only counts */
};

struct seen {
	const struct shield_key *key;
	__u32 frame; /* octets */
	__u32 service;
	__u32 has_address;
	__u32 enforced;
	struct decision decision;
};

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
	if (seen->has_address) {
		struct shield_flow_key flow = {
			.src_port = seen->key->field[SHIELD_F_SRC_PORT],
			.dst_port = seen->key->field[SHIELD_F_DST_PORT],
			.protocol = (__u8)seen->key->field[SHIELD_F_PROTOCOL],
		};

		__builtin_memcpy(flow.src, seen->key->src, sizeof(flow.src));
		__builtin_memcpy(flow.dst, seen->key->dst, sizeof(flow.dst));
		if (bpf_map_lookup_elem(&flows, &flow))
			sample->flags |= SHIELD_SAMPLE_ANSWERED;
	}
	bpf_ringbuf_submit(sample, 0);
	total->samples++;
}

/* The interval for the tick that begins: half as long for each tick that ended with less than a quarter of the budget. */
PARSE_INLINE void begin_tick(struct shield_totals *total, __u32 budget, __u64 tick)
{
	__u64 ticks = tick - total->tick;

	/* Of ticks that have passed since, only one was not empty. */
	if (ticks > 0 && total->taken * 4 >= budget)
		ticks--;
	total->interval >>= ticks < 32 ? ticks : 32;
	if (total->interval == 0)
		total->interval = 1;
	total->tick = tick;
	total->taken = 0;
}

/*
 * One packet in `interval` is sampled; the interval follows the budget. A sample stands for the packets that were passed
 * over since the one before, itself among them, whatever the interval was meanwhile: weights add up to what came.
 */
PARSE_INLINE void maybe_sample(struct xdp_md *ctx, const struct shield_config *c, const struct seen *seen, __u64 now)
{
	struct shield_totals *total = bpf_map_lookup_elem(&totals, &zero);
	__u64 tick = now >> SHIELD_SAMPLE_SHIFT;
	__u32 budget = c->sample_per_tick;

	if (!total || budget == 0)
		return;
	if (total->tick < tick)
		begin_tick(total, budget, tick);
	/* Of probes each, which stand for themselves: they are not among those that another sample stands for. */
	if (seen->decision.reason == SHIELD_PASS_PROBE) {
		hand_out(ctx, seen, 1, total);
		total->taken++;
		return;
	}
	if (++total->passed_over < total->interval)
		return;
	hand_out(ctx, seen, total->passed_over, total);
	total->passed_over = 0;
	total->taken++;
	if (total->taken % budget == 0 && total->interval < SHIELD_SAMPLE_WEIGHT_MAX)
		total->interval <<= 1;
}

PARSE_STAGES(parse_xdp, struct xdp_md)

SEC("xdp.frags")
int shield_xdp(struct xdp_md *ctx)
{
	struct shield_key key;
	struct seen seen = { .key = &key, .service = SHIELD_SERVICE_NONE, .decision = { .rule = ~0u } };
	const struct shield_config *c = bpf_map_lookup_elem(&config, &zero);
	const struct shield_services *table = bpf_map_lookup_elem(&services, &zero);
	const struct shield_block_state *state = bpf_map_lookup_elem(&block_state, &zero);
	const struct shield_ruleset *set;
	struct shield_counters *counter;
	struct shield_count *count;
	__u64 now = bpf_jiffies64();
	__u32 unread, ruleset, needs;
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
	seen.decision.reason = unread;
	if (unread != SHIELD_PASS_CLEAN && unread < SHIELD_PASS_EXTENSION)
		goto decided;
	if (shield_is_ipv4(words(key.src)))
		blocked = is_blocked4(__builtin_bswap32((__u32)(words(key.src)[1] >> 32)), state, now);
	else
		blocked = is_blocked(&key, state, now);
	seen.has_address = 1;
	if (table->count)
		seen.service = (__u32)service_of(table, &key) & (SHIELD_SERVICES_MAX - 1);
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
			seen.decision.reason = JUDGED_REASON(judged);
			seen.decision.rule = JUDGED_COUNTER(judged);
			seen.decision.counts = JUDGED_COUNTS(judged);
		}
	}
	if (table->limits && (seen.decision.rule == ~0u || seen.decision.counts)) {
		__u32 pps = table->source_pps[seen.service & (SHIELD_SERVICES_MAX - 1)];

		if (pps && over_limit(&key, c, seen.service, pps, now))
			seen.decision = (struct decision){ .reason = SHIELD_DROP_SOURCE, .rule = ~0u };
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
	if (seen.decision.reason > SHIELD_PASS_LAST && seen.enforced)
		return XDP_DROP;
	return (int)verdict_pass;
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
