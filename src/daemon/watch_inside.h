/* SPDX-License-Identifier: Apache-2.0 */
/* What watch.c, watch_rules.c and watch_tell.c share; nobody else includes it. */
#ifndef HOLDFAST_DAEMON_WATCH_INSIDE_H
#define HOLDFAST_DAEMON_WATCH_INSIDE_H

#include "daemon/watch.h"
#include "engine/live.h"

#define WATCH_BATCH 256
#define WATCH_SECONDS 10 /* over which it is told how those fare who are answered */

/* A rule of live's that the shield has. */
struct watch_rule {
	uint64_t handle;
	uint32_t number, counter;
	bool found; /* `counter` is known */
};

/* A rule of an engine before this one. */
struct watch_stray {
	uint32_t number;
	bool short_lived; /* it ends within WATCH_STRAY_S */
	bool replaced;    /* another does the same better: it goes */
};

/* What the loader is to answer. */
enum watch_step { STEP_NONE, STEP_ADD, STEP_RENEW, STEP_REMOVE, STEP_ADOPT, STEP_LET_GO, STEP_SHORTEN };

struct watch_rules {
	enum watch_step step;
	uint64_t awaited_id; /* 0: the loader owes nothing */
	bool has_order;      /* `order` is not yet carried out */
	bool forsaken;       /* whoever gave it is no more */
	struct live_order order;
	uint32_t number; /* of the rule that the step is about */
	unsigned rule_count, stray_count;
	struct watch_rule rules[LIVE_RULES_MAX];
	struct watch_stray strays[SHIELD_RULES_MAX];
	struct shield_rule_told *told; /* SHIELD_RULES_MAX, as last read */
	unsigned told_count;
	int64_t look_ns, count_ns; /* when next */
};

/* Of a second of the monotonic clock. */
struct watch_second {
	int64_t second;
	uint64_t answered, lost, handshakes, taken;
	int64_t lag_ns; /* the longest */
};

struct watch {
	struct watch_setup setup;
	const struct config *config;
	struct live *live; /* NULL before watch_begin() */
	uint64_t seed;
	int64_t shift_ns;          /* capture time less CLOCK_MONOTONIC */
	uint32_t count;            /* observations that wait */
	struct observation *batch; /* WATCH_BATCH */
	int64_t now_ns, tick_ns;   /* CLOCK_MONOTONIC: when this turn's samples were read; when time passes next */
	bool outdated;             /* services have changed, and an attack goes on with the old ones */
	int64_t again_ns;          /* when that is looked at again */
	int64_t saved_ns;          /* when what was learned goes to the recorder next */
	bool restored;             /* something had been learned before */
	int64_t began_ns;
	uint64_t generation;               /* its name: capture time of its beginning */
	uint64_t taken;                    /* samples */
	uint64_t undecodable, generations; /* that have ended */
	struct watch_second seconds[WATCH_SECONDS + 1];
	struct watch_rules rules;
	struct message message;
};

/* watch.c: inputs of live. */
void watch_ruled(struct watch *watch, uint64_t handle, uint32_t number, int result);
void watch_rule_gone(struct watch *watch, uint64_t handle);
void watch_rule_counted(struct watch *watch, uint64_t handle, const struct life_count *count);

/* watch_rules.c */
int watch_rules_new(struct watch *watch);
void watch_rules_free(struct watch *watch);
/* What is in force by an engine before this one, or by a live that is no more: strays. */
void watch_rules_begin(struct watch *watch);
void watch_rules_turn(struct watch *watch);

/* watch_tell.c */
void watch_tell(struct watch *watch, const struct live_news *news);
void watch_save(struct watch *watch);

/* watch_alert.c */
void watch_alert(struct watch *watch, const struct live_news *news);

#endif
