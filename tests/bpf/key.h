/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOLDFAST_TESTS_BPF_KEY_H
#define HOLDFAST_TESTS_BPF_KEY_H

#include "abi/shield.h"

/* What key.bpf.c says of the latest frame. */
struct key_answer {
	__u32 reason; /* enum shield_reason */
	__u32 unused;
	struct shield_key key;
};

#endif
