/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of an incident here. A track's alarm opens a wave: of a new incident, or of one on the same scope that is not over. The latest suspicious packets
 * are kept in a ring, so that the wave starts with its first packet and not with the one that raised the alarm. While a wave is open every
 * packet of its vectors belongs to it; it closes after a pause that depends on how dense it was. Incidents on neighbours by the same vector become one
 * on their network.
 */
#include "detect/detector.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/assess.h"

#define WAVE_PAUSE_MIN_NS (2 * NS_PER_S)
#define WAVE_PAUSE_MAX_NS (60 * NS_PER_S)
#define WAVE_PAUSE_INTERVALS 40 /* mean intervals between packets that make a pause */
#define HOT_SHARE 20            /* a slot with a twentieth of the peak keeps a wave going */
#define REARM_SHARE 10          /* one slot with a tenth of the peak re-opens a known attack … */
#define REARM_PACKETS 20        /* … and at least this many packets */
#define ASSESS_FIRST 50         /* packets in a slot before it is assessed before its end */
#define PENDING_PACKETS 20      /* in a slot, to be assessed again once they had time to be answered */
#define SIBLINGS 4              /* addresses of one network under the same attack that make it the target */
#define CARPET_DESTINATIONS 8
#define CARPET_RETURNS 4   /* packets to each address that a carpet hits, at least */
#define SECOND_LOOK_1S 100 /* unanswered packets that deserve a look at who sends them */
#define SECOND_LOOK_10S 200
#define SAMPLE_SHARE 16
#define SAMPLE_MIN 256
#define SURVEYS_VAIN_MAX 3
#define SECOND_SOURCES 20
#define IMPOSSIBLE_SHARE 20    /* a twentieth from addresses that nobody can have: forged */
#define SERVICE_PORT_MAX 32767 /* servers listen below, clients speak from above */
#define SCAN_SOURCES 4
#define SCAN_LOOKS 5   /* packets for each port or host, repeated and mirrored ones among them */
#define SCAN_REPEATS 3 /* probes of one port or host on average, at most */
#define SCAN_PORTS 40
#define SCAN_FAST_PPS 3000
#define SCAN_PORT_SHARE 10   /* packets for each source port of a fast scanner, at least */
#define SCAN_PAYLOAD_MAX 200 /* octets in a probe on average */
#define SCANS_MAX 32
#define LISTENERS 16
#define SMALL_SHARE 50 /* a vector with less than a fiftieth of packets and of bytes is noise of the others */
#define ECHO_SHARE 5   /* errors that an attack makes others send: named only from a fifth on */

struct recent {
	struct observation observation;
	uint8_t kind;
	bool taken;
	bool probed; /* part of a scan, which may yet turn out to be a flood */
};

/* A busy track that is to be assessed when its packets are settled, though no more may come. */
struct pending {
	struct prefix scope;
	uint8_t kind;
	uint8_t level;
	bool probe;
	int64_t slot;
	struct capture_time time;
};

struct detector {
	uint64_t seed;
	uint32_t pending_count;
	struct pending pending[DETECTOR_PENDING_MAX];
	struct detector_counters counters;
	uint32_t count;
	uint32_t scans;
	struct incident *incidents[DETECTOR_INCIDENTS_MAX];
	uint32_t sample_left; /* of DETECTOR_SAMPLES */
	uint64_t recent_next;
	struct recent recent[DETECTOR_RECENT];
};

struct detector *detector_new(uint64_t seed)
{
	struct detector *d = calloc(1, sizeof(*d));

	if (d) {
		d->seed = seed;
		d->sample_left = DETECTOR_SAMPLES;
	}
	return d;
}

void detector_free(struct detector *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; i < d->count; i++) {
		for (uint32_t j = 0; j < d->incidents[i]->parts_count; j++)
			window_free(d->incidents[i]->parts[j].window);
		free(d->incidents[i]);
	}
	free(d);
}

uint32_t detector_count(const struct detector *d)
{
	return d->count;
}

const struct incident *detector_incident(const struct detector *d, uint32_t index)
{
	return d->incidents[index];
}

const struct detector_counters *detector_counters(const struct detector *d)
{
	return &d->counters;
}

/* ------------------------------------------------------------------ recent packets */

static struct recent *recent_at(struct detector *d, uint64_t back)
{
	return &d->recent[(d->recent_next - 1 - back) % DETECTOR_RECENT];
}

static uint64_t recent_count(const struct detector *d)
{
	return d->recent_next < DETECTOR_RECENT ? d->recent_next : DETECTOR_RECENT;
}

static void recent_push(struct detector *d, const struct observation *o, uint8_t kind)
{
	d->recent[d->recent_next++ % DETECTOR_RECENT] = (struct recent){ .observation = *o, .kind = kind };
}

/* Whether the ring still holds what came at that time. */
static bool reaches_back(struct detector *d, int64_t ns)
{
	return recent_count(d) < DETECTOR_RECENT || recent_at(d, DETECTOR_RECENT - 1)->observation.time.ns <= ns;
}

struct survey {
	uint64_t taken; /* packets that are part of an incident already; not in what follows */
	uint64_t packets;
	uint64_t sources, destinations, ports, source_ports;
	uint64_t pairs;      /* of destination and port */
	uint64_t impossible; /* packets from addresses that nobody can have */
	uint64_t
		shared_source_port; /* packets from the most used one, where it is not the most used destination port */
	uint16_t source_port;       /* … that port */
	uint64_t payload;           /* octets */
	int64_t span_ns;            /* from the first to the last */
	uint64_t heaviest_source, heaviest_destination; /* packets, at least */
};

/* What the kept packets say of one kind towards one scope. */
static void survey_recent(struct detector *d, const struct prefix *scope, uint8_t kind, int64_t since_ns,
                          struct survey *survey)
{
	struct hll *sources = calloc(5, sizeof(*sources));
	struct topk *heaviest = calloc(4, sizeof(*heaviest));
	int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
	uint64_t packets = 0;

	*survey = (struct survey){ 0 };
	for (uint64_t i = 0; sources && heaviest && i < recent_count(d); i++) {
		const struct recent *r = recent_at(d, i);
		const struct observation *o = &r->observation;

		if (r->kind != kind || o->time.ns < since_ns || !prefix_contains(scope, &o->dst))
			continue;
		if (r->taken) {
			survey->taken += o->weight;
			continue;
		}
		packets += o->weight;
		hll_add(&sources[0], hash_address(d->seed, &o->src));
		hll_add(&sources[1], hash_address(d->seed, &o->dst));
		hll_add(&sources[2], hash_2(d->seed, o->dst_port, 0));
		hll_add(&sources[3], hash_2(d->seed, o->src_port, 1));
		hll_add(&sources[4], hash_2(hash_address(d->seed, &o->dst), o->dst_port, 2));
		survey->impossible += address_is_impossible_source(&o->src) ? o->weight : 0;
		topk_add(&heaviest[2], topk_number(o->src_port), o->weight);
		topk_add(&heaviest[3], topk_number(o->dst_port), o->weight);
		survey->payload += (uint64_t)o->payload_length * o->weight;
		first_ns = o->time.ns < first_ns ? o->time.ns : first_ns;
		last_ns = o->time.ns > last_ns ? o->time.ns : last_ns;
		topk_add(&heaviest[0], address_topk(&o->src), o->weight);
		topk_add(&heaviest[1], address_topk(&o->dst), o->weight);
	}
	if (sources && heaviest) {
		survey->packets = packets;
		survey->sources = hll_estimate(&sources[0]);
		survey->destinations = hll_estimate(&sources[1]);
		survey->ports = hll_estimate(&sources[2]);
		survey->pairs = hll_estimate(&sources[4]);
		topk_sort(&heaviest[2]);
		topk_sort(&heaviest[3]);
		survey->source_port = (uint16_t)heaviest[2].entries[0].key.low;
		if (heaviest[2].entries[0].key.low != heaviest[3].entries[0].key.low)
			survey->shared_source_port = topk_heaviest(&heaviest[2]);
		survey->source_ports = hll_estimate(&sources[3]);
		survey->span_ns = packets ? last_ns - first_ns : 0;
		survey->heaviest_source = topk_heaviest(&heaviest[0]);
		survey->heaviest_destination = topk_heaviest(&heaviest[1]);
	}
	free(sources);
	free(heaviest);
}

/* ------------------------------------------------------------------ waves */

static int64_t wave_pause_ns(const struct wave *wave)
{
	int64_t span = time_since(wave->ended, wave->began);
	int64_t pause = wave->packets > 1 ? span / (int64_t)wave->packets : 0;

	pause = pause < WAVE_PAUSE_MAX_NS / WAVE_PAUSE_INTERVALS ? pause * WAVE_PAUSE_INTERVALS : WAVE_PAUSE_MAX_NS;
	return pause < WAVE_PAUSE_MIN_NS ? WAVE_PAUSE_MIN_NS : pause;
}

static struct wave *last_wave(struct incident *inc)
{
	return &inc->waves[inc->waves_count - 1];
}

/* What came after the last busy slot was the pause's own traffic. */
static void close_wave(struct incident *inc)
{
	inc->wave_open = false;
	if (inc->waves_count && time_since(inc->last_hot, last_wave(inc)->began) >= 0 &&
	    time_since(last_wave(inc)->ended, inc->last_hot) > 0)
		last_wave(inc)->ended = inc->last_hot;
	if (inc->waves_count && time_since(last_wave(inc)->ended, inc->ended) > 0)
		inc->ended = last_wave(inc)->ended;
}

static void open_wave(struct incident *inc, struct capture_time began)
{
	inc->wave_open = true;
	/* What begins within a pause of the last one's end goes on with it. */
	if (inc->waves_count && time_since(began, last_wave(inc)->ended) <= WAVE_PAUSE_MIN_NS) {
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

/* Books one packet of an open wave. */
static void record(struct detector *d, struct incident *inc, struct incident_part *part, const struct observation *o)
{
	struct wave *wave = last_wave(inc);
	struct incident_slot *slot;
	int64_t now = slot_of(o->time.ns);
	uint64_t bytes = (uint64_t)o->length * o->weight;

	window_add(part->window, o, d->seed);
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
	slot = &inc->slots[(uint64_t)now % INCIDENT_SLOTS];
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
	if (slot->packets * HOT_SHARE >= wave->peak_packets && time_since(o->time, inc->last_hot) > 0)
		inc->last_hot = o->time;
}

static bool take(struct detector *d, struct incident *inc, struct incident_part *part, const struct observation *o)
{
	if (!inc->wave_open)
		return false;
	if (time_since(o->time, inc->last_hot) > wave_pause_ns(last_wave(inc))) {
		close_wave(inc);
		return false;
	}
	record(d, inc, part, o);
	return true;
}

/* ------------------------------------------------------------------ incidents */

static int32_t resolve(const struct detector *d, int32_t index)
{
	while (index >= 0 && d->incidents[index]->absorbed_by >= 0)
		index = d->incidents[index]->absorbed_by;
	return index;
}

static bool is_over(const struct incident *inc, struct capture_time now)
{
	return inc->sealed || (!inc->wave_open && time_since(now, inc->ended) > INCIDENT_QUIET_NS);
}

static int32_t new_incident(struct detector *d, const struct prefix *scope, struct capture_time began,
                            struct capture_time detected, bool is_scan)
{
	struct incident *inc;

	if (d->count == DETECTOR_INCIDENTS_MAX || (is_scan && d->scans == SCANS_MAX)) {
		d->counters.incidents_refused++;
		return -1;
	}
	inc = calloc(1, sizeof(*inc));
	if (!inc) {
		d->counters.incidents_refused++;
		return -1;
	}
	inc->scope = *scope;
	inc->began = inc->ended = began;
	inc->detected = detected;
	inc->absorbed_by = -1;
	inc->is_scan = is_scan;
	for (unsigned i = 0; i < INCIDENT_SLOTS; i++)
		inc->slots[i].slot = INT64_MIN;
	d->scans += is_scan;
	d->incidents[d->count] = inc;
	return (int32_t)d->count++;
}

/* The first parts get full samples; each later one a share of what is left. */
static uint32_t sample_share(struct detector *d)
{
	uint32_t share = d->sample_left / SAMPLE_SHARE;

	share = share > INCIDENT_SAMPLE ? INCIDENT_SAMPLE : share < SAMPLE_MIN ? SAMPLE_MIN : share;
	d->sample_left -= share < d->sample_left ? share : d->sample_left;
	return share;
}

static int32_t part_of(struct detector *d, struct incident *inc, uint8_t kind)
{
	struct window *window;

	for (uint32_t i = 0; i < inc->parts_count; i++)
		if (inc->parts[i].kind == kind)
			return (int32_t)i;
	window = inc->parts_count < INCIDENT_PARTS_MAX ? window_new(sample_share(d)) : NULL;
	if (!window) {
		inc->parts_lost++;
		return -1;
	}
	inc->parts[inc->parts_count] = (struct incident_part){ .kind = kind, .window = window };
	return (int32_t)inc->parts_count++;
}

static int32_t find_part(const struct incident *inc, uint8_t kind)
{
	for (uint32_t i = 0; i < inc->parts_count; i++)
		if (inc->parts[i].kind == kind)
			return (int32_t)i;
	return -1;
}

static bool has_kind(const struct incident *inc, uint8_t kind)
{
	return find_part(inc, kind) >= 0;
}

/* An incident that is not over and that an alarm on this scope belongs to. */
static int32_t find_incident(const struct detector *d, const struct prefix *scope, struct capture_time now)
{
	for (uint32_t i = 0; i < d->count; i++) {
		const struct incident *inc = d->incidents[i];

		if (inc->absorbed_by < 0 && !inc->is_scan && !is_over(inc, now) && prefix_covers(&inc->scope, scope))
			return (int32_t)i;
	}
	return -1;
}

static void absorb(struct detector *d, int32_t into, int32_t from)
{
	struct incident *target = d->incidents[into];

	target->scope = prefix_join(&target->scope, &d->incidents[from]->scope);
	incident_absorb(target, d->incidents[from]);
	d->incidents[from]->absorbed_by = into;
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

	if (other->absorbed_by >= 0 || other->is_scan || is_over(other, now) || !has_kind(other, kind) ||
	    other->scope.is_ipv4 != inc->scope.is_ipv4 || !prefix_covers(&around, &other->scope))
		return false;
	/* A network gathers other networks, and of single addresses those inside it. */
	return host || !scope_is_host(&other->scope) || prefix_covers(&inc->scope, &other->scope);
}

/*
 * Neighbours under the same attack are one incident on their network: SIBLINGS addresses of one /24 (/64), or two networks of one /16 (/32).
 * Returns where `index` ended.
 */
static int32_t gather_neighbours(struct detector *d, int32_t index, uint8_t kind, struct capture_time now)
{
	const struct incident *inc = d->incidents[index];
	int32_t neighbours[DETECTOR_INCIDENTS_MAX];
	uint32_t met = 0;

	for (uint32_t i = 0; i < d->count; i++)
		if ((int32_t)i == index || is_neighbour(inc, d->incidents[i], kind, now))
			neighbours[met++] = (int32_t)i;
	if (met < (scope_is_host(&inc->scope) ? SIBLINGS : 2))
		return index;
	for (uint32_t i = 1; i < met; i++)
		absorb(d, neighbours[0], neighbours[i]);
	return neighbours[0];
}

/* The packets of a wave's beginning, from the ring. What the ring has lost is added by number. */
static void replay(struct detector *d, struct incident *inc, int32_t part_index, const struct prefix *scope,
                   uint8_t kind, int64_t from_ns, uint64_t expected)
{
	struct incident_part *part = &inc->parts[part_index];
	uint64_t before = part->window->packets, bytes = part->window->bytes, replayed;
	bool shared = false; /* some were another scope's: then counts of the track are not all this one's */

	for (uint64_t i = recent_count(d); i-- > 0;) {
		struct recent *r = recent_at(d, i);

		if (r->kind != kind || r->observation.time.ns < from_ns || !prefix_contains(scope, &r->observation.dst))
			continue;
		if (r->taken) {
			shared = true;
			continue;
		}
		record(d, inc, part, &r->observation);
		r->taken = true;
	}
	replayed = part->window->packets - before;
	/* Only where the ring does not reach back to the beginning is anything missing. */
	if (shared || reaches_back(d, from_ns))
		return;
	if (replayed && expected > replayed + replayed / 50 + TRACK_PROMOTE) {
		uint64_t missing = expected - replayed;
		uint64_t missing_bytes = (part->window->bytes - bytes) / replayed * missing;

		part->window->packets += missing;
		part->window->bytes += missing_bytes;
		inc->packets += missing;
		inc->bytes += missing_bytes;
		last_wave(inc)->packets += missing;
		last_wave(inc)->bytes += missing_bytes;
	}
}

/* The first kept packet that the wave will hold; false where none is kept. */
static bool first_of(struct detector *d, const struct prefix *scope, uint8_t kind, int64_t from_ns,
                     struct capture_time *first)
{
	for (uint64_t i = recent_count(d); i-- > 0;) {
		const struct recent *r = recent_at(d, i);

		if (!r->taken && r->kind == kind && r->observation.time.ns >= from_ns &&
		    prefix_contains(scope, &r->observation.dst)) {
			*first = r->observation.time;
			return true;
		}
	}
	return false;
}

/* Binds a track to its incident and opens a wave where none is open. */
static void raise_alarm(struct detector *d, struct track *track, const struct alarm *alarm, struct capture_time now)
{
	int64_t from_ns = slot_start_ns(alarm->from_slot);
	struct capture_time began = { from_ns };
	int32_t index = resolve(d, track->incident), part;
	struct track_counts counts = track_sum(track, alarm->from_slot, track->last_slot);
	uint64_t expected = counts.packets > counts.settled ? counts.packets - counts.settled : 0;
	struct incident *inc;

	if (!first_of(d, &track->scope, track->kind, from_ns, &began))
		return; /* what fired has been counted already */
	if (time_since(began, now) > 0)
		began = now;
	if (index >= 0 && is_over(d->incidents[index], now))
		index = -1;
	if (index < 0)
		index = find_incident(d, &track->scope, now);
	if (index < 0) {
		index = new_incident(d, &track->scope, began, now, false);
		if (index < 0)
			return;
	}
	inc = d->incidents[index];
	part = part_of(d, inc, track->kind);
	if (part < 0)
		return;
	if (!inc->wave_open)
		open_wave(inc, began);
	replay(d, inc, part, &track->scope, track->kind, from_ns, expected);
	track->incident = gather_neighbours(d, index, track->kind, now);
	track->frozen = true;
}

/* ------------------------------------------------------------------ deciding */

/*
 * A look asks each port or host once or twice, with little or no payload. Where it is as fast as a flood, what tells is the source port: scanners keep
 * theirs, floods take a new one for each packet. (Connecting scanners change it too, but are slow; there is no such thing over UDP.)
 */
static bool looks_like_scan(const struct survey *survey, uint8_t kind)
{
	uint64_t spread = survey->pairs;
	uint64_t pps = survey->packets * (uint64_t)NS_PER_S /
	               (uint64_t)(survey->span_ns > NS_PER_S / 10 ? survey->span_ns : NS_PER_S / 10);

	if (survey->sources > SCAN_SOURCES && survey->heaviest_source * 10 < survey->packets * 7)
		return false;
	return spread >= SCAN_PORTS && spread * SCAN_LOOKS >= survey->packets &&
	       survey->payload <= survey->packets * SCAN_PAYLOAD_MAX &&
	       ((pps < SCAN_FAST_PPS && kind != VECTOR_UDP) ||
	        survey->source_ports * SCAN_PORT_SHARE <= survey->packets);
}

static bool is_probe_kind(uint8_t kind)
{
	return kind == VECTOR_SYN || kind == VECTOR_FIN || kind == VECTOR_NULL || kind == VECTOR_XMAS ||
	       kind == VECTOR_ACK || kind == VECTOR_UDP;
}

/* Looking through the ring is dear: once a slot, and what was looked at in vain waits twice as long each time. */
static bool survey_track(struct detector *d, struct track *track, int64_t from_slot, bool final, struct survey *survey)
{
	if (!final && track->last_slot < track->survey_after)
		return false;
	survey_recent(d, &track->scope, track->kind, slot_start_ns(from_slot), survey);
	track->survey_after = track->last_slot + (1 << track->surveys_vain);
	if (track->surveys_vain < SURVEYS_VAIN_MAX)
		track->surveys_vain++;
	return true;
}

/* A second look at what fired: is it a scan, is the crowd one, and for a network, is it really spread? */
static bool confirm(struct detector *d, struct track *track, unsigned level, bool final, const struct alarm *alarm)
{
	struct track_counts counts = track_sum(track, alarm->from_slot, track->last_slot);
	uint64_t unanswered = counts.packets > counts.settled ? counts.packets - counts.settled : 0;
	struct survey survey;

	if (level == 0 && !is_probe_kind(track->kind) && !alarm->unsure)
		return true;
	if (!survey_track(d, track, alarm->from_slot, final, &survey))
		return false;
	if (survey.packets < survey.taken)
		return false; /* seen before, as another scope's */
	if (alarm->unsure && survey.heaviest_source * 2 < survey.packets)
		return false;
	/* Many sources among those who were answered do not make one noisy source a crowd. */
	if (alarm->crowd && survey.heaviest_source * 2 >= unanswered)
		return false;
	if (is_probe_kind(track->kind) && looks_like_scan(&survey, track->kind))
		return false;
	if (level == 0)
		return true;
	/* A flood comes back to each of its targets; what looks once at each, from however many sources, is a scan. */
	if (is_probe_kind(track->kind) &&
	    (reaches_back(d, slot_start_ns(alarm->from_slot)) ? survey.packets : unanswered) <
	            CARPET_RETURNS * survey.destinations)
		return false;
	return survey.destinations >= CARPET_DESTINATIONS && survey.heaviest_destination * 2 < survey.packets &&
	       (survey.sources >= 30 || survey.packets >= 20 * survey.destinations);
}

/* One busy slot is enough for an attack that is known. */
static bool rearms(const struct incident *inc, const struct track *track, int64_t slot, struct alarm *alarm)
{
	struct track_counts now = track_sum(track, slot, slot);
	uint64_t unanswered = now.packets > now.settled ? now.packets - now.settled : 0;

	if (inc->wave_open || unanswered < REARM_PACKETS || unanswered * REARM_SHARE < inc->peak_packets)
		return false;
	*alarm = (struct alarm){ .from_slot = slot - 1, .window = 1 };
	return true;
}

static bool due(struct track *track, int64_t slot)
{
	if (track->assessed_slot != slot) {
		track->assessed_slot = slot;
		track->assess_at = ASSESS_FIRST;
		return true;
	}
	if (track_sum(track, slot, slot).packets >= track->assess_at) {
		track->assess_at *= 2;
		return true;
	}
	return false;
}

/*
 * Too little for its numbers, but some signs need few packets: forged sources give themselves away by impossible ones among them, and answers of a
 * service that no table knows by the one port that all of them come from.
 */
static bool second_look(struct detector *d, struct track *track, unsigned level, int64_t since, int64_t slot,
                        bool final, struct alarm *alarm)
{
	const struct vector *vector = vector_get(track->kind);
	int64_t to = final ? slot : slot - vector->evidence->settle_slots, from = to - 9;
	struct track_counts counts = track_sum(track, from > since ? from : since, to);
	struct survey survey;

	if (level > 0 || vector->class != VECTOR_STATELESS)
		return false;
	if (counts.packets < counts.settled + SECOND_LOOK_1S) {
		from = to - 99;
		counts = track_sum(track, from > since ? from : since, to);
		if (counts.packets < counts.settled + SECOND_LOOK_10S)
			return false;
	}
	if (counts.settled * 2 > counts.packets)
		return false;
	if (!survey_track(d, track, from > since ? from : since, final, &survey))
		return false;
	if (survey.sources < SECOND_SOURCES || survey.packets < survey.taken ||
	    survey.heaviest_source * 4 > survey.packets)
		return false;
	if (!(survey.impossible * IMPOSSIBLE_SHARE >= survey.packets && survey.impossible * 2 < survey.packets) &&
	    !(track->kind == VECTOR_UDP && survey.shared_source_port * 10 >= survey.packets * 9 &&
	      survey.source_port <= SERVICE_PORT_MAX))
		return false;
	*alarm = (struct alarm){ .window = 10, .crowd = true };
	alarm->from_slot = assess_onset(track, vector->evidence, since, from);
	return true;
}

static bool decide(struct detector *d, struct track *track, unsigned level, int64_t slot, struct capture_time now,
                   bool final)
{
	const struct evidence *evidence = vector_get(track->kind)->evidence;
	int32_t index = resolve(d, track->incident);
	int64_t since = track->first_slot;
	struct alarm alarm;
	bool watched;

	if (index >= 0 && is_over(d->incidents[index], now)) {
		track->incident = index = -1;
		track->frozen = false;
	}
	/* Packets that an incident around it took were counted here as well. */
	if (index < 0)
		index = find_incident(d, &track->scope, now);
	watched = index >= 0 && level == 0 && d->incidents[index]->wave_open;
	if (index >= 0 && !has_kind(d->incidents[index], track->kind))
		index = -1;
	/* A wave that is over is not to be found again in the seconds behind it. */
	if (index >= 0 && !d->incidents[index]->wave_open && slot_of(d->incidents[index]->ended.ns) >= since)
		since = slot_of(d->incidents[index]->ended.ns) + 1;
	if (!(index >= 0 && rearms(d->incidents[index], track, slot, &alarm)) &&
	    !(assess(track, evidence, since, slot, level + 1, watched, final, &alarm) &&
	      confirm(d, track, level, final, &alarm)) &&
	    !second_look(d, track, level, since, slot, final, &alarm))
		return false;
	track->surveys_vain = 0;
	raise_alarm(d, track, &alarm, now);
	return true;
}

/* Busy, and its packets may yet be answered: to be looked at again when they had time. */
static void remember(struct detector *d, struct track *track, unsigned level, bool probe, struct capture_time now)
{
	const struct evidence *e = vector_get(track->kind)->evidence;

	if (track->pending || e->settle_slots == 0 ||
	    track_sum(track, track->last_slot, track->last_slot).packets < PENDING_PACKETS)
		return;
	if (d->pending_count == DETECTOR_PENDING_MAX) {
		d->counters.pending_refused++;
		return;
	}
	track->pending = true;
	d->pending[d->pending_count++] = (struct pending){
		.scope = track->scope,
		.kind = track->kind,
		.level = (uint8_t)level,
		.probe = probe,
		.slot = track->last_slot + e->settle_slots + 1,
		.time = now,
	};
}

static void assess_probes(struct detector *d, struct track *track, struct capture_time now, bool final);

/* A wave that no packet comes to end is over as well. */
static void end_silent_waves(struct detector *d, int64_t slot)
{
	struct capture_time now = { slot_start_ns(slot) };

	for (uint32_t i = 0; i < d->count; i++) {
		struct incident *inc = d->incidents[i];

		if (inc->absorbed_by < 0 && inc->wave_open && inc->waves_count &&
		    time_since(now, inc->last_hot) > wave_pause_ns(last_wave(inc)))
			close_wave(inc);
	}
}

void detector_tick(struct detector *d, struct track_table *tracks, struct track_table *probes, int64_t slot)
{
	end_silent_waves(d, slot);
	for (uint32_t i = 0; i < d->pending_count;) {
		struct pending p = d->pending[i];
		struct track *track;

		if (slot < p.slot) {
			i++;
			continue;
		}
		d->pending[i] = d->pending[--d->pending_count];
		track = track_find(p.probe ? probes : tracks, &p.scope, p.kind);
		if (!track)
			continue;
		track->pending = false;
		track_advance(track, p.slot);
		if (p.probe)
			assess_probes(d, track, p.time, false);
		else if (resolve(d, track->incident) < 0 || !d->incidents[resolve(d, track->incident)]->wave_open)
			decide(d, track, p.level, track->last_slot, p.time, false);
	}
}

bool detector_observe(struct detector *d, const struct observation *o, uint8_t kind, struct track *tracks[SCOPE_LEVELS])
{
	recent_push(d, o, kind);
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct track *track = tracks[level];
		int32_t index = track ? resolve(d, track->incident) : -1, part;

		if (index < 0)
			continue;
		part = find_part(d->incidents[index], kind);
		if (part >= 0 && take(d, d->incidents[index], &d->incidents[index]->parts[part], o)) {
			recent_at(d, 0)->taken = true;
			return true;
		}
		track->frozen = d->incidents[index]->wave_open;
	}
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct track *track = tracks[level];

		if (!track || !due(track, track->last_slot))
			continue;
		if (decide(d, track, level, track->last_slot, o->time, false))
			return true;
		remember(d, track, level, false, o->time);
	}
	return false;
}

/* A kept packet that is one of the track's probes and in no incident yet. */
static bool is_new_probe(const struct recent *r, const struct track *track, struct capture_time now)
{
	const struct observation *o = &r->observation;

	if (r->taken || r->probed || !(is_probe_kind(r->kind) || r->kind == VECTOR_ICMP) ||
	    !address_equal(&o->src, &track->example_src) || time_since(now, o->time) > 60 * NS_PER_S)
		return false;
	return track->kind == VECTOR_SCAN_PORTS ? address_equal(&o->dst, &track->example_dst)
	                                        : o->dst_port == track->example_port;
}

static bool any_new_probe(struct detector *d, const struct track *track, struct capture_time now)
{
	for (uint64_t i = 0; i < recent_count(d); i++)
		if (is_new_probe(recent_at(d, i), track, now))
			return true;
	return false;
}

/* Enough distinct ports or hosts, few of them answering? */
static bool is_scan(const struct track *track, bool final)
{
	const struct evidence *e = vector_get(track->kind)->evidence;
	struct track_counts counts =
		track_sum(track, track->last_slot - 599, track->last_slot - (final ? 0 : e->settle_slots));
	uint64_t distinct;

	if (counts.packets < e->crowd_60s || counts.settled * 5 > counts.packets * 2)
		return false;
	distinct = track_sources(track);
	/* Whoever asks the same again and again is polling. */
	return distinct >= e->crowd_60s_sources && counts.packets <= SCAN_REPEATS * distinct;
}

static void assess_probes(struct detector *d, struct track *track, struct capture_time now, bool final)
{
	int32_t index = resolve(d, track->incident), part;
	struct prefix scope = scope_at(&track->example_dst, 0);
	struct incident *inc;

	if ((index >= 0 && d->incidents[index]->wave_open) || !is_scan(track, final) || !any_new_probe(d, track, now))
		return;
	if (index < 0 || is_over(d->incidents[index], now))
		index = new_incident(d, &scope, now, now, true);
	if (index < 0)
		return;
	inc = d->incidents[index];
	part = part_of(d, inc, track->kind);
	if (part < 0)
		return;
	track->incident = index;
	open_wave(inc, now);
	for (uint64_t i = recent_count(d); i-- > 0;) {
		struct recent *r = recent_at(d, i);
		struct prefix probed = scope_at(&r->observation.dst, 0);

		if (!is_new_probe(r, track, now))
			continue;
		record(d, inc, &inc->parts[part], &r->observation);
		r->probed = true;
		inc->scope = prefix_join(&inc->scope, &probed);
	}
}

void detector_observe_probe(struct detector *d, const struct observation *o, struct track *track)
{
	struct prefix scope = scope_at(&o->dst, 0);
	int32_t index;

	if (!track)
		return;
	index = resolve(d, track->incident);
	if (index >= 0) {
		struct incident *inc = d->incidents[index];

		if (!recent_at(d, 0)->probed && take(d, inc, &inc->parts[0], o)) {
			recent_at(d, 0)->probed = true;
			inc->scope = prefix_join(&inc->scope, &scope);
			return;
		}
		if (is_over(inc, o->time))
			track->incident = -1;
	}
	track->example_src = o->src;
	track->example_dst = o->dst;
	track->example_port = o->dst_port;
	if (due(track, track->last_slot)) {
		assess_probes(d, track, o->time, false);
		remember(d, track, 0, true, o->time);
	}
}

void detector_note(struct detector *d, const struct address *target, uint8_t kind, bool handshake, bool reset_back)
{
	for (uint32_t i = 0; i < d->count; i++) {
		struct incident *inc = d->incidents[i];

		if (inc->absorbed_by >= 0 || !inc->wave_open || inc->is_scan || !prefix_contains(&inc->scope, target))
			continue;
		for (uint32_t j = 0; j < inc->parts_count; j++) {
			if (inc->parts[j].kind != kind)
				continue;
			inc->parts[j].window->handshakes += handshake;
			inc->parts[j].window->resets_back += reset_back;
		}
	}
}

/* ------------------------------------------------------------------ the end */

static void end_all(struct detector *d, struct capture_time last, bool seal)
{
	for (uint32_t i = 0; i < d->count; i++) {
		struct incident *inc = d->incidents[i];

		if (inc->absorbed_by >= 0 || inc->sealed)
			continue;
		if (inc->wave_open) {
			bool still_on =
				!seal && !inc->is_scan && time_since(last, inc->last_hot) <= WAVE_PAUSE_MIN_NS / 2;

			close_wave(inc);
			last_wave(inc)->open = inc->open = still_on;
		}
		inc->sealed = seal;
	}
}

void detector_break(struct detector *d, struct capture_time last)
{
	end_all(d, last, true);
	d->recent_next = 0;
	d->pending_count = 0;
}

static void decide_remaining(struct detector *d, struct track_table *tracks, struct capture_time last)
{
	int64_t slot = slot_of(last.ns);

	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		for (uint32_t i = 0; i < track_table_count(tracks); i++) {
			struct track *track = track_table_at(tracks, i);
			struct prefix scope = scope_at(&track->scope.address, level);
			int32_t index = resolve(d, track->incident);

			if (!prefix_equal(&scope, &track->scope) || (index >= 0 && d->incidents[index]->wave_open))
				continue;
			track_advance(track, slot > track->last_slot ? slot : track->last_slot);
			decide(d, track, level, track->last_slot, last, true);
		}
	}
}

/* The half of its scope that holds nearly all, and so on: the narrowest network that is the target. */
static void narrow_scope(struct incident *inc)
{
	struct window *total = incident_window(inc);

	if (!total)
		return;
	for (;;) {
		unsigned longest = inc->scope.is_ipv4 ? 32 : 128;
		struct prefix half;
		uint32_t lower = 0, all = 0;

		if (inc->scope.length == longest)
			break;
		half = prefix_of(&inc->scope.address, inc->scope.length + 1u);
		for (uint32_t i = 0; i < total->sample.used; i++) {
			if (!prefix_contains(&inc->scope, &total->sample.items[i].observation.dst))
				continue;
			all++;
			lower += prefix_contains(&half, &total->sample.items[i].observation.dst);
		}
		if (all == 0 || (lower * 100ull < all * 98ull && (all - lower) * 100ull < all * 98ull))
			break;
		if (lower * 100ull < all * 98ull) {
			unsigned bit = inc->scope.length + (inc->scope.is_ipv4 ? 96u : 0u);

			half.address.octets[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
		}
		inc->scope = half;
	}
	window_free(total);
}

static uint64_t share_of_top(const struct topk *topk)
{
	return topk->total ? topk_heaviest(topk) * 100 / topk->total : 0;
}

/* Packets from ports that servers listen on. */
static uint64_t share_of_services(const struct topk *ports)
{
	uint64_t from_services = 0;

	for (uint32_t i = 0; i < ports->used; i++)
		if (ports->entries[i].key.low < 1024 || ports->entries[i].key.low == 8080)
			from_services += ports->entries[i].count - ports->entries[i].error;
	return ports->total ? from_services * 100 / ports->total : 0;
}

/* Few ports, none of which a client would be given: hosts that listen there. */
static uint64_t share_of_top_listeners(const struct topk *ports)
{
	struct topk sorted = *ports;
	uint64_t listening = 0;

	topk_sort(&sorted);
	for (uint32_t i = 0; i < sorted.used && i < LISTENERS; i++)
		if (sorted.entries[i].key.low <= SERVICE_PORT_MAX)
			listening += sorted.entries[i].count - sorted.entries[i].error;
	return sorted.total ? listening * 100 / sorted.total : 0;
}

static bool same_top(const struct topk *a, const struct topk *b)
{
	struct topk left = *a, right = *b;

	topk_sort(&left);
	topk_sort(&right);
	return left.used && right.used && left.entries[0].key.low == right.entries[0].key.low;
}

static uint8_t refine(const struct incident_part *part)
{
	const struct window *w = part->window;
	uint64_t sources = hll_estimate(&w->sources), top_port = share_of_top(&w->top_src_ports);

	/* Among peers, both ends use one port: no reflector is asked from there. */
	if (part->kind == VECTOR_UDP && sources >= 20 && top_port >= 80 && share_of_top(&w->top_sources) < 50 &&
	    w->top_src_ports.entries[0].key.low != 443 &&
	    (share_of_top(&w->top_dst_ports) < 80 || !same_top(&w->top_src_ports, &w->top_dst_ports)))
		return VECTOR_UDP_REFLECTION;
	if (part->kind == VECTOR_SYN_ACK &&
	    (share_of_services(&w->top_src_ports) >= 50 || share_of_top_listeners(&w->top_src_ports) >= 80))
		return VECTOR_SYN_ACK_REFLECTION;
	if ((part->kind == VECTOR_ACK || part->kind == VECTOR_RST || part->kind == VECTOR_FIN) && sources >= 20 &&
	    share_of_services(&w->top_src_ports) >= 80 && share_of_top(&w->top_sources) < 50 &&
	    w->payloads * 2 > w->packets)
		return VECTOR_MIDDLEBOX_REFLECTION;
	return part->kind;
}

static void remove_part(struct incident *inc, uint32_t index)
{
	inc->packets -= inc->parts[index].window->packets;
	inc->bytes -= inc->parts[index].window->bytes;
	window_free(inc->parts[index].window);
	memmove(&inc->parts[index], &inc->parts[index + 1], (inc->parts_count - index - 1) * sizeof(inc->parts[0]));
	inc->parts_count--;
}

static int by_packets(const void *left, const void *right)
{
	const struct incident_part *a = left, *b = right;

	if (a->window->packets != b->window->packets)
		return a->window->packets > b->window->packets ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static void name_parts(struct incident *inc)
{
	for (uint32_t i = 0; i < inc->parts_count; i++)
		inc->parts[i].kind = refine(&inc->parts[i]);
	/* Rows of one name (netbios on two ports) are one vector. */
	for (uint32_t i = 0; i < inc->parts_count; i++) {
		for (uint32_t j = i + 1; j < inc->parts_count;) {
			if (strcmp(vector_get(inc->parts[i].kind)->name, vector_get(inc->parts[j].kind)->name) != 0) {
				j++;
				continue;
			}
			window_merge(inc->parts[i].window, inc->parts[j].window);
			window_free(inc->parts[j].window);
			memmove(&inc->parts[j], &inc->parts[j + 1], (inc->parts_count - j - 1) * sizeof(inc->parts[0]));
			inc->parts_count--;
		}
	}
	qsort(inc->parts, inc->parts_count, sizeof(inc->parts[0]), by_packets);
	for (uint32_t i = inc->parts_count; i-- > 1;) {
		const struct incident_part *part = &inc->parts[i];
		uint64_t share = part->kind == VECTOR_ICMP_ERROR ? ECHO_SHARE : SMALL_SHARE;

		if (part->window->packets * share < inc->packets && part->window->bytes * share < inc->bytes)
			remove_part(inc, i);
	}
}

static bool overlap(const struct incident *a, const struct incident *b)
{
	return time_since(a->began, b->ended) <= NS_PER_S && time_since(b->began, a->ended) <= NS_PER_S &&
	       (prefix_covers(&a->scope, &b->scope) || prefix_covers(&b->scope, &a->scope));
}

/* Scans of one target are one incident; a scan inside a flood is that flood's packets seen another way. */
static void settle_scans(struct detector *d)
{
	for (uint32_t i = 0; i < d->count; i++) {
		struct incident *scan = d->incidents[i];

		if (!scan->is_scan || scan->absorbed_by >= 0)
			continue;
		for (uint32_t j = 0; j < d->count; j++) {
			struct incident *other = d->incidents[j];

			if (i == j || other->absorbed_by >= 0 || !overlap(scan, other))
				continue;
			if (!other->is_scan) {
				scan->absorbed_by = (int32_t)j; /* dropped, not merged */
				break;
			}
			if (j > i) {
				absorb(d, (int32_t)i, (int32_t)j);
				scan = d->incidents[i];
			}
		}
	}
}

static int by_beginning(const void *left, const void *right)
{
	const struct incident *a = *(struct incident *const *)left, *b = *(struct incident *const *)right;

	if (a->began.ns != b->began.ns)
		return a->began.ns < b->began.ns ? -1 : 1;
	return address_compare(&a->scope.address, &b->scope.address);
}

static int by_wave_beginning(const void *left, const void *right)
{
	const struct wave *a = left, *b = right;

	return a->began.ns < b->began.ns ? -1 : a->began.ns > b->began.ns;
}

void detector_finish(struct detector *d, struct track_table *tracks, struct track_table *probes,
                     struct capture_time last)
{
	uint32_t kept = 0;

	decide_remaining(d, tracks, last);
	for (uint32_t i = 0; i < track_table_count(probes); i++)
		assess_probes(d, track_table_at(probes, i), last, true);
	end_all(d, last, false);
	settle_scans(d);
	for (uint32_t i = 0; i < d->count; i++) {
		struct incident *inc = d->incidents[i];

		if (inc->absorbed_by >= 0 || inc->parts_count == 0) {
			for (uint32_t j = 0; j < inc->parts_count; j++)
				window_free(inc->parts[j].window);
			free(inc);
			continue;
		}
		name_parts(inc);
		narrow_scope(inc);
		qsort(inc->waves, inc->waves_count, sizeof(inc->waves[0]), by_wave_beginning);
		inc->id = hash_2(hash_address(d->seed, &inc->scope.address), (uint64_t)inc->began.ns,
		                 (uint64_t)inc->scope.length << 8 | inc->parts[0].kind);
		d->incidents[kept++] = inc;
	}
	d->count = kept;
	if (kept)
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
		qsort(d->incidents, kept, sizeof(d->incidents[0]), by_beginning);
}
