/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record: what is appended is listed, what holds is in force until it is let go or expires; and what goes wrong
 * with a database: full, broken, of another schema, no database of ours.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "record/record.h"

static char folder[] = "/tmp/holdfast-record-XXXXXX", path[64];
static struct record_error error;

static struct record *open_with(const struct record_options *options)
{
	struct record_options with = *options;
	char put_aside[RECORD_PATH_SIZE];
	struct record *record;

	with.path = path;
	if (record_open(&with, &record, put_aside, &error) != 0)
		fail_msg("%s", error.message);
	assert_string_equal(put_aside, "");
	return record;
}

static struct record *open_plain(void)
{
	return open_with(&(struct record_options){ .path = path });
}

static struct record_action action(int64_t time_ns, const char *command, const char *object, enum record_kind kind,
                                   int64_t until_ns)
{
	return (struct record_action){
		.time_ns = time_ns,
		.uid = 1000,
		.user = "ann",
		.client = "203.0.113.7 1 22",
		.command = command,
		.object = object,
		.arguments = "{}",
		.outcome = "done",
		.message = "",
		.kind = kind,
		.until_ns = until_ns,
		.rule = { .scope = "192.0.2.1/32",
		          .match = "udp",
		          .action = "rate_limit",
		          .reason = "why",
		          .rate_pps = 9,
		          .shadow = true },
	};
}

static void append(struct record *record, const struct record_action *actions, unsigned count)
{
	if (record_append(record, actions, count, &error) != 0)
		fail_msg("%s", error.message);
}

/* Objects one after the other, each with a blank behind it. */
static char seen[4096];

static int note(const char *object)
{
	size_t length = strlen(seen);

	(void)snprintf(seen + length, sizeof(seen) - length, "%s ", object);
	return 0;
}

static int note_listed(void *context, uint64_t id, const struct record_action *listed)
{
	(void)context;
	(void)id;
	return note(listed->object);
}

static int note_held(void *context, const struct record_action *held)
{
	(void)context;
	return note(held->object);
}

static const char *listed(struct record *record, unsigned limit)
{
	seen[0] = '\0';
	assert_int_equal(record_list(record, limit, note_listed, NULL, &error), 0);
	return seen;
}

static const char *in_force(struct record *record, int64_t now_ns)
{
	seen[0] = '\0';
	assert_int_equal(record_each_in_force(record, now_ns, note_held, NULL, &error), 0);
	return seen;
}

static int compare_listed(void *context, uint64_t id, const struct record_action *got)
{
	const struct record_action *wanted = context;

	assert_int_equal(id, 1);
	assert_int_equal(got->time_ns, wanted->time_ns);
	assert_int_equal(got->uid, wanted->uid);
	assert_string_equal(got->user, wanted->user);
	assert_string_equal(got->client, wanted->client);
	assert_string_equal(got->command, wanted->command);
	assert_string_equal(got->object, wanted->object);
	assert_string_equal(got->arguments, wanted->arguments);
	assert_string_equal(got->outcome, wanted->outcome);
	assert_string_equal(got->message, wanted->message);
	return 17;
}

static void what_is_done_is_listed(void **state)
{
	struct record_action first =
		action(1764158400000000000, "block", "'; DROP TABLE action; --", RECORD_NOTHING, 0);
	struct record_action more[] = { action(1764158400000000001, "block", "192.0.2.2/32", RECORD_NOTHING, 0),
		                        action(1764158400000000002, "observe", "", RECORD_NOTHING, 0) };
	struct record *record = open_plain();

	(void)state;
	first.uid = UINT32_MAX;
	first.message = "\xff no text";
	append(record, &first, 1);
	assert_int_equal(record_list(record, 5, compare_listed, &first, &error), 17);
	append(record, more, 2);
	append(record, more, 0);
	assert_string_equal(listed(record, 2), " 192.0.2.2/32 ");
	record_close(record);
	record = open_plain(); /* it is kept */
	assert_string_equal(listed(record, 9), " 192.0.2.2/32 '; DROP TABLE action; -- ");
	record_close(record);
}

static int compare_rule(void *context, const struct record_action *got)
{
	(void)context;
	assert_int_equal(got->kind, RECORD_RULE);
	assert_string_equal(got->object, "r3");
	assert_int_equal(got->until_ns, 100);
	assert_string_equal(got->rule.scope, "192.0.2.1/32");
	assert_string_equal(got->rule.match, "udp");
	assert_string_equal(got->rule.action, "rate_limit");
	assert_string_equal(got->rule.reason, "why");
	assert_int_equal(got->rule.rate_pps, 9);
	assert_true(got->rule.shadow);
	return 0;
}

static void what_holds_is_in_force(void **state)
{
	struct record_action rule = action(1, "block", "r3", RECORD_RULE, 100);
	struct record_action actions[] = {
		action(2, "block", "192.0.2.0/24", RECORD_BLOCK, 50),
		action(3, "allow", "192.0.2.0/24", RECORD_ALLOW, 60),
		action(4, "block", "198.51.100.0/24", RECORD_BLOCK, 40),
		action(5, "block", "198.51.100.0/24", RECORD_BLOCK, 80),
		action(6, "block", "r10", RECORD_RULE, 90),
		action(7, "block", "r9", RECORD_RULE, 90),
	};
	struct record_action release[] = { action(8, "release", "192.0.2.0/24", RECORD_BLOCK, 0),
		                           action(9, "release", "r9", RECORD_RULE, 0) };
	struct record *record = open_plain();
	uint32_t highest = 77;

	(void)state;
	assert_int_equal(record_highest_rule(record, &highest, &error), 0);
	assert_int_equal(highest, 0);
	append(record, &rule, 1);
	assert_int_equal(record_each_in_force(record, 1, compare_rule, NULL, &error), 0);
	append(record, actions, sizeof(actions) / sizeof(actions[0]));
	assert_string_equal(in_force(record, 10), "192.0.2.0/24 198.51.100.0/24 192.0.2.0/24 r3 r9 r10 ");
	assert_string_equal(in_force(record, 60), "198.51.100.0/24 r3 r9 r10 ");
	append(record, release, 2);
	record_close(record);
	record = open_plain();
	assert_string_equal(in_force(record, 10), "198.51.100.0/24 r3 r10 ");
	assert_string_equal(in_force(record, 99), "r3 ");
	assert_string_equal(in_force(record, 100), "");
	assert_int_equal(record_highest_rule(record, &highest, &error), 0);
	assert_int_equal(highest, 10);
	assert_int_equal(record_forget_in_force(record, &error), 0);
	assert_string_equal(in_force(record, 10), "");
	record_close(record);
}

static void boots_are_told_apart(void **state)
{
	struct record *record = open_plain();
	bool is_new = false;

	(void)state;
	assert_int_equal(record_is_new_boot(record, "a", &is_new, &error), 0);
	assert_true(is_new);
	assert_int_equal(record_note_boot(record, "a", &error), 0);
	record_close(record);
	record = open_plain();
	assert_int_equal(record_is_new_boot(record, "a", &is_new, &error), 0);
	assert_false(is_new);
	assert_int_equal(record_is_new_boot(record, "b", &is_new, &error), 0);
	assert_true(is_new);
	record_close(record);
}

static void older_ones_go(void **state)
{
	struct record *record = open_with(&(struct record_options){ .actions_max = 3, .in_force_max = 2 });
	char objects[6][4];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct record_action one;

		(void)snprintf(objects[i], sizeof(objects[i]), "r%u", i + 1);
		one = action((int64_t)i, "block", objects[i], RECORD_RULE, 1000 - (int64_t)i);
		append(record, &one, 1);
	}
	assert_string_equal(listed(record, 99), "r6 r5 r4 ");
	assert_string_equal(in_force(record, 10), "r1 r2 "); /* those that expire first gave way */
	record_close(record);
}

static void a_full_disk(void **state)
{
	enum { MANY = 200 };
	static char large[1500];
	struct record_action actions[MANY];
	struct record *record = open_with(&(struct record_options){ .pages_max = 160 });
	int result = 0;
	unsigned batches = 0;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	for (unsigned i = 0; i < MANY; i++) {
		actions[i] = action((int64_t)i, "block", "192.0.2.1/32", RECORD_NOTHING, 0);
		actions[i].arguments = large;
	}
	for (; result == 0 && batches < 1000; batches++)
		result = record_append(record, actions, 10, &error);
	assert_int_equal(result, -ENOSPC);
	assert_non_null(strstr(error.message, "full"));
	assert_true(error.advice[0] != '\0');
	assert_int_equal(record_append(record, actions, MANY, &error), -ENOSPC);
	/* None of what failed is there in part, and it can be read. */
	seen[0] = '\0';
	assert_int_equal(strlen(listed(record, MANY)) % (10 * strlen("192.0.2.1/32 ")), 0);
	record_close(record);
	/* There is room again: it goes on. */
	record = open_plain();
	append(record, actions, MANY);
	record_close(record);
}

static void write_whole(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void a_broken_file(void **state)
{
	char put_aside[RECORD_PATH_SIZE], wanted[RECORD_PATH_SIZE], journal[RECORD_PATH_SIZE + 8], garbage[8192];
	struct record_options options = { .path = path };
	struct record_action one = action(1, "block", "r1", RECORD_RULE, 10);
	struct record *record;

	(void)state;
	memset(garbage, 'G', sizeof(garbage));
	for (unsigned i = 1; i <= RECORD_BROKEN_MAX + 1; i++) {
		(void)snprintf(wanted, sizeof(wanted), "%s.broken-%u", path,
		               i <= RECORD_BROKEN_MAX ? i : RECORD_BROKEN_MAX);
		(void)snprintf(journal, sizeof(journal), "%s-wal", wanted);
		write_whole(journal, garbage, sizeof(garbage)); /* of one that is overwritten */
		write_whole(path, garbage, sizeof(garbage));
		assert_int_equal(record_open(&options, &record, put_aside, &error), 0);
		assert_string_equal(put_aside, wanted);
		assert_int_equal(access(put_aside, F_OK), 0);
		assert_int_equal(access(journal, F_OK), -1);
		append(record, &one, 1);
		assert_string_equal(listed(record, 9), "r1 ");
		record_close(record);
	}
}

/* A page in the middle turns bad: the header still looks well. */
static void a_broken_page(void **state)
{
	char put_aside[RECORD_PATH_SIZE];
	struct record_options options = { .path = path };
	struct record_action one = action(1, "block", "192.0.2.1/32", RECORD_NOTHING, 0);
	struct record *record = open_plain();
	char garbage[4096 * 3];
	FILE *file;
	int result;

	(void)state;
	append(record, &one, 1);
	record_close(record);
	memset(garbage, 0x5a, sizeof(garbage));
	file = fopen(path, "r+e");
	assert_non_null(file);
	assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
	assert_int_equal(fwrite(garbage, 1, sizeof(garbage), file), sizeof(garbage));
	assert_int_equal(fclose(file), 0);
	/* It shows when it is opened, or when it is written; then to open it as a broken one is what helps. */
	result = record_open(&options, &record, put_aside, &error);
	if (result == 0 && !put_aside[0]) {
		assert_int_equal(record_append(record, &one, 1, &error), -EBADMSG);
		record_close(record);
		options.broken = true;
		result = record_open(&options, &record, put_aside, &error);
	}
	assert_int_equal(result, 0);
	assert_true(put_aside[0] != '\0');
	append(record, &one, 1);
	record_close(record);
}

static void execute(const char *sql)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void other_schemas(void **state)
{
	char put_aside[RECORD_PATH_SIZE], known[80];
	struct record_options options = { .path = path };
	struct record *record = open_plain();

	(void)state;
	record_close(record);
	execute("PRAGMA user_version = 99");
	assert_int_equal(record_open(&options, &record, put_aside, &error), -ENOTSUP);
	(void)snprintf(known, sizeof(known), "the record has schema 99, this holdfast knows them up to %d",
	               RECORD_SCHEMA);
	assert_string_equal(error.message, known);
	assert_true(error.advice[0] != '\0');
	assert_string_equal(put_aside, "");
	assert_int_equal(access(path, F_OK), 0); /* it stays */
	assert_int_equal(unlink(path), 0);
	execute("CREATE TABLE holiday(day)");
	assert_int_equal(record_open(&options, &record, put_aside, &error), -ENOTSUP);
	assert_string_equal(error.message, "the database there is no record of holdfast's");
}

static void no_such_folder(void **state)
{
	char put_aside[RECORD_PATH_SIZE];
	struct record_options options = { .path = "/nonexistent/holdfast.db" };
	struct record *record;

	(void)state;
	assert_int_equal(record_open(&options, &record, put_aside, &error), -EACCES);
	assert_true(error.message[0] != '\0');
}

/* Every test has a folder that is empty. */
static int make_folder(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/holdfast.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[RECORD_PATH_SIZE];

	(void)state;
	for (unsigned i = 0; i <= RECORD_BROKEN_MAX; i++)
		for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
			char broken[16] = "";

			if (i > 0)
				(void)snprintf(broken, sizeof(broken), ".broken-%u", i);
			(void)snprintf(name, sizeof(name), "%s%s%s", path, broken, ends[k]);
			(void)unlink(name);
		}
	return rmdir(folder);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_done_is_listed),
		IN_FOLDER(what_holds_is_in_force),
		IN_FOLDER(boots_are_told_apart),
		IN_FOLDER(older_ones_go),
		IN_FOLDER(a_full_disk),
		IN_FOLDER(a_broken_file),
		IN_FOLDER(a_broken_page),
		IN_FOLDER(other_schemas),
		cmocka_unit_test(no_such_folder),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
