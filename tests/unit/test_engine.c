/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams with attacks planted in them, far above any threshold, and what the engine says of them: what, whom, from
 * when to when. Then what streams do that are not well behaved: late packets, clocks that jump by decades, the ends of
 * time, more sources than there is memory for.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "made.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#if __has_include(<sanitizer/allocator_interface.h>)
#include <sanitizer/allocator_interface.h>
#else
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc has it, and no header for it */
#endif
#endif

#define SEED 20250310u
#define START (1741599912 * NS_PER_S)
#define WEB 0xc0000201u  /* 192.0.2.1 */
#define MAIL 0xcb007119u /* 203.0.113.25 */
#define MEMORY_MAX (256ull << 20)

/* ---- streams ---- */

struct stream {
	size_t count, allocated;
	struct observation *packets;
	uint64_t draws;
};

static int new_stream(void **state)
{
	*state = calloc(1, sizeof(struct stream));
	return *state ? 0 : -1;
}

static int free_stream(void **state)
{
	struct stream *s = *state;

	free(s->packets);
	free(s);
	return 0;
}

static void push(struct stream *s, struct observation o)
{
	if (s->count == s->allocated) {
		s->allocated = s->allocated ? 2 * s->allocated : 4096;
		s->packets = realloc(s->packets, s->allocated * sizeof(*s->packets));
		assert_non_null(s->packets);
	}
	s->packets[s->count++] = o;
}

static int by_time(const void *left, const void *right)
{
	const struct observation *a = left, *b = right;

	if (a->time.ns != b->time.ns)
		return a->time.ns < b->time.ns ? -1 : 1;
	if (address_compare(&a->src, &b->src) != 0)
		return address_compare(&a->src, &b->src);
	if (a->src_port != b->src_port)
		return a->src_port < b->src_port ? -1 : 1;
	return a->tcp.seq < b->tcp.seq ? -1 : a->tcp.seq > b->tcp.seq;
}

static void in_order(struct stream *s)
{
	if (s->count)
		qsort(s->packets, s->count, sizeof(*s->packets), by_time);
}

static struct address anyone(struct stream *s)
{
	return made_ipv4(0x0b000000u + made_below(&s->draws, 0xd0000000u));
}

/* Conversations as a web host has them, both directions seen: handshake, request, answer, end. */
static void peace_ms(struct stream *s, uint32_t host, int64_t from_ms, int64_t to_ms, uint32_t per_second)
{
	for (int64_t i = from_ms * per_second / 1000; i < to_ms * per_second / 1000; i++) {
		struct address client = made_ipv4(0x5b000000u + made_below(&s->draws, 4000)), server = made_ipv4(host);
		uint16_t port = (uint16_t)(32768 + made_below(&s->draws, 28000));
		uint32_t seq = (uint32_t)made_random(&s->draws), ack = (uint32_t)made_random(&s->draws);
		int64_t ns = START + i * NS_PER_S / per_second,
			round = 20 * NS_PER_MS + (int64_t)made_below(&s->draws, 40 * NS_PER_MS);
		struct observation o;

		push(s, made_tcp(ns, client, port, server, 443, TCP_SYN, seq, 0));
		push(s, made_tcp(ns + 1, server, 443, client, port, TCP_SYN | TCP_ACK, ack, seq + 1));
		push(s, made_tcp(ns + round, client, port, server, 443, TCP_ACK, seq + 1, ack + 1));
		o = made_tcp(ns + round + 1000, client, port, server, 443, TCP_ACK | TCP_PSH, seq + 1, ack + 1);
		made_payload(&o, "\x16\x03\x01\x02", 4, 517);
		push(s, o);
		o = made_tcp(ns + round + 2000, server, 443, client, port, TCP_ACK, ack + 1, seq + 518);
		made_payload(&o, "\x16\x03\x03\0", 4, 1400);
		push(s, o);
		push(s, made_tcp(ns + 2 * round, client, port, server, 443, TCP_ACK, seq + 518, ack + 1401));
		push(s, made_tcp(ns + 2 * round + 1000, client, port, server, 443, TCP_FIN | TCP_ACK, seq + 518,
		                 ack + 1401));
		push(s, made_tcp(ns + 2 * round + 2000, server, 443, client, port, TCP_FIN | TCP_ACK, ack + 1401,
		                 seq + 519));
		push(s, made_tcp(ns + 3 * round, client, port, server, 443, TCP_ACK, seq + 519, ack + 1402));
	}
}

static void peace(struct stream *s, uint32_t host, int64_t from_s, int64_t to_s, uint32_t per_second)
{
	peace_ms(s, host, from_s * 1000, to_s * 1000, per_second);
}

typedef struct observation maker(struct stream *s, int64_t ns, struct address target);

static struct observation monlist(struct stream *s, int64_t ns, struct address target)
{
	struct observation o =
		made_udp(ns, made_ipv4(0xc1000000u + 65537 * made_below(&s->draws, 200)), 123, target, 80, 0);

	made_payload(&o, "\xd7\0\3\x2a\0\6\0\x48", 8, 440);
	o.ip_id = (uint16_t)made_random(&s->draws);
	return o;
}

static struct observation tcp_flood(struct stream *s, int64_t ns, struct address target, uint8_t flags)
{
	return made_tcp(ns, anyone(s), (uint16_t)made_random(&s->draws), target, 443, flags,
	                (uint32_t)made_random(&s->draws), flags & TCP_ACK ? (uint32_t)made_random(&s->draws) : 0);
}

#define TCP_FLOOD(name, flags)                                                              \
	static struct observation name(struct stream *s, int64_t ns, struct address target) \
	{                                                                                   \
		return tcp_flood(s, ns, target, flags);                                     \
	}

TCP_FLOOD(syn, TCP_SYN)
TCP_FLOOD(syn_ack, TCP_SYN | TCP_ACK)
TCP_FLOOD(ack, TCP_ACK)
TCP_FLOOD(rst, TCP_RST)
TCP_FLOOD(fin, TCP_FIN)
TCP_FLOOD(xmas, TCP_FIN | TCP_PSH | TCP_URG)
TCP_FLOOD(null, 0)

static struct observation syn_ack_reflected(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = syn_ack(s, ns, target);

	o.src = made_ipv4(0xc1000000u + 65537 * made_below(&s->draws, 200));
	o.src_port = 443;
	o.dst_port = (uint16_t)made_random(&s->draws);
	return o;
}

static struct observation udp(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_udp(ns, anyone(s), (uint16_t)(1024 + made_below(&s->draws, 60000)), target,
	                                (uint16_t)(1024 + made_below(&s->draws, 60000)), 0);
	uint64_t noise = made_random(&s->draws) | 0x0404040404040404u;

	made_payload(&o, &noise, 8, 300);
	return o;
}

static struct observation dns_question(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_udp(ns, anyone(s), (uint16_t)(1024 + made_below(&s->draws, 60000)), target, 53, 0);

	made_payload(&o, "\x12\x34\1\0\0\1\0\0\0\0\0\0\3abc", 16, 40);
	return o;
}

static struct observation quic_initial(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_udp(ns, anyone(s), (uint16_t)(1024 + made_below(&s->draws, 60000)), target, 443, 0);

	made_payload(&o, "\xc3\0\0\0\1\x08", 6, 1200);
	return o;
}

static struct observation ping(struct stream *s, int64_t ns, struct address target)
{
	return made_icmp(ns, anyone(s), target, 8, 0);
}

static struct observation piece(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_ip(ns, anyone(s), target, MADE_UDP, 1500);

	o.flags = OBSERVATION_FRAGMENT | OBSERVATION_LATER_FRAGMENT;
	o.fragment_offset = 1480;
	return o;
}

static struct observation bare_gre(struct stream *s, int64_t ns, struct address target)
{
	return made_ip(ns, anyone(s), target, MADE_GRE, 540);
}

static struct observation tunnelled(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_udp(ns, anyone(s), (uint16_t)made_random(&s->draws), anyone(s),
	                                (uint16_t)made_random(&s->draws), 512);

	o.flags |= OBSERVATION_TUNNELLED;
	o.outer.src = anyone(s);
	o.outer.dst = target;
	o.outer.protocol = MADE_GRE;
	o.outer.length = o.length + 24;
	return o;
}

/* Around anything: what an exporter's mirror or an overlay makes of it. */
static void wrap(struct observation *o, struct address from, struct address to)
{
	o->flags |= OBSERVATION_TUNNELLED | OBSERVATION_OVERLAY;
	o->outer.src = from;
	o->outer.dst = to;
	o->outer.protocol = MADE_UDP;
	o->outer.length = o->length + 50;
	o->outer.src_port = 50000;
	o->outer.dst_port = 4789;
}

static struct observation wrapped(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = tunnelled(s, ns, target);

	wrap(&o, anyone(s), target);
	return o;
}

static struct observation esp(struct stream *s, int64_t ns, struct address target)
{
	return made_ip(ns, anyone(s), target, 50, 300);
}

static struct observation land(struct stream *s, int64_t ns, struct address target)
{
	return made_tcp(ns, target, 443, target, 443, TCP_SYN, (uint32_t)made_random(&s->draws), 0);
}

/* `pps` packets a second from `from_ms` to `to_ms` after START. */
static void flood(struct stream *s, maker *make, uint32_t host, int64_t from_ms, int64_t to_ms, uint32_t pps)
{
	int64_t step = NS_PER_S / pps;

	for (int64_t ns = from_ms * NS_PER_MS; ns < to_ms * NS_PER_MS; ns += step)
		push(s, make(s, START + ns, made_ipv4(host)));
}

/* ---- what is said ---- */

/* What holds of every analysis, whatever the stream. */
static void check(const struct engine *e)
{
	const struct engine_totals *totals = engine_totals(e);
	uint64_t in_incidents = 0;

	for (uint32_t i = 0; i < engine_count(e); i++) {
		const struct finding *f = engine_finding(e, i);
		const struct incident *inc = f->incident;
		uint64_t in_parts = 0;

		assert_non_null(inc);
		assert_true(inc->waves_count > 0 && inc->waves_count <= INCIDENT_WAVES_MAX);
		assert_true(inc->parts_count > 0 && inc->parts_count <= INCIDENT_PARTS_MAX);
		assert_true(inc->packets > 0 && inc->peak_packets > 0 && inc->peak_packets <= inc->packets);
		assert_true(inc->peak_bytes <= inc->bytes);
		assert_true(inc->packets <= totals->packets);
		assert_true(inc->began.ns <= inc->waves[0].began.ns && inc->began.ns <= inc->detected.ns);
		assert_true(inc->ended.ns <= totals->last.ns && inc->began.ns >= totals->first.ns);
		for (uint32_t j = 0; j < inc->waves_count; j++) {
			assert_true(inc->waves[j].packets > 0);
			assert_true(inc->waves[j].began.ns <= inc->waves[j].ended.ns);
			assert_true(inc->waves[j].ended.ns <= inc->ended.ns);
			if (j)
				assert_true(inc->waves[j - 1].ended.ns < inc->waves[j].began.ns);
		}
		for (uint32_t j = 0; j < inc->parts_count; j++) {
			in_parts += inc->parts[j].window->packets;
			if (j)
				assert_true(inc->parts[j].window->packets <= inc->parts[j - 1].window->packets);
		}
		assert_int_equal(in_parts, inc->packets);
		assert_int_equal(f->total->packets, inc->packets);
		assert_true(f->sources > 0 && f->destinations > 0);
		assert_true(f->spoofing.reasons_count > 0);
		for (uint32_t j = 0; j < i; j++) {
			const struct incident *other = engine_finding(e, j)->incident;

			assert_true(other->began.ns <= inc->began.ns);
			/* From target and beginning: where these differ, so do they. */
			assert_true(other->id != inc->id ||
			            (other->began.ns == inc->began.ns && prefix_equal(&other->scope, &inc->scope)));
		}
		in_incidents += inc->packets;
	}
	assert_true(totals->peace_packets <= totals->packets);
	assert_true(totals->peace_packets + in_incidents >= totals->packets);
	assert_true(totals->packets == 0 || totals->first.ns <= totals->last.ns);
}

static void give(struct engine *e, const struct observation *o)
{
	struct packet packet = { .observation = *o };

	engine_prepare(e, &packet);
	engine_observe(e, &packet, 1);
}

static struct engine *observe(const struct stream *s)
{
	struct engine *e = engine_new(SEED);

	assert_non_null(e);
	for (size_t i = 0; i < s->count; i++)
		give(e, &s->packets[i]);
	assert_int_equal(engine_finish(e), 0);
	check(e);
	return e;
}

static struct engine *analyze(struct stream *s)
{
	in_order(s);
	return observe(s);
}

static const char *vector_name(const struct finding *f, uint32_t part)
{
	return vector_get(f->incident->parts[part].kind)->name;
}

static void assert_scope(const struct finding *f, uint32_t host)
{
	struct address address = made_ipv4(host);
	struct prefix scope = prefix_of(&address, 32);

	assert_true(prefix_equal(&f->incident->scope, &scope));
}

/* Within `slack` milliseconds of `ms` after START. */
static void assert_near(struct capture_time t, int64_t ms, int64_t slack)
{
	int64_t off = t.ns - (START + ms * NS_PER_MS);

	if (off < -slack * NS_PER_MS || off > slack * NS_PER_MS)
		fail_msg("%lld ms off", (long long)(off / NS_PER_MS));
}

static void nothing(void **state)
{
	struct engine *e = analyze(*state);

	assert_int_equal(engine_count(e), 0);
	assert_int_equal(engine_totals(e)->packets, 0);
	engine_free(e);
	engine_free(NULL);
	e = engine_new(SEED);
	engine_free(e); /* never finished */
}

static void one_packet(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	push(s, monlist(s, START, made_ipv4(WEB)));
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	assert_int_equal(engine_totals(e)->packets, 1);
	assert_int_equal(engine_totals(e)->bytes, 468);
	assert_int_equal(engine_totals(e)->peace_packets, 1);
	assert_int_equal(engine_totals(e)->first.ns, START);
	assert_int_equal(engine_totals(e)->last.ns, START);
	engine_free(e);
}

static void peace_is_peace(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	peace(s, WEB, 0, 120, 20);
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	assert_int_equal(engine_totals(e)->packets, 120 * 20 * 9);
	assert_int_equal(engine_totals(e)->peace_packets, 120 * 20 * 9);
	assert_int_equal(engine_totals(e)->out_of_order, 0);
	engine_free(e);
}

/* More conversations in half a minute than the table of them has room for: those that have ended need none. */
static void a_busy_server(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	peace(s, WEB, 0, 20, 6000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	assert_in_range(engine_totals(e)->flows_refused, 0, 20 * 6000 / 1000);
	engine_free(e);
}

/*
 * Some fifty packets stand behind each that was seen, of one conversation always others: what proves welcome gives all
 * of them back.
 */
static void sampled_peace_is_peace(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	peace(s, WEB, 0, 30, 50);
	for (size_t i = 0; i < s->count; i++)
		s->packets[i].weight = 30 + made_below(&s->draws, 40);
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	engine_free(e);
}

/*
 * As a shield on the host would hand it out: one packet in `interval`, whichever, and with each what the host's own
 * stack knows of its connection. `s` holds conversations of peace() alone. What leaves is in the sample or is not.
 */
static void sample_of_peace(struct stream *s, uint32_t interval, bool leaves)
{
	static const uint32_t known[9] = {
		[1] = OBSERVATION_ANSWER, [2] = OBSERVATION_HANDSHAKE, [3] = OBSERVATION_ANSWERED,
		[4] = OBSERVATION_ANSWER, [5] = OBSERVATION_ANSWERED,  [6] = OBSERVATION_ANSWERED,
		[7] = OBSERVATION_ANSWER, [8] = OBSERVATION_ANSWERED
	};
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (made_below(&s->draws, interval) || (known[i % 9] == OBSERVATION_ANSWER && !leaves))
			continue;
		s->packets[kept] = s->packets[i];
		s->packets[kept].flags |= known[i % 9];
		s->packets[kept++].weight = interval;
	}
	s->count = kept;
}

/* Of fifty packets one: hardly ever two of one conversation. The handshakes that are completed speak for the others. */
static void a_sampled_crowd_is_no_flood(void **state)
{
	struct stream *s = *state;

	for (unsigned round = 0; round < 4; round++) {
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 20, 50);
		peace(s, WEB, 20, 30, 4000);
		sample_of_peace(s, 50, round % 2);
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
}

static void a_flood_is_found_in_a_sample_of_it(void **state)
{
	struct stream *s = *state;
	size_t conversations, kept;
	struct engine *e;

	peace(s, WEB, 0, 40, 200);
	sample_of_peace(s, 50, false);
	kept = conversations = s->count;
	flood(s, syn, WEB, 20000, 30000, 20000);
	for (size_t i = conversations; i < s->count; i++) {
		if (made_below(&s->draws, 50))
			continue;
		s->packets[kept] = s->packets[i];
		s->packets[kept++].weight = 50;
	}
	s->count = kept;
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	assert_string_equal(vector_name(engine_finding(e, 0), 0), "syn_flood");
	assert_true(engine_finding(e, 0)->incident->packets > 170000);
	assert_true(engine_finding(e, 0)->incident->packets < 230000);
	engine_free(e);
}

static struct observation question(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = made_udp(ns, made_ipv4(0x5b000000u + made_below(&s->draws, 60000)),
	                                (uint16_t)(1024 + made_below(&s->draws, 60000)), target, 53, 0);

	made_payload(&o, "\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", 29, 29);
	return o;
}

/*
 * A server of names that many ask: each question is a conversation of its own, and of one in fifty the answer is seen.
 */
static void answers_speak_for_questions_in_a_sample(void **state)
{
	struct stream *s = *state;
	size_t kept = 0, asked;
	struct engine *e;

	flood(s, question, MAIL, 0, 30000, 1500);
	asked = s->count;
	for (size_t i = 0; i < asked; i++) {
		const struct observation *q = &s->packets[i];
		struct observation a = made_udp(q->time.ns + 200000, q->dst, 53, q->src, q->src_port, 0);

		made_payload(&a, "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\7example\3com\0\0\1\0\1", 29, 45);
		a.flags |= OBSERVATION_ANSWER;
		push(s, a);
	}
	for (size_t i = 0; i < s->count; i++) {
		if (made_below(&s->draws, 50))
			continue;
		s->packets[kept] = s->packets[i];
		s->packets[kept++].weight = 50;
	}
	s->count = kept;
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	engine_free(e);
	for (size_t i = 0; i < s->count; i++)
		s->packets[i].flags &= ~(uint32_t)OBSERVATION_ANSWER;
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	engine_free(e);
}

/* The host knows its conversations, though their beginning was not seen. */
static void what_the_host_answered_is_welcome(void **state)
{
	struct stream *s = *state;
	struct engine *e;
	uint64_t peace_packets;

	for (int64_t i = 0; i < 40000;
	     i++) { /* a download's acknowledgements, in one direction, by a thousand clients */
		struct observation o =
			made_tcp(START + i * NS_PER_MS / 4, made_ipv4(0x5b000000u + (uint32_t)(i % 1000)),
		                 (uint16_t)(2000 + i % 1000), made_ipv4(WEB), 443, TCP_ACK,
		                 (uint32_t)made_random(&s->draws), (uint32_t)made_random(&s->draws));

		o.flags |= OBSERVATION_ANSWERED;
		push(s, o);
	}
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	peace_packets = engine_totals(e)->peace_packets;
	engine_free(e);
	assert_int_equal(peace_packets, 40000);
	for (size_t i = 0; i < s->count; i++)
		s->packets[i].flags &= ~(uint32_t)OBSERVATION_ANSWERED;
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	engine_free(e);
}

static void a_flood_begins_and_ends_where_planted(void **state)
{
	struct stream *s = *state;
	const struct finding *f;
	struct engine *e;

	peace(s, WEB, 0, 60, 20);
	flood(s, monlist, WEB, 20000, 30000, 10000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	f = engine_finding(e, 0);
	assert_scope(f, WEB);
	assert_string_equal(vector_name(f, 0), "ntp_reflection");
	assert_near(f->incident->began, 20000, 1); /* with its first packet, not with the one that raised the alarm */
	assert_near(f->incident->ended, 30000, 100);
	assert_true(time_since(f->incident->detected, f->incident->began) < NS_PER_S);
	assert_false(f->incident->open);
	assert_false(f->incident->is_scan);
	assert_int_equal(f->incident->waves_count, 1);
	assert_in_range(f->incident->packets, 99900, 100100);
	assert_in_range(f->incident->peak_packets, 990, 1010);
	assert_in_range(f->sources, 190, 210);
	assert_int_equal(f->destinations, 1);
	assert_int_equal(f->ports_count, 1);
	assert_int_equal(f->ports[0], 80);
	assert_int_equal(f->spoofing.verdict, SPOOFING_REFLECTORS);
	assert_false(f->carpet || f->pulse || f->multi_vector);
	/* More than three thousand normal packets came to the target: enough to prove a drop. */
	assert_int_equal(f->signatures.signatures[0].action, RULE_DROP);
	assert_in_range(f->signatures.residual_ppm, 0, 20000);
	assert_null(f->advice);
	engine_free(e);
}

static void a_flood_that_is_still_on(void **state)
{
	struct stream *s = *state;
	const struct finding *f;
	struct engine *e;

	flood(s, syn, WEB, 0, 5000, 10000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	f = engine_finding(e, 0);
	assert_true(f->incident->open);
	assert_near(f->incident->began, 0, 1);
	assert_string_equal(vector_name(f, 0), "syn_flood");
	assert_int_equal(f->spoofing.verdict, SPOOFING_SPOOFED);
	/* Nothing normal was seen: nothing is dropped, and what helps all the same is said. */
	for (uint32_t i = 0; i < f->signatures.count; i++) {
		assert_false(f->signatures.signatures[i].has_bound);
		assert_int_equal(f->signatures.signatures[i].action, RULE_NONE);
	}
	assert_non_null(f->advice);
	engine_free(e);
}

static void two_floods_on_two_targets(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	peace(s, WEB, 0, 40, 20);
	peace(s, MAIL, 0, 40, 20);
	flood(s, monlist, WEB, 10000, 20000, 5000);
	flood(s, syn, MAIL, 15000, 25000, 5000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 2);
	assert_scope(engine_finding(e, 0), WEB);
	assert_string_equal(vector_name(engine_finding(e, 0), 0), "ntp_reflection");
	assert_near(engine_finding(e, 0)->incident->began, 10000, 100);
	assert_near(engine_finding(e, 0)->incident->ended, 20000, 100);
	assert_scope(engine_finding(e, 1), MAIL);
	assert_string_equal(vector_name(engine_finding(e, 1), 0), "syn_flood");
	assert_near(engine_finding(e, 1)->incident->began, 15000, 100);
	assert_near(engine_finding(e, 1)->incident->ended, 25000, 500);
	engine_free(e);
}

static void two_vectors_on_one_target(void **state)
{
	struct stream *s = *state;
	const struct finding *f;
	struct engine *e;

	peace(s, WEB, 0, 40, 20);
	flood(s, monlist, WEB, 10000, 20000, 8000);
	flood(s, syn, WEB, 10000, 20000, 4000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	f = engine_finding(e, 0);
	assert_scope(f, WEB);
	assert_int_equal(f->incident->parts_count, 2);
	assert_true(f->multi_vector);
	assert_string_equal(vector_name(f, 0), "ntp_reflection");
	assert_string_equal(vector_name(f, 1), "syn_flood");
	assert_in_range(f->incident->parts[0].window->packets, 79000, 80100);
	assert_in_range(f->incident->parts[1].window->packets, 39000, 41000);
	assert_in_range(f->incident->peak_packets, 1150, 1300);
	engine_free(e);
}

static void pulses_are_waves(void **state)
{
	struct stream *s = *state;
	const struct incident *inc;
	struct engine *e;

	peace(s, WEB, 0, 140, 20);
	for (int64_t i = 0; i < 5; i++)
		flood(s, monlist, WEB, 10000 + i * 25000, 13000 + i * 25000, 8000);
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	inc = engine_finding(e, 0)->incident;
	assert_int_equal(inc->waves_count, 5);
	assert_true(engine_finding(e, 0)->pulse);
	for (uint32_t i = 0; i < 5; i++) {
		assert_near(inc->waves[i].began, 10000 + i * 25000, 100);
		assert_near(inc->waves[i].ended, 13000 + i * 25000, 100);
		assert_in_range(inc->waves[i].packets, 23500, 24100);
		assert_in_range(inc->waves[i].peak_packets, 780, 820);
	}
	engine_free(e);
}

/* Long after the last wave it is another incident. */
static void what_comes_much_later_is_another(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	flood(s, monlist, WEB, 0, 3000, 5000);
	flood(s, monlist, WEB, 1000000, 1003000, 5000);
	push(s, monlist(s, START + 2000 * NS_PER_S, made_ipv4(MAIL)));
	e = analyze(s);
	assert_int_equal(engine_count(e), 2);
	assert_near(engine_finding(e, 0)->incident->ended, 3000, 100);
	assert_near(engine_finding(e, 1)->incident->began, 1000000, 100);
	engine_free(e);
}

/* Neighbours that were hit one after another, then all together: one incident, and its waves are still apart. */
static void waves_of_neighbours_stay_apart(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	flood(s, monlist, WEB, 0, 5000, 3000);
	flood(s, monlist, WEB + 1, 20000, 25000, 3000);
	for (int64_t i = 0; i < 6; i++)
		flood(s, monlist, WEB + (uint32_t)i, 40000 + i * 500, 50000 + i * 500, 3000);
	push(s, monlist(s, START + 100 * NS_PER_S, made_ipv4(MAIL)));
	e = analyze(s); /* check() looks at the waves */
	assert_int_equal(engine_count(e), 1);
	assert_int_equal(engine_finding(e, 0)->incident->waves_count, 3);
	assert_near(engine_finding(e, 0)->incident->waves[0].ended, 5000, 100);
	assert_near(engine_finding(e, 0)->incident->waves[1].ended, 25000, 100);
	assert_near(engine_finding(e, 0)->incident->waves[2].began, 40000, 100);
	assert_near(engine_finding(e, 0)->incident->waves[2].ended, 52500, 100);
	engine_free(e);
}

static void a_carpet(void **state)
{
	struct stream *s = *state;
	struct address first = made_ipv4(0xc0000200u);
	struct prefix network = prefix_of(&first, 24);
	struct engine *e;

	/* No address alone would be remarkable. */
	for (uint32_t i = 0; i < 256; i++)
		flood(s, monlist, 0xc0000200u + i, 10000 + i, 20000 + i, 40);
	push(s, monlist(s, START, made_ipv4(MAIL)));
	push(s, monlist(s, START + 60 * NS_PER_S, made_ipv4(MAIL)));
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	assert_true(prefix_equal(&engine_finding(e, 0)->incident->scope, &network));
	assert_true(engine_finding(e, 0)->carpet);
	assert_in_range(engine_finding(e, 0)->destinations, 240, 270);
	assert_near(engine_finding(e, 0)->incident->began, 10000, 1000);
	assert_near(engine_finding(e, 0)->incident->ended, 20000, 1000);
	engine_free(e);
}

static void each_kind_is_named(void **state)
{
	static const struct {
		maker *make;
		const char *name;
	} rows[] = {
		{ monlist, "ntp_reflection" },
		{ syn, "syn_flood" },
		{ syn_ack, "syn_ack_flood" },
		{ syn_ack_reflected, "syn_ack_reflection" },
		{ ack, "ack_flood" },
		{ rst, "rst_flood" },
		{ fin, "fin_flood" },
		{ xmas, "xmas_flood" },
		{ null, "null_flood" },
		{ udp, "udp_flood" },
		{ dns_question, "dns_query_flood" },
		{ quic_initial, "quic_flood" },
		{ ping, "icmp_flood" },
		{ piece, "fragment_flood" },
		{ bare_gre, "gre_flood" },
		{ tunnelled, "gre_flood" },
		{ wrapped, "udp_flood" },
		{ esp, "ip_protocol_flood" },
		{ land, "land" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *s = *state;
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 10, 20);
		flood(s, rows[i].make, WEB, 3000, 6000, 10000);
		e = analyze(s);
		if (engine_count(e) != 1 || strcmp(vector_name(engine_finding(e, 0), 0), rows[i].name) != 0)
			fail_msg("%s: %u incidents, the first %s", rows[i].name, engine_count(e),
			         engine_count(e) ? vector_name(engine_finding(e, 0), 0) : "none");
		assert_scope(engine_finding(e, 0), WEB);
		assert_near(engine_finding(e, 0)->incident->began, 3000, 200);
		assert_near(engine_finding(e, 0)->incident->ended, 6000, 200);
		engine_free(e);
	}
}

/* A router that is made to look for ever other addresses of a link: each look goes to a group of its own. */
static struct observation look_for(struct stream *s, int64_t ns)
{
	struct observation o =
		made_icmp(ns, made_ipv6(0xfe80000000000000u, 1),
	                  made_ipv6(0xff02000000000000u, 0x1ff000000u | made_below(&s->draws, 1u << 24)), 135, 0);

	o.protocol = MADE_ICMPV6;
	o.length = 72;
	o.ttl = 255;
	return o;
}

static void a_link_is_searched_for_neighbours(void **state)
{
	static const struct {
		uint32_t pps, incidents;
	} rows[] = { { 2000, 1 }, { 100, 0 } };

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix groups = { made_ipv6(0xff02000000000000u, 0x1ff000000u), 104, false };
		struct stream *s = *state;
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 20, 20);
		for (int64_t ns = 5 * NS_PER_S; ns < 15 * NS_PER_S; ns += NS_PER_S / rows[i].pps)
			push(s, look_for(s, START + ns));
		e = analyze(s);
		assert_int_equal(engine_count(e), rows[i].incidents);
		if (rows[i].incidents) {
			assert_string_equal(vector_name(engine_finding(e, 0), 0), "nd_flood");
			assert_true(prefix_equal(&engine_finding(e, 0)->incident->scope, &groups));
			assert_near(engine_finding(e, 0)->incident->began, 5000, 200);
		}
		engine_free(e);
	}
}

/* Answers that no table knows, of two hundred hosts. */
static struct observation answer_from(struct stream *s, int64_t ns, struct address target, uint16_t port)
{
	struct observation o = made_udp(ns, made_ipv4(0xc1000000u + 65537 * made_below(&s->draws, 200)), port, target,
	                                (uint16_t)(1024 + made_below(&s->draws, 60000)), 0);

	made_payload(&o, "\4\4\4\4\4\4\4\4", 8, 300);
	return o;
}

static struct observation unknown_answer(struct stream *s, int64_t ns, struct address target)
{
	return answer_from(s, ns, target, 3333);
}

static struct observation https_answer(struct stream *s, int64_t ns, struct address target)
{
	return answer_from(s, ns, target, 443);
}

/* Port 443 is the heaviest one or it is not; which port came first says nothing. */
static void the_heaviest_port_names_a_reflection(void **state)
{
	static const struct {
		maker *first, *make;
		const char *name;
	} rows[] = {
		{ unknown_answer, unknown_answer, "udp_reflection" },
		{ https_answer, unknown_answer, "udp_reflection" },
		{ https_answer, https_answer, "udp_flood" },
		{ unknown_answer, https_answer, "udp_flood" },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *s = *state;
		struct engine *e;

		s->count = 0;
		push(s, rows[i].first(s, START + 3 * NS_PER_S, made_ipv4(WEB)));
		flood(s, rows[i].make, WEB, 3001, 6000, 10000);
		e = analyze(s);
		assert_int_equal(engine_count(e), 1);
		assert_string_equal(vector_name(engine_finding(e, 0), 0), rows[i].name);
		engine_free(e);
	}
}

/* A SYN as Mirai's scanner makes them, one of a hundred that passed. */
static struct observation sampled_mirai(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = tcp_flood(s, ns, target, TCP_SYN);

	o.tcp.seq = (uint32_t)target.octets[12] << 24 | (uint32_t)target.octets[13] << 16 |
	            (uint32_t)target.octets[14] << 8 | target.octets[15];
	o.weight = 100;
	return o;
}

static void marks_are_told_by_what_packets_stand_for(void **state)
{
	struct stream *s = *state;
	const struct finding *f;
	struct engine *e;

	flood(s, sampled_mirai, WEB, 20000, 30000, 300);
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	f = engine_finding(e, 0);
	assert_int_equal(f->families_count, 1);
	assert_string_equal(f->families[0].name, "mirai");
	assert_int_equal(f->families[0].packets, f->total->packets);
	engine_free(e);
}

/*
 * A mirror sends all that a network sees to one collector, unasked. What is in it is found as if it had been captured
 * there, and the collector is no target, whatever there is: an attack on one, on a network, scans, or strangers'
 * answers.
 */
static void a_mirror_is_no_target(void **state)
{
	static const char *const names[] = { "syn_flood", "udp_flood", "scan" };
	struct address exporter = made_ipv4(0xac100001u), collector = made_ipv4(0xac100002u);

	for (unsigned round = 0; round < 3; round++) {
		struct stream *s = *state;
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 20, 50);
		if (round == 0)
			flood(s, syn, WEB, 5000, 10000, 20000);
		for (int64_t i = 0; round == 1 && i < 256; i++) /* a carpet */
			flood(s, udp, (WEB & 0xffffff00u) | (uint32_t)i, 5000, 10000, 100);
		/* one host calls at twenty thousand, which do not answer */
		for (uint32_t i = 0; round == 2 && i < 20000; i++)
			push(s, made_tcp(START + (int64_t)i * NS_PER_MS, made_ipv4(MAIL), 40000, anyone(s), 443,
			                 TCP_SYN, i, 0));
		for (size_t i = 0; i < s->count; i++)
			wrap(&s->packets[i], exporter, collector);
		e = analyze(s);
		for (uint32_t i = 0; i < engine_count(e); i++)
			assert_true(engine_finding(e, i)->incident->is_scan ||
			            !prefix_contains(&engine_finding(e, i)->incident->scope, &collector));
		assert_int_equal(engine_count(e), 1);
		assert_string_equal(vector_name(engine_finding(e, 0), 0), names[round]);
		engine_free(e);
	}
}

/* Handshakes, thousands of them, and no word after. */
static void connections_without_a_word(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (uint32_t i = 0; i < 30000; i++) {
		struct address client = made_ipv4(0x5b000000u + made_below(&s->draws, 300)), server = made_ipv4(WEB);
		int64_t ns = START + (int64_t)i * 200000;
		uint16_t port = (uint16_t)(1024 + i % 60000);

		push(s, made_tcp(ns, client, port, server, 443, TCP_SYN, i, 0));
		push(s, made_tcp(ns + 1000, server, 443, client, port, TCP_SYN | TCP_ACK, 5, i + 1));
		push(s, made_tcp(ns + 2000000, client, port, server, 443, TCP_ACK, i + 1, 6));
	}
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	assert_string_equal(vector_name(engine_finding(e, 0), 0), "tcp_connection_flood");
	assert_int_equal(engine_finding(e, 0)->spoofing.verdict, SPOOFING_VERIFIED);
	engine_free(e);
}

/* ---- what is no attack though nobody answers ---- */

/* Connections older than the stream, of which one side is seen: each says nothing, once in `pause_s` seconds. */
static void idle(struct stream *s, uint32_t host, int64_t to_s, uint32_t connections, uint32_t pause_s)
{
	for (uint32_t i = 0; i < connections; i++) {
		struct address client = made_ipv4(0x5b000000u + made_below(&s->draws, 1u << 24));
		uint16_t port = (uint16_t)(32768 + made_below(&s->draws, 28000));
		uint32_t seq = (uint32_t)made_random(&s->draws), ack = (uint32_t)made_random(&s->draws);
		int64_t ns = (int64_t)made_below(&s->draws, pause_s * 1000) * NS_PER_MS;

		/* Its own keep-alive, or the answer to one (RFC 9293 section 3.8.4). */
		for (; ns < to_s * NS_PER_S; ns += pause_s * NS_PER_S)
			push(s, made_tcp(START + ns, client, port, made_ipv4(host), 443, TCP_ACK, seq - i % 2, ack));
	}
}

/* As idle(), if one looks at no more than a few seconds: but its sources are forged, and none comes again. */
static struct observation as_if_idle(struct stream *s, int64_t ns, struct address target)
{
	return made_tcp(ns, made_ipv4(0x5b000000u + made_below(&s->draws, 1u << 24)),
	                (uint16_t)(32768 + made_below(&s->draws, 28000)), target, 443, TCP_ACK,
	                (uint32_t)made_random(&s->draws), (uint32_t)made_random(&s->draws));
}

static void idle_connections_are_no_flood(void **state)
{
	/* Keep-alives of how many connections, in how many seconds. */
	static const struct {
		uint32_t connections, pause_s;
	} crowds[] = { { 2000, 5 }, { 2000, 15 }, { 9000, 30 }, { 20000, 25 }, { 30000, 100 } };
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct engine *e;

		s->count = 0;
		idle(s, WEB, 130, crowds[i].connections, crowds[i].pause_s);
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
}

/*
 * What looks like idle connections and was not there before, or is too much for them, is a flood, and as soon as ever.
 */
static void a_flood_that_looks_idle(void **state)
{
	static const struct {
		uint32_t connections, from_s, pps, soon_ms;
	} floods[] = {
		{ 0, 0, 40000, 50 },     { 0, 0, 1200, 1600 },     { 0, 20, 900, 600 },      { 6000, 3, 40000, 120 },
		{ 6000, 15, 5000, 600 }, { 6000, 40, 40000, 120 }, { 6000, 40, 2500, 1200 },
	};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		int64_t from_ms = floods[i].from_s * 1000LL;
		const struct finding *f;
		struct engine *e;

		s->count = 0;
		peace(s, MAIL, 0, 60, 5);
		idle(s, WEB, 60, floods[i].connections, 20);
		flood(s, as_if_idle, WEB, from_ms, from_ms + 4000, floods[i].pps);
		e = analyze(s);
		assert_int_equal(engine_count(e), 1);
		f = engine_finding(e, 0);
		assert_string_equal(vector_name(f, 0), "ack_flood");
		assert_scope(f, WEB);
		assert_near(f->incident->detected, from_ms + floods[i].soon_ms / 2, floods[i].soon_ms / 2);
		/* Unless they are very many at once, nobody can know before their answers are due. */
		if (floods[i].pps < 15000)
			assert_true(f->incident->detected.ns >= START + (from_ms + 500) * NS_PER_MS);
		engine_free(e);
	}
}

/* One of the marks of an ordinary client is missing. */
static void what_gives_a_slow_flood_away(void **state)
{
	enum { FORGED_SOURCES, SYSTEM_PORTS, MANY_PORTS, LARGE, FEW_SOURCES, MISSING };
	struct stream *s = *state;

	for (unsigned missing = 0; missing < MISSING; missing++) {
		struct engine *e;

		s->count = 0;
		flood(s, as_if_idle, WEB, 0, 10000, 400);
		for (size_t i = 0; i < s->count; i++) {
			struct observation *o = &s->packets[i];

			if (missing == FORGED_SOURCES && i % 50 == 0)
				o->src = made_ipv4(0xe1000000u + made_below(&s->draws, 1u << 24));
			if (missing == SYSTEM_PORTS && i % 50 == 0)
				o->src_port = (uint16_t)made_below(&s->draws, 1024);
			if (missing == MANY_PORTS)
				o->dst_port = (uint16_t)made_below(&s->draws, 60000);
			if (missing == LARGE)
				made_payload(o, "\x17\x03\x03\0", 4, 512);
			if (missing == FEW_SOURCES)
				o->src = made_ipv4(0x5b000000u + made_below(&s->draws, 300));
		}
		e = analyze(s);
		assert_int_equal(engine_count(e), 1);
		assert_string_equal(vector_name(engine_finding(e, 0), 0), "ack_flood");
		engine_free(e);
	}
}

/* A server that nobody hears any more: its clients ask again after 1, 3, 7 and 15 s, and one in fifteen gives up. */
static void asked_in_vain(struct stream *s, uint32_t host, int64_t from_ms, int64_t to_ms, int64_t end_ms,
                          uint32_t per_second)
{
	static const int64_t again_s[] = { 0, 1, 3, 7, 15 };
	int64_t step = NS_PER_S / per_second;

	for (int64_t ns = from_ms * NS_PER_MS; ns < to_ms * NS_PER_MS; ns += step) {
		struct address client = made_ipv4(0x5b000000u + made_below(&s->draws, 1u << 20));
		uint16_t port = (uint16_t)(32768 + made_below(&s->draws, 28000));
		uint32_t seq = (uint32_t)made_random(&s->draws);
		size_t times = made_below(&s->draws, 15) ? sizeof(again_s) / sizeof(again_s[0]) : 1;

		for (size_t i = 0; i < times; i++) {
			int64_t at = ns + again_s[i] * NS_PER_S + (int64_t)made_below(&s->draws, 20 * NS_PER_MS);

			if (at < end_ms * NS_PER_MS)
				push(s, made_tcp(START + at, client, port, made_ipv4(host), 443, TCP_SYN, seq, 0));
		}
	}
}

static void a_server_that_fell_silent(void **state)
{
	static const uint32_t rates[] = { 70, 200, 600, 1500 };
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 25, rates[i]);
		asked_in_vain(s, WEB, 25000, 45000, 45000, rates[i]);
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
}

/* What came last may yet be answered, or asked again: wherever the stream ends. And when the server is back, it is. */
static void a_server_that_fell_silent_just_now(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (int64_t end_ms = 25100; end_ms < 27600; end_ms += 150) {
		s->count = 0;
		peace(s, WEB, 0, 25, 400);
		asked_in_vain(s, WEB, 25000, end_ms, end_ms, 400);
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
	s->count = 0;
	peace(s, WEB, 0, 25, 400);
	asked_in_vain(s, WEB, 25000, 30000, 32000, 400);
	peace(s, WEB, 30, 36, 600);
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	engine_free(e);
}

/* Its process is gone, its kernel refuses: some ask again on another port. */
static void refused(struct stream *s, maker *make, uint32_t host, int64_t from_ms, int64_t to_ms, uint32_t per_second)
{
	int64_t step = NS_PER_S / per_second;

	for (int64_t ns = from_ms * NS_PER_MS; ns < to_ms * NS_PER_MS; ns += step) {
		struct observation o = make(s, START + ns, made_ipv4(host));

		push(s, o);
		push(s,
		     made_tcp(START + ns + 100000, o.dst, 443, o.src, o.src_port, TCP_RST | TCP_ACK, 0, o.tcp.seq + 1));
	}
}

static struct observation forged_syn(struct stream *s, int64_t ns, struct address target)
{
	struct observation o = as_if_idle(s, ns, target);

	o.tcp.flags = TCP_SYN;
	o.tcp.ack = 0;
	return o;
}

/*
 * A flood that silences the server is found with its clients' SYNs in it: at once, or a second later where it is small.
 */
static void a_flood_that_silences(void **state)
{
	static const struct {
		uint32_t pps;
		bool silences;
		int64_t soon_ms;
	} floods[] = { { 40000, true, 50 },
		       { 1500, true, 700 },
		       { 200, true, 1700 },
		       { 200, false, 1100 },
		       { 100, false, 2400 } };
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		const struct finding *f;
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, floods[i].silences ? 25 : 31, 200);
		flood(s, forged_syn, WEB, 25000, 29000, floods[i].pps);
		if (floods[i].silences)
			asked_in_vain(s, WEB, 25020, 31000, 31000, 200);
		e = analyze(s);
		assert_int_equal(engine_count(e), 1);
		f = engine_finding(e, 0);
		assert_string_equal(vector_name(f, 0), "syn_flood");
		assert_scope(f, WEB);
		assert_near(f->incident->detected, 25000 + floods[i].soon_ms / 2, floods[i].soon_ms / 2);
		engine_free(e);
	}
}

/* It loses nothing by what it refuses, while that is no more than its clients' SYNs are. */
static void a_crowd_that_is_too_much(void **state)
{
	/* Visitors a second at last, of whom the server takes 300, and within how many seconds they become so many. */
	static const struct {
		uint32_t most;
		int64_t ramp_s;
	} crowds[] = { { 450, 10 }, { 600, 10 }, { 900, 6 } };
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		struct engine *e;
		uint32_t now = 40;

		s->count = 0;
		peace(s, WEB, 0, 20, now);
		for (int64_t tenth = 200; tenth < 500; tenth++) {
			int64_t risen = tenth - 200 < crowds[i].ramp_s * 10 ? tenth - 200 : crowds[i].ramp_s * 10;

			now = 40 + (uint32_t)((crowds[i].most - 40) * risen / (crowds[i].ramp_s * 10));
			peace_ms(s, WEB, tenth * 100, tenth * 100 + 100, now < 300 ? now : 300);
			if (now > 300)
				asked_in_vain(s, WEB, tenth * 100, tenth * 100 + 100, 50000, now - 300);
		}
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
}

static void a_server_that_refuses(void **state)
{
	static const uint32_t rates[] = { 30, 100, 400, 900 };
	struct stream *s = *state;
	struct engine *e;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		s->count = 0;
		peace(s, WEB, 0, 25, 400);
		refused(s, forged_syn, WEB, 25000, 90000, rates[i]);
		e = analyze(s);
		assert_int_equal(engine_count(e), 0);
		engine_free(e);
	}
	/* Nobody asks for a closed port all day but scanners. */
	s->count = 0;
	refused(s, forged_syn, WEB, 0, 90000, 40);
	e = analyze(s);
	assert_int_equal(engine_count(e), 0);
	engine_free(e);
}

static void a_flood_that_is_refused(void **state)
{
	static const uint32_t rates[] = { 150, 1500, 40000 };
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct engine *e;

		s->count = 0;
		peace(s, WEB, 0, 30, 20);
		refused(s, forged_syn, WEB, 25000, 29000, rates[i]);
		e = analyze(s);
		assert_int_equal(engine_count(e), 1);
		assert_string_equal(vector_name(engine_finding(e, 0), 0), "syn_flood");
		assert_near(engine_finding(e, 0)->incident->detected, 25600, 600);
		engine_free(e);
	}
}

static void ipv6(void **state)
{
	struct stream *s = *state;
	struct address target = made_ipv6(0x20010db800000000u, 1);
	struct prefix scope = prefix_of(&target, 128);
	struct engine *e;

	for (int64_t i = 0; i < 50000; i++) {
		struct observation o =
			made_udp(START + i * 100000, made_ipv6(0x2a01000000000000u + made_below(&s->draws, 300), 7), 53,
		                 target, 4000, 0);

		made_payload(&o, "\x12\x34\x81\x80", 4, 1200);
		o.length = 1248;
		push(s, o);
	}
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	assert_true(prefix_equal(&engine_finding(e, 0)->incident->scope, &scope));
	assert_string_equal(vector_name(engine_finding(e, 0), 0), "dns_reflection");
	engine_free(e);
}

static void a_scan_is_no_flood(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (uint32_t i = 0; i < 2000; i++) {
		struct observation o = made_tcp(START + (int64_t)i * 10 * NS_PER_MS, made_ipv4(0x5b010203u), 50000,
		                                made_ipv4(WEB), (uint16_t)(1 + i), TCP_SYN, i, 0);

		push(s, o);
		push(s,
		     made_tcp(o.time.ns + 100000, o.dst, o.dst_port, o.src, o.src_port, TCP_RST | TCP_ACK, 0, i + 1));
	}
	e = analyze(s);
	for (uint32_t i = 0; i < engine_count(e); i++) {
		assert_true(engine_finding(e, i)->incident->is_scan);
		assert_string_equal(vector_name(engine_finding(e, i), 0), "scan");
		assert_int_equal(engine_finding(e, i)->signatures.count, 0);
	}
	assert_int_equal(engine_count(e), 1);
	engine_free(e);
}

/* ---- time ---- */

/* A scan is one where a tenth of its packets were sampled, too. */
static void a_sampled_scan_is_no_flood(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (uint32_t i = 0; i < 2000; i++) {
		struct observation o = made_tcp(START + (int64_t)i * 10 * NS_PER_MS, made_ipv4(0x5b010203u), 50000,
		                                made_ipv4(WEB), (uint16_t)(1 + 10 * i), TCP_SYN, i, 0);

		o.weight = 10;
		push(s, o);
	}
	e = analyze(s);
	assert_int_equal(engine_count(e), 1);
	assert_true(engine_finding(e, 0)->incident->is_scan);
	engine_free(e);
}

static void packets_that_are_late(void **state)
{
	struct stream *s = *state;
	struct engine *e;
	size_t out = 0;

	peace(s, WEB, 0, 40, 20);
	flood(s, monlist, WEB, 10000, 20000, 8000);
	in_order(s);
	/* As two capture queues interleave: some packets swap places within about 20 ms. */
	for (size_t i = 0; i + 160 < s->count; i += 3) {
		size_t j = i + made_below(&s->draws, 160);
		struct observation swap = s->packets[i];

		s->packets[i] = s->packets[j];
		s->packets[j] = swap;
	}
	for (size_t i = 1; i < s->count; i++)
		out += s->packets[i].time.ns < s->packets[i - 1].time.ns;
	assert_true(out > 10000);
	e = observe(s);
	assert_int_equal(engine_count(e), 1);
	assert_true(engine_totals(e)->out_of_order >= out);
	assert_int_equal(engine_totals(e)->clock_jumps, 0);
	assert_near(engine_finding(e, 0)->incident->began, 10000, 100);
	assert_near(engine_finding(e, 0)->incident->ended, 20000, 100);
	assert_in_range(engine_finding(e, 0)->incident->packets, 79000, 80100);
	engine_free(e);
}

static void one_stray_time_stamp_each_way(void **state)
{
	struct stream *s = *state;
	struct engine *e;
	struct observation stray;

	peace(s, WEB, 0, 40, 20);
	flood(s, monlist, WEB, 10000, 20000, 8000);
	in_order(s);
	stray = made_udp(5, made_ipv4(1), 1, made_ipv4(2), 2, 3);
	s->packets[1000] = stray; /* 1970 */
	stray.time.ns = START + 20 * 365 * 86400 * NS_PER_S;
	s->packets[1500] = stray; /* 2045, seconds before the flood */
	e = observe(s);
	assert_int_equal(engine_count(e), 1);
	assert_int_equal(engine_totals(e)->out_of_order, 1); /* 1970: one late packet */
	assert_int_equal(engine_totals(e)->clock_jumps, 0);  /* 2045: nothing confirmed it */
	assert_near(engine_finding(e, 0)->incident->began, 10000, 100);
	assert_near(engine_finding(e, 0)->incident->ended, 20000, 100);
	engine_free(e);
}

static void a_clock_set_back_by_decades(void **state)
{
	struct stream *s = *state;
	const int64_t decades = 30LL * 365 * 86400 * NS_PER_S;
	struct engine *e;
	size_t half;

	peace(s, WEB, 0, 20, 20);
	flood(s, monlist, WEB, 5000, 10000, 8000);
	in_order(s);
	half = s->count;
	for (size_t i = 0; i < half; i++) {
		struct observation o = s->packets[i];

		o.time.ns -= decades;
		push(s, o);
	}
	e = observe(s);
	assert_int_equal(engine_count(e), 2);
	assert_int_equal(engine_totals(e)->clock_jumps, 1);
	assert_int_equal(engine_totals(e)->packets, 2 * half);
	assert_near((struct capture_time){ engine_finding(e, 0)->incident->began.ns + decades }, 5000, 100);
	assert_near((struct capture_time){ engine_finding(e, 0)->incident->ended.ns + decades }, 10000, 100);
	assert_near(engine_finding(e, 1)->incident->began, 5000, 100);
	assert_near(engine_finding(e, 1)->incident->ended, 10000, 100);
	engine_free(e);
}

/* Set back while the flood is on: what was open ends where it last was, and nothing is lost. */
static void a_clock_set_back_amid_a_flood(void **state)
{
	struct stream *s = *state;
	struct engine *e;
	uint64_t packets = 0;

	flood(s, monlist, WEB, 100000, 110000, 8000);
	flood(s, monlist, WEB, 0, 10000, 8000);
	e = observe(s);
	assert_int_equal(engine_totals(e)->clock_jumps, 1);
	assert_in_range(engine_count(e), 1, 2);
	for (uint32_t i = 0; i < engine_count(e); i++)
		packets += engine_finding(e, i)->incident->packets;
	assert_in_range(packets, 159000, 160000);
	engine_free(e);
}

static void a_clock_set_forward_by_decades(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (int64_t i = 0; i < 50; i++)
		flood(s, monlist, WEB, i * 365LL * 86400 * 1000, i * 365LL * 86400 * 1000 + 1000, 5000);
	e = observe(s);
	assert_int_equal(engine_count(e), 50);
	for (uint32_t i = 0; i < 50; i++)
		assert_near(engine_finding(e, i)->incident->began, i * 365LL * 86400 * 1000, 100);
	engine_free(e);
}

static void the_ends_of_time(void **state)
{
	static const int64_t ends[] = { INT64_MIN, INT64_MAX, 0, INT64_MAX - 1, INT64_MIN + 1, -1, 1 };
	struct stream *s = *state;
	struct engine *e;

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (unsigned j = 0; j < 2000; j++)
			push(s, monlist(s, ends[i], made_ipv4(WEB)));
	e = observe(s); /* any answer will do that holds together */
	assert_int_equal(engine_totals(e)->packets, s->count);
	assert_int_equal(engine_totals(e)->first.ns, INT64_MIN);
	assert_int_equal(engine_totals(e)->last.ns, INT64_MAX);
	engine_free(e);
}

/* ---- bounds, determinism ---- */

static uint64_t memory_in_use(void)
{
#ifdef SANITIZED
	return __sanitizer_get_current_allocated_bytes();
#else
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#endif
}

static void five_million_packets_of_random_sources(void **state)
{
	const uint32_t count = 5000000;
	uint64_t before = memory_in_use(), most = 0;
	struct engine *e = engine_new(SEED);
	struct stream *s = *state;

	assert_non_null(e);
	for (uint32_t i = 0; i < count; i++) {
		int64_t ns = START + (int64_t)i * 10000;
		/* Most of them at one host, some at a million. */
		bool at_web = i % 8 != 0;
		struct address target = made_ipv4(at_web ? WEB : 0x40000000u + made_below(&s->draws, 1000000));
		struct observation o = at_web && i & 1 ? syn(s, ns, target) : udp(s, ns, target);

		give(e, &o);
		if (i % 50000 == 0) {
			uint64_t now = memory_in_use() - before;

			most = now > most ? now : most;
		}
	}
	assert_int_equal(engine_finish(e), 0);
	most = memory_in_use() - before > most ? memory_in_use() - before : most;
	check(e);
	assert_int_equal(engine_totals(e)->packets, count);
	assert_in_range(engine_count(e), 1, 128);
	print_message("most memory in use: %llu KiB\n", (unsigned long long)(most >> 10));
	assert_in_range(most, 1, MEMORY_MAX - 1);
	engine_free(e);
	assert_in_range(memory_in_use() - before, 0, 1 << 20);
}

/* 60,000 SYNs in 1.2 s, each to one of so many neighbours; one carpet, says the engine. */
static struct engine *scattered(struct stream *s, uint32_t addresses)
{
	struct engine *e = engine_new(SEED);

	assert_non_null(e);
	for (uint32_t i = 0; i < 60000; i++) {
		struct observation o =
			syn(s, START + (int64_t)i * 20000, made_ipv4(0x40000000u + made_below(&s->draws, addresses)));

		give(e, &o);
	}
	assert_int_equal(engine_finish(e), 0);
	check(e);
	assert_int_equal(engine_count(e), 1);
	assert_true(engine_finding(e, 0)->carpet);
	return e;
}

/* As fast as the ring of recent packets turns over: what an incident holds was there, and no more. */
static void a_fast_carpet(void **state)
{
	struct stream *s = *state;
	struct engine *e = scattered(s, 4096);

	assert_in_range(engine_finding(e, 0)->incident->packets, 50000, 60000);
	engine_free(e);
}

/* SYNs to all addresses of a /19, some to each every second: a flood, though none alone is remarkable. */
static void syns_all_over(void **state)
{
	engine_free(scattered(*state, 8192));
}

/* A hundred targets far apart, several vectors each: what incidents hold is bounded too. */
static void many_incidents_at_once(void **state)
{
	static maker *const makers[] = { monlist, syn, udp, ack };
	uint64_t before = memory_in_use(), most = 0;
	struct engine *e = engine_new(SEED);
	struct stream *s = *state;

	assert_non_null(e);
	for (uint32_t i = 0; i < 300000; i++) {
		struct address target = made_ipv4(0x08000000u + (i % 100) * 0x00100001u);
		struct observation o = makers[i / 100 % 4](s, START + (int64_t)i * 5000, target);

		give(e, &o);
		if (i % 50000 == 0) {
			uint64_t now = memory_in_use() - before;

			most = now > most ? now : most;
		}
	}
	assert_int_equal(engine_finish(e), 0);
	most = memory_in_use() - before > most ? memory_in_use() - before : most;
	check(e);
	assert_int_equal(engine_count(e), 100);
	for (uint32_t i = 0; i < engine_count(e); i++)
		assert_int_equal(engine_finding(e, i)->incident->parts_count, 4);
	print_message("most memory in use: %llu KiB\n", (unsigned long long)(most >> 10));
	engine_free(e);
}

/* More incidents than there is room for are counted. */
static void too_many_incidents(void **state)
{
	struct stream *s = *state;
	struct engine *e;

	for (uint32_t i = 0; i < 150; i++)
		flood(s, monlist, 0x08000000u + i * 0x00100001u, i * 10, i * 10 + 300, 2000);
	e = analyze(s);
	assert_in_range(engine_count(e), 100, 149);
	assert_true(engine_totals(e)->incidents_refused > 0);
	engine_free(e);
}

/* More targets and sources than can be counted apart: what was forgotten is told. */
static void forgotten_candidates_are_counted(void **state)
{
	struct stream *s = *state;
	struct engine *e = engine_new(1);

	for (uint32_t i = 0; i < 150000; i++) {
		struct observation o = syn(s, START + (int64_t)i * 100000, made_ipv4(0x08000000u + i * 0x1001u));

		give(e, &o);
	}
	assert_int_equal(engine_finish(e), 0);
	assert_in_range(engine_totals(e)->candidates_pushed_out, 150000 - 65536, 3 * 150000);
	assert_in_range(engine_totals(e)->probes_pushed_out, 150000 - 65536, 2 * 150000);
	assert_int_equal(engine_totals(e)->samples_lost, 0);
	assert_int_equal(engine_totals(e)->no_memory, 0);
	engine_free(e);
}

static void same_input_same_output(void **state)
{
	struct stream *s = *state;
	struct engine *one, *other;

	peace(s, WEB, 0, 40, 20);
	flood(s, monlist, WEB, 10000, 20000, 4000);
	flood(s, syn, WEB, 12000, 18000, 4000);
	flood(s, udp, MAIL, 5000, 9000, 4000);
	for (uint32_t i = 0; i < 100; i++)
		flood(s, ping, 0x40000000u + i, 20000, 25000, 100);
	one = analyze(s);
	other = observe(s);
	assert_int_equal(engine_count(one), engine_count(other));
	assert_true(engine_count(one) >= 3);
	assert_memory_equal(engine_totals(one), engine_totals(other), sizeof(struct engine_totals));
	for (uint32_t i = 0; i < engine_count(one); i++) {
		const struct finding *a = engine_finding(one, i), *b = engine_finding(other, i);

		assert_true(a->incident->id == b->incident->id);
		assert_int_equal(a->incident->began.ns, b->incident->began.ns);
		assert_int_equal(a->incident->ended.ns, b->incident->ended.ns);
		assert_int_equal(a->incident->packets, b->incident->packets);
		assert_int_equal(a->incident->bytes, b->incident->bytes);
		assert_int_equal(a->incident->peak_packets, b->incident->peak_packets);
		assert_int_equal(a->incident->waves_count, b->incident->waves_count);
		assert_int_equal(a->incident->parts_count, b->incident->parts_count);
		assert_int_equal(a->sources, b->sources);
		assert_int_equal(a->total->sample.used, b->total->sample.used);
		for (uint32_t j = 0; j < a->total->sample.used; j++)
			assert_true(a->total->sample.priorities[j] == b->total->sample.priorities[j]);
		assert_int_equal(a->signatures.count, b->signatures.count);
		assert_int_equal(a->signatures.residual_ppm, b->signatures.residual_ppm);
		for (uint32_t j = 0; j < a->signatures.count; j++)
			assert_string_equal(a->signatures.signatures[j].reason, b->signatures.signatures[j].reason);
	}
	engine_free(one);
	engine_free(other);
}

#define WITH_STREAM(test) cmocka_unit_test_setup_teardown(test, new_stream, free_stream)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STREAM(nothing),
		WITH_STREAM(one_packet),
		WITH_STREAM(peace_is_peace),
		WITH_STREAM(a_busy_server),
		WITH_STREAM(sampled_peace_is_peace),
		WITH_STREAM(a_sampled_crowd_is_no_flood),
		WITH_STREAM(a_flood_is_found_in_a_sample_of_it),
		WITH_STREAM(answers_speak_for_questions_in_a_sample),
		WITH_STREAM(what_the_host_answered_is_welcome),
		WITH_STREAM(a_flood_begins_and_ends_where_planted),
		WITH_STREAM(a_flood_that_is_still_on),
		WITH_STREAM(two_floods_on_two_targets),
		WITH_STREAM(two_vectors_on_one_target),
		WITH_STREAM(pulses_are_waves),
		WITH_STREAM(what_comes_much_later_is_another),
		WITH_STREAM(waves_of_neighbours_stay_apart),
		WITH_STREAM(a_carpet),
		WITH_STREAM(each_kind_is_named),
		WITH_STREAM(a_link_is_searched_for_neighbours),
		WITH_STREAM(the_heaviest_port_names_a_reflection),
		WITH_STREAM(marks_are_told_by_what_packets_stand_for),
		WITH_STREAM(a_mirror_is_no_target),
		WITH_STREAM(connections_without_a_word),
		WITH_STREAM(idle_connections_are_no_flood),
		WITH_STREAM(a_flood_that_looks_idle),
		WITH_STREAM(what_gives_a_slow_flood_away),
		WITH_STREAM(a_server_that_fell_silent),
		WITH_STREAM(a_server_that_fell_silent_just_now),
		WITH_STREAM(a_flood_that_silences),
		WITH_STREAM(a_crowd_that_is_too_much),
		WITH_STREAM(a_server_that_refuses),
		WITH_STREAM(a_flood_that_is_refused),
		WITH_STREAM(ipv6),
		WITH_STREAM(a_scan_is_no_flood),
		WITH_STREAM(a_sampled_scan_is_no_flood),
		WITH_STREAM(packets_that_are_late),
		WITH_STREAM(one_stray_time_stamp_each_way),
		WITH_STREAM(a_clock_set_back_by_decades),
		WITH_STREAM(a_clock_set_back_amid_a_flood),
		WITH_STREAM(a_clock_set_forward_by_decades),
		WITH_STREAM(five_million_packets_of_random_sources),
		WITH_STREAM(a_fast_carpet),
		WITH_STREAM(syns_all_over),
		WITH_STREAM(many_incidents_at_once),
		WITH_STREAM(too_many_incidents),
		WITH_STREAM(forgotten_candidates_are_counted),
		WITH_STREAM(same_input_same_output),
		WITH_STREAM(the_ends_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
