/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a report of `holdfast analyze --json` (ANALYSIS_SCHEMA): each signature of each incident, in the order
 * of the report, becomes a rule of the sieve with the incident's target.scope as its own.
 */
#ifndef HOLDFAST_CLI_REPORT_RULES_H
#define HOLDFAST_CLI_REPORT_RULES_H

#include <stdbool.h>

#include "defend/sieve.h"

struct json_t;

struct rules {
	struct sieve sieve;
	const char *incidents[SIEVE_RULES_MAX]; /* id of each rule's incident, or NULL; owned by `report` */
	struct json_t *report;
	bool may_drop; /* a rule drops or limits */
};

/* The object, a new reference, of the file, or of standard input where that is "-"; NULL, and what is wrong is said. */
struct json_t *report_load(const char *path);
/*
 * Of the file, or of standard input where that is "-". 0, and the rules are the caller's to end; or -errno, with what
 * is wrong and where said on standard error.
 */
int rules_read(const char *path, struct rules *rules);
void rules_fini(struct rules *rules);

#endif
