/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast outage logs: whole access logs are read once, whatever their length, and each bucket of five minutes becomes
 * a row. With --import a file is one transaction of the record, with its SHA-256, so that it counts once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/time.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/outage_inside.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "impact/access_count.h"
#include "observe/input.h"
#include "record/outages.h"
#include "tell/access_json.h"
#include "tell/build.h"
#include "tell/words.h"

#define ACCESS_SCHEMA "holdfast.access_log/1"
#define ROWS_MAX 1048576 /* ten years of buckets */
#define ROWS_FIRST 256
#define TOLD_MAX 5 /* lines of a file that are no lines of a log */
#define TEXT_TOLD 120
#define SHARE_TOLD 5    /* per cent of 5xx from which a row is marked: what belief (impact/belief.h) begins to hear */
#define ANSWERS_TOLD 20 /* ... of so many answers */
#define PPM 1000000
#define TOLD_LATE_NS (60 * NS_PER_S) /* serve tells of a bucket so long after its end at most, where it is not behind */

/*
 * What a bucket came to. Where it was given out in parts, clients are those of its largest part, latency that of its
 * worst.
 */
struct row {
	int64_t bucket_ns;
	uint64_t answers, bad, unanswered, clients, clients_bad;
	uint32_t latency_ms;
};

struct logs {
	const struct outage_options *options;
	const char *component;
	struct books books;
	struct config configuration;
	struct access_count *count;
	struct access_log log;
	struct outages_loading *loading;
	struct record_error error;
	struct row *rows;
	size_t rows_count, rows_room;
	uint64_t rows_refused;
	uint64_t lines, read, left_out, signals; /* of the file that is read */
	/* Signals that were not put in, for serve has counted lines of their buckets; of the file, of all. */
	uint64_t counted, all_counted;
	int64_t counted_from_ns, counted_to_ns;
	uint64_t all_left_out, all_read, early;
	const char *path;
	json_t *files, *told; /* NULL without --json */
};

/* ---- buckets ---- */

/* One of serve's: what it has counted, or, of buckets that it will tell of in a moment, is about to. */
static int is_counted(struct logs *logs, const struct signal_count *signal, bool *is)
{
	*is = logs->options->missing && signal->bucket_ns + COUNT_BUCKET_NS + TOLD_LATE_NS > books_now();
	return *is ? 0 : outages_signal_is(logs->books.ledger, signal, VANTAGE_SERVE, is, &logs->error);
}

static int put_signal(struct logs *logs, struct signal_count *signal)
{
	bool is = false;
	int result = logs->options->beside ? 0 : is_counted(logs, signal, &is);

	if (result == 0 && !is) {
		(void)snprintf(signal->vantage, sizeof(signal->vantage), "%s",
		               logs->options->beside ? VANTAGE_BESIDE : "");
		logs->signals++;
		return outages_import_add_signal(logs->loading, signal, &logs->error);
	}
	if (result != 0)
		return result;
	if (logs->counted == 0 || signal->bucket_ns < logs->counted_from_ns)
		logs->counted_from_ns = signal->bucket_ns;
	if (logs->counted == 0 || signal->bucket_ns + COUNT_BUCKET_NS > logs->counted_to_ns)
		logs->counted_to_ns = signal->bucket_ns + COUNT_BUCKET_NS;
	logs->counted++;
	return 0;
}

static int give(void *context, const struct access_bucket *bucket)
{
	struct logs *logs = context;
	struct signal_count signals[2];
	unsigned count = logs->loading ? access_bucket_signals(bucket, logs->component, signals) : 0;
	int result = 0;

	for (unsigned i = 0; i < count && result == 0; i++)
		result = put_signal(logs, &signals[i]);
	if (result != 0)
		return result;
	if (logs->rows_count == logs->rows_room) {
		size_t room = logs->rows_room ? 2 * logs->rows_room : ROWS_FIRST;
		struct row *grown = room <= ROWS_MAX ? realloc(logs->rows, room * sizeof(*grown)) : NULL;

		if (!grown && room <= ROWS_MAX)
			return -ENOMEM;
		logs->rows_refused += !grown;
		if (!grown)
			return 0;
		logs->rows = grown;
		logs->rows_room = room;
	}
	logs->rows[logs->rows_count++] =
		(struct row){ .bucket_ns = bucket->bucket_ns,
		              .answers = bucket->answers,
		              .bad = bucket->bad,
		              .unanswered = bucket->unanswered,
		              .clients = hll_estimate(&bucket->clients),
		              .clients_bad = hll_estimate(&bucket->clients_bad),
		              .latency_ms = access_bucket_latency_ms(bucket, ACCESS_LATENCY_SHARE) };
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct row *first = a, *second = b;

	return (first->bucket_ns > second->bucket_ns) - (first->bucket_ns < second->bucket_ns);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One row a bucket, by time. */
static void join_rows(struct logs *logs)
{
	size_t kept = 0;

	if (logs->rows_count > 0)
		qsort(logs->rows, logs->rows_count, sizeof(*logs->rows), by_time);
	for (size_t i = 0; i < logs->rows_count; i++) {
		struct row *row = &logs->rows[i], *last = kept > 0 ? &logs->rows[kept - 1] : NULL;

		if (!last || last->bucket_ns != row->bucket_ns) {
			logs->rows[kept++] = *row;
			continue;
		}
		last->answers += row->answers;
		last->bad += row->bad;
		last->unanswered += row->unanswered;
		last->clients = larger(last->clients, row->clients);
		last->clients_bad = larger(last->clients_bad, row->clients_bad);
		last->latency_ms = (uint32_t)larger(last->latency_ms, row->latency_ms);
	}
	logs->rows_count = kept;
}

/* ---- lines ---- */

static void tell_line(struct logs *logs, const char *why, const char *line, size_t length)
{
	char where[320], text[TEXT_TOLD + 1];

	if (++logs->left_out > TOLD_MAX)
		return;
	length = length < TEXT_TOLD ? length : TEXT_TOLD;
	for (size_t i = 0; i < length; i++)
		text[i] = line[i] ? line[i] : '?';
	text[length] = '\0';
	(void)snprintf(where, sizeof(where), "%.256s:%" PRIu64, say_input(logs->path), logs->lines);
	if (!logs->told)
		say_error(where, "this is no line of an access log, %s: %s", why, text);
	else
		(void)json_array_append_new(logs->told,
		                            json_pack("{so sI ss so}", "file", build_text(logs->path, TEXT_TOLD),
		                                      "line", (json_int_t)logs->lines, "what", why, "text",
		                                      build_text(text, TEXT_TOLD)));
}

static int take_line(struct logs *logs, const char *line, size_t length)
{
	struct access_entry entry;
	const char *why = "";
	int result;

	logs->lines++;
	result = access_line_read(&logs->log, line, length, &entry, &why);
	if (result == -ENODATA)
		return 0;
	if (result != 0) {
		tell_line(logs, why, line, length);
		return 0;
	}
	logs->read++;
	return access_count_add(logs->count, &entry);
}

/*
 * What is before the next line's end, or the input's, and whether there is one; a longer line is cut at ACCESS_LINE_MAX
 * + 1.
 */
static bool next_line(struct input *in, const char **line, size_t *length)
{
	size_t wanted = 1, seen = 0;

	while (wanted <= ACCESS_LINE_MAX + 1 && input_holds(in, wanted)) {
		const uint8_t *end = memchr(in->at + seen, '\n', input_left(in) - seen);

		if (end && (size_t)(end - in->at) <= ACCESS_LINE_MAX) {
			*line = (const char *)in->at;
			*length = (size_t)(end - in->at);
			in->at = end + 1;
			return true;
		}
		seen = input_left(in);
		wanted = seen + 1;
	}
	*line = (const char *)in->at;
	*length = input_left(in) <= ACCESS_LINE_MAX ? input_left(in) : ACCESS_LINE_MAX + 1;
	in->at += *length;
	if (*length <= ACCESS_LINE_MAX)
		return *length > 0;
	return true;
}

/* The rest of a line that is too long. */
static void skip_line(struct input *in)
{
	while (input_holds(in, 1)) {
		const uint8_t *end = memchr(in->at, '\n', input_left(in));

		in->at = end ? end + 1 : in->end;
		if (end)
			return;
	}
}

static int read_lines(struct logs *logs, struct input *in)
{
	enum unpack_format packed = input_holds(in, 4) ? unpack_recognise(in->at) : UNPACK_NONE;
	int result = packed == UNPACK_NONE ? 0 : input_unpack(in, packed);
	size_t length;
	const char *line;

	while (result == 0 && next_line(in, &line, &length)) {
		result = take_line(logs, line, length);
		if (length > ACCESS_LINE_MAX)
			skip_line(in);
	}
	if (result == 0 && in->fault) {
		say_error(say_input(logs->path), "it cannot be read to its end: %s", input_fault(in));
		return -EIO;
	}
	return result;
}

/* ---- files ---- */

static void note_file(struct logs *logs)
{
	if (logs->left_out > TOLD_MAX && !logs->told)
		say_error(say_input(logs->path), "and %" PRIu64 " more lines are none", logs->left_out - TOLD_MAX);
	if (logs->files)
		(void)json_array_append_new(logs->files,
		                            json_pack("{so sI sI sI ss}", "file", build_text(logs->path, TEXT_TOLD),
		                                      "lines", (json_int_t)logs->lines, "read", (json_int_t)logs->read,
		                                      "left_out", (json_int_t)logs->left_out, "format",
		                                      access_format_name(logs->log.format)));
	logs->all_read += logs->read;
	logs->all_left_out += logs->left_out;
}

/* COMMAND_DONE, or, said, the exit status. */
static int read_file(struct logs *logs, int descriptor, uint64_t length)
{
	struct input in;
	int result = input_read(&in, descriptor, length);

	if (result == 0) {
		result = read_lines(logs, &in);
		input_fini(&in);
	}
	if (result == 0)
		result = access_count_end(logs->count, INT64_MAX);
	if (result == 0) {
		note_file(logs);
		return COMMAND_DONE;
	}
	if (logs->loading && result != -EIO)
		return books_refuse(&logs->books, result, &logs->error);
	if (result != -EIO)
		say_error("outage", "%s", strerror(-result));
	return COMMAND_BAD;
}

/* COMMAND_DONE: the rest of the file is put in; else, said, nothing of it. */
static int refuse_counted(struct logs *logs)
{
	char from[WORDS_SIZE], to[WORDS_SIZE];

	logs->all_counted += logs->counted;
	if (logs->options->missing)
		return COMMAND_DONE;
	say_error(
		logs->path,
		"'holdfast serve' has counted lines of %s between %s and %s UTC: put in, these would count twice. Nothing of "
		"it is; --missing takes the other times, --beside all of it, where it is the log of a server that serve does "
		"not read",
		logs->component, words_date_time((struct capture_time){ logs->counted_from_ns }, from),
		words_date_time((struct capture_time){ logs->counted_to_ns }, to));
	return COMMAND_BAD;
}

static int import_file(struct logs *logs, int descriptor)
{
	char sha256[DIGEST_SHA256_TEXT_SIZE], user[BOOKS_NAME_SIZE];
	struct outages_import row = { .sha256 = sha256, .name = logs->path, .added_by = books_user(user) };
	struct record_error error = { .message = "" };
	uint64_t length = 0;
	int result = digest_sha256_file(descriptor, sha256, &length), status, ended;

	if (result != 0) {
		say_error(logs->path, "it cannot be read twice, as --import does: %s; give a file", strerror(-result));
		return COMMAND_BAD;
	}
	result = outages_import_begin(logs->books.ledger, sha256, &logs->loading, &error);
	if (result == -EALREADY) {
		say_error(logs->path, "this file has been put in before, and counts once");
		return COMMAND_BAD;
	}
	if (result != 0)
		return books_refuse(&logs->books, result, &error);
	status = read_file(logs, descriptor, length);
	if (status == COMMAND_DONE && logs->counted > 0)
		status = refuse_counted(logs);
	row.rows = logs->signals;
	row.mistakes = logs->left_out;
	row.added_ns = books_now();
	ended = outages_import_end(logs->loading, status == COMMAND_DONE && logs->signals > 0 ? &row : NULL, &error);
	logs->loading = NULL;
	return status != COMMAND_DONE || ended == 0 ? status : books_refuse(&logs->books, ended, &error);
}

static int one_file(struct logs *logs, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int descriptor = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int32_t zone_s = logs->log.zone_s;
	int status;

	logs->path = path;
	logs->lines = logs->read = logs->left_out = logs->signals = logs->counted = 0;
	if (descriptor < 0) {
		say_error(path, "cannot be read: %s", strerror(errno));
		return COMMAND_BAD;
	}
	logs->log = (struct access_log){ .zone_s = zone_s };
	if (logs->options->format)
		(void)access_format_find(logs->options->format, &logs->log.format);
	access_count_init(logs->count, logs->configuration.trusted_proxies.prefixes,
	                  logs->configuration.trusted_proxies.count, give, logs);
	status = logs->options->import ? import_file(logs, descriptor) : read_file(logs, descriptor, UINT64_MAX);
	if (!standard)
		(void)close(descriptor);
	logs->early += logs->count->early;
	if (status == COMMAND_DONE && logs->read == 0) {
		say_error(say_input(path), "there is no line of an access log in it; doc/outage.md has the formats");
		return COMMAND_BAD;
	}
	return status;
}

/* ---- what is told ---- */

static uint64_t ppm_of(uint64_t part, uint64_t whole)
{
	if (whole == 0)
		return 0;
	return part > UINT64_MAX / PPM ? part / (whole / PPM) : part * PPM / whole;
}

static void print_row(const struct paper *paper, const struct row *row)
{
	bool marked = row->answers >= ANSWERS_TOLD && row->bad * 100 / row->answers >= SHARE_TOLD;
	char at[WORDS_SIZE], share[WORDS_SIZE], latency[WORDS_SIZE] = "-";
	struct draft d = { .length = 0 };

	if (row->latency_ms)
		(void)snprintf(latency, sizeof(latency), "%" PRIu32, row->latency_ms);
	(void)words_share_down(ppm_of(row->bad, row->answers), share);
	for (char *c = share; *c; c++)
		*c = *c == WORDS_TIE[0] ? ' ' : *c;
	draft_add(&d, "%.16s  %9" PRIu64 "  %s%8" PRIu64 "  %7s%s  %8s  %8" PRIu64 "  %8" PRIu64,
	          words_date_time((struct capture_time){ row->bucket_ns }, at), row->answers, marked ? RED : "",
	          row->bad, share, marked ? PLAIN : "", latency, row->clients, row->clients_bad);
	paper_line(paper, 0, d.text);
}

static int print_rows(const struct logs *logs)
{
	struct paper paper = screen_paper(0, false);
	struct draft d = { .length = 0 };
	uint64_t answers = 0, bad = 0, marked = 0;
	char all[WORDS_SIZE], errors[WORDS_SIZE], buckets[WORDS_SIZE], out[WORDS_SIZE];

	if (logs->rows_count > 0)
		paper_line(&paper, 0,
		           DIM "BUCKET (UTC)        ANSWERS       5XX    SHARE    P90 MS   CLIENTS  MET 5XX" PLAIN);
	for (size_t i = 0; i < logs->rows_count; i++) {
		const struct row *row = &logs->rows[i];

		print_row(&paper, row);
		answers += row->answers;
		bad += row->bad;
		marked += row->answers >= ANSWERS_TOLD && row->bad * 100 / row->answers >= SHARE_TOLD;
	}
	draft_add(&d, "%s answers, %s of them 5xx; in %s of %zu buckets they are %u %% and more",
	          words_count(answers, all), words_count(bad, errors), words_count(marked, buckets), logs->rows_count,
	          SHARE_TOLD);
	if (logs->all_left_out)
		draft_add(&d, "; " YELLOW "left out, no lines of a log: %s" PLAIN,
		          words_count(logs->all_left_out, out));
	draft_add(&d, ".");
	if (logs->all_counted && logs->options->missing)
		draft_add(&d, " Of buckets that serve counts %" PRIu64 " signals were left out.", logs->all_counted);
	if (logs->rows_refused)
		draft_add(&d, " %" PRIu64 " buckets more are not shown.", logs->rows_refused);
	if (logs->rows_count > 0 && !logs->options->import)
		draft_add(&d, " With --import it goes on record.");
	paper_text(&paper, 0, 0, d.text);
	return output_finish();
}

static json_t *row_json(const struct row *row)
{
	char at[TIME_TEXT_SIZE];

	return json_pack("{ss so so so so so so}", "bucket", time_format((struct capture_time){ row->bucket_ns }, at),
	                 "answers", build_integer(row->answers), "status_5xx", build_integer(row->bad), "unanswered",
	                 build_integer(row->unanswered), "latency_p90_ms",
	                 row->latency_ms ? build_integer(row->latency_ms) : json_null(), "clients",
	                 build_integer(row->clients), "clients_5xx", build_integer(row->clients_bad));
}

static int print_json(struct logs *logs)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < logs->rows_count; i++)
		(void)json_array_append_new(rows, row_json(&logs->rows[i]));
	return order_print_json(ACCESS_SCHEMA,
	                        json_pack("{ss sb sO so sO so so so}", "component", logs->component, "imported",
	                                  logs->options->import, "files", logs->files, "buckets", rows, "left_out",
	                                  logs->told, "buckets_refused", build_integer(logs->rows_refused),
	                                  "buckets_early", build_integer(logs->early), "counted_by_serve",
	                                  build_integer(logs->all_counted)));
}

/* ---- the command ---- */

static int check(const struct outage_options *options, struct logs *logs)
{
	enum access_format format;

	if (!options->name)
		return options_refuse(&outage_table, "nothing to read: name access logs");
	if (options->component && !component_id_ok(options->component))
		return options_refuse(&outage_table, "--component wants 1 to 32 of a-z, 0-9 and -");
	if (options->format && !access_format_find(options->format, &format))
		return options_refuse(&outage_table, "--format wants auto, combined, haproxy or json");
	if ((options->missing || options->beside) && (!options->import || options->missing == options->beside))
		return options_refuse(&outage_table, "--missing and --beside go with --import, one of them");
	if (options->zone && !access_zone(options->zone, strlen(options->zone), &logs->log.zone_s))
		return options_refuse(&outage_table, "--zone wants hours and minutes east of UTC, as +02:00");
	return COMMAND_DONE;
}

static int read_all(struct logs *logs)
{
	struct reckon_result *measured = logs->options->import ? malloc(sizeof(*measured)) : NULL;
	int status = COMMAND_DONE, one;

	if (logs->options->import && !measured)
		return COMMAND_BAD;
	for (size_t i = 0; i < logs->options->names.count; i++) {
		one = one_file(logs, logs->options->names.words[i]);
		status = one == COMMAND_DONE ? status : one;
	}
	if (measured && logs->all_read > 0) {
		one = outage_measure(&logs->books, logs->options, measured);
		status = one == COMMAND_DONE ? status : one;
	}
	free(measured);
	join_rows(logs);
	return status;
}

int outage_logs(const struct outage_options *options)
{
	struct logs logs = { .options = options,
		             .component = options->component ? options->component : OUTAGE_DEFAULT_COMPONENT };
	int status = check(options, &logs), told;

	if (status == COMMAND_DONE)
		status = place_configuration("outage", options->config, &logs.configuration);
	if (status != COMMAND_DONE)
		return status;
	if (options->import)
		status = books_open(&logs.books, "outage", options->config, options->record, true);
	if (status == COMMAND_DONE) {
		logs.count = malloc(sizeof(*logs.count));
		logs.files = options->json ? json_array() : NULL;
		logs.told = options->json ? json_array() : NULL;
		status = logs.count ? read_all(&logs) : COMMAND_BAD;
		told = options->json ? print_json(&logs) : print_rows(&logs);
		status = status == COMMAND_DONE ? told : status;
		if (options->import)
			books_close(&logs.books);
	}
	config_fini(&logs.configuration);
	json_decref(logs.files);
	json_decref(logs.told);
	free(logs.count);
	free(logs.rows);
	return status;
}
