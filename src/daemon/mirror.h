/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force, said in nftables as well, for interfaces that cannot have the program. As long as there is none of
 * those, every function here does nothing and returns 0. With the first one the table is made and filled from what the
 * shield holds; after that whatever changes there is changed here too. The loader's.
 */
#ifndef HOLDFAST_DAEMON_MIRROR_H
#define HOLDFAST_DAEMON_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/message.h"
#include "shield/nft.h"
#include "shield/shield.h"

struct mirror {
	struct nft_shield *nft; /* NULL: no interface needs it */
	struct shield *shield;
	const struct shield_way_in *guard; /* as last set; the loader's */
	const unsigned *guard_count;
	char name[NFT_NAME_MAX];
	uint32_t capacity;
};

/* The table's name, out of bpffs_dir: two daemons of one network have two. */
const char *mirror_name(const char *bpffs_dir, char name[NFT_NAME_MAX]);
void mirror_init(struct mirror *mirror, struct shield *shield, const char *bpffs_dir, uint32_t capacity);
/* Leaves the table as it is. */
void mirror_fini(struct mirror *mirror);

/* An interface that cannot have the program, by its name; with the first one the table is made. */
int mirror_attach(struct mirror *mirror, const char *interface, struct shield_error *error);
int mirror_detach(struct mirror *mirror, const char *interface, struct shield_error *error);
/* Takes the table away, also one that is not open. */
int mirror_drop(struct mirror *mirror, struct shield_error *error);
/* Rule `number` has been made: -EOPNOTSUPP where nftables cannot say it. */
int mirror_add_rule(struct mirror *mirror, uint32_t number, struct shield_error *error);
int mirror_remove_rule(struct mirror *mirror, uint32_t number, struct shield_error *error);
/* Forgets rules that have ended. */
void mirror_sweep(struct mirror *mirror);
/* `for_ns` INT64_MAX: for good. */
int mirror_list(struct mirror *mirror, enum nft_list list, const struct prefix *prefixes, unsigned count,
                int64_t for_ns, struct shield_error *error);
int mirror_unlist(struct mirror *mirror, enum nft_list list, const struct prefix *prefix, struct shield_error *error);
/* Puts in all blocks anew; for when many have changed. */
int mirror_blocks(struct mirror *mirror, struct shield_error *error);
/* Takes out what is blocked no more; for when it may not have heard of that. */
int mirror_clear_blocks(struct mirror *mirror, struct shield_error *error);
int mirror_set_mode(struct mirror *mirror, struct shield_error *error); /* the shield's */
int mirror_set_guard(struct mirror *mirror, struct shield_error *error);
/* What it has counted, to be added to what the shield has. False: nothing. */
bool mirror_count(struct mirror *mirror, struct message_counted *counted);

#endif
