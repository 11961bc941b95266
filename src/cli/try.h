/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holdfast try: applies the rules of a report to a capture and writes what would have passed; try.c and --help say the
 * rest.
 */
#ifndef HOLDFAST_CLI_TRY_H
#define HOLDFAST_CLI_TRY_H

/* argv[0] is the command's own name ("try"). Returns the exit status: 0 done, 1 input or output bad, 2 wrong usage. */
int try_command(int argc, char **argv);

#endif
