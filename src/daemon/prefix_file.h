/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of addresses and networks in files: one a line, '#' begins a comment, blank lines and white space around do not
 * count. FastNetMon's networks_list and networks_whitelist are such files. A list with a broken line is no list: it is
 * refused whole, with the line's number.
 */
#ifndef HOLDFAST_DAEMON_PREFIX_FILE_H
#define HOLDFAST_DAEMON_PREFIX_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prefix.h"

#define PREFIX_FILE_LINE_MAX 512 /* octets of one line */
#define PREFIX_FILE_ERROR_SIZE 256

struct prefix_list {
	struct prefix *prefixes; /* owned */
	uint32_t count;
};

void prefix_list_fini(struct prefix_list *list);
/* Ascending by address, then by length; each once. */
void prefix_list_sort(struct prefix_list *list);
/* Whether a sorted list has it. */
bool prefix_list_has(const struct prefix_list *list, const struct prefix *prefix);
/* 0, or -ENOMEM and the list is as it was. */
int prefix_list_append(struct prefix_list *list, const struct prefix *prefixes, uint32_t count);

/*
 * Reads a file to its end; the descriptor stays its owner's. At most `max` prefixes. `name` is only said. On -EINVAL (a
 * broken line), -E2BIG (more than max), -ENOMEM, or what reading says, `error` is "NAME:LINE: what; what to do".
 */
int prefix_file_read(int fd, const char *name, uint32_t max, struct prefix_list *list,
                     char error[PREFIX_FILE_ERROR_SIZE]);
int prefix_file_open(const char *path, char error[PREFIX_FILE_ERROR_SIZE]); /* a descriptor, or -errno */

#endif
