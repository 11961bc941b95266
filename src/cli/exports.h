/* SPDX-License-Identifier: Apache-2.0 */
/* What `holdfast report` writes for others to read: STIX, MISP, CSV, XARF (tell/export.h). */
#ifndef HOLDFAST_CLI_EXPORTS_H
#define HOLDFAST_CLI_EXPORTS_H

#include <stdbool.h>

#include "cli/options.h"
#include "tell/export.h"

struct exports {
	const char *stix, *misp, *csv, *xarf; /* where to; NULL: not asked for */
	const char *tlp, *organisation, *contact, *incident;
};

/* Rows of the table of a command whose struct has the field `exports`. */
#define EXPORTS_ROWS(type)                                                                                                     \
	{ .name = "stix",                                                                                                      \
	  .value = "OUT",                                                                                                      \
	  OPTION_INTO(type, exports.stix),                                                                                     \
	  .help = "a STIX 2.1 bundle; - is standard output" },                                                                 \
		{ .name = "misp", .value = "OUT", OPTION_INTO(type, exports.misp), .help = "a MISP event, likewise" },         \
		{ .name = "csv",                                                                                               \
		  .value = "OUT",                                                                                              \
		  OPTION_INTO(type, exports.csv),                                                                              \
		  .help = "a table of countries, networks and, where they are real, sources; likewise" },                      \
		{ .name = "xarf",                                                                                              \
		  .value = "DIR",                                                                                              \
		  OPTION_INTO(type, exports.xarf),                                                                             \
		  .help = "an XARF 4 report of each verified source, a file each, for you to send: needs\n--organisation and " \
		          "--contact" },                                                                                       \
		{ .name = "tlp",                                                                                               \
		  .value = "LABEL",                                                                                            \
		  OPTION_INTO(type, exports.tlp),                                                                              \
		  .help = "clear, green, amber, amber+strict (the default) or red: on STIX and MISP" },                        \
		{ .name = "organisation",                                                                                      \
		  .value = "NAME",                                                                                             \
		  OPTION_INTO(type, exports.organisation),                                                                     \
		  .help = "who reports" },                                                                                     \
		{ .name = "contact",                                                                                           \
		  .value = "MAIL",                                                                                             \
		  OPTION_INTO(type, exports.contact),                                                                          \
		  .help = "where answers to the report go" },                                                                  \
	{                                                                                                                      \
		.name = "incident", .value = "ID", OPTION_INTO(type, exports.incident),                                        \
		.help = "which one of REPORT.json, where it has several; as much of it as is needed"                           \
	}

/* Whether any file was asked for. */
bool exports_wanted(const struct exports *exports);
/* How many of them want standard output. */
unsigned exports_on_screen(const struct exports *exports);
/* COMMAND_DONE, or what is wrong with how they were asked for is said. */
int exports_check(const struct exports *exports, const struct option_table *table);
/* Fills in who says it and writes what is asked for. The exit status; what went wrong is said. */
int exports_write(const struct exports *exports, struct export *export);
/* The same of a report of `holdfast analyze --json`. */
int exports_of_report(const struct exports *exports, const char *path);

#endif
