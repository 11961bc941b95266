/* SPDX-License-Identifier: Apache-2.0 */
/* What the block list (blocks.c) and its beginning and end (blocks_life.c) share: tables, and what stands in them. */
#ifndef HOLDFAST_SHIELD_BLOCKS_INSIDE_H
#define HOLDFAST_SHIELD_BLOCKS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/shield.h"
#include "shield/blocks.h"
#include "shield/lanes.h"

#define BLOCKS_LENGTH_MAX 128
#define BLOCKS_LENGTH_GRAVE SHIELD_BLOCK6_GRAVE
#define BLOCKS_SHORT6 48 /* IPv6 prefixes shorter than this have no bits */

/* What a lane or slot holds. */
struct blocks_entry {
	__u64 address[2]; /* IPv4: in host byte order, in the first; IPv6: as they lie in memory */
	uint64_t expires; /* a lane's: a tick; IPv4 in a slot: its lower 26 bits; IPv6: jiffies */
	uint32_t length;  /* 0: empty; BLOCKS_LENGTH_GRAVE */
};

struct blocks_table {
	bool ipv4;
	uint32_t buckets, slots, probes;
	union {
		struct shield_more4 *four;
		struct shield_block6 *six;
	} at;
};

struct blocks_family {
	struct blocks_table table;
	__u64 *bits;      /* classes or bitmap, as the kernel reads them */
	__u64 *wide;      /* IPv6, in the state: of 256 bits of the bitmap each, whether one is set */
	__u64 *marks;     /* what this sweep has found to be needed */
	size_t bits_size; /* octets */
	uint32_t buckets; /* of lanes, where there are any, and of the table */
	uint32_t swept;   /* of these, this time round */
	uint32_t *count;  /* in the state */
	uint32_t lengths[BLOCKS_LENGTH_MAX + 1]; /* entries of each length */
};

struct blocks {
	struct shield_block_state *state;
	struct blocks_family families[2]; /* IPv4, IPv6 */
	struct lanes lanes;
	void *swept; /* lanes.swept, which is not to be written but to be given back */
	bool mapped; /* from descriptors, else from memory_table_new() */
};

/* Where a slot is. */
struct blocks_place {
	uint32_t bucket, slot;
};

/* Readers in the kernel take words whole, and see what was stored before a word when they see the word. */
/* NOLINTNEXTLINE(readability-non-const-parameter): it is written */
static inline void blocks_store(__u64 *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written */
static inline void blocks_store32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* An entry, or one of length 0 (empty) or BLOCKS_LENGTH_GRAVE. */
struct blocks_entry blocks_read_slot(const struct blocks_table *table, struct blocks_place place);
struct blocks_entry blocks_read_lane(const struct blocks *blocks, uint32_t bucket, unsigned lane);
bool blocks_taken(const struct blocks_entry *entry);
/* IPv4: what a lane holds of it. */
uint64_t blocks_code_of(const struct blocks_entry *entry);
/* Sets what the entry needs of classes or bitmap, in `bits`: the family's, or its marks. */
void blocks_cover(const struct blocks *blocks, const struct blocks_family *family, const struct blocks_entry *entry,
                  __u64 *bits);

/* Everything in lanes and tables once; stops where `each` returns not 0, and returns that. */
struct blocks_walk {
	const struct blocks *blocks;
	const struct blocks_family *family;
	int (*each)(const struct blocks_walk *walk, const struct blocks_entry *entry, bool in_lane, void *context);
	void *context;
};

int blocks_walk(const struct blocks_walk *walk);

#endif
