/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of an incident's waves. One opens with the first packet that an alarm explains; while it is open every packet of
 * the incident's vectors belongs to it. It closes after a pause that depends on how dense it was; a trickle behind the
 * attack does not keep it open.
 */
#ifndef HOLDFAST_DETECT_WAVE_H
#define HOLDFAST_DETECT_WAVE_H

#include <stdbool.h>

#include "detect/incident.h"

#define WAVE_PAUSE_MIN_NS (2 * NS_PER_S)

/* None may be open. What begins within a pause of the last wave's end goes on with that. */
void wave_open(struct incident *incident, struct capture_time began);
void wave_close(struct incident *incident);
/* The latest wave, open or not; the incident's waves_count > 0. */
struct wave *wave_last(struct incident *incident);
/* Whether the open wave was silent for longer than it may at this time. */
bool wave_is_silent(struct incident *incident, struct capture_time now);
/* Books one packet of the open wave. */
void wave_record(struct incident *incident, struct incident_part *part, const struct observation *observation,
                 const struct keys *keys);
/*
 * The same where a wave is open and the packet does not come too late for it, which closes it. Returns whether it was
 * booked.
 */
bool wave_take(struct incident *incident, struct incident_part *part, const struct observation *observation,
               const struct keys *keys);

#endif
