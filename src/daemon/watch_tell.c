/* SPDX-License-Identifier: Apache-2.0 */
/* What live's news rest on, as JSON, and what was learned: files in memory for the recorder. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/log.h"
#include "daemon/watch_inside.h"
#include "measure/slot.h"
#include "tell/analysis.h"

#define BITS 8

/* ---- words ---- */

/* The service with the longest prefix that holds the scope; else one that lies in it. */
static const char *service_of(const void *context, const struct finding *finding)
{
	const struct config *config = context;
	const struct prefix *scope = &finding->incident->scope;
	const char *name = NULL;
	int best = -1;

	for (unsigned i = 0; i < config->service_count; i++)
		for (uint32_t k = 0; k < config->services[i].addresses.count; k++) {
			const struct prefix *prefix = &config->services[i].addresses.prefixes[k];
			int length = prefix_covers(prefix, scope)   ? prefix->length + 1
			             : prefix_covers(scope, prefix) ? 0
			                                            : -1;

			if (length <= best)
				continue;
			best = length;
			name = config->services[i].name;
		}
	return name;
}

static void describe(const struct watch *watch, const struct watch_stream *stream, const struct finding *finding,
                     enum message_incident_state state, struct message_incident *into)
{
	const struct incident *incident = finding->incident;
	const char *service = service_of(watch->config, finding);
	char scope[PREFIX_TEXT_SIZE];

	into->id = incident->id;
	into->generation = stream->name;
	into->began_ns = incident->began.ns;
	into->ended_ns = state == MESSAGE_INCIDENT_OPEN ? 0 : incident->ended.ns;
	into->peak_pps = incident->peak_packets * SLOTS_PER_SECOND;
	into->peak_bps = incident->peak_bytes * SLOTS_PER_SECOND * BITS;
	into->state = state;
	message_text(into->service, sizeof(into->service), service ? service : "");
	message_text(into->target, sizeof(into->target), prefix_format(&incident->scope, scope));
	message_text(into->vector, sizeof(into->vector),
	             incident->parts_count ? vector_get(incident->parts[0].kind)->name : "");
}

/* ---- files ---- */

struct writing {
	int fd;
	FILE *out;
};

static int begin_writing(struct writing *writing)
{
	int fd = outbox_file(NULL, 0), other;

	if (fd < 0)
		return fd;
	other = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* closing the stream is to leave the file */
	writing->out = other >= 0 ? fdopen(other, "w") : NULL;
	if (!writing->out) {
		int error = errno;

		if (other >= 0)
			(void)close(other);
		(void)close(fd);
		return error ? -error : -EIO;
	}
	writing->fd = fd;
	return 0;
}

/* The file's length, or -errno, and then it is closed. */
static int64_t end_writing(struct writing *writing, int result)
{
	long length = result == 0 ? ftell(writing->out) : -1;

	if (fclose(writing->out) != 0 && result == 0)
		result = -errno;
	if (result == 0 && length <= 0)
		result = -EIO;
	if (result != 0)
		(void)close(writing->fd);
	return result ? result : length;
}

/* `length` is what end_writing() said, or begin_writing() where that failed. */
static void send_incident(struct watch *watch, const struct writing *writing, int64_t length)
{
	if (length > MESSAGE_JSON_MAX) {
		(void)close(writing->fd);
		length = -EFBIG;
	}
	if (length < 0) {
		LOG_SAY(LOG_ERROR, "an incident is not told: %s", strerror((int)-length));
		return;
	}
	watch->message.incident.length = (uint32_t)length;
	if (outbox_put(watch->setup.outbox, &watch->message, writing->fd, (size_t)length) != 0)
		LOG_SAY(LOG_ERROR, "the recorder is behind: an incident as it stands is not recorded");
}

/* ---- news ---- */

/* How users and links fared around it. */
static void read_course(const struct watch *watch, const struct incident *incident, bool over, struct series *series)
{
	int64_t from_s = incident->began.ns / NS_PER_S - SERIES_QUIET_S;
	int64_t to_s = over ? incident->ended.ns / NS_PER_S + SERIES_QUIET_S : INT64_MAX, begin_s, step_s;

	to_s = to_s < watch->present_s ? to_s : watch->present_s - 1;
	series->count = course_read(watch->course, from_s, to_s, series->points, SERIES_POINTS_MAX, &begin_s, &step_s);
	if (series->count == 0)
		return;
	series->from.ns = begin_s * NS_PER_S;
	series->step_ns = step_s * NS_PER_S;
}

/* Nothing is told of where it came from when there is no memory for it. */
static void trace(struct watch *watch, const struct finding *finding, uint32_t sources_max,
                  struct analysis_input *input)
{
	int64_t now_ns = watch->now_ns + watch->shift_ns;

	if (!watch->setup.traces)
		return;
	if (watch_trace_make(watch->setup.traces, watch->config, finding, sources_max, now_ns) != 0)
		LOG_SAY(LOG_WARNING, "an attack's sources are not traced: out of memory");
	input->trace_of = watch_trace_of;
	input->trace_context = watch->setup.traces;
}

/* It has become part of another. */
static void tell_joined(struct watch *watch, uint64_t id)
{
	message_init(&watch->message, MESSAGE_INCIDENT, 0);
	watch->message.incident.id = id;
	watch->message.incident.state = MESSAGE_INCIDENT_JOINED;
	(void)outbox_put(watch->setup.outbox, &watch->message, -1, 0);
}

static void tell_standing(struct watch *watch, const struct watch_standing *standing)
{
	const enum message_incident_state state = standing->over ? MESSAGE_INCIDENT_OVER : MESSAGE_INCIDENT_OPEN;
	const struct engine_totals *totals = engine_totals(live_engine(watch->live));
	struct analysis_input input = analysis_input_of(totals, NULL, 0);
	const struct life *rules[LIVE_RULES_MAX];
	struct analysis_live live = { .rules = rules, .series = &watch->series };
	struct writing writing = { .fd = -1 };
	struct finding finding;
	int result = live_find(watch->live, standing->incident, &finding);

	if (result == -ENOENT && standing->over)
		tell_joined(watch, standing->incident);
	if (result != 0)
		return;
	input.service_of = service_of;
	input.service_context = watch->config;
	live.rule_count = live_rules(watch->live, standing->incident, rules);
	read_course(watch, finding.incident, standing->over, &watch->series);
	message_init(&watch->message, MESSAGE_INCIDENT, 0);
	describe(watch, &watch->streams.deciding, &finding, state, &watch->message.incident);
	trace(watch, &finding, WATCH_TRACE_SOURCES, &input);
	result = begin_writing(&writing);
	if (result == 0) {
		result = analysis_json_write_finding(writing.out, &input, totals, &finding, &live);
		send_incident(watch, &writing, end_writing(&writing, result));
	} else {
		send_incident(watch, &writing, result);
	}
	finding_fini(&finding);
}

static bool is_going_on(const struct watch *watch, uint64_t incident)
{
	struct live_view view;

	for (unsigned i = live_count(watch->live); i-- > 0;) {
		live_view(watch->live, i, &view);
		if (view.id == incident)
			return true;
	}
	return false;
}

/*
 * However often it changes before it is told, it is told once. Of what is part of another there is nothing to be found.
 */
static void note_standing(struct watch *watch, uint64_t incident, bool over)
{
	struct watch_telling *telling = &watch->telling;
	unsigned i = 0;

	while (i < telling->standing_count && telling->standing[i].incident != incident)
		i++;
	if (over && !is_going_on(watch, incident)) {
		tell_joined(watch, incident);
		return;
	}
	if (i == INCIDENT_LIST_MAX) /* an engine has no more */
		return;
	if (i == telling->standing_count)
		telling->standing[telling->standing_count++] = (struct watch_standing){ .incident = incident };
	telling->standing[i].over = telling->standing[i].over || over;
}

/* ---- the end of a generation ---- */

static unsigned lives_of(const struct watch_telling *telling, uint64_t incident,
                         const struct life *rules[LIVE_RULES_MAX])
{
	unsigned count = 0;

	for (unsigned i = 0; i < telling->life_count && count < LIVE_RULES_MAX; i++)
		if (telling->lives[i].incident == incident)
			rules[count++] = &telling->lives[i];
	return count;
}

/* What becomes of its incidents' rules from now on is not theirs any more. */
static void keep_lives(struct watch *watch)
{
	struct watch_telling *telling = &watch->telling;
	const struct engine *engine = telling->finished;

	telling->life_count = 0;
	if (!telling->lives)
		telling->lives = calloc(LIVE_LIVES_MAX, sizeof(*telling->lives));
	for (uint32_t i = 0; telling->lives && i < engine_incident_count(engine); i++) {
		const struct incident *incident = engine_incident(engine, i);
		const struct life *rules[LIVE_RULES_MAX];
		unsigned count = incident ? live_rules(watch->live, incident->id, rules) : 0;

		for (unsigned k = 0; k < count && telling->life_count < LIVE_LIVES_MAX; k++)
			telling->lives[telling->life_count++] = *rules[k];
	}
}

/* Of what it found all is told with its end, in one file of each incident. */
static void begin_finished(struct watch *watch)
{
	struct watch_telling *telling = &watch->telling;

	watch_tell_rest(watch); /* of the generation before, where that has not come to its end yet */
	telling->finished = live_take_finished(watch->live);
	telling->found = false;
	telling->told = 0;
	watch_stream_finishes(watch, &telling->stream);
	keep_lives(watch);
}

static void end_finished(struct watch *watch)
{
	watch_stream_finish(watch, &watch->telling.stream);
	engine_free(watch->telling.finished);
	watch->telling.finished = NULL;
	watch_save(watch);
}

/* All that the generation found, for one of its incidents, with what became of that one's rules. */
static void tell_found(struct watch *watch, const struct finding *finding)
{
	struct watch_telling *telling = &watch->telling;
	char name[sizeof("0123456789abcdef.hfs")];
	const char *const files[] = { name };
	struct analysis_input input = analysis_input_of(engine_totals(telling->finished), files, 1);
	const struct life *rules[LIVE_RULES_MAX];
	struct analysis_live live = { .rules = rules, .series = &watch->series };
	struct writing writing = { .fd = -1 };
	int result = begin_writing(&writing);

	if (result != 0) {
		send_incident(watch, &writing, result);
		return;
	}
	input.service_of = service_of;
	input.service_context = watch->config;
	(void)snprintf(name, sizeof(name), "%016" PRIx64 ".hfs", finding->incident->id);
	watch_stream_keep(watch, &telling->stream, finding->incident->id);
	live.rule_count = lives_of(telling, finding->incident->id, rules);
	read_course(watch, finding->incident, true, &watch->series);
	message_init(&watch->message, MESSAGE_INCIDENT, 0);
	describe(watch, &telling->stream, finding, MESSAGE_INCIDENT_FINAL, &watch->message.incident);
	trace(watch, finding, WATCH_TRACE_FINAL, &input);
	if (watch->setup.traces)
		watch_trace_keep(watch->setup.traces);
	result = analysis_json_write_live(writing.out, &input, telling->finished, &live);
	send_incident(watch, &writing, end_writing(&writing, result));
}

/* One finding is made, or one told. */
static void go_on_finished(struct watch *watch)
{
	struct watch_telling *telling = &watch->telling;
	const struct finding *finding;
	int made = telling->found ? 0 : engine_make_finding(telling->finished);

	if (made < 0)
		LOG_SAY(LOG_ERROR, "of what a generation found some is not told: %s", strerror(-made));
	telling->found = made <= 0;
	if (made != 0)
		return;
	while (telling->told < engine_count(telling->finished)) {
		finding = engine_finding(telling->finished, telling->told++);
		if (finding->incident->is_scan)
			continue;
		tell_found(watch, finding);
		return;
	}
	end_finished(watch);
}

/* ---- turns ---- */

bool watch_tell_some(struct watch *watch, unsigned pieces)
{
	struct watch_telling *telling = &watch->telling;

	for (; pieces > 0 && (telling->standing_count || telling->finished); pieces--) {
		if (telling->standing_count) {
			const struct watch_standing first = telling->standing[0];

			memmove(telling->standing, telling->standing + 1,
			        --telling->standing_count * sizeof(telling->standing[0]));
			tell_standing(watch, &first);
		} else {
			go_on_finished(watch);
		}
	}
	return telling->standing_count || telling->finished;
}

void watch_tell_rest(struct watch *watch)
{
	watch->telling.standing_count = 0; /* all of them are in what has ended */
	while (watch->telling.finished)
		go_on_finished(watch);
}

void watch_telling_free(struct watch *watch)
{
	engine_free(watch->telling.finished);
	free(watch->telling.lives);
}

static const char *words_of(const struct live_news *news)
{
	return news->type == LIVE_BEGAN ? "began" : news->type == LIVE_ENDED ? "ended" : "changed";
}

void watch_tell(struct watch *watch, const struct live_news *news)
{
	if (news->type == LIVE_FINISHED) {
		watch->generations++;
		begin_finished(watch);
		return;
	}
	if (news->type != LIVE_CHANGED)
		LOG_SAY(LOG_NOTICE, "attack %016" PRIx64 " %s", news->incident, words_of(news));
	watch_alert(watch, news);
	note_standing(watch, news->incident, news->type == LIVE_ENDED);
}

/* ---- what was learned ---- */

void watch_save(struct watch *watch)
{
	uint8_t *octets = NULL;
	size_t length = 0;
	int result, fd;

	if (!live_engine(watch->live)) /* it has ended, and was saved before */
		return;
	result = live_save(watch->live, &octets, &length);
	if (result == 0 && length > MESSAGE_CHECKPOINT_MAX)
		result = -EFBIG;
	if (result == 0) {
		fd = outbox_file(octets, length);
		message_init(&watch->message, MESSAGE_CHECKPOINT, 0);
		watch->message.checkpoint.length = (uint32_t)length;
		result = fd < 0 ? fd : outbox_put(watch->setup.outbox, &watch->message, fd, length);
	}
	free(octets);
	if (result != 0)
		LOG_SAY(LOG_WARNING, "what was learned is not kept: %s", strerror(-result));
}
