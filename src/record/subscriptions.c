/* SPDX-License-Identifier: Apache-2.0 */
#include "record/subscriptions.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/hex.h"
#include "impact/component.h"
#include "record/subscriptions_inside.h"

#define NONCE_OCTETS ((SUBSCRIPTIONS_NONCE_SIZE - 1) / 2)
#define LEAVING_MAX 64 /* web servers that are taken out at a time */

static const char *const kinds[SUBSCRIBER_KINDS] = { [SUBSCRIBER_MAIL] = "mail", [SUBSCRIBER_WEBHOOK] = "webhook" };
static const char *const states[SUBSCRIBER_STATES] = {
	[SUBSCRIBER_ASKED] = "asked", [SUBSCRIBER_CONFIRMED] = "confirmed", [SUBSCRIBER_GONE] = "gone"
};

const char *subscriber_kind_name(enum subscriber_kind kind)
{
	return kinds[kind];
}

const char *subscriber_state_name(enum subscriber_state state)
{
	return states[state];
}

/* ---- statements ---- */

int subscriptions_bind(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                       sqlite3_stmt **statement, struct record_error *error)
{
	int result = ledger_begin(ledger, sql, statement, error);

	for (size_t i = 0; result == 0 && i < count; i++)
		if (arguments[i].text)
			database_put_text(*statement, (int)i + 1, arguments[i].text);
		else
			database_put_number(*statement, (int)i + 1, arguments[i].number);
	return result;
}

int subscriptions_run(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                      unsigned *changed, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = ledger->write ? subscriptions_bind(ledger, sql, arguments, count, &statement, error)
	                           : ledger_refuse(error, -EROFS, "the record was opened to be read", "");

	if (result == 0)
		result = ledger_add(ledger, statement, 0, NULL, error);
	if (result == 0 && changed)
		*changed = (unsigned)sqlite3_changes(ledger->database);
	return result;
}

int subscriptions_number(struct ledger *ledger, const char *sql, const struct argument *arguments, size_t count,
                         int64_t *number, struct record_error *error)
{
	sqlite3_stmt *statement = NULL;
	int result = subscriptions_bind(ledger, sql, arguments, count, &statement, error);

	return result == 0 ? ledger_ask(ledger, statement, number, error) : result;
}

unsigned subscriptions_word(const char *const *names, unsigned count, const char *name)
{
	unsigned i = 0;

	while (i + 1 < count && strcmp(names[i], name) != 0)
		i++;
	return i;
}

struct subscriber subscriptions_row(sqlite3_stmt *statement)
{
	return (struct subscriber){
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.kind = (enum subscriber_kind)subscriptions_word(kinds, SUBSCRIBER_KINDS, database_text(statement, 1)),
		.state = (enum subscriber_state)subscriptions_word(states, SUBSCRIBER_STATES,
		                                                   database_text(statement, 2)),
		.name = database_text(statement, 3),
		.lang = database_text(statement, 4),
		.components = database_text(statement, 5),
		.nonce = database_text(statement, 6),
		.added_by = database_text(statement, 7),
		.asked_ns = sqlite3_column_int64(statement, 8),
		.confirmed_ns = sqlite3_column_int64(statement, 9),
		.gone_ns = sqlite3_column_int64(statement, 10),
	};
}

/* ---- asking ---- */

bool subscriptions_components_ok(const char *list)
{
	char id[COMPONENT_ID_SIZE];

	if (strlen(list) >= SUBSCRIPTIONS_COMPONENTS_SIZE)
		return false;
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");

		if (length >= sizeof(id))
			return false;
		(void)snprintf(id, sizeof(id), "%.*s", (int)length, at);
		if (!component_id_ok(id))
			return false;
		at += length;
		if (!*at)
			return true;
	}
}

static int check(const struct subscriber *who, struct record_error *error)
{
	const struct ledger_text all[] = { { "name", who->name },
		                           { "language", who->lang },
		                           { "list of components", who->components },
		                           { "name of who adds", who->added_by } };

	if (!who->name[0] || strlen(who->name) >= SUBSCRIPTIONS_NAME_SIZE ||
	    strlen(who->components) >= SUBSCRIPTIONS_COMPONENTS_SIZE)
		return ledger_refuse(error, -EINVAL, "the name, or the list of components, is too long, or none", "");
	return ledger_check_texts(all, sizeof(all) / sizeof(all[0]), error);
}

/* The subscriber of that name who is not gone; 0: there is none. */
static int look_up(struct ledger *ledger, const struct subscriber *who, int64_t *id, struct record_error *error)
{
	return subscriptions_number(ledger,
	                            "SELECT coalesce((SELECT id FROM subscriber WHERE kind = ?1 AND name = ?2"
	                            " AND state <> 'gone'), 0)",
	                            ARGUMENTS({ .text = kinds[who->kind] }, { .text = who->name }), id, error);
}

/* What was published before he came is none of his. */
static int insert(struct ledger *ledger, const struct subscriber *who, enum subscriber_state state, int64_t now_ns,
                  struct record_error *error)
{
	uint8_t octets[NONCE_OCTETS];
	char nonce[SUBSCRIPTIONS_NONCE_SIZE];
	int64_t rows = 0;
	int result = subscriptions_number(ledger, "SELECT count(*) FROM subscriber WHERE state <> 'gone'", NULL, 0,
	                                  &rows, error);

	if (result != 0)
		return result;
	if (rows >= SUBSCRIPTIONS_MAX)
		return ledger_refuse(error, -EDQUOT, "there are as many subscribers as are kept", "");
	if (sodium_init() < 0)
		return ledger_refuse(error, -EIO, "libsodium cannot begin", "");
	randombytes_buf(octets, sizeof(octets));
	hex_write(octets, sizeof(octets), nonce);
	return subscriptions_run(
		ledger,
		"INSERT INTO subscriber(kind, name, lang, components, state, nonce, after_act, after_state, questions,"
		" question_ns, asked_ns, confirmed_ns, gone_ns, added_by) SELECT ?1, ?2, ?3, ?4, ?5, ?6,"
		" (SELECT coalesce(max(id), 0) FROM statement_act), (SELECT coalesce(max(id), 0) FROM component_state),"
		" 0, 0, ?7, CASE ?5 WHEN 'confirmed' THEN ?7 ELSE 0 END, 0, ?8",
		ARGUMENTS({ .text = kinds[who->kind] }, { .text = who->name }, { .text = who->lang },
	                  { .text = who->components }, { .text = states[state] }, { .text = nonce },
	                  { .number = now_ns }, { .text = who->added_by }),
		NULL, error);
}

/* Whether one more question may go out, to anybody. */
static int check_questions(struct ledger *ledger, int64_t now_ns, struct record_error *error)
{
	int64_t asked = 0;
	int result =
		subscriptions_number(ledger, "SELECT count(*) FROM delivery WHERE what = 'question' AND queued_ns > ?1",
	                             ARGUMENTS({ .number = now_ns - SUBSCRIPTIONS_ASK_NS }), &asked, error);

	if (result == 0 && asked >= SUBSCRIPTIONS_ASKS_AN_HOUR)
		return ledger_refuse(error, -EDQUOT, "too many have asked within an hour", "");
	return result;
}

static int queue_question(struct ledger *ledger, int64_t id, const struct subscriber *who, int64_t now_ns,
                          unsigned *changed, struct record_error *error)
{
	int result = subscriptions_run(
		ledger,
		"UPDATE subscriber SET questions = questions + 1, question_ns = ?2, lang = ?3, components = ?4"
		" WHERE id = ?1 AND state = 'asked' AND question_ns <= ?5 AND questions < ?6",
		ARGUMENTS({ .number = id }, { .number = now_ns }, { .text = who->lang }, { .text = who->components },
	                  { .number = now_ns - SUBSCRIPTIONS_ASK_NS }, { .number = SUBSCRIPTIONS_ASKS_MAX }),
		changed, error);

	if (result != 0 || *changed == 0)
		return result;
	return subscriptions_run(ledger,
	                         "INSERT OR IGNORE INTO delivery(subscriber, what, ref, state, attempts, repeats,"
	                         " queued_ns, next_ns, done_ns, error)"
	                         " SELECT id, 'question', questions, 'queued', 0, 0, ?2, ?2, 0, '' FROM subscriber"
	                         " WHERE id = ?1",
	                         ARGUMENTS({ .number = id }, { .number = now_ns }), changed, error);
}

static int ask(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, unsigned *queued,
               struct record_error *error)
{
	int64_t id = 0;
	int result = check_questions(ledger, now_ns, error);

	if (result == 0)
		result = look_up(ledger, who, &id, error);
	if (result == 0 && id == 0) {
		result = insert(ledger, who, SUBSCRIBER_ASKED, now_ns, error);
		id = sqlite3_last_insert_rowid(ledger->database);
	}
	return result == 0 ? queue_question(ledger, id, who, now_ns, queued, error) : result;
}

int subscriptions_ask(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, bool *queued,
                      struct record_error *error)
{
	unsigned changed = 0;
	int result = check(who, error);

	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = ledger_transaction_end(ledger, ask(ledger, who, now_ns, &changed, error), error);
	if (result == 0)
		*queued = changed > 0;
	return result;
}

static int add(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, int64_t *id,
               struct record_error *error)
{
	int64_t found = 0, state = 0;
	int result = look_up(ledger, who, &found, error);

	if (result != 0)
		return result;
	if (found == 0) {
		result = insert(ledger, who, SUBSCRIBER_CONFIRMED, now_ns, error);
		*id = sqlite3_last_insert_rowid(ledger->database);
		return result;
	}
	result = subscriptions_number(ledger, "SELECT state = 'confirmed' FROM subscriber WHERE id = ?1",
	                              ARGUMENTS({ .number = found }), &state, error);
	if (result == 0 && state)
		return ledger_refuse(error, -EEXIST, "it is a subscriber already",
		                     "'holdfast subscription list' lists them");
	*id = found;
	return result != 0
	               ? result
	               : subscriptions_run(ledger,
	                                   "UPDATE subscriber SET state = 'confirmed', confirmed_ns = ?2, lang = ?3,"
	                                   " components = ?4, added_by = ?5 WHERE id = ?1",
	                                   ARGUMENTS({ .number = found }, { .number = now_ns }, { .text = who->lang },
	                                             { .text = who->components }, { .text = who->added_by }),
	                                   NULL, error);
}

int subscriptions_add(struct ledger *ledger, const struct subscriber *who, int64_t now_ns, uint64_t *id,
                      struct record_error *error)
{
	int64_t made = 0;
	int result = check(who, error);

	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	result = ledger_transaction_end(ledger, add(ledger, who, now_ns, &made, error), error);
	if (result == 0)
		*id = (uint64_t)made;
	return result;
}

/* ---- answering ---- */

struct asked {
	char nonce[SUBSCRIPTIONS_NONCE_SIZE], lang[SUBSCRIPTIONS_LANG_SIZE];
	enum subscriber_state state;
	int64_t question_ns;
	bool found;
};

static int asked_row(sqlite3_stmt *statement, void *context)
{
	struct asked *asked = context;

	database_copy_text(statement, 0, asked->nonce, sizeof(asked->nonce));
	database_copy_text(statement, 1, asked->lang, sizeof(asked->lang));
	asked->state =
		(enum subscriber_state)subscriptions_word(states, SUBSCRIBER_STATES, database_text(statement, 2));
	asked->question_ns = sqlite3_column_int64(statement, 3);
	asked->found = true;
	return 0;
}

/* Whose token it is. */
static int check_token(struct ledger *ledger, const struct subscriptions_key *key, enum token_purpose purpose,
                       const char *token, uint64_t *id, struct asked *asked, struct record_error *error)
{
	char good[SUBSCRIPTIONS_TOKEN_SIZE] = "", given[SUBSCRIPTIONS_TOKEN_SIZE] = "";
	enum token_purpose what = TOKEN_CONFIRM;
	sqlite3_stmt *statement = NULL;
	int result = subscriptions_token_read(token, &what, id);

	*asked = (struct asked){ .found = false };
	if (result == 0)
		result = subscriptions_bind(ledger,
		                            "SELECT nonce, lang, state, question_ns FROM subscriber WHERE id = ?1",
		                            ARGUMENTS({ .number = (int64_t)*id }), &statement, error);
	else
		*id = 0;
	if (statement)
		result = ledger_each_row(ledger, statement, asked_row, asked, error);
	if (result != 0 && result != -EINVAL)
		return result;
	/* One that is not there costs as much as one that is. */
	subscriptions_token(key, purpose, *id, asked->nonce, good);
	(void)snprintf(given, sizeof(given), "%s", token);
	if (sodium_memcmp(good, given, sizeof(good)) != 0 || !asked->found || what != purpose)
		return ledger_refuse(error, -ENOENT, "there is no such token, or its time is over", "");
	return 0;
}

int subscriptions_confirm(struct ledger *ledger, const struct subscriptions_key *key, const char *token, int64_t now_ns,
                          char lang[SUBSCRIPTIONS_LANG_SIZE], struct record_error *error)
{
	struct asked asked;
	uint64_t id = 0;
	int result = check_token(ledger, key, TOKEN_CONFIRM, token, &id, &asked, error);

	if (result != 0)
		return result;
	if (asked.state == SUBSCRIBER_GONE ||
	    (asked.state == SUBSCRIBER_ASKED && asked.question_ns < now_ns - SUBSCRIPTIONS_CONFIRM_NS))
		return ledger_refuse(error, -ENOENT, "there is no such token, or its time is over", "");
	if (lang)
		memcpy(lang, asked.lang, sizeof(asked.lang));
	return subscriptions_run(ledger,
	                         "UPDATE subscriber SET state = 'confirmed', confirmed_ns = ?2,"
	                         " after_act = (SELECT coalesce(max(id), 0) FROM statement_act),"
	                         " after_state = (SELECT coalesce(max(id), 0) FROM component_state)"
	                         " WHERE id = ?1 AND state = 'asked'",
	                         ARGUMENTS({ .number = (int64_t)id }, { .number = now_ns }), NULL, error);
}

/* Of who left nothing is kept but that there was somebody. */
static int forget(struct ledger *ledger, uint64_t id, int64_t now_ns, unsigned *changed, struct record_error *error)
{
	int result = ledger_transaction_begin(ledger, error);

	if (result != 0)
		return result;
	result = subscriptions_run(ledger,
	                           "UPDATE subscriber SET state = 'gone', name = '', components = '', gone_ns = ?2"
	                           " WHERE id = ?1 AND state <> 'gone'",
	                           ARGUMENTS({ .number = (int64_t)id }, { .number = now_ns }), changed, error);
	if (result == 0)
		result = subscriptions_run(
			ledger,
			"UPDATE delivery SET state = 'spared', done_ns = ?2, error = 'the subscriber left'"
			" WHERE subscriber = ?1 AND state IN ('queued', 'dead')",
			ARGUMENTS({ .number = (int64_t)id }, { .number = now_ns }), NULL, error);
	return ledger_transaction_end(ledger, result, error);
}

int subscriptions_leave(struct ledger *ledger, const struct subscriptions_key *key, const char *token, int64_t now_ns,
                        char lang[SUBSCRIPTIONS_LANG_SIZE], struct record_error *error)
{
	struct asked asked;
	unsigned changed;
	uint64_t id = 0;
	int result = check_token(ledger, key, TOKEN_LEAVE, token, &id, &asked, error);

	if (result != 0)
		return result;
	if (lang)
		memcpy(lang, asked.lang, sizeof(asked.lang));
	return forget(ledger, id, now_ns, &changed, error);
}

int subscriptions_remove(struct ledger *ledger, uint64_t id, int64_t now_ns, struct record_error *error)
{
	unsigned changed = 0;
	int result = forget(ledger, id, now_ns, &changed, error);

	return result != 0 || changed ? result
	                              : ledger_refuse(error, -ENOENT, "there is no such subscriber",
	                                              "'holdfast subscription list' lists those there are");
}

/* ---- web servers ---- */

struct leaving {
	const struct subscriber *webhooks;
	unsigned count;
	uint64_t ids[LEAVING_MAX]; /* that are configured no more; of more the next time */
	unsigned leaving;
};

static int find_leaving(void *context, const struct subscriber *one)
{
	struct leaving *leaving = context;

	if (one->kind != SUBSCRIBER_WEBHOOK)
		return 0;
	for (unsigned i = 0; i < leaving->count; i++)
		if (strcmp(leaving->webhooks[i].name, one->name) == 0)
			return 0;
	if (leaving->leaving < LEAVING_MAX)
		leaving->ids[leaving->leaving++] = one->id;
	return 0;
}

static int put_webhook(struct ledger *ledger, const struct subscriber *webhook, int64_t now_ns,
                       struct record_error *error)
{
	int64_t id = 0;
	int result = check(webhook, error);

	if (result == 0)
		result = look_up(ledger, webhook, &id, error);
	if (result != 0)
		return result;
	if (id == 0)
		return insert(ledger, webhook, SUBSCRIBER_CONFIRMED, now_ns, error);
	return subscriptions_run(
		ledger,
		"UPDATE subscriber SET lang = ?2, components = ?3 WHERE id = ?1"
		" AND (lang <> ?2 OR components <> ?3)",
		ARGUMENTS({ .number = id }, { .text = webhook->lang }, { .text = webhook->components }), NULL, error);
}

int subscriptions_webhooks(struct ledger *ledger, const struct subscriber *webhooks, unsigned count, int64_t now_ns,
                           struct record_error *error)
{
	struct leaving leaving = { .webhooks = webhooks, .count = count };
	unsigned changed;
	int result = subscriptions_each(ledger, false, find_leaving, &leaving, error);

	for (unsigned i = 0; result == 0 && i < leaving.leaving; i++)
		result = forget(ledger, leaving.ids[i], now_ns, &changed, error);
	if (result == 0)
		result = ledger_transaction_begin(ledger, error);
	if (result != 0)
		return result;
	for (unsigned i = 0; result == 0 && i < count; i++)
		result = put_webhook(ledger, &webhooks[i], now_ns, error);
	return ledger_transaction_end(ledger, result, error);
}

/* ---- listing ---- */

struct listing {
	int (*each)(void *context, const struct subscriber *one);
	void *context;
};

static int list_row(sqlite3_stmt *statement, void *context)
{
	const struct listing *listing = context;
	struct subscriber one = subscriptions_row(statement);

	return listing->each(listing->context, &one);
}

int subscriptions_each(struct ledger *ledger, bool gone, int (*each)(void *context, const struct subscriber *one),
                       void *context, struct record_error *error)
{
	struct listing listing = { .each = each, .context = context };

	return ledger_list(ledger, SUBSCRIPTIONS_SCHEMA,
	                   "SELECT " SUBSCRIBER_COLUMNS
	                   " FROM subscriber u WHERE ?1 OR u.state <> 'gone' ORDER BY u.id",
	                   gone, list_row, &listing, error);
}
