/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules found for an attack would have let pass of it, over time. The attack's packets are counted exactly by
 * its timeline; which of them the rules hold is known of a uniform sample only: in each bin of the timeline the share
 * of the sample that passes, times the bin's count. As in the sieve, the first rule that matches decides; a rate limit
 * passes what its rate allows in a bin.
 */
#ifndef HOLDFAST_DEFEND_PASSAGE_H
#define HOLDFAST_DEFEND_PASSAGE_H

#include <stdint.h>

#include "defend/signature.h"
#include "measure/sample.h"
#include "measure/timeline.h"

/* Zeroed: nothing is known. */
struct passage {
	uint32_t sampled;          /* packets that it rests on */
	uint64_t packets, bytes;   /* that would have passed, estimated: the sum of the bins */
	uint32_t passed_ppm;       /* share of the attack's packets */
	uint32_t upper_ppm;        /* at most that, with 95 % confidence; passed_ppm where every packet was sampled */
	struct timeline_bin *bins; /* timeline_count() of them, in its order; owned */
};

/* Writes *passage (bins NULL where there are no packets or no sample). 0 or -ENOMEM. */
int passage_estimate(const struct timeline *timeline, const struct sample *sample, const struct signature_set *set,
                     struct passage *passage);
void passage_fini(struct passage *passage);

#endif
