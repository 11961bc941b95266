/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/limits.h"

#include <string.h>

#define HABIT 100 /* once in so many packets */

#define LIMIT(field, of_a_bucket, words)                                          \
	{                                                                         \
#field, words, offsetof(struct engine_totals, field), of_a_bucket \
	}

/* clang-format off */
const struct limit limits_known[] = {
	LIMIT(flows_pushed_out, true, "unanswered conversations forgotten to make room for others"),
	LIMIT(flows_refused, false, "conversations not remembered"),
	LIMIT(candidates_pushed_out, true, "possible targets forgotten before they were counted"),
	LIMIT(tracks_pushed_out, false, "counts of targets forgotten to make room for others"),
	LIMIT(tracks_refused, false, "targets not counted"),
	LIMIT(probes_pushed_out, true, "possible scanners forgotten to make room for others"),
	LIMIT(probes_refused, false, "possible scanners not counted"),
	LIMIT(http_pushed_out, true, "HTTP connections forgotten to make room for others"),
	LIMIT(http_refused, false, "web servers not counted"),
	LIMIT(pending_refused, false, "busy targets assessed late"),
	LIMIT(incidents_refused, false, "incidents beyond the number that is kept"),
	LIMIT(samples_lost, false, "packets left out of samples for want of memory"),
	LIMIT(no_memory, false, "second looks left out for want of memory"),
};
/* clang-format on */

const size_t limits_count = sizeof(limits_known) / sizeof(limits_known[0]);

uint64_t limits_hit(const struct limit *limit, const struct engine_totals *totals)
{
	uint64_t hit;

	memcpy(&hit, (const char *)totals + limit->offset, sizeof(hit));
	return hit;
}

uint64_t limits_told(const struct limit *limit, const struct engine_totals *totals)
{
	uint64_t hit = limits_hit(limit, totals);

	return !limit->of_a_bucket || hit * HABIT > totals->packets ? hit : 0;
}
