/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each addition is one transaction, mostly of one statement, with synchronous FULL: what the caller is told is added
 * has been synced. What the ledger holds is kept by files of its own: ledger_claims.c, ledger_evidence.c; events are
 * here.
 */
#include "record/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sqlite3.h>

#include "base/file.h"
#include "record/database.h"
#include "record/ledger_inside.h"

#define PRIMARY_CODE 0xff /* of SQLite's extended ones */

/* clang-format off */
enum text { EVENT_ADD, EVENTS, ACTIONS, TEXTS };

static const char *const texts[TEXTS] = {
	[EVENT_ADD] = "INSERT INTO event(kind, began_ns, ended_ns, text, url, added_ns, added_by)"
	              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[EVENTS] = "SELECT id, kind, began_ns, ended_ns, text, url, added_ns, added_by FROM event ORDER BY id",
	[ACTIONS] = "SELECT id, time_ns, uid, user, client, command, object, arguments, outcome, message FROM action"
	            " WHERE time_ns BETWEEN ?1 AND ?2 ORDER BY id",
};

static const char *const kind_names[LEDGER_EVENT_KINDS] = {
	[LEDGER_OWN_CHANGE] = "own_change", [LEDGER_PROVIDER] = "provider", [LEDGER_MAINTENANCE] = "maintenance",
};
/* clang-format on */

const char *ledger_event_kind_name(enum ledger_event_kind kind)
{
	return kind_names[kind];
}

bool ledger_event_kind_find(const char *name, enum ledger_event_kind *kind)
{
	for (unsigned i = 0; i < LEDGER_EVENT_KINDS; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum ledger_event_kind)i;
			return true;
		}
	}
	return false;
}

int ledger_refuse(struct record_error *error, int result, const char *message, const char *advice)
{
	(void)snprintf(error->message, sizeof(error->message), "%s", message);
	(void)snprintf(error->advice, sizeof(error->advice), "%s", advice);
	return result;
}

/* ---- opening ---- */

/* A database that root makes is of whoever has the folder, as the recorder's would be. */
static int make_file(const char *path, struct record_error *error)
{
	char folder[RECORD_PATH_SIZE];
	struct stat owner;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0) {
		int result = -errno;

		return ledger_refuse(error, result, strerror(-result),
		                     "the folder of the record has to be there and yours");
	}
	/* Where it cannot be given away it is whoever made it that has it, and its folder too. */
	if (file_folder_of(path, folder, sizeof(folder)) == 0 && stat(folder, &owner) == 0 && geteuid() == 0)
		(void)!fchown(fd, owner.st_uid, owner.st_gid);
	(void)close(fd);
	return 0;
}

static int open_database(struct ledger *ledger, struct record_error *error)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW, result = 0, code;
	char pages[64];

	(void)snprintf(pages, sizeof(pages), "PRAGMA max_page_count = %d", RECORD_PAGES_MAX);
	code = sqlite3_open_v2(ledger->path, &ledger->database,
	                       flags | (ledger->write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY), NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(ledger->database, LEDGER_BUSY_MS);
	if (code == SQLITE_OK)
		code = database_run(ledger->database, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY");
	if (code == SQLITE_OK && ledger->write)
		code = database_run(ledger->database,
		                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		                    "PRAGMA journal_size_limit = 16777216");
	if (code == SQLITE_OK && ledger->write)
		code = database_run(ledger->database, pages);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be opened", ledger->database, code);
	if (ledger->write)
		result = database_migrate(ledger->database, error);
	return result != 0 ? result : database_schema(ledger->database, &ledger->schema, error);
}

int ledger_open(const char *path, bool write, struct ledger **ledger, struct record_error *error)
{
	struct ledger *opened;
	int result = 0;

	*error = (struct record_error){ .message = "" };
	if (strlen(path) >= sizeof(opened->path))
		return ledger_refuse(error, -ENAMETOOLONG, "the path of the record is too long", "");
	if (write)
		result = make_file(path, error);
	else if (access(path, F_OK) != 0)
		result = ledger_refuse(error, -errno, strerror(errno), "nothing has been recorded there");
	if (result != 0)
		return result;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return ledger_refuse(error, -ENOMEM, "there is no memory", "");
	opened->write = write;
	(void)snprintf(opened->path, sizeof(opened->path), "%s", path);
	result = open_database(opened, error);
	if (result != 0) {
		ledger_close(opened);
		return result;
	}
	*ledger = opened;
	return 0;
}

void ledger_close(struct ledger *ledger)
{
	if (!ledger)
		return;
	(void)sqlite3_close(ledger->database);
	free(ledger);
}

/* ---- adding ---- */

/* Whether the text may be kept; what it is called is `name`. */
int ledger_check_text(const char *name, const char *text, struct record_error *error)
{
	json_t *string;

	if (strlen(text) > LEDGER_TEXT_MAX) {
		(void)snprintf(error->message, sizeof(error->message), "the %s is longer than %d octets", name,
		               LEDGER_TEXT_MAX);
		(void)snprintf(error->advice, sizeof(error->advice), "shorten it");
		return -EINVAL;
	}
	string = json_string(text);
	if (!string) {
		(void)snprintf(error->message, sizeof(error->message), "the %s is no UTF-8", name);
		(void)snprintf(error->advice, sizeof(error->advice), "type it anew");
		return -EINVAL;
	}
	json_decref(string);
	return 0;
}

int ledger_check_json(const char *name, const char *text, struct record_error *error)
{
	size_t length = strlen(text);
	json_t *json = length > LEDGER_JSON_MAX ? NULL : json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

	if (!json) {
		(void)snprintf(error->message, sizeof(error->message), "the %s is no JSON of at most %u octets", name,
		               LEDGER_JSON_MAX);
		(void)snprintf(error->advice, sizeof(error->advice), "nothing is recorded of it");
		return -EINVAL;
	}
	json_decref(json);
	return 0;
}

int ledger_check_texts(const struct ledger_text *all, unsigned count, struct record_error *error)
{
	for (unsigned i = 0; i < count; i++) {
		int result = ledger_check_text(all[i].name, all[i].text, error);

		if (result != 0)
			return result;
	}
	return 0;
}

bool ledger_is_digest(const char *text)
{
	return strlen(text) == LEDGER_DIGEST_SIZE - 1 && strspn(text, "0123456789abcdef") == LEDGER_DIGEST_SIZE - 1;
}

int64_t ledger_number(const char *id, char kind)
{
	int64_t number = 0;

	if (id[0] != kind || strlen(id) > 18 || id[1] == '0')
		return 0;
	for (const char *digit = id + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return 0;
		number = number * 10 + (*digit - '0');
	}
	return number;
}

void ledger_write_id(char id[LEDGER_ID_SIZE], char kind, int64_t number)
{
	(void)snprintf(id, LEDGER_ID_SIZE, "%c%lld", kind, (long long)number);
}

int ledger_begin(const struct ledger *ledger, const char *sql, sqlite3_stmt **statement, struct record_error *error)
{
	int code = sqlite3_prepare_v2(ledger->database, sql, -1, statement, NULL);

	if (code == SQLITE_ERROR) /* a table is not what it should be */
		code = SQLITE_CORRUPT;
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be read", ledger->database, code);
}

int ledger_begin_to_add(struct ledger *ledger, const char *sql, const char *count_of, sqlite3_stmt **statement,
                        struct record_error *error)
{
	int64_t rows = 0;
	int code;

	if (!ledger->write)
		return ledger_refuse(error, -EROFS, "the record was opened to be read", "");
	code = database_ask(ledger->database, count_of, &rows);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", ledger->database, code);
	if (rows >= LEDGER_ROWS_MAX)
		return ledger_refuse(error, -EDQUOT, "the record has as many of these as it keeps",
		                     "move it away ('holdfast record backup' copies it) and begin a new one");
	return ledger_begin(ledger, sql, statement, error);
}

int ledger_transaction_begin(struct ledger *ledger, struct record_error *error)
{
	int code;

	if (!ledger->write)
		return ledger_refuse(error, -EROFS, "the record was opened to be read", "");
	code = database_run(ledger->database, "BEGIN IMMEDIATE");
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be written", ledger->database, code);
}

int ledger_transaction_end(struct ledger *ledger, int result, struct record_error *error)
{
	int code;

	if (result != 0) {
		(void)database_run(ledger->database, "ROLLBACK");
		return result;
	}
	code = database_run(ledger->database, "COMMIT");
	if (code == SQLITE_OK)
		return 0;
	result = database_fail(error, "the record cannot be written", ledger->database, code);
	if (!sqlite3_get_autocommit(ledger->database))
		(void)database_run(ledger->database, "ROLLBACK");
	return result;
}

int ledger_add(struct ledger *ledger, sqlite3_stmt *statement, char kind, char *id, struct record_error *error)
{
	int code = sqlite3_step(statement);
	int result =
		code == SQLITE_DONE ? 0 : database_fail(error, "the record cannot be written", ledger->database, code);

	(void)sqlite3_finalize(statement);
	if (result == 0 && id)
		ledger_write_id(id, kind, sqlite3_last_insert_rowid(ledger->database));
	return result;
}

int ledger_add_once(struct ledger *ledger, sqlite3_stmt *statement, const char *already, struct record_error *error)
{
	int code = sqlite3_step(statement);

	(void)sqlite3_finalize(statement);
	if ((code & PRIMARY_CODE) == SQLITE_CONSTRAINT)
		return ledger_refuse(error, -EALREADY, already, "");
	return code == SQLITE_DONE ? 0 : database_fail(error, "the record cannot be written", ledger->database, code);
}

int ledger_ask(const struct ledger *ledger, sqlite3_stmt *statement, int64_t *number, struct record_error *error)
{
	int code = sqlite3_step(statement), result = 0;

	if (code == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	else
		result = database_fail(error, "the record cannot be read", ledger->database, code);
	(void)sqlite3_finalize(statement);
	return result;
}

const char *ledger_event_wrong(const struct ledger_event *event)
{
	if (!event->text[strspn(event->text, " \t\r\n")])
		return "say what happened";
	if (event->began_ns == 0)
		return "say since when";
	return event->ended_ns && event->ended_ns < event->began_ns ? "it cannot end before it began" : "";
}

int ledger_event_add(struct ledger *ledger, const struct ledger_event *event, char id[LEDGER_ID_SIZE],
                     struct record_error *error)
{
	const struct ledger_text all[] = { { "event", event->text },
		                           { "URL", event->url },
		                           { "name of who adds", event->added_by } };
	sqlite3_stmt *statement = NULL;
	const char *wrong = ledger_event_wrong(event);
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0 && *wrong)
		result = ledger_refuse(error, -EINVAL, wrong, "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[EVENT_ADD], "SELECT count(*) FROM event", &statement, error);
	if (result != 0)
		return result;
	database_put_text(statement, 1, ledger_event_kind_name(event->kind));
	database_put_number(statement, 2, event->began_ns);
	database_put_number(statement, 3, event->ended_ns);
	database_put_text(statement, 4, event->text);
	database_put_text(statement, 5, event->url);
	database_put_number(statement, 6, event->added_ns);
	database_put_text(statement, 7, event->added_by);
	return ledger_add(ledger, statement, 'e', id, error);
}

/* ---- listing ---- */

/* What a row is given to; one of them is set. */
struct listing {
	int (*event)(void *context, const struct ledger_event *event);
	int (*action)(void *context, uint64_t id, const struct record_action *action);
	void *context;
};

int ledger_each_row(const struct ledger *ledger, sqlite3_stmt *statement,
                    int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error)
{
	int result = database_each_row(ledger->database, statement, row, context, error);

	(void)sqlite3_finalize(statement);
	return result;
}

int ledger_list(const struct ledger *ledger, int64_t schema, const char *sql, int64_t bound,
                int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result;

	if (ledger->schema < schema)
		return 0;
	result = ledger_begin(ledger, sql, &statement, error);
	if (result != 0)
		return result;
	if (sqlite3_bind_parameter_count(statement) > 0)
		database_put_number(statement, 1, bound);
	return ledger_each_row(ledger, statement, row, context, error);
}

static int action_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct record_action action = database_action(statement);

	return listing->action(listing->context, (uint64_t)sqlite3_column_int64(statement, 0), &action);
}

int ledger_action_each(struct ledger *ledger, int64_t from_ns, int64_t to_ns,
                       int (*each)(void *context, uint64_t id, const struct record_action *action), void *context,
                       struct record_error *error)
{
	struct listing listing = { .action = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, texts[ACTIONS], &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, from_ns);
	database_put_number(statement, 2, to_ns);
	return ledger_each_row(ledger, statement, action_row, &listing, error);
}

static int event_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct ledger_event event = {
		.began_ns = sqlite3_column_int64(statement, 2),
		.ended_ns = sqlite3_column_int64(statement, 3),
		.text = database_text(statement, 4),
		.url = database_text(statement, 5),
		.added_ns = sqlite3_column_int64(statement, 6),
		.added_by = database_text(statement, 7),
	};

	if (!ledger_event_kind_find(database_text(statement, 1), &event.kind))
		return 0;
	ledger_write_id(event.id, 'e', sqlite3_column_int64(statement, 0));
	return listing->event(listing->context, &event);
}

int ledger_event_each(struct ledger *ledger, int (*each)(void *context, const struct ledger_event *event),
                      void *context, struct record_error *error)
{
	struct listing listing = { .event = each, .context = context };

	return ledger_list(ledger, LEDGER_SCHEMA, texts[EVENTS], 0, event_row, &listing, error);
}
