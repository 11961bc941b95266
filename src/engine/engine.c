/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "detect/assess.h"
#include "detect/detector.h"
#include "detect/http_watch.h"
#include "detect/judge.h"
#include "detect/scope.h"
#include "engine/learned.h"
#include "measure/flow.h"

#define PROBE_SLOTS SLOTS_PER_MINUTE /* generations in which probes are counted: a careful scanner takes its time */
#define AHEAD_FAR 4                  /* packets: about the time that memory takes to answer */
#define AHEAD_NEAR 2                 /* packets: half of it */
#define AHEAD_RING 16
#define AHEAD_PACKETS 6 /* beyond AHEAD_FAR: the packet itself comes from a cache that is nearer than memory */

_Static_assert(AHEAD_RING > AHEAD_FAR && AHEAD_FAR >= AHEAD_NEAR, "what is known of a packet is there until its turn");

/* What is known of a packet's tracks before it is its turn, should it be of this kind. */
struct ahead {
	uint8_t kind; /* VECTOR_NONE: nothing */
	uint64_t identities[SCOPE_LEVELS];
	void *hints[SCOPE_LEVELS];
};

struct engine {
	uint64_t seed;
	struct flow_table *flows;
	struct track_table *tracks;
	struct track_table *probes; /* counted from their source, over a minute */
	struct detector *detector;
	struct http_watch *http;
	struct sample baseline;
	uint64_t learned_seconds; /* that the baseline spans besides what was seen here */
	struct engine_totals totals;
	struct timeline timeline;
	uint64_t told_packets, told_bytes; /* of totals, those in the timeline */
	struct capture_time newest;        /* since the last jump */
	int64_t slot;                      /* of the packet before */
	struct capture_time ahead;         /* of a packet far in the future that nothing has confirmed */
	uint32_t unwelcome, unwelcome_of;  /* packets of the batch before */
	uint32_t behind;                   /* packets in a row that are far behind newest */
	uint32_t count, due;               /* findings that are made, and that are to be, once it is closed */
	struct finding *findings;
};

struct engine *engine_new(uint64_t seed)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->seed = seed;
	e->ahead = (struct capture_time){ INT64_MIN };
	e->flows = flow_table_new(seed);
	e->tracks = track_table_new(TRACK_SOURCES_SLOTS);
	e->probes = track_table_new(PROBE_SLOTS);
	e->detector = detector_new(seed);
	e->http = http_watch_new(seed);
	sample_init(&e->baseline, ENGINE_BASELINE_SAMPLE);
	if (!e->http || !e->flows || !e->tracks || !e->probes || !e->detector) {
		engine_free(e);
		return NULL;
	}
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->count; i++)
		finding_fini(&e->findings[i]);
	free(e->findings);
	sample_fini(&e->baseline);
	http_watch_free(e->http);
	detector_free(e->detector);
	track_table_free(e->tracks);
	track_table_free(e->probes);
	flow_table_free(e->flows);
	free(e);
}

const struct engine_totals *engine_totals(const struct engine *e)
{
	return &e->totals;
}

const struct timeline *engine_timeline(const struct engine *e)
{
	return &e->timeline;
}

uint32_t engine_count(const struct engine *e)
{
	return e->count;
}

const struct finding *engine_finding(const struct engine *e, uint32_t index)
{
	return &e->findings[index];
}

/* Whether a time is so far ahead that it is not believed. */
static bool is_stray(struct engine *e, struct capture_time time)
{
	if (e->totals.packets == 0 || time_since(time, e->newest) <= ENGINE_JUMP_AHEAD_NS)
		return false;
	/* Far in the future: believed when the one before said so too. */
	if (time_since(time, e->ahead) <= ENGINE_JUMP_AHEAD_NS && time_since(e->ahead, time) <= ENGINE_JUMP_BACK_NS)
		return false;
	e->ahead = time;
	return true;
}

/* What came in the slot that has ended. Late packets are in the slot in which they came. */
static void tell_timeline(struct engine *e)
{
	if (e->totals.packets != e->told_packets)
		timeline_add(&e->timeline, e->slot, e->totals.packets - e->told_packets,
		             e->totals.bytes - e->told_bytes);
	e->told_packets = e->totals.packets;
	e->told_bytes = e->totals.bytes;
}

/*
 * Moves the engine's clock and returns the present slot. Late packets count for the present; a clock that was set back
 * starts anew.
 */
static int64_t move_clock(struct engine *e, struct capture_time time)
{
	struct engine_totals *t = &e->totals;
	bool begun = t->packets > 0;

	if (!begun || time_since(time, t->first) < 0)
		t->first = time;
	if (!begun || time_since(time, t->last) > 0)
		t->last = time;
	if (!begun || time_since(time, e->newest) >= 0) {
		e->newest = time;
		e->behind = 0;
		return slot_of(e->newest.ns);
	}
	t->out_of_order++;
	if (time_since(e->newest, time) > ENGINE_JUMP_BACK_NS && ++e->behind >= ENGINE_JUMP_PACKETS) {
		detector_break(e->detector, e->newest);
		flow_table_clear(e->flows);
		track_table_clear(e->tracks);
		track_table_clear(e->probes);
		http_watch_clear(e->http);
		t->clock_jumps++;
		e->newest = time;
		e->behind = 0;
	}
	return slot_of(e->newest.ns);
}

/* So many packets that were counted under a kind from a slot on were welcome: by what they stand for. */
static void settle(struct engine *e, const struct address *target, uint8_t kind, int64_t slot, uint32_t packets,
                   bool lately)
{
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct prefix scope = scope_at(target, level);
		struct track_key key = track_key_of(&scope, kind, e->seed);

		if (lately)
			track_settle_lately(e->tracks, &key, slot, packets);
		else
			track_settle(e->tracks, &key, slot, packets);
	}
}

/* Of all scopes of an address, what track_key_of() would make of scope_at(). */
static void hash_scopes(const struct address *address, uint64_t seed, uint64_t hashes[SCOPE_LEVELS])
{
	bool is_ipv4 = address_is_ipv4(address);
	uint64_t half[2];

	memcpy(half, address->octets, sizeof(half));
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		uint8_t length = scope_length(is_ipv4, level);
		unsigned host_bits = (is_ipv4 ? 32u : 128u) - length;
		const uint64_t scope[2] = {
			host_bits <= 64 ? half[0] : half[0] & htobe64(UINT64_MAX << (host_bits - 64)),
			host_bits >= 64 ? 0 : half[1] & htobe64(UINT64_MAX << host_bits),
		};

		hashes[level] = track_scope_hash(scope, length, seed);
	}
}

/*
 * One packet of a kind towards o->dst, in the tracks of all levels and before the detector. `ahead` may know its
 * tracks: of the kind that was likely.
 */
static bool count_kind(struct engine *e, const struct observation *o, const struct keys *keys, uint8_t kind,
                       int64_t slot, uint64_t source, bool fresh, bool settled, const struct ahead *ahead)
{
	struct track *tracks[SCOPE_LEVELS];
	const struct ahead *known = ahead && ahead->kind == kind ? ahead : NULL;
	bool is_ipv4 = address_is_ipv4(&o->dst);
	uint64_t scopes[SCOPE_LEVELS];

	if (!known)
		hash_scopes(&o->dst, e->seed, scopes);
	for (unsigned level = 0; level < SCOPE_LEVELS; level++) {
		struct track_key key = {
			.identity = known ? known->identities[level] : track_identity(scopes[level], kind),
			.address = &o->dst,
			.length = scope_length(is_ipv4, level),
			.kind = kind,
			.hint = known ? known->hints[level] : NULL,
		};

		tracks[level] = track_add(e->tracks, &key, slot, source, o->weight, fresh);
		if (settled)
			track_settle(e->tracks, &key, slot, o->weight);
	}
	return detector_observe(e->detector, o, keys, kind, tracks);
}

/* A scan is seen from its source: its probes' tracks are kept by source and host, and by source and port. */
static struct prefix probe_scope(const struct engine *e, const struct address *from, const struct address *to,
                                 uint16_t port)
{
	uint64_t half[2];
	struct address key;

	half[0] = hash_address(hash_address(e->seed, from), to ? to : from);
	half[1] = hash_2(half[0], port, to != NULL);
	memcpy(key.octets, half, sizeof(key.octets));
	return (struct prefix){ .address = key, .length = 128, .is_ipv4 = false };
}

/*
 * One look, whatever it stands for: a scan is told by how many of the looks that were seen are distinct, and of those
 * that a sample passed over nobody knows.
 */
static struct track *add_probe(struct engine *e, const struct prefix *scope, uint8_t kind, int64_t slot, uint64_t what)
{
	struct track_key key = track_key_of(scope, kind, e->seed);

	return track_add(e->probes, &key, slot, what, 1, true);
}

static void count_probe(struct engine *e, const struct packet *p, int64_t slot)
{
	const struct observation *o = &p->observation;
	struct prefix host = probe_scope(e, &o->src, &o->dst, 0), port = probe_scope(e, &o->src, NULL, o->dst_port);

	detector_observe_probe(e->detector, o, &p->keys,
	                       add_probe(e, &host, VECTOR_SCAN_PORTS, slot, hash_2(e->seed, o->dst_port, 7)));
	detector_observe_probe(e->detector, o, &p->keys,
	                       add_probe(e, &port, VECTOR_SCAN_HOSTS, slot, p->keys.destination));
}

/*
 * The target itself refused what came to it: it lost nothing by that. The networks around it keep count, for what is
 * little to each address may be much to all of them; so do probes, for most of what a scan asks is refused.
 */
static void give_back_refused(struct engine *e, const struct address *target, const struct credit *credit)
{
	struct prefix scope = scope_at(target, 0);
	struct track_key key = track_key_of(&scope, credit->kind, e->seed);
	struct track *track = track_find(e->tracks, &key);

	if (!track || assess_refused(track, credit->packets))
		track_settle(e->tracks, &key, credit->slot, credit->packets);
}

/* Earlier packets of the conversation were welcome: they are taken back from the tracks that count the unwelcome. */
static void give_back(struct engine *e, const struct observation *o, const struct credit *credit)
{
	const struct address *target = credit->toward_dst ? &o->dst : &o->src;
	const struct address *opener = credit->toward_dst ? &o->src : &o->dst;
	uint16_t port = credit->toward_dst ? o->dst_port : o->src_port;
	struct prefix host = probe_scope(e, opener, target, 0), by_port = probe_scope(e, opener, NULL, port);
	struct track_key ports = track_key_of(&host, VECTOR_SCAN_PORTS, e->seed);
	struct track_key hosts = track_key_of(&by_port, VECTOR_SCAN_HOSTS, e->seed);

	if (credit->refused) {
		give_back_refused(e, target, credit);
		return;
	}
	if (credit->kind != VECTOR_NONE)
		settle(e, target, credit->kind, credit->slot, credit->packets, credit->lately);
	if (credit->lately)
		return;
	track_settle(e->probes, &ports, credit->slot, 1);
	track_settle(e->probes, &hosts, credit->slot, 1);
}

/* What the packet says of others than itself. */
static void book_past(struct engine *e, const struct packet *p, const struct judgement *j, int64_t slot)
{
	const struct observation *o = &p->observation;

	if (j->credit.packets)
		give_back(e, o, &j->credit);
	if (j->marks)
		detector_note(e->detector, o, &p->keys, VECTOR_SYN, j->marks);
	if (j->connects)
		count_kind(e, o, &p->keys, VECTOR_TCP_CONNECTION, slot, p->keys.source, true, false, NULL);
	if (j->speaks)
		settle(e, &o->dst, VECTOR_TCP_CONNECTION, j->connected_slot, j->speaks, false);
}

/* The packet itself. True where an incident took it. */
static bool count_packet(struct engine *e, const struct packet *p, const struct judgement *j, int64_t slot,
                         const struct ahead *ahead)
{
	if (j->kind == VECTOR_NONE)
		return false;
	if (count_kind(e, &p->observation, &p->keys, j->kind, slot, p->keys.source, j->fresh, j->settled, ahead))
		return true;
	if (j->probe)
		count_probe(e, p, slot);
	return false;
}

/*
 * The tunnel packet around it.
 *
 * A tunnel joins two networks, so that few inner destinations are its mark, and many that of a flood. A mirror or an
 * overlay carries everything there is, but from few ends: a flood that is wrapped as one comes from many. Nor has its
 * outside anything to say where the inside is part of a conversation.
 */
static bool count_tunnel(struct engine *e, const struct observation *o, int64_t slot, const struct judgement *j)
{
	bool overlay = o->flags & OBSERVATION_OVERLAY;
	uint8_t kind = judge_tunnel(e->flows, o, slot);
	struct observation outer;
	struct keys keys;

	if (kind == VECTOR_NONE || (overlay && j->welcome))
		return false;
	observation_outer(o, &outer);
	keys_make(&keys, &outer, e->seed);
	return count_kind(e, &outer, &keys, kind, slot, overlay ? keys.source : hash_address(keys.source, &o->dst),
	                  j->fresh, false, NULL);
}

void engine_loaded(struct engine *e, const struct engine_load *load)
{
	uint64_t part = load->pps / ENGINE_LOAD_SHARE;

	detector_strain(e->detector,
	                load->percent < ENGINE_LOAD_PERCENT ? 0
	                : part                              ? part
	                                                    : 1,
	                slot_of(e->newest.ns) + ENGINE_LOAD_NS / SLOT_NS);
}

void engine_prepare(const struct engine *e, struct packet *packet)
{
	const struct observation *o = &packet->observation;

	keys_make(&packet->keys, o, e->seed);
	packet->likely = vector_recognise(o);
	hash_scopes(&o->dst, e->seed, packet->scopes);
}

void engine_prepare_after(const struct engine *e, struct packet *packet, const struct packet *before)
{
	const struct observation *o = &packet->observation;

	if (!address_equal(&o->dst, &before->observation.dst)) {
		engine_prepare(e, packet);
		return;
	}
	keys_make_toward(&packet->keys, o, before->keys.destination, e->seed);
	packet->likely = vector_recognise(o);
	memcpy(packet->scopes, before->scopes, sizeof(packet->scopes));
}

/* The present slot is another one. */
static void change_slot(struct engine *e, int64_t slot)
{
	tell_timeline(e);
	detector_tick(e->detector, e->tracks, e->probes, slot);
	http_watch_tick(e->http, e->detector, slot);
	e->slot = slot;
}

static void observe(struct engine *e, struct packet *p, const struct ahead *ahead)
{
	struct observation *o = &p->observation;
	struct judgement j;
	int64_t slot;
	bool taken;

	if (is_stray(e, o->time))
		o->time = e->newest;
	slot = move_clock(e, o->time);
	if (slot != e->slot)
		change_slot(e, slot);
	judge_packet(e->flows, o, &p->keys, p->likely, slot, &j);
	book_past(e, p, &j, slot);
	e->totals.packets += o->weight;
	e->totals.bytes += (uint64_t)o->weight * (o->flags & OBSERVATION_TUNNELLED ? o->outer.length : o->length);
	e->unwelcome += j.kind != VECTOR_NONE;
	taken = count_packet(e, p, &j, slot, ahead);
	if (!taken && (o->flags & OBSERVATION_TUNNELLED))
		taken = count_tunnel(e, o, slot, &j);
	if (!taken && j.http)
		taken = http_watch_observe(e->http, e->detector, o, &p->keys, slot);
	if (taken)
		return;
	if (j.welcome)
		o->flags |= OBSERVATION_WELCOME;
	sample_add_drawn(&e->baseline, o, p->keys.draw);
}

/* Far ahead: what is asked for now arrives while other packets are worked on. */
static void look_ahead(struct engine *e, const struct packet *p, struct ahead *ahead, bool tracks)
{
	flow_prefetch(e->flows, &p->keys);
	ahead->kind = tracks ? p->likely : VECTOR_NONE;
	for (unsigned level = 0; level < SCOPE_LEVELS && tracks; level++) {
		ahead->identities[level] = track_identity(p->scopes[level], p->likely);
		track_prefetch(e->tracks, ahead->identities[level]);
	}
}

/* Farther than all: the packet itself, which may have been made on another core. */
static void fetch_packet(const struct packet *p)
{
	__builtin_prefetch(&p->observation);
	__builtin_prefetch((const char *)&p->observation + MEMORY_LINE);
	__builtin_prefetch((const char *)&p->observation + 2 * (size_t)MEMORY_LINE);
	__builtin_prefetch(&p->keys);
	__builtin_prefetch(&p->likely);
}

/* Less far: it has arrived, and says where the rest is. */
static void seek_tracks(struct engine *e, const struct packet *p, struct ahead *ahead)
{
	for (unsigned level = 0; level < SCOPE_LEVELS && ahead->kind != VECTOR_NONE; level++)
		ahead->hints[level] = track_seek(e->tracks, ahead->identities[level], p->keys.source);
}

/* One loop, three places in it: packets are prefetched, sought, observed. */
void engine_observe(struct engine *e, struct packet *packets, uint32_t count)
{
	struct ahead ahead[AHEAD_RING] = { 0 };
	/* Where hardly a packet was unwelcome, tracks are hardly looked up. */
	bool tracks = e->unwelcome * 4 >= e->unwelcome_of;

	e->unwelcome = 0;
	e->unwelcome_of = count;
	for (uint32_t i = 0; i < count + AHEAD_FAR; i++) {
		if (i + AHEAD_PACKETS < count)
			fetch_packet(&packets[i + AHEAD_PACKETS]);
		if (i < count)
			look_ahead(e, &packets[i], &ahead[i % AHEAD_RING], tracks);
		if (i >= AHEAD_FAR - AHEAD_NEAR && i - (AHEAD_FAR - AHEAD_NEAR) < count)
			seek_tracks(e, &packets[i - (AHEAD_FAR - AHEAD_NEAR)],
			            &ahead[(i - (AHEAD_FAR - AHEAD_NEAR)) % AHEAD_RING]);
		if (i >= AHEAD_FAR)
			observe(e, &packets[i - AHEAD_FAR], &ahead[(i - AHEAD_FAR) % AHEAD_RING]);
	}
}

void engine_advance(struct engine *e, struct capture_time now)
{
	if (e->totals.packets == 0 || time_since(now, e->newest) <= 0 ||
	    time_since(now, e->newest) > ENGINE_JUMP_AHEAD_NS)
		return;
	e->newest = now;
	if (slot_of(now.ns) != e->slot)
		change_slot(e, slot_of(now.ns));
}

static void total_limits(struct engine *e)
{
	const struct flow_counters *flows = flow_table_counters(e->flows);
	const struct track_counters *tracks = track_table_counters(e->tracks),
				    *probes = track_table_counters(e->probes);
	struct detector_counters detector = detector_counters(e->detector);
	struct http_watch_counters http = http_watch_counters(e->http);
	struct engine_totals *t = &e->totals;

	t->flows_pushed_out = flows->pushed_out;
	t->flows_refused = flows->refused;
	t->candidates_pushed_out = tracks->candidates_pushed_out;
	t->tracks_pushed_out = tracks->tracks_pushed_out;
	t->tracks_refused = tracks->tracks_refused;
	t->probes_pushed_out = probes->candidates_pushed_out + probes->tracks_pushed_out;
	t->probes_refused = probes->tracks_refused;
	t->http_pushed_out = http.pushed_out;
	t->http_refused = http.refused;
	t->pending_refused = detector.pending_refused;
	t->incidents_refused = detector.incidents_refused;
	t->samples_lost = e->baseline.lost;
	t->no_memory = detector.no_memory;
}

/* What only packets to come would be held against. */
static void let_go_tables(struct engine *e)
{
	flow_table_free(e->flows);
	track_table_free(e->tracks);
	track_table_free(e->probes);
	http_watch_free(e->http);
	e->flows = NULL;
	e->tracks = e->probes = NULL;
	e->http = NULL;
}

int engine_close(struct engine *e)
{
	uint32_t count;

	tell_timeline(e);
	http_watch_finish(e->http, e->detector, e->newest);
	detector_finish(e->detector, e->tracks, e->probes, e->newest);
	count = detector_count(e->detector);
	sample_settle(&e->baseline);
	total_limits(e);
	let_go_tables(e);
	e->totals.peace_packets = e->totals.packets;
	e->findings = calloc(count ? count : 1, sizeof(*e->findings));
	if (!e->findings)
		return -ENOMEM;
	e->due = count;
	return 0;
}

int engine_make_finding(struct engine *e)
{
	const struct finding_context context = {
		.normal = &e->baseline,
		.first = e->totals.first,
		.last = e->totals.last,
		.learned_seconds = e->learned_seconds,
	};
	const struct incident *inc;
	int rc;

	if (e->count == e->due)
		return 0;
	inc = detector_incident(e->detector, e->count);
	rc = finding_make(&e->findings[e->count++], inc, &context);
	if (rc < 0) {
		e->due = e->count;
		return rc;
	}
	e->totals.samples_lost += e->findings[e->count - 1].total->sample.lost;
	e->totals.peace_packets -= inc->packets < e->totals.peace_packets ? inc->packets : e->totals.peace_packets;
	return 1;
}

int engine_finish(struct engine *e)
{
	int rc = engine_close(e);

	if (rc < 0)
		return rc;
	do
		rc = engine_make_finding(e);
	while (rc > 0);
	return rc;
}

/* ------------------------------------------------------------------ before the end */

uint32_t engine_incident_count(const struct engine *e)
{
	return detector_count(e->detector);
}

const struct incident *engine_incident(const struct engine *e, uint32_t index)
{
	const struct incident *inc = index < detector_count(e->detector) ? detector_incident(e->detector, index) : NULL;

	return inc && inc->absorbed_by < 0 && inc->parts_count > 0 ? inc : NULL;
}

int engine_find(const struct engine *e, uint32_t index, const struct engine_search *search, struct finding *finding)
{
	const struct incident *inc = engine_incident(e, index);
	struct finding_context context = {
		.normal = &e->baseline,
		.first = e->totals.first,
		.last = e->totals.last,
		.learned_seconds = e->learned_seconds,
		.attack = search->attack,
		.attack_count = search->attack_count,
		.attack_max = search->attack_max,
		.young = search->young,
		.rules_only = search->rules_only,
		.normal_max = search->normal_max,
	};
	int rc;

	if (!inc)
		return -ENOENT;
	rc = finding_make(finding, inc, &context);
	if (rc < 0)
		finding_fini(finding);
	return rc;
}

/* ------------------------------------------------------------------ what is handed on */

_Static_assert(ENGINE_BASELINE_SAMPLE == LEARNED_SAMPLE_MAX, "what is handed on is what can be taken over");

/* What no engine would take for normal when it looks for rules against one of the incidents. */
static bool is_normal(const struct engine *e, const struct observation *o)
{
	for (uint32_t i = 0; i < engine_incident_count(e); i++) {
		const struct incident *inc = engine_incident(e, i);

		if (inc && !inc->is_scan && finding_is_of_incident(inc, o))
			return false;
	}
	return true;
}

static uint64_t seconds_seen(const struct engine *e)
{
	return e->totals.packets ? (uint64_t)(time_since(e->totals.last, e->totals.first) / NS_PER_S) : 0;
}

int engine_save(const struct engine *e, uint8_t **octets, size_t *length)
{
	struct learned learned = { .seconds = e->learned_seconds + seconds_seen(e) };
	struct usual *usual = calloc(USUAL_MAX, sizeof(*usual));
	int rc = -ENOMEM;

	if (usual)
		rc = e->tracks ? track_table_usual(e->tracks, seconds_seen(e), e->slot, usual) : -EINVAL;
	if (rc < 0)
		goto free_usual;
	learned.usual = usual;
	learned.usual_count = (uint32_t)rc;
	sample_init(&learned.normal, ENGINE_BASELINE_SAMPLE);
	for (uint32_t i = 0; i < e->baseline.used; i++) {
		struct observation o;

		sample_read(&e->baseline, i, &o);
		if (is_normal(e, &o))
			sample_add(&learned.normal, &o, learned_age(e->baseline.priorities[i], seconds_seen(e)));
	}
	rc = learned.normal.lost ? -ENOMEM : 0;
	sample_settle(&learned.normal);
	learned.normal.seen = e->baseline.seen;
	learned.normal.limit = learned_age(e->baseline.limit, seconds_seen(e));
	if (rc == 0)
		rc = learned_write(&learned, octets, length);
	sample_fini(&learned.normal);
free_usual:
	free(usual);
	return rc;
}

int engine_restore(struct engine *e, const uint8_t *octets, size_t length)
{
	struct learned learned;
	int rc = learned_read(octets, length, &learned);

	if (rc < 0)
		return rc;
	rc = track_table_remember(e->tracks, learned.usual, learned.usual_count, e->seed);
	if (rc == 0) {
		struct sample own = e->baseline;

		e->baseline = learned.normal;
		learned.normal = own;
		e->learned_seconds = learned.seconds;
	}
	learned_fini(&learned);
	return rc;
}
