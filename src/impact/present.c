/* SPDX-License-Identifier: Apache-2.0 */
#include "impact/present.h"

#include <string.h>

void present_init(struct present *present, int64_t every_ns)
{
	memset(present, 0, sizeof(*present));
	present->window_ns = PRESENT_ROUNDS * every_ns;
}

static bool is_heard(const struct present_look *look, int64_t from_ns, int64_t now_ns)
{
	return look->at_ns > from_ns && look->at_ns <= now_ns;
}

/* Whether nothing was heard of a place within the window: another may have its room. */
static bool is_silent(const struct present *present, const struct present_place *place, int64_t now_ns)
{
	for (unsigned i = 0; i < PRESENT_LOOKS; i++)
		if (is_heard(&place->looks[i], now_ns - present->window_ns, now_ns))
			return false;
	return true;
}

static bool is_of(const struct present_place *place, const struct signal_count *count)
{
	return strcmp(place->component, count->component) == 0 && strcmp(place->vantage, count->vantage) == 0;
}

static struct present_place *place_at(struct present *present, const struct signal_count *count, int64_t now_ns)
{
	struct present_place *place = NULL;

	for (uint32_t i = 0; i < present->count; i++)
		if (is_of(&present->places[i], count))
			return &present->places[i];
	if (present->count < PRESENT_PLACES_MAX)
		place = &present->places[present->count++];
	for (uint32_t i = 0; i < present->count && !place; i++)
		if (is_silent(present, &present->places[i], now_ns))
			place = &present->places[i];
	if (!place) {
		present->refused++;
		return NULL;
	}
	memset(place, 0, sizeof(*place));
	memcpy(place->component, count->component, sizeof(place->component));
	memcpy(place->vantage, count->vantage, sizeof(place->vantage));
	return place;
}

static uint32_t add_up(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void add_look(struct present_look *looks, unsigned *latest, const struct signal_count *count, int64_t now_ns,
                     int64_t together_ns)
{
	struct present_look *look = &looks[*latest];

	/* One that is later than now was heard before the clock was set back. */
	if (look->at_ns == 0 || look->at_ns > now_ns || look->at_ns <= now_ns - together_ns) {
		*latest = (*latest + 1) % PRESENT_LOOKS;
		look = &looks[*latest];
		*look = (struct present_look){ .at_ns = now_ns };
	}
	look->good = add_up(look->good, count->good);
	look->bad = add_up(look->bad, count->bad);
}

void present_add(struct present *present, const struct signal_count *count, int64_t now_ns)
{
	int64_t together_ns = present->window_ns / PRESENT_LOOKS;
	struct present_place *place;

	if (count->kind != SIGNAL_PROBE && count->kind != SIGNAL_CANARY)
		return;
	if (count->bucket_ns < count_bucket(now_ns) - COUNT_BUCKET_NS || count->bucket_ns > now_ns) {
		present->late++;
		return;
	}
	place = place_at(present, count, now_ns);
	if (!place)
		return;
	place->network = count->network;
	if (count->kind == SIGNAL_PROBE)
		add_look(place->looks, &place->latest, count, now_ns, together_ns);
	else
		add_look(place->canaries, &place->latest_canary, count, now_ns, together_ns);
}

static void sum(const struct present_place *place, int64_t from_ns, int64_t now_ns, struct belief_probe *probe)
{
	*probe = (struct belief_probe){ .network = place->network };
	memcpy(probe->vantage, place->vantage, sizeof(probe->vantage));
	for (unsigned i = 0; i < PRESENT_LOOKS; i++) {
		const struct present_look *look = &place->looks[i], *canary = &place->canaries[i];

		if (is_heard(look, from_ns, now_ns)) {
			probe->good = add_up(probe->good, look->good);
			probe->bad = add_up(probe->bad, look->bad);
		}
		if (is_heard(canary, from_ns, now_ns)) {
			probe->canaries = add_up(probe->canaries, add_up(canary->good, canary->bad));
			probe->canaries_failed = add_up(probe->canaries_failed, canary->bad);
		}
	}
}

void present_of(const struct present *present, const char *component, int64_t now_ns, struct present_view *view)
{
	*view = (struct present_view){ .clean = true };
	for (uint32_t i = 0; i < present->count && view->count < BELIEF_VANTAGES_MAX; i++) {
		const struct present_place *place = &present->places[i];
		struct belief_probe *probe = &view->probes[view->count];

		if (strcmp(place->component, component) != 0 || is_silent(present, place, now_ns))
			continue;
		sum(place, now_ns - present->window_ns, now_ns, probe);
		view->count++;
		view->clean = view->clean && (probe->bad == 0 || belief_probe_is_blind(probe));
	}
}
