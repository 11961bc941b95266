/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sources that a service knows from peace; abi/shield.h says what that means, and how they are kept. */
#ifndef HOLDFAST_BPF_KNOWN_H
#define HOLDFAST_BPF_KNOWN_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "abi/shield.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/service.h"

static const __u32 known_zero;

/* Where a source stands, if it does, and how it is told from others there; NULL where the service knows nobody. */
PARSE_INLINE struct shield_known *known_line(__u32 service, const __u64 src[2], const struct shield_config *c,
                                             __u64 *hash)
{
	const struct shield_services *table = bpf_map_lookup_elem(&services, &known_zero);
	__u32 line;

	if (!table || service >= SHIELD_SERVICE_NONE)
		return 0;
	*hash = shield_known_hash(c->seed, table->names[service & (SHIELD_SERVICES_MAX - 1)], src);
	line = (__u32)*hash & (SHIELD_KNOWN_LINES - 1);
	return bpf_map_lookup_elem(&known, &line);
}

/* How much a newcomer would rather have this place than another: an empty one most, one who came twice least. */
PARSE_INLINE __u32 known_worth(__u64 slot, __u32 tick, __u32 hz)
{
	__u32 once = SHIELD_KNOWN_FIRST(slot) == SHIELD_KNOWN_LAST(slot);

	if (!shield_known_lives(slot, tick, hz))
		return ~0u;
	return once << 24 | shield_known_age(SHIELD_KNOWN_LAST(slot), tick);
}

/*
 * A service has answered a source. Of two CPUs that write one line at once one may be lost: it is noted the next time.
 */
PARSE_INLINE void known_note(__u32 service, const __u64 src[2], const struct shield_config *c, __u64 now,
                             __u32 may_be_new)
{
	__u32 tick = shield_known_tick(now, c->hz), best = 0, at = 0, first;
	struct shield_known *line;
	__u64 hash = 0;

	line = known_line(service, src, c, &hash);
	if (!line || c->freezes[service & (SHIELD_SERVICES_MAX - 1)].until > now)
		return;
#pragma unroll
	for (__u32 i = 0; i < SHIELD_KNOWN_LANES; i++) {
		__u64 slot = line->lane[i];
		__u32 worth = known_worth(slot, tick, c->hz);

		if (SHIELD_KNOWN_IS(slot, hash) && worth != ~0u) {
			first = SHIELD_KNOWN_FIRST(slot);
			/* It has been known for so long that it would come round. */
			if (shield_known_age(first, tick) > SHIELD_KNOWN_TICKS / 2)
				first = tick - SHIELD_KNOWN_TICKS / 2;
			slot = SHIELD_KNOWN(hash, first, tick);
			if (line->lane[i] != slot)
				line->lane[i] = slot;
			return;
		}
		if (worth > best) {
			best = worth;
			at = i;
		}
	}
	if (may_be_new)
		line->lane[at & (SHIELD_KNOWN_LANES - 1)] = SHIELD_KNOWN(hash, tick, tick);
}

/* Whether the sender of a packet that arrives is known to the service that it is for. */
SHARED int is_known(const struct shield_key *key, const struct shield_config *c, __u64 now)
{
	const struct shield_services *table = bpf_map_lookup_elem(&services, &known_zero);
	const struct shield_freeze *freeze;
	__u32 service, tick, lead;
	struct shield_known *line;
	__u64 hash = 0, before;
	int found = 0;

	if (!key || !c || !table)
		return 0;
	service = table->count ? (__u32)search_services(table, key) & (SHIELD_SERVICES_MAX - 1) : SHIELD_SERVICE_NONE;
	line = known_line(service, words(key->src), c, &hash);
	if (!line)
		return 0;
	freeze = &c->freezes[service];
	before = freeze->until > now && freeze->since < now ? freeze->since : now;
	lead = SHIELD_KNOWN_LEAD_S * c->hz;
	before = before > lead ? before - lead : 0;
	tick = shield_known_tick(now, c->hz);
	lead = shield_known_age(shield_known_tick(before, c->hz), tick);
#pragma unroll
	for (__u32 i = 0; i < SHIELD_KNOWN_LANES; i++) {
		__u64 slot = line->lane[i];

		if (SHIELD_KNOWN_IS(slot, hash) && shield_known_lives(slot, tick, c->hz) &&
		    shield_known_age(SHIELD_KNOWN_FIRST(slot), tick) > lead) /* its tick ended before that */
			found = 1;
	}
	return found;
}

#endif
