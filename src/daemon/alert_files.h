/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts need of the file system: keys that nobody else can read, scripts that nobody else can change. */
#ifndef HOLDFAST_DAEMON_ALERT_FILES_H
#define HOLDFAST_DAEMON_ALERT_FILES_H

#include "daemon/config.h"

/* A descriptor of the key's file, the caller's; -EACCES and others with a line in `error`, which has nothing of it. */
int alert_key_open(const char *path, char error[CONFIG_ERROR_SIZE]);
/* One line of it, without its end and blanks around it. -EINVAL: it is empty, too long, or more than a line. */
int alert_key_read(int fd, char key[ALERT_SECRET_SIZE]);
/* Whether a script may be run: of root, changed by nobody else, executable. 0 or -errno with a line. */
int alert_script_check(const char *path, char error[CONFIG_ERROR_SIZE]);

#endif
