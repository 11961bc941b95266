/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/incident.h"

#include <stdlib.h>
#include <string.h>

struct window *incident_window(const struct incident *incident)
{
	struct window *total = window_new(INCIDENT_SAMPLE);

	if (!total)
		return NULL;
	for (uint32_t i = 0; i < incident->parts_count; i++)
		window_merge(total, incident->parts[i].window);
	return total;
}

static struct capture_time earlier(struct capture_time a, struct capture_time b)
{
	return time_since(a, b) <= 0 ? a : b;
}

static struct capture_time later(struct capture_time a, struct capture_time b)
{
	return time_since(a, b) >= 0 ? a : b;
}

static void absorb_waves(struct incident *into, const struct incident *from)
{
	for (uint32_t i = 0; i < from->waves_count; i++) {
		const struct wave *wave = &from->waves[i];
		struct wave *met = NULL;

		for (uint32_t j = 0; j < into->waves_count && !met; j++)
			if (time_since(wave->began, into->waves[j].ended) <= 2 * NS_PER_S &&
			    time_since(into->waves[j].began, wave->ended) <= 2 * NS_PER_S)
				met = &into->waves[j];
		if (!met && into->waves_count < INCIDENT_WAVES_MAX) {
			into->waves[into->waves_count++] = *wave;
			continue;
		}
		if (!met) {
			met = &into->waves[into->waves_count - 1];
			into->waves_lost++;
		}
		met->began = earlier(met->began, wave->began);
		met->ended = later(met->ended, wave->ended);
		met->packets += wave->packets;
		met->bytes += wave->bytes;
		/* Both at once is what the target saw, as far as slots of two lists tell. */
		met->peak_packets += wave->peak_packets;
		met->peak_bytes += wave->peak_bytes;
	}
}

static void absorb_parts(struct incident *into, struct incident *from)
{
	for (uint32_t i = 0; i < from->parts_count; i++) {
		struct incident_part *part = &from->parts[i];
		uint32_t j = 0;

		while (j < into->parts_count && into->parts[j].kind != part->kind)
			j++;
		if (j < into->parts_count) {
			window_merge(into->parts[j].window, part->window);
			window_free(part->window);
		} else if (into->parts_count < INCIDENT_PARTS_MAX) {
			into->parts[into->parts_count++] = *part;
		} else {
			into->parts_lost++;
			window_free(part->window);
		}
	}
	from->parts_count = 0;
}

void incident_absorb(struct incident *into, struct incident *from)
{
	absorb_waves(into, from);
	absorb_parts(into, from);
	into->began = earlier(into->began, from->began);
	into->detected = earlier(into->detected, from->detected);
	into->ended = later(into->ended, from->ended);
	into->last_hot = into->wave_open && from->wave_open ? later(into->last_hot, from->last_hot) : into->last_hot;
	if (from->wave_open && !into->wave_open) {
		into->wave_open = true;
		into->last_hot = from->last_hot;
	}
	into->packets += from->packets;
	into->bytes += from->bytes;
	for (unsigned i = 0; i < INCIDENT_SLOTS; i++) {
		const struct incident_slot *theirs = &from->slots[i];
		struct incident_slot *ours = &into->slots[i];

		if (theirs->slot == ours->slot) {
			ours->packets += theirs->packets;
			ours->bytes += theirs->bytes;
		} else if (theirs->slot > ours->slot) {
			*ours = *theirs;
		}
		if (ours->packets > into->peak_packets)
			into->peak_packets = ours->packets;
		if (ours->bytes > into->peak_bytes)
			into->peak_bytes = ours->bytes;
	}
	if (from->peak_packets > into->peak_packets)
		into->peak_packets = from->peak_packets;
	if (from->peak_bytes > into->peak_bytes)
		into->peak_bytes = from->peak_bytes;
	from->waves_count = 0;
	from->packets = from->bytes = 0;
	from->wave_open = false;
}
