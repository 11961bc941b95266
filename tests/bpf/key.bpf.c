/* SPDX-License-Identifier: Apache-2.0 */
/* What the shield's parser makes of a frame, where a test can read it. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/parse.h"
#include "tests/bpf/key.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct key_answer);
} answer SEC(".maps");

PARSE_INLINE long parse_load(const struct parse_frame *frame, __u32 offset, void *to, __u32 length)
{
	return bpf_xdp_load_bytes(frame->at, offset, to, length);
}

PARSE_STAGES(parse_key, struct xdp_md)

SEC("xdp.frags")
int tell_key(struct xdp_md *ctx)
{
	struct shield_key key = { 0 };
	struct key_answer *told;
	__u32 zero = 0;

	told = bpf_map_lookup_elem(&answer, &zero);
	if (!told)
		return XDP_ABORTED;
	told->reason = parse_key(ctx, SHIELD_NEED_OPTIONS | SHIELD_NEED_PAYLOAD, &key);
	__builtin_memcpy(&told->key, &key, sizeof(key));
	return XDP_PASS;
}

static char key_license[] SEC("license") = "Dual BSD/GPL";
