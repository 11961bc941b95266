/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What this host sends, seen where it leaves: keeps the map of flows, by which a sample of an arriving packet says
 * whether anybody here has spoken with its sender. Changes nothing and holds nothing up.
 *
 * A host answers every SYN with a SYN of its own or a RST, whoever it claims to be from: by these nobody has spoken. They
 * begin no flow, or a flood of forged SYNs would count as answered, and push out the flows of those who are there.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/probe.h"

PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_skb_load_bytes(frame->at, offset, to, length);
}

static const __u32 zero;

#define HEADERS (PARSE_ETHERNET + 4 * SHIELD_TAGS_MAX + 60 + PARSE_TCP) /* octets, of nearly all packets */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

PARSE_STAGES(parse_egress, struct __sk_buff)

PARSE_INLINE int begins_flow(const struct shield_key *key)
{
	__u32 flags = key->field[SHIELD_F_TCP_FLAGS];

	return !(flags & TCP_RST) && (flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
}

SEC("tc")
int shield_egress(struct __sk_buff *ctx)
{
	struct shield_key key = { 0 };
	struct shield_flow_key look = { 0 };
	struct shield_totals *total;
	struct shield_flow *flow;
	__u64 now;

	/* Of what is passed on, the headers may lie in fragments. Where they cannot be had in one piece, it is not known. */
	if (ctx->data_end - ctx->data < HEADERS && ctx->len > ctx->data_end - ctx->data)
		(void)bpf_skb_pull_data(ctx, ctx->len < HEADERS ? ctx->len : HEADERS);
	if (parse_egress(ctx, 0, &key) != SHIELD_PASS_CLEAN)
		return TC_ACT_UNSPEC;
	if (!(key.field[SHIELD_F_HAS] & SHIELD_HAS_PORTS))
		return TC_ACT_UNSPEC;
	__builtin_memcpy(look.src, key.dst, sizeof(look.src));
	__builtin_memcpy(look.dst, key.src, sizeof(look.dst));
	look.src_port = key.field[SHIELD_F_DST_PORT];
	look.dst_port = key.field[SHIELD_F_SRC_PORT];
	look.protocol = (__u8)key.field[SHIELD_F_PROTOCOL];
	now = bpf_jiffies64();
	flow = bpf_map_lookup_elem(&flows, &look);
	if (flow) {
		flow->last = now;
		flow->packets++;
		flow->tcp_flags |= (__u8)key.field[SHIELD_F_TCP_FLAGS];
	} else if (begins_flow(&key)) {
		struct shield_flow new = {
			.first = now,
			.last = now,
			.packets = 1,
			.tcp_flags = (__u8)key.field[SHIELD_F_TCP_FLAGS],
		};

		const struct shield_config *c = bpf_map_lookup_elem(&config, &zero);

		if ((key.field[SHIELD_F_HAS] & SHIELD_HAS_TCP) && !probe_is_syn(&key) && c)
			probe_completed(&look, c, ctx->len, now);
		if (bpf_map_update_elem(&flows, &look, &new, BPF_NOEXIST) &&
		    (total = bpf_map_lookup_elem(&totals, &zero)))
			total->flows_full++;
	}
	return TC_ACT_UNSPEC;
}

static char shield_license[] SEC("license") = "Dual BSD/GPL";
