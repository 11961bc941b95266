/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast outage: counts of users' reports put on record, and the outages that they measure. Counting and measuring
 * are record/reckon.h's; here is what is read and what is printed.
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
#include "cli/command.h"
#include "cli/joined.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/outage_inside.h"
#include "cli/outage_page.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "record/outages.h"
#include "record/reckon.h"
#include "tell/build.h"
#include "tell/harm_json.h"
#include "tell/words.h"

#define OUTAGES_SCHEMA "holdfast.outages/1"
#define REPORTS_SCHEMA "holdfast.reports/1"
#define FILES_MAX 4096

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "import|logs|list|show|reports|reckon", OPTION_INTO(struct outage_options, verb),
	  .missing = "say what to do: holdfast outage import, logs, list, show, reports or reckon",
	  .help = "put counts of reports on record, look at access logs, list outages, show one,\nlist the counts, or measure anew with what is on record now" },
	{ .value = "FILE|ID", OPTION_INTO(struct outage_options, names), .maximum = FILES_MAX,
	  .help = "import: a file of CSV or JSON, - is standard input; logs: access logs, packed or not;\nshow: an outage's ID, as o1, or latest" },
	{ .name = "component", .value = "ID", OPTION_INTO(struct outage_options, component),
	  .help = "import: of lines that name none; logs: what they are logs of; else site; list, reports: of that alone" },
	{ .name = "from", .value = "TIME", OPTION_INTO(struct outage_options, from), .help = "reports, list: from then on, as 2026-03-10T09:40:00Z" },
	{ .name = "to", .value = "TIME", OPTION_INTO(struct outage_options, to), .help = "reports, list: before then" },
	{ .name = "html", .value = "OUT", OPTION_INTO(struct outage_options, html),
	  .help = "show: the picture of it, with the attack and what was said, as one HTML file; - is standard output" },
	{ .name = "rejects", .value = "OUT", OPTION_INTO(struct outage_options, rejects),
	  .help = "import: lines that are wrong go there, to be put right and imported" },
	{ .name = "format", .value = "FORMAT", OPTION_INTO(struct outage_options, format),
	  .help = "logs: combined, haproxy or json; else as the first lines look" },
	{ .name = "zone", .value = "ZONE", OPTION_INTO(struct outage_options, zone),
	  .help = "logs: of times that state none (HAProxy's), as +02:00; else UTC" },
	{ .name = "import", OPTION_INTO(struct outage_options, import),
	  .help = "logs: put what they show on record, each file once, and measure" },
	{ .name = "missing", OPTION_INTO(struct outage_options, missing),
	  .help = "logs: with --import, only of times of which 'holdfast serve' has counted no lines" },
	{ .name = "beside", OPTION_INTO(struct outage_options, beside),
	  .help = "logs: with --import, beside what 'holdfast serve' counts: logs of servers that it does not read" },
	{ .name = "archive", .value = "DIR", OPTION_INTO(struct outage_options, archive),
	  .help = "import, reckon: where incidents are archived; else the state_dir, unless there is --record" },
	OPTION_JSON_ROW(struct outage_options, "as JSON", OUTAGES_SCHEMA ", " REPORTS_SCHEMA),
	BOOKS_RECORD_ROW(struct outage_options),
	PLACE_CONFIG_ROW(struct outage_options),
};
/* clang-format on */

const struct option_table outage_table = {
	.command = "outage",
	.synopsis =
		"import FILE [--component ID] [--rejects OUT] | logs FILE... [--component ID] [--format FORMAT] [--import [--missing|--beside]] | list | show ID [--html OUT] | reports [--component ID] [--from TIME] [--to TIME] | reckon",
	.purpose =
		"Outages as users feel them. Counts of their reports are put on record, held against what is usual at that hour of the\n"
		"week, and what is more than that becomes an outage: when it began, was worst and ended, where, and what explains it.\n"
		"A line that is wrong is named and left out, the others count. doc/outage.md has the format and the method.\n",
	.notes = "Exit status: 0 done; 1 something cannot be read or written, or a line was left out; 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast outage logs /var/log/nginx/access.log\n"
		 "  holdfast outage import reports.csv && holdfast outage show latest\n",
	OPTION_ROWS(rows),
};

/* ---- measuring ---- */

int outage_measure(struct books *books, const struct outage_options *options, struct reckon_result *result)
{
	struct record_error error = { .message = "" };
	char folder[CONFIG_PATH_SIZE] = "";
	int code;

	if (!options->archive && !options->record && archived_folder("outage", options->config, folder) != COMMAND_DONE)
		return COMMAND_BAD;
	code = reckon(books->ledger,
	              options->archive ? options->archive
	              : folder[0]      ? folder
	                               : NULL,
	              books_now(), result, &error);
	if (result->components_refused)
		say_error("outage",
		          "there are counts of more than %d components; those that came last are not looked at",
		          COMPONENTS_MAX);
	if (result->places_refused)
		say_error("outage",
		          "there are more places than are looked at: %u counts of others say nothing of where",
		          result->places_refused);
	return code == 0 ? COMMAND_DONE : books_refuse(books, code, &error);
}

json_t *outage_components_json(const struct reckon_result *result)
{
	struct build b = { .failed = false };
	json_t *array = json_array();

	for (uint32_t i = 0; i < result->components_count; i++) {
		const struct reckon_component *c = &result->components[i];
		char first[TIME_TEXT_SIZE], last[TIME_TEXT_SIZE];

		build_append(&b, array,
		             json_pack("{ss ss ss sI ss so si}", "component", c->id, "first",
		                       time_format((struct capture_time){ c->first_ns }, first), "last",
		                       time_format((struct capture_time){ c->last_ns }, last), "reports",
		                       (json_int_t)c->reports, "basis", outage_basis_name(c->basis), "usual_milli",
		                       c->basis == OUTAGE_NOTHING_KNOWN ? json_null() : build_integer(c->usual_milli),
		                       "outages", (int)c->outages));
	}
	return array;
}

void outage_print_components(const struct reckon_result *result)
{
	struct paper paper = screen_paper(0, false);
	struct draft d = { .length = 0 };

	for (uint32_t i = 0; i < result->components_count; i++)
		outage_page_component(&paper, &result->components[i]);
	draft_add(&d, "%" PRIu32 " outages, %" PRIu32 " of them new or known better%s", result->outages, result->added,
	          result->outages ? "; 'holdfast outage list' has them" : "");
	paper_text(&paper, 0, 0, d.text);
}

static int reckon_anew(const struct outage_options *options)
{
	struct reckon_result *result = malloc(sizeof(*result));
	struct books books;
	int status;

	if (!result)
		return COMMAND_BAD;
	status = books_open(&books, "outage", options->config, options->record, true);
	if (status == COMMAND_DONE) {
		status = outage_measure(&books, options, result);
		books_close(&books);
	}
	if (status == COMMAND_DONE && options->json) {
		status = order_print_json(OUTAGE_IMPORT_SCHEMA,
		                          json_pack("{so si si}", "components", outage_components_json(result),
		                                    "outages", (int)result->outages, "added", (int)result->added));
	} else if (status == COMMAND_DONE) {
		outage_print_components(result);
		status = output_finish();
	}
	free(result);
	return status;
}

/* ---- listing ---- */

struct listing {
	struct paper paper;
	json_t *outages; /* NULL: lines */
	struct harm *harm;
	int64_t from_ns, to_ns;
	uint64_t number; /* show: this one; 0: the latest */
	bool any;
	bool unreadable; /* one of them is, which was said */
};

/* False: it cannot be read, said. */
static bool read_harm(const struct outages_outage *outage, struct harm *harm)
{
	char error[HARM_JSON_ERROR_SIZE], id[OUTAGES_ID_SIZE];
	json_t *json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	int result = json ? harm_json_read(json, harm, error) : -EBADMSG;

	if (!json)
		(void)snprintf(error, sizeof(error), "it is no JSON");
	json_decref(json);
	outages_id(outage->number, id);
	if (result != 0)
		say_error(id, "what is on record of it cannot be read: %s", error);
	else
		harm->number = outage->number;
	return result == 0;
}

static json_t *outage_json(const struct outages_outage *outage)
{
	json_t *json = json_loads(outage->json, JSON_REJECT_DUPLICATES, NULL);
	char id[OUTAGES_ID_SIZE];

	outages_id(outage->number, id);
	(void)json_object_set_new(json, "id", json_string(id));
	(void)json_object_set_new(json, "made", build_time(outage->made_ns));
	return json;
}

static int list_one(void *context, const struct outages_outage *outage)
{
	struct listing *listing = context;

	if (outage->began_ns >= listing->to_ns || (outage->ended_ns && outage->ended_ns <= listing->from_ns))
		return 0;
	if (listing->outages) {
		json_t *json = outage_json(outage);

		listing->any = true;
		return json && json_array_append_new(listing->outages, json) == 0 ? 0 : -ENOMEM;
	}
	if (!read_harm(outage, listing->harm)) {
		listing->unreadable = true;
		return 0;
	}
	if (!listing->any)
		outage_page_head(&listing->paper);
	listing->any = true;
	outage_page_line(&listing->paper, listing->harm);
	return 0;
}

/* The one that is wanted stays in `harm`, and in `outages` as JSON. */
static int show_one(void *context, const struct outages_outage *outage)
{
	struct listing *listing = context;

	if (listing->number && outage->number != listing->number)
		return 0;
	if (!read_harm(outage, listing->harm)) {
		listing->unreadable = true;
		return 0;
	}
	listing->any = true;
	if (listing->outages) {
		(void)json_array_clear(listing->outages);
		(void)json_array_append_new(listing->outages, outage_json(outage));
	}
	return 0;
}

static int read_times(const struct outage_options *options, int64_t *from_ns, int64_t *to_ns)
{
	struct capture_time from = { INT64_MIN }, to = { INT64_MAX };

	if (options->from && time_parse(options->from, &from) != 0)
		return options_refuse(&outage_table, "--from wants a time in UTC such as 2026-03-10T09:40:00Z");
	if (options->to && time_parse(options->to, &to) != 0)
		return options_refuse(&outage_table, "--to wants a time in UTC such as 2026-03-10T18:00:00Z");
	*from_ns = from.ns;
	*to_ns = to.ns;
	return COMMAND_DONE;
}

/* The outage on one axis with the attack, whole or not there. */
static int write_picture(const struct outage_options *options, struct books *books, const struct harm *harm)
{
	const struct outage *o = &harm->outage;
	struct joined_source source = { .ledger = books->ledger, .now_ns = books_now() };
	struct record_error error = { .message = "" };
	struct output output;
	struct picture *picture;
	struct draft title = { .length = 0 };
	char folder[CONFIG_PATH_SIZE], began[WORDS_SIZE], id[OUTAGES_ID_SIZE];
	int result, closed;

	if (options->archive)
		source.folder = options->archive;
	else if (!options->record && archived_folder("outage", options->config, folder) == COMMAND_DONE)
		source.folder = folder;
	result = joined_make(&source, o->began_ns, o->ended_ns ? o->ended_ns : source.now_ns, harm->incident, &picture,
	                     &error);
	if (result != 0)
		return books_refuse(books, result, &error);
	outages_id(harm->number, id);
	draft_add(&title, "Outage %s of %s, %.16s UTC", id, o->component,
	          words_date_time((struct capture_time){ o->began_ns }, began));
	output_watch_signals();
	result = output_open(&output, options->html);
	if (result == 0) {
		result = picture_document(output.file, picture, title.text);
		closed = output_close(&output, result != 0);
		result = result ? result : closed;
	}
	free(picture);
	if (result == 0)
		return COMMAND_DONE;
	say_error(say_output(options->html), "cannot write: %s; name another file", strerror(-result));
	return COMMAND_BAD;
}

/* Goes through what is on record. COMMAND_DONE, and the caller ends it; or, said, the exit status. */
static int begin_listing(const struct outage_options *options, struct listing *listing, struct books *books,
                         int (*each)(void *context, const struct outages_outage *outage))
{
	struct record_error error = { .message = "" };
	int result, status = books_open(books, "outage", options->config, options->record, false);

	if (status != COMMAND_DONE)
		return status;
	listing->outages = options->json ? json_array() : NULL;
	listing->harm = calloc(1, sizeof(*listing->harm));
	result = listing->harm ? outages_each(books->ledger, options->component, each, listing, &error) : -ENOMEM;
	if (result == 0)
		return COMMAND_DONE;
	(void)books_refuse(books, result, &error);
	books_close(books);
	json_decref(listing->outages);
	free(listing->harm);
	return COMMAND_BAD;
}

static int end_listing(struct listing *listing, struct books *books, int status)
{
	books_close(books);
	json_decref(listing->outages);
	free(listing->harm);
	return status == COMMAND_DONE && listing->unreadable ? COMMAND_BAD : status;
}

static int list(const struct outage_options *options)
{
	struct listing listing = { .paper = screen_paper(0, false) };
	struct books books;
	int status = read_times(options, &listing.from_ns, &listing.to_ns);

	if (status == COMMAND_DONE && options->html)
		status = options_refuse(&outage_table, "--html is of 'show', without --json");
	if (status == COMMAND_DONE)
		status = begin_listing(options, &listing, &books, list_one);
	if (status != COMMAND_DONE)
		return status;
	if (options->json) {
		status = order_print_json(OUTAGES_SCHEMA, json_pack("{sO}", "outages", listing.outages));
	} else {
		if (!listing.any && !listing.unreadable)
			paper_line(&listing.paper, 0, "no outages");
		status = output_finish();
	}
	return end_listing(&listing, &books, status);
}

static int check_shown(const struct outage_options *options, uint64_t *number)
{
	if (!options->name)
		return options_refuse(&outage_table, "say which: an outage's ID, as o1, or latest");
	*number = outages_number(options->name);
	if (*number == 0 && strcmp(options->name, "latest") != 0)
		return options_refuse(&outage_table, "'%.40s' is no outage's ID: as o1, or latest", options->name);
	if (options->html && options->json)
		return options_refuse(&outage_table, "--html is of 'show', without --json");
	return COMMAND_DONE;
}

static int show(const struct outage_options *options)
{
	struct listing listing = { .paper = screen_paper(0, false) };
	struct books books;
	int status = read_times(options, &listing.from_ns, &listing.to_ns);

	if (status == COMMAND_DONE)
		status = check_shown(options, &listing.number);
	if (status == COMMAND_DONE)
		status = begin_listing(options, &listing, &books, show_one);
	if (status != COMMAND_DONE)
		return status;
	if (!listing.any) {
		if (!listing.unreadable)
			say_error(options->name,
			          "there is no such outage; 'holdfast outage list' lists those there are");
		status = COMMAND_BAD;
	} else if (options->json) {
		json_t *one = json_incref(json_array_get(listing.outages, 0));

		(void)json_object_del(one, "schema");
		status = order_print_json(HARM_JSON_SCHEMA, one);
	} else if (options->html) {
		status = write_picture(options, &books, listing.harm);
	} else {
		outage_page_show(&listing.paper, listing.harm);
		status = output_finish();
	}
	return end_listing(&listing, &books, status);
}

/* ---- counts ---- */

struct counting {
	struct paper paper;
	bool json, any;
	/* Of the bucket and component of the last ones. */
	struct report_count sum;
};

static void write_bucket(struct counting *counting)
{
	const struct report_count *sum = &counting->sum;
	char at[WORDS_SIZE];
	struct draft d = { .length = 0 };

	if (!counting->any)
		return;
	draft_add(&d, "%.16s  %-16s  %9" PRIu32 "  %9" PRIu32 "  %9" PRIu32,
	          words_date_time((struct capture_time){ sum->bucket_ns }, at), sum->component, sum->accepted, sum->raw,
	          sum->shielded);
	paper_line(&counting->paper, 0, d.text);
}

/* As files that are imported have it, one a line: what is exported can be imported elsewhere. */
static void write_cell(struct counting *counting, const struct report_count *count)
{
	char at[TIME_TEXT_SIZE];

	(void)fprintf(
		counting->paper.out,
		"%s\n    {\"time\":\"%s\",\"component\":\"%s\",\"symptom\":\"%s\",\"region\":\"%s\",\"network\":%" PRIu32
		",\"source\":\"%s\",\"count\":%" PRIu32 ",\"accepted\":%" PRIu32 ",\"shielded\":%" PRIu32 "}",
		counting->any ? "," : "", time_format((struct capture_time){ count->bucket_ns }, at), count->component,
		symptom_name(count->symptom), count->region, count->network, report_source_name(count->source),
		count->raw, count->accepted, count->shielded);
	counting->any = true;
}

static int count_one(void *context, const struct report_count *count)
{
	struct counting *counting = context;
	struct report_count *sum = &counting->sum;

	if (counting->json) {
		write_cell(counting, count);
		return 0;
	}
	if (!counting->any || count->bucket_ns != sum->bucket_ns || strcmp(count->component, sum->component) != 0) {
		if (!counting->any)
			paper_line(&counting->paper, 0,
			           DIM "BUCKET (UTC)      COMPONENT          ACCEPTED        RAW   SHIELDED" PLAIN);
		write_bucket(counting);
		*sum = *count;
		counting->any = true;
		return 0;
	}
	sum->raw += count->raw;
	sum->accepted += count->accepted;
	sum->shielded += count->shielded;
	return 0;
}

static int list_reports(const struct outage_options *options)
{
	struct counting counting = { .paper = screen_paper(0, false), .json = options->json };
	struct record_error error = { .message = "" };
	struct books books;
	int64_t from_ns = 0, to_ns = 0;
	int result, status = read_times(options, &from_ns, &to_ns);

	if (status == COMMAND_DONE)
		status = books_open(&books, "outage", options->config, options->record, false);
	if (status != COMMAND_DONE)
		return status;
	if (options->json)
		(void)fprintf(counting.paper.out, "{\n  \"schema\": \"" REPORTS_SCHEMA "\",\n  \"counts\": [");
	result = outages_report_each(books.ledger, options->component, from_ns, to_ns, count_one, &counting, &error);
	if (options->json)
		(void)fprintf(counting.paper.out, "\n  ]\n}\n");
	else if (counting.any)
		write_bucket(&counting);
	else
		paper_line(&counting.paper, 0, "no reports");
	status = result == 0 ? output_finish() : books_refuse(&books, result, &error);
	books_close(&books);
	return status;
}

static const struct {
	const char *verb;
	int (*run)(const struct outage_options *options);
} verbs[] = { { "import", outage_import }, { "logs", outage_logs },  { "list", list }, { "show", show },
	      { "reports", list_reports }, { "reckon", reckon_anew } };

int outage_command(int argc, char **argv)
{
	struct outage_options options = { .json = false };
	int status;

	if (!options_take(&outage_table, argc, argv, &options, &status))
		return status;
	options.name = options.names.count ? options.names.words[0] : NULL;
	if (options.names.count > 1 && strcmp(options.verb, "logs") != 0)
		return options_refuse(&outage_table, "one at a time, and '%.40s' is one too many",
		                      options.names.words[1]);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(options.verb, verbs[i].verb) == 0)
			return verbs[i].run(&options);
	return options_refuse(&outage_table, "'%.40s' is none of import, logs, list, show, reports, reckon",
	                      options.verb);
}
