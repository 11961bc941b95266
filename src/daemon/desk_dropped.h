/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the shield is dropping, for the public role, which may open no file but the page's: the desk looks at the list,
 * and hands on a descriptor where it is another one. What is in it the desk does not read.
 */
#ifndef HOLDFAST_DAEMON_DESK_DROPPED_H
#define HOLDFAST_DAEMON_DESK_DROPPED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "daemon/config.h"
#include "daemon/serve_message.h"

struct desk_dropped {
	char path[CONFIG_PATH_SIZE + CONFIG_PUBLIC_PATH_SIZE];
	bool told;          /* the role that is there */
	int result;         /* what it was told */
	struct stat status; /* of what it was given */
	int64_t look_ns;    /* when next; of the monotonic clock */
};

void desk_dropped_begin(struct desk_dropped *dropped, const struct config *config);
/* The folder that the list is in, where that is not state_dir: the desk has to be let there. False: there is none. */
bool desk_dropped_folder(const struct config *config, char folder[CONFIG_PATH_SIZE]);
/* Looks, where it is time to; -1: there is no public role. */
void desk_dropped_turn(struct desk_dropped *dropped, int channel, struct serve_message *scratch, int64_t now_ns);
/* Another role has come. */
void desk_dropped_again(struct desk_dropped *dropped);

#endif
