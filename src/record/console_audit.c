/* SPDX-License-Identifier: Apache-2.0 */
#include "record/console_audit.h"

#include <stddef.h>

#include "record/ledger_inside.h"

#define SCHEMA 8 /* the first that has this table */
#define COLUMNS "at_ns, who, role, what, object, revision, outcome, message"

int console_audit_add(struct ledger *ledger, const struct console_audit *row, struct record_error *error)
{
	const struct ledger_text all[] = {
		{ "name of who did it", row->who }, { "role", row->role },       { "deed", row->what },
		{ "object", row->object },          { "outcome", row->outcome }, { "message", row->message }
	};
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0)
		result = ledger_begin_to_add(ledger,
		                             "INSERT INTO console_audit(" COLUMNS
		                             ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		                             "SELECT count(*) FROM console_audit", &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, row->at_ns);
	database_put_text(statement, 2, row->who);
	database_put_text(statement, 3, row->role);
	database_put_text(statement, 4, row->what);
	database_put_text(statement, 5, row->object);
	database_put_number(statement, 6, (int64_t)row->revision);
	database_put_text(statement, 7, row->outcome);
	database_put_text(statement, 8, row->message);
	return ledger_add(ledger, statement, 0, NULL, error);
}

struct listing {
	int (*each)(void *context, const struct console_audit *row);
	void *context;
};

static int list_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct console_audit row = { .number = (uint64_t)sqlite3_column_int64(statement, 0),
		                     .at_ns = sqlite3_column_int64(statement, 1),
		                     .who = database_text(statement, 2),
		                     .role = database_text(statement, 3),
		                     .what = database_text(statement, 4),
		                     .object = database_text(statement, 5),
		                     .revision = (uint64_t)sqlite3_column_int64(statement, 6),
		                     .outcome = database_text(statement, 7),
		                     .message = database_text(statement, 8) };

	return listing->each(listing->context, &row);
}

int console_audit_each(struct ledger *ledger, unsigned limit,
                       int (*each)(void *context, const struct console_audit *row), void *context,
                       struct record_error *error)
{
	struct listing listing = { each, context };

	return ledger_list(ledger, SCHEMA, "SELECT id, " COLUMNS " FROM console_audit ORDER BY id DESC LIMIT ?1", limit,
	                   list_row, &listing, error);
}
