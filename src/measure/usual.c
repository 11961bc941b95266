/* SPDX-License-Identifier: Apache-2.0 */
#include "measure/usual.h"

#include <string.h>

#define HOUR_S 3600

static uint64_t drifted(uint64_t was, uint64_t seen, uint64_t seconds)
{
	uint64_t most;

	if (seconds > USUAL_SETTLED_S)
		seconds = USUAL_SETTLED_S;
	/* At least a packet a second: nothing would ever rise. */
	most = was + was / 100 * USUAL_DRIFT_PERCENT * seconds / HOUR_S + 1000 * seconds / HOUR_S + 1;
	return seen < most ? seen : most;
}

struct usual usual_after(const struct usual *was, const struct usual *seen, uint64_t seconds)
{
	struct usual now = *seen;

	memcpy(now.seasons, was->seasons, sizeof(now.seasons));
	now.known_s = was->known_s < UINT64_MAX / 2 ? was->known_s + seconds : was->known_s;
	if (was->known_s >= USUAL_SETTLED_S) {
		now.packets = drifted(was->packets, seen->packets, seconds);
		now.unsettled = drifted(was->unsettled, seen->unsettled, seconds);
	}
	return now;
}

int usual_compare(const struct usual *a, const struct usual *b)
{
	int order = address_compare(&a->scope.address, &b->scope.address);

	if (order)
		return order;
	if (a->scope.length != b->scope.length)
		return a->scope.length < b->scope.length ? -1 : 1;
	return (a->kind > b->kind) - (a->kind < b->kind);
}
