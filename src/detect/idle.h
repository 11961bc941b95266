/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle connections: clients of which the capture shows one side keep old connections alive. Each says next to nothing,
 * now and then (a keep-alive or the answer to one, RFC 9293 section 3.8.4; a pong), and that its numbers stand still
 * proves nothing, for a forger's may as well. So they are told by what they are together, and by that they were there
 * before; what comes at once is none of it.
 */
#ifndef HOLDFAST_DETECT_IDLE_H
#define HOLDFAST_DETECT_IDLE_H

#include <stdbool.h>

#include "detect/assess.h"
#include "detect/recent.h"
#include "measure/track.h"

/* Whether packets of the track, which were surveyed from where the alarm began, are such connections'. */
bool idle_explains(struct recent_ring *ring, const struct track *track, const struct alarm *alarm,
                   const struct survey *survey);
/* Whether they are more than such connections may be, whatever they look like. */
bool idle_is_exceeded(const struct track *track);

#endif
