/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a statement is drafted from: the analysis of an incident, as the archive has it, and what else is on record, put
 * into one document, "holdfast.statement-record/1" (doc/statement.md).
 */
#ifndef HOLDFAST_RECORD_STATEMENT_FACTS_H
#define HOLDFAST_RECORD_STATEMENT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "record/archive.h"
#include "record/statements.h"

#define STATEMENT_FACTS_BEFORE_NS (3600 * NS_PER_S) /* an event that ended so long before may still matter */

/* What the operator says, and of what. */
struct statement_facts_asked {
	const char *folder;                      /* the state_dir; NULL: there is none */
	const struct archive_incident *incident; /* NULL: of none */
	const json_t *inherited;                 /* words of the thread's last record.json, or NULL */
	struct capture_time since, until, next;  /* ns 0: not said */
	const char *component, *text, *by;       /* "" or NULL: not said; a component's ID, or whatever words */
	const char *claim;                       /* "c1", or NULL */
	enum statement_phase phase;
	uint64_t corrects, thread; /* numbers; 0 */
	struct capture_time now;
};

/* A new reference. 0 or -errno, said; -ENOENT: there is no such claim. */
int statement_facts(struct ledger *ledger, const struct statement_facts_asked *asked, json_t **record,
                    struct record_error *error);

/*
 * When people have known of it, when what the law asks for is due, and what of that is not needed here, where anything
 * is; JSON, or null where nobody said since when it is known.
 */
int statement_facts_aware(struct ledger *ledger, uint64_t incident, json_t **aware, struct record_error *error);

/*
 * The incident of which people have known whose ID is or begins with `name`, still on record or not. -ENOENT, with no
 * message: there is none, or there are several.
 */
int statement_facts_known_find(struct ledger *ledger, const char *name, uint64_t *incident, struct record_error *error);

/* A report to an authority that the law asks for, of an incident of which people have known. */
struct statement_facts_law {
	uint64_t incident;
	enum statement_kind kind;
	int64_t due_ns, submitted_ns; /* submitted_ns 0: it was not yet */
	int64_t exempt_ns;            /* when somebody said that it is not needed here; 0: nobody does */
	const char *exempt_by, *why;  /* who, and why: valid during the call; "" */
};

/* It is still to be handed in. */
bool statement_facts_law_is_open(const struct statement_facts_law *law);

int statement_facts_law_each(struct ledger *ledger, int (*each)(void *context, const struct statement_facts_law *law),
                             void *context, struct record_error *error);

#endif
