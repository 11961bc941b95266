/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `holdfast statement` share. For these files alone. */
#ifndef HOLDFAST_CLI_STATEMENT_INSIDE_H
#define HOLDFAST_CLI_STATEMENT_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "cli/books.h"
#include "cli/options.h"
#include "record/statement_desk.h"

struct statement_options {
	const char *config, *record, *verb, *name, *words;
	const char *kind, *lang, *since, *until, *component, *text, *after, *corrects, *claim, *translates, *phase;
	const char *hash, *at, *analysis;
	struct option_duration next;
	uint64_t set, remove;
	bool add, internal, keep, links, needed, public, json;
};

extern const struct option_table statement_table;

/* "09:40" is the last time that it was so; text NULL: ns 0. COMMAND_DONE, or, said, the exit status. */
int statement_read_time(const char *option, const char *text, struct capture_time now, struct capture_time *time);
/*
 * Opens the record and finds the statement that the options name: both the caller's then. COMMAND_DONE, or, said, the
 * exit status.
 */
int statement_open_and_find(const struct statement_options *options, bool write, struct books *books,
                            struct statement_desk_kept *kept);
/* Says why something of a statement cannot be done; `name` is what it is about. COMMAND_BAD. */
int statement_refuse(const struct books *books, const char *name, int result, const struct record_error *error);
/* A statement_desk_tell(); `context` is the statement's ID. */
void statement_say_mistake(void *context, size_t sentence, const char *mistake);

/* The verbs that have a file of their own. The exit status. */
int statement_check_kept(const struct statement_options *options); /* statement_check.c */
int statement_aware(const struct statement_options *options);      /* statement_law.c */
int statement_exempt(const struct statement_options *options);
int statement_status(const struct statement_options *options);

#endif
