/* SPDX-License-Identifier: Apache-2.0 */
/* What watch.c, watch_rules.c and watch_tell.c share; nobody else includes it. */
#ifndef HOLDFAST_DAEMON_WATCH_INSIDE_H
#define HOLDFAST_DAEMON_WATCH_INSIDE_H

#include "daemon/watch.h"
#include "daemon/watch_attempts.h"
#include "daemon/watch_users.h"
#include "detect/incident_list.h"
#include "engine/live.h"
#include "engine/stream.h"
#include "measure/course.h"
#include "tell/series.h"

#define WATCH_BATCH LIVE_BATCH
#define WATCH_STREAM_OCTETS_MAX (256u << 20)  /* of one generation */
#define WATCH_ORDERS_MAX (4 * LIVE_RULES_MAX) /* that wait for the loader; what is beyond waits in live */
#define WATCH_TELLINGS_A_TURN 1               /* to the recorder, which take tens of milliseconds each */
#define WATCH_SECONDS 10                      /* over which it is told how those fare who are answered */
#define WATCH_SECONDS_KEPT 3                  /* the one that lasts, and the whole one before it, read a while later */

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
enum watch_step { STEP_NONE, STEP_FREEZE, STEP_ADD, STEP_RENEW, STEP_REMOVE, STEP_ADOPT, STEP_LET_GO, STEP_SHORTEN };

struct watch_rules {
	enum watch_step step;
	uint64_t awaited_id; /* 0: the loader owes nothing */
	bool has_order;      /* `order` is not yet carried out */
	bool forsaken;       /* whoever gave it is no more */
	struct live_order order;
	unsigned first, order_count;
	struct live_order *orders; /* WATCH_ORDERS_MAX, a ring: those behind it */
	uint32_t number;           /* of the rule that the step is about */
	unsigned rule_count, stray_count;
	struct watch_rule rules[LIVE_RULES_MAX];
	struct watch_stray strays[SHIELD_RULES_MAX];
	struct shield_rule_told *told; /* SHIELD_RULES_MAX, as last read */
	unsigned told_count;
	int64_t look_ns, count_ns; /* when next */
	uint64_t frozen;           /* services, as the loader was last told */
	int64_t freeze_ns;         /* when it is told again, where one is */
};

/* What a generation was told, on its way to the recorder. */
struct watch_stream {
	bool open;
	bool ends;       /* what comes now is missing of it */
	uint32_t number; /* live_generation() */
	uint64_t name;   /* capture time of its beginning */
	uint64_t sequence, octets;
};

/* An incident that is to be told as it stands, or as it was when it was over. */
struct watch_standing {
	uint64_t incident;
	bool over;
};

/* What is to be told, one piece a turn, so that samples and clients do not wait for all of it. */
struct watch_telling {
	unsigned standing_count;
	struct watch_standing standing[INCIDENT_LIST_MAX]; /* of the generation that decides, each once, as they came */
	/* The generation that has ended: its findings are made, told, and then it is let go. */
	struct engine *finished; /* NULL: there is none */
	bool found;              /* all findings are made */
	uint32_t told;           /* of them */
	struct watch_stream stream;
	unsigned life_count;
	struct life *lives; /* of its incidents' rules, when it ended: the next generation may take them over */
};

struct watch_streams {
	bool begun;
	uint8_t *octets; /* STREAM_FRAME_MAX */
	struct stream_frame frame;
	struct watch_stream deciding, warming;
	int64_t put_away_ns; /* when next */
	uint64_t cut;        /* streams that end early */
};

/* Of a second of the monotonic clock. */
struct watch_second {
	int64_t second;
	uint64_t taken; /* samples */
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
	uint64_t taken;                    /* samples */
	uint64_t undecodable, generations; /* that have ended */
	struct watch_second seconds[WATCH_SECONDS_KEPT];
	struct course *course;       /* by seconds of capture time */
	struct course_point present; /* of the second that lasts */
	int64_t present_s;
	struct series series; /* being written */
	struct watch_users users;
	struct watch_dropped *dropped;
	struct watch_attempts *attempts;
	struct shield_knowing knowing; /* read once a second; hz 0: nothing is known */
	struct watch_rules rules;
	struct watch_streams streams;
	struct watch_telling telling;
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
/* Nothing is known of what the loader was told. */
void watch_freeze_begin(struct watch *watch);
void watch_rules_turn(struct watch *watch);
/* Takes what live has ordered. */
void watch_rules_take(struct watch *watch);

/* watch_stream.c: what live is told, before it is told. */
int watch_stream_new(struct watch *watch);
void watch_stream_free(struct watch *watch);
void watch_stream_observe(struct watch *watch); /* the batch */
void watch_stream_tick(struct watch *watch, struct capture_time now);
void watch_stream_loaded(struct watch *watch, const struct engine_load *load);
void watch_stream_ruled(struct watch *watch, uint64_t handle, uint32_t number, int result);
void watch_stream_rule_gone(struct watch *watch, uint64_t handle);
void watch_stream_rule_counted(struct watch *watch, uint64_t handle, const struct life_count *count);
/* After each input, when what it brought has been taken: generations have begun, or ended. */
void watch_stream_follow(struct watch *watch);
/* The generation has ended: all of it is on its way. Then what it is kept for, and then that is all. */
void watch_stream_finishes(struct watch *watch, struct watch_stream *ended);
void watch_stream_keep(struct watch *watch, const struct watch_stream *ended, uint64_t incident);
void watch_stream_finish(struct watch *watch, struct watch_stream *ended);
/* Another live takes the place of the one that was told. */
void watch_stream_restart(struct watch *watch);

/* watch_tell.c */
/* News are taken note of, and told with the turns to come. */
void watch_tell(struct watch *watch, const struct live_news *news);
/* Tells at most so many pieces of what waits; whether more does. */
bool watch_tell_some(struct watch *watch, unsigned pieces);
/* All of the generation that has ended at once: nothing comes behind it, or the next one has ended too. */
void watch_tell_rest(struct watch *watch);
void watch_telling_free(struct watch *watch);
void watch_save(struct watch *watch);

/* watch_alert.c */
void watch_alert(struct watch *watch, const struct live_news *news);

#endif
