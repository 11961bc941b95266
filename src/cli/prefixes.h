/* SPDX-License-Identifier: Apache-2.0 */
/* Prefixes as people write them, one or a file full, and what is wrong with one that is none. */
#ifndef HOLDFAST_CLI_PREFIXES_H
#define HOLDFAST_CLI_PREFIXES_H

#include "base/prefix.h"
#include "daemon/prefix_file.h"

#define PREFIXES_MAX (8u << 20) /* of one file */
#define PREFIXES_BATCH 1024     /* in one request: 52 octets each at most, so that it fits a line */
#define PREFIXES_ERROR_SIZE 192

/* 0, or -EINVAL with what is wrong and what would be right in `error`. */
int prefixes_read_one(const char *text, struct prefix *prefix, char error[PREFIXES_ERROR_SIZE]);

/*
 * A file as daemon/prefix_file.h has it; "-" is standard input. COMMAND_DONE, and *list is to be ended with
 * prefix_list_fini(); or, said, the exit status: also for a file without a prefix.
 */
int prefixes_read_file(const char *path, struct prefix_list *list);

#endif
