/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on the terminal and as JSON: what they say, what each sentence rests on, what was done with them, what is
 * due.
 */
#ifndef HOLDFAST_CLI_STATEMENT_PAGE_H
#define HOLDFAST_CLI_STATEMENT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "cli/archived.h"
#include "cli/books.h"
#include "record/statement_desk.h"
#include "tell/paper.h"

/* `links`: what each sentence rests on, too. */
void statement_page(const struct paper *paper, const struct statement_desk_kept *kept, bool links);
/* What was left out of a draft, and why. */
void statement_page_left_out(const struct paper *paper, const json_t *statement);
/* One line of a list. */
void statement_page_line(const struct paper *paper, const struct statement_desk_kept *kept);
/* A new reference. */
json_t *statement_page_json(const struct statement_desk_kept *kept);

/* `aware`: of statement_facts_aware(). The exit status. */
int statement_page_aware(json_t *aware, const struct archived *archived, struct capture_time now, bool json);
/* What is open and what is due. The exit status: COMMAND_DUE where something is overdue. */
int statement_page_status(struct books *books, int64_t now_ns, bool json);

#endif
