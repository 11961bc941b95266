/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subscriptions at the desk: what strangers ask of them by the public role, and that what is published goes out. The
 * latter is done by a courier (desk_courier.h), which runs `holdfast subscription deliver`: libcurl, and the network,
 * are not in the desk.
 */
#ifndef HOLDFAST_DAEMON_DESK_SUBSCRIBE_H
#define HOLDFAST_DAEMON_DESK_SUBSCRIBE_H

#include "daemon/serve_role.h"
#include "record/ledger.h"
#include "record/subscriptions.h"

#define DESK_DELIVER_NS (10 * NS_PER_S) /* between two deliveries, at the soonest */

struct desk_subscribe {
	bool wanted; /* the configuration names mail or webhooks */
	struct subscriptions_key key;
	bool has_key;
	int courier; /* -1: nothing is delivered */
	bool delivering;
	int64_t due_ns; /* of the monotonic clock */
	uint64_t asked, refused, delivered, failed;
	char state[SERVE_TEXT_SIZE]; /* "ok", or what is wrong */
};

/*
 * Before the desk gives up what it takes, as the user that it runs as: keys are made if they are not there, the courier
 * begins. `files`: the password's of mail, then the webhooks', as the configuration has them. 0 or -errno.
 */
int desk_subscribe_begin(struct desk_subscribe *desk, struct serve_life *life, const int *files, unsigned file_count);
void desk_subscribe_end(struct desk_subscribe *desk);
/* What a stranger asks. -ENOSYS: there is no mail; else what the record says. */
int desk_subscribe_heed(struct desk_subscribe *desk, struct ledger *ledger, const struct serve_message *message,
                        int64_t wall_ns);
/* Sends the courier on its way when it is time; hears from it. `soon`: something was published. */
void desk_subscribe_turn(struct desk_subscribe *desk, int64_t now_ns, bool soon);

/* Which files the desk needs for that; returns how many. */
unsigned desk_subscribe_files(const struct config *config, const char **paths, unsigned most);

#endif
