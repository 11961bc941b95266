/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as commands meet it: found by the configuration, opened, complaints said. */
#ifndef HOLDFAST_CLI_BOOKS_H
#define HOLDFAST_CLI_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/options.h"
#include "daemon/config.h"
#include "record/ledger.h"

#define BOOKS_PATH_SIZE (CONFIG_PATH_SIZE + sizeof(LEDGER_FILE))
#define BOOKS_NAME_SIZE 64

struct books {
	const char *command;
	char path[BOOKS_PATH_SIZE];
	bool writing;
	struct ledger *ledger;
};

/* The row of --record, beside PLACE_CONFIG_ROW. */
#define BOOKS_RECORD_ROW(type)                                              \
	{                                                                   \
		.name = "record", .value = "DB", OPTION_INTO(type, record), \
		.help = "the record's database; else that of the state_dir" \
	}

/* `record` NULL: that of the state_dir. COMMAND_DONE, and it is to be closed; or, said, the exit status. */
int books_open(struct books *books, const char *command, const char *config, const char *record, bool write);
void books_close(struct books *books);
/* Says what a function of the ledger has answered. COMMAND_BAD. */
int books_refuse(const struct books *books, int result, const struct record_error *error);
/* Who is at the keyboard: the name that they logged in by, "uid 1000" where none is known. */
const char *books_user(char name[BOOKS_NAME_SIZE]);
/* Wall time. */
int64_t books_now(void);

#endif
