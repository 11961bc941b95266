/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that keep things in the ledger share: the open database, texts that may be kept, statements that add a
 * row and those that list rows. For the room's own files alone.
 *
 * A row is added by ledger_begin_to_add(), binding, ledger_add(); rows are listed by ledger_begin(), binding,
 * ledger_each_row(). Both ways the last of them ends the statement. Functions return 0 or -errno with the error said.
 */
#ifndef HOLDFAST_RECORD_LEDGER_INSIDE_H
#define HOLDFAST_RECORD_LEDGER_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "record/database.h"
#include "record/ledger.h"

#define LEDGER_SCHEMA 2 /* of the database: the first that has claims, verdicts, events, evidence, roll-ups */

struct ledger {
	sqlite3 *database;
	bool write;
	int64_t schema; /* of the database: opened to read, it may be older than what one looks for */
	char path[RECORD_PATH_SIZE];
};

/*
 * What `column` is to be: the first argument, or anything where that is 0. "?1 = 0 OR column = ?1" would say so too,
 * and go through the whole table for each.
 */
#define LEDGER_ONE_OR_ALL(column)                                              \
	column " BETWEEN CASE ?1 WHEN 0 THEN -9223372036854775808 ELSE ?1 END" \
	       " AND CASE ?1 WHEN 0 THEN 9223372036854775807 ELSE ?1 END"

/* A text, and what it is called in a complaint. */
struct ledger_text {
	const char *name, *text;
};

/* Returns `result`. */
int ledger_refuse(struct record_error *error, int result, const char *message, const char *advice);
/* -EINVAL: one is longer than LEDGER_TEXT_MAX, or no UTF-8. */
int ledger_check_text(const char *name, const char *text, struct record_error *error);
int ledger_check_texts(const struct ledger_text *all, unsigned count, struct record_error *error);
/* -EINVAL: it is no JSON, or of more than LEDGER_JSON_MAX octets. */
int ledger_check_json(const char *name, const char *text, struct record_error *error);

/* Whether a text is a SHA-256 in hexadecimal. */
bool ledger_is_digest(const char *text);

/* "c12" of kind 'c' → 12; 0: it is none of that kind. */
int64_t ledger_number(const char *id, char kind);
void ledger_write_id(char id[LEDGER_ID_SIZE], char kind, int64_t number);

int ledger_begin(const struct ledger *ledger, const char *sql, sqlite3_stmt **statement, struct record_error *error);
/* -EROFS: the ledger is only read; -EDQUOT: the number that `count_of` asks for is LEDGER_ROWS_MAX. */
int ledger_begin_to_add(struct ledger *ledger, const char *sql, const char *count_of, sqlite3_stmt **statement,
                        struct record_error *error);
/*
 * A transaction that writes; -EROFS. Its end is as `result` says, which is returned, or why it could not be committed.
 */
int ledger_transaction_begin(struct ledger *ledger, struct record_error *error);
int ledger_transaction_end(struct ledger *ledger, int result, struct record_error *error);
/* `id` may be NULL. */
int ledger_add(struct ledger *ledger, sqlite3_stmt *statement, char kind, char *id, struct record_error *error);
/* The same of what can be there once: -EALREADY with the message, where a trigger or a key refuses it. */
int ledger_add_once(struct ledger *ledger, sqlite3_stmt *statement, const char *already, struct record_error *error);
/* The number that is the answer to a statement with its arguments bound; ends it. */
int ledger_ask(const struct ledger *ledger, sqlite3_stmt *statement, int64_t *number, struct record_error *error);
/* Stops where `row` returns not 0, and returns that. */
int ledger_each_row(const struct ledger *ledger, sqlite3_stmt *statement,
                    int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error);
/*
 * The same of a statement, with `bound` as its first argument where it has one; no rows where the ledger is of an older
 * schema than `schema`, the first that has what is listed.
 */
int ledger_list(const struct ledger *ledger, int64_t schema, const char *sql, int64_t bound,
                int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error);

#endif
