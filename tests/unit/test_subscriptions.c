/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, pauses, the key's file, and what becomes of subscribers over time. Deliveries are
 * tests/cli/subscription.py's.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record/components.h"
#include "record/subscriptions.h"

#define DAY_NS (86400 * NS_PER_S)

static char folder[64], path[96];
static struct record_error error;

static int remove_one(const char *name, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(name);
}

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_subscriptions.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/holdfast.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct subscriber who(const char *name)
{
	return (struct subscriber){ .name = name, .lang = "en", .components = "", .nonce = "", .added_by = "test" };
}

static struct ledger *open_ledger(void)
{
	struct ledger *ledger = NULL;

	assert_int_equal(ledger_open(path, true, &ledger, &error), 0);
	return ledger;
}

static void keys_and_tokens(void **state)
{
	static const char *const bad[] = { "",
		                           "c",
		                           "c1",
		                           "x1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		                           "c0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		                           "caaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		                           "c1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		                           "c1234567890abcdefaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct subscriptions_key key, again;
	char token[SUBSCRIPTIONS_TOKEN_SIZE], file[96];
	enum token_purpose purpose;
	uint64_t number;
	struct stat status;

	(void)state;
	assert_int_equal(subscriptions_key_open(folder, &key, &error), 0);
	assert_int_equal(subscriptions_key_open(folder, &again, &error), 0);
	assert_memory_equal(&key, &again, sizeof(key));
	(void)snprintf(file, sizeof(file), "%s" SUBSCRIPTIONS_KEY_FILE, folder);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	subscriptions_token(&key, TOKEN_LEAVE, 0xabc, "nonce", token);
	assert_int_equal(subscriptions_token_read(token, &purpose, &number), 0);
	assert_int_equal(purpose, TOKEN_LEAVE);
	assert_int_equal(number, 0xabc);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(subscriptions_token_read(bad[i], &purpose, &number), -EINVAL);
	assert_int_equal(truncate(file, 10), 0);
	assert_int_equal(subscriptions_key_open(folder, &key, &error), -EBADMSG);
	assert_int_equal(subscriptions_key_open("/nowhere/at/all", &key, &error), -ENOENT);
}

static void pauses(void **state)
{
	int64_t before = 0;

	(void)state;
	for (uint32_t i = 1; i <= SUBSCRIPTIONS_ATTEMPTS; i++) {
		int64_t pause = subscriptions_pause_ns(i, 7),
			least = SUBSCRIPTIONS_FIRST_PAUSE_NS << (i > 11 ? 10 : i - 1);

		assert_true(pause >= least && pause < least + least / 2);
		assert_true(i == 12 || pause > before);
		assert_int_equal(pause, subscriptions_pause_ns(i, 7));
		before = pause;
	}
	assert_int_not_equal(subscriptions_pause_ns(5, 1), subscriptions_pause_ns(5, 2));
}

struct found {
	unsigned count;
	uint64_t id;
	enum subscriber_state state;
	char nonce[64];
};

static int note(void *context, const struct subscriber *one)
{
	struct found *found = context;

	found->count++;
	found->id = one->id;
	found->state = one->state;
	(void)snprintf(found->nonce, sizeof(found->nonce), "%s", one->nonce);
	return 0;
}

static struct found look(struct ledger *ledger)
{
	struct found found = { .count = 0 };

	assert_int_equal(subscriptions_each(ledger, false, note, &found, &error), 0);
	return found;
}

static bool ask(struct ledger *ledger, const char *name, int64_t now_ns)
{
	const struct subscriber one = who(name);
	bool queued = false;

	assert_int_equal(subscriptions_ask(ledger, &one, now_ns, &queued, &error), 0);
	return queued;
}

static void asking(void **state)
{
	struct ledger *ledger = open_ledger();
	int64_t now = 1000 * DAY_NS;

	(void)state;
	assert_true(ask(ledger, "a@example.org", now));
	assert_false(ask(ledger, "a@example.org", now + 1));
	assert_true(ask(ledger, "a@example.org", now + SUBSCRIPTIONS_ASK_NS));
	assert_true(ask(ledger, "a@example.org", now + 2 * SUBSCRIPTIONS_ASK_NS));
	assert_false(ask(ledger, "a@example.org", now + 3 * SUBSCRIPTIONS_ASK_NS)); /* three are enough */
	assert_int_equal(look(ledger).count, 1);
	assert_int_equal(subscriptions_queue(ledger, now + 6 * DAY_NS, &error), 0);
	assert_int_equal(look(ledger).count, 1);
	assert_int_equal(subscriptions_queue(ledger, now + 8 * DAY_NS, &error), 0);
	assert_int_equal(look(ledger).count, 0); /* who did not answer is forgotten */
	ledger_close(ledger);
}

static void too_many_ask(void **state)
{
	struct ledger *ledger = open_ledger();
	int64_t now = 1000 * DAY_NS;
	struct subscriber one;
	char name[64];
	bool queued;

	(void)state;
	for (unsigned i = 0; i < SUBSCRIPTIONS_ASKS_AN_HOUR; i++) {
		(void)snprintf(name, sizeof(name), "a%u@example.org", i);
		assert_true(ask(ledger, name, now));
	}
	one = who("late@example.org");
	assert_int_equal(subscriptions_ask(ledger, &one, now + 1, &queued, &error), -EDQUOT);
	assert_true(ask(ledger, "late@example.org", now + SUBSCRIPTIONS_ASK_NS));
	ledger_close(ledger);
}

static void answering(void **state)
{
	struct ledger *ledger = open_ledger();
	char confirm[SUBSCRIPTIONS_TOKEN_SIZE], leave[SUBSCRIPTIONS_TOKEN_SIZE], lang[SUBSCRIPTIONS_LANG_SIZE];
	struct subscriptions_key key, other = { .octets = { 1 } };
	int64_t now = 1000 * DAY_NS;
	struct subscriber one = who("a@example.org");
	struct found found;
	uint64_t id;

	(void)state;
	assert_int_equal(subscriptions_key_open(folder, &key, &error), 0);
	assert_true(ask(ledger, "a@example.org", now));
	found = look(ledger);
	subscriptions_token(&key, TOKEN_CONFIRM, found.id, found.nonce, confirm);
	subscriptions_token(&key, TOKEN_LEAVE, found.id, found.nonce, leave);
	assert_int_equal(subscriptions_confirm(ledger, &other, confirm, now, lang, &error), -ENOENT);
	assert_int_equal(subscriptions_confirm(ledger, &key, leave, now, lang, &error), -ENOENT);
	assert_int_equal(subscriptions_leave(ledger, &key, confirm, now, lang, &error), -ENOENT);
	assert_int_equal(subscriptions_confirm(ledger, &key, "", now, lang, &error), -ENOENT);
	assert_int_equal(subscriptions_confirm(ledger, &key, confirm, now + SUBSCRIPTIONS_CONFIRM_NS + 1, lang, &error),
	                 -ENOENT);
	assert_int_equal(look(ledger).state, SUBSCRIBER_ASKED);
	assert_int_equal(subscriptions_confirm(ledger, &key, confirm, now + 1, lang, &error), 0);
	assert_string_equal(lang, "en");
	assert_int_equal(look(ledger).state, SUBSCRIBER_CONFIRMED);
	assert_false(ask(ledger, "a@example.org", now + DAY_NS));
	assert_int_equal(subscriptions_add(ledger, &one, now, &id, &error), -EEXIST);
	assert_int_equal(subscriptions_leave(ledger, &key, leave, now + 2, lang, &error), 0);
	assert_int_equal(subscriptions_leave(ledger, &key, leave, now + 3, NULL, &error), 0);
	assert_int_equal(subscriptions_confirm(ledger, &key, confirm, now + 4, NULL, &error), -ENOENT);
	assert_int_equal(look(ledger).count, 0);
	assert_true(ask(ledger, "a@example.org", now + DAY_NS)); /* and may come back */
	assert_int_equal(subscriptions_add(ledger, &one, now + DAY_NS, &id, &error), 0);
	assert_int_equal(look(ledger).state, SUBSCRIBER_CONFIRMED);
	assert_int_equal(subscriptions_remove(ledger, id, now + DAY_NS, &error), 0);
	assert_int_equal(subscriptions_remove(ledger, id, now + DAY_NS, &error), -ENOENT);
	one.name = "";
	assert_int_equal(subscriptions_add(ledger, &one, now, &id, &error), -EINVAL);
	ledger_close(ledger);
}

static void who_reads_may_not_write(void **state)
{
	struct subscriber one = who("a@example.org");
	struct ledger *ledger = open_ledger();
	unsigned repeats;
	bool queued;

	(void)state;
	ledger_close(ledger);
	assert_int_equal(ledger_open(path, false, &ledger, &error), 0);
	assert_int_equal(subscriptions_ask(ledger, &one, 1, &queued, &error), -EROFS);
	assert_int_equal(subscriptions_queue(ledger, 1, &error), -EROFS);
	assert_int_equal(subscriptions_recover(ledger, 1, &repeats, &error), -EROFS);
	assert_int_equal(look(ledger).count, 0);
	ledger_close(ledger);
}

/* ---- planned works ---- */

static char news[512];

static int note_delivery(void *context, const struct delivery *one)
{
	size_t length = strlen(news);

	(void)context;
	assert_int_equal(one->what, DELIVERY_WORKS);
	(void)snprintf(news + length, sizeof(news) - length, "%s:m%llu:%d ", one->to.name,
	               (unsigned long long)one->works, one->stage);
	return 0;
}

/* What was queued up to that time, in all. */
static const char *queued_at(struct ledger *ledger, int64_t now_ns)
{
	news[0] = '\0';
	assert_int_equal(subscriptions_queue(ledger, now_ns, &error), 0);
	assert_int_equal(subscriptions_deliveries_each(ledger, DELIVERY_STATES, note_delivery, NULL, &error), 0);
	return news;
}

static void add_web(struct ledger *ledger)
{
	const struct component web = {
		.id = "web", .showcase = true, .name = { "Website", "" }, .description = { "", "" }
	};

	assert_int_equal(component_add(ledger, &web, &error), 0);
}

static void plan(struct ledger *ledger, int64_t added_ns, int64_t from_ns, int64_t until_ns, char id[LEDGER_ID_SIZE])
{
	const struct component_works works = { .from_ns = from_ns,
		                               .until_ns = until_ns,
		                               .components = "web",
		                               .name = { "works", "" },
		                               .text = { "", "" },
		                               .added_ns = added_ns,
		                               .added_by = "test" };

	assert_int_equal(component_works_add(ledger, &works, id, &error), 0);
}

/*
 * Announced, begun, ended, each once to each, whenever the queue is looked at, and nothing of what was before somebody
 * came.
 */
static void works_are_told_as_they_come(void **state)
{
	const int64_t h = 3600 * NS_PER_S;
	struct subscriber ann = who("ann@example.org"), bob = who("bob@example.org");
	struct ledger *ledger = open_ledger();
	char id[LEDGER_ID_SIZE];
	uint64_t number;

	(void)state;
	add_web(ledger);
	plan(ledger, 98 * h, 99 * h, 110 * h, id); /* announced and begun before anybody was told of anything */
	assert_int_equal(subscriptions_add(ledger, &ann, 100 * h, &number, &error), 0);
	assert_string_equal(queued_at(ledger, 101 * h), "");
	plan(ledger, 102 * h, 105 * h, 107 * h, id);
	assert_string_equal(queued_at(ledger, 102 * h), "ann@example.org:m2:0 ");
	assert_int_equal(subscriptions_add(ledger, &bob, 103 * h, &number, &error), 0);
	assert_string_equal(queued_at(ledger, 104 * h), "ann@example.org:m2:0 ");
	assert_string_equal(queued_at(ledger, 105 * h),
	                    "ann@example.org:m2:0 ann@example.org:m2:1 bob@example.org:m2:1 ");
	assert_string_equal(queued_at(ledger, 105 * h + 1), news);
	/* The clock is set back, and forwards again. */
	assert_string_equal(queued_at(ledger, 104 * h), news);
	ledger_close(ledger);
	ledger = open_ledger();
	/* Nobody looked for hours: what came then is told, m1 has ended in between. */
	assert_string_equal(queued_at(ledger, 120 * h),
	                    "ann@example.org:m2:0 ann@example.org:m2:1 bob@example.org:m2:1 "
	                    "ann@example.org:m2:2 bob@example.org:m2:2 ann@example.org:m1:2 bob@example.org:m1:2 ");
	ledger_close(ledger);
}

static void works_are_called_off(void **state)
{
	const int64_t h = 3600 * NS_PER_S;
	struct subscriber ann = who("ann@example.org");
	struct ledger *ledger = open_ledger();
	char off[LEDGER_ID_SIZE], cut[LEDGER_ID_SIZE], late[LEDGER_ID_SIZE], past[LEDGER_ID_SIZE];
	uint64_t number;

	(void)state;
	add_web(ledger);
	assert_int_equal(subscriptions_add(ledger, &ann, 100 * h, &number, &error), 0);
	(void)queued_at(ledger, 100 * h);
	plan(ledger, 101 * h, 110 * h, 120 * h, off);
	plan(ledger, 101 * h, 103 * h, 120 * h, cut);
	assert_string_equal(queued_at(ledger, 102 * h), "ann@example.org:m1:0 ann@example.org:m2:0 ");
	assert_int_equal(component_works_cancel(ledger, off, 104 * h, "test", &error), 0);
	assert_int_equal(component_works_cancel(ledger, cut, 105 * h, "test", &error), 0);
	/* One is called off, the other began and was ended; neither is told of its planned times. */
	assert_string_equal(queued_at(ledger, 130 * h),
	                    "ann@example.org:m1:0 ann@example.org:m2:0 ann@example.org:m2:1 ann@example.org:m1:3 "
	                    "ann@example.org:m2:2 ");
	news[0] = '\0';
	/* What was written down when it had begun is told as begun; what was over by then is past, and no news. */
	plan(ledger, 131 * h, 129 * h, 140 * h, late);
	plan(ledger, 131 * h, 129 * h, 130 * h, past);
	assert_non_null(strstr(queued_at(ledger, 132 * h), "ann@example.org:m2:2 ann@example.org:m3:1 "));
	assert_null(strstr(news, "m3:0"));
	assert_null(strstr(news, "m4"));
	ledger_close(ledger);
}

static void lists_of_components(void **state)
{
	static const char *const bad[] = { "",         ",",   "web,",    ",web",
		                           "web,,api", "Web", "web api", "0123456789012345678901234567890123" };
	char many[2 * SUBSCRIPTIONS_COMPONENTS_SIZE] = "a";

	(void)state;
	assert_true(subscriptions_components_ok("web"));
	assert_true(subscriptions_components_ok("web,api-2,x"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(subscriptions_components_ok(bad[i]));
	for (unsigned i = 1; i + 2 < SUBSCRIPTIONS_COMPONENTS_SIZE; i += 2)
		memcpy(many + i, ",a", 3);
	assert_true(subscriptions_components_ok(many));
	memcpy(many + strlen(many), ",a", 3);
	assert_false(subscriptions_components_ok(many));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(keys_and_tokens),
		cmocka_unit_test(pauses),
		IN_FOLDER(asking),
		IN_FOLDER(too_many_ask),
		IN_FOLDER(answering),
		IN_FOLDER(who_reads_may_not_write),
		IN_FOLDER(works_are_told_as_they_come),
		IN_FOLDER(works_are_called_off),
		cmocka_unit_test(lists_of_components),
	};

	return cmocka_run_group_tests_name("subscriptions", tests, NULL, NULL);
}
