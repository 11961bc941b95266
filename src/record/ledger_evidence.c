/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles of evidence that were made and erased, and roll-ups of incidents (ledger.h). */
#include <errno.h>
#include <string.h>

#include "base/digest.h"
#include "record/ledger_inside.h"

/* clang-format off */
enum text { EVIDENCE_ADD, ERASURE_ADD, ROLLUP_ADD, ROLLUP_TRIM, EVIDENCE, ROLLUPS, ROLLUP, TEXTS };

static const char *const texts[TEXTS] = {
	[EVIDENCE_ADD] = "INSERT INTO evidence(incident, made_ns, until_ns, path, head, sha256, key, tlp)"
	                 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ERASURE_ADD] = "INSERT INTO erasure(evidence, at_ns, why) SELECT id, ?2, ?3 FROM evidence WHERE id = ?1",
	[ROLLUP_ADD] = "INSERT INTO rollup(incident, made_ns, sha256, trace) SELECT ?1, ?2, ?3, ?4"
	               " WHERE ?3 IS NOT (SELECT sha256 FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1)",
	[ROLLUP_TRIM] = "DELETE FROM rollup WHERE incident = ?1"
	                " AND id > (SELECT min(id) FROM rollup WHERE incident = ?1)"
	                " AND id <= (SELECT id FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
	                " AND sha256 NOT IN (SELECT trace_sha256 FROM verdict)",
	[EVIDENCE] = "SELECT id, incident, made_ns, until_ns, path, head, sha256, key, tlp, at_ns, why"
	             " FROM evidence LEFT JOIN erasure ON erasure.evidence = id"
	             " WHERE " LEDGER_ONE_OR_ALL("incident") " ORDER BY id",
	[ROLLUPS] = "SELECT incident, made_ns, sha256, trace FROM rollup WHERE " LEDGER_ONE_OR_ALL("incident") " ORDER BY id",
	[ROLLUP] = "SELECT incident, made_ns, sha256, trace FROM rollup WHERE incident = ?1 ORDER BY id DESC LIMIT 1",
};
/* clang-format on */

int ledger_evidence_add(struct ledger *ledger, const struct ledger_evidence *evidence, char id[LEDGER_ID_SIZE],
                        struct record_error *error)
{
	const struct ledger_text all[] = { { "path", evidence->path },
		                           { "key's ID", evidence->key },
		                           { "TLP label", evidence->tlp } };
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0 && !(ledger_is_digest(evidence->head) && ledger_is_digest(evidence->sha256)))
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

struct listing {
	int (*evidence)(void *context, const struct ledger_evidence *evidence);
	int (*rollup)(void *context, const struct ledger_rollup *rollup);
	void *context;
	bool found;
};

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

	return ledger_list(ledger, LEDGER_SCHEMA, texts[EVIDENCE], (int64_t)incident, evidence_row, &listing, error);
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

	return ledger_list(ledger, LEDGER_SCHEMA, texts[ROLLUPS], (int64_t)incident, rollup_row, &listing, error);
}

int ledger_rollup_find(struct ledger *ledger, uint64_t incident,
                       int (*each)(void *context, const struct ledger_rollup *rollup), void *context,
                       struct record_error *error)
{
	struct listing listing = { .rollup = each, .context = context };
	int result = ledger_list(ledger, LEDGER_SCHEMA, texts[ROLLUP], (int64_t)incident, rollup_row, &listing, error);

	return result != 0 || listing.found ? result
	                                    : ledger_refuse(error, -ENOENT, "no trace of that incident is recorded",
	                                                    "'holdfast incident' shows it");
}
