/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a whole: a copy of it while others write, and whether it is as it should be. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/digest.h"
#include "base/file.h"
#include "record/database.h"
#include "record/ledger.h"
#include "record/ledger_inside.h"

#define BACKUP_PAUSE_MS 10

/*
 * All pages in one step, which is one read of the write-ahead log: others write meanwhile, what they write is not in
 * it. The copy's own journal is a plain one, so that it is one file, which can be read wherever it is put.
 */
static int copy_pages(sqlite3 *from, sqlite3 *to, struct record_error *error)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	unsigned waited_ms = 0;
	int code;

	if (!backup)
		return database_fail(error, "the copy cannot be begun", to, sqlite3_errcode(to));
	for (;;) {
		code = sqlite3_backup_step(backup, -1);
		if ((code != SQLITE_BUSY && code != SQLITE_LOCKED) || waited_ms >= LEDGER_BUSY_MS)
			break;
		(void)sqlite3_sleep(BACKUP_PAUSE_MS);
		waited_ms += BACKUP_PAUSE_MS;
	}
	(void)sqlite3_backup_finish(backup);
	if (code == SQLITE_DONE)
		code = database_run(to, "PRAGMA journal_mode = DELETE");
	return code == SQLITE_OK ? 0 : database_fail(error, "the copy cannot be written", to, code);
}

static int copy_to(struct ledger *ledger, const char *part, struct record_error *error)
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
	int result = code == SQLITE_OK ? copy_pages(ledger->database, to, error)
	                               : database_fail(error, "the copy cannot be begun", to, code);

	(void)sqlite3_close(to);
	return result;
}

/* `part` becomes `file`, if none is there. */
static int put_in_place(const char *part, const char *file)
{
	int fd = open(part, O_RDONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -errno;
	result = fsync(fd) == 0 ? 0 : -errno;
	(void)close(fd);
	if (result == 0 && link(part, file) != 0)
		result = -errno;
	return result == 0 ? file_sync_folder_of(file) : result;
}

int ledger_backup(struct ledger *ledger, const char *file, struct record_error *error)
{
	char part[RECORD_PATH_SIZE + 8];
	int length = snprintf(part, sizeof(part), "%s.part", file), fd, result;

	*error = (struct record_error){ .message = "" };
	if (length < 0 || length >= RECORD_PATH_SIZE)
		return ledger_refuse(error, -ENAMETOOLONG, "the name of the copy is too long", "");
	if (access(file, F_OK) == 0)
		return ledger_refuse(error, -EEXIST, "the file is there already", "name another, or move it away");
	fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0) {
		result = -errno;
		return ledger_refuse(error, result, strerror(-result),
		                     result == -EEXIST ? "FILE.part is left of a copy that was not ended; remove it"
		                                       : "its folder has to be there and yours");
	}
	(void)close(fd);
	result = copy_to(ledger, part, error);
	if (result == 0) {
		result = put_in_place(part, file);
		if (result != 0)
			(void)ledger_refuse(error, result, strerror(-result), "");
	}
	(void)unlink(part);
	return result;
}

struct checking {
	void (*tell)(void *context, const char *mistake);
	void *context;
	unsigned mistakes;
};

static void tell_of(struct checking *checking, const char *mistake)
{
	if (checking->mistakes++ < LEDGER_CHECK_MISTAKES)
		checking->tell(checking->context, mistake);
}

/* Rows of a query that say what is wrong, but for one that says "ok". */
static int check_rows(sqlite3 *database, const char *sql, struct checking *checking)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (strcmp(database_text(statement, 0), "ok") != 0)
			tell_of(checking, database_text(statement, 0));
	}
	(void)sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Each table, index and trigger of a new database of the same schema is in this one, word for word. */
static int check_schema(sqlite3 *database, sqlite3 *model, struct checking *checking)
{
	sqlite3_stmt *wanted = NULL, *found = NULL;
	int code = sqlite3_prepare_v2(model, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL", -1,
	                              &wanted, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(
			database, "SELECT count(*) FROM sqlite_master WHERE type = ?1 AND name = ?2 AND sql = ?3", -1,
			&found, NULL);
	while (code == SQLITE_OK && sqlite3_step(wanted) == SQLITE_ROW) {
		char mistake[160];

		for (int i = 0; i < 3; i++)
			database_put_text(found, i + 1, database_text(wanted, i));
		code = sqlite3_step(found);
		if (code == SQLITE_ROW && sqlite3_column_int(found, 0) != 1) {
			(void)snprintf(mistake, sizeof(mistake), "the %s %s is missing or another",
			               database_text(wanted, 0), database_text(wanted, 1));
			tell_of(checking, mistake);
		}
		code = code == SQLITE_ROW ? sqlite3_reset(found) : code;
	}
	(void)sqlite3_finalize(wanted);
	(void)sqlite3_finalize(found);
	return code;
}

/* A roll-up whose text is another than was added. */
static int check_rollups(struct ledger *ledger, struct checking *checking)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(ledger->database, "SELECT id, sha256, trace FROM rollup", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *text = database_text(statement, 2);
		char digest[LEDGER_DIGEST_SIZE], mistake[80];

		digest_sha256_text(text, strlen(text), digest);
		if (strcmp(digest, database_text(statement, 1)) == 0)
			continue;
		(void)snprintf(mistake, sizeof(mistake), "roll-up %lld has another SHA-256 than its text",
		               (long long)sqlite3_column_int64(statement, 0));
		tell_of(checking, mistake);
	}
	(void)sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int ledger_check(struct ledger *ledger, void (*tell)(void *context, const char *mistake), void *context,
                 unsigned *mistakes, struct record_error *error)
{
	struct checking checking = { .tell = tell, .context = context };
	sqlite3 *model = NULL;
	int code = check_rows(ledger->database, "PRAGMA integrity_check(16)", &checking);

	if (code == SQLITE_OK)
		code = check_rows(ledger->database,
		                  "SELECT 'row ' || rowid || ' of ' || \"table\" || ' names a row that is not there'"
		                  " FROM pragma_foreign_key_check",
		                  &checking);
	if (code == SQLITE_OK && ledger->schema == RECORD_SCHEMA) {
		code = sqlite3_open_v2(":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
		if (code == SQLITE_OK && database_migrate(model, error) != 0)
			code = SQLITE_ERROR;
		if (code == SQLITE_OK)
			code = check_schema(ledger->database, model, &checking);
		(void)sqlite3_close(model);
		if (code == SQLITE_OK)
			code = check_rollups(ledger, &checking);
	}
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		tell_of(&checking, sqlite3_errstr(code)); /* the check itself could not go on */
		code = SQLITE_OK;
	}
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", ledger->database, code);
	*mistakes = checking.mistakes;
	return 0;
}
