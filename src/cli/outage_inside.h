/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of holdfast outage share. */
#ifndef HOLDFAST_CLI_OUTAGE_INSIDE_H
#define HOLDFAST_CLI_OUTAGE_INSIDE_H

#include <stdbool.h>

#include <jansson.h>

#include "cli/books.h"
#include "cli/options.h"
#include "record/reckon.h"

#define OUTAGE_DEFAULT_COMPONENT "site"
#define OUTAGE_IMPORT_SCHEMA "holdfast.outage_import/1"

struct outage_options {
	const char *config, *record, *verb, *name; /* name: the first of names, or NULL */
	struct option_words names;
	const char *component, *from, *to, *rejects, *html, *archive, *format, *zone;
	bool json, import, missing, beside;
};

extern const struct option_table outage_table;

/* Measures anew with what is on record now. COMMAND_DONE, or, said, the exit status. */
int outage_measure(struct books *books, const struct outage_options *options, struct reckon_result *result);

/* What was measured of each component: as JSON, a new reference; as lines. */
json_t *outage_components_json(const struct reckon_result *result);
void outage_print_components(const struct reckon_result *result);

/* outage import: counts of reports onto the record. The exit status. */
int outage_import(const struct outage_options *options);
/* outage logs: what access logs show, a bucket a line; with --import, onto the record. */
int outage_logs(const struct outage_options *options);

#endif
