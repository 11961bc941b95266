/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A track counts the packets of one kind towards one scope in slots of 100 ms and in seconds, learns what is usual, and
 * estimates how many sources took part lately. Slots are absolute: slot n covers [n, n+1) x 100 ms of capture time, in
 * every process alike.
 *
 * Memory is bounded: a scope and kind is first a candidate of 32 octets, and becomes a track after TRACK_PROMOTE
 * packets. Where tables are full the longest silent makes room, and that is counted.
 */
#ifndef HOLDFAST_MEASURE_TRACK_H
#define HOLDFAST_MEASURE_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/hll.h"
#include "base/prefix.h"
#include "measure/slot.h"
#include "measure/usual.h"

#define TRACK_SLOTS 64 /* 6.4 s of 100 ms slots */
#define TRACK_SECONDS 64
#define TRACK_MAX 4096 /* tracks; 10 KiB each */
#define TRACK_CANDIDATE_BITS 16
#define TRACK_PROMOTE 12 /* packets, with no pause of TRACK_FORGET_SLOTS among them, that make a candidate a track */
#define TRACK_FORGET_SLOTS 1200
#define TRACK_SOURCES_SLOTS 100 /* usual length of the generations in which sources are counted */
#define TRACK_LATELY 10         /* slots back in which a question is looked for that was not sampled */
#define TRACK_LEARN_DELAY 10    /* so that an attack that is just being noticed is not yet part of what is usual */
#define TRACK_LEARN_ENOUGH 10   /* learned seconds before what is usual is said to be known */
#define TRACK_LEARN_MAX 600     /* learned seconds weigh half from here on, and so again */

struct track_slot {
	uint32_t packets;
	uint32_t settled; /* of these, welcome after all */
	uint32_t fresh;   /* of these, first of their conversation */
};

struct track_counts {
	uint64_t packets, settled, fresh;
};

struct track {
	/* On one cache line, what every packet touches: */
	_Alignas(64) int64_t last_slot;
	struct track_slot now;    /* last_slot so far */
	struct track_slot second; /* the second that holds it, so far */
	int32_t incident;         /* index, -1 none */
	uint32_t assess_at;       /* assess again when the slot holds this many packets */
	int64_t assessed_slot;
	uint8_t kind;
	bool heard;             /* something was settled: the scope's own answers are seen */
	bool frozen;            /* under attack: what is usual is not learned */
	bool pending;           /* waits to be assessed when its packets are settled */
	uint8_t surveys_vain;   /* the more often a second look found nothing, the later the next … */
	int64_t generation_end; /* the first slot behind this generation of sources */
	/* The rest, without gaps: */
	int64_t survey_after; /* … not before this slot */
	int64_t first_slot;
	/* What is usual: sums over learned seconds. A second is learned when it is TRACK_LEARN_DELAY seconds old. */
	uint64_t learned_packets;
	uint64_t learned_unsettled;
	uint64_t stood_for[2],
		samples[2]; /* of packets that were sampled: what they stand for, and how many; see sources */
	struct track_slot slots[TRACK_SLOTS];     /* before last_slot */
	struct track_slot seconds[TRACK_SECONDS]; /* before its second */
	struct track_memory *memory; /* the table's; NULL: nothing was learned of it in generations before */
	uint32_t learned_seconds;
	uint32_t generation_slots;
	uint32_t refused;       /* packets given back though the target refused them, … */
	int64_t refused_second; /* … in this second; see detect/assess.h */
	uint16_t example_port;  /* the latest packet's, where the scope does not say */
	struct address example_src, example_dst;
	struct prefix scope;
	struct hll sources[2]; /* this generation and the one before */
};

struct track_counters {
	uint64_t candidates_pushed_out;
	uint64_t tracks_pushed_out;
	uint64_t tracks_refused; /* no silent track to make room */
};

struct track_table;  /* opaque */
struct track_memory; /* opaque: what was usual before, and how that goes on */

/* Names a track: a scope and a kind. */
struct track_key {
	uint64_t identity;             /* track_identity() of both */
	const struct address *address; /* any of the scope's */
	uint8_t length;                /* of the scope, in its family's terms */
	uint8_t kind;
	void *hint; /* what track_seek() said, or NULL */
};

/* Of a scope's address, host bits zero, as its halves lie in memory; `length` is in its family's terms. */
static inline uint64_t track_scope_hash(const uint64_t half[2], uint8_t length, uint64_t seed)
{
	return hash_fold((half[0] + length * 0xa0761d6478bd642fu) ^ seed, half[1] ^ 0x9e3779b97f4a7c15u);
}
/* Never 0. */
static inline uint64_t track_identity(uint64_t scope_hash, uint8_t kind)
{
	return hash_fold(scope_hash ^ (kind + 1u) * 0xd1b54a32d192ed03u, 0x8ebc6af09c88c6e3u) | 1;
}
/* The key of a scope, which must outlive it. */
struct track_key track_key_of(const struct prefix *scope, uint8_t kind, uint64_t seed);

/* Sources are counted in generations of so many slots. */
struct track_table *track_table_new(uint32_t generation_slots);
void track_table_free(struct track_table *table);
void track_table_clear(struct track_table *table);

/* Says that a track will be asked for soon: its place is fetched from memory. */
void track_prefetch(const struct track_table *table, uint64_t identity);
/*
 * … somewhat later: finds it, and has fetched what counting `source` there touches. What it returns is a hint that may
 * grow stale, or NULL.
 */
void *track_seek(struct track_table *table, uint64_t identity, uint64_t source);

/*
 * Counts a packet. Returns the track, or NULL while it is a candidate. `source` is a well mixed hash of what is to be
 * counted apart.
 */
struct track *track_add(struct track_table *table, const struct track_key *key, int64_t slot, uint64_t source,
                        uint32_t weight, bool fresh);
/* Gives `count` packets of `slot` back as welcome. Returns the track or NULL. */
struct track *track_settle(struct track_table *table, const struct track_key *key, int64_t slot, uint32_t count);
/*
 * The same of packets of which it is only known that they came up to TRACK_LATELY slots before: the latest that are not
 * settled are.
 */
void track_settle_lately(struct track_table *table, const struct track_key *key, int64_t slot, uint32_t count);
/* NULL where there is none. */
struct track *track_find(struct track_table *table, const struct track_key *key);
/* Brings a track's rings up to `slot`. */
void track_advance(struct track *track, int64_t slot);

/* Sums slots [from, to]; what is older than the ring is taken from the seconds, rounded to whole ones. */
struct track_counts track_sum(const struct track *track, int64_t from, int64_t to);
/*
 * Distinct sources of this generation and the one before. Of a sample: how many there are at least, if as many of them
 * are twice in it as are (the birthday problem: m picks of n meet m * m / 2n times).
 */
uint64_t track_sources(const struct track *track);
/* What a packet stands for on average, of those generations; 1 where all came. */
uint32_t track_interval(const struct track *track);

/*
 * What was usual before: a track of such a scope and kind begins with that. Into a table that has counted nothing. At
 * most USUAL_MAX; `seed` is the one that keys are made with. 0 or -ENOMEM.
 */
int track_table_remember(struct track_table *table, const struct usual *usual, uint32_t count, uint64_t seed);
/*
 * What is usual now, `seconds` of peace later: of what was learned, and of what was remembered and not seen again; in
 * the order of usual_compare(). `slot`: the present one; that nothing came until then is learned as well. `usual` has
 * room for USUAL_MAX; how many there are, or -ENOMEM.
 */
int track_table_usual(const struct track_table *table, uint64_t seconds, int64_t slot, struct usual *usual);
/* What was handed on, a thousand seconds, and what is usual by the hour; NULL where a day of it is not known yet. */
const struct usual *track_usual(const struct track *track);

/* All tracks in a fixed order, for the end of input. */
uint32_t track_table_count(const struct track_table *table);
struct track *track_table_at(struct track_table *table, uint32_t index);
const struct track_counters *track_table_counters(const struct track_table *table);

/* Counted, and not settled by now. */
static inline uint64_t track_unsettled(struct track_counts counts)
{
	return counts.packets > counts.settled ? counts.packets - counts.settled : 0;
}

#endif
