/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the desk share. It alone writes what the other roles count, reckons outages from it, and has the
 * page published, and people told; desk.c is its life, desk_queue.c what waits for the record, desk_reckon.c the end of
 * a bucket, desk_states.c what is measured of the page's components, then and meanwhile, desk_courier.c the page on its
 * way, desk_told.c who has been told what, desk_tell.c by whom, desk_dropped.c whom the shield is dropping, for the
 * public role.
 */
#ifndef HOLDFAST_DAEMON_DESK_H
#define HOLDFAST_DAEMON_DESK_H

#include "daemon/desk_dropped.h"
#include "daemon/desk_queue.h"
#include "daemon/desk_subscribe.h"
#include "daemon/desk_told.h"
#include "daemon/message.h"
#include "daemon/serve_role.h"
#include "impact/present.h"
#include "record/ledger.h"
#include "record/reckon.h"

#define DESK_GRACE_NS (45 * NS_PER_S) /* after a bucket's end, for what is still on its way */
#define DESK_WRITE_NS NS_PER_S
#define DESK_AGAIN_NS (5 * NS_PER_S) /* after the record could not be written, or the page published */
#define DESK_LOOK_NS (2 * NS_PER_S)  /* at what others have changed in the record */

struct desk {
	struct serve_life life;
	struct desk_queue queue;
	struct ledger *ledger; /* NULL: it could not be opened yet */
	char path[CONFIG_PATH_SIZE + sizeof(LEDGER_FILE)];
	char state[SERVE_TEXT_SIZE]; /* "ok", or what is wrong with the record */
	int channels[SERVE_ROLES];   /* to the other roles; -1 */
	uint64_t refused;            /* messages that were none */
	/* the record */
	int64_t write_ns, look_ns; /* when next; of the monotonic clock */
	/* reckoning; of wall time */
	int64_t reckoned_ns;    /* the end of the last bucket that was reckoned; 0: none was */
	int64_t reckon_last_ns; /* when that was done */
	uint32_t outages_open;
	uint64_t late_before; /* counts that had come late when it was last done */
	struct reckoner *reckoner;
	struct reckon_result result; /* of the last time; large */
	/* what probes see at this moment */
	struct present present;
	bool present_news;      /* heard since it was last looked at */
	bool present_trouble;   /* a state was raised because of it, and is not lowered yet */
	int64_t present_due_ns; /* of the monotonic clock */
	/* the page */
	int courier;                        /* -1: nothing is published */
	bool publishing, publish_now;       /* it is under way; it is to be done as soon as may be */
	int64_t publish_due_ns;             /* of the monotonic clock */
	int64_t published_ns, page_version; /* wall time of the last that went well; what was on it */
	uint64_t publications, publications_failed;
	char page_state[SERVE_TEXT_SIZE];
	struct desk_subscribe subscribe;
	struct desk_dropped dropped;
	/* people */
	struct desk_told told;
	char told_path[CONFIG_PATH_SIZE + sizeof(DESK_TOLD_FILE)];
	struct message_alerted alerted; /* as the messenger said last */
	uint64_t alerts_lost;           /* that it did not take */
	struct message word;            /* scratch: the messenger's */
	int64_t told_ns;                /* the parent, how all that stands */
	struct serve_message message;   /* scratch */
};

/* Reckons where a bucket has ended since that was last done, and all that follows from it. `now_ns`: wall time. */
void desk_reckon(struct desk *desk, int64_t now_ns);
/* What probes say, as the other roles sent it. `now_ns`: wall time. */
void desk_states_hear(struct desk *desk, const struct serve_signals *signals, int64_t now_ns);
/* States of components that are measured: at the end of a bucket, by all that is known of it; */
void desk_states_set(struct desk *desk, int64_t end_ns, int64_t now_ns);
/* ... and meanwhile, by what probes see at this moment. */
void desk_states_look(struct desk *desk, int64_t now_ns);
/* What has been told, from its file. */
void desk_tell_begin(struct desk *desk);
void desk_tell_outages(struct desk *desk, int64_t now_ns);
/* What the prober says of checks that fail from here. */
void desk_tell_checks(struct desk *desk, const struct serve_check *checks, uint32_t count, int64_t now_ns);
/* Statements that are due by `now_ns`, wall time. */
void desk_tell_due(struct desk *desk, int64_t now_ns);
/* To a messenger that begins: what it need not say again. */
void desk_tell_standing(struct desk *desk);
void desk_hear_messenger(struct desk *desk);
/* What is wrong, for the log (once a minute) and for `holdfast status`. */
void desk_complain(struct desk *desk, const char *what, int result, const struct record_error *error);

#endif
