/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the engine has learned, in state_dir as a file: the latest that was whole. The recorder's; the engine has it
 * from there by a descriptor. What is in it is for engine/live.h to say.
 */
#ifndef HOLDFAST_DAEMON_CHECKPOINT_H
#define HOLDFAST_DAEMON_CHECKPOINT_H

#include <stdint.h>

#define CHECKPOINT_NAME "checkpoint"

/*
 * Puts `length` octets of `fd` in the place of what was kept: on the disk when 0 is returned, and whole whatever
 * happens meanwhile. -EBADMSG where there are fewer; -ENOSPC and others, and what was kept is as it was. `fd` stays
 * open.
 */
int checkpoint_keep(const char *folder, int fd, uint32_t length);
/* A descriptor to read it from, the caller's; -ENOENT where there is none, -EFBIG where it is none of ours. */
int checkpoint_open(const char *folder, int *fd, uint32_t *length);
/* Reads `length` octets of `fd` into memory that the caller frees. -EBADMSG where there are fewer, -ENOMEM. */
int checkpoint_read(int fd, uint32_t length, uint8_t **octets);

#endif
