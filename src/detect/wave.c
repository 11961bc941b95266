/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/wave.h"

#include "detect/vector.h"
#include "measure/slot.h"

#define PAUSE_MAX_NS (60 * NS_PER_S)
#define PAUSE_INTERVALS 40 /* mean intervals between packets that make a pause */
#define GOING_SHARE 20     /* a slot with a twentieth of the peak keeps a wave going */

static int64_t pause_ns(const struct wave *wave)
{
	int64_t span = time_since(wave->ended, wave->began);
	int64_t pause = wave->packets > 1 ? span / (int64_t)wave->packets : 0;

	pause = pause < PAUSE_MAX_NS / PAUSE_INTERVALS ? pause * PAUSE_INTERVALS : PAUSE_MAX_NS;
	return pause < WAVE_PAUSE_MIN_NS ? WAVE_PAUSE_MIN_NS : pause;
}

struct wave *wave_last(struct incident *inc)
{
	return &inc->waves[inc->waves_count - 1];
}

bool wave_is_silent(struct incident *inc, struct capture_time now)
{
	int64_t silence = time_since(now, inc->last_hot);

	if (inc->patient)
		return silence > PAUSE_MAX_NS;
	return silence > WAVE_PAUSE_MIN_NS && silence > pause_ns(wave_last(inc));
}

/* What came after the last busy slot was the pause's own traffic. */
void wave_close(struct incident *inc)
{
	inc->wave_open = false;
	if (inc->waves_count && time_since(inc->last_hot, wave_last(inc)->began) >= 0 &&
	    time_since(wave_last(inc)->ended, inc->last_hot) > 0)
		wave_last(inc)->ended = inc->last_hot;
	if (inc->waves_count && time_since(wave_last(inc)->ended, inc->ended) > 0)
		inc->ended = wave_last(inc)->ended;
}

void wave_open(struct incident *inc, struct capture_time began)
{
	inc->wave_open = true;
	/* What begins within a pause of the last one's end goes on with it. */
	if (inc->waves_count && time_since(began, wave_last(inc)->ended) <= WAVE_PAUSE_MIN_NS) {
		if (time_since(began, inc->last_hot) > 0)
			inc->last_hot = began;
		return;
	}
	inc->last_hot = began;
	if (inc->waves_count == INCIDENT_WAVES_MAX) {
		inc->waves_lost++;
		return;
	}
	inc->waves[inc->waves_count++] = (struct wave){ .began = began, .ended = began };
}

/* Whether the packet could only be sent by who receives what is sent to its source. */
static bool is_verified(const struct incident_part *part, const struct observation *o)
{
	enum vector_class class = vector_get(part->kind)->class;

	/* A datagram that is answered may yet be forged, and so may what asks for a connection. */
	return class == VECTOR_CONVERSATION || class == VECTOR_APPLICATION || (o->flags & OBSERVATION_HANDSHAKE) ||
	       ((o->flags & OBSERVATION_ANSWERED) && (o->flags & OBSERVATION_TCP) && !(o->tcp.flags & TCP_SYN));
}

static void enrol(const struct incident *inc, struct incident_part *part, const struct observation *o,
                  const struct keys *keys)
{
	roster_add(part->roster, o, keys, inc->waves_count - 1);
	if (is_verified(part, o))
		roster_mark(part->roster, o, keys, ROSTER_VERIFIED);
}

void wave_record(struct incident *inc, struct incident_part *part, const struct observation *o, const struct keys *keys)
{
	struct wave *wave = wave_last(inc);
	struct incident_slot *slot;
	int64_t now = slot_of(o->time.ns);
	uint64_t bytes = (uint64_t)o->length * o->weight;

	window_add(part->window, o, keys);
	if (part->roster)
		enrol(inc, part, o, keys);
	timeline_add(&inc->timeline, now, o->weight, bytes);
	inc->packets += o->weight;
	inc->bytes += bytes;
	wave->packets += o->weight;
	wave->bytes += bytes;
	if (time_since(o->time, inc->began) < 0)
		inc->began = o->time;
	/* A late packet belongs to the present wave, but does not stretch it over the one before. */
	if (time_since(o->time, wave->began) < 0 && (inc->waves_count < 2 || time_since(o->time, wave[-1].ended) > 0))
		wave->began = o->time;
	if (time_since(o->time, wave->ended) > 0)
		wave->ended = o->time;
	slot = &inc->slots[slot_ring_index(now, INCIDENT_SLOTS)];
	if (slot->slot != now && now > slot->slot)
		*slot = (struct incident_slot){ .slot = now };
	if (slot->slot != now)
		return; /* so late that its slot is gone */
	slot->packets += o->weight;
	slot->bytes += bytes;
	if (slot->packets > wave->peak_packets)
		wave->peak_packets = slot->packets;
	if (slot->bytes > wave->peak_bytes)
		wave->peak_bytes = slot->bytes;
	if (slot->packets > inc->peak_packets)
		inc->peak_packets = slot->packets;
	if (slot->bytes > inc->peak_bytes)
		inc->peak_bytes = slot->bytes;
	if ((inc->patient || slot->packets * GOING_SHARE >= wave->peak_packets) &&
	    time_since(o->time, inc->last_hot) > 0)
		inc->last_hot = o->time;
}

bool wave_take(struct incident *inc, struct incident_part *part, const struct observation *o, const struct keys *keys)
{
	if (!inc->wave_open)
		return false;
	if (wave_is_silent(inc, o->time)) {
		wave_close(inc);
		return false;
	}
	wave_record(inc, part, o, keys);
	return true;
}
