/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast record: a copy of the record while the daemon writes, and whether the record hangs together. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/say.h"
#include "record/ledger.h"

struct options {
	const char *what, *file, *record, *config;
};

/* clang-format off */
static const struct option_row rows[] = {
	{ .value = "backup|check", OPTION_INTO(struct options, what), .missing = "what of the record: backup FILE, or check",
	  .help = "copy it, or look whether it hangs together" },
	{ .value = "FILE", OPTION_INTO(struct options, file), .too_many = "one at a time",
	  .help = "backup: the copy, one file, which must not be there yet" },
	{ .name = "record", .value = "DB", OPTION_INTO(struct options, record),
	  .help = "the record's database, or a copy of it; else that of the state_dir" },
	PLACE_CONFIG_ROW(struct options),
};
/* clang-format on */

static const struct option_table table = {
	.command = "record",
	.synopsis = "backup FILE | check [--record DB]",
	.purpose =
		"The record is what was done, claims, verdicts, events, traces and which evidence was made. 'backup' copies it as it\n"
		"stands while the daemon writes on; 'check' reads all of it, and looks whether what may only be added to still is.\n",
	.notes = "Exit status: 0 done, 1 the record is broken, or cannot be read or copied, 2 wrong usage.\n"
		 "\n"
		 "Example:\n"
		 "  holdfast record backup /root/record-copy.db\n",
	OPTION_ROWS(rows),
};

static int refuse(const char *path, const struct record_error *error)
{
	say_error(path, "%s%s%s", error->message, error->advice[0] ? "; " : "", error->advice);
	return COMMAND_BAD;
}

static void tell(void *context, const char *mistake)
{
	say_error(context, "%s", mistake);
}

static int check(struct ledger *ledger, const char *path)
{
	char name[RECORD_PATH_SIZE];
	struct record_error error;
	unsigned mistakes;

	(void)snprintf(name, sizeof(name), "%s", path);
	if (ledger_check(ledger, tell, name, &mistakes, &error) != 0)
		return refuse(path, &error);
	if (mistakes) {
		(void)printf("%s: broken: %u mistakes%s\n", path, mistakes,
		             mistakes > LEDGER_CHECK_MISTAKES ? ", of which the first are told" : "");
		return COMMAND_BAD;
	}
	(void)printf("%s: whole\n", path);
	return output_finish();
}

static int find_record(const struct options *options, char path[RECORD_PATH_SIZE])
{
	struct place place;
	int status;

	if (options->record) {
		(void)snprintf(path, RECORD_PATH_SIZE, "%s", options->record);
		return COMMAND_DONE;
	}
	status = place_find("record", options->config, &place);
	if (status == COMMAND_DONE)
		(void)snprintf(path, RECORD_PATH_SIZE, "%.*s" LEDGER_FILE, RECORD_PATH_SIZE - (int)sizeof(LEDGER_FILE),
		               place.state_dir);
	return status;
}

int record_command(int argc, char **argv)
{
	struct options options = { .what = NULL };
	struct record_error error;
	struct ledger *ledger;
	char path[RECORD_PATH_SIZE];
	bool backup;
	int status;

	if (!options_take(&table, argc, argv, &options, &status))
		return status;
	backup = strcmp(options.what, "backup") == 0;
	if (!backup && strcmp(options.what, "check") != 0)
		return options_refuse(&table, "no command 'record %.40s'; there are backup and check", options.what);
	if (backup != (options.file != NULL))
		return options_refuse(&table, backup ? "where is the copy to be written"
		                                     : "check wants no file; --record names one");
	status = find_record(&options, path);
	if (status != COMMAND_DONE)
		return status;
	if (ledger_open(path, false, &ledger, &error) != 0)
		return refuse(path, &error);
	if (!backup)
		status = check(ledger, path);
	else if (ledger_backup(ledger, options.file, &error) != 0)
		status = refuse(options.file, &error);
	else
		(void)printf("%s: a copy of %s\n", options.file, path);
	ledger_close(ledger);
	return status == COMMAND_DONE ? output_finish() : status;
}
