/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shield's programs as the loader loads them, attached to nothing and run by BPF_PROG_TEST_RUN on single frames:
 * what goes in, what becomes of it, and which counter says so. All that is asked of it fails the case that asks where
 * it is not so.
 *
 *     cmocka_run_group_tests(tests, rig_open, rig_close)
 *
 * A case begins with NEED_SHIELD, for where programs may not be loaded it is skipped, and rig_begin().
 */
#ifndef HOLDFAST_TESTS_BPF_RIG_H
#define HOLDFAST_TESTS_BPF_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/shield.h"
#include "base/prefix.h"
#include "defend/rule.h"
#include "packet.h"
#include "shield/shield.h"

#define RIG_BLOCKS 4096 /* that its list has room for */

extern struct rig {
	char dir[64]; /* where its maps are pinned */
	struct shield *shield;
	struct blocks *blocks;
	int program;     /* what runs on frames that arrive */
	uint64_t random; /* a state of packet_random() */
} rig;

#define NEED_SHIELD              \
	do {                     \
		if (!rig.shield) \
			skip();  \
	} while (0)

/* Fixtures of a group. */
int rig_open(void **state);
int rig_close(void **state);

/* Nothing blocked, allowed, guarded, or ruled; it enforces. What sources are known stays. */
void rig_begin(void);

uint64_t rig_jiffies(void);       /* now, as the kernel counts; may be one behind it */
uint64_t rig_seconds(unsigned s); /* in jiffies */
void rig_wait_ms(unsigned ms);
struct prefix rig_prefix(const char *text);

/* The number of a rule that is there now; `expires` and those of `making` in jiffies, as all here. */
uint32_t rig_make_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps,
                       const struct shield_making *making);
uint32_t rig_add_rule(const char *scope, const char *match, enum rule_action action, uint32_t pps, bool shadow,
                      uint64_t expires);
struct shield_rule_told rig_told_of(uint32_t number);
struct shield_rule_count rig_count_of(uint32_t number);
void rig_block(const char *text, uint64_t expires);
void rig_release(const char *text);

/* The verdict on a frame that arrives: XDP_PASS, XDP_DROP, XDP_TX. */
uint32_t rig_run(const uint8_t *data, size_t length);
/* A frame that this host sends. */
void rig_send(const struct packet *p);
/* This host sends a datagram of UDP. */
void rig_answer(const char *src, const char *dst, uint16_t src_port, uint16_t dst_port);

struct rig_fate {
	enum shield_reason reason;
	unsigned service;
	bool enforced;
};

/* Runs it, and finds the one counter that says so: by one packet, and by its octets. */
struct rig_fate rig_fate_of(const struct packet *p);
void rig_meets(const struct packet *p, enum shield_reason wanted, const char *what);      /* enforced */
void rig_would_meet(const struct packet *p, enum shield_reason wanted, const char *what); /* observed */

unsigned rig_passing(const struct packet *p, unsigned count); /* how many of so many, one after another, pass */
/*
 * What passes of `count` packets: what buckets hold, `least` to `most`, and what they gain at `pps` while it lasts,
 * which on a busy machine may be long.
 */
unsigned rig_passing_buckets(const struct packet *p, unsigned count, unsigned least, unsigned most, unsigned pps);
/* Of one whose bucket was just emptied: what that has gained since may pass as `first`. */
struct rig_fate rig_fate_once_empty(const struct packet *p, enum shield_reason first);
void rig_meets_emptied(const struct packet *p, enum shield_reason first, enum shield_reason wanted, const char *what);

struct rig_taken {
	unsigned count;
	uint64_t weight;
	struct shield_sample last;
};

/* To be told of samples: `context` is a struct rig_taken. */
void rig_takes(void *context, const struct shield_sample *sample);

#endif
