/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an incident, fetched from the record, from its stream or from a capture, segment by segment. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/command.h"
#include "cli/evidence_inside.h"
#include "cli/exhibit.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/tape.h"
#include "detect/vector.h"
#include "observe/decode.h"
#include "record/bundle.h"
#include "record/ledger.h"
#include "tell/analysis.h"
#include "tell/build.h"

#define ACTIONS_MARGIN_NS (3600 * NS_PER_S) /* people act after the fact */

/* A line of JSON; takes `line`. */
static void write_line(struct evidence_making *making, FILE *file, json_t *line)
{
	if (!line)
		evidence_note(making, -ENOMEM);
	else if (json_dumpf(line, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF)
		evidence_note(making, -EIO);
	json_decref(line);
}

static FILE *new_file(struct evidence_making *making, enum bundle_segment segment)
{
	making->files[segment] = tmpfile();
	if (!making->files[segment])
		evidence_note(making, -errno);
	return making->files[segment];
}

void evidence_line(struct evidence_making *making, enum bundle_segment segment, json_t *line)
{
	FILE *file = making->files[segment] ? making->files[segment] : new_file(making, segment);

	if (file)
		write_line(making, file, line);
	else
		json_decref(line);
}

int evidence_take_analysis(struct evidence_making *making)
{
	size_t length, analysis_length;
	const char *analysis;
	char *text;
	FILE *file = new_file(making, BUNDLE_ANALYSIS);
	int result, status = archived_read(&making->archived, &making->whole);

	if (status != COMMAND_DONE)
		return status;
	making->incident = analysis_json_find(json_object_get(making->whole, "analysis"), making->archived.head.id);
	result = archive_read(making->archived.folder, making->archived.head.id, &text, &length, &analysis,
	                      &analysis_length);
	if (result != 0)
		return archived_refuse(making->archived.folder, result);
	if (file && fwrite(analysis, 1, analysis_length, file) != analysis_length)
		evidence_note(making, -EIO);
	free(text);
	return COMMAND_DONE;
}

static int keep_trace(void *context, const struct ledger_rollup *rollup)
{
	struct evidence_making *making = context;

	making->trace = strdup(rollup->trace);
	return making->trace ? 0 : -ENOMEM;
}

void evidence_take_trace(struct evidence_making *making)
{
	struct record_error error;
	int result = -ENOENT;

	if (making->ledger)
		result = ledger_rollup_find(making->ledger, making->archived.head.id, keep_trace, making, &error);
	if (result == -ENOENT && json_is_object(json_object_get(making->incident, "trace"))) {
		making->trace = json_dumps(json_object_get(making->incident, "trace"), JSON_COMPACT);
		result = making->trace ? 0 : -ENOMEM;
	}
	if (result != -ENOENT)
		evidence_note(making, result);
	if (making->trace && new_file(making, BUNDLE_TRACE) && fputs(making->trace, making->files[BUNDLE_TRACE]) == EOF)
		evidence_note(making, -EIO);
}

/* ---- claims ---- */

static int add_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct evidence_making *making = context;
	json_t *result = json_loads(verdict->json, JSON_REJECT_DUPLICATES, NULL);

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:o,s:s,s:I,s:s,s:o,s:s?,s:o}", "kind", "verdict", "claim", verdict->claim,
	                     "tested", build_time_or_null(verdict->at_ns), "trace_sha256", verdict->trace_sha256,
	                     "seed", (json_int_t)verdict->seed, "verdict", verdict->verdict, "approved",
	                     build_time_or_null(verdict->approved_ns), "approved_by",
	                     verdict->approved_ns ? verdict->approved_by : NULL, "result",
	                     result ? result : json_null()));
	return making->failed;
}

static int add_claim(void *context, const struct ledger_claim *claim)
{
	struct evidence_making *making = context;
	struct record_error error;

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:o,s:s,s:o,s:s,s:s,s:s,s:o,s:s}", "kind", "claim", "id", claim->id, "incident",
	                     build_incident(claim->incident), "by", claim->by, "said", build_time_or_null(claim->at_ns),
	                     "url", claim->url, "text", claim->text, "predicate", claim->predicate, "added",
	                     build_time_or_null(claim->added_ns), "added_by", claim->added_by));
	evidence_note(making, ledger_verdict_each(making->ledger, claim->id, add_verdict, making, &error));
	return making->failed;
}

static int add_event(void *context, const struct ledger_event *event)
{
	struct evidence_making *making = context;

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:s}", "kind", "event", "id", event->id, "event",
	                     ledger_event_kind_name(event->kind), "began", build_time_or_null(event->began_ns), "ended",
	                     build_time_or_null(event->ended_ns), "text", event->text, "url", event->url, "added",
	                     build_time_or_null(event->added_ns), "added_by", event->added_by));
	return making->failed;
}

/* Verdicts may rest on earlier roll-ups than the one in trace.json: those are kept as texts, for their sums' sake. */
static int add_earlier_trace(void *context, const struct ledger_rollup *rollup)
{
	struct evidence_making *making = context;

	if (making->trace && strcmp(making->trace, rollup->trace) == 0)
		return 0;
	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:s}", "kind", "trace", "sha256", rollup->sha256, "text", rollup->trace));
	return making->failed;
}

void evidence_take_claims(struct evidence_making *making)
{
	struct record_error error;

	if (!making->ledger || !new_file(making, BUNDLE_CLAIMS))
		return;
	evidence_note(making, ledger_claim_each(making->ledger, making->archived.head.id, add_claim, making, &error));
	evidence_note(making, ledger_event_each(making->ledger, add_event, making, &error));
	evidence_note(making,
	              ledger_rollup_each(making->ledger, making->archived.head.id, add_earlier_trace, making, &error));
}

void evidence_take_rules(struct evidence_making *making)
{
	const json_t *proposed = json_object_get(making->incident, "signatures"), *entry;
	const json_t *live =
		json_object_get(json_object_get(json_object_get(making->whole, "analysis"), "live"), "rules");
	FILE *file = new_file(making, BUNDLE_RULES);
	size_t i;

	if (!file)
		return;
	json_array_foreach(proposed, i, entry)
	{
		write_line(making, file, json_pack("{s:s,s:O}", "kind", "proposed", "rule", entry));
	}
	json_array_foreach(live, i, entry)
	{
		write_line(making, file, json_pack("{s:s,s:O}", "kind", "live", "rule", entry));
	}
}

/* ---- packets, counters, decisions, sources ---- */

static void see_order(void *context, const struct live *live, const struct live_order *order)
{
	(void)live;
	exhibit_order(((struct evidence_making *)context)->exhibit, order);
}

static void see_news(void *context, struct live *live, const struct live_news *news)
{
	(void)live;
	exhibit_news(((struct evidence_making *)context)->exhibit, news);
}

static void see_observation(void *context, const struct observation *observation)
{
	const struct evidence_making *making = context;

	exhibit_observe(making->exhibit, observation, !making->options->capture);
}

static int replay(struct evidence_making *making)
{
	const struct stream_listener witness = {
		.order = see_order, .news = see_news, .observed = see_observation, .context = making
	};
	struct tape *tape = malloc(sizeof(*tape));
	struct progress progress;
	int result = tape ? tape_init_with(tape, making->archived.head.id, &witness) : -ENOMEM;

	if (result != 0) {
		free(tape);
		return evidence_refuse_memory();
	}
	progress_begin(&progress);
	result = tape_read(tape, making->archived.stream, &progress);
	progress_clear(&progress);
	if (result == 0)
		result = tape_end(tape);
	if (result != 0)
		say_error(making->archived.stream, "cannot be replayed: %s; it is left out", strerror(-result));
	tape_fini(tape);
	free(tape);
	return result == -ENOMEM ? COMMAND_BAD : COMMAND_DONE;
}

static int read_capture(struct evidence_making *making)
{
	const char *path = making->options->capture;
	char error[CAPTURE_ERROR_SIZE];
	struct capture *capture = capture_open(path, error);
	struct capture_record record;
	enum capture_kind kind;
	int fd, result;

	if (!capture) {
		say_error(path, "%s", error);
		return COMMAND_BAD;
	}
	while ((kind = capture_next(capture, &record)) == CAPTURE_PACKET || kind == CAPTURE_OTHER) {
		struct observation observation;

		if (kind != CAPTURE_PACKET ||
		    !decode_hits_target(decode_frame(record.link_type, record.data, record.captured, record.original,
		                                     &observation)))
			continue;
		observation.time = record.time;
		observation.weight = 1;
		if (!making->archived.has_stream)
			exhibit_observe(making->exhibit, &observation, false);
		exhibit_capture(making->exhibit, &record, &observation);
	}
	if (kind != CAPTURE_END)
		say_error(path, "%s", capture_error(capture));
	capture_close(capture);
	if (kind != CAPTURE_END)
		return COMMAND_BAD;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	result = fd >= 0 ? bundle_sum(fd, making->capture_sha256) : -errno;
	if (fd >= 0)
		(void)close(fd);
	evidence_note(making, result);
	return COMMAND_DONE;
}

/* Whether sources are real hosts, of whichever kind. */
static bool are_real(const struct evidence_making *making)
{
	const char *verdict = json_string_value(
		json_object_get(json_object_get(json_object_get(making->incident, "sources"), "spoofing"), "verdict"));

	return verdict && (strcmp(verdict, "verified") == 0 || strcmp(verdict, "reflectors") == 0);
}

/* Kinds of packets that are called as one of its vectors is. */
static void find_kinds(const struct evidence_making *making, bool kinds[EXHIBIT_KINDS])
{
	const json_t *vectors = json_object_get(making->incident, "vectors"), *entry;
	size_t i;

	for (unsigned kind = 0; kind < EXHIBIT_KINDS; kind++) {
		kinds[kind] = false;
		json_array_foreach(vectors, i, entry)
		{
			const char *name = json_string_value(json_object_get(entry, "name"));

			if (kind < vector_count() && name && strcmp(name, vector_get((uint8_t)kind)->name) == 0)
				kinds[kind] = true;
		}
	}
}

/* sources.jsonl begins with the trace's rows, whatever is known of single addresses. */
static void add_rows(struct evidence_making *making)
{
	json_t *trace = making->trace ? json_loads(making->trace, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(trace, "rows"), i, entry)
	{
		write_line(making, exhibit_sources(making->exhibit),
		           json_pack("{s:s,s:O}", "kind", "row", "row", entry));
	}
	json_decref(trace);
}

static int add_action(void *context, uint64_t id, const struct record_action *action)
{
	struct evidence_making *making = context;
	json_t *arguments = json_loads(action->arguments, 0, NULL);

	write_line(making, exhibit_decisions(making->exhibit),
	           json_pack("{s:o,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:o,s:s,s:s}", "time",
	                     build_time_or_null(action->time_ns), "by", "record", "action", (json_int_t)id, "uid",
	                     (json_int_t)action->uid, "user", action->user, "client", action->client, "command",
	                     action->command, "object", action->object, "arguments",
	                     arguments ? arguments : json_null(), "outcome", action->outcome, "message",
	                     action->message));
	return making->failed;
}

int evidence_take_exhibit(struct evidence_making *making)
{
	const struct archive_incident *head = &making->archived.head;
	const struct evidence_options *options = making->options;
	bool vectors[EXHIBIT_KINDS];
	struct exhibit_wish wish = { .incident = head->id,
		                     .began_ns = head->began_ns,
		                     .ended_ns = head->ended_ns,
		                     .payload = options->payload,
		                     .sources = are_real(making),
		                     .vectors = vectors };
	struct record_error error;
	int status = COMMAND_DONE, result;

	find_kinds(making, vectors);
	making->synthesised = making->archived.has_stream && !options->capture;
	wish.comment =
		options->capture
			? options->payload ? "packets as a capture has them"
	                                   : "packets as a capture has them, cut behind their headers"
			: "headers made up from what the daemon noted of each packet that it looked at (fields that it does not "
			  "note are 0, checksums among them): what was observed, not a capture";
	if (prefix_parse(head->target, &wish.scope) != 0) {
		say_error("evidence", "the incident's target '%s' is no prefix; its file may be broken", head->target);
		return COMMAND_BAD;
	}
	result = exhibit_new(&wish, &making->exhibit);
	if (result != 0) {
		say_error("evidence", "%s; is there room in /tmp?", strerror(-result));
		return COMMAND_BAD;
	}
	add_rows(making);
	if (making->archived.has_stream)
		status = replay(making);
	if (status == COMMAND_DONE && options->capture)
		status = read_capture(making);
	if (status != COMMAND_DONE)
		return status;
	if (making->ledger)
		evidence_note(making, ledger_action_each(making->ledger, head->began_ns - ACTIONS_MARGIN_NS,
		                                         (head->ended_ns ? head->ended_ns : making->made_ns) +
		                                                 ACTIONS_MARGIN_NS,
		                                         add_action, making, &error));
	evidence_note(making, exhibit_end(making->exhibit));
	return COMMAND_DONE;
}

void evidence_take_stream(struct evidence_making *making)
{
	if (!making->options->payload || !making->archived.has_stream)
		return;
	making->files[BUNDLE_STREAM] = fopen(making->archived.stream, "rbe");
	if (!making->files[BUNDLE_STREAM])
		evidence_note(making, -errno);
}
