/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/incident_list.h"

#include <stdlib.h>

#include "base/hash.h"
#include "detect/scope.h"

#define SIBLINGS 4 /* addresses of one network under the same attack that make it the target */
#define SAMPLE_SHARE 8
#define SAMPLE_MIN 256

void incident_list_init(struct incident_list *list, uint64_t seed)
{
	*list = (struct incident_list){ .seed = seed, .sample_left = INCIDENT_LIST_SAMPLES };
}

void incident_list_fini(struct incident_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		incident_free(list->items[i]);
	list->count = 0;
}

int32_t incident_list_resolve(const struct incident_list *list, int32_t index)
{
	while (index >= 0 && list->items[index]->absorbed_by >= 0)
		index = list->items[index]->absorbed_by;
	return index;
}

bool incident_list_is_full(const struct incident_list *list)
{
	return list->count == INCIDENT_LIST_MAX;
}

int32_t incident_list_add(struct incident_list *list, const struct prefix *scope, struct capture_time began,
                          struct capture_time detected, bool is_scan)
{
	struct incident *inc;

	if (incident_list_is_full(list) || (is_scan && list->scans == INCIDENT_LIST_SCANS_MAX)) {
		list->refused++;
		return -1;
	}
	inc = calloc(1, sizeof(*inc));
	if (!inc) {
		list->refused++;
		return -1;
	}
	inc->scope = *scope;
	inc->began = inc->ended = began;
	inc->detected = detected;
	inc->absorbed_by = -1;
	inc->is_scan = is_scan;
	for (unsigned i = 0; i < INCIDENT_SLOTS; i++)
		inc->slots[i].slot = INT64_MIN;
	inc->id = hash_2(hash_address(hash_2(list->seed, 3, is_scan), &scope->address), (uint64_t)began.ns,
	                 (uint64_t)scope->length << 32 | list->count);
	list->scans += is_scan;
	list->items[list->count] = inc;
	return (int32_t)list->count++;
}

/* The first parts get full samples; each later one a share of what is left. */
static uint32_t sample_share(struct incident_list *list)
{
	uint32_t share = list->sample_left / SAMPLE_SHARE;

	share = share > INCIDENT_SAMPLE ? INCIDENT_SAMPLE : share < SAMPLE_MIN ? SAMPLE_MIN : share;
	list->sample_left -= share < list->sample_left ? share : list->sample_left;
	return share;
}

_Static_assert(ROSTER_MIN *INCIDENT_LIST_MAX *INCIDENT_PARTS_MAX <= ROSTER_MAX, "all have their share");

/* What one has when there is one more, and all others from now on; NULL where there is no memory. */
static struct roster *roster_share(struct incident_list *list)
{
	uint32_t rosters = 1, share;

	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t j = 0; j < list->items[i]->parts_count; j++)
			rosters += list->items[i]->parts[j].roster != NULL;
	share = ROSTER_MAX / rosters;
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t j = 0; j < list->items[i]->parts_count; j++)
			if (list->items[i]->parts[j].roster)
				roster_limit(list->items[i]->parts[j].roster, share);
	return roster_new(share);
}

struct incident_part *incident_list_part(struct incident_list *list, struct incident *inc, uint8_t kind)
{
	int32_t index = incident_find_part(inc, kind);
	struct window *window;

	if (index >= 0)
		return &inc->parts[index];
	window = inc->parts_count < INCIDENT_PARTS_MAX ? window_new(sample_share(list)) : NULL;
	if (!window) {
		inc->parts_lost++;
		return NULL;
	}
	inc->parts[inc->parts_count] = (struct incident_part){
		.kind = kind,
		.window = window,
		.roster = inc->is_scan ? NULL : roster_share(list),
	};
	return &inc->parts[inc->parts_count++];
}

int32_t incident_list_find(const struct incident_list *list, const struct prefix *scope, struct capture_time now)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct incident *inc = list->items[i];

		if (inc->absorbed_by < 0 && !inc->is_scan && !incident_is_over(inc, now) &&
		    prefix_covers(&inc->scope, scope))
			return (int32_t)i;
	}
	return -1;
}

void incident_list_absorb(struct incident_list *list, int32_t into, int32_t from)
{
	struct incident *target = list->items[into];

	target->scope = prefix_join(&target->scope, &list->items[from]->scope);
	incident_absorb(target, list->items[from]);
	list->items[from]->absorbed_by = into;
}

static unsigned widest_network(const struct prefix *scope)
{
	return scope->is_ipv4 ? 16 : 32;
}

/* Under the same attack in the same /24 (/64), or /16 (/32) where it is a network. */
static bool is_neighbour(const struct incident *inc, const struct incident *other, uint8_t kind,
                         struct capture_time now)
{
	bool host = scope_is_host(&inc->scope);
	struct prefix around =
		prefix_of(&inc->scope.address, host ? (inc->scope.is_ipv4 ? 24u : 64u) : widest_network(&inc->scope));

	if (other->absorbed_by >= 0 || other->is_scan || incident_is_over(other, now) ||
	    incident_find_part(other, kind) < 0 || other->scope.is_ipv4 != inc->scope.is_ipv4 ||
	    !prefix_covers(&around, &other->scope))
		return false;
	/* A network gathers other networks, and of single addresses those inside it. */
	return host || !scope_is_host(&other->scope) || prefix_covers(&inc->scope, &other->scope);
}

int32_t incident_list_gather(struct incident_list *list, int32_t index, uint8_t kind, struct capture_time now)
{
	const struct incident *inc = list->items[index];
	int32_t neighbours[INCIDENT_LIST_MAX];
	uint32_t met = 0;

	for (uint32_t i = 0; i < list->count; i++)
		if ((int32_t)i == index || is_neighbour(inc, list->items[i], kind, now))
			neighbours[met++] = (int32_t)i;
	if (met < (scope_is_host(&inc->scope) ? SIBLINGS : 2))
		return index;
	for (uint32_t i = 1; i < met; i++)
		incident_list_absorb(list, neighbours[0], neighbours[i]);
	return neighbours[0];
}
