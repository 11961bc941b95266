/* SPDX-License-Identifier: Apache-2.0 */
/* Were the source addresses forged? Tests of one vector's window, each with its number; one verdict. */
#ifndef HOLDFAST_TRACE_SPOOFING_H
#define HOLDFAST_TRACE_SPOOFING_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/incident.h"

#define SPOOFING_REASONS_MAX 8
#define SPOOFING_REASON_SIZE 200

enum spoofing_verdict { SPOOFING_UNDETERMINED, SPOOFING_SPOOFED, SPOOFING_VERIFIED, SPOOFING_REFLECTORS };

struct spoofing {
	enum spoofing_verdict verdict;
	uint32_t reasons_count;
	char reasons[SPOOFING_REASONS_MAX][SPOOFING_REASON_SIZE];
};

void spoofing_judge(const struct incident *incident, struct spoofing *spoofing);
/*
 * Are the source addresses of a part known to be real, so that they may be listed? Of the largest part the verdict says
 * it, of others their kind, where it needs real sources.
 */
bool spoofing_sources_real(const struct spoofing *spoofing, const struct incident *incident, uint32_t part);
const char *spoofing_verdict_name(enum spoofing_verdict verdict);

#endif
