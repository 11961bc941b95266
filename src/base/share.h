/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of wholes in integers: products in 128 bits, rounded down, so that every machine says the same. */
#ifndef HOLDFAST_BASE_SHARE_H
#define HOLDFAST_BASE_SHARE_H

#include <stdint.h>

#include "base/time.h"

#define PPM 1000000 /* all of it, in parts per million */

/* whole * part / of, at most UINT64_MAX; 0 where `of` is 0. */
static inline uint64_t share_of(uint64_t whole, uint64_t part, uint64_t of)
{
	__extension__ typedef unsigned __int128 wide;
	wide result = of ? (wide)whole * part / of : 0;

	return result > UINT64_MAX ? UINT64_MAX : (uint64_t)result;
}

/* A count over so long as a rate; 0 over no time. */
static inline uint64_t share_per_second(uint64_t count, int64_t ns)
{
	return ns > 0 ? share_of(count, NS_PER_S, (uint64_t)ns) : 0;
}

/* `part` of `whole` in parts per million; 0 where `whole` is 0. */
static inline uint64_t share_ppm(uint64_t part, uint64_t whole)
{
	return share_of(PPM, part, whole);
}

#endif
