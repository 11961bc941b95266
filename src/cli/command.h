/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command is a function and a row in main.c's table. Its argv[0] is the command's own name ("analyze"). It answers
 * --help itself on standard output. Results go to standard output and nothing else does; what went wrong goes to
 * standard error as `holdfast: WHERE: what is wrong; what to do`. SIGPIPE is ignored: a command finds out by its write.
 */
#ifndef HOLDFAST_CLI_COMMAND_H
#define HOLDFAST_CLI_COMMAND_H

/* What a command returns, and the process with it. */
enum {
	COMMAND_DONE = 0,
	COMMAND_BAD = 1,       /* the thing asked about is bad: a broken capture, a failed write */
	COMMAND_USAGE = 2,     /* wrong usage */
	COMMAND_NO_DAEMON = 3, /* the daemon is not running */
	COMMAND_DUE = 4,       /* something is to be done by a person, and late */
};

int alerts_command(int argc, char **argv);
int allow_command(int argc, char **argv);
int analyze_command(int argc, char **argv);
int block_command(int argc, char **argv);
int claim_command(int argc, char **argv);
int config_command(int argc, char **argv);
int doctor_command(int argc, char **argv);
int enforce_command(int argc, char **argv);
int evidence_command(int argc, char **argv);
int geo_command(int argc, char **argv);
int event_command(int argc, char **argv);
int outage_command(int argc, char **argv);
int incident_command(int argc, char **argv);
int incidents_command(int argc, char **argv);
int observe_command(int argc, char **argv);
int off_command(int argc, char **argv);
int page_command(int argc, char **argv);
int probe_command(int argc, char **argv);
int record_command(int argc, char **argv);
int release_command(int argc, char **argv);
int reload_command(int argc, char **argv);
int report_command(int argc, char **argv);
int rules_command(int argc, char **argv);
int run_command(int argc, char **argv);
int serve_command(int argc, char **argv);
int console_command(int argc, char **argv);
int statement_command(int argc, char **argv);
int status_command(int argc, char **argv);
int subscription_command(int argc, char **argv);
int try_command(int argc, char **argv);
int verify_command(int argc, char **argv);

#endif
