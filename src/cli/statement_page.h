/* SPDX-License-Identifier: Apache-2.0 */
/* Statements on the terminal and as JSON: what they say, what each sentence rests on, what was done with them, what is due. */
#ifndef HOLDFAST_CLI_STATEMENT_PAGE_H
#define HOLDFAST_CLI_STATEMENT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/archived.h"
#include "cli/books.h"
#include "record/statements.h"
#include "tell/paper.h"

#define STATEMENT_PAGE_ACTS_MAX 64 /* of one statement that are kept; approvals beyond it are not needed */

/* What was done with a statement. */
struct statement_page_acts {
	unsigned count;
	struct statement_page_act {
		enum statements_act act;
		uint64_t revision;
		int64_t at_ns;
		uint32_t uid;
		char by[BOOKS_NAME_SIZE];
	} list[STATEMENT_PAGE_ACTS_MAX];
	int64_t published_ns, withdrawn_ns, submitted_ns;
	char *published_text; /* or what was submitted; NULL */
	char published_sha256[LEDGER_DIGEST_SIZE];
};

/* 0 or -ENOMEM. */
int statement_page_acts_add(struct statement_page_acts *acts, const struct statements_act_row *act);
void statement_page_acts_free(struct statement_page_acts *acts);
/* How many people have approved the revision. */
unsigned statement_page_approvals(const struct statement_page_acts *acts, uint64_t revision);

/* `links`: what each sentence rests on, too. */
void statement_page(const struct paper *paper, const struct statements_row *row, const char *made_by,
                    const json_t *statement, const struct statement_page_acts *acts, bool links);
/* What was left out of a draft, and why. */
void statement_page_left_out(const struct paper *paper, const json_t *statement);
/* One line of a list. */
void statement_page_line(const struct paper *paper, const struct statements_row *row, const json_t *statement,
                         const struct statement_page_acts *acts);
/* A new reference. */
json_t *statement_page_json(const struct statements_row *row, const json_t *statement,
                            const struct statement_page_acts *acts);

/* `aware`: of statement_facts_aware(). The exit status. */
int statement_page_aware(json_t *aware, const struct archived *archived, struct capture_time now, bool json);
/* What is open and what is due. The exit status: COMMAND_DUE where something is overdue. */
int statement_page_status(struct books *books, int64_t now_ns, bool json);

#endif
