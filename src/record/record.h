/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record: what was done, by whom, from where, to what end; and of it, what is still in force, so that a shield that
 * begins anew can be given its rules and blocks again. One SQLite database, of which there is one writer.
 *
 * Times are nanoseconds since the Unix epoch.
 *
 * A database of an older schema is brought up to date; one of a newer schema is refused and left as it is. One that is
 * broken is put aside under another name and a new one begun: what came before must not keep what comes from being
 * kept.
 */
#ifndef HOLDFAST_RECORD_RECORD_H
#define HOLDFAST_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#define RECORD_SCHEMA 9
#define RECORD_ACTIONS_MAX 1000000  /* older ones go */
#define RECORD_IN_FORCE_MAX 1000000 /* those that expire first go */
#define RECORD_PAGES_MAX 524288     /* of 4 KiB: 2 GiB, then it is full as a disk is */
#define RECORD_BROKEN_MAX 8         /* broken databases that are kept; the last is overwritten */
#define RECORD_PATH_SIZE 256

struct record; /* opaque */

struct record_error {
	char message[256];
	char advice[256]; /* may be empty */
};

/* 0 in a bound: the one above. */
struct record_options {
	const char *path;
	uint32_t actions_max, in_force_max, pages_max;
	bool broken; /* it has turned out to be so: it is put aside, however well it looks */
};

/* What an action holds, or lets go, beside being done. Letting go of a block lets go of an allowance as well. */
enum record_kind { RECORD_NOTHING, RECORD_BLOCK, RECORD_ALLOW, RECORD_RULE };

/* Texts are the caller's, never NULL. */
struct record_rule {
	const char *scope, *match, *action, *reason;
	uint32_t rate_pps;
	bool shadow;
};

struct record_action {
	int64_t time_ns;
	uint32_t uid;
	const char *user, *client, *command;
	const char *object;    /* prefix, or rule ("r3") */
	const char *arguments; /* JSON */
	const char *outcome, *message;
	enum record_kind kind;
	int64_t until_ns;        /* `object` holds until then; 0: it holds no longer */
	struct record_rule rule; /* RECORD_RULE with until_ns */
};

/*
 * -ENOTSUP: of a newer schema, or no database of ours; -ENOSPC, -EIO, -EACCES, -EROFS, -ENOMEM. `put_aside` is "" or
 * the path to which a broken one was moved.
 */
int record_open(const struct record_options *options, struct record **record, char put_aside[RECORD_PATH_SIZE],
                struct record_error *error);
void record_close(struct record *record);

/*
 * All in one transaction, or none. -ENOSPC: the disk is full; -EBADMSG: the database is broken, close and open it so.
 */
int record_append(struct record *record, const struct record_action *actions, unsigned count,
                  struct record_error *error);
/* The latest `limit` actions, newest first; stops where `each` returns not 0, and returns that. */
int record_list(struct record *record, unsigned limit,
                int (*each)(void *context, uint64_t id, const struct record_action *action), void *context,
                struct record_error *error);
/*
 * What holds at `now_ns`, rules last and by number; `each` as above. rule.reason and time_ns, uid are of who made it.
 */
int record_each_in_force(struct record *record, int64_t now_ns,
                         int (*each)(void *context, const struct record_action *action), void *context,
                         struct record_error *error);

/* The highest number of a rule that was ever recorded; 0: there was none. */
int record_highest_rule(struct record *record, uint32_t *number, struct record_error *error);
/* Nothing is in force any more: the shield was taken away. */
int record_forget_in_force(struct record *record, struct record_error *error);
/* Whether `boot`, the kernel's name for this time that the host runs, is another than was last noted. */
int record_is_new_boot(struct record *record, const char *boot, bool *is_new, struct record_error *error);
int record_note_boot(struct record *record, const char *boot, struct record_error *error);

#endif
