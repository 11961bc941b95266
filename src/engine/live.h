/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine, live: observations and the shield's counts in; orders to the shield, and news for people, out. Pure and
 * deterministic like the engine that it drives: what it knows comes through the functions under "inputs", in the order
 * in which they are called, and the same inputs give the same orders, news and incidents. engine/stream.h writes them
 * down and reads them back.
 *
 * Generations. An engine grows with what it sees and is ended to say what it found. So a live one is replaced by a
 * fresh one every LIVE_GENERATION_NS of peace: the new one is given what the old has learned (engine_save()), sees the
 * same observations beside it for LIVE_WARM_NS, and takes over if nothing is going on. While there is an attack there
 * is no change, unless there have been LIVE_INCIDENTS_MAX: then what still goes on is an incident of the next one anew.
 * Whatever a generation found is thus a function of what it was given and of what came since: that is what a stream
 * holds, and why replaying it gives the same bytes.
 *
 * Rules. For each open incident rules are sought as soon as there are LIVE_SAMPLE_FIRST packets of it, and again while
 * too much of it passes. What becomes of a rule is defend/life.h's.
 *
 * Where searches come to nothing and the attack goes on passing, a rule that looks at sources is ordered instead, if
 * the service allows it (defend/fallback.h); it goes when the attack is over.
 *
 * Times are capture times: of the host's monotonic clock, shifted by a constant to be wall time.
 */
#ifndef HOLDFAST_ENGINE_LIVE_H
#define HOLDFAST_ENGINE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "defend/fallback.h"
#include "defend/life.h"
#include "engine/engine.h"

#define LIVE_TICK_NS (10 * NS_PER_MS) /* how often live_tick() is to be called */
#define LIVE_GENERATION_NS (600 * NS_PER_S)
#define LIVE_WARM_NS (60 * NS_PER_S)
#define LIVE_APART_NS \
	(10 * NS_PER_S)       /* after one has ended the next begins to warm up: three are not to be there at once */
#define LIVE_INCIDENTS_MAX 64 /* of a generation, of INCIDENT_LIST_MAX: then it is replaced, attack or not */
#define LIVE_SAMPLE_FIRST 200 /* packets of an incident before rules are sought */
#define LIVE_SAMPLE_LEAST 50  /* … or so many, where its wave has gone on for LIVE_SAMPLE_NS */
#define LIVE_SAMPLE_NS (50 * NS_PER_MS)
#define LIVE_SEEK_NS (100 * NS_PER_MS)        /* between two searches; twice as long after each that was in vain, … */
#define LIVE_SEEK_MAX_NS (6400LL * NS_PER_MS) /* … up to this */
#define LIVE_SEARCHES_A_TICK 2                /* for whatever attacks; who finds none left is first in the next */
#define LIVE_ATTACK_MAX 2048                  /* packets of an attack, and normal ones, that a search looks at */
#define LIVE_NORMAL_MAX 16384
#define LIVE_PASSED_MAX \
	2048 /* latest packets that passed: rules are sought for them where those there are leave too much */
#define LIVE_REVOKED_MAX 4                  /* rules of an incident that hit users: then no more are made for it */
#define LIVE_BANS_MAX 64                    /* rules that are not to be made again */
#define LIVE_RULES_MAX 48                   /* that are in force or armed; the rest of SHIELD_RULES_MAX is for people */
#define LIVE_LIVES_MAX (2 * LIVE_RULES_MAX) /* with those that are gone, for who asks what became of them */
#define LIVE_SERVICES_MAX 64
#define LIVE_SERVICE_PREFIXES_MAX 64 /* of all services together */
#define LIVE_NAME_SIZE 64
#define LIVE_BATCH 256 /* observations that go through its engine at once; of as many is who calls best served */

struct live; /* opaque */

struct live_service {
	char name[LIVE_NAME_SIZE];
	unsigned prefix_count;
	const struct prefix *prefixes;  /* copied */
	bool local;                     /* its sockets are this host's */
	enum fallback_allowed fallback; /* what is done of an attack on it that no signature tells from users */
};

/* What the shield is to do. */
enum live_order_type { LIVE_ADD_RULE, LIVE_RENEW_RULE, LIVE_REMOVE_RULE };

struct live_order {
	enum live_order_type type;
	uint64_t handle; /* of the rule, from now on and for good */
	/* LIVE_ADD_RULE: */
	struct rule rule;
	bool shadow; /* only counts */
	bool spare;  /* packets of answered conversations pass, up to a rate of their own */
	bool probe;  /* let a few through, to see what becomes of them */
	bool known;  /* sources known from peace pass, up to source_pps each; 0: without end */
	bool each;   /* of a rate limit: it is each source's own */
	uint32_t source_pps;
	uint32_t arm_pps; /* acts only from so many matches a second on, and LIFE_HOLD_S beyond; 0: always */
	char reason[LIFE_REASON_SIZE];
	/* LIVE_ADD_RULE, LIVE_RENEW_RULE: */
	int64_t for_ns;
};

enum live_news_type {
	LIVE_BEGAN,    /* an incident */
	LIVE_CHANGED,  /* another vector, a wave, scope, a rule's fate: at most one a LIVE_NEWS_NS and incident */
	LIVE_ENDED,    /* the incident is over; its finding follows with the end of the generation */
	LIVE_FINISHED, /* live_finished() is there, to be told and recorded, until the next input */
};
#define LIVE_NEWS_NS (10 * NS_PER_S)

struct live_news {
	enum live_news_type type;
	uint64_t incident; /* struct incident.id; not of LIVE_FINISHED */
};

/* `checkpoint` is what live_save() wrote, or NULL. -EBADMSG where it is none, -EPROTONOSUPPORT where it is another
 * version's: then there is still a live engine, that knows nothing. -ENOMEM. */
int live_new(uint64_t seed, const struct live_service *services, unsigned service_count, const uint8_t *checkpoint,
             size_t length, struct live **live);
void live_free(struct live *live);

/* Inputs. */
void live_observe(struct live *live, const struct observation *observations, uint32_t count);
/* Time passes; never backwards, and never behind an observation that comes later. */
void live_tick(struct live *live, struct capture_time now);
/* A reading of the links: engine_loaded(). */
void live_loaded(struct live *live, const struct engine_load *load);
/* What became of an order to add: the shield's number of the rule, or -errno. */
void live_ruled(struct live *live, uint64_t handle, uint32_t number, int result);
/* A person has let the rule go, or it has expired: it is not made again while this incident lasts. */
void live_rule_gone(struct live *live, uint64_t handle);
/* What the shield has counted of a rule since it is there; ten times a second while there is one. */
void live_rule_counted(struct live *live, uint64_t handle, const struct life_count *count);

/* Outputs: false where there is none left. To be taken after each input; none is lost before it is taken. */
bool live_next_order(struct live *live, struct live_order *order);
bool live_next_news(struct live *live, struct live_news *news);

/*
 * An incident that became part of another (neighbours are gathered) ends too, and live_find() knows it no more. Scans
 * are no attacks: they are in the finding of the generation, and make no news, no view and no rule.
 */

struct live_counters {
	uint64_t rules_refused;     /* LIVE_RULES_MAX were there */
	uint64_t bans_pushed_out;   /* of LIVE_BANS_MAX */
	uint64_t searches;          /* for rules */
	uint64_t sources_uncounted; /* packets of sources beyond QUOTA_SOURCES_MAX of a second */
	uint64_t no_memory;         /* searches and generations that did not come to be for want of it */
};
struct live_counters live_counters(const struct live *live);

/* What is going on, for the status screen. */
struct live_view {
	const struct incident *incident;
	uint64_t id;
	const char *service;  /* NULL: none that is configured */
	uint64_t pps, bps;    /* in the latest second */
	uint32_t passing_ppm; /* share of it that passes, in the latest second */
	unsigned rule_count;
	const struct life *rules[LIVE_RULES_MAX];
	bool over;          /* it has ended, and its generation not yet */
	const char *advice; /* where no rule is safe or none is enough; else NULL */
	enum fallback_state fallback;
};
unsigned live_count(const struct live *live);
void live_view(const struct live *live, unsigned index, struct live_view *view);
/*
 * Services under attack, a bit each in the order of live_new(): in the shield nobody becomes known to them meanwhile.
 */
uint64_t live_attacked(const struct live *live);
/*
 * The lives of the rules of an incident, those that are there first; also of one whose generation has ended. How many.
 */
unsigned live_rules(const struct live *live, uint64_t incident, const struct life *rules[LIVE_RULES_MAX]);
/* The finding of an incident as it stands, by its id; -ENOENT. finding_fini() is due after 0. */
int live_find(struct live *live, uint64_t incident, struct finding *finding);
/*
 * An engine that has finished, after LIVE_FINISHED; NULL at any other time. All that it found is made when it is first
 * asked for, which takes a while for each incident.
 */
const struct engine *live_finished(struct live *live);
/*
 * The same for who must not stand still so long: the caller's to free, closed, with no finding made;
 * engine_make_finding() makes them one by one. NULL where there is none.
 */
struct engine *live_take_finished(struct live *live);
/* The engine that decides at present: for its totals. */
const struct engine *live_engine(const struct live *live);

/*
 * The generation that decides, counted from 1, and the one that warms up beside it; 0: none. What a generation sees
 * begins when it begins to warm up, and so does its stream (engine/stream.h). One that is let go before its turn is not
 * counted again.
 */
uint32_t live_generation(const struct live *live);
uint32_t live_warming(const struct live *live);
/*
 * The youngest generation at its birth, with all that decides besides: to be written when it has just appeared and
 * orders and news have been taken, before the next input. The caller frees it. 0 or -ENOMEM.
 */
int live_birth(const struct live *live, uint8_t **octets, size_t *length);
/*
 * A live engine in which that generation decides, from its birth on. -EBADMSG, -EPROTONOSUPPORT (another version's),
 * -ENOMEM.
 */
int live_revive(const uint8_t *octets, size_t length, struct live **live);

/*
 * Ends the present generation at once, findings and all: LIVE_FINISHED, and nothing may be put in afterwards. 0 or
 * -ENOMEM.
 */
int live_end(struct live *live);

/*
 * What would be given to the next generation, to be kept over a restart. The caller frees it. -EINVAL after live_end().
 */
int live_save(const struct live *live, uint8_t **checkpoint, size_t *length);

#endif
