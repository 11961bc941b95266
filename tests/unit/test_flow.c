/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversations as scripts. A step is a packet from one of two hosts and what is to be known of it then, in letters:
 *
 *     K known  F fresh  A asked  E engaged  H handshake  D first data  P progresses  O from the opener  R reset back  C counts
 *
 * Then random scripts against a naive twin: a list without end that is searched from the front, every number in full
 * width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "made.h"
#include "measure/flow.h"

#define SEED 20250310u
#define S TCP_SYN
#define A TCP_ACK
#define R TCP_RST
#define F TCP_FIN

enum who { CLIENT, SERVER };

struct step {
	int64_t slot;
	enum who from;
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t payload;
	const char *known;
	uint32_t settled;
};

static struct flow_view update(struct flow_table *table, const struct observation *o, int64_t slot)
{
	struct flow_view view;
	struct keys keys;

	keys_make(&keys, o, SEED);
	flow_update(table, o, &keys, slot, &view);
	return view;
}

static const struct address hosts[2] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 7 } },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 } },
};
static const uint16_t ports[2] = { 50123, 443 };

static int new_table(void **state)
{
	*state = flow_table_new(SEED);
	return *state ? 0 : -1;
}

static int free_table(void **state)
{
	flow_table_free(*state);
	return 0;
}

static const char *letters(const struct flow_view *view, char text[16])
{
	char *at = text;

	if (view->known)
		*at++ = 'K';
	if (view->fresh)
		*at++ = 'F';
	if (view->asked)
		*at++ = 'A';
	if (view->engaged)
		*at++ = 'E';
	if (view->handshake)
		*at++ = 'H';
	if (view->first_data)
		*at++ = 'D';
	if (view->progresses)
		*at++ = 'P';
	if (view->from_opener)
		*at++ = 'O';
	if (view->reset_back)
		*at++ = 'R';
	if (view->counts)
		*at++ = 'C';
	*at = 0;
	return text;
}

static struct observation tcp_packet(const struct step *step)
{
	struct observation o = made_tcp(step->slot * 100000000, hosts[step->from], ports[step->from],
	                                hosts[!step->from], ports[!step->from], step->flags, step->seq, step->ack);

	o.payload_length = step->payload;
	o.length += step->payload;
	return o;
}

static struct observation udp_packet(enum who from, int64_t slot)
{
	return made_udp(slot * 100000000, hosts[from], ports[from], hosts[!from], ports[!from], 30);
}

static struct flow_view assert_known(struct flow_table *table, const struct observation *o, int64_t slot,
                                     const char *known, uint32_t settled)
{
	struct flow_view view = update(table, o, slot);
	char text[16];

	assert_string_equal(letters(&view, text), known);
	assert_int_equal(view.settled, settled);
	return view;
}

static struct flow_view play(struct flow_table *table, const struct step *steps, size_t count)
{
	struct flow_view view = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct observation o = tcp_packet(&steps[i]);

		view = assert_known(table, &o, steps[i].slot, steps[i].known, steps[i].settled);
	}
	return view;
}

#define PLAY(table, steps) play(table, steps, sizeof(steps) / sizeof((steps)[0]))

/* ---- TCP ---- */

static void handshake_seen_from_both_sides(void **state)
{
	static const struct step opening[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 11, SERVER, S | A, 7000, 1001, 0, "KA", 0 },
		{ 13, CLIENT, A, 1001, 7001, 0, "KEHO", 1 },
	};
	static const struct step talk[] = {
		{ 14, CLIENT, A, 1001, 7001, 300, "KEDO", 0 },  { 15, SERVER, A, 7001, 1301, 1400, "KAE", 0 },
		{ 15, CLIENT, A, 1301, 8401, 0, "KEO", 0 },     { 16, CLIENT, A, 1301, 8401, 10, "KEO", 0 },
		{ 17, SERVER, F | A, 8401, 1311, 0, "KAE", 0 }, { 17, CLIENT, F | A, 1311, 8402, 0, "KEO", 0 },
	};
	struct flow_view view = PLAY(*state, opening);

	assert_true(view.settled_toward_dst);
	assert_int_equal(view.settled_slot, 10);
	view = play(*state, talk, 1);
	assert_int_equal(view.settled_slot, 13); /* the handshake's */
	play(*state, talk + 1, sizeof(talk) / sizeof(talk[0]) - 1);
}

static void handshake_seen_from_one_side(void **state)
{
	static const struct step in[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 10, CLIENT, S, 1000, 0, 0, "KO", 0 },
		{ 11, CLIENT, A, 1001, 7001, 0, "KEHO", 2 },
		{ 12, CLIENT, A, 1001, 7001, 300, "KEDO", 0 },
	};
	/* A host that repeats itself as TCP does is one that waits: what it sent before is given back at once. */
	static const struct step repeated[] = {
		{ 2010, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 2025, CLIENT, S, 1000, 0, 0, "KO", 1 },
		{ 2055, CLIENT, S, 1000, 0, 0, "KO", 0 },
		{ 2056, CLIENT, A, 1001, 7001, 0, "KEHO", 0 },
	};

	PLAY(*state, in);
	PLAY(*state, repeated);
}

static void first_data_with_the_acknowledgement(void **state)
{
	static const struct step in[] = {
		{ 10, CLIENT, S, 0xffffffffu, 0, 0, "FO", 0 }, /* the number wraps */
		{ 11, CLIENT, A, 0, 7001, 300, "KEHO", 1 },
		{ 12, CLIENT, A, 300, 7001, 300, "KEO", 0 },
	};

	PLAY(*state, in);
}

static void whoever_did_not_get_the_answer_cannot_acknowledge(void **state)
{
	static const struct step in[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },           { 11, CLIENT, A, 999, 7001, 0, "KO", 0 },
		{ 11, CLIENT, A, 0x80001001u, 7001, 0, "KO", 0 }, { 12, CLIENT, 0, 1001, 0, 40, "KO", 0 },
		{ 12, CLIENT, R | A, 1001, 0, 40, "KO", 0 },
	};

	PLAY(*state, in);
}

static void an_answer_alone_engages_nobody(void **state)
{
	static const struct step steps[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 11, SERVER, S | A, 7000, 1001, 0, "KA", 0 }, /* it goes to forged addresses too */
		{ 21, SERVER, S | A, 7000, 1001, 0, "KA", 0 },
	};

	PLAY(*state, steps);
}

static void reset_back(void **state)
{
	static const struct step borrowed[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 11, SERVER, S | A, 7000, 1001, 0, "KA", 0 },
		{ 12, CLIENT, R, 1001, 0, 0, "KOR", 0 },
	};
	static const struct step unanswered[] = {
		{ 20, CLIENT, S, 2000, 0, 0, "KFO", 0 },
		{ 21, CLIENT, R, 2001, 0, 0, "KO", 0 },
	};
	static const struct step refused[] = {
		{ 30, CLIENT, S, 3000, 0, 0, "KFO", 0 },
		{ 31, SERVER, R | A, 0, 3001, 0, "KA", 0 },
	};

	PLAY(*state, borrowed);
	PLAY(*state, unanswered);
	PLAY(*state, refused);
}

static void ports_are_used_again(void **state)
{
	static const struct step steps[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 11, CLIENT, A, 1001, 7001, 0, "KEHO", 1 },
		{ 12, CLIENT, F | A, 1001, 7001, 0, "KEO", 0 },
		{ 13, CLIENT, S, 1000, 0, 0, "KFO", 0 }, /* the same number again, after the end */
		{ 14, CLIENT, S, 4000, 0, 0, "KFO", 0 }, /* another one before it */
		{ 15, CLIENT, A, 4001, 9001, 0, "KEHO", 1 },
		{ 16, SERVER, S, 500, 0, 0, "KFO", 0 }, /* the other way round */
		{ 17, CLIENT, S | A, 800, 501, 0, "KA", 0 },
		{ 18, SERVER, A, 501, 801, 0, "KEHO", 1 },
	};

	PLAY(*state, steps);
}

static void an_orphan_that_progresses(void **state)
{
	static const struct step in[] = {
		{ 10, CLIENT, A, 1000, 5000, 0, "FO", 0 },
		{ 11, CLIENT, A, 1000, 6400, 0, "KEPO", 1 },
		{ 12, CLIENT, A, 1000, 7800, 0, "KEPO", 0 },
	};
	static const struct step out[] = {
		{ 2000, CLIENT, A, 0xfffffc00u, 5000, 1000, "FO", 0 },
		{ 2001, CLIENT, A, 0xffffffe8u, 5000, 1000, "KEPO", 1 },
		{ 2002, CLIENT, A, 0x3d0u, 5000, 1000, "KEPO", 0 }, /* across the wrap */
	};
	struct flow_view view = play(*state, in, 2);

	assert_true(view.settled_toward_dst);
	assert_int_equal(view.settled_slot, 10);
	play(*state, in + 2, 1);
	PLAY(*state, out);
}

static void an_orphan_that_jumps_is_disbelieved(void **state)
{
	static const struct step alone[] = {
		{ 10, CLIENT, A, 1000, 5000, 0, "FO", 0 },
		{ 11, CLIENT, A, 1000, 6400, 0, "KEPO", 1 },
		{ 12, CLIENT, A, 0x70000000u, 0x12345678u, 0, "KO", 0 },
		{ 13, CLIENT, A, 0x70000000u, 0x12345a00u, 0, "KPO", 0 }, /* a step or two may be chance */
		{ 14, CLIENT, A, 0x70000000u, 0x12345c00u, 0, "KPO", 0 },
		{ 15, CLIENT, A, 0x70000000u, 0x12345e00u, 0, "KEPO", 3 },
	};
	static const struct step answered[] = {
		{ 2010, CLIENT, A, 1000, 5000, 0, "FO", 0 },
		{ 2011, SERVER, A, 5000, 1000, 0, "KAE", 1 },
		{ 2012, CLIENT, A, 0x70000000u, 0x12345678u, 0, "KEO", 0 },
	};

	PLAY(*state, alone);
	PLAY(*state, answered);
}

static void an_orphan_that_does_not(void **state)
{
	uint64_t draws = 1;
	unsigned engaged = 0, progressed = 0;

	/*
	 * Random numbers, one of the two or both, as a flood has them: they pass for a step now and then, and no more.
	 */
	for (unsigned i = 0; i < 100000; i++) {
		struct step step = { 10 + i / 100,
			             CLIENT,
			             A,
			             (uint32_t)made_random(&draws),
			             i < 80000 ? 1 : (uint32_t)made_random(&draws),
			             0,
			             "",
			             0 };
		struct observation o = tcp_packet(&step);
		struct flow_view view = update(*state, &o, step.slot);

		engaged += view.engaged;
		progressed += view.progresses;
	}
	assert_in_range(progressed, 40, 400);
	assert_int_equal(engaged, 0);
}

static void the_same_packet_over_and_over_is_no_progress(void **state)
{
	for (unsigned i = 0; i < 100; i++) {
		struct step step = { 10, CLIENT, A, 5, 5, 0, "", 0 };
		struct observation o = tcp_packet(&step);

		assert_known(*state, &o, 10, i ? "KO" : "FO", 0);
	}
}

static void an_orphan_that_is_answered(void **state)
{
	static const struct step steps[] = {
		{ 10, CLIENT, A, 1, 1, 0, "FO", 0 },
		{ 11, CLIENT, A, 0x70000000u, 0x70000000u, 0, "KO", 0 },
		{ 12, SERVER, A, 0x70000000u, 1, 0, "KAE", 2 },
		{ 13, CLIENT, A, 99, 99, 0, "KEO", 0 },
	};
	struct flow_view view = play(*state, steps, 3);

	assert_false(view.settled_toward_dst);
	assert_int_equal(view.settled_slot, 10);
	play(*state, steps + 3, 1);
}

static void an_orphan_that_is_refused(void **state)
{
	static const struct step steps[] = {
		{ 10, CLIENT, A, 1, 1, 0, "FO", 0 },
		{ 11, SERVER, R, 1, 0, 0, "KA", 0 },
		{ 12, CLIENT, A, 0x70000000u, 0x70000000u, 0, "KO", 0 },
	};

	PLAY(*state, steps);
}

/* ---- UDP and what has no ports ---- */

static void udp_asked_and_answered(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), answer = udp_packet(SERVER, 0);
	struct flow_view view;

	assert_known(*state, &question, 5, "FO", 0);
	assert_known(*state, &question, 15, "KO", 0);
	assert_known(*state, &question, 25, "KO", 0);
	view = assert_known(*state, &answer, 26, "KAE", 3);
	assert_false(view.settled_toward_dst);
	assert_int_equal(view.settled_slot, 5);
	assert_known(*state, &answer, 27, "KAE", 0);
	assert_known(*state, &question, 28, "KEO", 0);
}

static void settling_has_a_bound(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), answer = udp_packet(SERVER, 0);
	struct flow_view view;

	for (unsigned i = 0; i < 100000; i++)
		(void)update(*state, &question, 5);
	view = update(*state, &answer, 6);
	assert_in_range(view.settled, 200, 100000); /* no more than there were, and not none for want of width */
}

static struct observation weighing(struct observation o, uint32_t weight)
{
	o.weight = weight;
	return o;
}

static void packets_are_given_back_as_what_they_stand_for(void **state)
{
	const struct observation question[] = { weighing(udp_packet(CLIENT, 0), 1000),
		                                weighing(udp_packet(CLIENT, 0), 1),
		                                weighing(udp_packet(CLIENT, 0), 70000) };
	struct observation answer = weighing(udp_packet(SERVER, 0), 7);

	assert_known(*state, &question[0], 5, "FO", 0);
	assert_known(*state, &question[1], 6, "KO", 0);
	assert_known(*state, &question[2], 7, "KO", 0);
	assert_known(*state, &answer, 8, "KAE", 71001);
	assert_known(*state, &answer, 9, "KAE", 0);
}

static void a_connection_is_given_back_as_what_it_was_counted(void **state)
{
	static const struct step steps[] = {
		{ 10, CLIENT, S, 1000, 0, 0, "FO", 0 },
		{ 11, CLIENT, A, 1001, 5000, 0, "KEHO", 300 },
		{ 12, CLIENT, A, 1001, 5000, 20, "KEDO", 0 },
		{ 13, CLIENT, A, 1021, 5000, 20, "KEO", 0 },
	};
	static const uint32_t weights[] = { 300, 40, 5, 900 }, connected[] = { 0, 0, 40, 0 };

	for (unsigned i = 0; i < 4; i++) {
		struct observation o = weighing(tcp_packet(&steps[i]), weights[i]);
		struct flow_view view = assert_known(*state, &o, steps[i].slot, steps[i].known, steps[i].settled);

		assert_int_equal(view.connected, connected[i]);
	}
}

/* The first so many of them; and no sum of weights turns over. */
static void weights_have_a_bound(void **state)
{
	struct observation light = weighing(udp_packet(CLIENT, 0), 3), answer = udp_packet(SERVER, 0);
	struct observation heavy = weighing(light, UINT32_MAX - 1);

	for (unsigned i = 0; i < FLOW_UNSETTLED_MAX + 100; i++)
		(void)update(*state, &light, 5);
	assert_known(*state, &answer, 6, "KAE", 3 * FLOW_UNSETTLED_MAX);
	heavy.src_port = answer.dst_port = 4444;
	for (unsigned i = 0; i < 3; i++)
		(void)update(*state, &heavy, 7);
	assert_known(*state, &answer, 8, "KAE", UINT32_MAX);
}

static void ports_addresses_and_protocols_tell_apart(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), other;

	assert_known(*state, &question, 0, "FO", 0);
	other = question;
	other.src_port++;
	assert_known(*state, &other, 0, "FO", 0);
	other = question;
	other.dst_port++;
	assert_known(*state, &other, 0, "FO", 0);
	other = question;
	other.src.octets[15]++;
	assert_known(*state, &other, 0, "FO", 0);
	other = question;
	other.protocol = 136;
	assert_known(*state, &other, 0, "FO", 0);
	other = question;
	other.src_port = question.dst_port; /* ports crossed: not the way back */
	other.dst_port = question.src_port;
	assert_known(*state, &other, 0, "FO", 0);
	assert_known(*state, &question, 0, "KO", 0);
}

static void marked_kind_comes_back(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), answer = udp_packet(SERVER, 0);
	struct flow_view view = update(*state, &question, 0);

	assert_int_equal(view.kind, 0);
	flow_mark_kind(&view, 42);
	assert_int_equal(update(*state, &question, 1).kind, 42);
	assert_int_equal(update(*state, &answer, 2).kind, 42);
	/* A new conversation has a new kind. */
	assert_int_equal(update(*state, &question, 5000).kind, 0);
}

static void silence_ends_a_conversation(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), answer = udp_packet(SERVER, 0);
	int64_t slot = -3000; /* before 1970, and across it */

	assert_known(*state, &question, slot, "FO", 0);
	assert_known(*state, &answer, slot += FLOW_IDLE_SLOTS, "KAE", 1);
	assert_known(*state, &question, slot += FLOW_IDLE_SLOTS, "KEO", 0);
	assert_known(*state, &question, slot += FLOW_IDLE_SLOTS, "KEO", 0);
	assert_known(*state, &answer, slot += FLOW_IDLE_SLOTS + 1, "FO", 0); /* now the answerer opens */
	flow_table_clear(*state);
	assert_known(*state, &question, slot, "FO", 0);
}

static void settled_slot_before_1970(void **state)
{
	struct observation question = udp_packet(CLIENT, 0), answer = udp_packet(SERVER, 0);
	struct flow_view view;

	(void)update(*state, &question, -7);
	view = update(*state, &answer, 4);
	assert_int_equal(view.settled_slot, -7);
}

static void tunnels_are_conversations_of_their_own(void **state)
{
	struct observation out = udp_packet(CLIENT, 0), back = udp_packet(SERVER, 0);
	struct flow_view view;
	char text[16];

	out.flags |= OBSERVATION_TUNNELLED;
	out.outer.src = hosts[CLIENT];
	out.outer.dst = hosts[SERVER];
	out.outer.protocol = MADE_GRE;
	back.flags |= OBSERVATION_TUNNELLED;
	back.outer.src = hosts[SERVER];
	back.outer.dst = hosts[CLIENT];
	back.outer.protocol = MADE_GRE;
	flow_update_outer(*state, &out, 0, &view);
	assert_string_equal(letters(&view, text), "FO");
	assert_known(*state, &out, 0, "FO", 0);
	out.src_port++; /* other packets in the same tunnel */
	flow_update_outer(*state, &out, 1, &view);
	assert_string_equal(letters(&view, text), "KO");
	flow_update_outer(*state, &back, 2, &view);
	assert_string_equal(letters(&view, text), "KAE");
	back.outer.protocol = 4;
	flow_update_outer(*state, &back, 3, &view);
	assert_string_equal(letters(&view, text), "FO");
	/* A bare packet of that protocol between the same ends is not in the tunnel. */
	out = made_ip(0, hosts[CLIENT], hosts[SERVER], MADE_GRE, 100);
	assert_known(*state, &out, 4, "FO", 0);
}

/* ---- counters in payloads, questions to groups, what the caller knows ---- */

static struct observation counting(uint32_t number, unsigned at, bool little_endian)
{
	struct observation o = udp_packet(CLIENT, 0);
	uint8_t octets[32] = { 0x80, 0x60, 7, 7, 1, 2, 3, 4, 9, 9, 9, 9, 5, 5, 5, 5 };

	for (unsigned i = 0; i < 2; i++)
		octets[at + i] = (uint8_t)(number >> 8 * (little_endian ? i : 1 - i));
	made_payload(&o, octets, sizeof(octets), 172);
	return o;
}

static void payloads_that_count(void **state)
{
	static const struct {
		unsigned at;
		bool little_endian, bare;
	} protocols[] = { { 2, false, false } /* RTP */,
		          { 6, false, false } /* ESP in UDP */,
		          { 6, false, true } /* ESP */,
		          { 8, true, false } /* WireGuard */ };

	for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		bool counts = false;

		flow_table_clear(*state);
		for (uint32_t number = 0; number < 3000; number++) {
			struct observation o = counting(250 + number, protocols[i].at, protocols[i].little_endian);
			struct flow_view view;

			if (protocols[i].bare) {
				o.protocol = 50;
				o.src_port = o.dst_port = 0;
				o.flags &= ~(uint32_t)OBSERVATION_PORTS;
			}
			view = update(*state, &o, number / 10);
			/* Once it was seen to count, it counts as long as it goes on. */
			assert_true(view.counts || !counts);
			counts = view.counts;
			assert_true(counts || number < 20);
		}
	}
}

static void payloads_that_do_not_count(void **state)
{
	uint64_t draws = 9;
	unsigned counts = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct observation o = counting(5, 2, false);

		assert_false(update(*state, &o, 5).counts); /* always the same */
	}
	for (unsigned talk = 0; talk < 2000; talk++) {
		bool counted = false;

		for (unsigned i = 0; i < 30; i++) {
			struct observation o = udp_packet(CLIENT, 0);
			uint64_t noise[4] = { made_random(&draws), made_random(&draws), made_random(&draws),
				              made_random(&draws) };

			o.src_port = (uint16_t)(1024 + talk);
			made_payload(&o, noise, sizeof(noise), i & 1 ? 512 : 6);
			counted |= update(*state, &o, 6).counts;
		}
		counts += counted;
	}
	assert_in_range(counts, 0, 100);
}

static void questions_to_a_group(void **state)
{
	struct observation question = made_udp(0, hosts[CLIENT], 50000, made_ipv4(0xeffffffau), 1900, 100);
	struct observation answer = made_udp(0, hosts[SERVER], 1900, hosts[CLIENT], 50000, 300);

	assert_false(flow_group_asked(*state, &answer, 0));
	flow_group_note(*state, &question, 0);
	assert_true(flow_group_asked(*state, &answer, 1));
	answer.src = made_ipv4(0x0a000001u); /* whoever answers */
	answer.src_port = 40000;
	assert_true(flow_group_asked(*state, &answer, FLOW_IDLE_SLOTS));
	assert_false(flow_group_asked(*state, &answer, FLOW_IDLE_SLOTS + 1));
	flow_group_note(*state, &question, 0);
	answer.dst_port = 50001;
	assert_false(flow_group_asked(*state, &answer, 1));
	answer.dst_port = 50000;
	answer.dst = hosts[SERVER];
	assert_false(flow_group_asked(*state, &answer, 1));
	answer.dst = hosts[CLIENT];
	answer.protocol = MADE_TCP;
	assert_false(flow_group_asked(*state, &answer, 1));
	/* The note is no conversation. */
	question.dst = hosts[CLIENT];
	question.dst_port = 50000;
	assert_known(*state, &question, 1, "FO", 0);
}

static void what_the_caller_knows(void **state)
{
	struct observation o = udp_packet(CLIENT, 0);
	struct flow_view view;

	for (unsigned i = 0; i < 5; i++)
		view = update(*state, &o, 10 + i);
	assert_false(view.engaged);
	flow_engage(&view, 14);
	assert_true(view.engaged);
	assert_int_equal(view.settled, 5);
	assert_int_equal(view.settled_slot, 10);
	assert_true(view.settled_toward_dst);
	assert_known(*state, &o, 15, "KEO", 0);
	view = (struct flow_view){ 0 }; /* there was no room for it */
	flow_engage(&view, 15);
	assert_false(view.engaged);
}

static void a_syn_again_after_a_while(void **state)
{
	static const struct step syn = { 0, CLIENT, S, 1000, 0, 0, "", 0 };
	struct observation o = tcp_packet(&syn);

	assert_false(update(*state, &o, 100).retransmission);
	assert_false(update(*state, &o, 100).retransmission); /* at once: a flood with one number */
	assert_true(update(*state, &o, 111).retransmission);
	assert_true(update(*state, &o, 141).retransmission);
	o.tcp.seq++;
	assert_false(update(*state, &o, 171).retransmission); /* another number, another handshake */
}

/*
 * Some systems wait a second five times over, all wait twice as long each time from then on; who does not is no client.
 */
static void a_syn_again_and_again(void **state)
{
	static const int64_t patient[] = { 0, 10, 20, 30, 40, 50, 70, 110, 190, 350, 670, 1310 };
	static const struct step syn = { 0, CLIENT, S, 1000, 0, 0, "", 0 };
	struct observation o = tcp_packet(&syn);
	unsigned repeated = 0;

	for (size_t i = 0; i < sizeof(patient) / sizeof(patient[0]); i++)
		assert_int_equal(update(*state, &o, 100 + patient[i]).retransmission, i > 0);
	flow_table_clear(*state);
	for (int64_t slot = 0; slot < 1200; slot += 10)
		repeated += update(*state, &o, 100 + slot).retransmission;
	assert_int_equal(repeated, 6); /* … and never again, for he has not been silent since */
}

/* Only the same SYN is that: what merely has the flag set among others gives nothing back. */
static void what_is_no_repeated_syn(void **state)
{
	static const uint8_t flags[] = { S | F, S | R, S | A, 0, F, TCP_PSH };

	for (unsigned i = 0; i < sizeof(flags); i++) {
		struct step syn = { 0, CLIENT, S, 1000, 0, 0, "", 0 };
		struct observation o = tcp_packet(&syn);
		struct flow_view view;

		flow_table_clear(*state);
		(void)update(*state, &o, 100);
		o.tcp.flags = flags[i];
		o.tcp.seq = 77777;
		view = update(*state, &o, 120);
		assert_false(view.retransmission);
		assert_int_equal(view.settled, 0);
	}
}

/* ---- fragments, quotes ---- */

static void fragments_are_recalled(void **state)
{
	struct observation first = udp_packet(CLIENT, 0),
			   later = made_ip(0, hosts[CLIENT], hosts[SERVER], MADE_UDP, 1500);
	bool welcome = false;
	uint8_t kind = 0;

	first.flags |= OBSERVATION_FRAGMENT;
	later.flags = OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT;
	assert_false(flow_fragments_recall(*state, &later, 0, &welcome, &kind));
	flow_fragments_note(*state, &first, 0, true, 9);
	assert_true(flow_fragments_recall(*state, &later, 1, &welcome, &kind));
	assert_true(welcome);
	assert_int_equal(kind, 9);
	flow_fragments_note(*state, &first, 2, false, 11);
	assert_true(flow_fragments_recall(*state, &later, 3, &welcome, &kind));
	assert_false(welcome);
	assert_int_equal(kind, 11);
	/* The note is no conversation, and says nothing of the way back or of another protocol. */
	assert_known(*state, &first, 3, "FO", 0);
	later.protocol = MADE_ICMP;
	assert_false(flow_fragments_recall(*state, &later, 3, &welcome, &kind));
	later.protocol = MADE_UDP;
	later.src = hosts[SERVER];
	later.dst = hosts[CLIENT];
	assert_false(flow_fragments_recall(*state, &later, 3, &welcome, &kind));
	later.src = hosts[CLIENT];
	later.dst = hosts[SERVER];
	assert_true(flow_fragments_recall(*state, &later, 2 + FLOW_IDLE_SLOTS, &welcome, &kind));
	assert_false(flow_fragments_recall(*state, &later, 3 + FLOW_IDLE_SLOTS, &welcome, &kind));
}

static void quotes_are_known(void **state)
{
	struct observation question = udp_packet(CLIENT, 0);
	struct observation error = made_icmp(0, made_ipv4(0x08080808u), hosts[CLIENT], 3, 3);

	error.flags |= OBSERVATION_QUOTE;
	error.quote.src = hosts[CLIENT];
	error.quote.dst = hosts[SERVER];
	error.quote.src_port = ports[CLIENT];
	error.quote.dst_port = ports[SERVER];
	error.quote.protocol = MADE_UDP;
	assert_false(flow_knows_quote(*state, &error, 0));
	(void)update(*state, &question, 0);
	assert_true(flow_knows_quote(*state, &error, 1));
	assert_true(flow_knows_quote(*state, &error, FLOW_IDLE_SLOTS));
	assert_false(flow_knows_quote(*state, &error, FLOW_IDLE_SLOTS + 1));
	error.quote.dst_port++;
	assert_false(flow_knows_quote(*state, &error, 1));
	error.quote.dst_port--;
	error.quote.protocol = MADE_TCP;
	assert_false(flow_knows_quote(*state, &error, 1));
}

/* ---- a full table ---- */

static struct observation conversation(uint32_t number, enum who from)
{
	struct address client = made_ipv4(0x0b000000u + number);

	return from == CLIENT ? made_udp(0, client, 40000, hosts[SERVER], 53, 30)
	                      : made_udp(0, hosts[SERVER], 53, client, 40000, 30);
}

static void engaged_ones_outlive_a_flood(void **state)
{
	const uint32_t engaged = 2000, flood = 1000000;
	struct flow_table *table = *state;
	uint64_t draws = 5;
	unsigned lost = 0;

	for (uint32_t i = 0; i < engaged; i++) {
		struct observation question = conversation(i, CLIENT), answer = conversation(i, SERVER);

		(void)update(table, &question, 1);
		assert_true(update(table, &answer, 1).engaged);
	}
	assert_int_equal(flow_table_counters(table)->created, engaged);
	assert_int_equal(flow_table_counters(table)->pushed_out, 0);
	for (uint32_t i = 0; i < flood; i++) {
		struct observation o = made_udp(0, made_ipv4((uint32_t)made_random(&draws)),
		                                (uint16_t)made_random(&draws), hosts[SERVER], 53, 30);

		(void)update(table, &o, 2 + (int64_t)i * (FLOW_KEEP_ENGAGED_SLOTS - 2) / flood);
	}
	for (uint32_t i = 0; i < engaged; i++) {
		struct observation question = conversation(i, CLIENT);
		struct flow_view view = update(table, &question, 1 + FLOW_KEEP_ENGAGED_SLOTS);

		lost += !view.known || !view.engaged;
	}
	assert_int_equal(lost, 0);
	/* Of a million more than a quarter of a million cannot have stayed. */
	assert_in_range(flow_table_counters(table)->pushed_out, flood - (1u << FLOW_TABLE_BITS), flood);
	assert_in_range(flow_table_counters(table)->created + flow_table_counters(table)->refused, flood,
	                flood + engaged);
}

static void no_room_is_said(void **state)
{
	const uint32_t count = 600000;
	struct flow_table *table = *state;
	uint64_t refused = 0, kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct observation question = conversation(i, CLIENT), answer = conversation(i, SERVER);
		struct flow_view view = update(table, &question, 0);

		if (!view.known && view.fresh && view.from_opener && !view.entry) {
			refused++;
			flow_mark_kind(&view, 3);
			continue;
		}
		kept += update(table, &answer, 0).engaged;
	}
	assert_in_range(refused, count - (1u << FLOW_TABLE_BITS), count);
	assert_int_equal(flow_table_counters(table)->refused, refused);
	assert_int_equal(flow_table_counters(table)->created, kept);
	assert_int_equal(flow_table_counters(table)->pushed_out, 0);
	/* Half a minute later they may go. */
	for (uint32_t i = count; i < count + 1000; i++) {
		struct observation question = conversation(i, CLIENT);

		assert_non_null(update(table, &question, FLOW_KEEP_ENGAGED_SLOTS + 1).entry);
	}
	assert_int_equal(flow_table_counters(table)->refused, refused);
}

/* ---- the naive twin ---- */

#define TALKS_MAX 8192
#define REPEATED \
	8 /* slots after which a SYN was waiting for an answer: a second (RFC 6298), less what slots round away */

struct talk {
	struct address ends[2]; /* the opener first */
	uint16_t ports[2];
	uint8_t protocol;
	uint8_t kind;
	int64_t first, last, handshake;
	uint32_t next_seq, last_ack;
	unsigned due;                        /* plausible steps, before an orphan that jumped is believed */
	uint32_t open, stand_for, connected; /* packets to be given back, what they stand for; the handshake's last */
	bool by_syn, answered, engaged, over, sent_data;
	unsigned repeats; /* of its SYN */
};

struct twin {
	unsigned count;
	struct talk talks[TALKS_MAX];
};

static bool is_opening(const struct observation *o)
{
	return o->protocol == MADE_TCP && (o->tcp.flags & (S | A | R | F)) == S;
}

static uint32_t after(const struct observation *o)
{
	return o->tcp.seq + o->payload_length + ((o->tcp.flags & S) != 0) + ((o->tcp.flags & F) != 0);
}

/*
 * How far b lies ahead of a, in a window that numbers may plausibly move: 1 ahead, 0 equal or a little back, -1
 * elsewhere.
 */
static int moved(uint32_t a, uint32_t b)
{
	int64_t distance = (int32_t)(b - a);

	if (distance > 0 && distance < 4 << 20)
		return 1;
	return distance <= 0 && distance > -(4 << 20) ? 0 : -1;
}

static void twin_count(struct talk *t, const struct observation *o)
{
	if (t->open < FLOW_UNSETTLED_MAX)
		t->stand_for += o->weight;
	t->open++;
}

static void twin_open(struct talk *t, const struct observation *o, int64_t slot, struct flow_view *view)
{
	memset(t, 0, sizeof(*t));
	t->ends[0] = o->src;
	t->ends[1] = o->dst;
	t->ports[0] = o->src_port;
	t->ports[1] = o->dst_port;
	t->protocol = o->protocol;
	t->first = t->last = slot;
	twin_count(t, o);
	t->by_syn = is_opening(o);
	t->next_seq = after(o);
	t->last_ack = o->tcp.ack;
	view->fresh = view->from_opener = true;
}

static void twin_credit(struct talk *t, bool toward_dst, struct flow_view *view)
{
	view->settled = t->stand_for;
	view->settled_slot = t->first;
	view->settled_toward_dst = toward_dst;
	t->open = t->stand_for = 0;
}

static void twin_settle(struct talk *t, bool toward_dst, struct flow_view *view)
{
	t->engaged = view->engaged = true;
	twin_credit(t, toward_dst, view);
}

static void twin_opener(struct talk *t, const struct observation *o, int64_t slot, struct flow_view *view)
{
	bool ack = o->tcp.flags & A, syn = o->tcp.flags & S, rst = o->tcp.flags & R;

	if (o->protocol != MADE_TCP) {
		if (!t->engaged)
			twin_count(t, o);
	} else if (t->engaged && t->by_syn && t->sent_data && !t->answered && ack &&
	           moved(t->last_ack, o->tcp.ack) < 0) {
		t->engaged = t->by_syn = view->engaged = false; /* a forger's guess */
		t->due = 2;
		t->next_seq = after(o);
		t->last_ack = o->tcp.ack;
		twin_count(t, o);
	} else if (t->engaged && t->by_syn) {
		if (!t->sent_data && o->payload_length) {
			t->sent_data = view->first_data = true;
			view->settled_slot = t->handshake;
			view->connected = t->connected;
			t->last_ack = o->tcp.ack;
		} else if (t->sent_data && ack) {
			t->last_ack = o->tcp.ack;
		}
		t->over |= (o->tcp.flags & (R | F)) != 0;
	} else if (t->by_syn) {
		bool knows = !t->answered || moved(t->last_ack, o->tcp.ack) >= 0;

		if (knows && ack && !syn && !rst &&
		    (o->tcp.seq == t->next_seq || moved(t->next_seq, o->tcp.seq) == 1)) {
			view->handshake = true;
			t->handshake = slot;
			t->connected = o->weight;
			t->sent_data = o->payload_length > 0;
			if (t->sent_data)
				t->last_ack = o->tcp.ack;
			twin_settle(t, true, view);
		} else if (view->retransmission) {
			t->repeats++;
			twin_credit(t, true, view);
		} else if (rst) {
			view->reset_back = t->answered;
			t->over = true;
		} else {
			twin_count(t, o);
		}
	} else {
		int seq = moved(t->next_seq, o->tcp.seq), acked = moved(t->last_ack, o->tcp.ack);
		bool speaks_on = seq == 1 || acked == 1 || (o->tcp.seq == t->next_seq && o->payload_length > 0);

		view->progresses = ack && !syn && !rst && seq >= 0 && acked >= 0 && speaks_on;
		if (view->progresses && !t->engaged && t->due == 0) {
			twin_settle(t, true, view);
		} else if (view->progresses && !t->engaged) {
			t->due--;
		} else if (!t->answered && !rst && (seq < 0 || acked < 0)) {
			t->engaged = view->engaged = false;
			t->due = 2;
		}
		if (!rst) {
			t->next_seq = after(o);
			t->last_ack = o->tcp.ack;
		}
		t->over |= (o->tcp.flags & (R | F)) != 0;
		if (!t->engaged)
			twin_count(t, o);
	}
}

static struct flow_view twin_update(struct twin *twin, const struct observation *o, int64_t slot)
{
	struct flow_view view = { 0 };
	struct talk *t = NULL;
	bool forth = false;

	for (unsigned i = 0; i < twin->count && !t; i++) {
		struct talk *c = &twin->talks[i];

		if (c->protocol != o->protocol)
			continue;
		forth = address_equal(&c->ends[0], &o->src) && address_equal(&c->ends[1], &o->dst) &&
		        c->ports[0] == o->src_port && c->ports[1] == o->dst_port;
		if (forth || (address_equal(&c->ends[1], &o->src) && address_equal(&c->ends[0], &o->dst) &&
		              c->ports[1] == o->src_port && c->ports[0] == o->dst_port))
			t = c;
	}
	if (!t || slot - t->last > FLOW_IDLE_SLOTS) {
		if (!t) {
			assert_in_range(twin->count, 0, TALKS_MAX - 1);
			t = &twin->talks[twin->count++];
		}
		twin_open(t, o, slot, &view);
		return view;
	}
	view.known = true;
	if (is_opening(o) && (t->over || !t->by_syn || !forth || o->tcp.seq + 1 != t->next_seq)) {
		twin_open(t, o, slot, &view);
		return view;
	}
	view.retransmission = forth && is_opening(o) && !t->engaged &&
	                      slot - t->last >= REPEATED << (t->repeats > 5 ? t->repeats - 5 : 0);
	t->last = slot;
	view.kind = t->kind;
	view.engaged = t->engaged;
	view.from_opener = forth;
	if (forth) {
		twin_opener(t, o, slot, &view);
	} else if (o->protocol == MADE_TCP && (o->tcp.flags & R)) {
		view.asked = true;
		if (t->by_syn && !t->answered && !t->engaged && !t->over) {
			view.refused = t->stand_for;
			view.settled_slot = t->first;
			t->open = t->stand_for = 0;
		}
		t->over = true;
	} else {
		view.asked = true;
		t->answered = true;
		if (o->protocol == MADE_TCP && t->by_syn && !t->engaged)
			t->last_ack = after(o);
		if (!t->engaged && !(o->protocol == MADE_TCP && t->by_syn))
			twin_settle(t, false, &view);
	}
	return view;
}

/* A packet that is likely to mean something to its conversation: numbers near those before, flags that are in use. */
#define TALKS (8 * 3 * 4 * 2)

static struct observation random_packet(uint64_t *draws, uint32_t all[TALKS][2])
{
	static const uint8_t flags[] = { S, S, S | A, A, A, A, A, A, A, A | TCP_PSH, R, R | A, F | A, 0, F | A, F };
	uint32_t client = made_below(draws, 8), server = made_below(draws, 3);
	struct address ends[2] = { made_ipv4(0xcb007100u + client * 77),
		                   client == 7 ? made_ipv6(0x20010db800000000u, server)
		                               : made_ipv4(0xc0000200u + server) };
	uint16_t number[2] = { (uint16_t)(40000 + made_below(draws, 4)), (uint16_t)(442 + made_below(draws, 2)) };
	bool back = made_below(draws, 3) == 0;
	uint32_t *numbers = all[((client * 3 + server) * 4 + number[0] % 4) * 2 + number[1] % 2];
	struct observation o;

	if (made_below(draws, 4) == 0)
		return made_udp(0, ends[back], number[back], ends[!back], number[!back], 30);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t way = made_below(draws, 12);

		numbers[i] = way == 0   ? (uint32_t)made_random(draws)
		             : way == 1 ? numbers[i] - made_below(draws, 9 << 20)
		             : way < 4  ? numbers[i] + made_below(draws, 9 << 20)
		             : way < 7  ? numbers[i] + 1
		                        : numbers[i];
	}
	o = made_tcp(0, ends[back], number[back], ends[!back], number[!back], flags[made_below(draws, sizeof(flags))],
	             numbers[0], numbers[1]);
	o.payload_length = made_below(draws, 2) ? 0 : (uint16_t)made_below(draws, 1460);
	return o;
}

static void assert_same(const struct flow_view *ours, const struct flow_view *theirs)
{
	char one[16], other[16];

	assert_string_equal(letters(ours, one), letters(theirs, other));
	assert_int_equal(ours->kind, theirs->kind);
	assert_int_equal(ours->retransmission, theirs->retransmission);
	assert_int_equal(ours->settled, theirs->settled);
	assert_int_equal(ours->connected, theirs->connected);
	assert_int_equal(ours->refused, theirs->refused);
	if (theirs->settled || theirs->first_data || theirs->refused)
		assert_int_equal(ours->settled_slot, theirs->settled_slot);
	if (theirs->settled)
		assert_int_equal(ours->settled_toward_dst, theirs->settled_toward_dst);
}

static void random_scripts_against_the_twin(void **state)
{
	static struct twin twin;
	uint64_t draws = 7, seen[9] = { 0 }, repeated = 0;

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		struct flow_table *table = flow_table_new(round);
		uint32_t numbers[TALKS][2] = { { 0 } };
		int64_t slot = round & 1 ? 17415999120 : -20000;

		assert_non_null(table);
		memset(&twin, 0, sizeof(twin));
		for (unsigned i = 0; i < 15000; i++) {
			struct observation o = random_packet(&draws, numbers);
			struct flow_view ours, theirs;
			char said[16];

			slot += made_below(&draws, 4) == 0;
			if (made_below(&draws, 2000) == 0)
				slot += made_below(&draws, 2 * FLOW_IDLE_SLOTS);
			if (made_below(&draws, 5000) == 0)
				slot += 3155760000; /* ten years */
			/* A capture as it is, then one in which each packet stands for others. */
			if (round >= 6)
				o.weight = 1 + made_below(&draws, 1000);
			ours = update(table, &o, slot);
			theirs = twin_update(&twin, &o, slot);
			assert_same(&ours, &theirs);
			(void)letters(&ours, said);
			repeated += theirs.retransmission;
			if (theirs.fresh) {
				uint8_t kind = (uint8_t)made_below(&draws, 256);

				flow_mark_kind(&ours, kind);
				for (unsigned j = 0; j < twin.count; j++)
					if (twin.talks[j].protocol == o.protocol &&
					    address_equal(&twin.talks[j].ends[0], &o.src) &&
					    address_equal(&twin.talks[j].ends[1], &o.dst) &&
					    twin.talks[j].ports[0] == o.src_port &&
					    twin.talks[j].ports[1] == o.dst_port)
						twin.talks[j].kind = kind;
			}
			for (unsigned j = 0; said[j]; j++)
				seen[strchr("KFAEHDPOR", said[j]) - "KFAEHDPOR"]++;
		}
		assert_int_equal(flow_table_counters(table)->pushed_out, 0);
		assert_int_equal(flow_table_counters(table)->refused, 0);
		flow_table_free(table);
	}
	/* Everything happened, and often. */
	assert_in_range(repeated, 50, UINT32_MAX);
	for (unsigned i = 0; i < 9; i++)
		assert_in_range(seen[i], 50, UINT32_MAX);
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, new_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(handshake_seen_from_both_sides),
		WITH_TABLE(handshake_seen_from_one_side),
		WITH_TABLE(first_data_with_the_acknowledgement),
		WITH_TABLE(whoever_did_not_get_the_answer_cannot_acknowledge),
		WITH_TABLE(an_answer_alone_engages_nobody),
		WITH_TABLE(reset_back),
		WITH_TABLE(ports_are_used_again),
		WITH_TABLE(an_orphan_that_progresses),
		WITH_TABLE(an_orphan_that_jumps_is_disbelieved),
		WITH_TABLE(an_orphan_that_does_not),
		WITH_TABLE(the_same_packet_over_and_over_is_no_progress),
		WITH_TABLE(an_orphan_that_is_answered),
		WITH_TABLE(an_orphan_that_is_refused),
		WITH_TABLE(udp_asked_and_answered),
		WITH_TABLE(settling_has_a_bound),
		WITH_TABLE(packets_are_given_back_as_what_they_stand_for),
		WITH_TABLE(a_connection_is_given_back_as_what_it_was_counted),
		WITH_TABLE(weights_have_a_bound),
		WITH_TABLE(ports_addresses_and_protocols_tell_apart),
		WITH_TABLE(marked_kind_comes_back),
		WITH_TABLE(silence_ends_a_conversation),
		WITH_TABLE(settled_slot_before_1970),
		WITH_TABLE(tunnels_are_conversations_of_their_own),
		WITH_TABLE(payloads_that_count),
		WITH_TABLE(payloads_that_do_not_count),
		WITH_TABLE(questions_to_a_group),
		WITH_TABLE(what_the_caller_knows),
		WITH_TABLE(a_syn_again_after_a_while),
		WITH_TABLE(a_syn_again_and_again),
		WITH_TABLE(what_is_no_repeated_syn),
		WITH_TABLE(fragments_are_recalled),
		WITH_TABLE(quotes_are_known),
		WITH_TABLE(engaged_ones_outlive_a_flood),
		WITH_TABLE(no_room_is_said),
		cmocka_unit_test(random_scripts_against_the_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
