/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the roles tell each other, over pairs of SOCK_SEQPACKET: structs of fixed size, one a datagram, each of a type
 * that one way alone may carry. Who receives one believes nothing: message_receive() holds length, type, bounds, and
 * texts' ends against the table in message.c, so that a role that was taken over can say what the messages say and no
 * more.
 *
 *     parent ──► every role    configuration, as descriptors of the file's text and of the lists it names
 *     parent ──► engine        the channel to the messenger, which may end and begin anew alone
 *     role ──► parent          it is in force, or why not; the engine also asks for a reload
 *     engine ──► loader        rules, allowances, mode, ways in, what is under attack; blocks where nftables must have
 *                              them too; never instructions
 *     loader ──► engine        descriptors of maps, answers
 *     engine ──► recorder      what was done; what was learned, observed and found, and who is being dropped, as files in
 *                              memory
 *     engine ──► messenger     what people are to be told
 *     messenger ──► engine     how that goes
 *     recorder ──► engine      how that goes; what is still in force; what had been learned
 *
 * Durations are from now on, so that no two roles need agree on a clock; 0 is for good where that is allowed.
 */
#ifndef HOLDFAST_DAEMON_MESSAGE_H
#define HOLDFAST_DAEMON_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/channel.h"
#include "daemon/config.h"
#include "defend/rule.h"
#include "impact/count.h"
#include "impact/dropped.h"
#include "shield/link.h"
#include "shield/shield.h"
#include "tell/alert.h"

#define MESSAGE_PREFIXES_MAX 64
#define MESSAGE_SIGNALS_MAX 64
#define MESSAGE_FDS_MAX CHANNEL_FDS_MAX
#define MESSAGE_LINES_MAX CONFIG_ERRORS_MAX
#define MESSAGE_TEXT_SIZE 256
#define MESSAGE_WORD_SIZE 16
#define MESSAGE_VECTOR_SIZE 64
#define MESSAGE_CLIENT_SIZE 64
#define MESSAGE_DAYS_MAX CONFIG_BLOCK_DAYS_MAX
#define MESSAGE_HOOK_NFTABLES 4 /* beside enum shield_hook */
#define MESSAGE_HOOKS 5
#define MESSAGE_HOLD_S_MAX SHIELD_HOLD_MAX_S
/* Octets of what comes in a descriptor; whoever reads it reads no more, by pread(), for its sender can cut it short. */
#define MESSAGE_CHECKPOINT_MAX (64u << 20)
#define MESSAGE_SEGMENT_MAX (64u << 20) /* the first holds what the generation was given; others are of 1 MiB */
#define MESSAGE_JSON_MAX (16u << 20)

enum message_way {
	MESSAGE_PARENT_TO_ROLE,
	MESSAGE_ROLE_TO_PARENT,
	MESSAGE_ENGINE_TO_LOADER,
	MESSAGE_LOADER_TO_ENGINE,
	MESSAGE_ENGINE_TO_RECORDER,
	MESSAGE_RECORDER_TO_ENGINE,
	MESSAGE_ENGINE_TO_MESSENGER,
	MESSAGE_MESSENGER_TO_ENGINE,
};

enum message_type {
	MESSAGE_CONFIG = 1,
	MESSAGE_RELOADED,
	MESSAGE_APPLIED,
	MESSAGE_RELOAD,
	MESSAGE_ADD_RULE,
	MESSAGE_REMOVE_RULE,
	MESSAGE_RENEW_RULE,
	MESSAGE_ALLOW,
	MESSAGE_DISALLOW,
	MESSAGE_MODE,
	MESSAGE_CONFIRM,
	MESSAGE_WAY,
	MESSAGE_FREEZE,
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
	MESSAGE_CHECKPOINT,
	MESSAGE_STREAM,
	MESSAGE_INCIDENT,
	MESSAGE_SIGNALS,
	MESSAGE_DROPPED,
	MESSAGE_RECORDED,
	MESSAGE_IN_FORCE,
	MESSAGE_LEARNED,
	MESSAGE_MESSENGER,
	MESSAGE_LINKS,
	MESSAGE_ALERT,
	MESSAGE_TEST_ALERT,
	MESSAGE_ALERTED,
	MESSAGE_TESTED,
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
	uint8_t shadow, spare, probe, known, each; /* 0 or 1; struct shield_making says what they mean */
	uint8_t unused;
	uint32_t action; /* enum rule_action */
	uint32_t rate_pps;
	uint32_t source_pps;      /* of known sources; 0: without end */
	uint32_t arm_pps, hold_s; /* both or neither */
	uint32_t made_by;         /* uid; SHIELD_BY_ENGINE */
	uint32_t number;          /* that it had, and is to have again; 0: the next */
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

struct message_renewal {
	uint32_t number; /* of the rule */
	uint32_t unused;
	int64_t for_ns;
};

/* Services under attack, a bit each in the configuration's order: so long no source becomes known to them. */
struct message_freeze {
	uint64_t attacked;
	int64_t for_ns;
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

/* How users of services fare, for the record (watch_users.h). */
struct message_signals {
	uint32_t count;
	uint32_t unused;
	struct signal_count signals[MESSAGE_SIGNALS_MAX];
};

/*
 * Who is being dropped (impact/dropped.h). Descriptor: so many struct message_prefix, in any order: those that are
 * dropped, then those that pass all the same. None at all: it is over.
 */
struct message_dropped {
	uint32_t dropping, passing;
	uint64_t left_out;
};

struct message_recorded {
	uint64_t written;              /* messages */
	uint64_t incidents_lost;       /* that could not be written as they stood, or not in time */
	uint64_t streams_cut;          /* that end early: no room, or too long */
	char state[MESSAGE_TEXT_SIZE]; /* "ok" */
};

/*
 * What the engine has learned (live_save()). Descriptor: its octets. The recorder keeps the latest, and hands it back
 * at the next beginning, before it says what is in force, as MESSAGE_LEARNED with a descriptor to read it from.
 */
struct message_checkpoint {
	uint32_t length;
	uint32_t unused;
};

enum message_stream_kind {
	MESSAGE_STREAM_SEGMENT, /* descriptor: what follows in the generation's stream */
	MESSAGE_STREAM_KEEP,    /* no descriptor: it holds `incident`, and is kept under that name too */
	MESSAGE_STREAM_DROP, /* no descriptor: the generation has ended, and nothing of it is kept that has no name */
	MESSAGE_STREAM_KINDS,
};

/* What live was told, as engine/stream.h writes it: in pieces of about a second, a file a generation. */
struct message_stream {
	uint64_t generation; /* of this engine or another, there is none with the same; later ones have higher */
	uint64_t sequence;   /* of a segment: 0, 1, 2 …; one that is missing ends what can be replayed */
	uint64_t incident;   /* KEEP: struct incident.id */
	uint32_t kind;       /* enum message_stream_kind */
	uint32_t length;     /* SEGMENT: octets */
};

enum message_incident_state {
	MESSAGE_INCIDENT_OPEN,
	MESSAGE_INCIDENT_OVER,   /* its end has been seen; what is known of it is not all made out */
	MESSAGE_INCIDENT_FINAL,  /* nothing more comes */
	MESSAGE_INCIDENT_JOINED, /* it became part of another, and is none: no descriptor */
	MESSAGE_INCIDENT_STATES,
};

/*
 * An incident as it stands; a later one of the same id takes its place. Descriptor: its JSON, schema ANALYSIS_SCHEMA.
 */
struct message_incident {
	uint64_t id;         /* struct incident.id */
	uint64_t generation; /* whose stream holds it */
	int64_t began_ns;    /* since the Unix epoch */
	int64_t ended_ns;    /* 0: it is open */
	uint64_t peak_pps, peak_bps;
	uint32_t state; /* enum message_incident_state */
	uint32_t length;
	char service[SHIELD_NAME_SIZE]; /* "": none that is configured */
	char target[PREFIX_TEXT_SIZE];
	char vector[MESSAGE_VECTOR_SIZE]; /* the leading one's name */
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

/* What the interfaces have counted, at one moment. */
struct message_links {
	int64_t monotonic_ns;
	uint32_t count;
	uint32_t unused;
	struct shield_link links[SHIELD_INTERFACES_MAX];
};

struct message_alerted {
	uint64_t sent, failed;
	uint64_t unsaid; /* too many in a minute, or no room in the queue */
	uint32_t queued;
	uint32_t unused;
	char state[MESSAGE_TEXT_SIZE]; /* "ok"; "TARGET: what is wrong" */
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
		/*
		 * of a rule; RESTORED: from which to count; ASK: enum shield_origin; BLOCKS: 1: what is blocked no more
		 * goes too, else 0
		 */
		uint32_t number;
		struct message_renewal renewal;
		struct message_allow allow;
		struct message_prefix prefix;
		struct message_mode mode;
		struct message_freeze freeze;
		struct message_counted counted;
		struct message_record record;
		struct message_checkpoint checkpoint; /* LEARNED too */
		struct message_stream stream;
		struct message_incident incident;
		struct message_recorded recorded;
		struct message_signals signals;
		struct message_dropped dropped;
		struct message_in_force in_force;
		struct message_links links;
		struct alert alert;
		char target[ALERT_NAME_SIZE]; /* TEST_ALERT: its name */
		struct message_alerted alerted;
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
/*
 * Whether it is one: its family, its length, no bits beyond that. message_check() asks it of all that stand in
 * messages.
 */
bool message_prefix_ok(const struct message_prefix *prefix);
void message_put_rule(struct message_rule *into, const struct rule *rule);
/* -EINVAL where its match is none: message_check() does not read it. */
int message_take_rule(const struct message_rule *from, struct rule *rule);

#endif
