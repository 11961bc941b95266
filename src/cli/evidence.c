/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast evidence: what is known of an incident as one file that anybody opens and nobody changes unseen (record/bundle.h),
 * with a signature beside it; and what becomes of such files when the time of keeping personal data is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/command.h"
#include "cli/evidence.h"
#include "cli/exhibit.h"
#include "cli/keys.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/tape.h"
#include "detect/vector.h"
#include "observe/decode.h"
#include "record/bundle.h"
#include "record/ledger.h"
#include "record/minisign.h"

#define KEY_FILE "/evidence.key"
#define DAY_NS (86400 * NS_PER_S)
#define ACTIONS_MARGIN_NS (3600 * NS_PER_S) /* people act after the fact */

struct options {
	const char *config, *name, *out, *capture, *key, *password_file, *tlp, *new_key, *erase;
	struct option_duration retain;
	bool payload, expire, json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "ID", OPTION_INTO(struct options, name), .too_many = "one at a time",
	  .help = "of 'holdfast incidents', as much of it as is needed; or latest. Without it: lists the bundles that were made" },
	{ .name = "write", .letter = 'o', .value = "BUNDLE", OPTION_INTO(struct options, out),
	  .help = "the bundle, a tar file; its signature is BUNDLE.minisig" },
	{ .name = "payload", OPTION_INTO(struct options, payload),
	  .help = "with what packets carried, and the stream from which all is told anew; else headers only" },
	{ .name = "capture", .value = "FILE", OPTION_INTO(struct options, capture),
	  .help = "a capture that has the incident's packets: they are taken from there, as they were on the wire" },
	{ .name = "tlp", .value = "LABEL", OPTION_INTO(struct options, tlp),
	  .help = "who may have it, by TLP 2.0: red, amber+strict (the standard), amber, green, clear" },
	{ .name = "key", .value = "FILE", OPTION_INTO(struct options, key),
	  .help = "minisign's secret key to sign with; else evidence.key in the state_dir, if it is there" },
	{ .name = "password-file", .value = "FILE", OPTION_INTO(struct options, password_file),
	  .help = "its first line is the key's password" },
	{ .name = "retain", .value = "TIME", OPTION_INTO(struct options, retain),
	  .minimum = 60 * NS_PER_S, .maximum = 3650 * DAY_NS,
	  .help = "when packets and addresses in it are to be erased; else record.evidence_days" },
	{ .name = "new-key", .value = "FILE", OPTION_INTO(struct options, new_key),
	  .help = "make a key: the secret one FILE, the public one FILE.pub" },
	{ .name = "erase", .value = "BUNDLE", OPTION_INTO(struct options, erase),
	  .help = "erase packets and addresses in it now; their sums stay, and the reason" },
	{ .name = "expire", OPTION_INTO(struct options, expire),
	  .help = "erase what has been kept long enough: in recorded bundles, and streams of incidents" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "as JSON (holdfast.evidence/1)" },
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "evidence",
	.synopsis = "ID|latest -o BUNDLE [--payload] [--capture FILE] [--tlp LABEL] [--key FILE] [--retain TIME]\n"
		    "       holdfast evidence [--new-key FILE | --erase BUNDLE | --expire]",
	.purpose =
		"Puts what is known of a recorded incident into one file: packets, counters, decisions, rules, sources, the trace, claims\n"
		"and verdicts, each with its sum, chained and signed. 'holdfast verify' checks it anywhere, without this host. Nothing is\n"
		"sent.\n",
	.notes = "Exit status: 0 done, 1 there is no such incident, or it could not be written, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast evidence latest -o incident.tar --key evidence.key\n",
	OPTION_ROWS(rows),
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int refuse_memory(void)
{
	say_error("evidence", "out of memory; free some");
	return COMMAND_BAD;
}

static int refuse_record(const char *path, const struct record_error *error)
{
	say_error(path, "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

/* ---- keys ---- */

static int make_key(const struct options *options)
{
	char text[MINISIGN_TEXT_SIZE], id[MINISIGN_ID_SIZE], *password, *public_path = NULL;
	struct minisign_public public;
	struct minisign_key *key;
	int status = keys_password(options->password_file, &password), result;

	if (status != COMMAND_DONE)
		return status;
	result = minisign_key_new(&key);
	if (result == 0) {
		minisign_key_public(key, &public);
		result = minisign_key_write(key, password, text);
		minisign_key_free(key);
	}
	if (result == 0 && asprintf(&public_path, "%s.pub", options->new_key) < 0)
		result = -ENOMEM;
	if (result == 0)
		result = keys_write_new(options->new_key, text, 0600);
	explicit_bzero(text, sizeof(text));
	if (result == 0) {
		minisign_public_write(&public, text);
		result = keys_write_new(public_path, text, 0644);
	}
	free(password);
	free(public_path);
	if (result != 0) {
		say_error(options->new_key, "cannot make a key there: %s; name another file", strerror(-result));
		return COMMAND_BAD;
	}
	(void)printf(
		"key %s: secret in %s, public in %s.pub; give the public one to whoever is to check, by a way of its "
		"own\n",
		minisign_id(public.id, id), options->new_key, options->new_key);
	return output_finish();
}

/* ---- what there is ---- */

struct making {
	const struct options *options;
	struct archived archived;
	struct config config;
	struct ledger *ledger; /* NULL: there is none */
	char record[RECORD_PATH_SIZE];
	json_t *whole;          /* the incident's file */
	const json_t *incident; /* in its analysis */
	char *trace;            /* NULL: there is none */
	struct exhibit *exhibit;
	FILE *files[BUNDLE_SEGMENTS]; /* NULL: there is none, or it is the exhibit's */
	json_t *about;
	int64_t made_ns, until_ns;
	bool synthesised;
	char capture_sha256[BUNDLE_HEX_SIZE];
	int failed; /* the first that went wrong on the way */
};

static void note(struct making *making, int result)
{
	if (result != 0 && making->failed == 0)
		making->failed = result;
}

/* A line of JSON; takes `line`. */
static void write_line(struct making *making, FILE *file, json_t *line)
{
	if (!line)
		note(making, -ENOMEM);
	else if (json_dumpf(line, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF)
		note(making, -EIO);
	json_decref(line);
}

static json_t *time_json(int64_t ns)
{
	char text[TIME_TEXT_SIZE];

	return ns ? json_string(time_format((struct capture_time){ ns }, text)) : json_null();
}

static json_t *id_json(uint64_t id)
{
	char text[ARCHIVE_ID_SIZE];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, id);
	return json_string(text);
}

static FILE *new_file(struct making *making, enum bundle_segment segment)
{
	making->files[segment] = tmpfile();
	if (!making->files[segment])
		note(making, -errno);
	return making->files[segment];
}

/* The incident in its analysis; NULL: it is not in it. */
static const json_t *find_incident(const json_t *whole, uint64_t id)
{
	const json_t *list = json_object_get(json_object_get(whole, "analysis"), "incidents"), *entry;
	char text[ARCHIVE_ID_SIZE];
	size_t i;

	(void)snprintf(text, sizeof(text), "%016" PRIx64, id);
	json_array_foreach(list, i, entry)
	{
		const char *found = json_string_value(json_object_get(entry, "id"));

		if (found && strcmp(found, text) == 0)
			return entry;
	}
	return NULL;
}

/* analysis.json: the octets that were recorded. */
static int take_analysis(struct making *making)
{
	size_t length, analysis_length;
	const char *analysis;
	char *text;
	FILE *file = new_file(making, BUNDLE_ANALYSIS);
	int result, status = archived_read(&making->archived, &making->whole);

	if (status != COMMAND_DONE)
		return status;
	making->incident = find_incident(making->whole, making->archived.head.id);
	result = archive_read(making->archived.folder, making->archived.head.id, &text, &length, &analysis,
	                      &analysis_length);
	if (result != 0)
		return archived_refuse(making->archived.folder, result);
	if (file && fwrite(analysis, 1, analysis_length, file) != analysis_length)
		note(making, -EIO);
	free(text);
	return COMMAND_DONE;
}

static int keep_trace(void *context, const struct ledger_rollup *rollup)
{
	struct making *making = context;

	making->trace = strdup(rollup->trace);
	return making->trace ? 0 : -ENOMEM;
}

/* trace.json: the latest roll-up; else that of the analysis. */
static void take_trace(struct making *making)
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
		note(making, result);
	if (making->trace && new_file(making, BUNDLE_TRACE) && fputs(making->trace, making->files[BUNDLE_TRACE]) == EOF)
		note(making, -EIO);
}

/* ---- claims ---- */

static int add_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct making *making = context;
	json_t *result = json_loads(verdict->json, JSON_REJECT_DUPLICATES, NULL);

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:o,s:s,s:I,s:s,s:o,s:s?,s:o}", "kind", "verdict", "claim", verdict->claim,
	                     "tested", time_json(verdict->at_ns), "trace_sha256", verdict->trace_sha256, "seed",
	                     (json_int_t)verdict->seed, "verdict", verdict->verdict, "approved",
	                     time_json(verdict->approved_ns), "approved_by",
	                     verdict->approved_ns ? verdict->approved_by : NULL, "result",
	                     result ? result : json_null()));
	return making->failed;
}

static int add_claim(void *context, const struct ledger_claim *claim)
{
	struct making *making = context;
	struct record_error error;

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:o,s:s,s:o,s:s,s:s,s:s,s:o,s:s}", "kind", "claim", "id", claim->id, "incident",
	                     id_json(claim->incident), "by", claim->by, "said", time_json(claim->at_ns), "url",
	                     claim->url, "text", claim->text, "predicate", claim->predicate, "added",
	                     time_json(claim->added_ns), "added_by", claim->added_by));
	note(making, ledger_verdict_each(making->ledger, claim->id, add_verdict, making, &error));
	return making->failed;
}

static int add_event(void *context, const struct ledger_event *event)
{
	struct making *making = context;

	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:s}", "kind", "event", "id", event->id, "event",
	                     ledger_event_kind_name(event->kind), "began", time_json(event->began_ns), "ended",
	                     time_json(event->ended_ns), "text", event->text, "url", event->url, "added",
	                     time_json(event->added_ns), "added_by", event->added_by));
	return making->failed;
}

/* Verdicts may rest on earlier roll-ups than the one in trace.json: those are kept as texts, for their sums' sake. */
static int add_earlier_trace(void *context, const struct ledger_rollup *rollup)
{
	struct making *making = context;

	if (making->trace && strcmp(making->trace, rollup->trace) == 0)
		return 0;
	write_line(making, making->files[BUNDLE_CLAIMS],
	           json_pack("{s:s,s:s,s:s}", "kind", "trace", "sha256", rollup->sha256, "text", rollup->trace));
	return making->failed;
}

/* claims.jsonl: what was claimed of the incident, what was found of that, and what else happened. */
static void take_claims(struct making *making)
{
	struct record_error error;

	if (!making->ledger || !new_file(making, BUNDLE_CLAIMS))
		return;
	note(making, ledger_claim_each(making->ledger, making->archived.head.id, add_claim, making, &error));
	note(making, ledger_event_each(making->ledger, add_event, making, &error));
	note(making, ledger_rollup_each(making->ledger, making->archived.head.id, add_earlier_trace, making, &error));
}

/* rules.jsonl: what was proposed, and what became of rules. */
static void take_rules(struct making *making)
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
	exhibit_order(((struct making *)context)->exhibit, order);
}

static void see_news(void *context, struct live *live, const struct live_news *news)
{
	(void)live;
	exhibit_news(((struct making *)context)->exhibit, news);
}

static void see_observation(void *context, const struct observation *observation)
{
	const struct making *making = context;

	exhibit_observe(making->exhibit, observation, !making->options->capture);
}

static int replay(struct making *making)
{
	const struct stream_listener witness = {
		.order = see_order, .news = see_news, .observed = see_observation, .context = making
	};
	struct tape *tape = malloc(sizeof(*tape));
	struct progress progress;
	int result = tape ? tape_init_with(tape, making->archived.head.id, &witness) : -ENOMEM;

	if (result != 0) {
		free(tape);
		return refuse_memory();
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

static int read_capture(struct making *making)
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
	note(making, result);
	return COMMAND_DONE;
}

/* Whether sources are real hosts, of whichever kind. */
static bool are_real(const struct making *making)
{
	const char *verdict = json_string_value(
		json_object_get(json_object_get(json_object_get(making->incident, "sources"), "spoofing"), "verdict"));

	return verdict && (strcmp(verdict, "verified") == 0 || strcmp(verdict, "reflectors") == 0);
}

/* Kinds of packets that are called as one of its vectors is. */
static void find_kinds(const struct making *making, bool kinds[EXHIBIT_KINDS])
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
static void add_rows(struct making *making)
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
	struct making *making = context;
	json_t *arguments = json_loads(action->arguments, 0, NULL);

	write_line(making, exhibit_decisions(making->exhibit),
	           json_pack("{s:o,s:s,s:I,s:I,s:s,s:s,s:s,s:s,s:o,s:s,s:s}", "time", time_json(action->time_ns), "by",
	                     "record", "action", (json_int_t)id, "uid", (json_int_t)action->uid, "user", action->user,
	                     "client", action->client, "command", action->command, "object", action->object,
	                     "arguments", arguments ? arguments : json_null(), "outcome", action->outcome, "message",
	                     action->message));
	return making->failed;
}

static int take_exhibit(struct making *making)
{
	const struct archive_incident *head = &making->archived.head;
	const struct options *options = making->options;
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
		note(making, ledger_action_each(making->ledger, head->began_ns - ACTIONS_MARGIN_NS,
		                                (head->ended_ns ? head->ended_ns : making->made_ns) + ACTIONS_MARGIN_NS,
		                                add_action, making, &error));
	note(making, exhibit_end(making->exhibit));
	return COMMAND_DONE;
}

/* ---- the manifest ---- */

static json_t *packets_json(const struct making *making)
{
	const struct exhibit_facts *facts = exhibit_facts(making->exhibit);
	const struct options *options = making->options;
	json_t *json =
		json_pack("{s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I}", "from",
	                  options->capture              ? "capture"
	                  : making->archived.has_stream ? "stream"
	                                                : "none",
	                  "synthesised", making->synthesised, "payload", options->payload, "written",
	                  (json_int_t)facts->packets, "left_out", (json_int_t)facts->packets_left_out,
	                  "seconds_left_out", (json_int_t)facts->seconds_left_out, "addresses",
	                  (json_int_t)facts->sources, "addresses_packets_left_out", (json_int_t)facts->sources_left_out,
	                  "decisions_left_out", (json_int_t)facts->decisions_left_out);

	if (json && options->capture)
		(void)json_object_set_new(json, "capture",
		                          json_pack("{s:s,s:s}", "name", tape_name(options->capture), "sha256",
		                                    making->capture_sha256));
	return json;
}

/* The sum of what is running. */
static json_t *executable_json(void)
{
	char sum[BUNDLE_HEX_SIZE];
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && bundle_sum(fd, sum) == 0;

	if (fd >= 0)
		(void)close(fd);
	return known ? json_string(sum) : json_null();
}

static json_t *databases_json(const struct making *making)
{
	json_t *trace = making->trace ? json_loads(making->trace, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *databases = json_object_get(trace, "databases"),
	       *json = databases ? json_incref(databases) : json_array();

	json_decref(trace);
	return json;
}

static void describe(struct making *making)
{
	const struct archive_incident *head = &making->archived.head;
	const char *tlp = making->options->tlp ? making->options->tlp : "amber+strict";
	char label[32], host_made[TIME_TEXT_SIZE];

	(void)snprintf(label, sizeof(label), "TLP:%s", tlp);
	for (char *at = label; *at; at++)
		*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
	(void)time_format((struct capture_time){ making->made_ns }, host_made);
	making->about =
		json_pack("{s:s,s:s,s:{s:s,s:o},s:o,s:{s:o,s:s,s:o,s:o,s:s,s:s,s:s},s:o,s:o}", "tlp", label, "made",
	                  host_made, "holdfast", "version", HOLDFAST_VERSION, "executable_sha256", executable_json(),
	                  "personal_data_until", time_json(making->until_ns), "incident", "id", id_json(head->id),
	                  "state", archive_state_name(head->state), "began", time_json(head->began_ns), "ended",
	                  time_json(head->ended_ns), "target", head->target, "vector", head->vector, "service",
	                  head->service, "databases", databases_json(making), "packets", packets_json(making));
	if (!making->about)
		note(making, -ENOMEM);
}

/* ---- writing ---- */

static void add_file(struct making *making, struct bundle_making *bundle, enum bundle_segment segment, FILE *file)
{
	struct stat status;

	bundle->segments[segment].fd = -1;
	if (!file)
		return;
	if (fflush(file) != 0 || fstat(fileno(file), &status) != 0) {
		note(making, -errno);
		return;
	}
	bundle->segments[segment].fd = fileno(file);
	bundle->segments[segment].octets = (uint64_t)status.st_size;
}

static FILE *segment_file(const struct making *making, enum bundle_segment segment)
{
	bool seen = making->archived.has_stream || making->options->capture;

	switch (segment) {
	case BUNDLE_PACKETS:
		return seen ? exhibit_packets(making->exhibit) : NULL;
	case BUNDLE_COUNTERS:
		return seen ? exhibit_counters(making->exhibit) : NULL;
	case BUNDLE_DECISIONS:
		return exhibit_decisions(making->exhibit);
	case BUNDLE_SOURCES:
		return exhibit_sources(making->exhibit);
	case BUNDLE_ANALYSIS:
	case BUNDLE_TRACE:
	case BUNDLE_CLAIMS:
	case BUNDLE_RULES:
	case BUNDLE_STREAM:
	case BUNDLE_SEGMENTS:
	default:
		return making->files[segment];
	}
}

/* With --payload: all that the engine was told, so that all can be told anew. */
static void take_stream(struct making *making)
{
	if (!making->options->payload || !making->archived.has_stream)
		return;
	making->files[BUNDLE_STREAM] = fopen(making->archived.stream, "rbe");
	if (!making->files[BUNDLE_STREAM])
		note(making, -errno);
}

static int write_bundle(struct making *making, char head[BUNDLE_HEX_SIZE])
{
	struct bundle_making bundle = { .about = making->about, .made_s = making->made_ns / NS_PER_S };
	struct output output;
	int result, closed;

	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		add_file(making, &bundle, (enum bundle_segment)i, segment_file(making, (enum bundle_segment)i));
	if (making->failed != 0) {
		say_error("evidence", "what is known cannot be put together: %s; is there room in /tmp?",
		          strerror(-making->failed));
		return COMMAND_BAD;
	}
	result = output_open(&output, making->options->out);
	if (result == 0) {
		result = bundle_write(&bundle, fileno(output.file), head);
		closed = output_close(&output, result != 0);
		result = result ? result : closed;
	}
	if (result == 0)
		return COMMAND_DONE;
	say_error(say_output(making->options->out), "cannot write the bundle: %s; name another file",
	          strerror(-result));
	return COMMAND_BAD;
}

/* BUNDLE.minisig; `id` is the key's. */
static int sign(const struct making *making, const struct minisign_key *key, const char *head,
                char id[MINISIGN_ID_SIZE])
{
	char comment[MINISIGN_COMMENT_SIZE], text[MINISIGN_TEXT_SIZE], made[TIME_TEXT_SIZE], *path = NULL;
	struct minisign_public public;
	uint8_t digest[MINISIGN_DIGEST];
	struct output output;
	int fd = open(making->options->out, O_RDONLY | O_CLOEXEC), result = fd < 0 ? -errno : 0, closed;

	if (result == 0)
		result = minisign_digest(fd, digest);
	if (fd >= 0)
		(void)close(fd);
	(void)snprintf(comment, sizeof(comment), BUNDLE_SCHEMA " head=%s incident=%016" PRIx64 " made=%s", head,
	               making->archived.head.id, time_format((struct capture_time){ making->made_ns }, made));
	if (result == 0)
		result = minisign_sign(key, digest, comment, text);
	if (result == 0 && asprintf(&path, "%s.minisig", making->options->out) < 0)
		result = -ENOMEM;
	if (result == 0) {
		result = output_open(&output, path);
		if (result == 0) {
			result = fputs(text, output.file) == EOF ? -EIO : 0;
			closed = output_close(&output, result != 0);
			result = result ? result : closed;
		}
	}
	free(path);
	minisign_key_public(key, &public);
	(void)minisign_id(public.id, id);
	if (result == 0)
		return COMMAND_DONE;
	say_error(making->options->out, "the bundle is there, its signature is not: %s", strerror(-result));
	return COMMAND_BAD;
}

/* What was made is noted in the record, where there is one that may be written. */
static void record_bundle(const struct making *making, const char *head, const char *key_id)
{
	char sum[BUNDLE_HEX_SIZE], *path = realpath(making->options->out, NULL);
	struct ledger_evidence evidence = { .incident = making->archived.head.id,
		                            .made_ns = making->made_ns,
		                            .until_ns = making->until_ns,
		                            .path = path ? path : making->options->out,
		                            .head = head,
		                            .sha256 = sum,
		                            .key = key_id,
		                            .tlp = making->options->tlp ? making->options->tlp : "amber+strict" };
	int fd = open(making->options->out, O_RDONLY | O_CLOEXEC);
	struct record_error error = { .message = "" };
	struct ledger *ledger = NULL;
	int result = fd >= 0 ? bundle_sum(fd, sum) : -errno;

	if (fd >= 0)
		(void)close(fd);
	if (result == 0)
		result = ledger_open(making->record, true, &ledger, &error);
	if (result == 0)
		result = ledger_evidence_add(ledger, &evidence, NULL, &error);
	if (result != 0)
		say_error(making->record,
		          "the bundle is there and is not noted in the record (%s): nothing erases it in time",
		          error.message[0] ? error.message : strerror(-result));
	ledger_close(ledger);
	free(path);
}

static int find_key(const struct making *making, struct minisign_key **key)
{
	char path[CONFIG_PATH_SIZE + sizeof(KEY_FILE)];

	*key = NULL;
	if (making->options->key)
		return keys_take(making->options->key, making->options->password_file, key);
	(void)snprintf(path, sizeof(path), "%s" KEY_FILE, making->archived.folder);
	if (access(path, R_OK) == 0)
		return keys_take(path, making->options->password_file, key);
	return COMMAND_DONE;
}

static int make_with_key(struct making *making, const struct minisign_key *key)
{
	char head[BUNDLE_HEX_SIZE], id[MINISIGN_ID_SIZE] = "";
	int status = take_analysis(making);

	if (status != COMMAND_DONE)
		return status;
	take_trace(making);
	take_claims(making);
	take_rules(making);
	status = take_exhibit(making);
	if (status != COMMAND_DONE)
		return status;
	take_stream(making);
	describe(making);
	status = write_bundle(making, head);
	if (status == COMMAND_DONE && key)
		status = sign(making, key, head, id);
	if (status != COMMAND_DONE)
		return status;
	record_bundle(making, head, id);
	if (!key)
		say_error("evidence", "the bundle is not signed; 'holdfast evidence --new-key %s%s' makes a key for it",
		          making->archived.folder, KEY_FILE);
	(void)printf("%s: head %s, %s%s\n", making->options->out, head, key ? "signed by key " : "not signed", id);
	return output_finish();
}

static int open_ledger(struct making *making)
{
	struct record_error error;
	int result;

	if (snprintf(making->record, sizeof(making->record), "%s" LEDGER_FILE, making->archived.folder) >=
	    (int)sizeof(making->record))
		return COMMAND_DONE;
	result = ledger_open(making->record, false, &making->ledger, &error);
	if (result == 0 || result == -ENOENT)
		return COMMAND_DONE;
	return refuse_record(making->record, &error);
}

static int make_bundle(const struct options *options)
{
	struct making *making = calloc(1, sizeof(*making));
	struct minisign_key *key = NULL;
	int status;

	if (!making)
		return refuse_memory();
	making->options = options;
	making->made_ns = now_ns();
	status = place_configuration("evidence", options->config, &making->config);
	if (status != COMMAND_DONE) {
		free(making);
		return status;
	}
	making->until_ns = options->retain.ns ? making->made_ns + options->retain.ns
	                   : making->config.evidence_days
	                           ? making->made_ns + (int64_t)making->config.evidence_days * DAY_NS
	                           : 0;
	status = archived_find("evidence", options->config, options->name, &making->archived);
	if (status == COMMAND_DONE)
		status = find_key(making, &key);
	if (status == COMMAND_DONE)
		status = open_ledger(making);
	output_watch_signals();
	if (status == COMMAND_DONE)
		status = make_with_key(making, key);
	minisign_key_free(key);
	ledger_close(making->ledger);
	exhibit_free(making->exhibit);
	for (unsigned i = 0; i < BUNDLE_SEGMENTS; i++)
		if (making->files[i])
			(void)fclose(making->files[i]);
	json_decref(making->about);
	json_decref(making->whole);
	free(making->trace);
	config_fini(&making->config);
	free(making);
	return status;
}

int evidence_command(int argc, char **argv)
{
	struct options options = { .name = NULL };
	unsigned ways;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	ways = (options.name ? 1u : 0u) + (options.new_key ? 1u : 0u) + (options.erase ? 1u : 0u) +
	       (options.expire ? 1u : 0u);
	if (ways > 1)
		return options_refuse(&table, "an incident, --new-key, --erase and --expire are things apart");
	if (options.name && !options.out)
		return options_refuse(&table, "where is the bundle to be written: -o BUNDLE");
	if (options.name && strcmp(options.out, "-") == 0)
		return options_refuse(&table, "a bundle has a file, for its signature is beside it");
	if (options.out && !options.name)
		return options_refuse(&table, "of which incident: an ID, or latest");
	if (options.tlp && !bundle_tlp(options.tlp))
		return options_refuse(&table, "no label '%.20s'; TLP 2.0 has red, amber+strict, amber, green, clear",
		                      options.tlp);
	if (options.capture && strcmp(options.capture, "-") == 0)
		return options_refuse(&table, "the capture is read to the end twice: it has to be a file");
	if (options.new_key)
		return make_key(&options);
	if (options.name)
		return make_bundle(&options);
	if (options.erase)
		return evidence_erase(options.config, options.erase);
	return options.expire ? evidence_expire(options.config) : evidence_list(options.config, options.json);
}
