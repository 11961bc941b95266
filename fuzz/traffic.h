/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is traffic, in records of RECORD_SIZE octets; a record is a burst of packets of one kind:
 *
 *     0 what     enum what
 *     1 from     three bits enum where, five bits which of them
 *     2 to       the same
 *     3 before   high nibble + 1 times steps[low nibble] before the burst
 *     4 burst    high nibble: steps[] between its packets, low nibble: bursts[]
 *     5 ports    high nibble: source, low nibble: destination, both in ports[]
 *     6 detail   TCP flags, ICMP type, protocol number; of requests over HTTP, REQUEST_*
 *     7 traits   TRAIT_*
 *     8 payload  high nibble: lengths[], low nibble: what it begins with
 *     9 weight   high nibble: weights[], low nibble: TTL
 *    10 seed     of all that is drawn by chance
 *
 * Streams are kept short, for speed: by a hash of the whole input one in MIDDLE_EVERY may be longer and one in
 * LONG_EVERY long, so that what is found by changing a long one is short again. Where an input of the corpus needs
 * length, octets behind its last record make its hash so. Each observation is one that decode_frame() could have made.
 */
#ifndef HOLDFAST_FUZZ_TRAFFIC_H
#define HOLDFAST_FUZZ_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

#define TRAFFIC_LONG_EVERY 256u
#define TRAFFIC_LINES 128u /* the burst's later packets share the first lines */

/* A connection that carries requests. */
struct line {
	struct address client, server;
	uint16_t client_port, server_port;
	uint32_t next[2]; /* sequence numbers: the client's, the server's */
	bool open;
};

/* What was given, counted by the harness itself. */
struct stream {
	struct engine *engine;
	uint64_t chance;
	struct capture_time now;
	uint64_t room, count, packets, bytes;
	struct capture_time first, last;
	struct line lines[TRAFFIC_LINES];
};

/* Gives `stream->engine` what the input says, and counts it. The rest of the stream begins as 0. */
void traffic_play(struct stream *stream, const uint8_t *data, size_t size);
/* A hash of the input, mixed: what is a share of all inputs is one of those that differ little as well. */
uint64_t traffic_lot(const uint8_t *data, size_t size);

#endif
