/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate CAPTURE LABELS [--budget N] [--hold S] [--settle S] [--fallback WORD] [--stream OUT]: plays a capture that
 * synth made to the live engine, with a shield that does as the kernel's programs do: it samples what comes and what
 * leaves by a budget, knows whom the host has answered, carries out orders LATENCY after they were given, arms, spares
 * and probes, and drops. Prints one object of JSON with what came of it, in the capture's own time; LABELS (synth
 * --labels) say which packets were whose. Samples are N a second; rules act for `hold` seconds after their last match;
 * `settle` seconds of silence follow the capture. With WORD everything is one service that is passed on and may fall
 * back on that, and the capture's peace has come once before. OUT is what the last generation's stream is written to.
 *
 * Each generation's stream is written as a daemon does, replayed at its end, and held against what the live engine
 * said.
 *
 * What a host answers to a packet that was dropped is left out. Senders do not react: clients of a dropped packet do
 * not repeat it, so losses are shown a little too low where there are any. Once a second it is told how full its link
 * is: one of LINK_MBPS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/live.h"
#include "engine/stream.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "simulate.h"

#define SEED 0x686f6c6466617374u
#define LATENCY (5 * NS_PER_MS) /* from an order to its being in force */
#define COUNTED_EVERY (100 * NS_PER_MS)
#define LINK_MBPS 10000
#define EGRESS_SHARE 4 /* of the budget */
#define EARLIER_NS (40 * NS_PER_S)
#define NUMBER_MAX 1000000 /* of an option */
#define SYN 0x02
#define RST 0x04
#define ACK 0x10
#define FIN 0x01

/* ---- samples ---- */

static void deliver(struct run *r, struct sampler *s, struct observation *o, uint32_t flags)
{
	int64_t tick = r->now / (10 * NS_PER_MS);

	if (s->tick != tick) {
		if (s->taken * 2 < s->budget && s->interval > 1)
			s->interval /= 2;
		s->tick = tick;
		s->taken = 0;
	}
	if (run_draw(r) % s->interval)
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
		tape_log(r, &order, NULL);
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
		tape_log(r, NULL, &news);
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
		kernel_carry_out(r);
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
		tape_follow(r);
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
	kernel_carry_out(r);
}

/* ---- packets ---- */

static void arrive(struct run *r, struct observation *o, char label)
{
	bool ports = o->flags & OBSERVATION_PORTS, tcp = o->flags & OBSERVATION_TCP, completes = false, pass;
	struct flow *flow = ports ? kernel_flow(r, &o->src, o->src_port, &o->dst, o->dst_port, o->protocol) : NULL;

	r->load_packets++;
	r->load_octets += o->length;
	pass = kernel_judge(r, o, flow);
	if (flow)
		flow->dropped = !pass;
	if (tcp && pass && flow->opened && (o->tcp.flags & (SYN | ACK)) == ACK && o->tcp.ack == flow->ack_due) {
		completes = !flow->established;
		flow->established = true;
	}
	if (label == 'n') {
		if (live_attacked(r->live) && kernel_source(r, &o->src)->known) {
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
		flow = kernel_flow(r, &o->dst, o->dst_port, &o->src, o->src_port, o->protocol);
		if (label == 'r' && flow->dropped)
			return;
		if ((!(o->flags & OBSERVATION_TCP) || !(o->tcp.flags & (SYN | RST))) && !live_attacked(r->live))
			kernel_source(r, &o->dst)->known = true;
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

/* ---- a capture ---- */

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
	tape_put_frame(r);
	whole = fwrite(r->tapes[0]->octets, 1, r->tapes[0]->length, file) == r->tapes[0]->length;
	return fclose(file) == 0 && whole ? 0 : 2;
}

static void finish(struct run *r)
{
	tell_course(r);
	tape_put_frame(r);
	if (live_end(r->live) < 0)
		abort();
	take_orders(r);
	tape_check(r, r->tapes[0]);
	tell_end(r);
}

struct asked {
	int64_t budget, hold, settle;
	enum fallback_allowed fallback;
	const char *stream;
};

/* The options behind the two operands; false where one is none, or its value. */
static bool take_options(int count, char **words, struct asked *asked)
{
	const struct {
		const char *name;
		int64_t *into;
	} numbers[] = { { "--budget", &asked->budget }, { "--hold", &asked->hold }, { "--settle", &asked->settle } };

	for (int i = 0; i < count; i += 2) {
		const char *value = i + 1 < count ? words[i + 1] : "";
		char *end = NULL;
		size_t at = 0;

		if (strcmp(words[i], "--stream") == 0 && *value) {
			asked->stream = value;
			continue;
		}
		if (strcmp(words[i], "--fallback") == 0) {
			bool limit = strcmp(value, "limit") == 0;

			if (!limit && strcmp(value, "prefer_known") != 0)
				return false;
			asked->fallback = limit ? FALLBACK_LIMIT : FALLBACK_PREFER_KNOWN;
			continue;
		}
		while (at < sizeof(numbers) / sizeof(numbers[0]) && strcmp(words[i], numbers[at].name) != 0)
			at++;
		if (at == sizeof(numbers) / sizeof(numbers[0]))
			return false;
		*numbers[at].into = strtol(value, &end, 10);
		if (!*value || *end || *numbers[at].into < 0 || *numbers[at].into > NUMBER_MAX)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct address all4 = { .octets = { [10] = 0xff, [11] = 0xff } }, all6;
	const struct prefix everything[] = { prefix_of(&all4, 0), prefix_of(&all6, 0) };
	struct live_service service = { .name = "all", .prefixes = everything, .prefix_count = 2 };
	struct asked asked = { .budget = 20000, .hold = LIFE_HOLD_S, .settle = 1, .fallback = FALLBACK_NONE };
	struct run *r = calloc(1, sizeof(*r));
	uint32_t budget;
	size_t label_count;
	uint8_t *labels;
	int rc;

	if (argc < 3 || !r)
		return 2;
	if (!take_options(argc - 3, argv + 3, &asked)) {
		fputs("simulate: CAPTURE LABELS [--budget N] [--hold S] [--settle S] [--fallback limit|prefer_known] "
		      "[--stream OUT]\n",
		      stderr);
		return 2;
	}
	budget = (uint32_t)asked.budget;
	service.fallback = asked.fallback;
	r->random = 7;
	r->hold_ns = asked.hold * NS_PER_S;
	r->in = (struct sampler){ .budget = budget / 100, .interval = 1 };
	r->out = (struct sampler){ .budget = budget / 100 / EGRESS_SHARE, .interval = 1 };
	r->flows = calloc(FLOWS, sizeof(*r->flows));
	labels = read_all(argv[2], &label_count);
	r->sources = calloc(SOURCES, sizeof(*r->sources));
	if (!r->flows || !r->sources || !labels ||
	    live_new(SEED, &service, service.fallback != FALLBACK_NONE, NULL, 0, &r->live) < 0)
		return 2;
	stream_frame_init(&r->frame, r->frame_octets, sizeof(r->frame_octets));
	r->tapes[0] = tape_begin(r, live_generation(r->live));
	rc = service.fallback ? play(r, argv[1], labels, label_count, EARLIER_NS) : 0;
	if (rc == 0)
		rc = play(r, argv[1], labels, label_count, 0);
	pass_time(r, r->now + asked.settle * NS_PER_S);
	if (rc == 0 && asked.stream)
		rc = write_stream(r, asked.stream);
	if (rc == 0)
		finish(r);
	tape_end(r->tapes[0]);
	tape_end(r->tapes[1]);
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
