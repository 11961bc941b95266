/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast incidents, holdfast incident: what was recorded, as a list and each whole. From files: no daemon is asked.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/time.h"
#include "cli/archived.h"
#include "cli/claims.h"
#include "cli/command.h"
#include "cli/harm_lines.h"
#include "cli/incident_page.h"
#include "cli/now.h"
#include "cli/options.h"
#include "cli/order.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "detect/incident_id.h"
#include "tell/build.h"
#include "tell/words.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 16384
#define SINCE_MAX_NS (3650LL * 86400 * NS_PER_S)
#define ID_SHOWN 8 /* digits: enough to tell them apart, mostly */

static struct capture_time now(void)
{
	return (struct capture_time){ now_wall_ns() };
}

/* ---- the list ---- */

struct list_options {
	const char *config;
	uint64_t limit;
	struct option_duration since;
	bool json;
};

/* clang-format off */
static const struct option_row list_rows[] = {
	{ .name = "limit", .value = "N", OPTION_INTO(struct list_options, limit), .minimum = 1, .maximum = LIMIT_MAX,
	  .help = "so many at most, the latest; else 100" },
	{ .name = "since", .value = "TIME", OPTION_INTO(struct list_options, since), .minimum = NS_PER_S, .maximum = SINCE_MAX_NS,
	  .help = "only those that began, or went on, in the last 24h, 7d and the like" },
	OPTION_JSON_ROW(struct list_options, "as JSON", "holdfast.incidents/1"),
	PLACE_CONFIG_ROW(struct list_options),
};
/* clang-format on */

static const struct option_table list_table = {
	.command = "incidents",
	.synopsis = "[--limit N] [--since TIME] [--json]",
	.purpose =
		"Lists the incidents that 'holdfast run' has recorded, the latest first. They are read from files: no daemon is needed.\n",
	.notes = "Exit status: 0 done, 1 they cannot be read, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast incidents --since 24h\n",
	OPTION_ROWS(list_rows),
};

static json_t *row_json(const struct archive_incident *i)
{
	char id[INCIDENT_ID_SIZE];

	incident_id_format(i->id, id);
	return json_pack("{ss so so ss ss? ss ss sI sI}", "id", id, "began", build_time_or_null(i->began_ns), "ended",
	                 build_time_or_null(i->ended_ns), "state", archive_state_name(i->state), "service",
	                 i->service[0] ? i->service : NULL, "target", i->target, "vector", i->vector, "peak_pps",
	                 (json_int_t)i->peak_pps, "peak_bps", (json_int_t)i->peak_bps);
}

static int print_list_json(const struct archive_incident *incidents, size_t count)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(rows, row_json(&incidents[i])) != 0) {
			json_decref(rows);
			say_error("incidents", "out of memory; ask for less with --limit");
			return COMMAND_BAD;
		}
	return order_print_json("holdfast.incidents/1", json_pack("{so}", "incidents", rows));
}

static int print_list(const struct archive_incident *incidents, size_t count)
{
	struct paper paper = screen_paper(0, false);
	struct draft d = { .length = 0 };

	if (count == 0) {
		paper_line(&paper, 0, "no incidents");
		return output_finish();
	}
	draft_add(&d, BOLD "%-*s  %-19s  %-12s %10s %12s  %s" PLAIN, ID_SHOWN, "ID", "BEGAN (UTC)", "LASTED", "PEAK",
	          "", "WHAT");
	paper_line(&paper, 0, d.text);
	for (size_t i = 0; i < count; i++) {
		const struct archive_incident *incident = &incidents[i];
		const char *state = incident_page_state(incident->state);
		char began[WORDS_SIZE], lasted[WORDS_SIZE], pps[WORDS_SIZE], bps[WORDS_SIZE];

		d.length = 0;
		draft_add(&d, "%0*" PRIx64 "  %-19s  %-12s %10s %12s  %s%s%s%s%s", ID_SHOWN,
		          incident->id >> 4 * (INCIDENT_ID_SIZE - 1 - ID_SHOWN),
		          words_date_time((struct capture_time){ incident->began_ns }, began),
		          incident_page_lasted(incident, now(), lasted), words_scaled(incident->peak_pps, "pps", pps),
		          words_scaled(incident->peak_bps, "bit/s", bps), incident->vector, " on ", incident->service,
		          incident->service[0] ? " " : "", incident->target);
		if (*state)
			draft_add(&d, "  %s%s" PLAIN, incident->state == ARCHIVE_OPEN ? RED : YELLOW, state);
		paper_line(&paper, 0, d.text);
	}
	return output_finish();
}

int incidents_command(int argc, char **argv)
{
	struct list_options options = { .limit = LIMIT_DEFAULT };
	struct archive_incident *incidents = NULL;
	char folder[CONFIG_PATH_SIZE];
	int status, count;
	size_t kept = 0;

	if (!options_take(&list_table, argc, argv, &options, &status))
		return status;
	status = archived_folder("incidents", options.config, folder);
	if (status != COMMAND_DONE)
		return status;
	count = archive_list(folder, LIMIT_MAX, &incidents);
	if (count < 0)
		return archived_refuse(folder, count);
	for (int i = 0; i < count && kept < options.limit; i++) {
		const struct archive_incident *incident = &incidents[i];
		struct capture_time last = { incident->ended_ns ? incident->ended_ns : incident->began_ns };

		if (options.since.ns == 0 || incident->state == ARCHIVE_OPEN ||
		    time_since(now(), last) <= options.since.ns)
			incidents[kept++] = *incident;
	}
	status = options.json ? print_list_json(incidents, kept) : print_list(incidents, kept);
	free(incidents);
	return status;
}

/* ---- one ---- */

struct one_options {
	const char *config, *name;
	bool json, include_claims;
};

/* clang-format off */
static const struct option_row one_rows[] = {
	{ .value = "ID", OPTION_INTO(struct one_options, name), .missing = "no incident to show",
	  .help = "of 'holdfast incidents', as much of it as is needed; or latest" },
	{ .name = "json", OPTION_INTO(struct one_options, json), .help = "as JSON (" ARCHIVE_SCHEMA "), as it was recorded" },
	{ .name = "include-claims", OPTION_INTO(struct one_options, include_claims),
	  .help = "with public claims about it and their verdicts, internal ones too, which are marked" },
	PLACE_CONFIG_ROW(struct one_options),
};
/* clang-format on */

static const struct option_table one_table = {
	.command = "incident",
	.synopsis = "ID|latest [--json|--include-claims]",
	.purpose =
		"Shows one incident whole: what, when, how large, from where, the rules that were made and what they cost, what to do.\n"
		"It is read from a file: no daemon is needed.\n",
	.notes = "Exit status: 0 done, 1 there is no such one or it cannot be read, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast incident latest\n",
	OPTION_ROWS(one_rows),
};

int incident_command(int argc, char **argv)
{
	struct one_options options = { .json = false };
	struct archived archived;
	struct paper paper;
	struct claims claims = { .count = 0 };
	json_t *whole;
	int status;

	if (!options_take(&one_table, argc, argv, &options, &status))
		return status;
	if (options.json && options.include_claims)
		return options_refuse(&one_table,
		                      "--json is as it was recorded; 'holdfast claim list --json' has claims");
	status = archived_find("incident", options.config, options.name, &archived);
	if (status == COMMAND_DONE && options.include_claims)
		status = claims_load("incident", options.config, &archived.head.id, 1, &claims);
	if (status == COMMAND_DONE)
		status = archived_read(&archived, &whole);
	if (status != COMMAND_DONE) {
		claims_fini(&claims);
		return status;
	}
	if (options.json) {
		status = order_print_json(ARCHIVE_SCHEMA, whole);
		return status;
	}
	paper = screen_paper(0, false);
	claims.all = true;
	harm_lines_write(&paper, archived.folder, archived.head.id, now().ns);
	status = incident_page_write(&paper, &archived.head, json_object_get(whole, "analysis"), archived.has_stream,
	                             now(), &claims);
	json_decref(whole);
	claims_fini(&claims);
	if (status != COMMAND_DONE)
		return status;
	return output_finish();
}
