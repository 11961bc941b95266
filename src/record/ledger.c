/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each addition is one transaction, mostly of one statement, with synchronous FULL: what the caller is told is added has
 * been synced. Rows are listed by one statement each, which a table of this file names.
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

#include "base/digest.h"
#include "record/database.h"
#include "record/ledger_inside.h"

#define SCHEMA 2 /* the first that has the tables of this file, and the first that has approvals */
#define SCHEMA_APPROVALS 3
#define PRIMARY_CODE 0xff /* of SQLite's extended ones */

/* clang-format off */
enum statement {
	CLAIM_ADD, VERDICT_ADD, APPROVAL_ADD, EVENT_ADD, EVIDENCE_ADD, ERASURE_ADD, ROLLUP_ADD, ROLLUP_TRIM,
	CLAIMS, CLAIM, VERDICTS, VERDICTS_2, LATEST, EVENTS, EVIDENCE, ROLLUPS, ROLLUP, ACTIONS, STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
	[CLAIM_ADD] = "INSERT INTO claim(incident, by, url, text, predicate, at_ns, added_ns, added_by)"
	              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[VERDICT_ADD] = "INSERT INTO verdict(claim, at_ns, trace_sha256, seed, verdict, json)"
	                " SELECT id, ?2, ?3, ?4, ?5, ?6 FROM claim WHERE id = ?1",
	[APPROVAL_ADD] = "INSERT INTO approval(verdict, at_ns, by) VALUES(?1, ?2, ?3)",
	[EVENT_ADD] = "INSERT INTO event(kind, began_ns, ended_ns, text, url, added_ns, added_by)"
	              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[EVIDENCE_ADD] = "INSERT INTO evidence(incident, made_ns, until_ns, path, head, sha256, key, tlp)"
	                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ERASURE_ADD] = "INSERT INTO erasure(evidence, at_ns, why) SELECT id, ?2, ?3 FROM evidence WHERE id = ?1",
	[ROLLUP_ADD] = "INSERT INTO rollup(incident, made_ns, sha256, trace) SELECT ?1, ?2, ?3, ?4"
	               " WHERE ?3 IS NOT (SELECT sha256 FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1)",
	[ROLLUP_TRIM] = "DELETE FROM rollup WHERE incident = ?1"
	                " AND id > (SELECT min(id) FROM rollup WHERE incident = ?1)"
	                " AND id <= (SELECT id FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
	                " AND sha256 NOT IN (SELECT trace_sha256 FROM verdict)",
	[CLAIMS] = "SELECT id, incident, by, url, text, predicate, at_ns, added_ns, added_by FROM claim"
	           " WHERE ?1 = 0 OR incident = ?1 ORDER BY id",
	[CLAIM] = "SELECT id, incident, by, url, text, predicate, at_ns, added_ns, added_by FROM claim WHERE id = ?1",
	[VERDICTS] = "SELECT claim, verdict.at_ns, trace_sha256, seed, verdict.verdict, json, approval.at_ns, by"
	             " FROM verdict LEFT JOIN approval ON approval.verdict = verdict.id"
	             " WHERE ?1 = 0 OR claim = ?1 ORDER BY id",
	[VERDICTS_2] = "SELECT claim, at_ns, trace_sha256, seed, verdict, json, 0, '' FROM verdict"
	               " WHERE ?1 = 0 OR claim = ?1 ORDER BY id",
	[LATEST] = "SELECT max(verdict.id), added_by FROM claim LEFT JOIN verdict ON verdict.claim = claim.id"
	           " WHERE claim.id = ?1 GROUP BY claim.id",
	[EVENTS] = "SELECT id, kind, began_ns, ended_ns, text, url, added_ns, added_by FROM event ORDER BY id",
	[EVIDENCE] = "SELECT id, incident, made_ns, until_ns, path, head, sha256, key, tlp, at_ns, why"
	             " FROM evidence LEFT JOIN erasure ON erasure.evidence = id"
	             " WHERE ?1 = 0 OR incident = ?1 ORDER BY id",
	[ACTIONS] = "SELECT id, time_ns, uid, user, client, command, object, arguments, outcome, message FROM action"
	            " WHERE time_ns BETWEEN ?1 AND ?2 ORDER BY id",
	[ROLLUPS] = "SELECT incident, made_ns, sha256, trace FROM rollup WHERE ?1 = 0 OR incident = ?1 ORDER BY id",
	[ROLLUP] = "SELECT incident, made_ns, sha256, trace FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1",
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
	char *slash;
	struct stat owner;
	int fd;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	else
		memcpy(folder, ".", 2);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0) {
		int result = -errno;

		return ledger_refuse(error, result, strerror(-result),
		                     "the folder of the record has to be there and yours");
	}
	/* Where it cannot be given away it is whoever made it that has it, and its folder too. */
	if (stat(folder, &owner) == 0 && geteuid() == 0)
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

int ledger_begin(struct ledger *ledger, const char *sql, sqlite3_stmt **statement, struct record_error *error)
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

int ledger_claim_add(struct ledger *ledger, const struct ledger_claim *claim, char id[LEDGER_ID_SIZE],
                     struct record_error *error)
{
	const struct ledger_text all[] = { { "speaker", claim->by },
		                           { "URL", claim->url },
		                           { "claim", claim->text },
		                           { "predicate", claim->predicate },
		                           { "name of who adds", claim->added_by } };
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[CLAIM_ADD], "SELECT count(*) FROM claim", &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)claim->incident);
	database_put_text(statement, 2, claim->by);
	database_put_text(statement, 3, claim->url);
	database_put_text(statement, 4, claim->text);
	database_put_text(statement, 5, claim->predicate);
	database_put_number(statement, 6, claim->at_ns);
	database_put_number(statement, 7, claim->added_ns);
	database_put_text(statement, 8, claim->added_by);
	return ledger_add(ledger, statement, 'c', id, error);
}

static bool is_digest(const char *text)
{
	return strlen(text) == LEDGER_DIGEST_SIZE - 1 && strspn(text, "0123456789abcdef") == LEDGER_DIGEST_SIZE - 1;
}

int ledger_verdict_add(struct ledger *ledger, const struct ledger_verdict *verdict, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_text("verdict", verdict->verdict, error);

	if (result == 0)
		result = ledger_check_json("result", verdict->json, error);
	if (result == 0 && !is_digest(verdict->trace_sha256))
		result = ledger_refuse(error, -EINVAL, "the trace's SHA-256 is none", "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[VERDICT_ADD], "SELECT count(*) FROM verdict", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, ledger_number(verdict->claim, 'c'));
	database_put_number(statement, 2, verdict->at_ns);
	database_put_text(statement, 3, verdict->trace_sha256);
	database_put_number(statement, 4, (int64_t)verdict->seed);
	database_put_text(statement, 5, verdict->verdict);
	database_put_text(statement, 6, verdict->json);
	result = ledger_add(ledger, statement, 0, NULL, error);
	if (result == 0 && sqlite3_changes(ledger->database) == 0)
		return ledger_refuse(error, -ENOENT, "there is no such claim",
		                     "'holdfast claim list' lists those there are");
	return result;
}

/* The number of a claim's latest verdict, where `by` may approve of it. */
static int find_latest(struct ledger *ledger, const char *claim, const char *by, int64_t *verdict,
                       struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, texts[LATEST], &statement, error), code;

	if (result != 0)
		return result;
	database_put_number(statement, 1, ledger_number(claim, 'c'));
	code = sqlite3_step(statement);
	if (code == SQLITE_DONE)
		result = ledger_refuse(error, -ENOENT, "there is no such claim",
		                       "'holdfast claim list' lists those there are");
	else if (code != SQLITE_ROW)
		result = database_fail(error, "the record cannot be read", ledger->database, code);
	else if (strcmp(database_text(statement, 1), by) == 0)
		result = ledger_refuse(error, -EPERM, "it takes a second person",
		                       "whoever put the claim on record cannot approve of telling it");
	else if (sqlite3_column_int64(statement, 0) == 0)
		result = ledger_refuse(error, -ENODATA, "the claim has not been tested", "'holdfast claim test' does");
	else
		*verdict = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return result;
}

int ledger_approval_add(struct ledger *ledger, const char *claim, int64_t at_ns, const char *by,
                        struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t verdict = 0;
	int result = ledger_check_text("name of who approves", by, error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[APPROVAL_ADD], "SELECT count(*) FROM approval", &statement,
		                             error);
	if (result != 0)
		return result;
	result = find_latest(ledger, claim, by, &verdict, error);
	if (result != 0) {
		(void)sqlite3_finalize(statement);
		return result;
	}
	database_put_number(statement, 1, verdict);
	database_put_number(statement, 2, at_ns);
	database_put_text(statement, 3, by);
	return ledger_add_once(ledger, statement, "it is approved already", error);
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

int ledger_evidence_add(struct ledger *ledger, const struct ledger_evidence *evidence, char id[LEDGER_ID_SIZE],
                        struct record_error *error)
{
	const struct ledger_text all[] = { { "path", evidence->path },
		                           { "key's ID", evidence->key },
		                           { "TLP label", evidence->tlp } };
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0 && !(is_digest(evidence->head) && is_digest(evidence->sha256)))
		result = ledger_refuse(error, -EINVAL, "a bundle's SHA-256 is none", "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[EVIDENCE_ADD], "SELECT count(*) FROM evidence", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)evidence->incident);
	database_put_number(statement, 2, evidence->made_ns);
	database_put_number(statement, 3, evidence->until_ns);
	database_put_text(statement, 4, evidence->path);
	database_put_text(statement, 5, evidence->head);
	database_put_text(statement, 6, evidence->sha256);
	database_put_text(statement, 7, evidence->key);
	database_put_text(statement, 8, evidence->tlp);
	return ledger_add(ledger, statement, 'b', id, error);
}

int ledger_evidence_erased(struct ledger *ledger, const char *id, int64_t at_ns, const char *why,
                           struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_text("reason", why, error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[ERASURE_ADD], "SELECT count(*) FROM erasure", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, ledger_number(id, 'b'));
	database_put_number(statement, 2, at_ns);
	database_put_text(statement, 3, why);
	result = ledger_add_once(ledger, statement, "the bundle is erased already", error);
	if (result == 0 && sqlite3_changes(ledger->database) == 0)
		return ledger_refuse(error, -ENOENT, "there is no such bundle",
		                     "'holdfast evidence' lists those there are");
	return result;
}

/* What is neither the first, nor of the latest, nor rests a verdict on it goes. */
static int trim_rollups(struct ledger *ledger, uint64_t incident, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, texts[ROLLUP_TRIM], &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)incident);
	database_put_number(statement, 2, LEDGER_ROLLUPS_MAX);
	return ledger_add(ledger, statement, 0, NULL, error);
}

static int add_rollup(struct ledger *ledger, const struct ledger_rollup *rollup, const char *sha256,
                      struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, texts[ROLLUP_ADD], &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)rollup->incident);
	database_put_number(statement, 2, rollup->made_ns);
	database_put_text(statement, 3, sha256);
	database_put_text(statement, 4, rollup->trace);
	result = ledger_add(ledger, statement, 0, NULL, error);
	return result == 0 ? trim_rollups(ledger, rollup->incident, error) : result;
}

int ledger_rollup_add(struct ledger *ledger, const struct ledger_rollup *rollup, char sha256[LEDGER_DIGEST_SIZE],
                      struct record_error *error)
{
	char digest[LEDGER_DIGEST_SIZE];
	int result = ledger_check_json("trace", rollup->trace, error);

	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	digest_sha256_text(rollup->trace, strlen(rollup->trace), digest);
	result = ledger_transaction_end(ledger, add_rollup(ledger, rollup, digest, error), error);
	if (result == 0 && sha256)
		memcpy(sha256, digest, sizeof(digest));
	return result;
}

/* ---- listing ---- */

/* What a row is given to; one of them is set. */
struct listing {
	int (*claim)(void *context, const struct ledger_claim *claim);
	int (*verdict)(void *context, const struct ledger_verdict *verdict);
	int (*event)(void *context, const struct ledger_event *event);
	int (*evidence)(void *context, const struct ledger_evidence *evidence);
	int (*rollup)(void *context, const struct ledger_rollup *rollup);
	int (*action)(void *context, uint64_t id, const struct record_action *action);
	void *context;
	bool found;
};

int ledger_each_row(const struct ledger *ledger, sqlite3_stmt *statement,
                    int (*row)(sqlite3_stmt *statement, void *context), void *context, struct record_error *error)
{
	int result = database_each_row(ledger->database, statement, row, context, error);

	(void)sqlite3_finalize(statement);
	return result;
}

static int each_row(struct ledger *ledger, enum statement which, int64_t bound,
                    int (*row)(sqlite3_stmt *statement, void *context), struct listing *listing,
                    struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	bool missing = ledger->schema < SCHEMA;
	int result = missing ? 0 : ledger_begin(ledger, texts[which], &statement, error);

	if (result != 0 || missing)
		return result;
	if (sqlite3_bind_parameter_count(statement) > 0)
		database_put_number(statement, 1, bound);
	return ledger_each_row(ledger, statement, row, listing, error);
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

static int claim_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct ledger_claim claim = {
		.incident = (uint64_t)sqlite3_column_int64(statement, 1),
		.by = database_text(statement, 2),
		.url = database_text(statement, 3),
		.text = database_text(statement, 4),
		.predicate = database_text(statement, 5),
		.at_ns = sqlite3_column_int64(statement, 6),
		.added_ns = sqlite3_column_int64(statement, 7),
		.added_by = database_text(statement, 8),
	};

	ledger_write_id(claim.id, 'c', sqlite3_column_int64(statement, 0));
	listing->found = true;
	return listing->claim(listing->context, &claim);
}

int ledger_claim_each(struct ledger *ledger, uint64_t incident,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error)
{
	struct listing listing = { .claim = each, .context = context };

	return each_row(ledger, CLAIMS, (int64_t)incident, claim_row, &listing, error);
}

int ledger_claim_find(struct ledger *ledger, const char *id,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error)
{
	struct listing listing = { .claim = each, .context = context };
	int result = each_row(ledger, CLAIM, ledger_number(id, 'c'), claim_row, &listing, error);

	return result != 0 || listing.found ? result
	                                    : ledger_refuse(error, -ENOENT, "there is no such claim",
	                                                    "'holdfast claim list' lists those there are");
}

static int verdict_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct ledger_verdict verdict = {
		.at_ns = sqlite3_column_int64(statement, 1),
		.seed = (uint64_t)sqlite3_column_int64(statement, 3),
		.verdict = database_text(statement, 4),
		.json = database_text(statement, 5),
		.approved_ns = sqlite3_column_int64(statement, 6),
		.approved_by = database_text(statement, 7),
	};

	ledger_write_id(verdict.claim, 'c', sqlite3_column_int64(statement, 0));
	database_copy_text(statement, 2, verdict.trace_sha256, sizeof(verdict.trace_sha256));
	return listing->verdict(listing->context, &verdict);
}

int ledger_verdict_each(struct ledger *ledger, const char *claim,
                        int (*each)(void *context, const struct ledger_verdict *verdict), void *context,
                        struct record_error *error)
{
	struct listing listing = { .verdict = each, .context = context };
	int64_t number = claim ? ledger_number(claim, 'c') : 0;

	/* -1 is of none: 0 would be of all. */
	return each_row(ledger, ledger->schema < SCHEMA_APPROVALS ? VERDICTS_2 : VERDICTS,
	                claim && number == 0 ? -1 : number, verdict_row, &listing, error);
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

	return each_row(ledger, EVENTS, 0, event_row, &listing, error);
}

static int evidence_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct ledger_evidence evidence = {
		.incident = (uint64_t)sqlite3_column_int64(statement, 1),
		.made_ns = sqlite3_column_int64(statement, 2),
		.until_ns = sqlite3_column_int64(statement, 3),
		.path = database_text(statement, 4),
		.head = database_text(statement, 5),
		.sha256 = database_text(statement, 6),
		.key = database_text(statement, 7),
		.tlp = database_text(statement, 8),
		.erased_ns = sqlite3_column_int64(statement, 9),
		.erased_why = database_text(statement, 10),
	};

	ledger_write_id(evidence.id, 'b', sqlite3_column_int64(statement, 0));
	return listing->evidence(listing->context, &evidence);
}

int ledger_evidence_each(struct ledger *ledger, uint64_t incident,
                         int (*each)(void *context, const struct ledger_evidence *evidence), void *context,
                         struct record_error *error)
{
	struct listing listing = { .evidence = each, .context = context };

	return each_row(ledger, EVIDENCE, (int64_t)incident, evidence_row, &listing, error);
}

static int rollup_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct ledger_rollup rollup = {
		.incident = (uint64_t)sqlite3_column_int64(statement, 0),
		.made_ns = sqlite3_column_int64(statement, 1),
		.trace = database_text(statement, 3),
	};

	database_copy_text(statement, 2, rollup.sha256, sizeof(rollup.sha256));
	listing->found = true;
	return listing->rollup(listing->context, &rollup);
}

int ledger_rollup_each(struct ledger *ledger, uint64_t incident,
                       int (*each)(void *context, const struct ledger_rollup *rollup), void *context,
                       struct record_error *error)
{
	struct listing listing = { .rollup = each, .context = context };

	return each_row(ledger, ROLLUPS, (int64_t)incident, rollup_row, &listing, error);
}

int ledger_rollup_find(struct ledger *ledger, uint64_t incident,
                       int (*each)(void *context, const struct ledger_rollup *rollup), void *context,
                       struct record_error *error)
{
	struct listing listing = { .rollup = each, .context = context };
	int result = each_row(ledger, ROLLUP, (int64_t)incident, rollup_row, &listing, error);

	return result != 0 || listing.found ? result
	                                    : ledger_refuse(error, -ENOENT, "no trace of that incident is recorded",
	                                                    "'holdfast incident' shows it");
}
