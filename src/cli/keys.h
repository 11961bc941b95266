/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of minisign's in files, as commands take and make them. What is wrong is said. */
#ifndef HOLDFAST_CLI_KEYS_H
#define HOLDFAST_CLI_KEYS_H

#include <stddef.h>
#include <sys/types.h>

#include "record/minisign.h"

/* A small file whole, NUL-terminated; the caller frees it. 0 or -errno, not said. */
int keys_read_small(const char *path, char **text, size_t *length);
/* The first line of a file; `password` NULL where there is no file. COMMAND_DONE or, said, the exit status. */
int keys_password(const char *path, char **password);
/* A secret key; `password_file` may be NULL. COMMAND_DONE or, said, the exit status. */
int keys_take(const char *path, const char *password_file, struct minisign_key **key);
int keys_public(const char *path, struct minisign_public *public);
/* A file that is not there yet. 0 or -errno, not said. */
int keys_write_new(const char *path, const char *text, mode_t mode);

#endif
