/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `holdfast claim` share. */
#ifndef HOLDFAST_CLI_CLAIM_INSIDE_H
#define HOLDFAST_CLI_CLAIM_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/books.h"
#include "cli/command.h"
#include "detect/incident_id.h"
#include "record/archive.h"
#include "tell/claim_json.h"
#include "trace/claim.h"
#include "trace/trace.h"

#define CLAIM_VERDICTS_SCHEMA "holdfast.verdicts/1" /* of what `test --json` prints */
#define CLAIM_HEX 16                                /* the base of IDs and seeds */

struct claim_options {
	const char *config, *record, *verb, *name;
	const char *by, *at, *url, *text, *predicate;
	const char *report, *predicates, *context;
	const char *seed;
	bool json;
};

/* ---- claim.c ---- */

/* Says how the command is used. COMMAND_USAGE. */
int claim_refuse(const char *what);
/*
 * A predicate, to be freed; NULL: what does not parse was said, with a caret under where, and *status is the exit
 * status.
 */
struct predicate *claim_parse(const char *text, int *status);

/* ---- claim_source.c: functions return COMMAND_DONE, or, said, the exit status ---- */

/* What a claim is tested against; zeroed at first, and claim_source_end() is due whatever came of it. */
struct claim_source {
	struct trace trace;
	json_t *json;          /* the trace as it was read */
	struct series *series; /* how users of the host fared meanwhile; NULL: not known */
	uint64_t incident;
	bool has_trace;
};

void claim_source_end(struct claim_source *source);
/*
 * From a file: of the incident whose ID begins so; NULL and "latest": of the last that has a trace. "-": standard
 * input.
 */
int claim_source_read(const char *path, const char *name, struct claim_source *source);
/* From the archive: of the incident that is called so. */
int claim_source_find(const struct claim_options *options, const char *name, struct claim_source *source);
/* Of an incident by its whole ID: from the file that is given, the archive, or the record. */
int claim_source_load(const struct claim_options *options, struct books *books, uint64_t incident,
                      struct claim_source *source);
/* What else is known of that time. `books` NULL: there is no ledger to ask. */
int claim_source_facts(const struct claim_options *options, struct books *books, const struct claim_source *source,
                       struct claim_facts *facts);

/* ---- claim_shelf.c ---- */

/* A copy that outlives the call in which the ledger gives it. */
struct kept {
	struct ledger_claim claim;
	char *texts[5];
};

struct claim_shelf {
	struct kept *claims;
	size_t count, room;
	const char *name; /* beginning of an incident's ID; NULL: all */
};

/* "latest" becomes an ID. */
int claim_resolve(const struct claim_options *options, const char **name, char id[INCIDENT_ID_SIZE]);
/* The claim of that ID, or those about incidents whose IDs begin so; NULL: all. To be freed in any case. */
int claim_shelf_find(struct books *books, const char *name, struct claim_shelf *shelf);
void claim_shelf_free(struct claim_shelf *shelf);
/* A claim as JSON; a new reference. */
json_t *claim_shelf_json(const struct ledger_claim *claim);

/* ---- claim_test.c ---- */

int claim_test_command(const struct claim_options *options);

#endif
