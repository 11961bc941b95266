/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the shield stands where no daemon is there to be asked: by what is pinned, in the form of the daemon's answer to
 * "status", without what only a daemon knows. Wants root.
 */
#ifndef HOLDFAST_CLI_STANDING_H
#define HOLDFAST_CLI_STANDING_H

#include <stdbool.h>

#include <jansson.h>

#include "shield/shield.h"

/*
 * Services are named as the configuration has them, in its order. 0, or -errno with the reason: -ENOENT: there is none.
 */
int standing_read(const char *bpffs_dir, const char *config, json_t **status, struct shield_error *error);

/*
 * What stands in nftables for interfaces that cannot have the program, without a daemon too. *there: there is a table.
 * Both return 0 where there is none, or no nftables.
 */
int standing_observe_tables(const char *bpffs_dir, bool *there, struct shield_error *error);
int standing_remove_tables(const char *bpffs_dir, bool *there, struct shield_error *error);

#endif
