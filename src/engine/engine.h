/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: observations in, an analysis out. Pure and deterministic: it reads no clock, no file and no randomness;
 * the same observations with the same seed give the same analysis. It joins measure, detect, defend and trace and has
 * no opinion of its own.
 */
#ifndef HOLDFAST_ENGINE_ENGINE_H
#define HOLDFAST_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "detect/scope.h"
#include "engine/finding.h"
#include "measure/keys.h"
#include "measure/timeline.h"
#include "observe/observation.h"

#define ENGINE_BASELINE_SAMPLE 131072 /* = LEARNED_SAMPLE_MAX; packets sampled as normal traffic, all scopes together */
#define ENGINE_JUMP_BACK_NS (10 * NS_PER_S)    /* time stamps further back than this … */
#define ENGINE_JUMP_AHEAD_NS (3600 * NS_PER_S) /* further ahead than this one packet is not believed, two are */
#define ENGINE_JUMP_PACKETS 16 /* … that many in a row mean that the clock was set, not that packets came late */

struct engine; /* opaque */

struct packet {
	struct observation observation;
	/* engine_prepare(): */
	struct keys keys;
	uint64_t scopes[SCOPE_LEVELS]; /* hashes of the scopes of its destination */
	uint8_t likely;                /* of which kind it would be, unless its conversation speaks for it */
};

struct engine_totals {
	uint64_t packets, bytes;         /* observed */
	uint64_t peace_packets;          /* in no incident */
	struct capture_time first, last; /* earliest and latest, where packets > 0 */
	uint64_t out_of_order;           /* packets older than one before them */
	uint64_t clock_jumps;            /* times the clock was set back */
	/* bounds that were hit */
	uint64_t flows_pushed_out, flows_refused;
	uint64_t candidates_pushed_out, tracks_pushed_out, tracks_refused; /* of targets */
	uint64_t probes_pushed_out, probes_refused;                        /* of scanners: candidates and tracks */
	uint64_t http_pushed_out, http_refused; /* of HTTP: connections and servers; servers and attacks */
	uint64_t pending_refused, incidents_refused;
	uint64_t samples_lost; /* packets left out of samples for want of memory */
	uint64_t no_memory;    /* second looks and narrowings left out for want of it */
};

/* NULL where there is no memory. */
struct engine *engine_new(uint64_t seed);
void engine_free(struct engine *engine);
/* Makes a packet's keys. Touches nothing but the packet: it may be done ahead, on another core. */
void engine_prepare(const struct engine *engine, struct packet *packet);
/*
 * The same, faster where `before`, a prepared packet, goes to the same destination: what they have in common is known.
 */
void engine_prepare_after(const struct engine *engine, struct packet *packet, const struct packet *before);
/*
 * Packets in the order in which they came, prepared. What they are in batches does not change what is found. They may
 * be changed: OBSERVATION_WELCOME is set, a time that nobody believes is corrected.
 */
void engine_observe(struct engine *engine, struct packet *packets, uint32_t count);
/*
 * Time has come this far, packets or not: waves end that have fallen silent, what waits for answers is assessed. An
 * earlier time than that of the latest packet changes nothing.
 */
void engine_advance(struct engine *engine, struct capture_time now);
/*
 * How full the fullest link is by which packets come, as of a moment ago. From ENGINE_LOAD_PERCENT on, whatever makes
 * one in ENGINE_LOAD_SHARE of what it carries is judged by the vectors' own bounds alone, be it usual or not; for
 * ENGINE_LOAD_NS, if nothing else is said before.
 */
#define ENGINE_LOAD_PERCENT 70
#define ENGINE_LOAD_SHARE 4
#define ENGINE_LOAD_NS (3 * NS_PER_S)
struct engine_load {
	uint32_t percent; /* of what it can carry */
	uint64_t pps;     /* that arrive by it */
};
void engine_loaded(struct engine *engine, const struct engine_load *load);
/* 0 or -ENOMEM. Nothing may be observed afterwards. */
int engine_finish(struct engine *engine);
/*
 * The same in pieces, for who must not be held up: the end of all input, and then one finding after the other. Whenever
 * they are made, they are the same. 0 or -ENOMEM; 1: one more was made, 0: all are, -ENOMEM: none is any more.
 */
int engine_close(struct engine *engine);
int engine_make_finding(struct engine *engine);

/*
 * Before engine_finish(): incidents so far, by an index that each keeps; NULL where it has become part of another or
 * holds nothing.
 */
uint32_t engine_incident_count(const struct engine *engine);
const struct incident *engine_incident(const struct engine *engine, uint32_t index);
/*
 * The finding of one of them as it stands. Rules are sought for `attack`, or where that is NULL for its sampled
 * packets, at most `attack_max` of them, and held against at most `normal_max` normal packets (0: all there are). 0,
 * -ENOMEM, -ENOENT; finding_fini() is due after 0.
 */
struct engine_search {
	uint32_t attack_max, normal_max;
	const struct observation *const *attack;
	uint32_t attack_count;
	bool young;      /* of the attack little was seen yet */
	bool rules_only; /* of the finding only signatures and advice are made, which is sooner done */
};
int engine_find(const struct engine *engine, uint32_t index, const struct engine_search *search,
                struct finding *finding);

/*
 * What an engine has learned in peace, for one that begins: what is usual per scope and kind, and the sample of
 * normal packets. Not what it holds of incidents or conversations. Octets with a version and a
 * checksum; the caller frees them. 0 or -ENOMEM; -EINVAL once it is closed.
 */
int engine_save(const struct engine *engine, uint8_t **octets, size_t *length);
/*
 * Into an engine that has seen nothing. -EBADMSG: they are none; -EPROTONOSUPPORT: another version's; the engine is as
 * it was.
 */
int engine_restore(struct engine *engine, const uint8_t *octets, size_t length);

/* After engine_finish(); after engine_close() those that are made so far, and totals without what these add: */
const struct engine_totals *engine_totals(const struct engine *engine);
/* All packets that were observed; each in the slot in which it came. */
const struct timeline *engine_timeline(const struct engine *engine);
uint32_t engine_count(const struct engine *engine);
const struct finding *engine_finding(const struct engine *engine, uint32_t index);

#endif
