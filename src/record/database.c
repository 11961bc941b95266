/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations are a list: entry n makes of schema n schema n + 1, in one transaction with the number's change. Whoever
 * opens the database first makes them; another who waited for that transaction sees the number that it left.
 *
 * What the ledger holds is guarded by triggers: an UPDATE or DELETE fails in whatever program tries it, short of one
 * that drops the triggers first, which ledger_check() sees.
 */
#include "record/database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#define APPLICATION_ID 0x48466173 /* "HFas" */

/* clang-format off */
#define REFUSED " BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END;"
/* INSERT OR REPLACE calls no trigger of DELETE. */
#define UNCHANGED(table, key)                                              \
	"CREATE TRIGGER " table "_update BEFORE UPDATE ON " table REFUSED  \
	"CREATE TRIGGER " table "_replace BEFORE INSERT ON " table         \
	" WHEN EXISTS(SELECT 1 FROM " table " WHERE " key " = NEW." key ")" REFUSED
#define FOR_GOOD(table, key)   \
	UNCHANGED(table, key)  \
	"CREATE TRIGGER " table "_delete BEFORE DELETE ON " table REFUSED
#define KEPT_NS "16329600000000000" /* OUTAGES_KEPT_NS, 27 weeks; likewise */
/* Counts grow and stay where they are; those that nothing rests on any more may go. */
#define ADDS_UP(table, key, other, shrinks)                                                              \
	"CREATE TRIGGER " table "_update BEFORE UPDATE ON " table " WHEN " shrinks                       \
	" OR NEW.bucket_ns <> OLD.bucket_ns OR NEW.component <> OLD.component OR NEW." key " <> OLD." key \
	" OR NEW." other " <> OLD." other REFUSED                                                        \
	"CREATE TRIGGER " table "_delete BEFORE DELETE ON " table                                        \
	" WHEN OLD.bucket_ns >= (SELECT max(bucket_ns) FROM " table ") - " KEPT_NS REFUSED
#define LATEST_ROLLUPS "16" /* LEDGER_ROLLUPS_MAX; a migration does not change when a bound does */

static const char *const migrations[RECORD_SCHEMA] = {
	"CREATE TABLE action("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL, uid INTEGER NOT NULL, user TEXT NOT NULL,"
	" client TEXT NOT NULL, command TEXT NOT NULL, object TEXT NOT NULL, arguments TEXT NOT NULL,"
	" outcome TEXT NOT NULL, message TEXT NOT NULL);"
	"CREATE TABLE in_force("
	" kind INTEGER NOT NULL, object TEXT NOT NULL, until_ns INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, user TEXT NOT NULL, scope TEXT NOT NULL, match TEXT NOT NULL, action TEXT NOT NULL,"
	" reason TEXT NOT NULL, rate_pps INTEGER NOT NULL, shadow INTEGER NOT NULL,"
	" PRIMARY KEY(kind, object)) WITHOUT ROWID;"
	"CREATE INDEX in_force_until ON in_force(until_ns);"
	"CREATE TABLE fact(name TEXT PRIMARY KEY, value) WITHOUT ROWID;",

	"CREATE TABLE claim("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, by TEXT NOT NULL, url TEXT NOT NULL,"
	" text TEXT NOT NULL, predicate TEXT NOT NULL, at_ns INTEGER NOT NULL, added_ns INTEGER NOT NULL,"
	" added_by TEXT NOT NULL);"
	"CREATE INDEX claim_incident ON claim(incident);"
	"CREATE TABLE verdict("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, claim INTEGER NOT NULL REFERENCES claim(id), at_ns INTEGER NOT NULL,"
	" trace_sha256 TEXT NOT NULL, seed INTEGER NOT NULL, verdict TEXT NOT NULL, json TEXT NOT NULL);"
	"CREATE INDEX verdict_claim ON verdict(claim);"
	"CREATE INDEX verdict_trace ON verdict(trace_sha256);"
	"CREATE TABLE event("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, began_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL,"
	" text TEXT NOT NULL, url TEXT NOT NULL, added_ns INTEGER NOT NULL, added_by TEXT NOT NULL);"
	"CREATE TABLE evidence("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, made_ns INTEGER NOT NULL,"
	" until_ns INTEGER NOT NULL, path TEXT NOT NULL, head TEXT NOT NULL, sha256 TEXT NOT NULL, key TEXT NOT NULL,"
	" tlp TEXT NOT NULL);"
	"CREATE INDEX evidence_incident ON evidence(incident);"
	"CREATE TABLE erasure("
	" evidence INTEGER PRIMARY KEY REFERENCES evidence(id), at_ns INTEGER NOT NULL, why TEXT NOT NULL);"
	"CREATE TABLE rollup("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, made_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,"
	" trace TEXT NOT NULL);"
	"CREATE INDEX rollup_incident ON rollup(incident);"
	FOR_GOOD("claim", "id") FOR_GOOD("verdict", "id") FOR_GOOD("event", "id") FOR_GOOD("evidence", "id")
	FOR_GOOD("erasure", "evidence") UNCHANGED("rollup", "id")
	"CREATE TRIGGER rollup_delete BEFORE DELETE ON rollup"
	" WHEN OLD.id = (SELECT min(id) FROM rollup WHERE incident = OLD.incident)"
	" OR (SELECT count(*) FROM rollup WHERE incident = OLD.incident AND id > OLD.id) < " LATEST_ROLLUPS
	" OR EXISTS(SELECT 1 FROM verdict WHERE trace_sha256 = OLD.sha256)" REFUSED,

	"CREATE TABLE approval("
	" verdict INTEGER PRIMARY KEY REFERENCES verdict(id), at_ns INTEGER NOT NULL, by TEXT NOT NULL);"
	FOR_GOOD("approval", "verdict"),

	"CREATE TABLE report_count("
	" bucket_ns INTEGER NOT NULL, component TEXT NOT NULL, symptom TEXT NOT NULL, region TEXT NOT NULL,"
	" network INTEGER NOT NULL, source TEXT NOT NULL, raw INTEGER NOT NULL, accepted INTEGER NOT NULL,"
	" shielded INTEGER NOT NULL, PRIMARY KEY(bucket_ns, component, symptom, region, network, source)) WITHOUT ROWID;"
	"CREATE TABLE signal("
	" bucket_ns INTEGER NOT NULL, component TEXT NOT NULL, kind TEXT NOT NULL, vantage TEXT NOT NULL,"
	" network INTEGER NOT NULL, good INTEGER NOT NULL, bad INTEGER NOT NULL, value INTEGER NOT NULL,"
	" PRIMARY KEY(bucket_ns, component, kind, vantage)) WITHOUT ROWID;"
	"CREATE TABLE report_import("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL, name TEXT NOT NULL, rows INTEGER NOT NULL,"
	" reports INTEGER NOT NULL, mistakes INTEGER NOT NULL, added_ns INTEGER NOT NULL, added_by TEXT NOT NULL);"
	"CREATE INDEX report_import_sha256 ON report_import(sha256);"
	"CREATE TABLE outage("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, component TEXT NOT NULL,"
	" began_ns INTEGER NOT NULL, peak_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL,"
	" pronounced_from_ns INTEGER NOT NULL, pronounced_to_ns INTEGER NOT NULL, reports INTEGER NOT NULL,"
	" excess INTEGER NOT NULL, belief INTEGER NOT NULL, published TEXT NOT NULL, json TEXT NOT NULL,"
	" made_ns INTEGER NOT NULL);"
	"CREATE INDEX outage_number ON outage(number);"
	FOR_GOOD("report_import", "id") FOR_GOOD("outage", "id")
	ADDS_UP("report_count", "symptom", "network", "NEW.raw < OLD.raw OR NEW.accepted < OLD.accepted"
	        " OR NEW.shielded < OLD.shielded OR NEW.region <> OLD.region OR NEW.source <> OLD.source")
	ADDS_UP("signal", "kind", "vantage", "NEW.good < OLD.good OR NEW.bad < OLD.bad OR NEW.value < OLD.value"
	        " OR NEW.network <> OLD.network"),

	"CREATE TABLE component("
	" id TEXT PRIMARY KEY, parent TEXT NOT NULL, position INTEGER NOT NULL, is_group INTEGER NOT NULL,"
	" showcase INTEGER NOT NULL, name_en TEXT NOT NULL, name_fr TEXT NOT NULL, description_en TEXT NOT NULL,"
	" description_fr TEXT NOT NULL, added_ns INTEGER NOT NULL, updated_ns INTEGER NOT NULL,"
	" removed_ns INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE component_state("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, component TEXT NOT NULL REFERENCES component(id), status TEXT NOT NULL,"
	" since_ns INTEGER NOT NULL, cause TEXT NOT NULL, source TEXT NOT NULL, outage INTEGER NOT NULL,"
	" added_ns INTEGER NOT NULL, added_by TEXT NOT NULL);"
	"CREATE INDEX component_state_component ON component_state(component);"
	"CREATE TABLE works("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL,"
	" components TEXT NOT NULL, name_en TEXT NOT NULL, name_fr TEXT NOT NULL, text_en TEXT NOT NULL,"
	" text_fr TEXT NOT NULL, added_ns INTEGER NOT NULL, added_by TEXT NOT NULL);"
	"CREATE TABLE works_cancelled("
	" works INTEGER PRIMARY KEY REFERENCES works(id), at_ns INTEGER NOT NULL, by TEXT NOT NULL);"
	/* What a component is called may change; which there were may not. */
	"CREATE TRIGGER component_id BEFORE UPDATE ON component WHEN OLD.id <> NEW.id OR OLD.is_group <> NEW.is_group"
	" OR OLD.added_ns <> NEW.added_ns" REFUSED
	"CREATE TRIGGER component_delete BEFORE DELETE ON component" REFUSED
	FOR_GOOD("component_state", "id") FOR_GOOD("works", "id") FOR_GOOD("works_cancelled", "works"),

	"CREATE TABLE statement("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, revision INTEGER NOT NULL, thread INTEGER NOT NULL,"
	" incident INTEGER NOT NULL, outage INTEGER NOT NULL, kind TEXT NOT NULL, lang TEXT NOT NULL,"
	" supersedes INTEGER NOT NULL, json TEXT NOT NULL, sha256 TEXT NOT NULL, made_ns INTEGER NOT NULL,"
	" made_by TEXT NOT NULL, UNIQUE(number, revision));"
	"CREATE INDEX statement_incident ON statement(incident);"
	"CREATE TABLE statement_act("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL, revision INTEGER NOT NULL, act TEXT NOT NULL,"
	" at_ns INTEGER NOT NULL, uid INTEGER NOT NULL, by TEXT NOT NULL, of_sha256 TEXT NOT NULL, title TEXT NOT NULL,"
	" text TEXT NOT NULL, sha256 TEXT NOT NULL, FOREIGN KEY(number, revision) REFERENCES statement(number, revision));"
	"CREATE INDEX statement_act_number ON statement_act(number, revision);"
	"CREATE TABLE awareness("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, aware_ns INTEGER NOT NULL,"
	" set_ns INTEGER NOT NULL, set_by TEXT NOT NULL);"
	"CREATE INDEX awareness_incident ON awareness(incident);"
	"CREATE TABLE statement_source("
	" sha256 TEXT PRIMARY KEY, made_ns INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;"
	FOR_GOOD("statement", "id") FOR_GOOD("statement_act", "id") FOR_GOOD("awareness", "id")
	FOR_GOOD("statement_source", "sha256"),

	"CREATE TABLE subscriber("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, lang TEXT NOT NULL,"
	" components TEXT NOT NULL, state TEXT NOT NULL, nonce TEXT NOT NULL, after_act INTEGER NOT NULL,"
	" after_state INTEGER NOT NULL, questions INTEGER NOT NULL, question_ns INTEGER NOT NULL,"
	" asked_ns INTEGER NOT NULL, confirmed_ns INTEGER NOT NULL, gone_ns INTEGER NOT NULL, added_by TEXT NOT NULL);"
	"CREATE UNIQUE INDEX subscriber_name ON subscriber(kind, name) WHERE state <> 'gone';"
	"CREATE TABLE delivery("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, subscriber INTEGER NOT NULL REFERENCES subscriber(id), what TEXT NOT NULL,"
	" ref INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, repeats INTEGER NOT NULL,"
	" queued_ns INTEGER NOT NULL, next_ns INTEGER NOT NULL, done_ns INTEGER NOT NULL, error TEXT NOT NULL,"
	" UNIQUE(subscriber, what, ref));"
	"CREATE INDEX delivery_due ON delivery(next_ns) WHERE state = 'queued';"
	"CREATE INDEX delivery_sending ON delivery(subscriber) WHERE state = 'sending';",

	"CREATE TABLE console_audit("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL,"
	" what TEXT NOT NULL, object TEXT NOT NULL, revision INTEGER NOT NULL, outcome TEXT NOT NULL,"
	" message TEXT NOT NULL);"
	FOR_GOOD("console_audit", "id"),

	"CREATE TABLE exemption("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, kind TEXT NOT NULL, exempt INTEGER NOT NULL,"
	" set_ns INTEGER NOT NULL, set_by TEXT NOT NULL, why TEXT NOT NULL);"
	"CREATE INDEX exemption_incident ON exemption(incident);"
	FOR_GOOD("exemption", "id"),
};
/* clang-format on */

/* ---- errors ---- */

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	default:
		return -EIO;
	}
}

static const char *advice_of(int result)
{
	switch (result) {
	case -ENOSPC:
		return "make room there; what is to be recorded waits as long as it can";
	case -EBUSY:
		return "another program has the database open for writing; 'fuser' names it";
	case -EROFS:
		return "its file system can only be read; 'dmesg' may say why";
	case -EACCES:
		return "its folder and it must belong to the user that `user:` names";
	case -EBADMSG:
		return "it is put aside when it is opened next";
	default:
		return "";
	}
}

int database_fail(struct record_error *error, const char *what, sqlite3 *database, int code)
{
	int result = errno_of(code);

	(void)snprintf(error->message, sizeof(error->message), "%s: %s", what,
	               database && sqlite3_errcode(database) == (code & 0xff) ? sqlite3_errmsg(database)
	                                                                      : sqlite3_errstr(code));
	(void)snprintf(error->advice, sizeof(error->advice), "%s", advice_of(result));
	return result;
}

/* ---- opening ---- */

int database_run(sqlite3 *database, const char *sql)
{
	return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

/* The one number that a pragma or query answers. */
int database_ask(sqlite3 *database, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*number = sqlite3_column_int64(statement, 0);
		code = SQLITE_OK;
	} else if (code == SQLITE_DONE) {
		code = SQLITE_CORRUPT;
	}
	(void)sqlite3_finalize(statement);
	return code;
}

/* Makes of `schema` the next, unless another has done so in the meantime. */
static int migrate_from(sqlite3 *database, int64_t schema)
{
	char number[96];
	int64_t found = 0;
	int code = database_run(database, "BEGIN IMMEDIATE");

	if (code != SQLITE_OK)
		return code;
	(void)snprintf(number, sizeof(number), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
	               (int)schema + 1);
	code = database_ask(database, "PRAGMA user_version", &found);
	if (code == SQLITE_OK && found == schema) {
		code = database_run(database, migrations[schema]);
		if (code == SQLITE_OK)
			code = database_run(database, number);
	}
	if (code == SQLITE_OK)
		code = database_run(database, "COMMIT");
	if (code != SQLITE_OK && !sqlite3_get_autocommit(database))
		(void)database_run(database, "ROLLBACK");
	return code;
}

int database_schema(sqlite3 *database, int64_t *schema, struct record_error *error)
{
	int64_t number = 0, application = 0, tables = 0;
	int code = database_ask(database, "PRAGMA user_version", &number);

	if (code == SQLITE_OK)
		code = database_ask(database, "PRAGMA application_id", &application);
	if (code == SQLITE_OK)
		code = database_ask(database, "SELECT count(*) FROM sqlite_master", &tables);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", database, code);
	if (number < 0 || (tables > 0 && application != APPLICATION_ID)) {
		(void)snprintf(error->message, sizeof(error->message), "the database there is no record of holdfast's");
		(void)snprintf(error->advice, sizeof(error->advice),
		               "name another folder as state_dir, or move the file away");
		return -ENOTSUP;
	}
	if (number > RECORD_SCHEMA) {
		(void)snprintf(error->message, sizeof(error->message),
		               "the record has schema %lld, this holdfast knows them up to %d", (long long)number,
		               RECORD_SCHEMA);
		(void)snprintf(error->advice, sizeof(error->advice),
		               "run the newer holdfast that wrote it, or move the file away and begin a new record");
		return -ENOTSUP;
	}
	*schema = number;
	return 0;
}

int database_migrate(sqlite3 *database, struct record_error *error)
{
	int64_t schema = 0;
	int result = database_schema(database, &schema, error), code;

	while (result == 0 && schema < RECORD_SCHEMA) {
		code = migrate_from(database, schema);
		if (code != SQLITE_OK)
			return database_fail(error, "the record cannot be brought up to date", database, code);
		result = database_schema(database, &schema, error);
	}
	return result;
}

int database_quick_check(sqlite3 *database, struct record_error *error)
{
	sqlite3_stmt *statement;
	int64_t pages = 0;
	int code = database_ask(database, "PRAGMA page_count", &pages);

	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", database, code);
	if (pages > DATABASE_QUICK_PAGES)
		return 0;
	code = sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (code == SQLITE_OK) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			code = strcmp(database_text(statement, 0), "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
		(void)sqlite3_finalize(statement);
	}
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be read", database, code);
}

/* ---- statements ---- */

int database_step(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

int database_each_row(sqlite3 *database, sqlite3_stmt *statement, int (*row)(sqlite3_stmt *statement, void *context),
                      void *context, struct record_error *error)
{
	int code, result = 0;

	do {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			result = row(statement, context);
	} while (code == SQLITE_ROW && result == 0);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		result = database_fail(error, "the record cannot be read", database, code);
	return result;
}

void database_put_text(sqlite3_stmt *statement, int place, const char *text)
{
	(void)sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void database_put_number(sqlite3_stmt *statement, int place, int64_t number)
{
	(void)sqlite3_bind_int64(statement, place, number);
}

const char *database_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

void database_copy_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
	(void)snprintf(text, size, "%s", database_text(statement, column));
}

struct record_action database_action(sqlite3_stmt *statement)
{
	return (struct record_action){
		.time_ns = sqlite3_column_int64(statement, 1),
		.uid = (uint32_t)sqlite3_column_int64(statement, 2),
		.user = database_text(statement, 3),
		.client = database_text(statement, 4),
		.command = database_text(statement, 5),
		.object = database_text(statement, 6),
		.arguments = database_text(statement, 7),
		.outcome = database_text(statement, 8),
		.message = database_text(statement, 9),
	};
}
