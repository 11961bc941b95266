/* SPDX-License-Identifier: Apache-2.0 */
/* What live.c decides on and birth.c writes down: the same struct, of nobody else's business. */
#ifndef HOLDFAST_ENGINE_LIVE_INSIDE_H
#define HOLDFAST_ENGINE_LIVE_INSIDE_H

#include "detect/incident_list.h"
#include "engine/live.h"
#include "measure/quota.h"

#define BATCH 256
#define HELD_MAX LIVE_LIVES_MAX
#define RATE_SLOTS 16 /* of 100 ms: the latest second, and room */

_Static_assert(INCIDENT_PARTS_MAX <= 32, "live_case.sought has a bit for each");

struct rate {
	int64_t slot;
	uint64_t packets, bytes, dropped;
};

struct live_case {
	bool begun, over, absorbed;
	bool told, owe_began, owe_changed, owe_ended, changed;
	bool wave_open;
	bool has_since; /* rules have been in force since `since` */
	uint64_t id;
	struct prefix scope;
	uint32_t parts, waves;
	struct capture_time seen, told_at, wave_at, searched, since, review, looked;
	uint32_t reviews, vain, revoked;
	uint32_t turn, made;     /* the vector that is sought for next; rules that came of this round */
	uint32_t sought;         /* vectors, by their place, of whose own sample rules were sought: each once */
	uint64_t packets, bytes; /* of the incident, at the tick before */
	uint64_t dropped;        /* on its scope, since the tick before */
	uint64_t passed;         /* observations that were not dropped, since the latest search or rule */
	struct rate rates[RATE_SLOTS];
	const char *advice;
	enum fallback_state fallback;
};

struct held {
	bool used, owe_add, owe_renew, owe_remove;
	uint64_t replaced_by; /* handle of what takes its place once it is there; 0: none */
	int64_t for_ns;
	struct life life;
};

/* What is not to be made again. */
struct ban {
	uint64_t incident;
	bool by_hand; /* else for what it hit: a narrower one may be tried */
	struct rule rule;
};

struct served {
	char name[LIVE_NAME_SIZE];
	bool local;
	enum fallback_allowed fallback;
	unsigned first, count; /* of prefixes */
};

struct live {
	uint64_t seed;
	unsigned service_count, prefix_count;
	struct served services[LIVE_SERVICES_MAX];
	struct prefix prefixes[LIVE_SERVICE_PREFIXES_MAX];
	bool learns;           /* a service may fall back on what peace was like */
	uint64_t attacked;     /* services, a bit each */
	struct quotas *quotas; /* of services, in their order */
	struct capture_time now;
	bool has_time;
	struct engine *engine, *warming, *finished;
	struct capture_time born, warming_born, not_before;
	uint32_t number, warming_number, last_number; /* of generations */
	bool owe_finished;
	uint64_t last_handle;
	uint32_t ban_count, ban_next;
	struct ban bans[LIVE_BANS_MAX];
	struct held held[HELD_MAX];
	struct live_case cases[INCIDENT_LIST_MAX];
	uint32_t searches_left, first; /* of this tick; whose turn is first in the next … */
	bool waits;                    /* … as it is where there was no time for it */
	struct live_counters counters;
	uint64_t passed_count; /* ever put into the ring */
	uint8_t passed_kind[LIVE_PASSED_MAX];
	struct observation passed[LIVE_PASSED_MAX];
	struct observation sought[LIVE_ATTACK_MAX]; /* of a sample, while rules are sought for them */
	struct packet batch[BATCH];
};

/* When a generation that was born then, and has come to its turn, may have a successor: the same wherever it is played. */
struct capture_time live_not_before(struct capture_time born);
/* One with these services and an engine that has seen nothing: 0, -EINVAL, -ENOMEM. */
int live_make(uint64_t seed, const struct live_service *services, unsigned service_count, struct live **live);

#endif
