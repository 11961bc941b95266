/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader's files work on: loader.c, its interfaces (loader_attach.c), what else its configuration says
 * (loader_settings.c), and what the engine asks (loader_orders.c).
 */
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

/* Notes what is wrong, for who asked; beyond MESSAGE_LINES_MAX it is not noted. */
__attribute__((format(printf, 2, 3))) void loader_add_line(struct loader *loader, const char *format, ...);
void loader_add_error(struct loader *loader, const struct shield_error *error);

/*
 * Attaches to every interface that `config` names; at the beginning to those too that have a program, so that it
 * becomes this one. Where one cannot be had, the new ones are let go again, and lines say why.
 */
int loader_attach_all(struct loader *loader, const struct config *config);
/* Detaches from those that it no longer names. */
void loader_detach_others(struct loader *loader, const struct config *config);
/* What is pinned of an earlier run. */
void loader_learn_hooks(struct loader *loader);
/* An interface that went and came again has no program: so once in a while all are looked at. */
void loader_reattach(struct loader *loader);
/* The table in nftables goes with the last interface that needs it; one of an earlier run that none needs, likewise. */
void loader_drop_mirror(struct loader *loader);

int loader_set_services(struct loader *loader, const struct config *config, struct shield_error *error);
/*
 * Of a configuration that is in force already, or not yet: all but the interfaces. `fds` are of its allow_files. A mode
 * that is NULL stays as it is. On failure lines say what is wrong; whom to allow, and the mode, are as they were.
 */
int loader_put_into_force(struct loader *loader, const struct config *config, const int *fds, unsigned fd_count,
                          const struct message_mode *mode);

/* Sets the ways in as they are known, where they have changed: 0, or -errno, which is logged. */
int loader_set_guard(struct loader *loader);

/* Where nftables stands in it sets it too: one that it refuses to enforce is enforced by none. */
int loader_set_mode(struct loader *loader, const struct message_mode *wanted, struct shield_error *error);
/*
 * Does what a message of the engine's asks, and answers: 0; -EBADMSG: no engine asks that; -errno: the answer cannot be
 * sent.
 */
int loader_obey(struct loader *loader, const struct message *message);

#endif
