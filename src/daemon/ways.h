/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's ways in, which no rule and no block shall shut: TCP from a network to a management port of this host.
 * Those that the configuration names hold for good. Others are learned: from commands, whose client an operator is, for
 * WAYS_CLIENT_S; and from who is connected to a management port, for WAYS_PEER_S after it was last seen so.
 *
 * Who has a way in keeps it as long as it is seen: a crowd of new connections, which anybody can make, cannot crowd out
 * who was there before. Pure: the clock is passed in, and the kernel's tables as text.
 */
#ifndef HOLDFAST_DAEMON_WAYS_H
#define HOLDFAST_DAEMON_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/config.h"
#include "shield/shield.h"

#define WAYS_LEARNED_MAX (SHIELD_GUARD_MAX - CONFIG_MANAGEMENT_MAX)
#define WAYS_PEER_S 600
#define WAYS_CLIENT_S 3600

struct way_learned {
	struct address from;
	uint16_t port;
	bool command;     /* learned from one */
	int64_t until_ns; /* of the monotonic clock */
};

struct ways {
	unsigned learned_count;
	struct way_learned learned[WAYS_LEARNED_MAX];
	struct config_ports ports; /* not owned: the configuration's */
};

/* None was learned, and no port is watched. */
void ways_init(struct ways *ways);
/* Whose connections count from now on; the configuration must live as long. Forgets what was learned of other ports. */
void ways_set_ports(struct ways *ways, const struct config_ports *ports);
/* A command came from there: one way for each management port, in the place of peers where there is no other. */
void ways_add_client(struct ways *ways, const struct address *from, int64_t now_ns);
/* The text of /proc/net/tcp or tcp6 (proc_pid_net(5)); lines that are none are passed over. */
void ways_add_peers(struct ways *ways, const char *table, size_t length, int64_t now_ns);
/* Forgets what has passed. Whether something has. */
bool ways_expire(struct ways *ways, int64_t now_ns);

#endif
