/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command can be asked is one table of rows: options and operands, each with its type, bounds and help. From it
 * options_take() fills the command's own struct, answers --help, and says what is wrong with what was typed:
 *
 *     struct asked {
 *             const char *prefix;
 *             struct option_duration lifetime;
 *             bool json;
 *     };
 *
 *     static const struct option_row rows[] = {
 *             { .value = "PREFIX", OPTION_INTO(struct asked, prefix), .help = "...", .missing = "nothing to block" },
 *             { .name = "for", .value = "TIME", OPTION_INTO(struct asked, lifetime), .help = "...",
 *               .minimum = 10 * NS_PER_S, .maximum = 24 * 3600 * NS_PER_S },
 *             { .name = "json", OPTION_INTO(struct asked, json), .help = "..." },
 *     };
 *     static const struct option_table table = { .command = "block", ..., OPTION_ROWS(rows) };
 *
 *     struct asked asked = { .lifetime = { 600 * NS_PER_S } };     what stands there is the default
 *     int status;
 *
 *     if (!options_take(&table, argc, argv, &asked, &status))
 *             return status;
 *
 * A row without a name is an operand; operands are filled in the order of the table. The field's type says what is
 * read:
 *
 *     bool                     a flag: no value, becomes true
 *     const char *             text, as typed
 *     uint64_t                 digits, minimum to maximum
 *     struct option_duration   digits and a unit (60s, 5m, 1h, 7d), minimum to maximum in nanoseconds
 *     struct option_words      only as the last operand: all words that are left, at most `maximum` of them
 *
 * Options stand anywhere, as --name VALUE, --name=VALUE or shortened as long as only one can be meant; with a letter as
 * -n VALUE or -nVALUE too, and flags' letters in one word. Behind "--" all words are operands; "-" always is one. Of an
 * option that comes twice the last counts. -h, --help is in every table, unwritten.
 */
#ifndef HOLDFAST_CLI_OPTIONS_H
#define HOLDFAST_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_DURATION, OPTION_WORDS };

struct option_duration {
	int64_t ns;
};

/* In argv, whose they are. */
struct option_words {
	char **words;
	size_t count;
};

struct option_row {
	const char *name;          /* "write" of --write; NULL: an operand */
	const char *value;         /* what help calls the value: "OUT" */
	const char *help;          /* one line or several */
	const char *missing;       /* said where it is not given: then its field begins as 0. NULL: it need not be */
	const char *too_many;      /* said where more operands come than this, the last: "one at a time"; may be NULL */
	uint64_t minimum, maximum; /* maximum 0: as much as the type holds */
	size_t offset;             /* of the field */
	enum option_kind kind;
	char letter; /* 'w' of -w; 0: none */
};

/* .offset and .kind: which field of the command's struct a row fills, and by its type how. */
#define OPTION_INTO(type, field) \
	.offset = offsetof(type, field), .kind = _Generic(((type *)NULL)->field, \
	bool: OPTION_FLAG, \
	const char *: OPTION_TEXT, \
	uint64_t: OPTION_NUMBER, \
	struct option_duration: OPTION_DURATION, \
	struct option_words: OPTION_WORDS)

/* The row of --json of a command that prints this schema: what it is, "as JSON" at least, and the schema's name. */
#define OPTION_JSON_ROW(type, what, schema)                                           \
	{                                                                             \
		.name = "json", OPTION_INTO(type, json), .help = what " (" schema ")" \
	}

#define OPTION_ROWS(table) .rows = (table), .count = sizeof(table) / sizeof((table)[0])

struct option_table {
	const char *command;  /* as typed behind `holdfast`: "try", "config check" */
	const char *synopsis; /* what can stand behind it, in short: "PREFIX [--for TIME]"; may be "" */
	const char *purpose;  /* help's lines before the rows, with their ends; likewise */
	const char *notes;    /* help's lines after the rows */
	const struct option_row *rows;
	size_t count;
};

/*
 * True: `into`, a struct of the type that the rows name, is filled, and the command can begin. False: it is over, with
 * *status (command.h): help was wanted and is given, or something is wrong and is said. argv[0] is passed over,
 * whatever it is; operands are moved to the front of what is behind it.
 */
bool options_take(const struct option_table *table, int argc, char **argv, void *into, int *status);

/* Says on standard error what is wrong with how a command was asked, and where to read on. COMMAND_USAGE. */
__attribute__((format(printf, 2, 3))) int options_refuse(const struct option_table *table, const char *format, ...);

/* What --help says. */
void options_help(const struct option_table *table, FILE *out);

#endif
