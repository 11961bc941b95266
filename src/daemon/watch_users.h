/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How users of each service fare behind the shield, as signals of the component with the service's name
 * (impact/count.h, SIGNAL_CONNECTIONS): of the packets of conversations that this host answers, those that passed, and
 * those that were dropped. What nobody here answers does not count: a flood that hits nobody is no outage. Packets are
 * estimates where they are sampled. Of services that are this host's own, new connections of clients known from peace
 * as well (SIGNAL_HANDSHAKES): those that came about, and clients who gave up (watch_attempts.h). A service whose name
 * is no component's ("Web server") has no signals.
 */
#ifndef HOLDFAST_DAEMON_WATCH_USERS_H
#define HOLDFAST_DAEMON_WATCH_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/message.h"
#include "impact/count.h"
#include "observe/observation.h"

#define WATCH_USERS_WAITING_MAX (8 * CONFIG_SERVICES_MAX) /* signals that the recorder has not taken: 20 minutes' */

struct watch_users {
	const struct config *config; /* whose services are counted */
	int64_t bucket_ns;           /* that lasts; 0: none yet */
	bool enforces;               /* else what is said to be dropped passes */
	struct {
		uint64_t passed, lost;
		uint64_t connected, refused; /* clients known from peace */
	} services[CONFIG_SERVICES_MAX];
	struct signal_count waiting[WATCH_USERS_WAITING_MAX];
	unsigned waiting_count;
	uint64_t signals_lost;
};

/* A packet that arrived. `wall_ns` since the Unix epoch; likewise of watch_users_turn(). */
void watch_users_note(struct watch_users *users, const struct config *config, const struct observation *observation,
                      int64_t wall_ns);
/* A new connection of a client that a service, by its place, knows from peace: whether it came about. */
void watch_users_connection(struct watch_users *users, const struct config *config, unsigned service, bool came_about,
                            int64_t wall_ns);
/* Now and then: a bucket that is over becomes signals. */
void watch_users_turn(struct watch_users *users, const struct config *config, int64_t wall_ns);
/* Services are others, or in another order, than in `before`, by which what was counted so far becomes signals. */
void watch_users_reload(struct watch_users *users, const struct config *before);
/* At the end: so does the one that lasts; what another daemon counts of it is added on record. */
void watch_users_finish(struct watch_users *users);
/* For the recorder: fills a message of MESSAGE_SIGNALS. False: nothing waits. */
bool watch_users_take(struct watch_users *users, struct message *message);
/* It was not sent. */
void watch_users_give_back(struct watch_users *users, const struct message *message);

#endif
