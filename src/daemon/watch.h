/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine's role sees and decides by itself: samples become observations and go into live (engine/live.h), time
 * passes for it, its orders go to the loader and come back as what became of its rules, and its news go to the
 * recorder.
 *
 * Samples are read in turns of at most WATCH_TURN, so that however many come a client has his answer. Capture time is
 * CLOCK_MONOTONIC, shifted once and for all to be wall time: it never jumps.
 *
 * Rules that an engine before this one left in the shield are strays. They go on doing what they do. Where live orders
 * a rule about the same packets that does the same it gets the stray instead, with what it has counted; where it does
 * something else the stray goes once that is made. One that is not wanted ends by itself, within WATCH_STRAY_S. When
 * there is no room for a new rule, a stray goes.
 *
 * No part of it includes daemon/engine.h: there, struct engine is the role, here it is what finds attacks.
 */
#ifndef HOLDFAST_DAEMON_WATCH_H
#define HOLDFAST_DAEMON_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/links.h"
#include "daemon/message.h"
#include "daemon/outbox.h"
#include "daemon/watch_dropped.h"
#include "daemon/watch_trace.h"
#include "shield/maps.h"
#include "shield/samples.h"

#define WATCH_TICK_MS 10
#define WATCH_TURN 4096   /* samples between two looks at everything else */
#define WATCH_STRAY_S 600 /* that a rule of an engine before this one has at most, unless it is ordered again */

struct watch; /* opaque */

/* What was done about a rule, for the record. `what` says why, or why not. */
struct watch_deed {
	const char *outcome;     /* "done", "refused", "failed" */
	uint32_t number;         /* of the rule; 0: it got none */
	bool ended;              /* it is let go; else it was to be made */
	const struct rule *rule; /* NULL where it is let go */
	bool shadow;
	const char *what;
};

struct watch_setup {
	const struct shield_maps *maps; /* these five stay their owner's, and are looked at when they are needed */
	const struct shield_pace *pace;
	const struct message_counted *nftables;
	struct outbox *outbox;
	struct watch_trace *traces; /* NULL: sources are not looked at */
	int loader;                 /* channel */
	uint64_t *next_id;          /* of messages to the loader: all have different ones */
	void (*record)(void *context, const struct watch_deed *deed);
	void (*alert)(void *context,
	              const struct alert *alert); /* host and mode are for who gets it to fill in; NULL: nobody */
	void *context;
};

/* Takes no more than memory: it begins with watch_begin(). -ENOMEM. */
int watch_new(const struct watch_setup *setup, struct watch **watch);
void watch_free(struct watch *watch);
samples_take watch_take; /* the context is the watch */

/* With what an engine before this one has learned, or NULL. -ENOMEM. */
int watch_begin(struct watch *watch, const struct config *config, uint64_t seed, const uint8_t *learned, size_t length);
/* The services are those of `config` from now on; from the end of an attack on, where one is going on. */
void watch_reload(struct watch *watch, const struct config *before, const struct config *config);
/* Reads samples, lets time pass, sends orders. Where it returns true there are more samples: turn again at once. */
bool watch_turn(struct watch *watch, struct samples *samples, int64_t monotonic_ns);
uint64_t watch_taken(const struct watch *watch); /* samples, in all */
/* Signals for the recorder go there; never waits, what finds no room is tried again. */
void watch_send_signals(struct watch *watch, int recorder);
/* Whether what is to be dropped is, and of whom samples show it. NULL before watch_begin(). */
bool watch_enforces(const struct watch *watch);
struct watch_dropped *watch_dropped_table(const struct watch *watch);
/* Links have been looked at. */
void watch_links(struct watch *watch, const struct links *links);
/* Whether a message was the answer to an order of live's. */
bool watch_answered(struct watch *watch, const struct message *message);
/* Alerts of all attacks that go on, as of such a change: whoever is told is new. */
void watch_alert_all(struct watch *watch, enum alert_change change);
/* Somebody may have let a rule go: it is looked at once. */
void watch_rules_changed(struct watch *watch);
/* At the end: what was learned and found goes to the outbox. */
void watch_end(struct watch *watch);

/* What they point to is good until the next call of anything here. */
void watch_facts(const struct watch *watch, struct control_live *facts);

#endif
