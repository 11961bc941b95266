/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language of the control socket: one JSON object a line each way. doc/control.md says it for who speaks it. Pure:
 * a line becomes a request that is checked through and through, facts become a line; who may ask what is found out and
 * obeyed elsewhere.
 */
#ifndef HOLDFAST_DAEMON_CONTROL_H
#define HOLDFAST_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prefix.h"
#include "daemon/config.h"
#include "daemon/links.h"
#include "defend/rule.h"
#include "shield/maps.h"

#define CONTROL_LINE_MAX 65536        /* octets of a request, its end included */
#define CONTROL_ANSWER_MAX (1u << 20) /* of an answer */
#define CONTROL_PREFIXES_MAX 4096     /* in one request */
#define CONTROL_LIMIT_MAX 1000        /* blocks and allowances that `rules` lists, each */
#define CONTROL_LIMIT_DEFAULT 100
#define CONTROL_CONFIRM_S_MAX 86400
#define CONTROL_CLIENT_SIZE 64
#define CONTROL_REFUSALS_MAX 16 /* that an answer names */
#define CONTROL_NOTES_MAX 32

enum control_command {
	CONTROL_PING,
	CONTROL_STATUS,
	CONTROL_RULES,
	CONTROL_BLOCK,
	CONTROL_ALLOW,
	CONTROL_RELEASE,
	CONTROL_OBSERVE,
	CONTROL_ENFORCE,
	CONTROL_CONFIRM,
	CONTROL_RELOAD,
	CONTROL_TEST_ALERT,
	CONTROL_COMMANDS,
};

struct control_request {
	enum control_command command;
	struct prefix *prefixes; /* block, allow, release; owned */
	unsigned prefix_count;
	bool many;     /* they came as a list, be it of one */
	bool has_rule; /* block by match */
	bool has_scope;
	struct rule rule;
	bool shadow;
	uint32_t rule_number; /* release; 0: none */
	int64_t for_ns;       /* 0: not said */
	int64_t confirm_ns;   /* 0: for good */
	unsigned limit;
	char target[ALERT_NAME_SIZE]; /* of alerts, that is to be tested */
	char reason[SHIELD_REASON_MAX];
	char client[CONTROL_CLIENT_SIZE]; /* as it came */
	bool has_address;                 /* `client` begins with one */
	struct address address;
};

/* `exit` is what the asking program ends with: 1 refused, 2 wrongly asked, 3 the daemon is not ready. */
struct control_error {
	char where[16];
	char what[512];
	char hint[320];
	int exit;
};

const char *control_command_name(enum control_command command);
/* Whether it changes anything: then not everybody may. */
bool control_command_operates(enum control_command command);
__attribute__((format(printf, 5, 6))) void control_error_set(struct control_error *error, const char *where, int exit,
                                                             const char *hint, const char *format, ...);

/* A line without its end. 0; -EINVAL with *error filled; -ENOMEM. *request is written only on success. */
int control_parse(const char *line, size_t length, struct control_request *request, struct control_error *error);
void control_request_fini(struct control_request *request);
/* What a request says beside its prefixes, as a JSON object for the record: the caller's, or NULL. */
char *control_format_arguments(const struct control_request *request);

/*
 * Answers: a line with its end, the caller's to free; NULL where there is no memory.
 */
char *control_format_error(const struct control_error *error);
char *control_format_errors(const struct control_error *error, const struct config_errors *errors);
char *control_format_ping(void);

struct control_refusal {
	struct prefix prefix;
	char what[160], hint[160];
};

/* What came of a request over prefixes. */
struct control_tally {
	unsigned done, refused;
	int64_t expires_ns; /* since the Unix epoch */
	unsigned refusal_count;
	struct control_refusal refusals[CONTROL_REFUSALS_MAX];
};

/* `done` is what it is called: "blocked", "allowed". */
char *control_format_tally(const char *done, const struct control_tally *tally);

struct control_ruled {
	unsigned count;
	uint32_t numbers[SHIELD_RULES_MAX];
	const struct rule *rule;
	int64_t expires_ns;
};

char *control_format_ruled(const struct control_ruled *ruled);
char *control_format_released(bool block, bool allowance, bool rule);
/* Of a list: how many were released, and how many were on no list. */
char *control_format_released_many(unsigned released, unsigned passed_over);

/* Times are since the Unix epoch, INT64_MAX for never; `left` from now. */
struct control_mode {
	bool enforce;
	int64_t until_ns, left_ns;
};

char *control_format_mode(const struct control_mode *mode);
char *control_format_reloaded(const char (*notes)[CONFIG_ERROR_SIZE], unsigned count);

/* `said` is what came of it. */
char *control_format_tested(const char *said);

struct control_rule {
	struct shield_rule_told told;
	struct shield_rule_count count;
	int64_t expires_ns, left_ns;
	int64_t since_last_ns; /* -1: nothing has met it */
	char made_by[CONFIG_USER_SIZE];
};

struct control_entry {
	struct prefix prefix;
	int64_t expires_ns, left_ns;
};

struct control_blocks {
	uint32_t ipv4, ipv6, capacity, listed;
};

struct control_list {
	const struct control_rule *rules;
	unsigned rule_count;
	struct control_blocks blocks;
	const struct control_entry *blocked, *allowed;
	unsigned blocked_count, allowed_count; /* listed here */
	unsigned allowed_total;
	bool truncated;
};

char *control_format_list(const struct control_list *list);

struct control_sums {
	uint64_t packets, octets, dropped, dropped_octets, would_drop;
};

struct control_service {
	char name[SHIELD_NAME_SIZE]; /* "": no service */
	const struct shield_counters *counters;
};

struct control_interface {
	char name[CONFIG_INTERFACE_SIZE];
	const char *hook;
};

struct control_way {
	struct prefix from;
	uint16_t port;
	int64_t left_ns;
};

/* A rule that live has made; texts and match are borrowed. */
struct control_attack_rule {
	uint32_t number; /* 0: it has none yet, or got none */
	const char *state, *why;
	const struct rule *rule;
	uint64_t matched, dropped, spared, answered, probes, completed, known, known_lost;
	bool fallback, knows, each; /* it looks at sources: lets known ones pass, limits each */
	uint32_t source_pps;
	bool has_bound;
	uint32_t bound_ppm, baseline_samples, verified_hits, verified_samples;
};

struct control_attack {
	uint64_t id;
	const char *service; /* NULL: none that is configured */
	struct prefix target;
	const char *vector;
	int64_t began_ns; /* since the Unix epoch */
	int64_t age_ns;
	uint64_t pps, bps;
	uint32_t passing_ppm;
	bool over;
	const char *advice; /* or NULL */
	enum fallback_state fallback;
	unsigned first_rule, rule_count; /* of control_live.rules */
};

#define CONTROL_ATTACKS_MAX 128
#define CONTROL_ATTACK_RULES_MAX 128

/* What live says. */
struct control_live {
	unsigned attack_count, rule_count;
	struct control_attack attacks[CONTROL_ATTACKS_MAX];
	struct control_attack_rule rules[CONTROL_ATTACK_RULES_MAX];
	/* Packets of conversations that this host answers, in the latest seconds. */
	uint64_t answered_pps, handshakes_pps;
	bool has_lost; /* there were any */
	uint32_t lost_ppm;
	uint64_t generation;
	bool warm; /* it has been given what another has learned, or has watched for long enough to have learned it */
	uint64_t samples_pps;
	int64_t lag_ns, learned_ns;
	uint64_t undecodable, strays, outbox_lost, streams_cut;
	uint64_t rules_refused, bans_pushed_out, no_memory, sources_uncounted; /* struct live_counters */
	uint64_t dropped_left_out; /* of the block list, by the list of who is dropped as it was last told */
	uint64_t dropped_refused, attempts_refused, signals_lost; /* watch_dropped.h, watch_attempts.h, watch_users.h */
};

struct control_status {
	uint32_t pid, loader_pid, engine_pid, recorder_pid, restarts;
	int64_t since_ns; /* since the Unix epoch */
	int64_t uptime_ns;
	bool ready, has_rates;
	unsigned interface_count, service_count, way_count, allowed, rule_count, alert_targets;
	struct control_mode mode;
	const char *origin;
	struct control_interface interfaces[SHIELD_INTERFACES_MAX];
	struct control_service services[SHIELD_SERVICES_MAX];
	struct control_sums rates, totals; /* rates: a second */
	struct control_blocks blocks;
	const struct control_rule *rules;
	struct control_way ways[SHIELD_GUARD_MAX];
	struct shield_totals shield;
	unsigned cookies_lost; /* interfaces */
	uint64_t samples_taken;
	struct control_live live;
	uint64_t record_written, record_lost, incidents_lost, streams_cut;
	const char *record_state;
	const struct links *links;
	const struct message_alerted *alerts;
	uint64_t alerts_lost; /* that no messenger took */
};

char *control_format_status(const struct control_status *status);

#endif
