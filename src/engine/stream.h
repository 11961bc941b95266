/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream: all that a live engine was told during one generation, as octets, from which the same comes out again:
 * orders, news and findings, to the byte.
 *
 *     stream = mark version length birth sum { frame }
 *     frame  = length sum time { record }
 *
 * `mark` is eight octets, `version` and lengths four, the highest first; sums are four octets of what they follow or
 * precede (against a disk's mistakes, not against malice), `birth` is what live_birth() wrote. A frame holds the inputs
 * of a short time; its time is eight octets, to which its records' times are relative; no frame needs another, so that
 * one frame can be put into two streams: while a generation warms up beside another, both have seen what it holds. What
 * cannot be read ends a stream: all before counts.
 */
#ifndef HOLDFAST_ENGINE_STREAM_H
#define HOLDFAST_ENGINE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/live.h"

#define STREAM_MARK "HFSTREAM" /* eight octets, without the NUL */
#define STREAM_FRAME_MAX 1048576
#define STREAM_FRAME_MIN 1024 /* room that a frame needs to hold anything */

/* Whether a file that begins so is a stream. */
bool stream_is_one(const uint8_t *octets, size_t length);

/*
 * The beginning of the stream of the youngest generation: see live_birth() for when. The caller frees it. 0, -ENOMEM,
 * -EFBIG where it would be larger than STREAM_BIRTH_MAX.
 */
#define STREAM_BIRTH_MAX 67108864
int stream_begin(const struct live *live, uint8_t **octets, size_t *length);

/* A frame that is being filled, in the caller's memory. Inputs in the order in which live.h's functions are called. */
struct stream_frame {
	uint8_t *octets;
	size_t room, length; /* length 0: nothing is in it yet */
	struct capture_time time, before;
};
/* `room` is at least STREAM_FRAME_MIN, and no more than STREAM_FRAME_MAX of it is used. */
void stream_frame_init(struct stream_frame *frame, uint8_t *octets, size_t room);
/* Each: false, and nothing is written, where there is no room: end the frame, put it away, begin another. */
bool stream_observe(struct stream_frame *frame, const struct observation *observation);
bool stream_tick(struct stream_frame *frame, struct capture_time now);
bool stream_loaded(struct stream_frame *frame, const struct engine_load *load);
bool stream_ruled(struct stream_frame *frame, uint64_t handle, uint32_t number, int result);
bool stream_rule_gone(struct stream_frame *frame, uint64_t handle);
bool stream_rule_counted(struct stream_frame *frame, uint64_t handle, const struct life_count *count);
/* Octets that are to be appended to the stream, 0 where the frame is empty. It can be filled anew. */
size_t stream_frame_end(struct stream_frame *frame);

/*
 * Reading. The functions may be NULL. `news` is called while what it speaks of can be asked of `live`: after
 * LIVE_FINISHED, live_finished().
 */
struct stream_listener {
	void (*order)(void *context, const struct live *live, const struct live_order *order);
	void (*news)(void *context, struct live *live, const struct live_news *news);
	void (*observed)(void *context, const struct observation *observation); /* before the engine sees it */
	void *context;
};

struct stream_facts {
	uint64_t frames, observations;
	uint64_t packets, octets;        /* that the observations stand for */
	struct capture_time first, last; /* of these, where observations > 0 */
	bool begun;                      /* the beginning could be read */
	bool finished;     /* its generation had come to its end by itself; what is behind that is not read */
	const char *error; /* why reading ended early; NULL where it did not */
};

struct stream_replay; /* opaque */
int stream_replay_new(const struct stream_listener *listener, struct stream_replay **replay);
/* The next octets of the stream, however it is cut. 0, -ENOMEM; what cannot be read is in the facts. */
int stream_replay_feed(struct stream_replay *replay, const uint8_t *octets, size_t length);
/* No more will come: the generation ends, if it has not. 0 or -ENOMEM. */
int stream_replay_end(struct stream_replay *replay);
const struct stream_facts *stream_replay_facts(const struct stream_replay *replay);
/* After stream_replay_end(); NULL where the stream could not begin. */
const struct engine *stream_replay_engine(const struct stream_replay *replay);
void stream_replay_free(struct stream_replay *replay);

#endif
