/* SPDX-License-Identifier: Apache-2.0 */
/* What subscriptions.c and deliveries.c share: statements with a few arguments, and a subscriber out of a row. */
#ifndef HOLDFAST_RECORD_SUBSCRIPTIONS_INSIDE_H
#define HOLDFAST_RECORD_SUBSCRIPTIONS_INSIDE_H

#include "record/ledger_inside.h"
#include "record/subscriptions.h"

/* An argument of a statement, in the order of its numbers: a text, or where that is NULL a number. */
struct argument {
	const char *text;
	int64_t number;
};

#define ARGUMENTS(...)                            \
	(const struct argument[]){ __VA_ARGS__ }, \
		sizeof((const struct argument[]){ __VA_ARGS__ }) / sizeof(struct argument)

int subscriptions_bind(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                       sqlite3_stmt **statement, struct record_error *error);
/* Runs what changes rows; `changed` may be NULL. -EROFS. */
int subscriptions_run(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                      unsigned *changed, struct record_error *error);
/* The number that a statement answers. */
int subscriptions_number(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                         int64_t *number, struct record_error *error);

/* Columns of a subscriber "u", in the order that subscriptions_row() reads. */
#define SUBSCRIBER_COLUMNS                                                                                       \
	"u.id, u.kind, u.state, u.name, u.lang, u.components, u.nonce, u.added_by, u.asked_ns, u.confirmed_ns, " \
	"u.gone_ns"
#define SUBSCRIBER_COLUMNS_COUNT 11

/* Which of the names that is; where it is none of them, the last. */
unsigned subscriptions_word(const char *const *names, unsigned count, const char *name);
struct subscriber subscriptions_row(sqlite3_stmt *statement);

#endif
