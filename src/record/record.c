/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal is a write-ahead log with synchronous NORMAL: a crash of the host may lose the latest actions, never the
 * database.
 */
#include "record/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "record/database.h"

#define BUSY_MS 2000

/* clang-format off */
enum statement {
	INSERT, HOLD, RELEASE, EXPIRE, COUNT, CROWD_OUT, FORGET, LATEST, IN_FORCE, HIGHEST, SET_FACT, GET_FACT, STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
	[INSERT] = "INSERT INTO action(time_ns, uid, user, client, command, object, arguments, outcome, message)"
	           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[HOLD] = "INSERT OR REPLACE INTO in_force VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[RELEASE] = "DELETE FROM in_force WHERE object = ?2 AND kind IN (?1, ?3)",
	[EXPIRE] = "DELETE FROM in_force WHERE until_ns <= ?1",
	[COUNT] = "SELECT count(*) FROM in_force",
	[CROWD_OUT] = "DELETE FROM in_force WHERE (kind, object) IN"
	              " (SELECT kind, object FROM in_force ORDER BY until_ns LIMIT ?1)",
	[FORGET] = "DELETE FROM action WHERE id <= (SELECT max(id) FROM action) - ?1",
	[LATEST] = "SELECT id, time_ns, uid, user, client, command, object, arguments, outcome, message FROM action"
	           " ORDER BY id DESC LIMIT ?1",
	[IN_FORCE] = "SELECT kind, object, until_ns, time_ns, uid, user, scope, match, action, reason, rate_pps, shadow"
	             " FROM in_force WHERE until_ns > ?1 ORDER BY kind, CAST(substr(object, 2) AS INTEGER), object",
	[HIGHEST] = "INSERT INTO fact VALUES('rule', ?1)"
	          " ON CONFLICT(name) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
	[SET_FACT] = "INSERT OR REPLACE INTO fact VALUES(?1, ?2)",
	[GET_FACT] = "SELECT value FROM fact WHERE name = ?1",
};
/* clang-format on */

struct record {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
	uint32_t actions_max, in_force_max;
	uint64_t held; /* rows of in_force, at most; counted anew where that is too many */
};

/* ---- opening ---- */

static int prepare(struct record *record, struct record_error *error)
{
	int64_t held = 0;
	int code = SQLITE_OK;

	for (unsigned i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v3(record->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
		                          &record->statements[i], NULL);
	if (code == SQLITE_OK)
		code = database_ask(record->database, texts[COUNT], &held);
	if (code == SQLITE_ERROR) /* a table is not what it should be */
		code = SQLITE_CORRUPT;
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", record->database, code);
	record->held = (uint64_t)held;
	return 0;
}

static int open_at(const struct record_options *options, struct record *record, struct record_error *error)
{
	char pages[64];
	int code = sqlite3_open_v2(options->path, &record->database,
	                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	                                   SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW,
	                           NULL);
	int result;

	(void)snprintf(pages, sizeof(pages), "PRAGMA max_page_count = %u",
	               options->pages_max ? options->pages_max : RECORD_PAGES_MAX);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(record->database, BUSY_MS);
	if (code == SQLITE_OK)
		code = database_run(
			record->database,
			"PRAGMA trusted_schema = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			"PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216");
	if (code == SQLITE_OK)
		code = database_run(record->database, pages);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be opened", record->database, code);
	result = database_migrate(record->database, error);
	if (result == 0)
		result = database_quick_check(record->database, error);
	return result ? result : prepare(record, error);
}

static void close_at(struct record *record)
{
	for (unsigned i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(record->statements[i]);
	(void)sqlite3_close(record->database);
	*record = (struct record){ .database = NULL };
}

/* Moves the database and its journal to the first name that is free. */
static int put_away(const char *path, char put_aside[RECORD_PATH_SIZE])
{
	char from[RECORD_PATH_SIZE + 8], to[RECORD_PATH_SIZE + 8];

	for (unsigned i = 1; i <= RECORD_BROKEN_MAX; i++) {
		int length = snprintf(put_aside, RECORD_PATH_SIZE, "%s.broken-%u", path, i);

		if (length < 0 || length >= RECORD_PATH_SIZE)
			return -ENAMETOOLONG;
		if (access(put_aside, F_OK) != 0)
			break;
	}
	if (rename(path, put_aside) != 0)
		return -errno;
	(void)snprintf(from, sizeof(from), "%s-wal", path);
	(void)snprintf(to, sizeof(to), "%s-wal", put_aside);
	/* One without a journal has not that of the broken one whose name it takes, either. */
	if (rename(from, to) != 0 && (errno != ENOENT || (unlink(to) != 0 && errno != ENOENT)))
		return -errno;
	(void)snprintf(from, sizeof(from), "%s-shm", path);
	if (unlink(from) != 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/* Of a file that would have to be made SQLite does not say that its file system can only be read. */
static bool is_read_only(const char *path)
{
	char folder[RECORD_PATH_SIZE];

	return file_folder_of(path, folder, sizeof(folder)) == 0 && access(folder, W_OK) != 0 && errno == EROFS;
}

int record_open(const struct record_options *options, struct record **record, char put_aside[RECORD_PATH_SIZE],
                struct record_error *error)
{
	struct record *opened = calloc(1, sizeof(*opened));
	int result;

	put_aside[0] = '\0';
	if (!opened) {
		*error = (struct record_error){ .message = "there is no memory" };
		return -ENOMEM;
	}
	result = options->broken ? -EBADMSG : open_at(options, opened, error);
	if (result == -EBADMSG) {
		close_at(opened);
		result = put_away(options->path, put_aside);
		if (result != 0)
			(void)snprintf(error->message, sizeof(error->message),
			               "the record is broken and cannot be put aside: %s", strerror(-result));
		else
			result = open_at(options, opened, error);
	}
	if (result == -EACCES && is_read_only(options->path)) {
		result = -EROFS;
		(void)snprintf(error->advice, sizeof(error->advice), "%s",
		               "its file system can only be read; 'dmesg' may say why");
	}
	if (result != 0) {
		close_at(opened);
		free(opened);
		return result;
	}
	opened->actions_max = options->actions_max ? options->actions_max : RECORD_ACTIONS_MAX;
	opened->in_force_max = options->in_force_max ? options->in_force_max : RECORD_IN_FORCE_MAX;
	*record = opened;
	return 0;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	close_at(record);
	free(record);
}

/* ---- writing ---- */

static int insert(const struct record *record, const struct record_action *action)
{
	sqlite3_stmt *statement = record->statements[INSERT];

	database_put_number(statement, 1, action->time_ns);
	database_put_number(statement, 2, action->uid);
	database_put_text(statement, 3, action->user);
	database_put_text(statement, 4, action->client);
	database_put_text(statement, 5, action->command);
	database_put_text(statement, 6, action->object);
	database_put_text(statement, 7, action->arguments);
	database_put_text(statement, 8, action->outcome);
	database_put_text(statement, 9, action->message);
	return database_step(statement);
}

static int hold(const struct record *record, const struct record_action *action)
{
	sqlite3_stmt *statement = record->statements[HOLD];
	bool is_rule = action->kind == RECORD_RULE;

	database_put_number(statement, 1, action->kind);
	database_put_text(statement, 2, action->object);
	database_put_number(statement, 3, action->until_ns);
	database_put_number(statement, 4, action->time_ns);
	database_put_number(statement, 5, action->uid);
	database_put_text(statement, 6, action->user);
	database_put_text(statement, 7, is_rule ? action->rule.scope : "");
	database_put_text(statement, 8, is_rule ? action->rule.match : "");
	database_put_text(statement, 9, is_rule ? action->rule.action : "");
	database_put_text(statement, 10, is_rule ? action->rule.reason : "");
	database_put_number(statement, 11, is_rule ? action->rule.rate_pps : 0);
	database_put_number(statement, 12, is_rule && action->rule.shadow);
	return database_step(statement);
}

/* "r3" has been. */
static int note_rule(const struct record *record, const char *object)
{
	if (object[0] != 'r')
		return SQLITE_OK;
	database_put_number(record->statements[HIGHEST], 1, (int64_t)strtoul(object + 1, NULL, 10));
	return database_step(record->statements[HIGHEST]);
}

static int append_one(struct record *record, const struct record_action *action)
{
	int code = insert(record, action);

	if (code != SQLITE_OK || action->kind == RECORD_NOTHING)
		return code;
	if (action->until_ns > 0) {
		record->held++;
		code = hold(record, action);
		return code == SQLITE_OK && action->kind == RECORD_RULE ? note_rule(record, action->object) : code;
	}
	database_put_number(record->statements[RELEASE], 1, action->kind);
	database_put_text(record->statements[RELEASE], 2, action->object);
	database_put_number(record->statements[RELEASE], 3, action->kind == RECORD_BLOCK ? RECORD_ALLOW : action->kind);
	return database_step(record->statements[RELEASE]);
}

/* Keeps both tables within their bounds. */
static int trim(struct record *record, int64_t now_ns)
{
	int64_t held = 0;
	int code;

	database_put_number(record->statements[FORGET], 1, record->actions_max);
	code = database_step(record->statements[FORGET]);
	if (code != SQLITE_OK)
		return code;
	database_put_number(record->statements[EXPIRE], 1, now_ns);
	code = database_step(record->statements[EXPIRE]);
	if (code != SQLITE_OK || record->held <= record->in_force_max)
		return code;
	code = database_ask(record->database, texts[COUNT], &held);
	if (code != SQLITE_OK)
		return code;
	record->held = (uint64_t)held;
	if (record->held <= record->in_force_max)
		return SQLITE_OK;
	database_put_number(record->statements[CROWD_OUT], 1, (int64_t)(record->held - record->in_force_max));
	return database_step(record->statements[CROWD_OUT]);
}

int record_append(struct record *record, const struct record_action *actions, unsigned count,
                  struct record_error *error)
{
	int code = count ? database_run(record->database, "BEGIN IMMEDIATE") : SQLITE_OK;

	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count && code == SQLITE_OK; i++)
		code = append_one(record, &actions[i]);
	if (code == SQLITE_OK)
		code = trim(record, actions[count - 1].time_ns);
	if (code == SQLITE_OK)
		code = database_run(record->database, "COMMIT");
	if (code != SQLITE_OK) {
		int result = database_fail(error, "the record cannot be written", record->database, code);

		if (!sqlite3_get_autocommit(record->database))
			(void)database_run(record->database, "ROLLBACK");
		return result;
	}
	return 0;
}

/* ---- reading ---- */

static int each_row(struct record *record, enum statement which, int64_t bound,
                    int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error)
{
	sqlite3_stmt *statement = record->statements[which];
	int result;

	database_put_number(statement, 1, bound);
	result = database_each_row(record->database, statement, row, context, error);
	(void)sqlite3_reset(statement);
	return result;
}

struct listing {
	int (*each)(void *context, uint64_t id, const struct record_action *action);
	int (*each_held)(void *context, const struct record_action *action);
	void *context;
};

static int list_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct record_action action = database_action(statement);

	return listing->each(listing->context, (uint64_t)sqlite3_column_int64(statement, 0), &action);
}

int record_list(struct record *record, unsigned limit,
                int (*each)(void *context, uint64_t id, const struct record_action *action), void *context,
                struct record_error *error)
{
	struct listing listing = { .each = each, .context = context };

	return each_row(record, LATEST, limit, list_row, &listing, error);
}

static int held_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	int64_t kind = sqlite3_column_int64(statement, 0);
	struct record_action action = {
		.kind = kind == RECORD_BLOCK || kind == RECORD_ALLOW || kind == RECORD_RULE ? (enum record_kind)kind : RECORD_NOTHING,
		.object = database_text(statement, 1),
		.until_ns = sqlite3_column_int64(statement, 2),
		.time_ns = sqlite3_column_int64(statement, 3),
		.uid = (uint32_t)sqlite3_column_int64(statement, 4),
		.user = database_text(statement, 5),
		.client = "",
		.command = "",
		.arguments = "",
		.outcome = "",
		.message = "",
		.rule = {
			.scope = database_text(statement, 6),
			.match = database_text(statement, 7),
			.action = database_text(statement, 8),
			.reason = database_text(statement, 9),
			.rate_pps = (uint32_t)sqlite3_column_int64(statement, 10),
			.shadow = sqlite3_column_int64(statement, 11) != 0,
		},
	};

	return listing->each_held(listing->context, &action);
}

int record_each_in_force(struct record *record, int64_t now_ns,
                         int (*each)(void *context, const struct record_action *action), void *context,
                         struct record_error *error)
{
	struct listing listing = { .each_held = each, .context = context };

	return each_row(record, IN_FORCE, now_ns, held_row, &listing, error);
}

/* ---- facts ---- */

/* A fact's row is read by `take`, if there is one. */
static int get_fact(struct record *record, const char *name, void (*take)(sqlite3_stmt *statement, void *context),
                    void *context, struct record_error *error)
{
	sqlite3_stmt *statement = record->statements[GET_FACT];
	int code;

	database_put_text(statement, 1, name);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		take(statement, context);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE
	               ? 0
	               : database_fail(error, "the record cannot be read", record->database, code);
}

static void take_number(sqlite3_stmt *statement, void *context)
{
	int64_t number = sqlite3_column_int64(statement, 0);

	*(uint32_t *)context = number < 0 || number > UINT32_MAX ? 0 : (uint32_t)number;
}

int record_highest_rule(struct record *record, uint32_t *number, struct record_error *error)
{
	uint32_t highest = 0;
	int result = get_fact(record, "rule", take_number, &highest, error);

	if (result == 0)
		*number = highest;
	return result;
}

struct boot {
	const char *now;
	bool same;
};

static void compare_boot(sqlite3_stmt *statement, void *context)
{
	struct boot *boot = context;

	boot->same = strcmp(database_text(statement, 0), boot->now) == 0;
}

int record_is_new_boot(struct record *record, const char *boot, bool *is_new, struct record_error *error)
{
	struct boot known = { .now = boot };
	int result = get_fact(record, "boot", compare_boot, &known, error);

	if (result == 0)
		*is_new = !known.same;
	return result;
}

int record_note_boot(struct record *record, const char *boot, struct record_error *error)
{
	sqlite3_stmt *statement = record->statements[SET_FACT];
	int code;

	database_put_text(statement, 1, "boot");
	database_put_text(statement, 2, boot);
	code = database_step(statement);
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be written", record->database, code);
}

int record_forget_in_force(struct record *record, struct record_error *error)
{
	int code;

	database_put_number(record->statements[EXPIRE], 1, INT64_MAX);
	code = database_step(record->statements[EXPIRE]);
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be written", record->database, code);
}
