/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate CAPTURE LABELS [--budget N] [--hold S] [--settle S] [--fallback WORD]: plays a capture that synth made to
 * the live engine, with a shield that does as the kernel's programs do: it samples what comes and what leaves by a
 * budget, knows whom the host has answered, carries out orders LATENCY after they were given, arms, spares and probes,
 * and drops. Prints one object of JSON with what came of it, in the capture's own time; LABELS (synth --labels) say
 * which packets were whose. Samples are N a second; rules act for `hold` seconds after their last match; `settle`
 * seconds of silence follow the capture. With WORD everything is one service that is passed on and may fall back on
 * that, and the capture's peace has come once before.
 *
 * Each generation's stream is written as a daemon does, replayed at its end, and held against what the live engine
 * said.
 *
 * What a host answers to a packet that was dropped is left out. Senders do not react: clients of a dropped packet do
 * not repeat it, so losses are shown a little too low where there are any. Once a second it is told how full its link
 * is: one of LINK_MBPS.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "defend/sieve.h"
#include "engine/live.h"
#include "engine/stream.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "tell/analysis.h"

#define SEED 0x686f6c6466617374u
#define LATENCY (5 * NS_PER_MS) /* from an order to its being in force */
#define COUNTED_EVERY (100 * NS_PER_MS)
#define LINK_MBPS 10000
#define RULES_MAX 64
#define ORDERS_MAX 256
#define FLOWS (1u << 18)
#define WAVES_MAX 64
#define WAVE_GAP NS_PER_S /* no attack packet for so long: what comes then is another wave */
#define WINDOW (100 * NS_PER_MS)
#define STEP (10 * NS_PER_MS)
#define PASSING_PERCENT 5
#define WINDOW_PACKETS 5
#define PROBE_INTERVAL 256
#define PROBE_PPS 500
#define SPARE_PPS 256
#define EGRESS_SHARE 4 /* of the budget */
#define SOURCES (1u << 18)
#define EARLIER_NS (40 * NS_PER_S)

#define SYN 0x02
#define RST 0x04
#define ACK 0x10
#define FIN 0x01

/* ------------------------------------------------------------------ streams */

/* A generation's stream, and what came of it, as text: what a replay must come to as well. */
struct tape {
	uint32_t generation;
	uint8_t *octets;
	size_t length, room;
	FILE *log;
	char *text;
	size_t text_length;
};

/* ------------------------------------------------------------------ the shield */

struct rule_state {
	bool used;
	uint64_t handle;
	struct live_order order;
	struct sieve *sieve; /* with this rule alone: whether it matches, and its rate */
	int64_t active_until, arm_last;
	uint64_t arm_level; /* billionths */
	int64_t probe_second;
	uint32_t probe_taken;
	struct life_count count;
};

struct pending {
	int64_t at;
	struct live_order order;
};

/* What the kernel knows of a conversation, by its 5-tuple as it arrives. */
struct flow {
	uint64_t key;
	bool answered, opened, established, dropped;
	uint32_t ack_due; /* what completes its handshake */
	int64_t spare_second;
	uint32_t spare_taken;
};

/* What is known of a source, and what it may still send. */
struct source {
	uint64_t key;
	bool known;
	uint64_t level; /* billionths of a packet */
	int64_t last;
};

struct sampler {
	uint32_t budget; /* a tick */
	uint32_t interval, taken;
	int64_t tick;
};

struct attack_packet {
	int64_t ns;
	bool passed;
};

struct run {
	struct live *live;
	struct rule_state rules[RULES_MAX];
	uint32_t rule_number;
	struct pending pending[ORDERS_MAX];
	unsigned pending_count;
	struct flow *flows;
	struct source *sources;
	struct sampler in, out;
	uint64_t random;
	int64_t now, next_tick, next_counted, next_loaded, hold_ns;
	uint64_t load_packets, load_octets; /* that arrived since that was told */
	struct attack_packet *attack;
	size_t attack_count, attack_room;
	uint64_t normal, normal_lost, samples, packets;
	uint64_t answered, answered_lost;
	uint64_t known, known_lost; /* normal packets of known sources under attack */
	unsigned added, renewed, removed, shadowed, began, ended, changed;
	int64_t first_order, first_incident;
	struct tape *tapes[2]; /* of the generation that decides, and of the one that warms up */
	uint8_t frame_octets[65536];
	struct stream_frame frame;
	uint64_t stream_octets, replays, replays_wrong;
	int64_t busiest_ns; /* longest tick, of the processor */
};

static void append(struct tape *t, const uint8_t *octets, size_t length)
{
	if (t->room - t->length < length) {
		t->room = (t->length + length) * 2;
		t->octets = realloc(t->octets, t->room);
		if (!t->octets)
			abort();
	}
	memcpy(t->octets + t->length, octets, length);
	t->length += length;
}

static struct tape *begin_tape(struct run *r, uint32_t generation)
{
	struct tape *t = calloc(1, sizeof(*t));
	uint8_t *octets;
	size_t length;

	if (!t)
		abort();
	t->generation = generation;
	t->log = open_memstream(&t->text, &t->text_length);
	if (!t->log || stream_begin(r->live, &octets, &length) < 0)
		abort();
	append(t, octets, length);
	free(octets);
	return t;
}

static void end_tape(struct tape *t)
{
	if (!t)
		return;
	fclose(t->log);
	free(t->text);
	free(t->octets);
	free(t);
}

static void put_frame(struct run *r)
{
	size_t length = stream_frame_end(&r->frame);

	r->stream_octets += length;
	for (unsigned i = 0; i < 2; i++)
		if (r->tapes[i] && length)
			append(r->tapes[i], r->frame_octets, length);
}

/* Room for what comes is made where there is none. */
#define TAPE(r, call)                    \
	do {                             \
		if (!(call)) {           \
			put_frame(r);    \
			if (!(call))     \
				abort(); \
		}                        \
	} while (0)

static void log_order(FILE *log, const struct live_order *order)
{
	char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

	fprintf(log, "order %d %" PRIu64 " %" PRId64, order->type, order->handle, order->for_ns);
	if (order->type == LIVE_ADD_RULE)
		fprintf(log, " %s %s %s %u %d%d%d %u %s", prefix_format(&order->rule.scope, scope),
		        rule_action_name(order->rule.action), match_format(&order->rule.match, text),
		        order->rule.rate_pps, order->shadow, order->spare, order->probe, order->arm_pps, order->reason);
	fputc('\n', log);
}

/* The findings of a generation, whole; between its beginning and its end, what an incident of it was found to be. */
static void log_news(FILE *log, struct live *live, const struct live_news *news)
{
	struct analysis_input input = { 0 };
	struct finding finding;

	fprintf(log, "news %d %016" PRIx64 "\n", news->type, news->incident);
	if (news->type == LIVE_FINISHED) {
		if (analysis_json_write(log, &input, live_finished(live)) < 0)
			abort();
	} else if (live_find(live, news->incident, &finding) == 0) {
		char text[MATCH_TEXT_SIZE];

		for (uint32_t i = 0; i < finding.signatures.count; i++)
			fprintf(log, "found %s\n", match_format(&finding.signatures.signatures[i].match, text));
		finding_fini(&finding);
	}
}

static void replayed_order(void *log, const struct live *live, const struct live_order *order)
{
	(void)live;
	log_order(log, order);
}

static void replayed_news(void *log, struct live *live, const struct live_news *news)
{
	log_news(log, live, news);
}

/* Its generation has ended: what it says again must be the same. */
static void check_tape(struct run *r, struct tape *t)
{
	struct stream_listener listener = { .order = replayed_order, .news = replayed_news };
	struct stream_replay *replay;
	size_t length = 0, at = 0;
	char *text = NULL;

	listener.context = open_memstream(&text, &length);
	if (!listener.context || stream_replay_new(&listener, &replay) < 0)
		abort();
	for (size_t step = 1; at < t->length; at += step, step = (step * 7 + 1) % 100003) {
		if (step > t->length - at)
			step = t->length - at;
		if (stream_replay_feed(replay, t->octets + at, step) < 0)
			abort();
	}
	if (stream_replay_end(replay) < 0)
		abort();
	fclose(listener.context);
	fflush(t->log);
	r->replays++;
	if (stream_replay_facts(replay)->error || length != t->text_length || memcmp(text, t->text, length) != 0) {
		r->replays_wrong++;
		if (getenv("SIM_TRACE"))
			fprintf(stderr, "replay differs: %s\n---- live\n%s---- replayed\n%s----\n",
			        stream_replay_facts(replay)->error ? stream_replay_facts(replay)->error : "", t->text,
			        text);
	}
	free(text);
	stream_replay_free(replay);
}

static void log_both(struct run *r, const struct live_order *order, const struct live_news *news)
{
	for (unsigned i = 0; i < 2; i++) {
		/* The end of one generation is nothing that the next one sees. */
		if (!r->tapes[i] || (news && news->type == LIVE_FINISHED && i > 0))
			continue;
		if (order)
			log_order(r->tapes[i]->log, order);
		else
			log_news(r->tapes[i]->log, r->live, news);
	}
}

/* After each tick's outputs: a generation may have appeared, gone, or come to its turn. */
static void follow_generations(struct run *r)
{
	uint32_t warming = live_warming(r->live);

	if (live_generation(r->live) == r->tapes[0]->generation &&
	    warming == (r->tapes[1] ? r->tapes[1]->generation : 0))
		return;
	put_frame(r);
	if (live_generation(r->live) != r->tapes[0]->generation) {
		check_tape(r, r->tapes[0]);
		end_tape(r->tapes[0]);
		r->tapes[0] = r->tapes[1];
		r->tapes[1] = NULL;
	}
	if (warming == (r->tapes[1] ? r->tapes[1]->generation : 0))
		return;
	end_tape(r->tapes[1]);
	r->tapes[1] = warming ? begin_tape(r, warming) : NULL;
}

static uint64_t draw(struct run *r)
{
	uint64_t z = r->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct flow *flow_of(struct run *r, const struct address *src, uint16_t src_port, const struct address *dst,
                            uint16_t dst_port, uint8_t protocol)
{
	uint64_t key =
		hash_2(hash_address(hash_address(1, src), dst), (uint64_t)src_port << 16 | dst_port, protocol) | 1;

	for (uint32_t i = 0;; i++) {
		struct flow *f = &r->flows[(key + i) & (FLOWS - 1)];

		if (f->key == key)
			return f;
		/* The table is large; where it fills up the oldest in the way goes. */
		if (f->key == 0 || i == 64) {
			*f = (struct flow){ .key = key };
			return f;
		}
	}
}

static bool bucket_take(uint64_t *level, int64_t *last, int64_t now, uint32_t rate)
{
	uint64_t capacity = (uint64_t)(rate / 10 ? rate / 10 : 1) * NS_PER_S;
	uint64_t elapsed = (uint64_t)(now - *last);

	if (elapsed > capacity / rate)
		*level = capacity;
	else if ((*level += elapsed * rate) > capacity)
		*level = capacity;
	*last = now;
	if (*level < NS_PER_S)
		return false;
	*level -= NS_PER_S;
	return true;
}

static struct source *source_of(struct run *r, const struct address *src)
{
	uint64_t key = hash_address(2, src) | 1;

	for (uint32_t i = 0;; i++) {
		struct source *s = &r->sources[(key + i) & (SOURCES - 1)];

		if (s->key == key)
			return s;
		if (s->key == 0 || i == 64) {
			*s = (struct source){ .key = key };
			return s;
		}
	}
}

/* Whether it may send one more at that rate, a second's worth at once. */
static bool source_within(struct source *s, int64_t now, uint32_t pps)
{
	uint64_t most = (uint64_t)pps * NS_PER_S;

	if (s->last == 0 || now - s->last > NS_PER_S || (s->level += (uint64_t)(now - s->last) * pps) > most)
		s->level = most;
	s->last = now;
	if (s->level < NS_PER_S)
		return false;
	s->level -= NS_PER_S;
	return true;
}

static void carry_out(struct run *r, const struct live_order *order)
{
	struct rule_state *at = NULL;

	for (unsigned i = 0; i < RULES_MAX; i++) {
		if (r->rules[i].used && r->rules[i].handle == order->handle)
			at = &r->rules[i];
		else if (!r->rules[i].used && !at && order->type == LIVE_ADD_RULE)
			at = &r->rules[i];
	}
	if (order->type == LIVE_REMOVE_RULE && at) {
		free(at->sieve);
		*at = (struct rule_state){ 0 };
	}
	if (order->type != LIVE_ADD_RULE)
		return;
	if (!at) {
		TAPE(r, stream_ruled(&r->frame, order->handle, 0, -ENOSPC));
		live_ruled(r->live, order->handle, 0, -ENOSPC);
		return;
	}
	*at = (struct rule_state){
		.used = true,
		.handle = order->handle,
		.order = *order,
		.sieve = malloc(sizeof(*at->sieve)),
		.active_until = r->now + r->hold_ns,
		.arm_last = r->now,
		.count.active = true,
	};
	if (!at->sieve)
		abort();
	sieve_init(at->sieve);
	if (sieve_add(at->sieve, &order->rule) < 0)
		abort();
	r->rule_number++;
	TAPE(r, stream_ruled(&r->frame, order->handle, r->rule_number, 0));
	live_ruled(r->live, order->handle, r->rule_number, 0);
}

static void carry_out_due(struct run *r)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < r->pending_count; i++) {
		if (r->pending[i].at <= r->now)
			carry_out(r, &r->pending[i].order);
		else
			r->pending[kept++] = r->pending[i];
	}
	r->pending_count = kept;
}

/* Whether the packet passes. */
static bool judge(struct run *r, const struct observation *o, struct flow *flow)
{
	bool answered = flow && flow->answered;

	for (unsigned i = 0; i < 2 * RULES_MAX; i++) {
		struct rule_state *s = &r->rules[i % RULES_MAX];
		bool looks = s->order.known || s->order.each, lost = false;
		uint64_t before;
		bool pass;

		/* Those that look at sources stand behind all others. */
		if (!s->used || looks != (i >= RULES_MAX))
			continue;
		if (looks && prefix_contains(&s->order.rule.scope, &o->dst) && match_test(&s->order.rule.match, o) &&
		    (!s->order.arm_pps || s->active_until > r->now)) {
			struct source *source = source_of(r, &o->src);
			bool within = source_within(source, r->now,
			                            s->order.each ? s->order.rule.rate_pps : s->order.source_pps);

			if (within && (s->order.each || source->known)) {
				s->count.matched++;
				s->count.known += s->order.known;
				return true;
			}
			lost = source->known;
		}
		before = s->sieve->rules[0].matched;
		pass = sieve_pass(s->sieve, o);
		if (s->sieve->rules[0].matched == before)
			continue;
		s->count.matched++;
		if (s->order.arm_pps && !bucket_take(&s->arm_level, &s->arm_last, r->now, s->order.arm_pps))
			s->active_until = r->now + r->hold_ns;
		s->count.active = !s->order.arm_pps || s->active_until > r->now;
		if (!s->count.active)
			continue;
		s->count.known_lost += lost;
		if (pass && s->order.rule.action != RULE_DROP && !s->order.each)
			return true;
		if (s->order.spare && answered) {
			s->count.answered++;
			if (flow->spare_second != r->now / NS_PER_S) {
				flow->spare_second = r->now / NS_PER_S;
				flow->spare_taken = 0;
			}
			if (flow->spare_taken++ < SPARE_PPS) {
				s->count.spared++;
				if (s->order.shadow)
					continue;
				return true;
			}
		}
		if (s->order.shadow) {
			s->count.dropped++;
			continue;
		}
		if (s->order.probe && draw(r) % PROBE_INTERVAL == 0) {
			if (s->probe_second != r->now / NS_PER_S) {
				s->probe_second = r->now / NS_PER_S;
				s->probe_taken = 0;
			}
			if (s->probe_taken++ < PROBE_PPS) {
				s->count.probes++;
				return true;
			}
		}
		s->count.dropped++;
		return false;
	}
	return true;
}

/* ------------------------------------------------------------------ samples */

static void deliver(struct run *r, struct sampler *s, struct observation *o, uint32_t flags)
{
	int64_t tick = r->now / (10 * NS_PER_MS);

	if (s->tick != tick) {
		if (s->taken * 2 < s->budget && s->interval > 1)
			s->interval /= 2;
		s->tick = tick;
		s->taken = 0;
	}
	if (draw(r) % s->interval)
		return;
	o->weight = s->interval;
	o->flags |= flags;
	if (++s->taken % s->budget == 0)
		s->interval *= 2;
	r->samples++;
	TAPE(r, stream_observe(&r->frame, o));
	live_observe(r->live, o, 1);
}

static void take_orders(struct run *r)
{
	struct live_order order;
	struct live_news news;

	while (live_next_order(r->live, &order)) {
		log_both(r, &order, NULL);
		r->added += order.type == LIVE_ADD_RULE;
		r->shadowed += order.type == LIVE_ADD_RULE && order.shadow;
		r->renewed += order.type == LIVE_RENEW_RULE;
		r->removed += order.type == LIVE_REMOVE_RULE;
		if (order.type == LIVE_ADD_RULE && !r->first_order)
			r->first_order = r->now;
		if (getenv("SIM_TRACE")) {
			char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];
			fprintf(stderr, "%.3f order %d h%" PRIu64 " %s to %s: %s%s rate %u arm %u (%s)\n",
			        (double)r->now / 1e9 - 1748772000, order.type, order.handle,
			        order.type ? "" : rule_action_name(order.rule.action),
			        order.type ? "" : prefix_format(&order.rule.scope, scope),
			        order.type ? "" : match_format(&order.rule.match, text), order.shadow ? " SHADOW" : "",
			        order.rule.rate_pps, order.arm_pps, order.reason);
		}
		if (r->pending_count == ORDERS_MAX)
			abort();
		r->pending[r->pending_count++] = (struct pending){ .at = r->now + LATENCY, .order = order };
	}
	while (live_next_news(r->live, &news)) {
		log_both(r, NULL, &news);
		r->began += news.type == LIVE_BEGAN;
		r->changed += news.type == LIVE_CHANGED;
		r->ended += news.type == LIVE_ENDED;
		if (getenv("SIM_TRACE"))
			fprintf(stderr, "%.3f news %d %016" PRIx64 "\n", (double)r->now / 1e9 - 1748772000, news.type,
			        news.incident);
	}
}

static void tell_counts(struct run *r)
{
	for (unsigned i = 0; i < RULES_MAX; i++) {
		struct rule_state *s = &r->rules[i];

		if (!s->used)
			continue;
		s->count.active = !s->order.arm_pps || s->active_until > r->now;
		TAPE(r, stream_rule_counted(&r->frame, s->handle, &s->count));
		live_rule_counted(r->live, s->handle, &s->count);
		take_orders(r);
	}
}

static void tell_load(struct run *r)
{
	uint64_t percent = r->load_octets * 8 / (LINK_MBPS * (uint64_t)10000);
	struct engine_load load = { .percent = percent > 100 ? 100 : (uint32_t)percent, .pps = r->load_packets };

	TAPE(r, stream_loaded(&r->frame, &load));
	live_loaded(r->live, &load);
	r->load_packets = r->load_octets = 0;
}

/* Time passes up to `ns`: ticks, orders, counts, readings of the link. */
static void pass_time(struct run *r, int64_t ns)
{
	if (!r->next_tick) {
		r->next_tick = (ns / LIVE_TICK_NS + 1) * LIVE_TICK_NS;
		r->next_counted = r->next_loaded = r->next_tick;
	}
	while (r->next_tick <= ns) {
		struct timespec begin, end;
		int64_t took;

		r->now = r->next_tick;
		carry_out_due(r);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
		TAPE(r, stream_tick(&r->frame, (struct capture_time){ r->now }));
		live_tick(r->live, (struct capture_time){ r->now });
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		took = (end.tv_sec - begin.tv_sec) * NS_PER_S + end.tv_nsec - begin.tv_nsec;
		if (took > r->busiest_ns)
			r->busiest_ns = took;
		if (!r->first_incident && live_count(r->live))
			r->first_incident = r->now;
		take_orders(r);
		follow_generations(r);
		if (r->now >= r->next_counted) {
			tell_counts(r);
			r->next_counted += COUNTED_EVERY;
		}
		if (r->now >= r->next_loaded) {
			tell_load(r);
			r->next_loaded += NS_PER_S;
		}
		r->next_tick += LIVE_TICK_NS;
	}
	r->now = ns;
	carry_out_due(r);
}

/* ------------------------------------------------------------------ packets */

static void arrive(struct run *r, struct observation *o, char label)
{
	bool ports = o->flags & OBSERVATION_PORTS, tcp = o->flags & OBSERVATION_TCP, completes = false, pass;
	struct flow *flow = ports ? flow_of(r, &o->src, o->src_port, &o->dst, o->dst_port, o->protocol) : NULL;

	r->load_packets++;
	r->load_octets += o->length;
	pass = judge(r, o, flow);
	if (flow)
		flow->dropped = !pass;
	if (tcp && pass && flow->opened && (o->tcp.flags & (SYN | ACK)) == ACK && o->tcp.ack == flow->ack_due) {
		completes = !flow->established;
		flow->established = true;
	}
	if (label == 'n') {
		if (live_attacked(r->live) && source_of(r, &o->src)->known) {
			r->known++;
			r->known_lost += !pass;
		}
		r->normal++;
		r->normal_lost += !pass;
		r->answered += flow && flow->answered;
		r->answered_lost += flow && flow->answered && !pass;
		if (!pass && getenv("SIM_LOST"))
			fprintf(stderr, "%.3f lost proto %u %u->%u flags %x len %u\n",
			        (double)r->now / 1e9 - 1748772000, o->protocol, o->src_port, o->dst_port, o->tcp.flags,
			        o->length);
	} else if (label >= '0' && label <= '9') {
		if (r->attack_count == r->attack_room) {
			r->attack_room = r->attack_room ? r->attack_room * 2 : 4096;
			r->attack = reallocarray(r->attack, r->attack_room, sizeof(*r->attack));
			if (!r->attack)
				abort();
		}
		r->attack[r->attack_count++] = (struct attack_packet){ r->now, pass };
	}
	deliver(r, &r->in, o,
	        (flow && (tcp ? flow->established : flow->answered) && !completes ? OBSERVATION_ANSWERED : 0) |
	                (completes ? OBSERVATION_HANDSHAKE : 0) | (pass ? 0 : OBSERVATION_DROPPED));
}

static void leave(struct run *r, struct observation *o, char label)
{
	struct flow *flow;

	if (o->flags & OBSERVATION_PORTS) {
		flow = flow_of(r, &o->dst, o->dst_port, &o->src, o->src_port, o->protocol);
		if (label == 'r' && flow->dropped)
			return;
		if ((!(o->flags & OBSERVATION_TCP) || !(o->tcp.flags & (SYN | RST))) && !live_attacked(r->live))
			source_of(r, &o->dst)->known = true;
		if (!(o->flags & OBSERVATION_TCP)) {
			flow->answered = true;
		} else if ((o->tcp.flags & (SYN | ACK)) == (SYN | ACK)) {
			flow->opened = true;
			flow->ack_due = o->tcp.seq + 1;
		} else if (!(o->tcp.flags & RST)) {
			flow->answered = true;
		}
		if (o->tcp.flags & (RST | FIN))
			flow->established = flow->opened = false;
	}
	deliver(r, &r->out, o, (o->flags & OBSERVATION_PORTS) && o->src_port < 1024 ? OBSERVATION_ANSWER : 0);
}

/* ------------------------------------------------------------------ what came of it */

/*
 * From a wave's first packet until a window begins in which less than 5 % pass; -1 where there is none. Of what comes
 * from then on, what passed.
 */
static void judge_wave(const struct attack_packet *p, size_t count, int64_t *until_ns, uint64_t *after,
                       uint64_t *after_passed)
{
	*until_ns = -1;
	*after = *after_passed = 0;
	for (int64_t from = p[0].ns; from <= p[count - 1].ns; from += STEP) {
		uint64_t seen = 0, passed = 0;
		size_t low = 0, high = count;

		while (low < high) {
			size_t middle = (low + high) / 2;

			if (p[middle].ns < from)
				low = middle + 1;
			else
				high = middle;
		}
		for (size_t i = low; i < count && p[i].ns < from + WINDOW; i++) {
			seen++;
			passed += p[i].passed;
		}
		if (seen < WINDOW_PACKETS || passed * 100 >= seen * PASSING_PERCENT)
			continue;
		*until_ns = from - p[0].ns;
		for (size_t i = low; i < count; i++) {
			++*after;
			*after_passed += p[i].passed;
		}
		return;
	}
}

static void print_waves(const struct run *r)
{
	uint64_t after_all = 0, passed_all = 0, passed_in_all = 0;
	size_t from = 0;
	bool first = true;

	printf("\"waves\":[");
	for (size_t i = 1; i <= r->attack_count; i++) {
		int64_t until;
		uint64_t after, passed;

		if (i < r->attack_count && r->attack[i].ns - r->attack[i - 1].ns < WAVE_GAP)
			continue;
		judge_wave(r->attack + from, i - from, &until, &after, &passed);
		printf("%s%" PRId64, first ? "" : ",", until < 0 ? -1 : until / NS_PER_MS);
		first = false;
		after_all += after;
		passed_all += passed;
		from = i;
	}
	for (size_t i = 0; i < r->attack_count; i++)
		passed_in_all += r->attack[i].passed;
	printf("],\"attack_passed\":%" PRIu64, passed_in_all);
	printf(",\"after\":%" PRIu64 ",\"after_passed\":%" PRIu64, after_all, passed_all);
}

static void print_finding(const struct finding *f)
{
	char text[MATCH_TEXT_SIZE];

	printf("{\"id\":\"%016" PRIx64 "\",\"target\":\"%s\",\"scan\":%s,\"waves\":%u,\"vectors\":[", f->incident->id,
	       prefix_format(&f->incident->scope, text), f->incident->is_scan ? "true" : "false",
	       f->incident->waves_count);
	for (uint32_t i = 0; i < f->incident->parts_count; i++)
		printf("%s\"%s\"", i ? "," : "", vector_get(f->incident->parts[i].kind)->name);
	printf("],\"rules\":[");
	for (uint32_t i = 0; i < f->signatures.count; i++)
		printf("%s\"%s %s\"", i ? "," : "", rule_action_name(f->signatures.signatures[i].action),
		       match_format(&f->signatures.signatures[i].match, text));
	printf("]}");
}

static void print_rules(const struct run *r)
{
	bool first = true;

	printf("\"rules\":[");
	for (unsigned i = 0; i < RULES_MAX; i++) {
		const struct rule_state *s = &r->rules[i];
		char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

		if (!s->used)
			continue;
		printf("%s\"%s%s %s\"", first ? "" : ",", s->order.shadow ? "shadow " : "",
		       rule_action_name(s->order.rule.action), match_format(&s->order.rule.match, text));
		(void)scope;
		first = false;
	}
	printf("]");
}

static void print(struct run *r)
{
	const struct engine *e;

	printf("{\"packets\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"attack\":%zu,\"normal\":%" PRIu64
	       ",\"normal_lost\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"answered_lost\":%" PRIu64 ",\"known\":%" PRIu64
	       ",\"known_lost\":%" PRIu64
	       ",\"added\":%u,\"shadowed\":%u,\"renewed\":%u,\"removed\":%u,\"began\":%u,\"changed\":%u,\"ended\":%u,",
	       r->packets, r->samples, r->attack_count, r->normal, r->normal_lost, r->answered, r->answered_lost,
	       r->known, r->known_lost, r->added, r->shadowed, r->renewed, r->removed, r->began, r->changed, r->ended);
	printf("\"detected_ms\":%" PRId64 ",\"ordered_ms\":%" PRId64 ",\"busiest_ms\":%" PRId64 ",\"searches\":%" PRIu64
	       ",",
	       r->first_incident && r->attack_count ? (r->first_incident - r->attack[0].ns) / NS_PER_MS : -1,
	       r->first_order && r->attack_count ? (r->first_order - r->attack[0].ns) / NS_PER_MS : -1,
	       r->busiest_ns / NS_PER_MS, live_counters(r->live).searches);
	print_waves(r);
	printf(",");
	print_rules(r);
	printf(",\"advice\":[");
	for (unsigned i = 0; i < live_count(r->live); i++) {
		struct live_view view;

		live_view(r->live, i, &view);
		printf("%s\"%s\"", i ? "," : "", view.advice ? view.advice : "");
	}
	printf("],\"fallback\":[");
	for (unsigned i = 0; i < live_count(r->live); i++) {
		struct live_view view;

		live_view(r->live, i, &view);
		printf("%s\"%s\"", i ? "," : "", fallback_state_name(view.fallback));
	}
	printf("],\"incidents\":[");
	put_frame(r);
	if (live_end(r->live) < 0)
		abort();
	take_orders(r);
	check_tape(r, r->tapes[0]);
	e = live_finished(r->live);
	for (uint32_t i = 0; i < engine_count(e); i++) {
		printf("%s", i ? "," : "");
		print_finding(engine_finding(e, i));
	}
	printf("],\"generations\":%u,\"stream_octets\":%" PRIu64 ",\"replays\":%" PRIu64 ",\"replays_wrong\":%" PRIu64
	       "}\n",
	       live_generation(r->live), r->stream_octets, r->replays, r->replays_wrong);
}

/* All of a capture, or, that much earlier, what comes before its attack: so peace has been longer. */
static int play(struct run *r, const char *path, const uint8_t *labels, size_t label_count, int64_t earlier_ns)
{
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct capture_record record;
	enum capture_kind kind;

	if (!capture) {
		fprintf(stderr, "simulate: %s: %s\n", path, error);
		return 1;
	}
	while ((kind = capture_next(capture, &record)) != CAPTURE_END) {
		static const uint8_t host[4] = { 0x02, 0x00, 0x5e, 0x20 };
		struct observation o;
		char label;

		if (kind != CAPTURE_PACKET)
			continue;
		if (r->packets == label_count) {
			fprintf(stderr, "simulate: %s: more packets than labels\n", path);
			break;
		}
		label = (char)labels[r->packets++];
		if (earlier_ns && label >= '0' && label <= '9')
			break;
		record.time.ns -= earlier_ns;
		pass_time(r, record.time.ns);
		if (!decode_hits_target(
			    decode_frame(record.link_type, record.data, record.captured, record.original, &o)))
			continue;
		o.time = record.time;
		if (record.captured >= 4 && memcmp(record.data, host, sizeof(host)) == 0)
			arrive(r, &o, label);
		else
			leave(r, &o, label);
	}
	capture_close(capture);
	if (earlier_ns) {
		r->packets = r->normal = r->answered = 0;
		return 0;
	}
	return r->packets == label_count ? 0 : 1;
}

static uint8_t *read_all(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rbe");
	size_t room = 1u << 23;
	uint8_t *octets = malloc(room);

	*length = file && octets ? fread(octets, 1, room, file) : 0;
	if (file)
		fclose(file);
	return octets;
}

/* The stream of the generation that decides, as far as it has come. */
static int write_stream(struct run *r, const char *path)
{
	FILE *file = fopen(path, "wbe");
	bool whole;

	if (!file)
		return 2;
	put_frame(r);
	whole = fwrite(r->tapes[0]->octets, 1, r->tapes[0]->length, file) == r->tapes[0]->length;
	return fclose(file) == 0 && whole ? 0 : 2;
}

int main(int argc, char **argv)
{
	static const struct address all4 = { .octets = { [10] = 0xff, [11] = 0xff } }, all6;
	const struct prefix everything[] = { prefix_of(&all4, 0), prefix_of(&all6, 0) };
	struct live_service service = { .name = "all", .prefixes = everything, .prefix_count = 2 };
	const char *stream = NULL;
	struct run *r = calloc(1, sizeof(*r));
	uint32_t budget = 20000;
	int64_t settle = 1, hold = LIFE_HOLD_S;
	size_t label_count;
	uint8_t *labels;
	int rc;

	if (argc < 3 || !r)
		return 2;
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--budget") == 0)
			budget = (uint32_t)strtoul(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--hold") == 0)
			hold = strtol(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--settle") == 0)
			settle = strtol(argv[i + 1], NULL, 10);
		if (strcmp(argv[i], "--fallback") == 0)
			service.fallback = strcmp(argv[i + 1], "limit") == 0 ? FALLBACK_LIMIT : FALLBACK_PREFER_KNOWN;
		if (strcmp(argv[i], "--stream") == 0)
			stream = argv[i + 1];
	}
	r->random = 7;
	r->hold_ns = hold * NS_PER_S;
	r->in = (struct sampler){ .budget = budget / 100, .interval = 1 };
	r->out = (struct sampler){ .budget = budget / 100 / EGRESS_SHARE, .interval = 1 };
	r->flows = calloc(FLOWS, sizeof(*r->flows));
	labels = read_all(argv[2], &label_count);
	r->sources = calloc(SOURCES, sizeof(*r->sources));
	if (!r->flows || !r->sources || !labels ||
	    live_new(SEED, &service, service.fallback != FALLBACK_NONE, NULL, 0, &r->live) < 0)
		return 2;
	stream_frame_init(&r->frame, r->frame_octets, sizeof(r->frame_octets));
	r->tapes[0] = begin_tape(r, live_generation(r->live));
	rc = service.fallback ? play(r, argv[1], labels, label_count, EARLIER_NS) : 0;
	if (rc == 0)
		rc = play(r, argv[1], labels, label_count, 0);
	pass_time(r, r->now + settle * NS_PER_S);
	if (rc == 0 && stream)
		rc = write_stream(r, stream);
	if (rc == 0)
		print(r);
	end_tape(r->tapes[0]);
	end_tape(r->tapes[1]);
	live_free(r->live);
	for (unsigned i = 0; i < RULES_MAX; i++)
		free(r->rules[i].sieve);
	free(r->flows);
	free(r->sources);
	free(r->attack);
	free(labels);
	free(r);
	return rc;
}
