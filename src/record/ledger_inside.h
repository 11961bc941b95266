/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files share that keep something in the ledger's database for good, or let commands write it: record/ledger.c,
 * record/outages.c. Functions return 0 or -errno and say in `error` what is wrong.
 */
#ifndef HOLDFAST_RECORD_LEDGER_INSIDE_H
#define HOLDFAST_RECORD_LEDGER_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "record/ledger.h"

struct ledger {
	sqlite3 *database;
	bool write;
	int64_t schema; /* of what is open: to read, it may be an older one, which lacks the later tables */
	char path[RECORD_PATH_SIZE];
};

struct ledger_text {
	const char *name, *text; /* what people call it, and what it is */
};

/* `result`, with a message. */
int ledger_refuse(struct record_error *error, int result, const char *message, const char *advice);
/* -EINVAL: a text is longer than LEDGER_TEXT_MAX, or no UTF-8. */
int ledger_check_text(const char *name, const char *text, struct record_error *error);
int ledger_check_texts(const struct ledger_text *all, unsigned count, struct record_error *error);
/* -EINVAL: it is no JSON, or longer than LEDGER_JSON_MAX. */
int ledger_check_json(const char *name, const char *text, struct record_error *error);
/* "c12" → 12 for the kind 'c'; 0: it is none of that kind. */
int64_t ledger_number_of(const char *id, char kind);
void ledger_write_id(char id[LEDGER_ID_SIZE], char kind, int64_t number);

/* A statement of `sql`, which whoever called ends. */
int ledger_begin(struct ledger *ledger, const char *sql, sqlite3_stmt **statement, struct record_error *error);
/* The same, refused where the ledger is only read (-EROFS) or `count_of` answers LEDGER_ROWS_MAX (-EDQUOT). */
int ledger_begin_to_add(struct ledger *ledger, const char *sql, const char *count_of, sqlite3_stmt **statement,
                        struct record_error *error);
/* Does it and ends it; `id`, which may be NULL, becomes that of the row that was added. */
int ledger_end_add(struct ledger *ledger, sqlite3_stmt *statement, char kind, char *id, struct record_error *error);

#endif
