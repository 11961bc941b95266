/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles of `holdfast serve` tell each other, as message.h has it for those of `holdfast run`: structs of fixed
 * size, one a datagram, each of a type that one way alone may carry; serve_message_receive() holds all of it against a
 * table.
 *
 *     parent ──► every role   the configuration, with the descriptors that are its; a channel to the desk, or to a role
 *     role ──► parent         it is ready, or why not; how it stands
 *     role ──► desk           counts of reports and signals; what strangers ask of subscriptions
 *     desk ──► role           what became of that; to the public role, who the shield is dropping
 *
 * A role takes its configuration once. At a reload, and where it has ended, it begins anew.
 */
#ifndef HOLDFAST_DAEMON_SERVE_MESSAGE_H
#define HOLDFAST_DAEMON_SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/channel.h"
#include "daemon/config.h"
#include "impact/count.h"
#include "tell/language.h"

#define SERVE_COUNTS_MAX 64 /* reports, or signals, of one message */
#define SERVE_FDS_MAX CHANNEL_FDS_MAX
#define SERVE_LISTENERS_MAX 16 /* as many as there are logs */
#define SERVE_LINES_MAX 4
#define SERVE_COUNTERS_MAX 48
#define SERVE_NAME_SIZE 32
#define SERVE_TEXT_SIZE 256
#define SERVE_ADDRESS_SIZE 512 /* of a mailbox, or a URL */
#define SERVE_COMPONENTS_SIZE 512
#define SERVE_TOKEN_SIZE 65 /* hexadecimal digits, 64 at most */

enum serve_way { SERVE_PARENT_TO_ROLE, SERVE_ROLE_TO_PARENT, SERVE_ROLE_TO_DESK, SERVE_DESK_TO_ROLE };

enum serve_role {
	SERVE_ROLE_DESK,
	SERVE_ROLE_PUBLIC,
	SERVE_ROLE_PROBER,
	SERVE_ROLE_READER,
	SERVE_ROLE_CONSOLE,
	/* that of `holdfast run` (messenger.c), with the desk in the engine's place: messages are message.h's */
	SERVE_ROLE_MESSENGER,
	SERVE_ROLES
};

enum serve_type {
	SERVE_CONFIG = 1,
	SERVE_CHANNEL,
	SERVE_READY,
	SERVE_COUNTED,
	SERVE_REPORTS,
	SERVE_SIGNALS,
	SERVE_SUBSCRIBE,
	SERVE_CONFIRM,
	SERVE_UNSUBSCRIBE,
	SERVE_ANSWER,
	SERVE_CHECKS,
	SERVE_DROPPED,
	SERVE_TYPES,
};

/* Descriptors: the file's text, then the files of the role in the order of the table in serve.c, then its listeners. */
struct serve_config {
	uint32_t fd_count, file_count, listener_count; /* fd_count is 1 and the two others */
	uint32_t restarts;                             /* of this role */
	int64_t since_ns;                              /* the parent's beginning, since the Unix epoch */
	char name[CONFIG_PATH_SIZE];                   /* of the file, for what is said of it */
};

/* Descriptor: the channel. To a role: its end of one to the desk; to the desk: its end of one to `role`. */
struct serve_channel {
	uint32_t role; /* enum serve_role; to a role, its own */
	uint32_t unused;
};

/* `result` is 0 or -errno; lines are what is wrong. */
struct serve_ready {
	int32_t result;
	uint32_t line_count;
	char lines[SERVE_LINES_MAX][CONFIG_ERROR_SIZE];
};

struct serve_counter {
	char name[SERVE_NAME_SIZE]; /* "reports_lost" */
	uint64_t value;
};

/* How a role stands; the parent keeps the latest for `holdfast status`. */
struct serve_counted {
	uint32_t count;
	uint32_t unused;
	char state[SERVE_TEXT_SIZE]; /* "ok", or what is wrong, in a line */
	struct serve_counter counters[SERVE_COUNTERS_MAX];
};

struct serve_reports {
	uint32_t count;
	uint32_t unused;
	struct report_count reports[SERVE_COUNTS_MAX];
};

struct serve_signals {
	uint32_t count;
	uint32_t unused;
	struct signal_count signals[SERVE_COUNTS_MAX];
};

/*
 * Components whose checks fail from where the prober is, by its latest look; with none all are good. It is said again
 * and again.
 */
struct serve_checks {
	uint32_t count;
	uint32_t unused;
	struct serve_check {
		int64_t since_ns; /* Unix epoch */
		char component[COMPONENT_ID_SIZE];
		char what[ALERT_NAME_SIZE]; /* "front, refused the connection" */
	} checks[SERVE_COUNTS_MAX];
};

enum serve_subscription { SERVE_BY_MAIL, SERVE_BY_WEBHOOK, SERVE_SUBSCRIPTIONS };

struct serve_subscribe {
	uint32_t kind; /* enum serve_subscription */
	uint32_t lang; /* enum language */
	char address[SERVE_ADDRESS_SIZE];
	char components[SERVE_COMPONENTS_SIZE]; /* IDs with commas between; "": all */
};

/* CONFIRM, UNSUBSCRIBE. */
struct serve_token {
	char text[SERVE_TOKEN_SIZE];
};

/* Its id is the question's. */
struct serve_answer {
	int32_t result; /* 0 or -errno */
	uint32_t unused;
};

/*
 * Another list of whom the shield is dropping (impact/dropped.h). Descriptor, where `result` is 0: its text. Else why
 * there is none.
 */
struct serve_dropped {
	int32_t result; /* 0 or -errno */
	uint32_t unused;
};

struct serve_message {
	uint32_t type;
	uint32_t unused;
	uint64_t id; /* of a question; its answer has the same */
	union {
		struct serve_config config;
		struct serve_channel channel;
		struct serve_ready ready;
		struct serve_counted counted;
		struct serve_reports reports;
		struct serve_signals signals;
		struct serve_subscribe subscribe;
		struct serve_token token;
		struct serve_answer answer;
		struct serve_checks checks;
		struct serve_dropped dropped;
	};
};

/* A zeroed message of a type; it is about 10 KB. */
void serve_message_init(struct serve_message *message, enum serve_type type, uint64_t id);
/* What a datagram of this type is long; 0: there is no such type. */
size_t serve_message_size(enum serve_type type);
/* Whether `length` octets are a message that may come that way with so many descriptors: 0, or -EBADMSG. */
int serve_message_check(enum serve_way way, const struct serve_message *message, size_t length, unsigned fd_count);
/* As message_send() and message_receive(). */
int serve_message_send(int channel, const struct serve_message *message, const int *fds, unsigned fd_count);
int serve_message_receive(int channel, enum serve_way way, struct serve_message *message, int fds[SERVE_FDS_MAX],
                          unsigned *fd_count);

/* What outages_report_add() and outages_signal_add() take: names, a bucket of the clock, words in their range. */
bool serve_report_ok(const struct report_count *count);
bool serve_signal_ok(const struct signal_count *count);

/* "desk", "public", "prober", "reader", "console", "messenger". */
const char *serve_role_name(enum serve_role role);

#endif
