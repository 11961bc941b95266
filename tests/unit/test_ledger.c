/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what is added is listed and stays, whoever tries to change it; a database of schema 1 is brought up to
 * date while its daemon writes; a writer that is killed loses nothing that it said was added; a full disk, a copy, a
 * check.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "record/ledger.h"

#define KILLS 60

static char folder[] = "/tmp/holdfast-ledger-XXXXXX", path[64], other[64];
static struct record_error error;

static struct ledger *open_to(bool write)
{
	struct ledger *ledger;

	if (ledger_open(path, write, &ledger, &error) != 0)
		fail_msg("%s", error.message);
	return ledger;
}

/* What SQLite makes of it; `number` is what the first row's first column has. */
static int execute_on(const char *file, const char *sql, int64_t *number)
{
	sqlite3 *database;
	sqlite3_stmt *statement = NULL;
	int code;

	assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
	if (number) {
		assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
		code = sqlite3_step(statement);
		*number = sqlite3_column_int64(statement, 0);
		(void)sqlite3_finalize(statement);
	} else {
		code = sqlite3_exec(database, sql, NULL, NULL, NULL);
	}
	(void)sqlite3_close(database);
	return code;
}

static int execute(const char *sql)
{
	return execute_on(path, sql, NULL);
}

static int64_t number(const char *sql)
{
	int64_t found = -1;

	assert_int_equal(execute_on(path, sql, &found), SQLITE_ROW);
	return found;
}

static const struct ledger_claim claim = {
	.incident = 0xfedcba9876543210,
	.by = "the group",
	.url = "https://example.net/post/1",
	.text = "we did it, with 9 Tbps",
	.predicate = "size >= 9Tbps",
	.at_ns = 5,
	.added_ns = 6,
	.added_by = "ann",
};
static const struct ledger_event event = {
	.kind = LEDGER_PROVIDER,
	.began_ns = 7,
	.ended_ns = 0,
	.text = "transit is down",
	.url = "",
	.added_ns = 8,
	.added_by = "bob",
};
#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
static const struct ledger_evidence evidence = {
	.incident = 3,
	.made_ns = 9,
	.until_ns = 10,
	.path = "/tmp/b.tar",
	.head = DIGEST,
	.sha256 = DIGEST,
	.key = "",
	.tlp = "amber",
};

static struct ledger_rollup rollup(const char *trace)
{
	return (struct ledger_rollup){ .incident = 3, .made_ns = 11, .trace = trace };
}

static struct ledger_verdict verdict(const char *of)
{
	struct ledger_verdict made = {
		.at_ns = 12, .seed = UINT64_MAX, .verdict = "contradicted", .json = "{\"a\":1}"
	};

	(void)snprintf(made.claim, sizeof(made.claim), "%s", of);
	(void)snprintf(made.trace_sha256, sizeof(made.trace_sha256), "%s", DIGEST);
	return made;
}

#define ADDED(call)                                    \
	do {                                           \
		if ((call) != 0)                       \
			fail_msg("%s", error.message); \
	} while (0)

/* What is listed, as text. */
static char seen[8192];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t length = strlen(seen);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(seen + length, sizeof(seen) - length, format, arguments);
	va_end(arguments);
}

static int note_claim(void *context, const struct ledger_claim *c)
{
	(void)context;
	note("%s %llx %s|%s|%s|%s %lld %lld %s\n", c->id, (unsigned long long)c->incident, c->by, c->url, c->text,
	     c->predicate, (long long)c->at_ns, (long long)c->added_ns, c->added_by);
	return 0;
}

static int note_verdict(void *context, const struct ledger_verdict *v)
{
	(void)context;
	note("%s %lld %.8s %llu %s %s", v->claim, (long long)v->at_ns, v->trace_sha256, (unsigned long long)v->seed,
	     v->verdict, v->json);
	if (v->approved_ns)
		note(" by %s at %lld", v->approved_by, (long long)v->approved_ns);
	note("\n");
	return 0;
}

static int note_event(void *context, const struct ledger_event *e)
{
	(void)context;
	note("%s %s %lld %lld %s|%s %lld %s\n", e->id, ledger_event_kind_name(e->kind), (long long)e->began_ns,
	     (long long)e->ended_ns, e->text, e->url, (long long)e->added_ns, e->added_by);
	return 0;
}

static int note_evidence(void *context, const struct ledger_evidence *e)
{
	(void)context;
	note("%s %llu %lld %lld %s %.4s %.4s '%s' %s %lld '%s'\n", e->id, (unsigned long long)e->incident,
	     (long long)e->made_ns, (long long)e->until_ns, e->path, e->head, e->sha256, e->key, e->tlp,
	     (long long)e->erased_ns, e->erased_why);
	return 0;
}

static int note_rollup(void *context, const struct ledger_rollup *r)
{
	(void)context;
	note("%llu %lld %.8s %s\n", (unsigned long long)r->incident, (long long)r->made_ns, r->sha256, r->trace);
	return 0;
}

static void tell_nothing(void *context, const char *mistake)
{
	(void)context;
	(void)mistake;
}

static int stop(void *context, const struct ledger_claim *c)
{
	(void)c;
	++*(unsigned *)context;
	return 77;
}

#define LISTED(call, wanted)                       \
	do {                                       \
		seen[0] = '\0';                    \
		assert_int_equal((call), 0);       \
		assert_string_equal(seen, wanted); \
	} while (0)

static void what_is_added_is_listed(void **state)
{
	struct ledger *ledger = open_to(true);
	struct ledger_claim second = claim;
	struct ledger_verdict judged = verdict("c1");
	struct ledger_rollup first = rollup("{\"x\":1}");
	char id[LEDGER_ID_SIZE], digest[LEDGER_DIGEST_SIZE];
	unsigned calls = 0;

	(void)state;
	second.incident = 3;
	second.url = "";
	ADDED(ledger_claim_add(ledger, &claim, id, &error));
	assert_string_equal(id, "c1");
	ADDED(ledger_claim_add(ledger, &second, NULL, &error));
	ADDED(ledger_verdict_add(ledger, &judged, &error));
	ADDED(ledger_event_add(ledger, &event, id, &error));
	assert_string_equal(id, "e1");
	ADDED(ledger_evidence_add(ledger, &evidence, id, &error));
	assert_string_equal(id, "b1");
	ADDED(ledger_rollup_add(ledger, &first, digest, &error));
	assert_string_equal(digest, "5041bf1f713df204784353e82f6a4a535931cb64f1f4b4a5aeaffcb720918b22");
	ledger_close(ledger);

	ledger = open_to(false);
	LISTED(ledger_claim_each(ledger, 0, note_claim, NULL, &error),
	       "c1 fedcba9876543210 the group|https://example.net/post/1|we did it, with 9 Tbps|size >= 9Tbps 5 6 ann\n"
	       "c2 3 the group||we did it, with 9 Tbps|size >= 9Tbps 5 6 ann\n");
	LISTED(ledger_claim_each(ledger, claim.incident, note_claim, NULL, &error),
	       "c1 fedcba9876543210 the group|https://example.net/post/1|we did it, with 9 Tbps|size >= 9Tbps 5 6 ann\n");
	LISTED(ledger_claim_find(ledger, "c2", note_claim, NULL, &error),
	       "c2 3 the group||we did it, with 9 Tbps|size >= 9Tbps 5 6 ann\n");
	assert_int_equal(ledger_claim_each(ledger, 0, stop, &calls, &error), 77);
	assert_int_equal(calls, 1);
	LISTED(ledger_verdict_each(ledger, "c1", note_verdict, NULL, &error),
	       "c1 12 00112233 18446744073709551615 contradicted {\"a\":1}\n");
	LISTED(ledger_verdict_each(ledger, "c2", note_verdict, NULL, &error), "");
	LISTED(ledger_verdict_each(ledger, "x", note_verdict, NULL, &error), "");
	LISTED(ledger_verdict_each(ledger, NULL, note_verdict, NULL, &error),
	       "c1 12 00112233 18446744073709551615 contradicted {\"a\":1}\n");
	LISTED(ledger_event_each(ledger, note_event, NULL, &error), "e1 provider 7 0 transit is down| 8 bob\n");
	LISTED(ledger_evidence_each(ledger, 3, note_evidence, NULL, &error),
	       "b1 3 9 10 /tmp/b.tar 0011 0011 '' amber 0 ''\n");
	LISTED(ledger_rollup_each(ledger, 3, note_rollup, NULL, &error), "3 11 5041bf1f {\"x\":1}\n");
	LISTED(ledger_rollup_find(ledger, 3, note_rollup, NULL, &error), "3 11 5041bf1f {\"x\":1}\n");
	ledger_close(ledger);
}

static void what_is_refused(void **state)
{
	static char long_text[LEDGER_TEXT_MAX + 2];
	static const char *const no_claims[] = {
		"c2", "c0", "c01", "c-1", "e1", "", "c", "c1x", "c99999999999999999999"
	};
	struct ledger *ledger = open_to(true);
	struct ledger_claim bad = claim;
	struct ledger_verdict judged = verdict("c2");
	struct ledger_evidence bundle = evidence;
	struct ledger_rollup broken = rollup("{");
	enum ledger_event_kind kind;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	bad.text = long_text;
	assert_int_equal(ledger_claim_add(ledger, &bad, NULL, &error), -EINVAL);
	assert_string_equal(error.message, "the claim is longer than 4096 octets");
	bad.text = "\xff\xfe";
	assert_int_equal(ledger_claim_add(ledger, &bad, NULL, &error), -EINVAL);
	assert_string_equal(error.message, "the claim is no UTF-8");
	assert_int_equal(ledger_verdict_add(ledger, &judged, &error), -ENOENT);
	judged.json = "{} x";
	assert_int_equal(ledger_verdict_add(ledger, &judged, &error), -EINVAL);
	judged.json = "{}";
	judged.trace_sha256[3] = 'X';
	assert_int_equal(ledger_verdict_add(ledger, &judged, &error), -EINVAL);
	bundle.head = "12";
	assert_int_equal(ledger_evidence_add(ledger, &bundle, NULL, &error), -EINVAL);
	bundle = evidence;
	bundle.path = long_text;
	assert_int_equal(ledger_evidence_add(ledger, &bundle, NULL, &error), -EINVAL);
	assert_int_equal(ledger_rollup_add(ledger, &broken, NULL, &error), -EINVAL);
	assert_int_equal(ledger_rollup_find(ledger, 3, note_rollup, NULL, &error), -ENOENT);
	assert_int_equal(ledger_evidence_erased(ledger, "b1", 1, "policy", &error), -ENOENT);
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	for (size_t i = 0; i < sizeof(no_claims) / sizeof(no_claims[0]); i++)
		assert_int_equal(ledger_claim_find(ledger, no_claims[i], note_claim, NULL, &error), -ENOENT);
	ledger_close(ledger);

	ledger = open_to(false);
	assert_int_equal(ledger_claim_add(ledger, &claim, NULL, &error), -EROFS);
	ledger_close(ledger);
	assert_false(ledger_event_kind_find("weather", &kind));
	assert_true(ledger_event_kind_find("maintenance", &kind));
	assert_int_equal(kind, LEDGER_MAINTENANCE);
}

static void an_erasure_is_a_row_of_its_own(void **state)
{
	struct ledger *ledger = open_to(true);

	(void)state;
	ADDED(ledger_evidence_add(ledger, &evidence, NULL, &error));
	ADDED(ledger_evidence_erased(ledger, "b1", 20, "30 days are over", &error));
	assert_int_equal(ledger_evidence_erased(ledger, "b1", 21, "again", &error), -EALREADY);
	LISTED(ledger_evidence_each(ledger, 0, note_evidence, NULL, &error),
	       "b1 3 9 10 /tmp/b.tar 0011 0011 '' amber 20 '30 days are over'\n");
	ledger_close(ledger);
}

/* It takes another person, and holds for the verdict that they have seen. */
static void a_second_person_approves(void **state)
{
	struct ledger *ledger = open_to(true);
	struct ledger_verdict judged = verdict("c1");

	(void)state;
	assert_int_equal(ledger_approval_add(ledger, "c1", 20, "bob", &error), -ENOENT);
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	assert_int_equal(ledger_approval_add(ledger, "c1", 20, "bob", &error), -ENODATA);
	ADDED(ledger_verdict_add(ledger, &judged, &error));
	assert_int_equal(ledger_approval_add(ledger, "c1", 20, "ann", &error), -EPERM);
	assert_int_equal(ledger_approval_add(ledger, "c1", 20, "\xff", &error), -EINVAL);
	assert_int_equal(ledger_approval_add(ledger, "e1", 20, "bob", &error), -ENOENT);
	ADDED(ledger_approval_add(ledger, "c1", 20, "bob", &error));
	assert_int_equal(ledger_approval_add(ledger, "c1", 21, "eve", &error), -EALREADY);
	ADDED(ledger_verdict_add(ledger, &judged, &error));
	LISTED(ledger_verdict_each(ledger, "c1", note_verdict, NULL, &error),
	       "c1 12 00112233 18446744073709551615 contradicted {\"a\":1} by bob at 20\n"
	       "c1 12 00112233 18446744073709551615 contradicted {\"a\":1}\n");
	ADDED(ledger_approval_add(ledger, "c1", 22, "eve", &error));
	ledger_close(ledger);
	ledger = open_to(false);
	assert_int_equal(ledger_approval_add(ledger, "c1", 20, "bob", &error), -EROFS);
	ledger_close(ledger);
}

#define AFTER_SCHEMA_2                                                                                       \
	"DROP TABLE approval; DROP TABLE report_count; DROP TABLE signal; DROP TABLE report_import;"         \
	"DROP TABLE outage; DROP TABLE component_state; DROP TABLE works_cancelled; DROP TABLE works;"       \
	"DROP TABLE component; DROP TABLE statement_act; DROP TABLE statement_source; DROP TABLE statement;" \
	"DROP TABLE awareness; DROP TABLE delivery; DROP TABLE subscriber; DROP TABLE console_audit;"        \
	"DROP TABLE exemption;"

/* Of schema 2 all that it has is read; what has no table there is not there. */
static void who_reads_schema_2_misses_nothing(void **state)
{
	struct ledger *ledger = open_to(true);
	struct ledger_verdict judged = verdict("c1");
	unsigned mistakes = 9;

	(void)state;
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	ADDED(ledger_verdict_add(ledger, &judged, &error));
	ledger_close(ledger);
	assert_int_equal(execute(AFTER_SCHEMA_2 "PRAGMA user_version = 2"), SQLITE_OK);
	ledger = open_to(false);
	LISTED(ledger_verdict_each(ledger, "c1", note_verdict, NULL, &error),
	       "c1 12 00112233 18446744073709551615 contradicted {\"a\":1}\n");
	assert_int_equal(ledger_check(ledger, tell_nothing, NULL, &mistakes, &error), 0);
	assert_int_equal(mistakes, 0);
	ledger_close(ledger);
	ledger = open_to(true);
	ADDED(ledger_approval_add(ledger, "c1", 20, "bob", &error));
	ledger_close(ledger);
}

/* Statement by statement, with SQLite's own shell as it were. */
static void nothing_changes_it(void **state)
{
	static const char *const tables[] = {
		"claim", "verdict", "approval", "event", "evidence", "erasure", "rollup"
	};
	static const char *const keys[] = { "id", "id", "verdict", "id", "id", "evidence", "id" };
	struct ledger *ledger = open_to(true);
	struct ledger_verdict judged = verdict("c1");
	struct ledger_rollup first = rollup("{}");

	(void)state;
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	ADDED(ledger_verdict_add(ledger, &judged, &error));
	ADDED(ledger_approval_add(ledger, "c1", 20, "bob", &error));
	ADDED(ledger_event_add(ledger, &event, NULL, &error));
	ADDED(ledger_evidence_add(ledger, &evidence, NULL, &error));
	ADDED(ledger_evidence_erased(ledger, "b1", 20, "why", &error));
	ADDED(ledger_rollup_add(ledger, &first, NULL, &error));
	ledger_close(ledger);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		char sql[160];

		(void)snprintf(sql, sizeof(sql), "DELETE FROM %s", tables[i]);
		assert_int_equal(execute(sql), SQLITE_CONSTRAINT);
		(void)snprintf(sql, sizeof(sql), "UPDATE %s SET %s = 9", tables[i], keys[i]);
		assert_int_equal(execute(sql), SQLITE_CONSTRAINT);
		(void)snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s SELECT * FROM %s", tables[i], tables[i]);
		assert_int_equal(execute(sql), SQLITE_CONSTRAINT);
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", tables[i]);
		assert_int_equal(number(sql), 1);
	}
}

static void rollups_are_bounded(void **state)
{
	struct ledger *ledger = open_to(true);
	struct ledger_verdict judged = verdict("c1");
	char text[32];

	(void)state;
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	for (int i = 0; i < 3 * LEDGER_ROLLUPS_MAX; i++) {
		struct ledger_rollup next = rollup(text);

		(void)snprintf(text, sizeof(text), "{\"n\":%d}", i);
		ADDED(ledger_rollup_add(ledger, &next, judged.trace_sha256, &error));
		ADDED(ledger_rollup_add(ledger, &next, NULL, &error)); /* says the same */
		if (i == 5)
			ADDED(ledger_verdict_add(ledger, &judged, &error));
	}
	ledger_close(ledger);
	assert_int_equal(number("SELECT count(*) FROM rollup"), LEDGER_ROLLUPS_MAX + 2);
	assert_int_equal(number("SELECT count(*) FROM rollup WHERE trace IN ('{\"n\":0}', '{\"n\":5}')"), 2);
	assert_int_equal(execute("DELETE FROM rollup WHERE trace = '{\"n\":47}'"), SQLITE_CONSTRAINT);
}

/* ---- a database of schema 1 ---- */

static const char schema_1[] =
	"PRAGMA journal_mode = WAL; PRAGMA application_id = 1212572019; PRAGMA user_version = 1;"
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
	"CREATE TABLE fact(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"INSERT INTO fact VALUES('boot', 'x');";
static const char old_action[] =
	"INSERT INTO action(time_ns, uid, user, client, command, object, arguments, outcome, message)"
	" VALUES(1, 0, 'ann', '', 'block', '192.0.2.1/32', '{}', 'done', '')";

/* As the daemon of before writes: its own connection, its statement prepared, until it is told to end. */
static int old_daemon(int ready, int end)
{
	sqlite3 *database;
	sqlite3_stmt *statement;
	int written = 0;
	char octet = 'x';

	if (sqlite3_open(path, &database) != SQLITE_OK || sqlite3_busy_timeout(database, 2000) != SQLITE_OK ||
	    sqlite3_prepare_v2(database, old_action, -1, &statement, NULL) != SQLITE_OK)
		return 255;
	while (read(end, &octet, 1) < 0 && errno == EAGAIN && written < 250) {
		if (sqlite3_step(statement) != SQLITE_DONE)
			return 254;
		(void)sqlite3_reset(statement);
		if (++written == 10 && write(ready, "x", 1) != 1)
			return 253;
		(void)usleep(1000);
	}
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(database);
	return written;
}

static void a_live_database_is_brought_up_to_date(void **state)
{
	int ready[2], end[2], status;
	struct ledger *ledger;
	struct record *record;
	char put_aside[RECORD_PATH_SIZE], octet;
	pid_t child;

	(void)state;
	assert_int_equal(execute(schema_1), SQLITE_OK);
	ledger = open_to(false); /* who reads changes nothing, and finds nothing */
	LISTED(ledger_claim_each(ledger, 0, note_claim, NULL, &error), "");
	assert_int_equal(ledger_claim_find(ledger, "c1", note_claim, NULL, &error), -ENOENT);
	ledger_close(ledger);
	assert_int_equal(number("PRAGMA user_version"), 1);

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(end, O_CLOEXEC | O_NONBLOCK), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(old_daemon(ready[1], end[0]));
	assert_int_equal(read(ready[0], &octet, 1), 1);
	ledger = open_to(true);
	ADDED(ledger_claim_add(ledger, &claim, NULL, &error));
	(void)usleep(20000); /* it writes on */
	assert_int_equal(write(end[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 250);
	assert_int_equal(number("SELECT count(*) FROM action"), WEXITSTATUS(status));
	assert_int_equal(number("PRAGMA user_version"), RECORD_SCHEMA);
	assert_int_equal(number("SELECT count(*) FROM claim"), 1);
	ledger_close(ledger);

	assert_int_equal(record_open(&(struct record_options){ .path = path }, &record, put_aside, &error), 0);
	assert_string_equal(put_aside, "");
	record_close(record);
	for (int i = 0; i < 2; i++) {
		(void)close(ready[i]);
		(void)close(end[i]);
	}
}

/* Several who come at once: one migrates, the others find it done. */
static void many_migrate_at_once(void **state)
{
	pid_t children[6];

	(void)state;
	assert_int_equal(execute(schema_1), SQLITE_OK);
	for (size_t i = 0; i < 6; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			struct ledger *ledger;

			_exit(ledger_open(path, true, &ledger, &error) == 0 &&
			                      ledger_claim_add(ledger, &claim, NULL, &error) == 0
			              ? 0
			              : 1);
		}
	}
	for (size_t i = 0; i < 6; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(number("SELECT count(*) FROM claim"), 6);
}

static void other_databases(void **state)
{
	struct ledger *ledger;

	(void)state;
	assert_int_equal(ledger_open(path, false, &ledger, &error), -ENOENT);
	assert_int_equal(ledger_open("/nonexistent/record.db", true, &ledger, &error), -ENOENT);
	ledger_close(open_to(true));
	assert_int_equal(execute("PRAGMA user_version = 99"), SQLITE_OK);
	assert_int_equal(ledger_open(path, true, &ledger, &error), -ENOTSUP);
	assert_int_equal(ledger_open(path, false, &ledger, &error), -ENOTSUP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(execute("CREATE TABLE holiday(day)"), SQLITE_OK);
	assert_int_equal(ledger_open(path, true, &ledger, &error), -ENOTSUP);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(ledger_open(path, true, &ledger, &error), -EBADMSG);
}

/* ---- what is added stays ---- */

/* Adds until it is killed, and says of each what number it got. */
static int add_for_ever(int told)
{
	struct ledger *ledger;

	if (ledger_open(path, true, &ledger, &error) != 0)
		return 1;
	for (;;) {
		char id[LEDGER_ID_SIZE];
		int64_t added;

		if (ledger_claim_add(ledger, &claim, id, &error) != 0)
			return 2;
		added = strtoll(id + 1, NULL, 10);
		if (write(told, &added, sizeof(added)) != sizeof(added))
			return 3;
	}
}

static void who_is_killed_loses_nothing(void **state)
{
	int64_t last = 0, told;
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		int ends[2], status;
		pid_t child;

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(add_for_ever(ends[1]));
		(void)close(ends[1]);
		if (i % 3 != 0) { /* in the midst of the work; else whenever, the opening and migrating with it */
			assert_int_equal(read(ends[0], &told, sizeof(told)), (ssize_t)sizeof(told));
			last = told;
		}
		seed = seed * 1103515245 + 12345;
		(void)usleep((seed >> 16) % 6000);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(ends[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
			last = told;
		(void)close(ends[0]);
		if (last == 0)
			continue; /* it may be that nothing is there yet */
		/* All that was told is there, one more may be: it was added and could not be told. */
		assert_in_range(number("SELECT count(*) FROM claim"), last, last + 1);
		last = number("SELECT max(id) FROM claim");
	}
	assert_true(last > KILLS / 2);
	assert_int_equal(number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

/* A disk of 256 KiB, in name spaces of its own. 77: there may be none. */
static int fill_a_disk(void)
{
	struct ledger *ledger;
	struct ledger_claim large = claim;
	char text[LEDGER_TEXT_MAX];
	int result = 0, added = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	large.text = text;
	if ((unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", folder, "tmpfs", 0, "size=512k") != 0)
		return 77;
	if (ledger_open(path, true, &ledger, &error) != 0)
		return 1;
	for (; added < 1000 && result == 0; added++)
		result = ledger_claim_add(ledger, &large, NULL, &error);
	if (result != -ENOSPC || strcmp(error.message, "the record cannot be written: database or disk is full") != 0 ||
	    error.advice[0] == '\0')
		return 2;
	ledger_close(ledger);
	if (ledger_open(path, false, &ledger, &error) != 0 ||
	    ledger_claim_each(ledger, 0, note_claim, NULL, &error) != 0)
		return 3;
	ledger_close(ledger);
	return number("SELECT count(*) FROM claim") == added - 1 ? 0 : 4;
}

static void a_full_disk(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(fill_a_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- copies and checks ---- */

static void a_copy_while_others_write(void **state)
{
	struct ledger *ledger = open_to(true), *copy;
	int ends[2], status;
	int64_t told = 0, copied = 0;
	struct stat made;
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(add_for_ever(ends[1]));
	while (told < 20)
		assert_int_equal(read(ends[0], &told, sizeof(told)), (ssize_t)sizeof(told));
	ADDED(ledger_backup(ledger, other, &error));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(execute_on(other, "SELECT count(*) FROM claim", &copied), SQLITE_ROW);
	assert_true(copied >= 20 && copied <= number("SELECT count(*) FROM claim"));
	assert_int_equal(ledger_backup(ledger, other, &error), -EEXIST);
	assert_int_equal(ledger_backup(ledger, "/nonexistent/copy", &error), -ENOENT);
	assert_int_equal(stat(other, &made), 0);
	assert_int_equal(made.st_mode & 07777, 0640);
	ledger_close(ledger);
	ADDED(ledger_open(other, false, &copy, &error));
	seen[0] = '\0';
	assert_int_equal(ledger_claim_find(copy, "c20", note_claim, NULL, &error), 0);
	ledger_close(copy);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void note_mistake(void *context, const char *mistake)
{
	(void)context;
	note("%s\n", mistake);
}

static unsigned check(void)
{
	struct ledger *ledger = open_to(false);
	unsigned mistakes = 0;

	seen[0] = '\0';
	if (ledger_check(ledger, note_mistake, NULL, &mistakes, &error) != 0)
		fail_msg("%s", error.message);
	ledger_close(ledger);
	return mistakes;
}

static void a_check(void **state)
{
	struct ledger *ledger = open_to(true);
	struct ledger_rollup first = rollup("{}");
	int64_t page;
	FILE *file;

	(void)state;
	ADDED(ledger_rollup_add(ledger, &first, NULL, &error));
	for (int i = 0; i < 200; i++)
		ADDED(ledger_event_add(ledger, &event, NULL, &error));
	ledger_close(ledger);
	assert_int_equal(check(), 0);
	assert_int_equal(execute("DROP TRIGGER claim_delete"), SQLITE_OK);
	assert_int_equal(check(), 1);
	assert_string_equal(seen, "the trigger claim_delete is missing or another\n");
	assert_int_equal(execute("CREATE TRIGGER claim_delete BEFORE DELETE ON claim BEGIN SELECT 1; END"), SQLITE_OK);
	assert_int_equal(check(), 1);
	assert_int_equal(execute("DROP TRIGGER rollup_update; UPDATE rollup SET trace = '{ }'"), SQLITE_OK);
	assert_int_equal(execute("INSERT INTO verdict VALUES(1, 9, 1, 'x', 1, '', '')"), SQLITE_OK);
	assert_int_equal(check(), 4);
	assert_non_null(strstr(seen, "roll-up 1 has another SHA-256 than its text\n"));
	assert_non_null(strstr(seen, "row 1 of verdict names a row that is not there\n"));

	page = number("SELECT rootpage FROM sqlite_master WHERE name = 'event'");
	assert_int_equal(execute("PRAGMA wal_checkpoint(TRUNCATE)"), SQLITE_OK);
	file = fopen(path, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)(page - 1) * 4096, SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		assert_int_equal(fputc(0x55, file), 0x55);
	assert_int_equal(fclose(file), 0);
	assert_true(check() > 0);
	assert_non_null(strstr(seen, "Page "));
	{ /* the daemon puts it aside when it starts */
		char put_aside[RECORD_PATH_SIZE];
		struct record *record;

		assert_int_equal(record_open(&(struct record_options){ .path = path }, &record, put_aside, &error), 0);
		assert_non_null(strstr(put_aside, ".broken-1"));
		record_close(record);
	}
	assert_int_equal(check(), 0);
}

/* Every test has a folder that is empty. */
static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/record.db", folder);
	(void)snprintf(other, sizeof(other), "%s/copy.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "record.db", "record.db-wal",      "record.db-shm",
		                             "copy.db",   "record.db.broken-1", "record.db.broken-1-wal" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[128];

		(void)snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		(void)unlink(name);
	}
	return rmdir(folder);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_added_is_listed),
		IN_FOLDER(what_is_refused),
		IN_FOLDER(an_erasure_is_a_row_of_its_own),
		IN_FOLDER(nothing_changes_it),
		IN_FOLDER(rollups_are_bounded),
		IN_FOLDER(a_live_database_is_brought_up_to_date),
		IN_FOLDER(a_second_person_approves),
		IN_FOLDER(who_reads_schema_2_misses_nothing),
		IN_FOLDER(many_migrate_at_once),
		IN_FOLDER(other_databases),
		IN_FOLDER(who_is_killed_loses_nothing),
		IN_FOLDER(a_full_disk),
		IN_FOLDER(a_copy_while_others_write),
		IN_FOLDER(a_check),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
