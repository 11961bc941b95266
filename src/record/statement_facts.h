/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a statement is drafted from: the analysis of an incident, as the archive has it, and what else is on record, put
 * into one document, "holdfast.statement-record/1" (doc/statement.md).
 */
#ifndef HOLDFAST_RECORD_STATEMENT_FACTS_H
#define HOLDFAST_RECORD_STATEMENT_FACTS_H

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

/* When people have known of it, and when what the law asks for is due; JSON, or null where nobody said. */
int statement_facts_aware(struct ledger *ledger, uint64_t incident, json_t **aware, struct record_error *error);

/*
 * A report to an authority that the law asks for, of an incident of which people have known; submitted_ns 0: it was not
 * yet.
 */
struct statement_facts_law {
	uint64_t incident;
	enum statement_kind kind;
	int64_t due_ns, submitted_ns;
};

int statement_facts_law_each(struct ledger *ledger, int (*each)(void *context, const struct statement_facts_law *law),
                             void *context, struct record_error *error);

#endif
