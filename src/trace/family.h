/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks that attack tools leave in packets. A mark says "consistent with", never "is": tools share code, and marks can
 * be copied.
 */
#ifndef HOLDFAST_TRACE_FAMILY_H
#define HOLDFAST_TRACE_FAMILY_H

#include <stddef.h>

#include "measure/sample.h"
#include "observe/observation.h"

struct family {
	const char *name; /* "mirai" */
	const char *mark; /* "SYN with window 0 and options mss,sok,ts,nop,ws" */
};

/* Rows of the table of marks, constants; index below family_count(). */
size_t family_count(void);
const struct family *family_get(size_t index);
/* Index + 1 of the row whose mark the packet bears, 0 for none. Rows of one family share a name. */
size_t family_of(const struct observation *observation);
/*
 * How many devices sent the packets of a sample that bear the mark of row `index`, by what each of them keeps in all of
 * its packets whatever their source says (Mirai's SYN: MSS and timestamp; its GRE: IP IDs, outer and inner). Devices
 * that the sample missed are reckoned in (Chao1). 0: the mark has nothing of the kind, the packets are too few, or what
 * should stay changes with each packet or is everybody's; or no memory.
 */
uint64_t family_devices(size_t index, const struct sample *sample);

#endif
