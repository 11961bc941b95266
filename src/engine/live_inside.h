/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the live engine share: the struct that they decide on and birth.c writes down, and what each does
 * for the others. Of nobody else's business.
 */
#ifndef HOLDFAST_ENGINE_LIVE_INSIDE_H
#define HOLDFAST_ENGINE_LIVE_INSIDE_H

#include "detect/incident_list.h"
#include "engine/live.h"
#include "measure/quota.h"

#define HELD_MAX LIVE_LIVES_MAX
#define RATE_SLOTS 16    /* of 100 ms: the latest second, and room */
#define RESIDUAL_SLOTS 2 /* over which what passes is judged */

_Static_assert(INCIDENT_PARTS_MAX <= 32, "live_case.sought has a bit for each");

struct rate {
	int64_t slot;
	uint64_t packets, bytes, dropped;
};

struct live_case {
	bool begun, over, absorbed;
	bool told, owe_began, owe_changed, owe_ended, changed;
	bool wave_open;
	bool has_since; /* rules have been in force since `since` */
	uint64_t id;
	struct prefix scope;
	uint32_t parts, waves;
	struct capture_time seen, told_at, wave_at, searched, since, review, looked;
	uint32_t reviews, vain, revoked;
	uint32_t turn, made;     /* the vector that is sought for next; rules that came of this round */
	uint32_t sought;         /* vectors, by their place, of whose own sample rules were sought: each once */
	uint64_t packets, bytes; /* of the incident, at the tick before */
	uint64_t dropped;        /* on its scope, since the tick before */
	uint64_t passed;         /* observations that were not dropped, since the latest search or rule */
	struct rate rates[RATE_SLOTS];
	const char *advice;
	enum fallback_state fallback;
};

struct held {
	bool used, owe_add, owe_renew, owe_remove;
	uint64_t replaced_by; /* handle of what takes its place once it is there; 0: none */
	int64_t for_ns;
	struct life life;
};

/* What is not to be made again. */
struct ban {
	uint64_t incident;
	bool by_hand; /* else for what it hit: a narrower one may be tried */
	struct rule rule;
};

struct served {
	char name[LIVE_NAME_SIZE];
	bool local;
	enum fallback_allowed fallback;
	unsigned first, count; /* of prefixes */
};

struct live {
	uint64_t seed;
	unsigned service_count, prefix_count;
	struct served services[LIVE_SERVICES_MAX];
	struct prefix prefixes[LIVE_SERVICE_PREFIXES_MAX];
	bool learns;           /* a service may fall back on what peace was like */
	uint64_t attacked;     /* services, a bit each */
	struct quotas *quotas; /* of services, in their order */
	struct capture_time now;
	bool has_time;
	struct engine *engine, *warming, *finished;
	struct capture_time born, warming_born, not_before;
	uint32_t number, warming_number, last_number; /* of generations */
	bool owe_finished;
	uint64_t last_handle;
	uint32_t ban_count, ban_next;
	struct ban bans[LIVE_BANS_MAX];
	struct held held[HELD_MAX];
	struct live_case cases[INCIDENT_LIST_MAX];
	uint32_t searches_left, first; /* of this tick; whose turn is first in the next … */
	bool waits;                    /* … as it is where there was no time for it */
	struct live_counters counters;
	uint64_t passed_count; /* ever put into the ring */
	uint8_t passed_kind[LIVE_PASSED_MAX];
	struct observation passed[LIVE_PASSED_MAX];
	struct observation sought[LIVE_ATTACK_MAX]; /* of a sample, while rules are sought for them */
	struct packet batch[LIVE_BATCH];
};

/*
 * When a generation that was born then, and has come to its turn, may have a successor: the same wherever it is played.
 */
struct capture_time live_not_before(struct capture_time born);
/* The packet, or the tunnel packet around it. */
static inline bool live_hits_scope(const struct prefix *scope, const struct observation *o)
{
	return prefix_contains(scope, &o->dst) ||
	       ((o->flags & OBSERVATION_TUNNELLED) && prefix_contains(scope, &o->outer.dst));
}

/* ---- live.c ---- */

/* One with these services and an engine that has seen nothing: 0, -EINVAL, -ENOMEM. */
int live_make(uint64_t seed, const struct live_service *services, unsigned service_count, struct live **live);
/* With an input what was finished before has been told. */
void live_begin_input(struct live *l);

/* ---- live_kept.c ---- */

/* What a checkpoint has: 0, -EBADMSG, -ENOMEM. */
int live_kept_restore(struct live *l, const uint8_t *checkpoint, size_t length);

/* ---- live_rules.c ---- */

/* The rule is to be made: its place, or NULL where LIVE_RULES_MAX are there. */
struct held *live_rule_order(struct live *l, const struct live_case *c, const struct life_plan *plan,
                             const struct signature *signature);
/* The shield is to forget it; `why` is a constant. */
void live_rule_let_go(struct held *h, enum life_state state, struct capture_time now, const char *why);
/* Whether such a rule, or one that hits as much, was let go or hit users in this incident. */
bool live_rule_is_banned(const struct live *l, uint64_t incident, const struct rule *rule);
/* Of an incident's signatures, whether a rule that is there matches the packet. */
bool live_rules_catch(const struct live *l, uint64_t incident, const struct observation *o);
/* Of a vector's sample, more than may be left is caught by no rule that is there. */
bool live_rules_leave(const struct live *l, uint64_t incident, const struct sample *sample);
/* What became of an order of the incident's is not known yet. */
bool live_rules_await(const struct live *l, uint64_t incident);
/* At each tick. The shield keeps a rule while it is wanted, and is not asked at every match. */
void live_rules_keep(struct live *l);
/* Rules that stand on the case's scope become its own, be they of an earlier attack. */
void live_rules_adopt(struct live *l, struct live_case *c);

/* ---- live_cases.c ---- */

/* Of an incident that has not become part of another; NULL. */
struct live_case *live_case_find(struct live *l, uint64_t incident);
/* There is news of it. */
void live_case_note_change(struct live *l, uint64_t incident);
/* The latest `slots` slots, the present one among them. */
struct rate live_case_rate(const struct live *l, const struct live_case *c, unsigned slots);
/* Of its packets those that were not dropped. */
uint32_t live_passing_ppm(const struct rate *rate);
/* At each tick: what has become of all incidents, and what follows from it. */
void live_cases_watch(struct live *l);

/* ---- live_seek.c ---- */

/* Seeks rules for an incident where that is due. */
void live_seek(struct live *l, uint32_t index, const struct incident *inc);
/* What its vectors say of it. */
struct life_attack live_attack_of(const struct incident *inc);

/* ---- live_fallback.c ---- */

/* The service with the longest prefix that holds the scope, or else lies in it; service_count: none. */
unsigned live_service_of(const struct live *l, const struct prefix *scope);
/* What peace is like, of the services that may have to fall back on it. */
void live_learn_peace(struct live *l, const struct packet *packets, uint32_t count);
/* At each tick: which services are under attack, of which nothing is learned then. */
void live_note_attacked(struct live *l);
/* Where searches have come to nothing and too much passes, a rule by who sends, of each vector that is left. */
void live_fall_back(struct live *l, uint32_t index, const struct incident *inc);
/* The attack is over: what rests on who sends holds nobody up any more. */
void live_fallbacks_end(struct live *l, const struct live_case *c);

#endif
