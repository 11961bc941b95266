/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The program that each arriving frame meets: parse, then the operator's way in, allow list, block list, rules, limits,
 * in that order, the first that has a say deciding; then it is counted, and now and then a sample of it handed out.
 * Before all of these IPv6's neighbour discovery passes, as ARP does: a host that does not answer its router is gone.
 *
 * What costs here is memory that is in no cache, and calls of helpers, not instructions. So small bitmaps stand before
 * large tables, a token bucket is one word in a fixed place, time is jiffies, and what no rule asks for is not read.
 * Nothing here ends the way of a packet for any reason but those of enum shield_reason: what cannot be looked up
 * passes.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/rules.h"
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

/*
 * Solicitations, advertisements, redirects (RFC 4861), which are not fragmented (RFC 6980). The hop limit shows that no
 * router passed them on: from afar nobody can send such a packet.
 */
PARSE_INLINE int is_discovery(const struct shield_key *key)
{
	return key->field[SHIELD_F_PROTOCOL] == PARSE_ICMPV6 && key->field[SHIELD_F_TTL] == 255 &&
	       (__u16)(key->field[SHIELD_F_ICMP_TYPE] - 133) <= 137 - 133 &&
	       (key->field[SHIELD_F_HAS] & (SHIELD_HAS_ICMP | SHIELD_HAS_IPV6 | SHIELD_HAS_FRAGMENT)) ==
	               (SHIELD_HAS_ICMP | SHIELD_HAS_IPV6);
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

/*
 * Whether the lane that is this remainder has not expired. That it still is when its expiry is read says whose that is.
 */
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

APART int is_blocked6(const struct shield_key *key, const struct shield_block_state *state, __u64 now)
{
	const struct shield_bits *bits;
	__u32 bit, line;
	__u64 lengths;
	int near;

	if (!key || !state || !(state->lengths6[0] | state->lengths6[1]) || now >= state->horizon)
		return 0;
	bit = shield_block6_bit(state->seed, words(key->src)[0] & mask_be(SHIELD_BLOCK6_SHORT));
	line = bit / 64 / SHIELD_BLOCK_WORDS;
	bits = bpf_map_lookup_elem(&block6_bits, &line);
	near = bits && shield_block_wide(state->wide6, bit) &&
	       (bits->word[bit / 64 % SHIELD_BLOCK_WORDS] >> (bit % 64) & 1);
	lengths = state->lengths6[0];
	if (!near)
		lengths &= (1ULL << (SHIELD_BLOCK6_SHORT - 1)) - 1;
	if (lengths && in_lengths6(state, key, lengths, 1, now))
		return 1;
	return near && state->lengths6[1] && in_lengths6(state, key, state->lengths6[1], 65, now);
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
	 * The block list is asked first and has its say in its turn: its memory comes, if it must come from afar, while
	 * all else is done.
	 */
	unread = parse_xdp(ctx, needs, &key);
	seen.decision.reason = (__u8)unread;
	if (unread != SHIELD_PASS_CLEAN && unread < SHIELD_PASS_EXTENSION)
		goto decided;
	if (shield_is_ipv4(words(key.src)))
		blocked = is_blocked4(__builtin_bswap32((__u32)(words(key.src)[1] >> 32)), state, now);
	else
		blocked = is_blocked6(&key, state, now);
	seen.has_address = 1;
	if (table->count) {
		seen.service = (__u32)service_of(table, &key) & (SHIELD_SERVICES_MAX - 1);
		seen.local = table->local >> seen.service & 1;
	}
	if (is_discovery(&key))
		goto decided;
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
