/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input's first octet says what the rest is:
 *
 *   0  a stream as it is
 *   1  records of a frame, behind the beginning of a stream of an engine that has seen nothing
 *   2  a birth: what can be read is written again to the same octets
 *   3  observations in a row: what can be read is written and read again to the same
 *   4  inputs, which are put to a live engine and into a frame: the replay orders and tells the same
 *
 * Whatever it is, a stream that is fed octet by octet or in one piece says the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "engine/stream.h"
#include "observe/pack.h"

#define SEED 7
#define BEGIN_NS (1000 * NS_PER_S)
#define INPUTS_MAX 512
#define INPUT_MAX 65536
#define REPEATED_MAX 200 /* packets that one input makes */

/* All that comes out, as a number. */
struct said {
	uint64_t hash;
	unsigned orders, news;
};

static void say_order(void *context, const struct live *live, const struct live_order *order)
{
	struct said *said = context;
	char text[MATCH_TEXT_SIZE];

	(void)live;
	said->orders++;
	said->hash = hash_2(said->hash, order->handle, (uint64_t)order->for_ns ^ order->type);
	if (order->type != LIVE_ADD_RULE)
		return;
	REQUIRE(order->for_ns > 0 && order->rule.match.count > 0);
	REQUIRE(order->rule.action == RULE_DROP || order->rule.action == RULE_RATE_LIMIT);
	for (const char *c = match_format(&order->rule.match, text); *c; c++)
		said->hash = hash_2(said->hash, (uint8_t)*c, order->arm_pps);
}

static void say_news(void *context, struct live *live, const struct live_news *news)
{
	struct said *said = context;
	struct finding finding;

	said->news++;
	said->hash = hash_2(said->hash, news->incident, news->type);
	if (news->type == LIVE_FINISHED) {
		REQUIRE(live_finished(live));
		said->hash = hash_2(said->hash, engine_count(live_finished(live)),
		                    engine_totals(live_finished(live))->packets);
	} else if (live_find(live, news->incident, &finding) == 0) {
		said->hash = hash_2(said->hash, finding.signatures.count, finding.sources);
		finding_fini(&finding);
	}
}

static struct said replay(const uint8_t *octets, size_t length, size_t step, struct stream_facts *facts)
{
	struct said said = { 0 };
	struct stream_listener listener = { .order = say_order, .news = say_news, .context = &said };
	struct stream_replay *r;

	REQUIRE(stream_replay_new(&listener, &r) == 0);
	for (size_t at = 0; at < length; at += step)
		REQUIRE(stream_replay_feed(r, octets + at, step < length - at ? step : length - at) == 0);
	REQUIRE(stream_replay_end(r) == 0);
	*facts = *stream_replay_facts(r);
	REQUIRE(facts->begun == (stream_replay_engine(r) != NULL));
	REQUIRE(facts->observations == 0 || time_since(facts->last, facts->first) >= 0);
	stream_replay_free(r);
	return said;
}

static void replay_twice(const uint8_t *octets, size_t length)
{
	struct stream_facts whole, cut;
	struct said a = replay(octets, length, length ? length : 1, &whole),
		    b = replay(octets, length, 1 + length / 97, &cut);

	REQUIRE(a.hash == b.hash && a.orders == b.orders && a.news == b.news);
	REQUIRE(whole.frames == cut.frames && whole.observations == cut.observations && whole.error == cut.error);
}

/* The beginning of a stream, with room for more behind it. */
static uint8_t *begin(struct live **live, size_t *length, size_t room)
{
	uint8_t *octets, *grown;

	REQUIRE(live_new(SEED, NULL, 0, NULL, 0, live) == 0);
	REQUIRE(stream_begin(*live, &octets, length) == 0);
	grown = realloc(octets, *length + room);
	REQUIRE(grown);
	return grown;
}

static void try_records(const uint8_t *data, size_t size)
{
	struct stream_frame frame;
	struct live *live;
	size_t length;
	uint8_t *octets = begin(&live, &length, INPUT_MAX + STREAM_FRAME_MIN);

	live_free(live);
	stream_frame_init(&frame, octets + length, INPUT_MAX + STREAM_FRAME_MIN);
	REQUIRE(stream_tick(&frame, (struct capture_time){ BEGIN_NS }));
	memcpy(frame.octets + frame.length, data, size);
	frame.length += size;
	length += stream_frame_end(&frame);
	replay_twice(octets, length);
	free(octets);
}

static void try_birth(const uint8_t *data, size_t size)
{
	uint8_t *first, *second;
	size_t first_length, second_length;
	struct live *live;

	if (live_revive(data, size, &live) < 0)
		return;
	REQUIRE(live_birth(live, &first, &first_length) == 0);
	live_free(live);
	REQUIRE(live_revive(first, first_length, &live) == 0);
	REQUIRE(live_birth(live, &second, &second_length) == 0);
	live_free(live);
	REQUIRE(first_length == second_length && memcmp(first, second, first_length) == 0);
	free(first);
	free(second);
}

static void try_observations(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	struct capture_time to = { BEGIN_NS };

	while (cursor_left(&c)) {
		struct observation o, again;
		uint8_t octets[PACK_MAX];
		struct cursor back;

		pack_read(&c, to, &o);
		if (c.failed)
			return;
		back = cursor_over(octets, pack_write(octets, &o, to));
		pack_read(&back, to, &again);
		REQUIRE(!back.failed && cursor_left(&back) == 0);
		REQUIRE(memcmp(&o, &again, sizeof(o)) == 0);
		to = o.time;
	}
}

/* A packet of a few kinds, from a few octets. */
static struct observation packet(struct cursor *c, int64_t now)
{
	uint8_t kind = cursor_u8(c), low = cursor_u8(c);
	struct observation o;

	memset(&o, 0, sizeof(o));
	o.time.ns = now;
	o.src = address_from_ipv4((const uint8_t[4]){ 10, 0, kind & 7, low });
	o.dst = address_from_ipv4((const uint8_t[4]){ 192, 0, 2, (uint8_t)(kind >> 6) });
	o.weight = 1u + (kind >> 3 & 1) * 7;
	o.flags = OBSERVATION_PORTS;
	o.protocol = 17;
	o.ttl = 60;
	o.src_port = kind & 16 ? 123 : low;
	o.dst_port = 80;
	o.length = 468;
	o.payload_length = 440;
	o.payload_kept = 8;
	memcpy(o.payload, "\xd7\x00\x03\x2a\x00\x06\x00\x48", 8);
	if (kind & 32) {
		o.protocol = 6;
		o.flags |= OBSERVATION_TCP;
		o.tcp.flags = TCP_SYN;
		o.tcp.wscale = 255;
		o.tcp.seq = low;
		o.length = 40;
		o.payload_length = o.payload_kept = 0;
		memset(o.payload, 0, sizeof(o.payload));
	}
	return o;
}

static void listen(struct live *live, struct said *said)
{
	struct live_order order;
	struct live_news news;

	while (live_next_order(live, &order))
		say_order(said, live, &order);
	while (live_next_news(live, &news))
		say_news(said, live, &news);
}

static void put_input(struct live *live, struct stream_frame *frame, struct cursor *c, int64_t *now)
{
	uint8_t type = cursor_u8(c), more = cursor_u8(c);
	struct life_count count = { .matched = more * 100u, .active = more & 1 };

	switch (type % 6) {
	case 0:
	case 1: {
		struct observation o = packet(c, *now);

		for (unsigned i = 0; i <= more && i < REPEATED_MAX; i++) {
			o.src.octets[15] ^= (uint8_t)i;
			o.time.ns += 1000;
			REQUIRE(stream_observe(frame, &o));
			live_observe(live, &o, 1);
		}
		*now = o.time.ns;
		break;
	}
	case 2:
		*now += more & 128 ? (more & 127) * 10 * NS_PER_S : LIVE_TICK_NS;
		REQUIRE(stream_tick(frame, (struct capture_time){ *now }));
		live_tick(live, (struct capture_time){ *now });
		break;
	case 3:
		REQUIRE(stream_ruled(frame, more & 7, more, more & 8 ? -1 : 0));
		live_ruled(live, more & 7, more, more & 8 ? -1 : 0);
		break;
	case 4:
		REQUIRE(stream_rule_gone(frame, more & 7));
		live_rule_gone(live, more & 7);
		break;
	default:
		count.completed = count.probes = more & 2 ? 30 : 0;
		count.answered = more & 4 ? 30 : 0;
		REQUIRE(stream_rule_counted(frame, type >> 5, &count));
		live_rule_counted(live, type >> 5, &count);
		break;
	}
}

static void try_inputs(const uint8_t *data, size_t size)
{
	struct said live_said = { 0 }, replay_said;
	struct cursor c = cursor_over(data, size);
	struct stream_frame frame;
	struct stream_facts facts;
	int64_t now = BEGIN_NS;
	struct live *live;
	size_t length, room = STREAM_FRAME_MAX;
	uint8_t *octets = begin(&live, &length, room);

	stream_frame_init(&frame, octets + length, room);
	for (unsigned i = 0; i < INPUTS_MAX && cursor_left(&c) && frame.length + REPEATED_MAX * PACK_MAX < room; i++) {
		put_input(live, &frame, &c, &now);
		listen(live, &live_said);
		/* Another generation's is another stream. */
		if (live_generation(live) != 1)
			break;
	}
	if (live_generation(live) == 1)
		REQUIRE(live_end(live) == 0);
	listen(live, &live_said);
	live_free(live);
	length += stream_frame_end(&frame);
	replay_said = replay(octets, length, length, &facts);
	REQUIRE(!facts.error);
	REQUIRE(replay_said.hash == live_said.hash && replay_said.orders == live_said.orders &&
	        replay_said.news == live_said.news);
	free(octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > INPUT_MAX)
		return 0;
	switch (data[0]) {
	case 0:
		replay_twice(data + 1, size - 1);
		break;
	case 1:
		try_records(data + 1, size - 1);
		break;
	case 2:
		try_birth(data + 1, size - 1);
		break;
	case 3:
		try_observations(data + 1, size - 1);
		break;
	case 4:
		try_inputs(data + 1, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
