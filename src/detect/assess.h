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
	bool watched;      /* the scope is under attack already */
};

/*
 * As of the track's last slot. `since`: nothing before this slot counts (a wave that is over). `wider` multiplies the
 * bounds: 1 for an address, more for a network. `how`: of enum assess_how.
 */
enum assess_how {
	ASSESS_WATCHED = 1 << 0,  /* the scope is under attack already, so that half is enough for another vector */
	ASSESS_FINAL = 1 << 1,    /* the input has ended, nothing more will be settled */
	ASSESS_STRAINED = 1 << 2, /* the link is nearly full, of this among others: that it is usual is no excuse */
};
bool assess(const struct track *track, const struct evidence *evidence, int64_t since, unsigned wider, unsigned how,
            struct alarm *alarm);

/*
 * The target itself refused what stands for so many packets. Whether that does not speak for an attack: it is so little
 * that anybody has to bear it, or no more conversations begin than at a target that used to answer them.
 */
bool assess_refused(struct track *track, uint32_t packets);

/* The first slot of what is going on in `from` and later, as far back as it belongs together. */
int64_t assess_onset(const struct track *track, const struct evidence *evidence, int64_t since, int64_t from);

#endif
