/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of packets into an engine: in batches, so that what they need is fetched from memory ahead, and, where there
 * is a second core, with the engine on a thread of its own while the caller reads, decodes and hashes the next ones.
 * The engine sees the same packets in the same order either way, so its findings are the same to the bit.
 *
 * One thread fills and commits; none may touch the engine between feed_new() and feed_finish().
 */
#ifndef HOLDFAST_ENGINE_FEED_H
#define HOLDFAST_ENGINE_FEED_H

#include "engine/engine.h"

#define FEED_BATCH 256 /* packets: the first few of a batch come to what has hardly begun to be fetched */
#define FEED_BATCHES 8 /* under way at once; whoever fills waits when all are */

struct feed; /* opaque */

/*
 * `threads`: 1 keeps the engine on the caller's thread, more gives it its own (where that fails, the caller's). NULL
 * where there is no memory.
 */
struct feed *feed_new(struct engine *engine, unsigned threads);
/* How many the machine has for this process. */
unsigned feed_threads(void);
/* Where the next packet is to be written; the same until feed_commit(). */
struct observation *feed_next(struct feed *feed);
/* It has been written. */
void feed_commit(struct feed *feed);
/* Waits until the engine has seen all that was committed, and frees the feed. */
void feed_finish(struct feed *feed);

#endif
