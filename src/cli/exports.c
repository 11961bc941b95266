/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/report_rules.h"
#include "cli/say.h"

#define PATH_SIZE 4096
#define FOLDER_MODE 0700 /* addresses are personal data */

bool exports_wanted(const struct exports *exports)
{
	return exports->stix || exports->misp || exports->csv || exports->xarf;
}

static bool is_screen(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

unsigned exports_on_screen(const struct exports *exports)
{
	return (unsigned)is_screen(exports->stix) + is_screen(exports->misp) + is_screen(exports->csv);
}

static bool is_mail(const char *text)
{
	const char *at = strchr(text, '@');

	return at && at != text && at[1] && strpbrk(text, " \t\r\n<>") == NULL && strlen(text) <= EXPORT_TEXT_SIZE;
}

int exports_check(const struct exports *exports, const struct option_table *table)
{
	enum export_tlp tlp;

	if (exports->tlp && export_tlp_parse(exports->tlp, &tlp) != 0)
		return options_refuse(table, "--tlp is clear, green, amber, amber+strict or red, not '%.20s'",
		                      exports->tlp);
	if (exports->contact && !is_mail(exports->contact))
		return options_refuse(table, "--contact is an address of mail, not '%.60s'", exports->contact);
	if (exports->organisation && (!*exports->organisation || strlen(exports->organisation) > EXPORT_TEXT_SIZE))
		return options_refuse(table, "--organisation is a name of at most %d octets", EXPORT_TEXT_SIZE);
	if (exports->xarf && (!exports->organisation || !exports->contact))
		return options_refuse(table,
		                      "--xarf needs --organisation and --contact: nobody answers a report of nobody's");
	return COMMAND_DONE;
}

/* ---- writing ---- */

static int write_text(const char *path, const char *text)
{
	int result = output_write(path, text);

	if (result == 0)
		return COMMAND_DONE;
	say_error(say_output(path), "cannot write: %s; name another file", strerror(-result));
	return COMMAND_BAD;
}

static int out_of_memory(void)
{
	say_error("report", "out of memory; free some");
	return COMMAND_BAD;
}

static int write_one(const struct export *export, const char *path,
                     int (*make)(const struct export *export, char **text))
{
	char *text;
	int status;

	if (!path)
		return COMMAND_DONE;
	if (make(export, &text) != 0)
		return out_of_memory();
	status = write_text(path, text);
	free(text);
	return status;
}

static int write_report(const struct export *export, const struct export_source *source, const char *folder)
{
	char *text, name[EXPORT_NAME_SIZE], path[PATH_SIZE];
	int status = COMMAND_BAD;

	if (export_xarf(export, source, &text, name) != 0)
		return out_of_memory();
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path))
		status = write_text(path, text);
	else
		say_error(folder, "the name is too long; name another folder");
	free(text);
	return status;
}

static int write_reports(const struct export *export, const char *folder)
{
	uint32_t verified = 0;
	int status = COMMAND_DONE;

	for (uint32_t i = 0; i < export->sources_count; i++)
		verified += !export->sources[i].reflectors;
	if (!export->has_sources) {
		say_error("report",
		          "a report in JSON has no sources one by one; --xarf is for a recorded incident's ID");
		return COMMAND_BAD;
	}
	if (verified == 0) {
		say_error("report",
		          "no source is verified: there is nobody to report with --xarf (addresses that may be "
		          "forged, and relays, are not reported)");
		return COMMAND_BAD;
	}
	if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
		say_error(folder, "cannot make the folder: %s; name another", strerror(errno));
		return COMMAND_BAD;
	}
	for (uint32_t i = 0; i < export->sources_count && status == COMMAND_DONE; i++)
		if (!export->sources[i].reflectors)
			status = write_report(export, &export->sources[i], folder);
	return status;
}

int exports_write(const struct exports *exports, struct export *export)
{
	int status;

	if (exports->tlp)
		(void)export_tlp_parse(exports->tlp, &export->tlp); /* exports_check() has seen it */
	export->organisation = exports->organisation;
	export->contact = exports->contact;
	status = write_one(export, exports->stix, export_stix);
	if (status == COMMAND_DONE)
		status = write_one(export, exports->misp, export_misp);
	if (status == COMMAND_DONE)
		status = write_one(export, exports->csv, export_csv);
	if (status == COMMAND_DONE && exports->xarf)
		status = write_reports(export, exports->xarf);
	return status;
}

/* ---- of a report in JSON ---- */

/* The attack that is meant: the one of that ID, or the only one that is no scan. NULL, and why is said. */
static const json_t *find_incident(const json_t *report, const char *path, const char *wanted)
{
	const json_t *incident, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(report, "incidents"), i, incident)
	{
		const char *id = json_string_value(json_object_get(incident, "id"));

		if (wanted ? !id || strncmp(id, wanted, strlen(wanted)) != 0
		           : !json_is_object(json_object_get(incident, "trace")))
			continue;
		if (found) {
			say_error(path, wanted ? "several incidents are meant; give more of the ID"
			                       : "it has several attacks; say which with --incident ID");
			return NULL;
		}
		found = incident;
	}
	if (!found)
		say_error(path, wanted ? "it has no such incident; its \"id\" members name those that it has"
		                       : "it has no attack with a trace; make it anew with 'holdfast analyze --json'");
	return found;
}

static int write_incident(const struct exports *exports, const char *path, const json_t *incident, struct trace *trace)
{
	struct export export;
	char error[EXPORT_ERROR_SIZE];
	int status;

	if (export_init_json(&export, incident, trace, error) != 0) {
		say_error(path, "%s; make it anew with 'holdfast analyze --json'", error);
		return COMMAND_BAD;
	}
	status = exports_write(exports, &export);
	export_fini(&export);
	trace_fini(trace);
	return status;
}

int exports_of_report(const struct exports *exports, const char *path)
{
	json_t *report = report_load(path);
	const json_t *incident = report ? find_incident(report, say_input(path), exports->incident) : NULL;
	struct trace *trace = incident ? calloc(1, sizeof(*trace)) : NULL;
	int status = COMMAND_BAD;

	if (trace)
		status = write_incident(exports, say_input(path), incident, trace);
	else if (incident)
		status = out_of_memory();
	free(trace);
	json_decref(report);
	return status;
}
