/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one packet is: welcome, or of which kind of the unwelcome, and what it says of packets before it. What is known
 * of how protocols are spoken (echoes, errors, groups, fragments, QUIC) stands here.
 *
 * Conversations move on by it (measure/flow.h), nothing else does: what is to be counted, given back and noted is told,
 * and is the caller's to do.
 */
#ifndef HOLDFAST_DETECT_JUDGE_H
#define HOLDFAST_DETECT_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/flow.h"
#include "observe/observation.h"

/* Earlier packets of the conversation that were welcome after all: to be given back where they were counted. */
struct credit {
	uint32_t packets; /* that they stand for */
	uint8_t kind;     /* what they were counted as; VECTOR_NONE: as probes alone */
	int64_t slot;     /* they were counted from this slot on … */
	bool lately;      /* … or shortly before: which of them it was is not known … */
	bool refused;     /* the target itself refused them: to be given back if assess_refused() says so */
	bool toward_dst;  /* … towards this packet's dst (true) or its src (false) */
};

struct judgement {
	uint8_t kind; /* what to count it as; VECTOR_NONE: nothing to object to */
	bool fresh;   /* first of its conversation */
	bool welcome; /* asked for, or its conversation is engaged */
	bool settled; /* to be counted, and given back at once */
	bool probe;   /* may be a look of a scan */
	/* what it says of its source: ROSTER_VERIFIED: it completes a handshake; ROSTER_RESET: it resets one */
	uint8_t marks;
	bool http;       /* its conversation is engaged and speaks HTTP/1.x, or begins to */
	bool connects;   /* to be counted as VECTOR_TCP_CONNECTION too … */
	uint32_t speaks; /* > 0: … and so many to be given back there, from connected_slot on: it is put to use now */
	int64_t connected_slot;
	struct credit credit; /* packets > 0: to be given back */
};

/*
 * `likely` is vector_recognise() of the observation. Slots never go back between two calls without flow_table_clear().
 */
void judge_packet(struct flow_table *flows, const struct observation *observation, const struct keys *keys,
                  uint8_t likely, int64_t slot, struct judgement *judgement);
/*
 * A tunnelled packet once more, as the tunnel's end sees it: what to count it as, VECTOR_NONE where there is nothing to
 * object to.
 */
uint8_t judge_tunnel(struct flow_table *flows, const struct observation *observation, int64_t slot);

#endif
