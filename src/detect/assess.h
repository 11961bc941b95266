/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a track holds evidence of an attack? The vector's row says how much is; what is usual here is allowed for. */
#ifndef HOLDFAST_DETECT_ASSESS_H
#define HOLDFAST_DETECT_ASSESS_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/vector.h"
#include "measure/track.h"

struct alarm {
	int64_t from_slot; /* where what fired began */
	uint32_t window;   /* slots of the window that fired */
	bool unsure;       /* answered, with no history to compare it with: only one busy source makes it an attack */
	bool crowd;        /* fired by number of sources, not by rate alone */
};

/*
 * `since`: nothing before this slot counts (a wave that is over). `wider` multiplies the bounds: 1 for an address, more
 * for a network. `watched`: the scope is under attack already, so that half is enough for another vector. `final`: the
 * input has ended, nothing more will be settled.
 */
bool assess(const struct track *track, const struct evidence *evidence, int64_t since, int64_t slot, unsigned wider,
            bool watched, bool final, struct alarm *alarm);

/* The first slot of what is going on in `from` and later, as far back as it belongs together. */
int64_t assess_onset(const struct track *track, const struct evidence *evidence, int64_t since, int64_t from);

#endif
