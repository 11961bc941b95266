/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of access logs in `holdfast serve`: files are tailed (tail.h), datagrams of syslog taken, and what each
 * bucket came to (impact/access_count.h) goes to the desk as signals.
 *
 *     sources[] ──lines──► components[] ──buckets that are over──► waiting ──messages──► desk
 *
 * Nothing counts twice: where each file was read up to, what is counted of buckets that are not over, and signals that
 * wait for the desk are kept together in a file (reader_state.c), which is written before signals are sent: what is
 * sent and what is in the file are never the same signals. A reader that is killed between the two loses them;
 * `holdfast outage logs` finds them.
 */
#ifndef HOLDFAST_DAEMON_READER_H
#define HOLDFAST_DAEMON_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/serve_message.h"
#include "daemon/tail.h"
#include "impact/access_count.h"

#define READER_WAITING_MAX 1024                   /* signals that the desk has not taken */
#define READER_LATE_NS (15 * NS_PER_S)            /* so long after its end lines of a bucket are waited for */
#define READER_AHEAD_NS (300 * NS_PER_S)          /* lines of later times than that are left out, */
#define READER_BEHIND_NS (7 * 86400LL * NS_PER_S) /* ... and of earlier ones than that */
#define READER_DATAGRAMS_AT_ONCE 4096
#define READER_KEPT_NS (10 * NS_PER_S) /* how often the file is written */
#define READER_STATE_MAX (4u << 20)    /* octets of it */
#define READER_PATH_SIZE (CONFIG_PATH_SIZE + 32)

struct reader_component {
	char id[COMPONENT_ID_SIZE];
	struct access_count count;
	struct reader *reader;
};

struct reader_source {
	const struct config_log *config;
	struct reader_component *component;
	struct access_log log;
	int socket;        /* -1: a file */
	struct tail *tail; /* NULL: a socket */
	struct reader *reader;
	int64_t now_ns; /* of the turn */
};

struct reader {
	struct reader_source sources[CONFIG_LOGS_MAX];
	unsigned source_count;
	struct reader_component *components[CONFIG_LOGS_MAX];
	unsigned component_count;
	struct signal_count waiting[READER_WAITING_MAX];
	unsigned waiting_count;
	char path[READER_PATH_SIZE]; /* of the state */
	int64_t kept_ns;
	bool changed;
	int state_fault; /* errno of the last time it was written */
	/* What is told by `holdfast status`. */
	uint64_t lines, left_out, out_of_time, too_long, strangers, signals_lost;
};

/*
 * A socket that takes syslog's datagrams there; -errno. What nobody reads waits in it, as far as the kernel gives it
 * room.
 */
int log_reader_socket(const struct address *listen, uint16_t port);
/*
 * `sockets`: of the logs that come by syslog, in their order, as many as there are: -1 behind, for they are the
 * reader's from here on. -errno with what is wrong in `error`. To be ended by log_reader_fini() in any case.
 */
int log_reader_init(struct reader *reader, const struct config *config, int *sockets, unsigned socket_count,
                    char error[CONFIG_ERROR_SIZE]);
/*
 * Goes on from the file in `folder`, if there is a good one: -ENOENT, -EBADMSG and others where not; files begin at
 * their ends then.
 */
int log_reader_resume(struct reader *reader, const char *folder);
/* Reads what has come. True in *more: there is more at once. */
void log_reader_turn(struct reader *reader, int64_t wall_ns, int64_t monotonic_ns, bool *more);
/*
 * Signals of buckets that are over, at most SERVE_COUNTS_MAX: how many. They are out of the file then, and must be
 * sent, or given back by log_reader_give_back().
 */
unsigned log_reader_take(struct reader *reader, struct signal_count signals[SERVE_COUNTS_MAX]);
void log_reader_give_back(struct reader *reader, const struct signal_count *signals, unsigned count);
/* Writes the file, where there is something new: 0 or -errno. */
int log_reader_keep(struct reader *reader);
void log_reader_fini(struct reader *reader);

/* reader_state.c: as JSON, and back. -EBADMSG: it is none; nothing has been changed then. */
int log_reader_state_write(const struct reader *reader, char **text);
int log_reader_state_read(struct reader *reader, const char *text, size_t length);

#endif
