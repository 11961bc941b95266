/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast report: an incident that was recorded, told anew from its stream: all that its generation saw is put into
 * the same engine again, and what comes out is written as analyze writes it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/archived.h"
#include "cli/books.h"
#include "cli/claims.h"
#include "cli/command.h"
#include "cli/exports.h"
#include "cli/joined.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/tape.h"
#include "cli/traces.h"
#include "detect/incident_id.h"
#include "tell/analysis.h"
#include "tell/fingerprint.h"

struct options {
	const char *config, *name;
	const char *html, *fingerprint; /* NULL: none */
	const char *geo, *prices;       /* NULL: not given */
	bool json, text, include_claims;
	struct exports exports;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "ID", OPTION_INTO(struct options, name), .missing = "no incident to report",
	  .help = "of 'holdfast incidents', as much of it as is needed; or latest; for --stix, --misp and\n--csv also REPORT.json, "
	          "a report of 'holdfast analyze --json'; - is standard input" },
	{ .name = "html", .value = "OUT", OPTION_INTO(struct options, html),
	  .help = "one HTML file, to read in a browser, print or forward; - is standard output" },
	{ .name = "json", OPTION_INTO(struct options, json),
	  .help = "as JSON (" ANALYSIS_SCHEMA "), for 'holdfast try' and other programs" },
	{ .name = "text", OPTION_INTO(struct options, text), .help = "a page for the terminal: also where nothing else is asked for" },
	{ .name = "fingerprint", .value = "OUT", OPTION_INTO(struct options, fingerprint),
	  .help = "a fingerprint for DDoS-DB, without the target; - is standard output" },
	{ .name = "geo", .value = "DIR", OPTION_INTO(struct options, geo),
	  .help = "databases of countries and networks; else what 'geo' of the configuration says; none: of no\n"
	          "address is a place said" },
	{ .name = "prices", .value = "FILE", OPTION_INTO(struct options, prices),
	  .help = "what attacks are offered for, in the form of data/prices.json of the sources; else what 'prices' of\n"
	          "the configuration names, else that itself" },
	CLAIMS_ROW(struct options),
	EXPORTS_ROWS(struct options),
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "report",
	.synopsis =
		"ID|latest [--html OUT] [--json|--text] [--fingerprint OUT] [--geo DIR|none]\n"
		"                       [--prices FILE] [--include-claims] [--stix OUT] [--misp OUT] [--csv OUT] [--xarf DIR]\n"
		"       holdfast report REPORT.json [--incident ID] --stix OUT|--misp OUT|--csv OUT",
	.purpose =
		"Tells a recorded incident anew, from the stream of what was observed: with all else that was found at the time. The\n"
		"streams of the latest incidents are kept (record.streams_max). No daemon is needed.\n",
	.notes =
		"Exit status: 0 done, 1 there is no such incident, or its stream is gone or broken, 2 wrong usage.\n"
		"\n"
		"Example:\n"
		"  holdfast report latest --html report.html\n"
		"  holdfast report latest --stix bundle.json --xarf reports --organisation 'Example Ltd' --contact abuse@example.net\n",
	OPTION_ROWS(rows),
};

struct run {
	struct archived archived;
	struct tape *tape;
	const char *files[1];
	struct analysis_input input;
	const struct engine *engine;
	struct archive_incident *known; /* whose service was asked for last */
	struct config config;
	struct traces traces;
	struct trace_past *past;
	struct claims claims;
	struct series *series;    /* how users and links fared, as it was recorded; empty where it was not */
	struct ledger *ledger;    /* NULL: nothing is on record */
	struct picture **picture; /* the latest that was made */
};

static bool is_standard_output(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

static int check_options(const struct options *options)
{
	const bool wants[] = { options->json, options->text, is_standard_output(options->html),
		               is_standard_output(options->fingerprint) };
	unsigned wanted = 0;

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		wanted += wants[i];
	if (wanted + exports_on_screen(&options->exports) > 1)
		return options_refuse(&table, "only one can have standard output");
	return exports_check(&options->exports, &table);
}

/* The name that its service had when it was recorded, whatever the configuration says now. */
static const char *service_of(const void *context, const struct finding *finding)
{
	const struct run *run = context;
	char id[INCIDENT_ID_SIZE];

	if (finding->incident->id == run->archived.head.id) {
		*run->known = run->archived.head;
	} else {
		incident_id_format(finding->incident->id, id);
		if (archive_find(run->archived.folder, id, run->known) != 0)
			return NULL;
	}
	return run->known->service[0] ? run->known->service : NULL;
}

static int replay(struct run *run)
{
	struct progress progress;
	const struct stream_facts *facts;
	int result;

	progress_begin(&progress);
	result = tape_read(run->tape, run->archived.stream, &progress);
	progress_clear(&progress);
	if (result == 0)
		result = tape_end(run->tape);
	if (result != 0) {
		say_error(run->archived.stream, "cannot be replayed: %s; 'holdfast incident' has the page",
		          strerror(-result));
		return COMMAND_BAD;
	}
	facts = stream_replay_facts(run->tape->replay);
	run->engine = tape_engine(run->tape);
	if (!run->engine) {
		say_error(run->archived.stream, "%s; 'holdfast incident' has the page",
		          facts->error ? facts->error : "it holds nothing");
		return COMMAND_BAD;
	}
	run->files[0] = tape_name(run->archived.stream);
	run->input = analysis_input_of(engine_totals(run->engine), run->files, 1);
	run->input.service_of = service_of;
	run->input.service_context = run;
	if (facts->error) {
		say_error(run->archived.stream, "%s; reporting what came before", facts->error);
		run->input.truncated = true;
		run->input.error = facts->error;
		return COMMAND_BAD;
	}
	return COMMAND_DONE;
}

/* Without it there is a report all the same. */
static void read_series(struct run *run)
{
	json_t *whole;

	run->series->count = 0;
	if (archived_read(&run->archived, &whole) != COMMAND_DONE)
		return;
	(void)series_read(json_object_get(json_object_get(json_object_get(whole, "analysis"), "live"), "series"),
	                  run->series);
	json_decref(whole);
}

/* Of each incident that is told, anew: a report has few, and a picture is large. */
static const struct picture *picture_of(const void *context, const struct finding *finding)
{
	const struct run *run = context;
	const struct incident *incident = finding->incident;
	struct joined_source source = { run->ledger, run->archived.folder, books_now() };
	struct record_error error = { .message = "" };
	int result;

	free(*run->picture);
	*run->picture = NULL;
	result = joined_make(&source, incident->began.ns, incident->ended.ns, incident->id, run->picture, &error);
	if (result != 0)
		say_error("report", "the picture of what users felt is left out: %s",
		          error.message[0] ? error.message : strerror(-result));
	return *run->picture;
}

/*
 * What users felt and what was said; where nothing of the kind is on record, or not for this user to read, there is a
 * report all the same.
 */
static void open_record(struct run *run)
{
	struct record_error error = { .message = "" };
	char path[BOOKS_PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s" LEDGER_FILE, run->archived.folder);
	if (ledger_open(path, false, &run->ledger, &error) != 0) {
		run->ledger = NULL;
		return;
	}
	run->input.picture_of = picture_of;
	run->input.picture_context = run;
}

/*
 * All that the stream has of its sources, beside those who came before. As of its last packet: the same stream gives
 * the same.
 */
static int trace(struct run *run, const struct options *options)
{
	const char *folder = options->geo ? options->geo : run->config.geo;
	int result, status = traces_open(&run->traces, *folder ? folder : "none", options->geo != NULL);

	if (status == COMMAND_DONE)
		status = traces_read_prices(&run->traces, options->prices ? options->prices : run->config.prices,
		                            options->prices != NULL);
	if (status != COMMAND_DONE)
		return status;
	run->traces.trusted = run->config.trusted_proxies.prefixes;
	run->traces.trusted_count = run->config.trusted_proxies.count;
	result = traces_past(run->archived.folder, &run->archived.head, &run->past, &run->traces.past_count);
	run->traces.past = run->past;
	if (result == 0)
		result = traces_make(&run->traces, run->engine, true, run->input.has_time ? run->input.last.ns : 0);
	if (result != 0) {
		say_error("report", "out of memory; free some");
		return COMMAND_BAD;
	}
	run->input.trace_of = traces_of;
	run->input.trace_context = &run->traces;
	return COMMAND_DONE;
}

/* Of all incidents that its generation had, for the report tells of all. */
static int read_claims(struct run *run, const struct options *options)
{
	uint64_t incidents[INCIDENT_LIST_MAX];
	uint32_t count = engine_count(run->engine);
	int status;

	for (uint32_t i = 0; i < count && i < INCIDENT_LIST_MAX; i++)
		incidents[i] = engine_finding(run->engine, i)->incident->id;
	status = claims_load("report", options->config, incidents, count, &run->claims);
	if (status != COMMAND_DONE)
		return status;
	run->input.claims_of = claims_of;
	run->input.claims_context = &run->claims;
	return COMMAND_DONE;
}

/* ---- telling ---- */

static int write_fingerprint(FILE *out, const struct run *run)
{
	char key[FINGERPRINT_KEY_SIZE], *text;

	for (uint32_t i = 0; i < engine_count(run->engine); i++) {
		const struct finding *finding = engine_finding(run->engine, i);
		int result;

		if (finding->incident->id != run->archived.head.id)
			continue;
		result = fingerprint_make(finding, &text, key);
		if (result != 0)
			return result;
		errno = 0;
		result = fputs(text, out) == EOF || fflush(out) != 0 ? errno ? -errno : -EIO : 0;
		free(text);
		return result;
	}
	return -ENOENT;
}

/* What of it is told live: its rules as they are replayed, and what was measured beside them as it was recorded. */
static struct analysis_live live_of(const struct run *run)
{
	struct analysis_live live = tape_live(run->tape);

	live.series = run->series;
	return live;
}

static int write_html(FILE *out, const struct run *run)
{
	struct analysis_live live = live_of(run);

	return report_write(out, &run->input, run->engine, &live);
}

/* Whole, or not there. */
static int write_file(const struct run *run, const char *path, int (*write)(FILE *out, const struct run *run))
{
	struct output output;
	int result = output_open(&output, path), closed;

	if (result == 0) {
		result = write(output.file, run);
		closed = output_close(&output, result != 0);
		result = result ? result : closed;
	}
	if (result == 0)
		return COMMAND_DONE;
	if (result == -ENOENT && write == write_fingerprint)
		say_error("report",
		          "the stream does not show that incident; 'holdfast incident' has what was recorded");
	else
		say_error(say_output(path), "cannot write: %s; name another file", strerror(-result));
	return COMMAND_BAD;
}

static int write_screen(const struct run *run, bool json)
{
	struct analysis_live live = live_of(run);
	struct paper screen = screen_paper(0, false);
	struct page_options page = { .color = screen.color, .unicode = screen.unicode, .width = screen.width };
	int result = json ? analysis_json_write_live(stdout, &run->input, run->engine, &live)
	                  : page_write(stdout, &run->input, run->engine, &page);

	if (result == 0)
		return COMMAND_DONE;
	say_error("standard output", "%s; give it more room", strerror(-result));
	return COMMAND_BAD;
}

static int write_exports(const struct run *run, const struct exports *exports)
{
	const struct analysis_claim *claims = NULL;

	for (uint32_t i = 0; i < engine_count(run->engine); i++) {
		const struct finding *finding = engine_finding(run->engine, i);
		const struct trace *trace = traces_of(&run->traces, finding);
		struct export export;
		int status;

		if (finding->incident->id != run->archived.head.id)
			continue;
		if (!trace) {
			say_error("report", "a scan is no attack: there is nothing to export");
			return COMMAND_BAD;
		}
		if (export_init(&export, finding, trace, run->traces.geo, run->traces.trusted,
		                run->traces.trusted_count) != 0) {
			say_error("report", "out of memory; free some");
			return COMMAND_BAD;
		}
		export.claims_count = claims_about(&run->claims, finding->incident->id, &claims);
		export.claims = claims;
		status = exports_write(exports, &export);
		export_fini(&export);
		return status;
	}
	say_error("report", "the stream does not show that incident; 'holdfast incident' has what was recorded");
	return COMMAND_BAD;
}

static int tell(struct run *run, const struct options *options)
{
	bool others = options->json || options->html || exports_wanted(&options->exports); /* are told */
	int status = COMMAND_DONE;

	if (options->include_claims && others)
		claims_say_left_out("report", &run->claims);
	if (options->json || options->text || (!others && !options->fingerprint)) {
		run->claims.all = !options->json;
		status = write_screen(run, options->json);
		run->claims.all = false;
	}
	if (status == COMMAND_DONE && options->html)
		status = write_file(run, options->html, write_html);
	if (status == COMMAND_DONE && options->fingerprint)
		status = write_file(run, options->fingerprint, write_fingerprint);
	if (status == COMMAND_DONE && exports_wanted(&options->exports))
		status = write_exports(run, &options->exports);
	return status;
}

/* Whether a name is a file's and not an incident's. */
static bool is_file(const char *name)
{
	size_t length = strlen(name);

	return strcmp(name, "-") == 0 || strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0);
}

/* What was analysed is told by the analysis itself; of it others are told. */
static int report_file(const struct options *options)
{
	if (options->json || options->text || options->html || options->fingerprint || options->include_claims ||
	    !exports_wanted(&options->exports))
		return options_refuse(&table, "of REPORT.json --stix, --misp and --csv can be written, without claims");
	output_watch_signals();
	return exports_of_report(&options->exports, options->name);
}

int report_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct archive_incident known;
	struct run run = { .tape = NULL, .known = &known };
	struct picture *picture = NULL;
	int status, told;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	status = check_options(&options);
	if (status == COMMAND_DONE && is_file(options.name))
		return report_file(&options);
	if (status == COMMAND_DONE)
		status = archived_find("report", options.config, options.name, &run.archived);
	if (status != COMMAND_DONE)
		return status;
	if (!run.archived.has_stream) {
		say_error("report", "the stream of that incident is not kept, or not for you to read; "
		                    "'holdfast incident' has the page");
		return COMMAND_BAD;
	}
	if (!place_configuration_again(options.config, &run.config))
		run.config = (struct config){ .geo = GEO_FOLDER }; /* what is wrong with it has been said */
	run.tape = malloc(sizeof(*run.tape));
	run.series = malloc(sizeof(*run.series));
	if (!run.tape || !run.series || tape_init(run.tape, run.archived.head.id) != 0) {
		say_error("report", "out of memory; free some");
		status = COMMAND_BAD;
		goto undo_series;
	}
	run.picture = &picture;
	output_watch_signals();
	read_series(&run);
	status = replay(&run);
	if (run.engine) {
		if (options.html)
			open_record(&run);
		told = trace(&run, &options);
		if (told == COMMAND_DONE && options.include_claims)
			told = read_claims(&run, &options);
		told = told == COMMAND_DONE ? tell(&run, &options) : told;
		status = status == COMMAND_DONE ? told : status;
	}
	claims_fini(&run.claims);
	traces_fini(&run.traces);
	free(run.past);
	free(picture);
	if (run.ledger)
		ledger_close(run.ledger);
	tape_fini(run.tape);
undo_series:
	free(run.tape);
	free(run.series);
	config_fini(&run.config);
	return status;
}
