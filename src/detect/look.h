/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second look. Where counts alone do not tell an attack from a scan, a busy client or a noisy neighbour, the kept
 * packets are surveyed. That is dear: once a slot for each track, and less often the more often it was in vain.
 */
#ifndef HOLDFAST_DETECT_LOOK_H
#define HOLDFAST_DETECT_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/assess.h"
#include "detect/recent.h"
#include "measure/track.h"

/*
 * At what fired: is it a scan, is the crowd one, and for a network, is it really spread? `level` is that of
 * detect/scope.h.
 */
bool look_confirms(struct recent_ring *ring, struct track *track, unsigned level, bool final,
                   const struct alarm *alarm);
/* At what is too little for its numbers but shows a sign that needs few packets. */
bool look_finds(struct recent_ring *ring, struct track *track, unsigned level, int64_t since, bool final,
                struct alarm *alarm);

#endif
