/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block list: prefixes of both families, any length from /1 on, each until it expires. It lives in maps that the
 * kernel reads (abi/shield.h says how) and one process writes, by memory that both share: a change is in force when the
 * call returns. There is one writer; the kernel reads at any time.
 *
 * What is in the tables is all there is: who takes them over needs nothing else. Who blocked what, and why, is the
 * record's business.
 */
#ifndef HOLDFAST_SHIELD_BLOCKS_H
#define HOLDFAST_SHIELD_BLOCKS_H

#include <stdint.h>

#include "base/prefix.h"
#include "shield/maps.h"

#define BLOCKS_DAYS_MAX 90 /* no block is longer: ticks in a slot of block4_more wrap */

struct blocks; /* opaque */

/*
 * The state of empty tables for `capacity` prefixes per family, `hz` jiffies a second and a secret seed. Who makes the
 * maps gives block4 and block4_expires state->buckets4 values, block4_due and block4_swept one for SHIELD_BLOCK4_GROUP
 * * SHIELD_BLOCK4_GROUPS of these, block4_more ->more4 and block6 ->buckets6, and writes the state into block_state.
 */
void blocks_begin(uint32_t capacity, uint32_t hz, uint64_t seed, struct shield_block_state *state);

/*
 * Over the maps' memory, which is mapped; what stands in the tables is taken over. -EBADMSG: the state is none that
 * blocks_begin() makes. blocks_new_private() makes tables of its own, for tests and for who has no kernel. Both leave
 * descriptors to their owner, who may close them.
 */
int blocks_new(const struct shield_maps *maps, struct blocks **blocks);
int blocks_new_private(uint32_t capacity, uint32_t hz, uint64_t seed, struct blocks **blocks);
void blocks_free(struct blocks *blocks);

/*
 * Blocks until `expires` (jiffies, rounded up to a tick of about half a second); a prefix that is there already gets
 * the new expiry. -EINVAL: length 0, or an expiry that has passed; -ERANGE: later than BLOCKS_DAYS_MAX from `now`;
 * -ENOSPC: the table has no room for it, though it may have after blocks_sweep().
 */
int blocks_add(struct blocks *blocks, const struct prefix *prefix, uint64_t now, uint64_t expires);
int blocks_remove(struct blocks *blocks, const struct prefix *prefix, uint64_t now); /* -ENOENT */
/* The longest listed prefix that holds the address and has not expired: 0, or -ENOENT. */
int blocks_find(const struct blocks *blocks, const struct address *address, uint64_t now, struct prefix *found,
                uint64_t *expires);
/* Prefixes in the tables, expired ones that nobody has swept included; room for so many in each family. */
void blocks_count(const struct blocks *blocks, uint32_t *ipv4, uint32_t *ipv6, uint32_t *capacity);
/*
 * Frees what has expired, in a part of the tables a call (`buckets` of each); wraps around. Returns how many it freed.
 * Each time it has been through a table whole, bits of its bitmap that nothing needs are cleared. Must get round within
 * BLOCKS_DAYS_MAX; once in a minute is usual.
 */
unsigned blocks_sweep(struct blocks *blocks, uint64_t now, uint32_t buckets);
/* Calls `each` for every prefix that has not expired, in no order; stops where it returns not 0, and returns that. */
int blocks_each(const struct blocks *blocks, uint64_t now,
                int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context);

#endif
