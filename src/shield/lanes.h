/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lanes of IPv4's block list: block4, block4_expires, and what the writer tells the kernel of them in block4_due.
 * abi/shield.h has the format. Here prefixes are codes (shield_code4), times are ticks; what there is no lane for, and
 * all that is counted, is the business of blocks.c.
 *
 * The kernel, which reads at any time, believes what it finds in a lane until the tick that the lane's expiry says, for
 * the expiry is there before the lane is, and both before the group's word in block4_due says that nothing is being
 * changed any more. Who dies in between leaves a word that has the kernel look at that group's expiries at every tick.
 */
#ifndef HOLDFAST_SHIELD_LANES_H
#define HOLDFAST_SHIELD_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"

struct lanes {
	const struct shield_block_state *state;
	struct shield_block4 *buckets;
	struct shield_expires4 *expires;
	struct shield_due4 *due;
	const struct shield_swept4 *swept; /* the kernel's */
	uint64_t inverse;                  /* of state->times4 */
};

#define LANES_NONE SHIELD_BLOCK4_LANES

/* What lanes_seek() finds of a code in its bucket; lanes are LANES_NONE where there is none. */
struct lanes_place {
	uint32_t bucket;
	uint32_t remainder;
	unsigned has;     /* the lane that has it */
	unsigned empty;   /* one that is empty; always none for remainder 0 */
	unsigned expired; /* one whose prefix has expired; the same */
};

/* state's geometry is taken as it is: who calls has seen that it is sound. */
void lanes_init(struct lanes *lanes);
struct lanes_place lanes_seek(const struct lanes *lanes, uint64_t code, uint64_t tick);
/* Of a lane: 0 where it is empty, else a code, which need be none of a prefix if others have written there. */
uint64_t lanes_code(const struct lanes *lanes, uint32_t bucket, unsigned lane);
/* The code that is in this bucket by this remainder: shield_place4() undone. */
uint64_t lanes_code_at(const struct lanes *lanes, uint32_t bucket, uint32_t remainder);
uint32_t lanes_expires(const struct lanes *lanes, uint32_t bucket, unsigned lane);
/* Whether there is anything in the bucket's lanes. */
bool lanes_any(const struct lanes *lanes, uint32_t bucket);

/* Puts the remainder, which is not 0, into this lane of the bucket, whatever it had, until `tick`. */
void lanes_put(struct lanes *lanes, uint32_t bucket, unsigned lane, uint32_t remainder, uint32_t tick);
/* Empties it. */
void lanes_take(struct lanes *lanes, uint32_t bucket, unsigned lane);
/* Has the kernel look at the bucket's group at the next tick: what has expired there has been taken out. */
void lanes_look_again(struct lanes *lanes, uint32_t bucket);

/* How many stand in block4_more in the bucket's stead. */
uint32_t lanes_more(const struct lanes *lanes, uint32_t bucket);
void lanes_set_more(struct lanes *lanes, uint32_t bucket, uint32_t count);
#define LANES_MORE_MAX 0xffff

#endif
