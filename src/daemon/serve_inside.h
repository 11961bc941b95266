/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the parent of `holdfast serve` share: serve.c its life, serve_begin.c its beginning, serve_rows.c
 * which roles there are.
 */
#ifndef HOLDFAST_DAEMON_SERVE_INSIDE_H
#define HOLDFAST_DAEMON_SERVE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/config.h"
#include "daemon/message.h"
#include "daemon/notify.h"
#include "daemon/role.h"
#include "daemon/serve_message.h"

#define SERVE_COMMAND "serve"
#define SERVE_ALL_LISTENERS_MAX 24 /* of all roles together */
#define SERVE_LISTEN_SIZE 64

/* Each list is at most as long as its array; texts are the configuration's. */
struct serve_row {
	bool (*wanted)(const struct config *config);
	/* Files that only root may read. */
	unsigned (*files)(const struct config *config, const char *paths[SERVE_FDS_MAX]);
	/* Where it listens, as http_server_listen() has it. */
	unsigned (*listeners)(const struct config *config, const char *addresses[SERVE_LISTENERS_MAX]);
	bool datagrams; /* there it takes datagrams (UDP), else connections */
};

/* A role without `wanted` is not there. */
extern const struct serve_row serve_rows[SERVE_ROLES];

static inline bool serve_wants(const struct config *config, unsigned role)
{
	return serve_rows[role].wanted && serve_rows[role].wanted(config);
}

struct serve_child {
	pid_t pid;         /* 0: there is none */
	int channel;       /* -1 */
	bool ready, asked; /* asked: it is to end */
	uint32_t restarts;
	int64_t began_ns, again_ns, backoff_ns; /* again_ns 0: it is not waited for */
	struct serve_counted counted;           /* what it said last */
	int64_t told_ns;
};

struct serve_listener {
	char address[SERVE_LISTEN_SIZE];
	bool datagrams;
	int fd;
};

struct serve_tree {
	const char *config_path, *config_name;
	char *text;
	size_t length;
	struct config config;
	struct role_start start, messenger_start;
	struct notify notify;
	int signals, lock;
	struct serve_child children[SERVE_ROLES];
	struct serve_listener listeners[SERVE_ALL_LISTENERS_MAX];
	unsigned listener_count;
	bool ever_ready, stopping;
	bool told_to_end, told_to_reload; /* by a signal that came while roles were being ended */
	int64_t began_ns, began_wall_ns, pinged_ns, written_ns;
	struct serve_message message; /* scratch */
	struct message word;          /* likewise, the messenger's */
};

/* All that needs rights, which the parent then gives up: folders, the lock, what listens. What is wrong is said. */
int serve_prepare(struct serve_tree *tree);
/* Opens where the configuration wants to listen, and nothing does yet. */
int serve_listen(struct serve_tree *tree, const struct config *config);
/* Closes where it does not want to: who connects there would wait for ever. */
void serve_listen_only(struct serve_tree *tree, const struct config *config);

#endif
