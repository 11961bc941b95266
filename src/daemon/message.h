/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles tell each other, over pairs of SOCK_SEQPACKET: structs of fixed size, one a datagram, each of a type
 * that one way alone may carry. Who receives one believes nothing: message_receive() holds length, type, bounds, and
 * texts' ends against the table in message.c, so that a role that was taken over can say what the messages say and no
 * more.
 *
 *     parent ──► every role    configuration, as descriptors of the file's text and of the lists it names
 *     role ──► parent          it is in force, or why not; the engine also asks for a reload
 *     engine ──► loader        rules, allowances, mode, ways in; blocks where nftables must have them too; never instructions
 *     loader ──► engine        descriptors of maps, answers
 *     engine ──► recorder      what was done
 *     recorder ──► engine      how that goes; what is still in force
 *
 * Durations are from now on, so that no two roles need agree on a clock; 0 is for good where that is allowed.
 */
#ifndef HOLDFAST_DAEMON_MESSAGE_H
#define HOLDFAST_DAEMON_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/config.h"
#include "defend/rule.h"
#include "shield/shield.h"

#define MESSAGE_PREFIXES_MAX 64
#define MESSAGE_FDS_MAX 32
#define MESSAGE_LINES_MAX CONFIG_ERRORS_MAX
#define MESSAGE_TEXT_SIZE 256
#define MESSAGE_WORD_SIZE 16
#define MESSAGE_CLIENT_SIZE 64
#define MESSAGE_DAYS_MAX CONFIG_BLOCK_DAYS_MAX
#define MESSAGE_HOOK_NFTABLES 4 /* beside enum shield_hook */
#define MESSAGE_HOOKS 5

enum message_way {
	MESSAGE_PARENT_TO_ROLE,
	MESSAGE_ROLE_TO_PARENT,
	MESSAGE_ENGINE_TO_LOADER,
	MESSAGE_LOADER_TO_ENGINE,
	MESSAGE_ENGINE_TO_RECORDER,
	MESSAGE_RECORDER_TO_ENGINE,
};

enum message_type {
	MESSAGE_CONFIG = 1,
	MESSAGE_RELOADED,
	MESSAGE_APPLIED,
	MESSAGE_RELOAD,
	MESSAGE_ADD_RULE,
	MESSAGE_REMOVE_RULE,
	MESSAGE_ALLOW,
	MESSAGE_DISALLOW,
	MESSAGE_MODE,
	MESSAGE_CONFIRM,
	MESSAGE_WAY,
	MESSAGE_BLOCK,
	MESSAGE_UNBLOCK,
	MESSAGE_BLOCKS,
	MESSAGE_RESTORED,
	MESSAGE_MAPS,
	MESSAGE_STATE,
	MESSAGE_ANSWER,
	MESSAGE_COUNTED,
	MESSAGE_RECORD,
	MESSAGE_ASK,
	MESSAGE_SETTLED,
	MESSAGE_RECORDED,
	MESSAGE_IN_FORCE,
	MESSAGE_TYPES,
};

struct message_prefix {
	uint8_t octets[16];
	uint8_t length; /* in the family's own terms */
	uint8_t is_ipv4;
};

struct message_prefixes {
	uint32_t count;
	struct message_prefix prefix[MESSAGE_PREFIXES_MAX];
};

struct message_rule {
	struct message_prefix scope;
	uint8_t shadow;
	uint8_t unused;
	uint32_t action; /* enum rule_action */
	uint32_t rate_pps;
	uint32_t made_by; /* uid */
	uint32_t number;  /* that it had, and is to have again; 0: the next */
	uint32_t unused2;
	int64_t made_ns; /* since the Unix epoch */
	int64_t for_ns;
	char match[MATCH_TEXT_SIZE];
	char reason[SHIELD_REASON_MAX];
};

/* Descriptors: the file's text, then the lists that the role reads (allow_files, or block_files) in their order. */
struct message_config {
	uint64_t serial;
	uint32_t parent_pid, loader_pid, engine_pid, recorder_pid;
	uint32_t restarts;
	uint32_t fd_count;
	int64_t since_ns, since_monotonic_ns; /* the parent's beginning */
	char name[CONFIG_PATH_SIZE];          /* of the file, for what is said of it */
};

/* `result` is 0 or -errno; lines are notes, or what is wrong. */
struct message_applied {
	uint64_t serial;
	int32_t result;
	uint32_t line_count;
	char lines[MESSAGE_LINES_MAX][CONFIG_ERROR_SIZE];
};

struct message_hook {
	char name[CONFIG_INTERFACE_SIZE];
	uint32_t hook; /* enum shield_hook, MESSAGE_HOOK_NFTABLES */
};

struct message_state {
	uint64_t jiffies; /* at one moment */
	int64_t monotonic_ns;
	uint32_t hz;
	uint32_t origin;   /* enum shield_origin */
	uint32_t fd_count; /* MAPS: SHIELD_MAPS, in the order of enum shield_map; STATE: 0 */
	uint32_t hook_count;
	struct message_hook hooks[SHIELD_INTERFACES_MAX];
};

struct message_answer {
	int32_t result;  /* 0 or -errno */
	uint32_t number; /* of the rule */
	uint32_t done;   /* prefixes; those after them were not tried */
	char what[MESSAGE_TEXT_SIZE], hint[MESSAGE_TEXT_SIZE];
};

/* What nftables has counted, where an interface has that. */
struct message_counted_rule {
	uint32_t number;
	uint32_t unused;
	struct shield_count matched, dropped;
};

struct message_counted {
	struct shield_counters counters;
	uint32_t rule_count;
	uint32_t unused;
	struct message_counted_rule rules[SHIELD_RULES_MAX];
};

struct message_mode {
	uint32_t enforce;
	uint32_t unused;
	int64_t for_ns;
};

struct message_allow {
	int64_t for_ns;
	struct message_prefixes prefixes;
};

/* What was done. Where there are prefixes it is done to each of them; else `object` says to what. */
struct message_record {
	int64_t time_ns;  /* since the Unix epoch */
	int64_t until_ns; /* what is done holds until then; 0: it holds nothing */
	uint32_t uid;
	uint32_t unused;
	char user[CONFIG_USER_SIZE];
	char client[MESSAGE_CLIENT_SIZE];
	char command[MESSAGE_WORD_SIZE], outcome[MESSAGE_WORD_SIZE];
	char object[MATCH_TEXT_SIZE], arguments[MATCH_TEXT_SIZE];
	char what[MESSAGE_TEXT_SIZE];
	struct message_rule rule; /* where a rule was made; for_ns means nothing */
	struct message_prefixes prefixes;
};

struct message_recorded {
	uint64_t written;              /* messages */
	char state[MESSAGE_TEXT_SIZE]; /* "ok" */
};

enum { MESSAGE_KIND_END, MESSAGE_KIND_BLOCK, MESSAGE_KIND_ALLOW, MESSAGE_KIND_RULE };

/* What was in force when it was last recorded. The last one is MESSAGE_KIND_END, with the highest number of a rule. */
struct message_in_force {
	uint32_t kind;
	uint32_t highest;
	int64_t for_ns;
	struct message_prefix prefix; /* blocks and allowances */
	struct message_rule rule;     /* rules */
};

struct message {
	uint32_t type;
	uint32_t unused;
	uint64_t id; /* of a question; its answer has the same */
	union {
		struct message_config config;
		struct message_applied applied;
		struct message_state state;
		struct message_answer answer;
		struct message_rule rule;
		uint32_t number; /* of a rule; RESTORED: from which to count; ASK: enum shield_origin */
		struct message_allow allow;
		struct message_prefix prefix;
		struct message_mode mode;
		struct message_counted counted;
		struct message_record record;
		struct message_recorded recorded;
		struct message_in_force in_force;
	};
};

/* A zeroed message of a type; it is about 12 KB. */
void message_init(struct message *message, enum message_type type, uint64_t id);
/* What a datagram of this type is long. */
size_t message_size(enum message_type type);
/* Whether `length` octets are a message that may come that way with so many descriptors: 0, or -EBADMSG. */
int message_check(enum message_way way, const struct message *message, size_t length, unsigned fd_count);

/* Never waits: -EAGAIN where there is no room; -EPIPE where nobody is left. Descriptors stay their owner's. */
int message_send(int channel, const struct message *message, const int *fds, unsigned fd_count);
/*
 * Never waits: -EAGAIN where there is none; -EPIPE where nobody is left; -EBADMSG as message_check(), and what came is
 * dropped. Received descriptors, at most MESSAGE_FDS_MAX, are the caller's.
 */
int message_receive(int channel, enum message_way way, struct message *message, int fds[MESSAGE_FDS_MAX],
                    unsigned *fd_count);

/* Texts that are too long are cut. */
void message_text(char *into, size_t size, const char *text);
void message_put_prefix(struct message_prefix *into, const struct prefix *prefix);
struct prefix message_prefix(const struct message_prefix *from);
void message_put_rule(struct message_rule *into, const struct rule *rule);
/* -EINVAL where its match is none: message_check() does not read it. */
int message_take_rule(const struct message_rule *from, struct rule *rule);

#endif
