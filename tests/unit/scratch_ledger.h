/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of the test's own with a new record in it for each case, opened as a ledger. */
#ifndef HOLDFAST_TESTS_SCRATCH_LEDGER_H
#define HOLDFAST_TESTS_SCRATCH_LEDGER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "record/ledger.h"

static char folder[32], path[64];
static struct record_error error;
static struct ledger *ledger;

__attribute__((unused)) static int scratch_begin(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/holdfast-record-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/record.db", folder);
	return ledger_open(path, true, &ledger, &error);
}

static int scratch_remove(const char *name, const struct stat *status, int type, struct FTW *place)
{
	(void)status;
	(void)type;
	(void)place;
	return remove(name);
}

/* With whatever the case has left in the folder. */
__attribute__((unused)) static int scratch_end(void **state)
{
	(void)state;
	ledger_close(ledger);
	ledger = NULL;
	return nftw(folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* As somebody else who has the file: what SQLite answers. */
__attribute__((unused)) static void scratch_execute(const char *sql, int wanted)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL) & 0xff, wanted);
	(void)sqlite3_close(database);
}

#endif
