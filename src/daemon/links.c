/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/links.h"

#include <string.h>

#include "base/time.h"

#define LEAST_NS (NS_PER_S / 10)
#define BITS 8
#define MEGA 1000000u

/* A second's worth of what has grown in so long; a counter that went back has begun anew. */
static uint64_t rate(uint64_t before, uint64_t now, int64_t elapsed_ns)
{
	uint64_t ms = (uint64_t)(elapsed_ns / NS_PER_MS), scaled;

	if (now <= before)
		return 0;
	return __builtin_mul_overflow(now - before, 1000, &scaled) ? (now - before) / ms * 1000 : scaled / ms;
}

static const struct link_state *find(const struct links *links, const char *name)
{
	for (unsigned i = 0; i < links->count; i++)
		if (strcmp(links->states[i].latest.name, name) == 0)
			return &links->states[i];
	return NULL;
}

static void judge(struct link_state *state)
{
	bool lossy = state->lost_pps >= LINKS_LOST_PPS &&
	             state->lost_pps >= (state->pps + state->lost_pps) / LINKS_LOST_SHARE;
	bool looks_full = lossy || state->percent >= LINKS_FULL_PERCENT;

	state->streak = looks_full == state->full ? 0 : state->streak + 1;
	state->turned = state->streak >= (state->full ? LINKS_FREE_AFTER : LINKS_FULL_AFTER);
	if (state->turned) {
		state->full = looks_full;
		state->streak = 0;
	}
}

/* `before` NULL: it has just come. */
static struct link_state take(const struct link_state *before, const struct shield_link *now, int64_t elapsed_ns)
{
	struct link_state state = { .latest = *now, .percent = -1 };

	if (!before)
		return state;
	state.has_rates = true;
	state.full = before->full;
	state.streak = before->streak;
	state.pps = rate(before->latest.packets, now->packets, elapsed_ns);
	state.bps = rate(before->latest.octets, now->octets, elapsed_ns) * BITS;
	state.lost_pps = rate(before->latest.lost, now->lost, elapsed_ns);
	if (now->speed_mbps) {
		uint64_t wire = state.bps + state.pps * LINKS_FRAME_OCTETS * BITS;
		uint64_t percent = wire / ((uint64_t)now->speed_mbps * MEGA / 100);

		state.percent = percent > 100 ? 100 : (int)percent;
	}
	judge(&state);
	return state;
}

bool links_take(struct links *links, const struct message_links *reading)
{
	int64_t elapsed_ns = reading->monotonic_ns - links->monotonic_ns;
	struct links next = { .monotonic_ns = reading->monotonic_ns };

	if (links->count && elapsed_ns < LEAST_NS)
		return false;
	for (uint32_t i = 0; i < reading->count && i < SHIELD_INTERFACES_MAX; i++)
		next.states[next.count++] = take(find(links, reading->links[i].name), &reading->links[i], elapsed_ns);
	*links = next;
	return true;
}
