/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes of one observation by which tables find it and sketches count it: made once for all of them, and, as they
 * depend on nothing but the packet and the seed, on whichever core decoded it.
 */
#ifndef HOLDFAST_MEASURE_KEYS_H
#define HOLDFAST_MEASURE_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/observation.h"

struct keys {
	uint64_t source, destination; /* of the addresses */
	uint64_t network;             /* of the source's /24 or /48 */
	uint64_t flow;                /* of the conversation, the same in both directions; never 0 */
	uint64_t draw;                /* of the conversation and the moment: the higher half of a priority in samples */
	/* which of the conversation's ends speaks: the order of ends is arbitrary, but always the same */
	bool sender_low;
};

/* All of them, of a packet; the same seed and packet give the same. */
void keys_make(struct keys *keys, const struct observation *observation, uint64_t seed);
/* The same, where the destination's hash is known: of another packet that goes there. */
void keys_make_toward(struct keys *keys, const struct observation *observation, uint64_t destination, uint64_t seed);

/*
 * The conversation between two ends alone, for packets that speak of others: tunnels, ICMP errors. `space` keeps kinds
 * of conversations apart.
 */
uint64_t keys_flow(const struct address *src, uint16_t src_port, const struct address *dst, uint16_t dst_port,
                   uint8_t protocol, uint8_t space, uint64_t seed, bool *sender_low);

#endif
