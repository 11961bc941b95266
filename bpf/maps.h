/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of the shield, each with why it is of its kind; their shapes stand in abi/shield.h. Their names are those of
 * shield_map_name(). Sizes that depend on the block list's capacity are set before loading.
 */
#ifndef HOLDFAST_BPF_MAPS_H
#define HOLDFAST_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"

/* Arrays of one value: a look-up of a constant key is an address, and costs nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_config);
} config SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shield_services);
} services SEC(".maps") __weak;

/* A trie: exact for nested prefixes. It is slow, and asked only where allow_bins says that it may know something. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, SHIELD_ALLOW_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct shield_allow_key);
	__type(value, struct shield_allow);
} allow SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_RULESETS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_ruleset);
} rulesets SEC(".maps") __weak;

/* What counts is per CPU: no cache line travels. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHIELD_RULE_COUNTERS);
	__type(key, __u32);
	__type(value, struct shield_rule_count);
} rule_counters SEC(".maps") __weak;

/* One for all CPUs: limits and what arms are the host's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_RULE_COUNTERS);
	__type(key, __u32);
	__type(value, struct shield_rule_state);
} rule_states SEC(".maps") __weak;

/* Near, where flows are far. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_ANSWERED_SLOTS / SHIELD_ANSWERED_LINE);
	__type(key, __u32);
	__type(value, struct shield_answered);
} answered SEC(".maps") __weak;

/* Fixed slots as well: what is in it is old after seconds, and who probes does so at a bounded rate. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_PROBED_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} probed SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_RULE_COUNTERS);
	__type(key, __u32);
	__type(value, struct shield_note);
} notes SEC(".maps") __weak;

/* Fixed slots instead of a table that remembers who was used last: a flood from random sources would churn that. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_LIMIT_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} source_buckets SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHIELD_SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct shield_counters);
} counters SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shield_totals);
} totals SEC(".maps") __weak;

/* What is decided of a service holds on all CPUs; what each of them counts until it tells the others is its own. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct shield_tcp_state);
} tcp_states SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHIELD_SERVICES_MAX);
	__type(key, __u32);
	__type(value, struct shield_tcp_watch);
} tcp_watches SEC(".maps") __weak;

/* A value is made when its interface first needs one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SHIELD_INTERFACES_MAX);
	__type(key, __u32);
	__type(value, struct shield_trial);
} trials SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SHIELD_RING_OCTETS);
} samples SEC(".maps") __weak;

/*
 * Only what this host itself sends gets in, and only samples ask, and rules that spare where `answered` says that it
 * may know something: being the slow kind of table costs no flood.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SHIELD_FLOWS_MAX);
	__type(key, struct shield_flow_key);
	__type(value, struct shield_flow);
} flows SEC(".maps") __weak;

/* One line of memory a look-up. Fixed slots, so that whoever comes with many addresses costs no more than a few. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_KNOWN_LINES);
	__type(key, __u32);
	__type(value, struct shield_known);
} known SEC(".maps") __weak;

/* The block list is memory that its writer shares: a prefix is in force by one store, with no system call. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_block_state);
} block_state SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_CLASSES / SHIELD_CLASSES_LINE);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_classes);
} block4_classes SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_BLOCK4_BUCKETS_MIN);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_block4);
} block4 SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_BLOCK4_BUCKETS_MIN);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_expires4);
} block4_expires SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_BLOCK4_BUCKETS_MIN / SHIELD_BLOCK4_GROUP / SHIELD_BLOCK4_GROUPS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_due4);
} block4_due SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_more4);
} block4_more SEC(".maps") __weak;

/* The kernel's own word on what has expired. Its writer may read it, by shared memory too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_BLOCK4_BUCKETS_MIN / SHIELD_BLOCK4_GROUP / SHIELD_BLOCK4_GROUPS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_swept4);
} block4_swept SEC(".maps") __weak;

/* A timer lives as long as somebody has its map: the pin does. */
struct shield_timer {
	struct bpf_timer timer;
	struct shield_sweep sweep;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shield_timer);
} block_sweep SEC(".maps") __weak;

struct shield_bits {
	__u64 word[SHIELD_BLOCK_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHIELD_BLOCK_BITS / 64 / SHIELD_BLOCK_WORDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_bits);
} block6_bits SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct shield_block6);
} block6 SEC(".maps") __weak;

#endif
