/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of wholes in integers: products in 128 bits, rounded down, so that every machine says the same. */
#ifndef HOLDFAST_BASE_SHARE_H
#define HOLDFAST_BASE_SHARE_H

#include <stdint.h>

#define PPM 1000000 /* all of it, in parts per million */

/* whole * part / of, at most UINT64_MAX; 0 where `of` is 0. */
static inline uint64_t share_of(uint64_t whole, uint64_t part, uint64_t of)
{
	__extension__ typedef unsigned __int128 wide;
	wide result = of ? (wide)whole * part / of : 0;

	return result > UINT64_MAX ? UINT64_MAX : (uint64_t)result;
}

/* `part` of `whole` in parts per million; 0 where `whole` is 0. */
static inline uint64_t share_ppm(uint64_t part, uint64_t whole)
{
	return share_of(PPM, part, whole);
}

#endif
