/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast claim: public claims about an incident, put on record as they were said, and tested against its trace.
 *
 * The trace is that of the archived incident, or of a file (--report), or what a verdict before rested on. Claims never
 * change; tests of them are added. With --predicate or --predicates nothing is recorded: what is asked is answered.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/books.h"
#include "cli/claim_page.h"
#include "cli/command.h"
#include "tell/facts.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "record/outages.h"
#include "tell/build.h"
#include "tell/claim_json.h"
#include "tell/harm_json.h"
#include "tell/trace_json.h"
#include "trace/claim.h"

#define CLAIMS_SCHEMA "holdfast.claims/1"
#define VERDICTS_SCHEMA "holdfast.verdicts/1"
#define PREDICATES_MAX 65536 /* of a file */
#define LINE_SIZE 2048
#define HEX 16
#define NEAR_NS (86400 * NS_PER_S) /* outages so long before and after an attack are told with it */

struct options {
	const char *config, *record, *verb, *name;
	const char *by, *at, *url, *text, *predicate;
	const char *report, *predicates, *context;
	const char *seed;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "add|list|show|test|approve", OPTION_INTO(struct options, verb),
	  .missing = "say what to do: holdfast claim add, list, show, test or approve",
	  .help = "put a claim on record, list them, show one, test; approve of telling others" },
	{ .value = "ID", OPTION_INTO(struct options, name),
	  .help = "add, list: an incident's; show, approve: a claim's, as c1; test: either" },
	{ .name = "by", .value = "WHO", OPTION_INTO(struct options, by), .help = "add: who said it" },
	{ .name = "at", .value = "TIME", OPTION_INTO(struct options, at), .help = "add: when, as 2026-03-10T17:00:00Z" },
	{ .name = "url", .value = "URL", OPTION_INTO(struct options, url), .help = "add: where it can be read" },
	{ .name = "text", .value = "TEXT", OPTION_INTO(struct options, text), .help = "add: the words" },
	{ .name = "predicate", .value = "TEXT", OPTION_INTO(struct options, predicate),
	  .help = "what of it evidence can meet, as 'share(country=ZZ) >= 0.5': doc/claims.md;\ntest: this, and nothing is recorded" },
	{ .name = "predicates", .value = "FILE", OPTION_INTO(struct options, predicates),
	  .help = "test: all of a file, one a line; - is standard input" },
	{ .name = "report", .value = "FILE", OPTION_INTO(struct options, report),
	  .help = "an analysis as JSON with the incident's trace, or the trace; no daemon is needed" },
	{ .name = "context", .value = "FILE", OPTION_INTO(struct options, context),
	  .help = "test: outages that were measured, else those on record count; and a baseline, as JSON (doc/claims.md)" },
	{ .name = "seed", .value = "HEX", OPTION_INTO(struct options, seed), .help = "test: of the bootstrap; else the incident's ID" },
	{ .name = "json", OPTION_INTO(struct options, json), .help = "as JSON (" CLAIMS_SCHEMA ", " VERDICTS_SCHEMA ")" },
	BOOKS_RECORD_ROW(struct options),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "claim",
	.synopsis =
		"add INCIDENT --by WHO --text TEXT --predicate TEXT [--at TIME] [--url URL] | list [INCIDENT] | show ID | test ID|INCIDENT | approve ID",
	.purpose =
		"Puts public claims about an incident on record as they were said, and tests them against what was observed: supported,\n"
		"contradicted, unsupported, or untestable. Who did it is always untestable. A claim never changes; tests are added to it.\n"
		"Others are told of it (report --include-claims) once a second person has approved.\n",
	.notes =
		"Exit status: 0 done, whatever the verdict; 1 something cannot be read or written, or does not parse; 2 wrong usage.\n"
		"\n"
		"Example (names and places are fictional):\n"
		"  holdfast claim add latest --by 'the minister of Examplia' --text 'It came from Elbonia' --predicate 'share(country=ZZ) >= 0.5'\n"
		"  holdfast claim test latest\n",
	OPTION_ROWS(rows),
};

/* ---- predicates ---- */

/* Says what does not parse, with a caret under where. */
static struct predicate *parse(const char *text, int *status)
{
	char error[PREDICATE_ERROR_SIZE];
	struct predicate *predicate = NULL;
	size_t at = 0;
	int result = predicate_parse(text, &predicate, &at, error);

	*status = result == 0 ? COMMAND_DONE : result == -EINVAL ? COMMAND_USAGE : COMMAND_BAD;
	if (result == 0)
		return predicate;
	if (result != -EINVAL) {
		say_error("claim", "%s; free memory", strerror(-result));
		return NULL;
	}
	say_error("predicate", "%s; doc/claims.md has the language", error);
	(void)fputs("  ", stderr);
	for (const char *c = text; *c; c++)
		(void)fputc((unsigned char)*c >= ' ' && (unsigned char)*c < 0x7f ? *c : '?', stderr);
	(void)fprintf(stderr, "\n  %*s^\n", (int)at, "");
	return NULL;
}

/* ---- the trace ---- */

struct source {
	struct trace trace;
	json_t *json;          /* the trace as it was read */
	struct series *series; /* how users of the host fared meanwhile; NULL: not known */
	uint64_t incident;
	bool has_trace;
};

static void source_end(struct source *source)
{
	if (source->has_trace)
		trace_fini(&source->trace);
	json_decref(source->json);
	free(source->series);
}

static bool begins_so(uint64_t id, const char *name)
{
	char text[ARCHIVE_ID_SIZE];

	(void)snprintf(text, sizeof(text), "%016" PRIx64, id);
	return *name && strncmp(text, name, strlen(name)) == 0;
}

/* Takes a new reference's worth of `json`. */
static int take_trace(const char *where, json_t *json, struct source *source)
{
	char error[TRACE_JSON_ERROR_SIZE];
	int result = trace_json_read(json, &source->trace, error);

	if (result != 0) {
		say_error(where, "its trace cannot be read: %s; make it anew with this version", error);
		return COMMAND_BAD;
	}
	source->has_trace = true;
	source->json = json_incref(json);
	source->incident = source->trace.incident;
	return COMMAND_DONE;
}

/* What an analysis has of the host it was watched on; without memory it has nothing. */
static void take_series(const json_t *json, struct source *source)
{
	const json_t *analysis = json_object_get(json, "analysis");
	const json_t *live = json_object_get(analysis ? analysis : json, "live");

	source->series = malloc(sizeof(*source->series));
	if (source->series)
		(void)series_read(json_object_get(live, "series"), source->series);
}

/* The trace of the incident whose ID begins so, of an analysis or a trace; NULL and "latest": the last with a trace. */
static json_t *find_trace(json_t *json, const char *name)
{
	json_t *incidents = json_object_get(json, "incidents"), *incident, *found = NULL;
	size_t i;

	if (strcmp(fact_text(json, "schema"), TRACE_JSON_SCHEMA) == 0)
		return json;
	if (json_is_object(json_object_get(json, "analysis")))
		incidents = json_object_get(json_object_get(json, "analysis"), "incidents");
	json_array_foreach(incidents, i, incident)
	{
		bool meant = !name || strcmp(name, "latest") == 0 ||
		             strncmp(fact_text(incident, "id"), name, strlen(name)) == 0;

		if (meant && json_is_object(json_object_get(incident, "trace")))
			found = json_object_get(incident, "trace");
	}
	return found;
}

static int read_report(const char *path, const char *name, struct source *source)
{
	json_error_t error;
	json_t *json = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &error)
	                                      : json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	json_t *trace;
	int status = COMMAND_BAD;

	if (!json) {
		say_error(say_input(path), "cannot be read as JSON: %s (line %d)", error.text, error.line);
		return COMMAND_BAD;
	}
	trace = find_trace(json, name);
	if (trace)
		status = take_trace(say_input(path), trace, source);
	if (status == COMMAND_DONE)
		take_series(json, source);
	if (!trace)
		say_error(say_input(path),
		          "there is no trace in it of an incident %.60s; 'holdfast analyze --json' writes them",
		          name ? name : "");
	json_decref(json);
	return status;
}

struct rollup {
	struct source *source;
	int status;
};

static int take_rollup(void *context, const struct ledger_rollup *rollup)
{
	struct rollup *r = context;
	json_t *json = json_loads(rollup->trace, JSON_REJECT_DUPLICATES, NULL);

	r->status = take_trace("the record", json, r->source);
	json_decref(json);
	return 0;
}

/* Of an incident by its whole ID: from the file that is given, the archive, or the record. */
static int load_trace(const struct options *options, struct books *books, uint64_t incident, struct source *source)
{
	char id[ARCHIVE_ID_SIZE], folder[CONFIG_PATH_SIZE];
	struct rollup rollup = { source, COMMAND_BAD };
	struct record_error error = { .message = "" };
	struct archived archived;
	int result;

	(void)snprintf(id, sizeof(id), "%016" PRIx64, incident);
	if (options->report) {
		int status = read_report(options->report, id, source);

		if (status == COMMAND_DONE && source->incident != incident) {
			say_error(say_input(options->report), "it has the trace of another incident, %016" PRIx64,
			          source->incident);
			return COMMAND_BAD;
		}
		return status;
	}
	if (!options->record && archived_folder("claim", options->config, folder) == COMMAND_DONE &&
	    archive_find(folder, id, &archived.head) == 0) {
		json_t *whole, *trace;
		int status;

		memcpy(archived.folder, folder, sizeof(folder));
		status = archived_read(&archived, &whole);
		if (status != COMMAND_DONE)
			return status;
		trace = find_trace(whole, id);
		if (trace) {
			status = take_trace(id, trace, source);
			if (status == COMMAND_DONE)
				take_series(whole, source);
			json_decref(whole);
			return status;
		}
		json_decref(whole);
	}
	result = ledger_rollup_find(books->ledger, incident, take_rollup, &rollup, &error);
	if (result == 0)
		return rollup.status;
	if (result != -ENOENT)
		return books_refuse(books, result, &error);
	say_error(id, "no trace of it is at hand; 'holdfast report %s --json' and --report FILE bring one", id);
	return COMMAND_BAD;
}

/* ---- what else is on record ---- */

static int add_event(void *context, const struct ledger_event *event)
{
	struct claim_event added = { event->kind == LEDGER_PROVIDER ? CLAIM_PROVIDER : CLAIM_OWN_CHANGE,
		                     event->began_ns, event->ended_ns };

	return claim_facts_add_event(context, &added) ? 0 : -ENOBUFS;
}

struct near {
	struct claim_facts *facts;
	int64_t from_ns, to_ns;
};

/*
 * Each wave of an outage on record is one that was measured; how many users it hit is not known, so that it counts as all.
 * Those of other days say nothing of this attack.
 */
static int add_outage(void *context, const struct outages_outage *outage)
{
	const struct near *near = context;
	char error[HARM_JSON_ERROR_SIZE];
	json_t *json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	struct harm harm;
	bool room = true;

	if (!json || harm_json_read(json, &harm, error) != 0) {
		harm.outage.waves_count = 1;
		harm.outage.waves[0] =
			(struct outage_wave){ .began_ns = outage->began_ns, .ended_ns = outage->ended_ns };
	}
	json_decref(json);
	for (uint32_t i = 0; i < harm.outage.waves_count && room; i++) {
		const struct outage_wave *wave = &harm.outage.waves[i];
		struct claim_span span = { wave->began_ns, wave->ended_ns, 1 };

		if (wave->began_ns < near->to_ns && (wave->ended_ns == 0 || wave->ended_ns > near->from_ns))
			room = claim_facts_add_outage(near->facts, &span);
	}
	return room ? 0 : -ENOBUFS;
}

/* Those on record count unless a file says which were measured. */
static int read_outages(struct books *books, const struct source *source, struct claim_facts *facts)
{
	const struct trace *trace = &source->trace;
	struct capture_time began = { trace->began_ns }, ended = { trace->ended_ns ? trace->ended_ns : trace->made_ns };
	struct near near = { facts, time_plus(began, -NEAR_NS).ns, time_plus(ended, NEAR_NS).ns };
	struct record_error error = { .message = "" };
	int result = facts->context.outages_count ? 0 : outages_each(books->ledger, NULL, add_outage, &near, &error);

	if (result == -ENOBUFS)
		say_error("claim", "more than %d outages are on record; only the first are looked at",
		          CLAIM_OUTAGES_MAX);
	return result == 0 || result == -ENOBUFS ? COMMAND_DONE : books_refuse(books, result, &error);
}

/* `books` NULL: there is no ledger to ask. */
static int read_facts(const struct options *options, struct books *books, const struct source *source,
                      struct claim_facts *facts)
{
	char message[CLAIM_JSON_ERROR_SIZE];
	struct record_error error = { .message = "" };
	json_error_t wrong;
	json_t *json;
	int result;

	claim_facts_init(facts);
	if (options->context) {
		json = json_load_file(options->context, JSON_REJECT_DUPLICATES, &wrong);
		result = json ? claim_facts_read(json, facts, message) : -EBADMSG;
		if (!json)
			say_error(options->context, "cannot be read as JSON: %s (line %d)", wrong.text, wrong.line);
		else if (result != 0)
			say_error(options->context, "%s", message);
		json_decref(json);
		if (result != 0)
			return COMMAND_BAD;
	}
	if (books && read_outages(books, source, facts) != COMMAND_DONE)
		return COMMAND_BAD;
	if (source->series)
		claim_facts_add_series(facts, source->series, &source->trace);
	if (!books)
		return COMMAND_DONE;
	result = ledger_event_each(books->ledger, add_event, facts, &error);
	if (result == -ENOBUFS)
		say_error("claim", "more than %d events are on record; only the first are looked at", CLAIM_EVENTS_MAX);
	return result == 0 || result == -ENOBUFS ? COMMAND_DONE : books_refuse(books, result, &error);
}

static int read_seed(const struct options *options, const struct source *source, uint64_t *seed)
{
	char *end = NULL;

	*seed = source->incident;
	if (!options->seed)
		return COMMAND_DONE;
	errno = 0;
	*seed = strtoull(options->seed, &end, HEX);
	if (errno || end == options->seed || *end || options->seed[0] == '-')
		return options_refuse(&table, "--seed wants hexadecimal digits");
	return COMMAND_DONE;
}

/* A verdict as JSON, new; NULL: said. */
static json_t *test(const struct predicate *predicate, const struct source *source, const struct claim_facts *facts,
                    uint64_t seed)
{
	struct claim_result *result = calloc(1, sizeof(*result));
	json_t *json = NULL;

	if (result && claim_test(predicate, &source->trace, &facts->context, seed, result) == 0)
		json = claim_json(predicate, &facts->context, seed, result);
	free(result);
	if (!json)
		say_error("claim", "out of memory; free some");
	return json;
}

/* ---- claims on record ---- */

static json_t *claim_facts_json(const struct ledger_claim *claim)
{
	char at[TIME_TEXT_SIZE], added[TIME_TEXT_SIZE], id[ARCHIVE_ID_SIZE];

	(void)snprintf(id, sizeof(id), "%016" PRIx64, claim->incident);
	return json_pack("{ss ss so ss? so so ss ss so}", "id", claim->id, "incident", id, "by",
	                 build_text(claim->by, LEDGER_TEXT_MAX), "at",
	                 claim->at_ns ? time_format((struct capture_time){ claim->at_ns }, at) : NULL, "url",
	                 build_text(claim->url, LEDGER_TEXT_MAX), "text", build_text(claim->text, LEDGER_TEXT_MAX),
	                 "predicate", claim->predicate, "added",
	                 time_format((struct capture_time){ claim->added_ns }, added), "added_by",
	                 build_text(claim->added_by, LEDGER_TEXT_MAX));
}

/* A copy that outlives the call in which the ledger gives it. */
struct kept {
	struct ledger_claim claim;
	char *texts[5];
};

static void kept_free(struct kept *kept)
{
	for (size_t i = 0; i < sizeof(kept->texts) / sizeof(kept->texts[0]); i++)
		free(kept->texts[i]);
}

static int keep(struct kept *kept, const struct ledger_claim *claim)
{
	const char **const texts[] = { &kept->claim.by, &kept->claim.url, &kept->claim.text, &kept->claim.predicate,
		                       &kept->claim.added_by };

	kept->claim = *claim;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		kept->texts[i] = strdup(*texts[i]);
		if (!kept->texts[i]) {
			kept_free(kept);
			return -ENOMEM;
		}
		*texts[i] = kept->texts[i];
	}
	return 0;
}

struct shelf {
	struct kept *claims;
	size_t count, room;
	const char *name; /* beginning of an incident's ID; NULL: all */
};

static int shelve(void *context, const struct ledger_claim *claim)
{
	struct shelf *shelf = context;
	int result;

	if (shelf->name && !begins_so(claim->incident, shelf->name))
		return 0;
	if (shelf->count == shelf->room) {
		size_t room = shelf->room ? 2 * shelf->room : 16;
		struct kept *claims = realloc(shelf->claims, room * sizeof(*claims));

		if (!claims)
			return -ENOMEM;
		memset(claims + shelf->room, 0, (room - shelf->room) * sizeof(*claims));
		shelf->claims = claims;
		shelf->room = room;
	}
	result = keep(&shelf->claims[shelf->count], claim);
	shelf->count += result == 0;
	return result;
}

static void shelf_free(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->count; i++)
		kept_free(&shelf->claims[i]);
	free(shelf->claims);
}

/* "latest" becomes an ID. */
static int resolve(const struct options *options, const char **name, char id[ARCHIVE_ID_SIZE])
{
	struct archived archived;
	int status;

	if (!*name || strcmp(*name, "latest") != 0 || options->report)
		return COMMAND_DONE;
	status = archived_find("claim", options->config, *name, &archived);
	if (status == COMMAND_DONE) {
		(void)snprintf(id, ARCHIVE_ID_SIZE, "%016" PRIx64, archived.head.id);
		*name = id;
	}
	return status;
}

static int find_claims(struct books *books, const char *name, struct shelf *shelf)
{
	struct record_error error = { .message = "" };
	int result;

	*shelf = (struct shelf){ .name = NULL };
	if (name && name[0] == 'c' && name[1] >= '0' && name[1] <= '9' && strlen(name) < ARCHIVE_ID_SIZE - 1) {
		result = ledger_claim_find(books->ledger, name, shelve, shelf, &error);
		/* An incident's ID may look like that, too. */
		if (result != -ENOENT)
			return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
	}
	shelf->name = name;
	result = ledger_claim_each(books->ledger, 0, shelve, shelf, &error);
	return result == 0 ? COMMAND_DONE : books_refuse(books, result, &error);
}

/* ---- add ---- */

/* The incident meant: of a file, of the archive, or, by its whole ID, of the record. */
static int find_incident(const struct options *options, uint64_t *incident)
{
	struct source source = { .has_trace = false };
	struct archived archived;
	char *end = NULL;
	int status;

	if (options->report) {
		status = read_report(options->report, options->name, &source);
		*incident = source.incident;
		source_end(&source);
		return status;
	}
	if (options->record) {
		*incident = strtoull(options->name, &end, HEX);
		if (strlen(options->name) == ARCHIVE_ID_SIZE - 1 && !*end)
			return COMMAND_DONE;
	}
	status = archived_find("claim", options->config, options->name, &archived);
	if (status == COMMAND_DONE)
		*incident = archived.head.id;
	return status;
}

static int read_claim(const struct options *options, struct ledger_claim *claim)
{
	struct capture_time at = { 0 };

	if (!options->name)
		return options_refuse(&table, "no incident to add a claim to");
	if (!options->by || !*options->by)
		return options_refuse(&table, "--by says who said it");
	if (!options->text || !*options->text)
		return options_refuse(&table, "--text has the words");
	if (!options->predicate)
		return options_refuse(&table, "--predicate says what of it evidence can meet");
	if (options->at && time_parse(options->at, &at) != 0)
		return options_refuse(&table, "--at wants a time in UTC such as 2026-03-10T17:00:00Z");
	*claim = (struct ledger_claim){ .by = options->by, .text = options->text, .at_ns = at.ns };
	claim->url = options->url ? options->url : "";
	return COMMAND_DONE;
}

static int add(const struct options *options)
{
	struct record_error error = { .message = "" };
	struct ledger_claim claim = { .id = "" };
	struct predicate *predicate;
	char user[BOOKS_NAME_SIZE];
	struct books books;
	int result, status = read_claim(options, &claim);

	if (status != COMMAND_DONE)
		return status;
	predicate = parse(options->predicate, &status);
	if (!predicate)
		return status;
	status = find_incident(options, &claim.incident);
	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE) {
		predicate_free(predicate);
		return status;
	}
	claim.predicate = predicate_text(predicate);
	claim.added_ns = books_now();
	claim.added_by = books_user(user);
	result = ledger_claim_add(books.ledger, &claim, claim.id, &error);
	books_close(&books);
	if (result != 0) {
		status = books_refuse(&books, result, &error);
	} else if (options->json) {
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{s:[o]}", "claims", claim_facts_json(&claim)));
	} else {
		(void)printf("%s is on record; 'holdfast claim test %s' tests it\n", claim.id, claim.id);
		status = output_finish();
	}
	predicate_free(predicate);
	return status;
}

/* ---- list, show ---- */

struct history {
	const struct paper *paper; /* NULL: none is printed */
	json_t *verdicts;
	json_t *last; /* the latest one's JSON */
};

static int take_verdict(void *context, const struct ledger_verdict *verdict)
{
	struct history *h = context;
	char at[TIME_TEXT_SIZE], approved[TIME_TEXT_SIZE], seed[ARCHIVE_ID_SIZE];
	json_t *json = json_loads(verdict->json, JSON_REJECT_DUPLICATES, NULL), *item;

	(void)snprintf(seed, sizeof(seed), "%016" PRIx64, verdict->seed);
	item = json_pack("{ss ss ss ss ss? ss? sO?}", "at", time_format((struct capture_time){ verdict->at_ns }, at),
	                 "trace_sha256", verdict->trace_sha256, "seed", seed, "verdict", verdict->verdict, "approved",
	                 verdict->approved_ns ? time_format((struct capture_time){ verdict->approved_ns }, approved)
	                                      : NULL,
	                 "approved_by", verdict->approved_ns ? verdict->approved_by : NULL, "whole", json);
	json_decref(h->last);
	h->last = json;
	return json_array_append_new(h->verdicts, item) == 0 ? 0 : -ENOMEM;
}

static int list(const struct options *options)
{
	struct paper paper = screen_paper(0, false);
	json_t *claims = json_array();
	const char *name = options->name;
	char id[ARCHIVE_ID_SIZE];
	struct shelf shelf;
	struct books books;
	int status = resolve(options, &name, id);

	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, false);
	if (status != COMMAND_DONE) {
		json_decref(claims);
		return status;
	}
	status = find_claims(&books, name, &shelf);
	for (size_t i = 0; i < shelf.count && status == COMMAND_DONE; i++) {
		const struct ledger_claim *claim = &shelf.claims[i].claim;
		struct history history = { NULL, json_array(), NULL };
		struct record_error error = { .message = "" };
		int result = ledger_verdict_each(books.ledger, claim->id, take_verdict, &history, &error);
		const char *verdict = fact_text(history.last, "verdict");
		struct draft d = { .length = 0 };

		if (result != 0)
			status = books_refuse(&books, result, &error);
		draft_add(&d, BOLD "%-5s" PLAIN " %08" PRIx64 "  %-12s  %s   %s", claim->id, claim->incident >> 32,
		          *verdict ? verdict : "not tested", claim->predicate, claim->by);
		if (options->json) {
			json_t *item = claim_facts_json(claim);

			(void)json_object_set_new(item, "verdict", *verdict ? json_string(verdict) : json_null());
			(void)json_array_append_new(claims, item);
		} else {
			paper_line(&paper, 0, d.text);
		}
		json_decref(history.verdicts);
		json_decref(history.last);
	}
	books_close(&books);
	if (status == COMMAND_DONE && options->json)
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{sO}", "claims", claims));
	else if (status == COMMAND_DONE) {
		if (shelf.count == 0)
			paper_line(&paper, 0, "no claims");
		status = output_finish();
	}
	shelf_free(&shelf);
	json_decref(claims);
	return status;
}

/* Of the latest verdict. */
static void write_approval(const struct paper *paper, const json_t *verdict)
{
	const char *by = fact_text(verdict, "approved_by");
	struct draft d = { .length = 0 };

	if (!verdict)
		return;
	(void)fputc('\n', paper->out);
	if (*by)
		draft_add(&d, "%s approved of telling others, %.19s UTC.", by, fact_text(verdict, "approved"));
	else
		draft_add(&d,
		          YELLOW "Internal" PLAIN ": others are not told of it before somebody other than who put it "
		                 "on record approves ('holdfast claim approve').");
	paper_text(paper, 0, 0, d.text);
}

static int show_kept(const struct options *options, struct books *books, const struct ledger_claim *claim)
{
	struct paper paper = screen_paper(0, false);
	struct history history = { &paper, json_array(), NULL };
	struct record_error error = { .message = "" };
	int result = ledger_verdict_each(books->ledger, claim->id, take_verdict, &history, &error);
	const json_t *verdict;
	size_t i;
	int status = COMMAND_DONE;

	if (result != 0) {
		status = books_refuse(books, result, &error);
	} else if (options->json) {
		json_t *item = claim_facts_json(claim);

		(void)json_object_set(item, "verdicts", history.verdicts);
		status = order_print_json(CLAIMS_SCHEMA, json_pack("{s:[o]}", "claims", item));
	} else {
		claim_page_claim(&paper, claim);
		(void)fputc('\n', paper.out);
		if (history.last)
			claim_page_verdict(&paper, history.last);
		else
			paper_text(&paper, 0, 0, "It has not been tested: 'holdfast claim test' does.");
		if (json_array_size(history.verdicts) > 1)
			paper_line(&paper, 0, "\n" BOLD "TESTS" PLAIN);
		json_array_foreach(history.verdicts, i, verdict)
		{
			struct draft d = { .length = 0 };

			draft_add(&d, "%.19s  %-12s  trace %.12s", fact_text(verdict, "at"),
			          fact_text(verdict, "verdict"), fact_text(verdict, "trace_sha256"));
			if (json_array_size(history.verdicts) > 1)
				paper_line(&paper, 2, d.text);
		}
		write_approval(&paper, json_array_get(history.verdicts, json_array_size(history.verdicts) - 1));
		status = output_finish();
	}
	json_decref(history.verdicts);
	json_decref(history.last);
	return status;
}

static int show(const struct options *options)
{
	struct shelf shelf;
	struct books books;
	int status;

	if (!options->name)
		return options_refuse(&table, "no claim to show; 'holdfast claim list' lists them");
	status = books_open(&books, "claim", options->config, options->record, false);
	if (status != COMMAND_DONE)
		return status;
	status = find_claims(&books, options->name, &shelf);
	if (status == COMMAND_DONE && shelf.count != 1) {
		say_error("claim",
		          shelf.count ? "several claims are about %.60s; name one, as c1" : "there is no claim %.60s",
		          options->name);
		status = COMMAND_BAD;
	}
	if (status == COMMAND_DONE)
		status = show_kept(options, &books, &shelf.claims[0].claim);
	shelf_free(&shelf);
	books_close(&books);
	return status;
}

/* ---- approve ---- */

static int approve(const struct options *options)
{
	struct record_error error = { .message = "" };
	char user[BOOKS_NAME_SIZE];
	struct books books;
	int status, result;

	if (!options->name)
		return options_refuse(&table, "no claim to approve of; 'holdfast claim list' lists them");
	status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE)
		return status;
	result = ledger_approval_add(books.ledger, options->name, books_now(), books_user(user), &error);
	books_close(&books);
	if (result != 0) {
		say_error("claim", "%.40s: %s%s%s", options->name, error.message, error.advice[0] ? "; " : "",
		          error.advice);
		return COMMAND_BAD;
	}
	(void)printf("%s and its latest verdict may be told to others, says %s\n", options->name, user);
	return output_finish();
}

/* ---- test ---- */

/* Tests one that is on record, records that, and appends the verdict to `verdicts`, or prints it where that is NULL. */
static int test_kept(const struct options *options, struct books *books, const struct ledger_claim *claim,
                     struct claim_facts *facts, json_t *verdicts)
{
	struct ledger_rollup rollup = { .incident = claim->incident };
	struct ledger_verdict verdict = { .json = "" };
	struct record_error error = { .message = "" };
	struct source source = { .has_trace = false };
	struct paper paper = screen_paper(0, false);
	struct predicate *predicate;
	char *trace_text = NULL, *text = NULL;
	json_t *json = NULL;
	int result = -ENOMEM, status;

	predicate = parse(claim->predicate, &status);
	if (!predicate)
		return status;
	status = load_trace(options, books, claim->incident, &source);
	if (status == COMMAND_DONE)
		status = read_facts(options, books, &source, facts);
	if (status == COMMAND_DONE)
		status = read_seed(options, &source, &verdict.seed);
	if (status != COMMAND_DONE)
		goto done;
	json = test(predicate, &source, facts, verdict.seed);
	trace_text = json_dumps(source.json, JSON_COMPACT);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	status = COMMAND_BAD;
	if (!text || !trace_text)
		goto done;
	rollup.made_ns = source.trace.made_ns;
	rollup.trace = trace_text;
	result = ledger_rollup_add(books->ledger, &rollup, verdict.trace_sha256, &error);
	if (result == 0) {
		(void)snprintf(verdict.claim, sizeof(verdict.claim), "%s", claim->id);
		verdict.at_ns = books_now();
		verdict.verdict = fact_text(json, "verdict");
		verdict.json = text;
		result = ledger_verdict_add(books->ledger, &verdict, &error);
	}
	if (result != 0) {
		status = books_refuse(books, result, &error);
		goto done;
	}
	status = COMMAND_DONE;
	if (verdicts) {
		(void)json_object_set_new(json, "claim", json_string(claim->id));
		(void)json_object_set_new(json, "trace_sha256", json_string(verdict.trace_sha256));
		(void)json_array_append(verdicts, json);
	} else {
		claim_page_claim(&paper, claim);
		(void)fputc('\n', paper.out);
		claim_page_verdict(&paper, json);
		(void)fputc('\n', paper.out);
	}
done:
	json_decref(json);
	free(text);
	free(trace_text);
	source_end(&source);
	predicate_free(predicate);
	return status;
}

static int print_verdicts(const struct options *options, json_t *verdicts)
{
	if (options->json)
		return order_print_json(VERDICTS_SCHEMA, json_pack("{so}", "verdicts", verdicts));
	json_decref(verdicts);
	return output_finish();
}

static int test_recorded(const struct options *options)
{
	struct claim_facts *facts = malloc(sizeof(*facts));
	json_t *verdicts = json_array();
	const char *name = options->name;
	char id[ARCHIVE_ID_SIZE];
	struct shelf shelf = { .count = 0 };
	struct books books;
	int status;

	if (!name)
		status = options_refuse(&table, "nothing to test: a claim's ID, an incident's, or --predicate");
	else
		status = facts ? resolve(options, &name, id) : COMMAND_BAD;
	if (status == COMMAND_DONE)
		status = books_open(&books, "claim", options->config, options->record, true);
	if (status != COMMAND_DONE) {
		json_decref(verdicts);
		free(facts);
		return status;
	}
	status = find_claims(&books, name, &shelf);
	if (status == COMMAND_DONE && shelf.count == 0) {
		say_error("claim",
		          "there is no claim %.60s, nor one about such an incident; 'holdfast claim list' lists them",
		          options->name);
		status = COMMAND_BAD;
	}
	for (size_t i = 0; i < shelf.count && status == COMMAND_DONE; i++)
		status = test_kept(options, &books, &shelf.claims[i].claim, facts, options->json ? verdicts : NULL);
	shelf_free(&shelf);
	books_close(&books);
	free(facts);
	if (status == COMMAND_DONE)
		return print_verdicts(options, verdicts);
	json_decref(verdicts);
	return status;
}

static int test_text(const struct options *options, const char *text, const struct source *source,
                     const struct claim_facts *facts, json_t *verdicts)
{
	struct paper paper = screen_paper(0, false);
	struct predicate *predicate;
	struct draft d = { .length = 0 };
	uint64_t seed;
	json_t *json;
	int status = read_seed(options, source, &seed);

	if (status != COMMAND_DONE)
		return status;
	predicate = parse(text, &status);
	if (!predicate)
		return status;
	json = test(predicate, source, facts, seed);
	if (json && options->json) {
		(void)json_array_append(verdicts, json);
	} else if (json) {
		draft_add(&d, "tested: %s   on incident %016" PRIx64, predicate_text(predicate), source->incident);
		paper_text(&paper, 0, 4, d.text);
		(void)fputc('\n', paper.out);
		claim_page_verdict(&paper, json);
		(void)fputc('\n', paper.out);
	}
	json_decref(json);
	predicate_free(predicate);
	return json ? COMMAND_DONE : COMMAND_BAD;
}

static int test_lines(const struct options *options, const struct source *source, const struct claim_facts *facts,
                      json_t *verdicts)
{
	bool standard = strcmp(options->predicates, "-") == 0;
	FILE *in = standard ? stdin : fopen(options->predicates, "re");
	char line[LINE_SIZE];
	int status = COMMAND_DONE;

	if (!in) {
		say_error(options->predicates, "cannot be read: %s", strerror(errno));
		return COMMAND_BAD;
	}
	for (unsigned i = 0; status == COMMAND_DONE && fgets(line, sizeof(line), in); i++) {
		line[strcspn(line, "\n")] = '\0';
		if (i == PREDICATES_MAX) {
			say_error(say_input(options->predicates), "more than %d lines", PREDICATES_MAX);
			status = COMMAND_BAD;
		} else if (line[0] && line[0] != '#') {
			status = test_text(options, line, source, facts, verdicts);
		}
	}
	if (!standard)
		(void)fclose(in);
	return status;
}

/* Of what is asked now: nothing is recorded. */
static int test_asked(const struct options *options)
{
	struct claim_facts *facts = malloc(sizeof(*facts));
	struct source source = { .has_trace = false };
	json_t *verdicts = json_array();
	struct archived archived;
	int status;

	if (!facts || !verdicts) {
		say_error("claim", "out of memory; free some");
		status = COMMAND_BAD;
	} else if (options->report) {
		status = read_report(options->report, options->name, &source);
	} else if (!options->name) {
		status = options_refuse(&table, "an incident's ID, or --report FILE, says on what to test it");
	} else {
		char id[ARCHIVE_ID_SIZE];
		json_t *whole, *trace;

		status = archived_find("claim", options->config, options->name, &archived);
		if (status == COMMAND_DONE)
			status = archived_read(&archived, &whole);
		if (status == COMMAND_DONE) {
			(void)snprintf(id, sizeof(id), "%016" PRIx64, archived.head.id);
			trace = find_trace(whole, id);
			status = trace ? take_trace(options->name, trace, &source) : COMMAND_BAD;
			if (status == COMMAND_DONE)
				take_series(whole, &source);
			if (!trace)
				say_error(options->name, "no trace of it was recorded");
			json_decref(whole);
		}
	}
	if (status == COMMAND_DONE)
		status = read_facts(options, NULL, &source, facts);
	if (status == COMMAND_DONE)
		status = options->predicates ? test_lines(options, &source, facts, verdicts)
		                             : test_text(options, options->predicate, &source, facts, verdicts);
	source_end(&source);
	free(facts);
	if (status == COMMAND_DONE)
		return print_verdicts(options, verdicts);
	json_decref(verdicts);
	return status;
}

int claim_command(int argc, char **argv)
{
	struct options options = { .json = false };
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (strcmp(options.verb, "add") == 0)
		return add(&options);
	if (strcmp(options.verb, "list") == 0)
		return list(&options);
	if (strcmp(options.verb, "show") == 0)
		return show(&options);
	if (strcmp(options.verb, "test") == 0)
		return options.predicate || options.predicates ? test_asked(&options) : test_recorded(&options);
	if (strcmp(options.verb, "approve") == 0)
		return approve(&options);
	return options_refuse(&table, "'%.40s' is none of add, list, show, test, approve", options.verb);
}
