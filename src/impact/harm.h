/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is known of one outage: what users measured, what is believed, what explains it, and the attack it goes
 * with. This is what the record keeps (record/outages.h) and what the status page, the statement and the report tell
 * (tell/harm_json.h).
 */
#ifndef HOLDFAST_IMPACT_HARM_H
#define HOLDFAST_IMPACT_HARM_H

#include <stdint.h>

#include "impact/belief.h"
#include "impact/cause.h"
#include "impact/outage.h"

struct harm {
	uint64_t number; /* of the outage, given by the record; 0: none yet */
	struct outage outage;
	struct belief belief;
	struct cause_account causes;
	uint64_t incident; /* the attack that overlaps it most; 0: none does */
	int64_t delay_ns;  /* from the attack's beginning to the outage's; negative: the outage came first */
};

#endif
