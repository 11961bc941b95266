/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements on the terminal and as JSON: what they say, what each sentence rests on, what was done with them.
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

/* "s1" of kind 's'; null where the number is 0. */
json_t *statement_page_id(char kind, uint64_t number);

#endif
