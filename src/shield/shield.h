/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield: the programs in the kernel that count, sample and drop, and their maps. This header is for who holds it,
 * which is the loader: it attaches, pins, takes over, and alone writes rules, allow list, guard, services and mode. Who
 * merely reads it, or keeps the block list, needs descriptors of maps and shield/maps.h, shield/blocks.h.
 *
 * Life. shield_open() loads the programs, and takes over the maps that are pinned under bpffs_dir where their layout is
 * this one's; else new maps are made beside them, nothing is replaced yet, and shield_origin() says so. One may have
 * the shield of a bpffs_dir open: -EBUSY; and the folder must be its own: -EPERM. shield_attach() then puts the program
 * on an interface: where a link is pinned it is updated in one step, so that every packet meets the old program or the
 * new one. shield_commit() pins new maps in the old ones' place. shield_close() leaves all that is attached and pinned
 * as it is; shield_remove() takes all of it away, whether or not somebody has it open.
 *
 * Functions return 0 or -errno and then say in *error what was wrong, where, and what to do. Nothing here logs.
 */
#ifndef HOLDFAST_SHIELD_SHIELD_H
#define HOLDFAST_SHIELD_SHIELD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"
#include "shield/maps.h"

#define SHIELD_BPFFS_DIR "/sys/fs/bpf/holdfast"
#define SHIELD_NAME_SIZE 64
#define SHIELD_HOLD_MAX_S 86400
#define SHIELD_BLOCK_CAPACITY_MIN 1024
#define SHIELD_BLOCK_CAPACITY_MAX 4194304

struct shield_error {
	char message[256]; /* "eth7: there is no such interface" */
	char advice[256];  /* "'ip link' lists those there are"; may be empty */
};

struct shield;

struct shield_options {
	const char *bpffs_dir;   /* absolute; in a mounted bpf file system, or below where one can be mounted */
	uint32_t block_capacity; /* prefixes per family; taken-over maps keep theirs */
	uint32_t sample_budget;  /* samples a second on all CPUs together */
	bool generic;            /* generic XDP will do where the driver has none */
	bool drop_clean;         /* for benchmarks only: what would pass is dropped, so that passing can be timed */
};

enum shield_origin {
	SHIELD_NEW,        /* nothing was pinned */
	SHIELD_TAKEN_OVER, /* pinned maps of this layout: rules and blocks stand */
	/*
	 * pinned maps of another layout, and in their mode: who has a record puts rules and blocks in again, then
	 * attaches
	 */
	SHIELD_REPLACED,
};

/* How the program is attached to an interface. */
enum shield_hook { SHIELD_DETACHED, SHIELD_NATIVE, SHIELD_GENERIC, SHIELD_DISPATCHER };

/* Loads the programs and pins their maps, or takes over those that are pinned: 0, or -errno with *error filled. */
int shield_open(const struct shield_options *options, struct shield **shield, struct shield_error *error);
/*
 * The same maps and links through their pins, with no program loaded: for who only reads, changes the mode, or ends it.
 */
int shield_open_pinned(const char *bpffs_dir, struct shield **shield, struct shield_error *error);
enum shield_origin shield_origin(const struct shield *shield);
/*
 * Where the maps are pinned now: bpffs_dir, or a place beside it until shield_commit(). For shield_maps_for_engine().
 */
const char *shield_pins(const struct shield *shield);
void shield_close(struct shield *shield);

/*
 * Attaches XDP and, for the map of flows, a classifier behind a clsact queue. -EEXIST where another program is,
 * -EOPNOTSUPP where frames are not Ethernet's. An interface that has been renamed is the same one.
 */
int shield_attach(struct shield *shield, const char *interface, enum shield_hook *hook, struct shield_error *error);
int shield_detach(struct shield *shield, const char *interface, struct shield_error *error);
int shield_commit(struct shield *shield, struct shield_error *error);
/*
 * Detaches all of the shield's that is pinned under bpffs_dir and unpins it; `removed` counts what there was. What
 * others have pinned there stays. Needs no daemon and no open shield; done twice it finds nothing the second time.
 */
int shield_remove(const char *bpffs_dir, unsigned *removed, struct shield_error *error);

/* Interfaces to which it is attached, by what is pinned. `names` has room for SHIELD_INTERFACES_MAX. */
struct shield_interface {
	char name[16]; /* IFNAMSIZ; where it has gone, what it was called */
	uint32_t ifindex;
	enum shield_hook hook;
};
int shield_interfaces(const struct shield *shield, struct shield_interface *interfaces, unsigned *count);
const char *shield_hook_name(enum shield_hook hook); /* "native", "generic (slow)", "dispatcher", "detached" */

const struct shield_maps *shield_maps(const struct shield *shield);
struct shield_pace shield_pace(const struct shield *shield);

/* Mode. `until` in jiffies: from then on the kernel only observes; SHIELD_NEVER. */
void shield_set_mode(struct shield *shield, bool enforce, uint64_t until);

struct shield_service {
	char name[SHIELD_NAME_SIZE];
	const struct prefix *prefixes;
	unsigned prefix_count;
	const uint16_t *tcp, *udp; /* ports; none of either: all packets to the prefixes */
	unsigned tcp_count, udp_count;
	uint32_t source_pps;
	bool local; /* this host's own sockets answer; else what stands behind it */
	enum shield_cookies
		cookies; /* local: a flood's SYNs are answered with them, out of the interface they came by */
};
/* Replaces all. -ENOSPC where the tables of abi/shield.h are too small, with words. */
int shield_set_services(struct shield *shield, const struct shield_service *services, unsigned count,
                        struct shield_error *error);

/*
 * Services under attack, a bit each in the order of shield_set_services(): so long none of their sources becomes known,
 * unless `until` comes first. Those that were before stay so since then.
 */
void shield_freeze(struct shield *shield, uint64_t attacked, uint64_t until);

/* The operator's way in: TCP from `from` to `port` of this host. Replaces all; at most SHIELD_GUARD_MAX. */
struct shield_way_in {
	struct prefix from;
	uint16_t port;
	bool sure;        /* what would hit it is refused */
	uint64_t expires; /* jiffies */
};
int shield_set_guard(struct shield *shield, const struct shield_way_in *ways, unsigned count,
                     struct shield_error *error);

/* What holds for good goes on to. -ENOSPC: SHIELD_ALLOW_MAX. Removing what is not there: -ENOENT. */
int shield_allow(struct shield *shield, const struct prefix *prefix, uint64_t expires, struct shield_error *error);
int shield_disallow(struct shield *shield, const struct prefix *prefix, struct shield_error *error);
int shield_disallow_all(struct shield *shield, const struct prefix *prefixes, unsigned count,
                        struct shield_error *error);
/* Forgets those that have expired: the kernel passes them over, but they take room, and its time. */
int shield_sweep_allowed(struct shield *shield, uint64_t now, unsigned *swept);

/*
 * A rule comes into force when shield_add_rule() returns: -ENOSPC where SHIELD_RULES_MAX are, -EOPNOTSUPP where the
 * table cannot say it, with the reason; -EPERM where it would hit the operator's way in, with the way. *number is that
 * of r1.
 */
struct shield_making {
	uint64_t expires;    /* jiffies */
	int64_t made_ns;     /* since the Unix epoch */
	uint32_t made_by;    /* uid, or SHIELD_BY_ENGINE */
	bool shadow;         /* only counts what it would drop */
	bool spare;          /* packets of answered conversations pass, up to SHIELD_SPARE_PPS of each */
	bool probe;          /* one match in SHIELD_PROBE_INTERVAL passes, at most SHIELD_PROBE_PPS of them */
	bool known;          /* packets of known sources pass, up to source_pps of each */
	bool each;           /* of a rate limit: it is each source's own */
	uint32_t source_pps; /* 0: without end */
	uint32_t arm_pps;    /* acts only while matches came at this rate within the last hold_s; 0: always */
	uint32_t hold_s;     /* it begins active, for so long; at most SHIELD_HOLD_MAX_S */
	char reason[SHIELD_REASON_MAX];
};
int shield_add_rule(struct shield *shield, const struct rule *rule, const struct shield_making *making,
                    uint32_t *number, struct shield_error *error);
/*
 * The next rule is r`number`, unless that or a later one has been: who has a record knows which have. At most
 * INT32_MAX.
 */
void shield_count_from(struct shield *shield, uint32_t number);
int shield_remove_rule(struct shield *shield, uint32_t number, struct shield_error *error); /* -ENOENT */
/* It expires then instead; nothing else of it changes. -ENOENT. */
int shield_renew_rule(struct shield *shield, uint32_t number, uint64_t expires, struct shield_error *error);
/* Forgets rules that have expired, so that their places can be taken. */
int shield_sweep_rules(struct shield *shield, uint64_t now, unsigned *swept);

/* What a match or prefix would do to the operator: -EPERM with the way in it hits, of those that are sure, or 0. */
int shield_check_guard(const struct shield *shield, const struct rule *rule, struct shield_error *error);

#endif
