/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/scan.h"

#include "detect/scope.h"
#include "detect/vector.h"
#include "detect/wave.h"
#include "measure/slot.h"

#define SOURCES 4                     /* a scan from more hosts than a few is the work of one of them, or none */
#define LOOKS 5                       /* packets for each port or host, repeated and mirrored ones among them */
#define REPEATS 3                     /* probes of one port or host on average, at most */
#define PORTS 40                      /* or hosts, at least: more than a client of many services asks */
#define FAST_PPS 3000                 /* from here on it could be a flood: the source port has to tell */
#define PORT_SHARE 10                 /* packets for each source port of a fast scanner, at least */
#define PAYLOAD_MAX 200               /* octets in a probe on average */
#define ALONE_PERCENT 70              /* of the packets of many sources from one: the others are by-standers */
#define ANSWERED_PERCENT 40           /* of the probes of a scan, at most */
#define MEMORY_NS (60 * NS_PER_S)     /* how far back a scan's probes are sought … */
#define MEMORY_SLOTS SLOTS_PER_MINUTE /* … and counted */
#define SPAN_MIN_NS SLOT_NS           /* a rate is not taken from less */

/*
 * A look asks each port or host once or twice, with little or no payload. Where it is as fast as a flood, what tells is
 * the source port: scanners keep theirs, floods take a new one for each packet. (Connecting scanners change it too, but
 * are slow; there is no such thing over UDP.)
 */
bool scan_explains(const struct survey *survey, uint8_t kind)
{
	uint64_t spread = survey->pairs;
	uint64_t pps = survey->packets * (uint64_t)NS_PER_S /
	               (uint64_t)(survey->span_ns > SPAN_MIN_NS ? survey->span_ns : SPAN_MIN_NS);

	if (survey->sources > SOURCES && survey->heaviest_source * 100 < survey->packets * ALONE_PERCENT)
		return false;
	return spread >= PORTS && spread * LOOKS >= survey->seen && survey->payload <= survey->packets * PAYLOAD_MAX &&
	       ((pps < FAST_PPS && kind != VECTOR_UDP) || survey->source_ports * PORT_SHARE <= survey->seen);
}

/* A kept packet that is one of the track's probes and in no incident yet. */
static bool is_new_probe(const struct recent *r, const struct track *track, struct capture_time now)
{
	if (r->taken || r->probed || !(vector_is_probe(r->kind) || r->kind == VECTOR_ICMP) ||
	    !address_equal(&r->src, &track->example_src) || time_since(now, r->time) > MEMORY_NS)
		return false;
	return track->kind == VECTOR_SCAN_PORTS ? address_equal(&r->dst, &track->example_dst)
	                                        : r->dst_port == track->example_port;
}

static bool any_new_probe(struct recent_ring *ring, const struct track *track, struct capture_time now)
{
	for (uint64_t i = 0; i < recent_count(ring); i++)
		if (is_new_probe(recent_at(ring, i), track, now))
			return true;
	return false;
}

/* Enough distinct ports or hosts, few of them answering? */
static bool is_scan(const struct track *track, bool final)
{
	const struct evidence *e = vector_get(track->kind)->evidence;
	struct track_counts counts =
		track_sum(track, track->last_slot - MEMORY_SLOTS + 1, track->last_slot - (final ? 0 : e->settle_slots));
	uint64_t distinct;

	if (counts.packets < e->crowd_60s || counts.settled * 100 > counts.packets * ANSWERED_PERCENT)
		return false;
	distinct = track_sources(track);
	/* Whoever asks the same again and again is polling. */
	return distinct >= e->crowd_60s_sources && counts.packets <= REPEATS * distinct;
}

void scan_assess(struct incident_list *list, struct recent_ring *ring, struct track *track, struct capture_time now,
                 bool final)
{
	int32_t index = incident_list_resolve(list, track->incident);
	struct prefix scope = scope_at(&track->example_dst, 0);
	struct incident_part *part;
	struct incident *inc;

	if ((index >= 0 && list->items[index]->wave_open) || !is_scan(track, final) || !any_new_probe(ring, track, now))
		return;
	if (index < 0 || incident_is_over(list->items[index], now))
		index = incident_list_add(list, &scope, now, now, true);
	if (index < 0)
		return;
	inc = list->items[index];
	part = incident_list_part(list, inc, track->kind);
	if (!part)
		return;
	track->incident = index;
	wave_open(inc, now);
	for (uint64_t i = recent_count(ring); i-- > 0;) {
		struct recent *r = recent_at(ring, i);
		struct prefix probed = scope_at(&r->dst, 0);
		struct keys keys;

		if (!is_new_probe(r, track, now))
			continue;
		keys_make(&keys, recent_whole(ring, i), list->seed);
		wave_record(inc, part, recent_whole(ring, i), &keys);
		r->probed = true;
		inc->scope = prefix_join(&inc->scope, &probed);
	}
}

bool scan_take(struct incident_list *list, struct recent_ring *ring, const struct observation *o,
               const struct keys *keys, struct track *track)
{
	struct prefix scope = scope_at(&o->dst, 0);
	int32_t index = incident_list_resolve(list, track->incident);

	if (index >= 0) {
		struct incident *inc = list->items[index];

		if (!recent_at(ring, 0)->probed && wave_take(inc, &inc->parts[0], o, keys)) {
			recent_at(ring, 0)->probed = true;
			inc->scope = prefix_join(&inc->scope, &scope);
			return true;
		}
		if (incident_is_over(inc, o->time))
			track->incident = -1;
	}
	track->example_src = o->src;
	track->example_dst = o->dst;
	track->example_port = o->dst_port;
	return false;
}

static bool overlap(const struct incident *a, const struct incident *b)
{
	return time_since(a->began, b->ended) <= NS_PER_S && time_since(b->began, a->ended) <= NS_PER_S &&
	       (prefix_covers(&a->scope, &b->scope) || prefix_covers(&b->scope, &a->scope));
}

void scan_settle(struct incident_list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct incident *scan = list->items[i];

		if (!scan->is_scan || scan->absorbed_by >= 0)
			continue;
		for (uint32_t j = 0; j < list->count; j++) {
			struct incident *other = list->items[j];

			if (i == j || other->absorbed_by >= 0 || !overlap(scan, other))
				continue;
			if (!other->is_scan) {
				scan->absorbed_by = (int32_t)j; /* dropped, not merged */
				break;
			}
			if (j > i) {
				incident_list_absorb(list, (int32_t)i, (int32_t)j);
				scan = list->items[i];
			}
		}
	}
}
