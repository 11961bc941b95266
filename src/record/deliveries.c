/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of what goes to subscribers (subscriptions.h). */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "record/subscriptions.h"
#include "record/subscriptions_inside.h"
#include "tell/statement.h"

#define PAUSE_DOUBLINGS_MAX 10 /* 8.5 h */

_Static_assert(STATEMENT_NIS2_24H == 5, "the kinds before it are those that are public: ?3 to ?7 of queue_statements");

/* clang-format off */
#define QUEUE "INSERT OR IGNORE INTO delivery(subscriber, what, ref, state, attempts, repeats, queued_ns, next_ns," \
              " done_ns, error) "
static const char queue_statements[] =
	QUEUE "SELECT u.id, 'statement', a.id, 'queued', 0, 0, ?1, ?1 + CASE s.lang WHEN u.lang THEN 0 ELSE ?2 END, 0, ''"
	" FROM subscriber u JOIN statement_act a ON a.id > u.after_act"
	" JOIN statement s ON s.number = a.number AND s.revision = a.revision"
	" WHERE u.state = 'confirmed' AND a.act IN ('published', 'withdrawn') AND s.kind IN (?3, ?4, ?5, ?6, ?7)"
	" ORDER BY a.id, u.id";
static const char queue_states[] =
	QUEUE "SELECT u.id, 'state', c.id, 'queued', 0, 0, ?1, ?1, 0, ''"
	" FROM subscriber u JOIN component_state c ON c.id > u.after_state WHERE u.state = 'confirmed' ORDER BY c.id, u.id";
static const char queued[] =
	"UPDATE subscriber SET after_act = (SELECT coalesce(max(id), 0) FROM statement_act),"
	" after_state = (SELECT coalesce(max(id), 0) FROM component_state) WHERE state = 'confirmed'"
	" AND (after_act < (SELECT coalesce(max(id), 0) FROM statement_act)"
	" OR after_state < (SELECT coalesce(max(id), 0) FROM component_state))";
/*
 * News of planned works come with time. What had come when the queue was looked at last is noted as a fact; a piece of the time
 * before is looked at again, for nothing is queued twice.
 */
#define WORKS_TOLD "'works_told_ns'"
#define WORKS_AT(stage, at) "SELECT w.id, " stage ", " at " FROM works w LEFT JOIN works_cancelled c ON c.works = w.id WHERE "
#define CALLED_OFF "coalesce(c.at_ns <= w.from_ns, 0)"
static const char queue_works[] =
	"WITH news(works, stage, at_ns) AS ("
	WORKS_AT("0", "w.added_ns") "w.from_ns > w.added_ns"
	" UNION ALL " WORKS_AT("1", "max(w.from_ns, w.added_ns)") "NOT " CALLED_OFF " AND w.until_ns > w.added_ns"
	" UNION ALL " WORKS_AT("2", "min(w.until_ns, coalesce(c.at_ns, w.until_ns))")
	"NOT " CALLED_OFF " AND w.until_ns > w.added_ns"
	" UNION ALL " WORKS_AT("3", "c.at_ns") CALLED_OFF ") "
	QUEUE "SELECT u.id, 'works', news.works * 4 + news.stage, 'queued', 0, 0, ?1, ?1, 0, ''"
	" FROM news JOIN subscriber u ON u.state = 'confirmed' AND u.confirmed_ns <= news.at_ns WHERE news.at_ns <= ?1"
	" AND news.at_ns > coalesce((SELECT value FROM fact WHERE name = " WORKS_TOLD "), ?1) - ?2"
	" ORDER BY news.at_ns, news.works, news.stage, u.id";
static const char works_told[] = "INSERT OR REPLACE INTO fact VALUES(" WORKS_TOLD ", ?1)";
_Static_assert(DELIVERY_STAGES == 4, "what a delivery of works refers to is their number times 4 and the stage");
/* What is kept no longer, in the order in which it goes: a subscriber after what was sent to him. */
static const char forgotten[] =
	"DELETE FROM delivery WHERE state IN ('sent', 'spared') AND done_ns < ?1";
static const char unanswered[] =
	"DELETE FROM delivery WHERE subscriber IN (SELECT id FROM subscriber WHERE state = 'asked' AND question_ns < ?1)";
static const char unanswered_gone[] = "DELETE FROM subscriber WHERE state = 'asked' AND question_ns < ?1";
static const char left[] =
	"DELETE FROM subscriber WHERE state = 'gone' AND gone_ns < ?1"
	" AND NOT EXISTS(SELECT 1 FROM delivery WHERE subscriber = subscriber.id)";

/*
 * Whether it was published in the subscriber's language too: in the same matter, of the same kind, within SUBSCRIPTIONS_LANG_NS
 * before or after, and there as often as this one's.
 */
#define PUBLISHED_NS "(SELECT at_ns FROM statement_act WHERE number = a.number AND act = 'published')"
#define ALIKE(language, from, to) \
	"(SELECT count(*) FROM statement_act b JOIN statement t ON t.number = b.number AND t.revision = b.revision" \
	" WHERE b.act = 'published' AND t.thread = s.thread AND t.kind = s.kind AND t.lang = " language \
	" AND b.at_ns BETWEEN " PUBLISHED_NS from " AND " PUBLISHED_NS to ")"
#define TOLD "s.lang <> u.lang AND " ALIKE("u.lang", " - ?4", " + ?4") " >= " ALIKE("s.lang", " - ?4", "")
#define DELIVERIES \
	"SELECT " SUBSCRIBER_COLUMNS ", d.id, d.what, d.state, d.attempts, d.repeats, d.queued_ns, d.next_ns, d.done_ns," \
	" d.error, coalesce(a.number, 0), coalesce(s.thread, 0), coalesce(a.act = 'withdrawn', 0), coalesce(" TOLD ", 0)," \
	" coalesce(c.component, ''), coalesce(c.since_ns, 0), CASE d.what WHEN 'works' THEN d.ref ELSE 0 END" \
	" FROM delivery d JOIN subscriber u ON u.id = d.subscriber" \
	" LEFT JOIN statement_act a ON d.what = 'statement' AND a.id = d.ref" \
	" LEFT JOIN statement s ON s.number = a.number AND s.revision = a.revision" \
	" LEFT JOIN component_state c ON d.what = 'state' AND c.id = d.ref "
static const char due[] =
	DELIVERIES "WHERE d.state = 'queued' AND d.next_ns <= ?1 AND u.kind = ?3 AND NOT EXISTS("
	"SELECT 1 FROM delivery o WHERE o.state = 'sending' AND o.subscriber = d.subscriber)"
	" ORDER BY d.next_ns, d.id LIMIT ?2";
static const char listed[] = DELIVERIES "WHERE ?1 = '' OR d.state = ?1 ORDER BY d.id";

static const char *const subjects[DELIVERY_WHATS] = {
	[DELIVERY_STATEMENT] = "statement", [DELIVERY_STATE] = "state", [DELIVERY_WORKS] = "works",
	[DELIVERY_QUESTION] = "question",
};
static const char *const states[DELIVERY_STATES] = {
	[DELIVERY_QUEUED] = "queued", [DELIVERY_SENDING] = "sending", [DELIVERY_SENT] = "sent",
	[DELIVERY_SPARED] = "spared", [DELIVERY_DEAD] = "dead",
};
/* clang-format on */

const char *delivery_what_name(enum delivery_what what)
{
	return subjects[what];
}

const char *delivery_state_name(enum delivery_state state)
{
	return states[state];
}

int64_t subscriptions_pause_ns(uint32_t attempts, uint64_t seed)
{
	uint32_t doublings = attempts > 1 ? attempts - 1 : 0;
	int64_t pause_ns = SUBSCRIPTIONS_FIRST_PAUSE_NS
	                   << (doublings < PAUSE_DOUBLINGS_MAX ? doublings : PAUSE_DOUBLINGS_MAX);

	return pause_ns + (int64_t)(hash_2(seed, attempts, 1) % (uint64_t)(pause_ns / 2));
}

/* ---- into the queue ---- */

static int sweep(struct ledger *ledger, int64_t now_ns, struct record_error *error)
{
	const struct {
		const char *sql;
		int64_t before_ns;
	} rows[] = {
		{ forgotten, now_ns - SUBSCRIPTIONS_KEPT_NS },
		{ unanswered, now_ns - SUBSCRIPTIONS_FORGET_NS },
		{ unanswered_gone, now_ns - SUBSCRIPTIONS_FORGET_NS },
		{ left, now_ns - SUBSCRIPTIONS_KEPT_NS },
	};
	int result = 0;

	for (unsigned i = 0; result == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		result =
			subscriptions_run(ledger, rows[i].sql, ARGUMENTS({ .number = rows[i].before_ns }), NULL, error);
	return result;
}

static int queue(struct ledger *ledger, int64_t now_ns, struct record_error *error)
{
	int64_t waiting = 0;
	int result = subscriptions_number(ledger, "SELECT count(*) FROM delivery WHERE state = 'queued'", NULL, 0,
	                                  &waiting, error);

	/* What there is no room for now is queued once there is: nobody's place in what is published moves. */
	if (result != 0 || waiting >= SUBSCRIPTIONS_QUEUE_MAX)
		return result;
	result = subscriptions_run(ledger, queue_statements,
	                           ARGUMENTS({ .number = now_ns }, { .number = SUBSCRIPTIONS_LANG_NS },
	                                     { .text = statement_kind_name(STATEMENT_FIRST_NOTICE) },
	                                     { .text = statement_kind_name(STATEMENT_UPDATE) },
	                                     { .text = statement_kind_name(STATEMENT_RESOLUTION) },
	                                     { .text = statement_kind_name(STATEMENT_CORRECTION) },
	                                     { .text = statement_kind_name(STATEMENT_POSTMORTEM) }),
	                           NULL, error);
	if (result == 0)
		result = subscriptions_run(ledger, queue_states, ARGUMENTS({ .number = now_ns }), NULL, error);
	if (result == 0)
		result = subscriptions_run(ledger, queued, NULL, 0, NULL, error);
	if (result == 0)
		result = subscriptions_run(ledger, queue_works,
		                           ARGUMENTS({ .number = now_ns }, { .number = SUBSCRIPTIONS_LATE_NS }), NULL,
		                           error);
	if (result == 0)
		result = subscriptions_run(ledger, works_told, ARGUMENTS({ .number = now_ns }), NULL, error);
	return result;
}

int subscriptions_queue(struct ledger *ledger, int64_t now_ns, struct record_error *error)
{
	int result = ledger_transaction_begin(ledger, error);

	if (result != 0)
		return result;
	result = queue(ledger, now_ns, error);
	if (result == 0)
		result = sweep(ledger, now_ns, error);
	return ledger_transaction_end(ledger, result, error);
}

int subscriptions_recover(struct ledger *ledger, int64_t now_ns, unsigned *repeats, struct record_error *error)
{
	return subscriptions_run(ledger,
	                         "UPDATE delivery SET state = 'queued', repeats = repeats + 1, next_ns = ?1,"
	                         " error = 'the deliverer died' WHERE state = 'sending'",
	                         ARGUMENTS({ .number = now_ns }), repeats, error);
}

/* ---- out of it ---- */

struct listing {
	int (*each)(void *context, const struct delivery *delivery);
	void *context;
};

static int delivery_row(sqlite3_stmt *row, void *context)
{
	const struct listing *listing = context;
	int at = SUBSCRIBER_COLUMNS_COUNT;
	struct delivery one = {
		.to = subscriptions_row(row),
		.id = (uint64_t)sqlite3_column_int64(row, at),
		.what = (enum delivery_what)subscriptions_word(subjects, DELIVERY_WHATS, database_text(row, at + 1)),
		.state = (enum delivery_state)subscriptions_word(states, DELIVERY_STATES, database_text(row, at + 2)),
		.attempts = (uint32_t)sqlite3_column_int64(row, at + 3),
		.repeats = (uint32_t)sqlite3_column_int64(row, at + 4),
		.queued_ns = sqlite3_column_int64(row, at + 5),
		.next_ns = sqlite3_column_int64(row, at + 6),
		.done_ns = sqlite3_column_int64(row, at + 7),
		.error = database_text(row, at + 8),
		.statement = (uint64_t)sqlite3_column_int64(row, at + 9),
		.thread = (uint64_t)sqlite3_column_int64(row, at + 10),
		.withdrawn = sqlite3_column_int(row, at + 11),
		.told = sqlite3_column_int(row, at + 12),
		.component = database_text(row, at + 13),
		.since_ns = sqlite3_column_int64(row, at + 14),
		.works = (uint64_t)sqlite3_column_int64(row, at + 15) / DELIVERY_STAGES,
		.stage = (enum delivery_stage)(sqlite3_column_int64(row, at + 15) % DELIVERY_STAGES),
	};

	return listing->each(listing->context, &one);
}

int subscriptions_due(struct ledger *ledger, enum subscriber_kind kind, int64_t now_ns, unsigned most,
                      int (*each)(void *context, const struct delivery *delivery), void *context,
                      struct record_error *error)
{
	struct listing listing = { .each = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result = subscriptions_bind(ledger, due,
	                                ARGUMENTS({ .number = now_ns }, { .number = most },
	                                          { .text = subscriber_kind_name(kind) },
	                                          { .number = SUBSCRIPTIONS_LANG_NS }),
	                                &statement, error);

	return result != 0 ? result : ledger_each_row(ledger, statement, delivery_row, &listing, error);
}

int subscriptions_deliveries_each(struct ledger *ledger, enum delivery_state state,
                                  int (*each)(void *context, const struct delivery *delivery), void *context,
                                  struct record_error *error)
{
	struct listing listing = { .each = each, .context = context };
	sqlite3_stmt *statement = NULL;
	int result;

	if (ledger->schema < SUBSCRIPTIONS_SCHEMA)
		return 0;
	result = subscriptions_bind(ledger, listed,
	                            ARGUMENTS({ .text = state < DELIVERY_STATES ? states[state] : "" }, { .number = 0 },
	                                      { .number = 0 }, { .number = SUBSCRIPTIONS_LANG_NS }),
	                            &statement, error);
	return result != 0 ? result : ledger_each_row(ledger, statement, delivery_row, &listing, error);
}

int subscriptions_begin(struct ledger *ledger, uint64_t delivery, struct record_error *error)
{
	unsigned changed = 0;
	int result = subscriptions_run(ledger,
	                               "UPDATE delivery SET state = 'sending', attempts = attempts + 1"
	                               " WHERE id = ?1 AND state = 'queued'",
	                               ARGUMENTS({ .number = (int64_t)delivery }), &changed, error);

	return result != 0 || changed ? result : ledger_refuse(error, -ENOENT, "it is not queued any more", "");
}

int subscriptions_end(struct ledger *ledger, uint64_t delivery, const struct delivery_end *end,
                      struct record_error *error)
{
	char what[SUBSCRIPTIONS_ERROR_MAX + 1];

	(void)snprintf(what, sizeof(what), "%s", end->error);
	return subscriptions_run(ledger,
	                         "UPDATE delivery SET state = ?2, error = ?3, next_ns = ?4,"
	                         " done_ns = CASE ?2 WHEN 'queued' THEN 0 ELSE ?5 END WHERE id = ?1",
	                         ARGUMENTS({ .number = (int64_t)delivery }, { .text = states[end->state] },
	                                   { .text = what }, { .number = end->next_ns }, { .number = end->at_ns }),
	                         NULL, error);
}

int subscriptions_put_off(struct ledger *ledger, uint64_t subscriber, int64_t until_ns, struct record_error *error)
{
	return subscriptions_run(
		ledger,
		"UPDATE delivery SET next_ns = ?2 WHERE state = 'queued' AND next_ns < ?2 AND subscriber"
		" IN (SELECT id FROM subscriber WHERE id = ?1 OR (?1 = 0 AND kind = 'mail'))",
		ARGUMENTS({ .number = (int64_t)subscriber }, { .number = until_ns }), NULL, error);
}

int subscriptions_next(struct ledger *ledger, int64_t *next_ns, struct record_error *error)
{
	return subscriptions_number(ledger,
	                            "SELECT coalesce(min(next_ns), 9223372036854775807) FROM delivery"
	                            " WHERE state = 'queued'",
	                            NULL, 0, next_ns, error);
}

int subscriptions_retry(struct ledger *ledger, uint64_t delivery, int64_t now_ns, unsigned *count,
                        struct record_error *error)
{
	return subscriptions_run(ledger,
	                         "UPDATE delivery SET state = 'queued', attempts = 0, next_ns = ?2, done_ns = 0"
	                         " WHERE state = 'dead' AND (?1 = 0 OR id = ?1)",
	                         ARGUMENTS({ .number = (int64_t)delivery }, { .number = now_ns }), count, error);
}
