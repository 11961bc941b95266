/* SPDX-License-Identifier: Apache-2.0 */
/* How many sources: the largest at once and in all. Of forged ones no size is said. */
#ifndef HOLDFAST_TRACE_SIZE_H
#define HOLDFAST_TRACE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

struct size_estimate {
	bool known;       /* false: sources were forged */
	uint64_t at_once; /* most in one second */
	uint64_t in_all;  /* distinct ones seen (HyperLogLog, 1.6 %, or exact while all are held) */
	double chapman;   /* (n1+1)(n2+1)/(m+1)-1 between the two largest waves; NAN: fewer than two. Chapman 1951 */
	double chapman_low, chapman_high; /* 95 % */
	double chao1;     /* lower bound of all there are, from those seen once and twice; NAN. Chao 1984 */
	uint64_t devices; /* that invariants of packets tell apart behind these addresses; 0: they tell nothing */
};

#endif
