/* SPDX-License-Identifier: Apache-2.0 */
/* What was published, as a bundle of evidence has it (statements.jsonl), held against what it rests on. */
#ifndef HOLDFAST_CLI_RECOMPUTE_STATEMENTS_H
#define HOLDFAST_CLI_RECOMPUTE_STATEMENTS_H

#include <stddef.h>

#include <jansson.h>

#define RECOMPUTE_WHAT_SIZE 240

/*
 * `lines`: an array of the segment's lines. Each document has the SHA-256 that it is called by, each statement's text
 * is what was published, each sentence is made anew from its links, and each link stands where it says. *sentences: how
 * many. -EBADMSG, with the line from 1 and what is wrong.
 */
int recompute_statements(const json_t *lines, unsigned *sentences, size_t *line, char what[RECOMPUTE_WHAT_SIZE]);

#endif
