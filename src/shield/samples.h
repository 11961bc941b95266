/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of samples: heads of frames that the kernel hands out, oldest first. Whoever has the map's descriptor reads.
 */
#ifndef HOLDFAST_SHIELD_SAMPLES_H
#define HOLDFAST_SHIELD_SAMPLES_H

#include "abi/shield.h"

struct samples; /* opaque */

typedef void samples_take(void *context, const struct shield_sample *sample);

/* `fd` is the map `samples`; it stays its owner's. */
int samples_new(int fd, samples_take *take, void *context, struct samples **samples);
void samples_free(struct samples *samples);
/* Descriptor that is readable when there are samples. */
int samples_poll_fd(const struct samples *samples);
/* Hands on what is there, without waiting; how many, or -errno. */
int samples_read(struct samples *samples);
/* The same of at most `max` > 0; where it is so many there may be more. */
int samples_read_some(struct samples *samples, unsigned max);

#endif
