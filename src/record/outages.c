/* SPDX-License-Identifier: Apache-2.0 */
/* Statements as in ledger.c. Counts of a cell are one row, to which more are added by an upsert. */
#include "record/outages.h"

#include <errno.h>
#include <stdlib.h>

#include "record/ledger_inside.h"

#define SCHEMA 4 /* the first that has these tables */
#define OUTAGES_FULL "remove old ones (outages_trim()), or move the record away and begin a new one"

/* clang-format off */
#define OUTAGE "number, component, began_ns, peak_ns, ended_ns, pronounced_from_ns, pronounced_to_ns, reports, excess," \
               " belief, published, json"

static const char report_added[] =
	"INSERT INTO report_count(bucket_ns, component, symptom, region, network, source, raw, accepted, shielded)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET raw = raw + excluded.raw,"
	" accepted = accepted + excluded.accepted, shielded = shielded + excluded.shielded";
static const char reports[] =
	"SELECT bucket_ns, component, symptom, region, network, source, raw, accepted, shielded FROM report_count"
	" WHERE bucket_ns >= ?1 AND bucket_ns < ?2 AND (?3 IS NULL OR component = ?3)"
	" ORDER BY bucket_ns, component, symptom, region, network, source";
static const char signal_added[] =
	"INSERT INTO signal(bucket_ns, component, kind, vantage, network, good, bad, value)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET good = good + excluded.good,"
	" bad = bad + excluded.bad, value = max(value, excluded.value)";
static const char signals[] =
	"SELECT bucket_ns, component, kind, vantage, network, good, bad, value FROM signal"
	" WHERE bucket_ns >= ?1 AND bucket_ns < ?2 AND (?3 IS NULL OR component = ?3)"
	" ORDER BY bucket_ns, component, kind, vantage";
static const char signal_found[] =
	"SELECT count(*) FROM signal WHERE bucket_ns = ?1 AND component = ?2 AND kind = ?3 AND vantage = ?4";
static const char import_found[] = "SELECT count(*) FROM report_import WHERE sha256 = ?1";
static const char import_added[] =
	"INSERT INTO report_import(sha256, name, rows, reports, mistakes, added_ns, added_by)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
static const char outage_added[] =
	"INSERT INTO outage(" OUTAGE ", made_ns)"
	" SELECT CASE ?1 WHEN 0 THEN (SELECT coalesce(max(number), 0) + 1 FROM outage) ELSE ?1 END,"
	" ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
	" WHERE ?12 IS NOT (SELECT json FROM outage WHERE number = ?1 ORDER BY id DESC LIMIT 1)";
static const char outage_last[] = "SELECT number FROM outage WHERE id = last_insert_rowid()"; /* of this connection */
static const char outages[] =
	"SELECT " OUTAGE ", made_ns FROM outage WHERE id IN (SELECT max(id) FROM outage GROUP BY number)"
	" AND (?1 IS NULL OR component = ?1) ORDER BY began_ns, number";
static const char newest[] =
	"SELECT " OUTAGE ", made_ns FROM outage WHERE id IN (SELECT max(id) FROM outage GROUP BY number)"
	" ORDER BY began_ns DESC, number DESC LIMIT ?1";
static const char history[] = "SELECT " OUTAGE ", made_ns FROM outage WHERE number = ?1 ORDER BY id";
/* clang-format on */

/* ---- counts ---- */

static int check_bucket(int64_t bucket_ns, const char *component, struct record_error *error)
{
	if (bucket_ns < 0 || bucket_ns % COUNT_BUCKET_NS != 0)
		return ledger_refuse(error, -EINVAL, "a count's time begins no bucket of five minutes", "");
	if (!component_id_ok(component))
		return ledger_refuse(error, -EINVAL, "a count's component has a name that is none",
		                     "1 to 32 of a-z, 0-9 and -");
	return 0;
}

static int put_report(struct ledger *ledger, sqlite3_stmt *statement, const struct report_count *count,
                      struct record_error *error)
{
	int result = check_bucket(count->bucket_ns, count->component, error), code;

	if (result == 0 &&
	    (!region_ok(count->region) || count->symptom >= SYMPTOMS || count->source >= REPORT_SOURCES ||
	     (uint64_t)count->accepted + count->shielded > count->raw))
		result = ledger_refuse(error, -EINVAL, "a count is none", "");
	if (result != 0)
		return result;
	database_put_number(statement, 1, count->bucket_ns);
	database_put_text(statement, 2, count->component);
	database_put_text(statement, 3, symptom_name(count->symptom));
	database_put_text(statement, 4, count->region);
	database_put_number(statement, 5, count->network);
	database_put_text(statement, 6, report_source_name(count->source));
	database_put_number(statement, 7, count->raw);
	database_put_number(statement, 8, count->accepted);
	database_put_number(statement, 9, count->shielded);
	code = database_step(statement);
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be written", ledger->database, code);
}

static int put_signal(struct ledger *ledger, sqlite3_stmt *statement, const struct signal_count *count,
                      struct record_error *error)
{
	int result = check_bucket(count->bucket_ns, count->component, error), code;

	if (result == 0 &&
	    (count->kind >= SIGNAL_KINDS || (count->vantage[0] != '\0' && !component_id_ok(count->vantage))))
		result = ledger_refuse(error, -EINVAL, "a signal is none", "");
	if (result != 0)
		return result;
	database_put_number(statement, 1, count->bucket_ns);
	database_put_text(statement, 2, count->component);
	database_put_text(statement, 3, signal_kind_name(count->kind));
	database_put_text(statement, 4, count->vantage);
	database_put_number(statement, 5, count->network);
	database_put_number(statement, 6, count->good);
	database_put_number(statement, 7, count->bad);
	database_put_number(statement, 8, count->value);
	code = database_step(statement);
	return code == SQLITE_OK ? 0 : database_fail(error, "the record cannot be written", ledger->database, code);
}

/* Whether the table has room for more. */
static int check_room(struct ledger *ledger, const char *count_of, struct record_error *error)
{
	int64_t rows = 0;
	int code;

	if (!ledger->write)
		return ledger_refuse(error, -EROFS, "the record was opened to be read", "");
	code = database_ask(ledger->database, count_of, &rows);
	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", ledger->database, code);
	return rows < OUTAGES_COUNTS_MAX
	               ? 0
	               : ledger_refuse(error, -EDQUOT, "the record has as many counts as it keeps", OUTAGES_FULL);
}

int outages_report_add(struct ledger *ledger, const struct report_count *counts, uint32_t count,
                       struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = check_room(ledger, "SELECT count(*) FROM report_count", error);

	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = ledger_begin(ledger, report_added, &statement, error);
	for (uint32_t i = 0; i < count && result == 0; i++)
		result = put_report(ledger, statement, &counts[i], error);
	(void)sqlite3_finalize(statement);
	return ledger_transaction_end(ledger, result, error);
}

int outages_signal_add(struct ledger *ledger, const struct signal_count *counts, uint32_t count,
                       struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = check_room(ledger, "SELECT count(*) FROM signal", error);

	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = ledger_begin(ledger, signal_added, &statement, error);
	for (uint32_t i = 0; i < count && result == 0; i++)
		result = put_signal(ledger, statement, &counts[i], error);
	(void)sqlite3_finalize(statement);
	return ledger_transaction_end(ledger, result, error);
}

/* ---- files ---- */

struct outages_loading {
	struct ledger *ledger;
	sqlite3_stmt *statement, *signals;
	uint64_t rows;
};

/* -EALREADY: a file of that SHA-256 has been put in. */
static int check_new(struct ledger *ledger, const char *sha256, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t found = 0;
	int result = ledger_begin(ledger, import_found, &statement, error);

	if (result != 0)
		return result;
	database_put_text(statement, 1, sha256);
	result = ledger_ask(ledger, statement, &found, error);
	return result != 0 || found == 0 ? result
	                                 : ledger_refuse(error, -EALREADY, "this file has been put in before",
	                                                 "its reports would count twice");
}

static int begin_loading(struct ledger *ledger, const char *sha256, struct outages_loading **loading,
                         struct record_error *error)
{
	struct outages_loading *begun;
	int result = check_new(ledger, sha256, error);

	if (result != 0)
		return result;
	begun = calloc(1, sizeof(*begun));
	if (!begun)
		return ledger_refuse(error, -ENOMEM, "there is no memory", "");
	begun->ledger = ledger;
	result = ledger_begin(ledger, report_added, &begun->statement, error);
	if (result == 0)
		result = ledger_begin(ledger, signal_added, &begun->signals, error);
	if (result == 0) {
		*loading = begun;
		return 0;
	}
	(void)sqlite3_finalize(begun->statement);
	free(begun);
	return result;
}

int outages_import_begin(struct ledger *ledger, const char *sha256, struct outages_loading **loading,
                         struct record_error *error)
{
	int result = check_room(ledger, "SELECT count(*) FROM report_count", error);

	if (result == 0)
		result = check_room(ledger, "SELECT count(*) FROM signal", error);
	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = begin_loading(ledger, sha256, loading, error);
	return result == 0 ? 0 : ledger_transaction_end(ledger, result, error);
}

int outages_import_add(struct outages_loading *loading, const struct report_count *count, struct record_error *error)
{
	if (loading->rows++ == OUTAGES_COUNTS_MAX)
		return ledger_refuse(error, -EDQUOT, "there are more counts in it than a record keeps", "divide it");
	return put_report(loading->ledger, loading->statement, count, error);
}

int outages_import_add_signal(struct outages_loading *loading, const struct signal_count *count,
                              struct record_error *error)
{
	if (loading->rows++ == OUTAGES_COUNTS_MAX)
		return ledger_refuse(error, -EDQUOT, "there are more signals in it than a record keeps", "divide it");
	return put_signal(loading->ledger, loading->signals, count, error);
}

int outages_import_end(struct outages_loading *loading, const struct outages_import *import, struct record_error *error)
{
	struct ledger *ledger = loading->ledger;
	sqlite3_stmt *statement = NULL;
	int result = -ECANCELED;

	(void)sqlite3_finalize(loading->statement);
	(void)sqlite3_finalize(loading->signals);
	free(loading);
	if (import) {
		const struct ledger_text all[] = { { "name of the file", import->name },
			                           { "name of who adds", import->added_by } };

		result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);
		if (result == 0)
			result = ledger_begin_to_add(ledger, import_added, "SELECT count(*) FROM report_import",
			                             &statement, error);
	}
	if (result == 0) {
		database_put_text(statement, 1, import->sha256);
		database_put_text(statement, 2, import->name);
		database_put_number(statement, 3, (int64_t)import->rows);
		database_put_number(statement, 4, (int64_t)import->reports);
		database_put_number(statement, 5, (int64_t)import->mistakes);
		database_put_number(statement, 6, import->added_ns);
		database_put_text(statement, 7, import->added_by);
		result = ledger_add(ledger, statement, 0, NULL, error);
	}
	result = ledger_transaction_end(ledger, result, error);
	return import || result != -ECANCELED ? result : 0;
}

/* ---- listing ---- */

struct listing {
	int (*report)(void *context, const struct report_count *count);
	int (*signal)(void *context, const struct signal_count *count);
	int (*outage)(void *context, const struct outages_outage *outage);
	void *context;
	bool found;
};

static uint32_t small(sqlite3_stmt *statement, int column)
{
	int64_t number = sqlite3_column_int64(statement, column);

	return number < 0 ? 0 : number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static int report_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct report_count count = { .bucket_ns = sqlite3_column_int64(statement, 0),
		                      .network = small(statement, 4),
		                      .raw = small(statement, 6),
		                      .accepted = small(statement, 7),
		                      .shielded = small(statement, 8) };

	database_copy_text(statement, 1, count.component, sizeof(count.component));
	database_copy_text(statement, 3, count.region, sizeof(count.region));
	if (!symptom_find(database_text(statement, 2), &count.symptom) ||
	    !report_source_find(database_text(statement, 5), &count.source))
		return 0; /* of a later version */
	return listing->report(listing->context, &count);
}

static int signal_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct signal_count count = { .bucket_ns = sqlite3_column_int64(statement, 0),
		                      .network = small(statement, 4),
		                      .good = small(statement, 5),
		                      .bad = small(statement, 6),
		                      .value = small(statement, 7) };

	database_copy_text(statement, 1, count.component, sizeof(count.component));
	database_copy_text(statement, 3, count.vantage, sizeof(count.vantage));
	if (!signal_kind_find(database_text(statement, 2), &count.kind))
		return 0;
	return listing->signal(listing->context, &count);
}

static int outage_row(sqlite3_stmt *statement, void *context)
{
	struct listing *listing = context;
	struct outages_outage outage = {
		.number = (uint64_t)sqlite3_column_int64(statement, 0),
		.component = database_text(statement, 1),
		.began_ns = sqlite3_column_int64(statement, 2),
		.peak_ns = sqlite3_column_int64(statement, 3),
		.ended_ns = sqlite3_column_int64(statement, 4),
		.pronounced_from_ns = sqlite3_column_int64(statement, 5),
		.pronounced_to_ns = sqlite3_column_int64(statement, 6),
		.reports = (uint64_t)sqlite3_column_int64(statement, 7),
		.excess = (uint64_t)sqlite3_column_int64(statement, 8),
		.belief = small(statement, 9),
		.published = database_text(statement, 10),
		.json = database_text(statement, 11),
		.made_ns = sqlite3_column_int64(statement, 12),
	};

	listing->found = true;
	return listing->outage(listing->context, &outage);
}

/* Of a component, or of all, in a time. */
static int each_count(struct ledger *ledger, const char *sql, const char *component, int64_t from_ns, int64_t to_ns,
                      int (*row)(sqlite3_stmt *statement, void *context), struct listing *listing,
                      struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result;

	if (ledger->schema < SCHEMA)
		return 0;
	result = ledger_begin(ledger, sql, &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, from_ns);
	database_put_number(statement, 2, to_ns);
	if (component)
		database_put_text(statement, 3, component);
	return ledger_each_row(ledger, statement, row, listing, error);
}

int outages_report_each(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                        int (*each)(void *context, const struct report_count *count), void *context,
                        struct record_error *error)
{
	struct listing listing = { .report = each, .context = context };

	return each_count(ledger, reports, component, from_ns, to_ns, report_row, &listing, error);
}

int outages_signal_each(struct ledger *ledger, const char *component, int64_t from_ns, int64_t to_ns,
                        int (*each)(void *context, const struct signal_count *count), void *context,
                        struct record_error *error)
{
	struct listing listing = { .signal = each, .context = context };

	return each_count(ledger, signals, component, from_ns, to_ns, signal_row, &listing, error);
}

static int trim(struct ledger *ledger, const char *latest_of, const char *removed, int64_t before_ns,
                struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t latest = 0;
	int code = database_ask(ledger->database, latest_of, &latest), result;

	if (code != SQLITE_OK)
		return database_fail(error, "the record cannot be read", ledger->database, code);
	result = ledger_begin_to_add(ledger, removed, "SELECT 0", &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, before_ns < latest - OUTAGES_KEPT_NS ? before_ns : latest - OUTAGES_KEPT_NS);
	return ledger_add(ledger, statement, 0, NULL, error);
}

int outages_signal_is(struct ledger *ledger, const struct signal_count *of, const char *vantage, bool *is,
                      struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t rows = 0;
	int result = ledger_begin(ledger, signal_found, &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, of->bucket_ns);
	database_put_text(statement, 2, of->component);
	database_put_text(statement, 3, signal_kind_name(of->kind));
	database_put_text(statement, 4, vantage);
	result = ledger_ask(ledger, statement, &rows, error);
	if (result == 0)
		*is = rows > 0;
	return result;
}

int outages_trim(struct ledger *ledger, int64_t before_ns, struct record_error *error)
{
	int result = trim(ledger, "SELECT coalesce(max(bucket_ns), 0) FROM report_count",
	                  "DELETE FROM report_count WHERE bucket_ns < ?1", before_ns, error);

	return result != 0 ? result
	                   : trim(ledger, "SELECT coalesce(max(bucket_ns), 0) FROM signal",
	                          "DELETE FROM signal WHERE bucket_ns < ?1", before_ns, error);
}

/* ---- outages ---- */

int outages_put(struct ledger *ledger, const struct outages_outage *outage, uint64_t *number,
                struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t given = (int64_t)outage->number;
	int result = ledger_check_json("outage", outage->json, error), code;

	if (result == 0)
		result = ledger_check_text("word for it", outage->published, error);
	if (result == 0 && !component_id_ok(outage->component))
		result = ledger_refuse(error, -EINVAL, "an outage's component has a name that is none", "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, outage_added, "SELECT count(*) FROM outage", &statement, error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, given);
	database_put_text(statement, 2, outage->component);
	database_put_number(statement, 3, outage->began_ns);
	database_put_number(statement, 4, outage->peak_ns);
	database_put_number(statement, 5, outage->ended_ns);
	database_put_number(statement, 6, outage->pronounced_from_ns);
	database_put_number(statement, 7, outage->pronounced_to_ns);
	database_put_number(statement, 8, (int64_t)outage->reports);
	database_put_number(statement, 9, (int64_t)outage->excess);
	database_put_number(statement, 10, outage->belief);
	database_put_text(statement, 11, outage->published);
	database_put_text(statement, 12, outage->json);
	database_put_number(statement, 13, outage->made_ns);
	result = ledger_add(ledger, statement, 0, NULL, error);
	if (result == 0 && given == 0) {
		code = database_ask(ledger->database, outage_last, &given);
		if (code != SQLITE_OK)
			return database_fail(error, "the record cannot be read", ledger->database, code);
	}
	if (result == 0 && number)
		*number = (uint64_t)given;
	return result;
}

int outages_each(struct ledger *ledger, const char *component,
                 int (*each)(void *context, const struct outages_outage *outage), void *context,
                 struct record_error *error)
{
	struct listing listing = { .outage = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result;

	if (ledger->schema < SCHEMA)
		return 0;
	result = ledger_begin(ledger, outages, &statement, error);
	if (result != 0)
		return result;
	if (component)
		database_put_text(statement, 1, component);
	return ledger_each_row(ledger, statement, outage_row, &listing, error);
}

int outages_newest_each(struct ledger *ledger, unsigned most,
                        int (*each)(void *context, const struct outages_outage *outage), void *context,
                        struct record_error *error)
{
	struct listing listing = { .outage = each, .context = context };

	return ledger_list(ledger, SCHEMA, newest, most, outage_row, &listing, error);
}

int outages_history(struct ledger *ledger, uint64_t number,
                    int (*each)(void *context, const struct outages_outage *outage), void *context,
                    struct record_error *error)
{
	struct listing listing = { .outage = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result = ledger->schema < SCHEMA ? 0 : ledger_begin(ledger, history, &statement, error);

	if (result == 0 && statement) {
		database_put_number(statement, 1, (int64_t)number);
		result = ledger_each_row(ledger, statement, outage_row, &listing, error);
	}
	return result != 0 || listing.found ? result
	                                    : ledger_refuse(error, -ENOENT, "there is no such outage",
	                                                    "'holdfast outage list' lists those there are");
}

uint64_t outages_number(const char *id)
{
	return (uint64_t)ledger_number(id, 'o');
}

void outages_id(uint64_t number, char id[OUTAGES_ID_SIZE])
{
	ledger_write_id(id, 'o', (int64_t)number);
}
