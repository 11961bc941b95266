/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes what is published to subscribers (record/subscriptions.h): webhooks by POST, mail by SMTP, all of it through
 * tell/post.h. Driven by who has it: `holdfast subscription deliver`, or the desk. One process at a time does it, by a
 * lock in the state_dir.
 *
 * Of the POST_MAX that can be under way mail has DELIVER_MAIL_MAX, a host of webhooks DELIVER_HOST_MAX, a subscriber
 * one. Each has POST_MS. What a subscriber's server does not take delays all that waits for it, so that a server that
 * never answers costs one of them for that time, after pauses that double.
 */
#ifndef HOLDFAST_DAEMON_DELIVER_H
#define HOLDFAST_DAEMON_DELIVER_H

#include <stdint.h>

#include "daemon/config.h"
#include "record/subscriptions.h"
#include "tell/webhook.h"

#define DELIVER_MAIL_MAX 4
#define DELIVER_HOST_MAX 2
#define DELIVER_LOCK "/subscriptions.lock"

struct deliver; /* opaque */

/* What the configuration's files of keys hold. */
struct deliver_secrets {
	char password[ALERT_SECRET_SIZE];
	struct webhook_secret webhooks[CONFIG_WEBHOOKS_MAX]; /* in the order of config.webhooks */
};

struct deliver_counts {
	uint64_t sent, spared, again, dead; /* again: it failed, and is to be tried another time */
	uint64_t repeats;                   /* that a deliverer's death has left half done */
};

/*
 * Reads the files, or instead of them `lines`, a file of their keys, a line each in that order; NULL. -errno with a
 * line in `error`, in which nothing of them is.
 */
int deliver_secrets_read(const struct config *config, const char *lines, struct deliver_secrets *secrets,
                         char error[CONFIG_ERROR_SIZE]);
/*
 * Takes the lock and begins. Config, ledger and secrets are the caller's and outlive it. `seed`: of the pauses.
 * -EALREADY: another is at it; -ENOSYS: there is no libcurl; -errno with the error said.
 */
int deliver_new(const struct config *config, struct ledger *ledger, const struct deliver_secrets *secrets,
                uint64_t seed, int64_t now_ns, struct deliver **deliver, struct record_error *error);
/* What is under way is left as it is: in the queue it stays "sending", and is a repeat for the next. */
void deliver_free(struct deliver *deliver);
/*
 * One turn: what was published goes into the queue, what is due out of it, as far as there is room; waits at most so
 * long for what is under way, and writes down what has ended. 0 or -errno with the error said.
 */
int deliver_turn(struct deliver *deliver, int64_t now_ns, int timeout_ms, struct record_error *error);
/* Its second half alone: nothing more is sent. */
int deliver_wait(struct deliver *deliver, int64_t now_ns, int timeout_ms, struct record_error *error);
/* How many are under way. */
unsigned deliver_busy(const struct deliver *deliver);
struct deliver_counts deliver_counts(const struct deliver *deliver);

#endif
