/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans. One asks each port or host once or twice, with little payload; it is seen from its source, whose probes are
 * counted by the ports of one host (VECTOR_SCAN_PORTS) and by the hosts of one port (VECTOR_SCAN_HOSTS). Its target is
 * the narrowest network around what was asked.
 */
#ifndef HOLDFAST_DETECT_SCAN_H
#define HOLDFAST_DETECT_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident_list.h"
#include "detect/recent.h"
#include "measure/track.h"

/* Whether packets that were surveyed are looks rather than a flood. */
bool scan_explains(const struct survey *survey, uint8_t kind);
/*
 * The latest packet of the ring is a probe of this track: true where it became part of the track's open scan. Else the
 * track keeps it as its example.
 */
bool scan_take(struct incident_list *list, struct recent_ring *ring, const struct observation *probe,
               const struct keys *keys, struct track *track);
/* Opens a scan where a track's probes are one. `final`: nothing more will be settled. */
void scan_assess(struct incident_list *list, struct recent_ring *ring, struct track *track, struct capture_time now,
                 bool final);
/*
 * At the end: scans of one target become one; a scan inside a flood is that flood's packets seen another way, and is
 * dropped.
 */
void scan_settle(struct incident_list *list);

#endif
