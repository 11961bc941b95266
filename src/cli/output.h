/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is whole or not there: it is written under another name beside its own and renamed at the end; a full
 * disk or a signal removes what there is. Only what is no regular file (a pipe, a device) is written in place, and "-"
 * is standard output.
 */
#ifndef HOLDFAST_CLI_OUTPUT_H
#define HOLDFAST_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE *file;
	char *final; /* NULL: written in place */
	char *temporary;
};

/*
 * From here on a signal that ends the program removes the unfinished file first; one output at a time is known to it.
 */
void output_watch_signals(void);
/* 0 or -errno. */
int output_open(struct output *output, const char *path);
/* Ends the output and, unless `failed`, puts it in its place. 0 or -errno. */
int output_close(struct output *output, bool failed);
/* A text becomes the whole of it. 0 or -errno. */
int output_write(const char *path, const char *text);
/*
 * What was written to standard output must arrive: a full disk or a closed pipe is said. The exit status (command.h).
 */
int output_finish(void);
/* Whether writing to `out` would overwrite the file `in`; "-" is standard output or input. */
bool output_is_input(const char *out, const char *in);

#endif
