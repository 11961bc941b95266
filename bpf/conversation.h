/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What becomes of conversations, as far as rules ask: of those that this host has answered, which a rule may spare, and
 * of probes, which it would drop and lets through.
 *
 * Of TCP a probe's conversation is remembered from its SYN on, in a fixed slot (map `probed`), so that what follows can
 * pass the same rule, and a handshake that is completed counts for it. Whether it is, this host's own packets say: it
 * sends data or an acknowledgement only where it was, so that no socket need be looked for, and what is passed on to
 * others counts as well.
 */
#ifndef HOLDFAST_BPF_CONVERSATION_H
#define HOLDFAST_BPF_CONVERSATION_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_ACK = 0x10 };

PARSE_INLINE int is_syn(const struct shield_key *key)
{
	return (key->field[SHIELD_F_HAS] & SHIELD_HAS_TCP) && (key->field[SHIELD_F_TCP_FLAGS] & TCP_SYN);
}

/* Of a packet that arrives. */
PARSE_INLINE __u64 conversation_hash(const struct shield_key *key, const struct shield_config *c)
{
	return shield_flow_hash(c->seed, (const __u64 *)(const void *)key->src, (const __u64 *)(const void *)key->dst,
	                        key->field[SHIELD_F_SRC_PORT], key->field[SHIELD_F_DST_PORT],
	                        key->field[SHIELD_F_PROTOCOL]);
}

/* Under which key the map `flows` has the conversation of a packet that arrives; the key was all 0. */
PARSE_INLINE void flow_of(const struct shield_key *key, struct shield_flow_key *flow)
{
	__builtin_memcpy(flow->src, key->src, sizeof(flow->src));
	__builtin_memcpy(flow->dst, key->dst, sizeof(flow->dst));
	flow->src_port = key->field[SHIELD_F_SRC_PORT];
	flow->dst_port = key->field[SHIELD_F_DST_PORT];
	flow->protocol = (__u8)key->field[SHIELD_F_PROTOCOL];
}

PARSE_INLINE __u64 flow_hash(const struct shield_flow_key *flow, const struct shield_config *c)
{
	return shield_flow_hash(c->seed, (const __u64 *)(const void *)flow->src, (const __u64 *)(const void *)flow->dst,
	                        flow->src_port, flow->dst_port, flow->protocol);
}

PARSE_INLINE __u8 *answered_slot(__u64 hash)
{
	__u32 slot = (__u32)(hash >> 32) & (SHIELD_ANSWERED_SLOTS - 1), line = slot / SHIELD_ANSWERED_LINE;
	struct shield_answered *found = bpf_map_lookup_elem(&answered, &line);

	return found ? &found->of[slot % SHIELD_ANSWERED_LINE] : 0;
}

/* This host has sent something that makes an answered conversation, or goes on with it. */
PARSE_INLINE void conversation_answered(__u64 hash, const struct shield_config *c, __u64 now)
{
	__u8 *slot = answered_slot(hash), is = shield_answered_at(now, c->hz);

	if (slot && *slot != is)
		*slot = is;
}

PARSE_INLINE __u64 *probed_slot(__u64 hash)
{
	__u32 slot = (__u32)hash & (SHIELD_PROBED_SLOTS - 1);

	return bpf_map_lookup_elem(&probed, &slot);
}

/* Whether the slot knows the conversation, of late. */
PARSE_INLINE int is_probed(__u64 word, __u64 hash, __u32 hz, __u64 now)
{
	return SHIELD_PROBED_IS(word, hash) && (__u32)now - (__u32)(word >> 32) < SHIELD_PROBED_S * hz;
}

/* Whether a packet belongs to a conversation of which this rule let the SYN through. */
PARSE_INLINE int probe_follows(__u64 hash, const struct shield_config *c, __u32 counter, __u64 now)
{
	__u64 *slot = probed_slot(hash), word;

	if (!slot)
		return 0;
	word = *slot;
	if (!is_probed(word, hash, c->hz, now) || (__u8)word != counter || SHIELD_PROBED_LEFT(word) == 0)
		return 0;
	*slot = SHIELD_PROBED(word >> 32, hash, SHIELD_PROBED_LEFT(word) - 1, counter);
	return 1;
}

PARSE_INLINE void probe_remember(const struct shield_key *key, const struct shield_config *c, __u32 counter, __u64 now)
{
	__u64 hash = conversation_hash(key, c), *slot = probed_slot(hash);

	if (slot)
		*slot = SHIELD_PROBED(now, hash, SHIELD_PROBED_PACKETS, counter);
}

/* A packet leaves that begins to answer a conversation, and is no answer to a SYN. */
PARSE_INLINE void probe_completed(__u64 hash, const struct shield_config *c, __u32 octets, __u64 now)
{
	__u64 *slot = probed_slot(hash), word;
	struct shield_rule_count *count;
	__u32 counter;

	if (!slot)
		return;
	word = *slot;
	if (!is_probed(word, hash, c->hz, now))
		return;
	*slot = 0;
	counter = (__u8)word;
	count = bpf_map_lookup_elem(&rule_counters, &counter);
	if (count) {
		count->completed.packets++;
		count->completed.octets += octets;
	}
}

#endif
