/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks that attack tools leave in packets. A mark says "consistent with", never "is": tools share code, and marks can
 * be copied.
 */
#ifndef HOLDFAST_TRACE_FAMILY_H
#define HOLDFAST_TRACE_FAMILY_H

#include <stddef.h>

#include "observe/observation.h"

struct family {
	const char *name; /* "mirai" */
	const char *mark; /* "SYN with window 0 and options mss,sok,ts,nop,ws" */
};

size_t family_count(void);
const struct family *family_get(size_t index);
/* Index + 1 of the row whose mark the packet bears, 0 for none. Rows of one family share a name. */
size_t family_of(const struct observation *observation);

#endif
