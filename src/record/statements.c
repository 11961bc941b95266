/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement's number is the highest that there was, and one more; its revisions count from 1. Both are found and used
 * within one transaction that keeps other writers out, so that of two who edit the same revision the second is refused.
 */
#include "record/statements.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sqlite3.h>

#include "base/digest.h"
#include "record/database.h"
#include "record/ledger_inside.h"

/* clang-format off */
#define SCHEMA 6 /* the first that has the tables of this file, and the first that has exemptions */
#define SCHEMA_EXEMPTIONS 9
#define COLUMNS "number, revision, thread, incident, outage, kind, lang, supersedes, json, sha256, made_ns, made_by"
#define LATEST "SELECT max(revision) FROM statement AS other WHERE other.number = statement.number"
#define ACT_COLUMNS "number, revision, act, at_ns, uid, by, of_sha256, title, text, sha256"

/* By the uid; of who has none on either side, by the name. */
#define SAME_PERSON "CASE WHEN a.uid = 4294967295 OR ?4 = 4294967295 THEN a.by = ?5 ELSE a.uid = ?4 END"

enum text {
	ADD, ACT_ADD, AWARENESS_ADD, EXEMPTION_ADD, SOURCE_ADD, ALL, ALL_OF, LATEST_ONES, NEWEST, ACTS, ACTS_OF, AWARENESS,
	EXEMPTIONS, SOURCE, ONE, PUBLISHED, TEXTS,
};

static const char *const texts[TEXTS] = {
	[ADD] = "INSERT INTO statement(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[ACT_ADD] = "INSERT INTO statement_act(" ACT_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[AWARENESS_ADD] = "INSERT INTO awareness(incident, aware_ns, set_ns, set_by) VALUES(?1, ?2, ?3, ?4)",
	[EXEMPTION_ADD] = "INSERT INTO exemption(incident, kind, exempt, set_ns, set_by, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SOURCE_ADD] = "INSERT INTO statement_source(sha256, made_ns, json) SELECT ?1, ?2, ?3"
	               " WHERE NOT EXISTS(SELECT 1 FROM statement_source WHERE sha256 = ?1)",
	[ALL] = "SELECT " COLUMNS " FROM statement ORDER BY id",
	[ALL_OF] = "SELECT " COLUMNS " FROM statement WHERE number = ?1 ORDER BY id",
	[LATEST_ONES] = "SELECT " COLUMNS " FROM statement WHERE revision = (" LATEST ") ORDER BY number",
	[NEWEST] = "SELECT " COLUMNS " FROM statement WHERE revision = (" LATEST ") ORDER BY number DESC LIMIT ?1",
	[ACTS] = "SELECT " ACT_COLUMNS " FROM statement_act ORDER BY id",
	[ACTS_OF] = "SELECT " ACT_COLUMNS " FROM statement_act WHERE number = ?1 ORDER BY id",
	[AWARENESS] = "SELECT incident, aware_ns, set_ns, set_by FROM awareness WHERE " LEDGER_ONE_OR_ALL("incident") " ORDER BY id",
	[EXEMPTIONS] = "SELECT incident, kind, exempt, set_ns, set_by, why FROM exemption WHERE " LEDGER_ONE_OR_ALL("incident")
	               " ORDER BY id",
	[SOURCE] = "SELECT json FROM statement_source WHERE sha256 = ?1",
	[ONE] = "SELECT sha256, thread, (" LATEST "),"
	        " (SELECT count(*) FROM statement_act AS a WHERE a.number = statement.number AND a.act = 'published'),"
	        " (SELECT count(*) FROM statement_act AS a WHERE a.number = statement.number"
	        "  AND a.revision = statement.revision AND a.act = 'approved'),"
	        " (SELECT count(*) FROM statement_act AS a WHERE a.number = statement.number AND a.act = ?3),"
	        " (SELECT count(*) FROM statement_act AS a WHERE a.number = statement.number"
	        "  AND a.revision = statement.revision AND a.act = ?3 AND " SAME_PERSON ")"
	        " FROM statement WHERE number = ?1 AND revision = ?2",
	[PUBLISHED] = "SELECT p.number, p.revision, s.thread, s.incident, s.outage, s.kind, s.lang, s.supersedes,"
	              " coalesce(k.number, 0),"
	              " p.at_ns, coalesce(w.at_ns, 0), p.title, p.text, coalesce(w.text, ''), s.json, p.sha256"
	              " FROM statement_act AS p"
	              " JOIN statement AS s ON s.number = p.number AND s.revision = p.revision"
	              " LEFT JOIN statement_act AS w ON w.number = p.number AND w.act = 'withdrawn'"
	              " LEFT JOIN (SELECT c.supersedes AS of, max(c.number) AS number FROM statement AS c"
	              "  JOIN statement_act AS cp ON cp.number = c.number AND cp.revision = c.revision"
	              "  AND cp.act = 'published' WHERE c.supersedes <> 0 GROUP BY c.supersedes) AS k ON k.of = p.number"
	              " WHERE p.act = 'published' ORDER BY p.at_ns, p.id",
};

static const char *const act_names[STATEMENTS_ACTS] = {
	[STATEMENTS_APPROVED] = "approved", [STATEMENTS_PUBLISHED] = "published",
	[STATEMENTS_WITHDRAWN] = "withdrawn", [STATEMENTS_SUBMITTED] = "submitted",
};
/* clang-format on */

const char *statements_act_name(enum statements_act act)
{
	return act_names[act];
}

uint64_t statements_number(const char *id)
{
	return (uint64_t)ledger_number(id, 's');
}

/* A longer text than the ledger's others: what is published. */
static int check_long(const char *text, struct record_error *error)
{
	json_t *string = strlen(text) > STATEMENTS_TEXT_MAX ? NULL : json_string(text);

	if (!string)
		return ledger_refuse(error, -EINVAL, "the text is too long, or no UTF-8",
		                     "shorten it, or type it anew");
	json_decref(string);
	return 0;
}

/* ---- adding ---- */

/* The number that a query with one argument answers. */
static int ask(struct ledger *ledger, const char *sql, uint64_t argument, uint64_t *number, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int64_t answer = 0;
	int result = ledger_begin(ledger, sql, &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)argument);
	result = ledger_ask(ledger, statement, &answer, error);
	if (result == 0)
		*number = (uint64_t)answer;
	return result;
}

/* Which number and revision it is to be. */
static int place(struct ledger *ledger, const struct statements_row *row, struct statements_row *placed,
                 struct record_error *error)
{
	uint64_t latest = 0;
	int result;

	if (row->number == 0) {
		result = ask(ledger, "SELECT coalesce(max(number), 0) FROM statement WHERE ?1 = 0", 0, &placed->number,
		             error);
		placed->number++;
		placed->revision = 1;
		if (placed->thread == 0)
			placed->thread = placed->number;
		return result;
	}
	result = ask(ledger, "SELECT coalesce(max(revision), 0) FROM statement WHERE number = ?1", row->number, &latest,
	             error);
	if (result != 0)
		return result;
	if (latest == 0)
		return ledger_refuse(error, -ENOENT, "there is no such statement",
		                     "'holdfast statement list' lists those there are");
	if (latest != row->revision)
		return ledger_refuse(error, -ESTALE, "somebody else has edited it since",
		                     "'holdfast statement show' shows what it is now");
	if (latest >= STATEMENTS_REVISIONS_MAX)
		return ledger_refuse(error, -EDQUOT, "it has as many revisions as are kept", "draft another statement");
	placed->revision = latest + 1;
	return 0;
}

static int insert(struct ledger *ledger, const struct statements_row *row, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin_to_add(ledger, texts[ADD], "SELECT count(*) FROM statement", &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)row->number);
	database_put_number(statement, 2, (int64_t)row->revision);
	database_put_number(statement, 3, (int64_t)row->thread);
	database_put_number(statement, 4, (int64_t)row->incident);
	database_put_number(statement, 5, (int64_t)row->outage);
	database_put_text(statement, 6, statement_kind_name(row->kind));
	database_put_text(statement, 7, row->lang);
	database_put_number(statement, 8, (int64_t)row->supersedes);
	database_put_text(statement, 9, row->json);
	database_put_text(statement, 10, row->sha256);
	database_put_number(statement, 11, row->made_ns);
	database_put_text(statement, 12, row->made_by);
	return ledger_add(ledger, statement, 0, NULL, error);
}

int statements_add(struct ledger *ledger, struct statements_row *row, struct record_error *error)
{
	const struct ledger_text all[] = { { "name of who writes", row->made_by }, { "language", row->lang } };
	struct statements_row placed = *row;
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0)
		result = ledger_check_json("statement", row->json, error);
	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	digest_sha256_text(row->json, strlen(row->json), placed.sha256);
	result = place(ledger, row, &placed, error);
	if (result == 0)
		result = insert(ledger, &placed, error);
	result = ledger_transaction_end(ledger, result, error);
	if (result != 0)
		return result;
	ledger_write_id(placed.id, 's', (int64_t)placed.number);
	*row = placed;
	return 0;
}

/* What there is of a revision when something is to be done with it. */
struct standing {
	char sha256[LEDGER_DIGEST_SIZE];
	uint64_t thread, latest, published, approved, same, by_same;
	bool found;
};

static int standing_row(sqlite3_stmt *statement, void *context)
{
	struct standing *standing = context;
	uint64_t *const numbers[] = { &standing->thread,   &standing->latest, &standing->published,
		                      &standing->approved, &standing->same,   &standing->by_same };

	database_copy_text(statement, 0, standing->sha256, sizeof(standing->sha256));
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*numbers[i] = (uint64_t)sqlite3_column_int64(statement, (int)i + 1);
	standing->found = true;
	return 0;
}

static int may_be_done(const struct standing *standing, const struct statements_act_row *act,
                       struct record_error *error)
{
	if (!standing->found)
		return ledger_refuse(error, -ENOENT, "there is no such statement",
		                     "'holdfast statement list' lists those there are");
	if ((act->act == STATEMENTS_APPROVED || act->act == STATEMENTS_PUBLISHED) && standing->latest != act->revision)
		return ledger_refuse(error, -ESTALE, "it has been edited since",
		                     "'holdfast statement show' shows what it is now");
	if (strcmp(standing->sha256, act->of_sha256) != 0)
		return ledger_refuse(error, -ESTALE, "it is not what was shown",
		                     "'holdfast statement show' shows what it is now");
	if (act->act == STATEMENTS_APPROVED ? standing->by_same > 0 : standing->same > 0)
		return ledger_refuse(error, -EALREADY, "that has been done already",
		                     "'holdfast statement show' says by whom");
	if (act->act == STATEMENTS_APPROVED && standing->published > 0)
		return ledger_refuse(error, -EPERM, "it is published",
		                     "draft a correction: 'holdfast statement draft --kind correction --corrects ID'");
	if ((act->act == STATEMENTS_PUBLISHED || act->act == STATEMENTS_SUBMITTED) && standing->approved == 0)
		return ledger_refuse(error, -EPERM, "nobody has approved it as it is now",
		                     "'holdfast statement show', then 'holdfast statement approve'");
	if (act->act == STATEMENTS_WITHDRAWN && standing->published == 0)
		return ledger_refuse(error, -EPERM, "it is not published",
		                     "leave it as it is: a draft is seen by nobody else");
	return 0;
}

static int look(struct ledger *ledger, const struct statements_act_row *act, struct record_error *error)
{
	struct standing standing = { .found = false };
	sqlite3_stmt *statement = NULL;
	int result = ledger_begin(ledger, texts[ONE], &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)act->number);
	database_put_number(statement, 2, (int64_t)act->revision);
	database_put_text(statement, 3, statements_act_name(act->act));
	database_put_number(statement, 4, act->uid);
	database_put_text(statement, 5, act->by);
	result = ledger_each_row(ledger, statement, standing_row, &standing, error);
	return result == 0 ? may_be_done(&standing, act, error) : result;
}

static int sum_published(const char *title, const char *text, char sha256[LEDGER_DIGEST_SIZE],
                         struct record_error *error)
{
	size_t length = strlen(title) + 1 + strlen(text);
	char *whole = malloc(length + 1);

	if (!whole)
		return ledger_refuse(error, -ENOMEM, "there is no memory", "");
	(void)snprintf(whole, length + 1, "%s\n%s", title, text);
	digest_sha256_text(whole, length, sha256);
	free(whole);
	return 0;
}

static int insert_act(struct ledger *ledger, const struct statements_act_row *act, const char *sha256,
                      struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result =
		ledger_begin_to_add(ledger, texts[ACT_ADD], "SELECT count(*) FROM statement_act", &statement, error);

	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)act->number);
	database_put_number(statement, 2, (int64_t)act->revision);
	database_put_text(statement, 3, statements_act_name(act->act));
	database_put_number(statement, 4, act->at_ns);
	database_put_number(statement, 5, act->uid);
	database_put_text(statement, 6, act->by);
	database_put_text(statement, 7, act->of_sha256);
	database_put_text(statement, 8, act->title);
	database_put_text(statement, 9, act->text);
	database_put_text(statement, 10, sha256);
	return ledger_add(ledger, statement, 0, NULL, error);
}

int statements_act_add(struct ledger *ledger, const struct statements_act_row *act, struct record_error *error)
{
	const struct ledger_text all[] = { { "name of who does it", act->by }, { "title", act->title } };
	char sha256[LEDGER_DIGEST_SIZE];
	int result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);

	if (result == 0)
		result = check_long(act->text, error);
	if (result == 0)
		result = sum_published(act->title, act->text, sha256, error);
	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = look(ledger, act, error);
	if (result == 0)
		result = insert_act(ledger, act, sha256, error);
	return ledger_transaction_end(ledger, result, error);
}

int statements_awareness_add(struct ledger *ledger, const struct statements_awareness *awareness,
                             struct record_error *error)
{
	const struct ledger_text who = { "name of who sets it", awareness->set_by };
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_texts(&who, 1, error);

	if (result == 0 && (awareness->aware_ns <= 0 || awareness->aware_ns > awareness->set_ns))
		result = ledger_refuse(error, -EINVAL, "say since when, which is not in the future", "");
	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[AWARENESS_ADD], "SELECT count(*) FROM awareness", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)awareness->incident);
	database_put_number(statement, 2, awareness->aware_ns);
	database_put_number(statement, 3, awareness->set_ns);
	database_put_text(statement, 4, awareness->set_by);
	return ledger_add(ledger, statement, 0, NULL, error);
}

static int exemption_may_be(const struct statements_exemption *exemption, struct record_error *error)
{
	if (exemption->incident == 0)
		return ledger_refuse(error, -EINVAL, "say of which incident", "'holdfast incidents' lists them");
	if (statement_kind_is_public(exemption->kind))
		return ledger_refuse(error, -EINVAL, "that is no report to an authority",
		                     "nis2_24h, nis2_72h, nis2_month and gdpr_33 are");
	if (exemption->exempt && !exemption->why[strspn(exemption->why, " \t\r\n")])
		return ledger_refuse(error, -EINVAL, "say why it is not needed", "");
	return 0;
}

int statements_exemption_add(struct ledger *ledger, const struct statements_exemption *exemption,
                             struct record_error *error)
{
	const struct ledger_text all[] = { { "name of who sets it", exemption->set_by }, { "reason", exemption->why } };
	sqlite3_stmt *statement = NULL;
	int result = exemption_may_be(exemption, error);

	if (result == 0)
		result = ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);
	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[EXEMPTION_ADD], "SELECT count(*) FROM exemption", &statement,
		                             error);
	if (result != 0)
		return result;
	database_put_number(statement, 1, (int64_t)exemption->incident);
	database_put_text(statement, 2, statement_kind_name(exemption->kind));
	database_put_number(statement, 3, exemption->exempt);
	database_put_number(statement, 4, exemption->set_ns);
	database_put_text(statement, 5, exemption->set_by);
	database_put_text(statement, 6, exemption->why);
	return ledger_add(ledger, statement, 0, NULL, error);
}

int statements_source_add(struct ledger *ledger, const char *json, int64_t made_ns, char sha256[LEDGER_DIGEST_SIZE],
                          struct record_error *error)
{
	char digest[LEDGER_DIGEST_SIZE];
	sqlite3_stmt *statement = NULL;
	int result = ledger_check_json("document", json, error);

	if (result == 0)
		result = ledger_begin_to_add(ledger, texts[SOURCE_ADD], "SELECT count(*) FROM statement_source",
		                             &statement, error);
	if (result != 0)
		return result;
	digest_sha256_text(json, strlen(json), digest);
	database_put_text(statement, 1, digest);
	database_put_number(statement, 2, made_ns);
	database_put_text(statement, 3, json);
	result = ledger_add(ledger, statement, 0, NULL, error);
	if (result == 0)
		memcpy(sha256, digest, sizeof(digest));
	return result;
}

/* ---- listing ---- */

/* What a row is given to; one of them is set. */
struct listing {
	int (*row)(void *context, const struct statements_row *row);
	int (*act)(void *context, const struct statements_act_row *act);
	int (*awareness)(void *context, const struct statements_awareness *awareness);
	int (*exemption)(void *context, const struct statements_exemption *exemption);
	int (*published)(void *context, const struct statements_published *one);
	void *context;
};

static uint64_t column(sqlite3_stmt *statement, int at)
{
	return (uint64_t)sqlite3_column_int64(statement, at);
}

/* A kind that this version does not know is as one that is never public. */
static enum statement_kind kind_of(const char *name)
{
	enum statement_kind kind = STATEMENT_GDPR_33;

	(void)statement_kind_find(name, &kind);
	return kind;
}

static int statement_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct statements_row row = {
		.number = column(statement, 0),
		.revision = column(statement, 1),
		.thread = column(statement, 2),
		.incident = column(statement, 3),
		.outage = column(statement, 4),
		.kind = kind_of(database_text(statement, 5)),
		.supersedes = column(statement, 7),
		.json = database_text(statement, 8),
		.made_ns = sqlite3_column_int64(statement, 10),
		.made_by = database_text(statement, 11),
	};

	ledger_write_id(row.id, 's', (int64_t)row.number);
	database_copy_text(statement, 6, row.lang, sizeof(row.lang));
	database_copy_text(statement, 9, row.sha256, sizeof(row.sha256));
	return listing->row(listing->context, &row);
}

int statements_each(struct ledger *ledger, uint64_t number,
                    int (*each)(void *context, const struct statements_row *row), void *context,
                    struct record_error *error)
{
	struct listing listing = { .row = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[number ? ALL_OF : ALL], (int64_t)number, statement_row, &listing,
	                   error);
}

int statements_latest_each(struct ledger *ledger, int (*each)(void *context, const struct statements_row *row),
                           void *context, struct record_error *error)
{
	struct listing listing = { .row = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[LATEST_ONES], 0, statement_row, &listing, error);
}

int statements_newest_each(struct ledger *ledger, unsigned most,
                           int (*each)(void *context, const struct statements_row *row), void *context,
                           struct record_error *error)
{
	struct listing listing = { .row = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[NEWEST], most, statement_row, &listing, error);
}

static int act_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct statements_act_row act = {
		.number = column(statement, 0),
		.revision = column(statement, 1),
		.act = STATEMENTS_APPROVED,
		.at_ns = sqlite3_column_int64(statement, 3),
		.uid = (uint32_t)column(statement, 4),
		.by = database_text(statement, 5),
		.title = database_text(statement, 7),
		.text = database_text(statement, 8),
	};

	for (unsigned i = 0; i < STATEMENTS_ACTS; i++)
		if (strcmp(database_text(statement, 2), act_names[i]) == 0)
			act.act = (enum statements_act)i;
	database_copy_text(statement, 6, act.of_sha256, sizeof(act.of_sha256));
	database_copy_text(statement, 9, act.sha256, sizeof(act.sha256));
	return listing->act(listing->context, &act);
}

int statements_act_each(struct ledger *ledger, uint64_t number,
                        int (*each)(void *context, const struct statements_act_row *act), void *context,
                        struct record_error *error)
{
	struct listing listing = { .act = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[number ? ACTS_OF : ACTS], (int64_t)number, act_row, &listing, error);
}

static int awareness_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct statements_awareness awareness = {
		.incident = column(statement, 0),
		.aware_ns = sqlite3_column_int64(statement, 1),
		.set_ns = sqlite3_column_int64(statement, 2),
		.set_by = database_text(statement, 3),
	};

	return listing->awareness(listing->context, &awareness);
}

int statements_awareness_each(struct ledger *ledger, uint64_t incident,
                              int (*each)(void *context, const struct statements_awareness *awareness), void *context,
                              struct record_error *error)
{
	struct listing listing = { .awareness = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[AWARENESS], (int64_t)incident, awareness_row, &listing, error);
}

static int exemption_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct statements_exemption exemption = {
		.incident = column(statement, 0),
		.exempt = column(statement, 2) != 0,
		.set_ns = sqlite3_column_int64(statement, 3),
		.set_by = database_text(statement, 4),
		.why = database_text(statement, 5),
	};

	/* Of a kind that this version does not know it says nothing. */
	return statement_kind_find(database_text(statement, 1), &exemption.kind)
	               ? listing->exemption(listing->context, &exemption)
	               : 0;
}

int statements_exemption_each(struct ledger *ledger, uint64_t incident,
                              int (*each)(void *context, const struct statements_exemption *exemption), void *context,
                              struct record_error *error)
{
	struct listing listing = { .exemption = each, .context = context };

	return ledger_list(ledger, SCHEMA_EXEMPTIONS, texts[EXEMPTIONS], (int64_t)incident, exemption_row, &listing,
	                   error);
}

static int published_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct statements_published one = {
		.number = column(statement, 0),
		.revision = column(statement, 1),
		.thread = column(statement, 2),
		.incident = column(statement, 3),
		.outage = column(statement, 4),
		.kind = kind_of(database_text(statement, 5)),
		.supersedes = column(statement, 7),
		.superseded_by = column(statement, 8),
		.published_ns = sqlite3_column_int64(statement, 9),
		.withdrawn_ns = sqlite3_column_int64(statement, 10),
		.title = database_text(statement, 11),
		.text = database_text(statement, 12),
		.why_withdrawn = database_text(statement, 13),
		.json = database_text(statement, 14),
	};

	ledger_write_id(one.id, 's', (int64_t)one.number);
	database_copy_text(statement, 6, one.lang, sizeof(one.lang));
	database_copy_text(statement, 15, one.sha256, sizeof(one.sha256));
	return listing->published(listing->context, &one);
}

int statements_published_each(struct ledger *ledger, int (*each)(void *context, const struct statements_published *one),
                              void *context, struct record_error *error)
{
	struct listing listing = { .published = each, .context = context };

	return ledger_list(ledger, SCHEMA, texts[PUBLISHED], 0, published_row, &listing, error);
}

/* What was published, by its matter. */
struct threads {
	struct published_thread {
		struct statements_thread told;
		char *latest; /* JSON of the latest while it is open, for what it promises; ours */
	} * list;
	size_t count, room;
};

static struct published_thread *thread_of(struct threads *all, uint64_t number)
{
	for (size_t i = all->count; i > 0; i--)
		if (all->list[i - 1].told.thread == number)
			return &all->list[i - 1];
	if (all->count == all->room) {
		size_t room = all->room ? 2 * all->room : 16;
		struct published_thread *list = realloc(all->list, room * sizeof(*list));

		if (!list)
			return NULL;
		all->list = list;
		all->room = room;
	}
	all->list[all->count] = (struct published_thread){ .told = { .thread = number } };
	return &all->list[all->count++];
}

/* When it is due that something else is said, by what was promised. */
static int64_t due_after(const char *latest, int64_t published_ns)
{
	json_t *json = json_loads(latest, JSON_REJECT_DUPLICATES, NULL);
	int64_t promised = statement_next(json).ns, last = published_ns + STATEMENT_UPDATE_NS;

	json_decref(json);
	return promised > published_ns && promised < last ? promised : last;
}

static int take_into_thread(void *context, const struct statements_published *one)
{
	struct published_thread *thread = thread_of(context, one->thread);

	if (!thread)
		return -ENOMEM;
	if (one->incident)
		thread->told.incident = one->incident;
	if (one->withdrawn_ns)
		return 0;
	if (one->kind != STATEMENT_CORRECTION || thread->told.last_ns == 0) {
		thread->told.last = one->kind;
		thread->told.open = one->kind == STATEMENT_FIRST_NOTICE || one->kind == STATEMENT_UPDATE;
	}
	thread->told.last_ns = one->published_ns;
	free(thread->latest);
	thread->latest = thread->told.open ? strdup(one->json) : NULL;
	return thread->told.open && !thread->latest ? -ENOMEM : 0;
}

int statements_thread_each(struct ledger *ledger, int (*each)(void *context, const struct statements_thread *thread),
                           void *context, struct record_error *error)
{
	struct threads all = { .list = NULL };
	int result = statements_published_each(ledger, take_into_thread, &all, error);

	for (size_t i = 0; i < all.count; i++) {
		struct published_thread *thread = &all.list[i];

		if (thread->latest)
			thread->told.due_ns = due_after(thread->latest, thread->told.last_ns);
		free(thread->latest);
		if (result == 0 && thread->told.last_ns)
			result = each(context, &thread->told);
	}
	free(all.list);
	return result;
}

static int source_row(sqlite3_stmt *statement, void *context)
{
	char **json = context;

	*json = strdup(database_text(statement, 0));
	return *json ? 1 : -ENOMEM;
}

int statements_source_find(struct ledger *ledger, const char *sha256, char **json, struct record_error *error)
{
	char digest[LEDGER_DIGEST_SIZE], *found = NULL;
	sqlite3_stmt *statement = NULL;
	bool has = ledger->schema >= SCHEMA;
	int result = 0;

	if (has)
		result = ledger_begin(ledger, texts[SOURCE], &statement, error);
	if (result != 0)
		return result;
	if (has) {
		database_put_text(statement, 1, sha256);
		result = ledger_each_row(ledger, statement, source_row, &found, error);
	}
	if (result < 0)
		return result;
	if (!found)
		return ledger_refuse(error, -ENOENT, "what the statement rests on is not kept",
		                     "'holdfast record check'");
	digest_sha256_text(found, strlen(found), digest);
	if (strcmp(digest, sha256) != 0) {
		free(found);
		return ledger_refuse(error, -EBADMSG, "what the statement rests on has been changed",
		                     "'holdfast record check' reads all of the record");
	}
	*json = found;
	return 0;
}
