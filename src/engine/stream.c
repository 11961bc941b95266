/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/octets.h"
#include "base/varint.h"
#include "observe/pack.h"

#define VERSION 2
#define MARK_SIZE 8
#define HEAD (MARK_SIZE + 4 + 4) /* octets before the birth */
#define SUM 4
#define FRAME_HEAD (4 + SUM + 8) /* octets before the records */
#define RECORD_MAX (1 + PACK_MAX)
#define COUNTED_VALUES 10

enum record { RECORD_OBSERVE = 1, RECORD_TICK, RECORD_RULED, RECORD_GONE, RECORD_COUNTED, RECORD_LOADED };

_Static_assert(1 + COUNTED_VALUES * VARINT_MAX <= RECORD_MAX, "what a rule has counted is no longer than a packet");
_Static_assert(STREAM_FRAME_MIN >= FRAME_HEAD + RECORD_MAX, "an empty frame has room for any record");

/* ------------------------------------------------------------------ octets */

/* FNV-1a (Fowler, Noll, Vo) over words of eight octets, and folded. */
static uint32_t sum_of(const uint8_t *octets, size_t length)
{
	uint64_t sum = 0xcbf29ce484222325u ^ length;
	size_t i = 0;

	for (; i + 8 <= length; i += 8) {
		sum = (sum ^ octets_get_be(octets + i, 8)) * 0x100000001b3u;
		sum ^= sum >> 29;
	}
	for (; i < length; i++)
		sum = (sum ^ octets[i]) * 0x100000001b3u;
	return (uint32_t)(sum ^ sum >> 32);
}

bool stream_is_one(const uint8_t *octets, size_t length)
{
	return length >= MARK_SIZE && memcmp(octets, STREAM_MARK, MARK_SIZE) == 0;
}

int stream_begin(const struct live *live, uint8_t **octets, size_t *length)
{
	size_t born_length;
	uint8_t *born, *made;
	int rc = live_birth(live, &born, &born_length);

	if (rc < 0)
		return rc;
	made = born_length <= STREAM_BIRTH_MAX ? malloc(HEAD + born_length + SUM) : NULL;
	if (!made) {
		free(born);
		return born_length <= STREAM_BIRTH_MAX ? -ENOMEM : -EFBIG;
	}
	memcpy(made, STREAM_MARK, MARK_SIZE);
	octets_put_u32_be(made + MARK_SIZE, VERSION);
	octets_put_u32_be(made + MARK_SIZE + 4, (uint32_t)born_length);
	memcpy(made + HEAD, born, born_length);
	octets_put_u32_be(made + HEAD + born_length, sum_of(born, born_length));
	free(born);
	*octets = made;
	*length = HEAD + born_length + SUM;
	return 0;
}

/* ------------------------------------------------------------------ writing frames */

void stream_frame_init(struct stream_frame *f, uint8_t *octets, size_t room)
{
	*f = (struct stream_frame){ .room = room < STREAM_FRAME_MAX ? room : STREAM_FRAME_MAX };
	f->octets = octets;
}

/* Where a record of at most RECORD_MAX octets goes, or NULL. */
static uint8_t *begin_record(struct stream_frame *f, enum record type, struct capture_time time)
{
	if (f->room - (f->length ? f->length : FRAME_HEAD) < RECORD_MAX)
		return NULL;
	if (f->length == 0) {
		f->length = FRAME_HEAD;
		f->time = f->before = time;
	}
	f->octets[f->length] = (uint8_t)type;
	return f->octets + f->length + 1;
}

static void end_record(struct stream_frame *f, const uint8_t *end)
{
	f->length = (size_t)(end - f->octets);
}

bool stream_observe(struct stream_frame *f, const struct observation *o)
{
	uint8_t *at = begin_record(f, RECORD_OBSERVE, o->time);

	if (!at)
		return false;
	end_record(f, at + pack_write(at, o, f->before));
	f->before = o->time;
	return true;
}

bool stream_tick(struct stream_frame *f, struct capture_time now)
{
	uint8_t *at = begin_record(f, RECORD_TICK, now);

	if (!at)
		return false;
	/* Modulo 2^64, as in observe/pack.c. */
	at += varint_write(at, varint_fold((int64_t)((uint64_t)now.ns - (uint64_t)f->before.ns)));
	end_record(f, at);
	f->before = now;
	return true;
}

bool stream_loaded(struct stream_frame *f, const struct engine_load *load)
{
	uint8_t *at = begin_record(f, RECORD_LOADED, f->before);

	if (!at)
		return false;
	at += varint_write(at, load->percent);
	end_record(f, at + varint_write(at, load->pps));
	return true;
}

bool stream_ruled(struct stream_frame *f, uint64_t handle, uint32_t number, int result)
{
	uint8_t *at = begin_record(f, RECORD_RULED, f->before);

	if (!at)
		return false;
	at += varint_write(at, handle);
	at += varint_write(at, number);
	at += varint_write(at, varint_fold(result));
	end_record(f, at);
	return true;
}

bool stream_rule_gone(struct stream_frame *f, uint64_t handle)
{
	uint8_t *at = begin_record(f, RECORD_GONE, f->before);

	if (!at)
		return false;
	end_record(f, at + varint_write(at, handle));
	return true;
}

bool stream_rule_counted(struct stream_frame *f, uint64_t handle, const struct life_count *count)
{
	const uint64_t values[COUNTED_VALUES] = { handle,           count->matched,  count->dropped,
		                                  count->spared,    count->answered, count->probes,
		                                  count->completed, count->known,    count->known_lost,
		                                  count->active };
	uint8_t *at = begin_record(f, RECORD_COUNTED, f->before);

	if (!at)
		return false;
	for (unsigned i = 0; i < COUNTED_VALUES; i++)
		at += varint_write(at, values[i]);
	end_record(f, at);
	return true;
}

size_t stream_frame_end(struct stream_frame *f)
{
	size_t length = f->length;

	if (length == 0)
		return 0;
	octets_put_u64_be(f->octets + 4 + SUM, (uint64_t)f->time.ns);
	octets_put_u32_be(f->octets, (uint32_t)(length - 4 - SUM));
	octets_put_u32_be(f->octets + 4, sum_of(f->octets + 4 + SUM, length - 4 - SUM));
	f->length = 0;
	return length;
}

/* ------------------------------------------------------------------ replaying */

struct stream_replay {
	struct stream_listener listener;
	struct stream_facts facts;
	struct live *live;
	bool ended;
	uint8_t *held; /* octets of what is not whole yet */
	size_t held_length, held_room;
	struct observation batch[LIVE_BATCH];
	uint32_t batched;
};

int stream_replay_new(const struct stream_listener *listener, struct stream_replay **replay)
{
	struct stream_replay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	if (listener)
		r->listener = *listener;
	*replay = r;
	return 0;
}

void stream_replay_free(struct stream_replay *r)
{
	if (!r)
		return;
	live_free(r->live);
	free(r->held);
	free(r);
}

const struct stream_facts *stream_replay_facts(const struct stream_replay *r)
{
	return &r->facts;
}

const struct engine *stream_replay_engine(const struct stream_replay *r)
{
	return r->live ? live_finished(r->live) : NULL;
}

static void take_outputs(struct stream_replay *r)
{
	struct live_order order;
	struct live_news news;

	while (live_next_order(r->live, &order))
		if (r->listener.order)
			r->listener.order(r->listener.context, r->live, &order);
	while (live_next_news(r->live, &news)) {
		if (r->listener.news)
			r->listener.news(r->listener.context, r->live, &news);
		if (news.type == LIVE_FINISHED)
			r->facts.finished = r->ended = true;
	}
}

static void flush(struct stream_replay *r)
{
	if (r->batched == 0)
		return;
	live_observe(r->live, r->batch, r->batched);
	r->batched = 0;
	take_outputs(r);
}

static void note_observation(struct stream_facts *facts, const struct observation *o)
{
	if (!facts->observations || time_since(o->time, facts->first) < 0)
		facts->first = o->time;
	if (!facts->observations || time_since(o->time, facts->last) > 0)
		facts->last = o->time;
	facts->observations++;
	facts->packets += o->weight;
	facts->octets += (uint64_t)o->weight * (o->flags & OBSERVATION_TUNNELLED ? o->outer.length : o->length);
}

static void replay_observation(struct stream_replay *r, struct cursor *c, struct capture_time *before)
{
	struct observation *o = &r->batch[r->batched];

	pack_read(c, *before, o);
	if (c->failed)
		return;
	*before = o->time;
	note_observation(&r->facts, o);
	if (r->listener.observed)
		r->listener.observed(r->listener.context, o);
	if (++r->batched == LIVE_BATCH)
		flush(r);
}

static void replay_counted(struct stream_replay *r, struct cursor *c)
{
	uint64_t handle = cursor_varint(c), active;
	struct life_count count = { .matched = cursor_varint(c) };

	count.dropped = cursor_varint(c);
	count.spared = cursor_varint(c);
	count.answered = cursor_varint(c);
	count.probes = cursor_varint(c);
	count.completed = cursor_varint(c);
	count.known = cursor_varint(c);
	count.known_lost = cursor_varint(c);
	active = cursor_varint(c);
	count.active = active;
	if (active > 1)
		c->failed = true;
	if (!c->failed)
		live_rule_counted(r->live, handle, &count);
}

static void replay_loaded(struct stream_replay *r, struct cursor *c)
{
	uint64_t percent = cursor_varint(c);
	struct engine_load load = { .percent = (uint32_t)percent, .pps = cursor_varint(c) };

	if (percent > 100)
		c->failed = true;
	if (!c->failed)
		live_loaded(r->live, &load);
}

static void replay_record(struct stream_replay *r, struct cursor *c, struct capture_time *before)
{
	uint8_t type = cursor_u8(c);
	uint64_t handle, number;
	int64_t result;

	if (type == RECORD_OBSERVE) {
		replay_observation(r, c, before);
		return;
	}
	flush(r);
	if (r->ended)
		return;
	switch (type) {
	case RECORD_TICK:
		before->ns = (int64_t)((uint64_t)before->ns + (uint64_t)varint_unfold(cursor_varint(c)));
		if (!c->failed)
			live_tick(r->live, *before);
		break;
	case RECORD_RULED:
		handle = cursor_varint(c);
		number = cursor_varint(c);
		result = varint_unfold(cursor_varint(c));
		if (number > UINT32_MAX || result > 0 || result < -4095)
			c->failed = true;
		if (!c->failed)
			live_ruled(r->live, handle, (uint32_t)number, (int)result);
		break;
	case RECORD_GONE:
		handle = cursor_varint(c);
		if (!c->failed)
			live_rule_gone(r->live, handle);
		break;
	case RECORD_COUNTED:
		replay_counted(r, c);
		break;
	case RECORD_LOADED:
		replay_loaded(r, c);
		break;
	default:
		c->failed = true;
		break;
	}
	if (!c->failed)
		take_outputs(r);
}

static void break_off(struct stream_replay *r, const char *error)
{
	r->facts.error = error;
	r->ended = true;
}

static void replay_frame(struct stream_replay *r, const uint8_t *octets, size_t length)
{
	struct cursor c = cursor_over(octets + 8, length - 8);
	struct capture_time before = { (int64_t)octets_get_be(octets, 8) };

	r->facts.frames++;
	while (cursor_left(&c) && !c.failed && !r->ended)
		replay_record(r, &c, &before);
	if (!r->ended)
		flush(r);
	if (c.failed && !r->ended)
		break_off(r, "a frame holds what is no record");
}

/* The beginning or a frame at `octets`, if it is whole: how long it is, else 0. */
static int take_beginning(struct stream_replay *r, const uint8_t *octets, size_t length, size_t *taken)
{
	size_t born;
	int rc;

	*taken = 0;
	if (!stream_is_one(octets, length < MARK_SIZE ? length : MARK_SIZE) && length >= MARK_SIZE) {
		break_off(r, "this is no stream");
		return 0;
	}
	if (length < HEAD)
		return 0;
	born = octets_get_be(octets + MARK_SIZE + 4, 4);
	if (octets_get_be(octets + MARK_SIZE, 4) != VERSION || born > STREAM_BIRTH_MAX) {
		break_off(r, "the stream is of another version");
		return 0;
	}
	if (length < HEAD + born + SUM)
		return 0;
	if (octets_get_be(octets + HEAD + born, 4) != sum_of(octets + HEAD, born)) {
		break_off(r, "the stream's beginning is damaged");
		return 0;
	}
	rc = live_revive(octets + HEAD, born, &r->live);
	if (rc == -EBADMSG) {
		break_off(r, "the stream's beginning cannot be read");
		return 0;
	}
	if (rc == -EPROTONOSUPPORT) {
		break_off(r, "what was known when the stream began is of another version");
		return 0;
	}
	if (rc < 0)
		return rc;
	r->facts.begun = true;
	*taken = HEAD + born + SUM;
	return 0;
}

static size_t take_frame(struct stream_replay *r, const uint8_t *octets, size_t length)
{
	size_t inside;

	if (length < 4 + SUM)
		return 0;
	inside = octets_get_be(octets, 4);
	if (inside < 8 || inside > STREAM_FRAME_MAX) {
		break_off(r, "a frame's length is impossible");
		return 0;
	}
	if (length < 4 + SUM + inside)
		return 0;
	if (octets_get_be(octets + 4, 4) != sum_of(octets + 4 + SUM, inside)) {
		break_off(r, "a frame is damaged");
		return 0;
	}
	replay_frame(r, octets + 4 + SUM, inside);
	return 4 + SUM + inside;
}

static int hold(struct stream_replay *r, const uint8_t *octets, size_t length)
{
	size_t wanted = r->held_length + length;
	uint8_t *grown;

	if (length == 0)
		return 0;
	if (wanted > r->held_room) {
		grown = realloc(r->held, wanted * 2);
		if (!grown)
			return -ENOMEM;
		r->held = grown;
		r->held_room = wanted * 2;
	}
	memcpy(r->held + r->held_length, octets, length);
	r->held_length = wanted;
	return 0;
}

int stream_replay_feed(struct stream_replay *r, const uint8_t *octets, size_t length)
{
	size_t at = 0, taken;
	int rc;

	if (r->ended)
		return 0;
	rc = hold(r, octets, length);
	if (rc < 0)
		return rc;
	do {
		taken = 0;
		if (!r->live)
			rc = take_beginning(r, r->held + at, r->held_length - at, &taken);
		else
			taken = take_frame(r, r->held + at, r->held_length - at);
		if (rc < 0)
			return rc;
		at += taken;
	} while (taken && !r->ended);
	if (at) {
		memmove(r->held, r->held + at, r->held_length - at);
		r->held_length -= at;
	}
	return 0;
}

int stream_replay_end(struct stream_replay *r)
{
	int rc = 0;

	if (!r->live) {
		if (!r->facts.error)
			r->facts.error = "the stream ends before it has begun";
		return 0;
	}
	if (!r->ended && r->held_length)
		r->facts.error = "the stream ends within a frame";
	if (!r->facts.finished) {
		rc = live_end(r->live);
		take_outputs(r);
		r->facts.finished = false; /* what has just been told is our doing, not the stream's */
	}
	return rc;
}
