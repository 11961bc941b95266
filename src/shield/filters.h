/* SPDX-License-Identifier: Apache-2.0 */
/* Filters behind an interface's clsact queue, whoever put them there. Source: rtnetlink(7), linux/rtnetlink.h. */
#ifndef HOLDFAST_SHIELD_FILTERS_H
#define HOLDFAST_SHIELD_FILTERS_H

#include <stdbool.h>

/* Whether there is one, coming or going; true also where the kernel does not say. */
bool filters_are_there(unsigned ifindex);

#endif
