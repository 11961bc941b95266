/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast outage import: a file of counts of users' reports, put on record whole or not at all, and measured. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/digest.h"
#include "cli/books.h"
#include "cli/command.h"
#include "cli/order.h"
#include "cli/outage_inside.h"
#include "cli/output.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "impact/report_text.h"
#include "record/outages.h"
#include "tell/report_json.h"
#include "tell/words.h"

#define FILE_MAX (256u << 20)
#define FILE_FIRST (1u << 16)
#define MISTAKES_TOLD 20
#define MISTAKES_LISTED 1000 /* in JSON */

/* Whole; the caller's, or NULL, said. */
static char *read_file(const char *path, size_t *length)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *in = standard ? stdin : fopen(path, "re");
	size_t room = FILE_FIRST, got = 1;
	char *octets = in ? malloc(room) : NULL;

	*length = 0;
	while (in && octets && got > 0) {
		got = fread(octets + *length, 1, room - *length, in);
		*length += got;
		if (*length == room && room <= FILE_MAX) {
			char *grown = realloc(octets, 2 * room);

			if (!grown) {
				free(octets);
				octets = NULL;
				errno = ENOMEM;
			} else {
				octets = grown;
				room *= 2;
			}
		}
	}
	if (octets && (ferror(in) || *length > FILE_MAX)) {
		if (!ferror(in))
			errno = EFBIG;
		free(octets);
		octets = NULL;
	}
	if (!octets)
		say_error(say_input(path), "cannot be read: %s; it may have 256 MiB", strerror(errno));
	if (in && !standard)
		(void)fclose(in);
	return octets;
}

struct import {
	const char *path;
	struct outages_loading *loading;
	struct record_error error;
	FILE *rejects;
	uint64_t rows, reports, mistakes;
	json_t *told; /* NULL: on standard error */
	int64_t first_ns, last_ns;
};

static int take_count(void *context, const struct report_count *count)
{
	struct import *import = context;

	import->first_ns = import->rows == 0 || count->bucket_ns < import->first_ns ? count->bucket_ns
		: import->first_ns;
	import->last_ns = import->rows == 0 || count->bucket_ns > import->last_ns ? count->bucket_ns : import->last_ns;
	import->rows++;
	import->reports += count->raw;
	return outages_import_add(import->loading, count, &import->error);
}

static void take_mistake(void *context, uint64_t line, const char *what, const char *text, size_t length)
{
	struct import *import = context;
	char where[320];

	import->mistakes++;
	if (import->rejects && length > 0) {
		(void)fwrite(text, 1, length, import->rejects);
		(void)fputc('\n', import->rejects);
	}
	if (import->mistakes <= MISTAKES_TOLD) {
		(void)snprintf(where, sizeof(where), "%.256s:%" PRIu64, say_input(import->path), line);
		say_error(where, "%s", what);
	}
	if (import->told && import->mistakes <= MISTAKES_LISTED)
		(void)json_array_append_new(import->told, json_pack("{sI ss}", "line", (json_int_t)line, "what", what));
}

static bool is_json(const char *octets, size_t length)
{
	size_t at = 0;

	while (at < length && strchr(" \t\r\n", octets[at]) && octets[at])
		at++;
	return at < length && (octets[at] == '{' || octets[at] == '[');
}

/* Rejects begin with the names of columns, so that the file can be imported once it is put right. */
static void begin_rejects(struct import *import, const char *octets, size_t length)
{
	const char *end = memchr(octets, '\n', length);

	if (import->rejects && !is_json(octets, length))
		(void)fwrite(octets, 1, end ? (size_t)(end - octets) + 1 : length, import->rejects);
}

static int print_import(const struct outage_options *options, struct import *import, const struct reckon_result *result)
{
	struct paper paper = screen_paper(0, false);
	struct draft d = { .length = 0 };
	char rows_text[WORDS_SIZE], reports[WORDS_SIZE], mistakes[WORDS_SIZE];

	if (options->json)
		return order_print_json(OUTAGE_IMPORT_SCHEMA,
		                        json_pack("{sI sI sI so so si si}", "rows", (json_int_t)import->rows, "reports",
		                                  (json_int_t)import->reports, "mistakes", (json_int_t)import->mistakes,
		                                  "left_out", json_incref(import->told), "components",
		                                  outage_components_json(result), "outages", (int)result->outages,
		                                  "added", (int)result->added));
	draft_add(&d, "%s reports in %s counts are on record", words_count(import->reports, reports),
	          words_count(import->rows, rows_text));
	if (import->mistakes)
		draft_add(&d, "; " YELLOW "%s lines were left out" PLAIN, words_count(import->mistakes, mistakes));
	paper_text(&paper, 0, 0, d.text);
	outage_print_components(result);
	return output_finish();
}

/* Reads all into the record's transaction. */
static int load(const struct outage_options *options, struct import *import, const char *octets, size_t length)
{
	struct report_count preset = { .symptom = SYMPTOM_OTHER, .source = REPORT_IMPORT };
	struct report_sink sink = { take_count, take_mistake, import };
	const char *component = options->component ? options->component : OUTAGE_DEFAULT_COMPONENT;

	memcpy(preset.component, component, strlen(component) + 1);
	begin_rejects(import, octets, length);
	return is_json(octets, length) ? report_json_read(octets, length, &preset, &sink)
	                               : report_text_read(octets, length, &preset, &sink);
}

static int record_import(const struct outage_options *options, struct books *books, struct import *import,
                         const char *octets, size_t length)
{
	char sha256[DIGEST_SHA256_TEXT_SIZE], user[BOOKS_NAME_SIZE];
	struct record_error error = { .message = "" };
	struct outages_import row = { .sha256 = sha256, .name = say_input(import->path), .added_by = books_user(user) };
	int result, ended;

	digest_sha256_text(octets, length, sha256);
	result = outages_import_begin(books->ledger, sha256, &import->loading, &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	result = load(options, import, octets, length);
	row.rows = import->rows;
	row.reports = import->reports;
	row.mistakes = import->mistakes;
	row.added_ns = books_now();
	if (import->mistakes > MISTAKES_TOLD)
		say_error(say_input(import->path), "and %" PRIu64 " more lines are wrong",
		          import->mistakes - MISTAKES_TOLD);
	ended = outages_import_end(import->loading, result == 0 ? &row : NULL, &error);
	if (result == -EBADMSG) {
		say_error(say_input(import->path), "nothing of it is on record; doc/outage.md has the format");
		return COMMAND_BAD;
	}
	if (result != 0)
		return books_refuse(books, result, &import->error);
	return ended == 0 ? COMMAND_DONE : books_refuse(books, ended, &error);
}

/* Where the lines go that are wrong; NULL: nowhere. */
static int open_rejects(const struct outage_options *options, struct output *rejects)
{
	int result;

	if (!options->rejects)
		return COMMAND_DONE;
	output_watch_signals();
	result = output_open(rejects, options->rejects);
	if (result == 0)
		return COMMAND_DONE;
	say_error(options->rejects, "cannot be written: %s", strerror(-result));
	return COMMAND_BAD;
}

/* They are there as soon as the others are on record, whatever becomes of measuring: they cannot be had again. */
static int close_rejects(const struct outage_options *options, struct output *rejects, int status)
{
	int result = rejects->file ? output_close(rejects, status != COMMAND_DONE) : 0;

	if (result == 0)
		return status;
	say_error(options->rejects, "cannot be written: %s", strerror(-result));
	return COMMAND_BAD;
}

static int record_and_measure(const struct outage_options *options, struct import *import, const char *octets,
                              size_t length, struct reckon_result *measured)
{
	struct output rejects = { .file = NULL };
	struct books books;
	int status = books_open(&books, "outage", options->config, options->record, true);

	if (status != COMMAND_DONE)
		return status;
	status = open_rejects(options, &rejects);
	import->rejects = rejects.file;
	if (status == COMMAND_DONE)
		status = close_rejects(options, &rejects, record_import(options, &books, import, octets, length));
	if (status == COMMAND_DONE)
		status = outage_measure(&books, options, measured);
	books_close(&books);
	return status;
}

int outage_import(const struct outage_options *options)
{
	struct reckon_result *measured;
	struct import import = { .path = options->name, .error = { .message = "" } };
	char *octets;
	size_t length = 0;
	int status;

	if (!options->name)
		return options_refuse(&outage_table, "nothing to import: name a file");
	if (options->component && !component_id_ok(options->component))
		return options_refuse(&outage_table, "--component wants 1 to 32 of a-z, 0-9 and -");
	octets = read_file(options->name, &length);
	measured = octets ? malloc(sizeof(*measured)) : NULL;
	status = measured ? COMMAND_DONE : COMMAND_BAD;
	if (octets && !measured)
		say_error("outage", "%s", strerror(ENOMEM));
	import.told = options->json ? json_array() : NULL;
	if (status == COMMAND_DONE)
		status = record_and_measure(options, &import, octets, length, measured);
	if (status == COMMAND_DONE)
		status = print_import(options, &import, measured);
	if (status == COMMAND_DONE && import.mistakes)
		status = COMMAND_BAD;
	json_decref(import.told);
	free(octets);
	free(measured);
	return status;
}
