/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/recompute.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/recompute_statements.h"
#include "cli/tape.h"
#include "detect/incident.h"
#include "observe/capture.h"
#include "tell/analysis.h"
#include "tell/claim_json.h"
#include "tell/facts.h"
#include "tell/trace_json.h"
#include "trace/claim.h"
#include "trace/predicate.h"
#include "trace/trace.h"

#define NOISE_SHARE 50
#define SHARE_SLACK 0.0001 /* shares are told with four places */
#define BLOCK 65536

struct work {
	const struct bundle *bundle;
	int fd;
	struct recomputed *done;
	struct recompute_fault *fault;
	json_t *lines; /* of claims.jsonl, an array; NULL: it is not there */
	json_t *about; /* the incident in analysis.json; borrowed from `analysis` */
	json_t *analysis;
};

__attribute__((format(printf, 3, 4))) static int differ(const struct work *work, const char *member, const char *format,
                                                        ...)
{
	va_list arguments;

	*work->fault = (struct recompute_fault){ .member = "" };
	(void)snprintf(work->fault->member, sizeof(work->fault->member), "%s", member);
	va_start(arguments, format);
	(void)vsnprintf(work->fault->what, sizeof(work->fault->what), format, arguments);
	va_end(arguments);
	return -EBADMSG;
}

static void note(const struct work *work, const char *text)
{
	size_t length = strlen(work->done->note);

	(void)snprintf(work->done->note + length, sizeof(work->done->note) - length, "%s%s", length ? ", " : "", text);
}

/* ---- segments ---- */

static int read_json(const struct work *work, enum bundle_segment segment, json_t **json)
{
	char *text;
	size_t length;
	int result = bundle_text(work->bundle, work->fd, segment, &text, &length);

	if (result != 0)
		return result;
	*json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return *json ? 0 : differ(work, bundle_segment_name(segment), "it is no JSON");
}

/* An array of what the lines are. */
static int read_lines(const struct work *work, enum bundle_segment segment, json_t **lines)
{
	char *text, *at;
	size_t length;
	int result = bundle_text(work->bundle, work->fd, segment, &text, &length);
	json_t *array;

	if (result != 0)
		return result;
	array = json_array();
	for (at = text; result == 0 && at < text + length;) {
		char *end = memchr(at, '\n', (size_t)(text + length - at));
		size_t line = end ? (size_t)(end - at) : (size_t)(text + length - at);
		json_t *json = json_loadb(at, line, JSON_REJECT_DUPLICATES, NULL);

		if (!json || json_array_size(array) >= RECOMPUTE_LINES_MAX) {
			json_decref(json);
			result = differ(work, bundle_segment_name(segment), "line %zu is no JSON, or one too many",
			                json_array_size(array) + 1);
		} else if (json_array_append_new(array, json) != 0) {
			result = -ENOMEM;
		}
		at += line + 1;
	}
	free(text);
	if (result == 0)
		*lines = array;
	else
		json_decref(array);
	return result;
}

/* ---- verdicts ---- */

/* Reads a trace that is JSON text. trace_fini() is due after 0. */
static int take_trace(const struct work *work, const char *member, const char *text, size_t length, struct trace *trace)
{
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	char error[160] = "";
	int result = json ? trace_json_read(json, trace, error) : -EBADMSG;

	json_decref(json);
	return result == -EBADMSG ? differ(work, member, "%s", json ? error : "it is no JSON") : result;
}

/* The trace that has this sum: trace.json, or an earlier one in claims.jsonl. */
static int find_trace(const struct work *work, const char *member, const char *sum, struct trace *trace)
{
	const json_t *line;
	size_t i, length;
	char *text;
	int result;

	if (work->bundle->parts[BUNDLE_TRACE].state == BUNDLE_WHOLE &&
	    strcmp(work->bundle->parts[BUNDLE_TRACE].sha256, sum) == 0) {
		result = bundle_text(work->bundle, work->fd, BUNDLE_TRACE, &text, &length);
		if (result != 0)
			return result;
		result = take_trace(work, "trace.json", text, length, trace);
		free(text);
		return result;
	}
	json_array_foreach(work->lines, i, line)
	{
		const json_t *its = json_object_get(line, "text");
		char found[BUNDLE_HEX_SIZE];

		if (strcmp(fact_text(line, "kind"), "trace") != 0 || !json_is_string(its))
			continue;
		bundle_sum_of(json_string_value(its), json_string_length(its), found);
		if (strcmp(found, sum) == 0)
			return take_trace(work, member, json_string_value(its), json_string_length(its), trace);
	}
	return differ(work, member, "the trace that it rests on, %s, is not in the bundle", sum);
}

static const char *predicate_of(const struct work *work, const char *claim)
{
	const json_t *line;
	size_t i;

	json_array_foreach(work->lines, i,
	                   line) if (strcmp(fact_text(line, "kind"), "claim") == 0 &&
	                             strcmp(fact_text(line, "id"), claim) == 0) return fact_text(line, "predicate");
	return NULL;
}

/* The first member of a verdict that came out differently. */
static int compare(const struct work *work, const char *member, json_t *wanted, json_t *made)
{
	const char *key;
	json_t *value;

	json_object_foreach(wanted, key, value)
	{
		json_t *other = json_object_get(made, key);
		char *was, *is;

		if (other && json_equal(value, other))
			continue;
		was = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		is = other ? json_dumps(other, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
		(void)differ(work, member, "member %.40s is %.60s and comes out as %.60s", key, was ? was : "?",
		             is ? is : "nothing");
		free(was);
		free(is);
		return -EBADMSG;
	}
	return json_object_size(made) == json_object_size(wanted) ? 0 : differ(work, member, "members are missing");
}

static int judge(const struct work *work, const char *member, const json_t *line, const struct predicate *predicate,
                 const struct trace *trace, const struct claim_context *context)
{
	uint64_t seed = (uint64_t)json_integer_value(json_object_get(line, "seed"));
	struct claim_result *outcome = malloc(sizeof(*outcome));
	int result = outcome ? claim_test(predicate, trace, context, seed, outcome) : -ENOMEM;
	json_t *made = result == 0 ? claim_json(predicate, context, seed, outcome) : NULL, *read = NULL;
	char *text = made ? json_dumps(made, JSON_COMPACT) : NULL;

	/* As it is written and read, so that numbers are compared as they are told. */
	if (text)
		read = json_loads(text, 0, NULL);
	if (result == 0 && !read)
		result = -ENOMEM;
	if (result == 0 && strcmp(fact_text(line, "verdict"), claim_verdict_name(outcome->verdict)) != 0)
		result = differ(work, member, "the verdict is '%.40s' and comes out as '%s'",
		                fact_text(line, "verdict"), claim_verdict_name(outcome->verdict));
	if (result == 0)
		result = compare(work, member, json_object_get(line, "result"), read);
	free(text);
	free(outcome);
	json_decref(made);
	json_decref(read);
	return result;
}

static int judge_with_facts(const struct work *work, const char *member, const json_t *line,
                            const struct predicate *predicate)
{
	struct claim_facts *facts = malloc(sizeof(*facts));
	char error[CLAIM_JSON_ERROR_SIZE];
	struct trace *trace = calloc(1, sizeof(*trace));
	const json_t *context = json_object_get(json_object_get(line, "result"), "context");
	int result = facts && trace ? 0 : -ENOMEM;

	if (result == 0) {
		claim_facts_init(facts);
		if (claim_facts_read(context, facts, error) != 0)
			result = differ(work, member, "its context is not to be understood: %.120s", error);
	}
	if (result == 0)
		result = find_trace(work, member, fact_text(line, "trace_sha256"), trace);
	if (result == 0) {
		result = judge(work, member, line, predicate, trace, &facts->context);
		trace_fini(trace);
	}
	free(trace);
	free(facts);
	return result;
}

static int check_verdict(const struct work *work, const char *member, const json_t *line)
{
	const char *text = predicate_of(work, fact_text(line, "claim"));
	struct predicate *predicate;
	char error[160];
	size_t at = 0;
	int result;

	if (!text)
		return differ(work, member, "it is of a claim that is not there, '%.24s'", fact_text(line, "claim"));
	result = predicate_parse(text, &predicate, &at, error);
	if (result == -EINVAL)
		return differ(work, member, "the claim's predicate at %zu: %.150s", at, error);
	if (result != 0)
		return result;
	result = judge_with_facts(work, member, line, predicate);
	predicate_free(predicate);
	work->done->verdicts += result == 0;
	return result;
}

static int check_verdicts(struct work *work)
{
	const json_t *line;
	size_t i;
	int result = read_lines(work, BUNDLE_CLAIMS, &work->lines);

	json_array_foreach(work->lines, i, line)
	{
		char member[64];

		if (strcmp(fact_text(line, "kind"), "verdict") != 0)
			continue;
		(void)snprintf(member, sizeof(member), "claims.jsonl, line %zu", i + 1);
		result = check_verdict(work, member, line);
		if (result != 0)
			return result;
	}
	return result == -ENOENT ? 0 : result;
}

/* trace.json holds itself to its own sums when it is read. */
static int check_trace(const struct work *work)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	char *text = NULL;
	size_t length;
	int result = trace ? bundle_text(work->bundle, work->fd, BUNDLE_TRACE, &text, &length) : -ENOMEM;

	if (result == 0) {
		result = take_trace(work, "trace.json", text, length, trace);
		if (result == 0)
			trace_fini(trace);
		work->done->numbers += 2; /* located sources and packets are the sums of the rows */
	}
	free(text);
	free(trace);
	return result == -ENOENT ? 0 : result;
}

/* ---- the analysis ---- */

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/*
 * Waves may hold more than the incident does: vectors that were left out as noise, each of less than a fiftieth
 * (doc/analysis.md, vectors[]). Returns how much more.
 */
static json_int_t left_out_at_most(const char *list, json_int_t sum)
{
	return strcmp(list, "waves") == 0 ? sum / NOISE_SHARE * (INCIDENT_PARTS_MAX - 1) : 0;
}

static int check_sum(const struct work *work, const char *list, const char *key)
{
	const json_t *entries = json_object_get(work->about, list), *entry;
	json_int_t sum = 0, wanted = json_integer_value(json_object_get(work->about, key));
	char member[80];
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		json_int_t next = json_integer_value(json_object_get(entry, key));

		if (next < 0 || sum > INT64_MAX - next)
			break;
		sum += next;
	}
	(void)snprintf(member, sizeof(member), "analysis.json, %s of %s", key, list);
	if (wanted < 0 || sum < wanted || sum - wanted > left_out_at_most(list, sum))
		return differ(work, member, "they add up to %lld, and the incident has %lld", (long long)sum,
		              (long long)wanted);
	work->done->numbers++;
	return 0;
}

static int check_shares(const struct work *work, const char *key, const char *share)
{
	const json_t *entries = json_object_get(work->about, "vectors"), *entry;
	double whole = number_of(work->about, key);
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		double wanted = whole > 0 ? number_of(entry, key) / whole : 0, found = number_of(entry, share);

		if (found - wanted > SHARE_SLACK || wanted - found > SHARE_SLACK)
			return differ(work, "analysis.json, share of a vector", "%s of %.40s is %g and comes out as %g",
			              share, fact_text(entry, "name"), found, wanted);
		work->done->numbers++;
	}
	return 0;
}

/* The incident that the bundle is about. */
static int find_incident(struct work *work)
{
	const char *id = fact_text(json_object_get(work->bundle->manifest, "incident"), "id");
	json_t *list, *entry;
	size_t i;
	int result = read_json(work, BUNDLE_ANALYSIS, &work->analysis);

	if (result != 0)
		return result;
	list = json_object_get(work->analysis, "incidents");
	json_array_foreach(list, i, entry) if (strcmp(fact_text(entry, "id"), id) == 0) work->about = entry;
	return work->about ? 0 : differ(work, "analysis.json", "it has no incident %.20s", id);
}

static int check_analysis(struct work *work)
{
	int result = find_incident(work);

	/* Where vectors or waves were more than are kept the sums are of those that are. */
	if (result == 0 && json_object_size(json_object_get(work->about, "limits_hit")) > 0) {
		note(work, "a bound was hit: its sums are not computed anew");
		return 0;
	}
	if (result == 0)
		result = check_sum(work, "waves", "packets");
	if (result == 0)
		result = check_sum(work, "waves", "bytes");
	if (result == 0)
		result = check_sum(work, "vectors", "packets");
	if (result == 0)
		result = check_sum(work, "vectors", "bytes");
	if (result == 0)
		result = check_shares(work, "packets", "share");
	if (result == 0)
		result = check_shares(work, "bytes", "bytes_share");
	return result == -ENOENT ? differ(work, "analysis.json", "it is not in the bundle") : result;
}

/* ---- packets and addresses ---- */

static int check_packets(const struct work *work)
{
	const json_t *about = json_object_get(work->bundle->manifest, "packets");
	char error[CAPTURE_ERROR_SIZE], *octets;
	size_t length;
	struct capture *capture;
	struct capture_record record;
	enum capture_kind kind;
	json_int_t count = 0;
	int result = bundle_text(work->bundle, work->fd, BUNDLE_PACKETS, &octets, &length);

	if (result == -EFBIG)
		note(work, "packets are too many to be counted here");
	if (result == -EFBIG || result == -ENOENT)
		return 0;
	if (result != 0)
		return result;
	capture = capture_open_memory(octets, length, error);
	if (!capture) {
		free(octets);
		return differ(work, "packets.pcapng", "%.200s", error);
	}
	while ((kind = capture_next(capture, &record)) == CAPTURE_PACKET || kind == CAPTURE_OTHER)
		count += kind == CAPTURE_PACKET;
	if (kind != CAPTURE_END)
		result = differ(work, "packets.pcapng", "%.200s", capture_error(capture));
	else if (count != json_integer_value(json_object_get(about, "written")))
		result = differ(work, "packets.pcapng", "it has %lld packets, and manifest.json says %lld",
		                (long long)count, (long long)json_integer_value(json_object_get(about, "written")));
	else
		work->done->numbers++;
	capture_close(capture);
	free(octets);
	return result;
}

static int check_sources(const struct work *work)
{
	const json_t *about = json_object_get(work->bundle->manifest, "packets"), *line;
	json_int_t wanted = json_integer_value(json_object_get(about, "addresses")), count = 0;
	json_t *lines = NULL;
	size_t i;
	int result = read_lines(work, BUNDLE_SOURCES, &lines);

	json_array_foreach(lines, i, line) count += strcmp(fact_text(line, "kind"), "address") == 0;
	json_decref(lines);
	if (result == 0 && count != wanted)
		return differ(work, "sources.jsonl", "it has %lld addresses, and manifest.json says %lld",
		              (long long)count, (long long)wanted);
	work->done->numbers += result == 0;
	return result == -ENOENT ? 0 : result;
}

/* ---- the stream ---- */

static int feed(const struct work *work, struct tape *tape)
{
	const struct bundle_part *part = &work->bundle->parts[BUNDLE_STREAM];
	int result = tape_read_part(tape, work->fd, part->at, part->octets);

	return result ? result : tape_end(tape);
}

/* The analysis of what was replayed, as JSON. */
static int tell(const struct tape *tape, json_t **json)
{
	const struct engine *engine = tape_engine(tape);
	struct analysis_live live = tape_live(tape);
	struct analysis_input input = analysis_input_of(engine_totals(engine), NULL, 0);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int result = out ? analysis_json_write_live(out, &input, engine, &live) : -ENOMEM;

	if (out && fclose(out) != 0)
		result = -ENOMEM;
	*json = result == 0 ? json_loadb(text, length, 0, NULL) : NULL;
	free(text);
	return result ? result : *json ? 0 : -ENOMEM;
}

static int compare_incident(const struct work *work, const json_t *analysis)
{
	static const char *const members[] = { "began",      "ended",    "detected", "detection_delay_ms",
		                               "waves",      "vectors",  "shape",    "packets",
		                               "bytes",      "peak_pps", "peak_bps", "families",
		                               "signatures", "residual", "sources" };
	const json_t *list = json_object_get(analysis, "incidents"), *entry, *found = NULL;
	size_t i;

	json_array_foreach(list, i, entry) if (strcmp(fact_text(entry, "id"), fact_text(work->about, "id")) == 0)
		found = entry;
	if (!found)
		return differ(work, "stream.hfs", "what is replayed has no such incident");
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *was = json_object_get(work->about, members[i]), *is = json_object_get(found, members[i]);
		char member[64];

		(void)snprintf(member, sizeof(member), "analysis.json, %s", members[i]);
		if (!was || !is || !json_equal(was, is))
			return differ(work, member, "it comes out differently when stream.hfs is replayed");
		work->done->numbers++;
	}
	return 0;
}

static int check_stream(const struct work *work)
{
	const char *state = fact_text(json_object_get(work->bundle->manifest, "incident"), "state");
	struct tape *tape;
	json_t *json = NULL;
	int result;

	if (work->bundle->parts[BUNDLE_STREAM].state != BUNDLE_WHOLE)
		return 0;
	if (strcmp(state, "final") != 0) {
		note(work, "the incident was not over: its stream is not replayed");
		return 0;
	}
	tape = malloc(sizeof(*tape));
	result = tape ? tape_init(tape, strtoull(fact_text(work->about, "id"), NULL, 16)) : -ENOMEM;
	if (result != 0) {
		free(tape);
		return result;
	}
	result = feed(work, tape);
	if (result == 0 && !tape_engine(tape))
		result = differ(work, "stream.hfs", "it cannot be replayed");
	if (result == 0 && stream_replay_facts(tape->replay)->error) {
		note(work, "the stream was cut when it was written: not all can be computed anew");
	} else if (result == 0) {
		result = tell(tape, &json);
		if (result == 0)
			result = compare_incident(work, json);
	}
	json_decref(json);
	tape_fini(tape);
	free(tape);
	return result;
}

/* ---- what was published ---- */

static int check_statements(const struct work *work)
{
	char member[64], what[RECOMPUTE_WHAT_SIZE];
	json_t *lines = NULL;
	size_t line = 0;
	int result = read_lines(work, BUNDLE_STATEMENTS, &lines);

	if (result == 0)
		result = recompute_statements(lines, &work->done->sentences, &line, what);
	json_decref(lines);
	if (line && result == -EBADMSG) {
		(void)snprintf(member, sizeof(member), "statements.jsonl, line %zu", line);
		return differ(work, member, "%s", what);
	}
	return result == -ENOENT ? 0 : result;
}

int recompute(const struct bundle *bundle, int fd, struct recomputed *recomputed, struct recompute_fault *fault)
{
	static int (*const checks[])(struct work * work) = { check_analysis, check_verdicts };
	static int (*const more[])(const struct work *work) = { check_trace, check_packets, check_sources,
		                                                check_statements, check_stream };
	struct work work = { .bundle = bundle, .fd = fd, .done = recomputed, .fault = fault };
	int result = 0;

	*recomputed = (struct recomputed){ .verdicts = 0 };
	for (size_t i = 0; result == 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
		result = checks[i](&work);
	for (size_t i = 0; result == 0 && i < sizeof(more) / sizeof(more[0]); i++)
		result = more[i](&work);
	json_decref(work.lines);
	json_decref(work.analysis);
	return result;
}
