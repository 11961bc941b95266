/* SPDX-License-Identifier: Apache-2.0 */
/* Public claims, the verdicts on them, and who approved of telling them (ledger.h). */
#include <errno.h>
#include <string.h>

#include "record/ledger_inside.h"

#define SCHEMA_APPROVALS 3 /* the first that has them */

/* clang-format off */
enum text { CLAIM_ADD, VERDICT_ADD, APPROVAL_ADD, CLAIMS, CLAIM, VERDICTS, VERDICTS_2, LATEST, TEXTS };

static const char *const texts[TEXTS] = {
	[CLAIM_ADD] = "INSERT INTO claim(incident, by, url, text, predicate, at_ns, added_ns, added_by)"
	              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[VERDICT_ADD] = "INSERT INTO verdict(claim, at_ns, trace_sha256, seed, verdict, json)"
	                " SELECT id, ?2, ?3, ?4, ?5, ?6 FROM claim WHERE id = ?1",
	[APPROVAL_ADD] = "INSERT INTO approval(verdict, at_ns, by) VALUES(?1, ?2, ?3)",
	[CLAIMS] = "SELECT id, incident, by, url, text, predicate, at_ns, added_ns, added_by FROM claim"
	           " WHERE " LEDGER_ONE_OR_ALL("incident") " ORDER BY id",
	[CLAIM] = "SELECT id, incident, by, url, text, predicate, at_ns, added_ns, added_by FROM claim WHERE id = ?1",
	[VERDICTS] = "SELECT claim, verdict.at_ns, trace_sha256, seed, verdict.verdict, json, approval.at_ns, by"
	             " FROM verdict LEFT JOIN approval ON approval.verdict = verdict.id"
	             " WHERE " LEDGER_ONE_OR_ALL("claim") " ORDER BY id",
	[VERDICTS_2] = "SELECT claim, at_ns, trace_sha256, seed, verdict, json, 0, '' FROM verdict"
	               " WHERE " LEDGER_ONE_OR_ALL("claim") " ORDER BY id",
	[LATEST] = "SELECT max(verdict.id), added_by FROM claim LEFT JOIN verdict ON verdict.claim = claim.id"
	           " WHERE claim.id = ?1 GROUP BY claim.id",
};
/* clang-format on */

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

int ledger_verdict_add(struct ledger *ledger, const struct ledger_verdict *verdict, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_text("verdict", verdict->verdict, error);

	if (result == 0)
		result = ledger_check_json("result", verdict->json, error);
	if (result == 0 && !ledger_is_digest(verdict->trace_sha256))
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

/* ---- listing ---- */

struct listing {
	int (*claim)(void *context, const struct ledger_claim *claim);
	int (*verdict)(void *context, const struct ledger_verdict *verdict);
	void *context;
	bool found;
};

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

	return ledger_list(ledger, LEDGER_SCHEMA, texts[CLAIMS], (int64_t)incident, claim_row, &listing, error);
}

int ledger_claim_find(struct ledger *ledger, const char *id,
                      int (*each)(void *context, const struct ledger_claim *claim), void *context,
                      struct record_error *error)
{
	struct listing listing = { .claim = each, .context = context };
	int result =
		ledger_list(ledger, LEDGER_SCHEMA, texts[CLAIM], ledger_number(id, 'c'), claim_row, &listing, error);

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
	return ledger_list(ledger, LEDGER_SCHEMA, texts[ledger->schema < SCHEMA_APPROVALS ? VERDICTS_2 : VERDICTS],
	                   claim && number == 0 ? -1 : number, verdict_row, &listing, error);
}
