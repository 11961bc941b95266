/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/watch_dropped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS (1u << WATCH_DROPPED_BITS)
#define LINES (SLOTS / WATCH_DROPPED_LANES)

/* `last_s` 0: there is none. */
struct slot {
	struct address source; /* of an IPv6 /64 its first */
	uint32_t first_s, last_s;
};

struct watch_dropped {
	uint64_t seed;
	struct watch_dropped_counts counts;
	struct slot slots[SLOTS];
};

int watch_dropped_new(uint64_t seed, struct watch_dropped **table)
{
	struct watch_dropped *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	made->seed = seed;
	*table = made;
	return 0;
}

void watch_dropped_free(struct watch_dropped *table)
{
	free(table);
}

/*
 * Not what is on the block list, which is asked itself; nor TCP of no conversation and SYNs that get a cookie: their
 * senders may come in all the same.
 */
bool watch_dropped_counts_as(const struct shield_sample *sample)
{
	return !(sample->flags & SHIELD_SAMPLE_SENT) && sample->flags & SHIELD_SAMPLE_ENFORCED &&
	       (sample->reason == SHIELD_DROP_RULE || sample->reason == SHIELD_DROP_RATE ||
	        sample->reason == SHIELD_DROP_SOURCE);
}

static bool lives(const struct slot *slot, uint32_t now_s)
{
	return slot->last_s && now_s - slot->last_s <= WATCH_DROPPED_S;
}

/* Seen in one second alone. */
static bool is_new(const struct slot *slot)
{
	return slot->last_s == slot->first_s;
}

/* Where a newcomer goes; NULL: nowhere. */
static struct slot *room(struct watch_dropped *table, struct slot *line, uint32_t now_s)
{
	struct slot *oldest = NULL;

	for (unsigned i = 0; i < WATCH_DROPPED_LANES; i++) {
		if (!lives(&line[i], now_s))
			return &line[i];
		if (is_new(&line[i]) && (!oldest || now_s - line[i].last_s > now_s - oldest->last_s))
			oldest = &line[i];
	}
	table->counts.pushed_out += oldest != NULL;
	table->counts.refused += oldest == NULL;
	return oldest;
}

void watch_dropped_note(struct watch_dropped *table, const struct address *source, uint32_t now_s)
{
	struct address key = address_is_ipv4(source) ? *source : prefix_of(source, WATCH_DROPPED_V6).address;
	struct slot *line = &table->slots[hash_address(table->seed, &key) % LINES * WATCH_DROPPED_LANES], *slot;

	now_s += now_s == 0; /* 0 is none */
	for (unsigned i = 0; i < WATCH_DROPPED_LANES; i++)
		if (lives(&line[i], now_s) && address_equal(&line[i].source, &key)) {
			line[i].last_s = now_s;
			return;
		}
	slot = room(table, line, now_s);
	if (slot)
		*slot = (struct slot){ .source = key, .first_s = now_s, .last_s = now_s };
}

void watch_dropped_clear(struct watch_dropped *table)
{
	memset(table->slots, 0, sizeof(table->slots));
}

int watch_dropped_each(const struct watch_dropped *table, uint32_t now_s,
                       int (*each)(void *context, const struct prefix *prefix), void *context)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		const struct slot *slot = &table->slots[i];
		struct prefix prefix;
		int result;

		if (!lives(slot, now_s) || is_new(slot))
			continue;
		prefix = prefix_of(&slot->source, address_is_ipv4(&slot->source) ? 32 : WATCH_DROPPED_V6);
		result = each(context, &prefix);
		if (result != 0)
			return result;
	}
	return 0;
}

struct watch_dropped_counts watch_dropped_counts(const struct watch_dropped *table)
{
	return table->counts;
}
