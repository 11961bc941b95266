/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: unprivileged; serves the control socket, keeps the block list through memory it shares with the kernel,
 * reads counters and samples, has everything else done by the loader, and hands what was done to the recorder. It never
 * waits: a command that needs the loader is an operation, of which one is in progress and the others stand in line.
 *
 * engine.c is its life; command.c what clients ask, operation.c what of that the loader does; facts.c what they are
 * told; lists.c the lists of the configuration; journal.c the way to the recorder; dropping.c who is being dropped.
 * What it sees and decides by itself is watch.h's.
 */
#ifndef HOLDFAST_DAEMON_ENGINE_H
#define HOLDFAST_DAEMON_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/clients.h"
#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/links.h"
#include "daemon/message.h"
#include "daemon/outbox.h"
#include "daemon/role.h"
#include "daemon/watch.h"
#include "shield/blocks.h"
#include "shield/maps.h"
#include "shield/samples.h"

#define ENGINE_OPERATIONS_MAX CLIENTS_MAX
#define ENGINE_JOURNAL_MAX 1024   /* messages that wait for the recorder */
#define ENGINE_LISTED_S 86400     /* how long a block from a list holds; it is put in again at half of that */
#define ENGINE_OPERATION_S 20     /* that the loader has for one answer */
#define ENGINE_POSTPONED_S 2      /* that a long list waits for the record before it is done without */
#define ENGINE_DROPPED_S 10       /* how often, at most, the recorder is told who is being dropped … */
#define ENGINE_DROPPED_AGAIN_S 60 /* … and how often it is at least, as long as somebody is */
#define ENGINE_SCOPES_MAX SHIELD_SERVICE_PREFIXES_MAX

/* A command that the loader, or the parent, is to answer. */
struct operation {
	uint64_t client;
	struct client_peer peer;
	struct control_request request;
	int64_t began_ns;
	unsigned next; /* prefix or scope that is to be sent next */
	unsigned sent; /* of prefixes, in the message that is under way */
	unsigned scope_count;
	struct prefix scopes[ENGINE_SCOPES_MAX];
	bool released_block;
	uint8_t *marks; /* of a list that is released, one a prefix; owned */
	struct control_tally tally;
	struct control_ruled ruled;
};

/* A request that waits for room in the journal. */
struct postponed {
	uint64_t client;
	struct client_peer peer;
	struct control_request request;
	int64_t since_ns;
};

struct journal {
	struct message_record *entries; /* ENGINE_JOURNAL_MAX */
	unsigned first, count;
	bool stuck; /* was waited for in vain, and has taken nothing since */
	uint64_t lost;
	uint64_t written, incidents_lost, streams_cut; /* as the recorder says */
	char state[MESSAGE_TEXT_SIZE];
};

/* The lists of the configuration, sorted, and how far putting them in again is. */
struct listed {
	struct prefix_list list;
	uint32_t next;
	int64_t again_ns; /* of the monotonic clock */
};

/* Who is being dropped, as the recorder was last told. */
struct dropping {
	bool any;                /* somebody was */
	uint64_t print;          /* of all of it */
	int64_t due_ns, said_ns; /* of the monotonic clock: when next; when last, 0: not yet */
	uint64_t left_out;       /* that found no room in it */
};

/* The messenger, where there is one. */
struct alerts {
	int channel;                   /* -1 */
	char host[ALERT_NAME_SIZE];    /* what this machine is called */
	uint64_t lost;                 /* that it did not take */
	bool missed;                   /* one of these since a messenger came last, or none has come yet */
	struct message_alerted state;  /* as it says */
	uint64_t test_id, test_client; /* a test that is under way; 0: none */
	int64_t test_ns;
	struct message message; /* scratch: others may be at theirs while an alert is told */
};

struct engine {
	const struct role_start *start;
	struct config config;
	struct message_config roles; /* as it came first: pids, when it began */
	struct shield_maps maps;
	struct shield_pace pace;
	uint32_t origin;
	unsigned hook_count;
	struct message_hook hooks[SHIELD_INTERFACES_MAX];
	struct blocks *blocks;
	struct samples *samples;
	struct watch *watch;
	struct watch_trace *traces;
	struct outbox *outbox;
	struct listed listed;
	struct dropping dropping;
	uint8_t *learned; /* by the engine before this one: live_save()'s octets; NULL: nothing */
	size_t learned_length;
	struct journal journal;
	struct clients *clients;
	unsigned first, operation_count; /* the first is in progress */
	struct operation *operations;    /* ENGINE_OPERATIONS_MAX, a ring */
	unsigned postponed_first, postponed_count;
	struct postponed *postponed;  /* ENGINE_OPERATIONS_MAX, a ring */
	uint32_t highest;             /* number that a rule has had, says the recorder */
	bool settled;                 /* the recorder knows that what was in force is so again */
	uint64_t next_id, awaited_id; /* of the message that is under way; 0: none */
	uint64_t reload_client, reload_id;
	struct client_peer reload_peer;
	bool has_sums, has_rates;
	struct control_sums sums, rates;
	int64_t sums_ns;
	struct shield_counters *counters; /* SHIELD_SERVICES_MAX, as last read */
	struct links links;
	struct alerts alerts;
	bool nftables_behind; /* it has not heard of all that was blocked and let go: it is to be told of all */
	struct message_counted nftables; /* what it has counted besides; zeroed where there is none */
	struct message message;
};

/* Jiffies now, and so long from now. */
uint64_t engine_jiffies(const struct engine *engine);
uint64_t engine_jiffies_after(const struct engine *engine, int64_t for_ns);

/* Whether an interface has nftables instead: then the loader must hear of blocks. */
bool engine_has_nftables(const struct engine *engine);
/* Tells it, where that is so: of these prefixes; of one that was let go; of all. */
void engine_tell_blocked(struct engine *engine, const struct prefix *prefixes, unsigned count, int64_t for_ns);
void engine_tell_unblocked(struct engine *engine, const struct prefix *prefix);
void engine_tell_blocks(struct engine *engine);

/* command.c */
clients_ask command_ask;
/* The parent's answer to a reload. */
void command_reloaded(struct engine *engine, const struct message *message);
/* Does what was asked while the journal had no room for it, where it has now. */
void command_resume(struct engine *engine);
void command_fini(struct engine *engine);

/* operation.c: the loader's answer; ends an operation that has waited too long for it. */
void operation_answered(struct engine *engine, const struct message *message);
void operation_expire(struct engine *engine);

/* command_block.c */
/* The network that a way in is open to. */
struct prefix command_guard_prefix(const struct shield_guard *guard);
/* Whether a block of `prefix` would shut a way in: then *way is one that it would. */
bool command_hits_guard(const struct shield_mode *mode, uint64_t now, const struct prefix *prefix, struct prefix *way,
                        uint16_t *port);

/* facts.c */
char *facts_status(struct engine *engine);
char *facts_rules(struct engine *engine, unsigned limit);
/* Reads the counters and makes rates of them; once a second. */
void facts_count(struct engine *engine);

/* lists.c: reads block_files and puts them in. On failure `error` says what is wrong, and all is as it was. */
int lists_load(struct engine *engine, const struct config *config, const int *fds, unsigned fd_count,
               char error[CONFIG_ERROR_SIZE]);
/* Puts a part of them in again, where it is time. */
void lists_renew(struct engine *engine);

/* dropping.c: tells the recorder who is being dropped, where it is time to and that has changed. */
void dropping_turn(struct engine *engine, int64_t now_ns);

/* alerts.c: of incidents, for each news of one: the messenger says what of that is told; of links. */
void alerts_begin(struct engine *engine);
void alerts_tell(void *context, const struct alert *alert); /* of the engine */
void alerts_take_links(struct engine *engine, const struct message_links *reading);
/* Sends a test, whose outcome is answered later. */
void alerts_test(struct engine *engine, uint64_t client, const char *name);
/* What the messenger says. */
void alerts_listen(struct engine *engine);
/* Takes a messenger's channel. */
void alerts_take_channel(struct engine *engine, int channel);
void alerts_fini(struct engine *engine);
/* Ends a test that nobody answers. */
void alerts_expire(struct engine *engine);

/* journal.c: an entry to fill, or NULL where the queue is full, which is counted; journal_send() sends what it can. */
struct message_record *journal_add(struct engine *engine, const struct client_peer *peer,
                                   const struct control_request *request, const char *outcome);
/* The same of what was done by itself; the context is the engine. */
void journal_add_deed(void *context, const struct watch_deed *deed);
void journal_send(struct engine *engine);
/* The name of a user; the digits of `uid` where there is none. */
const char *journal_user(uint32_t uid, char name[CONFIG_USER_SIZE]);

#endif
