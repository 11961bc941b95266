/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fast keyed 64-bit mix for tables and sketches: folded 64x64->128 multiplication, as in wyhash and the multilinear
 * family. Not for authentication: an adversary who learns the seed can build collisions, so live systems keep it
 * secret.
 */
#ifndef HOLDFAST_BASE_HASH_H
#define HOLDFAST_BASE_HASH_H

#include <stdint.h>
#include <string.h>

#include "base/prefix.h"

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_2(uint64_t seed, uint64_t a, uint64_t b)
{
	uint64_t h = hash_fold(a ^ seed ^ 0x9e3779b97f4a7c15u, b ^ 0xd1b54a32d192ed03u);

	return hash_fold(h ^ seed, 0x8ebc6af09c88c6e3u);
}

static inline uint64_t hash_address(uint64_t seed, const struct address *address)
{
	uint64_t half[2];

	memcpy(half, address->octets, sizeof(half));
	return hash_2(seed, half[0], half[1]);
}

#endif
