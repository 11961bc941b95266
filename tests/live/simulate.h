/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of simulate share: a run, whose streams are written and replayed (simulate_tape.c), beside a shield
 * (simulate_kernel.c), and what is told of it (simulate_tell.c). What cannot be had ends the program.
 */
#ifndef HOLDFAST_TESTS_LIVE_SIMULATE_H
#define HOLDFAST_TESTS_LIVE_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "defend/sieve.h"
#include "engine/live.h"
#include "engine/stream.h"

#define RULES_MAX 64
#define ORDERS_MAX 256
#define FLOWS (1u << 18)
#define SOURCES (1u << 18)

/* A generation's stream, and what came of it, as text: what a replay must come to as well. */
struct tape {
	uint32_t generation;
	uint8_t *octets;
	size_t length, room;
	FILE *log;
	char *text;
	size_t text_length;
};

struct rule_state {
	bool used;
	uint64_t handle;
	struct live_order order;
	struct sieve *sieve; /* with this rule alone: whether it matches, and its rate */
	int64_t active_until, arm_last;
	uint64_t arm_level; /* billionths */
	int64_t probe_second;
	uint32_t probe_taken;
	struct life_count count;
};

struct pending {
	int64_t at;
	struct live_order order;
};

/* What the kernel knows of a conversation, by its 5-tuple as it arrives. */
struct flow {
	uint64_t key;
	bool answered, opened, established, dropped;
	uint32_t ack_due; /* what completes its handshake */
	int64_t spare_second;
	uint32_t spare_taken;
};

/* What is known of a source, and what it may still send. */
struct source {
	uint64_t key;
	bool known;
	uint64_t level; /* billionths of a packet */
	int64_t last;
};

struct sampler {
	uint32_t budget; /* a tick */
	uint32_t interval, taken;
	int64_t tick;
};

struct attack_packet {
	int64_t ns;
	bool passed;
};

struct run {
	struct live *live;
	struct rule_state rules[RULES_MAX];
	uint32_t rule_number;
	struct pending pending[ORDERS_MAX];
	unsigned pending_count;
	struct flow *flows;
	struct source *sources;
	struct sampler in, out;
	uint64_t random;
	int64_t now, next_tick, next_counted, next_loaded, hold_ns;
	uint64_t load_packets, load_octets; /* that arrived since that was told */
	struct attack_packet *attack;
	size_t attack_count, attack_room;
	uint64_t normal, normal_lost, samples, packets;
	uint64_t answered, answered_lost;
	uint64_t known, known_lost; /* normal packets of known sources under attack */
	unsigned added, renewed, removed, shadowed, began, ended, changed;
	int64_t first_order, first_incident;
	struct tape *tapes[2]; /* of the generation that decides, and of the one that warms up */
	uint8_t frame_octets[65536];
	struct stream_frame frame;
	uint64_t stream_octets, replays, replays_wrong;
	int64_t busiest_ns; /* longest tick, of the processor */
};

/* ---- streams ---- */

struct tape *tape_begin(struct run *r, uint32_t generation); /* which has just come */
void tape_end(struct tape *t);
/* What is in the frame goes to the tapes. */
void tape_put_frame(struct run *r);
/* Room for what comes is made where there is none. */
#define TAPE(r, call)                      \
	do {                               \
		if (!(call)) {             \
			tape_put_frame(r); \
			if (!(call))       \
				abort();   \
		}                          \
	} while (0)

/* An order, or else news, as the live engine gave it. */
void tape_log(struct run *r, const struct live_order *order, const struct live_news *news);
/* Its generation has ended: what it says again must be the same. */
void tape_check(struct run *r, struct tape *t);
/* After each tick's outputs: a generation may have appeared, gone, or come to its turn. */
void tape_follow(struct run *r);

/* ---- the shield ---- */

uint64_t run_draw(struct run *r);
struct flow *kernel_flow(struct run *r, const struct address *src, uint16_t src_port, const struct address *dst,
                         uint16_t dst_port, uint8_t protocol);
struct source *kernel_source(struct run *r, const struct address *src);
/* Orders whose time has come. */
void kernel_carry_out(struct run *r);
/* Whether a packet passes. */
bool kernel_judge(struct run *r, const struct observation *o, struct flow *flow);

/* ---- what came of it ---- */

/* The parts of one object of JSON: what was before the engine's end, and what that has said. */
void tell_course(const struct run *r);
void tell_end(const struct run *r);

#endif
