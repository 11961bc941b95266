/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it takes to ask other code for an answer, CALL_TIMES a run: no call, a function, a function that machine code
 * stands in for (freplace), a tail call from a function, and the same with a key that is handed over in a map.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "call.h"

#define APART __attribute__((noinline, weak))

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call_key);
} handed SEC(".maps");

static const __u32 zero;

/* The compiler is to know neither what an answer is nor that it is the same each time. */
static __always_inline int unknown(int answer)
{
	asm volatile("" : "+r"(answer));
	return answer;
}

APART int function(const struct call_key *key)
{
	asm volatile("" : : "r"(key));
	return unknown(1);
}

APART int extended(const struct call_key *key)
{
	asm volatile("" : : "r"(key));
	return unknown(2);
}

APART int tailed(struct xdp_md *context)
{
	bpf_tail_call_static(context, &slot, 0);
	return unknown(2);
}

static __always_inline int tailed_with_key(struct xdp_md *context, const struct call_key *key)
{
	struct call_key *to = bpf_map_lookup_elem(&handed, &zero);

	if (to)
		*to = *key;
	return tailed(context);
}

/* What has the sum of answers is found by who runs it: CALL_TIMES where each was 1. */
#define RUNS(name, ask)                                                              \
	SEC("xdp") int name(struct xdp_md *context)                                  \
	{                                                                            \
		struct call_key key = { { context->data_end - context->data } };     \
		int sum = 0;                                                         \
                                                                                     \
		_Pragma("unroll") for (int i = 0; i < CALL_TIMES; i++) sum += (ask); \
		asm volatile("" : : "r"(&key) : "memory");                           \
		return sum;                                                          \
	}

RUNS(ask_nobody, unknown(1))
RUNS(ask_function, function(&key))
RUNS(ask_extended, extended(&key))
RUNS(ask_tailed, tailed(context))
RUNS(ask_tailed_with_key, tailed_with_key(context, &key))

SEC("xdp")
int answer(struct xdp_md *context)
{
	(void)context;
	return 1;
}

SEC("xdp")
int answer_with_key(struct xdp_md *context)
{
	struct call_key *key = bpf_map_lookup_elem(&handed, &zero);

	(void)context;
	return key && key->word[0] ? 1 : 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
