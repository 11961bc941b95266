/* SPDX-License-Identifier: Apache-2.0 */
/* What bench/call.c and its programs share. */
#ifndef HOLDFAST_BENCH_CALL_H
#define HOLDFAST_BENCH_CALL_H

#define CALL_TIMES 16 /* in one run: the kernel takes 33 tail calls at the most */
#define CALL_WORDS 8  /* of a key without options and payload */

struct call_key {
	__u64 word[CALL_WORDS];
};

#endif
