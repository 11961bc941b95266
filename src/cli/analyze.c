/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast analyze: reads captures as one, merged by time, feeds what they hold to one engine, and has the findings
 * told.
 *
 * What cannot be read does not stop what can: of a cut or broken capture all that comes before counts, a file that
 * cannot be opened is named and the rest reported. The exit status says so. Where no file can be opened at all, there
 * is no report.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/keep.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/services.h"
#include "cli/tape.h"
#include "cli/traces.h"
#include "engine/engine.h"
#include "engine/feed.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "observe/merge.h"
#include "tell/analysis.h"
#include "tell/fingerprint.h"

#define SEED 0x686f6c6466617374u /* "holdfast": the same capture gives the same analysis everywhere */
#define THREADS_MAX 2            /* one reads and decodes, one is the engine's */
#define PATH_SHOWN 1024          /* octets of a path in a report */

struct options {
	const char *services;    /* NULL: none */
	const char *html;        /* NULL: none */
	const char *fingerprint; /* NULL: none */
	const char *record;      /* NULL: nowhere */
	const char *geo;         /* NULL: not given */
	const char *prices;      /* NULL: those built in */
	bool json, no_color;
	uint64_t width;   /* 0: not given */
	uint64_t threads; /* 0: not given */
	struct option_words files;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "FILE", OPTION_INTO(struct options, files), .maximum = MERGE_CAPTURES_MAX,
	  .missing = "no capture to read",
	  .help = "a capture, packed with gzip or zstd or not; or - for standard input; or streams (*.hfs) of one\n"
	          "generation of 'holdfast run', in their order" },
	{ .name = "services", .value = "FILE", OPTION_INTO(struct options, services),
	  .help = "YAML that names your services (as in holdfast.yaml), so that targets have names; and the\n"
	          "trusted_proxies, whose addresses are nobody's" },
	{ .name = "json", OPTION_INTO(struct options, json),
	  .help = "the report as JSON (" ANALYSIS_SCHEMA "), for 'holdfast try' and other programs" },
	{ .name = "html", .value = "OUT", OPTION_INTO(struct options, html),
	  .help = "besides, a report in one HTML file, to read in a browser, print or forward" },
	{ .name = "fingerprint", .value = "DIR", OPTION_INTO(struct options, fingerprint),
	  .help = "besides, of each attack a fingerprint for DDoS-DB, DIR/KEY.json; DIR is made where it is not\n"
	          "there. The target is not named, forged addresses are not listed" },
	{ .name = "geo", .value = "DIR", OPTION_INTO(struct options, geo),
	  .help = TRACES_GEO_HELP },
	{ .name = "prices", .value = "FILE", OPTION_INTO(struct options, prices),
	  .help = "what attacks are offered for, in the form of data/prices.json of the sources; else that itself" },
	{ .name = "record", .value = "DIR", OPTION_INTO(struct options, record),
	  .help = "besides, the attacks into DIR as 'holdfast run' records them, for 'holdfast incidents', 'claim' and\n"
	          "'evidence' with a configuration whose state_dir it is; DIR is made where it is not there" },
	{ .name = "width", .value = "N", OPTION_INTO(struct options, width),
	  .help = "columns of the page, 60 to 160; else those of the terminal" },
	{ .name = "threads", .value = "N", OPTION_INTO(struct options, threads), .minimum = 1, .maximum = THREADS_MAX,
	  .help = "1 or 2; else 2 where there are as many processors" },
	{ .name = "no-color", OPTION_INTO(struct options, no_color),
	  .help = "no colours; so does the environment's NO_COLOR" },
};
/* clang-format on */

static const struct option_table table = {
	.command = "analyze",
	.synopsis =
		"FILE... [--services FILE] [--json] [--html OUT] [--fingerprint DIR] [--geo DIR|none] [--prices FILE]\n"
		"                        [--record DIR] [--width N] [--threads N] [--no-color]",
	.purpose =
		"Reads captures (pcap, pcapng), merged by time, or a stream of 'holdfast run', and says what happened: attacks, their\n"
		"waves, kinds and sources, the narrowest rules that stop them, and what those would cost normal users. Nothing is\n"
		"changed, nothing is sent.\n",
	.notes = "Exit status: 0 done (attack or not), 1 a capture could not be read to its end, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast analyze quiet-hour.pcap attack.pcap\n",
	OPTION_ROWS(rows),
};

struct run {
	struct engine *made;         /* NULL: what is told is a tape's */
	const struct engine *engine; /* what is told */
	struct feed *feed;           /* into the engine */
	struct tape *tape;           /* NULL: captures are read */
	struct traces traces;
	struct analysis_input input;
	const char **opened;      /* input.files */
	struct capture_time time; /* of the packet before */
	char error[CAPTURE_ERROR_SIZE + PATH_SHOWN];
	bool complete; /* all that was asked for was read */
	bool told;     /* there are findings, and the report, if one was wanted, has them */
	struct progress progress;
};

/* ---- Options ---- */

/* Whether the report is to be there, in place of the page. */
static bool is_standard_output(const char *html)
{
	return html && strcmp(html, "-") == 0;
}

/* What the table cannot say. COMMAND_DONE or, said, COMMAND_USAGE. */
static int check_options(const struct options *options)
{
	unsigned from_standard_input = 0;

	for (size_t i = 0; i < options->files.count; i++)
		from_standard_input += strcmp(options->files.words[i], "-") == 0;
	if (from_standard_input > 1)
		return options_refuse(&table, "standard input cannot be read twice");
	if (options->json && is_standard_output(options->html))
		return options_refuse(&table, "--json and --html - both want standard output");
	return COMMAND_DONE;
}

/* Of files that are named twice the first, or NULL: each of their packets would count twice. Pipes come but once. */
static const char *find_twice(const struct option_words *files)
{
	struct stat seen[MERGE_CAPTURES_MAX];
	size_t known = 0;

	for (size_t i = 0; i < files->count && known < MERGE_CAPTURES_MAX; i++) {
		struct stat *now = &seen[known];

		if (strcmp(files->words[i], "-") == 0 || stat(files->words[i], now) != 0 || !S_ISREG(now->st_mode))
			continue;
		for (size_t before = 0; before < known; before++) {
			if (seen[before].st_dev == now->st_dev && seen[before].st_ino == now->st_ino)
				return files->words[i];
		}
		known++;
	}
	return NULL;
}

/* ---- Reading ---- */

static void take_time(struct run *run, const struct capture_record *record)
{
	struct analysis_input *input = &run->input;

	if (!record->has_time)
		return; /* the time of the packet before stands, be it of another file */
	run->time = record->time;
	if (!input->has_time || time_since(record->time, input->first) < 0)
		input->first = record->time;
	if (!input->has_time || time_since(record->time, input->last) > 0)
		input->last = record->time;
	input->has_time = true;
}

static void take_packet(struct run *run, const struct capture_record *record)
{
	struct analysis_input *input = &run->input;
	struct observation *observation = feed_next(run->feed);
	enum decode_result result;

	take_time(run, record);
	input->packets++;
	input->bytes += record->original;
	result = decode_frame(record->link_type, record->data, record->captured, record->original, observation);
	input->by_reason[result]++;
	/*
	 * What is behind the IP header may be undecodable, and is counted so; the packet hits its target all the same.
	 */
	if (decode_hits_target(result)) {
		observation->time = run->time;
		observation->weight = 1;
		feed_commit(run->feed);
	}
	if (result != DECODE_OK && result != DECODE_ARP && result != DECODE_NOT_IP)
		input->undecodable++;
}

/* Of several captures that went wrong the report names the first. */
static void note_fault(struct run *run, const char *path, const char *what, const char *then)
{
	progress_clear(&run->progress);
	say_error(say_input(path), "%s%s", what, then);
	if (!run->input.error)
		(void)snprintf(run->error, sizeof(run->error), "%.*s: %s", PATH_SHOWN - 4, say_input(path), what);
	run->input.error = run->error;
	run->complete = false;
}

/* Up to the end of all, or of each up to where it can be read. */
static void read_merged(struct run *run, struct merge *merge)
{
	struct capture_record record;
	enum capture_kind kind;
	size_t number;

	while ((kind = merge_next(merge, &record, &number)) != CAPTURE_END) {
		if (kind == CAPTURE_CUT || kind == CAPTURE_BROKEN) {
			note_fault(run, run->opened[number], merge_error(merge, number),
			           "; reporting what came before");
			run->input.truncated = true;
		}
		if (kind != CAPTURE_PACKET)
			continue;
		take_packet(run, &record);
		if (progress_is_due(&run->progress, run->input.packets))
			progress_show(&run->progress, run->input.packets, merge_position(merge), merge_size(merge));
	}
}

static void read_files(struct run *run, const struct options *options, struct merge *merge)
{
	run->complete = true;
	progress_begin(&run->progress);
	for (size_t i = 0; i < options->files.count; i++) {
		char error[CAPTURE_ERROR_SIZE];

		if (merge_open(merge, options->files.words[i], error))
			note_fault(run, options->files.words[i], error, "");
		else
			run->opened[run->input.files_count++] = options->files.words[i];
	}
	read_merged(run, merge);
	progress_clear(&run->progress);
}

/* ---- Telling ---- */

static int refuse_html(const char *path, int result)
{
	say_error(say_output(path), "cannot write the report: %s; name another file with --html", strerror(-result));
	return COMMAND_BAD;
}

static int refuse_fingerprint(const char *path, int result)
{
	say_error(path, "cannot write fingerprints there: %s; name another directory with --fingerprint",
	          strerror(-result));
	return COMMAND_BAD;
}

/* Whether there is such a directory; made where there is not. 0 or -errno. */
static int make_directory(const char *path)
{
	struct stat status;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &status) != 0)
		return -errno;
	return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

/* One file for each attack, under its key: so the dissector leaves them, and so DDoS-DB's tools take them in. */
static int tell_fingerprints(const struct run *run, const char *directory)
{
	for (uint32_t i = 0; i < engine_count(run->engine); i++) {
		const struct finding *finding = engine_finding(run->engine, i);
		char key[FINGERPRINT_KEY_SIZE], *json, *path = NULL;
		int result;

		if (finding->incident->is_scan)
			continue;
		result = fingerprint_make(finding, &json, key);
		if (result != 0)
			return refuse_fingerprint(directory, result);
		if (asprintf(&path, "%s/%s.json", directory, key) < 0) {
			free(json);
			return refuse_fingerprint(directory, -ENOMEM);
		}
		result = output_write(path, json);
		if (result != 0)
			refuse_fingerprint(path, result);
		free(path);
		free(json);
		if (result != 0)
			return COMMAND_BAD;
	}
	return COMMAND_DONE;
}

/* Whether a report would overwrite what is read; said. */
static bool overwrites(const struct options *options)
{
	for (size_t i = 0; options->html && i < options->files.count; i++) {
		if (output_is_input(options->html, options->files.words[i])) {
			say_error(say_output(options->html), "is a capture that is read; write to another file");
			return true;
		}
	}
	if (options->html && options->services && output_is_input(options->html, options->services)) {
		say_error(say_output(options->html), "is the file of services; write to another file");
		return true;
	}
	if (options->html && options->prices && output_is_input(options->html, options->prices)) {
		say_error(say_output(options->html), "is the file of prices; write to another file");
		return true;
	}
	return false;
}

static int tell(const struct run *run, const struct options *options)
{
	struct paper screen = screen_paper(options->width, options->no_color);
	struct page_options page = { .color = screen.color, .unicode = screen.unicode, .width = screen.width };
	int result;

	if (options->json && run->tape) {
		struct analysis_live live = tape_live(run->tape);

		result = analysis_json_write_live(stdout, &run->input, run->engine, &live);
	} else if (options->json) {
		result = analysis_json_write(stdout, &run->input, run->engine);
	} else {
		result = page_write(stdout, &run->input, run->engine, &page);
	}

	if (result == 0)
		return COMMAND_DONE;
	say_error(result == -ENOMEM ? "analyze" : "standard output", "%s", strerror(-result));
	return COMMAND_BAD;
}

static int refuse_memory(void)
{
	say_error("analyze", "out of memory");
	return COMMAND_BAD;
}

static int take_captures(struct run *run, const struct options *options)
{
	struct merge *merge = merge_new();

	run->made = engine_new(SEED);
	run->engine = run->made;
	run->feed =
		run->made ? feed_new(run->made, options->threads ? (unsigned)options->threads : feed_threads()) : NULL;
	if (!run->feed || !merge) {
		if (run->feed)
			feed_finish(run->feed);
		merge_free(merge);
		return refuse_memory();
	}
	read_files(run, options, merge);
	merge_free(merge);
	feed_finish(run->feed);
	if (run->input.files_count == 0)
		return COMMAND_BAD;
	if (engine_finish(run->made) != 0)
		return refuse_memory();
	run->input.out_of_order = engine_totals(run->made)->out_of_order;
	return COMMAND_DONE;
}

/* What the recorded analysis says of its input is said here, too. */
static int take_streams(struct run *run, const struct options *options)
{
	const char *last = options->files.words[options->files.count - 1];
	const struct stream_facts *facts;
	struct analysis_input input;

	run->complete = true;
	progress_begin(&run->progress);
	for (size_t i = 0; i < options->files.count; i++) {
		int result = tape_read(run->tape, options->files.words[i], &run->progress);

		if (result == -ENOMEM)
			return refuse_memory();
		if (result != 0)
			note_fault(run, options->files.words[i], strerror(-result), "");
		run->opened[run->input.files_count++] = tape_name(options->files.words[i]);
	}
	progress_clear(&run->progress);
	if (tape_end(run->tape) != 0)
		return refuse_memory();
	facts = stream_replay_facts(run->tape->replay);
	run->engine = tape_engine(run->tape);
	if (!run->engine) {
		note_fault(run, last, facts->error ? facts->error : "it holds nothing",
		           "; name a stream from its first part on");
		return COMMAND_BAD;
	}
	input = analysis_input_of(engine_totals(run->engine), run->opened, run->input.files_count);
	input.service_of = run->input.service_of;
	input.service_context = run->input.service_context;
	run->input = input;
	if (facts->error) {
		run->input.truncated = true;
		note_fault(run, last, facts->error, "; reporting what came before");
	}
	return COMMAND_DONE;
}

/* As of the last packet: the same input gives the same octets. */
static int trace(struct run *run)
{
	int64_t last_ns = run->input.has_time ? run->input.last.ns : 0;
	int result = traces_make(&run->traces, run->engine, run->tape != NULL, last_ns);

	run->input.trace_of = traces_of;
	run->input.trace_context = &run->traces;
	return result;
}

static int analyze(struct run *run, const struct options *options, FILE *html)
{
	int said;

	run->opened = calloc(options->files.count + 1, sizeof(*run->opened));
	run->input.files = run->opened;
	if (!run->opened)
		return refuse_memory();
	said = run->tape ? take_streams(run, options) : take_captures(run, options);
	if (said != COMMAND_DONE)
		return said;
	if (trace(run) != 0)
		return refuse_memory();
	/* A page that nobody took keeps no report from being written. */
	if (!is_standard_output(options->html))
		said = tell(run, options);
	if (options->html) {
		int result = report_write(html, &run->input, run->engine, NULL);

		if (result != 0)
			return refuse_html(options->html, result);
	}
	if (options->record) {
		struct analysis_live live =
			run->tape ? tape_live(run->tape) : (struct analysis_live){ .rule_count = 0 };
		int kept = keep_incidents(options->record, &run->input, run->engine, run->tape ? &live : NULL);

		said = said == COMMAND_DONE ? kept : said;
	}
	run->told = true;
	return run->complete ? said : COMMAND_BAD;
}

/* Where the report cannot be written is known before hours of reading. */
static int analyze_html(struct run *run, const struct options *options)
{
	struct output output;
	int status, result = output_open(&output, options->html);

	if (result != 0)
		return refuse_html(options->html, result);
	status = analyze(run, options, output.file);
	/* A capture that could not be read to its end has a report all the same. */
	result = output_close(&output, !run->told);
	if (result != 0 && run->told) {
		run->told = false;
		return refuse_html(options->html, result);
	}
	return status;
}

static int analyze_into(struct run *run, const struct options *options)
{
	int status = options->html ? analyze_html(run, options) : analyze(run, options, NULL);

	if (run->told && options->fingerprint && tell_fingerprints(run, options->fingerprint) != COMMAND_DONE)
		return COMMAND_BAD;
	return status;
}

/*
 * Whether the first file begins a stream, of which the others are later parts. COMMAND_DONE, and then a tape; else
 * said.
 */
static int find_streams(const struct options *options, struct tape **tape)
{
	size_t streams = 0;

	for (size_t i = 0; i < options->files.count; i++)
		streams += tape_is_one(options->files.words[i]);
	if (streams == 0)
		return COMMAND_DONE;
	if (!tape_is_one(options->files.words[0]))
		return options_refuse(&table, "captures and streams cannot be read as one");
	*tape = malloc(sizeof(**tape));
	if (!*tape || tape_init(*tape, tape_incident(options->files.words[0])) != 0) {
		free(*tape);
		*tape = NULL;
		return refuse_memory();
	}
	return COMMAND_DONE;
}

int analyze_command(int argc, char **argv)
{
	struct options options = { .files = { NULL, 0 } };
	struct run run = { .complete = true };
	struct services *services = NULL;
	const char *twice;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	status = check_options(&options);
	if (status != COMMAND_DONE)
		return status;
	twice = find_twice(&options.files);
	if (twice)
		return options_refuse(&table, "%s is named twice, or a link to it; it can be read but once",
		                      say_input(twice));
	if (overwrites(&options))
		return COMMAND_USAGE;
	if (options.fingerprint) {
		int result = make_directory(options.fingerprint);

		if (result != 0)
			return refuse_fingerprint(options.fingerprint, result);
	}
	status = find_streams(&options, &run.tape);
	if (status != COMMAND_DONE)
		return status;
	output_watch_signals();
	if (options.services) {
		char error[SERVICES_ERROR_SIZE];

		services = services_load(options.services, error);
		if (!services) {
			say_error(options.services, "%s", error);
			status = COMMAND_BAD;
			goto undo_tape;
		}
		run.input.service_of = services_name;
		run.input.service_context = services;
	}
	status = traces_open(&run.traces, options.geo ? options.geo : GEO_FOLDER, options.geo != NULL);
	if (status == COMMAND_DONE)
		status = traces_read_prices(&run.traces, options.prices, true);
	if (services)
		run.traces.trusted = services_trusted(services, &run.traces.trusted_count);
	if (status == COMMAND_DONE)
		status = analyze_into(&run, &options);
	traces_fini(&run.traces);
	engine_free(run.made);
	free(run.opened);
	services_free(services);
undo_tape:
	if (run.tape)
		tape_fini(run.tape);
	free(run.tape);
	return status;
}
