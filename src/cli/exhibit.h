/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stream, or a capture, has to show of one incident, as segments of an evidence bundle: packets to its target,
 * the seconds' counts, what the engine decided, and who sent, where that can be known. Fed in the order of time.
 */
#ifndef HOLDFAST_CLI_EXHIBIT_H
#define HOLDFAST_CLI_EXHIBIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/prefix.h"
#include "engine/live.h"
#include "observe/capture.h"
#include "observe/observation.h"

#define EXHIBIT_PACKETS_MAX 262144 /* the first ones */
#define EXHIBIT_SECONDS_MAX 86400
#define EXHIBIT_SOURCES_MAX 65536 /* the first ones met */
#define EXHIBIT_DECISIONS_MAX 65536
#define EXHIBIT_KINDS 256
#define EXHIBIT_MARGIN_NS (10 * NS_PER_S) /* before it began, after it ended */

struct exhibit; /* opaque */

struct exhibit_wish {
	uint64_t incident;
	struct prefix scope;
	int64_t began_ns, ended_ns; /* ended_ns 0: it had not */
	bool payload;
	bool sources;        /* single addresses: they are real */
	const bool *vectors; /* EXHIBIT_KINDS: which kinds of packets the incident is of */
	const char *comment; /* of the packets' section */
};

/* What became of it. */
struct exhibit_facts {
	uint64_t packets, packets_left_out, seconds_left_out, sources_left_out, decisions_left_out;
	uint64_t sources;
};

/* 0, -ENOMEM, -EIO (no room for files that are being filled). */
int exhibit_new(const struct exhibit_wish *wish, struct exhibit **exhibit);
void exhibit_free(struct exhibit *exhibit);

/* An observation of a stream: counted, and `packets` says whether it is a packet as well, with its header made up. */
void exhibit_observe(struct exhibit *exhibit, const struct observation *observation, bool packets);
/*
 * A packet of a capture, which was decoded to that: it is a packet, cut behind its headers unless payload is wished
 * for.
 */
void exhibit_capture(struct exhibit *exhibit, const struct capture_record *record,
                     const struct observation *observation);
void exhibit_order(struct exhibit *exhibit, const struct live_order *order);
void exhibit_news(struct exhibit *exhibit, const struct live_news *news);

/* All was fed. 0, or what went wrong on the way. */
int exhibit_end(struct exhibit *exhibit);
const struct exhibit_facts *exhibit_facts(const struct exhibit *exhibit);
/* Files as they were filled, the exhibit's own. Decisions and sources may be written on. */
FILE *exhibit_packets(const struct exhibit *exhibit);
FILE *exhibit_counters(const struct exhibit *exhibit);
FILE *exhibit_decisions(const struct exhibit *exhibit);
FILE *exhibit_sources(const struct exhibit *exhibit);

#endif
