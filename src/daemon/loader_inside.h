/* SPDX-License-Identifier: Apache-2.0 */
/* The loader (loader.c) and what it does when the engine asks (loader_orders.c): what both work on. */
#ifndef HOLDFAST_DAEMON_LOADER_INSIDE_H
#define HOLDFAST_DAEMON_LOADER_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/message.h"
#include "daemon/mirror.h"
#include "daemon/ways.h"
#include "shield/shield.h"

struct loader {
	struct shield *shield;
	struct mirror mirror;
	struct config config;
	struct ways ways;
	unsigned guard_count;
	struct shield_way_in guard[SHIELD_GUARD_MAX]; /* as last set */
	unsigned hook_count;
	struct message_hook hooks[SHIELD_INTERFACES_MAX];
	bool begun;                           /* what is attached has this program */
	bool nftables;                        /* may stand in: of the configuration that is in force, or to be */
	int64_t sweep_ns, peers_ns, state_ns; /* when next */
	unsigned line_count;
	char lines[MESSAGE_LINES_MAX][CONFIG_ERROR_SIZE];
	struct message message;
};

/* A jiffy so long from now; INT64_MAX is never. */
uint64_t loader_after(const struct loader *loader, int64_t for_ns);
uint64_t loader_now(const struct loader *loader); /* jiffies */
/* Sets the ways in as they are known, where they have changed: 0, or -errno, which is logged. */
int loader_set_guard(struct loader *loader);

int loader_set_mode(struct loader *loader, const struct message_mode *wanted, struct shield_error *error);
/*
 * Does what a message of the engine's asks, and answers: 0; -EBADMSG: no engine asks that; -errno: the answer cannot be
 * sent.
 */
int loader_obey(struct loader *loader, const struct message *message);

#endif
