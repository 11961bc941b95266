/* SPDX-License-Identifier: Apache-2.0 */
/* Statements in the ledger: who may do what when, what is refused, and that nothing of it can be changed afterwards. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "record/statement_facts.h"
#include "record/statements.h"
#include "scratch_ledger.h"

static struct statements_row added(enum statement_kind kind, uint64_t thread, uint64_t supersedes)
{
	struct statements_row row = { .thread = thread,
		                      .incident = 7,
		                      .kind = kind,
		                      .lang = "en",
		                      .supersedes = supersedes,
		                      .json = "{}",
		                      .made_ns = 1,
		                      .made_by = "ann" };

	if (statements_add(ledger, &row, &error) != 0)
		fail_msg("%s", error.message);
	return row;
}

static int act(const struct statements_row *row, enum statements_act what, uint32_t uid, int64_t at_ns)
{
	struct statements_act_row done = { .number = row->number,
		                           .revision = row->revision,
		                           .act = what,
		                           .at_ns = at_ns,
		                           .uid = uid,
		                           .by = "ann",
		                           .title = "T",
		                           .text = "words" };

	memcpy(done.of_sha256, row->sha256, sizeof(done.of_sha256));
	return statements_act_add(ledger, &done, &error);
}

static int note(void *context, const struct statements_published *one)
{
	struct statements_published *last = context;

	assert_string_equal(one->title, "T");
	assert_string_equal(one->text, "words");
	last->superseded_by = one->supersedes ? last->superseded_by : one->superseded_by;
	last->number++;
	return 0;
}

static int note_thread(void *context, const struct statements_thread *thread)
{
	*(struct statements_thread *)context = *thread;
	return 0;
}

static void life(void **state)
{
	struct statements_row first = added(STATEMENT_FIRST_NOTICE, 0, 0), stale = first, next;
	struct statements_published seen = { .number = 0 };
	struct statements_thread thread = { .thread = 0 };

	(void)state;
	assert_string_equal(first.id, "s1");
	assert_int_equal(first.thread, 1);
	assert_int_equal(act(&first, STATEMENTS_PUBLISHED, 1, 10), -EPERM);
	assert_int_equal(act(&first, STATEMENTS_WITHDRAWN, 1, 10), -EPERM);
	assert_int_equal(act(&first, STATEMENTS_APPROVED, 1, 10), 0);
	assert_int_equal(act(&first, STATEMENTS_APPROVED, 1, 10), -EALREADY);
	assert_int_equal(act(&first, STATEMENTS_APPROVED, 2, 10), 0);
	/* An edit takes the approval away; who edits what somebody else has edited is refused. */
	first.json = "{\"a\":1}";
	assert_int_equal(statements_add(ledger, &first, &error), 0);
	assert_int_equal(first.revision, 2);
	stale.json = "{\"b\":1}";
	assert_int_equal(statements_add(ledger, &stale, &error), -ESTALE);
	assert_int_equal(act(&first, STATEMENTS_PUBLISHED, 1, 10), -EPERM);
	assert_int_equal(act(&stale, STATEMENTS_APPROVED, 3, 10), -ESTALE);
	next = first;
	next.sha256[0] = next.sha256[0] == '0' ? '1' : '0';
	assert_int_equal(act(&next, STATEMENTS_APPROVED, 1, 10), -ESTALE);
	next = first;
	next.number = 99;
	assert_int_equal(act(&next, STATEMENTS_APPROVED, 1, 10), -ENOENT);
	assert_int_equal(statements_add(ledger, &next, &error), -ENOENT);
	assert_int_equal(act(&first, STATEMENTS_APPROVED, 1, 10), 0);
	assert_int_equal(act(&first, STATEMENTS_PUBLISHED, 1, 20), 0);
	assert_int_equal(act(&first, STATEMENTS_PUBLISHED, 1, 20), -EALREADY);
	assert_int_equal(act(&first, STATEMENTS_APPROVED, 9, 20), -EPERM);
	assert_int_equal(statements_thread_each(ledger, note_thread, &thread, &error), 0);
	assert_true(thread.open && thread.due_ns == 20 + STATEMENT_UPDATE_NS && thread.incident == 7);
	/* What is corrected is marked, and a resolution closes. */
	next = added(STATEMENT_CORRECTION, first.thread, first.number);
	assert_int_equal(act(&next, STATEMENTS_APPROVED, 1, 30), 0);
	assert_int_equal(act(&next, STATEMENTS_PUBLISHED, 1, 30), 0);
	assert_int_equal(statements_published_each(ledger, note, &seen, &error), 0);
	assert_int_equal(seen.number, 2);
	assert_int_equal(seen.superseded_by, next.number);
	assert_int_equal(statements_thread_each(ledger, note_thread, &thread, &error), 0);
	assert_true(thread.open && thread.last_ns == 30 && thread.last == STATEMENT_FIRST_NOTICE);
	next = added(STATEMENT_RESOLUTION, first.thread, 0);
	assert_int_equal(act(&next, STATEMENTS_APPROVED, 1, 40), 0);
	assert_int_equal(act(&next, STATEMENTS_PUBLISHED, 1, 40), 0);
	assert_int_equal(statements_thread_each(ledger, note_thread, &thread, &error), 0);
	assert_true(!thread.open && thread.due_ns == 0);
	assert_int_equal(act(&next, STATEMENTS_WITHDRAWN, 1, 50), 0);
	assert_int_equal(statements_thread_each(ledger, note_thread, &thread, &error), 0);
	assert_true(thread.open);
}

/* Who is no user of the host is somebody by the name: the same name is the same person, whichever way they came. */
static void nobody_twice(void **state)
{
	struct statements_row row = added(STATEMENT_UPDATE, 0, 0);
	struct statements_act_row by_token = { .number = row.number,
		                               .revision = row.revision,
		                               .act = STATEMENTS_APPROVED,
		                               .at_ns = 50,
		                               .uid = STATEMENTS_NO_UID,
		                               .by = "bob",
		                               .title = "",
		                               .text = "" };

	(void)state;
	memcpy(by_token.of_sha256, row.sha256, sizeof(row.sha256));
	assert_int_equal(statements_act_add(ledger, &by_token, &error), 0);
	assert_int_equal(statements_act_add(ledger, &by_token, &error), -EALREADY);
	by_token.uid = 5;
	assert_int_equal(statements_act_add(ledger, &by_token, &error), -EALREADY);
	by_token.uid = STATEMENTS_NO_UID;
	by_token.by = "eve";
	assert_int_equal(statements_act_add(ledger, &by_token, &error), 0);
}

static void nothing_changes(void **state)
{
	static const char *const attempts[] = {
		"UPDATE statement SET json = '{}'",
		"DELETE FROM statement_act",
		"UPDATE statement_act SET text = 'other'",
		"DELETE FROM awareness",
		"DELETE FROM exemption",
		"UPDATE exemption SET why = 'other'",
		"DELETE FROM statement_source",
		"UPDATE statement_source SET json = '[]'",
	};
	struct statements_awareness aware = { .incident = 7, .aware_ns = 5, .set_ns = 6, .set_by = "ann" };
	struct statements_exemption exempt = {
		.incident = 8, .kind = STATEMENT_GDPR_33, .exempt = true, .set_ns = 6, .set_by = "ann", .why = "no data"
	};
	char sum[LEDGER_DIGEST_SIZE], *json = NULL;
	sqlite3 *database;

	(void)state;
	assert_int_equal(statements_awareness_add(ledger, &aware, &error), 0);
	aware.aware_ns = 7; /* what nobody can know of yet */
	assert_int_equal(statements_awareness_add(ledger, &aware, &error), -EINVAL);
	assert_int_equal(statements_source_add(ledger, "{\"a\":1}", 1, sum, &error), 0);
	assert_int_equal(statements_source_add(ledger, "{\"a\":1}", 2, sum, &error), 0);
	assert_int_equal(statements_source_add(ledger, "{", 2, sum, &error), -EINVAL);
	assert_int_equal(statements_source_find(ledger, sum, &json, &error), 0);
	assert_string_equal(json, "{\"a\":1}");
	free(json);
	assert_int_equal(statements_source_find(ledger, "00", &json, &error), -ENOENT);
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), 0);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (sqlite3_exec(database, attempts[i], NULL, NULL, NULL) == SQLITE_OK)
			fail_msg("%s", attempts[i]);
	/* Who drops the triggers first is found out. */
	assert_int_equal(sqlite3_exec(database,
	                              "DROP TRIGGER statement_source_update; UPDATE statement_source SET json = '[]'",
	                              NULL, NULL, NULL),
	                 SQLITE_OK);
	(void)sqlite3_close(database);
	assert_int_equal(statements_source_find(ledger, sum, &json, &error), -EBADMSG);
}

struct listed {
	uint64_t numbers[64], revisions[64];
	unsigned count;
};

static int list_row(void *context, const struct statements_row *row)
{
	struct listed *listed = context;

	assert_true(listed->count < 64);
	listed->numbers[listed->count] = row->number;
	listed->revisions[listed->count++] = row->revision;
	return 0;
}

/* The latest revision of each, from either end; all revisions of one. */
static void lists(void **state)
{
	struct statements_row row = added(STATEMENT_UPDATE, 0, 0);
	struct listed all = { .count = 0 }, newest = all, of_one = all, of_none = all;

	(void)state;
	row.json = "{\"a\":2}";
	assert_int_equal(statements_add(ledger, &row, &error), 0);
	assert_int_equal(statements_latest_each(ledger, list_row, &all, &error), 0);
	assert_true(all.count > 2);
	assert_int_equal(all.numbers[all.count - 1], row.number);
	for (unsigned most = 0; most <= all.count + 1; most++) {
		newest.count = 0;
		assert_int_equal(statements_newest_each(ledger, most, list_row, &newest, &error), 0);
		assert_int_equal(newest.count, most < all.count ? most : all.count);
		for (unsigned i = 0; i < newest.count; i++) {
			assert_int_equal(newest.numbers[i], all.numbers[all.count - 1 - i]);
			assert_int_equal(newest.revisions[i], all.revisions[all.count - 1 - i]);
		}
	}
	assert_int_equal(statements_each(ledger, row.number, list_row, &of_one, &error), 0);
	assert_int_equal(of_one.count, 2);
	assert_true(of_one.numbers[0] == row.number && of_one.revisions[0] == 1 && of_one.revisions[1] == 2);
	assert_int_equal(statements_each(ledger, row.number + 1, list_row, &of_none, &error), 0);
	assert_int_equal(of_none.count, 0);
}

struct laws {
	struct statement_facts_law of[STATEMENT_KINDS];
	char why[STATEMENT_KINDS][32];
	unsigned count;
};

static int note_law(void *context, const struct statement_facts_law *law)
{
	struct laws *laws = context;

	if (law->incident != 0xaa00000000000001)
		return 0;
	laws->of[law->kind] = *law;
	(void)snprintf(laws->why[law->kind], sizeof(laws->why[0]), "%s by %s", law->why, law->exempt_by);
	laws->count++;
	return 0;
}

static struct laws laws_now(void)
{
	struct laws laws = { .count = 0 };

	assert_int_equal(statement_facts_law_each(ledger, note_law, &laws, &error), 0);
	return laws;
}

/* What is not needed is open no more, unless it is needed after all; of that the latest word counts. */
static void exemptions(void **state)
{
	struct statements_awareness aware = {
		.incident = 0xaa00000000000001, .aware_ns = 5, .set_ns = 6, .set_by = "ann"
	};
	struct statements_exemption exempt = { .incident = aware.incident,
		                               .kind = STATEMENT_NIS2_24H,
		                               .exempt = true,
		                               .set_ns = 70,
		                               .set_by = "ann",
		                               .why = "too small" };
	struct laws laws;
	uint64_t incident = 0;

	(void)state;
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), 0); /* before it is known, too */
	assert_int_equal(laws_now().count, 0);
	assert_int_equal(statement_facts_known_find(ledger, "aa", &incident, &error), -ENOENT);
	assert_int_equal(statements_awareness_add(ledger, &aware, &error), 0);
	assert_int_equal(statement_facts_known_find(ledger, "aa", &incident, &error), 0);
	assert_true(incident == aware.incident);
	assert_int_equal(statement_facts_known_find(ledger, "", &incident, &error), -ENOENT);
	laws = laws_now();
	assert_int_equal(laws.count, 4);
	assert_false(statement_facts_law_is_open(&laws.of[STATEMENT_NIS2_24H]));
	assert_int_equal(laws.of[STATEMENT_NIS2_24H].exempt_ns, 70);
	assert_string_equal(laws.why[STATEMENT_NIS2_24H], "too small by ann");
	assert_true(statement_facts_law_is_open(&laws.of[STATEMENT_NIS2_72H]));
	assert_string_equal(laws.why[STATEMENT_NIS2_72H], " by ");
	exempt.exempt = false;
	exempt.why = "";
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), 0);
	laws = laws_now();
	assert_true(statement_facts_law_is_open(&laws.of[STATEMENT_NIS2_24H]));
	exempt.exempt = true;
	exempt.why = " \n";
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), -EINVAL);
	assert_string_equal(error.message, "say why it is not needed");
	exempt.why = "not ours";
	exempt.kind = STATEMENT_UPDATE;
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), -EINVAL);
	exempt.kind = STATEMENT_NIS2_24H;
	exempt.incident = 0;
	assert_int_equal(statements_exemption_add(ledger, &exempt, &error), -EINVAL);
	/* Another whose ID begins alike: which is meant is not clear. */
	aware.incident++;
	assert_int_equal(statements_awareness_add(ledger, &aware, &error), 0);
	assert_int_equal(statement_facts_known_find(ledger, "aa", &incident, &error), -ENOENT);
	assert_int_equal(statement_facts_known_find(ledger, "aa00000000000002", &incident, &error), 0);
	assert_true(incident == aware.incident);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(life), cmocka_unit_test(nobody_twice),
		                            cmocka_unit_test(lists), cmocka_unit_test(exemptions),
		                            cmocka_unit_test(nothing_changes) };

	return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
