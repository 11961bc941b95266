/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's head that the kernel handed out becomes an observation. Pure. */
#ifndef HOLDFAST_SHIELD_SAMPLE_OBSERVATION_H
#define HOLDFAST_SHIELD_SAMPLE_OBSERVATION_H

#include <stdint.h>

#include "abi/shield.h"
#include "observe/decode.h"

/*
 * As decode_frame(), of Ethernet; where that says the packet counts, time, weight and the flags of what the kernel knew
 * are filled too. `shift_ns` is what wall time is ahead of CLOCK_MONOTONIC: a constant of whoever asks, so that capture
 * time never jumps.
 */
enum decode_result sample_observation(const struct shield_sample *sample, int64_t shift_ns,
                                      struct observation *observation);

#endif
