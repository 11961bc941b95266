/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run by its name in PATH with a list of arguments, no shell between, for a limited time. */
#ifndef HOLDFAST_DAEMON_CHILD_H
#define HOLDFAST_DAEMON_CHILD_H

#include <stdint.h>

#define CHILD_SAID_SIZE 256
#define CHILD_FDS_MAX 4
#define CHILD_FIRST_FD 3

/*
 * It has the descriptors `fds` from CHILD_FIRST_FD on, and ends when this process does. Its standard input and output
 * are /dev/null; `said` becomes the last line that it wrote to standard error. 0; -EIO: it ended with an error; -ETIME:
 * it was killed when `for_ns` were over, with all that it had begun; -ENOENT: there is no such program; other -errno:
 * it could not be begun. `arguments` end with NULL; the first is the program.
 */
int child_run(const char *const *arguments, const int *fds, unsigned fd_count, int64_t for_ns,
              char said[CHILD_SAID_SIZE]);

#endif
