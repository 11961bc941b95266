/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What record.c and ledger.c share: one database, its schema and migrations, and what SQLite's codes are in our words.
 * Functions that return an int give one of SQLite's codes, but for those with a struct record_error, which give 0 or
 * -errno.
 */
#ifndef HOLDFAST_RECORD_DATABASE_H
#define HOLDFAST_RECORD_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "record/record.h"

#define DATABASE_QUICK_PAGES 65536 /* 256 MiB: a database of more is not checked as it is opened */

/* Says what is wrong, and what to do; returns the code's -errno. `database` may be NULL. */
int database_fail(struct record_error *error, const char *what, sqlite3 *database, int code);

int database_run(sqlite3 *database, const char *sql);
/* The one number that a pragma or query answers. */
int database_ask(sqlite3 *database, const char *sql, int64_t *number);

/* -ENOTSUP: a newer schema, or no database of ours. 0 is of one that is empty. */
int database_schema(sqlite3 *database, int64_t *schema, struct record_error *error);
/* Brings it to RECORD_SCHEMA. */
int database_migrate(sqlite3 *database, struct record_error *error);
/* -EBADMSG: it is broken. Passes over databases of more than DATABASE_QUICK_PAGES. */
int database_quick_check(sqlite3 *database, struct record_error *error);

/* Ends a statement that answers nothing. */
int database_step(sqlite3_stmt *statement);
/* The caller's text outlives the step. */
void database_put_text(sqlite3_stmt *statement, int place, const char *text);
void database_put_number(sqlite3_stmt *statement, int place, int64_t number);
/* Never NULL. */
const char *database_text(sqlite3_stmt *statement, int column);
/* The same into `text`, as much as fits, NUL-terminated. */
void database_copy_text(sqlite3_stmt *statement, int column, char *text, size_t size);
/*
 * Steps through a statement's rows; stops where `row` returns not 0, and returns that. The statement stays the
 * caller's.
 */
int database_each_row(sqlite3 *database, sqlite3_stmt *statement, int (*row)(sqlite3_stmt *statement, void *context),
                      void *context, struct record_error *error);
/* Of a row of the table `action`, its columns in their order; texts are valid until the statement goes on. */
struct record_action database_action(sqlite3_stmt *statement);

#endif
