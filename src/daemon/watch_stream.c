/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What live is told is written down as it is told (engine/stream.h): a frame is filled, and goes to the recorder when a
 * second has passed, when it is full, or when a generation begins or ends. The generation that decides has a stream,
 * and the one that warms up beside it another; a frame goes into both. A stream that a segment is missing of ends
 * there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/log.h"
#include "daemon/watch_inside.h"

#define PUT_AWAY_NS NS_PER_S

int watch_stream_new(struct watch *watch)
{
	struct watch_streams *streams = &watch->streams;

	streams->octets = malloc(STREAM_FRAME_MAX);
	if (!streams->octets)
		return -ENOMEM;
	stream_frame_init(&streams->frame, streams->octets, STREAM_FRAME_MAX);
	return 0;
}

void watch_stream_free(struct watch *watch)
{
	free(watch->streams.octets);
}

/* ---- to the recorder ---- */

static void make_message(struct watch *watch, const struct watch_stream *stream, enum message_stream_kind kind)
{
	message_init(&watch->message, MESSAGE_STREAM, 0);
	watch->message.stream.generation = stream->name;
	watch->message.stream.kind = kind;
}

/* Nothing more is written of it. */
static void cut(struct watch *watch, struct watch_stream *stream, const char *why)
{
	if (stream->ends)
		return;
	stream->ends = true;
	watch->streams.cut++;
	LOG_SAY(LOG_WARNING, "what this generation observes is not written down any more: %s", why);
}

/* Takes the file, of so many octets. */
static void append(struct watch *watch, struct watch_stream *stream, int file, size_t length)
{
	if (stream->ends || length > MESSAGE_SEGMENT_MAX || stream->octets + length > WATCH_STREAM_OCTETS_MAX) {
		(void)close(file);
		cut(watch, stream, "it is too much");
		return;
	}
	make_message(watch, stream, MESSAGE_STREAM_SEGMENT);
	watch->message.stream.sequence = stream->sequence;
	watch->message.stream.length = (uint32_t)length;
	if (outbox_put(watch->setup.outbox, &watch->message, file, length) != 0) {
		cut(watch, stream, "the recorder is behind");
		return;
	}
	stream->sequence++;
	stream->octets += length;
}

static void put(struct watch *watch, const uint8_t *octets, size_t length, struct watch_stream *const *into,
                unsigned count)
{
	int file = outbox_file(octets, length);

	for (unsigned i = 0; i < count; i++) {
		int own = i + 1 == count || file < 0 ? file : fcntl(file, F_DUPFD_CLOEXEC, 0);

		if (own >= 0)
			append(watch, into[i], own, length);
		else
			cut(watch, into[i], strerror(file < 0 ? -file : errno));
	}
}

/* What is in the frame goes into the streams that there are. */
static void put_away(struct watch *watch)
{
	struct watch_streams *streams = &watch->streams;
	struct watch_stream *into[2];
	size_t length = stream_frame_end(&streams->frame);
	unsigned count = 0;

	streams->put_away_ns = watch->now_ns + PUT_AWAY_NS;
	if (streams->deciding.open)
		into[count++] = &streams->deciding;
	if (streams->warming.open)
		into[count++] = &streams->warming;
	if (length > 0 && count > 0)
		put(watch, streams->octets, length, into, count);
}

static void begin_stream(struct watch *watch, struct watch_stream *stream, uint32_t number)
{
	uint8_t *octets = NULL;
	size_t length = 0;
	int result = stream_begin(watch->live, &octets, &length);

	*stream = (struct watch_stream){ .open = true,
		                         .number = number,
		                         .name = (uint64_t)(watch->now_ns + watch->shift_ns) };
	if (result == 0)
		put(watch, octets, length, &stream, 1);
	else
		cut(watch, stream, strerror(-result));
	free(octets);
}

/* What has no name goes. */
static void end_stream(struct watch *watch, struct watch_stream *stream)
{
	if (!stream->open)
		return;
	make_message(watch, stream, MESSAGE_STREAM_DROP);
	(void)outbox_put(watch->setup.outbox, &watch->message, -1, 0);
	stream->open = false;
}

void watch_stream_finishes(struct watch *watch, struct watch_stream *ended)
{
	put_away(watch);
	*ended = watch->streams.deciding;
	watch->streams.deciding.open = false;
}

void watch_stream_keep(struct watch *watch, const struct watch_stream *ended, uint64_t incident)
{
	if (!ended->open)
		return;
	make_message(watch, ended, MESSAGE_STREAM_KEEP);
	watch->message.stream.incident = incident;
	(void)outbox_put(watch->setup.outbox, &watch->message, -1, 0);
}

void watch_stream_finish(struct watch *watch, struct watch_stream *ended)
{
	end_stream(watch, ended);
}

void watch_stream_follow(struct watch *watch)
{
	struct watch_streams *streams = &watch->streams;
	uint32_t deciding = live_engine(watch->live) ? live_generation(watch->live) : 0;
	uint32_t warming = live_warming(watch->live);

	if (streams->deciding.open && streams->deciding.number != deciding)
		end_stream(watch, &streams->deciding);
	/* Its turn has come. */
	if (!streams->deciding.open && streams->warming.open && streams->warming.number == deciding) {
		streams->deciding = streams->warming;
		streams->warming.open = false;
	}
	if (streams->warming.open && streams->warming.number != warming)
		end_stream(watch, &streams->warming);
	if (warming && !streams->warming.open) {
		put_away(watch);
		begin_stream(watch, &streams->warming, warming);
	}
	/* The first of all. */
	if (deciding && !streams->deciding.open && !streams->begun) {
		streams->begun = true;
		begin_stream(watch, &streams->deciding, deciding);
	}
	if (watch->now_ns >= streams->put_away_ns)
		put_away(watch);
}

void watch_stream_restart(struct watch *watch)
{
	struct watch_streams *streams = &watch->streams;

	put_away(watch);
	end_stream(watch, &streams->deciding);
	end_stream(watch, &streams->warming);
	streams->begun = false;
}

/* ---- what is told ---- */

/* Where there is no room the frame is put away, and then there is. */
#define TELL(watch, call)                \
	do {                             \
		if (!(call)) {           \
			put_away(watch); \
			(void)(call);    \
		}                        \
	} while (0)

void watch_stream_observe(struct watch *watch)
{
	for (uint32_t i = 0; i < watch->count; i++)
		TELL(watch, stream_observe(&watch->streams.frame, &watch->batch[i]));
}

void watch_stream_tick(struct watch *watch, struct capture_time now)
{
	TELL(watch, stream_tick(&watch->streams.frame, now));
}

void watch_stream_loaded(struct watch *watch, const struct engine_load *load)
{
	TELL(watch, stream_loaded(&watch->streams.frame, load));
}

void watch_stream_ruled(struct watch *watch, uint64_t handle, uint32_t number, int result)
{
	TELL(watch, stream_ruled(&watch->streams.frame, handle, number, result));
}

void watch_stream_rule_gone(struct watch *watch, uint64_t handle)
{
	TELL(watch, stream_rule_gone(&watch->streams.frame, handle));
}

void watch_stream_rule_counted(struct watch *watch, uint64_t handle, const struct life_count *count)
{
	TELL(watch, stream_rule_counted(&watch->streams.frame, handle, count));
}
