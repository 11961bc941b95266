/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exhibit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/hash.h"
#include "base/time.h"
#include "cli/frames.h"
#include "defend/match.h"
#include "defend/rule.h"
#include "detect/incident_id.h"
#include "detect/vector.h"
#include "observe/layer.h"
#include "observe/link.h"
#include "tell/build.h"

#define SLOTS (2 * EXHIBIT_SOURCES_MAX) /* a power of two, half of it used at most */
#define COMMENT_SIZE 160

struct source {
	struct address address;
	uint64_t packets, octets; /* packets 0: free */
};

struct exhibit {
	struct exhibit_wish wish;
	struct exhibit_facts facts;
	struct frames frames;
	FILE *packets, *counters, *decisions, *sources;
	struct source *slots;
	struct capture_time now;
	int64_t second; /* that is being counted */
	bool counting;
	uint64_t lines, told;
	uint64_t seconds_packets, seconds_octets, seconds_dropped, kinds[EXHIBIT_KINDS];
	int error; /* the first that there was */
};

static void note_error(struct exhibit *exhibit, int result)
{
	if (result != 0 && exhibit->error == 0)
		exhibit->error = result;
}

int exhibit_new(const struct exhibit_wish *wish, struct exhibit **exhibit)
{
	struct exhibit *made = calloc(1, sizeof(*made));
	FILE **files[] = { &made->packets, &made->counters, &made->decisions, &made->sources };
	int result = 0;

	if (!made)
		return -ENOMEM;
	made->wish = *wish;
	made->slots = calloc(SLOTS, sizeof(*made->slots));
	if (!made->slots)
		result = -ENOMEM;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && result == 0; i++) {
		*files[i] = tmpfile();
		if (!*files[i])
			result = -errno;
	}
	if (result == 0)
		result = frames_begin(&made->frames, made->packets, wish->comment);
	if (result != 0) {
		exhibit_free(made);
		return result;
	}
	*exhibit = made;
	return 0;
}

void exhibit_free(struct exhibit *exhibit)
{
	FILE *files[4];

	if (!exhibit)
		return;
	files[0] = exhibit->packets;
	files[1] = exhibit->counters;
	files[2] = exhibit->decisions;
	files[3] = exhibit->sources;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i])
			(void)fclose(files[i]);
	free(exhibit->slots);
	free(exhibit);
}

/* A line of JSON; takes `line`. */
static void write_line(struct exhibit *exhibit, FILE *file, json_t *line)
{
	if (!line)
		note_error(exhibit, -ENOMEM);
	else if (json_dumpf(line, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF)
		note_error(exhibit, -EIO);
	json_decref(line);
}

/* ---- by the second ---- */

static void end_second(struct exhibit *exhibit)
{
	if (!exhibit->counting)
		return;
	if (exhibit->lines++ >= EXHIBIT_SECONDS_MAX) {
		exhibit->facts.seconds_left_out++;
	} else {
		json_t *kinds = json_object();

		for (unsigned i = 0; i < EXHIBIT_KINDS; i++)
			if (exhibit->kinds[i])
				(void)json_object_set_new(kinds, vector_get((uint8_t)i)->name,
				                          json_integer((json_int_t)exhibit->kinds[i]));
		write_line(exhibit, exhibit->counters,
		           json_pack("{s:o,s:I,s:I,s:I,s:o}", "second", build_time(exhibit->second * NS_PER_S),
		                     "packets", (json_int_t)exhibit->seconds_packets, "octets",
		                     (json_int_t)exhibit->seconds_octets, "dropped",
		                     (json_int_t)exhibit->seconds_dropped, "looks_like", kinds));
	}
	exhibit->counting = false;
	exhibit->seconds_packets = exhibit->seconds_octets = exhibit->seconds_dropped = 0;
	memset(exhibit->kinds, 0, sizeof(exhibit->kinds));
}

static void count_second(struct exhibit *exhibit, const struct observation *o, uint8_t kind)
{
	int64_t second = o->time.ns / NS_PER_S;

	/* What comes late is counted in the second that is being counted. */
	if (exhibit->counting && second > exhibit->second)
		end_second(exhibit);
	if (!exhibit->counting)
		exhibit->second = second;
	exhibit->counting = true;
	exhibit->seconds_packets += o->weight;
	exhibit->seconds_octets += (uint64_t)o->weight * o->length;
	exhibit->seconds_dropped += o->flags & OBSERVATION_DROPPED ? o->weight : 0;
	exhibit->kinds[kind] += o->weight;
}

/* ---- who ---- */

static void count_source(struct exhibit *exhibit, const struct observation *o)
{
	size_t at = hash_address(0, &o->src) & (SLOTS - 1);

	while (exhibit->slots[at].packets && !address_equal(&exhibit->slots[at].address, &o->src))
		at = (at + 1) & (SLOTS - 1);
	if (!exhibit->slots[at].packets) {
		if (exhibit->facts.sources >= EXHIBIT_SOURCES_MAX) {
			exhibit->facts.sources_left_out += o->weight;
			return;
		}
		exhibit->facts.sources++;
		exhibit->slots[at].address = o->src;
	}
	exhibit->slots[at].packets += o->weight;
	exhibit->slots[at].octets += (uint64_t)o->weight * o->length;
}

static int compare_sources(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	return address_compare(&x->address, &y->address);
}

static void write_sources(struct exhibit *exhibit)
{
	qsort(exhibit->slots, SLOTS, sizeof(*exhibit->slots), compare_sources);
	for (size_t i = 0; i < SLOTS && exhibit->slots[i].packets; i++) {
		char text[ADDRESS_TEXT_SIZE];

		write_line(exhibit, exhibit->sources,
		           json_pack("{s:s,s:s,s:I,s:I}", "kind", "address", "address",
		                     address_format(&exhibit->slots[i].address, text), "packets",
		                     (json_int_t)exhibit->slots[i].packets, "octets",
		                     (json_int_t)exhibit->slots[i].octets));
	}
}

/* ---- packets ---- */

static bool is_of_it(const struct exhibit *exhibit, const struct observation *o)
{
	const struct exhibit_wish *wish = &exhibit->wish;
	bool to_scope = prefix_contains(&wish->scope, &o->dst) ||
	                ((o->flags & OBSERVATION_TUNNELLED) && prefix_contains(&wish->scope, &o->outer.dst));

	return to_scope && time_since(o->time, (struct capture_time){ wish->began_ns }) >= -EXHIBIT_MARGIN_NS &&
	       (wish->ended_ns == 0 ||
	        time_since(o->time, (struct capture_time){ wish->ended_ns }) <= EXHIBIT_MARGIN_NS);
}

static bool is_within(const struct exhibit *exhibit, const struct observation *o)
{
	return o->time.ns >= exhibit->wish.began_ns &&
	       (exhibit->wish.ended_ns == 0 || o->time.ns <= exhibit->wish.ended_ns);
}

static void add_packet(struct exhibit *exhibit, const struct observation *o, uint8_t kind, uint32_t link,
                       const uint8_t *octets, uint32_t captured, uint32_t original)
{
	char comment[COMMENT_SIZE];

	if (exhibit->facts.packets >= EXHIBIT_PACKETS_MAX) {
		exhibit->facts.packets_left_out++;
		return;
	}
	(void)snprintf(comment, sizeof(comment), "%s; %s%s; stands for %u%s",
	               o->flags & OBSERVATION_DROPPED ? "dropped" : "passed",
	               exhibit->wish.vectors[kind] ? "of the kind of vector " : "of another kind: ",
	               vector_get(kind)->name, o->weight, is_within(exhibit, o) ? "" : "; outside the incident's time");
	note_error(exhibit, frames_add(&exhibit->frames, link, o->time, octets, captured, original, comment));
	exhibit->facts.packets++;
}

void exhibit_observe(struct exhibit *exhibit, const struct observation *o, bool packets)
{
	uint8_t kind;

	exhibit->now = o->time;
	if (!is_of_it(exhibit, o))
		return;
	kind = vector_recognise(o);
	count_second(exhibit, o, kind);
	/* Those who were answered, and what normal traffic there is of another kind, are none. */
	if (exhibit->wish.sources && exhibit->wish.vectors[kind] && is_within(exhibit, o) &&
	    !(o->flags & (OBSERVATION_ANSWERED | OBSERVATION_WELCOME | OBSERVATION_HANDSHAKE)))
		count_source(exhibit, o);
	if (packets) {
		uint8_t octets[FRAMES_MAKE_MAX];
		size_t length = frames_make(o, exhibit->wish.payload, octets);

		add_packet(exhibit, o, kind, FRAMES_LINK_RAW, octets, (uint32_t)length,
		           o->length > length ? o->length : (uint32_t)length);
	}
}

void exhibit_capture(struct exhibit *exhibit, const struct capture_record *record, const struct observation *o)
{
	struct layer layer = { .missing = record->original - record->captured };
	enum ip_version version;
	uint32_t kept = record->captured, headers;

	if (!is_of_it(exhibit, o))
		return;
	layer.kept = cursor_over(record->data, record->captured);
	if (!exhibit->wish.payload) {
		headers = link_pass(&layer, record->link_type, &version) == DECODE_OK
		                  ? record->captured - layer_kept(&layer)
		                  : record->captured;
		headers += o->flags & OBSERVATION_TUNNELLED ? o->outer.length : o->length;
		headers = headers > o->payload_length ? headers - o->payload_length : 0;
		kept = headers < kept ? headers : kept;
	}
	add_packet(exhibit, o, vector_recognise(o), record->link_type, record->data, kept, record->original);
}

/* ---- decisions ---- */

/* Takes `line`. */
static void decide(struct exhibit *exhibit, json_t *line)
{
	if (exhibit->told++ < EXHIBIT_DECISIONS_MAX) {
		write_line(exhibit, exhibit->decisions, line);
		return;
	}
	exhibit->facts.decisions_left_out++;
	json_decref(line);
}

void exhibit_order(struct exhibit *exhibit, const struct live_order *order)
{
	static const char *const names[] = {
		[LIVE_ADD_RULE] = "add", [LIVE_RENEW_RULE] = "renew", [LIVE_REMOVE_RULE] = "remove"
	};
	json_t *line = json_pack("{s:o,s:s,s:s,s:I}", "time", build_time(exhibit->now.ns), "by", "engine", "order",
	                         names[order->type], "handle", (json_int_t)order->handle);
	char text[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];

	if (line && order->type == LIVE_ADD_RULE)
		(void)json_object_update_new(line,
		                             json_pack("{s:s,s:s,s:s,s:I,s:b,s:I,s:s}", "match",
		                                       match_format(&order->rule.match, text), "scope",
		                                       prefix_format(&order->rule.scope, scope), "action",
		                                       rule_action_name(order->rule.action), "rate_pps",
		                                       (json_int_t)order->rule.rate_pps, "shadow", order->shadow,
		                                       "arm_pps", (json_int_t)order->arm_pps, "reason", order->reason));
	decide(exhibit, line);
}

void exhibit_news(struct exhibit *exhibit, const struct live_news *news)
{
	static const char *const names[] = {
		[LIVE_BEGAN] = "began", [LIVE_CHANGED] = "changed", [LIVE_ENDED] = "ended"
	};
	char id[INCIDENT_ID_SIZE];

	if (news->type == LIVE_FINISHED || news->incident != exhibit->wish.incident)
		return;
	incident_id_format(news->incident, id);
	decide(exhibit, json_pack("{s:o,s:s,s:s,s:s}", "time", build_time(exhibit->now.ns), "by", "engine", "incident",
	                          id, "news", names[news->type]));
}

int exhibit_end(struct exhibit *exhibit)
{
	FILE *files[] = { exhibit->packets, exhibit->counters, exhibit->decisions, exhibit->sources };

	end_second(exhibit);
	write_sources(exhibit);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (fflush(files[i]) != 0)
			note_error(exhibit, -errno);
	return exhibit->error;
}

const struct exhibit_facts *exhibit_facts(const struct exhibit *exhibit)
{
	return &exhibit->facts;
}

FILE *exhibit_packets(const struct exhibit *exhibit)
{
	return exhibit->packets;
}

FILE *exhibit_counters(const struct exhibit *exhibit)
{
	return exhibit->counters;
}

FILE *exhibit_decisions(const struct exhibit *exhibit)
{
	return exhibit->decisions;
}

FILE *exhibit_sources(const struct exhibit *exhibit)
{
	return exhibit->sources;
}
