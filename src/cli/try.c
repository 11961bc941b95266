/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast try --rules REPORT.json IN -w OUT: what the rules of a report would do to a capture.
 *
 * Of IN, every record goes to OUT as it is, in the input's format, but for the packets that a rule (rules.h) drops.
 * What cannot be decoded passes and is counted.
 *
 * OUT is whole or not there: it is written under another name beside its own and renamed at the end; a full disk or a
 * signal removes what there is. Only what is no regular file (a pipe, a device) is written in place.
 *
 * One octet string is changed: where a rule may drop, the section length that a pcapng section header states becomes -1
 * (not stated), for it would be wrong. A record that the end of IN cuts is left out, so that OUT can be read to its
 * end.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/prefix.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report_rules.h"
#include "cli/say.h"
#include "defend/match.h"
#include "defend/rule.h"
#include "defend/sieve.h"
#include "observe/capture.h"
#include "observe/decode.h"
#include "observe/observation.h"

#define TRY_SCHEMA "holdfast.try/1"
#define OUTPUT_BUFFER ((size_t)256 << 10)

/* pcapng's section header block: type, total length, byte-order magic, version, then the length of the section */
#define SECTION_MINIMUM 28
#define SECTION_LENGTH_AT 16
#define SECTION_LENGTH_SIZE 8

struct options {
	const char *rules, *input, *output;
	bool json;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "IN", OPTION_INTO(struct options, input),
	  .missing = "no capture to read", .too_many = "one capture at a time",
	  .help = "a capture (pcap, pcapng; packed with gzip or zstd or not), or - for standard input" },
	{ .name = "rules", .value = "FILE", OPTION_INTO(struct options, rules),
	  .missing = "no rules: --rules REPORT.json is missing",
	  .help = "a report of 'holdfast analyze --json', or - for standard input" },
	{ .name = "write", .letter = 'w', .value = "OUT", OPTION_INTO(struct options, output),
	  .missing = "nowhere to write: -w OUT is missing",
	  .help = "where to write, in the format of IN, or - for standard output;\n"
	          "the summary then goes to standard error" },
	OPTION_JSON_ROW(struct options, "the summary as JSON", TRY_SCHEMA),
};
/* clang-format on */

static const struct option_table table = {
	.command = "try",
	.synopsis = "--rules REPORT.json IN -w OUT [--json]",
	.purpose = "Applies the rules of a report to a capture: OUT gets the packets that would have passed.\n",
	.notes =
		"drop drops, rate_limit is a token bucket on capture time, other actions pass. The first rule that matches decides.\n"
		"Exit status: 0 done, 1 IN, OUT or the report is bad (what could be read of a cut IN is written), 2 wrong usage.\n"
		"\n"
		"Example:\n"
		"  holdfast analyze --json attack.pcap > report.json\n"
		"  holdfast try --rules report.json attack.pcap -w passed.pcap\n",
	OPTION_ROWS(rows),
};

struct counts {
	uint64_t packets, passed, dropped, not_ip, undecodable;
	bool truncated;
};

#define PCAP_HEADER 24

struct trial {
	struct rules rules;
	struct counts counts;
	uint8_t header[PCAP_HEADER]; /* of a pcap file */
	bool has_header;
};

/* ---- output ---- */

/* Whether OUT would overwrite what is read; said. */
static bool overwrites(const struct options *options)
{
	if (output_is_input(options->output, options->input)) {
		say_error(say_output(options->output), "is the capture that is read; write to another file");
		return true;
	}
	if (output_is_input(options->output, options->rules)) {
		say_error(say_output(options->output), "is the report with the rules; write to another file");
		return true;
	}
	return false;
}

/* 0 or -errno */
static int put(FILE *file, const void *octets, size_t length)
{
	errno = 0;
	if (length == 0 || fwrite(octets, 1, length, file) == length)
		return 0;
	return errno ? -errno : -EIO;
}

static int put_section(FILE *file, const struct capture_record *record)
{
	static const uint8_t unstated[SECTION_LENGTH_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const size_t behind = SECTION_LENGTH_AT + SECTION_LENGTH_SIZE;
	int result = put(file, record->raw, SECTION_LENGTH_AT);

	if (!result)
		result = put(file, unstated, sizeof(unstated));
	return result ? result : put(file, record->raw + behind, record->raw_length - behind);
}

static bool is_section(const struct capture_record *record)
{
	static const uint8_t type[4] = { 0x0a, 0x0d, 0x0d, 0x0a };

	return record->raw_length >= SECTION_MINIMUM && memcmp(record->raw, type, sizeof(type)) == 0;
}

/* What is no packet. Of pcap files behind each other that begin alike one is made, which everybody can read. */
static int put_other(struct trial *trial, const struct capture_record *record, FILE *file)
{
	if (record->raw_length == PCAP_HEADER && record->offset == 0) {
		memcpy(trial->header, record->raw, PCAP_HEADER);
		trial->has_header = true;
	} else if (record->raw_length == PCAP_HEADER && trial->has_header &&
	           memcmp(trial->header, record->raw, PCAP_HEADER) == 0) {
		return 0;
	}
	return trial->rules.may_drop && is_section(record) ? put_section(file, record)
	                                                   : put(file, record->raw, record->raw_length);
}

/* ---- the trial ---- */

static bool passes(struct trial *trial, const struct capture_record *record)
{
	struct counts *counts = &trial->counts;
	struct observation observation;
	enum decode_result result =
		decode_frame(record->link_type, record->data, record->captured, record->original, &observation);

	if (result == DECODE_ARP || result == DECODE_NOT_IP) {
		counts->not_ip++;
		return true;
	}
	/*
	 * What is undecodable behind its IP header is counted, and meets the rules by what IP says: as in the analysis.
	 */
	if (result != DECODE_OK)
		counts->undecodable++;
	if (!decode_hits_target(result))
		return true;
	observation.time = record->time;
	observation.weight = 1;
	return sieve_pass(&trial->rules.sieve, &observation);
}

static int try_packet(struct trial *trial, const struct capture_record *record, FILE *file)
{
	struct counts *counts = &trial->counts;

	counts->packets++;
	if (!passes(trial, record)) {
		counts->dropped++;
		return 0;
	}
	counts->passed++;
	return put(file, record->raw, record->raw_length);
}

/* 0, also where the input is cut (then counts.truncated), or -errno of the output. */
static int sift(struct trial *trial, struct capture *capture, FILE *file)
{
	struct capture_record record;
	struct progress progress;
	bool more = true;
	int result = 0;

	progress_begin(&progress);
	while (more && !result) {
		switch (capture_next(capture, &record)) {
		case CAPTURE_PACKET:
			result = try_packet(trial, &record, file);
			if (progress_is_due(&progress, trial->counts.packets))
				progress_show(&progress, trial->counts.packets, capture_position(capture),
				              capture_size(capture));
			break;
		case CAPTURE_OTHER:
			result = put_other(trial, &record, file);
			break;
		case CAPTURE_CUT:
		case CAPTURE_BROKEN:
			trial->counts.truncated = true;
			more = false;
			break;
		case CAPTURE_END:
			more = false;
			break;
		}
	}
	progress_clear(&progress);
	return result;
}

/* ---- summary ---- */

static void print_text(const struct trial *trial, FILE *to)
{
	const struct counts *counts = &trial->counts;
	char match[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE], action[40];
	uint64_t permille = counts->packets ? counts->dropped * 1000 / counts->packets : 0;

	(void)fprintf(to, "packets  %12" PRIu64 "%s\n", counts->packets,
	              counts->truncated ? "  (the input is not whole)" : "");
	(void)fprintf(to, "passed   %12" PRIu64, counts->passed);
	if (counts->not_ip || counts->undecodable)
		(void)fprintf(to, "  (%" PRIu64 " not IP and %" PRIu64 " undecodable among them)", counts->not_ip,
		              counts->undecodable);
	(void)fprintf(to, "\ndropped  %12" PRIu64 "  %" PRIu64 ".%" PRIu64 " %%\n\n", counts->dropped, permille / 10,
	              permille % 10);
	if (trial->rules.sieve.count == 0)
		(void)fputs("no rules in the report\n", to);
	else
		(void)fprintf(to, "%-4s  %-20s %12s %12s  %-20s  %s\n", "RULE", "ACTION", "MATCHED", "DROPPED", "TO",
		              "MATCH");
	for (unsigned i = 0; i < trial->rules.sieve.count; i++) {
		const struct sieve_rule *entry = &trial->rules.sieve.rules[i];

		if (entry->rule.action == RULE_RATE_LIMIT)
			(void)snprintf(action, sizeof(action), "%s %" PRIu32 "/s", rule_action_name(entry->rule.action),
			               entry->rule.rate_pps);
		else
			(void)snprintf(action, sizeof(action), "%s", rule_action_name(entry->rule.action));
		(void)fprintf(to, "%-4u  %-20s %12" PRIu64 " %12" PRIu64 "  %-20s  %s\n", i + 1, action, entry->matched,
		              entry->dropped, prefix_format(&entry->rule.scope, scope),
		              match_format(&entry->rule.match, match));
	}
}

static json_t *rule_json(const struct sieve_rule *entry, const char *incident)
{
	char match[MATCH_TEXT_SIZE], scope[PREFIX_TEXT_SIZE];
	json_t *rate = entry->rule.action == RULE_RATE_LIMIT ? json_integer(entry->rule.rate_pps) : json_null();

	/* s? is null for NULL; o takes the reference. */
	return json_pack("{s:s?, s:s, s:s, s:s, s:o, s:I, s:I}", "incident", incident, "scope",
	                 prefix_format(&entry->rule.scope, scope), "match", match_format(&entry->rule.match, match),
	                 "action", rule_action_name(entry->rule.action), "rate_limit_pps", rate, "matched",
	                 (json_int_t)entry->matched, "dropped", (json_int_t)entry->dropped);
}

static int print_json(const struct trial *trial, FILE *to)
{
	const struct counts *counts = &trial->counts;
	json_t *rules = json_array(), *root;
	int result = 0;

	for (unsigned i = 0; i < trial->rules.sieve.count; i++)
		result |= json_array_append_new(rules,
		                                rule_json(&trial->rules.sieve.rules[i], trial->rules.incidents[i]));
	root = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "schema", TRY_SCHEMA, "packets",
	                 (json_int_t)counts->packets, "passed", (json_int_t)counts->passed, "dropped",
	                 (json_int_t)counts->dropped, "not_ip", (json_int_t)counts->not_ip, "undecodable",
	                 (json_int_t)counts->undecodable, "truncated", counts->truncated, "rules", rules);
	if (!root || result != 0 || json_dumpf(root, to, JSON_INDENT(2)) != 0)
		result = -EIO;
	else
		(void)fputc('\n', to);
	json_decref(root);
	return result;
}

static int summarize(const struct trial *trial, const struct options *options)
{
	bool to_stderr = strcmp(options->output, "-") == 0;
	FILE *to = to_stderr ? stderr : stdout;
	int result = 0;

	if (options->json)
		result = print_json(trial, to);
	else
		print_text(trial, to);
	if (result == 0 && (fflush(to) != 0 || ferror(to)))
		result = -errno;
	if (result != 0)
		say_error(to_stderr ? "standard error" : "standard output",
		          "cannot write the summary; give it more room");
	return result;
}

/* ---- command ---- */

static int run(struct trial *trial, const struct options *options)
{
	static char buffer[OUTPUT_BUFFER];
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture *capture;
	struct output output;
	bool in_place;
	int status = COMMAND_BAD, result, closed;

	if (overwrites(options))
		return COMMAND_USAGE;
	if (strcmp(options->output, "-") == 0 && isatty(STDOUT_FILENO))
		return options_refuse(
			&table,
			"a capture is nothing for a terminal: redirect standard output, or name a file with -w");
	if (rules_read(options->rules, &trial->rules) != 0)
		return COMMAND_BAD;
	capture = capture_open(options->input, error);
	if (!capture) {
		say_error(say_input(options->input), "%s; name a pcap or pcapng file", error);
		goto undo_rules;
	}
	output_watch_signals();
	result = output_open(&output, options->output);
	if (result) {
		say_error(say_output(options->output), "cannot write there: %s; name another file with -w",
		          strerror(-result));
		goto undo_capture;
	}
	/*
	 * The C library takes a size only together with a buffer; static, for standard output outlives this function.
	 */
	(void)setvbuf(output.file, buffer, _IOFBF, sizeof(buffer));
	in_place = !output.temporary;
	result = sift(trial, capture, output.file);
	closed = output_close(&output, result != 0);
	if (!result)
		result = closed;
	if (result) {
		say_error(say_output(options->output),
		          "cannot write: %s after %" PRIu64 " packets, %s; make room or name another file with -w",
		          strerror(-result), trial->counts.packets,
		          in_place ? "and what was written is not whole" : "so nothing was put there");
		goto undo_capture;
	}
	if (trial->counts.truncated)
		say_error(say_input(options->input), "%s; what comes before is in %s, get a whole copy for the rest",
		          capture_error(capture), say_output(options->output));
	if (summarize(trial, options) == 0 && !trial->counts.truncated)
		status = COMMAND_DONE;
undo_capture:
	capture_close(capture);
undo_rules:
	rules_fini(&trial->rules);
	return status;
}

int try_command(int argc, char **argv)
{
	struct options options = { .json = false };
	struct trial *trial;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	if (strcmp(options.rules, "-") == 0 && strcmp(options.input, "-") == 0)
		return options_refuse(&table, "the rules and the capture cannot both come from standard input");
	trial = calloc(1, sizeof(*trial));
	if (!trial) {
		say_error("try", "out of memory; free some");
		return COMMAND_BAD;
	}
	status = run(trial, &options);
	free(trial);
	return status;
}
