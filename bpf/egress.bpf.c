/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this host sends, seen where it leaves: keeps the map of flows, by which a sample of an arriving packet says
 * whether anybody here has spoken with its sender, and hands out samples of its own. Changes nothing and holds nothing
 * up.
 *
 * A host answers every SYN with a SYN of its own or a RST, whoever it claims to be from: by these nobody has spoken.
 * They begin no flow, or a flood of forged SYNs would count as answered, and push out the flows of those who are there.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/conversation.h"
#include "bpf/known.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/sampler.h"
#include "bpf/service.h"

PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(frame->at, offset, to, length);
}

static const __u32 zero;

#define HEADERS (PARSE_ETHERNET + 4 * SHIELD_TAGS_MAX + 60 + PARSE_TCP) /* octets, of nearly all packets */

PARSE_STAGES(parse_egress, struct __sk_buff)

PARSE_INLINE int begins_flow(const struct shield_key *key)
{
	__u32 flags = key->field[SHIELD_F_TCP_FLAGS];

	return !(flags & TCP_RST) && (flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
}

/* Whose a packet is that leaves: the service that it would be for if it came the other way. */
PARSE_INLINE __u32 sender_of(const struct shield_key *key)
{
	const struct shield_services *table = bpf_map_lookup_elem(&services, &zero);
	struct shield_key back = { 0 };

	if (!table || !table->count)
		return SHIELD_SERVICE_NONE;
	__builtin_memcpy(back.dst, key->src, sizeof(back.dst));
	back.field[SHIELD_F_DST_PORT] = key->field[SHIELD_F_SRC_PORT];
	back.field[SHIELD_F_PROTOCOL] = key->field[SHIELD_F_PROTOCOL];
	return (__u32)service_of(table, &back) & (SHIELD_SERVICES_MAX - 1);
}

/* Hands out a sample. `key` is NULL of what has no addresses. */
static __attribute__((noinline)) void hand_out(struct __sk_buff *ctx, const struct shield_key *key, __u32 reason,
                                               __u32 weight, struct shield_totals *total)
{
	struct shield_sample *sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	__u32 length = ctx->len;

	if (!sample) {
		total->samples_lost++;
		return;
	}
	__builtin_memset(sample, 0, sizeof(*sample));
	sample->time_ns = bpf_ktime_get_ns();
	sample->weight = weight;
	sample->ifindex = ctx->ifindex;
	sample->length = ctx->len;
	sample->reason = (__u8)reason;
	sample->service = (__u8)(key ? sender_of(key) : SHIELD_SERVICE_NONE);
	sample->rule = (__u8)~0u;
	sample->flags = SHIELD_SAMPLE_ENFORCED | SHIELD_SAMPLE_SENT;
	if (length > SHIELD_SAMPLE_OCTETS)
		length = SHIELD_SAMPLE_OCTETS;
	if (length > 0 && bpf_skb_load_bytes(ctx, 0, sample->octets, length) == 0)
		sample->kept = (__u16)length;
	bpf_ringbuf_submit(sample, 0);
	total->samples++;
}

PARSE_INLINE void maybe_sample(struct __sk_buff *ctx, const struct shield_config *c, const struct shield_key *key,
                               __u32 reason, __u64 now)
{
	struct shield_totals *total = bpf_map_lookup_elem(&totals, &zero);
	__u32 weight;

	if (!total)
		return;
	weight = sampler_take(&total->leaving, c->sample_sent_per_tick, now);
	if (weight)
		hand_out(ctx, reason == SHIELD_PASS_CLEAN || reason >= SHIELD_PASS_EXTENSION ? key : NULL, reason,
		         weight, total);
}

/* A TCP connection has come about: this host begins to send in it, and more than the answer to a SYN. */
static __attribute__((noinline)) void connected(const struct shield_key *key, __u64 hash, const struct shield_config *c,
                                                __u32 octets, __u64 now)
{
	__u32 service = sender_of(key), length = c->hz / SHIELD_TCP_SLOTS;
	struct shield_tcp_state *state = bpf_map_lookup_elem(&tcp_states, &service);

	/* In the slot that SYNs began; where there are none that matter, nobody asks. */
	if (state && service != SHIELD_SERVICE_NONE && state->slot + 1 >= now / (length ? length : 1))
		__sync_fetch_and_add(&state->connected, 1);
	probe_completed(hash, c, octets, now);
}

/* Notes whom a service answers: one who is new, where a conversation begins; else only who is noted. */
static __attribute__((noinline)) void know(const struct shield_key *key, const struct shield_config *c, __u64 now,
                                           __u32 may_be_new)
{
	known_note(sender_of(key), words(key->dst), c, now, may_be_new);
}

/* This host sends in a conversation. */
PARSE_INLINE void note_flow(const struct shield_key *key, const struct shield_config *c, __u32 octets, __u64 now)
{
	struct shield_flow_key look = { 0 };
	struct shield_totals *total;
	struct shield_flow *flow;
	__u64 hash;

	__builtin_memcpy(look.src, key->dst, sizeof(look.src));
	__builtin_memcpy(look.dst, key->src, sizeof(look.dst));
	look.src_port = key->field[SHIELD_F_DST_PORT];
	look.dst_port = key->field[SHIELD_F_SRC_PORT];
	look.protocol = (__u8)key->field[SHIELD_F_PROTOCOL];
	hash = flow_hash(&look, c);
	flow = bpf_map_lookup_elem(&flows, &look);
	if (flow) {
		if (shield_known_tick(flow->last, c->hz) != shield_known_tick(now, c->hz))
			know(key, c, now, 0);
		flow->last = now;
		flow->packets++;
		flow->tcp_flags |= (__u8)key->field[SHIELD_F_TCP_FLAGS];
	} else if (begins_flow(key)) {
		struct shield_flow new = {
			.first = now,
			.last = now,
			.packets = 1,
			.tcp_flags = (__u8)key->field[SHIELD_F_TCP_FLAGS],
		};

		if ((key->field[SHIELD_F_HAS] & SHIELD_HAS_TCP) && !is_syn(key))
			connected(key, hash, c, octets, now);
		if (!is_syn(key))
			know(key, c, now, 1);
		if (bpf_map_update_elem(&flows, &look, &new, BPF_NOEXIST) &&
		    (total = bpf_map_lookup_elem(&totals, &zero)))
			total->flows_full++;
	} else {
		return;
	}
	conversation_answered(hash, c, now);
}

SEC("tc")
int shield_egress(struct __sk_buff *ctx)
{
	const struct shield_config *c = bpf_map_lookup_elem(&config, &zero);
	struct shield_key key = { 0 };
	__u64 now = bpf_jiffies64();
	__u32 reason;

	if (!c)
		return TC_ACT_UNSPEC;
	/*
	 * Of what is passed on, the headers may lie in fragments. Where they cannot be had in one piece, it is not
	 * known.
	 */
	if (ctx->data_end - ctx->data < HEADERS && ctx->len > ctx->data_end - ctx->data)
		(void)bpf_skb_pull_data(ctx, ctx->len < HEADERS ? ctx->len : HEADERS);
	reason = parse_egress(ctx, 0, &key);
	if (reason == SHIELD_PASS_CLEAN && key.field[SHIELD_F_HAS] & SHIELD_HAS_PORTS)
		note_flow(&key, c, ctx->len, now);
	maybe_sample(ctx, c, &key, reason, now);
	return TC_ACT_UNSPEC;
}

static char shield_license[] SEC("license") = "Dual BSD/GPL";
