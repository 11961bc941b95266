/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate  writes a frame's source into it, drawn at random, and sends it away. Driven by live frames of
 *           BPF_PROG_TEST_RUN: the kernel keeps a frame's octets from one use to the next, so that a frame is written
 *           whole once and then only changed.
 * bare      drops: what all else is measured against.
 * pass      lets all pass: what the kernel does with frames that nobody filters.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "drop.h"

const volatile struct drop_shape shape = { 0 };

/* Knuth's MMIX generator; its high bits are what is drawn. Only one processor draws. */
__u64 drawn = 0x0123456789abcdefull;

static __always_inline void write_ip4(__u8 *frame, __u32 address)
{
	__u32 sum = shape.sum + (address >> 16) + (address & 0xffff);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	*(__u16 *)(frame + DROP_IP4_SUM) = bpf_htons(~sum & 0xffff);
	*(__u32 *)(frame + DROP_IP4_SOURCE) = bpf_htonl(address);
}

static __always_inline void write_ip6(__u8 *frame, __u32 bits)
{
	*(__u32 *)(frame + DROP_IP6_SOURCE + DROP_IP6_FIRST) = bpf_htonl(bits);
	*(__u32 *)(frame + DROP_IP6_SOURCE + DROP_IP6_SECOND) = bpf_htonl(bits);
}

SEC("xdp")
int generate(struct xdp_md *context)
{
	__u8 *frame = (__u8 *)(long)context->data, *end = (__u8 *)(long)context->data_end;
	__u32 number;

	if (frame + DROP_FRAME_MIN > end)
		return XDP_ABORTED;
	drawn = drawn * 6364136223846793005ull + 1442695040888963407ull;
	number = shape.first + (__u32)((drawn >> 32) * shape.sources >> 32);
	if (shape.ipv6)
		write_ip6(frame, drop_permute(number));
	else
		write_ip4(frame, drop_source(number));
	return (int)bpf_redirect(shape.interface, 0);
}

SEC("xdp")
int bare(struct xdp_md *context)
{
	(void)context;
	return XDP_DROP;
}

SEC("xdp")
int pass(struct xdp_md *context)
{
	(void)context;
	return XDP_PASS;
}

char _license[] SEC("license") = "Apache-2.0";
