/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front door: a table of commands. Everything a command is and does stands with the command (command.h says what is
 * asked of it); here a name becomes a function, and a misspelt one a suggestion.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/output.h"
#include "daemon/daemon.h"

#ifndef HOLDFAST_VERSION
#define HOLDFAST_VERSION "unknown"
#endif

#define NAME_MAX_KNOWN 32 /* longer words are not compared */
#define DISTANCE_NEAR 3   /* so many letters may be wrong for a suggestion */

static int help_command(int argc, char **argv);
static int version_command(int argc, char **argv);

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "analyze", analyze_command, "read captures, say what happened and what stops it" },
	{ "try", try_command, "what rules would do to a capture, without doing it" },
	{ "geo", geo_command, "bring, list and ask the databases of countries and networks" },
	{ "doctor", doctor_command, "whether this host can have the shield, and which; changes nothing" },
	{ "run", run_command, "defend this host: attach the shield, serve the commands below" },
	{ "serve", serve_command, "serve the public word: take reports, reckon outages, publish the status page" },
	{ "console", console_command, "tokens for the page of operators, and what was done by it" },
	{ "status", status_command, "one screen: what passes, what is dropped, why, how to undo it" },
	{ "incidents", incidents_command, "list the attacks that were recorded" },
	{ "incident", incident_command, "one of them whole: what, when, what stopped it, what that cost" },
	{ "report", report_command, "one of them anew from what was observed: HTML, JSON, a page" },
	{ "evidence", evidence_command, "one of them as a file that can be checked anywhere: a bundle, signed" },
	{ "record", record_command, "copy the record while it is written, or check it" },
	{ "verify", verify_command, "check such a file, offline: who signed it, every octet, every verdict" },
	{ "claim", claim_command, "put public claims on record, and test them against an incident" },
	{ "event", event_command, "put on record what else happened: changes, providers' failures" },
	{ "page", page_command, "the public status page: what is on it, publish it, check it" },
	{ "probe", probe_command, "whether a service can be reached from here; or from here for good, reporting home" },
	{ "statement", statement_command, "what is said of an incident: drafts from the record, approved, published" },
	{ "subscription", subscription_command,
	  "who is told of what is published: add, list, deliver, what was given up" },
	{ "outage", outage_command, "outages as users feel them: import counts of reports, list, show" },
	{ "rules", rules_command, "list what is in force: rules, blocks, the allow list" },
	{ "block", block_command, "drop what comes from a prefix, or what a match holds" },
	{ "allow", allow_command, "never drop what comes from a prefix" },
	{ "release", release_command, "end a block, an allowed prefix, or a rule" },
	{ "observe", observe_command, "stop dropping; count what would be dropped" },
	{ "enforce", enforce_command, "start dropping; with --confirm only if you can still get in" },
	{ "off", off_command, "take the shield away, with all that is in force" },
	{ "reload", reload_command, "have the daemon read its configuration again" },
	{ "alerts", alerts_command, "send a test alert: holdfast alerts test NAME" },
	{ "config", config_command, "check a configuration: holdfast config check FILE" },
	{ "help", help_command, "how to use a command: holdfast help COMMAND" },
	{ "version", version_command, "the version of this program" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	(void)fputs(
		"Usage: holdfast COMMAND [ARGUMENT...]\n"
		"\n"
		"Sees denial-of-service attacks, finds the narrowest rule that stops each, says what it would cost, and drops.\n"
		"\n",
		out);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(out, "  %-13s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("\n"
	            "Example:\n"
	            "  holdfast analyze attack.pcap\n"
	            "  holdfast block 198.51.100.0/24 --for 1h\n"
	            "\n"
	            "'holdfast COMMAND --help' says more of a command, holdfast(1) of all.\n",
	            out);
}

static int version_command(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)puts("holdfast " HOLDFAST_VERSION);
	return output_finish();
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Letters to insert, delete or replace until one is the other (Levenshtein 1965); NAME_MAX_KNOWN for long words. */
static size_t distance(const char *a, const char *b)
{
	size_t length_a = strlen(a), length_b = strlen(b), row[NAME_MAX_KNOWN + 1];

	if (length_a > NAME_MAX_KNOWN || length_b > NAME_MAX_KNOWN)
		return NAME_MAX_KNOWN;
	for (size_t k = 0; k <= length_b; k++)
		row[k] = k;
	for (size_t i = 1; i <= length_a; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= length_b; k++) {
			size_t best = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			best = row[k] + 1 < best ? row[k] + 1 : best;
			row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
		}
	}
	return row[length_b];
}

/* The command that a misspelt one was meant to be, or NULL. */
static const struct command *nearest(const char *name)
{
	const struct command *best = NULL;
	size_t least = DISTANCE_NEAR + 1;

	for (size_t i = 0; i < COMMANDS; i++) {
		size_t d = distance(name, commands[i].name);

		if (d < least && d < strlen(commands[i].name)) {
			least = d;
			best = &commands[i];
		}
	}
	return best;
}

static int unknown(const char *name)
{
	const struct command *meant = nearest(name);
	const char *kind = name[0] == '-' ? "option" : "command";

	(void)fprintf(stderr, "holdfast: no %s '", kind);
	for (size_t i = 0; i < NAME_MAX_KNOWN && name[i]; i++)
		(void)fputc(name[i] >= ' ' && name[i] <= '~' ? name[i] : '?', stderr);
	if (meant)
		(void)fprintf(stderr, "'; did you mean '%s'?\n", meant->name);
	else
		(void)fputs("'; 'holdfast --help' lists what there is\n", stderr);
	return COMMAND_USAGE;
}

static int help_command(int argc, char **argv)
{
	char option[] = "--help";
	const struct command *command;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return output_finish();
	}
	command = find(argv[1]);
	if (!command)
		return unknown(argv[1]);
	if (command->run == help_command || command->run == version_command) {
		(void)printf("Usage: holdfast %s\n\n%s\n", command->name, command->summary);
		return output_finish();
	}
	return command->run(2, (char *[]){ argv[1], option, NULL });
}

int main(int argc, char **argv)
{
	const struct command *command;

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		usage(stderr);
		return COMMAND_USAGE;
	}
	/* Ourselves, started by the daemon's parent to be one of its parts. */
	if (strcmp(argv[1], DAEMON_ROLE_WORD) == 0)
		return daemon_role(argc, argv);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help_command(1, argv);
	if (strcmp(argv[1], "--version") == 0)
		return version_command(1, argv);
	command = find(argv[1]);
	return command ? command->run(argc - 1, argv + 1) : unknown(argv[1]);
}
