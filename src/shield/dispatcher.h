/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beside other XDP programs: libxdp's dispatcher runs several on one interface, each where those before it passed the
 * packet (https://github.com/xdp-project/xdp-tools, libxdp(3)). It needs a kernel that can replace functions of loaded
 * programs. Where nobody else is, a link of the shield's own does without.
 */
#ifndef HOLDFAST_SHIELD_DISPATCHER_H
#define HOLDFAST_SHIELD_DISPATCHER_H

#include <stdbool.h>

#include "shield/inside.h"

/* Whether a dispatcher is attached to the interface, and whether the shield's program is one of those it runs. */
bool dispatcher_is_there(unsigned ifindex);
bool dispatcher_runs_ours(unsigned ifindex);

/*
 * Has it run the shield's program too, over shield->maps; an older one of ours goes when the new one runs. 0 or -errno.
 */
int dispatcher_attach(const struct shield *shield, unsigned ifindex);
/* Takes the shield's programs from it; how many there were. */
unsigned dispatcher_detach(unsigned ifindex);

#endif
