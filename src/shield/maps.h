/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield's maps as descriptors, and what can be read from them with no privilege but having them. The loader hands
 * descriptors to the engine in the order of enum shield_map; those that the engine may not write are opened read-only.
 *
 * Functions return 0 or -errno. A map that was not had (-1) is -EBADF. What sums over CPUs asks the system once in a
 * process's life how many there can be (/sys/devices/system/cpu/possible): before it shuts itself in.
 */
#ifndef HOLDFAST_SHIELD_MAPS_H
#define HOLDFAST_SHIELD_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"

enum shield_map {
	SHIELD_MAP_CONFIG,
	SHIELD_MAP_SERVICES,
	SHIELD_MAP_ALLOW,
	SHIELD_MAP_RULESETS,
	SHIELD_MAP_RULE_COUNTERS,
	SHIELD_MAP_RULE_STATES,
	SHIELD_MAP_NOTES,
	SHIELD_MAP_SOURCE_BUCKETS,
	SHIELD_MAP_COUNTERS,
	SHIELD_MAP_TOTALS,
	SHIELD_MAP_SAMPLES,
	SHIELD_MAP_FLOWS,
	SHIELD_MAP_ANSWERED,
	SHIELD_MAP_PROBED,
	SHIELD_MAP_TCP_STATES,
	SHIELD_MAP_TCP_WATCHES,
	SHIELD_MAP_TRIALS,
	SHIELD_MAP_KNOWN,
	SHIELD_MAP_BLOCK_SWEEP,
	SHIELD_MAP_BLOCK_STATE, /* from here on the engine writes */
	SHIELD_MAP_BLOCK4_CLASSES,
	SHIELD_MAP_BLOCK4,
	SHIELD_MAP_BLOCK4_EXPIRES,
	SHIELD_MAP_BLOCK4_DUE,
	SHIELD_MAP_BLOCK4_MORE,
	SHIELD_MAP_BLOCK4_SWEPT, /* of which it only reads, but memory that is shared read-only is not to be had */
	SHIELD_MAP_BLOCK6_BITS,
	SHIELD_MAP_BLOCK6,
	SHIELD_MAPS,
};

struct shield_maps {
	int fd[SHIELD_MAPS]; /* -1: not had */
};

const char *shield_map_name(enum shield_map map);
void shield_maps_close(struct shield_maps *maps);
/*
 * Descriptors for the engine, from what is pinned: read-only where it must not write, but for the ring of samples,
 * whose reader says in the ring how far it is. Whoever gets them closes them.
 */
int shield_maps_for_engine(const char *bpffs_dir, struct shield_maps *maps);

/* How jiffies and CLOCK_MONOTONIC go together; pure arithmetic, the clock is passed in. */
struct shield_pace {
	uint64_t jiffies; /* at one moment */
	int64_t monotonic_ns;
	uint32_t hz;
};
uint64_t shield_jiffies_at(const struct shield_pace *pace, int64_t monotonic_ns);
/* Jiffies from `monotonic_ns` on, rounded up; SHIELD_NEVER for INT64_MAX. */
uint64_t shield_jiffies_after(const struct shield_pace *pace, int64_t monotonic_ns, int64_t duration_ns);
/* Nanoseconds until `jiffies`, 0 where that has been; INT64_MAX for SHIELD_NEVER. */
int64_t shield_ns_until(const struct shield_pace *pace, int64_t monotonic_ns, uint64_t jiffies);

/* "drop_block": a stable word; "unknown" for what is no reason. */
const char *shield_reason_name(enum shield_reason reason);

/* Sums over all CPUs; of totals, `interval` is the largest, and what only one CPU's program can mean is 0. */
int shield_read_counters(const struct shield_maps *maps, struct shield_counters counters[SHIELD_SERVICES_MAX]);
int shield_read_totals(const struct shield_maps *maps, struct shield_totals *totals);
int shield_read_rule_count(const struct shield_maps *maps, uint32_t counter, struct shield_rule_count *count);
/* By how many interfaces cookies are known not to arrive, and are not sent, at `now`, in jiffies. */
int shield_count_cookies_lost(const struct shield_maps *maps, uint64_t now, unsigned *count);
/* Until when, in jiffies, a rule acts if nothing matches it from now on; SHIELD_NEVER of one without arm_pps. */
int shield_read_active_until(const struct shield_maps *maps, uint32_t counter, uint64_t *until);

#define SHIELD_BY_ENGINE UINT32_MAX /* made_by, where it is no user */

/* A rule in force, as pinned. */
struct shield_rule_told {
	uint32_t number;  /* of r1 */
	uint32_t counter; /* for shield_read_rule_count() */
	struct rule rule;
	uint64_t expires; /* jiffies */
	int64_t made_ns;  /* since the Unix epoch */
	uint32_t made_by; /* uid, or SHIELD_BY_ENGINE */
	bool shadow, spare, probe, known, each;
	uint32_t arm_pps, hold_s, source_pps;
	char reason[SHIELD_REASON_MAX];
};
/* A note and what it tells. -EBADMSG: it is none that the other makes; -EINVAL: what is told has no note. */
int shield_note_read(const struct shield_note *note, uint32_t counter, struct shield_rule_told *told);
int shield_note_write(const struct shield_rule_told *told, struct shield_note *note);
/*
 * Rules that have not expired, by number; `rules` has room for SHIELD_RULES_MAX. A note that cannot be read is
 * -EBADMSG.
 */
int shield_read_rules(const struct shield_maps *maps, uint64_t now, struct shield_rule_told *rules, unsigned *count);

/* By what sources are known to services (abi/shield.h, map `known`), as it was when it was read. */
struct shield_knowing {
	uint64_t seed;
	uint32_t hz;
	uint64_t names[SHIELD_SERVICES_MAX];
	struct shield_freeze freezes[SHIELD_SERVICES_MAX];
};
/* -EBADMSG: of another layout. */
int shield_read_knowing(const struct shield_maps *maps, struct shield_knowing *knowing);
/* Whether a service, by its place, knows a source from peace at `now`, in jiffies, as the kernel would say. */
bool shield_is_known(const struct shield_maps *maps, const struct shield_knowing *knowing, unsigned service,
                     const struct address *source, uint64_t now);

/* Allow list: calls `each` for every entry that has not expired, in no order; stops where it returns not 0. */
int shield_each_allowed(const struct shield_maps *maps, uint64_t now,
                        int (*each)(void *context, const struct prefix *prefix, uint64_t expires), void *context);

struct shield_mode {
	bool enforce;   /* now */
	uint64_t until; /* jiffies; SHIELD_NEVER */
	uint32_t guard_count;
	struct shield_guard guard[SHIELD_GUARD_MAX];
};
/* -EBADMSG: of another layout. */
int shield_read_mode(const struct shield_maps *maps, uint64_t now, struct shield_mode *mode);

#endif
