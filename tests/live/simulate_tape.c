/* SPDX-License-Identifier: Apache-2.0 */
/* A generation's stream as a daemon writes it, and what a replay of it comes to. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulate.h"
#include "tell/analysis.h"

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

struct tape *tape_begin(struct run *r, uint32_t generation)
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

void tape_end(struct tape *t)
{
	if (!t)
		return;
	fclose(t->log);
	free(t->text);
	free(t->octets);
	free(t);
}

void tape_put_frame(struct run *r)
{
	size_t length = stream_frame_end(&r->frame);

	r->stream_octets += length;
	for (unsigned i = 0; i < 2; i++)
		if (r->tapes[i] && length)
			append(r->tapes[i], r->frame_octets, length);
}

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

void tape_check(struct run *r, struct tape *t)
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

void tape_log(struct run *r, const struct live_order *order, const struct live_news *news)
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

void tape_follow(struct run *r)
{
	uint32_t warming = live_warming(r->live);

	if (live_generation(r->live) == r->tapes[0]->generation &&
	    warming == (r->tapes[1] ? r->tapes[1]->generation : 0))
		return;
	tape_put_frame(r);
	if (live_generation(r->live) != r->tapes[0]->generation) {
		tape_check(r, r->tapes[0]);
		tape_end(r->tapes[0]);
		r->tapes[0] = r->tapes[1];
		r->tapes[1] = NULL;
	}
	if (warming == (r->tapes[1] ? r->tapes[1]->generation : 0))
		return;
	tape_end(r->tapes[1]);
	r->tapes[1] = warming ? tape_begin(r, warming) : NULL;
}
